/* cds.c - the copies of the couple data: connecting, status records, and who is connected. See xcf/cds.h.
 *
 * Each copy has at most one write, one read of all records and one question who is connected outstanding. A write that is
 * slower than the heartbeat is not repeated: its answer counts for the record that it carried, and the newest record follows it.
 */
#include "xcf/cds_impl.h"

#define STRUCTURE_KB 256u
#define ELEMENT_CODE 0 /* 256 bytes */
#define POLL_MIN_US (10 * (u64)USEC_PER_MSEC)

/* ---- systems ---- */

struct cds_system *cds_system_find(struct cds *c, const char *name) {
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++)
        if (strcmp(c->system[i].record.system, name) == 0) return &c->system[i];
    return NULL;
}

/* That of the name, or a row for it: a free one, else one of a system that is not connected any more. */
static struct cds_system *system_take(struct cds *c, const char *name) {
    struct cds_system *s = cds_system_find(c, name);
    if (s) return s;
    for (u32 i = 0; i < XCF_SYSTEMS_MAX && !s; i++)
        if (!c->system[i].record.system[0]) s = &c->system[i];
    for (u32 i = 0; i < XCF_SYSTEMS_MAX && !s; i++)
        if (!c->system[i].active[0] && !c->system[i].active[1]) s = &c->system[i];
    if (!s) return NULL;
    *s = (struct cds_system){.seen = false};
    str_copy(s->record.system, sizeof s->record.system, name);
    return s;
}

/* In a copy that can be used, or in one that may only be slow to say. */
static bool connected_somewhere(const struct cds *c, const struct cds_system *s) {
    for (u32 i = 0; i < CDS_COPIES; i++)
        if (cds_usable(&c->copy[i]) && (s->active[i] || !c->copy[i].known)) return true;
    return false;
}

static void dropped(struct cds *c, struct cds_system *s, u64 now) {
    struct xcf_sysid id = {.incarnation = s->record.incarnation};
    if (connected_somewhere(c, s) || strcmp(s->record.system, c->id.name) == 0) return;
    str_copy(id.name, sizeof id.name, s->record.system);
    if (!s->seen) { /* what it left, before this system came */
        if (s->recorded) xcf_arbiter_unconnected(c->x, &id, now);
        return;
    }
    c->count.dropped_told++;
    xcf_arbiter_dropped(c->x, &id, now);
}

/* ---- what XCF is told ---- */

void cds_refused(struct cds *c, u64 now) { xcf_arbiter_status(c->x, XCF_ARBITER_REFUSED, 0, now); }

/* All usable copies have taken a record: it is the oldest of theirs that is answered. */
void cds_judge(struct cds *c, u64 now) {
    u32 usable = 0, counter = 0;
    for (u32 i = 0; i < CDS_COPIES; i++) {
        const struct cds_copy *k = &c->copy[i];
        if (!cds_usable(k)) continue;
        if (!usable++ || (i32)(k->acked - counter) < 0) counter = k->acked;
    }
    if (usable && counter) {
        c->told_lost = false;
        c->joined = true;
        xcf_arbiter_status(c->x, XCF_ARBITER_OK, counter, now);
    }
    if (!usable && !c->told_lost) {
        c->told_lost = true;
        xcf_arbiter_status(c->x, XCF_ARBITER_LOST, 0, now);
    }
}

/* ---- connections of the copy ---- */

static void copy_retry(struct cds_copy *k, u64 now) {
    if (cds_con(k)->connected) xes_disconnect(cds_con(k), false);
    k->state = CDS_RETRY;
    k->retry_at = now + CDS_RETRY_US;
    k->known = false;
    cds_judge(k->c, now);
}

/* A response code that ends nothing (false) or the use of this copy. */
static bool failed(struct cds_copy *k, u32 rc, u64 now) {
    k->stuck = false; /* it has answered, whatever */
    if (rc == XES_LOST) return true; /* lost() follows */
    if (rc == CF_RC_ISOLATED) {
        cds_refused(k->c, now);
        return true;
    }
    if (rc == CF_OK || rc == CF_RC_MORE) return false;
    k->c->count.write_errors++;
    copy_retry(k, now);
    return true;
}

static bool mine_complete(struct cds *c);
static bool write_start(struct cds_copy *k, u64 now);
static void list_start(struct cds_copy *k);
/* Reads the records as they are from now on. */
static void list_after(struct cds_copy *k) {
    bool under_way = k->listing;
    list_start(k);
    k->list_due = under_way;
}

