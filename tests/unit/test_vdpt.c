/* test_vdpt.c - the destination port table: shares within 2 % over 10,000 connections by each method, who is eligible,
 * responsiveness and probing, learnt ports; and the weights that wlm makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "sysplex/vdpt.h"
#include "sysplex/wlm.h"

#include <cmocka.h>

#define ALL 0xFFFFFFFFu
#define CONNECTIONS 10000u

struct fixture {
    struct vdpt v;
    struct vdpt_port *p;
    u8 storage[64 * 1024];
};

static struct fixture *setup(enum dist_method m, u32 targets) {
    static struct fixture f;
    struct arena a;
    const struct hash_key key = {1, 0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35};
    memset(&f, 0, sizeof f);
    arena_init(&a, f.storage, sizeof f.storage);
    assert_true(vdpt_init(&f.v, &a, 8, &key));
    assert_int_equal(vdpt_add(&f.v, ipaddr_v4(0xC9020A0B), 80, m, &f.p), 0);
    for (u32 t = 0; t < targets; t++) {
        vdpt_target_add(f.p, t);
        f.p->t[t].ready = 1;
        f.p->t[t].wlm = 10;
    }
    vdpt_weigh(f.p);
    return &f;
}

/* count[i] is within 2 % of all connections of what share[i] of the sum says. */
static void assert_shares(const u32 *count, const u32 *share, u32 n) {
    u32 sum = 0, all = 0;
    for (u32 i = 0; i < n; i++) sum += share[i], all += count[i];
    for (u32 i = 0; i < n; i++) {
        i64 off = (i64)count[i] * sum - (i64)all * share[i];
        if (off < 0) off = -off;
        assert_true(off * 50 <= (i64)all * sum);
    }
}

static void basewlm_follows_weights(void **state) {
    static const u32 w[4] = {2, 2, 4, 8}; /* the example of the manual: 1/8, 1/8, 1/4, 1/2 */
    struct fixture *f = setup(DIST_BASEWLM, 4);
    u32 count[4] = {0};
    UNUSED(state);
    for (u32 t = 0; t < 4; t++) f->p->t[t].wlm = (u8)w[t];
    vdpt_weigh(f->p);
    for (u32 i = 0; i < CONNECTIONS; i++) count[vdpt_choose(f->p, ALL)]++;
    assert_shares(count, w, 4);
    assert_int_equal(f->p->t[3].total, count[3]);
    assert_int_equal(f->p->t[3].active, count[3]);
    /* Smooth: of any 16 in a row the heaviest gets exactly half, and never twice as often as its turn. */
    u32 streak = 0, longest = 0;
    for (u32 i = 0; i < 160; i++) longest = u32_max(longest, streak = vdpt_choose(f->p, ALL) == 3 ? streak + 1 : 0);
    assert_true(longest <= 2);
}

static void weights_change_in_the_middle(void **state) {
    struct fixture *f = setup(DIST_BASEWLM, 3);
    UNUSED(state);
    for (u32 round = 0; round < 20; round++) {
        u32 count[3] = {0}, w[3];
        for (u32 t = 0; t < 3; t++) f->p->t[t].wlm = (u8)(w[t] = 1 + (round * 7 + t * 23) % 64);
        vdpt_weigh(f->p);
        for (u32 i = 0; i < 3000; i++) count[vdpt_choose(f->p, ALL)]++;
        assert_shares(count, w, 3);
    }
}

static void without_a_weight_all_are_equal(void **state) {
    static const u32 equal[3] = {1, 1, 1};
    struct fixture *f = setup(DIST_BASEWLM, 3);
    u32 count[3] = {0};
    UNUSED(state);
    f->p->t[0].wlm = 60;
    f->p->t[1].wlm = 0;
    vdpt_weigh(f->p);
    for (u32 i = 0; i < CONNECTIONS; i++) count[vdpt_choose(f->p, ALL)]++;
    assert_shares(count, equal, 3);
}

