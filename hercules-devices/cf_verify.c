/* cf_verify.c - walks all that a facility holds and stops where it does not add up. For tests and fuzzers.
 *
 *   blocks       each belongs to a structure that is there
 *   connections  in the tell list of their system exactly while there is something to tell; dirty bits are as many as counted
 *   elements     each in one chain
 *   lists        keys ascending, treap a heap, counts right, monitors in their lists, names found
 *   locks        an exclusive holder is alone; whoever has interest or a record is connected
 *   caches       each buffer in the list of its state
 */
#include "hercules-devices/cf_internal.h"

static u32 list_len(const struct list *head) {
    u32 n = 0;
    LIST_FOR_EACH(it, head) {
        CHECK(it->next->prev == it);
        n++;
    }
    return n;
}

static void verify_connection(const struct cf *cf, const struct cf_connection *con) {
    const struct cf_vector *v = &con->vector;
    u32 dirty = 0;
    for (u32 i = 0; i < v->words; i++) {
        dirty += (u32)__builtin_popcount(v->dirty[i]);
        CHECK(!!(v->sum[i / 32] & 1u << i % 32) == !!v->dirty[i]);
    }
    CHECK(dirty == con->told_dirty);
    CHECK(list_is_in(&con->tell) == (dirty || con->changed || con->full_percent));
    CHECK(con->state == CF_CONN_ACTIVE || !list_is_in(&con->tell));
    if (con->state == CF_CONN_ACTIVE) CHECK(con->system < CF_SYSTEMS && cf->system[con->system].up && !cf->system[con->system].cut);
}

static u32 chain(const struct cf_elements *el, const struct cf_data *d) {
    u32 n = cf_elements_for(el, d->bytes), i = d->first;
    for (u32 k = 0; k < n; k++, i = el->next[i]) CHECK(i < el->count);
    CHECK(i == CF_NONE);
    return n;
}

static u32 free_elements(const struct cf_elements *el) {
    u32 n = 0;
    for (u32 i = el->free; i != CF_NONE; i = el->next[i], n++) CHECK(i < el->count && n < el->count);
    return n;
}

/* ---- lists ---- */

static u32 verify_key(const struct cf_structure *s, struct cf_key *k, u32 *elements) {
    u32 n = list_len(&k->entries);
    CHECK(n == k->count && (n || !list_empty(&k->monitors)));
    CHECK(cf_key_find(&s->u.list.header[k->list], k->key) == k);
    CHECK(!k->left || k->left->priority <= k->priority);
    CHECK(!k->right || k->right->priority <= k->priority);
    LIST_FOR_EACH(it, &k->entries) {
        const struct cf_entry *e = LIST_ENTRY(it, struct cf_entry, order);
        CHECK(e->key == k);
        *elements += chain(&s->el, &e->data);
    }
    LIST_FOR_EACH(it, &k->monitors) {
        const struct cf_monitor *m = LIST_ENTRY(it, struct cf_monitor, at_key);
        CHECK(m->key == k && s->con[m->conid - 1].state == CF_CONN_ACTIVE);
        CHECK(!list_is_in(&m->queued) || k->count);
    }
    return n;
}

static void verify_lists(struct cf_structure *s) {
    struct cf_lists *l = &s->u.list;
    u32 entries = 0, elements = 0, keys = 0, names = 0;
    for (u32 i = 0; i < l->headers; i++) {
        struct cf_header *h = &l->header[i];
        u32 n = 0, before = elements;
        const struct cf_key *last = NULL;
        LIST_FOR_EACH(it, &h->keys) {
            struct cf_key *k = LIST_ENTRY(it, struct cf_key, order);
            CHECK(k->list == i && (!last || memcmp(last->key, k->key, CF_KEY_BYTES) < 0));
            n += verify_key(s, k, &elements);
            last = k;
            keys++;
        }
        CHECK(n == h->count && h->elements == elements - before);
        entries += n;
    }
    for (u32 i = 0; i <= l->name_mask; i++)
        for (const struct cf_entry *e = l->names[i]; e; e = e->name_next, names++) CHECK(e->key);
    CHECK(entries == l->used && keys == l->keys.in_use && elements == s->el.used);
    CHECK(!(s->flags & CF_CONN_NAMES) || names == entries);
    CHECK(list_len(&l->free_entries) == l->entries - entries);
    for (u32 i = 0; i < l->locks; i++) CHECK(!l->lock[i] || s->con[l->lock[i] - 1].state != CF_CONN_FREE);
}

/* ---- locks, caches ---- */

static void verify_locks(const struct cf_structure *s) {
    const struct cf_locks *l = &s->u.lock;
    u32 gone = ~(cf_set_of(s, CF_CONN_ACTIVE) | cf_set_of(s, CF_CONN_FAILED)), used = 0;
    for (u32 i = 0; i < l->entries; i++) {
        const struct cf_lockword *w = &l->word[i];
        CHECK(!((w->shared | w->waiting) & gone) && !(w->exclusive && w->shared));
        CHECK(!w->exclusive || !(cf_bit(w->exclusive) & gone));
    }
    for (u32 i = 0; i < l->records; i++) {
        if (!l->record[i].conid) continue;
        CHECK(!(cf_bit(l->record[i].conid) & gone));
        used++;
    }
    CHECK(used == l->used);
}

static void verify_caches(const struct cf_structure *s) {
    const struct cf_caches *k = &s->u.cache;
    u32 used = 0, elements = 0, changed = 0, castout = 0, in_class = 0;
    for (u32 i = 0; i < k->entries; i++) {
        const struct cf_buffer *b = &k->buffer[i];
        if (!b->used) continue;
        used++;
        elements += chain(&s->el, &b->data);
        castout += b->castout != 0;
        changed += b->changed && !b->castout;
        CHECK(!(b->registered & ~cf_set_of(s, CF_CONN_ACTIVE)));
    }
    for (u32 i = 0; i < k->classes; i++) in_class += list_len(&k->class[i]);
    CHECK(used == k->used && elements == s->el.used && in_class == changed);
    CHECK(list_len(&k->free) == k->entries - used && list_len(&k->lru) == used - changed - castout);
}

void cf_verify(const struct cf *cf) {
    u32 blocks = 0, structures = 0, told = 0, in_lists = 0;
    for (u32 i = 0; i < cf->blocks; i++) {
        blocks += cf->block_owner[i] != 0;
        CHECK(!cf->block_owner[i] || cf->structure[cf->block_owner[i] - 1].token);
    }
    for (u32 i = 0; i < CF_STRUCTURES_MAX; i++) {
        struct cf_structure *s = (struct cf_structure *)&cf->structure[i];
        if (!s->token) continue;
        structures++;
        CHECK(s->flags & CF_CONN_STRUCTURE_KEEP || cf_set_of(s, CF_CONN_ACTIVE) || cf_set_of(s, CF_CONN_FAILED));
        for (u32 id = 1; id <= CF_CONNECTORS; id++) {
            verify_connection(cf, cf_con(s, id));
            told += list_is_in(&cf_con(s, id)->tell);
        }
        if (s->type == CF_TYPE_LIST) verify_lists(s);
        else if (s->type == CF_TYPE_LOCK) verify_locks(s);
        else verify_caches(s);
        CHECK(free_elements(&s->el) == s->el.count - s->el.used);
    }
    for (u32 i = 0; i < CF_SYSTEMS; i++) in_lists += list_len(&cf->system[i].tell);
    CHECK(blocks == cf->blocks_used && structures == cf->structures && told == in_lists);
}