static void first_write(struct cds_copy *k, u64 now) {
    if (k->state == CDS_READY && k->vetted && k->known && !k->acked && !k->writing && mine_complete(k->c)) write_start(k, now);
}

static void query_row(struct cds_copy *k, const u8 *row) {
    struct cds *c = k->c;
    char name[17];
    if (row[41] != CF_CONN_ACTIVE) return;
    xcfcds_name_get(name, row, CF_NAME_BYTES);
    if (strlen(name) > 8) return;
    struct cds_system *s = system_take(c, name);
    if (!s) return;
    s->active[k->index] = s->seen = true;
    u64 incarnation = be64_get(row + 48);
    if (incarnation < s->record.incarnation) return;
    if (incarnation > s->record.incarnation) s->recorded = false; /* the record that is known is of an earlier life, whose counter says nothing now */
    s->record.incarnation = incarnation;
    xcfcds_name_get(s->record.lpar, row + 16, CF_NAME_BYTES);
    s->record.lpar_incarnation = be64_get(row + 32);
}

static void query_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct cds_copy *k = ctx;
    struct cds *c = k->c;
    UNUSED(r);
    k->querying = false;
    if (failed(k, rc, now) || k->state != CDS_READY) return;
    k->queries_done = k->queries;
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++) c->system[i].active[k->index] = false;
    for (u32 at = CF_RSP_BYTES + CF_STRUCTURE_ROW_BYTES; at + CF_CONNECTION_ROW_BYTES <= len; at += CF_CONNECTION_ROW_BYTES)
        query_row(k, rsp + at);
    k->known = k->drops_due = true;
    if (k->query_due) cds_query(k);
    /* Not to wait for the next heartbeat: whoever joins waits for this. */
    if (k->state == CDS_READY) list_after(k);
    first_write(k, now);
    cds_isolations_run(c, now);
}

void cds_query(struct cds_copy *k) {
    k->query_due = k->querying;
    if (k->querying) return;
    cf_command_put(k->query_cmd, CF_CONNECTIONS, 0, sizeof k->query_cmd, 0, 0);
    xcfcds_name_put(k->query_cmd + CF_CMD_BYTES, k->c->structure, CF_NAME_BYTES);
    k->query = (struct xes_request){.cmd = k->query_cmd, .len = sizeof k->query_cmd, .done = query_done, .ctx = k};
    k->querying = xes_submit(k->x, &k->query) == 0;
    k->queries += k->querying;
}

static void on_connected(struct xes_connection *con, u32 rc, u8 flags, const u8 *rsp, u64 now) {
    struct cds_copy *k = con->ctx;
    UNUSED(flags);
    UNUSED(rsp);
    if (rc == XES_LOST) return; /* down() follows: AWAY */
    if (rc == CF_RC_ISOLATED) {
        cds_refused(k->c, now);
        return;
    }
    if (k->state != CDS_CONNECTING || con != cds_con(k)) { /* this facility has no couple data any more */
        if (rc == CF_OK) xes_disconnect(con, false);
        return;
    }
    if (rc != CF_OK) {
        copy_retry(k, now);
        return;
    }
    k->state = CDS_READY;
    k->stuck = k->known = k->listed = k->vetted = false;
    k->acked = k->sent = 0;
    cds_query(k);
}

/* Its requests have been told lost already. */
static void away(struct cds_copy *k) {
    k->state = CDS_AWAY;
    k->known = k->stuck = k->query_due = k->drops_due = false;
}
static void on_lost(struct xes_connection *con, u64 now) {
    UNUSED(now);
    away(con->ctx);
}

static void on_connections(struct xes_connection *con, u32 changed, u64 now) {
    UNUSED(changed);
    UNUSED(now);
    cds_query(con->ctx);
}
static const struct xes_connection_ops CONNECTION = {.connected = on_connected, .lost = on_lost, .connections = on_connections};

void cds_connect_command(const struct cds *c, u8 cmd[CF_CONNECT_BYTES], const char *name) {
    memset(cmd, 0, CF_CONNECT_BYTES);
    xcfcds_name_put(cmd + 16, c->structure, CF_NAME_BYTES);
    xcfcds_name_put(cmd + 32, name, CF_NAME_BYTES);
    cmd[48] = CF_TYPE_LIST;
    cmd[49] = CF_CONN_NAMES;
    cmd[50] = ELEMENT_CODE;
    cmd[51] = 1;
    be32_put(cmd + 52, 1);
    be32_put(cmd + 64, STRUCTURE_KB);
    be16_put(cmd + 68, 1);
    be16_put(cmd + 70, 1);
    be64_put(cmd + 80, c->id.incarnation);
}