static void roundrobin_ignores_weight_and_health(void **state) {
    struct fixture *f = setup(DIST_ROUNDROBIN, 4);
    UNUSED(state);
    f->p->t[0].wlm = 64;
    f->p->t[1].cer = 0;
    f->p->t[2].qos_fraction = 90;
    vdpt_weigh(f->p);
    u32 first[4];
    for (u32 i = 0; i < 4; i++) first[i] = vdpt_choose(f->p, ALL);
    for (u32 i = 0; i < 400; i++) assert_int_equal(vdpt_choose(f->p, ALL), first[i % 4]);
}

static void weightedactive_balances_what_is_open(void **state) {
    static const u32 w[3] = {10, 20, 70};
    struct fixture *f = setup(DIST_WEIGHTEDACTIVE, 3);
    u32 seed = 5;
    UNUSED(state);
    for (u32 t = 0; t < 3; t++) f->p->t[t].weight = (u8)w[t];
    vdpt_weigh(f->p);
    /* Connections end at the first target far more often than elsewhere: the open ones stay in proportion. */
    for (u32 i = 0; i < CONNECTIONS; i++) {
        vdpt_choose(f->p, ALL);
        seed = seed * 1103515245u + 12345u;
        if (f->p->t[0].active > 5 && (seed >> 16 & 3)) vdpt_count(f->p, 0, false);
        if (f->p->t[2].active > 5 && (seed >> 18 & 7) == 0) vdpt_count(f->p, 2, false);
    }
    u32 active[3];
    for (u32 t = 0; t < 3; t++) active[t] = f->p->t[t].active;
    assert_shares(active, w, 3);
}

static void hotstandby_prefers_then_ranks(void **state) {
    struct fixture *f = setup(DIST_HOTSTANDBY, 4);
    UNUSED(state);
    f->p->t[0].rank = 10;
    f->p->t[1].rank = 0; /* PREFERRED */
    f->p->t[2].rank = 200;
    f->p->t[3].rank = 50;
    assert_int_equal(vdpt_choose(f->p, ALL), 1);
    f->p->t[1].ready = 0;
    assert_int_equal(vdpt_choose(f->p, ALL), 2);
    f->p->t[2].flags |= VDPT_QUIESCED;
    assert_int_equal(vdpt_choose(f->p, ALL), 3);
    f->p->t[1].ready = 1;
    assert_int_equal(vdpt_choose(f->p, ALL), 1); /* AUTOSWITCHBACK */
    f->p->flags |= VDPT_NOSWITCHBACK;
    f->p->t[1].ready = 0;
    assert_int_equal(vdpt_choose(f->p, ALL), 3);
    f->p->t[1].ready = 1;
    assert_int_equal(vdpt_choose(f->p, ALL), 3);
    f->p->t[3].cer = 0;
    vdpt_weigh(f->p);
    assert_int_equal(vdpt_choose(f->p, ALL), 1); /* HEALTHSWITCH */
    f->p->t[1].cer = 0;
    f->p->flags |= VDPT_NOHEALTHSWITCH;
    vdpt_weigh(f->p);
    assert_int_equal(vdpt_choose(f->p, ALL), 1);
}

static void who_is_eligible(void **state) {
    struct fixture *f = setup(DIST_BASEWLM, 5);
    UNUSED(state);
    assert_int_equal(vdpt_eligible(f->p, ALL), 0x1F);
    f->p->t[0].ready = 0;
    f->p->t[1].flags |= VDPT_QUIESCED;
    f->p->t[2].flags |= VDPT_UNREACHABLE;
    f->p->t[3].tcsr = 0;
    vdpt_weigh(f->p);
    assert_int_equal(vdpt_eligible(f->p, ALL), 0x10);
    assert_int_equal(vdpt_eligible(f->p, ~0x10u), 0);
    assert_int_equal(vdpt_choose(f->p, ~0x10u), VDPT_NOBODY);
    assert_int_equal(f->p->refused, 1);
    vdpt_target_del(f->p, 4);
    f->p->t[3].sef = 0;
    vdpt_weigh(f->p);
    assert_int_equal(vdpt_eligible(f->p, ALL), 0);
}

