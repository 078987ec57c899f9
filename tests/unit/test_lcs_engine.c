/* test_lcs_engine.c - LCS mode: the dialogue of Linux's lcs driver, blocks of frames both ways, bad blocks,
 * the card that goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hercules-devices/lcs_internal.h"
#include "tests/unit/fakehost.h"

#define GROUP 0xE0000001u

struct lcs_test {
    struct fake f;
    void *storage;
    u8 block[LCS_BLOCK_BYTES]; /* what READ got */
    u16 seq;
};

static struct lcs_engine *engine(struct lcs_test *t) {
    return lcs_of(t->f.engine);
}

static void start(struct lcs_test *t) {
    struct lcs_params p = {.lpar = "SYSA", .devnum = 0x0E10};
    memset(t, 0, sizeof *t);
    fake_init(&t->f);
    t->storage = malloc(lcs_engine_bytes());
    t->f.engine = lcs_engine_init(t->storage, &t->f.host, &p);
    assert_non_null(t->f.engine);
}

static void connect_card(struct lcs_test *t) {
    u32 len;
    fake_connect(&t->f, true);
    const u8 *msg = fake_next(&t->f, &len);
    assert_non_null(msg);
    assert_int_equal(msg[0], OSA_MSG_ATTACH);
    assert_int_equal(msg[8], OSA_MODE_LCS);
    fake_attached(&t->f, true, OSA_ASSIST_MCAST, 1500);
}

/* A command as Linux sends it: 16 bytes behind the header, then the end of the block. */
static u32 put_command(struct lcs_test *t, u8 *out, u8 code) {
    memset(out, 0, LCS_CTL_BYTES + 2);
    be16_put(out, LCS_CTL_BYTES);
    out[LCS_COMMAND_AT] = code;
    be16_put(out + LCS_SEQ_AT, ++t->seq);
    out[LCS_LAN_TYPE_AT] = LCS_TYPE_ETHERNET;
    if (code == LCS_STARTUP) be16_put(out + LCS_BUFFER_SIZE_AT, LCS_BLOCK_BYTES);
    return LCS_CTL_BYTES + 2;
}

static u32 put_groups(struct lcs_test *t, u8 *out, u8 code, u16 n) {
    put_command(t, out, code);
    memset(out + LCS_PAIR_AT, 0, LCS_MULTICAST_BYTES - LCS_PAIR_AT + 2);
    be16_put(out, LCS_MULTICAST_BYTES);
    be16_put(out + LCS_PAIRS_AT, n);
    for (u32 i = 0; i < n && i < LCS_PAIRS_MAX; i++) {
        u8 *pair = out + LCS_PAIR_AT + i * LCS_PAIR_BYTES;
        be32_put(pair, GROUP + i);
        memcpy(pair + 4, "\x01\x00\x5e\x00\x00", 5);
        pair[9] = (u8)(1 + i);
    }
    return LCS_MULTICAST_BYTES + 2;
}

static bool write_block(struct lcs_test *t, u8 *block, u32 len) {
    return fake_ccw(&t->f, LCS_UNIT_WRITE, CCW_WRITE, CCW_SLI | CCW_CC, block, len);
}

static bool read_block(struct lcs_test *t) {
    memset(t->block, 0xEE, sizeof t->block);
    return fake_ccw(&t->f, LCS_UNIT_READ, CCW_READ, CCW_SLI | CCW_CC, t->block, sizeof t->block);
}

/* Sends a command, lets the port answer rc, and gives back the reply's return code. */
static int command_of(struct lcs_test *t, u8 *frame, u32 len, u32 port_rc) {
    u32 msg_len;
    u8 code = frame[LCS_COMMAND_AT];
    if (!t->f.waiting[LCS_UNIT_READ]) assert_false(read_block(t));
    assert_true(write_block(t, frame, len));
    while (t->f.waiting[LCS_UNIT_READ]) {
        const u8 *msg = fake_next(&t->f, &msg_len);
        if (!msg) return -1;
        u8 copy[OSA_MSG_REQUEST_BYTES];
        if (msg[0] != OSA_MSG_REQUEST) continue;
        memcpy(copy, msg, sizeof copy);
        fake_answer(&t->f, copy, port_rc);
    }
    assert_int_equal(t->block[LCS_TYPE_AT], LCS_TYPE_CONTROL);
    assert_int_equal(t->block[LCS_COMMAND_AT], code);
    assert_int_equal(t->block[LCS_INITIATOR_AT], LCS_FROM_HOST);
    assert_int_equal(be16_get(t->block + LCS_SEQ_AT), t->seq);
    assert_int_equal(be16_get(t->block + be16_get(t->block)), 0);
    return be16_get(t->block + LCS_RC_AT);
}

