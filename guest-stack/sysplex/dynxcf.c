/* dynxcf.c - dynamic XCF links and the packets that go over them. See dynxcf.h. */
#include "sysplex/dynxcf.h"

#include "net/ip.h"
#include "net/route.h"
#include "net/stack_impl.h"
#include "sysplex/sysplex_impl.h"
#include "wire/ip4.h"

#define SAMEHOST_DEVICE "IUTSAMEH"
#define SAMEHOST_LINK   "EZASAMEMVS"
#define LINK_PREFIX     "EZAXCF"
/* The largest packet that fits a message; EZASAMEMVS shows 65535, as the books have it, and carries this. */
#define PACKET_MAX (PLEXMSG_DATA_MAX - PLEXMSG_PACKET_HEAD)

size_t dynxcf_bytes(void) {
    return (size_t)DYNXCF_LARGE * (PLEXMSG_DATA_MAX + 16) + (size_t)DYNXCF_SMALL * (DYNXCF_SMALL_BYTES + 16);
}

bool dynxcf_init(struct sysplex *sx, struct arena *a) {
    struct dynxcf *dx = &sx->dx;
    list_init(&dx->open);
    list_init(&dx->idle);
    for (u32 i = 0; i < DYNXCF_BATCHES; i++) {
        dx->batch[i].size = i < DYNXCF_LARGE ? PLEXMSG_DATA_MAX : DYNXCF_SMALL_BYTES;
        dx->batch[i].bytes = arena_take(a, dx->batch[i].size, 16);
        if (!dx->batch[i].bytes) return false;
        list_push_back(&dx->idle, &dx->batch[i].node);
    }
    return true;
}

/* ---- the device ---- */

/* One of those that the link leads to: the stacks of one image share it. */
static struct sysplex_peer *peer_of_link(struct sysplex *sx, const struct link *lnk) {
    struct sysplex_peer *p = NULL;
    while ((p = sysplex_peer_next(sx, p, false)) && p->lnk != lnk) {
    }
    return p;
}

static int attach(struct device *dev, void *ctx) {
    struct link *lnk = dev->lnk;
    dev->state = ctx;
    lnk->caps = LINK_CAP_ARP | LINK_CAP_CSUM_OUT | LINK_CAP_CSUM_IN | LINK_CAP_GSO;
    lnk->mtu_bytes = DYNXCF_MTU;
    lnk->gso_max_bytes = DYNXCF_MTU;
    return 0;
}

/* Ready as soon as there is somebody at the other end; until then it stays STARTING. */
static int start(struct device *dev, u64 now) {
    struct sysplex *sx = dev->state;
    if (dev->lnk == sx->dx.samehost || peer_of_link(sx, dev->lnk)) device_ready(dev, now);
    return 0;
}

static int stop(struct device *dev, u64 now) {
    device_stopped(dev, now);
    return 0;
}

/* ---- batches: one for each peer that packets go to in this turn of the loop ---- */

static void batch_send(struct sysplex *sx, struct peer *p, u64 now) {
    struct packet_batch *b = p->batch;
    if (!b->used) return;
    if (p->pub.lnk) {
        p->pub.lnk->count.packets_out += b->passed;
        p->pub.lnk->count.bytes_out += b->passed_bytes;
    }
    sx->count.forwarded += b->passed;
    sx->count.packets_out += b->passed;
    if (group_send_now(sx, &p->pub, PLEXMSG_DATA, b->bytes, b->used, now) == 0)
        SX_COUNT(sx, batches_out);
    else
        SX_COUNT(sx, drop_batch);
    b->used = b->passed = b->passed_bytes = 0;
}

static void batch_close(struct sysplex *sx, struct peer *p) {
    struct packet_batch *b = p->batch;
    if (b->used) SX_COUNT(sx, drop_batch); /* the peer has gone before the flush */
    p->batch = NULL;
    b->used = b->passed = b->passed_bytes = 0;
    list_del(&b->node);
    /* The large ones in front: as long as there are some, they are taken. */
    if (b->size == PLEXMSG_DATA_MAX)
        list_push_front(&sx->dx.idle, &b->node);
    else
        list_push_back(&sx->dx.idle, &b->node);
}

/* The peer that the oldest open batch is for. */
static struct peer *batch_oldest(struct sysplex *sx) {
    struct packet_batch *b = LIST_ENTRY(sx->dx.open.next, struct packet_batch, node);
    struct peer *p = sx_peer(sx, b->peer);
    CHECK(p && p->batch == b);
    return p;
}

