/* test_udp.c - datagram end points: who gets what, limits, checksums, errors, groups. */
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

static u8 buf[70000];

struct fixture {
    struct testnet *t;
    struct stack *a;
    struct link *l1, *l2;
};

static struct fixture setup(void) {
    struct fixture f = {.t = testnet_create(11)};
    f.a = testnet_stack(f.t, "TCPIPA", NULL);
    f.l1 = testnet_link(f.t, f.a, "L1", "10.0.1.1", "255.255.255.0", CARD);
    f.l2 = testnet_link(f.t, f.a, "L2", "10.0.2.1", "255.255.255.0", CARD);
    return f;
}

static struct dgram *bound(struct fixture *f, const char *addr, u16 port) {
    struct dgram *d;
    assert_int_equal(dgram_open(f->a, DGRAM_UDP, "JOB", &d), 0);
    assert_int_equal(dgram_setopt(d, SO_REUSEADDR_OPT, 1, f->t->now), 0);
    assert_int_equal(dgram_bind(d, addr ? testnet_ip(addr) : IPADDR_ANY, port, f->t->now), 0);
    return d;
}

static void give(struct fixture *f, const char *src, const char *dst, u16 from, u16 to, u32 len, u16 flags) {
    struct packet_ip ip = {.src = src, .dst = dst};
    memset(buf + 40000, 'd', 20000);
    testnet_give(f->l1, buf, packet_udp(buf, &ip, from, to, buf + 40000, len), flags);
}

static void the_most_specific_wins(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    struct dgram *any = bound(&f, NULL, 500), *addr = bound(&f, "10.0.1.1", 500),
                 *conn = bound(&f, "10.0.1.1", 500);
    assert_int_equal(dgram_connect(conn, testnet_ip("10.0.1.9"), 77, f.t->now), 0);
    give(&f, "10.0.1.9", "10.0.1.1", 77, 500, 5, 0);
    assert_int_equal(conn->queued, 1);
    give(&f, "10.0.1.9", "10.0.1.1", 78, 500, 5, 0);
    give(&f, "10.0.1.8", "10.0.1.1", 77, 500, 5, 0);
    assert_int_equal(addr->queued, 2);
    give(&f, "10.0.1.9", "10.0.2.1", 77, 500, 5, 0);
    assert_int_equal(any->queued, 1);
    /* Dissolved, it hears everyone again. */
    assert_int_equal(dgram_connect(conn, IPADDR_ANY, 0, f.t->now), 0);
    dgram_close(addr, f.t->now);
    give(&f, "10.0.1.9", "10.0.1.1", 78, 500, 5, 0);
    assert_int_equal(conn->queued, 2);
    testnet_destroy(f.t);
}

static void round_trip(void **state) {
    static const u32 sizes[] = {0, 1, 100, 1472, 1473, 9000, 30000};
    struct testnet *t = testnet_create(5);
    struct stack *a = testnet_stack(t, "TCPIPA", NULL), *b = testnet_stack(t, "TCPIPB", NULL);
    struct link *la = testnet_link(t, a, "LA", "10.0.1.1", "255.255.255.0", 0);
    struct link *lb = testnet_link(t, b, "LB", "10.0.1.2", "255.255.255.0", 0);
    struct dgram *x, *y;
    struct sockaddr4 to = {testnet_ip("10.0.1.2"), 500}, from;
    struct ipaddr local;
    u8 *data = malloc(70000);
    UNUSED(state);
    testnet_join(t, la, lb, NULL);
    assert_int_equal(dgram_open(a, DGRAM_UDP, "A", &x), 0);
    assert_int_equal(dgram_open(b, DGRAM_UDP, "B", &y), 0);
    assert_int_equal(dgram_bind(y, IPADDR_ANY, 500, t->now), 0);
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
        for (u32 k = 0; k < sizes[i]; k++) data[k] = (u8)(k * 3 + i);
        assert_int_equal(dgram_sendto(x, data, sizes[i], &to, t->now), sizes[i]);
        testnet_run(t, USEC_PER_SEC / 10);
        assert_int_equal(dgram_recvfrom(y, buf, sizeof buf, &from, &local, t->now), sizes[i]);
        assert_memory_equal(buf, data, sizes[i]);
        assert_int_equal(from.addr.v4, testnet_ip("10.0.1.1").v4);
        assert_int_equal(from.port, x->local.port);
        assert_int_equal(local.v4, testnet_ip("10.0.1.2").v4);
    }
    /* A short buffer gets the beginning and the real length. */
    assert_int_equal(dgram_sendto(x, "0123456789", 10, &to, t->now), 10);
    testnet_run(t, USEC_PER_SEC / 10);
    memset(buf, 0, 20);
    assert_int_equal(dgram_recvfrom(y, buf, 4, &from, NULL, t->now), 10);
    assert_memory_equal(buf, "0123\0", 5);
    assert_int_equal(dgram_sendto(x, data, 65508, &to, t->now), -ERR_MSGSIZE);
    assert_int_equal(dgram_sendto(x, data, 5, NULL, t->now), -ERR_NOTCONN);
    free(data);
    testnet_destroy(t);
}

