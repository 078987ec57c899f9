/* tcp_out.c - which segment to send next, and sending it.
 *
 * tcp_output() sends in this order and then sets the timers:
 *   1. what duplicate ACKs or a partial ACK ask for again (TF_RESEND), one segment
 *   2. in SACK recovery the holes, while the pipe is below the window          RFC 6675
 *   3. text from snd_nxt on, if the windows, Nagle and silly-window avoidance allow    RFC 9293 3.7.4, 3.8.6.2.1
 *   4. a bare acknowledgement, if one is still owed
 *
 * Text is never copied here: a segment's ext spans point into the send queue. Where the link cuts segments itself
 * (LINK_CAP_GSO) step 3 sends several as one packet with gso_bytes; its TCP checksum field holds the sum of the
 * pseudo header with the packet's whole length, and whoever cuts it computes each segment's own.
 */
#include "base/str.h"
#include "net/tcp_impl.h"

#define SPANS (PKT_EXT_MAX - 1)

/* How a header leaves: what a connection and a row have in common. */
struct way {
    const struct tcp_key *key;
    struct route_cache *cache;
    const struct span *ext;
    u32 spans, ext_len;
    u16 gso_bytes;
    u8 ttl, tos;
};

static int transmit(struct stack *stk, const struct way *w, const struct tcphdr *h, u64 now) {
    u8 room[PKT_HEADROOM + TCPHDR_MAX_BYTES];
    struct pkt p;
    p.data = room + PKT_HEADROOM;
    p.len = tcphdr_emit(h, p.data);
    p.headroom = PKT_HEADROOM;
    p.ext_len = w->ext_len;
    memset(p.ext, 0, sizeof p.ext);
    for (u32 i = 0; i < w->spans; i++) p.ext[i] = w->ext[i];
    p.flags = stk->conf.ip.path_mtu_discovery ? PKT_CSUM_NEEDED | PKT_DF : PKT_CSUM_NEEDED;
    p.gso_bytes = w->gso_bytes;
    p.in = NULL;
    be16_put(p.data + 16,
             cksum_partial(cksum_pseudo(w->key->local, w->key->foreign, IP_PROTO_TCP, p.len + p.ext_len)));
    struct ip_out how = {.src = w->key->local,
                         .dst = w->key->foreign,
                         .proto = IP_PROTO_TCP,
                         .ttl = w->ttl,
                         .tos = w->tos,
                         .cache = w->cache};
    TCP_COUNT(stk, out_segs);
    if (h->flags & TCPF_RST) TCP_COUNT(stk, out_rsts);
    return ip_output(stk, &p, &how, now);
}

void tcp_send_bare(struct stack *stk, const struct tcp_key *k, struct tcphdr *h, u64 now) {
    h->src_port = k->local_port;
    h->dst_port = k->foreign_port;
    struct way w = {.key = k};
    transmit(stk, &w, h, now);
}

void tcp_reject(struct stack *stk, const struct tcp_key *k, const struct tcphdr *h, u32 len, u64 now) {
    struct tcphdr out = {.flags = TCPF_RST};
    if (h->flags & TCPF_ACK) {
        out.seq = h->ack;
    } else {
        out.flags |= TCPF_ACK;
        out.ack = h->seq + len + ((h->flags & TCPF_SYN) != 0) + ((h->flags & TCPF_FIN) != 0);
    }
    tcp_send_bare(stk, k, &out, now);
}

u8 tcp_scale_for(u32 limit_bytes) {
    u8 scale = 0;
    while (scale < TCPHDR_SCALE_MAX && limit_bytes >> scale > 65535) scale++;
    return scale;
}

u16 tcp_mss_offer(struct stack *stk, struct ipaddr dst) {
    struct route_cache c = {0};
    if (ip_route(stk, dst, 0, &c) < 0 || c.mtu_bytes < IP_HEADER_BYTES + TCPHDR_BYTES + TCP_MSS_MIN)
        return TCP_MSS_DEFAULT;
    return (u16)u32_min(c.mtu_bytes - IP_HEADER_BYTES - TCPHDR_BYTES, UINT16_MAX);
}

