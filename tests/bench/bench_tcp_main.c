/* bench_tcp_main.c - `bench_tcp KIND ROUNDS`: the stack's own work for segments and connections, without emulator or
 * card, to be counted in instructions (tests/bench/count_tcp.sh does that for S/390 and for the host).
 *
 *   recv    one full segment arrives, is read, and is acknowledged as the stack sees fit; batches of 16
 *   send    one full segment of text is written and leaves; the peer acknowledges every second; no GSO
 *   gso     the same over a link that cuts segments
 *   http    one HTTP/1.0 connection: SYN to the last ACK, a page of 1 KB
 *   conns   so many connections stand at once, each is asked once more and answers; prints their storage
 *   idle    only the set-up: what to subtract
 * The link underneath takes any packet and forgets it; checksums are the card's. Time moves 1 ms a batch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/app.h"
#include "net/tcp_impl.h"
#include "super/console.h"
#include "super/dataset.h"

#define MSS 1460u
#define BATCH 16u
#define STORAGE (128u << 20)

static u8 storage[STORAGE];
static u32 sent_packets, last_ack, last_seq_end;
static u16 last_flags;

_Noreturn void base_bug(const char *file, int line, const char *condition) {
    fprintf(stderr, "%s:%d: CHECK(%s)\n", file, line, condition);
    abort();
}

/* ---- a page of 1 KB in memory ---- */
int dataset_read(struct datasets *ds, const char *dsname, const char *member, struct member *out) {
    static char page[1025];
    UNUSED(ds);
    UNUSED(dsname);
    if (strcmp(member, "INDEX") != 0) return -ERR_NOENT;
    memset(page, 'x', 1024);
    *out = (struct member){page, 1024};
    return 0;
}
void dataset_release(struct datasets *ds, struct member *m) {
    UNUSED(ds);
    UNUSED(m);
}

/* ---- a link that forgets ---- */
static int out(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    const u8 *tcp = p->data + IP_HEADER_BYTES;
    UNUSED(lnk);
    UNUSED(next_hop);
    UNUSED(now);
    sent_packets++;
    last_ack = be32_get(tcp + 8);
    last_flags = tcp[13];
    last_seq_end = be32_get(tcp + 4) + pkt_bytes(p) - IP_HEADER_BYTES - (u32)(tcp[12] >> 4) * 4 +
                   ((tcp[13] & (TCPF_SYN | TCPF_FIN)) != 0);
    return 0;
}
static const struct link_ops link_ops = {.output = out};
static int attach(struct device *dev, void *ctx) {
    UNUSED(dev);
    UNUSED(ctx);
    return 0;
}
static int begin(struct device *dev, u64 now) {
    device_ready(dev, now);
    return 0;
}
static const struct device_ops device_ops = {.type_name = "BENCH", .attach = attach, .start = begin, .stop = begin};

static u32 random_bits(void *ctx) {
    static u32 x = 1;
    UNUSED(ctx);
    return x = x * 1664525u + 1013904223u;
}
static void message(void *ctx, const char *text) {
    UNUSED(ctx);
    UNUSED(text);
}

static u64 now_us = 1000000;
static struct stack *stk;
static struct link *lnk;
static u8 packet[IP_HEADER_BYTES + TCPHDR_MAX_BYTES + MSS + 64];
static u32 peer_seq;
static u16 peer_port = 30000;

