/* test_xcf_partition.c - death and fencing: what is lost, and the end that it must come to.
 *
 * Three systems, INTERVAL(5), CLEANUP(5). Something happens to SYS03 (or to the paths or the arbiter), time
 * passes, and the table says how SYS01 sees it, whether it was isolated, and whether the operator was asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/simxcf.h"

#include <cmocka.h>

#define SECONDS(n) ((n) * (u64)USEC_PER_SEC)
#define VICTIM     2

enum happens { KILL, KILL_SEEN, PAUSE, NOTHING };
enum paths { KEEP, CUT, CUT_SILENTLY, CUT_ONE_PAIR };
enum arbiter { HERE, NONE, VICTIM_LOSES, ALL_LOSE };

static const struct row {
    enum happens what;
    enum paths paths;
    enum arbiter arbiter;
    u32 after_s;
    enum xcf_system_state seen; /* by SYS01 */
    bool isolated, asked, connfail;
} rows[] = {
    /* process death with its connection seen: at once; else after INTERVAL; without an arbiter the operator
     */
    {KILL_SEEN, KEEP, HERE, 1, XCF_SYS_CLEANUP, true, false, false},
    {KILL, KEEP, HERE, 3, XCF_SYS_ACTIVE, false, false, false},
    {KILL, KEEP, HERE, 7, XCF_SYS_CLEANUP, true, false, false},
    {KILL, KEEP, HERE, 13, XCF_SYS_GONE, true, false, false},
    {KILL, KEEP, NONE, 60, XCF_SYS_PROMPT, false, true, false},
    {KILL, KEEP, ALL_LOSE, 60, XCF_SYS_PROMPT, false, true, false},
    {KILL, KEEP, VICTIM_LOSES, 7, XCF_SYS_CLEANUP, true, false, false},
    /* a frozen system */
    {PAUSE, KEEP, HERE, 3, XCF_SYS_ACTIVE, false, false, false},
    {PAUSE, KEEP, HERE, 7, XCF_SYS_CLEANUP, true, false, false},
    {PAUSE, KEEP, NONE, 60, XCF_SYS_PROMPT, false, true, false},
    {PAUSE, CUT, ALL_LOSE, 60, XCF_SYS_PROMPT, false, true, false},
    /* cut off from everything: isolated; cut off from signals only: alive, so nobody is removed unasked */
    {NOTHING, CUT, VICTIM_LOSES, 8, XCF_SYS_CLEANUP, true, false, false},
    {NOTHING, CUT_SILENTLY, VICTIM_LOSES, 9, XCF_SYS_CLEANUP, true, false, false},
    {NOTHING, CUT, HERE, 60, XCF_SYS_NOSIGNAL, false, true, false},
    {NOTHING, CUT, NONE, 60, XCF_SYS_PROMPT, false, true, false},
    {NOTHING, CUT, ALL_LOSE, 60, XCF_SYS_PROMPT, false, true, false},
    {NOTHING, CUT_ONE_PAIR, NONE, 60, XCF_SYS_PROMPT, false, true, false},
    /* CONNFAIL(YES): the lighter side goes */
    {NOTHING, CUT, HERE, 20, XCF_SYS_GONE, true, false, true},
    {NOTHING, CUT_SILENTLY, HERE, 24, XCF_SYS_GONE, true, false, true},
    {NOTHING, CUT_ONE_PAIR, HERE, 20, XCF_SYS_GONE, true, false, true}, /* equal: the lower name stays */
    /* the arbiter alone */
    {NOTHING, KEEP, VICTIM_LOSES, 60, XCF_SYS_ACTIVE, false, false, false},
    {NOTHING, KEEP, ALL_LOSE, 60, XCF_SYS_ACTIVE, false, false, false},
};

static struct simxcf *plex(bool arbiter, bool connfail) {
    struct couple c;
    couple_default(&c);
    c.interval_s = c.cleanup_s = 5;
    c.sfm.active = c.sfm.connfail = connfail;
    struct simxcf_params p = {.seed = 11, .systems = 3, .arbiter = arbiter, .couple = &c};
    struct simxcf *s = simxcf_create(&p);
    simxcf_run(s, SECONDS(4));
    return s;
}

