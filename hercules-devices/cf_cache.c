/* cf_cache.c - cache structures: a directory of names, who has a valid copy of each, and the data of some. Operands:
 * wire/cfcmd.h.
 *
 *   directory entry       READ          WRITE changed   WRITE unchanged   CASTOUT      CASTOUT_END   ... C_CHANGED
 *   none                  RECLAIMABLE   CHANGED         RECLAIMABLE       refused      refused       refused
 *   RECLAIMABLE           same          CHANGED         same              refused      refused       refused
 *   CHANGED               same          same            RECLAIMABLE       CASTING OUT  refused       refused
 *   CASTING OUT           same          same, changed   same, unchanged   refused      RECLAIMABLE   CHANGED
 *                                       again                                          or CHANGED
 * READ makes an entry only with C_ASSIGN. When the directory or the elements are used up, the reclaimable entry that was used
 * least recently makes room; its readers' bits go to 0, for nobody would tell them of a later write.
 *
 * The bits of readers are turned off before the writer has its response, in the facility; a reader that takes the lock which
 * the writer held, and drains what that response's CF_RSP_PENDING announces, sees them.
 */
#include "hercules-devices/cf_internal.h"

static u32 flags_of(const struct cf_call *c) { return be16_get(c->cmd + 54); }

bool cf_caches_carve(struct cf_structure *s, struct arena *a, const u8 *cmd) {
    struct cf_caches *k = &s->u.cache;
    k->classes = be32_get(cmd + 52);
    k->class = arena_take(a, k->classes * sizeof *k->class, 16);
    if (!k->class || !cf_split(s, a, cmd, (u32)(sizeof *k->buffer + 2 * sizeof *k->names), &k->entries)) return false;
    u32 heads = cf_pow2(k->entries);
    k->name_mask = heads - 1;
    k->names = arena_take(a, heads * sizeof *k->names, 16);
    k->buffer = arena_take(a, (size_t)k->entries * sizeof *k->buffer, 16);
    if (!k->names || !k->buffer) return false;
    memset(k->names, 0, heads * sizeof *k->names);
    for (u32 i = 0; i < k->classes; i++) list_init(&k->class[i]);
    list_init(&k->lru);
    list_init(&k->free);
    for (u32 i = 0; i < k->entries; i++) {
        k->buffer[i] = (struct cf_buffer){.data = {CF_NONE, 0}};
        list_push_back(&k->free, &k->buffer[i].order);
    }
    return true;
}

static struct cf_buffer **head_of(struct cf_caches *k, const u8 *name) {
    return &k->names[cf_hash(name, CF_NAME_BYTES) & k->name_mask];
}

static struct cf_buffer *find(struct cf_caches *k, const u8 *name) {
    struct cf_buffer *b = *head_of(k, name);
    while (b && memcmp(b->name, name, CF_NAME_BYTES) != 0) b = b->next;
    return b;
}

/* Puts it where its state belongs, as the one used last. */
static void settle(struct cf_caches *k, struct cf_buffer *b) {
    list_del(&b->order);
    if (b->castout) return;
    list_push_back(b->changed ? &k->class[b->class_number] : &k->lru, &b->order);
}

/* Ends the interest of a set of connections. */
static void invalidate(struct cf *cf, struct cf_structure *s, struct cf_buffer *b, u32 set) {
    set &= b->registered;
    b->registered &= ~set;
    for (; set; set &= set - 1) {
        u32 i = (u32)__builtin_ctz(set);
        cf_vector_set(cf, &s->con[i], b->bit[i], false);
    }
}

static void delete(struct cf *cf, struct cf_structure *s, struct cf_buffer *b) {
    struct cf_caches *k = &s->u.cache;
    struct cf_buffer **at = head_of(k, b->name);
    invalidate(cf, s, b, ~0u);
    while (*at != b) at = &(*at)->next;
    *at = b->next;
    cf_data_set(&s->el, &b->data, NULL, 0);
    b->used = false;
    list_del(&b->order);
    list_push_back(&k->free, &b->order);
    k->used--;
}

