/* ctc_queue.h - messages of the other end that have to wait for a command of the own channel: a queue of bytes.
 *
 * Records of 4 length | message, padded to 4, from `out` to `in`; a record never wraps. Where one would not fit before the end, the
 * rest is skipped (`end`). An empty queue begins at 0 again, so that short bursts use the same few pages. Pure; bytes are copied.
 */
#ifndef HERCULES_DEVICES_CTC_QUEUE_H
#define HERCULES_DEVICES_CTC_QUEUE_H

#include "base/base.h"

#define CTC_QUEUE_BYTES (1u << 20)

struct ctc_queue {
    u32 in, out, end; /* in < out: the newest records are before out, and the older ones reach up to end */
    u32 messages;
    u8 bytes[CTC_QUEUE_BYTES];
};

void ctc_queue_clear(struct ctc_queue *q);
bool ctc_queue_put(struct ctc_queue *q, const u8 *m, u32 len); /* false: no room */
/* The oldest message, NULL if there is none; valid until it is dropped. */
const u8 *ctc_queue_head(const struct ctc_queue *q, u32 *len);
void ctc_queue_drop(struct ctc_queue *q);

#endif
