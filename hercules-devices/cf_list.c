/* cf_list.c - entries of a list structure one by one: WRITE, READ, MOVE, DELETE, and the lock table. Operands: wire/cfcmd.h.
 *
 * Each operation checks everything first (operands, lock, entry, version, room) and changes afterwards, so a command that is
 * refused has done nothing.
 *
 * An LEID is 4 token | 4 index | 4 generation: it finds its entry without a search, and never another one that got its place.
 */
#include "hercules-devices/cf_internal.h"

static const u8 no_key[CF_KEY_BYTES];

u16 cf_list_flags(const struct cf_call *c) { return be16_get(c->cmd + 38); }

static bool tail_of(const struct cf_call *c) { return c->cmd[37] != 0; }

/* ---- the lock table ---- */

enum cf_rc cf_list_lock_check(struct cf_call *c) {
    u32 index = be32_get(c->cmd + 56), op = c->cmd[60];
    if (op == CF_LOCK_NONE) return CF_OK;
    if (op >= CF_LOCK_OPS) return CF_RC_MALFORMED;
    if (index >= c->s->u.list.locks) return CF_RC_NUMBER;
    u32 holder = c->s->u.list.lock[index];
    bool own = holder == c->con->id;
    if (op == CF_LOCK_RESET || op == CF_LOCK_HELD) return own ? CF_OK : CF_RC_LOCK_NOT_HELD;
    if (!holder || (own && op == CF_LOCK_SET)) return CF_OK;
    c->count = holder;
    return CF_RC_LOCK_HELD;
}

void cf_list_lock_apply(struct cf_call *c) {
    u8 *lock = &c->s->u.list.lock[be32_get(c->cmd + 56)];
    if (c->cmd[60] == CF_LOCK_SET) *lock = c->con->id;
    if (c->cmd[60] == CF_LOCK_RESET) *lock = 0;
}

enum cf_rc cf_do_lock(struct cf_call *c) {
    enum cf_rc rc = cf_list_lock_check(c);
    if (rc != CF_OK) return rc;
    cf_list_lock_apply(c);
    if (c->cmd[60] != CF_LOCK_NONE) *cf_out(c, 1) = c->s->u.list.lock[be32_get(c->cmd + 56)];
    return CF_OK;
}

/* ---- names and identifiers ---- */

struct cf_entry *cf_entry_by_leid(struct cf_structure *s, const u8 *leid) {
    u32 index = be32_get(leid + 4);
    if (be32_get(leid) != s->token || index >= s->u.list.entries) return NULL;
    struct cf_entry *e = &s->u.list.entry[index];
    return e->key && e->generation == be32_get(leid + 8) ? e : NULL;
}

static struct cf_entry **name_head(struct cf_lists *l, const u8 *name) {
    return &l->names[cf_hash(name, CF_ENTRY_NAME_BYTES) & l->name_mask];
}

static struct cf_entry *by_name(struct cf_lists *l, const u8 *name) {
    struct cf_entry *e = *name_head(l, name);
    while (e && memcmp(e->name, name, CF_ENTRY_NAME_BYTES) != 0) e = e->name_next;
    return e;
}

static void name_add(struct cf_lists *l, struct cf_entry *e, const u8 *name) {
    struct cf_entry **head = name_head(l, name);
    memcpy(e->name, name, CF_ENTRY_NAME_BYTES);
    e->name_next = *head;
    *head = e;
}

static void name_del(struct cf_lists *l, struct cf_entry *e) {
    struct cf_entry **at = name_head(l, e->name);
    while (*at != e) at = &(*at)->name_next;
    *at = e->name_next;
}

/* ---- what all operations begin with ---- */

static enum cf_rc operands_check(const struct cf_call *c) {
    u32 by = c->cmd[36], flags = cf_list_flags(c), of = c->s->flags;
    if (by >= CF_BYS || (by == CF_BY_NAME && !(of & CF_CONN_NAMES)) || (by == CF_BY_KEY && !(of & CF_CONN_KEYS)))
        return CF_RC_MALFORMED;
    if ((flags & CF_F_KEY && !(of & CF_CONN_KEYS)) || (flags & CF_F_ADJUNCT && !(of & CF_CONN_ADJUNCT)))
        return CF_RC_MALFORMED;
    return be32_get(c->cmd + 16) < c->s->u.list.headers ? CF_OK : CF_RC_NUMBER;
}

