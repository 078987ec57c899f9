/* test_monitor.c - GLOBALCONFIG SYSPLEXMONITOR on simulated systems: each problem, with and without RECOVERY and AUTOREJOIN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sysplex/dvipa_impl.h"
#include "sysplex/monitor.h"
#include "tests/sim/simplex.h"
#include "tests/unit/testnet.h"

#include <cmocka.h>

#define VIP  ipaddr_v4(0x0A000050)
#define MASK ipaddr_v4(0xFFFFFF00)
#define SEC  ((u64)USEC_PER_SEC)

enum { NORECOVERY, RECOVERY, AUTOREJOIN };

static void profile(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    UNUSED(ctx);
    if (i == 0)
        assert_int_equal(dvipa_define(sx, VIP, MASK, DVIPA_IMMEDIATE, now), 0);
    else
        assert_int_equal(dvipa_backup(sx, VIP, (u8)(200 - i), IPADDR_ANY, DVIPA_MOVEABLE_NA, now), 0);
}

static void monitor(struct simplex *p, u32 i, int how, bool interface) {
    const struct monitor_config c = {
        .timer_sec = 10, .recovery = how != NORECOVERY, .autorejoin = how == AUTOREJOIN, .moninterface = interface};
    monitor_configure(simplex_sysplex(p, i), &c, simplex_local(p, i));
    link_find(simplex_stack(p, i), "LAN")->monsysplex = interface;
}

/* Three systems that have met; the first one, which owns VIP, is watched. */
static struct simplex *plex(int how, bool interface) {
    struct couple slow = {.interval_s = 60};
    couple_default(&slow);
    slow.interval_s = 60;
    slow.cleanup_s = 5;
    str_copy(slow.sysplex, sizeof slow.sysplex, "PLEX1");
    struct simplex_params par = {.seed = 5, .systems = 3, .profile = profile, .couple = &slow, .slice_us = 2000};
    struct simplex *p = simplex_create(&par);
    simplex_run(p, 4 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 0);
    monitor(p, 0, how, interface);
    return p;
}

static void xcf_devices(struct simplex *p, bool start) {
    static const char *const names[] = {"SYS02", "SYS03"};
    u64 now = simplex_local(p, 0);
    for (u32 i = 0; i < ARRAY_LEN(names); i++) {
        struct device *dev = device_find(simplex_stack(p, 0), names[i]);
        assert_non_null(dev);
        if (start)
            device_start(dev, now);
        else
            device_stop(dev, now);
    }
}

#define XCF_LOST "EZZ9673E TCPIP DETERMINED THAT DYNAMIC XCF CONNECTIVITY TO ALL PARTNERS WAS NOT AVAILABLE FOR AT LEAST 10 SECONDS"
#define CLEANUP  "EZZ9676E SYSPLEX PROBLEM DETECTION CLEANUP HAS SUCCEEDED FOR TCPIP"

static void xcf_links(void **state) {
    struct simplex *p = plex(AUTOREJOIN, false);
    UNUSED(state);
    xcf_devices(p, false);
    simplex_run(p, 9 * SEC);
    assert_int_equal(simplex_said(p, 0, "EZZ9673E"), 0); /* not before TIMERSECS */
    simplex_run(p, 5 * SEC);
    assert_int_equal(simplex_said(p, 0, XCF_LOST), 1);
    assert_int_equal(simplex_said(p, 0, CLEANUP), 1);
    assert_int_equal(simplex_owner(p, VIP), 1);
    assert_null(home_find(simplex_stack(p, 0), VIP));
    simplex_run(p, 20 * SEC); /* the operator's STOP stands: it stays out */
    assert_int_equal(sysplex_state(simplex_sysplex(p, 0)), SYSPLEX_OUT);
    xcf_devices(p, true);
    simplex_run(p, 5 * SEC);
    assert_int_equal(simplex_said(p, 0, "PLX0506I THE PROBLEM OF EZZ9673E IS OVER FOR TCPIP"), 1);
    assert_int_equal(simplex_said(p, 0, "EZD1192I"), 1);
    assert_int_equal(simplex_owner(p, VIP), 0);
    assert_true(link_find(simplex_stack(p, 0), "EZAXCF02")->up);
    simplex_destroy(p);
}

