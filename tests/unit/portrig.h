/* portrig.h - a rig around the port of an OSA: scripted LPARs and a scripted LAN, and a record of what the port sends to
 * each. Included by test_osa_port.c and test_osa_port_wire.c.
 *
 *   bench_new, then start() or host3() for attachments; request(), send_*() and lan_*() act; frames_to(), has_event(),
 *   lan_has_arp() and the queues tell what came of it; forget() empties the queues; bench_free() proves that every table
 *   is at its level when all have left.
 */
#ifndef TESTS_PORTRIG_H
#define TESTS_PORTRIG_H

#include "base/be.h"
#include "hercules-devices/osa_port.h"
#include "wire/arp.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/ip4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define QUEUE 128u
#define SEC   ((u64)USEC_PER_SEC)

struct record {
    u32 len;
    u16 gso;
    bool csum_needed;
    u8 bytes[OSA_FRAME_MAX];
};

struct queue {
    u32 n;
    struct record *r; /* QUEUE of them */
};

struct bench {
    struct osa_port port;
    struct osa_port_host host;
    struct queue to[OSA_ATTACHMENTS], lan;
    bool ring_full, uplink_full;
    u8 *reserved;
    u32 captured;
    char log[2048];
    u64 now;
};

static const u8 port_mac[6] = {2, 0, 0, 0, 0, 1}, router_mac[6] = {2, 9, 9, 9, 9, 9}, all[6] = {255, 255, 255, 255, 255, 255};
static const u8 vmac_a[6] = {2, 0xA, 0, 0, 0, 1}, vmac_b[6] = {2, 0xB, 0, 0, 0, 1};
#define IP_A    0x0A010101u
#define IP_B    0x0A010102u
#define IP_V    0x0A010164u
#define IP_GW   0x0A0101FEu
#define IP_FAR  0xC0A80001u

static inline struct record *slot(struct queue *q) {
    if (!q->r) q->r = calloc(QUEUE, sizeof *q->r);
    assert_true(q->r && q->n < QUEUE);
    return &q->r[q->n];
}

static inline u8 *host_reserve(void *ctx, u32 n, u32 bytes) {
    struct bench *b = ctx;
    if (b->ring_full || bytes > OSA_FRAME_MAX) return NULL;
    return b->reserved = slot(&b->to[n])->bytes;
}
static inline void host_commit(void *ctx, u32 n, u32 bytes) {
    struct bench *b = ctx;
    assert_ptr_equal(b->reserved, b->to[n].r[b->to[n].n].bytes);
    b->to[n].r[b->to[n].n++].len = bytes;
    assert_int_equal(be32_get(b->reserved + 4), bytes);
}
static inline bool host_uplink(void *ctx, const struct osa_frame *f) {
    struct bench *b = ctx;
    if (b->uplink_full) return false;
    struct record *r = slot(&b->lan);
    r->len = osa_frame_len(f);
    r->gso = f->gso_bytes;
    r->csum_needed = f->csum_needed;
    memcpy(r->bytes, f->head, f->head_len);
    memcpy(r->bytes + f->head_len, f->body, f->body_len);
    b->lan.n++;
    return true;
}
static inline void host_capture(void *ctx, u32 n, bool to_card, const struct osa_frame *f) {
    struct bench *b = ctx;
    UNUSED(n);
    UNUSED(to_card);
    b->captured += osa_frame_len(f) > 0;
}
static inline void host_log(void *ctx, enum engine_severity sev, const char *text) {
    struct bench *b = ctx;
    UNUSED(sev);
    size_t used = strlen(b->log);
    snprintf(b->log + used, sizeof b->log - used, "%s\n", text);
}

static inline struct bench *bench_new(u8 chpid, bool uplink, bool offload, u32 mtu) {
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    struct osa_port_params p = {.chpid = chpid, .mtu_bytes = mtu, .uplink = uplink, .uplink_offload = offload};
    strcpy(p.name, "OSA1");
    memcpy(p.mac, port_mac, 6);
    b->host = (struct osa_port_host){b, host_reserve, host_commit, host_uplink, host_capture, host_log};
    b->now = 100 * SEC;
    assert_int_equal(osa_port_init(&b->port, &p, &b->host), 0);
    return b;
}

