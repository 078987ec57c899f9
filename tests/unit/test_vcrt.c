/* test_vcrt.c - the connection routing table: every cell of its states, patience, eviction, targets, a million rows,
 * and random use against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "sysplex/vcrt.h"
#include "wire/tcphdr.h"

#include <cmocka.h>

#define SEC 1048576ull /* a tick */

struct fixture {
    struct vcrt v;
    void *storage;
    u32 freed;
};

static void count_freed(void *ctx, struct vcrt_row *row) {
    struct fixture *f = ctx;
    UNUSED(row);
    f->freed++;
}

static struct fixture *setup(u32 rows) {
    struct fixture *f = calloc(1, sizeof *f);
    struct arena a;
    const struct hash_key key = {0x1234567, 0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35};
    size_t bytes = vcrt_bytes(rows);
    f->storage = calloc(1, bytes);
    arena_init(&a, f->storage, bytes);
    assert_true(vcrt_init(&f->v, &a, rows, &key));
    f->v.freed = count_freed;
    f->v.ctx = f;
    return f;
}

static void teardown(struct fixture *f) {
    free(f->storage);
    free(f);
}

static struct vcrt_key key_of(u32 n) {
    return (struct vcrt_key){ipaddr_v4(0xC9020A0B), ipaddr_v4(0x0A000000 + n / 50000), 80, (u16)(1024 + n % 50000)};
}

static struct vcrt_row *add(struct fixture *f, u32 n, u32 target, u64 now) {
    struct vcrt_key k = key_of(n);
    return vcrt_add(&f->v, &k, target, VCRT_EV_SYN, now);
}

static void every_cell(void **state) {
    static const char *const want[VCRT_STATES] = {
        [VCRT_FREE] = "SYN FREE FREE OPEN FREE",   [VCRT_SYN] = "SYN OPEN FIN OPEN ENDED",
        [VCRT_OPEN] = "OPEN OPEN FIN OPEN ENDED",  [VCRT_FIN] = "SYN FIN FIN FIN ENDED",
        [VCRT_ENDED] = "SYN ENDED ENDED OPEN ENDED"};
    UNUSED(state);
    for (u32 s = 0; s < VCRT_STATES; s++) {
        char row[80] = "";
        for (u32 e = 0; e < VCRT_EVENTS; e++) {
            u32 at = (u32)strlen(row);
            str_fmt(row + at, sizeof row - at, "%s%s", e ? " " : "",
                    vcrt_state_name(vcrt_next((enum vcrt_state)s, (enum vcrt_event)e)));
        }
        assert_string_equal(row, want[s]);
    }
}

static void flags_make_events(void **state) {
    UNUSED(state);
    assert_int_equal(vcrt_event_of(TCPF_SYN), VCRT_EV_SYN);
    assert_int_equal(vcrt_event_of(TCPF_SYN | TCPF_ACK), VCRT_EV_TEXT);
    assert_int_equal(vcrt_event_of(TCPF_ACK), VCRT_EV_TEXT);
    assert_int_equal(vcrt_event_of(TCPF_ACK | TCPF_FIN), VCRT_EV_FIN);
    assert_int_equal(vcrt_event_of(TCPF_RST), VCRT_EV_FIN);
}

static void found_by_all_four(void **state) {
    struct fixture *f = setup(16);
    struct vcrt_key k = key_of(3), other;
    UNUSED(state);
    struct vcrt_row *row = add(f, 3, 5, 0);
    assert_ptr_equal(vcrt_find(&f->v, &k), row);
    other = k, other.cport++;
    assert_null(vcrt_find(&f->v, &other));
    other = k, other.dport++;
    assert_null(vcrt_find(&f->v, &other));
    other = k, other.client.v4++;
    assert_null(vcrt_find(&f->v, &other));
    other = k, other.dvipa.v4++;
    assert_null(vcrt_find(&f->v, &other));
    vcrt_del(&f->v, row);
    assert_null(vcrt_find(&f->v, &k));
    assert_int_equal(f->freed, 1);
    assert_int_equal(vcrt_rows(&f->v), 0);
    teardown(f);
}

