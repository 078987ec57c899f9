/* simplex_app.c - servers and clients of the simulated sysplex. A client sends the number of bytes that it wants (4 bytes);
 * the server answers 'A' + its index, then byte i of the stream is (i * 7 + index). The client checks each. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/simplex_impl.h"

static u8 stream(u32 server, u32 i) {
    return i == 0 ? (u8)('A' + server) : (u8)(i * 7 + server);
}

/* ---- servers ---- */

static void serve_end(struct serve *v, u64 now) {
    sock_close(v->s, now);
    v->used = false;
}

static void serve_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct serve *v = ctx;
    u8 piece[1024];
    UNUSED(s);
    if (events & SOCK_EV_CLOSED) {
        serve_end(v, now);
        return;
    }
    while (!v->asked) {
        i32 n = sock_recv(v->s, v->request + v->have, 4 - v->have, now);
        if (n == 0) serve_end(v, now);
        if (n <= 0) return;
        v->have += (u32)n;
        v->asked = v->have == 4;
        v->left = be32_get(v->request);
    }
    while (v->left) {
        u32 n = u32_min(v->left, sizeof piece);
        for (u32 i = 0; i < n; i++) piece[i] = stream(v->n->index, v->at + i);
        i32 took = sock_send(v->s, piece, n, now);
        if (took < 0) return;
        v->left -= (u32)took;
        v->at += (u32)took;
    }
    if (v->used) serve_end(v, now);
}

static void accept_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct node *n = ctx;
    struct sock *c;
    struct sockaddr4 peer;
    UNUSED(events);
    while (sock_accept(s, &c, &peer, now) == 0) {
        struct serve *v = NULL;
        for (u32 i = 0; i < SIMPLEX_SERVES && !v; i++) {
            n->serve_last = (n->serve_last + 1) % SIMPLEX_SERVES;
            if (!n->serve[n->serve_last].used) v = &n->serve[n->serve_last];
        }
        if (!v) {
            sock_abort(c, now);
            continue;
        }
        *v = (struct serve){.n = n, .s = c, .used = true};
        sock_on_event(c, serve_event, v);
        serve_event(v, c, SOCK_EV_READ, now);
    }
}

void simplex_serve(struct node *n) {
    memset(n->serve, 0, sizeof n->serve);
    n->listener = NULL;
    simplex_listen(n);
}

void simplex_listen(struct node *n) {
    u64 now = simplex_node_now(n);
    if (n->listener) return;
    if (n->client ? !n->p->par.clients_serve : n->p->par.no_server) return;
    net_config(n->stk)->tcp.max_backlog = 256;
    CHECK(sock_open(n->stk, SOCK_TCP, "SERVER", &n->listener) == 0);
    CHECK(sock_setopt(n->listener, SO_REUSEADDR_OPT, 1, now) == 0);
    CHECK(sock_bind(n->listener, IPADDR_ANY, SIMPLEX_PORT, now) == 0);
    sock_on_event(n->listener, accept_event, n);
    CHECK(sock_listen(n->listener, 256, now) == 0);
}

/* ---- clients ---- */

static void session_end(struct simplex_session *e, int err, u64 now) {
    e->ended = true;
    e->err = err;
    e->failed = err != 0 || e->got != e->bytes;
    e->ended_at = simxcf_now(e->p->x);
    sock_close(e->s, now);
    e->s = NULL;
}

static void session_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct simplex_session *e = ctx;
    u8 piece[2048];
    if (events & SOCK_EV_CLOSED) {
        session_end(e, sock_error(s) ? sock_error(s) : ERR_CONNRESET, now);
        return;
    }
    if (!e->connected && (events & SOCK_EV_WRITE)) {
        u8 ask[4];
        be32_put(ask, e->bytes);
        e->connected = true;
        CHECK(sock_send(s, ask, 4, now) == 4);
    }
    while (!e->paused) {
        i32 n = sock_recv(s, piece, sizeof piece, now);
        if (n == -ERR_AGAIN || n == -ERR_NOTCONN) return;
        if (n <= 0) {
            session_end(e, n < 0 ? -n : 0, now);
            return;
        }
        if (e->got == 0) {
            e->server = piece[0] - 'A';
            e->first_byte_at = simxcf_now(e->p->x);
        }
        for (i32 i = 0; i < n; i++)
            if (piece[i] != stream((u32)e->server, e->got + (u32)i))
                simplex_fail(e->p, "content: byte %u of a session with system %d is wrong", e->got + (u32)i, e->server);
        e->got += (u32)n;
    }
}

/* A program's session; its socket is open and goes nowhere yet. */
static struct simplex_session *session_open(struct simplex *p, u32 node, u32 bytes) {
    struct simplex_session *e = NULL;
    for (u32 i = 0; i < SIMPLEX_SESSIONS && !e; i++) {
        p->session_last = (p->session_last + 1) % SIMPLEX_SESSIONS;
        if (!p->session[p->session_last].used) e = &p->session[p->session_last];
    }
    if (!e) return NULL;
    *e = (struct simplex_session){.server = -1, .node = node, .bytes = bytes, .p = p, .began = simxcf_now(p->x)};
    if (sock_open(p->node[node].stk, SOCK_TCP, "CLIENT", &e->s)) return NULL;
    e->used = true;
    sock_on_event(e->s, session_event, e);
    return e;
}

static void session_connect(struct simplex_session *e, struct ipaddr to) {
    struct node *n = &e->p->node[e->node];
    u64 now = simplex_node_now(n);
    int rc = sock_connect(e->s, to, SIMPLEX_PORT, now);
    n->due = 0;
    if (rc != -ERR_INPROGRESS) session_end(e, -rc, now);
}

struct simplex_session *simplex_fetch(struct simplex *p, u32 client, struct ipaddr addr, u32 bytes) {
    struct simplex_session *e = session_open(p, p->par.systems + client, bytes);
    if (e) session_connect(e, addr);
    return e;
}

struct simplex_session *simplex_call(struct simplex *p, u32 i, struct ipaddr from, u32 bytes) {
    struct simplex_session *e = session_open(p, i, bytes);
    if (!e) return NULL;
    if (sock_bind(e->s, from, 0, simplex_node_now(&p->node[i])) != 0) {
        simplex_forget(e);
        return NULL;
    }
    session_connect(e, ipaddr_v4(SIMPLEX_CLIENT_0));
    return e;
}

void simplex_session_lost(struct simplex_session *e) {
    e->s = NULL;
    e->ended = e->failed = true;
    e->err = ERR_CONNRESET;
    e->ended_at = simxcf_now(e->p->x);
}

void simplex_forget(struct simplex_session *e) {
    if (e->s) sock_abort(e->s, simplex_node_now(&e->p->node[e->node]));
    e->used = false;
}

void simplex_resume(struct simplex_session *e) {
    e->paused = false;
    if (e->s) session_event(e, e->s, SOCK_EV_READ, simplex_node_now(&e->p->node[e->node]));
    e->p->node[e->node].due = 0;
}
