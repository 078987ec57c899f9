/* osa_port_arp.c - ARP as the card does it for its layer 3 attachments (RFC 826, 5227).
 *
 *   FREE --packet to an unknown neighbour: request--> PENDING --answer--> RESOLVED --life over--> FREE
 *                                       3 requests, 1 s apart, no answer --> FREE, its packets counted
 *   RESOLVED, used in its last 30 s: asked again, goes on being used.   STATIC (ARP_ADD) stays until ARP_DEL.
 *
 * A neighbour is learned from an answer, from a request for one of our addresses, and kept up to date by any ARP
 * packet of its own. PENDING entries are in order of their deadlines, because all wait the same time; RESOLVED ones
 * in order of their last use, so a full table gives up the one least recently used.
 */
#include "hercules-devices/osa_port_impl.h"

static const u8 broadcast_mac[ETH_MAC_BYTES] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

void port_arp_init(struct osa_port *p) {
    list_init(&p->arp_pending);
    list_init(&p->arp_resolved);
    list_init(&p->pending_free);
    for (u32 i = OSA_ARP_MAX; i-- > 0;) {
        struct osa_arp_entry *e = &p->arp[i];
        list_init(&e->order);
        list_init(&e->waiting);
        e->next = p->arp_free;
        p->arp_free = (u16)(i + 1);
    }
    for (u32 i = OSA_PENDING_MAX; i-- > 0;) list_push_front(&p->pending_free, &p->pending[i].node);
}

/* ---- sending ---- */

static void arp_send(struct osa_port *p, const u8 *to_mac, const struct arp_packet *a) {
    u8 bytes[ETH_HEADER_BYTES + ARP_BYTES];
    struct osa_frame f;
    eth_emit(bytes, to_mac, p->params.mac, ETH_TYPE_ARP);
    arp_emit(bytes + ETH_HEADER_BYTES, a);
    CHECK(osa_frame_parse(&f, bytes, sizeof bytes, OSA_FROM_PORT));
    p->count[a->op == ARP_REQUEST ? OSA_PC_ARP_REQUESTS_OUT : OSA_PC_ARP_REPLIES_OUT]++;
    port_send_to_mac(p, &f, to_mac);
}

static struct arp_packet arp_ours(const struct osa_port *p, u16 op, struct ipaddr sender, struct ipaddr target) {
    struct arp_packet a = {.op = op, .sender = sender, .target = target};
    memcpy(a.sender_mac, p->params.mac, ETH_MAC_BYTES);
    return a;
}

void port_arp_announce(struct osa_port *p, struct ipaddr ip) {
    struct arp_packet a = arp_ours(p, ARP_REQUEST, ip, ip);
    arp_send(p, broadcast_mac, &a);
}

void port_arp_probe(struct osa_port *p, struct ipaddr ip) {
    struct arp_packet a = arp_ours(p, ARP_REQUEST, IPADDR_ANY, ip); /* a zero sender changes nobody's cache */
    arp_send(p, broadcast_mac, &a);
}

/* In whose name to ask: an address of the attachment, its real one rather than a VIPA. Never the packet's source
 * as such: a router's packets have strangers' addresses, and the LAN would believe that they live here. *soon: it has none, but probes for one. */
static struct ipaddr arp_asker(const struct osa_port *p, u32 n, bool *soon) {
    struct ipaddr vipa = IPADDR_ANY;
    *soon = false;
    for (u32 i = 0; i < OSA_OAT_MAX; i++) {
        const struct osa_oat_entry *e = &p->oat[i];
        if (e->attachment != n || (e->flags & OSA_OAT_LEAVING)) continue;
        if (e->flags & OSA_OAT_PROBING) {
            *soon = true;
            continue;
        }
        if (!(e->flags & OSA_OAT_VIPA)) return *soon = false, e->ip;
        vipa = e->ip;
    }
    *soon &= ipaddr_is_any(vipa);
    return vipa;
}

/* A question in nobody's name is a probe (RFC 5227 1.1) for who just probes for that address itself, and denies it to him. */
static void arp_ask(struct osa_port *p, struct osa_arp_entry *e, u32 from) {
    bool soon;
    struct arp_packet a = arp_ours(p, ARP_REQUEST, arp_asker(p, from, &soon), e->ip);
    if (!soon) arp_send(p, e->refreshing ? e->mac : broadcast_mac, &a);
}

