/* test_osa_port.c - the port of an OSA against scripted LPARs and a scripted LAN: registration, ARP, switching, groups,
 * offloads, limits, isolation. A bench records what the port sends to each side.
 */
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

static struct record *slot(struct queue *q) {
    if (!q->r) q->r = calloc(QUEUE, sizeof *q->r);
    assert_true(q->r && q->n < QUEUE);
    return &q->r[q->n];
}

static u8 *host_reserve(void *ctx, u32 n, u32 bytes) {
    struct bench *b = ctx;
    if (b->ring_full || bytes > OSA_FRAME_MAX) return NULL;
    return b->reserved = slot(&b->to[n])->bytes;
}
static void host_commit(void *ctx, u32 n, u32 bytes) {
    struct bench *b = ctx;
    assert_ptr_equal(b->reserved, b->to[n].r[b->to[n].n].bytes);
    b->to[n].r[b->to[n].n++].len = bytes;
    assert_int_equal(be32_get(b->reserved + 4), bytes);
}
static bool host_uplink(void *ctx, const struct osa_frame *f) {
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
static void host_capture(void *ctx, u32 n, bool to_card, const struct osa_frame *f) {
    struct bench *b = ctx;
    UNUSED(n);
    UNUSED(to_card);
    b->captured += osa_frame_len(f) > 0;
}
static void host_log(void *ctx, enum engine_severity sev, const char *text) {
    struct bench *b = ctx;
    UNUSED(sev);
    size_t used = strlen(b->log);
    snprintf(b->log + used, sizeof b->log - used, "%s\n", text);
}

static struct bench *bench_new(u8 chpid, bool uplink, bool offload, u32 mtu) {
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
static void bench_free(struct bench *b) {
    b->ring_full = false;
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) osa_port_link_down(&b->port, n, b->now);
    for (u32 i = 0; i < 20; i++) osa_port_tick(&b->port, b->now += 1300 * SEC);
    assert_int_equal(b->port.oat_count + b->port.mac_count + b->port.probe_count + b->port.pending_count, 0);
    assert_int_equal(b->port.started, 0);
    assert_int_equal(b->port.primary + b->port.secondary, 0);
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) free(b->to[n].r);
    free(b->lan.r);
    free(b);
}

static void forget(struct bench *b) {
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) b->to[n].n = 0;
    b->lan.n = 0;
}

/* ---- what an LPAR says ---- */

static void say(struct bench *b, u32 n, u8 *m, u8 type, u32 len) {
    m[0] = type;
    m[1] = OSA_MSG_VERSION;
    be32_put(m + 4, len);
    /* An exact copy on the heap, so that ASan sees a read behind the message. */
    u8 *copy = malloc(len);
    memcpy(copy, m, len);
    osa_port_message(&b->port, n, copy, len, b->now);
    free(copy);
}

