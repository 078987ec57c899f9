/* cds.h - couple data in coupling facilities: the arbiter of xcf.h over xes.
 *
 * PCOUPLE and ACOUPLE name a facility each, until the operator says others (cds_pswitch, cds_acouple: cds_switch.c); both have the list structure IXCCDS_sysplex (wire/xcfcds.h) and are written alike.
 *
 *   write_status   own record into every copy that can be used, then all records are read from one. Answered OK when each of these
 *                  copies has taken it; REFUSED as soon as one refuses this system; LOST when no copy can be used
 *   isolate        ISOLATE in the primary first and in the alternate after it: of two systems that accuse each other the primary
 *                  lets one through. Who cannot reach the primary waits CDS_BEHIND_US before it goes to the alternate alone.
 *                  What ISOLATE names is the LPAR's incarnation, which connection and record of the system tell: it is looked
 *                  up anew each time. A system connects here before it signals, so a later IPL in the same emulator is seen
 *                  there, and not taken for the earlier one
 *   look           all records are read anew from each copy that can be used, before a system is isolated for its silence
 *   dropped        a system whose connection is gone from every copy that can be used
 *
 *   copy     connected   refused or error   link lost   no answer for CDS_TIMEOUT_US
 *   AWAY     -           -                  -           -                   its facility is not there; up() -> CONNECTING
 *   CONNECTING  READY    RETRY              AWAY        -
 *   RETRY    -           -                  AWAY        -                   CONNECTING after a second
 *   READY    -           RETRY              AWAY        READY, stuck: not counted until it answers
 *
 * A copy is read before the first record is written to it: it may hold a note that the couple data have moved (cds_former.c), or records
 * of systems that have moved on.
 *
 * Answers come from channel events and from cds_poll(), never from inside an operation.
 *
 *   c = cds_create(&config); xcf_create() with cds_arbiter_ops and c; cds_begin(c, xcf); then cflinks_open(); cds_poll(c, now)
 */
#ifndef XCF_CDS_H
#define XCF_CDS_H

#include "base/arena.h"
#include "base/base.h"
#include "xcf/xcf.h"

#define CDS_COPIES     2
#define CDS_TIMEOUT_US (3 * (u64)USEC_PER_SEC)
#define CDS_BEHIND_US  (2 * (u64)USEC_PER_SEC)
#define CDS_RETRY_US   ((u64)USEC_PER_SEC)

struct cds;
struct cflinks;

struct cds_config {
    struct arena *arena;
    struct cflinks *links;
    const struct couple *couple; /* pcouple, acouple, sysplex: copied */
    struct xcf_sysid id;
    /* Either may be NULL. A message for the operator that begins with its id; the facilities are others now, "" no alternate. */
    void (*say)(void *ctx, const char *line);
    void (*changed)(void *ctx, const char *primary, const char *alternate);
    void *ctx;
};
enum cds_copy_state { CDS_AWAY, CDS_CONNECTING, CDS_RETRY, CDS_READY, CDS_COPY_STATES };

struct cds_copy_info {
    const char *facility;
    enum cds_copy_state state;
    bool stuck;
};
struct cds_counters {
    u64 writes, reads, isolations, dropped_told, timeouts;
    u64 notes;        /* written where couple data were */
    u64 formers_full; /* facilities that had couple data and that no note is kept in: there are too many */
    u64 drop_record;  /* entries that are no record of this sysplex */
    u64 write_errors; /* response codes that should not be */
};

extern const struct xcf_arbiter_ops cds_arbiter_ops; /* context: struct cds */

/* NULL: the arena is too small. */
struct cds *cds_create(const struct cds_config *c);
size_t cds_bytes(void);
void cds_begin(struct cds *c, struct xcf *x);
u64 cds_poll(struct cds *c, u64 now);

/* Its first record has been taken: others can find it there, and signals may begin. */
bool cds_joined(const struct cds *c);
/* Nothing can be joined: what can be reached says that the couple data are in another facility, *primary. */
bool cds_elsewhere(const struct cds *c, const char **primary);
/* Begins anew with these facilities: the answer to IXC207A. Only before it has joined. */
void cds_respecify(struct cds *c, const char *primary, const char *alternate, u64 now);
/* SETXCF COUPLE,PSWITCH: the alternate becomes the primary, for all systems. 0; -ERR_NOENT there is none; -ERR_NETDOWN it can't be used. */
int cds_pswitch(struct cds *c, u64 now);
/* SETXCF COUPLE,ACOUPLE=: this facility has the alternate from now on. 0; -ERR_NOENT no link to it; -ERR_ALREADY it has couple data. */
int cds_acouple(struct cds *c, const char *facility, u64 now);
/* 0 primary, 1 alternate; false: there is none. */
bool cds_copy(const struct cds *c, u32 i, struct cds_copy_info *out);
const struct cds_counters *cds_counters(const struct cds *c);

#endif