void port_arp_ask_again(struct osa_port *p, u32 n) {
    LIST_FOR_EACH(it, &p->arp_pending) {
        struct osa_arp_entry *e = LIST_ENTRY(it, struct osa_arp_entry, order);
        if (!list_empty(&e->waiting) && LIST_ENTRY(e->waiting.next, struct osa_pending, node)->from == n) arp_ask(p, e, n);
    }
}

/* ---- entries ---- */

static struct osa_arp_entry *arp_find(struct osa_port *p, struct ipaddr ip) {
    for (u32 i = p->arp_hash[port_hash_ip(ip)]; i; i = p->arp[i - 1].next)
        if (ipaddr_eq(p->arp[i - 1].ip, ip)) return &p->arp[i - 1];
    return NULL;
}

static struct osa_frame pending_frame(const struct osa_pending *w) {
    struct osa_frame f;
    CHECK(osa_frame_parse(&f, w->bytes, w->len, w->from)); /* it was one when it was stored */
    f.gso_bytes = w->gso_bytes;
    f.csum_needed = w->csum_needed;
    f.csum_start = w->csum_start;
    f.csum_field = w->csum_field;
    return f;
}

static void pending_release(struct osa_port *p, struct osa_arp_entry *e, struct osa_pending *w, bool counted) {
    struct osa_frame f = pending_frame(w);
    if (counted) port_drop(p, &f, OSA_AC_DROP_NO_NEIGHBOUR, OSA_PC_DROP_NO_OWNER);
    list_del(&w->node);
    list_push_front(&p->pending_free, &w->node);
    e->waiting_count--;
    p->pending_count--;
}

static void arp_free_entry(struct osa_port *p, struct osa_arp_entry *e) {
    LIST_FOR_EACH_SAFE(it, nxt, &e->waiting) pending_release(p, e, LIST_ENTRY(it, struct osa_pending, node), true);
    u16 *link = &p->arp_hash[port_hash_ip(e->ip)], self = (u16)(e - p->arp + 1);
    while (*link != self) link = &p->arp[*link - 1].next;
    *link = e->next;
    list_del(&e->order);
    e->state = OSA_ARP_FREE;
    e->next = p->arp_free;
    p->arp_free = self;
    p->arp_count--;
}

static struct osa_arp_entry *arp_new(struct osa_port *p, struct ipaddr ip) {
    if (!p->arp_free) {
        if (list_empty(&p->arp_resolved)) return NULL;
        p->count[OSA_PC_ARP_EVICTED]++;
        arp_free_entry(p, LIST_ENTRY(p->arp_resolved.next, struct osa_arp_entry, order));
    }
    u16 i = p->arp_free;
    u32 h = port_hash_ip(ip);
    struct osa_arp_entry *e = &p->arp[i - 1];
    p->arp_free = e->next;
    e->ip = ip;
    e->next = p->arp_hash[h];
    e->tries = 0;
    e->refreshing = false;
    p->arp_hash[h] = i;
    p->arp_count++;
    return e;
}

static void arp_resolved(struct osa_port *p, struct osa_arp_entry *e, const u8 *mac, u64 now) {
    memcpy(e->mac, mac, ETH_MAC_BYTES);
    e->state = OSA_ARP_RESOLVED;
    e->deadline = now + OSA_ARP_LIFETIME_USEC;
    e->refreshing = false;
    list_del(&e->order);
    list_push_back(&p->arp_resolved, &e->order);
    LIST_FOR_EACH_SAFE(it, nxt, &e->waiting) {
        struct osa_pending *w = LIST_ENTRY(it, struct osa_pending, node);
        struct osa_frame f = pending_frame(w);
        /* An LCS attachment answers with the port's own MAC: then its address is in the OAT by now. */
        port_switch_ip(p, &f, e->ip, now);
        pending_release(p, e, w, false);
    }
}

/* ---- output ---- */

