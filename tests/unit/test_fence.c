/* test_fence.c - the page of isolated incarnations: written once, seen by all who have it open, kept over a restart, refused when it
 * is something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hercules-devices/peer_fence.h"

static char path[64];
static char why[200];

static int setup(void **state) {
    UNUSED(state);
    snprintf(path, sizeof path, "/tmp/plxfence.%d", (int)getpid());
    unlink(path);
    return 0;
}

static int teardown(void **state) {
    UNUSED(state);
    unlink(path);
    return 0;
}

static void test_told_to_all(void **state) {
    UNUSED(state);
    struct peer_fence *a = peer_fence_open(path, why, sizeof why), *b = peer_fence_open(path, why, sizeof why);
    assert_non_null(a);
    assert_non_null(b);
    assert_true(peer_fence_valid(b, "SYSA", 5));
    assert_true(peer_fence_put(a, "SYSA", 5));
    assert_false(peer_fence_valid(b, "SYSA", 5));
    assert_false(peer_fence_valid(b, "SYSA", 4));
    assert_true(peer_fence_valid(b, "SYSA", 6));
    assert_true(peer_fence_valid(b, "SYSAB", 5));
    /* It only grows. */
    assert_true(peer_fence_put(b, "SYSA", 3));
    assert_false(peer_fence_valid(a, "SYSA", 5));
    assert_true(peer_fence_put(b, "SYSB", 1));
    assert_false(peer_fence_valid(a, "SYSB", 1));
    peer_fence_close(a);
    peer_fence_close(b);
    a = peer_fence_open(path, why, sizeof why);
    assert_non_null(a);
    assert_false(peer_fence_valid(a, "SYSA", 5));
    peer_fence_close(a);
}

static void test_rows_run_out(void **state) {
    UNUSED(state);
    struct peer_fence *f = peer_fence_open(path, why, sizeof why);
    char name[16];
    assert_non_null(f);
    for (u32 i = 0; i <= PEER_FENCE_ROWS; i++) {
        snprintf(name, sizeof name, "S%u", i);
        assert_int_equal(peer_fence_put(f, name, 1), i < PEER_FENCE_ROWS);
        assert_int_equal(peer_fence_valid(f, name, 1), i == PEER_FENCE_ROWS);
    }
    assert_true(peer_fence_put(f, "S7", 9));
    assert_false(peer_fence_valid(f, "S7", 9));
    peer_fence_close(f);
}

/* Who is asked again and again answers from one load, until there is news; and who sleeps is woken. */
static void test_news(void **state) {
    UNUSED(state);
    struct peer_fence *cf = peer_fence_open(path, why, sizeof why), *card = peer_fence_open(path, why, sizeof why);
    u64 a = 0, b = 0;
    assert_non_null(cf);
    assert_non_null(card);
    struct pollfd sleeper = {.fd = peer_fence_watch(card), .events = POLLIN};
    assert_true(sleeper.fd >= 0);
    assert_false(peer_fence_news(card));
    assert_true(peer_fence_still_valid(card, &a, "SYSA", 5));
    assert_true(peer_fence_still_valid(card, &b, "SYSB", 5));
    assert_int_equal(poll(&sleeper, 1, 0), 0);
    assert_true(peer_fence_put(cf, "SYSA", 5));
    assert_int_equal(poll(&sleeper, 1, 1000), 1);
    assert_true(peer_fence_news(card));
    assert_false(peer_fence_news(card));
    assert_int_equal(poll(&sleeper, 1, 0), 0);
    assert_false(peer_fence_still_valid(card, &a, "SYSA", 5));
    assert_false(peer_fence_still_valid(card, &a, "SYSA", 5));
    assert_true(peer_fence_still_valid(card, &b, "SYSB", 5));
    /* What is known already is no news. */
    assert_true(peer_fence_put(cf, "SYSA", 4));
    assert_false(peer_fence_news(card));
    peer_fence_close(cf);
    /* News of before this one opened it is none. */
    struct peer_fence *late = peer_fence_open(path, why, sizeof why);
    assert_false(peer_fence_news(late));
    peer_fence_close(late);
    peer_fence_close(card);
}

static void test_something_else(void **state) {
    UNUSED(state);
    static const size_t sizes[] = {1, PEER_FENCE_BYTES - 1, PEER_FENCE_BYTES, PEER_FENCE_BYTES + 1};
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        for (size_t n = 0; n < sizes[i]; n++) fputc('x', f);
        fclose(f);
        assert_null(peer_fence_open(path, why, sizeof why));
        assert_non_null(strstr(why, path));
    }
    assert_null(peer_fence_open("/nonexistent/fence", why, sizeof why));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_told_to_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rows_run_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_news, setup, teardown),
        cmocka_unit_test_setup_teardown(test_something_else, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
