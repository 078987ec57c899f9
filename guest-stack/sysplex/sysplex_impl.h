/* sysplex_impl.h - struct sysplex laid open for the files of this room.
 *
 *   sysplex.c  life, hooks of the stack, parts      group.c   XCF group: joining, peers, messages, queue
 *   homes.c    HOME lists of the peers              dynxcf.c  dynamic XCF links, packets over XCF
 *   dvipa*.c   dynamic VIPAs (dvipa_impl.h)         moved.c   connections that live at former owners
 *   monitor.c  GLOBALCONFIG SYSPLEXMONITOR            iqdio.c   HiperSockets links
 *   forward.c  packets to other stacks: which way     viparoute.c  VIPAROUTE, packets in GRE
 *
 * Owners, claimants and the like are kept as the index of a peer, SX_SELF or SX_NOBODY, so that nothing points at a peer
 * that is gone: sysplex_peer_down() clears every mention of it.
 */
#ifndef SYSPLEX_SYSPLEX_IMPL_H
#define SYSPLEX_SYSPLEX_IMPL_H

#include "base/list.h"
#include "base/str.h"
#include "net/hash.h"
#include "net/home.h"
#include "net/ip.h"
#include "sysplex/dvipa.h"
#include "sysplex/dynxcf.h"
#include "sysplex/monitor.h"
#include "sysplex/sysplex.h"
#include "sysplex/viparoute.h"
#include "xcf/xcf.h"

#define SX_SELF      0xFE
#define SX_NOBODY    0xFF
#define SX_ROUND_US  (20 * USEC_PER_MSEC)  /* what a connection that begins or ends may have touched is looked at that soon */
#define SX_SETTLE_US (250 * USEC_PER_MSEC) /* two stacks that join at once have heard of each other by then */

struct packet_batch;

struct peer {
    struct sysplex_peer pub; /* first member */
    bool tell_due;
    struct packet_batch *batch; /* packets on their way to it until the next flush; NULL none */
    struct list homes; /* struct home_row.of_peer */
    struct list dvipas; /* struct dvipa_row.of_peer */
    struct list moved; /* struct moved_row.of_peer */
};

struct home_row {
    struct hash_row hash; /* first member */
    struct list of_peer;
    struct ipaddr addr;
    u8 peer;
};

struct moved_row {
    struct hash_row hash; /* first member */
    struct list of_peer;
    struct tcp_key key;
    u8 peer;
};

struct send_queue { /* a ring of {token 4, kind 1, 3 zero, length 4, data} in the order of sysplex_send() */
    u8 *bytes;
    u32 size, head, used;
};

/* Packets on their way to one peer, as one message. */
struct packet_batch {
    struct list node; /* in dynxcf.open, oldest first, while it has a peer; else in dynxcf.idle */
    u8 *bytes;        /* [size] */
    u32 size, used;
    u32 passed, passed_bytes; /* by sysplex_pass(), not by link_output(): they are counted when they go */
    u8 peer;
};
/* A few may be whole messages; a system of 32 has a small one more for each other, for packets that come one by one for all of them. */
#define DYNXCF_LARGE   8
#define DYNXCF_SMALL   32
#define DYNXCF_BATCHES (DYNXCF_LARGE + DYNXCF_SMALL)
#define DYNXCF_SMALL_BYTES 4000u /* with the message's head one block */

struct dynxcf {
    bool on;
    struct ipaddr addr, mask;
    u8 metric;
    struct link *samehost; /* EZASAMEMVS, which holds the HOME entry; NULL while off */
    struct link *iqd;      /* IQDIOLNKxxxxxxxx, NULL: there is no HiperSockets device */
    u16 iqd_lan;           /* the LAN it is on, while it is up; told to the others */
    struct list open, idle;
    struct packet_batch batch[DYNXCF_BATCHES];
};

struct dvipa_range {
    struct list node;
    struct ipaddr addr, mask;
    u8 moveable;
};

struct dvipa_table {
    struct pool pool, rows, ranges_pool;
    struct hash_table hash;
    struct list all;    /* struct dvipa.node, in order of arrival */
    struct list due;    /* struct dvipa.due: to be evaluated, told or claimed in the next poll */
    struct list ranges; /* struct dvipa_range */
    struct dvipa *last_hit;
    u64 retry_at;       /* of refused claims */
    bool initial_told;  /* EZD1214I has been said for this membership */
    bool drop_unknown;  /* for comparison only: no fast connection reset */
};

