/* test_vipadistribute.c - VIPADISTRIBUTE in the profile and in OBEYFILE, NETSTAT VDPT, VCRT and VIPADCFG, QUIESCE and RESUME, on
 * one system without partners. */
#include "tests/unit/vipafix.h"

#include "sysplex/dist_impl.h"
#include "sysplex/sysplex.h"

#define HEAD                                                                                                           \
    "DEVICE OSA1 MPCIPA\nLINK L1 IPAQENET OSA1\nHOME 10.1.1.1 L1\nIPCONFIG SYSPLEXROUTING DYNAMICXCF 193.9.200.1 "     \
    "255.255.255.0 1\nGLOBALCONFIG SYSPLEXWLMPOLL 10\nSTART OSA1\n"

static struct distributor *dist(void) { return fix.sys.stacks[0]->dist; }

static void statements(void **state) {
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC\n VIPADEFINE 255.255.255.0 10.1.9.10\n VIPABACKUP 10.1.9.11\n"
               " VIPADISTRIBUTE DEFINE DISTMETHOD ROUNDROBIN TIMEDAFFINITY 30 10.1.9.10 PORT 20-21 80 DESTIP ALL\n"
               " VIPADISTRIBUTE OPTLOCAL 4 SYSPLEXPORTS DISTM HOTSTANDBY NOAUTOSWITCHBACK 10.1.9.11 PORT 23 DESTIP 193.9.200.1 "
               "PREFERRED 193.9.200.2 BACKUP 50\n"
               " VIPADISTRIBUTE DISTMETHOD WEIGHTEDACTIVE 10.1.9.10 PORT 8080 DESTIP 193.9.200.1 WEIGHT 20 193.9.200.2\n"
               "ENDVIPADYNAMIC\nAUTOLOG HTTPD ENDAUTOLOG\n");
    struct dist_definition def;
    assert_true(distributor_definition(dist(), 0, &def));
    assert_int_equal(def.port, 20);
    assert_int_equal(def.options.affinity_sec, 30);
    assert_true(distributor_definition(dist(), 3, &def));
    assert_int_equal(def.options.optlocal, 5);
    assert_true(def.options.sysplexports && (def.options.flags & VDPT_NOSWITCHBACK));
    assert_int_equal(def.dest[0].rank, 0);
    assert_int_equal(def.dest[1].rank, 50);
    assert_false(distributor_definition(dist(), 5, &def));
    fix_cmd("D TCPIP,,NETSTAT,VDPT");
    FIX_SAID("DEST IPADDR     DPORT DESTXCF ADDR    RDY TOTALCONN  WLM TSR FLG");
    FIX_SAID("10.1.9.10       00020 193.9.200.1     000 0000000000 00  100 R");
    FIX_SAID("10.1.9.10       00080 193.9.200.1     001 0000000000 00  100 R"); /* HTTPD */
    FIX_SAID("10.1.9.10       08080 193.9.200.1     000 0000000000 20  100 W");
    FIX_SAID("4 OF 4 RECORDS DISPLAYED"); /* 10.1.9.11 is nobody's, 193.9.200.2 is not there */
    fix_cmd("D TCPIP,,NETSTAT,VDPT,DETAIL,PORT=80");
    FIX_SAID("TCSR: 100  CER: 100  SEF: 100");
    FIX_SAID("QOSPLCACT: *DEFAULT*");
    FIX_SAID("1 OF 1 RECORDS DISPLAYED");
    fix_cmd("D TCPIP,,NETSTAT,VIPADCFG,DETAIL");
    FIX_SAID("  VIPA DISTRIBUTE:\n    DEST:       10.1.9.10..20\n      DESTXCF:    ALL\n      DISTMETHOD: ROUNDROBIN\n");
    FIX_SAID("DISTMETHOD: HOTSTANDBY\n      SYSPT:      YES  TIMAFF: 0     FLG: INACTIVE\n      OPTLOC:     4\n      PREFERRED");
    FIX_SAID("WEIGHT:     20");
    FIX_SAID("BACKUP:     050");
    fix_cmd("D TCPIP,,NETSTAT,VCRT");
    FIX_SAID("DYNAMIC VIPA CONNECTION ROUTING TABLE:");
    fix_cmd("D TCPIP,,SYSPLEX,VIPADYN");
    FIX_SAID("255.255.255.0   10.1.9.0        BOTH");
    fix_end();
}

