/* tcp_user.c - what a program asks of TCP (RFC 9293 3.10.1 - 3.10.5), one function for each call of net/sock.h.
 *
 * Nothing is sent from here except the first SYN and resets: a call changes queues and flags, and the next
 * stack_poll() sends, so that a header, a body and the FIN of a short answer leave in one segment.
 */
#include "net/tcp_impl.h"

/* ---- bind, listen, accept ---- */
struct port_wanted {
    struct stack *stk;
    struct tcp_key key;
    bool connecting;
};

static bool port_in_use(void *ctx, u16 port) {
    struct port_wanted *w = ctx;
    if (tcp_bound_conflict(w->stk, w->key.local, port, false, false)) return true;
    if (!w->connecting) return false;
    w->key.local_port = port;
    u32 hash = tcp_hash(w->stk, &w->key);
    return tcp_lookup(w->stk, &w->key, hash) || tcp_timewait_lookup(w->stk, &w->key, hash) ||
           tcp_syn_lookup(w->stk, &w->key, hash);
}

/* A distributed address may have ports of its own (SYSPLEXPORTS). */
static int some_port(struct port_wanted *w, u16 *port, u64 now) {
    const struct stack_hooks *h = &w->stk->hooks;
    bool asks = h->ephemeral && !ipaddr_is_any(w->key.local);
    int rc = asks ? h->ephemeral(h->ctx, w->key.local, port_in_use, w, port, now) : -ERR_NOENT;
    return rc == -ERR_NOENT ? port_ephemeral(w->stk, IP_PROTO_TCP, port_in_use, w, port) : rc;
}

/* PORT statements: who may, under which address, sharing with whom, acknowledging how. */
static int apply_rule(struct sock *s, struct ipaddr *addr, u16 port, bool *share) {
    const struct port_rule *rule = NULL;
    int rc = port_check(s->stk, IP_PROTO_TCP, port, s->jobname, &rule);
    if (rc < 0) return rc;
    *share = rule && (rule->flags & (PORT_SHAREPORT | PORT_SHAREPORTWLM));
    if (!rule) return 0;
    if ((rule->flags & PORT_BIND) && ipaddr_is_any(*addr)) *addr = rule->bind;
    if (rule->flags & PORT_NODELAYACKS) s->tcb.flags |= TF_NODELAYACKS;
    return 0;
}

static int claim_address(struct sock *s, struct ipaddr addr, u64 now) {
    struct stack *stk = s->stk;
    const struct home_entry *e = ipaddr_is_any(addr) ? NULL : home_find(stk, addr);
    if (ipaddr_is_any(addr) || (e && !(e->flags & HOME_DYNAMIC))) return 0;
    if (!stk->hooks.bind_absent) return e ? 0 : -ERR_ADDRNOTAVAIL;
    int rc = stk->hooks.bind_absent(stk->hooks.ctx, s, addr, now);
    if (rc == 0) s->flags |= SF_ABSENT;
    return rc;
}

int tcp_user_bind(struct sock *s, struct ipaddr addr, u16 port, u64 now) {
    bool share = false;
    if ((s->flags & (SF_BOUND | SF_LISTENING)) || s->conn_id || s->tcb.q.state != TCP_CLOSED) return -ERR_INVAL;
    if (port) {
        int rc = apply_rule(s, &addr, port, &share);
        if (rc < 0) return rc;
        if (tcp_bound_conflict(s->stk, addr, port, share, s->flags & SF_REUSE)) return -ERR_ADDRINUSE;
        if (!share && !(s->flags & SF_REUSE) && tcp_port_connected(s->stk, port)) return -ERR_ADDRINUSE;
    } else {
        struct port_wanted w = {s->stk, {.local = addr}, false};
        int rc = some_port(&w, &port, now);
        if (rc < 0) return rc;
    }
    int rc = claim_address(s, addr, now);
    if (rc < 0) return rc;
    s->key.local = addr;
    s->key.local_port = port;
    s->conn_id = stack_conn_id(s->stk);
    tcp_bound_add(s);
    return 0;
}

int tcp_user_listen(struct sock *s, u32 backlog, u64 now) {
    struct stack *stk = s->stk;
    u32 limit = u32_max(u32_min(backlog, stk->conf.tcp.max_backlog), 1);
    if (s->flags & SF_LISTENING) {
        s->listener.backlog = limit;
        return 0;
    }
    if (s->tcb.q.state != TCP_CLOSED || s->error) return -ERR_INVAL;
    if (!(s->flags & SF_BOUND)) {
        int rc = tcp_user_bind(s, IPADDR_ANY, 0, now);
        if (rc < 0) return rc;
    }
    /* The tcb has served: what it was told before listen() is what accepted connections begin with. */
    struct tcp_listener l = {.backlog = limit,
                             .tx_limit = s->tcb.tx_limit,
                             .rx_limit = s->tcb.rx_limit,
                             .flags = s->tcb.flags & (TF_NODELAY | TF_KEEPALIVE | TF_NODELAYACKS)};
    s->listener = l;
    list_init(&s->listener.queue);
    s->flags |= SF_LISTENING;
    if (stk->hooks.listener) stk->hooks.listener(stk->hooks.ctx, s->key.local, s->key.local_port, true, now);
    return 0;
}

