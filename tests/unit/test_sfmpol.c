/* test_sfmpol.c - the SFM policy reader: what it takes, what it says of what it does not take, every truncation. */
#include "super/sfmpol.h"

#include "tests/unit/policy.h"

#define GOOD                                                                                                 \
    "DATA TYPE(SFM) /* as for IXCMIAPU */\n"                                                                 \
    "DEFINE POLICY NAME(POL1) CONNFAIL(YES) REPLACE(YES)\n"                                                  \
    "  SYSTEM NAME(*) ISOLATETIME(10)\n"                                                                     \
    "  system name(sysa) prompt weight(25)\n"                                                                \
    "  SYSTEM NAME(SYSB) WEIGHT(9999) DEACTTIME(0)\n"

static void taken(void **state) {
    struct couple_sfm sfm;
    struct keyread_error e = {0};
    struct couple c;
    char name[9];
    (void)state;
    if (!sfmpol_parse(GOOD, &sfm, name, &e)) fail_msg("line %u %s %s", e.line, e.token, e.expected);
    assert_string_equal(name, "POL1");
    assert_true(sfm.active && sfm.connfail);
    assert_int_equal(sfm.systems, 3);
    couple_default(&c);
    c.sfm = sfm;
    assert_null(couple_wrong(&c));
    assert_true(couple_sfm_for(&c, "SYSA")->prompt);
    assert_int_equal(couple_sfm_for(&c, "SYSA")->weight, 25);
    assert_int_equal(couple_sfm_for(&c, "SYSB")->weight, 9999);
    assert_false(couple_sfm_for(&c, "SYSB")->prompt);
    assert_int_equal(couple_sfm_for(&c, "OTHER")->isolate_s, 10);
    assert_int_equal(couple_sfm_for(&c, "OTHER")->weight, 1);
}

static const struct policy_refused refused[] = {
    {"", 1, "END OF MEMBER", "DEFINE POLICY NAME(NAME)"},
    {"SYSTEM NAME(*)", 1, "SYSTEM", "DEFINE POLICY NAME(NAME)"},
    {"NAME(X)", 1, "NAME", "DATA OR DEFINE"},
    {"DATA TYPE(CFRM)", 1, "TYPE", "TYPE(SFM)"},
    {"DEFINE POLICY NAME(NINECHARS)", 1, "NINECHARS", "A NAME OF 1-8"},
    {"DEFINE POLICY NAME(P) CONNFAIL(MAYBE)", 1, "MAYBE", "YES OR NO"},
    {"DEFINE POLICY NAME(P) COLOR(RED)", 1, "COLOR", "NAME, CONNFAIL OR REPLACE"},
    {"DEFINE POLICY NAME(P)\nWHAT", 2, "WHAT", "SYSTEM"},
    {"DEFINE POLICY NAME(P)\nDEFINE POLICY NAME(Q)", 2, "DEFINE", "SYSTEM"},
    {"DEFINE POLICY NAME(P)\nSYSTEM", 2, "SYSTEM", "NAME(SYSTEM)"},
    {"DEFINE POLICY NAME(P)\nSYSTEM\nSYSTEM NAME(A)", 3, "SYSTEM", "NAME(SYSTEM)"},
    {"DEFINE POLICY NAME(P)\nSYSTEM WEIGHT(1)", 2, "WEIGHT", "NAME(SYSTEM)"},
    {"DEFINE POLICY NAME(P)\nSYSTEM NAME(A) NAME(B)", 2, "NAME", "ONE NAME"},
    {"DEFINE POLICY NAME(P)\nSYSTEM NAME(A) SYSTEM NAME(A)", 2, "A", "EACH SYSTEM ONCE"},
    {"DEFINE POLICY NAME(P)\nSYSTEM NAME(A) WEIGHT(0)", 2, "0", "A NUMBER FROM 1 TO 9999"},
    {"DEFINE POLICY NAME(P)\nSYSTEM NAME(A) WEIGHT(10000)", 2, "10000", "A NUMBER FROM 1 TO 9999"},
    {"DEFINE POLICY NAME(P)\nSYSTEM NAME(A) ISOLATETIME(86401)", 2, "86401", "A NUMBER FROM 0 TO 86400"},
    {"DEFINE POLICY NAME(P)\nSYSTEM NAME(A) ISOLATETIME(X)", 2, "X", "A NUMBER"},
    {"DEFINE POLICY NAME(P)\nSYSTEM NAME(A) PROMPT ISOLATETIME(1)", 2, "ISOLATETIME", "ONE ACTION"},
    {"DEFINE POLICY NAME(P)\nSYSTEM NAME(A) ISOLATETIME(1) PROMPT", 2, "PROMPT", "ONE ACTION"},
    {"DEFINE POLICY NAME(P)\nSYSTEM NAME(A) COLOR(RED)", 2, "COLOR", "ISOLATETIME, PROMPT OR WEIGHT"},
    {"DEFINE POLICY NAME(P)\nSYSTEM NAME(A,B)", 2, "NAME", "ONE VALUE"},
    {"/* no end", 1, "/*", "THE END OF THE COMMENT"},
};

static bool parse(const char *text, struct keyread_error *e) {
    struct couple_sfm sfm;
    char name[9];
    return sfmpol_parse(text, &sfm, name, e);
}

static void refused_rows(void **state) {
    UNUSED(state);
    policy_refuses(parse, refused, ARRAY_LEN(refused));
}

static void too_many(void **state) {
    static char text[4096];
    struct couple_sfm sfm;
    struct keyread_error e = {0};
    char name[9];
    size_t n = strlen(strcpy(text, "DEFINE POLICY NAME(P)\n"));
    (void)state;
    for (char a = 'A'; a <= 'Z'; a++)
        for (char b = '0'; b < '2' && n < 4000; b++) {
            const char row[] = {'S', 'Y', 'S', 'T', 'E', 'M', ' ', 'N', 'A', 'M', 'E', '(', a, b, ')', '\n'};
            memcpy(text + n, row, sizeof row);
            n += sizeof row;
            text[n] = '\0';
        }
    assert_false(sfmpol_parse(text, &sfm, name, &e));
    assert_string_equal(e.expected, "AT MOST 32 SYSTEMS");
}

static void truncated(void **state) {
    UNUSED(state);
    policy_truncated(parse, GOOD);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(taken), cmocka_unit_test(refused_rows), cmocka_unit_test(too_many),
                                       cmocka_unit_test(truncated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
