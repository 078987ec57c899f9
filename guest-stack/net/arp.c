/* arp.c - the ARP cache of links whose card does not resolve. See net/arp.h for states and rules. */
#include "net/arp.h"

#include "base/str.h"
#include "net/stack_impl.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip4.h"

#define REQUEST_INTERVAL_USEC USEC_PER_SEC

static const u8 broadcast_mac[MAC_LEN] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

static void arp_timeout(struct stack *stk, struct timer *t, u64 now);

size_t arp_bytes(u32 max_arp) {
    return hash_bytes(max_arp) + (sizeof(struct arp_entry) + 16) * (size_t)max_arp + 32;
}

bool arp_init(struct stack *stk, struct arena *a, u32 max_arp) {
    list_init(&stk->arp.all);
    return pool_init(&stk->arp.pool, "ARP", a, sizeof(struct arp_entry), max_arp) &&
           hash_init(&stk->arp.hash, a, max_arp);
}

static u32 row_hash(const struct stack *stk, struct ipaddr addr, const struct link *lnk) {
    return hash2(&stk->key, addr.v4, lnk->index);
}

static struct arp_entry *arp_find(const struct stack *stk, struct ipaddr addr, const struct link *lnk) {
    struct hash_row *row = *hash_head(&stk->arp.hash, row_hash(stk, addr, lnk));
    for (; row; row = row->next) {
        struct arp_entry *e = (struct arp_entry *)row;
        if (ipaddr_eq(e->addr, addr) && e->lnk == lnk) return e;
    }
    return NULL;
}

/* ---- sending ---- */

static void arp_send(struct link *lnk, u16 op, const u8 *to_mac, struct ipaddr sender, struct ipaddr target,
                     u64 now) {
    static const u8 nobody[MAC_LEN] = {0};
    u8 room[PKT_HEADROOM + ARP_BYTES];
    struct pkt p = {.data = room + PKT_HEADROOM, .len = ARP_BYTES, .headroom = PKT_HEADROOM};
    struct arp_packet a = {.op = op, .sender = sender, .target = target};
    memcpy(a.sender_mac, lnk->mac, MAC_LEN);
    memcpy(a.target_mac, op == ARP_REQUEST ? nobody : to_mac, MAC_LEN);
    arp_emit(p.data, &a);
    link_output_frame(lnk, &p, to_mac, ETH_TYPE_ARP, now);
}

static void arp_request(struct arp_entry *e, u64 now) {
    struct link *lnk = e->lnk;
    /* A known neighbour is asked by itself: the others need not wake up. */
    const u8 *to = e->state == ARP_PROBING ? e->mac : broadcast_mac;
    lnk->stk->stats.arp.out_requests++;
    arp_send(lnk, ARP_REQUEST, to, home_of_link(lnk->stk, lnk), e->addr, now);
}

/* Answers a request for one of our addresses. */
static void arp_reply(struct link *lnk, const struct arp_packet *a, u64 now) {
    lnk->stk->stats.arp.out_replies++;
    arp_send(lnk, ARP_REPLY, a->sender_mac, a->target, a->sender, now);
}

void arp_announce(struct link *lnk, struct ipaddr addr, u64 now) {
    if (lnk->caps & LINK_CAP_ARP) return;
    lnk->stk->stats.arp.out_gratuitous++;
    arp_send(lnk, ARP_REQUEST, broadcast_mac, addr, addr, now);
}

/* ---- rows ---- */

/* Drops what waits; the senders of what is forwarded, and our own transports, are told. */
static void pending_drop(struct stack *stk, struct arp_entry *e, bool tell, u64 now) {
    for (struct list *n; (n = list_pop_front(&e->pending));) {
        struct pbuf *b = LIST_ENTRY(n, struct pbuf, node);
        stk->stats.arp.drop_unresolved++;
        e->lnk->count.drops_out_no_arp++;
        if (tell) {
            b->pkt.ip_header = b->pkt.data;
            b->pkt.src = ipaddr_get(b->pkt.data + IP4_SRC);
            b->pkt.dst = ipaddr_get(b->pkt.data + IP4_DST);
            icmp_send_error(stk, &b->pkt, ICMP_UNREACHABLE, ICMP_UNREACH_HOST, 0, now);
        }
        pbuf_release(b);
    }
    e->pending_count = 0;
}

static void arp_drop(struct stack *stk, struct arp_entry *e, bool tell, u64 now) {
    timer_disarm(stk, &e->timer);
    pending_drop(stk, e, tell, now);
    hash_del(&stk->arp.hash, row_hash(stk, e->addr, e->lnk), &e->hash);
    list_del(&e->node);
    pool_put(&stk->arp.pool, e);
}

/* A full table gives up its oldest row. */
static struct arp_entry *arp_row_take(struct stack *stk, u64 now) {
    struct arp_entry *e = pool_get(&stk->arp.pool);
    if (e) return e;
    stk->stats.arp.drop_table_full++;
    if (list_empty(&stk->arp.all)) return NULL;
    arp_drop(stk, LIST_ENTRY(stk->arp.all.next, struct arp_entry, node), false, now);
    return pool_get(&stk->arp.pool);
}

