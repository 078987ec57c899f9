/* test_dist_local.c - what a stack that has a distributed DVIPA opens itself: OPTLOCAL (connections to it) and SYSPLEXPORTS (ports of
 * connections from it). The group is distlab.h's. */
#include "tests/unit/distcase.h"

/* n stacks; A owns and distributes port 80 to all, with these options. */
static struct lab *with(u32 n, struct dist_options o) {
    struct dist_statement s = statement(DIST_ROUNDROBIN, 80);
    s.options = o;
    return opened_with(n, &s);
}

/* count connections of node `from` to the DVIPA, one after the other; each is used, and they all end. */
static void connect_from(struct lab *l, u32 from, u32 count) {
    struct lab_client *c[32];
    for (u32 i = 0; i < count; i++) {
        c[i] = lab_connect_from(l, l->node[from].stk, LAB_DVIPA, 80);
        lab_run(l, 10000);
        assert_true(c[i]->connected);
        assert_int_equal(sock_send(c[i]->s, "hello", 5, l->t->now), 5);
    }
    lab_run(l, 20000);
    for (u32 i = 0; i < count; i++) {
        assert_int_equal(c[i]->received, 5);
        lab_hang_up(l, c[i]);
    }
    lab_run(l, 20000);
}

static void check_served(struct lab *l, u32 a, u32 b, u32 c) {
    u32 want[3] = {a, b, c};
    for (u32 i = 0; i < 3; i++) {
        assert_int_equal(l->node[i].served, want[i]);
        l->node[i].served = 0;
    }
}

/* ---- OPTLOCAL ---- */

static void without_it_the_routing_stack_decides(void **state) {
    struct lab *l = with(3, (struct dist_options){.method = DIST_ROUNDROBIN});
    UNUSED(state);
    connect_from(l, 1, 9); /* a target's: to A and from there to each, itself among them */
    check_served(l, 3, 3, 3);
    assert_true(counters(l, 1)->to_owner >= 9 * 3);
    connect_from(l, 0, 9); /* the routing stack's own */
    check_served(l, 3, 3, 3);
    assert_int_equal(counters(l, 0)->kept_local + counters(l, 1)->kept_local, 0);
    lab_run(l, 80 * USEC_PER_SEC); /* a row whose target has TIME_WAIT waits for that */
    assert_int_equal(rows(l, 0), 0);
    lab_close(l);
}

static void optlocal_stays(void **state) {
    UNUSED(state);
    for (u8 value = 0; value <= 1; value++) {
        struct lab *l = with(3, (struct dist_options){.method = DIST_ROUNDROBIN, .optlocal = (u8)(value + 1)});
        connect_from(l, 1, 6);
        check_served(l, 0, 6, 0);
        connect_from(l, 0, 6);
        check_served(l, 6, 0, 0);
        assert_int_equal(counters(l, 0)->kept_local, 6);
        assert_int_equal(counters(l, 1)->kept_local, 6);
        assert_int_equal(rows(l, 0), 0);
        /* Clients elsewhere are the method's. */
        for (u32 i = 0; i < 6; i++) lab_connect(l);
        lab_run(l, 20000);
        check_served(l, 2, 2, 2);
        lab_close(l);
    }
}

static void optlocal_needs_a_ready_listener(void **state) {
    struct lab *l = with(3, (struct dist_options){.method = DIST_ROUNDROBIN, .optlocal = 1});
    struct dist_quiesce q = {.port = 80};
    UNUSED(state);
    assert_int_equal(distributor_quiesce(l->node[1].d, &q, l->t->now), 0);
    lab_run(l, 5000);
    connect_from(l, 1, 6);
    check_served(l, 3, 0, 3);
    assert_int_equal(distributor_resume(l->node[1].d, &q, l->t->now), 0);
    sock_close(l->node[1].listener, l->t->now);
    lab_run(l, 5000);
    connect_from(l, 1, 6);
    check_served(l, 3, 0, 3);
    l->node[1].listener = lab_listen(&l->node[1], IPADDR_ANY, 80);
    lab_run(l, 5000);
    connect_from(l, 1, 6);
    check_served(l, 0, 6, 0);
    lab_close(l);
}

