/* test_tcp_sim.c - some seeds of plexsim, each twice: every check holds and the digest repeats. More: build/plexsim. */
#include "tests/sim/simtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

static void seeds(void **state) {
    u64 bytes = 0;
    u32 retransmits = 0;
    (void)state;
    for (u64 seed = 1; seed <= 4; seed++) {
        struct simtcp_result a = simtcp_run(seed), b = simtcp_run(seed);
        assert_int_equal(a.digest, b.digest);
        assert_int_equal(a.bytes, b.bytes);
        bytes += a.bytes;
        retransmits += a.retransmits;
    }
    /* The wires were bad and the streams long, or this showed nothing. */
    assert_true(bytes > 1000000);
    assert_true(retransmits > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(seeds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
