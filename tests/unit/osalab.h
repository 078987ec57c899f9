/* osalab.h - LPARs with real stacks, real drivers and real engines on real ports, in one process and one
 * thread.
 *
 *   lab = lab_create();  card = lab_card(lab, "OSA1", 8992);
 *   host = lab_host(lab, "SYSA");
 *   dev = lab_osa(host, card, "OSAA", 0x0E00, "10.1.1.1");       DEVICE, LINK, HOME, direct route /24
 *   lab_start(dev);                                              START, until READY
 *   lab_run(lab, usec)                                           time passes: channels, cards, LAN, stacks
 *   lab_destroy(lab)                                             STOPs all; every pool is back at its level,
 *                                                                every subchannel closed
 *
 * Nothing sleeps: time jumps to the next deadline when nobody has anything to do.
 */
#ifndef TESTS_UNIT_OSALAB_H
#define TESTS_UNIT_OSALAB_H

#include "net/stack_impl.h"
#include "tests/sim/simcard.h"

#define LAB_HOSTS    4
#define LAB_CARDS    3
#define LAB_DEVICES  4 /* of each kind in one host */
#define LAB_MESSAGES 64

struct lab_host {
    struct lab *lab;
    char name[9];
    struct chan_system *sys;
    struct stack *stk;
    void *storage;
    struct driver drivers[DEV_TYPES];
    void *engine[2 * LAB_DEVICES];
    struct sim_group *group[2 * LAB_DEVICES];
    u32 engines;
    u64 due;
    char message[LAB_MESSAGES][160];
    u32 messages;
};

struct lab {
    u64 now;
    u32 random;
    struct sim_lan *lan;
    struct sim_card *card[LAB_CARDS];
    u32 cards, hosts;
    struct lab_host host[LAB_HOSTS];
    u32 (*wires)(void *ctx); /* what else moves in each turn; returns how much */
    void *wires_ctx;
};

struct lab *lab_create(void);
void lab_destroy(struct lab *lab);
struct sim_card *lab_card(struct lab *lab, const char *name, u32 mtu_bytes);
/* A HiperSockets LAN: lab_osa() on it makes an IPAQIDIO link. */
struct sim_card *lab_iqd(struct lab *lab, const char *name, u32 mtu_bytes);
struct lab_host *lab_host(struct lab *lab, const char *name);
struct device *lab_osa(struct lab_host *h, struct sim_card *card, const char *name, u16 devnum,
                       const char *addr);
struct device *lab_lcs(struct lab_host *h, struct sim_card *card, const char *name, u16 devnum,
                       const char *addr);
void lab_vipa(struct lab_host *h, const char *addr);
/* A route to addr/bits over a gateway ("" = direct). */
void lab_route(struct lab_host *h, const char *addr, u8 bits, const char *gateway, struct device *dev);
void lab_start(struct device *dev);
void lab_stop(struct device *dev);
/* Everything that can happen without time passing. */
void lab_settle(struct lab *lab);
void lab_run(struct lab *lab, u64 usec);
bool lab_until(struct lab *lab, u64 usec, bool (*done)(void *ctx), void *ctx);
bool lab_said(const struct lab_host *h, const char *part);
struct ipaddr lab_ip(const char *text);

#endif
