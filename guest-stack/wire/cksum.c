/* cksum.c - the Internet checksum in C, for machines without CKSM. See cksum.h.
 *
 * A little-endian host sums words as it loads them and turns the folded result round once: swapping the bytes
 * of every word swaps those of the ones-complement sum (RFC 1071, 2 B). Two independent 64-bit accumulators
 * of 32-bit words cannot overflow below 16 GB and let the compiler use its vector unit.
 */
#include "wire/cksum.h"

#include "base/str.h"

static u32 load32(const u8 *p) {
    u32 v;
    memcpy(&v, p, 4);
    return v;
}

/* To 16 bits, by end-around carries. */
static u32 fold16(u64 sum) {
    sum = (sum >> 32) + (sum & 0xFFFFFFFFu);
    u32 s = (u32)(sum >> 32) + (u32)(sum >> 16 & 0xFFFF) + (u32)(sum & 0xFFFF);
    s = (s >> 16) + (s & 0xFFFF);
    return (s >> 16) + (s & 0xFFFF);
}

__attribute__((weak)) u32 cksum_add(u32 sum, const void *p, u32 len) {
    const u8 *b = p;
    u64 acc = 0;
    u8 tail[4] = {0};

    for (; len >= 16; len -= 16, b += 16)
        acc += (u64)load32(b) + load32(b + 4) + ((u64)load32(b + 8) + load32(b + 12));
    for (; len >= 4; len -= 4, b += 4) acc += load32(b);
    if (len) {
        memcpy(tail, b, len);
        acc += load32(tail);
    }
    u32 words = fold16(acc);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    words = (words << 8 & 0xFF00) | words >> 8;
#endif
    return cksum_join(sum, words);
}
