/* client3270.c - a TN3270(E) client for tests. See client3270.h. */
#include "tests/unit/client3270.h"

#include "base/ebcdic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void c_say(struct client *c, const void *p, u32 n) {
    assert_true(c->out_len + n <= sizeof c->out);
    memcpy(c->out + c->out_len, p, n);
    c->out_len += n;
}
static void c_three(struct client *c, u8 verb, u8 option) { c_say(c, (u8[]){255, verb, option}, 3); }

void c_record(struct client *c, u8 type, u8 response, u32 seq, const u8 *p, u32 n) {
    if (c->on_enhanced) c_say(c, (u8[]){type, 0, response, (u8)(seq >> 8), (u8)seq}, 5);
    for (u32 i = 0; i < n; i++) {
        c_say(c, p + i, 1);
        if (p[i] == 255) c_say(c, p + i, 1);
    }
    c_say(c, "\xFF\xEF", 2);
}

static void c_option(struct client *c, u8 verb, u8 option) {
    if (option == 40) {
        c->on_enhanced = c->enhanced && verb == 253;
        c_three(c, c->on_enhanced ? 251 : 252, 40);
    } else if (option == 6) {
        c->marks++;
        if (c->answers) c_three(c, 251, 6);
    } else if (option == 24 || option == 25 || option == 0) {
        if (!c->type[0]) c_three(c, verb == 253 ? 252 : 254, option);
        else c_three(c, verb == 253 ? 251 : 253, option);
    } else {
        c_three(c, verb == 253 ? 252 : 254, option);
    }
}

static void c_sub(struct client *c) {
    const u8 *s = c->sub;
    if (s[0] == 24 && s[1] == 1) {
        c_say(c, "\xFF\xFA\x18\x00", 4);
        c_say(c, c->type, (u32)strlen(c->type));
        c_say(c, "\xFF\xF0", 2);
    } else if (s[0] == 40 && s[1] == 8 && s[2] == 2) { /* SEND DEVICE-TYPE */
        c_say(c, "\xFF\xFA\x28\x02\x07", 5);
        c_say(c, c->type, (u32)strlen(c->type));
        if (c->lu[0]) {
            c_say(c, "\x01", 1);
            c_say(c, c->lu, (u32)strlen(c->lu));
        }
        c_say(c, "\xFF\xF0", 2);
    } else if (s[0] == 40 && s[1] == 2 && s[2] == 4) { /* DEVICE-TYPE IS ... CONNECT lu */
        u32 i = 3;
        while (i < c->sub_len && s[i] != 1) i++;
        snprintf(c->got_lu, sizeof c->got_lu, "%.*s", (int)(c->sub_len - i - 1), s + i + 1);
        c_say(c, "\xFF\xFA\x28\x03\x07", 5);
        c_say(c, c->functions, c->count);
        c_say(c, "\xFF\xF0", 2);
    } else if (s[0] == 40 && s[1] == 2 && s[2] == 6) {
        c->rejected = s[4];
        assert_int_equal(s[3], 5);
        c_three(c, 252, 40); /* gives up TN3270E */
        c->on_enhanced = false;
    } else if (s[0] == 40 && s[1] == 3) {
        c->agreed_count = (u8)(c->sub_len - 3);
        memcpy(c->agreed, s + 3, c->agreed_count);
        if (s[2] == 7) { /* the server's counter-proposal */
            c_say(c, "\xFF\xFA\x28\x03\x04", 5);
            c_say(c, c->agreed, c->agreed_count);
            c_say(c, "\xFF\xF0", 2);
        }
    }
}

static void c_record_came(struct client *c) {
    u8 *p = c->rec;
    u32 n = c->rec_len, seq = 0;
    u8 type = 0, wants = 0;
    c->records++;
    c->rec_len = 0;
    if (c->on_enhanced) {
        assert_true(n >= 5);
        type = p[0], wants = p[2], seq = p[3] * 256u + p[4];
        p += 5, n -= 5;
    }
    if (type == 3) {
        c->bound = true;
        assert_int_equal(p[0], 0x31);
    } else if (type == 4) {
        c->unbound = true;
    } else if (type == 7) {
        c->sscp = true;
        c->sscp_text[0] = 0;
        if (n) ebcdic_trim(c->sscp_text, p, n);
    } else {
        assert_int_equal(type, 0);
        if (!display_record(&c->d, p, n)) fail_msg("display: %s", c->d.error);
        if (wants == 2 && c->answers) c_record(c, 2, 0, seq, (const u8 *)"", 1);
    }
}

void c_feed(struct client *c, const u8 *p, u32 n) {
    for (; n; p++, n--) {
        switch (c->st) {
        case 0:
            if (*p == 255) c->st = 1;
            else {
                assert_true(c->rec_len < sizeof c->rec);
                c->rec[c->rec_len++] = *p;
            }
            break;
        case 1:
            c->st = 0;
            if (*p == 255) c->rec[c->rec_len++] = 255;
            else if (*p == 250) c->st = 3, c->sub_len = 0;
            else if (*p >= 251) c->verb = *p, c->st = 2;
            else if (*p == 239) c_record_came(c);
            break;
        case 2:
            c->st = 0;
            if (c->verb == 253 || c->verb == 251) c_option(c, c->verb, *p);
            break;
        case 3:
            if (*p == 255) c->st = 4;
            else c->sub[c->sub_len++] = *p;
            break;
        default:
            c->st = *p == 240 ? 0 : 3;
            if (*p == 240) c_sub(c);
            else c->sub[c->sub_len++] = *p;
            break;
        }
    }
}

void client_init(struct client *c, bool enhanced, const char *type, u32 rows, u32 cols) {
    memset(c, 0, sizeof *c);
    display_init(&c->d, rows, cols);
    c->enhanced = enhanced;
    c->type = type;
    c->lu = "";
    c->answers = true;
    memcpy(c->functions, (u8[]){0, 2, 4}, 3);
    c->count = 3;
}
