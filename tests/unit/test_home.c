/* test_home.c - the HOME list, who answers for which address, takeover and give-back; devices and their
 * recovery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "packets.h"
#include "testnet.h"
#include "wire/eth.h"

#include <cmocka.h>

#define CARD (LINK_CAP_ARP | LINK_CAP_MCAST)

struct fixture {
    struct testnet *t;
    struct stack *a;
    struct link *l1, *l2, *v;
};

/* Two adapters on one LAN and a static VIPA above them. */
static struct fixture setup(u16 caps, const char *second, const char *vipa) {
    struct fixture f = {.t = testnet_create(7)};
    struct device *dev;
    f.a = testnet_stack(f.t, "TCPIPA", NULL);
    assert_int_equal(device_add(f.a, "VDEV", DEV_VIRTUAL, 0, &dev), 0);
    assert_int_equal(link_add(f.a, dev, "VLINK", LNK_VIRTUAL, 0, &f.v), 0);
    assert_int_equal(home_add(f.a, testnet_ip(vipa), f.v, 0, f.t->now), 0);
    f.l1 = testnet_link(f.t, f.a, "L1", "10.0.1.1", "255.255.255.0", caps);
    f.l2 = testnet_link(f.t, f.a, "L2", second, "255.255.255.0", caps);
    return f;
}

static void the_list(void **state) {
    struct fixture f = setup(CARD, "10.0.1.2", "172.16.0.1");
    static const char *const order[] = {"172.16.0.1", "10.0.1.1", "10.0.1.2", "127.0.0.1"};
    u32 n = 0;
    UNUSED(state);
    for (struct home_entry *e = NULL; (e = home_next(f.a, e)); n++)
        assert_int_equal(e->addr.v4, testnet_ip(order[n]).v4);
    assert_int_equal(n, 4);
    assert_int_equal(home_primary(f.a)->addr.v4, testnet_ip("172.16.0.1").v4);
    home_set_primary(f.a, f.l2);
    assert_int_equal(home_primary(f.a)->addr.v4, testnet_ip("10.0.1.2").v4);
    assert_int_equal(home_add(f.a, testnet_ip("10.0.1.1"), f.v, 0, f.t->now), -ERR_EXIST);
    assert_int_equal(home_add(f.a, testnet_ip("10.0.1.5"), f.l1, 0, f.t->now), -ERR_BUSY);
    assert_int_equal(home_add(f.a, testnet_ip("127.0.0.2"), f.v, 0, f.t->now), -ERR_INVAL);
    assert_int_equal(home_add(f.a, testnet_ip("224.0.0.1"), f.v, 0, f.t->now), -ERR_INVAL);
    assert_int_equal(home_add(f.a, IPADDR_ANY, f.v, 0, f.t->now), -ERR_INVAL);
    assert_int_equal(home_del(f.a, testnet_ip("10.0.1.5"), f.t->now), -ERR_NOENT);
    for (n = 0; home_add(f.a, ipaddr_v4(0xAC110000 + n), f.v, 0, f.t->now) == 0; n++) {
    }
    assert_int_equal(n, f.a->cfg.max_home + 1 - 4);
    /* The first HOME of an OBEYFILE: everything that a HOME statement made goes, what was generated stays. */
    assert_int_equal(home_del(f.a, ipaddr_v4(0xAC110000), f.t->now), 0);
    assert_int_equal(home_add(f.a, testnet_ip("172.18.0.1"), f.v, HOME_GENERATED | HOME_DYNAMIC, f.t->now),
                     0);
    home_clear(f.a, f.t->now);
    n = 0;
    for (struct home_entry *e = NULL; (e = home_next(f.a, e)); n++) assert_true(e->flags & HOME_GENERATED);
    assert_int_equal(n, 2);
    assert_false(testnet_registered(f.l1, "10.0.1.1"));
    assert_true(testnet_registered(f.l1, "172.18.0.1"));
    testnet_destroy(f.t);
}

static void registration(void **state) {
    struct fixture f = setup(CARD, "10.0.1.2", "172.16.0.1");
    UNUSED(state);
    assert_true(testnet_registered(f.l1, "10.0.1.1"));
    assert_false(testnet_registered(f.l1, "10.0.1.2"));
    assert_true(testnet_registered(f.l2, "10.0.1.2"));
    assert_true(testnet_registered(f.l1, "172.16.0.1")); /* off the LAN: any adapter may be the way in */
    assert_true(testnet_registered(f.l2, "172.16.0.1"));
    assert_false(testnet_registered(f.l1, "127.0.0.1"));
    /* A hidden target's DVIPA is ours but nobody outside may learn it. */
    assert_int_equal(
        home_add(f.a, testnet_ip("172.16.0.2"), f.v, HOME_DYNAMIC | HOME_INTERNAL | HOME_GENERATED, f.t->now),
        0);
    assert_false(testnet_registered(f.l1, "172.16.0.2"));
    assert_int_equal(home_del(f.a, testnet_ip("172.16.0.1"), f.t->now), 0);
    assert_false(testnet_registered(f.l1, "172.16.0.1"));
    testnet_destroy(f.t);
}