int tcp_user_accept(struct sock *s, struct sock **out, struct sockaddr4 *peer, u64 now) {
    if (!(s->flags & SF_LISTENING)) return -ERR_INVAL;
    if (list_empty(&s->listener.queue)) return -ERR_AGAIN;
    struct tcb *t = LIST_ENTRY(s->listener.queue.next, struct tcb, accept_node);
    struct sock *n = tcb_sock(t);
    UNUSED(now);
    tcp_accept_queue_del(t);
    n->flags &= (u8)~SF_ORPHAN;
    if (peer) *peer = (struct sockaddr4){n->key.foreign, n->key.foreign_port};
    *out = n;
    return 0;
}

/* ---- connect ---- */
static int choose_local(struct sock *s, struct tcp_key *key, u64 now) {
    int rc = 0;
    if (ipaddr_is_any(key->local)) rc = ip_source(s->stk, key->foreign, &key->local);
    if (rc < 0) return rc;
    struct port_wanted w = {s->stk, *key, true};
    if (key->local_port == 0) return some_port(&w, &key->local_port, now);
    u32 hash = tcp_hash(s->stk, key);
    return tcp_lookup(s->stk, key, hash) || tcp_timewait_lookup(s->stk, key, hash) ? -ERR_ADDRINUSE : 0;
}

int tcp_user_connect(struct sock *s, struct ipaddr addr, u16 port, u64 now) {
    struct stack *stk = s->stk;
    struct tcb *t = &s->tcb;
    struct tcp_seq *q = &t->q;
    if (s->flags & SF_LISTENING) return -ERR_INVAL;
    if (q->state == TCP_SYN_SENT || q->state == TCP_SYN_RCVD) return -ERR_ALREADY;
    if (q->state != TCP_CLOSED || (t->flags & TF_FIN_RCVD)) return -ERR_ISCONN;
    if (s->error || (t->flags & TF_FIN_QUEUED) || q->iss) return -ERR_INVAL;
    if (ipaddr_is_any(addr) || ipaddr_is_multicast(addr) || ipaddr_is_broadcast(addr) || port == 0)
        return -ERR_ADDRNOTAVAIL;
    struct tcp_key key = {s->key.local, addr, s->key.local_port, port};
    int rc = choose_local(s, &key, now);
    if (rc < 0) return rc;
    if (s->flags & SF_BOUND) tcp_bound_del(s, now);
    s->key = key;
    if (!s->conn_id) s->conn_id = stack_conn_id(stk);
    q->iss = tcp_isn(stk, &key, now);
    q->ts_offset = tcp_prf(&stk->tcp->ts_secret, &key, 0);
    q->snd_una = q->snd_nxt = q->snd_max = q->iss;
    q->rcv_scale = tcp_scale_for(u32_max(t->rx_limit, stk->conf.tcp.max_recv_bytes));
    tcp_step(t, TE_ACTIVE_OPEN);
    TCP_COUNT(stk, active_opens);
    tcb_connect(t, now);
    tcb_timer_set(t, TT_LIMIT, now + (u64)stk->conf.tcp.connect_timeout_sec * USEC_PER_SEC);
    tcp_send_syn(t, now);
    return -ERR_INPROGRESS;
}

/* ---- receive ---- */
i32 tcp_user_peek(struct sock *s, const u8 **p) {
    const struct tcb *t = &s->tcb;
    if (s->flags & SF_LISTENING) return -ERR_INVAL;
    u32 n = cbuf_front(&t->rx, p);
    if (n > 0) return (i32)n;
    if (s->error) return -(i32)s->error;
    if (t->flags & TF_FIN_RCVD) return 0;
    return t->q.state == TCP_CLOSED ? -ERR_NOTCONN : -ERR_AGAIN;
}

void tcp_user_consume(struct sock *s, u32 len, u64 now) {
    struct tcb *t = &s->tcb;
    UNUSED(now);
    CHECK(!(s->flags & SF_LISTENING) && len <= t->rx.len);
    cbuf_consume(&t->rx, &s->stk->tcp->chunks, len, t->marks && t->marks->ahead.n > 0);
    if (t->q.state < TCP_ESTABLISHED || (t->flags & TF_FIN_RCVD)) return;
    if (tcp_window_update_due(t)) {
        t->flags |= TF_ACK_NOW;
        tcb_kick_output(t);
    }
}

