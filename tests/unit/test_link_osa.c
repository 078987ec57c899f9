/* test_link_osa.c - the QDIO driver against the real engine and port: START and STOP, every step that can
 * fail, the card's death, addresses and groups, and the soaks: 1,000 START/STOP cycles, 100 kills of the
 * card. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "link/link_osa.h"
#include "link/mpcipa.h"
#include "tests/unit/osalab.h"

struct one {
    struct lab *lab;
    struct sim_card *card;
    struct lab_host *host;
    struct device *dev;
    struct mpcipa *d;
};

static void begin(struct one *t) {
    t->lab = lab_create();
    t->card = lab_card(t->lab, "OSA1", 8992);
    t->host = lab_host(t->lab, "SYSA");
    t->dev = lab_osa(t->host, t->card, "OSAA", 0x0E00, "10.1.1.1");
    t->d = t->dev->state;
}

static bool in_oat(const struct sim_card *card, const char *addr) {
    const struct osa_port *p = simcard_osa(card);
    for (u32 i = 0; i < OSA_OAT_MAX; i++)
        if (ipaddr_eq(p->oat[i].ip, lab_ip(addr)) && !(p->oat[i].flags & OSA_OAT_LEARNED)) return true;
    return false;
}

static void test_start_stop(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    lab_start(t.dev);
    struct link *lnk = t.dev->lnk;
    assert_string_equal(link_osa_state_name(t.dev), "READY");
    assert_int_equal(lnk->mtu_bytes, 8992);
    assert_memory_equal(lnk->mac, simcard_osa(t.card)->params.mac, 6);
    u16 all =
        LINK_CAP_ARP | LINK_CAP_CSUM_IN | LINK_CAP_CSUM_OUT | LINK_CAP_MCAST | LINK_CAP_BCAST | LINK_CAP_GSO;
    assert_int_equal(lnk->caps, all);
    assert_true(in_oat(t.card, "10.1.1.1"));
    assert_true(lab_said(t.host, "EZZ4313I"));
    lab_stop(t.dev);
    assert_true(lab_said(t.host, "EZZ4315I"));
    assert_false(in_oat(t.card, "10.1.1.1"));
    assert_int_equal(simchan_open_count(t.host->sys), 0);
    assert_int_equal(link_osa_counters(t.dev)->failures, 0);
    assert_int_equal(link_osa_counters(t.dev)->replies_malformed, 0);
    assert_int_equal(link_osa_counters(t.dev)->replies_stray, 0);
    lab_destroy(t.lab);
}

/* STOP at every moment of START: whatever is going on, the device ends NOT ACTIVE and leaves nothing behind.
 * */
