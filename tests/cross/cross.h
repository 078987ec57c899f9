/* cross.h - the simulator as a program for an empty S/390: the same seed must give the same digest there as on the host. */
#ifndef TESTS_CROSS_CROSS_H
#define TESTS_CROSS_CROSS_H

/* The machine's storage; cross.sh configures it. Assembler reads these lines, too. */
#define CROSS_STORAGE_BYTES 0x20000000
#define CROSS_RUNS          0x2000 /* where its rows stand, in absolute storage */
#define CROSS_WORDS         0x3000
#define CROSS_WORDS_BYTES   0x1000

#ifndef __ASSEMBLER__

#include <stdarg.h>

#include "base/base.h"

/* A run and its digest, as words of storage; a row of systems 0 ends them. */
struct cross_run {
    u32 kind; /* 0 tcp, 1 xcf, 2 arm, 3 dvipa, 4 dist */
    u32 seed;
    u32 systems;
    u32 digest; /* comes from the machine */
};
void cross_main(void);
void cross_forget(void); /* malloc() begins anew: nothing that it gave is used any more */

/* Keeps the last words at CROSS_WORDS, in ASCII: cross.sh shows them when the machine has stopped with BAD. */
int cross_say(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
_Noreturn void cross_stop(void);

#endif
#endif
