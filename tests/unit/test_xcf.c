/* test_xcf.c - joining, messages and groups over the simulated wires (tests/sim/simxcf.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "tests/sim/simxcf.h"

#include <cmocka.h>

#define SECONDS(n) ((n) * (u64)USEC_PER_SEC)

static struct simxcf *plex(u32 systems) {
    struct simxcf_params p = {.seed = 5, .systems = systems, .arbiter = true};
    struct simxcf *s = simxcf_create(&p);
    simxcf_run(s, SECONDS(3));
    return s;
}

static void systems_find_each_other(void **state) {
    struct simxcf *s = plex(4);
    const char *why = NULL;
    UNUSED(state);
    assert_true(simxcf_converged(s, &why));
    for (u32 i = 0; i < 4; i++) {
        assert_int_equal(simxcf_said(s, i, "IXC418I"), 3);
        assert_int_equal(simxcf_said(s, i, "IXC466I OUTBOUND"), 3 * SIMXCF_PATHS);
        assert_int_equal(simxcf_said(s, i, "IXC466I INBOUND"), 3 * SIMXCF_PATHS);
        assert_int_equal(simxcf_events(s, i, XCF_EV_JOINED), 3 * SIMXCF_GROUPS);
    }
    simxcf_destroy(s);
}

/* Each length at an edge of a segment, and to oneself. The checkers compare order and every byte. */
static void messages_of_each_length(void **state) {
    static const u32 lengths[] = {0, 1, 64, 3967, 3968, 3969, 7999, 8000, 8001, 61439, 61440};
    struct simxcf *s = plex(2);
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(lengths); i++) {
        assert_int_equal(simxcf_send(s, 0, 1, 0, lengths[i]), 0);
        assert_int_equal(simxcf_send(s, 1, 1, 0, lengths[i]), 0);
        simxcf_run(s, SECONDS(1) / 10);
        assert_int_equal(simxcf_received(s, 1, 0), i + 1);
        assert_int_equal(simxcf_received(s, 1, 1), i + 1);
    }
    u8 byte = 0;
    assert_int_equal(xcf_send(simxcf_member(s, 0, 0), XCF_TO_ALL, NULL, &byte, 61441, simxcf_local(s, 0)),
                     -ERR_MSGSIZE);
    assert_int_equal(xcf_send(simxcf_member(s, 0, 0), 0x12345, NULL, &byte, 1, simxcf_local(s, 0)),
                     -ERR_NOENT);
    simxcf_destroy(s);
}

static void burst(struct simxcf *s, u32 n, u32 *sent) {
    for (u32 i = 0; i < n; i++)
        if (simxcf_send(s, 0, 1, 0, 9000) == 0) ++*sent;
}

/* One path after the other fails under load, with and without saying so; nothing is lost, doubled or moved.
 */
static void paths_fail_over(void **state) {
    struct simxcf *s = plex(2);
    u32 sent = 0;
    UNUSED(state);
    for (u32 round = 0; round < 6; round++) {
        enum simxcf_wire w = round & 1 ? SIMXCF_SILENT : SIMXCF_DOWN;
        burst(s, 10, &sent);
        simxcf_path(s, 0, 1, round & 1, w);
        simxcf_path(s, 1, 0, round & 1, w);
        simxcf_run(s, SECONDS(5));
        assert_int_equal(simxcf_received(s, 1, 0), sent);
        assert_int_equal(simxcf_sees(s, 0, 1), XCF_SYS_ACTIVE);
        simxcf_pair(s, 0, 1, SIMXCF_OK);
        simxcf_run(s, SECONDS(3));
    }
    assert_true(sent >= 50);
    assert_true(xcf_counters(simxcf_xcf(s, 0))->segments_again > 0);
    simxcf_destroy(s);
}

static void noise(void **state) {
    struct simxcf *s = plex(3);
    u32 sent = 0;
    UNUSED(state);
    simxcf_noise(s, 100, 100);
    for (u32 i = 0; i < 20; i++) {
        burst(s, 3, &sent);
        simxcf_run(s, SECONDS(1));
    }
    simxcf_noise(s, 0, 0);
    simxcf_run(s, SECONDS(10));
    assert_int_equal(simxcf_received(s, 1, 0), sent);
    assert_true(xcf_counters(simxcf_xcf(s, 1))->drop_duplicate > 0);
    simxcf_destroy(s);
}

