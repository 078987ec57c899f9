/* test_cksum.c - the Internet checksum, addresses and headers: RFC vectors, a naive sum, every length and
 * alignment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "wire/cksum.h"
#include "wire/ip4.h"

#include <cmocka.h>

/* The sum as RFC 1071 defines it, one word at a time. */
static u16 naive(const u8 *p, u32 len) {
    u32 sum = 0;
    for (u32 i = 0; i < len; i += 2) {
        sum += (u32)p[i] << 8 | (i + 1 < len ? p[i + 1] : 0u);
        if (sum > 0xFFFF) sum -= 0xFFFF;
    }
    return (u16)~sum;
}

static void rfc1071_vector(void **state) {
    static const u8 data[] = {0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7};
    UNUSED(state);
    assert_int_equal(cksum_partial(cksum_add(0, data, sizeof data)), 0xDDF2);
    assert_int_equal(cksum_fold(cksum_add(0, data, sizeof data)), 0x220D);
}

static void every_length_and_alignment(void **state) {
    u32 seed = 12345;
    UNUSED(state);
    for (u32 len = 0; len < 130; len++) {
        for (u32 skew = 0; skew < 4; skew++) {
            u8 *p = malloc(len + skew + 1);
            for (u32 i = 0; i < len; i++) p[skew + i] = (u8)((seed = seed * 1103515245u + 12345u) >> 16);
            u16 want = naive(p + skew, len);
            assert_int_equal(cksum_fold(cksum_add(0, p + skew, len)), want);
            /* The same in two pieces, cut anywhere. */
            for (u32 cut = 0; cut <= len; cut++) {
                u32 tail = cksum_add(0, p + skew + cut, len - cut);
                u32 sum = cksum_join(cksum_add(0, p + skew, cut), cut & 1 ? cksum_odd(tail) : tail);
                assert_int_equal(cksum_fold(sum), want);
            }
            free(p);
        }
    }
}

static void all_ones_do_not_overflow(void **state) {
    u8 *p = malloc(65535);
    UNUSED(state);
    memset(p, 0xFF, 65535);
    assert_int_equal(cksum_fold(cksum_add(0, p, 65534)), naive(p, 65534));
    assert_int_equal(cksum_fold(cksum_add(0xFFFFFFFF, p, 65535)), naive(p, 65535));
    free(p);
}

/* A header from a capture, quoted in many texts: 10.0.0.? style vectors only prove themselves. */
static const u8 header[20] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                              0xB8, 0x61, 0xC0, 0xA8, 0x00, 0x01, 0xC0, 0xA8, 0x00, 0xC7};

static void header_vector(void **state) {
    u8 h[20];
    UNUSED(state);
    assert_int_equal(ip4_check(header, 0x73, true), IP4_OK);
    struct ip4_fields f = {
        .src = {0xC0A80001}, .dst = {0xC0A800C7}, .total = 0x73, .frag = 0x4000, .ttl = 64, .proto = 17};
    ip4_emit(h, &f);
    assert_memory_equal(h, header, 20);
}

static void a_hop_keeps_the_sum_right(void **state) {
    u8 h[20];
    UNUSED(state);
    memcpy(h, header, 20);
    for (u32 ttl = 64; ttl > 0; ttl--) {
        ip4_hop(h);
        assert_int_equal(h[IP4_TTL], ttl - 1);
        assert_int_equal(ip4_check(h, 0x73, true), IP4_OK);
    }
    /* Every word value, against the full sum. */
    for (u32 id = 0; id < 65536; id += 7) {
        u16 was = be16_get(h + IP4_ID);
        u16 sum = be16_get(h + IP4_CKSUM);
        be16_put(h + IP4_ID, (u16)id);
        be16_put(h + IP4_CKSUM, cksum_update(sum, was, (u16)id));
        assert_int_equal(ip4_check(h, 0x73, true), IP4_OK);
    }
}

static void header_faults(void **state) {
    u8 h[64];
    UNUSED(state);
    memcpy(h, header, 20);
    for (u32 len = 0; len < 20; len++) {
        u8 *cut = malloc(len + 1);
        memcpy(cut, header, len);
        u8 *exact = realloc(cut, len ? len : 1);
        assert_int_equal(ip4_check(exact, len, true), IP4_SHORT);
        free(exact);
    }
    for (u32 len = 20; len < 0x73; len++) assert_int_equal(ip4_check(header, len, true), IP4_TOTAL_LEN);
    h[0] = 0x65;
    assert_int_equal(ip4_check(h, 0x73, true), IP4_VERSION);
    h[0] = 0x44;
    assert_int_equal(ip4_check(h, 0x73, true), IP4_HEADER_LEN);
    h[0] = 0x4F;
    assert_int_equal(ip4_check(h, 59, true), IP4_HEADER_LEN);
    h[0] = 0x45;
    be16_put(h + 2, 19);
    assert_int_equal(ip4_check(h, 0x73, false), IP4_TOTAL_LEN);
    memcpy(h, header, 20);
    h[15] ^= 1;
    assert_int_equal(ip4_check(h, 0x73, true), IP4_CHECKSUM);
    assert_int_equal(ip4_check(h, 0x73, false), IP4_OK);
}

static void addresses_as_text(void **state) {
    static const struct {
        const char *text;
        bool ok;
        u32 value;
    } rows[] = {
        {"0.0.0.0", true, 0},
        {"255.255.255.255", true, UINT32_MAX},
        {"9.67.115.5", true, 0x09437305},
        {"256.0.0.0", false, 0},
        {"1.2.3", false, 0},
        {"1.2.3.", false, 0},
        {"1.2.3.4.", false, 0},
        {"1.2.3.4.5", false, 0},
        {"01.2.3.4", false, 0},
        {"1..2.3", false, 0},
        {"", false, 0},
        {"1.2.3.4 ", false, 0},
        {"a.b.c.d", false, 0},
        {"1.2.3.0004", false, 0},
        {"-1.2.3.4", false, 0},
    };
    char out[IPADDR_TEXT_MAX];
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct ipaddr a = {77};
        assert_int_equal(ipaddr_parse(rows[i].text, strlen(rows[i].text), &a), rows[i].ok);
        assert_int_equal(a.v4, rows[i].ok ? rows[i].value : 77);
        if (rows[i].ok) assert_string_equal(ipaddr_text(a, out), rows[i].text);
    }
    for (int bits = 0; bits <= 32; bits++)
        assert_int_equal(ipaddr_mask_bits(ipaddr_v4(bits ? UINT32_MAX << (32 - bits) : 0)), bits);
    assert_int_equal(ipaddr_mask_bits(ipaddr_v4(0xFF00FF00)), -1);
    assert_int_equal(ipaddr_mask_bits(ipaddr_v4(0x00FFFFFF)), -1);
    assert_int_equal(ipaddr_mask_bits(ipaddr_v4(1)), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc1071_vector),
        cmocka_unit_test(every_length_and_alignment),
        cmocka_unit_test(all_ones_do_not_overflow),
        cmocka_unit_test(header_vector),
        cmocka_unit_test(a_hop_keeps_the_sum_right),
        cmocka_unit_test(header_faults),
        cmocka_unit_test(addresses_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