static u32 attach_as(struct bench *b, u8 mode, const char *lpar, u32 device, u64 incarnation, u32 *n) {
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

static u32 request(struct bench *b, u32 n, u8 op, u8 flags, u32 ip, u32 mask, const u8 *mac) {
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

static u32 start(struct bench *b, u8 mode, const char *lpar, u32 device) {
    u32 n;
    assert_int_equal(attach_as(b, mode, lpar, device, 1, &n), 0);
    assert_int_equal(request(b, n, OSA_OP_STARTLAN, 0, 0, 0, NULL), 0);
    return n;
}

/* A registered layer 3 attachment, its probe over. */
static u32 host3(struct bench *b, const char *lpar, u32 device, u32 ip) {
    u32 n = start(b, OSA_MODE_QDIO_L3, lpar, device);
    request(b, n, OSA_OP_SETIP, 0, ip, 0, NULL);
    osa_port_tick(&b->port, b->now += OSA_PROBE_USEC);
    forget(b);
    return n;
}

static u32 packet(u8 *p, u32 src, u32 dst, u8 proto, u32 payload) {
    struct ip4_fields f = {.src = {src}, .dst = {dst}, .total = (u16)(20 + payload), .id = 7, .ttl = 64, .proto = proto};
    ip4_emit(p, &f);
    for (u32 i = 0; i < payload; i++) p[20 + i] = (u8)(i * 7);
    return 20 + payload;
}

static void send_ip(struct bench *b, u32 n, const u8 *ip, u32 len, u32 hop, u16 flags, u16 gso, u16 start_at, u16 field) {
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

static void send_plain(struct bench *b, u32 n, u32 src, u32 dst, u32 hop, u32 payload) {
    u8 p[9200];
    send_ip(b, n, p, packet(p, src, dst, 50, payload), hop, 0, 0, 0, 0);
}

static void send_ether(struct bench *b, u32 n, const u8 *frame, u32 len) {
    u8 m[OSA_FRAME_DATA + 2000] = {0};
    m[8] = OSA_FORM_ETHER;
    memcpy(m + OSA_FRAME_DATA, frame, len);
    say(b, n, m, OSA_MSG_FRAME, OSA_FRAME_DATA + len);
}

/* ---- what the LAN says ---- */

static u32 ether(u8 *f, const u8 *dst, const u8 *src, u32 ip_src, u32 ip_dst, u32 payload) {
    eth_emit(f, dst, src, ETH_TYPE_IP);
    return 14 + packet(f + 14, ip_src, ip_dst, 50, payload);
}

static u32 arp_frame(u8 *f, const u8 *dst, const u8 *src, u16 op, u32 sender, u32 target) {
    struct arp_packet a = {.op = op, .sender = {sender}, .target = {target}};
    memcpy(a.sender_mac, src, 6);
    eth_emit(f, dst, src, ETH_TYPE_ARP);
    arp_emit(f + 14, &a);
    return 14 + ARP_BYTES;
}

static void lan_says(struct bench *b, const u8 *f, u32 len) {
    u8 *copy = malloc(len ? len : 1);
    memcpy(copy, f, len);
    osa_port_from_uplink(&b->port, copy, len, NULL, b->now);
    free(copy);
}

static void lan_arp(struct bench *b, const u8 *src, u16 op, u32 sender, u32 target) {
    u8 f[64];
    lan_says(b, f, arp_frame(f, op == ARP_REQUEST ? all : port_mac, src, op, sender, target));
}

/* The n-th thing on the LAN is an ARP packet with this content. */
static bool lan_has_arp(struct bench *b, u32 i, u16 op, u32 sender, u32 target) {
    if (i >= b->lan.n || eth_type(b->lan.r[i].bytes) != ETH_TYPE_ARP) return false;
    struct arp_packet a;
    arp_parse(b->lan.r[i].bytes + 14, &a);
    return a.op == op && a.sender.v4 == sender && a.target.v4 == target && memcmp(a.sender_mac, port_mac, 6) == 0;
}

static u32 frames_to(struct bench *b, u32 n) {
    u32 count = 0;
    for (u32 i = 0; i < b->to[n].n; i++) count += b->to[n].r[i].bytes[0] == OSA_MSG_FRAME;
    return count;
}

static bool has_event(struct bench *b, u32 n, u8 event, u32 ip) {
    for (u32 i = 0; i < b->to[n].n; i++) {
        const u8 *m = b->to[n].r[i].bytes;
        if (m[0] == OSA_MSG_EVENT && m[8] == event && be32_get(m + 12) == ip) return true;
    }
    return false;
}

static u64 at(struct bench *b, u32 n, u32 counter) { return b->port.att[n].count[counter]; }

/* ---- tests ---- */

static void test_init_domain(void **state) {
    UNUSED(state);
    struct osa_port *p = malloc(sizeof *p);
    struct osa_port_host host = {0};
    static const struct {
        u8 chpid, mac0;
        u32 mtu;
        bool uplink;
        int rc;
    } rows[] = {
        {OSA_CHPID_OSD, 2, 1492, true, 0},     {OSA_CHPID_OSD, 2, 8992, true, 0},
        {OSA_CHPID_OSD, 2, 8993, true, -22},   {OSA_CHPID_OSD, 2, 575, true, -22},
        {OSA_CHPID_OSD, 3, 1492, true, -22},   {OSA_CHPID_IQD, 2, 57344, false, 0},
        {OSA_CHPID_IQD, 2, 57345, false, -22}, {OSA_CHPID_IQD, 2, 8192, true, -22},
        {0x42, 2, 1492, true, -22},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct osa_port_params params = {.chpid = rows[i].chpid, .mtu_bytes = rows[i].mtu, .uplink = rows[i].uplink};
        params.mac[0] = rows[i].mac0;
        assert_int_equal(osa_port_init(p, &params, &host), rows[i].rc);
    }
    free(p);
}

static void test_attach(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 n;
    assert_int_equal(attach_as(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00, 5, &n), 0);
    const u8 *m = b->to[n].r[0].bytes;
    assert_memory_equal(m + 12, port_mac, 6);
    assert_int_equal(be32_get(m + 20), 1492);
    assert_int_equal(m[28], 1);
    assert_int_equal(m[29], OSA_CHPID_OSD);
    u32 other;
    assert_int_equal(attach_as(b, 9, "SYSA", 0xE00, 5, &other), OSA_RC_UNSUPPORTED);
    assert_int_equal(attach_as(b, OSA_MODE_QDIO_L3, "", 0xE00, 5, &other), OSA_RC_UNSUPPORTED);
    /* The same device again: an older incarnation is turned away, a newer one takes its place. */
    assert_int_equal(attach_as(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00, 4, &other), OSA_RC_DUPLICATE);
    forget(b);
    assert_int_equal(attach_as(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00, 6, &other), 0);
    assert_true(has_event(b, n, OSA_EVENT_FENCED, 0));
    assert_int_equal(b->port.att[n].state, OSA_ATT_LINKED);
    /* Cut at every length, and with every byte of the header wrong: counted, never taken. */
    u8 good[OSA_MSG_ATTACH_BYTES] = {OSA_MSG_ATTACH, OSA_MSG_VERSION};
    be32_put(good + 4, sizeof good);
    u64 before = at(b, n, OSA_AC_DROP_MESSAGE);
    for (u32 len = 0; len < sizeof good; len++) {
        u8 *copy = malloc(len + 1);
        memcpy(copy, good, len);
        osa_port_message(&b->port, n, copy, len, b->now);
        free(copy);
    }
    assert_int_equal(at(b, n, OSA_AC_DROP_MESSAGE), before + sizeof good);
    say(b, n, good, 99, sizeof good);
    say(b, n, good, OSA_MSG_ATTACHED, sizeof good);
    assert_int_equal(at(b, n, OSA_AC_DROP_MESSAGE), before + sizeof good + 2);
    u8 frame[64] = {0};
    say(b, n, frame, OSA_MSG_FRAME, 60); /* not attached */
    assert_int_equal(at(b, n, OSA_AC_DROP_STATE), 1);
    for (u32 i = 0; i < OSA_ATTACHMENTS - 5; i++) assert_true(osa_port_link_up(&b->port, 1) >= 0);
    assert_int_equal(osa_port_link_up(&b->port, 1), -ERR_NOMEM);
    bench_free(b);
}

/* The registration table of osa_port.h, row by row. 0xAAAA: the answer comes after the probe. */
static void test_setip_rules(void **state) {
    UNUSED(state);
    enum { LATER = 0xAAAA };
    static const struct {
        int owner_flags; /* -1 free, else flags of the first registration */
        bool same;       /* by the same attachment */
        u8 flags;
        u32 rc;
        bool lost;
    } rows[] = {
        {-1, false, 0, LATER, false},
        {-1, false, OSA_IP_VIPA, 0, false},
        {-1, false, OSA_IP_TAKEOVER, 0, false},
        {0, true, 0, 0, false},
        {0, false, 0, OSA_RC_DUPLICATE, false},
        {0, false, OSA_IP_VIPA, OSA_RC_DUPLICATE, false},
        {0, false, OSA_IP_TAKEOVER, 0, true},
        {OSA_IP_VIPA, false, 0, OSA_RC_DUPLICATE, false},
        {OSA_IP_VIPA, false, OSA_IP_VIPA, 0, true},
        {OSA_IP_VIPA, false, OSA_IP_VIPA | OSA_IP_TAKEOVER, 0, true},
        {OSA_IP_VIPA, true, OSA_IP_VIPA, 0, false},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
        u32 first = start(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00), second = start(b, OSA_MODE_QDIO_L3, "SYSB", 0xE00);
        if (rows[i].owner_flags >= 0) {
            request(b, first, OSA_OP_SETIP, (u8)rows[i].owner_flags, IP_V, 0, NULL);
            osa_port_tick(&b->port, b->now += OSA_PROBE_USEC);
        }
        forget(b);
        u32 who = rows[i].same ? first : second;
        assert_int_equal(request(b, who, OSA_OP_SETIP, rows[i].flags, IP_V, 0, NULL), rows[i].rc);
        assert_int_equal(has_event(b, first, OSA_EVENT_IP_LOST, IP_V), rows[i].lost);
        if (rows[i].rc == LATER) assert_true(lan_has_arp(b, 0, ARP_REQUEST, 0, IP_V));
        else if (rows[i].rc == 0)
            assert_true(lan_has_arp(b, 0, ARP_REQUEST, IP_V, IP_V)); /* announced */
        else
            assert_int_equal(b->lan.n, 0);
        assert_int_equal(b->port.count[OSA_PC_TAKEOVERS], rows[i].lost);
        bench_free(b);
    }
}

static void test_probe(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 n = start(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00);
    assert_int_equal(request(b, n, OSA_OP_SETIP, 0, IP_A, 0, NULL), 0xAAAA);
    assert_int_equal(osa_port_tick(&b->port, b->now), b->now + OSA_PROBE_USEC);
    u8 f[128]; /* while it is probed the address receives nothing and is not answered for */
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_A, 30));
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_A);
    assert_int_equal(frames_to(b, n), 0);
    assert_int_equal(b->port.count[OSA_PC_ARP_REPLIES_OUT], 0);
    forget(b);
    osa_port_tick(&b->port, b->now += OSA_PROBE_USEC);
    assert_int_equal(b->to[n].n, 1);
    assert_int_equal(be32_get(b->to[n].r[0].bytes + 12), 0);
    assert_true(lan_has_arp(b, 0, ARP_REQUEST, IP_A, IP_A));

    /* Somebody answers; then somebody probes for the same address at the same time. */
    for (u32 i = 0; i < 2; i++) {
        forget(b);
        assert_int_equal(request(b, n, OSA_OP_SETIP, 0, IP_B, 0, NULL), 0xAAAA);
        if (i == 0) lan_arp(b, router_mac, ARP_REPLY, IP_B, 0);
        else
            lan_arp(b, router_mac, ARP_REQUEST, 0, IP_B);
        assert_int_equal(b->to[n].n, 1);
        assert_int_equal(be32_get(b->to[n].r[0].bytes + 12), OSA_RC_ON_LAN);
        assert_non_null(strstr(b->log, "which is in use on the LAN"));
        assert_int_equal(request(b, n, OSA_OP_DELIP, 0, IP_B, 0, NULL), OSA_RC_NOT_FOUND);
    }
    /* Withdrawn during the probe: both requests are answered, nothing is left. */
    forget(b);
    request(b, n, OSA_OP_SETIP, 0, IP_B, 0, NULL);
    assert_int_equal(request(b, n, OSA_OP_DELIP, 0, IP_B, 0, NULL), 0);
    assert_int_equal(b->to[n].n, 2);
    assert_int_equal(b->port.probe_count, 0);
    /* A conflict with a working address is counted and changes nothing. */
    u64 conflicts = b->port.count[OSA_PC_ARP_CONFLICTS];
    lan_arp(b, router_mac, ARP_REQUEST, IP_A, IP_GW);
    assert_int_equal(b->port.count[OSA_PC_ARP_CONFLICTS], conflicts + 1);
    static const u32 nonsense[] = {0, 0xFFFFFFFFu, 0xE0000001u, 0x7F000001u};
    for (u32 i = 0; i < 4; i++)
        assert_int_equal(request(b, n, OSA_OP_SETIP, 0, nonsense[i], 0, NULL), OSA_RC_UNSUPPORTED);
    bench_free(b);
}

