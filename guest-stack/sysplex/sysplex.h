/* sysplex.h - TCP/IP in the sysplex: one struct sysplex a stack, a member of the XCF group EZBTCPCS.
 *
 *   sx = sysplex_create(&config)              storage from an arena, nothing allocated later
 *   drivers[DEV_MPCPTP] = sysplex_driver(sx)  before stack_create(): dynamic XCF links are devices of the stack
 *   sysplex_attach(sx, stk, now)              fills the stack's hooks
 *   profile statements                        dynxcf.h, dvipa.h; saved, in force from the join on
 *   sysplex_xcf(sx, xcf, now)                 XCF is there: joins (unless GLOBALCONFIG ... NOJOIN)
 *   next = sysplex_poll(sx, now)              after each batch of events, after xcf_poll(), before stack_poll()
 *
 * Group: each stack is member <sysname><tcpname>. Whatever a stack knows of itself (HOME, DVIPAs) it sends to a new
 * peer whole, ends with SYNC, and from then on as changes. A peer is UP when its SYNC has arrived; this stack is IN SYNC
 * when every member that XCF lists is UP. Until then it owns nothing, so nothing is decided on half a picture.
 *
 * Messages go by xcf_send(): between two stacks in order, each once. What XCF has no buffer for waits in a queue, in
 * order; each carries incarnation and epoch of both ends (wire/plexmsg.h), and stale ones are counted and refused.
 *
 * Parts (dynamic XCF, DVIPAs, distributor, WLM) hang on by struct sysplex_part: a table of functions and a context. They
 * are called in the order of their registration. The stack's hooks (net/stack.h) belong to struct sysplex alone, which
 * passes them on. Touches net through its hooks, xcf, wire; no clock, no console: messages go by stack_message().
 */
#ifndef SYSPLEX_SYSPLEX_H
#define SYSPLEX_SYSPLEX_H

#include "base/arena.h"
#include "base/base.h"
#include "net/link.h"
#include "net/stack.h"
#include "net/tcp.h"
#include "wire/ipaddr.h"
#include "wire/plexmsg.h"

#define SYSPLEX_PEERS_MAX 64 /* other stacks of the sysplex: a set of them is a u64 */
#define SYSPLEX_PARTS_MAX 8
#define SYSPLEX_GROUP     "EZBTCPCS"

struct xcf;
struct sysplex;

struct sysplex_config {
    struct arena *arena;
    const char *sysname, *sysclone, *tcpname; /* copied */
    u64 incarnation;                          /* of this stack: greater at each start, never 0 */
    u32 dvipas;                               /* DVIPAs known in the sysplex */
    u32 dvipa_rows;                           /* over all members: about 3 a DVIPA */
    u32 ranges;                               /* VIPARANGE statements */
    u32 home_rows;                            /* addresses of all peers */
    u32 moved;                                /* connections that this stack forwards to former owners */
    u32 queue_bytes;                          /* messages that wait for a buffer */
    u16 iqd_device;                           /* first subchannel of a HiperSockets device, 0: none */
};
void sysplex_config_default(struct sysplex_config *c);
size_t sysplex_bytes(const struct sysplex_config *c);
/* NULL: the arena is too small. */
struct sysplex *sysplex_create(const struct sysplex_config *c, u64 now);
/* For env.drivers[DEV_MPCPTP] of the stack that will be attached. */
struct driver sysplex_driver(struct sysplex *sx);
void sysplex_attach(struct sysplex *sx, struct stack *stk, u64 now);
/* XCF is there. NULL: it is not any more (the system is out). */
void sysplex_xcf(struct sysplex *sx, struct xcf *x, u64 now);
u64 sysplex_poll(struct sysplex *sx, u64 now);
/* When sysplex_poll() wants to be called, as its latest call and what has come since say. Packets and most of what targets and routing
 * stacks tell each other of connections leave nothing for it, so it need not follow each of them. */
u64 sysplex_due(const struct sysplex *sx);
/* For parts: there is something to do for poll() at that time (0: at once). */
void sysplex_poll_by(struct sysplex *sx, u64 when);
/* P TCPIP: leaves the group; call before stack_stop(). */
void sysplex_stop(struct sysplex *sx, u64 now);

/* ---- the group ---- */

enum sysplex_state {
    SYSPLEX_OUT,     /* not a member: no XCF, NOJOIN, LEAVEGROUP */
    SYSPLEX_JOINED,  /* member; some peer's SYNC is missing */
    SYSPLEX_IN_SYNC, /* every peer is UP */
};
enum sysplex_state sysplex_state(const struct sysplex *sx);
/* V TCPIP,,SYSPLEX,LEAVEGROUP | JOINGROUP. -ERR_ALREADY; -ERR_NETDOWN no XCF; or what xcf_join() says. */
int sysplex_leavegroup(struct sysplex *sx, u64 now);
int sysplex_joingroup(struct sysplex *sx, u64 now);
/* GLOBALCONFIG SYSPLEXMONITOR NOJOIN: stays out until JOINGROUP. */
void sysplex_nojoin(struct sysplex *sx, bool nojoin);
struct stack *sysplex_stack(struct sysplex *sx);
const char *sysplex_sysname(const struct sysplex *sx);
const char *sysplex_tcpname(const struct sysplex *sx);

