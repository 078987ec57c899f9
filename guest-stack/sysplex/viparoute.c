/* viparoute.c - VIPAROUTE: statements, wrapping at the routing stack, unwrapping at the target. See viparoute.h. */
#include "sysplex/viparoute.h"

#include "net/stack_impl.h"
#include "sysplex/sysplex_impl.h"
#include "wire/gre.h"
#include "wire/icmp.h"
#include "wire/ip4.h"

/* ---- statements ---- */

static struct viparoute_row *row_of(struct sysplex *sx, struct ipaddr dynxcf) {
    for (u32 i = 0; i < sx->vr.rows; i++)
        if (ipaddr_eq(sx->vr.row[i].dynxcf, dynxcf)) return &sx->vr.row[i];
    return NULL;
}

static bool is_host(struct ipaddr a) {
    return !ipaddr_is_any(a) && !ipaddr_is_loopback(a) && !ipaddr_is_multicast(a) && !ipaddr_is_broadcast(a);
}

int viparoute_define(struct sysplex *sx, struct ipaddr dynxcf, struct ipaddr target) {
    struct viparoute_row *r = row_of(sx, dynxcf);
    if (!is_host(dynxcf) || !is_host(target)) return -ERR_INVAL;
    if (!r && sx->vr.rows == VIPAROUTES_MAX) return -ERR_NOMEM;
    if (!r) r = &sx->vr.row[sx->vr.rows++];
    *r = (struct viparoute_row){.dynxcf = dynxcf, .target = target};
    return 0;
}

int viparoute_delete(struct sysplex *sx, struct ipaddr dynxcf, struct ipaddr target) {
    struct viparoute_row *r = row_of(sx, dynxcf);
    if (!r || !ipaddr_eq(r->target, target)) return -ERR_NOENT;
    *r = sx->vr.row[--sx->vr.rows];
    return 0;
}

/* The address must be that stack's own and stay there; and there must be a way to it. */
static const char *not_in_force(struct sysplex *sx, const struct viparoute_row *r, struct route_cache *way) {
    const struct sysplex_peer *p = sysplex_peer_by_dynxcf(sx, r->dynxcf);
    if (!p) return "THAT STACK IS NOT THERE";
    if (homes_find(sx, r->target) != p) return "IT IS NOT IN THE HOME LIST OF THAT STACK";
    return ip_route(sx->stk, r->target, 0, way) != 0 ? "THERE IS NO ROUTE TO IT" : NULL;
}

const struct viparoute_row *viparoute_at(struct sysplex *sx, u32 i, bool *in_force) {
    struct route_cache way;
    if (i >= sx->vr.rows) return NULL;
    if (in_force) *in_force = not_in_force(sx, &sx->vr.row[i], &way) == NULL;
    return &sx->vr.row[i];
}

const char *viparoute_counter(const struct sysplex *sx, u32 i, u32 *value) {
#define C(name) "viparoute_" #name,
    static const char *const names[] = {VIPAROUTE_COUNTERS(C)};
#undef C
    if (i >= ARRAY_LEN(names)) return NULL;
    *value = ((const u32 *)(const void *)&sx->vr.count)[i];
    return names[i];
}

bool viparoute_way(struct sysplex *sx, const struct sysplex_peer *to, struct route_cache *way) {
    struct viparoute_row *r = sx->vr.rows ? row_of(sx, to->dynxcf) : NULL;
    char text[IPADDR_TEXT_MAX], target[IPADDR_TEXT_MAX];
    if (!r) return false;
    const char *why = not_in_force(sx, r, way);
    if (why && !r->said)
        stack_message(sx->stk, "PLX0508W VIPAROUTE %s %s IS NOT USED: %s", ipaddr_text(r->dynxcf, text), ipaddr_text(r->target, target), why);
    r->said = why != NULL;
    return !why;
}

/* ---- at the stack that sends ---- */

bool viparoute_too_big(struct sysplex *sx, const struct route_cache *way, const struct pkt *p, u32 wire_bytes, u64 now) {
    bool whole = be16_get(p->data + IP4_FRAG) & IP4_FRAG_DF;
    if (!whole || wire_bytes + VIPAROUTE_OVERHEAD <= way->mtu_bytes) return false;
    sx->vr.count.too_big++;
    icmp_send_error(sx->stk, p, ICMP_UNREACHABLE, ICMP_UNREACH_FRAG_NEEDED, way->mtu_bytes - VIPAROUTE_OVERHEAD, now);
    return true;
}