static void one_adapter_answers_for_a_vipa_on_its_lan(void **state) {
    struct fixture f = setup(CARD, "10.0.1.2", "10.0.1.100");
    UNUSED(state);
    assert_true(testnet_registered(f.l1, "10.0.1.100"));
    assert_false(testnet_registered(f.l2, "10.0.1.100"));
    link_lan_down(f.l1, f.t->now);
    assert_true(testnet_registered(f.l2, "10.0.1.100"));
    link_lan_up(f.l1, f.t->now);
    assert_false(testnet_registered(f.l2, "10.0.1.100"));
    testnet_destroy(f.t);
}

static void takeover_and_give_back(void **state) {
    struct fixture f = setup(CARD, "10.0.1.2", "172.16.0.1");
    UNUSED(state);
    link_lan_down(f.l1, f.t->now);
    assert_true(testnet_said(f.t, "EZZ4329I LINK L2 HAS TAKEN OVER ARP RESPONSIBILITY FOR INACTIVE LINK L1"));
    assert_true(testnet_registered(f.l2, "10.0.1.1"));
    link_lan_up(f.l1, f.t->now);
    assert_false(testnet_registered(f.l2, "10.0.1.1"));
    assert_true(testnet_registered(f.l1, "10.0.1.1"));
    /* A card that dies and comes back has forgotten everything and is told again. */
    f.l1->dev->autorestart = true;
    device_failed(f.l1->dev, 0x1234, f.t->now);
    assert_true(testnet_registered(f.l2, "10.0.1.1"));
    testnet_run(f.t, 5 * USEC_PER_SEC);
    assert_true(testnet_registered(f.l1, "10.0.1.1"));
    assert_true(testnet_registered(f.l1, "172.16.0.1"));
    assert_false(testnet_registered(f.l2, "10.0.1.1"));
    testnet_destroy(f.t);
}

static void no_takeover_across_lans(void **state) {
    struct fixture f = setup(CARD, "10.0.2.2", "172.16.0.1");
    UNUSED(state);
    link_lan_down(f.l1, f.t->now);
    assert_false(testnet_registered(f.l2, "10.0.1.1"));
    assert_false(testnet_said(f.t, "EZZ4329I"));
    testnet_destroy(f.t);
}

/* The same where the stack does ARP: announcements, and answers on the other adapter. */
static void takeover_by_our_own_arp(void **state) {
    static const u8 peer[6] = {2, 9, 9, 9, 9, 9};
    struct fixture f = setup(0, "10.0.1.2", "172.16.0.1");
    u8 buf[64];
    UNUSED(state);
    testnet_clear(f.l2);
    link_lan_down(f.l1, f.t->now);
    const u8 *g = testnet_frame(f.l2, 0)->bytes;
    assert_true(eth_is_broadcast(g));
    assert_int_equal(be32_get(g + 28), testnet_ip("10.0.1.1").v4); /* sender = target: gratuitous */
    assert_int_equal(be32_get(g + 38), testnet_ip("10.0.1.1").v4);
    assert_memory_equal(g + 22, f.l2->mac, 6);
    testnet_clear(f.l2);
    testnet_give(f.l2, buf, packet_arp(buf, 1, peer, "10.0.1.9", NULL, "10.0.1.1"), 0);
    assert_int_equal(testnet_sent(f.l2), 1);
    testnet_clear(f.l1);
    link_lan_up(f.l1, f.t->now);
    assert_memory_equal(testnet_frame(f.l1, 0)->bytes + 22, f.l1->mac, 6);
    testnet_clear(f.l2);
    testnet_give(f.l2, buf, packet_arp(buf, 1, peer, "10.0.1.9", NULL, "10.0.1.1"), 0);
    assert_int_equal(testnet_sent(f.l2), 0);
    testnet_destroy(f.t);
}

