/* rebuild_impl.h - what rebuild.c and rebuild_board.c share. Private to them.
 *
 *   rebuild.c        states: what happens next
 *   rebuild_board.c  who is how far: connect data told and read, the search for the structure
 *   rebuild_duplex.c a structure that is in two facilities: how the pair begins, and how one of it is given up
 */
#ifndef XCF_REBUILD_IMPL_H
#define XCF_REBUILD_IMPL_H

#include "xcf/rebuild.h"

enum { PHASE_USE, PHASE_QUIESCED, PHASE_JOINED, PHASE_COMPLETE, PHASE_STOPPED, PHASE_DUPLEX, PHASE_KEEP };
enum { ROLE_STRUCTURE, ROLE_NEW };
#define DATA_BYTES 64u
#define OWN_BYTES  16u /* of them: this module's */

struct rebuild_row {
    char system[CF_NAME_BYTES + 1];
    u8 id, phase, role;
    bool duplex; /* that attempt is to end in a pair */
    bool forced; /* KEEP: the other one cannot be reached */
    u32 attempt;
    char target[9];
};
struct rebuild_board {
    u32 rows;
    struct rebuild_row row[CF_CONNECTORS];
};

/* Two systems that begin at the same time begin two attempts: the identifier of the connection that begins one is part of its number. */
#define ATTEMPT_STARTERS 64u

/* One of the two structures: the one that is used or was last, and the one that is being made. */
struct rebuild_side {
    struct rebuild *r;
    struct xes *x;
    struct xes_connection *con; /* in the arena: channel programs address it */
    struct xes_request set;
    u8 *set_cmd;
    bool setting, set_again;
    u32 entries, elements; /* that it was allocated with */
};

struct rebuild {
    const struct rebuild_ops *ops;
    void *ctx;
    u8 connect[CF_CONNECT_BYTES];
    enum rebuild_state state;
    u32 cur; /* which side is the structure; the other one is being made */
    struct rebuild_side side[2];
    u8 phase; /* PHASE_*, told to both sides */
    u32 attempt, over; /* the one that this system has been through, or has stopped, since it has connected; 0: none */
    char target[9], self[CF_NAME_BYTES + 1];
    bool late;   /* it connected when the attempt was under way: others may have gone on without it */
    bool duplex; /* the attempt is to end, or has ended, in a pair */
    bool paired; /* pair() was called, and use() not yet */
    u32 waited;  /* times, for the link to the second of a pair that others have */
    u32 keep;    /* DROPPING, DROPPED: the side that is left */
    bool recovering; /* this system had a connection that was lost */
    u32 expected;    /* systems that were connected to what was lost */
    char expect[CF_CONNECTORS][CF_NAME_BYTES + 1];
    struct rebuild_board old, now; /* the last view of the old structure; the present view */
    struct rebuild_board other;    /* of a pair: the present view of the new one */
    /* questions: CONNECTIONS, for the board or for the search */
    struct xes_request query;
    u8 *query_cmd;
    struct xes *query_x;
    u32 look_side; /* whose board is asked for */
    bool querying, query_again, searching;
    u32 search_at;             /* prefer()'s index */
    /* What the search has found: in use, in use and in no rebuild, being made; the first of each in prefer()'s order. */
    struct xes *in_use, *settled, *being_made;
    bool first_found;          /* the first of a pair that others use */
    bool second_found;         /* the second of a pair that others use */
    u32 attempt_at;            /* prefer()'s index of the facility to try when it finds nothing */
    u64 retry_at;
    struct rebuild_counters count;
};

/* In two facilities, or on the way into the second or out of one: both boards count. */
static inline bool rebuild_is_pair(const struct rebuild *r) { return r->state >= REBUILD_PAIRING; }
static inline struct rebuild_side *rebuild_old(struct rebuild *r) { return &r->side[r->cur]; }
static inline struct rebuild_side *rebuild_new(struct rebuild *r) { return &r->side[!r->cur]; }

/* ---- rebuild_board.c ---- */
/* Tells phase, attempt and target to each side that is connected. */
void rebuild_publish(struct rebuild *r);
void rebuild_data_put(const struct rebuild *r, u8 role, u8 *data);
/* rebuild_look() (rebuild.h) asks for the board: the old structure's, or the new one's if the old one is lost. rebuild_seen() follows. */
/* Asks each facility for the structure. rebuild_found() follows, unless a link goes: then the next poll searches again. */
void rebuild_search(struct rebuild *r, u64 now);
struct xes *rebuild_facility(const struct rebuild *r, const char *name);

/* ---- rebuild.c ---- */
void rebuild_seen(struct rebuild *r, u64 now);
void rebuild_found(struct rebuild *r, u64 now);
void rebuild_leave(struct rebuild_side *s);
bool rebuild_join(struct rebuild *r, struct rebuild_side *s, struct xes *x, u8 role);
/* Nowhere; the next poll searches. */
void rebuild_away(struct rebuild *r);
void rebuild_in_use(struct rebuild *r, bool lost, u64 now);

/* ---- rebuild_duplex.c ---- */
/* All are COMPLETE, in an attempt that is to end in a pair. */
void rebuild_pair(struct rebuild *r, u64 now);
/* This system has connected to the first of a pair. */
void rebuild_pair_join(struct rebuild *r, const struct rebuild_row *member, u64 now);
void rebuild_pair_connected(struct rebuild *r, u32 rc, u64 now);
/* Both boards have been read. */
void rebuild_pair_seen(struct rebuild *r, u64 now);
void rebuild_pair_lost(struct rebuild *r, bool old, u64 now);
/* Only one of the two is to be used from now on. */
void rebuild_drop(struct rebuild *r, u32 keep, u64 now);
/* Are they as large, and is this system's identifier the same? */
bool rebuild_alike(struct rebuild *r);

#endif
