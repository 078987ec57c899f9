/* igmp.c - multicast membership and the host half of IGMPv2. See net/igmp.h for the state table. */
#include "net/igmp.h"

#include "base/str.h"
#include "net/stack_impl.h"
#include "wire/cksum.h"
#include "wire/igmp.h"
#include "wire/ip4.h"

/* A query's times are tenths of a second. */
#define TENTH_USEC 100000u

static void igmp_timer(struct stack *stk, struct timer *t, u64 now);

size_t igmp_bytes(u32 max_groups) {
    return hash_bytes(max_groups) + (sizeof(struct mcast_group) + 16) * (size_t)max_groups + 32;
}

bool igmp_init(struct stack *stk, struct arena *a, u32 max_groups) {
    list_init(&stk->igmp.all);
    return pool_init(&stk->igmp.pool, "GROUP", a, sizeof(struct mcast_group), max_groups) &&
           hash_init(&stk->igmp.hash, a, max_groups);
}

static u32 group_hash(const struct stack *stk, const struct link *lnk, struct ipaddr group) {
    return hash2(&stk->key, group.v4, lnk->index);
}

static struct mcast_group *group_find(const struct stack *stk, const struct link *lnk, struct ipaddr group) {
    struct hash_row *row = *hash_head(&stk->igmp.hash, group_hash(stk, lnk, group));
    for (; row; row = row->next) {
        struct mcast_group *g = (struct mcast_group *)row;
        if (g->lnk == lnk && ipaddr_eq(g->group, group)) return g;
    }
    return NULL;
}

/* ---- messages ---- */

static void igmp_send(struct mcast_group *g, u8 type, struct ipaddr dst, u64 now) {
    static const u8 router_alert[4] = {IP4_OPT_ROUTER_ALERT, 4, 0, 0};
    struct stack *stk = g->lnk->stk;
    u8 room[PKT_HEADROOM + IGMP_BYTES];
    struct pkt p = {.data = room + PKT_HEADROOM, .len = IGMP_BYTES, .headroom = PKT_HEADROOM};
    struct ip_out how = {.src = home_of_link(stk, g->lnk),
                         .dst = dst,
                         .proto = IP_PROTO_IGMP,
                         .ttl = 1,
                         .options = router_alert,
                         .options_len = sizeof router_alert,
                         .lnk = g->lnk};
    p.data[0] = type;
    p.data[1] = 0;
    be16_put(p.data + 2, 0);
    ipaddr_put(p.data + 4, g->group);
    be16_put(p.data + 2, cksum_fold(cksum_add(0, p.data, IGMP_BYTES)));
    ip_output(stk, &p, &how, now);
}

static void igmp_report(struct mcast_group *g, u64 now) {
    bool v1 = now < g->lnk->igmp_v1_until;
    if (!g->lnk->up) return;
    g->last_reporter = true;
    g->lnk->stk->stats.igmp.out_reports++;
    igmp_send(g, v1 ? IGMP_REPORT_V1 : IGMP_REPORT_V2, g->group, now);
}

/* A random moment within max_usec: the hosts of a LAN must not all answer at once. */
static void igmp_delay(struct mcast_group *g, u32 max_usec, u64 now) {
    struct stack *stk = g->lnk->stk;
    u64 delay = (u64)(stack_random(stk) >> 16) * max_usec >> 16;
    g->state = IGMP_DELAYING;
    timer_arm(stk, &g->timer, now + delay);
}

static void igmp_timer(struct stack *stk, struct timer *t, u64 now) {
    struct mcast_group *g = CONTAINER_OF(t, struct mcast_group, timer);
    UNUSED(stk);
    g->state = IGMP_IDLE;
    igmp_report(g, now);
}

static bool is_reported(struct ipaddr group) {
    return !ipaddr_eq(group, IGMP_ALL_HOSTS);
}

static void igmp_begin(struct mcast_group *g, u64 now) {
    struct link *lnk = g->lnk;
    if (!lnk->up) return;
    if ((lnk->caps & LINK_CAP_ARP) && lnk->ops->group_join) lnk->ops->group_join(lnk, g->group, now);
    if (!is_reported(g->group)) return;
    igmp_report(g, now);
    igmp_delay(g, IGMP_UNSOLICITED_SEC * USEC_PER_SEC, now);
}

static void igmp_end(struct mcast_group *g, u64 now) {
    struct link *lnk = g->lnk;
    timer_disarm(lnk->stk, &g->timer);
    if (!lnk->up) return;
    if (is_reported(g->group) && g->last_reporter && now >= lnk->igmp_v1_until) {
        lnk->stk->stats.igmp.out_leaves++;
        igmp_send(g, IGMP_LEAVE, IGMP_ALL_ROUTERS, now);
    }
    if ((lnk->caps & LINK_CAP_ARP) && lnk->ops->group_leave) lnk->ops->group_leave(lnk, g->group, now);
}

/* ---- membership ---- */

static bool can_multicast(const struct link *lnk) {
    return lnk->dev->driver && ((lnk->caps & LINK_CAP_MCAST) || !(lnk->caps & LINK_CAP_ARP));
}

static struct link *default_mcast_link(struct stack *stk) {
    const struct home_entry *e = home_primary(stk);
    if (e && can_multicast(e->lnk)) return e->lnk;
    LIST_FOR_EACH(n, &stk->links) {
        struct link *l = LIST_ENTRY(n, struct link, node);
        if (can_multicast(l)) return l;
    }
    return NULL;
}

struct link *mcast_link(struct stack *stk, struct link *lnk) {
    return lnk ? lnk : default_mcast_link(stk);
}

