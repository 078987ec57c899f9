/* simdvipa.c - see simdvipa.h. */
#include "tests/sim/simdvipa.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/simplex_impl.h"

#define VIPS      8
#define RANGE     ipaddr_v4(0x0A000060) /* 10.0.0.96/28 */
#define MASK      ipaddr_v4(0xFFFFFF00)
#define FAULTS    30
#define SEC       ((u64)USEC_PER_SEC)
#define HEAL_US   (60 * SEC)
#define BINDS_MAX 4

struct drill {
    struct simplex *p;
    struct sock *bound[XCF_SYSTEMS_MAX][BINDS_MAX];
    struct sysplex *bound_at[XCF_SYSTEMS_MAX]; /* the stack that they belong to */
    bool out[XCF_SYSTEMS_MAX];
    struct simdvipa_result r;
};

static struct ipaddr vip(u32 k) {
    return ipaddr_v4(0x0A000050 + k);
}

/* DVIPA k is defined on system k mod n; all others back it up, each with a rank of its own; odd ones move when idle. */
static void statement(struct sysplex *sx, u32 n, u32 i, u32 k, u64 now) {
    enum dvipa_moveable m = k & 1 ? DVIPA_WHENIDLE : DVIPA_IMMEDIATE;
    if (i == k % n)
        dvipa_define(sx, vip(k), MASK, m, now);
    else
        dvipa_backup(sx, vip(k), (u8)(1 + (i * 37 + k * 11) % 254), k & 2 ? MASK : IPADDR_ANY, m, now);
}

/* Every other system watches over itself: it leaves when its LAN is gone for 10 s or it has stood still, and comes back. */
static void monitored(u32 i, u64 seed, struct sysplex *sx, u64 now) {
    const struct monitor_config c = {.timer_sec = 10, .recovery = true, .autorejoin = true, .moninterface = true};
    if ((i + seed) & 1) return;
    link_find(sysplex_stack(sx), "LAN")->monsysplex = true;
    monitor_configure(sx, &c, now);
}

static void profile(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    const struct simplex_params *par = ctx;
    monitored(i, par->seed, sx, now);
    for (u32 k = 0; k < VIPS; k++) statement(sx, par->systems, i, k, now);
    dvipa_range(sx, RANGE, ipaddr_v4(0xFFFFFFF0), i & 1 ? DVIPA_DISRUPTIVE : DVIPA_NONDISRUPTIVE, now);
}

static void digest(struct drill *d, u32 v) {
    d->p->digest = (d->p->digest ^ v) * 16777619u;
}

/* Sockets of a stack that is gone went with it. */
static void binds_sync(struct drill *d, u32 i) {
    struct sysplex *sx = simplex_sysplex(d->p, i);
    if (sx && sx == d->bound_at[i] && sx->stk == simplex_stack(d->p, i)) return;
    memset(d->bound[i], 0, sizeof d->bound[i]);
    d->bound_at[i] = sx;
}

static void bind_or_close(struct drill *d, u32 i) {
    struct simplex *p = d->p;
    struct stack *stk = simplex_stack(p, i);
    u32 slot = simplex_random(p, BINDS_MAX);
    binds_sync(d, i);
    if (!stk) return;
    u64 now = simplex_local(p, i);
    if (d->bound[i][slot]) {
        sock_close(d->bound[i][slot], now);
        d->bound[i][slot] = NULL;
        return;
    }
    struct sock *s;
    if (sock_open(stk, SOCK_TCP, "DRILL", &s)) return;
    int rc = sock_bind(s, ipaddr_v4(RANGE.v4 + simplex_random(p, 16)), (u16)(2000 + slot), now);
    if (rc == 0)
        d->bound[i][slot] = s;
    else
        sock_close(s, now);
}

static void forget_binds(struct drill *d, u32 i) {
    memset(d->bound[i], 0, sizeof d->bound[i]);
    d->bound_at[i] = NULL;
}

static void configuration(struct drill *d, u32 i, u32 k) {
    struct simplex *p = d->p;
    struct sysplex *sx = simplex_sysplex(p, i);
    u64 now = simplex_node_now(&p->node[i]);
    if (!sx) return;
    switch (simplex_random(p, 6)) {
    case 0: dvipa_deactivate(sx, vip(k), now); break;
    case 1: dvipa_reactivate(sx, vip(k), now); break;
    case 2: dvipa_delete(sx, vip(k), now); break;
    case 3: statement(sx, p->par.systems, i, k, now); break;
    case 4: sysplex_leavegroup(sx, now); break;
    default: sysplex_joingroup(sx, now); break;
    }
}

/* Pulls the cable, or plugs it in again. */
static void cable(struct simplex *p, u32 i, bool only_in) {
    struct stack *stk = simplex_stack(p, i);
    struct link *lan = stk ? link_find(stk, "LAN") : NULL;
    if (!lan || (lan->up && only_in)) return;
    if (lan->up)
        link_lan_down(lan, simplex_local(p, i));
    else
        link_lan_up(lan, simplex_local(p, i));
}

