/* strpath.c - structures for signalling: facilities that come and go, the operator, time. See xcf/strpath.h. */
#include "xcf/strpath_impl.h"

#define ELEMENT_CODE   2 /* 1024 bytes */
#define ELEMENTS_MAX   64
#define ENTRY_SHARE    1
#define ELEMENT_SHARE  8
#define STRUCTURE_KB   8192u /* the policy says another size; less where there is no room */

static const char *const NAMES[STRPATH_STATES] = {"AWAY", "CONNECTING", "READY", "REBUILDING"};
const char *strpath_state_name(enum strpath_state s) { return s < STRPATH_STATES ? NAMES[s] : ""; }

/* ---- facilities ---- */

/* At IPL, and after a disturbance, the links come one by one; who does not wait finds the structure in the wrong one, or nowhere. */
static bool links_settled(const struct strpaths *g) {
    const struct xes *x;
    for (u32 i = 0; (x = cflinks_at(g->links, i)) != NULL; i++)
        if (xes_state(x) == XES_STARTING) return false;
    return true;
}

static void search_at(struct structure *s, u64 now) {
    s->search_at = links_settled(s->g) ? now : now + STRPATH_SETTLE_US;
    s->g->look = true;
}

static void link_up(void *ctx, struct xes *x, const char *facility, u64 now) {
    struct strpaths *g = ctx;
    UNUSED(x);
    UNUSED(facility);
    for (u32 i = 0; i < g->count; i++) search_at(&g->structure[i], now);
}

/* Connections were told lost. */
static void link_down(void *ctx, struct xes *x, const char *facility, bool isolated, u64 now) {
    struct strpaths *g = ctx;
    UNUSED(x);
    UNUSED(facility);
    g->look = true;
    for (u32 i = 0; i < g->count && !isolated; i++)
        if (!g->structure[i].search_at) rebuild_down(g->structure[i].r, now);
}

/* ---- time ---- */

static void tell_gone(struct structure *s, struct strpeer *p, u64 now) {
    p->gone = true;
    rebuild_gone(s->r, p->name, now);
}

/* The structure was lost. Each of those who used it is waited for, so that none is left behind; but not for one that is gone, and not
 * for long: what a late one still has to say is in nobody's structure, and it finds the new one by itself. */
static u64 missing(struct structure *s, u64 now) {
    u64 end = s->lost_at + STRPATH_PATIENCE_US;
    for (u32 i = 0; i < STRPATH_PEERS; i++) {
        struct strpeer *p = &s->peer[i];
        struct xcf_sysid id = {.incarnation = p->incarnation};
        if (!p->name[0] || p->gone) continue;
        str_copy(id.name, sizeof id.name, p->name);
        if (now >= end || xcf_is_gone(s->g->x, &id)) tell_gone(s, p, now);
    }
    return now >= end ? TIME_NEVER : end;
}

static u64 structure_poll(struct structure *s, u64 now) {
    u64 next;
    if (s->search_at > now) return s->search_at;
    if (s->search_at) {
        s->search_at = 0;
        rebuild_up(s->r, now);
    }
    next = rebuild_poll(s->r, now);
    next = u64_min(next, structure_duplex_poll(s, now));
    next = u64_min(next, structure_percent_poll(s, now));
    if (s->state == STRPATH_READY) {
        peers_poll(s, now, &next);
        return next;
    }
    if (s->lost_at && !rebuild_connection(s->r)) next = u64_min(next, missing(s, now));
    if (s->state == STRPATH_CONNECTING && s->retry_at) {
        if (s->retry_at <= now) structure_rest(s, now);
        else next = u64_min(next, s->retry_at);
    }
    return next;
}

u64 strpaths_poll(struct strpaths *g, u64 now) {
    u64 next = TIME_NEVER;
    if (xcf_stopped(g->x)) return next;
    if (!g->look && now < g->due) return g->due;
    g->look = false;
    for (u32 i = 0; i < g->count && !xcf_stopped(g->x); i++) next = u64_min(next, structure_poll(&g->structure[i], now));
    g->due = next;
    return g->look ? now : next;
}

bool strpaths_stirred(const struct strpaths *g) { return g->look; }

/* ---- life ---- */

