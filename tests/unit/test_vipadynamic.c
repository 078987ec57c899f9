/* test_vipadynamic.c - VIPADYNAMIC, DYNAMICXCF and the sysplex's displays and commands, on one system without partners. */
#include "tests/unit/vipafix.h"

#include "sysplex/dvipa.h"
#include "sysplex/sysplex.h"

#define HEAD                                                                                                           \
    "DEVICE OSA1 MPCIPA\nLINK L1 IPAQENET OSA1\nHOME 10.1.1.1 L1\nIPCONFIG DYNAMICXCF 193.9.200.1 255.255.255.0 1\n"   \
    "BSDROUTINGPARMS TRUE L1 1500 0 255.255.255.0 0 ENDBSDROUTINGPARMS\nSTART OSA1\n"

static struct ipaddr testaddr(u32 a, u32 b, u32 c, u32 d) {
    return ipaddr_v4(a << 24 | b << 16 | c << 8 | d);
}

static void block(void **state) {
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC\n VIPADEFINE MOVEABLE WHENIDLE 255.255.255.0 10.1.9.10 10.1.9.11\n VIPADEFINE 255.255.255.0 10.1.9.12\n"
               " VIPABACKUP 200 10.1.9.20\n VIPABACKUP MOVEABLE IMMEDIATE 255.255.255.0 10.1.9.21\n"
               " VIPARANGE DEFINE MOVEABLE DISRUPTIVE 255.255.255.192 10.1.9.64\nENDVIPADYNAMIC\n");
    FIX_SAID("EZZ0624I DYNAMIC XCF DEFINITIONS ARE ENABLED");
    FIX_SAID("EZD1176I TCPIP HAS SUCCESSFULLY JOINED THE TCP/IP SYSPLEX GROUP EZBTCPCS");
    FIX_SAID("EZD1214I INITIAL DYNAMIC VIPA PROCESSING HAS COMPLETED FOR TCPIP");
    fix_cmd("D TCPIP,,NETSTAT,HOME");
    FIX_SAID("193.9.200.1      EZASAMEMVS");
    FIX_SAID("10.1.9.10        VIPL0A01090A");
    FIX_SAID("10.1.9.21        VIPL0A010915"); /* nobody has it, and it may create */
    FIX_NOT_SAID("10.1.9.20 ");
    fix_cmd("D TCPIP,,SYSPLEX,VIPADYN");
    FIX_SAID("EZZ8260I SYSPLEX CS V2R10");
    FIX_SAID("VIPA DYNAMIC DISPLAY FROM TCPIP    AT SYSA");
    FIX_SAID("LINKNAME: VIPL0A01090A  IPADDR: 10.1.9.10\n  ORIGIN: VIPADEFINE\n");
    FIX_SAID("  TCPIP    SYSA     ACTIVE      255.255.255.0   10.1.9.0");
    FIX_SAID("  TCPIP    SYSA     BACKUP 200");
    FIX_SAID("5 OF 5 RECORDS DISPLAYED");
    fix_cmd("D TCPIP,,SYSPLEX,VIPADYN,IPADDR=10.1.9.20,MAX=*");
    FIX_SAID("1 OF 1 RECORDS DISPLAYED");
    fix_cmd("D TCPIP,,SYSPLEX,GROUP");
    FIX_SAID("EZZ8270I SYSPLEX GROUP FOR TCPIP AT SYSA IS EZBTCPCS");
    fix_cmd("D TCPIP,,NETSTAT,VIPADYN");
    FIX_SAID("10.1.9.10       255.255.255.0   ACTIVE    VIPADEFINE");
    FIX_SAID("ACTTIME: 10/23/2000");
    fix_cmd("D TCPIP,,NETSTAT,VIPADCFG");
    FIX_SAID("  VIPA BACKUP:\n    IPADDR/PREFIXLEN: 10.1.9.20\n      RANK: 000200");
    FIX_SAID("    IPADDR/PREFIXLEN: 10.1.9.10/24\n      MOVEABLE: WHENIDLE");
    FIX_SAID("  VIPA RANGE:\n    IPADDR/PREFIXLEN: 10.1.9.64/26\n      MOVEABLE: DISRUPT");
    fix_end();
}

