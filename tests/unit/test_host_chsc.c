/* test_host_chsc.c - CHSC answers byte by byte, and every length that a guest may claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/be.h"
#include "hercules-devices/host_chsc.h"

static u8 type_of(void *ctx, u8 chpid) {
    UNUSED(ctx);
    return chpid == 0x0E ? 0x11 : 0;
}

static bool is_qdio(void *ctx, u8 ssid, u16 subchannel, u8 *in, u8 *out) {
    UNUSED(ctx);
    *in = 1;
    *out = 4;
    return ssid == 0 && subchannel == 2;
}

static const struct chsc_devices devices = {.chpid_type = type_of, .qdio = is_qdio};

static u8 block[CHSC_BLOCK_BYTES];

static void request(u16 length, u16 code) {
    memset(block, 0xEE, sizeof block);
    memset(block, 0, CHSC_REQUEST_MIN);
    be16_put(block, length);
    be16_put(block + 2, code);
}

static void test_one_channel_path(void **state) {
    UNUSED(state);
    static const u8 expected[] = {0, 16, 0, 1, 0, 0, 0, 0, 0x80, 0, 0x11, 0x0E, 0, 0, 0, 0, 0xEE};
    request(16, 0x0002);
    block[7] = block[11] = 0x0E;
    assert_true(chsc_answer(&devices, block));
    assert_memory_equal(block + 16, expected, sizeof expected);
}

static void test_channel_path_format_1(void **state) {
    UNUSED(state);
    request(16, 0x0002);
    block[4] = 0x10;
    block[6] = 1;
    block[7] = 0x0D;
    block[11] = 0x0F;
    assert_true(chsc_answer(&devices, block));
    assert_int_equal(be16_get(block + 16), 8 + 3 * 24);
    assert_int_equal(block[24], 0);
    assert_int_equal(block[24 + 3], 0x0D);
    assert_int_equal(block[48], 0x80);
    assert_int_equal(block[48 + 2], 0x11);
    assert_int_equal(block[72 + 3], 0x0F);
    assert_int_equal(block[96], 0xEE);
    block[6] = 2; /* a format that is not ours */
    assert_false(chsc_answer(&devices, block));
}

static void test_others_paths_are_left_alone(void **state) {
    UNUSED(state);
    u8 before[CHSC_BLOCK_BYTES];
    request(16, 0x0002);
    block[7] = 0x0F;
    block[11] = 0xFF;
    memcpy(before, block, sizeof before);
    assert_false(chsc_answer(&devices, block));
    assert_memory_equal(block, before, sizeof before);
    block[7] = 0x0E;
    block[11] = 0x0D; /* last before first */
    assert_false(chsc_answer(&devices, block));
}

static void test_qdio_data(void **state) {
    UNUSED(state);
    static const u8 ours[12] = {0xC0, 0, 0, 2, 0, 0, 0x60, 0, 0, 1, 0, 4};
    request(16, 0x0024);
    be16_put(block + 6, 1);
    be16_put(block + 10, 2);
    assert_true(chsc_answer(&devices, block));
    assert_int_equal(be16_get(block + 16), 8 + 2 * 32);
    assert_int_equal(be16_get(block + 18), 1);
    assert_int_equal(block[24], 0);
    assert_memory_equal(block + 56, ours, sizeof ours);
    assert_int_equal(block[88], 0xEE);
    block[5] = 0x10; /* another subchannel set: none of them is ours */
    assert_true(chsc_answer(&devices, block));
    assert_int_equal(block[56], 0);
    be16_put(block + 6, 3);
    assert_true(chsc_answer(&devices, block));
    assert_int_equal(be16_get(block + 18), 3);
}

static void test_unknown_code(void **state) {
    UNUSED(state);
    request(16, 0x0021);
    assert_false(chsc_answer(&devices, block));
}

/* Whatever length a guest claims, nothing beyond the page is written: the sanitizer watches its end. */
static void test_every_length(void **state) {
    UNUSED(state);
    for (u32 code = 2; code <= 0x24; code += 0x22)
        for (u32 length = 0; length <= 0xFFFF; length++) {
            request((u16)length, (u16)code);
            block[11] = 0xFF;
            be16_put(block + 10, 0x00FF);
            bool answered = chsc_answer(&devices, block);
            assert_int_equal(answered, length >= 16 && length <= 4088);
            if (!answered) continue;
            u32 response = be16_get(block + length);
            assert_true(length + response <= CHSC_BLOCK_BYTES);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_channel_path),  cmocka_unit_test(test_channel_path_format_1),
        cmocka_unit_test(test_others_paths_are_left_alone), cmocka_unit_test(test_qdio_data),
        cmocka_unit_test(test_unknown_code),      cmocka_unit_test(test_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