/* The number a RST needs: the highest acknowledged, modulo 2^32, whatever order segments come in. */
static void remembers_what_was_acknowledged(void **state) {
    struct fixture *f = setup(16);
    UNUSED(state);
    struct vcrt_row *row = add(f, 1, 0, 0);
    vcrt_segment(&f->v, row, TCPF_SYN, 500, 77, 0);
    assert_false(row->acked);
    vcrt_segment(&f->v, row, TCPF_ACK, 500, 0xFFFFFFF0u, 0);
    assert_true(row->acked);
    vcrt_segment(&f->v, row, TCPF_ACK, 500, 0x10, 0);
    vcrt_segment(&f->v, row, TCPF_ACK, 500, 0xFFFFFFFFu, 0);
    assert_int_equal(row->ack, 0x10);
    assert_int_equal(row->state, VCRT_OPEN);
    teardown(f);
}

/* Ports come back: a SYN after FIN or the target's word is another connection; a repeated one is not. */
/* vcrt_passed() is the short way of vcrt_segment(): where it takes a segment, both leave the row alike. */
static void the_short_way_does_the_same(void **state) {
    static const u32 acks[] = {0xFFFFFFF0u, 0x10, 0xFFFFFFFFu, 0x10, 0x11};
    struct fixture *f = setup(16);
    u32 taken = 0;
    UNUSED(state);
    struct vcrt_row *a = add(f, 1, 0, 0), *b = add(f, 2, 0, 0);
    for (u32 round = 0; round < 64 * ARRAY_LEN(acks); round++) {
        u8 flags = (u8)(round % 64);
        u32 ack = acks[round / 64];
        u64 now = (u64)round * SEC;
        for (u32 s = VCRT_SYN; s < VCRT_STATES; s++) {
            bool acked = round % 3 != 0;
            a->state = b->state = (u8)s;
            a->acked = b->acked = acked;
            a->ack = b->ack = 0xFFFFFFF8u;
            bool passed = vcrt_passed(a, flags, ack, now);
            assert_true(passed == (s == VCRT_OPEN && acked && (flags & (TCPF_SYN | TCPF_FIN | TCPF_RST | TCPF_ACK)) == TCPF_ACK));
            if (!passed) continue;
            taken++;
            assert_false(vcrt_segment(&f->v, b, flags, 1, ack, now));
            assert_int_equal(a->ack, b->ack);
            assert_int_equal(a->used, b->used);
            assert_int_equal(a->state, b->state);
        }
    }
    assert_true(taken > 10);
    teardown(f);
}

static void a_new_life_has_another_isn(void **state) {
    struct fixture *f = setup(16);
    UNUSED(state);
    struct vcrt_row *row = add(f, 1, 0, 0);
    vcrt_segment(&f->v, row, TCPF_SYN, 1000, 0, 0);
    vcrt_segment(&f->v, row, TCPF_ACK, 1001, 70, 0);
    vcrt_segment(&f->v, row, TCPF_SYN, 9000, 0, 0);
    assert_int_equal(row->isn, 1000);
    assert_int_equal(row->state, VCRT_OPEN);
    vcrt_segment(&f->v, row, TCPF_RST, 1001, 0, 0);
    vcrt_segment(&f->v, row, TCPF_SYN, 9000, 0, 0);
    assert_int_equal(row->isn, 9000);
    assert_int_equal(row->state, VCRT_SYN);
    assert_false(row->acked);
    teardown(f);
}

