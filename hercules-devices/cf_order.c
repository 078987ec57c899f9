/* cf_order.c - lists: the order of their entries, list controls, and who monitors them.
 *
 *   list  ->  its keys, ascending     a list in order, and a treap that finds a key's place in O(log n)
 *   key   ->  its entries, head to tail
 * A structure without keys has one key of zeros a list, so both kinds of list are one kind. A key exists while it has entries
 * or monitors.
 *
 * The treap (Seidel and Aragon, 1996): a search tree by key that is a heap by priority; priorities are drawn by xorshift from
 * the structure's own state, so the same commands build the same tree.
 *
 * Monitors
 *   of a list   bit (connection's vector) = the list is not empty; told at each transition
 *   of a key    when its entries come into being an event is queued to the connection; when they are gone it is taken back
 *   of a queue  bit = the connection's event queue is not empty
 */
#include "hercules-devices/cf_internal.h"

#define KEY_BYTES ((u32)((sizeof(struct cf_key) + 15) / 16 * 16))
#define NAME_HEADS_BYTES 16u /* a power of two of heads: at most two an entry */

bool cf_lists_carve(struct cf_structure *s, struct arena *a, const u8 *cmd) {
    struct cf_lists *l = &s->u.list;
    l->headers = be32_get(cmd + 52);
    l->locks = be32_get(cmd + 56) ? cf_pow2(be32_get(cmd + 56)) : 0;
    l->monitors = be32_get(cmd + 72);
    l->random = 0x9E3779B9;
    l->header = arena_take(a, (size_t)l->headers * sizeof *l->header, 16);
    l->lock = arena_take(a, u32_max(l->locks, 1), 1);
    l->monitor = arena_take(a, (size_t)l->monitors * sizeof *l->monitor, 16);
    size_t monitor_keys = (size_t)l->monitors * KEY_BYTES;
    if (!l->header || !l->lock || !l->monitor || monitor_keys > a->size - a->used) return false;
    a->size -= monitor_keys;
    bool enough = cf_split(s, a, cmd, (u32)sizeof(struct cf_entry) + KEY_BYTES + NAME_HEADS_BYTES, &l->entries);
    a->size += monitor_keys;
    if (!enough) return false;
    u32 heads = cf_pow2(l->entries);
    l->name_mask = heads - 1;
    l->names = arena_take(a, (size_t)heads * sizeof *l->names, 16);
    l->entry = arena_take(a, (size_t)l->entries * sizeof *l->entry, 16);
    if (!l->names || !l->entry || !pool_init(&l->keys, "keys", a, KEY_BYTES, l->entries + l->monitors)) return false;
    memset(l->names, 0, (size_t)heads * sizeof *l->names);
    memset(l->lock, 0, u32_max(l->locks, 1));
    list_init(&l->free_entries);
    list_init(&l->free_monitors);
    for (u32 i = 0; i < l->headers; i++) {
        l->header[i] = (struct cf_header){0};
        list_init(&l->header[i].keys);
    }
    for (u32 i = 0; i < l->entries; i++) {
        l->entry[i] = (struct cf_entry){.data = {CF_NONE, 0}};
        list_push_back(&l->free_entries, &l->entry[i].order);
    }
    for (u32 i = 0; i < l->monitors; i++) {
        l->monitor[i] = (struct cf_monitor){0};
        list_init(&l->monitor[i].queued);
        list_push_back(&l->free_monitors, &l->monitor[i].at_key);
    }
    return true;
}

/* ---- keys ---- */

static int compare(const struct cf_key *k, const u8 *key) { return memcmp(k->key, key, CF_KEY_BYTES); }

struct cf_key *cf_key_find(const struct cf_header *h, const u8 *key) {
    struct cf_key *k = h->root;
    for (int c; k && (c = compare(k, key)) != 0;) k = c < 0 ? k->right : k->left;
    return k;
}

static u32 draw(struct cf_lists *l) {
    l->random ^= l->random << 13;
    l->random ^= l->random >> 17;
    l->random ^= l->random << 5;
    return l->random;
}

static void insert(struct cf_header *h, struct cf_key *k) {
    struct cf_key *before = NULL, **at = &h->root;
    for (struct cf_key *n = h->root; n;) {
        if (compare(n, k->key) < 0) {
            before = n;
            n = n->right;
        } else {
            n = n->left;
        }
    }
    struct list *left = before ? &before->order : &h->keys;
    list_add_between(&k->order, left, left->next);
    while (*at && (*at)->priority >= k->priority) at = compare(*at, k->key) < 0 ? &(*at)->right : &(*at)->left;
    /* What is below is split by the new key into its two sides. */
    struct cf_key *n = *at, **lower = &k->left, **higher = &k->right;
    *at = k;
    while (n) {
        if (compare(n, k->key) < 0) {
            *lower = n;
            lower = &n->right;
            n = n->right;
        } else {
            *higher = n;
            higher = &n->left;
            n = n->left;
        }
    }
    *lower = *higher = NULL;
}

