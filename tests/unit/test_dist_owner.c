/* test_dist_owner.c - the distributor among stacks of its own: owners change, targets and routing stacks die, stacks join, and words and
 * packets of an earlier owner come late. The group is distlab.h's. */
#include "tests/unit/distcase.h"
#include "wire/ip4.h"

static void a_targets_death_resets_its_connections_only(void **state) {
    struct lab *l = opened(4, DIST_ROUNDROBIN);
    struct lab_client *c[16];
    UNUSED(state);
    for (u32 i = 0; i < 16; i++) c[i] = lab_connect(l);
    lab_run(l, 20000);
    for (u32 i = 0; i < 16; i++) sock_send(c[i]->s, "abc", 3, l->t->now);
    lab_run(l, 300000);
    lab_die(l, 2);
    lab_run(l, 5000);
    u32 reset = 0;
    for (u32 i = 0; i < 16; i++) reset += c[i]->error == ERR_CONNRESET;
    assert_int_equal(reset, 4);
    assert_int_equal(counters(l, 0)->resets_sent, 4);
    assert_int_equal(rows(l, 0), 12);
    for (u32 i = 0; i < 16; i++)
        if (c[i]->s) sock_send(c[i]->s, "more", 4, l->t->now);
    lab_run(l, 20000);
    for (u32 i = 0; i < 16; i++) assert_true(!c[i]->s || c[i]->received == 7);
    lab_close(l);
}

/* The owner gives the address to another stack, and back: no connection notices, none is reset. */
static void ownership_moves_and_returns(void **state) {
    struct lab *l = opened(4, DIST_ROUNDROBIN);
    struct lab_client *c[16];
    UNUSED(state);
    for (u32 i = 0; i < 16; i++) c[i] = lab_connect(l);
    lab_run(l, 20000);
    for (int round = 0; round < 6; round++) {
        lab_own(l, 1 + (round & 1) * 2);
        for (u32 i = 0; i < 16; i++) sock_send(c[i]->s, "xy", 2, l->t->now);
        lab_run(l, 3 * USEC_PER_SEC);
        for (u32 i = 0; i < 16; i++) {
            assert_int_equal(c[i]->error, 0);
            assert_int_equal(c[i]->received, 2 * (u32)(round + 1));
        }
    }
    assert_int_equal(rows(l, 3), 16); /* its own four have rows, too: the next owners have to know of them */
    assert_int_equal(rows(l, 0), 0);
    assert_int_equal(rows(l, 1), 0);
    for (u32 i = 0; i < 16; i++) lab_hang_up(l, c[i]);
    lab_run(l, 20 * USEC_PER_SEC);
    assert_int_equal(rows(l, 3), 0);
    lab_close(l);
}

/* The routing stack dies: a backup that was only sent the options goes on with them. */
static void the_owner_dies(void **state) {
    struct lab *l = opened(4, DIST_ROUNDROBIN);
    struct lab_client *c[16];
    UNUSED(state);
    for (u32 i = 0; i < 16; i++) c[i] = lab_connect(l);
    lab_run(l, 20000);
    for (u32 i = 0; i < 16; i++) sock_send(c[i]->s, "xy", 2, l->t->now);
    lab_run(l, 20000);
    lab_die(l, 0);
    lab_own(l, 2);
    for (u32 i = 0; i < 16; i++) sock_send(c[i]->s, "z", 1, l->t->now);
    lab_run(l, 3 * USEC_PER_SEC);
    u32 reset = 0, fine = 0;
    for (u32 i = 0; i < 16; i++) reset += c[i]->error == ERR_CONNRESET, fine += c[i]->s && c[i]->received == 3;
    assert_int_equal(reset, 4); /* those that it served itself */
    assert_int_equal(fine, 12);
    u32 before[LAB_NODES];
    for (u32 i = 0; i < 4; i++) before[i] = l->node[i].served;
    for (u32 i = 0; i < 9; i++) lab_connect(l);
    lab_run(l, 100000);
    for (u32 i = 1; i < 4; i++) assert_int_equal(l->node[i].served, before[i] + 3);
    assert_int_equal(l->node[2].diststat, 3);
    lab_close(l);
}

/* A dies, and B, who could ask nobody for its epoch, routes with the same one: it is told of C's connection all the same. */
static void a_new_owner_of_the_same_epoch(void **state) {
    struct lab *l = at_c(0);
    UNUSED(state);
    struct lab_client *c = lab_connect(l);
    lab_run(l, 20000);
    assert_true(c->connected && l->node[2].served == 1);
    lab_die(l, 0);
    l->epoch--;
    lab_own(l, 1);
    lab_run(l, 20000);
    assert_int_equal(rows(l, 1), 1);
    assert_int_equal(sock_send(c->s, "on", 2, l->t->now), 2);
    lab_run(l, 20000);
    assert_int_equal(c->received, 2);
    lab_close(l);
}

