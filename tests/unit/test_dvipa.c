/* test_dvipa.c - dynamic XCF and dynamic VIPAs on simulated systems: each scenario by its name, seen by a client on the LAN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/stack_impl.h"
#include "sysplex/dvipa_impl.h"
#include "tests/sim/simplex.h"
#include "tests/unit/testnet.h"
#include "wire/ip4.h"
#include "wire/tcphdr.h"

#include <cmocka.h>

#define VIP  ipaddr_v4(0x0A000050) /* 10.0.0.80 */
#define MASK ipaddr_v4(0xFFFFFF00)
#define SEC  ((u64)USEC_PER_SEC)

/* System 0 defines VIP, 1 backs it up with rank 200, 2 with rank 100. */
static void standard(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    enum dvipa_moveable m = ctx ? *(enum dvipa_moveable *)ctx : DVIPA_IMMEDIATE;
    if (i == 0)
        assert_int_equal(dvipa_define(sx, VIP, MASK, m, now), 0);
    else if (i < 3)
        assert_int_equal(dvipa_backup(sx, VIP, i == 1 ? 200 : 100, IPADDR_ANY, DVIPA_MOVEABLE_NA, now), 0);
    assert_int_equal(dvipa_range(sx, ipaddr_v4(0x0A000060), ipaddr_v4(0xFFFFFFF8), DVIPA_NONDISRUPTIVE, now), 0);
    assert_int_equal(dvipa_range(sx, ipaddr_v4(0x0A000068), ipaddr_v4(0xFFFFFFF8), DVIPA_DISRUPTIVE, now), 0);
}

static struct simplex *plex(u32 systems, enum dvipa_moveable *m) {
    struct simplex_params par = {.seed = 7, .systems = systems, .profile = standard, .ctx = m};
    struct simplex *p = simplex_create(&par);
    simplex_run(p, 4 * SEC); /* XCF waits 2.5 s for whoever is there, then the stacks join */
    return p;
}
static void converged(struct simplex *p) {
    const char *why = "";
    if (simplex_converged(p, &why)) return;
    simplex_show(p);
    fail_msg("%s", why);
}
static struct simplex_session *fetch(struct simplex *p, struct ipaddr addr, u32 bytes) {
    struct simplex_session *e = simplex_fetch(p, 0, addr, bytes);
    assert_non_null(e);
    return e;
}
/* Who serves a new connection to addr now. */
static i32 served_by(struct simplex *p, struct ipaddr addr) {
    struct simplex_session *e = fetch(p, addr, 100);
    simplex_run(p, SEC);
    i32 server = e->ended && !e->failed ? e->server : -1;
    simplex_forget(e);
    return server;
}
static struct simplex_session *held(struct simplex *p, u32 bytes) {
    struct simplex_session *e = fetch(p, VIP, bytes);
    simplex_run(p, SEC / 10);
    e->paused = true; /* the window closes, the connection stands */
    simplex_run(p, SEC / 10);
    assert_true(e->connected && !e->ended);
    return e;
}

static void joins_and_owns(void **state) {
    struct simplex *p = plex(3, NULL);
    UNUSED(state);
    converged(p);
    assert_int_equal(simplex_owner(p, VIP), 0);
    assert_int_equal(served_by(p, VIP), 0);
    for (u32 i = 0; i < 3; i++) {
        assert_int_equal(simplex_said(p, i, "EZD1176I TCPIP HAS SUCCESSFULLY JOINED THE TCP/IP SYSPLEX GROUP EZBTCPCS"), 1);
        assert_int_equal(simplex_said(p, i, "EZD1214I"), 1);
    }
    simplex_destroy(p);
}

static void dynamic_xcf(void **state) {
    struct simplex *p = plex(3, NULL);
    struct stack *stk = simplex_stack(p, 0);
    struct link *lnk = link_find(stk, "EZAXCF02");
    UNUSED(state);
    assert_non_null(lnk);
    assert_string_equal(lnk->dev->name, "SYS02");
    assert_true(lnk->up && lnk->mtu_bytes == 55296);
    assert_non_null(link_find(stk, "EZAXCF03"));
    /* A connection from system 1 to system 0's dynamic XCF address goes over it. */
    struct sock *s;
    assert_int_equal(sock_open(simplex_stack(p, 1), SOCK_TCP, "T", &s), 0);
    assert_int_equal(sock_connect(s, ipaddr_v4(0xC109C801), 80, simplex_local(p, 1)), -ERR_INPROGRESS);
    simplex_run(p, SEC);
    struct sockaddr4 me;
    sock_local(s, &me);
    assert_int_equal(me.addr.v4, 0xC109C802);
    u32 type = 0;
    assert_int_equal(sock_getopt(s, SO_CLUSTERCONNTYPE, &type), 0);
    assert_int_equal(type, SYSPLEX_SAME_CLUSTER | SYSPLEX_INTERNAL);
    sock_close(s, simplex_local(p, 1));
    assert_true(lnk->count.packets_in >= 2);
    /* And it goes with its peer. */
    simxcf_kill(simplex_xcf(p), 1, true);
    simplex_run(p, SEC);
    assert_null(link_find(stk, "EZAXCF02"));
    assert_int_equal(simplex_said(p, 0, "EZZ4325I CONNECTION TO 193.9.200.2 CLEARED FOR DEVICE SYS02"), 1);
    simplex_start_system(p, 1);
    simplex_run(p, 5 * SEC);
    assert_non_null(link_find(stk, "EZAXCF02"));
    converged(p);
    simplex_destroy(p);
}

