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
#define CDS_NOTE_BYTES    (CF_LIST_BYTES + XCFCDS_BYTES)
#define CDS_FORMERS       4u /* switches away from as many facilities are remembered by each system */

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
    bool vetted; /* read once before anything was written: it is in use, as far as anything there says */
    bool listed; /* its records were read once */
    bool writing, listing, querying, query_due, isolating;
    bool looking, list_due; /* the last look waits for its records; a read that begins now is wanted */
    bool drops_due; /* who is not connected any more is told when the records have been read after that */
    u32 queries, queries_done; /* questions who is connected: asked, answered */
    u64 asked_at, retry_at;
    u32 acked, sent; /* counters of records */
    struct xes *x;
    struct xes_connection con[2]; /* one may still be disconnecting while the other connects */
    u8 which;
    u32 vector;
    struct xes_request write, list, query, isolate, note;
    struct cds_isolation *isolation; /* that is asked for */
    u8 write_cmd[CF_LIST_BYTES + XCFCDS_BYTES], list_cmd[CF_LIST_BYTES], query_cmd[CF_CMD_BYTES + CF_NAME_BYTES];
    u8 isolate_cmd[CDS_ISOLATE_BYTES], note_cmd[CDS_NOTE_BYTES];
    bool noting;
};
struct cds_former { /* a facility that had couple data: cds_former.c */
    struct cds *c;
    char facility[9], connected_to[9];
    struct xes_connection con;
    u32 vector;
    bool writing;
    u32 noted, sent; /* generations of the note: that stands there, that is on its way */
    u64 retry_at;
    struct xes_request request;
    u8 cmd[CDS_NOTE_BYTES];
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
    struct cds_former former[CDS_FORMERS];
    u32 formers; /* in use */
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
/* CONNECT to the structure, as it is allocated by whoever is first. */
void cds_connect_command(const struct cds *c, u8 cmd[CF_CONNECT_BYTES], const char *name);

/* cds_former.c */
void cds_former_add(struct cds *c, const char *facility);
void cds_former_drop(struct cds *c, const char *facility);
u64 cds_formers_poll(struct cds *c, u64 now);
void cds_note_command(const struct cds *c, u8 cmd[CDS_NOTE_BYTES], const struct xes_connection *con);

/* cds_switch.c */
void cds_roles_set(struct cds *c, u32 generation, const char *primary, const char *alternate, u64 now);
/* What another system's record says of primary and alternate. */
void cds_roles_read(struct cds *c, const struct xcfcds *r, u64 now);

/* cds_isolate.c */
int cds_isolate(void *ctx, const struct xcf_sysid *victim);
void cds_isolations_run(struct cds *c, u64 now); /* asks for what is due, answers what is decided */
u64 cds_isolations_due(const struct cds *c);

#endif