static void happen(struct simxcf *s, const struct row *r) {
    for (u32 i = 0; i < 3; i++)
        if (r->arbiter == ALL_LOSE || (r->arbiter == VICTIM_LOSES && i == VICTIM)) simxcf_reach(s, i, false);
    if (r->paths != KEEP) {
        simxcf_pair(s, 0, VICTIM, r->paths == CUT_SILENTLY ? SIMXCF_SILENT : SIMXCF_DOWN);
        if (r->paths != CUT_ONE_PAIR)
            simxcf_pair(s, 1, VICTIM, r->paths == CUT_SILENTLY ? SIMXCF_SILENT : SIMXCF_DOWN);
    }
    if (r->what == KILL || r->what == KILL_SEEN) simxcf_kill(s, VICTIM, r->what == KILL_SEEN);
    if (r->what == PAUSE) simxcf_pause(s, VICTIM, true);
}

static void row_run(const struct row *r) {
    struct simxcf *s = plex(r->arbiter != NONE, r->connfail);
    const char *text;
    happen(s, r);
    simxcf_run(s, SECONDS(r->after_s));
    bool asked = simxcf_question(s, 0, &text) != 0;
    u32 told = simxcf_events(s, 0, XCF_EV_SYSTEM_GONE);
    bool out = r->seen == XCF_SYS_CLEANUP || r->seen == XCF_SYS_GONE;
    if (simxcf_sees(s, 0, VICTIM) != r->seen || simxcf_isolated(s, VICTIM) != r->isolated ||
        asked != r->asked)
        print_error("row %u: %s, isolated %d, asked %d (%s)\n", (u32)(r - rows),
                    xcf_system_state_name(simxcf_sees(s, 0, VICTIM)), simxcf_isolated(s, VICTIM), asked,
                    text);
    assert_int_equal(simxcf_sees(s, 0, VICTIM), r->seen);
    assert_int_equal(simxcf_isolated(s, VICTIM), r->isolated);
    assert_int_equal(asked, r->asked);
    /* The groups are told of a death when it is certain, once each member, and not otherwise. */
    assert_int_equal(told, out ? SIMXCF_GROUPS : 0);
    assert_int_equal(simxcf_events(s, 0, XCF_EV_FAILED), out ? SIMXCF_GROUPS : 0);
    assert_int_equal(simxcf_said(s, 0, "IXC105I"), r->seen == XCF_SYS_GONE);
    simxcf_destroy(s);
}

static void the_table(void **state) {
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) row_run(&rows[i]);
}

/* ---- every combination of losses ----
 *
 * Path 0 of each pair stands for the CTCs, path 1 for the structures in the coupling facilities; the arbiter is the couple data. What
 * is lost for one system (SYS03) or for all of them; then nothing more happens, or SYS03 is killed, or it freezes. The end follows
 * from two facts alone: is there a path between SYS03 and the others, and can somebody who accuses it reach the arbiter?
 */
enum lost { L_NONE, L_VICTIM, L_ALL, L_WAYS };
enum couple_data { CD_HERE, CD_NONE, CD_VICTIM, CD_ALL, CD_SWITCH, CD_WAYS }; /* SWITCH: lost, and back from the alternate in 2 s */

static void lose(struct simxcf *s, u32 k, enum lost way) {
    for (u32 i = 0; i < 3; i++)
        for (u32 j = 0; j < i; j++) {
            if (way == L_NONE || (way == L_VICTIM && i != VICTIM)) continue;
            simxcf_path(s, i, j, k, SIMXCF_DOWN);
            simxcf_path(s, j, i, k, SIMXCF_DOWN);
        }
}

