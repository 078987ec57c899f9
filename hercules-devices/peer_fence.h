/* peer_fence.h - one page in the plex's run directory that says which incarnations have been isolated. A coupling facility writes
 * it before it says that a system is isolated; cards, CTC ends and facilities read it before they take anything from a system, so
 * what a frozen emulator left in a ring is thrown away wherever it left it.
 *
 *   off len     the file, this host's byte order
 *     0   8  magic "PLXFENCE"
 *     8   8  generation: grows with each isolation
 *    16      PEER_FENCE_ROWS rows of 24 bytes: 0 16 name, zeros behind it | 16 8 highest incarnation that is refused, 0 = free row
 *
 * A row's name is written before its incarnation and never changes; the incarnation only grows. So a reader needs no lock: it loads
 * an incarnation, and if that is not zero the name beside it is whole. Writers (two facilities) exclude each other by flock. The
 * generation is written after the row: who has judged an incarnation at a generation need not look at rows until it has changed,
 * so asking before each message costs one load.
 *
 * A process that sleeps is woken: the writer touches the file, peer_fence_watch() gives a descriptor that becomes readable then.
 *
 * Calls: peer_fence_open by whoever comes first; _put, _valid, _still_valid; _watch once, _news after each wake-up; _close.
 */
#ifndef HERCULES_DEVICES_PEER_FENCE_H
#define HERCULES_DEVICES_PEER_FENCE_H

#include "hercules-devices/peer.h"

#define PEER_FENCE_ROWS 64u
#define PEER_FENCE_BYTES 4096u

struct peer_fence;

/* Makes the file if it is not there. NULL and a line in why: it cannot be opened, or it is something else. */
struct peer_fence *peer_fence_open(const char *path, char *why, size_t cap);
void peer_fence_close(struct peer_fence *f);
/* This incarnation and older ones of the name are refused from now on, by everybody. false: no row is free. */
bool peer_fence_put(struct peer_fence *f, const char *name, u64 incarnation);
bool peer_fence_valid(const struct peer_fence *f, const char *name, u64 incarnation);
/* The same for one name and incarnation that is asked about again and again; seen is this function's own, 0 at first. */
bool peer_fence_still_valid(const struct peer_fence *f, u64 *seen, const char *name, u64 incarnation);
/* A descriptor that is readable after an isolation, to be watched; the fence's own. -1: there is none to be had. */
int peer_fence_watch(struct peer_fence *f);
/* Has anything been isolated since this was last asked? Empties the descriptor. One load if there is no news. */
bool peer_fence_news(struct peer_fence *f);

#endif
