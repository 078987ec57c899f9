/* bug.c - base_bug() for host programs: a broken invariant stops the program where it is seen. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

void base_bug(const char *file, int line, const char *condition) {
    fprintf(stderr, "%s:%d: CHECK(%s) failed\n", file, line, condition);
    abort();
}
