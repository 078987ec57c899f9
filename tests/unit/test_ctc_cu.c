/* test_ctc_cu.c - the control unit of a channel-to-channel connection: every cell of the table for both sides in both modes, what
 * the command codes are, data both ways, end of file, modes, attention, not ready, resets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "hercules-devices/ctc_cu.h"

#define CE_DE (US_CHANNEL_END | US_DEVICE_END)
#define READY ((struct ctc_attach){.extended = true, .ready = true})

struct rig {
    struct ctc_cu cu;
    u32 ends[2], presents;
    struct ctc_end end[2];
    u8 data[2][64];
    u8 pending[2];
};

static void on_end(void *ctx, u32 side, const struct ctc_end *end) {
    struct rig *r = ctx;
    r->ends[side]++;
    r->end[side] = *end;
    if (end->data) memcpy(r->data[side], end->data, u32_min(end->moved, 64));
}

static void on_present(void *ctx, u32 side, u8 unit_status) {
    struct rig *r = ctx;
    r->pending[side] = unit_status ? r->pending[side] | unit_status : 0;
    r->presents++;
}

static const struct ctc_cu_ops OPS = {on_end, on_present};

static void rig_init(struct rig *r, bool ready) {
    memset(r, 0, sizeof *r);
    ctc_cu_init(&r->cu, &OPS, r);
    for (u32 i = 0; i < 2; i++) ctc_cu_attach(&r->cu, i, ready ? &READY : &(struct ctc_attach){0});
}

static bool give_flags(struct rig *r, u32 side, u8 code, u8 flags, u32 count) {
    static const u8 bytes[64] = "channel to channel, the quick brown fox jumps over the lazy dog";
    const struct ctc_command_in in = {.code = code, .flags = flags, .count = count, .data = bytes};
    u32 before = r->ends[side];
    bool done = ctc_cu_command(&r->cu, side, &in);
    assert_int_equal(done, r->ends[side] != before);
    return done;
}

static bool give(struct rig *r, u32 side, u8 code) { return give_flags(r, side, code, CCW_SLI, 8); }

static const u8 CODES[CTC_COMMANDS] = {CCW_CTC_PREPARE,       CCW_CTC_CONTROL,       CCW_READ,
                                       CCW_WRITE,             CCW_CTC_SENSE_COMMAND, CCW_CTC_READ_BACKWARD,
                                       CCW_CTC_WEOF,          CCW_NOP,               CCW_CTC_SET_EXTENDED,
                                       CCW_CTC_SET_BASIC,     0x08};
/* The command that brings a side from available to a waiting state. */
static const u8 BRINGS[CTC_AVAILABLE] = {CCW_CTC_PREPARE, CCW_CTC_CONTROL, CCW_READ, CCW_WRITE};

/* What the manuals' figure says, but for NOP and SET MODE (see ctc_cu.h), in words of its own: the side's state after, its status, the other side's state after.
 *   status   - none, e CE+DE, B busy, a busy+attention, u unit check      last letter: @ attention at the other side */
static const char *const FIGURE[CTC_COMMANDS][CTC_COLUMNS] = {
    /*               P        C        R        W        A        N        own */
    /* PREPARE  */ {"A e A ", "A e C ", "A e R ", "A e W ", "P - A ", "A u N ", "B"},
    /* CONTROL  */ {"C - A ", "A a C ", "A a R ", "A a W ", "C - A@", "A u N ", "B"},
    /* READ     */ {"R - A ", "A a C ", "A a R ", "A e A ", "R - A@", "A u N ", "B"},
    /* WRITE    */ {"W - A ", "A a C ", "A e A ", "A a W ", "W - A@", "A u N ", "B"},
    /* SCB      */ {"A e P ", "A e A ", "A e R ", "A e W ", "A e A ", "A u N ", "B"},
    /* READ BKW */ {"R - A ", "A a C ", "A a R ", "A e A ", "R - A@", "A u N ", "B"},
    /* WEOF     */ {"A e P ", "A a C ", "A e A ", "A a W ", "A e A ", "A u N ", "B"},
    /* NOP      */ {"A e P ", "A e C ", "A e R ", "A e W ", "A e A ", "A u N ", "B"},
    /* SEM      */ {"A e P ", "A e C ", "A e R ", "A e W ", "A e A ", "A u N ", "B"},
    /* SBM      */ {"A e P ", "A e C ", "A e R ", "A e W ", "A e A ", "A u N ", "B"},
    /* invalid  */ {"A u P ", "A u C ", "A u R ", "A u W ", "A u A ", "A u N ", "B"},
};

