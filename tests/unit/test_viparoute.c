/* test_viparoute.c - VIPAROUTE: distributed and moved connections in GRE over the LAN of simulated systems; what is too long for the
 * way, what is not in force, and what a target does not take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/distsim.h"
#include "wire/gre.h"
#include "wire/icmp.h"
#include "wire/ip4.h"

#define SEC       ((u64)USEC_PER_SEC)
#define SESSIONS  8
#define BYTES     300000
#define XCF_1     ipaddr_v4(0xC109C802) /* of system 1 */
#define LAN_1     ipaddr_v4(0x0A000002)
#define A_CLIENT  ipaddr_v4(0x0A0000C8)

/* ---- the header ---- */

static void header_vectors(void **state) {
    static const u8 plain[] = {0x00, 0x00, 0x08, 0x00}, sum[] = {0x80, 0x00, 0x08, 0x00, 0x77, 0xFF, 0x00, 0x00};
    static const struct {
        u8 bytes[8];
        enum gre_fault fault;
    } wrong[] = {{{0x40, 0x00, 0x08, 0x00}, GRE_FLAGS},   {{0x20, 0x00, 0x08, 0x00}, GRE_FLAGS}, {{0x10, 0x00, 0x08, 0x00}, GRE_FLAGS},
                 {{0x04, 0x00, 0x08, 0x00}, GRE_FLAGS},   {{0x00, 0x01, 0x08, 0x00}, GRE_FLAGS}, {{0x00, 0x00, 0x86, 0xDD}, GRE_TYPE},
                 {{0x80, 0x00, 0x08, 0x00, 0x77, 0xFE}, GRE_CHECKSUM}};
    u8 made[GRE_HEADER_BYTES];
    u32 header = 0;
    UNUSED(state);
    gre_emit(made);
    assert_memory_equal(made, plain, sizeof plain);
    assert_int_equal(gre_check(plain, sizeof plain, &header), GRE_OK);
    assert_int_equal(header, 4);
    assert_int_equal(gre_check(sum, sizeof sum, &header), GRE_OK);
    assert_int_equal(header, 8);
    for (u32 n = 0; n < sizeof sum; n++) assert_int_equal(gre_check(sum, n, &header), GRE_SHORT);
    for (u32 n = 0; n < sizeof plain; n++) assert_int_equal(gre_check(plain, n, &header), GRE_SHORT);
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) assert_int_equal(gre_check(wrong[i].bytes, 8, &header), wrong[i].fault);
    /* RFC 2784 has these bits ignored. */
    static const u8 reserved[] = {0x03, 0xF8, 0x08, 0x00};
    assert_int_equal(gre_check(reserved, sizeof reserved, &header), GRE_OK);
}

/* ---- on simulated systems: 0 routes, 1 and 2 are targets; 0 has a VIPAROUTE to 1 ---- */

static struct simdist *plex(struct ipaddr target) {
    struct simdist_params par = {.seed = 31, .systems = 3, .method = DIST_ROUNDROBIN};
    struct simdist *s = distsim_up(&par);
    distsim_settled(s);
    assert_int_equal(viparoute_define(simplex_sysplex(simdist_plex(s), 0), XCF_1, target), 0);
    return s;
}
static struct sysplex *sysplex_of(struct simdist *s, u32 i) {
    return simplex_sysplex(simdist_plex(s), i);
}
static u32 whole(struct simdist *s) {
    struct simplex_session *e[SESSIONS];
    distsim_fetch(s, e, SESSIONS, BYTES);
    return distsim_whole(s, e, SESSIONS, 10 * SEC);
}

static void distributed_in_gre(void **state) {
    struct simdist *s = plex(LAN_1);
    const struct viparoute_table *from = &sysplex_of(s, 0)->vr, *to = &sysplex_of(s, 1)->vr;
    u64 xcf = link_find(simplex_stack(simdist_plex(s), 0), "EZAXCF02")->count.packets_out;
    bool in_force = false;
    UNUSED(state);
    assert_int_equal(whole(s), SESSIONS);
    assert_true(from->count.sent > 20);
    assert_int_equal(from->count.sent, to->count.received);
    assert_int_equal(link_find(simplex_stack(simdist_plex(s), 0), "EZAXCF02")->count.packets_out, xcf);
    assert_int_equal(to->count.drop_stranger + to->count.drop_gre + to->count.drop_inner, 0);
    assert_ptr_equal(viparoute_at(sysplex_of(s, 0), 0, &in_force), &from->row[0]);
    assert_true(in_force);
    /* Without the statement they go over XCF again. */
    assert_int_equal(viparoute_delete(sysplex_of(s, 0), XCF_1, A_CLIENT), -ERR_NOENT);
    assert_int_equal(viparoute_delete(sysplex_of(s, 0), XCF_1, LAN_1), 0);
    u32 before = from->count.sent;
    assert_int_equal(whole(s), SESSIONS);
    assert_int_equal(from->count.sent, before);
    simdist_destroy(s);
}

