/* test_samehost.c - two stacks in one image: EZASAMEMVS between them, one program on each, SO_CLUSTERCONNTYPE as both see it. */
#define FIX_ARENA (40u << 20)
#include "tests/unit/vipafix.h"

#include "sysplex/dvipa.h"
#include "sysplex/sysplex.h"

#define FIRST                                                                                                          \
    "DEVICE OSA1 MPCIPA\nLINK L1 IPAQENET OSA1\nHOME 10.1.1.1 L1\nIPCONFIG DATAGRAMFWD DYNAMICXCF 193.9.200.1 255.255.255.0 1\n" \
    "BSDROUTINGPARMS TRUE L1 1500 0 255.255.255.0 0 ENDBSDROUTINGPARMS\nSTART OSA1\nAUTOLOG BULKSRV ENDAUTOLOG\n"             \
    "VIPADYNAMIC VIPADEFINE 255.255.255.0 10.1.9.10 ENDVIPADYNAMIC\n"
#define SECOND                                                                                                         \
    "IPCONFIG DYNAMICXCF 193.9.200.11 255.255.255.0 1\nBEGINROUTES ROUTE DEFAULT 193.9.200.1 EZASAMEMVS MTU 8992 ENDROUTES\n"  \
    "VIPADYNAMIC VIPABACKUP 9 10.1.9.10 ENDVIPADYNAMIC\n"

static void two_stacks(void) {
    begin(FIRST);
    memds_set("TCPIP.TCPPARMS(TCPIP2)", SECOND);
    fix_cmd("S TCPIP2");
    for (u32 i = 0; i < 20; i++) fix_poll(50000);
}

static void they_meet(void **state) {
    UNUSED(state);
    two_stacks();
    FIX_SAID("EZD1176I TCPIP2 HAS SUCCESSFULLY JOINED THE TCP/IP SYSPLEX GROUP EZBTCPCS");
    FIX_SAID("EZZ4324I CONNECTION TO 193.9.200.1 ACTIVE FOR DEVICE IUTSAMEH");
    FIX_SAID("EZZ4324I CONNECTION TO 193.9.200.11 ACTIVE FOR DEVICE IUTSAMEH");
    assert_false(fix_cmd("D TCPIP,,NETSTAT,HOME"));
    FIX_SAID("PLX0302E"); /* of which one? */
    fix_cmd("D TCPIP,TCPIP2,NETSTAT,HOME");
    FIX_SAID("193.9.200.11     EZASAMEMVS");
    FIX_NOT_SAID("10.1.1.1");
    fix_cmd("D TCPIP,TCPIP2,SYSPLEX,VIPADYN");
    FIX_SAID("  TCPIP    SYSA     ACTIVE      255.255.255.0   10.1.9.0");
    FIX_SAID("  TCPIP2   SYSA     BACKUP 009");
    fix_end();
}

/* The first stack ends: its DVIPA is the second one's; the link between them ends with it, and comes back. */
static void one_ends(void **state) {
    UNUSED(state);
    two_stacks();
    fix_cmd("P TCPIP");
    for (u32 i = 0; i < 20; i++) fix_poll(50000);
    FIX_SAID("EZZ4325I CONNECTION TO 193.9.200.1 CLEARED FOR DEVICE IUTSAMEH");
    FIX_SAID("EZZ8301I VIPA 10.1.9.10 TAKEN OVER FROM TCPIP ON SYSA");
    fix_cmd("S TCPIP");
    for (u32 i = 0; i < 20; i++) fix_poll(50000);
    FIX_SAID("EZZ4324I CONNECTION TO 193.9.200.1 ACTIVE FOR DEVICE IUTSAMEH");
    FIX_SAID("EZZ8303I VIPA 10.1.9.10 GIVEN TO TCPIP ON SYSA");
    fix_end();
}

static void same_image(void **state) {
    UNUSED(state);
    two_stacks();
    /* A transfer from one to the other, and what each side says of it. */
    fix_cmd("S BULKGET,STACK=TCPIP2,PARM='HOST=193.9.200.1 HOLD=3'");
    for (u32 i = 0; i < 20; i++) fix_poll(50000);
    FIX_SAID("PLX0450I BULKGET IS CONNECTED TO 193.9.200.1, CLUSTERCONNTYPE SAME_IMAGE INTERNAL");
    fix_cmd("D TCPIP,TCPIP2,NETSTAT,ALL");
    FIX_SAID("FOREIGN SOCKET: 193.9.200.1..5001");
    FIX_SAID("  CLUSTERCONNTYPE:   SAME_IMAGE INTERNAL");
    fix_cmd("D TCPIP,TCPIP,NETSTAT,ALL,CLIENT=BULKSRV");
    FIX_SAID("  CLUSTERCONNTYPE:   SAME_IMAGE INTERNAL");
    fix.mark = fix.len;
    for (u32 i = 0; i < 400 && !fix_said("PLX0451I"); i++) fix_poll(10000);
    FIX_SAID("PLX0451I BULKGET READ 67108864 BYTES FROM 193.9.200.1 IN ");
    FIX_SAID("PATTERN OK, CLUSTERCONNTYPE SAME_IMAGE INTERNAL");
    fix_cmd("P BULKGET");
    fix_end();
}

static void bulkget_errors(void **state) {
    UNUSED(state);
    two_stacks();
    assert_false(fix_cmd("S BULKGET,STACK=TCPIP2,PARM='PORT=1'"));
    FIX_SAID("ITS PARAMETERS ARE NOT VALID");
    fix_cmd("S BULKGET,STACK=TCPIP2,PARM='HOST=193.9.200.1 PORT=1'"); /* nobody listens */
    for (u32 i = 0; i < 20; i++) fix_poll(50000);
    FIX_SAID("PLX0452E BULKGET LOST ITS CONNECTION TO 193.9.200.1 AFTER 0 BYTES");
    fix_cmd("P BULKGET");
    fix_cmd("S BULKGET,STACK=TCPIP2,PARM='HOST=193.9.200.1 HOLD=60'");
    for (u32 i = 0; i < 4; i++) fix_poll(50000);
    fix_cmd("P BULKGET"); /* while it holds */
    fix_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_meet),
        cmocka_unit_test(one_ends),
        cmocka_unit_test(same_image),
        cmocka_unit_test(bulkget_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
