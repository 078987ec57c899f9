/* test_osa_stack.c - the whole path in one process: socket - stack - QDIO or LCS driver - engine - port -
 * (LAN - port -) engine - driver - stack - socket. PING, UDP, TCP with segmentation and checksums left to
 * the card, a foreign station on the LAN, and what must heal by itself: loss, cable, card restart, VIPA
 * takeover. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "link/link_lcs.h"
#include "link/link_osa.h"
#include "net/sock.h"
#include "tests/unit/osalab.h"
#include "wire/cksum.h"

#define PORT          2049
#define PIECE         16384
#define SOCKET_BUFFER (180 * 1024) /* several packets of 60 KB under way */

/* ---- one TCP transfer, client to server, of a pattern that depends on the position ---- */

struct flow {
    struct sock *listener, *server, *client;
    u64 total, sent, received;
    bool connected, closed, server_end;
    int error;
};

static u8 pattern(u64 at) {
    return (u8)(at ^ at >> 8 ^ at >> 16);
}

static void server_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct flow *f = ctx;
    u8 buf[PIECE];
    i32 n;
    if (events & SOCK_EV_CLOSED) f->error = sock_error(s);
    while ((n = sock_recv(s, buf, sizeof buf, now)) > 0) {
        for (i32 i = 0; i < n; i++)
            if (buf[i] != pattern(f->received + (u64)i))
                fail_msg("byte %llu is wrong", (unsigned long long)(f->received + (u64)i));
        f->received += (u64)n;
    }
    if (n == 0) f->server_end = true;
}

static void listener_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct flow *f = ctx;
    struct sockaddr4 peer;
    UNUSED(events);
    if (f->server || sock_accept(s, &f->server, &peer, now) != 0) return;
    sock_on_event(f->server, server_event, f);
    server_event(f, f->server, SOCK_EV_READ, now);
}

static void client_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct flow *f = ctx;
    u8 buf[PIECE];
    if (events & SOCK_EV_CLOSED) {
        f->error = sock_error(s);
        f->closed = true;
        return;
    }
    if (!(events & SOCK_EV_WRITE)) return;
    f->connected = true;
    while (f->sent < f->total) {
        u32 n = (u32)u64_min(sizeof buf, f->total - f->sent);
        for (u32 i = 0; i < n; i++) buf[i] = pattern(f->sent + i);
        i32 took = sock_send(s, buf, n, now);
        if (took < 0) return;
        f->sent += (u64)took;
    }
    sock_shutdown_send(s, now);
}

static void flow_begin(struct flow *f, struct lab_host *from, struct lab_host *to, const char *addr,
                       u64 total) {
    u64 now = from->lab->now;
    memset(f, 0, sizeof *f);
    f->total = total;
    assert_int_equal(sock_open(to->stk, SOCK_TCP, "SERVER", &f->listener), 0);
    assert_int_equal(sock_bind(f->listener, IPADDR_ANY, PORT, now), 0);
    assert_int_equal(sock_setopt(f->listener, SO_RCVBUF_OPT, SOCKET_BUFFER, now), 0);
    assert_int_equal(sock_listen(f->listener, 4, now), 0);
    sock_on_event(f->listener, listener_event, f);
    assert_int_equal(sock_open(from->stk, SOCK_TCP, "CLIENT", &f->client), 0);
    assert_int_equal(sock_setopt(f->client, SO_SNDBUF_OPT, SOCKET_BUFFER, now), 0);
    sock_on_event(f->client, client_event, f);
    assert_int_equal(sock_connect(f->client, lab_ip(addr), PORT, now), -ERR_INPROGRESS);
}

static bool flow_done(void *ctx) {
    struct flow *f = ctx;
    return f->server_end || f->error;
}
static bool flow_half(void *ctx) {
    struct flow *f = ctx;
    return f->received > f->total / 2 || f->error;
}

