/* complain.c - one line on stderr for what is wrong. See mkvol.h. */
#include "ipl/mkvol.h"

#include <stdarg.h>
#include <stdio.h>

void mkvol_complain(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("mkvol: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}
