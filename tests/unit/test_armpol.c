/* test_armpol.c - the ARM policy reader: what it takes, what it says of what it does not take, every truncation. */
#include "super/armpol.h"

#include "tests/unit/policy.h"

#define GOOD                                                                                                                         \
    "DATA TYPE(ARM)\nDEFINE POLICY NAME(ARMPOL1) REPLACE(YES)\n"                                                                     \
    " RESTART_ORDER LEVEL(1) ELEMENT_TYPE(SYSTCPIP) ELEMENT_NAME(EZA1,EZA2)\n   LEVEL(4) ELEMENT_NAME(LAST*)\n"                      \
    " RESTART_GROUP(WEB) TARGET_SYSTEM(SYSB,SYSC) RESTART_PACING(2)\n  FREE_CSA(1,2)\n"                                                 \
    "  ELEMENT(HTTPD) RESTART_ATTEMPTS(5,60) RESTART_TIMEOUT(30)\n    READY_TIMEOUT(40)\n"                                                \
    "    RESTART_METHOD(SYSTERM,STC,'S HTTPD,PARM=''PORT=81''')\n    TERMTYPE(ALLTERM)\n"                                                 \
    "  ELEMENT(LOCAL) TERMTYPE(ELEMTERM) RESTART_METHOD(BOTH,PERSIST)\n    RESTART_ATTEMPTS(1)\n"                                         \
    " RESTART_GROUP(DEFAULT) TARGET_SYSTEM(SYSA,*)\n"

static void taken(void **state) {
    struct arm_policy p;
    struct keyread_error e = {0};
    (void)state;
    if (!armpol_parse(GOOD, &p, &e)) fail_msg("line %u %s %s", e.line, e.token, e.expected);
    assert_string_equal(p.name, "ARMPOL1");
    assert_int_equal(p.groups, 2);
    assert_string_equal(p.group[1].name, "WEB");
    assert_int_equal(p.group[1].targets, 2);
    assert_string_equal(p.group[1].target[1], "SYSC");
    assert_int_equal(p.group[1].pacing_s, 2);
    assert_string_equal(p.group[0].target[0], "SYSA");
    assert_string_equal(p.group[0].target[1], "*");
    const struct arm_policy_element *h = arm_policy_for(&p, "HTTPD");
    assert_int_equal(h->group, 1);
    assert_true(h->attempts == 5 && h->attempts_s == 60 && h->restart_timeout_s == 30 && h->ready_timeout_s == 40 && h->all_terms);
    assert_int_equal(h->text_for, ARM_SYSTERM);
    assert_string_equal(h->text, "S HTTPD,PARM='PORT=81'");
    const struct arm_policy_element *l = arm_policy_for(&p, "LOCAL");
    assert_true(!l->all_terms && l->attempts == 1 && l->attempts_s == 300 && !l->text[0]);
    assert_int_equal(arm_policy_level(&p, "EZA2", ""), 1);
    assert_int_equal(arm_policy_level(&p, "X", "SYSTCPIP"), 1);
    assert_int_equal(arm_policy_level(&p, "LASTONE", "SYSTCPIP"), 4);
}

#define P "DEFINE POLICY NAME(P)\n"
static const struct policy_refused refused[] = {
    {"", 1, "END OF MEMBER", "DEFINE POLICY NAME(NAME)"},
    {"RESTART_GROUP(A)", 1, "RESTART_GROUP", "DEFINE POLICY NAME(NAME)"},
    {"RESTART_ORDER", 1, "RESTART_ORDER", "DEFINE POLICY NAME(NAME)"},
    {"DATA TYPE(SFM)", 1, "TYPE", "TYPE(ARM)"},
    {"NAME(X)", 1, "NAME", "DATA OR DEFINE"},
    {"DEFINE POLICY COLOR(X)", 1, "COLOR", "NAME OR REPLACE"},
    {P "WHAT", 2, "WHAT", "RESTART_ORDER OR RESTART_GROUP"},
    {P "RESTART_ORDER ELEMENT_NAME(X)", 2, "ELEMENT_NAME", "LEVEL(N)"},
    {P "RESTART_ORDER LEVEL(65536)", 2, "65536", "A NUMBER FROM 0 TO 65535"},
    {P "RESTART_ORDER COLOR(1)", 2, "COLOR", "LEVEL, ELEMENT_NAME OR ELEMENT_TYPE"},
    {P "ELEMENT(X)", 2, "ELEMENT", "RESTART_GROUP(NAME)"},
    {P "RESTART_GROUP(A) COLOR(X)", 2, "COLOR", "TARGET_SYSTEM, RESTART_PACING OR ELEMENT"},
    {P "RESTART_GROUP(A) TARGET_SYSTEM(1,2,3,4,5,6,7,8,9)", 2, "TARGET_SYSTEM", "AT MOST 8 SYSTEMS"},
    {P "RESTART_GROUP(A) ELEMENT(X) ELEMENT(X)", 2, "X", "EACH ELEMENT ONCE"},
    {P "RESTART_GROUP(A) ELEMENT(X) COLOR(X)", 2, "COLOR", "AN OPTION OF ELEMENT"},
    {P "RESTART_GROUP(A) ELEMENT(X) RESTART_ATTEMPTS(17)", 2, "17", "A NUMBER FROM 0 TO 16"},
    {P "RESTART_GROUP(A) ELEMENT(X) RESTART_ATTEMPTS(1,0)", 2, "0", "A NUMBER FROM 1 TO 86400"},
    {P "RESTART_GROUP(A) ELEMENT(X) RESTART_ATTEMPTS(1,2,3)", 2, "RESTART_ATTEMPTS", "A NUMBER AND SECONDS"},
    {P "RESTART_GROUP(A) ELEMENT(X) TERMTYPE(WHAT)", 2, "WHAT", "ALLTERM OR ELEMTERM"},
    {P "RESTART_GROUP(A) ELEMENT(X) RESTART_METHOD(WHAT,PERSIST)", 2, "WHAT", "ELEMTERM, SYSTERM OR BOTH, AND HOW"},
    {P "RESTART_GROUP(A) ELEMENT(X) RESTART_METHOD(BOTH,STC)", 2, "STC", "PERSIST OR STC,'COMMAND'"},
    {P "RESTART_GROUP(A) ELEMENT(X) RESTART_METHOD(BOTH,STC,'S X)", 2, "'", "A CLOSING APOSTROPHE"},
    {P "RESTART_GROUP(A) ELEMENT(X) RESTART_TIMEOUT(0)", 2, "0", "A NUMBER FROM 1 TO 86400"},
};

static bool parse(const char *text, struct keyread_error *e) {
    struct arm_policy p;
    return armpol_parse(text, &p, e);
}

static void refused_rows(void **state) {
    UNUSED(state);
    policy_refuses(parse, refused, ARRAY_LEN(refused));
}

static void truncated(void **state) {
    UNUSED(state);
    policy_truncated(parse, GOOD);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(taken), cmocka_unit_test(refused_rows), cmocka_unit_test(truncated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
