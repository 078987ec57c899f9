/* test_ip.c - IPv4: what is delivered, dropped (each by its counter), forwarded, answered; options; sources;
 * checksums and segments made in software.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "packets.h"
#include "testnet.h"
#include "wire/cksum.h"
#include "wire/icmp.h"

#include <cmocka.h>

#define CARD (LINK_CAP_ARP | LINK_CAP_MCAST | LINK_CAP_BCAST)

static u8 buf[70000];

/* Protocol 200: counts what reaches a transport. */
struct seen {
    u32 packets, len;
    struct ipaddr src, dst;
    u8 first;
};
static struct seen seen;

static void seen_input(struct stack *stk, struct pkt *p, u64 now) {
    UNUSED(stk);
    UNUSED(now);
    seen = (struct seen){seen.packets + 1, p->len, p->src, p->dst, p->len ? p->data[0] : 0};
}
static const struct ip_proto seen_proto = {.name = "TEST", .input = seen_input};

struct fixture {
    struct testnet *t;
    struct stack *a;
    struct link *l1, *l2;
};

static struct fixture setup(u16 caps) {
    struct fixture f = {.t = testnet_create(1)};
    f.a = testnet_stack(f.t, "TCPIPA", NULL);
    f.l1 = testnet_link(f.t, f.a, "L1", "10.0.1.1", "255.255.255.0", caps);
    f.l2 = testnet_link(f.t, f.a, "L2", "10.0.2.1", "255.255.255.0", caps);
    ip_proto_register(f.a, 200, &seen_proto);
    seen = (struct seen){0};
    return f;
}

/* ---- input ---- */

struct input_row {
    const char *name;
    struct packet_ip ip;
    u16 flags;      /* PKT_* */
    u32 delivered;  /* packets at the transport */
    size_t counter; /* of struct ip_stats, must be 1; 0 = none */
};
#define C(member) offsetof(struct ip_stats, member)

static const struct input_row input_rows[] = {
    {"to the link's address", {.src = "10.0.1.9", .dst = "10.0.1.1", .proto = 200}, 0, 1, C(in_delivers)},
    {"to another link's address", {.src = "10.0.1.9", .dst = "10.0.2.1", .proto = 200}, 0, 1, C(in_delivers)},
    {"limited broadcast",
     {.src = "10.0.1.9", .dst = "255.255.255.255", .proto = 200},
     PKT_LINK_BCAST,
     1,
     C(in_delivers)},
    {"subnet broadcast",
     {.src = "10.0.1.9", .dst = "10.0.1.255", .proto = 200},
     PKT_LINK_BCAST,
     1,
     C(in_delivers)},
    {"other link's broadcast",
     {.src = "10.0.1.9", .dst = "10.0.2.255", .proto = 200},
     0,
     0,
     C(drop_not_forwarding)},
    {"all hosts", {.src = "10.0.1.9", .dst = "224.0.0.1", .proto = 200}, PKT_LINK_MCAST, 1, C(in_delivers)},
    {"a group we are not in",
     {.src = "10.0.1.9", .dst = "224.1.2.3", .proto = 200},
     PKT_LINK_MCAST,
     0,
     C(drop_not_member)},
    {"not ours", {.src = "10.0.1.9", .dst = "10.0.3.1", .proto = 200}, 0, 0, C(drop_not_forwarding)},
    {"loopback from outside",
     {.src = "10.0.1.9", .dst = "127.0.0.1", .proto = 200},
     0,
     0,
     C(drop_martian_dst)},
    {"to nobody", {.src = "10.0.1.9", .dst = "0.0.0.0", .proto = 200}, 0, 0, C(drop_martian_dst)},
    {"from loopback", {.src = "127.0.0.1", .dst = "10.0.1.1", .proto = 200}, 0, 0, C(drop_martian_src)},
    {"from a group", {.src = "224.0.0.5", .dst = "10.0.1.1", .proto = 200}, 0, 0, C(drop_martian_src)},
    {"from broadcast",
     {.src = "255.255.255.255", .dst = "10.0.1.1", .proto = 200},
     0,
     0,
     C(drop_martian_src)},
    {"unknown protocol", {.src = "10.0.1.9", .dst = "10.0.1.1", .proto = 201}, 0, 0, C(in_unknown_protos)},
};

