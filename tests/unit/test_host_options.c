/* test_host_options.c - the words of a device statement: taken in any order, and one line for each thing that can be wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "hercules-devices/host_options.h"

#define WORDS_MAX 4

static char name[9], path[8];
static const struct host_option TABLE[] = {{"lpar", name, sizeof name, true}, {"path", path, sizeof path, false}};

/* The line in error, "" if all is well. */
static const char *taken(const char *a, const char *b, const char *c) {
    static char error[120];
    char word[WORDS_MAX][120], *argv[WORDS_MAX];
    const char *given[] = {a, b, c};
    int argc = 0;
    strcpy(name, "");
    strcpy(path, "default");
    strcpy(error, "");
    for (u32 i = 0; i < ARRAY_LEN(given) && given[i]; i++) argv[argc++] = strcpy(word[i], given[i]);
    bool good = host_options(TABLE, ARRAY_LEN(TABLE), argc, argv, error, sizeof error);
    assert_int_equal(good, error[0] == '\0');
    return error;
}

static void values(void **state) {
    UNUSED(state);
    assert_string_equal(taken("lpar=SYSA", NULL, NULL), "");
    assert_string_equal(name, "SYSA");
    assert_string_equal(path, "default");
    assert_string_equal(taken("path=a=b", "lpar=12345678", NULL), "");
    assert_string_equal(path, "a=b");
    assert_string_equal(taken("lpar=SYSA", "lpar=SYSB", "path=/x"), "");
    assert_string_equal(name, "SYSB");
}

static void wrong(void **state) {
    UNUSED(state);
    assert_string_equal(taken("path=/x", NULL, NULL), "lpar= is missing");
    assert_string_equal(taken(NULL, NULL, NULL), "lpar= is missing");
    assert_string_equal(taken("lpar=123456789", NULL, NULL), "lpar= is longer than 8 characters");
    assert_string_equal(taken("lpar=SYSA", "path=12345678", NULL), "path= is longer than 7 characters");
    assert_string_equal(taken("lpar", NULL, NULL), "\"lpar\": expected name=value");
    assert_string_equal(taken("lpar=", NULL, NULL), "\"lpar=\": expected name=value");
    assert_string_equal(taken("lpa=SYSA", NULL, NULL), "\"lpa=SYSA\": no such option");
    assert_string_equal(taken("lpars=SYSA", NULL, NULL), "\"lpars=SYSA\": no such option");
    assert_string_equal(taken("=SYSA", NULL, NULL), "\"=SYSA\": no such option");
    /* A line is cut, not overrun, however long the word. */
    static char longer[110];
    memset(longer, 'x', sizeof longer - 1);
    assert_true(strlen(taken(longer, NULL, NULL)) < 120);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
