/* dgram.c - datagram end points: opening, binding, queues, options. See udp.h; the protocols are in udp.c and
 * icmp.c. */
#include "base/str.h"
#include "net/stack_impl.h"
#include "wire/cksum.h"
#include "wire/icmp.h"
#include "wire/udphdr.h"

#define HEADER_BYTES 8 /* of UDP and of ICMP: kept in front of what waits */
#define MCAST_TTL    1

size_t dgram_bytes(const struct stack_config *cfg) {
    u32 n = cfg->max_datagram_sockets;
    return (sizeof(struct dgram) + 16) * (size_t)n +
           (sizeof(struct dgram_group) + 16) * (size_t)cfg->max_groups + hash_bytes(n) * (DGRAM_KINDS + 1) +
           64;
}

bool dgram_init(struct stack *stk, struct arena *a, const struct stack_config *cfg) {
    struct dgram_table *t = &stk->dgrams;
    list_init(&t->all);
    for (u32 kind = 0; kind < DGRAM_KINDS; kind++)
        if (!hash_init(&t->bound[kind], a, cfg->max_datagram_sockets)) return false;
    return hash_init(&t->connected, a, cfg->max_datagram_sockets) &&
           pool_init(&t->pool, "DATAGRAM", a, sizeof(struct dgram), cfg->max_datagram_sockets) &&
           pool_init(&t->groups, "MEMBER", a, sizeof(struct dgram_group), cfg->max_groups);
}

int dgram_open(struct stack *stk, enum dgram_kind kind, const char *jobname, struct dgram **out) {
    struct dgram *d = pool_get(&stk->dgrams.pool);
    if (!d) return -ERR_NOBUFS;
    memset(d, 0, sizeof *d);
    d->stk = stk;
    d->kind = (u8)kind;
    d->recv_limit_bytes = stk->conf.udp.recv_buffer_bytes;
    d->mcast_ttl = MCAST_TTL;
    d->conn_id = stack_conn_id(stk);
    str_copy(d->jobname, sizeof d->jobname, jobname);
    list_init(&d->queue);
    list_init(&d->groups);
    list_push_back(&stk->dgrams.all, &d->node);
    *out = d;
    return 0;
}

void dgram_on_event(struct dgram *d, dgram_event_fn *fn, void *ctx) {
    d->event = fn;
    d->event_ctx = ctx;
}

static void dgram_signal(struct dgram *d, u32 events, u64 now) {
    if (d->event) d->event(d->event_ctx, d, events, now);
}

/* ---- the two tables ---- */

static u32 dgram_hash(const struct dgram *d) {
    const struct hash_key *k = &d->stk->key;
    if (d->connected && d->kind == DGRAM_UDP) return hash3(k, d->local.port, d->peer.addr.v4, d->peer.port);
    return hash1(k, d->local.port);
}

static struct hash_table *dgram_where(const struct dgram *d) {
    bool pair = d->connected && d->kind == DGRAM_UDP;
    return pair ? &d->stk->dgrams.connected : &d->stk->dgrams.bound[d->kind];
}

static void dgram_index(struct dgram *d) {
    hash_add(dgram_where(d), dgram_hash(d), &d->hash);
    d->hashed = true;
}

static void dgram_unindex(struct dgram *d) {
    if (d->hashed) hash_del(dgram_where(d), dgram_hash(d), &d->hash);
    d->hashed = false;
}

/* ---- binding ---- */

struct port_wish {
    struct stack *stk;
    const struct dgram *self;
    struct ipaddr addr;
};

static bool addresses_clash(struct ipaddr a, struct ipaddr b) {
    return ipaddr_is_any(a) || ipaddr_is_any(b) || ipaddr_eq(a, b);
}

/* Does another end point hold this port at an address that overlaps? */
static bool port_taken(void *ctx, u16 port) {
    const struct port_wish *w = ctx;
    LIST_FOR_EACH(n, &w->stk->dgrams.all) {
        const struct dgram *d = LIST_ENTRY(n, struct dgram, node);
        if (d == w->self || d->kind != w->self->kind || d->local.port != port) continue;
        if (d->reuse && w->self->reuse) continue;
        if (addresses_clash(d->local.addr, w->addr)) return true;
    }
    return false;
}

