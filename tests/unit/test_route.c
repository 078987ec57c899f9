/* test_route.c - the routing table against a plain list; down links, groups, kinds, flags, generations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "testnet.h"

#include <cmocka.h>

#define CARD (LINK_CAP_ARP | LINK_CAP_MCAST)

struct fixture {
    struct testnet *t;
    struct stack *a;
    struct link *l1, *l2, *l3;
};

static struct fixture setup(void) {
    struct fixture f = {.t = testnet_create(7)};
    f.a = testnet_stack(f.t, "TCPIPA", NULL);
    f.l1 = testnet_link(f.t, f.a, "L1", "10.0.1.1", "255.255.255.0", CARD);
    f.l2 = testnet_link(f.t, f.a, "L2", "10.0.2.1", "255.255.255.0", CARD);
    f.l3 = testnet_link(f.t, f.a, "L3", "10.0.3.1", "255.255.255.0", CARD);
    return f;
}

static int add(struct fixture *f, const char *dest, u8 bits, const char *gateway, struct link *l,
               enum route_kind kind) {
    struct route_def def = {.dest = testnet_ip(dest),
                            .prefix_bits = bits,
                            .kind = (u8)kind,
                            .gateway = gateway ? testnet_ip(gateway) : IPADDR_ANY,
                            .lnk = l};
    return route_add(f->a, &def, f->t->now);
}

static const char *via(struct fixture *f, const char *dst) {
    const struct route *r = route_lookup(f->a, testnet_ip(dst), 0, false);
    static char text[IPADDR_TEXT_MAX + NAME_MAX_LEN + 2];
    char gw[IPADDR_TEXT_MAX];
    if (!r) return "none";
    str_fmt(text, sizeof text, "%s %s", r->def.lnk->name, ipaddr_text(r->def.gateway, gw));
    return text;
}

static void longest_prefix_wins(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    assert_string_equal(via(&f, "192.168.1.1"), "none");
    add(&f, "0.0.0.0", 0, "10.0.1.254", f.l1, ROUTE_STATIC);
    add(&f, "192.168.0.0", 16, "10.0.2.254", f.l2, ROUTE_STATIC);
    add(&f, "192.168.1.0", 24, "10.0.3.254", f.l3, ROUTE_STATIC);
    add(&f, "192.168.1.7", 32, "10.0.1.253", f.l1, ROUTE_STATIC);
    assert_string_equal(via(&f, "192.168.1.7"), "L1 10.0.1.253");
    assert_string_equal(via(&f, "192.168.1.8"), "L3 10.0.3.254");
    assert_string_equal(via(&f, "192.168.2.8"), "L2 10.0.2.254");
    assert_string_equal(via(&f, "172.16.0.1"), "L1 10.0.1.254");
    assert_string_equal(via(&f, "10.0.2.9"), "L2 0.0.0.0");
    /* A route over a down link is skipped, all the way to the default. */
    link_lan_down(f.l3, f.t->now);
    assert_string_equal(via(&f, "192.168.1.8"), "L2 10.0.2.254");
    link_lan_down(f.l2, f.t->now);
    assert_string_equal(via(&f, "192.168.1.8"), "L1 10.0.1.254");
    link_lan_down(f.l1, f.t->now);
    assert_string_equal(via(&f, "192.168.1.8"), "none");
    link_lan_up(f.l3, f.t->now);
    assert_string_equal(via(&f, "192.168.1.8"), "L3 10.0.3.254");
    testnet_destroy(f.t);
}