/* One of two links is enough. */
static void one_link_left(void **state) {
    struct simplex *p = plex(RECOVERY, false);
    UNUSED(state);
    xcf_devices(p, false);
    device_start(device_find(simplex_stack(p, 0), "SYS03"), simplex_local(p, 0));
    simplex_run(p, 20 * SEC);
    assert_int_equal(simplex_said(p, 0, "EZZ9673E"), 0);
    assert_int_equal(simplex_owner(p, VIP), 0);
    simplex_destroy(p);
}

static void norecovery_only_says_it(void **state) {
    struct simplex *p = plex(NORECOVERY, false);
    UNUSED(state);
    xcf_devices(p, false);
    simplex_run(p, 30 * SEC);
    assert_int_equal(simplex_said(p, 0, "EZZ9673E"), 1); /* once */
    assert_int_equal(simplex_owner(p, VIP), 0);
    xcf_devices(p, true);
    simplex_run(p, 5 * SEC);
    assert_int_equal(simplex_said(p, 0, "PLX0506I"), 1);
    simplex_destroy(p);
}

static void without_autorejoin_it_waits_for_the_operator(void **state) {
    struct simplex *p = plex(RECOVERY, false);
    UNUSED(state);
    xcf_devices(p, false);
    simplex_run(p, 15 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 1);
    xcf_devices(p, true);
    simplex_run(p, 20 * SEC);
    assert_int_equal(sysplex_state(simplex_sysplex(p, 0)), SYSPLEX_OUT);
    assert_int_equal(sysplex_joingroup(simplex_sysplex(p, 0), simplex_local(p, 0)), 0);
    simplex_run(p, 2 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 0);
    simplex_destroy(p);
}

/* LEAVEGROUP of a stack that is out already makes that its operator's will: AUTOREJOIN has no say any more. */
static void leavegroup_ends_autorejoin(void **state) {
    struct simplex *p = plex(AUTOREJOIN, false);
    UNUSED(state);
    xcf_devices(p, false);
    simplex_run(p, 15 * SEC);
    assert_int_equal(sysplex_leavegroup(simplex_sysplex(p, 0), simplex_local(p, 0)), 0);
    xcf_devices(p, true);
    simplex_run(p, 20 * SEC);
    assert_int_equal(sysplex_state(simplex_sysplex(p, 0)), SYSPLEX_OUT);
    simplex_destroy(p);
}

static void stood_still(void **state) {
    struct simplex *p = plex(AUTOREJOIN, false);
    UNUSED(state);
    simxcf_pause(simplex_xcf(p), 0, true);
    simplex_run(p, 12 * SEC); /* INTERVAL is 60 s: XCF has not given it up */
    simxcf_pause(simplex_xcf(p), 0, false);
    simplex_run(p, SEC);
    assert_int_equal(simplex_said(p, 0, "EZZ9674E TCPIP SYSPLEX PROCESSING WAS NOT RESPONSIVE FOR AT LEAST 10 SECONDS"), 1);
    assert_int_equal(simplex_owner(p, VIP), 1);
    simplex_run(p, 60 * SEC); /* whatever made it stand still may do so again */
    assert_int_equal(sysplex_state(simplex_sysplex(p, 0)), SYSPLEX_OUT);
    assert_int_equal(sysplex_joingroup(simplex_sysplex(p, 0), simplex_local(p, 0)), 0);
    simplex_run(p, 2 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 0);
    simplex_destroy(p);
}

