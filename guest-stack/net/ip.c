/* ip.c - IPv4 input: checks, local delivery (RFC 791, 1122 3.2.1), and which transport gets what. See ip.h.
 *
 *   destination                           what happens
 *   HOME address                          delivered, whatever link it came by; DYNAMIC: sysplex is asked first
 *   127/8                                 delivered if it came by LOOPBACK, else dropped (martian)
 *   multicast group                       delivered if the link is a member, or it is 224.0.0.1
 *   255.255.255.255, broadcast of         delivered
 *     the link's subnet
 *   anything else                         ip_forward()
 *
 * The order of tests is that of their frequency: a HOME address without options or fragments, from a card
 * that has verified the checksums, passes through in a straight line.
 */
#include "net/ip.h"

#include "net/ip_impl.h"
#include "net/stack_impl.h"
#include "wire/icmp.h"
#include "wire/igmp.h"
#include "wire/ip4.h"

void ip_proto_register(struct stack *stk, u8 proto, const struct ip_proto *ops) {
    u32 slot = 0;
    while (slot < IP_PROTO_SLOTS && stk->proto_ops[slot]) slot++;
    CHECK(slot < IP_PROTO_SLOTS && !stk->proto_slot[proto]);
    stk->proto_ops[slot] = ops;
    stk->proto_slot[proto] = (u8)(slot + 1);
}

/* Counts a malformed header by its cause. */
static void count_fault(struct stack *stk, struct link *in, enum ip4_fault fault) {
    struct ip_stats *s = &stk->stats.ip;
    u32 *const cause[] = {[IP4_SHORT] = &s->drop_short,
                          [IP4_VERSION] = &s->drop_version,
                          [IP4_HEADER_LEN] = &s->drop_header_len,
                          [IP4_TOTAL_LEN] = &s->drop_total_len,
                          [IP4_CHECKSUM] = &s->drop_checksum};
    s->in_hdr_errors++;
    (*cause[fault])++;
    in->count.drops_in_malformed++;
}

/* May a packet with this source exist on this link? */
static bool source_is_sane(struct ipaddr src, const struct link *in) {
    if (ipaddr_is_multicast(src) || ipaddr_is_broadcast(src)) return false;
    return !ipaddr_is_loopback(src) || in->type == LNK_LOOPBACK;
}

static void deliver_unknown(struct stack *stk, struct pkt *p, u64 now) {
    stk->stats.ip.in_unknown_protos++;
    icmp_send_error(stk, p, ICMP_UNREACHABLE, ICMP_UNREACH_PROTOCOL, 0, now);
}

void ip_deliver(struct stack *stk, struct pkt *p, u64 now) {
    u8 slot = stk->proto_slot[p->proto];
    pkt_pull(p, ip4_header_bytes(p->ip_header));
    if (!slot) {
        deliver_unknown(stk, p, now);
        return;
    }
    stk->stats.ip.in_delivers++;
    stk->proto_ops[slot - 1]->input(stk, p, now);
}

static void ip_local(struct stack *stk, struct pkt *p, u64 now) {
    if (!(be16_get(p->data + IP4_FRAG) & (IP4_FRAG_MF | IP4_FRAG_OFFSET))) {
        ip_deliver(stk, p, now);
        return;
    }
    struct pbuf *whole = ipfrag_input(stk, p, now);
    if (!whole) return;
    ip_deliver(stk, &whole->pkt, now);
    pbuf_release(whole);
}

/* Is a packet that is not for a HOME address for us all the same? Sets the flags that tell transports so. */
static bool is_for_all(struct stack *stk, struct link *in, struct pkt *p) {
    if (ipaddr_is_multicast(p->dst)) {
        p->flags |= PKT_LINK_MCAST;
        return ipaddr_eq(p->dst, IGMP_ALL_HOSTS) || mcast_is_member(stk, in, p->dst);
    }
    if (!ipaddr_is_broadcast(p->dst)) {
        const struct route *r = route_attached(stk, p->dst);
        if (!r || r->def.lnk != in || !ip_is_subnet_broadcast(r, p->dst)) return false;
    }
    p->flags |= PKT_LINK_BCAST;
    return true;
}

/* Options of a packet for us. false: dropped. */
static bool accept_options(struct stack *stk, struct pkt *p, u64 now) {
    u32 pointer = 0;
    enum ip_option_verdict verdict = ip_options_check(p->data, &pointer);
    if (verdict == IP_OPTIONS_BAD) {
        stk->stats.ip.drop_options++;
        stk->stats.ip.in_hdr_errors++;
        icmp_send_error(stk, p, ICMP_PARAMETER, 0, pointer, now);
        return false;
    }
    if (verdict == IP_OPTIONS_SOURCE_ROUTE) {
        /* Source routing lets a stranger choose paths past filters; it is refused by policy (RFC 1122 3.2.1.8
         * c). */
        stk->stats.ip.drop_source_route++;
        icmp_send_error(stk, p, ICMP_UNREACHABLE, ICMP_UNREACH_SOURCE_ROUTE, 0, now);
        return false;
    }
    return true;
}

static void drop_martian_dst(struct stack *stk) {
    stk->stats.ip.drop_martian_dst++;
    stk->stats.ip.in_addr_errors++;
}

static void ip_not_home(struct stack *stk, struct link *in, struct pkt *p, u64 now) {
    if (ipaddr_is_loopback(p->dst) && in->type == LNK_LOOPBACK) {
        ip_local(stk, p, now);
    } else if (ipaddr_is_any(p->dst)) {
        drop_martian_dst(stk);
    } else if (is_for_all(stk, in, p)) {
        ip_local(stk, p, now);
    } else if (ipaddr_is_multicast(p->dst)) {
        stk->stats.ip.drop_not_member++;
    } else {
        ip_forward(stk, in, p, now);
    }
}

static bool is_claimed(struct stack *stk, struct pkt *p, u64 now) {
    const struct stack_hooks *h = &stk->hooks;
    return h->claim && h->claim(h->ctx, stk, p, now);
}

void ip_input(struct stack *stk, struct link *in, struct pkt *p, u64 now) {
    u8 *h = p->data;
    stk->stats.ip.in_receives++;
    stk->stirred++;
    if (!(p->flags & PKT_IP_CSUM_OK) || !ip4_is_plain(h, p->len)) {
        enum ip4_fault fault = ip4_check(h, p->len, !(p->flags & PKT_IP_CSUM_OK));
        if (fault != IP4_OK) {
            count_fault(stk, in, fault);
            return;
        }
    }
    p->len = ip4_total(h); /* what follows is the medium's padding */
    p->in = in;
    ip_header_read(p);
    if (!source_is_sane(p->src, in)) {
        stk->stats.ip.drop_martian_src++;
        stk->stats.ip.in_addr_errors++;
        return;
    }
    if (ipaddr_is_loopback(p->dst) && in->type != LNK_LOOPBACK) {
        drop_martian_dst(stk); /* 127.0.0.1 is in HOME, but not for the outside */
        return;
    }
    if (h[0] != 0x45 && !accept_options(stk, p, now)) return;
    const struct home_entry *e = home_find(stk, p->dst);
    if (!e) {
        ip_not_home(stk, in, p, now);
        return;
    }
    if ((e->flags & HOME_DYNAMIC) && is_claimed(stk, p, now)) {
        stk->stats.ip.drop_claimed++;
        return;
    }
    ip_local(stk, p, now);
}

void ip_init(struct stack *stk) {
    for (u32 i = 0; i < ARRAY_LEN(stk->ip_id); i++) stk->ip_id[i] = (u16)stack_random(stk);
}
