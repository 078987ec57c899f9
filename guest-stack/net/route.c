/* route.c - the routing table. See route.h for what it promises.
 *
 * A group is the chain of routes to one destination and prefix, best kind first; only its first route stands
 * in the hash. The prefix lengths in use are kept as a short list, longest first, so a look-up makes one
 * probe for each of them: with host routes, one subnet size and a default that is three.
 */
#include "net/route.h"

#include "base/str.h"
#include "net/stack_impl.h"

static u32 mask_of(u32 bits) {
    return bits ? UINT32_MAX << (32 - bits) : 0;
}

static u32 key_hash(const struct stack *stk, u32 dest, u32 bits) {
    return hash2(&stk->key, dest, bits);
}

size_t route_bytes(u32 max_routes) {
    return hash_bytes(max_routes) + (sizeof(struct route) + 16) * (size_t)max_routes + 32;
}

bool route_init(struct stack *stk, struct arena *a, u32 max_routes) {
    struct route_table *t = &stk->routes;
    list_init(&t->all);
    return pool_init(&t->pool, "ROUTE", a, sizeof(struct route), max_routes) &&
           hash_init(&t->hash, a, max_routes);
}

void route_changed(struct stack *stk) {
    if (++stk->route_generation == 0) stk->route_generation = 1; /* 0 marks an empty cache */
}

u32 route_mtu(const struct route *r) {
    u32 link_mtu = r->def.lnk->mtu_bytes;
    if (r->def.mtu_bytes) return u32_min(r->def.mtu_bytes, link_mtu);
    if (r->def.lnk->bsd_mtu_bytes) return u32_min(r->def.lnk->bsd_mtu_bytes, link_mtu);
    return link_mtu;
}

/* ---- look-up ---- */

static struct route *group_find(const struct stack *stk, u32 dest, u32 bits) {
    struct hash_row *row = *hash_head(&stk->routes.hash, key_hash(stk, dest, bits));
    for (; row; row = row->next) {
        struct route *r = (struct route *)row;
        if (r->def.dest.v4 == dest && r->def.prefix_bits == bits) return r;
    }
    return NULL;
}

/* The first usable route of a group, and how many of its kind are usable. */
static struct route *group_usable(struct route *group, u32 *count) {
    struct route *first = NULL;
    *count = 0;
    for (struct route *r = group; r; r = r->group) {
        if (first && r->def.kind != first->def.kind) break;
        if (!r->def.lnk->up) continue;
        if (!first) first = r;
        (*count)++;
    }
    return first;
}

static struct route *group_pick(struct stack *stk, struct route *group, u32 flow_hash, bool per_packet) {
    u32 count;
    struct route *r = group_usable(group, &count);
    per_packet |= stk->conf.ip.multipath == MULTIPATH_PER_PACKET;
    if (count > 1 && (per_packet || stk->conf.ip.multipath == MULTIPATH_PER_CONNECTION)) {
        /* A hash is spread over the group by its high half: a product instead of a division. */
        u32 skip = per_packet ? stk->routes.round_robin++ % count : (flow_hash >> 16) * count >> 16;
        while (skip) {
            r = r->group;
            if (r->def.lnk->up) skip--;
        }
    }
    return r;
}

struct route *route_lookup(struct stack *stk, struct ipaddr dst, u32 flow_hash, bool per_packet) {
    const struct route_table *t = &stk->routes;
    for (u32 i = 0; i < t->lengths; i++) {
        struct route *group = group_find(stk, dst.v4 & mask_of(t->length[i]), t->length[i]);
        struct route *r = group ? group_pick(stk, group, flow_hash, per_packet) : NULL;
        if (r) {
            r->references++;
            return r;
        }
    }
    return NULL;
}

struct route *route_attached(struct stack *stk, struct ipaddr dst) {
    const struct route_table *t = &stk->routes;
    for (u32 i = 0; i < t->lengths; i++) {
        struct route *r = group_find(stk, dst.v4 & mask_of(t->length[i]), t->length[i]);
        for (; r; r = r->group)
            if (ipaddr_is_any(r->def.gateway) && r->def.lnk->up) return r;
    }
    return NULL;
}

/* ---- change ---- */

static void length_used(struct route_table *t, u32 bits) {
    u32 i = 0;
    if (t->per_length[bits]++) return;
    while (i < t->lengths && t->length[i] > bits) i++;
    memmove(&t->length[i + 1], &t->length[i], t->lengths - i);
    t->length[i] = (u8)bits;
    t->lengths++;
}

static void length_unused(struct route_table *t, u32 bits) {
    u32 i = 0;
    if (--t->per_length[bits]) return;
    while (t->length[i] != bits) i++;
    t->lengths--;
    memmove(&t->length[i], &t->length[i + 1], t->lengths - i);
}

/* HOME routes are for the display: ip_route() asks the HOME list itself. */
static bool is_indexed(const struct route *r) {
    return r->def.kind != ROUTE_HOME;
}

static void group_insert(struct stack *stk, struct route *r) {
    struct route_table *t = &stk->routes;
    u32 hash = key_hash(stk, r->def.dest.v4, r->def.prefix_bits);
    struct route *first = group_find(stk, r->def.dest.v4, r->def.prefix_bits);
    if (!first || r->def.kind < first->def.kind) {
        if (first)
            hash_del(&t->hash, hash, &first->hash);
        else
            length_used(t, r->def.prefix_bits);
        r->group = first;
        hash_add(&t->hash, hash, &r->hash);
        return;
    }
    while (first->group && first->group->def.kind <= r->def.kind) first = first->group;
    r->group = first->group;
    first->group = r;
}