/* New connections in the moment of a takeover are not refused: the client's next SYN finds the targets. */
static void a_syn_during_takeover_waits(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    UNUSED(state);
    sock_close(l->node[1].listener, l->t->now);
    lab_run(l, 5000);
    l->message_usec = 400000;
    lab_own(l, 1);
    struct lab_client *c = lab_connect(l);
    lab_run(l, 500000);
    assert_int_equal(c->error, 0);
    assert_int_equal(counters(l, 1)->drop_awaiting, 1);
    lab_run(l, 4 * USEC_PER_SEC);
    assert_true(c->connected);
    lab_close(l);
}

/* A SYN that A gave to C, and that arrives there when B routes and has C's list: by XCF, and by GRE from A's address, it is dropped and repeated;
 * by HiperSockets, which say nothing, it goes to B, which knows none of it and chooses. The client has its connection in each case, and it lasts. */
static void a_late_syn(enum link_type type, u16 mark, u32 dropped) {
    struct lab *l = at_c(0);
    struct sysplex *sx = &l->node[2];
    u8 syn[100];
    struct link *way = testnet_link(l->t, sx->stk, "WAY", "10.9.7.1", NULL, LINK_CAP_ARP);
    way->type = (u8)type;
    struct lab_client *c = lab_connect(l);
    struct lab_event *e = &l->queue[l->tail];
    for (u32 at = l->tail; l->tail == at;) testnet_run(l->t, 50);
    assert_true(e->to == 2 && e->kind == 0 && e->len <= sizeof syn);
    memcpy(syn, e->data, e->len);
    u32 len = e->len;
    e->kind = DISTMSG_LAST + 1; /* it is not delivered now */
    lab_own(l, 1);
    lab_run(l, 20000);
    assert_int_equal(ready(l, 1, 2), 1);
    testnet_give_from(way, syn, len, (u16)(mark | PKT_L4_CSUM_OK), type == LNK_IPAQIDIO ? 0 : SX_FROM(&sx->peer[0]));
    lab_run(l, 20000);
    assert_int_equal(counters(l, 2)->drop_stale, dropped);
    assert_int_equal(counters(l, 2)->to_owner, 1 - dropped);
    assert_int_equal(c->connected, !dropped);
    lab_run(l, 4 * USEC_PER_SEC);
    assert_true(c->connected && !c->error && sx->served == 1);
    assert_int_equal(l->node[1].d->vcrt.rows_of[dist_slot_of(l->node[1].d, &l->node[1].peer[2])], 1);
    assert_int_equal(sock_send(c->s, "on", 2, l->t->now), 2);
    lab_run(l, 5000);
    assert_int_equal(c->received, 2);
    lab_close(l);
}

static void a_syn_of_the_former_owner(void **state) {
    UNUSED(state);
    a_late_syn(LNK_MPCPTP, PKT_DISTRIBUTED, 1);
    a_late_syn(LNK_IPAQENET, PKT_DISTRIBUTED, 1);
    a_late_syn(LNK_IPAQIDIO, 0, 0);
}

/* Segments that XCF brings from a program, or from a card that has not noticed, to a stack that gave the address away just now: none begins there or
 * is reset there. SYN with ACK answers what another target has begun from the address. */
static void a_program_has_not_noticed(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    static const u8 flags[] = {TCPF_SYN, TCPF_ACK, TCPF_SYN | TCPF_ACK};
    UNUSED(state);
    lab_own(l, 1);
    lab_run(l, 20000);
    u32 served = l->node[0].served;
    for (u32 i = 0; i < ARRAY_LEN(flags); i++) {
        u8 p[40];
        ip4_emit(p, &(struct ip4_fields){.src = sysplex_dynxcf(&l->node[2]), .dst = LAB_DVIPA, .total = 40, .ttl = 60, .proto = IP_PROTO_TCP});
        struct tcphdr h = {.src_port = 4000, .dst_port = 80, .seq = 7, .ack = 9, .flags = flags[i], .window = 8192};
        tcphdr_emit(&h, p + 20);
        testnet_give_from(l->node[0].xcf, p, sizeof p, PKT_L4_CSUM_OK, SX_FROM(&l->node[0].peer[2]));
    }
    assert_int_equal(counters(l, 0)->drop_stale, ARRAY_LEN(flags));
    assert_int_equal(net_stats(l->node[0].stk)->tcp.out_rsts, 0);
    assert_int_equal(l->node[0].served, served);
    lab_close(l);
}

/* Can a program of C begin a connection from the DVIPA? */
static bool may_begin(struct lab *l) {
    struct sock *s;
    assert_int_equal(sock_open(l->node[2].stk, SOCK_TCP, "FTPD", &s), 0);
    bool may = sock_bind(s, LAB_DVIPA, 20, l->t->now) == 0;
    sock_close(s, l->t->now);
    return may;
}

