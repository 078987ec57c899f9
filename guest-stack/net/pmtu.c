/* pmtu.c - the path MTU cache. See pmtu.h.
 *
 * Rows stand in the order in which they were last learned, so the oldest is always first and one timer serves
 * all.
 */
#include "net/pmtu.h"

#include "net/stack_impl.h"

static void row_drop(struct stack *stk, struct pmtu_row *row) {
    hash_del(&stk->pmtu.hash, hash1(&stk->key, row->dst.v4), &row->hash);
    list_del(&row->node);
    pool_put(&stk->pmtu.pool, row);
}

static struct pmtu_row *oldest(struct stack *stk) {
    return list_empty(&stk->pmtu.all) ? NULL : LIST_ENTRY(stk->pmtu.all.next, struct pmtu_row, node);
}

static void pmtu_age(struct stack *stk, struct timer *t, u64 now) {
    struct pmtu_row *row;
    while ((row = oldest(stk)) && row->expires <= now) row_drop(stk, row);
    if (row) timer_arm(stk, t, row->expires);
    route_changed(stk); /* cached routes carry the MTU that has just been forgotten */
}

size_t pmtu_bytes(void) {
    return hash_bytes(PMTU_ROWS) + (sizeof(struct pmtu_row) + 16) * PMTU_ROWS + 32;
}

bool pmtu_init(struct stack *stk, struct arena *a) {
    list_init(&stk->pmtu.all);
    timer_init(&stk->pmtu.age, pmtu_age);
    return pool_init(&stk->pmtu.pool, "PMTU", a, sizeof(struct pmtu_row), PMTU_ROWS) &&
           hash_init(&stk->pmtu.hash, a, PMTU_ROWS);
}

static struct pmtu_row *pmtu_find(const struct stack *stk, struct ipaddr dst) {
    struct hash_row *r = *hash_head(&stk->pmtu.hash, hash1(&stk->key, dst.v4));
    while (r && !ipaddr_eq(((struct pmtu_row *)r)->dst, dst)) r = r->next;
    return (struct pmtu_row *)r;
}

u32 pmtu_limit(struct stack *stk, struct ipaddr dst, u32 mtu_bytes) {
    if (stk->pmtu.hash.rows == 0) return mtu_bytes;
    const struct pmtu_row *row = pmtu_find(stk, dst);
    return row ? u32_min(row->mtu_bytes, mtu_bytes) : mtu_bytes;
}

u32 pmtu_estimate(u32 next_mtu, u32 sent_bytes) {
    static const u16 plateau[] = {65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296};
    u32 mtu = next_mtu;
    /* RFC 1191 table 7-1; what a router says about itself must be smaller than what it refused. */
    for (u32 i = 0; (mtu == 0 || mtu >= sent_bytes) && i < ARRAY_LEN(plateau); i++)
        if (plateau[i] < sent_bytes) mtu = plateau[i];
    return u32_max(mtu, PMTU_MIN_BYTES);
}

bool pmtu_learn(struct stack *stk, struct ipaddr dst, u32 mtu_bytes, u64 now) {
    struct pmtu_table *t = &stk->pmtu;
    u32 mtu = u32_max(mtu_bytes, PMTU_MIN_BYTES);
    struct pmtu_row *row = pmtu_find(stk, dst);
    if (row && row->mtu_bytes <= mtu) return false; /* only age raises a path MTU */
    if (row) row_drop(stk, row);
    if (!(row = pool_get(&t->pool))) {
        row_drop(stk, oldest(stk));
        row = pool_get(&t->pool);
    }
    *row = (struct pmtu_row){.dst = dst, .mtu_bytes = mtu, .expires = now + (u64)PMTU_AGE_SEC * USEC_PER_SEC};
    hash_add(&t->hash, hash1(&stk->key, dst.v4), &row->hash);
    list_push_back(&t->all, &row->node);
    if (!timer_armed(&t->age)) timer_arm(stk, &t->age, row->expires);
    route_changed(stk);
    return true;
}
