/* ip_out.c - IPv4 output: the way, the source, the header (RFC 791, 1122 3.3). See ip.h.
 *
 * With a valid route cache a packet costs: one comparison, twenty bytes of header written as five words whose
 * sum is taken on the way, one size comparison, link_output().
 *
 * Identification: counters chosen by a keyed hash of source, destination and protocol, each begun at random,
 * so that one peer cannot see how much we send to another (RFC 6274 3.5.2), and a pair does not repeat an id
 * for 65,536 datagrams.
 */
#include "net/ip.h"

#include "base/str.h"
#include "net/ip_impl.h"
#include "net/stack_impl.h"
#include "wire/cksum.h"
#include "wire/ip4.h"

bool ip_is_subnet_broadcast(const struct route *r, struct ipaddr dst) {
    if (!ipaddr_is_any(r->def.gateway) || r->def.prefix_bits > 30) return false;
    u32 host = r->def.prefix_bits ? UINT32_MAX >> r->def.prefix_bits : UINT32_MAX;
    return (dst.v4 & host) == host;
}

/* Multicast and 255.255.255.255 without a route leave by the primary interface. */
static struct link *default_link(struct stack *stk) {
    const struct home_entry *e = home_primary(stk);
    if (e && e->lnk->dev->driver && e->lnk->up) return e->lnk;
    LIST_FOR_EACH(n, &stk->links) {
        struct link *l = LIST_ENTRY(n, struct link, node);
        if (l->dev->driver && l->up) return l;
    }
    return NULL;
}

static int way_without_route(struct stack *stk, struct ipaddr dst, struct route_cache *out) {
    if (!ipaddr_is_multicast(dst) && !ipaddr_is_broadcast(dst)) return -ERR_NETUNREACH;
    out->lnk = default_link(stk);
    if (!out->lnk) return -ERR_NETUNREACH;
    out->next_hop = dst;
    out->mtu_bytes = out->lnk->mtu_bytes;
    return 0;
}

int ip_route(struct stack *stk, struct ipaddr dst, u32 flow_hash, struct route_cache *out) {
    out->generation = stk->route_generation;
    if (home_find(stk, dst) || ipaddr_is_loopback(dst)) {
        out->lnk = stk->loopback;
        out->next_hop = dst;
        out->mtu_bytes = stk->loopback->mtu_bytes;
        return 0;
    }
    const struct route *r = ipaddr_is_broadcast(dst) ? NULL : route_lookup(stk, dst, flow_hash, false);
    if (!r) {
        int rc = way_without_route(stk, dst, out);
        if (rc) out->generation = 0;
        return rc;
    }
    out->lnk = r->def.lnk;
    out->next_hop = ipaddr_is_any(r->def.gateway) ? dst : r->def.gateway;
    if (ip_is_subnet_broadcast(r, dst)) out->next_hop = IPADDR_BROADCAST;
    out->mtu_bytes = pmtu_limit(stk, dst, route_mtu(r));
    /* A way that changes with every packet must not be remembered. */
    if (r->group && stk->conf.ip.multipath == MULTIPATH_PER_PACKET) out->generation = 0;
    return 0;
}

/* The source for packets that leave by lnk. */
static struct ipaddr source_for_link(struct stack *stk, const struct link *lnk, struct ipaddr dst) {
    struct ipaddr addr = IPADDR_ANY;
    if (lnk == stk->loopback) {
        const struct home_entry *e = home_find(stk, dst);
        bool asks = e && (e->flags & HOME_DYNAMIC) && stk->hooks.source;
        struct ipaddr from = asks ? stk->hooks.source(stk->hooks.ctx, dst) : IPADDR_ANY;
        /* To ourselves: the same address both ways, unless the other end may be another stack that has dst, too. */
        if (!ipaddr_is_any(from)) return from;
        if (!ipaddr_is_multicast(dst)) return dst;
        addr = IPADDR_LOOPBACK;
    }
    if (stk->conf.ip.source_vipa) addr = home_source_vipa(stk, lnk);
    if (ipaddr_is_any(addr)) addr = home_of_link(stk, lnk);
    if (ipaddr_is_any(addr)) {
        const struct home_entry *e = home_primary(stk);
        if (e) addr = e->addr;
    }
    return addr;
}

int ip_source(struct stack *stk, struct ipaddr dst, struct ipaddr *out) {
    struct route_cache way;
    int rc = ip_route(stk, dst, 0, &way);
    if (rc) return rc;
    *out = source_for_link(stk, way.lnk, dst);
    return ipaddr_is_any(*out) ? -ERR_NETUNREACH : 0;
}