static void combination(enum lost ctc, enum lost cf, enum couple_data data, enum happens what) {
    struct simxcf *s = plex(data != CD_NONE, false);
    const char *text;
    bool joined = ctc == L_NONE || cf == L_NONE;        /* SYS03 and the others */
    bool others = ctc != L_ALL || cf != L_ALL;          /* SYS01 and SYS02 */
    bool arbiter = data != CD_NONE && data != CD_ALL;   /* SYS01 reaches it when it matters */
    bool dies = what != NOTHING || (!joined && data == CD_VICTIM);
    lose(s, 0, ctc);
    lose(s, 1, cf);
    for (u32 i = 0; i < 3; i++)
        if (data == CD_ALL || data == CD_SWITCH || (data == CD_VICTIM && i == VICTIM)) simxcf_reach(s, i, false);
    if (what == KILL) simxcf_kill(s, VICTIM, false);
    if (what == PAUSE) simxcf_pause(s, VICTIM, true);
    simxcf_run(s, SECONDS(2));
    for (u32 i = 0; i < 3 && data == CD_SWITCH; i++) simxcf_reach(s, i, true);
    simxcf_run(s, SECONDS(28));
    enum xcf_system_state seen = simxcf_sees(s, 0, VICTIM), expected = XCF_SYS_ACTIVE;
    if (dies)
        expected = arbiter ? XCF_SYS_GONE : XCF_SYS_PROMPT;
    else if (!joined)
        expected = arbiter ? XCF_SYS_NOSIGNAL : XCF_SYS_PROMPT;
    bool asks = (expected != XCF_SYS_ACTIVE && expected != XCF_SYS_GONE) || !others;
    bool isolated = expected == XCF_SYS_GONE;
    if (seen != expected || simxcf_isolated(s, VICTIM) != isolated || (simxcf_question(s, 0, &text) != 0) != asks)
        fail_msg("ctc %u cf %u data %u what %u: %s (expected %s), isolated %d, asked \"%s\"", ctc, cf, data, what,
                 xcf_system_state_name(seen), xcf_system_state_name(expected), simxcf_isolated(s, VICTIM), text);
    /* The groups are told of a death that is certain, and of no other. */
    assert_int_equal(simxcf_events(s, 0, XCF_EV_SYSTEM_GONE), isolated ? SIMXCF_GROUPS : 0);
    assert_int_equal(simxcf_events(s, 1, XCF_EV_SYSTEM_GONE), isolated ? SIMXCF_GROUPS : 0);
    assert_false(simxcf_isolated(s, 0) || simxcf_isolated(s, 1));
    /* All is mended: whoever was not removed is back by itself. */
    simxcf_heal(s);
    simxcf_run(s, SECONDS(15));
    assert_int_equal(simxcf_sees(s, 0, 1), XCF_SYS_ACTIVE);
    if (!isolated && what != KILL) assert_int_equal(simxcf_sees(s, 0, VICTIM), XCF_SYS_ACTIVE);
    if (isolated && what != KILL) assert_true(simxcf_waiting(s, VICTIM));
    simxcf_destroy(s);
}

static void every_combination(void **state) {
    static const enum happens whats[] = {NOTHING, KILL, PAUSE};
    UNUSED(state);
    for (u32 ctc = 0; ctc < L_WAYS; ctc++)
        for (u32 cf = 0; cf < L_WAYS; cf++)
            for (u32 data = 0; data < CD_WAYS; data++)
                for (u32 w = 0; w < ARRAY_LEN(whats); w++)
                    combination((enum lost)ctc, (enum lost)cf, (enum couple_data)data, whats[w]);
}

/* A system that is IPLed where it can reach nobody by signals, but the others' status can be read: it is not in, so it takes over
 * nothing; a path lets it in. A status record of a system that died long ago keeps nobody waiting. */
static void ipl_without_signals(void **state) {
    struct simxcf *s = plex(true, false);
    const char *why;
    UNUSED(state);
    simxcf_kill(s, VICTIM, true);
    simxcf_run(s, SECONDS(8));
    for (u32 j = 0; j < 2; j++) simxcf_pair(s, j, VICTIM, SIMXCF_DOWN);
    simxcf_start(s, VICTIM);
    simxcf_run(s, SECONDS(12));
    assert_false(xcf_synced(simxcf_xcf(s, VICTIM)));
    assert_int_equal(simxcf_said(s, VICTIM, "IXC454I SIGNALLING CONNECTIVITY CANNOT BE ESTABLISHED FOR SYSTEMS: SYS01"), 1);
    assert_true(xcf_synced(simxcf_xcf(s, 0))); /* those that were there before go on */
    simxcf_heal(s);
    simxcf_run(s, SECONDS(4));
    assert_true(simxcf_converged(s, &why));
    /* All die, and their connections are seen to drop: the first one back need not wait long. */
    for (u32 i = 0; i < 3; i++) simxcf_kill(s, i, true);
    simxcf_start(s, 0);
    simxcf_run(s, SECONDS(2));
    assert_false(xcf_synced(simxcf_xcf(s, 0))); /* it cannot know yet */
    simxcf_run(s, SECONDS(1));
    assert_true(xcf_synced(simxcf_xcf(s, 0)));
    simxcf_destroy(s);
}

/* A system is IPLed while the only other one stands still: that one is isolated before anything is taken over, and wakes up out. */
static void ipl_beside_a_frozen_one(void **state) {
    struct simxcf *s = plex(true, false);
    UNUSED(state);
    for (u32 i = 1; i < 3; i++) simxcf_kill(s, i, true);
    simxcf_run(s, SECONDS(8));
    simxcf_pause(s, 0, true);
    simxcf_start(s, VICTIM);
    simxcf_run(s, SECONDS(4));
    assert_false(xcf_synced(simxcf_xcf(s, VICTIM)));
    assert_false(simxcf_isolated(s, 0));
    simxcf_run(s, SECONDS(4));
    assert_true(simxcf_isolated(s, 0));
    assert_true(xcf_synced(simxcf_xcf(s, VICTIM)));
    simxcf_pause(s, 0, false);
    simxcf_run(s, SECONDS(1));
    assert_true(simxcf_waiting(s, 0));
    simxcf_destroy(s);
}

