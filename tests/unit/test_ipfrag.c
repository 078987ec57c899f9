/* test_ipfrag.c - fragments: every order, overlaps, limits, time; and our own fragmentation against our own
 * reassembly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "packets.h"
#include "testnet.h"
#include "wire/icmp.h"

#include <cmocka.h>

#define CARD (LINK_CAP_ARP | LINK_CAP_MCAST)

static u8 buf[70000], data[70000], got[70000];
static u32 packets, got_len;

static void got_input(struct stack *stk, struct pkt *p, u64 now) {
    UNUSED(stk);
    UNUSED(now);
    packets++;
    got_len = p->len;
    memcpy(got, p->data, p->len);
}
static const struct ip_proto got_proto = {.name = "TEST", .input = got_input};

struct fixture {
    struct testnet *t;
    struct stack *a;
    struct link *l;
};

static struct fixture setup(void) {
    struct fixture f = {.t = testnet_create(7)};
    f.a = testnet_stack(f.t, "TCPIPA", NULL);
    f.l = testnet_link(f.t, f.a, "L1", "10.0.1.1", "255.255.255.0", CARD);
    ip_proto_register(f.a, 200, &got_proto);
    for (u32 i = 0; i < sizeof data; i++) data[i] = (u8)(i * 13 ^ i >> 8);
    packets = got_len = 0;
    return f;
}

static void give(struct fixture *f, u16 id, u32 at, u32 len, bool more, const u8 *bytes) {
    struct packet_ip ip = {.src = "10.0.1.9", .dst = "10.0.1.1", .proto = 200, .id = id};
    ip.frag = (u16)(at / 8 | (more ? IP4_FRAG_MF : 0));
    testnet_give(f->l, buf, packet_ip(buf, &ip, bytes ? bytes : data + at, len), 0);
}

/* Four pieces of 24, 24, 24 and 5 bytes in all 24 orders. */
static void every_order(void **state) {
    struct fixture f = setup();
    u16 id = 1;
    UNUSED(state);
    for (u32 a = 0; a < 4; a++)
        for (u32 b = 0; b < 4; b++)
            for (u32 c = 0; c < 4; c++)
                for (u32 d = 0; d < 4; d++) {
                    if (a == b || a == c || a == d || b == c || b == d || c == d) continue;
                    const u32 order[4] = {a, b, c, d};
                    packets = 0;
                    for (u32 i = 0; i < 4; i++) {
                        assert_int_equal(packets, 0);
                        give(&f, id, order[i] * 24, order[i] == 3 ? 5 : 24, order[i] != 3, NULL);
                    }
                    assert_int_equal(packets, 1);
                    assert_int_equal(got_len, 77);
                    assert_memory_equal(got, data, 77);
                    id++;
                }
    assert_int_equal(f.a->stats.ip.reasm_oks, 24);
    assert_int_equal(f.a->stats.ip.reasm_reqds, 96);
    testnet_check_pools(f.t);
    testnet_destroy(f.t);
}

static void the_largest_datagram(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    for (u32 at = 0; at < 65515; at += 1480)
        give(&f, 9, at, u32_min(1480, 65515 - at), at + 1480 < 65515, NULL);
    assert_int_equal(packets, 1);
    assert_int_equal(got_len, 65515);
    assert_memory_equal(got, data, 65515);
    give(&f, 10, 65512, 8, true, NULL); /* beyond what a datagram can be */
    assert_int_equal(f.a->stats.ip.drop_frag_too_big, 1);
    testnet_check_pools(f.t);
    testnet_destroy(f.t);
}

struct overlap_row {
    const char *name;
    struct {
        u32 at, len;
        bool more, other; /* other bytes than the datagram's */
    } piece[4];
    u32 overlaps, done;
};

