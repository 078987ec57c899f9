/* pathbuf.c - takes transfers apart. See xcf/pathbuf.h. */
#include "xcf/pathbuf.h"

#include "wire/xcfmsg.h"

#define LENGTH_AT 4 /* bytes of the block, in its header */

u32 pathbuf_block(const u8 *transfer, u32 at, u32 len) {
    if (len - at < XCFMSG_HEADER) return 0;
    u32 bytes = be16_get(transfer + at + LENGTH_AT);
    return bytes >= XCFMSG_HEADER && bytes <= len - at ? bytes : 0;
}

bool pathbuf_ends(const u8 *transfer, u32 at) { return at > 0 && be16_get(transfer + at + LENGTH_AT) == 0; }
