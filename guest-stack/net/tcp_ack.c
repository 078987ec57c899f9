/* tcp_ack.c - what an acknowledgement does to the sender (RFC 9293 3.10.7.4, RFC 5681, 6582, 6675, 3042).
 *
 *   acknowledgement                       CC_OPEN                  CC_RECOVERY
 *   of new data, up to `recover`          window grows             NewReno: next hole at once; SACK: pipe decides
 *   of everything up to `recover`         window grows             recovery is over, window = ssthresh
 *   duplicate, 1st and 2nd                limited transmit         NewReno: window inflates; SACK: pipe shrinks
 *   duplicate, 3rd, or SACK says lost     recovery begins          as above
 */
#include "net/tcp_impl.h"

/* Our FIN has left, and `ack` covers it. Asked before the acknowledged bytes leave the queue. */
static bool covers_fin(const struct tcb *t, u32 ack) {
    return tcb_fin_unacked(t) && ack == t->q.snd_una + t->tx.len + 1;
}

static void sample_rtt(struct tcb *t, const struct tcphdr *h, u64 now) {
    if ((t->flags & TF_TIMING) && seq_gt(h->ack, t->rtt_seq)) {
        t->flags &= (u16)~TF_TIMING;
        tcp_rtt_sample(t, (u32)now - t->rtt_at_us);
    } else if (t->retries > 0 && (t->q.options & TCP_USE_TS) && (h->has & TCPHDR_TS)) {
        /* After a retransmission only the echoed timestamp tells which copy this answers (RFC 7323 4.1). */
        tcp_rtt_sample(t, (tcp_tick(now) - (h->ts_echo - t->q.ts_offset)) << 10);
    }
}

/* In recovery: whole or partial? snd_una has moved already. */
static void recovery_progress(struct tcb *t, u32 bytes) {
    struct tcp_seq *q = &t->q;
    u32 mss = q->mss_send;
    if (seq_ge(q->snd_una, t->recover)) {
        if (t->recovery == CC_RECOVERY) t->cwnd = u32_min(t->ssthresh, u32_max(tcp_flight(t), mss) + mss);
        t->recovery = CC_OPEN;
        t->dup_acks = 0;
        return;
    }
    if (t->recovery != CC_RECOVERY) return;
    if (q->options & TCP_USE_SACK) {
        if (seq_le(t->high_rxt, q->snd_una)) t->flags |= TF_RESEND;
        return;
    }
    /* RFC 6582 3.2 step 5: deflate by what left, add one segment, send the next hole. */
    t->cwnd = t->cwnd > bytes ? t->cwnd - bytes : mss;
    if (bytes >= mss) t->cwnd += mss;
    t->flags |= TF_RESEND;
}

/* Our FIN is acknowledged. again: it had been sent more than once, so its acknowledgement may come more than once. Who closed last forgets
 * the connection, and would answer the second with a reset: then that one waits as who closed first does. false: the connection is over. */
static bool fin_acked(struct tcb *t, bool again, u64 now) {
    struct stack *stk = tcb_sock(t)->stk;
    tcp_step(t, TE_ACK_OF_FIN);
    if (t->q.state == TCP_FIN_WAIT_2) {
        if (tcb_sock(t)->flags & SF_ORPHAN)
            tcb_timer_set(t, TT_LIMIT, now + (u64)stk->conf.tcp.finwait2_sec * USEC_PER_SEC);
        return true;
    }
    if (t->q.state == TCP_TIME_WAIT || again)
        tcp_timewait_enter(t, now);
    else
        tcb_end(t, 0, now);
    return false;
}

/* The send buffer grows where nothing else holds the program back: it waits for room, and all that it wrote is on its way, but
 * for less than a segment. By what was acknowledged, so a round trip may double it; a peer that does not read, or a congestion
 * window, leaves text unsent and the buffer as it is. Not while most chunks are taken, and not if it was made small on purpose. */
static void grow_send_buffer(struct tcb *t, const struct pool *chunks, u32 acked) {
    const struct tcp_seq *q = &t->q;
    u32 unsent = t->tx.len - u32_min(q->snd_nxt - q->snd_una, t->tx.len);
    if (!(t->flags & TF_WANT_WRITE) || unsent >= q->mss_send || t->recovery != CC_OPEN) return;
    if (t->tx_limit < TCP_GROWS_FROM || t->tx_limit >= TCP_GROWS_TO || chunks->in_use > chunks->count / 2) return;
    t->tx_limit = u32_min(t->tx_limit + acked, TCP_GROWS_TO);
}

