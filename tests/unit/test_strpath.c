/* test_strpath.c - signalling over a structure that moves: three systems, two facilities, no other path. Each sends numbered messages
 * to each other one all the time; whatever happens to the structure, each message arrives once and in order. A structure that an operator
 * moves loses nothing on the way: no path fails and no segment is sent a second time. And the couple data move, by PSWITCH and ACOUPLE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hercules-devices/cf_engine.h"
#include "tests/sim/simcf.h"
#include "tests/unit/xcfnode.h"

#define SYSTEMS 3u
#define TICK_US 400u
#define PERIOD_US 4000u /* of each system's messages */

struct world;
struct node {
    struct world *w;
    u32 index;
    struct xcfnode s;
    bool stopped;
    u64 send_at;
    u32 sent[SYSTEMS], received[SYSTEMS];
};
struct world {
    struct simcf *z;
    struct node node[SYSTEMS];
    bool sending;
};

/* ---- a system ---- */

/* A message is its number, the sender's index, and filling up to a length that the number says. */
static u32 length_of(u32 number) { return number % 7 == 3 ? 20000 : 8 + number % 900; }

static void on_message(void *ctx, const struct xcf_msg *m, u64 now) {
    struct node *n = ctx;
    u8 head[8];
    UNUSED(now);
    assert_int_equal(xcf_msg_copy(m, 0, head, sizeof head), sizeof head);
    u32 from = be32_get(head + 4), number = be32_get(head);
    assert_true(from < SYSTEMS);
    if (number != n->received[from]) fail_msg("SYS%c has %u of SYS%c, and gets %u", 'A' + (int)n->index, n->received[from], 'A' + (int)from, number);
    assert_int_equal(xcf_msg_bytes(m), length_of(number));
    n->received[from]++;
}
static const struct xcf_exits EXITS = {.message = on_message};

static void node_begin(struct world *w, u32 i) {
    static const u16 devices[] = {0x0F00, 0x0F10};
    struct node *n = &w->node[i];
    *n = (struct node){.w = w, .index = i};
    xcfnode_create(&n->s,
                   &(struct xcfnode_config){.arena = simcf_arena(w->z, i), .sys = simcf_channels(w->z, i), .devices = devices, .devices_count = 2,
                                            .index = i, .acouple = "CF02", .interval_s = 20},
                   simcf_now(w->z));
    xcfnode_structure(&n->s, "IXCSTR1", 2000, simcf_now(w->z));
    xcfnode_join(&n->s, &EXITS, n, simcf_now(w->z));
}

/* ---- time ---- */

static void send_next(struct node *n, u64 now) {
    static u8 data[20000];
    for (u32 to = 0; to < SYSTEMS; to++) {
        struct xcf_member_info info[SYSTEMS];
        u32 members = xcf_query(n->s.x, "TEST", info, SYSTEMS);
        for (u32 k = 0; k < members && k < SYSTEMS && to != n->index; k++) {
            if (info[k].system[3] != (char)('A' + to)) continue;
            be32_put(data, n->sent[to]);
            be32_put(data + 4, n->index);
            /* Refused while nothing can be sent and the buffers are full: the number comes again. */
            n->sent[to] += xcf_send(n->s.member, info[k].token, NULL, data, length_of(n->sent[to]), now) == 0;
        }
    }
}

static void poll_all(struct world *w) {
    for (u32 i = 0; i < SYSTEMS; i++) {
        struct node *n = &w->node[i];
        if (n->stopped) continue;
        if (w->sending && simcf_now(w->z) >= n->send_at) {
            n->send_at = simcf_now(w->z) + PERIOD_US + 100 * i;
            send_next(n, simcf_now(w->z));
        }
        xcfnode_poll(&n->s, simcf_now(w->z));
        if (n->s.wait_code)
            fail_msg("nobody who runs is isolated: SYS%c, reason %03X\n%s", 'A' + (int)n->index, n->s.wait_reason, n->s.said);
    }
}