/* In basic mode WEOF is a WRITE, and a side that is there but not ready counts as available for all but SET EXTENDED MODE, while it stays
 * not ready, and hears no attention before its first command. The other cells are those of extended mode. */
static const char *const FIGURE_BASIC_N[CTC_COMMANDS] = {
    [CTC_PREPARE] = "P - N ", [CTC_CONTROL] = "C - N ", [CTC_READ] = "R - N ", [CTC_WRITE] = "W - N ", [CTC_SENSE_COMMAND] = "A e N ",
    [CTC_READ_BACKWARD] = "R - N ", [CTC_WEOF] = "W - N ", [CTC_NOP] = "A e N ", [CTC_SET_EXTENDED] = "A u N ", [CTC_SET_BASIC] = "A e N ",
    [CTC_INVALID] = "A u N "};

static const char *figure(u32 command, u32 column, bool basic) {
    if (basic && column == CTC_NOT_READY) return FIGURE_BASIC_N[command];
    return FIGURE[basic && command == CTC_WEOF ? CTC_WRITE : command][column];
}

static char letter_of_status(u8 status) {
    switch (status) {
    case CE_DE: return 'e';
    case US_BUSY: return 'B';
    case US_BUSY | US_ATTENTION: return 'a';
    case CE_DE | US_UNIT_CHECK: return 'u';
    default: return '?';
    }
}

static void check_cell(u32 side, u32 command, u32 column, bool basic) {
    static const char letters[] = "PCRWAN";
    const char *want = figure(command, column, basic);
    struct rig r;
    char got[8];
    u32 other = !side;
    rig_init(&r, true);
    for (u32 i = 0; i < 2 && basic; i++) give(&r, i, CCW_CTC_SET_BASIC);
    if (column == CTC_NOT_READY) ctc_cu_reset(&r.cu, other);
    if (column < CTC_AVAILABLE) assert_false(give(&r, other, BRINGS[column]));
    if (column == CTC_SELF) assert_false(give(&r, side, CCW_READ));
    memset(r.pending, 0, sizeof r.pending);
    bool done = give(&r, side, CODES[command]);
    char status = done ? letter_of_status(r.end[side].unit_status) : '-';
    if (column == CTC_SELF) {
        assert_int_equal(status, 'B');
        assert_int_equal(r.cu.side[side].state, CTC_IN_READ);
        return;
    }
    snprintf(got, sizeof got, "%c %c %c%c", letters[r.cu.side[side].state], status, letters[r.cu.side[other].state],
             r.pending[other] & US_ATTENTION ? '@' : ' ');
    if (strcmp(got, want) != 0)
        fail_msg("%s in %s mode while the other side is in %s: got \"%s\", the figure says \"%s\"", ctc_command_name(command),
                 basic ? "basic" : "extended", ctc_state_name(column), got, want);
    /* Nothing is left outstanding that the states do not show. */
    for (u32 i = 0; i < 2; i++) assert_int_equal(ctc_cu_waiting(&r.cu, i), r.cu.side[i].state < CTC_AVAILABLE);
}

static void every_cell(void **state) {
    UNUSED(state);
    for (u32 side = 0; side < 2; side++)
        for (u32 command = 0; command < CTC_COMMANDS; command++)
            for (u32 column = 0; column < CTC_COLUMNS; column++)
                for (u32 basic = 0; basic < 2; basic++) check_cell(side, command, column, basic);
}

