/* tcprig.c - the interpreter of tcprig.h's rows. */
#include "tests/unit/tcprig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

static const char *case_name;
static u32 case_row;

static void wrong(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s row %u: ", case_name, case_row);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    fail();
}

static void on_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct tcprig *r = ctx;
    UNUSED(s);
    UNUSED(now);
    r->events |= events;
}

void tcprig_open(struct tcprig *r, u32 peer_isn) {
    memset(r, 0, sizeof *r);
    r->net = testnet_create(7);
    r->stk = testnet_stack(r->net, "TCPIP", NULL);
    r->lnk = testnet_link(r->net, r->stk, "LA", "10.0.0.1", "255.255.255.0", LINK_CAP_ARP);
    r->us = testnet_ip("10.0.0.1");
    r->peer = testnet_ip("10.0.0.9");
    r->our_port = 80;
    r->peer_port = 3000;
    r->peer_isn = peer_isn;
    r->stk->conf.tcp.recv_buffer_bytes = r->stk->conf.tcp.send_buffer_bytes = 65535;
    r->stk->conf.tcp.max_recv_bytes = 65535;
    testnet_poll(r->net);
    testnet_clear(r->lnk);
}

void tcprig_close(struct tcprig *r) {
    if (r->s) sock_abort(r->s, r->net->now);
    if (r->listener) sock_close(r->listener, r->net->now);
    testnet_destroy(r->net);
}

/* ---- packets ---- */
static void give(struct tcprig *r, const struct tcphdr *h, u32 len, u32 text_at) {
    u8 b[20 + 60 + 9000];
    u32 header = tcphdr_emit(h, b + 20), total = 20 + header + len;
    assert_true(total <= sizeof b);
    for (u32 i = 0; i < len; i++) b[20 + header + i] = (u8)((text_at + i) % 251);
    memset(b, 0, 20);
    b[0] = 0x45;
    be16_put(b + 2, (u16)total);
    b[8] = 64;
    b[9] = IP_PROTO_TCP;
    ipaddr_put(b + 12, r->peer);
    ipaddr_put(b + 16, r->us);
    be16_put(b + 10, cksum_fold(cksum_add(0, b, 20)));
    u32 sum = cksum_pseudo(r->peer, r->us, IP_PROTO_TCP, header + len);
    be16_put(b + 36, cksum_fold(cksum_add(sum, b + 20, header + len)));
    testnet_give(r->lnk, b, total, 0);
    testnet_poll(r->net);
}

static void row_in(struct tcprig *r, const struct row *w) {
    struct tcphdr h = {.src_port = r->peer_port,
                       .dst_port = r->our_port,
                       .seq = r->peer_isn + w->seq,
                       .ack = (w->flags & A) ? r->our_isn + w->ack : 0,
                       .flags = (u8)w->flags,
                       .window = (u16)(w->window ? w->window - 1 : 65535)};
    if (w->mss) h.has |= TCPHDR_MSS, h.mss = (u16)w->mss;
    if (w->scale) h.has |= TCPHDR_SCALE, h.scale = (u8)(w->scale - 1);
    if (w->sack_ok) h.has |= TCPHDR_SACK_OK;
    if (w->ts) h.has |= TCPHDR_TS, h.ts_value = w->ts, h.ts_echo = w->echo ? w->echo : r->last_ts;
    for (; h.sacks < 3 && w->sack[h.sacks][1]; h.sacks++)
        h.sack[h.sacks] = (struct tcp_range){r->our_isn + w->sack[h.sacks][0], r->our_isn + w->sack[h.sacks][1]};
    give(r, &h, w->len, w->seq);
}

static void row_frag(struct tcprig *r, const struct row *w) {
    u8 b[20 + 8 + 28];
    memset(b, 0, sizeof b);
    b[0] = b[28] = 0x45;
    be16_put(b + 2, sizeof b);
    b[8] = 64;
    b[9] = IP_PROTO_ICMP;
    ipaddr_put(b + 12, testnet_ip("10.0.0.254"));
    ipaddr_put(b + 16, r->us);
    be16_put(b + 10, cksum_fold(cksum_add(0, b, 20)));
    b[20] = 3;
    b[21] = 4;
    be16_put(b + 26, (u16)w->len);
    be16_put(b + 30, 1500);
    b[36] = 64;
    b[37] = IP_PROTO_TCP;
    ipaddr_put(b + 40, r->us);
    ipaddr_put(b + 44, r->peer);
    be16_put(b + 38, cksum_fold(cksum_add(0, b + 28, 20)));
    be16_put(b + 48, r->our_port);
    be16_put(b + 50, r->peer_port);
    be32_put(b + 52, r->our_isn + w->seq);
    be16_put(b + 22, cksum_fold(cksum_add(0, b + 20, sizeof b - 20)));
    testnet_give(r->lnk, b, sizeof b, 0);
    testnet_poll(r->net);
}