/* A partner that takes nothing: MAXMSG or the pool says no, all at once or not at all; later there is room
 * again. */
static void no_buffers(void **state) {
    struct simxcf *s = plex(2);
    u32 sent = 0;
    UNUSED(state);
    simxcf_pause(s, 1, true);
    burst(s, 100, &sent);
    assert_true(sent > 10 && sent < 60);
    assert_int_equal(xcf_counters(simxcf_xcf(s, 0))->send_no_buffer, 100 - sent);
    simxcf_run(s, SECONDS(2));
    simxcf_pause(s, 1, false);
    simxcf_run(s, SECONDS(8));
    assert_int_equal(simxcf_received(s, 1, 0), sent);
    assert_int_equal(simxcf_send(s, 0, 1, 0, 61440), 0);
    simxcf_destroy(s);
}

static int join(struct simxcf *s, u32 i, const char *group, const char *name, struct xcf_member **m) {
    struct xcf_join j = {.group = group, .member = name};
    return xcf_join(simxcf_xcf(s, i), &j, m, simxcf_local(s, i));
}

static void members(void **state) {
    struct simxcf *s = plex(2);
    struct xcf_member *m, *g;
    struct xcf_member_info info[4];
    UNUSED(state);
    assert_int_equal(join(s, 0, "", "A", &m), -ERR_INVAL);
    assert_int_equal(join(s, 0, "TOOLONGNAME", "A", &m), -ERR_INVAL);
    assert_int_equal(join(s, 0, "EZB", "lower", &m), -ERR_INVAL);
    assert_int_equal(join(s, 0, "EZBTCPCS", "TCPIPA", &m), 0);
    assert_int_equal(join(s, 0, "EZBTCPCS", "TCPIPA", &g), -ERR_EXIST);
    assert_int_equal(join(s, 0, "EZBTCPCS", NULL, &g), 0); /* a name is made */
    simxcf_run(s, SECONDS(1));
    assert_int_equal(join(s, 1, "EZBTCPCS", "TCPIPA", &g), -ERR_EXIST); /* known from the other system */
    assert_int_equal(xcf_query(simxcf_xcf(s, 1), "EZBTCPCS", info, 4), 2);
    assert_string_equal(info[1].name, "TCPIPA");
    assert_string_equal(info[1].system, "SYS01");
    assert_false(info[1].local);
    u8 ustate[XCF_USTATE_BYTES] = "STATE";
    assert_int_equal(xcf_set_ustate(m, ustate, simxcf_local(s, 0)), 0);
    xcf_quiesce(m, simxcf_local(s, 0));
    simxcf_run(s, SECONDS(1));
    assert_int_equal(xcf_query(simxcf_xcf(s, 1), "EZBTCPCS", info, 4), 2);
    assert_int_equal(info[1].state, XCF_MEMBER_QUIESCED);
    assert_memory_equal(info[1].ustate, ustate, sizeof ustate);
    assert_int_equal(xcf_send(m, XCF_TO_ALL, NULL, NULL, 0, simxcf_local(s, 0)), -ERR_NOENT);
    xcf_leave(m, simxcf_local(s, 0));
    simxcf_run(s, SECONDS(1));
    assert_int_equal(xcf_query(simxcf_xcf(s, 1), "EZBTCPCS", info, 4), 1);
    assert_int_equal(xcf_query(simxcf_xcf(s, 0), "EZBTCPCS", info, 4), 1);
    simxcf_destroy(s);
}

