/* sock.c - the socket layer of net/sock.h: one handle for TCP connections, UDP and ICMP echo end points.
 *
 * A handle is a struct sock from one pool. For SOCK_TCP it contains the connection itself (tcp_user.c); for SOCK_UDP and
 * SOCK_ICMP it points to a struct dgram (udp.c). This file decides by the type and does what both have in common.
 */
#include "base/str.h"
#include "net/tcp_impl.h"

static u32 handle_count(const struct stack_config *cfg) { return cfg->max_sockets + cfg->max_datagram_sockets; }

size_t sock_bytes(const struct stack_config *cfg) {
    return sizeof(struct sock_state) + 32 + (sizeof(struct sock) + 15) / 16 * 16 * handle_count(cfg);
}

int sock_init(struct stack *stk, struct arena *a, const struct stack_config *cfg) {
    struct sock_state *ss = arena_take(a, sizeof *ss, 16);
    if (!ss || !pool_init(&ss->pool, "sockets", a, sizeof(struct sock), handle_count(cfg))) return -ERR_NOMEM;
    /* Displays walk the pool and tell free objects by their flags. */
    for (u32 i = 0; i < ss->pool.count; i++) {
        struct sock *s = (struct sock *)(void *)(ss->pool.base + (size_t)i * ss->pool.object_bytes);
        s->flags = 0;
    }
    stk->sock = ss;
    return 0;
}

static struct sock *pool_at(const struct stack *stk, u32 i) {
    const struct pool *p = &stk->sock->pool;
    return (struct sock *)(void *)(p->base + (size_t)i * p->object_bytes);
}

/* Programs had their last event from tcp_stop() and dgram_stop(); what they still hold goes now. */
void sock_stop(struct stack *stk, u64 now) {
    for (u32 i = 0; i < stk->sock->pool.count; i++) {
        struct sock *s = pool_at(stk, i);
        if (s->flags & SF_OPEN) sock_close(s, now);
    }
}

/* ---- datagram events become socket events ---- */
static void dgram_event(void *ctx, struct dgram *d, u32 events, u64 now) {
    struct sock *s = ctx;
    UNUSED(d);
    if (s->fn) s->fn(s->ctx, s, events, now);
}

int sock_open(struct stack *stk, enum sock_type type, const char *jobname, struct sock **out) {
    struct sock *s = sock_new(stk, type, jobname);
    if (!s) return -ERR_NOBUFS;
    if (type == SOCK_TCP) {
        tcb_init(s);
    } else {
        int rc = dgram_open(stk, type == SOCK_UDP ? DGRAM_UDP : DGRAM_ICMP, jobname, &s->dgram);
        if (rc < 0) {
            sock_delete(s, stk->now);
            return rc;
        }
        dgram_on_event(s->dgram, dgram_event, s);
    }
    *out = s;
    return 0;
}

void sock_on_event(struct sock *s, sock_event_fn *fn, void *ctx) {
    s->fn = fn;
    s->ctx = ctx;
}

int sock_bind(struct sock *s, struct ipaddr addr, u16 port, u64 now) {
    return s->type == SOCK_TCP ? tcp_user_bind(s, addr, port, now) : dgram_bind(s->dgram, addr, port, now);
}

int sock_listen(struct sock *s, u32 backlog, u64 now) {
    return s->type == SOCK_TCP ? tcp_user_listen(s, backlog, now) : -ERR_NOSYS;
}

int sock_accept(struct sock *s, struct sock **out, struct sockaddr4 *peer, u64 now) {
    return s->type == SOCK_TCP ? tcp_user_accept(s, out, peer, now) : -ERR_NOSYS;
}

int sock_connect(struct sock *s, struct ipaddr addr, u16 port, u64 now) {
    return s->type == SOCK_TCP ? tcp_user_connect(s, addr, port, now) : dgram_connect(s->dgram, addr, port, now);
}

i32 sock_send_room(struct sock *s, u8 **p) { return s->type == SOCK_TCP ? tcp_user_room(s, p) : -ERR_NOSYS; }
void sock_send_commit(struct sock *s, u32 len, u64 now) {
    if (s->type == SOCK_TCP) tcp_user_commit(s, len, now);
}
i32 sock_recv_peek(struct sock *s, const u8 **p) { return s->type == SOCK_TCP ? tcp_user_peek(s, p) : -ERR_NOSYS; }
void sock_recv_consume(struct sock *s, u32 len, u64 now) {
    if (s->type == SOCK_TCP) tcp_user_consume(s, len, now);
}

i32 sock_send(struct sock *s, const void *data, u32 len, u64 now) {
    if (s->type != SOCK_TCP) return dgram_sendto(s->dgram, data, len, NULL, now);
    const u8 *from = data;
    u32 done = 0;
    while (done < len) {
        u8 *to;
        i32 room = tcp_user_room(s, &to);
        if (room < 0) return done ? (i32)done : room;
        u32 part = u32_min((u32)room, len - done);
        memcpy(to, from + done, part);
        tcp_user_commit(s, part, now);
        done += part;
    }
    return (i32)done;
}

