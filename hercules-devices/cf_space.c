/* cf_space.c - a facility's storage: blocks for structures, and inside a structure its data elements.
 *
 * A structure is one run of 4 KB blocks, found first-fit over the table of block owners; that scan happens only when one is
 * allocated. Inside, everything is carved once: vectors of all 32 possible connections, headers and tables, then as many
 * entries with their share of elements as fit (cf_split).
 *
 * An element belongs to one chain: the free one or that of one entry's data.
 */
#include "hercules-devices/cf_internal.h"

/* ---- structures ---- */

struct cf_structure *cf_structure_by_name(struct cf *cf, const u8 *name) {
    for (u32 i = 0; i < CF_STRUCTURES_MAX; i++)
        if (cf->structure[i].token && memcmp(cf->structure[i].name, name, CF_NAME_BYTES) == 0) return &cf->structure[i];
    return NULL;
}

/* A token is 24 bits of generation and the number: one that outlived its structure finds nothing. */
struct cf_structure *cf_structure_by_token(struct cf *cf, u32 token) {
    struct cf_structure *s = &cf->structure[token % CF_STRUCTURES_MAX];
    return token && s->token == token ? s : NULL;
}

static u32 find_blocks(const struct cf *cf, u32 wanted) {
    u32 run = 0;
    for (u32 i = 0; i < cf->blocks; i++) {
        run = cf->block_owner[i] ? 0 : run + 1;
        if (run == wanted) return i + 1 - wanted;
    }
    return CF_NONE;
}

static bool carve(struct cf_structure *s, struct arena *a, const u8 *cmd) {
    u32 bits = be32_get(cmd + 60);
    if (s->type == CF_TYPE_LOCK) bits = cf_pow2(u32_max(be32_get(cmd + 52), 1));
    u32 words = cf_vector_words(bits);
    u32 *vectors = arena_take(a, (size_t)words * CF_CONNECTORS * sizeof(u32), sizeof(u32));
    if (!vectors) return false;
    memset(vectors, 0, (size_t)words * CF_CONNECTORS * sizeof(u32));
    for (u32 id = 1; id <= CF_CONNECTORS; id++) {
        struct cf_connection *con = cf_con(s, id);
        *con = (struct cf_connection){.id = (u8)id, .s = s, .event_bit = CF_NONE};
        list_init(&con->tell);
        list_init(&con->events);
        cf_vector_place(&con->vector, bits, vectors + (size_t)(id - 1) * words);
    }
    switch (s->type) {
    case CF_TYPE_LIST: return cf_lists_carve(s, a, cmd);
    case CF_TYPE_LOCK: return cf_locks_carve(s, a, cmd);
    default: return cf_caches_carve(s, a, cmd);
    }
}

static bool wrong(const u8 *cmd) {
    u32 type = cmd[48], n = be32_get(cmd + 52), names = cmd[49] & (CF_CONN_NAMES | CF_CONN_KEYS);
    if (type < CF_TYPE_LIST || type > CF_TYPE_CACHE || cmd[50] > 4) return true;
    if (n == 0 || n > (type == CF_TYPE_LOCK ? CF_LOCKS_MAX : CF_LISTS_MAX)) return true;
    if (be32_get(cmd + 60) > CF_VECTOR_MAX || be32_get(cmd + 56) > CF_LOCKS_MAX) return true;
    return be32_get(cmd + 72) > CF_LOCKS_MAX || names == (CF_CONN_NAMES | CF_CONN_KEYS);
}

enum cf_rc cf_structure_allocate(struct cf *cf, const u8 *cmd, u32 kb, struct cf_structure **out) {
    struct cf_structure *s = NULL;
    u32 blocks = (u32)(((u64)kb * 1024 + CF_BLOCK_BYTES - 1) / CF_BLOCK_BYTES), at;
    if (wrong(cmd)) return CF_RC_MALFORMED;
    for (u32 i = 0; i < CF_STRUCTURES_MAX && !s; i++)
        if (!cf->structure[i].token) s = &cf->structure[i];
    if (!s || blocks == 0 || blocks > cf->blocks || (at = find_blocks(cf, blocks)) == CF_NONE) return CF_RC_SPACE;
    u32 number = (u32)(s - cf->structure);
    *s = (struct cf_structure){.type = cmd[48], .first_block = at, .blocks = blocks};
    s->flags = cmd[49] & (u8)~CF_CONN_KEEP;
    s->el.free = CF_NONE;
    memcpy(s->name, cmd + 16, CF_NAME_BYTES);
    struct arena a;
    arena_init(&a, cf->storage + (size_t)at * CF_BLOCK_BYTES, (size_t)blocks * CF_BLOCK_BYTES);
    if (!carve(s, &a, cmd)) return CF_RC_SPACE;
    for (u32 i = 0; i < blocks; i++) cf->block_owner[at + i] = (u16)(number + 1);
    cf->blocks_used += blocks;
    cf->structures++;
    cf->generation = cf->generation % 0xFFFFFF + 1;
    s->token = cf->generation * CF_STRUCTURES_MAX + number;
    *out = s;
    return CF_OK;
}

