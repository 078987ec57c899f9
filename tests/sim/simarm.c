/* simarm.c - elements on a simulated sysplex, and the checkers that watch who runs them. See simarm.h. */
#include "tests/sim/simarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct element { /* as a program of one system */
    bool runs, registered, ready;
};
struct system_arm {
    struct simarm *all;
    struct simxcf *s;
    u32 index;
    struct arm *arm;
    void *storage;
    struct element element[SIMARM_ELEMENTS];
};
struct simarm {
    struct simxcf_guest guest;
    struct system_arm sys[XCF_SYSTEMS_MAX];
    struct arm_policy policy;
    bool has_policy, workload;
    u32 starts;
};

static void name_of(u32 k, char out[ARM_NAME + 1]) { str_fmt(out, ARM_NAME + 1, "ELEMENT%u", k); }

/* A system whose programs can do something to the outside. */
static bool counts(const struct simarm *a, u32 i) {
    const struct system_arm *y = &a->sys[i];
    return y->arm && simxcf_up(y->s, i) && !simxcf_waiting(y->s, i) && !simxcf_isolated(y->s, i);
}

int simarm_runs_on(const struct simarm *a, u32 k) {
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++)
        if (counts(a, i) && a->sys[i].element[k].runs) return (int)i;
    return -1;
}

static void once(struct simarm *a, struct simxcf *s, u32 k) {
    u32 n = 0;
    for (u32 i = 0; i < simxcf_systems(s); i++) n += counts(a, i) && a->sys[i].element[k].runs;
    if (n > 1) simxcf_broken(s, "ARM: two systems run the same element");
}

/* ---- programs ---- */

static int program_register(struct system_arm *y, u32 k, u64 now) {
    char name[ARM_NAME + 1], text[32];
    name_of(k, name);
    str_fmt(text, sizeof text, "S PROG%u", k);
    const struct arm_registration r = {.element = name, .type = "SYSLVL2", .job = "PROG", .text = text};
    int rc = arm_register(y->arm, &r, now);
    if (rc >= 0) y->element[k].registered = true;
    return rc;
}

static void on_start(void *ctx, const char *element, const char *text, u64 now) {
    struct system_arm *y = ctx;
    u32 k = (u32)(element[strlen(element) - 1] - '0');
    UNUSED(now);
    UNUSED(text);
    y->all->starts++;
    if (y->element[k].runs) simxcf_broken(y->s, "ARM: an element is started where it runs");
    y->element[k] = (struct element){.runs = true};
    simxcf_note(y->s, k << 8 | y->index);
    once(y->all, y->s, k);
}

static void program_step(struct system_arm *y, u32 k, u64 now) {
    struct element *e = &y->element[k];
    char name[ARM_NAME + 1];
    name_of(k, name);
    if (!e->runs) {
        /* At home, as COMMNDxx would: only if ARM takes the registration does it go on. */
        if (k % simxcf_systems(y->s) == y->index && program_register(y, k, now) == 0) e->runs = true;
        once(y->all, y->s, k);
    } else if (!e->registered) {
        if (simxcf_draw(y->s, 3) == 0) program_register(y, k, now);
    } else if (!e->ready) {
        if (simxcf_draw(y->s, 3) == 0) e->ready = arm_ready(y->arm, name, now) == 0;
    } else if (simxcf_draw(y->s, 60) == 0) {
        *e = (struct element){.runs = false};
        arm_failed(y->arm, name, now); /* started again by the next poll */
    } else if (simxcf_draw(y->s, 120) == 0) {
        *e = (struct element){.runs = false};
        arm_deregister(y->arm, name, now);
    }
}

/* ---- the guest of simxcf ---- */

static void guest_start(void *ctx, struct simxcf *s, u32 i) {
    struct simarm *a = ctx;
    struct system_arm *y = &a->sys[i];
    struct arena arena;
    const struct arm_env env = {.ctx = y, .start = on_start};
    size_t bytes = arm_bytes(2 * SIMARM_ELEMENTS);
    if (!y->storage) y->storage = malloc(bytes);
    CHECK(y->storage != NULL);
    memset(y->storage, 0x5A, bytes);
    arena_init(&arena, y->storage, bytes);
    memset(y->element, 0, sizeof y->element);
    y->all = a;
    y->s = s;
    y->index = i;
    const struct arm_config c = {.arena = &arena, .x = simxcf_xcf(s, i), .env = &env, .elements = 2 * SIMARM_ELEMENTS};
    y->arm = arm_create(&c, simxcf_local(s, i));
    CHECK(y->arm != NULL);
    if (a->has_policy) arm_policy(y->arm, &a->policy, simxcf_local(s, i));
}

