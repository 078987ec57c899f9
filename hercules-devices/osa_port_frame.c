/* osa_port_frame.c - frames inside the OSA's port: parse, judge an offload request, finish it.
 *
 * Finishing is what the hardware does behind the channel: the transport checksum over a field that holds the
 * pseudo-header sum, and the segmentation of a large TCP packet. A segment is the packet's own IP and TCP headers
 * with total length, identification (+1 each), sequence number, flags (CWR in the first only; FIN and PSH in the last
 * only) and both checksums made new.
 */
#include "hercules-devices/osa_port_impl.h"

#define TCP_HEADER_MIN 20u
#define TCP_SEQ        4u
#define TCP_OFFSET     12u
#define TCP_FLAGS      13u
#define TCP_CKSUM      16u
#define TCP_FIN_PSH    0x09u
#define TCP_CWR        0x80u
#define UDP_CKSUM      6u

static void ip_facts(struct osa_frame *f, const u8 *ip) {
    f->ip = true;
    f->ip_proto = ip[IP4_PROTO];
    f->ip_fragment = (be16_get(ip + IP4_FRAG) & (IP4_FRAG_MF | IP4_FRAG_OFFSET)) != 0;
    f->src = ipaddr_get(ip + IP4_SRC);
    f->dst = ipaddr_get(ip + IP4_DST);
}

static u8 cast_of(const u8 *mac) {
    return eth_is_broadcast(mac) ? OSA_CAST_BROAD : eth_is_group(mac) ? OSA_CAST_MULTI : OSA_CAST_UNI;
}

bool osa_frame_parse(struct osa_frame *f, const u8 *bytes, u32 len, u16 from) {
    *f = (struct osa_frame){.from = from, .link_len = ETH_HEADER_BYTES};
    if (len < ETH_HEADER_BYTES) return false;
    f->ethertype = eth_type(bytes);
    if (f->ethertype == ETH_TYPE_VLAN) {
        if (len < ETH_HEADER_BYTES + 4) return false;
        f->link_len = ETH_HEADER_BYTES + 4;
        f->vlan = be16_get(bytes + ETH_HEADER_BYTES);
        f->ethertype = be16_get(bytes + ETH_HEADER_BYTES + 2);
    }
    f->cast = cast_of(bytes);
    f->head_len = f->link_len;
    f->body_len = len - f->link_len;
    if (f->ethertype == ETH_TYPE_IP) {
        const u8 *ip = bytes + f->link_len;
        if (ip4_check(ip, len - f->link_len, true) != IP4_OK) return false;
        f->head_len += ip4_header_bytes(ip);
        f->body_len = ip4_total(ip) - ip4_header_bytes(ip); /* what follows is padding of a short frame */
        ip_facts(f, ip);
    }
    memcpy(f->head, bytes, f->head_len);
    f->body = bytes + f->head_len;
    return true;
}

bool port_frame_from_ip(struct osa_port *p, struct osa_frame *f, const u8 *msg, u32 len) {
    static const u8 nowhere[ETH_MAC_BYTES] = {0};
    const u8 *ip = msg + OSA_FRAME_DATA;
    u32 flags = be16_get(msg + 10);
    bool sign = (flags & OSA_FRAME_IP_CSUM_NEEDED) != 0;
    if (ip4_check(ip, len - OSA_FRAME_DATA, !sign) != IP4_OK) return false;
    u32 header = ip4_header_bytes(ip);
    *f = (struct osa_frame){.ethertype = ETH_TYPE_IP, .cast = msg[9], .vlan = be16_get(msg + 14)};
    f->link_len = f->vlan ? ETH_HEADER_BYTES + 4 : ETH_HEADER_BYTES;
    eth_emit(f->head, nowhere, p->params.mac, f->vlan ? ETH_TYPE_VLAN : ETH_TYPE_IP);
    if (f->vlan) {
        be16_put(f->head + ETH_HEADER_BYTES, f->vlan);
        be16_put(f->head + ETH_HEADER_BYTES + 2, ETH_TYPE_IP);
    }
    f->head_len = f->link_len + header;
    memcpy(f->head + f->link_len, ip, header);
    if (sign) ip4_sign(f->head + f->link_len);
    f->body = ip + header;
    f->body_len = ip4_total(ip) - header;
    ip_facts(f, f->head + f->link_len);
    f->gso_bytes = be16_get(msg + 12);
    f->csum_needed = (flags & OSA_FRAME_CSUM_NEEDED) != 0;
    f->csum_start = f->link_len + be16_get(msg + 20);
    f->csum_field = be16_get(msg + 22);
    return true;
}

