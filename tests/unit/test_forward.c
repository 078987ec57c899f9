/* test_forward.c - which way a packet takes to another stack of the sysplex, on simulated systems: HiperSockets or dynamic XCF, and what
 * becomes of connections when the way is lost under them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sysplex/dist_impl.h"
#include "tests/unit/distsim.h"
#include "wire/ip4.h"
#include "wire/tcphdr.h"

#define SEC      ((u64)USEC_PER_SEC)
#define LAN      0x51
#define SESSIONS 8
#define BYTES    300000

static const struct sysplex_counters *count(struct simplex *p, u32 i) {
    return sysplex_counters(simplex_sysplex(p, i));
}

/* ---- distributed connections: system 0 routes, system 1 is on its LAN, system 2 is not ---- */

static struct simdist *distributed(void) {
    struct simdist_params par = {.seed = 23, .systems = 3, .method = DIST_ROUNDROBIN, .iqd = true};
    struct simdist *s = distsim_up(&par);
    simplex_iqd(simdist_plex(s), 2, 0);
    simdist_run(s, SEC / 10);
    distsim_settled(s);
    return s;
}
static void hold(struct simdist *s, struct simplex_session **e) {
    distsim_fetch(s, e, SESSIONS, BYTES);
    distsim_hold(s, e, SESSIONS);
}
static u32 whole(struct simdist *s, struct simplex_session **e) {
    return distsim_whole(s, e, SESSIONS, 20 * SEC);
}

static void distributed_by_hipersockets(void **state) {
    struct simplex_session *e[SESSIONS];
    struct simdist *s = distributed();
    struct simplex *p = simdist_plex(s);
    UNUSED(state);
    hold(s, e);
    assert_int_equal(whole(s, e), SESSIONS);
    const struct sysplex_counters *c = count(p, 0);
    assert_true(c->forwarded_iqd > 20 && c->forwarded > c->forwarded_iqd + 20); /* system 2's go over XCF */
    assert_int_equal(simplex_iqd_packets(p, 1), c->forwarded_iqd);
    assert_int_equal(simplex_iqd_packets(p, 2), 0);
    /* A target counts SYNs for its responsiveness, whatever way they came. */
    const struct dist_served *served = &simdist_distributor(s, 1)->served[0];
    assert_int_equal(served->syns, served->opened);
    simdist_destroy(s);
}

/* The device is lost at either end: what is open goes on over XCF at once, and over HiperSockets again when it is back. */
static void lost_under_connections(void **state) {
    UNUSED(state);
    for (u32 end = 0; end < 2; end++) {
        struct simplex_session *e[SESSIONS];
        struct simdist *s = distributed();
        struct simplex *p = simdist_plex(s);
        hold(s, e);
        simplex_iqd(p, end, 0);
        u32 before = count(p, 0)->forwarded_iqd, arrived = simplex_iqd_packets(p, 1);
        assert_int_equal(whole(s, e), SESSIONS);
        assert_true(count(p, 0)->forwarded_iqd - before < 10); /* until the other end has said so */
        assert_int_equal(simplex_iqd_packets(p, 1), arrived);
        simplex_iqd(p, end, LAN);
        simdist_run(s, SEC / 10);
        hold(s, e);
        assert_int_equal(whole(s, e), SESSIONS);
        assert_true(simplex_iqd_packets(p, 1) > arrived + 20);
        simdist_destroy(s);
    }
}

/* What came by HiperSockets to the routing stack is routed, but not by HiperSockets: only XCF can say that it was routed. */
static void never_twice_by_hipersockets(void **state) {
    struct simdist *s = distributed();
    struct simplex *p = simdist_plex(s);
    struct sysplex *sx = simplex_sysplex(p, 0);
    u8 packet[PKT_HEADROOM + 40] = {0};
    struct pkt k = {.data = packet + PKT_HEADROOM, .len = 40, .headroom = PKT_HEADROOM, .flags = PKT_DISTRIBUTED, .in = sx->dx.iqd};
    struct sysplex_peer *peer = sysplex_peer_by_dynxcf(sx, ipaddr_v4(0xC109C802));
    UNUSED(state);
    assert_true(peer && peer->by_iqd);
    k.data[0] = 0x45;
    struct pkt again = k;
    sysplex_forward(sx, peer, &again, simplex_local(p, 0));
    assert_int_equal(count(p, 0)->forwarded_iqd, 0);
    again = k;
    again.in = link_find(simplex_stack(p, 0), "LAN");
    sysplex_forward(sx, peer, &again, simplex_local(p, 0));
    assert_int_equal(count(p, 0)->forwarded_iqd, 1);
    /* Nor what is longer than the LAN carries. */
    static u8 large[PKT_HEADROOM + 2000];
    again = (struct pkt){.data = large + PKT_HEADROOM, .len = 2000, .headroom = PKT_HEADROOM, .flags = PKT_DISTRIBUTED, .in = again.in};
    again.data[0] = 0x45;
    sysplex_forward(sx, peer, &again, simplex_local(p, 0));
    assert_int_equal(count(p, 0)->forwarded_iqd, 1);
    assert_int_equal(count(p, 0)->forwarded, 3);
    link_flush_all(simplex_stack(p, 0), simplex_local(p, 0));
    simdist_destroy(s);
}

/* A card delivers to system 1 what it would to system 0, the owner: 1 gives it to 0 over XCF, though both are on one LAN. Had that stood still until
 * the address was another's, 0 would take the segment for routed, have no such connection, and reset another target's client. */
