/* tcp_in.c - a segment arrives (RFC 9293 3.10.7, RFC 7323 PAWS, RFC 5961).
 *
 *   found as            goes to
 *   connection          tcp_segment(): header prediction, else the checks in the RFC's order
 *   half-open row       tcp_syn_segment(), and with the connection it makes to tcp_segment()
 *   TIME_WAIT row       tcp_timewait_segment(), and perhaps on to a listener
 *   listener            SYN: tcp_syn_arrives(); ACK: tcp_cookie_segment()
 *   nothing             a RST goes back, unless it is a SYN that a routing stack has sent here
 *
 * Header prediction: of ten segments of a transfer nine are the next text in order, or acknowledge new data, with
 * nothing else changed. They are recognised by one row of comparisons and do only what they need.
 */
#include "net/tcp_impl.h"

bool tcp_challenge_allowed(struct stack *stk, u64 now) {
    struct tcp_state *st = stk->tcp;
    u64 second = now >> 20;
    if (second != st->challenge_second) {
        st->challenge_second = second;
        /* An exact limit could be counted from outside and tell a third party whether a connection exists. */
        st->challenges_left = TCP_CHALLENGE_PER_SEC + stack_random(stk) % TCP_CHALLENGE_PER_SEC;
    }
    if (st->challenges_left == 0) {
        TCP_COUNT(stk, challenge_limited);
        return false;
    }
    st->challenges_left--;
    TCP_COUNT(stk, challenge_acks);
    return true;
}

static void challenge(struct tcb *t, u64 now) {
    if (tcp_challenge_allowed(tcb_sock(t)->stk, now)) tcp_send_ack(t, now);
}

/* true: done, t may be gone. */
static bool predicted(struct tcb *t, const struct tcphdr *h, const u8 *data, u32 len, u64 now) {
    struct tcp_seq *q = &t->q;
    if ((h->flags & ~TCPF_PSH) != TCPF_ACK || q->state != TCP_ESTABLISHED || h->seq != q->rcv_nxt || t->marks ||
        t->recovery != CC_OPEN || (u32)h->window << q->snd_scale != q->snd_wnd || h->sacks)
        return false;
    if (seq_lt(h->ack, q->snd_una) || seq_gt(h->ack, q->snd_max)) return false;
    if (len == 0 ? h->ack == q->snd_una : len > q->rcv_adv - q->rcv_nxt) return false;
    if (q->options & TCP_USE_TS) {
        if (!(h->has & TCPHDR_TS) || seq_lt(h->ts_value, q->ts_recent)) return false;
        if (seq_le(h->seq, q->last_ack_sent)) {
            q->ts_recent = h->ts_value;
            q->ts_recent_ms = tcp_tick(now);
        }
    }
    TCP_COUNT(tcb_sock(t)->stk, header_predicted);
    t->heard_at = now;
    if (t->probes) tcp_keepalive_restart(t, now);
    q->snd_wl1 = h->seq;
    q->snd_wl2 = h->ack;
    if (h->ack != q->snd_una) {
        tcp_acked(t, h, now);
        if (t->tx.len > q->snd_nxt - q->snd_una) tcb_kick_output(t);
    }
    if (len == 0) return true;
    if (tcp_data_in_order(t, data, len)) {
        tcp_ack_soon(t, now);
    } else {
        t->flags |= TF_ACK_NOW; /* no buffer: the duplicate asks for it again soon */
        tcb_kick_output(t);
    }
    return true;
}

/* RFC 7323 5.3; true: acceptable. */
static bool paws_ok(struct tcb *t, const struct tcphdr *h, u64 now) {
    struct tcp_seq *q = &t->q;
    struct stack *stk = tcb_sock(t)->stk;
    if (!(q->options & TCP_USE_TS) || (h->flags & TCPF_RST)) return true;
    if (!(h->has & TCPHDR_TS)) {
        TCP_COUNT(stk, drop_options);
        return false;
    }
    if (!seq_lt(h->ts_value, q->ts_recent)) return true;
    if (tcp_tick(now) - q->ts_recent_ms > TCP_PAWS_IDLE_TICKS) return true;
    TCP_COUNT(stk, drop_paws);
    tcp_send_ack(t, now);
    return false;
}

/* RFC 5961 3.2: only an exact RST ends a connection; one in the window is asked about. */
static void reset_arrives(struct tcb *t, const struct tcphdr *h, u64 now) {
    struct stack *stk = tcb_sock(t)->stk;
    u32 window = u32_max(t->q.rcv_adv - t->q.rcv_nxt, 1);
    if (h->seq == t->q.rcv_nxt) {
        bool refused = t->q.state == TCP_SYN_RCVD;
        tcp_step(t, TE_END);
        tcb_end(t, refused ? ERR_CONNREFUSED : ERR_CONNRESET, now);
        return;
    }
    TCP_COUNT(stk, drop_rst_invalid);
    if (h->seq - t->q.rcv_nxt < window) challenge(t, now);
}

