/* test_cf_link.c - the link device in front of a facility: commands and responses by CCW, attention, halt, reset, a link that comes
 * and goes, isolation. The facility is the real one; between them the test carries the messages, as rings do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hercules-devices/cf_link.h"
#include "tests/unit/cflab.h"
#include "tests/unit/fakehost.h"

struct test {
    struct fake f;
    struct cflab lab;
    void *storage;
    u32 system;
    u8 cmd[CF_MESSAGE_MAX], rsp[CF_MESSAGE_MAX];
    u16 tag;
};

static int setup(void **state) {
    struct cf_link_params p = {.lpar = "SYSA", .devnum = 0x0F00};
    struct test *t = calloc(1, sizeof *t);
    assert_non_null(t);
    fake_init(&t->f);
    t->storage = malloc(cf_link_bytes());
    t->f.engine = cf_link_init(t->storage, &t->f.host, &p);
    assert_non_null(t->f.engine);
    cflab_start(&t->lab, 2048);
    t->system = cflab_system(&t->lab, "SYSA", 1);
    fake_connect(&t->f, true);
    *state = t;
    return 0;
}

static int teardown(void **state) {
    struct test *t = *state;
    cflab_end(&t->lab);
    fake_free(&t->f);
    free(t->storage);
    free(t);
    return 0;
}

/* Carries what the link sent to the facility, and the responses back. False: the link did not take the last one. */
static bool carry(struct test *t) {
    u32 len;
    const u8 *msg;
    while ((msg = fake_next(&t->f, &len)) != NULL) {
        t->lab.rsp_len = 0;
        assert_true(cf_message(t->lab.cf, t->system, msg, len));
        if (t->lab.rsp_len && !fake_rx(&t->f, t->lab.rsp, t->lab.rsp_len)) return false;
    }
    return true;
}

/* What the facility sends unasked. */
static void event(struct test *t, u8 what) {
    u8 msg[CF_RSP_BYTES] = {CF_VERSION, what};
    be32_put(msg + 4, sizeof msg);
    assert_true(fake_rx(&t->f, msg, sizeof msg));
}

static bool write_command(struct test *t, u8 op, u32 len) {
    memset(t->cmd, 0, len);
    cf_command_put(t->cmd, op, ++t->tag, len, 0, 0);
    return fake_ccw(&t->f, 0, CCW_WRITE, CCW_CC | CCW_SLI, t->cmd, len + 8);
}

static bool read_response(struct test *t) { return fake_ccw(&t->f, 0, CCW_READ, CCW_SLI, t->rsp, sizeof t->rsp); }

static u8 status(const struct test *t) { return t->f.ccw[0].unit_status; }

static u8 sense(struct test *t, u32 i) { return t->f.engine->ops->sense(t->f.engine, 0)->bytes[i]; }

static void test_command_and_response(void **state) {
    struct test *t = *state;
    assert_true(write_command(t, CF_IDENTIFY, CF_CMD_BYTES));
    assert_int_equal(status(t), US_CHANNEL_END | US_DEVICE_END);
    assert_int_equal(fake_moved(&t->f, 0), CF_CMD_BYTES);
    assert_false(read_response(t));
    assert_true(carry(t));
    assert_false(t->f.waiting[0]);
    assert_int_equal(be16_get(t->rsp + 2), t->tag);
    assert_memory_equal(t->rsp + 16, "CF01    ", 8);
    assert_int_equal(fake_moved(&t->f, 0), CF_RSP_BYTES + 48);
    /* Two commands, then two responses in their order; the second READ is too short for its response. */
    assert_true(write_command(t, CF_IDENTIFY, CF_CMD_BYTES));
    assert_true(write_command(t, CF_QUERY_SYSTEMS, CF_CMD_BYTES));
    assert_false(read_response(t));
    u32 len;
    assert_true(cf_message(t->lab.cf, t->system, fake_next(&t->f, &len), CF_CMD_BYTES));
    assert_true(fake_rx(&t->f, t->lab.rsp, t->lab.rsp_len));
    assert_int_equal(t->rsp[1], CF_IDENTIFY | CF_RESPONSE);
    assert_false(carry(t)); /* nobody reads: it stays in the ring */
    assert_false(fake_ccw(&t->f, 0, CCW_READ, CCW_SLI, t->rsp, 20));
    assert_true(fake_rx(&t->f, t->lab.rsp, t->lab.rsp_len));
    assert_int_equal(t->rsp[1], CF_QUERY_SYSTEMS | CF_RESPONSE);
    assert_true(t->f.ccw[0].more);
    /* Nothing outstanding: no READ waits for ever. */
    assert_true(read_response(t));
    assert_int_equal(status(t), US_CHANNEL_END | US_DEVICE_END | US_UNIT_EXCEPTION);
    assert_int_equal(fake_moved(&t->f, 0), 0);
}

