/* be.h - big-endian fields in bytes. The only way a room reads or writes a wire format or a channel
 * structure: no struct is cast over a packet. On S/390 each accessor is one instruction; on the host it is
 * one and a byte swap. They copy the value as a whole, for compilers do not always join bytes that are stored
 * one by one. p needs no alignment.
 */
#ifndef BASE_BE_H
#define BASE_BE_H

#include "base/base.h"

static inline u16 be16_get(const u8 *p) { return (u16)((u32)p[0] << 8 | p[1]); }
static inline u32 be32_get(const u8 *p) { return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3]; }
static inline u64 be64_get(const u8 *p) { return (u64)be32_get(p) << 32 | be32_get(p + 4); }

static inline u16 be16_order(u16 v) { return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? v : __builtin_bswap16(v); }
static inline u32 be32_order(u32 v) { return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? v : __builtin_bswap32(v); }

static inline void be16_put(u8 *p, u16 v) {
    v = be16_order(v);
    __builtin_memcpy(p, &v, sizeof v);
}
static inline void be32_put(u8 *p, u32 v) {
    v = be32_order(v);
    __builtin_memcpy(p, &v, sizeof v);
}
static inline void be64_put(u8 *p, u64 v) {
    be32_put(p, (u32)(v >> 32));
    be32_put(p + 4, (u32)v);
}

#endif
