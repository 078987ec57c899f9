/* cfrm_inventory.c - asks each facility what it holds. See cfrm.h.
 *
 *   IDENTIFY -> STRUCTURES from 0, again while it says MORE -> CONNECTIONS of each structure of this facility -> through
 * What a facility answers wrongly ends its part: what is known stays listed.
 */
#include "xcf/cfrm_impl.h"

#include "base/be.h"
#include "base/str.h"

static void answered(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now);

const struct cfrm_structure *cfrm_structure(const struct cfrm *c, u32 i) { return i < c->structures ? &c->structure[i] : NULL; }

/* Tells once, when the last facility is through. */
static void through(struct cfrm_part *f, u64 now) {
    struct cfrm *c = f->all;
    f->busy = false;
    for (u32 i = 0; i < c->facilities; i++)
        if (c->facility[i].busy) return;
    if (!c->collecting) return;
    c->collecting = false;
    if (c->events && c->events->ready) c->events->ready(c->ctx, now);
}

/* false: the link has just gone; the request was not taken. */
static bool ask(struct cfrm_part *f, u8 op, u32 len) {
    cf_command_put(f->cmd, op, 0, len, 0, 0);
    f->request = (struct xes_request){.cmd = f->cmd, .len = len, .done = answered, .ctx = f};
    return xes_submit(f->view.x, &f->request) == 0;
}

static bool ask_structures(struct cfrm_part *f) {
    be32_put(f->cmd + 16, f->listed);
    return ask(f, CF_STRUCTURES, 20);
}

/* The next structure of this facility whose connections are not known; false: there is none. */
static bool ask_connections(struct cfrm_part *f) {
    struct cfrm *c = f->all;
    while (f->at < c->structures && c->structure[f->at].facility != &f->view) f->at++;
    if (f->at == c->structures) return false;
    cfrm_name_put(f->cmd + 16, c->structure[f->at].name, CF_NAME_BYTES);
    return ask(f, CF_CONNECTIONS, 32);
}

static void structure_get(struct cfrm_part *f, const u8 *row) {
    struct cfrm *c = f->all;
    f->listed++;
    if (c->structures == CFRM_STRUCTURES_MAX) {
        c->count.structures_left_out++;
        return;
    }
    struct cfrm_structure *s = &c->structure[c->structures++];
    *s = (struct cfrm_structure){.facility = &f->view,
                                 .token = be32_get(row + 16),
                                 .type = (enum cf_type)row[20],
                                 .persistent = row[23] & CF_CONN_STRUCTURE_KEEP,
                                 .kb = be32_get(row + 24),
                                 .entries_used = be32_get(row + 28),
                                 .entries = be32_get(row + 32),
                                 .elements_used = be32_get(row + 36),
                                 .elements = be32_get(row + 40)};
    cfrm_name_get(s->name, row, CF_NAME_BYTES);
}

static void connections_get(struct cfrm_structure *s, const u8 *row, u32 rows) {
    s->connections = u32_min(rows, CF_CONNECTORS);
    for (u32 i = 0; i < s->connections; i++, row += CF_CONNECTION_ROW_BYTES) {
        struct cfrm_connection *con = &s->connection[i];
        cfrm_name_get(con->name, row, CF_NAME_BYTES);
        cfrm_name_get(con->system, row + 16, CF_NAME_BYTES);
        con->incarnation = be64_get(row + 32);
        con->id = row[40];
        con->failed = row[41] == CF_CONN_FAILED;
    }
}

/* Is the response as long as its count says, behind so many bytes? */
static bool rows_fit(const u8 *rsp, u32 len, u32 before, u32 row) {
    return len >= before && cf_count_get(rsp) <= (len - before) / row;
}

/* Takes an answer in; true: another question is under way. */
static bool take(struct cfrm_part *f, u32 rc, const u8 *rsp, u32 len) {
    struct cfrm *c = f->all;
    u32 n = cf_count_get(rsp);
    switch (rsp[1] & ~(u32)CF_RESPONSE) {
    case CF_IDENTIFY:
        if (rc != CF_OK || len < 64) break;
        f->view.level = be32_get(rsp + 24);
        f->view.total_kb = be32_get(rsp + 28);
        f->view.free_kb = be32_get(rsp + 32);
        f->view.structures = be32_get(rsp + 36);
        cfrm_name_get(f->view.policy, rsp + 40, 8);
        if (strcmp(f->view.policy, f->seen) != 0) cfrm_learn_policy(f);
        return ask_structures(f);
    case CF_STRUCTURES:
        if ((rc != CF_OK && rc != CF_RC_MORE) || !rows_fit(rsp, len, CF_RSP_BYTES, CF_STRUCTURE_ROW_BYTES)) break;
        for (u32 i = 0; i < n; i++) structure_get(f, rsp + CF_RSP_BYTES + i * CF_STRUCTURE_ROW_BYTES);
        if (rc == CF_RC_MORE && n) return ask_structures(f);
        return ask_connections(f);
    case CF_CONNECTIONS:
        /* A structure that was deallocated meanwhile has no connections. */
        if (rc == CF_OK && rows_fit(rsp, len, CF_RSP_BYTES + CF_STRUCTURE_ROW_BYTES, CF_CONNECTION_ROW_BYTES))
            connections_get(&c->structure[f->at], rsp + CF_RSP_BYTES + CF_STRUCTURE_ROW_BYTES, n);
        f->at++;
        return ask_connections(f);
    default: break;
    }
    c->count.drop_malformed++;
    return false;
}

static void answered(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct cfrm_part *f = ctx;
    UNUSED(r);
    if (rc == XES_LOST || !take(f, rc, rsp, len)) through(f, now);
}

int cfrm_inventory(struct cfrm *c, u64 now) {
    bool any = false;
    UNUSED(now);
    if (c->collecting) return -ERR_ALREADY;
    c->structures = 0;
    for (u32 i = 0; i < c->facilities; i++) {
        struct cfrm_part *f = &c->facility[i];
        f->listed = f->at = 0;
        f->busy = f->view.up && ask(f, CF_IDENTIFY, CF_CMD_BYTES);
        any |= f->busy;
    }
    c->collecting = any;
    c->count.inventories += any;
    return any ? 0 : -ERR_NETDOWN;
}
