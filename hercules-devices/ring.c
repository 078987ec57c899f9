/* ring.c - see ring.h. The atomics are the whole synchronisation: an index is stored with release after the
 * bytes it covers and loaded with acquire before they are read; the fences of sleep and bell are sequentially
 * consistent, because each side writes one word there and reads the other's.
 */
#include "hercules-devices/ring.h"

#include "hercules-devices/peer.h" /* PEER_MESSAGE_MAX */

#include <stdatomic.h>
#include <string.h>

#define RECORD_HEADER 8u
#define OFF_HEAD      0u
#define OFF_TAIL      64u
#define OFF_ASLEEP    128u

static _Atomic u32 *word(const struct ring *r, u32 offset) { return (_Atomic u32 *)(void *)(r->shared + offset); }

static u32 record_bytes(u32 message) { return (RECORD_HEADER + message + 7u) & ~7u; }

bool ring_size_ok(u32 data_bytes) {
    return data_bytes >= RING_DATA_MIN && data_bytes <= RING_DATA_MAX && (data_bytes & (data_bytes - 1)) == 0;
}

void ring_init(struct ring *r, void *memory, u32 data_bytes) {
    CHECK(ring_size_ok(data_bytes) && ((uintptr_t)memory & 63u) == 0);
    *r = (struct ring){.shared = memory, .data = (u8 *)memory + RING_HEADER_BYTES, .size = data_bytes};
}

/* ---- writer ---- */

/* Bytes not in use, as the reader's index says; a nonsensical index breaks the ring. */
static u32 writer_room(struct ring *r) {
    u32 tail = atomic_load_explicit(word(r, OFF_TAIL), memory_order_acquire);
    u32 used = r->head - tail;
    if (used > r->size || (tail & 7u) != 0) {
        r->broken = true;
        return 0;
    }
    r->tail = tail;
    return r->size - used;
}

static void record_put(struct ring *r, u32 at, u32 length) {
    u32 header[2] = {length, 0};
    memcpy(r->data + at, header, sizeof header);
}

u8 *ring_reserve(struct ring *r, u32 bytes) {
    r->reserved = 0;
    if (!r->shared || r->broken || bytes == 0 || bytes > PEER_MESSAGE_MAX) return NULL;
    u32 need = record_bytes(bytes), at = r->head & (r->size - 1), before_end = r->size - at;
    u32 skip = need > before_end ? before_end : 0;
    if (need > r->size || need + skip > r->size) return NULL;
    /* The cached tail first: the shared line is touched only when the ring looks full. */
    if (r->size - (r->head - r->tail) < need + skip && writer_room(r) < need + skip) return NULL;
    if (skip) {
        record_put(r, at, RING_SKIP);
        r->head += skip;
        at = 0;
    }
    r->reserved = bytes;
    return r->data + at + RECORD_HEADER;
}

void ring_commit(struct ring *r, u32 bytes) {
    CHECK(bytes > 0 && bytes <= r->reserved);
    record_put(r, r->head & (r->size - 1), bytes);
    r->head += record_bytes(bytes);
    r->reserved = 0;
    atomic_store_explicit(word(r, OFF_HEAD), r->head, memory_order_release);
}

enum ring_bell ring_bell_needed(struct ring *r) {
    if (!r->shared) return RING_AWAKE;
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(word(r, OFF_ASLEEP), memory_order_relaxed) == RING_AWAKE) return RING_AWAKE;
    /* Taken and cleared in one step: between two, one sleeper might have left and another one lain down. */
    u32 how = atomic_exchange_explicit(word(r, OFF_ASLEEP), RING_AWAKE, memory_order_seq_cst);
    return how == RING_AWAKE ? RING_AWAKE : how == RING_WORD ? RING_WORD : RING_BELL;
}

/* ---- reader ---- */

static int broken(struct ring *r) {
    r->broken = true;
    return -1;
}

static void reader_advance(struct ring *r, u32 bytes) {
    r->tail += bytes;
    atomic_store_explicit(word(r, OFF_TAIL), r->tail, memory_order_release);
}

int ring_get(struct ring *r, u8 *out, u32 cap) {
    if (!r->shared) return 0;
    if (r->broken) return -1;
    for (u32 skips = 0; skips < 2; skips++) { /* a second skip in a row is no ring of ours */
        if (r->head == r->tail) r->head = atomic_load_explicit(word(r, OFF_HEAD), memory_order_acquire);
        u32 used = r->head - r->tail, at = r->tail & (r->size - 1), before_end = r->size - at;
        if (used == 0) return 0;
        if (used > r->size || (used & 7u) != 0) return broken(r);
        /* Loaded once, as an atomic: the compiler may not fetch it again after the checks. */
        u32 length = atomic_load_explicit((_Atomic u32 *)(void *)(r->data + at), memory_order_relaxed);
        if (length == RING_SKIP) {
            if (before_end > used) return broken(r);
            reader_advance(r, before_end);
            continue;
        }
        if (length == 0 || length > cap || length > PEER_MESSAGE_MAX) return broken(r);
        u32 record = record_bytes(length);
        if (record > used || record > before_end) return broken(r);
        memcpy(out, r->data + at + RECORD_HEADER, length);
        reader_advance(r, record);
        return (int)length;
    }
    return broken(r);
}

bool ring_sleep(struct ring *r, enum ring_bell bell) {
    if (!r->shared || r->broken) return true;
    atomic_store_explicit(word(r, OFF_ASLEEP), bell, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    r->head = atomic_load_explicit(word(r, OFF_HEAD), memory_order_acquire);
    if (r->head == r->tail) return true;
    ring_wake(r);
    return false;
}

void ring_wake(struct ring *r) {
    if (r->shared) atomic_store_explicit(word(r, OFF_ASLEEP), RING_AWAKE, memory_order_relaxed);
}

u32 *ring_word(const struct ring *r) { return (u32 *)(void *)(r->shared + OFF_ASLEEP); }

bool ring_rouse(struct ring *r) {
    u32 asleep = RING_WORD;
    return r->shared && atomic_compare_exchange_strong(word(r, OFF_ASLEEP), &asleep, RING_AWAKE);
}