static struct sock *connected(struct simplex *p, u32 i, struct ipaddr to) {
    struct sock *s;
    assert_int_equal(sock_open(simplex_stack(p, i), SOCK_TCP, "T", &s), 0);
    assert_int_equal(sock_connect(s, to, 80, simplex_local(p, i)), -ERR_INPROGRESS);
    simplex_run(p, SEC / 5);
    return s;
}
static u32 cluster(struct sock *s) {
    u32 type = 99;
    assert_int_equal(sock_getopt(s, SO_CLUSTERCONNTYPE, &type), 0);
    return type;
}

/* SO_CLUSTERCONNTYPE: each kind of path, and after each change. */
static void cluster_types(void **state) {
    struct simplex *p = plex(3, NULL);
    u64 now = simplex_local(p, 1);
    struct sock *s;
    UNUSED(state);
    assert_int_equal(sock_open(simplex_stack(p, 1), SOCK_TCP, "T", &s), 0);
    assert_int_equal(cluster(s), SYSPLEX_NOCONN); /* not connected */
    assert_int_equal(sock_bind(s, IPADDR_ANY, 99, now), 0);
    assert_int_equal(sock_listen(s, 5, now), 0);
    assert_int_equal(cluster(s), SYSPLEX_NOCONN); /* a listener has no partner */
    sock_close(s, now);
    struct sock *self = connected(p, 1, ipaddr_v4(0x0A000002)); /* its own address */
    struct sock *lan = connected(p, 1, ipaddr_v4(0x0A000001));  /* a member, over the LAN */
    struct sock *xcf = connected(p, 1, ipaddr_v4(0xC109C801));  /* the same member, over dynamic XCF */
    struct sock *vipa = connected(p, 1, VIP);                   /* its dynamic VIPA */
    assert_int_equal(cluster(self), SYSPLEX_SAME_IMAGE | SYSPLEX_INTERNAL);
    assert_int_equal(cluster(lan), SYSPLEX_SAME_CLUSTER);
    assert_int_equal(cluster(xcf), SYSPLEX_SAME_CLUSTER | SYSPLEX_INTERNAL);
    assert_int_equal(cluster(vipa), SYSPLEX_SAME_CLUSTER);
    /* A host of the LAN that is no member. */
    struct sock *server;
    struct stack *outside = simplex_client(p, 0);
    assert_int_equal(sock_open(outside, SOCK_TCP, "T", &server), 0);
    assert_int_equal(sock_bind(server, IPADDR_ANY, 80, outside->now), 0);
    assert_int_equal(sock_listen(server, 5, outside->now), 0);
    struct sock *out = connected(p, 1, ipaddr_v4(0x0A0000C8));
    assert_int_equal(cluster(out), SYSPLEX_NONE);
    /* The way to it goes over dynamic XCF from now on: INTERNAL is of the way, not of the partner. */
    struct route_def def = {.dest = ipaddr_v4(0x0A000001), .prefix_bits = 32, .gateway = ipaddr_v4(0xC109C801),
                            .kind = ROUTE_STATIC, .lnk = link_find(simplex_stack(p, 1), "EZAXCF01")};
    assert_int_equal(route_add(simplex_stack(p, 1), &def, simplex_local(p, 1)), 0);
    assert_int_equal(cluster(lan), SYSPLEX_SAME_CLUSTER | SYSPLEX_INTERNAL);
    assert_int_equal(route_del(simplex_stack(p, 1), &def, simplex_local(p, 1)), 0);
    assert_int_equal(cluster(lan), SYSPLEX_SAME_CLUSTER);
    /* The DVIPA moves: to another member, then to this one. */
    assert_int_equal(dvipa_deactivate(simplex_sysplex(p, 1), VIP, simplex_local(p, 1)), 0);
    assert_int_equal(dvipa_deactivate(simplex_sysplex(p, 0), VIP, simplex_local(p, 0)), 0);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, VIP), 2);
    assert_int_equal(cluster(vipa), SYSPLEX_SAME_CLUSTER);
    /* The partner's stack leaves the group: it is a stranger; and comes back. */
    sysplex_leavegroup(simplex_sysplex(p, 0), simplex_local(p, 0));
    simplex_run(p, SEC / 2);
    assert_int_equal(cluster(lan), SYSPLEX_NONE);
    sysplex_joingroup(simplex_sysplex(p, 0), simplex_local(p, 0));
    simplex_run(p, 2 * SEC);
    assert_int_equal(cluster(lan), SYSPLEX_SAME_CLUSTER);
    /* This stack leaves: everybody else is one. */
    sysplex_leavegroup(simplex_sysplex(p, 1), simplex_local(p, 1));
    simplex_run(p, SEC / 10);
    assert_int_equal(cluster(lan), SYSPLEX_NONE);
    assert_int_equal(cluster(self), SYSPLEX_SAME_IMAGE | SYSPLEX_INTERNAL);
    struct sock *all[] = {self, lan, xcf, vipa, out};
    for (u32 i = 0; i < ARRAY_LEN(all); i++) sock_close(all[i], simplex_local(p, 1));
    sock_close(server, outside->now);
    simplex_destroy(p);
}

