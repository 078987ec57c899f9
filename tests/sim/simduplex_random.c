/* simduplex_random.c - worlds of simduplex.h in which things happen by the draw of a seed. */
#include "tests/sim/simduplex.h"

static struct rebuild *of(struct simduplex *w, u32 system) { return simduplex_of(w, system); }

/* An operator's command, of those with a number below 9. */
static void command(struct simduplex *w, u32 system, u32 what) {
    struct simcf *z = simduplex_world(w);
    if (what < 6) rebuild_duplex(of(w, system), simcf_now(z));
    else if (what == 6) rebuild_simplex(of(w, system), simcf_random(z, 2), simcf_now(z));
    else if (what == 7) rebuild_stop(of(w, system), simcf_now(z));
    else rebuild_start(of(w, system), NULL, simcf_now(z));
}

static void fault(struct simduplex *w) {
    struct simcf *z = simduplex_world(w);
    u32 system = simcf_random(z, simduplex_systems(w)), facility = simcf_random(z, SIMCF_FACILITIES), what = simcf_random(z, 16);
    if (!simduplex_lives(w, system)) return;
    if (what < 9) command(w, system, what);
    else if (what == 9) simcf_kill(z, facility);
    else if (what < 13) simcf_start(z, facility);
    else simcf_cut(z, system, facility, what == 13);
}

/* Everything works again, but for systems that are dead. */
static void heal(struct simduplex *w) {
    struct simcf *z = simduplex_world(w);
    for (u32 k = 0; k < SIMCF_FACILITIES; k++) {
        simcf_start(z, k);
        for (u32 i = 0; i < simduplex_systems(w); i++)
            if (simduplex_lives(w, i)) simcf_cut(z, i, k, false);
    }
}

static void end(struct simduplex *w, struct simduplex_result *sum) {
    heal(w);
    simduplex_check(w, NULL);
    simduplex_result(w, sum);
    simduplex_destroy(w);
}

void simduplex_random(u32 seed, u32 events, struct simduplex_result *sum) {
    struct simduplex *w = simduplex_create(2 + seed % 4, seed % 3 == 0, seed);
    bool one_dies = seed % 5 == 0;
    for (u32 i = 0; i < events; i++) {
        simduplex_steps(w, simcf_random(simduplex_world(w), 200));
        fault(w);
        if (i == events / 3) simduplex_load(w, false);
        if (one_dies && i == events / 2) simduplex_stop_half_done(w, 0, 400);
    }
    end(w, sum);
}

/* ---- one loss at a time ---- */

static bool all_are(struct simduplex *w, enum rebuild_state state) {
    for (u32 i = 0; i < simduplex_systems(w); i++)
        if (simduplex_lives(w, i) && rebuild_state(of(w, i)) != state) return false;
    return true;
}

/* A facility, a link, or once a system, which needs no end of the pair. true: one of the pair is lost for somebody. */
static bool harm(struct simduplex *w, bool *may_die) {
    struct simcf *z = simduplex_world(w);
    u32 system = simcf_random(z, simduplex_systems(w)), facility = simcf_random(z, SIMCF_FACILITIES), what = simcf_random(z, 5);
    if (!simduplex_lives(w, system)) return false;
    if (what == 0 && *may_die) {
        *may_die = false;
        simduplex_stop(w, system);
        return false;
    }
    if (what < 3) simcf_kill(z, facility);
    else simcf_cut(z, system, facility, true);
    return true;
}

void simduplex_one_at_a_time(u32 seed, u32 events, struct simduplex_result *sum) {
    struct simduplex *w = simduplex_create(2 + seed % 4, seed % 3 == 0, seed);
    struct simcf *z = simduplex_world(w);
    bool may_die = seed % 5 == 0;
    /* One of the two is given up: an operator who chooses the other one at that moment takes away what is left. */
    bool ends = false;
    for (u32 i = 0; i < events; i++) {
        simduplex_steps(w, simcf_random(z, 300));
        u32 system = simcf_random(z, simduplex_systems(w)), what = simcf_random(z, 16);
        if (i == events / 3) simduplex_load(w, true);
        ends &= !all_are(w, REBUILD_IN_USE);
        if (what > 13) {
            heal(w);
        } else if (what > 8 && !ends && all_are(w, REBUILD_DUPLEX)) {
            ends = harm(w, &may_die);
        } else if (what < 9 && !ends && simduplex_lives(w, system)) {
            command(w, system, what);
        }
    }
    CHECK(simduplex_losses(w) == 0);
    end(w, sum);
}
