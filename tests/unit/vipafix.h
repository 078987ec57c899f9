/* vipafix.h - one system of a sysplex without partners, up to TCP/IP with a profile: the fixture of the tests of VIPADYNAMIC and
 * VIPADISTRIBUTE. Include it in one file of a program; sysfix.h has the rest.
 *
 *   begin(profile)     IPL as SYSA, XCF, S TCPIP with this profile, a second of its life
 *   obey(text, good)   V TCPIP,,OBEYFILE of a data set with this text, which is taken or not
 *   fix_end()
 */
#ifndef TESTS_UNIT_VIPAFIX_H
#define TESTS_UNIT_VIPAFIX_H

#include "tests/unit/sysfix.h"

#include "super/xcfas.h"

#define PROFILE "TCPIP.TCPPARMS(PROFILE)"

static inline void begin(const char *profile) {
    fix_begin();
    memds_set("SYS1.PARMLIB(LOAD00)", "IEASYM   00\n");
    memds_set("SYS1.PARMLIB(IEASYM00)", "SYSDEF SYSCLONE(0A)\n");
    memds_set("SYS1.PARMLIB(COMMND00)", "COM='S TCPIP'\n");
    memds_set("SYS1.VTAMLST(ATCCON00)", "OSATRL");
    memds_set("SYS1.VTAMLST(OSATRL)", "T TRLE READ=(E00),WRITE=(E01),DATAPATH=(E02),PORTNAME=OSA1\n");
    memds_set(PROFILE, profile);
    assert_int_equal(fix_ipl(), 0);
    assert_int_equal(xcfas_start(&fix.sys, fix.now), 0);
    assert_int_equal(system_start(&fix.sys, fix.now), 0);
    for (u32 i = 0; i < 20; i++) fix_poll(50000);
}

static inline void obey(const char *text, bool good) {
    memds_set("T.O", text);
    assert_int_equal(fix_cmd("V TCPIP,,OBEYFILE,T.O"), good);
    for (u32 i = 0; i < 4; i++) fix_poll(10000);
}

#endif