static int command(struct lcs_test *t, u8 code, u32 port_rc) {
    u8 frame[LCS_CTL_BYTES + 2];
    return command_of(t, frame, put_command(t, frame, code), port_rc);
}

static void bring_up(struct lcs_test *t) {
    assert_int_equal(command(t, LCS_STARTUP, 0), 0);
    if (engine(t)->card == LCS_CARD_WAIT) fake_attached(&t->f, true, OSA_ASSIST_MCAST, 1500);
    assert_int_equal(command(t, LCS_STARTLAN, OSA_RC_OK), 0);
    fake_forget(&t->f);
}

static int setup(void **state) {
    struct lcs_test *t = malloc(sizeof *t);
    start(t);
    connect_card(t);
    bring_up(t);
    *state = t;
    return 0;
}

static int teardown(void **state) {
    struct lcs_test *t = *state;
    free(t->storage);
    fake_free(&t->f);
    free(t);
    return 0;
}

static void sense_id(void **state) {
    struct lcs_test *t = *state;
    u8 b[64];
    static const u8 id[] = {0xFF, 0x30, 0x88, 0x60, 0x30, 0x88, 0x01};
    assert_true(fake_ccw(&t->f, LCS_UNIT_WRITE, CCW_SENSE_ID, CCW_SLI, b, sizeof b));
    assert_int_equal(fake_moved(&t->f, LCS_UNIT_WRITE), sizeof id);
    assert_memory_equal(b, id, sizeof id);
}

/* The whole way of Linux's driver, three times over, as its probing does. */
static void dialogue(void **state) {
    UNUSED(state);
    struct lcs_test t;
    u8 frame[LCS_MULTICAST_BYTES + 2];
    start(&t);
    connect_card(&t);
    for (u32 i = 0; i < 3; i++) {
        bring_up(&t);
        assert_int_equal(t.block[LCS_LAN_TYPE_AT], LCS_TYPE_ETHERNET);
        assert_int_equal(command(&t, LCS_LANSTAT, 0), 0);
        assert_int_equal(be16_get(t.block), LCS_LANSTAT_BYTES);
        assert_memory_equal(t.block + LCS_MAC_AT, "\x02\x00\x00\x00\x0e\x01", 6);
        assert_int_equal(command(&t, LCS_QIPASSIST, 0), 0);
        assert_true(be16_get(t.block + LCS_SUPPORTED_AT) & LCS_ASS_MULTICAST);
        u32 len = put_groups(&t, frame, LCS_SETIPM, 1);
        assert_int_equal(command_of(&t, frame, len, OSA_RC_OK), 0);
        len = put_groups(&t, frame, LCS_DELIPM, 1);
        assert_int_equal(command_of(&t, frame, len, OSA_RC_OK), 0);
        assert_int_equal(command(&t, LCS_STOPLAN, OSA_RC_OK), 0);
        assert_int_equal(command(&t, LCS_SHUTDOWN, 0), 0);
        assert_int_equal(engine(&t)->state, LCS_S_DOWN);
        fake_attached(&t.f, true, OSA_ASSIST_MCAST, 1500);
        t.f.engine->ops->halt(t.f.engine, LCS_UNIT_READ);
        t.f.engine->ops->halt(t.f.engine, LCS_UNIT_WRITE);
    }
    free(t.storage);
    fake_free(&t.f);
}

