/* test_duplex.c - a duplexed structure: each fault at every step, while systems write and read. What must hold then:
 * tests/sim/simduplex.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "tests/sim/simduplex.h"

#define SYSTEMS 3u
#define STEPS   280u

static struct simduplex *paired(u32 late, u32 seed) {
    struct simduplex *w = simduplex_create(SYSTEMS, late, seed);
    simduplex_steps(w, 150);
    simduplex_pair(w);
    assert_true(simduplex_check(w, NULL));
    return w;
}

static void test_a_pair_begins_and_works(void **state) {
    UNUSED(state);
    struct simduplex_result sum = {0};
    for (u32 seed = 1; seed <= 10; seed++) {
        struct simduplex *w = paired(0, seed);
        simduplex_steps(w, 1500);
        assert_true(simduplex_check(w, NULL));
        simduplex_result(w, &sum);
        assert_int_equal(simduplex_losses(w), 0);
        simduplex_destroy(w);
    }
    /* Systems did come in each other's way at the second one, and none of them for long. */
    assert_true(sum.retries > 20 && sum.read > 500);
    assert_int_equal(sum.gaps + sum.mismatches + sum.repeated + sum.dropped, 0);
}

static void test_begun_while_systems_work(void **state) {
    UNUSED(state);
    for (u32 seed = 1; seed <= 20; seed++) {
        struct simduplex *w = simduplex_create(SYSTEMS, 0, seed);
        simduplex_steps(w, 200);
        rebuild_duplex(simduplex_of(w, seed % SYSTEMS), simcf_now(simduplex_world(w)));
        simduplex_steps(w, 600);
        assert_true(simduplex_check(w, NULL));
        assert_int_equal(simduplex_losses(w), 0);
        simduplex_destroy(w);
    }
}

/* what: 0 the first facility dies, 1 the second, 2 a system, 3 a link to the first, 4 to the second, 5 stopped: keep old, 6 keep new, 7 a
 * system is loaded. Nothing that was answered is lost, and the structure is not lost for anybody. */
static void one_fault(u32 at, u32 what) {
    struct simduplex *w = paired(what == 7, 100 * at + what);
    struct simcf *z = simduplex_world(w);
    u32 first, where;
    simduplex_check(w, &first);
    simduplex_steps(w, at);
    switch (what) {
    case 0: simcf_kill(z, first); break;
    case 1: simcf_kill(z, !first); break;
    case 2: simduplex_stop(w, 1); break;
    case 3: simcf_cut(z, 1, first, true); break;
    case 4: simcf_cut(z, 1, !first, true); break;
    case 5:
    case 6: assert_int_equal(rebuild_simplex(simduplex_of(w, 2), what == 6, simcf_now(z)), 0); break;
    default: simduplex_load(w, false);
    }
    simduplex_steps(w, 400);
    bool pair = simduplex_check(w, &where);
    assert_int_equal(simduplex_losses(w), 0);
    if (what == 7) assert_true(pair);
    else if (what == 2) assert_true(pair || where == first); /* a pair unless the dead system's command was half done */
    else assert_true(!pair && where == (what == 0 || what == 3 || what == 6 ? !first : first));
    /* And a pair again, when that is possible. */
    if (what < 2) simcf_start(z, what ? !first : first);
    if (what == 3 || what == 4) simcf_cut(z, 1, what == 3 ? first : !first, false);
    if (!pair) simduplex_pair(w);
    simduplex_steps(w, 200);
    assert_true(simduplex_check(w, NULL));
    assert_int_equal(simduplex_losses(w), 0);
    simduplex_destroy(w);
}

static void test_fault_at_every_step(void **state) {
    UNUSED(state);
    for (u32 what = 0; what < 8; what++)
        for (u32 at = 0; at < STEPS; at += 31) one_fault(at, what);
}