static void test_stop_anywhere(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    for (u32 turns = 0; turns < 120; turns++) {
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

/* Each CCW of the dialogue is hit by each kind of fault: the device fails with a code, or retries and comes
 * up; afterwards a START without faults succeeds. */
static void test_faults_everywhere(void **state) {
    UNUSED(state);
    static const enum sim_fault_kind kinds[] = {SIM_FAULT_UNIT_CHECK,      SIM_FAULT_PROGRAM_CHECK,
                                                SIM_FAULT_NOT_OPERATIONAL, SIM_FAULT_LOST,
                                                SIM_FAULT_HALTED,          SIM_FAULT_DELAY};
    struct one t;
    u32 failures = 0, hits = 0;
    begin(&t);
    for (u32 k = 0; k < ARRAY_LEN(kinds); k++) {
        for (u16 unit = 0; unit < 3; unit++) {
            for (u32 skip = 0; skip < 28; skip++) {
                struct sim_fault f = {.kind = kinds[k],
                                      .devnum = (u16)(0x0E00 + unit),
                                      .detail = 0x40,
                                      .skip = skip,
                                      .times = 1,
                                      .delay_us = 3000000};
                u64 before = simchan_counters(t.host->sys)->faults_hit;
                simchan_fault(t.host->sys, &f);
                device_start(t.dev, t.lab->now);
                lab_until(t.lab, 60000000, failed, &t);
                failures += t.dev->status == DEVST_NOT_ACTIVE;
                hits += simchan_counters(t.host->sys)->faults_hit != before;
                simchan_faults_clear(t.host->sys);
                if (t.dev->status != DEVST_NOT_ACTIVE) lab_stop(t.dev);
                assert_int_equal(simchan_open_count(t.host->sys), 0);
            }
        }
    }
    assert_true(hits > 200);
    assert_true(failures > 100);
    lab_start(t.dev);
    assert_true(in_oat(t.card, "10.1.1.1"));
    lab_destroy(t.lab);
}

static void test_no_device(void **state) {
    UNUSED(state);
    struct one t;
    struct device *dev;
    struct link *lnk;
    char text[80];
    begin(&t);
    assert_int_equal(device_add(t.host->stk, "OSAX", DEV_MPCIPA, 0x0F00, &dev), 0);
    assert_int_equal(link_add(t.host->stk, dev, "LOSAX", LNK_IPAQENET, 0, &lnk), 0);
    device_start(dev, t.lab->now);
    lab_run(t.lab, 2000000);
    assert_int_equal(dev->status, DEVST_NOT_ACTIVE);
    assert_true(lab_said(t.host, "EZZ4308I"));
    assert_true(lab_said(t.host, "PLX4308I DEVICE OSAX: NO DEVICE IN "));
    assert_string_equal(
        link_osa_fail_text(OSA_FAIL_TIMEOUT << 24 | OSA_ULP_SETUP << 16 | 0x12, text, sizeof text),
        "TIMEOUT IN ULP_SETUP, DETAIL 0012");
    assert_string_equal(link_osa_fail_text(0xFFFF0000, text, sizeof text), "? IN ?, DETAIL 0000");
    lab_destroy(t.lab);
}

static void test_cable(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    lab_start(t.dev);
    for (u32 i = 0; i < 5; i++) {
        simcard_cable(t.card, false, t.lab->now);
        lab_run(t.lab, 500000);
        assert_false(t.dev->lnk->up);
        assert_int_equal(t.dev->status, DEVST_READY);
        simcard_cable(t.card, true, t.lab->now);
        lab_run(t.lab, 500000);
        assert_true(t.dev->lnk->up);
        assert_true(in_oat(t.card, "10.1.1.1"));
    }
    assert_int_equal(link_osa_counters(t.dev)->lan_losses, 5);
    assert_int_equal(link_osa_counters(t.dev)->failures, 0);
    lab_destroy(t.lab);
}

/* A START without a cable, and one without a card: READY with the link down, up when there is a LAN. */
static void test_start_without_lan(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    simcard_cable(t.card, false, t.lab->now);
    device_start(t.dev, t.lab->now);
    lab_run(t.lab, 2000000);
    assert_int_equal(t.dev->status, DEVST_READY);
    assert_false(t.dev->lnk->up);
    simcard_cable(t.card, true, t.lab->now);
    lab_run(t.lab, 2000000);
    assert_true(t.dev->lnk->up);
    assert_true(in_oat(t.card, "10.1.1.1"));
    lab_stop(t.dev);
    simcard_kill(t.card);
    lab_run(t.lab, 100000);
    device_start(t.dev, t.lab->now);
    lab_run(t.lab, 2000000);
    assert_int_equal(t.dev->status, DEVST_READY);
    assert_false(t.dev->lnk->up);
    simcard_start(t.card);
    lab_run(t.lab, 2000000);
    assert_true(t.dev->lnk->up);
    assert_true(in_oat(t.card, "10.1.1.1"));
    assert_memory_equal(t.dev->lnk->mac, simcard_osa(t.card)->params.mac, 6);
    lab_destroy(t.lab);
}

/* ---- addresses ---- */

static void test_addresses(void **state) {
    UNUSED(state);
    struct one t;
    char text[20];
    begin(&t);
    lab_start(t.dev);
    struct link *lnk = t.dev->lnk;
    for (u32 i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "10.1.2.%u", i + 1);
        assert_int_equal(lnk->ops->address_add(lnk, lab_ip(text), true, t.lab->now), 0);
    }
    /* Half of them change their mind before the card was asked. */
    for (u32 i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "10.1.2.%u", i + 1);
        assert_int_equal(lnk->ops->address_del(lnk, lab_ip(text), t.lab->now), 0);
    }
    lab_run(t.lab, 3000000);
    for (u32 i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "10.1.2.%u", i + 1);
        assert_int_equal(in_oat(t.card, text), i >= 50);
    }
    assert_int_equal(t.d->addr_pool.in_use, 51);
    for (u32 i = 50; i < 100; i++) {
        snprintf(text, sizeof text, "10.1.2.%u", i + 1);
        assert_int_equal(lnk->ops->address_del(lnk, lab_ip(text), t.lab->now), 0);
    }
    assert_int_equal(lnk->ops->address_del(lnk, lab_ip("10.9.9.9"), t.lab->now), -ERR_NOENT);
    lab_run(t.lab, 3000000);
    assert_int_equal(t.d->addr_pool.in_use, 1);
    /* The table's limit is counted. */
    for (u32 i = 0; i < LINK_OSA_ADDRESSES_MAX; i++) {
        struct ipaddr a = {0x0A020000 + i};
        assert_int_equal(lnk->ops->address_add(lnk, a, true, t.lab->now),
                         i < LINK_OSA_ADDRESSES_MAX - 1 ? 0 : -ERR_NOMEM);
    }
    assert_int_equal(link_osa_counters(t.dev)->address_table_full, 1);
    lab_run(t.lab, 10000000);
    lab_stop(t.dev);
    assert_int_equal(t.d->addr_pool.in_use, 0);
    lab_destroy(t.lab);
}