static void refusals(void **state) {
    struct lcs_test *t = *state;
    u8 frame[LCS_MULTICAST_BYTES + 2];
    u32 len = put_command(t, frame, LCS_STARTLAN);
    frame[LCS_LAN_TYPE_AT] = 2; /* token ring */
    assert_int_not_equal(command_of(t, frame, len, 0), 0);
    assert_non_null(strstr(t->f.last_log, "refused"));
    len = put_command(t, frame, LCS_STARTLAN);
    frame[LCS_RELATIVE_PORT_AT] = 1;
    assert_int_not_equal(command_of(t, frame, len, 0), 0);
    assert_int_not_equal(command(t, 0x55, 0), 0);
    assert_int_equal(command(t, LCS_STARTLAN, OSA_RC_LAN_OFFLINE), LCS_RC_LAN_OFFLINE);
    /* Groups: none, too many, and what the port refuses. */
    static const u16 counts[] = {0, 33, 0xFFFF};
    for (u32 i = 0; i < 3; i++)
        assert_int_not_equal(command_of(t, frame, put_groups(t, frame, LCS_SETIPM, counts[i]), 0), 0);
    assert_int_not_equal(command_of(t, frame, put_groups(t, frame, LCS_SETIPM, 2), OSA_RC_TABLE_FULL), 0);
    /* Before STARTUP. */
    assert_int_equal(command(t, LCS_SHUTDOWN, 0), 0);
    fake_attached(&t->f, true, 0, 1500);
    assert_int_not_equal(command(t, LCS_STARTLAN, 0), 0);
}

static void many_groups_one_reply(void **state) {
    struct lcs_test *t = *state;
    u8 frame[LCS_MULTICAST_BYTES + 2];
    u32 used = 0, n = engine(t)->reply_count;
    assert_int_equal(command_of(t, frame, put_groups(t, frame, LCS_SETIPM, 32), OSA_RC_OK), 0);
    for (u32 i = 0; i < LCS_GROUPS_MAX; i++) used += engine(t)->group[i].used;
    assert_int_equal(used, 32);
    assert_int_equal(engine(t)->reply_count, n);
    assert_int_equal(command_of(t, frame, put_groups(t, frame, LCS_DELIPM, 31), OSA_RC_OK), 0);
    used = 0;
    for (u32 i = 0; i < LCS_GROUPS_MAX; i++) used += engine(t)->group[i].used;
    assert_int_equal(used, 1);
}

/* ---- frames ---- */

static u32 put_frame(u8 *block, u32 at, u32 bytes, u8 seed) {
    be16_put(block + at, (u16)(at + 4 + bytes));
    block[at + LCS_TYPE_AT] = LCS_TYPE_ETHERNET;
    block[at + LCS_PORT_AT] = 0;
    for (u32 i = 0; i < bytes; i++) block[at + 4 + i] = (u8)(seed + i);
    return at + 4 + bytes;
}

static void write_frames(void **state) {
    struct lcs_test *t = *state;
    u8 block[0x5000];
    u32 at = 0, len, n = 0;
    for (u32 i = 0; i < 12; i++) at = put_frame(block, at, 14 + i * 100, (u8)(i * 2));
    be16_put(block + at, 0);
    assert_true(write_block(t, block, at + 2));
    assert_int_equal(t->f.ccw[LCS_UNIT_WRITE].residual, 0);
    const u8 *msg;
    while ((msg = fake_next(&t->f, &len)) != NULL) {
        assert_int_equal(msg[8], OSA_FORM_ETHER);
        assert_int_equal(len, OSA_FRAME_DATA + 14 + n * 100);
        assert_int_equal(msg[OSA_FRAME_DATA], (u8)(n * 2));
        n++;
    }
    assert_int_equal(n, 12);
    assert_true(t->f.flushes > 0);
    /* Destinations: broadcast and a group. */
    put_frame(block, 0, 60, 0);
    memset(block + 4, 0xFF, 6);
    at = put_frame(block, 64, 60, 1);
    be16_put(block + at, 0);
    write_block(t, block, at + 2);
    assert_int_equal(fake_next(&t->f, &len)[9], OSA_CAST_BROAD);
    assert_int_equal(fake_next(&t->f, &len)[9], OSA_CAST_MULTI);
}

