/* rebuild.h - a structure that moves: user-managed rebuild into another coupling facility, when an operator asks for it, and when the
 * facility dies. One struct rebuild is this system's connection to one structure, wherever that is.
 *
 * There is no coordinator. Each connection's connect data say how far it is, every change of them is a notice to the others (CONNDATA),
 * and CONNECTIONS shows all of them at one moment. A phase ends when all connections of the OLD structure have ended it:
 *
 *   phase      this system                                             goes on when every connection to the old one is
 *   USE        uses it; somebody asks for a rebuild: quiesce()         -
 *   QUIESCED   rebuild_quiesced(): uses nothing                        at least QUIESCED: CONNECT to the new one
 *   JOINED     is connected to both; populate()                        at least JOINED
 *   COMPLETE   rebuild_populated(): the new one has all that is its    COMPLETE: use() of the new one, DISCONNECT from the old
 *   STOPPED    cannot reach the new one: use() of the old one          - ; who sees one that is STOPPED stops, too
 * Who is COMPLETE does not stop by itself, because the others may have gone on already; who is not COMPLETE knows that nobody has. Only
 * who came when it was under way does not know that: it stops nobody; it leaves, and comes again.
 * A connection that ends is no longer waited for. Of two attempts that are begun at the same time the one of the higher number counts, and who
 * has begun the other one goes over to it; nobody is counted in an attempt that is not his.
 *
 * The old structure is lost, with its facility or with the link to it: phases are then read from the new one, and count for all that
 * are connected there and for all that were last seen connected to the old one, until they come or rebuild_gone() says that they
 * will not. Nobody uses the new one before all of these have populated it. A system that alone has lost its link finds the others
 * where they are, as soon as it has one. While it waits on the new one alone, the others may make that the second of a pair: their COMPLETE
 * means both then, and it uses nothing before they keep the new one only.
 *
 *   connect data   0 1 phase | 1 1 role: 0 the structure, 1 one that is being made, or the second | 2 1 a pair
 *                  3 1 KEEP: 1 the other one cannot be reached | 4 4 attempt | 8 8 target facility, KEEP: the one that is kept
 *                  16 48 the user's: what it says of itself to the others, as in the CONNECT command it gave
 *
 * A pair (system-managed duplexing; the commands for it: xcf/duplex.h). Such a rebuild does not leave the old structure, and both are
 * used as one from then on. All must have quiesced, and what is in the two must be the same, which is the users' to see to; identifiers and
 * sizes are. Who connects later connects to both before it uses them.
 *
 *   phase      this system                                             goes on when
 *   DUPLEX     uses both: pair()                                       it loses one, the operator or the user gives one up, or sees
 *                                                                      that somebody KEEPs one: hold()
 *   KEEP       rebuild_quiesced(): has nothing outstanding, and will   nobody is DUPLEX or COMPLETE, or keeps the other one: use() of it,
 *              only use the one that it names                          DISCONNECT from the other
 * Two operators, or an operator and a link, may choose differently at the same time. Who can still reach both goes over to the one that another
 * one names who cannot; if all can reach both, all go to the first.
 * Nobody is answered what is in the kept one only before all have agreed to keep that one. So if a facility dies, or a link to it, nothing
 * that was answered is lost, and users are held for two rounds of CONNDATA. If two facilities, or a facility and another one's link, are lost
 * within that time, systems may have decided differently: then the structure is lost, as one that was in one facility only.
 *
 * Which facility: the first, in prefer()'s order, where the structure is in use; else where it is being made; else the first one
 * that takes it. prefer() must have the same order on all systems. Systems whose links came up in another order may make one each;
 * they see it a second later, and all go to the first.
 *
 * Calls: rebuild_create; rebuild_up and rebuild_down as links come and go (after xes has told its connections); rebuild_poll at
 * least once a second. The operations of the user's table may call rebuild_quiesced() and rebuild_populated() from within.
 */
#ifndef XCF_REBUILD_H
#define XCF_REBUILD_H

#include "base/arena.h"
#include "base/base.h"
#include "xcf/xes.h"

#define REBUILD_RETRY_US ((u64)USEC_PER_SEC)
#define REBUILD_CHECK_US (10 * (u64)USEC_PER_SEC) /* between looks for a second structure of the name */

struct rebuild;

enum rebuild_state {
    REBUILD_AWAY,       /* nowhere: no facility, or a search is under way */
    REBUILD_CONNECTING, /* to the structure as it is */
    REBUILD_IN_USE,
    REBUILD_QUIESCING,  /* the user has been asked to stop */
    REBUILD_QUIESCED,
    REBUILD_JOINING,    /* CONNECT to the new one is outstanding */
    REBUILD_JOINED,
    REBUILD_POPULATING, /* the user has been asked to write */
    REBUILD_COMPLETE,
    REBUILD_PAIRING,  /* CONNECT to the second one is outstanding, or not seen by all */
    REBUILD_DUPLEX,
    REBUILD_DROPPING, /* the user has been asked to hold */
    REBUILD_DROPPED,  /* waits for the others to agree */
    REBUILD_STATES,
};

