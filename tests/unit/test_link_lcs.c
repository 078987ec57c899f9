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
#include "tests/unit/devdrills.h"

static void begin(struct drill *t) { drill_begin(t, lab_lcs, "LCSA", 1500); }

static void test_start_stop(void **state) {
    UNUSED(state);
    struct drill t;
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
    struct drill t;
    begin(&t);
    drill_stop_anywhere(&t, 60);
    lab_destroy(t.lab);
}

static void test_faults_everywhere(void **state) {
    UNUSED(state);
    struct drill t;
    begin(&t);
    drill_faults(&t, 2, 8, 30000000, 50, 25);
    lab_destroy(t.lab);
}

static void test_start_without_lan(void **state) {
    UNUSED(state);
    struct drill t;
    begin(&t);
    drill_start_without_lan(&t);
    assert_int_equal(link_lcs_counters(t.dev)->failures, 0);
    lab_destroy(t.lab);
}

static void test_wrong_type(void **state) {
    UNUSED(state);
    struct drill t;
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
    struct drill t;
    begin(&t);
    drill_cable(&t, 5);
    drill_kills(&t, &t.dev, 1, 100);
    assert_int_equal(link_lcs_counters(t.dev)->failures, 0);
    lab_destroy(t.lab);
}

static void test_groups(void **state) {
    UNUSED(state);
    struct drill t;
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
    struct drill t;
    begin(&t);
    drill_cycles(&t, 1000, NULL);
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
    struct drill t;
    begin(&t);
    struct lcs_device *d = t.dev->state;
    lab_start(t.dev);
    for (u32 i = 0; i < ARRAY_LEN(cases); i++) {
        u64 before = link_lcs_counters(t.dev)->drops_in_malformed;
        u8 *block = d->read_buf[d->reading];
        struct chan_status st = {.unit = US_CHANNEL_END | US_DEVICE_END,
                                 .residual = (u16)(LCS_BLOCK_BYTES - cases[i].len)};
        memcpy(block, cases[i].bytes, cases[i].len);
        /* The READ that is outstanding is for this buffer; end it as if the station had written this block. */
        assert_int_equal(chan_halt(d->m.sub[LCS_UNIT_READ].ch), 0);
        d->m.state = LCS_HALT;
        simchan_run(t.host->sys, t.lab->now);
        d->m.state = LCS_READY;
        lcslink_read_done(d, &st, t.lab->now);
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
        cmocka_unit_test(test_start_without_lan),
        cmocka_unit_test(test_cable_and_card),    cmocka_unit_test(test_groups),
        cmocka_unit_test(test_thousand_cycles),   cmocka_unit_test(test_damaged_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