/* Without an answer of the arbiter nobody knows who is there. */
static void ipl_without_arbiter(void **state) {
    struct simxcf *s = plex(true, false);
    const char *why;
    UNUSED(state);
    simxcf_kill(s, VICTIM, true);
    simxcf_run(s, SECONDS(8));
    simxcf_reach(s, VICTIM, false);
    simxcf_start(s, VICTIM);
    simxcf_run(s, SECONDS(10));
    assert_false(xcf_synced(simxcf_xcf(s, VICTIM)));
    assert_true(xcf_synced(simxcf_xcf(s, 0)));
    simxcf_reach(s, VICTIM, true);
    simxcf_run(s, SECONDS(3));
    assert_true(simxcf_converged(s, &why));
    simxcf_destroy(s);
}

/* A system stands still for a while, and the arbiter is slow to say whether it is in. What it did not believe meanwhile is nobody's
 * silence; and that records are written faster than they are answered keeps it from nothing. */
static void slow_arbiter(void **state) {
    const char *why, *text;
    UNUSED(state);
    for (u32 slow_ms = 500; slow_ms <= 2500; slow_ms += 1000) {
        struct simxcf *s = plex(true, false);
        simxcf_arbiter_slow(s, slow_ms * (u64)USEC_PER_MSEC);
        simxcf_run(s, SECONDS(1));
        simxcf_pause(s, 0, true);
        simxcf_run(s, SECONDS(5) / 2);
        simxcf_pause(s, 0, false);
        simxcf_run(s, SECONDS(1));
        assert_int_equal(xcf_counters(simxcf_xcf(s, 0))->lapses, 1);
        if (slow_ms < 1000) assert_true(simxcf_converged(s, &why));
        simxcf_run(s, SECONDS(12));
        if (slow_ms < 2000) assert_true(simxcf_converged(s, &why));
        simxcf_arbiter_slow(s, 0);
        simxcf_run(s, SECONDS(6));
        for (u32 i = 0; i < 3; i++)
            if (simxcf_isolated(s, i) || simxcf_waiting(s, i) || simxcf_said(s, i, "IXC101I"))
                fail_msg("%u ms: SYS%02u is out or has accused somebody", slow_ms, i + 1);
        for (u32 i = 0; i < 3; i++) assert_int_equal(simxcf_question(s, i, &text), 0);
        assert_true(simxcf_converged(s, &why));
        simxcf_destroy(s);
    }
}

/* A system stands still for almost INTERVAL. Awake it writes its record at once, and signals when the arbiter has answered; others read
 * that record later than the former ones, as the arbiter has become slow: whoever would isolate it looks first. */
static void last_look(void **state) {
    const char *why;
    UNUSED(state);
    for (u32 phase = 0; phase < 10; phase++) {
        struct simxcf *s = plex(true, false);
        simxcf_run(s, SECONDS(1) + phase * SECONDS(1) / 10);
        simxcf_pause(s, VICTIM, true);
        simxcf_arbiter_slow(s, SECONDS(6) / 10);
        simxcf_run(s, SECONDS(39) / 10);
        simxcf_pause(s, VICTIM, false);
        simxcf_run(s, SECONDS(12));
        for (u32 i = 0; i < 2; i++)
            if (simxcf_said(s, i, "IXC101I")) fail_msg("phase %u: SYS%02u has accused it", phase, i + 1);
        assert_false(simxcf_isolated(s, VICTIM));
        assert_true(simxcf_converged(s, &why));
        simxcf_destroy(s);
    }
}

/* A system stands still for less than INTERVAL from its last heartbeat on, which was a second ago at most, whatever the moment, and the arbiter is slow before and after: nobody is isolated,
 * and no operator is asked. Its paths have failed nowhere, so IXC409D would ask about a loss that there is not. */
