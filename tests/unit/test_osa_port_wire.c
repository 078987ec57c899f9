/* test_osa_port_wire.c - what the port of an OSA does to packets on their way: segmentation, checksums, large packets. */
#include "tests/unit/portrig.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segmentation),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_large_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