/* A stack with two addresses answers from the one that was asked, through whichever link the route leaves. */
static void answers_from_the_address_asked(void **state) {
    static const char *const asked[] = {"10.0.1.2", "10.0.9.2", "10.0.1.2"};
    struct testnet *t = testnet_create(5);
    struct stack *a = testnet_stack(t, "TCPIPA", NULL), *b = testnet_stack(t, "TCPIPB", NULL);
    struct link *la = testnet_link(t, a, "LA", "10.0.1.1", "255.255.255.0", 0);
    testnet_join(t, la, testnet_link(t, b, "LB", "10.0.1.2", "255.255.255.0", 0), NULL);
    testnet_link(t, b, "LB2", "10.0.9.2", "255.255.255.0", 0);
    struct route_def way = {.dest = testnet_ip("10.0.9.2"), .prefix_bits = 32, .gateway = testnet_ip("10.0.1.2"), .lnk = la};
    struct dgram *x, *y;
    UNUSED(state);
    assert_int_equal(route_add(a, &way, t->now), 0);
    assert_int_equal(dgram_open(a, DGRAM_UDP, "A", &x), 0);
    assert_int_equal(dgram_open(b, DGRAM_UDP, "B", &y), 0);
    assert_int_equal(dgram_bind(y, IPADDR_ANY, 500, t->now), 0);
    for (u32 i = 0; i < ARRAY_LEN(asked); i++) {
        struct sockaddr4 to = {testnet_ip(asked[i]), 500}, from;
        struct ipaddr local;
        assert_int_equal(dgram_sendto(x, "who", 3, &to, t->now), 3);
        testnet_run(t, USEC_PER_SEC / 10);
        assert_int_equal(dgram_recvfrom(y, buf, sizeof buf, &from, &local, t->now), 3);
        assert_int_equal(local.v4, to.addr.v4);
        assert_int_equal(dgram_answer(y, "me", 2, &from, local, t->now), 2);
        testnet_run(t, USEC_PER_SEC / 10);
        assert_int_equal(dgram_recvfrom(x, buf, sizeof buf, &from, NULL, t->now), 2);
        assert_int_equal(from.addr.v4, to.addr.v4);
        /* What is not ours is no source; a socket bound to one address keeps to it. */
        assert_int_equal(dgram_answer(y, "me", 2, &(struct sockaddr4){testnet_ip("10.0.1.1"), x->local.port},
                                      testnet_ip("10.0.1.255"), t->now), 2);
        testnet_run(t, USEC_PER_SEC / 10);
        assert_int_equal(dgram_recvfrom(x, buf, sizeof buf, &from, NULL, t->now), 2);
        assert_int_equal(from.addr.v4, testnet_ip("10.0.1.2").v4);
    }
    testnet_destroy(t);
}

static void faults_have_their_counters(void **state) {
    struct fixture f = setup();
    struct udp_stats *s = &f.a->stats.udp;
    struct dgram *d = bound(&f, NULL, 500);
    struct packet_ip ip = {.src = "10.0.1.9", .dst = "10.0.1.1", .proto = 17};
    u8 udp[64];
    UNUSED(state);
    u32 len = packet_udp(buf, &ip, 77, 500, "hello", 5);
    memcpy(udp, buf + 20, len - 20);
    for (u32 cut = 0; cut < 13; cut++) testnet_give(f.l1, buf, packet_ip(buf, &ip, udp, cut), 0);
    assert_int_equal(s->drop_short, 8);
    assert_int_equal(s->drop_length, 5);
    udp[8] ^= 1;
    testnet_give(f.l1, buf, packet_ip(buf, &ip, udp, 13), 0);
    assert_int_equal(s->drop_checksum, 1);
    testnet_give(f.l1, buf, packet_ip(buf, &ip, udp, 13), PKT_L4_CSUM_OK);
    be16_put(udp + 6, 0); /* the sender computed none */
    testnet_give(f.l1, buf, packet_ip(buf, &ip, udp, 13), 0);
    be16_put(udp + 4, 7); /* shorter than its own header */
    testnet_give(f.l1, buf, packet_ip(buf, &ip, udp, 13), 0);
    assert_int_equal(s->drop_length, 6);
    assert_int_equal(d->queued, 2);
    assert_int_equal(s->in_errors, 8 + 6 + 1);
    testnet_destroy(f.t);
}

