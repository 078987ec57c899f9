/* strpath_peer.c - partners on a structure: who is connected, a pair of paths for each, writing to them. See xcf/strpath.h. */
#include "xcf/strpath_impl.h"

#define SENDER_AT 8 /* of a block: the name of the system that sent it */

/* ---- writing ---- */

static void write_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now);

static void write_submit(struct strpeer *p) { p->writing = structure_submit(p->s, p->s->con, &p->write); }

/* Partners are written to while their identifiers are known to be those of the structure that is in use. */
static bool may_write(const struct strpeer *p) { return p->here && p->s->state == STRPATH_READY && p->s->known; }

static void write_next(struct strpeer *p) {
    struct structure *s = p->s;
    u32 len;
    if (p->writing || p->retry_at || !may_write(p)) return;
    u8 *transfer = pathbuf_take(&p->buf, &len);
    if (!transfer) return;
    u8 *cmd = transfer - CF_LIST_BYTES;
    str_command(s->con, cmd, CF_WRITE, p->id, CF_F_DATA);
    cmd[37] = 1; /* the list's tail */
    s->g->counters.transfers_out++;
    s->g->counters.bytes_out += len;
    p->write.q = (struct xes_request){.cmd = cmd, .len = CF_LIST_BYTES + len, .done = write_done, .ctx = p};
    write_submit(p);
}

static void write_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct strpeer *p = ctx;
    struct structure *s = p->s;
    UNUSED(r);
    UNUSED(rsp);
    UNUSED(len);
    p->writing = false;
    s->outstanding--;
    if (!p->here) {
        p->buf.flying = false; /* its partner has gone meanwhile; the buffer is free now */
    } else if (rc == CF_RC_FULL || rc == CF_RC_LIST_FULL) {
        s->g->counters.waits_full++;
        p->wait_us = p->wait_us ? u64_min(2 * p->wait_us, STRPATH_WAIT_MAX_US) : STRPATH_WAIT_US;
        p->retry_at = now + p->wait_us;
        s->g->look = true;
    } else if (!structure_failed(s, rc, now)) {
        p->wait_us = 0;
        bool refused = pathbuf_landed(&p->buf);
        write_next(p);
        if (refused && p->out) xcf_path_room(p->out, now);
    } else {
        p->buf.flying = false; /* lost, and XCF sends it again */
    }
    structure_rest(s, now);
}

static int op_send(void *ctx, const u8 *block, u32 len) {
    struct strpeer *p = ctx;
    if (!p->here) return -ERR_NETDOWN;
    if (!pathbuf_put(&p->buf, block, len)) return -ERR_AGAIN;
    p->s->g->look = true;
    return 0;
}
static const struct xcf_path_ops PATH_OPS = {.send = op_send};

/* ---- who is there ---- */

/* Buffers and paths are made when a partner's identifier is first used; they stay. */
static bool peer_make(struct strpeer *p, u64 now) {
    struct structure *s = p->s;
    struct strpaths *g = s->g;
    if (s->out && !p->cmd[0]) {
        u32 each = CF_ORDERED_BYTES + CF_LIST_BYTES + PATHBUF_STORAGE;
        u8 *both = arena_take(g->arena, 2 * each, 16);
        if (!both) return false;
        p->cmd[0] = both + CF_ORDERED_BYTES;
        p->cmd[1] = both + each + CF_ORDERED_BYTES;
        pathbuf_init(&p->buf, p->cmd[0] + CF_LIST_BYTES, p->cmd[1] + CF_LIST_BYTES);
    }
    if (s->in && !p->in) p->in = xcf_path_add(g->x, &(struct xcf_path_def){.couple = s->def[0], .ctx = p}, now);
    if (s->out && !p->out) p->out = xcf_path_add(g->x, &(struct xcf_path_def){.couple = s->def[1], .ops = &PATH_OPS, .ctx = p}, now);
    return (p->in || !s->in) && (p->out || !s->out);
}

static void peer_left(struct strpeer *p, u64 now) {
    if (!p->here) return;
    p->here = false;
    p->retry_at = p->wait_us = 0;
    pathbuf_clear(&p->buf, p->writing);
    if (p->in) xcf_path_down(p->in, now);
    if (p->out) xcf_path_down(p->out, now);
}

static void peer_came(struct strpeer *p, const char *name, u64 incarnation, u64 now) {
    if (!peer_make(p, now)) {
        p->s->g->counters.no_storage++;
        return;
    }
    str_copy(p->name, sizeof p->name, name);
    p->incarnation = incarnation;
    p->here = true;
    p->gone = false;
    if (p->in) xcf_path_ready(p->in, now);
    if (p->out && p->here) xcf_path_ready(p->out, now);
}

void peers_away(struct structure *s, u64 now) {
    for (u32 i = 0; i < STRPATH_PEERS; i++) peer_left(&s->peer[i], now);
    s->clean_ids = 0;
}

