/* home.c - the HOME list and who answers for its addresses. See home.h. */
#include "net/home.h"

#include "base/str.h"
#include "net/stack_impl.h"

static u32 addr_hash(const struct stack *stk, struct ipaddr addr) {
    return hash1(&stk->key, addr.v4);
}
static u64 link_bit(const struct link *lnk) {
    return (u64)1 << lnk->index;
}

static void home_retry(struct stack *stk, struct timer *t, u64 now) {
    UNUSED(t);
    /* What a card refused counts as not registered; it stays marked, so that the message is not repeated. */
    for (struct home_entry *e = NULL; (e = home_next(stk, e));) e->registered &= ~e->refused;
    home_sync(stk, now);
}

size_t home_bytes(u32 max_home) {
    return hash_bytes(max_home) + (sizeof(struct home_entry) + 16) * (size_t)max_home + 32;
}

bool home_init(struct stack *stk, struct arena *a, u32 max_home) {
    list_init(&stk->home.order);
    timer_init(&stk->home.retry, home_retry);
    return pool_init(&stk->home.pool, "HOME", a, sizeof(struct home_entry), max_home) &&
           hash_init(&stk->home.hash, a, max_home);
}

/* ---- questions ---- */

struct home_entry *home_find(struct stack *stk, struct ipaddr addr) {
    struct home_entry *e = stk->home.last_hit;
    if (e && ipaddr_eq(e->addr, addr)) return e;
    struct hash_row *row = *hash_head(&stk->home.hash, addr_hash(stk, addr));
    while (row && !ipaddr_eq(((struct home_entry *)row)->addr, addr)) row = row->next;
    if (row) stk->home.last_hit = (struct home_entry *)row;
    return (struct home_entry *)row;
}

struct home_entry *home_next(const struct stack *stk, const struct home_entry *e) {
    const struct list *n = e ? e->node.next : stk->home.order.next;
    if (n == &stk->home.order) return NULL;
    return (struct home_entry *)((uintptr_t)n - offsetof(struct home_entry, node));
}

struct ipaddr home_of_link(const struct stack *stk, const struct link *lnk) {
    if (lnk->address_of) lnk = lnk->address_of;
    for (struct home_entry *e = NULL; (e = home_next(stk, e));)
        if (e->lnk == lnk) return e->addr;
    return IPADDR_ANY;
}

struct home_entry *home_primary(const struct stack *stk) {
    struct home_entry *first = NULL;
    for (struct home_entry *e = NULL; (e = home_next(stk, e));) {
        if (stk->home.primary && e->lnk == stk->home.primary) return e;
        if (!first && !(e->flags & HOME_GENERATED)) first = e;
    }
    return first;
}

struct ipaddr home_source_vipa(const struct stack *stk, const struct link *lnk) {
    struct ipaddr nearest = IPADDR_ANY;
    for (struct home_entry *e = NULL; (e = home_next(stk, e));) {
        if (e->lnk == lnk) return nearest;
        if ((e->flags & HOME_VIPA) && !(e->flags & HOME_DYNAMIC)) nearest = e->addr;
    }
    return IPADDR_ANY;
}

bool home_link_subnet(const struct stack *stk, const struct link *lnk, struct ipaddr *net,
                      struct ipaddr *mask) {
    if (!lnk->dev->driver) return false;
    struct ipaddr addr = home_of_link(stk, lnk);
    if (ipaddr_is_any(addr)) return false;
    if (lnk->bsd_mask.v4) {
        *mask = lnk->bsd_mask;
        net->v4 = addr.v4 & mask->v4;
        return true;
    }
    for (const struct route *r = NULL; (r = route_next(stk, r));) {
        if (r->def.lnk != lnk || !ipaddr_is_any(r->def.gateway)) continue;
        if (r->def.prefix_bits == 32 || r->def.prefix_bits == 0) continue;
        mask->v4 = UINT32_MAX << (32 - r->def.prefix_bits);
        *net = r->def.dest;
        if (ipaddr_in_subnet(addr, *net, *mask)) return true;
    }
    return false;
}

bool home_answers(struct stack *stk, const struct link *lnk, struct ipaddr addr) {
    const struct home_entry *e = home_find(stk, addr);
    return e && (e->registered & link_bit(lnk));
}

/* ---- the list ---- */

static void home_route(struct stack *stk, const struct home_entry *e, bool add, u64 now) {
    struct route_def def = {.dest = e->addr, .prefix_bits = 32, .kind = ROUTE_HOME, .lnk = e->lnk};
    if (add)
        route_add(stk, &def, now);
    else
        route_del(stk, &def, now);
}

static void home_sync_entry(struct stack *stk, struct home_entry *e, u64 now);

static void home_announce_change(struct stack *stk, u64 now) {
    route_changed(stk);
    if (stk->hooks.home_changed) stk->hooks.home_changed(stk->hooks.ctx, now);
}

/* An address of a VIRTUAL link says nothing about who is on which LAN, so no other entry changes with it: a thousand dynamic VIPAs
 * that move at once don't look at a thousand each. */