/* Nobody who listens is well: whose queue has room is tried, all alike, and nobody else as soon as one is well again. */
static void nobody_is_well(void **state) {
    static const enum dist_method methods[] = {DIST_BASEWLM, DIST_WEIGHTEDACTIVE, DIST_HOTSTANDBY};
    UNUSED(state);
    for (u32 m = 0; m < ARRAY_LEN(methods); m++) {
        struct fixture *f = setup(methods[m], 4);
        u32 got[4] = {0};
        for (u32 i = 0; i < 4; i++) f->p->t[i].wlm = 10, f->p->t[i].weight = (u8)(10 + i), f->p->t[i].rank = (u8)i;
        f->p->t[0].tcsr = f->p->t[1].cer = f->p->t[2].sef = f->p->t[3].cer = 0;
        vdpt_weigh(f->p);
        assert_int_equal(vdpt_eligible(f->p, ALL), 0xB);
        assert_int_equal(vdpt_eligible(f->p, 0x6), 0x2);
        for (u32 i = 0; i < 30; i++) got[vdpt_choose(f->p, ALL)]++;
        assert_int_equal(got[2], 0);
        if (methods[m] == DIST_HOTSTANDBY)
            assert_int_equal(got[0], 30);
        else
            assert_true(got[0] == 10 && got[1] == 10 && got[3] == 10);
        f->p->t[1].cer = 100;
        vdpt_weigh(f->p);
        for (u32 i = 0; i < 30; i++) assert_int_equal(vdpt_choose(f->p, ALL), 1);
        /* What policy gives to those who are not well goes to nobody while somebody else is. */
        assert_int_equal(vdpt_choose(f->p, ~2u), VDPT_NOBODY);
    }
}

/* A server that failed wholly gets one SYN when it is to be probed, before anybody else, and no second. */
static void probing(void **state) {
    struct fixture *f = setup(DIST_BASEWLM, 3);
    UNUSED(state);
    f->p->t[1].tcsr = 0;
    vdpt_weigh(f->p);
    for (u32 i = 0; i < 50; i++) assert_int_not_equal(vdpt_choose(f->p, ALL), 1);
    f->p->t[1].flags |= VDPT_PROBE;
    assert_int_equal(vdpt_choose(f->p, ALL), 1);
    for (u32 i = 0; i < 50; i++) assert_int_not_equal(vdpt_choose(f->p, ALL), 1);
    f->p->t[1].flags |= VDPT_PROBE;
    f->p->t[1].ready = 0; /* not listening: nothing to probe */
    assert_int_not_equal(vdpt_choose(f->p, ALL), 1);
    f->p->t[1].ready = 1;
    assert_int_not_equal(vdpt_choose(f->p, ~2u), 1); /* nor for a connection that policy gives to others: it waits for one that may */
    assert_int_equal(vdpt_choose(f->p, ALL), 1);
}

/* Of two with weights of 50 and 1 the second is quiesced when its turn is nearly there: at RESUME it is owed nothing. */
static void absence_earns_nothing(void **state) {
    struct fixture *f = setup(DIST_BASEWLM, 2);
    u32 before, turn = 51;
    UNUSED(state);
    f->p->t[0].wlm = 50;
    f->p->t[1].wlm = 1;
    vdpt_weigh(f->p);
    do before = f->p->t[1].total, vdpt_choose(f->p, ALL); while (f->p->t[1].total == before);
    for (u32 i = 0; i + 2 < turn; i++) assert_int_equal(vdpt_choose(f->p, ALL), 0);
    f->p->t[1].flags |= VDPT_QUIESCED;
    assert_int_equal(vdpt_choose(f->p, ALL), 0);
    f->p->t[1].flags &= (u8)~VDPT_QUIESCED;
    for (u32 i = 0; i < turn / 5; i++) assert_int_equal(vdpt_choose(f->p, ALL), 0);
}