static void arp_wait(struct osa_port *p, struct osa_arp_entry *e, const struct osa_frame *f) {
    u32 len = osa_frame_len(f);
    if (e->waiting_count >= OSA_PENDING_PER_HOP || list_empty(&p->pending_free) || len > OSA_PENDING_BYTES) {
        port_drop(p, f, OSA_AC_DROP_ARP_QUEUE, OSA_PC_DROP_NO_OWNER);
        return;
    }
    struct osa_pending *w = LIST_ENTRY(list_pop_front(&p->pending_free), struct osa_pending, node);
    w->from = f->from;
    w->len = len;
    w->gso_bytes = f->gso_bytes;
    w->csum_needed = f->csum_needed;
    w->csum_start = f->csum_start;
    w->csum_field = f->csum_field;
    memcpy(w->bytes, f->head, f->head_len);
    memcpy(w->bytes + f->head_len, f->body, f->body_len);
    list_push_back(&e->waiting, &w->node);
    e->waiting_count++;
    p->pending_count++;
}

void port_arp_output(struct osa_port *p, struct osa_frame *f, struct ipaddr hop, u64 now) {
    struct osa_arp_entry *e = arp_find(p, hop);
    if (e && e->state == OSA_ARP_RESOLVED && now >= e->deadline) {
        arp_free_entry(p, e);
        e = NULL;
    }
    if (e && e->state != OSA_ARP_PENDING) {
        if (e->state == OSA_ARP_RESOLVED) {
            list_del(&e->order);
            list_push_back(&p->arp_resolved, &e->order);
            if (!e->refreshing && now + OSA_ARP_REFRESH_USEC >= e->deadline) {
                e->refreshing = true;
                arp_ask(p, e, f->from);
            }
        }
        port_send_to_mac(p, f, e->mac);
        return;
    }
    if (!e) {
        e = arp_new(p, hop);
        if (!e) {
            port_drop(p, f, OSA_AC_DROP_ARP_QUEUE, OSA_PC_DROP_NO_OWNER);
            return;
        }
        e->state = OSA_ARP_PENDING;
        e->tries = 1;
        e->deadline = now + OSA_ARP_RETRY_USEC;
        list_push_back(&p->arp_pending, &e->order);
        arp_wait(p, e, f);
        arp_ask(p, e, f->from);
        return;
    }
    arp_wait(p, e, f);
}

/* ---- input ---- */

/* Somebody else uses an address of ours, or is about to. */
static void arp_conflicts(struct osa_port *p, const struct osa_frame *f, const struct arp_packet *a, u64 now) {
    if (eth_mac_eq(a->sender_mac, p->params.mac)) return; /* our own, or an LCS attachment's */
    bool probe = ipaddr_is_any(a->sender);
    struct osa_oat_entry *e = port_oat_find(p, probe ? a->target : a->sender);
    if (!e || (e->flags & (OSA_OAT_LEARNED | OSA_OAT_LEAVING)) || e->attachment == f->from) return;
    if (e->flags & OSA_OAT_PROBING) port_probe_end(p, e, true, now);
    else if (!probe)
        p->count[OSA_PC_ARP_CONFLICTS]++;
}

static void arp_learn(struct osa_port *p, const struct osa_frame *f, const struct arp_packet *a, u64 now) {
    if (ipaddr_is_any(a->sender) || ipaddr_is_multicast(a->sender) || eth_is_group(a->sender_mac)) return;
    if (f->from < OSA_ATTACHMENTS && p->att[f->from].mode == OSA_MODE_LCS) {
        /* An LCS attachment registers nothing; its address is what it answers to. */
        struct osa_oat_entry *own = port_oat_find(p, a->sender);
        if (!own && eth_mac_eq(a->sender_mac, p->params.mac)) port_oat_add(p, a->sender, f->from, OSA_OAT_LEARNED);
    }
    struct osa_arp_entry *e = arp_find(p, a->sender);
    struct osa_oat_entry *for_us = port_oat_find(p, a->target);
    if (!e && for_us && !(for_us->flags & OSA_OAT_LEARNED) && !port_oat_find(p, a->sender)) {
        e = arp_new(p, a->sender);
        if (e) e->state = OSA_ARP_PENDING;
    }
    if (!e || e->state == OSA_ARP_STATIC) return;
    arp_resolved(p, e, a->sender_mac, now);
    /* What has the port's own MAC is found in the OAT, and gone with it. */
    if (eth_mac_eq(a->sender_mac, p->params.mac)) arp_free_entry(p, e);
}

