/* fuzz_arp.c - Ethernet frames into an LCS link while the stack sends, waits and forgets.
 *
 * Records:  1 control | 1 length n | n bytes
 *   control 0x80  raw frame           0x40  time passes first: n * 100 ms
 *           0x20  the stack sends a packet to neighbour 10.0.1.(low nibble)
 *   otherwise an ARP packet: bytes 0 op, 1 sender MAC, 2 sender host, 3 target host
 */
#include "base/str.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/packets.h"
#include "tests/unit/testnet.h"

static void stack_sends(struct stack *a, u8 host, u64 now) {
    u8 room[PKT_HEADROOM + 16] = {0};
    struct pkt p = {.data = room + PKT_HEADROOM, .len = 16, .headroom = PKT_HEADROOM};
    struct ip_out how = {.dst = ipaddr_v4(0x0A000100u | host), .proto = 200};
    ip_output(a, &p, &how, now);
}

static u32 build_arp(u8 *out, const struct link *l, const u8 *b) {
    u8 mac[6] = {2, 7, 7, 7, 7, b[1]};
    char sender[IPADDR_TEXT_MAX], target[IPADDR_TEXT_MAX];
    ipaddr_text(ipaddr_v4(b[2] == 255 ? 0 : 0x0A000100u | b[2]), sender);
    ipaddr_text(ipaddr_v4(0x0A000100u | b[3]), target);
    return packet_arp(out, b[0] & 3, mac, sender, b[0] & 4 ? l->mac : NULL, target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct stack_config cfg;
    struct testnet *t = testnet_create(1);
    u8 out[512];
    stack_config_default(&cfg);
    cfg.max_sockets = cfg.max_timewait = cfg.max_datagram_sockets = cfg.small_pbufs = 16;
    cfg.buffer_chunks = 32;
    cfg.large_pbufs = cfg.max_arp = cfg.max_groups = 4;
    cfg.huge_pbufs = 2;
    cfg.max_links = 4;
    cfg.max_routes = cfg.max_home = cfg.max_port_rules = 8;
    struct stack *a = testnet_stack(t, "TCPIPA", &cfg);
    struct link *l = testnet_link(t, a, "L1", "10.0.1.1", "255.255.255.0", 0);
    while (size >= 2) {
        u8 control = data[0];
        u32 n = u32_min(data[1], (u32)size - 2);
        const u8 *bytes = data + 2;
        data += n + 2;
        size -= n + 2;
        if (control & 0x40) testnet_run(t, n * 100000u);
        if (control & 0x20) stack_sends(a, control & 15, t->now);
        if (control & 0x80)
            testnet_give(l, bytes, n, 0);
        else if (n >= 4)
            testnet_give(l, out, build_arp(out, l, bytes), 0);
        testnet_poll(t);
        testnet_clear(l);
        CHECK(a->arp.pool.in_use <= 4 && a->small.in_use <= 4 * ARP_PENDING_MAX);
    }
    testnet_destroy(t);
    return 0;
}
