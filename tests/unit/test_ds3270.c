/* test_ds3270.c - Telnet's bytes and options, the 3270 data stream, the words of TN3270E: codecs against vectors, truncation and tables. */
#include "apps/telnet.h"
#include "apps/tn3270e.h"
#include "base/str.h"
#include "wire/ds3270.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Telnet ---- */
static const u8 telnet_stream[] = {'a', 'b', 255, 255, 'c', 255, 251, 24, 255, 250, 24, 0, 'X', 255, 255, 'Y', 255, 240, 255, 239, 255, 244, 'd'};

static void tokens_as_text(char *out, u32 piece) {
    struct telnet t;
    telnet_init(&t);
    out[0] = 0;
    for (u32 at = 0; at < sizeof telnet_stream;) {
        u32 n = u32_min(piece, (u32)sizeof telnet_stream - at), end = at + n;
        while (at < end) {
            struct telnet_token k;
            u32 used = telnet_feed(&t, telnet_stream + at, end - at, &k);
            assert_true(used >= 1 && used <= end - at);
            at += used;
            char *o = out + strlen(out);
            if (k.kind == TELNET_DATA)
                for (u32 i = 0; i < k.len; i++) o += sprintf(o, "%c", k.data[i] == 255 ? '#' : k.data[i]);
            else if (k.kind == TELNET_COMMAND) sprintf(o, "<%u>", k.code);
            else if (k.kind == TELNET_OPTION) sprintf(o, "<%u %u>", k.code, k.option);
            else if (k.kind == TELNET_SUB) sprintf(o, "<SB %u %u %.*s>", t.sub[0], t.sub[1], (int)t.sub_len - 2, t.sub + 2);
        }
    }
}

static void telnet_tokens(void **state) {
    char text[200];
    (void)state;
    for (u32 piece = 1; piece <= sizeof telnet_stream; piece++) {
        tokens_as_text(text, piece);
        assert_string_equal(text, "ab#c<251 24><SB 24 0 X\xFFY><239><244>d");
    }
    /* One that is too long is dropped and counted; what follows is understood. */
    struct telnet t;
    struct telnet_token k;
    u8 big[200] = {255, 250, 24};
    telnet_init(&t);
    big[198] = 255, big[199] = 240;
    assert_int_equal(telnet_feed(&t, big, 200, &k), 200);
    assert_int_equal(k.kind, TELNET_NOTHING);
    assert_int_equal(t.subs_dropped, 1);
    assert_int_equal(telnet_feed(&t, (const u8 *)"x", 1, &k), 1);
    assert_int_equal(k.kind, TELNET_DATA);
    u8 out[8];
    assert_int_equal(telnet_escape(out, 8, (const u8 *)"\xFF\x01\xFF", 3), 5);
    assert_memory_equal(out, "\xFF\xFF\x01\xFF\xFF", 5);
    assert_int_equal(telnet_escape(out, 4, (const u8 *)"\xFF\x01\xFF", 3), 0);
}

/* Every cell of the option machine, from both sides, against RFC 1143's rules. */
static void telnet_options(void **state) {
    (void)state;
    for (u8 from = 0; from < TELNET_STATES; from++)
        for (u32 on = 0; on < 2; on++)
            for (u32 allowed = 0; allowed < 2; allowed++)
                for (u32 his = 0; his < 2; his++) {
                    struct telnet t;
                    u8 three[3];
                    enum telnet_change change;
                    telnet_init(&t);
                    u8 *side = his ? &t.him[3] : &t.us[3], *other = his ? &t.us[3] : &t.him[3];
                    *side = from;
                    u8 verb = his ? (on ? 251 : 252) : (on ? 253 : 254);
                    u32 n = telnet_answer(&t, verb, 3, allowed, three, &change);
                    bool will_be_on = on && (allowed || from != TELNET_OFF);
                    assert_int_equal(*side, will_be_on ? TELNET_ON : TELNET_OFF);
                    assert_int_equal(*other, TELNET_OFF);
                    /* An answer only to a request that is a change or a refusal of one, never to an answer. */
                    bool answers = (from == TELNET_OFF && on) || (from == TELNET_ON && !on);
                    assert_int_equal(n, answers ? 3 : 0);
                    if (answers) assert_int_equal(three[1], will_be_on ? (his ? 253 : 251) : (his ? 254 : 252));
                    bool was_on = from == TELNET_ON;
                    assert_int_equal(change, was_on == will_be_on && from != TELNET_WANT ? TELNET_SAME
                                             : will_be_on                                ? TELNET_NOW_ON
                                             : was_on                                    ? TELNET_NOW_OFF
                                                                                         : TELNET_REFUSED);
                }
    struct telnet t;
    u8 three[3];
    enum telnet_change change;
    telnet_init(&t);
    assert_int_equal(telnet_ask(&t, 253, 24, three), 3);
    assert_int_equal(telnet_ask(&t, 253, 24, three), 0);
    assert_int_equal(telnet_answer(&t, 251, 200, true, three, &change), 3); /* one that we don't know */
    assert_int_equal(three[1], 254);
}

/* ---- the data stream ---- */
static void addresses(void **state) {
    (void)state;
    for (u32 cells = 1920; cells <= 16000; cells += 3520)
        for (u32 a = 0; a < cells; a += 7) {
            u8 two[2];
            ds_address_put(two, a, cells);
            assert_int_equal(ds_address_get(two), a);
            assert_true(cells > 4096 || two[0] >= 0x40);
        }
    u8 two[2];
    ds_address_put(two, 1761, 1920); /* GA23-0059's example: row 23, column 2 */
    assert_int_equal(two[0], 0x5B);
    assert_int_equal(two[1], 0x61);
}

