/* arm_impl.h - the inside of struct arm, shared by arm*.c.
 *
 *   arm.c         elements: what programs ask, timeouts, starts        arm_claim.c    members, messages, who restarts
 *   arm_policy.c  what a policy says, the table of states
 *
 * Invariants: an element whose owner is this system is told to the others at each change; claiming only while FAILED; an element that
 * is not FAILED has an owner that is not known to be gone, but for the moment until arm_poll() looks.
 */
#ifndef XCF_ARM_IMPL_H
#define XCF_ARM_IMPL_H

#include "base/str.h"
#include "wire/armmsg.h"
#include "xcf/arm.h"

#define ARM_OUTBOX       512 /* all elements to two new members at once */
#define ARM_RECENT       16 /* restarts remembered: RESTART_ATTEMPTS may ask for so many */
#define ARM_LINE_MAX     160
#define ARM_CLAIM_US     (5 * (u64)USEC_PER_SEC) /* a claim that nobody answers is made again */
#define ARM_LOOK_US      USEC_PER_SEC

struct arm_peer { /* a member of IXCARM on another system */
    u32 token;    /* 0: free */
    bool synced;  /* it has told of all its elements */
    struct xcf_sysid system;
};
struct arm_element_row {
    bool used, element_only, claiming, start_now, waits;
    bool hearsay; /* its owner has not told of it, another has */
    char name[ARM_NAME + 1], type[9], job[9], initial[9], text[ARM_TEXT + 1];
    struct xcf_sysid owner; /* FAILED: who had it */
    enum arm_state state;
    u32 generation;
    u64 started_at, due; /* due: RESTART_TIMEOUT, READY_TIMEOUT */
    u64 recent[ARM_RECENT];
    u32 restarts;    /* that this system knows of; recent[] is a ring */
    u32 asked;       /* peers whose grant the claim waits for */
    u64 claimed_at;
    u32 deferred;                    /* peers whose claim waits until the owner's death is known here */
    u32 deferred_generation;
    u8 cause; /* ARM_ELEMTERM, ARM_SYSTERM: of the restart that is to begin */
};
struct arm {
    struct xcf *x;
    struct arm_env env;
    struct xcf_member *member;
    struct arm_policy policy;
    bool enabled, look; /* look: somebody has gone, or the policy is new */
    u64 look_at;
    struct arm_element_row *row;
    u32 rows, rows_max; /* rows: those that were ever used, so that an image without elements pays nothing for its polls */
    struct arm_peer peer[XCF_SYSTEMS_MAX];
    struct {
        u32 to;
        u8 bytes[ARMMSG_BYTES];
    } outbox[ARM_OUTBOX];
    u32 out_first, out_count;
    struct arm_counters count;
};

static inline const char *arm_self(const struct arm *a) { return xcf_self(a->x)->name; }
static inline bool arm_owned(const struct arm *a, const struct arm_element_row *e) {
    return strcmp(e->owner.name, arm_self(a)) == 0 && e->owner.incarnation == xcf_self(a->x)->incarnation;
}

/* arm.c */
struct arm_element_row *arm_find(struct arm *a, const char *element);
struct arm_element_row *arm_row_new(struct arm *a, const char *element, u64 now);
void arm_state_set(struct arm *a, struct arm_element_row *e, enum arm_event event, u64 now);
/* This system restarts it from now on. */
void arm_restart(struct arm *a, struct arm_element_row *e, u32 generation, u8 cause, u64 now);
/* A restart that this system knows of. */
void arm_restart_seen(struct arm_element_row *e, u64 now);
void arm_say(struct arm *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arm_not_restarted(struct arm *a, const struct arm_element_row *e, const char *why);

/* arm_claim.c */
extern const struct xcf_exits arm_exits;
bool arm_synced(const struct arm *a); /* every peer has told of its elements */
void arm_peers_find(struct arm *a);
void arm_put(struct arm *a, u32 to, const struct armmsg *m);
void arm_tell(struct arm *a, const struct arm_element_row *e, u8 kind, u32 to); /* to: XCF_TO_ALL or a token */
void arm_look(struct arm *a, u64 now);
void arm_outbox_flush(struct arm *a, u64 now);

#endif
