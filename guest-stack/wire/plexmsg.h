/* plexmsg.h - what stacks say to each other in the XCF group EZBTCPCS.
 *
 * Every message has an envelope in the 32 bytes of control information that XCF carries beside it:
 *
 *    0  2 X'E3C3'   2  1 version, 1   3  1 kind   4  8 incarnation of the sending stack   12  4 its epoch: which of
 *   its memberships   16  8 incarnation of the receiver and   24  4 its epoch, as the sender knows them; both 0: to all
 *   28  4 zero
 *
 * Incarnation and epoch of each member stand in its XCF user state, too; a message whose envelope says something
 * else is stale and refused. Kinds 1..31 are those of dynamic XCF and dynamic VIPAs, 32..63 of the distributor and WLM,
 * which describe theirs in their own headers. A message is a list of rows of one size, but for the packets of DATA.
 *
 *   user state   0  8 incarnation   8  4 epoch   12  4 dynamic XCF address   16  4 mask   20  2 SYSCLONE
 *                22  8 name of the stack   30  2 zero
 *   HOME         0  4 address   4  1 flags (1 = in HOME, 0 = no longer)   5  3 zero
 *   SYNC         no data: all that the sender has was sent before
 *   DVIPA        0  4 address   4  4 mask   8  1 status   9  1 origin   10  1 moveable   11  1 rank   12  1 flags
 *                13  3 zero     16  4 epoch of ownership
 *   CLAIM        0  4 address   4  4 epoch claimed   8  1 priority   9  1 flags   10  2 zero   12  4 mask
 *   GRANT DENY   0  4 address   4  4 epoch claimed   8  4 connections sent before (GRANT), reason (DENY)
 *   CONN         0  4 DVIPA   4  4 foreign address   8  2 local port   10  2 foreign port   12  1 flags (1 = it is
 *                there, 0 = it has ended; 2 = all that are there follow, and others are not: no address, no ports)   13  3 zero
 *   DATA         packets: 0  2 bytes   2  2 segment size of a joined one   4  1 flags (1 = transport checksum right or
 *                never needed, 2 = for delivery there and nothing else: the owner of the DVIPA has routed it)   5  3 zero, then the packet, padded to a multiple of 4
 */
#ifndef WIRE_PLEXMSG_H
#define WIRE_PLEXMSG_H

#include "base/be.h"
#include "wire/ipaddr.h"

#define PLEXMSG_MAGIC    0xE3C3
#define PLEXMSG_VERSION  1
#define PLEXMSG_CONTROL  32
#define PLEXMSG_DATA_MAX 61440
#define PLEXMSG_USTATE   32

enum plexmsg_kind {
    PLEXMSG_HOME = 1,
    PLEXMSG_SYNC,
    PLEXMSG_DVIPA,
    PLEXMSG_CLAIM,
    PLEXMSG_GRANT,
    PLEXMSG_DENY,
    PLEXMSG_CONN,
    PLEXMSG_DATA,
    PLEXMSG_DIST_FIRST = 32, /* the distributor's and WLM's */
    PLEXMSG_KINDS = 64,
};

#define PLEXMSG_HOME_ROW    8
#define PLEXMSG_DVIPA_ROW   20
#define PLEXMSG_CLAIM_ROW   16
#define PLEXMSG_ANSWER_ROW  12
#define PLEXMSG_CONN_ROW    16
#define PLEXMSG_PACKET_HEAD 8

struct plexmsg_envelope {
    u8 kind;
    u64 from_incarnation, to_incarnation;
    u32 from_epoch, to_epoch;
};
struct plexmsg_ustate {
    u64 incarnation;
    u32 epoch;
    struct ipaddr dynxcf, mask;
    char sysclone[3], tcpname[9];
    u16 iqd; /* the HiperSockets LAN that it is on, 0: none */
};
struct plexmsg_dvipa {
    struct ipaddr addr, mask;
    u8 status, origin, moveable, rank, flags;
    u32 epoch;
};
enum plexmsg_claim_flags {
    PLEXMSG_WHEN_IDLE = 1, /* grant it when no connection is left */
    PLEXMSG_DELETE = 2,    /* who has it deletes it and its connections (ioctl over bind) */
};
struct plexmsg_claim {
    struct ipaddr addr, mask;
    u32 epoch;
    u8 priority, flags; /* enum plexmsg_claim_flags */
};
struct plexmsg_answer {
    struct ipaddr addr;
    u32 epoch, value;
};
struct plexmsg_conn {
    struct ipaddr dvipa, foreign;
    u16 local_port, foreign_port;
    bool there, all; /* all: of no connection */
};

/* false: not ours, another version, or a kind past the last. */
bool plexmsg_parse(const u8 control[PLEXMSG_CONTROL], struct plexmsg_envelope *out);
static inline void plexmsg_emit(u8 control[PLEXMSG_CONTROL], const struct plexmsg_envelope *e) {
    be16_put(control, PLEXMSG_MAGIC);
    control[2] = PLEXMSG_VERSION;
    control[3] = e->kind;
    be64_put(control + 4, e->from_incarnation);
    be32_put(control + 12, e->from_epoch);
    be64_put(control + 16, e->to_incarnation);
    be32_put(control + 24, e->to_epoch);
    be32_put(control + 28, 0);
}
/* false: a name that is none, an incarnation of 0. */
bool plexmsg_ustate_parse(const u8 u[PLEXMSG_USTATE], struct plexmsg_ustate *out);
void plexmsg_ustate_emit(u8 u[PLEXMSG_USTATE], const struct plexmsg_ustate *s);

/* Rows: p has the bytes of one row. Parsers return false for a value that no sender may send. */
bool plexmsg_dvipa_parse(const u8 *p, struct plexmsg_dvipa *out);
void plexmsg_dvipa_emit(u8 *p, const struct plexmsg_dvipa *r);
bool plexmsg_claim_parse(const u8 *p, struct plexmsg_claim *out);
void plexmsg_claim_emit(u8 *p, const struct plexmsg_claim *r);
void plexmsg_answer_parse(const u8 *p, struct plexmsg_answer *out);
void plexmsg_answer_emit(u8 *p, const struct plexmsg_answer *r);
bool plexmsg_conn_parse(const u8 *p, struct plexmsg_conn *out);
void plexmsg_conn_emit(u8 *p, const struct plexmsg_conn *r);

#endif