static void test_arp_output(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 n = host3(b, "SYSA", 0xE00, IP_A);
    /* The first packet asks; the limit per neighbour holds; the answer lets them go in order. */
    for (u32 i = 0; i < OSA_PENDING_PER_HOP + 2; i++) send_plain(b, n, IP_A, IP_FAR, IP_GW, 100 + i);
    assert_int_equal(b->lan.n, 1);
    assert_true(lan_has_arp(b, 0, ARP_REQUEST, IP_A, IP_GW));
    assert_int_equal(at(b, n, OSA_AC_DROP_ARP_QUEUE), 2);
    lan_arp(b, router_mac, ARP_REPLY, IP_GW, IP_A);
    assert_int_equal(b->lan.n, 1 + OSA_PENDING_PER_HOP);
    for (u32 i = 0; i < OSA_PENDING_PER_HOP; i++) {
        const u8 *f = b->lan.r[1 + i].bytes;
        assert_int_equal(b->lan.r[1 + i].len, 14 + 20 + 100 + i);
        assert_memory_equal(f, router_mac, 6);
        assert_memory_equal(f + 6, port_mac, 6);
        assert_int_equal(be32_get(f + 14 + 16), IP_FAR);
    }
    /* Now it is known. Near its end it is asked for again, by unicast, and goes on being used. */
    forget(b);
    b->now += OSA_ARP_LIFETIME_USEC - OSA_ARP_REFRESH_USEC;
    send_plain(b, n, IP_A, IP_GW, 0, 10);
    assert_int_equal(b->lan.n, 2);
    assert_true(lan_has_arp(b, 0, ARP_REQUEST, IP_A, IP_GW));
    assert_memory_equal(b->lan.r[0].bytes, router_mac, 6);
    send_plain(b, n, IP_A, IP_GW, 0, 10);
    assert_int_equal(b->lan.n, 3); /* asked once only */
    /* Its life over, it is a stranger again: three requests, then the packet is counted. */
    forget(b);
    b->now += OSA_ARP_REFRESH_USEC;
    send_plain(b, n, IP_A, IP_GW, 0, 10);
    for (u32 i = 0; i < OSA_ARP_TRIES + 1; i++) {
        assert_true(osa_port_tick(&b->port, b->now) > b->now);
        osa_port_tick(&b->port, b->now += OSA_ARP_RETRY_USEC);
    }
    assert_int_equal(b->lan.n, OSA_ARP_TRIES);
    assert_int_equal(at(b, n, OSA_AC_DROP_NO_NEIGHBOUR), 1);
    assert_int_equal(b->port.arp_count, 0);
    /* A router's packet has a stranger's source: the question is asked in the LPAR's own name. */
    forget(b);
    send_plain(b, n, IP_FAR, IP_GW, 0, 10);
    assert_true(lan_has_arp(b, 0, ARP_REQUEST, IP_A, IP_GW));
    bench_free(b);
}

