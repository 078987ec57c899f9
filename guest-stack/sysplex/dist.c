/* dist.c - the life of the distributor and what struct sysplex asks of it. See distributor.h. */
#include "base/str.h"
#include "net/stack.h"
#include "sysplex/dist_impl.h"

/* ---- making ---- */

void distributor_config_default(struct distributor_config *c) {
    *c = (struct distributor_config){
        .rows = 16384,    /* a busy lab; 48 bytes each in the guest */
        .copies = 16384,  /* of a routing stack with as many */
        .ports = 128,     /* of four DVIPAs with all ports a statement takes, or learnt ones */
        .vipas = 64,
        .defs = 256,      /* own and sent ones of each port */
        .affinities = 4096,
        .lpar_weight = 100,
        .report_sec = 60, /* as WLM's figures are polled */
    };
}

static size_t pool_bytes(size_t object, u32 count) {
    return (object + 15) / 16 * 16 * (size_t)count + 32;
}

size_t distributor_bytes(const struct distributor_config *c) {
    return sizeof(struct distributor) + 64 + vcrt_bytes(c->rows) + dist_copy_bytes(c) + vdpt_bytes(c->ports) +
           pool_bytes(sizeof(struct dist_vipa), c->vipas) + hash_bytes(c->vipas) +
           pool_bytes(sizeof(struct dist_def), c->defs) + hash_bytes(c->defs) +
           pool_bytes(sizeof(struct dist_affinity), c->affinities) + hash_bytes(c->affinities) + 64;
}

static void row_freed(void *ctx, struct vcrt_row *row);
static const struct sysplex_part_ops dist_part;

static bool tables_init(struct distributor *d, const struct distributor_config *c) {
    struct arena *a = c->arena;
    return vcrt_init(&d->vcrt, a, c->rows, &d->key) && dist_copy_init(d, a) &&
           vdpt_init(&d->vdpt, a, c->ports, &d->key) &&
           pool_init(&d->vipa_pool, "DIST DVIPAS", a, sizeof(struct dist_vipa), c->vipas) &&
           hash_init(&d->vipas, a, c->vipas) &&
           pool_init(&d->def_pool, "VIPADISTRIBUTE", a, sizeof(struct dist_def), c->defs) &&
           hash_init(&d->defs, a, c->defs) &&
           pool_init(&d->affinity_pool, "AFFINITIES", a, sizeof(struct dist_affinity), c->affinities) &&
           hash_init(&d->affinities, a, c->affinities);
}

struct distributor *distributor_create(const struct distributor_config *c, struct sysplex *sx, u64 now) {
    struct distributor *d = arena_take(c->arena, sizeof *d, 16);
    if (!d) return NULL;
    memset(d, 0, sizeof *d);
    d->cfg = *c;
    d->sx = sx;
    /* Multipliers are odd (net/hash.h). */
    d->key = (struct hash_key){c->seed[0], c->seed[1] | 1, c->seed[2] | 1, c->seed[3] | 1};
    list_init(&d->vipa_list);
    list_init(&d->def_list);
    list_init(&d->affinity_idle);
    if (!tables_init(d, c)) return NULL;
    d->vcrt.freed = row_freed;
    d->vcrt.ctx = d;
    d->notices_at = TIME_NEVER;
    d->age_at = d->next_second = now + USEC_PER_SEC;
    d->next_report = now + (u64)c->report_sec * USEC_PER_SEC;
    d->slot[SLOT_SELF].used = true;
    if (c->idle_us) wlm_init(&d->wlm, c->lpar_weight, c->idle_us(c->idle_ctx), now);
    sysplex_part_add(sx, &dist_part, d);
    return d;
}

/* ---- DVIPAs ---- */

struct dist_vipa *dist_vipa_find(const struct distributor *d, struct ipaddr addr) {
    for (struct hash_row *r = *hash_head(&d->vipas, hash1(&d->key, addr.v4)); r; r = r->next) {
        struct dist_vipa *v = (struct dist_vipa *)(void *)r;
        if (ipaddr_eq(v->addr, addr)) return v;
    }
    return NULL;
}

struct dist_vipa *dist_vipa_get(struct distributor *d, struct ipaddr addr) {
    struct dist_vipa *v = dist_vipa_find(d, addr);
    if (v) return v;
    v = pool_get(&d->vipa_pool);
    if (!v) {
        d->count.vipas_full++;
        return NULL;
    }
    *v = (struct dist_vipa){.addr = addr};
    hash_add(&d->vipas, hash1(&d->key, addr.v4), &v->hash);
    list_push_back(&d->vipa_list, &v->node);
    return v;
}

