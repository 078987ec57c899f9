/* ip_forward.c - forwarding (IPCONFIG DATAGRAMFWD; RFC 1812 5).
 *
 * In this order: allowed at all? time to live; way; back where it came from (redirect); size; options; one
 * hop less. A packet that a card has passed as "transport checksum right" may never have had one (it came
 * from another LPAR of the same card), so its checksum is finished anew on its way out.
 */
#include "net/ip_impl.h"
#include "net/stack_impl.h"
#include "wire/icmp.h"
#include "wire/ip4.h"

#define TCP_MIN      20
#define TCP_OFFSET   12

static bool may_forward(struct stack *stk, const struct pkt *p) {
    struct ip_stats *s = &stk->stats.ip;
    if (!stk->conf.ip.forwarding) {
        s->drop_not_forwarding++;
        s->in_addr_errors++;
        return false;
    }
    if (p->flags & (PKT_LINK_BCAST | PKT_LINK_MCAST)) {
        /* A unicast packet in a broadcast frame: every host would forward it (RFC 1122 3.3.6). */
        s->drop_forward_link_bcast++;
        return false;
    }
    if (ipaddr_is_any(p->src) || p->dst.v4 >> 28 == 15) {
        s->drop_martian_dst++;
        s->in_addr_errors++;
        return false;
    }
    return true;
}

/* Does the sender sit next to the hop that we send its packet to? Then it could have gone there by itself. */
static void tell_shorter_way(struct stack *stk, const struct pkt *p, const struct route *r, u64 now) {
    struct ipaddr gateway = ipaddr_is_any(r->def.gateway) ? p->dst : r->def.gateway;
    const struct route *back = route_attached(stk, p->src);
    if (!back || back->def.lnk != r->def.lnk || back->def.prefix_bits == 32) return;
    u32 mask = back->def.prefix_bits ? UINT32_MAX << (32 - back->def.prefix_bits) : 0;
    if (ipaddr_in_subnet(gateway, p->src, ipaddr_v4(mask))) icmp_redirect_send(stk, p, gateway, now);
}

/* Bytes of the longest packet that p is on the wire; 0 for a packet of several segments that is not TCP's. */
static u32 wire_bytes(const struct pkt *p) {
    u32 header = ip4_header_bytes(p->data);
    if (!p->gso_bytes) return p->len;
    if (p->proto != IP_PROTO_TCP || p->len < header + TCP_MIN) return 0;
    u32 headers = header + (u32)(p->data[header + TCP_OFFSET] >> 4) * 4;
    return headers >= header + TCP_MIN && headers < p->len ? headers + p->gso_bytes : 0;
}

/* Several segments that a card joined go on as such: the payload apart from the headers, as TCP hands them
 * down. */
static void split_payload(struct pkt *p) {
    u32 header = ip4_header_bytes(p->data);
    u32 headers = header + (u32)(p->data[header + TCP_OFFSET] >> 4) * 4;
    p->ext_len = p->len - headers;
    p->ext[0] = (struct span){p->data + headers, p->ext_len};
    p->len = headers;
}

static void forward_along(struct stack *stk, struct link *in, struct pkt *p, const struct route *r, u64 now) {
    u32 mtu = route_mtu(r), bytes = wire_bytes(p);
    if (!bytes) {
        stk->stats.ip.drop_header_len++;
        return;
    }
    if (r->def.lnk == in) tell_shorter_way(stk, p, r, now);
    if (bytes > mtu && (be16_get(p->data + IP4_FRAG) & IP4_FRAG_DF)) {
        stk->stats.ip.frag_fails++;
        stk->stats.ip.drop_pmtu_df++;
        icmp_send_error(stk, p, ICMP_UNREACHABLE, ICMP_UNREACH_FRAG_NEEDED, mtu, now);
        return;
    }
    if (p->gso_bytes && bytes > mtu) {
        /* Segments too long for the way, but allowed to be cut: shorter ones instead of fragments. */
        if (bytes - mtu >= p->gso_bytes) {
            stk->stats.ip.frag_fails++; /* the way does not even hold the headers */
            return;
        }
        p->gso_bytes = (u16)(p->gso_bytes - (bytes - mtu));
    }
    pkt_renew_checksum(p);
    ip4_hop(p->data);
    if (p->data[0] != 0x45) ip_options_record(stk, p->data, home_of_link(stk, r->def.lnk), now);
    p->flags |= PKT_FORWARDED;
    if (p->gso_bytes) split_payload(p);
    stk->stats.ip.forw_datagrams++;
    ip_emit(stk, r->def.lnk, p, ipaddr_is_any(r->def.gateway) ? p->dst : r->def.gateway, mtu, now);
}

void ip_forward(struct stack *stk, struct link *in, struct pkt *p, u64 now) {
    if (!may_forward(stk, p)) return;
    if (p->ttl <= 1) {
        stk->stats.ip.drop_ttl++;
        icmp_send_error(stk, p, ICMP_TIME_EXCEEDED, ICMP_EXCEEDED_TTL, 0, now);
        return;
    }
    u32 flow = hash2(&stk->key, p->src.v4, p->dst.v4);
    const struct route *r = route_lookup(stk, p->dst, flow, stk->conf.ip.forward_per_packet);
    if (!r) {
        stk->stats.ip.out_no_routes++;
        icmp_send_error(stk, p, ICMP_UNREACHABLE, ICMP_UNREACH_NET, 0, now);
        return;
    }
    if (ip_is_subnet_broadcast(r, p->dst)) {
        stk->stats.ip.drop_forward_link_bcast++; /* directed broadcasts are not forwarded (RFC 2644) */
        return;
    }
    forward_along(stk, in, p, r, now);
}