static void patience_by_state(void **state) {
    struct fixture *f = setup(16);
    UNUSED(state);
    struct vcrt_row *syn = add(f, 1, 0, 0), *open = add(f, 2, 0, 0), *ended = add(f, 3, 0, 0);
    vcrt_step(&f->v, open, VCRT_EV_OPENED, 0);
    vcrt_step(&f->v, ended, VCRT_EV_CLOSED, 0);
    assert_null(vcrt_due(&f->v, 3 * SEC));
    assert_ptr_equal(vcrt_due(&f->v, 4 * SEC), ended);
    vcrt_del(&f->v, ended);
    assert_null(vcrt_due(&f->v, 7 * SEC));
    assert_ptr_equal(vcrt_due(&f->v, 8 * SEC), syn);
    assert_null(vcrt_due(&f->v, 15 * SEC)); /* asked about: it waits once more */
    assert_ptr_equal(vcrt_due(&f->v, 16 * SEC), syn);
    vcrt_del(&f->v, syn);
    assert_null(vcrt_due(&f->v, 299 * SEC));
    assert_ptr_equal(vcrt_due(&f->v, 300 * SEC), open);
    assert_null(vcrt_due(&f->v, 300 * SEC));
    teardown(f);
}

static void a_row_in_use_is_not_due(void **state) {
    struct fixture *f = setup(16);
    UNUSED(state);
    struct vcrt_row *row = add(f, 1, 0, 0), *idle = add(f, 2, 0, 0);
    vcrt_step(&f->v, row, VCRT_EV_TEXT, 0);
    vcrt_step(&f->v, idle, VCRT_EV_TEXT, 0);
    for (u64 t = 0; t < 2000; t += 5) {
        vcrt_segment(&f->v, row, TCPF_ACK, 500, (u32)t, t * SEC);
        struct vcrt_row *due = vcrt_due(&f->v, t * SEC);
        assert_ptr_not_equal(due, row);
        assert_true(!due || t >= 300);
    }
    /* Unused from now on, it is due before its patience has lasted twice. */
    u64 t = 1995;
    while (vcrt_due(&f->v, t * SEC) != row) assert_true(++t <= 1995 + 600);
    assert_true(t >= 1995 + 300);
    teardown(f);
}

/* A thousand connections that began together are in use; one is over. */
static void those_in_use_keep_nobody_waiting(void **state) {
    struct fixture *f = setup(1001);
    UNUSED(state);
    for (u32 i = 0; i < 1001; i++) {
        struct vcrt_row *row = add(f, i, 1, 0);
        vcrt_step(&f->v, row, VCRT_EV_TEXT, 0);
        if (i) vcrt_step(&f->v, row, VCRT_EV_TEXT, 299 * SEC);
        if (!i) vcrt_step(&f->v, row, VCRT_EV_CLOSED, 299 * SEC);
    }
    struct vcrt_row *due = vcrt_due(&f->v, 303 * SEC);
    assert_non_null(due);
    assert_int_equal(due->state, VCRT_ENDED);
    teardown(f);
}

static void full_gives_up_the_oldest_ended(void **state) {
    struct fixture *f = setup(4);
    UNUSED(state);
    for (u32 i = 0; i < 4; i++) assert_non_null(add(f, i, 0, 0));
    assert_null(add(f, 9, 0, 0));
    assert_int_equal(f->v.full, 1);
    struct vcrt_key k2 = key_of(2), k1 = key_of(1);
    vcrt_step(&f->v, vcrt_find(&f->v, &k2), VCRT_EV_CLOSED, SEC);
    vcrt_step(&f->v, vcrt_find(&f->v, &k1), VCRT_EV_CLOSED, SEC);
    assert_non_null(add(f, 9, 0, 0));
    assert_null(vcrt_find(&f->v, &k2));
    assert_non_null(vcrt_find(&f->v, &k1));
    assert_int_equal(f->v.evicted, 1);
    assert_int_equal(vcrt_rows(&f->v), 4);
    teardown(f);
}

