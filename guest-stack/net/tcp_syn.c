/* tcp_syn.c - the passive side of the handshake, built so that a flood of SYNs costs little (RFC 4987).
 *
 *   while rows are free    a SYN takes a row of the half-open table; the SYN-ACK is repeated after 1, 2, 4, 8, 16
 *                          seconds; the row is dropped 32 s later
 *   when none is free      the SYN-ACK's sequence number is a cookie and nothing is kept
 *   when the listener's queue of established connections is full: the SYN (or the ACK) is dropped
 *
 * Initial sequence numbers, RFC 6528: a 4-us clock plus a keyed hash of the connection. The hash is HalfSipHash-2-4
 * (Aumasson, Bernstein), 32-bit words, as suits a 31-bit machine. The timestamp offset is another hash.
 *
 *   cookie     bits 31-27 minute (of 67 s) modulo 32 | 26-24 index into mss_steps | 23-0 hash of key, ISN, minute
 *   its options ride in the low bits of the timestamp that the peer echoes: bit 4 SACK, bits 3-0 window scale
 *   (15 = none). Without timestamps a cookie connection has neither.
 */
#include "net/tcp_impl.h"

#define COOKIE_TS_BITS 5
#define COOKIE_NO_SCALE 15u
#define COOKIE_HASH_MASK 0x00FFFFFFu

static const u16 mss_steps[8] = {TCP_MSS_MIN, 536, 1024, 1300, 1440, 1460, 4312, 8952};

/* ---- hash ---- */
static inline u32 rotl(u32 v, u32 n) { return v << n | v >> (32 - n); }

static inline void half_sip_round(u32 v[4]) {
    v[0] += v[1], v[1] = rotl(v[1], 5), v[1] ^= v[0], v[0] = rotl(v[0], 16);
    v[2] += v[3], v[3] = rotl(v[3], 8), v[3] ^= v[2];
    v[0] += v[3], v[3] = rotl(v[3], 7), v[3] ^= v[0];
    v[2] += v[1], v[1] = rotl(v[1], 13), v[1] ^= v[2], v[2] = rotl(v[2], 16);
}

u32 tcp_prf(const struct tcp_secret *s, const struct tcp_key *k, u32 extra) {
    const u32 words[] = {k->local.v4, k->foreign.v4, (u32)k->local_port << 16 | k->foreign_port, extra};
    u32 v[4] = {s->k[0], s->k[1], s->k[0] ^ 0x6C796765u, s->k[1] ^ 0x74656462u};
    for (u32 i = 0; i <= ARRAY_LEN(words); i++) {
        u32 m = i < ARRAY_LEN(words) ? words[i] : (u32)sizeof words << 24;
        v[3] ^= m;
        half_sip_round(v);
        half_sip_round(v);
        v[0] ^= m;
    }
    v[2] ^= 0xFF;
    for (u32 i = 0; i < 4; i++) half_sip_round(v);
    return v[1] ^ v[3];
}

u32 tcp_isn(struct stack *stk, const struct tcp_key *k, u64 now) {
    return (u32)(now >> 2) + tcp_prf(&stk->tcp->isn_secret, k, 0);
}

/* ---- rows ---- */
struct syn_row *tcp_syn_lookup(struct stack *stk, const struct tcp_key *k, u32 hash) {
    for (struct hash_row *r = *hash_head(&stk->tcp->syns, hash); r; r = r->next) {
        struct syn_row *row = (struct syn_row *)(void *)r;
        if (tcp_key_eq(&row->key, k)) return row;
    }
    return NULL;
}

void tcp_syn_row_free(struct stack *stk, struct syn_row *row) {
    hash_del(&stk->tcp->syns, tcp_hash(stk, &row->key), &row->hash);
    list_del(&row->node);
    pool_put(&stk->tcp->syn_rows, row);
}

void tcp_syn_row_end(struct stack *stk, struct syn_row *row, u64 now) {
    struct tcp_key key = row->key;
    u32 irs = row->irs;
    tcp_syn_row_free(stk, row);
    if (stk->hooks.half_open_ended) stk->hooks.half_open_ended(stk->hooks.ctx, &key, irs, now);
}

static struct sock *row_listener(const struct syn_row *row) {
    struct sock *l = row->listener;
    return (l->flags & SF_LISTENING) && l->conn_id == row->listener_id ? l : NULL;
}

/* Which list a row waits in is how many SYN-ACKs it has sent, so each list is in the order of its due times. */
static void row_wait(struct stack *stk, struct syn_row *row, u64 now) {
    struct tcp_state *st = stk->tcp;
    row->due = now + ((u64)USEC_PER_SEC << row->retries);
    list_del(&row->node);
    list_push_back(&st->syn_wait[row->retries], &row->node);
    if (row->due < st->syn_timer.due) timer_arm(stk, &st->syn_timer, row->due);
}

