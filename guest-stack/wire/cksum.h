/* cksum.h - the Internet checksum (RFC 1071): the ones-complement sum of 16-bit big-endian words.
 *
 * A partial sum is a u32 that is right modulo 65,535; start with 0, add pieces, fold once at the end.
 *
 *   sum = cksum_pseudo(src, dst, IP_PROTO_UDP, len);
 *   sum = cksum_add(sum, header, 8);
 *   sum = cksum_add(sum, payload, payload_len);      every piece but the last has an even length,
 *   be16_put(field, cksum_fold(sum));                or cksum_odd() turns the sum of what follows
 *
 * A received header or segment with its checksum field in place is right when cksum_fold() gives 0.
 * cksum_add is weak: arch/s390 replaces it by CKSM, which sums at the speed of the host.
 */
#ifndef WIRE_CKSUM_H
#define WIRE_CKSUM_H

#include "base/base.h"
#include "wire/ipaddr.h"

u32 cksum_add(u32 sum, const void *p, u32 len);

/* Two partial sums as one (end-around carry). */
static inline u32 cksum_join(u32 a, u32 b) {
    u32 s = a + b;
    return s + (s < a);
}
/* The sum of a piece as it counts when it begins at an odd offset: each byte moves to the other half. */
static inline u32 cksum_odd(u32 sum) {
    return sum << 8 | sum >> 24;
}

/* Folded to 16 bits and complemented: what the field holds. */
static inline u16 cksum_fold(u32 sum) {
    sum = (sum >> 16) + (sum & 0xFFFF);
    sum += sum >> 16;
    return (u16)~sum;
}
/* Folded only: what the field of a packet holds whose checksum the card finishes (PKT_CSUM_NEEDED). */
static inline u16 cksum_partial(u32 sum) {
    return (u16)~cksum_fold(sum);
}

/* The sum of the pseudo header of TCP and UDP; len is that of the transport header and its data. */
static inline u32 cksum_pseudo(struct ipaddr src, struct ipaddr dst, u8 proto, u32 len) {
    return cksum_join(cksum_join(src.v4, dst.v4), (u32)proto + len);
}

/* The field after a 16-bit word of what it covers changed from was to is (RFC 1624, eqn. 3). */
static inline u16 cksum_update(u16 field, u16 was, u16 is) {
    u32 sum = (u32)(u16)~field + (u16)~was + is;
    return cksum_fold(sum);
}

#endif