/* What is left of a segment after cutting it to the receive window. */
struct cut {
    u32 seq, len;
    const u8 *data;
    bool fin;
};

/* RFC 9293 3.10.7.4, first check. false: not acceptable, answered as it must be. */
static bool cut_to_window(struct tcb *t, const struct tcphdr *h, struct cut *c, u64 now) {
    struct tcp_seq *q = &t->q;
    struct stack *stk = tcb_sock(t)->stk;
    u32 window = q->rcv_adv - q->rcv_nxt, length = c->len + c->fin;
    if (seq_lt(c->seq, q->rcv_nxt)) {
        u32 old = q->rcv_nxt - c->seq;
        if (old >= length) {
            /* Wholly old. Text means that our acknowledgement was lost, one below rcv_nxt is a keepalive: answered
             * at once. Bare old ones are limited, lest two confused ends answer each other for ever. */
            TCP_COUNT(stk, drop_window);
            if (length > 0 || old == 1)
                tcp_send_ack(t, now);
            else
                challenge(t, now);
            return false;
        }
        c->seq += old;
        c->data += u32_min(old, c->len);
        c->len -= u32_min(old, c->len);
    }
    u32 offset = c->seq - q->rcv_nxt;
    if (offset > window || (offset == window && c->len + c->fin > 0)) {
        TCP_COUNT(stk, drop_window);
        if (length == 0) {
            challenge(t, now);
            return false;
        }
        t->flags |= TF_ACK_NOW;
        tcb_kick_output(t);
        /* With the window shut, acknowledgements still count (MUST-66). */
        if (window > 0 || h->seq != q->rcv_nxt) return false;
        c->len = 0;
        c->fin = false;
    } else if (c->len > window - offset) {
        c->len = window - offset;
        c->fin = false;
    }
    return true;
}

/* The round trip of our SYN, whose clock stops here: text that follows much later is timed by itself. Which copy of a repeated one was answered its
 * timestamp says; but some peers echo the first one's in each answer, and what lies between is our patience, not the path. */
static void sample_syn(struct tcb *t, const struct tcphdr *h, u64 now) {
    u32 ticks = tcp_tick(now) - (h->ts_echo - t->q.ts_offset), since_us = (u32)now - t->rtt_at_us;
    t->flags &= (u16)~TF_TIMING;
    t->rto_us = t->retries ? TCP_RTO_RESTART_US : TCP_RTO_INITIAL_US;
    if (!(h->has & TCPHDR_TS) || !(t->q.options & TCP_USE_TS)) return;
    if (t->retries == 0 || ticks <= tcp_tick(since_us) + 1) tcp_rtt_sample(t, ticks << 10);
}

static void established(struct tcb *t, const struct tcphdr *h, u64 now) {
    struct sock *s = tcb_sock(t);
    tcb_timer_clear(t, TT_LIMIT);
    tcp_route_refresh(t);
    tcp_cc_start(t);
    sample_syn(t, h, now);
    t->retries = 0;
    if (t->flags & TF_KEEPALIVE) tcp_keepalive_restart(t, now);
    sock_signal(s, SOCK_EV_WRITE);
    if (t->flags & TF_FIN_QUEUED) tcp_step(t, TE_CLOSE);
    tcb_kick_output(t);
}

static void peer_options(struct tcb *t, const struct tcphdr *h, u64 now) {
    struct tcp_seq *q = &t->q;
    bool ts = tcb_sock(t)->stk->conf.tcp.timestamps && (h->has & TCPHDR_TS);
    q->mss_peer = (u16)u32_max((h->has & TCPHDR_MSS) ? h->mss : TCP_MSS_DEFAULT, TCP_MSS_MIN);
    q->options = 0;
    if (ts) q->options |= TCP_USE_TS, q->ts_recent = h->ts_value, q->ts_recent_ms = tcp_tick(now);
    if (h->has & TCPHDR_SACK_OK) q->options |= TCP_USE_SACK;
    if (h->has & TCPHDR_SCALE) {
        q->options |= TCP_USE_SCALE;
        q->snd_scale = (u8)u32_min(h->scale, TCPHDR_SCALE_MAX);
    } else {
        q->snd_scale = q->rcv_scale = 0;
    }
}