static void no_port_is_told(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    give(&f, "10.0.1.9", "10.0.1.1", 77, 500, 5, 0);
    assert_int_equal(f.a->stats.udp.no_ports, 1);
    const u8 *e = testnet_frame(f.l1, 0)->bytes;
    assert_int_equal(e[20], ICMP_UNREACHABLE);
    assert_int_equal(e[21], ICMP_UNREACH_PORT);
    give(&f, "10.0.1.9", "10.0.1.255", 77, 500, 5, PKT_LINK_BCAST);
    assert_int_equal(f.a->stats.udp.drop_broadcast, 1);
    assert_int_equal(testnet_sent(f.l1), 1);
    testnet_destroy(f.t);
}

static void queues_are_bounded(void **state) {
    struct fixture f = setup();
    struct dgram *d = bound(&f, NULL, 500);
    UNUSED(state);
    assert_int_equal(dgram_setopt(d, SO_RCVBUF_OPT, 2000, f.t->now), 0);
    for (u32 i = 0; i < 5; i++) give(&f, "10.0.1.9", "10.0.1.1", 77, 500, 600, 0);
    assert_int_equal(d->queued, 3);
    assert_int_equal(f.a->stats.udp.drop_buffer_full, 2);
    /* Small ones run out of the pool before the socket's limit: counted as that. */
    assert_int_equal(dgram_setopt(d, SO_RCVBUF_OPT, 1u << 20, f.t->now), 0);
    for (u32 i = 0; i < 100; i++) give(&f, "10.0.1.9", "10.0.1.1", 77, 500, 1, 0);
    assert_int_equal(f.a->stats.udp.drop_no_buffer, 100 - f.a->small.count);
    while (dgram_recvfrom(d, buf, 10, NULL, NULL, f.t->now) > 0) {
    }
    assert_int_equal(d->queued + d->queued_bytes, 0);
    testnet_check_pools(f.t);
    testnet_destroy(f.t);
}

static void queue_limit_counts_datagrams(void **state) {
    struct stack_config cfg;
    struct testnet *t = testnet_create(1);
    UNUSED(state);
    stack_config_default(&cfg);
    cfg.small_pbufs = UDP_QUEUE_MAX + 100;
    cfg.max_sockets = cfg.max_timewait = 16;
    cfg.buffer_chunks = 64;
    struct fixture f = {.t = t, .a = testnet_stack(t, "TCPIPA", &cfg)};
    f.l1 = testnet_link(t, f.a, "L1", "10.0.1.1", "255.255.255.0", CARD);
    struct dgram *d = bound(&f, NULL, 500);
    for (u32 i = 0; i < UDP_QUEUE_MAX + 10; i++) give(&f, "10.0.1.9", "10.0.1.1", 77, 500, 1, 0);
    assert_int_equal(d->queued, UDP_QUEUE_MAX);
    assert_int_equal(f.a->stats.udp.drop_queue_full, 10);
    f.a->conf.udp.queue_limit = false;
    give(&f, "10.0.1.9", "10.0.1.1", 77, 500, 1, 0);
    assert_int_equal(d->queued, UDP_QUEUE_MAX + 1);
    testnet_destroy(t);
}