static void test_arp_limits(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 8992);
    u32 n = host3(b, "SYSA", 0xE00, IP_A);
    for (u32 i = 0; i < OSA_ARP_MAX + 50; i++) { /* more neighbours than fit: the oldest make room */
        lan_arp(b, router_mac, ARP_REQUEST, 0x0A020000u + i, IP_A);
        forget(b);
    }
    assert_int_equal(b->port.arp_count, OSA_ARP_MAX);
    assert_int_equal(b->port.count[OSA_PC_ARP_EVICTED], 50);
    assert_int_equal(request(b, n, OSA_OP_ARP_QUERY, 0, 0, 0, NULL), 0);
    assert_int_equal(b->to[n].r[0].len, OSA_MSG_ANSWER_BYTES + 12 * OSA_ARP_MAX);
    assert_int_equal(request(b, n, OSA_OP_ARP_FLUSH, 0, 0, 0, NULL), 0);
    assert_int_equal(b->port.arp_count, 0);
    forget(b);
    for (u32 i = 0; i < OSA_PENDING_MAX + 5; i++) {
        send_plain(b, n, IP_A, 0x0A030000u + i, 0, 10);
        forget(b);
    }
    assert_int_equal(b->port.pending_count, OSA_PENDING_MAX);
    assert_int_equal(at(b, n, OSA_AC_DROP_ARP_QUEUE), 5);
    /* Static entries: made, shown, used without a question, and gone. */
    assert_int_equal(request(b, n, OSA_OP_ARP_ADD, 0, IP_GW, 0, router_mac), 0);
    assert_int_equal(request(b, n, OSA_OP_ARP_ADD, 0, IP_A, 0, router_mac), OSA_RC_UNSUPPORTED);
    forget(b);
    send_plain(b, n, IP_A, IP_GW, 0, 10);
    assert_int_equal(b->lan.n, 1);
    assert_int_equal(request(b, n, OSA_OP_ARP_DEL, 0, IP_GW, 0, NULL), 0);
    assert_int_equal(request(b, n, OSA_OP_ARP_DEL, 0, IP_GW, 0, NULL), OSA_RC_NOT_FOUND);
    bench_free(b);
}

static void test_arp_answers(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 n = host3(b, "SYSA", 0xE00, IP_A);
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_A);
    assert_true(lan_has_arp(b, 0, ARP_REPLY, IP_A, IP_GW));
    assert_memory_equal(b->lan.r[0].bytes, router_mac, 6);
    forget(b);
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_B); /* not ours */
    assert_int_equal(b->lan.n, 0);
    send_plain(b, n, IP_A, IP_GW, 0, 10); /* the asker was learned */
    assert_int_equal(b->lan.n, 1);
    assert_int_equal(request(b, n, OSA_OP_STOPLAN, 0, 0, 0, NULL), 0);
    forget(b);
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_A); /* stopped: nobody is there to answer for */
    assert_int_equal(b->lan.n, 0);
    u8 f[64];
    u32 len = arp_frame(f, all, router_mac, ARP_REQUEST, IP_GW, IP_A);
    u64 malformed = b->port.count[OSA_PC_DROP_MALFORMED];
    for (u32 i = 0; i < len; i++) lan_says(b, f, i);
    assert_int_equal(b->port.count[OSA_PC_DROP_MALFORMED], malformed + len);
    bench_free(b);
}

static void test_unicast(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 a = host3(b, "SYSA", 0xE00, IP_A), c = host3(b, "SYSB", 0xE00, IP_B);
    u8 f[2000];
    /* LPAR to LPAR by next hop, whatever the destination; the LAN does not see it. */
    send_plain(b, a, IP_A, IP_FAR, IP_B, 60);
    assert_int_equal(frames_to(b, c), 1);
    const u8 *m = b->to[c].r[0].bytes;
    assert_int_equal(m[8], OSA_FORM_IP);
    assert_int_equal(b->to[c].r[0].len, OSA_FRAME_DATA + 80);
    assert_int_equal(be32_get(m + OSA_FRAME_DATA + 16), IP_FAR);
    assert_int_equal(b->lan.n, 0);
    send_plain(b, a, IP_A, IP_A, 0, 60);
    assert_int_equal(at(b, a, OSA_AC_DROP_SELF), 1);
    /* From the LAN: owner; without one the routers in their order; without those it is counted. */
    forget(b);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_A, 40));
    assert_int_equal(frames_to(b, a), 1);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_FAR, 40));
    assert_int_equal(b->port.count[OSA_PC_DROP_NO_OWNER], 1);
    assert_int_equal(request(b, c, OSA_OP_SETRTG, 2, 0, 0, NULL), 0);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_FAR, 40));
    assert_int_equal(frames_to(b, c), 1);
    assert_int_equal(request(b, a, OSA_OP_SETRTG, 1, 0, 0, NULL), 0);
    assert_int_equal(request(b, c, OSA_OP_SETRTG, 1, 0, 0, NULL), OSA_RC_PRIMARY_TAKEN);
    assert_int_equal(request(b, c, OSA_OP_SETRTG, 5, 0, 0, NULL), OSA_RC_UNSUPPORTED);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_FAR, 40));
    assert_int_equal(frames_to(b, a), 2);
    assert_int_equal(frames_to(b, c), 1);
    assert_int_equal(request(b, a, OSA_OP_SETRTG, 0, 0, 0, NULL), 0);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_FAR, 40));
    assert_int_equal(frames_to(b, c), 2);
    /* Another station's frame, and one that is too large. */
    lan_says(b, f, ether(f, vmac_a, router_mac, IP_GW, IP_A, 40));
    assert_int_equal(b->port.count[OSA_PC_DROP_NOT_FOR_US], 1);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_A, 1473));
    assert_int_equal(b->port.count[OSA_PC_DROP_MTU], 1);
    send_plain(b, a, IP_A, IP_B, 0, 1473);
    assert_int_equal(at(b, a, OSA_AC_DROP_MTU), 1);
    send_plain(b, a, IP_A, IP_B, 0, 1472);
    assert_int_equal(at(b, a, OSA_AC_DROP_MTU), 1);
    /* Everything wrong with an IP header, and a packet cut at every length. */
    u8 p[100];
    u32 len = packet(p, IP_A, IP_B, 50, 40);
    u64 malformed = at(b, a, OSA_AC_DROP_MALFORMED);
    for (u32 i = 1; i < len; i++) send_ip(b, a, p, i, 0, 0, 0, 0, 0);
    for (u32 i = 0; i < 20; i++) {
        p[i] ^= 0x11;
        send_ip(b, a, p, len, 0, 0, 0, 0, 0);
        p[i] ^= 0x11;
    }
    assert_int_equal(at(b, a, OSA_AC_DROP_MALFORMED), malformed + len - 1 + 20);
    /* Nobody takes it: ring and uplink full. */
    forget(b);
    b->ring_full = true;
    send_plain(b, a, IP_A, IP_B, 0, 10);
    assert_int_equal(at(b, c, OSA_AC_DROP_RING), 1);
    b->ring_full = false;
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_A);
    b->uplink_full = true;
    send_plain(b, a, IP_A, IP_GW, 0, 10);
    assert_int_equal(at(b, a, OSA_AC_DROP_UPLINK), 1);
    assert_true(b->captured > 10);
    bench_free(b);
}