/* An address that is not that stack's: said once, and everything goes as if there were no statement. */
static void not_in_force(void **state) {
    struct simdist *s = plex(A_CLIENT);
    bool in_force = true;
    UNUSED(state);
    assert_int_equal(whole(s), SESSIONS);
    assert_int_equal(sysplex_of(s, 0)->vr.count.sent, 0);
    assert_int_equal(simplex_said(simdist_plex(s), 0,
                                  "PLX0508W VIPAROUTE 193.9.200.2 10.0.0.200 IS NOT USED: IT IS NOT IN THE HOME LIST OF THAT STACK"), 1);
    viparoute_at(sysplex_of(s, 0), 0, &in_force);
    assert_false(in_force);
    simdist_destroy(s);
}

static void limits_of_the_table(void **state) {
    struct simdist *s = plex(LAN_1);
    struct sysplex *sx = sysplex_of(s, 0);
    UNUSED(state);
    assert_int_equal(viparoute_define(sx, XCF_1, A_CLIENT), 0); /* replaces */
    assert_int_equal(sx->vr.rows, 1);
    assert_int_equal(viparoute_define(sx, IPADDR_ANY, LAN_1), -ERR_INVAL);
    assert_int_equal(viparoute_define(sx, XCF_1, ipaddr_v4(0xE0000001)), -ERR_INVAL);
    for (u32 i = 1; i < VIPAROUTES_MAX; i++) assert_int_equal(viparoute_define(sx, ipaddr_v4(0xC109C900 + i), LAN_1), 0);
    assert_int_equal(viparoute_define(sx, ipaddr_v4(0xC109CA00), LAN_1), -ERR_NOMEM);
    assert_null(viparoute_at(sx, VIPAROUTES_MAX, NULL));
    simdist_destroy(s);
}

/* ---- single packets ---- */

/* A TCP segment from a client to the DVIPA as ip_input() leaves it at system 0. */
static struct pkt segment(struct simdist *s, u8 *room, u32 len, u16 frag) {
    memset(room, 0, PKT_HEADROOM + len);
    struct ip4_fields f = {.src = A_CLIENT, .dst = SIMDIST_VIP, .total = (u16)len, .id = 7, .frag = frag, .ttl = 9, .proto = IP_PROTO_TCP};
    struct pkt p = {.data = room + PKT_HEADROOM, .len = len, .headroom = PKT_HEADROOM, .flags = PKT_DISTRIBUTED,
                    .src = A_CLIENT, .dst = SIMDIST_VIP, .proto = IP_PROTO_TCP, .ttl = 9};
    ip4_emit(p.data, &f);
    p.data[20 + 12] = 5 << 4;
    p.ip_header = p.data;
    p.in = link_find(simplex_stack(simdist_plex(s), 0), "LAN");
    return p;
}
static void forward(struct simdist *s, struct pkt *p) {
    struct sysplex *sx = sysplex_of(s, 0);
    sysplex_forward(sx, sysplex_peer_by_dynxcf(sx, XCF_1), p, simplex_local(simdist_plex(s), 0));
    simdist_run(s, SEC / 10);
}

static void too_long_for_the_way(void **state) {
    static u8 room[PKT_HEADROOM + 9000];
    struct simdist *s = plex(LAN_1);
    const struct viparoute_table *from = &sysplex_of(s, 0)->vr, *to = &sysplex_of(s, 1)->vr;
    const struct net_stats *st = &simplex_stack(simdist_plex(s), 0)->stats;
    UNUSED(state);
    struct pkt p = segment(s, room, 1476, IP4_FRAG_DF); /* as much as 1500 leave */
    forward(s, &p);
    assert_int_equal(to->count.received, 1);
    p = segment(s, room, 1477, IP4_FRAG_DF);
    u32 told = st->icmp.out_dest_unreachs;
    forward(s, &p);
    assert_int_equal(from->count.too_big, 1);
    assert_int_equal(st->icmp.out_dest_unreachs, told + 1);
    assert_int_equal(to->count.received, 1);
    p = segment(s, room, 1500, 0); /* may be cut: around it */
    forward(s, &p);
    assert_int_equal(to->count.received, 2);
    assert_int_equal(st->ip.frag_creates, 2);
    p = segment(s, room, 40 + 3500, IP4_FRAG_DF); /* joined by a card: three segments again */
    p.gso_bytes = 1400;
    forward(s, &p);
    assert_int_equal(to->count.received, 5);
    p = segment(s, room, 40 + 3500, IP4_FRAG_DF);
    p.gso_bytes = 1450;
    forward(s, &p);
    assert_int_equal(from->count.too_big, 2);
    assert_int_equal(to->count.received, 5);
    assert_int_equal(from->count.drop_output, 0);
    simdist_destroy(s);
}

/* What is not marked as routed may have to be routed there: GRE can't say so, XCF can. */
static void only_what_is_routed(void **state) {
    static u8 room[PKT_HEADROOM + 200];
    struct simdist *s = plex(LAN_1);
    struct pkt p = segment(s, room, 100, 0);
    UNUSED(state);
    p.flags = 0;
    forward(s, &p);
    assert_int_equal(sysplex_of(s, 0)->vr.count.sent, 0);
    assert_int_equal(sysplex_counters(sysplex_of(s, 0))->forwarded, 1);
    simdist_destroy(s);
}