static void command_codes(void **state) {
    UNUSED(state);
    static const struct {
        u8 code, extended, basic;
    } rows[] = {{0x01, CTC_WRITE, CTC_WRITE},       {0x81, CTC_WEOF, CTC_WRITE},
                {0x02, CTC_READ, CTC_READ},         {0x06, CTC_READ, CTC_READ},
                {0x0C, CTC_READ_BACKWARD, CTC_READ_BACKWARD}, {0x07, CTC_CONTROL, CTC_CONTROL},
                {0xFF, CTC_CONTROL, CTC_CONTROL},   {0x03, CTC_NOP, CTC_NOP},
                {0x83, CTC_NOP, CTC_NOP},           {0x43, CTC_SET_BASIC, CTC_SET_BASIC},
                {0xC3, CTC_SET_EXTENDED, CTC_SET_EXTENDED},   {0xE3, CTC_PREPARE, CTC_PREPARE},
                {0xD3, CTC_INVALID, CTC_INVALID},   {0x14, CTC_SENSE_COMMAND, CTC_SENSE_COMMAND},
                {0xF4, CTC_SENSE_COMMAND, CTC_SENSE_COMMAND}, {0x00, CTC_INVALID, CTC_INVALID},
                {0x08, CTC_INVALID, CTC_INVALID}};
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(ctc_decode(rows[i].code, true), rows[i].extended);
        assert_int_equal(ctc_decode(rows[i].code, false), rows[i].basic);
    }
    for (u32 i = 0; i < CTC_COMMANDS; i++) assert_int_equal(ctc_decode(CODES[i], true), i);
}

/* Both orders, both lengths: the shorter one rules, and each end learns what was left. */
static void data_and_lengths(void **state) {
    UNUSED(state);
    for (u32 writer = 0; writer < 2; writer++)
        for (u32 write_first = 0; write_first < 2; write_first++)
            for (u32 w = 1; w < 20; w += 6)
                for (u32 c = 1; c < 20; c += 5) {
                    struct rig r;
                    rig_init(&r, true);
                    u32 first = write_first ? writer : !writer;
                    assert_false(give_flags(&r, first, first == writer ? CCW_WRITE : CCW_READ, 0, first == writer ? w : c));
                    assert_true(give_flags(&r, !first, first == writer ? CCW_READ : CCW_WRITE, 0, first == writer ? c : w));
                    assert_int_equal(r.end[writer].moved, u32_min(w, c));
                    assert_int_equal(r.end[!writer].moved, u32_min(w, c));
                    assert_int_equal(r.end[!writer].more, w > c);
                    assert_memory_equal(r.data[!writer], "channel to channel, the", u32_min(w, c));
                    assert_int_equal(r.cu.count.matches, 1);
                }
}

static void end_of_file(void **state) {
    UNUSED(state);
    struct rig r;
    rig_init(&r, true);
    /* It meets a READ. */
    give(&r, 0, CCW_READ);
    assert_true(give(&r, 1, CCW_CTC_WEOF));
    assert_int_equal(r.end[0].unit_status, CE_DE | US_UNIT_EXCEPTION);
    assert_int_equal(r.end[1].unit_status, CE_DE);
    /* It is remembered for the next command, once. */
    give(&r, 1, CCW_CTC_WEOF);
    assert_true(give(&r, 0, CCW_READ));
    assert_int_equal(r.end[0].unit_status, CE_DE | US_UNIT_EXCEPTION);
    assert_false(give(&r, 0, CCW_READ));
    ctc_cu_selective_reset(&r.cu, 0);
    /* Any other command forgets it. */
    give(&r, 1, CCW_CTC_WEOF);
    give(&r, 0, CCW_NOP);
    assert_false(give(&r, 0, CCW_READ));
}

static void basic_mode(void **state) {
    UNUSED(state);
    struct rig r;
    rig_init(&r, true);
    give(&r, 0, CCW_CTC_SET_BASIC);
    give(&r, 1, CCW_CTC_SET_BASIC);
    /* 81 is a WRITE now. */
    assert_false(give(&r, 0, CCW_CTC_WEOF));
    assert_int_equal(r.cu.side[0].state, CTC_IN_WRITE);
    assert_true(give(&r, 1, CCW_READ));
    assert_int_equal(r.end[1].unit_status, CE_DE);
    assert_int_equal(r.end[1].moved, 8);
    /* A side after reset counts as available, but not for SET EXTENDED MODE, and not if nobody is there. */
    ctc_cu_reset(&r.cu, 1);
    assert_false(give(&r, 0, CCW_WRITE));
    ctc_cu_selective_reset(&r.cu, 0);
    assert_true(give(&r, 0, CCW_CTC_SET_EXTENDED));
    assert_int_equal(r.end[0].unit_status, CE_DE | US_UNIT_CHECK);
    assert_false(r.cu.side[0].extended);
    ctc_cu_detach(&r.cu, 1);
    assert_true(give(&r, 0, CCW_WRITE));
    assert_int_equal(r.end[0].unit_status, CE_DE | US_UNIT_CHECK);
    /* One side in extended mode is enough. */
    rig_init(&r, true);
    give(&r, 0, CCW_CTC_SET_BASIC);
    give(&r, 0, CCW_READ);
    give(&r, 1, CCW_CTC_WEOF);
    assert_int_equal(r.end[0].unit_status, CE_DE | US_UNIT_EXCEPTION);
}

