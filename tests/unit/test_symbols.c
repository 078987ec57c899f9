/* test_symbols.c - system symbols: every rule of super/symbols.h as a row, LOADxx-independent. */
#include "super/symbols.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void table(struct symbols *s) {
    const struct symbol *bad;
    symbols_init(s);
    symbols_set_system(s, "SYSNAME", "MVS165");
    symbols_set_system(s, "SYSCLONE", "&SYSNAME(-2:2)");
    symbols_set_system(s, "SYSPLEX", "PLEX1");
    symbols_set_system(s, "SYSR1", "PLXRES");
    symbols_set_system(s, "SYSALVL", "1");
    assert_int_equal(symbols_define(s, "XCFH", "3", 1), SYMERR_NONE);
    assert_int_equal(symbols_define(s, "HLQ", "TCP", 2), SYMERR_NONE);
    assert_int_equal(symbols_define(s, "EMPTY", "", 3), SYMERR_NONE);
    assert_int_equal(symbols_define(s, "@N#$9", "AT", 4), SYMERR_NONE);
    assert_int_equal(symbols_define(s, "NEST", "&HLQ.", 5), SYMERR_NONE);
    assert_int_equal(symbols_settle(s, &bad), SYMERR_NONE);
}

static const struct {
    const char *in, *out;
} rows[] = {
    {"", ""},
    {"plain text", "plain text"},
    {"&SYSNAME", "MVS165"},
    {"&SYSNAME.", "MVS165"},
    {"&SYSNAME..", "MVS165."},
    {"TCP.&SYSNAME..PROFILE", "TCP.MVS165.PROFILE"},
    {"TCP.&SYSNAME.PROFILE", "TCP.MVS165PROFILE"},
    {"&SYSCLONE.", "65"},
    {"&SYSCLONEX", "&SYSCLONEX"},       /* longest name, never retried */
    {"&SYSCLONE.X", "65X"},
    {"&SYSCLONE-X", "65-X"},
    {"(&SYSPLEX)", "(PLEX1)"},
    {"&SYSR1/&SYSALVL", "PLXRES/1"},
    {"193.9.200.&XCFH.", "193.9.200.3"},
    {"10.1.9.&XCFH.3", "10.1.9.33"},
    {"&EMPTY.", ""},
    {"a&EMPTY.b", "ab"},
    {"&@N#$9.", "AT"},
    {"&NEST.", "TCP"},
    {"&SYSNAME(1:3)", "MVS"},
    {"&SYSNAME(1:3).", "MVS"},
    {"&SYSNAME(1:3)..X", "MVS.X"},
    {"&SYSNAME(4:3)", "165"},
    {"&SYSNAME(-2:2).", "65"},
    {"&SYSNAME(-2:1).", "6"},
    {"&SYSNAME(6:1)", "5"},
    {"&SYSNAME(-6:6)", "MVS165"},
    /* outside the text: as it is */
    {"&SYSNAME(7:1)", "&SYSNAME(7:1)"},
    {"&SYSNAME(6:2)", "&SYSNAME(6:2)"},
    {"&SYSNAME(-7:1)", "&SYSNAME(-7:1)"},
    {"&SYSNAME(0:1)", "&SYSNAME(0:1)"},
    {"&SYSNAME(1:0)", "&SYSNAME(1:0)"},
    {"&SYSNAME(-1:2).", "&SYSNAME(-1:2)."},
    /* not a substring at all: text after the symbol */
    {"&HLQ(MEMBER)", "TCP(MEMBER)"},
    {"&HLQ(1)", "TCP(1)"},
    {"&HLQ(1:)", "TCP(1:)"},
    {"&HLQ(:2)", "TCP(:2)"},
    {"&HLQ(1:2", "TCP(1:2"},
    {"&HLQ(", "TCP("},
    {"&HLQ(-:2)", "TCP(-:2)"},
    {"&HLQ(1:2000)", "TCP(1:2000)"},
    /* unknown, malformed */
    {"&UNKNOWN.", "&UNKNOWN."},
    {"&UNKNOWN", "&UNKNOWN"},
    {"&UNKNOWN(1:2).X", "&UNKNOWN(1:2).X"},
    {"&", "&"},
    {"&&", "&&"},
    {"&&HLQ.", "&TCP"},
    {"& HLQ", "& HLQ"},
    {"&1HLQ", "&1HLQ"},
    {"&.", "&."},
    {"&TOOLONGNAME.", "&TOOLONGNAME."},
    {"&SYSNAMEXY&HLQ.", "&SYSNAMEXYTCP"},
    {"&sysname.", "&sysname."}, /* lower case only in operator commands */
    {"&HLQ.&HLQ.&HLQ.", "TCPTCPTCP"},
    {"&HLQ&HLQ&HLQ", "TCPTCPTCP"},
    /* dynamic symbols: 2000-10-23 15:37:51 UTC, a Monday; local time one hour east */
    {"&YYMMDD.", "001023"},
    {"&YR4&MON&DAY", "20001023"},
    {"&YR2.", "00"},
    {"&HHMMSS", "153751"},
    {"&HR.&MIN.&SEC.", "153751"},
    {"&JDAY", "297"},
    {"&WDAY", "MON"},
    {"&LHR", "16"},
    {"&LHHMMSS", "163751"},
    {"&LYYMMDD.", "001023"},
    {"&JOBNAME", "TCPIP"},
    {"&HR(2:1)", "5"},
    {"&SEQ.", "&SEQ."}, /* means something only in names of dumps */
    {"&LJOBNAME", "&LJOBNAME"},
};

