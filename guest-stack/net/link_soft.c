/* link_soft.c - what a card without offload leaves to us: transport checksums and segmentation.
 *
 * A GSO packet has its headers in data and its payload in ext. Segment n of it has the same headers, with
 *   IP     total length of its own, identification + n
 *   TCP    sequence number + n * gso_bytes; FIN and PSH only in the last, CWR only in the first
 * and a checksum over its own pseudo header. Payload is never copied: each segment's ext points into the
 * original's. What is only too long for a link that does segmentation itself is cut into few packets of many segments.
 */
#include "base/str.h"
#include "net/stack_impl.h"
#include "wire/cksum.h"
#include "wire/ip4.h"
#include "wire/udphdr.h"

#define TCP_SEQ      4
#define TCP_OFFSET   12
#define TCP_FLAGS    13
#define TCP_CKSUM    16
#define TCP_MIN      20
#define TCP_FIN      0x01
#define TCP_PSH      0x08
#define TCP_CWR      0x80

void pkt_finish_checksum(struct stack *stk, struct pkt *p) {
    const u8 *h = p->data;
    u32 header = ip4_header_bytes(h), len = pkt_bytes(p) - header;
    u32 field = h[IP4_PROTO] == IP_PROTO_TCP ? TCP_CKSUM : UDP_CKSUM;
    u8 *at = p->data + header + field;

    CHECK(p->len >= header + field + 2);
    p->flags &= (u16)~PKT_CSUM_NEEDED;
    be16_put(at, 0);
    u32 sum = cksum_pseudo(ipaddr_get(h + IP4_SRC), ipaddr_get(h + IP4_DST), h[IP4_PROTO], len);
    u16 value = cksum_fold(cksum_join(sum, pkt_sum(p, header, len)));
    /* In UDP 0 means "no checksum", so a sum that comes to 0 goes out as its other representation. */
    if (value == 0 && field == UDP_CKSUM) value = 0xFFFF;
    be16_put(at, value);
    stk->stats.link.software_checksums++;
}

void pkt_renew_checksum(struct pkt *p) {
    const u8 *h = p->data;
    u32 header = ip4_header_bytes(h), len = p->len - header;
    u8 *field;
    if (!(p->flags & PKT_L4_CSUM_OK) || (be16_get(h + IP4_FRAG) & (IP4_FRAG_MF | IP4_FRAG_OFFSET))) return;
    if (h[IP4_PROTO] == IP_PROTO_TCP && len >= TCP_MIN) {
        field = p->data + header + TCP_CKSUM;
    } else if (h[IP4_PROTO] == IP_PROTO_UDP && len >= UDP_HEADER_BYTES) {
        field = p->data + header + UDP_CKSUM;
        if (be16_get(field) == 0) return; /* sent without one */
    } else {
        return;
    }
    be16_put(field, cksum_partial(cksum_pseudo(ipaddr_get(h + IP4_SRC), ipaddr_get(h + IP4_DST), h[IP4_PROTO], len)));
    p->flags |= PKT_CSUM_NEEDED;
}

/* Writes what differs from segment to segment into the headers copied to h. */
static void segment_headers(u8 *h, u32 ip_bytes, u32 total, u32 n, u32 offset, bool last) {
    u8 *tcp = h + ip_bytes;
    be16_put(h + IP4_TOTAL, (u16)total);
    be16_put(h + IP4_ID, (u16)(be16_get(h + IP4_ID) + n));
    ip4_sign(h);
    be32_put(tcp + TCP_SEQ, be32_get(tcp + TCP_SEQ) + offset);
    if (!last) tcp[TCP_FLAGS] &= (u8) ~(TCP_FIN | TCP_PSH);
    if (n) tcp[TCP_FLAGS] &= (u8)~TCP_CWR;
}

/* Segments of each packet that comes of one: as many as the link takes at once. */
static u32 pieces_segments(const struct link *lnk, const struct pkt *p, u32 headers) {
    u32 room = (lnk->caps & LINK_CAP_GSO) && lnk->gso_max_bytes > headers ? lnk->gso_max_bytes - headers : 0;
    return u32_max(room / p->gso_bytes, 1);
}

void link_output_segments(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    u32 ip_bytes = ip4_header_bytes(p->data);
    CHECK(p->len >= ip_bytes + TCP_MIN && p->data[IP4_PROTO] == IP_PROTO_TCP);
    u32 headers = ip_bytes + (u32)(p->data[ip_bytes + TCP_OFFSET] >> 4) * 4;
    u32 each = pieces_segments(lnk, p, headers), step = each * p->gso_bytes, payload = p->ext_len;
    u8 room[PKT_HEADROOM + IP4_HEADER_MAX + 60];
    CHECK(p->len == headers && headers <= sizeof room - PKT_HEADROOM);

    lnk->stk->stats.link.gso_cut++;
    for (u32 n = 0, at = 0; at < payload; n += each, at += step) {
        u32 part = u32_min(step, payload - at);
        struct pkt seg = {.data = room + PKT_HEADROOM,
                          .len = headers,
                          .headroom = PKT_HEADROOM,
                          .flags = (u16)(p->flags | PKT_CSUM_NEEDED),
                          .gso_bytes = part > p->gso_bytes ? p->gso_bytes : 0};
        memcpy(seg.data, p->data, headers);
        pkt_slice(p, headers + at, part, &seg);
        segment_headers(seg.data, ip_bytes, headers + part, n, at, at + part == payload);
        /* The pseudo header's length is the segment's own, for a card that finishes the sum. */
        be16_put(seg.data + ip_bytes + TCP_CKSUM,
                 cksum_partial(cksum_pseudo(ipaddr_get(seg.data + IP4_SRC), ipaddr_get(seg.data + IP4_DST),
                                            IP_PROTO_TCP, headers - ip_bytes + part)));
        lnk->stk->stats.link.gso_segments++;
        link_output(lnk, &seg, next_hop, now);
    }
}
