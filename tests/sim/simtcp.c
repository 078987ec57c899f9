/* simtcp.c - see simtcp.h. One struct side for each end of a connection; a side writes its stream and checks what it
 * reads against the other's. Stream byte i of a side is a hash of (connection, direction, i). */
#include "tests/sim/simtcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tcp_impl.h"
#include "tests/unit/testnet.h"

#define STACKS_MAX 4
#define CONNS_MAX 48
#define PORT 7000
#define STREAM_MAX 300000u
#define PIECE_MAX 6000u
#define FAULTS_US 60000000ull  /* the wires are bad for so long */
#define BOUND_US 1200000000ull /* and then everything must end within this */

struct sim;
struct side {
    struct sim *sim;
    struct sock *s;
    u32 conn;
    bool client, sent_all, got_end, done, aborts;
    u32 to_send, sent, got, abort_at;
    u64 pause_until;
};

struct sim {
    struct testnet *net;
    u64 seed;
    u32 stacks, conns, digest;
    struct stack *stk[STACKS_MAX];
    struct sock *listener[STACKS_MAX];
    char addr[STACKS_MAX][STACKS_MAX][32]; /* of stack i on its wire to stack j */
    struct side client[CONNS_MAX], server[CONNS_MAX];
    struct simtcp_result result;
};

static void broken(const struct sim *m, const char *what, u32 conn) {
    fprintf(stderr, "seed %llu: %s (connection %u)\n", (unsigned long long)m->seed, what, conn);
    abort();
}

static void digest(struct sim *m, u32 v) {
    for (u32 i = 0; i < 4; i++, v >>= 8) m->digest = (m->digest ^ (v & 0xFF)) * 16777619u;
}

static u32 draw(struct sim *m, u32 below) { return testnet_random(m->net) % below; }

static u8 stream_byte(u32 conn, bool client, u32 i) {
    u32 x = (i + 1) * 2654435761u ^ (conn * 2 + client) * 40503u;
    return (u8)(x >> 13 ^ x >> 24);
}

/* ---- a side ---- */
static void side_over(struct side *d, bool aborted) {
    if (d->done) return;
    d->done = true;
    if (aborted) d->aborts = true;
    digest(d->sim, d->got);
    digest(d->sim, (u32)d->sim->net->now);
}

static void side_read(struct side *d, u64 now) {
    const u8 *p;
    i32 n;
    while ((n = sock_recv_peek(d->s, &p)) > 0) {
        u32 part = u32_min((u32)n, 1 + draw(d->sim, PIECE_MAX));
        for (u32 i = 0; i < part; i++)
            if (p[i] != stream_byte(d->conn, !d->client, d->got + i)) broken(d->sim, "a wrong byte was read", d->conn);
        d->got += part;
        d->sim->result.bytes += part;
        sock_recv_consume(d->s, part, now);
        if (draw(d->sim, 12) == 0) {
            d->pause_until = now + draw(d->sim, 400000);
            return;
        }
    }
    if (n == 0) d->got_end = true;
}

static void side_write(struct side *d, u64 now) {
    u8 piece[PIECE_MAX];
    while (d->sent < d->to_send) {
        u32 n = u32_min(d->to_send - d->sent, 1 + draw(d->sim, PIECE_MAX));
        for (u32 i = 0; i < n; i++) piece[i] = stream_byte(d->conn, d->client, d->sent + i);
        i32 took = sock_send(d->s, piece, n, now);
        if (took < 0) return;
        d->sent += (u32)took;
        if ((u32)took < n || draw(d->sim, 10) == 0) return;
    }
    if (!d->sent_all) {
        d->sent_all = true;
        sock_shutdown_send(d->s, now);
    }
}

static void side_run(struct side *d, u64 now) {
    if (d->done || !d->s) return;
    if (d->aborts && d->got + d->sent >= d->abort_at) {
        sock_abort(d->s, now);
        d->s = NULL;
        side_over(d, true);
        return;
    }
    if (now >= d->pause_until) side_read(d, now);
    side_write(d, now);
    if (!d->got_end || !d->sent_all) return;
    sock_close(d->s, now);
    d->s = NULL;
    side_over(d, false);
}

