/* tcp_data.c - what text and FIN do to the receiver (RFC 9293 3.10.7.4, RFC 2018, RFC 1122 4.2.3.2).
 *
 * Text is copied once, from the card's buffer to its place in the receive buffer, in order or not; a bounded list
 * of ranges says what is ahead. An acknowledgement is owed
 *   at once          text out of order or filling a hole, FIN, a second full-sized segment, NODELAYACKS
 *   within 200 ms    other text (DELAYACKS)
 * "At once" is the end of the batch of packets that the card handed over, or TCP_STRETCH_SEGMENTS segments; a
 * segment out of order is answered by itself, since the peer counts those.
 */
#include "net/tcp_impl.h"

void tcp_ack_soon(struct tcb *t, u64 now) {
    u32 owed = t->q.rcv_nxt - t->q.last_ack_sent;
    if (owed >= TCP_STRETCH_SEGMENTS * t->recv_mss) {
        tcp_send_ack(t, now);
    } else if ((t->flags & TF_NODELAYACKS) || owed >= 2u * t->recv_mss) {
        t->flags |= TF_ACK_NOW;
        tcb_kick_output(t);
    } else {
        t->flags |= TF_ACK_DUE;
        if (t->due[TT_ACK] == TIME_NEVER) tcb_timer_set(t, TT_ACK, now + TCP_DELAY_ACK_US);
    }
}

bool tcp_data_in_order(struct tcb *t, const u8 *data, u32 len) {
    struct sock *s = tcb_sock(t);
    if (!cbuf_write_at(&t->rx, &s->stk->tcp->chunks, t->rx.len, data, len)) {
        TCP_COUNT(s->stk, drop_no_buffer);
        return false;
    }
    cbuf_extend(&t->rx, len);
    t->q.rcv_nxt += len;
    t->bytes_in += len;
    if (len > t->recv_mss) t->recv_mss = (u16)u32_min(len, UINT16_MAX);
    sock_signal(s, SOCK_EV_READ);
    return true;
}

/* What stands ahead and now touches rcv_nxt becomes readable. A segment may have covered whole ranges: they go first. */
static void join_ahead(struct tcb *t) {
    struct tcp_ranges *ahead = &t->marks->ahead;
    tcp_ranges_cut(ahead, t->q.rcv_nxt);
    if (ahead->n == 0 || ahead->r[0].left != t->q.rcv_nxt) return;
    u32 more = ahead->r[0].right - t->q.rcv_nxt;
    cbuf_extend(&t->rx, more);
    t->q.rcv_nxt += more;
    t->bytes_in += more;
    tcp_ranges_cut(ahead, t->q.rcv_nxt);
}

/* Text beyond rcv_nxt goes to its place; false: no room in the list, the pool, or for the list. */
static bool keep_ahead(struct tcb *t, u32 seq, const u8 *data, u32 len) {
    struct stack *stk = tcb_sock(t)->stk;
    struct tcp_marks *m = tcp_marks_need(t);
    TCP_COUNT(stk, out_of_order_segs);
    if (!m) {
        TCP_COUNT(stk, drop_no_buffer);
        return false;
    }
    struct tcp_ranges was = m->ahead;
    if (!tcp_ranges_add(&m->ahead, seq, seq + len) ||
        !cbuf_write_at(&t->rx, &stk->tcp->chunks, t->rx.len + (seq - t->q.rcv_nxt), data, len)) {
        m->ahead = was;
        TCP_COUNT(stk, drop_no_buffer);
        tcp_marks_release_if_idle(t);
        return false;
    }
    m->latest = seq;
    return true;
}

/* The peer's FIN is in order. false: the connection is now a TIME_WAIT row. */
static bool fin_arrives(struct tcb *t, u64 now) {
    struct sock *s = tcb_sock(t);
    t->q.rcv_nxt++;
    t->flags |= TF_FIN_RCVD | TF_ACK_NOW;
    tcp_step(t, TE_FIN);
    sock_signal(s, SOCK_EV_READ);
    if (t->q.state != TCP_TIME_WAIT) {
        tcb_kick_output(t);
        return true;
    }
    tcp_send_ack(t, now);
    tcp_timewait_enter(t, now);
    return false;
}

bool tcp_data_input(struct tcb *t, u32 seq, const u8 *data, u32 len, bool fin, u64 now) {
    struct tcp_seq *q = &t->q;
    if (t->flags & TF_FIN_RCVD) return true; /* nothing can follow a FIN */
    bool in_order = seq == q->rcv_nxt, hole_filled = in_order && t->marks && t->marks->ahead.n > 0;
    if (len > 0) {
        bool kept = in_order ? tcp_data_in_order(t, data, len) : keep_ahead(t, seq, data, len);
        if (!kept) fin = false;
    }
    if (in_order && t->marks) {
        join_ahead(t);
        if (t->marks->fin_early && t->marks->fin_seq == q->rcv_nxt) fin = true, seq = q->rcv_nxt - len;
    }
    if (fin && seq + len == q->rcv_nxt) {
        tcp_marks_free(t);
        return fin_arrives(t, now);
    }
    if (fin && tcp_marks_need(t)) {
        t->marks->fin_early = true;
        t->marks->fin_seq = seq + len;
    }
    tcp_marks_release_if_idle(t);
    if (!in_order)
        tcp_send_ack(t, now);
    else if (hole_filled || q->rcv_nxt == q->last_ack_sent) /* or nothing could be taken: say so */
        t->flags |= TF_ACK_NOW, tcb_kick_output(t);
    else
        tcp_ack_soon(t, now);
    return true;
}