static void read_frames(void **state) {
    struct lcs_test *t = *state;
    const struct engine_ops *ops = t->f.engine->ops;
    u8 msg[2048];
    u32 n = 0, at = 0;
    assert_false(read_block(t));
    for (u32 i = 0; i < 5; i++)
        assert_true(ops->rx(t->f.engine, msg, fake_frame(msg, OSA_FORM_ETHER, 0, 60 + i, (u8)i)));
    assert_true(t->f.waiting[LCS_UNIT_READ]);
    ops->rx_end(t->f.engine);
    assert_false(t->f.waiting[LCS_UNIT_READ]);
    /* As lcs_get_frames_cb walks it. */
    for (u32 next; (next = be16_get(t->block + at)) != 0; at = next, n++) {
        assert_int_equal(t->block[at + LCS_TYPE_AT], LCS_TYPE_ETHERNET);
        assert_int_equal(next - at - 4, 60 + n);
        assert_int_equal(t->block[at + 4], (u8)n);
    }
    assert_int_equal(n, 5);
    assert_int_equal(fake_moved(&t->f, LCS_UNIT_READ), at + 2);
    /* Without a READ frames stay in the ring. */
    assert_false(ops->rx(t->f.engine, msg, fake_frame(msg, OSA_FORM_ETHER, 0, 60, 0)));
    assert_false(read_block(t));
    assert_true(fake_rx(&t->f, msg, OSA_FRAME_DATA + 60));
}

static void block_full(void **state) {
    struct lcs_test *t = *state;
    const struct engine_ops *ops = t->f.engine->ops;
    u8 msg[0x6000];
    u32 taken = 0, len = fake_frame(msg, OSA_FORM_ETHER, 0, 1500, 0);
    assert_false(read_block(t));
    while (ops->rx(t->f.engine, msg, len)) taken++;
    assert_int_equal(taken, (LCS_BLOCK_BYTES - 2) / 1504);
    assert_false(t->f.waiting[LCS_UNIT_READ]); /* given at once */
    /* A READ that is smaller, and a frame that fits none. */
    u8 small[100];
    assert_false(fake_ccw(&t->f, LCS_UNIT_READ, CCW_READ, CCW_SLI, small, sizeof small));
    assert_true(fake_rx(&t->f, msg, fake_frame(msg, OSA_FORM_ETHER, 0, 95, 0)));
    assert_int_equal(engine(t)->count.in_too_big, 1);
    assert_true(fake_rx(&t->f, msg, fake_frame(msg, OSA_FORM_ETHER, 0, 94, 0)));
    assert_int_equal(fake_moved(&t->f, LCS_UNIT_READ), 100);
    assert_true(fake_ccw(&t->f, LCS_UNIT_READ, CCW_READ, CCW_SLI, small, 21));
    assert_true(t->f.ccw[LCS_UNIT_READ].unit_status & US_UNIT_CHECK);
}

static void bad_blocks(void **state) {
    struct lcs_test *t = *state;
    const struct lcs_counters *n = &engine(t)->count;
    u32 len;
    /* Every truncation of a good block: never harm, and only whole frames leave. */
    u8 good[200];
    u32 at = put_frame(good, 0, 60, 0);
    at = put_frame(good, at, 60, 0);
    be16_put(good + at, 0);
    for (u32 cut = 0; cut <= at + 2; cut++) {
        u8 *exact = malloc(cut ? cut : 1);
        memcpy(exact, good, cut);
        assert_true(write_block(t, exact, cut));
        u32 frames = 0;
        while (fake_next(&t->f, &len)) frames++;
        assert_int_equal(frames, cut >= 128 ? 2 : cut >= 64 ? 1 : 0);
        free(exact);
    }
    u64 before = n->out_bad_block;
    static const u16 offsets[] = {1, 2, 3, 0xFFFF, 199};
    for (u32 i = 0; i < ARRAY_LEN(offsets); i++) {
        be16_put(good, offsets[i]);
        assert_true(write_block(t, good, 130));
    }
    assert_int_equal(n->out_bad_block, before + ARRAY_LEN(offsets));
    /* An offset that leads back, a frame without an Ethernet header, an unknown type. */
    put_frame(good, 0, 60, 0);
    put_frame(good, 64, 60, 0);
    be16_put(good + 64, 10);
    write_block(t, good, 130);
    assert_int_equal(n->out_bad_block, before + ARRAY_LEN(offsets) + 1);
    before = n->out_bad_frame;
    put_frame(good, 0, 13, 0);
    be16_put(good + 17, 0);
    write_block(t, good, 19);
    put_frame(good, 0, 60, 0);
    good[LCS_TYPE_AT] = 2;
    be16_put(good + 64, 0);
    write_block(t, good, 66);
    /* A command too short to have a sequence number. */
    be16_put(good, 9);
    good[LCS_TYPE_AT] = LCS_TYPE_CONTROL;
    be16_put(good + 9, 0);
    write_block(t, good, 11);
    assert_int_equal(n->out_bad_frame, before + 3);
}

