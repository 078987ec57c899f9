/* test_xcf_sfm.c - what an SFM policy decides: ISOLATETIME, PROMPT, CONNFAIL and WEIGHT, each at its boundary. Three systems, INTERVAL(5),
 * OPNOTIFY(8); SYS03 freezes, or loses its signalling paths to one or both of the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/simxcf.h"

#include <cmocka.h>

#define SECONDS(n) ((n) * (u64)USEC_PER_SEC)
#define SYSTEMS    3u
#define VICTIM     2u

/* All systems with one policy: what SYS03 has, and for the others ISOLATETIME(0) WEIGHT(1). */
static struct simxcf *plex(bool connfail, struct couple_sfm_system victim) {
    struct couple c;
    couple_default(&c);
    c.interval_s = c.cleanup_s = 5;
    c.sfm = (struct couple_sfm){.active = true, .connfail = connfail, .systems = 2};
    c.sfm.system[0] = (struct couple_sfm_system){.name = "*", .weight = 1};
    c.sfm.system[1] = victim;
    str_copy(c.sfm.system[1].name, sizeof c.sfm.system[1].name, "SYS03");
    struct simxcf_params p = {.seed = 5, .systems = SYSTEMS, .arbiter = true, .couple = &c};
    struct simxcf *s = simxcf_create(&p);
    simxcf_run(s, SECONDS(4));
    return s;
}
static u32 asked(const struct simxcf *s, u32 i, const char *begins) {
    const char *text;
    return simxcf_question(s, i, &text) && memcmp(text, begins, strlen(begins)) == 0;
}

/* Silent for INTERVAL it is stopped, but isolated only when ISOLATETIME has passed, too; awake before that it goes on. */
static void isolatetime(void **state) {
    struct simxcf *s = plex(false, (struct couple_sfm_system){.isolate_s = 6, .weight = 1});
    const char *why;
    UNUSED(state);
    simxcf_pause(s, VICTIM, true);
    simxcf_run(s, SECONDS(9));
    assert_int_equal(simxcf_sees(s, 0, VICTIM), XCF_SYS_STOPPED);
    assert_false(simxcf_isolated(s, VICTIM));
    simxcf_pause(s, VICTIM, false);
    simxcf_run(s, SECONDS(6));
    assert_true(simxcf_converged(s, &why));
    simxcf_pause(s, VICTIM, true);
    simxcf_run(s, SECONDS(13));
    assert_true(simxcf_isolated(s, VICTIM));
    for (u32 i = 0; i < 2; i++) assert_int_equal(asked(s, i, "IXC"), 0);
    simxcf_destroy(s);
}

/* The operator is asked at OPNOTIFY, and nobody takes anything over; awake it is as before, and nobody is asked any more. */
static void prompt(void **state) {
    struct simxcf *s = plex(true, (struct couple_sfm_system){.prompt = true, .weight = 1});
    const char *why;
    UNUSED(state);
    simxcf_pause(s, VICTIM, true);
    simxcf_run(s, SECONDS(6));
    assert_int_equal(asked(s, 0, "IXC402D"), 0);
    simxcf_run(s, SECONDS(4));
    for (u32 i = 0; i < 2; i++) assert_int_equal(asked(s, i, "IXC402D SYS03"), 1);
    simxcf_run(s, SECONDS(60));
    assert_false(simxcf_isolated(s, VICTIM));
    assert_int_equal(simxcf_events(s, 0, XCF_EV_SYSTEM_GONE), 0);
    simxcf_pause(s, VICTIM, false);
    simxcf_run(s, SECONDS(8));
    for (u32 i = 0; i < 2; i++) assert_int_equal(asked(s, i, "IXC"), 0);
    assert_true(simxcf_converged(s, &why));
    simxcf_destroy(s);
}

/* Which side is left when SYS03 has no signals, by the weights of both sides. */
static void weights(void **state) {
    static const struct {
        bool connfail;
        u32 weight;      /* of SYS03; SYS01 and SYS02 have 1 each */
        bool out[SYSTEMS];
    } rows[] = {
        {true, 1, {false, false, true}},
        {true, 2, {false, false, true}},   /* as heavy as both: the lower name stays */
        {true, 3, {true, true, false}},    /* heavier than both: they go */
        {false, 100, {false, false, false}},
    };
    UNUSED(state);
    for (u32 r = 0; r < ARRAY_LEN(rows); r++) {
        struct simxcf *s = plex(rows[r].connfail, (struct couple_sfm_system){.weight = rows[r].weight});
        for (u32 i = 0; i < VICTIM; i++) simxcf_pair(s, i, VICTIM, SIMXCF_DOWN);
        simxcf_run(s, SECONDS(20));
        for (u32 i = 0; i < SYSTEMS; i++)
            if (simxcf_isolated(s, i) != rows[r].out[i]) fail_msg("row %u: SYS%02u", r, i + 1);
        /* CONNFAIL(NO): both operators are asked, at either end. */
        for (u32 i = 0; i < SYSTEMS; i++) assert_int_equal(asked(s, i, "IXC409D"), !rows[r].connfail);
        simxcf_destroy(s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(isolatetime), cmocka_unit_test(prompt), cmocka_unit_test(weights)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