/* An idle batch that holds so many bytes; NULL. If the first does not, none does. */
static struct packet_batch *batch_idle(struct dynxcf *dx, u32 bytes) {
    struct packet_batch *b = list_empty(&dx->idle) ? NULL : LIST_ENTRY(dx->idle.next, struct packet_batch, node);
    if (!b || b->size < bytes) return NULL;
    list_del(&b->node);
    return b;
}

struct packet_batch *dynxcf_batch(struct sysplex *sx, struct peer *to, u32 bytes, u64 now) {
    struct dynxcf *dx = &sx->dx;
    struct packet_batch *b = to->batch;
    if (b && b->used + bytes > b->size) batch_send(sx, to, now);
    if (b && bytes <= b->size) return b;
    if (b) batch_close(sx, to);
    while (!(b = batch_idle(dx, bytes))) {
        struct peer *oldest = batch_oldest(sx);
        SX_COUNT(sx, batches_early);
        batch_send(sx, oldest, now);
        batch_close(sx, oldest);
    }
    b->peer = to->pub.index;
    to->batch = b;
    list_push_back(&dx->open, &b->node);
    if (to->pub.lnk && !to->pub.lnk->flush_due) link_flush_later(to->pub.lnk); /* what goes past link_output() is flushed, too */
    return b;
}

int dynxcf_put(struct sysplex *sx, struct peer *to, const struct pkt *p, u64 now) {
    u32 bytes = pkt_bytes(p), room = packet_bytes(bytes);
    if (room > PLEXMSG_DATA_MAX) {
        SX_COUNT(sx, drop_packet_form);
        return -ERR_MSGSIZE;
    }
    struct packet_batch *b = to->batch;
    if (!b || room > b->size - b->used) b = dynxcf_batch(sx, to, room, now);
    pkt_copy(p, 0, packet_head(b, p, bytes), bytes);
    SX_COUNT(sx, packets_out);
    return 0;
}

static int output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    struct sysplex *sx = lnk->dev->state;
    struct sysplex_peer *to = sysplex_peer_by_dynxcf(sx, next_hop);
    if (to && to->lnk != lnk) to = NULL;                           /* counted on its own link */
    if (!to && lnk != sx->dx.samehost) to = peer_of_link(sx, lnk); /* a route without a gateway */
    if (!to) {
        SX_COUNT(sx, drop_packet_no_link);
        return -ERR_NETUNREACH;
    }
    return dynxcf_put(sx, sx_peer_of(to), p, now);
}

/* All batches go, whatever link they are counted on: the links that packets were put on are flushed together. */
static void flush(struct link *lnk, u64 now) {
    struct sysplex *sx = lnk->dev->state;
    while (!list_empty(&sx->dx.open)) {
        struct peer *p = batch_oldest(sx);
        batch_send(sx, p, now);
        batch_close(sx, p);
    }
}

/* The stack's own, of all dynamic XCF links together. */
static void counters(const struct link *lnk, void (*row)(void *ctx, const char *name, u64 value), void *ctx) {
    const struct sysplex *sx = lnk->dev->state;
    const char *name;
    u32 value;
    for (u32 i = 0; (name = sysplex_counter(sx, i, &value)) != NULL; i++) row(ctx, name, value);
    for (u32 i = 0; (name = viparoute_counter(sx, i, &value)) != NULL; i++) row(ctx, name, value);
}

static const struct device_ops device_ops = {.type_name = "MPCPTP", .attach = attach, .start = start, .stop = stop};
static const struct link_ops link_ops = {.output = output, .flush = flush, .counters = counters};

struct driver sysplex_driver(struct sysplex *sx) {
    return (struct driver){.device = &device_ops, .link = &link_ops, .ctx = sx};
}

/* ---- packets from peers ---- */