static void rejected_ccws(void **state) {
    struct lcs_test *t = *state;
    u8 b[100] = {0};
    for (u32 unit = 0; unit < LCS_UNITS; unit++) {
        for (u32 code = 0; code < 256; code++) {
            if (code == 3 || code == 4 || code == 0xE4 || code == (unit == LCS_UNIT_READ ? 2u : 1u)) continue;
            assert_true(fake_ccw(&t->f, unit, (u8)code, CCW_SLI, b, sizeof b));
            assert_true(t->f.ccw[unit].unit_status & US_UNIT_CHECK);
            assert_int_equal(t->f.engine->ops->sense(t->f.engine, unit)->bytes[0], 0x80);
        }
    }
    assert_true(fake_ccw(&t->f, LCS_UNIT_WRITE, CCW_WRITE, CCW_CD, b, sizeof b));
    assert_true(t->f.ccw[LCS_UNIT_WRITE].unit_status & US_UNIT_CHECK);
    assert_true(fake_ccw(&t->f, LCS_UNIT_WRITE, CCW_SENSE, CCW_SLI, b, 32));
    assert_int_equal(b[0], 0x80);
}

static void full_ring_holds_the_write(void **state) {
    struct lcs_test *t = *state;
    u8 block[400];
    u32 at = put_frame(block, 0, 60, 0), len;
    at = put_frame(block, at, 60, 2);
    be16_put(block + at, 0);
    t->f.ring_room = OSA_FRAME_DATA + 60;
    assert_false(write_block(t, block, at + 2));
    t->f.ring_room = OSA_FRAME_DATA + 60;
    t->f.engine->ops->rx_end(t->f.engine);
    assert_false(t->f.waiting[LCS_UNIT_WRITE]);
    assert_int_equal(fake_next(&t->f, &len)[OSA_FRAME_DATA], 0);
    assert_int_equal(fake_next(&t->f, &len)[OSA_FRAME_DATA], 2); /* none twice, none lost */
    assert_null(fake_next(&t->f, &len));
    /* A halt, and a card that dies, let it go. */
    t->f.ring_room = 0;
    assert_false(write_block(t, block, at + 2));
    t->f.engine->ops->halt(t->f.engine, LCS_UNIT_WRITE);
    assert_false(t->f.waiting[LCS_UNIT_WRITE]);
    assert_false(write_block(t, block, at + 2));
    fake_connect(&t->f, false);
    assert_false(t->f.waiting[LCS_UNIT_WRITE]);
}

static void expect_event(struct lcs_test *t, u8 code) {
    if (!t->f.waiting[LCS_UNIT_READ] && t->block[0] == 0xEE) read_block(t);
    assert_false(t->f.waiting[LCS_UNIT_READ]);
    assert_int_equal(t->block[LCS_COMMAND_AT], code);
    assert_int_equal(t->block[LCS_INITIATOR_AT], LCS_FROM_ADAPTER);
}

