/* vcrt.h - the connection routing table (VCRT): which stack has a connection that arrives at this one.
 *
 * A row says: segments from client,cport to dvipa,dport go to target. Rows are of two origins, and routing treats
 * them alike: connections that the distributor gave to a target, and connections that a stack kept when its
 * DVIPA moved to another (MOVING). A target is a small number, 0..VCRT_TARGETS-1, whose meaning is the caller's.
 *
 *   state   meaning                                            patience  what is due then
 *   SYN     the client's SYN went to the target                  8 s     the target is asked
 *   OPEN    the client has answered, or the target reported it  300 s    the target is asked
 *   FIN     the client sent FIN or RST                            8 s     the target is asked
 *   ENDED   the target said that it is over                       4 s     the row is freed
 *
 * Only the target's word ends a row (what a client sends could be forged, and half of the segments do not come
 * this way). ENDED lingers, so that a repeated FIN still finds the target's TIME_WAIT; a SYN in FIN or ENDED begins a new
 * life of the row, told from the old one by the client's initial sequence number.
 * The states and events are one table, vcrt_next().
 *
 * Cost: a look-up is one keyed hash and one chain of about one row, whatever the number of rows. Use only writes a
 * tick into the row; the queues by patience are put in order when they are looked at. A row takes at most
 * VCRT_ROW_MAX bytes. Nothing is allocated; a full table gives up its oldest ENDED row before it refuses.
 *
 * How to use it: vcrt_init(); vcrt_find() -> vcrt_segment(), or vcrt_add(); vcrt_report() when the target speaks;
 * vcrt_due() from a timer at least once a second. Pure: base, wire, net/hash.h.
 */
#ifndef SYSPLEX_VCRT_H
#define SYSPLEX_VCRT_H

#include "base/arena.h"
#include "base/base.h"
#include "base/list.h"
#include "net/hash.h"
#include "wire/ipaddr.h"
#include "wire/tcphdr.h"

#define VCRT_TARGETS 33
#define VCRT_LOST    32u /* a target like the others to this table; to its user: one that is gone */
#define VCRT_NOBODY  0xFF
#define VCRT_ROW_MAX 128
/* A tick is 2^20 us, so that time needs a shift and no division. */
#define VCRT_TICK_SHIFT 20

struct vcrt_key {
    struct ipaddr dvipa, client;
    u16 dport, cport; /* host order */
};

enum vcrt_state { VCRT_FREE, VCRT_SYN, VCRT_OPEN, VCRT_FIN, VCRT_ENDED, VCRT_STATES };
enum vcrt_event {
    VCRT_EV_SYN,    /* client: SYN without ACK */
    VCRT_EV_TEXT,   /* client: anything else */
    VCRT_EV_FIN,    /* client: FIN or RST */
    VCRT_EV_OPENED, /* target: I have it */
    VCRT_EV_CLOSED, /* target: I have it no more */
    VCRT_EVENTS,
};

enum vcrt_flags {
    VCRT_MOVED = 0x01,    /* kept by a stack that had the DVIPA before; not counted in the VDPT */
    VCRT_NEWCONN = 0x02,  /* opened by the target itself */
    VCRT_AFFINITY = 0x04, /* counted in an affinity row */
    VCRT_COPIED = 0x08,   /* the next owners have a copy of it */
    VCRT_LISTED = 0x10,   /* its target has told this routing stack of it */
    VCRT_BEFORE = 0x20,   /* of a copy: the present routing stack has not said it yet */
};

struct vcrt_row {
    struct hash_row hash; /* first member: a row is its entry */
    struct list fellows;  /* all rows of this target */
    struct list waiting;  /* all rows of this state, about in order of use */
    struct vcrt_key key;
    u32 used;             /* tick of the latest segment or report */
    u32 queued;           /* tick when it went to the back of its state's queue */
    u32 ack;              /* what the client acknowledged last: the sequence number of a RST it must believe */
    u32 isn;              /* the client's initial sequence number: which life of these ports; 0 not known */
    u16 port;             /* the caller's: index of the VDPT row that counts it, 0 none */
    u16 rule;             /* the caller's: policy rule that chose, 0 none */
    u8 state, target, flags;
    bool acked; /* ack is valid */
};
_Static_assert(sizeof(struct vcrt_row) <= VCRT_ROW_MAX, "a row of the VCRT fits 128 bytes");