static void group_remove(struct stack *stk, struct route *r) {
    struct route_table *t = &stk->routes;
    u32 hash = key_hash(stk, r->def.dest.v4, r->def.prefix_bits);
    struct route *first = group_find(stk, r->def.dest.v4, r->def.prefix_bits);
    if (first == r) {
        hash_del(&t->hash, hash, &r->hash);
        if (r->group)
            hash_add(&t->hash, hash, &r->group->hash);
        else
            length_unused(t, r->def.prefix_bits);
        return;
    }
    while (first->group != r) first = first->group;
    first->group = r->group;
}

static bool same_route(const struct route_def *a, const struct route_def *b) {
    return ipaddr_eq(a->dest, b->dest) && a->prefix_bits == b->prefix_bits &&
           ipaddr_eq(a->gateway, b->gateway) && a->lnk == b->lnk && a->kind == b->kind;
}

static struct route *route_find(struct stack *stk, const struct route_def *def) {
    LIST_FOR_EACH(n, &stk->routes.all) {
        struct route *r = LIST_ENTRY(n, struct route, node);
        if (same_route(&r->def, def)) return r;
    }
    return NULL;
}

static void route_remove(struct stack *stk, struct route *r) {
    if (is_indexed(r)) group_remove(stk, r);
    if (r->def.kind == ROUTE_REDIRECT) stk->routes.redirects--;
    list_del(&r->node);
    pool_put(&stk->routes.pool, r);
    route_changed(stk);
}

int route_add(struct stack *stk, const struct route_def *def, u64 now) {
    struct route_table *t = &stk->routes;
    if (def->prefix_bits > 32 || def->kind >= ROUTE_KINDS || !def->lnk) return -ERR_INVAL;
    if (def->dest.v4 & ~mask_of(def->prefix_bits)) return -ERR_INVAL;
    if (route_find(stk, def)) return -ERR_EXIST;
    struct route *r = pool_get(&t->pool);
    if (!r) return -ERR_NOMEM;
    *r = (struct route){.def = *def};
    struct list *at = t->all.next;
    while (at != &t->all && LIST_ENTRY(at, struct route, node)->def.prefix_bits >= def->prefix_bits)
        at = at->next;
    list_add_between(&r->node, at->prev, at);
    if (is_indexed(r)) group_insert(stk, r);
    if (def->kind == ROUTE_REDIRECT) t->redirects++;
    route_changed(stk);
    /* A direct route tells which subnet a link is on, and so which links can stand in for each other. */
    if (def->kind != ROUTE_HOME && ipaddr_is_any(def->gateway)) home_sync(stk, now);
    return 0;
}

int route_del(struct stack *stk, const struct route_def *def, u64 now) {
    struct route *r = route_find(stk, def);
    if (!r) return -ERR_NOENT;
    bool direct = def->kind != ROUTE_HOME && ipaddr_is_any(def->gateway);
    route_remove(stk, r);
    if (direct) home_sync(stk, now);
    return 0;
}

void route_clear(struct stack *stk, enum route_kind kind, u64 now) {
    LIST_FOR_EACH_SAFE(n, next, &stk->routes.all) {
        struct route *r = LIST_ENTRY(n, struct route, node);
        if (r->def.kind == kind) route_remove(stk, r);
    }
    if (kind != ROUTE_HOME) home_sync(stk, now);
}

void route_clear_link(struct stack *stk, const struct link *lnk, u64 now) {
    LIST_FOR_EACH_SAFE(n, next, &stk->routes.all) {
        struct route *r = LIST_ENTRY(n, struct route, node);
        if (r->def.lnk == lnk) route_remove(stk, r);
    }
    home_sync(stk, now);
}

void route_direct_refresh(struct stack *stk, u64 now) {
    route_clear(stk, ROUTE_DIRECT, now);
    for (struct home_entry *e = NULL; (e = home_next(stk, e));) {
        const struct link *lnk = e->lnk;
        int bits = ipaddr_mask_bits(lnk->bsd_mask);
        if (!lnk->dev->driver || lnk->bsd_mask.v4 == 0 || bits < 0) continue;
        bool to_peer = !ipaddr_is_any(lnk->bsd_dest);
        struct route_def def = {.dest = to_peer ? lnk->bsd_dest : ipaddr_v4(e->addr.v4 & lnk->bsd_mask.v4),
                                .prefix_bits = to_peer ? 32 : (u8)bits,
                                .kind = ROUTE_DIRECT,
                                .lnk = e->lnk};
        route_add(stk, &def, now);
    }
}

/* ---- display ---- */

const struct route *route_next(const struct stack *stk, const struct route *r) {
    const struct list *n = r ? r->node.next : stk->routes.all.next;
    return n == &stk->routes.all
               ? NULL
               : (const struct route *)(const void *)((const u8 *)n - offsetof(struct route, node));
}

const char *route_flags_text(const struct route *r, char out[ROUTE_FLAGS_MAX]) {
    u32 n = 0;
    if (r->def.lnk->up) out[n++] = 'U';
    if (!ipaddr_is_any(r->def.gateway)) out[n++] = 'G';
    if (r->def.prefix_bits == 32) out[n++] = 'H';
    if (r->def.kind == ROUTE_STATIC) out[n++] = 'S';
    if (r->def.kind == ROUTE_REDIRECT) out[n++] = 'D';
    out[n] = 0;
    return out;
}