i32 sock_recv(struct sock *s, void *data, u32 len, u64 now) {
    if (s->type != SOCK_TCP) return dgram_recvfrom(s->dgram, data, len, NULL, NULL, now);
    u8 *to = data;
    u32 done = 0;
    while (done < len) {
        const u8 *from;
        i32 ready = tcp_user_peek(s, &from);
        if (ready <= 0) return done ? (i32)done : ready;
        u32 part = u32_min((u32)ready, len - done);
        memcpy(to + done, from, part);
        tcp_user_consume(s, part, now);
        done += part;
    }
    return (i32)done;
}

i32 sock_sendto(struct sock *s, const void *data, u32 len, const struct sockaddr4 *to, u64 now) {
    return s->type == SOCK_TCP ? -ERR_ISCONN : dgram_sendto(s->dgram, data, len, to, now);
}

i32 sock_answer(struct sock *s, const void *data, u32 len, const struct sockaddr4 *to, struct ipaddr from, u64 now) {
    return s->type == SOCK_TCP ? -ERR_ISCONN : dgram_answer(s->dgram, data, len, to, from, now);
}

i32 sock_recvfrom(struct sock *s, void *data, u32 len, struct sockaddr4 *from, struct ipaddr *to, u64 now) {
    return s->type == SOCK_TCP ? -ERR_NOSYS : dgram_recvfrom(s->dgram, data, len, from, to, now);
}

int sock_shutdown_send(struct sock *s, u64 now) {
    return s->type == SOCK_TCP ? tcp_user_shutdown(s, now) : -ERR_NOSYS;
}

static void close_dgram(struct sock *s, u64 now) {
    dgram_close(s->dgram, now);
    sock_delete(s, now);
}

void sock_close(struct sock *s, u64 now) {
    if (s->type == SOCK_TCP)
        tcp_user_close(s, now);
    else
        close_dgram(s, now);
}

void sock_abort(struct sock *s, u64 now) {
    if (s->type == SOCK_TCP)
        tcp_user_abort(s, now);
    else
        close_dgram(s, now);
}

int sock_setopt(struct sock *s, enum sock_opt opt, u32 value, u64 now) {
    return s->type == SOCK_TCP ? tcp_user_setopt(s, opt, value, now) : dgram_setopt(s->dgram, opt, value, now);
}

int sock_getopt(struct sock *s, enum sock_opt opt, u32 *value) {
    return s->type == SOCK_TCP ? tcp_user_getopt(s, opt, value) : dgram_getopt(s->dgram, opt, value);
}

const char *sock_cluster_name(u32 type) {
    bool internal = type & SO_CLUSTERCONNTYPE_INTERNAL;
    if (type & SO_CLUSTERCONNTYPE_SAME_IMAGE) return internal ? "SAME_IMAGE INTERNAL" : "SAME_IMAGE";
    if (type & SO_CLUSTERCONNTYPE_SAME_CLUSTER) return internal ? "SAME_CLUSTER INTERNAL" : "SAME_CLUSTER";
    if (type & SO_CLUSTERCONNTYPE_NONE) return internal ? "NONE INTERNAL" : "NONE";
    return "NOCONN";
}

int sock_siocsvipa(struct sock *s, bool define, struct ipaddr addr, u64 now) {
    const struct stack_hooks *h = &s->stk->hooks;
    return h->siocsvipa ? h->siocsvipa(h->ctx, define, addr, s->jobname, now) : -ERR_NOSYS;
}

int sock_error(const struct sock *s) { return s->type == SOCK_TCP ? s->error : dgram_take_error(s->dgram); }

void sock_local(const struct sock *s, struct sockaddr4 *out) {
    *out = s->type == SOCK_TCP ? (struct sockaddr4){s->key.local, s->key.local_port} : s->dgram->local;
}

void sock_peer(const struct sock *s, struct sockaddr4 *out) {
    *out = s->type == SOCK_TCP ? (struct sockaddr4){s->key.foreign, s->key.foreign_port} : s->dgram->peer;
}

u32 sock_conn_id(const struct sock *s) { return s->type == SOCK_TCP ? s->conn_id : s->dgram->conn_id; }
const char *sock_jobname(const struct sock *s) { return s->jobname; }
struct stack *sock_stack(const struct sock *s) { return s->stk; }
const struct pool *sock_pool(const struct stack *stk) { return &stk->sock->pool; }

void sock_for_each(struct stack *stk, bool (*row)(void *ctx, const struct sock_info *info), void *ctx) {
    for (u32 i = 0; i < stk->sock->pool.count; i++) {
        const struct sock *s = pool_at(stk, i);
        if (!(s->flags & SF_OPEN) || (s->flags & SF_ORPHAN)) continue;
        struct sock_info info = {.type = (enum sock_type)s->type, .conn_id = sock_conn_id(s), .jobname = s->jobname};
        sock_local(s, &info.local);
        sock_peer(s, &info.peer);
        if (s->type == SOCK_TCP)
            info.state = tcp_state_name(s->flags & SF_LISTENING ? TCP_LISTEN : (enum tcp_fsm_state)s->tcb.q.state);
        else
            info.state = s->type == SOCK_UDP ? "UDP" : "RAW";
        if (!row(ctx, &info)) return;
    }
}