static void viparoute(void **state) {
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10\n VIPAROUTE DEFINE 193.9.200.2 10.1.1.2\n VIPAROUTE 193.9.200.3 10.1.1.3\n"
               "ENDVIPADYNAMIC\n");
    fix_cmd("D TCPIP,,NETSTAT,VIPADCFG");
    FIX_SAID("  VIPA ROUTE:\n    DESTXCF:    193.9.200.2\n      TARGETIP: 10.1.1.2         RTSTATUS: INACTIVE\n    DESTXCF:    193.9.200.3\n");
    memds_set("TCPIP.TCPPARMS(OBEY)", "VIPADYNAMIC VIPAROUTE DELETE 193.9.200.2 10.1.1.2 ENDVIPADYNAMIC\n");
    fix_cmd("V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(OBEY)");
    fix_cmd("D TCPIP,,NETSTAT,VIPADCFG");
    FIX_SAID("  VIPA ROUTE:\n    DESTXCF:    193.9.200.3\n");
    FIX_NOT_SAID("193.9.200.2\n");
    fix_cmd("V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(OBEY)");
    FIX_SAID("PLX0504E VIPAROUTE 193.9.200.2 WAS REJECTED: THERE IS NONE");
    memds_set("TCPIP.TCPPARMS(OBEY)", "VIPADYNAMIC VIPAROUTE 193.9.200.2 224.0.0.1 ENDVIPADYNAMIC\n");
    fix_cmd("V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(OBEY)");
    FIX_SAID("PLX0504E VIPAROUTE 193.9.200.2 WAS REJECTED: IT CANNOT BE A HOST'S ADDRESS");
    fix_end();
}

static void errors_end_the_block(void **state) {
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10\n VIPADEFINE 255.255.255.0 10.1.1.1\n"
               " VIPADEFINE 255.255.255.0 10.1.9.11\nENDVIPADYNAMIC\nTCPCONFIG INTERVAL 7\n");
    FIX_SAID("PLX0504E VIPADEFINE 10.1.1.1 WAS REJECTED: THE ADDRESS IS IN USE HERE");
    FIX_SAID("EZZ0312I BYPASSED ALL INPUT UNTIL THE END OF THE BLOCK");
    fix_cmd("D TCPIP,,NETSTAT,HOME");
    FIX_SAID("10.1.9.10 ");
    FIX_NOT_SAID("10.1.9.11 ");
    assert_int_equal(net_config(fix.sys.stacks[0]->stk)->tcp.keepalive_min, 7);
    static const struct {
        const char *text, *said;
    } wrong[] = {
        {"VIPADYNAMIC VIPABACKUP 255 10.1.9.30 ENDVIPADYNAMIC", "A NUMBER FROM 1 TO 254 WAS EXPECTED"},
        {"VIPADYNAMIC VIPADEFINE MOVEABLE NEVER 255.0.0.0 10.1.9.30 ENDVIPADYNAMIC", "IMMEDIATE OR WHENIDLE WAS EXPECTED"},
        {"VIPADYNAMIC VIPARANGE MOVEABLE WHENIDLE 255.0.0.0 10.1.9.30 ENDVIPADYNAMIC", "NONDISRUPTIVE OR DISRUPTIVE WAS EXPECTED"},
        {"VIPADYNAMIC VIPADEFINE 255.0.255.0 10.1.9.30 ENDVIPADYNAMIC", "A SUBNET MASK WAS EXPECTED"},
        {"VIPADYNAMIC VIPADELETE 10.1.9.99 ENDVIPADYNAMIC", "THERE IS NONE"},
        {"VIPADYNAMIC VIPARANGE DELETE 255.0.0.0 10.0.0.0 ENDVIPADYNAMIC", "THERE IS NONE"},
        {"VIPADYNAMIC VIPADEFINE 255.0.0.0 224.0.0.9 ENDVIPADYNAMIC", "IT CANNOT BE A HOST'S ADDRESS"},
        {"VIPADYNAMIC FROB ENDVIPADYNAMIC", "VIPADEFINE, VIPABACKUP, VIPARANGE, VIPADELETE"},
        {"IPCONFIG DYNAMICXCF 193.9.200.9 255.255.255.0 1", "ANOTHER ADDRESS IS IN USE"},
        {"IPCONFIG DYNAMICXCF 193.9.200.9/33 1", "AN IP ADDRESS, OR ONE WITH /1 TO /32"},
    };
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) {
        memds_set("T.O", wrong[i].text);
        assert_false(fix_cmd("V TCPIP,,OBEYFILE,T.O"));
        FIX_SAID(wrong[i].said);
    }
    fix_end();
}