/* C has no path to some member, which may be the next owner and would not know of its connections: until it is in sync it says that nobody
 * listens there. That is an answer: no owner waits for another. Nor do its programs have the address to begin any from. */
static void a_stack_that_joins_is_given_nothing(void **state) {
    struct lab *l = &lab;
    struct dist_statement s = statement(DIST_ROUNDROBIN, 80);
    UNUSED(state);
    lab_open(l, 3);
    define(l, 0, &s);
    l->node[2].joining = true;
    lab_own(l, 0);
    lab_run(l, 5000);
    assert_true(distributor_serves(l->node[2].d, LAB_DVIPA) && !may_begin(l));
    lab_own(l, 1);
    lab_run(l, 5000);
    assert_false(may_begin(l));
    assert_int_equal(ready(l, 1, 0), 1);
    assert_int_equal(ready(l, 1, 2), 0);
    assert_int_equal(dist_vipa_find(l->node[1].d, LAB_DVIPA)->awaiting, 0);
    l->node[2].joining = false;
    l->node[2].ops->in_sync(l->node[2].ctx, l->t->now);
    lab_run(l, 5000);
    assert_int_equal(ready(l, 1, 2), 1);
    assert_true(may_begin(l));
    lab_close(l);
}

/* C lists a connection to B, which is about to own the address, and tells A that it has ended: B's row of it goes with C's next list. */
static void ended_while_the_address_moved(void **state) {
    struct lab *l = at_c(0);
    UNUSED(state);
    struct lab_client *c[2] = {lab_connect(l), lab_connect(l)};
    lab_run(l, 20000);
    assert_true(c[0]->connected && c[1]->connected);
    for (u32 i = 0; i < 2; i++) {
        struct tcp_key k = {LAB_DVIPA, testnet_ip(LAB_CLIENT), 80, c[i]->s->key.local_port};
        assert_true(l->node[1].ops->connection_there(l->node[1].ctx, &l->node[1].peer[2], &k, l->t->now));
    }
    lab_hang_up(l, c[0]);
    lab_run(l, 20000);
    lab_own(l, 1);
    lab_run(l, 20 * USEC_PER_SEC);
    assert_int_equal(rows(l, 1), 1);
    assert_int_equal(sock_send(c[1]->s, "on", 2, l->t->now), 2);
    lab_run(l, 5000);
    assert_int_equal(c[1]->received, 2);
    /* A is told of it for it may be next, but C owns the address in the end. */
    struct tcp_key k = {LAB_DVIPA, testnet_ip(LAB_CLIENT), 80, c[1]->s->key.local_port};
    assert_true(l->node[0].ops->connection_there(l->node[0].ctx, &l->node[0].peer[2], &k, l->t->now));
    assert_int_equal(rows(l, 0), 1);
    lab_own(l, 2);
    lab_run(l, 20000);
    assert_int_equal(rows(l, 0), 0);
    lab_close(l);
}

/* B is given a SYN, and its answer is lost; then B routes, and takes nothing new. The client's next SYN is that connection's all the same: if
 * it were given to another one, two would answer one client. */
static void a_new_owner_knows_what_it_has_begun(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    UNUSED(state);
    others_quiesced(l, 1, true);
    lab_run(l, 5000);
    link_lan_down(l->node[1].client_side, l->t->now);
    struct lab_client *c = lab_connect(l);
    lab_run(l, 5000);
    link_lan_up(l->node[1].client_side, l->t->now);
    others_quiesced(l, 1, false);
    quiesced(l, 1, true);
    lab_own(l, 1);
    lab_run(l, 4 * USEC_PER_SEC);
    assert_true(c->connected && !c->error);
    assert_int_equal(counters(l, 1)->chosen, 0);
    assert_int_equal(l->node[1].served, 1);
    lab_close(l);
}

/* C has a client's SYN and never hears more of it. B, which routes now, was told of it as of any connection, and is told of its end. */
static void a_half_open_one_is_over(void **state) {
    struct lab *l = at_c(0);
    UNUSED(state);
    link_lan_down(l->node[2].client_side, l->t->now);
    struct lab_client *c = lab_connect(l);
    lab_run(l, 5000);
    lab_own(l, 1);
    lab_run(l, 20000);
    const struct vcrt_row *row = vcrt_walk(distributor_vcrt(l->node[1].d), NULL);
    assert_true(row && row->isn == c->s->tcb.q.iss);
    lab_hang_up(l, c);
    u32 asked = counters(l, 1)->asked;
    lab_run(l, 70 * USEC_PER_SEC); /* SYN-ACKs for 63 s, then the row lingers */
    assert_int_equal(rows(l, 1), 0);
    assert_int_equal(counters(l, 1)->asked, asked);
    lab_close(l);
}