static void connect_start(struct cds_copy *k, u64 now) {
    struct cds *c = k->c;
    u8 cmd[CF_CONNECT_BYTES];
    cds_connect_command(c, cmd, c->id.name);
    k->state = CDS_RETRY;
    k->retry_at = now + CDS_RETRY_US;
    if (k->con[0].busy || k->con[1].busy || cds_con(k)->connected) return;
    k->which ^= 1;
    *cds_con(k) = (struct xes_connection){.ops = &CONNECTION, .vector = &k->vector, .vector_bits = 1, .ctx = k};
    if (xes_connect(k->x, cds_con(k), cmd) == 0) k->state = CDS_CONNECTING;
}

/* ---- links ---- */

void cds_copy_up(struct cds_copy *k, struct xes *x, u64 now) {
    k->x = x;
    connect_start(k, now);
}

static void link_up(void *ctx, struct xes *x, const char *facility, u64 now) {
    struct cds *c = ctx;
    for (u32 i = 0; i < CDS_COPIES; i++) {
        struct cds_copy *k = &c->copy[i];
        if (k->facility[0] && strcmp(k->facility, facility) == 0) cds_copy_up(k, x, now);
    }
}

static void link_down(void *ctx, struct xes *x, const char *facility, bool isolated, u64 now) {
    struct cds *c = ctx;
    UNUSED(x);
    for (u32 i = 0; i < CDS_COPIES; i++)
        if (strcmp(c->copy[i].facility, facility) == 0) away(&c->copy[i]);
    if (isolated)
        cds_refused(c, now);
    else
        cds_judge(c, now);
    cds_isolations_run(c, now);
}

/* ---- status ---- */

/* A record can be read before the answer to who is connected: whoever has just written one has connected before. So nobody is taken for
 * gone by an answer that is older than his record. */
static bool asking(const struct cds *c) {
    for (u32 i = 0; i < CDS_COPIES; i++)
        if (cds_usable(&c->copy[i]) && (c->copy[i].querying || c->copy[i].query_due)) return true;
    return false;
}
static void ask_again(struct cds *c) {
    for (u32 i = 0; i < CDS_COPIES; i++)
        if (cds_usable(&c->copy[i])) cds_query(&c->copy[i]);
}

static void record_read(struct cds *c, const u8 *data, u32 len, u64 now) {
    struct xcfcds r;
    if (!xcfcds_parse(data, len, &r) || strcmp(r.sysplex, c->sysplex) != 0) {
        c->count.drop_record++;
        return;
    }
    if (r.note) {
        cds_roles_read(c, &r, now);
        return;
    }
    struct cds_system *s = system_take(c, r.system);
    if (!s || r.incarnation < s->record.incarnation || strcmp(r.system, c->id.name) == 0) return;
    /* The same record stands in both copies; the older one may be read later. */
    if (s->recorded && r.incarnation == s->record.incarnation && (i32)(r.counter - s->record.counter) < 0) return;
    bool news = !s->recorded || r.incarnation != s->record.incarnation || r.counter != s->record.counter;
    s->record = r;
    s->recorded = true;
    cds_roles_read(c, &r, now);
    if (!connected_somewhere(c, s)) {
        if (news)
            ask_again(c);
        else if (!asking(c))
            dropped(c, s, now);
        return;
    }
    struct xcf_record told = {.counter = r.counter, .connected_weight = r.weight};
    str_copy(told.id.name, sizeof told.id.name, r.system);
    told.id.incarnation = r.incarnation;
    xcf_arbiter_record(c->x, &told, now);
}

/* A connection that is gone may be that of a system which has switched to other couple data: the records were read first. */
static void drops_tell(struct cds_copy *k, u64 now) {
    struct cds *c = k->c;
    if (!k->drops_due || k->state != CDS_READY || asking(c)) return;
    k->drops_due = false;
    for (u32 i = 0; i < XCF_SYSTEMS_MAX && !xcf_stopped(c->x); i++)
        if (c->system[i].record.system[0]) dropped(c, &c->system[i], now);
}

/* Before anything is written: what is there says where the couple data are. */
static void record_vet(struct cds *c, const u8 *data, u32 len, u64 now) {
    struct xcfcds r;
    if (xcfcds_parse(data, len, &r) && strcmp(r.sysplex, c->sysplex) == 0) cds_roles_read(c, &r, now);
}

