/* icmp.c - ICMP (RFC 792, 1122 3.2.2, 1191, 1812 4.3): answers, errors sent, errors and redirects received.
 *
 *   received             done
 *   echo                 answered, except to a broadcast or multicast address (as RFC 1122 3.2.2.6 allows)
 *   timestamp            answered; our times carry the "non-standard" bit
 *   echo reply           to the PING end point with that identifier
 *   error                to the transport of the packet that it quotes, if that packet was ours
 *   redirect             a host route, if it comes from the gateway in use (RFC 1122 3.2.2.2); else dropped
 *   address mask, other  dropped and counted
 *
 * Errors sent: never about an ICMP error, a fragment but the first, a broadcast or multicast, or a source
 * that is no single host. Their rate is limited by the generic cell rate algorithm: ICMP_BURST at once and
 * one each ICMP_INTERVAL_USEC.
 */
#include "base/str.h"
#include "net/ip_impl.h"
#include "net/stack_impl.h"
#include "wire/icmp.h"
#include "wire/cksum.h"
#include "wire/ip4.h"

#define ICMP_INTERVAL_USEC 10000u
#define ICMP_BURST         50u
#define TIMESTAMP_BYTES    20

/* ---- sending ---- */

static void count_out(struct stack *stk, u8 type) {
    struct icmp_stats *s = &stk->stats.icmp;
    s->out_msgs++;
    switch (type) {
    case ICMP_ECHO_REPLY: s->out_echo_reps++; break;
    case ICMP_UNREACHABLE: s->out_dest_unreachs++; break;
    case ICMP_REDIRECT: s->out_redirects++; break;
    case ICMP_TIME_EXCEEDED: s->out_time_excds++; break;
    case ICMP_PARAMETER: s->out_parm_probs++; break;
    case ICMP_TIMESTAMP_REPLY: s->out_timestamp_reps++; break;
    default: break;
    }
}

/* May an error be sent about this packet at all? */
static bool error_allowed(struct stack *stk, const struct pkt *p) {
    const u8 *h = p->ip_header;
    u32 header = ip4_header_bytes(h);
    if (p->flags & (PKT_LINK_BCAST | PKT_LINK_MCAST)) return false;
    if (ipaddr_is_multicast(p->dst) || ipaddr_is_broadcast(p->dst)) return false;
    if (ipaddr_is_any(p->src) || ipaddr_is_multicast(p->src) || p->src.v4 >> 28 == 15) return false;
    if (ipaddr_is_loopback(p->src) && p->in != stk->loopback) return false;
    if (be16_get(h + IP4_FRAG) & IP4_FRAG_OFFSET) return false;
    const u8 *end = p->data + p->len;
    if (h[IP4_PROTO] == IP_PROTO_ICMP) return end - h > (ptrdiff_t)header && !icmp_is_error(h[header]);
    return true;
}

static bool rate_allows(struct stack *stk, u64 now) {
    if (stk->icmp_next > now + ICMP_BURST * ICMP_INTERVAL_USEC) return false;
    stk->icmp_next = u64_max(stk->icmp_next, now) + ICMP_INTERVAL_USEC;
    return true;
}

/* The source of an error: the address that was spoken to, if it is ours, else that of the link it came by. */
static struct ipaddr error_source(struct stack *stk, const struct pkt *p) {
    if (home_find(stk, p->dst)) return p->dst;
    return p->in && p->in != stk->loopback ? home_of_link(stk, p->in) : IPADDR_ANY;
}

static void send_error(struct stack *stk, const struct pkt *p, u8 type, u8 code, u32 word, u64 now) {
    u8 room[PKT_HEADROOM + ICMP_HEADER_BYTES + ICMP_QUOTE_MAX];
    if (!error_allowed(stk, p)) {
        stk->stats.icmp.drop_no_error_allowed++;
        return;
    }
    if (!rate_allows(stk, now)) {
        stk->stats.icmp.drop_rate_limited++;
        return;
    }
    u32 quote = u32_min(ICMP_QUOTE_MAX, (u32)(p->data + p->len - p->ip_header));
    struct pkt e = {.data = room + PKT_HEADROOM, .len = ICMP_HEADER_BYTES + quote, .headroom = PKT_HEADROOM};
    memcpy(e.data + ICMP_HEADER_BYTES, p->ip_header, quote);
    icmp_emit(e.data, type, code, word, e.len);
    struct ip_out how = {.src = error_source(stk, p), .dst = p->src, .proto = IP_PROTO_ICMP, .tos = 0xC0};
    count_out(stk, type);
    if (ip_output(stk, &e, &how, now) != 0) stk->stats.icmp.out_errors++;
}