void dist_vipa_del(struct distributor *d, struct dist_vipa *v) {
    dist_copy_forget(d, v, VDPT_NOBODY);
    hash_del(&d->vipas, hash1(&d->key, v->addr.v4), &v->hash);
    list_del(&v->node);
    pool_put(&d->vipa_pool, v);
}

/* ---- messages ---- */

int dist_send(struct distributor *d, const struct sysplex_peer *to, enum distmsg_kind kind, u32 len, u64 now) {
    int rc = sysplex_send(d->sx, to, (u8)kind, d->out, len, now);
    return rc == -ERR_NOENT ? 0 : rc;
}

static void on_message(void *ctx, struct sysplex_peer *from, u8 kind, const u8 *data, u32 len, u64 now) {
    struct distributor *d = ctx;
    if (kind != DISTMSG_CONNS && kind != DISTMSG_COPY) sysplex_poll_by(d->sx, 0);
    switch (kind) {
    case DISTMSG_CONFIG: dist_config_in(d, from, data, len, now); break;
    case DISTMSG_LISTENERS: dist_listeners_in(d, from, data, len, now); break;
    case DISTMSG_CONNS: dist_conns_in(d, from, data, len, now); break;
    case DISTMSG_REPORT: dist_report_in(d, from, data, len, now); break;
    case DISTMSG_PORTS: dist_ports_in(d, from, data, len, now); break;
    case DISTMSG_COPY: dist_copy_in(d, from, data, len, now); break;
    default: d->count.drop_form++; break;
    }
}

/* A row is about to go: the VDPT and affinities count it no more. */
static void row_freed(void *ctx, struct vcrt_row *row) {
    struct distributor *d = ctx;
    struct vdpt_port *p = vdpt_at(&d->vdpt, row->port);
    if (row->flags & VCRT_COPIED) dist_copy_note(d, row, false, (u64)row->used << VCRT_TICK_SHIFT);
    if (p) vdpt_count(p, row->target, false);
    /* Its affinity waits from the tick of its last use, which is never too long. Its port may be gone. */
    dist_affinity_closed(d, p ? p->affinity_sec : 0, row, (u64)row->used << VCRT_TICK_SHIFT);
}

/* ---- the group ---- */

static void on_tell(void *ctx, struct sysplex_peer *to, u64 now) {
    struct distributor *d = ctx;
    LIST_FOR_EACH(n, &d->vipa_list) {
        struct dist_vipa *v = LIST_ENTRY(n, struct dist_vipa, node);
        if (!v->routing) continue;
        /* If there is no room for it now, all hear it again at the next poll. */
        if (dist_config_send(d, v, to, now) < 0) dist_due(d, &v->config_due);
        v->said_all = false; /* it may have copies of a former owner's rows, and has not heard that they are over */
    }
}

static void on_dvipa_changed(void *ctx, const struct sysplex_dvipa *s, u64 now) {
    struct distributor *d = ctx;
    struct dist_vipa *v = dist_vipa_find(d, s->addr);
    if (!v) return;
    v->mask = s->mask;
    v->mine = s->active_here;
    if (s->active_here) {
        if (!v->routing || v->epoch != s->epoch) dist_start_routing(d, v, s->epoch, now);
        return;
    }
    if (v->routing) dist_stop_routing(d, v, now);
    /* A peer that owns it says CONFIG itself; until then it is only known who it is. */
    v->owner = s->owned && s->owner ? sysplex_peer_at(d->sx, s->owner->index) : NULL;
    if (v->owner) v->gave = false;
    dist_role(d, v, now);
}

static void listeners_changed(struct distributor *d) {
    LIST_FOR_EACH(n, &d->vipa_list) {
        struct dist_vipa *v = LIST_ENTRY(n, struct dist_vipa, node);
        dist_due(d, &v->listeners_due);
    }
}

/* From now on it takes connections (dist_listeners_send()), and programs may begin some. */
static void on_in_sync(void *ctx, u64 now) {
    struct distributor *d = ctx;
    LIST_FOR_EACH(n, &d->vipa_list) dist_role(d, LIST_ENTRY(n, struct dist_vipa, node), now);
    listeners_changed(d);
}

static void on_left(void *ctx, u64 now) {
    struct distributor *d = ctx;
    LIST_FOR_EACH_SAFE(n, next, &d->vipa_list) {
        struct dist_vipa *v = LIST_ENTRY(n, struct dist_vipa, node);
        if (v->routing) dist_stop_routing(d, v, now);
        v->owner = NULL;
        v->config_of = NULL;
        v->gave = v->mine = false;
        v->plain_sec = 0;
        v->epoch = 0;
        v->config_due = v->lists_due = v->listeners_due = v->held_due = v->want_due = false;
        v->blocks = v->ports_out = 0; /* with the group goes the DVIPA, and with it whoever had a port of it */
        dist_forget_learnt(d, v->addr);
        dist_copy_forget(d, v, VDPT_NOBODY);
        dist_role(d, v, now);
        if (!dist_has_defs(d, v->addr, true)) dist_vipa_del(d, v);
    }
    d->notices = 0;
    d->notices_at = TIME_NEVER;
}