static void sysplexmonitor(void **state) {
    static const struct {
        const char *text, *said;
    } wrong[] = {
        {"GLOBALCONFIG SYSPLEXMONITOR AUTOREJOIN", "RECOVERY BESIDE AUTOREJOIN WAS EXPECTED"},
        {"GLOBALCONFIG SYSPLEXMONITOR TIMERSECS 9", "A NUMBER FROM 10 TO 3600 WAS EXPECTED"},
        {"GLOBALCONFIG SYSPLEXMONITOR DYNROUTE", "A GLOBALCONFIG PARAMETER WAS EXPECTED"}, /* there are no dynamic routes */
    };
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 ENDVIPADYNAMIC\n");
    fix_cmd("D TCPIP,,NETSTAT,CONFIG");
    FIX_SAID("  TIMERSECS: 0060  RECOVERY: NO   DELAYJOIN: NO   AUTOREJOIN: NO   MONINTF: NO");
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) {
        memds_set("T.O", wrong[i].text);
        assert_false(fix_cmd("V TCPIP,,OBEYFILE,T.O"));
        FIX_SAID(wrong[i].said);
    }
    memds_set("T.O", "GLOBALCONFIG SYSPLEXMONITOR TIMERSECS 10 RECOVERY AUTOREJOIN MAXRECS 50 SYSPLEXMONITOR DELAYJOIN JOIN\n");
    assert_true(fix_cmd("V TCPIP,,OBEYFILE,T.O"));
    fix_cmd("D TCPIP,,NETSTAT,CONFIG");
    FIX_SAID("MAXRECS: 00050");
    FIX_SAID("  TIMERSECS: 0010  RECOVERY: YES  DELAYJOIN: YES  AUTOREJOIN: YES  MONINTF: NO");
    /* A stack that stood still says so, and stays: it is alone. */
    fix_poll(11 * USEC_PER_SEC);
    FIX_SAID("EZZ9674E TCPIP SYSPLEX PROCESSING WAS NOT RESPONSIVE FOR AT LEAST 10 SECONDS");
    FIX_NOT_SAID("EZZ9676E");
    fix_end();
}

/* NOJOIN: out until the operator says JOINGROUP. */
static void nojoin(void **state) {
    UNUSED(state);
    begin(HEAD "GLOBALCONFIG SYSPLEXMONITOR NOJOIN\nVIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 ENDVIPADYNAMIC\n");
    FIX_NOT_SAID("EZD1176I");
    assert_true(fix_cmd("V TCPIP,,SYSPLEX,JOINGROUP"));
    FIX_SAID("EZD1176I");
    FIX_NOT_SAID("EZD1192I");
    fix_end();
}