/* ---- send ---- */
void tcp_starved(struct tcb *t, u64 now) {
    struct stack *stk = tcb_sock(t)->stk;
    if (list_is_in(&t->accept_node)) return;
    list_push_back(&stk->tcp->starved, &t->accept_node);
    t->flags |= TF_STARVED;
    if (!timer_armed(&stk->tcp->starved_timer)) timer_arm(stk, &stk->tcp->starved_timer, now + TCP_STARVED_US);
}

void tcp_starved_timer(struct stack *stk, struct timer *timer, u64 now) {
    struct tcp_state *st = stk->tcp;
    while (st->chunks.free && !list_empty(&st->starved)) {
        struct tcb *t = LIST_ENTRY(list_pop_front(&st->starved), struct tcb, accept_node);
        t->flags &= (u16)~(TF_STARVED | TF_WANT_WRITE);
        sock_signal(tcb_sock(t), SOCK_EV_WRITE);
    }
    if (!list_empty(&st->starved)) timer_arm(stk, timer, now + TCP_STARVED_US);
}

i32 tcp_user_room(struct sock *s, u8 **p) {
    struct tcb *t = &s->tcb;
    *p = NULL;
    if (s->flags & SF_LISTENING) return -ERR_INVAL;
    if (s->error) return -(i32)s->error;
    if (t->flags & TF_FIN_QUEUED) return -ERR_PIPE;
    if (t->q.state == TCP_CLOSED) return -ERR_NOTCONN;
    u32 free = t->tx.len < t->tx_limit ? t->tx_limit - t->tx.len : 0;
    if (t->q.state < TCP_ESTABLISHED || free == 0) {
        t->flags |= TF_WANT_WRITE;
        return -ERR_AGAIN;
    }
    u32 room = cbuf_room(&t->tx, &s->stk->tcp->chunks, p);
    if (room == 0) {
        tcp_starved(t, s->stk->now);
        return -ERR_AGAIN;
    }
    return (i32)u32_min(room, free);
}

void tcp_user_commit(struct sock *s, u32 len, u64 now) {
    struct tcb *t = &s->tcb;
    UNUSED(now);
    cbuf_commit(&t->tx, len);
    if (t->tx.len == 0)
        cbuf_free(&t->tx, &s->stk->tcp->chunks); /* room was asked for and not used */
    else
        tcb_kick_output(t);
}

/* ---- end ---- */
static void queue_fin(struct tcb *t) {
    if (t->flags & TF_FIN_QUEUED) return;
    t->flags |= TF_FIN_QUEUED;
    tcp_step(t, TE_CLOSE);
    tcb_kick_output(t);
}

int tcp_user_shutdown(struct sock *s, u64 now) {
    struct tcb *t = &s->tcb;
    UNUSED(now);
    if ((s->flags & SF_LISTENING) || t->q.state == TCP_CLOSED || t->q.state == TCP_SYN_SENT) return -ERR_NOTCONN;
    queue_fin(t);
    return 0;
}

static void close_listener(struct sock *s, u64 now) {
    while (!list_empty(&s->listener.queue)) {
        struct tcb *t = LIST_ENTRY(s->listener.queue.next, struct tcb, accept_node);
        tcp_send_rst(t, now);
        tcp_step(t, TE_END);
        tcb_end(t, ERR_CONNABORTED, now);
    }
    sock_delete(s, now);
}

void tcp_user_abort(struct sock *s, u64 now) {
    struct tcb *t = &s->tcb;
    s->fn = NULL;
    s->events = 0;
    if (s->flags & SF_LISTENING) {
        close_listener(s, now);
        return;
    }
    s->flags |= SF_ORPHAN;
    if (t->q.state >= TCP_SYN_RCVD) tcp_send_rst(t, now);
    if (t->q.state != TCP_CLOSED) tcp_step(t, TE_END);
    tcb_end(t, ERR_CONNABORTED, now);
}

void tcp_user_close(struct sock *s, u64 now) {
    struct tcb *t = &s->tcb;
    /* RFC 1122 4.2.2.13, RFC 2525 2.17: closing with unread text loses it, and the peer must know. */
    if ((s->flags & (SF_LISTENING | SF_LINGER)) || t->q.state == TCP_CLOSED || t->q.state == TCP_SYN_SENT ||
        t->rx.len > 0) {
        tcp_user_abort(s, now);
        return;
    }
    s->fn = NULL;
    s->events = 0;
    s->flags |= SF_ORPHAN;
    if (t->flags & TF_STARVED) tcp_accept_queue_del(t);
    queue_fin(t);
    if (t->q.state == TCP_FIN_WAIT_2)
        tcb_timer_set(t, TT_LIMIT, now + (u64)s->stk->conf.tcp.finwait2_sec * USEC_PER_SEC);
}