/* A listener that accepts nothing: when its queue is more than half full it is relieved. */
static void optlocal_needs_a_responsive_one(void **state) {
    struct lab *l = with(3, (struct dist_options){.method = DIST_ROUNDROBIN, .optlocal = 1});
    UNUSED(state);
    sock_close(l->node[1].listener, l->t->now);
    l->node[1].listener = lab_listen(&l->node[1], IPADDR_ANY, 80);
    sock_listen(l->node[1].listener, 8, l->t->now);
    sock_on_event(l->node[1].listener, NULL, NULL);
    lab_run(l, 5000);
    for (u32 i = 0; i < 8; i++) {
        lab_connect_from(l, l->node[1].stk, LAB_DVIPA, 80);
        lab_run(l, 5000);
    }
    /* SEF with four of eight waiting is 100, with five it is 74: the sixth goes elsewhere. */
    assert_int_equal(counters(l, 1)->kept_local, 5);
    assert_int_equal(counters(l, 0)->chosen, 3);
    lab_close(l);
}

/* The idle times of the lab make weights of 64, 43 and 32. */
static void optlocal_compares_weights(void **state) {
    UNUSED(state);
    struct lab *twice = with(3, (struct dist_options){.method = DIST_BASEWLM, .optlocal = 2 + 1});
    lab_run(twice, 25 * USEC_PER_SEC);
    for (u32 n = 0; n < 3; n++) connect_from(twice, n, 1);
    for (u32 n = 0; n < 3; n++) assert_int_equal(counters(twice, n)->kept_local, 1);
    lab_close(twice);
    /* C loses nearly all it has: 64, 43, 3. Twice 3 is less than 64, and so is 16 times; A and B stay. */
    for (u8 value = 2; value <= 16; value = (u8)(value * 8)) {
        struct lab *l = with(3, (struct dist_options){.method = DIST_BASEWLM, .optlocal = (u8)(value + 1)});
        lab_run(l, 25 * USEC_PER_SEC);
        l->node[2].d->slot[SLOT_SELF].capacity /= 12;
        connect_from(l, 2, 1);
        assert_int_equal(counters(l, 2)->kept_local, 0);
        l->node[2].d->slot[SLOT_SELF].capacity *= 2;
        connect_from(l, 2, 1);
        assert_int_equal(counters(l, 2)->kept_local, value == 16 ? 1 : 0);
        /* Whose weight nobody knows cannot be outweighed. */
        l->node[2].d->slot[1].reported = false;
        connect_from(l, 2, 1);
        assert_int_equal(counters(l, 2)->kept_local, value == 16 ? 2 : 1);
        lab_close(l);
    }
}

/* Two statements of one DVIPA: each port has its own OPTLOCAL, also at those that were told. */
static void optlocal_is_a_ports(void **state) {
    struct lab *l = with(3, (struct dist_options){.method = DIST_ROUNDROBIN, .optlocal = 1});
    struct dist_statement s = {.dvipa = LAB_DVIPA, .options = {.method = DIST_ROUNDROBIN}, .ports = 1, .port = {81}};
    UNUSED(state);
    assert_int_equal(distributor_define(l->node[0].d, &s, l->t->now), 0);
    for (u32 i = 0; i < 3; i++) lab_listen(&l->node[i], IPADDR_ANY, 81);
    lab_run(l, 5000);
    connect_from(l, 1, 3);
    check_served(l, 0, 3, 0);
    for (u32 i = 0; i < 3; i++) {
        lab_connect_from(l, l->node[1].stk, LAB_DVIPA, 81);
        lab_run(l, 10000);
    }
    check_served(l, 1, 1, 1);
    lab_close(l);
}

/* From the DVIPA to itself no other stack could answer. */
static void from_itself_to_itself(void **state) {
    struct lab *l = with(3, (struct dist_options){.method = DIST_ROUNDROBIN});
    UNUSED(state);
    for (u32 i = 0; i < 2; i++) {
        struct sock *s;
        assert_int_equal(sock_open(l->node[i].stk, SOCK_TCP, "SELF", &s), 0);
        assert_int_equal(sock_bind(s, LAB_DVIPA, 0, l->t->now), 0);
        assert_int_equal(sock_connect(s, LAB_DVIPA, 80, l->t->now), -ERR_INPROGRESS);
        lab_run(l, 10000);
        assert_int_equal(sock_send(s, "x", 1, l->t->now), 1);
        assert_int_equal(l->node[i].served, 1);
    }
    assert_int_equal(rows(l, 0), 0);
    lab_close(l);
}

