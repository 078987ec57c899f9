/* fuzz_ip_input.c - packets from the network into a router with UDP, ICMP, multicast and TCP end points.
 *
 * The input is a program of records:  1 control | 1 length n | n bytes
 *   control 0x80  raw: the bytes are the whole IP packet as it is
 *           0x40  time passes first: n * 20 ms
 *           0x20  the card vouches for checksums        0x10  the packet arrives on the second link
 *           0x0F  otherwise: what is built around the bytes, with right checksums (see cases)
 * So the fuzzer reaches past the header checks without having to find a checksum. After each record no
 * invariant may have broken (CHECK), and at the end every pool is level (testnet_destroy).
 */
#include "base/str.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/packets.h"
#include "tests/unit/testnet.h"
#include "wire/cksum.h"

#define CARD (LINK_CAP_ARP | LINK_CAP_MCAST)

struct world {
    struct testnet *t;
    struct stack *a;
    struct link *l[2];
};

static struct world world_create(void) {
    struct stack_config cfg;
    struct world w = {.t = testnet_create(1)};
    stack_config_default(&cfg);
    cfg.max_sockets = cfg.max_timewait = cfg.max_datagram_sockets = cfg.small_pbufs = 16;
    cfg.buffer_chunks = 32;
    cfg.large_pbufs = cfg.max_arp = cfg.max_groups = 4;
    cfg.huge_pbufs = 3;
    cfg.max_reassembly = 2;
    cfg.max_links = 4;
    cfg.max_routes = cfg.max_home = cfg.max_port_rules = 8;
    w.a = testnet_stack(w.t, "TCPIPA", &cfg);
    w.l[0] = testnet_link(w.t, w.a, "L1", "10.0.1.1", "255.255.255.0", CARD);
    w.l[1] = testnet_link(w.t, w.a, "L2", "10.0.2.1", "255.255.255.0", 0);
    w.a->conf.ip.forwarding = true;
    struct route_def def = {.gateway = testnet_ip("10.0.1.254"), .lnk = w.l[0]};
    route_add(w.a, &def, w.t->now);
    struct dgram *d;
    CHECK(dgram_open(w.a, DGRAM_UDP, "FUZZ", &d) == 0);
    dgram_bind(d, IPADDR_ANY, 0x3030, w.t->now);
    dgram_setopt(d, SO_MCAST_JOIN, testnet_ip("224.1.2.3").v4, w.t->now);
    CHECK(dgram_open(w.a, DGRAM_ICMP, "FUZZ", &d) == 0);
    dgram_bind(d, IPADDR_ANY, 0x3131, w.t->now);
    struct sock *s;
    CHECK(sock_open(w.a, SOCK_TCP, "FUZZ", &s) == 0);
    sock_bind(s, IPADDR_ANY, 0x3232, w.t->now);
    sock_listen(s, 2, w.t->now);
    return w;
}

/* An IP packet around the bytes, as the control's low nibble says. */
static u32 build(u8 *out, u8 control, const u8 *bytes, u32 n) {
    static const char *const dst[] = {"10.0.1.1", "10.0.2.9", "224.1.2.3", "10.0.1.255"};
    struct packet_ip ip = {.src = "10.0.1.9", .dst = dst[control >> 2 & 3], .proto = 17};
    switch (control & 3) {
    case 0: /* UDP: ports from the bytes */
        if (n < 4) return 0;
        return packet_udp(out, &ip, be16_get(bytes), be16_get(bytes + 2), bytes + 4, n - 4);
    case 1: /* ICMP, from the gateway, so that redirects count */
        if (n < 6) return 0;
        ip.src = "10.0.1.254";
        return packet_icmp(out, &ip, bytes[0], bytes[1], be32_get(bytes + 2), bytes + 6, n - 6);
    case 2: { /* any protocol, fragment field and options */
        if (n < 8) return 0;
        ip.proto = bytes[0];
        ip.frag = be16_get(bytes + 1);
        ip.ttl = bytes[3];
        ip.id = bytes[4] & 3;
        ip.options_len = u32_min(bytes[5] & 0x3C, (n - 8) & 0x3C);
        if (ip.options_len > 40) ip.options_len = 40;
        ip.options = bytes + 8;
        u32 len = packet_ip(out, &ip, bytes + 8 + ip.options_len, n - 8 - ip.options_len);
        if (ip.proto == 2 && len >= 28 + ip.options_len) { /* IGMP with a right checksum */
            u8 *g = out + 20 + ip.options_len;
            be16_put(g + 2, 0);
            be16_put(g + 2, cksum_fold(cksum_add(0, g, len - 20 - ip.options_len)));
        }
        return len;
    }
    default: /* TCP with a right checksum */
        if (n < 20) return 0;
        ip.proto = 6;
        u32 len = packet_ip(out, &ip, bytes, n);
        be16_put(out + 36, 0);
        u32 sum = cksum_pseudo(testnet_ip(ip.src), testnet_ip(ip.dst), 6, n);
        be16_put(out + 36, cksum_fold(cksum_add(sum, out + 20, n)));
        return len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct world w = world_create();
    u8 out[512];
    while (size >= 2) {
        u8 control = data[0];
        u32 n = u32_min(data[1], (u32)size - 2);
        const u8 *bytes = data + 2;
        struct link *l = w.l[control >> 4 & 1];
        u16 flags = control & 0x20 ? PKT_IP_CSUM_OK | PKT_L4_CSUM_OK : 0;
        data += n + 2;
        size -= n + 2;
        if (control & 0x40) testnet_run(w.t, n * 20000u);
        u32 len = control & 0x80 ? n : build(out + 14, control, bytes, n);
        if (control & 0x80) memcpy(out + 14, bytes, n);
        if (l == w.l[1]) {
            static const u8 peer[6] = {2, 1, 1, 1, 1, 1};
            packet_frame(out, l->mac, peer, 0x0800, out + 14, len);
            testnet_give(l, out, len + 14, flags);
        } else {
            /* What a card vouches for it may also have joined. */
            testnet_give_joined(l, out + 14, len, flags, flags && (control & 0x80) ? (u16)(n / 2) : 0);
        }
        testnet_poll(w.t);
        testnet_clear(w.l[0]);
        testnet_clear(w.l[1]);
    }
    testnet_destroy(w.t);
    return 0;
}