/* While the pair is being made. */
static void test_fault_before_it_is_one(void **state) {
    UNUSED(state);
    for (u32 what = 0; what < 2; what++)
        for (u32 at = 0; at < 500; at += 27) {
            struct simduplex *w = simduplex_create(SYSTEMS, 0, at + what);
            struct simcf *z = simduplex_world(w);
            u32 first, where;
            simduplex_steps(w, 150);
            simduplex_check(w, &first);
            assert_int_equal(rebuild_duplex(simduplex_of(w, 0), simcf_now(z)), 0);
            simduplex_steps(w, at);
            simcf_kill(z, what ? !first : first);
            simduplex_steps(w, 300);
            assert_false(simduplex_check(w, &where));
            assert_int_equal(where, what ? first : !first);
            if (what) assert_int_equal(simduplex_losses(w), 0);
            simduplex_destroy(w);
        }
}

static bool is_in_use(struct simduplex *w, u32 system) { return rebuild_connection(simduplex_of(w, system)) != NULL; }

/* A system without a link to the structure waits where the others make the second one of a pair. However far they are with that, it uses
 * nothing: not the second one alone. It uses that one when they keep it, and both when its link comes. */
static void outside_of_a_pair(u32 seed, bool keep_new) {
    struct simduplex *w = simduplex_create(SYSTEMS, 0, seed);
    struct simcf *z = simduplex_world(w);
    u32 out = 0, in, first, where;
    simduplex_steps(w, 150);
    assert_false(simduplex_check(w, &first));
    /* The lowest identifier is what it will have in the other one, too, so it stands in nobody's way there. */
    for (u32 i = 1; i < SYSTEMS; i++)
        if (rebuild_connection(simduplex_of(w, i))->id < rebuild_connection(simduplex_of(w, out))->id) out = i;
    in = (out + 1) % SYSTEMS;
    simcf_cut(z, out, first, true);
    simduplex_steps(w, 300);
    assert_int_equal(rebuild_state(simduplex_of(w, out)), REBUILD_JOINED);
    assert_int_equal(rebuild_duplex(simduplex_of(w, in), simcf_now(z)), 0);
    for (u32 i = 0; i < 1500; i++) {
        simduplex_steps(w, 1);
        assert_false(is_in_use(w, out));
    }
    for (u32 i = 0; i < SYSTEMS; i++) assert_true(i == out || rebuild_state(simduplex_of(w, i)) == REBUILD_DUPLEX);
    if (keep_new) assert_int_equal(rebuild_simplex(simduplex_of(w, in), true, simcf_now(z)), 0);
    else simcf_cut(z, out, first, false);
    simduplex_steps(w, 600);
    assert_int_equal(simduplex_check(w, &where), !keep_new);
    assert_int_equal(where, keep_new ? !first : first);
    struct simduplex_result sum = {0};
    simduplex_result(w, &sum);
    assert_int_equal(sum.gaps + sum.mismatches, 0);
    simduplex_destroy(w);
}

static void test_outside_of_a_pair(void **state) {
    UNUSED(state);
    for (u32 seed = 1; seed <= 20; seed++) outside_of_a_pair(seed, seed & 1);
}

/* A system dies between the two halves of a command, and nobody has anything to do: who is left sees it leave, finds the number that
 * is missing, and the first structure is kept. With every other seed that one dies at the same moment: then the second is, and what the
 * dead system was never answered may be in neither. */
