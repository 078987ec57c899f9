/* testnet.c - stacks under test. See testnet.h.
 *
 * The test driver is synchronous: START makes a device ready at once. A card's offload is done here by code
 * of its own (segments cut, checksums finished), so that it checks the stack's against something else. Every
 * packet is delivered from a heap block of exactly its size, with no headroom.
 */
#include "testnet.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "wire/cksum.h"
#include "wire/ip4.h"

#define START_USEC    (3600ull * USEC_PER_SEC)
#define ADDRESSES_MAX 64

struct testnet_end {
    struct testnet *t;
    struct link *lnk;
    struct testnet_end *peer; /* NULL: packets are recorded */
    struct testnet_fault fault;
    struct testnet_frame frame[TESTNET_FRAMES];
    u32 frames, flushes;
    u64 last_arrival;
    struct ipaddr registered[ADDRESSES_MAX];
    u32 registereds;
    u32 answer; /* what address_add's result will be */
};

/* A packet under way. */
struct flying {
    struct flying *next;
    struct testnet_end *to;
    u64 at;
    u32 len;
    u16 flags;
    u8 bytes[];
};

static void die(const char *what) {
    fprintf(stderr, "testnet: %s\n", what);
    abort();
}

u32 testnet_random(struct testnet *t) {
    t->rng ^= t->rng << 13;
    t->rng ^= t->rng >> 7;
    t->rng ^= t->rng << 17;
    return (u32)(t->rng >> 16);
}

static bool chance(struct testnet *t, u32 permille) {
    return permille && testnet_random(t) % 1000 < permille;
}

struct ipaddr testnet_ip(const char *text) {
    struct ipaddr a;
    if (!ipaddr_parse(text, strlen(text), &a)) die(text);
    return a;
}

/* ---- the wire ---- */

static void fly(struct testnet_end *to, const u8 *bytes, u32 len, u16 flags, u64 at) {
    struct flying *f = malloc(sizeof *f + len), **where = (struct flying **)&to->t->wire;
    *f = (struct flying){.to = to, .at = at, .len = len, .flags = flags};
    memcpy(f->bytes, bytes, len);
    while (*where && (*where)->at <= at) where = &(*where)->next;
    f->next = *where;
    *where = f;
}

static void onto_wire(struct testnet_end *e, u8 *bytes, u32 len) {
    struct testnet *t = e->t;
    const struct testnet_fault *f = &e->fault;
    u16 flags = e->peer->lnk->caps & LINK_CAP_CSUM_IN ? PKT_IP_CSUM_OK | PKT_L4_CSUM_OK : 0;
    if (chance(t, f->loss_permille) || (f->mtu_drop_bytes && len > f->mtu_drop_bytes)) {
        t->lost++;
        return;
    }
    u64 at = t->now + f->delay_usec + (f->jitter_usec ? testnet_random(t) % f->jitter_usec : 0);
    if (at < e->last_arrival && !chance(t, f->reorder_permille))
        at = e->last_arrival;
    else if (chance(t, f->reorder_permille)) {
        at += f->delay_usec + 1000;
        t->reordered++;
    }
    e->last_arrival = u64_max(e->last_arrival, at);
    if (chance(t, f->corrupt_permille)) {
        u32 bit = testnet_random(t) % 8;
        bytes[testnet_random(t) % len] ^= (u8)(1u << bit);
        flags = 0;
    }
    fly(e->peer, bytes, len, flags, at);
    if (!chance(t, f->duplicate_permille)) return;
    t->duplicated++;
    fly(e->peer, bytes, len, flags, at + 10);
}

static void deliver(struct testnet_end *to, const u8 *bytes, u32 len, struct pkt p) {
    u8 *copy = malloc(len ? len : 1);
    memcpy(copy, bytes, len);
    p.data = copy;
    p.len = len;
    if (to->lnk->caps & LINK_CAP_ARP)
        link_input(to->lnk, &p, to->t->now);
    else
        link_input_frame(to->lnk, &p, to->t->now);
    link_flush_all(to->lnk->stk, to->t->now);
    free(copy);
}

/* ---- the card ---- */

static void card_checksum(u8 *ip, u32 len) {
    u32 header = ip4_header_bytes(ip);
    u8 *field = ip + header + (ip[IP4_PROTO] == 6 ? 16 : 6);
    u32 sum = cksum_pseudo(ipaddr_get(ip + IP4_SRC), ipaddr_get(ip + IP4_DST), ip[IP4_PROTO], len - header);
    if (be16_get(field) != cksum_partial(sum))
        die("PKT_CSUM_NEEDED without the pseudo header's sum in the field");
    be16_put(field, 0);
    u16 value = cksum_fold(cksum_add(sum, ip + header, len - header));
    be16_put(field, value == 0 && ip[IP4_PROTO] == 17 ? 0xFFFF : value);
}