static const char *way_to(struct simplex *p, u32 i, u32 j) {
    struct route_cache way = {.generation = 0};
    return ip_route(simplex_stack(p, i), ipaddr_v4(0xC109C801 + j), 0, &way) == 0 ? way.lnk->name : "";
}
static void iqd(struct simplex *p, u32 i, u8 lan) {
    simplex_iqd(p, i, lan);
    simplex_run(p, SEC / 10);
}

/* The host route to a peer leads over HiperSockets while both are on the same LAN, else over XCF. */
static void hipersockets(void **state) {
    struct simplex_params par = {.seed = 7, .systems = 3, .profile = standard, .iqd_device = 0xE40};
    struct simplex *p = simplex_create(&par);
    UNUSED(state);
    simplex_run(p, 4 * SEC);
    assert_null(device_find(simplex_stack(p, 2), "IUTIQDIO"));
    assert_non_null(link_find(simplex_stack(p, 0), "IQDIOLNKC109C801"));
    assert_string_equal(way_to(p, 0, 1), "EZAXCF02"); /* no LAN is known yet */
    iqd(p, 0, 0x51);
    assert_string_equal(way_to(p, 0, 1), "EZAXCF02"); /* one end does not make a way */
    iqd(p, 1, 0x51);
    assert_string_equal(way_to(p, 0, 1), "IQDIOLNKC109C801");
    assert_string_equal(way_to(p, 1, 0), "IQDIOLNKC109C802");
    assert_string_equal(way_to(p, 0, 2), "EZAXCF03");
    assert_string_equal(way_to(p, 2, 0), "EZAXCF01");
    assert_int_equal(sysplex_cluster_type(simplex_sysplex(p, 0), ipaddr_v4(0xC109C802)), SYSPLEX_SAME_CLUSTER | SYSPLEX_INTERNAL);
    /* One of them loses it: both go back to XCF. */
    iqd(p, 1, 0);
    assert_string_equal(way_to(p, 0, 1), "EZAXCF02");
    assert_string_equal(way_to(p, 1, 0), "EZAXCF01");
    assert_int_equal(simplex_said(p, 0, "EZZ4325I CONNECTION TO 193.9.200.2 CLEARED FOR DEVICE IUTIQDIO"), 1);
    iqd(p, 1, 0x52); /* another LAN */
    assert_string_equal(way_to(p, 0, 1), "EZAXCF02");
    iqd(p, 1, 0);
    iqd(p, 1, 0x51);
    assert_string_equal(way_to(p, 0, 1), "IQDIOLNKC109C801");
    /* The peer goes while its way is HiperSockets: no route is left, and it is there again with the peer. */
    simxcf_kill(simplex_xcf(p), 1, true);
    simplex_run(p, SEC);
    assert_null(link_find(simplex_stack(p, 0), "EZAXCF02"));
    assert_string_not_equal(way_to(p, 0, 1), "IQDIOLNKC109C801");
    simplex_start_system(p, 1);
    simplex_run(p, 5 * SEC);
    assert_string_equal(way_to(p, 0, 1), "EZAXCF02");
    iqd(p, 1, 0x51);
    assert_string_equal(way_to(p, 0, 1), "IQDIOLNKC109C801");
    simplex_destroy(p);
}