static void commands(void **state) {
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 ENDVIPADYNAMIC\nBEGINROUTES ROUTE DEFAULT 193.9.200.2 EZAXCF0B MTU 1500 ENDROUTES\n");
    fix_cmd("D TCPIP,,NETSTAT,ROUTE");
    FIX_SAID("EZAXCF0B");
    assert_true(fix_cmd("V TCPIP,,SYSPLEX,DEACTIVATE,DVIPA=10.1.9.10"));
    FIX_SAID("EZD1197I");
    fix_poll(1000);
    fix_cmd("D TCPIP,,NETSTAT,HOME");
    FIX_NOT_SAID("10.1.9.10 ");
    fix_cmd("D TCPIP,,NETSTAT,VIPADCFG");
    FIX_SAID("DEACTIVATED DYNAMIC VIPA INFORMATION:\n  VIPA DEFINE:\n    IPADDR/PREFIXLEN: 10.1.9.10/24");
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,DEACTIVATE,DVIPA=10.1.9.10"));
    FIX_SAID("IT IS SO ALREADY");
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,DEACTIVATE,DVIPA=10.1.9.77"));
    FIX_SAID("NO VIPADEFINE OR VIPABACKUP");
    assert_true(fix_cmd("V TCPIP,,SYSPLEX,REACTIVATE,DVIPA=10.1.9.10"));
    fix_poll(1000);
    fix_cmd("D TCPIP,,NETSTAT,HOME");
    FIX_SAID("10.1.9.10 ");
    assert_true(fix_cmd("V TCPIP,,SYSPLEX,LEAVEGROUP"));
    FIX_SAID("EZZ9676E");
    fix_cmd("D TCPIP,,SYSPLEX,GROUP");
    FIX_SAID("EZZ8269I TCPIP SYSA IS NOT A MEMBER OF A SYSPLEX GROUP");
    fix_cmd("D TCPIP,,NETSTAT,HOME");
    FIX_NOT_SAID("10.1.9.10 ");
    fix_cmd("D TCPIP,,NETSTAT,VIPADCFG");
    FIX_SAID("EZZ2502I");
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,LEAVEGROUP"));
    assert_true(fix_cmd("V TCPIP,,SYSPLEX,JOINGROUP"));
    FIX_SAID("EZD1192I");
    for (u32 i = 0; i < 20; i++) fix_poll(50000);
    fix_cmd("D TCPIP,,NETSTAT,HOME");
    FIX_SAID("10.1.9.10 ");
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,FROB"));
    /* VIPADELETE by OBEYFILE. */
    memds_set("T.O", "VIPADYNAMIC VIPADELETE 10.1.9.10 ENDVIPADYNAMIC");
    assert_true(fix_cmd("V TCPIP,,OBEYFILE,T.O"));
    fix_poll(1000);
    fix_cmd("D TCPIP,,SYSPLEX,VIPADYN");
    FIX_SAID("0 OF 0 RECORDS DISPLAYED");
    fix_end();
}

static void moddvipa(void **state) {
    struct sock *s;
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC VIPARANGE DEFINE 255.255.255.248 10.1.9.64 ENDVIPADYNAMIC\n");
    assert_true(fix_cmd("MODDVIPA -p TCPIP -c 10.1.9.65"));
    FIX_SAID("EZD1205I DYNAMIC VIPA 10.1.9.65 WAS CREATED USING IOCTL BY MODDVIPA ON TCPIP");
    FIX_SAID("PLX0505I MODDVIPA ENDED, RETURN CODE 0");
    fix_poll(1000);
    fix_cmd("D TCPIP,,NETSTAT,VIPADYN");
    FIX_SAID("10.1.9.65       255.255.255.248 ACTIVE    VIPARANGE IOCTL");
    fix_cmd("MODDVIPA -p TCPIP -c 10.1.9.65");
    FIX_SAID("RETURN CODE 4");
    fix_cmd("MODDVIPA -p TCPIP -c 10.1.8.65"); /* in no range */
    FIX_SAID("RETURN CODE 8");
    fix_cmd("MODDVIPA -p TCPIP -c 10.1.8");
    FIX_SAID("RETURN CODE 12");
    fix_cmd("MODDVIPA -p NOSUCH -c 10.1.9.66");
    FIX_SAID("RETURN CODE 12");
    assert_true(fix_cmd("MODDVIPA -p TCPIP -d 10.1.9.65"));
    fix_cmd("MODDVIPA -p TCPIP -d 10.1.9.65");
    fix_poll(1000);
    fix_cmd("MODDVIPA -p TCPIP -d 10.1.9.65");
    FIX_SAID("RETURN CODE 8");
    assert_int_equal(sock_open(fix.sys.stacks[0]->stk, SOCK_TCP, "SERVER", &s), 0);
    assert_int_equal(sock_siocsvipa(s, true, testaddr(10, 1, 9, 66), fix.now), 0);
    assert_int_equal(sock_siocsvipa(s, true, testaddr(10, 1, 9, 66), fix.now), -ERR_EXIST);
    assert_int_equal(sock_bind(s, testaddr(10, 1, 9, 66), 99, fix.now), 0);
    assert_int_equal(sock_siocsvipa(s, false, testaddr(10, 1, 9, 66), fix.now), 0);
    sock_close(s, fix.now);
    fix_end();
}