static void flow_end(struct flow *f, struct lab *lab, u64 usec) {
    if (!lab_until(lab, usec, flow_done, f))
        fail_msg("%llu of %llu bytes after %llu s", (unsigned long long)f->received,
                 (unsigned long long)f->total, (unsigned long long)usec / 1000000);
    assert_int_equal(f->error, 0);
    assert_int_equal(f->received, f->total);
    sock_close(f->server, lab->now);
    sock_close(f->client, lab->now);
    sock_close(f->listener, lab->now);
    lab_run(lab, 130000000); /* TIME_WAIT over */
}

/* ---- pairs of hosts ---- */

struct pair {
    struct lab *lab;
    struct sim_card *card1, *card2;
    struct lab_host *a, *b;
    struct device *da, *db;
};

/* SYSA and SYSB on one card, or on two that share a LAN. */
static void begin(struct pair *p, bool two_cards, u32 mtu_bytes) {
    p->lab = lab_create();
    p->card1 = lab_card(p->lab, "OSA1", mtu_bytes);
    p->card2 = two_cards ? lab_card(p->lab, "OSA2", mtu_bytes) : p->card1;
    p->a = lab_host(p->lab, "SYSA");
    p->b = lab_host(p->lab, "SYSB");
    p->da = lab_osa(p->a, p->card1, "OSAA", 0x0E00, "10.1.1.1");
    p->db = lab_osa(p->b, p->card2, "OSAB", 0x0E10, "10.1.1.2");
    lab_start(p->da);
    lab_start(p->db);
}

static void no_drops(const struct device *dev) {
    const struct link_osa_counters *c = link_osa_counters(dev);
    assert_int_equal(c->drops_in_header + c->drops_in_length + c->buffers_in_error, 0);
    assert_int_equal(c->drops_out_size + c->buffers_out_error, 0);
    assert_int_equal(dev->lnk->count.drops_in_malformed, 0);
}

static void card_sound(const struct sim_card *card) {
    const struct osa_port *p = simcard_osa(card);
    assert_int_equal(p->count[OSA_PC_DROP_MALFORMED], 0);
    for (u32 i = 0; i < OSA_ATTACHMENTS; i++) {
        const u64 *c = p->att[i].count;
        assert_int_equal(c[OSA_AC_DROP_MESSAGE] + c[OSA_AC_DROP_MALFORMED] + c[OSA_AC_DROP_MTU], 0);
        assert_int_equal(c[OSA_AC_DROP_CHECKSUM], 0);
    }
}

/* ---- PING and UDP ---- */

struct answers {
    u32 count, bytes;
};

static void count_datagrams(void *ctx, struct sock *s, u32 events, u64 now) {
    struct answers *a = ctx;
    u8 buf[PIECE * 2];
    i32 n;
    UNUSED(events);
    while ((n = sock_recvfrom(s, buf, sizeof buf, NULL, NULL, now)) > 0) {
        a->count++;
        a->bytes += (u32)n;
    }
}

static void echo_datagrams(void *ctx, struct sock *s, u32 events, u64 now) {
    u8 buf[PIECE * 2];
    struct sockaddr4 from;
    i32 n;
    UNUSED(ctx);
    UNUSED(events);
    while ((n = sock_recvfrom(s, buf, sizeof buf, &from, NULL, now)) > 0)
        sock_sendto(s, buf, (u32)n, &from, now);
}

static void ping(struct pair *p, u32 bytes, u32 times) {
    struct sock *s;
    struct answers got = {0};
    struct sockaddr4 to = {lab_ip("10.1.1.2"), 0};
    static u8 data[PIECE];
    memset(data, 0x5A, sizeof data);
    assert_int_equal(sock_open(p->a->stk, SOCK_ICMP, "PING", &s), 0);
    sock_on_event(s, count_datagrams, &got);
    assert_int_equal(sock_bind(s, IPADDR_ANY, 77, p->lab->now), 0);
    for (u32 i = 0; i < times; i++) {
        assert_true(sock_sendto(s, data, bytes, &to, p->lab->now) >= 0);
        lab_run(p->lab, 300000);
    }
    assert_int_equal(got.count, times);
    sock_close(s, p->lab->now);
}

