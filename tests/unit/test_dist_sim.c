/* test_dist_sim.c - the distributor on whole simulated systems: XCF, claims of DVIPAs, dynamic XCF links, a LAN. One drill of
 * faults; and the scenarios of which the books speak, by name. `plexsim dist` runs more seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/sim/simtold.h"
#include "tests/unit/distsim.h"

#define SEC ((u64)USEC_PER_SEC)

static struct simdist *plex(u32 systems, enum dist_method m) {
    struct simdist_params p = {.seed = 11, .systems = systems, .method = m};
    struct simdist *s = distsim_up(&p);
    distsim_settled(s);
    return s;
}

static u32 served_by(struct simplex_session **e, u32 n, i32 system) {
    u32 count = 0;
    for (u32 i = 0; i < n; i++) count += e[i]->server == system;
    return count;
}

/* Sessions that stand open on every system, begun at the present owner. */
static void hold(struct simdist *s, struct simplex_session **e, u32 n) {
    distsim_fetch(s, e, n, 300000);
    distsim_hold(s, e, n);
    for (u32 i = 0; i < n; i++) assert_true(e[i]->connected && !e[i]->ended && e[i]->server >= 0);
}

static void finish(struct simdist *s, struct simplex_session **e, u32 n, i32 lost) {
    for (u32 i = 0; i < n; i++)
        if (!e[i]->ended) simplex_resume(e[i]);
    simdist_run(s, 20 * SEC);
    for (u32 i = 0; i < n; i++) {
        if (e[i]->server == lost) continue;
        assert_true(e[i]->ended && !e[i]->failed && e[i]->got == 300000);
    }
    for (u32 i = 0; i < n; i++) simplex_forget(e[i]);
    simdist_run(s, 30 * SEC);
    const char *why;
    if (simdist_drained(s, &why)) return;
    simdist_show(s);
    fail_msg("not drained");
}

static void shared_in_turn(void **state) {
    struct simdist *s = plex(4, DIST_ROUNDROBIN);
    struct simplex_session *e[16];
    UNUSED(state);
    hold(s, e, 16);
    for (i32 i = 0; i < 4; i++) assert_int_equal(served_by(e, 16, i), 4);
    finish(s, e, 16, -1);
    simdist_destroy(s);
}

static void the_distributor_dies(void **state) {
    struct simdist *s = plex(4, DIST_ROUNDROBIN);
    struct simplex_session *e[16];
    UNUSED(state);
    hold(s, e, 16);
    simxcf_kill(simplex_xcf(simdist_plex(s)), 0, true);
    simdist_run(s, 3 * SEC);
    assert_int_equal(simplex_owner(simdist_plex(s), SIMDIST_VIP), 1);
    assert_true(distributor_routes(simdist_distributor(s, 1), SIMDIST_VIP));
    finish(s, e, 16, 0);
    /* And it comes back: nobody notices. */
    hold(s, e, 9);
    simplex_start_system(simdist_plex(s), 0);
    simdist_run(s, 10 * SEC);
    assert_int_equal(simplex_owner(simdist_plex(s), SIMDIST_VIP), 0);
    finish(s, e, 9, -1);
    simdist_destroy(s);
}

/* Of a target that dies the clients hear at once when its system is known to be gone. */
static void a_target_dies(void **state) {
    struct simdist *s = plex(4, DIST_ROUNDROBIN);
    struct simplex_session *e[16];
    UNUSED(state);
    hold(s, e, 16);
    u64 died = simxcf_now(simplex_xcf(simdist_plex(s)));
    simxcf_kill(simplex_xcf(simdist_plex(s)), 2, true);
    simdist_run(s, 2 * SEC);
    for (u32 i = 0; i < 16; i++) {
        assert_int_equal(e[i]->ended, e[i]->server == 2);
        if (e[i]->server != 2) continue;
        assert_int_equal(e[i]->err, ERR_CONNRESET);
        assert_true(e[i]->ended_at - died < 300 * USEC_PER_MSEC);
    }
    finish(s, e, 16, 2);
    simdist_destroy(s);
}

/* System 2 is loaded while no signal passes between it and system 1, so it has joined and is not in sync. When the routing stack dies system
 * 1 takes the DVIPA over without knowing of system 2: nothing may be lost by that. */
static void a_system_that_the_next_owner_has_not_met(void **state) {
    struct simdist *s = plex(3, DIST_ROUNDROBIN);
    struct simxcf *x = simplex_xcf(simdist_plex(s));
    struct simplex_session *e[8];
    UNUSED(state);
    simxcf_kill(x, 2, true);
    simdist_run(s, 3 * SEC);
    simxcf_pair(x, 1, 2, SIMXCF_SILENT);
    simplex_start_system(simdist_plex(s), 2);
    simdist_run(s, 5 * SEC);
    assert_int_equal(sysplex_state(simplex_sysplex(simdist_plex(s), 2)), SYSPLEX_JOINED);
    hold(s, e, 8);
    assert_int_equal(served_by(e, 8, 2), 0);
    simxcf_kill(x, 0, true);
    simdist_run(s, 3 * SEC);
    assert_int_equal(simplex_owner(simdist_plex(s), SIMDIST_VIP), 1);
    finish(s, e, 8, 0);
    simxcf_heal(x);
    simdist_run(s, 20 * SEC);
    hold(s, e, 8);
    assert_int_equal(served_by(e, 8, 2), 4);
    finish(s, e, 8, -1);
    simdist_destroy(s);
}

/* DEACTIVATE and REACTIVATE move the routing stack to and fro under load. */
static void planned_moves(void **state) {
    struct simdist *s = plex(3, DIST_WEIGHTEDACTIVE);
    struct simplex_session *e[12];
    UNUSED(state);
    hold(s, e, 12);
    for (u32 i = 0; i < 4; i++) {
        struct sysplex *sx = simplex_sysplex(simdist_plex(s), 0);
        u64 now = simplex_local(simdist_plex(s), 0);
        assert_int_equal(i & 1 ? dvipa_reactivate(sx, SIMDIST_VIP, now) : dvipa_deactivate(sx, SIMDIST_VIP, now), 0);
        simdist_run(s, SEC);
        assert_int_equal(simplex_owner(simdist_plex(s), SIMDIST_VIP), i & 1 ? 0 : 1);
        for (u32 k = 0; k < 30; k++) assert_non_null(simdist_fetch(s, 500));
        simdist_run(s, SEC);
        assert_int_equal(simdist_open(s), 0); /* each of them whole: simdist judges */
    }
    finish(s, e, 12, -1);
    simdist_destroy(s);
}

static void drills(void **state) {
    UNUSED(state);
    for (u64 seed = 100; seed < 103; seed++) {
        struct simdist_result r = simdist_random(seed, 0, 200);
        assert_int_equal(r.sessions, 200 + r.calls);
        assert_int_equal(r.whole + r.harmed, 200 + r.calls);
        assert_true(r.whole > 100 && r.faults > 20);
    }
}

/* Clients that only read, and systems that die one after the other. */
static void told(void **state) {
    UNUSED(state);
    for (u64 seed = 1; seed < 5; seed++) {
        struct simtold_result r = simtold_random(seed, 0, 3);
        assert_true(r.told >= 9 && r.told + r.stood == r.sessions);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_in_turn),
        cmocka_unit_test(the_distributor_dies),
        cmocka_unit_test(a_target_dies),
        cmocka_unit_test(a_system_that_the_next_owner_has_not_met),
        cmocka_unit_test(planned_moves),
        cmocka_unit_test(drills),
        cmocka_unit_test(told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
