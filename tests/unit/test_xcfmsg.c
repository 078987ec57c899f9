/* test_xcfmsg.c - XCF's blocks: one vector byte for byte, every truncation, every bit turned, round trips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "wire/cksum.h"
#include "wire/xcfmsg.h"

#include <cmocka.h>

/* A HELLO of SYSA, incarnation 7, to anybody: INTERVAL 25 s, weight 3, path 0C40; hears SYSB/9 on token 2;
 * SYSC/4 is gone. */
static const u8 vector[] = {
    0xE7, 0xC3, 1,   1,   0,   132, 0x73, 0xC5, 'S', 'Y', 'S', 'A', ' ', ' ', ' ', ' ', /* header */
    0,    0,    0,   0,   0,   0,   0,    7,    ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', 0,    0,    0,
    0,    0,    0,   0,   0,   0,   0,    0,    1,   0,   0,   0,   0,   0,   0,   0,   0,    0,    0,
    0,    0,    'P', 'L', 'E', 'X', '1',  ' ',  ' ', ' ', 0,   1,   0,   1,   0,   0,   0x61, 0xA8, 0,
    0,    0,    3, /* body */
    '0',  'C',  '4', '0', ' ', ' ', ' ',  ' ',  ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', 'S',  'Y',  'S',
    'B',  ' ',  ' ', ' ', ' ', 0,   0,    0,    0,   0,   0,   0,   9,   0,   0,   0,   2,    'S',  'Y',
    'S',  'C',  ' ', ' ', ' ', ' ', 0,    0,    0,   0,   0,   0,   0,   4,   0,   0,   0,    0,
};

static u32 hello_build(u8 *p) {
    struct xcfmsg_header h = {
        .type = XCFMSG_HELLO, .from = "SYSA", .from_incarnation = 7, .sysplex = "PLEX1", .token = 1};
    struct xcfmsg_hello hello = {.heard = 1, .gone = 1, .interval_ms = 25000, .weight = 3, .path = "0C40"};
    struct xcfmsg_entry b = {.system = "SYSB", .incarnation = 9, .value = 2},
                        c = {.system = "SYSC", .incarnation = 4};
    xcfmsg_hello_emit(p + XCFMSG_HEADER, &hello);
    xcfmsg_entry_emit(p + XCFMSG_HEADER, 0, &b);
    xcfmsg_entry_emit(p + XCFMSG_HEADER, 1, &c);
    h.bytes = (u16)(XCFMSG_HEADER + xcfmsg_hello_bytes(2));
    xcfmsg_emit(p, &h);
    return h.bytes;
}

static void the_vector(void **state) {
    u8 p[256];
    struct xcfmsg_header h;
    struct xcfmsg_hello hello;
    struct xcfmsg_entry e;
    UNUSED(state);
    assert_int_equal(hello_build(p), sizeof vector);
    assert_memory_equal(p, vector, sizeof vector);
    assert_int_equal(xcfmsg_check(vector, sizeof vector), XCFMSG_OK);
    xcfmsg_parse(vector, &h);
    assert_string_equal(h.from, "SYSA");
    assert_string_equal(h.to, "");
    assert_string_equal(h.sysplex, "PLEX1");
    assert_int_equal(h.from_incarnation, 7);
    assert_int_equal(h.token, 1);
    xcfmsg_hello_parse(vector + XCFMSG_HEADER, &hello);
    assert_int_equal(hello.interval_ms, 25000);
    assert_int_equal(hello.weight, 3);
    assert_string_equal(hello.path, "0C40");
    xcfmsg_entry_parse(vector + XCFMSG_HEADER, 1, &e);
    assert_string_equal(e.system, "SYSC");
    assert_int_equal(e.incarnation, 4);
}

static void truncated_and_damaged(void **state) {
    u8 p[256];
    u32 len = hello_build(p);
    UNUSED(state);
    for (u32 n = 0; n < len; n++) {
        u8 *exact = malloc(n ? n : 1); /* so that a read past the end is seen */
        memcpy(exact, p, n);
        assert_int_equal(xcfmsg_check(exact, n), n < XCFMSG_HEADER ? XCFMSG_SHORT : XCFMSG_LENGTH);
        free(exact);
    }
    for (u32 bit = 0; bit < len * 8; bit++) {
        p[bit / 8] ^= (u8)(1 << bit % 8);
        assert_int_not_equal(xcfmsg_check(p, len), XCFMSG_OK);
        p[bit / 8] ^= (u8)(1 << bit % 8);
    }
    assert_int_equal(xcfmsg_check(p, len), XCFMSG_OK);
}