static bool on_connection_there(void *ctx, struct sysplex_peer *at, const struct tcp_key *key, u64 now) {
    struct distributor *d = ctx;
    struct dist_vipa *v = dist_vipa_find(d, key->local);
    u32 slot = dist_slot_of(d, at);
    if (!v || slot == VDPT_NOBODY) return false;
    struct vcrt_key k = {key->local, key->foreign, key->local_port, key->foreign_port};
    return dist_row_opened(d, v, slot, &k, 0, VCRT_MOVED, now);
}

static bool on_give(void *ctx, struct ipaddr addr, struct sysplex_peer *to, u64 now) {
    struct distributor *d = ctx;
    const struct dist_vipa *v = dist_vipa_find(d, addr);
    return !v || !v->gave || dist_copy_give(d, v, to, now);
}

static void on_connection_ended(void *ctx, struct sysplex_peer *at, const struct tcp_key *key, u64 now) {
    struct distributor *d = ctx;
    u32 slot = dist_slot_of(d, at);
    struct vcrt_key k = {key->local, key->foreign, key->local_port, key->foreign_port};
    if (slot != VDPT_NOBODY && dist_vipa_find(d, key->local)) dist_row_ended(d, slot, &k, 0, now);
}

static bool on_distributes(void *ctx, struct ipaddr addr) {
    const struct dist_vipa *v = dist_vipa_find(ctx, addr);
    return v && (v->routing || v->target);
}

/* ---- time ---- */

/* What could not be said, or is due since the last poll. A DVIPA whose message finds no room keeps its mark. */
static void do_due(struct distributor *d, u64 now) {
    d->work_due = false;
    LIST_FOR_EACH(n, &d->vipa_list) {
        struct dist_vipa *v = LIST_ENTRY(n, struct dist_vipa, node);
        if (v->config_due && (!v->routing || dist_config_send(d, v, NULL, now) == 0)) v->config_due = false;
        /* Who may be next hears at once what there is to know: the second is not waited for. */
        if (v->routing && !v->config_due) dist_copy_heirs(d, v, now);
        if (v->lists_due && dist_lists_send(d, v, now) == 0) v->lists_due = false;
        if (v->held_due && dist_ports_held(d, v, now) == 0) v->held_due = false;
        bool first = v->lists_due || v->held_due; /* listeners are the end of an answer */
        if (v->listeners_due && !first && dist_listeners_send(d, v, now) == 0) v->listeners_due = false;
        if (v->want_due && dist_ports_want(d, v, now) == 0) v->want_due = false;
        d->work_due |= v->config_due || v->lists_due || v->listeners_due || v->held_due || v->want_due;
    }
}

static void each_second(struct distributor *d, u64 now) {
    dist_affinity_age(d, now);
    LIST_FOR_EACH_SAFE(n, next, &d->vipa_list) {
        struct dist_vipa *v = LIST_ENTRY(n, struct dist_vipa, node);
        if (v->awaiting && now >= v->awaiting_until) v->awaiting = 0;
        if (v->routing && !v->config_due) dist_copy_heirs(d, v, now);
        dist_copy_plain(d, v, now);
        dist_ports_second(d, v, now);
        /* A target that is one no more keeps the address until its last connection has ended. */
        if (v->hidden && !v->target) dist_role(d, v, now);
        bool telling = v->mine && d->copies.rows_of[VCRT_LOST];
        bool idle = !v->routing && !v->hidden && !v->owner && !telling && !dist_has_defs(d, v->addr, true);
        if (idle && !dist_has_defs(d, v->addr, false)) dist_vipa_del(d, v);
    }
}

static u64 on_poll(void *ctx, u64 now) {
    struct distributor *d = ctx;
    dist_reach(d);
    if (d->work_due) do_due(d, now);
    if (d->notices && now >= d->notices_at) dist_notices_flush(d, now);
    if (now >= d->age_at) d->age_at = now + (dist_age(d, now) ? DIST_AGE_US : USEC_PER_SEC);
    if (now >= d->next_second) {
        each_second(d, now);
        d->next_second = now + USEC_PER_SEC;
    }
    if (now >= d->next_report) {
        dist_report(d, now);
        dist_ports_rest(d);
        d->next_report = now + (u64)d->cfg.report_sec * USEC_PER_SEC;
    }
    /* An idle system is not woken each second for tables that are empty. */
    bool busy = vcrt_rows(&d->vcrt) || d->affinities.rows || d->work_due || !list_empty(&d->vipa_list);
    u64 next = busy ? u64_min(d->next_second, d->next_report) : d->next_report;
    if (vcrt_rows(&d->vcrt)) next = u64_min(next, d->age_at);
    if (d->work_due) next = u64_min(next, now + 10 * USEC_PER_MSEC);
    return u64_min(u64_min(next, d->notices_at), dist_copy_poll(d, now));
}

