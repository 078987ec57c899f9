/* test_dist_copy.c - rows of the VCRT at the next owners: a client that only reads hears of it when routing stack and server die
 * together. The group is distlab.h's; nobody's client sends anything once its server is gone. */
#include "tests/unit/distcase.h"

#define CLIENTS 12
#define TOLD_US (300 * USEC_PER_MSEC)

static struct lab_client *c[CLIENTS];

/* n stacks, A owns; CLIENTS connections that have sent and received something, then nothing. */
static struct lab *held(u32 n) {
    struct lab *l = opened(n, DIST_ROUNDROBIN);
    lab_run(l, 1200000); /* the heirs are known */
    for (u32 i = 0; i < CLIENTS; i++) c[i] = lab_connect(l);
    lab_run(l, 20000);
    for (u32 i = 0; i < CLIENTS; i++) sock_send(c[i]->s, "xy", 2, l->t->now);
    lab_run(l, 300000);
    for (u32 i = 0; i < CLIENTS; i++) assert_int_equal(c[i]->received, 2);
    return l;
}

static u32 resets(void) {
    u32 n = 0;
    for (u32 i = 0; i < CLIENTS; i++) n += c[i]->error == ERR_CONNRESET;
    return n;
}

static void copied_and_forgotten(void **state) {
    struct lab *l = held(4);
    UNUSED(state);
    assert_int_equal(copies(1), CLIENTS);
    assert_int_equal(copies(2), CLIENTS);
    assert_int_equal(copies(3), 0); /* two heirs are enough */
    /* What is over before it was copied costs nothing. */
    u32 sent = dist(0)->count.copies_sent;
    for (u32 i = 0; i < 20; i++) {
        struct lab_client *quick = lab_connect(l);
        lab_run(l, 4000);
        lab_hang_up(l, quick);
        lab_run(l, 4000);
    }
    lab_run(l, 100000);
    assert_int_equal(dist(0)->count.copies_sent, sent);
    for (u32 i = 0; i < CLIENTS; i++) lab_hang_up(l, c[i]);
    lab_run(l, 12 * USEC_PER_SEC);
    assert_int_equal(copies(1) + copies(2), 0);
    lab_close(l);
}

static void owner_and_server_die_together(void **state) {
    struct lab *l = held(3);
    UNUSED(state);
    lab_die(l, 0);
    lab_run(l, 100000); /* nobody owns it yet: nothing is said */
    assert_int_equal(resets(), 0);
    lab_own(l, 1);
    lab_run(l, TOLD_US);
    assert_int_equal(resets(), CLIENTS / 3);
    assert_int_equal(dist(1)->count.lost_told, CLIENTS / 3);
    for (u32 i = 0; i < CLIENTS; i++)
        if (!c[i]->error) sock_send(c[i]->s, "z", 1, l->t->now);
    lab_run(l, USEC_PER_SEC);
    u32 fine = 0;
    for (u32 i = 0; i < CLIENTS; i++) fine += c[i]->received == 3;
    assert_int_equal(fine, CLIENTS * 2 / 3);
    assert_int_equal(copies(1), 0);
    lab_close(l);
}

/* The hint is old, in the client's window, far ahead, or there is none: the reset comes all the same. */
static void whatever_the_hint(void **state) {
    static const u32 off[] = {1, 1000, 100000, (u32)-1, (u32)-1000, (u32)-60000, 0x80000000u, 0x40000000u, 0xC0000000u};
    UNUSED(state);
    for (u32 n = 0; n <= ARRAY_LEN(off); n++) {
        struct lab *l = held(3);
        for (struct vcrt_row *r = NULL; (r = vcrt_walk(&dist(1)->copies, r)) != NULL;) {
            assert_true(r->acked);
            r->ack = n < ARRAY_LEN(off) ? r->ack - off[n] : 0;
        }
        lab_die(l, 0);
        lab_own(l, 1);
        lab_run(l, TOLD_US);
        if (resets() != CLIENTS / 3) fail_msg("hint %u: %u resets", n, resets());
        lab_close(l);
    }
}