static void effective_weights(void **state) {
    struct fixture *f = setup(DIST_BASEWLM, 3);
    UNUSED(state);
    f->p->t[0].wlm = 40;
    f->p->t[0].qos_fraction = 25;
    f->p->t[0].cer = 50;
    f->p->t[1].wlm = 1;
    f->p->t[1].qos_fraction = 100; /* policy takes everything: a trickle is left */
    f->p->t[2].wlm = 64;
    f->p->t[2].sef = 0;
    vdpt_weigh(f->p);
    assert_int_equal(f->p->t[0].effective, 1500); /* 40 x 75 % x 50 % */
    assert_int_equal(f->p->t[1].effective, 1);
    assert_int_equal(f->p->t[2].effective, 0);
    f->p->t[0].tcsr = 100, f->p->t[0].cer = 75, f->p->t[0].sef = 100;
    assert_int_equal(vdpt_tsr(&f->p->t[0]), 75);
}

static void learnt_ports(void **state) {
    struct fixture *f = setup(DIST_ROUNDROBIN, 1);
    struct vdpt_port *model, *learnt, *again;
    struct ipaddr dvipa = ipaddr_v4(0xC9020A0C);
    UNUSED(state);
    assert_int_equal(vdpt_add(&f->v, dvipa, 0, DIST_WEIGHTEDACTIVE, &model), 0);
    vdpt_target_add(model, 3);
    model->t[3].weight = 44;
    model->affinity_sec = 9;
    assert_non_null(learnt = vdpt_learn(&f->v, model, 5000));
    assert_int_equal(learnt->method, DIST_WEIGHTEDACTIVE);
    assert_int_equal(learnt->t[3].weight, 44);
    assert_int_equal(learnt->affinity_sec, 9);
    assert_true(learnt->flags & VDPT_DYNAMIC);
    assert_ptr_equal(vdpt_find(&f->v, dvipa, 5000), learnt);
    assert_ptr_equal(vdpt_at(&f->v, learnt->index), learnt);
    u16 index = learnt->index;
    vdpt_del(&f->v, learnt);
    assert_null(vdpt_at(&f->v, index));
    assert_null(vdpt_find(&f->v, dvipa, 5000));
    /* Eight rows, two are taken. */
    for (u16 i = 0; i < 6; i++) assert_non_null(vdpt_learn(&f->v, model, (u16)(6000 + i)));
    assert_null(vdpt_learn(&f->v, model, 7000));
    assert_int_equal(f->v.pool.refused, 1);
    assert_int_equal(vdpt_add(&f->v, dvipa, 6000, DIST_BASEWLM, &again), -ERR_EXIST);
    u32 n = 0;
    for (struct vdpt_port *p = NULL; (p = vdpt_walk(&f->v, p)) != NULL;) n++;
    assert_int_equal(n, 8);
}

static void method_names(void **state) {
    UNUSED(state);
    for (u32 m = 0; m < DIST_METHODS; m++)
        assert_int_equal(vdpt_method_named(vdpt_method((enum dist_method)m)->name), m);
    assert_int_equal(vdpt_method_named("LEASTCONN"), DIST_METHODS);
}

/* ---- wlm ---- */
static void capacity_from_idle_time(void **state) {
    struct wlm w;
    UNUSED(state);
    wlm_init(&w, 100, 5000000, 1000000);
    assert_int_equal(wlm_capacity(&w), 0);
    wlm_sample(&w, 5000000 + 3072000, 1000000 + 4096000); /* three quarters idle */
    assert_int_equal(wlm_capacity(&w), 75000);
    wlm_sample(&w, 5000000 + 3072000, 1000000 + 8192000); /* then busy: smoothed */
    assert_int_equal(w.idle, 562);
    for (u32 i = 3; i < 40; i++) wlm_sample(&w, 5000000 + 3072000, 1000000 + 4096000ull * i);
    assert_int_equal(wlm_capacity(&w), 100 * WLM_IDLE_FLOOR);
    u32 before = w.samples;
    wlm_sample(&w, 5000000 + 3072000, w.at + 100); /* within a tick */
    assert_int_equal(w.samples, before);
    wlm_sample(&w, w.idle_us + 10ull * 3600 * USEC_PER_SEC, w.at + 10ull * 3600 * USEC_PER_SEC); /* ten hours idle */
    assert_true(w.idle >= 250);
}