struct sysplex {
    struct stack *stk; /* these four, of which each packet asks, stand where one displacement reaches them */
    struct xcf_member *member;
    struct viparoute_table vr;
    struct sysplex_counters count;
    struct sysplex_config conf;
    char sysname[9], sysclone[3], tcpname[9], member_name[17];
    struct xcf *xcf;
    enum sysplex_state state;
    bool nojoin, by_operator; /* stays out: GLOBALCONFIG NOJOIN, LEAVEGROUP */
    bool stopping;
    u64 due;                  /* sysplex_due() */
    u32 epoch;                /* of this membership */
    u64 joined_at;
    struct dynxcf dx;
    struct peer peer[SYSPLEX_PEERS_MAX];
    u32 peers_top; /* no peer[] from here on has been in use: what each turn looks through is short */
    struct sysplex_part part[SYSPLEX_PARTS_MAX];
    u32 parts;
    struct sysplex_part follower[SYSPLEX_PARTS_MAX]; /* those that hear of connections */
    u32 followers;
    const struct sysplex_part *router; /* the one with routed(); NULL none */
    u8 part_of_kind[PLEXMSG_KINDS]; /* index + 1 */
    struct send_queue queue;
    bool send_failed; /* some sysplex_send() since it was cleared did not find room */
    u8 *rx, *tx;      /* [PLEXMSG_DATA_MAX] each: a message as it arrives, one as it is put together */
    struct hash_key key;
    struct pool home_pool, moved_pool;
    struct hash_table homes, moved;
    bool homes_due; /* HOME has changed since it was told */
    struct dvipa_table dv;
    struct monitor mon;
};

#define SX_COUNT(sx, name) ((sx)->count.name++)

/* A peer as the other rooms see it, laid open. */
static inline struct peer *sx_peer_of(struct sysplex_peer *pub) { return (struct peer *)(void *)pub; }

static inline struct peer *sx_peer(struct sysplex *sx, u8 index) {
    return index < SYSPLEX_PEERS_MAX && sx->peer[index].pub.used ? &sx->peer[index] : NULL;
}
/* From another stack of the sysplex, over dynamic XCF or marked as routed: never sent on again by what does not distribute. */
static inline bool sx_from_peer(const struct pkt *p) {
    return p->in->type == LNK_MPCPTP || (p->flags & PKT_DISTRIBUTED);
}
static inline u64 sx_bit(u8 index) {
    return (u64)1 << index;
}
/* JOINGROUP, by the operator or by the monitor: whoever was a member before hears that its definitions are in force again. */
int sysplex_rejoin(struct sysplex *sx, u64 now);
/* The set of peers whose SYNC has arrived. */
u64 sysplex_up_set(const struct sysplex *sx);

/* group.c */
int group_join(struct sysplex *sx, u64 now);
void group_leave(struct sysplex *sx, u64 now);
u64 group_poll(struct sysplex *sx, u64 now);
/* Sends without the queue; for packets, which are lost rather than late. */
int group_send_now(struct sysplex *sx, const struct sysplex_peer *to, u8 kind, const void *data, u32 len, u64 now);

/* sysplex.c: parts and hooks */
void parts_in_sync(struct sysplex *sx, u64 now);
void parts_left(struct sysplex *sx, u64 now);
void parts_tell(struct sysplex *sx, struct sysplex_peer *p, u64 now);
void parts_peer_up(struct sysplex *sx, struct sysplex_peer *p, u64 now);
void parts_peer_down(struct sysplex *sx, struct sysplex_peer *p, u64 now);
void parts_dvipa_changed(struct sysplex *sx, const struct sysplex_dvipa *d, u64 now);
bool parts_connection_there(struct sysplex *sx, struct sysplex_peer *at, const struct tcp_key *key, u64 now);
void parts_connection_ended(struct sysplex *sx, struct sysplex_peer *at, const struct tcp_key *key, u64 now);
bool parts_distribute(struct sysplex *sx, struct ipaddr addr);
bool parts_give(struct sysplex *sx, struct ipaddr addr, struct sysplex_peer *to, u64 now);