/* TCP and UDP begin with their ports, so a flow keeps its way and two flows may take two. */
static u32 flow_hash(const struct stack *stk, const struct pkt *p, const struct ip_out *how) {
    u32 ports = p->len >= 4 ? be32_get(p->data) : 0;
    if (how->proto != IP_PROTO_TCP && how->proto != IP_PROTO_UDP) ports = how->proto;
    return hash3(&stk->key, how->src.v4, how->dst.v4, ports);
}

static int find_way(struct stack *stk, const struct pkt *p, const struct ip_out *how,
                    struct route_cache *way) {
    if (!how->lnk) return ip_route(stk, how->dst, flow_hash(stk, p, how), way);
    if (!how->lnk->up) return -ERR_NETUNREACH;
    *way = (struct route_cache){.lnk = how->lnk, .next_hop = how->dst, .mtu_bytes = how->lnk->mtu_bytes};
    return 0;
}

/* Pushes the header, options included. */
static void push_header(struct stack *stk, struct pkt *p, const struct ip_out *how, struct ipaddr src) {
    u32 header = IP4_HEADER_MIN + how->options_len;
    u8 *h = pkt_push(p, header);
    u32 which = hash3(&stk->key, src.v4, how->dst.v4, how->proto) >> 26;
    u32 id = stk->ip_id[which]++;
    /* The segments of a large packet count on from its id; the next packet must begin after them. */
    if (p->gso_bytes) stk->ip_id[which] = (u16)(id + 1 + p->ext_len / p->gso_bytes);
    u32 first = (u32)(0x40 | header / 4) << 24 | (u32)how->tos << 16 | pkt_bytes(p);
    u32 second = id << 16 | (p->flags & PKT_DF ? IP4_FRAG_DF : 0);
    u32 third = (u32)(how->ttl ? how->ttl : stk->conf.ip.ttl) << 24 | (u32)how->proto << 16;
    u32 sum = cksum_join(cksum_join(first, second), cksum_join(third, cksum_join(src.v4, how->dst.v4)));
    if (how->options_len) {
        memcpy(h + IP4_HEADER_MIN, how->options, how->options_len);
        sum = cksum_add(sum, how->options, how->options_len);
    }
    be32_put(h, first);
    be32_put(h + 4, second);
    be32_put(h + 8, third | cksum_fold(sum));
    be32_put(h + 12, src.v4);
    be32_put(h + 16, how->dst.v4);
}

int ip_emit(struct stack *stk, struct link *lnk, struct pkt *p, struct ipaddr next_hop, u32 mtu_bytes,
            u64 now) {
    if (lnk == stk->loopback) {
        link_loop(stk, p, now);
        return 0;
    }
    if (pkt_bytes(p) <= mtu_bytes || p->gso_bytes) {
        link_output(lnk, p, next_hop, now);
        return 0;
    }
    if (be16_get(p->data + IP4_FRAG) & IP4_FRAG_DF) {
        stk->stats.ip.frag_fails++;
        stk->stats.ip.drop_pmtu_df++;
        return -ERR_MSGSIZE;
    }
    return ipfrag_output(stk, lnk, p, next_hop, mtu_bytes, now);
}

/* What goes to many goes to ourselves too, if we listen. */
static void loop_to_all(struct stack *stk, const struct pkt *p, const struct route_cache *way,
                        struct ipaddr dst, u64 now) {
    bool to_us =
        ipaddr_is_multicast(dst) ? mcast_is_member(stk, way->lnk, dst) : ipaddr_is_broadcast(way->next_hop);
    if (to_us && way->lnk != stk->loopback) link_loop_as(stk, p, way->lnk, now);
}

int ip_output(struct stack *stk, struct pkt *p, const struct ip_out *how, u64 now) {
    struct route_cache fresh, *way = how->cache ? how->cache : &fresh;
    struct ipaddr src = how->src;
    stk->stats.ip.out_requests++;
    if (!how->cache || way->generation != stk->route_generation) {
        int rc = find_way(stk, p, how, way);
        if (rc) {
            stk->stats.ip.out_no_routes++;
            return rc;
        }
    }
    if (ipaddr_is_any(src) && how->proto != IP_PROTO_IGMP) src = source_for_link(stk, way->lnk, how->dst);
    if (pkt_bytes(p) + IP4_HEADER_MIN + how->options_len > IP4_TOTAL_MAX) {
        stk->stats.ip.out_discards++;
        return -ERR_MSGSIZE;
    }
    push_header(stk, p, how, src);
    if ((ipaddr_is_multicast(how->dst) || ipaddr_is_broadcast(way->next_hop)) && how->proto != IP_PROTO_IGMP)
        loop_to_all(stk, p, way, how->dst, now);
    return ip_emit(stk, way->lnk, p, way->next_hop, way->mtu_bytes, now);
}
