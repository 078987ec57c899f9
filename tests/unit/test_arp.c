/* test_arp.c - ARP: packet format, each state and how it is left, what is learned and what is not, takeover
 * announcements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "packets.h"
#include "testnet.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"

#include <cmocka.h>

static const u8 peer_mac[6] = {2, 0, 0, 0, 9, 9}, other_mac[6] = {2, 0, 0, 0, 8, 8};
static u8 buf[4096];

struct fixture {
    struct testnet *t;
    struct stack *a;
    struct link *l;
};

static struct fixture setup(void) {
    struct fixture f = {.t = testnet_create(7)};
    f.a = testnet_stack(f.t, "TCPIPA", NULL);
    f.l = testnet_link(f.t, f.a, "L1", "10.0.1.1", "255.255.255.0", 0);
    testnet_clear(f.l); /* its own announcement */
    return f;
}

static int ping_like(struct fixture *f, const char *dst, u8 mark) {
    u8 room[PKT_HEADROOM + 16];
    struct pkt p = {.data = room + PKT_HEADROOM, .len = 16, .headroom = PKT_HEADROOM};
    memset(p.data, mark, 16);
    struct ip_out how = {.dst = testnet_ip(dst), .proto = 200};
    return ip_output(f->a, &p, &how, f->t->now);
}

static void answer(struct fixture *f, const u8 *mac, const char *sender) {
    testnet_give(f->l, buf, packet_arp(buf, ARP_REPLY, mac, sender, f->l->mac, "10.0.1.1"), 0);
}

static void rfc826_layout(void **state) {
    static const u8 want[28] = {0,  1, 8, 0, 6, 4, 0, 1, 2, 0, 0,  0, 9, 9,
                                10, 0, 1, 7, 0, 0, 0, 0, 0, 0, 10, 0, 1, 1};
    struct arp_packet a = {.op = ARP_REQUEST,
                           .sender = testnet_ip("10.0.1.7"),
                           .target = testnet_ip("10.0.1.1")},
                      b;
    bool is_short;
    UNUSED(state);
    memcpy(a.sender_mac, peer_mac, 6);
    arp_emit(buf, &a);
    assert_memory_equal(buf, want, 28);
    assert_true(arp_check(want, 28, &is_short));
    arp_parse(want, &b);
    assert_memory_equal(&a, &b, sizeof a);
    for (u32 i = 0; i < 8; i++) { /* each fixed field, wrong */
        memcpy(buf, want, 28);
        buf[i] ^= 0x40;
        assert_false(arp_check(buf, 28, &is_short));
        assert_false(is_short);
    }
    for (u32 len = 0; len < 28; len++) {
        u8 *cut = malloc(len ? len : 1);
        memcpy(cut, want, len);
        assert_false(arp_check(cut, len, &is_short));
        assert_true(is_short);
        free(cut);
    }
}

static void asks_waits_and_sends(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    for (u8 i = 1; i <= 6; i++) assert_int_equal(ping_like(&f, "10.0.1.9", i), 0);
    assert_int_equal(testnet_sent(f.l), 1); /* one question for six packets */
    const u8 *q = testnet_frame(f.l, 0)->bytes;
    assert_true(eth_is_broadcast(q));
    assert_memory_equal(q + 6, f.l->mac, 6);
    assert_int_equal(eth_type(q), ETH_TYPE_ARP);
    assert_int_equal(be32_get(q + 14 + 14), testnet_ip("10.0.1.1").v4);
    assert_int_equal(be32_get(q + 14 + 24), testnet_ip("10.0.1.9").v4);
    assert_int_equal(f.a->stats.arp.drop_pending_full, 2);
    testnet_clear(f.l);
    answer(&f, peer_mac, "10.0.1.9");
    assert_int_equal(testnet_sent(f.l), ARP_PENDING_MAX);
    for (u32 i = 0; i < ARP_PENDING_MAX; i++) { /* the youngest four, in order */
        const u8 *o = testnet_frame(f.l, i)->bytes;
        assert_memory_equal(o, peer_mac, 6);
        assert_int_equal(o[34], 3 + i);
    }
    testnet_check_pools(f.t);
    assert_int_equal(ping_like(&f, "10.0.1.9", 7), 0);
    assert_int_equal(testnet_sent(f.l), ARP_PENDING_MAX + 1);
    testnet_destroy(f.t);
}

