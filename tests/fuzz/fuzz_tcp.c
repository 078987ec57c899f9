/* fuzz_tcp.c - a hostile peer and an erratic program around one listener and one active connection.
 *
 * The input is a program of records; op = first byte & 7, port = first byte >> 3 & 3 (which of four peers):
 *   0  segment        flags 1 | seq 2 | ack 2 | window 2 | len 1     seq and ack are signed distances from what the
 *   1  with SACK      the same, then 3 pairs of 2                      stack expects next, so most land near a window;
 *   2  with options   the same, then n 1 | n raw option bytes          text is the pattern of its sequence number
 *   3  time passes    n 2: n * 4 ms
 *   4  write          n 1: n * 32 bytes          5  read  n 1: n * 32 bytes
 *   6  close, shut, abort, accept, connect, drop, forget the route (n 1: which)
 *   7  ICMP error     type 1 | code 1 | mtu 2, quoting snd_una
 * Checked after each record: what the program reads is the pattern; no more was received than was offered; the
 * scoreboard and the reorder list are in order; no CHECK fails. At the end every pool is level (testnet_destroy).
 */
#include "net/tcp_impl.h"
#include "tests/unit/testnet.h"

#include <string.h>

#define PEERS 4
#define PEER_ISN 0xFFFFF000u

struct world {
    struct testnet *t;
    struct stack *a;
    struct link *l;
    struct sock *listener, *s[PEERS];
    u32 read[PEERS];
    bool active[PEERS];
};

struct input {
    const u8 *p;
    size_t left;
};
static u32 take(struct input *in, u32 bytes) {
    u32 v = 0;
    for (; bytes > 0; bytes--) {
        v = v << 8 | (in->left ? *in->p : 0);
        if (in->left) in->p++, in->left--;
    }
    return v;
}

/* A signed 16-bit number as what it adds to a sequence number. */
static u32 distance(struct input *in) {
    u32 v = take(in, 2);
    return v & 0x8000 ? v | 0xFFFF0000u : v;
}

static void event(void *ctx, struct sock *s, u32 events, u64 now) {
    UNUSED(ctx);
    UNUSED(s);
    UNUSED(events);
    UNUSED(now);
}

static void listen_again(struct world *w) {
    CHECK(sock_open(w->a, SOCK_TCP, "FUZZ", &w->listener) == 0);
    sock_setopt(w->listener, SO_REUSEADDR_OPT, 1, w->t->now);
    sock_setopt(w->listener, SO_RCVBUF_OPT, 20000, w->t->now);
    CHECK(sock_bind(w->listener, IPADDR_ANY, 80, w->t->now) == 0 && sock_listen(w->listener, 2, w->t->now) == 0);
}

static struct world world_create(void) {
    struct stack_config cfg;
    struct world w = {.t = testnet_create(1)};
    stack_config_default(&cfg);
    cfg.max_sockets = cfg.max_timewait = cfg.max_datagram_sockets = cfg.small_pbufs = 8;
    cfg.buffer_chunks = 6; /* so that running out of them is met often */
    cfg.large_pbufs = cfg.max_arp = cfg.max_groups = cfg.max_links = 4;
    cfg.huge_pbufs = cfg.max_reassembly = 2;
    cfg.max_routes = cfg.max_home = cfg.max_port_rules = 8;
    w.a = testnet_stack(w.t, "TCPIPA", &cfg);
    w.l = testnet_link(w.t, w.a, "L", "10.0.0.1", "255.255.255.0", LINK_CAP_ARP);
    w.a->conf.ip.path_mtu_discovery = true;
    listen_again(&w);
    testnet_poll(w.t);
    return w;
}

static struct tcp_key key_of(const struct world *w, u32 peer) {
    struct tcp_key k = {testnet_ip("10.0.0.1"), testnet_ip("10.0.0.9"), 80, (u16)(3000 + peer)};
    if (w->s[peer] && w->active[peer]) k = w->s[peer]->key;
    return k;
}

