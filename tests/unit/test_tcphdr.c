/* test_tcphdr.c - the TCP header: vectors, round trips, truncation at every length, options of every wrong length. */
#include "wire/tcphdr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

/* A SYN of Linux 6.1: MSS 1460, SACK permitted, timestamps, scale 7. */
static const u8 syn[40] = {0xD4, 0x31, 0x00, 0x50, 0x8E, 0x1B, 0x6C, 0xA5, 0, 0, 0, 0, 0xA0, 0x02, 0xFA, 0xF0, 0xFE, 0x30, 0, 0,
                           2, 4, 5, 0xB4, 4, 2, 8, 10, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0, 1, 3, 3, 7};

/* p at the end of storage of exactly n bytes, so that ASan sees every read beyond. */
static u8 *exactly(const u8 *p, u32 n) {
    u8 *c = malloc(n ? n : 1);
    if (n) memcpy(c, p, n);
    return c;
}

static void a_syn_of_linux(void **state) {
    struct tcphdr h;
    (void)state;
    assert_int_equal(tcphdr_check(syn, sizeof syn), 40);
    tcphdr_parse(syn, 40, &h);
    assert_int_equal(h.src_port, 0xD431);
    assert_int_equal(h.dst_port, 80);
    assert_int_equal(h.seq, 0x8E1B6CA5);
    assert_int_equal(h.flags, TCPF_SYN);
    assert_int_equal(h.window, 64240);
    assert_int_equal(h.has, TCPHDR_MSS | TCPHDR_SCALE | TCPHDR_SACK_OK | TCPHDR_TS);
    assert_int_equal(h.mss, 1460);
    assert_int_equal(h.scale, 7);
    assert_int_equal(h.ts_value, 0x11223344);
    assert_int_equal(h.sacks, 0);
}

static void truncation(void **state) {
    (void)state;
    for (u32 n = 0; n < sizeof syn; n++) {
        u8 *p = exactly(syn, n);
        assert_int_equal(tcphdr_check(p, n), 0);
        free(p);
    }
    u8 bad[20];
    memcpy(bad, syn, 20);
    for (u32 words = 0; words < 16; words++) {
        bad[12] = (u8)(words << 4);
        assert_int_equal(tcphdr_check(bad, 20), words == 5 ? 20 : 0);
    }
}

static void round_trips(void **state) {
    (void)state;
    for (u32 has = 0; has < 16; has++) {
        for (u8 sacks = 0; sacks <= 3; sacks++) {
            struct tcphdr h = {.src_port = 1, .dst_port = 65535, .seq = 0xFFFFFFFF, .ack = 7, .flags = TCPF_ACK,
                               .has = (u8)has, .scale = 14, .sacks = sacks, .window = 4321, .mss = 9000,
                               .ts_value = 5, .ts_echo = 0x80000000};
            struct tcphdr g;
            u8 out[TCPHDR_MAX_BYTES + 40];
            for (u8 i = 0; i < sacks; i++) h.sack[i] = (struct tcp_range){100u * i, 100u * i + 50};
            if (tcphdr_bytes(&h) > TCPHDR_MAX_BYTES) continue;
            u32 n = tcphdr_emit(&h, out);
            assert_int_equal(n, tcphdr_bytes(&h));
            assert_int_equal(n % 4, 0);
            u8 *p = exactly(out, n);
            assert_int_equal(tcphdr_check(p, n), n);
            memset(&g, 0, sizeof g);
            tcphdr_parse(p, n, &g);
            free(p);
            assert_int_equal(g.has, has);
            assert_int_equal(g.sacks, sacks);
            assert_int_equal(g.src_port, 1);
            assert_int_equal(g.dst_port, 65535);
            assert_int_equal(g.seq, 0xFFFFFFFF);
            assert_int_equal(g.window, 4321);
            if (has & TCPHDR_TS) assert_int_equal(g.ts_echo, 0x80000000);
            for (u8 i = 0; i < sacks; i++) assert_int_equal(g.sack[i].right, h.sack[i].right);
        }
    }
}

/* Every kind with every length in every amount of room: nothing is read outside, nothing wrong is believed. */
static void options_of_every_length(void **state) {
    static const u8 right[9] = {0, 0, 4, 3, 2, 0, 0, 0, 10};
    (void)state;
    for (u32 kind = 2; kind <= 9; kind++) {
        for (u32 size = 0; size < 256; size++) {
            for (u32 room = 4; room <= 40; room += 4) {
                u8 b[60] = {0};
                struct tcphdr h;
                b[12] = (u8)((20 + room) / 4 << 4);
                memset(b + 20, 1, room);
                b[20] = (u8)kind;
                b[21] = (u8)size;
                u8 *p = exactly(b, 20 + room);
                memset(&h, 0, sizeof h);
                tcphdr_parse(p, 20 + room, &h);
                free(p);
                if (kind < 9 && kind != 5 && (size != right[kind] || size > room)) assert_int_equal(h.has, 0);
                assert_true(h.sacks <= TCPHDR_SACK_MAX);
            }
        }
    }
}

static void sequence_numbers_wrap(void **state) {
    (void)state;
    assert_true(seq_lt(0xFFFFFFF0u, 5));
    assert_true(seq_gt(5, 0xFFFFFFF0u));
    assert_true(seq_le(7, 7) && seq_ge(7, 7) && !seq_lt(7, 7));
    assert_int_equal(seq_max(0xFFFFFFF0u, 5), 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syn_of_linux),         cmocka_unit_test(truncation),
        cmocka_unit_test(round_trips),            cmocka_unit_test(options_of_every_length),
        cmocka_unit_test(sequence_numbers_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