static void a_refused_registration_is_tried_again(void **state) {
    struct fixture f = setup(CARD, "10.0.1.2", "172.16.0.1");
    UNUSED(state);
    testnet_answer(f.l1, 0xE00A);
    link_lan_down(f.l1, f.t->now);
    link_lan_up(f.l1, f.t->now);
    assert_true(testnet_said(f.t, "EZZ4327I ERROR E00A REGISTERING IP ADDRESS 10.0.1.1 FOR DEVICE DL1"));
    u32 said = f.t->messages;
    testnet_run(f.t, 25 * USEC_PER_SEC);
    assert_int_equal(f.t->messages, said); /* the operator is told once */
    testnet_answer(f.l1, 0);
    device_stop(f.l1->dev, f.t->now);
    device_start(f.l1->dev, f.t->now);
    testnet_answer(f.l1, 0xE00A);
    assert_int_equal(home_del(f.a, testnet_ip("172.16.0.1"), f.t->now), 0);
    assert_int_equal(home_add(f.a, testnet_ip("172.16.0.1"), f.v, 0, f.t->now), 0);
    assert_false(testnet_registered(f.l1, "172.16.0.1"));
    testnet_answer(f.l1, 0);
    testnet_run(f.t, (HOME_RETRY_SEC + 1) * USEC_PER_SEC);
    assert_true(testnet_registered(f.l1, "172.16.0.1"));
    testnet_destroy(f.t);
}

/* A VIPA's traffic moves to the other adapter with its route. */
static void a_cached_way_moves_with_the_loss(void **state) {
    struct fixture f = setup(CARD, "10.0.1.2", "172.16.0.1");
    struct route_def one = {.gateway = testnet_ip("10.0.1.254"), .lnk = f.l1},
                     two = {.gateway = testnet_ip("10.0.1.254"), .lnk = f.l2};
    struct route_cache way = {0};
    UNUSED(state);
    assert_int_equal(route_add(f.a, &one, f.t->now), 0);
    assert_int_equal(route_add(f.a, &two, f.t->now), 0);
    for (u32 round = 0; round < 4; round++) {
        struct link *want = round % 2 ? f.l2 : f.l1;
        u8 room[PKT_HEADROOM + 8] = {0};
        struct pkt p = {.data = room + PKT_HEADROOM, .len = 8, .headroom = PKT_HEADROOM};
        struct ip_out how = {
            .src = testnet_ip("172.16.0.1"), .dst = testnet_ip("9.9.9.9"), .proto = 6, .cache = &way};
        u32 before = testnet_sent(want);
        assert_int_equal(ip_output(f.a, &p, &how, f.t->now), 0);
        assert_int_equal(testnet_sent(want), before + 1);
        if (round % 2)
            link_lan_up(f.l1, f.t->now);
        else
            link_lan_down(f.l1, f.t->now);
    }
    testnet_destroy(f.t);
}

/* ---- devices ---- */

static u32 starts, start_rc;
static int fail_attach(struct device *dev, void *ctx) {
    UNUSED(ctx);
    UNUSED(dev);
    return 0;
}
static int fail_start(struct device *dev, u64 now) {
    UNUSED(dev);
    UNUSED(now);
    starts++;
    return -(int)start_rc;
}
static int fail_stop(struct device *dev, u64 now) {
    UNUSED(dev);
    UNUSED(now);
    return 0;
}
static const struct device_ops failing = {
    .type_name = "LCS", .attach = fail_attach, .start = fail_start, .stop = fail_stop};
static const struct link_ops no_link_ops = {0};

static struct device *failing_device(struct testnet *t, struct stack *a, bool autorestart) {
    struct device *dev;
    struct link *l;
    t->drivers[DEV_LCS] = (struct driver){.device = &failing, .link = &no_link_ops};
    assert_int_equal(device_add(a, "DEV1", DEV_LCS, 0x500, &dev), 0);
    assert_int_equal(device_start(dev, t->now), -ERR_NOENT);
    assert_int_equal(link_add(a, dev, "LNK1", LNK_IPAQENET, 0, &l), -ERR_INVAL);
    assert_int_equal(link_add(a, dev, "LNK1", LNK_ETHERNET, 0, &l), 0);
    dev->autorestart = autorestart;
    starts = 0;
    return dev;
}

static void recovery_has_an_end(void **state) {
    struct testnet *t = testnet_create(3);
    struct stack *a = testnet_stack(t, "TCPIPA", NULL);
    struct device *dev = failing_device(t, a, true);
    UNUSED(state);
    start_rc = ERR_IO;
    assert_int_equal(device_start(dev, t->now), 0);
    assert_true(testnet_said(t, "EZZ4308I ERROR: CODE=00000005 DURING ACTIVATION OF DEVICE DEV1."));
    assert_true(testnet_said(t, "EZZ4309I ATTEMPTING TO RECOVER DEVICE DEV1"));
    assert_int_equal(t->messages, 2);
    testnet_run(t, 89 * USEC_PER_SEC);
    assert_int_equal(t->messages, 2);
    assert_in_range(starts, 40, 46);
    testnet_run(t, 5 * USEC_PER_SEC);
    assert_int_equal(t->messages, 3);
    u32 were = starts;
    testnet_run(t, 100 * USEC_PER_SEC);
    assert_int_equal(starts, were);  /* given up */
    a->conf.ip.device_retry_sec = 0; /* for ever */
    device_start(dev, t->now);
    testnet_run(t, 1000 * USEC_PER_SEC);
    assert_true(starts > were + 400);
    device_stop(dev, t->now); /* STOP ends recovery */
    were = starts;
    testnet_run(t, 100 * USEC_PER_SEC);
    assert_int_equal(starts, were);
    testnet_destroy(t);
}