/* The connection with this peer, whether the program holds it or not. */
static struct tcb *conn_of(struct world *w, u32 peer) {
    struct tcp_key k = key_of(w, peer);
    return tcp_find(w->a, &k);
}

static void segment(struct world *w, u32 peer, u32 op, struct input *in) {
    struct tcp_key k = key_of(w, peer);
    struct tcb *t = conn_of(w, peer);
    struct syn_row *row = tcp_syn_lookup(w->a, &k, tcp_hash(w->a, &k));
    struct tcphdr h = {.src_port = k.foreign_port, .dst_port = k.local_port};
    u8 b[20 + 60 + 2100];
    h.flags = (u8)(take(in, 1) & 0x3F);
    u32 rcv = t && t->q.state > TCP_SYN_SENT ? t->q.rcv_nxt : row ? row->irs + 1 : PEER_ISN + !(h.flags & TCPF_SYN);
    u32 snd = t ? t->q.snd_nxt : row ? row->iss + 1 : 0;
    h.seq = rcv + distance(in);
    h.ack = snd + distance(in);
    h.window = (u16)take(in, 2);
    u32 len = take(in, 1) * 8;
    if (h.flags & TCPF_SYN) h.has = TCPHDR_MSS | TCPHDR_SACK_OK | (h.window & 1 ? TCPHDR_SCALE | TCPHDR_TS : 0), h.mss = 100, h.scale = 2;
    if (t && (t->q.options & TCP_USE_TS)) h.has |= TCPHDR_TS, h.ts_value = t->q.ts_recent + len, h.ts_echo = tcp_tick(w->t->now) + t->q.ts_offset;
    for (; op == 1 && h.sacks < 3; h.sacks++) {
        h.sack[h.sacks].left = (t ? t->q.snd_una : 0) + take(in, 2);
        h.sack[h.sacks].right = h.sack[h.sacks].left + take(in, 2);
    }
    u32 header = tcphdr_emit(&h, b + 20), extra = op == 2 ? u32_min(take(in, 1) & 0x3C, 60 - header) : 0;
    for (u32 i = 0; i < extra; i++) b[20 + header + i] = (u8)take(in, 1);
    header += extra;
    b[20 + 12] = (u8)(header / 4 << 4);
    for (u32 i = 0; i < len; i++) b[20 + header + i] = (u8)((h.seq - PEER_ISN + i) % 251);
    memset(b, 0, 20);
    b[0] = 0x45;
    be16_put(b + 2, (u16)(20 + header + len));
    b[8] = 64;
    b[9] = IP_PROTO_TCP;
    ipaddr_put(b + 12, k.foreign);
    ipaddr_put(b + 16, k.local);
    be16_put(b + 10, cksum_fold(cksum_add(0, b, 20)));
    testnet_give(w->l, b, 20 + header + len, PKT_L4_CSUM_OK);
}

static void icmp(struct world *w, u32 peer, struct input *in) {
    struct tcp_key k = key_of(w, peer);
    struct tcb *t = conn_of(w, peer);
    u8 quoted[8], type = (u8)take(in, 1), code = (u8)take(in, 1);
    u32 mtu = take(in, 2);
    if (!t) return;
    be16_put(quoted, k.local_port);
    be16_put(quoted + 2, k.foreign_port);
    be32_put(quoted + 4, t->q.snd_una);
    if (!tcp_icmp_valid(w->a, k.local, k.foreign, quoted, 8)) return;
    if (type == 3 && code == 4) pmtu_learn(w->a, k.foreign, mtu, w->t->now);
    tcp_icmp_error(w->a, type, code, mtu, k.local, k.foreign, quoted, 8, w->t->now);
}

/* Our program's streams are numbered as the peer's ISN says, whichever ISN that was. */
static void read_some(struct world *w, u32 peer, u32 n) {
    const u8 *p;
    i32 ready;
    if (!w->s[peer]) return;
    while (n > 0 && (ready = sock_recv_peek(w->s[peer], &p)) > 0) {
        u32 part = u32_min(n, (u32)ready), first = w->s[peer]->tcb.q.irs + 1 - PEER_ISN;
        for (u32 i = 0; i < part; i++) CHECK(p[i] == (u8)((first + w->read[peer] + i) % 251));
        w->read[peer] += part;
        sock_recv_consume(w->s[peer], part, w->t->now);
        n -= part;
    }
}

