/* test_pagent.c - S, F and P PAGENT on one system without partners, NETSTAT SLAP, VDPT and VCRT with rules. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vipafix.h"

#include "super/pagent.h"
#include "sysplex/dist_impl.h"
#include "sysplex/sysplex.h"

#define SYSTEM                                                                                                          \
    "DEVICE OSA1 MPCIPA\nLINK L1 IPAQENET OSA1\nHOME 10.1.1.1 L1\nIPCONFIG SYSPLEXROUTING DYNAMICXCF 193.9.200.1 "         \
    "255.255.255.0 1\nSTART OSA1\nVIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 VIPADISTRIBUTE 10.1.9.10 PORT 80 DESTIP "   \
    "ALL ENDVIPADYNAMIC\nAUTOLOG HTTPD ENDAUTOLOG\n"
#define MEMBER "TCPIP.TCPPARMS(PAGENT)"
#define GOOD                                                                                                            \
    "PolicyAction Gold\n{\nOutboundInterface 193.9.200.1\nOutboundInterface 0.0.0.0\n}\n"                              \
    "PolicyRule Office\n{\nPolicyActionReference Gold\nForLoadDistribution TRUE\nSourceAddressRange 10.5.0.0/16\n"        \
    "DestinationPortRange 80\nTimeOfDayRange 15:00-16:00\n}\n"

static struct distributor *dist(void) { return fix.sys.stacks[0]->dist; }

/* Asks as the distributor does for a first SYN. */
static struct dist_policy asked(const char *client) {
    struct dist_policy p = {.allowed = UINT32_MAX};
    struct vcrt_key k = {.dvipa = ipaddr_v4(0x0A01090A), .dport = 80, .cport = 4000};
    assert_true(ipaddr_parse(client, strlen(client), &k.client));
    assert_non_null(dist()->policy);
    dist()->policy(dist()->policy_ctx, &k, &p, fix.now);
    return p;
}

static void started_asked_stopped(void **state) {
    UNUSED(state);
    begin(SYSTEM);
    memds_set(MEMBER, GOOD "PolicyPerfMonitorForSDR Enable\n{\nSamplingInterval 5\n}\n");
    assert_true(fix_cmd("S PAGENT"));
    FIX_SAID("EZZ8431I PAGENT STARTING");
    FIX_SAID("EZZ8771I PAGENT CONFIG POLICY PROCESSING COMPLETE FOR TCPIP : QOS");
    FIX_SAID("EZZ8432I PAGENT INITIALIZATION COMPLETE");
    assert_false(fix_cmd("S PAGENT,JOBNAME=PAGENT2"));
    struct dist_policy p = asked("10.5.7.1");
    assert_int_equal(p.allowed, 1); /* slot 0 is this stack */
    assert_int_equal(p.rule, 1);
    assert_true(p.else_any);
    assert_int_equal(asked("10.6.0.1").allowed, UINT32_MAX);
    assert_int_equal(asked("10.6.0.1").rule, 0);
    fix_cmd("D TCPIP,,NETSTAT,SLAP,DETAIL");
    FIX_SAID("POLICYRULENAME: Office\n  POLICYACTION: Gold\n  STATUS: ACTIVE    PRIORITY: 0000000000  LOADDIST: YES\n"
             "  ACCEPTCONN: 0000000001  DENIEDCONN: 0000000000\n  SOURCE: 10.5.0.0-10.5.255.255..0-65535\n"
             "  DEST  : 0.0.0.0-255.255.255.255..80-80\n  OUTBOUNDINTF: 193.9.200.1\n  OUTBOUNDINTF: 0.0.0.0\n"
             "1 OF 1 RECORDS DISPLAYED");
    fix_cmd("D TCPIP,,NETSTAT,VDPT,DETAIL");
    FIX_SAID("  QOSPLCACT: *DEFAULT*\n    W/Q: 01  FRACTION: 000\n  QOSPLCACT: Gold\n    W/Q: 01");
    assert_true(fix_cmd("F PAGENT,QUERY"));
    FIX_SAID("PLX0543I TCPIP.TCPPARMS(PAGENT): 1 RULES, 1 ACTIONS, PERFORMANCE MONITOR ENABLED, EVERY 5 SECONDS");
    assert_false(fix_cmd("F PAGENT,FROB"));
    FIX_SAID("REFRESH OR QUERY");
    assert_true(fix_cmd("P PAGENT"));
    FIX_SAID("EZZ8773I PAGENT POLICIES PURGED FOR TCPIP: QOS");
    FIX_SAID("EZZ8433I PAGENT SHUTDOWN COMPLETE");
    assert_null(dist()->policy);
    fix_cmd("D TCPIP,,NETSTAT,SLAP");
    FIX_SAID("0 OF 0 RECORDS DISPLAYED");
    fix_end();
}

