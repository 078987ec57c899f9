/* distmsg.h - what stacks say to each other about distributed DVIPAs: kinds 32..39 of the group's messages (wire/plexmsg.h).
 *
 *   CONFIG     the routing stack to all: the whole distribution of one DVIPA; no port = it ends
 *      0  4 DVIPA   4  4 mask   8  4 epoch of ownership   12  1 flags (1 = SYSPLEXPORTS)   13  1 zero   14  2 ports, then for
 *     each port
 *      0  2 port, 0 = any   2  1 method   3  1 flags   4  2 TIMEDAFFINITY, seconds   6  1 targets, 0 = ALL   7  1 OPTLOCAL, 0 = no,
 *     else value + 1, then for each target   0  4 dynamic XCF address   4  1 WEIGHT   5  1 rank, 0 = PREFERRED   6  2 zero
 *
 *   LISTENERS  every stack to the routing stack, once after each CONFIG and at each change; always complete. Everything
 *              else that answers a CONFIG (CONNS) has been sent before it.
 *      0  4 DVIPA   4  4 epoch   8  1 flags (1 = target)   9  3 zero, then   0  2 port   2  2 listeners,
 *     0 = there are some, all of them quiesced
 *
 *   CONNS      0  4 DVIPA   4  4 epoch, then
 *      0  4 client   4  2 port at the DVIPA   6  2 client's port   8  4 client's initial sequence number, 0 = not known
 *     12  1 what   13  3 zero
 *
 *   PORTS      blocks of 64 ports for SYSPLEXPORTS: between a stack and the routing stack
 *      0  4 DVIPA   4  4 epoch   8  1 what (HELD, WANT: to the routing stack; GRANT, REVOKE: from it)   9  3 zero, then
 *      0  2 number of the block: its first port / 64. HELD is complete and precedes the LISTENERS that answer a CONFIG; GRANT
 *     without a row: there is none left
 *
 *   REPORT     every stack to all, each WLM interval
 *      0  4 capacity, 0 = none   4  1 flags (1 = SYSPLEXROUTING)   5  3 zero, then for each DVIPA and port served
 *      0  4 DVIPA   4  2 port   6  1 SEF   7  1 QoS fraction   8  4 SYNs received   12  4 connections established, both
 *     since the previous report
 *
 *   COPY       the routing stack to its next owners: connections that it routes, for the case that it dies with one of its targets; and
 *              whoever gives the DVIPA away to the next one, before the GRANT: what that one may not know
 *      0  4 DVIPA   4  4 epoch   8  1 flags (1 = all rows begin here: what you have is from before; 2 = from a next owner: say
 *     all; 4 = to all stacks: what is still from before has ended)   9  3 zero, then
 *      0  4 client   4  2 port at the DVIPA   6  2 client's port   8  4 client's initial sequence number   12  4 what the client
 *     expects next, 0 = not known   16  4 dynamic XCF address of the target   20  1 what (ENDED, OPENED, BEGUN)   21  3 zero
 *
 * x_check() looks at every byte that matters; what it passed may be walked with the x_next() functions. Epochs
 * guard against what was said to, or by, an earlier owner. Touches nothing but the bytes.
 */
#ifndef WIRE_DISTMSG_H
#define WIRE_DISTMSG_H

#include "base/be.h"
#include "wire/ipaddr.h"

enum distmsg_kind {
    DISTMSG_CONFIG = 32,
    DISTMSG_LISTENERS,
    DISTMSG_CONNS,
    DISTMSG_REPORT,
    DISTMSG_PORTS,
    DISTMSG_COPY = 38,
    DISTMSG_LAST = 39,
};
enum distmsg_what {
    DISTMSG_ENDED,  /* target: it is over, or not there */
    DISTMSG_OPENED, /* target: it is here (NEWCONN, or after a change of owner) */
    DISTMSG_ASK,    /* routing stack: do you still have it? */
    DISTMSG_BEGUN,  /* COPY: the client's SYN is there, or on its way there */
    DISTMSG_WHATS,
};