static void weights_after_a_report(void **state) {
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 VIPADISTRIBUTE 10.1.9.10 PORT 80 DESTIP ALL ENDVIPADYNAMIC\n");
    for (u32 i = 0; i < 220; i++) fix_poll(50000);
    fix_cmd("D TCPIP,,NETSTAT,VDPT");
    FIX_SAID("10.1.9.10       00080 193.9.200.1     000 0000000000 64  100 B");
    fix_end();
}

/* The weight of IEAOPTxx, whose suffix is OPT= of IEASYSxx and whose value may be a symbol. */
static void lpar_weight(void **state) {
    static const struct {
        const char *ieasys, *ieaopt; /* IEAOPT0A; NULL: there is none */
        u32 weight;
        const char *said;
    } rows[] = {
        {"COUPLE=00,OPT=0A\n", "LPARWGT=40\n", 40, "PLX0110I LPAR WEIGHT 40 OF IEAOPT0A"},
        {"OPT=0A\n", "/* a symbol */\nLPARWGT=4&SYSALVL.\n", 41, "PLX0110I LPAR WEIGHT 41 OF IEAOPT0A"},
        {"OPT=0A\n", "LPARWGT=0\n", 100, "PLX0111W IEAOPT0A: 0 WAS FOUND AND LPARWGT=1 TO 999 WAS EXPECTED, 100 IS USED"},
        {"OPT=0A\n", "LPARWGT=1000\n", 100, "PLX0111W IEAOPT0A: 1000 WAS FOUND"},
        {"OPT=0A\n", "IIPHONORPRIORITY=YES\n", 100, NULL},
        {"OPT=0A\n", NULL, 100, "PLX0111W IEAOPT0A: NOTHING WAS FOUND"},
        {"COUPLE=00\n", "LPARWGT=40\n", 100, NULL},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        memds_set("SYS1.PARMLIB(IEASYS00)", rows[i].ieasys);
        if (rows[i].ieaopt) memds_set("SYS1.PARMLIB(IEAOPT0A)", rows[i].ieaopt);
        begin(HEAD);
        assert_int_equal(fix.sys.lpar_weight, rows[i].weight);
        assert_int_equal(dist()->wlm.lpar_weight, rows[i].weight);
        if (rows[i].said) FIX_SAID(rows[i].said);
        else FIX_NOT_SAID("PLX011");
        fix_end();
    }
}

static void quiesce(void **state) {
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 VIPADISTRIBUTE 10.1.9.10 PORT 80 DESTIP ALL ENDVIPADYNAMIC\n"
               "AUTOLOG HTTPD ENDAUTOLOG\n");
    static const char *const what[] = {"TARGET", "PORT=80", "JOBNAME=HTTPD", "PO=80,JOBNAME=HTTPD"};
    for (u32 i = 0; i < ARRAY_LEN(what); i++) {
        char command[64];
        str_fmt(command, sizeof command, "V TCPIP,,SYSPLEX,QUIESCE,%s", what[i]);
        assert_true(fix_cmd(command));
        FIX_SAID("EZD1198I");
        fix_poll(1000);
        fix_cmd("D TCPIP,,NETSTAT,VDPT");
        FIX_SAID("10.1.9.10       00080 193.9.200.1     000");
        fix_cmd("D TCPIP,,NETSTAT,VDPT,DETAIL");
        FIX_SAID("ACTIVECONN: 0000000000  QUIESCED");
        fix_cmd("D TCPIP,,NETSTAT,ALL");
        FIX_SAID("  SEF:               100          QUIESCED:          YES");
        assert_false(fix_cmd(command));
        FIX_SAID("IT IS QUIESCED");
        str_fmt(command, sizeof command, "V TCPIP,,SYSPLEX,RESUME,%s", what[i]);
        assert_true(fix_cmd(command));
        FIX_SAID("EZD1199I");
        fix_poll(1000);
        fix_cmd("D TCPIP,,NETSTAT,VDPT");
        FIX_SAID("10.1.9.10       00080 193.9.200.1     001");
        fix_cmd("D TCPIP,,NETSTAT,VDPT,DETAIL");
        FIX_NOT_SAID("QUIESCED");
    }
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,RESUME,TARGET"));
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,QUIESCE"));
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,QUIESCE,TARGET,PORT=80"));
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,QUIESCE,PORT=0"));
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,QUIESCE,FROB"));
    fix_end();
}