static void command_byte(void **state) {
    UNUSED(state);
    static const struct {
        u8 code, byte;
    } rows[] = {{CCW_CTC_CONTROL, 0x07}, {0x47, 0x47}, {CCW_WRITE, 0x01}, {CCW_READ, 0x02}, {CCW_CTC_PREPARE, 0xE3}, {CCW_NOP, 0}};
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;
        rig_init(&r, true);
        give(&r, 0, rows[i].code);
        assert_true(give(&r, 1, CCW_CTC_SENSE_COMMAND));
        assert_int_equal(r.end[1].moved, 1);
        assert_int_equal(r.data[1][0], rows[i].byte);
    }
}

static void read_backward(void **state) {
    UNUSED(state);
    struct rig r;
    rig_init(&r, true);
    give(&r, 0, CCW_CTC_READ_BACKWARD);
    give(&r, 1, CCW_WRITE);
    assert_true(r.end[0].backward);
    assert_false(r.end[1].backward);
    give(&r, 1, CCW_WRITE);
    give(&r, 0, CCW_CTC_READ_BACKWARD);
    assert_true(r.end[0].backward);
    assert_memory_equal(r.data[0], "channel", 7);
}

/* ctcm's chains: PREPARE, WRITE, NOP on one side, PREPARE, READ on the other: nobody is ever interrupted for them. */
static void chains_hold_attention(void **state) {
    UNUSED(state);
    for (u32 reader_first = 0; reader_first < 2; reader_first++)
        for (u32 read_before = 0; read_before < 2; read_before++) {
            struct rig r;
            rig_init(&r, true);
            u32 first = reader_first ? 1 : 0;
            assert_false(give_flags(&r, first, CCW_CTC_PREPARE, CCW_SLI | CCW_CC, 1));
            assert_true(give_flags(&r, !first, CCW_CTC_PREPARE, CCW_SLI | CCW_CC, 1));
            assert_int_equal(r.ends[0] + r.ends[1], 2);
            if (read_before) assert_false(give_flags(&r, 1, CCW_READ, CCW_SLI, 32));
            assert_int_equal(give_flags(&r, 0, CCW_WRITE, CCW_SLI | CCW_CC, 20), read_before);
            if (!read_before) assert_true(give_flags(&r, 1, CCW_READ, CCW_SLI, 32));
            assert_true(give_flags(&r, 0, CCW_NOP, CCW_SLI, 1));
            assert_int_equal(r.end[0].unit_status, CE_DE);
            assert_int_equal(r.presents, 0);
        }
}

static void attention(void **state) {
    UNUSED(state);
    struct rig r;
    rig_init(&r, true);
    /* A chain that ends without meeting it: attention then. */
    assert_true(give_flags(&r, 1, CCW_NOP, CCW_CC | CCW_SLI, 1));
    assert_false(give(&r, 0, CCW_WRITE));
    assert_int_equal(r.pending[1], 0);
    assert_true(give_flags(&r, 1, CCW_CTC_SENSE_COMMAND, CCW_SLI, 1));
    assert_int_equal(r.pending[1], US_ATTENTION);
    assert_true(give(&r, 1, CCW_NOP));
    assert_int_equal(r.end[1].unit_status, CE_DE);
    assert_true(give(&r, 1, CCW_CTC_CONTROL)); /* busy tells it too */
    assert_int_equal(r.end[1].unit_status, US_BUSY | US_ATTENTION);
    assert_int_equal(r.pending[1], 0);
    /* Withdrawn by a reset of what called. */
    ctc_cu_selective_reset(&r.cu, 0);
    give(&r, 0, CCW_NOP);
    assert_false(give(&r, 0, CCW_WRITE));
    assert_int_equal(r.pending[1], US_ATTENTION);
    ctc_cu_selective_reset(&r.cu, 0);
    assert_int_equal(r.pending[1], 0);
    assert_int_equal(r.cu.side[0].state, CTC_NOT_READY);
    give(&r, 0, CCW_NOP);
    /* Withdrawn by the other side's own command. */
    give(&r, 0, CCW_WRITE);
    assert_int_equal(r.pending[1], US_ATTENTION);
    give(&r, 1, CCW_READ);
    assert_int_equal(r.pending[1], 0);
}