static void home_sync_after(struct stack *stk, struct home_entry *e, u64 now) {
    if (e->flags & HOME_VIPA)
        home_sync_entry(stk, e, now);
    else
        home_sync(stk, now);
}

/* Static entries stand before generated ones, each kind in order of arrival. */
static void home_place(struct home_table *t, struct home_entry *e) {
    struct list *at = &t->order;
    if (!(e->flags & HOME_GENERATED)) {
        at = t->order.next;
        while (at != &t->order && !(LIST_ENTRY(at, struct home_entry, node)->flags & HOME_GENERATED))
            at = at->next;
    }
    list_add_between(&e->node, at->prev, at);
}

int home_add(struct stack *stk, struct ipaddr addr, struct link *lnk, u8 flags, u64 now) {
    struct home_table *t = &stk->home;
    bool own_loopback = lnk == stk->loopback && (flags & HOME_GENERATED);
    if (ipaddr_is_any(addr) || ipaddr_is_multicast(addr) || ipaddr_is_broadcast(addr)) return -ERR_INVAL;
    if (ipaddr_is_loopback(addr) && !own_loopback) return -ERR_INVAL;
    if (home_find(stk, addr)) return -ERR_EXIST;
    if (lnk->dev->driver && !ipaddr_is_any(home_of_link(stk, lnk))) return -ERR_BUSY;
    struct home_entry *e = pool_get(&t->pool);
    if (!e) return -ERR_NOMEM;
    if (lnk->type == LNK_VIRTUAL) flags |= HOME_VIPA;
    *e = (struct home_entry){.addr = addr, .lnk = lnk, .flags = flags};
    home_place(t, e);
    hash_add(&t->hash, addr_hash(stk, addr), &e->hash);
    home_route(stk, e, true, now);
    home_sync_after(stk, e, now);
    home_announce_change(stk, now);
    return 0;
}

static void home_withdraw(struct stack *stk, struct home_entry *e, u64 now) {
    LIST_FOR_EACH(n, &stk->links) {
        struct link *lnk = LIST_ENTRY(n, struct link, node);
        if (!(e->registered & link_bit(lnk))) continue;
        if ((lnk->caps & LINK_CAP_ARP) && lnk->ops->address_del) lnk->ops->address_del(lnk, e->addr, false, now);
    }
    e->registered = 0;
}

static void home_remove(struct stack *stk, struct home_entry *e, u64 now) {
    struct home_table *t = &stk->home;
    home_withdraw(stk, e, now);
    home_route(stk, e, false, now);
    hash_del(&t->hash, addr_hash(stk, e->addr), &e->hash);
    list_del(&e->node);
    if (t->last_hit == e) t->last_hit = NULL;
    pool_put(&t->pool, e);
}

int home_del(struct stack *stk, struct ipaddr addr, u64 now) {
    struct home_entry *e = home_find(stk, addr);
    if (!e) return -ERR_NOENT;
    bool alone = e->flags & HOME_VIPA;
    home_remove(stk, e, now);
    if (!alone) home_sync(stk, now);
    home_announce_change(stk, now);
    return 0;
}

int home_hide(struct stack *stk, struct ipaddr addr, bool hidden, u64 now) {
    struct home_entry *e = home_find(stk, addr);
    if (!e) return -ERR_NOENT;
    u8 flags = (u8)(hidden ? e->flags | HOME_INTERNAL : e->flags & ~HOME_INTERNAL);
    if (flags == e->flags) return 0;
    e->flags = flags;
    home_sync_after(stk, e, now);
    home_announce_change(stk, now);
    return 0;
}

void home_clear(struct stack *stk, u64 now) {
    LIST_FOR_EACH_SAFE(n, next, &stk->home.order) {
        struct home_entry *e = LIST_ENTRY(n, struct home_entry, node);
        if (!(e->flags & HOME_GENERATED)) home_remove(stk, e, now);
    }
    home_sync(stk, now);
    home_announce_change(stk, now);
}

void home_set_primary(struct stack *stk, struct link *lnk) {
    stk->home.primary = lnk;
    route_changed(stk);
}

/* ---- who answers for what ---- */

/* What home_sync() must know of each link; made once for all entries. */
struct lan {
    struct ipaddr net, mask; /* mask any: unknown */
};

static bool same_lan(const struct lan *a, const struct lan *b) {
    return a->mask.v4 && a->mask.v4 == b->mask.v4 && a->net.v4 == b->net.v4;
}

static bool on_lan(const struct lan *l, struct ipaddr addr) {
    return l->mask.v4 && ipaddr_in_subnet(addr, l->net, l->mask);
}

/* The first up link on the same LAN as of. */
static const struct link *lan_first_up(const struct stack *stk, const struct lan *lans,
                                       const struct link *of) {
    LIST_FOR_EACH(n, &stk->links) {
        const struct link *l = LIST_ENTRY(n, struct link, node);
        if (l->dev->driver && l->up && same_lan(&lans[l->index], &lans[of->index])) return l;
    }
    return NULL;
}