static void test_a_half_done_command(void **state) {
    UNUSED(state);
    struct simduplex_result sum = {0};
    u32 singles = 0;
    for (u32 seed = 1; seed <= 40; seed++) {
        struct simduplex *w = paired(0, 7000 + seed);
        u32 first, where;
        simduplex_check(w, &first);
        assert_true(simduplex_stop_half_done(w, seed % SYSTEMS, 5000));
        if (seed & 1) simcf_kill(simduplex_world(w), first);
        bool pair = simduplex_check(w, &where);
        assert_int_equal(simduplex_losses(w), 0);
        if (seed & 1) assert_true(!pair && where != first);
        else assert_true(pair || where == first);
        singles += !pair && !(seed & 1);
        if (seed & 1) simcf_start(simduplex_world(w), first);
        if (!pair) simduplex_pair(w);
        simduplex_steps(w, 200);
        assert_true(simduplex_check(w, NULL));
        assert_int_equal(simduplex_losses(w), 0);
        simduplex_result(w, &sum);
        simduplex_destroy(w);
    }
    /* Where it is still a pair the second half was on its way already. */
    printf("%u of 20 pairs ended, %llu numbers missed\n", singles, (unsigned long long)sum.gaps);
    assert_true(singles >= 10 && sum.gaps >= singles && sum.mismatches == 0);
}

static void test_random(void **state) {
    UNUSED(state);
    struct simduplex_result sum = {0};
    for (u32 seed = 1; seed <= 15; seed++) simduplex_random(seed, 60, &sum);
    printf("answered %llu paired %llu dropped %llu losses %llu repeated %llu retries %llu gaps %llu mismatches %llu\n",
           (unsigned long long)sum.answered, (unsigned long long)sum.paired, (unsigned long long)sum.dropped,
           (unsigned long long)sum.losses, (unsigned long long)sum.repeated, (unsigned long long)sum.retries,
           (unsigned long long)sum.gaps, (unsigned long long)sum.mismatches);
    assert_true(sum.paired > 30 && sum.dropped > 20 && sum.losses > 10);
    /* Where a system lost both and came back in the middle of a pair's making the two may differ: that is seen, and ends the pair. */
    assert_true(sum.mismatches < sum.paired / 10);
}

/* Runs in which a system once used one of a pair alone (53, 292, 459), or was alone longer than rebuild.h says (876, 890, 1419); in which two
 * began different things under one number (1101, 1195), who came late stopped what others had gone through (351), or one was not in what the
 * others had begun because of a number of its earlier life (1395). */
static void test_random_that_showed_something(void **state) {
    UNUSED(state);
    static const u32 seeds[] = {53, 292, 459, 876, 890, 1419, 1101, 1195, 351, 1395};
    struct simduplex_result sum = {0};
    for (u32 i = 0; i < sizeof seeds / sizeof seeds[0]; i++) simduplex_random(seeds[i], 60, &sum);
    assert_true(sum.paired > 6 && sum.answered > 3000);
}

/* Nothing is lost, whatever operators do meanwhile. Among the seeds are those in which two gave up different ones of a pair (71, 130), a system came
 * to the one that all were leaving (294), and a rebuild was stopped before a read of a former pair had its answer (13). */
static void test_one_loss_at_a_time(void **state) {
    UNUSED(state);
    static const u32 seeds[] = {13, 71, 130, 294};
    struct simduplex_result sum = {0};
    for (u32 i = 0; i < sizeof seeds / sizeof seeds[0]; i++) simduplex_one_at_a_time(seeds[i], 60, &sum);
    for (u32 seed = 1; seed <= 8; seed++) simduplex_one_at_a_time(seed, 60, &sum);
    printf("answered %llu paired %llu dropped %llu\n", (unsigned long long)sum.answered, (unsigned long long)sum.paired, (unsigned long long)sum.dropped);
    assert_true(sum.answered > 8000 && sum.paired > 100 && sum.dropped > 90);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pair_begins_and_works), cmocka_unit_test(test_begun_while_systems_work),
        cmocka_unit_test(test_fault_at_every_step),     cmocka_unit_test(test_fault_before_it_is_one),
        cmocka_unit_test(test_outside_of_a_pair),       cmocka_unit_test(test_a_half_done_command),
        cmocka_unit_test(test_random),                  cmocka_unit_test(test_random_that_showed_something),
        cmocka_unit_test(test_one_loss_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