void tcp_route_refresh(struct tcb *t) {
    struct sock *s = tcb_sock(t);
    if (t->route.generation == s->stk->route_generation && t->q.mss_send) return;
    u32 mss = TCP_MSS_DEFAULT;
    if (ip_route(s->stk, s->key.foreign, tcp_hash(s->stk, &s->key), &t->route) == 0)
        mss = u32_max(t->route.mtu_bytes, IP_HEADER_BYTES + TCPHDR_BYTES + TCP_MSS_MIN) - IP_HEADER_BYTES - TCPHDR_BYTES;
    if (t->q.mss_peer && t->q.mss_peer < mss) mss = t->q.mss_peer;
    if (t->q.options & TCP_USE_TS) mss -= TCPHDR_TS_BYTES;
    if (t->q.mss_send && mss < t->q.mss_send) TCP_COUNT(s->stk, pmtu_reductions);
    t->q.mss_send = (u16)u32_min(mss, UINT16_MAX);
}

/* The right edge we may offer: never to the left of the last one, never a sliver to the right of it (SWS). */
u32 tcp_window_offer(const struct tcb *t) {
    const struct tcp_seq *q = &t->q;
    u32 offered = q->rcv_adv - q->rcv_nxt;
    u32 room = t->rx_limit > t->rx.len ? t->rx_limit - t->rx.len : 0;
    u32 window = offered;
    if (room > offered && room - offered >= u32_min(t->recv_mss, t->rx_limit / 2)) window = room;
    return u32_min(window >> q->rcv_scale, 65535) << q->rcv_scale;
}

bool tcp_window_update_due(const struct tcb *t) {
    u32 offered = t->q.rcv_adv - t->q.rcv_nxt, window = tcp_window_offer(t);
    if (window <= offered) return false;
    /* A peer with room left needs no news of more; one that is nearly stopped does. */
    u32 growth = window - offered;
    return growth >= t->rx_limit / 2 || (growth >= 2u * t->recv_mss && growth >= offered);
}

/* Header fields that every segment of a connection has. */
static void fill(struct tcb *t, struct tcphdr *h, u32 seq, u8 flags, u64 now) {
    const struct sock *s = tcb_sock(t);
    u32 window = tcp_window_offer(t);
    h->src_port = s->key.local_port;
    h->dst_port = s->key.foreign_port;
    h->seq = seq;
    h->ack = t->q.rcv_nxt;
    h->flags = flags;
    h->window = (u16)(window >> t->q.rcv_scale);
    h->has = 0;
    h->sacks = 0;
    if (t->q.options & TCP_USE_TS) {
        h->has = TCPHDR_TS;
        h->ts_value = tcp_tick(now) + t->q.ts_offset;
        h->ts_echo = t->q.ts_recent;
    }
}

static void sent_ack(struct tcb *t, const struct tcphdr *h) {
    struct tcp_seq *q = &t->q;
    q->last_ack_sent = q->rcv_nxt;
    u32 edge = q->rcv_nxt + ((u32)h->window << q->rcv_scale);
    if (seq_gt(edge, q->rcv_adv)) q->rcv_adv = edge;
    t->flags &= (u16) ~(TF_ACK_NOW | TF_ACK_DUE);
    tcb_timer_clear(t, TT_ACK);
}

static int send_header(struct tcb *t, const struct tcphdr *h, struct way *w, u64 now) {
    struct sock *s = tcb_sock(t);
    w->key = &s->key;
    w->cache = &t->route;
    w->ttl = s->ttl;
    w->tos = s->tos;
    if (s->stk->hooks.conn_commit) s->stk->hooks.conn_commit(s->stk->hooks.ctx, t, now);
    t->segments_out++;
    return transmit(s->stk, w, h, now);
}