/* One packet as it will be on the wire; next_hop is the stack it is for. */
static int wrap(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    struct sysplex *sx = lnk->state;
    const struct viparoute_row *r = row_of(sx, next_hop);
    u8 room[PKT_HEADROOM + GRE_HEADER_BYTES];
    struct pkt outer = {.data = room + PKT_HEADROOM, .len = GRE_HEADER_BYTES, .headroom = PKT_HEADROOM};
    CHECK(r && p->ext[PKT_EXT_MAX - 1].len == 0); /* a payload in two pieces at most: a joined one, cut */
    gre_emit(outer.data);
    outer.ext[0] = (struct span){p->data, p->len};
    for (u32 i = 1; i < PKT_EXT_MAX; i++) outer.ext[i] = p->ext[i - 1];
    outer.ext_len = pkt_bytes(p);
    if (be16_get(p->data + IP4_FRAG) & IP4_FRAG_DF) outer.flags = PKT_DF;
    const struct ip_out how = {.dst = r->target, .proto = IP_PROTO_GRE, .tos = p->data[IP4_TOS]};
    if (ip_output(sx->stk, &outer, &how, now) != 0)
        sx->vr.count.drop_output++;
    else
        sx->vr.count.sent++;
    return 0;
}

static const struct link_ops wrapping = {.output = wrap};

/* ---- at the target ---- */

/* What a routing stack may send here: TCP and ICMP for a DVIPA that this stack has, as owner, target or former owner. */
static bool is_for_dvipa(struct stack *stk, const u8 *h, u32 len) {
    if (ip4_check(h, len, true) != IP4_OK) return false;
    const struct home_entry *e = home_find(stk, ipaddr_get(h + IP4_DST));
    return e && (e->flags & HOME_DYNAMIC) && (h[IP4_PROTO] == IP_PROTO_TCP || h[IP4_PROTO] == IP_PROTO_ICMP);
}

static void unwrap(struct stack *stk, struct pkt *p, u64 now) {
    struct sysplex *sx = stack_hooks(stk)->ctx;
    u32 header = 0;
    if (!sx) return; /* the stack is stopping */
    const struct sysplex_peer *from = homes_find(sx, p->src);
    if (!from) {
        sx->vr.count.drop_stranger++;
        return;
    }
    if (gre_check(p->data, p->len, &header) != GRE_OK) {
        sx->vr.count.drop_gre++;
        return;
    }
    pkt_pull(p, header);
    if (!is_for_dvipa(stk, p->data, p->len)) {
        sx->vr.count.drop_inner++;
        return;
    }
    sx->vr.count.received++;
    struct pkt inner = {.data = p->data, .len = p->len, .headroom = p->headroom, .flags = PKT_IP_CSUM_OK | PKT_DISTRIBUTED};
    inner.from = SX_FROM(from);
    ip_input(stk, p->in, &inner, now);
}

/* Of the path MTU nothing has to be passed on: the next packet that is too big is answered by viparoute_send(). */
static void way_has_failed(struct stack *stk, u8 type, u8 code, u32 mtu, struct ipaddr src, struct ipaddr dst, const u8 *quoted,
                           u32 quoted_len, u64 now) {
    UNUSED(stk);
    UNUSED(type);
    UNUSED(code);
    UNUSED(mtu);
    UNUSED(src);
    UNUSED(dst);
    UNUSED(quoted);
    UNUSED(quoted_len);
    UNUSED(now);
}

/* Did this stack wrap what an error quotes? Its destination must be one of the statements'. */
static bool we_sent_it(struct stack *stk, struct ipaddr src, struct ipaddr dst, const u8 *quoted, u32 quoted_len) {
    struct sysplex *sx = stack_hooks(stk)->ctx;
    u32 header;
    if (!sx || !home_find(stk, src) || quoted_len < GRE_HEADER_BYTES || gre_check(quoted, quoted_len, &header) != GRE_OK) return false;
    for (u32 i = 0; i < sx->vr.rows; i++)
        if (ipaddr_eq(sx->vr.row[i].target, dst)) return true;
    return false;
}

static const struct ip_proto gre = {.name = "GRE", .input = unwrap, .icmp_valid = we_sent_it, .icmp_error = way_has_failed};

void viparoute_attach(struct sysplex *sx, struct stack *stk) {
    sx->vr.link = (struct link){.stk = stk,
                                .name = "VIPAROUTE",
                                .type = LNK_MPCPTP,
                                .index = LINK_NO_INDEX,
                                .up = true,
                                .caps = LINK_CAP_ARP,
                                .mtu_bytes = IP4_TOTAL_MAX,
                                .ops = &wrapping,
                                .state = sx};
    ip_proto_register(stk, IP_PROTO_GRE, &gre);
}
