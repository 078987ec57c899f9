/* cds_impl.h - the inside of the couple data, shared by cds.c (copies, status, who is connected), cds_isolate.c and cds_switch.c (which
 * facilities have them). */
#ifndef XCF_CDS_IMPL_H
#define XCF_CDS_IMPL_H

#include "base/str.h"
#include "wire/xcfcds.h"
#include "xcf/cds.h"
#include "xcf/cflinks.h"
#include "xcf/xes.h"

#define CDS_ISOLATE_BYTES 40u

enum cds_step { STEP_NONE, STEP_DUE, STEP_LOOKING, STEP_ASKED, STEP_DONE, STEP_FAILED };

struct cds_system { /* what is known about a system of this name; "" free */
    struct xcfcds record;
    bool recorded;
    bool active[CDS_COPIES]; /* connected to this copy */
    bool seen;               /* was connected to any */
};
struct cds_isolation {
    struct xcf_sysid victim; /* "" free */
    u64 since;
    u8 step[CDS_COPIES];    /* enum cds_step */
    u32 fresh[CDS_COPIES];  /* number of the question whose answer is new enough; 0 not asked yet */
};
struct cds_copy {
    struct cds *c;
    u32 index;
    char facility[9];
    enum cds_copy_state state;
    bool stuck, known; /* known: who is connected has been asked and answered */
    bool listed; /* its records were read once */
    bool writing, listing, querying, query_due, isolating;
    bool looking, list_due; /* the last look waits for its records; a read that begins now is wanted */
    u32 queries, queries_done; /* questions who is connected: asked, answered */
    u64 asked_at, retry_at;
    u32 acked, sent; /* counters of records */
    struct xes *x;
    struct xes_connection con[2]; /* one may still be disconnecting while the other connects */
    u8 which;
    u32 vector;
    struct xes_request write, list, query, isolate;
    struct cds_isolation *isolation; /* that is asked for */
    u8 write_cmd[CF_LIST_BYTES + XCFCDS_BYTES], list_cmd[CF_LIST_BYTES], query_cmd[CF_CMD_BYTES + CF_NAME_BYTES];
    u8 isolate_cmd[CDS_ISOLATE_BYTES];
};
struct cds {
    struct xcf *x;
    struct cflinks *links;
    struct cflink_user user;
    struct xcf_sysid id;
    char sysplex[9], structure[17];
    struct xcfcds mine; /* the record as it was written last */
    bool told_lost, joined;
    bool look_read; /* a copy has answered the look that is under way */
    u8 primary; /* which copy; the other one is the alternate */
    void (*say)(void *ctx, const char *line);
    void (*changed)(void *ctx, const char *primary, const char *alternate);
    void *ctx;
    struct cds_copy copy[CDS_COPIES];
    struct cds_system system[XCF_SYSTEMS_MAX];
    struct cds_isolation isolation[XCF_SYSTEMS_MAX];
    bool isolating; /* one of them has a victim, perhaps */
    struct cds_counters count;
};

static inline struct xes_connection *cds_con(struct cds_copy *k) { return &k->con[k->which]; }
static inline bool cds_usable(const struct cds_copy *k) { return k->state == CDS_READY && !k->stuck; }

/* cds.c */
void cds_query(struct cds_copy *k); /* asks who is connected; if that is under way, again after it */
struct cds_system *cds_system_find(struct cds *c, const char *name);
/* This system is out, or no copy is left: tells XCF. */
void cds_refused(struct cds *c, u64 now);
void cds_judge(struct cds *c, u64 now);

void cds_copy_up(struct cds_copy *k, struct xes *x, u64 now);

/* cds_switch.c */
/* What another system's record says of primary and alternate. */
void cds_roles_read(struct cds *c, const struct xcfcds *r, u64 now);

/* cds_isolate.c */
int cds_isolate(void *ctx, const struct xcf_sysid *victim);
void cds_isolations_run(struct cds *c, u64 now); /* asks for what is due, answers what is decided */
u64 cds_isolations_due(const struct cds *c);

#endif