static void test_resolve(void **state) {
    struct symbols s;
    const struct moment when = {.utc_seconds = 972315471u, .local_offset_seconds = 3600, .jobname = "TCPIP"};
    (void)state;
    table(&s);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[SYMBOL_LINE_MAX + 1];
        u32 len = (u32)strlen(rows[i].in);
        u32 n = symbols_resolve(&s, &when, false, rows[i].in, len, out, sizeof out);
        if (strcmp(out, rows[i].out) != 0) fail_msg("%s: got %s, not %s", rows[i].in, out, rows[i].out);
        assert_int_equal(n, strlen(out));
        assert_true(n <= len); /* substitution never lengthens */
    }
}

/* At every length a cut reference neither reads past the end nor grows. */
static void test_truncation(void **state) {
    struct symbols s;
    static const char text[] = "TCP.&SYSNAME(-2:2)..&HLQ.&UNKNOWN(1:2).";
    (void)state;
    table(&s);
    for (u32 len = 0; len < sizeof text; len++) {
        char in[sizeof text], out[SYMBOL_LINE_MAX + 1];
        memcpy(in, text, len);
        if (len < sizeof text - 1) memset(in + len, '&', sizeof in - len); /* what lies behind must not matter */
        u32 n = symbols_resolve(&s, NULL, false, in, len, out, sizeof out);
        assert_true(n <= len);
    }
}

static void test_fold_and_no_moment(void **state) {
    struct symbols s;
    char out[32];
    (void)state;
    table(&s);
    symbols_resolve(&s, NULL, true, "&sysname.", 9, out, sizeof out);
    assert_string_equal(out, "MVS165");
    symbols_resolve(&s, NULL, false, "&HR.", 4, out, sizeof out);
    assert_string_equal(out, "&HR.");
}

static void test_define(void **state) {
    static const struct {
        const char *name, *text;
        enum symbol_error error;
    } bad[] = {
        {"", "X", SYMERR_NAME_LEN},
        {"NINECHARS", "X", SYMERR_NAME_LEN},
        {"1ABC", "X", SYMERR_NAME},
        {"A-B", "X", SYMERR_NAME},
        {"abc", "X", SYMERR_NAME},
        {"SYSNAME", "X", SYMERR_RESERVED},
        {"SYSCLONE", "X", SYMERR_RESERVED},
        {"YYMMDD", "X", SYMERR_RESERVED},
        {"LHHMMSS", "X", SYMERR_RESERVED},
        {"JOBNAME", "X", SYMERR_RESERVED},
        {"ABC", "123456789012345678901234567890123456789012345", SYMERR_TEXT_LEN},
        {"GOOD", "TEXT", SYMERR_NONE},
        {"GOOD", "TXT2", SYMERR_NONE}, /* the last definition wins */
    };
    struct symbols s;
    (void)state;
    symbols_init(&s);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(symbols_define(&s, bad[i].name, bad[i].text, 1), bad[i].error);
    assert_string_equal(symbols_find(&s, "GOOD", 4), "TXT2");
    assert_null(symbols_find(&s, "GOO", 3));
}

static void test_too_many(void **state) {
    struct symbols s;
    char name[9];
    u32 n = 0;
    (void)state;
    symbols_init(&s);
    enum symbol_error e = SYMERR_NONE;
    while (e == SYMERR_NONE) {
        snprintf(name, sizeof name, "S%u", n);
        e = symbols_define(&s, name, "X", n);
        n += e == SYMERR_NONE;
    }
    assert_int_equal(e, SYMERR_TOO_MANY);
    assert_int_equal(s.count, SYMBOLS_MAX);
    assert_true(n >= 99); /* what OS/390 promises */
    assert_int_equal(symbols_define(&s, "S0", "Y", 1), SYMERR_NONE); /* a known one may still change */
}