/* A first message is lost on the way to the client (its ARP table still names the old card): it is said again. */
static void said_again(void **state) {
    struct lab *l = held(3);
    UNUSED(state);
    lab_die(l, 0);
    link_lan_down(l->node[1].osa, l->t->now);
    lab_own(l, 1);
    lab_run(l, 50000);
    link_lan_up(l->node[1].osa, l->t->now);
    lab_run(l, TOLD_US);
    assert_int_equal(resets(), CLIENTS / 3);
    lab_run(l, 500000); /* the next time they answer that they are closed */
    assert_int_equal(copies(1), 0);
    lab_close(l);
}

/* Routing stack and another target die at once; and a target that dies before it could list its connections. */
static void targets_die_too(void **state) {
    struct lab *l = held(4);
    UNUSED(state);
    lab_die(l, 0);
    lab_die(l, 3);
    lab_own(l, 1);
    lab_run(l, TOLD_US);
    assert_int_equal(resets(), CLIENTS / 2);
    lab_close(l);
    l = held(4);
    lab_die(l, 0);
    l->mute = true;
    lab_own(l, 1);
    lab_run(l, 50000);
    assert_int_equal(resets(), CLIENTS / 4);
    lab_die(l, 3);
    lab_run(l, TOLD_US);
    assert_int_equal(resets(), CLIENTS / 2);
    lab_close(l);
}

/* The first heir dies, too; the second has the copies. One that comes gets all rows. */
static void heirs_change(void **state) {
    struct lab *l = held(4);
    UNUSED(state);
    lab_die(l, 2);
    lab_run(l, 1200000);
    assert_int_equal(copies(3), CLIENTS - CLIENTS / 4);
    lab_die(l, 1);
    lab_die(l, 0);
    lab_own(l, 3);
    lab_run(l, TOLD_US);
    assert_int_equal(resets(), CLIENTS * 3 / 4);
    lab_close(l);
}

/* B is an heir no more: it forgets its copies, also when it has just asked for all of them anew. */
static void an_heir_no_more(void **state) {
    UNUSED(state);
    for (u32 asks = 0; asks < 2; asks++) {
        struct lab *l = held(4);
        u8 ask[DISTMSG_COPY_HEAD] = {0};
        ipaddr_put(ask, LAB_DVIPA);
        be32_put(ask + 4, l->epoch);
        ask[8] = 2;
        assert_int_equal(copies(1), CLIENTS);
        if (asks) assert_int_equal(sysplex_send(&l->node[1], &l->node[1].peer[0], DISTMSG_COPY, ask, sizeof ask, l->t->now), 0);
        l->heirs_reversed = true;
        lab_run(l, 1200000);
        assert_int_equal(copies(1), 0);
        assert_int_equal(copies(2), CLIENTS);
        assert_int_equal(copies(3), CLIENTS);
        lab_close(l);
    }
}

/* A dies, and D, who has never heard of the distribution, owns the address: A's clients are told by those who know them, though D answers for the
 * address. The copies of the others go, for nobody will say when those connections end; if B dies, too, its clients are D's to reset when they send. */
static void a_plain_owner(void **state) {
    struct lab *l = held(4);
    UNUSED(state);
    lab_die(l, 0);
    dist_forget_learnt(dist(3), LAB_DVIPA);
    lab_own(l, 3);
    assert_false(distributor_routes(dist(3), LAB_DVIPA));
    assert_true(dist_vipa_find(dist(2), LAB_DVIPA)->target);
    lab_run(l, 500000); /* it may be about to say more */
    assert_int_equal(resets(), 0);
    lab_run(l, 2 * USEC_PER_SEC + TOLD_US);
    assert_int_equal(resets(), CLIENTS / 4);
    for (u32 i = 0; i < CLIENTS; i++)
        if (!c[i]->error) assert_false(c[i]->closed);
    lab_run(l, 4 * USEC_PER_SEC);
    for (u32 i = 1; i < 4; i++) assert_int_equal(copies(i), 0);
    assert_int_equal(dist(1)->count.lost_told, CLIENTS / 4);
    /* What C still knows of the distribution holds when it owns the address next. */
    lab_own(l, 2);
    lab_run(l, USEC_PER_SEC);
    assert_true(distributor_routes(dist(2), LAB_DVIPA));
    assert_int_equal(resets(), CLIENTS / 4);
    lab_close(l);
}