static void binding_rules(void **state) {
    struct fixture f = setup();
    struct dgram *a, *b;
    UNUSED(state);
    assert_int_equal(dgram_open(f.a, DGRAM_UDP, "JOBA", &a), 0);
    assert_int_equal(dgram_open(f.a, DGRAM_UDP, "JOBB", &b), 0);
    assert_int_equal(dgram_bind(a, testnet_ip("10.0.9.1"), 500, f.t->now), -ERR_ADDRNOTAVAIL);
    assert_int_equal(dgram_bind(a, testnet_ip("10.0.1.1"), 500, f.t->now), 0);
    assert_int_equal(dgram_bind(a, testnet_ip("10.0.1.1"), 501, f.t->now), -ERR_INVAL);
    assert_int_equal(dgram_bind(b, IPADDR_ANY, 500, f.t->now), -ERR_ADDRINUSE);
    assert_int_equal(dgram_bind(b, testnet_ip("10.0.1.1"), 500, f.t->now), -ERR_ADDRINUSE);
    assert_int_equal(dgram_bind(b, testnet_ip("10.0.2.1"), 500, f.t->now), 0);
    dgram_close(b, f.t->now);
    assert_int_equal(dgram_open(f.a, DGRAM_UDP, "JOBB", &b), 0);
    struct port_rule rule = {.first = 600, .last = 600, .proto = 17, .jobname = "OTHER"};
    assert_int_equal(port_rule_add(f.a, &rule), 0);
    assert_int_equal(dgram_bind(b, IPADDR_ANY, 600, f.t->now), -ERR_ACCES);
    struct port_rule server = {.first = 601,
                               .last = 601,
                               .proto = 17,
                               .flags = PORT_BIND,
                               .jobname = "JOBB",
                               .bind = testnet_ip("10.0.2.1")};
    assert_int_equal(port_rule_add(f.a, &server), 0);
    assert_int_equal(dgram_bind(b, IPADDR_ANY, 601, f.t->now), 0);
    assert_int_equal(b->local.addr.v4, testnet_ip("10.0.2.1").v4);
    u32 n = 0;
    struct dgram *d;
    while (dgram_open(f.a, DGRAM_UDP, "MANY", &d) == 0) n++;
    assert_int_equal(n, f.a->cfg.max_datagram_sockets - 2);
    testnet_destroy(f.t);
}

static void errors_reach_the_connected(void **state) {
    static const struct {
        u8 type, code;
        int err;
    } rows[] = {{3, 3, ERR_CONNREFUSED}, {3, 1, ERR_HOSTUNREACH},  {3, 0, ERR_NETUNREACH},
                {3, 4, ERR_MSGSIZE},     {11, 0, ERR_HOSTUNREACH}, {4, 0, 0}};
    struct fixture f = setup();
    struct dgram *c = bound(&f, NULL, 1000), *u = bound(&f, NULL, 1001);
    struct packet_ip ours = {.src = "10.0.1.1", .dst = "10.0.1.9"},
                     from = {.src = "10.0.1.9", .dst = "10.0.1.1"};
    u8 quote[64];
    UNUSED(state);
    assert_int_equal(dgram_connect(c, testnet_ip("10.0.1.9"), 2000, f.t->now), 0);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        u32 len = packet_udp(quote, &ours, 1000, 2000, "x", 1);
        testnet_give(f.l1, buf, packet_icmp(buf, &from, rows[i].type, rows[i].code, 0, quote, len), 0);
        assert_int_equal(dgram_recvfrom(c, buf, 10, NULL, NULL, f.t->now),
                         rows[i].err ? -rows[i].err : -ERR_AGAIN);
        len = packet_udp(quote, &ours, 1001, 2000, "x", 1);
        testnet_give(f.l1, buf, packet_icmp(buf, &from, rows[i].type, rows[i].code, 0, quote, len), 0);
        assert_int_equal(dgram_recvfrom(u, buf, 10, NULL, NULL, f.t->now), -ERR_AGAIN);
    }
    testnet_destroy(f.t);
}

static u32 events;
static void note_event(void *ctx, struct dgram *d, u32 e, u64 now) {
    UNUSED(ctx);
    UNUSED(d);
    UNUSED(now);
    events = events * 16 + e;
}

static void events_are_edges(void **state) {
    struct fixture f = setup();
    struct dgram *d = bound(&f, NULL, 500);
    UNUSED(state);
    events = 0;
    dgram_on_event(d, note_event, NULL);
    give(&f, "10.0.1.9", "10.0.1.1", 77, 500, 5, 0);
    give(&f, "10.0.1.9", "10.0.1.1", 77, 500, 5, 0);
    assert_int_equal(events, SOCK_EV_READ);
    dgram_recvfrom(d, buf, 10, NULL, NULL, f.t->now);
    dgram_recvfrom(d, buf, 10, NULL, NULL, f.t->now);
    give(&f, "10.0.1.9", "10.0.1.1", 77, 500, 5, 0);
    assert_int_equal(events, SOCK_EV_READ * 16 + SOCK_EV_READ);
    stack_stop(f.a, f.t->now);
    assert_int_equal(events & 15, SOCK_EV_CLOSED);
    testnet_destroy(f.t);
}