struct vcrt {
    struct pool pool;
    struct hash_table table;
    struct hash_key key;
    struct list waiting[VCRT_STATES];
    struct list fellows[VCRT_TARGETS];
    u32 rows_of[VCRT_TARGETS];
    u32 full, evicted; /* vcrt_add() refused; ENDED rows given up early */
    /* Told before a row is freed, so that the caller's counts follow; may be NULL. */
    void (*freed)(void *ctx, struct vcrt_row *row);
    void *ctx;
};

size_t vcrt_bytes(u32 max_rows);
/* false: the arena is too small. key: random, so that nobody can aim at one chain. */
bool vcrt_init(struct vcrt *v, struct arena *a, u32 max_rows, const struct hash_key *key);

static inline u32 vcrt_tick(u64 now) { return (u32)(now >> VCRT_TICK_SHIFT); }
static inline u32 vcrt_hash(const struct vcrt *v, const struct vcrt_key *k) {
    /* The port that varies stands in the low half: multiplied, it reaches every bit that chooses the head. */
    return hash3(&v->key, k->client.v4, (u32)k->dport << 16 | k->cport, k->dvipa.v4);
}
static inline bool vcrt_key_eq(const struct vcrt_key *a, const struct vcrt_key *b) {
    return a->client.v4 == b->client.v4 && a->cport == b->cport && a->dport == b->dport && a->dvipa.v4 == b->dvipa.v4;
}

/* NULL: no such row. */
static inline struct vcrt_row *vcrt_find(const struct vcrt *v, const struct vcrt_key *k) {
    struct hash_row *r = *hash_head(&v->table, vcrt_hash(v, k));
    while (r && !vcrt_key_eq(&((struct vcrt_row *)(void *)r)->key, k)) r = r->next;
    return (struct vcrt_row *)(void *)r;
}
/* A new row in the state that FREE goes to on ev (SYN or OPENED). The key must not be in the table. NULL: full
 * (counted). */
struct vcrt_row *vcrt_add(struct vcrt *v, const struct vcrt_key *k, u32 target, enum vcrt_event ev, u64 now);
void vcrt_del(struct vcrt *v, struct vcrt_row *row);

/* The event a TCP header's flags make. */
static inline enum vcrt_event vcrt_event_of(u8 tcp_flags) {
    if (tcp_flags & (TCPF_FIN | TCPF_RST)) return VCRT_EV_FIN;
    /* SYN with ACK answers a connection that the target opened: to the row it is an answer like any other. */
    return (tcp_flags & (TCPF_SYN | TCPF_ACK)) == TCPF_SYN ? VCRT_EV_SYN : VCRT_EV_TEXT;
}
enum vcrt_state vcrt_next(enum vcrt_state s, enum vcrt_event e);
const char *vcrt_state_name(enum vcrt_state s);
const char *vcrt_event_name(enum vcrt_event e);
/* An event for a row. true: its state has changed. */
bool vcrt_step(struct vcrt *v, struct vcrt_row *row, enum vcrt_event ev, u64 now);
/* A segment of the client: state, use, what it acknowledged. A SYN that begins a new life also sets isn. As vcrt_step(). */
bool vcrt_segment(struct vcrt *v, struct vcrt_row *row, u8 tcp_flags, u32 seq, u32 ack, u64 now);
/* The same for nearly all segments of a connection, which leave the row's state as it is. false: not one of them, nothing was done. */
static inline bool vcrt_passed(struct vcrt_row *row, u8 tcp_flags, u32 ack, u64 now) {
    bool text = (tcp_flags & (TCPF_SYN | TCPF_FIN | TCPF_RST | TCPF_ACK)) == TCPF_ACK;
    if (row->state != VCRT_OPEN || !text || !row->acked) return false;
    row->used = vcrt_tick(now);
    if (seq_gt(ack, row->ack)) row->ack = ack;
    return true;
}
/* The row goes to another target. */
void vcrt_retarget(struct vcrt *v, struct vcrt_row *row, u32 target);

/* A row whose patience is over (one that was used meanwhile: before it has lasted twice), NULL if there is none.
 * ENDED ones must be freed by the caller, others he asks the target about; such a row then waits its patience
 * once more. Call until NULL or until enough for one round. */
struct vcrt_row *vcrt_due(struct vcrt *v, u64 now);
/* Rows of a target: row = NULL starts, NULL ends. The row returned may be freed before the next call only if the
 * caller has taken its successor first. */
struct vcrt_row *vcrt_of_target(const struct vcrt *v, u32 target, const struct vcrt_row *row);
/* All rows, for displays; order by target. */
struct vcrt_row *vcrt_walk(const struct vcrt *v, const struct vcrt_row *row);
static inline u32 vcrt_rows(const struct vcrt *v) {
    return v->table.rows;
}

#endif