/* The distribution ends, its owner dies, and a former target that has connections yet owns the address: what begins now it serves itself. */
static void a_target_owns_it_without_distribution(void **state) {
    struct lab *l = held(3);
    struct dist_statement all = {.dvipa = LAB_DVIPA};
    UNUSED(state);
    assert_int_equal(distributor_delete(dist(0), &all, l->t->now), 0);
    lab_run(l, 5000);
    lab_die(l, 0);
    lab_own(l, 1);
    assert_false(distributor_routes(dist(1), LAB_DVIPA));
    u32 had = l->node[1].served;
    struct lab_client *n = lab_connect(l);
    lab_run(l, 20000);
    assert_true(n->connected && l->node[1].served == had + 1);
    lab_run(l, 3 * USEC_PER_SEC);
    n = lab_connect(l);
    lab_run(l, 20000);
    assert_true(n->connected && l->node[1].served == had + 2);
    lab_close(l);
}

/* C, an heir of the former owner, does not know the new one until that has told everybody that what was known before it is over. */
static void who_comes_later_forgets_too(void **state) {
    struct lab *l = held(4);
    UNUSED(state);
    lose_sight(l, 2, 3);
    lose_sight(l, 3, 2);
    lab_own(l, 3);
    lab_run(l, 1200000);
    assert_true(dist_vipa_find(dist(3), LAB_DVIPA)->said_all);
    assert_int_equal(copies(2), CLIENTS);
    lab_meet(l, 2, 3);
    lab_meet(l, 3, 2); /* its heirs are A and B as before */
    lab_run(l, 1200000);
    assert_int_equal(copies(2), 0);
    assert_int_equal(vcrt_rows(distributor_vcrt(dist(3))), CLIENTS);
    lab_close(l);
}

/* A planned move: nothing is lost, and the former owner is an heir of the new one. */
static void planned_moves(void **state) {
    struct lab *l = held(3);
    UNUSED(state);
    lab_own(l, 1);
    lab_run(l, 1200000);
    assert_int_equal(resets(), 0);
    assert_int_equal(copies(1), 0);
    assert_int_equal(copies(0), vcrt_rows(distributor_vcrt(dist(1))));
    for (u32 i = 0; i < CLIENTS; i++) sock_send(c[i]->s, "z", 1, l->t->now);
    lab_run(l, USEC_PER_SEC);
    for (u32 i = 0; i < CLIENTS; i++) assert_int_equal(c[i]->received, 3);
    lab_close(l);
}

/* A client that comes again from the same port before it has heard is a new one. */
static void the_same_ports_again(void **state) {
    struct lab *l = held(3);
    UNUSED(state);
    link_lan_down(l->node[1].osa, l->t->now);
    lab_die(l, 0);
    lab_own(l, 1);
    lab_run(l, 2000);
    assert_true(copies(1) > 0);
    struct vcrt_row *r = vcrt_of_target(&dist(1)->copies, VCRT_LOST, NULL);
    u8 ip[64] = {0};
    struct pkt p = {.data = ip, .len = 40, .in = l->node[1].osa, .src = r->key.client, .dst = LAB_DVIPA, .proto = 6};
    struct vcrt_key k = r->key;
    assert_false(dist_copy_answer(dist(1), &k, &p, 0x02, l->t->now));
    assert_null(vcrt_find(&dist(1)->copies, &k));
    assert_false(dist_copy_answer(dist(1), &k, &p, 0x10, l->t->now));
    lab_close(l);
}

/* The next owner dies, too, at any time after its takeover: it was a target itself, whose connections it has never routed, and of the
 * former owner's it may have told nobody yet. */