struct strpaths *strpaths_create(const struct strpaths_config *c) {
    struct strpaths *g = arena_take(c->arena, sizeof *g, 16);
    if (!g) return NULL;
    memset(g, 0, sizeof *g);
    g->arena = c->arena;
    g->links = c->links;
    g->cfrm = c->cfrm;
    g->x = c->x;
    g->id = c->id;
    g->say = c->say;
    g->ctx = c->ctx;
    g->user = (struct cflink_user){.up = link_up, .down = link_down, .ctx = g};
    cflinks_user(g->links, &g->user);
    return g;
}

static struct rebuild *rebuild_of(struct structure *s) {
    struct rebuild_config c = {.arena = s->g->arena, .vector_bits = 1, .ops = &structure_rebuild_ops, .ctx = s};
    xcfcds_name_put(c.connect + 16, s->name, CF_NAME_BYTES);
    xcfcds_name_put(c.connect + 32, s->g->id.name, CF_NAME_BYTES);
    c.connect[48] = CF_TYPE_LIST;
    c.connect[50] = ELEMENT_CODE;
    c.connect[51] = ELEMENTS_MAX;
    be32_put(c.connect + 52, STRPATH_LISTS);
    be32_put(c.connect + 64, STRUCTURE_KB);
    be16_put(c.connect + 68, ENTRY_SHARE);
    be16_put(c.connect + 70, ELEMENT_SHARE);
    be64_put(c.connect + 80 + STRPATH_INCARNATION_AT, s->g->id.incarnation);
    return rebuild_create(&c);
}

static struct structure *structure_of(struct strpaths *g, const char *name) {
    for (u32 i = 0; i < g->count; i++)
        if (strcmp(g->structure[i].name, name) == 0) return &g->structure[i];
    return NULL;
}

int strpaths_add(struct strpaths *g, const struct couple_path *def, u64 now) {
    struct structure *s = structure_of(g, def->name);
    if (!s) {
        if (g->count == STRPATH_STRUCTURES_MAX) return -ERR_NOMEM;
        s = &g->structure[g->count];
        s->g = g;
        str_copy(s->name, sizeof s->name, def->name);
        s->r = rebuild_of(s);
        if (!s->r || !structure_duplex_create(s)) return -ERR_NOMEM;
        g->count++;
        for (u32 i = 0; i < STRPATH_PEERS; i++) s->peer[i].s = s;
        search_at(s, now);
    }
    s->def[def->outbound] = *def;
    *(def->outbound ? &s->out : &s->in) = true;
    return 0;
}

/* ---- the operator ---- */

int strpaths_rebuild(struct strpaths *g, const char *name, bool start, u64 now) {
    struct structure *s = structure_of(g, name);
    int rc;
    if (!s) return -ERR_NOTCONN;
    if (!start) return rebuild_stop(s->r, now);
    s->by_operator = true;
    rc = rebuild_start(s->r, NULL, now);
    if (rc && rc != -ERR_ALREADY) s->by_operator = false;
    return rc;
}

int strpaths_duplex(struct strpaths *g, const char *name, bool start, bool keep_new, u64 now) {
    struct structure *s = structure_of(g, name);
    const struct cfrm_row *row = cfrm_policy_row(g->cfrm, name);
    int rc;
    if (!s) return -ERR_NOTCONN;
    if (start && row && row->duplex == CFRM_DUPLEX_DISABLED) return -ERR_ACCES;
    s->by_operator = true;
    rc = start ? rebuild_duplex(s->r, now) : rebuild_simplex(s->r, keep_new, now);
    if (rc && rc != -ERR_ALREADY && rc != -ERR_BUSY) s->by_operator = false;
    return rc;
}

bool strpaths_info(const struct strpaths *g, u32 i, struct strpath_info *out) {
    if (i >= g->count) return false;
    const struct structure *s = &g->structure[i];
    *out = (struct strpath_info){.name = s->name, .facility = s->con ? s->facility : "", .state = s->state};
    if (rebuild_second(s->r)) out->second = xes_facility_name(rebuild_second(s->r)->x);
    else if (rebuild_state(s->r) > REBUILD_IN_USE) out->phase = rebuild_state_name(rebuild_state(s->r));
    for (u32 p = 0; p < STRPATH_PEERS; p++) out->partners += s->peer[p].here;
    return true;
}

const struct strpath_counters *strpaths_counters(const struct strpaths *g) { return &g->counters; }