/* The packet as a value, after every check that holds for all of them. */
static u32 look(struct tcprig *r, const struct testnet_frame *f, struct tcphdr *h) {
    const u8 *b = f->bytes;
    if (f->len < 40 || b[9] != IP_PROTO_TCP || be16_get(b + 2) != f->len) wrong("not a TCP packet");
    if (cksum_fold(cksum_add(0, b, 20)) != 0) wrong("IP checksum");
    u32 sum = cksum_pseudo(ipaddr_get(b + 12), ipaddr_get(b + 16), IP_PROTO_TCP, f->len - 20);
    if (cksum_fold(cksum_add(sum, b + 20, f->len - 20)) != 0) wrong("TCP checksum");
    u32 header = tcphdr_check(b + 20, f->len - 20);
    if (!header) wrong("TCP header");
    memset(h, 0, sizeof *h);
    tcphdr_parse(b + 20, header, h);
    u32 len = f->len - 20 - header;
    if (h->flags & TCPF_SYN) {
        r->our_isn = h->seq;
        r->know_isn = true;
        r->our_port = h->src_port;
    }
    if (h->has & TCPHDR_TS) r->last_ts = h->ts_value;
    for (u32 i = 0; i < len; i++)
        if (b[20 + header + i] != (u8)((h->seq - r->our_isn + i) % 251)) wrong("text at %u is not the pattern", i);
    return len;
}

static void row_out(struct tcprig *r, const struct row *w) {
    struct tcphdr h;
    if (r->looked_at >= testnet_sent(r->lnk)) wrong("nothing was sent");
    u32 len = look(r, testnet_frame(r->lnk, r->looked_at++), &h);
    u32 seq = h.seq - r->our_isn, ack = (h.flags & A) ? h.ack - r->peer_isn : 0;
    if ((h.flags & ~(u32)P) != (w->flags & ~(u32)P) || (seq != w->seq && !(h.flags & R && h.seq == 0 && w->seq == 0)) ||
        ack != w->ack || len != w->len)
        wrong("sent flags %02X seq %u ack %u len %u, wanted %02X %u %u %u", h.flags, seq, ack, len, w->flags, w->seq,
              w->ack, w->len);
    if (w->window && h.window != w->window - 1) wrong("window %u, wanted %u", h.window, w->window - 1);
    if (w->mss && h.mss != w->mss) wrong("MSS %u, wanted %u", h.mss, w->mss);
    if (w->scale && (!(h.has & TCPHDR_SCALE) || h.scale != w->scale - 1)) wrong("scale %u", h.scale);
    if (w->sack_ok && !(h.has & TCPHDR_SACK_OK)) wrong("no SACK permitted");
    if (w->ts && (!(h.has & TCPHDR_TS) || h.ts_echo != w->ts)) wrong("echoes %u, wanted %u", h.ts_echo, w->ts);
    u32 n = 0;
    for (; n < 3 && w->sack[n][1]; n++) {
        if (n >= h.sacks || h.sack[n].left - r->peer_isn != w->sack[n][0] ||
            h.sack[n].right - r->peer_isn != w->sack[n][1])
            wrong("SACK block %u of %u: %u-%u", n, h.sacks, h.sack[n].left - r->peer_isn, h.sack[n].right - r->peer_isn);
    }
    if (n == 0 && h.sacks) wrong("SACK blocks that nobody expected");
}

static void row_quiet(struct tcprig *r) {
    struct tcphdr h;
    if (r->looked_at == testnet_sent(r->lnk)) return;
    u32 len = look(r, testnet_frame(r->lnk, r->looked_at), &h);
    wrong("sent flags %02X seq %u ack %u len %u, wanted nothing", h.flags, h.seq - r->our_isn, h.ack - r->peer_isn, len);
}

/* ---- the program ---- */
static void must(int rc, int wanted) {
    if (rc != wanted) wrong("returned %d, wanted %d", rc, wanted);
}

static void row_write(struct tcprig *r, u32 len) {
    u8 *b = malloc(len ? len : 1);
    for (u32 i = 0; i < len; i++) b[i] = (u8)((1 + r->written + i) % 251);
    i32 n = sock_send(r->s, b, len, r->net->now);
    free(b);
    if (n != (i32)len) wrong("send took %d of %u", n, len);
    r->written += len;
    testnet_poll(r->net);
}

