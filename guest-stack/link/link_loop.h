/* link_loop.h - the two drivers without a device behind them.
 *
 *   LOOPBACK  keeps each packet in a buffer of the stack and hands it back from the next stack_poll(), marked
 *             as verified: it never saw a wire.
 *   VIRTUAL   carries nothing; a static VIPA's home. START and STOP are at once, output is a drop.
 *
 * How to use it: put *out at env.drivers[DEV_LOOPBACK] and [DEV_VIRTUAL]. Storage: link_loop_bytes() from the
 * arena for the loopback's queue head; the packets themselves are in the stack's pbuf pools.
 */
#ifndef LINK_LINK_LOOP_H
#define LINK_LINK_LOOP_H

#include "base/arena.h"
#include "base/base.h"
#include "net/link.h"

/* 0, or -ERR_NOMEM if the arena is too small. One loopback device per driver. */
int link_loop_driver_init(struct driver *out, struct arena *a);
size_t link_loop_bytes(void);
void link_virtual_driver_init(struct driver *out);

#endif
