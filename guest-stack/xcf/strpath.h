/* strpath.h - XCF's signalling paths over list structures: PATHIN STRNAME(s), PATHOUT STRNAME(s).
 *
 * A structure joins all systems that connect to it. Connection i (1 to 32, named by its system) receives from list i: senders
 * WRITE transfers (pathbuf.h) at its tail, the receiver is told by its vector's bit and reads and deletes with READ_LIST. To XCF
 * each partner is a path of its own in each direction, all with the structure's name.
 *
 *   structure    use()       own list ready   quiesce()    populate()   all is read         the structure is lost
 *   AWAY         CONNECTING  -                -            REBUILDING   -                   -
 *   CONNECTING   -           READY            REBUILDING   -            -                   AWAY
 *   READY        -           -                REBUILDING   -            -                   AWAY
 *   REBUILDING   READY       -                -            -            rebuild_populated   AWAY, or goes on with the new one
 *
 * Where it is, and how it gets somewhere else, is xcf/rebuild.h: in the first facility of the CFRM policy's preference list that is up
 * and takes it, until the operator moves it (SETXCF START,REBUILD) or the facility is lost. At IPL the links come one by one: the
 * search for the structure waits until all have answered, and STRPATH_SETTLE_US at most.
 *
 * A structure that is moved loses no message and no path: nobody writes any more (QUIESCED), each makes its list in the new structure
 * ready and reads its list in the old one empty, then all go on in the new one. What waits in the buffers of a path goes there.
 * A structure that is lost takes along what was in it: its paths go down, and XCF sends that again, over other paths at once or
 * over the same ones as soon as the structure has been made anew. Who is gone from the sysplex is not waited for.
 *
 * A structure may be in two facilities (xcf/duplex.h): by SETXCF START,REBUILD,DUPLEX, or by the policy's DUPLEX(ENABLED), STRPATH_DUPLEX_US after it
 * could be, until a policy with DUPLEX(DISABLED) is started. Then the loss of either of them is a message to the operator and nothing else: no path fails, no segment is sent again.
 *
 * A system that lives and has lost its connection goes on by its other paths. If the SFM weights of all such systems are REBUILDPERCENT or more of the
 * weights of all users, the structure is moved (xcf/strpath_percent.c).
 *
 * A list is limited to STRPATH_LIST_MAX transfers: what a system that stands still does not take is not the others' loss. A sender
 * that meets a full list or structure tries again, later each time up to STRPATH_WAIT_MAX_US. The list of a connection that is gone
 * is emptied by the lowest of those that stay.
 *
 *   g = strpaths_create(...); strpaths_add(g, &couple_path, now) ...; strpaths_poll(g, now)
 */
#ifndef XCF_STRPATH_H
#define XCF_STRPATH_H

#include "base/arena.h"
#include "base/base.h"
#include "xcf/couple.h"
#include "xcf/xcf.h"

#define STRPATH_STRUCTURES_MAX 8
#define STRPATH_LIST_MAX       32
#define STRPATH_WAIT_US        (2 * (u64)USEC_PER_MSEC)
#define STRPATH_WAIT_MAX_US    (64 * (u64)USEC_PER_MSEC)
#define STRPATH_SETTLE_US      ((u64)USEC_PER_SEC)
#define STRPATH_PATIENCE_US    ((u64)USEC_PER_SEC) /* with those who used a structure that is lost */
#define STRPATH_DUPLEX_US      (10 * (u64)USEC_PER_SEC)
#define STRPATH_RETRY_US       ((u64)USEC_PER_SEC)
#define STRPATH_PERCENT_US     (2 * (u64)USEC_PER_SEC) /* with a partner that has lost it, and may come back by itself */

struct cflinks;
struct cfrm;
struct strpaths;

enum strpath_state { STRPATH_AWAY, STRPATH_CONNECTING, STRPATH_READY, STRPATH_REBUILDING, STRPATH_STATES };

struct strpaths_config {
    struct arena *arena; /* also for the buffers of partners, when they are first seen */
    struct cflinks *links;
    const struct cfrm *cfrm;     /* which facilities, in which order; a user of links before this one */
    void (*say)(void *ctx, const char *line); /* a message for the operator that begins with its id; NULL: nobody listens */
    void *ctx;
    struct xcf_sysid id;
    struct xcf *x;
};
struct strpath_counters {
    u64 transfers_in, transfers_out, bytes_in, bytes_out, blocks_in, reads;
    u64 waits_full;   /* a list or the structure was full */
    u64 moves;        /* to another facility, none lost */
    u64 simplexes;    /* pairs of which one was given up, none lost */
    u64 weighed;      /* rebuilds that this system has begun because of REBUILDPERCENT */
    u64 losses;       /* of a structure that was in use */
    u64 drop_unknown; /* transfers of a system that is not known as connected */
    u64 drop_rest;    /* bytes behind the last whole block of a transfer */
    u64 no_storage;   /* partners without buffers */
    u64 errors;       /* response codes that should not be */
};
struct strpath_info {
    const char *name, *facility; /* facility "" while there is none */
    enum strpath_state state;
    const char *phase;  /* of its rebuild; NULL while there is none */
    const char *second; /* facility of a pair's second; NULL while it is no pair */
    u32 partners;
};

struct strpaths *strpaths_create(const struct strpaths_config *c);
/* 0, -ERR_NOMEM. The two directions of a structure are two calls. It connects at once if its facility is up. */
int strpaths_add(struct strpaths *g, const struct couple_path *def, u64 now);
u64 strpaths_poll(struct strpaths *g, u64 now);
/* Is there something to do that no deadline says? */
bool strpaths_stirred(const struct strpaths *g);
/* SETXCF START and STOP,REBUILD: to the first facility of its preference that it is not in. 0; -ERR_NOTCONN no path uses a structure of
 * this name; -ERR_NOENT it is not allocated, or no rebuild is under way; -ERR_ALREADY; -ERR_NETDOWN no other facility; -ERR_BUSY too late. */
int strpaths_rebuild(struct strpaths *g, const char *name, bool start, u64 now);
/* SETXCF START and STOP,REBUILD,DUPLEX; keep_new: KEEP=NEW. As above; -ERR_ACCES the policy does not allow it. */
int strpaths_duplex(struct strpaths *g, const char *name, bool start, bool keep_new, u64 now);
bool strpaths_info(const struct strpaths *g, u32 i, struct strpath_info *out);
const struct strpath_counters *strpaths_counters(const struct strpaths *g);
const char *strpath_state_name(enum strpath_state s);

#endif
