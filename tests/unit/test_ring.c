/* test_ring.c - the ring between two processes: order, boundaries, wrap, doorbell, and a partner that writes garbage. */
#include "hercules-devices/peer.h"
#include "hercules-devices/ring.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA 8192u

struct pair {
    void *memory;
    struct ring writer, reader;
};

static int setup(void **state) {
    struct pair *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->memory = aligned_alloc(64, (ring_bytes(DATA) + 63u) & ~63u);
    assert_non_null(r->memory);
    memset(r->memory, 0, ring_bytes(DATA));
    ring_init(&r->writer, r->memory, DATA);
    ring_init(&r->reader, r->memory, DATA);
    *state = r;
    return 0;
}

static int teardown(void **state) {
    struct pair *r = *state;
    free(r->memory);
    free(r);
    return 0;
}

static bool put(struct ring *w, u32 len, u8 seed) {
    u8 *p = ring_reserve(w, len);
    if (!p) return false;
    for (u32 i = 0; i < len; i++) p[i] = (u8)(seed + i);
    ring_commit(w, len);
    return true;
}

static void expect(struct ring *rd, u32 len, u8 seed) {
    u8 got[DATA];
    assert_int_equal(ring_get(rd, got, sizeof got), (int)len);
    for (u32 i = 0; i < len; i++) assert_int_equal(got[i], (u8)(seed + i));
}

/* Every length up to half the ring passes every offset of the ring, whole and in order. */
static void test_order_and_wrap(void **state) {
    struct pair *r = *state;
    u8 seed = 0, expected = 0;
    u32 queued = 0, lens[64];
    for (u32 step = 0; step < 20000; step++) {
        u32 len = 1 + step * 37 % (DATA / 2 - 16);
        if (queued < ARRAY_LEN(lens) && put(&r->writer, len, seed)) {
            lens[queued++] = len;
            seed++;
            continue;
        }
        assert_true(queued > 0);
        expect(&r->reader, lens[0], expected++);
        memmove(lens, lens + 1, --queued * sizeof lens[0]);
    }
    for (u32 i = 0; i < queued; i++) expect(&r->reader, lens[i], expected++);
    u8 none[8];
    assert_int_equal(ring_get(&r->reader, none, sizeof none), 0);
    assert_false(ring_broken(&r->reader));
    assert_false(ring_broken(&r->writer));
}

static void test_limits(void **state) {
    struct pair *r = *state;
    assert_null(ring_reserve(&r->writer, 0));
    assert_null(ring_reserve(&r->writer, DATA));
    assert_null(ring_reserve(&r->writer, PEER_MESSAGE_MAX + 1));
    u32 n = 0;
    while (put(&r->writer, 1000, (u8)n)) n++;
    assert_int_equal(n, DATA / 1008);
    expect(&r->reader, 1000, 0);
    assert_true(put(&r->writer, 1000, 1)); /* what was taken is room again */
    /* A message ends shorter than it was reserved. */
    for (u32 i = 0; i < n; i++) expect(&r->reader, 1000, i == n - 1 ? 1 : (u8)(i + 1));
    u8 *p = ring_reserve(&r->writer, 100);
    assert_non_null(p);
    memset(p, 7, 3);
    ring_commit(&r->writer, 3);
    u8 got[DATA];
    assert_int_equal(ring_get(&r->reader, got, sizeof got), 3);
    for (u32 bad = 0; bad < 5; bad++) {
        static const u32 sizes[] = {0, 1024, 4097, 6144, RING_DATA_MAX * 2};
        assert_false(ring_size_ok(sizes[bad]));
    }
}

static void test_doorbell(void **state) {
    struct pair *r = *state;
    assert_true(put(&r->writer, 10, 0));
    assert_false(ring_bell_needed(&r->writer)); /* the reader is awake */
    assert_false(ring_sleep(&r->reader, RING_BELL));       /* and may not sleep: there is something */
    expect(&r->reader, 10, 0);
    assert_true(ring_sleep(&r->reader, RING_BELL));
    assert_true(put(&r->writer, 10, 1));
    assert_true(ring_bell_needed(&r->writer));
    assert_false(ring_bell_needed(&r->writer)); /* once is enough */
    expect(&r->reader, 10, 1);
    /* The writer does what the reader said last, and a sleeper is roused by one of the two. */
    assert_true(ring_sleep(&r->reader, RING_WORD));
    assert_int_equal(*ring_word(&r->reader), RING_WORD);
    assert_int_equal(ring_bell_needed(&r->writer), RING_WORD);
    assert_false(ring_rouse(&r->reader));
    assert_true(ring_sleep(&r->reader, RING_WORD));
    assert_true(ring_rouse(&r->reader));
    assert_int_equal(ring_bell_needed(&r->writer), RING_AWAKE);
    assert_true(ring_sleep(&r->reader, RING_BELL));
    assert_false(ring_rouse(&r->reader)); /* who waits for the bell is none of those */
    assert_int_equal(ring_bell_needed(&r->writer), RING_BELL);
}

