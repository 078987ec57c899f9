/* test_rebuild.c - a structure moves, by command and because its facility dies; each fault at every step of the way. What must hold
 * then: tests/sim/simrebuild.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "tests/sim/simrebuild.h"

#define SYSTEMS 3u
#define STEPS   260u /* a rebuild of three systems takes fewer; the last ones show that */

static void test_first_use(void **state) {
    UNUSED(state);
    /* Whichever link comes up first: all end in one facility. */
    for (u32 seed = 0; seed < 40; seed++) {
        struct simrebuild *w = simrebuild_create(SYSTEMS, seed);
        u32 where = simrebuild_check(w);
        for (u32 i = 0; i < SYSTEMS; i++) simrebuild_change(w, i);
        assert_int_equal(simrebuild_check(w), where);
        simrebuild_destroy(w);
    }
}

static void test_by_command(void **state) {
    UNUSED(state);
    struct simrebuild *w = simrebuild_create(SYSTEMS, 2);
    struct simcf *z = simrebuild_world(w);
    assert_int_equal(rebuild_start(simrebuild_of(w, 0), NULL, simcf_now(z)), -ERR_NOENT);
    u32 from = simrebuild_check(w);
    assert_int_equal(rebuild_start(simrebuild_of(w, 0), from ? "CF02" : "CF01", simcf_now(z)), -ERR_NETDOWN);
    assert_int_equal(rebuild_start(simrebuild_of(w, 0), "CF09", simcf_now(z)), -ERR_NETDOWN);
    assert_int_equal(rebuild_stop(simrebuild_of(w, 0), simcf_now(z)), -ERR_NOENT);
    assert_int_equal(rebuild_start(simrebuild_of(w, 0), NULL, simcf_now(z)), 0);
    assert_int_equal(rebuild_start(simrebuild_of(w, 0), NULL, simcf_now(z)), -ERR_ALREADY);
    assert_int_equal(simrebuild_check(w), !from);
    /* And back, started by another one. */
    assert_int_equal(rebuild_start(simrebuild_of(w, 2), from ? "CF02" : "CF01", simcf_now(z)), 0);
    assert_int_equal(simrebuild_check(w), from);
    for (u32 i = 0; i < SYSTEMS; i++) assert_int_equal(rebuild_counters(simrebuild_of(w, i))->completed, 2);
    /* Two at once are one. */
    assert_int_equal(rebuild_start(simrebuild_of(w, 0), NULL, simcf_now(z)), 0);
    assert_int_equal(rebuild_start(simrebuild_of(w, 1), NULL, simcf_now(z)), 0);
    assert_int_equal(simrebuild_check(w), !from);
    simrebuild_destroy(w);
}

/* Stopped by its operator: nobody has moved. */
static void test_stop_at_every_step(void **state) {
    UNUSED(state);
    u32 stopped = 0, moved = 0;
    for (u32 at = 0; at < STEPS; at += 5) {
        struct simrebuild *w = simrebuild_create(SYSTEMS, at);
        struct simcf *z = simrebuild_world(w);
        u32 from = simrebuild_check(w);
        assert_int_equal(rebuild_start(simrebuild_of(w, 0), NULL, simcf_now(z)), 0);
        simrebuild_steps(w, at);
        bool taken = rebuild_stop(simrebuild_of(w, 1), simcf_now(z)) == 0;
        assert_int_equal(simrebuild_check(w), taken ? from : !from);
        stopped += taken;
        moved += !taken;
        simrebuild_destroy(w);
    }
    assert_true(stopped > 5 && moved > 5);
}