/* ---- SYSPLEXPORTS ---- */

static const struct dist_options POOL = {.method = DIST_ROUNDROBIN, .sysplexports = true};

static struct sock *bound(struct lab *l, u32 i, int want) {
    struct sock *s;
    assert_int_equal(sock_open(l->node[i].stk, SOCK_TCP, "FTPD", &s), 0);
    assert_int_equal(sock_bind(s, LAB_DVIPA, 0, l->t->now), want);
    if (want == 0) return s;
    sock_close(s, l->t->now);
    return NULL;
}
static u32 port_of(struct sock *s) {
    struct sockaddr4 a;
    sock_local(s, &a);
    return a.port;
}

#define MANY 50 /* of each system: so few are left of one block that it asks for a second */

/* Takes MANY ports at each of three systems from `first` on; no port twice in the sysplex. */
static void take_many(struct lab *l, u32 first, struct sock *s[LAB_NODES][MANY]) {
    static u8 seen[65536];
    memset(seen, 0, sizeof seen);
    for (u32 n = 0; n < MANY; n++) {
        for (u32 i = first; i < 3; i++) {
            s[i][n] = bound(l, i, 0);
            assert_in_range(port_of(s[i][n]), 1024, 65535);
            assert_int_equal(seen[port_of(s[i][n])]++, 0);
        }
        if (n % 8 == 0) lab_run(l, 3000); /* as long as a block is asked for and granted */
    }
}
static void give_back(struct lab *l, struct sock **s) {
    for (u32 n = 0; n < MANY; n++) sock_close(s[n], l->t->now);
}

static void no_port_twice(void **state) {
    static struct sock *s[LAB_NODES][MANY];
    struct lab *l = with(3, POOL);
    UNUSED(state);
    for (u32 i = 0; i < 3; i++) assert_int_equal(vipa(i)->blocks, 1); /* before anybody asks */
    take_many(l, 0, s);
    for (u32 i = 0; i < 3; i++) assert_int_equal(vipa(i)->blocks, 2);
    assert_int_equal(counters(l, 0)->blocks_revoked, 0);
    /* What is not in use any more goes back, but for one block. */
    for (u32 i = 0; i < 3; i++) give_back(l, s[i]);
    lab_run(l, 25 * USEC_PER_SEC);
    u32 held = 0;
    for (u32 b = 0; b < DISTMSG_BLOCKS; b++) held += vipa(0)->holder[b] != 0;
    assert_int_equal(held, 3);
    for (u32 i = 0; i < 3; i++) assert_int_equal(vipa(i)->blocks, 1);
    lab_close(l);
}

/* What one DVIPA gives back leaves another's blocks alone. */
static void each_dvipa_has_its_own(void **state) {
    struct lab *l = with(2, POOL);
    UNUSED(state);
    struct dist_vipa *other = dist_vipa_get(l->node[0].d, ipaddr_v4(0xC9020A0C));
    assert_non_null(other);
    other->holder[77] = SLOT_SELF + 1;
    vipa(0)->held_due = l->node[0].d->work_due = true;
    lab_run(l, 5000);
    assert_false(vipa(0)->held_due);
    assert_int_equal(other->holder[77], SLOT_SELF + 1);
    assert_int_equal(vipa(0)->holder[vipa(0)->block[0].number], SLOT_SELF + 1);
    lab_close(l);
}

