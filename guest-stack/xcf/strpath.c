/* strpath.c - structures for signalling: which facility, connecting, what arrives. See xcf/strpath.h.
 *
 * After CONNECT the own list is made ready in steps: emptied (its identifier may have been another's), limited, monitored; then
 * it is asked who is connected. Whoever writes in between is read or repeats what was emptied.
 */
#include "xcf/strpath_impl.h"

#define ELEMENT_CODE   2 /* 1024 bytes */
#define ELEMENTS_MAX   64
#define ENTRY_SHARE    1
#define ELEMENT_SHARE  8
#define STRUCTURE_KB   8192u
#define STRUCTURE_LEAST_KB 512u

enum setup_step { SETUP_EMPTY, SETUP_LIMIT, SETUP_MONITOR, SETUP_STEPS };

static const char *const NAMES[STRPATH_STATES] = {"AWAY", "CONNECTING", "RETRY", "READY"};
const char *strpath_state_name(enum strpath_state s) { return s < STRPATH_STATES ? NAMES[s] : ""; }

static void connect_start(struct structure *s, u64 now);

static void again(struct structure *s, u64 at) {
    s->state = STRPATH_RETRY;
    s->retry_at = at;
    s->g->look = true;
}

static void retry(struct structure *s, u64 now) {
    if (str_con(s)->connected) xes_disconnect(str_con(s), false);
    again(s, now + STRPATH_RETRY_US);
    peers_away(s, now);
}

bool structure_failed(struct structure *s, u32 rc, u64 now) {
    if (rc == XES_LOST || s->state != STRPATH_READY) return true;
    if (rc == CF_OK || rc == CF_RC_MORE) return false;
    s->g->counters.errors++;
    retry(s, now);
    return true;
}

/* ---- reading ---- */

static void read_start(struct structure *s);

static void read_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct structure *s = ctx;
    UNUSED(r);
    s->reading = false;
    if (structure_failed(s, rc, now)) return;
    s->g->counters.reads++;
    if (rc == CF_RC_MORE) s->read_due = true;
    for (u32 at = CF_RSP_BYTES; at + CF_ENTRY_BYTES <= len && !xcf_stopped(s->g->x);) {
        u32 bytes = be32_get(rsp + at);
        if (bytes < CF_ENTRY_BYTES || bytes > len - at) break;
        peer_transfer(s, rsp + at + CF_ENTRY_BYTES, bytes - CF_ENTRY_BYTES, now);
        at += bytes;
    }
    if (s->read_due && s->state == STRPATH_READY) read_start(s);
}

static void read_start(struct structure *s) {
    s->read_due = s->reading;
    if (s->reading) return;
    str_command(s, s->read_cmd, CF_READ_LIST, str_con(s)->id, CF_F_DATA | CF_F_DELETE);
    s->read = (struct xes_request){.cmd = s->read_cmd, .len = sizeof s->read_cmd, .done = read_done, .ctx = s};
    s->reading = xes_submit(s->x, &s->read) == 0;
}

static void on_vector(struct xes_connection *con, u32 index, bool value, u64 now) {
    struct structure *s = con->ctx;
    UNUSED(index);
    UNUSED(now);
    if (value && s->state == STRPATH_READY && s->setup_step == SETUP_STEPS) read_start(s);
}

/* ---- making ready ---- */

static void setup_start(struct structure *s);

static void setup_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct structure *s = ctx;
    UNUSED(r);
    s->setting = false;
    if (structure_failed(s, rc, now)) return;
    if (rc != CF_RC_MORE) s->setup_step++;
    if (s->setup_step < SETUP_STEPS) {
        setup_start(s);
        return;
    }
    if (len > CF_RSP_BYTES && rsp[CF_RSP_BYTES]) read_start(s);
    peers_query(s);
}

static void setup_start(struct structure *s) {
    static const u8 ops[SETUP_STEPS] = {CF_DELETE_LIST, CF_SET_LCONTROLS, CF_MONITOR_LIST};
    str_command(s, s->setup_cmd, ops[s->setup_step], str_con(s)->id, 0);
    if (s->setup_step == SETUP_LIMIT) be32_put(s->setup_cmd + 20, STRPATH_LIST_MAX);
    if (s->setup_step == SETUP_MONITOR) s->setup_cmd[36] = 1;
    s->setup = (struct xes_request){.cmd = s->setup_cmd, .len = sizeof s->setup_cmd, .done = setup_done, .ctx = s};
    s->setting = xes_submit(s->x, &s->setup) == 0;
}