static void takeover_by_death_of_image(void **state) {
    struct simplex *p = plex(3, NULL);
    UNUSED(state);
    struct simplex_session *e = held(p, 4000000);
    simxcf_kill(simplex_xcf(p), 0, true);
    simplex_run(p, SEC / 10);
    assert_int_equal(simplex_owner(p, VIP), 1);
    assert_int_equal(served_by(p, VIP), 1);
    assert_int_equal(simplex_said(p, 1, "EZZ8301I VIPA 10.0.0.80 TAKEN OVER FROM TCPIP ON SYS01"), 1);
    /* Fast connection reset: the client learns of its loss with its next segment. */
    simplex_resume(e);
    simplex_run(p, SEC);
    assert_true(e->ended && e->failed && e->err == ERR_CONNRESET);
    simplex_forget(e);
    simxcf_kill(simplex_xcf(p), 1, true);
    simplex_run(p, SEC / 10);
    assert_int_equal(served_by(p, VIP), 2);
    simplex_destroy(p);
}

static void takeover_by_death_of_stack(void **state) {
    struct simplex *p = plex(3, NULL);
    UNUSED(state);
    simplex_stop_stack(p, 0);
    simplex_run(p, SEC / 20);
    assert_int_equal(simplex_owner(p, VIP), 1);
    simplex_start_stack(p, 0);
    simplex_run(p, 2 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 0);
    assert_int_equal(simplex_said(p, 0, "EZZ8302I VIPA 10.0.0.80 TAKEN FROM TCPIP ON SYS02"), 1);
    assert_int_equal(simplex_said(p, 1, "EZZ8303I VIPA 10.0.0.80 GIVEN TO TCPIP ON SYS01"), 1);
    converged(p);
    simplex_destroy(p);
}

/* The owner stands still at some moment between two of its heartbeats. INTERVAL is 5 s from the last one on: nobody may take the DVIPA
 * before, and 150 ms after it the next in rank has it; the former owner, awake, does not. */
static void takeover_by_freeze(void **state) {
    UNUSED(state);
    for (u32 moment = 0; moment < 4; moment++) {
        struct simplex *p = plex(3, NULL);
        simplex_run(p, moment * SEC / 4);
        simxcf_pause(simplex_xcf(p), 0, true);
        simplex_run(p, 4 * SEC);
        assert_int_equal(simplex_owner(p, VIP), -1);
        simplex_run(p, SEC + 150 * USEC_PER_MSEC);
        assert_int_equal(simplex_owner(p, VIP), 1);
        simxcf_pause(simplex_xcf(p), 0, false);
        simplex_run(p, SEC);
        assert_true(simxcf_waiting(simplex_xcf(p), 0));
        assert_int_equal(served_by(p, VIP), 1);
        simplex_destroy(p);
    }
}

static void leavegroup_and_joingroup(void **state) {
    struct simplex *p = plex(3, NULL);
    UNUSED(state);
    assert_int_equal(sysplex_leavegroup(simplex_sysplex(p, 0), simplex_local(p, 0)), 0);
    simplex_run(p, SEC / 10);
    assert_int_equal(served_by(p, VIP), 1);
    assert_int_equal(simplex_status(p, 0, VIP), DVIPA_BACKUP);
    assert_null(home_find(simplex_stack(p, 0), VIP));
    assert_int_equal(sysplex_joingroup(simplex_sysplex(p, 0), simplex_local(p, 0)), 0);
    simplex_run(p, SEC);
    assert_int_equal(served_by(p, VIP), 0);
    assert_int_equal(simplex_said(p, 0, "EZD1192I"), 1);
    converged(p);
    simplex_destroy(p);
}

static void deactivate_keeps_connections(void **state) {
    struct simplex *p = plex(3, NULL);
    UNUSED(state);
    struct simplex_session *e = held(p, 4000000);
    simplex_lan_rst(p, 0);
    assert_int_equal(dvipa_deactivate(simplex_sysplex(p, 0), VIP, simplex_local(p, 0)), 0);
    simplex_run(p, SEC / 10);
    assert_int_equal(simplex_owner(p, VIP), 1);
    assert_int_equal(simplex_status(p, 0, VIP), DVIPA_MOVING);
    assert_int_equal(served_by(p, VIP), 1);
    simplex_resume(e);
    simplex_run(p, 10 * SEC);
    assert_true(e->ended && !e->failed && e->server == 0);
    assert_false(simplex_lan_rst(p, 0) || simplex_lan_rst(p, 1));
    assert_int_equal(simplex_status(p, 0, VIP), DVIPA_DEACTIVATED);
    /* Deactivated, it takes nothing over. */
    simxcf_kill(simplex_xcf(p), 1, true);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, VIP), 2);
    assert_int_equal(dvipa_reactivate(simplex_sysplex(p, 0), VIP, simplex_local(p, 0)), 0);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, VIP), 0);
    simplex_forget(e);
    simplex_destroy(p);
}

