/* gre.h - generic routing encapsulation (RFC 2784): a header between two IP packets. Touches nothing but the bytes.
 *
 *    0  2 flags: X'8000' a checksum follows; X'7C00' must be zero (RFC 1701's routing, key, sequence number and recursion, which
 *         nobody asked for); X'03F8' is ignored; X'0007' version, 0
 *    2  2 type of what follows, X'0800' IPv4
 *    4  2 checksum of header and payload, 6  2 zero: both only with X'8000'
 *
 * Ours are sent without checksum: the packet within has its own, and the header around it, too.
 */
#ifndef WIRE_GRE_H
#define WIRE_GRE_H

#include "base/be.h"

#define GRE_HEADER_BYTES     4
#define GRE_HEADER_CKSUM     8
#define GRE_FLAG_CKSUM       0x8000
#define GRE_FLAGS_REFUSED    0x7C00
#define GRE_VERSION_MASK     0x0007
#define GRE_TYPE_AT          2
#define GRE_CKSUM_AT         4
#define GRE_TYPE_IP          0x0800

enum gre_fault { GRE_OK, GRE_SHORT, GRE_FLAGS, GRE_TYPE, GRE_CHECKSUM };

/* Are these len bytes GRE around an IPv4 packet? *header: bytes before that. Of the packet itself nothing is looked at. */
enum gre_fault gre_check(const u8 *p, u32 len, u32 *header);
static inline void gre_emit(u8 *p) {
    be16_put(p, 0);
    be16_put(p + GRE_TYPE_AT, GRE_TYPE_IP);
}

#endif