bool port_frame_offload_ok(struct osa_frame *f) {
    u32 len = osa_frame_len(f);
    if (f->csum_needed && (f->csum_start < f->head_len || f->csum_start >= len || f->csum_field > len ||
                           f->csum_start + f->csum_field + 2 > len || f->ip_fragment))
        return false;
    if (!f->gso_bytes) return true;
    if (!f->csum_needed || !f->ip || f->ip_proto != PORT_TCP || f->csum_start != f->head_len ||
        f->csum_field != TCP_CKSUM || f->gso_bytes < OSA_GSO_MIN || f->body_len < TCP_HEADER_MIN)
        return false;
    u32 tcp = (u32)(f->body[TCP_OFFSET] >> 4) * 4;
    if (tcp < TCP_HEADER_MIN || tcp > f->body_len) return false;
    if (f->body_len - tcp <= f->gso_bytes) f->gso_bytes = 0; /* one segment is one frame */
    return true;
}

bool port_frame_fits(const struct osa_frame *f, u32 mtu_bytes) {
    u32 packet = osa_frame_len(f) - f->link_len;
    if (f->gso_bytes) packet = f->head_len - f->link_len + (u32)(f->body[TCP_OFFSET] >> 4) * 4 + f->gso_bytes;
    return packet <= mtu_bytes;
}

void port_frame_set_mac(struct osa_frame *f, const u8 *dst) {
    memcpy(f->head + ETH_DST, dst, ETH_MAC_BYTES);
    f->cast = cast_of(dst);
}

void port_frame_write(const struct osa_frame *f, u32 skip, u8 *out) {
    u32 head = f->head_len - skip;
    memcpy(out, f->head + skip, head);
    if (f->body_len) memcpy(out + head, f->body, f->body_len);
    if (!f->csum_needed) return;
    u8 *from = out + f->csum_start - skip;
    u16 sum = cksum_fold(cksum_add(0, from, osa_frame_len(f) - f->csum_start));
    /* A UDP checksum of zero would say that there is none (RFC 768). */
    if (sum == 0 && f->csum_field == UDP_CKSUM && f->ip && f->ip_proto == PORT_UDP) sum = 0xFFFF;
    be16_put(from + f->csum_field, sum);
}

/* One segment: payload bytes [at, at+len) of a packet whose TCP header has tcp bytes. */
static u32 segment_write(const struct osa_frame *f, u32 skip, u32 tcp, u32 index, u32 at, u32 len, u8 *out) {
    bool last = at + len == f->body_len - tcp;
    u32 headers = f->head_len - skip;
    u8 *ip = out + f->link_len - skip, *t = out + headers;
    memcpy(out, f->head + skip, headers);
    memcpy(t, f->body, tcp);
    memcpy(t + tcp, f->body + tcp + at, len);
    be16_put(ip + IP4_TOTAL, (u16)(f->head_len - f->link_len + tcp + len));
    be16_put(ip + IP4_ID, (u16)(be16_get(ip + IP4_ID) + index));
    ip4_sign(ip);
    be32_put(t + TCP_SEQ, be32_get(t + TCP_SEQ) + at);
    if (!last) t[TCP_FLAGS] &= (u8)~TCP_FIN_PSH;
    if (index) t[TCP_FLAGS] &= (u8)~TCP_CWR;
    be16_put(t + TCP_CKSUM, 0);
    be16_put(t + TCP_CKSUM, cksum_fold(cksum_add(cksum_pseudo(f->src, f->dst, PORT_TCP, tcp + len), t, tcp + len)));
    return headers + tcp + len;
}

u32 osa_frame_finish(const struct osa_frame *f, u32 skip, u8 *stage, u32 cap, osa_frame_sink sink, void *ctx) {
    if (!f->gso_bytes) {
        u32 len = osa_frame_len(f) - skip;
        if (len > cap) return 0;
        port_frame_write(f, skip, stage);
        sink(ctx, stage, len);
        return 1;
    }
    u32 tcp = (u32)(f->body[TCP_OFFSET] >> 4) * 4, payload = f->body_len - tcp, n = 0;
    if (f->head_len + tcp + f->gso_bytes > cap) return 0;
    for (u32 at = 0; at < payload; at += f->gso_bytes, n++)
        sink(ctx, stage, segment_write(f, skip, tcp, n, at, u32_min(f->gso_bytes, payload - at), stage));
    return n;
}

bool port_frame_verify(const struct osa_frame *f) {
    if (!f->ip || f->ip_fragment || (f->ip_proto != PORT_TCP && f->ip_proto != PORT_UDP)) return true;
    if (f->ip_proto == PORT_UDP && f->body_len >= 8 && be16_get(f->body + UDP_CKSUM) == 0) return true;
    u32 sum = cksum_pseudo(f->src, f->dst, f->ip_proto, f->body_len);
    return cksum_fold(cksum_add(sum, f->body, f->body_len)) == 0;
}