/* A step takes time of its own; where there is none, time passes. */
static void run(struct world *w, u64 us) {
    for (u64 end = simcf_now(w->z) + us; simcf_now(w->z) < end;) {
        poll_all(w);
        if (!simcf_step(w->z)) simcf_later(w->z, TICK_US);
    }
}

static struct world *world_of(u32 seed, u32 systems) {
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->z = simcf_create_large(SYSTEMS, SIMCF_FACILITIES, seed, 16u << 20);
    simcf_verify_every(w->z, 61);
    for (u32 i = 0; i < SYSTEMS; i++) {
        if (i < systems) node_begin(w, i);
        else w->node[i].stopped = true;
    }
    run(w, 4 * USEC_PER_SEC);
    w->sending = true;
    run(w, 100 * USEC_PER_MSEC);
    return w;
}

static struct world *world_begin(u32 seed) { return world_of(seed, SYSTEMS); }

/* What was sent is there, of those who live. */
static void all_arrived(struct world *w) {
    for (u32 i = 0; i < SYSTEMS; i++)
        for (u32 k = 0; k < SYSTEMS; k++) {
            if (i == k || w->node[i].stopped || w->node[k].stopped) continue;
            assert_true(w->node[i].sent[k] > 10);
            if (w->node[k].received[i] != w->node[i].sent[k])
                fail_msg("SYS%c sent %u, SYS%c received %u\n%s", 'A' + (int)i, w->node[i].sent[k], 'A' + (int)k, w->node[k].received[i], w->node[i].s.said);
        }
}

static const char *facility(const struct world *w, u32 i) {
    struct strpath_info info;
    assert_true(strpaths_info(w->node[i].s.str, 0, &info));
    if (info.state != STRPATH_READY || info.phase) return "";
    return info.facility;
}
static void together(const struct world *w, const char *where) {
    for (u32 i = 0; i < SYSTEMS; i++)
        if (!w->node[i].stopped && strcmp(facility(w, i), where) != 0)
            fail_msg("SYS%c is in '%s', not in %s\n%s", 'A' + (int)i, facility(w, i), where, w->node[i].s.said);
}

static void world_end(struct world *w) {
    w->sending = false;
    run(w, 3 * USEC_PER_SEC);
    all_arrived(w);
    for (u32 i = 0; i < SYSTEMS; i++)
        for (u32 k = 0; k < SIMCF_FACILITIES; k++) simcf_cut(w->z, i, k, true); /* a link that is closed alone is a reason to go to the other one */
    run(w, 10 * USEC_PER_MSEC);
    simcf_end(w->z);
    for (u32 i = 0; i < SYSTEMS; i++) cflinks_close(w->node[i].s.links, simcf_now(w->z));
    simcf_destroy(w->z);
    free(w);
}

/* ---- rows ---- */

static void test_by_command(void **state) {
    UNUSED(state);
    struct world *w = world_begin(3);
    u32 again = 0, failures = 0;
    together(w, "CF01");
    for (u32 i = 0; i < SYSTEMS; i++) {
        again += xcf_counters(w->node[i].s.x)->segments_again;
        failures += xcf_counters(w->node[i].s.x)->path_failures;
    }
    for (u32 round = 0; round < 12; round++) {
        struct node *n = &w->node[round % SYSTEMS];
        assert_int_equal(strpaths_rebuild(n->s.str, "IXCSTR1", true, simcf_now(w->z)), 0);
        run(w, 37 * USEC_PER_MSEC + round * 700);
        together(w, round % 2 ? "CF01" : "CF02");
        assert_non_null(strstr(n->s.said, "IXC465I REBUILD REQUEST FOR STRUCTURE IXCSTR1 WAS SUCCESSFUL. WHY REBUILT: OPERATOR"));
    }
    w->sending = false;
    run(w, USEC_PER_SEC);
    all_arrived(w);
    for (u32 i = 0; i < SYSTEMS; i++) {
        again -= xcf_counters(w->node[i].s.x)->segments_again;
        failures -= xcf_counters(w->node[i].s.x)->path_failures;
        assert_int_equal(strpaths_counters(w->node[i].s.str)->moves, 12);
        assert_int_equal(strpaths_counters(w->node[i].s.str)->drop_unknown, 0);
    }
    assert_int_equal(again, 0);
    assert_int_equal(failures, 0);
    world_end(w);
}