static void set_up(u16 caps, u32 sockets) {
    static struct driver drivers[DEV_TYPES];
    static struct stack_env env;
    struct stack_config cfg;
    struct arena a;
    struct device *dev;
    for (u32 i = 0; i < DEV_TYPES; i++) drivers[i] = (struct driver){&device_ops, &link_ops, NULL};
    env = (struct stack_env){.message = message, .random = random_bits, .drivers = drivers};
    stack_config_default(&cfg);
    if (sockets) cfg.max_sockets = sockets;
    arena_init(&a, storage, sizeof storage);
    stk = stack_create(&a, "TCPIP", &cfg, &env, now_us);
    CHECK(stk);
    CHECK(device_add(stk, "DEV", DEV_MPCIPA, 0x400, &dev) == 0 && link_add(stk, dev, "LNK", LNK_IPAQENET, 0, &lnk) == 0);
    lnk->caps = (u16)(caps | LINK_CAP_ARP | LINK_CAP_CSUM_IN | LINK_CAP_CSUM_OUT);
    lnk->mtu_bytes = 1500;
    lnk->gso_max_bytes = 65535;
    struct route_def def = {.dest = ipaddr_v4(0x0A000000), .prefix_bits = 24, .kind = ROUTE_STATIC, .lnk = lnk};
    CHECK(home_add(stk, ipaddr_v4(0x0A000001), lnk, 0, now_us) == 0 && route_add(stk, &def, now_us) == 0);
    CHECK(device_start(dev, now_us) == 0);
    stack_poll(stk, now_us);
    packet[0] = 0x45;
    packet[8] = 64;
    packet[9] = IP_PROTO_TCP;
    be32_put(packet + 12, 0x0A000002);
    be32_put(packet + 16, 0x0A000001);
}

static void give(u16 port, u8 flags, u32 ack, u32 len) {
    struct tcphdr h = {.src_port = peer_port, .dst_port = port, .seq = peer_seq, .ack = ack, .flags = flags, .window = 65535};
    if (flags & TCPF_SYN) h.has = TCPHDR_MSS, h.mss = MSS;
    u32 header = tcphdr_emit(&h, packet + IP_HEADER_BYTES), total = IP_HEADER_BYTES + header + len;
    be16_put(packet + 2, (u16)total);
    struct pkt p = {.data = packet, .len = total, .flags = PKT_IP_CSUM_OK | PKT_L4_CSUM_OK};
    link_input(lnk, &p, now_us);
    peer_seq += len + ((flags & (TCPF_SYN | TCPF_FIN)) != 0);
}

static void poll(void) {
    link_flush_all(stk, now_us);
    stack_poll(stk, now_us);
    now_us += 1000;
}

static void read_all(void *ctx, struct sock *s, u32 events, u64 now) {
    const u8 *p;
    i32 n;
    UNUSED(ctx);
    UNUSED(events);
    while ((n = sock_recv_peek(s, &p)) > 0) sock_recv_consume(s, (u32)n, now);
}

static struct sock *connection(void) {
    struct sock *l, *s;
    CHECK(sock_open(stk, SOCK_TCP, "BENCH", &l) == 0 && sock_bind(l, IPADDR_ANY, 5000, now_us) == 0);
    sock_setopt(l, SO_RCVBUF_OPT, 65535, now_us);
    sock_setopt(l, SO_SNDBUF_OPT, 131072, now_us);
    CHECK(sock_listen(l, 5, now_us) == 0);
    give(5000, TCPF_SYN, 0, 0);
    give(5000, TCPF_ACK, last_seq_end, 0);
    poll();
    CHECK(sock_accept(l, &s, NULL, now_us) == 0);
    sock_on_event(s, read_all, NULL);
    return s;
}

static void bench_recv(u32 rounds) {
    connection();
    u32 ack = last_seq_end, first = peer_seq;
    for (u32 i = 0; i < rounds; i += BATCH) {
        for (u32 k = 0; k < BATCH; k++) give(5000, TCPF_ACK, ack, MSS);
        poll();
    }
    now_us += 300000;
    poll();
    CHECK(last_ack - first == (rounds + BATCH - 1) / BATCH * BATCH * MSS);
}

static void bench_send(u32 rounds) {
    struct sock *s = connection();
    u32 first = last_seq_end, at = first, text = rounds * MSS, done = 0;
    while (last_seq_end - first < text) {
        u8 *p;
        i32 n;
        while (done < text && (n = sock_send_room(s, &p)) > 0) {
            u32 part = u32_min((u32)n, text - done);
            memset(p, 'x', part);
            sock_send_commit(s, part, now_us);
            done += part;
        }
        poll();
        while (seq_lt(at, last_seq_end)) {
            at = seq_lt(at + 2 * MSS, last_seq_end) ? at + 2 * MSS : last_seq_end;
            give(5000, TCPF_ACK, at, 0);
        }
    }
}