/* What was owed in hundredths of weights is not paid in single connections. */
static void another_method_begins_anew(void **state) {
    struct fixture *f = setup(DIST_BASEWLM, 4);
    UNUSED(state);
    f->p->t[0].wlm = 64;
    vdpt_weigh(f->p);
    for (u32 i = 0; i < 7; i++) vdpt_choose(f->p, ALL);
    vdpt_set_method(f->p, DIST_ROUNDROBIN);
    u32 before[4];
    for (u32 t = 0; t < 4; t++) before[t] = f->p->t[t].total;
    for (u32 i = 0; i < 4; i++) vdpt_choose(f->p, ALL);
    for (u32 t = 0; t < 4; t++) assert_int_equal(f->p->t[t].total, before[t] + 1);
    /* The same method again takes nothing from anybody. */
    vdpt_choose(f->p, ALL);
    i32 credit = f->p->t[0].credit;
    vdpt_set_method(f->p, DIST_ROUNDROBIN);
    assert_int_equal(f->p->t[0].credit, credit);
}

static void weights_from_capacities(void **state) {
    static const u32 capacity[5] = {99900, 49950, 1, 0, 25000};
    u8 weight[5];
    UNUSED(state);
    wlm_weights(capacity, weight, 5);
    assert_int_equal(weight[0], 64);
    assert_int_equal(weight[1], 32);
    assert_int_equal(weight[2], 1);
    assert_int_equal(weight[3], 0);
    assert_int_equal(weight[4], 16);
    wlm_weights((const u32[]){0, 0}, weight, 2);
    assert_int_equal(weight[0], 0);
}

static void responsiveness(void **state) {
    UNUSED(state);
    assert_int_equal(wlm_success(80, 0, 0), 80); /* nothing to judge */
    assert_int_equal(wlm_success(100, 0, 1), 50); /* a single client that went away is no evidence */
    assert_int_equal(wlm_success(1, 0, 1), 0);
    u8 down = 100, up = 0, steps = 0;
    for (; down || up < 100; steps++) down = wlm_success(down, 0, 1), up = wlm_success(up, 1, 1);
    assert_int_equal(steps, 7); /* single clients, all in vain or all well: it is sure in the end */
    assert_int_equal(wlm_success(100, 0, 4), 0);
    assert_int_equal(wlm_success(100, 2, 3), 83);
    assert_int_equal(wlm_success(100, 50, 100), 50);
    assert_int_equal(wlm_success(100, 120, 100), 100);
    assert_int_equal(wlm_success(0, 3000000000u, 4000000000u), 75);
    assert_int_equal(wlm_success(0, 1, 1), 50); /* one probe that succeeded: half the way back */
    assert_int_equal(wlm_accepting(100, 0, 10, 0), 100);
    assert_int_equal(wlm_accepting(100, 5, 10, 0), 100);
    assert_int_equal(wlm_accepting(100, 8, 10, 0), 40);
    assert_int_equal(wlm_accepting(100, 10, 10, 0), 0);
    assert_int_equal(wlm_accepting(100, 10, 10, 3), 0);
    assert_int_equal(wlm_accepting(100, 0, 10, 3), 50);
    assert_int_equal(wlm_accepting(70, 0, 0, 0), 70);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basewlm_follows_weights),
        cmocka_unit_test(weights_change_in_the_middle),
        cmocka_unit_test(without_a_weight_all_are_equal),
        cmocka_unit_test(roundrobin_ignores_weight_and_health),
        cmocka_unit_test(weightedactive_balances_what_is_open),
        cmocka_unit_test(hotstandby_prefers_then_ranks),
        cmocka_unit_test(who_is_eligible), cmocka_unit_test(nobody_is_well),
        cmocka_unit_test(probing),
        cmocka_unit_test(absence_earns_nothing),
        cmocka_unit_test(effective_weights),
        cmocka_unit_test(another_method_begins_anew),
        cmocka_unit_test(learnt_ports),
        cmocka_unit_test(method_names),
        cmocka_unit_test(capacity_from_idle_time),
        cmocka_unit_test(weights_from_capacities),
        cmocka_unit_test(responsiveness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