void icmp_send_error(struct stack *stk, const struct pkt *p, u8 type, u8 code, u32 mtu, u64 now) {
    /* One word for three meanings: the MTU, or the parameter problem's pointer in the first byte. */
    send_error(stk, p, type, code, type == ICMP_PARAMETER ? mtu << 24 : mtu & 0xFFFF, now);
}

void icmp_redirect_send(struct stack *stk, const struct pkt *p, struct ipaddr gateway, u64 now) {
    send_error(stk, p, ICMP_REDIRECT, ICMP_REDIRECT_HOST, gateway.v4, now);
}

/* Sends a received request back as its reply, in the buffer it came in. */
static void reply_in_place(struct stack *stk, struct pkt *p, u8 type, u64 now) {
    u8 options[IP4_OPTIONS_MAX];
    struct ip_out how = {.src = p->dst, .dst = p->src, .proto = IP_PROTO_ICMP, .tos = p->tos};
    if (p->ip_header[0] != 0x45) {
        /* The request's own buffer: what lies before its transport header is its IP header. */
        u32 header = ip4_header_bytes(p->ip_header);
        ip_options_record(stk, p->data - header, p->dst, now);
        how.options_len = (u8)ip_options_reply(p->data - header, options);
        how.options = options;
    }
    p->data[0] = type;
    p->data[1] = 0;
    be16_put(p->data + 2, 0);
    be16_put(p->data + 2, cksum_fold(cksum_add(0, p->data, p->len)));
    p->flags = 0;
    p->gso_bytes = 0;
    count_out(stk, type);
    if (ip_output(stk, p, &how, now) != 0) stk->stats.icmp.out_errors++;
}

/* ---- received ---- */

static void echo_input(struct stack *stk, struct pkt *p, u64 now) {
    stk->stats.icmp.in_echos++;
    if (p->flags & (PKT_LINK_BCAST | PKT_LINK_MCAST))
        stk->stats.icmp.drop_broadcast_echo++;
    else
        reply_in_place(stk, p, ICMP_ECHO_REPLY, now);
}

static void timestamp_input(struct stack *stk, struct pkt *p, u64 now) {
    u32 stamp = 0x80000000u | (u32)(now >> WHEEL_TICK_SHIFT);
    stk->stats.icmp.in_timestamps++;
    if (p->flags & (PKT_LINK_BCAST | PKT_LINK_MCAST)) {
        stk->stats.icmp.drop_broadcast_echo++;
    } else if (p->len < TIMESTAMP_BYTES) {
        stk->stats.icmp.drop_short++;
    } else {
        be32_put(p->data + 12, stamp);
        be32_put(p->data + 16, stamp);
        reply_in_place(stk, p, ICMP_TIMESTAMP_REPLY, now);
    }
}

/* Is the gateway that an ICMP redirect names one that may be believed? */
static struct link *redirect_link(struct stack *stk, const struct pkt *p, struct ipaddr dst,
                                  struct ipaddr gateway) {
    const struct route *now_used = route_lookup(stk, dst, 0, false);
    const struct route *near = route_attached(stk, gateway);
    if (!now_used || !near || near->def.lnk != now_used->def.lnk) return NULL;
    if (!ipaddr_eq(now_used->def.gateway, p->src)) return NULL;
    if (home_find(stk, gateway) || ip_is_subnet_broadcast(near, gateway)) return NULL;
    return near->def.lnk;
}

/* The oldest redirect gives way to a new one when there are too many. */
static void redirect_make_room(struct stack *stk, u64 now) {
    const struct route *oldest = NULL;
    if (stk->routes.redirects < ROUTE_REDIRECT_MAX) return;
    for (const struct route *r = NULL; (r = route_next(stk, r));)
        if (r->def.kind == ROUTE_REDIRECT && !oldest) oldest = r;
    struct route_def def = oldest->def;
    route_del(stk, &def, now);
}

/* Replaces an earlier redirect for the same host. */
static void redirect_forget(struct stack *stk, struct ipaddr dst, u64 now) {
    for (const struct route *r = NULL; (r = route_next(stk, r));) {
        if (r->def.kind != ROUTE_REDIRECT || !ipaddr_eq(r->def.dest, dst)) continue;
        struct route_def def = r->def;
        route_del(stk, &def, now);
        return;
    }
}

