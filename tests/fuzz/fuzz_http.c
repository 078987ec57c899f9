/* fuzz_http.c - the reader of HTTP requests: any bytes in any pieces. Input: 1 piece size | bytes.
 *
 * Checked: whole and in pieces the same bytes give the same request; what was taken never exceeds what was given; names
 * are names; the reference finder stays within its text.
 */
#include "apps/http_text.h"
#include "base/str.h"

#include <stdlib.h>

static u32 feed(struct http_request *r, const u8 *p, u32 n, u32 piece, bool *complete) {
    u32 at = 0;
    http_request_begin(r);
    *complete = false;
    while (at < n && !*complete) {
        u32 part = u32_min(piece, n - at), used = http_request_feed(r, p + at, part, complete);
        CHECK(used <= part && (*complete || used == part));
        at += used;
    }
    return at;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    struct http_request a, b;
    bool whole, pieces;
    if (size < 1 || size > 8192) return 0;
    u32 n = (u32)size - 1, piece = data[0] % 16 + 1u;
    u32 used_a = feed(&a, data + 1, n, n ? n : 1, &whole), used_b = feed(&b, data + 1, n, piece, &pieces);
    CHECK(whole == pieces);
    /* Of two errors in one line (too long, and a NUL) the pieces decide which is seen first; never whether. */
    CHECK((a.error == 0) == (b.error == 0) || !whole);
    /* An endless line is noticed when its piece is in, so only after an error may the two differ in what they took. */
    CHECK(used_a == used_b || a.error);
    if (whole && !a.error) {
        CHECK(a.method == b.method && a.length == b.length && a.keep_alive == b.keep_alive && strcmp(a.name, b.name) == 0);
        CHECK(strlen(a.name) <= HTTP_NAME_MAX && a.line_len < HTTP_LINE_MAX);
    }
    char *text = malloc(n + 1u), name[HTTP_NAME_MAX + 1];
    u32 at = 0;
    memcpy(text, data + 1, n);
    text[n] = 0;
    while (http_next_reference(text, n, &at, name)) CHECK(at <= n && strlen(name) > 0 && strlen(name) <= HTTP_NAME_MAX);
    free(text);
    return 0;
}