static void send_syn_ack(struct stack *stk, const struct syn_row *row, u8 scale, u32 ts_value, u64 now) {
    struct tcphdr h = {.seq = row->iss, .ack = row->irs + 1, .flags = TCPF_SYN | TCPF_ACK, .window = (u16)row->window};
    UNUSED(now);
    h.has = TCPHDR_MSS;
    h.mss = tcp_mss_offer(stk, row->key.foreign);
    if (row->options & TCP_USE_TS) h.has |= TCPHDR_TS, h.ts_value = ts_value, h.ts_echo = row->ts_recent;
    if (row->options & TCP_USE_SACK) h.has |= TCPHDR_SACK_OK;
    if (row->options & TCP_USE_SCALE) h.has |= TCPHDR_SCALE, h.scale = scale;
    tcp_send_bare(stk, &row->key, &h, now);
}

static u8 our_scale(const struct sock *listener) {
    return tcp_scale_for(u32_max(listener->listener.rx_limit, listener->stk->conf.tcp.max_recv_bytes));
}

static void row_send(struct stack *stk, const struct syn_row *row, const struct sock *listener, u64 now) {
    send_syn_ack(stk, row, our_scale(listener), tcp_tick(now) + row->ts_offset, now);
}

/* ---- cookies ---- */
static u32 cookie_hash(struct stack *stk, const struct tcp_key *k, u32 irs, u32 minute) {
    return tcp_prf(&stk->tcp->cookie_secret, k, irs + (minute << 27)) & COOKIE_HASH_MASK;
}

static void send_cookie(struct sock *listener, struct syn_row *row, u64 now) {
    struct stack *stk = listener->stk;
    u32 minute = (u32)(now >> TCP_COOKIE_SLOT_SHIFT) & 31, step = 0;
    while (step + 1 < ARRAY_LEN(mss_steps) && mss_steps[step + 1] <= row->mss) step++;
    row->iss = minute << 27 | step << 24 | cookie_hash(stk, &row->key, row->irs, minute);
    u32 ts = tcp_tick(now) + row->ts_offset;
    if (row->options & TCP_USE_TS) {
        u32 bits = (row->options & TCP_USE_SACK ? 16u : 0) | (row->options & TCP_USE_SCALE ? row->scale : COOKIE_NO_SCALE);
        u32 mark = (ts & ~((1u << COOKIE_TS_BITS) - 1)) | bits;
        /* It must not run ahead of the clock, or the next segment's timestamp would be older. */
        ts = seq_gt(mark, ts) ? mark - (1u << COOKIE_TS_BITS) : mark;
    } else {
        row->options = 0;
    }
    stk->tcp->cookies_until = now + (2ull << TCP_COOKIE_SLOT_SHIFT);
    TCP_COUNT(stk, syn_cookies_sent);
    send_syn_ack(stk, row, our_scale(listener), ts, now);
}

void tcp_syn_arrives(struct sock *listener, const struct tcp_key *k, u32 hash, const struct tcphdr *h, u32 iss_floor,
                     u64 now) {
    struct stack *stk = listener->stk;
    struct tcp_listener *l = &listener->listener;
    if (l->left >= l->backlog) {
        l->dropped++;
        TCP_COUNT(stk, drop_backlog);
        return;
    }
    struct syn_row *row = pool_get(&stk->tcp->syn_rows), cookie;
    struct syn_row *r = row ? row : &cookie;
    *r = (struct syn_row){.key = *k, .irs = h->seq, .listener = listener, .listener_id = listener->conn_id};
    list_init(&r->node);
    r->mss = (u16)u32_max((h->has & TCPHDR_MSS) ? h->mss : TCP_MSS_DEFAULT, TCP_MSS_MIN);
    r->window = u32_min(l->rx_limit, 65535);
    if (stk->conf.tcp.timestamps && (h->has & TCPHDR_TS)) r->options |= TCP_USE_TS, r->ts_recent = h->ts_value;
    if (h->has & TCPHDR_SACK_OK) r->options |= TCP_USE_SACK;
    if (h->has & TCPHDR_SCALE) r->options |= TCP_USE_SCALE, r->scale = (u8)u32_min(h->scale, TCPHDR_SCALE_MAX);
    r->ts_offset = tcp_prf(&stk->tcp->ts_secret, k, 0);
    if (!row) {
        send_cookie(listener, r, now);
        return;
    }
    r->conn_id = stack_conn_id(stk);
    r->iss = tcp_isn(stk, k, now);
    /* RFC 9293 3.6.1: beyond everything the old incarnation sent. */
    if (iss_floor && !seq_gt(r->iss, iss_floor)) r->iss = iss_floor + 65536;
    hash_add(&stk->tcp->syns, hash, &r->hash);
    row_wait(stk, r, now);
    row_send(stk, r, listener, now);
}

