/* pagentcf.c - reads the Policy Agent's configuration. See pagentcf.h.
 *
 * A line becomes words; where it stands (outside, before the brace, inside) and its first word say what it is. Attributes are
 * tables: name, function, what it expects. References to actions are resolved at the end, for an action may follow its rule.
 */
#include "super/pagentcf.h"

#include "base/str.h"

#define WORDS_MAX    4
#define PRIORITY_MAX 2000000000u
#define NAMES_EXPECTED "A NAME OF 1 TO 32 CHARACTERS"

enum block { BLOCK_NONE, BLOCK_MONITOR, BLOCK_ACTION, BLOCK_RULE };

struct reference {
    u32 line;
    char action[POLICY_NAME_MAX + 1];
};

struct reader {
    struct policy *p;
    struct pagentcf *cf;
    u32 line, words, opened_at; /* opened_at: line of the statement whose block is open */
    char word[WORDS_MAX][PAGENTCF_TOKEN_MAX + 1];
    enum block block;
    bool inside;  /* its brace has come */
    bool unknown; /* the statement before was none */
    struct policy_action *action;
    struct policy_rule *rule;
    struct reference ref[POLICY_RULES_MAX];
};

static bool fail(struct reader *r, u32 line, const char *token, const char *expected) {
    if (r->cf->errors < PAGENTCF_ERRORS_MAX) {
        struct pagentcf_error *e = &r->cf->error[r->cf->errors];
        e->line = line;
        e->expected = expected;
        str_copy(e->token, sizeof e->token, token);
    }
    r->cf->errors++;
    return false;
}

/* ---- words ---- */

/* What does not fit is cut: no value of the language is as long, so it is wrong either way. */
static const char *line_words(struct reader *r, const char *s) {
    u32 n = 0;
    for (u32 i = 0; i < WORDS_MAX; i++) r->word[i][0] = '\0';
    while (*s && *s != '\n' && *s != '#') {
        if (*s == ' ' || *s == '\t' || *s == '\r') {
            s++;
            continue;
        }
        u32 len = 0;
        for (; *s && *s != '\n' && *s != ' ' && *s != '\t' && *s != '\r' && *s != '#'; s++)
            if (n < WORDS_MAX && len < PAGENTCF_TOKEN_MAX) r->word[n][len++] = *s;
        if (n < WORDS_MAX) r->word[n++][len] = '\0';
    }
    while (*s && *s != '\n') s++;
    r->words = n;
    return *s ? s + 1 : s;
}

/* word[1] alone, or word[1] and word[2], into two texts; "a-b" and (colon) "a:b" are two, too. One: both are it. */
static void pair(const struct reader *r, bool colon, char low[PAGENTCF_TOKEN_MAX + 1], char high[PAGENTCF_TOKEN_MAX + 1]) {
    const char *w = r->word[1];
    u32 i = 0;
    while (w[i] && w[i] != '-' && !(colon && w[i] == ':')) i++;
    str_copy(low, PAGENTCF_TOKEN_MAX + 1, w);
    low[i] = '\0';
    str_copy(high, PAGENTCF_TOKEN_MAX + 1, w[i] ? w + i + 1 : r->word[2][0] ? r->word[2] : low);
}

static bool is_all(const struct reader *r) {
    return str_eq_ci(r->word[1], "ALL");
}

static bool number(const char *text, u32 low, u32 high, u32 *out) {
    u32 v;
    if (!str_u32(text, strlen(text), &v) || v < low || v > high) return false;
    *out = v;
    return true;
}

/* ---- values ---- */

static bool port_range(const struct reader *r, struct policy_range *out) {
    char low[PAGENTCF_TOKEN_MAX + 1], high[PAGENTCF_TOKEN_MAX + 1];
    if (is_all(r)) {
        *out = (struct policy_range){0, UINT16_MAX};
        return true;
    }
    pair(r, true, low, high);
    return number(low, 1, UINT16_MAX, &out->low) && number(high, 1, UINT16_MAX, &out->high) && out->low <= out->high;
}