/* With ASID= this start of the job is meant: another one's is refused, and the next start is not quiesced. */
static void quiesce_by_asid(void **state) {
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 VIPADISTRIBUTE 10.1.9.10 PORT 80 DESTIP ALL ENDVIPADYNAMIC\n"
               "AUTOLOG HTTPD ENDAUTOLOG\n");
    assert_true(fix_cmd("D A,HTTPD"));
    FIX_SAID("  HTTPD    HTTPD    TCPIP    NSW  SO  A=0021   PER=NO   SMC=000");
    assert_true(fix_cmd("D A,TCPIP"));
    FIX_SAID("A=0020");
    assert_false(fix_cmd("D A,NOBODY"));
    FIX_SAID("IEE341I NOBODY NOT ACTIVE");
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,QUIESCE,JOBNAME=HTTPD,ASID=22"));
    FIX_SAID("NO JOB OF THIS NAME HAS THIS ASID");
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,QUIESCE,ASID=21"));
    FIX_SAID("JOBNAME= BEFORE IT");
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,QUIESCE,JOBNAME=HTTPD,ASID=G"));
    assert_true(fix_cmd("V TCPIP,,SYSPLEX,QUIESCE,JOBNAME=HTTPD,ASID=0021"));
    fix_poll(1000);
    fix_cmd("D TCPIP,,NETSTAT,VDPT");
    FIX_SAID("10.1.9.10       00080 193.9.200.1     000");
    assert_true(fix_cmd("P HTTPD"));
    assert_true(fix_cmd("S HTTPD"));
    fix_poll(1000);
    fix_cmd("D TCPIP,,NETSTAT,VDPT");
    FIX_SAID("10.1.9.10       00080 193.9.200.1     001");
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,RESUME,JOBNAME=HTTPD"));
    fix_end();
}

