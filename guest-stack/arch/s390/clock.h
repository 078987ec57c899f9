/* clock.h - the TOD clock as a count of microseconds, and the enabled wait that ends with it. */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include "base/base.h"

/* Waits enabled for what CR0 and CR6 allow, at most until deadline. An I/O interruption is handed to
 * css_interrupted(). Returns the external interruption code, 0 if it was I/O. */
u32 clock_wait(u64 deadline);

#endif