static bool address_range(const struct reader *r, struct policy_range *out) {
    char low[PAGENTCF_TOKEN_MAX + 1], high[PAGENTCF_TOKEN_MAX + 1];
    struct ipaddr from, to;
    u32 bits, slash = 0;
    if (is_all(r)) {
        *out = (struct policy_range){0, UINT32_MAX};
        return true;
    }
    pair(r, false, low, high);
    while (low[slash] && low[slash] != '/') slash++;
    if (low[slash]) {
        if (!ipaddr_parse(low, slash, &from) || !number(low + slash + 1, 0, 32, &bits)) return false;
        u32 mask = bits ? UINT32_MAX << (32 - bits) : 0;
        *out = (struct policy_range){from.v4 & mask, from.v4 | ~mask};
        return true;
    }
    if (!ipaddr_parse(low, strlen(low), &from) || !ipaddr_parse(high, strlen(high), &to)) return false;
    *out = (struct policy_range){from.v4, to.v4};
    return from.v4 <= to.v4;
}

/* hh:mm or hh:mm:ss. */
static bool time_of_day(const char *text, u32 *out) {
    u32 part[3] = {0, 0, 0}, n = 0;
    for (const char *s = text;; n++) {
        u32 len = 0;
        while (s[len] && s[len] != ':') len++;
        if (n == 3 || len > 2 || !str_u32(s, len, &part[n])) return false;
        s += len;
        if (!*s) break;
        s++;
    }
    *out = part[0] * 3600 + part[1] * 60 + part[2];
    return n >= 1 && part[1] < 60 && part[2] < 60 && *out <= POLICY_DAY_SEC;
}

/* n digits of 0 and 1; the first becomes bit 0. */
static bool mask_of(const char *text, u32 n, u32 *out) {
    u32 i = 0, mask = 0;
    for (; i < n && (text[i] == '0' || text[i] == '1'); i++)
        if (text[i] == '1') mask |= 1u << i;
    *out = mask;
    return i == n && !text[n];
}

/* yyyymmddhhmmss. */
static bool moment(const char *text, u32 *day, u32 *second) {
    u32 h, m, s, month, date;
    if (strlen(text) != 14 || !str_u32(text, 8, day) || !str_u32(text + 8, 2, &h) || !str_u32(text + 10, 2, &m) ||
        !str_u32(text + 12, 2, &s))
        return false;
    month = *day / 100 % 100, date = *day % 100;
    *second = h * 3600 + m * 60 + s;
    return month >= 1 && month <= 12 && date >= 1 && date <= 31 && h < 24 && m < 60 && s < 60;
}

/* ---- attributes ---- */

static bool at_scope(struct reader *r) { return str_eq_ci(r->word[1], "DataTraffic") || str_eq_ci(r->word[1], "Both"); }

static bool at_interface(struct reader *r) {
    struct policy_action *a = r->action;
    struct ipaddr addr;
    if (!ipaddr_parse(r->word[1], strlen(r->word[1]), &addr) || ipaddr_is_multicast(addr)) return false;
    if (ipaddr_is_any(addr)) return a->else_any = true;
    if (a->targets == POLICY_TARGETS_MAX) return false;
    a->target[a->targets++] = addr;
    return true;
}

static bool at_reference(struct reader *r) {
    struct reference *ref = &r->ref[r->rule - r->p->rule];
    u32 len = (u32)strlen(r->word[1]);
    if (!len || len > POLICY_NAME_MAX || ref->line) return false;
    ref->line = r->line;
    str_copy(ref->action, sizeof ref->action, r->word[1]);
    return true;
}

static bool at_priority(struct reader *r) { return number(r->word[1], 1, PRIORITY_MAX, &r->rule->priority); }

static bool at_distribution(struct reader *r) {
    r->rule->distributes = str_eq_ci(r->word[1], "TRUE");
    return r->rule->distributes || str_eq_ci(r->word[1], "FALSE");
}

