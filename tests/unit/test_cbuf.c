/* test_cbuf.c - the byte queue against a plain array: every operation at chunk edges, a random walk, and an empty pool. */
#include "net/cbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

struct rig {
    void *storage;
    struct pool chunks;
    struct cbuf b;
};

static void open_rig(struct rig *r, u32 chunks) {
    size_t bytes = (size_t)(chunks + 1) * (sizeof(struct cbuf_chunk) + 32);
    struct arena a;
    r->storage = malloc(bytes);
    arena_init(&a, r->storage, bytes);
    assert_true(pool_init(&r->chunks, "chunks", &a, sizeof(struct cbuf_chunk), chunks));
    cbuf_init(&r->b);
}

static void close_rig(struct rig *r) {
    cbuf_free(&r->b, &r->chunks);
    assert_int_equal(r->chunks.in_use, 0);
    free(r->storage);
}

static void put(struct rig *r, u32 n, u8 *next) {
    while (n > 0) {
        u8 *to;
        u32 room = cbuf_room(&r->b, &r->chunks, &to);
        assert_true(room > 0);
        u32 part = room < n ? room : n;
        for (u32 i = 0; i < part; i++) to[i] = (*next)++;
        cbuf_commit(&r->b, part);
        n -= part;
    }
}

static void take(struct rig *r, u32 n, u8 *next) {
    while (n > 0) {
        const u8 *p;
        u32 ready = cbuf_front(&r->b, &p), part = ready < n ? ready : n;
        assert_true(part > 0);
        for (u32 i = 0; i < part; i++) assert_int_equal(p[i], (*next)++);
        cbuf_consume(&r->b, &r->chunks, part, false);
        n -= part;
    }
}

static void an_empty_queue_holds_nothing(void **state) {
    struct rig r;
    u8 in = 0, out = 0;
    const u8 *p;
    (void)state;
    open_rig(&r, 4);
    assert_int_equal(cbuf_front(&r.b, &p), 0);
    put(&r, 1, &in);
    assert_int_equal(r.chunks.in_use, 1);
    take(&r, 1, &out);
    assert_int_equal(r.chunks.in_use, 0);
    close_rig(&r);
}

static void edges_of_chunks(void **state) {
    static const u32 sizes[] = {1, CBUF_CHUNK_DATA - 1, CBUF_CHUNK_DATA, CBUF_CHUNK_DATA + 1, 2 * CBUF_CHUNK_DATA};
    (void)state;
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
        for (u32 j = 0; j < ARRAY_LEN(sizes); j++) {
            struct rig r;
            u8 in = 0, out = 0;
            open_rig(&r, 8);
            put(&r, sizes[i], &in);
            take(&r, sizes[i] / 2, &out);
            put(&r, sizes[j], &in);
            take(&r, sizes[i] - sizes[i] / 2 + sizes[j], &out);
            assert_int_equal(r.b.len, 0);
            close_rig(&r);
        }
    }
}

static void spans_cover_any_part(void **state) {
    struct rig r;
    u8 in = 0;
    (void)state;
    open_rig(&r, 8);
    put(&r, 4 * CBUF_CHUNK_DATA, &in);
    cbuf_consume(&r.b, &r.chunks, 100, false);
    for (u32 at = 0; at < 3 * CBUF_CHUNK_DATA; at += 997) {
        struct span s[3];
        u32 spans, n = CBUF_CHUNK_DATA, covered = cbuf_spans(&r.b, at, n, s, 3, &spans), seen = 0;
        assert_int_equal(covered, n);
        for (u32 i = 0; i < spans; i++)
            for (u32 k = 0; k < s[i].len; k++, seen++) assert_int_equal(s[i].p[k], (u8)(100 + at + seen));
        assert_int_equal(seen, n);
    }
    struct span one[1];
    u32 spans;
    assert_int_equal(cbuf_spans(&r.b, 0, r.b.len, one, 1, &spans), CBUF_CHUNK_DATA - 100);
    close_rig(&r);
}

/* Where the last walk ended is a chunk that the queue still holds, and stands where it says. */
static void near_is_held(const struct cbuf *b) {
    const struct cbuf_chunk *c = b->head;
    if (!b->near) return;
    for (u32 at = 0; at < b->near_at && c; at += CBUF_CHUNK_DATA) c = c->next;
    assert_ptr_equal(c, b->near);
}