/* Both join the same name before they have heard of each other: the lower system keeps it, on both sides. */
static void duplicate_members(void **state) {
    struct simxcf *s = plex(2);
    struct xcf_member *a, *b;
    struct xcf_member_info info[4];
    UNUSED(state);
    assert_int_equal(join(s, 0, "TWIN", "SAME", &a), 0);
    assert_int_equal(join(s, 1, "TWIN", "SAME", &b), 0);
    simxcf_run(s, SECONDS(2));
    for (u32 i = 0; i < 2; i++) {
        assert_int_equal(xcf_query(simxcf_xcf(s, i), "TWIN", info, 4), 1);
        assert_string_equal(info[0].system, "SYS01");
    }
    assert_int_equal(xcf_counters(simxcf_xcf(s, 1))->duplicate_members, 1);
    simxcf_destroy(s);
}

static bool status_exit(void *ctx, u64 now) {
    UNUSED(now);
    return *(bool *)ctx;
}

static void member_status(void **state) {
    struct simxcf *s = plex(2);
    struct xcf_exits e = {.status = status_exit};
    bool well = true;
    struct xcf_join j = {
        .group = "GROUP0", .member = "WATCHED", .exits = &e, .ctx = &well, .status_us = SECONDS(2)};
    struct xcf_member *m;
    UNUSED(state);
    assert_int_equal(xcf_join(simxcf_xcf(s, 0), &j, &m, simxcf_local(s, 0)), 0);
    simxcf_run(s, SECONDS(10));
    assert_int_equal(simxcf_events(s, 1, XCF_EV_STATUS_MISSING), 0);
    well = false;
    simxcf_run(s, SECONDS(3));
    assert_int_equal(simxcf_events(s, 1, XCF_EV_STATUS_MISSING), 1);
    xcf_member_alive(m, simxcf_local(s, 0));
    simxcf_run(s, SECONDS(1));
    assert_int_equal(simxcf_events(s, 1, XCF_EV_STATUS_RESUMED), 1);
    simxcf_destroy(s);
}

/* STOP and START by the operator; a path that fails more often than RETRY while the partner is reachable
 * gives up. */
static void path_commands(void **state) {
    struct simxcf *s = plex(2);
    struct xcf *x = simxcf_xcf(s, 0);
    struct xcf_path *p = xcf_path_find(x, true, "4010");
    struct xcf_path_info info;
    UNUSED(state);
    assert_non_null(p);
    assert_int_equal(xcf_path_start(p, simxcf_local(s, 0)), -ERR_ALREADY);
    assert_int_equal(xcf_path_stop(p, simxcf_local(s, 0)), 0);
    assert_int_equal(xcf_path_stop(p, simxcf_local(s, 0)), -ERR_ALREADY);
    simxcf_run(s, SECONDS(5));
    assert_int_equal(simxcf_sees(s, 0, 1), XCF_SYS_ACTIVE); /* the other path carries it */
    assert_int_equal(simxcf_send(s, 0, 1, 0, 5000), 0);
    simxcf_run(s, SECONDS(1));
    assert_int_equal(simxcf_received(s, 1, 0), 1);
    assert_int_equal(xcf_path_start(p, simxcf_local(s, 0)), 0);
    simxcf_run(s, SECONDS(3));
    assert_true(xcf_path(x, 0, &info));
    assert_int_equal(info.state, XCF_PATH_WORKING);
    for (u32 i = 0; i <= xcf_couple(x)->path[0].retry + 11 && info.state != XCF_PATH_INOPERATIVE; i++) {
        simxcf_path(s, 0, 1, 0, SIMXCF_DOWN);
        simxcf_path(s, 0, 1, 0, SIMXCF_OK);
        simxcf_run(s, SECONDS(2));
        assert_true(xcf_path(x, 0, &info));
    }
    assert_int_equal(info.state, XCF_PATH_INOPERATIVE);
    assert_int_equal(simxcf_said(s, 0, "IXC467I STOPPING PATHOUT DEVICE 4010 RSN: RETRY LIMIT"), 1);
    simxcf_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(systems_find_each_other),
        cmocka_unit_test(messages_of_each_length),
        cmocka_unit_test(paths_fail_over),
        cmocka_unit_test(noise),
        cmocka_unit_test(no_buffers),
        cmocka_unit_test(members),
        cmocka_unit_test(duplicate_members),
        cmocka_unit_test(member_status),
        cmocka_unit_test(path_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
