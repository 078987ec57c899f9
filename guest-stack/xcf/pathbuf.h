/* pathbuf.h - blocks on their way over one signalling path, several in one transfer.
 *
 * Two buffers: one is filled while the other is under way. What has come together by the adapter's next poll, or while a transfer
 * was under way, goes in one. A transfer is whole blocks (wire/xcfmsg.h), one behind the other; each
 * says its own length, so the transfer needs no header. Who reads it without being told how long it was stops at PATHBUF_END
 * bytes of zero, which stand behind the last block and are sent with it by whoever has such a reader.
 *
 *   pathbuf_put()     a block; false: full, and pathbuf_landed() will say when there is room
 *   pathbuf_take()    what is to be sent now; NULL: nothing, or something is under way
 *   pathbuf_landed()  it has arrived; true: somebody was refused meanwhile, tell him (xcf_path_room)
 *
 * Pure; the storage is the caller's.
 */
#ifndef XCF_PATHBUF_H
#define XCF_PATHBUF_H

#include "base/str.h"

struct xcf_path;

#define PATHBUF_BYTES 61440u /* of blocks: 15 of the greatest length; fits a CCW and a facility's command */
#define PATHBUF_END 8u
#define PATHBUF_STORAGE (PATHBUF_BYTES + 64u) /* of one buffer, and the end of its transfer */

struct pathbuf {
    u8 *buf[2];
    u32 used; /* bytes in the one that is filled */
    u8 filling;
    bool flying, refused;
};

static inline void pathbuf_init(struct pathbuf *b, u8 *first, u8 *second) { *b = (struct pathbuf){.buf = {first, second}}; }

/* Forgets what is in it: the path went down. flying: a transfer is still under way, and its buffer not to be touched. */
static inline void pathbuf_clear(struct pathbuf *b, bool flying) {
    b->used = 0;
    b->flying = flying;
    b->refused = false;
}

static inline bool pathbuf_put(struct pathbuf *b, const u8 *block, u32 len) {
    if (len > PATHBUF_BYTES - b->used) {
        b->refused = true;
        return false;
    }
    memcpy(b->buf[b->filling] + b->used, block, len);
    b->used += len;
    return true;
}
static inline u8 *pathbuf_take(struct pathbuf *b, u32 *len) {
    if (b->flying || b->used == 0) return NULL;
    u8 *transfer = b->buf[b->filling];
    *len = b->used;
    memset(transfer + b->used, 0, PATHBUF_END);
    b->filling ^= 1;
    b->used = 0;
    b->flying = true;
    return transfer;
}
static inline bool pathbuf_landed(struct pathbuf *b) {
    bool refused = b->refused;
    b->flying = b->refused = false;
    return refused;
}

/* The next block of a transfer that arrived: its length at *at of len bytes, 0 at the end or when what is left is no block. */
u32 pathbuf_block(const u8 *transfer, u32 at, u32 len);
/* Does it end there, behind a block? */
bool pathbuf_ends(const u8 *transfer, u32 at);

#endif