/* It still has connections when the one that took the address dies: it stands in nobody's way. */
static void deactivated_it_is_no_successor(void **state) {
    struct simplex *p = plex(3, NULL);
    UNUSED(state);
    struct simplex_session *e = held(p, 4000000);
    assert_int_equal(dvipa_deactivate(simplex_sysplex(p, 0), VIP, simplex_local(p, 0)), 0);
    simplex_run(p, SEC / 10);
    assert_int_equal(simplex_status(p, 0, VIP), DVIPA_MOVING);
    simxcf_kill(simplex_xcf(p), 1, true);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, VIP), 2);
    simplex_resume(e);
    simplex_run(p, 10 * SEC);
    assert_true(e->ended && !e->failed && e->server == 0);
    simplex_forget(e);
    simplex_destroy(p);
}

static void take_back_immediate(void **state) {
    struct simplex *p = plex(3, NULL);
    UNUSED(state);
    simxcf_kill(simplex_xcf(p), 0, true);
    simplex_run(p, SEC);
    struct simplex_session *e = held(p, 4000000);
    assert_int_equal(e->server, 1);
    for (u32 i = 0; i < 3; i++) simplex_lan_rst(p, i);
    simplex_start_system(p, 0);
    simplex_run(p, 5 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 0);
    assert_int_equal(simplex_status(p, 1, VIP), DVIPA_MOVING);
    const struct home_entry *h = home_find(simplex_stack(p, 1), VIP);
    assert_true(h && (h->flags & HOME_INTERNAL));
    assert_int_equal(served_by(p, VIP), 0);
    simplex_resume(e);
    simplex_run(p, 30 * SEC);
    assert_true(e->ended && !e->failed);
    assert_int_equal(e->server, 1);
    assert_false(simplex_lan_rst(p, 0) || simplex_lan_rst(p, 1) || simplex_lan_rst(p, 2));
    assert_true(sysplex_counters(simplex_sysplex(p, 0))->forwarded > 10);
    assert_int_equal(simplex_status(p, 1, VIP), DVIPA_BACKUP); /* the last connection has ended */
    assert_null(home_find(simplex_stack(p, 1), VIP));
    assert_int_equal(simplex_sysplex(p, 0)->moved.rows, 0);
    simplex_forget(e);
    converged(p);
    simplex_destroy(p);
}

static bool claims(void *ctx) {
    return simplex_status(ctx, 0, VIP) == DVIPA_CLAIMING;
}
/* A client connects each tenth of a millisecond while the address moves: no handshake is lost on the way, and no SYN either. */
static void take_back_loses_no_handshake(void **state) {
    static struct simplex_session *e[2000];
    struct simplex_params par = {.seed = 17, .systems = 3, .profile = standard, .slice_us = 100};
    struct simplex *p = simplex_create(&par);
    u32 n = 0, servers[2] = {0, 0};
    UNUSED(state);
    simplex_run(p, 4 * SEC);
    simxcf_kill(simplex_xcf(p), 0, true);
    simplex_run(p, SEC);
    simplex_start_system(p, 0);
    assert_true(simplex_until(p, 5 * SEC, claims, p));
    for (; n < ARRAY_LEN(e); simplex_run(p, 100)) e[n++] = fetch(p, VIP, 100);
    simplex_run(p, SEC / 2); /* before a client would send a SYN again */
    for (u32 i = 0; i < n; i++) {
        if (!e[i]->ended || e[i]->failed) fail_msg("connection %u of %u: %s", i, n, e[i]->failed ? "reset" : "no answer");
        assert_in_range(e[i]->server, 0, 1);
        servers[e[i]->server]++;
        simplex_forget(e[i]);
    }
    assert_true(servers[0] && servers[1]);
    for (u32 i = 0; i < 3; i++) assert_false(simplex_lan_rst(p, i));
    assert_true(sysplex_counters(simplex_sysplex(p, 0))->asked_former > 0);
    simplex_run(p, 4 * SEC);
    assert_int_equal(simplex_status(p, 1, VIP), DVIPA_BACKUP);
    converged(p);
    simplex_destroy(p);
}

static bool joins_again(void *ctx) {
    return sysplex_state(simplex_sysplex(ctx, 0)) == SYSPLEX_IN_SYNC && claims(ctx);
}
/* The client uses its ports again while the stack that takes the address back has earlier connections from them in TIME_WAIT. A handshake
 * that the former owner has under way is not answered by those. */
