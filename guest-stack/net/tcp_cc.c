/* tcp_cc.c - how fast: round-trip times (RFC 6298) and the congestion window (RFC 5681, 6928, 3465, 9406 4.3).
 *
 *   state        window grows by                      left when
 *   CC_OPEN      slow start: what was acknowledged,   three duplicates or SACK's verdict -> CC_RECOVERY
 *                at most 8 segments an ACK;           retransmission timeout -> CC_LOSS
 *                above ssthresh: 1 segment a window
 *   CC_RECOVERY  nothing; NewReno's inflation         everything up to `recover` acknowledged -> CC_OPEN
 *   CC_LOSS      slow start, at most 2 an ACK          everything up to `recover` acknowledged -> CC_OPEN
 */
#include "net/tcp_impl.h"

/* Of one acknowledgement: a receiver's card joins segments, and acknowledges some ten of 1,460 or six of 8,940 bytes at a time. */
#define SLOW_START_SEGMENTS 8u

/* Octets sent and neither acknowledged nor reported. */
u32 tcp_flight(const struct tcb *t) { return t->q.snd_max - t->q.snd_una; }

void tcp_cc_start(struct tcb *t) {
    u32 mss = t->q.mss_send;
    t->cwnd = TCP_INITIAL_SEGMENTS * mss;
    /* RFC 5681 3.1: a SYN that had to be sent again starts with one segment. */
    if (t->retries > 0) t->cwnd = mss;
    t->ssthresh = UINT32_MAX;
    t->recovery = CC_OPEN;
    t->recover = t->q.iss;
    t->high_rxt = t->q.snd_una;
}

void tcp_cc_acked(struct tcb *t, u32 bytes) {
    u32 mss = t->q.mss_send;
    if (t->recovery == CC_RECOVERY) return;
    /* A sender that its program or the peer's window limits learns nothing about the network (RFC 7661). */
    if (tcp_flight(t) + bytes < t->cwnd / 2 && t->recovery == CC_OPEN) return;
    if (t->cwnd < t->ssthresh) {
        t->cwnd += u32_min(bytes, (t->recovery == CC_LOSS ? 2 : SLOW_START_SEGMENTS) * mss);
    } else {
        t->acked_ca += bytes;
        if (t->acked_ca >= t->cwnd) {
            t->acked_ca -= t->cwnd;
            t->cwnd += mss;
        }
    }
    /* More than the send buffer can never be in flight; a window beyond it would be a burst saved up. */
    t->cwnd = u32_min(t->cwnd, TCP_CWND_MAX);
}

static void halve(struct tcb *t) {
    t->ssthresh = u32_max(tcp_flight(t) / 2, 2u * t->q.mss_send);
    t->acked_ca = 0;
}

void tcp_cc_enter_recovery(struct tcb *t) {
    halve(t);
    t->recover = t->q.snd_max;
    t->high_rxt = t->q.snd_una;
    t->recovery = CC_RECOVERY;
    t->cwnd = t->ssthresh;
    t->flags &= (u16)~TF_TIMING;
    TCP_COUNT(tcb_sock(t)->stk, fast_retransmits);
    if (t->q.options & TCP_USE_SACK)
        TCP_COUNT(tcb_sock(t)->stk, sack_recoveries);
    else
        t->cwnd += TCP_DUP_ACKS * t->q.mss_send; /* NewReno: the duplicates left the network */
}

void tcp_cc_timeout(struct tcb *t) {
    /* Only the first timeout of a segment says something new about the network (RFC 5681 3.1). */
    if (t->retries <= 1) halve(t);
    t->cwnd = t->q.mss_send;
    t->recover = t->q.snd_max;
    t->recovery = CC_LOSS;
    t->dup_acks = 0;
    t->high_rxt = t->q.snd_una;
    t->flags &= (u16)~TF_TIMING;
}

void tcp_rtt_sample(struct tcb *t, u32 rtt_us) {
    /* A sample of more than a minute is a clock that jumped or a peer that echoes nonsense. */
    if (rtt_us > TCP_RTO_MAX_US / 2) return;
    if (t->srtt8_us == 0) {
        t->srtt8_us = u32_max(rtt_us * 8, 1);
        t->rttvar4_us = rtt_us * 2;
    } else {
        i32 error = (i32)(rtt_us - t->srtt8_us / 8);
        t->srtt8_us = u32_max((u32)((i32)t->srtt8_us + error), 1);
        if (error < 0) error = -error;
        t->rttvar4_us = (u32)((i32)t->rttvar4_us + error - (i32)(t->rttvar4_us / 4));
    }
    tcp_rto_restore(t);
}

void tcp_rto_restore(struct tcb *t) {
    u32 rto = t->srtt8_us / 8 + u32_max(t->rttvar4_us, 1024); /* one tick of the clock at least */
    if (t->srtt8_us == 0) rto = TCP_RTO_INITIAL_US;
    t->rto_us = u32_min(u32_max(rto, TCP_RTO_MIN_US), TCP_RTO_MAX_US);
}