static void test_what_is_no_command(void **state) {
    struct test *t = *state;
    static const struct {
        u8 code, flags;
        u32 count, at;
        u8 value;
    } rows[] = {
        {CCW_WRITE, 0, 15, 1, 0},       {CCW_WRITE, 0, 16, 0, 9},      {CCW_WRITE, 0, 16, 7, 17},
        {CCW_WRITE, 0, 16, 7, 15},      {CCW_WRITE, CCW_CD, 16, 1, 0}, {CCW_READ, 0, 15, 1, 0},
        {0x07, 0, 16, 1, 0},            {0x0C, 0, 16, 1, 0},           {0x1F, 0, 16, 1, 0},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        cf_command_put(t->cmd, CF_IDENTIFY, 1, CF_CMD_BYTES, 0, 0);
        t->cmd[rows[i].at] = rows[i].value;
        assert_true(fake_ccw(&t->f, 0, rows[i].code, rows[i].flags, t->cmd, rows[i].count));
        assert_true(status(t) & US_UNIT_CHECK);
        assert_int_equal(sense(t, 0), CF_LINK_SENSE_REJECT);
    }
    assert_int_equal(t->f.ring_in, 0);
    assert_true(fake_ccw(&t->f, 0, CCW_SENSE, 0, t->rsp, 32));
    assert_int_equal(t->rsp[0], CF_LINK_SENSE_REJECT);
    assert_int_equal(sense(t, 0), 0);
    assert_true(fake_ccw(&t->f, 0, CCW_SENSE_ID, 0, t->rsp, 32));
    assert_int_equal(be16_get(t->rsp + 1), CF_LINK_TYPE);
    assert_int_equal(fake_moved(&t->f, 0), 7);
    assert_true(fake_ccw(&t->f, 0, CCW_NOP, 0, t->rsp, 1));
}

static void test_full_ring(void **state) {
    struct test *t = *state;
    t->f.ring_room = 20;
    assert_true(write_command(t, CF_IDENTIFY, CF_CMD_BYTES));
    assert_false(write_command(t, CF_QUERY_SYSTEMS, CF_CMD_BYTES));
    t->f.engine->ops->rx_end(t->f.engine);
    assert_true(t->f.waiting[0]);
    t->f.ring_room = UINT32_MAX;
    t->f.engine->ops->rx_end(t->f.engine);
    assert_false(t->f.waiting[0]);
    assert_int_equal(fake_moved(&t->f, 0), CF_CMD_BYTES);
    /* Halted while it waits: not sent. */
    t->f.ring_room = 0;
    u32 sent = t->f.ring_in;
    assert_false(write_command(t, CF_QUERY_SYSTEMS, CF_CMD_BYTES));
    t->f.engine->ops->halt(t->f.engine, 0);
    assert_false(t->f.waiting[0]);
    t->f.ring_room = UINT32_MAX;
    t->f.engine->ops->rx_end(t->f.engine);
    assert_int_equal(t->f.ring_in, sent);
}

static void test_attention(void **state) {
    struct test *t = *state;
    u32 before = t->f.attentions;
    event(t, CF_PENDING);
    assert_int_equal(t->f.attentions, before + 1);
    /* A READ that waits goes on waiting. */
    write_command(t, CF_IDENTIFY, CF_CMD_BYTES);
    assert_false(read_response(t));
    event(t, CF_PENDING);
    assert_true(t->f.waiting[0]);
    assert_int_equal(t->f.attentions, before + 2);
    assert_true(carry(t));
}

static void test_halted_read(void **state) {
    struct test *t = *state;
    write_command(t, CF_IDENTIFY, CF_CMD_BYTES);
    assert_false(read_response(t));
    t->f.engine->ops->halt(t->f.engine, 0);
    assert_false(t->f.waiting[0]);
    assert_false(carry(t));
    assert_false(read_response(t));
    assert_true(fake_rx(&t->f, t->lab.rsp, t->lab.rsp_len));
    assert_int_equal(be16_get(t->rsp + 2), t->tag);
}