/* struct pkt's `from` of what a peer has sent. */
#define SX_FROM(peer) ((u8)((peer)->index + 1u))
struct sysplex_peer {
    u8 index; /* its bit in sets of peers */
    bool used, up, same_image;
    u32 token;                 /* XCF's */
    char name[17], system[9];  /* member, MVS image */
    char tcpname[9], sysclone[3];
    u64 incarnation;
    u32 epoch;                 /* which of its memberships */
    struct ipaddr dynxcf, mask; /* any: no DYNAMICXCF there */
    struct link *lnk;          /* dynamic XCF link to it; NULL none. Its ->up says whether packets flow */
    u16 iqd;                   /* the HiperSockets LAN that it is on, 0 none */
    bool by_iqd;               /* its host route leads over HiperSockets */
};
/* Iteration: p = NULL starts, NULL ends. up_only: those whose SYNC has arrived. */
struct sysplex_peer *sysplex_peer_next(struct sysplex *sx, const struct sysplex_peer *p, bool up_only);
struct sysplex_peer *sysplex_peer_at(struct sysplex *sx, u32 index); /* NULL: nobody */
struct sysplex_peer *sysplex_peer_by_dynxcf(struct sysplex *sx, struct ipaddr dynxcf);
/* Own dynamic XCF address, any if there is none. */
struct ipaddr sysplex_dynxcf(const struct sysplex *sx);
struct ipaddr sysplex_dynxcf_mask(const struct sysplex *sx);

/* Who would own addr next, in this order: up to max peers whose SYNC has arrived. */
u32 sysplex_heirs(struct sysplex *sx, struct ipaddr addr, struct sysplex_peer *heir[], u32 max);

/* Sends data (len at most PLEXMSG_DATA_MAX) to a peer, or to all (to NULL: each member that XCF lists, UP or not).
 * 0: sent or queued. -ERR_NETDOWN not a member; -ERR_NOBUFS the queue is full, counted: the caller marks what it wanted to
 * say as still to be said and tries again in poll(); -ERR_NOENT the peer is gone (all: there is none). */
int sysplex_send(struct sysplex *sx, const struct sysplex_peer *to, u8 kind, const void *data, u32 len, u64 now);
/* Sends an IP packet as it stands (no hop less, destination unchanged) to a peer: over HiperSockets or dynamic XCF, see forward.c.
 * Takes it; a drop is counted. in: as ip_input() has left it (p->data at the IP header). */
void sysplex_forward(struct sysplex *sx, struct sysplex_peer *to, struct pkt *p, u64 now);
/* The same for a packet that is routed, of which only data, len and flags are known, if nothing needs more to be known: true, and it
 * stands, marked, in the peer's batch, which the next link_flush_all() sends. false: nothing was done. */
bool sysplex_pass(struct sysplex *sx, struct sysplex_peer *to, struct pkt *p, u64 now);
/* Are there connections that live at a DVIPA's former owner, and that only the table of moved connections knows (moved.c)? */
bool sysplex_has_moved(const struct sysplex *sx);

/* ---- parts ---- */

/* How a DVIPA stands, for those who ask; see dvipa.h for the words. */
struct sysplex_dvipa {
    struct ipaddr addr, mask;
    bool active_here, home_here, moving_here;
    bool owned;                       /* somebody is ACTIVE (here or there) */
    bool distributed;                 /* who owns it says that he distributes it (DISTSTAT) */
    const struct sysplex_peer *owner; /* who, NULL: this stack (active_here) or nobody (owned false) */
    u32 epoch;                        /* of ownership: one more at each change of owner */
};
/* false: nobody in the sysplex has it. */
bool sysplex_dvipa(struct sysplex *sx, struct ipaddr addr, struct sysplex_dvipa *out);

enum sysplex_verdict { SYSPLEX_PASS, SYSPLEX_TAKEN }; /* of a packet: deliver it here; it was forwarded or dropped */