static void what_is_refused(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    assert_int_equal(add(&f, "10.7.0.1", 16, "10.0.1.254", f.l1, ROUTE_STATIC), -ERR_INVAL);
    assert_int_equal(add(&f, "10.7.0.0", 33, "10.0.1.254", f.l1, ROUTE_STATIC), -ERR_INVAL);
    assert_int_equal(add(&f, "10.7.0.0", 16, "10.0.1.254", NULL, ROUTE_STATIC), -ERR_INVAL);
    assert_int_equal(add(&f, "10.7.0.0", 16, "10.0.1.254", f.l1, ROUTE_STATIC), 0);
    assert_int_equal(add(&f, "10.7.0.0", 16, "10.0.1.254", f.l1, ROUTE_STATIC), -ERR_EXIST);
    struct route_def def = {.dest = testnet_ip("10.7.0.0"), .prefix_bits = 16, .lnk = f.l1};
    assert_int_equal(route_del(f.a, &def, f.t->now), -ERR_NOENT);
    def.gateway = testnet_ip("10.0.1.254");
    assert_int_equal(route_del(f.a, &def, f.t->now), 0);
    u32 n = 0;
    int rc;
    do {
        struct route_def d = {.dest = ipaddr_v4(0x0B000000 + (n++ << 8)), .prefix_bits = 24, .lnk = f.l1};
        rc = route_add(f.a, &d, f.t->now);
    } while (rc == 0);
    assert_int_equal(rc, -ERR_NOMEM);
    assert_true(n > f.a->cfg.max_routes);
    route_clear(f.a, ROUTE_STATIC, f.t->now);
    assert_string_equal(via(&f, "11.0.0.1"), "none");
    assert_int_equal(f.a->routes.lengths, 0);
    testnet_destroy(f.t);
}

static void equal_cost_groups(void **state) {
    struct fixture f = setup();
    u32 used[3] = {0};
    struct route_cache way;
    UNUSED(state);
    add(&f, "0.0.0.0", 0, "10.0.1.254", f.l1, ROUTE_STATIC);
    add(&f, "0.0.0.0", 0, "10.0.2.254", f.l2, ROUTE_STATIC);
    add(&f, "0.0.0.0", 0, "10.0.3.254", f.l3, ROUTE_STATIC);
    add(&f, "0.0.0.0", 0, "10.0.3.253", f.l3, ROUTE_DYNAMIC); /* a lesser kind takes no part */
    for (u32 i = 0; i < 100; i++) assert_string_equal(via(&f, "9.9.9.9"), "L1 10.0.1.254"); /* NOMULTIPATH */
    f.a->conf.ip.multipath = MULTIPATH_PER_CONNECTION;
    net_config_changed(f.a);
    for (u32 i = 0; i < 3000; i++) {
        u32 hash = testnet_random(f.t) << 1 ^ testnet_random(f.t) << 16;
        struct route *r = route_lookup(f.a, testnet_ip("9.9.9.9"), hash, false);
        assert_ptr_equal(r, route_lookup(f.a, testnet_ip("9.9.9.9"), hash, false)); /* a flow keeps its way */
        used[r->def.lnk->index - f.l1->index]++;
    }
    for (u32 i = 0; i < 3; i++) assert_in_range(used[i], 800, 1200);
    assert_int_equal(ip_route(f.a, testnet_ip("9.9.9.9"), 5, &way), 0);
    assert_int_equal(way.generation, f.a->route_generation);
    f.a->conf.ip.multipath = MULTIPATH_PER_PACKET;
    net_config_changed(f.a);
    const struct link *first = NULL;
    for (u32 i = 0; i < 6; i++) {
        assert_int_equal(ip_route(f.a, testnet_ip("9.9.9.9"), 5, &way), 0);
        assert_int_equal(way.generation, 0); /* must not be cached */
        if (i == 0) first = way.lnk;
        if (i == 1) assert_ptr_not_equal(way.lnk, first);
        if (i == 3) assert_ptr_equal(way.lnk, first);
    }
    link_lan_down(f.l2, f.t->now);
    for (u32 i = 0; i < 10; i++)
        assert_ptr_not_equal(route_lookup(f.a, testnet_ip("9.9.9.9"), 0, false)->def.lnk, f.l2);
    link_lan_down(f.l1, f.t->now);
    link_lan_down(f.l3, f.t->now);
    assert_string_equal(via(&f, "9.9.9.9"), "none");
    testnet_destroy(f.t);
}

