/* test_ctc_director.c - the director's table: links, meshes of every size seen from every system, each line that is
 * wrong, and the table cut off anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hercules-devices/ctc_director.h"

static char error[120];

static bool find(const char *table, const char *system, u16 devnum, struct ctc_route *r) {
    return ctc_director_find(table, (u32)strlen(table), system, devnum, r, error, sizeof error);
}

static void links(void **state) {
    UNUSED(state);
    static const char table[] = "* pairs of PLEX1\n"
                                "LINK SYSB 0C10 SYSA 0C00   * the first\r\n"
                                "\n"
                                "link SYSA 0C02 SYSC 0C00 straight at tcp:10.0.0.1:7100\n"
                                "LINK SYSB c12 SYSC C02";
    struct ctc_route r;
    assert_true(find(table, "SYSA", 0x0C00, &r));
    assert_string_equal(r.partner, "SYSB");
    assert_int_equal(r.partner_devnum, 0x0C10);
    assert_true(r.home && !r.straight);
    assert_string_equal(r.address, "ctc.SYSA.0C00.SYSB.0C10");
    assert_true(find(table, "SYSB", 0x0C10, &r));
    assert_string_equal(r.partner, "SYSA");
    assert_false(r.home);
    assert_string_equal(r.address, "ctc.SYSA.0C00.SYSB.0C10");
    assert_true(find(table, "SYSC", 0x0C00, &r));
    assert_true(r.straight && !r.home);
    assert_string_equal(r.address, "tcp:10.0.0.1:7100");
    assert_true(find(table, "SYSC", 0x0C02, &r));
    assert_int_equal(r.partner_devnum, 0x0C12);
    assert_false(find(table, "SYSC", 0x0C04, &r));
    assert_string_equal(error, "the director has no link of SYSC at 0C04");
    assert_false(find(table, "SYSD", 0x0C00, &r));
}

/* From every system every other one is reached once, and both ends see one link. */
static void meshes(void **state) {
    UNUSED(state);
    for (u32 n = 2; n <= CTC_MESH_MAX; n++) {
        char table[512] = "MESH 4000", name[16];
        for (u32 i = 0; i < n; i++) sprintf(table + strlen(table), " SYS%02u", i);
        for (u32 i = 0; i < n; i++) {
            u64 seen = 0;
            for (u32 k = 0; k < n - 1; k++) {
                struct ctc_route r, back;
                sprintf(name, "SYS%02u", i);
                assert_true(find(table, name, (u16)(0x4000 + 2 * k), &r));
                u32 j = (u32)atoi(r.partner + 3);
                assert_true(j != i && j < n);
                seen |= 1ull << j;
                assert_true(find(table, r.partner, r.partner_devnum, &back));
                assert_string_equal(back.partner, name);
                assert_int_equal(back.partner_devnum, r.devnum);
                assert_string_equal(back.address, r.address);
                assert_true(back.home != r.home);
            }
            assert_true(seen == (1ull << n) - 1 - (1ull << i));
        }
    }
}

static void damaged(void **state) {
    UNUSED(state);
    static const struct {
        const char *table, *error;
    } rows[] = {
        {"CONNECT SYSA 0C00 SYSB 0C00", "director line 1: expected LINK or MESH"},
        {"\nLINK SYSA 0C01 SYSB 0C00", "director line 2: expected an even device number"},
        {"LINK SYSA 0C00 SYSB", "director line 1: expected an even device number"},
        {"LINK SYSA 1FFFE SYSB 0C00", "director line 1: expected an even device number"},
        {"LINK SYSA 0C00", "director line 1: expected a system's name"},
        {"LINK SYSA 0C00 SYSA 0C10", "director line 1: a link is between two systems"},
        {"LINK SYSTEMABC 0C00 SYSA 0C10", "director line 1: a word is too long"},
        {"LINK SYSA 0C00 SYSB 0C00 CROSSED", "director line 1: expected STRAIGHT, or AT and an address"},
        {"LINK SYSA 0C00 SYSB 0C00 AT", "director line 1: expected STRAIGHT, or AT and an address"},
        {"MESH 0C00 SYSA", "director line 1: expected two systems or more"},
        {"MESH 0C00 SYSA SYSB SYSA", "director line 1: a system is named twice"},
        {"MESH 0C00 SYSA SYSTEMABC", "director line 1: a system's name has up to 8 characters"},
        {"MESH FFFE SYSA SYSB SYSC", "director line 1: device numbers go past FFFF"},
        {"MESH 0C00 SYSA SYSB\nLINK SYSA 0C00 SYSB 0C10", "the director has more than one link of SYSA at 0C00"},
        {"MESH 0C00 a b c d e f g h i j k l m n o p q r s t u v w x y z A B C D E F G",
         "director line 1: more than 32 systems"},
    };
    struct ctc_route r;
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        assert_false(find(rows[i].table, "SYSA", 0x0C00, &r));
        assert_string_equal(error, rows[i].error);
    }
}

static void cut_off(void **state) {
    UNUSED(state);
    static const char table[] = "MESH 0C00 SYSA SYSB SYSC\nLINK SYSD 0C00 SYSA 0C10 STRAIGHT AT /run/x * and so on\n";
    struct ctc_route r;
    u32 good = 0;
    for (u32 len = 0; len < sizeof table; len++) {
        char *exact = malloc(len ? len : 1);
        memcpy(exact, table, len);
        good += ctc_director_find(exact, len, "SYSA", 0x0C00, &r, error, sizeof error);
        free(exact);
    }
    assert_true(good > 20 && good < sizeof table);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(links), cmocka_unit_test(meshes), cmocka_unit_test(damaged),
                                       cmocka_unit_test(cut_off)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