static void take_out(struct cf_header *h, struct cf_key *k) {
    struct cf_key **at = &h->root, *l = k->left, *r = k->right;
    while (*at != k) at = compare(*at, k->key) < 0 ? &(*at)->right : &(*at)->left;
    while (l && r) {
        if (l->priority > r->priority) {
            *at = l;
            at = &l->right;
            l = l->right;
        } else {
            *at = r;
            at = &r->left;
            r = r->left;
        }
    }
    *at = l ? l : r;
    list_del(&k->order);
}

struct cf_key *cf_key_make(struct cf_structure *s, u32 list, const u8 *key) {
    struct cf_lists *l = &s->u.list;
    struct cf_header *h = &l->header[list];
    struct cf_key *k = cf_key_find(h, key);
    if (k || !(k = pool_get(&l->keys))) return k;
    *k = (struct cf_key){.priority = draw(l), .list = list};
    memcpy(k->key, key, CF_KEY_BYTES);
    list_init(&k->entries);
    list_init(&k->monitors);
    insert(h, k);
    return k;
}

void cf_key_drop(struct cf_structure *s, struct cf_key *k) {
    if (k->count || !list_empty(&k->monitors)) return;
    take_out(&s->u.list.header[k->list], k);
    pool_put(&s->u.list.keys, k);
}

/* ---- monitors ---- */

static void list_transition(struct cf *cf, struct cf_structure *s, const struct cf_header *h) {
    for (u32 set = h->monitors; set; set &= set - 1) {
        u32 i = (u32)__builtin_ctz(set);
        cf_vector_set(cf, &s->con[i], h->bit[i], h->count != 0);
    }
}

static void queue_bit(struct cf *cf, struct cf_connection *con) {
    if (con->event_bit != CF_NONE) cf_vector_set(cf, con, con->event_bit, !list_empty(&con->events));
}

static void event_put(struct cf *cf, struct cf_structure *s, struct cf_monitor *m) {
    struct cf_connection *con = cf_con(s, m->conid);
    bool first = list_empty(&con->events);
    if (list_is_in(&m->queued)) return;
    list_push_back(&con->events, &m->queued);
    if (first) queue_bit(cf, con);
}

static void event_take(struct cf *cf, struct cf_structure *s, struct cf_monitor *m) {
    struct cf_connection *con = cf_con(s, m->conid);
    if (!list_is_in(&m->queued)) return;
    list_del(&m->queued);
    if (list_empty(&con->events)) queue_bit(cf, con);
}

static void key_transition(struct cf *cf, struct cf_structure *s, struct cf_key *k) {
    LIST_FOR_EACH(it, &k->monitors) {
        struct cf_monitor *m = LIST_ENTRY(it, struct cf_monitor, at_key);
        if (k->count) event_put(cf, s, m);
        else event_take(cf, s, m);
    }
}

static void monitor_end(struct cf *cf, struct cf_structure *s, struct cf_monitor *m) {
    struct cf_key *k = m->key;
    event_take(cf, s, m);
    list_del(&m->at_key);
    m->key = NULL;
    list_push_back(&s->u.list.free_monitors, &m->at_key);
    cf_key_drop(s, k);
}

/* ---- entries in their lists ---- */

void cf_entry_link(struct cf *cf, struct cf_structure *s, struct cf_entry *e, struct cf_key *k, bool tail) {
    struct cf_header *h = &s->u.list.header[k->list];
    e->key = k;
    if (tail) list_push_back(&k->entries, &e->order);
    else list_push_front(&k->entries, &e->order);
    h->elements += cf_elements_for(&s->el, e->data.bytes);
    if (k->count++ == 0) key_transition(cf, s, k);
    if (h->count++ == 0) list_transition(cf, s, h);
}

void cf_entry_unlink(struct cf *cf, struct cf_structure *s, struct cf_entry *e) {
    struct cf_key *k = e->key;
    struct cf_header *h = &s->u.list.header[k->list];
    list_del(&e->order);
    e->key = NULL;
    h->elements -= cf_elements_for(&s->el, e->data.bytes);
    if (--k->count == 0) key_transition(cf, s, k);
    if (--h->count == 0) list_transition(cf, s, h);
    cf_key_drop(s, k);
}

static struct cf_entry *end_of(const struct cf_key *k, bool from_tail) {
    return LIST_ENTRY(from_tail ? k->entries.prev : k->entries.next, struct cf_entry, order);
}

struct cf_entry *cf_entry_next(struct cf_lists *l, u32 list, struct cf_entry *e, struct cf_key *one_key, bool from_tail) {
    struct list *keys = &l->header[list].keys, *at = keys;
    if (e) {
        struct list *n = from_tail ? e->order.prev : e->order.next;
        if (n != &e->key->entries) return LIST_ENTRY(n, struct cf_entry, order);
        at = &e->key->order;
    }
    if (one_key) return e || !one_key->count ? NULL : end_of(one_key, from_tail);
    /* A key without entries is there for its monitors only. */
    while ((at = from_tail ? at->prev : at->next) != keys) {
        struct cf_key *k = LIST_ENTRY(at, struct cf_key, order);
        if (k->count) return end_of(k, from_tail);
    }
    return NULL;
}

