/* simdist_drill.c - faults drawn from a seed, then healing, convergence and draining. See simdist.h. */
#include "tests/sim/simdist_impl.h"

#define MANY        10000 /* sessions from which on few are long, and tables are large */
#define STUCK_US    (1500 * USEC_PER_MSEC) /* longer than a planned change of owner takes, and than a client's first patience */
#define MANY_FAULT_US (USEC_PER_SEC / 4)
#define STEP_US     (100 * USEC_PER_MSEC)
#define FAULTS_US   (90 * (u64)USEC_PER_SEC)
#define SETTLE_US   (180 * (u64)USEC_PER_SEC)
#define DRAIN_US    (60 * (u64)USEC_PER_SEC) /* after the first minute: beyond the longest retransmission time-out */

/* ---- faults ---- */

static u32 any(struct simdist *s) { return simplex_random(s->p, s->par.systems); }

static void on_stack(struct simdist *s, u32 i, u32 what) {
    struct node *n = &s->p->node[i];
    u64 now = simplex_node_now(n);
    if (!simplex_runs(n) || !n->sx) return;
    switch (what) {
    case 0: dvipa_deactivate(n->sx, SIMDIST_VIP, now); break;
    case 1: dvipa_reactivate(n->sx, SIMDIST_VIP, now); break;
    case 2: sysplex_leavegroup(n->sx, now); break;
    case 3: sysplex_joingroup(n->sx, now); break;
    default: simplex_stop_stack(s->p, i); break;
    }
}

/* Its server listens, or does not; it takes connections, or is quiesced. */
static void listens(struct simdist *s, u32 i, bool on, bool quiesces) {
    struct distributor *d = simdist_distributor(s, i);
    const struct dist_quiesce all = {.target = true};
    struct node *n = &s->p->node[i];
    u64 now = simplex_node_now(n);
    if (!d) return;
    if (on) {
        distributor_resume(d, &all, now);
        simplex_listen(n);
    } else if (quiesces) {
        distributor_quiesce(d, &all, now);
    } else if (n->listener) {
        /* What it has not accepted is reset, and so is a SYN that is on its way to it. */
        sock_close(n->listener, now), n->listener = NULL;
        s->turned_at[i] = simxcf_now(s->p->x);
    }
    s->deaf[i] = !on;
    n->due = 0;
}

/* Whatever ails it is mended. */
static void restart(struct simdist *s, u32 i) {
    struct sim_sys *y = &s->p->x->sys[i];
    simxcf_pause(s->p->x, i, false);
    if (y->waiting) simxcf_kill(s->p->x, i, true);
    if (!y->up)
        simplex_start_system(s->p, i), s->deaf[i] = false;
    else
        simplex_start_stack(s->p, i);
    on_stack(s, i, 1);
    on_stack(s, i, 3);
    listens(s, i, true, false);
}

/* The first one from i on that is not well, else i. */
static u32 patient(struct simdist *s, u32 i) {
    for (u32 k = 0; k < s->par.systems; k++) {
        u32 n = (i + k) % s->par.systems;
        if (s->bad[n] || s->deaf[n] || s->p->x->sys[n].paused) return n;
    }
    return i;
}

static void fault(struct simdist *s) {
    u32 a = any(s), b = any(s), drawn;
    if (a == b) b = (b + 1) % s->par.systems;
    s->r.faults++;
    switch (simplex_random(s->p, s->par.iqd ? 19 : 17)) {
    case 0:
    case 1: simxcf_kill(s->p->x, a, simplex_random(s->p, 2)); break;
    case 2:
    case 3:
    case 4: restart(s, patient(s, a)); break;
    case 5: simxcf_pause(s->p->x, a, true); break;
    case 6:
    case 7: simxcf_pause(s->p->x, a, false); break;
    case 8: simxcf_pair(s->p->x, a, b, SIMXCF_SILENT); break;
    case 9: simxcf_heal(s->p->x); break;
    case 14: listens(s, a, false, false); break;
    case 15: listens(s, a, false, true); break;
    case 16: listens(s, a, true, false); break;
    case 17: simplex_iqd(s->p, a, 0); break;
    case 18: simplex_iqd(s->p, a, IQD_LAN); break;
    case 10: /* the order of arguments is the compiler's affair */
        drawn = simplex_random(s->p, 20);
        simxcf_noise(s->p->x, simplex_random(s->p, 30), drawn);
        break;
    default: on_stack(s, a, simplex_random(s->p, 5)); break;
    }
}

/* A card stands still: what it holds comes when the DVIPA has another owner perhaps, who is sometimes made at once. */
static void stuck(struct simdist *s, struct simplex *dice) {
    bool iqd = simplex_random(dice, 2);
    u32 us = simplex_random(dice, STUCK_US);
    simplex_lan_stuck(s->p, iqd, us);
    const char *why;
    bool moves = simplex_random(dice, 2);
    simdist_run(s, simplex_random(dice, us) / 2);
    i32 owner = simplex_owner(s->p, SIMDIST_VIP);
    /* If nobody could take it, it would go down with its connections: there has to be a backup, and nobody who sees it otherwise. */
    if (!simplex_converged(s->p, &why)) return;
    for (u32 i = 0; moves && owner >= 0 && i < s->par.systems; i++) {
        if (simplex_status(s->p, i, SIMDIST_VIP) != DVIPA_BACKUP) continue;
        on_stack(s, (u32)owner, 0);
        s->r.faults++;
        return;
    }
}