/* RFC 9293 3.10.7.3. */
static void syn_sent_segment(struct tcb *t, const struct tcphdr *h, u32 len, u64 now) {
    struct tcp_seq *q = &t->q;
    struct sock *s = tcb_sock(t);
    if ((h->flags & TCPF_ACK) && h->ack != q->snd_max) {
        TCP_COUNT(s->stk, drop_future_ack);
        if (!(h->flags & TCPF_RST)) tcp_reject(s->stk, &s->key, h, len, now);
        return;
    }
    if (h->flags & TCPF_RST) {
        /* Without a good acknowledgement anyone could have sent it. */
        if (h->flags & TCPF_ACK) {
            tcp_step(t, TE_END);
            tcb_end(t, ERR_CONNREFUSED, now);
        } else {
            TCP_COUNT(s->stk, drop_rst_invalid);
        }
        return;
    }
    if (!(h->flags & TCPF_SYN)) {
        TCP_COUNT(s->stk, drop_no_ack);
        return;
    }
    q->irs = h->seq;
    q->rcv_nxt = q->last_ack_sent = h->seq + 1;
    q->rcv_adv = q->rcv_nxt + u32_min(t->rx_limit, 65535);
    peer_options(t, h, now);
    t->heard_at = now;
    q->snd_wnd = q->snd_wnd_max = h->window; /* never scaled in a SYN */
    q->snd_wl1 = h->seq;
    q->snd_wl2 = h->ack;
    if (!(h->flags & TCPF_ACK)) {
        tcp_step(t, TE_SYN);
        tcp_send_syn(t, now);
        return;
    }
    q->snd_una = q->snd_nxt = h->ack;
    tcb_timer_clear(t, TT_RETRANSMIT);
    tcp_step(t, TE_SYN_ACK);
    t->flags |= TF_ACK_NOW;
    established(t, h, now);
}

/* SYN_RCVD after a simultaneous open: the peer's acknowledgement of our SYN, with or without its own again. */
static bool syn_rcvd_ack(struct tcb *t, const struct tcphdr *h, u64 now) {
    struct tcp_seq *q = &t->q;
    struct sock *s = tcb_sock(t);
    if (h->ack != q->snd_max) {
        TCP_COUNT(s->stk, drop_future_ack);
        tcp_reject(s->stk, &s->key, h, 0, now);
        return false;
    }
    q->snd_una = q->snd_nxt = h->ack;
    q->snd_wnd = (u32)h->window << ((h->flags & TCPF_SYN) ? 0 : q->snd_scale);
    q->snd_wnd_max = u32_max(q->snd_wnd_max, q->snd_wnd);
    q->snd_wl1 = h->seq;
    q->snd_wl2 = h->ack;
    tcb_timer_clear(t, TT_RETRANSMIT);
    tcp_step(t, (h->flags & TCPF_SYN) ? TE_SYN_ACK : TE_ACK_OF_SYN);
    established(t, h, now);
    return true;
}

/* A SYN for a synchronised connection; true: it was our peer's half of a simultaneous open. */
static void syn_arrives(struct tcb *t, const struct tcphdr *h, u64 now) {
    if (t->q.state == TCP_SYN_RCVD && h->seq == t->q.irs) {
        if (!(h->flags & TCPF_ACK))
            tcp_send_syn(t, now);
        else if (syn_rcvd_ack(t, h, now))
            t->flags |= TF_ACK_NOW;
        return;
    }
    TCP_COUNT(tcb_sock(t)->stk, drop_syn_in_window);
    challenge(t, now);
}

static void synchronised(struct tcb *t, const struct tcphdr *h, const u8 *data, u32 len, u64 now) {
    struct tcp_seq *q = &t->q;
    struct stack *stk = tcb_sock(t)->stk;
    struct cut c = {h->seq, len, data, (h->flags & TCPF_FIN) != 0};
    if (!paws_ok(t, h, now)) return;
    if (h->flags & TCPF_RST) {
        reset_arrives(t, h, now);
        return;
    }
    if (h->flags & TCPF_SYN) {
        syn_arrives(t, h, now);
        return;
    }
    if (!cut_to_window(t, h, &c, now)) return;
    t->heard_at = now;
    if (t->probes) tcp_keepalive_restart(t, now);
    if ((q->options & TCP_USE_TS) && seq_le(h->seq, q->last_ack_sent)) {
        q->ts_recent = h->ts_value;
        q->ts_recent_ms = tcp_tick(now);
    }
    if (!(h->flags & TCPF_ACK)) {
        TCP_COUNT(stk, drop_no_ack);
        return;
    }
    if (q->state == TCP_SYN_RCVD && !syn_rcvd_ack(t, h, now)) return;
    if (!tcp_ack_input(t, h, len, now)) return;
    if (c.len == 0 && !c.fin) return;
    if (c.len > 0 && tcb_abandoned(t)) {
        /* RFC 1122 4.2.2.13: text that nobody will ever read is answered by a reset, so the peer learns it. */
        TCP_COUNT(stk, drop_no_socket);
        tcp_send_rst(t, now);
        tcp_step(t, TE_END);
        tcb_end(t, ERR_CONNRESET, now);
        return;
    }
    tcp_data_input(t, c.seq, c.data, c.len, c.fin, now);
}

