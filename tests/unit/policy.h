/* policy.h - what the tests of the policy readers (CFRM, SFM, ARM) share: rows of what is refused, and the text cut anywhere.
 * A test wraps its reader in a policy_parse, which may also check that what was taken holds together.
 */
#ifndef TESTS_UNIT_POLICY_H
#define TESTS_UNIT_POLICY_H

#include "super/keyread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef bool policy_parse(const char *text, struct keyread_error *e);

struct policy_refused {
    const char *text;
    u32 line;
    const char *token, *expected;
};

static inline void policy_refuses(policy_parse *parse, const struct policy_refused *rows, size_t n) {
    for (const struct policy_refused *row = rows; row < rows + n; row++) {
        struct keyread_error e = {0};
        if (parse(row->text, &e)) fail_msg("taken: %s", row->text);
        if (e.line != row->line || strcmp(e.token, row->token) != 0 || strcmp(e.expected, row->expected) != 0)
            fail_msg("%s: line %u, %s, %s", row->text, e.line, e.token, e.expected);
    }
}

/* Cut anywhere, good is taken or refused with a line that exists. Each cut stands in storage of its own length, so that the
 * address sanitizer sees a reader that looks behind it. */
static inline void policy_truncated(policy_parse *parse, const char *good) {
    size_t len = strlen(good);
    u32 lines = 1;
    for (const char *c = good; *c; c++) lines += *c == '\n';
    for (size_t n = 0; n <= len; n++) {
        char *text = malloc(n + 1);
        struct keyread_error e = {0};
        assert_non_null(text);
        memcpy(text, good, n);
        text[n] = '\0';
        if (!parse(text, &e)) {
            assert_in_range(e.line, 1, lines);
            assert_non_null(e.expected);
        }
        free(text);
    }
}

#endif