static void message(void *ctx, struct sysplex_peer *from, u8 kind, const u8 *data, u32 len, u64 now) {
    struct sysplex *sx = ctx;
    UNUSED(kind);
    SX_COUNT(sx, batches_in);
    for (u32 at = 0; at < len;) {
        u8 *head = sx->rx + at;
        u32 bytes = len - at > PLEXMSG_PACKET_HEAD ? be16_get(data + at) : 0;
        u32 padded = (bytes + 3) & ~3u;
        if (bytes < IP4_HEADER_MIN || padded > len - at - PLEXMSG_PACKET_HEAD) {
            SX_COUNT(sx, drop_packet_form);
            return;
        }
        at += PLEXMSG_PACKET_HEAD + padded;
        if (!from->lnk || !from->lnk->up) {
            SX_COUNT(sx, drop_packet_no_link);
            continue;
        }
        struct pkt p = {.data = head + PLEXMSG_PACKET_HEAD,
                        .len = bytes,
                        .headroom = PLEXMSG_PACKET_HEAD,
                        .flags = PKT_IP_CSUM_OK,
                        .from = SX_FROM(from),
                        .gso_bytes = be16_get(head + 2)};
        if (head[4] & PACKET_CSUM_OK) p.flags |= PKT_L4_CSUM_OK;
        if (head[4] & PACKET_DISTRIBUTED) p.flags |= PKT_DISTRIBUTED;
        SX_COUNT(sx, packets_in);
        link_input(from->lnk, &p, now);
    }
    link_flush_all(sx->stk, now);
}

/* ---- links ---- */

static struct link *link_make(struct sysplex *sx, const char *device, const char *name) {
    struct device *dev = NULL;
    struct link *lnk = NULL;
    if (device_add(sx->stk, device, DEV_MPCPTP, 0, &dev)) return NULL;
    dev->autorestart = true;
    if (link_add(sx->stk, dev, name, LNK_MPCPTP, 0, &lnk)) {
        device_delete(sx->stk, device);
        return NULL;
    }
    lnk->bsd_mtu_bytes = DYNXCF_MTU;
    lnk->bsd_metric = sx->dx.metric;
    lnk->bsd_mask = sx->dx.mask;
    lnk->address_of = sx->dx.samehost;
    return lnk;
}

static bool is_generated(const struct link *lnk) {
    return memcmp(lnk->name, LINK_PREFIX, sizeof LINK_PREFIX - 1) == 0;
}

/* The link to another image: of the profile if it names that system, else ours, else a new one. */
static struct link *link_to(struct sysplex *sx, const struct sysplex_peer *p, u64 now) {
    char name[NAME_MAX_LEN + 1];
    struct device *dev = device_find(sx->stk, p->system);
    if (dev && dev->type == DEV_MPCPTP && dev->lnk) return dev->lnk;
    str_fmt(name, sizeof name, LINK_PREFIX "%s", p->sysclone);
    struct link *lnk = link_find(sx->stk, name);
    if (!lnk) {
        lnk = link_make(sx, p->system, name);
        if (lnk) device_start(lnk->dev, now);
        return lnk;
    }
    if (dev || lnk->dev->type != DEV_MPCPTP || peer_of_link(sx, lnk)) return NULL;
    device_rename(lnk->dev, p->system); /* it waited for a peer of that SYSCLONE */
    return lnk;
}

void dynxcf_route(struct sysplex *sx, struct sysplex_peer *p, bool add, u64 now) {
    struct route_def def = {.dest = p->dynxcf, .prefix_bits = 32, .kind = ROUTE_DYNAMIC, .lnk = p->by_iqd ? sx->dx.iqd : p->lnk};
    if (!def.lnk) return;
    if (add)
        route_add(sx->stk, &def, now);
    else
        route_del(sx->stk, &def, now);
}

void dynxcf_peer_link(struct sysplex *sx, struct sysplex_peer *p, u64 now) {
    char text[IPADDR_TEXT_MAX];
    if (!sx->dx.on || p->lnk || ipaddr_is_any(p->dynxcf) || ipaddr_eq(p->dynxcf, sx->dx.addr)) return;
    struct link *lnk = p->same_image ? sx->dx.samehost : link_to(sx, p, now);
    if (!lnk) {
        stack_message(sx->stk, "PLX0501W NO DYNAMIC XCF LINK TO %s COULD BE DEFINED", p->name);
        return;
    }
    p->lnk = lnk;
    dynxcf_route(sx, p, true, now);
    if (!lnk->dev->wanted) return; /* the operator has stopped it */
    if (lnk->dev->status == DEVST_STARTING) device_ready(lnk->dev, now); /* started before its peer was there */
    stack_message(sx->stk, "EZZ4324I CONNECTION TO %s ACTIVE FOR DEVICE %s", ipaddr_text(p->dynxcf, text),
                  lnk->dev->name);
}

