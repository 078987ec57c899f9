/* tcp_table.c - where a connection is found, and its beginning and end.
 *
 *   table       key                               rows
 *   conns       local, foreign address and port   every tcb from SYN_SENT or ESTABLISHED to its end
 *   bound       local port                        bound and listening sockets; a connect() takes its socket out
 *   syns        as conns                          tcp_syn.c
 *   timewaits   as conns                          tcp_timewait.c
 *
 * All four hash with the stack's random key, so a peer cannot aim at one chain. hooks.conn_opened and conn_closed are
 * called exactly when a tcb enters and leaves `conns`; hooks.listener when a listening socket does with `bound`.
 */
#include "base/str.h"
#include "net/tcp_impl.h"

#define SYN_ROWS_MIN 64u
#define MARKS_MIN 64u

/* Half-open connections at once: a quarter of all sockets; beyond it SYN cookies keep the door open. */
static u32 syn_row_count(const struct stack_config *cfg) { return u32_max(cfg->max_sockets / 4, SYN_ROWS_MIN); }
/* Connections that suffer loss or reordering at the same moment. */
static u32 marks_count(const struct stack_config *cfg) { return u32_max(cfg->max_sockets / 8, MARKS_MIN); }
static size_t pool_size(size_t object, u32 count) { return (object + 15) / 16 * 16 * count + 16; }

size_t tcp_bytes(const struct stack_config *cfg) {
    return sizeof(struct tcp_state) + 64 + pool_size(sizeof(struct cbuf_chunk), cfg->buffer_chunks) +
           pool_size(sizeof(struct tcp_marks), marks_count(cfg)) +
           pool_size(sizeof(struct syn_row), syn_row_count(cfg)) +
           pool_size(sizeof(struct timewait_row), cfg->max_timewait) + hash_bytes(cfg->max_sockets) +
           hash_bytes(syn_row_count(cfg)) + hash_bytes(cfg->max_timewait) + 64;
}

static const struct ip_proto tcp_proto = {.name = "TCP", .input = tcp_input, .icmp_error = tcp_icmp_error,
                                         .icmp_valid = tcp_icmp_valid};

/* Callback first, then what it and the segments before it want sent. */
static void work_on(struct stack *stk, struct sock *s, u64 now) {
    struct tcp_state *st = stk->tcp;
    u32 events = s->events;
    s->events = 0;
    st->current = s;
    if (events && s->fn) s->fn(s->ctx, s, events, now);
    if (st->current == s && s->type == SOCK_TCP) {
        if (s->flags & SF_LISTENING)
            s->listener.left = s->listener.queued;
        else if (s->tcb.flags & TF_OUTPUT)
            tcp_output(&s->tcb, now);
    }
    st->current = NULL;
}

/* Two rounds: what a listener's program does with a connection it accepts belongs to the same poll. Not more, since
 * programs that keep each other busy must not hold up the stack; the rest waits for the next poll. */
static void tcp_work(struct stack *stk, struct stack_work *w, u64 now) {
    struct tcp_state *st = stk->tcp;
    for (u32 round = 0; round < 2 && !list_empty(&st->work); round++) {
        struct list batch, *n;
        list_init(&batch);
        list_push_back(&st->work, &batch); /* into the ring beside the old head, */
        list_del(&st->work);               /* which leaves it: the ring is now the batch's */
        while ((n = list_pop_front(&batch)) != NULL) work_on(stk, LIST_ENTRY(n, struct sock, work), now);
    }
    if (list_empty(&st->work)) list_del(&w->node);
}

int tcp_init(struct stack *stk, struct arena *a, const struct stack_config *cfg) {
    struct tcp_state *st = arena_take(a, sizeof *st, 16);
    if (!st) return -ERR_NOMEM;
    memset(st, 0, sizeof *st);
    st->stk = stk;
    stk->tcp = st;
    if (!pool_init(&st->chunks, "socket buffers", a, sizeof(struct cbuf_chunk), cfg->buffer_chunks) ||
        !pool_init(&st->marks, "tcp marks", a, sizeof(struct tcp_marks), marks_count(cfg)) ||
        !pool_init(&st->syn_rows, "half-open", a, sizeof(struct syn_row), syn_row_count(cfg)) ||
        !pool_init(&st->timewait_rows, "time-wait", a, sizeof(struct timewait_row), cfg->max_timewait) ||
        !hash_init(&st->conns, a, cfg->max_sockets) || !hash_init(&st->syns, a, syn_row_count(cfg)) ||
        !hash_init(&st->timewaits, a, cfg->max_timewait))
        return -ERR_NOMEM;
    struct tcp_secret *secrets[] = {&st->isn_secret, &st->cookie_secret, &st->ts_secret};
    for (u32 i = 0; i < ARRAY_LEN(secrets); i++)
        *secrets[i] = (struct tcp_secret){{stack_random(stk), stack_random(stk)}};
    list_init(&st->work);
    stack_work_init(&st->poll, tcp_work);
    for (u32 i = 0; i <= TCP_SYN_RETRIES; i++) list_init(&st->syn_wait[i]);
    timer_init(&st->syn_timer, tcp_syn_timer);
    list_init(&st->timewait_order);
    timer_init(&st->timewait_timer, tcp_timewait_timer);
    list_init(&st->starved);
    timer_init(&st->starved_timer, tcp_starved_timer);
    ip_proto_register(stk, IP_PROTO_TCP, &tcp_proto);
    return 0;
}