/* P and S: nothing of the first life is left, and the group is joined anew. */
static void stop_and_start(void **state) {
    UNUSED(state);
    begin(HEAD "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 ENDVIPADYNAMIC\n");
    for (u32 k = 0; k < 3; k++) {
        fix_cmd("P TCPIP");
        for (u32 i = 0; i < 10; i++) fix_poll(100000);
        FIX_SAID("EZZ4201I TCP/IP TERMINATION COMPLETE FOR TCPIP");
        FIX_NOT_SAID("PLX0122E");
        fix_cmd("S TCPIP");
        for (u32 i = 0; i < 20; i++) fix_poll(50000);
        FIX_SAID("EZD1214I");
        FIX_SAID("EZAIN11I");
        fix_cmd("D TCPIP,,NETSTAT,HOME");
        FIX_SAID("10.1.9.10 ");
    }
    fix_end();
}

static void without_xcf(void **state) {
    UNUSED(state);
    fix_begin();
    memds_set("SYS1.PARMLIB(LOAD00)", "IEASYM   00\n");
    memds_set("SYS1.PARMLIB(IEASYM00)", "SYSDEF SYSCLONE(0A)\n");
    memds_set("SYS1.PARMLIB(COMMND00)", "COM='S TCPIP'\n");
    memds_set(PROFILE, "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 ENDVIPADYNAMIC\nTCPCONFIG INTERVAL 7\n");
    assert_int_equal(fix_ipl(), 0);
    assert_int_equal(system_start(&fix.sys, fix.now), 0);
    FIX_SAID("PLX0503E VIPADYNAMIC NEEDS XCF, AND THERE IS NONE");
    assert_int_equal(net_config(fix.sys.stacks[0]->stk)->tcp.keepalive_min, 7);
    assert_false(fix_cmd("V TCPIP,,SYSPLEX,LEAVEGROUP"));
    fix_cmd("D TCPIP,,SYSPLEX,VIPADYN");
    FIX_SAID("EZZ8269I");
    fix_end();
}

/* A server of every address serves before the stack owns a dynamic VIPA and is not started again by that; one of the dynamic VIPA's waits. */
static void autolog_before_take_back(void **state) {
    UNUSED(state);
    begin(HEAD "PORT 80 TCP HTTPD 5001 TCP BULKSRV BIND 10.1.9.10\nAUTOLOG HTTPD BULKSRV ENDAUTOLOG\n"
               "VIPADYNAMIC VIPADEFINE MOVEABLE IMMEDIATE 255.255.255.0 10.1.9.10 ENDVIPADYNAMIC\n");
    FIX_SAID("EZAIN11I");
    const char *web = strstr(fix.text, "IEF403I HTTPD - STARTED"), *owner = strstr(fix.text, "EZD1214I");
    const char *bulk = strstr(fix.text, "IEF403I BULKSRV - STARTED");
    assert_true(web && owner && bulk && web < owner && owner < bulk);
    FIX_SAID("PLX0251I AUTOLOG WAITS WITH BULKSRV");
    FIX_NOT_SAID("ENDED");
    FIX_NOT_SAID("PLX0250I");
    assert_int_equal(fix.sys.stacks[0]->autolog.restarts, 0);
    fix_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block),
        cmocka_unit_test(viparoute),
        cmocka_unit_test(errors_end_the_block),
        cmocka_unit_test(sysplexmonitor),
        cmocka_unit_test(nojoin),
        cmocka_unit_test(commands),
        cmocka_unit_test(moddvipa),
        cmocka_unit_test(stop_and_start),
        cmocka_unit_test(without_xcf),
        cmocka_unit_test(autolog_before_take_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