/* GRE around inner arrives at system 1 from src. */
static void arrives(struct simdist *s, struct ipaddr src, const u8 *inner, u32 len, u16 type) {
    u8 room[PKT_HEADROOM + 200] = {0};
    struct pkt p = {.data = room + PKT_HEADROOM, .len = 24 + len, .headroom = PKT_HEADROOM};
    struct ip4_fields f = {.src = src, .dst = LAN_1, .total = (u16)p.len, .ttl = 9, .proto = IP_PROTO_GRE};
    ip4_emit(p.data, &f);
    be16_put(p.data + 22, type);
    memcpy(p.data + 24, inner, len);
    link_input(link_find(simplex_stack(simdist_plex(s), 1), "LAN"), &p, simplex_local(simdist_plex(s), 1));
}

static void what_a_target_takes(void **state) {
    static u8 room[PKT_HEADROOM + 200];
    struct simdist *s = plex(LAN_1);
    const struct viparoute_table *to = &sysplex_of(s, 1)->vr;
    struct ipaddr partner = ipaddr_v4(0x0A000001);
    UNUSED(state);
    struct pkt good = segment(s, room, 40, 0);
    arrives(s, partner, good.data, 40, GRE_TYPE_IP);
    assert_int_equal(to->count.received, 1);
    arrives(s, A_CLIENT, good.data, 40, GRE_TYPE_IP); /* no partner */
    assert_int_equal(to->count.drop_stranger, 1);
    arrives(s, partner, good.data, 40, 0x86DD);
    assert_int_equal(to->count.drop_gre, 1);
    /* Cut anywhere, it is not a packet. */
    for (u32 n = 0; n < 40; n++) arrives(s, partner, good.data, n, GRE_TYPE_IP);
    assert_int_equal(to->count.drop_inner, 40);
    /* For an address that is no DVIPA, its own or another's: this is no way into or through the stack. */
    struct ip4_fields f = {.src = A_CLIENT, .dst = LAN_1, .total = 40, .ttl = 9, .proto = IP_PROTO_TCP};
    ip4_emit(good.data, &f);
    arrives(s, partner, good.data, 40, GRE_TYPE_IP);
    f.dst = ipaddr_v4(0x0A000003);
    ip4_emit(good.data, &f);
    arrives(s, partner, good.data, 40, GRE_TYPE_IP);
    /* Nor GRE in GRE, or UDP. */
    f = (struct ip4_fields){.src = A_CLIENT, .dst = SIMDIST_VIP, .total = 40, .ttl = 9, .proto = IP_PROTO_GRE};
    ip4_emit(good.data, &f);
    arrives(s, partner, good.data, 40, GRE_TYPE_IP);
    f.proto = IP_PROTO_UDP;
    ip4_emit(good.data, &f);
    arrives(s, partner, good.data, 40, GRE_TYPE_IP);
    assert_int_equal(to->count.drop_inner, 44);
    assert_int_equal(to->count.received, 1);
    simdist_destroy(s);
}

/* ---- connections that live at the former owner ---- */

static void vipas(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    UNUSED(ctx);
    if (i == 0) assert_int_equal(dvipa_define(sx, SIMDIST_VIP, ipaddr_v4(0xFFFFFF00), DVIPA_IMMEDIATE, now), 0);
    if (i == 1) assert_int_equal(dvipa_backup(sx, SIMDIST_VIP, 200, IPADDR_ANY, DVIPA_MOVEABLE_NA, now), 0);
    if (i == 1) assert_int_equal(viparoute_define(sx, ipaddr_v4(0xC109C801), ipaddr_v4(0x0A000001)), 0);
}

static void moved_in_gre(void **state) {
    struct simplex_params par = {.seed = 7, .systems = 2, .profile = vipas};
    struct simplex *p = simplex_create(&par);
    UNUSED(state);
    simplex_run(p, 4 * SEC);
    struct simplex_session *e = simplex_fetch(p, 0, SIMDIST_VIP, 4000000);
    simplex_run(p, SEC / 10);
    e->paused = true;
    assert_int_equal(dvipa_deactivate(simplex_sysplex(p, 0), SIMDIST_VIP, simplex_local(p, 0)), 0);
    simplex_run(p, SEC / 10);
    assert_int_equal(simplex_owner(p, SIMDIST_VIP), 1);
    simplex_resume(e);
    simplex_run(p, 20 * SEC);
    assert_true(e->ended && !e->failed && e->server == 0 && e->got == 4000000);
    assert_true(simplex_sysplex(p, 1)->vr.count.sent > 100);
    assert_int_equal(simplex_sysplex(p, 0)->vr.count.received, simplex_sysplex(p, 1)->vr.count.sent);
    simplex_forget(e);
    simplex_destroy(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_vectors),      cmocka_unit_test(distributed_in_gre), cmocka_unit_test(not_in_force),
        cmocka_unit_test(limits_of_the_table), cmocka_unit_test(too_long_for_the_way), cmocka_unit_test(only_what_is_routed),
        cmocka_unit_test(what_a_target_takes), cmocka_unit_test(moved_in_gre),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
