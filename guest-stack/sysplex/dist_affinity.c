/* dist_affinity.c - TIMEDAFFINITY: a client that comes again gets the target it had. See distributor.h.
 *
 *   first connection    row {client, DVIPA, port} -> target, connections 1
 *   further ones        follow the row, whatever the method says; connections + 1
 *   one ends            connections - 1; at 0 the row waits TIMEDAFFINITY seconds and goes
 *   the target is gone  the row goes
 *   routing ends        all rows of the DVIPA go: whoever routes next binds its clients anew
 *
 * A change of owner rebuilds rows from the connections that the targets list.
 */
#include "sysplex/dist_impl.h"

static u32 key_hash(const struct distributor *d, const struct vcrt_key *k) {
    return hash3(&d->key, k->client.v4, k->dvipa.v4, k->dport);
}

static struct dist_affinity *find(const struct distributor *d, const struct vcrt_key *k) {
    for (struct hash_row *r = *hash_head(&d->affinities, key_hash(d, k)); r; r = r->next) {
        struct dist_affinity *a = (struct dist_affinity *)(void *)r;
        if (ipaddr_eq(a->client, k->client) && ipaddr_eq(a->dvipa, k->dvipa) && a->port == k->dport) return a;
    }
    return NULL;
}

static void del(struct distributor *d, struct dist_affinity *a) {
    struct vcrt_key k = {.dvipa = a->dvipa, .client = a->client, .dport = a->port};
    hash_del(&d->affinities, key_hash(d, &k), &a->hash);
    list_del(&a->node);
    pool_put(&d->affinity_pool, a);
}

u32 dist_affinity_slot(struct distributor *d, const struct vcrt_key *k, u64 now) {
    struct dist_affinity *a = find(d, k);
    if (!a) return VDPT_NOBODY;
    if (now < a->until) return a->slot;
    del(d, a);
    return VDPT_NOBODY;
}

void dist_affinity_opened(struct distributor *d, const struct vdpt_port *p, struct vcrt_row *row, u64 now) {
    if (!p->affinity_sec || (row->flags & VCRT_AFFINITY)) return;
    struct dist_affinity *a = find(d, &row->key);
    if (a && a->slot != row->target) {
        /* Its target could not take this one: from here on the client is bound to where it has gone. Rows of the old
         * binding no longer count, for they name another target. */
        if (a->until == TIME_NEVER || now >= a->until) a->connections = 0;
        a->slot = row->target;
    }
    if (!a) {
        a = pool_get(&d->affinity_pool);
        if (!a) {
            d->count.affinities_full++;
            return;
        }
        *a = (struct dist_affinity){.client = row->key.client, .dvipa = row->key.dvipa, .port = row->key.dport,
                                    .slot = row->target};
        list_init(&a->node);
        hash_add(&d->affinities, key_hash(d, &row->key), &a->hash);
    }
    list_del(&a->node);
    a->connections++;
    a->until = TIME_NEVER;
    row->flags |= VCRT_AFFINITY;
}

void dist_affinity_closed(struct distributor *d, u32 affinity_sec, const struct vcrt_row *row, u64 now) {
    struct dist_affinity *a = (row->flags & VCRT_AFFINITY) ? find(d, &row->key) : NULL;
    if (!a || a->slot != row->target || a->connections == 0 || --a->connections) return;
    a->until = now + (u64)affinity_sec * USEC_PER_SEC;
    list_push_back(&d->affinity_idle, &a->node);
}

/* Times differ by port, so the queue is not in their order; it is short, and each second is often enough. */
void dist_affinity_age(struct distributor *d, u64 now) {
    LIST_FOR_EACH_SAFE(n, next, &d->affinity_idle) {
        struct dist_affinity *a = LIST_ENTRY(n, struct dist_affinity, node);
        if (now >= a->until) del(d, a);
    }
}

/* Those bound to slot, or (VDPT_NOBODY) those of dvipa. */
static void forget(struct distributor *d, u32 slot, struct ipaddr dvipa) {
    u32 heads = 1u << (32 - d->affinities.shift);
    for (u32 h = 0; h < heads && d->affinities.rows; h++) {
        for (struct hash_row *r = d->affinities.head[h], *next; r; r = next) {
            struct dist_affinity *a = (struct dist_affinity *)(void *)r;
            next = r->next;
            if (slot == VDPT_NOBODY ? ipaddr_eq(a->dvipa, dvipa) : a->slot == slot) del(d, a);
        }
    }
}

void dist_affinity_slot_gone(struct distributor *d, u32 slot) { forget(d, slot, IPADDR_ANY); }
void dist_affinity_forget(struct distributor *d, struct ipaddr dvipa) { forget(d, VDPT_NOBODY, dvipa); }
