/* policy.c - rules, their times, and fractions of weights. See policy.h. */
#include "sysplex/policy.h"

#include "base/str.h"

#define PERCENT  100u
#define PERMILLE 1000u

void policy_init(struct policy *p) {
    memset(p, 0, sizeof *p);
    p->next_id = 1;
    p->monitor = (struct policy_monitor){
        .interval_sec = 60,
        .loss_ratio = 10, .loss_fraction = 10, .loss_max = 100,
        .timeout_ratio = 10, .timeout_fraction = 20, .timeout_max = 100,
    };
}

void policy_rule_init(struct policy_rule *r) {
    *r = (struct policy_rule){
        .weekdays = POLICY_WEEKDAYS,
        .months = POLICY_MONTHS,
        .source = {0, UINT32_MAX},
        .destination = {0, UINT32_MAX},
        .source_port = {0, UINT16_MAX},
        .destination_port = {0, UINT16_MAX},
        .hours = {0, POLICY_DAY_SEC},
    };
}

static const struct policy_rule *named(const struct policy *p, const char *name) {
    for (u32 i = 0; p && i < p->rules; i++)
        if (strcmp(p->rule[i].name, name) == 0) return &p->rule[i];
    return NULL;
}

void policy_number(struct policy *p, const struct policy *old) {
    if (old) p->next_id = old->next_id;
    for (u32 i = 0; i < p->rules; i++) {
        struct policy_rule *r = &p->rule[i];
        const struct policy_rule *was = named(old, r->name);
        if (was) {
            r->id = was->id;
            r->mapped = was->mapped;
            r->denied = was->denied;
            continue;
        }
        /* After 65,535 names one may be given again: a row of the VCRT that is as old shows the wrong name, no more. */
        r->id = p->next_id;
        p->next_id = (u16)(p->next_id == UINT16_MAX ? 1 : p->next_id + 1);
    }
}

/* ---- time ---- */

static bool before(u32 day, u32 second, u32 other_day, u32 other_second) {
    return day < other_day || (day == other_day && second < other_second);
}

static bool time_holds(const struct policy_rule *r, const struct policy_moment *m) {
    const struct policy_range *h = &r->hours;
    bool hours = h->low <= h->high ? m->second >= h->low && m->second < h->high : m->second >= h->low || m->second < h->high;
    if (!hours || !(r->weekdays >> m->weekday & 1) || !(r->months >> (m->month - 1) & 1)) return false;
    if (!r->first_day) return true;
    return !before(m->day, m->second, r->first_day, r->first_second) && !before(r->last_day, r->last_second, m->day, m->second);
}

void policy_tick(struct policy *p, const struct policy_moment *m) {
    for (u32 i = 0; i < p->rules; i++) p->rule[i].now = time_holds(&p->rule[i], m);
}

/* ---- choice ---- */

static bool in(const struct policy_range *r, u32 v) {
    return v >= r->low && v <= r->high;
}

struct policy_rule *policy_match(struct policy *p, struct ipaddr client, u16 client_port, struct ipaddr dvipa, u16 port) {
    struct policy_rule *best = NULL;
    for (u32 i = 0; i < p->rules; i++) {
        struct policy_rule *r = &p->rule[i];
        if (!r->now || !r->distributes || (best && r->priority <= best->priority)) continue;
        if (in(&r->source, client.v4) && in(&r->source_port, client_port) && in(&r->destination, dvipa.v4) &&
            in(&r->destination_port, port))
            best = r;
    }
    return best;
}

const struct policy_rule *policy_rule_at(const struct policy *p, u16 id) {
    for (u32 i = 0; i < p->rules; i++)
        if (p->rule[i].id == id) return &p->rule[i];
    return NULL;
}

/* ---- fractions ---- */

/* How many full ratios are exceeded, times the fraction, capped. */
static u32 part(u32 events, u32 segments, u32 ratio, u32 fraction, u32 most) {
    if (!ratio || !events) return 0;
    u32 permille = events >= segments ? PERMILLE : events * PERMILLE / segments;
    /* 2.05 % exceeds 2 %, though in whole 0/00 it is the same. */
    bool above = events < segments && events * PERMILLE % segments != 0;
    u32 steps = above ? permille / ratio : (permille ? permille - 1 : 0) / ratio;
    return u32_min(steps * fraction, most);
}

u8 policy_fraction(const struct policy_monitor *m, u32 segments, u32 retransmitted, u32 timeouts) {
    if (!m->on) return 0;
    /* Shifted down together until the products fit; only ratios matter. */
    while (segments > UINT32_MAX / PERMILLE || retransmitted > UINT32_MAX / PERMILLE || timeouts > UINT32_MAX / PERMILLE)
        segments >>= 1, retransmitted >>= 1, timeouts >>= 1;
    u32 loss = part(retransmitted, segments, m->loss_ratio, m->loss_fraction, m->loss_max);
    u32 time = part(timeouts, segments, m->timeout_ratio, m->timeout_fraction, m->timeout_max);
    return (u8)u32_min(loss + time, PERCENT);
}
