/* be.h - big-endian fields in bytes. The only way a room reads or writes a wire format or a channel
 * structure: no struct is cast over a packet. On S/390 each accessor is one instruction; on the host gcc
 * and clang make it one load and a byte swap. p needs no alignment.
 */
#ifndef BASE_BE_H
#define BASE_BE_H

#include "base/base.h"

static inline u16 be16_get(const u8 *p) { return (u16)((u32)p[0] << 8 | p[1]); }
static inline u32 be32_get(const u8 *p) { return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3]; }
static inline u64 be64_get(const u8 *p) { return (u64)be32_get(p) << 32 | be32_get(p + 4); }

static inline void be16_put(u8 *p, u16 v) {
    p[0] = (u8)(v >> 8);
    p[1] = (u8)v;
}
static inline void be32_put(u8 *p, u32 v) {
    p[0] = (u8)(v >> 24);
    p[1] = (u8)(v >> 16);
    p[2] = (u8)(v >> 8);
    p[3] = (u8)v;
}
static inline void be64_put(u8 *p, u64 v) {
    be32_put(p, (u32)(v >> 32));
    be32_put(p + 4, (u32)v);
}

#endif
