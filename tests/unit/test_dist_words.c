/* test_dist_words.c - the distributor and single words: said late, of another life of the same ports, by an earlier owner, or to a stack that has
 * just come. Each case is one rule of the files dist*.c that longer stories do not need. The group is distlab.h's. */
#include "tests/unit/distcase.h"

/* A message of stack `from` at stack `to`, now: the DVIPA, an epoch, n bytes. */
static void word(u32 to, u32 from, u8 kind, u32 epoch, const void *bytes, u32 n) {
    struct sysplex *sx = &lab.node[to];
    u8 m[128];
    CHECK(8 + n <= sizeof m);
    ipaddr_put(m, LAB_DVIPA);
    be32_put(m + 4, epoch);
    memcpy(m + 8, bytes, n);
    sx->ops->message(sx->ctx, &sx->peer[from], kind, m, 8 + n, lab.t->now);
}

static void conn_word(u32 to, u32 from, u32 epoch, const struct vcrt_key *k, u32 isn, u8 what) {
    struct distmsg_conn c = {k->client, k->dport, k->cport, isn, what};
    u8 row[DISTMSG_CONN_ROW];
    distmsg_conn_emit(row, &c);
    word(to, from, DISTMSG_CONNS, epoch, row, sizeof row);
}


/* ---- epochs and lives ---- */

/* What a target said to an earlier owner, and what it cannot have said yet, changes nothing. */
static void words_of_another_epoch(void **state) {
    static const u32 off[] = {(u32)-1, 1, 0};
    UNUSED(state);
    struct lab *l = at_c(1);
    const struct vcrt_row *row = first_row();
    for (u32 i = 0; i < ARRAY_LEN(off); i++) {
        u32 epoch = vipa(0)->epoch + off[i], dropped = counters(l, 0)->drop_epoch;
        bool good = off[i] == 0;
        const u8 nobody[4] = {1}, held[6] = {DISTMSG_HELD, 0, 0, 0, 0, 77};
        word(0, 2, DISTMSG_LISTENERS, epoch, nobody, sizeof nobody);
        assert_int_equal(ready(l, 0, 2), !good);
        word(0, 2, DISTMSG_PORTS, epoch, held, sizeof held);
        assert_int_equal(vipa(0)->holder[77], good ? 3 : 0);
        conn_word(0, 2, epoch, &row->key, row->isn, DISTMSG_ENDED);
        assert_int_equal(row->state, good ? VCRT_ENDED : VCRT_OPEN);
        assert_int_equal(counters(l, 0)->drop_epoch, dropped + (good ? 0 : 3));
    }
    lab_close(l);
}

/* The end of an earlier life of the same ports is told late; who does not know which life it was ends any. */
static void the_end_of_another_life(void **state) {
    UNUSED(state);
    for (u32 known = 0; known < 2; known++) {
        struct lab *l = at_c(1);
        const struct vcrt_row *row = first_row();
        conn_word(0, 2, l->epoch, &row->key, row->isn + 1, DISTMSG_ENDED);
        conn_word(0, 2, l->epoch, &row->key, row->isn - 1, DISTMSG_ENDED);
        assert_int_equal(row->state, VCRT_OPEN);
        assert_int_equal(counters(l, 0)->drop_isn, 2);
        conn_word(0, 1, l->epoch, &row->key, row->isn, DISTMSG_ENDED); /* nor can another target end it */
        assert_int_equal(row->state, VCRT_OPEN);
        conn_word(0, 2, l->epoch, &row->key, known ? row->isn : 0, DISTMSG_ENDED);
        assert_int_equal(row->state, VCRT_ENDED);
        lab_close(l);
    }
}

/* A target calls from a port again, and its word about the first call's end is lost: the row is the second call's, whose end counts. */
static void a_second_call(void **state) {
    UNUSED(state);
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    struct vcrt_key k = {LAB_DVIPA, testnet_ip(LAB_CLIENT), 20, 2020};
    conn_word(0, 2, l->epoch, &k, 5000, DISTMSG_OPENED); /* of a list: the peer's initial sequence number is known */
    assert_int_equal(first_row()->isn, 5000);
    conn_word(0, 2, l->epoch, &k, 0, DISTMSG_OPENED); /* NEWCONN: whom it calls has not answered */
    assert_int_equal(rows(l, 0), 1);
    assert_int_equal(first_row()->isn, 0);
    conn_word(0, 2, l->epoch, &k, 6000, DISTMSG_ENDED);
    assert_int_equal(first_row()->state, VCRT_ENDED);
    assert_int_equal(counters(l, 0)->drop_isn, 0);
    lab_close(l);
}