static void input_table(void **state) {
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(input_rows); i++) {
        const struct input_row *r = &input_rows[i];
        struct fixture f = setup(CARD);
        testnet_give(f.l1, buf, packet_ip(buf, &r->ip, "X", 1), r->flags);
        if (seen.packets != r->delivered) print_error("row: %s\n", r->name);
        assert_int_equal(seen.packets, r->delivered);
        u32 count = *(const u32 *)(const void *)((const u8 *)&f.a->stats.ip + r->counter);
        if (count != 1) print_error("row: %s\n", r->name);
        assert_int_equal(count, 1);
        testnet_destroy(f.t);
    }
}

static void faults_have_their_counters(void **state) {
    struct fixture f = setup(CARD);
    struct packet_ip ip = {.src = "10.0.1.9", .dst = "10.0.1.1", .proto = 200};
    struct ip_stats *s = &f.a->stats.ip;
    UNUSED(state);
    u32 len = packet_ip(buf, &ip, "0123456789", 10);
    for (u32 cut = 0; cut < len; cut++) testnet_give(f.l1, buf, cut, 0); /* every truncation, ASan watches */
    assert_int_equal(s->drop_short, 20);
    assert_int_equal(s->drop_total_len, 10);
    testnet_give(f.l1, buf, len + 5, 0); /* padding is fine */
    assert_int_equal(seen.packets, 1);
    assert_int_equal(seen.len, 10);
    buf[8] ^= 1;
    testnet_give(f.l1, buf, len, 0);
    assert_int_equal(s->drop_checksum, 1);
    testnet_give(f.l1, buf, len, PKT_IP_CSUM_OK); /* the card has looked: we do not */
    assert_int_equal(seen.packets, 2);
    buf[0] = 0x46;
    testnet_give(f.l1, buf, 20, PKT_IP_CSUM_OK);
    assert_int_equal(s->drop_header_len, 1);
    buf[0] = 0x65;
    testnet_give(f.l1, buf, len, 0);
    assert_int_equal(s->drop_version, 1);
    assert_int_equal(s->in_hdr_errors, 20 + 10 + 1 + 1 + 1);
    assert_int_equal(f.l1->count.drops_in_malformed, s->in_hdr_errors);
    testnet_destroy(f.t);
}

static void a_down_link_takes_nothing(void **state) {
    struct fixture f = setup(CARD);
    struct packet_ip ip = {.src = "10.0.1.9", .dst = "10.0.1.1", .proto = 200};
    UNUSED(state);
    link_lan_down(f.l1, f.t->now);
    testnet_give(f.l1, buf, packet_ip(buf, &ip, "X", 1), 0);
    assert_int_equal(seen.packets, 0);
    assert_int_equal(f.l1->count.drops_in_down, 1);
    testnet_destroy(f.t);
}

/* ---- forwarding ---- */

static struct fixture setup_router(void) {
    struct fixture f = setup(CARD);
    f.a->conf.ip.forwarding = true;
    return f;
}

static void forwards_with_one_hop_less(void **state) {
    struct fixture f = setup_router();
    struct packet_ip ip = {.src = "10.0.1.9", .dst = "10.0.2.7", .proto = 200, .ttl = 9};
    UNUSED(state);
    testnet_give(f.l1, buf, packet_ip(buf, &ip, "payload", 7), 0);
    assert_int_equal(testnet_sent(f.l2), 1);
    const struct testnet_frame *o = testnet_frame(f.l2, 0);
    assert_int_equal(ip4_check(o->bytes, o->len, true), IP4_OK);
    assert_int_equal(o->bytes[8], 8);
    assert_int_equal(o->next_hop.v4, testnet_ip("10.0.2.7").v4);
    assert_memory_equal(o->bytes + 20, "payload", 7);
    assert_int_equal(f.a->stats.ip.forw_datagrams, 1);
    assert_int_equal(testnet_flushes(f.l2), 1);
    testnet_destroy(f.t);
}

