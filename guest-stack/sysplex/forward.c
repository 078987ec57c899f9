/* forward.c - a packet that goes to another stack of the sysplex as it stands: which way it takes.
 *
 *   way             taken when                                                         it carries
 *   VIPAROUTE       a statement for that stack is in force, and the packet is for    the packet in GRE: "routed"
 *                   delivery there and nothing else (PKT_DISTRIBUTED)
 *   HiperSockets    both ends are on one LAN (peer.by_iqd), the packet was routed       the packet and nothing else
 *                   (PKT_DISTRIBUTED), fits its MTU, did not come from there, and
 *                   begins no connection
 *   dynamic XCF     else                                                               PKT_DISTRIBUTED beside the packet, if it was
 *
 * Next hop on HiperSockets is the peer's dynamic XCF address; the destination stays the DVIPA. As nothing there says "already
 * routed", nothing else goes there: a stack that does not route the DVIPA takes what comes by HiperSockets for routed, and answers with
 * RST if it has no such connection. What goes to the owner for it to route would find, if the LAN stands still, one that is the owner no
 * more; by XCF he can tell, and drops it. What came by HiperSockets is never sent on by it: its second hop is dynamic XCF, where the mark ends
 * its way. So no two stacks that disagree about an owner can send a packet round. Nor does anything there say who has sent it: a SYN that was
 * given to a target goes over XCF, so that the target can tell the present routing stack's from one of a former owner that comes late
 * (dist_packet.c). The way is chosen anew for each packet: when a card dies the next packet takes the other.
 */
#include "net/ip.h"
#include "net/stack_impl.h"
#include "sysplex/sysplex_impl.h"
#include "wire/ip4.h"
#include "wire/tcphdr.h"

#define TCP_MIN       20
#define TCP_OFFSET_AT 12
#define TCP_FLAGS_AT  13

/* Bytes of all headers of a packet of several segments; 0: it is not TCP's, or has no payload. */
static u32 joined_headers(const struct pkt *p) {
    u32 header = ip4_header_bytes(p->data);
    if (p->data[IP4_PROTO] != IP_PROTO_TCP || p->len < header + TCP_MIN) return 0;
    u32 headers = header + (u32)(p->data[header + TCP_OFFSET_AT] >> 4) * 4;
    return headers >= header + TCP_MIN && headers < p->len ? headers : 0;
}

/* Several segments that a card joined travel as such; the payload apart from the headers, as TCP hands them down. */
static void split_joined(struct pkt *p, u32 headers) {
    p->ext[0] = (struct span){p->data + headers, p->len - headers};
    p->ext_len = p->len - headers;
    p->len = headers;
}

static bool begins_connection(const struct pkt *p) {
    u32 header = ip4_header_bytes(p->data);
    if (p->data[IP4_PROTO] != IP_PROTO_TCP || p->len < header + TCP_MIN) return false;
    return (p->data[header + TCP_FLAGS_AT] & (TCPF_SYN | TCPF_ACK)) == TCPF_SYN;
}

static bool by_iqd(const struct sysplex *sx, const struct sysplex_peer *to, const struct pkt *p, u32 wire_bytes) {
    const struct link *l = to->by_iqd ? sx->dx.iqd : NULL;
    if (!l || !l->up || wire_bytes > l->mtu_bytes || (p->in && p->in->type == LNK_IPAQIDIO)) return false;
    return (p->flags & PKT_DISTRIBUTED) && !begins_connection(p);
}

/* The ways that a packet has to be made ready for as a wire wants it. false: it is XCF's, as it is. */
static bool took_another_way(struct sysplex *sx, const struct sysplex_peer *to, struct pkt *p, u64 now) {
    struct route_cache route;
    u32 headers = p->gso_bytes ? joined_headers(p) : 0;
    u32 wire_bytes = p->gso_bytes ? headers + p->gso_bytes : p->len;
    if (p->gso_bytes && !headers) return false;
    bool in_gre = (p->flags & PKT_DISTRIBUTED) && viparoute_way(sx, to, &route);
    if (!in_gre && !by_iqd(sx, to, p, wire_bytes)) return false;
    SX_COUNT(sx, forwarded);
    if (!in_gre) SX_COUNT(sx, forwarded_iqd);
    if (in_gre && viparoute_too_big(sx, &route, p, wire_bytes, now)) return true;
    p->flags |= PKT_FORWARDED;
    pkt_renew_checksum(p); /* XCF says beside a packet that its sum was never needed; others have to be given one */
    if (headers) split_joined(p, headers);
    link_output(in_gre ? &sx->vr.link : sx->dx.iqd, p, to->dynxcf, now);
    return true;
}

/* What is cut, or shown to the operator, goes the way of all packets. */
static void forward_by_link(struct sysplex *sx, const struct sysplex_peer *to, struct pkt *p, u64 now) {
    bool large = p->len > DYNXCF_MTU;
    u32 headers = large && p->gso_bytes ? joined_headers(p) : 0;
    if (!to->lnk || !to->lnk->up || (large && !headers)) {
        SX_COUNT(sx, drop_forward_no_link);
        return;
    }
    SX_COUNT(sx, forwarded);
    p->flags |= PKT_FORWARDED;
    if (large) split_joined(p, headers);
    link_output(to->lnk, p, to->dynxcf, now);
}

/* Nearly all packets: one piece, for a stack that XCF leads to and nothing else. */
bool sysplex_pass(struct sysplex *sx, struct sysplex_peer *to, struct pkt *p, u64 now) {
    struct packet_batch *b = sx_peer_of(to)->batch;
    struct link *lnk = to->lnk;
    u32 bytes = p->len;
    if (to->by_iqd || sx->vr.rows || sx->stk->tracing || p->ext_len || bytes > DYNXCF_MTU || !lnk || !lnk->up) return false;
    if (!b || packet_bytes(bytes) > b->size - b->used) b = dynxcf_batch(sx, sx_peer_of(to), packet_bytes(bytes), now);
    p->flags |= PKT_DISTRIBUTED;
    memcpy(packet_head(b, p, bytes), p->data, bytes);
    b->passed++;
    b->passed_bytes += bytes;
    return true;
}

void sysplex_forward(struct sysplex *sx, struct sysplex_peer *to, struct pkt *p, u64 now) {
    if ((to->by_iqd || sx->vr.rows) && took_another_way(sx, to, p, now)) return;
    struct link *lnk = to->lnk;
    if (!lnk || !lnk->up || p->len > DYNXCF_MTU || sx->stk->tracing) {
        forward_by_link(sx, to, p, now);
        return;
    }
    SX_COUNT(sx, forwarded);
    p->flags |= PKT_FORWARDED;
    if (dynxcf_put(sx, sx_peer_of(to), p, now) == 0)
        link_sent(lnk, p->len);
    else
        lnk->count.drops_out_no_buffer++;
}