/* An address that another LPAR of the card has is refused, and that is no failure of the device. */
static void test_duplicate(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    struct lab_host *other = lab_host(t.lab, "SYSB");
    struct device *dev = lab_osa(other, t.card, "OSAB", 0x0E00, "10.1.1.1");
    lab_start(t.dev);
    lab_start(dev);
    assert_int_equal(dev->status, DEVST_READY);
    assert_int_equal(link_osa_counters(dev)->address_refused, 1);
    assert_int_equal(link_osa_counters(t.dev)->address_refused, 0);
    lab_destroy(t.lab);
}

static void test_router_role(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    struct lab_host *other = lab_host(t.lab, "SYSB");
    struct device *dev = lab_osa(other, t.card, "OSAB", 0x0E00, "10.1.1.2");
    t.dev->role = dev->role = ROUTER_PRIMARY;
    lab_start(t.dev);
    assert_int_not_equal(simcard_osa(t.card)->primary, 0);
    lab_start(dev);
    assert_int_equal(link_osa_counters(dev)->routing_refused, 1);
    lab_destroy(t.lab);
}

static void test_groups(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    lab_start(t.dev);
    u32 before = simcard_osa(t.card)->mac_count;
    assert_int_equal(t.dev->lnk->ops->group_join(t.dev->lnk, lab_ip("224.0.0.5"), t.lab->now), 0);
    lab_run(t.lab, 500000);
    assert_int_equal(simcard_osa(t.card)->mac_count, before + 1);
    assert_int_equal(t.dev->lnk->ops->group_leave(t.dev->lnk, lab_ip("224.0.0.5"), t.lab->now), 0);
    lab_run(t.lab, 500000);
    assert_int_equal(simcard_osa(t.card)->mac_count, before);
    lab_destroy(t.lab);
}

/* ---- soaks ---- */