static void take_back_past_time_wait(void **state) {
    static struct simplex_session *e[500];
    struct simplex_params par = {.seed = 17, .systems = 3, .profile = standard, .slice_us = 100};
    struct simplex *p = simplex_create(&par);
    struct tcp_config *client = &simplex_client(p, 0)->conf.tcp;
    UNUSED(state);
    client->ephemeral_first = 5000;
    client->ephemeral_last = 5000 + ARRAY_LEN(e) - 1;
    simplex_run(p, 4 * SEC);
    for (u32 i = 0; i < ARRAY_LEN(e); i++) e[i] = fetch(p, VIP, 100);
    simplex_run(p, 2 * SEC);
    for (u32 i = 0; i < ARRAY_LEN(e); i++) {
        assert_true(e[i]->ended && !e[i]->failed && e[i]->server == 0);
        simplex_forget(e[i]);
    }
    assert_int_equal(sysplex_leavegroup(simplex_sysplex(p, 0), simplex_local(p, 0)), 0);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, VIP), 1);
    assert_int_equal(sysplex_joingroup(simplex_sysplex(p, 0), simplex_local(p, 0)), 0);
    assert_true(simplex_until(p, 5 * SEC, joins_again, p));
    for (u32 i = 0; i < ARRAY_LEN(e); i++, simplex_run(p, 100)) e[i] = fetch(p, VIP, 100);
    simplex_run(p, 3 * SEC / 2);
    for (u32 i = 0; i < ARRAY_LEN(e); i++) {
        if (!e[i]->ended || e[i]->failed) fail_msg("connection %u: %s", i, e[i]->failed ? "reset" : "no answer");
        simplex_forget(e[i]);
    }
    assert_true(simplex_stack(p, 0)->stats.tcp.timewait_reused > 0);
    assert_true(sysplex_counters(simplex_sysplex(p, 0))->asked_former > 0);
    simplex_destroy(p);
}

/* A lost connection is reset at once, even if its client has used the port before and the new owner remembers that one's end. */
static void reset_past_time_wait(void **state) {
    struct simplex *p = plex(3, NULL);
    struct tcp_config *client = &simplex_client(p, 0)->conf.tcp;
    UNUSED(state);
    client->ephemeral_first = client->ephemeral_last = 5000;
    assert_int_equal(sysplex_leavegroup(simplex_sysplex(p, 0), simplex_local(p, 0)), 0);
    simplex_run(p, SEC / 2);
    struct simplex_session *e = fetch(p, VIP, 100);
    simplex_run(p, SEC / 2);
    assert_true(e->ended && !e->failed && e->server == 1);
    simplex_forget(e);
    assert_int_equal(sysplex_joingroup(simplex_sysplex(p, 0), simplex_local(p, 0)), 0);
    simplex_run(p, 4 * SEC);
    e = held(p, 4000000);
    assert_int_equal(e->server, 0);
    simxcf_kill(simplex_xcf(p), 0, true);
    simplex_run(p, SEC / 10);
    assert_int_equal(simplex_owner(p, VIP), 1);
    simplex_resume(e);
    simplex_run(p, SEC);
    assert_true(e->ended && e->failed && e->err == ERR_CONNRESET);
    assert_true(sysplex_counters(simplex_sysplex(p, 1))->reset_past_time_wait > 0);
    simplex_forget(e);
    simplex_destroy(p);
}

/* The owner to which connections were moved dies too: the next one learns where they live. */
static void moved_connections_survive_their_new_owner(void **state) {
    struct simplex *p = plex(3, NULL);
    UNUSED(state);
    simxcf_kill(simplex_xcf(p), 0, true);
    simplex_run(p, SEC);
    struct simplex_session *e = held(p, 4000000);
    simplex_start_system(p, 0);
    simplex_run(p, 5 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 0);
    simxcf_kill(simplex_xcf(p), 0, true);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, VIP), 1); /* itself: rank 200 */
    assert_int_equal(dvipa_deactivate(simplex_sysplex(p, 1), VIP, simplex_local(p, 1)), 0);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, VIP), 2);
    simplex_resume(e);
    simplex_run(p, 30 * SEC);
    assert_true(e->ended && !e->failed);
    simplex_forget(e);
    simplex_destroy(p);
}

/* A SYN from somebody who never answers comes to the owner, and the address moves. The new owner is told when that has come to nothing: else
 * it would forward whatever comes from that port for as long as the former owner lives. */
static void half_open_ones_move_and_end(void **state) {
    struct simplex *p = plex(2, NULL);
    UNUSED(state);
    struct simplex_session *e = held(p, 4000000); /* while it stands the former owner has not let go of the address, and what it listed counts */
    u8 syn[PKT_HEADROOM + 40], *ip = syn + PKT_HEADROOM;
    ip4_emit(ip, &(struct ip4_fields){.src = ipaddr_v4(0x0A0000FA), .dst = VIP, .total = 40, .ttl = 60, .proto = IP_PROTO_TCP});
    tcphdr_emit(&(struct tcphdr){.src_port = 4000, .dst_port = 80, .seq = 7, .flags = TCPF_SYN, .window = 8192}, ip + 20);
    struct pkt pkt = {.data = ip, .len = 40, .headroom = PKT_HEADROOM, .flags = PKT_IP_CSUM_OK | PKT_L4_CSUM_OK};
    link_input(link_find(simplex_stack(p, 0), "LAN"), &pkt, simplex_local(p, 0));
    assert_int_equal(dvipa_deactivate(simplex_sysplex(p, 0), VIP, simplex_local(p, 0)), 0);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, VIP), 1);
    assert_int_equal(simplex_sysplex(p, 1)->moved.rows, 2);
    simplex_run(p, 70 * SEC); /* SYN-ACKs for 63 s */
    assert_int_equal(simplex_sysplex(p, 1)->moved.rows, 1);
    simplex_forget(e);
    simplex_destroy(p);
}

