/* strpath.h - XCF's signalling paths over list structures: PATHIN STRNAME(s), PATHOUT STRNAME(s).
 *
 * A structure joins all systems that connect to it. Connection i (1 to 32, named by its system) receives from list i: senders
 * WRITE transfers (pathbuf.h) at its tail, the receiver is told by its vector's bit and reads and deletes with READ_LIST. To XCF
 * each partner is a path of its own in each direction, all with the structure's name.
 *
 *   structure   facility up   connected   refused   link lost   a better facility
 *   AWAY        CONNECTING    -           -         -           -
 *   CONNECTING  -             READY       RETRY     AWAY        -
 *   RETRY       -             -           -         AWAY        -                  CONNECTING after a second
 *   READY       -             -           -         AWAY        disconnects, CONNECTING
 *
 * Where it is: in the first facility of its preference that is up and takes it. Preference without a policy is PCOUPLE's and
 * ACOUPLE's facility, every other structure the other way round, so that all systems choose alike; each system moves a structure
 * as its links come and go, and XCF sends again what was on the way.
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
#define STRPATH_RETRY_US       ((u64)USEC_PER_SEC)

struct cflinks;
struct strpaths;

enum strpath_state { STRPATH_AWAY, STRPATH_CONNECTING, STRPATH_RETRY, STRPATH_READY, STRPATH_STATES };

struct strpaths_config {
    struct arena *arena; /* also for the buffers of partners, when they are first seen */
    struct cflinks *links;
    const struct couple *couple; /* pcouple, acouple: copied */
    struct xcf_sysid id;
    struct xcf *x;
};
struct strpath_counters {
    u64 transfers_in, transfers_out, bytes_in, bytes_out, blocks_in, reads;
    u64 waits_full;   /* a list or the structure was full */
    u64 moves;        /* to another facility */
    u64 drop_unknown; /* transfers of a system that is not known as connected */
    u64 drop_rest;    /* bytes behind the last whole block of a transfer */
    u64 no_storage;   /* partners without buffers */
    u64 errors;       /* response codes that should not be */
};
struct strpath_info {
    const char *name, *facility; /* facility "" while there is none */
    enum strpath_state state;
    u32 partners;
};

struct strpaths *strpaths_create(const struct strpaths_config *c);
/* 0, -ERR_NOMEM. The two directions of a structure are two calls. It connects at once if its facility is up. */
int strpaths_add(struct strpaths *g, const struct couple_path *def, u64 now);
u64 strpaths_poll(struct strpaths *g, u64 now);
bool strpaths_info(const struct strpaths *g, u32 i, struct strpath_info *out);
const struct strpath_counters *strpaths_counters(const struct strpaths *g);
const char *strpath_state_name(enum strpath_state s);

#endif