static void test_refused(void **state) {
    UNUSED(state);
    struct world *w = world_begin(4);
    struct node *n = &w->node[1];
    assert_int_equal(strpaths_rebuild(n->s.str, "IXCNONE", true, simcf_now(w->z)), -ERR_NOTCONN);
    assert_int_equal(strpaths_rebuild(n->s.str, "IXCSTR1", false, simcf_now(w->z)), -ERR_NOENT);
    simcf_kill(w->z, 1);
    run(w, 10 * USEC_PER_MSEC);
    assert_int_equal(strpaths_rebuild(n->s.str, "IXCSTR1", true, simcf_now(w->z)), -ERR_NETDOWN);
    together(w, "CF01");
    world_end(w);
}

/* The facility dies under way, at another moment each time; and in the middle of a rebuild. */
static void test_facility_dies(void **state) {
    UNUSED(state);
    for (u32 at = 0; at < 16; at++) {
        struct world *w = world_begin(100 + at);
        u32 dies = at & 1;
        if (dies) {
            assert_int_equal(strpaths_rebuild(w->node[0].s.str, "IXCSTR1", true, simcf_now(w->z)), 0);
            run(w, 40 * USEC_PER_MSEC);
            together(w, "CF02");
        }
        if (at & 2) assert_int_equal(strpaths_rebuild(w->node[2].s.str, "IXCSTR1", true, simcf_now(w->z)), 0);
        for (u32 i = 0; i < at * 3; i++) {
            strpaths_poll(w->node[i % SYSTEMS].s.str, simcf_now(w->z));
            simcf_step(w->z);
        }
        simcf_kill(w->z, dies);
        run(w, 400 * USEC_PER_MSEC);
        together(w, dies ? "CF01" : "CF02");
        simcf_start(w->z, dies);
        run(w, 400 * USEC_PER_MSEC);
        world_end(w);
    }
}

/* The facility dies together with a system; nobody says that it is gone, and it is not waited for longer than STRPATH_PATIENCE_US. */
static void test_dies_with_a_system(void **state) {
    UNUSED(state);
    struct world *w = world_begin(9);
    w->node[1].stopped = true;
    simcf_stop(w->z, 1);
    simcf_kill(w->z, 0);
    run(w, STRPATH_PATIENCE_US + 1500 * USEC_PER_MSEC);
    together(w, "CF02");
    world_end(w);
}

/* One system alone loses its link: it cannot be reached, and nothing else changes; when its cable is back, so is it. */
static void test_one_link(void **state) {
    UNUSED(state);
    struct world *w = world_begin(5);
    simcf_cut(w->z, 1, 0, true);
    run(w, 4 * USEC_PER_SEC);
    assert_string_equal(facility(w, 0), facility(w, 2));
    simcf_cut(w->z, 1, 0, false);
    run(w, 13 * USEC_PER_SEC);
    together(w, "CF01");
    world_end(w);
}

