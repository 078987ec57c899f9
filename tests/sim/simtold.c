/* simtold.c - clients that only read, on simulated systems that die. See simtold.h. */
#include "tests/sim/simtold.h"

#include <string.h>

#include "sysplex/dist_impl.h"
#include "tests/sim/simdist.h"
#include "tests/sim/simplex_impl.h"

#define TOLD_US      (300 * USEC_PER_MSEC)
#define LOSSY_US     (3 * (u64)USEC_PER_SEC) /* each time of telling, and some for the acknowledgement of the last one */
#define BYTES        300000u /* more than windows and buffers hold: the server has something left to send */
#define EACH         3u      /* sessions of a system, about */
#define SESSIONS_MAX (EACH * XCF_SYSTEMS_MAX)
#define YOUNG_US     (150 * USEC_PER_MSEC) /* COPY_DELAY_US passes up to twice before the next owners have a row */
#define KNOWN_US     (60 * (u64)USEC_PER_SEC)
#define SETTLE_US    (120 * (u64)USEC_PER_SEC)
#define VICTIMS      2u /* whoever survives was one of the next owners, or is told by one */
#define DYNXCF(i)    ipaddr_v4(0xC109C801u + (i))

struct told {
    struct simdist *s;
    struct simplex *p;
    u32 systems;
    bool lossy;
    struct simplex_session *e[SESSIONS_MAX];
    u32 sessions;
    bool dead[XCF_SYSTEMS_MAX];
    struct simtold_result r;
};

static u64 now_of(const struct told *t) { return simxcf_now(t->p->x); }
static u32 draw(struct told *t, u32 n) { return simplex_random(t->p, n); }

/* ---- a round begins ---- */

static void settle(struct told *t) {
    const char *why = "";
    for (u64 end = now_of(t) + SETTLE_US; now_of(t) < end;) {
        for (u32 i = 0; i < t->systems; i++) {
            struct sim_sys *y = &t->p->x->sys[i];
            if (y->paused) simxcf_pause(t->p->x, i, false);
            if (y->waiting) simxcf_kill(t->p->x, i, true);
            if (!y->up) simplex_start_system(t->p, i);
            struct sysplex *sx = simplex_sysplex(t->p, i);
            if (sx) dvipa_reactivate(sx, SIMDIST_VIP, simplex_local(t->p, i));
        }
        simdist_run(t->s, USEC_PER_SEC);
        if (simdist_settled(t->s, &why)) return;
    }
    simplex_fail(t->p, "not settled: %s", why);
}

/* A millisecond after the other; whoever knows his server reads no more. true: all n do. */
static bool still(struct told *t, u32 n, u32 ms) {
    bool all = false;
    for (u32 k = 0; k < ms; k++) {
        simdist_run(t->s, USEC_PER_MSEC);
        all = true;
        for (u32 i = 0; i < n; i++) all &= t->e[i]->paused = t->e[i]->server >= 0;
        if (all && n == t->sessions) break;
    }
    return all;
}

/* Some of them have lived for longer than others when the fault comes. */
static void hold(struct told *t) {
    t->sessions = t->systems * EACH;
    for (u32 i = 0; i < t->sessions; i++) {
        t->e[i] = simplex_fetch(t->p, i % SIMPLEX_CLIENTS, SIMDIST_VIP, BYTES);
        CHECK(t->e[i]);
        still(t, i + 1, 1 + draw(t, 40));
    }
    if (!still(t, t->sessions, 10000)) simplex_fail(t->p, "a session has no server before any fault");
    simdist_run(t->s, YOUNG_US);
}

/* ---- faults ---- */

static void harm(struct told *t, u32 i) {
    t->dead[i] = true;
    t->r.deaths++;
    simdist_harmed(t->s, i);
    if (draw(t, 2))
        simxcf_kill(t->p->x, i, draw(t, 2));
    else
        simxcf_pause(t->p->x, i, true);
}

/* The owner more often than others; nobody twice. */
static u32 victim(struct told *t) {
    i32 owner = simplex_owner(t->p, SIMDIST_VIP);
    if (owner >= 0 && !t->dead[owner] && draw(t, 2)) return (u32)owner;
    u32 i = draw(t, t->systems);
    while (t->dead[i]) i = (i + 1) % t->systems;
    return i;
}

/* A routing stack is there that has no target any more which is dead. */
static bool known(const struct told *t) {
    i32 owner = simplex_owner(t->p, SIMDIST_VIP);
    const struct distributor *d = owner >= 0 ? simdist_distributor(t->s, (u32)owner) : NULL;
    if (!d || !distributor_routes(d, SIMDIST_VIP)) return false;
    for (u32 i = 0; i < t->systems; i++)
        if (t->dead[i] && distributor_slot(d, DYNXCF(i)) != VDPT_NOBODY) return false;
    return true;
}