static void peer_down(void *ctx, struct sysplex_peer *p, u64 now) {
    struct sysplex *sx = ctx;
    struct link *lnk = p->lnk;
    char text[IPADDR_TEXT_MAX], name[NAME_MAX_LEN + 1];
    dynxcf_route(sx, p, false, now);
    p->by_iqd = false;
    if (!lnk) return;
    p->lnk = NULL;
    if (sx->peer[p->index].batch) batch_close(sx, &sx->peer[p->index]);
    stack_message(sx->stk, "EZZ4325I CONNECTION TO %s CLEARED FOR DEVICE %s", ipaddr_text(p->dynxcf, text),
                  lnk->dev->name);
    if (lnk == sx->dx.samehost || peer_of_link(sx, lnk)) return; /* others go on using it */
    if (!lnk->dev->wanted) return;                               /* what the operator has stopped stays so */
    device_stop(lnk->dev, now);
    str_copy(name, sizeof name, lnk->dev->name);
    if (is_generated(lnk) && link_delete(sx->stk, lnk->name) == 0)
        device_delete(sx->stk, name);
    else
        device_start(lnk->dev, now); /* a device of the profile, or of a static route, waits for its peer's return */
}

/* ---- IPCONFIG ---- */

struct plexmsg_ustate dynxcf_ustate(const struct sysplex *sx) {
    struct plexmsg_ustate u = {.incarnation = sx->conf.incarnation,
                               .epoch = sx->epoch,
                               .dynxcf = sx->dx.addr,
                               .mask = sx->dx.mask,
                               .iqd = sx->dx.iqd_lan};
    str_copy(u.sysclone, sizeof u.sysclone, sx->sysclone);
    str_copy(u.tcpname, sizeof u.tcpname, sx->tcpname);
    return u;
}

void dynxcf_tell(struct sysplex *sx, u64 now) {
    struct plexmsg_ustate u = dynxcf_ustate(sx);
    u8 bytes[PLEXMSG_USTATE];
    if (!sx->member) return;
    plexmsg_ustate_emit(bytes, &u);
    xcf_set_ustate(sx->member, bytes, now);
}

/* The others learn the address from the user state; those that are there get their links. */
static void tell_address(struct sysplex *sx, u64 now) {
    dynxcf_tell(sx, now);
    for (struct sysplex_peer *p = NULL; (p = sysplex_peer_next(sx, p, false));) dynxcf_peer_link(sx, p, now);
}

int dynxcf_define(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask, u8 metric, u64 now) {
    struct dynxcf *dx = &sx->dx;
    if (ipaddr_mask_bits(mask) < 0 || ipaddr_is_any(addr) || ipaddr_is_loopback(addr) || ipaddr_is_multicast(addr) ||
        ipaddr_is_broadcast(addr))
        return -ERR_INVAL;
    if (dx->on) return ipaddr_eq(addr, dx->addr) && ipaddr_eq(mask, dx->mask) ? 0 : -ERR_BUSY;
    if (home_find(sx->stk, addr)) return -ERR_EXIST;
    dx->addr = addr;
    dx->mask = mask;
    dx->metric = metric;
    struct link *lnk = link_make(sx, SAMEHOST_DEVICE, SAMEHOST_LINK);
    int rc = lnk ? home_add(sx->stk, addr, lnk, HOME_GENERATED, now) : -ERR_NOMEM;
    if (rc) {
        dx->addr = dx->mask = IPADDR_ANY;
        return rc;
    }
    lnk->bsd_mtu_bytes = DYNXCF_SAMEHOST_MTU;
    lnk->mtu_bytes = lnk->gso_max_bytes = PACKET_MAX & ~3u;
    dx->samehost = lnk;
    dx->on = true;
    device_start(lnk->dev, now);
    iqdio_define(sx, now);
    tell_address(sx, now);
    return 0;
}

void dynxcf_stop(struct sysplex *sx, u64 now) {
    if (sx->dx.on) home_del(sx->stk, sx->dx.addr, now);
    sx->dx.on = false;
}

struct link *dynxcf_link(struct sysplex *sx, const char *name, u64 now) {
    struct link *lnk = link_find(sx->stk, name);
    if (lnk || !sx->dx.on) return lnk;
    if (memcmp(name, LINK_PREFIX, sizeof LINK_PREFIX - 1) != 0 || strlen(name) != sizeof LINK_PREFIX + 1) return NULL;
    lnk = link_make(sx, name, name); /* the device gets its system's name with its peer */
    if (lnk) device_start(lnk->dev, now);
    return lnk;
}

const struct sysplex_part_ops dynxcf_part = {
    .name = "DYNAMICXCF",
    .kind_first = PLEXMSG_DATA,
    .kind_last = PLEXMSG_DATA,
    .says_due = true, /* nothing: packets are the stack's business */
    .message = message,
    .peer_down = peer_down,
    .poll = iqdio_poll,
};