static void not_ready(void **state) {
    UNUSED(state);
    struct rig r;
    rig_init(&r, true);
    /* The other side is reset under a READ. */
    give(&r, 0, CCW_READ);
    ctc_cu_reset(&r.cu, 1);
    assert_int_equal(r.end[0].unit_status, CE_DE | US_UNIT_CHECK);
    assert_int_equal(r.end[0].sense, CTC_SENSE_INTREQ | CTC_SENSE_RESET);
    assert_int_equal(r.cu.side[0].state, CTC_AVAILABLE);
    /* Its first command makes it ready, which side 0 was owed. */
    assert_true(give(&r, 1, CCW_NOP));
    assert_int_equal(r.pending[0], US_DEVICE_END);
    assert_int_equal(r.end[1].unit_status, CE_DE);
    /* It goes for good: once 41, then 40; and device end when it is back. */
    ctc_cu_detach(&r.cu, 1);
    give(&r, 0, CCW_READ);
    assert_int_equal(r.end[0].sense, CTC_SENSE_INTREQ | CTC_SENSE_RESET);
    give(&r, 0, CCW_READ);
    assert_int_equal(r.end[0].sense, CTC_SENSE_INTREQ);
    ctc_cu_attach(&r.cu, 1, &(struct ctc_attach){0});
    assert_int_equal(r.pending[0], 0);
    give(&r, 1, CCW_CTC_SET_EXTENDED);
    assert_int_equal(r.pending[0], US_DEVICE_END);
    assert_false(give(&r, 0, CCW_READ));
    assert_true(give(&r, 1, CCW_WRITE));
}

/* Two systems that come up: whoever is first is told that nobody is there, and then that somebody is. */
static void coming_up(void **state) {
    UNUSED(state);
    struct rig r;
    rig_init(&r, false);
    assert_true(give(&r, 0, CCW_CTC_SET_EXTENDED));
    assert_int_equal(r.end[0].unit_status, CE_DE | US_UNIT_CHECK);
    assert_true(give(&r, 1, CCW_CTC_SET_EXTENDED));
    assert_int_equal(r.end[1].unit_status, CE_DE);
    assert_int_equal(r.pending[0], US_DEVICE_END);
    assert_true(give(&r, 0, CCW_CTC_SET_EXTENDED));
    assert_int_equal(r.end[0].unit_status, CE_DE);
}

static void resets_and_cancels(void **state) {
    UNUSED(state);
    for (u32 s = 0; s < CTC_AVAILABLE; s++) {
        struct rig r;
        rig_init(&r, true);
        assert_false(give(&r, 0, BRINGS[s]));
        ctc_cu_selective_reset(&r.cu, 0);
        assert_int_equal(r.ends[0], 0);
        assert_int_equal(r.cu.side[0].state, CTC_NOT_READY);
        assert_true(r.cu.side[0].extended);
        assert_true(give(&r, 1, CCW_READ));
        assert_int_equal(r.end[1].sense, CTC_SENSE_INTREQ | CTC_SENSE_RESET);
        assert_true(give(&r, 0, CCW_NOP));
        assert_int_equal(r.pending[1], US_DEVICE_END);
        r.pending[1] = 0;
        /* The withdrawn command meets nothing any more. */
        assert_false(give(&r, 1, CCW_CTC_PREPARE));
        ctc_cu_selective_reset(&r.cu, 1);
        give(&r, 1, CCW_NOP);
        assert_false(give(&r, 0, BRINGS[s]));
        ctc_cu_reset(&r.cu, 0);
        assert_int_equal(r.ends[0], 1);
        assert_int_equal(r.cu.side[0].state, CTC_NOT_READY);
        assert_int_equal(r.pending[1], 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell),     cmocka_unit_test(command_codes), cmocka_unit_test(data_and_lengths),
        cmocka_unit_test(end_of_file),    cmocka_unit_test(basic_mode),    cmocka_unit_test(command_byte),
        cmocka_unit_test(read_backward),  cmocka_unit_test(chains_hold_attention),
        cmocka_unit_test(attention),      cmocka_unit_test(not_ready),     cmocka_unit_test(coming_up),
        cmocka_unit_test(resets_and_cancels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
