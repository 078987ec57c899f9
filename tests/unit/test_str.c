/* test_str.c - base/str: formats against the C library's own, numbers at their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

#include <cmocka.h>

#define SAME(...)                                                                                            \
    do {                                                                                                     \
        char ours[64], theirs[64];                                                                           \
        int n = snprintf(theirs, sizeof theirs, __VA_ARGS__);                                                \
        assert_int_equal(str_fmt(ours, sizeof ours, __VA_ARGS__), n);                                        \
        assert_string_equal(ours, theirs);                                                                   \
    } while (0)

static void formats_agree_with_printf(void **state) {
    UNUSED(state);
    SAME("plain %% text");
    SAME("%c%c", 'a', 'b');
    SAME("[%s] [%8s] [%-8s] [%.3s] [%-8.3s] [%.*s]", "TCPIP", "TCPIP", "TCPIP", "TCPIP", "TCPIP", 2, "TCPIP");
    SAME("%d %d %d", 0, -1, INT32_MIN);
    SAME("[%5d] [%-5d] [%05d] [%*d]", -42, -42, -42, 7, 42);
    SAME("%u %x %X %08X", 4294967295u, 0xBEEFu, 0xBEEFu, 0x1F00u);
    SAME("%lu %ld %lX", 1234567890ul, -1234567890l, 0xDEADBEEFul);
    SAME("%llu %lld %llX", 18446744073709551615ull, -9223372036854775807ll - 1, 0xFEDCBA9876543210ull);
    SAME("%llu %llu %llu", 4294967296ull, 10000000000ull, 999999999999999999ull);
    SAME("%zu", (size_t)65536);
    SAME("%016llX", 0x1234ull);
}

static void text_is_cut_and_ended(void **state) {
    char out[6] = "xxxxx";
    UNUSED(state);
    for (u32 cap = 1; cap <= 5; cap++) {
        assert_int_equal(str_fmt(out, cap, "%s", "abcdef"), cap - 1);
        assert_int_equal(strlen(out), cap - 1);
        assert_memory_equal(out, "abcdef", cap - 1);
        assert_int_equal(out[5], 0);
    }
    out[0] = 'x';
    assert_int_equal(str_fmt(out, 0, "%s", "abc"), 0);
    assert_int_equal(out[0], 'x');
    assert_int_equal(str_fmt(out, sizeof out, "%p", (void *)0), 5); /* 16 digits, cut */
}

static void numbers_at_their_limits(void **state) {
    static const struct {
        const char *text;
        bool dec_ok;
        u32 dec;
        bool hex_ok;
        u32 hex;
    } rows[] = {
        {"0", true, 0, true, 0},
        {"4294967295", true, UINT32_MAX, false, 0},
        {"4294967296", false, 0, false, 0},
        {"42949672950", false, 0, false, 0},
        {"99999999999999999999", false, 0, false, 0},
        {"12a", false, 0, true, 0x12A},
        {"FFFFFFFF", false, 0, true, UINT32_MAX},
        {"0FFFFFFFF", false, 0, false, 0},
        {"", false, 0, false, 0},
        {"-1", false, 0, false, 0},
        {" 1", false, 0, false, 0},
        {"1 ", false, 0, false, 0},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        u32 v = 77;
        size_t len = strlen(rows[i].text);
        assert_int_equal(str_u32(rows[i].text, len, &v), rows[i].dec_ok);
        assert_int_equal(v, rows[i].dec_ok ? rows[i].dec : 77);
        v = 77;
        assert_int_equal(str_hex_u32(rows[i].text, len, &v), rows[i].hex_ok);
        assert_int_equal(v, rows[i].hex_ok ? rows[i].hex : 77);
    }
}

static void comparing_and_copying(void **state) {
    char out[4];
    UNUSED(state);
    assert_true(str_eq_ci("tcpIP", "TCPip"));
    assert_false(str_eq_ci("TCPIP", "TCPI"));
    assert_false(str_eq_ci("TCPI", "TCPIP"));
    assert_false(str_eq_ci("[", "{")); /* differ by the case bit only */
    assert_int_equal(str_copy(out, sizeof out, "abcdef"), 3);
    assert_string_equal(out, "abc");
    assert_int_equal(str_copy(out, sizeof out, ""), 0);
    assert_string_equal(out, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_agree_with_printf),
        cmocka_unit_test(text_is_cut_and_ended),
        cmocka_unit_test(numbers_at_their_limits),
        cmocka_unit_test(comparing_and_copying),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