static u64 guest_poll(void *ctx, struct simxcf *s, u32 i, u64 now) {
    struct simarm *a = ctx;
    UNUSED(s);
    return arm_poll(a->sys[i].arm, now);
}

static void guest_work(void *ctx, struct simxcf *s, u32 i) {
    struct simarm *a = ctx;
    for (u32 k = 0; k < SIMARM_ELEMENTS && a->workload; k++) program_step(&a->sys[i], k, simxcf_local(s, i));
}

static bool view(const struct simarm *a, u32 i, u32 k, struct arm_info *out) {
    char name[ARM_NAME + 1];
    name_of(k, name);
    for (u32 n = 0; arm_element(a->sys[i].arm, n, out); n++)
        if (strcmp(out->element, name) == 0) return true;
    return false;
}

static bool guest_converged(void *ctx, struct simxcf *s, const char **why) {
    struct simarm *a = ctx;
    for (u32 k = 0; k < SIMARM_ELEMENTS; k++) {
        struct arm_info first, other;
        int on = simarm_runs_on(a, k);
        *why = "an element runs nowhere";
        /* Nobody works any more: the programs go on by themselves. */
        for (u32 i = 0; i < simxcf_systems(s); i++)
            if (simxcf_runs(s, i)) {
                struct element *e = &a->sys[i].element[k];
                if (!e->runs || !e->registered || !e->ready) program_step(&a->sys[i], k, simxcf_local(s, i));
            }
        if (on < 0) return false;
        *why = "an element is not available, or systems differ about it";
        if (!view(a, (u32)on, k, &first) || first.state != ARM_AVAILABLE || !first.local) return false;
        for (u32 i = 0; i < simxcf_systems(s); i++)
            if (!view(a, i, k, &other) || other.state != ARM_AVAILABLE || strcmp(other.system, first.system) != 0 ||
                other.generation != first.generation)
                return false;
    }
    return true;
}

static void guest_show(void *ctx, struct simxcf *s, u32 i) {
    struct simarm *a = ctx;
    struct arm_info e;
    UNUSED(s);
    for (u32 k = 0; arm_element(a->sys[i].arm, k, &e); k++)
        fprintf(stderr, "    %s %s on %s%s, life %u;", e.element, arm_state_name(e.state), e.system, e.local ? " (here)" : "", e.generation);
    const struct arm_counters *c = arm_counters(a->sys[i].arm);
    fprintf(stderr, "\n    claims %u grants %u denials %u withdrawn %u stale %u conflicts %u outbox %u runs", c->claims, c->grants, c->denials,
            c->withdrawn, c->drop_stale, c->conflicts, c->drop_outbox_full);
    for (u32 k = 0; k < SIMARM_ELEMENTS; k++)
        if (a->sys[i].element[k].runs) fprintf(stderr, " %u", k);
    fprintf(stderr, "\n");
}

/* ---- life ---- */

struct simarm *simarm_create(bool policy) {
    struct simarm *a = calloc(1, sizeof *a);
    CHECK(a != NULL);
    a->guest = (struct simxcf_guest){
        .ctx = a, .needs_arbiter = true, .start = guest_start, .poll = guest_poll, .work = guest_work, .converged = guest_converged, .show = guest_show};
    a->has_policy = policy;
    a->workload = true;
    arm_policy_default(&a->policy);
    a->policy.elements = 1;
    /* Any element may be restarted as often as the drill likes. */
    a->policy.element[0] = (struct arm_policy_element){
        .name = "ELEMENT*", .all_terms = true, .attempts = 16, .attempts_s = 1, .restart_timeout_s = 300, .ready_timeout_s = 300};
    return a;
}
void simarm_destroy(struct simarm *a) {
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++) free(a->sys[i].storage);
    free(a);
}
const struct simxcf_guest *simarm_guest(struct simarm *a) { return &a->guest; }
struct arm *simarm_arm(struct simarm *a, u32 i) { return a->sys[i].arm; }
void simarm_workload(struct simarm *a, bool on) { a->workload = on; }
u32 simarm_starts(const struct simarm *a) { return a->starts; }

struct simxcf_result simarm_random(u64 seed, u32 systems) {
    struct simarm *a = simarm_create(true);
    struct simxcf_result r = simxcf_random_with(seed, systems, &a->guest);
    r.restarts = a->starts;
    simarm_destroy(a);
    return r;
}
