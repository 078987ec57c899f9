/* icmp.c - ICMP messages: emit, check, and the packet that an error quotes. See wire/icmp.h. */
#include "wire/icmp.h"

#include "wire/cksum.h"
#include "wire/ip4.h"

void icmp_emit(u8 *p, u8 type, u8 code, u32 word, u32 len) {
    p[0] = type;
    p[1] = code;
    be16_put(p + 2, 0);
    be32_put(p + 4, word);
    be16_put(p + 2, cksum_fold(cksum_add(0, p, len)));
}

bool icmp_check(const u8 *p, u32 len, bool *is_short) {
    *is_short = len < ICMP_HEADER_BYTES;
    return !*is_short && cksum_fold(cksum_add(0, p, len)) == 0;
}

bool icmp_quote_parse(const u8 *p, u32 len, struct icmp_quote *out) {
    const u8 *h = p + ICMP_HEADER_BYTES;
    if (len < ICMP_HEADER_BYTES + IP4_HEADER_MIN) return false;
    u32 room = len - ICMP_HEADER_BYTES;
    /* Only the header's own lengths are checked: the quote is cut, and a router may have changed its
     * checksum. */
    u32 header = ip4_header_bytes(h);
    if (h[0] >> 4 != 4 || header < IP4_HEADER_MIN || room < header + 8) return false;
    out->src = ipaddr_get(h + IP4_SRC);
    out->dst = ipaddr_get(h + IP4_DST);
    out->proto = h[IP4_PROTO];
    out->total = be16_get(h + IP4_TOTAL);
    out->first_fragment = (be16_get(h + IP4_FRAG) & IP4_FRAG_OFFSET) == 0;
    out->transport = h + header;
    out->transport_len = room - header;
    return true;
}