/* What a router answers instead of forwarding. */
static void forwarding_errors(void **state) {
    static const struct {
        const char *dst;
        u8 ttl, type, code;
        u16 frag;
        u32 len, mtu;
    } rows[] = {
        {"10.0.2.7", 1, 11, 0, 0, 10, 0},
        {"10.9.9.9", 64, 3, 0, 0, 10, 0},
        {"10.0.2.7", 64, 3, 4, IP4_FRAG_DF, 1400, 576},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f = setup_router();
        struct packet_ip ip = {
            .src = "10.0.1.9", .dst = rows[i].dst, .proto = 200, .ttl = rows[i].ttl, .frag = rows[i].frag};
        f.l2->mtu_bytes = 576;
        testnet_give(f.l1, buf, packet_ip(buf, &ip, buf + 2000, rows[i].len), 0);
        assert_int_equal(testnet_sent(f.l2), 0);
        assert_int_equal(testnet_sent(f.l1), 1);
        const u8 *e = testnet_frame(f.l1, 0)->bytes;
        assert_int_equal(e[20], rows[i].type);
        assert_int_equal(e[21], rows[i].code);
        assert_int_equal(be16_get(e + 26), rows[i].mtu);
        assert_int_equal(ipaddr_get(e + 12).v4, testnet_ip("10.0.1.1").v4);
        assert_memory_equal(e + 28, buf, 20); /* quotes what it received, unchanged */
        assert_true(testnet_frame(f.l1, 0)->len <= 576);
        testnet_destroy(f.t);
    }
}

static void never_forwards(void **state) {
    static const struct {
        const char *src, *dst;
        u16 flags;
    } rows[] = {
        {"10.0.1.9", "10.0.2.7", PKT_LINK_BCAST}, /* unicast in a broadcast frame */
        {"10.0.1.9", "10.0.2.255", 0},            /* directed broadcast */
        {"10.0.1.9", "240.0.0.1", 0},
        {"0.0.0.0", "10.0.2.7", 0},
        {"10.0.1.9", "224.1.1.1", 0},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f = setup_router();
        struct packet_ip ip = {.src = rows[i].src, .dst = rows[i].dst, .proto = 200};
        testnet_give(f.l1, buf, packet_ip(buf, &ip, "X", 1), rows[i].flags);
        assert_int_equal(testnet_sent(f.l2) + testnet_sent(f.l1), 0);
        testnet_destroy(f.t);
    }
}

static void redirects_who_could_go_directly(void **state) {
    struct fixture f = setup_router();
    struct packet_ip ip = {.src = "10.0.1.9", .dst = "10.5.0.1", .proto = 200};
    struct route_def def = {
        .dest = testnet_ip("10.5.0.0"), .prefix_bits = 16, .gateway = testnet_ip("10.0.1.254"), .lnk = f.l1};
    UNUSED(state);
    assert_int_equal(route_add(f.a, &def, f.t->now), 0);
    testnet_give(f.l1, buf, packet_ip(buf, &ip, "X", 1), 0);
    assert_int_equal(testnet_sent(f.l1), 2); /* the redirect, and the packet all the same */
    const u8 *e = testnet_frame(f.l1, 0)->bytes;
    assert_int_equal(e[20], ICMP_REDIRECT);
    assert_int_equal(e[21], ICMP_REDIRECT_HOST);
    assert_int_equal(be32_get(e + 24), testnet_ip("10.0.1.254").v4);
    assert_int_equal(testnet_frame(f.l1, 1)->next_hop.v4, testnet_ip("10.0.1.254").v4);
    testnet_destroy(f.t);
}

static void forwarding_renews_a_checksum_the_card_vouched_for(void **state) {
    struct fixture f = setup_router();
    struct packet_ip ip = {.src = "10.0.1.9", .dst = "10.0.2.7"};
    UNUSED(state);
    u32 len = packet_udp(buf, &ip, 1, 2, "data!", 5);
    u16 right = be16_get(buf + 26);
    be16_put(buf + 26, 0x1234); /* as it comes from another LPAR of the same card: never computed */
    testnet_give(f.l1, buf, len, PKT_IP_CSUM_OK | PKT_L4_CSUM_OK);
    assert_int_equal(be16_get(testnet_frame(f.l2, 0)->bytes + 26), right);
    /* A sender that wants none is left alone. */
    packet_udp(buf, &ip, 1, 2, "data!", 5);
    be16_put(buf + 26, 0);
    testnet_give(f.l1, buf, len, PKT_IP_CSUM_OK | PKT_L4_CSUM_OK);
    assert_int_equal(be16_get(testnet_frame(f.l2, 1)->bytes + 26), 0);
    testnet_destroy(f.t);
}