static const struct overlap_row overlap_rows[] = {
    {"exact duplicate", {{0, 16, true, 0}, {0, 16, true, 0}, {16, 8, false, 0}}, 0, 1},
    {"duplicate with other bytes", {{0, 16, true, 0}, {0, 16, true, 1}, {16, 8, false, 0}}, 2, 0},
    {"inside, same bytes", {{0, 32, true, 0}, {8, 8, true, 0}, {32, 8, false, 0}}, 0, 1},
    {"inside, other bytes", {{0, 32, true, 0}, {8, 8, true, 1}, {32, 8, false, 0}}, 2, 0},
    {"over the end", {{0, 16, true, 0}, {8, 16, true, 0}, {24, 8, false, 0}}, 2, 0},
    {"over the beginning", {{16, 16, true, 0}, {8, 16, true, 0}, {0, 8, true, 0}}, 2, 0},
    {"over all", {{8, 8, true, 0}, {0, 32, true, 0}, {32, 8, false, 0}}, 2, 0},
    {"over a gap's far side", {{0, 8, true, 0}, {24, 8, true, 0}, {8, 24, true, 0}, {32, 8, false, 0}}, 2, 0},
    {"two ends", {{16, 8, false, 0}, {24, 8, false, 0}, {0, 16, true, 0}}, 2, 0},
    {"data after the end", {{16, 8, false, 0}, {24, 8, true, 0}, {0, 16, true, 0}}, 2, 0},
    {"end before known data", {{24, 8, true, 0}, {16, 4, false, 0}, {0, 16, true, 0}}, 2, 0},
};

static void overlaps_spoil_a_datagram(void **state) {
    u8 other[64];
    UNUSED(state);
    memset(other, 0xEE, sizeof other);
    for (u32 i = 0; i < ARRAY_LEN(overlap_rows); i++) {
        const struct overlap_row *r = &overlap_rows[i];
        struct fixture f = setup();
        for (u32 k = 0; k < 4 && r->piece[k].len; k++)
            give(&f, 5, r->piece[k].at, r->piece[k].len, r->piece[k].more, r->piece[k].other ? other : NULL);
        if (packets != r->done || (f.a->stats.ip.drop_frag_overlap != 0) != (r->overlaps != 0))
            print_error("row: %s\n", r->name);
        assert_int_equal(packets, r->done);
        assert_int_equal(f.a->stats.ip.drop_frag_overlap != 0, r->overlaps != 0);
        if (r->done) assert_memory_equal(got, data, got_len);
        testnet_destroy(f.t);
    }
}

static void malformed_fragments(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    give(&f, 5, 0, 12, true, NULL); /* not a multiple of 8 */
    give(&f, 5, 8, 0, true, NULL);
    give(&f, 5, 8, 0, false, NULL);
    assert_int_equal(f.a->stats.ip.drop_frag_malformed, 3);
    assert_int_equal(f.a->frags.pool.in_use, 0);
    testnet_destroy(f.t);
}

static void tables_are_bounded(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    for (u16 id = 1; id <= 10; id++) give(&f, id, 0, 16, true, NULL);
    assert_int_equal(f.a->frags.pool.in_use, 4);
    assert_int_equal(f.a->stats.ip.drop_frag_full, 6);
    /* The oldest gave way: the last four can still be finished. */
    for (u16 id = 7; id <= 10; id++) give(&f, id, 16, 8, false, NULL);
    assert_int_equal(packets, 4);
    /* A datagram in too many separate pieces keeps what it has and takes no more. */
    packets = 0;
    for (u32 i = 0; i <= FRAG_RANGES_MAX; i++) give(&f, 99, 16 * i + 8, 8, true, NULL);
    u32 full = f.a->stats.ip.drop_frag_full;
    assert_true(full > 6);
    testnet_destroy(f.t);
}

static void time_runs_out(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    give(&f, 1, 0, 16, true, NULL);  /* with the first fragment: told */
    give(&f, 2, 16, 16, true, NULL); /* without: silent */
    testnet_run(f.t, 59 * USEC_PER_SEC);
    assert_int_equal(f.a->stats.ip.reasm_timeouts, 0);
    testnet_run(f.t, 2 * USEC_PER_SEC);
    assert_int_equal(f.a->stats.ip.reasm_timeouts, 2);
    assert_int_equal(testnet_sent(f.l), 1);
    const u8 *e = testnet_frame(f.l, 0)->bytes;
    assert_int_equal(e[20], ICMP_TIME_EXCEEDED);
    assert_int_equal(e[21], ICMP_EXCEEDED_REASSEMBLY);
    assert_int_equal(be16_get(e + 28 + 4), 1);
    assert_memory_equal(e + 48, data, 8);
    testnet_check_pools(f.t);
    testnet_destroy(f.t);
}