static void kinds_and_flags(void **state) {
    struct fixture f = setup();
    char flags[ROUTE_FLAGS_MAX];
    static const struct {
        const char *dest;
        u8 bits;
        const char *gateway;
        enum route_kind kind;
        const char *flags, *down;
    } rows[] = {
        {"10.9.0.0", 16, "10.0.1.254", ROUTE_STATIC, "UGS", "GS"},
        {"10.9.1.1", 32, "10.0.1.254", ROUTE_STATIC, "UGHS", "GHS"},
        {"10.9.2.0", 24, NULL, ROUTE_STATIC, "US", "S"},
        {"10.9.3.0", 24, NULL, ROUTE_DIRECT, "U", ""},
        {"10.9.4.1", 32, "10.0.1.254", ROUTE_REDIRECT, "UGHD", "GHD"},
        {"10.9.5.0", 24, "10.0.1.254", ROUTE_DYNAMIC, "UG", "G"},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(add(&f, rows[i].dest, rows[i].bits, rows[i].gateway, f.l1, rows[i].kind), 0);
        const struct route *r = NULL;
        while ((r = route_next(f.a, r)) && r->def.dest.v4 != testnet_ip(rows[i].dest).v4) {
        }
        assert_non_null(r);
        assert_string_equal(route_flags_text(r, flags), rows[i].flags);
        f.l1->up = false;
        assert_string_equal(route_flags_text(r, flags), rows[i].down);
        f.l1->up = true;
    }
    /* STATIC wins over what came before it, and gives the place back. */
    add(&f, "10.9.5.0", 24, "10.0.2.254", f.l2, ROUTE_STATIC);
    assert_string_equal(via(&f, "10.9.5.1"), "L2 10.0.2.254");
    route_clear(f.a, ROUTE_STATIC, f.t->now);
    assert_string_equal(via(&f, "10.9.5.1"), "L1 10.0.1.254");
    /* HOME entries show as host routes. */
    u32 home = 0;
    u8 last = 32;
    for (const struct route *r = NULL; (r = route_next(f.a, r));) {
        assert_true(r->def.prefix_bits <= last); /* longest first */
        last = r->def.prefix_bits;
        if (r->def.kind == ROUTE_HOME) home++, assert_string_equal(route_flags_text(r, flags), "UH");
    }
    assert_int_equal(home, 4);
    testnet_destroy(f.t);
}

static void mtu_of_a_route(void **state) {
    struct fixture f = setup();
    struct route_def def = {.dest = testnet_ip("10.9.0.0"), .prefix_bits = 16, .lnk = f.l1};
    struct route_cache way;
    UNUSED(state);
    assert_int_equal(route_add(f.a, &def, f.t->now), 0);
    assert_int_equal(ip_route(f.a, testnet_ip("10.9.0.1"), 0, &way), 0);
    assert_int_equal(way.mtu_bytes, 1500);
    f.l1->bsd_mtu_bytes = 1400; /* BSDROUTINGPARMS */
    assert_int_equal(ip_route(f.a, testnet_ip("10.9.0.1"), 0, &way), 0);
    assert_int_equal(way.mtu_bytes, 1400);
    route_del(f.a, &def, f.t->now);
    def.mtu_bytes = 9000; /* MTU of the ROUTE entry: never more than the link's */
    assert_int_equal(route_add(f.a, &def, f.t->now), 0);
    assert_int_equal(ip_route(f.a, testnet_ip("10.9.0.1"), 0, &way), 0);
    assert_int_equal(way.mtu_bytes, 1500);
    testnet_destroy(f.t);
}

static void direct_routes_from_bsdroutingparms(void **state) {
    struct fixture f = setup();
    UNUSED(state);
    route_clear(f.a, ROUTE_STATIC, f.t->now);
    assert_string_equal(via(&f, "10.0.1.9"), "none");
    f.l1->bsd_mask = testnet_ip("255.255.255.0");
    f.l2->bsd_mask = testnet_ip("255.255.255.0");
    f.l2->bsd_dest = testnet_ip("10.0.2.2"); /* point to point: the peer only */
    route_direct_refresh(f.a, f.t->now);
    assert_string_equal(via(&f, "10.0.1.9"), "L1 0.0.0.0");
    assert_string_equal(via(&f, "10.0.2.2"), "L2 0.0.0.0");
    assert_string_equal(via(&f, "10.0.2.3"), "none");
    f.l1->bsd_mask = IPADDR_ANY;
    route_direct_refresh(f.a, f.t->now);
    assert_string_equal(via(&f, "10.0.1.9"), "none");
    testnet_destroy(f.t);
}