/* One of three equal systems loses its link to the structure, which is its only path: 100 of 300. */
static void test_rebuild_percent(void **state) {
    UNUSED(state);
    static struct cfrm_policy policy = {.name = "POLPCT", .rows = 1};
    policy.row[0] = (struct cfrm_row){.name = "IXCSTR1", .size_kb = 2048, .preferences = 2, .preference = {"CF01", "CF02"}};
    for (u32 percent = 32; percent <= 35; percent++) {
        struct world *w = world_begin(400 + percent);
        bool moves = percent <= 33;
        u64 begun = 0;
        policy.row[0].rebuild_percent = percent;
        for (u32 i = 0; i < SYSTEMS; i++) assert_int_equal(cfrm_policy_start(w->node[i].s.cfrm, &policy, simcf_now(w->z)), 0);
        simcf_cut(w->z, percent % SYSTEMS, 0, true);
        run(w, STRPATH_PERCENT_US - 100 * USEC_PER_MSEC);
        for (u32 i = 0; i < SYSTEMS; i++) assert_true(i == percent % SYSTEMS || strcmp(facility(w, i), "CF01") == 0);
        run(w, 3 * USEC_PER_SEC);
        for (u32 i = 0; i < SYSTEMS; i++) {
            begun += strpaths_counters(w->node[i].s.str)->weighed;
            if (!moves && i != percent % SYSTEMS) assert_string_equal(facility(w, i), "CF01");
        }
        assert_int_equal(begun, moves);
        if (moves) together(w, "CF02");
        simcf_cut(w->z, percent % SYSTEMS, 0, false);
        run(w, 13 * USEC_PER_SEC);
        together(w, moves ? "CF02" : "CF01");
        world_end(w);
    }
}

/* ---- in two facilities ---- */

static void pair_is(const struct world *w, const char *first, const char *second) {
    for (u32 i = 0; i < SYSTEMS; i++) {
        struct strpath_info info;
        if (w->node[i].stopped) continue;
        assert_true(strpaths_info(w->node[i].s.str, 0, &info));
        if (info.state != STRPATH_READY || !info.second || strcmp(info.facility, first) != 0 || strcmp(info.second, second) != 0)
            fail_msg("SYS%c: %s %s in '%s' and '%s'\n%s", 'A' + (int)i, strpath_state_name(info.state), info.phase ? info.phase : "", info.facility,
                     info.second ? info.second : "", w->node[i].s.said);
    }
}

static u64 harm(const struct world *w) {
    u64 n = 0;
    for (u32 i = 0; i < SYSTEMS; i++) {
        n += xcf_counters(w->node[i].s.x)->segments_again + xcf_counters(w->node[i].s.x)->path_failures + strpaths_counters(w->node[i].s.str)->losses;
        n += strpaths_counters(w->node[i].s.str)->errors + strpaths_counters(w->node[i].s.str)->drop_unknown;
    }
    return n;
}

/* Either facility dies, at another moment each time: nothing is sent again, and no path fails. */
static void test_duplexed(void **state) {
    UNUSED(state);
    for (u32 at = 0; at < 14; at++) {
        struct world *w = world_begin(200 + at);
        u32 dies = at & 1;
        u64 before = harm(w);
        assert_int_equal(strpaths_duplex(w->node[at % SYSTEMS].s.str, "IXCSTR1", true, false, simcf_now(w->z)), 0);
        run(w, 60 * USEC_PER_MSEC);
        pair_is(w, "CF01", "CF02");
        for (u32 i = 0; i < at * 5; i++) {
            poll_all(w);
            simcf_step(w->z);
        }
        simcf_kill(w->z, dies);
        run(w, 60 * USEC_PER_MSEC);
        together(w, dies ? "CF01" : "CF02");
        assert_int_equal(harm(w), before);
        assert_non_null(strstr(w->node[2].s.said, dies ? "IS BEING STOPPED TO FALL BACK TO THE OLD" : "IS BEING STOPPED TO SWITCH TO THE NEW"));
        simcf_start(w->z, dies);
        run(w, 400 * USEC_PER_MSEC);
        assert_int_equal(strpaths_duplex(w->node[0].s.str, "IXCSTR1", true, false, simcf_now(w->z)), 0);
        run(w, 60 * USEC_PER_MSEC);
        pair_is(w, dies ? "CF01" : "CF02", dies ? "CF02" : "CF01");
        assert_int_equal(strpaths_duplex(w->node[1].s.str, "IXCSTR1", false, dies, simcf_now(w->z)), 0);
        run(w, 60 * USEC_PER_MSEC);
        together(w, "CF02");
        world_end(w);
    }
}