static void forwards_joined_segments(void **state) {
    static const struct {
        u8 data_offset;
        u16 gso, mtu;
        u32 payload, segments; /* 0 = dropped */
        u16 frag;
    } rows[] = {
        {0x50, 1000, 1500, 2500, 3, 0},
        {0x50, 1460, 576, 2680, 5, 0},           /* may be cut shorter: 536 each */
        {0x50, 1460, 576, 2680, 0, IP4_FRAG_DF}, /* may not */
        {0x40, 1000, 1500, 2500, 0, 0},          /* a TCP header of 16 bytes */
        {0xF0, 1000, 1500, 30, 0, 0},            /* longer than the packet */
        {0x50, 1000, 40, 2500, 0, 0},
    };
    static u8 tcp[4096];
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f = setup_router();
        struct packet_ip ip = {.src = "10.0.1.9", .dst = "10.0.2.7", .proto = 6, .frag = rows[i].frag};
        for (u32 k = 20; k < sizeof tcp; k++) tcp[k] = (u8)(k - 20);
        tcp[12] = rows[i].data_offset;
        f.l2->mtu_bytes = rows[i].mtu;
        u32 len = packet_ip(buf, &ip, tcp, 20 + rows[i].payload), at = 0;
        testnet_give_joined(f.l1, buf, len, PKT_IP_CSUM_OK | PKT_L4_CSUM_OK, rows[i].gso);
        assert_int_equal(testnet_sent(f.l2), rows[i].segments);
        for (u32 k = 0; k < rows[i].segments; k++) {
            const struct testnet_frame *o = testnet_frame(f.l2, k);
            assert_int_equal(ip4_check(o->bytes, o->len, true), IP4_OK);
            u32 sum = cksum_pseudo(testnet_ip(ip.src), testnet_ip(ip.dst), 6, o->len - 20);
            assert_int_equal(cksum_fold(cksum_add(sum, o->bytes + 20, o->len - 20)), 0);
            for (u32 j = 40; j < o->len; j++) assert_int_equal(o->bytes[j], (u8)at++);
        }
        assert_int_equal(at, rows[i].segments ? rows[i].payload : 0);
        testnet_destroy(f.t);
    }
}

/* ---- options ---- */

static void options(void **state) {
    static const u8 record[12] = {1, 7, 11, 4};
    static const u8 full[8] = {7, 7, 8, 10, 0, 0, 1, 0};
    static const u8 source[8] = {131, 7, 4, 10, 0, 2, 7, 0};
    static const u8 done[8] = {131, 7, 8, 10, 0, 2, 7, 0};
    static const u8 bad_len[4] = {7, 1, 4, 0};
    static const u8 too_long[4] = {7, 40, 4, 0};
    static const u8 bad_pointer[8] = {7, 7, 3, 0};
    static const u8 stamp[12] = {68, 12, 5, 1};
    static const struct {
        const u8 *options;
        u32 len;
        u8 type, code, pointer; /* of the ICMP answer; type 0 = forwarded */
    } rows[] = {
        {record, 12, 0, 0, 0},   {full, 8, 0, 0, 0},       {source, 8, 3, 5, 0},        {done, 8, 0, 0, 0},
        {bad_len, 4, 12, 0, 20}, {too_long, 4, 12, 0, 20}, {bad_pointer, 8, 12, 0, 22}, {stamp, 12, 0, 0, 0},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f = setup_router();
        struct packet_ip ip = {.src = "10.0.1.9",
                               .dst = "10.0.2.7",
                               .proto = 200,
                               .options = rows[i].options,
                               .options_len = rows[i].len};
        testnet_give(f.l1, buf, packet_ip(buf, &ip, "X", 1), 0);
        if (rows[i].type) {
            const u8 *e = testnet_frame(f.l1, 0)->bytes;
            assert_int_equal(testnet_sent(f.l2), 0);
            assert_int_equal(e[20], rows[i].type);
            assert_int_equal(e[21], rows[i].code);
            assert_int_equal(e[24], rows[i].pointer);
        } else {
            const struct testnet_frame *o = testnet_frame(f.l2, 0);
            assert_int_equal(ip4_check(o->bytes, o->len, true), IP4_OK);
            if (rows[i].options == record) {
                assert_int_equal(o->bytes[23], 8);
                assert_int_equal(be32_get(o->bytes + 24), testnet_ip("10.0.2.1").v4);
            }
            if (rows[i].options == stamp) {
                assert_int_equal(o->bytes[22], 13);
                assert_int_equal(be32_get(o->bytes + 24), testnet_ip("10.0.2.1").v4);
                assert_true(o->bytes[28] & 0x80);
            }
        }
        testnet_destroy(f.t);
    }
}