static void udp(struct pair *p, u32 bytes, u32 times) {
    struct sock *s, *server;
    struct answers got = {0};
    struct sockaddr4 to = {lab_ip("10.1.1.2"), 7};
    static u8 data[PIECE * 2];
    assert_int_equal(sock_open(p->b->stk, SOCK_UDP, "ECHO", &server), 0);
    assert_int_equal(sock_bind(server, IPADDR_ANY, 7, p->lab->now), 0);
    sock_on_event(server, echo_datagrams, NULL);
    assert_int_equal(sock_open(p->a->stk, SOCK_UDP, "CLIENT", &s), 0);
    sock_on_event(s, count_datagrams, &got);
    for (u32 i = 0; i < times; i++) {
        assert_int_equal(sock_sendto(s, data, bytes, &to, p->lab->now), (i32)bytes);
        lab_run(p->lab, 300000);
    }
    assert_int_equal(got.count, times);
    assert_int_equal(got.bytes, times * bytes);
    sock_close(s, p->lab->now);
    sock_close(server, p->lab->now);
}

static void datagrams(bool two_cards, u32 mtu_bytes) {
    struct pair p;
    begin(&p, two_cards, mtu_bytes);
    ping(&p, 56, 5);
    ping(&p, mtu_bytes - 28, 3);
    udp(&p, 100, 5);
    udp(&p, 20000, 3); /* fragments */
    no_drops(p.da);
    no_drops(p.db);
    card_sound(p.card1);
    lab_destroy(p.lab);
}

/* Forty packets in one turn of eight to a buffer: the card is told when four buffers are full, and begins while the fifth is filled. */
static void test_card_begins_early(void **state) {
    enum { BYTES = 8000, PACKETS = 40, FULL = 4 };
    static u8 data[BYTES];
    struct pair p;
    struct sock *s, *server;
    struct answers got = {0};
    struct sockaddr4 to = {lab_ip("10.1.1.2"), 9};
    UNUSED(state);
    begin(&p, false, 8992);
    ping(&p, 56, 1);
    assert_int_equal(sock_open(p.b->stk, SOCK_UDP, "DISCARD", &server), 0);
    assert_int_equal(sock_bind(server, IPADDR_ANY, 9, p.lab->now), 0);
    sock_on_event(server, count_datagrams, &got);
    assert_int_equal(sock_open(p.a->stk, SOCK_UDP, "CLIENT", &s), 0);
    const struct link_osa_counters *c = link_osa_counters(p.da);
    u64 buffers = c->output_buffers, rung = c->siga_write;
    for (u32 i = 0; i < PACKETS; i++) {
        assert_int_equal(sock_sendto(s, data, BYTES, &to, p.lab->now), BYTES);
        assert_int_equal(c->siga_write - rung, i < FULL * 8 ? 0 : 1);
    }
    assert_int_equal(c->output_buffers - buffers, FULL);
    lab_run(p.lab, 300000);
    assert_int_equal(c->output_buffers - buffers, FULL + 1);
    assert_int_equal(c->siga_write - rung, 2);
    assert_int_equal(got.count, PACKETS);
    no_drops(p.da);
    sock_close(s, p.lab->now);
    sock_close(server, p.lab->now);
    lab_destroy(p.lab);
}

static void test_datagrams_one_card(void **state) {
    UNUSED(state);
    datagrams(false, 1500);
}
static void test_datagrams_jumbo(void **state) {
    UNUSED(state);
    datagrams(true, 8992);
}

/* ---- TCP ---- */