static void test_groups(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 a = host3(b, "SYSA", 0xE00, IP_A), c = host3(b, "SYSB", 0xE00, IP_B);
    u32 l2 = start(b, OSA_MODE_QDIO_L2, "SYSC", 0xE00);
    u8 f[200], group_mac[6];
    const u32 group = 0xE0000005u, twin = 0xE0800005u; /* both map to 01:00:5E:00:00:05 */
    eth_group_mac(ipaddr_v4(group), group_mac);
    forget(b);
    lan_says(b, f, ether(f, group_mac, router_mac, IP_GW, group, 40));
    assert_int_equal(frames_to(b, a) + frames_to(b, c), 0);
    assert_int_equal(request(b, c, OSA_OP_SETIPM, 0, group, 0, NULL), 0);
    assert_int_equal(request(b, c, OSA_OP_SETIPM, 0, twin, 0, NULL), 0);
    assert_int_equal(request(b, c, OSA_OP_SETIPM, 0, IP_B, 0, NULL), OSA_RC_UNSUPPORTED);
    assert_int_equal(request(b, l2, OSA_OP_SETGMAC, 0, 0, 0, group_mac), 0);
    forget(b);
    lan_says(b, f, ether(f, group_mac, router_mac, IP_GW, group, 40));
    assert_int_equal(frames_to(b, c), 1);
    assert_int_equal(frames_to(b, l2), 1);
    assert_int_equal(b->to[l2].r[0].bytes[8], OSA_FORM_ETHER);
    forget(b);
    send_plain(b, a, IP_A, group, 0, 40); /* members and the LAN, not the sender */
    assert_int_equal(frames_to(b, c) + frames_to(b, l2), 2);
    assert_int_equal(frames_to(b, a), 0);
    assert_int_equal(b->lan.n, 1);
    assert_memory_equal(b->lan.r[0].bytes, group_mac, 6);
    assert_int_equal(request(b, c, OSA_OP_DELIPM, 0, group, 0, NULL), 0);
    forget(b);
    send_plain(b, a, IP_A, group, 0, 40); /* its twin still holds the MAC */
    assert_int_equal(frames_to(b, c), 1);
    assert_int_equal(request(b, c, OSA_OP_DELIPM, 0, twin, 0, NULL), 0);
    assert_int_equal(request(b, c, OSA_OP_DELIPM, 0, twin, 0, NULL), OSA_RC_NOT_FOUND);
    forget(b);
    send_plain(b, a, IP_A, group, 0, 40);
    assert_int_equal(frames_to(b, c), 0);
    send_plain(b, a, IP_A, 0xFFFFFFFFu, 0, 40); /* broadcast: everybody else */
    assert_int_equal(frames_to(b, c), 1);
    assert_int_equal(frames_to(b, a), 0);
    /* A curious attachment sees what is not for it. */
    assert_int_equal(request(b, c, OSA_OP_PROMISC, 1, 0, 0, NULL), 0);
    forget(b);
    lan_says(b, f, ether(f, vmac_a, router_mac, IP_GW, IP_FAR, 40));
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_A, 40));
    assert_int_equal(frames_to(b, c), 2);
    assert_int_equal(frames_to(b, a), 1);
    bench_free(b);
}

static void test_layer2(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 a = start(b, OSA_MODE_QDIO_L2, "SYSA", 0xE00), c = start(b, OSA_MODE_QDIO_L2, "SYSB", 0xE00);
    u32 l3 = host3(b, "SYSC", 0xE00, IP_A);
    u8 f[200];
    assert_int_equal(request(b, a, OSA_OP_SETVMAC, 0, 0, 0, vmac_a), 0);
    assert_int_equal(request(b, c, OSA_OP_SETVMAC, 0, 0, 0, vmac_a), OSA_RC_DUPLICATE);
    assert_int_equal(request(b, c, OSA_OP_SETVMAC, 0, 0, 0, port_mac), OSA_RC_UNSUPPORTED);
    assert_int_equal(request(b, c, OSA_OP_SETVMAC, 0, 0, 0, all), OSA_RC_UNSUPPORTED);
    assert_int_equal(request(b, c, OSA_OP_SETVMAC, 0, 0, 0, vmac_b), 0);
    assert_int_equal(request(b, l3, OSA_OP_SETVMAC, 0, 0, 0, vmac_b), OSA_RC_UNSUPPORTED);
    assert_int_equal(request(b, a, OSA_OP_SETIP, 0, IP_B, 0, NULL), OSA_RC_UNSUPPORTED);
    forget(b);
    send_ether(b, a, f, ether(f, vmac_b, vmac_a, 1, 2, 40));
    assert_int_equal(frames_to(b, c), 1);
    assert_int_equal(b->lan.n, 0);
    send_ether(b, a, f, ether(f, router_mac, vmac_a, 1, 2, 40));
    assert_int_equal(b->lan.n, 1);
    lan_says(b, f, ether(f, vmac_a, router_mac, 1, 2, 40));
    assert_int_equal(frames_to(b, a), 1);
    /* Layer 2 finds a layer 3 neighbour by ARP that the port answers, and the other way round by its own answer. */
    forget(b);
    send_ether(b, a, f, arp_frame(f, all, vmac_a, ARP_REQUEST, IP_B, IP_A));
    assert_int_equal(frames_to(b, a), 1);
    struct arp_packet r;
    arp_parse(b->to[a].r[0].bytes + OSA_FRAME_DATA + 14, &r);
    assert_int_equal(r.op, ARP_REPLY);
    assert_memory_equal(r.sender_mac, port_mac, 6);
    forget(b);
    send_plain(b, l3, IP_A, IP_B, 0, 50); /* learned from the request */
    assert_int_equal(frames_to(b, a), 1);
    assert_memory_equal(b->to[a].r[0].bytes + OSA_FRAME_DATA, vmac_a, 6);
    assert_int_equal(request(b, a, OSA_OP_DELVMAC, 0, 0, 0, vmac_a), 0);
    assert_int_equal(request(b, a, OSA_OP_DELVMAC, 0, 0, 0, vmac_a), OSA_RC_NOT_FOUND);
    /* The wrong form for a mode is malformed; so is a frame cut inside its header. */
    send_plain(b, a, 1, 2, 0, 40);
    send_ether(b, l3, f, 60);
    for (u32 i = 1; i < 14; i++) send_ether(b, a, f, i);
    assert_int_equal(at(b, a, OSA_AC_DROP_MALFORMED), 14);
    assert_int_equal(at(b, l3, OSA_AC_DROP_MALFORMED), 1);
    bench_free(b);
}

