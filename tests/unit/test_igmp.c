/* test_igmp.c - IGMPv2 host: each cell of the state table in igmp.h, version 1 routers, loss of the link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "packets.h"
#include "testnet.h"
#include "wire/cksum.h"
#include "wire/igmp.h"

#include <cmocka.h>

#define CARD  (LINK_CAP_ARP | LINK_CAP_MCAST)
#define GROUP "224.1.2.3"

static u8 buf[256];

struct fixture {
    struct testnet *t;
    struct stack *a;
    struct link *l;
};

static struct fixture setup(void) {
    struct fixture f = {.t = testnet_create(9)};
    f.a = testnet_stack(f.t, "TCPIPA", NULL);
    f.l = testnet_link(f.t, f.a, "L1", "10.0.1.1", "255.255.255.0", CARD);
    return f;
}

static void give(struct fixture *f, u8 type, u8 tenths, const char *dst, const char *group) {
    struct packet_ip ip = {.src = "10.0.1.254", .dst = dst};
    testnet_give(f->l, buf, packet_igmp(buf, &ip, type, tenths, group), PKT_LINK_MCAST);
}

static void sent_is(struct fixture *f, u32 i, u8 type, const char *dst, const char *group) {
    const struct testnet_frame *o = testnet_frame(f->l, i);
    assert_int_equal(ip4_check(o->bytes, o->len, true), IP4_OK);
    assert_int_equal(o->bytes[0], 0x46); /* with router alert */
    assert_int_equal(be32_get(o->bytes + 20), 0x94040000);
    assert_int_equal(o->bytes[8], 1);
    assert_int_equal(ipaddr_get(o->bytes + 16).v4, testnet_ip(dst).v4);
    assert_int_equal(o->bytes[24], type);
    assert_int_equal(be32_get(o->bytes + 28), testnet_ip(group).v4);
    assert_int_equal(cksum_fold(cksum_add(0, o->bytes + 24, 8)), 0);
}

static void join_and_leave(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    assert_int_equal(mcast_join(f.a, NULL, testnet_ip(GROUP), f.t->now), 0);
    assert_int_equal(mcast_join(f.a, f.l, testnet_ip(GROUP), f.t->now), 0); /* a second member: no message */
    assert_int_equal(testnet_sent(f.l), 1);
    sent_is(&f, 0, IGMP_REPORT_V2, GROUP, GROUP);
    testnet_run(f.t, 11 * USEC_PER_SEC);
    assert_int_equal(testnet_sent(f.l), 2); /* once more, should the first be lost */
    testnet_run(f.t, 100 * USEC_PER_SEC);
    assert_int_equal(testnet_sent(f.l), 2);
    assert_int_equal(mcast_leave(f.a, NULL, testnet_ip(GROUP), f.t->now), 0);
    assert_int_equal(testnet_sent(f.l), 2);
    assert_int_equal(mcast_leave(f.a, NULL, testnet_ip(GROUP), f.t->now), 0);
    sent_is(&f, 2, IGMP_LEAVE, "224.0.0.2", GROUP);
    assert_int_equal(mcast_leave(f.a, NULL, testnet_ip(GROUP), f.t->now), -ERR_NOENT);
    assert_int_equal(mcast_join(f.a, NULL, testnet_ip("10.0.0.1"), f.t->now), -ERR_INVAL);
    assert_int_equal(mcast_join(f.a, f.a->loopback, testnet_ip(GROUP), f.t->now), -ERR_NETUNREACH);
    testnet_destroy(f.t);
}

static void queries_are_answered_in_their_time(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    mcast_join(f.a, NULL, testnet_ip(GROUP), f.t->now);
    mcast_join(f.a, NULL, testnet_ip("224.0.0.1"), f.t->now); /* never reported */
    testnet_run(f.t, 20 * USEC_PER_SEC);
    testnet_clear(f.l);
    give(&f, IGMP_QUERY, 10, "224.0.0.1", "0.0.0.0");
    testnet_run(f.t, USEC_PER_SEC + 5000);
    assert_int_equal(testnet_sent(f.l), 1);
    sent_is(&f, 0, IGMP_REPORT_V2, GROUP, GROUP);
    /* A query for another group is not ours; one for this group is. */
    give(&f, IGMP_QUERY, 10, "224.9.9.9", "224.9.9.9");
    testnet_run(f.t, 2 * USEC_PER_SEC);
    assert_int_equal(testnet_sent(f.l), 1);
    give(&f, IGMP_QUERY, 10, GROUP, GROUP);
    testnet_run(f.t, 2 * USEC_PER_SEC);
    assert_int_equal(testnet_sent(f.l), 2);
    /* While DELAYING a longer query changes nothing, a shorter one moves the timer. */
    give(&f, IGMP_QUERY, 255, GROUP, GROUP);
    give(&f, IGMP_QUERY, 1, GROUP, GROUP);
    testnet_run(f.t, 110000);
    assert_int_equal(testnet_sent(f.l), 3);
    give(&f, IGMP_QUERY, 1, GROUP, GROUP);
    give(&f, IGMP_QUERY, 255, GROUP, GROUP);
    testnet_run(f.t, 110000);
    assert_int_equal(testnet_sent(f.l), 4);
    testnet_run(f.t, 60 * USEC_PER_SEC);
    assert_int_equal(testnet_sent(f.l), 4);
    testnet_destroy(f.t);
}