/* May addr be bound? A HOME address, any, a group or broadcast; or one that sysplex activates for us. */
static int bind_address(struct dgram *d, struct ipaddr addr, u64 now) {
    struct stack *stk = d->stk;
    const struct home_entry *e = ipaddr_is_any(addr) ? NULL : home_find(stk, addr);
    if (ipaddr_is_any(addr) || (e && !(e->flags & HOME_DYNAMIC))) return 0;
    if (ipaddr_is_multicast(addr) || ipaddr_is_broadcast(addr)) return 0;
    if (!stk->hooks.bind_absent) return e ? 0 : -ERR_ADDRNOTAVAIL;
    int rc = stk->hooks.bind_absent(stk->hooks.ctx, d->event_ctx, addr, now);
    if (rc == 0) d->dynamic_bind = true;
    return rc;
}

static int choose_port(struct dgram *d, struct ipaddr addr, u16 *port) {
    struct port_wish w = {.stk = d->stk, .self = d, .addr = addr};
    if (*port == 0) return port_ephemeral(d->stk, IP_PROTO_UDP, port_taken, &w, port);
    return port_taken(&w, *port) ? -ERR_ADDRINUSE : 0;
}

int dgram_bind(struct dgram *d, struct ipaddr addr, u16 port, u64 now) {
    const struct port_rule *rule = NULL;
    if (d->local.port) return -ERR_INVAL;
    if (port && d->kind == DGRAM_UDP) {
        int rc = port_check(d->stk, IP_PROTO_UDP, port, d->jobname, &rule);
        if (rc) return rc;
        if (rule && (rule->flags & PORT_BIND) && ipaddr_is_any(addr)) addr = rule->bind;
    }
    int rc = bind_address(d, addr, now);
    if (!rc) rc = choose_port(d, addr, &port);
    if (rc) {
        if (d->dynamic_bind && d->stk->hooks.bind_released)
            d->stk->hooks.bind_released(d->stk->hooks.ctx, addr, now);
        d->dynamic_bind = false;
        return rc;
    }
    d->bound = d->local.addr = addr;
    d->local.port = port;
    dgram_index(d);
    return 0;
}

/* The way to dst and the source that goes with it, remembered for the next datagram to the same place. A socket bound
 * to one address sends from it; any other from `from` if that is ours, else from where the route leaves. */
static int dgram_route(struct dgram *d, struct ipaddr dst, struct ipaddr from) {
    if (!ipaddr_is_any(d->local.addr) && !ipaddr_is_multicast(d->local.addr))
        from = d->local.addr;
    else if (!ipaddr_is_any(from) && !home_find(d->stk, from))
        from = IPADDR_ANY;
    if (d->cache.generation == d->stk->route_generation && ipaddr_eq(d->cache_dst, dst) && ipaddr_eq(d->cache_from, from))
        return 0;
    d->cache.generation = 0;
    d->cache_from = from;
    if (ipaddr_is_any(from)) {
        int rc = ip_source(d->stk, dst, &d->cache_src);
        if (rc) return rc;
    } else {
        d->cache_src = from;
    }
    d->cache_dst = dst;
    return ip_route(d->stk, dst, hash3(&d->stk->key, d->cache_src.v4, dst.v4, d->local.port), &d->cache);
}

int dgram_connect(struct dgram *d, struct ipaddr addr, u16 port, u64 now) {
    if (!ipaddr_is_any(addr) && port == 0 && d->kind == DGRAM_UDP) return -ERR_INVAL;
    if (!ipaddr_is_any(addr)) {
        int rc = dgram_route(d, addr, IPADDR_ANY);
        if (rc) return rc;
    }
    if (d->local.port == 0) {
        int rc = dgram_bind(d, IPADDR_ANY, 0, now);
        if (rc) return rc;
    }
    dgram_unindex(d);
    d->connected = !ipaddr_is_any(addr);
    d->peer = (struct sockaddr4){addr, d->connected ? port : 0};
    d->local.addr = d->connected && ipaddr_is_any(d->bound) ? d->cache_src : d->bound;
    dgram_index(d);
    return 0;
}

