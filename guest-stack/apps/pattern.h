/* pattern.h - the known bytes that bulk transfers carry: byte i of a stream is i modulo 251.
 *
 * 251 is prime and shares no factor with any chunk, segment or page size, so a piece that is lost, doubled or put in a
 * wrong place never matches. A host makes the same stream with build/pattern N, or with
 *   python3 -c 'import sys; sys.stdout.buffer.write(bytes(i % 251 for i in range(N)))'
 * A stream's position is kept as its phase, the position modulo 251.
 */
#ifndef APPS_PATTERN_H
#define APPS_PATTERN_H

#include "base/base.h"

#define PATTERN_PERIOD 251u
#define PATTERN_SPAN 8192u /* bytes compared or copied in one go */

struct pattern {
    u8 table[PATTERN_PERIOD + PATTERN_SPAN];
};

void pattern_init(struct pattern *p);
/* Writes n bytes of the stream at phase; returns the new phase. */
u32 pattern_fill(const struct pattern *p, u8 *out, u32 n, u32 phase);
/* How many of n bytes at in match the stream at phase: n if all do. */
u32 pattern_match(const struct pattern *p, const u8 *in, u32 n, u32 phase);
static inline u32 pattern_advance(u32 phase, u32 n) { return (phase + n) % PATTERN_PERIOD; }

#endif