/* The partner of this name; else a row that nobody has, else one of somebody who has left. */
static struct strpeer *peer_of(struct structure *s, const char *name) {
    struct strpeer *left = NULL, *unused = NULL;
    for (u32 i = 0; i < STRPATH_PEERS; i++) {
        struct strpeer *p = &s->peer[i];
        if (strcmp(p->name, name) == 0) return p;
        if (!p->name[0] && !unused) unused = p;
        if (!p->here && !left) left = p;
    }
    return unused ? unused : left;
}

/* The same system in another structure has another identifier, and nothing else changes for it. */
static void row_look(struct structure *s, const u8 *row, u64 now) {
    char name[17];
    u8 id = row[40];
    u64 incarnation = be64_get(row + 48 + STRPATH_INCARNATION_AT);
    if (id == 0 || id > CF_CONNECTORS || row[41] != CF_CONN_ACTIVE) return;
    xcfcds_name_get(name, row, CF_NAME_BYTES);
    if (id == s->con->id || strlen(name) > 8) return;
    struct strpeer *p = peer_of(s, name);
    if (!p) return; /* more connections than a structure can have */
    bool same = p->here && p->incarnation == incarnation && strcmp(p->name, name) == 0;
    p->found = true;
    if (!same) peer_left(p, now);
    p->id = id;
    if (!same) peer_came(p, name, incarnation, now);
}

static void clean_start(struct structure *s);

static void clean_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct structure *s = ctx;
    UNUSED(r);
    UNUSED(rsp);
    UNUSED(len);
    s->cleaning = false;
    s->outstanding--;
    if (!structure_failed(s, rc, now)) {
        if (rc == CF_OK) s->clean_ids &= s->clean_ids - 1;
        clean_start(s);
    }
    structure_rest(s, now);
}

/* The lists of those who are gone, lowest first. */
static void clean_start(struct structure *s) {
    if (!s->clean_ids || s->cleaning || s->state != STRPATH_READY) return;
    u32 list = 1;
    while (!(s->clean_ids >> (list - 1) & 1)) list++;
    str_command(s->con, s->clean_cmd.cmd, CF_DELETE_LIST, list, 0);
    s->clean.q = (struct xes_request){.cmd = s->clean_cmd.cmd, .len = CF_LIST_BYTES, .done = clean_done, .ctx = s};
    s->cleaning = structure_submit(s, s->con, &s->clean);
}

void peers_listed(struct structure *s, const u8 *rsp, u32 len, u64 now) {
    u32 lowest = s->con->id, gone = 0;
    bool first = !s->known; /* of this structure: whoever is not listed was not left by anybody here */
    for (u32 i = 0; i < STRPATH_PEERS; i++) s->peer[i].found = false;
    s->known = true;
    for (u32 at = CF_RSP_BYTES + CF_STRUCTURE_ROW_BYTES; at + CF_CONNECTION_ROW_BYTES <= len; at += CF_CONNECTION_ROW_BYTES)
        row_look(s, rsp + at, now);
    for (u32 i = 0; i < STRPATH_PEERS; i++) {
        struct strpeer *p = &s->peer[i];
        if (p->found) lowest = u32_min(lowest, p->id);
        if (p->found || !p->here) continue;
        duplex_left(&s->dx);
        if (!first) gone |= 1u << (p->id - 1);
        peer_left(p, now);
    }
    if (xcf_stopped(s->g->x)) return;
    s->g->look = true; /* what has waited for the identifiers */
    if (lowest == s->con->id) s->clean_ids |= gone;
    clean_start(s);
}

/* ---- what arrives ---- */

static struct strpeer *sender_of(struct structure *s, const u8 *block) {
    char name[9];
    xcfcds_name_get(name, block + SENDER_AT, XCFMSG_NAME);
    for (u32 i = 0; i < STRPATH_PEERS; i++)
        if (s->peer[i].here && strcmp(s->peer[i].name, name) == 0) return &s->peer[i];
    return NULL;
}

void peer_transfer(struct structure *s, const u8 *transfer, u32 len, u64 now) {
    struct strpath_counters *count = &s->g->counters;
    struct strpeer *p = pathbuf_block(transfer, 0, len) ? sender_of(s, transfer) : NULL;
    u32 at = 0;
    count->transfers_in++;
    count->bytes_in += len;
    if (!p || !p->in) {
        count->drop_unknown++;
        return;
    }
    /* A block may lead to anything: that the path is stopped, or this system. */
    for (u32 bytes; p->here && !xcf_stopped(s->g->x) && (bytes = pathbuf_block(transfer, at, len)) != 0; at += bytes) {
        count->blocks_in++;
        xcf_path_block(p->in, transfer + at, bytes, now);
    }
    count->drop_rest += len - at;
}

/* ---- time ---- */

void peers_poll(struct structure *s, u64 now, u64 *next) {
    for (u32 i = 0; i < STRPATH_PEERS; i++) {
        struct strpeer *p = &s->peer[i];
        if (!p->here) continue;
        if (!p->retry_at) {
            write_next(p);
            continue;
        }
        if (p->retry_at > now) {
            *next = u64_min(*next, p->retry_at);
            continue;
        }
        p->retry_at = 0;
        if (!may_write(p)) continue;
        write_submit(p);
    }
}