static void stood_still_and_slow(void **state) {
    const char *why;
    UNUSED(state);
    for (u32 k = 0; k < 240; k++) {
        struct simxcf *s = plex(true, false);
        u32 still_ms = 2500 + 200 * (k % 8), slow_ms = 500 * (k / 8 % 5), phase_ms = 170 * (k / 40);
        simxcf_run(s, SECONDS(1) + phase_ms * (u64)USEC_PER_MSEC);
        simxcf_arbiter_slow(s, slow_ms * (u64)USEC_PER_MSEC);
        simxcf_run(s, SECONDS(2));
        simxcf_pause(s, VICTIM, true);
        simxcf_run(s, still_ms * (u64)USEC_PER_MSEC);
        simxcf_pause(s, VICTIM, false);
        simxcf_run(s, SECONDS(15));
        simxcf_arbiter_slow(s, 0);
        simxcf_run(s, SECONDS(6));
        for (u32 i = 0; i < 3; i++)
            if (xcf_counters(simxcf_xcf(s, i))->prompts || simxcf_said(s, i, "IXC101I") || simxcf_waiting(s, i))
                fail_msg("still %u ms, slow %u ms, phase %u ms: SYS%02u has asked or accused", still_ms, slow_ms, phase_ms, i + 1);
        assert_true(simxcf_converged(s, &why));
        simxcf_destroy(s);
    }
}

static void cut_pair(struct simxcf *s, u32 a, u32 b, u32 seconds) {
    simxcf_pair(s, a, b, SIMXCF_DOWN);
    simxcf_run(s, SECONDS(seconds));
}

/* IXC409D: RETRY asks again after another INTERVAL, paths that work end the question, a name removes that system. */
static void operator_about_signals(void **state) {
    struct simxcf *s = plex(true, false);
    const char *text, *why;
    UNUSED(state);
    cut_pair(s, 0, VICTIM, 7);
    assert_int_not_equal(simxcf_question(s, 0, &text), 0);
    assert_int_equal(strncmp(text, "IXC409D SIGNAL PATHS BETWEEN SYS01 AND SYS03 ARE LOST", 53), 0);
    assert_int_not_equal(simxcf_question(s, VICTIM, &text), 0); /* each end asks its own operator */
    assert_int_equal(simxcf_question(s, 1, &text), 0);
    assert_int_equal(simxcf_reply(s, 0, "SYSNAME=SYS02"), -ERR_INVAL);
    assert_int_equal(simxcf_reply(s, 0, "RETRY"), 0);
    assert_int_equal(simxcf_reply(s, VICTIM, "RETRY"), 0);
    simxcf_run(s, SECONDS(4));
    assert_int_equal(simxcf_question(s, 0, &text), 0);
    simxcf_run(s, SECONDS(2));
    assert_int_not_equal(simxcf_question(s, 0, &text), 0);
    simxcf_heal(s);
    simxcf_run(s, SECONDS(2));
    assert_int_equal(simxcf_question(s, 0, &text), 0);
    assert_true(simxcf_converged(s, &why));
    cut_pair(s, 0, VICTIM, 7);
    assert_int_equal(simxcf_reply(s, 0, "SYSNAME=SYS03"), 0);
    simxcf_run(s, SECONDS(2));
    assert_true(simxcf_isolated(s, VICTIM) && simxcf_waiting(s, VICTIM));
    assert_int_equal(simxcf_said(s, 0, "IXC101I SYSPLEX PARTITIONING IN PROGRESS FOR SYS03 REQUESTED BY XCFAS. REASON: LOSS OF CONN"), 1);
    assert_int_equal(simxcf_sees(s, 1, VICTIM), XCF_SYS_CLEANUP);
    simxcf_heal(s);
    simxcf_kill(s, VICTIM, true);
    simxcf_start(s, VICTIM);
    simxcf_run(s, SECONDS(8));
    assert_true(simxcf_converged(s, &why));
    /* The system at whose console it is answered may be the one that goes. */
    cut_pair(s, 0, VICTIM, 7);
    assert_int_equal(simxcf_reply(s, 0, "SYSNAME=SYS01"), 0);
    assert_true(simxcf_waiting(s, 0));
    simxcf_run(s, SECONDS(2));
    assert_true(simxcf_isolated(s, 0));
    assert_int_equal(simxcf_question(s, VICTIM, &text), 0);
    assert_int_equal(simxcf_sees(s, VICTIM, 1), XCF_SYS_ACTIVE);
    simxcf_destroy(s);
}

static u32 inoperative(struct simxcf *s, u32 i) {
    struct xcf_path_info p;
    u32 n = 0;
    for (u32 k = 0; xcf_path(simxcf_xcf(s, i), k, &p); k++) n += p.state == XCF_PATH_INOPERATIVE;
    return n;
}

