/* simplex_lan.c - the LAN of the simulated sysplex: one segment with an address table, as a shared OSA has it. Who gets a packet
 * is decided when it is sent; what is under way while an address moves still reaches the system that has just given it up. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/simplex_impl.h"
#include "wire/ip4.h"
#include "wire/tcphdr.h"

#define LAN_US       100
#define LEAVING_US   (2 * (u64)USEC_PER_SEC) /* the card's */
#define DYNXCF_FIRST 0xC109C801u /* of system 0 */

static struct node *node_of(const struct link *lnk) {
    return lnk->dev->state;
}

static int attach(struct device *dev, void *ctx) {
    dev->state = ctx;
    dev->lnk->caps = LINK_CAP_ARP | LINK_CAP_CSUM_OUT | LINK_CAP_CSUM_IN;
    dev->lnk->mtu_bytes = 1500;
    return 0;
}
static int start(struct device *dev, u64 now) {
    device_ready(dev, now);
    return 0;
}
static int stop(struct device *dev, u64 now) {
    simplex_lan_forget(node_of(dev->lnk)->p, node_of(dev->lnk)->index);
    device_stopped(dev, now);
    return 0;
}
const struct device_ops simplex_lan_device = {.type_name = "MPCIPA", .attach = attach, .start = start, .stop = stop};

static struct lan_owner *owner_find(struct simplex *p, struct ipaddr addr) {
    for (u32 i = 0; i < p->owners; i++) {
        struct lan_owner *o = &p->owner[i];
        if (!ipaddr_eq(o->addr, addr)) continue;
        if (!o->leaves || simxcf_now(p->x) < o->leaves + LEAVING_US) return o;
        *o = p->owner[--p->owners];
        return NULL;
    }
    return NULL;
}

/* The card refuses an address that another one has, unless that one's system has been isolated: E00A. */
static int address_add(struct link *lnk, struct ipaddr addr, bool is_vipa, u64 now) {
    struct node *n = node_of(lnk);
    struct simplex *p = n->p;
    UNUSED(is_vipa);
    UNUSED(now);
    if (lnk->type != LNK_IPAQENET) return 0;
    struct lan_owner *o = owner_find(p, addr);
    if (o) {
        bool stale = !simplex_runs(&p->node[o->node]) || o->node == n->index || o->leaves ||
                     (!p->node[o->node].client && simxcf_isolated(p->x, o->node));
        if (!stale && !p->node[o->node].client) return -0xE00A;
        *o = (struct lan_owner){addr, n->index, 0};
        return 0;
    }
    if (p->owners == p->owners_size) {
        p->owners_size = p->owners_size ? 2 * p->owners_size : 64;
        p->owner = realloc(p->owner, p->owners_size * sizeof *p->owner);
        CHECK(p->owner != NULL);
    }
    p->owner[p->owners++] = (struct lan_owner){addr, n->index, 0};
    return 0;
}
static int address_del(struct link *lnk, struct ipaddr addr, bool passes_on, u64 now) {
    struct node *n = node_of(lnk);
    struct lan_owner *o = owner_find(n->p, addr);
    UNUSED(now);
    if (!o || o->node != n->index) return 0;
    if (passes_on)
        o->leaves = simxcf_now(n->p->x);
    else
        *o = n->p->owner[--n->p->owners];
    return 0;
}
void simplex_lan_forget(struct simplex *p, u32 node) {
    for (u32 i = 0; i < p->owners;) {
        if (p->owner[i].node == node)
            p->owner[i] = p->owner[--p->owners];
        else
            i++;
    }
}