static void settle(struct simdist *s) {
    const char *why = "";
    simxcf_heal(s->p->x);
    simxcf_noise(s->p->x, 0, 0);
    for (u64 end = simxcf_now(s->p->x) + SETTLE_US; simxcf_now(s->p->x) < end;) {
        for (u32 i = 0; i < s->par.systems; i++) restart(s, i);
        simdist_run(s, USEC_PER_SEC);
        if (simdist_settled(s, &why)) return;
    }
    simdist_show(s);
    simplex_fail(s->p, "not settled %llu s after the faults: %s", (unsigned long long)(SETTLE_US / USEC_PER_SEC), why);
}

/* A client that only reads learns of its server's death when somebody tells it; if the routing stack, the server and both of the
 * stacks that had copies died together, nobody can. It is excused, counted, and hangs up. */
static void hang_up_harmed(struct simdist *s) {
    for (u32 i = 0; i < WATCHED_MAX; i++) {
        struct simplex_session *e = s->watched[i];
        if (!e || !simdist_was_harmed(s, i)) continue;
        s->r.sessions++, s->r.harmed++, s->r.silent++;
        simplex_forget(e);
        s->watched[i] = NULL;
        s->open--;
    }
}

static void drain(struct simdist *s) {
    simdist_run(s, 60 * (u64)USEC_PER_SEC);
    hang_up_harmed(s);
    const char *why = "";
    for (u64 end = simxcf_now(s->p->x) + DRAIN_US; simxcf_now(s->p->x) < end;) {
        simdist_run(s, USEC_PER_SEC);
        if (simdist_drained(s, &why) && !s->open) return;
    }
    simdist_show(s);
    simplex_fail(s->p, "drain: %u sessions open; left: %s", s->open, why);
}

struct simdist_result simdist_random(u64 seed, u32 systems, u32 sessions) {
    struct simplex dice = {.random = seed * 0x9E3779B97F4A7C15u + 77};
    struct simdist_params par = {.seed = seed, .systems = systems};
    if (!systems) par.systems = 3 + simplex_random(&dice, 4);
    par.method = (enum dist_method)simplex_random(&dice, 3);
    par.affinity_sec = (u16)(simplex_random(&dice, 3) ? 0 : 1 + simplex_random(&dice, 20));
    par.backup_has_own = simplex_random(&dice, 2);
    par.loss_permille = simplex_random(&dice, 3) ? 0 : simplex_random(&dice, 10);
    par.policy = (enum simdist_policy)simplex_random(&dice, 3);
    par.iqd = simplex_random(&dice, 2);
    struct simplex more = {.random = seed * 0xD1B54A32D192ED03u + 5};
    par.gre = simplex_random(&more, 3) == 0;
    par.stuck = simplex_random(&more, 2);
    par.calls = simplex_random(&more, 2) && sessions < MANY;
    par.many = sessions >= MANY;
    par.rows = par.many ? 16384 : 0;
    if (par.many) par.affinity_sec = 0; /* or two clients would keep two servers busy */
    struct simdist *s = simdist_create(&par);
    u32 started = 0;
    simdist_run(s, 3 * (u64)USEC_PER_SEC);
    u64 begin = simxcf_now(s->p->x), next = begin;
    /* Beyond the drill's time if clients were short of ports while an owner was away. */
    while (simxcf_now(s->p->x) - begin < (started < sessions ? 3 * FAULTS_US : FAULTS_US)) {
        u64 share = u64_min(sessions, (u64)sessions * (simxcf_now(s->p->x) - begin + STEP_US) / FAULTS_US);
        while (started < share && simdist_fetch(s, simplex_random(s->p, par.many ? 100 : 3) ? simplex_random(s->p, 3000) : 200000)) started++;
        if (simxcf_now(s->p->x) >= next) {
            fault(s);
            next = simxcf_now(s->p->x) + (1 + simplex_random(s->p, 5)) * (u64)(par.many ? MANY_FAULT_US : USEC_PER_SEC);
        }
        for (u32 i = 0; i < par.systems; i++) simdist_use_port(s, i);
        if (par.calls) simdist_call(s, simplex_random(&more, par.systems));
        if (par.stuck && simplex_random(&more, 20) == 0) stuck(s, &more);
        simdist_check_ports(s);
        simdist_run(s, STEP_US);
    }
    settle(s);
    simdist_check_ports(s);
    drain(s);
    struct simdist_result r = s->r;
    for (u32 i = 0; i < par.systems; i++) {
        r.takeovers += distributor_counters(s->d[i])->takeovers;
        r.routed += distributor_counters(s->d[i])->routed;
        r.resets += distributor_counters(s->d[i])->resets_sent;
    }
    r.seed = seed, r.systems = par.systems, r.simulated_us = simxcf_now(s->p->x);
    r.digest = s->p->x->digest ^ (r.whole * 2654435761u + r.routed);
    simdist_destroy(s);
    return r;
}
