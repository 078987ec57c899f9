/* pagent.c - the Service Policy Agent. See pagent.h. */
#include "super/pagent.h"

#include "base/str.h"
#include "net/timer.h"
#include "super/dataset.h"
#include "super/messages.h"
#include "super/netstat.h"
#include "super/pagentcf.h"
#include "super/system.h"
#include "super/tcpip.h"
#include "sysplex/distributor.h"

struct pagent {
    struct tcpip *ip;
    struct timer sample;
    u64 tick_at; /* when the rules' times are looked at again */
    struct policy policy, fresh;
    char dsname[45], member[9], name[60]; /* name: DSN(MEMBER), for messages */
};

static struct console *con(const struct pagent *a) { return a->ip->sys->env.con; }

/* ---- what the distributor asks ---- */

/* Times are good to a second; between two seconds a connection costs no calendar. */
static void tick(struct pagent *a, u64 now) {
    struct moment when;
    struct calendar c;
    system_moment(a->ip->sys, &when);
    calendar_of(when.utc_seconds + (u32)when.local_offset_seconds, &c);
    const struct policy_moment m = {
        .day = (u32)c.year * 10000u + c.month * 100u + c.day,
        .second = c.hour * 3600u + c.minute * 60u + c.second,
        .weekday = c.wday,
        .month = c.month,
    };
    policy_tick(&a->policy, &m);
    a->tick_at = now + USEC_PER_SEC;
}

static void choose(void *ctx, const struct vcrt_key *k, struct dist_policy *out, u64 now) {
    struct pagent *a = ctx;
    if (now >= a->tick_at) tick(a, now);
    struct policy_rule *r = policy_match(&a->policy, k->client, k->cport, k->dvipa, k->dport);
    if (!r) return;
    const struct policy_action *act = &a->policy.action[r->action];
    *out = (struct dist_policy){.else_any = act->else_any, .rule = r->id, .denied = &r->denied};
    r->mapped++;
    for (u32 i = 0; i < act->targets; i++) {
        u32 slot = distributor_slot(a->ip->dist, act->target[i]);
        if (slot != VDPT_NOBODY) out->allowed |= 1u << slot;
    }
}

/* ---- what this stack's connections lose ---- */

static void sample_now(struct stack *stk, struct timer *t, u64 now) {
    struct pagent *a = CONTAINER_OF(t, struct pagent, sample);
    const struct policy_monitor *m = &a->policy.monitor;
    struct dist_sample s;
    for (u32 i = 0; distributor_sample(a->ip->dist, i, true, &s); i++)
        distributor_set_qos(a->ip->dist, s.dvipa, s.port, policy_fraction(m, s.segments, s.retransmitted, s.timeouts));
    timer_arm(stk, t, now + (u64)m->interval_sec * USEC_PER_SEC);
}

/* From now on; what was sent before is nobody's loss. */
static void sampling(struct pagent *a, bool on, u64 now) {
    struct dist_sample s;
    timer_disarm(a->ip->stk, &a->sample);
    for (u32 i = 0; distributor_sample(a->ip->dist, i, true, &s); i++)
        distributor_set_qos(a->ip->dist, s.dvipa, s.port, 0);
    if (on) timer_arm(a->ip->stk, &a->sample, now + (u64)a->policy.monitor.interval_sec * USEC_PER_SEC);
}

/* ---- reading ---- */

static void say_errors(struct pagent *a, const struct pagentcf *cf) {
    for (u32 i = 0; i < u32_min(cf->errors, PAGENTCF_ERRORS_MAX); i++)
        console_message(con(a), PLX0540E, a->name, cf->error[i].line, cf->error[i].token, cf->error[i].expected);
    if (cf->errors > PAGENTCF_ERRORS_MAX) console_message(con(a), PLX0541W, a->name, cf->errors - PAGENTCF_ERRORS_MAX);
    console_message(con(a), EZZ8438I, a->ip->name);
}

/* false: what was in force stays. */
static bool reload(struct pagent *a, u64 now) {
    struct pagentcf cf;
    struct member m;
    int rc = dataset_read(a->ip->sys->env.ds, a->dsname, a->member, &m);
    if (rc) {
        console_message(con(a), PLX0542E, a->name, rc == -ERR_NOENT ? "IT DOES NOT EXIST" : "IT CANNOT BE READ");
        return false;
    }
    bool good = pagentcf_read(m.text, &a->fresh, &cf);
    dataset_release(a->ip->sys->env.ds, &m);
    if (!good) {
        say_errors(a, &cf);
        return false;
    }
    policy_number(&a->fresh, &a->policy);
    a->policy = a->fresh;
    tick(a, now);
    sampling(a, a->policy.monitor.on, now);
    console_message(con(a), EZZ8771I, a->ip->name);
    return true;
}