static void storage(void **state) {
    struct simplex *p = plex(AUTOREJOIN, false);
    struct pool *small = &simplex_stack(p, 0)->small;
    static void *held[4096];
    u32 n = 0;
    UNUSED(state);
    while (n < ARRAY_LEN(held) && (held[n] = pool_get(small))) n++;
    for (u32 i = 0; i < 14; i++) {
        simplex_run(p, SEC);
        assert_null(pool_get(small)); /* the traffic that it cannot serve */
    }
    assert_int_equal(simplex_said(p, 0, "EZD1170E TCPIP WAS NOT ABLE TO GET TCP/IP"), 1);
    assert_int_equal(simplex_owner(p, VIP), 1);
    while (n) pool_put(small, held[--n]);
    simplex_run(p, 5 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 0);
    simplex_destroy(p);
}

static void interfaces(void **state) {
    struct simplex *p = plex(AUTOREJOIN, true);
    struct link *lan = link_find(simplex_stack(p, 0), "LAN");
    UNUSED(state);
    link_lan_down(lan, simplex_local(p, 0));
    simplex_run(p, 14 * SEC);
    assert_int_equal(simplex_said(p, 0, "EZD1209E TCPIP DETERMINED THAT ALL MONITORED INTERFACES WERE NOT ACTIVE FOR AT LEAST 10"), 1);
    assert_int_equal(simplex_owner(p, VIP), 1);
    link_lan_up(lan, simplex_local(p, 0));
    simplex_run(p, 5 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 0);
    /* Without MONSYSPLEX nobody looks. */
    lan->monsysplex = false;
    link_lan_down(lan, simplex_local(p, 0));
    simplex_run(p, 20 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 0);
    simplex_destroy(p);
}

/* The only member stays: there is nobody to do it better. */
static void alone(void **state) {
    struct simplex *p = plex(RECOVERY, true);
    UNUSED(state);
    for (u32 i = 1; i < 3; i++) simplex_stop_stack(p, i);
    simplex_run(p, SEC);
    link_lan_down(link_find(simplex_stack(p, 0), "LAN"), simplex_local(p, 0));
    simplex_run(p, 20 * SEC);
    assert_int_equal(simplex_said(p, 0, "EZD1209E"), 1);
    assert_int_equal(simplex_said(p, 0, "EZZ9676E"), 0);
    assert_int_equal(simplex_owner(p, VIP), 0);
    /* As soon as somebody is there again, it makes room. */
    simplex_start_stack(p, 1);
    simplex_run(p, 10 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 1);
    simplex_destroy(p);
}

static void without_interface(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    const struct monitor_config c = {.timer_sec = 10, .delayjoin = true, .moninterface = true};
    struct link *lan = link_find(sysplex_stack(sx), "LAN");
    profile(ctx, i, sx, now);
    if (i) return;
    lan->monsysplex = true;
    link_lan_down(lan, now);
    monitor_configure(sx, &c, now);
}

static void delayjoin(void **state) {
    struct simplex_params par = {.seed = 5, .systems = 2, .profile = without_interface};
    struct simplex *p = simplex_create(&par);
    UNUSED(state);
    simplex_run(p, 6 * SEC);
    assert_int_equal(simplex_said(p, 0, "EZD1211E TCPIP DELAYING SYSPLEX PROFILE PROCESSING - ALL MONITORED INTERFACES"), 1);
    assert_int_equal(simplex_said(p, 0, "EZD1176I"), 0);
    link_lan_up(link_find(simplex_stack(p, 0), "LAN"), simplex_local(p, 0));
    simplex_run(p, SEC);
    assert_int_equal(simplex_said(p, 0, "EZD1176I"), 1);
    assert_int_equal(simplex_said(p, 0, "EZD1192I"), 0); /* it had never been a member */
    assert_int_equal(simplex_owner(p, VIP), 0);
    simplex_destroy(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xcf_links),
        cmocka_unit_test(one_link_left),
        cmocka_unit_test(norecovery_only_says_it),
        cmocka_unit_test(without_autorejoin_it_waits_for_the_operator),
        cmocka_unit_test(leavegroup_ends_autorejoin),
        cmocka_unit_test(stood_still),
        cmocka_unit_test(storage),
        cmocka_unit_test(interfaces),
        cmocka_unit_test(alone),
        cmocka_unit_test(delayjoin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