/* ---- receiving ---- */

void dgram_deliver(struct dgram *d, const struct pkt *p, u64 now) {
    struct udp_stats *s = &d->stk->stats.udp;
    if (d->stk->conf.udp.queue_limit && d->queued >= UDP_QUEUE_MAX) {
        s->drop_queue_full++;
        return;
    }
    if (d->queued_bytes + p->len > d->recv_limit_bytes + HEADER_BYTES) {
        s->drop_buffer_full++;
        return;
    }
    struct pbuf *b = pbuf_hold(d->stk, p, now);
    if (!b) {
        s->drop_no_buffer++;
        return;
    }
    bool was_empty = list_empty(&d->queue);
    list_push_back(&d->queue, &b->node);
    d->queued++;
    d->queued_bytes += p->len;
    d->datagrams_in++;
    d->bytes_in += p->len - HEADER_BYTES;
    if (was_empty) dgram_signal(d, SOCK_EV_READ, now);
}

i32 dgram_recvfrom(struct dgram *d, void *data, u32 len, struct sockaddr4 *from, struct ipaddr *to, u64 now) {
    UNUSED(now);
    struct list *n = list_pop_front(&d->queue);
    if (!n) {
        int err = dgram_take_error(d);
        return err ? -err : -ERR_AGAIN;
    }
    struct pbuf *b = LIST_ENTRY(n, struct pbuf, node);
    u32 skip = d->kind == DGRAM_UDP ? HEADER_BYTES : 0;
    u32 whole = b->pkt.len - skip;
    memcpy(data, b->pkt.data + skip, u32_min(len, whole));
    if (from) *from = (struct sockaddr4){b->pkt.src, skip ? be16_get(b->pkt.data + UDP_SRC) : 0};
    if (to) *to = b->pkt.dst;
    d->queued--;
    d->queued_bytes -= b->pkt.len;
    pbuf_release(b);
    return (i32)whole;
}

int dgram_take_error(struct dgram *d) {
    int err = d->error;
    d->error = 0;
    return err;
}

void dgram_report_error(struct dgram *d, int err, u64 now) {
    d->error = (u8)err;
    dgram_signal(d, SOCK_EV_READ, now);
}

bool dgram_icmp_input(struct stack *stk, u16 ident, const struct pkt *p, u64 now) {
    struct hash_row *row = *hash_head(&stk->dgrams.bound[DGRAM_ICMP], hash1(&stk->key, ident));
    for (; row; row = row->next) {
        struct dgram *d = (struct dgram *)row;
        if (d->local.port != ident) continue;
        if (!ipaddr_is_any(d->local.addr) && !ipaddr_eq(d->local.addr, p->dst)) continue;
        dgram_deliver(d, p, now);
        return true;
    }
    return false;
}

/* ---- sending ---- */

static int may_send(struct dgram *d, const struct sockaddr4 *to, u32 len) {
    if (ipaddr_is_any(to->addr)) return -ERR_INVAL;
    if (d->kind == DGRAM_UDP && to->port == 0) return -ERR_INVAL;
    if (ipaddr_is_broadcast(to->addr) && !d->broadcast) return -ERR_ACCES;
    if (len > 65535u - IP_HEADER_BYTES - HEADER_BYTES || len > d->stk->conf.udp.send_buffer_bytes)
        return -ERR_MSGSIZE;
    return 0;
}

static void write_header(struct dgram *d, struct pkt *p, const struct sockaddr4 *to, u32 len) {
    struct stack *stk = d->stk;
    if (d->kind == DGRAM_ICMP) {
        u32 sum;
        be16_put(p->data, ICMP_ECHO << 8);
        be16_put(p->data + 2, 0);
        be16_put(p->data + 4, d->local.port);
        be16_put(p->data + 6, ++d->echo_seq);
        sum = pkt_sum(p, 0, pkt_bytes(p));
        be16_put(p->data + 2, cksum_fold(sum));
        stk->stats.icmp.out_msgs++;
        stk->stats.icmp.out_echos++;
        return;
    }
    udp_emit(p->data, d->local.port, to->port, (u16)(len + HEADER_BYTES));
    stk->stats.udp.out_datagrams++;
    if (!stk->conf.udp.checksum) return;
    be16_put(p->data + UDP_CKSUM,
             cksum_partial(cksum_pseudo(d->cache_src, to->addr, IP_PROTO_UDP, len + HEADER_BYTES)));
    p->flags |= PKT_CSUM_NEEDED;
}

