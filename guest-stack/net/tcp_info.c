/* tcp_info.c - TCP shown and commanded: rows for NETSTAT, V TCPIP,,DROP, P TCPIP, ICMP errors, keys for sysplex.
 *
 * Displays walk whole tables; they run on the operator's request, never in the data path.
 */
#include "net/tcp_impl.h"

static struct sock *sock_at(const struct stack *stk, u32 i) {
    const struct pool *p = &stk->sock->pool;
    return (struct sock *)(void *)(p->base + (size_t)i * p->object_bytes);
}

static void info_of_sock(const struct sock *s, struct tcp_info *out) {
    const struct tcb *t = &s->tcb;
    *out = (struct tcp_info){.conn_id = s->conn_id, .key = s->key, .jobname = s->jobname};
    if (s->flags & SF_LISTENING) {
        const struct tcp_listener *l = &s->listener;
        out->state = TCP_LISTEN;
        out->backlog = l->backlog;
        out->backlog_now = l->queued;
        out->conns_now = l->conns;
        out->conns_total = l->conns_total;
        out->conns_dropped = l->dropped;
        return;
    }
    out->state = (enum tcp_fsm_state)t->q.state;
    out->bytes_in = t->bytes_in;
    out->bytes_out = t->bytes_out;
    out->segments_in = t->segments_in;
    out->segments_out = t->segments_out;
    out->retransmits = t->retransmits;
    out->timeouts = t->timeouts;
    out->duplicate_acks = t->dup_acks_total;
    out->send_window = t->q.snd_wnd;
    out->recv_window = t->q.rcv_adv - t->q.rcv_nxt;
    out->cwnd = t->cwnd;
    out->ssthresh = t->ssthresh;
    out->srtt_us = t->srtt8_us / 8;
    out->rttvar_us = t->rttvar4_us / 4;
    out->rto_us = t->rto_us;
    out->mss = t->q.mss_send;
    out->send_queued = t->tx.len;
    out->recv_queued = t->rx.len;
    out->snd_nxt = t->q.snd_nxt;
    out->snd_una = t->q.snd_una;
    out->rcv_nxt = t->q.rcv_nxt;
    out->idle_since = t->heard_at;
    out->tcb = (struct tcb *)(uintptr_t)t;
}

typedef bool info_row(void *ctx, const struct tcp_info *info);

static bool each_syn_row(const struct tcp_state *st, info_row *row, void *ctx) {
    for (u32 i = 0; i <= TCP_SYN_RETRIES; i++) {
        LIST_FOR_EACH(n, &st->syn_wait[i]) {
            const struct syn_row *r = LIST_ENTRY(n, struct syn_row, node);
            struct tcp_info info = {.conn_id = r->conn_id, .key = r->key, .state = TCP_SYN_RCVD, .mss = r->mss};
            info.jobname = r->listener->conn_id == r->listener_id ? r->listener->jobname : "";
            info.recv_window = r->window;
            info.rcv_nxt = r->irs + 1;
            info.retransmits = r->retries;
            if (!row(ctx, &info)) return false;
        }
    }
    return true;
}

void tcp_for_each(struct stack *stk, info_row *row, void *ctx) {
    for (u32 i = 0; i < stk->sock->pool.count; i++) {
        const struct sock *s = sock_at(stk, i);
        struct tcp_info info;
        if (!(s->flags & SF_OPEN) || s->type != SOCK_TCP) continue;
        /* A socket that has never had a connection is NETSTAT SOCKETS' business. */
        if (!(s->flags & SF_LISTENING) && s->tcb.q.state == TCP_CLOSED) continue;
        info_of_sock(s, &info);
        if (!row(ctx, &info)) return;
    }
    if (!each_syn_row(stk->tcp, row, ctx)) return;
    LIST_FOR_EACH(n, &stk->tcp->timewait_order) {
        const struct timewait_row *r = LIST_ENTRY(n, struct timewait_row, node);
        struct tcp_info info = {.conn_id = r->conn_id, .key = r->key, .jobname = r->jobname, .state = TCP_TIME_WAIT};
        if (!row(ctx, &info)) return;
    }
}

const struct pool *tcp_buffer_pool(const struct stack *stk) { return &stk->tcp->chunks; }

bool tcp_listening(const struct stack *stk, u16 port, const char *jobname) {
    for (u32 i = 0; i < stk->sock->pool.count; i++) {
        const struct sock *s = sock_at(stk, i);
        if ((s->flags & SF_OPEN) && s->type == SOCK_TCP && (s->flags & SF_LISTENING) && s->key.local_port == port &&
            (!jobname || port_jobname_matches(jobname, s->jobname)))
            return true;
    }
    return false;
}

