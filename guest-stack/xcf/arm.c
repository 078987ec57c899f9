/* arm.c - Automatic Restart Manager: elements of this system, what their programs ask, timeouts and starts. See arm.h. */
#include "xcf/arm_impl.h"

/* ---- storage ---- */

size_t arm_bytes(u32 elements) { return sizeof(struct arm) + elements * sizeof(struct arm_element_row) + 64; }

struct arm *arm_create(const struct arm_config *c, u64 now) {
    struct arm *a = arena_take(c->arena, sizeof *a, 16);
    struct arm_element_row *row = arena_take(c->arena, c->elements * sizeof *row, 16);
    if (!a || !row || !c->elements) return NULL;
    memset(a, 0, sizeof *a);
    memset(row, 0, c->elements * sizeof *row);
    a->x = c->x;
    a->env = *c->env;
    a->row = row;
    a->rows_max = c->elements;
    a->look_at = now;
    arm_policy_default(&a->policy);
    /* One member a system: the name says whose it is. */
    struct xcf_join j = {.group = ARM_GROUP, .member = arm_self(a), .exits = &arm_exits, .ctx = a};
    if (xcf_join(c->x, &j, &a->member, now) != 0) return NULL;
    arm_peers_find(a);
    return a;
}

void arm_say(struct arm *a, const char *fmt, ...) {
    char line[ARM_LINE_MAX];
    va_list ap;
    if (!a->env.message) return;
    va_start(ap, fmt);
    str_vfmt(line, sizeof line, fmt, ap);
    va_end(ap);
    a->env.message(a->env.ctx, line);
}

void arm_not_restarted(struct arm *a, const struct arm_element_row *e, const char *why) {
    a->count.given_up++;
    arm_say(a, "IXC804I JOBNAME %s, ELEMENT %s WAS NOT RESTARTED. %s", e->job, e->name, why);
}

struct arm_element_row *arm_find(struct arm *a, const char *element) {
    for (u32 i = 0; i < a->rows; i++)
        if (a->row[i].used && strcmp(a->row[i].name, element) == 0) return &a->row[i];
    return NULL;
}

struct arm_element_row *arm_row_new(struct arm *a, const char *element, u64 now) {
    u32 i = 0;
    while (i < a->rows && a->row[i].used) i++;
    if (i == a->rows_max) {
        a->count.drop_table_full++;
        return NULL;
    }
    if (i == a->rows) a->rows++;
    a->row[i] = (struct arm_element_row){.used = true, .started_at = now, .due = TIME_NEVER};
    str_copy(a->row[i].name, sizeof a->row[i].name, element);
    return &a->row[i];
}

/* ---- states ---- */

static void predecessors_check(struct arm *a, u64 now) {
    for (u32 i = 0; i < a->rows; i++) {
        struct arm_element_row *e = &a->row[i];
        if (!e->used || !e->waits || arm_wait_predecessor(a, e->name, now) != 0) continue;
        e->waits = false;
        if (a->env.predecessors) a->env.predecessors(a->env.ctx, e->name, now);
    }
}

void arm_state_set(struct arm *a, struct arm_element_row *e, enum arm_event event, u64 now) {
    enum arm_state was = e->state, is = arm_next(was, event);
    const struct arm_policy_element *p = arm_policy_for(&a->policy, e->name);
    if (is == was) return;
    e->state = is;
    e->due = TIME_NEVER;
    if (is == ARM_RESTARTING) e->due = now + p->restart_timeout_s * (u64)USEC_PER_SEC;
    if (is == ARM_RECOVERING || is == ARM_STARTING) e->due = now + p->ready_timeout_s * (u64)USEC_PER_SEC;
    if (arm_owned(a, e)) arm_tell(a, e, is == ARM_NONE ? ARMMSG_END : ARMMSG_RECORD, XCF_TO_ALL);
    if (is == ARM_NONE) e->used = false;
    if (is == ARM_AVAILABLE || is == ARM_NONE || is == ARM_FAILED) predecessors_check(a, now);
}

void arm_restart_seen(struct arm_element_row *e, u64 now) { e->recent[e->restarts++ % ARM_RECENT] = now; }

/* Restarts within the interval of RESTART_ATTEMPTS. */
static u32 recent_restarts(const struct arm *a, const struct arm_element_row *e, u64 now) {
    u64 window = arm_policy_for(&a->policy, e->name)->attempts_s * (u64)USEC_PER_SEC;
    u32 n = 0;
    for (u32 i = 0; i < u32_min(e->restarts, ARM_RECENT); i++) n += now - e->recent[i] < window;
    return n;
}

