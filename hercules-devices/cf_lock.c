/* cf_lock.c - lock structures: a hashed table of interest, and records for recovery. Operands: wire/cfcmd.h.
 *
 *   interest of others   OBTAIN shared   OBTAIN exclusive
 *   none                 granted         granted
 *   shared               granted         CONTENTION
 *   exclusive            CONTENTION      CONTENTION
 * An entry stands for all resources that hash to it, so contention may be false: the holders are told, and either give the entry
 * up or settle it among themselves. A failed-persistent connection keeps its interest until its peers have recovered what its
 * records name and FORCE it.
 */
#include "hercules-devices/cf_internal.h"

#define ANSWER_BYTES 16u

bool cf_locks_carve(struct cf_structure *s, struct arena *a, const u8 *cmd) {
    struct cf_locks *l = &s->u.lock;
    l->entries = cf_pow2(be32_get(cmd + 52));
    l->word = arena_take(a, (size_t)l->entries * sizeof *l->word, 16);
    if (!l->word) return false;
    memset(l->word, 0, (size_t)l->entries * sizeof *l->word);
    /* What is left is for records; two heads of hash chains each is the most that a power of two takes. */
    size_t left = a->size - a->used, each = sizeof *l->record + 2 * sizeof *l->names;
    l->records = left < 256 ? 0 : (u32)((left - 256) / each);
    u32 heads = cf_pow2(l->records);
    l->name_mask = heads - 1;
    l->names = arena_take(a, heads * sizeof *l->names, 16);
    l->record = arena_take(a, (size_t)l->records * sizeof *l->record, 16);
    if (!l->names || !l->record) return false;
    memset(l->names, 0, heads * sizeof *l->names);
    for (u32 i = l->records; i-- > 0;) {
        l->record[i] = (struct cf_record){.next = l->free};
        l->free = &l->record[i];
    }
    return true;
}

static void mark_all(struct cf *cf, struct cf_structure *s, u32 index, u32 set) {
    for (; set; set &= set - 1) cf_vector_mark(cf, &s->con[__builtin_ctz(set)], index);
}

static u32 holders(const struct cf_lockword *w) { return w->shared | (w->exclusive ? cf_bit(w->exclusive) : 0); }

/* Ends the interest; who waits is told. */
static void give_up(struct cf *cf, struct cf_structure *s, u32 index, u32 id) {
    struct cf_lockword *w = &s->u.lock.word[index];
    w->shared &= ~cf_bit(id);
    if (w->exclusive == id) w->exclusive = 0;
    mark_all(cf, s, index, w->waiting);
}

static void answer(struct cf_call *c, const struct cf_lockword *w) {
    u8 *p = cf_out(c, ANSWER_BYTES);
    p[0] = w->exclusive;
    be32_put(p + 4, w->shared);
    be32_put(p + 8, w->waiting);
    be32_put(p + 12, cf_set_of(c->s, CF_CONN_FAILED));
}

static enum cf_rc obtain(struct cf_call *c, u32 index, struct cf_lockword *w) {
    u32 own = cf_bit(c->con->id), others = holders(w) & ~own;
    bool exclusive = c->cmd[20] == CF_EXCLUSIVE;
    bool lower = !exclusive && w->exclusive == c->con->id;
    if (!exclusive) others &= w->exclusive ? cf_bit(w->exclusive) : 0;
    if (others) {
        if (c->cmd[21]) w->waiting |= own;
        mark_all(c->cf, c->s, index, others);
        return CF_RC_CONTENTION;
    }
    w->waiting &= ~own;
    if (exclusive) {
        w->exclusive = c->con->id;
        w->shared &= ~own;
    } else {
        if (lower) w->exclusive = 0;
        w->shared |= own;
    }
    if (lower) mark_all(c->cf, c->s, index, w->waiting);
    return CF_OK;
}

enum cf_rc cf_do_lockword(struct cf_call *c) {
    u32 index = be32_get(c->cmd + 16) & (c->s->u.lock.entries - 1), own = cf_bit(c->con->id);
    struct cf_lockword *w = &c->s->u.lock.word[index];
    enum cf_rc rc = CF_OK;
    switch (c->cmd[1]) {
    case CF_OBTAIN:
        if (c->cmd[20] != CF_SHARED && c->cmd[20] != CF_EXCLUSIVE) return CF_RC_MALFORMED;
        rc = obtain(c, index, w);
        break;
    case CF_RELEASE:
        if (!(holders(w) & own)) return CF_RC_LOCK_NOT_HELD;
        give_up(c->cf, c->s, index, c->con->id);
        break;
    default: w->waiting &= ~own; break;
    }
    answer(c, w);
    return rc;
}

/* ---- records ---- */

static struct cf_record **record_at(struct cf_locks *l, u32 id, const u8 *name) {
    struct cf_record **at = &l->names[(cf_hash(name, 32) + id * 2654435769u) & l->name_mask];
    while (*at && ((*at)->conid != id || memcmp((*at)->name, name, 32) != 0)) at = &(*at)->next;
    return at;
}

static void record_free(struct cf_locks *l, struct cf_record **at) {
    struct cf_record *r = *at;
    *at = r->next;
    r->conid = 0;
    r->next = l->free;
    l->free = r;
    l->used--;
}

enum cf_rc cf_do_record_set(struct cf_call *c) {
    struct cf_locks *l = &c->s->u.lock;
    struct cf_record **at = record_at(l, c->con->id, c->cmd + 32), *r = *at;
    if (!r) {
        r = l->free;
        if (!r) return CF_RC_FULL;
        l->free = r->next;
        l->used++;
        r->conid = c->con->id;
        memcpy(r->name, c->cmd + 32, sizeof r->name);
        r->next = NULL;
        *at = r;
    }
    memcpy(r->data, c->cmd + 64, sizeof r->data);
    cf_full_check(c->cf, c->s);
    return CF_OK;
}

enum cf_rc cf_do_record_reset(struct cf_call *c) {
    struct cf_record **at = record_at(&c->s->u.lock, c->con->id, c->cmd + 32);
    if (!*at) return CF_RC_NO_ENTRY;
    record_free(&c->s->u.lock, at);
    cf_full_check(c->cf, c->s);
    return CF_OK;
}

enum cf_rc cf_do_record_read(struct cf_call *c) {
    const struct cf_locks *l = &c->s->u.lock;
    u32 id = c->cmd[20];
    if (id == 0 || id > CF_CONNECTORS) return CF_RC_MALFORMED;
    for (u32 i = be32_get(c->cmd + 16); i < l->records; i++) {
        const struct cf_record *r = &l->record[i];
        if (r->conid != id) continue;
        u8 *row = cf_out(c, CF_RECORD_ROW_BYTES);
        if (!row) return CF_RC_MORE;
        be32_put(row, i);
        memcpy(row + 32, r->name, sizeof r->name);
        memcpy(row + 64, r->data, sizeof r->data);
        c->count++;
    }
    return CF_OK;
}

void cf_locks_leave(struct cf *cf, struct cf_structure *s, u32 id, bool all) {
    struct cf_locks *l = &s->u.lock;
    for (u32 i = 0; i < l->entries; i++) {
        struct cf_lockword *w = &l->word[i];
        w->waiting &= ~cf_bit(id);
        if (all && (holders(w) & cf_bit(id))) give_up(cf, s, i, id);
    }
    for (u32 i = 0; all && i < l->records; i++)
        if (l->record[i].conid == id) record_free(l, record_at(l, id, l->record[i].name));
}