/* The owner changes, and dies: whoever comes next grants nothing that somebody has. */
static void owners_change(void **state) {
    static struct sock *s[LAB_NODES][MANY], *t[LAB_NODES][MANY];
    struct lab *l = with(3, POOL);
    UNUSED(state);
    take_many(l, 0, s);
    lab_own(l, 1);
    lab_run(l, 50000);
    for (u32 i = 0; i < 3; i++)
        for (u32 k = 0; k < vipa(i)->blocks; k++)
            assert_int_equal(vipa(1)->holder[vipa(i)->block[k].number] != 0, 1);
    for (u32 i = 0; i < 3; i++) give_back(l, s[i]);
    take_many(l, 0, t);
    lab_die(l, 1);
    lab_own(l, 2);
    lab_run(l, 50000);
    u32 held = 0;
    for (u32 b = 0; b < DISTMSG_BLOCKS; b++) held += vipa(2)->holder[b] != 0;
    assert_int_equal(held, vipa(0)->blocks + vipa(2)->blocks); /* the dead one's are free */
    static u8 seen[65536];
    memset(seen, 0, sizeof seen);
    for (u32 n = 0; n < MANY; n++) seen[port_of(t[0][n])] = seen[port_of(t[2][n])] = 1;
    for (u32 n = 0; n < 20; n++) {
        struct sock *x = bound(l, n % 2 * 2, 0);
        assert_int_equal(seen[port_of(x)]++, 0);
        if (n % 8 == 0) lab_run(l, 3000);
    }
    lab_close(l);
}

/* Ports of who died rest: the partner may have their connections in TIME_WAIT, and answers another system's SYN as an old one. A new owner does not know
 * whose blocks were free, and for how long. */
static void ports_of_the_dead_rest(void **state) {
    static struct sock *s[LAB_NODES][MANY];
    static bool had[DISTMSG_BLOCKS];
    struct lab *l = with(4, POOL);
    UNUSED(state);
    memset(had, 0, sizeof had);
    for (u32 dead = 0; dead < 2; dead++) {
        const struct dist_vipa *v = vipa(dead);
        assert_true(v->blocks > 0);
        for (u32 k = 0; k < v->blocks; k++) had[v->block[k].number] = true;
        lab_die(l, dead);
        lab_own(l, (int)dead + 1);
        lab_run(l, 50000);
        take_many(l, dead + 1, s);
        for (u32 i = dead + 1; i < 3; i++) {
            for (u32 n = 0; n < MANY; n++) assert_false(had[port_of(s[i][n]) / DISTMSG_BLOCK_PORTS]);
            give_back(l, s[i]);
        }
    }
    assert_true(counters(l, 1)->blocks_granted > 0 && counters(l, 2)->blocks_granted > 0);
    lab_close(l);
}

/* A takeover with answers that are late: nothing is granted until they are there; who has ports left goes on. */
static void nothing_is_granted_on_half_a_picture(void **state) {
    struct lab *l = with(3, POOL);
    UNUSED(state);
    l->message_usec = 400000;
    lab_own(l, 1);
    lab_run(l, 450000);
    u32 granted = counters(l, 1)->blocks_granted;
    for (u32 n = 0; n < 64; n++) bound(l, 1, 0);
    bound(l, 1, -ERR_ADDRINUSE);
    assert_int_equal(counters(l, 1)->ports_none, 1);
    lab_run(l, 200000);
    assert_int_equal(counters(l, 1)->blocks_granted, granted);
    l->message_usec = 200;
    lab_run(l, 4 * USEC_PER_SEC);
    bound(l, 1, 0);
    assert_true(counters(l, 1)->blocks_granted > granted);
    lab_close(l);
}

/* Two say that they have the same block: the second is told that it has not. */
static void who_says_it_late_loses_it(void **state) {
    struct lab *l = with(3, POOL);
    UNUSED(state);
    u16 number = vipa(1)->block[0].number;
    vipa(2)->block[0].number = number;
    vipa(2)->held_due = l->node[2].d->work_due = true;
    lab_run(l, 5000);
    assert_int_equal(counters(l, 0)->blocks_revoked, 1);
    for (u32 k = 0; k < vipa(2)->blocks; k++) assert_int_not_equal(vipa(2)->block[k].number, number);
    lab_run(l, 3 * USEC_PER_SEC);
    assert_int_equal(vipa(2)->blocks, 1); /* another one */
    lab_close(l);
}

/* A stack that has left and come back is granted the block that it had: what is in use of it since then is not free. */
static void a_block_had_before_is_looked_at(void **state) {
    struct lab *l = with(3, POOL);
    UNUSED(state);
    struct dist_vipa *owner = vipa(0), *holder = vipa(1);
    u16 number = holder->block[0].number;
    struct sock *s = bound(l, 1, 0);
    assert_int_equal(port_of(s) / DISTMSG_BLOCK_PORTS, number);
    holder->blocks = holder->ports_out = 0;
    owner->holder[number] = 0;
    owner->granted_last = number - 1u;
    lab_run(l, 2 * USEC_PER_SEC);
    assert_int_equal(holder->block[0].number, number);
    assert_int_equal(holder->ports_out, 1);
    lab_close(l);
}