/* All attachments leave: whatever the test did, every table and pool is back at its level. */
static inline void bench_free(struct bench *b) {
    b->ring_full = false;
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) osa_port_link_down(&b->port, n, b->now);
    for (u32 i = 0; i < 20; i++) osa_port_tick(&b->port, b->now += 1300 * SEC);
    assert_int_equal(b->port.oat_count + b->port.mac_count + b->port.probe_count + b->port.leaving_count + b->port.again_count + b->port.pending_count, 0);
    assert_int_equal(b->port.started, 0);
    assert_int_equal(b->port.primary + b->port.secondary, 0);
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) free(b->to[n].r);
    free(b->lan.r);
    free(b);
}

static inline void forget(struct bench *b) {
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) b->to[n].n = 0;
    b->lan.n = 0;
}

/* ---- what an LPAR says ---- */

static inline void say(struct bench *b, u32 n, u8 *m, u8 type, u32 len) {
    m[0] = type;
    m[1] = OSA_MSG_VERSION;
    be32_put(m + 4, len);
    /* An exact copy on the heap, so that ASan sees a read behind the message. */
    u8 *copy = malloc(len);
    memcpy(copy, m, len);
    osa_port_message(&b->port, n, copy, len, b->now);
    free(copy);
}

static inline u32 attach_as(struct bench *b, u8 mode, const char *lpar, u32 device, u64 incarnation, u32 *n) {
    int at = osa_port_link_up(&b->port, incarnation);
    assert_true(at >= 0);
    *n = (u32)at;
    u8 m[OSA_MSG_ATTACH_BYTES] = {0};
    m[8] = mode;
    memset(m + 16, ' ', 8);
    memcpy(m + 16, lpar, strlen(lpar));
    be32_put(m + 24, device);
    b->to[*n].n = 0;
    say(b, *n, m, OSA_MSG_ATTACH, sizeof m);
    for (u32 i = 0; i < b->to[*n].n; i++)
        if (b->to[*n].r[i].bytes[0] == OSA_MSG_ATTACHED) return be32_get(b->to[*n].r[i].bytes + 8);
    return 0xDEAD;
}

static inline u32 request(struct bench *b, u32 n, u8 op, u8 flags, u32 ip, u32 mask, const u8 *mac) {
    u8 m[OSA_MSG_REQUEST_BYTES] = {0};
    be16_put(m + 2, 77);
    m[8] = op;
    m[9] = flags;
    be32_put(m + 12, ip);
    be32_put(m + 16, mask);
    if (mac) memcpy(m + 20, mac, 6);
    u32 before = b->to[n].n;
    say(b, n, m, OSA_MSG_REQUEST, sizeof m);
    for (u32 i = before; i < b->to[n].n; i++) {
        const u8 *a = b->to[n].r[i].bytes;
        if (a[0] == OSA_MSG_ANSWER && a[8] == op && be16_get(a + 2) == 77) return be32_get(a + 12);
    }
    return 0xAAAA; /* no answer yet */
}

static inline u32 start(struct bench *b, u8 mode, const char *lpar, u32 device) {
    u32 n;
    assert_int_equal(attach_as(b, mode, lpar, device, 1, &n), 0);
    assert_int_equal(request(b, n, OSA_OP_STARTLAN, 0, 0, 0, NULL), 0);
    return n;
}

/* A registered layer 3 attachment, its probe over. */
static inline u32 host3(struct bench *b, const char *lpar, u32 device, u32 ip) {
    u32 n = start(b, OSA_MODE_QDIO_L3, lpar, device);
    request(b, n, OSA_OP_SETIP, 0, ip, 0, NULL);
    osa_port_tick(&b->port, b->now += OSA_PROBE_USEC);
    osa_port_tick(&b->port, b->now += OSA_AGAIN_USEC); /* announced twice */
    forget(b);
    return n;
}