/* The policy makes pairs by itself, also when the facility is back; a system that is loaded later comes into the pair. */
static void test_duplexed_by_policy(void **state) {
    UNUSED(state);
    static struct cfrm_policy policy = {.name = "POLDUP", .rows = 1};
    struct world *w = world_of(31, 2);
    policy.row[0] = (struct cfrm_row){.name = "IXCSTR1", .size_kb = 2048, .preferences = 2, .preference = {"CF01", "CF02"}};
    for (u32 duplex = CFRM_DUPLEX_DISABLED; duplex <= CFRM_DUPLEX_ENABLED; duplex++) {
        policy.row[0].duplex = (enum cfrm_duplex)duplex;
        for (u32 i = 0; i < 2; i++) assert_int_equal(cfrm_policy_start(w->node[i].s.cfrm, &policy, simcf_now(w->z)), 0);
        if (duplex == CFRM_DUPLEX_DISABLED)
            assert_int_equal(strpaths_duplex(w->node[0].s.str, "IXCSTR1", true, false, simcf_now(w->z)), -ERR_ACCES);
        run(w, STRPATH_DUPLEX_US / 2);
        together(w, "CF01");
    }
    run(w, STRPATH_DUPLEX_US + USEC_PER_SEC);
    /* What was allocated without the policy may be of another size than its second would be: then there is no pair. */
    if (!strstr(w->node[0].s.said, "IXC578I")) fail_msg("no pair\n%s", w->node[0].s.said);
    pair_is(w, "CF01", "CF02");
    node_begin(w, 2);
    run(w, 4 * USEC_PER_SEC);
    pair_is(w, "CF01", "CF02");
    simcf_kill(w->z, 0);
    run(w, USEC_PER_SEC);
    together(w, "CF02");
    simcf_start(w->z, 0);
    run(w, STRPATH_DUPLEX_US + 2 * USEC_PER_SEC);
    pair_is(w, "CF02", "CF01");
    /* ALLOWED lets a pair be; DISABLED ends it, and the first is kept, though only one system was told. */
    u64 before = harm(w);
    policy.row[0].duplex = CFRM_DUPLEX_ALLOWED;
    assert_int_equal(cfrm_policy_start(w->node[1].s.cfrm, &policy, simcf_now(w->z)), 0);
    run(w, CFRM_CHECK_US + USEC_PER_SEC);
    pair_is(w, "CF02", "CF01");
    policy.row[0].duplex = CFRM_DUPLEX_DISABLED;
    str_copy(policy.name, sizeof policy.name, "POLSINGL");
    assert_int_equal(cfrm_policy_start(w->node[1].s.cfrm, &policy, simcf_now(w->z)), 0);
    run(w, CFRM_CHECK_US + 2 * USEC_PER_SEC);
    together(w, "CF02");
    for (u32 i = 0; i < SYSTEMS; i++) {
        struct strpath_info info;
        assert_true(strpaths_info(w->node[i].s.str, 0, &info) && !info.second);
    }
    assert_non_null(strstr(w->node[1].s.said, "IXCSTR1: CHANGE OF THE CFRM POLICY"));
    assert_int_equal(harm(w), before);
    str_copy(policy.name, sizeof policy.name, "POLDUP");
    world_end(w);
}

/* ---- the couple data ---- */

/* The first systems do. */
static void couple_says(const struct world *w, u32 systems, const char *primary, const char *alternate) {
    for (u32 i = 0; i < systems; i++) {
        struct cds_copy_info info = {.facility = ""};
        if (w->node[i].stopped) continue;
        if (!cds_copy(w->node[i].s.cds, 0, &info) || strcmp(info.facility, primary) != 0 || info.state != CDS_READY)
            fail_msg("SYS%c: the primary is %s, not %s\n%s", 'A' + (int)i, info.facility, primary, w->node[i].s.said);
        info.facility = "";
        bool any = cds_copy(w->node[i].s.cds, 1, &info);
        if (any != (alternate[0] != 0) || strcmp(info.facility, alternate) != 0 || (any && info.state != CDS_READY))
            fail_msg("SYS%c: the alternate is '%s', not '%s'\n%s", 'A' + (int)i, info.facility, alternate, w->node[i].s.said);
    }
}
static void couple_is(const struct world *w, const char *primary, const char *alternate) { couple_says(w, SYSTEMS, primary, alternate); }
static void said_by_all(const struct world *w, const char *text) {
    for (u32 i = 0; i < SYSTEMS; i++)
        if (!w->node[i].stopped && !strstr(w->node[i].s.said, text)) fail_msg("SYS%c does not say %s", 'A' + (int)i, text);
}

