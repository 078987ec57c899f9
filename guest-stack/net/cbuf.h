/* cbuf.h - a socket's byte queue: a chain of chunks from one pool, taken only while there are bytes.
 *
 *      head chunk                      tail chunk
 *   [ ....dddddddd ] -> [ dddddddd ] -> [ dddd.... ]      d = data, len bytes from `start` on
 *         ^start                              ^start+len
 *
 *   Sender:   cbuf_room/cbuf_commit at the tail; segments point into it with cbuf_spans(offset, n); acknowledged
 *             bytes leave with cbuf_consume().
 *   Receiver: cbuf_write_at(offset) puts a segment at its place, in order or not; cbuf_extend() makes what is now
 *             contiguous readable; cbuf_front/cbuf_consume read it.
 *
 * Invariants: an empty queue with nothing written ahead holds no chunk. Bytes below len are valid; bytes written
 * ahead of len are valid only where the owner's range list says so. Offsets count from the first unread byte.
 * Errors: a write that finds the pool empty changes nothing and returns false (RESOURCE; counted in the pool).
 */
#ifndef NET_CBUF_H
#define NET_CBUF_H

#include "base/arena.h"
#include "base/base.h"
#include "net/pkt.h"

#define CHUNK_BYTES 8192u /* of the pool's objects; a 64 KB window is eight of them */

struct cbuf_chunk;
#define CBUF_CHUNK_DATA (CHUNK_BYTES - 8u) /* on every machine: where a program's reads end must not depend on its pointers */

struct cbuf_chunk {
    struct cbuf_chunk *next;
    u8 data[CBUF_CHUNK_DATA];
};

struct cbuf {
    struct cbuf_chunk *head, *tail; /* NULL, NULL when no chunk is held */
    struct cbuf_chunk *near;        /* where the last walk ended, for the next one; NULL: nowhere */
    u32 near_at;                    /* of its first byte, from head's */
    u32 start;                      /* of the first byte in head */
    u32 len;                        /* readable bytes */
    u32 chunks;                     /* held */
};

static inline void cbuf_init(struct cbuf *b) { *b = (struct cbuf){0}; }
/* Gives every chunk back. */
void cbuf_free(struct cbuf *b, struct pool *chunks);
/* The contiguous room after the last byte, taking a chunk if there is none; 0 and NULL if the pool is empty. */
u32 cbuf_room(struct cbuf *b, struct pool *chunks, u8 **p);
/* n bytes of the room that cbuf_room() gave are now data. */
void cbuf_commit(struct cbuf *b, u32 n);
/* Copies n bytes to offset at (len or beyond for a receiver), taking chunks as needed. */
bool cbuf_write_at(struct cbuf *b, struct pool *chunks, u32 at, const u8 *p, u32 n);
/* The n bytes after the last readable one have been written: readable. */
static inline void cbuf_extend(struct cbuf *b, u32 n) { b->len += n; }
/* Contiguous readable bytes at the front; 0 if empty. */
u32 cbuf_front(const struct cbuf *b, const u8 **p);
/* The first n readable bytes leave. ahead: bytes written beyond len exist, so the last chunk stays. */
void cbuf_consume(struct cbuf *b, struct pool *chunks, u32 n, bool ahead);
/* Readable bytes [at, at+n) as at most max spans; returns how many bytes they cover and sets *spans. */
u32 cbuf_spans(struct cbuf *b, u32 at, u32 n, struct span *out, u32 max, u32 *spans);

#endif