static void arp_reply(struct osa_port *p, const struct osa_frame *f, const struct arp_packet *a) {
    const struct osa_oat_entry *e = port_oat_find(p, a->target);
    if (!e || (e->flags & (OSA_OAT_LEARNED | OSA_OAT_PROBING | OSA_OAT_LEAVING)) || e->attachment == f->from) return;
    if (!(p->started & port_bit(e->attachment))) return;
    struct arp_packet r = arp_ours(p, ARP_REPLY, a->target, a->sender);
    memcpy(r.target_mac, a->sender_mac, ETH_MAC_BYTES);
    arp_send(p, a->sender_mac, &r);
}

void port_arp_input(struct osa_port *p, const struct osa_frame *f, u64 now) {
    struct arp_packet a;
    bool is_short;
    if (!arp_check(f->body, f->body_len, &is_short)) {
        if (is_short) port_drop(p, f, OSA_AC_DROP_MALFORMED, OSA_PC_DROP_MALFORMED);
        return;
    }
    arp_parse(f->body, &a);
    p->count[a.op == ARP_REQUEST ? OSA_PC_ARP_REQUESTS_IN : OSA_PC_ARP_REPLIES_IN]++;
    arp_conflicts(p, f, &a, now);
    arp_learn(p, f, &a, now);
    if (a.op == ARP_REQUEST) arp_reply(p, f, &a);
}

/* ---- time ---- */

static u64 pending_tick(struct osa_port *p, u64 now) {
    while (!list_empty(&p->arp_pending)) {
        struct osa_arp_entry *e = LIST_ENTRY(p->arp_pending.next, struct osa_arp_entry, order);
        if (now < e->deadline) return e->deadline;
        if (e->tries >= OSA_ARP_TRIES || list_empty(&e->waiting)) {
            arp_free_entry(p, e);
            continue;
        }
        e->tries++;
        e->deadline = now + OSA_ARP_RETRY_USEC;
        list_del(&e->order);
        list_push_back(&p->arp_pending, &e->order);
        arp_ask(p, e, LIST_ENTRY(e->waiting.next, struct osa_pending, node)->from);
    }
    return TIME_NEVER;
}

u64 port_arp_tick(struct osa_port *p, u64 now) {
    u64 next = pending_tick(p, now);
    /* In order of use and not of age: one look at the oldest user is enough to let all unused ones go in time. */
    while (!list_empty(&p->arp_resolved)) {
        struct osa_arp_entry *e = LIST_ENTRY(p->arp_resolved.next, struct osa_arp_entry, order);
        if (now < e->deadline) return u64_min(next, e->deadline);
        arp_free_entry(p, e);
    }
    return next;
}

/* ---- what a stack asks for ---- */

bool port_arp_add(struct osa_port *p, struct ipaddr ip, const u8 *mac) {
    struct osa_arp_entry *e = arp_find(p, ip);
    if (!e) e = arp_new(p, ip);
    if (!e) return false;
    arp_resolved(p, e, mac, 0);
    list_del(&e->order); /* neither ages nor makes room */
    e->state = OSA_ARP_STATIC;
    return true;
}

bool port_arp_delete(struct osa_port *p, struct ipaddr ip) {
    struct osa_arp_entry *e = arp_find(p, ip);
    if (e) arp_free_entry(p, e);
    return e != NULL;
}

void port_arp_flush(struct osa_port *p) {
    while (!list_empty(&p->arp_resolved))
        arp_free_entry(p, LIST_ENTRY(p->arp_resolved.next, struct osa_arp_entry, order));
}

u32 port_arp_list(const struct osa_port *p, u8 *out, u32 max) {
    u32 n = 0;
    for (u32 i = 0; i < OSA_ARP_MAX && n < max; i++) {
        const struct osa_arp_entry *e = &p->arp[i];
        if (e->state != OSA_ARP_RESOLVED && e->state != OSA_ARP_STATIC) continue;
        ipaddr_put(out + n * 12, e->ip);
        memcpy(out + n * 12 + 4, e->mac, ETH_MAC_BYTES);
        be16_put(out + n * 12 + 10, 0);
        n++;
    }
    return n;
}

void port_arp_forget(struct osa_port *p, u32 n) {
    LIST_FOR_EACH(it, &p->arp_pending) {
        struct osa_arp_entry *e = LIST_ENTRY(it, struct osa_arp_entry, order);
        LIST_FOR_EACH_SAFE(w, nxt, &e->waiting) {
            struct osa_pending *pending = LIST_ENTRY(w, struct osa_pending, node);
            if (pending->from == n) pending_release(p, e, pending, true);
        }
    }
}