static inline u32 packet(u8 *p, u32 src, u32 dst, u8 proto, u32 payload) {
    struct ip4_fields f = {.src = {src}, .dst = {dst}, .total = (u16)(20 + payload), .id = 7, .ttl = 64, .proto = proto};
    ip4_emit(p, &f);
    for (u32 i = 0; i < payload; i++) p[20 + i] = (u8)(i * 7);
    return 20 + payload;
}

static inline void send_ip(struct bench *b, u32 n, const u8 *ip, u32 len, u32 hop, u16 flags, u16 gso, u16 start_at, u16 field) {
    static u8 m[OSA_FRAME_MAX];
    memset(m, 0, OSA_FRAME_DATA);
    m[8] = OSA_FORM_IP;
    be16_put(m + 10, flags);
    be16_put(m + 12, gso);
    be32_put(m + 16, hop);
    be16_put(m + 20, start_at);
    be16_put(m + 22, field);
    memcpy(m + OSA_FRAME_DATA, ip, len);
    say(b, n, m, OSA_MSG_FRAME, OSA_FRAME_DATA + len);
}

static inline void send_plain(struct bench *b, u32 n, u32 src, u32 dst, u32 hop, u32 payload) {
    u8 p[9200];
    send_ip(b, n, p, packet(p, src, dst, 50, payload), hop, 0, 0, 0, 0);
}

static inline void send_ether(struct bench *b, u32 n, const u8 *frame, u32 len) {
    u8 m[OSA_FRAME_DATA + 2000] = {0};
    m[8] = OSA_FORM_ETHER;
    memcpy(m + OSA_FRAME_DATA, frame, len);
    say(b, n, m, OSA_MSG_FRAME, OSA_FRAME_DATA + len);
}

/* ---- what the LAN says ---- */

static inline u32 ether(u8 *f, const u8 *dst, const u8 *src, u32 ip_src, u32 ip_dst, u32 payload) {
    eth_emit(f, dst, src, ETH_TYPE_IP);
    return 14 + packet(f + 14, ip_src, ip_dst, 50, payload);
}

static inline u32 arp_frame(u8 *f, const u8 *dst, const u8 *src, u16 op, u32 sender, u32 target) {
    struct arp_packet a = {.op = op, .sender = {sender}, .target = {target}};
    memcpy(a.sender_mac, src, 6);
    eth_emit(f, dst, src, ETH_TYPE_ARP);
    arp_emit(f + 14, &a);
    return 14 + ARP_BYTES;
}

static inline void lan_says(struct bench *b, const u8 *f, u32 len) {
    u8 *copy = malloc(len ? len : 1);
    memcpy(copy, f, len);
    osa_port_from_uplink(&b->port, copy, len, NULL, b->now);
    free(copy);
}

static inline void lan_arp(struct bench *b, const u8 *src, u16 op, u32 sender, u32 target) {
    u8 f[64];
    lan_says(b, f, arp_frame(f, op == ARP_REQUEST ? all : port_mac, src, op, sender, target));
}

/* The n-th thing on the LAN is an ARP packet with this content. */
static inline bool lan_has_arp(struct bench *b, u32 i, u16 op, u32 sender, u32 target) {
    if (i >= b->lan.n || eth_type(b->lan.r[i].bytes) != ETH_TYPE_ARP) return false;
    struct arp_packet a;
    arp_parse(b->lan.r[i].bytes + 14, &a);
    return a.op == op && a.sender.v4 == sender && a.target.v4 == target && memcmp(a.sender_mac, port_mac, 6) == 0;
}

static inline u32 frames_to(struct bench *b, u32 n) {
    u32 count = 0;
    for (u32 i = 0; i < b->to[n].n; i++) count += b->to[n].r[i].bytes[0] == OSA_MSG_FRAME;
    return count;
}

static inline bool has_event(struct bench *b, u32 n, u8 event, u32 ip) {
    for (u32 i = 0; i < b->to[n].n; i++) {
        const u8 *m = b->to[n].r[i].bytes;
        if (m[0] == OSA_MSG_EVENT && m[8] == event && be32_get(m + 12) == ip) return true;
    }
    return false;
}

static inline u64 at(struct bench *b, u32 n, u32 counter) { return b->port.att[n].count[counter]; }

#endif