void arm_restart(struct arm *a, struct arm_element_row *e, u32 generation, u8 cause, u64 now) {
    const struct arm_policy_element *p = arm_policy_for(&a->policy, e->name);
    e->claiming = false;
    e->owner = *xcf_self(a->x);
    if (recent_restarts(a, e, now) >= u32_min(p->attempts, ARM_RECENT)) {
        arm_not_restarted(a, e, "THE RESTART ATTEMPTS THRESHOLD HAS BEEN REACHED.");
        e->generation = generation;
        arm_state_set(a, e, ARM_E_DEREGISTER, now);
        return;
    }
    e->generation = generation;
    e->cause = cause;
    e->start_now = true; /* in arm_poll(): not from inside an exit */
    a->count.restarts++;
    arm_restart_seen(e, now);
    arm_state_set(a, e, ARM_E_WIN, now);
}

/* ---- what programs ask ---- */

static bool registration_good(const struct arm_registration *r) {
    return armmsg_name_good(r->element, ARM_NAME) && armmsg_name_good(r->job, 8) &&
           (!r->type[0] || armmsg_name_good(r->type, 8)) && r->text[0] && strlen(r->text) <= ARM_TEXT;
}

static void registration_take(struct arm_element_row *e, const struct arm_registration *r) {
    str_copy(e->type, sizeof e->type, r->type);
    str_copy(e->job, sizeof e->job, r->job);
    e->element_only = r->element_only;
}

int arm_register(struct arm *a, const struct arm_registration *r, u64 now) {
    if (!registration_good(r)) return -ERR_INVAL;
    struct arm_element_row *e = arm_find(a, r->element);
    if (e && e->state == ARM_RESTARTING && arm_owned(a, e)) {
        registration_take(e, r);
        arm_state_set(a, e, ARM_E_REGISTER, now);
        return ARM_RESTARTED;
    }
    if (e) return e->state == ARM_FAILED ? -ERR_AGAIN : -ERR_EXIST;
    if (!xcf_synced(a->x) || !arm_synced(a)) return -ERR_AGAIN;
    e = arm_row_new(a, r->element, now);
    if (!e) return -ERR_NOMEM;
    registration_take(e, r);
    str_copy(e->text, sizeof e->text, r->text);
    str_copy(e->initial, sizeof e->initial, arm_self(a));
    e->owner = *xcf_self(a->x);
    a->count.registered++;
    arm_state_set(a, e, ARM_E_REGISTER, now);
    return 0;
}

static struct arm_element_row *own(struct arm *a, const char *element) {
    struct arm_element_row *e = arm_find(a, element);
    return e && arm_owned(a, e) ? e : NULL;
}

int arm_ready(struct arm *a, const char *element, u64 now) {
    struct arm_element_row *e = own(a, element);
    if (!e) return -ERR_NOENT;
    arm_state_set(a, e, ARM_E_READY, now);
    return 0;
}

int arm_deregister(struct arm *a, const char *element, u64 now) {
    struct arm_element_row *e = own(a, element);
    if (!e) return -ERR_NOENT;
    arm_state_set(a, e, ARM_E_DEREGISTER, now);
    return 0;
}

int arm_failed(struct arm *a, const char *element, u64 now) {
    struct arm_element_row *e = own(a, element);
    if (!e || e->state == ARM_FAILED || e->state == ARM_RESTARTING) return -ERR_NOENT;
    arm_state_set(a, e, ARM_E_FAIL, now);
    if (!a->enabled) {
        arm_not_restarted(a, e, "RESTARTS ARE NOT ENABLED.");
        arm_state_set(a, e, ARM_E_DEREGISTER, now);
        return 0;
    }
    arm_restart(a, e, e->generation + 1, ARM_ELEMTERM, now);
    return 0;
}

int arm_wait_predecessor(struct arm *a, const char *element, u64 now) {
    struct arm_element_row *e = own(a, element);
    UNUSED(now);
    if (!e) return -ERR_NOENT;
    u32 level = arm_policy_level(&a->policy, e->name, e->type);
    u8 group = arm_policy_for(&a->policy, e->name)->group;
    for (u32 i = 0; i < a->rows; i++) {
        struct arm_element_row *o = &a->row[i];
        if (!o->used || o == e || !arm_owned(a, o) || o->generation == 0) continue;
        if (arm_policy_for(&a->policy, o->name)->group != group) continue;
        bool under_way = o->state == ARM_RESTARTING || o->state == ARM_RECOVERING;
        if (!under_way || arm_policy_level(&a->policy, o->name, o->type) >= level) continue;
        e->waits = true;
        return -ERR_AGAIN;
    }
    return 0;
}

void arm_policy(struct arm *a, const struct arm_policy *p, u64 now) {
    a->enabled = p != NULL;
    if (p)
        a->policy = *p;
    else
        arm_policy_default(&a->policy);
    a->look = true;
    UNUSED(now);
}
const struct arm_policy *arm_policy_active(const struct arm *a) { return a->enabled ? &a->policy : NULL; }

/* ---- time ---- */

