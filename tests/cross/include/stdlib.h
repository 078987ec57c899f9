/* stdlib.h - see cross_libc.c. */
#ifndef CROSS_STDLIB_H
#define CROSS_STDLIB_H

#include <stddef.h>

void *malloc(size_t bytes);
void *calloc(size_t n, size_t bytes);
void *realloc(void *old, size_t bytes);
void free(void *p);
_Noreturn void abort(void);

#endif