static struct arp_entry *arp_create(struct link *lnk, struct ipaddr addr, u64 now) {
    struct stack *stk = lnk->stk;
    struct arp_entry *e = arp_row_take(stk, now);
    if (!e) return NULL;
    memset(e, 0, sizeof *e);
    e->lnk = lnk;
    e->addr = addr;
    e->state = ARP_INCOMPLETE;
    list_init(&e->pending);
    timer_init(&e->timer, arp_timeout);
    hash_add(&stk->arp.hash, row_hash(stk, addr, lnk), &e->hash);
    list_push_back(&stk->arp.all, &e->node);
    return e;
}

static void arp_ask(struct stack *stk, struct arp_entry *e, enum arp_state state, u64 now) {
    e->state = (u8)state;
    e->tries = 1;
    timer_arm(stk, &e->timer, now + REQUEST_INTERVAL_USEC);
    arp_request(e, now);
}

static void arp_timeout(struct stack *stk, struct timer *t, u64 now) {
    struct arp_entry *e = CONTAINER_OF(t, struct arp_entry, timer);
    switch (e->state) {
    case ARP_REACHABLE:
        stk->stats.arp.timed_out++;
        if (e->used)
            arp_ask(stk, e, ARP_PROBING, now);
        else
            arp_drop(stk, e, false, now);
        return;
    case ARP_INCOMPLETE:
    case ARP_PROBING:
        if (e->tries < ARP_TRIES) {
            e->tries++;
            timer_arm(stk, t, now + REQUEST_INTERVAL_USEC);
            arp_request(e, now);
            return;
        }
        if (e->state == ARP_PROBING) {
            arp_drop(stk, e, false, now);
            return;
        }
        e->state = ARP_FAILED;
        timer_arm(stk, t, now + (u64)ARP_HOLD_SEC * USEC_PER_SEC);
        pending_drop(stk, e, true, now);
        return;
    default: arp_drop(stk, e, false, now);
    }
}

/* ---- output ---- */

static void arp_wait(struct stack *stk, struct arp_entry *e, const struct pkt *p, u64 now) {
    if (e->pending_count == ARP_PENDING_MAX) {
        /* The oldest goes: what comes later is more likely still wanted (RFC 1122 2.3.2.2). */
        pbuf_release(LIST_ENTRY(list_pop_front(&e->pending), struct pbuf, node));
        e->pending_count--;
        stk->stats.arp.drop_pending_full++;
        e->lnk->count.drops_out_no_arp++;
    }
    struct pbuf *b = pbuf_hold(stk, p, now);
    if (!b) {
        stk->stats.arp.drop_no_buffer++;
        e->lnk->count.drops_out_no_arp++;
        return;
    }
    list_push_back(&e->pending, &b->node);
    e->pending_count++;
}

void arp_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    struct stack *stk = lnk->stk;
    struct arp_entry *e = arp_find(stk, next_hop, lnk);
    if (e && (e->state == ARP_REACHABLE || e->state == ARP_PROBING)) {
        e->used = true;
        link_output_frame(lnk, p, e->mac, ETH_TYPE_IP, now);
        return;
    }
    if (ipaddr_is_broadcast(next_hop)) {
        link_output_frame(lnk, p, broadcast_mac, ETH_TYPE_IP, now);
        return;
    }
    if (ipaddr_is_multicast(next_hop)) {
        u8 mac[MAC_LEN];
        eth_group_mac(next_hop, mac);
        link_output_frame(lnk, p, mac, ETH_TYPE_IP, now);
        return;
    }
    if (e && e->state == ARP_FAILED) {
        stk->stats.arp.drop_unresolved++;
        lnk->count.drops_out_no_arp++;
        return;
    }
    bool ask = !e;
    if (!e && !(e = arp_create(lnk, next_hop, now))) {
        lnk->count.drops_out_no_arp++;
        return;
    }
    arp_wait(stk, e, p, now);
    if (ask) arp_ask(stk, e, ARP_INCOMPLETE, now);
}

/* ---- input ---- */

static void arp_confirm(struct stack *stk, struct arp_entry *e, const u8 *mac, u64 now) {
    struct list ready;
    bool fresh = e->state == ARP_REACHABLE || e->state == ARP_PROBING;
    if (!fresh)
        stk->stats.arp.learned++;
    else if (!eth_mac_eq(e->mac, mac))
        stk->stats.arp.changed++;
    else
        stk->stats.arp.refreshed++;
    memcpy(e->mac, mac, MAC_LEN);
    e->state = ARP_REACHABLE;
    e->used = false;
    timer_arm(stk, &e->timer, now + (u64)stk->conf.ip.arp_timeout_sec * USEC_PER_SEC);
    list_init(&ready);
    for (struct list *n; (n = list_pop_front(&e->pending));) list_push_back(&ready, n);
    e->pending_count = 0;
    for (struct list *n; (n = list_pop_front(&ready));) {
        struct pbuf *b = LIST_ENTRY(n, struct pbuf, node);
        e->used = true;
        link_output_frame(e->lnk, &b->pkt, mac, ETH_TYPE_IP, now);
        pbuf_release(b);
    }
}