static void until_known(struct told *t) {
    for (u64 end = now_of(t) + KNOWN_US; !known(t);) {
        if (now_of(t) >= end) simplex_fail(t->p, "told: nobody routes who knows of the deaths");
        simdist_run(t->s, USEC_PER_MSEC);
    }
}

static void faults(struct told *t) {
    i32 owner = simplex_owner(t->p, SIMDIST_VIP);
    bool moves = draw(t, 3) == 0; /* then one dies: who has given the address up does not take it again */
    u32 n = moves ? 1 : 1 + draw(t, VICTIMS), gap = draw(t, 4), us = draw(t, 3) ? 20 * USEC_PER_MSEC : 2 * USEC_PER_SEC;
    if (moves) {
        dvipa_deactivate(simplex_sysplex(t->p, (u32)owner), SIMDIST_VIP, simplex_local(t->p, (u32)owner));
        simdist_run(t->s, draw(t, us));
    }
    for (u32 i = 0; i < n; i++) {
        if (i && gap > 1) until_known(t);
        if (i && gap != 2) simdist_run(t->s, draw(t, us));
        harm(t, victim(t));
    }
    until_known(t);
}

/* ---- judgement ---- */

static void judge(struct told *t) {
    u64 at = now_of(t);
    simdist_run(t->s, t->lossy ? LOSSY_US : TOLD_US);
    for (u32 i = 0; i < t->sessions; i++) {
        const struct simplex_session *e = t->e[i];
        bool dead = t->dead[e->server];
        t->r.sessions++;
        if (dead && (!e->ended || e->err != ERR_CONNRESET))
            simplex_fail(t->p, "told: session %u of system %d, dead, which was known at %llu us, has heard nothing", i, e->server,
                         (unsigned long long)at);
        if (!dead && e->ended) simplex_fail(t->p, "lived: session %u of system %d has ended with error %d", i, e->server, e->err);
        t->r.told += dead, t->r.stood += !dead;
        if (dead && e->ended_at > at) t->r.longest_us = u64_max(t->r.longest_us, e->ended_at - at);
    }
    for (u32 i = 0; i < t->sessions; i++) simplex_forget(t->e[i]);
}

/* A client that has hung up and whose last segments were lost has not ended its connection: the server asks, more and more seldom. The owner has its
 * row, of which a next owner has a copy, as long as it stands at its target (simdist_stands()). */
static bool stands_open(const struct told *t, const struct distributor *d, const struct vcrt_row *copy) {
    i32 owner = simplex_owner(t->p, SIMDIST_VIP);
    const struct distributor *at = owner >= 0 ? simdist_distributor(t->s, (u32)owner) : NULL;
    const struct vcrt_row *row = at ? vcrt_find(distributor_vcrt(at), &copy->key) : NULL;
    if (!t->lossy || copy->target == VCRT_LOST || !row || row->state == VCRT_ENDED) return false;
    bool same = ipaddr_eq(distributor_slot_addr(d, copy->target), distributor_slot_addr(at, row->target));
    return same && simdist_stands(t->s, at, row);
}

/* Copies are for connections that stand open, and nobody has any for another reason. */
static void no_copies_left(struct told *t) {
    for (u32 i = 0; i < t->systems; i++) {
        const struct distributor *d = simdist_distributor(t->s, i);
        u32 n = 0;
        for (const struct vcrt_row *r = NULL; d && (r = vcrt_walk(&d->copies, r)) != NULL;) n += !stands_open(t, d, r);
        if (n) simplex_fail(t->p, "before: system %u keeps %u copies of connections that are all over", i, n);
    }
}

struct simtold_result simtold_random(u64 seed, u32 systems, u32 rounds) {
    struct simplex dice = {.random = seed * 0x9E3779B97F4A7C15u + 99};
    struct simdist_params par = {.seed = seed, .systems = systems, .method = DIST_ROUNDROBIN};
    if (!systems) par.systems = 3 + simplex_random(&dice, 4);
    par.backup_has_own = simplex_random(&dice, 2);
    par.iqd = simplex_random(&dice, 2);
    par.gre = simplex_random(&dice, 4) == 0;
    par.loss_permille = simplex_random(&dice, 3) ? 0 : 1 + simplex_random(&dice, 10);
    struct told t = {.systems = par.systems, .lossy = par.loss_permille > 0};
    t.s = simdist_create(&par);
    t.p = simdist_plex(t.s);
    simdist_run(t.s, 3 * (u64)USEC_PER_SEC);
    for (u32 i = 0; i < rounds; i++) {
        memset(t.dead, 0, sizeof t.dead);
        settle(&t);
        hold(&t);
        faults(&t);
        judge(&t);
    }
    settle(&t);
    simdist_run(t.s, 20 * (u64)USEC_PER_SEC);
    no_copies_left(&t);
    t.r.seed = seed, t.r.systems = par.systems, t.r.rounds = rounds, t.r.simulated_us = now_of(&t), t.r.digest = t.p->x->digest;
    simdist_destroy(t.s);
    return t.r;
}
