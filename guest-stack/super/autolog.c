/* autolog.c - starts the programs of the AUTOLOG list and keeps them alive; rules in autolog.h. */
#include "super/autolog.h"

#include "base/str.h"
#include "net/ip.h"
#include "net/ports.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "super/console.h"
#include "super/messages.h"
#include "super/system.h"
#include "super/tcpip.h"

void autolog_clear(struct autolog *a) {
    u32 restarts = a->restarts;
    u64 next = a->next_check;
    memset(a, 0, sizeof *a);
    a->restarts = restarts;
    a->next_check = next;
    a->wait_minutes = AUTOLOG_WAIT_MINUTES;
}

int autolog_add(struct autolog *a, const struct autolog_entry *e) {
    for (u32 i = 0; i < a->count; i++)
        if (str_eq_ci(a->entry[i].jobname, e->jobname)) return -ERR_EXIST;
    if (a->count == AUTOLOG_MAX) return -ERR_NOMEM;
    a->entry[a->count++] = *e;
    return 0;
}

static void start(struct tcpip *ip, struct autolog_entry *e, u64 now) {
    bool waited = e->waits;
    int rc = program_start(ip, e->proc, e->jobname, e->parm, now);
    e->waits = rc == -ERR_AGAIN;
    if (e->waits && !waited) console_message(ip->sys->env.con, PLX0251I, e->jobname);
    if (e->waits) ip->autolog.next_retry = now + AUTOLOG_RETRY_US;
}

static u64 retry(struct tcpip *ip, u64 now) {
    struct autolog *a = &ip->autolog;
    u64 next = TIME_NEVER;
    for (u32 i = 0; i < a->count; i++) {
        struct autolog_entry *e = &a->entry[i];
        if (e->waits && now >= a->next_retry && !program_find(ip, e->jobname)) start(ip, e, now);
        if (e->waits) next = a->next_retry;
    }
    return next;
}

void autolog_ready(struct tcpip *ip, u64 now) {
    ip->autolog.next_retry = now;
    retry(ip, now);
}

/* Our programs end at once when they are stopped, so the wait time of AUTOLOG never passes. */
static void restart(struct tcpip *ip, struct autolog_entry *e, u64 now) {
    program_stop(ip, e->jobname, now);
    start(ip, e, now);
}

void autolog_start(struct tcpip *ip, u64 now) {
    for (u32 i = 0; i < ip->autolog.count; i++) restart(ip, &ip->autolog.entry[i], now);
    ip->autolog.next_check = now + AUTOLOG_MONITOR_US;
}

void autolog_refresh(struct tcpip *ip, u64 now) {
    for (u32 i = 0; i < ip->autolog.count; i++) {
        struct autolog_entry *e = &ip->autolog.entry[i];
        if (!program_find(ip, e->jobname)) start(ip, e, now);
    }
    ip->autolog.next_check = now + AUTOLOG_MONITOR_US;
}

static bool udp_bound(struct stack *stk, u16 port, const char *jobname) {
    for (const struct dgram *d = NULL; (d = dgram_next(stk, d));)
        if (d->kind == DGRAM_UDP && d->local.port == port && str_eq_ci(d->jobname, jobname)) return true;
    return false;
}

/* The first reserved port of this job without its listener or socket, 0 if all are there. */
static u16 missing_port(struct stack *stk, const char *jobname) {
    for (const struct port_rule *r = NULL; (r = port_rule_next(stk, r));) {
        if ((r->flags & (PORT_RESERVED | PORT_NOAUTOLOG | PORT_RANGE)) || !str_eq_ci(r->jobname, jobname))
            continue;
        bool there = r->proto == IP_PROTO_TCP ? tcp_listening(stk, r->first, jobname)
                                              : udp_bound(stk, r->first, jobname);
        if (!there) return r->first;
    }
    return 0;
}

u64 autolog_poll(struct tcpip *ip, u64 now) {
    struct autolog *a = &ip->autolog;
    if (a->count == 0 || ip->starting) return TIME_NEVER;
    u64 again = retry(ip, now);
    if (now < a->next_check) return u64_min(again, a->next_check);
    a->next_check = now + AUTOLOG_MONITOR_US;
    for (u32 i = 0; i < a->count; i++) {
        struct autolog_entry *e = &a->entry[i];
        if (e->waits) continue;
        u16 port = missing_port(ip->stk, e->jobname);
        if (!port) continue;
        a->restarts++;
        console_message(ip->sys->env.con, PLX0250I, e->jobname, (u32)port);
        restart(ip, e, now);
    }
    return u64_min(again, a->next_check);
}