bool tcp_acked(struct tcb *t, const struct tcphdr *h, u64 now) {
    struct tcp_seq *q = &t->q;
    struct sock *s = tcb_sock(t);
    bool fin = covers_fin(t, h->ack), again = t->retries > 0;
    u32 bytes = h->ack - q->snd_una - fin;
    sample_rtt(t, h, now);
    grow_send_buffer(t, &s->stk->tcp->chunks, bytes);
    cbuf_consume(&t->tx, &s->stk->tcp->chunks, bytes, false);
    q->snd_una = h->ack;
    if (seq_lt(q->snd_nxt, q->snd_una)) q->snd_nxt = q->snd_una;
    t->retries = 0;
    if (t->probes) t->probes = 0, tcp_rto_restore(t);
    tcp_cc_acked(t, bytes);
    if (t->marks) {
        tcp_ranges_cut(&t->marks->sacked, q->snd_una);
        tcp_marks_release_if_idle(t);
    }
    if (t->recovery == CC_OPEN)
        t->dup_acks = 0;
    else
        recovery_progress(t, bytes);
    tcb_timer_clear(t, TT_PERSIST);
    if (q->snd_una == q->snd_max)
        tcb_timer_clear(t, TT_RETRANSMIT);
    else
        tcp_retransmit_restart(t, now);
    if ((t->flags & TF_WANT_WRITE) && t->tx_limit - u32_min(t->tx.len, t->tx_limit) >= t->tx_limit / 4) {
        t->flags &= (u16)~TF_WANT_WRITE;
        sock_signal(s, SOCK_EV_WRITE);
    }
    return !fin || fin_acked(t, again, now);
}

void tcp_window_update(struct tcb *t, const struct tcphdr *h) {
    struct tcp_seq *q = &t->q;
    if (!seq_lt(q->snd_wl1, h->seq) && !(q->snd_wl1 == h->seq && seq_le(q->snd_wl2, h->ack))) return;
    u32 window = (u32)h->window << q->snd_scale;
    if (window > q->snd_wnd) {
        /* The peer has room again: what the persist timer was holding back goes now. */
        tcb_timer_clear(t, TT_PERSIST);
        t->probes = 0;
        if (t->retries == 0) tcp_rto_restore(t);
    }
    q->snd_wnd = window;
    q->snd_wnd_max = u32_max(q->snd_wnd_max, window);
    q->snd_wl1 = h->seq;
    q->snd_wl2 = h->ack;
    if (t->tx.len > q->snd_nxt - q->snd_una) tcb_kick_output(t);
}

static void duplicate_ack(struct tcb *t) {
    struct stack *stk = tcb_sock(t)->stk;
    TCP_COUNT(stk, dup_acks_in);
    t->dup_acks_total++;
    if (t->dup_acks < UINT8_MAX) t->dup_acks++;
    tcb_kick_output(t);
    if (t->recovery == CC_RECOVERY) {
        if (!(t->q.options & TCP_USE_SACK)) t->cwnd = u32_min(t->cwnd + t->q.mss_send, TCP_CWND_MAX);
        return;
    }
    /* RFC 6582 3.2 step 1: duplicates of what a timeout sent again must not start another recovery. */
    if (t->recovery == CC_LOSS && seq_lt(t->q.snd_una, t->recover)) return;
    if (t->dup_acks < TCP_DUP_ACKS && !tcp_is_lost(t, t->q.snd_una)) return;
    tcp_cc_enter_recovery(t);
    t->flags |= TF_RESEND;
}

static void ack_out_of_range(struct tcb *t, u64 now) {
    if (tcp_challenge_allowed(tcb_sock(t)->stk, now)) tcp_send_ack(t, now);
}

bool tcp_ack_input(struct tcb *t, const struct tcphdr *h, u32 len, u64 now) {
    struct tcp_seq *q = &t->q;
    struct stack *stk = tcb_sock(t)->stk;
    /* RFC 5961 5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT, the rest is asked about. */
    if (seq_gt(h->ack, q->snd_max)) {
        TCP_COUNT(stk, drop_future_ack);
        ack_out_of_range(t, now);
        return false;
    }
    if (seq_lt(h->ack, q->snd_una - q->snd_wnd_max)) {
        TCP_COUNT(stk, drop_old_ack);
        ack_out_of_range(t, now);
        return false;
    }
    bool news = (q->options & TCP_USE_SACK) && h->sacks && tcp_marks_sacked(t, h);
    if (seq_gt(h->ack, q->snd_una)) {
        if (!tcp_acked(t, h, now)) return false;
        tcb_kick_output(t);
    } else if (h->ack == q->snd_una && q->snd_max != q->snd_una && len == 0 && !(h->flags & TCPF_FIN) &&
               t->due[TT_PERSIST] == TIME_NEVER) {
        bool same_window = (u32)h->window << q->snd_scale == q->snd_wnd;
        if (news || (same_window && !(q->options & TCP_USE_SACK)) || (same_window && h->sacks == 0)) duplicate_ack(t);
    }
    tcp_window_update(t, h);
    return true;
}