static void side_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct side *d = ctx;
    digest(d->sim, events);
    if (!(events & SOCK_EV_CLOSED)) {
        side_run(d, now);
        return;
    }
    struct side *other = d->client ? &d->sim->server[d->conn] : &d->sim->client[d->conn];
    /* Only an abort at the other end, or a handshake that had no chance, may end a connection so. */
    if (!other->aborts && !d->aborts && d->sent + d->got > 0 && sock_error(s) != ERR_TIMEDOUT)
        broken(d->sim, "a connection ended without cause", d->conn);
    if (!other->aborts && !d->aborts && sock_error(s) == ERR_TIMEDOUT) broken(d->sim, "a connection timed out", d->conn);
    sock_close(s, now);
    d->s = NULL;
    side_over(d, true);
}

static void listener_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct sim *m = ctx;
    struct sock *n;
    struct sockaddr4 peer, local;
    UNUSED(events);
    while (sock_accept(s, &n, &peer, now) == 0) {
        sock_local(n, &local);
        u32 conn = CONNS_MAX;
        /* The client knows its own name for this connection. */
        for (u32 i = 0; i < m->conns; i++) {
            struct sockaddr4 mine, its;
            if (!m->client[i].s || m->server[i].sim) continue;
            sock_local(m->client[i].s, &mine);
            sock_peer(m->client[i].s, &its);
            if (mine.port == peer.port && ipaddr_eq(mine.addr, peer.addr) && ipaddr_eq(its.addr, local.addr)) conn = i;
        }
        if (conn == CONNS_MAX) { /* its client is gone already */
            sock_abort(n, now);
            continue;
        }
        struct side *d = &m->server[conn];
        *d = (struct side){.sim = m, .s = n, .conn = conn, .to_send = draw(m, 4) ? draw(m, STREAM_MAX) : 0};
        if (draw(m, 12) == 0) d->aborts = true, d->abort_at = draw(m, STREAM_MAX);
        sock_on_event(n, side_event, d);
        side_run(d, now);
    }
}

/* ---- the plex ---- */
static void build(struct sim *m) {
    m->stacks = 2 + draw(m, STACKS_MAX - 1);
    for (u32 i = 0; i < m->stacks; i++) {
        char name[24];
        snprintf(name, sizeof name, "TCPIP%u", i);
        m->stk[i] = testnet_stack(m->net, name, NULL);
        if (draw(m, 3) == 0) m->stk[i]->conf.tcp.timestamps = false;
        m->stk[i]->conf.tcp.max_backlog = 64;
        if (draw(m, 2)) m->stk[i]->conf.tcp.recv_buffer_bytes = 2000 + draw(m, 200000);
        if (draw(m, 2)) m->stk[i]->conf.tcp.send_buffer_bytes = 2000 + draw(m, 200000);
    }
    for (u32 i = 0; i < m->stacks; i++) {
        for (u32 j = i + 1; j < m->stacks; j++) {
            char a[24], b[24];
            u16 caps = draw(m, 2) ? LINK_CAP_ARP : LINK_CAP_ARP | LINK_CAP_GSO | LINK_CAP_CSUM_OUT;
            struct testnet_fault f = {.loss_permille = draw(m, 60), .duplicate_permille = draw(m, 20),
                                      .reorder_permille = draw(m, 80), .corrupt_permille = draw(m, 5),
                                      .delay_usec = draw(m, 40000), .jitter_usec = draw(m, 10000)};
            snprintf(a, sizeof a, "L%u%uA", i, j);
            snprintf(b, sizeof b, "L%u%uB", i, j);
            snprintf(m->addr[i][j], 32, "10.%u.%u.1", i, j);
            snprintf(m->addr[j][i], 32, "10.%u.%u.2", i, j);
            struct link *la = testnet_link(m->net, m->stk[i], a, m->addr[i][j], "255.255.255.0", caps);
            struct link *lb = testnet_link(m->net, m->stk[j], b, m->addr[j][i], "255.255.255.0", caps);
            testnet_join(m->net, la, lb, &f);
        }
    }
}

static void heal(struct sim *m) {
    static const struct testnet_fault good = {.delay_usec = 1000};
    for (u32 i = 0; i < m->stacks; i++)
        for (u32 j = i + 1; j < m->stacks; j++) {
            char a[24], b[24];
            snprintf(a, sizeof a, "L%u%uA", i, j);
            snprintf(b, sizeof b, "L%u%uB", i, j);
            testnet_join(m->net, link_find(m->stk[i], a), link_find(m->stk[j], b), &good);
        }
}