static void groups_and_broadcasts(void **state) {
    struct fixture f = setup();
    struct dgram *in = bound(&f, NULL, 500), *out = bound(&f, NULL, 500);
    struct sockaddr4 group = {testnet_ip("224.1.2.3"), 500}, all = {testnet_ip("10.0.1.255"), 500};
    UNUSED(state);
    assert_int_equal(dgram_setopt(in, SO_MCAST_JOIN, group.addr.v4, f.t->now), 0);
    assert_int_equal(dgram_setopt(in, SO_MCAST_JOIN, group.addr.v4, f.t->now), -ERR_ADDRINUSE);
    assert_int_equal(dgram_setopt(in, SO_MCAST_JOIN, testnet_ip("10.0.0.1").v4, f.t->now), -ERR_INVAL);
    give(&f, "10.0.1.9", "224.1.2.3", 77, 500, 5, PKT_LINK_MCAST);
    assert_int_equal(in->queued, 1);
    assert_int_equal(out->queued, 0);
    give(&f, "10.0.1.9", "10.0.1.255", 77, 500, 5, PKT_LINK_BCAST);
    assert_int_equal(in->queued + out->queued, 3);
    /* What a member sends to its group comes back to it; broadcasts need permission. */
    testnet_clear(f.l1);
    assert_int_equal(dgram_sendto(out, "x", 1, &group, f.t->now), 1);
    assert_int_equal(testnet_frame(f.l1, 0)->bytes[8], 1);
    testnet_poll(f.t);
    assert_int_equal(in->queued, 3);
    assert_int_equal(dgram_sendto(out, "x", 1, &all, f.t->now), -ERR_ACCES);
    assert_int_equal(dgram_setopt(out, SO_BROADCAST_OPT, 1, f.t->now), 0);
    assert_int_equal(dgram_sendto(out, "x", 1, &all, f.t->now), 1);
    assert_int_equal(testnet_frame(f.l1, testnet_sent(f.l1) - 1)->next_hop.v4, IPADDR_BROADCAST.v4);
    testnet_poll(f.t);
    assert_int_equal(in->queued, 4);
    assert_int_equal(dgram_setopt(in, SO_MCAST_LEAVE, group.addr.v4, f.t->now), 0);
    assert_int_equal(dgram_setopt(in, SO_MCAST_LEAVE, group.addr.v4, f.t->now), -ERR_ADDRNOTAVAIL);
    give(&f, "10.0.1.9", "224.1.2.3", 77, 500, 5, PKT_LINK_MCAST);
    assert_int_equal(in->queued, 4);
    testnet_destroy(f.t);
}

static void a_sum_of_zero_goes_out_as_ones(void **state) {
    struct fixture f = setup();
    struct dgram *d = bound(&f, "10.0.1.1", 500);
    struct sockaddr4 to = {testnet_ip("10.0.1.9"), 2000};
    u8 word[2];
    u32 zeros = 0;
    UNUSED(state);
    for (u32 v = 0; v < 65536; v++) { /* exactly one payload of two bytes makes the sum 0 */
        be16_put(word, (u16)v);
        testnet_clear(f.l1);
        assert_int_equal(dgram_sendto(d, word, 2, &to, f.t->now), 2);
        const u8 *b = testnet_frame(f.l1, 0)->bytes;
        assert_true(be16_get(b + 26) != 0);
        zeros += be16_get(b + 26) == 0xFFFF;
    }
    assert_in_range(zeros, 1, 2);
    f.a->conf.udp.checksum = false;
    testnet_clear(f.l1);
    dgram_sendto(d, word, 2, &to, f.t->now);
    assert_int_equal(be16_get(testnet_frame(f.l1, 0)->bytes + 26), 0);
    testnet_destroy(f.t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_specific_wins),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(answers_from_the_address_asked), cmocka_unit_test(faults_have_their_counters),
        cmocka_unit_test(no_port_is_told),
        cmocka_unit_test(queues_are_bounded),
        cmocka_unit_test(queue_limit_counts_datagrams),
        cmocka_unit_test(binding_rules),
        cmocka_unit_test(errors_reach_the_connected),
        cmocka_unit_test(events_are_edges),
        cmocka_unit_test(groups_and_broadcasts),
        cmocka_unit_test(a_sum_of_zero_goes_out_as_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