/* A path that failed more often than its RETRY is given up while another one works. When the last one is lost, the answer RETRY starts it. */
static void retry_starts_what_was_given_up(void **state) {
    struct simxcf *s = plex(true, false);
    const char *text, *why;
    UNUSED(state);
    for (u32 n = 0; n < 12; n++) {
        for (u32 ok = 0; ok < 2; ok++) {
            simxcf_path(s, 0, VICTIM, 0, ok ? SIMXCF_OK : SIMXCF_DOWN);
            simxcf_run(s, SECONDS(3) / 2);
        }
    }
    assert_int_equal(inoperative(s, 0), 1);
    assert_int_equal(inoperative(s, VICTIM), 1);
    cut_pair(s, 0, VICTIM, 7);
    simxcf_path(s, 0, VICTIM, 0, SIMXCF_OK);
    simxcf_path(s, VICTIM, 0, 0, SIMXCF_OK);
    simxcf_run(s, SECONDS(3));
    assert_int_equal(simxcf_sees(s, 0, VICTIM), XCF_SYS_NOSIGNAL); /* one direction is not enough */
    assert_int_equal(simxcf_reply(s, 0, "RETRY"), 0);
    assert_int_equal(simxcf_reply(s, VICTIM, "RETRY"), 0);
    simxcf_run(s, SECONDS(2));
    assert_int_equal(inoperative(s, 0) + inoperative(s, VICTIM), 0);
    assert_true(simxcf_converged(s, &why));
    assert_int_equal(simxcf_question(s, 0, &text), 0);
    simxcf_destroy(s);
}

/* Until SYS03 is isolated, a millisecond after the other; how long ago each of those that see it heard it last, the longest of them. */
static u64 isolated_after(struct simxcf *s, u64 *quiet) {
    u64 begun = simxcf_now(s);
    while (!simxcf_isolated(s, VICTIM) && simxcf_now(s) - begun < SECONDS(20)) simxcf_run(s, USEC_PER_MSEC);
    *quiet = 0;
    for (u32 i = 0; i < VICTIM; i++) {
        struct xcf_system_info info = {.last_signal = 0};
        for (u32 k = 1; xcf_system(simxcf_xcf(s, i), k, &info) && strcmp(info.id.name, "SYS03") != 0; k++) continue;
        *quiet = u64_max(*quiet, simxcf_local(s, i) - info.last_signal);
    }
    return simxcf_now(s) - begun;
}

/* INTERVAL ends when it ends: whatever the phase of the heartbeats of who stands still and of who sees it, and whatever the moment, it
 * is isolated a few milliseconds (the last look, the question, the answer) after the first one has heard nothing for INTERVAL. */
static void interval_ends_when_it_ends(void **state) {
    UNUSED(state);
    for (u32 k = 0; k < 60; k++) {
        struct simxcf *s = plex(true, false);
        u64 quiet, moment = 170 * (k % 6) * (u64)USEC_PER_MSEC;
        simxcf_kill(s, VICTIM, true);
        simxcf_run(s, SECONDS(8) + k / 6 * SECONDS(1) / 10);
        simxcf_start(s, VICTIM);
        simxcf_run(s, SECONDS(4) + moment);
        assert_false(simxcf_isolated(s, VICTIM)); /* this life of it */
        simxcf_pause(s, VICTIM, true);
        u64 after = isolated_after(s, &quiet);
        if (quiet < SECONDS(5) || quiet > SECONDS(5) + 25 * USEC_PER_MSEC || after > SECONDS(5) + 25 * USEC_PER_MSEC)
            fail_msg("heartbeat %u, moment %u: %u us after it was heard last, %u us after it stood still", k / 6, k % 6, (u32)quiet,
                     (u32)after);
        simxcf_destroy(s);
    }
}

/* Frozen, isolated, resumed: it finds out before it says a word, and waits; started again it is let in. */
static void zombie(void **state) {
    struct simxcf *s = plex(true, false);
    const char *why;
    UNUSED(state);
    simxcf_pause(s, VICTIM, true);
    simxcf_run(s, SECONDS(10));
    assert_true(simxcf_isolated(s, VICTIM));
    struct xcf_counters before = *xcf_counters(simxcf_xcf(s, VICTIM));
    simxcf_pause(s, VICTIM, false);
    simxcf_run(s, SECONDS(1) / 100);
    assert_true(simxcf_waiting(s, VICTIM));
    assert_int_equal(simxcf_said(s, VICTIM, "IXC220W XCF IS UNABLE TO CONTINUE: WAIT STATE CODE: 0A2"), 1);
    const struct xcf_counters *after = xcf_counters(simxcf_xcf(s, VICTIM));
    assert_int_equal(after->hellos_sent, before.hellos_sent);
    assert_int_equal(after->segments_sent, before.segments_sent);
    assert_int_equal(after->acks_sent, before.acks_sent);
    simxcf_kill(s, VICTIM, true);
    simxcf_start(s, VICTIM);
    simxcf_run(s, SECONDS(5));
    assert_true(simxcf_converged(s, &why));
    simxcf_destroy(s);
}