/* Two stacks routed with the same epoch while they did not see each other: neither bows to the other's CONFIG; to a later one it does. */
static void config_of_the_same_epoch(void **state) {
    UNUSED(state);
    struct lab *l = opened(2, DIST_ROUNDROBIN);
    for (u32 later = 0; later < 2; later++) {
        u8 m[DISTMSG_CONFIG_HEAD] = {0};
        struct distmsg_config c = {.dvipa = LAB_DVIPA, .mask = LAB_MASK, .epoch = vipa(0)->epoch + later};
        distmsg_config_emit(m, &c);
        l->node[0].ops->message(l->node[0].ctx, &l->node[0].peer[1], DISTMSG_CONFIG, m, sizeof m, l->t->now);
        assert_int_equal(vipa(0)->routing, !later);
        assert_int_equal(counters(l, 0)->drop_stale, 1);
    }
    lab_close(l);
}

/* ---- a target dies ---- */

/* Its client has had no answer, so it will repeat its SYN, which finds somebody else: a RST would end what has not begun. */
static void an_unanswered_syn_is_not_reset(void **state) {
    UNUSED(state);
    struct lab *l = at_c(0);
    link_lan_down(l->node[2].client_side, l->t->now);
    struct lab_client *c = lab_connect(l);
    lab_run(l, 5000);
    assert_int_equal(first_row()->state, VCRT_SYN);
    l->node[1].listener = lab_listen(&l->node[1], IPADDR_ANY, 80);
    lab_run(l, 5000);
    lab_die(l, 2);
    lab_run(l, 4 * USEC_PER_SEC);
    assert_int_equal(counters(l, 0)->resets_sent, 0);
    assert_true(c->connected && !c->error && l->node[1].served == 1);
    lab_close(l);
}

/* A new owner waits no longer for the answer of one that is dead: whoever wants ports, and those who wait for the end of copies, go on. */
static void a_dead_targets_answer_is_not_awaited(void **state) {
    UNUSED(state);
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    l->mute = true;
    lab_own(l, 1);
    lab_run(l, 1000);
    u32 all = vipa(1)->awaiting, c = 1u << dist_slot_of(dist(1), &l->node[1].peer[2]);
    assert_true(all & c);
    lab_die(l, 2);
    assert_int_equal(vipa(1)->awaiting, all & ~c);
    lab_close(l);
}

/* Its slot may be another's soon, which would inherit its clients. */
static void affinities_go_with_the_target(void **state) {
    struct dist_statement s = statement(DIST_ROUNDROBIN, 80);
    UNUSED(state);
    struct lab *l = at_c(0);
    s.options.affinity_sec = 60;
    define(l, 0, &s);
    struct lab_client *c = lab_connect(l);
    lab_run(l, 5000);
    assert_int_equal(dist(0)->affinities.rows, 1);
    lab_hang_up(l, c);
    lab_run(l, 10 * USEC_PER_SEC); /* no connection, no row: the affinity alone is there */
    assert_int_equal(rows(l, 0), 0);
    assert_int_equal(dist(0)->affinities.rows, 1);
    lab_die(l, 2);
    assert_int_equal(dist(0)->affinities.rows, 0);
    lab_close(l);
}

/* It holds until its time is over, to the microsecond, and not beyond; it does not outlive the routing. */
static void an_affinity_ends_by_itself(void **state) {
    struct dist_statement s = statement(DIST_ROUNDROBIN, 80);
    UNUSED(state);
    for (u32 moved = 0; moved < 2; moved++) {
        struct lab *l = at_c(0);
        s.options.affinity_sec = 60;
        define(l, 0, &s);
        struct lab_client *c = lab_connect(l);
        lab_run(l, 5000);
        struct vcrt_key k = first_row()->key;
        lab_hang_up(l, c);
        lab_run(l, 10 * USEC_PER_SEC);
        const struct dist_affinity *a = LIST_ENTRY(dist(0)->affinity_idle.next, struct dist_affinity, node);
        u64 until = a->until;
        assert_in_range(until - l->t->now, 45 * (u64)USEC_PER_SEC, 60 * (u64)USEC_PER_SEC);
        assert_int_equal(dist_affinity_slot(dist(0), &k, until - 1), 2);
        if (moved)
            lab_own(l, 1);
        else
            assert_int_equal(dist_affinity_slot(dist(0), &k, until), VDPT_NOBODY);
        assert_int_equal(dist(0)->affinities.rows, 0);
        lab_close(l);
    }
}

