/* cfrm_force.c - deletes what nobody uses any more: failed-persistent connections, structures that stay. See cfrm.h.
 *
 * The inventory says where a thing is and under which identifier; whether it is still so, the facility knows: what has become active
 * meanwhile is refused there.
 */
#include "xcf/cfrm_impl.h"

#include "base/str.h"

static void forced(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct cfrm *c = ctx;
    UNUSED(r);
    UNUSED(rsp);
    UNUSED(len);
    c->force_busy = false;
    if (c->events && c->events->forced) c->events->forced(c->ctx, c->force_structure, c->force_connection, rc, now);
}

/* Asks the facility of s; id 0: the structure. */
static int ask(struct cfrm *c, const struct cfrm_structure *s, const char *connection, u8 id) {
    if (c->force_busy) return -ERR_ALREADY;
    if (!s->facility->up) return -ERR_NETDOWN;
    memset(c->force_cmd, 0, sizeof c->force_cmd);
    cf_command_put(c->force_cmd, CF_FORCE, 0, sizeof c->force_cmd, s->token, 0);
    c->force_cmd[16] = id;
    cfrm_name_put(c->force_cmd + 32, s->name, CF_NAME_BYTES);
    str_copy(c->force_structure, sizeof c->force_structure, s->name);
    str_copy(c->force_connection, sizeof c->force_connection, connection);
    c->force_request = (struct xes_request){.cmd = c->force_cmd, .len = sizeof c->force_cmd, .done = forced, .ctx = c};
    if (xes_submit(s->facility->x, &c->force_request) != 0) return -ERR_NETDOWN;
    c->force_busy = true;
    return 0;
}

/* The identifier of the failed connection of this name, or 0; *active: it is there and has not failed. */
static u8 failed_one(const struct cfrm_structure *s, const char *connection, bool *active) {
    for (u32 i = 0; i < s->connections; i++) {
        if (connection[0] && strcmp(s->connection[i].name, connection) != 0) continue;
        if (s->connection[i].failed && connection[0]) return s->connection[i].id;
        if (!s->connection[i].failed) *active = true;
    }
    return 0;
}

int cfrm_force(struct cfrm *c, const char *structure, const char *connection, u64 now) {
    const struct cfrm_structure *s;
    bool active = false;
    UNUSED(now);
    for (u32 i = 0; (s = cfrm_structure(c, i)) != NULL; i++) {
        bool here = false;
        if (strcmp(s->name, structure) != 0) continue;
        u8 id = failed_one(s, connection, &here);
        if (id || (!connection[0] && !here)) return ask(c, s, connection, id);
        active |= here;
    }
    return active ? -ERR_BUSY : -ERR_NOENT;
}