static void test_tcp_one_card(void **state) {
    UNUSED(state);
    struct pair p;
    struct flow f;
    begin(&p, false, 8992);
    flow_begin(&f, p.a, p.b, "10.1.1.2", 16u << 20);
    flow_end(&f, p.lab, 60000000);
    no_drops(p.da);
    no_drops(p.db);
    card_sound(p.card1);
    /* Segmentation is the card's: fewer packets left the stack than 16 MB have segments. */
    assert_true(p.da->lnk->count.packets_out * 3 < (16u << 20) / 8940 * 2);
    /* And they arrive as they were sent: joined, several segments in a packet. */
    assert_true(p.db->lnk->count.packets_in * 3 < (16u << 20) / 8940 * 2);
    lab_destroy(p.lab);
}

/* What two cards put on the wire: every frame fits the MTU and has right checksums. */
struct wire {
    u32 frames, tcp;
    u32 largest;
};
static void wire_frame(void *ctx, const u8 *b, u32 len) {
    struct wire *w = ctx;
    w->frames++;
    if (be16_get(b + 12) != 0x0800) return;
    const u8 *ip = b + 14;
    u32 total = be16_get(ip + 2), header = (ip[0] & 15u) * 4;
    assert_true(total <= len - 14);
    assert_int_equal(cksum_fold(cksum_add(0, ip, header)), 0);
    if (total > w->largest) w->largest = total;
    if (ip[9] != 6) return;
    w->tcp++;
    u32 sum = cksum_pseudo(ipaddr_get(ip + 12), ipaddr_get(ip + 16), 6, total - header);
    assert_int_equal(cksum_fold(cksum_add(sum, ip + header, total - header)), 0);
}

static void test_tcp_two_cards(void **state) {
    UNUSED(state);
    struct pair p;
    struct flow f;
    struct wire w = {0};
    begin(&p, true, 1500);
    simlan_tap(p.lab->lan, wire_frame, &w);
    flow_begin(&f, p.a, p.b, "10.1.1.2", 4u << 20);
    flow_end(&f, p.lab, 60000000);
    assert_int_equal(w.largest, 1500);
    assert_true(w.tcp > (4u << 20) / 1448);
    flow_begin(&f, p.b, p.a, "10.1.1.1", 4u << 20);
    flow_end(&f, p.lab, 60000000);
    no_drops(p.da);
    no_drops(p.db);
    card_sound(p.card1);
    card_sound(p.card2);
    lab_destroy(p.lab);
}

static void test_tcp_loss(void **state) {
    UNUSED(state);
    struct pair p;
    struct flow f;
    begin(&p, true, 1500);
    simlan_loss(p.lab->lan, 10, 390);
    flow_begin(&f, p.a, p.b, "10.1.1.2", 2u << 20);
    flow_end(&f, p.lab, 600000000);
    lab_destroy(p.lab);
}

static void test_tcp_cable(void **state) {
    UNUSED(state);
    struct pair p;
    struct flow f;
    begin(&p, true, 1500);
    flow_begin(&f, p.a, p.b, "10.1.1.2", 2u << 20);
    assert_true(lab_until(p.lab, 60000000, flow_half, &f));
    simcard_cable(p.card1, false, p.lab->now);
    lab_run(p.lab, 3000000);
    assert_false(p.da->lnk->up);
    simcard_cable(p.card1, true, p.lab->now);
    flow_end(&f, p.lab, 120000000);
    lab_destroy(p.lab);
}

/* Both LPARs' only card dies and comes back in the middle of the transfer, ten times. */
static void test_tcp_card_restart(void **state) {
    UNUSED(state);
    struct pair p;
    struct flow f;
    begin(&p, false, 8992);
    for (u32 i = 0; i < 10; i++) {
        flow_begin(&f, p.a, p.b, "10.1.1.2", 4u << 20);
        assert_true(lab_until(p.lab, 60000000, flow_half, &f));
        simcard_kill(p.card1);
        lab_run(p.lab, 200000u * i);
        simcard_start(p.card1);
        flow_end(&f, p.lab, 300000000);
    }
    assert_int_equal(link_osa_counters(p.da)->failures, 0);
    lab_destroy(p.lab);
}

