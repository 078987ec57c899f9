/* tcp_marks.c - ranges of sequence numbers: the sender's SACK scoreboard (RFC 6675) and the receiver's list of what
 * arrived ahead of order (RFC 2018).
 *
 * A list is ascending, disjoint and bounded by TCP_MARK_RANGES; operations are linear in that bound. When a list is
 * full, a range that touches none is refused: the sender retransmits what need not be, which is slow but right.
 * A connection holds its struct tcp_marks only while either list has something in it.
 */
#include "net/tcp_impl.h"

bool tcp_ranges_add(struct tcp_ranges *rs, u32 l, u32 r) {
    u32 i = 0;
    while (i < rs->n && seq_lt(rs->r[i].right, l)) i++;
    if (i == rs->n || seq_lt(r, rs->r[i].left)) {
        if (rs->n == TCP_MARK_RANGES) return false;
        for (u32 j = rs->n; j > i; j--) rs->r[j] = rs->r[j - 1];
        rs->r[i] = (struct tcp_range){l, r};
        rs->n++;
        return true;
    }
    if (seq_lt(l, rs->r[i].left)) rs->r[i].left = l;
    /* The range at i may now reach into those after it. */
    u32 k = i;
    while (k + 1 < rs->n && seq_le(rs->r[k + 1].left, r)) k++;
    rs->r[i].right = seq_max(rs->r[k].right, r);
    if (k > i) {
        for (u32 j = k + 1; j < rs->n; j++) rs->r[j - (k - i)] = rs->r[j];
        rs->n -= k - i;
    }
    return true;
}

void tcp_ranges_cut(struct tcp_ranges *rs, u32 seq) {
    u32 gone = 0;
    while (gone < rs->n && seq_le(rs->r[gone].right, seq)) gone++;
    if (gone > 0) {
        for (u32 j = gone; j < rs->n; j++) rs->r[j - gone] = rs->r[j];
        rs->n -= gone;
    }
    if (rs->n > 0 && seq_lt(rs->r[0].left, seq)) rs->r[0].left = seq;
}

struct tcp_marks *tcp_marks_need(struct tcb *t) {
    if (!t->marks) {
        t->marks = pool_get(&tcb_sock(t)->stk->tcp->marks);
        if (t->marks) {
            t->marks->ahead.n = t->marks->sacked.n = 0;
            t->marks->fin_early = false;
        }
    }
    return t->marks;
}

void tcp_marks_free(struct tcb *t) {
    if (t->marks) pool_put(&tcb_sock(t)->stk->tcp->marks, t->marks);
    t->marks = NULL;
}

void tcp_marks_release_if_idle(struct tcb *t) {
    const struct tcp_marks *m = t->marks;
    if (m && m->ahead.n == 0 && m->sacked.n == 0 && !m->fin_early) tcp_marks_free(t);
}

static u32 ranges_total(const struct tcp_ranges *rs) {
    u32 total = 0;
    for (u32 i = 0; i < rs->n; i++) total += rs->r[i].right - rs->r[i].left;
    return total;
}

bool tcp_marks_sacked(struct tcb *t, const struct tcphdr *h) {
    bool news = false;
    for (u32 i = 0; i < h->sacks; i++) {
        struct tcp_range r = h->sack[i];
        /* Below snd_una it is a duplicate report (RFC 2883); beyond snd_max it is nonsense. */
        if (seq_lt(r.left, t->q.snd_una) || seq_le(r.left, h->ack - 1) || seq_gt(r.right, t->q.snd_max)) continue;
        struct tcp_marks *m = tcp_marks_need(t);
        if (!m) return news;
        u32 before = ranges_total(&m->sacked);
        if (tcp_ranges_add(&m->sacked, r.left, r.right) && ranges_total(&m->sacked) != before) news = true;
    }
    return news;
}

/* RFC 6675 4, IsLost: three discontiguous ranges, or more than two full segments, are reported above seq. */
bool tcp_is_lost(const struct tcb *t, u32 seq) {
    if (!t->marks) return false;
    const struct tcp_ranges *rs = &t->marks->sacked;
    u32 above = 0, ranges = 0;
    for (u32 i = 0; i < rs->n; i++) {
        if (seq_le(rs->r[i].right, seq)) continue;
        above += rs->r[i].right - seq_max(rs->r[i].left, seq);
        ranges++;
    }
    return ranges >= TCP_DUP_ACKS || above > (TCP_DUP_ACKS - 1) * t->q.mss_send;
}

/* RFC 6675 4, SetPipe, by ranges rather than octets: what is neither reported nor lost, plus what was sent again. */
u32 tcp_pipe(const struct tcb *t) {
    if (!t->marks || t->marks->sacked.n == 0) return t->q.snd_nxt - t->q.snd_una;
    const struct tcp_ranges *rs = &t->marks->sacked;
    u32 at = t->q.snd_una, pipe = 0;
    for (u32 i = 0; i <= rs->n; i++) {
        u32 hole_end = i < rs->n ? rs->r[i].left : t->q.snd_max;
        if (seq_lt(at, hole_end)) {
            if (!tcp_is_lost(t, at)) pipe += hole_end - at;
            u32 again = seq_lt(t->high_rxt, hole_end) ? t->high_rxt : hole_end;
            if (seq_gt(again, at)) pipe += again - at;
        }
        if (i < rs->n) at = rs->r[i].right;
    }
    return pipe;
}

/* RFC 6675 4, NextSeg rules 1 and 3: the lowest hole above high_rxt and below the highest report. A lost one first;
 * one that is not known lost only as a last resort, which the caller asks for when there is no new data. */
bool tcp_next_hole(const struct tcb *t, u32 *seq, u32 *len) {
    if (!t->marks) return false;
    const struct tcp_ranges *rs = &t->marks->sacked;
    u32 at = seq_max(t->q.snd_una, t->high_rxt);
    for (u32 i = 0; i < rs->n; i++) {
        if (seq_lt(at, rs->r[i].left)) {
            *seq = at;
            *len = rs->r[i].left - at;
            return true;
        }
        at = seq_max(at, rs->r[i].right);
    }
    return false;
}

u8 tcp_sack_option(const struct tcb *t, struct tcp_range *out, u32 max) {
    const struct tcp_marks *m = t->marks;
    if (!m || m->ahead.n == 0) return 0;
    u8 n = 0;
    /* RFC 2018 4: the block that contains the newest segment comes first. */
    u32 first = m->ahead.n;
    for (u32 i = 0; i < m->ahead.n; i++)
        if (seq_le(m->ahead.r[i].left, m->latest) && seq_lt(m->latest, m->ahead.r[i].right)) first = i;
    if (first < m->ahead.n) out[n++] = m->ahead.r[first];
    for (u32 i = 0; i < m->ahead.n && n < max; i++)
        if (i != first) out[n++] = m->ahead.r[i];
    return n;
}