static void redirect_input(struct stack *stk, const struct pkt *p, u64 now) {
    struct icmp_quote q;
    struct ipaddr gateway = ipaddr_get(p->data + 4);
    stk->stats.icmp.in_redirects++;
    if (stk->conf.ip.ignore_redirect) {
        stk->stats.icmp.drop_redirect_ignored++;
        return;
    }
    if (!icmp_quote_parse(p->data, p->len, &q) || !home_find(stk, q.src) || home_find(stk, q.dst) ||
        p->data[1] > 3) {
        stk->stats.icmp.drop_quote++;
        return;
    }
    struct link *lnk = redirect_link(stk, p, q.dst, gateway);
    if (!lnk) {
        stk->stats.icmp.drop_redirect_refused++;
        return;
    }
    redirect_forget(stk, q.dst, now);
    redirect_make_room(stk, now);
    struct route_def def = {
        .dest = q.dst, .prefix_bits = 32, .kind = ROUTE_REDIRECT, .gateway = gateway, .lnk = lnk};
    if (route_add(stk, &def, now) != 0) stk->stats.icmp.drop_redirect_refused++;
}

static void count_error_in(struct stack *stk, u8 type) {
    struct icmp_stats *s = &stk->stats.icmp;
    if (type == ICMP_UNREACHABLE)
        s->in_dest_unreachs++;
    else if (type == ICMP_TIME_EXCEEDED)
        s->in_time_excds++;
    else if (type == ICMP_PARAMETER)
        s->in_parm_probs++;
    else
        s->in_src_quenchs++;
}

static void error_input(struct stack *stk, const struct pkt *p, u64 now) {
    struct icmp_quote q;
    u8 type = p->data[0], code = p->data[1];
    u32 mtu = 0;
    count_error_in(stk, type);
    if (!icmp_quote_parse(p->data, p->len, &q) || !home_find(stk, q.src) || !q.first_fragment) {
        stk->stats.icmp.drop_quote++;
        return;
    }
    if (q.proto == IP_PROTO_ICMP) {
        /* A PING of ours: its end point sees the error with the identifier of the quoted request. */
        if (q.transport[0] != ICMP_ECHO || !dgram_icmp_input(stk, be16_get(q.transport + 4), p, now))
            stk->stats.icmp.drop_no_endpoint++;
        return;
    }
    u8 slot = stk->proto_slot[q.proto];
    const struct ip_proto *ops = slot ? stk->proto_ops[slot - 1] : NULL;
    if (!ops || !ops->icmp_error ||
        (ops->icmp_valid && !ops->icmp_valid(stk, q.src, q.dst, q.transport, q.transport_len))) {
        stk->stats.icmp.drop_quote++;
        return;
    }
    if (type == ICMP_UNREACHABLE && code == ICMP_UNREACH_FRAG_NEEDED) {
        mtu = pmtu_estimate(be16_get(p->data + 6), q.total);
        pmtu_learn(stk, q.dst, mtu, now);
    }
    ops->icmp_error(stk, type, code, mtu, q.src, q.dst, q.transport, q.transport_len, now);
}

static void reply_input(struct stack *stk, const struct pkt *p, u64 now) {
    stk->stats.icmp.in_echo_reps++;
    if (!dgram_icmp_input(stk, be16_get(p->data + 4), p, now)) stk->stats.icmp.drop_no_endpoint++;
}

static void icmp_input(struct stack *stk, struct pkt *p, u64 now) {
    bool is_short;
    stk->stats.icmp.in_msgs++;
    if (!icmp_check(p->data, p->len, &is_short)) {
        stk->stats.icmp.in_errors++;
        if (is_short)
            stk->stats.icmp.drop_short++;
        else
            stk->stats.icmp.drop_checksum++;
        return;
    }
    switch (p->data[0]) {
    case ICMP_ECHO: echo_input(stk, p, now); break;
    case ICMP_ECHO_REPLY: reply_input(stk, p, now); break;
    case ICMP_TIMESTAMP: timestamp_input(stk, p, now); break;
    case ICMP_REDIRECT: redirect_input(stk, p, now); break;
    case ICMP_UNREACHABLE:
    case ICMP_SOURCE_QUENCH:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER: error_input(stk, p, now); break;
    case ICMP_TIMESTAMP_REPLY:
        stk->stats.icmp.in_timestamp_reps++;
        stk->stats.icmp.drop_type++;
        break;
    case ICMP_MASK:
        stk->stats.icmp.in_addr_masks++;
        stk->stats.icmp.drop_type++;
        break;
    case ICMP_MASK_REPLY:
        stk->stats.icmp.in_addr_mask_reps++;
        stk->stats.icmp.drop_type++;
        break;
    default: stk->stats.icmp.drop_type++;
    }
}

void icmp_init(struct stack *stk) {
    static const struct ip_proto ops = {.name = "ICMP", .input = icmp_input};
    ip_proto_register(stk, IP_PROTO_ICMP, &ops);
}
