/* simxcf_drill.c - the random drill: faults from the seed while members work, then heal, then convergence in
 * a bound. */
#include "tests/sim/simxcf_impl.h"

#include "base/str.h"

#define STEP_US     (200 * USEC_PER_MSEC)
#define FAULTS_US   (120 * (u64)USEC_PER_SEC)
#define CONVERGE_US (90 * (u64)USEC_PER_SEC)

static u32 any(struct simxcf *s) {
    return sim_random(s, s->p.systems);
}
static enum simxcf_wire broken(struct simxcf *s) {
    return sim_random(s, 2) ? SIMXCF_DOWN : SIMXCF_SILENT;
}

static void cut_halves(struct simxcf *s, enum simxcf_wire w, bool arbiter_too) {
    u32 side = sim_random(s, 1u << u32_min(s->p.systems, 16));
    for (u32 i = 0; i < s->p.systems; i++) {
        if (arbiter_too && (side >> (i & 15) & 1)) simxcf_reach(s, i, false);
        for (u32 j = 0; j < i; j++)
            if ((side >> (i & 15) & 1) != (side >> (j & 15) & 1)) simxcf_pair(s, i, j, w);
    }
}

static void mend(struct simxcf *s) {
    for (u32 i = 0; i < s->p.systems; i++) {
        simxcf_reach(s, i, true);
        for (u32 j = 0; j < i; j++) simxcf_pair(s, i, j, SIMXCF_OK);
    }
}

/* Lost emulators are started again; so are those that have loaded their wait state. */
static void restart(struct simxcf *s, u32 i) {
    struct sim_sys *y = &s->sys[i];
    if (y->waiting && !y->paused) simxcf_kill(s, i, true);
    if (!y->up) simxcf_start(s, i);
}

/* Each value is drawn by a statement of its own: the order of arguments is the compiler's affair, and the seed's meaning must not be. */
static void fault(struct simxcf *s) {
    u32 a = any(s), b = any(s), drawn;
    enum simxcf_wire wire;
    if (a == b) b = (b + 1) % s->p.systems;
    switch (sim_random(s, 15)) {
    case 0: simxcf_kill(s, a, sim_random(s, 2)); break;
    case 1:
    case 2: restart(s, a); break;
    case 3:
    case 4: simxcf_pause(s, a, true); break;
    case 5:
    case 6: simxcf_pause(s, a, false); break;
    case 7:
        wire = broken(s);
        simxcf_path(s, a, b, sim_random(s, SIMXCF_PATHS), wire);
        break;
    case 8:
        simxcf_pair(s, a, b, broken(s));
        s->r.cuts++;
        break;
    case 9:
        drawn = sim_random(s, 2);
        cut_halves(s, broken(s), drawn);
        s->r.cuts++;
        break;
    case 10: simxcf_reach(s, a, false); break;
    case 11:
        drawn = sim_random(s, 20);
        simxcf_noise(s, sim_random(s, 40), drawn);
        break;
    case 12: mend(s); break;
    case 13: /* all lose the arbiter */
        for (u32 i = 0; i < s->p.systems; i++) simxcf_reach(s, i, false);
        break;
    case 14: simxcf_arbiter_slow(s, sim_random(s, 2500) * (u64)USEC_PER_MSEC); break;
    default: break;
    }
}

static void converge(struct simxcf *s) {
    u64 end = s->now + CONVERGE_US;
    const char *why = "";
    simxcf_heal(s);
    simxcf_arbiter_slow(s, 0);
    while (s->now < end) {
        for (u32 i = 0; i < s->p.systems; i++) restart(s, i);
        simxcf_run(s, USEC_PER_SEC);
        if (simxcf_converged(s, &why)) return;
    }
    sim_fail(s, "not converged %llu s after the faults: %s", (unsigned long long)(CONVERGE_US / USEC_PER_SEC),
             why);
}

struct simxcf_result simxcf_random(u64 seed, u32 systems) {
    return simxcf_random_with(seed, systems, NULL);
}

struct simxcf_result simxcf_random_with(u64 seed, u32 systems, const struct simxcf_guest *guest) {
    struct simxcf_params p = {.seed = seed, .systems = systems, .operators = true, .drift_ppm = 300, .guest = guest};
    struct couple c;
    struct simxcf probe = {.random = seed * 0x9E3779B97F4A7C15u + 99};
    couple_default(&c);
    str_copy(c.sysplex, sizeof c.sysplex, "PLEX1");
    c.interval_s = c.cleanup_s = 5;
    if (!systems) p.systems = 2 + sim_random(&probe, 5);
    p.arbiter = sim_random(&probe, 5) != 0 || (guest && guest->needs_arbiter);
    c.sfm.active = sim_random(&probe, 2);
    c.sfm.connfail = sim_random(&probe, 4) != 0;
    c.sfm.systems = 1;
    c.sfm.system[0] = (struct couple_sfm_system){.name = "*", .weight = 1 + sim_random(&probe, 3)};
    c.sfm.system[0].prompt = sim_random(&probe, 5) == 0;
    c.sfm.system[0].isolate_s = sim_random(&probe, 3);
    p.couple = &c;
    struct simxcf *s = simxcf_create(&p);
    simxcf_run(s, 5 * (u64)USEC_PER_SEC);
    u64 next = s->now;
    while (s->now < FAULTS_US) {
        sim_app_work(s);
        if (s->now >= next) {
            fault(s);
            next = s->now + (1 + sim_random(s, 6)) * (u64)USEC_PER_SEC;
        }
        simxcf_run(s, STEP_US);
    }
    converge(s);
    struct simxcf_result r = s->r;
    for (u32 i = 0; i < p.systems; i++) r.resent += xcf_counters(s->sys[i].xcf)->segments_again;
    r.seed = seed;
    r.systems = p.systems;
    r.simulated_us = s->now;
    r.digest = s->digest;
    simxcf_destroy(s);
    return r;
}