/* An ICMP end point sees the host unreachable that the failed resolution makes of a forwarded or own packet.
 */
static void nobody_answers(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    ping_like(&f, "10.0.1.9", 1);
    testnet_run(f.t, 10 * USEC_PER_SEC);
    assert_int_equal(testnet_sent(f.l), ARP_TRIES);
    assert_int_equal(f.a->stats.arp.drop_unresolved, 1);
    assert_int_equal(f.a->stats.icmp.out_dest_unreachs, 1); /* to ourselves, by loopback */
    assert_int_equal(f.a->stats.icmp.in_dest_unreachs, 1);
    ping_like(&f, "10.0.1.9", 2); /* FAILED: dropped without a question */
    assert_int_equal(testnet_sent(f.l), ARP_TRIES);
    assert_int_equal(f.a->stats.arp.drop_unresolved, 2);
    testnet_run(f.t, (ARP_HOLD_SEC + 1) * (u64)USEC_PER_SEC);
    assert_int_equal(f.a->arp.pool.in_use, 0);
    ping_like(&f, "10.0.1.9", 3); /* and is tried anew later */
    assert_int_equal(testnet_sent(f.l), ARP_TRIES + 1);
    testnet_destroy(f.t);
}

static void entries_age(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    f.a->conf.ip.arp_timeout_sec = 60;
    ping_like(&f, "10.0.1.9", 1);
    answer(&f, peer_mac, "10.0.1.9");
    testnet_run(f.t, 50 * USEC_PER_SEC);
    answer(&f, peer_mac, "10.0.1.9"); /* news from the same host: the time starts again */
    assert_int_equal(f.a->stats.arp.refreshed, 1);
    testnet_run(f.t, 50 * USEC_PER_SEC);
    assert_int_equal(f.a->arp.pool.in_use, 1);
    ping_like(&f, "10.0.1.9", 2); /* used: it is worth a question */
    testnet_clear(f.l);
    testnet_run(f.t, 10 * USEC_PER_SEC + 500000);
    assert_int_equal(testnet_sent(f.l), 1);
    assert_memory_equal(testnet_frame(f.l, 0)->bytes, peer_mac, 6); /* asked by itself */
    ping_like(&f, "10.0.1.9", 3);                                   /* still sent meanwhile */
    assert_int_equal(testnet_sent(f.l), 2);
    answer(&f, peer_mac, "10.0.1.9");
    testnet_run(f.t, 61 * USEC_PER_SEC); /* unused now: it goes quietly */
    assert_int_equal(f.a->arp.pool.in_use, 0);
    assert_int_equal(testnet_sent(f.l), 2);
    testnet_destroy(f.t);
}

static void probing_that_fails_forgets(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    f.a->conf.ip.arp_timeout_sec = 60;
    ping_like(&f, "10.0.1.9", 1);
    answer(&f, peer_mac, "10.0.1.9");
    ping_like(&f, "10.0.1.9", 2);
    testnet_run(f.t, 70 * USEC_PER_SEC);
    assert_int_equal(f.a->arp.pool.in_use, 0);
    assert_int_equal(f.a->stats.arp.timed_out, 1);
    testnet_destroy(f.t);
}

