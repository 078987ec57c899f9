/* pathbuf.c - collects blocks for a path and takes transfers apart. See xcf/pathbuf.h. */
#include "xcf/pathbuf.h"

#include "base/str.h"
#include "wire/xcfmsg.h"

#define LENGTH_AT 4 /* bytes of the block, in its header */

bool pathbuf_put(struct pathbuf *b, const u8 *block, u32 len) {
    if (len > PATHBUF_BYTES - b->used) {
        b->refused = true;
        return false;
    }
    memcpy(b->buf[b->filling] + b->used, block, len);
    b->used += len;
    return true;
}

u32 pathbuf_block(const u8 *transfer, u32 at, u32 len) {
    if (len - at < XCFMSG_HEADER) return 0;
    u32 bytes = be16_get(transfer + at + LENGTH_AT);
    return bytes >= XCFMSG_HEADER && bytes <= len - at ? bytes : 0;
}