static void errors_and_delete(void **state) {
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 VIPADISTRIBUTE 10.1.9.10 PORT 80 81 DESTIP ALL ENDVIPADYNAMIC\n");
    static const struct {
        const char *text, *said;
    } wrong[] = {
        {"10.1.9.77 PORT 80 DESTIP ALL", "NO VIPADEFINE OR VIPABACKUP NAMES IT"},
        {"10.1.9.10 PORT DESTIP ALL", "A PORT NUMBER OR A RANGE OF THEM WAS EXPECTED"},
        {"10.1.9.10 PORT 70000 DESTIP ALL", "A PORT NUMBER OR A RANGE OF THEM WAS EXPECTED"},
        {"10.1.9.10 PORT 9-3 DESTIP ALL", "A PORT NUMBER OR A RANGE OF THEM WAS EXPECTED"},
        {"10.1.9.10 PORT 1-65 DESTIP ALL", "AT MOST 64 PORTS WAS EXPECTED"},
        {"10.1.9.10 PORT 80", "A PORT NUMBER OR DESTIP WAS EXPECTED"},
        {"10.1.9.10 PORT 80 - 90 DESTIP ALL", "- WAS FOUND ON LINE 1 AND A PORT NUMBER OR DESTIP WAS EXPECTED"},
        {"10.1.9.10", "PORT OR DESTIP WAS EXPECTED"},
        {"10.1.9.10 PORT 82 DESTIP ALL 193.9.200.1", "EITHER ALL OR ADDRESSES WAS EXPECTED"},
        {"10.1.9.10 PORT 82 DESTIP 193.9.200.1 ALL", "EITHER ALL OR ADDRESSES WAS EXPECTED"},
        {"10.1.9.10 PORT 82 DESTIP 193.9.200.1 193.9.200.1", "AN ADDRESS THAT IS NOT IN THE LIST YET WAS EXPECTED"},
        {"10.1.9.10 PORT 82 DESTIP 193.9.200.1 WEIGHT 5", "WEIGHT WAS FOUND ON LINE 1 AND DISTMETHOD WEIGHTEDACTIVE IN FRONT OF IT"},
        {"DISTM HOTSTANDBY 10.1.9.10 PORT 82 DESTIP 193.9.200.1 WEIGHT 5", "DISTMETHOD WEIGHTEDACTIVE IN FRONT OF IT"},
        {"DISTM ROUNDROBIN 10.1.9.10 PORT 82 DESTIP 193.9.200.1 PREFERRED", "DISTMETHOD HOTSTANDBY IN FRONT OF IT"},
        {"10.1.9.10 PORT 82 DESTIP 193.9.200.1 BACKUP 9", "BACKUP WAS FOUND ON LINE 1 AND DISTMETHOD HOTSTANDBY IN FRONT OF IT"},
        {"10.1.9.10 PORT 80 DESTIP FROB", "WAS EXPECTED"},
        {"DISTMETHOD FROB 10.1.9.10 PORT 80 DESTIP ALL", "BASEWLM, ROUNDROBIN"},
        {"TIMEDAFFINITY 10000 10.1.9.10 PORT 80 DESTIP ALL", "A NUMBER FROM 0 TO 9999"},
        {"OPTLOCAL 17 10.1.9.10 PORT 80 DESTIP ALL", "A NUMBER FROM 0 TO 16"},
        {"FROB 10.1.9.10 PORT 80 DESTIP ALL", "DISTMETHOD, SYSPLEXPORTS"},
        {"DISTMETHOD HOTSTANDBY 10.1.9.10 PORT 80 DESTIP ALL", "EZZ0830I"},
        {"DISTMETHOD HOTSTANDBY 10.1.9.10 PORT 80 DESTIP 193.9.200.1 PREFERRED 193.9.200.2 PREFERRED", "EZZ0830I"},
        {"DISTM WEIGHTEDACTIVE 10.1.9.10 PORT 80 DESTIP 193.9.200.2 WEIGHT 100", "A NUMBER FROM 1 TO 99"},
        {"DISTMETHOD HOTSTANDBY 10.1.9.10 PORT 82 DESTIP 193.9.200.1 PREFERRED 193.9.200.1 BACKUP 1", "EZZ0830I"},
        {"DISTMETHOD HOTSTANDBY 10.1.9.10 PORT 82 DESTIP 193.9.200.1 BACKUP 2 193.9.200.2 BACKUP 1", "EZZ0830I"},
        {"DELETE 10.1.9.10 PORT 99 DESTIP ALL", "NO VIPADISTRIBUTE OF THIS STACK NAMES IT"},
        {"DELETE 10.1.9.99", "NO VIPADISTRIBUTE OF THIS STACK NAMES IT"},
    };
    char text[200];
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) {
        str_fmt(text, sizeof text, "VIPADYNAMIC VIPADISTRIBUTE %s ENDVIPADYNAMIC", wrong[i].text);
        obey(text, false);
        FIX_SAID(wrong[i].said);
        FIX_SAID("LINE 1: VIPADYNAMIC VIPADISTRIBUTE");
        fix_cmd("D TCPIP,,NETSTAT,VDPT,PORT=82");
        FIX_SAID("0 OF 0 RECORDS DISPLAYED"); /* of what is wrong nothing is in force */
    }
    /* What stands before and behind is. */
    obey("VIPADYNAMIC VIPADISTRIBUTE 10.1.9.10 PORT 83 DESTIP ALL VIPADISTRIBUTE 10.1.9.10 PORT 84 DESTIP FROB\nENDVIPADYNAMIC\n"
         "VIPADYNAMIC VIPADISTRIBUTE DELETE 10.1.9.10 PORT 83 DESTIP ALL ENDVIPADYNAMIC\n",
         false);
    FIX_NOT_SAID("NO VIPADISTRIBUTE OF THIS STACK");
    /* DELETE takes a target's words without the method that they belong to. */
    obey("VIPADYNAMIC VIPADISTRIBUTE DISTM WEIGHTEDACTIVE 10.1.9.10 PORT 83 DESTIP 193.9.200.1 WEIGHT 3\n"
         "VIPADISTRIBUTE DELETE 10.1.9.10 PORT 83 DESTIP 193.9.200.1 WEIGHT 3 ENDVIPADYNAMIC",
         true);
    obey("VIPADYNAMIC VIPADISTRIBUTE DELETE 10.1.9.10 PORT 81 ENDVIPADYNAMIC", true);
    fix_cmd("D TCPIP,,NETSTAT,VDPT");
    FIX_SAID("1 OF 1 RECORDS DISPLAYED");
    obey("VIPADYNAMIC VIPADISTRIBUTE DISTMETHOD ROUNDROBIN 10.1.9.10 DESTIP ALL ENDVIPADYNAMIC", true);
    fix_cmd("D TCPIP,,NETSTAT,VDPT");
    FIX_SAID("10.1.9.10       00000 193.9.200.1");
    obey("VIPADYNAMIC VIPADELETE 10.1.9.10 ENDVIPADYNAMIC", true);
    fix_cmd("D TCPIP,,NETSTAT,VDPT");
    FIX_SAID("0 OF 0 RECORDS DISPLAYED");
    fix_end();
}

