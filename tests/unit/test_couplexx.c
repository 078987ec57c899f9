/* test_couplexx.c - COUPLExx: a member with everything, what is taken from where, and each way to be wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "super/couplexx.h"

#include <cmocka.h>

static const char member[] =
    "COUPLE SYSPLEX(PLEX1) /* ours */ PCOUPLE(CF01,XCFVOL) ACOUPLE(CF02)\n"
    "       INTERVAL(5) OPNOTIFY(+7) CLEANUP(10) MAXMSG(1000) RETRY(20)                  00000200\n"
    "CLASSDEF CLASS(BIG) CLASSLEN(16316) GROUP(EZBTCPCS,SYSGRS) MAXMSG(500)\n"
    "CLASSDEF CLASS(SMALL) GROUP(UNDESIG)\n"
    "pathin  device(0c40,\n"
    "               0C41) RETRY(5)\n"
    "PATHOUT DEVICE(D40) CLASS(BIG) MAXMSG(800)\n"
    "PATHOUT STRNAME(IXCSTR1)  PATHIN STRNAME(IXCSTR1)\n"
    "LOCALMSG MAXMSG(64) CLASS(DEFAULT)\n"
    "DATA TYPE(CFRM) PCOUPLE(CFRM.CDS)\n";

static void everything(void **state) {
    struct couple c;
    struct keyread_error e = {0};
    UNUSED(state);
    assert_true(couplexx_parse(member, &c, &e));
    assert_string_equal(c.sysplex, "PLEX1");
    assert_string_equal(c.pcouple, "CF01");
    assert_string_equal(c.acouple, "CF02");
    assert_int_equal(c.interval_s, 5);
    assert_int_equal(couple_opnotify_s(&c), 12);
    assert_int_equal(c.classes, 3);
    assert_int_equal(c.class_def[0].maxmsg_kb, 1000);
    assert_int_equal(c.class_def[1].maxmsg_kb, 500);
    assert_int_equal(c.class_def[1].classlen_bytes, 16316);
    assert_int_equal(c.class_def[2].classlen_bytes, 956);
    assert_int_equal(couple_class_for(&c, "SYSGRS", 10), 1);
    assert_int_equal(c.paths, 5);
    assert_string_equal(c.path[0].name, "0C40");
    assert_string_equal(c.path[1].name, "0C41");
    assert_int_equal(c.path[1].retry, 5);
    assert_false(c.path[1].outbound);
    assert_string_equal(c.path[2].name, "0D40");
    assert_true(c.path[2].outbound);
    assert_int_equal(c.path[2].class_index, 1);
    assert_int_equal(c.path[2].retry, 20);
    assert_int_equal(c.path[2].maxmsg_kb, 800);
    assert_true(c.path[3].structure && c.path[3].outbound);
    assert_true(c.path[4].structure && !c.path[4].outbound);
    assert_int_equal(c.localmsg_kb, 64);
}

static void empty(void **state) {
    struct couple c;
    struct keyread_error e = {0};
    UNUSED(state);
    assert_true(couplexx_parse("", &c, &e));
    assert_string_equal(c.sysplex, "LOCAL");
    assert_string_equal(c.pcouple, ""); /* XCF-LOCAL */
    assert_int_equal(c.paths, 0);
}

static const struct wrong {
    const char *text;
    u32 line;
    const char *token;
} wrongs[] = {
    {"COUPLE SYSPLEX(TOOLONGNAME)", 1, "TOOLONGNAME"},
    {"COUPLE\n  INTERVAL(2)\n", 3, "INTERVAL"},
    {"COUPLE INTERVAL(X)", 1, "X"},
    {"COUPLE INTERVAL(5,6)", 1, "INTERVAL"},
    {"COUPLE INTERVAL()", 1, "INTERVAL"},
    {"COUPLE INTERVAL(5", 1, "END OF MEMBER"},
    {"COUPLE OPNOTIFY(+)", 1, "+"},
    {"COUPLE NONSENSE(1)", 1, "NONSENSE"},
    {"NONSENSE", 1, "NONSENSE"},
    {"SYSPLEX(A)", 1, "SYSPLEX"},
    {"/* open", 1, "/*"},
    {"PATHIN RETRY(5) DEVICE(1)", 1, "RETRY"},
    {"PATHIN DEVICE(12345)", 1, "12345"},
    {"PATHIN DEVICE(1) CLASS(DEFAULT)", 1, "CLASS"},
    {"PATHIN DEVICE(1) RETRY(0)", 1, "0"},
    {"PATHIN DEVICE(1) RETRY(2)", 1, "RETRY"},
    {"PATHOUT STRNAME(ABCSTR)", 1, "ABCSTR"},
    {"PATHOUT DEVICE(1)\nCLASS(NONE)", 2, "NONE"},
    {"CLASSDEF MAXMSG(5)", 1, "MAXMSG"},
};

static void wrong_ones(void **state) {
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(wrongs); i++) {
        struct couple c;
        struct keyread_error e = {0};
        if (couplexx_parse(wrongs[i].text, &c, &e)) fail_msg("accepted: %s", wrongs[i].text);
        assert_string_equal(e.token, wrongs[i].token);
        assert_int_equal(e.line, wrongs[i].line);
        assert_non_null(e.expected);
    }
}

/* Every prefix of the member ends in an answer. */
static void every_prefix(void **state) {
    UNUSED(state);
    for (size_t n = 0; n < sizeof member; n++) {
        struct couple c;
        struct keyread_error e = {0};
        char *text = malloc(n + 1);
        memcpy(text, member, n);
        text[n] = '\0';
        if (!couplexx_parse(text, &c, &e)) assert_non_null(e.expected);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything),
        cmocka_unit_test(empty),
        cmocka_unit_test(wrong_ones),
        cmocka_unit_test(every_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