static void act(struct world *w, u32 peer, u32 what) {
    u64 now = w->t->now;
    struct sock *s = w->s[peer];
    switch (what % 7) {
    case 0:
        if (s) sock_close(s, now), w->s[peer] = NULL;
        break;
    case 1:
        if (s) sock_shutdown_send(s, now);
        break;
    case 2:
        if (s) sock_abort(s, now), w->s[peer] = NULL;
        break;
    case 3: {
        struct sockaddr4 from;
        if (sock_accept(w->listener, &s, &from, now) < 0) break;
        peer = from.port - 3000u;
        if (peer >= PEERS || w->s[peer]) {
            sock_close(s, now);
            break;
        }
        w->s[peer] = s, w->read[peer] = 0, w->active[peer] = false;
        sock_on_event(s, event, NULL);
        break;
    }
    case 4:
        if (s || sock_open(w->a, SOCK_TCP, "FUZZ", &s) < 0) break;
        if (sock_connect(s, testnet_ip("10.0.0.9"), (u16)(3000 + peer), now) != -ERR_INPROGRESS) {
            sock_close(s, now);
            break;
        }
        w->s[peer] = s, w->read[peer] = 0, w->active[peer] = true;
        break;
    case 5:
        if (s) tcp_drop(w->a, sock_conn_id(s), now);
        break;
    default:
        if (!sock_error(w->listener) && (what & 0x80)) sock_close(w->listener, now), listen_again(w);
        net_config_changed(w->a);
        break;
    }
}

static void in_order(const struct tcp_ranges *rs, u32 low, u32 high) {
    CHECK(rs->n <= TCP_MARK_RANGES);
    for (u32 i = 0; i < rs->n; i++) {
        CHECK(seq_lt(rs->r[i].left, rs->r[i].right) && seq_ge(rs->r[i].left, low) && seq_le(rs->r[i].right, high));
        low = rs->r[i].right + 1;
    }
}

static void invariants(struct world *w) {
    for (u32 peer = 0; peer < PEERS; peer++) {
        const struct tcb *t = conn_of(w, peer);
        if (!t) continue;
        const struct tcp_seq *q = &t->q;
        CHECK(seq_le(q->snd_una, q->snd_nxt) && seq_le(q->snd_nxt, q->snd_max));
        CHECK(q->state == TCP_SYN_SENT || t->rx.len <= t->rx_limit + 65535);
        CHECK(q->snd_max - q->snd_una <= t->tx.len + 1);
        CHECK(t->cwnd > 0 || q->state < TCP_ESTABLISHED);
        if (!t->marks) continue;
        in_order(&t->marks->sacked, q->snd_una, q->snd_max);
        in_order(&t->marks->ahead, q->rcv_nxt + 1, q->rcv_adv);
        CHECK(t->marks->ahead.n || t->marks->sacked.n || t->marks->fin_early);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    static const u8 text[32 * 256];
    struct world w = world_create();
    struct input in = {data, size < 4096 ? size : 4096};
    while (in.left > 0) {
        u32 first = take(&in, 1), op = first & 7, peer = first >> 3 & (PEERS - 1);
        if (op <= 2) segment(&w, peer, op, &in);
        if (op == 3) testnet_run(w.t, (u64)take(&in, 2) * 4000);
        if (op == 4 && w.s[peer]) sock_send(w.s[peer], text, take(&in, 1) * 32, w.t->now);
        if (op == 5) read_some(&w, peer, take(&in, 1) * 32);
        if (op == 6) act(&w, peer, take(&in, 1));
        if (op == 7) icmp(&w, peer, &in);
        invariants(&w);
        testnet_poll(w.t);
        invariants(&w);
        testnet_clear(w.l);
    }
    testnet_destroy(w.t);
    return 0;
}
