/* tcp_timewait.c - TIME_WAIT (RFC 9293 3.3.2, RFC 1337, RFC 6191): 2 MSL in a small row, apart from the sockets. Who closed last has one, too, if its FIN
 * was sent more than once.
 *
 * All rows wait equally long (TIMEWAITINTERVAL), so the list is in the order of its due times and one timer serves
 * all. A full table forgets its oldest row: a server that closes first must not run out of rows.
 *
 *   segment for a row                         answer
 *   SYN, newer timestamp or sequence number   the row ends; a listener may take it, beyond the row's snd_nxt
 *   RST                                       ignored (RFC 1337)
 *   FIN again                                 acknowledged; 2 MSL begin anew
 *   text or an old duplicate                  acknowledged
 *   anything else                             dropped
 */
#include "base/str.h"
#include "net/tcp_impl.h"

struct timewait_row *tcp_timewait_lookup(struct stack *stk, const struct tcp_key *k, u32 hash) {
    for (struct hash_row *r = *hash_head(&stk->tcp->timewaits, hash); r; r = r->next) {
        struct timewait_row *row = (struct timewait_row *)(void *)r;
        if (tcp_key_eq(&row->key, k)) return row;
    }
    return NULL;
}

void tcp_timewait_free(struct stack *stk, struct timewait_row *row) {
    hash_del(&stk->tcp->timewaits, tcp_hash(stk, &row->key), &row->hash);
    list_del(&row->node);
    pool_put(&stk->tcp->timewait_rows, row);
}

static void row_wait(struct stack *stk, struct timewait_row *row, u64 now) {
    struct tcp_state *st = stk->tcp;
    row->due = now + (u64)stk->conf.tcp.timewait_sec * USEC_PER_SEC;
    list_del(&row->node);
    list_push_back(&st->timewait_order, &row->node);
    if (row->due < st->timewait_timer.due) timer_arm(stk, &st->timewait_timer, row->due);
}

void tcp_timewait_enter(struct tcb *t, u64 now) {
    struct sock *s = tcb_sock(t);
    struct stack *stk = s->stk;
    struct tcp_state *st = stk->tcp;
    if (!st->timewait_rows.free && !list_empty(&st->timewait_order)) {
        TCP_COUNT(stk, timewait_evicted);
        tcp_timewait_free(stk, LIST_ENTRY(st->timewait_order.next, struct timewait_row, node));
    }
    struct timewait_row *row = pool_get(&st->timewait_rows);
    if (row) {
        *row = (struct timewait_row){.key = s->key,
                                     .conn_id = s->conn_id,
                                     .snd_nxt = t->q.snd_max,
                                     .rcv_nxt = t->q.rcv_nxt,
                                     .ts_recent = t->q.ts_recent,
                                     .ts_offset = t->q.ts_offset,
                                     .window = (u16)u32_min(tcp_window_offer(t) >> t->q.rcv_scale, 65535),
                                     .options = t->q.options};
        memcpy(row->jobname, s->jobname, sizeof row->jobname);
        list_init(&row->node);
        hash_add(&st->timewaits, tcp_hash(stk, &s->key), &row->hash);
        row_wait(stk, row, now);
    }
    tcb_end(t, 0, now);
}

static void acknowledge(struct stack *stk, const struct timewait_row *row, u64 now) {
    struct tcphdr h = {.seq = row->snd_nxt, .ack = row->rcv_nxt, .flags = TCPF_ACK, .window = row->window};
    if (row->options & TCP_USE_TS) {
        h.has = TCPHDR_TS;
        h.ts_value = tcp_tick(now) + row->ts_offset;
        h.ts_echo = row->ts_recent;
    }
    tcp_send_bare(stk, &row->key, &h, now);
}

bool tcp_timewait_segment(struct stack *stk, struct timewait_row *row, u32 hash, const struct tcphdr *h, u32 len,
                          u32 *iss_floor, u64 now) {
    UNUSED(hash);
    bool ts = (row->options & TCP_USE_TS) && (h->has & TCPHDR_TS);
    if (h->flags & TCPF_RST) {
        TCP_COUNT(stk, drop_timewait);
        return false;
    }
    if ((h->flags & (TCPF_SYN | TCPF_ACK)) == TCPF_SYN) {
        if (seq_gt(h->seq, row->rcv_nxt) || (ts && seq_gt(h->ts_value, row->ts_recent))) {
            *iss_floor = row->snd_nxt;
            TCP_COUNT(stk, timewait_reused);
            tcp_timewait_free(stk, row);
            return true;
        }
        acknowledge(stk, row, now);
        return false;
    }
    if ((h->flags & TCPF_FIN) && h->seq + len + 1 == row->rcv_nxt) {
        row_wait(stk, row, now);
        acknowledge(stk, row, now);
        return false;
    }
    TCP_COUNT(stk, drop_timewait);
    if ((len > 0 || h->seq != row->rcv_nxt) && tcp_challenge_allowed(stk, now)) acknowledge(stk, row, now);
    return false;
}

void tcp_timewait_timer(struct stack *stk, struct timer *timer, u64 now) {
    struct tcp_state *st = stk->tcp;
    UNUSED(timer);
    while (!list_empty(&st->timewait_order)) {
        struct timewait_row *row = LIST_ENTRY(st->timewait_order.next, struct timewait_row, node);
        if (row->due > now) {
            timer_arm(stk, &st->timewait_timer, row->due);
            return;
        }
        tcp_timewait_free(stk, row);
    }
}