static bool at_source(struct reader *r) { return address_range(r, &r->rule->source); }
static bool at_destination(struct reader *r) { return address_range(r, &r->rule->destination); }
static bool at_source_port(struct reader *r) { return port_range(r, &r->rule->source_port); }
static bool at_destination_port(struct reader *r) { return port_range(r, &r->rule->destination_port); }
static bool at_protocol(struct reader *r) {
    return is_all(r) || str_eq_ci(r->word[1], "TCP") || strcmp(r->word[1], "6") == 0;
}

static bool at_hours(struct reader *r) {
    char low[PAGENTCF_TOKEN_MAX + 1], high[PAGENTCF_TOKEN_MAX + 1];
    struct policy_range *h = &r->rule->hours;
    pair(r, false, low, high);
    return strcmp(low, high) != 0 && time_of_day(low, &h->low) && time_of_day(high, &h->high) && h->low != h->high;
}

static bool at_weekdays(struct reader *r) {
    u32 mask;
    if (!mask_of(r->word[1], 7, &mask)) return false;
    r->rule->weekdays = (u8)mask;
    return true;
}

static bool at_months(struct reader *r) {
    u32 mask;
    if (!mask_of(r->word[1], 12, &mask)) return false;
    r->rule->months = (u16)mask;
    return true;
}

static bool at_range(struct reader *r) {
    char low[PAGENTCF_TOKEN_MAX + 1], high[PAGENTCF_TOKEN_MAX + 1];
    struct policy_rule *p = r->rule;
    pair(r, true, low, high);
    if (!moment(low, &p->first_day, &p->first_second) || !moment(high, &p->last_day, &p->last_second)) return false;
    return p->first_day < p->last_day || (p->first_day == p->last_day && p->first_second < p->last_second);
}

static bool at_interval(struct reader *r) { return number(r->word[1], 5, 3600, &r->p->monitor.interval_sec); }
static bool at_loss(struct reader *r) {
    struct policy_monitor *m = &r->p->monitor;
    return number(r->word[1], 0, 1000, &m->loss_ratio) && (!m->loss_ratio || number(r->word[2], 0, 100, &m->loss_fraction));
}
static bool at_timeout(struct reader *r) {
    struct policy_monitor *m = &r->p->monitor;
    return number(r->word[1], 0, 1000, &m->timeout_ratio) &&
           (!m->timeout_ratio || number(r->word[2], 0, 100, &m->timeout_fraction));
}
static bool at_loss_max(struct reader *r) { return number(r->word[1], 0, 100, &r->p->monitor.loss_max); }
static bool at_timeout_max(struct reader *r) { return number(r->word[1], 0, 100, &r->p->monitor.timeout_max); }

struct attribute {
    const char *name;
    bool (*set)(struct reader *r);
    const char *expected;
};