static void statuses(void **state) {
    struct testnet *t = testnet_create(3);
    struct stack *a = testnet_stack(t, "TCPIPA", NULL);
    struct device *dev = failing_device(t, a, false);
    UNUSED(state);
    start_rc = 0;
    device_start(dev, t->now);
    device_start(dev, t->now);
    assert_int_equal(starts, 1);
    assert_int_equal(dev->status, DEVST_STARTING);
    assert_false(dev->lnk->up);
    device_ready(dev, t->now);
    device_ready(dev, t->now);
    assert_int_equal(dev->status, DEVST_READY);
    assert_true(dev->lnk->up);
    assert_int_equal(t->messages, 1);
    assert_int_equal(link_delete(a, "LNK1"), -ERR_BUSY);
    device_stop(dev, t->now);
    assert_int_equal(dev->status, DEVST_STOPPING);
    assert_false(dev->lnk->up);
    device_start(dev, t->now); /* while it stops: starts again afterwards */
    assert_int_equal(starts, 1);
    device_stopped(dev, t->now);
    assert_int_equal(starts, 2);
    assert_true(testnet_said(t, "EZZ4315I DEACTIVATION COMPLETE FOR DEVICE DEV1"));
    device_ready(dev, t->now);
    device_failed(dev, 0xABC, t->now);
    assert_true(testnet_said(t, "EZZ4310I ERROR: CODE=00000ABC REPORTED ON DEVICE DEV1"));
    assert_int_equal(dev->status, DEVST_NOT_ACTIVE);
    testnet_run(t, 10 * USEC_PER_SEC);
    assert_int_equal(starts, 2); /* NOAUTORESTART */
    link_lan_up(dev->lnk, t->now);
    assert_false(dev->lnk->up); /* only a READY device has a LAN */
    testnet_destroy(t);
}

static void deleting(void **state) {
    struct fixture f = setup(CARD, "10.0.1.2", "172.16.0.1");
    struct device *dev;
    struct link *l;
    UNUSED(state);
    assert_int_equal(device_add(f.a, "dl1", DEV_LCS, 0, &dev), -ERR_EXIST);
    assert_int_equal(device_delete(f.a, "DL1"), -ERR_BUSY);
    assert_int_equal(link_delete(f.a, "L1"), -ERR_BUSY); /* in HOME */
    assert_int_equal(home_del(f.a, testnet_ip("10.0.1.1"), f.t->now), 0);
    assert_int_equal(link_delete(f.a, "L1"), -ERR_BUSY); /* in a route */
    route_clear_link(f.a, f.l1, f.t->now);
    assert_int_equal(link_delete(f.a, "L1"), -ERR_BUSY); /* READY */
    device_stop(f.l1->dev, f.t->now);
    u8 index = f.l1->index;
    assert_int_equal(link_delete(f.a, "L1"), 0);
    assert_int_equal(link_delete(f.a, "L1"), -ERR_NOENT);
    assert_int_equal(device_delete(f.a, "DL1"), 0);
    assert_null(device_find(f.a, "DL1"));
    assert_int_equal(link_delete(f.a, "LOOPBACK"), -ERR_BUSY);
    assert_int_equal(device_start(f.v->dev, f.t->now), -ERR_INVAL); /* VIRTUAL is always active */
    assert_int_equal(device_add(f.a, "DL9", DEV_LCS, 0, &dev), 0);
    assert_int_equal(link_add(f.a, dev, "L9", LNK_ETHERNET, 0, &l), 0);
    assert_int_equal(l->index, index); /* its place is free again */
    assert_int_equal(link_add(f.a, dev, "L10", LNK_ETHERNET, 0, &l), -ERR_EXIST);
    testnet_destroy(f.t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list),
        cmocka_unit_test(registration),
        cmocka_unit_test(one_adapter_answers_for_a_vipa_on_its_lan),
        cmocka_unit_test(takeover_and_give_back),
        cmocka_unit_test(no_takeover_across_lans),
        cmocka_unit_test(takeover_by_our_own_arp),
        cmocka_unit_test(a_refused_registration_is_tried_again),
        cmocka_unit_test(a_cached_way_moves_with_the_loss),
        cmocka_unit_test(recovery_has_an_end),
        cmocka_unit_test(statuses),
        cmocka_unit_test(deleting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