/* The same block with its checksum made right again after a change. */
static enum xcfmsg_verdict changed(u32 at, u8 value) {
    u8 p[256];
    u32 len = hello_build(p);
    p[at] = value;
    be16_put(p + 6, 0);
    be16_put(p + 6, cksum_fold(cksum_add(0, p, len)));
    return xcfmsg_check(p, len);
}

static void forms(void **state) {
    UNUSED(state);
    assert_int_equal(changed(3, 0), XCFMSG_FORM);
    assert_int_equal(changed(3, 4), XCFMSG_FORM);
    assert_int_equal(changed(3, XCFMSG_ACK), XCFMSG_FORM); /* an ACK has no body */
    assert_int_equal(changed(2, 2), XCFMSG_FOREIGN);
    assert_int_equal(changed(8, ' '), XCFMSG_FORM);   /* the sender has no name */
    assert_int_equal(changed(9, ' '), XCFMSG_FORM);   /* a blank inside */
    assert_int_equal(changed(8, 'a'), XCFMSG_FORM);   /* lower case is no name */
    assert_int_equal(changed(65, 2), XCFMSG_FORM);    /* a count that does not fit the length */
    assert_int_equal(changed(64, 0xFF), XCFMSG_FORM); /* nor this */
    assert_int_equal(changed(92, 0), XCFMSG_FORM);    /* an entry without a name */
    assert_int_equal(changed(53, 1), XCFMSG_OK);      /* reserved: not looked at */
}

/* A HELLO that names the path it hears: at the end, for each path heard and for no system that is gone. */
static u32 named_build(u8 *p) {
    struct xcfmsg_header h;
    u32 len = hello_build(p);
    xcfmsg_parse(p, &h);
    xcfmsg_heard_name_emit(p + XCFMSG_HEADER, 2, 0, "IXCSTR_LONG_NAME");
    h.flags = XCFMSG_NAMED;
    h.bytes = (u16)(len + XCFMSG_PATH);
    xcfmsg_emit(p, &h);
    return h.bytes;
}

static void names_of_paths(void **state) {
    u8 p[256];
    char name[XCFMSG_PATH + 1];
    u32 len = named_build(p);
    UNUSED(state);
    assert_int_equal(len, sizeof vector + 16);
    assert_int_equal(xcfmsg_check(p, len), XCFMSG_OK);
    xcfmsg_heard_name_parse(p + XCFMSG_HEADER, 2, 0, name);
    assert_string_equal(name, "IXCSTR_LONG_NAME");
    struct xcfmsg_header h;
    for (u32 n = sizeof vector; n < len; n++) { /* a name that ends early; the length says so */
        xcfmsg_parse(p, &h);
        h.bytes = (u16)n;
        xcfmsg_emit(p, &h);
        assert_int_equal(xcfmsg_check(p, n), XCFMSG_FORM);
    }
    len = named_build(p);
    xcfmsg_parse(p, &h);
    p[len - 16] = 'a'; /* lower case is no name */
    xcfmsg_emit(p, &h);
    assert_int_equal(xcfmsg_check(p, len), XCFMSG_FORM);
    xcfmsg_heard_name_emit(p + XCFMSG_HEADER, 2, 0, "0C40");
    h.flags = 0; /* names that nobody has said there are */
    xcfmsg_emit(p, &h);
    assert_int_equal(xcfmsg_check(p, len), XCFMSG_FORM);
    /* All that can be said at once fits a block. */
    u32 most = xcfmsg_hello_bytes(XCFMSG_NAMED_MAX + XCFMSG_GONE_MAX) + XCFMSG_PATH * XCFMSG_NAMED_MAX;
    assert_true(most <= XCFMSG_BODY_MAX && most + XCFMSG_HELLO_ENTRY + XCFMSG_PATH > XCFMSG_BODY_MAX);
    assert_true(xcfmsg_hello_bytes(XCFMSG_HEARD_MAX + XCFMSG_GONE_MAX) <= XCFMSG_BODY_MAX);
}

