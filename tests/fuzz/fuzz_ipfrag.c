/* fuzz_ipfrag.c - fragments of one datagram in any order, size and overlap, against a plain model.
 *
 * Records of 4 bytes:
 *   0  2  8000 the bytes are lies | 2000 more fragments | 1FFF offset in blocks
 *   2  2  8000 a minute passes afterwards | 07FF length
 * The true datagram's byte i is i * 7 + (i >> 8). Unless a fragment lied, whatever comes out as a whole must
 * be a prefix of the truth.
 */
#include <stdlib.h>

#include "base/str.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/packets.h"
#include "tests/unit/testnet.h"

#define DATAGRAM_MAX 65536

static u8 truth[DATAGRAM_MAX], packet[DATAGRAM_MAX];
static bool lied;

static void whole_input(struct stack *stk, struct pkt *p, u64 now) {
    UNUSED(stk);
    UNUSED(now);
    CHECK(p->len <= 65515);
    if (!lied) CHECK(memcmp(p->data, truth, p->len) == 0);
}
static const struct ip_proto whole_proto = {.name = "FUZZ", .input = whole_input};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct stack_config cfg;
    struct testnet *t = testnet_create(1);
    static u8 lie[2048];
    for (u32 i = 0; i < DATAGRAM_MAX; i++) truth[i] = (u8)(i * 7 + (i >> 8));
    lied = false;
    stack_config_default(&cfg);
    cfg.max_sockets = cfg.max_timewait = cfg.max_datagram_sockets = cfg.small_pbufs = 16;
    cfg.buffer_chunks = 32;
    cfg.large_pbufs = cfg.max_arp = cfg.max_groups = 4;
    cfg.huge_pbufs = 3;
    cfg.max_reassembly = 2;
    cfg.max_links = 4;
    cfg.max_routes = cfg.max_home = cfg.max_port_rules = 8;
    struct stack *a = testnet_stack(t, "TCPIPA", &cfg);
    struct link *l = testnet_link(t, a, "L1", "10.0.1.1", "255.255.255.0", LINK_CAP_ARP);
    ip_proto_register(a, 200, &whole_proto);
    for (; size >= 4; size -= 4, data += 4) {
        u16 word = be16_get(data), len = be16_get(data + 2) & 2047;
        u32 at = (word & IP4_FRAG_OFFSET) * 8u;
        struct packet_ip ip = {.src = "10.0.1.9", .dst = "10.0.1.1", .proto = 200, .id = 7};
        ip.frag = (u16)(word & (IP4_FRAG_OFFSET | IP4_FRAG_MF));
        bool other = word & 0x8000;
        if (at + len > sizeof truth) len = (u16)(sizeof truth - at);
        lied |= other;
        memset(lie, 0x55, sizeof lie);
        u32 bytes = packet_ip(packet, &ip, other ? lie : truth + at, len);
        testnet_give(l, packet, bytes, 0);
        if (data[2] & 0x80) testnet_run(t, 61ull * USEC_PER_SEC);
        testnet_clear(l);
        CHECK(a->frags.pool.in_use <= 2 && a->huge.in_use <= 2);
    }
    testnet_destroy(t);
    return 0;
}