/* Each row writes one word of the shared memory as a hostile partner would. */
static void test_garbage_from_writer(void **state) {
    UNUSED(state);
    static const struct {
        u32 offset, value;
    } rows[] = {
        {0, 4},          {0, DATA + 8},  {0, 0xFFFFFFF8u},           {0, 9},
        {192, 0},        {192, DATA},    {192, RING_SKIP},           {192, PEER_MESSAGE_MAX + 1},
        {192, 0x7FFFFFF}, {192, 2000},   {192, 0xFFFFFFF0u},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        void *fresh;
        setup(&fresh);
        struct pair *r = fresh;
        assert_true(put(&r->writer, 100, 0));
        memcpy((u8 *)r->memory + rows[i].offset, &rows[i].value, 4);
        u8 got[DATA];
        assert_int_equal(ring_get(&r->reader, got, sizeof got), -1);
        assert_true(ring_broken(&r->reader));
        assert_int_equal(ring_get(&r->reader, got, sizeof got), -1); /* for good */
        teardown(&fresh);
    }
}

static void test_garbage_from_reader(void **state) {
    struct pair *r = *state;
    static const u32 tails[] = {0x80000000u, 3, DATA * 2};
    for (u32 i = 0; i < ARRAY_LEN(tails); i++) {
        memset(r->memory, 0, ring_bytes(DATA));
        ring_init(&r->writer, r->memory, DATA);
        memcpy((u8 *)r->memory + 64, &tails[i], 4);
        while (put(&r->writer, 1000, 0)) continue; /* looks at tail when it seems full */
        assert_true(ring_broken(&r->writer));
        assert_null(ring_reserve(&r->writer, 8));
    }
}

/* A writer that scribbles at random: the reader answers something sane, and ASan sees no stray access. */
static void test_garbage_everywhere(void **state) {
    struct pair *r = *state;
    u32 x = 0x1234567;
    u32 broken = 0;
    for (u32 round = 0; round < 3000; round++) {
        memset(r->memory, 0, ring_bytes(DATA));
        ring_init(&r->writer, r->memory, DATA);
        ring_init(&r->reader, r->memory, DATA);
        for (u32 i = 0; i < 5; i++) put(&r->writer, 1 + round % 900, 0);
        for (u32 i = 0; i < 4; i++) {
            x = x * 1664525u + 1013904223u;
            ((u8 *)r->memory)[x >> 8 & 1 ? 192 + (x >> 16) % 4096 : (x >> 16) % 72] = (u8)(x >> 3);
        }
        u8 got[512];
        int rc = 1;
        for (u32 i = 0; i < 50 && (rc = ring_get(&r->reader, got, sizeof got)) > 0; i++) assert_true(rc <= 512);
        broken += rc < 0;
    }
    assert_true(broken > 100);
}

static void *writer_thread(void *arg) {
    struct pair *r = arg;
    for (u32 n = 0; n < 20000;) n += put(&r->writer, 8 + n % 300, (u8)n) ? 1 : 0;
    return NULL;
}

static void test_two_threads(void **state) {
    struct pair *r = *state;
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, writer_thread, r), 0);
    u8 got[512];
    for (u32 n = 0; n < 20000;) {
        int len = ring_get(&r->reader, got, sizeof got);
        assert_true(len >= 0);
        if (len == 0) continue;
        assert_int_equal(len, (int)(8 + n % 300));
        assert_int_equal(got[0], (u8)n);
        assert_int_equal(got[len - 1], (u8)(n + (u32)len - 1));
        n++;
    }
    pthread_join(t, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order_and_wrap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_doorbell, setup, teardown),
        cmocka_unit_test(test_garbage_from_writer),
        cmocka_unit_test_setup_teardown(test_garbage_from_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_garbage_everywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_threads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
