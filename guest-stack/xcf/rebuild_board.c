/* rebuild_board.c - who is how far: connect data told and read, and where the structure is. See rebuild.h. */
#include "xcf/rebuild_impl.h"

#include "base/be.h"
#include "base/str.h"

/* ---- telling ---- */

void rebuild_data_put(const struct rebuild *r, u8 role, u8 *data) {
    memset(data, 0, OWN_BYTES);
    memcpy(data + OWN_BYTES, r->connect + CF_CONNECT_BYTES - DATA_BYTES + OWN_BYTES, DATA_BYTES - OWN_BYTES);
    data[0] = r->phase;
    data[1] = role;
    data[2] = r->duplex;
    data[3] = r->phase == PHASE_KEEP && !r->side[!r->keep].con->connected;
    be32_put(data + 4, r->attempt);
    const char *facility = r->phase == PHASE_KEEP ? xes_facility_name(r->side[r->keep].x) : r->target;
    memcpy(data + 8, facility, strlen(facility));
}

static void side_tell(struct rebuild_side *s);

static void told(void *ctx, struct xes_request *q, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct rebuild_side *s = ctx;
    UNUSED(q);
    UNUSED(rsp);
    UNUSED(len);
    UNUSED(now);
    s->setting = false;
    if (rc != CF_OK) return; /* the connection is gone, and who sees that knows */
    if (s->set_again) side_tell(s);
    else rebuild_look(s->r); /* one's own change is no notice */
}

static void side_tell(struct rebuild_side *s) {
    s->set_again = s->setting;
    if (s->setting || !s->con->connected) return;
    cf_command_put(s->set_cmd, CF_CONNDATA, 0, CF_CONNDATA_BYTES, s->con->token, s->con->id);
    rebuild_data_put(s->r, s == rebuild_old(s->r) ? ROLE_STRUCTURE : ROLE_NEW, s->set_cmd + 16);
    s->set = (struct xes_request){.cmd = s->set_cmd, .len = CF_CONNDATA_BYTES, .done = told, .ctx = s};
    s->setting = xes_submit(s->x, &s->set) == 0;
}

void rebuild_publish(struct rebuild *r) {
    side_tell(rebuild_old(r));
    side_tell(rebuild_new(r));
}

/* ---- reading ---- */

static void text_get(char *out, const u8 *in, u32 bytes) {
    u32 n = bytes;
    while (n && (in[n - 1] == ' ' || in[n - 1] == 0)) n--;
    memcpy(out, in, n);
    out[n] = '\0';
}

/* false: the answer has no shape. Connections that have failed are not waited for and not listed. */
static bool board_get(struct rebuild_board *b, const u8 *rsp, u32 len) {
    const u8 *row = rsp + CF_RSP_BYTES + CF_STRUCTURE_ROW_BYTES;
    b->rows = 0;
    if (len < CF_RSP_BYTES + CF_STRUCTURE_ROW_BYTES) return false;
    u32 n = cf_count_get(rsp);
    if (n > CF_CONNECTORS || len < CF_RSP_BYTES + CF_STRUCTURE_ROW_BYTES + n * CF_CONNECTION_ROW_BYTES) return false;
    for (u32 i = 0; i < n; i++, row += CF_CONNECTION_ROW_BYTES) {
        if (row[41] != CF_CONN_ACTIVE) continue;
        struct rebuild_row *to = &b->row[b->rows++];
        const u8 *data = row + 48;
        *to = (struct rebuild_row){.id = row[40], .phase = data[0], .role = data[1], .duplex = data[2] != 0, .forced = data[3] != 0, .attempt = be32_get(data + 4)};
        text_get(to->system, row + 16, CF_NAME_BYTES);
        text_get(to->target, data + 8, 8);
    }
    return true;
}

struct xes *rebuild_facility(const struct rebuild *r, const char *name) {
    struct xes *x;
    for (u32 i = 0; (x = r->ops->prefer(r->ctx, i)) != NULL; i++)
        if (strcmp(xes_facility_name(x), name) == 0) return x;
    return NULL;
}

/* ---- questions, one at a time ---- */

static void answered(void *ctx, struct xes_request *q, u32 rc, const u8 *rsp, u32 len, u64 now);

