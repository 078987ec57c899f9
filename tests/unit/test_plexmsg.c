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

/* A connection that is there, one that has ended, and flag 2: all that are there follow. That one is of a DVIPA and of no connection, the others are
 * of one. */
static void conn_row(void **state) {
    static const struct {
        struct plexmsg_conn c;
        u8 wire[PLEXMSG_CONN_ROW];
    } rows[] = {
        {{.foreign = {0x0A000101}, .local_port = 80, .foreign_port = 5001, .there = true}, {10, 1, 1, 80, 10, 0, 1, 1, 0, 80, 0x13, 0x89, 1}},
        {{.foreign = {0x0A000101}, .local_port = 80, .foreign_port = 5001}, {10, 1, 1, 80, 10, 0, 1, 1, 0, 80, 0x13, 0x89, 0}},
        {{.all = true}, {10, 1, 1, 80, 0, 0, 0, 0, 0, 0, 0, 0, 2}},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct plexmsg_conn c = rows[i].c, got;
        u8 p[PLEXMSG_CONN_ROW];
        c.dvipa = ipaddr_v4(0x0A010150);
        memset(p, 0xFF, sizeof p);
        plexmsg_conn_emit(p, &c);
        assert_memory_equal(p, rows[i].wire, sizeof p);
        assert_true(plexmsg_conn_parse(p, &got));
        assert_true(ipaddr_eq(got.dvipa, c.dvipa) && ipaddr_eq(got.foreign, c.foreign));
        assert_int_equal(got.local_port, c.local_port);
        assert_int_equal(got.foreign_port, c.foreign_port);
        assert_int_equal(got.there, c.there);
        assert_int_equal(got.all, c.all);
        p[12] ^= 2; /* all connections, and one of them; a connection of nobody */
        assert_false(plexmsg_conn_parse(p, &got));
        p[12] ^= 2;
        memset(p, 0, 4);
        assert_false(plexmsg_conn_parse(p, &got));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(user_state), cmocka_unit_test(dvipa_row), cmocka_unit_test(conn_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