static const struct sysplex_part_ops dist_part = {
    .name = "DISTRIBUTOR",
    .kind_first = DISTMSG_CONFIG,
    .kind_last = DISTMSG_LAST,
    .says_due = true,
    .message = on_message,
    .in_sync = on_in_sync,
    .left = on_left,
    .tell = on_tell,
    .peer_up = dist_peer_up,
    .peer_down = dist_peer_down,
    .poll = on_poll,
    .routed = dist_routed,
    .packet = dist_packet,
    .conn_opened = dist_conn_opened,
    .conn_closed = dist_conn_closed,
    .half_open_ended = dist_half_open_ended,
    .listener = dist_listener,
    .dvipa_changed = on_dvipa_changed,
    .connection_there = on_connection_there,
    .give = on_give,
    .connection_ended = on_connection_ended,
    .distributes = on_distributes,
    .ephemeral = dist_ephemeral,
};

/* ---- displays ---- */

const struct vdpt *distributor_vdpt(const struct distributor *d) {
    return &d->vdpt;
}
const struct vcrt *distributor_vcrt(const struct distributor *d) {
    return &d->vcrt;
}
struct ipaddr distributor_slot_addr(const struct distributor *d, u32 slot) {
    CHECK(slot < DIST_TARGETS_MAX);
    return slot == SLOT_SELF ? sysplex_dynxcf(d->sx) : d->slot[slot].dynxcf;
}
bool distributor_routes(const struct distributor *d, struct ipaddr addr) {
    const struct dist_vipa *v = dist_vipa_find(d, addr);
    return v && v->routing;
}
bool distributor_serves(const struct distributor *d, struct ipaddr addr) {
    const struct dist_vipa *v = dist_vipa_find(d, addr);
    return v && v->target;
}
const struct dist_counters *distributor_counters(const struct distributor *d) {
    return &d->count;
}

const char *distributor_counter(const struct distributor *d, u32 i, u32 *value) {
#define C(name) #name,
    static const char *const names[] = {DIST_COUNTERS(C)};
#undef C
    if (i >= ARRAY_LEN(names)) return NULL;
    *value = ((const u32 *)(const void *)&d->count)[i];
    return names[i];
}

void distributor_set_policy(struct distributor *d, dist_policy_fn *fn, void *ctx) {
    d->policy = fn;
    d->policy_ctx = ctx;
}

u32 distributor_slot(const struct distributor *d, struct ipaddr dynxcf) {
    if (ipaddr_eq(dynxcf, sysplex_dynxcf(d->sx)) && !ipaddr_is_any(dynxcf)) return SLOT_SELF;
    for (u32 i = 1; i < DIST_TARGETS_MAX; i++)
        if (d->slot[i].used && d->slot[i].peer && ipaddr_eq(d->slot[i].dynxcf, dynxcf)) return i;
    return VDPT_NOBODY;
}

/* ---- QUIESCE and RESUME ---- */

static bool quiesce_eq(const struct dist_quiesce *a, const struct dist_quiesce *b) {
    return a->target == b->target && a->port == b->port && strcmp(a->jobname, b->jobname) == 0 && a->asid == b->asid;
}

int distributor_quiesce(struct distributor *d, const struct dist_quiesce *q, u64 now) {
    UNUSED(now);
    for (u32 i = 0; i < d->quiesces; i++)
        if (quiesce_eq(&d->quiesce[i], q)) return -ERR_ALREADY;
    if (d->quiesces == DIST_QUIESCES_MAX) return -ERR_NOMEM;
    d->quiesce[d->quiesces++] = *q;
    listeners_changed(d);
    return 0;
}

int distributor_resume(struct distributor *d, const struct dist_quiesce *q, u64 now) {
    UNUSED(now);
    for (u32 i = 0; i < d->quiesces; i++) {
        if (!quiesce_eq(&d->quiesce[i], q)) continue;
        d->quiesce[i] = d->quiesce[--d->quiesces];
        listeners_changed(d);
        return 0;
    }
    return -ERR_NOENT;
}

void distributor_job_ended(struct distributor *d, const char *jobname) {
    u32 kept = 0;
    for (u32 i = 0; i < d->quiesces; i++)
        if (!d->quiesce[i].asid || strcmp(d->quiesce[i].jobname, jobname) != 0) d->quiesce[kept++] = d->quiesce[i];
    if (kept == d->quiesces) return;
    d->quiesces = kept;
    listeners_changed(d);
}