static void test_reset(void **state) {
    struct test *t = *state;
    u32 len;
    cflab_connect_begin(&t->lab, "S1", "A", CF_TYPE_LIST, 0);
    memcpy(t->cmd, t->lab.cmd, CF_CONNECT_BYTES);
    assert_true(fake_ccw(&t->f, 0, CCW_WRITE, CCW_SLI, t->cmd, CF_CONNECT_BYTES));
    assert_false(read_response(t));
    t->f.ring_room = 0;
    t->f.engine->ops->reset(t->f.engine);
    assert_false(t->f.waiting[0]);
    /* RESET goes first when there is room again, and the response of before it meets nobody. */
    assert_false(write_command(t, CF_QUERY_SYSTEMS, CF_CMD_BYTES));
    t->f.ring_room = UINT32_MAX;
    t->f.engine->ops->rx_end(t->f.engine);
    assert_false(t->f.waiting[0]);
    assert_false(read_response(t));
    u32 attentions = t->f.attentions;
    event(t, CF_PENDING);
    assert_int_equal(t->f.attentions, attentions);
    static const u8 expected[] = {CF_CONNECT, CF_RESET, CF_QUERY_SYSTEMS};
    for (u32 i = 0; i < ARRAY_LEN(expected); i++) {
        const u8 *msg = fake_next(&t->f, &len);
        assert_non_null(msg);
        assert_int_equal(msg[1], expected[i]);
        assert_true(cf_message(t->lab.cf, t->system, msg, len));
        assert_true(fake_rx(&t->f, t->lab.rsp, t->lab.rsp_len));
    }
    assert_false(t->f.waiting[0]);
    assert_int_equal(t->rsp[1], CF_QUERY_SYSTEMS | CF_RESPONSE);
    assert_int_equal(t->lab.cf->structures, 0);
}

static void test_link_comes_and_goes(void **state) {
    struct test *t = *state;
    u32 attentions = t->f.attentions;
    write_command(t, CF_IDENTIFY, CF_CMD_BYTES);
    assert_false(read_response(t));
    fake_connect(&t->f, false);
    assert_false(t->f.waiting[0]);
    assert_true(status(t) & US_UNIT_CHECK);
    assert_int_equal(sense(t, 0), CF_LINK_SENSE_EQUIPMENT);
    assert_int_equal(t->f.attentions, attentions + 1);
    assert_true(write_command(t, CF_IDENTIFY, CF_CMD_BYTES));
    assert_int_equal(sense(t, 0), CF_LINK_SENSE_INTERVENTION);
    assert_int_equal(sense(t, 1), 0);
    assert_true(read_response(t));
    assert_true(status(t) & US_UNIT_CHECK);
    fake_connect(&t->f, true);
    assert_int_equal(t->f.attentions, attentions + 2);
    fake_forget(&t->f);
    assert_true(write_command(t, CF_IDENTIFY, CF_CMD_BYTES));
    assert_false(read_response(t));
    assert_true(carry(t));
    assert_int_equal(be16_get(t->rsp + 2), t->tag);
    /* Away and back between two commands: the next one shows it, once. */
    fake_connect(&t->f, false);
    fake_connect(&t->f, true);
    assert_true(write_command(t, CF_IDENTIFY, CF_CMD_BYTES));
    assert_true(status(t) & US_UNIT_CHECK);
    assert_int_equal(sense(t, 0), CF_LINK_SENSE_EQUIPMENT);
    assert_int_equal(t->f.ring_in, 0);
    assert_true(write_command(t, CF_IDENTIFY, CF_CMD_BYTES));
    assert_int_equal(status(t), US_CHANNEL_END | US_DEVICE_END);
}

static void test_isolated(void **state) {
    struct test *t = *state;
    char text[120];
    write_command(t, CF_IDENTIFY, CF_CMD_BYTES);
    assert_false(read_response(t));
    event(t, CF_ISOLATED);
    assert_false(t->f.waiting[0]);
    fake_connect(&t->f, false);
    assert_true(write_command(t, CF_IDENTIFY, CF_CMD_BYTES));
    assert_int_equal(sense(t, 0), CF_LINK_SENSE_INTERVENTION);
    assert_int_equal(sense(t, 1), CF_LINK_SENSE_ISOLATED);
    t->f.engine->ops->query(t->f.engine, text, sizeof text);
    assert_non_null(strstr(text, "isolated"));
}

static void test_bad_messages(void **state) {
    struct test *t = *state;
    u8 msg[64] = {CF_VERSION, CF_IDENTIFY | CF_RESPONSE};
    write_command(t, CF_IDENTIFY, CF_CMD_BYTES);
    assert_false(read_response(t));
    for (u32 len = 0; len < sizeof msg; len++) assert_true(fake_rx(&t->f, msg, len));
    event(t, 0x20);
    assert_true(t->f.waiting[0]);
    assert_true(carry(t));
    /* A response that nobody asked for. */
    be32_put(msg + 4, 16);
    assert_true(fake_rx(&t->f, msg, 16));
    struct cf_link_params none = {.lpar = ""};
    void *other = malloc(cf_link_bytes());
    assert_null(cf_link_init(other, &t->f.host, &none));
    free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_command_and_response, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_command, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_ring, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attention, setup, teardown),
        cmocka_unit_test_setup_teardown(test_halted_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(test_link_comes_and_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_isolated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_messages, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
