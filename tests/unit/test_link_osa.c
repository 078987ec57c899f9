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
#include "tests/unit/devdrills.h"

static void begin(struct drill *t) { drill_begin(t, lab_osa, "OSAA", 8992); }
static struct mpcipa *driver_of(const struct drill *t) { return t->dev->state; }

static bool in_oat(const struct sim_card *card, const char *addr) {
    const struct osa_port *p = simcard_osa(card);
    for (u32 i = 0; i < OSA_OAT_MAX; i++)
        if (ipaddr_eq(p->oat[i].ip, lab_ip(addr)) && !(p->oat[i].flags & OSA_OAT_LEARNED)) return true;
    return false;
}

static void test_start_stop(void **state) {
    UNUSED(state);
    struct drill t;
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

static void test_stop_anywhere(void **state) {
    UNUSED(state);
    struct drill t;
    begin(&t);
    drill_stop_anywhere(&t, 120);
    lab_destroy(t.lab);
}

static void test_faults_everywhere(void **state) {
    UNUSED(state);
    struct drill t;
    begin(&t);
    drill_faults(&t, 3, 28, 60000000, 200, 100);
    assert_true(in_oat(t.card, "10.1.1.1"));
    lab_destroy(t.lab);
}

static void test_no_device(void **state) {
    UNUSED(state);
    struct drill t;
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
    struct drill t;
    begin(&t);
    drill_cable(&t, 5);
    assert_true(in_oat(t.card, "10.1.1.1"));
    assert_int_equal(link_osa_counters(t.dev)->lan_losses, 5);
    assert_int_equal(link_osa_counters(t.dev)->failures, 0);
    lab_destroy(t.lab);
}

static void test_start_without_lan(void **state) {
    UNUSED(state);
    struct drill t;
    begin(&t);
    drill_start_without_lan(&t);
    assert_true(in_oat(t.card, "10.1.1.1"));
    lab_destroy(t.lab);
}

/* ---- addresses ---- */

static void test_addresses(void **state) {
    UNUSED(state);
    struct drill t;
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
        assert_int_equal(lnk->ops->address_del(lnk, lab_ip(text), false, t.lab->now), 0);
    }
    lab_run(t.lab, 3000000);
    for (u32 i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "10.1.2.%u", i + 1);
        assert_int_equal(in_oat(t.card, text), i >= 50);
    }
    assert_int_equal(driver_of(&t)->addr_pool.in_use, 51);
    for (u32 i = 50; i < 100; i++) {
        snprintf(text, sizeof text, "10.1.2.%u", i + 1);
        assert_int_equal(lnk->ops->address_del(lnk, lab_ip(text), false, t.lab->now), 0);
    }
    assert_int_equal(lnk->ops->address_del(lnk, lab_ip("10.9.9.9"), false, t.lab->now), -ERR_NOENT);
    lab_run(t.lab, 3000000);
    assert_int_equal(driver_of(&t)->addr_pool.in_use, 1);
    /* The table's limit is counted. */
    for (u32 i = 0; i < LINK_OSA_ADDRESSES_MAX; i++) {
        struct ipaddr a = {0x0A020000 + i};
        assert_int_equal(lnk->ops->address_add(lnk, a, true, t.lab->now),
                         i < LINK_OSA_ADDRESSES_MAX - 1 ? 0 : -ERR_NOMEM);
    }
    assert_int_equal(link_osa_counters(t.dev)->address_table_full, 1);
    lab_run(t.lab, 10000000);
    lab_stop(t.dev);
    assert_int_equal(driver_of(&t)->addr_pool.in_use, 0);
    lab_destroy(t.lab);
}

/* An address that another LPAR of the card has is refused, and that is no failure of the device. */
static void test_duplicate(void **state) {
    UNUSED(state);
    struct drill t;
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
    struct drill t;
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
    struct drill t;
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

static void addresses_follow(struct drill *t, bool started) {
    assert_int_equal(in_oat(t->card, "10.1.1.1"), started);
    assert_int_equal(driver_of(t)->addr_pool.in_use, started);
    if (!started) assert_int_equal(simcard_osa(t->card)->oat_count, 0);
}

static void test_thousand_cycles(void **state) {
    UNUSED(state);
    struct drill t;
    begin(&t);
    const char *n = getenv("SOAK_CYCLES");
    u32 cycles = n ? (u32)atoi(n) : 1000;
    drill_cycles(&t, cycles, addresses_follow);
    assert_int_equal(link_osa_counters(t.dev)->starts, cycles);
    assert_int_equal(link_osa_counters(t.dev)->stops, cycles);
    assert_int_equal(link_osa_counters(t.dev)->failures, 0);
    lab_destroy(t.lab);
}

static void test_hundred_kills(void **state) {
    UNUSED(state);
    struct drill t;
    begin(&t);
    struct lab_host *other = lab_host(t.lab, "SYSB");
    struct device *both[] = {t.dev, lab_osa(other, t.card, "OSAB", 0x0E00, "10.1.1.2")};
    lab_start(both[0]);
    lab_start(both[1]);
    drill_kills(&t, both, 2, 100);
    for (u32 i = 0; i < 2; i++) assert_int_equal(link_osa_counters(both[i])->failures, 0);
    assert_true(in_oat(t.card, "10.1.1.1"));
    assert_true(in_oat(t.card, "10.1.1.2"));
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
