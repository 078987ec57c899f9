/* monitor.c - the sysplex monitor: table and rules in monitor.h. */
#include "sysplex/monitor.h"

#include "net/stack_impl.h"
#include "net/tcp.h"
#include "sysplex/sysplex_impl.h"

#define PARTNERS_MIN 2 /* with one alone nobody knows whose fault it is */

const struct monitor_config *monitor_config(const struct sysplex *sx) {
    return &sx->mon.conf;
}
const struct monitor *monitor_state(const struct sysplex *sx) {
    return &sx->mon;
}

void monitor_init(struct sysplex *sx, u64 now) {
    sx->mon = (struct monitor){.conf = {.timer_sec = MONITOR_TIMER_SEC}, .seen_at = now, .sent_at = now, .check_at = now};
}

/* ---- what is looked at ---- */

/* Has XCF signals with that system? */
static bool signals_with(const struct sysplex *sx, const char *system) {
    struct xcf_system_info i;
    for (u32 k = 0; xcf_system(sx->xcf, k, &i); k++)
        if (!i.local && strcmp(i.id.name, system) == 0 && i.state == XCF_SYS_ACTIVE) return true;
    return false;
}

static bool signals_with_anybody(const struct sysplex *sx) {
    struct xcf_system_info i;
    for (u32 k = 0; xcf_system(sx->xcf, k, &i); k++)
        if (!i.local && i.state == XCF_SYS_ACTIVE) return true;
    return false;
}

/* Out of the group there are no partners: what can be known is whether the operator has stopped the devices that lead to them. */
static bool links_are_stopped(const struct sysplex *sx) {
    bool stopped = false;
    LIST_FOR_EACH(n, &sx->stk->links) {
        const struct link *l = LIST_ENTRY(n, struct link, node);
        if (l->type != LNK_MPCPTP || l == sx->dx.samehost) continue;
        if (l->dev->wanted) return false;
        stopped = true;
    }
    return stopped;
}

static bool xcf_lost(struct sysplex *sx, u64 now) {
    u32 partners = 0;
    UNUSED(now);
    if (!sx->xcf) return false;
    if (sx->state == SYSPLEX_OUT) return links_are_stopped(sx) || !signals_with_anybody(sx);
    for (struct sysplex_peer *p = NULL; (p = sysplex_peer_next(sx, p, false));) {
        if (p->same_image || !p->lnk) continue;
        if (p->lnk->up && signals_with(sx, p->system)) return false;
        partners++;
    }
    return partners >= PARTNERS_MIN;
}

static bool stands_still(struct sysplex *sx, u64 now) {
    struct monitor *m = &sx->mon;
    if (sx->count.sent != m->sent || !sx->queue.used) {
        m->sent = sx->count.sent;
        m->sent_at = now;
    }
    return now - m->sent_at >= (u64)m->conf.timer_sec * USEC_PER_SEC;
}

/* Full: not a sixteenth is free. */
static bool pool_full(const struct pool *p) {
    return p->count && p->count - p->in_use < p->count / 16 + 1;
}

/* A pool that has refused is a problem until an eighth of it is free again; one that is only well used is none. */
static bool storage_lacks(struct sysplex *sx, u64 now) {
    struct monitor *m = &sx->mon;
    const struct stack *s = sx->stk;
    const struct pool *pools[] = {tcp_buffer_pool(s), sock_pool(s), &s->small, &s->large};
    u32 refused = 0;
    bool full = false, roomy = true;
    UNUSED(now);
    for (u32 i = 0; i < ARRAY_LEN(pools); i++) {
        refused += pools[i]->refused;
        if (pool_full(pools[i])) m->lacking = pools[i]->name, full = true;
        roomy &= pools[i]->count - pools[i]->in_use >= pools[i]->count / 8;
    }
    bool lacked = refused != m->refused;
    m->refused = refused;
    return m->problem[MONITOR_STORAGE].since ? !roomy : lacked && full;
}

static bool interfaces_lost(struct sysplex *sx, u64 now) {
    u32 monitored = 0;
    UNUSED(now);
    if (!sx->mon.conf.moninterface) return false;
    LIST_FOR_EACH(n, &sx->stk->links) {
        const struct link *l = LIST_ENTRY(n, struct link, node);
        if (!l->monsysplex) continue;
        if (l->up) return false;
        monitored++;
    }
    return monitored > 0;
}

static const struct check {
    const char *id;
    bool (*there)(struct sysplex *sx, u64 now);
    bool comes_back;
} checks[MONITOR_PROBLEMS] = {
    [MONITOR_XCF] = {"EZZ9673E", xcf_lost, true},
    [MONITOR_RESPONSE] = {"EZZ9674E", stands_still, false},
    [MONITOR_STORAGE] = {"EZD1170E", storage_lacks, true},
    [MONITOR_INTERFACE] = {"EZD1209E", interfaces_lost, true},
};

const char *monitor_message_id(enum monitor_problem p) {
    return (u32)p < MONITOR_PROBLEMS ? checks[p].id : "";
}

/* ---- what follows ---- */