/* This copy's part of the last look is over, or cannot be had. */
static void looked(struct cds_copy *k, bool read, u64 now) {
    struct cds *c = k->c;
    bool last = k->looking && !c->copy[!k->index].looking;
    c->look_read |= k->looking && read;
    k->looking = k->list_due = false;
    if (last && c->look_read && !xcf_stopped(c->x)) xcf_arbiter_looked(c->x, now);
}

static void list_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct cds_copy *k = ctx;
    UNUSED(r);
    k->listing = false;
    if (failed(k, rc, now)) {
        looked(k, false, now);
        return;
    }
    bool vets = !k->vetted;
    k->c->count.reads++;
    k->vetted = true;
    k->listed = !vets;
    bool again = k->list_due && k->state == CDS_READY;
    for (u32 at = CF_RSP_BYTES; at + CF_ENTRY_BYTES <= len && !xcf_stopped(k->c->x);) {
        u32 bytes = be32_get(rsp + at);
        if (bytes < CF_ENTRY_BYTES || bytes > len - at) break;
        (vets ? record_vet : record_read)(k->c, rsp + at + CF_ENTRY_BYTES, bytes - CF_ENTRY_BYTES, now);
        at += bytes;
    }
    if (again && k->state == CDS_READY) list_start(k);
    if (!k->listing && !vets) drops_tell(k, now);
    if (!k->listing && !vets) looked(k, true, now);
    if (vets) first_write(k, now);
}

static void list_start(struct cds_copy *k) {
    if (k->listing) return;
    memset(k->list_cmd, 0, sizeof k->list_cmd);
    cf_command_put(k->list_cmd, CF_READ_LIST, 0, sizeof k->list_cmd, cds_con(k)->token, cds_con(k)->id);
    be16_put(k->list_cmd + 38, CF_F_DATA);
    k->list = (struct xes_request){.cmd = k->list_cmd, .len = sizeof k->list_cmd, .done = list_done, .ctx = k};
    k->listing = xes_submit(k->x, &k->list) == 0;
    k->list_due = false;
}

static int op_look(void *ctx) {
    struct cds *c = ctx;
    bool any = false;
    c->look_read = false;
    for (u32 i = 0; i < CDS_COPIES; i++) {
        struct cds_copy *k = &c->copy[i];
        k->looking = false;
        if (!cds_usable(k)) continue;
        list_after(k); /* a read that is under way may be older than the question */
        k->looking = k->listing;
        any |= k->looking;
    }
    return any ? 0 : -ERR_NETDOWN;
}

static void write_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct cds_copy *k = ctx;
    UNUSED(r);
    UNUSED(rsp);
    UNUSED(len);
    k->writing = false;
    if (failed(k, rc, now) || k->state != CDS_READY) return;
    k->acked = k->sent;
    /* The copies have the same records, so one is enough to look at; by turns, as who has switched writes only into one of them. If the
     * other one has not answered since the last heartbeat, this one has its turn, too. */
    const struct cds_copy *other = &k->c->copy[!k->index];
    bool mine = (k->sent & 1) == k->index, late = other->writing && other->sent != k->sent;
    if (mine || late || !k->listed || !cds_usable(other)) list_start(k);
    cds_judge(k->c, now);
    /* A record that came due meanwhile has waited for this answer: the next heartbeat is too far for a slow facility. */
    if (cds_usable(k) && k->known && (i32)(k->c->mine.counter - k->sent) > 0) write_start(k, now);
}

static bool write_start(struct cds_copy *k, u64 now) {
    struct cds *c = k->c;
    memset(k->write_cmd, 0, CF_LIST_BYTES);
    cf_command_put(k->write_cmd, CF_WRITE, 0, sizeof k->write_cmd, cds_con(k)->token, cds_con(k)->id);
    k->write_cmd[36] = CF_BY_NAME;
    be16_put(k->write_cmd + 38, CF_F_DATA);
    xcfcds_name_put(k->write_cmd + 64, c->id.name, CF_ENTRY_NAME_BYTES);
    xcfcds_emit(k->write_cmd + CF_LIST_BYTES, &c->mine);
    k->write = (struct xes_request){.cmd = k->write_cmd, .len = sizeof k->write_cmd, .done = write_done, .ctx = k};
    k->sent = c->mine.counter;
    k->asked_at = now;
    k->writing = xes_submit(k->x, &k->write) == 0;
    c->count.writes += k->writing;
    return k->writing;
}