static void the_next_owner_dies_too(void **state) {
    static const u32 lived_us[] = {500, 1000, 5000, 16000, 60000, 120000, 400000, 1100000, 4000000};
    UNUSED(state);
    for (u32 n = 0; n < ARRAY_LEN(lived_us); n++) {
        struct lab *l = held(4);
        lab_die(l, 0);
        lab_own(l, 1);
        lab_run(l, lived_us[n]);
        lab_die(l, 1);
        lab_own(l, 2);
        lab_run(l, TOLD_US);
        if (resets() != CLIENTS / 2) fail_msg("it lived %u us: %u resets", lived_us[n], resets());
        lab_close(l);
    }
}

/* The same with a target: all three die at different times, the third before or after it has listed its connections. */
static void three_die_in_turn(void **state) {
    static const u32 lived_us[] = {0, 250, 700, 30000, 80000, 1100000};
    UNUSED(state);
    for (u32 n = 0; n < ARRAY_LEN(lived_us); n++) {
        struct lab *l = held(4);
        lab_die(l, 0);
        lab_own(l, 1);
        lab_run(l, lived_us[n]);
        lab_die(l, 1);
        lab_die(l, 3);
        lab_own(l, 2);
        lab_run(l, TOLD_US);
        if (resets() != CLIENTS * 3 / 4) fail_msg("it lived %u us: %u resets", lived_us[n], resets());
        lab_close(l);
    }
}

/* A planned move, and the new owner dies at once: the former one, or the third, still knows the connections. */
static void moved_and_dead(void **state) {
    static const u32 lived_us[] = {500, 5000, 120000, 1100000};
    UNUSED(state);
    for (u32 n = 0; n < 2 * ARRAY_LEN(lived_us); n++) {
        struct lab *l = held(4);
        lab_own(l, 1);
        lab_run(l, lived_us[n / 2]);
        lab_die(l, 1);
        lab_own(l, n & 1 ? 2 : 0);
        lab_run(l, TOLD_US);
        if (resets() != CLIENTS / 4) fail_msg("it lived %u us: %u resets", lived_us[n / 2], resets());
        lab_close(l);
    }
}

/* A planned move, and a target dies before it has answered the new owner: rows that were too young to be copied, or all if that one was no next
 * owner, the former one has said to it. */
static void given_with_the_address(void **state) {
    UNUSED(state);
    for (u32 n = 0; n < 2; n++) {
        struct lab *l = held(4);
        if (n) l->heirs_reversed = true, lab_run(l, 1200000);
        assert_int_equal(copies(1), n ? 0 : CLIENTS);
        struct lab_client *young = lab_connect(l); /* A's */
        young = lab_connect(l), young = lab_connect(l), young = lab_connect(l);
        lab_run(l, 5000);
        assert_true(young->connected);
        lab_give(l, 1);
        assert_int_equal(copies(1), CLIENTS + 3 - (n ? CLIENTS / 4 : 0)); /* A's own B hears of in A's list */
        l->mute = true;
        lab_own(l, 1);
        lab_run(l, 50000);
        lab_die(l, 3);
        lab_run(l, TOLD_US);
        assert_int_equal(resets(), CLIENTS / 4);
        assert_int_equal(young->error, ERR_CONNRESET);
        lab_close(l);
    }
}

/* The routing stack lives, but what it says to the clients of a dead target is lost at first. */
static void said_again_by_the_owner(void **state) {
    struct lab *l = held(3);
    UNUSED(state);
    link_lan_down(l->node[0].osa, l->t->now);
    lab_die(l, 2);
    lab_run(l, 50000);
    assert_int_equal(resets(), 0);
    link_lan_up(l->node[0].osa, l->t->now);
    lab_run(l, TOLD_US);
    assert_int_equal(resets(), CLIENTS / 3);
    assert_int_equal(copies(0), 0);
    lab_close(l);
}

static void peer_event(void *ctx, struct sock *s, u32 events, u64 now) {
    UNUSED(now);
    if (events & SOCK_EV_CLOSED) *(int *)ctx = sock_error(s);
}