/* C has been given a SYN, its answer is late, and C is quiesced: the client's next SYN is still C's. Were it another's, the client would have
 * two answers, and the one that it believes would be reset. When C does not listen any more, somebody else takes it. */
static void a_quiesced_target_completes(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    UNUSED(state);
    others_quiesced(l, 2, true);
    lab_run(l, 5000);
    link_lan_down(l->node[2].client_side, l->t->now);
    struct lab_client *c[2] = {lab_connect(l), NULL};
    lab_run(l, 5000);
    others_quiesced(l, 2, false);
    quiesced(l, 2, true);
    lab_run(l, 5000);
    link_lan_up(l->node[2].client_side, l->t->now);
    lab_run(l, 2 * USEC_PER_SEC);
    assert_true(c[0]->connected && l->node[2].served == 1);
    assert_int_equal(counters(l, 0)->rechosen, 0);
    quiesced(l, 2, false);
    others_quiesced(l, 2, true);
    lab_run(l, 5000);
    link_lan_down(l->node[2].client_side, l->t->now);
    c[1] = lab_connect(l);
    lab_run(l, 5000);
    others_quiesced(l, 2, false);
    sock_close(l->node[2].listener, l->t->now);
    lab_run(l, 4 * USEC_PER_SEC);
    assert_true(c[1]->connected && l->node[2].served == 1);
    assert_int_equal(counters(l, 0)->rechosen, 1);
    lab_close(l);
}

/* C has a SYN and does not respond well enough for new ones: the client's next SYN, after one second, is C's yet, those after it,
 * after three and seven, are not; if C's queue is full, it has not taken the first. */
static void a_target_in_trouble_has_time(void **state) {
    static const struct {
        u64 silent_us;
        u8 cer, sef;
        u32 rechosen;
    } as[] = {{500000, 0, 100, 0}, {8 * USEC_PER_SEC, 0, 100, 1}, {500000, 100, 0, 1}};
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(as); i++) {
        struct lab *l = opened(3, DIST_BASEWLM);
        others_quiesced(l, 2, true);
        lab_run(l, 5000);
        link_lan_down(l->node[2].client_side, l->t->now);
        struct lab_client *c = lab_connect(l);
        lab_run(l, 5000);
        struct vdpt_port *p = vdpt_find(&l->node[0].d->vdpt, LAB_DVIPA, 80);
        struct vdpt_target *t = &p->t[dist_slot_of(l->node[0].d, &l->node[0].peer[2])];
        t->cer = as[i].cer, t->sef = as[i].sef;
        vdpt_weigh(p);
        others_quiesced(l, 2, false);
        lab_run(l, as[i].silent_us);
        link_lan_up(l->node[2].client_side, l->t->now);
        lab_run(l, 4 * USEC_PER_SEC);
        if (!c->connected || l->node[2].served != !as[i].rechosen) fail_msg("case %u: connected %d, served %u, rechosen %u", i, c->connected, l->node[2].served, counters(l, 0)->rechosen);
        assert_int_equal(counters(l, 0)->rechosen, as[i].rechosen);
        lab_close(l);
    }
}

static void stale_words_of_an_earlier_owner(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    UNUSED(state);
    l->message_usec = 50000;
    struct dist_statement s = statement(DIST_BASEWLM, 80);
    define(l, 0, &s); /* A's CONFIG is under way */
    l->node[0].ops->poll(l->node[0].ctx, l->t->now);
    lab_own(l, 1);
    lab_run(l, 300000);
    assert_true(counters(l, 1)->drop_stale >= 1);
    assert_true(distributor_routes(l->node[1].d, LAB_DVIPA));
    assert_false(distributor_routes(l->node[0].d, LAB_DVIPA));
    assert_int_equal(ready(l, 1, SLOT_SELF), 1);
    lab_close(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_targets_death_resets_its_connections_only),
        cmocka_unit_test(ownership_moves_and_returns),
        cmocka_unit_test(the_owner_dies),
        cmocka_unit_test(a_new_owner_of_the_same_epoch),
        cmocka_unit_test(a_syn_during_takeover_waits),
        cmocka_unit_test(a_syn_of_the_former_owner),
        cmocka_unit_test(a_program_has_not_noticed),
        cmocka_unit_test(a_stack_that_joins_is_given_nothing),
        cmocka_unit_test(ended_while_the_address_moved),
        cmocka_unit_test(a_new_owner_knows_what_it_has_begun),
        cmocka_unit_test(a_half_open_one_is_over),
        cmocka_unit_test(a_quiesced_target_completes),
        cmocka_unit_test(a_target_in_trouble_has_time),
        cmocka_unit_test(stale_words_of_an_earlier_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
