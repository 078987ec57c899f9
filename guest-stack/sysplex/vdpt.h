/* vdpt.h - the destination port table (VDPT): for each distributed address and port, which targets there are, how ready
 * they are, and which of them gets the next connection.
 *
 * A target is a number 0..VDPT_TARGETS-1 whose meaning is the caller's; a set of targets is a u32 with bit t.
 *
 *   method          chooses                                                            letter
 *   BASEWLM         in proportion to WLM x (100 - QoS fraction) x TSR                    B
 *   ROUNDROBIN      each in turn                                                         R
 *   WEIGHTEDACTIVE  so that active connections are as WEIGHT x TSR                       W
 *   HOTSTANDBY      the PREFERRED one; if it cannot, the BACKUP of highest rank          H
 *
 *   eligible = in the set the caller allows, RDY > 0, not quiesced, reachable, TSR > 0
 *   W' = WLM x (100 - fraction) x TSR / 100, in hundredths of a weight; 1 at least for one that is eligible;
 *   WLM counts as equal for all if any eligible target has none
 *
 * "In proportion" is smooth weighted round robin: each target's credit grows by its W', the one with most credit is
 * chosen and pays the sum. After any number of choices each target has had its share to within one connection, and a
 * heavy target's turns are spread among the others' (the algorithm of nginx's upstream, 2012). A choice costs one
 * pass over the port's targets, at most VDPT_TARGETS.
 *
 * A target whose TSR is 0 gets nothing until the caller sets VDPT_PROBE; then it gets exactly the next connection, and
 * what becomes of that one is the next report's figure.
 *
 * PORT omitted in VIPADISTRIBUTE: port 0 is the model row; vdpt_learn() makes a row of it for each port that a target
 * listens on, and vdpt_port_unused() says when it can go. Pure: base, wire, net/hash.h.
 */
#ifndef SYSPLEX_VDPT_H
#define SYSPLEX_VDPT_H

#include "base/arena.h"
#include "base/base.h"
#include "base/list.h"
#include "net/hash.h"
#include "wire/ipaddr.h"

#define VDPT_TARGETS 32
#define VDPT_NOBODY  0xFFu
#define VDPT_WEIGHT_DEFAULT 10u /* WEIGHTEDACTIVE */

enum dist_method { DIST_BASEWLM, DIST_ROUNDROBIN, DIST_WEIGHTEDACTIVE, DIST_HOTSTANDBY, DIST_METHODS };

/* Options of a VIPADISTRIBUTE that a port has. */
enum vdpt_port_flags {
    VDPT_DYNAMIC = 0x01,        /* made by vdpt_learn(): flag Dynamic */
    VDPT_NOSWITCHBACK = 0x02,   /* HOTSTANDBY NOAUTOSWITCHBACK */
    VDPT_NOHEALTHSWITCH = 0x04, /* HOTSTANDBY NOHEALTHSWITCH: TSR does not move it */
    VDPT_PASSIVE = 0x08,        /* one target's own listener at the DVIPA (FTP passive data): not distributed */
};
enum vdpt_target_flags {
    VDPT_IN = 0x01,          /* a target of this port */
    VDPT_QUIESCED = 0x02,    /* V TCPIP,,SYSPLEX,QUIESCE on the target */
    VDPT_UNREACHABLE = 0x04, /* no way to its dynamic XCF address */
    VDPT_ALARM = 0x08,       /* EZD1182I has been said */
    VDPT_PROBE = 0x10,       /* though TSR is 0, it gets the next connection: has it recovered? */
};

struct vdpt_target {
    u32 ready;  /* RDY: listeners */
    u32 total;  /* connections given to it, TotalConn */
    u32 active; /* of them still in the VCRT, ActiveConn */
    u32 sent;   /* chosen since its latest report; the caller takes it back to 0 */
    i32 credit; /* smooth weighted round robin */
    u8 flags;
    u8 wlm;           /* 1..64, 0 = has none */
    u8 weight;        /* WEIGHT n of WEIGHTEDACTIVE */
    u8 rank;          /* HOTSTANDBY: 0 PREFERRED, else BACKUP n */
    u8 qos_fraction;  /* 0..100 taken off by policy */
    u8 tcsr, cer, sef; /* 0..100 */
    u16 effective;    /* W' in hundredths; vdpt_weigh() */
};

struct vdpt_port {
    struct hash_row hash; /* first member */
    struct list node;     /* all ports, in the order of definition */
    struct ipaddr dvipa;
    u16 port; /* 0: the model of a VIPADISTRIBUTE without PORT */
    u16 index;
    u8 method; /* enum dist_method */
    u8 flags;
    u8 current; /* HOTSTANDBY: who serves now */
    u8 top;     /* targets that have ever been in have numbers below */
    u32 affinity_sec; /* TIMEDAFFINITY */
    u32 refused;      /* SYNs that found nobody */
    struct vdpt_target t[VDPT_TARGETS];
};

struct vdpt {
    struct pool pool;
    struct hash_table table;
    struct hash_key key;
    struct list order;
};

struct vdpt_method_ops {
    const char *name; /* "BASEWLM" */
    const char *flag; /* NETSTAT VDPT DETAIL: "BaseWLM" */
    char letter;
    /* One of the eligible targets (not an empty set). */
    u32 (*choose)(struct vdpt_port *p, u32 eligible);
};

size_t vdpt_bytes(u32 max_ports);
bool vdpt_init(struct vdpt *v, struct arena *a, u32 max_ports, const struct hash_key *key);

struct vdpt_port *vdpt_find(const struct vdpt *v, struct ipaddr dvipa, u16 port);
/* -ERR_EXIST, -ERR_NOMEM. */
int vdpt_add(struct vdpt *v, struct ipaddr dvipa, u16 port, enum dist_method method, struct vdpt_port **out);
void vdpt_del(struct vdpt *v, struct vdpt_port *p);
/* A row for a port that a target listens on, with the options and targets of the model; NULL: table full. */
struct vdpt_port *vdpt_learn(struct vdpt *v, const struct vdpt_port *model, u16 port);
/* Iteration in order of definition; p = NULL starts, NULL ends. */
struct vdpt_port *vdpt_walk(const struct vdpt *v, const struct vdpt_port *p);
/* Another method begins anew: what its targets are owed counted in the former one's units. */
void vdpt_set_method(struct vdpt_port *p, enum dist_method m);
/* The port with this index, NULL if it has gone. */
struct vdpt_port *vdpt_at(const struct vdpt *v, u16 index);

/* Enters a target with RDY 0 and full health; idempotent. */
void vdpt_target_add(struct vdpt_port *p, u32 target);
void vdpt_target_del(struct vdpt_port *p, u32 target);
/* TSR = TCSR x CER x SEF / 10000, 0..100. */
u32 vdpt_tsr(const struct vdpt_target *t);
/* Brings the weights W' of a port's targets up to date; after any change of wlm, weight, QoS or TSR. */
void vdpt_weigh(struct vdpt_port *p);
/* Who could take a connection now, of those allowed. */
u32 vdpt_eligible(const struct vdpt_port *p, u32 allowed);
/* Who gets the next connection: its total and active are counted. VDPT_NOBODY: refused is counted. */
u32 vdpt_choose(struct vdpt_port *p, u32 allowed);
/* A connection that was given without a choice (affinity, NEWCONN, reported after a takeover) or has ended. */
void vdpt_count(struct vdpt_port *p, u32 target, bool opened);

const struct vdpt_method_ops *vdpt_method(enum dist_method m);
/* DIST_METHODS if there is no such name. */
enum dist_method vdpt_method_named(const char *name);

#endif
