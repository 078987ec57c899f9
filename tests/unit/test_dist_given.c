/* test_dist_given.c - what a routing stack that gives the DVIPA away says to the next one: SYNs that are under way to targets. The group is
 * distlab.h's; the LAN and XCF bring what is late when a test says so. */
#include "tests/unit/distcase.h"

/* A client's first SYN, which A gives to a target, and which XCF brings late. */
struct late {
    struct lab_client *c;
    u8 syn[100];
    u32 len;
};
static struct late a_syn_under_way(struct lab *l, u32 target) {
    struct late late = {.c = lab_connect(l)};
    struct lab_event *e = &l->queue[l->tail];
    for (u32 at = l->tail; l->tail == at;) testnet_run(l->t, 50);
    assert_true(e->to == target && e->kind == 0 && e->len <= sizeof late.syn);
    memcpy(late.syn, e->data, late.len = e->len);
    e->kind = DISTMSG_LAST + 1; /* it is not delivered now */
    return late;
}
static void it_arrives(struct lab *l, u32 target, const struct late *late) {
    testnet_give_from(l->node[target].xcf, late->syn, late->len, PKT_DISTRIBUTED | PKT_L4_CSUM_OK, SX_FROM(&l->node[target].peer[0]));
}

/* C hears of the new owner now, and answers. */
static void c_hears(struct lab *l) {
    struct sysplex *c = &l->node[2];
    struct sysplex_dvipa d = lab_dvipa(c);
    c->alive = true;
    c->ops->dvipa_changed(c->ctx, &d, l->t->now);
    assert_int_equal(dist_config_send(l->node[1].d, dist_vipa_find(l->node[1].d, LAB_DVIPA), &l->node[1].peer[2], l->t->now), 0);
    lab_run(l, 5000);
    assert_int_equal(ready(l, 1, 2), 1);
}

/* A gives a SYN to C, where it comes late, and then the address to B, of which C does not hear for a while. The client's next SYN goes to C,
 * too, for were it B's, two would answer: whether the late one comes first, or C hears of B first and drops it. If C dies, or says nothing for
 * three seconds, B takes the client. */
static void the_former_owner_has_given_it(void **state) {
    enum what { SYN_FIRST, CONFIG_FIRST, DIES, SILENT, WHATS };
    UNUSED(state);
    for (u32 what = 0; what < WHATS; what++) {
        struct lab *l = at_c(0);
        struct late late = a_syn_under_way(l, 2);
        l->node[1].listener = lab_listen(&l->node[1], IPADDR_ANY, 80);
        lab_run(l, 5000);
        l->node[2].alive = false;
        lab_give(l, 1);
        lab_own(l, 1);
        lab_run(l, 1200000);
        assert_int_equal(counters(l, 1)->begun_before, 1);
        assert_int_equal(counters(l, 1)->chosen, 0);
        l->node[2].alive = what != DIES && what != SILENT;
        if (what == SYN_FIRST) it_arrives(l, 2, &late), lab_run(l, 5000);
        assert_int_equal(late.c->connected, what == SYN_FIRST);
        if (what == SYN_FIRST || what == CONFIG_FIRST) c_hears(l);
        if (what == CONFIG_FIRST) it_arrives(l, 2, &late);
        if (what == DIES) lab_die(l, 2);
        lab_run(l, (what == SILENT ? 7 : 3) * USEC_PER_SEC);
        assert_true(late.c->connected && !late.c->error);
        u32 server = what == DIES || what == SILENT ? 1 : 2;
        assert_int_equal(l->node[server].served, 1);
        assert_int_equal(l->node[3 - server].served, 0);
        assert_int_equal(counters(l, 1)->rechosen, what == SILENT);
        assert_int_equal(counters(l, 2)->drop_stale, what == CONFIG_FIRST);
        assert_int_equal(sock_send(late.c->s, "on", 2, l->t->now), 2);
        lab_run(l, 5000);
        assert_int_equal(late.c->received, 2);
        lab_close(l);
    }
}

/* C has answered B and tells of no such connection: it drops A's SYN from now on, and B is free to choose. So it is for a SYN of another life. */
static void who_has_answered_has_decided(void **state) {
    struct lab *l = at_c(0);
    UNUSED(state);
    struct late late = a_syn_under_way(l, 2);
    l->node[1].listener = lab_listen(&l->node[1], IPADDR_ANY, 80);
    sock_close(l->node[2].listener, l->t->now);
    lab_run(l, 5000);
    l->node[2].alive = false;
    lab_give(l, 1);
    lab_own(l, 1);
    lab_run(l, 5000);
    struct vcrt_key k = {LAB_DVIPA, testnet_ip(LAB_CLIENT), 80, late.c->s->key.local_port};
    u32 isn = late.c->s->tcb.q.iss;
    assert_true(dist_copy_begun(l->node[1].d, &k, isn) != VDPT_NOBODY);
    assert_int_equal(dist_copy_begun(l->node[1].d, &k, isn + 1), VDPT_NOBODY);
    l->node[2].listener = lab_listen(&l->node[2], IPADDR_ANY, 80);
    c_hears(l);
    assert_int_equal(dist_copy_begun(l->node[1].d, &k, isn), VDPT_NOBODY);
    it_arrives(l, 2, &late);
    lab_run(l, 5000);
    assert_int_equal(counters(l, 2)->drop_stale, 1);
    lab_run(l, 4 * USEC_PER_SEC);
    assert_true(late.c->connected && counters(l, 1)->chosen == 1 && counters(l, 1)->begun_before == 0);
    lab_close(l);
}

