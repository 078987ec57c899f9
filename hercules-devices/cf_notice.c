/* cf_notice.c - what a connection has to be told, kept as state and not as a queue: nothing is lost and nothing overflows.
 *
 *   told as           kept as
 *   VECTOR, LOCK      a dirty bit an object; what is told is the object's state at the moment of DRAIN
 *   CONNECTIONS       a set of connections
 *   FULL              a percentage
 * A connection with anything of these is in its system's list; DRAIN takes from that list until the response is full. A
 * dirty bit is found over two levels, 1024 objects a step.
 */
#include "hercules-devices/cf_internal.h"

/* ---- vectors ---- */

u32 cf_vector_words(u32 bits) {
    u32 words = (bits + 31) / 32;
    return 2 * words + (words + 31) / 32;
}

void cf_vector_place(struct cf_vector *v, u32 bits, u32 *words) {
    v->bits = bits;
    v->words = (bits + 31) / 32;
    v->sums = (v->words + 31) / 32;
    v->value = words;
    v->dirty = words + v->words;
    v->sum = words + 2 * (size_t)v->words;
}

void cf_vector_clear(struct cf_connection *con) {
    struct cf_vector *v = &con->vector;
    memset(v->value, 0, (2 * (size_t)v->words + v->sums) * sizeof(u32));
    con->told_dirty = con->changed = con->full_percent = 0;
    list_del(&con->tell);
}

void cf_tell(struct cf *cf, struct cf_connection *con) {
    if (con->state == CF_CONN_ACTIVE && !list_is_in(&con->tell)) list_push_back(&cf->system[con->system].tell, &con->tell);
}

void cf_vector_mark(struct cf *cf, struct cf_connection *con, u32 bit) {
    struct cf_vector *v = &con->vector;
    u32 mask = 1u << bit % 32;
    if (con->state != CF_CONN_ACTIVE || bit >= v->bits) return;
    con->told_dirty += !(v->dirty[bit / 32] & mask);
    v->dirty[bit / 32] |= mask;
    v->sum[bit / 1024] |= 1u << bit / 32 % 32;
    cf_tell(cf, con);
}

void cf_vector_put(struct cf_connection *con, u32 bit, bool value) {
    struct cf_vector *v = &con->vector;
    if (con->state != CF_CONN_ACTIVE || bit >= v->bits) return;
    if (value) v->value[bit / 32] |= 1u << bit % 32;
    else v->value[bit / 32] &= ~(1u << bit % 32);
}

void cf_vector_set(struct cf *cf, struct cf_connection *con, u32 bit, bool value) {
    cf_vector_put(con, bit, value);
    cf_vector_mark(cf, con, bit);
}

/* Takes one dirty bit out; there must be one. */
static u32 take_dirty(struct cf_connection *con) {
    struct cf_vector *v = &con->vector;
    u32 i = 0;
    while (!v->sum[i]) {
        i++;
        CHECK(i < v->sums);
    }
    u32 w = i * 32 + (u32)__builtin_ctz(v->sum[i]);
    u32 bit = (u32)__builtin_ctz(v->dirty[w]);
    v->dirty[w] &= v->dirty[w] - 1;
    if (!v->dirty[w]) v->sum[i] &= v->sum[i] - 1;
    con->told_dirty--;
    return w * 32 + bit;
}

/* ---- notices ---- */

void cf_changed(struct cf *cf, struct cf_structure *s, u32 id) {
    for (u32 i = 1; i <= CF_CONNECTORS; i++) {
        struct cf_connection *con = cf_con(s, i);
        if (i == id || con->state != CF_CONN_ACTIVE) continue;
        con->changed |= cf_bit(id);
        cf_tell(cf, con);
    }
}

static void object_notice(struct cf_connection *con, u8 *row, u32 bit) {
    be32_put(row + 8, bit);
    if (con->s->type == CF_TYPE_LOCK) {
        const struct cf_lockword *w = &con->s->u.lock.word[bit];
        row[0] = CF_NOTICE_LOCK;
        be32_put(row + 12, w->exclusive);
        be32_put(row + 16, w->shared);
        be32_put(row + 20, w->waiting);
    } else {
        row[0] = CF_NOTICE_VECTOR;
        be32_put(row + 12, con->vector.value[bit / 32] >> bit % 32 & 1);
    }
}

/* The next notice of a connection that has one. */
static void notice(struct cf_connection *con, u8 *row) {
    row[1] = con->id;
    be32_put(row + 4, con->s->token);
    if (con->changed) {
        row[0] = CF_NOTICE_CONNECTIONS;
        be32_put(row + 16, con->changed);
        con->changed = 0;
    } else if (con->full_percent) {
        row[0] = CF_NOTICE_FULL;
        be32_put(row + 12, con->full_percent);
        con->full_percent = 0;
    } else {
        object_notice(con, row, take_dirty(con));
    }
    if (!con->changed && !con->full_percent && !con->told_dirty) list_del(&con->tell);
}

enum cf_rc cf_do_drain(struct cf_call *c) {
    struct cf_system *sys = &c->cf->system[c->system];
    while (!list_empty(&sys->tell)) {
        u8 *row = cf_out(c, CF_NOTICE_BYTES);
        if (!row) return CF_RC_MORE;
        notice(LIST_ENTRY(sys->tell.next, struct cf_connection, tell), row);
        c->cf->count[CF_CT_NOTICES]++;
        c->count++;
    }
    /* Only now may PENDING be sent again: until it has drained all, the system knows. */
    sys->told = false;
    return CF_OK;
}