/* ---- options ---- */
static void set_flag(u16 *flags, u16 flag, u32 on) { *flags = (u16)(on ? *flags | flag : *flags & ~flag); }

static int set_buffer(struct sock *s, enum sock_opt opt, u32 value) {
    bool listening = s->flags & SF_LISTENING, recv = opt == SO_RCVBUF_OPT;
    if (value < 256) return -ERR_INVAL;
    value = u32_min(value, recv ? u32_min(s->stk->conf.tcp.max_recv_bytes, TCP_WINDOW_MAX) : TCP_WINDOW_MAX);
    if (recv)
        *(listening ? &s->listener.rx_limit : &s->tcb.rx_limit) = value;
    else
        *(listening ? &s->listener.tx_limit : &s->tcb.tx_limit) = value;
    return 0;
}

int tcp_user_setopt(struct sock *s, enum sock_opt opt, u32 value, u64 now) {
    bool listening = s->flags & SF_LISTENING;
    u16 *flags = listening ? &s->listener.flags : &s->tcb.flags;
    switch (opt) {
    case SO_NODELAY:
        set_flag(flags, TF_NODELAY, value);
        if (!listening && value) tcb_kick_output(&s->tcb);
        return 0;
    case SO_KEEPALIVE_OPT:
        set_flag(flags, TF_KEEPALIVE, value);
        if (!listening && s->tcb.q.state >= TCP_ESTABLISHED) tcp_keepalive_restart(&s->tcb, now);
        return 0;
    case SO_REUSEADDR_OPT:
        s->flags = (u8)(value ? s->flags | SF_REUSE : s->flags & ~SF_REUSE);
        return 0;
    case SO_LINGER_OPT:
        s->flags = (u8)(value == 0 ? s->flags | SF_LINGER : s->flags & ~SF_LINGER);
        return 0;
    case SO_RCVBUF_OPT:
    case SO_SNDBUF_OPT:
        return set_buffer(s, opt, value);
    case SO_TTL:
        if (value < 1 || value > 255) return -ERR_INVAL;
        s->ttl = (u8)value;
        return 0;
    case SO_TOS:
        if (value > 255) return -ERR_INVAL;
        s->tos = (u8)value;
        return 0;
    default:
        return -ERR_INVAL;
    }
}

/* Without a sysplex every partner but ourselves is outside. */
static u32 cluster_type(struct sock *s, bool listening) {
    const struct stack_hooks *h = &s->stk->hooks;
    if (listening || s->tcb.q.state < TCP_ESTABLISHED) return SO_CLUSTERCONNTYPE_NOCONN;
    if (h->cluster_type) return h->cluster_type(h->ctx, s->key.foreign);
    return home_find(s->stk, s->key.foreign) ? SO_CLUSTERCONNTYPE_SAME_IMAGE | SO_CLUSTERCONNTYPE_INTERNAL
                                             : SO_CLUSTERCONNTYPE_NONE;
}

u32 tcp_cluster_type(struct tcb *conn) { return cluster_type(tcb_sock(conn), false); }

int tcp_user_getopt(struct sock *s, enum sock_opt opt, u32 *value) {
    bool listening = s->flags & SF_LISTENING;
    u16 flags = listening ? s->listener.flags : s->tcb.flags;
    switch (opt) {
    case SO_NODELAY:
        *value = (flags & TF_NODELAY) != 0;
        return 0;
    case SO_KEEPALIVE_OPT:
        *value = (flags & TF_KEEPALIVE) != 0;
        return 0;
    case SO_REUSEADDR_OPT:
        *value = (s->flags & SF_REUSE) != 0;
        return 0;
    case SO_RCVBUF_OPT:
        *value = listening ? s->listener.rx_limit : s->tcb.rx_limit;
        return 0;
    case SO_SNDBUF_OPT:
        *value = listening ? s->listener.tx_limit : s->tcb.tx_limit;
        return 0;
    case SO_TTL:
        *value = s->ttl ? s->ttl : s->stk->conf.ip.ttl;
        return 0;
    case SO_TOS:
        *value = s->tos;
        return 0;
    case SO_CLUSTERCONNTYPE:
        *value = cluster_type(s, listening);
        return 0;
    case SO_PATHMTU:
        if (listening || s->tcb.q.state < TCP_SYN_SENT) return -ERR_NOTCONN;
        tcp_route_refresh(&s->tcb);
        *value = s->tcb.route.mtu_bytes;
        return 0;
    default:
        return -ERR_INVAL;
    }
}