static void test_lcs(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSE, true, true, 1492);
    u32 lcs = start(b, OSA_MODE_LCS, "SYSA", 0xE20), l3 = host3(b, "SYSB", 0xE00, IP_B);
    u8 f[200];
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_FAR, 40)); /* alone it gets what nobody owns */
    assert_int_equal(frames_to(b, lcs), 1);
    /* Layer 3 looks for it: the question reaches it, its answer is learned, the packet follows. */
    forget(b);
    send_plain(b, l3, IP_B, IP_A, 0, 50);
    assert_int_equal(frames_to(b, lcs), 1);
    send_ether(b, lcs, f, arp_frame(f, port_mac, port_mac, ARP_REPLY, IP_A, IP_B));
    assert_int_equal(frames_to(b, lcs), 2);
    assert_int_equal(b->to[lcs].r[1].bytes[8], OSA_FORM_ETHER);
    assert_int_equal(be32_get(b->to[lcs].r[1].bytes + OSA_FRAME_DATA + 14 + 16), IP_A);
    assert_int_equal(b->port.arp_count, 0); /* it is in the OAT, not in the cache */
    /* The port does not answer for a learned address: the LPAR does so itself. */
    forget(b);
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_A);
    assert_int_equal(b->lan.n, 0);
    assert_int_equal(frames_to(b, lcs), 1);
    /* A registration takes the address from one that was only learned. */
    assert_int_equal(request(b, l3, OSA_OP_SETIP, OSA_IP_VIPA, IP_A, 0, NULL), 0);
    assert_int_equal(b->port.count[OSA_PC_TAKEOVERS], 0);
    bench_free(b);
}

/* ---- offloads ---- */

static u32 tcp_packet(u8 *p, u32 payload, u8 flags) {
    u32 len = packet(p, IP_A, IP_GW, 6, 20 + payload);
    u8 *t = p + 20;
    memset(t, 0, 20);
    be16_put(t, 1000);
    be16_put(t + 2, 80);
    be32_put(t + 4, 0xFFFFFF00u); /* the sequence number wraps on the way */
    t[12] = 5 << 4;
    t[13] = flags;
    be16_put(t + 16, cksum_partial(cksum_pseudo(ipaddr_v4(IP_A), ipaddr_v4(IP_GW), 6, 20 + payload)));
    return len;
}

static bool tcp_right(const u8 *ip) {
    u32 len = ip4_total(ip) - 20;
    return ip4_check(ip, ip4_total(ip), true) == IP4_OK &&
           cksum_fold(cksum_add(cksum_pseudo(ipaddr_get(ip + 12), ipaddr_get(ip + 16), 6, len), ip + 20, len)) == 0;
}

static void test_segmentation(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, false, 1492); /* the port does it */
    u32 n = host3(b, "SYSA", 0xE00, IP_A);
    u8 p[4200];
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_A);
    static const u32 payloads[] = {1000, 1001, 1999, 2000, 4096};
    for (u32 k = 0; k < ARRAY_LEN(payloads); k++) {
        forget(b);
        u32 len = tcp_packet(p, payloads[k], 0x80 | 0x10 | 0x08 | 0x01), got = 0;
        send_ip(b, n, p, len, 0, OSA_FRAME_CSUM_NEEDED, 1000, 20, 16);
        assert_int_equal(b->lan.n, (payloads[k] + 999) / 1000);
        for (u32 i = 0; i < b->lan.n; i++) {
            const u8 *ip = b->lan.r[i].bytes + 14, *t = ip + 20;
            bool last = i == b->lan.n - 1;
            u32 part = ip4_total(ip) - 40;
            assert_true(tcp_right(ip));
            assert_int_equal(be16_get(ip + 4), 7 + i);
            assert_int_equal(be32_get(t + 4), 0xFFFFFF00u + got);
            assert_int_equal(t[13], (i == 0 ? 0x80 : 0) | 0x10 | (last ? 0x09 : 0));
            assert_memory_equal(t + 20, p + 40 + got, part);
            got += part;
        }
        assert_int_equal(got, payloads[k]);
    }
    assert_true(b->port.count[OSA_PC_SEGMENTS_OUT] >= 8);
    /* With an uplink that does it, the packet stays whole. */
    osa_port_uplink_offload(&b->port, true);
    forget(b);
    send_ip(b, n, p, tcp_packet(p, 4000, 0x10), 0, OSA_FRAME_CSUM_NEEDED, 1000, 20, 16);
    assert_int_equal(b->lan.n, 1);
    assert_int_equal(b->lan.r[0].gso, 1000);
    assert_true(b->lan.r[0].csum_needed);
    /* Nonsense requests: flags, gso, start, field. */
    static const u16 bad[][4] = {
        {0, 1000, 20, 16}, {1, 63, 20, 16},  {1, 1000, 24, 16},  {1, 1000, 20, 6},     {1, 1000, 0, 16},
        {1, 0, 19, 16},    {1, 0, 4040, 16}, {1, 0, 20, 0xFFFF}, {1, 0, 0xFFFF, 0xFFFF}, {1, 0, 4038, 1},
    };
    u64 malformed = at(b, n, OSA_AC_DROP_MALFORMED);
    forget(b);
    for (u32 i = 0; i < ARRAY_LEN(bad); i++)
        send_ip(b, n, p, tcp_packet(p, 4000, 0x10), 0, bad[i][0], bad[i][1], bad[i][2], bad[i][3]);
    assert_int_equal(at(b, n, OSA_AC_DROP_MALFORMED), malformed + ARRAY_LEN(bad));
    u32 len = tcp_packet(p, 4000, 0x10);
    p[20 + 12] = 4 << 4; /* a TCP header of 16 bytes */
    send_ip(b, n, p, len, 0, OSA_FRAME_CSUM_NEEDED, 1000, 20, 16);
    assert_int_equal(at(b, n, OSA_AC_DROP_MALFORMED), malformed + ARRAY_LEN(bad) + 1);
    send_ip(b, n, p, tcp_packet(p, 4000, 0x10), 0, OSA_FRAME_CSUM_NEEDED, 1453, 20, 16); /* segments over the MTU */
    assert_int_equal(at(b, n, OSA_AC_DROP_MTU), 1);
    assert_int_equal(b->lan.n, 0);
    bench_free(b);
}

