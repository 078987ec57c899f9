/* arm.h - Automatic Restart Manager: elements that are started again, here or on another system, when their program or system dies.
 *
 * One struct arm is one system's part; it is a member of the XCF group IXCARM. The system on which an element runs owns it and tells
 * the others of each change. An element and its states:
 *
 *                 REGISTER     READY       DEREGISTER  FAIL       WIN          TIMEOUT
 *   (none)        STARTING     -           -           -          -            -
 *   STARTING      -            AVAILABLE   (none)      FAILED     -            AVAILABLE
 *   AVAILABLE     -            -           (none)      FAILED     -            -
 *   FAILED        -            -           (none)      -          RESTARTING   -
 *   RESTARTING    RECOVERING   -           (none)      -          -            FAILED
 *   RECOVERING    -            AVAILABLE   (none)      FAILED     -            AVAILABLE
 *
 * Who restarts it: TARGET_SYSTEM of its restart group gives the order of systems; for TARGET_SYSTEM(*) the order is drawn from the
 * names of group (element, in group DEFAULT) and system, so that elements spread. The first system of that order that lives claims
 * the element and starts it when every other member has granted the claim:
 *   - a member that does not know of the owner's death yet grants when it does;
 *   - one that owns the element in that life already, or claims it itself and has the lower system name, denies; one that claims it
 *     and has the higher name gives way and grants;
 *   - who leaves need not be asked; when a claimant dies the others begin again.
 * So of two systems that think themselves first (one has not heard of the other's arrival) only one starts the element, and XCF's
 * rule, isolation before death is told, makes sure that the old owner is really gone. Each restart raises the generation.
 *
 *   a = arm_create(&config, now)        joins IXCARM
 *   arm_policy(a, &policy, now)         NULL: restarts are disabled
 *   arm_register / _ready / _deregister / _failed / _wait_predecessor      for programs of this system
 *   next = arm_poll(a, now)             with xcf_poll()
 * Pure but for xcf and env.
 */
#ifndef XCF_ARM_H
#define XCF_ARM_H

#include "base/arena.h"
#include "xcf/xcf.h"

#define ARM_GROUP        "IXCARM"
#define ARM_NAME         16  /* of an element */
#define ARM_TEXT         126 /* of a start command, as long as the operator's */
#define ARM_GROUPS_MAX   16
#define ARM_TARGETS_MAX  8
#define ARM_ELEMENTS_MAX 64 /* named in a policy */
#define ARM_LEVELS_MAX   16

struct arm;

/* ---- policy ---- */

enum { ARM_ELEMTERM = 1, ARM_SYSTERM = 2 };
struct arm_policy_element {
    char name[ARM_NAME + 1]; /* a last '*' stands for any ending */
    u8 group;                /* of arm_policy.group */
    bool all_terms;          /* TERMTYPE(ALLTERM): a death of the system restarts it, too */
    u32 attempts, attempts_s, restart_timeout_s, ready_timeout_s;
    u8 text_for;              /* ARM_ELEMTERM, ARM_SYSTERM: for which the text below is used */
    char text[ARM_TEXT + 1];  /* RESTART_METHOD(..,STC,'text'); "": PERSIST, the command that started it */
};
struct arm_policy {
    char name[9];
    struct {
        char name[ARM_NAME + 1];
        char target[ARM_TARGETS_MAX][9]; /* "*": any */
        u32 targets, pacing_s;
    } group[ARM_GROUPS_MAX]; /* [0] is DEFAULT and always there */
    u32 groups;
    struct arm_policy_element element[ARM_ELEMENTS_MAX];
    u32 elements;
    struct {
        u32 level;
        bool is_type;
        char name[ARM_NAME + 1];
    } order[ARM_LEVELS_MAX];
    u32 orders;
};
/* No element, group DEFAULT with TARGET_SYSTEM(*). */
void arm_policy_default(struct arm_policy *p);
/* What holds for an element; the built-in one (DEFAULT, ALLTERM, 3 in 300 s, timeouts 300 s) if the policy does not name it. */
const struct arm_policy_element *arm_policy_for(const struct arm_policy *p, const char *element);
/* Its level in RESTART_ORDER; 2 if it has none, as OS/390 has it. */
u32 arm_policy_level(const struct arm_policy *p, const char *element, const char *type);