/* The handshake is complete. NULL: no socket is free (counted). */
static struct tcb *open_passive(struct sock *listener, const struct syn_row *row, const struct tcphdr *h, u64 now) {
    struct stack *stk = listener->stk;
    struct tcp_listener *l = &listener->listener;
    struct sock *s = sock_new(stk, SOCK_TCP, listener->jobname);
    if (!s) {
        TCP_COUNT(stk, drop_no_socket);
        return NULL;
    }
    s->key = row->key;
    s->conn_id = row->conn_id ? row->conn_id : stack_conn_id(stk);
    s->flags |= SF_ORPHAN; /* nobody's until it is accepted */
    s->ttl = listener->ttl;
    s->tos = listener->tos;
    tcb_init(s);
    struct tcb *t = &s->tcb;
    struct tcp_seq *q = &t->q;
    t->flags = (u16)(l->flags | TF_PASSIVE);
    t->tx_limit = l->tx_limit;
    t->rx_limit = l->rx_limit;
    q->state = TCP_SYN_RCVD;
    q->iss = row->iss;
    q->snd_una = q->snd_nxt = q->snd_max = row->iss + 1;
    q->irs = row->irs;
    q->rcv_nxt = q->last_ack_sent = row->irs + 1;
    q->rcv_adv = q->rcv_nxt + row->window;
    q->mss_peer = row->mss;
    q->options = row->options;
    q->ts_recent = row->ts_recent;
    q->ts_recent_ms = tcp_tick(now);
    q->ts_offset = row->ts_offset;
    if (row->options & TCP_USE_SCALE) q->snd_scale = row->scale, q->rcv_scale = our_scale(listener);
    q->snd_wnd = q->snd_wnd_max = (u32)h->window << q->snd_scale;
    q->snd_wl1 = h->seq;
    q->snd_wl2 = h->ack;
    tcp_step(t, TE_ACK_OF_SYN);
    TCP_COUNT(stk, passive_opens);
    tcb_connect(t, now);
    tcp_route_refresh(t);
    t->retries = row->retries; /* a repeated SYN-ACK: begin with one segment */
    tcp_cc_start(t);
    t->retries = 0;
    if ((q->options & TCP_USE_TS) && (h->has & TCPHDR_TS))
        tcp_rtt_sample(t, (tcp_tick(now) - (h->ts_echo - q->ts_offset)) << 10);
    tcp_keepalive_restart(t, now);
    t->listener = listener;
    t->listener_id = listener->conn_id;
    list_push_back(&l->queue, &t->accept_node);
    l->queued++;
    l->conns++;
    l->conns_total++;
    sock_signal(listener, SOCK_EV_READ);
    return t;
}

/* It is this copy of the SYN that is answered (RFC 7323 4.3): by the timestamp of the first one the peer would take all the time in which it had no answer
 * for the round trip, and wait for as long as that when it loses something. */
static void answer_again(struct stack *stk, struct syn_row *row, const struct sock *listener, const struct tcphdr *h, u64 now) {
    bool newer = (row->options & TCP_USE_TS) && (h->has & TCPHDR_TS) && seq_gt(h->ts_value, row->ts_recent);
    if (newer) row->ts_recent = h->ts_value;
    TCP_COUNT(stk, retrans_segs);
    row_send(stk, row, listener, now);
}

/* RST, SYN and what is outside the window, for a half-open row. true: the segment is done with. */
static bool row_check(struct stack *stk, struct syn_row *row, const struct tcphdr *h, u32 len, u64 now) {
    u32 offset = h->seq - (row->irs + 1);
    if (h->flags & TCPF_RST) {
        if (offset == 0)
            TCP_COUNT(stk, attempt_fails), tcp_syn_row_end(stk, row, now);
        else
            TCP_COUNT(stk, drop_rst_invalid);
        return true;
    }
    struct sock *listener = row_listener(row);
    if (h->flags & TCPF_SYN) {
        /* The same SYN again: our answer was lost. Another one is an old duplicate or a forgery. */
        if (h->seq == row->irs && listener)
            answer_again(stk, row, listener, h, now);
        else
            TCP_COUNT(stk, drop_syn_in_window);
        return true;
    }
    if (!(h->flags & TCPF_ACK)) {
        TCP_COUNT(stk, drop_no_ack);
        return true;
    }
    if (h->ack != row->iss + 1) {
        TCP_COUNT(stk, drop_future_ack);
        tcp_reject(stk, &row->key, h, len, now);
        return true;
    }
    if (offset > row->window) {
        TCP_COUNT(stk, drop_window);
        return true;
    }
    if ((row->options & TCP_USE_TS) && (!(h->has & TCPHDR_TS) || seq_lt(h->ts_value, row->ts_recent))) {
        TCP_COUNT(stk, drop_paws);
        return true;
    }
    return false;
}

