/* ring.h - a queue of messages in memory that two processes share: one writes, one reads, neither trusts the other.
 *
 *   off len                      written by
 *     0   4  head                writer   bytes ever put in, modulo 2^32; a multiple of 8
 *    64   4  tail                reader   bytes ever taken out, likewise
 *   128   4  asleep              both     enum ring_bell: how the reader, which is going to sleep, is to be woken; who turns it to 0 does so
 *   192      data                writer   a power of two of bytes, RING_DATA_MIN or more
 *
 * A record in the data: 4 length (host order) | 4 zero | the message | padding to a multiple of 8. It never
 * wraps: where it would not fit before the end, a record of length RING_SKIP fills the rest.
 *
 * Invariants. Each side believes only the index it writes itself, which it keeps in its own memory too; the
 * other one is read once and checked: head - tail is at most the size, both are multiples of 8, a record lies
 * inside head - tail and before the end. What fails a check breaks the ring for good (ring_broken). A message
 * is copied out before anybody looks at it, so a writer cannot change it under a parser's feet.
 *
 * Doorbell: the writer rings only when the reader sleeps. Reader: asleep = 1, fence, look at head once more,
 * then sleep. Writer: store head, fence, look at asleep. One of the two sees the other; none sleeps over work. The
 * writer takes the word and clears it in one step: what it then does is what the reader wanted at that moment.
 *
 * Calls: writer   ring_reserve, fill in, ring_commit, ...; ring_bell_needed() once after a batch
 *        reader   ring_get until 0; ring_sleep(); if it says true, wait; ring_wake()
 * Touches only the memory handed in. One thread a side at a time.
 */
#ifndef HERCULES_DEVICES_RING_H
#define HERCULES_DEVICES_RING_H

#include "base/base.h"

#define RING_HEADER_BYTES 192u
#define RING_DATA_MIN     4096u
#define RING_DATA_MAX     (64u << 20)
#define RING_RECORD_MIN   16u /* of one record, with its header */
#define RING_SKIP         0xFFFFFFFFu

enum ring_bell {
    RING_AWAKE = 0,
    RING_BELL = 1, /* a thread waits for the doorbell */
    RING_WORD = 2, /* a thread waits for the word `asleep` itself to change (a futex) */
};

struct ring {
    u8 *shared; /* NULL: no ring */
    u8 *data;
    u32 size;       /* bytes of data */
    u32 head, tail; /* what this side last wrote or read; the reader's tail and the writer's head are true */
    u32 reserved;   /* writer: largest message that ring_commit may end, 0 = none */
    bool broken;
};

/* Bytes of memory for a ring of data_bytes. */
static inline u32 ring_bytes(u32 data_bytes) { return RING_HEADER_BYTES + data_bytes; }
/* Is data_bytes a size that a ring may have? */
bool ring_size_ok(u32 data_bytes);
/* An empty ring over zeroed memory of ring_bytes(data_bytes), aligned to 64; for either side. */
void ring_init(struct ring *r, void *memory, u32 data_bytes);

/* Room for a message of up to bytes, or NULL: full, broken, no ring, or larger than PEER_MESSAGE_MAX. A message of
 * up to half the ring always fits once the reader has caught up. */
u8 *ring_reserve(struct ring *r, u32 bytes);
/* Ends it at bytes (at most what was reserved) and shows it to the reader. */
void ring_commit(struct ring *r, u32 bytes);
/* How the caller must wake the reader, which slept. Once after a batch. */
enum ring_bell ring_bell_needed(struct ring *r);

/* The next message copied to out[0..cap): its length; 0 if there is none; -1 if the ring is or becomes broken. */
int ring_get(struct ring *r, u8 *out, u32 cap);
/* Announces sleep. false: something came in the meantime; do not sleep. */
bool ring_sleep(struct ring *r, enum ring_bell bell);
void ring_wake(struct ring *r);
/* RING_WORD: the word. Its sleeper is woken by another thread than a writer's: false, it was not asleep. */
u32 *ring_word(const struct ring *r);
bool ring_rouse(struct ring *r);

static inline bool ring_broken(const struct ring *r) { return r->broken; }

#endif