void cf_lists_leave(struct cf *cf, struct cf_structure *s, u32 id, bool all) {
    struct cf_lists *l = &s->u.list;
    for (u32 i = 0; i < l->headers; i++) l->header[i].monitors &= ~cf_bit(id);
    for (u32 i = 0; i < l->monitors; i++)
        if (l->monitor[i].key && l->monitor[i].conid == id) monitor_end(cf, s, &l->monitor[i]);
    for (u32 i = 0; all && i < l->locks; i++)
        if (l->lock[i] == id) l->lock[i] = 0;
}

/* ---- operations ---- */

static struct cf_header *header_of(struct cf_call *c) {
    u32 list = be32_get(c->cmd + 16);
    return list < c->s->u.list.headers ? &c->s->u.list.header[list] : NULL;
}

enum cf_rc cf_do_lcontrols(struct cf_call *c) {
    const struct cf_header *h = header_of(c);
    if (!h) return CF_RC_NUMBER;
    u8 *p = cf_out(c, 16 + CF_TEXT_BYTES);
    be32_put(p, h->count);
    be32_put(p + 4, h->limit);
    be32_put(p + 8, h->elements);
    be32_put(p + 12, h->monitors);
    memcpy(p + 16, h->text, CF_TEXT_BYTES);
    return CF_OK;
}

enum cf_rc cf_do_set_lcontrols(struct cf_call *c) {
    struct cf_header *h = header_of(c);
    if (!h) return CF_RC_NUMBER;
    h->limit = be32_get(c->cmd + 20);
    memcpy(h->text, c->cmd + 64, CF_TEXT_BYTES);
    return CF_OK;
}

enum cf_rc cf_do_monitor_list(struct cf_call *c) {
    struct cf_header *h = header_of(c);
    u32 bit = be32_get(c->cmd + 20), id = c->con->id;
    if (!h || bit >= c->con->vector.bits) return CF_RC_NUMBER;
    *cf_out(c, 1) = h->count != 0;
    /* A notice about this bit that was not drained yet must not say less than this response does. */
    cf_vector_put(c->con, bit, c->cmd[36] && h->count);
    if (c->cmd[36]) h->monitors |= cf_bit(id);
    else h->monitors &= ~cf_bit(id);
    h->bit[id - 1] = bit;
    return CF_OK;
}

static struct cf_monitor *monitor_of(const struct cf_key *k, u32 id) {
    LIST_FOR_EACH(it, &k->monitors) {
        struct cf_monitor *m = LIST_ENTRY(it, struct cf_monitor, at_key);
        if (m->conid == id) return m;
    }
    return NULL;
}

static enum cf_rc monitor_start(struct cf_call *c, u32 list) {
    struct cf_lists *l = &c->s->u.list;
    if (list_empty(&l->free_monitors)) return CF_RC_FULL;
    struct cf_key *k = cf_key_make(c->s, list, c->cmd + 64);
    if (!k) return CF_RC_FULL;
    struct cf_monitor *m = LIST_ENTRY(list_pop_front(&l->free_monitors), struct cf_monitor, at_key);
    m->key = k;
    m->conid = c->con->id;
    memcpy(m->user, c->cmd + 96, sizeof m->user);
    list_push_back(&k->monitors, &m->at_key);
    if (k->count) event_put(c->cf, c->s, m);
    return CF_OK;
}

enum cf_rc cf_do_monitor_key(struct cf_call *c) {
    struct cf_header *h = header_of(c);
    if (!h) return CF_RC_NUMBER;
    struct cf_key *k = cf_key_find(h, c->cmd + 64);
    struct cf_monitor *m = k ? monitor_of(k, c->con->id) : NULL;
    if (c->cmd[36] && m) {
        memcpy(m->user, c->cmd + 96, sizeof m->user);
        return CF_OK;
    }
    if (c->cmd[36]) return monitor_start(c, be32_get(c->cmd + 16));
    if (!m) return CF_RC_NO_ENTRY;
    monitor_end(c->cf, c->s, m);
    return CF_OK;
}

enum cf_rc cf_do_monitor_eventq(struct cf_call *c) {
    u32 bit = be32_get(c->cmd + 20);
    if (bit >= c->con->vector.bits) return CF_RC_NUMBER;
    *cf_out(c, 1) = !list_empty(&c->con->events);
    cf_vector_put(c->con, bit, c->cmd[36] && !list_empty(&c->con->events));
    c->con->event_bit = c->cmd[36] ? bit : CF_NONE;
    return CF_OK;
}

enum cf_rc cf_do_deq_eventq(struct cf_call *c) {
    while (!list_empty(&c->con->events)) {
        struct cf_monitor *m = LIST_ENTRY(c->con->events.next, struct cf_monitor, queued);
        u8 *row = cf_out(c, CF_EVENT_ROW_BYTES);
        if (!row) return CF_RC_MORE;
        be32_put(row, m->key->list);
        memcpy(row + 16, m->key->key, CF_KEY_BYTES);
        memcpy(row + 32, m->user, sizeof m->user);
        event_take(c->cf, c->s, m);
        c->count++;
    }
    return CF_OK;
}