void tcp_segment(struct tcb *t, const struct tcphdr *h, const u8 *data, u32 len, u64 now) {
    t->segments_in++;
    if (predicted(t, h, data, len, now)) return;
    if (t->q.state == TCP_SYN_SENT)
        syn_sent_segment(t, h, len, now);
    else
        synchronised(t, h, data, len, now);
}

/* Nobody has this key, and nobody listens. A SYN that was routed is refused by the stack that routes, which knows whether anybody else listens: it
 * may be late, and the client have begun with another stack meanwhile. */
static void nobody_there(struct stack *stk, const struct tcp_key *k, const struct tcphdr *h, u32 len, bool routed, u64 now) {
    if (routed && (h->flags & (TCPF_SYN | TCPF_ACK | TCPF_RST)) == TCPF_SYN) {
        TCP_COUNT(stk, drop_routed_syn);
        return;
    }
    TCP_COUNT(stk, drop_no_listener);
    if (!(h->flags & TCPF_RST)) tcp_reject(stk, k, h, len, now);
}

/* No connection has this key: rows, then a listener, then nobody. */
static void input_elsewhere(struct stack *stk, const struct tcp_key *k, u32 hash, const struct tcphdr *h,
                            const u8 *data, u32 len, bool routed, u64 now) {
    struct syn_row *row = tcp_syn_lookup(stk, k, hash);
    if (row) {
        struct tcb *t = tcp_syn_segment(stk, row, hash, h, len, now);
        if (t) tcp_segment(t, h, data, len, now);
        return;
    }
    u32 iss_floor = 0;
    struct timewait_row *tw = tcp_timewait_lookup(stk, k, hash);
    if (tw && !tcp_timewait_segment(stk, tw, hash, h, len, &iss_floor, now)) return;
    struct sock *listener = tcp_find_listener(stk, k->local, k->local_port);
    if (!listener) {
        nobody_there(stk, k, h, len, routed, now);
        return;
    }
    if (h->flags & TCPF_RST) return; /* for a half-open connection that is no more */
    if (h->flags & TCPF_ACK) {
        struct tcb *t = tcp_cookie_segment(listener, k, hash, h, now);
        if (t)
            tcp_segment(t, h, data, len, now);
        else
            tcp_reject(stk, k, h, len, now);
        return;
    }
    if (h->flags & TCPF_SYN)
        tcp_syn_arrives(listener, k, hash, h, iss_floor, now);
    else
        TCP_COUNT(stk, drop_no_ack);
}

void tcp_input(struct stack *stk, struct pkt *p, u64 now) {
    struct tcphdr h;
    TCP_COUNT(stk, in_segs);
    u32 header = tcphdr_check(p->data, p->len);
    if (header == 0) {
        TCP_COUNT(stk, in_errs);
        if (p->len < TCPHDR_BYTES)
            TCP_COUNT(stk, drop_short);
        else
            TCP_COUNT(stk, drop_header_len);
        return;
    }
    if (!(p->flags & PKT_L4_CSUM_OK) &&
        cksum_fold(cksum_add(cksum_pseudo(p->src, p->dst, IP_PROTO_TCP, p->len), p->data, p->len)) != 0) {
        TCP_COUNT(stk, in_errs);
        TCP_COUNT(stk, drop_checksum);
        return;
    }
    /* RFC 9293 MUST-57: TCP has one peer. */
    if ((p->flags & (PKT_LINK_BCAST | PKT_LINK_MCAST)) || ipaddr_is_multicast(p->dst) || ipaddr_is_multicast(p->src) ||
        ipaddr_is_any(p->src)) {
        TCP_COUNT(stk, drop_broadcast);
        return;
    }
    tcphdr_parse(p->data, header, &h);
    struct tcp_key k = {p->dst, p->src, h.dst_port, h.src_port};
    u32 hash = tcp_hash(stk, &k);
    struct sock *s = tcp_lookup(stk, &k, hash);
    if (s)
        tcp_segment(&s->tcb, &h, p->data + header, p->len - header, now);
    else
        input_elsewhere(stk, &k, hash, &h, p->data + header, p->len - header, (p->flags & PKT_DISTRIBUTED) != 0, now);
}
