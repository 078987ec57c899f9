/* string.h - the guest's own (base/str.h), and what the simulator wants besides. */
#ifndef CROSS_STRING_H
#define CROSS_STRING_H

#include "base/str.h"

int strncmp(const char *a, const char *b, size_t n);

#endif