static void say(struct sysplex *sx, enum monitor_problem p, u32 seconds) {
    switch (p) {
    case MONITOR_XCF:
        stack_message(sx->stk, "EZZ9673E %s DETERMINED THAT DYNAMIC XCF CONNECTIVITY TO ALL PARTNERS WAS NOT AVAILABLE FOR AT LEAST %u SECONDS",
                      sx->tcpname, seconds);
        break;
    case MONITOR_RESPONSE:
        stack_message(sx->stk, "EZZ9674E %s SYSPLEX PROCESSING WAS NOT RESPONSIVE FOR AT LEAST %u SECONDS", sx->tcpname, seconds);
        break;
    case MONITOR_STORAGE: stack_message(sx->stk, "EZD1170E %s WAS NOT ABLE TO GET TCP/IP %s STORAGE", sx->tcpname, sx->mon.lacking); break;
    default:
        stack_message(sx->stk, "EZD1209E %s DETERMINED THAT ALL MONITORED INTERFACES WERE NOT ACTIVE FOR AT LEAST %u SECONDS",
                      sx->tcpname, seconds);
        break;
    }
}

/* RECOVERY: who is alone stays, for nobody could do it better. */
static void recover(struct sysplex *sx, enum monitor_problem p, u64 now) {
    struct monitor *m = &sx->mon;
    if (!m->conf.recovery || sx->state == SYSPLEX_OUT || !sysplex_peer_next(sx, NULL, true)) return;
    m->left = true;
    m->left_for = (u8)p;
    group_leave(sx, now);
    stack_message(sx->stk, "EZZ9676E SYSPLEX PROBLEM DETECTION CLEANUP HAS SUCCEEDED FOR %s", sx->tcpname);
}

static void look(struct sysplex *sx, enum monitor_problem p, u64 now) {
    struct monitor *m = &sx->mon;
    const struct check *c = &checks[p];
    if (!c->there(sx, now)) {
        /* The books delete the message from the console; a line says so where consoles are paper. */
        if (m->problem[p].said) stack_message(sx->stk, "PLX0506I THE PROBLEM OF %s IS OVER FOR %s", c->id, sx->tcpname);
        m->problem[p].since = 0;
        m->problem[p].said = false;
        return;
    }
    if (!m->problem[p].since) m->problem[p].since = p == MONITOR_RESPONSE ? m->sent_at : now;
    if (now - m->problem[p].since < (u64)m->conf.timer_sec * USEC_PER_SEC) return;
    if (!m->problem[p].said) say(sx, p, m->conf.timer_sec);
    m->problem[p].said = true;
    recover(sx, p, now);
}

/* The task itself has stood still: no look could have seen it happen. */
static void look_back(struct sysplex *sx, u64 gap, u64 now) {
    struct monitor *m = &sx->mon;
    if (gap < (u64)m->conf.timer_sec * USEC_PER_SEC || !dvipa_configured(sx) || sx->state == SYSPLEX_OUT) return;
    m->stood_still_us = gap;
    say(sx, MONITOR_RESPONSE, m->conf.timer_sec);
    recover(sx, MONITOR_RESPONSE, now);
    monitor_reset(sx, now); /* nothing else was looked at meanwhile */
}

static bool joins_again(struct sysplex *sx, u64 now) {
    struct monitor *m = &sx->mon;
    if (!sx->xcf || sx->nojoin || sx->by_operator || sx->state != SYSPLEX_OUT) return false;
    if (m->delaying) return !interfaces_lost(sx, now);
    return m->left && m->conf.autorejoin && checks[m->left_for].comes_back && !m->problem[m->left_for].since;
}

bool monitor_delays(struct sysplex *sx) {
    struct monitor *m = &sx->mon;
    if (!m->conf.delayjoin || !interfaces_lost(sx, 0)) return false;
    if (!m->delaying)
        stack_message(sx->stk, "EZD1211E %s DELAYING SYSPLEX PROFILE PROCESSING - ALL MONITORED INTERFACES ARE NOT ACTIVE", sx->tcpname);
    return m->delaying = true;
}

void monitor_reset(struct sysplex *sx, u64 now) {
    struct monitor *m = &sx->mon;
    for (u32 i = 0; i < MONITOR_PROBLEMS; i++) m->problem[i].since = 0, m->problem[i].said = false;
    m->seen_at = m->sent_at = now;
    m->check_at = now + (u64)m->conf.timer_sec * (USEC_PER_SEC / 4);
}

void monitor_configure(struct sysplex *sx, const struct monitor_config *c, u64 now) {
    sx->mon.conf = *c;
    monitor_reset(sx, now);
}

u64 monitor_poll(struct sysplex *sx, u64 now) {
    struct monitor *m = &sx->mon;
    u64 gap = now - m->seen_at;
    m->seen_at = now;
    look_back(sx, gap, now);
    if (m->delaying && joins_again(sx, now)) sysplex_rejoin(sx, now); /* an interface has come up: not later than that */
    if (now < m->check_at) return m->check_at;
    m->check_at = now + (u64)m->conf.timer_sec * (USEC_PER_SEC / 4);
    if (!dvipa_configured(sx) || !sx->xcf) return m->check_at;
    for (u32 i = 0; i < MONITOR_PROBLEMS; i++)
        /* A stack that is out of its own or its operator's will has no problem to look for, but for the one that made it leave. */
        if (sx->state != SYSPLEX_OUT || (m->left && m->left_for == i)) look(sx, (enum monitor_problem)i, now);
    if (joins_again(sx, now)) sysplex_rejoin(sx, now);
    return m->check_at;
}