static void targets_keep_their_rows(void **state) {
    struct fixture *f = setup(64);
    u32 seen = 0;
    UNUSED(state);
    for (u32 i = 0; i < 60; i++) add(f, i, i % 3, 0);
    assert_int_equal(f->v.rows_of[1], 20);
    for (struct vcrt_row *r = NULL; (r = vcrt_of_target(&f->v, 1, r)) != NULL; seen++) assert_int_equal(r->target, 1);
    assert_int_equal(seen, 20);
    vcrt_retarget(&f->v, vcrt_of_target(&f->v, 1, NULL), 2);
    assert_int_equal(f->v.rows_of[1], 19);
    assert_int_equal(f->v.rows_of[2], 21);
    while (f->v.rows_of[2]) vcrt_del(&f->v, vcrt_of_target(&f->v, 2, NULL));
    seen = 0;
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(&f->v, r)) != NULL;) seen++;
    assert_int_equal(seen, 39);
    assert_int_equal(vcrt_rows(&f->v), 39);
    teardown(f);
}

/* Random use beside a plain array: found exactly when it should be, counts equal, everything comes back. */
static void random_use(void **state) {
    enum { N = 300 };
    struct fixture *f = setup(N);
    bool in[N] = {false};
    u32 seed = 11, rows = 0, freed = 0;
    u64 now = 0;
    UNUSED(state);
    for (u32 i = 0; i < 60000; i++) {
        seed = seed * 1103515245u + 12345u;
        u32 n = seed >> 16 & 511;
        if (n >= N) {
            now += SEC / 8;
            continue;
        }
        struct vcrt_key k = key_of(n);
        struct vcrt_row *row = vcrt_find(&f->v, &k);
        assert_int_equal(row != NULL, in[n]);
        if (!row) {
            assert_non_null(add(f, n, n % VCRT_TARGETS, now));
            in[n] = true, rows++;
        } else if (seed & 0x8000) {
            vcrt_step(&f->v, row, (enum vcrt_event)((seed >> 8) % VCRT_EVENTS), now);
        } else if ((seed & 0x7000) == 0) {
            vcrt_del(&f->v, row);
            in[n] = false, rows--, freed++;
        }
        assert_int_equal(vcrt_rows(&f->v), rows);
    }
    for (u32 n = 0; n < N; n++) {
        struct vcrt_key k = key_of(n);
        struct vcrt_row *row = vcrt_find(&f->v, &k);
        if (row) vcrt_del(&f->v, row), freed++;
    }
    assert_int_equal(f->v.pool.in_use, 0);
    assert_int_equal(f->freed, freed);
    teardown(f);
}

/* The keyed hash spreads: with as many heads as rows no chain is long, from a thousand rows to a million. */
static void chains_stay_short(void **state) {
    UNUSED(state);
    for (u32 rows = 1000; rows <= 1000000; rows *= 10) {
        struct fixture *f = setup(rows);
        u32 longest = 0;
        for (u32 i = 0; i < rows; i++) assert_non_null(add(f, i, i % VCRT_TARGETS, 0));
        u32 heads = 1u << (32 - f->v.table.shift);
        for (u32 h = 0; h < heads; h++) {
            u32 n = 0;
            for (struct hash_row *r = f->v.table.head[h]; r; r = r->next) n++;
            longest = u32_max(longest, n);
        }
        assert_true(longest <= 12);
        teardown(f);
    }
    assert_true(sizeof(struct vcrt_row) <= VCRT_ROW_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell),
        cmocka_unit_test(flags_make_events),
        cmocka_unit_test(found_by_all_four),
        cmocka_unit_test(remembers_what_was_acknowledged),
        cmocka_unit_test(the_short_way_does_the_same),
        cmocka_unit_test(a_new_life_has_another_isn),
        cmocka_unit_test(patience_by_state),
        cmocka_unit_test(a_row_in_use_is_not_due),
        cmocka_unit_test(those_in_use_keep_nobody_waiting),
        cmocka_unit_test(full_gives_up_the_oldest_ended),
        cmocka_unit_test(targets_keep_their_rows),
        cmocka_unit_test(random_use),
        cmocka_unit_test(chains_stay_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
