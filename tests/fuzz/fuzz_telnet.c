/* fuzz_telnet.c - Telnet's decoder and options, and TN3270E's words. Input: 1 piece size | bytes.
 *
 * Checked: the same bytes in any pieces are the same tokens; tokens lie within what was fed; an option never gets more than
 * one answer to one word, and no answer to an answer; what is escaped is decoded to itself.
 */
#include "apps/telnet.h"
#include "apps/tn3270e.h"
#include "tests/fuzz/fuzz.h"

#define LOG_MAX 65536

/* Tokens as bytes: text as it is, all else in between with its kind. */
static u32 run(const u8 *p, u32 n, u32 piece, u8 *log) {
    struct telnet t;
    u32 len = 0;
    telnet_init(&t);
    for (u32 at = 0; at < n;) {
        u32 part = u32_min(piece, n - at);
        struct telnet_token k;
        u32 used = telnet_feed(&t, p + at, part, &k);
        CHECK(used >= 1 && used <= part);
        if (k.kind == TELNET_DATA) {
            CHECK(k.len >= 1 && k.data >= p + at && k.data + k.len <= p + at + used);
            for (u32 i = 0; i < k.len && len + 2 < LOG_MAX; i++) log[len++] = TELNET_DATA, log[len++] = k.data[i];
        } else if (k.kind == TELNET_SUB) {
            struct tn3270e_request q;
            CHECK(t.sub_len >= 1 && t.sub_len <= TELNET_SUB_MAX);
            if (tn3270e_read(t.sub, t.sub_len, &q) == 0)
                CHECK(strlen(q.lu) <= TN_NAME_MAX && strlen(q.device) <= TN_DEVICE_MAX && q.functions < 32);
            for (u32 i = 0; i < t.sub_len && len + 2 < LOG_MAX; i++) log[len++] = TELNET_SUB, log[len++] = t.sub[i];
        } else if (k.kind != TELNET_NOTHING && len + 3 < LOG_MAX) {
            log[len++] = k.kind, log[len++] = k.code, log[len++] = k.option;
        }
        at += used;
    }
    return len;
}

/* Two ends that answer each other from one word on: quiet within a few. */
static void options_settle(const u8 *p, u32 n) {
    struct telnet a, b;
    telnet_init(&a);
    telnet_init(&b);
    for (u32 i = 0; i + 2 < n && i < 300; i += 3) {
        u8 word[3] = {TELNET_IAC, (u8)(TELNET_WILL + p[i] % 4), p[i + 1]}, answer[3];
        enum telnet_change change;
        u32 len = 3, words = 0;
        bool to_a = p[i + 2] & 1, allowed = p[i + 2] & 2;
        while (len) {
            len = telnet_answer(to_a ? &a : &b, word[1], word[2], allowed, answer, &change);
            CHECK(len == 0 || (len == 3 && answer[2] == word[2]));
            memcpy(word, answer, 3);
            to_a = !to_a;
            CHECK(++words <= 4);
        }
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    static u8 whole[LOG_MAX], pieces[LOG_MAX], escaped[16384];
    if (size < 1 || size > 8192) return 0;
    u32 n = (u32)size - 1, a = run(data + 1, n, n ? n : 1, whole), b = run(data + 1, n, data[0] % 16 + 1u, pieces);
    CHECK(a == b && memcmp(whole, pieces, a) == 0);
    options_settle(data + 1, n);
    u32 e = telnet_escape(escaped, sizeof escaped, data + 1, n);
    CHECK(n == 0 || e >= n);
    a = run(escaped, e, 7, whole);
    CHECK(a == 2 * n || 2 * n + 2 >= LOG_MAX);
    for (u32 i = 0; i < a / 2; i++) CHECK(whole[2 * i] == TELNET_DATA && whole[2 * i + 1] == data[1 + i]);
    return 0;
}