/* No arbiter: DOWN is the operator's word; what comes back is told by its partners that it is out. */
static void operator_says_down(void **state) {
    struct simxcf *s = plex(false, false);
    const char *text;
    UNUSED(state);
    simxcf_pause(s, VICTIM, true);
    simxcf_run(s, SECONDS(12));
    assert_int_not_equal(simxcf_question(s, 0, &text), 0);
    assert_int_equal(strncmp(text, "IXC402D SYS03 LAST OPERATIVE AT", 31), 0);
    assert_int_equal(simxcf_reply(s, 0, "YES"), -ERR_INVAL);
    assert_int_equal(simxcf_reply(s, 0, "INTERVAL=86401"), -ERR_INVAL);
    assert_int_equal(simxcf_reply(s, 0, "INTERVAL=4"), 0);
    assert_int_equal(simxcf_question(s, 0, &text), 0);
    simxcf_run(s, SECONDS(5));
    assert_int_not_equal(simxcf_question(s, 0, &text), 0); /* asked again */
    assert_int_equal(simxcf_events(s, 0, XCF_EV_SYSTEM_GONE), 0);
    simxcf_kill(s, VICTIM, true); /* the reset that DOWN stands for */
    assert_int_equal(simxcf_reply(s, 0, "DOWN"), 0);
    simxcf_run(s, SECONDS(3));
    assert_int_equal(simxcf_sees(s, 1, VICTIM), XCF_SYS_CLEANUP); /* SYS02 has it from SYS01 */
    assert_int_equal(simxcf_question(s, 1, &text), 0);
    simxcf_destroy(s);
}

/* The arbiter comes back while the operator thinks: who writes no record within INTERVAL is isolated, and the question goes away. A system
 * that comes back answers it too. */
static void questions_end(void **state) {
    struct simxcf *s = plex(true, false);
    const char *text;
    UNUSED(state);
    for (u32 i = 0; i < 3; i++) simxcf_reach(s, i, false);
    simxcf_kill(s, VICTIM, false);
    simxcf_run(s, SECONDS(10));
    assert_int_not_equal(simxcf_question(s, 0, &text), 0);
    for (u32 i = 0; i < 3; i++) simxcf_reach(s, i, true);
    simxcf_run(s, SECONDS(3));
    assert_int_equal(simxcf_sees(s, 0, VICTIM), XCF_SYS_PROMPT); /* nobody could write one before */
    simxcf_run(s, SECONDS(4));
    assert_int_equal(simxcf_question(s, 0, &text), 0);
    assert_int_equal(simxcf_sees(s, 0, VICTIM), XCF_SYS_CLEANUP);
    simxcf_destroy(s);
    s = plex(false, false);
    simxcf_pause(s, VICTIM, true);
    simxcf_run(s, SECONDS(10));
    assert_int_equal(simxcf_sees(s, 0, VICTIM), XCF_SYS_PROMPT);
    simxcf_pause(s, VICTIM, false);
    simxcf_run(s, SECONDS(5));
    assert_int_equal(simxcf_sees(s, 0, VICTIM), XCF_SYS_ACTIVE);
    assert_int_equal(simxcf_question(s, 0, &text), 0);
    assert_int_equal(simxcf_events(s, 0, XCF_EV_SYSTEM_GONE), 0);
    assert_true(simxcf_events(s, 0, XCF_EV_SYSTEM_RESUMED) > 0);
    simxcf_destroy(s);
}

/* Nobody could be reached in any way, so each side accuses the other; the arbiter is back before the signals are. All are well, whoever of them
 * writes its record last. */
