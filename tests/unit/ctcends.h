/* ctcends.h - the two ends of a channel-to-channel link joined as host_group.h and peer.h join them in two emulators, but in one thread
 * and without a clock: what an end sends lies in its ring until the other one looks. It looks
 *
 *   when a bell was rung for it     ctcends_ring()
 *   before a CCW, if the engine wants that (look_first), and behind one that waits and told so without a bell       ctcends_give()
 *   when a poll is due              ctcends_take_all()
 *
 * No poll is ever needed: that is what ctcends_quiet() checks. For the drills of engine and fuzzer; data areas are the caller's.
 */
#ifndef TESTS_UNIT_CTCENDS_H
#define TESTS_UNIT_CTCENDS_H

#include "tests/unit/fakehost.h"

/* Hands bytes to an end as the connection's thread does. They are copied, so that what is read behind them is found. */
void ctcends_hand(struct fake *to, const u8 *bytes, u32 len);
/* The oldest message of end `from`, rung for or not; false: there is none. */
bool ctcends_take(struct fake f[2], u32 from);
void ctcends_take_all(struct fake f[2]);
/* All that bells were rung for, also by what this brings about. */
void ctcends_ring(struct fake f[2]);
/* Gives a command to a unit of one end. sees: it looks first if the engine wants that; else the other end's messages come a moment too
 * late. What was said to end at once must, for a processor may be waiting for it. */
void ctcends_give(struct fake f[2], u32 end, u32 unit, const struct engine_ccw *c, bool sees);
/* Rings, and then takes what nobody was woken for: true if that ends no command of the end that it lies at, and calls nobody. Not while an end has
 * told a PREPARE whose WRITE its channel still owes: the bell comes with that. */
bool ctcends_quiet(struct fake f[2]);

#endif