/* Someone else says that he has one of our addresses: say once in a while that we have it. */
static void arp_defend(struct link *lnk, struct ipaddr addr, const u8 *mac, u64 now) {
    struct stack *stk = lnk->stk;
    char text[IPADDR_TEXT_MAX];
    stk->stats.arp.conflicts++;
    if (now < stk->arp.defend_after) return;
    stk->arp.defend_after = now + (u64)ARP_DEFEND_SEC * USEC_PER_SEC;
    stack_message(stk, "PLX4331W IP ADDRESS %s ON LINK %s IS IN USE BY %02X%02X%02X%02X%02X%02X",
                  ipaddr_text(addr, text), lnk->name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    arp_announce(lnk, addr, now);
}

/* May this packet's sender be believed at all? */
static bool arp_sane(struct link *lnk, const struct arp_packet *a) {
    if (eth_is_group(a->sender_mac) || ipaddr_is_multicast(a->sender) || ipaddr_is_broadcast(a->sender) ||
        ipaddr_is_loopback(a->sender))
        return false;
    if (!eth_mac_eq(a->sender_mac, lnk->mac)) return true;
    /* Our own MAC: a frame of ours that a hub sent back, or another LPAR that shares the OSA and so its MAC. */
    return !ipaddr_is_any(a->sender) && !home_answers(lnk->stk, lnk, a->sender);
}

static void arp_learn(struct link *lnk, const struct arp_packet *a, bool for_us, u64 now) {
    struct stack *stk = lnk->stk;
    if (ipaddr_is_any(a->sender)) return; /* an RFC 5227 probe names no sender */
    struct arp_entry *e = arp_find(stk, a->sender, lnk);
    if (!e && for_us && a->op == ARP_REQUEST) e = arp_create(lnk, a->sender, now);
    if (e)
        arp_confirm(stk, e, a->sender_mac, now);
    else if (a->op == ARP_REPLY)
        stk->stats.arp.drop_unwanted++;
}

void arp_input(struct link *lnk, const struct pkt *p, u64 now) {
    struct stack *stk = lnk->stk;
    struct arp_packet a;
    bool is_short;
    if (!arp_check(p->data, p->len, &is_short)) {
        if (is_short)
            stk->stats.arp.drop_short++;
        else
            stk->stats.arp.drop_format++;
        return;
    }
    arp_parse(p->data, &a);
    if (a.op == ARP_REQUEST)
        stk->stats.arp.in_requests++;
    else
        stk->stats.arp.in_replies++;
    if (!arp_sane(lnk, &a)) {
        stk->stats.arp.drop_martian++;
        return;
    }
    if (!ipaddr_is_any(a.sender) && home_answers(stk, lnk, a.sender)) {
        arp_defend(lnk, a.sender, a.sender_mac, now);
        return;
    }
    bool for_us = home_answers(stk, lnk, a.target);
    arp_learn(lnk, &a, for_us, now);
    if (a.op != ARP_REQUEST) return;
    if (!for_us) {
        stk->stats.arp.drop_not_ours++;
        return;
    }
    arp_reply(lnk, &a, now);
}

/* ---- commands ---- */

void arp_purge(struct stack *stk, struct link *lnk, u64 now) {
    LIST_FOR_EACH_SAFE(n, next, &stk->arp.all) {
        struct arp_entry *e = LIST_ENTRY(n, struct arp_entry, node);
        if (e->lnk == lnk) arp_drop(stk, e, false, now);
    }
    if ((lnk->caps & LINK_CAP_ARP) && lnk->up && lnk->ops && lnk->ops->arp_purge)
        lnk->ops->arp_purge(lnk, now);
}

/* One row from a card's table on its way to the caller. */
struct card_rows {
    void (*row)(void *ctx, const struct arp_row *r);
    void *ctx;
    const struct link *lnk;
};

static void card_row(void *ctx, struct ipaddr ip, const u8 *mac) {
    const struct card_rows *c = ctx;
    struct arp_row r = {.addr = ip, .lnk = c->lnk, .mac = mac, .state = ARP_REACHABLE};
    c->row(c->ctx, &r);
}

void arp_for_each(struct stack *stk, void (*row)(void *ctx, const struct arp_row *r), void *ctx) {
    LIST_FOR_EACH(n, &stk->arp.all) {
        const struct arp_entry *e = LIST_ENTRY(n, struct arp_entry, node);
        bool known = e->state == ARP_REACHABLE || e->state == ARP_PROBING;
        struct arp_row r = {.addr = e->addr, .lnk = e->lnk, .mac = known ? e->mac : NULL, .state = e->state};
        row(ctx, &r);
    }
    LIST_FOR_EACH(n, &stk->links) {
        struct link *lnk = LIST_ENTRY(n, struct link, node);
        struct card_rows c = {.row = row, .ctx = ctx, .lnk = lnk};
        if (lnk->up && lnk->ops && (lnk->caps & LINK_CAP_ARP) && lnk->ops->arp_query)
            lnk->ops->arp_query(lnk, card_row, &c);
    }
}
