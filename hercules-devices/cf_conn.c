/* cf_conn.c - connections: CONNECT, DISCONNECT, CONNDATA, FORCE, and failure. The table of states: cf_engine.h.
 */
#include "hercules-devices/cf_internal.h"

u32 cf_set_of(const struct cf_structure *s, u8 state) {
    u32 set = 0;
    for (u32 i = 0; i < CF_CONNECTORS; i++)
        if (s->con[i].state == state) set |= 1u << i;
    return set;
}

/* Gives up what the connection has; all: also what a failed one keeps for its peers. */
static void leave(struct cf *cf, struct cf_structure *s, u32 id, bool all) {
    switch (s->type) {
    case CF_TYPE_LIST: cf_lists_leave(cf, s, id, all); break;
    case CF_TYPE_LOCK: cf_locks_leave(cf, s, id, all); break;
    default: cf_caches_leave(cf, s, id, all); break;
    }
}

/* The connection ends. It may take the structure with it. */
static void end(struct cf *cf, struct cf_connection *con, bool failing) {
    struct cf_structure *s = con->s;
    bool keep = failing && (con->flags & CF_CONN_KEEP);
    con->state = keep ? CF_CONN_FAILED : CF_CONN_FREE;
    cf_vector_clear(con);
    leave(cf, s, con->id, !keep);
    cf_changed(cf, s, con->id);
    if (!(s->flags & CF_CONN_STRUCTURE_KEEP) && !cf_set_of(s, CF_CONN_ACTIVE) && !cf_set_of(s, CF_CONN_FAILED)) {
        cf_log(cf, ENGINE_INFO, "structure %.*s deallocated", (int)cf_name_len(s->name), s->name);
        cf_structure_free(cf, s);
    }
}

void cf_fail_system(struct cf *cf, u32 system) {
    for (u32 i = 0; i < CF_STRUCTURES_MAX; i++) {
        struct cf_structure *s = &cf->structure[i];
        for (u32 id = 1; s->token && id <= CF_CONNECTORS; id++) {
            struct cf_connection *con = cf_con(s, id);
            if (con->state == CF_CONN_ACTIVE && con->system == system) end(cf, con, true);
        }
    }
    cf->system[system].told = false;
}

/* The connection that this name gets: its own failed one, else a free one, of the wanted identifier if that is not 0; NULL: the name is
 * active, or all are in use, or that one is. */
static struct cf_connection *choose(struct cf_structure *s, const u8 *name, u32 wanted) {
    struct cf_connection *free = NULL;
    for (u32 id = CF_CONNECTORS; id > 0; id--) {
        struct cf_connection *con = cf_con(s, id);
        bool fits = !wanted || id == wanted;
        if (con->state == CF_CONN_FREE) free = fits ? con : free;
        else if (memcmp(con->name, name, CF_NAME_BYTES) == 0) return con->state == CF_CONN_FAILED && fits ? con : NULL;
    }
    return free;
}

static void connected(struct cf_call *c, u8 flags) {
    u8 *p = cf_out(c, CF_CONNECTED_BYTES - CF_RSP_BYTES);
    struct cf_structure *s = c->s;
    u32 used, entries, headers, locks = 0;
    cf_usage(s, &used, &entries);
    switch (s->type) {
    case CF_TYPE_LIST: headers = s->u.list.headers; locks = s->u.list.locks; break;
    case CF_TYPE_LOCK: headers = s->u.lock.entries; break;
    default: headers = s->u.cache.classes; break;
    }
    be32_put(p, s->token);
    p[4] = c->con->id;
    p[5] = flags;
    be32_put(p + 8, headers);
    be32_put(p + 12, locks);
    be32_put(p + 16, entries);
    be32_put(p + 20, s->el.count);
    be32_put(p + 24, c->con->vector.bits);
    be32_put(p + 28, s->el.bytes);
    be32_put(p + 32, cf_set_of(s, CF_CONN_ACTIVE));
    be32_put(p + 36, cf_set_of(s, CF_CONN_FAILED));
}