/* ---- DROP and P TCPIP ---- */
/* The program keeps its handle and learns it by SOCK_EV_CLOSED. */
static void cut_off(struct sock *s, u64 now) {
    struct tcb *t = &s->tcb;
    if (t->q.state >= TCP_SYN_RCVD) tcp_send_rst(t, now);
    if (t->q.state == TCP_CLOSED) return;
    tcp_step(t, TE_END);
    tcb_end(t, ERR_CONNABORTED, now);
}

/* A listener that the operator closes turns into a dead socket for its program. */
static void cut_off_listener(struct sock *s, u64 now) {
    while (!list_empty(&s->listener.queue))
        cut_off(tcb_sock(LIST_ENTRY(s->listener.queue.next, struct tcb, accept_node)), now);
    tcp_bound_del(s, now);
    s->flags &= (u8)~SF_LISTENING;
    tcb_init(s);
    s->error = ERR_CONNABORTED;
    sock_signal(s, SOCK_EV_CLOSED | SOCK_EV_READ);
}

static bool drop_rows(struct stack *stk, u32 conn_id, bool all, u64 now) {
    struct tcp_state *st = stk->tcp;
    bool found = false;
    for (u32 i = 0; i <= TCP_SYN_RETRIES; i++) {
        LIST_FOR_EACH_SAFE(n, next, &st->syn_wait[i]) {
            struct syn_row *r = LIST_ENTRY(n, struct syn_row, node);
            if (all || r->conn_id == conn_id) tcp_syn_row_end(stk, r, now), found = true;
        }
    }
    LIST_FOR_EACH_SAFE(n, next, &st->timewait_order) {
        struct timewait_row *r = LIST_ENTRY(n, struct timewait_row, node);
        if (all || r->conn_id == conn_id) tcp_timewait_free(stk, r), found = true;
    }
    return found;
}

int tcp_drop(struct stack *stk, u32 conn_id, u64 now) {
    for (u32 i = 0; i < stk->sock->pool.count; i++) {
        struct sock *s = sock_at(stk, i);
        if (!(s->flags & SF_OPEN) || s->type != SOCK_TCP || s->conn_id != conn_id) continue;
        if (s->flags & SF_LISTENING) {
            cut_off_listener(s, now);
            return 0;
        }
        if (s->tcb.q.state == TCP_CLOSED) continue;
        cut_off(s, now);
        return 0;
    }
    return drop_rows(stk, conn_id, false, now) ? 0 : -ERR_NOENT;
}

void tcp_stop(struct stack *stk, u64 now) {
    for (u32 i = 0; i < stk->sock->pool.count; i++) {
        struct sock *s = sock_at(stk, i);
        if (!(s->flags & SF_OPEN) || s->type != SOCK_TCP) continue;
        if (s->flags & SF_LISTENING)
            cut_off_listener(s, now);
        else
            cut_off(s, now);
    }
    drop_rows(stk, 0, true, now);
    timer_disarm(stk, &stk->tcp->syn_timer);
    timer_disarm(stk, &stk->tcp->timewait_timer);
    timer_disarm(stk, &stk->tcp->starved_timer);
}

/* ---- ICMP ---- */
/* RFC 5927 4.1: an error counts only if it quotes a sequence number that is in flight. */
static struct tcb *quoted_conn(struct stack *stk, struct ipaddr src, struct ipaddr dst, const u8 *quoted, u32 len) {
    if (len < 8) return NULL;
    struct tcp_key k = {src, dst, be16_get(quoted), be16_get(quoted + 2)};
    struct sock *s = tcp_lookup(stk, &k, tcp_hash(stk, &k));
    if (!s) return NULL;
    u32 seq = be32_get(quoted + 4);
    return seq_ge(seq, s->tcb.q.snd_una) && seq_lt(seq, s->tcb.q.snd_max) ? &s->tcb : NULL;
}

bool tcp_icmp_valid(struct stack *stk, struct ipaddr src, struct ipaddr dst, const u8 *quoted, u32 quoted_len) {
    return quoted_conn(stk, src, dst, quoted, quoted_len) != NULL;
}