i32 dgram_sendto(struct dgram *d, const void *data, u32 len, const struct sockaddr4 *to, u64 now) {
    return dgram_answer(d, data, len, to, IPADDR_ANY, now);
}

i32 dgram_answer(struct dgram *d, const void *data, u32 len, const struct sockaddr4 *to, struct ipaddr from, u64 now) {
    u8 room[PKT_HEADROOM + HEADER_BYTES];
    if (!to) to = &d->peer;
    if (to == &d->peer && !d->connected) return -ERR_NOTCONN;
    int rc = may_send(d, to, len);
    if (!rc && d->local.port == 0) rc = dgram_bind(d, IPADDR_ANY, 0, now);
    if (!rc) rc = dgram_route(d, to->addr, from);
    if (rc) return rc;
    /* A subnet's broadcast address is known as such only through its route. */
    if (ipaddr_is_broadcast(d->cache.next_hop) && !d->broadcast) return -ERR_ACCES;
    struct pkt p = {.data = room + PKT_HEADROOM, .len = HEADER_BYTES, .headroom = PKT_HEADROOM};
    p.ext[0] = (struct span){data, len};
    p.ext_len = len;
    write_header(d, &p, to, len);
    struct ip_out how = {.src = d->cache_src,
                         .dst = to->addr,
                         .proto = d->kind == DGRAM_UDP ? IP_PROTO_UDP : IP_PROTO_ICMP,
                         .ttl = ipaddr_is_multicast(to->addr) ? d->mcast_ttl : d->ttl,
                         .tos = d->tos,
                         .cache = &d->cache};
    rc = ip_output(d->stk, &p, &how, now);
    if (rc) {
        d->stk->stats.udp.drop_out++;
        return rc;
    }
    d->datagrams_out++;
    d->bytes_out += len;
    return (i32)len;
}

/* ---- options ---- */

static int group_join(struct dgram *d, struct ipaddr group, u64 now) {
    /* An end point that is bound to a link's address joins there. */
    const struct home_entry *e = home_find(d->stk, d->local.addr);
    struct link *lnk = mcast_link(d->stk, e && e->lnk->dev->driver ? e->lnk : NULL);
    if (dgram_in_group(d, lnk, group)) return -ERR_ADDRINUSE;
    struct dgram_group *g = pool_get(&d->stk->dgrams.groups);
    if (!g) return -ERR_NOBUFS;
    int rc = mcast_join(d->stk, lnk, group, now);
    if (rc) {
        pool_put(&d->stk->dgrams.groups, g);
        return rc;
    }
    *g = (struct dgram_group){.group = group, .lnk = lnk};
    list_push_back(&d->groups, &g->node);
    return 0;
}

static void group_forget(struct dgram *d, struct dgram_group *g, u64 now) {
    mcast_leave(d->stk, g->lnk, g->group, now);
    list_del(&g->node);
    pool_put(&d->stk->dgrams.groups, g);
}

static int group_leave(struct dgram *d, struct ipaddr group, u64 now) {
    LIST_FOR_EACH(n, &d->groups) {
        struct dgram_group *g = LIST_ENTRY(n, struct dgram_group, node);
        if (!ipaddr_eq(g->group, group)) continue;
        group_forget(d, g, now);
        return 0;
    }
    return -ERR_ADDRNOTAVAIL;
}

void dgram_link_forgotten(struct stack *stk, const struct link *lnk, u64 now) {
    LIST_FOR_EACH(n, &stk->dgrams.all) {
        struct dgram *d = LIST_ENTRY(n, struct dgram, node);
        LIST_FOR_EACH_SAFE(m, next, &d->groups) {
            struct dgram_group *g = LIST_ENTRY(m, struct dgram_group, node);
            if (g->lnk == lnk) group_forget(d, g, now);
        }
    }
}

