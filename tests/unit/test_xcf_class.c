/* test_xcf_class.c - transport classes: which one a message goes by, MAXMSG towards a system, and when there is room again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/simxcf.h"

#include <cmocka.h>

#define KB 1024u

struct talker {
    struct xcf_member *member;
    u32 rooms, received;
};

static void on_room(void *ctx, u64 now) {
    struct talker *t = ctx;
    UNUSED(now);
    t->rooms++;
}
static void on_message(void *ctx, const struct xcf_msg *m, u64 now) {
    struct talker *t = ctx;
    UNUSED(m);
    UNUSED(now);
    t->received++;
}
static const struct xcf_exits exits = {.message = on_message, .room = on_room};

static struct simxcf *plex(struct talker t[3]) {
    struct couple c;
    couple_default(&c);
    c.interval_s = c.cleanup_s = 60; /* nobody is declared dead here */
    c.class_def[0].maxmsg_kb = 40;
    c.localmsg_kb = 20;
    c.classes = 2;
    c.class_def[1] = (struct couple_class){.name = "OTHER", .classlen_bytes = 62464, .maxmsg_kb = 100, .group = {"OTHER"}, .groups = 1};
    struct simxcf_params p = {.seed = 5, .systems = 3, .arbiter = true, .couple = &c};
    struct simxcf *s = simxcf_create(&p);
    simxcf_run(s, 4 * (u64)USEC_PER_SEC);
    for (u32 i = 0; i < 3; i++) {
        char name[17];
        struct xcf_join j = {.group = "TALK", .member = name, .exits = &exits, .ctx = &t[i]};
        str_fmt(name, sizeof name, "T%u", i);
        t[i] = (struct talker){.member = NULL};
        assert_int_equal(xcf_join(simxcf_xcf(s, i), &j, &t[i].member, simxcf_local(s, i)), 0);
    }
    simxcf_run(s, USEC_PER_SEC);
    return s;
}

static u32 token_at(struct simxcf *s, const char *group, const char *name) {
    struct xcf_member_info m;
    for (u32 i = 0; xcf_query_nth(simxcf_xcf(s, 0), group, i, &m); i++)
        if (strcmp(m.name, name) == 0) return m.token;
    return 0;
}
/* Places in the table of systems are given in the order in which they were heard. */
static u32 place(struct simxcf *s, const char *name) {
    struct xcf_system_info info;
    u32 i = 0;
    while (xcf_system(simxcf_xcf(s, 0), i, &info) && strcmp(info.id.name, name) != 0) i++;
    return i;
}
static int say(struct simxcf *s, struct talker *t, u32 to, u32 len) {
    static u8 data[XCFMSG_DATA_MAX];
    return xcf_send(t->member, to, NULL, data, len, simxcf_local(s, 0));
}

static void maxmsg(void **state) {
    struct talker t[3];
    struct simxcf *s = plex(t);
    struct xcf *x = simxcf_xcf(s, 0);
    u32 to1 = token_at(s, "TALK", "T1"), to2 = token_at(s, "TALK", "T2"), bytes, refused, sent = 0;
    UNUSED(state);
    simxcf_pair(s, 0, 1, SIMXCF_SILENT); /* what is sent to SYS02 is not acknowledged */
    while (say(s, &t[0], to1, 4 * KB) == 0) sent++;
    assert_in_range(sent, 8, 10);
    assert_int_equal(say(s, &t[0], to1, 4 * KB), -ERR_NOBUFS);
    assert_true(xcf_class_use(x, place(s, "SYS02"), 0, &bytes, &refused));
    assert_in_range(bytes, 32 * KB, 41 * KB);
    assert_int_equal(refused, 2);
    assert_int_equal(xcf_counters(x)->send_maxmsg, 2);
    /* Another system's space is its own; a send to all is all or nothing. */
    assert_int_equal(say(s, &t[0], to2, 4 * KB), 0);
    assert_int_equal(say(s, &t[0], XCF_TO_ALL, 4 * KB), -ERR_NOBUFS);
    simxcf_run(s, USEC_PER_SEC);
    assert_int_equal(t[2].received, 1);
    /* No room yet, and nobody is told that there is. */
    assert_int_equal(t[0].rooms, 0);
    simxcf_pair(s, 0, 1, SIMXCF_OK);
    simxcf_run(s, 5 * (u64)USEC_PER_SEC);
    assert_int_equal(t[0].rooms, 1);
    assert_int_equal(t[1].received, sent);
    assert_int_equal(say(s, &t[0], XCF_TO_ALL, 4 * KB), 0);
    simxcf_destroy(s);
}

