/* arm_policy.c - values of an ARM policy, and the table of an element's states. See arm.h. */
#include "xcf/arm.h"

#include "base/str.h"

/* ---- states ---- */

#define SAME ARM_STATES
#define S(x) ARM_##x
static const u8 next_state[ARM_STATES][ARM_EVENTS] = {
    [S(NONE)] = {S(STARTING), SAME, SAME, SAME, SAME, SAME},
    [S(STARTING)] = {SAME, S(AVAILABLE), S(NONE), S(FAILED), SAME, S(AVAILABLE)},
    [S(AVAILABLE)] = {SAME, SAME, S(NONE), S(FAILED), SAME, SAME},
    [S(FAILED)] = {SAME, SAME, S(NONE), SAME, S(RESTARTING), SAME},
    [S(RESTARTING)] = {S(RECOVERING), SAME, S(NONE), SAME, SAME, S(FAILED)},
    [S(RECOVERING)] = {SAME, S(AVAILABLE), S(NONE), S(FAILED), SAME, S(AVAILABLE)},
};
#undef S

static const char *const state_names[ARM_STATES] = {"NONE", "STARTING", "AVAILABLE", "FAILED", "RESTARTING", "RECOVERING"};
static const char *const event_names[ARM_EVENTS] = {"REGISTER", "READY", "DEREGISTER", "FAIL", "WIN", "TIMEOUT"};

enum arm_state arm_next(enum arm_state s, enum arm_event e) {
    u8 next = next_state[s][e];
    return next == SAME ? s : (enum arm_state)next;
}
const char *arm_state_name(enum arm_state s) { return state_names[s]; }
const char *arm_event_name(enum arm_event e) { return event_names[e]; }

/* ---- policy ---- */

void arm_policy_default(struct arm_policy *p) {
    memset(p, 0, sizeof *p);
    p->groups = 1;
    str_copy(p->group[0].name, sizeof p->group[0].name, "DEFAULT");
    str_copy(p->group[0].target[0], sizeof p->group[0].target[0], "*");
    p->group[0].targets = 1;
}

static bool matches(const char *pattern, const char *name) {
    u32 n = (u32)strlen(pattern);
    if (n && pattern[n - 1] == '*') return strlen(name) >= n - 1 && memcmp(pattern, name, n - 1) == 0;
    return strcmp(pattern, name) == 0;
}

static const struct arm_policy_element built_in = {
    .all_terms = true, .attempts = 3, .attempts_s = 300, .restart_timeout_s = 300, .ready_timeout_s = 300};

const struct arm_policy_element *arm_policy_for(const struct arm_policy *p, const char *element) {
    const struct arm_policy_element *best = &built_in;
    size_t length = 0;
    /* The longest name that matches says most about the element. */
    for (u32 i = 0; i < p->elements; i++) {
        const struct arm_policy_element *e = &p->element[i];
        if (!matches(e->name, element) || (best != &built_in && strlen(e->name) <= length)) continue;
        best = e;
        length = strlen(e->name);
    }
    return best;
}

u32 arm_policy_level(const struct arm_policy *p, const char *element, const char *type) {
    static const struct {
        const char *type;
        u32 level;
    } types[] = {{"SYSLVL0", 0}, {"SYSLVL1", 1}, {"SYSTCPIP", 1}, {"SYSVTAM", 1}, {"SYSLVL2", 2}, {"SYSLVL3", 3}};
    for (u32 i = 0; i < p->orders; i++)
        if (!p->order[i].is_type && matches(p->order[i].name, element)) return p->order[i].level;
    for (u32 i = 0; i < p->orders; i++)
        if (p->order[i].is_type && matches(p->order[i].name, type)) return p->order[i].level;
    for (u32 i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(types[i].type, type) == 0) return types[i].level;
    return 2;
}
