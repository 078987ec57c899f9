/* test_link_lcs.c - the LCS driver against the real engine and port: START and STOP, every CCW that can
 * fail, the cable, the card's death, groups, damaged blocks, and the soaks. The path of packets is in
 * test_osa_stack.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "link/lcslink.h"
#include "link/link_lcs.h"
#include "tests/unit/osalab.h"

struct one {
    struct lab *lab;
    struct sim_card *card;
    struct lab_host *host;
    struct device *dev;
    struct lcs_device *d;
};

static void begin(struct one *t) {
    t->lab = lab_create();
    t->card = lab_card(t->lab, "OSA1", 1500);
    t->host = lab_host(t->lab, "SYSA");
    t->dev = lab_lcs(t->host, t->card, "LCSA", 0x0E00, "10.1.1.1");
    t->d = t->dev->state;
}

static void test_start_stop(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    lab_start(t.dev);
    assert_string_equal(link_lcs_state_name(t.dev), "READY");
    assert_memory_equal(t.dev->lnk->mac, simcard_osa(t.card)->params.mac, 6);
    assert_int_equal(t.dev->lnk->caps, LINK_CAP_BCAST | LINK_CAP_MCAST);
    assert_int_equal(t.dev->lnk->mtu_bytes, 1500);
    lab_stop(t.dev);
    assert_int_equal(simchan_open_count(t.host->sys), 0);
    assert_int_equal(link_lcs_counters(t.dev)->failures, 0);
    assert_int_equal(link_lcs_counters(t.dev)->replies_stray, 0);
    lab_destroy(t.lab);
}

static void test_stop_anywhere(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    for (u32 turns = 0; turns < 60; turns++) {
        device_start(t.dev, t.lab->now);
        for (u32 i = 0; i < turns; i++) {
            simchan_run(t.host->sys, t.lab->now);
            simcard_run(t.card, t.lab->now);
            stack_poll(t.host->stk, t.lab->now);
            t.lab->now += 1000;
        }
        lab_stop(t.dev);
        assert_int_equal(simchan_open_count(t.host->sys), 0);
    }
    lab_start(t.dev);
    lab_destroy(t.lab);
}

static bool failed(void *ctx) {
    return ((struct one *)ctx)->dev->status == DEVST_NOT_ACTIVE;
}

static void test_faults_everywhere(void **state) {
    UNUSED(state);
    static const enum sim_fault_kind kinds[] = {SIM_FAULT_UNIT_CHECK,      SIM_FAULT_PROGRAM_CHECK,
                                                SIM_FAULT_NOT_OPERATIONAL, SIM_FAULT_LOST,
                                                SIM_FAULT_HALTED,          SIM_FAULT_DELAY};
    struct one t;
    u32 failures = 0, hits = 0;
    begin(&t);
    for (u32 k = 0; k < ARRAY_LEN(kinds); k++) {
        for (u16 unit = 0; unit < 2; unit++) {
            for (u32 skip = 0; skip < 8; skip++) {
                struct sim_fault f = {.kind = kinds[k],
                                      .devnum = (u16)(0x0E00 + unit),
                                      .detail = 0x40,
                                      .skip = skip,
                                      .times = 1,
                                      .delay_us = 3000000};
                u64 before = simchan_counters(t.host->sys)->faults_hit;
                simchan_fault(t.host->sys, &f);
                device_start(t.dev, t.lab->now);
                lab_until(t.lab, 30000000, failed, &t);
                failures += t.dev->status == DEVST_NOT_ACTIVE;
                hits += simchan_counters(t.host->sys)->faults_hit != before;
                simchan_faults_clear(t.host->sys);
                if (t.dev->status != DEVST_NOT_ACTIVE) lab_stop(t.dev);
                assert_int_equal(simchan_open_count(t.host->sys), 0);
            }
        }
    }
    assert_true(hits > 50);
    assert_true(failures > 25);
    lab_start(t.dev);
    lab_destroy(t.lab);
}

static void test_wrong_type(void **state) {
    UNUSED(state);
    struct one t;
    struct device *dev;
    struct link *lnk;
    char text[80];
    begin(&t);
    lab_osa(t.host, t.card, "OSAA", 0x0E10, "10.1.2.1");
    assert_int_equal(device_add(t.host->stk, "LCSX", DEV_LCS, 0x0E10, &dev), 0);
    assert_int_equal(link_add(t.host->stk, dev, "LLCSX", LNK_ETHERNET, 0, &lnk), 0);
    device_start(dev, t.lab->now);
    lab_run(t.lab, 1000000);
    assert_int_equal(dev->status, DEVST_NOT_ACTIVE);
    assert_true(lab_said(t.host, "CODE=02011731")); /* control unit 1731 */
    assert_true(lab_said(t.host, "PLX4308I DEVICE LCSX: WRONG TYPE IN SENSE, DETAIL 1731"));
    assert_string_equal(link_lcs_fail_text(0x02011731, text, sizeof text),
                        "WRONG TYPE IN SENSE, DETAIL 1731");
    lab_destroy(t.lab);
}

