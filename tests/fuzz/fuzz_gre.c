/* fuzz_gre.c - whatever comes as GRE from a partner to a stack that is in the sysplex with a DVIPA (sysplex/viparoute.h).
 *
 * The input is a program of records:  1 control | 1 length n | n bytes
 *   control 0x80  the bytes are the whole of what stands in the outer packet, GRE header and all
 *           else  they are the inside of a packet for the DVIPA with good IP and GRE headers: 0x40 ICMP instead of TCP
 *           0x20  from a stranger instead of the partner      0x1F fragment offset of the outer packet, in units of 8 bytes
 * Checked by the code's own CHECKs and the sanitizers, and that each packet is either received or dropped under a cause.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "net/stack_impl.h"
#include "sysplex/sysplex_impl.h"
#include "tests/sim/simplex.h"
#include "wire/gre.h"
#include "wire/ip4.h"

#define DVIPA   ipaddr_v4(0x0A000050)
#define PARTNER ipaddr_v4(0x0A000002)
#define CLIENT  ipaddr_v4(0x0A0000C8)
#define ROOM    (PKT_HEADROOM + 512)

static void profile(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    UNUSED(ctx);
    if (i == 0) CHECK(dvipa_define(sx, DVIPA, ipaddr_v4(0xFFFFFF00), DVIPA_IMMEDIATE, now) == 0);
}

/* What stands behind the outer header; returns its length. */
static u32 build(u8 *p, u8 control, const u8 *bytes, u32 n) {
    if (control & 0x80) {
        memcpy(p, bytes, n);
        return n;
    }
    struct ip4_fields f = {.src = CLIENT, .dst = DVIPA, .total = (u16)(IP4_HEADER_MIN + n), .ttl = 9};
    f.proto = control & 0x40 ? IP_PROTO_ICMP : IP_PROTO_TCP;
    gre_emit(p);
    ip4_emit(p + GRE_HEADER_BYTES, &f);
    memcpy(p + GRE_HEADER_BYTES + IP4_HEADER_MIN, bytes, n);
    return GRE_HEADER_BYTES + IP4_HEADER_MIN + n;
}

static u32 judged(const struct sysplex *sx) {
    return sx->vr.count.received + sx->vr.count.drop_stranger + sx->vr.count.drop_gre + sx->vr.count.drop_inner;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len) {
    /* A world that is kept: making one takes longer than the input. What a fragment leaves behind ages away in its time. */
    static struct simplex *plex;
    struct fuzz z = {data, len};
    if (!plex) {
        struct simplex_params par = {.seed = 3, .systems = 2, .profile = profile};
        plex = simplex_create(&par);
        simplex_run(plex, 4 * (u64)USEC_PER_SEC);
    }
    struct sysplex *sx = simplex_sysplex(plex, 0);
    struct stack *stk = simplex_stack(plex, 0);
    while (z.left) {
        u8 room[ROOM] = {0}, control = fuzz_u8(&z);
        u32 n, want = fuzz_u8(&z), before = judged(sx);
        const u8 *bytes = fuzz_take(&z, want, &n);
        struct pkt p = {.data = room + PKT_HEADROOM, .headroom = PKT_HEADROOM};
        p.len = IP4_HEADER_MIN + build(p.data + IP4_HEADER_MIN, control, bytes, n);
        struct ip4_fields f = {.src = control & 0x20 ? CLIENT : PARTNER, .dst = ipaddr_v4(0x0A000001), .total = (u16)p.len, .ttl = 9};
        f.proto = IP_PROTO_GRE;
        f.frag = control & 0x1F;
        ip4_emit(p.data, &f);
        link_input(link_find(stk, "LAN"), &p, simplex_local(plex, 0));
        CHECK(f.frag || judged(sx) == before + 1);
    }
    simplex_run(plex, 2000);
    return 0;
}
