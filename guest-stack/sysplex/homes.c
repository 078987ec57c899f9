/* homes.c - the HOME lists of all stacks of the sysplex: who has which address.
 *
 * A stack sends its whole list, DVIPAs excepted, which have rows of their own; a row with flag 0 and address 0 goes before
 * it and means "forget what I said before". The list changes rarely, so it is sent whole after each change.
 */
#include "sysplex/sysplex_impl.h"

#include "net/stack_impl.h"

bool homes_init(struct sysplex *sx, struct arena *a) {
    return pool_init(&sx->home_pool, "PEERHOME", a, sizeof(struct home_row), sx->conf.home_rows) &&
           hash_init(&sx->homes, a, sx->conf.home_rows);
}

struct sysplex_peer *homes_find(struct sysplex *sx, struct ipaddr addr) {
    struct hash_row *r = *hash_head(&sx->homes, hash1(&sx->key, addr.v4));
    for (; r; r = r->next) {
        struct home_row *h = (struct home_row *)(void *)r;
        if (ipaddr_eq(h->addr, addr)) return sysplex_peer_at(sx, h->peer);
    }
    return NULL;
}

static void forget(struct sysplex *sx, struct peer *p) {
    for (struct list *n; (n = list_pop_front(&p->homes));) {
        struct home_row *h = LIST_ENTRY(n, struct home_row, of_peer);
        hash_del(&sx->homes, hash1(&sx->key, h->addr.v4), &h->hash);
        pool_put(&sx->home_pool, h);
    }
}

static void home_note(struct sysplex *sx, struct peer *p, struct ipaddr addr) {
    struct home_row *h = pool_get(&sx->home_pool);
    if (!h) {
        SX_COUNT(sx, homes_full);
        return;
    }
    h->addr = addr;
    h->peer = p->pub.index;
    hash_add(&sx->homes, hash1(&sx->key, addr.v4), &h->hash);
    list_push_back(&p->homes, &h->of_peer);
}

static void message(void *ctx, struct sysplex_peer *from, u8 kind, const u8 *data, u32 len, u64 now) {
    struct sysplex *sx = ctx;
    struct peer *p = sx_peer(sx, from->index);
    UNUSED(now);
    if (kind != PLEXMSG_HOME || len % PLEXMSG_HOME_ROW) {
        SX_COUNT(sx, drop_row);
        return;
    }
    for (u32 at = 0; at < len; at += PLEXMSG_HOME_ROW) {
        struct ipaddr addr = ipaddr_get(data + at);
        if (!(data[at + 4] & 1))
            forget(sx, p);
        else if (ipaddr_is_any(addr) || ipaddr_is_loopback(addr) || ipaddr_is_multicast(addr))
            SX_COUNT(sx, drop_row);
        else
            home_note(sx, p, addr);
    }
}

/* to NULL: all. */
static void homes_send(struct sysplex *sx, struct sysplex_peer *to, u64 now) {
    u32 len = PLEXMSG_HOME_ROW;
    memset(sx->tx, 0, len);
    for (struct home_entry *e = NULL; (e = home_next(sx->stk, e)) && len + PLEXMSG_HOME_ROW <= PLEXMSG_DATA_MAX;) {
        if ((e->flags & HOME_DYNAMIC) || ipaddr_is_loopback(e->addr)) continue;
        memset(sx->tx + len, 0, PLEXMSG_HOME_ROW);
        ipaddr_put(sx->tx + len, e->addr);
        sx->tx[len + 4] = 1;
        len += PLEXMSG_HOME_ROW;
    }
    if (sysplex_send(sx, to, PLEXMSG_HOME, sx->tx, len, now) == -ERR_NOBUFS) sx->homes_due = true;
}

static void tell(void *ctx, struct sysplex_peer *to, u64 now) {
    homes_send(ctx, to, now);
}
static void home_changed(void *ctx, u64 now) {
    UNUSED(now);
    ((struct sysplex *)ctx)->homes_due = true;
}
static void peer_down(void *ctx, struct sysplex_peer *p, u64 now) {
    struct sysplex *sx = ctx;
    UNUSED(now);
    forget(sx, &sx->peer[p->index]);
}
static u64 poll(void *ctx, u64 now) {
    struct sysplex *sx = ctx;
    if (sx->state == SYSPLEX_OUT || !sx->homes_due) return TIME_NEVER;
    sx->homes_due = false;
    homes_send(sx, NULL, now);
    return sx->homes_due ? now + 10 * USEC_PER_MSEC : TIME_NEVER;
}

const struct sysplex_part_ops homes_part = {
    .name = "HOME",
    .kind_first = PLEXMSG_HOME,
    .kind_last = PLEXMSG_HOME,
    .message = message,
    .tell = tell,
    .home_changed = home_changed,
    .peer_down = peer_down,
    .poll = poll,
};
