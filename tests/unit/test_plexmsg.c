/* test_plexmsg.c - the formats between stacks of the sysplex: a vector each, and what no sender may send. */
#include "tests/unit/testnet.h"
#include "wire/plexmsg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void user_state(void **state) {
    static const u8 wire[PLEXMSG_USTATE] = {0,   0,   0,   0,   0,   0,   1,   2,                       /* incarnation */
                                            0,   0,   0,   3,                                           /* epoch */
                                            193, 9,   200, 1,   255, 255, 255, 0,                       /* dynamic XCF address, mask */
                                            '0', 'A', 'T', 'C', 'P', 'I', 'P', '2',   ' ',  ' ',        /* SYSCLONE, job */
                                            0,   0x51};                                                 /* HiperSockets LAN */
    struct plexmsg_ustate s = {.incarnation = 0x102, .epoch = 3, .dynxcf = ipaddr_v4(0xC109C801), .mask = ipaddr_v4(0xFFFFFF00), .iqd = 0x51}, got;
    u8 out[PLEXMSG_USTATE];
    UNUSED(state);
    memcpy(s.sysclone, "0A", 3);
    memcpy(s.tcpname, "TCPIP2", 7);
    plexmsg_ustate_emit(out, &s);
    assert_memory_equal(out, wire, sizeof wire);
    assert_true(plexmsg_ustate_parse(wire, &got));
    assert_int_equal(got.incarnation, 0x102);
    assert_int_equal(got.epoch, 3);
    assert_int_equal(got.dynxcf.v4, 0xC109C801);
    assert_int_equal(got.iqd, 0x51);
    assert_string_equal(got.sysclone, "0A");
    assert_string_equal(got.tcpname, "TCPIP2");
    memset(out, 0, 8);
    assert_false(plexmsg_ustate_parse(out, &got)); /* no incarnation */
    memcpy(out, wire, sizeof out);
    out[22] = 'x';
    assert_false(plexmsg_ustate_parse(out, &got)); /* no name */
    memcpy(out, wire, sizeof out);
    memset(out + 22, ' ', 8);
    assert_false(plexmsg_ustate_parse(out, &got));
}

static void dvipa_row(void **state) {
    struct plexmsg_dvipa r = {.addr = ipaddr_v4(0x0A010150), .mask = ipaddr_v4(0xFFFFFF00), .status = 3, .origin = 1, .moveable = 1, .rank = 200, .epoch = 9}, got;
    u8 p[PLEXMSG_DVIPA_ROW];
    UNUSED(state);
    plexmsg_dvipa_emit(p, &r);
    assert_true(plexmsg_dvipa_parse(p, &got));
    assert_int_equal(got.addr.v4, r.addr.v4);
    assert_int_equal(got.rank, 200);
    assert_int_equal(got.epoch, 9);
    p[8] = 0xFF; /* no such status */
    assert_false(plexmsg_dvipa_parse(p, &got));
    plexmsg_dvipa_emit(p, &r);
    p[5] = 0; /* 255.0.255.0 is no mask */
    assert_false(plexmsg_dvipa_parse(p, &got));
    plexmsg_dvipa_emit(p, &r);
    memset(p, 0, 4);
    assert_false(plexmsg_dvipa_parse(p, &got));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(user_state), cmocka_unit_test(dvipa_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