static const struct attribute monitor_attributes[] = {
    {"SamplingInterval", at_interval, "A NUMBER FROM 5 TO 3600"},
    {"LossRatioAndWeightFr", at_loss, "0/00 FROM 0 TO 1000 AND % FROM 0 TO 100"},
    {"TimeoutRatioAndWeightFr", at_timeout, "0/00 FROM 0 TO 1000 AND % FROM 0 TO 100"},
    {"LossMaxWeightFr", at_loss_max, "A NUMBER FROM 0 TO 100"},
    {"TimeoutMaxWeightFr", at_timeout_max, "A NUMBER FROM 0 TO 100"},
};
static const struct attribute action_attributes[] = {
    {"PolicyScope", at_scope, "DATATRAFFIC OR BOTH"},
    {"OutboundInterface", at_interface, "AT MOST 32 DYNAMIC XCF ADDRESSES, OR 0.0.0.0"},
};
static const struct attribute rule_attributes[] = {
    {"PolicyActionReference", at_reference, "THE NAME OF ONE ACTION"},
    {"PolicyRulePriority", at_priority, "A NUMBER FROM 1 TO 2000000000"},
    {"ForLoadDistribution", at_distribution, "TRUE OR FALSE"},
    {"SourceAddressRange", at_source, "ADDRESS-ADDRESS, ADDRESS/BITS OR ALL"},
    {"DestinationAddressRange", at_destination, "ADDRESS-ADDRESS, ADDRESS/BITS OR ALL"},
    {"SourcePortRange", at_source_port, "PORT-PORT OR ALL"},
    {"DestinationPortRange", at_destination_port, "PORT-PORT OR ALL"},
    {"ProtocolNumberRange", at_protocol, "6, TCP OR ALL"},
    {"TimeOfDayRange", at_hours, "HH:MM-HH:MM"},
    {"DayOfWeekMask", at_weekdays, "7 DIGITS 0 OR 1, SUNDAY FIRST"},
    {"MonthOfYearMask", at_months, "12 DIGITS 0 OR 1, JANUARY FIRST"},
    {"ConditionTimeRange", at_range, "YYYYMMDDHHMMSS:YYYYMMDDHHMMSS"},
};

static const struct block_kind {
    const char *name, *expected;
    const struct attribute *attribute;
    u32 attributes;
} blocks[] = {
    [BLOCK_NONE] = {.name = ""},
    [BLOCK_MONITOR] = {"PolicyPerfMonitorForSDR", "SAMPLINGINTERVAL, A RATIO OR A MAXIMUM", monitor_attributes,
                       ARRAY_LEN(monitor_attributes)},
    [BLOCK_ACTION] = {"PolicyAction", "POLICYSCOPE OR OUTBOUNDINTERFACE", action_attributes, ARRAY_LEN(action_attributes)},
    [BLOCK_RULE] = {"PolicyRule", "AN ATTRIBUTE OF POLICYRULE", rule_attributes, ARRAY_LEN(rule_attributes)},
};

/* ---- statements ---- */

static bool name_is_good(struct reader *r) {
    u32 len = (u32)strlen(r->word[1]);
    if (!len || len > POLICY_NAME_MAX) return fail(r, r->line, len ? r->word[1] : r->word[0], NAMES_EXPECTED);
    return true;
}

static bool begin_action(struct reader *r) {
    struct policy *p = r->p;
    if (!name_is_good(r)) return false;
    for (u32 i = 0; i < p->actions; i++)
        if (strcmp(p->action[i].name, r->word[1]) == 0) return fail(r, r->line, r->word[1], "EACH ACTION ONCE");
    if (p->actions == POLICY_ACTIONS_MAX) return fail(r, r->line, r->word[1], "AT MOST 32 ACTIONS");
    r->action = &p->action[p->actions++];
    str_copy(r->action->name, sizeof r->action->name, r->word[1]);
    return true;
}

static bool begin_rule(struct reader *r) {
    struct policy *p = r->p;
    if (!name_is_good(r)) return false;
    for (u32 i = 0; i < p->rules; i++)
        if (strcmp(p->rule[i].name, r->word[1]) == 0) return fail(r, r->line, r->word[1], "EACH RULE ONCE");
    if (p->rules == POLICY_RULES_MAX) return fail(r, r->line, r->word[1], "AT MOST 64 RULES");
    r->rule = &p->rule[p->rules++];
    policy_rule_init(r->rule);
    str_copy(r->rule->name, sizeof r->rule->name, r->word[1]);
    return true;
}

static bool begin_monitor(struct reader *r) {
    r->p->monitor.on = str_eq_ci(r->word[1], "Enable");
    return r->p->monitor.on || str_eq_ci(r->word[1], "Disable") ||
           fail(r, r->line, r->words > 1 ? r->word[1] : r->word[0], "ENABLE OR DISABLE");
}

static const char statements_expected[] = "POLICYRULE, POLICYACTION OR POLICYPERFMONITORFORSDR";