bool dgram_in_group(const struct dgram *d, const struct link *lnk, struct ipaddr group) {
    LIST_FOR_EACH(n, &d->groups) {
        const struct dgram_group *g = LIST_ENTRY(n, struct dgram_group, node);
        if (g->lnk == lnk && ipaddr_eq(g->group, group)) return true;
    }
    return false;
}

int dgram_setopt(struct dgram *d, enum sock_opt opt, u32 value, u64 now) {
    switch (opt) {
    case SO_REUSEADDR_OPT: d->reuse = value != 0; return 0;
    case SO_BROADCAST_OPT: d->broadcast = value != 0; return 0;
    case SO_RCVBUF_OPT:
        if (value < 256 || value > 1u << 20) return -ERR_INVAL;
        d->recv_limit_bytes = value;
        return 0;
    case SO_TTL:
    case SO_MCAST_TTL:
        if (value > 255 || (opt == SO_TTL && value == 0)) return -ERR_INVAL;
        if (opt == SO_TTL)
            d->ttl = (u8)value;
        else
            d->mcast_ttl = (u8)value;
        return 0;
    case SO_TOS:
        if (value > 255) return -ERR_INVAL;
        d->tos = (u8)value;
        return 0;
    case SO_MCAST_JOIN: return group_join(d, ipaddr_v4(value), now);
    case SO_MCAST_LEAVE: return group_leave(d, ipaddr_v4(value), now);
    default: return -ERR_INVAL;
    }
}

int dgram_getopt(const struct dgram *d, enum sock_opt opt, u32 *value) {
    switch (opt) {
    case SO_REUSEADDR_OPT: *value = d->reuse; return 0;
    case SO_BROADCAST_OPT: *value = d->broadcast; return 0;
    case SO_RCVBUF_OPT: *value = d->recv_limit_bytes; return 0;
    case SO_SNDBUF_OPT: *value = d->stk->conf.udp.send_buffer_bytes; return 0;
    case SO_TTL: *value = d->ttl ? d->ttl : d->stk->conf.ip.ttl; return 0;
    case SO_MCAST_TTL: *value = d->mcast_ttl; return 0;
    case SO_TOS: *value = d->tos; return 0;
    case SO_PATHMTU:
        if (d->cache.generation == 0) return -ERR_NOTCONN;
        *value = d->cache.mtu_bytes;
        return 0;
    default: return -ERR_INVAL;
    }
}

/* ---- the end ---- */

void dgram_close(struct dgram *d, u64 now) {
    struct stack *stk = d->stk;
    dgram_unindex(d);
    for (struct list *n; (n = list_pop_front(&d->queue));) pbuf_release(LIST_ENTRY(n, struct pbuf, node));
    LIST_FOR_EACH_SAFE(n, next, &d->groups) group_forget(d, LIST_ENTRY(n, struct dgram_group, node), now);
    if (d->dynamic_bind && stk->hooks.bind_released) stk->hooks.bind_released(stk->hooks.ctx, d->bound, now);
    list_del(&d->node);
    pool_put(&stk->dgrams.pool, d);
}

void dgram_stop(struct stack *stk, u64 now) {
    LIST_FOR_EACH_SAFE(n, next, &stk->dgrams.all) {
        struct dgram *d = LIST_ENTRY(n, struct dgram, node);
        d->error = ERR_NETDOWN;
        dgram_signal(d, SOCK_EV_CLOSED, now);
    }
    while (!list_empty(&stk->dgrams.all))
        dgram_close(LIST_ENTRY(stk->dgrams.all.next, struct dgram, node), now);
}

const struct dgram *dgram_next(const struct stack *stk, const struct dgram *d) {
    const struct list *n = d ? d->node.next : stk->dgrams.all.next;
    if (n == &stk->dgrams.all) return NULL;
    return (const struct dgram *)(const void *)((const u8 *)n - offsetof(struct dgram, node));
}
