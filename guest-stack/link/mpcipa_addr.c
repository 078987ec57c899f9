/* mpcipa_addr.c - what the card is told while the device is READY: addresses, groups, its ARP cache.
 *
 *   entry is               wanted                     no longer wanted
 *   not registered         SETIP / SETIPM             forgotten
 *   registered             SETIP once more            DELIP / DELIPM, then forgotten
 *
 * SETIP once more is what makes the card announce the address again (gratuitous ARP) after the LAN was away
 * or when the stack takes an address back. Entries with something to tell stand in one queue, oldest first;
 * one command is on its way at a time, and an entry that changes its mind meanwhile is queued again. O(1)
 * each.
 *
 * When the LAN comes back the stack says anew what it wants, while the card still has what it had: every
 * entry is set to "no longer wanted" before the stack is told, and the queue is held until it has spoken.
 *
 * The card's neighbours are fetched when somebody asks, and every NEIGHBOURS_USEC while packets are sent, so
 * that NETSTAT ARP has something to show at once.
 */
#include "base/str.h"
#include "link/mpcipa.h"
#include "net/stack.h"

#define COMMAND_USEC  (20u * USEC_PER_SEC)
#define SETIP_BYTES   12
#define SETIPM_BYTES  24
#define QUERY_BYTES   8
#define QUERY_REQUEST 0x000F

/* ---- the table ---- */

static struct mpcipa_addr **bucket_of(struct mpcipa *d, struct ipaddr a) {
    u32 h = a.v4 ^ a.v4 >> 16;
    return &d->bucket[(h ^ h >> 8) % OSA_ADDR_BUCKETS];
}

static struct mpcipa_addr *addr_find(struct mpcipa *d, struct ipaddr a, bool group) {
    for (struct mpcipa_addr *e = *bucket_of(d, a); e; e = e->next)
        if (ipaddr_eq(e->addr, a) && e->group == group) return e;
    return NULL;
}

static void addr_free(struct mpcipa *d, struct mpcipa_addr *e) {
    struct mpcipa_addr **p = bucket_of(d, e->addr);
    while (*p != e) p = &(*p)->next;
    *p = e->next;
    list_del(&e->due);
    pool_put(&d->addr_pool, e);
}

void mpcipa_addr_forget(struct mpcipa *d) {
    d->in_flight = NULL;
    d->flush_due = d->query_due = false;
    d->neighbours = 0;
    for (u32 i = 0; i < OSA_ADDR_BUCKETS; i++)
        while (d->bucket[i]) addr_free(d, d->bucket[i]);
}

static void addr_due(struct mpcipa *d, struct mpcipa_addr *e) {
    if (!list_is_in(&e->due)) list_push_back(&d->due, &e->due);
}

void mpcipa_addr_stale(struct mpcipa *d) {
    for (u32 i = 0; i < OSA_ADDR_BUCKETS; i++) {
        for (struct mpcipa_addr *e = d->bucket[i]; e; e = e->next) {
            e->wanted = false;
            e->flags = 0;
            addr_due(d, e);
        }
    }
}

int mpcipa_addr_want(struct mpcipa *d, struct ipaddr a, bool group, u8 flags, bool wanted, u64 now) {
    if (d->m.state == OSA_DOWN || d->m.state >= OSA_STOPLAN) return -ERR_NETDOWN;
    struct mpcipa_addr *e = addr_find(d, a, group);
    if (!e && !wanted) return -ERR_NOENT;
    if (!e) {
        e = pool_get(&d->addr_pool);
        if (!e) {
            d->count.address_table_full++;
            return -ERR_NOMEM;
        }
        struct mpcipa_addr **b = bucket_of(d, a);
        *e = (struct mpcipa_addr){.next = *b, .addr = a, .group = group};
        list_init(&e->due);
        *b = e;
    }
    e->wanted = wanted;
    e->flags = flags;
    addr_due(d, e);
    mpcipa_addr_next(d, now);
    return 0;
}

/* ---- telling the card ---- */

/* The group's MAC: 01-00-5E and the low 23 bits (RFC 1112 6.4). */
static void group_mac(struct ipaddr a, u8 *mac) {
    be32_put(mac + 2, a.v4 & 0x7FFFFF);
    mac[0] = 0x01;
    mac[1] = 0x00;
    mac[2] = 0x5E;
}

static void addr_send(struct mpcipa *d, struct mpcipa_addr *e, u64 now) {
    bool add = e->wanted;
    d->in_flight = e;
    d->in_flight_add = add;
    if (e->group) {
        u8 *data = mpcipa_ipa_begin(d, add ? IPA_SETIPM : IPA_DELIPM, SETIPM_BYTES);
        group_mac(e->addr, data);
        ipaddr_put(data + 20, e->addr);
        mpcipa_ipa_send(d, SETIPM_BYTES, now);
        return;
    }
    u8 *data = mpcipa_ipa_begin(d, add ? IPA_SETIP : IPA_DELIP, SETIP_BYTES);
    ipaddr_put(data, e->addr);
    be32_put(data + 4, 0xFFFFFFFF);
    be32_put(data + 8, e->flags);
    mpcipa_ipa_send(d, SETIP_BYTES, now);
}

/* One entry of the queue: told to the card, or forgotten if there is nothing to tell. */
static bool next_address(struct mpcipa *d, u64 now) {
    for (struct list *n; (n = list_pop_front(&d->due));) {
        struct mpcipa_addr *e = LIST_ENTRY(n, struct mpcipa_addr, due);
        if (e->wanted || e->registered) {
            addr_send(d, e, now);
            return true;
        }
        addr_free(d, e);
    }
    return false;
}