/* Ports that PORT or VIPADISTRIBUTE names, or EPHEMERALPORTS leaves out, are in the blocks and never given. */
static void named_ports_are_not_given(void **state) {
    struct lab *l = with(3, POOL);
    UNUSED(state);
    u32 base = vipa(1)->block[0].number * 64u;
    struct port_rule r = {.first = (u16)base, .last = (u16)(base + 29), .proto = 6, .flags = PORT_RANGE, .jobname = "X"};
    assert_int_equal(port_rule_add(l->node[1].stk, &r), 0);
    net_config(l->node[1].stk)->tcp.ephemeral_last = (u16)(base + 59);
    for (u32 n = 0; n < 30; n++) assert_in_range(port_of(bound(l, 1, 0)), base + 30, base + 59);
    bound(l, 1, -ERR_ADDRINUSE);
    lab_close(l);
}

/* An unbound socket, and one bound to an address that is not distributed, have nothing to do with it. */
static void others_have_their_own_ports(void **state) {
    struct lab *l = with(2, POOL);
    struct sock *s;
    UNUSED(state);
    u32 given = counters(l, 1)->ports_given;
    assert_int_equal(sock_open(l->node[1].stk, SOCK_TCP, "X", &s), 0);
    assert_int_equal(sock_bind(s, IPADDR_ANY, 0, l->t->now), 0);
    connect_from(l, 1, 2);
    assert_int_equal(counters(l, 1)->ports_given, given);
    bound(l, 1, 0);
    assert_int_equal(counters(l, 1)->ports_given, given + 1);
    lab_close(l);
}

/* Two systems connect from the DVIPA to one server: what comes back goes to each. */
static void answers_find_their_system(void **state) {
    struct lab *l = with(3, POOL);
    struct sock *listen = client_listens(l, 2020), *s[3], *n[3];
    struct sockaddr4 peer[3];
    UNUSED(state);
    for (u32 i = 0; i < 3; i++) {
        s[i] = bound(l, i, 0);
        assert_int_equal(sock_connect(s[i], testnet_ip(LAB_CLIENT), 2020, l->t->now), -ERR_INPROGRESS);
        lab_run(l, 3 * USEC_PER_SEC); /* the first answer may be faster than the word about it */
        assert_int_equal(sock_accept(listen, &n[i], &peer[i], l->t->now), 0);
        assert_true(ipaddr_eq(peer[i].addr, LAB_DVIPA));
        assert_int_equal(sock_send(n[i], i ? i == 1 ? "b" : "c" : "a", 1, l->t->now), 1);
        lab_run(l, 10000);
    }
    for (u32 i = 0; i < 3; i++) {
        u8 got[4];
        assert_int_equal(sock_recv(s[i], got, sizeof got, l->t->now), 1);
        assert_int_equal(got[0], 'a' + i);
    }
    assert_int_equal(rows(l, 0), 3); /* that of the routing stack itself, too, for the next owners */
    sock_close(listen, l->t->now);
    lab_close(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_it_the_routing_stack_decides),
        cmocka_unit_test(optlocal_stays),
        cmocka_unit_test(optlocal_needs_a_ready_listener),
        cmocka_unit_test(optlocal_needs_a_responsive_one),
        cmocka_unit_test(optlocal_compares_weights),
        cmocka_unit_test(optlocal_is_a_ports),
        cmocka_unit_test(from_itself_to_itself),
        cmocka_unit_test(no_port_twice),
        cmocka_unit_test(each_dvipa_has_its_own),
        cmocka_unit_test(owners_change),
        cmocka_unit_test(ports_of_the_dead_rest),
        cmocka_unit_test(nothing_is_granted_on_half_a_picture),
        cmocka_unit_test(who_says_it_late_loses_it),
        cmocka_unit_test(a_block_had_before_is_looked_at),
        cmocka_unit_test(named_ports_are_not_given),
        cmocka_unit_test(others_have_their_own_ports),
        cmocka_unit_test(answers_find_their_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