void cf_structure_free(struct cf *cf, struct cf_structure *s) {
    for (u32 i = 0; i < s->blocks; i++) cf->block_owner[s->first_block + i] = 0;
    cf->blocks_used -= s->blocks;
    cf->structures--;
    for (u32 id = 1; id <= CF_CONNECTORS; id++) list_del(&cf_con(s, id)->tell);
    s->token = 0;
}

void cf_usage(const struct cf_structure *s, u32 *used, u32 *entries) {
    switch (s->type) {
    case CF_TYPE_LIST: *used = s->u.list.used; *entries = s->u.list.entries; break;
    case CF_TYPE_LOCK: *used = s->u.lock.used; *entries = s->u.lock.records; break;
    default: *used = s->u.cache.used; *entries = s->u.cache.entries; break;
    }
}

void cf_full_check(struct cf *cf, struct cf_structure *s) {
    u32 used, entries;
    cf_usage(s, &used, &entries);
    u64 of_entries = entries ? (u64)used * 100 : 0, of_elements = (u64)s->el.used * 100;
    bool full = of_entries > (u64)entries * CF_FULL_PERCENT || of_elements > (u64)s->el.count * CF_FULL_PERCENT;
    if (full == s->full_told) return;
    s->full_told = full;
    if (!full) return;
    u32 percent = entries ? (u32)(of_entries / entries) : 0;
    if (s->el.count) percent = u32_max(percent, (u32)(of_elements / s->el.count));
    for (u32 id = 1; id <= CF_CONNECTORS; id++) {
        struct cf_connection *con = cf_con(s, id);
        if (con->state != CF_CONN_ACTIVE) continue;
        con->full_percent = (u8)percent;
        cf_tell(cf, con);
    }
}

/* ---- elements ---- */

bool cf_split(struct cf_structure *s, struct arena *a, const u8 *cmd, u32 entry_bytes, u32 *entries) {
    struct cf_elements *el = &s->el;
    u64 per = be16_get(cmd + 68), share = be16_get(cmd + 70), left = a->size - a->used;
    if (!per || !share) per = share = 1;
    s->max_elements = cmd[51];
    if (!s->max_elements) share = 0;
    el->bytes = 256u << cmd[50];
    u64 unit = per * entry_bytes + share * (el->bytes + sizeof(u32));
    /* A little is lost to alignment: 256 bytes cover each array that the caller and we take. */
    u64 n = left < 256 ? 0 : (left - 256) / unit * per + (left - 256) % unit * per / unit;
    *entries = (u32)n;
    el->count = (u32)(n * share / per);
    el->next = arena_take(a, (size_t)el->count * sizeof(u32), sizeof(u32));
    el->base = arena_take(a, (size_t)el->count * el->bytes, 16);
    if (!n || !el->next || !el->base) return false;
    for (u32 i = 0; i < el->count; i++) el->next[i] = i + 1 < el->count ? i + 1 : CF_NONE;
    el->free = el->count ? 0 : CF_NONE;
    el->used = 0;
    return true;
}

u32 cf_elements_for(const struct cf_elements *el, u32 bytes) { return (bytes + el->bytes - 1) / el->bytes; }

bool cf_data_fits(const struct cf_elements *el, const struct cf_data *old, u32 bytes) {
    return cf_elements_for(el, bytes) <= el->count - el->used + cf_elements_for(el, old->bytes);
}

static void release(struct cf_elements *el, struct cf_data *d) {
    for (u32 n = cf_elements_for(el, d->bytes), i = d->first; n; n--) {
        u32 next = el->next[i];
        el->next[i] = el->free;
        el->free = i;
        el->used--;
        i = next;
    }
    *d = (struct cf_data){CF_NONE, 0};
}

void cf_data_set(struct cf_elements *el, struct cf_data *d, const u8 *bytes, u32 len) {
    release(el, d);
    u32 *link = &d->first;
    for (u32 at = 0; at < len; at += el->bytes) {
        u32 i = el->free;
        CHECK(i != CF_NONE);
        el->free = el->next[i];
        el->used++;
        *link = i;
        link = &el->next[i];
        memcpy(el->base + (size_t)i * el->bytes, bytes + at, u32_min(el->bytes, len - at));
    }
    *link = CF_NONE;
    d->bytes = len;
}

void cf_data_get(const struct cf_elements *el, const struct cf_data *d, u8 *out) {
    u32 i = d->first;
    for (u32 at = 0; at < d->bytes; at += el->bytes, i = el->next[i])
        memcpy(out + at, el->base + (size_t)i * el->bytes, u32_min(el->bytes, d->bytes - at));
}