/* False: nothing but keep may be taken back. */
static bool reclaim(struct cf *cf, struct cf_structure *s, const struct cf_buffer *keep) {
    struct cf_caches *k = &s->u.cache;
    struct list *oldest = k->lru.next;
    if (keep && oldest == &keep->order) oldest = oldest->next;
    if (oldest == &k->lru) return false;
    delete(cf, s, LIST_ENTRY(oldest, struct cf_buffer, order));
    k->reclaimed++;
    return true;
}

static struct cf_buffer *assign(struct cf *cf, struct cf_structure *s, const u8 *name) {
    struct cf_caches *k = &s->u.cache;
    if (list_empty(&k->free) && !reclaim(cf, s, NULL)) return NULL;
    struct cf_buffer *b = LIST_ENTRY(list_pop_front(&k->free), struct cf_buffer, order), **head = head_of(k, name);
    *b = (struct cf_buffer){.used = true, .data = {CF_NONE, 0}, .next = *head};
    list_init(&b->order);
    memcpy(b->name, name, CF_NAME_BYTES);
    *head = b;
    k->used++;
    settle(k, b);
    return b;
}

static bool emit(struct cf_call *c, const struct cf_buffer *b, bool data) {
    u8 *p = cf_out(c, CF_CACHED_BYTES - CF_RSP_BYTES + (data ? b->data.bytes : 0));
    if (!p) return false;
    be64_put(p, b->version);
    be32_put(p + 8, b->data.bytes);
    p[12] = b->changed ? CF_C_CHANGED : 0;
    p[13] = b->castout;
    be16_put(p + 14, b->class_number);
    memcpy(p + 16, b->user, sizeof b->user);
    if (data) cf_data_get(&c->s->el, &b->data, p + 24);
    return true;
}

static void interest(struct cf_call *c, struct cf_buffer *b) {
    u32 index = be32_get(c->cmd + 48), had = b->bit[c->con->id - 1];
    /* One bit a name: what is behind the former one would never be told that it is old. */
    if (b->registered & cf_bit(c->con->id) && had != index) cf_vector_set(c->cf, c->con, had, false);
    b->registered |= cf_bit(c->con->id);
    b->bit[c->con->id - 1] = index;
    cf_vector_put(c->con, index, true);
}

/* The vector index stood for another name before. */
static void forget_old(struct cf_call *c) {
    static const u8 none[CF_NAME_BYTES];
    if (memcmp(c->cmd + 32, none, sizeof none) == 0) return;
    struct cf_buffer *old = find(&c->s->u.cache, c->cmd + 32);
    if (old) old->registered &= ~cf_bit(c->con->id);
}

enum cf_rc cf_do_c_read(struct cf_call *c) {
    struct cf_caches *k = &c->s->u.cache;
    struct cf_buffer *b = find(k, c->cmd + 16);
    if (be32_get(c->cmd + 48) >= c->con->vector.bits) return CF_RC_NUMBER;
    if (!b && !(flags_of(c) & CF_C_ASSIGN)) return CF_RC_NO_ENTRY;
    if (!b && !(b = assign(c->cf, c->s, c->cmd + 16))) return CF_RC_FULL;
    if (!emit(c, b, true)) return CF_RC_TOO_LONG;
    forget_old(c);
    interest(c, b);
    settle(k, b);
    return CF_OK;
}

/* Room for so many bytes in b, at the cost of what may be reclaimed. */
static bool make_room(struct cf_call *c, const struct cf_buffer *b, const struct cf_data *old, u32 bytes) {
    while (!cf_data_fits(&c->s->el, old, bytes))
        if (!reclaim(c->cf, c->s, b)) return false;
    return true;
}

