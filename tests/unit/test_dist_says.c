/* test_dist_says.c - what stacks of a distributed DVIPA say, in which order, how often, and what becomes of it when the group has no room. The group is
 * distlab.h's. */
#include "tests/unit/distcase.h"

/* ---- the answer to CONFIG ---- */

/* Kinds of what is under way from a stack to another, in order. */
static u32 under_way(struct lab *l, u32 from, u32 to, u8 *kind, u32 max) {
    u32 n = 0;
    for (u32 i = l->head; i != l->tail && n < max; i = (i + 1) % LAB_QUEUE)
        if (l->queue[i].from == from && l->queue[i].to == to && l->queue[i].kind) kind[n++] = l->queue[i].kind;
    return n;
}

/* At LISTENERS the new owner takes the answer for whole: what it does not know then it resets, and it grants the ports that nobody has said to have. */
static void listeners_are_the_end_of_an_answer(void **state) {
    static const u8 want[] = {DISTMSG_CONNS, DISTMSG_PORTS, DISTMSG_LISTENERS};
    struct dist_statement s = statement(DIST_ROUNDROBIN, 80);
    u8 kind[8];
    UNUSED(state);
    s.options.sysplexports = true;
    struct lab *l = opened_with(3, &s);
    only_one_listens(l, 2);
    lab_connect(l);
    lab_run(l, 20000);
    assert_int_equal(vipa(2)->blocks, 1);
    l->message_usec = 20000;
    lab_own(l, 1);
    for (u32 n = 0; n < 100 && !under_way(l, 2, 1, kind, 8); n++) lab_run(l, l->step_usec);
    assert_true(under_way(l, 2, 1, kind, 8) >= ARRAY_LEN(want));
    assert_memory_equal(kind, want, sizeof want);
    lab_close(l);
}

/* The group has room for LISTENERS, but not for what comes before: the owner hears of neither, and resets nobody. */
static void an_answer_without_room_has_no_end(void **state) {
    enum { CONNS, HELD, WHATS };
    UNUSED(state);
    for (u32 what = 0; what < WHATS; what++) {
        struct dist_statement s = statement(DIST_ROUNDROBIN, 80);
        s.options.sysplexports = what == HELD;
        struct lab *l = opened_with(3, &s);
        only_one_listens(l, 2);
        struct lab_client *c = what == CONNS ? lab_connect(l) : NULL;
        lab_run(l, 20000);
        for (u16 n = 1; what == HELD && n < 4; n++) vipa(2)->block[n] = (struct dist_block){.number = (u16)(500 + n)}, vipa(2)->blocks++;
        l->node[2].room = DISTMSG_LISTENERS_HEAD + DISTMSG_LISTENER_ROW + 1;
        lab_own(l, 1);
        u32 slot = dist_slot_of(dist(1), &l->node[1].peer[2]);
        if (c) assert_int_equal(sock_send(c->s, "a", 1, l->t->now), 1);
        lab_run(l, 20000);
        assert_true(vipa(1)->awaiting >> slot & 1);
        assert_int_equal(ready(l, 1, slot), 0);
        l->node[2].room = UINT32_MAX;
        lab_run(l, 20000);
        assert_false(vipa(1)->awaiting >> slot & 1);
        assert_int_equal(ready(l, 1, slot), 1);
        for (u32 n = 1; what == HELD && n < 4; n++) assert_int_equal(vipa(1)->holder[500 + n], slot + 1);
        lab_run(l, 3 * USEC_PER_SEC); /* the client repeats what nobody has taken */
        if (c) assert_true(!c->error && c->received == 1);
        lab_close(l);
    }
}

/* ---- ends ---- */

static void notice(struct ipaddr dvipa, u16 cport, u32 isn) {
    const struct distmsg_conn c = {testnet_ip(LAB_CLIENT), 80, cport, isn, DISTMSG_ENDED};
    dist_notice(dist(2), dvipa, &c, false, lab.t->now);
}

/* They are kept, and said as soon as there is room; those of an address that is not known any more leave the others where they are. */
static void ends_that_find_no_room(void **state) {
    UNUSED(state);
    for (u32 others = 0; others < 3; others++) {
        struct lab *l = at_c(3);
        l->node[2].room = 0;
        for (u32 n = 0; n < others; n++) notice(ipaddr_v4(0xC9020A0C), 7, 0);
        for (u32 i = 0; i < 3; i++) lab_hang_up(l, &l->c[i]);
        lab_run(l, 500000);
        assert_int_equal(dist(2)->notices, 3);
        l->node[2].room = UINT32_MAX;
        lab_run(l, 50000);
        assert_int_equal(counters(l, 0)->ended, 3);
        assert_int_equal(counters(l, 0)->asked, 0);
        lab_close(l);
    }
}

/* More ends at once than are kept: they are said before their time. Without room the rest is lost, and counted, for the owner asks. */
static void more_ends_than_are_kept(void **state) {
    UNUSED(state);
    for (u32 room = 0; room < 2; room++) {
        struct lab *l = at_c(0);
        if (!room) l->node[2].room = 0;
        for (u32 n = 0; n < NOTICES_MAX + 8; n++) notice(LAB_DVIPA, (u16)(2000 + n), 1);
        assert_int_equal(dist(2)->notices, room ? 8 : NOTICES_MAX);
        assert_int_equal(counters(l, 2)->notices_lost, room ? 0 : 8);
        lab_close(l);
    }
}