/* One packet of at most the MTU, checksums finished. */
static void card_send(struct testnet_end *e, u8 *bytes, u32 len, const struct pkt *p,
                      struct ipaddr next_hop) {
    if (e->peer) {
        onto_wire(e, bytes, len);
        return;
    }
    if (e->frames == TESTNET_FRAMES) return;
    struct testnet_frame *f = &e->frame[e->frames++];
    *f = (struct testnet_frame){
        .len = len, .flags = p->flags, .gso_bytes = p->gso_bytes, .next_hop = next_hop};
    f->bytes = malloc(len);
    memcpy(f->bytes, bytes, len);
}

static void card_cut(struct testnet_end *e, const u8 *whole, u32 len, const struct pkt *p,
                     struct ipaddr next_hop) {
    u32 ip_bytes = ip4_header_bytes(whole), headers = ip_bytes + (u32)(whole[ip_bytes + 12] >> 4) * 4;
    u32 seq = be32_get(whole + ip_bytes + 4);
    u8 *seg = malloc(headers + p->gso_bytes);
    for (u32 at = headers, n = 0; at < len; at += p->gso_bytes, n++) {
        u32 part = u32_min(p->gso_bytes, len - at);
        memcpy(seg, whole, headers);
        memcpy(seg + headers, whole + at, part);
        be16_put(seg + 2, (u16)(headers + part));
        be16_put(seg + 4, (u16)(be16_get(whole + 4) + n));
        ip4_sign(seg);
        be32_put(seg + ip_bytes + 4, seq + at - headers);
        if (at + part < len) seg[ip_bytes + 13] &= 0xF6;
        be16_put(seg + ip_bytes + 16, cksum_partial(cksum_pseudo(ipaddr_get(seg + 12), ipaddr_get(seg + 16),
                                                                 6, headers + part - ip_bytes)));
        card_checksum(seg, headers + part);
        card_send(e, seg, headers + part, p, next_hop);
    }
    free(seg);
}

static int link_out(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    struct testnet_end *e = lnk->state;
    u32 len = pkt_bytes(p), frame = lnk->caps & LINK_CAP_ARP ? 0 : 14;
    u8 *flat = malloc(len);
    UNUSED(now);
    pkt_copy(p, 0, flat, len);
    if (len > (p->gso_bytes ? lnk->gso_max_bytes : lnk->mtu_bytes) + frame)
        die("a packet larger than the link takes");
    if (p->gso_bytes && e->peer) {
        card_cut(e, flat, len, p, next_hop);
    } else {
        if ((p->flags & PKT_CSUM_NEEDED) && !p->gso_bytes) card_checksum(flat + frame, len - frame);
        card_send(e, flat, len, p, next_hop);
    }
    free(flat);
    return 0;
}

static void link_ring(struct link *lnk, u64 now) {
    UNUSED(now);
    ((struct testnet_end *)lnk->state)->flushes++;
}

static int address_add(struct link *lnk, struct ipaddr addr, bool is_vipa, u64 now) {
    struct testnet_end *e = lnk->state;
    UNUSED(is_vipa);
    if (!e->answer) {
        if (e->registereds == ADDRESSES_MAX) die("too many addresses registered");
        e->registered[e->registereds++] = addr;
    }
    link_address_result(lnk, addr, e->answer, now);
    return 0;
}

static int address_del(struct link *lnk, struct ipaddr addr, bool passes_on, u64 now) {
    struct testnet_end *e = lnk->state;
    UNUSED(passes_on);
    UNUSED(now);
    for (u32 i = 0; i < e->registereds; i++) {
        if (!ipaddr_eq(e->registered[i], addr)) continue;
        e->registered[i] = e->registered[--e->registereds];
        return 0;
    }
    return -ERR_NOENT;
}

static int group_note(struct link *lnk, struct ipaddr group, u64 now) {
    UNUSED(lnk);
    UNUSED(group);
    UNUSED(now);
    return 0;
}

static const struct link_ops test_link_ops = {.output = link_out,
                                              .flush = link_ring,
                                              .address_add = address_add,
                                              .address_del = address_del,
                                              .group_join = group_note,
                                              .group_leave = group_note};

static int device_attach(struct device *dev, void *ctx) {
    struct testnet *t = ctx;
    struct testnet_end *e = calloc(1, sizeof *e);
    if (t->ends == TESTNET_LINKS) die("too many links");
    e->t = t;
    e->lnk = dev->lnk;
    e->lnk->state = e;
    dev->lnk->mac[0] = 2;
    dev->lnk->mac[5] = (u8)(t->ends + 1);
    t->end[t->ends++] = e;
    return 0;
}

