/* test_timer.c - the timing wheel against a plain list of due times, over random programs and long jumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "testnet.h"

#include <cmocka.h>

#define TIMERS 64
#define TICK   1024u

struct watched {
    struct timer t;
    u64 want; /* TIME_NEVER: must not fire */
    u32 fired;
    u64 rearm; /* in the callback, so much later; 0 = not */
};

static void watched_fn(struct stack *stk, struct timer *t, u64 now) {
    struct watched *w = CONTAINER_OF(t, struct watched, t);
    assert_false(timer_armed(t));
    assert_true(w->want != TIME_NEVER);
    assert_true(now >= w->want);
    w->fired++;
    w->want = TIME_NEVER;
    if (!w->rearm) return;
    w->want = now + w->rearm;
    timer_arm(stk, t, w->want);
}

/* A bare stack: only its wheel is used. */
static struct stack *wheel_create(u64 now) {
    struct stack *stk = calloc(1, sizeof *stk);
    timer_wheel_init(stk, now);
    return stk;
}

static void fires_in_time_and_never_early(void **state) {
    static const u64 delays[] = {0,           1,           1023,          1024,        1025,
                                 31 * TICK,   32 * TICK,   33 * TICK,     1023 * TICK, 1024 * TICK,
                                 1025 * TICK, 60000000ull, 7200000000ull, 1ull << 41,  (1ull << 41) + 12345};
    UNUSED(state);
    for (u32 skew = 0; skew < 5000; skew += 777) {
        for (u32 i = 0; i < ARRAY_LEN(delays); i++) {
            u64 now = 1000000 + skew;
            struct stack *stk = wheel_create(now);
            struct watched w = {.want = now + delays[i]};
            u64 due = w.want;
            timer_init(&w.t, watched_fn);
            timer_arm(stk, &w.t, due);
            /* Go where the wheel says, and see that it never says "later than the timer". */
            for (u32 steps = 0; !w.fired; steps++) {
                u64 next = timer_wheel_next(stk);
                assert_true(next != TIME_NEVER && next <= due + 2 * TICK && steps < 20);
                now = u64_max(now, next);
                timer_wheel_run(stk, now);
            }
            assert_true(now <= due + 2 * TICK);
            assert_true(timer_wheel_next(stk) == TIME_NEVER);
            free(stk);
        }
    }
}

static void one_long_jump_fires_all(void **state) {
    UNUSED(state);
    struct stack *stk = wheel_create(0);
    struct watched w[TIMERS];
    for (u32 i = 0; i < TIMERS; i++) {
        w[i] = (struct watched){.want = (u64)i * i * i * 4321};
        timer_init(&w[i].t, watched_fn);
        timer_arm(stk, &w[i].t, w[i].want);
    }
    timer_wheel_run(stk, 1ull << 50);
    for (u32 i = 0; i < TIMERS; i++) assert_int_equal(w[i].fired, 1);
    free(stk);
}

static void moving_later_and_earlier(void **state) {
    UNUSED(state);
    struct stack *stk = wheel_create(0);
    struct watched w = {0};
    timer_init(&w.t, watched_fn);
    for (u64 due = 10 * TICK; due < 100000 * (u64)TICK; due += 997) timer_arm(stk, &w.t, w.want = due);
    timer_wheel_run(stk, w.want - 1);
    assert_int_equal(w.fired, 0);
    timer_wheel_run(stk, w.want + TICK);
    assert_int_equal(w.fired, 1);
    u64 now = stk->wheel.moment;
    timer_arm(stk, &w.t, w.want = now + 1000 * TICK);
    timer_arm(stk, &w.t, w.want = now + 5 * TICK);
    timer_wheel_run(stk, now + 7 * TICK);
    assert_int_equal(w.fired, 2);
    timer_arm(stk, &w.t, w.want = now + 1000 * TICK);
    timer_disarm(stk, &w.t);
    w.want = TIME_NEVER;
    assert_true(timer_wheel_next(stk) == TIME_NEVER);
    timer_wheel_run(stk, now + 2000 * TICK);
    assert_int_equal(w.fired, 2);
    free(stk);
}

static void rearming_now_does_not_spin(void **state) {
    UNUSED(state);
    struct stack *stk = wheel_create(0);
    struct watched w = {.want = 1, .rearm = 1};
    timer_init(&w.t, watched_fn);
    timer_arm(stk, &w.t, 1);
    timer_wheel_run(stk, 100 * TICK);
    assert_in_range(w.fired, 1, 100);
    free(stk);
}

static u32 draw(u64 *rng) {
    *rng = *rng * 6364136223846793005ull + 1442695040888963407ull;
    return (u32)(*rng >> 33);
}

static void random_programs(void **state) {
    UNUSED(state);
    for (u64 seed = 1; seed <= 20; seed++) {
        u64 rng = seed, now = draw(&rng);
        struct stack *stk = wheel_create(now);
        struct watched w[TIMERS];
        for (u32 i = 0; i < TIMERS; i++) {
            w[i] = (struct watched){.want = TIME_NEVER};
            timer_init(&w[i].t, watched_fn);
        }
        for (u32 step = 0; step < 3000; step++) {
            struct watched *x = &w[draw(&rng) % TIMERS];
            u32 what = draw(&rng) % 8;
            if (what < 5)
                timer_arm(stk, &x->t, x->want = now + (draw(&rng) >> draw(&rng) % 31));
            else if (what == 5)
                timer_disarm(stk, &x->t), x->want = TIME_NEVER;
            else
                timer_wheel_run(stk, now += draw(&rng) >> draw(&rng) % 31);
            u64 earliest = TIME_NEVER;
            for (u32 i = 0; i < TIMERS; i++) {
                assert_true(timer_armed(&w[i].t) == (w[i].want != TIME_NEVER));
                earliest = u64_min(earliest, w[i].want);
            }
            /* Nothing that was due is left over, and the wheel will not sleep past the next one. */
            if (what > 5) assert_true(earliest == TIME_NEVER || earliest + 2 * TICK > now);
            assert_true(timer_wheel_next(stk) <= u64_max(earliest, now) + 2 * TICK || earliest == TIME_NEVER);
        }
        free(stk);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_in_time_and_never_early),
        cmocka_unit_test(one_long_jump_fires_all),
        cmocka_unit_test(moving_later_and_earlier),
        cmocka_unit_test(rearming_now_does_not_spin),
        cmocka_unit_test(random_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