/* One says it, all do it; then the former primary may die, and come back as the alternate. */
static void test_pswitch(void **state) {
    UNUSED(state);
    struct world *w = world_begin(6);
    couple_is(w, "CF01", "CF02");
    assert_int_equal(cds_pswitch(w->node[0].s.cds, simcf_now(w->z)), 0);
    run(w, 2500 * USEC_PER_MSEC);
    couple_is(w, "CF02", "");
    said_by_all(w, "IXC257I PRIMARY COUPLE DATA SET CF01 FOR SYSPLEX HAS BEEN REPLACED BY THE ALTERNATE");
    assert_int_equal(cds_pswitch(w->node[1].s.cds, simcf_now(w->z)), -ERR_NOENT);
    assert_int_equal(cds_acouple(w->node[1].s.cds, "CF02", simcf_now(w->z)), -ERR_ALREADY);
    simcf_kill(w->z, 0);
    run(w, 500 * USEC_PER_MSEC);
    assert_int_equal(cds_acouple(w->node[1].s.cds, "CF01", simcf_now(w->z)), -ERR_NOENT);
    simcf_start(w->z, 0);
    run(w, 500 * USEC_PER_MSEC);
    couple_is(w, "CF02", "");
    assert_int_equal(cds_acouple(w->node[1].s.cds, "CF01", simcf_now(w->z)), 0);
    run(w, 2500 * USEC_PER_MSEC);
    couple_is(w, "CF02", "CF01");
    said_by_all(w, "IXC251I NEW ALTERNATE DATA SET CF01 FOR SYSPLEX HAS BEEN MADE AVAILABLE");
    world_end(w);
}

/* A system whose COUPLExx names the former ones; and two operators at the same moment. */
static void test_late_comer(void **state) {
    UNUSED(state);
    struct world *w = world_of(8, 2);
    assert_int_equal(cds_pswitch(w->node[0].s.cds, simcf_now(w->z)), 0);
    assert_int_equal(cds_pswitch(w->node[1].s.cds, simcf_now(w->z)), 0);
    run(w, 2500 * USEC_PER_MSEC);
    couple_is(w, "CF02", "");
    node_begin(w, 2);
    run(w, 4 * USEC_PER_SEC);
    couple_is(w, "CF02", "");
    assert_int_equal(cds_acouple(w->node[2].s.cds, "CF01", simcf_now(w->z)), 0);
    assert_int_equal(cds_pswitch(w->node[0].s.cds, simcf_now(w->z)), -ERR_NOENT); /* it has not heard of it yet */
    run(w, 2500 * USEC_PER_MSEC);
    couple_is(w, "CF02", "CF01");
    run(w, 3 * USEC_PER_SEC);
    world_end(w);
}

static bool elsewhere(const struct world *w, u32 i) {
    const char *primary;
    bool is = cds_elsewhere(w->node[i].s.cds, &primary);
    if (is) assert_string_equal(primary, "CF02");
    return is;
}