static void take_back_whenidle(void **state) {
    enum dvipa_moveable m = DVIPA_WHENIDLE;
    struct simplex *p = plex(3, &m);
    UNUSED(state);
    simxcf_kill(simplex_xcf(p), 0, true);
    simplex_run(p, SEC);
    struct simplex_session *e = held(p, 4000000);
    simplex_start_system(p, 0);
    simplex_run(p, 5 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 1);
    assert_int_equal(served_by(p, VIP), 1); /* new ones land there as long as it is busy */
    simplex_resume(e);
    simplex_run(p, 5 * SEC);
    assert_true(e->ended && !e->failed);
    assert_int_equal(simplex_owner(p, VIP), 0);
    simplex_forget(e);
    converged(p);
    simplex_destroy(p);
}

static void basic_backup_cannot_create(void **state) {
    struct simplex *p = plex(4, NULL);
    struct ipaddr other = ipaddr_v4(0x0A000051);
    UNUSED(state);
    assert_int_equal(dvipa_backup(simplex_sysplex(p, 3), other, 5, IPADDR_ANY, DVIPA_MOVEABLE_NA, simplex_local(p, 3)), 0);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, other), -1);
    assert_int_equal(dvipa_backup(simplex_sysplex(p, 2), other, 4, MASK, DVIPA_IMMEDIATE, simplex_local(p, 2)), 0);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, other), 2);
    /* Once it has been active, the basic form is as good as any. */
    assert_int_equal(dvipa_delete(simplex_sysplex(p, 2), other, simplex_local(p, 2)), 0);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, other), 3);
    simplex_run(p, 4 * SEC); /* handshakes under way had their time */
    assert_int_equal(simplex_status(p, 2, other), DVIPA_NONE);
    simplex_destroy(p);
}

static struct sock *bound(struct simplex *p, u32 i, struct ipaddr addr, u16 port, int want) {
    struct sock *s;
    assert_int_equal(sock_open(simplex_stack(p, i), SOCK_TCP, "BINDER", &s), 0);
    sock_setopt(s, SO_REUSEADDR_OPT, 1, simplex_local(p, i));
    assert_int_equal(sock_bind(s, addr, port, simplex_local(p, i)), want);
    if (!want) return s;
    sock_close(s, simplex_local(p, i));
    return NULL;
}

static void bind_nondisruptive(void **state) {
    struct simplex *p = plex(3, NULL);
    struct ipaddr a = ipaddr_v4(0x0A000061);
    UNUSED(state);
    bound(p, 0, ipaddr_v4(0x0A000099), 90, -ERR_ADDRNOTAVAIL); /* in no range */
    struct sock *s0 = bound(p, 0, a, 90, 0);
    simplex_run(p, SEC / 2);
    assert_int_equal(simplex_owner(p, a), 0);
    assert_int_equal(served_by(p, a), 0);
    struct sock *s1 = bound(p, 1, a, 90, 0);
    simplex_run(p, SEC / 2);
    assert_int_equal(simplex_owner(p, a), 1);
    assert_int_equal(simplex_status(p, 0, a), DVIPA_MOVING); /* until its program closes the socket */
    sock_close(s0, simplex_local(p, 0));
    simplex_run(p, 5 * SEC);
    assert_int_equal(simplex_status(p, 0, a), DVIPA_NONE);
    sock_close(s1, simplex_local(p, 1));
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, a), -1);
    converged(p);
    simplex_destroy(p);
}

static void bind_disruptive(void **state) {
    struct simplex *p = plex(3, NULL);
    struct ipaddr a = ipaddr_v4(0x0A000069);
    UNUSED(state);
    struct sock *s0 = bound(p, 0, a, 90, 0);
    simplex_run(p, SEC / 2);
    bound(p, 1, a, 90, -ERR_ADDRNOTAVAIL);
    simplex_run(p, SEC / 2);
    assert_int_equal(simplex_owner(p, a), 0);
    /* ioctl elsewhere takes it all the same, and it is deleted here. */
    assert_int_equal(dvipa_ioctl_define(simplex_sysplex(p, 1), a, "MODDVIPA", simplex_local(p, 1)), 0);
    simplex_run(p, SEC / 2);
    assert_int_equal(simplex_owner(p, a), 1);
    assert_int_equal(simplex_status(p, 0, a), DVIPA_NONE);
    assert_int_equal(dvipa_ioctl_define(simplex_sysplex(p, 1), a, "MODDVIPA", simplex_local(p, 1)), -ERR_EXIST);
    assert_int_equal(dvipa_ioctl_delete(simplex_sysplex(p, 1), a, "MODDVIPA", simplex_local(p, 1)), 0);
    simplex_run(p, SEC / 2);
    assert_int_equal(simplex_owner(p, a), -1);
    sock_close(s0, simplex_local(p, 0));
    simplex_destroy(p);
}

