/* ip4.h - the IPv4 header (RFC 791 3.1) as bytes.
 *
 *   off len                         off len
 *    0   1  version 4, header words   8   1  time to live
 *    1   1  type of service           9   1  protocol
 *    2   2  total length             10   2  header checksum
 *    4   2  identification           12   4  source
 *    6   2  flags, fragment offset   16   4  destination     20.. options, 0..40 bytes
 *
 * ip4_check() before anything else is read. Options end with IP4_OPT_END or with the header.
 */
#ifndef WIRE_IP4_H
#define WIRE_IP4_H

#include "base/be.h"
#include "wire/cksum.h"
#include "wire/ipaddr.h"

#define IP4_HEADER_MIN  20
#define IP4_HEADER_MAX  60
#define IP4_OPTIONS_MAX 40
#define IP4_TOTAL_MAX   65535

#define IP4_TOS   1
#define IP4_TOTAL 2
#define IP4_ID    4
#define IP4_FRAG  6
#define IP4_TTL   8
#define IP4_PROTO 9
#define IP4_CKSUM 10
#define IP4_SRC   12
#define IP4_DST   16

#define IP4_FRAG_DF     0x4000
#define IP4_FRAG_MF     0x2000
#define IP4_FRAG_OFFSET 0x1FFF /* in 8-byte blocks */

#define IP4_OPT_END          0
#define IP4_OPT_NOP          1
#define IP4_OPT_RECORD_ROUTE 7
#define IP4_OPT_TIMESTAMP    68
#define IP4_OPT_LOOSE_ROUTE  131
#define IP4_OPT_STRICT_ROUTE 137
#define IP4_OPT_ROUTER_ALERT 148
#define IP4_OPT_COPIED       0x80 /* goes into every fragment */

enum ip4_fault { IP4_OK, IP4_SHORT, IP4_VERSION, IP4_HEADER_LEN, IP4_TOTAL_LEN, IP4_CHECKSUM };

/* Are these len bytes an IPv4 packet? len may exceed the total length (padding). verify: sum the header. */
enum ip4_fault ip4_check(const u8 *h, u32 len, bool verify);

static inline u32 ip4_header_bytes(const u8 *h) {
    return (h[0] & 15u) * 4;
}
static inline u32 ip4_total(const u8 *h) {
    return be16_get(h + IP4_TOTAL);
}

/* A header without options whose lengths agree: what ip4_check() without a sum would say of nearly all packets. */
static inline bool ip4_is_plain(const u8 *h, u32 len) {
    return len >= IP4_HEADER_MIN && h[0] == 0x45 && ip4_total(h) - IP4_HEADER_MIN <= len - IP4_HEADER_MIN;
}

struct ip4_fields {
    struct ipaddr src, dst;
    u16 total, id, frag; /* frag: IP4_FRAG_* flags and offset */
    u8 tos, ttl, proto;
};
/* A 20-byte header with its checksum. */
void ip4_emit(u8 *h, const struct ip4_fields *f);
/* Recomputes the checksum of a header of any length. */
void ip4_sign(u8 *h);
/* One hop less, checksum adjusted (RFC 1624). */
static inline void ip4_hop(u8 *h) {
    u16 was = be16_get(h + IP4_TTL);
    h[IP4_TTL]--;
    be16_put(h + IP4_CKSUM, cksum_update(be16_get(h + IP4_CKSUM), was, be16_get(h + IP4_TTL)));
}

/* Steps over options: *at starts at IP4_HEADER_MIN. Returns the option's type with *opt and *opt_len set,
 * IP4_OPT_END after the last, -1 if an option's length is wrong (then *at is the offset of the fault). */
int ip4_option_next(const u8 *h, u32 *at, const u8 **opt, u32 *opt_len);

#endif
