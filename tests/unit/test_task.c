/* test_task.c - tasks, ECBs and the heap of the supervisor. */
#include "super/storage.h"
#include "super/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char log_text[64];
static u32 log_len;
static void note(char c) {
    if (log_len < sizeof log_text - 1) log_text[log_len++] = c;
    log_text[log_len] = 0;
}

struct bench {
    struct tasks ts;
    struct ecb ecb;
    u32 code;
    bool in_time;
    u8 storage[400000];
};

static struct bench *bench_new(u32 tasks) {
    struct bench *b = calloc(1, sizeof *b);
    struct arena a;
    arena_init(&a, b->storage, sizeof b->storage);
    assert_true(tasks_init(&b->ts, &a, tasks, 65536));
    ecb_init(&b->ecb);
    log_len = 0;
    log_text[0] = 0;
    return b;
}

static void waits(void *arg) {
    struct bench *b = arg;
    note('w');
    b->code = task_wait(&b->ts, &b->ecb);
    note('W');
}
static void posts(void *arg) {
    struct bench *b = arg;
    note('p');
    ecb_post(&b->ts, &b->ecb, 7);
    note('P');
}
static void waits_until_1000(void *arg) {
    struct bench *b = arg;
    b->in_time = task_wait_until(&b->ts, &b->ecb, 1000, &b->code);
    note(b->in_time ? 'i' : 't');
}
static void sleeps(void *arg) {
    struct bench *b = arg;
    task_sleep_until(&b->ts, 500);
    note('s');
}

static void test_post_wakes_waiter(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(4);
    assert_int_equal(task_attach(&b->ts, "WAITER", waits, b), 0);
    assert_int_equal(task_attach(&b->ts, "POSTER", posts, b), 0);
    assert_true(tasks_run(&b->ts, 1) == TIME_NEVER);
    assert_string_equal(log_text, "wpPW");
    assert_int_equal(b->code, 7);
    assert_int_equal(tasks_in_use(&b->ts), 0);
    free(b);
}

static void test_post_before_wait_is_remembered(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(2);
    ecb_post(&b->ts, &b->ecb, 3);
    task_attach(&b->ts, "WAITER", waits, b);
    tasks_run(&b->ts, 1);
    assert_string_equal(log_text, "wW");
    assert_int_equal(b->code, 3);
    assert_false(b->ecb.posted);
    free(b);
}

static void test_deadlines(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(2);
    task_attach(&b->ts, "TIMED", waits_until_1000, b);
    task_attach(&b->ts, "SLEEPER", sleeps, b);
    assert_true(tasks_run(&b->ts, 10) == 500);
    assert_true(tasks_run(&b->ts, 499) == 500);
    assert_true(tasks_run(&b->ts, 500) == 1000);
    assert_true(tasks_run(&b->ts, 1000) == TIME_NEVER);
    assert_string_equal(log_text, "st");
    assert_null(b->ecb.waiter);
    /* The other way round: the POST wins and nothing of the deadline is left. */
    task_attach(&b->ts, "TIMED", waits_until_1000, b);
    tasks_run(&b->ts, 10);
    ecb_post(&b->ts, &b->ecb, 9);
    assert_true(tasks_run(&b->ts, 20) == TIME_NEVER);
    assert_string_equal(log_text, "sti");
    assert_int_equal(b->code, 9);
    free(b);
}

static void test_limit_is_counted(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(1);
    assert_int_equal(task_attach(&b->ts, "A", waits, b), 0);
    assert_int_equal(task_attach(&b->ts, "B", waits, b), -ERR_NOMEM);
    assert_int_equal(b->ts.refused, 1);
    tasks_run(&b->ts, 1);
    ecb_post(&b->ts, &b->ecb, 1);
    tasks_run(&b->ts, 2);
    assert_int_equal(task_attach(&b->ts, "B", waits, b), 0); /* a task that ended is free again */
    ecb_post(&b->ts, &b->ecb, 1);
    tasks_run(&b->ts, 3);
    assert_int_equal(tasks_in_use(&b->ts), 0);
    free(b);
}

/* Random gets and puts; content must survive, and at the end the heap is one block again. */
static void test_heap(void **state) {
    UNUSED(state);
    static u8 storage[10000];
    struct heap h;
    u8 *piece[32] = {0};
    u32 size[32] = {0}, seed = 12345;
    heap_init(&h, storage + 3, sizeof storage - 3);
    for (u32 i = 0; i < 20000; i++) {
        seed = seed * 1103515245u + 12345u;
        u32 k = seed >> 16 & 31;
        if (piece[k]) {
            for (u32 j = 0; j < size[k]; j++) assert_int_equal(piece[k][j], (u8)(k * 7 + j));
            heap_put(&h, piece[k]);
            piece[k] = NULL;
            continue;
        }
        size[k] = seed >> 8 & 1023;
        piece[k] = heap_get(&h, size[k]);
        if (!piece[k]) continue;
        assert_int_equal((uintptr_t)piece[k] % 16, 0);
        for (u32 j = 0; j < size[k]; j++) piece[k][j] = (u8)(k * 7 + j);
    }
    assert_true(h.refused > 0 && h.high_water > 9000);
    for (u32 k = 0; k < 32; k++) heap_put(&h, piece[k]);
    assert_int_equal(h.in_use, 0);
    void *all = heap_get(&h, h.bytes - 16);
    assert_non_null(all);
    assert_null(heap_get(&h, 0));
    assert_null(heap_get(&h, SIZE_MAX));
    heap_put(&h, all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_post_wakes_waiter), cmocka_unit_test(test_post_before_wait_is_remembered),
        cmocka_unit_test(test_deadlines),         cmocka_unit_test(test_limit_is_counted),
        cmocka_unit_test(test_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