static void start(struct sim *m) {
    u64 now = m->net->now;
    for (u32 i = 0; i < m->stacks; i++) {
        struct sock *s;
        if (sock_open(m->stk[i], SOCK_TCP, "SERVER", &s) || sock_bind(s, IPADDR_ANY, PORT, now) || sock_listen(s, 64, now))
            broken(m, "no listener", i);
        sock_on_event(s, listener_event, m);
        m->listener[i] = s;
    }
    u32 wanted = 4 + draw(m, CONNS_MAX - 4);
    for (u32 i = 0; i < wanted; i++) {
        u32 from = draw(m, m->stacks), to = (from + 1 + draw(m, m->stacks - 1)) % m->stacks;
        struct side *d = &m->client[i];
        *d = (struct side){.sim = m, .conn = i, .client = true, .to_send = draw(m, STREAM_MAX)};
        if (draw(m, 12) == 0) d->aborts = true, d->abort_at = draw(m, STREAM_MAX);
        if (sock_open(m->stk[from], SOCK_TCP, "CLIENT", &d->s)) broken(m, "no socket", i);
        sock_on_event(d->s, side_event, d);
        m->conns = i + 1;
        if (sock_connect(d->s, testnet_ip(m->addr[to][from]), PORT, now) != -ERR_INPROGRESS) broken(m, "no connect", i);
    }
}

static bool all_done(const struct sim *m) {
    for (u32 i = 0; i < m->conns; i++)
        if (!m->client[i].done || (m->server[i].sim && !m->server[i].done)) return false;
    return true;
}

/* Time passes in steps, so that a program which pauses comes back to what it left. */
static void run_until_done(struct sim *m, u64 limit) {
    while (!all_done(m) && m->net->now < limit) {
        testnet_run(m->net, 50000);
        for (u32 i = 0; i < m->conns; i++) {
            side_run(&m->client[i], m->net->now);
            if (m->server[i].sim) side_run(&m->server[i], m->net->now);
        }
    }
}

static void judge(struct sim *m) {
    for (u32 i = 0; i < m->conns; i++) {
        const struct side *c = &m->client[i], *s = &m->server[i];
        if (!c->done || (s->sim && !s->done)) broken(m, "a connection did not end", i);
        if (c->aborts || s->aborts) {
            m->result.aborted++;
            continue;
        }
        if (!s->sim || c->got != s->sent || s->got != c->sent || c->sent != c->to_send || s->sent != s->to_send)
            broken(m, "not everything was delivered", i);
    }
}

static void nothing_is_held(struct sim *m) {
    for (u32 i = 0; i < m->stacks; i++) {
        const struct tcp_state *t = m->stk[i]->tcp;
        if (t->chunks.in_use || t->marks.in_use || t->syn_rows.in_use || t->timewait_rows.in_use ||
            m->stk[i]->sock->pool.in_use != 1 /* the listener */ || t->conns.rows)
            broken(m, "something is still held", i);
        m->result.retransmits += m->stk[i]->stats.tcp.retrans_segs;
        m->result.timeouts += m->stk[i]->stats.tcp.timeouts;
        m->result.fast_retransmits += m->stk[i]->stats.tcp.fast_retransmits;
        digest(m, m->stk[i]->stats.tcp.out_segs);
        sock_close(m->listener[i], m->net->now);
    }
}

struct simtcp_result simtcp_run(u64 seed) {
    struct sim *m = calloc(1, sizeof *m);
    m->seed = seed;
    m->digest = 2166136261u;
    m->net = testnet_create(seed);
    build(m);
    u64 begin = m->net->now;
    start(m);
    run_until_done(m, begin + FAULTS_US);
    heal(m);
    run_until_done(m, begin + BOUND_US);
    judge(m);
    m->result.simulated_us = m->net->now - begin;
    /* Half-closed peers of an aborted connection, orphans and TIME_WAIT rows run out by themselves. */
    testnet_run(m->net, 1500000000ull);
    nothing_is_held(m);
    m->result.seed = seed;
    m->result.stacks = m->stacks;
    m->result.connections = m->conns;
    m->result.packets_lost = m->net->lost;
    m->result.packets_reordered = m->net->reordered;
    m->result.packets_duplicated = m->net->duplicated;
    m->result.digest = m->digest;
    testnet_destroy(m->net);
    struct simtcp_result r = m->result;
    free(m);
    return r;
}
