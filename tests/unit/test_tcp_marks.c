/* test_tcp_marks.c - lists of ranges against a bitmap, at numbers that wrap; the bound; the scoreboard's questions. */
#include "net/tcp_impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

#define BASE 0xFFFFFFC0u /* the list begins before the wrap and ends after it */
#define BITS 200u

static void same(const struct tcp_ranges *rs, const bool *bit) {
    u32 i = 0;
    for (u32 at = 0; at < BITS;) {
        if (!bit[at]) {
            at++;
            continue;
        }
        u32 end = at;
        while (end < BITS && bit[end]) end++;
        assert_true(i < rs->n);
        assert_int_equal(rs->r[i].left - BASE, at);
        assert_int_equal(rs->r[i].right - BASE, end);
        i++;
        at = end;
    }
    assert_int_equal(i, rs->n);
}

static u32 runs(const bool *bit) {
    u32 n = 0;
    for (u32 at = 0; at < BITS; at++) n += bit[at] && (at == 0 || !bit[at - 1]);
    return n;
}

static void adding_and_cutting(void **state) {
    u32 x = 1, refused = 0;
    (void)state;
    for (u32 round = 0; round < 400; round++) {
        struct tcp_ranges rs = {0};
        bool bit[BITS] = {0};
        for (u32 step = 0; step < 40; step++) {
            bool next[BITS];
            x = x * 1664525u + 1013904223u;
            u32 l = (x >> 8) % (BITS - 10), r = l + 1 + (x >> 20) % 9;
            memcpy(next, bit, sizeof next);
            for (u32 i = l; i < r; i++) next[i] = true;
            if (tcp_ranges_add(&rs, BASE + l, BASE + r)) {
                memcpy(bit, next, sizeof bit);
            } else {
                assert_int_equal(rs.n, TCP_MARK_RANGES);
                assert_true(runs(next) > TCP_MARK_RANGES);
                refused++;
            }
            same(&rs, bit);
            if (step % 11 == 10) {
                u32 cut = (x >> 12) % BITS;
                tcp_ranges_cut(&rs, BASE + cut);
                for (u32 i = 0; i < cut; i++) bit[i] = false;
                same(&rs, bit);
            }
        }
    }
    assert_true(refused > 0);
}

/* A tcb in the middle of recovery, without a stack behind it. */
static void recovering(struct sock *s, struct tcp_marks *m, const u32 (*sacked)[2], u32 n) {
    memset(s, 0, sizeof *s);
    memset(m, 0, sizeof *m);
    s->tcb.marks = m;
    s->tcb.q.mss_send = 100;
    s->tcb.q.snd_una = s->tcb.high_rxt = BASE;
    s->tcb.q.snd_nxt = s->tcb.q.snd_max = BASE + 1000;
    for (u32 i = 0; i < n; i++) assert_true(tcp_ranges_add(&m->sacked, BASE + sacked[i][0], BASE + sacked[i][1]));
}

static void what_is_lost(void **state) {
    struct sock s;
    struct tcp_marks m;
    u32 seq, len;
    static const u32 two[][2] = {{100, 200}, {300, 400}};
    static const u32 three[][2] = {{100, 200}, {300, 400}, {500, 510}};
    static const u32 large[][2] = {{100, 350}};
    (void)state;
    recovering(&s, &m, two, 2);
    assert_false(tcp_is_lost(&s.tcb, BASE)); /* two ranges, exactly two segments */
    assert_int_equal(tcp_pipe(&s.tcb), 800);
    recovering(&s, &m, three, 3);
    assert_true(tcp_is_lost(&s.tcb, BASE));
    assert_false(tcp_is_lost(&s.tcb, BASE + 200));
    assert_int_equal(tcp_pipe(&s.tcb), 1000 - 100 - 210);
    s.tcb.high_rxt = BASE + 100; /* the lost hole was sent again: it is in the network once more */
    assert_int_equal(tcp_pipe(&s.tcb), 1000 - 210);
    assert_true(tcp_next_hole(&s.tcb, &seq, &len));
    assert_int_equal(seq - BASE, 200);
    assert_int_equal(len, 100);
    recovering(&s, &m, large, 1);
    assert_true(tcp_is_lost(&s.tcb, BASE)); /* more than two segments above it */
    s.tcb.high_rxt = BASE + 360;
    assert_false(tcp_next_hole(&s.tcb, &seq, &len)); /* above the highest report nothing is known */
}

static void sack_option_order(void **state) {
    struct sock s;
    struct tcp_marks m;
    struct tcp_range out[4];
    (void)state;
    recovering(&s, &m, NULL, 0);
    assert_int_equal(tcp_sack_option(&s.tcb, out, 4), 0);
    for (u32 i = 1; i <= 5; i++) assert_true(tcp_ranges_add(&m.ahead, BASE + 100 * i, BASE + 100 * i + 50));
    m.latest = BASE + 310;
    assert_int_equal(tcp_sack_option(&s.tcb, out, 3), 3);
    assert_int_equal(out[0].left - BASE, 300); /* RFC 2018 4: the newest first */
    assert_int_equal(out[1].left - BASE, 100);
    assert_int_equal(out[2].left - BASE, 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(adding_and_cutting), cmocka_unit_test(what_is_lost),
                                       cmocka_unit_test(sack_option_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