/* ---- connecting ---- */

static u32 preference(const struct structure *s, u32 k) { return (s->index + k) % 2; }

/* The best facility that is up and has not refused the structure: index into prefer[], or 2. */
static u32 choose(const struct structure *s) {
    for (u32 k = 0; k < 2; k++) {
        u32 f = preference(s, k);
        if (s->g->prefer[f][0] && !s->refused[f] && cflinks_find(s->g->links, s->g->prefer[f])) return f;
    }
    return 2;
}

static void on_connected(struct xes_connection *con, u32 rc, u8 flags, const u8 *rsp, u64 now) {
    struct structure *s = con->ctx;
    UNUSED(flags);
    UNUSED(rsp);
    if (con != str_con(s) || s->state != STRPATH_CONNECTING) {
        /* The structure has gone to another facility meanwhile. */
        if (rc == CF_OK) xes_disconnect(con, false);
        return;
    }
    if (rc == XES_LOST) return; /* down() follows: AWAY */
    if (rc == CF_OK) {
        s->state = STRPATH_READY;
        s->setup_step = SETUP_EMPTY;
        setup_start(s);
        return;
    }
    if (rc == CF_RC_SPACE && s->kb / 2 >= STRUCTURE_LEAST_KB)
        s->kb /= 2;
    else if (rc == CF_RC_SPACE || rc == CF_RC_POLICY)
        for (u32 f = 0; f < 2; f++) s->refused[f] |= strcmp(s->g->prefer[f], s->facility) == 0;
    retry(s, now);
    if (rc == CF_RC_SPACE || rc == CF_RC_POLICY) s->retry_at = now;
}

static void on_lost(struct xes_connection *con, u64 now) {
    struct structure *s = con->ctx;
    if (con != str_con(s)) return;
    s->state = STRPATH_AWAY;
    peers_away(s, now);
}

static void on_connections(struct xes_connection *con, u32 changed, u64 now) {
    struct structure *s = con->ctx;
    UNUSED(changed);
    UNUSED(now);
    if (con == str_con(s) && s->state == STRPATH_READY && s->setup_step == SETUP_STEPS) peers_query(s);
}
static const struct xes_connection_ops CONNECTION = {
    .connected = on_connected, .lost = on_lost, .vector = on_vector, .connections = on_connections};

static void connect_start(struct structure *s, u64 now) {
    struct strpaths *g = s->g;
    u8 cmd[CF_CONNECT_BYTES] = {0};
    u32 f = choose(s);
    if (f == 2) {
        s->state = STRPATH_AWAY;
        return;
    }
    str_copy(s->facility, sizeof s->facility, g->prefer[f]);
    s->x = cflinks_find(g->links, s->facility);
    xcfcds_name_put(cmd + 16, s->name, CF_NAME_BYTES);
    xcfcds_name_put(cmd + 32, g->id.name, CF_NAME_BYTES);
    cmd[48] = CF_TYPE_LIST;
    cmd[50] = ELEMENT_CODE;
    cmd[51] = ELEMENTS_MAX;
    be32_put(cmd + 52, STRPATH_PEERS);
    be32_put(cmd + 64, s->kb);
    be16_put(cmd + 68, ENTRY_SHARE);
    be16_put(cmd + 70, ELEMENT_SHARE);
    be64_put(cmd + 80, g->id.incarnation);
    /* The other one may still be on its way to, or from, another facility. */
    if (s->con[s->which ^ 1].busy || s->con[s->which ^ 1].connected) {
        again(s, now + STRPATH_RETRY_US);
        return;
    }
    s->which ^= 1;
    *str_con(s) = (struct xes_connection){.ops = &CONNECTION, .vector = &s->vector, .vector_bits = 1, .ctx = s};
    s->state = STRPATH_CONNECTING;
    if (xes_connect(s->x, str_con(s), cmd) == 0) return;
    again(s, now + STRPATH_RETRY_US);
}

/* ---- facilities ---- */

/* To the facility of its choice at once; to the other one after a moment: at IPL, and after a disturbance, the links come one by
 * one, and a structure that moved with each would help nobody. */