/* ---- elements ---- */

enum arm_state { ARM_NONE, ARM_STARTING, ARM_AVAILABLE, ARM_FAILED, ARM_RESTARTING, ARM_RECOVERING, ARM_STATES };
enum arm_event { ARM_E_REGISTER, ARM_E_READY, ARM_E_DEREGISTER, ARM_E_FAIL, ARM_E_WIN, ARM_E_TIMEOUT, ARM_EVENTS };
enum arm_state arm_next(enum arm_state s, enum arm_event e); /* the table; same = no change */
const char *arm_state_name(enum arm_state s);
const char *arm_event_name(enum arm_event e);

struct arm_env {
    void *ctx;
    void (*message)(void *ctx, const char *line); /* to the operator; begins with its id */
    /* Start the element: text is an operator's command. Called from arm_poll(). */
    void (*start)(void *ctx, const char *element, const char *text, u64 now);
    /* What arm_wait_predecessor() waited for is there. */
    void (*predecessors)(void *ctx, const char *element, u64 now);
};
struct arm_config {
    struct arena *arena;
    struct xcf *x;
    const struct arm_env *env; /* copied */
    u32 elements;              /* most elements of all systems */
};
/* NULL: the arena is too small, or IXCARM cannot be joined. */
struct arm *arm_create(const struct arm_config *config, u64 now);
size_t arm_bytes(u32 elements);
u64 arm_poll(struct arm *a, u64 now);
void arm_policy(struct arm *a, const struct arm_policy *p, u64 now); /* copied; NULL: stop */
const struct arm_policy *arm_policy_active(const struct arm *a);     /* NULL: none */

struct arm_registration {
    const char *element, *type, *job; /* up to 16, 8, 8 characters */
    const char *text;                 /* the command that started it */
    bool element_only;                /* TERMTYPE=ELEMTERM */
};
/* 0: new. ARM_RESTARTED: it is a restart of an element that died. -ERR_EXIST it lives elsewhere or here; -ERR_INVAL; -ERR_NOMEM;
 * -ERR_AGAIN the other systems' elements are not known yet, or one of them is going to restart it. */
enum { ARM_RESTARTED = 1 };
int arm_register(struct arm *a, const struct arm_registration *r, u64 now);
/* These: -ERR_NOENT if it is not an element of this system. */
int arm_ready(struct arm *a, const char *element, u64 now);
int arm_deregister(struct arm *a, const char *element, u64 now);
/* Its program ended without being asked to. */
int arm_failed(struct arm *a, const char *element, u64 now);
/* 0: all elements of lower level that are being restarted with it are AVAILABLE; -ERR_AGAIN: env->predecessors() will be called. */
int arm_wait_predecessor(struct arm *a, const char *element, u64 now);

struct arm_info {
    char element[ARM_NAME + 1], type[9], job[9], group[ARM_NAME + 1], system[9], initial[9];
    enum arm_state state;
    bool element_only, local;
    u32 generation, level; /* generation: restarts so far */
    u32 recent, attempts;  /* restarts within the interval, of how many allowed; this system's elements only */
    u64 started_at;        /* this system's clock: when this system first heard of it */
    char text[ARM_TEXT + 1];
};
/* By element name; false past the last. */
bool arm_element(const struct arm *a, u32 i, struct arm_info *out);

#define ARM_COUNTERS(C)                                                                                                              \
    C(registered) C(restarts) C(restarts_elsewhere) C(claims) C(grants) C(denials) C(withdrawn) C(given_up) C(timeouts)             \
        C(drop_form) C(drop_stale) C(drop_table_full) C(drop_outbox_full) C(conflicts)
struct arm_counters {
#define C(name) u32 name;
    ARM_COUNTERS(C)
#undef C
};
const struct arm_counters *arm_counters(const struct arm *a);

#endif