/* ---- output ---- */

/* Sends n bytes of protocol 200 with a spare headroom; the payload stands in data and two spans. */
static int send_from(struct fixture *f, const char *src, const char *dst, u32 n, u16 flags) {
    static u8 payload[70000];
    u8 room[PKT_HEADROOM + 8];
    for (u32 i = 0; i < n; i++) payload[i] = (u8)(i * 7);
    struct pkt p = {.data = room + PKT_HEADROOM, .headroom = PKT_HEADROOM, .flags = flags};
    p.len = u32_min(n, 8);
    memcpy(p.data, payload, p.len);
    u32 half = (n - p.len) / 2;
    p.ext[0] = (struct span){payload + p.len, half};
    p.ext[1] = (struct span){payload + p.len + half, n - p.len - half};
    p.ext_len = n - p.len;
    struct ip_out how = {.src = src ? testnet_ip(src) : IPADDR_ANY, .dst = testnet_ip(dst), .proto = 200};
    return ip_output(f->a, &p, &how, f->t->now);
}

static void output_header(void **state) {
    struct fixture f = setup(CARD);
    UNUSED(state);
    assert_int_equal(send_from(&f, NULL, "10.0.2.7", 100, PKT_DF), 0);
    const struct testnet_frame *o = testnet_frame(f.l2, 0);
    assert_int_equal(o->len, 120);
    assert_int_equal(ip4_check(o->bytes, o->len, true), IP4_OK);
    assert_int_equal(ipaddr_get(o->bytes + 12).v4, testnet_ip("10.0.2.1").v4);
    assert_int_equal(be16_get(o->bytes + 6), IP4_FRAG_DF);
    assert_int_equal(o->bytes[8], 64);
    assert_int_equal(o->bytes[9], 200);
    for (u32 i = 0; i < 100; i++) assert_int_equal(o->bytes[20 + i], (u8)(i * 7));
    assert_int_equal(send_from(&f, NULL, "10.9.0.1", 1, 0), -ERR_NETUNREACH);
    assert_int_equal(f.a->stats.ip.out_no_routes, 1);
    assert_int_equal(send_from(&f, NULL, "10.0.2.7", 1481, PKT_DF), -ERR_MSGSIZE);
    assert_int_equal(f.a->stats.ip.drop_pmtu_df, 1);
    assert_int_equal(send_from(&f, NULL, "10.0.2.7", 65516, 0), -ERR_MSGSIZE);
    assert_int_equal(testnet_sent(f.l2), 1);
    testnet_destroy(f.t);
}

static void to_ourselves_by_loopback(void **state) {
    struct fixture f = setup(CARD);
    UNUSED(state);
    assert_int_equal(send_from(&f, NULL, "10.0.2.1", 3000, PKT_DF), 0);
    assert_int_equal(seen.packets, 0); /* never from inside ip_output() */
    assert_true(stack_poll(f.a, f.t->now) > f.t->now);
    assert_int_equal(seen.packets, 1);
    assert_int_equal(seen.len, 3000);
    assert_int_equal(seen.src.v4, testnet_ip("10.0.2.1").v4);
    assert_int_equal(send_from(&f, NULL, "127.0.0.1", 1, 0), 0);
    stack_poll(f.a, f.t->now);
    assert_int_equal(seen.src.v4, IPADDR_LOOPBACK.v4);
    assert_int_equal(testnet_sent(f.l1) + testnet_sent(f.l2), 0);
    assert_int_equal(f.a->loopback->count.packets_in, 2);
    testnet_destroy(f.t);
}