static bool ask(struct rebuild *r, struct xes *x) {
    memset(r->query_cmd, 0, CF_CMD_BYTES + CF_NAME_BYTES);
    cf_command_put(r->query_cmd, CF_CONNECTIONS, 0, CF_CMD_BYTES + CF_NAME_BYTES, 0, 0);
    memcpy(r->query_cmd + CF_CMD_BYTES, r->connect + 16, CF_NAME_BYTES);
    r->query = (struct xes_request){.cmd = r->query_cmd, .len = CF_CMD_BYTES + CF_NAME_BYTES, .done = answered, .ctx = r};
    r->query_x = x;
    r->querying = xes_submit(x, &r->query) == 0;
    return r->querying;
}

/* Where phases are read. */
static struct rebuild_side *board_side(struct rebuild *r) {
    if (rebuild_old(r)->con->connected) return rebuild_old(r);
    return rebuild_new(r)->con->connected ? rebuild_new(r) : NULL;
}

void rebuild_look(struct rebuild *r) {
    struct rebuild_side *s = board_side(r);
    r->query_again = r->querying;
    if (!s || r->querying) return;
    r->look_side = (u32)(s - r->side);
    ask(r, s->x);
}

static void search_next(struct rebuild *r, u64 now) {
    struct xes *x = r->ops->prefer(r->ctx, r->search_at++);
    if (x) {
        r->searching = ask(r, x);
        return;
    }
    r->searching = false;
    rebuild_found(r, now);
}

void rebuild_search(struct rebuild *r, u64 now) {
    if (r->querying) return; /* the next poll comes again */
    r->searching = true;
    r->search_at = 0;
    r->in_use = r->settled = r->being_made = NULL;
    r->first_found = r->second_found = false;
    search_next(r, now);
}

static void search_result(struct rebuild *r, u32 rc, const u8 *rsp, u32 len) {
    struct rebuild_board b;
    if (rc != CF_OK) return;
    if (!board_get(&b, rsp, len)) r->count.drop_malformed++;
    for (u32 i = 0; i < b.rows; i++) {
        if (b.row[i].role == ROLE_STRUCTURE && !r->in_use) r->in_use = r->query_x;
        bool settled = b.row[i].phase == PHASE_USE || b.row[i].phase == PHASE_STOPPED;
        if (b.row[i].role == ROLE_STRUCTURE && settled && !r->settled) r->settled = r->query_x;
        bool pair = b.row[i].phase > PHASE_STOPPED;
        r->first_found |= b.row[i].role == ROLE_STRUCTURE && pair;
        r->second_found |= b.row[i].role == ROLE_NEW && pair;
        if (b.row[i].role == ROLE_NEW && !pair && !r->being_made) r->being_made = r->query_x;
    }
}

static void board_result(struct rebuild *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct rebuild_side *s = &r->side[r->look_side];
    bool first = s == board_side(r), both = rebuild_is_pair(r) && rebuild_old(r)->con->connected && rebuild_new(r)->con->connected;
    struct rebuild_board *to = first ? &r->now : &r->other;
    if (r->query_again || !s->con->connected || s->x != r->query_x || (!first && !both)) { /* it is older than what has happened since */
        rebuild_look(r);
        return;
    }
    if (rc != CF_OK || !board_get(to, rsp, len)) {
        r->count.drop_malformed += rc == CF_OK;
        return;
    }
    for (u32 i = 0; i < to->rows; i++)
        if (to->row[i].id == s->con->id) str_copy(r->self, sizeof r->self, to->row[i].system);
    if (s == rebuild_old(r)) r->old = r->now;
    if (first && both) { /* who gives one of them up may be able to say so in the other one only */
        r->look_side = (u32)(rebuild_new(r) - r->side);
        ask(r, rebuild_new(r)->x);
    } else {
        if (!both) r->other.rows = 0;
        rebuild_seen(r, now);
    }
    if ((r->state == REBUILD_IN_USE || r->state == REBUILD_DUPLEX) && s == rebuild_old(r) && r->ops->connections)
        r->ops->connections(r->ctx, rsp, len, now);
}

static void answered(void *ctx, struct xes_request *q, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct rebuild *r = ctx;
    bool searching = r->searching;
    UNUSED(q);
    r->querying = r->searching = false;
    if (rc == XES_LOST) { /* rebuild_down() or the next poll searches again */
        if (r->query_again) rebuild_look(r);
        return;
    }
    if (!searching) {
        board_result(r, rc, rsp, len, now);
        return;
    }
    search_result(r, rc, rsp, len);
    search_next(r, now);
    if (!r->querying && r->query_again) rebuild_look(r);
}
