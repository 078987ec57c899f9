/* cfrm.h - coupling facility resource management: the CFRM policy and what the facilities hold, as this system knows them.
 *
 * Policy. Which structures may be allocated, where and how large. Every facility that is told of it enforces it and keeps it for
 * all systems: it is the sysplex's, not this system's. So, when a facility comes up:
 *
 *   this system has    the facility has    then
 *   none               none                nothing
 *   none               one                 it is this system's, too (it was started before this system was loaded)
 *   one                none                the facility is given it (it was loaded anew)
 *   one                another             the facility's is this system's: somebody started it since
 * START and STOP by the operator go to all facilities that are up. The other systems ask each facility for the name of its policy now and
 * then (CFRM_CHECK_US, and with each inventory), and where it is another one than it was they take it over.
 *
 * Inventory. Facilities, structures, connections, asked for anew with each cfrm_inventory(): IDENTIFY, STRUCTURES until all are
 * listed, CONNECTIONS of each. A facility that goes away in between counts as answered, and is listed as not connected.
 *
 * Force. What nobody uses any more goes by the operator's word: a failed-persistent connection with what it holds, or a structure that
 * stays without connections. cfrm_force() looks at the last inventory, the facility decides.
 *
 * Calls: cfrm_create; cfrm_poll when it says; cfrm_up and cfrm_down as links to facilities come and go (they have the shape of struct cflink_user's);
 * the rest at any time. ready() comes from a response, never from inside cfrm_inventory().
 */
#ifndef XCF_CFRM_H
#define XCF_CFRM_H

#include "base/arena.h"
#include "base/base.h"
#include "xcf/xes.h"

#define CFRM_FACILITIES_MAX 8u
#define CFRM_ROWS_MAX       128u /* of a policy: its bytes must fit into one command */
#define CFRM_CHECK_US       (5 * (u64)USEC_PER_SEC)
#define CFRM_STRUCTURES_MAX 128u /* listed; the counter structures_left_out says if there were more */

struct cfrm;

/* May, or shall, a structure be in two facilities? */
enum cfrm_duplex { CFRM_DUPLEX_DISABLED, CFRM_DUPLEX_ALLOWED, CFRM_DUPLEX_ENABLED };

/* A structure of the policy. */
struct cfrm_row {
    char name[CF_NAME_BYTES + 1];
    u32 size_kb, init_kb; /* init_kb 0: SIZE */
    u32 rebuild_percent;
    enum cfrm_duplex duplex;
    u32 preferences;
    char preference[CF_PREFLIST_MAX][9];
};
struct cfrm_policy {
    char name[9]; /* "" none is active */
    u32 rows;
    struct cfrm_row row[CFRM_ROWS_MAX];
};

struct cfrm_facility {
    char name[9];
    bool up;
    struct xes *x;
    u64 incarnation;
    u32 level, total_kb, free_kb, structures;
    char policy[9]; /* that it enforces */
};
struct cfrm_connection {
    char name[CF_NAME_BYTES + 1], system[CF_NAME_BYTES + 1];
    u64 incarnation;
    u8 id;
    bool failed; /* failed-persistent */
};
struct cfrm_structure {
    char name[CF_NAME_BYTES + 1];
    u32 token;
    const struct cfrm_facility *facility;
    enum cf_type type;
    u32 kb, entries_used, entries, elements_used, elements;
    bool persistent;
    u32 connections;
    struct cfrm_connection connection[CF_CONNECTORS];
};
struct cfrm_counters {
    u64 inventories, structures_left_out, policies_sent, policies_learnt;
    u64 drop_malformed; /* responses of no shape */
    u64 refused;        /* policies that a facility did not take */
};
struct cfrm_events {
    void (*ready)(void *ctx, u64 now);  /* the inventory that was asked for is there */
    void (*policy)(void *ctx, u64 now); /* cfrm_policy() is another one now */
    /* The answer to cfrm_force(): connection is "" for a structure; rc of the facility, or XES_LOST. */
    void (*forced)(void *ctx, const char *structure, const char *connection, u32 rc, u64 now);
    void (*no_policy)(void *ctx, u64 now); /* a facility came up, and neither it nor this system has one */
};

size_t cfrm_bytes(void);
/* NULL: the arena is too small. events may be NULL. */
struct cfrm *cfrm_create(struct arena *a, const struct cfrm_events *events, void *ctx);
void cfrm_up(void *cfrm, struct xes *x, const char *facility, u64 now);
void cfrm_down(void *cfrm, struct xes *x, const char *facility, bool isolated, u64 now);

/* When it is to be called next. */
u64 cfrm_poll(struct cfrm *c, u64 now);

/* 0: ready() will come; -ERR_ALREADY one is under way, its ready() will come; -ERR_NETDOWN no facility is up. */
int cfrm_inventory(struct cfrm *c, u64 now);
/* The i-th of the last inventory, facilities in the order of their names; NULL past the last. Valid until the next one begins. */
const struct cfrm_facility *cfrm_facility(const struct cfrm *c, u32 i);
const struct cfrm_structure *cfrm_structure(const struct cfrm *c, u32 i);

/* Deletes a failed-persistent connection of the last inventory, or with "" a structure without active connections; of two of one name the
 * first that it is true of. 0: forced() comes; -ERR_NOENT no such structure or connection; -ERR_BUSY it is active; -ERR_ALREADY another one
 * is under way; -ERR_NETDOWN the facility is lost. */
int cfrm_force(struct cfrm *c, const char *structure, const char *connection, u64 now);

/* The active policy; its name is "" if there is none. */
const struct cfrm_policy *cfrm_policy(const struct cfrm *c);
const struct cfrm_row *cfrm_policy_row(const struct cfrm *c, const char *structure);
/* Makes it the sysplex's; name "": none is active any more. 0; -ERR_INVAL cfrm_policy_wrong(); -ERR_NETDOWN no facility is up. */
int cfrm_policy_start(struct cfrm *c, const struct cfrm_policy *policy, u64 now);
/* NULL, or what is wrong with it, in words for an operator. */
const char *cfrm_policy_wrong(const struct cfrm_policy *policy);
/* In which facility a structure should be: the i-th of its preference list that is up, so that all systems choose alike; without
 * a row in the policy the i-th facility by name. NULL past the last. */
struct xes *cfrm_prefer(const struct cfrm *c, const char *structure, u32 i);

const struct cfrm_counters *cfrm_counters(const struct cfrm *c);

#endif