struct tcb *tcp_syn_segment(struct stack *stk, struct syn_row *row, u32 hash, const struct tcphdr *h, u32 len, u64 now) {
    UNUSED(hash);
    if (row_check(stk, row, h, len, now)) return NULL;
    struct sock *listener = row_listener(row);
    if (!listener) {
        tcp_reject(stk, &row->key, h, len, now);
        tcp_syn_row_end(stk, row, now);
        return NULL;
    }
    if (listener->listener.left >= listener->listener.backlog) {
        /* The row stays: the peer will send its text again, and by then there may be room. */
        listener->listener.dropped++;
        TCP_COUNT(stk, drop_backlog);
        return NULL;
    }
    struct tcb *t = open_passive(listener, row, h, now);
    if (t) tcp_syn_row_free(stk, row);
    return t;
}

struct tcb *tcp_cookie_segment(struct sock *listener, const struct tcp_key *k, u32 hash, const struct tcphdr *h,
                               u64 now) {
    struct stack *stk = listener->stk;
    UNUSED(hash);
    if (now > stk->tcp->cookies_until || (h->flags & (TCPF_SYN | TCPF_RST))) return NULL;
    u32 cookie = h->ack - 1, minute = cookie >> 27, irs = h->seq - 1;
    u32 age = ((u32)(now >> TCP_COOKIE_SLOT_SHIFT) - minute) & 31;
    if (age > 1 || (cookie & COOKIE_HASH_MASK) != cookie_hash(stk, k, irs, minute)) {
        TCP_COUNT(stk, syn_cookies_bad);
        return NULL;
    }
    if (listener->listener.left >= listener->listener.backlog) {
        listener->listener.dropped++;
        TCP_COUNT(stk, drop_backlog);
        return NULL;
    }
    struct syn_row row = {.key = *k, .iss = cookie, .irs = irs, .mss = mss_steps[cookie >> 24 & 7]};
    row.window = u32_min(listener->listener.rx_limit, 65535);
    row.ts_offset = tcp_prf(&stk->tcp->ts_secret, k, 0);
    if (stk->conf.tcp.timestamps && (h->has & TCPHDR_TS)) {
        row.options = TCP_USE_TS;
        row.ts_recent = h->ts_value;
        if (h->ts_echo & 16) row.options |= TCP_USE_SACK;
        u32 scale = h->ts_echo & 15;
        if (scale != COOKIE_NO_SCALE) row.options |= TCP_USE_SCALE, row.scale = (u8)scale;
    }
    struct tcb *t = open_passive(listener, &row, h, now);
    if (t) TCP_COUNT(stk, syn_cookies_ok);
    return t;
}

void tcp_syn_timer(struct stack *stk, struct timer *timer, u64 now) {
    struct tcp_state *st = stk->tcp;
    UNUSED(timer);
    for (u32 i = 0; i <= TCP_SYN_RETRIES; i++) {
        while (!list_empty(&st->syn_wait[i])) {
            struct syn_row *row = LIST_ENTRY(st->syn_wait[i].next, struct syn_row, node);
            if (row->due > now) break;
            struct sock *listener = row_listener(row);
            if (row->retries == TCP_SYN_RETRIES || !listener) {
                TCP_COUNT(stk, half_open_evicted);
                TCP_COUNT(stk, attempt_fails);
                tcp_syn_row_end(stk, row, now);
                continue;
            }
            row->retries++;
            TCP_COUNT(stk, retrans_segs);
            row_wait(stk, row, now);
            row_send(stk, row, listener, now);
        }
    }
    u64 next = TIME_NEVER;
    for (u32 i = 0; i <= TCP_SYN_RETRIES; i++)
        if (!list_empty(&st->syn_wait[i]))
            next = u64_min(next, LIST_ENTRY(st->syn_wait[i].next, struct syn_row, node)->due);
    if (next != TIME_NEVER) timer_arm(stk, &st->syn_timer, next);
}
