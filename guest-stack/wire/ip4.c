/* ip4.c - IPv4 headers: check, emit, walk the options. See ip4.h. */
#include "wire/ip4.h"

enum ip4_fault ip4_check(const u8 *h, u32 len, bool verify) {
    if (len < IP4_HEADER_MIN) return IP4_SHORT;
    if (h[0] >> 4 != 4) return IP4_VERSION;
    u32 header = ip4_header_bytes(h), total = ip4_total(h);
    if (header < IP4_HEADER_MIN || header > len) return IP4_HEADER_LEN;
    if (total < header || total > len) return IP4_TOTAL_LEN;
    if (verify && cksum_fold(cksum_add(0, h, header)) != 0) return IP4_CHECKSUM;
    return IP4_OK;
}

void ip4_sign(u8 *h) {
    be16_put(h + IP4_CKSUM, 0);
    be16_put(h + IP4_CKSUM, cksum_fold(cksum_add(0, h, ip4_header_bytes(h))));
}

void ip4_emit(u8 *h, const struct ip4_fields *f) {
    h[0] = 0x45;
    h[IP4_TOS] = f->tos;
    be16_put(h + IP4_TOTAL, f->total);
    be16_put(h + IP4_ID, f->id);
    be16_put(h + IP4_FRAG, f->frag);
    h[IP4_TTL] = f->ttl;
    h[IP4_PROTO] = f->proto;
    be16_put(h + IP4_CKSUM, 0);
    ipaddr_put(h + IP4_SRC, f->src);
    ipaddr_put(h + IP4_DST, f->dst);
    be16_put(h + IP4_CKSUM, cksum_fold(cksum_add(0, h, IP4_HEADER_MIN)));
}

int ip4_option_next(const u8 *h, u32 *at, const u8 **opt, u32 *opt_len) {
    u32 end = ip4_header_bytes(h);
    while (*at < end && h[*at] == IP4_OPT_NOP) (*at)++;
    if (*at >= end || h[*at] == IP4_OPT_END) return IP4_OPT_END;
    if (end - *at < 2) return -1;
    u32 len = h[*at + 1];
    if (len < 2 || len > end - *at) return -1;
    *opt = h + *at;
    *opt_len = len;
    *at += len;
    return **opt;
}
