/* armpol.c - reads an ARM policy into a struct arm_policy. See armpol.h. */
#include "super/armpol.h"

#include "base/str.h"

enum section { IN_NOTHING, IN_DATA, IN_DEFINE, IN_ORDER, IN_GROUP, IN_ELEMENT };

struct reader {
    struct keyread k;
    struct arm_policy *p;
    enum section section;
    u32 group, level;
    bool has_level;
    struct arm_policy_element *element;
};

static bool fail(struct reader *r, const char *token, const char *expected) {
    return keyread_fail(&r->k, r->k.keyword_line, token, expected);
}
static bool is(const struct reader *r, const char *keyword) { return keyread_is(&r->k, keyword); }

/* ---- RESTART_ORDER ---- */

static bool order_names(struct reader *r, bool type) {
    if (!r->has_level) return fail(r, r->k.keyword, "LEVEL(N)");
    for (u32 i = 0; i < r->k.values; i++) {
        if (r->p->orders == ARM_LEVELS_MAX) return fail(r, r->k.value[i], "AT MOST 16 NAMES AND TYPES");
        r->p->order[r->p->orders].level = r->level;
        r->p->order[r->p->orders].is_type = type;
        if (!keyread_name(&r->k, r->k.value[i], r->p->order[r->p->orders++].name, type ? 8 : ARM_NAME)) return false;
    }
    return true;
}

/* ---- RESTART_GROUP ---- */

static bool group_begin(struct reader *r) {
    struct arm_policy *p = r->p;
    if (!p->name[0]) return fail(r, r->k.keyword, "DEFINE POLICY NAME(NAME)");
    if (!keyread_one(&r->k)) return false;
    r->section = IN_GROUP;
    for (r->group = 0; r->group < p->groups; r->group++)
        if (strcmp(p->group[r->group].name, r->k.value[0]) == 0) return true;
    if (p->groups == ARM_GROUPS_MAX) return fail(r, r->k.value[0], "AT MOST 15 RESTART GROUPS");
    p->groups++;
    /* What says nothing else goes anywhere. */
    str_copy(p->group[r->group].target[0], sizeof p->group[r->group].target[0], "*");
    p->group[r->group].targets = 1;
    return keyread_name(&r->k, r->k.value[0], p->group[r->group].name, ARM_NAME);
}

static bool group_targets(struct reader *r) {
    if (r->k.values > ARM_TARGETS_MAX) return fail(r, r->k.keyword, "AT MOST 8 SYSTEMS");
    for (u32 i = 0; i < r->k.values; i++)
        if (!keyread_name(&r->k, r->k.value[i], r->p->group[r->group].target[i], 8)) return false;
    r->p->group[r->group].targets = r->k.values;
    return true;
}

static bool element_begin(struct reader *r) {
    struct arm_policy *p = r->p;
    if (r->section < IN_GROUP) return fail(r, r->k.keyword, "RESTART_GROUP(NAME)");
    if (!keyread_one(&r->k)) return false;
    for (u32 i = 0; i < p->elements; i++)
        if (strcmp(p->element[i].name, r->k.value[0]) == 0) return fail(r, r->k.value[0], "EACH ELEMENT ONCE");
    if (p->elements == ARM_ELEMENTS_MAX) return fail(r, r->k.value[0], "AT MOST 64 ELEMENTS");
    r->section = IN_ELEMENT;
    r->element = &p->element[p->elements++];
    *r->element = (struct arm_policy_element){.group = (u8)r->group, .all_terms = true, .attempts = 3, .attempts_s = 300,
                                              .restart_timeout_s = 300, .ready_timeout_s = 300};
    return keyread_name(&r->k, r->k.value[0], r->element->name, ARM_NAME);
}

static bool group_parameter(struct reader *r) {
    u32 n;
    if (is(r, "TARGET_SYSTEM")) return group_targets(r);
    if (is(r, "RESTART_PACING")) {
        if (!keyread_range(&r->k, 0, 86400, "A NUMBER FROM 0 TO 86400", &n)) return false;
        r->p->group[r->group].pacing_s = n;
        return true;
    }
    return is(r, "FREE_CSA") || fail(r, r->k.keyword, "TARGET_SYSTEM, RESTART_PACING OR ELEMENT");
}

/* ---- ELEMENT ---- */

static bool attempts(struct reader *r) {
    struct arm_policy_element *e = r->element;
    if (r->k.values > 2) return fail(r, r->k.keyword, "A NUMBER AND SECONDS");
    if (!str_u32(r->k.value[0], strlen(r->k.value[0]), &e->attempts) || e->attempts > 16)
        return fail(r, r->k.value[0], "A NUMBER FROM 0 TO 16");
    if (r->k.values == 1) return true;
    bool good = str_u32(r->k.value[1], strlen(r->k.value[1]), &e->attempts_s) && e->attempts_s >= 1 && e->attempts_s <= 86400;
    return good || fail(r, r->k.value[1], "A NUMBER FROM 1 TO 86400");
}