static void source_addresses(void **state) {
    struct fixture f = setup(CARD);
    struct device *dev;
    struct link *vipa;
    struct ipaddr src;
    UNUSED(state);
    assert_int_equal(device_add(f.a, "VDEV", DEV_VIRTUAL, 0, &dev), 0);
    assert_int_equal(link_add(f.a, dev, "VLINK", LNK_VIRTUAL, 0, &vipa), 0);
    /* HOME 10.0.1.1 L1, 172.16.0.1 VLINK, then 10.0.2.1 L2: the VIPA stands above L2 only. */
    assert_int_equal(home_del(f.a, testnet_ip("10.0.2.1"), f.t->now), 0);
    assert_int_equal(home_add(f.a, testnet_ip("172.16.0.1"), vipa, 0, f.t->now), 0);
    assert_int_equal(home_add(f.a, testnet_ip("10.0.2.1"), f.l2, 0, f.t->now), 0);
    assert_int_equal(ip_source(f.a, testnet_ip("10.0.2.7"), &src), 0);
    assert_int_equal(src.v4, testnet_ip("10.0.2.1").v4);
    f.a->conf.ip.source_vipa = true;
    assert_int_equal(ip_source(f.a, testnet_ip("10.0.2.7"), &src), 0);
    assert_int_equal(src.v4, testnet_ip("172.16.0.1").v4);
    assert_int_equal(ip_source(f.a, testnet_ip("10.0.1.7"), &src), 0);
    assert_int_equal(src.v4, testnet_ip("10.0.1.1").v4);
    assert_int_equal(ip_source(f.a, testnet_ip("172.16.0.1"), &src), 0);
    assert_int_equal(src.v4, testnet_ip("172.16.0.1").v4);
    assert_int_equal(ip_source(f.a, testnet_ip("10.3.0.1"), &src), -ERR_NETUNREACH);
    testnet_destroy(f.t);
}

/* ---- software segmentation against the card's ---- */

static u32 gso_packet(struct fixture *f, u16 caps, u32 payload_len, u16 gso) {
    static u8 payload[65536];
    u8 room[PKT_HEADROOM + 20] = {0};
    for (u32 i = 0; i < payload_len; i++) payload[i] = (u8)(i ^ i >> 8);
    struct pkt p = {
        .data = room + PKT_HEADROOM, .len = 20, .headroom = PKT_HEADROOM, .flags = PKT_CSUM_NEEDED | PKT_DF};
    be16_put(p.data, 80);
    be16_put(p.data + 2, 1024);
    be32_put(p.data + 4, 0xFFFFFF00u); /* the sequence number wraps within the packet */
    p.data[12] = 0x50;
    p.data[13] = 0x99; /* CWR ACK PSH FIN */
    struct ipaddr src = testnet_ip("10.0.2.1"), dst = testnet_ip("10.0.2.7");
    be16_put(p.data + 16, cksum_partial(cksum_pseudo(src, dst, 6, 20 + payload_len)));
    p.ext[0] = (struct span){payload, payload_len / 3};
    p.ext[1] = (struct span){payload + payload_len / 3, payload_len / 3};
    p.ext[2] = (struct span){payload + payload_len / 3 * 2, payload_len - payload_len / 3 * 2};
    p.ext_len = payload_len;
    p.gso_bytes = gso;
    f->l2->caps = caps;
    struct ip_out how = {.src = src, .dst = dst, .proto = 6};
    assert_int_equal(ip_output(f->a, &p, &how, f->t->now), 0);
    return testnet_sent(f->l2);
}

static void segments_made_in_software(void **state) {
    static const u32 sizes[] = {1, 1459, 1460, 1461, 2920, 10000, 65000};
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
        struct fixture f = setup(CARD);
        u32 n = gso_packet(&f, CARD, sizes[i], 1460);
        assert_int_equal(n, (sizes[i] + 1459) / 1460);
        u32 at = 0;
        u16 id = be16_get(testnet_frame(f.l2, 0)->bytes + 4);
        for (u32 k = 0; k < n; k++) {
            const struct testnet_frame *o = testnet_frame(f.l2, k);
            const u8 *b = o->bytes;
            bool last = k + 1 == n;
            assert_int_equal(ip4_check(b, o->len, true), IP4_OK);
            assert_int_equal(ip4_total(b), o->len);
            assert_int_equal(be16_get(b + 4), (u16)(id + k));
            assert_int_equal(be32_get(b + 24), 0xFFFFFF00u + at);
            assert_int_equal(b[33], 0x10 | (k == 0 ? 0x80 : 0) | (last ? 0x09 : 0));
            u32 sum = cksum_pseudo(ipaddr_get(b + 12), ipaddr_get(b + 16), 6, o->len - 20);
            assert_int_equal(cksum_fold(cksum_add(sum, b + 20, o->len - 20)), 0);
            for (u32 j = 40; j < o->len; j++, at++) assert_int_equal(b[j], (u8)(at ^ at >> 8));
        }
        assert_int_equal(at, sizes[i]);
        testnet_destroy(f.t);
    }
}