static const struct {
    const char *name1, *text1, *name2, *text2;
    enum symbol_error error;
    const char *bad;
} settles[] = {
    {"ABC", "1234", "X", "Y", SYMERR_NONE, NULL},         /* 4 = length of &ABC */
    {"ABC", "12345", "X", "Y", SYMERR_TEXT_LEN, "ABC"},   /* one more */
    {"ABC", "&LONGER.", "LONGER", "1234567", SYMERR_TEXT_LEN, "ABC"},
    {"ABC", "&LONGER(1:4)", "LONGER", "1234567", SYMERR_NONE, NULL},
    {"ABC", "&LATER.", "LATER", "1", SYMERR_NONE, NULL},  /* defined after its use */
    {"A", "&A", "B", "X", SYMERR_NONE, NULL},             /* itself: stays as it is */
    {"ABC", "&ABC.&ABC.", "B", "X", SYMERR_TEXT_LEN, "ABC"}, /* grows for ever: stopped */
};

static void test_settle(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof settles / sizeof settles[0]; i++) {
        struct symbols s;
        const struct symbol *bad;
        symbols_init(&s);
        assert_int_equal(symbols_define(&s, settles[i].name1, settles[i].text1, 1), SYMERR_NONE);
        assert_int_equal(symbols_define(&s, settles[i].name2, settles[i].text2, 2), SYMERR_NONE);
        assert_int_equal(symbols_settle(&s, &bad), settles[i].error);
        if (settles[i].bad)
            assert_string_equal(bad->name, settles[i].bad);
        else
            assert_null(bad);
    }
}

/* A substring of a text whose own symbols come later waits for them. */
static void test_settle_substring_of_nested(void **state) {
    struct symbols s;
    const struct symbol *bad;
    (void)state;
    symbols_init(&s);
    symbols_set_system(&s, "SYSNAME", "&PFX.0A");
    symbols_set_system(&s, "SYSCLONE", "&SYSNAME(-2:2)");
    assert_int_equal(symbols_define(&s, "PFX", "&Q.", 1), SYMERR_NONE);
    assert_int_equal(symbols_define(&s, "Q", "SY", 1), SYMERR_NONE);
    assert_int_equal(symbols_settle(&s, &bad), SYMERR_NONE);
    assert_string_equal(symbols_find(&s, "SYSNAME", 7), "SY0A");
    assert_string_equal(symbols_find(&s, "SYSCLONE", 8), "0A");
}

static void test_sysclone_two(void **state) {
    struct symbols s;
    const struct symbol *bad;
    (void)state;
    symbols_init(&s);
    symbols_set_system(&s, "SYSCLONE", "ABC");
    assert_int_equal(symbols_settle(&s, &bad), SYMERR_TEXT_LEN);
    assert_string_equal(bad->name, "SYSCLONE");
}

static void test_calendar(void **state) {
    static const struct {
        u32 seconds;
        u16 year;
        u8 month, day;
        u16 yday;
        u8 wday, hour, minute, second;
    } days[] = {
        {0, 1970, 1, 1, 1, 4, 0, 0, 0},
        {86399, 1970, 1, 1, 1, 4, 23, 59, 59},
        {951782400u, 2000, 2, 29, 60, 2, 0, 0, 0},
        {951868800u, 2000, 3, 1, 61, 3, 0, 0, 0},
        {978220800u, 2000, 12, 31, 366, 0, 0, 0, 0},
        {1072915200u, 2004, 1, 1, 1, 4, 0, 0, 0},
        {1798761599u, 2026, 12, 31, 365, 4, 23, 59, 59},
        {4107542400u, 2100, 3, 1, 60, 1, 0, 0, 0}, /* 2100 is no leap year */
        {0xFFFFFFFFu, 2106, 2, 7, 38, 0, 6, 28, 15},
    };
    (void)state;
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        struct calendar c;
        calendar_of(days[i].seconds, &c);
        assert_int_equal(c.year, days[i].year);
        assert_int_equal(c.month, days[i].month);
        assert_int_equal(c.day, days[i].day);
        assert_int_equal(c.yday, days[i].yday);
        assert_int_equal(c.wday, days[i].wday);
        assert_int_equal(c.hour, days[i].hour);
        assert_int_equal(c.minute, days[i].minute);
        assert_int_equal(c.second, days[i].second);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolve),        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_fold_and_no_moment), cmocka_unit_test(test_define),
        cmocka_unit_test(test_too_many),       cmocka_unit_test(test_settle),
        cmocka_unit_test(test_settle_substring_of_nested), cmocka_unit_test(test_sysclone_two),
        cmocka_unit_test(test_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