/* ---- rows ---- */

/* More rows than one round frees: the rest follows within some turns, not a second later each. */
static void many_ended_rows_go_together(void **state) {
    UNUSED(state);
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    struct vcrt_key k = {LAB_DVIPA, testnet_ip(LAB_CLIENT), 80, 0};
    u32 n = 500;
    for (u32 i = 0; i < n; i++) {
        k.cport = (u16)(2000 + i);
        conn_word(0, 2, l->epoch, &k, i + 1, DISTMSG_OPENED);
        conn_word(0, 2, l->epoch, &k, i + 1, DISTMSG_ENDED);
    }
    assert_int_equal(rows(l, 0), n);
    l->step_usec = 5000;
    while (rows(l, 0) == n) lab_run(l, 5000);
    lab_run(l, 100000);
    assert_int_equal(rows(l, 0), 0);
    lab_close(l);
}

/* What is to be told to a lost client is not told to one that has begun anew there, by another target's word. */
static void a_lost_ones_ports_live_again(void **state) {
    UNUSED(state);
    struct lab *l = at_c(1);
    struct vcrt_key k = first_row()->key;
    link_lan_down(l->node[0].osa, l->t->now); /* its client hears nothing */
    lab_die(l, 2);
    lab_run(l, 5000);
    assert_int_equal(copies(0), 1);
    conn_word(0, 1, l->epoch, &k, 77, DISTMSG_OPENED);
    link_lan_up(l->node[0].osa, l->t->now);
    lab_run(l, 3 * USEC_PER_SEC);
    assert_int_equal(copies(0), 0);
    assert_int_equal(l->c[0].error, 0);
    assert_int_equal(rows(l, 0), 1);
    lab_close(l);
}

/* ---- reports ---- */

/* Four SYNs in vain: that target gets nothing more but one connection after each report, and none while it does not listen or its queue is full, for that
 * one would be lost. */
static void who_is_probed(void **state) {
    static const struct {
        u8 sef;
        bool listens, probed;
    } as[] = {{100, true, true}, {100, false, false}, {0, true, false}};
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(as); i++) {
        struct lab *l = opened(3, DIST_BASEWLM);
        struct sysplex *a = &l->node[0];
        struct distmsg_report r = {LAB_DVIPA, 80, as[i].sef, 0, 4, 0};
        u8 m[DISTMSG_REPORT_HEAD + DISTMSG_REPORT_ROW] = {0};
        const struct vdpt_target *t = &vdpt_find(distributor_vdpt(a->d), LAB_DVIPA, 80)->t[2];
        if (!as[i].listens) sock_close(l->node[2].listener, l->t->now);
        lab_run(l, 5000);
        distmsg_report_emit(m + DISTMSG_REPORT_HEAD, &r);
        a->ops->message(a->ctx, &a->peer[2], DISTMSG_REPORT, m, sizeof m, l->t->now);
        assert_int_equal(vdpt_tsr(t), 0);
        assert_int_equal(counters(l, 0)->probes, as[i].probed);
        /* What it may be owed is not paid when it listens again: the next report says what it is worth. */
        if (!as[i].listens) l->node[2].listener = lab_listen(&l->node[2], IPADDR_ANY, 80);
        lab_run(l, 5000);
        for (u32 n = 0; n < 9; n++) lab_connect(l);
        lab_run(l, 20000);
        assert_int_equal(l->node[2].served, as[i].probed);
        lab_close(l);
    }
}

/* ---- heirs ---- */

/* Between two looks at who is next B was gone and is there again, with nothing: it is given every row. */
static void an_heir_that_comes_again(void **state) {
    UNUSED(state);
    struct lab *l = at_c(4);
    lab_run(l, 1200000);
    assert_int_equal(copies(1), 4);
    dist_copy_forget(dist(1), vipa(1), VDPT_NOBODY);
    lose_sight(l, 0, 1);
    lab_meet(l, 0, 1);
    lab_run(l, 1200000);
    assert_int_equal(copies(1), 4);
    lab_close(l);
}