void tcp_send_ack(struct tcb *t, u64 now) {
    struct tcphdr h;
    struct way w = {0};
    tcp_route_refresh(t);
    fill(t, &h, t->q.snd_max, TCPF_ACK, now);
    if (t->marks && (t->q.options & TCP_USE_SACK))
        h.sacks = tcp_sack_option(t, h.sack, (h.has & TCPHDR_TS) ? 3 : TCPHDR_SACK_MAX);
    send_header(t, &h, &w, now);
    sent_ack(t, &h);
}

static void send_rst_at(struct tcb *t, u32 seq, u64 now) {
    struct tcphdr h;
    struct way w = {0};
    fill(t, &h, seq, TCPF_RST | TCPF_ACK, now);
    send_header(t, &h, &w, now);
}

/* A window probe is text beyond what the peer takes, and whether it has taken it is not known. A RST that is not exact is not believed (RFC 5961), and where
 * the window is shut it is not even answered: so the peer's edge is named, too. */
void tcp_send_rst(struct tcb *t, u64 now) {
    u32 edge = t->q.snd_una + t->q.snd_wnd;
    send_rst_at(t, t->q.snd_max, now);
    if (seq_lt(edge, t->q.snd_max)) send_rst_at(t, edge, now);
}

void tcp_send_syn(struct tcb *t, u64 now) {
    struct tcp_seq *q = &t->q;
    struct stack *stk = tcb_sock(t)->stk;
    bool answer = q->state == TCP_SYN_RCVD; /* simultaneous open: only what the peer offered goes back */
    struct tcphdr h;
    struct way w = {0};
    fill(t, &h, q->iss, answer ? TCPF_SYN | TCPF_ACK : TCPF_SYN, now);
    if (!answer) {
        h.ack = 0;
        if (stk->conf.tcp.timestamps) h.has = TCPHDR_TS, h.ts_value = tcp_tick(now) + q->ts_offset, h.ts_echo = 0;
    }
    h.has |= TCPHDR_MSS;
    h.mss = tcp_mss_offer(stk, tcb_sock(t)->key.foreign);
    if (!answer || (q->options & TCP_USE_SACK)) h.has |= TCPHDR_SACK_OK;
    if (!answer || (q->options & TCP_USE_SCALE)) h.has |= TCPHDR_SCALE, h.scale = q->rcv_scale;
    h.window = (u16)u32_min(t->rx_limit, 65535);
    t->rtt_at_us = (u32)now;
    if (t->retries == 0) {
        t->flags |= TF_TIMING;
        t->rtt_seq = q->iss;
    } else {
        t->flags &= (u16)~TF_TIMING;
        t->retransmits++;
        TCP_COUNT(stk, retrans_segs);
    }
    q->snd_nxt = q->snd_max = q->iss + 1;
    send_header(t, &h, &w, now);
    if (answer) q->last_ack_sent = q->rcv_nxt;
    tcp_retransmit_restart(t, now);
}

/* Text [seq, seq+len) of the queue, perhaps with FIN. Returns the bytes of text sent, which may be fewer than len;
 * negative: refused for its size, mss_send is now smaller. */