static void another_member_speaks_first(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    mcast_join(f.a, NULL, testnet_ip(GROUP), f.t->now);
    testnet_run(f.t, 20 * USEC_PER_SEC);
    testnet_clear(f.l);
    give(&f, IGMP_QUERY, 100, GROUP, GROUP);
    give(&f, IGMP_REPORT_V2, 0, GROUP, GROUP);
    testnet_run(f.t, 20 * USEC_PER_SEC);
    assert_int_equal(testnet_sent(f.l), 0);
    mcast_leave(f.a, NULL, testnet_ip(GROUP), f.t->now);
    assert_int_equal(testnet_sent(f.l), 0); /* not the last reporter: no leave */
    testnet_destroy(f.t);
}

static void version_1_routers(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    mcast_join(f.a, NULL, testnet_ip(GROUP), f.t->now);
    testnet_run(f.t, 20 * USEC_PER_SEC);
    testnet_clear(f.l);
    give(&f, IGMP_QUERY, 0, "224.0.0.1", "0.0.0.0");
    testnet_run(f.t, 11 * USEC_PER_SEC);
    sent_is(&f, 0, IGMP_REPORT_V1, GROUP, GROUP);
    mcast_leave(f.a, NULL, testnet_ip(GROUP), f.t->now);
    assert_int_equal(testnet_sent(f.l), 1); /* version 1 knows no leave */
    testnet_run(f.t, (u64)IGMP_V1_SEC * USEC_PER_SEC);
    mcast_join(f.a, NULL, testnet_ip(GROUP), f.t->now);
    sent_is(&f, 1, IGMP_REPORT_V2, GROUP, GROUP);
    testnet_destroy(f.t);
}

static void a_link_that_returns_is_told_again(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    mcast_join(f.a, NULL, testnet_ip(GROUP), f.t->now);
    link_lan_down(f.l, f.t->now);
    testnet_clear(f.l);
    testnet_run(f.t, 20 * USEC_PER_SEC);
    assert_int_equal(testnet_sent(f.l), 0);
    link_lan_up(f.l, f.t->now);
    sent_is(&f, 0, IGMP_REPORT_V2, GROUP, GROUP);
    testnet_destroy(f.t);
}

static void faults_have_their_counters(void **state) {
    struct fixture f = setup();
    struct packet_ip ip = {.src = "10.0.1.254", .dst = "224.0.0.1", .proto = 2, .ttl = 1};
    struct igmp_stats *s = &f.a->stats.igmp;
    u8 igmp[8];
    UNUSED(state);
    packet_igmp(buf, &ip, IGMP_QUERY, 10, "0.0.0.0");
    memcpy(igmp, buf + 20, 8);
    for (u32 cut = 0; cut < 8; cut++) testnet_give(f.l, buf, packet_ip(buf, &ip, igmp, cut), PKT_LINK_MCAST);
    assert_int_equal(s->drop_short, 8);
    igmp[1] ^= 1;
    testnet_give(f.l, buf, packet_ip(buf, &ip, igmp, 8), PKT_LINK_MCAST);
    assert_int_equal(s->drop_checksum, 1);
    ip.ttl = 2;
    testnet_give(f.l, buf, packet_igmp(buf, &ip, IGMP_QUERY, 10, "0.0.0.0"), PKT_LINK_MCAST);
    assert_int_equal(s->drop_ttl, 1);
    give(&f, IGMP_QUERY, 10, "224.0.0.1", "10.0.0.1");
    assert_int_equal(s->drop_group, 1);
    give(&f, 0x99, 10, "224.0.0.1", "0.0.0.0");
    assert_int_equal(s->drop_type, 1);
    assert_int_equal(s->in_queries, 0);
    u32 n = 0;
    while (mcast_join(f.a, NULL, ipaddr_v4(0xE0010000 + n), f.t->now) == 0) n++;
    assert_int_equal(n, f.a->cfg.max_groups);
    testnet_destroy(f.t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(join_and_leave),
        cmocka_unit_test(queries_are_answered_in_their_time),
        cmocka_unit_test(another_member_speaks_first),
        cmocka_unit_test(version_1_routers),
        cmocka_unit_test(a_link_that_returns_is_told_again),
        cmocka_unit_test(faults_have_their_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