/* ---- SYSB as a router between two cards: joined segments are forwarded joined ---- */

static void forwarding(u32 mtu_near, u32 mtu_far) {
    struct pair p = {0};
    struct flow f;
    p.lab = lab_create();
    p.card1 = lab_card(p.lab, "OSA1", mtu_near);
    p.card2 = lab_card(p.lab, "OSA2", mtu_far);
    p.a = lab_host(p.lab, "SYSA");
    p.b = lab_host(p.lab, "SYSB");
    struct lab_host *c = lab_host(p.lab, "SYSC");
    p.da = lab_osa(p.a, p.card1, "OSAA", 0x0E00, "10.1.1.1");
    p.db = lab_osa(p.b, p.card1, "OSAB", 0x0E10, "10.1.1.2");
    struct device *far = lab_osa(p.b, p.card2, "OSAB2", 0x0E20, "10.1.2.2");
    struct device *dc = lab_osa(c, p.card2, "OSAC", 0x0E00, "10.1.2.3");
    lab_route(p.a, "10.1.2.0", 24, "10.1.1.2", p.da);
    lab_route(c, "10.1.1.0", 24, "10.1.2.2", dc);
    p.b->stk->conf.ip.forwarding = true;
    lab_start(p.da);
    lab_start(p.db);
    lab_start(far);
    lab_start(dc);
    flow_begin(&f, p.a, c, "10.1.2.3", 4u << 20);
    flow_end(&f, p.lab, 60000000);
    flow_begin(&f, c, p.a, "10.1.1.1", 4u << 20);
    flow_end(&f, p.lab, 60000000);
    assert_true(p.b->stk->stats.ip.forw_datagrams > 100);
    assert_true(far->lnk->count.packets_out < 2 * (4u << 20) / (u32_min(mtu_near, mtu_far) - 52));
    card_sound(p.card1);
    card_sound(p.card2);
    lab_destroy(p.lab);
}

static void test_forwarding(void **state) {
    UNUSED(state);
    forwarding(8992, 8992);
    forwarding(1500, 1500);
    forwarding(8992, 1500); /* path MTU discovery on the way there */
}

/* ---- a connection to a VIPA outlives either of two OSAs ---- */

static void test_vipa(void **state) {
    UNUSED(state);
    struct pair p;
    struct flow f;
    begin(&p, true, 1500);
    struct device *second = lab_osa(p.a, p.card2, "OSAA2", 0x0E20, "10.1.1.3");
    struct sim_card *card3 = lab_card(p.lab, "OSA3", 1500);
    struct lab_host *c = lab_host(p.lab, "SYSC");
    struct device *dc = lab_osa(c, card3, "OSAC", 0x0E30, "10.1.1.4");
    lab_vipa(p.a, "10.9.9.9");
    lab_route(c, "10.9.9.9", 32, "10.1.1.1", dc);
    lab_start(second);
    lab_start(dc);
    flow_begin(&f, c, p.a, "10.9.9.9", 3u << 20);
    assert_true(lab_until(p.lab, 60000000, flow_half, &f));
    simcard_kill(p.card1);
    lab_run(p.lab, 3000000);
    assert_true(lab_said(p.a, "EZZ4329I"));
    flow_end(&f, p.lab, 120000000);
    /* And back: the first card is there again, the second goes. */
    simcard_start(p.card1);
    lab_run(p.lab, 3000000);
    flow_begin(&f, c, p.a, "10.9.9.9", 3u << 20);
    assert_true(lab_until(p.lab, 60000000, flow_half, &f));
    simcard_kill(p.card2);
    flow_end(&f, p.lab, 120000000);
    simcard_start(p.card2);
    lab_run(p.lab, 3000000);
    assert_true(second->lnk->up && p.da->lnk->up);
    lab_destroy(p.lab);
}

/* ---- an address that another LPAR of the card owns: refused until that one lets go of it ---- */