static void test_checksums(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, false, 1492);
    u32 a = host3(b, "SYSA", 0xE00, IP_A), c = host3(b, "SYSB", 0xE00, IP_GW);
    u8 p[1500], f[1600];
    /* Out: TCP, and an IP header without checksum; to another LPAR it arrives finished. */
    u32 len = tcp_packet(p, 500, 0x10);
    be16_put(p + 10, 0xDEAD);
    send_ip(b, a, p, len, 0, OSA_FRAME_CSUM_NEEDED | OSA_FRAME_IP_CSUM_NEEDED, 0, 20, 16);
    assert_int_equal(frames_to(b, c), 1);
    const u8 *m = b->to[c].r[0].bytes;
    assert_true(tcp_right(m + OSA_FRAME_DATA));
    assert_int_equal(be16_get(m + 10), OSA_FRAME_CSUM_OK);
    /* UDP whose sum would be zero is sent as FFFF. */
    forget(b);
    len = packet(p, IP_A, IP_GW, 17, 10);
    memset(p + 20, 0, 10);
    be16_put(p + 24, 10);
    u32 pseudo = cksum_pseudo(ipaddr_v4(IP_A), ipaddr_v4(IP_GW), 17, 10);
    be16_put(p + 26, cksum_partial(pseudo));
    be16_put(p + 28, cksum_fold(cksum_add(0, p + 20, 10))); /* makes the whole sum FFFF */
    send_ip(b, a, p, len, 0, OSA_FRAME_CSUM_NEEDED, 0, 20, 6);
    assert_int_equal(be16_get(b->to[c].r[0].bytes + OSA_FRAME_DATA + 26), 0xFFFF);
    /* In: without the assist everything passes unflagged; with it, wrong ones are dropped and right ones flagged. */
    for (u32 assist = 0; assist < 2; assist++) {
        if (assist) request(b, a, OSA_OP_ASSIST, 0, 0, OSA_ASSIST_CSUM_IN, NULL);
        forget(b);
        eth_emit(f, port_mac, router_mac, ETH_TYPE_IP);
        len = tcp_packet(p, 100, 0x10);
        be32_put(p + 12, IP_GW);
        be32_put(p + 16, IP_A);
        ip4_sign(p);
        be16_put(p + 36, 0);
        be16_put(p + 36, cksum_fold(cksum_add(cksum_pseudo(ipaddr_v4(IP_GW), ipaddr_v4(IP_A), 6, 120), p + 20, 120)));
        memcpy(f + 14, p, len);
        lan_says(b, f, 14 + len);
        f[14 + 50] ^= 1;
        lan_says(b, f, 14 + len);
        assert_int_equal(frames_to(b, a), assist ? 1 : 2);
        assert_int_equal(be16_get(b->to[a].r[0].bytes + 10), assist ? OSA_FRAME_CSUM_OK : 0);
        assert_int_equal(at(b, a, OSA_AC_DROP_CHECKSUM), assist);
    }
    bench_free(b);
}

/* Large packets from the LAN are cut for an attachment, unless it takes them whole. */
static void test_large_in(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 a = host3(b, "SYSA", 0xE00, IP_A);
    u8 f[5000];
    eth_emit(f, port_mac, router_mac, ETH_TYPE_IP);
    u32 len = 14 + tcp_packet(f + 14, 4000, 0x18);
    be32_put(f + 14 + 12, IP_GW);
    be32_put(f + 14 + 16, IP_A);
    ip4_sign(f + 14);
    struct osa_uplink_meta meta = {.gso_bytes = 1440, .csum_needed = true, .csum_start = 34, .csum_field = 16};
    osa_port_from_uplink(&b->port, f, len, &meta, b->now);
    assert_int_equal(frames_to(b, a), 3);
    for (u32 i = 0; i < 3; i++) {
        assert_true(tcp_right(b->to[a].r[i].bytes + OSA_FRAME_DATA));
        assert_int_equal(be16_get(b->to[a].r[i].bytes + 10), OSA_FRAME_CSUM_OK);
    }
    request(b, a, OSA_OP_ASSIST, 0, 0, OSA_ASSIST_LRO, NULL);
    forget(b);
    osa_port_from_uplink(&b->port, f, len, &meta, b->now);
    assert_int_equal(frames_to(b, a), 1);
    const u8 *m = b->to[a].r[0].bytes;
    assert_int_equal(be16_get(m + 12), 1440);
    assert_int_equal(be16_get(m + 20), 20);
    assert_true(tcp_right(m + OSA_FRAME_DATA));
    meta.csum_start = 5000;
    osa_port_from_uplink(&b->port, f, len, &meta, b->now);
    assert_int_equal(b->port.count[OSA_PC_DROP_MALFORMED], 1);
    bench_free(b);
}

/* ---- life of the LAN and of LPARs ---- */