static bool next_arp(struct mpcipa *d, u64 now) {
    if (d->flush_due) {
        d->flush_due = false;
        mpcipa_ipa_assist(d, IPA_ASS_ARP, ASS_ARP_FLUSH, 0);
        mpcipa_ipa_send(d, ASS_DATA_AT - IPA_DATA_AT, now);
        return true;
    }
    if (d->query_due) {
        d->query_due = false;
        d->neighbours_new = 0;
        u8 *data = mpcipa_ipa_assist(d, IPA_ASS_ARP, ASS_ARP_QUERY, QUERY_BYTES);
        be16_put(data, QUERY_REQUEST);
        mpcipa_ipa_send(d, ASS_DATA_AT - IPA_DATA_AT + QUERY_BYTES, now);
        return true;
    }
    return false;
}

void mpcipa_addr_next(struct mpcipa *d, u64 now) {
    if (d->m.state != OSA_READY || d->hold || d->ipa_command || d->m.sub[OSA_UNIT_WRITE].running) return;
    if (d->m.stop_due || d->lan_due) {
        enum mpcipa_event ev = d->m.stop_due ? OSA_EV_STOP : OSA_EV_LAN;
        d->m.stop_due = d->lan_due = false;
        mpcipa_event(d, ev, OSA_FAIL_NONE, 0, now);
        return;
    }
    /* READY has no time of its own; a command has. */
    if (next_address(d, now) || next_arp(d, now)) {
        if (d->m.state == OSA_READY) timer_arm(d->m.dev->stk, &d->m.step, now + COMMAND_USEC);
    }
}

/* ---- answers ---- */

static void addr_answer(struct mpcipa *d, u32 rc, u64 now) {
    struct mpcipa_addr *e = d->in_flight;
    bool add = d->in_flight_add;
    d->in_flight = NULL;
    if (!add) {
        e->registered = false;
        if (!e->wanted)
            addr_free(d, e);
        else
            addr_due(d, e);
        return;
    }
    /* "Registered already" is what we want to hear about our own address. */
    if ((rc == IPA_RC_DUPLICATE_IP && e->registered) || (e->group && rc == IPA_RC_GROUP_DEFINED))
        rc = IPA_RC_OK;
    struct ipaddr a = e->addr;
    bool tell = e->wanted && !e->group;
    e->registered = rc == IPA_RC_OK;
    if (!e->wanted) {
        addr_due(d, e);
    } else if (rc) {
        d->count.address_refused++;
        if (!list_is_in(&e->due)) addr_free(d, e);
    }
    if (tell) link_address_result(d->m.dev->lnk, a, rc, now);
}

/* Rows of one answer to ARP QUERY; true when it was the last one. */
static bool arp_rows(struct mpcipa *d, const u8 *p, u32 len) {
    if (len < ASS_DATA_AT + QUERY_BYTES) return true;
    u32 rows = be32_get(p + ASS_DATA_AT + 4);
    const u8 *row = p + ASS_DATA_AT + QUERY_BYTES;
    u32 room = (len - ASS_DATA_AT - QUERY_BYTES) / ARP_ENTRY_BYTES;
    for (u32 i = 0; i < u32_min(rows, room) && d->neighbours_new < OSA_ARP_ROWS;
         i++, row += ARP_ENTRY_BYTES) {
        struct mpcipa_neighbour *n = &d->neighbour[d->neighbours_new++];
        memcpy(n->mac, row + 34, MAC_LEN);
        n->ip = ipaddr_get(row + 40);
    }
    bool last = p[ASS_NUMBER_AT] >= p[ASS_REPLIES_AT];
    if (last) d->neighbours = d->neighbours_new;
    return last;
}

void mpcipa_addr_answer(struct mpcipa *d, const u8 *p, u32 len, u64 now) {
    u32 rc = be16_get(p + IPA_RC_AT);
    bool query = p[IPA_COMMAND_AT] == IPA_SETASSPARMS && len >= ASS_DATA_AT &&
                 be16_get(p + ASS_COMMAND_AT) == ASS_ARP_QUERY;
    if (query && rc == 0 && be16_get(p + ASS_RC_AT) == 0 && !arp_rows(d, p, len)) return;
    d->ipa_command = 0;
    /* A command is over when it is answered and its WRITE has ended; until then its time runs. */
    if (!d->m.sub[OSA_UNIT_WRITE].running) timer_disarm(d->m.dev->stk, &d->m.step);
    if (d->in_flight) addr_answer(d, rc, now);
    mpcipa_addr_next(d, now);
}

/* ---- the card's neighbours ---- */

int mpcipa_arp_purge(struct mpcipa *d, u64 now) {
    if (d->m.state != OSA_READY) return -ERR_NETDOWN;
    if (!(d->assists & IPA_ASS_ARP)) return -ERR_NOSYS;
    d->flush_due = d->query_due = true;
    mpcipa_addr_next(d, now);
    return 0;
}

int mpcipa_arp_query(struct mpcipa *d, void (*row)(void *ctx, struct ipaddr ip, const u8 *mac), void *ctx) {
    for (u32 i = 0; i < d->neighbours; i++) row(ctx, d->neighbour[i].ip, d->neighbour[i].mac);
    return (int)d->neighbours;
}

/* Packets were sent since the last time: the card's table may have changed. */
void mpcipa_arp_refresh(struct mpcipa *d, u64 now) {
    u64 sent = d->count.siga_write;
    if (d->m.state == OSA_READY && d->assists & IPA_ASS_ARP && sent != d->refreshed_at) {
        d->refreshed_at = sent;
        d->query_due = true;
        mpcipa_addr_next(d, now);
    }
    timer_arm(d->m.dev->stk, &d->refresh, now + NEIGHBOURS_USEC);
}