static void every_change_is_a_new_generation(void **state) {
    struct fixture f = setup();
    u32 was = f.a->route_generation;
    UNUSED(state);
#define CHANGES(what)                                                                                        \
    what;                                                                                                    \
    assert_true(f.a->route_generation != was);                                                               \
    was = f.a->route_generation
    CHANGES(add(&f, "10.9.0.0", 16, "10.0.1.254", f.l1, ROUTE_STATIC));
    CHANGES(route_clear(f.a, ROUTE_STATIC, f.t->now));
    CHANGES(link_lan_down(f.l1, f.t->now));
    CHANGES(link_lan_up(f.l1, f.t->now));
    CHANGES(home_del(f.a, testnet_ip("10.0.1.1"), f.t->now));
    CHANGES(home_add(f.a, testnet_ip("10.0.1.1"), f.l1, 0, f.t->now));
    CHANGES(home_set_primary(f.a, f.l2));
    CHANGES(pmtu_learn(f.a, testnet_ip("10.9.9.9"), 1000, f.t->now));
    CHANGES(net_config_changed(f.a));
    f.a->route_generation = UINT32_MAX;
    route_changed(f.a);
    assert_int_equal(f.a->route_generation, 1); /* 0 is an empty cache's */
    testnet_destroy(f.t);
}

/* Random tables: the answer must be that of a walk over all routes. */
static const struct route *slow_lookup(struct stack *stk, u32 dst) {
    const struct route *best = NULL;
    for (const struct route *r = NULL; (r = route_next(stk, r));) {
        u32 mask = r->def.prefix_bits ? UINT32_MAX << (32 - r->def.prefix_bits) : 0;
        if (r->def.kind == ROUTE_HOME || !r->def.lnk->up || (dst & mask) != r->def.dest.v4) continue;
        if (!best || r->def.prefix_bits > best->def.prefix_bits ||
            (r->def.prefix_bits == best->def.prefix_bits && r->def.kind < best->def.kind))
            best = r;
    }
    return best;
}

static void random_tables(void **state) {
    UNUSED(state);
    for (u32 seed = 1; seed <= 10; seed++) {
        struct fixture f = setup();
        struct link *links[] = {f.l1, f.l2, f.l3};
        for (u32 step = 0; step < 2000; step++) {
            u32 bits = testnet_random(f.t) % 33, x = testnet_random(f.t);
            u32 dst = 0x0A000000 | (x & 0x30303);
            struct route_def def = {.dest = ipaddr_v4(bits ? dst & UINT32_MAX << (32 - bits) : 0),
                                    .prefix_bits = (u8)bits,
                                    .kind = (u8)(testnet_random(f.t) % 3),
                                    .lnk = links[testnet_random(f.t) % 3]};
            if (testnet_random(f.t) % 2)
                route_add(f.a, &def, f.t->now);
            else
                route_del(f.a, &def, f.t->now);
            struct link *l = links[testnet_random(f.t) % 3];
            if (testnet_random(f.t) % 16 == 0) {
                if (l->up)
                    link_lan_down(l, f.t->now);
                else
                    link_lan_up(l, f.t->now);
            }
            u32 probe = 0x0A000000 | (testnet_random(f.t) & 0x30303);
            const struct route *fast = route_lookup(f.a, ipaddr_v4(probe), 0, false),
                               *slow = slow_lookup(f.a, probe);
            assert_true((fast == NULL) == (slow == NULL));
            if (!fast) continue;
            assert_int_equal(fast->def.prefix_bits, slow->def.prefix_bits);
            assert_int_equal(fast->def.kind, slow->def.kind);
        }
        testnet_destroy(f.t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longest_prefix_wins),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(equal_cost_groups),
        cmocka_unit_test(kinds_and_flags),
        cmocka_unit_test(mtu_of_a_route),
        cmocka_unit_test(direct_routes_from_bsdroutingparms),
        cmocka_unit_test(every_change_is_a_new_generation),
        cmocka_unit_test(random_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