static void a_card_that_can_gets_it_whole(void **state) {
    struct fixture f = setup(CARD);
    UNUSED(state);
    f.l2->gso_max_bytes = 65535;
    assert_int_equal(gso_packet(&f, CARD | LINK_CAP_GSO | LINK_CAP_CSUM_OUT, 30000, 1460), 1);
    assert_int_equal(testnet_frame(f.l2, 0)->gso_bytes, 1460);
    assert_int_equal(testnet_frame(f.l2, 0)->len, 30040);
    f.l2->gso_max_bytes = 16384; /* more than the card takes at once: cut here */
    testnet_clear(f.l2);
    assert_int_equal(gso_packet(&f, CARD | LINK_CAP_GSO | LINK_CAP_CSUM_OUT, 30000, 1460), 2);
    const struct testnet_frame *first = testnet_frame(f.l2, 0), *rest = testnet_frame(f.l2, 1);
    u32 most = (16384 - 40) / 1460; /* whole segments that it takes at once */
    assert_int_equal(first->gso_bytes, 1460);
    assert_int_equal(first->len, 40 + most * 1460);
    assert_int_equal(rest->gso_bytes, 1460);
    assert_int_equal(rest->len, 40 + 30000 - most * 1460);
    assert_int_equal(be32_get(rest->bytes + 24), 0xFFFFFF00u + most * 1460);
    assert_int_equal(be16_get(rest->bytes + 4), (u16)(be16_get(first->bytes + 4) + most)); /* as if each segment had been cut by itself */
    assert_int_equal(first->bytes[33] & 0x09, 0);
    assert_int_equal(rest->bytes[33] & 0x89, 0x09);
    testnet_clear(f.l2);
    assert_int_equal(gso_packet(&f, CARD | LINK_CAP_GSO | LINK_CAP_CSUM_OUT, most * 1460 + 1000, 1460), 2);
    assert_int_equal(testnet_frame(f.l2, 1)->gso_bytes, 0); /* the rest is one segment */
    testnet_destroy(f.t);
}

static bool claim_all(void *ctx, struct stack *stk, struct pkt *p, u64 now) {
    UNUSED(stk);
    UNUSED(now);
    *(u32 *)ctx += p->dst.v4 == testnet_ip("172.16.0.9").v4;
    return true;
}
struct router {
    enum stack_way way;
    u32 asked;
};
static enum stack_way route_some(void *ctx, struct pkt *p, u64 now) {
    struct router *r = ctx;
    UNUSED(now);
    r->asked++;
    assert_int_equal(p->len, 21); /* the medium's padding is off */
    return r->way;
}

/* A packet that was handed on leaves the stack as it was: after any other one there may be something to do. Who hands on is asked in front of
 * IP, so he is asked only about what needs no look of IP's. */