static i32 send_text(struct tcb *t, u32 seq, u32 len, bool fin, u64 now) {
    struct tcp_seq *q = &t->q;
    struct stack *stk = tcb_sock(t)->stk;
    struct span ext[SPANS];
    struct way w = {.ext = ext};
    struct tcphdr h;
    u32 offset = seq - q->snd_una, mss = q->mss_send;
    w.ext_len = cbuf_spans(&t->tx, offset, len, ext, SPANS, &w.spans);
    if (w.ext_len < len) {
        /* The queue is in more pieces than a packet can point to: whole segments go, the rest follows. */
        len = w.ext_len > mss ? w.ext_len - w.ext_len % mss : w.ext_len;
        fin = false;
        w.ext_len = cbuf_spans(&t->tx, offset, len, ext, SPANS, &w.spans);
    }
    if (len > mss) w.gso_bytes = (u16)mss;
    fill(t, &h, seq, TCPF_ACK, now);
    if (fin) h.flags |= TCPF_FIN;
    if (len > 0 && offset + len == t->tx.len) h.flags |= TCPF_PSH;
    u32 segments = len > mss ? (len + mss - 1) / mss : 1;
    if (seq_lt(seq, q->snd_max)) {
        t->retransmits += segments;
        stk->stats.tcp.retrans_segs += segments;
        if (seq_ge(t->rtt_seq, seq)) t->flags &= (u16)~TF_TIMING; /* Karn: which copy will be answered? */
    } else if (!(t->flags & TF_TIMING) && len > 0) {
        t->flags |= TF_TIMING;
        t->rtt_seq = seq;
        t->rtt_at_us = (u32)now;
    }
    if (send_header(t, &h, &w, now) == -ERR_MSGSIZE) {
        t->route.generation = 0;
        tcp_route_refresh(t);
        if (q->mss_send < mss) return -ERR_MSGSIZE;
    }
    stk->stats.tcp.out_segs += segments - 1;
    t->segments_out += segments - 1;
    sent_ack(t, &h);
    u32 end = seq + len + fin;
    if (seq_gt(end, q->snd_max)) {
        t->bytes_out += len;
        q->snd_max = end;
    }
    return (i32)len;
}

/* The segment at snd_una, up to the first range that the peer has. */
static void resend_first(struct tcb *t, u64 now) {
    struct tcp_seq *q = &t->q;
    t->flags &= (u16)~TF_RESEND;
    if (q->snd_una == q->snd_max) return;
    u32 len = u32_min(u32_min(t->tx.len, q->mss_send), q->snd_max - q->snd_una);
    if (t->marks && t->marks->sacked.n > 0) len = u32_min(len, t->marks->sacked.r[0].left - q->snd_una);
    bool fin = tcb_fin_unacked(t) && len == t->tx.len && q->snd_max == q->snd_una + len + 1;
    i32 sent = send_text(t, q->snd_una, len, fin, now);
    if (sent >= 0) t->high_rxt = seq_max(t->high_rxt, q->snd_una + (u32)sent + fin);
    tcp_retransmit_restart(t, now);
}

/* One step of RFC 6675's loop over the holes; false: nothing more to repair now. */
static bool resend_hole(struct tcb *t, u64 now) {
    u32 seq, len, pipe = tcp_pipe(t);
    if (pipe + t->q.mss_send > t->cwnd) return false;
    if (!tcp_next_hole(t, &seq, &len) || !tcp_is_lost(t, seq)) return false;
    i32 sent = send_text(t, seq, u32_min(len, t->q.mss_send), false, now);
    if (sent <= 0) return false;
    t->high_rxt = seq + (u32)sent;
    return true;
}

/* How many bytes the congestion window still allows beyond snd_nxt. */
static u32 congestion_room(const struct tcb *t) {
    u32 window = t->cwnd, used = t->q.snd_nxt - t->q.snd_una;
    if (t->recovery == CC_RECOVERY && (t->q.options & TCP_USE_SACK)) used = tcp_pipe(t);
    /* RFC 3042: the first two duplicates each let a new segment out. */
    if (t->recovery == CC_OPEN) window += u32_min(t->dup_acks, TCP_DUP_ACKS - 1) * t->q.mss_send;
    return window > used ? window - used : 0;
}

/* The largest text that one packet may carry on this route. */
static u32 packet_limit(const struct tcb *t) {
    const struct link *lnk = t->route.lnk;
    u32 mss = t->q.mss_send;
    if (!lnk || !(lnk->caps & LINK_CAP_GSO) || lnk->gso_max_bytes < 2 * mss + PKT_HEADROOM) return mss;
    u32 limit = u32_min(lnk->gso_max_bytes, 65535) - IP_HEADER_BYTES - TCPHDR_MAX_BYTES;
    return limit - limit % mss;
}

