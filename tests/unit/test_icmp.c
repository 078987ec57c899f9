/* test_icmp.c - ICMP: answers, errors that may and may not be sent, their rate, PING end points, redirects,
 * path MTU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "packets.h"
#include "testnet.h"
#include "wire/cksum.h"
#include "wire/icmp.h"

#include <cmocka.h>

#define CARD (LINK_CAP_ARP | LINK_CAP_MCAST)

static u8 buf[4096], inner[2048];

struct fixture {
    struct testnet *t;
    struct stack *a;
    struct link *l;
};

static struct fixture setup(void) {
    struct fixture f = {.t = testnet_create(7)};
    f.a = testnet_stack(f.t, "TCPIPA", NULL);
    f.l = testnet_link(f.t, f.a, "L1", "10.0.1.1", "255.255.255.0", CARD);
    return f;
}

static const struct packet_ip from_peer = {.src = "10.0.1.9", .dst = "10.0.1.1"};

static void echo_is_answered(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    for (u32 len = 0; len < 200; len += 33) {
        testnet_clear(f.l);
        testnet_give(f.l, buf,
                     packet_icmp(buf, &from_peer, ICMP_ECHO, 0, 0x12340007,
                                 "0123456789abcdefghijklmnopqrstuvwxyz", len % 36),
                     0);
        const struct testnet_frame *o = testnet_frame(f.l, 0);
        assert_int_equal(ip4_check(o->bytes, o->len, true), IP4_OK);
        assert_int_equal(ipaddr_get(o->bytes + 16).v4, testnet_ip("10.0.1.9").v4);
        assert_int_equal(ipaddr_get(o->bytes + 12).v4, testnet_ip("10.0.1.1").v4);
        assert_int_equal(o->bytes[20], ICMP_ECHO_REPLY);
        assert_int_equal(be32_get(o->bytes + 24), 0x12340007);
        assert_int_equal(cksum_fold(cksum_add(0, o->bytes + 20, o->len - 20)), 0);
        assert_memory_equal(o->bytes + 28, "0123456789abcdefghijklmnopqrstuvwxyz", len % 36);
    }
    testnet_destroy(f.t);
}

static void echo_carries_recorded_routes_back(void **state) {
    static const u8 record[12] = {7, 11, 8, 10, 9, 9, 9, 0, 0, 0, 0, 0};
    struct fixture f = setup();
    struct packet_ip ip = from_peer;
    UNUSED(state);
    ip.options = record;
    ip.options_len = 12;
    testnet_give(f.l, buf, packet_icmp(buf, &ip, ICMP_ECHO, 0, 1, "x", 1), 0);
    const struct testnet_frame *o = testnet_frame(f.l, 0);
    assert_int_equal(ip4_check(o->bytes, o->len, true), IP4_OK);
    assert_int_equal(o->bytes[0], 0x48);
    assert_int_equal(o->bytes[20], 7);
    assert_int_equal(o->bytes[22], 12); /* we are in it now */
    assert_int_equal(be32_get(o->bytes + 27), testnet_ip("10.0.1.1").v4);
    testnet_destroy(f.t);
}

static void what_is_not_answered(void **state) {
    struct fixture f = setup();
    struct packet_ip all = {.src = "10.0.1.9", .dst = "10.0.1.255"};
    struct icmp_stats *s = &f.a->stats.icmp;
    UNUSED(state);
    testnet_give(f.l, buf, packet_icmp(buf, &all, ICMP_ECHO, 0, 1, "x", 1), PKT_LINK_BCAST);
    assert_int_equal(s->drop_broadcast_echo, 1);
    u32 len = packet_icmp(buf, &from_peer, ICMP_ECHO, 0, 1, "x", 1);
    buf[27] ^= 1;
    testnet_give(f.l, buf, len, 0);
    assert_int_equal(s->drop_checksum, 1);
    for (u32 cut = 0; cut < 8; cut++)
        testnet_give(
            f.l, buf,
            packet_ip(buf, &(struct packet_ip){.src = "10.0.1.9", .dst = "10.0.1.1", .proto = 1}, inner, cut),
            0);
    assert_int_equal(s->drop_short, 8);
    testnet_give(f.l, buf, packet_icmp(buf, &from_peer, ICMP_MASK, 0, 1, "1234", 4), 0);
    testnet_give(f.l, buf, packet_icmp(buf, &from_peer, 99, 0, 1, "1234", 4), 0);
    assert_int_equal(s->drop_type, 2);
    testnet_give(f.l, buf, packet_icmp(buf, &from_peer, ICMP_TIMESTAMP, 0, 1, "1234", 4), 0);
    assert_int_equal(s->drop_short, 9);
    assert_int_equal(testnet_sent(f.l), 0);
    testnet_give(f.l, buf, packet_icmp(buf, &from_peer, ICMP_TIMESTAMP, 0, 1, "123456789012", 12), 0);
    assert_int_equal(testnet_sent(f.l), 1);
    assert_int_equal(testnet_frame(f.l, 0)->bytes[20], ICMP_TIMESTAMP_REPLY);
    assert_true(testnet_frame(f.l, 0)->bytes[32] & 0x80);
    testnet_destroy(f.t);
}