/* The facility that the couple data were switched away from says so to a system that reaches no other: it joins nobody. When it reaches the present one it joins there; or its operator names other couple data. */
static void test_former_says_so(void **state) {
    UNUSED(state);
    for (u32 k = 0; k < 24; k++) {
        struct world *w = world_of(40 + k, 2);
        bool revived = k % 3 == 1; /* the former primary loses all that it has, and is there again */
        simcf_cut(w->z, 2, 1, true);
        assert_int_equal(cds_pswitch(w->node[0].s.cds, simcf_now(w->z)), 0);
        if (k % 3 == 2) node_begin(w, 2); /* while the others are told */
        run(w, 2500 * USEC_PER_MSEC);
        couple_says(w, 2, "CF02", "");
        if (revived) {
            simcf_kill(w->z, 0);
            run(w, 100 * USEC_PER_MSEC);
            simcf_start(w->z, 0);
            run(w, 1500 * USEC_PER_MSEC); /* whoever knows is linked to it again */
        }
        if (k % 3 != 2) node_begin(w, 2);
        run(w, 2500 * USEC_PER_MSEC);
        if (cds_joined(w->node[2].s.cds) && k % 3 != 2) fail_msg("%u: it begins apart\n%s", k, w->node[2].s.said);
        if (!cds_joined(w->node[2].s.cds)) assert_true(elsewhere(w, 2));
        if (k % 2) cds_respecify(w->node[2].s.cds, "CF01", "CF02", simcf_now(w->z)); /* the same again: the same answer */
        run(w, 2 * USEC_PER_SEC);
        if (!cds_joined(w->node[2].s.cds)) assert_true(elsewhere(w, 2));
        simcf_cut(w->z, 2, 1, false);
        run(w, 3 * USEC_PER_SEC);
        assert_true(cds_joined(w->node[2].s.cds));
        couple_is(w, "CF02", "");
        /* In use again it is what its records say, and nobody minds the note. */
        assert_int_equal(cds_acouple(w->node[1].s.cds, "CF01", simcf_now(w->z)), 0);
        run(w, 2500 * USEC_PER_MSEC);
        couple_is(w, "CF02", "CF01");
        run(w, 4 * USEC_PER_SEC); /* all signal again */
        world_end(w);
    }
}

/* The other side of it: the alternate in use, and a system that reaches only that one, whose note is an old one. */
static void test_alternate_alone(void **state) {
    UNUSED(state);
    struct world *w = world_of(77, 2);
    assert_int_equal(cds_pswitch(w->node[0].s.cds, simcf_now(w->z)), 0);
    run(w, 2500 * USEC_PER_MSEC);
    assert_int_equal(cds_acouple(w->node[0].s.cds, "CF01", simcf_now(w->z)), 0);
    run(w, 2500 * USEC_PER_MSEC);
    simcf_cut(w->z, 2, 1, true);
    node_begin(w, 2);
    run(w, 3 * USEC_PER_SEC);
    assert_true(cds_joined(w->node[2].s.cds));
    simcf_cut(w->z, 2, 1, false);
    run(w, 4 * USEC_PER_SEC);
    couple_is(w, "CF02", "CF01");
    world_end(w);
}

/* Who dies after it is isolated through the facility that is the primary now. */
static void test_switch_and_death(void **state) {
    UNUSED(state);
    struct world *w = world_begin(12);
    assert_int_equal(cds_pswitch(w->node[2].s.cds, simcf_now(w->z)), 0);
    run(w, 2500 * USEC_PER_MSEC);
    simcf_kill(w->z, 0);
    w->node[2].stopped = true;
    simcf_stop(w->z, 2);
    run(w, 3 * USEC_PER_SEC);
    said_by_all(w, "IXC101I SYSPLEX PARTITIONING IN PROGRESS FOR SYSC");
    for (u32 i = 0; i < 2; i++) assert_int_equal(xcf_counters(w->node[i].s.x)->prompts, 0);
    assert_int_equal(xcf_counters(w->node[0].s.x)->systems_gone + xcf_counters(w->node[1].s.x)->systems_gone, 2);
    world_end(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_command),         cmocka_unit_test(test_refused),  cmocka_unit_test(test_facility_dies),
        cmocka_unit_test(test_dies_with_a_system), cmocka_unit_test(test_one_link), cmocka_unit_test(test_rebuild_percent),
        cmocka_unit_test(test_duplexed),           cmocka_unit_test(test_duplexed_by_policy),
        cmocka_unit_test(test_pswitch),            cmocka_unit_test(test_late_comer), cmocka_unit_test(test_switch_and_death),
        cmocka_unit_test(test_former_says_so),     cmocka_unit_test(test_alternate_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
