/* link.c - packets between IP and the drivers, and the up-calls about a link's health. See link.h.
 *
 * Output is the stack's hottest path: the common case is four tests, two counters and the driver's call.
 */
#include "net/link.h"

#include "base/str.h"
#include "net/ip_impl.h"
#include "net/stack_impl.h"
#include "wire/eth.h"
#include "wire/ip4.h"

static const char *const link_types[LNK_TYPES] = {"LOOPBACK", "VIRTUAL", "IPAQENET", "ETHERNET",
                                                  "CTC",      "MPCPTP",  "IPAQIDIO"};

const char *link_type_name(enum link_type t) {
    return (u32)t < LNK_TYPES ? link_types[t] : "UNKNOWN";
}

void link_flush_later(struct link *lnk) {
    lnk->flush_due = true;
    list_push_back(&lnk->stk->flush, &lnk->flush_node);
}

static void link_send(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    u32 bytes = pkt_bytes(p);
    if (lnk->ops->output(lnk, p, next_hop, now) != 0) {
        lnk->count.drops_out_no_buffer++;
        return;
    }
    link_sent(lnk, bytes);
}

void link_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    struct stack *stk = lnk->stk;
    if (!lnk->up) {
        lnk->count.drops_out_down++;
        return;
    }
    if (p->gso_bytes && (!(lnk->caps & LINK_CAP_GSO) || pkt_bytes(p) > lnk->gso_max_bytes)) {
        link_output_segments(lnk, p, next_hop, now);
        return;
    }
    if (stk->tracing) stk->env.trace(stk->env.ctx, lnk, true, p, now);
    if ((p->flags & PKT_CSUM_NEEDED) && !(lnk->caps & LINK_CAP_CSUM_OUT)) pkt_finish_checksum(stk, p);
    if (lnk->caps & LINK_CAP_ARP)
        link_send(lnk, p, next_hop, now);
    else
        arp_output(lnk, p, next_hop, now);
}

void link_output_frame(struct link *lnk, struct pkt *p, const u8 *mac, u16 type, u64 now) {
    if (p->headroom >= ETH_HEADER_BYTES) {
        eth_emit(pkt_push(p, ETH_HEADER_BYTES), mac, lnk->mac, type);
        link_send(lnk, p, IPADDR_ANY, now);
        return;
    }
    /* A packet that is forwarded from a card whose buffer has no room before it: the header goes first, by
     * itself. */
    u8 header[ETH_HEADER_BYTES];
    struct pkt frame = *p;
    CHECK(p->ext[PKT_EXT_MAX - 1].len == 0);
    for (u32 i = PKT_EXT_MAX - 1; i > 0; i--) frame.ext[i] = p->ext[i - 1];
    frame.ext[0] = (struct span){p->data, p->len};
    frame.ext_len += p->len;
    frame.data = header;
    frame.len = ETH_HEADER_BYTES;
    frame.headroom = 0;
    eth_emit(header, mac, lnk->mac, type);
    link_send(lnk, &frame, IPADDR_ANY, now);
}

void link_flush_all(struct stack *stk, u64 now) {
    for (struct list *n; (n = list_pop_front(&stk->flush));) {
        struct link *lnk = LIST_ENTRY(n, struct link, flush_node);
        lnk->flush_due = false;
        if (lnk->ops && lnk->ops->flush) lnk->ops->flush(lnk, now);
    }
}

/* ---- from the driver ---- */

void link_input(struct link *lnk, struct pkt *p, u64 now) {
    struct stack *stk = lnk->stk;
    if (!lnk->up) {
        lnk->count.drops_in_down++;
        return;
    }
    stk->now = now;
    lnk->count.packets_in++;
    lnk->count.bytes_in += p->len;
    p->in = lnk;
    if (stk->tracing) stk->env.trace(stk->env.ctx, lnk, false, p, now);
    if (!ip_pass_on(stk, p, now)) ip_input(stk, lnk, p, now);
}

void link_input_frame(struct link *lnk, struct pkt *p, u64 now) {
    struct stack *stk = lnk->stk;
    const u8 *frame = p->data;
    if (p->len < ETH_HEADER_BYTES) {
        stk->stats.link.drop_frame_short++;
        lnk->count.drops_in_malformed++;
        return;
    }
    if (eth_is_broadcast(frame)) {
        p->flags |= PKT_LINK_BCAST;
    } else if (eth_is_group(frame)) {
        p->flags |= PKT_LINK_MCAST;
    } else if (!eth_mac_eq(frame, lnk->mac)) {
        stk->stats.link.drop_frame_not_ours++;
        return;
    }
    u16 type = eth_type(frame);
    pkt_pull(p, ETH_HEADER_BYTES);
    if (type == ETH_TYPE_IP) {
        link_input(lnk, p, now);
    } else if (type == ETH_TYPE_ARP && lnk->up) {
        stk->now = now;
        arp_input(lnk, p, now);
    } else {
        stk->stats.link.drop_frame_type++;
    }
}

/* ---- a link's health ---- */

void link_lan_up(struct link *lnk, u64 now) {
    if (lnk->up || lnk->dev->status != DEVST_READY) return;
    lnk->stk->now = now;
    lnk->up = true;
    route_changed(lnk->stk);
    home_sync(lnk->stk, now);
    igmp_link_up(lnk->stk, lnk, now);
}

void link_lan_down(struct link *lnk, u64 now) {
    struct stack *stk = lnk->stk;
    if (!lnk->up) return;
    stk->now = now;
    lnk->up = false;
    route_changed(stk);
    /* The card forgets what was registered while its LAN is down, or is told again when it is back: both are
     * right. */
    home_link_forgotten(stk, lnk);
    arp_purge(stk, lnk, now);
    igmp_link_down(stk, lnk, now);
    home_sync(stk, now);
}

void link_address_result(struct link *lnk, struct ipaddr addr, u32 ipa_rc, u64 now) {
    lnk->stk->now = now;
    home_registration_result(lnk->stk, lnk, addr, ipa_rc, now);
}