struct rebuild_ops {
    void (*quiesce)(void *ctx, u64 now);
    void (*populate)(void *ctx, struct xes_connection *con, u64 now);
    /* The one to use from now on. lost: what this system had in the structure may not be there. */
    void (*use)(void *ctx, struct xes_connection *con, bool lost, u64 now);
    /* There is no structure now, old or new; use() or populate() comes when there is. It may be said again. */
    void (*unusable)(void *ctx, u64 now);
    /* The i-th facility in which the structure may be, NULL past the last. */
    struct xes *(*prefer)(void *ctx, u32 i);
    /* CONNECT was taken, and it is not one of a pair that others use; populate() or use() comes when it is known how far the others
     * are. NULL: of no interest. */
    void (*joined)(void *ctx, struct xes_connection *con, u64 now);
    /* CONNECTIONS of the structure in use, as they are now: after use() and after each change. rsp is CF_CONNECTIONS' response. NULL: of
     * no interest. */
    void (*connections)(void *ctx, const u8 *rsp, u32 len, u64 now);
    /* The facility does not take the structure: true if connect was changed and should be tried there once more. NULL: never. */
    bool (*refused)(void *ctx, u32 rc, u8 *connect);
    /* Both are one structure now; use() ends that. epoch: higher than that of every pair before. NULL: the structure is never duplexed. */
    void (*pair)(void *ctx, struct xes_connection *first, struct xes_connection *second, u32 epoch, u64 now);
    /* Nothing more is to be issued to either; then rebuild_quiesced(), also from within. */
    void (*hold)(void *ctx, u64 now);
    /* Notices of either connection, as in struct xes_connection_ops; NULL: of no interest. */
    void (*vector)(void *ctx, struct xes_connection *con, u32 index, bool value, u64 now);
    void (*lock)(void *ctx, struct xes_connection *con, u32 index, u8 exclusive, u32 shared, u32 waiting, u64 now);
};
struct rebuild_config {
    struct arena *arena;
    u8 connect[CF_CONNECT_BYTES]; /* CONNECT's operands: structure, connection, type, sizes; of the connect data the user's part */
    u32 vector_bits;
    const struct rebuild_ops *ops;
    void *ctx;
};
struct rebuild_counters {
    u64 started, completed, stopped, losses, refused;
    u64 paired, dropped; /* pairs that began, and of which one was given up */
    u64 drop_malformed; /* answers of no shape */
};

size_t rebuild_bytes(u32 vector_bits);
/* NULL: the arena is too small. */
struct rebuild *rebuild_create(const struct rebuild_config *c);
void rebuild_up(struct rebuild *r, u64 now);
void rebuild_down(struct rebuild *r, u64 now);
u64 rebuild_poll(struct rebuild *r, u64 now);

/* An operator's START: into facility target, or NULL: the first one that it is not in. 0; -ERR_NOENT nowhere connected; -ERR_ALREADY one
 * is under way; -ERR_NETDOWN there is no other facility. */
int rebuild_start(struct rebuild *r, const char *target, u64 now);
/* An operator's STOP. 0; -ERR_NOENT none is under way; -ERR_BUSY it is too late. */
int rebuild_stop(struct rebuild *r, u64 now);
/* An operator's START of duplexing, or the policy's: as rebuild_start(). */
int rebuild_duplex(struct rebuild *r, u64 now);
/* The pair ends, and one of it is kept, the second one if keep_new. 0; -ERR_NOENT there is none; -ERR_BUSY it is ending. */
int rebuild_simplex(struct rebuild *r, bool keep_new, u64 now);
void rebuild_quiesced(struct rebuild *r, u64 now);
void rebuild_populated(struct rebuild *r, u64 now);
/* connections() again, as soon as it has been asked. */
void rebuild_look(struct rebuild *r);
/* This system has left the sysplex: it is not waited for. */
void rebuild_gone(struct rebuild *r, const char *system, u64 now);

enum rebuild_state rebuild_state(const struct rebuild *r);
const char *rebuild_state_name(enum rebuild_state state);
/* Where the rebuild that is under way, or was last, is to lead. */
const char *rebuild_target(const struct rebuild *r);
/* The connection that was given to use(), or to pair() as the first; NULL while there is none. */
struct xes_connection *rebuild_connection(const struct rebuild *r);
/* pair()'s second; NULL while there is no pair. */
struct xes_connection *rebuild_second(const struct rebuild *r);
const struct rebuild_counters *rebuild_counters(const struct rebuild *r);

#endif