/* ---- the program ---- */

static bool config_name(struct pagent *a, const char *parm) {
    char dsn[60];
    if (!app_parm_text(parm, "CONFIG", dsn, sizeof dsn)) str_fmt(dsn, sizeof dsn, "%s.TCPPARMS(PAGENT)", a->ip->name);
    if (!dataset_name_split(dsn, a->dsname, a->member)) return false;
    str_copy(a->name, sizeof a->name, dsn);
    return true;
}

static int start(struct app_env *env, const char *jobname, const char *parm, u64 now, void **inst) {
    struct tcpip *ip = CONTAINER_OF(env, struct tcpip, app_env);
    if (!ip->dist) {
        console_message(env->con, PLX0503E, jobname);
        return -ERR_NOSYS;
    }
    if (pagent_policy(ip)) return -ERR_EXIST; /* one stack, one set of rules */
    struct pagent *a = app_take(env, sizeof *a);
    if (!a) return -ERR_NOMEM;
    a->ip = ip;
    if (!config_name(a, parm)) {
        app_give_back(env, a);
        return -ERR_INVAL;
    }
    console_message(env->con, EZZ8431I);
    timer_init(&a->sample, sample_now);
    policy_init(&a->policy);
    reload(a, now); /* whatever comes of it: a REFRESH may mend it */
    distributor_set_policy(ip->dist, choose, a);
    *inst = a;
    console_message(env->con, EZZ8432I);
    return 0;
}

static void stop(void *inst, u64 now) {
    struct pagent *a = inst;
    distributor_set_policy(a->ip->dist, NULL, NULL);
    sampling(a, false, now);
    console_message(con(a), EZZ8773I, a->ip->name);
    console_message(con(a), EZZ8433I);
    app_give_back(&a->ip->app_env, a);
}

static bool modify(void *inst, const char *text, const struct reply *r, u64 now) {
    struct pagent *a = inst;
    const struct policy *p = &a->policy;
    if (strcmp(text, "REFRESH") == 0) {
        reply_line(r, EZZ8443I);
        return reload(a, now);
    }
    if (strcmp(text, "QUERY") == 0) {
        reply_line(r, PLX0543I, a->name, p->rules, p->actions, p->monitor.on ? "ENABLED" : "DISABLED", p->monitor.interval_sec);
        return true;
    }
    reply_line(r, PLX0301E, text[0] ? text : "F PAGENT", "REFRESH OR QUERY");
    return false;
}

const struct app pagent_app = {.name = "PAGENT", .start = start, .stop = stop, .modify = modify};

const struct policy *pagent_policy(const struct tcpip *ip) {
    for (u32 i = 0; i < TCPIP_PROGRAMS_MAX; i++)
        if (ip->programs[i].app == &pagent_app) return &((const struct pagent *)ip->programs[i].inst)->policy;
    return NULL;
}

/* ---- NETSTAT SLAP ---- */

static void range_line(struct netstat *n, const char *what, const struct policy_range *addr, const struct policy_range *port) {
    char a[IPADDR_TEXT_MAX], b[IPADDR_TEXT_MAX];
    reply_line(n->r, "  %s: %s-%s..%u-%u", what, ipaddr_text(ipaddr_v4(addr->low), a), ipaddr_text(ipaddr_v4(addr->high), b),
               port->low, port->high);
}

void netstat_slap(struct netstat *n) {
    const struct policy *p = pagent_policy(n->ip);
    char addr[IPADDR_TEXT_MAX];
    for (u32 i = 0; p && i < p->rules; i++) {
        const struct policy_rule *r = &p->rule[i];
        const struct policy_action *a = &p->action[r->action];
        if (!netstat_row(n)) continue;
        reply_line(n->r, "POLICYRULENAME: %s", r->name);
        reply_line(n->r, "  POLICYACTION: %s", a->name);
        reply_line(n->r, "  STATUS: %-8s  PRIORITY: %010u  LOADDIST: %s", r->now ? "ACTIVE" : "INACTIVE", r->priority,
                   r->distributes ? "YES" : "NO");
        reply_line(n->r, "  ACCEPTCONN: %010u  DENIEDCONN: %010u", r->mapped - r->denied, r->denied);
        if (!n->detail) continue;
        range_line(n, "SOURCE", &r->source, &r->source_port);
        range_line(n, "DEST  ", &r->destination, &r->destination_port);
        for (u32 t = 0; t < a->targets; t++) reply_line(n->r, "  OUTBOUNDINTF: %s", ipaddr_text(a->target[t], addr));
        if (a->else_any) reply_line(n->r, "  OUTBOUNDINTF: 0.0.0.0");
    }
}