static void arrive(struct structure *s, u32 best, u64 now) {
    if (best == preference(s, 0)) {
        connect_start(s, now);
    } else if (best < 2) {
        again(s, now + STRPATH_RETRY_US);
    }
}

static void link_up(void *ctx, struct xes *x, const char *facility, u64 now) {
    struct strpaths *g = ctx;
    UNUSED(x);
    for (u32 i = 0; i < g->count; i++) {
        struct structure *s = &g->structure[i];
        for (u32 f = 0; f < 2; f++)
            if (strcmp(g->prefer[f], facility) == 0) s->refused[f] = false;
        u32 best = choose(s);
        if (s->state == STRPATH_AWAY) {
            arrive(s, best, now);
        } else if (best < 2 && strcmp(g->prefer[best], s->facility) != 0) {
            g->counters.moves++;
            retry(s, now);
            s->retry_at = now;
        }
    }
}

/* Connections were told lost; one that was still being made was not. */
static void link_down(void *ctx, struct xes *x, const char *facility, bool isolated, u64 now) {
    struct strpaths *g = ctx;
    UNUSED(x);
    for (u32 i = 0; i < g->count; i++) {
        struct structure *s = &g->structure[i];
        if (strcmp(s->facility, facility) == 0) s->state = STRPATH_AWAY;
        if (s->state == STRPATH_AWAY && !isolated) arrive(s, choose(s), now);
    }
}

u64 strpaths_poll(struct strpaths *g, u64 now) {
    u64 next = TIME_NEVER;
    if (xcf_stopped(g->x)) return next;
    if (!g->look && now < g->due) return g->due;
    g->look = false;
    for (u32 i = 0; i < g->count && !xcf_stopped(g->x); i++) {
        struct structure *s = &g->structure[i];
        if (s->state == STRPATH_RETRY && s->retry_at <= now) connect_start(s, now);
        if (s->state == STRPATH_RETRY) next = u64_min(next, s->retry_at);
        if (s->state == STRPATH_READY) peers_poll(s, now, &next);
    }
    g->due = next;
    return g->look ? now : next;
}

/* ---- life ---- */

struct strpaths *strpaths_create(const struct strpaths_config *c) {
    struct strpaths *g = arena_take(c->arena, sizeof *g, 16);
    if (!g) return NULL;
    memset(g, 0, sizeof *g);
    g->arena = c->arena;
    g->links = c->links;
    g->x = c->x;
    g->id = c->id;
    str_copy(g->prefer[0], sizeof g->prefer[0], c->couple->pcouple);
    str_copy(g->prefer[1], sizeof g->prefer[1], c->couple->acouple);
    g->user = (struct cflink_user){.up = link_up, .down = link_down, .ctx = g};
    cflinks_user(g->links, &g->user);
    return g;
}

int strpaths_add(struct strpaths *g, const struct couple_path *def, u64 now) {
    struct structure *s = NULL;
    for (u32 i = 0; i < g->count && !s; i++)
        if (strcmp(g->structure[i].name, def->name) == 0) s = &g->structure[i];
    if (!s) {
        if (g->count == STRPATH_STRUCTURES_MAX) return -ERR_NOMEM;
        s = &g->structure[g->count];
        s->g = g;
        s->index = g->count++;
        s->kb = STRUCTURE_KB;
        str_copy(s->name, sizeof s->name, def->name);
        for (u32 id = 0; id < STRPATH_PEERS; id++) {
            s->peer[id].s = s;
            s->peer[id].id = (u8)id;
        }
    }
    s->def[def->outbound] = *def;
    *(def->outbound ? &s->out : &s->in) = true;
    if (s->state == STRPATH_AWAY) arrive(s, choose(s), now);
    return 0;
}

bool strpaths_info(const struct strpaths *g, u32 i, struct strpath_info *out) {
    if (i >= g->count) return false;
    const struct structure *s = &g->structure[i];
    *out = (struct strpath_info){.name = s->name, .facility = s->state == STRPATH_AWAY ? "" : s->facility, .state = s->state};
    for (u32 id = 1; id < STRPATH_PEERS; id++) out->partners += s->peer[id].here;
    return true;
}

const struct strpath_counters *strpaths_counters(const struct strpaths *g) { return &g->counters; }