/* What never could be sent within MAXMSG is sent alone. */
static void longer_than_maxmsg(void **state) {
    struct talker t[3];
    struct simxcf *s = plex(t);
    u32 to1 = token_at(s, "TALK", "T1");
    UNUSED(state);
    assert_int_equal(say(s, &t[0], to1, XCFMSG_DATA_MAX), 0);
    assert_int_equal(say(s, &t[0], to1, 10), -ERR_NOBUFS);
    simxcf_run(s, USEC_PER_SEC);
    assert_int_equal(t[1].received, 1);
    assert_int_equal(t[0].rooms, 1);
    simxcf_destroy(s);
}

/* LOCALMSG for members of one system, and the class of a group that has its own. */
static void other_classes(void **state) {
    struct talker t[3];
    struct simxcf *s = plex(t);
    struct xcf *x = simxcf_xcf(s, 0);
    struct talker here = {.member = NULL}, other = {.member = NULL}, there = {.member = NULL};
    struct xcf_join j = {.group = "TALK", .member = "HERE", .exits = &exits, .ctx = &here};
    u32 n = 0, bytes, refused;
    UNUSED(state);
    assert_int_equal(xcf_join(x, &j, &here.member, simxcf_local(s, 0)), 0);
    while (say(s, &t[0], xcf_member_token(here.member), 4 * KB) == 0) n++;
    assert_in_range(n, 4, 5);
    j = (struct xcf_join){.group = "OTHER", .member = "A", .exits = &exits, .ctx = &other};
    assert_int_equal(xcf_join(x, &j, &other.member, simxcf_local(s, 0)), 0);
    j = (struct xcf_join){.group = "OTHER", .member = "B", .exits = &exits, .ctx = &there};
    assert_int_equal(xcf_join(simxcf_xcf(s, 1), &j, &there.member, simxcf_local(s, 1)), 0);
    simxcf_run(s, USEC_PER_SEC);
    simxcf_pair(s, 0, 1, SIMXCF_SILENT);
    u32 to = token_at(s, "OTHER", "B");
    for (n = 0; say(s, &other, to, 4 * KB) == 0; n++) {}
    assert_in_range(n, 23, 25);
    assert_true(xcf_class_use(x, place(s, "SYS02"), 1, &bytes, &refused));
    assert_int_equal(refused, 1);
    assert_true(xcf_class_use(x, place(s, "SYS02"), 0, &bytes, &refused));
    assert_int_equal(refused, 0);
    assert_false(xcf_class_use(x, place(s, "SYS02"), 2, &bytes, &refused));
    assert_false(xcf_class_use(x, 32, 0, &bytes, &refused));
    assert_int_equal(here.received, 4);
    simxcf_destroy(s);
}

static u32 acks(struct simxcf *s, u32 i) { return xcf_counters(simxcf_xcf(s, i))->acks_sent; }

/* Short messages cost an acknowledgement for half a window of them, or after a while; a sender that runs short of its class's space, or of
 * buffers, has one at once, and goes on long before that while is over. */
static void who_runs_short_asks(void **state) {
    struct talker t[3];
    struct simxcf *s = plex(t);
    u32 to1 = token_at(s, "TALK", "T1"), before = acks(s, 1), sent = 0;
    UNUSED(state);
    for (u32 i = 0; i < 60; i++) assert_int_equal(say(s, &t[0], to1, 10), 0);
    simxcf_run(s, 10 * USEC_PER_MSEC);
    assert_int_equal(t[1].received, 60);
    assert_int_equal(acks(s, 1), before);
    simxcf_run(s, 20 * USEC_PER_MSEC); /* after a while */
    assert_int_equal(acks(s, 1), before + 1);
    for (u32 i = 0; i < 64; i++) assert_int_equal(say(s, &t[0], to1, 10), 0);
    simxcf_run(s, 10 * USEC_PER_MSEC);
    assert_int_equal(acks(s, 1), before + 2);
    while (say(s, &t[0], to1, 4 * KB) == 0) sent++; /* some 20 segments, the whole of MAXMSG */
    simxcf_run(s, 10 * USEC_PER_MSEC);
    assert_int_equal(t[1].received, 124 + sent);
    assert_true(acks(s, 1) > before + 2);
    assert_int_equal(t[0].rooms, 1);
    assert_int_equal(say(s, &t[0], to1, 4 * KB), 0);
    simxcf_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(maxmsg), cmocka_unit_test(longer_than_maxmsg), cmocka_unit_test(other_classes),
                                       cmocka_unit_test(who_runs_short_asks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