/* A member with errors changes nothing; one without, everything. */
static void refresh(void **state) {
    UNUSED(state);
    begin(SYSTEM);
    assert_true(fix_cmd("S PAGENT"));
    FIX_SAID("PLX0542E TCPIP.TCPPARMS(PAGENT) IS NOT USED BY PAGENT: IT DOES NOT EXIST");
    assert_int_equal(asked("10.5.7.1").rule, 0);
    memds_set(MEMBER, GOOD);
    assert_true(fix_cmd("F PAGENT,REFRESH"));
    FIX_SAID("EZZ8443I PAGENT MODIFY COMMAND ACCEPTED");
    FIX_SAID("EZZ8771I");
    assert_int_equal(asked("10.5.7.1").rule, 1);
    memds_set(MEMBER, GOOD "PolicyRule Late\n{\nPolicyActionReference Silver\nTimeOfDayRange 25:00-26:00\n}\n");
    assert_false(fix_cmd("F PAGENT,REFRESH"));
    FIX_SAID("PLX0540E TCPIP.TCPPARMS(PAGENT) LINE 17: 25:00-26:00 WAS FOUND AND HH:MM-HH:MM WAS EXPECTED");
    FIX_SAID("PLX0540E TCPIP.TCPPARMS(PAGENT) LINE 16: Silver WAS FOUND AND THE NAME OF A POLICYACTION WAS EXPECTED");
    FIX_SAID("EZZ8438I PAGENT POLICY DEFINITIONS CONTAIN ERRORS FOR TCPIP : QOS");
    FIX_NOT_SAID("EZZ8771I");
    assert_int_equal(asked("10.5.7.1").rule, 1);
    /* An action whose only target is not in the sysplex allows nobody. */
    memds_set(MEMBER, "PolicyAction Far\n{\nOutboundInterface 193.9.200.9\n}\nPolicyRule Office\n{\nPolicyActionReference Far\n"
                      "ForLoadDistribution TRUE\n}\n");
    assert_true(fix_cmd("F PAGENT,REFRESH"));
    assert_int_equal(asked("10.5.7.1").allowed, 0);
    assert_int_equal(asked("10.5.7.1").rule, 1); /* the name has stayed */
    fix_end();
}

/* What was set is reported and taken back: a monitor that is switched off leaves no fraction behind. */
static void the_monitor(void **state) {
    UNUSED(state);
    begin(SYSTEM);
    dist_served_for(dist(), ipaddr_v4(0x0A01090A), 80)->ended.segments = 100;
    memds_set("T.PARMS(P1)", "PolicyPerfMonitorForSDR Enable\n{\nSamplingInterval 5\n}\n");
    assert_true(fix_cmd("S PAGENT,PARM='CONFIG=T.PARMS(P1)'"));
    struct dist_served *s = dist_served_for(dist(), ipaddr_v4(0x0A01090A), 80);
    s->ended.segments += 1000, s->ended.retransmitted += 25;
    for (u32 i = 0; i < 6; i++) fix_poll(USEC_PER_SEC);
    assert_int_equal(s->qos_fraction, 20);
    for (u32 i = 0; i < 6; i++) fix_poll(USEC_PER_SEC);
    assert_int_equal(s->qos_fraction, 0); /* an interval without loss */
    s->ended.segments += 1000, s->ended.retransmitted += 25;
    for (u32 i = 0; i < 6; i++) fix_poll(USEC_PER_SEC);
    assert_int_equal(s->qos_fraction, 20);
    memds_set("T.PARMS(P1)", "# nothing\n");
    assert_true(fix_cmd("F PAGENT,REFRESH"));
    assert_int_equal(s->qos_fraction, 0);
    fix_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(started_asked_stopped),
        cmocka_unit_test(refresh),
        cmocka_unit_test(the_monitor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
