/* test_xcf_sim.c - the random drill of simxcf.h: some seeds, one twice, and all 32 systems. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "tests/sim/simxcf.h"

#include <cmocka.h>

static void seeds(void **state) {
    u32 isolated = 0, zombies = 0, kills = 0;
    UNUSED(state);
    for (u64 seed = 5000; seed < 5030; seed++) {
        struct simxcf_result r = simxcf_random(seed, 0);
        isolated += r.isolated;
        zombies += r.zombies;
        kills += r.kills;
        assert_true(r.messages > 0);
    }
    assert_true(isolated > 0 && zombies > 0 && kills > 0); /* the drill does what it is there for */
}

/* Seeds that found something: 1187 a path that was never tried again, 1371 a zombie that told of others' deaths before its own. */
static void seeds_that_found(void **state) {
    static const u64 found[] = {1187, 1371};
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(found); i++) simxcf_random(found[i], 0);
}

static void same_seed_same_digest(void **state) {
    struct simxcf_result a = simxcf_random(77, 4), b = simxcf_random(77, 4), c = simxcf_random(78, 4);
    UNUSED(state);
    assert_int_equal(a.digest, b.digest);
    assert_int_equal(a.messages, b.messages);
    assert_int_not_equal(a.digest, c.digest);
}

static void all_32(void **state) {
    struct simxcf_params p = {.seed = 3, .systems = 32, .arbiter = true};
    struct simxcf *s = simxcf_create(&p);
    const char *why = NULL;
    UNUSED(state);
    simxcf_run(s, 5 * (u64)USEC_PER_SEC);
    assert_true(simxcf_converged(s, &why));
    simxcf_kill(s, 31, true);
    simxcf_run(s, USEC_PER_SEC);
    for (u32 i = 0; i < 31; i++) assert_int_equal(simxcf_events(s, i, XCF_EV_SYSTEM_GONE), SIMXCF_GROUPS);
    simxcf_start(s, 31);
    simxcf_run(s, 5 * (u64)USEC_PER_SEC);
    assert_true(simxcf_converged(s, &why));
    simxcf_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds),
        cmocka_unit_test(seeds_that_found),
        cmocka_unit_test(same_seed_same_digest),
        cmocka_unit_test(all_32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