static void errors_that_must_not_be(void **state) {
    static const struct {
        struct packet_ip ip;
        u16 flags;
        bool icmp;
        u8 type;
    } rows[] = {
        {{.src = "10.0.1.9", .dst = "10.0.1.255", .proto = 201}, PKT_LINK_BCAST, false, 0},
        {{.src = "10.0.1.9", .dst = "224.0.0.1", .proto = 201}, PKT_LINK_MCAST, false, 0},
        {{.src = "10.0.1.9", .dst = "10.0.1.1", .proto = 201}, PKT_LINK_BCAST, false, 0},
        {{.src = "0.0.0.0", .dst = "10.0.1.1", .proto = 201}, 0, false, 0},
        {{.src = "240.0.0.1", .dst = "10.0.1.1", .proto = 201}, 0, false, 0},
        {{.src = "10.0.1.9", .dst = "10.0.9.9"},
         0,
         true,
         ICMP_UNREACHABLE}, /* forwarded error without a route */
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f = setup();
        f.a->conf.ip.forwarding = true;
        u32 len = rows[i].icmp ? packet_icmp(buf, &rows[i].ip, rows[i].type, 0, 0, inner, 28)
                               : packet_ip(buf, &rows[i].ip, "12345678", 8);
        testnet_give(f.l, buf, len, rows[i].flags);
        assert_int_equal(testnet_sent(f.l), 0);
        assert_int_equal(f.a->stats.icmp.drop_no_error_allowed, 1);
        testnet_destroy(f.t);
    }
}

static void errors_are_limited_in_rate(void **state) {
    struct fixture f = setup();
    struct packet_ip ip = {.src = "10.0.1.9", .dst = "10.0.1.1", .proto = 201};
    UNUSED(state);
    for (u32 i = 0; i < 500; i++) testnet_give(f.l, buf, packet_ip(buf, &ip, "12345678", 8), 0);
    u32 burst = f.a->stats.icmp.out_dest_unreachs;
    assert_in_range(burst, 50, 52);
    assert_int_equal(f.a->stats.icmp.drop_rate_limited, 500 - burst);
    testnet_run(f.t, USEC_PER_SEC / 10);
    for (u32 i = 0; i < 500; i++) testnet_give(f.l, buf, packet_ip(buf, &ip, "12345678", 8), 0);
    assert_in_range(f.a->stats.icmp.out_dest_unreachs - burst, 9, 11);
    testnet_destroy(f.t);
}

/* ---- PING end points ---- */

static void ping_gets_its_answer_and_its_errors(void **state) {
    struct fixture f = setup();
    struct dgram *d;
    struct sockaddr4 to = {testnet_ip("10.0.1.9"), 0}, from;
    UNUSED(state);
    assert_int_equal(dgram_open(f.a, DGRAM_ICMP, "PING", &d), 0);
    assert_int_equal(dgram_sendto(d, "payload", 7, &to, f.t->now), 7);
    const struct testnet_frame *o = testnet_frame(f.l, 0);
    assert_int_equal(o->bytes[20], ICMP_ECHO);
    assert_int_equal(be16_get(o->bytes + 24), d->local.port);
    assert_int_equal(be16_get(o->bytes + 26), 1);
    assert_int_equal(cksum_fold(cksum_add(0, o->bytes + 20, o->len - 20)), 0);
    u32 word = be32_get(o->bytes + 24);
    assert_int_equal(dgram_recvfrom(d, buf, 100, &from, NULL, f.t->now), -ERR_AGAIN);
    testnet_give(f.l, buf, packet_icmp(buf, &from_peer, ICMP_ECHO_REPLY, 0, word, "payload", 7), 0);
    assert_int_equal(dgram_recvfrom(d, buf, 100, &from, NULL, f.t->now), 15);
    assert_int_equal(from.addr.v4, testnet_ip("10.0.1.9").v4);
    assert_memory_equal(buf + 8, "payload", 7);
    /* A router's time exceeded about the request: TRACERTE lives on it. */
    memcpy(inner, o->bytes, o->len);
    struct packet_ip router = {.src = "10.0.1.254", .dst = "10.0.1.1"};
    testnet_give(f.l, buf, packet_icmp(buf, &router, ICMP_TIME_EXCEEDED, 0, 0, inner, 28), 0);
    assert_int_equal(dgram_recvfrom(d, buf, 100, &from, NULL, f.t->now), 36);
    assert_int_equal(from.addr.v4, testnet_ip("10.0.1.254").v4);
    assert_int_equal(buf[0], ICMP_TIME_EXCEEDED);
    /* Someone else's identifier. */
    testnet_give(f.l, buf, packet_icmp(buf, &from_peer, ICMP_ECHO_REPLY, 0, word ^ 0x10000, "payload", 7), 0);
    assert_int_equal(f.a->stats.icmp.drop_no_endpoint, 1);
    dgram_close(d, f.t->now);
    testnet_destroy(f.t);
}