static void to_the_owner_by_xcf(void **state) {
    struct simdist *s = distributed();
    struct simplex *p = simdist_plex(s);
    struct stack *stk = simplex_stack(p, 1);
    u8 packet[PKT_HEADROOM + 40] = {0};
    struct pkt k = {.data = packet + PKT_HEADROOM, .len = 40, .headroom = PKT_HEADROOM, .flags = PKT_IP_CSUM_OK | PKT_L4_CSUM_OK};
    struct tcphdr h = {.src_port = 4000, .dst_port = SIMPLEX_PORT, .seq = 7, .ack = 9, .flags = TCPF_ACK, .window = 8192};
    UNUSED(state);
    ip4_emit(k.data, &(struct ip4_fields){.src = ipaddr_v4(SIMPLEX_CLIENT_0), .dst = SIMDIST_VIP, .total = 40, .ttl = 60, .proto = IP_PROTO_TCP});
    tcphdr_emit(&h, k.data + IP4_HEADER_MIN);
    link_input(link_find(stk, "LAN"), &k, simplex_local(p, 1));
    link_flush_all(stk, simplex_local(p, 1));
    assert_int_equal(simdist_distributor(s, 1)->count.to_owner, 1);
    assert_int_equal(count(p, 1)->forwarded_iqd, 0);
    assert_int_equal(count(p, 1)->forwarded, 1);
    simdist_destroy(s);
}

/* ---- connections that live at the former owner ---- */

static void vipas(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    UNUSED(ctx);
    if (i == 0) assert_int_equal(dvipa_define(sx, SIMDIST_VIP, ipaddr_v4(0xFFFFFF00), DVIPA_IMMEDIATE, now), 0);
    u8 rank = i == 1 ? 200 : 100;
    if (i) assert_int_equal(dvipa_backup(sx, SIMDIST_VIP, rank, IPADDR_ANY, DVIPA_MOVEABLE_NA, now), 0);
}

static void moved_by_hipersockets(void **state) {
    struct simplex_params par = {.seed = 7, .systems = 2, .profile = vipas, .iqd_device = 0xE40};
    struct simplex *p = simplex_create(&par);
    UNUSED(state);
    simplex_run(p, 4 * SEC);
    for (u32 i = 0; i < 2; i++) simplex_iqd(p, i, LAN);
    simplex_run(p, SEC);
    struct simplex_session *e = simplex_fetch(p, 0, SIMDIST_VIP, 4000000);
    simplex_run(p, SEC / 10);
    e->paused = true;
    assert_int_equal(dvipa_deactivate(simplex_sysplex(p, 0), SIMDIST_VIP, simplex_local(p, 0)), 0);
    simplex_run(p, SEC / 10);
    assert_int_equal(simplex_owner(p, SIMDIST_VIP), 1);
    assert_int_equal(simplex_status(p, 0, SIMDIST_VIP), DVIPA_MOVING);
    simplex_resume(e);
    simplex_run(p, SEC / 20);
    u32 half = count(p, 1)->forwarded_iqd;
    assert_true(half > 10 && !e->ended);
    simplex_iqd(p, 0, 0); /* and the rest over XCF */
    simplex_run(p, 20 * SEC);
    assert_true(e->ended && !e->failed && e->server == 0 && e->got == 4000000);
    assert_true(count(p, 1)->forwarded > count(p, 1)->forwarded_iqd + 10);
    simplex_forget(e);
    simplex_destroy(p);
}

/* The address moves twice while a transfer from the first owner runs. The second one forwards its segments until it has given the address up; those that
 * it still gets are forwarded on, before anybody owns the address and after, and nobody resets them, over HiperSockets or not. */
static void moves_on_under_a_transfer(void **state) {
    struct simplex_params par = {.seed = 7, .systems = 3, .profile = vipas, .iqd_device = 0xE40, .iqd_systems = 3};
    UNUSED(state);
    for (u32 n = 0; n < 8; n++) {
        struct simplex *p = simplex_create(&par);
        simplex_run(p, 4 * SEC);
        for (u32 i = 0; i < 3; i++) simplex_iqd(p, i, n & 1 ? LAN : 0);
        struct simplex_session *e = simplex_fetch(p, 0, SIMDIST_VIP, 4000000);
        simplex_run(p, SEC / 10);
        e->paused = true;
        for (u32 owner = 0; owner < 2; owner++) {
            assert_int_equal(simplex_owner(p, SIMDIST_VIP), owner);
            if (owner) simplex_resume(e), simplex_run(p, 20000 + 700 * n);
            assert_int_equal(dvipa_deactivate(simplex_sysplex(p, owner), SIMDIST_VIP, simplex_local(p, owner)), 0);
            simplex_run(p, owner ? 30 * SEC : SEC);
        }
        assert_int_equal(simplex_owner(p, SIMDIST_VIP), 2);
        for (u32 i = 0; i < 3; i++) assert_false(simplex_lan_rst(p, i));
        assert_true(e->ended && !e->failed && e->server == 0 && e->got == 4000000);
        for (u32 i = 0; i < 3; i++) assert_int_equal(simplex_sysplex(p, i)->moved.rows, 0);
        simplex_forget(e);
        simplex_destroy(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distributed_by_hipersockets),
        cmocka_unit_test(lost_under_connections),
        cmocka_unit_test(never_twice_by_hipersockets),
        cmocka_unit_test(to_the_owner_by_xcf),
        cmocka_unit_test(moved_by_hipersockets),
        cmocka_unit_test(moves_on_under_a_transfer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
