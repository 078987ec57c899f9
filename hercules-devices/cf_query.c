/* cf_query.c - what D CF and D XCF,STR ask a facility: itself, its structures, their connections, its systems. Rows:
 * wire/cfcmd.h.
 */
#include "hercules-devices/cf_internal.h"

#define BLOCK_KB (CF_BLOCK_BYTES / 1024)

enum cf_rc cf_do_identify(struct cf_call *c) {
    const struct cf *cf = c->cf;
    u8 *p = cf_out(c, 48);
    memset(p, ' ', 8);
    memcpy(p, cf->params.name, strlen(cf->params.name));
    be32_put(p + 8, CF_LEVEL);
    be32_put(p + 12, cf->blocks * BLOCK_KB);
    be32_put(p + 16, (cf->blocks - cf->blocks_used) * BLOCK_KB);
    be32_put(p + 20, cf->structures);
    memcpy(p + 24, cf->policy_name, 8);
    be64_put(p + 32, cf->params.incarnation);
    be64_put(p + 40, cf->system[c->system].incarnation);
    return CF_OK;
}

static void structure_row(const struct cf_structure *s, u8 *row) {
    u32 used, entries;
    cf_usage(s, &used, &entries);
    memcpy(row, s->name, CF_NAME_BYTES);
    be32_put(row + 16, s->token);
    row[20] = s->type;
    row[21] = (u8)__builtin_popcount(cf_set_of(s, CF_CONN_ACTIVE));
    row[22] = (u8)__builtin_popcount(cf_set_of(s, CF_CONN_FAILED));
    row[23] = s->flags;
    be32_put(row + 24, s->blocks * BLOCK_KB);
    be32_put(row + 28, used);
    be32_put(row + 32, entries);
    be32_put(row + 36, s->el.used);
    be32_put(row + 40, s->el.count);
}

enum cf_rc cf_do_structures(struct cf_call *c) {
    u32 skip = be32_get(c->cmd + 16);
    for (u32 i = 0; i < CF_STRUCTURES_MAX; i++) {
        const struct cf_structure *s = &c->cf->structure[i];
        if (!s->token) continue;
        if (skip) {
            skip--;
            continue;
        }
        u8 *row = cf_out(c, CF_STRUCTURE_ROW_BYTES);
        if (!row) return CF_RC_MORE;
        structure_row(s, row);
        c->count++;
    }
    return CF_OK;
}

enum cf_rc cf_do_connections(struct cf_call *c) {
    const struct cf_structure *s = cf_structure_by_name(c->cf, c->cmd + 16);
    if (!s) return CF_RC_NO_STRUCTURE;
    structure_row(s, cf_out(c, CF_STRUCTURE_ROW_BYTES));
    for (u32 i = 0; i < CF_CONNECTORS; i++) {
        const struct cf_connection *con = &s->con[i];
        if (con->state == CF_CONN_FREE) continue;
        u8 *row = cf_out(c, CF_CONNECTION_ROW_BYTES);
        if (!row) return CF_RC_MORE;
        memcpy(row, con->name, CF_NAME_BYTES);
        memcpy(row + 16, con->owner, CF_NAME_BYTES);
        be64_put(row + 32, con->incarnation);
        row[40] = con->id;
        row[41] = con->state;
        row[42] = con->flags;
        memcpy(row + 48, con->data, sizeof con->data);
        c->count++;
    }
    return CF_OK;
}

static bool system_row(struct cf_call *c, const char *name, u64 incarnation, u8 kind) {
    u8 *row = cf_out(c, CF_SYSTEM_ROW_BYTES);
    if (!row) return false;
    memcpy(row, name, CF_NAME_BYTES);
    be64_put(row + 16, incarnation);
    row[24] = kind;
    c->count++;
    return true;
}

enum cf_rc cf_do_systems(struct cf_call *c) {
    for (u32 i = 0; i < CF_SYSTEMS; i++) {
        const struct cf_system *sys = &c->cf->system[i];
        if (sys->up && !sys->cut && !system_row(c, sys->name, sys->incarnation, 1)) return CF_RC_MORE;
    }
    for (u32 i = 0; i < CF_ISOLATED_MAX; i++) {
        const struct cf_fence *f = &c->cf->fence[i];
        if (f->incarnation && !system_row(c, f->name, f->incarnation, 2)) return CF_RC_MORE;
    }
    return CF_OK;
}