/* Should lnk answer for e? The rules are those of home.h. */
static bool home_wanted(const struct stack *stk, const struct lan *lans, const struct home_entry *e,
                        const struct link *lnk) {
    if (!lnk->up || !lnk->dev->driver || (e->flags & HOME_INTERNAL) || e->lnk->type == LNK_LOOPBACK)
        return false;
    if (e->lnk == lnk || (lnk->address_of == e->lnk && lnk->ops->address_add)) return true;
    if (e->flags & (HOME_VIPA | HOME_DYNAMIC))
        return !on_lan(&lans[lnk->index], e->addr) || lan_first_up(stk, lans, lnk) == lnk;
    return !e->lnk->up && same_lan(&lans[lnk->index], &lans[e->lnk->index]) &&
           lan_first_up(stk, lans, e->lnk) == lnk;
}

static void home_register(struct stack *stk, struct home_entry *e, struct link *lnk, u64 now) {
    bool is_vipa = e->flags & (HOME_VIPA | HOME_DYNAMIC);
    e->registered |= link_bit(lnk);
    if (!(lnk->caps & LINK_CAP_ARP)) {
        arp_announce(lnk, e->addr, now);
    } else if (lnk->ops->address_add) {
        int rc = lnk->ops->address_add(lnk, e->addr, is_vipa, now);
        if (rc) home_registration_result(stk, lnk, e->addr, (u32)-rc, now);
    }
    if (!is_vipa && e->lnk != lnk && lnk->address_of != e->lnk && !(e->refused & link_bit(lnk)))
        stack_message(stk, "EZZ4329I LINK %s HAS TAKEN OVER ARP RESPONSIBILITY FOR INACTIVE LINK %s",
                      lnk->name, e->lnk->name);
}

static void home_unregister(struct home_entry *e, struct link *lnk, u64 now) {
    e->registered &= ~link_bit(lnk);
    e->refused &= ~link_bit(lnk);
    /* Hidden and still ours: its connections stay, and others come here until the LAN knows the next owner. */
    bool passes_on = e->flags & HOME_INTERNAL;
    if ((lnk->caps & LINK_CAP_ARP) && lnk->ops->address_del) lnk->ops->address_del(lnk, e->addr, passes_on, now);
}

static void home_learn_lans(const struct stack *stk, struct lan *lans) {
    LIST_FOR_EACH(n, &stk->links) {
        const struct link *l = LIST_ENTRY(n, struct link, node);
        struct lan *lan = &lans[l->index];
        if (!home_link_subnet(stk, l, &lan->net, &lan->mask)) lan->mask = IPADDR_ANY;
    }
}

/* only: that entry, NULL: all. */
static void sync_entries(struct stack *stk, struct home_entry *only, u64 now) {
    struct lan lans[LINKS_MAX];
    home_learn_lans(stk, lans);
    /* First take away, then give: an address has one answering link on a LAN at any time. */
    for (int give = 0; give <= 1; give++) {
        LIST_FOR_EACH(n, &stk->links) {
            struct link *lnk = LIST_ENTRY(n, struct link, node);
            if (!lnk->dev->driver || !lnk->up) continue;
            for (struct home_entry *e = only ? only : home_next(stk, NULL); e; e = only ? NULL : home_next(stk, e)) {
                bool is = e->registered & link_bit(lnk);
                bool wanted = home_wanted(stk, lans, e, lnk);
                if (is && !wanted && !give) home_unregister(e, lnk, now);
                if (!is && wanted && give) home_register(stk, e, lnk, now);
            }
        }
    }
}
void home_sync(struct stack *stk, u64 now) {
    sync_entries(stk, NULL, now);
}
static void home_sync_entry(struct stack *stk, struct home_entry *e, u64 now) {
    sync_entries(stk, e, now);
}

void home_link_forgotten(struct stack *stk, const struct link *lnk) {
    for (struct home_entry *e = NULL; (e = home_next(stk, e));) {
        e->registered &= ~link_bit(lnk);
        e->refused &= ~link_bit(lnk);
    }
}

void home_registration_result(struct stack *stk, struct link *lnk, struct ipaddr addr, u32 ipa_rc, u64 now) {
    struct home_entry *e = home_find(stk, addr);
    char text[IPADDR_TEXT_MAX];
    if (!e || !(e->registered & link_bit(lnk))) return; /* withdrawn meanwhile */
    if (ipa_rc == 0) {
        e->refused &= ~link_bit(lnk);
        return;
    }
    if (!(e->refused & link_bit(lnk)))
        stack_message(stk, "EZZ4327I ERROR %04X REGISTERING IP ADDRESS %s FOR DEVICE %s", ipa_rc,
                      ipaddr_text(addr, text), lnk->dev->name);
    e->refused |= link_bit(lnk);
    timer_arm(stk, &stk->home.retry, now + (u64)HOME_RETRY_SEC * USEC_PER_SEC);
}