static void what_is_learned(void **state) {
    struct fixture f = setup();
    struct arp_stats *s = &f.a->stats.arp;
    UNUSED(state);
    /* A request for us: answered, and the asker learned, for we shall talk to him. */
    testnet_give(f.l, buf, packet_arp(buf, ARP_REQUEST, peer_mac, "10.0.1.9", NULL, "10.0.1.1"), 0);
    assert_int_equal(s->out_replies, 1);
    const u8 *r = testnet_frame(f.l, 0)->bytes;
    assert_memory_equal(r, peer_mac, 6);
    assert_int_equal(be16_get(r + 20), ARP_REPLY);
    assert_memory_equal(r + 22, f.l->mac, 6);
    assert_int_equal(be32_get(r + 28), testnet_ip("10.0.1.1").v4);
    assert_int_equal(f.a->arp.pool.in_use, 1);
    /* Others' conversations, and answers that nobody asked for, make no row. */
    testnet_give(f.l, buf, packet_arp(buf, ARP_REQUEST, peer_mac, "10.0.1.8", NULL, "10.0.1.7"), 0);
    answer(&f, peer_mac, "10.0.1.6");
    assert_int_equal(f.a->arp.pool.in_use, 1);
    assert_int_equal(s->drop_not_ours, 1);
    assert_int_equal(s->drop_unwanted, 1);
    /* A gratuitous announcement moves a row that exists: the peer's adapter was taken over. */
    testnet_give(f.l, buf, packet_arp(buf, ARP_REQUEST, other_mac, "10.0.1.9", NULL, "10.0.1.9"), 0);
    assert_int_equal(s->changed, 1);
    testnet_clear(f.l);
    ping_like(&f, "10.0.1.9", 1);
    assert_memory_equal(testnet_frame(f.l, 0)->bytes, other_mac, 6);
    /* An RFC 5227 probe is answered but names nobody. */
    testnet_give(f.l, buf, packet_arp(buf, ARP_REQUEST, other_mac, "0.0.0.0", NULL, "10.0.1.1"), 0);
    assert_int_equal(s->out_replies, 2);
    assert_int_equal(f.a->arp.pool.in_use, 1);
    /* Impossible senders. */
    testnet_give(f.l, buf, packet_arp(buf, ARP_REQUEST, peer_mac, "224.0.0.1", NULL, "10.0.1.1"), 0);
    u8 group_mac[6] = {1, 0, 0x5E, 0, 0, 1};
    testnet_give(f.l, buf, packet_arp(buf, ARP_REQUEST, group_mac, "10.0.1.5", NULL, "10.0.1.1"), 0);
    testnet_give(f.l, buf, packet_arp(buf, ARP_REQUEST, f.l->mac, "10.0.1.1", NULL, "10.0.1.1"), 0);
    assert_int_equal(s->drop_martian, 3);
    testnet_destroy(f.t);
}

/* LPARs that share an OSA in LCS mode have one MAC: an answer from "our" MAC for another's address is good. */
static void another_lpar_has_our_mac(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    ping_like(&f, "10.0.1.5", 3);
    assert_int_equal(testnet_sent(f.l), 1); /* the question */
    answer(&f, f.l->mac, "10.0.1.5");
    assert_int_equal(testnet_sent(f.l), 2);
    assert_memory_equal(testnet_frame(f.l, 1)->bytes, f.l->mac, 6);
    assert_int_equal(f.a->stats.arp.drop_martian, 0);
    testnet_destroy(f.t);
}

static void a_full_table_gives_up_its_oldest(void **state) {
    struct fixture f = setup();
    char text[IPADDR_TEXT_MAX];
    UNUSED(state);
    for (u32 i = 0; i < 12; i++) ping_like(&f, ipaddr_text(ipaddr_v4(0x0A000110 + i), text), 1);
    assert_int_equal(f.a->arp.pool.in_use, 8);
    assert_int_equal(f.a->stats.arp.drop_table_full, 4);
    testnet_destroy(f.t);
}

static void defends_its_address(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    for (u32 i = 0; i < 5; i++) {
        testnet_give(f.l, buf, packet_arp(buf, ARP_REQUEST, peer_mac, "10.0.1.1", NULL, "10.0.1.1"), 0);
        testnet_run(f.t, USEC_PER_SEC);
    }
    assert_int_equal(f.a->stats.arp.conflicts, 5);
    assert_int_equal(testnet_sent(f.l), 1); /* one announcement in ten seconds */
    assert_true(testnet_said(f.t, "PLX4331W IP ADDRESS 10.0.1.1 ON LINK L1 IS IN USE BY 020000000909"));
    testnet_run(f.t, 6 * USEC_PER_SEC);
    testnet_give(f.l, buf, packet_arp(buf, ARP_REQUEST, peer_mac, "10.0.1.1", NULL, "10.0.1.1"), 0);
    assert_int_equal(testnet_sent(f.l), 2);
    assert_int_equal(f.a->arp.pool.in_use, 0);
    testnet_destroy(f.t);
}