static void device_detach(struct device *dev) {
    ((struct testnet_end *)dev->lnk->state)->lnk = NULL;
}

static int device_begin(struct device *dev, u64 now) {
    struct testnet_end *e = dev->lnk->state;
    e->registereds = 0;
    device_ready(dev, now);
    return 0;
}

static int device_end(struct device *dev, u64 now) {
    device_stopped(dev, now);
    return 0;
}

static const struct device_ops test_device_ops = {.type_name = "TEST",
                                                  .attach = device_attach,
                                                  .detach = device_detach,
                                                  .start = device_begin,
                                                  .stop = device_end};

/* ---- setting up ---- */

static void note_message(void *ctx, const char *text) {
    struct testnet *t = ctx;
    str_copy(t->message[t->messages++ % TESTNET_MESSAGES], sizeof t->message[0], text);
}

static u32 env_random(void *ctx) {
    return testnet_random(ctx);
}

struct testnet *testnet_create(u64 seed) {
    struct testnet *t = calloc(1, sizeof *t);
    t->now = START_USEC;
    t->seed = seed;
    t->rng = seed * 0x9E3779B97F4A7C15ull + 0x1234567;
    for (u32 i = 0; i < DEV_TYPES; i++)
        t->drivers[i] = (struct driver){.device = &test_device_ops, .link = &test_link_ops, .ctx = t};
    t->env =
        (struct stack_env){.ctx = t, .message = note_message, .random = env_random, .drivers = t->drivers};
    return t;
}

void testnet_config(struct stack_config *cfg) {
    stack_config_default(cfg);
    cfg->max_sockets = 64;
    cfg->max_timewait = 64;
    cfg->buffer_chunks = 512;
    cfg->small_pbufs = 64;
    cfg->large_pbufs = 64;
    cfg->huge_pbufs = 8;
    cfg->max_datagram_sockets = 16;
    cfg->max_groups = 8;
    cfg->max_links = 8;
    cfg->max_home = 16;
    cfg->max_routes = 64;
    cfg->max_arp = 8;
    cfg->max_port_rules = 16;
    cfg->max_reassembly = 4;
}

struct stack *testnet_stack(struct testnet *t, const char *name, const struct stack_config *cfg) {
    struct stack_config small;
    struct arena a;
    if (!cfg) {
        testnet_config(&small);
        cfg = &small;
    }
    if (t->stacks == TESTNET_STACKS) die("too many stacks");
    size_t bytes = stack_bytes(cfg);
    t->storage[t->stacks] = calloc(1, bytes);
    arena_init(&a, t->storage[t->stacks], bytes);
    struct stack *stk = stack_create(&a, name, cfg, &t->env, t->now);
    if (!stk) die("stack_bytes() is less than stack_create() takes");
    return t->stack[t->stacks++] = stk;
}

static void testnet_home(struct testnet *t, struct link *lnk, const char *addr, const char *mask) {
    struct ipaddr a = testnet_ip(addr), m = testnet_ip(mask);
    struct route_def def = {.dest = ipaddr_v4(a.v4 & m.v4),
                            .prefix_bits = (u8)ipaddr_mask_bits(m),
                            .kind = ROUTE_STATIC,
                            .lnk = lnk};
    if (home_add(lnk->stk, a, lnk, 0, t->now)) die("home_add");
    int rc = route_add(lnk->stk, &def, t->now);
    if (rc) die("route_add");
}

struct link *testnet_link(struct testnet *t, struct stack *stk, const char *name, const char *addr,
                          const char *mask, u16 caps) {
    char device[NAME_MAX_LEN + 1];
    struct device *dev;
    struct link *lnk;
    bool arp = caps & LINK_CAP_ARP;
    str_fmt(device, sizeof device, "D%s", name);
    if (device_add(stk, device, arp ? DEV_MPCIPA : DEV_LCS, 0x400, &dev)) die("device_add");
    if (link_add(stk, dev, name, arp ? LNK_IPAQENET : LNK_ETHERNET, 0, &lnk)) die("link_add");
    lnk->caps = caps;
    lnk->mtu_bytes = 1500;
    lnk->gso_max_bytes = caps & LINK_CAP_GSO ? 65535 : 0;
    if (mask) testnet_home(t, lnk, addr, mask);
    if (device_start(dev, t->now)) die("device_start");
    return lnk;
}

void testnet_join(struct testnet *t, struct link *a, struct link *b, const struct testnet_fault *f) {
    struct testnet_end *x = a->state, *y = b->state;
    UNUSED(t);
    x->peer = y;
    y->peer = x;
    x->fault = y->fault = f ? *f : (struct testnet_fault){0};
}

/* ---- what was sent ---- */