/* Does a piece smaller than a segment go now? Nagle (RFC 9293 3.7.4) and the sender's half of SWS avoidance. */
static bool small_may_go(const struct tcb *t, u32 len, u32 waiting) {
    const struct tcp_seq *q = &t->q;
    if (seq_lt(q->snd_nxt, q->snd_max)) return true; /* sent before: it is a retransmission */
    if (len == waiting) return (t->flags & (TF_NODELAY | TF_FIN_QUEUED)) || q->snd_nxt == q->snd_una;
    return len > 0 && len >= q->snd_wnd_max / 2;
}

/* Step 3, one packet; false: nothing more may go now. */
static bool send_next(struct tcb *t, u64 now) {
    struct tcp_seq *q = &t->q;
    u32 offset = q->snd_nxt - q->snd_una, mss = q->mss_send;
    if (offset > t->tx.len) return false; /* the FIN has gone too */
    u32 waiting = t->tx.len - offset;
    u32 flow = q->snd_wnd > offset ? q->snd_wnd - offset : 0;
    u32 len = u32_min(u32_min(waiting, flow), congestion_room(t));
    bool fin_due = tcb_fin_unacked(t);
    if (len == 0 && !(waiting == 0 && fin_due)) return false;
    if (len > mss) {
        u32 limit = u32_min(len, packet_limit(t));
        if (limit != waiting || !small_may_go(t, limit, waiting)) limit -= limit % mss;
        len = limit;
    } else if (len < mss && len > 0 && !small_may_go(t, len, waiting)) {
        return false;
    }
    bool fin = fin_due && len == waiting;
    i32 sent = send_text(t, q->snd_nxt, len, fin, now);
    if (sent < 0) return true; /* again with the smaller segment */
    if ((u32)sent < len) fin = false;
    q->snd_nxt += (u32)sent + fin;
    return !fin;
}

static void set_timers(struct tcb *t, u64 now) {
    struct tcp_seq *q = &t->q;
    if (t->due[TT_RETRANSMIT] != TIME_NEVER || t->due[TT_PERSIST] != TIME_NEVER) return;
    if (q->snd_nxt != q->snd_una)
        tcp_retransmit_restart(t, now);
    else if (t->tx.len > 0)
        tcb_timer_set(t, TT_PERSIST, now + t->rto_us);
}

void tcp_output(struct tcb *t, u64 now) {
    t->flags &= (u16)~TF_OUTPUT;
    if (t->q.state < TCP_ESTABLISHED || t->q.state == TCP_TIME_WAIT) return;
    tcp_route_refresh(t);
    if (t->flags & TF_RESEND) resend_first(t, now);
    if (t->recovery == CC_RECOVERY)
        while (resend_hole(t, now)) continue;
    while (send_next(t, now)) continue;
    if (t->flags & TF_ACK_NOW) tcp_send_ack(t, now);
    set_timers(t, now);
}

/* With text waiting behind a shut window, its first bytes (RFC 9293 3.8.6.1); else an old sequence number, which the
 * peer must answer (RFC 1122 4.2.3.6; one byte of garbage with it if SENDGARBAGE says so). */
void tcp_send_probe(struct tcb *t, u64 now) {
    struct tcp_seq *q = &t->q;
    tcp_route_refresh(t);
    if (t->tx.len > 0 && q->snd_nxt == q->snd_una) {
        send_text(t, q->snd_una, u32_max(u32_min(u32_min(q->snd_wnd, t->tx.len), q->mss_send), 1), false, now);
        return;
    }
    static const u8 garbage[1] = {0};
    struct span one = {garbage, 1};
    struct tcphdr h;
    struct way w = {0};
    if (tcb_sock(t)->stk->conf.tcp.send_garbage) w.ext = &one, w.spans = 1, w.ext_len = 1;
    fill(t, &h, q->snd_una - 1, TCPF_ACK, now);
    send_header(t, &h, &w, now);
    sent_ack(t, &h);
}
