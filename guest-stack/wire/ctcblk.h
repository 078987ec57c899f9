/* ctcblk.h - blocks of IP packets on a channel-to-channel adapter, as TCP/IP for VM and OS/390 and Linux's ctcm
 * (protocol 0) exchange them.
 *
 *   off len
 *    0   2  bytes of the block, these two included
 *    2      packets, one behind the other:
 *             0  2  bytes of the packet, this header included
 *             2  2  type, 0x0800 for IP
 *             4  2  unused, zero
 *             6     the IP packet
 *
 * The first block each way has no packet: just its length, 2. It tells the other side that a reader may expect data.
 * Bytes behind the block's length are no part of it (some senders append two).
 */
#ifndef WIRE_CTCBLK_H
#define WIRE_CTCBLK_H

#include "base/be.h"

#define CTCBLK_LENGTH_BYTES 2u
#define CTCBLK_HEADER_BYTES 6u
#define CTCBLK_TYPE_IP 0x0800u

/* Where a reader is in a block. */
struct ctcblk {
    u8 *at;
    u32 left; /* bytes of packets not yet looked at */
};

/* false: the block's length says more than came, or less than itself. */
static inline bool ctcblk_open(struct ctcblk *b, u8 *block, u32 len) {
    if (len < CTCBLK_LENGTH_BYTES) return false;
    u32 said = be16_get(block);
    if (said < CTCBLK_LENGTH_BYTES || said > len) return false;
    *b = (struct ctcblk){block + CTCBLK_LENGTH_BYTES, said - CTCBLK_LENGTH_BYTES};
    return true;
}

/* The next packet; NULL at the end, *bad if what is left is no packet. type as in the header. */
static inline u8 *ctcblk_next(struct ctcblk *b, u32 *len, u32 *type, bool *bad) {
    *bad = false;
    if (b->left == 0) return NULL;
    u32 bytes = b->left < CTCBLK_HEADER_BYTES ? 0 : be16_get(b->at);
    *bad = bytes < CTCBLK_HEADER_BYTES || bytes > b->left;
    if (*bad) return NULL;
    u8 *p = b->at + CTCBLK_HEADER_BYTES;
    *len = bytes - CTCBLK_HEADER_BYTES;
    *type = be16_get(b->at + 2);
    b->at += bytes;
    b->left -= bytes;
    return p;
}

/* The header of a packet of len bytes at its place. */
static inline void ctcblk_header(u8 *at, u32 len) {
    be16_put(at, (u16)(len + CTCBLK_HEADER_BYTES));
    be16_put(at + 2, CTCBLK_TYPE_IP);
    be16_put(at + 4, 0);
}

#endif