u32 testnet_sent(const struct link *l) {
    return ((const struct testnet_end *)l->state)->frames;
}
u32 testnet_flushes(const struct link *l) {
    return ((const struct testnet_end *)l->state)->flushes;
}
void testnet_answer(struct link *l, u32 ipa_rc) {
    ((struct testnet_end *)l->state)->answer = ipa_rc;
}

const struct testnet_frame *testnet_frame(const struct link *l, u32 i) {
    const struct testnet_end *e = l->state;
    if (i >= e->frames) die("no such frame was sent");
    return &e->frame[i];
}

void testnet_clear(struct link *l) {
    struct testnet_end *e = l->state;
    while (e->frames) free(e->frame[--e->frames].bytes);
}

bool testnet_registered(const struct link *l, const char *addr) {
    const struct testnet_end *e = l->state;
    for (u32 i = 0; i < e->registereds; i++)
        if (ipaddr_eq(e->registered[i], testnet_ip(addr))) return true;
    return false;
}

void testnet_give(struct link *l, const void *bytes, u32 len, u16 flags) {
    deliver(l->state, bytes, len, (struct pkt){.flags = flags});
}
void testnet_give_from(struct link *l, const void *bytes, u32 len, u16 flags, u8 from) {
    deliver(l->state, bytes, len, (struct pkt){.flags = flags, .from = from});
}
void testnet_give_joined(struct link *l, const void *bytes, u32 len, u16 flags, u16 gso_bytes) {
    deliver(l->state, bytes, len, (struct pkt){.flags = flags, .gso_bytes = gso_bytes});
}

bool testnet_said(const struct testnet *t, const char *part) {
    size_t n = strlen(part);
    for (u32 i = 0; i < u32_min(t->messages, TESTNET_MESSAGES); i++)
        for (const char *s = t->message[i]; *s; s++)
            if (strlen(s) >= n && memcmp(s, part, n) == 0) return true;
    return false;
}

/* ---- time ---- */

static u64 poll_all(struct testnet *t) {
    u64 next = TIME_NEVER;
    for (u32 i = 0; i < t->stacks; i++) next = u64_min(next, stack_poll(t->stack[i], t->now));
    return next;
}

static void land(struct testnet *t) {
    for (struct flying *f; (f = t->wire) && f->at <= t->now;) {
        t->wire = f->next;
        if (f->to->lnk) deliver(f->to, f->bytes, f->len, (struct pkt){.flags = f->flags});
        t->delivered++;
        free(f);
    }
}

void testnet_poll(struct testnet *t) {
    for (u32 i = 0; i < 1000; i++) {
        land(t);
        if (poll_all(t) > t->now && (!t->wire || ((struct flying *)t->wire)->at > t->now)) return;
    }
    die("the stacks never come to rest");
}

bool testnet_run_until(struct testnet *t, u64 usec, bool (*done)(void *ctx), void *ctx) {
    u64 end = t->now + usec;
    for (;;) {
        land(t);
        u64 next = poll_all(t);
        if (done && done(ctx)) return true;
        if (t->wire) next = u64_min(next, ((struct flying *)t->wire)->at);
        if (next > end) break;
        t->now = u64_max(t->now, next);
    }
    t->now = end;
    return false;
}

void testnet_run(struct testnet *t, u64 usec) {
    testnet_run_until(t, usec, NULL, NULL);
}

/* ---- the end ---- */

static void pool_is_level(const struct stack *stk, const struct pool *p) {
    if (p->in_use == 0) return;
    fprintf(stderr, "testnet: %s: %u of pool %s are still in use\n", stk->name, p->in_use, p->name);
    abort();
}

void testnet_check_pools(const struct testnet *t) {
    for (u32 i = 0; i < t->stacks; i++) {
        const struct stack *s = t->stack[i];
        pool_is_level(s, &s->small);
        pool_is_level(s, &s->large);
        pool_is_level(s, &s->huge);
        pool_is_level(s, &s->frags.pool);
    }
}

void testnet_destroy(struct testnet *t) {
    for (u32 i = 0; i < t->stacks; i++) stack_stop(t->stack[i], t->now);
    testnet_check_pools(t);
    for (u32 i = 0; i < t->stacks; i++) {
        const struct stack *s = t->stack[i];
        pool_is_level(s, &s->dgrams.pool);
        pool_is_level(s, &s->dgrams.groups);
        pool_is_level(s, &s->igmp.pool);
        pool_is_level(s, &s->arp.pool);
        free(t->storage[i]);
    }
    for (u32 i = 0; i < t->ends; i++) {
        while (t->end[i]->frames) free(t->end[i]->frame[--t->end[i]->frames].bytes);
        free(t->end[i]);
    }
    for (struct flying *f; (f = t->wire);) {
        t->wire = f->next;
        free(f);
    }
    free(t);
}