static struct cf_entry *locate(struct cf_call *c) {
    struct cf_lists *l = &c->s->u.list;
    u32 list = be32_get(c->cmd + 16);
    struct cf_key *k;
    switch (c->cmd[36]) {
    case CF_BY_LEID: return cf_entry_by_leid(c->s, c->cmd + 24);
    case CF_BY_NAME: return by_name(l, c->cmd + 64);
    case CF_BY_KEY:
        k = cf_key_find(&l->header[list], c->cmd + 64);
        return k ? cf_entry_next(l, list, NULL, k, tail_of(c)) : NULL;
    case CF_BY_POSITION: return cf_entry_next(l, list, NULL, NULL, tail_of(c));
    default: return NULL;
    }
}

/* *e may be NULL: none is there. */
static enum cf_rc enter(struct cf_call *c, struct cf_entry **e) {
    enum cf_rc rc = operands_check(c);
    if (rc == CF_OK) rc = cf_list_lock_check(c);
    if (rc != CF_OK) return rc;
    *e = locate(c);
    if (*e && (cf_list_flags(c) & CF_F_COMPARE) && (*e)->version != be64_get(c->cmd + 40)) return CF_RC_VERSION;
    return CF_OK;
}

static enum cf_rc enter_existing(struct cf_call *c, struct cf_entry **e) {
    enum cf_rc rc = enter(c, e);
    return rc == CF_OK && !*e ? CF_RC_NO_ENTRY : rc;
}

static void next_version(struct cf_call *c, struct cf_entry *e) {
    e->version = cf_list_flags(c) & CF_F_SET ? be64_get(c->cmd + 48) : e->version + 1;
}

static void finish(struct cf_call *c) {
    if (c->cmd[60] != CF_LOCK_NONE) cf_list_lock_apply(c);
}

bool cf_entry_emit(struct cf_call *c, const struct cf_entry *e, bool with_data) {
    u32 len = CF_ENTRY_BYTES + (with_data ? e->data.bytes : 0);
    u8 *p = cf_out(c, len);
    if (!p) return false;
    be32_put(p, len);
    be32_put(p + 4, e->key->list);
    be32_put(p + 8, c->s->token);
    be32_put(p + 12, (u32)(e - c->s->u.list.entry));
    be32_put(p + 16, e->generation);
    be32_put(p + 20, e->data.bytes);
    be64_put(p + 24, e->version);
    if (c->s->flags & CF_CONN_KEYS) memcpy(p + 32, e->key->key, CF_KEY_BYTES);
    else memcpy(p + 32, e->name, CF_ENTRY_NAME_BYTES);
    memcpy(p + 64, e->adjunct, CF_ADJUNCT_BYTES);
    if (with_data) cf_data_get(&c->s->el, &e->data, p + CF_ENTRY_BYTES);
    return true;
}

/* ---- WRITE ---- */

static void store(struct cf_call *c, struct cf_entry *e) {
    struct cf_header *h = &c->s->u.list.header[e->key->list];
    if (cf_list_flags(c) & CF_F_DATA) {
        h->elements -= cf_elements_for(&c->s->el, e->data.bytes);
        cf_data_set(&c->s->el, &e->data, c->cmd + CF_LIST_BYTES, c->len - CF_LIST_BYTES);
        h->elements += cf_elements_for(&c->s->el, e->data.bytes);
    }
    if (cf_list_flags(c) & CF_F_ADJUNCT) memcpy(e->adjunct, c->cmd + 112, CF_ADJUNCT_BYTES);
    next_version(c, e);
}

static enum cf_rc create(struct cf_call *c, u32 bytes, struct cf_entry **out) {
    static const struct cf_data none = {CF_NONE, 0};
    struct cf_lists *l = &c->s->u.list;
    u32 list = be32_get(c->cmd + 16);
    const struct cf_header *h = &l->header[list];
    bool named = c->s->flags & CF_CONN_NAMES;
    if (c->cmd[36] == CF_BY_LEID || (cf_list_flags(c) & CF_F_UPDATE)) return CF_RC_NO_ENTRY;
    if (named && by_name(l, c->cmd + 64)) return CF_RC_EXISTS;
    if (h->limit && h->count >= h->limit) return CF_RC_LIST_FULL;
    if (list_empty(&l->free_entries) || !cf_data_fits(&c->s->el, &none, bytes)) return CF_RC_FULL;
    struct cf_key *k = cf_key_make(c->s, list, c->s->flags & CF_CONN_KEYS ? c->cmd + 64 : no_key);
    CHECK(k); /* there are as many as entries and monitors together */
    struct cf_entry *e = LIST_ENTRY(list_pop_front(&l->free_entries), struct cf_entry, order);
    e->generation++;
    e->version = 0;
    e->data = none;
    memset(e->adjunct, 0, sizeof e->adjunct);
    memset(e->name, 0, sizeof e->name);
    if (named) name_add(l, e, c->cmd + 64);
    l->used++;
    cf_entry_link(c->cf, c->s, e, k, tail_of(c));
    *out = e;
    return CF_OK;
}