static bool owns(const struct sim_card *card, const char *lpar, const char *addr) {
    const struct osa_port *p = simcard_osa(card);
    for (u32 i = 0; i < OSA_OAT_MAX; i++) {
        const struct osa_oat_entry *e = &p->oat[i];
        if (e->attachment < OSA_ATTACHMENTS && ipaddr_eq(e->ip, lab_ip(addr))) return !strcmp(p->att[e->attachment].lpar, lpar);
    }
    return false;
}

static void test_address_owned(void **state) {
    UNUSED(state);
    struct pair p;
    begin(&p, false, 1500);
    struct lab_host *c = lab_host(p.lab, "SYSC");
    struct device *dc = lab_osa(c, p.card1, "OSAC", 0x0E30, "10.1.1.1");
    lab_start(dc);
    lab_run(p.lab, 1000000);
    assert_true(lab_said(c, "EZZ4327I ERROR E00A REGISTERING IP ADDRESS 10.1.1.1 FOR DEVICE OSAC"));
    assert_int_equal(link_osa_counters(dc)->address_refused, 1);
    assert_true(owns(p.card1, "SYSA", "10.1.1.1"));
    ping(&p, 56, 3);
    lab_stop(p.da);
    lab_run(p.lab, 11000000);
    assert_true(owns(p.card1, "SYSC", "10.1.1.1"));
    lab_destroy(p.lab);
}

/* ---- a foreign station on the LAN ---- */

static const u8 STATION[6] = {0x02, 0xAA, 0, 0, 0, 1};

struct station {
    u32 arp_replies, echo_replies;
};

static void station_frame(void *ctx, const u8 *b, u32 len) {
    struct station *s = ctx;
    assert_true(len >= 14);
    u16 type = be16_get(b + 12);
    if (memcmp(b, STATION, 6) != 0) return;
    if (type == 0x0806 && be16_get(b + 20) == 2) s->arp_replies++;
    if (type == 0x0800 && b[14 + 9] == 1 && b[14 + 20] == 0) s->echo_replies++;
}

static void station_arp(struct lab *lab, u16 op, const u8 *to, const char *target) {
    u8 f[60] = {0};
    memcpy(f, to, 6);
    memcpy(f + 6, STATION, 6);
    be16_put(f + 12, 0x0806);
    memcpy(f + 14, "\0\1\x08\0\6\4", 6);
    be16_put(f + 20, op);
    memcpy(f + 22, STATION, 6);
    ipaddr_put(f + 28, lab_ip("10.1.1.77"));
    ipaddr_put(f + 38, lab_ip(target));
    simlan_send(lab->lan, f, sizeof f);
}

static void station_echo(struct lab *lab, const u8 *to, const char *target) {
    u8 f[98] = {0};
    memcpy(f, to, 6);
    memcpy(f + 6, STATION, 6);
    be16_put(f + 12, 0x0800);
    u8 *ip = f + 14;
    ip[0] = 0x45;
    be16_put(ip + 2, 84);
    ip[8] = 64;
    ip[9] = 1;
    ipaddr_put(ip + 12, lab_ip("10.1.1.77"));
    ipaddr_put(ip + 16, lab_ip(target));
    be16_put(ip + 10, cksum_fold(cksum_add(0, ip, 20)));
    ip[20] = 8;
    be16_put(ip + 22, cksum_fold(cksum_add(0, ip + 20, 64)));
    simlan_send(lab->lan, f, sizeof f);
}

static void test_station(void **state) {
    UNUSED(state);
    struct pair p;
    struct station s = {0};
    begin(&p, false, 1500);
    simlan_tap(p.lab->lan, station_frame, &s);
    const u8 *mac = simcard_osa(p.card1)->params.mac;
    station_arp(p.lab, 1, (const u8 *)"\xFF\xFF\xFF\xFF\xFF\xFF", "10.1.1.1");
    station_arp(p.lab, 1, (const u8 *)"\xFF\xFF\xFF\xFF\xFF\xFF", "10.1.1.9"); /* nobody's */
    lab_run(p.lab, 100000);
    assert_int_equal(s.arp_replies, 1);
    station_echo(p.lab, mac, "10.1.1.1");
    station_echo(p.lab, mac, "10.1.1.2");
    lab_run(p.lab, 100000);
    /* The answers wait for the port's ARP about the station, whom we let answer now. */
    station_arp(p.lab, 2, mac, "10.1.1.1");
    lab_run(p.lab, 2000000);
    assert_int_equal(s.echo_replies, 2);
    lab_destroy(p.lab);
}