static enum cf_rc find_or_allocate(struct cf_call *c, u8 *flags) {
    u32 kb;
    c->s = cf_structure_by_name(c->cf, c->cmd + 16);
    if (c->s) return c->s->type == c->cmd[48] ? CF_OK : CF_RC_TYPE;
    enum cf_rc rc = cf_policy_size(c->cf, c->cmd, &kb);
    if (rc == CF_OK) rc = cf_structure_allocate(c->cf, c->cmd, kb, &c->s);
    if (rc != CF_OK) return rc;
    *flags |= CF_NEW_STRUCTURE;
    cf_log(c->cf, ENGINE_INFO, "structure %.*s allocated, %u KB", (int)cf_name_len(c->s->name), c->s->name,
           c->s->blocks * (CF_BLOCK_BYTES / 1024));
    return CF_OK;
}

enum cf_rc cf_do_connect(struct cf_call *c) {
    const struct cf_system *sys = &c->cf->system[c->system];
    u8 flags = 0;
    if (!cf_name_len((const char *)c->cmd + 16) || !cf_name_len((const char *)c->cmd + 32)) return CF_RC_MALFORMED;
    /* Before anything is allocated: nobody could take the connection, and the structure would stay without one. */
    if (c->cmd[76] > CF_CONNECTORS) return CF_RC_CONNECTIONS;
    enum cf_rc rc = find_or_allocate(c, &flags);
    if (rc != CF_OK) return rc;
    struct cf_connection *con = c->con = choose(c->s, c->cmd + 32, c->cmd[76]);
    if (!con) return CF_RC_CONNECTIONS;
    if (con->state == CF_CONN_FAILED) flags |= CF_RECONNECTED;
    cf_vector_clear(con);
    con->state = CF_CONN_ACTIVE;
    con->flags = c->cmd[49];
    con->system = (u8)c->system;
    con->incarnation = sys->incarnation;
    con->event_bit = CF_NONE;
    memcpy(con->name, c->cmd + 32, CF_NAME_BYTES);
    memcpy(con->owner, sys->name, CF_NAME_BYTES);
    memcpy(con->data, c->cmd + 80, sizeof con->data);
    cf_changed(c->cf, c->s, con->id);
    connected(c, flags);
    return CF_OK;
}

enum cf_rc cf_do_disconnect(struct cf_call *c) {
    end(c->cf, c->con, c->cmd[16] != 0);
    return CF_OK;
}

enum cf_rc cf_do_conndata(struct cf_call *c) {
    memcpy(c->con->data, c->cmd + 16, sizeof c->con->data);
    cf_changed(c->cf, c->s, c->con->id);
    return CF_OK;
}

static enum cf_rc force_structure(struct cf_call *c) {
    struct cf_structure *s = cf_structure_by_name(c->cf, c->cmd + 32);
    if (!s) return CF_RC_NO_STRUCTURE;
    if (cf_set_of(s, CF_CONN_ACTIVE)) return CF_RC_IN_USE;
    cf_log(c->cf, ENGINE_INFO, "structure %.*s forced", (int)cf_name_len(s->name), s->name);
    cf_structure_free(c->cf, s);
    return CF_OK;
}

enum cf_rc cf_do_force(struct cf_call *c) {
    u32 id = c->cmd[16];
    if (id == 0) return force_structure(c);
    struct cf_structure *s = cf_structure_by_token(c->cf, be32_get(c->cmd + 8));
    if (!s) return CF_RC_NO_STRUCTURE;
    if (id > CF_CONNECTORS) return CF_RC_MALFORMED;
    if (cf_con(s, id)->state != CF_CONN_FAILED) return CF_RC_IN_USE;
    end(c->cf, cf_con(s, id), false);
    return CF_OK;
}