static void bench_http(u32 rounds) {
    static const char get[] = "GET / HTTP/1.0\r\nHost: 10.0.0.1\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";
    static struct console con;
    struct arena a;
    static u8 app_storage[4u << 20];
    void *inst;
    console_init(&con);
    arena_init(&a, app_storage, sizeof app_storage);
    struct app_env env = {.stk = stk, .ds = (struct datasets *)(void *)&con, .con = &con, .sysname = "SYSA", .stackname = "TCPIP", .arena = &a};
    CHECK(app_find("HTTPD")->start(&env, "HTTPD", "", now_us, &inst) == 0);
    for (u32 i = 0; i < rounds; i++) {
        peer_port = (u16)(30000 + i % 20000);
        peer_seq += 100000;
        give(80, TCPF_SYN, 0, 0);
        poll();
        give(80, TCPF_ACK, last_seq_end, 0);
        memcpy(packet + IP_HEADER_BYTES + TCPHDR_BYTES, get, sizeof get - 1);
        give(80, TCPF_ACK | TCPF_PSH, last_seq_end, sizeof get - 1);
        poll();
        CHECK(last_flags & TCPF_FIN); /* the page and the FIN */
        give(80, TCPF_ACK | TCPF_FIN, last_seq_end, 0);
        poll();
        CHECK(last_ack == peer_seq);
    }
}

static void bench_conns(u32 rounds) {
    static u32 iss[65536];
    struct sock *l, *s;
    CHECK(rounds <= 65536);
    stk->conf.tcp.max_backlog = rounds;
    CHECK(sock_open(stk, SOCK_TCP, "BENCH", &l) == 0 && sock_bind(l, IPADDR_ANY, 5000, now_us) == 0);
    CHECK(sock_listen(l, rounds, now_us) == 0);
    for (u32 pass = 0; pass < 2; pass++) {
        for (u32 i = 0; i < rounds; i++) {
            be32_put(packet + 12, 0x0A000002 + i / 30000);
            peer_port = (u16)(30000 + i % 30000);
            peer_seq = i * 64 + pass;
            if (pass == 0) {
                give(5000, TCPF_SYN, 0, 0);
                iss[i] = last_seq_end;
                give(5000, TCPF_ACK, iss[i], 0);
                poll();
                CHECK(sock_accept(l, &s, NULL, now_us) == 0);
                sock_on_event(s, read_all, NULL);
            } else {
                give(5000, TCPF_ACK, iss[i], 10);
                now_us += 1000;
                give(5000, TCPF_ACK, iss[i], 10);
            }
            poll();
        }
    }
    now_us += 300000;
    poll();
    CHECK(stk->tcp->conns.rows == rounds && stk->tcp->chunks.in_use == 0 && stk->stats.tcp.drop_no_buffer == 0);
    printf("%u connections, %zu bytes each, no buffer held\n", rounds, sizeof(struct sock));
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: bench_tcp recv|send|gso|http|conns|idle ROUNDS\n");
        return 2;
    }
    u32 rounds = (u32)strtoul(argv[2], NULL, 10);
    set_up(strcmp(argv[1], "gso") == 0 ? LINK_CAP_GSO : 0, strcmp(argv[1], "conns") == 0 ? rounds + 1 : 0);
    if (strcmp(argv[1], "conns") == 0) bench_conns(rounds);
    if (strcmp(argv[1], "recv") == 0) bench_recv(rounds);
    if (strcmp(argv[1], "send") == 0 || strcmp(argv[1], "gso") == 0) bench_send(rounds);
    if (strcmp(argv[1], "http") == 0) bench_http(rounds);
    printf("%s %u: %u packets sent\n", argv[1], rounds, sent_packets);
    return 0;
}