static void test_cable_and_card(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    lab_start(t.dev);
    simcard_cable(t.card, false, t.lab->now);
    lab_run(t.lab, 500000);
    assert_false(t.dev->lnk->up);
    assert_int_equal(t.dev->status, DEVST_READY);
    simcard_cable(t.card, true, t.lab->now);
    lab_run(t.lab, 500000);
    assert_true(t.dev->lnk->up);
    for (u32 i = 0; i < 100; i++) {
        simcard_kill(t.card);
        if (i % 3) lab_run(t.lab, (u64)i * 997 % 30000);
        simcard_start(t.card);
        lab_run(t.lab, i % 5 ? 1000000 : 100 * i);
        if (i % 5) assert_true(t.dev->lnk->up);
    }
    assert_int_equal(link_lcs_counters(t.dev)->failures, 0);
    lab_destroy(t.lab);
}

static void test_groups(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    lab_start(t.dev);
    struct link *lnk = t.dev->lnk;
    u32 before = simcard_osa(t.card)->mac_count;
    u32 joined = 0;
    for (u32 i = 0; i < LCS_GROUPS_MAX + 1; i++) {
        struct ipaddr g = {0xE1000001 + i};
        int rc = lnk->ops->group_join(lnk, g, t.lab->now);
        assert_true(rc == 0 || rc == -ERR_NOMEM);
        joined += rc == 0;
    }
    assert_true(joined <= LCS_GROUPS_MAX);
    assert_int_equal(link_lcs_counters(t.dev)->group_table_full, LCS_GROUPS_MAX + 1 - joined);
    lab_run(t.lab, 2000000);
    assert_int_equal(simcard_osa(t.card)->mac_count, before + joined);
    for (u32 i = 0; i < joined; i++) {
        struct ipaddr g = {0xE1000001 + i};
        assert_int_equal(lnk->ops->group_leave(lnk, g, t.lab->now), 0);
    }
    assert_int_equal(lnk->ops->group_leave(lnk, lab_ip("225.9.9.9"), t.lab->now), -ERR_NOENT);
    lab_run(t.lab, 2000000);
    assert_int_equal(simcard_osa(t.card)->mac_count, before);
    lab_destroy(t.lab);
}

static void test_thousand_cycles(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    for (u32 i = 0; i < 1000; i++) {
        lab_start(t.dev);
        lab_stop(t.dev);
        assert_int_equal(simchan_open_count(t.host->sys), 0);
    }
    assert_int_equal(link_lcs_counters(t.dev)->stops, 1000);
    assert_int_equal(link_lcs_counters(t.dev)->failures, 0);
    lab_destroy(t.lab);
}

/* Blocks that no station sends: the walk ends inside the block, counts, and goes on reading. */
static void test_damaged_blocks(void **state) {
    UNUSED(state);
    static const struct {
        u8 bytes[12];
        u32 len;
        bool malformed;
    } cases[] = {
        {{0}, 0, false},
        {{0}, 1, false},
        {{0, 0}, 2, false},
        {{0, 1}, 12, true},                   /* ends before its own header */
        {{0, 4, 1, 0}, 12, true},             /* a frame without an Ethernet header */
        {{0, 12, 0, 0, 1, 1, 0, 0}, 8, true}, /* says more than there is */
        {{0xFF, 0xFF, 1, 0}, 12, true},
        {{0, 8, 0, 0, 1, 1, 0, 0}, 12, true},       /* a command without a return code */
        {{0, 8, 9, 0, 0, 0, 0, 0, 0, 4}, 12, true}, /* unknown type, then an end that lies behind */
    };
    struct one t;
    begin(&t);
    lab_start(t.dev);
    for (u32 i = 0; i < ARRAY_LEN(cases); i++) {
        u64 before = link_lcs_counters(t.dev)->drops_in_malformed;
        u8 *block = t.d->read_buf[t.d->reading];
        struct chan_status st = {.unit = US_CHANNEL_END | US_DEVICE_END,
                                 .residual = (u16)(LCS_BLOCK_BYTES - cases[i].len)};
        memcpy(block, cases[i].bytes, cases[i].len);
        /* The READ that is outstanding is for this buffer; end it as if the station had written this block. */
        assert_int_equal(chan_halt(t.d->m.sub[LCS_UNIT_READ].ch), 0);
        t.d->m.state = LCS_HALT;
        simchan_run(t.host->sys, t.lab->now);
        t.d->m.state = LCS_READY;
        lcslink_read_done(t.d, &st, t.lab->now);
        assert_int_equal(link_lcs_counters(t.dev)->drops_in_malformed > before, cases[i].malformed);
        assert_string_equal(link_lcs_state_name(t.dev), "READY");
    }
    assert_int_equal(link_lcs_counters(t.dev)->drops_in_type, 1);
    lab_destroy(t.lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_stop),        cmocka_unit_test(test_stop_anywhere),
        cmocka_unit_test(test_faults_everywhere), cmocka_unit_test(test_wrong_type),
        cmocka_unit_test(test_cable_and_card),    cmocka_unit_test(test_groups),
        cmocka_unit_test(test_thousand_cycles),   cmocka_unit_test(test_damaged_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