/* As TCP uses it: pieces are taken one behind the other and now and then from the front again, while bytes come and leave. */
static void spans_while_bytes_come_and_leave(void **state) {
    struct rig r;
    u8 in = 0, first = 0;
    u32 x = 4711, at = 0;
    (void)state;
    open_rig(&r, 40);
    for (u32 round = 0; round < 20000; round++) {
        struct span s[9];
        u32 spans, seen = 0;
        x = x * 1664525u + 1013904223u;
        u32 n = x >> 16;
        if (r.b.len + n < 38 * CBUF_CHUNK_DATA) put(&r, n, &in);
        if (x >> 28 == 0) at = 0;
        n = u32_min(n + 1, r.b.len - at);
        u32 covered = cbuf_spans(&r.b, at, n, s, ARRAY_LEN(s), &spans);
        assert_int_equal(covered, n);
        for (u32 i = 0; i < spans; seen += s[i++].len) {
            assert_int_equal(s[i].p[0], (u8)(first + at + seen));
            assert_int_equal(s[i].p[s[i].len - 1], (u8)(first + at + seen + s[i].len - 1));
        }
        assert_int_equal(seen, n);
        at += n;
        n = u32_min((x >> 4) % 100000, at);
        cbuf_consume(&r.b, &r.chunks, n, false);
        first = (u8)(first + n);
        at -= n;
        near_is_held(&r.b);
    }
    close_rig(&r);
}

static void out_of_order_lands_in_its_place(void **state) {
    struct rig r;
    u8 text[3 * CBUF_CHUNK_DATA];
    const u8 *p;
    u32 n = sizeof text, step = 1460, at, seen = 0;
    (void)state;
    for (u32 i = 0; i < n; i++) text[i] = (u8)(i * 7);
    open_rig(&r, 4);
    for (at = step; at < n; at += step) /* all but the first, last first */
        assert_true(cbuf_write_at(&r.b, &r.chunks, at, text + at, u32_min(step, n - at)));
    assert_int_equal(r.b.len, 0);
    assert_true(cbuf_write_at(&r.b, &r.chunks, 0, text, step));
    cbuf_extend(&r.b, n);
    while (seen < n) {
        u32 ready = cbuf_front(&r.b, &p);
        assert_memory_equal(p, text + seen, ready);
        seen += ready;
        cbuf_consume(&r.b, &r.chunks, ready, false);
    }
    close_rig(&r);
}

static void what_is_ahead_stays_when_the_front_is_read(void **state) {
    struct rig r;
    const u8 *p;
    (void)state;
    open_rig(&r, 4);
    assert_true(cbuf_write_at(&r.b, &r.chunks, 0, (const u8 *)"ab", 2));
    cbuf_extend(&r.b, 2);
    assert_true(cbuf_write_at(&r.b, &r.chunks, 4, (const u8 *)"ef", 2));
    cbuf_consume(&r.b, &r.chunks, 2, true);
    assert_int_equal(r.b.len, 0);
    assert_true(cbuf_write_at(&r.b, &r.chunks, 0, (const u8 *)"cd", 2));
    cbuf_extend(&r.b, 4);
    assert_int_equal(cbuf_front(&r.b, &p), 4);
    assert_memory_equal(p, "cdef", 4);
    close_rig(&r);
}

static void an_empty_pool_changes_nothing(void **state) {
    struct rig r;
    u8 in = 0, out = 0, *to, big[2 * CBUF_CHUNK_DATA] = {0};
    (void)state;
    open_rig(&r, 2);
    put(&r, 10, &in);
    assert_false(cbuf_write_at(&r.b, &r.chunks, CBUF_CHUNK_DATA, big, sizeof big));
    assert_int_equal(r.chunks.in_use, 1);
    assert_true(r.chunks.refused > 0);
    put(&r, 2 * CBUF_CHUNK_DATA - 10, &in);
    assert_int_equal(cbuf_room(&r.b, &r.chunks, &to), 0);
    assert_null(to);
    take(&r, 2 * CBUF_CHUNK_DATA, &out);
    assert_false(cbuf_write_at(&r.b, &r.chunks, CBUF_CHUNK_DATA, big, sizeof big));
    assert_int_equal(r.chunks.in_use, 0);
    close_rig(&r);
}

static void random_walk(void **state) {
    struct rig r;
    u8 in = 0, out = 0;
    u32 x = 12345;
    (void)state;
    open_rig(&r, 16);
    for (u32 i = 0; i < 5000; i++) {
        x = x * 1664525u + 1013904223u;
        u32 n = x >> 18;
        if ((x & 1) && r.b.len + n < 12 * CBUF_CHUNK_DATA)
            put(&r, n, &in);
        else
            take(&r, u32_min(n, r.b.len), &out);
        assert_true(r.chunks.in_use <= r.b.len / CBUF_CHUNK_DATA + 2);
    }
    close_rig(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_queue_holds_nothing),
        cmocka_unit_test(edges_of_chunks),
        cmocka_unit_test(spans_cover_any_part),
        cmocka_unit_test(spans_while_bytes_come_and_leave),
        cmocka_unit_test(out_of_order_lands_in_its_place),
        cmocka_unit_test(what_is_ahead_stays_when_the_front_is_read),
        cmocka_unit_test(an_empty_pool_changes_nothing),
        cmocka_unit_test(random_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