/* FTP's active data: the routing stack, or a target that dies with it, has begun the connection from the DVIPA; who only reads at its other end hears
 * of it, too. */
static void begun_from_the_dvipa(void **state) {
    UNUSED(state);
    for (u32 who = 0; who < 3; who += 2) {
        struct lab *l = held(4);
        struct sock *listen = client_listens(l, 2020), *n;
        int error = 0;
        call(l, who, 2020);
        lab_run(l, 2 * USEC_PER_SEC); /* a target's SYN is repeated: its answer was faster than the word about it */
        assert_int_equal(sock_accept(listen, &n, NULL, l->t->now), 0);
        sock_on_event(n, peer_event, &error);
        assert_int_equal(copies(1), CLIENTS + 1);
        lab_die(l, 0);
        if (who) lab_die(l, who);
        lab_own(l, 1);
        lab_run(l, TOLD_US);
        assert_int_equal(error, ERR_CONNRESET);
        sock_close(n, l->t->now);
        sock_close(listen, l->t->now);
        lab_close(l);
    }
}

/* What does not come from the owner, of its epoch, whole, changes nothing. */
static void strangers_are_refused(void **state) {
    struct lab *l = held(3);
    u8 m[DISTMSG_COPY_HEAD + DISTMSG_COPY_ROW] = {0};
    struct distmsg_copy row = {.client = ipaddr_v4(0x0A050505), .dport = 80, .cport = 99, .target = ipaddr_v4(0x0A090903),
                               .what = DISTMSG_OPENED};
    struct sysplex *b = &l->node[1];
    UNUSED(state);
    ipaddr_put(m, LAB_DVIPA);
    be32_put(m + 4, l->epoch);
    distmsg_copy_emit(m + DISTMSG_COPY_HEAD, &row);
    u32 had = copies(1);
    for (u32 len = 0; len < sizeof m; len++)
        if (len != DISTMSG_COPY_HEAD) b->ops->message(b->ctx, &b->peer[0], DISTMSG_COPY, m, len, l->t->now);
    b->ops->message(b->ctx, &b->peer[2], DISTMSG_COPY, m, sizeof m, l->t->now);
    be32_put(m + 4, l->epoch + 1);
    b->ops->message(b->ctx, &b->peer[0], DISTMSG_COPY, m, sizeof m, l->t->now);
    be32_put(m + 4, l->epoch);
    m[DISTMSG_COPY_HEAD + 20] = DISTMSG_ASK;
    b->ops->message(b->ctx, &b->peer[0], DISTMSG_COPY, m, sizeof m, l->t->now);
    assert_int_equal(copies(1), had);
    m[DISTMSG_COPY_HEAD + 20] = DISTMSG_OPENED;
    b->ops->message(b->ctx, &b->peer[0], DISTMSG_COPY, m, sizeof m, l->t->now);
    assert_int_equal(copies(1), had + 1);
    m[DISTMSG_COPY_HEAD + 20] = DISTMSG_ENDED;
    b->ops->message(b->ctx, &b->peer[0], DISTMSG_COPY, m, sizeof m, l->t->now);
    assert_int_equal(copies(1), had);
    lab_close(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copied_and_forgotten), cmocka_unit_test(owner_and_server_die_together),
        cmocka_unit_test(whatever_the_hint),    cmocka_unit_test(said_again),
        cmocka_unit_test(targets_die_too),      cmocka_unit_test(heirs_change),
        cmocka_unit_test(an_heir_no_more),      cmocka_unit_test(planned_moves),
        cmocka_unit_test(the_same_ports_again),
        cmocka_unit_test(strangers_are_refused), cmocka_unit_test(the_next_owner_dies_too),
        cmocka_unit_test(three_die_in_turn),    cmocka_unit_test(moved_and_dead),
        cmocka_unit_test(given_with_the_address),
        cmocka_unit_test(a_plain_owner),        cmocka_unit_test(a_target_owns_it_without_distribution),
        cmocka_unit_test(said_again_by_the_owner), cmocka_unit_test(begun_from_the_dvipa),
        cmocka_unit_test(who_comes_later_forgets_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