static void inbound(void **state) {
    /* ENTER, cursor 5D7F, two fields. */
    static const u8 good[] = {0x7D, 0x5D, 0x7F, 0x11, 0x40, 0xC1, 0xC1, 0xC2, 0x40, 0x00, 0x11, 0xC1, 0x50, 0x1D, 0x60, 0x28, 0x42, 0xF2, 0x08, 0xAD, 0xF1};
    struct ds_inbound in;
    u32 at;
    char text[20];
    (void)state;
    assert_int_equal(ds_read(good, sizeof good, 1920, &in), 0);
    assert_int_equal(in.aid, DS_AID_ENTER);
    assert_int_equal(in.cursor, 0x1D * 64 + 0x3F);
    assert_true(ds_next_field(&in, &at, text, sizeof text));
    assert_int_equal(at, 1);
    assert_string_equal(text, "AB");
    assert_true(ds_next_field(&in, &at, text, sizeof text));
    assert_int_equal(at, 64 + 16);
    assert_string_equal(text, "1");
    assert_false(ds_next_field(&in, &at, text, sizeof text));
    for (u32 n = 0; n < sizeof good; n++) {
        bool within = n < 3 || (n > 3 && n < 6) || (n > 10 && n < 13) || n == 14 || (n > 15 && n < 18) || n == 19;
        assert_int_equal(ds_read(good, n, 1920, &in), within ? -ERR_INVAL : 0);
    }
    assert_int_equal(ds_read(good, sizeof good, 1800, &in), -ERR_INVAL); /* the cursor is off this screen */
    assert_int_equal(ds_read((const u8 *)"\x6D", 1, 1920, &in), 0);      /* CLEAR */
    assert_false(ds_next_field(&in, &at, text, sizeof text));
    assert_int_equal(ds_pf_key(0xF1), 1);
    assert_int_equal(ds_pf_key(0x7C), 12);
    assert_int_equal(ds_pf_key(0xC1), 13);
    assert_int_equal(ds_pf_key(0x4C), 24);
    assert_int_equal(ds_pf_key(0x7D), 0);
    /* A text longer than asked for is cut; one byte of room is the NUL. */
    assert_int_equal(ds_read(good, sizeof good, 1920, &in), 0);
    assert_true(ds_next_field(&in, &at, text, 2));
    assert_string_equal(text, "A");
}

static void query_reply(void **state) {
    /* Usable area 80 x 43, implicit partition with alternate 132 x 27, colour. */
    static const u8 reply[] = {0x88, 0x00, 0x17, 0x81, 0x81, 0x01, 0x00, 0, 80,   0, 43,   1,    0,    0x0a, 0x02, 0xe5, 0x00,
                               0x02, 0x00, 0x6f, 0x09, 0x0c, 0,    0, 0x00, 0x11, 0x81, 0xA6, 0x00, 0x00, 0x0B, 0x01, 0x00, 0,
                               80,   0,    24,   0,    132,  0,    27, 0x00, 0x04, 0x81, 0x86};
    struct ds_device d;
    (void)state;
    assert_int_equal(ds_read_query(reply, sizeof reply, &d), 0);
    assert_int_equal(d.rows, 27);
    assert_int_equal(d.cols, 132);
    assert_true(d.color && !d.highlight);
    assert_int_equal(ds_read_query(reply, 24, &d), 0);
    assert_int_equal(d.rows, 43);
    for (u32 n = 0; n < sizeof reply; n++)
        assert_int_equal(ds_read_query(reply, n, &d), n == 1 || n == 24 || n == 41 ? 0 : -ERR_INVAL);
}

static void terminals(void **state) {
    static const struct {
        const char *name;
        bool known;
        u32 rows, cols;
        bool extended, dynamic;
    } rows[] = {{"IBM-3278-2", true, 24, 80, false, false},  {"IBM-3278-2-E", true, 24, 80, true, false},
                {"IBM-3279-3-E", true, 32, 80, true, false}, {"IBM-3278-4", true, 43, 80, false, false},
                {"ibm-3278-2", false, 0, 0, false, false},   {"IBM-3278-5-E", true, 27, 132, true, false},
                {"IBM-DYNAMIC", true, 24, 80, true, true},   {"IBM-3278-6", false, 0, 0, false, false},
                {"IBM-3287-1", false, 0, 0, false, false},   {"IBM-3278-2-X", false, 0, 0, false, false},
                {"XTERM", false, 0, 0, false, false},        {"", false, 0, 0, false, false}};
    (void)state;
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct terminal t;
        assert_int_equal(terminal_find(rows[i].name, &t), rows[i].known);
        if (!rows[i].known) continue;
        assert_int_equal(t.rows, rows[i].rows);
        assert_int_equal(t.cols, rows[i].cols);
        assert_int_equal(t.extended, rows[i].extended);
        assert_int_equal(t.dynamic, rows[i].dynamic);
    }
    u8 bind[TN_BIND_MAX];
    struct terminal five = {27, 132, true, false};
    assert_int_equal(tn3270e_bind(bind, &five, "PLEX390"), 35);
    assert_memory_equal(bind, "\x31\x01\x03\x03\xB1\x90\x30\x80\x00\x00\x87\x87\x00\x00\x02\x80", 16);
    assert_memory_equal(bind + 20, "\x18\x50\x1B\x84\x7F\x00\x00\x07\xD7\xD3\xC5\xE7\xF3\xF9\xF0", 15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(telnet_tokens),
        cmocka_unit_test(telnet_options),
        cmocka_unit_test(addresses),
        cmocka_unit_test(inbound),
        cmocka_unit_test(query_reply),
        cmocka_unit_test(terminals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