/* what: 0 the old facility dies, 1 the new one, 2 a system, 3 the initiator, 4 a link to the old one for a while, 5 to the new one */
static void one_fault(u32 at, u32 what) {
    struct simrebuild *w = simrebuild_create(SYSTEMS, at + 1000 * what);
    struct simcf *z = simrebuild_world(w);
    u32 from = simrebuild_check(w), faulty = what % 2 ? !from : from;
    assert_int_equal(rebuild_start(simrebuild_of(w, 0), NULL, simcf_now(z)), 0);
    for (u32 i = 0; i < SYSTEMS; i++) simrebuild_change(w, i);
    simrebuild_steps(w, at);
    if (what < 2) simcf_kill(z, faulty);
    else if (what < 4) simrebuild_stop(w, what == 2 ? 1 : 0);
    else simcf_cut(z, 1, faulty, true);
    if (what >= 4) {
        simrebuild_steps(w, 300);
        simcf_cut(z, 1, faulty, false);
    }
    u32 where = simrebuild_check(w);
    if (what < 2) {
        assert_int_equal(where, !faulty); /* where there is power */
        simcf_start(z, faulty);
        simrebuild_check(w);
    }
    simrebuild_destroy(w);
}

static void test_fault_at_every_step(void **state) {
    UNUSED(state);
    for (u32 what = 0; what < 6; what++)
        for (u32 at = 0; at < STEPS; at += 7) one_fault(at, what);
}

/* No rebuild is under way when the facility dies; and both of them, one after the other, in any order. */
static void test_the_facility_dies(void **state) {
    UNUSED(state);
    for (u32 at = 0; at < STEPS; at += 7) {
        struct simrebuild *w = simrebuild_create(SYSTEMS, at);
        struct simcf *z = simrebuild_world(w);
        simrebuild_steps(w, at);
        simcf_kill(z, at & 1);
        assert_int_equal(simrebuild_check(w), !(at & 1));
        for (u32 i = 0; i < SYSTEMS; i++) simrebuild_change(w, i);
        simrebuild_steps(w, at / 4);
        simcf_kill(z, !(at & 1));
        simrebuild_rest(w);
        for (u32 i = 0; i < SYSTEMS; i++) assert_int_equal(rebuild_state(simrebuild_of(w, i)), REBUILD_AWAY);
        simcf_start(z, at / 2 & 1);
        assert_int_equal(simrebuild_check(w), at / 2 & 1);
        simrebuild_destroy(w);
    }
}

/* A system that alone has lost its link is waited for by nobody, and comes to where the others are. */
static void test_one_link(void **state) {
    UNUSED(state);
    struct simrebuild *w = simrebuild_create(SYSTEMS, 7);
    struct simcf *z = simrebuild_world(w);
    u32 from = simrebuild_check(w);
    simcf_cut(z, 1, from, true);
    simrebuild_rest(w);
    assert_int_equal(rebuild_state(simrebuild_of(w, 0)), REBUILD_IN_USE);
    assert_int_equal(rebuild_state(simrebuild_of(w, 1)), REBUILD_JOINED); /* it waits for the others, who need not come */
    simrebuild_change(w, 0);
    simrebuild_change(w, 1);
    simcf_cut(z, 1, from, false);
    assert_int_equal(simrebuild_check(w), from);
    /* Or the others come, because the operator moves the structure to where all can reach it. */
    simcf_cut(z, 1, from, true);
    simrebuild_rest(w);
    assert_int_equal(rebuild_start(simrebuild_of(w, 2), NULL, simcf_now(z)), 0);
    assert_int_equal(simrebuild_check(w), !from);
    simrebuild_destroy(w);
}

static void test_random(void **state) {
    UNUSED(state);
    struct rebuild_counters sum = {0};
    for (u32 seed = 1; seed <= 25; seed++) simrebuild_random(seed, 60, &sum);
    printf("started %llu completed %llu stopped %llu losses %llu\n", (unsigned long long)sum.started, (unsigned long long)sum.completed,
           (unsigned long long)sum.stopped, (unsigned long long)sum.losses);
    assert_true(sum.completed > 20 && sum.stopped > 20 && sum.losses > 20);
    assert_int_equal(sum.drop_malformed, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_use),           cmocka_unit_test(test_by_command),        cmocka_unit_test(test_stop_at_every_step),
        cmocka_unit_test(test_fault_at_every_step), cmocka_unit_test(test_the_facility_dies), cmocka_unit_test(test_one_link),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