/* ---- HiperSockets ---- */

/* Each frame size makes its MTU at both ends, and packets of that size come through. */
static void test_hipersockets(void **state) {
    static const u32 mtus[] = {8192, 16384, 32768, 57344};
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(mtus); i++) {
        struct pair p = {0};
        struct flow f;
        p.lab = lab_create();
        p.card1 = lab_iqd(p.lab, "IQD1", mtus[i]);
        p.a = lab_host(p.lab, "SYSA");
        p.b = lab_host(p.lab, "SYSB");
        p.da = lab_osa(p.a, p.card1, "IUTIQDIO", 0x0E00, "10.1.1.1");
        p.db = lab_osa(p.b, p.card1, "IUTIQDIO", 0x0E00, "10.1.1.2");
        lab_start(p.da);
        lab_start(p.db);
        assert_int_equal(p.da->lnk->mtu_bytes, mtus[i]);
        assert_memory_equal(p.da->lnk->mac, p.db->lnk->mac, 6); /* what says that it is one LAN */
        ping(&p, 56, 3);
        udp(&p, u32_min(mtus[i] - 28, 2 * PIECE), 3); /* as much as the receiver takes */
        flow_begin(&f, p.a, p.b, "10.1.1.2", 2u << 20);
        flow_end(&f, p.lab, 60000000);
        lab_destroy(p.lab);
    }
}

/* ---- LCS ---- */

static void test_lcs(void **state) {
    UNUSED(state);
    struct pair p = {0};
    struct flow f;
    p.lab = lab_create();
    p.card1 = lab_card(p.lab, "OSA1", 1500);
    p.card2 = lab_card(p.lab, "OSA2", 1500);
    p.a = lab_host(p.lab, "SYSA");
    p.b = lab_host(p.lab, "SYSB");
    p.da = lab_lcs(p.a, p.card1, "LCSA", 0x0E00, "10.1.1.1");
    p.db = lab_osa(p.b, p.card2, "OSAB", 0x0E10, "10.1.1.2");
    lab_start(p.da);
    lab_start(p.db);
    assert_memory_equal(p.da->lnk->mac, simcard_osa(p.card1)->params.mac, 6);
    ping(&p, 56, 3);
    udp(&p, 5000, 3);
    flow_begin(&f, p.a, p.b, "10.1.1.2", 2u << 20);
    flow_end(&f, p.lab, 60000000);
    flow_begin(&f, p.b, p.a, "10.1.1.1", 2u << 20);
    flow_end(&f, p.lab, 60000000);
    assert_true(link_lcs_counters(p.da)->frames_per_block_max > 1);
    assert_int_equal(link_lcs_counters(p.da)->drops_in_malformed, 0);
    lab_destroy(p.lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_datagrams_one_card),
        cmocka_unit_test(test_datagrams_jumbo),
        cmocka_unit_test(test_card_begins_early),
        cmocka_unit_test(test_tcp_one_card),
        cmocka_unit_test(test_tcp_two_cards),
        cmocka_unit_test(test_tcp_loss),
        cmocka_unit_test(test_tcp_cable),
        cmocka_unit_test(test_tcp_card_restart),
        cmocka_unit_test(test_vipa),
        cmocka_unit_test(test_address_owned),
        cmocka_unit_test(test_station),
        cmocka_unit_test(test_lcs),
        cmocka_unit_test(test_hipersockets),
        cmocka_unit_test(test_forwarding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