static void card_restart_heals(void **state) {
    struct lcs_test *t = *state;
    u8 frame[LCS_MULTICAST_BYTES + 2];
    u32 len;
    assert_int_equal(command_of(t, frame, put_groups(t, frame, LCS_SETIPM, 3), OSA_RC_OK), 0);
    for (u32 i = 0; i < 3; i++) {
        fake_forget(&t->f);
        assert_false(read_block(t));
        fake_connect(&t->f, false);
        expect_event(t, LCS_STOPLAN);
        assert_int_equal(command_of(t, frame, put_groups(t, frame, LCS_SETIPM, 1), 0), LCS_RC_LAN_OFFLINE);
        connect_card(t);
        u32 groups = 0, starts = 0;
        const u8 *msg;
        assert_false(read_block(t));
        while ((msg = fake_next(&t->f, &len)) != NULL) {
            u8 copy[OSA_MSG_REQUEST_BYTES];
            memcpy(copy, msg, sizeof copy);
            groups += msg[8] == OSA_OP_SETIPM;
            starts += msg[8] == OSA_OP_STARTLAN;
            fake_answer(&t->f, copy, OSA_RC_OK);
        }
        assert_int_equal(groups, 3);
        assert_int_equal(starts, 1);
        expect_event(t, LCS_STARTLAN);
    }
    assert_false(read_block(t));
    fake_event(&t->f, OSA_EVENT_LAN_DOWN, 0);
    expect_event(t, LCS_STOPLAN);
    assert_false(read_block(t));
    fake_event(&t->f, OSA_EVENT_LAN_UP, 0);
    expect_event(t, LCS_STARTLAN);
    assert_false(read_block(t));
    fake_event(&t->f, OSA_EVENT_FENCED, 0);
    expect_event(t, LCS_STOPLAN);
}

/* STARTLAN with the cable out, or without a card, stands: the adapter says when there is a LAN. */
static void a_start_without_a_lan_stands(void **state) {
    struct lcs_test *t = *state;
    assert_false(read_block(t));
    fake_event(&t->f, OSA_EVENT_LAN_DOWN, 0);
    expect_event(t, LCS_STOPLAN);
    assert_int_equal(command(t, LCS_STARTUP, 0), 0);
    if (engine(t)->card == LCS_CARD_WAIT) fake_attached(&t->f, false, 0, 1500);
    assert_int_equal(command(t, LCS_STARTLAN, OSA_RC_OK), LCS_RC_LAN_OFFLINE);
    assert_false(read_block(t));
    fake_event(&t->f, OSA_EVENT_LAN_UP, 0);
    expect_event(t, LCS_STARTLAN);
    /* The same when it is the card that is missing. */
    assert_false(read_block(t));
    fake_connect(&t->f, false);
    expect_event(t, LCS_STOPLAN);
    assert_int_equal(command(t, LCS_STARTUP, 0), 0);
    assert_int_equal(command(t, LCS_STARTLAN, 0), LCS_RC_LAN_OFFLINE);
    assert_false(read_block(t));
    connect_card(t);
    assert_int_equal(fake_answer_all(&t->f), 1);
    expect_event(t, LCS_STARTLAN);
    /* STOPLAN ends it. */
    assert_int_equal(command(t, LCS_STOPLAN, OSA_RC_OK), 0);
    fake_event(&t->f, OSA_EVENT_LAN_DOWN, 0);
    fake_event(&t->f, OSA_EVENT_LAN_UP, 0);
    assert_false(read_block(t));
}

static void pending_is_answered_when_the_card_dies(void **state) {
    struct lcs_test *t = *state;
    u8 frame[LCS_CTL_BYTES + 2];
    assert_false(read_block(t));
    assert_true(write_block(t, frame, put_command(t, frame, LCS_STOPLAN)));
    assert_true(t->f.waiting[LCS_UNIT_READ]);
    fake_connect(&t->f, false);
    assert_false(t->f.waiting[LCS_UNIT_READ]);
    assert_int_equal(be16_get(t->block + LCS_RC_AT), LCS_RC_LAN_OFFLINE);
}

static void commands_wait_for_the_attachment(void **state) {
    UNUSED(state);
    struct lcs_test t;
    u8 frame[LCS_CTL_BYTES + 2];
    start(&t);
    fake_connect(&t.f, true);
    assert_false(read_block(&t));
    assert_false(write_block(&t, frame, put_command(&t, frame, LCS_STARTUP)));
    fake_attached(&t.f, true, 0, 1500);
    assert_false(t.f.waiting[LCS_UNIT_WRITE]);
    assert_false(t.f.waiting[LCS_UNIT_READ]);
    /* Without any card: STARTUP works, STARTLAN says LAN offline. */
    fake_connect(&t.f, false);
    assert_int_equal(command(&t, LCS_STARTUP, 0), 0);
    assert_int_equal(command(&t, LCS_STARTLAN, 0), LCS_RC_LAN_OFFLINE);
    free(t.storage);
    fake_free(&t.f);
}