static void what_stirs_the_stack(void **state) {
    struct fixture f = setup(CARD);
    struct packet_ip ip = {.src = "10.0.1.9", .dst = "172.16.0.9", .proto = 200};
    struct device *dev;
    struct link *v;
    struct router router = {.way = STACK_WAY_ASK};
    u32 claimed = 0;
    UNUSED(state);
    assert_int_equal(device_add(f.a, "DVIPA2", DEV_VIRTUAL, 0, &dev), 0);
    assert_int_equal(link_add(f.a, dev, "DVIPL2", LNK_VIRTUAL, 0, &v), 0);
    assert_int_equal(home_add(f.a, testnet_ip("172.16.0.9"), v, HOME_DYNAMIC, f.t->now), 0);
    struct stack_hooks *h = stack_hooks(f.a);
    h->routed = route_some;
    h->routed_ctx = &router;
    h->ctx = &claimed;
    h->claim = claim_all;
    static const enum stack_way ways[] = {STACK_WAY_ASK, STACK_WAY_TAKEN, STACK_WAY_HERE};
    for (u32 i = 0; i < ARRAY_LEN(ways); i++) {
        u32 before = stack_stirred(f.a), received = f.a->stats.ip.in_receives, delivered = f.a->stats.ip.in_delivers;
        router.way = ways[i];
        testnet_give(f.l1, buf, packet_ip(buf, &ip, "X", 1) + 5, PKT_IP_CSUM_OK);
        assert_int_equal(stack_stirred(f.a) - before, ways[i] != STACK_WAY_TAKEN);
        assert_int_equal(f.a->stats.ip.in_receives - received, 1);
        /* The third is delivered, and nobody is asked. */
        assert_int_equal(f.a->stats.ip.in_delivers - delivered, ways[i] == STACK_WAY_HERE);
    }
    assert_int_equal(claimed, 1); /* asked only about what nobody routes */
    assert_int_equal(router.asked, 3);
    testnet_give(f.l1, buf, packet_ip(buf, &ip, "X", 1), 0); /* its header's sum is not known to be right */
    assert_int_equal(claimed, 2);
    for (u32 i = 0; i < 2; i++) { /* sources that no packet from a LAN may have: dropped */
        ip.src = i ? "127.0.0.1" : "224.0.0.9";
        testnet_give(f.l1, buf, packet_ip(buf, &ip, "X", 1), PKT_IP_CSUM_OK);
    }
    assert_int_equal(claimed, 2);
    assert_int_equal(router.asked, 3);
    ip.src = "10.0.1.9";
    ip.dst = "10.0.2.7"; /* forwarded: by a link whose card may want a timer */
    u32 before = stack_stirred(f.a);
    testnet_give(f.l1, buf, packet_ip(buf, &ip, "X", 1), 0);
    assert_int_equal(stack_stirred(f.a) - before, 1);
    testnet_destroy(f.t);
}

static void claims_for_dynamic_addresses(void **state) {
    struct fixture f = setup(CARD);
    struct packet_ip ip = {.src = "10.0.1.9", .dst = "172.16.0.9", .proto = 200};
    struct device *dev;
    struct link *v;
    u32 claimed = 0;
    UNUSED(state);
    assert_int_equal(device_add(f.a, "VIPDAC100009", DEV_VIRTUAL, 0, &dev), 0);
    assert_int_equal(link_add(f.a, dev, "VIPLAC100009", LNK_VIRTUAL, 0, &v), 0);
    assert_int_equal(home_add(f.a, testnet_ip("172.16.0.9"), v, HOME_DYNAMIC | HOME_GENERATED, f.t->now), 0);
    testnet_give(f.l1, buf, packet_ip(buf, &ip, "X", 1), 0);
    assert_int_equal(seen.packets, 1);
    *stack_hooks(f.a) = (struct stack_hooks){.ctx = &claimed, .claim = claim_all};
    testnet_give(f.l1, buf, packet_ip(buf, &ip, "X", 1), 0);
    assert_int_equal(claimed, 1);
    assert_int_equal(seen.packets, 1);
    assert_int_equal(f.a->stats.ip.drop_claimed, 1);
    testnet_destroy(f.t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_table),
        cmocka_unit_test(faults_have_their_counters),
        cmocka_unit_test(a_down_link_takes_nothing),
        cmocka_unit_test(forwards_with_one_hop_less),
        cmocka_unit_test(forwarding_errors),
        cmocka_unit_test(never_forwards),
        cmocka_unit_test(redirects_who_could_go_directly),
        cmocka_unit_test(forwarding_renews_a_checksum_the_card_vouched_for),
        cmocka_unit_test(forwards_joined_segments),
        cmocka_unit_test(options),
        cmocka_unit_test(output_header),
        cmocka_unit_test(to_ourselves_by_loopback),
        cmocka_unit_test(source_addresses),
        cmocka_unit_test(segments_made_in_software),
        cmocka_unit_test(a_card_that_can_gets_it_whole),
        cmocka_unit_test(what_stirs_the_stack),
        cmocka_unit_test(claims_for_dynamic_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
