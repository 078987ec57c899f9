/* udphdr.h - the UDP header (RFC 768), 8 bytes:
 *    0 2 source port | 2 2 destination port | 4 2 length with header | 6 2 checksum, 0 = none
 */
#ifndef WIRE_UDPHDR_H
#define WIRE_UDPHDR_H

#include "base/be.h"

#define UDP_HEADER_BYTES 8
#define UDP_SRC          0
#define UDP_DST          2
#define UDP_LEN          4
#define UDP_CKSUM        6

static inline void udp_emit(u8 *p, u16 src, u16 dst, u16 len) {
    be16_put(p + UDP_SRC, src);
    be16_put(p + UDP_DST, dst);
    be16_put(p + UDP_LEN, len);
    be16_put(p + UDP_CKSUM, 0);
}

#endif