static void row_read(struct tcprig *r, u32 len) {
    u8 b[4096];
    u32 left = len;
    do {
        i32 n = sock_recv(r->s, b, left < sizeof b ? (left ? left : 1) : sizeof b, r->net->now);
        if (len == 0) {
            must(n, 0);
            return;
        }
        if (n <= 0) wrong("recv returned %d with %u bytes to come", n, left);
        for (i32 i = 0; i < n; i++)
            if (b[i] != (u8)((1 + r->read + (u32)i) % 251)) wrong("byte %u read is not the pattern", r->read + (u32)i);
        r->read += (u32)n;
        left -= (u32)n;
    } while (left > 0);
    testnet_poll(r->net);
}

struct find {
    struct tcprig *r;
    enum tcp_fsm_state state;
};
static bool find_row(void *ctx, const struct tcp_info *i) {
    struct find *f = ctx;
    if (i->state == TCP_LISTEN || i->key.foreign_port != f->r->peer_port) return true;
    f->state = i->state;
    return false;
}
enum tcp_fsm_state tcprig_state(struct tcprig *r) {
    struct find f = {r, TCP_CLOSED};
    tcp_for_each(r->stk, find_row, &f);
    return f.state;
}

static void program(struct tcprig *r, const struct row *w) {
    u64 now = r->net->now;
    struct sockaddr4 peer;
    switch (w->kind) {
    case LISTEN:
        must(sock_open(r->stk, SOCK_TCP, "HTTPD", &r->listener), 0);
        must(sock_bind(r->listener, IPADDR_ANY, 80, now), 0);
        must(sock_listen(r->listener, w->len ? w->len : 5, now), 0);
        break;
    case CONNECT:
        r->peer_port = 80;
        must(sock_open(r->stk, SOCK_TCP, "CLIENT", &r->s), 0);
        sock_on_event(r->s, on_event, r);
        must(sock_connect(r->s, r->peer, 80, now), -ERR_INPROGRESS);
        break;
    case ACCEPT:
        must(sock_accept(r->listener, &r->s, &peer, now), 0);
        sock_on_event(r->s, on_event, r);
        break;
    case CLOSE:
        sock_close(r->s, now);
        r->s = NULL;
        break;
    case SHUT:
        must(sock_shutdown_send(r->s, now), 0);
        break;
    case ABORT:
        sock_abort(r->s, now);
        r->s = NULL;
        break;
    default:
        must(sock_setopt(r->s ? r->s : r->listener, (enum sock_opt)w->seq, w->ack, now), 0);
        break;
    }
    testnet_poll(r->net);
}

static void run_row(struct tcprig *r, const struct row *w) {
    if (w->ms) testnet_run(r->net, (u64)w->ms * 1000);
    switch (w->kind) {
    case IN:
        row_in(r, w);
        break;
    case OUT:
        row_out(r, w);
        break;
    case QUIET:
        row_quiet(r);
        break;
    case PASS:
        r->looked_at = testnet_sent(r->lnk);
        break;
    case WRITE:
        row_write(r, w->len);
        break;
    case READ:
        row_read(r, w->len);
        break;
    case STATE:
        if (tcprig_state(r) != w->seq) wrong("is in %s, wanted %s", tcp_state_name(tcprig_state(r)), tcp_state_name(w->seq));
        break;
    case ERROR:
        must(sock_error(r->s), (int)w->seq);
        break;
    case FRAG:
        row_frag(r, w);
        break;
    default:
        program(r, w);
        break;
    }
    /* The recorder is bounded: forget what has been looked at. */
    if (r->looked_at == testnet_sent(r->lnk)) {
        testnet_clear(r->lnk);
        r->looked_at = 0;
    }
}

void tcprig_run(struct tcprig *r, const char *name, const struct row *rows, u32 n) {
    case_name = name;
    for (case_row = 0; case_row < n; case_row++) run_row(r, &rows[case_row]);
}

/* A moment at which a listener's ISN for our peer is 300 below the wrap. */
static void wrap_our_numbers(struct tcprig *r) {
    struct tcp_key k = {r->us, r->peer, r->our_port, r->peer_port};
    u32 ahead = (u32)-300 - tcp_isn(r->stk, &k, r->net->now);
    r->net->now += (u64)ahead * 4;
    testnet_poll(r->net);
}

void tcprig_case(const char *name, const struct row *rows, u32 n) {
    /* Twice: once with comfortable numbers, once so that both sides' sequence numbers wrap. */
    static const u32 isns[] = {100000, 0xFFFFFE00u};
    for (u32 i = 0; i < ARRAY_LEN(isns); i++) {
        struct tcprig r;
        tcprig_open(&r, isns[i]);
        if (i > 0) wrap_our_numbers(&r);
        tcprig_run(&r, name, rows, n);
        tcprig_close(&r);
    }
}
