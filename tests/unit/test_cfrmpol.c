/* test_cfrmpol.c - the CFRM policy reader: what it takes, what it says of what it does not take, every truncation. */
#include "super/cfrmpol.h"

#include <stdio.h>

#include "tests/unit/policy.h"

#define GOOD                                                          \
    "DATA TYPE(CFRM) REPORT(YES)\n"                                   \
    "DEFINE POLICY NAME(POL1) REPLACE(YES)\n"                         \
    "  CF NAME(CF01) TYPE(009672) MFG(IBM) PLANT(02)\n"               \
    "     SEQUENCE(000000040104) PARTITION(1) CPCID(00)\n"            \
    "     DUMPSPACE(2048)\n"                                          \
    "  cf name(cf02)\n"                                               \
    "  STRUCTURE NAME(IXC_DEFAULT_1) SIZE(1000) INITSIZE(500)\n"      \
    "            PREFLIST(CF02,CF01) REBUILDPERCENT(5)\n"             \
    "            EXCLLIST(IXC_DEFAULT_2)\n"                           \
    "  STRUCTURE NAME(IXC_DEFAULT_2) SIZE(4) PREFLIST(CF01)\n"

static void taken(void **state) {
    struct cfrm_policy p;
    struct keyread_error e = {0};
    (void)state;
    if (!cfrmpol_parse(GOOD, &p, &e)) fail_msg("line %u %s %s", e.line, e.token, e.expected);
    assert_null(cfrm_policy_wrong(&p));
    assert_string_equal(p.name, "POL1");
    assert_int_equal(p.rows, 2);
    assert_string_equal(p.row[0].name, "IXC_DEFAULT_1");
    assert_int_equal(p.row[0].size_kb, 1000);
    assert_int_equal(p.row[0].init_kb, 500);
    assert_int_equal(p.row[0].rebuild_percent, 5);
    assert_int_equal(p.row[0].preferences, 2);
    assert_string_equal(p.row[0].preference[0], "CF02");
    assert_string_equal(p.row[0].preference[1], "CF01");
    assert_int_equal(p.row[1].init_kb, 0);
    assert_int_equal(p.row[1].rebuild_percent, 1);
}

#define HEAD "DEFINE POLICY NAME(P)\nCF NAME(A)\n"
static const struct policy_refused refused[] = {
    {"", 1, "END OF MEMBER", "DEFINE POLICY NAME(NAME)"},
    {"CF NAME(A)", 1, "CF", "DEFINE POLICY NAME(NAME)"},
    {"NAME(X)", 1, "NAME", "DATA OR DEFINE"},
    {"DATA TYPE(SFM)", 1, "SFM", "TYPE(CFRM)"},
    {"DATA COLOR(RED)", 1, "COLOR", "TYPE(CFRM)"},
    {"DEFINE POLICY NAME(NINECHARS)", 1, "NINECHARS", "A NAME OF 1-8"},
    {"DEFINE POLICY NAME(P) COLOR(RED)", 1, "COLOR", "NAME OR REPLACE"},
    {"DEFINE POLICY NAME(P)\nWHAT", 2, "WHAT", "CF OR STRUCTURE"},
    {"DEFINE POLICY NAME(P)\nCF\nCF NAME(A)", 2, "CF", "NAME(FACILITY)"},
    {"DEFINE POLICY NAME(P)\nCF TYPE(1)", 2, "TYPE", "NAME(FACILITY)"},
    {"DEFINE POLICY NAME(P)\nCF NAME(A) COLOR(RED)", 2, "COLOR", "ONE NAME, AND WHAT IDENTIFIES THE FACILITY"},
    {HEAD "CF NAME(A)", 3, "A", "EACH FACILITY ONCE"},
    {HEAD "STRUCTURE", 3, "STRUCTURE", "NAME(STRUCTURE)"},
    {HEAD "STRUCTURE SIZE(4)", 3, "SIZE", "NAME(STRUCTURE)"},
    {HEAD "STRUCTURE NAME(S) PREFLIST(A)", 3, "S", "SIZE(KB)"},
    {HEAD "STRUCTURE NAME(S) SIZE(4)", 3, "S", "PREFLIST(FACILITY,...)"},
    {HEAD "STRUCTURE NAME(S) SIZE(4) INITSIZE(5) PREFLIST(A)", 3, "S", "INITSIZE UP TO SIZE"},
    {HEAD "STRUCTURE NAME(S) SIZE(3)", 3, "3", "A NUMBER FROM 4 TO 1048576"},
    {HEAD "STRUCTURE NAME(S) SIZE(4) PREFLIST(B)", 3, "B", "A CF OF THIS POLICY"},
    {HEAD "STRUCTURE NAME(S) SIZE(4) PREFLIST(A) PREFLIST(A)", 3, "PREFLIST", "ONE LIST OF UP TO 8 FACILITIES"},
    {HEAD "STRUCTURE NAME(S) SIZE(4) PREFLIST(A)\nSTRUCTURE NAME(S)", 4, "S", "EACH STRUCTURE ONCE"},
    {HEAD "STRUCTURE NAME(S) NAME(T)", 3, "NAME", "ONE NAME"},
    {HEAD "STRUCTURE NAME(SEVENTEEN_CHARS__)", 3, "SEVENTEEN_CHARS__", "A NAME OF 1-16"},
    {HEAD "STRUCTURE NAME(S) REBUILDPERCENT(101)", 3, "101", "A NUMBER FROM 0 TO 100"},
    {HEAD "STRUCTURE NAME(S) DUPLEX(YES)", 3, "YES", "ENABLED, ALLOWED OR DISABLED"},
    {HEAD "STRUCTURE NAME(S) COLOR(RED)", 3, "COLOR", "SIZE, INITSIZE, PREFLIST OR REBUILDPERCENT"},
};

static bool parse(const char *text, struct keyread_error *e) {
    struct cfrm_policy p;
    if (!cfrmpol_parse(text, &p, e)) return false;
    assert_null(cfrm_policy_wrong(&p)); /* what is taken holds together */
    return true;
}

static void not_taken(void **state) {
    UNUSED(state);
    policy_refuses(parse, refused, ARRAY_LEN(refused));
}

static void truncated(void **state) {
    UNUSED(state);
    policy_truncated(parse, GOOD);
}

static void too_many(void **state) {
    static char text[CFRM_ROWS_MAX * 64 + 256] = HEAD;
    static struct cfrm_policy p;
    struct keyread_error e = {0};
    (void)state;
    char *at = text + strlen(HEAD);
    for (u32 i = 0; i < CFRM_ROWS_MAX; i++) at += sprintf(at, "STRUCTURE NAME(S%u) SIZE(8) PREFLIST(A)\n", i);
    assert_true(cfrmpol_parse(text, &p, &e));
    assert_int_equal(p.rows, CFRM_ROWS_MAX);
    strcpy(at, "STRUCTURE NAME(LAST) SIZE(8) PREFLIST(A)\n");
    assert_false(cfrmpol_parse(text, &p, &e));
    assert_string_equal(e.expected, "AT MOST 128 STRUCTURES");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(taken), cmocka_unit_test(not_taken), cmocka_unit_test(truncated),
                                       cmocka_unit_test(too_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