static void test_cable(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 a = host3(b, "SYSA", 0xE00, IP_A), c = host3(b, "SYSB", 0xE00, IP_B);
    u8 f[200];
    osa_port_lan(&b->port, false, b->now);
    osa_port_lan(&b->port, false, b->now);
    assert_true(has_event(b, a, OSA_EVENT_LAN_DOWN, 0) && has_event(b, c, OSA_EVENT_LAN_DOWN, 0));
    assert_int_equal(b->to[a].n, 1);
    send_plain(b, a, IP_A, IP_B, 0, 40);
    assert_int_equal(at(b, a, OSA_AC_DROP_STATE), 1);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_A, 40));
    assert_int_equal(b->port.count[OSA_PC_DROP_LAN_DOWN], 1);
    assert_int_equal(request(b, a, OSA_OP_STARTLAN, 0, 0, 0, NULL), OSA_RC_LAN_OFFLINE);
    assert_int_equal(request(b, a, OSA_OP_SETIP, 0, IP_V, 0, NULL), 0); /* taken now, announced later */
    forget(b);
    osa_port_lan(&b->port, true, b->now);
    assert_true(has_event(b, a, OSA_EVENT_LAN_UP, 0));
    assert_int_equal(b->lan.n, 3);
    send_plain(b, a, IP_A, IP_B, 0, 40);
    assert_int_equal(frames_to(b, c), 1);
    bench_free(b);
}

static void test_fence(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 a = host3(b, "SYSA", 0xE00, IP_A), c = host3(b, "SYSB", 0xE00, IP_B), n;
    assert_int_equal(osa_port_fence(&b->port, "SYSX", b->now), 0);
    assert_int_equal(osa_port_fence(&b->port, "sysa", b->now), 1);
    assert_true(has_event(b, a, OSA_EVENT_FENCED, 0));
    assert_true(osa_port_fenced(&b->port, "SYSA", 1));
    assert_false(osa_port_fenced(&b->port, "SYSA", 2));
    forget(b);
    send_plain(b, a, IP_A, IP_B, 0, 40);
    assert_int_equal(frames_to(b, c), 0);
    assert_int_equal(request(b, a, OSA_OP_SETIP, 0, IP_A, 0, NULL), 0xAAAA);
    assert_int_equal(b->port.oat_count, 1);
    assert_int_equal(attach_as(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00, 1, &n), OSA_RC_LAN_OFFLINE);
    assert_int_equal(attach_as(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00, 2, &n), 0); /* the next IPL is welcome */
    /* Its address is free for another; a leaving LPAR frees its own in the same way. */
    assert_int_equal(request(b, c, OSA_OP_SETIP, OSA_IP_VIPA, IP_A, 0, NULL), 0);
    osa_port_link_down(&b->port, c, b->now);
    assert_int_equal(b->port.oat_count, 0);
    assert_int_equal(osa_port_fence(&b->port, "", b->now), 1);
    bench_free(b);
}

static void test_hipersockets(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_IQD, false, false, 57344);
    u32 a = start(b, OSA_MODE_QDIO_L3, "SYSA", 0x7000), c = start(b, OSA_MODE_QDIO_L3, "SYSB", 0x7000);
    assert_int_equal(request(b, a, OSA_OP_SETIP, 0, IP_A, 0, NULL), 0); /* nobody to probe */
    assert_int_equal(request(b, c, OSA_OP_SETIP, 0, IP_B, 0, NULL), 0);
    static u8 p[57344];
    send_ip(b, a, p, packet(p, IP_A, IP_B, 50, 57000), 0, 0, 0, 0, 0);
    assert_int_equal(frames_to(b, c), 1);
    send_plain(b, a, IP_A, IP_GW, 0, 40);
    assert_int_equal(at(b, a, OSA_AC_DROP_NO_OWNER), 1);
    assert_int_equal(b->lan.n, 0);
    bench_free(b);
}

static void test_table_limits(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 n = start(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00);
    for (u32 i = 0; i < OSA_OAT_MAX; i++) {
        assert_int_equal(request(b, n, OSA_OP_SETIP, OSA_IP_VIPA, 0x0B000001u + i, 0, NULL), 0);
        forget(b);
    }
    assert_int_equal(request(b, n, OSA_OP_SETIP, OSA_IP_VIPA, IP_V, 0, NULL), OSA_RC_TABLE_FULL);
    assert_int_equal(b->port.count[OSA_PC_OAT_FULL], 1);
    for (u32 i = 0; i < OSA_OAT_MAX; i++) {
        assert_int_equal(request(b, n, OSA_OP_DELIP, 0, 0x0B000001u + i, 0, NULL), 0);
        forget(b);
    }
    for (u32 i = 0; i < OSA_MACS_MAX; i++) {
        assert_int_equal(request(b, n, OSA_OP_SETIPM, 0, 0xE0000001u + i, 0, NULL), 0);
        forget(b);
    }
    assert_int_equal(request(b, n, OSA_OP_SETIPM, 0, 0xE1000001u, 0, NULL), OSA_RC_TABLE_FULL);
    for (u32 i = 0; i < OSA_PROBES_MAX; i++) {
        assert_int_equal(request(b, n, OSA_OP_SETIP, 0, 0x0B000001u + i, 0, NULL), 0xAAAA);
        forget(b);
    }
    assert_int_equal(request(b, n, OSA_OP_SETIP, 0, IP_A, 0, NULL), 0); /* taken unprobed, and counted */
    assert_int_equal(b->port.count[OSA_PC_PROBES_FULL], 1);
    assert_int_equal(request(b, n, 99, 0, 0, 0, NULL), OSA_RC_UNSUPPORTED);
    assert_int_equal(request(b, n, 0, 0, 0, 0, NULL), OSA_RC_UNSUPPORTED);
    bench_free(b);
}

static void test_names(void **state) {
    UNUSED(state);
    for (u32 i = 0; i < OSA_AC_COUNT; i++) assert_string_not_equal(osa_attachment_counter_name(i), "?");
    for (u32 i = 0; i < OSA_PC_COUNT; i++) assert_string_not_equal(osa_port_counter_name(i), "?");
    assert_string_equal(osa_mode_name(OSA_MODE_LCS), "LCS");
    assert_string_equal(osa_attachment_counter_name(OSA_AC_COUNT), "?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_domain),  cmocka_unit_test(test_attach),       cmocka_unit_test(test_setip_rules),
        cmocka_unit_test(test_probe),        cmocka_unit_test(test_arp_output),   cmocka_unit_test(test_arp_limits),
        cmocka_unit_test(test_arp_answers),  cmocka_unit_test(test_unicast),      cmocka_unit_test(test_groups),
        cmocka_unit_test(test_layer2),       cmocka_unit_test(test_lcs),          cmocka_unit_test(test_segmentation),
        cmocka_unit_test(test_checksums),    cmocka_unit_test(test_large_in),     cmocka_unit_test(test_cable),
        cmocka_unit_test(test_fence),        cmocka_unit_test(test_hipersockets), cmocka_unit_test(test_table_limits),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