static void broadcast_and_groups_need_no_question(void **state) {
    struct fixture f = setup();
    static const u8 group[6] = {1, 0, 0x5E, 1, 2, 3};
    UNUSED(state);
    ping_like(&f, "255.255.255.255", 1);
    ping_like(&f, "10.0.1.255", 1);
    ping_like(&f, "224.129.2.3", 1);
    assert_true(eth_is_broadcast(testnet_frame(f.l, 0)->bytes));
    assert_true(eth_is_broadcast(testnet_frame(f.l, 1)->bytes));
    assert_memory_equal(testnet_frame(f.l, 2)->bytes, group, 6);
    testnet_destroy(f.t);
}

static void purge_and_loss(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    ping_like(&f, "10.0.1.9", 1);
    answer(&f, peer_mac, "10.0.1.9");
    ping_like(&f, "10.0.1.8", 1);
    arp_purge(f.a, f.l, f.t->now);
    assert_int_equal(f.a->arp.pool.in_use, 0);
    testnet_check_pools(f.t);
    ping_like(&f, "10.0.1.8", 1);
    link_lan_down(f.l, f.t->now);
    assert_int_equal(f.a->arp.pool.in_use, 0);
    testnet_check_pools(f.t);
    testnet_destroy(f.t);
}

struct rows {
    u32 n, known;
};
static void count_row(void *ctx, const struct arp_row *r) {
    struct rows *c = ctx;
    c->n++;
    c->known += r->mac != NULL && memcmp(r->mac, peer_mac, 6) == 0;
}

static void shown_rows(void **state) {
    struct fixture f = setup();
    struct rows c = {0, 0};
    UNUSED(state);
    ping_like(&f, "10.0.1.9", 1);
    answer(&f, peer_mac, "10.0.1.9");
    ping_like(&f, "10.0.1.8", 1);
    arp_for_each(f.a, count_row, &c);
    assert_int_equal(c.n, 2);
    assert_int_equal(c.known, 1);
    testnet_destroy(f.t);
}

static void frames_at_every_length(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    u32 len = packet_arp(buf, ARP_REQUEST, peer_mac, "10.0.1.9", NULL, "10.0.1.1");
    for (u32 cut = 0; cut <= len; cut++) testnet_give(f.l, buf, cut, 0);
    assert_int_equal(f.a->stats.link.drop_frame_short, 14);
    assert_int_equal(f.a->stats.arp.drop_short, 28);
    assert_int_equal(f.a->stats.arp.in_requests, 1);
    buf[5] = 1; /* another station's frame */
    buf[0] = 2;
    testnet_give(f.l, buf, len, 0);
    assert_int_equal(f.a->stats.link.drop_frame_not_ours, 1);
    packet_frame(buf, NULL, peer_mac, 0x86DD, buf + 14, 40);
    testnet_give(f.l, buf, 54, 0);
    assert_int_equal(f.a->stats.link.drop_frame_type, 1);
    testnet_destroy(f.t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc826_layout),
        cmocka_unit_test(asks_waits_and_sends),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(entries_age),
        cmocka_unit_test(probing_that_fails_forgets),
        cmocka_unit_test(what_is_learned),
        cmocka_unit_test(another_lpar_has_our_mac),
        cmocka_unit_test(a_full_table_gives_up_its_oldest),
        cmocka_unit_test(defends_its_address),
        cmocka_unit_test(broadcast_and_groups_need_no_question),
        cmocka_unit_test(purge_and_loss),
        cmocka_unit_test(shown_rows),
        cmocka_unit_test(frames_at_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