int mcast_join(struct stack *stk, struct link *lnk, struct ipaddr group, u64 now) {
    if (!ipaddr_is_multicast(group)) return -ERR_INVAL;
    lnk = mcast_link(stk, lnk);
    if (!lnk || !can_multicast(lnk)) return -ERR_NETUNREACH;
    struct mcast_group *g = group_find(stk, lnk, group);
    if (g) {
        g->members++;
        return 0;
    }
    if (!(g = pool_get(&stk->igmp.pool))) return -ERR_NOBUFS;
    memset(g, 0, sizeof *g);
    g->lnk = lnk;
    g->group = group;
    g->members = 1;
    timer_init(&g->timer, igmp_timer);
    hash_add(&stk->igmp.hash, group_hash(stk, lnk, group), &g->hash);
    list_push_back(&stk->igmp.all, &g->node);
    igmp_begin(g, now);
    return 0;
}

static void group_drop(struct stack *stk, struct mcast_group *g, u64 now) {
    igmp_end(g, now);
    hash_del(&stk->igmp.hash, group_hash(stk, g->lnk, g->group), &g->hash);
    list_del(&g->node);
    pool_put(&stk->igmp.pool, g);
}

int mcast_leave(struct stack *stk, struct link *lnk, struct ipaddr group, u64 now) {
    lnk = mcast_link(stk, lnk);
    struct mcast_group *g = lnk ? group_find(stk, lnk, group) : NULL;
    if (!g) return -ERR_NOENT;
    if (--g->members == 0) group_drop(stk, g, now);
    return 0;
}

bool mcast_is_member(struct stack *stk, const struct link *lnk, struct ipaddr group) {
    return group_find(stk, lnk, group) != NULL;
}

void igmp_link_up(struct stack *stk, struct link *lnk, u64 now) {
    LIST_FOR_EACH(n, &stk->igmp.all) {
        struct mcast_group *g = LIST_ENTRY(n, struct mcast_group, node);
        if (g->lnk == lnk) igmp_begin(g, now);
    }
}

void igmp_link_down(struct stack *stk, struct link *lnk, u64 now) {
    UNUSED(now);
    LIST_FOR_EACH(n, &stk->igmp.all) {
        struct mcast_group *g = LIST_ENTRY(n, struct mcast_group, node);
        if (g->lnk != lnk) continue;
        timer_disarm(stk, &g->timer);
        g->state = IGMP_IDLE;
    }
}

void igmp_link_forgotten(struct stack *stk, struct link *lnk, u64 now) {
    LIST_FOR_EACH_SAFE(n, next, &stk->igmp.all) {
        struct mcast_group *g = LIST_ENTRY(n, struct mcast_group, node);
        if (g->lnk == lnk) group_drop(stk, g, now);
    }
}

void igmp_stop(struct stack *stk, u64 now) {
    LIST_FOR_EACH_SAFE(n, next, &stk->igmp.all) group_drop(stk, LIST_ENTRY(n, struct mcast_group, node), now);
}

const struct mcast_group *mcast_next(const struct stack *stk, const struct mcast_group *g) {
    const struct list *n = g ? g->node.next : stk->igmp.all.next;
    if (n == &stk->igmp.all) return NULL;
    return (const struct mcast_group *)(const void *)((const u8 *)n - offsetof(struct mcast_group, node));
}

/* ---- input ---- */

static void query_input(struct stack *stk, struct link *lnk, u32 tenths, struct ipaddr asked, u64 now) {
    stk->stats.igmp.in_queries++;
    if (tenths == 0) {
        lnk->igmp_v1_until = now + (u64)IGMP_V1_SEC * USEC_PER_SEC;
        tenths = 100;
    }
    u32 max_usec = tenths * TENTH_USEC;
    LIST_FOR_EACH(n, &stk->igmp.all) {
        struct mcast_group *g = LIST_ENTRY(n, struct mcast_group, node);
        if (g->lnk != lnk || !is_reported(g->group)) continue;
        if (!ipaddr_is_any(asked) && !ipaddr_eq(asked, g->group)) continue;
        if (g->state == IGMP_DELAYING && g->timer.due <= now + max_usec) continue; /* answers soon enough */
        igmp_delay(g, max_usec, now);
    }
}

static void report_input(struct stack *stk, struct link *lnk, struct ipaddr group) {
    stk->stats.igmp.in_reports++;
    struct mcast_group *g = group_find(stk, lnk, group);
    if (!g) return;
    /* Another member spoke: the router knows, and the leave is his to send. */
    timer_disarm(stk, &g->timer);
    g->state = IGMP_IDLE;
    g->last_reporter = false;
}

static void igmp_input(struct stack *stk, struct pkt *p, u64 now) {
    if (p->len < IGMP_BYTES) {
        stk->stats.igmp.drop_short++;
        return;
    }
    if (cksum_fold(cksum_add(0, p->data, p->len)) != 0) {
        stk->stats.igmp.drop_checksum++;
        return;
    }
    struct ipaddr group = ipaddr_get(p->data + 4);
    if (!ipaddr_is_any(group) && !ipaddr_is_multicast(group)) {
        stk->stats.igmp.drop_group++;
        return;
    }
    if (p->ttl != 1) {
        stk->stats.igmp.drop_ttl++; /* from beyond a router */
        return;
    }
    switch (p->data[0]) {
    case IGMP_QUERY: query_input(stk, p->in, p->data[1], group, now); break;
    case IGMP_REPORT_V1:
    case IGMP_REPORT_V2: report_input(stk, p->in, group); break;
    default: stk->stats.igmp.drop_type++;
    }
}

void igmp_proto_init(struct stack *stk) {
    static const struct ip_proto ops = {.name = "IGMP", .input = igmp_input};
    ip_proto_register(stk, IP_PROTO_IGMP, &ops);
}