enum distmsg_ports {
    DISTMSG_HELD,   /* these blocks are mine, no others */
    DISTMSG_WANT,   /* one more, please */
    DISTMSG_GRANT,  /* this one is yours */
    DISTMSG_REVOKE, /* these are another's: give no more ports of them */
    DISTMSG_PORTS_WHATS,
};

#define DISTMSG_CONFIG_HEAD    16
#define DISTMSG_PORT_ROW       8
#define DISTMSG_TARGET_ROW     8
#define DISTMSG_TARGETS_MAX    32
#define DISTMSG_PORTS_MAX      128
#define DISTMSG_LISTENERS_HEAD 12
#define DISTMSG_LISTENER_ROW   4
#define DISTMSG_CONNS_HEAD     8
#define DISTMSG_CONN_ROW       16
#define DISTMSG_COPY_HEAD      12
#define DISTMSG_COPY_ROW       24
#define DISTMSG_PORTS_HEAD     12
#define DISTMSG_BLOCK_ROW      2
#define DISTMSG_BLOCK_PORTS    64u
#define DISTMSG_BLOCK_FIRST    16u /* ports below 1024 are nobody's to be given */
#define DISTMSG_BLOCKS         1024u
#define DISTMSG_OPTLOCAL_MAX   17 /* value + 1 */
#define DISTMSG_REPORT_HEAD    8
#define DISTMSG_REPORT_ROW     16

struct distmsg_config {
    struct ipaddr dvipa, mask;
    u32 epoch;
    bool sysplexports;
    u16 ports;
};
struct distmsg_target {
    struct ipaddr dynxcf;
    u8 weight, rank;
};
struct distmsg_port {
    u16 port;
    u8 method, flags;
    u16 affinity_sec;
    u8 targets; /* 0: ALL */
    u8 optlocal;
    struct distmsg_target target[DISTMSG_TARGETS_MAX];
};
struct distmsg_conn {
    struct ipaddr client;
    u16 dport, cport;
    u32 isn;
    u8 what;
};
struct distmsg_copy {
    struct ipaddr client, target;
    u16 dport, cport;
    u32 isn, ack;
    u8 what;
};
struct distmsg_report {
    struct ipaddr dvipa;
    u16 port;
    u8 sef, qos_fraction;
    u32 syns, opened;
};

/* methods, flags: how many methods there are and which port flags may be sent. */
bool distmsg_config_check(const u8 *p, u32 len, u32 methods, u8 flags);
void distmsg_config_parse(const u8 *p, struct distmsg_config *out);
/* at: offset of a port's row, DISTMSG_CONFIG_HEAD at first; returns the next one's. */
u32 distmsg_port_next(const u8 *p, u32 at, struct distmsg_port *out);
void distmsg_config_emit(u8 *p, const struct distmsg_config *c);
/* Bytes written: DISTMSG_PORT_ROW and its targets. */
u32 distmsg_port_emit(u8 *p, const struct distmsg_port *t);
static inline u32 distmsg_port_bytes(const struct distmsg_port *t) {
    return DISTMSG_PORT_ROW + (u32)t->targets * DISTMSG_TARGET_ROW;
}

/* Messages that are a head and rows of one size: is this one, and how many rows has it. */
bool distmsg_rows_check(u32 len, u32 head, u32 row, u32 *rows);
struct distmsg_blocks {
    struct ipaddr dvipa;
    u32 epoch;
    u8 what; /* enum distmsg_ports */
    u32 n;   /* rows */
};
/* PORTS: shape, what, and that every row is a block there is. */
bool distmsg_blocks_parse(const u8 *p, u32 len, struct distmsg_blocks *out);
/* The head; rows are written behind it. */
void distmsg_blocks_emit(u8 *p, const struct distmsg_blocks *b);
/* false: a value that no sender may send. */
bool distmsg_conn_parse(const u8 *p, struct distmsg_conn *out);
void distmsg_conn_emit(u8 *p, const struct distmsg_conn *c);
bool distmsg_copy_parse(const u8 *p, struct distmsg_copy *out);
void distmsg_copy_emit(u8 *p, const struct distmsg_copy *c);
bool distmsg_report_parse(const u8 *p, struct distmsg_report *out);
void distmsg_report_emit(u8 *p, const struct distmsg_report *r);

#endif
