/* impair_card.h - a bad wire, on purpose: loss, duplication, reordering, delay and a rate, from a seed.
 *
 *   impair loss=1% dup=0.5% reorder=2% delay=5ms rate=10mbit seed=7
 *     loss, dup, reorder   chance for each frame      delay    added to each frame (us, ms, s)
 *     rate                 kbit, mbit, gbit: frames leave one after the other at that speed
 *     seed                 the same seed and the same frames give the same fate (default 1)
 *   A reordered frame is held IMPAIR_HOLD_USEC longer than its successors.
 *
 * It stands between the port and the uplink, in both directions, each with its own dice. While it is on, the wire
 * carries real frames: the card finishes checksums and segments itself. Frames wait in IMPAIR_SLOTS slots of one frame
 * each, taken from the heap when it is switched on; a frame that finds none is counted and lost, as in a full queue.
 */
#ifndef HERCULES_DEVICES_IMPAIR_CARD_H
#define HERCULES_DEVICES_IMPAIR_CARD_H

#include "base/base.h"

#define IMPAIR_SLOTS      2048u
#define IMPAIR_FRAME_MAX  9234u /* 9216 and an Ethernet header with VLAN tag */
#define IMPAIR_HOLD_USEC  2000u
#define IMPAIR_DELAY_MAX  (10u * USEC_PER_SEC)

enum impair_direction { IMPAIR_OUT, IMPAIR_IN, IMPAIR_DIRECTIONS };

struct impair_slot {
    u64 due, order; /* order of arrival, for equal moments */
    u32 len;
    u8 direction;
    u8 bytes[IMPAIR_FRAME_MAX];
};

struct impair {
    bool on;
    u32 loss, dup, reorder; /* chances in 2^32 */
    u32 delay_us, rate_kbit;
    u32 seed;
    u64 dice[IMPAIR_DIRECTIONS];
    u64 wire_free[IMPAIR_DIRECTIONS]; /* when the rate lets the next frame leave */
    struct impair_slot *slots;
    u16 heap[IMPAIR_SLOTS], free[IMPAIR_SLOTS]; /* heap: by due, order */
    u32 queued, free_count;
    u64 order;
    u64 lost, duplicated, reordered, overflowed, passed;
};

/* "loss=1% ..." or "off". false and one sentence; then nothing has changed. */
bool impair_configure(struct impair *im, const char *text, char *why, size_t cap);
void impair_close(struct impair *im);
/* A frame of head and body meets its fate. */
void impair_put(struct impair *im, enum impair_direction d, const u8 *head, u32 head_len, const u8 *body,
                u32 body_len, u64 now);
/* The next frame that is due, valid until the next call; NULL: none yet. */
const struct impair_slot *impair_take(struct impair *im, u64 now);
/* When the next one is due, TIME_NEVER if none waits. */
u64 impair_deadline(const struct impair *im);

#endif