/* Many blocks over one path: the head made once and the rest each time give what one xcfmsg_emit() gives. */
static void head_made_once(void **state) {
    u8 p[256], q[256], head[XCFMSG_HEADER];
    struct xcfmsg_header h;
    u32 len = hello_build(p);
    UNUSED(state);
    xcfmsg_parse(p, &h);
    xcfmsg_head_emit(head, &h);
    memcpy(q, p, len);
    memset(q, 0xEE, XCFMSG_HEADER);
    xcfmsg_emit_headed(q, head, &h);
    assert_memory_equal(p, q, len);
    h.seq++; /* what differs from block to block */
    h.ack += 2;
    h.flags = XCFMSG_LEAVING;
    xcfmsg_emit(p, &h);
    xcfmsg_emit_headed(q, head, &h);
    assert_memory_equal(p, q, len);
    assert_int_equal(xcfmsg_check(q, len), XCFMSG_OK);
}

static void messages_and_members(void **state) {
    u8 p[64];
    struct xcfmsg_message m = {.kind = XCFMSG_USER, .bytes = 61440, .from = 5, .to = 6, .control = "control"},
                          back;
    struct xcfmsg_member r = {.group = "EZBTCPCS",
                              .name = "SYSATCPIP",
                              .state = 1,
                              .flags = 0x80,
                              .status_ms = 5000},
                         got;
    UNUSED(state);
    xcfmsg_message_emit(p, &m);
    assert_true(xcfmsg_message_parse(p, &back));
    assert_int_equal(back.bytes, 61440);
    assert_int_equal(back.from, 5);
    assert_int_equal(back.to, 6);
    assert_string_equal((const char *)back.control, "control");
    be32_put(p + 4, 61441);
    assert_false(xcfmsg_message_parse(p, &back));
    be32_put(p + 4, 10);
    p[0] = XCFMSG_MEMBER; /* a record has its one length */
    assert_false(xcfmsg_message_parse(p, &back));
    p[0] = 9;
    assert_false(xcfmsg_message_parse(p, &back));
    xcfmsg_member_emit(p, &r);
    assert_true(xcfmsg_member_parse(p, &got));
    assert_string_equal(got.group, "EZBTCPCS");
    assert_string_equal(got.name, "SYSATCPIP");
    assert_int_equal(got.flags, 0x80);
    assert_int_equal(got.status_ms, 5000);
    p[0] = ' ';
    assert_false(xcfmsg_member_parse(p, &got));
}

/* One block of many between the same two systems: everything but the names is checked and taken out as ever. */
static void same_ends(void **state) {
    u8 p[256], other[256];
    struct xcfmsg_header h = {.type = XCFMSG_ACK};
    u32 len = hello_build(p);
    UNUSED(state);
    memcpy(other, p, len);
    for (u32 at = 0; at < XCFMSG_HEADER; at++) {
        bool end = (at >= 8 && at < 40) || at >= 56;
        other[at] ^= 1;
        assert_int_equal(xcfmsg_same_ends(p, other), !end);
        other[at] ^= 1;
    }
    assert_int_equal(xcfmsg_check_same(p, len), XCFMSG_OK);
    xcfmsg_parse_same(p, &h);
    assert_int_equal(h.type, XCFMSG_HELLO);
    assert_int_equal(h.bytes, len);
    assert_int_equal(h.token, 1);
    for (u32 n = 0; n < len; n++) assert_int_not_equal(xcfmsg_check_same(p, n), XCFMSG_OK);
    for (u32 bit = 0; bit < len * 8; bit++) {
        p[bit / 8] ^= (u8)(1 << bit % 8);
        assert_int_not_equal(xcfmsg_check_same(p, len), XCFMSG_OK);
        p[bit / 8] ^= (u8)(1 << bit % 8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector),
        cmocka_unit_test(truncated_and_damaged),
        cmocka_unit_test(forms),
        cmocka_unit_test(names_of_paths),
        cmocka_unit_test(head_made_once), cmocka_unit_test(messages_and_members),
        cmocka_unit_test(same_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
