/* ctc_queue.c - see ctc_queue.h. */
#include "hercules-devices/ctc_queue.h"

#include "base/str.h"

#define LENGTH_BYTES 4u

static u32 record_bytes(u32 len) { return (LENGTH_BYTES + len + 3u) & ~3u; }

void ctc_queue_clear(struct ctc_queue *q) { q->in = q->out = q->end = q->messages = 0; }

/* Where a record of need bytes can stand; CTC_QUEUE_BYTES: nowhere. */
static u32 place(struct ctc_queue *q, u32 need) {
    if (q->messages == 0) ctc_queue_clear(q);
    bool wrapped = q->messages && q->in <= q->out;
    if (need <= (wrapped ? q->out : CTC_QUEUE_BYTES) - q->in) return q->in;
    if (wrapped || need > q->out) return CTC_QUEUE_BYTES;
    q->end = q->in;
    return 0;
}

bool ctc_queue_put(struct ctc_queue *q, const u8 *m, u32 len) {
    u32 need = record_bytes(len), at = place(q, need);
    if (at == CTC_QUEUE_BYTES) return false;
    memcpy(q->bytes + at, &len, LENGTH_BYTES);
    memcpy(q->bytes + at + LENGTH_BYTES, m, len);
    q->in = at + need;
    if (q->in > q->end) q->end = q->in;
    q->messages++;
    return true;
}

const u8 *ctc_queue_head(const struct ctc_queue *q, u32 *len) {
    if (q->messages == 0) return NULL;
    memcpy(len, q->bytes + q->out, LENGTH_BYTES);
    return q->bytes + q->out + LENGTH_BYTES;
}

void ctc_queue_drop(struct ctc_queue *q) {
    u32 len;
    if (!ctc_queue_head(q, &len)) return;
    q->messages--;
    q->out += record_bytes(len);
    if (q->out < q->end) return;
    q->out = 0;
    q->end = q->in;
}
