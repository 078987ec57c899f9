/* policy.h - service policies of the sysplex distributor: which clients, at which hours, may be given to which targets, and what
 * a target's losses take off its weight.
 *
 * A rule is a set of conditions, all of which must hold, and the name of an action. An action lists targets.
 *
 *   condition      holds when
 *   source         the client's address and port lie in the range
 *   destination    the distributed address and port lie in the range
 *   hours          the time of day lies in [from, until); from > until reaches over midnight
 *   weekdays       bit 0 is Sunday      months  bit 0 is January      range  [first, last] as dates and times
 *   distributes    ForLoadDistribution TRUE: rules without it are about other traffic and never chosen
 *
 * Which rule: of those that hold the one of highest priority; of equal ones the first. Its action's targets may take the
 * connection and nobody else, unless its list holds 0.0.0.0: then anybody, if none of the listed ones can.
 *
 * The clock is looked at in policy_tick(), not for each connection: what depends on time is one bit a rule.
 *
 * Fraction (taken off the weight of a target, for each DVIPA and port, from the figures of one sampling interval):
 *
 *   loss     retransmitted segments in 0/00 of those sent;  each full loss_ratio adds loss_fraction %, loss_max % at most
 *   timeout  retransmission time-outs in 0/00 of segments;  each full timeout_ratio adds timeout_fraction %, likewise
 *   fraction = loss + timeout, 100 at most
 *
 * (z/OS Communications Server, PolicyPerfMonitorForSDR; a ratio must be exceeded, not only reached.) Pure: base, wire.
 */
#ifndef SYSPLEX_POLICY_H
#define SYSPLEX_POLICY_H

#include "base/base.h"
#include "wire/ipaddr.h"

#define POLICY_NAME_MAX    32
#define POLICY_RULES_MAX   64
#define POLICY_ACTIONS_MAX 32
#define POLICY_TARGETS_MAX 32
#define POLICY_DAY_SEC     86400u
#define POLICY_WEEKDAYS    0x7Fu
#define POLICY_MONTHS      0xFFFu

struct policy_action {
    char name[POLICY_NAME_MAX + 1];
    u8 targets;
    bool else_any; /* OutboundInterface 0.0.0.0 */
    struct ipaddr target[POLICY_TARGETS_MAX];
};

struct policy_range {
    u32 low, high;
};
struct policy_rule {
    char name[POLICY_NAME_MAX + 1];
    u32 priority;
    u16 id;     /* not 0; a rule of the same name keeps it through a refresh */
    u8 action;  /* index */
    u8 weekdays;
    u16 months;
    bool distributes;
    bool now; /* its time conditions hold, as of the latest policy_tick() */
    struct policy_range source, destination; /* addresses as numbers */
    struct policy_range source_port, destination_port;
    struct policy_range hours;       /* seconds of the day: from, until */
    u32 first_day, first_second;     /* yyyymmdd and second of the day; first_day 0: always */
    u32 last_day, last_second;
    u32 mapped, denied;              /* connections that it chose, and those that found none of its targets */
};

struct policy_monitor { /* PolicyPerfMonitorForSDR */
    bool on;
    u32 interval_sec;
    u32 loss_ratio, loss_fraction, loss_max; /* 0/00, %, %; ratio 0: losses take nothing off */
    u32 timeout_ratio, timeout_fraction, timeout_max;
};

struct policy {
    u32 rules, actions;
    u16 next_id;
    struct policy_rule rule[POLICY_RULES_MAX];
    struct policy_action action[POLICY_ACTIONS_MAX];
    struct policy_monitor monitor;
};

/* The moment in local time, as its policies mean it. */
struct policy_moment {
    u32 day;    /* yyyymmdd */
    u32 second; /* of the day */
    u8 weekday; /* 0 Sunday */
    u8 month;   /* 1..12 */
};

/* No rules; the monitor off, with the defaults of the books. */
void policy_init(struct policy *p);
/* A rule for everything, always; the reader narrows it. */
void policy_rule_init(struct policy_rule *r);
/* Numbers the rules of a newly read policy: names that old has keep their number and their counts. old may be NULL. */
void policy_number(struct policy *p, const struct policy *old);

/* Which rules' times hold now. */
void policy_tick(struct policy *p, const struct policy_moment *m);
/* The rule for a connection; NULL: none, and everybody may take it. */
struct policy_rule *policy_match(struct policy *p, struct ipaddr client, u16 client_port, struct ipaddr dvipa, u16 port);
/* By number, for displays; NULL: it is no longer there. */
const struct policy_rule *policy_rule_at(const struct policy *p, u16 id);

/* Percent to take off. */
u8 policy_fraction(const struct policy_monitor *m, u32 segments, u32 retransmitted, u32 timeouts);

#endif
