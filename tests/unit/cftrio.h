/* cftrio.h - three systems connected to one structure of a coupling facility: the fixture of the tests of cache and lock
 * structures. Include it in one file of a program; its setup calls cftrio_setup(), its teardown is cftrio_teardown().
 */
#ifndef TESTS_UNIT_CFTRIO_H
#define TESTS_UNIT_CFTRIO_H

#include "tests/unit/cflab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct test {
    struct cflab lab;
    struct cflab_conn c[3];
};

/* shape() writes the operands of this type of structure into the CONNECT. What the connecting told is drained. */
static inline struct test *cftrio_setup(const char *structure, u8 type, u8 flags, void (*shape)(u8 *cmd)) {
    static const char *const systems[] = {"SYSA", "SYSB", "SYSC"};
    struct test *t = malloc(sizeof *t);
    assert_non_null(t);
    cflab_start(&t->lab, 2048);
    for (u32 i = 0; i < ARRAY_LEN(systems); i++) {
        u32 n = cflab_system(&t->lab, systems[i], 1);
        cflab_connect_begin(&t->lab, structure, systems[i], type, flags);
        shape(t->lab.cmd);
        assert_int_equal(cflab_connect(&t->lab, n, &t->c[i]), CF_OK);
    }
    for (u32 i = 0; i < ARRAY_LEN(systems); i++) cflab_drain(&t->lab, i, 0, 0, NULL);
    return t;
}

static inline int cftrio_teardown(void **state) {
    struct test *t = *state;
    cflab_end(&t->lab);
    free(t);
    return 0;
}

#endif