static void messages_out_of_place(void **state) {
    struct lcs_test *t = *state;
    const struct lcs_counters *n = &engine(t)->count;
    u8 msg[256];
    assert_true(fake_rx(&t->f, msg, fake_frame(msg, OSA_FORM_IP, 0, 100, 0)));
    assert_true(fake_rx(&t->f, msg, fake_frame(msg, OSA_FORM_ETHER, 0, 13, 0)));
    assert_int_equal(n->in_wrong_form, 2);
    assert_int_equal(command(t, LCS_STOPLAN, OSA_RC_OK), 0);
    assert_true(fake_rx(&t->f, msg, fake_frame(msg, OSA_FORM_ETHER, 0, 60, 0)));
    assert_int_equal(n->in_not_active, 1);
    for (u32 len = 0; len < 16; len++) {
        u8 *exact = calloc(1, len ? len : 1);
        assert_true(fake_rx(&t->f, exact, len));
        free(exact);
    }
    assert_int_equal(n->msg_malformed, 16);
    char line[160];
    t->f.engine->ops->query(t->f.engine, line, sizeof line);
    assert_non_null(strstr(line, "LCS, started"));
}

static void reset_forgets(void **state) {
    struct lcs_test *t = *state;
    u32 len;
    assert_false(read_block(t));
    t->f.engine->ops->reset(t->f.engine);
    assert_false(t->f.waiting[LCS_UNIT_READ]);
    assert_int_equal(engine(t)->state, LCS_S_DOWN);
    assert_int_equal(fake_next(&t->f, &len)[0], OSA_MSG_DETACH);
    assert_int_equal(fake_next(&t->f, &len)[0], OSA_MSG_ATTACH);
    t->f.engine->ops->reset(t->f.engine);
    assert_null(fake_next(&t->f, &len));
}

/* Linux's lcs stops the channel at the reply to SHUTDOWN: the WRITE's own interrupt must have come before. */
static void a_reply_waits_for_the_write_program(void **state) {
    struct lcs_test *t = *state;
    u8 frame[LCS_CTL_BYTES + 2];
    assert_false(read_block(t));
    t->f.running[LCS_UNIT_WRITE] = true;
    assert_true(write_block(t, frame, put_command(t, frame, LCS_SHUTDOWN)));
    assert_true(t->f.waiting[LCS_UNIT_READ]);
    assert_int_equal(t->f.agains, 1);
    t->f.engine->ops->rx_end(t->f.engine);
    assert_true(t->f.waiting[LCS_UNIT_READ]);
    assert_int_equal(t->f.agains, 2);
    t->f.running[LCS_UNIT_WRITE] = false;
    t->f.engine->ops->rx_end(t->f.engine);
    assert_false(t->f.waiting[LCS_UNIT_READ]);
    assert_int_equal(t->block[LCS_COMMAND_AT], LCS_SHUTDOWN);
}

/* A READ that comes later waits as well, and a program that never pauses is not waited for without end. */
static void a_reply_does_not_wait_for_ever(void **state) {
    struct lcs_test *t = *state;
    u8 frame[LCS_CTL_BYTES + 2];
    t->f.running[LCS_UNIT_WRITE] = true;
    assert_true(write_block(t, frame, put_command(t, frame, LCS_LANSTAT)));
    assert_false(read_block(t));
    for (u32 i = 0; i < LCS_PATIENCE && t->f.waiting[LCS_UNIT_READ]; i++) t->f.engine->ops->rx_end(t->f.engine);
    assert_false(t->f.waiting[LCS_UNIT_READ]);
    assert_int_equal(t->block[LCS_COMMAND_AT], LCS_LANSTAT);
    assert_int_equal(t->f.agains, LCS_PATIENCE);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(sense_id),
        cmocka_unit_test(dialogue),
        T(refusals),
        T(many_groups_one_reply),
        T(write_frames),
        T(read_frames),
        T(block_full),
        T(bad_blocks),
        T(rejected_ccws),
        T(full_ring_holds_the_write),
        T(card_restart_heals),
        T(pending_is_answered_when_the_card_dies),
        T(a_start_without_a_lan_stands),
        cmocka_unit_test(commands_wait_for_the_attachment),
        T(messages_out_of_place),
        T(reset_forgets),
        T(a_reply_waits_for_the_write_program),
        T(a_reply_does_not_wait_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