static void start_element(struct arm *a, struct arm_element_row *e, u64 now) {
    const struct arm_policy_element *p = arm_policy_for(&a->policy, e->name);
    bool override = p->text[0] && p->text_for & e->cause;
    e->start_now = false;
    arm_say(a, "IXC812I JOBNAME %s, ELEMENT %s FAILED. THE ELEMENT WAS RESTARTED WITH %s START TEXT.", e->job, e->name,
            override ? "OVERRIDE" : "PERSISTENT");
    a->env.start(a->env.ctx, e->name, override ? p->text : e->text, now);
}

/* A predecessor of it that this system claims comes first. */
static bool held(const struct arm *a, const struct arm_element_row *e) {
    u8 group = arm_policy_for(&a->policy, e->name)->group;
    u32 level = arm_policy_level(&a->policy, e->name, e->type);
    for (u32 i = 0; i < a->rows; i++) {
        const struct arm_element_row *o = &a->row[i];
        if (o->used && o->claiming && arm_policy_for(&a->policy, o->name)->group == group &&
            arm_policy_level(&a->policy, o->name, o->type) < level)
            return true;
    }
    return false;
}

/* Those of a lower level first. A start may register, fail and start again; each turn takes the first that is left. */
static void start_all(struct arm *a, u64 now) {
    for (u32 turns = a->rows; turns; turns--) {
        struct arm_element_row *first = NULL;
        for (u32 i = 0; i < a->rows; i++) {
            struct arm_element_row *e = &a->row[i];
            if (!e->used || !e->start_now || held(a, e)) continue;
            if (!first || arm_policy_level(&a->policy, e->name, e->type) < arm_policy_level(&a->policy, first->name, first->type))
                first = e;
        }
        if (!first) return;
        start_element(a, first, now);
    }
}

static void timeouts(struct arm *a, u64 now) {
    for (u32 i = 0; i < a->rows; i++) {
        struct arm_element_row *e = &a->row[i];
        if (!e->used || e->due > now || !arm_owned(a, e)) continue;
        a->count.timeouts++;
        arm_state_set(a, e, ARM_E_TIMEOUT, now);
        if (e->state != ARM_FAILED) continue;
        arm_not_restarted(a, e, "IT DID NOT REGISTER WITHIN ITS RESTART TIMEOUT.");
        arm_state_set(a, e, ARM_E_DEREGISTER, now);
    }
}

/* Of an image without elements in a sysplex without any: asked at each turn of a busy system's loop. */
static bool nothing_there(const struct arm *a, u64 now) {
    return a->rows == 0 && a->out_count == 0 && !a->look && now < a->look_at;
}

u64 arm_poll(struct arm *a, u64 now) {
    u64 next = TIME_NEVER;
    if (xcf_stopped(a->x) || nothing_there(a, now)) return next;
    timeouts(a, now);
    if (a->look || now >= a->look_at) arm_look(a, now);
    start_all(a, now);
    arm_outbox_flush(a, now);
    for (u32 i = 0; i < a->rows; i++) {
        const struct arm_element_row *e = &a->row[i];
        if (!e->used) continue;
        if (arm_owned(a, e)) next = u64_min(next, e->due);
        if (e->start_now || e->state == ARM_FAILED || !arm_owned(a, e)) next = u64_min(next, a->look_at);
    }
    return next;
}

/* ---- queries ---- */

bool arm_element(const struct arm *a, u32 i, struct arm_info *out) {
    const struct arm_element_row *at = NULL;
    for (u32 n = 0; n <= i; n++) { /* the next name each time */
        const struct arm_element_row *next = NULL;
        for (u32 k = 0; k < a->rows; k++) {
            const struct arm_element_row *e = &a->row[k];
            if (!e->used || (at && strcmp(e->name, at->name) <= 0)) continue;
            if (!next || strcmp(e->name, next->name) < 0) next = e;
        }
        if (!next) return false;
        at = next;
    }
    const struct arm_policy_element *p = arm_policy_for(&a->policy, at->name);
    *out = (struct arm_info){.state = at->state, .element_only = at->element_only, .local = arm_owned(a, at)};
    str_copy(out->element, sizeof out->element, at->name);
    str_copy(out->type, sizeof out->type, at->type);
    str_copy(out->job, sizeof out->job, at->job);
    str_copy(out->group, sizeof out->group, a->policy.group[p->group].name);
    str_copy(out->system, sizeof out->system, at->owner.name);
    str_copy(out->initial, sizeof out->initial, at->initial);
    str_copy(out->text, sizeof out->text, at->text);
    out->generation = at->generation;
    out->level = arm_policy_level(&a->policy, at->name, at->type);
    out->recent = u32_min(at->restarts, ARM_RECENT);
    out->attempts = p->attempts;
    out->started_at = at->started_at;
    return true;
}

const struct arm_counters *arm_counters(const struct arm *a) { return &a->count; }