/* C has called a client that did not answer, so nobody knows which life that was, and the client has called since from the same ports: the end of the first is
 * said before the list that has the second. */
static void an_end_goes_before_the_list(void **state) {
    UNUSED(state);
    struct lab *l = at_c(1);
    lab_own(l, 1);
    notice(LAB_DVIPA, l->c[0].s->key.local_port, 0);
    lab_run(l, 20000);
    const struct vcrt_row *row = vcrt_walk(distributor_vcrt(dist(1)), NULL);
    assert_true(row && row->state == VCRT_OPEN);
    lab_close(l);
}

/* The rows that a stack gives up with the address have not ended: it says nothing of them to those who were its next owners. */
static void given_away_is_not_ended(void **state) {
    UNUSED(state);
    struct lab *l = at_c(4);
    lab_run(l, 1200000);
    assert_int_equal(copies(1), 4);
    lab_own(l, 1);
    assert_int_equal(rows(l, 0), 0);
    assert_int_equal(dist(0)->copy_notes, 0);
    lab_close(l);
}

/* ---- lost clients ---- */

/* One that says nothing is told at once, and after 0.1, 0.5 and 2.1 s. Then it is given up, by the next owners, too. */
static void a_silent_client_is_told_four_times(void **state) {
    static const struct {
        u32 ms, told;
    } at[] = {{10, 1}, {90, 1}, {110, 2}, {490, 2}, {510, 3}, {2090, 3}, {2110, 4}, {9000, 4}};
    UNUSED(state);
    struct lab *l = at_c(1);
    lab_run(l, 1200000);
    link_lan_down(l->node[0].client_side, l->t->now);
    lab_die(l, 2);
    u64 died = l->t->now;
    u32 before = net_stats(l->node[0].stk)->tcp.out_rsts;
    for (u32 i = 0; i < ARRAY_LEN(at); i++) {
        lab_run(l, died + (u64)at[i].ms * USEC_PER_MSEC - l->t->now);
        if (net_stats(l->node[0].stk)->tcp.out_rsts - before != at[i].told)
            fail_msg("%u ms: told %u times", at[i].ms, net_stats(l->node[0].stk)->tcp.out_rsts - before);
        assert_int_equal(copies(0), at[i].told < 4);
        assert_int_equal(copies(1), at[i].ms < 9000);
    }
    assert_int_equal(counters(l, 0)->lost_told, 1);
    lab_close(l);
}

/* One that has answered that it is closed is told no more; nobody keeps a copy of it. */
static void who_has_heard_is_told_no_more(void **state) {
    UNUSED(state);
    struct lab *l = at_c(1);
    lab_run(l, 1200000);
    assert_int_equal(copies(1), 1);
    lab_die(l, 2);
    lab_run(l, 50000);
    assert_int_equal(l->c[0].error, ERR_CONNRESET);
    u32 told = net_stats(l->node[0].stk)->tcp.out_rsts;
    lab_run(l, 150000);
    for (u32 n = 0; n < 2; n++) assert_int_equal(copies(n), 0);
    lab_run(l, 3 * USEC_PER_SEC);
    assert_int_equal(net_stats(l->node[0].stk)->tcp.out_rsts, told);
    lab_close(l);
}

/* What a client says that it expects is what it is told next, should the first answer be lost. */
static void what_it_expects_is_remembered(void **state) {
    UNUSED(state);
    struct lab *l = at_c(1);
    struct vcrt_key k = first_row()->key;
    link_lan_down(l->node[0].osa, l->t->now);
    lab_die(l, 2);
    lab_run(l, 5000);
    const struct vcrt_row *row = vcrt_find(&dist(0)->copies, &k);
    assert_non_null(row);
    u8 ip[40] = {0x45};
    struct tcphdr h = {.src_port = k.cport, .dst_port = 80, .seq = 5, .ack = row->ack + 77777, .flags = TCPF_ACK};
    struct pkt p = {.data = ip, .ip_header = ip, .len = sizeof ip, .in = l->node[0].osa, .src = k.client, .dst = LAB_DVIPA, .proto = 6};
    u32 want = h.ack;
    tcphdr_emit(&h, ip + 20);
    assert_true(dist_copy_answer(dist(0), &k, &p, h.flags, l->t->now));
    assert_int_equal(row->ack, want);
    assert_true(row->acked);
    lab_close(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listeners_are_the_end_of_an_answer),
        cmocka_unit_test(an_answer_without_room_has_no_end),
        cmocka_unit_test(ends_that_find_no_room),
        cmocka_unit_test(more_ends_than_are_kept),
        cmocka_unit_test(an_end_goes_before_the_list),
        cmocka_unit_test(given_away_is_not_ended),
        cmocka_unit_test(a_silent_client_is_told_four_times),
        cmocka_unit_test(who_has_heard_is_told_no_more),
        cmocka_unit_test(what_it_expects_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