/* homes.c */
extern const struct sysplex_part_ops homes_part;
bool homes_init(struct sysplex *sx, struct arena *a);
/* The peer that has addr in its HOME list, NULL. */
struct sysplex_peer *homes_find(struct sysplex *sx, struct ipaddr addr);

/* dynxcf.c */
extern const struct sysplex_part_ops dynxcf_part;
size_t dynxcf_bytes(void);
bool dynxcf_init(struct sysplex *sx, struct arena *a);
/* Takes the dynamic XCF address out of HOME: its links can be deleted. */
void dynxcf_stop(struct sysplex *sx, u64 now);
void dynxcf_peer_link(struct sysplex *sx, struct sysplex_peer *p, u64 now);
/* A packet into the batch of a peer: the one copy that is made of it before XCF cuts the message. -ERR_MSGSIZE, counted. */
int dynxcf_put(struct sysplex *sx, struct peer *to, const struct pkt *p, u64 now);
/* The batch of a peer, with room for so many bytes more. If all serve others the one that has waited longest goes early. */
struct packet_batch *dynxcf_batch(struct sysplex *sx, struct peer *to, u32 bytes, u64 now);

/* In the message of a batch, whose kind is PLEXMSG_DATA, a packet stands behind its length, its segments' length and its flags. */
#define PACKET_CSUM_OK     1
#define PACKET_DISTRIBUTED 2
static inline u32 packet_bytes(u32 bytes) { return PLEXMSG_PACKET_HEAD + ((bytes + 3) & ~3u); }
/* The head of a packet at the end of a batch that has room for packet_bytes(). Returns where the packet goes. */
static inline u8 *packet_head(struct packet_batch *b, const struct pkt *p, u32 bytes) {
    u8 *head = b->bytes + b->used;
    u32 room = packet_bytes(bytes);
    /* The sum is right, or the packet has never seen a wire: XCF has checked its own. */
    u32 flags = p->flags & (PKT_CSUM_NEEDED | PKT_L4_CSUM_OK) ? PACKET_CSUM_OK << 24 : 0;
    if (p->flags & PKT_DISTRIBUTED) flags |= PACKET_DISTRIBUTED << 24;
    be32_put(head, bytes << 16 | p->gso_bytes);
    be32_put(head + 4, flags);
    be32_put(head + room - 4, 0); /* what pads it; the packet goes over the rest */
    b->used += room;
    return head + PLEXMSG_PACKET_HEAD;
}

/* Tells the others of this stack's dynamic XCF address and HiperSockets LAN, by the user state. */
void dynxcf_tell(struct sysplex *sx, u64 now);
/* Adds or takes away the host route to a peer, over the link that is right for it at this moment. */
void dynxcf_route(struct sysplex *sx, struct sysplex_peer *p, bool add, u64 now);
struct plexmsg_ustate dynxcf_ustate(const struct sysplex *sx);

/* iqdio.c */
void iqdio_define(struct sysplex *sx, u64 now);
void iqdio_peer(struct sysplex *sx, struct sysplex_peer *p, u64 now); /* it is there, or its LAN has changed */
u64 iqdio_poll(void *ctx, u64 now);

/* dvipa.c */
extern const struct sysplex_part_ops dvipa_part;
bool dvipa_init(struct sysplex *sx, struct arena *a);
size_t dvipa_bytes(const struct sysplex_config *c);

/* moved.c */
size_t moved_bytes(const struct sysplex_config *c);
bool moved_init(struct sysplex *sx, struct arena *a);
/* Where the connection lives; NULL: not elsewhere. */
struct sysplex_peer *moved_find(struct sysplex *sx, const struct tcp_key *key);
void moved_add(struct sysplex *sx, struct sysplex_peer *at, const struct tcp_key *key);
void moved_del(struct sysplex *sx, const struct sysplex_peer *at, const struct tcp_key *key);
/* Forgets connections to dvipa: at one peer, or (NULL) at all. */
void moved_clear(struct sysplex *sx, struct ipaddr dvipa, const struct sysplex_peer *at);
void moved_peer_down(struct sysplex *sx, struct sysplex_peer *p);
/* A packet for a DVIPA: forwarded if its connection lives elsewhere. */
enum sysplex_verdict moved_packet(struct sysplex *sx, struct pkt *p, u64 now);

#endif