u32 tcp_hash(const struct stack *stk, const struct tcp_key *k) {
    return hash3(&stk->key, k->foreign.v4, (u32)k->foreign_port << 16 | k->local_port, k->local.v4);
}

struct sock *tcp_lookup(struct stack *stk, const struct tcp_key *k, u32 hash) {
    for (struct hash_row *r = *hash_head(&stk->tcp->conns, hash); r; r = r->next) {
        struct sock *s = (struct sock *)(void *)r;
        if (tcp_key_eq(&s->key, k)) return s;
    }
    return NULL;
}

void sock_kick(struct sock *s) {
    struct tcp_state *st = s->stk->tcp;
    if (list_is_in(&s->work)) return;
    list_push_back(&st->work, &s->work);
    stack_defer(s->stk, &st->poll);
}

struct sock *sock_new(struct stack *stk, enum sock_type type, const char *jobname) {
    struct sock *s = pool_get(&stk->sock->pool);
    if (!s) return NULL;
    memset(s, 0, sizeof *s);
    s->stk = stk;
    s->type = (u8)type;
    s->flags = SF_OPEN;
    list_init(&s->work);
    str_copy(s->jobname, sizeof s->jobname, jobname);
    return s;
}

void sock_delete(struct sock *s, u64 now) {
    struct stack *stk = s->stk;
    if (s->flags & SF_BOUND) tcp_bound_del(s, now);
    if ((s->flags & SF_ABSENT) && stk->hooks.bind_released) stk->hooks.bind_released(stk->hooks.ctx, s->key.local, now);
    list_del(&s->work);
    if (stk->tcp->current == s) stk->tcp->current = NULL;
    s->flags = 0;
    pool_put(&stk->sock->pool, s);
}

void tcb_init(struct sock *s) {
    struct tcb *t = &s->tcb;
    const struct tcp_config *conf = &s->stk->conf.tcp;
    memset(t, 0, sizeof *t);
    t->q.state = TCP_CLOSED;
    t->rto_us = TCP_RTO_INITIAL_US;
    t->tx_limit = conf->send_buffer_bytes;
    t->rx_limit = conf->recv_buffer_bytes;
    t->recv_mss = TCP_MSS_DEFAULT;
    if (!conf->delay_acks) t->flags |= TF_NODELAYACKS;
    timer_init(&t->timer, tcp_timer_fire);
    for (u32 i = 0; i < TCP_TIMERS; i++) t->due[i] = TIME_NEVER;
    list_init(&t->accept_node);
}

void tcb_connect(struct tcb *t, u64 now) {
    struct sock *s = tcb_sock(t);
    hash_add(&s->stk->tcp->conns, tcp_hash(s->stk, &s->key), &s->hash);
    t->flags |= TF_HASHED;
    t->heard_at = now;
    if (s->stk->hooks.conn_opened) s->stk->hooks.conn_opened(s->stk->hooks.ctx, t, now);
}

struct sock *tcp_listener_of(const struct tcb *t) {
    struct sock *l = t->listener;
    return l && (l->flags & SF_LISTENING) && l->conn_id == t->listener_id ? l : NULL;
}

void tcp_accept_queue_del(struct tcb *t) {
    if (list_is_in(&t->accept_node) && !(t->flags & TF_STARVED)) {
        struct sock *l = tcp_listener_of(t);
        CHECK(l && l->listener.queued > 0);
        l->listener.queued--;
        l->listener.left = u32_min(l->listener.left, l->listener.queued);
    }
    list_del(&t->accept_node);
    t->flags &= (u16)~TF_STARVED;
}