static int output(struct link *lnk, struct pkt *pkt, struct ipaddr next_hop, u64 now) {
    struct node *n = node_of(lnk);
    struct simplex *p = n->p;
    u32 len = pkt_bytes(pkt);
    UNUSED(now);
    if (!simplex_runs(n) || (!n->client && simxcf_isolated(p->x, n->index))) return 0; /* fenced: nothing gets out */
    if (simplex_random(p, 1000) < p->par.loss_permille) return 0;
    struct lan_packet *k = malloc(sizeof *k + len);
    CHECK(k != NULL);
    const struct lan_owner *o = owner_find(p, next_hop);
    struct lan_queue *q = &p->wire[lnk->type == LNK_IPAQIDIO];
    *k = (struct lan_packet){.at = u64_max(simxcf_now(p->x) + LAN_US, q->stuck_until), .order = p->packets_sent++, .to = next_hop, .len = len, .from = n->index, .node = o ? (i32)o->node : -1};
    if (lnk->type == LNK_IPAQIDIO) {
        u32 hop = next_hop.v4 - DYNXCF_FIRST;
        k->iqd = true;
        k->node = hop < p->par.systems ? (i32)hop : -1;
    }
    pkt_copy(pkt, 0, k->bytes, len);
    u32 header = ip4_header_bytes(k->bytes);
    if (k->bytes[IP4_PROTO] == IP_PROTO_TCP && len >= header + TCPHDR_BYTES && (k->bytes[header + 13] & TCPF_RST)) n->rst = true;
    if (q->tail)
        q->tail->next = k;
    else
        q->head = k;
    q->tail = k;
    return 0;
}
const struct link_ops simplex_lan_link = {.output = output, .address_add = address_add, .address_del = address_del};

static void deliver(struct simplex *p, struct lan_packet *k) {
    if (k->node < 0 || (u32)k->node == k->from) return;
    struct node *n = &p->node[k->node];
    if (!simplex_runs(n) || (!n->client && simxcf_isolated(p->x, n->index))) return;
    const struct device *dev = device_find(n->stk, k->iqd ? "IUTIQDIO" : "LAN");
    struct link *lnk = dev ? dev->lnk : NULL;
    if (!lnk || !lnk->up) return;
    u8 *room = malloc(k->len + PKT_HEADROOM);
    CHECK(room != NULL);
    memcpy(room + PKT_HEADROOM, k->bytes, k->len);
    struct pkt pkt = {.data = room + PKT_HEADROOM,
                      .len = k->len,
                      .headroom = PKT_HEADROOM,
                      .flags = PKT_IP_CSUM_OK | PKT_L4_CSUM_OK};
    if (k->iqd)
        n->by_iqd++;
    else
        n->delivered++;
    u32 header = ip4_header_bytes(k->bytes);
    bool reset = n->client && k->bytes[IP4_PROTO] == IP_PROTO_TCP && k->len >= header + TCPHDR_BYTES && (k->bytes[header + 13] & TCPF_RST);
    if (reset && p->par.reset) p->par.reset(p->par.ctx, k->from, n->index, be16_get(k->bytes + header + 2));
    link_input(lnk, &pkt, simplex_node_now(n));
    n->due = 0;
    free(room);
}

void simplex_iqd(struct simplex *p, u32 i, u8 lan) {
    const struct device *dev = p->node[i].stk ? device_find(p->node[i].stk, "IUTIQDIO") : NULL;
    if (!dev) return;
    dev->lnk->mac[5] = lan; /* by which two stacks know that they are on one LAN */
    if (lan)
        link_lan_up(dev->lnk, simplex_node_now(&p->node[i]));
    else
        link_lan_down(dev->lnk, simplex_node_now(&p->node[i]));
    p->node[i].due = 0;
}

void simplex_lan_stuck(struct simplex *p, bool iqd, u64 us) {
    struct lan_queue *q = &p->wire[iqd];
    q->stuck_until = u64_max(q->stuck_until, simxcf_now(p->x) + us);
}

/* The wire whose first packet is the next one of all; NULL: nothing is due. */
static struct lan_queue *next_of(struct simplex *p) {
    struct lan_queue *next = NULL;
    for (u32 i = 0; i < ARRAY_LEN(p->wire); i++) {
        struct lan_queue *q = &p->wire[i];
        if (!q->head || q->head->at > simxcf_now(p->x)) continue;
        bool before = !next || q->head->at < next->head->at || (q->head->at == next->head->at && q->head->order < next->head->order);
        if (before) next = q;
    }
    return next;
}

static struct lan_packet *take(struct lan_queue *q) {
    struct lan_packet *k = q->head;
    q->head = k->next;
    if (!q->head) q->tail = NULL;
    return k;
}

void simplex_lan_run(struct simplex *p) {
    for (struct lan_queue *q; (q = next_of(p)) != NULL;) {
        struct lan_packet *k = take(q);
        deliver(p, k);
        free(k);
    }
}
void simplex_lan_free(struct simplex *p) {
    for (u32 i = 0; i < ARRAY_LEN(p->wire); i++)
        while (p->wire[i].head) free(take(&p->wire[i]));
    free(p->owner);
}