enum cf_rc cf_do_c_write(struct cf_call *c) {
    static const struct cf_data none = {CF_NONE, 0};
    struct cf_caches *k = &c->s->u.cache;
    u32 bytes = c->len - CF_CACHE_BYTES, class = be16_get(c->cmd + 52), flags = flags_of(c);
    struct cf_buffer *b = find(k, c->cmd + 16);
    if (class >= k->classes) return CF_RC_NUMBER;
    if (flags & CF_C_REGISTER && be32_get(c->cmd + 48) >= c->con->vector.bits) return CF_RC_NUMBER;
    if (cf_elements_for(&c->s->el, bytes) > c->s->max_elements) return CF_RC_TOO_LONG;
    if (!make_room(c, b, b ? &b->data : &none, bytes)) return CF_RC_FULL;
    if (!b && !(b = assign(c->cf, c->s, c->cmd + 16))) return CF_RC_FULL;
    cf_data_set(&c->s->el, &b->data, c->cmd + CF_CACHE_BYTES, bytes);
    b->changed = flags & CF_C_CHANGED;
    b->class_number = (u16)class;
    b->version++;
    memcpy(b->user, c->cmd + 56, sizeof b->user);
    invalidate(c->cf, c->s, b, ~cf_bit(c->con->id));
    if (flags & CF_C_REGISTER) {
        forget_old(c);
        interest(c, b);
    }
    settle(k, b);
    emit(c, b, false);
    cf_full_check(c->cf, c->s);
    return CF_OK;
}

enum cf_rc cf_do_c_invalidate(struct cf_call *c) {
    struct cf_buffer *b = find(&c->s->u.cache, c->cmd + 16);
    if (!b) return CF_RC_NO_ENTRY;
    if (flags_of(c) & CF_C_PURGE && b->castout) {
        c->count = b->castout;
        return CF_RC_CASTOUT;
    }
    invalidate(c->cf, c->s, b, ~0u);
    emit(c, b, false);
    if (flags_of(c) & CF_C_PURGE) delete(c->cf, c->s, b);
    cf_full_check(c->cf, c->s);
    return CF_OK;
}

enum cf_rc cf_do_c_unregister(struct cf_call *c) {
    struct cf_buffer *b = find(&c->s->u.cache, c->cmd + 16);
    if (!b || !(b->registered & cf_bit(c->con->id))) return CF_RC_NO_ENTRY;
    b->registered &= ~cf_bit(c->con->id);
    cf_vector_put(c->con, b->bit[c->con->id - 1], false);
    return CF_OK;
}

/* ---- castout ---- */

enum cf_rc cf_do_castout(struct cf_call *c) {
    struct cf_buffer *b = find(&c->s->u.cache, c->cmd + 16);
    if (b && b->castout) {
        c->count = b->castout;
        return CF_RC_CASTOUT;
    }
    if (!b || !b->changed) return CF_RC_NO_ENTRY;
    if (!emit(c, b, true)) return CF_RC_TOO_LONG;
    b->castout = c->con->id;
    b->changed = false;
    settle(&c->s->u.cache, b);
    return CF_OK;
}

static void castout_end(struct cf_caches *k, struct cf_buffer *b, bool failed) {
    b->castout = 0;
    b->changed |= failed;
    settle(k, b);
}

enum cf_rc cf_do_castout_end(struct cf_call *c) {
    struct cf_buffer *b = find(&c->s->u.cache, c->cmd + 16);
    if (!b) return CF_RC_NO_ENTRY;
    if (b->castout != c->con->id) return CF_RC_LOCK_NOT_HELD;
    castout_end(&c->s->u.cache, b, flags_of(c) & CF_C_CHANGED);
    emit(c, b, false);
    return CF_OK;
}

enum cf_rc cf_do_castout_class(struct cf_call *c) {
    const struct cf_caches *k = &c->s->u.cache;
    u32 class = be16_get(c->cmd + 52);
    if (class >= k->classes) return CF_RC_NUMBER;
    LIST_FOR_EACH(it, &k->class[class]) {
        u8 *row = cf_out(c, CF_NAME_BYTES);
        if (!row) return CF_RC_MORE;
        memcpy(row, LIST_ENTRY(it, struct cf_buffer, order)->name, CF_NAME_BYTES);
        c->count++;
    }
    return CF_OK;
}

void cf_caches_leave(struct cf *cf, struct cf_structure *s, u32 id, bool all) {
    struct cf_caches *k = &s->u.cache;
    UNUSED(cf);
    UNUSED(all);
    for (u32 i = 0; i < k->entries; i++) {
        struct cf_buffer *b = &k->buffer[i];
        b->registered &= ~cf_bit(id);
        /* Nobody knows whether it reached the disk. */
        if (b->used && b->castout == id) castout_end(k, b, true);
    }
}