static void bind_before_joining(void **state) {
    struct simplex_params par = {.seed = 9, .systems = 2, .profile = standard};
    struct simplex *p = simplex_create(&par);
    UNUSED(state);
    bound(p, 0, ipaddr_v4(0x0A000061), 90, -ERR_AGAIN); /* may be tried again */
    bound(p, 0, ipaddr_v4(0x0A000099), 90, -ERR_ADDRNOTAVAIL);
    simplex_destroy(p);
}

/* A stack without LAN answers through one that has it. */
static void stack_without_osa(void **state) {
    struct simplex_params par = {.seed = 11, .systems = 3, .profile = standard, .no_osa_on_last = true};
    struct simplex *p = simplex_create(&par);
    struct link *lan = link_find(simplex_client(p, 0), "LAN");
    UNUSED(state);
    simplex_run(p, 4 * SEC);
    net_config(simplex_stack(p, 0))->ip.forwarding = true;
    struct route_def to = {.dest = ipaddr_v4(0xC109C800), .prefix_bits = 24, .gateway = ipaddr_v4(0x0A000001), .lnk = lan};
    assert_int_equal(route_add(simplex_client(p, 0), &to, simplex_local(p, 0)), 0);
    struct route_def back = {.gateway = ipaddr_v4(0xC109C801), .lnk = link_find(simplex_stack(p, 2), "EZAXCF01")};
    assert_int_equal(route_add(simplex_stack(p, 2), &back, simplex_local(p, 2)), 0);
    assert_int_equal(served_by(p, ipaddr_v4(0xC109C803)), 2);
    simplex_destroy(p);
}

static void many(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    UNUSED(ctx);
    for (u32 k = 0; k < 1024; k++) {
        struct ipaddr a = ipaddr_v4(0x0A010000 + k);
        if (i == 0)
            assert_int_equal(dvipa_define(sx, a, ipaddr_v4(0xFFFF0000), DVIPA_IMMEDIATE, now), 0);
        else
            assert_int_equal(dvipa_backup(sx, a, (u8)(1 + (k + i) % 7), IPADDR_ANY, DVIPA_MOVEABLE_NA, now), 0);
    }
}
static bool all_moved(void *ctx) {
    struct simplex *p = ctx;
    for (u32 k = 0; k < 1024; k++)
        if (simplex_owner(p, ipaddr_v4(0x0A010000 + k)) < 1) return false;
    return true;
}
/* 1,024 DVIPAs on 8 members move within a second of simulated time. */
static void a_thousand_move(void **state) {
    struct simplex_params par = {.seed = 13, .systems = 8, .profile = many, .dvipas = 1024, .no_server = true, .slice_us = 2000};
    struct simplex *p = simplex_create(&par);
    UNUSED(state);
    simplex_run(p, 5 * SEC);
    converged(p);
    simxcf_kill(simplex_xcf(p), 0, true);
    assert_true(simplex_until(p, SEC, all_moved, p));
    simplex_run(p, SEC);
    converged(p);
    simplex_destroy(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_and_owns),
        cmocka_unit_test(dynamic_xcf),
        cmocka_unit_test(cluster_types),
        cmocka_unit_test(hipersockets),
        cmocka_unit_test(takeover_by_death_of_image),
        cmocka_unit_test(takeover_by_death_of_stack),
        cmocka_unit_test(takeover_by_freeze),
        cmocka_unit_test(leavegroup_and_joingroup),
        cmocka_unit_test(deactivate_keeps_connections),
        cmocka_unit_test(deactivated_it_is_no_successor),
        cmocka_unit_test(take_back_immediate),
        cmocka_unit_test(take_back_loses_no_handshake),
        cmocka_unit_test(take_back_past_time_wait),
        cmocka_unit_test(reset_past_time_wait),
        cmocka_unit_test(moved_connections_survive_their_new_owner),
        cmocka_unit_test(half_open_ones_move_and_end),
        cmocka_unit_test(take_back_whenidle),
        cmocka_unit_test(basic_backup_cannot_create),
        cmocka_unit_test(bind_nondisruptive),
        cmocka_unit_test(bind_disruptive),
        cmocka_unit_test(bind_before_joining),
        cmocka_unit_test(stack_without_osa),
        cmocka_unit_test(a_thousand_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