static void test_thousand_cycles(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    const char *n = getenv("SOAK_CYCLES");
    u32 cycles = n ? (u32)atoi(n) : 1000;
    for (u32 i = 0; i < cycles; i++) {
        lab_start(t.dev);
        assert_true(in_oat(t.card, "10.1.1.1"));
        lab_stop(t.dev);
        assert_int_equal(simchan_open_count(t.host->sys), 0);
        assert_int_equal(t.d->addr_pool.in_use, 0);
        assert_int_equal(simcard_osa(t.card)->oat_count, 0);
    }
    assert_int_equal(link_osa_counters(t.dev)->starts, cycles);
    assert_int_equal(link_osa_counters(t.dev)->stops, cycles);
    assert_int_equal(link_osa_counters(t.dev)->failures, 0);
    lab_destroy(t.lab);
}

static void test_hundred_kills(void **state) {
    UNUSED(state);
    struct one t;
    begin(&t);
    struct lab_host *other = lab_host(t.lab, "SYSB");
    struct device *dev = lab_osa(other, t.card, "OSAB", 0x0E00, "10.1.1.2");
    lab_start(t.dev);
    lab_start(dev);
    for (u32 i = 0; i < 100; i++) {
        simcard_kill(t.card);
        /* Sometimes it is back before anybody noticed, sometimes in the middle of what the loss set off. */
        if (i % 3) lab_run(t.lab, (u64)i * 997 % 30000);
        simcard_start(t.card);
        lab_run(t.lab, i % 5 ? 2000000 : 100 * i);
        if (i % 5 == 0) continue;
        assert_true(t.dev->lnk->up);
        assert_true(dev->lnk->up);
        assert_true(in_oat(t.card, "10.1.1.1"));
        assert_true(in_oat(t.card, "10.1.1.2"));
    }
    assert_int_equal(link_osa_counters(t.dev)->failures, 0);
    assert_int_equal(link_osa_counters(dev)->failures, 0);
    lab_destroy(t.lab);
}

/* ---- the table ---- */

struct printed {
    u32 lines;
    char text[16384];
};

static void keep_line(void *ctx, const char *text) {
    struct printed *p = ctx;
    size_t at = strlen(p->text);
    snprintf(p->text + at, sizeof p->text - at, "%s\n", text);
    p->lines++;
}

/* Every step of the start-up and of the way down leads somewhere on each of these: nothing hangs for ever. */
static void test_table(void **state) {
    UNUSED(state);
    static const char *const steps[] = {"SENSE",      "IDX_READ",  "IDX_WRITE", "CM_ENABLE", "CM_SETUP",
                                        "ULP_ENABLE", "ULP_SETUP", "ESTABLISH", "ACTIVATE",  "DM_ACT",
                                        "STARTLAN",   "QIPASSIST", "ADAPTER",   "MAC",       "ASSIST",
                                        "ROUTING",    "STOPLAN"};
    static const char *const events[] = {"OK", "REFUSED", "ERROR", "TIMEOUT", "LOST"};
    static struct printed p;
    char cell[32];
    link_osa_print_fsm(keep_line, &p);
    assert_true(p.lines > 100);
    for (u32 s = 0; s < ARRAY_LEN(steps); s++) {
        for (u32 e = 0; e < ARRAY_LEN(events); e++) {
            snprintf(cell, sizeof cell, "%-10s %-8s ", steps[s], events[e]);
            if (!strstr(p.text, cell)) fail_msg("no cell for %s", cell);
        }
    }
    assert_non_null(strstr(p.text, "HALT       QUIET    DOWN"));
    assert_non_null(strstr(p.text, "READY      LAN      STARTLAN"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_stop),
        cmocka_unit_test(test_stop_anywhere),
        cmocka_unit_test(test_faults_everywhere),
        cmocka_unit_test(test_no_device),
        cmocka_unit_test(test_cable),
        cmocka_unit_test(test_start_without_lan),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_duplicate),
        cmocka_unit_test(test_router_role),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_hundred_kills),
        cmocka_unit_test(test_thousand_cycles),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