/* The late SYN was given to B, which routes when it comes: it begins there, with a row, unless the client has repeated it and B has chosen another. */
static void given_to_the_next_owner(void **state) {
    UNUSED(state);
    for (u32 chosen = 0; chosen < 2; chosen++) {
        struct lab *l = opened(3, DIST_ROUNDROBIN);
        others_quiesced(l, 1, true);
        lab_run(l, 5000);
        struct late late = a_syn_under_way(l, 1);
        quiesced(l, 2, false);
        if (chosen) quiesced(l, 1, true);
        lab_give(l, 1);
        lab_own(l, 1);
        lab_run(l, chosen ? 1200000 : 5000);
        assert_int_equal(late.c->connected, chosen);
        it_arrives(l, 1, &late);
        lab_run(l, 5000);
        assert_true(late.c->connected && !late.c->error);
        assert_int_equal(l->node[1].served, !chosen);
        assert_int_equal(l->node[2].served, chosen);
        assert_int_equal(counters(l, 1)->drop_stale, chosen);
        assert_int_equal(rows(l, 1), 1);
        assert_int_equal(vdpt_find(distributor_vdpt(l->node[1].d), LAB_DVIPA, 80)->t[chosen ? 2 : SLOT_SELF].active, 1);
        lab_close(l);
    }
}

/* C hears nothing of A's SYN while A owns the address, nor while B does. It comes when B has given the address up, or has died, and nobody owns it: C drops it,
 * for B may have given the client's next SYN to somebody. B's own it takes. */
static void of_an_owner_before_the_last(void **state) {
    enum what { GIVEN, DEAD, OF_THE_LAST, WHATS };
    UNUSED(state);
    for (u32 what = 0; what < WHATS; what++) {
        struct lab *l = at_c(0);
        struct late late = a_syn_under_way(l, 2);
        if (what != OF_THE_LAST) lab_give(l, 1), lab_own(l, 1), lab_run(l, 5000);
        if (what == DEAD) lab_die(l, 1);
        l->owner = -1;
        lab_tell_owner(l);
        it_arrives(l, 2, &late);
        lab_run(l, 5000);
        assert_int_equal(counters(l, 2)->drop_stale, what != OF_THE_LAST);
        assert_int_equal(late.c->connected, what == OF_THE_LAST);
        lab_close(l);
    }
}

/* C hears of the new owner only when B does not wait for its answer any more. B has a copy of its connection and resets nobody: what the client sends goes to C,
 * and when C has answered it goes by its row. If C dies instead, the client is told. */
static void who_answers_late_keeps_its_clients(void **state) {
    UNUSED(state);
    for (u32 dies = 0; dies < 2; dies++) {
        struct lab *l = opened(3, DIST_ROUNDROBIN);
        only_one_listens(l, 2);
        struct lab_client *c = lab_connect(l);
        lab_run(l, 300000); /* the next owners have copies by then */
        assert_true(c->connected);
        l->node[2].alive = false;
        lab_give(l, 1);
        lab_own(l, 1);
        lab_run(l, 5 * USEC_PER_SEC);
        assert_int_equal(rows(l, 1), 0);
        assert_int_equal(sock_send(c->s, "x", 1, l->t->now), 1);
        lab_run(l, 100000);
        assert_false(c->closed);
        assert_true(counters(l, 1)->by_copy > 0);
        if (dies)
            l->node[2].alive = true, lab_die(l, 2);
        else
            c_hears(l);
        lab_run(l, 3 * USEC_PER_SEC);
        assert_int_equal(c->error, dies ? ERR_CONNRESET : 0);
        assert_int_equal(c->received, !dies);
        assert_int_equal(rows(l, 1), !dies);
        lab_close(l);
    }
}

/* A gives a SYN to C, where it comes when C does not listen any more and A knows that: before the client has repeated it, or when B or nobody has answered the
 * repeated one. C says nothing to the client. B serves it, or A refuses it, for A knows that nobody listens. */
static void its_listener_has_gone(void **state) {
    UNUSED(state);
    for (u32 way = 0; way < 4; way++) {
        bool before = way & 1, nobody = way & 2;
        struct lab *l = opened(3, DIST_ROUNDROBIN);
        only_one_listens(l, 2);
        struct late late = a_syn_under_way(l, 2);
        sock_close(l->node[2].listener, l->t->now);
        if (!nobody) l->node[1].listener = lab_listen(&l->node[1], IPADDR_ANY, 80);
        lab_run(l, 5000);
        if (before) it_arrives(l, 2, &late), lab_run(l, 5000);
        assert_false(late.c->connected || late.c->closed);
        lab_run(l, 1200000);
        if (!before) it_arrives(l, 2, &late), lab_run(l, 5000);
        assert_int_equal(late.c->connected, !nobody);
        assert_int_equal(late.c->error, nobody ? ERR_CONNREFUSED : 0);
        assert_int_equal(counters(l, 0)->rechosen, 1);
        assert_int_equal(counters(l, 0)->refused, nobody);
        assert_int_equal(l->node[1].served, !nobody);
        assert_int_equal(l->node[2].stk->stats.tcp.out_rsts, 0);
        assert_int_equal(l->node[2].stk->stats.tcp.drop_routed_syn, 1);
        lab_close(l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_former_owner_has_given_it),
        cmocka_unit_test(who_has_answered_has_decided),
        cmocka_unit_test(given_to_the_next_owner),
        cmocka_unit_test(of_an_owner_before_the_last),
        cmocka_unit_test(its_listener_has_gone),
        cmocka_unit_test(who_answers_late_keeps_its_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