static void fault(struct drill *d) {
    struct simplex *p = d->p;
    struct simxcf *x = p->x;
    u32 n = p->par.systems, i = simplex_random(p, n), j = simplex_random(p, n);
    struct sim_sys *y = &x->sys[i];
    d->r.faults++;
    switch (simplex_random(p, 13)) {
    case 0:
        simxcf_kill(x, i, true);
        forget_binds(d, i);
        break;
    case 1:
    case 2:
        if (!y->up || (y->waiting && !y->paused)) {
            simxcf_kill(x, i, true);
            simplex_start_system(p, i);
            forget_binds(d, i);
        }
        break;
    case 3: simxcf_pause(x, i, true); break;
    case 4: simxcf_pause(x, i, false); break;
    case 5:
        simplex_stop_stack(p, i);
        forget_binds(d, i);
        break;
    case 6:
        if (y->up && !y->paused && !y->waiting) simplex_start_stack(p, i);
        break;
    case 7:
    case 8: configuration(d, i, simplex_random(p, VIPS)); break;
    case 9:
        if (i != j) simxcf_path(x, i, j, simplex_random(p, SIMXCF_PATHS), SIMXCF_DOWN);
        break;
    case 10: cable(p, i, false); break;
    default: bind_or_close(d, i); break;
    }
}

static void clients(struct drill *d) {
    struct simplex *p = d->p;
    for (u32 i = 0; i < SIMPLEX_SESSIONS; i++) {
        struct simplex_session *e = &p->session[i];
        if (e->used && e->paused && simplex_random(p, 8) == 0) simplex_resume(e);
        if (!e->used || !e->ended) continue;
        digest(d, e->got);
        d->r.whole += !e->failed;
        simplex_forget(e);
    }
    for (u32 k = simplex_random(p, 6); k; k--) {
        /* One after the other: the order of arguments is the compiler's affair. */
        u32 bytes = simplex_random(p, 500000), to = simplex_random(p, VIPS);
        struct simplex_session *e = simplex_fetch(p, simplex_random(p, SIMPLEX_CLIENTS), vip(to), bytes);
        if (!e) continue;
        e->paused = simplex_random(p, 2); /* its window closes, and it outlives a move or two of its address */
        d->r.sessions++;
    }
}

/* Everything runs again, is a member, and says what its profile says. */
static void heal(struct drill *d) {
    struct simplex *p = d->p;
    struct simxcf *x = p->x;
    p->par.loss_permille = 0;
    /* What waits for an idle owner must not wait for a client that does not read. */
    for (u32 i = 0; i < SIMPLEX_SESSIONS; i++)
        if (p->session[i].used) simplex_resume(&p->session[i]);
    simxcf_heal(x);
    for (u32 round = 0; round < 10; round++) {
        for (u32 i = 0; i < p->par.systems; i++) {
            struct sim_sys *y = &x->sys[i];
            if (y->waiting) simxcf_kill(x, i, true);
            if (!y->up) simplex_start_system(p, i), forget_binds(d, i);
            simplex_start_stack(p, i);
            struct sysplex *sx = simplex_sysplex(p, i);
            if (!sx) continue;
            u64 now = simplex_local(p, i);
            cable(p, i, true);
            sysplex_joingroup(sx, now);
            for (u32 k = 0; k < VIPS; k++) {
                dvipa_reactivate(sx, vip(k), now);
                statement(sx, p->par.systems, i, k, now);
            }
        }
        simplex_run(p, SEC);
    }
}

static void count(struct drill *d) {
    for (u32 i = 0; i < d->p->par.systems; i++) {
        if (!simplex_sysplex(d->p, i)) continue;
        const struct sysplex_counters *c = sysplex_counters(simplex_sysplex(d->p, i));
        d->r.takeovers += c->takeovers;
        d->r.takebacks += c->takebacks;
        d->r.given += c->given;
        d->r.kept += c->connections_kept;
        d->r.broken += c->connections_broken;
        d->r.forwarded += c->forwarded;
    }
}

/* After healing nothing stands still: each DVIPA of a statement has an owner. */
static bool owned(struct drill *d) {
    for (u32 k = 0; k < VIPS; k++)
        if (simplex_owner(d->p, vip(k)) < 0) return false;
    return true;
}

struct simdvipa_result simdvipa_random(u64 seed, u32 systems) {
    struct drill d = {.r = {.seed = seed}};
    struct simplex_params par = {.seed = seed, .systems = systems ? systems : 2 + (u32)(seed % 5), .profile = profile};
    const char *why = "";
    par.ctx = &par;
    par.drift_ppm = 200;
    par.loss_permille = (u32)(seed % 3) * 5;
    par.slice_us = 1000;
    d.p = simplex_create(&par);
    d.p->digest = 2166136261u;
    simplex_run(d.p, 4 * SEC);
    for (u32 i = 0; i < FAULTS; i++) {
        fault(&d);
        clients(&d);
        simplex_run(d.p, simplex_random(d.p, 3) ? simplex_random(d.p, 400000) : simplex_random(d.p, 6000000));
    }
    heal(&d);
    u64 end = simxcf_now(d.p->x) + HEAL_US;
    while ((!simplex_converged(d.p, &why) || !owned(&d)) && simxcf_now(d.p->x) < end) simplex_run(d.p, SEC);
    if (!simplex_converged(d.p, &why)) simplex_fail(d.p, "not converged after healing: %s", why);
    if (!owned(&d)) simplex_fail(d.p, "a DVIPA has no owner after healing");
    count(&d);
    clients(&d);
    d.r.systems = par.systems;
    d.r.simulated_us = simxcf_now(d.p->x);
    for (u32 k = 0; k < VIPS; k++) digest(&d, (u32)simplex_owner(d.p, vip(k)));
    d.r.digest = d.p->digest;
    simplex_destroy(d.p);
    return d.r;
}