/* In force, and said, as nobody will ever be that target. */
static void a_target_of_another_subnet(void **state) {
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 ENDVIPADYNAMIC\n");
    obey("VIPADYNAMIC VIPADISTRIBUTE 10.1.9.10 PORT 80 DESTIP 193.9.200.1 193.9.201.2\nENDVIPADYNAMIC", true);
    FIX_SAID("PLX0509W DESTIP 193.9.201.2 OF VIPADISTRIBUTE 10.1.9.10 IS OUTSIDE OF THE DYNAMICXCF SUBNET");
    FIX_SAID("LINE 1: VIPADYNAMIC VIPADISTRIBUTE 10.1.9.10 PORT 80");
    fix_cmd("D TCPIP,,NETSTAT,VDPT");
    FIX_SAID("1 OF 1 RECORDS DISPLAYED");
    obey("VIPADYNAMIC VIPADISTRIBUTE 10.1.9.10 PORT 80 DESTIP 193.9.200.1 193.9.200.77\nENDVIPADYNAMIC", true);
    FIX_NOT_SAID("PLX0509W");
    fix_end();
}

/* What a deactivated address distributes is shown with it, and with the others again when it is reactivated. */
static void distribution_of_a_deactivated_one(void **state) {
    UNUSED(state);
    static const char own[] = "  VIPA DISTRIBUTE:\n    DEST:       10.1.9.10..80";
    begin(HEAD "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 VIPADISTRIBUTE 10.1.9.10 PORT 80 DESTIP ALL ENDVIPADYNAMIC\n");
    fix_cmd("D TCPIP,,NETSTAT,VIPADCFG");
    FIX_SAID(own);
    FIX_NOT_SAID("DEACTIVATED");
    assert_true(fix_cmd("V TCPIP,,SYSPLEX,DEACTIVATE,DVIPA=10.1.9.10"));
    fix_poll(1000);
    fix_cmd("D TCPIP,,NETSTAT,VIPADCFG");
    FIX_SAID("DYNAMIC VIPA INFORMATION:\nDEACTIVATED DYNAMIC VIPA INFORMATION:\n  VIPA DEFINE:");
    FIX_SAID(own);
    FIX_SAID("FLG: INACTIVE");
    assert_true(fix_cmd("V TCPIP,,SYSPLEX,REACTIVATE,DVIPA=10.1.9.10"));
    fix_poll(1000);
    fix_cmd("D TCPIP,,NETSTAT,VIPADCFG");
    FIX_SAID(own);
    FIX_NOT_SAID("DEACTIVATED");
    fix_end();
}

/* D TCPIP,,SYSPLEX,PORTS: blocks of SYSPLEXPORTS. */
static void ports_of_the_sysplex(void **state) {
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 10.1.9.11 VIPADISTRIBUTE 10.1.9.11 PORT 80 DESTIP ALL\n"
               "VIPADISTRIBUTE SYSPLEXPORTS 10.1.9.10 PORT 80 DESTIP ALL ENDVIPADYNAMIC\n");
    for (u32 i = 0; i < 30; i++) fix_poll(50000);
    assert_true(fix_cmd("D TCPIP,,SYSPLEX,PORTS"));
    FIX_SAID("PORTS DISPLAY FROM TCPIP    AT SYSA");
    FIX_SAID("IPADDR: 10.1.9.10\n  TCPNAME  MVSNAME  PORTS\n  -------- -------- -----------\n  TCPIP    SYSA     01024-01087\n1 OF 1 RECORDS");
    assert_true(fix_cmd("D TCPIP,,SYSPLEX,PORTS,IPADDR=10.1.9.11"));
    FIX_SAID("0 OF 0 RECORDS DISPLAYED");
    assert_false(fix_cmd("D TCPIP,,SYSPLEX,PORTS,FROB"));
    FIX_SAID("IPADDR= OR MAX= WAS EXPECTED");
    fix_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements),
        cmocka_unit_test(weights_after_a_report),
        cmocka_unit_test(lpar_weight),
        cmocka_unit_test(quiesce),
        cmocka_unit_test(quiesce_by_asid),
        cmocka_unit_test(errors_and_delete),
        cmocka_unit_test(a_target_of_another_subnet),
        cmocka_unit_test(distribution_of_a_deactivated_one),
        cmocka_unit_test(ports_of_the_sysplex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