void tcb_end(struct tcb *t, u8 error, u64 now) {
    struct sock *s = tcb_sock(t), *listener = tcp_listener_of(t);
    struct stack *stk = s->stk;
    bool unseen = list_is_in(&t->accept_node) && !(t->flags & TF_STARVED);
    if (t->flags & TF_HASHED) {
        hash_del(&stk->tcp->conns, tcp_hash(stk, &s->key), &s->hash);
        t->flags &= (u16)~TF_HASHED;
        if (stk->hooks.conn_closed) stk->hooks.conn_closed(stk->hooks.ctx, t, now);
    }
    tcp_accept_queue_del(t);
    if (listener) listener->listener.conns--;
    t->listener = NULL;
    timer_disarm(stk, &t->timer);
    for (u32 i = 0; i < TCP_TIMERS; i++) t->due[i] = TIME_NEVER;
    cbuf_free(&t->tx, &stk->tcp->chunks);
    tcp_marks_free(t);
    t->flags &= (u16) ~(TF_OUTPUT | TF_ACK_NOW | TF_ACK_DUE | TF_RESEND);
    t->q.state = TCP_CLOSED;
    if (unseen || (s->flags & SF_ORPHAN)) {
        cbuf_free(&t->rx, &stk->tcp->chunks);
        sock_delete(s, now);
        return;
    }
    /* What was received before the end can still be read (and holds its chunks until it is). */
    if (t->rx.len == 0) cbuf_free(&t->rx, &stk->tcp->chunks);
    s->error = error;
    if (error) sock_signal(s, SOCK_EV_CLOSED);
}

/* ---- bound sockets ---- */
static struct hash_row **bound_head(const struct stack *stk, u16 port) {
    return &stk->tcp->bound[port % TCP_BOUND_HEADS];
}

bool tcp_bound_conflict(struct stack *stk, struct ipaddr addr, u16 port, bool share, bool reuse) {
    for (struct hash_row *r = *bound_head(stk, port); r; r = r->next) {
        const struct sock *o = (const struct sock *)(const void *)r;
        if (o->key.local_port != port) continue;
        bool same = ipaddr_eq(o->key.local, addr);
        bool any = ipaddr_is_any(o->key.local) || ipaddr_is_any(addr);
        if (!same && !any) continue;
        if (share) continue;
        /* One with an address and one without may coexist when both ask for it: the more specific gets the call. */
        if (!same && reuse && (o->flags & SF_REUSE)) continue;
        return true;
    }
    return false;
}

void tcp_bound_add(struct sock *s) {
    struct hash_row **head = bound_head(s->stk, s->key.local_port);
    s->hash.next = *head;
    *head = &s->hash;
    s->flags |= SF_BOUND;
}

void tcp_bound_del(struct sock *s, u64 now) {
    struct stack *stk = s->stk;
    struct hash_row **at = bound_head(stk, s->key.local_port);
    for (; *at != &s->hash; at = &(*at)->next) CHECK(*at);
    *at = s->hash.next;
    s->flags &= (u8)~SF_BOUND;
    if ((s->flags & SF_LISTENING) && stk->hooks.listener)
        stk->hooks.listener(stk->hooks.ctx, s->key.local, s->key.local_port, false, now);
}

/* Linear over all sockets and TIME_WAIT rows, but asked only by a bind() without SO_REUSEADDR. */
bool tcp_port_connected(struct stack *stk, u16 port) {
    const struct pool *p = &stk->sock->pool;
    for (u32 i = 0; i < p->count; i++) {
        const struct sock *s = (const struct sock *)(const void *)(p->base + (size_t)i * p->object_bytes);
        if ((s->flags & SF_OPEN) && s->type == SOCK_TCP && !(s->flags & (SF_LISTENING | SF_BOUND)) &&
            (s->tcb.flags & TF_HASHED) && s->key.local_port == port)
            return true;
    }
    LIST_FOR_EACH(n, &stk->tcp->timewait_order)
        if (LIST_ENTRY(n, struct timewait_row, node)->key.local_port == port) return true;
    return false;
}

/* An exact address beats any; among equals the listener with the fewest connections (SHAREPORT). */
struct sock *tcp_find_listener(struct stack *stk, struct ipaddr addr, u16 port) {
    struct sock *best = NULL;
    for (struct hash_row *r = *bound_head(stk, port); r; r = r->next) {
        struct sock *s = (struct sock *)(void *)r;
        if (s->key.local_port != port || !(s->flags & SF_LISTENING)) continue;
        bool exact = ipaddr_eq(s->key.local, addr);
        if (!exact && !ipaddr_is_any(s->key.local)) continue;
        if (best) {
            bool best_exact = ipaddr_eq(best->key.local, addr);
            if (best_exact && !exact) continue;
            if (best_exact == exact && best->listener.conns <= s->listener.conns) continue;
        }
        best = s;
    }
    return best;
}