/* What this system's LPAR is called at the facilities stands in the first answer to who is connected. */
static bool mine_complete(struct cds *c) {
    const struct cds_system *self = cds_system_find(c, c->id.name);
    if (!self || !self->record.lpar_incarnation || !c->mine.counter) return false;
    str_copy(c->mine.lpar, sizeof c->mine.lpar, self->record.lpar);
    c->mine.lpar_incarnation = self->record.lpar_incarnation;
    return true;
}

static int op_write_status(void *ctx, const struct xcf_record *mine) {
    struct cds *c = ctx;
    bool asked = false;
    c->mine.counter = mine->counter;
    c->mine.weight = mine->connected_weight;
    if (!mine_complete(c)) return -ERR_NETDOWN;
    for (u32 i = 0; i < CDS_COPIES; i++) {
        struct cds_copy *k = &c->copy[i];
        if (k->state != CDS_READY || !k->known || !k->vetted) continue;
        /* The moment is that of the next poll at the latest: operations have no clock. */
        if (!k->writing) k->writing = write_start(k, 0);
        asked |= k->writing && !k->stuck;
    }
    return asked ? 0 : -ERR_NETDOWN;
}

const struct xcf_arbiter_ops cds_arbiter_ops = {.write_status = op_write_status, .isolate = cds_isolate, .look = op_look};

/* ---- time ---- */

u64 cds_poll(struct cds *c, u64 now) {
    u64 next = TIME_NEVER;
    if (xcf_stopped(c->x)) return next;
    for (u32 i = 0; i < CDS_COPIES; i++) {
        struct cds_copy *k = &c->copy[i];
        if (k->state == CDS_RETRY && k->retry_at <= now) connect_start(k, now);
        if (k->state == CDS_RETRY) next = u64_min(next, k->retry_at);
        if (k->state != CDS_READY || !k->writing || k->stuck) continue;
        if (k->asked_at == 0) k->asked_at = now;
        if (now - k->asked_at >= CDS_TIMEOUT_US) {
            k->stuck = true;
            c->count.timeouts++;
            cds_judge(c, now);
        } else {
            next = u64_min(next, k->asked_at + CDS_TIMEOUT_US);
        }
    }
    if (!xcf_stopped(c->x)) cds_isolations_run(c, now);
    /* What waits for another one's answer has its moment behind it: that answer is an event. */
    next = u64_min(next, cds_formers_poll(c, now));
    return u64_max(u64_min(next, cds_isolations_due(c)), now + POLL_MIN_US);
}

/* ---- life ---- */

size_t cds_bytes(void) { return sizeof(struct cds) + 16; }

struct cds *cds_create(const struct cds_config *config) {
    struct cds *c = arena_take(config->arena, sizeof *c, 16);
    if (!c) return NULL;
    memset(c, 0, sizeof *c);
    c->links = config->links;
    c->id = config->id;
    c->told_lost = true;
    str_copy(c->sysplex, sizeof c->sysplex, config->couple->sysplex);
    str_fmt(c->structure, sizeof c->structure, "IXCCDS_%s", c->sysplex);
    str_copy(c->mine.system, sizeof c->mine.system, c->id.name);
    str_copy(c->mine.sysplex, sizeof c->mine.sysplex, c->sysplex);
    c->mine.incarnation = c->id.incarnation;
    str_copy(c->mine.primary, sizeof c->mine.primary, config->couple->pcouple);
    str_copy(c->mine.alternate, sizeof c->mine.alternate, config->couple->acouple);
    c->say = config->say;
    c->changed = config->changed;
    c->ctx = config->ctx;
    for (u32 i = 0; i < CDS_COPIES; i++) {
        struct cds_copy *k = &c->copy[i];
        k->c = c;
        k->index = i;
        str_copy(k->facility, sizeof k->facility, i ? config->couple->acouple : config->couple->pcouple);
    }
    return c;
}

void cds_begin(struct cds *c, struct xcf *x) {
    c->x = x;
    c->user = (struct cflink_user){.up = link_up, .down = link_down, .ctx = c};
    cflinks_user(c->links, &c->user);
}

bool cds_copy(const struct cds *c, u32 i, struct cds_copy_info *out) {
    if (i >= CDS_COPIES) return false;
    const struct cds_copy *k = &c->copy[i ^ c->primary];
    if (!k->facility[0]) return false;
    *out = (struct cds_copy_info){.facility = k->facility, .state = k->state, .stuck = k->stuck};
    return true;
}

bool cds_joined(const struct cds *c) { return c->joined; }

const struct cds_counters *cds_counters(const struct cds *c) { return &c->count; }