/* B, who is next, hears of rows of C before it knows C: as soon as it does, it asks. */
static void a_target_that_the_heir_does_not_know(void **state) {
    UNUSED(state);
    struct lab *l = at_c(0);
    lab_run(l, 1200000);
    lose_sight(l, 1, 2);
    for (u32 i = 0; i < 4; i++) lab_connect(l);
    lab_run(l, 1200000);
    assert_int_equal(copies(1), 0);
    lab_meet(l, 1, 2);
    lab_run(l, 1200000);
    assert_int_equal(copies(1), 4);
    lab_close(l);
}

/* A client ends its connection, begins again from the same port, and at that moment there is a new heir: what it is told of the first one's
 * end does not end the second. */
static void an_end_before_all_rows(void **state) {
    UNUSED(state);
    struct lab *l = at_c(1);
    lab_run(l, 1200000);
    struct vcrt_key k = first_row()->key;
    conn_word(0, 2, l->epoch, &k, first_row()->isn, DISTMSG_ENDED);
    conn_word(0, 2, l->epoch, &k, 99, DISTMSG_OPENED);
    vipa(0)->heirs = 0; /* as when each of them had missed a message */
    dist_copy_heirs(dist(0), vipa(0), l->t->now);
    lab_run(l, 200000);
    for (u32 i = 1; i < 3; i++) {
        const struct vcrt_row *c = vcrt_find(&dist(i)->copies, &k);
        assert_true(c && c->isn == 99);
    }
    lab_close(l);
}

/* ---- operator, ports ---- */

/* QUIESCE is the operator's, and stays until he says RESUME: also if the stack leaves the group and joins again. */
static void quiesce_outlives_the_group(void **state) {
    UNUSED(state);
    struct lab *l = opened(2, DIST_ROUNDROBIN);
    struct sysplex *b = &l->node[1];
    quiesced(l, 1, true);
    b->ops->left(b->ctx, l->t->now);
    lose_sight(l, 1, 0);
    lose_sight(l, 0, 1);
    lab_meet(l, 1, 0);
    lab_meet(l, 0, 1);
    lab_run(l, 5000);
    assert_true(distributor_serves(b->d, LAB_DVIPA));
    assert_int_equal(ready(l, 0, 1), 0);
    quiesced(l, 1, false);
    lab_run(l, 5000);
    assert_int_equal(ready(l, 0, 1), 1);
    lab_close(l);
}

/* A block is its holder's when it is granted, not when the holder says that it has it: that word may be lost, and the next one who wants has another. */
static void a_granted_block_is_taken(void **state) {
    UNUSED(state);
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    const u8 want[4] = {DISTMSG_WANT};
    l->mute = true;
    for (u32 n = 0; n < DISTMSG_BLOCKS - DISTMSG_BLOCK_FIRST; n++) word(0, 1 + n % 2, DISTMSG_PORTS, l->epoch, want, sizeof want);
    assert_int_equal(counters(l, 0)->blocks_none, 0);
    for (u32 b = 0; b < DISTMSG_BLOCKS; b++) assert_int_equal(vipa(0)->holder[b], b < DISTMSG_BLOCK_FIRST ? 0 : 2 + b % 2);
    word(0, 1, DISTMSG_PORTS, l->epoch, want, sizeof want);
    assert_int_equal(counters(l, 0)->blocks_none, 1);
    lab_close(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_another_epoch),
        cmocka_unit_test(the_end_of_another_life),
        cmocka_unit_test(a_second_call),
        cmocka_unit_test(config_of_the_same_epoch),
        cmocka_unit_test(an_unanswered_syn_is_not_reset),
        cmocka_unit_test(a_dead_targets_answer_is_not_awaited),
        cmocka_unit_test(affinities_go_with_the_target),
        cmocka_unit_test(an_affinity_ends_by_itself),
        cmocka_unit_test(many_ended_rows_go_together),
        cmocka_unit_test(a_lost_ones_ports_live_again),
        cmocka_unit_test(who_is_probed),
        cmocka_unit_test(an_heir_that_comes_again),
        cmocka_unit_test(a_target_that_the_heir_does_not_know),
        cmocka_unit_test(an_end_before_all_rows),
        cmocka_unit_test(quiesce_outlives_the_group),
        cmocka_unit_test(a_granted_block_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