static void ping_ourselves(void **state) {
    struct fixture f = setup();
    struct dgram *d;
    struct sockaddr4 to = {IPADDR_LOOPBACK, 0}, from;
    UNUSED(state);
    assert_int_equal(dgram_open(f.a, DGRAM_ICMP, "PING", &d), 0);
    assert_int_equal(dgram_sendto(d, inner, 1400, &to, f.t->now), 1400);
    testnet_poll(f.t);
    assert_int_equal(dgram_recvfrom(d, buf, sizeof buf, &from, NULL, f.t->now), 1408);
    assert_int_equal(from.addr.v4, IPADDR_LOOPBACK.v4);
    testnet_destroy(f.t);
}

/* ---- redirects ---- */

/* A packet of ours to dst, as an error or redirect quotes it. */
static u32 ours(const char *src, const char *dst) {
    struct packet_ip ip = {.src = src, .dst = dst};
    return packet_udp(inner, &ip, 1000, 2000, "12345678", 8);
}

static void redirects(void **state) {
    static const struct {
        const char *name, *from, *gateway, *src, *dst;
        bool ignore, taken;
    } rows[] = {
        {"from the gateway in use", "10.0.1.254", "10.0.1.253", "10.0.1.1", "10.7.0.1", false, true},
        {"IGNOREREDIRECT", "10.0.1.254", "10.0.1.253", "10.0.1.1", "10.7.0.1", true, false},
        {"from a stranger", "10.0.1.99", "10.0.1.253", "10.0.1.1", "10.7.0.1", false, false},
        {"to a gateway elsewhere", "10.0.1.254", "10.0.2.253", "10.0.1.1", "10.7.0.1", false, false},
        {"to ourselves", "10.0.1.254", "10.0.1.1", "10.0.1.1", "10.7.0.1", false, false},
        {"to the broadcast address", "10.0.1.254", "10.0.1.255", "10.0.1.1", "10.7.0.1", false, false},
        {"about another's packet", "10.0.1.254", "10.0.1.253", "10.0.1.7", "10.7.0.1", false, false},
        {"about a neighbour", "10.0.1.254", "10.0.1.253", "10.0.1.1", "10.0.1.7", false, false},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f = setup();
        struct route_def def = {.gateway = testnet_ip("10.0.1.254"), .lnk = f.l};
        struct packet_ip ip = {.src = rows[i].from, .dst = "10.0.1.1"};
        struct route_cache way;
        char flags[ROUTE_FLAGS_MAX];
        f.a->conf.ip.ignore_redirect = rows[i].ignore;
        assert_int_equal(route_add(f.a, &def, f.t->now), 0);
        u32 len = ours(rows[i].src, rows[i].dst);
        testnet_give(f.l, buf,
                     packet_icmp(buf, &ip, ICMP_REDIRECT, 1, testnet_ip(rows[i].gateway).v4, inner, len), 0);
        if ((f.a->routes.redirects == 1) != rows[i].taken) print_error("row: %s\n", rows[i].name);
        assert_int_equal(f.a->routes.redirects, rows[i].taken);
        if (rows[i].taken) {
            assert_int_equal(ip_route(f.a, testnet_ip(rows[i].dst), 0, &way), 0);
            assert_int_equal(way.next_hop.v4, testnet_ip(rows[i].gateway).v4);
            for (const struct route *r = NULL; (r = route_next(f.a, r));)
                if (r->def.kind == ROUTE_REDIRECT) assert_string_equal(route_flags_text(r, flags), "UGHD");
        }
        testnet_destroy(f.t);
    }
}