enum cf_rc cf_do_write(struct cf_call *c) {
    struct cf_entry *e;
    u32 bytes = cf_list_flags(c) & CF_F_DATA ? c->len - CF_LIST_BYTES : 0;
    enum cf_rc rc = enter(c, &e);
    if (rc != CF_OK) return rc;
    if (cf_elements_for(&c->s->el, bytes) > c->s->max_elements) return CF_RC_TOO_LONG;
    if (e) {
        if (cf_list_flags(c) & CF_F_CREATE) return CF_RC_EXISTS;
        if (cf_list_flags(c) & CF_F_DATA && !cf_data_fits(&c->s->el, &e->data, bytes)) return CF_RC_FULL;
    } else if ((rc = create(c, bytes, &e)) != CF_OK) {
        return rc;
    }
    store(c, e);
    finish(c);
    cf_entry_emit(c, e, false);
    cf_full_check(c->cf, c->s);
    return CF_OK;
}

/* ---- READ, MOVE, DELETE ---- */

void cf_entry_delete(struct cf *cf, struct cf_structure *s, struct cf_entry *e) {
    struct cf_lists *l = &s->u.list;
    cf_entry_unlink(cf, s, e);
    if (s->flags & CF_CONN_NAMES) name_del(l, e);
    cf_data_set(&s->el, &e->data, NULL, 0);
    list_push_back(&l->free_entries, &e->order);
    l->used--;
    cf_full_check(cf, s);
}

static enum cf_rc read_or_delete(struct cf_call *c, bool delete, bool data) {
    struct cf_entry *e;
    enum cf_rc rc = enter_existing(c, &e);
    if (rc != CF_OK) return rc;
    if (!cf_entry_emit(c, e, data)) return CF_RC_TOO_LONG;
    if (delete) cf_entry_delete(c->cf, c->s, e);
    finish(c);
    return CF_OK;
}

enum cf_rc cf_do_read(struct cf_call *c) {
    return read_or_delete(c, cf_list_flags(c) & CF_F_DELETE, cf_list_flags(c) & CF_F_DATA);
}

enum cf_rc cf_do_delete(struct cf_call *c) { return read_or_delete(c, true, cf_list_flags(c) & CF_F_DATA); }

enum cf_rc cf_do_move(struct cf_call *c) {
    struct cf_lists *l = &c->s->u.list;
    struct cf_entry *e;
    u32 target = be32_get(c->cmd + 20);
    enum cf_rc rc = enter_existing(c, &e);
    if (rc != CF_OK) return rc;
    if (target >= l->headers) return CF_RC_NUMBER;
    const struct cf_header *h = &l->header[target];
    if (target != e->key->list && h->limit && h->count >= h->limit) return CF_RC_LIST_FULL;
    /* Its own key object may be the last one: where nobody else needs that, it is what becomes free by the move. */
    u8 key[CF_KEY_BYTES];
    memcpy(key, cf_list_flags(c) & CF_F_KEY ? c->cmd + 96 : e->key->key, CF_KEY_BYTES);
    struct cf_key *old = e->key, *k = cf_key_make(c->s, target, key);
    if (!k && (old->count > 1 || !list_empty(&old->monitors))) return CF_RC_FULL;
    if (k == old) {
        list_del(&e->order);
        if (tail_of(c)) list_push_back(&k->entries, &e->order);
        else list_push_front(&k->entries, &e->order);
    } else {
        cf_entry_unlink(c->cf, c->s, e);
        if (!k) k = cf_key_make(c->s, target, key);
        cf_entry_link(c->cf, c->s, e, k, tail_of(c));
    }
    next_version(c, e);
    finish(c);
    cf_entry_emit(c, e, false);
    return CF_OK;
}