static void statement(struct reader *r) {
    u32 b = BLOCK_MONITOR;
    while (b <= BLOCK_RULE && !str_eq_ci(r->word[0], blocks[b].name)) b++;
    r->unknown = b > BLOCK_RULE;
    if (r->unknown) {
        fail(r, r->line, r->word[0], statements_expected);
        return;
    }
    r->block = (enum block)b;
    r->inside = false;
    r->opened_at = r->line;
    bool good = b == BLOCK_MONITOR ? begin_monitor(r) : b == BLOCK_ACTION ? begin_action(r) : begin_rule(r);
    /* A block without an owner is passed over up to its brace. */
    if (!good) r->action = NULL, r->rule = NULL;
}

static void attribute(struct reader *r) {
    const struct block_kind *k = &blocks[r->block];
    bool owned = r->block == BLOCK_MONITOR || (r->block == BLOCK_ACTION ? r->action != NULL : r->rule != NULL);
    if (!owned) return;
    for (u32 i = 0; i < k->attributes; i++) {
        if (!str_eq_ci(r->word[0], k->attribute[i].name)) continue;
        if (!k->attribute[i].set(r)) fail(r, r->line, r->words > 1 ? r->word[1] : r->word[0], k->attribute[i].expected);
        return;
    }
    fail(r, r->line, r->word[0], k->expected);
}

static void one_line(struct reader *r) {
    if (r->words == 0) return;
    bool opens = strcmp(r->word[0], "{") == 0, closes = strcmp(r->word[0], "}") == 0;
    if (r->block == BLOCK_NONE && opens && r->unknown) {
        /* What stands in the braces of a word that is none would only repeat the complaint: a block without an owner. */
        r->block = BLOCK_ACTION;
        r->action = NULL;
        r->inside = true;
        r->opened_at = r->line;
    } else if (r->block == BLOCK_NONE) {
        if (opens || closes)
            fail(r, r->line, r->word[0], statements_expected);
        else
            statement(r);
    } else if (!r->inside) {
        if (!opens) fail(r, r->line, r->word[0], "{ ON A LINE OF ITS OWN");
        r->inside = true;
        if (!opens && !closes) attribute(r);
        if (closes) r->block = BLOCK_NONE;
    } else if (closes) {
        r->block = BLOCK_NONE;
    } else if (opens) {
        fail(r, r->line, r->word[0], "ONE { A STATEMENT");
    } else {
        attribute(r);
    }
}

static void resolve(struct reader *r) {
    struct policy *p = r->p;
    for (u32 i = 0; i < p->rules; i++) {
        const struct reference *ref = &r->ref[i];
        u32 a = 0;
        if (!ref->line) {
            fail(r, r->line, p->rule[i].name, "POLICYACTIONREFERENCE IN EACH RULE");
            continue;
        }
        while (a < p->actions && strcmp(p->action[a].name, ref->action) != 0) a++;
        if (a == p->actions) fail(r, ref->line, ref->action, "THE NAME OF A POLICYACTION");
        p->rule[i].action = (u8)a;
        /* An action without targets would refuse everybody; whoever wants that leaves out the VIPADISTRIBUTE. */
        if (a < p->actions && p->rule[i].distributes && !p->action[a].targets && !p->action[a].else_any)
            fail(r, ref->line, ref->action, "AN ACTION WITH OUTBOUNDINTERFACE");
    }
}

bool pagentcf_read(const char *text, struct policy *out, struct pagentcf *cf) {
    struct reader r = {.p = out, .cf = cf};
    policy_init(out);
    *cf = (struct pagentcf){.errors = 0};
    while (*text) {
        r.line++;
        text = line_words(&r, text);
        one_line(&r);
    }
    if (r.block != BLOCK_NONE) fail(&r, r.opened_at, blocks[r.block].name, "} BEFORE THE END OF THE MEMBER");
    resolve(&r);
    return cf->errors == 0;
}