/* RFC 1122 4.2.3.9, RFC 5927 5: no error ends a connection that stands; during the handshake a refusal is believed. */
void tcp_icmp_error(struct stack *stk, u8 type, u8 code, u32 mtu, struct ipaddr src, struct ipaddr dst,
                    const u8 *quoted, u32 quoted_len, u64 now) {
    UNUSED(mtu);
    struct tcb *t = quoted_conn(stk, src, dst, quoted, quoted_len);
    if (!t) return;
    if (type == 3 && code == 4) {
        u32 was = t->q.mss_send;
        t->route.generation = 0;
        tcp_route_refresh(t);
        /* RFC 1191 6.4: what was too large is sent again at once, in smaller pieces. */
        if (t->q.mss_send >= was || t->q.state < TCP_ESTABLISHED) return;
        t->q.snd_nxt = t->q.snd_una;
        t->flags &= (u16)~TF_TIMING;
        tcb_kick_output(t);
        return;
    }
    bool refusal = type == 3 && (code == 1 || code == 2 || code == 3 || code == 0 || code == 13);
    if (!refusal || t->q.state != TCP_SYN_SENT) return;
    tcp_step(t, TE_END);
    tcb_end(t, code == 2 || code == 3 ? ERR_CONNREFUSED : code == 0 ? ERR_NETUNREACH : ERR_HOSTUNREACH, now);
}

/* ---- sysplex ---- */
void tcp_key_of(const struct tcb *conn, struct tcp_key *out) { *out = tcb_sock(conn)->key; }
const struct tcp_seq *tcp_seq_of(const struct tcb *conn) { return &conn->q; }
struct sock *tcp_sock_of(struct tcb *conn) { return tcb_sock(conn); }

struct tcb *tcp_find(struct stack *stk, const struct tcp_key *key) {
    struct sock *s = tcp_lookup(stk, key, tcp_hash(stk, key));
    return s ? &s->tcb : NULL;
}

bool tcp_known(struct stack *stk, const struct tcp_key *key) {
    u32 hash = tcp_hash(stk, key);
    return tcp_lookup(stk, key, hash) || tcp_syn_lookup(stk, key, hash) || tcp_timewait_lookup(stk, key, hash);
}

bool tcp_lives(struct stack *stk, const struct tcp_key *key) {
    u32 hash = tcp_hash(stk, key);
    return tcp_lookup(stk, key, hash) || tcp_syn_lookup(stk, key, hash);
}

bool tcp_known_segment(struct stack *stk, const struct tcp_key *key, u32 seq) {
    u32 hash = tcp_hash(stk, key);
    if (tcp_lookup(stk, key, hash) || tcp_syn_lookup(stk, key, hash)) return true;
    const struct timewait_row *row = tcp_timewait_lookup(stk, key, hash);
    return row && !seq_gt(seq, row->rcv_nxt);
}

void tcp_refuse(struct stack *stk, const struct pkt *p, u64 now) {
    u32 ip = (p->data[0] & 15u) * 4, header = p->len > ip ? tcphdr_check(p->data + ip, p->len - ip) : 0;
    struct tcphdr h;
    if (header == 0) return;
    tcphdr_parse(p->data + ip, header, &h);
    if (h.flags & TCPF_RST) return;
    struct tcp_key k = {p->dst, p->src, h.dst_port, h.src_port};
    TCP_COUNT(stk, drop_no_listener);
    tcp_reject(stk, &k, &h, p->len - ip - header, now);
}

void tcp_reset_peer(struct stack *stk, const struct tcp_key *key, u32 seq, u64 now) {
    struct tcphdr h = {.flags = TCPF_RST, .seq = seq};
    tcp_send_bare(stk, key, &h, now);
}

/* Timestamps, because a peer that negotiated them may drop what has none (RFC 7323 3.2). An old one should be answered by an ACK (5.3 R1), but Linux
 * drops an old acknowledgement without a word since 6.14. Of two values half the number space apart one is not old, whatever the peer has seen:
 * then the sequence number is looked at (RFC 9293 3.10.7.4), and that is answered. */
void tcp_probe_peer(struct stack *stk, const struct tcp_key *key, u32 seq, u32 ack, u64 now) {
    struct tcphdr h = {.flags = TCPF_ACK, .seq = seq, .ack = ack, .has = TCPHDR_TS, .ts_value = tcp_tick(now)};
    tcp_send_bare(stk, key, &h, now);
    h.ts_value ^= 1u << 31;
    tcp_send_bare(stk, key, &h, now);
}

void tcp_info_of(const struct tcb *conn, struct tcp_info *out) { info_of_sock(tcb_sock((struct tcb *)(uintptr_t)conn), out); }
struct tcp_traffic tcp_traffic_of(const struct tcb *conn) {
    return (struct tcp_traffic){conn->segments_out, conn->retransmits, conn->timeouts};
}