static bool method(struct reader *r) {
    static const struct {
        const char *name;
        u8 bits;
    } events[] = {{"ELEMTERM", ARM_ELEMTERM}, {"SYSTERM", ARM_SYSTERM}, {"BOTH", ARM_ELEMTERM | ARM_SYSTERM}};
    u8 bits = 0;
    for (u32 i = 0; i < ARRAY_LEN(events); i++)
        if (strcmp(r->k.value[0], events[i].name) == 0) bits = events[i].bits;
    if (!bits || r->k.values < 2) return fail(r, r->k.value[0], "ELEMTERM, SYSTERM OR BOTH, AND HOW");
    if (strcmp(r->k.value[1], "PERSIST") == 0 && r->k.values == 2) return true;
    if (strcmp(r->k.value[1], "STC") != 0 || r->k.values != 3 || !r->k.quoted[0])
        return fail(r, r->k.value[1], "PERSIST OR STC,'COMMAND'");
    r->element->text_for = bits;
    str_copy(r->element->text, sizeof r->element->text, r->k.quoted);
    return true;
}

static bool element_parameter(struct reader *r) {
    struct arm_policy_element *e = r->element;
    if (is(r, "RESTART_ATTEMPTS")) return attempts(r);
    if (is(r, "RESTART_TIMEOUT")) return keyread_range(&r->k, 1, 86400, "A NUMBER FROM 1 TO 86400", &e->restart_timeout_s);
    if (is(r, "READY_TIMEOUT")) return keyread_range(&r->k, 1, 86400, "A NUMBER FROM 1 TO 86400", &e->ready_timeout_s);
    if (is(r, "RESTART_METHOD")) return method(r);
    if (!is(r, "TERMTYPE")) return fail(r, r->k.keyword, "AN OPTION OF ELEMENT");
    if (!keyread_one(&r->k)) return false;
    e->all_terms = strcmp(r->k.value[0], "ALLTERM") == 0;
    return e->all_terms || strcmp(r->k.value[0], "ELEMTERM") == 0 || fail(r, r->k.value[0], "ALLTERM OR ELEMTERM");
}

/* ---- sections ---- */

static bool word(struct reader *r) {
    if (is(r, "DATA") && !r->p->name[0])
        r->section = IN_DATA;
    else if (is(r, "DEFINE") && !r->p->name[0])
        r->section = IN_DEFINE;
    else if (is(r, "RESTART_ORDER") && r->p->name[0])
        r->section = IN_ORDER;
    else if (!(is(r, "POLICY") && r->section == IN_DEFINE))
        return fail(r, r->k.keyword, r->p->name[0] ? "RESTART_ORDER OR RESTART_GROUP" : "DEFINE POLICY NAME(NAME)");
    return true;
}

static bool define_parameter(struct reader *r) {
    if (is(r, "NAME")) return keyread_one(&r->k) && keyread_name(&r->k, r->k.value[0], r->p->name, 8);
    return is(r, "REPLACE") || fail(r, r->k.keyword, "NAME OR REPLACE");
}

static bool order_parameter(struct reader *r) {
    if (is(r, "ELEMENT_NAME")) return order_names(r, false);
    if (is(r, "ELEMENT_TYPE")) return order_names(r, true);
    r->has_level = is(r, "LEVEL");
    if (!r->has_level) return fail(r, r->k.keyword, "LEVEL, ELEMENT_NAME OR ELEMENT_TYPE");
    return keyread_range(&r->k, 0, 65535, "A NUMBER FROM 0 TO 65535", &r->level);
}

static bool parameter(struct reader *r) {
    if (is(r, "RESTART_GROUP")) return group_begin(r);
    if (is(r, "ELEMENT")) return element_begin(r);
    switch (r->section) {
    case IN_DATA:
        return (is(r, "TYPE") && strcmp(r->k.value[0], "ARM") == 0 && r->k.values == 1) || fail(r, r->k.keyword, "TYPE(ARM)");
    case IN_DEFINE: return define_parameter(r);
    case IN_ORDER: return order_parameter(r);
    case IN_GROUP: return group_parameter(r);
    case IN_ELEMENT: return element_parameter(r);
    case IN_NOTHING: break;
    }
    return fail(r, r->k.keyword, "DATA OR DEFINE");
}

bool armpol_parse(const char *text, struct arm_policy *out, struct keyread_error *err) {
    struct reader r = {.p = out};
    arm_policy_default(out);
    keyread_init(&r.k, text, err);
    for (;;) {
        switch (keyread_next(&r.k)) {
        case KEY_ERROR: return false;
        case KEY_END: return out->name[0] || keyread_fail(&r.k, r.k.line, "END OF MEMBER", "DEFINE POLICY NAME(NAME)");
        case KEY_WORD:
            if (!word(&r)) return false;
            break;
        case KEY_PARAMETER:
            if (!parameter(&r)) return false;
            break;
        }
    }
}