static void redirects_cannot_fill_the_table(void **state) {
    struct fixture f = setup();
    struct route_def def = {.gateway = testnet_ip("10.0.1.254"), .lnk = f.l};
    struct packet_ip ip = {.src = "10.0.1.254", .dst = "10.0.1.1"};
    char text[IPADDR_TEXT_MAX];
    UNUSED(state);
    assert_int_equal(route_add(f.a, &def, f.t->now), 0);
    for (u32 i = 0; i < 200; i++) {
        u32 len = ours("10.0.1.1", ipaddr_text(ipaddr_v4(0x0A070000 + i), text));
        testnet_give(f.l, buf,
                     packet_icmp(buf, &ip, ICMP_REDIRECT, 1, testnet_ip("10.0.1.253").v4, inner, len), 0);
    }
    assert_int_equal(f.a->routes.redirects, ROUTE_REDIRECT_MAX);
    route_clear(f.a, ROUTE_REDIRECT, f.t->now);
    assert_int_equal(f.a->routes.redirects, 0);
    testnet_destroy(f.t);
}

/* ---- path MTU ---- */

static void path_mtu(void **state) {
    static const struct {
        u16 next_mtu, sent;
        u32 learned;
    } rows[] = {
        {1400, 1500, 1400}, {0, 1500, 1492},    {0, 1492, 1006},    {0, 1006, 552},
        {60, 1500, 552},    {1500, 1500, 1492}, {9000, 1500, 1492},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f = setup();
        struct dgram *d;
        struct route_cache way;
        assert_int_equal(dgram_open(f.a, DGRAM_UDP, "JOB", &d), 0);
        assert_int_equal(dgram_bind(d, IPADDR_ANY, 1000, f.t->now), 0);
        u32 len = ours("10.0.1.1", "10.0.1.7");
        be16_put(inner + 2, rows[i].sent);
        ip4_sign(inner);
        struct packet_ip ip = {.src = "10.0.1.254", .dst = "10.0.1.1"};
        testnet_give(f.l, buf, packet_icmp(buf, &ip, ICMP_UNREACHABLE, 4, rows[i].next_mtu, inner, len), 0);
        assert_int_equal(ip_route(f.a, testnet_ip("10.0.1.7"), 0, &way), 0);
        assert_int_equal(way.mtu_bytes, rows[i].learned);
        assert_int_equal(ip_route(f.a, testnet_ip("10.0.1.8"), 0, &way), 0);
        assert_int_equal(way.mtu_bytes, 1500);
        u32 generation = f.a->route_generation;
        testnet_run(f.t, (PMTU_AGE_SEC + 1) * (u64)USEC_PER_SEC);
        assert_true(f.a->route_generation != generation); /* caches look again */
        assert_int_equal(ip_route(f.a, testnet_ip("10.0.1.7"), 0, &way), 0);
        assert_int_equal(way.mtu_bytes, 1500);
        testnet_destroy(f.t);
    }
}

static void path_mtu_of_what_nobody_sent(void **state) {
    struct fixture f = setup();
    struct packet_ip ip = {.src = "10.0.1.254", .dst = "10.0.1.1"};
    UNUSED(state);
    u32 len = ours("10.0.1.1", "10.0.1.7");
    testnet_give(f.l, buf, packet_icmp(buf, &ip, ICMP_UNREACHABLE, 4, 576, inner, len), 0);
    assert_int_equal(f.a->pmtu.pool.in_use, 0);
    assert_int_equal(f.a->stats.icmp.drop_quote, 1);
    for (u32 i = 0; i < 300; i++) pmtu_learn(f.a, ipaddr_v4(0x0A070000 + i), 1000, f.t->now);
    assert_int_equal(f.a->pmtu.pool.in_use, PMTU_ROWS);
    assert_false(pmtu_learn(f.a, ipaddr_v4(0x0A070000 + 299), 1200, f.t->now));
    assert_int_equal(pmtu_limit(f.a, ipaddr_v4(0x0A070000 + 299), 1500), 1000);
    assert_int_equal(pmtu_limit(f.a, ipaddr_v4(0x0A070000), 1500), 1500); /* the oldest made room */
    testnet_destroy(f.t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_is_answered),
        cmocka_unit_test(echo_carries_recorded_routes_back),
        cmocka_unit_test(what_is_not_answered),
        cmocka_unit_test(errors_that_must_not_be),
        cmocka_unit_test(errors_are_limited_in_rate),
        cmocka_unit_test(ping_gets_its_answer_and_its_errors),
        cmocka_unit_test(ping_ourselves),
        cmocka_unit_test(redirects),
        cmocka_unit_test(redirects_cannot_fill_the_table),
        cmocka_unit_test(path_mtu),
        cmocka_unit_test(path_mtu_of_what_nobody_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