/* What one stack cuts the other joins: every size around the edges, payload in data and spans, in and out of
 * order. */
static void cut_and_joined(void **state) {
    static const u32 sizes[] = {1480, 1481, 1488, 2960, 2961, 9000, 40001, 65515};
    static const struct testnet_fault faults[] = {
        {0}, {.reorder_permille = 400, .delay_usec = 100, .duplicate_permille = 200}};
    UNUSED(state);
    for (u32 k = 0; k < ARRAY_LEN(faults); k++) {
        struct testnet *t = testnet_create(3 + k);
        struct stack *a = testnet_stack(t, "TCPIPA", NULL), *b = testnet_stack(t, "TCPIPB", NULL);
        struct link *la = testnet_link(t, a, "LA", "10.0.1.1", "255.255.255.0", k ? 0 : CARD);
        struct link *lb = testnet_link(t, b, "LB", "10.0.1.2", "255.255.255.0", k ? 0 : CARD);
        testnet_join(t, la, lb, &faults[k]);
        testnet_run(t, USEC_PER_SEC);
        ip_proto_register(b, 200, &got_proto);
        for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
            u8 room[PKT_HEADROOM + 16];
            u32 n = sizes[i];
            struct pkt p = {.data = room + PKT_HEADROOM, .len = 13, .headroom = PKT_HEADROOM};
            for (u32 x = 0; x < n; x++) data[x] = (u8)(x * 31 + i);
            memcpy(p.data, data, 13);
            p.ext[0] = (struct span){data + 13, 500};
            p.ext[1] = (struct span){data + 513, 2};
            p.ext[2] = (struct span){data + 515, n - 515};
            p.ext_len = n - 13;
            struct ip_out how = {.dst = testnet_ip("10.0.1.2"), .proto = 200};
            packets = 0;
            assert_int_equal(ip_output(a, &p, &how, t->now), 0);
            testnet_run(t, 3 * USEC_PER_SEC);
            assert_int_equal(packets, 1);
            assert_int_equal(got_len, n);
            assert_memory_equal(got, data, n);
        }
        assert_int_equal(a->stats.ip.frag_oks, ARRAY_LEN(sizes) - 1);
        testnet_destroy(t);
    }
}

static void options_of_later_fragments(void **state) {
    static const u8 alert[8] = {148, 4, 0, 0, 7, 3, 4, 0}; /* router alert is copied, record route is not */
    struct fixture f = setup();
    u8 room[PKT_HEADROOM + 16];
    struct pkt p = {.data = room + PKT_HEADROOM, .len = 8, .headroom = PKT_HEADROOM, .ext_len = 3000};
    struct ip_out how = {.dst = testnet_ip("10.0.1.7"), .proto = 200, .options = alert, .options_len = 8};
    UNUSED(state);
    p.ext[0] = (struct span){data, 3000};
    assert_int_equal(ip_output(f.a, &p, &how, f.t->now), 0);
    assert_int_equal(testnet_sent(f.l), 3);
    u32 end = 0;
    for (u32 i = 0; i < 3; i++) {
        const struct testnet_frame *o = testnet_frame(f.l, i);
        assert_int_equal(ip4_check(o->bytes, o->len, true), IP4_OK);
        assert_int_equal(o->bytes[0], i ? 0x46 : 0x47);
        assert_int_equal((be16_get(o->bytes + 6) & IP4_FRAG_OFFSET) * 8, end);
        assert_int_equal(be16_get(o->bytes + 6) & IP4_FRAG_MF, i < 2 ? IP4_FRAG_MF : 0);
        end += o->len - ip4_header_bytes(o->bytes);
    }
    assert_int_equal(end, 3008);
    testnet_destroy(f.t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order),
        cmocka_unit_test(the_largest_datagram),
        cmocka_unit_test(overlaps_spoil_a_datagram),
        cmocka_unit_test(malformed_fragments),
        cmocka_unit_test(tables_are_bounded),
        cmocka_unit_test(time_runs_out),
        cmocka_unit_test(cut_and_joined),
        cmocka_unit_test(options_of_later_fragments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