static void the_arbiter_is_back_first(void **state) {
    static const u32 later_ms[] = {0, 200, 900, 1500};
    UNUSED(state);
    for (u32 k = 0; k < ARRAY_LEN(later_ms); k++) {
        struct simxcf *s = plex(true, false);
        const char *text;
        for (u32 i = 0; i < 3; i++) simxcf_reach(s, i, false);
        for (u32 i = 0; i < 2; i++) simxcf_pair(s, i, VICTIM, SIMXCF_DOWN);
        simxcf_run(s, SECONDS(10));
        assert_int_equal(simxcf_sees(s, 0, VICTIM), XCF_SYS_PROMPT);
        assert_int_equal(simxcf_sees(s, VICTIM, 0), XCF_SYS_PROMPT);
        for (u32 i = 0; i < 2; i++) simxcf_reach(s, i, true);
        simxcf_run(s, later_ms[k] * (u64)USEC_PER_MSEC);
        simxcf_reach(s, VICTIM, true);
        simxcf_run(s, SECONDS(3));
        simxcf_heal(s);
        simxcf_run(s, SECONDS(4));
        for (u32 i = 0; i < 3; i++) {
            assert_false(simxcf_isolated(s, i));
            assert_int_equal(simxcf_sees(s, i, i == VICTIM ? 0 : VICTIM), XCF_SYS_ACTIVE);
            assert_int_equal(simxcf_question(s, i, &text), 0);
            assert_int_equal(simxcf_events(s, i, XCF_EV_SYSTEM_GONE), 0);
        }
        simxcf_destroy(s);
    }
}

static void vary_offline(void **state) {
    struct simxcf *s = plex(true, false);
    const char *text;
    UNUSED(state);
    assert_int_equal(xcf_vary_offline(simxcf_xcf(s, 0), "NOBODY", simxcf_local(s, 0)), -ERR_NOENT);
    assert_int_equal(xcf_vary_offline(simxcf_xcf(s, 0), "SYS03", simxcf_local(s, 0)), 0);
    assert_int_equal(simxcf_reply(s, 0, "SYSNAME=SYS02"), -ERR_INVAL);
    assert_int_equal(simxcf_reply(s, 0, "C"), 0);
    simxcf_run(s, SECONDS(2));
    assert_int_equal(simxcf_sees(s, 0, VICTIM), XCF_SYS_ACTIVE);
    assert_int_equal(xcf_vary_offline(simxcf_xcf(s, 0), "SYS03", simxcf_local(s, 0)), 0);
    assert_int_equal(simxcf_reply(s, 0, "SYSNAME=SYS03"), 0);
    simxcf_run(s, SECONDS(2));
    assert_int_equal(simxcf_sees(s, 1, VICTIM), XCF_SYS_CLEANUP);
    assert_true(simxcf_waiting(s, VICTIM));
    assert_true(simxcf_isolated(s, VICTIM));
    /* SYS02 varies itself: the last one hears it and does not wait for INTERVAL. */
    assert_int_equal(xcf_vary_offline(simxcf_xcf(s, 1), "SYS02", simxcf_local(s, 1)), 0);
    assert_int_equal(simxcf_reply(s, 1, "SYSNAME=SYS02"), 0);
    simxcf_run(s, SECONDS(1));
    assert_true(simxcf_waiting(s, 1));
    assert_int_equal(simxcf_sees(s, 0, 1), XCF_SYS_CLEANUP);
    assert_int_equal(simxcf_question(s, 0, &text), 0);
    simxcf_destroy(s);
}

/* Killed and started at once: the new life is not let in before the old one is out for certain. */
static void quick_ipl(void **state) {
    struct simxcf *s = plex(true, false);
    const char *why;
    UNUSED(state);
    for (u32 i = 0; i < 5; i++) {
        simxcf_kill(s, VICTIM, false);
        simxcf_start(s, VICTIM);
        simxcf_run(s, SECONDS(4));
        assert_true(simxcf_converged(s, &why));
    }
    assert_int_equal(simxcf_events(s, 0, XCF_EV_SYSTEM_GONE), 5 * SIMXCF_GROUPS);
    simxcf_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),     cmocka_unit_test(zombie),       cmocka_unit_test(operator_says_down),
        cmocka_unit_test(questions_end),
        cmocka_unit_test(the_arbiter_is_back_first), cmocka_unit_test(vary_offline), cmocka_unit_test(quick_ipl),
        cmocka_unit_test(slow_arbiter), cmocka_unit_test(last_look), cmocka_unit_test(stood_still_and_slow), cmocka_unit_test(operator_about_signals),
        cmocka_unit_test(retry_starts_what_was_given_up), cmocka_unit_test(interval_ends_when_it_ends),
        cmocka_unit_test(every_combination), cmocka_unit_test(ipl_without_signals),
        cmocka_unit_test(ipl_beside_a_frozen_one), cmocka_unit_test(ipl_without_arbiter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