/* Any member may be NULL. */
struct sysplex_part_ops {
    const char *name;
    u8 kind_first, kind_last; /* messages of these kinds are this part's; 0, 0: none */
    bool says_due;            /* message() says itself, by sysplex_poll_by(), what is left to do; others are polled after each */
    void (*message)(void *ctx, struct sysplex_peer *from, u8 kind, const u8 *data, u32 len, u64 now);
    /* This stack is IN SYNC for the first time since it joined; it is a member no more: all peers are forgotten. */
    void (*in_sync)(void *ctx, u64 now);
    void (*left)(void *ctx, u64 now);
    /* A member appeared: say to it all that you have said to others; SYNC follows by itself. */
    void (*tell)(void *ctx, struct sysplex_peer *to, u64 now);
    void (*peer_up)(void *ctx, struct sysplex_peer *p, u64 now); /* its SYNC has arrived */
    /* It left, or it failed and has been isolated. p is valid until this returns. */
    void (*peer_down)(void *ctx, struct sysplex_peer *p, u64 now);
    u64 (*poll)(void *ctx, u64 now);
    /* A packet for a HOME_DYNAMIC address: does it belong to a connection that this part routes, or was it routed to this stack? Asked
     * before any packet(), of one part only; what it does not know for sure it leaves, quickly. */
    enum stack_way (*routed)(void *ctx, struct pkt *p, u64 now);
    /* A packet for a HOME_DYNAMIC address that nobody has taken. */
    enum sysplex_verdict (*packet)(void *ctx, struct pkt *p, u64 now);
    /* TCP of this stack: net/stack.h says when. */
    void (*conn_opened)(void *ctx, const struct tcp_key *key, struct tcb *conn, u64 now);
    void (*conn_closed)(void *ctx, const struct tcp_key *key, struct tcb *conn, u64 now);
    void (*half_open_ended)(void *ctx, const struct tcp_key *key, u32 peer_isn, u64 now);
    void (*listener)(void *ctx, struct ipaddr addr, u16 port, bool ready, u64 now);
    void (*home_changed)(void *ctx, u64 now);
    /* Ownership of a DVIPA, or what this stack is to it, has changed. */
    void (*dvipa_changed)(void *ctx, const struct sysplex_dvipa *d, u64 now);
    /* This stack is about to become the owner of dvipa: a peer says which connections to it live there. All lists arrive
     * before dvipa_changed() says active_here. true: noted, this part routes them; false: the next part is asked; the last
     * resort is the table of moved connections. */
    bool (*connection_there)(void *ctx, struct sysplex_peer *at, const struct tcp_key *key, u64 now);
    /* `to` will own addr, and this stack is about to say GRANT: whatever it sends to him now he has before. false: no room; asked again,
     * and nothing is granted before. */
    bool (*give)(void *ctx, struct ipaddr addr, struct sysplex_peer *to, u64 now);
    /* The peer says that it has ended. */
    void (*connection_ended)(void *ctx, struct sysplex_peer *at, const struct tcp_key *key, u64 now);
    /* stack_hooks.ephemeral: the first part that does not say -ERR_NOENT decides. */
    int (*ephemeral)(void *ctx, struct ipaddr addr, bool (*in_use)(void *ctx, u16 port), void *in_use_ctx, u16 *port, u64 now);
    /* Is addr distributed by this part (its connections live on several stacks)? Then giving it up moves no listener. */
    bool (*distributes)(void *ctx, struct ipaddr addr);
};
struct sysplex_part {
    const struct sysplex_part_ops *ops;
    void *ctx;
};
/* At start, before sysplex_attach(). CHECKs that there is room and that kinds do not overlap. */
void sysplex_part_add(struct sysplex *sx, const struct sysplex_part_ops *ops, void *ctx);

/* ---- targets of distribution: DVIPAs that are in HOME hidden (flag I) ---- */
/* on: addr is in HOME here although another stack owns it. 0, -ERR_NOMEM, -ERR_EXIST (an interface's address). */
int sysplex_target(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask, bool on, u64 now);
/* What DISTSTAT shows for it: bit 0 this stack distributes, bit 1 it is a target. Sent to the others with its row. */
void sysplex_diststat(struct sysplex *sx, struct ipaddr addr, u8 bits, u64 now);

/* ---- questions ---- */

enum sysplex_cluster { /* SO_CLUSTERCONNTYPE */
    SYSPLEX_NOCONN = 0,
    SYSPLEX_NONE = 1,
    SYSPLEX_SAME_CLUSTER = 2,
    SYSPLEX_SAME_IMAGE = 4,
    SYSPLEX_INTERNAL = 8,
};
/* For a connection to partner. */
u32 sysplex_cluster_type(struct sysplex *sx, struct ipaddr partner);

#define SYSPLEX_COUNTERS(C)                                                                                            \
    C(sent) C(queued) C(queue_full) C(received) C(drop_form) C(drop_stale) C(drop_stranger) C(drop_kind) C(drop_row)   \
        C(peers_full) C(rows_full) C(homes_full) C(moved_full) C(packets_out) C(packets_in) C(batches_out)             \
            C(batches_in) C(batches_early) C(drop_batch) C(drop_packet_form) C(drop_packet_no_link) C(forwarded) C(forwarded_iqd) \
                C(drop_forward_no_link) C(drop_claiming) C(drop_not_owner) C(claims) C(grants) C(denials) C(takeovers) C(takebacks)      \
                    C(given) C(asked_former) C(asked_owner) C(reset_past_time_wait) C(connections_listed) C(connections_kept) C(connections_broken)
struct sysplex_counters {
#define C(name) u32 name;
    SYSPLEX_COUNTERS(C)
#undef C
};
const struct sysplex_counters *sysplex_counters(const struct sysplex *sx);
/* Name and value of the i-th; NULL past the last. */
const char *sysplex_counter(const struct sysplex *sx, u32 i, u32 *value);

#endif
