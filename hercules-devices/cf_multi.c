/* cf_multi.c - many entries of a list structure at once: by list, by key, or by LEIDs. Operands: wire/cfcmd.h.
 *
 * What fills the response ends with MORE and has done what its count says. A command does at most BATCH deletions, so that no
 * system holds the facility up for long.
 */
#include "hercules-devices/cf_internal.h"

#define BATCH 4096u

/* A walk over a list, or over one key's entries. */
struct walk {
    u32 list;
    bool tail;
    struct cf_key *key;
    struct cf_entry *at; /* the next one */
};

static enum cf_rc begin(struct cf_call *c, struct walk *w) {
    struct cf_lists *l = &c->s->u.list;
    bool keyed = cf_list_flags(c) & CF_F_KEY;
    struct cf_entry *behind = NULL;
    *w = (struct walk){.list = be32_get(c->cmd + 16), .tail = c->cmd[37]};
    if (keyed && !(c->s->flags & CF_CONN_KEYS)) return CF_RC_MALFORMED;
    if (w->list >= l->headers) return CF_RC_NUMBER;
    enum cf_rc rc = cf_list_lock_check(c);
    if (rc != CF_OK) return rc;
    if (keyed && !(w->key = cf_key_find(&l->header[w->list], c->cmd + 64))) return CF_RC_NO_ENTRY;
    if (c->cmd[36] == CF_BY_LEID) {
        behind = cf_entry_by_leid(c->s, c->cmd + 24);
        if (!behind || behind->key->list != w->list || (keyed && behind->key != w->key)) return CF_RC_NO_ENTRY;
    }
    w->at = cf_entry_next(l, w->list, behind, w->key, w->tail);
    return CF_OK;
}

/* The entry that was next; the one after it is found before anybody deletes it. */
static struct cf_entry *step(struct cf_call *c, struct walk *w) {
    struct cf_entry *e = w->at;
    w->at = cf_entry_next(&c->s->u.list, w->list, e, w->key, w->tail);
    return e;
}

static void finish(struct cf_call *c) {
    if (c->cmd[60] != CF_LOCK_NONE) cf_list_lock_apply(c);
}

enum cf_rc cf_do_read_list(struct cf_call *c) {
    struct walk w;
    bool delete = cf_list_flags(c) & CF_F_DELETE;
    enum cf_rc rc = begin(c, &w);
    if (rc != CF_OK) return rc;
    while (w.at) {
        if (!cf_entry_emit(c, w.at, cf_list_flags(c) & CF_F_DATA)) return c->count ? CF_RC_MORE : CF_RC_TOO_LONG;
        struct cf_entry *e = step(c, &w);
        if (delete) cf_entry_delete(c->cf, c->s, e);
        c->count++;
    }
    finish(c);
    return CF_OK;
}

enum cf_rc cf_do_delete_list(struct cf_call *c) {
    struct walk w;
    enum cf_rc rc = begin(c, &w);
    if (rc != CF_OK) return rc;
    for (; w.at; c->count++) {
        if (c->count == BATCH) return CF_RC_MORE;
        cf_entry_delete(c->cf, c->s, step(c, &w));
    }
    finish(c);
    return CF_OK;
}

enum cf_rc cf_do_mult(struct cf_call *c) {
    bool delete = c->cmd[1] == CF_DELETE_MULT, data = cf_list_flags(c) & CF_F_DATA;
    u32 bytes = c->len - CF_LIST_BYTES;
    if (!bytes || bytes % CF_LEID_BYTES) return CF_RC_MALFORMED;
    enum cf_rc rc = cf_list_lock_check(c);
    if (rc != CF_OK) return rc;
    for (u32 at = CF_LIST_BYTES; at < c->len; at += CF_LEID_BYTES) {
        struct cf_entry *e = cf_entry_by_leid(c->s, c->cmd + at);
        if (!e) return CF_RC_NO_ENTRY;
        if ((!delete || data) && !cf_entry_emit(c, e, data)) return c->count ? CF_RC_MORE : CF_RC_TOO_LONG;
        if (delete) cf_entry_delete(c->cf, c->s, e);
        c->count++;
    }
    finish(c);
    return CF_OK;
}
