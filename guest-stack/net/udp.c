/* udp.c - UDP (RFC 768, 1122 4.1): input, demultiplexing, ICMP errors. End points are in dgram.c. See udp.h.
 */
#include "net/udp.h"

#include "net/stack_impl.h"
#include "wire/cksum.h"
#include "wire/icmp.h"
#include "wire/udphdr.h"

/* The connected end point of exactly this pair, or NULL. local any: every local address will do. */
static struct dgram *find_connected(const struct stack *stk, struct ipaddr local, u16 local_port,
                                    struct ipaddr peer, u16 peer_port) {
    struct hash_row *row =
        *hash_head(&stk->dgrams.connected, hash3(&stk->key, local_port, peer.v4, peer_port));
    for (; row; row = row->next) {
        struct dgram *d = (struct dgram *)row;
        if (d->local.port == local_port && d->peer.port == peer_port && ipaddr_eq(d->peer.addr, peer) &&
            ipaddr_eq(d->local.addr, local))
            return d;
    }
    return NULL;
}

/* An end point bound to this address wins over one bound to any. */
static struct dgram *find_bound(const struct stack *stk, struct ipaddr local, u16 local_port) {
    struct hash_row *row = *hash_head(&stk->dgrams.bound[DGRAM_UDP], hash1(&stk->key, local_port));
    struct dgram *any = NULL;
    for (; row; row = row->next) {
        struct dgram *d = (struct dgram *)row;
        if (d->local.port != local_port) continue;
        if (ipaddr_eq(d->local.addr, local)) return d;
        if (ipaddr_is_any(d->local.addr)) any = d;
    }
    return any;
}

static bool wants_group(const struct dgram *d, const struct pkt *p) {
    if (!ipaddr_is_any(d->bound) && !ipaddr_eq(d->bound, p->dst) && !ipaddr_is_multicast(p->dst))
        return false;
    if (d->connected && !ipaddr_eq(d->peer.addr, p->src)) return false;
    return !ipaddr_is_multicast(p->dst) || dgram_in_group(d, p->in, p->dst);
}

/* Broadcast and multicast: a copy for each end point that listens. */
static void deliver_to_all(struct stack *stk, const struct pkt *p, u16 port, u64 now) {
    bool taken = false;
    LIST_FOR_EACH_SAFE(n, next, &stk->dgrams.all) {
        struct dgram *d = LIST_ENTRY(n, struct dgram, node);
        if (d->kind != DGRAM_UDP || d->local.port != port || !wants_group(d, p)) continue;
        taken = true;
        dgram_deliver(d, p, now);
    }
    if (!taken) stk->stats.udp.drop_broadcast++;
}

/* Is the datagram sound? Trims it to its own length. */
static bool udp_check(struct stack *stk, struct pkt *p) {
    struct udp_stats *s = &stk->stats.udp;
    u32 *cause = NULL;
    u32 len = p->len >= UDP_HEADER_BYTES ? be16_get(p->data + UDP_LEN) : 0;
    if (p->len < UDP_HEADER_BYTES) {
        cause = &s->drop_short;
    } else if (len < UDP_HEADER_BYTES || len > p->len) {
        cause = &s->drop_length;
    } else if (!(p->flags & PKT_L4_CSUM_OK) && be16_get(p->data + UDP_CKSUM) != 0) {
        u32 sum = cksum_add(cksum_pseudo(p->src, p->dst, IP_PROTO_UDP, len), p->data, len);
        if (cksum_fold(sum) != 0) cause = &s->drop_checksum;
    }
    if (cause) {
        s->in_errors++;
        (*cause)++;
        return false;
    }
    p->len = len;
    return true;
}

static void udp_input(struct stack *stk, struct pkt *p, u64 now) {
    if (!udp_check(stk, p)) return;
    u16 from = be16_get(p->data + UDP_SRC), to = be16_get(p->data + UDP_DST);
    if (p->flags & (PKT_LINK_BCAST | PKT_LINK_MCAST)) {
        stk->stats.udp.in_datagrams++;
        deliver_to_all(stk, p, to, now);
        return;
    }
    struct dgram *d = find_connected(stk, p->dst, to, p->src, from);
    if (!d) d = find_bound(stk, p->dst, to);
    if (!d) {
        stk->stats.udp.no_ports++;
        icmp_send_error(stk, p, ICMP_UNREACHABLE, ICMP_UNREACH_PORT, 0, now);
        return;
    }
    stk->stats.udp.in_datagrams++;
    dgram_deliver(d, p, now);
}

static struct dgram *find_sender(const struct stack *stk, struct ipaddr src, struct ipaddr dst,
                                 const u8 *quoted) {
    u16 local = be16_get(quoted + UDP_SRC), peer = be16_get(quoted + UDP_DST);
    struct dgram *d = find_connected(stk, src, local, dst, peer);
    return d ? d : find_bound(stk, src, local);
}

/* A path MTU is believed only if someone here may have sent the datagram. */
static bool udp_icmp_valid(struct stack *stk, struct ipaddr src, struct ipaddr dst, const u8 *quoted,
                           u32 len) {
    UNUSED(len);
    return find_sender(stk, src, dst, quoted) != NULL;
}

static int error_number(u8 type, u8 code) {
    if (type == ICMP_TIME_EXCEEDED) return ERR_HOSTUNREACH;
    if (type != ICMP_UNREACHABLE) return 0;
    switch (code) {
    case ICMP_UNREACH_PORT: return ERR_CONNREFUSED;
    case ICMP_UNREACH_FRAG_NEEDED: return ERR_MSGSIZE;
    case ICMP_UNREACH_NET: return ERR_NETUNREACH;
    default: return ERR_HOSTUNREACH;
    }
}

static void udp_icmp_error(struct stack *stk, u8 type, u8 code, u32 mtu, struct ipaddr src, struct ipaddr dst,
                           const u8 *quoted, u32 quoted_len, u64 now) {
    UNUSED(mtu);
    UNUSED(quoted_len);
    struct dgram *d = find_sender(stk, src, dst, quoted);
    int err = error_number(type, code);
    /* An unconnected program could not tell which of its datagrams is meant (RFC 1122 4.1.3.3 by way of 4.2
     * BSD). */
    if (d && err && d->connected) dgram_report_error(d, err, now);
}

void udp_init(struct stack *stk) {
    static const struct ip_proto ops = {
        .name = "UDP", .input = udp_input, .icmp_valid = udp_icmp_valid, .icmp_error = udp_icmp_error};
    ip_proto_register(stk, IP_PROTO_UDP, &ops);
}
