/* simdist.c - the distributor on simulated systems: systems, clients and programs, and what may happen to their sessions. See simdist.h. */
#include <stdlib.h>

#include "sysplex/viparoute.h"
#include "tests/sim/simdist_impl.h"

#define HELD_BYTES  100000u /* more than windows and buffers hold */
#define NOBODYS     UINT32_MAX

/* ---- making ---- */

static void sizes(const struct simdist_params *par, struct distributor_config *c) {
    distributor_config_default(c);
    c->rows = par->rows ? par->rows : 4096;
    c->ports = 16, c->vipas = 4, c->defs = 32, c->affinities = 256;
    c->report_sec = 10;
    for (u32 i = 0; i < 4; i++) c->seed[i] = (u32)(par->seed * 0x9E3779B9u + i * 0x85EBCA6Bu);
}

/* As the Policy Agent answers: a rule for some clients, whose action lists the systems of even number. */
static void policy(void *ctx, const struct vcrt_key *k, struct dist_policy *out, u64 now) {
    struct simdist *s = ((const struct asked *)ctx)->s;
    const struct distributor *d = s->d[((const struct asked *)ctx)->system];
    UNUSED(now);
    if (k->cport % 4) return;
    *out = (struct dist_policy){.else_any = s->par.policy == SIMDIST_EVEN_FIRST, .rule = 1};
    for (u32 i = 0; i < s->par.systems; i += 2) {
        u32 slot = distributor_slot(d, DYNXCF(i));
        if (slot != VDPT_NOBODY) out->allowed |= 1u << slot;
    }
}

static void add_part(void *ctx, u32 i, struct sysplex *sx, struct arena *a) {
    struct simdist *s = ctx;
    struct distributor_config c;
    sizes(&s->par, &c);
    c.arena = a;
    s->d[i] = distributor_create(&c, sx, 0);
    s->owner_of_d[i] = sx;
    CHECK(s->d[i]);
    if (s->par.policy) s->asked[i] = (struct asked){s, i}, distributor_set_policy(s->d[i], policy, &s->asked[i]);
}

static void profile(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    struct simdist *s = ctx;
    struct dist_statement st = {.dvipa = SIMDIST_VIP, .ports = 1, .port = {SIMPLEX_PORT}};
    st.options.method = (u8)s->par.method;
    st.options.affinity_sec = s->par.affinity_sec;
    st.options.sysplexports = true;
    if (i == 0)
        CHECK(dvipa_define(sx, SIMDIST_VIP, ipaddr_v4(0xFFFFFF00), DVIPA_IMMEDIATE, now) == 0);
    else
        CHECK(dvipa_backup(sx, SIMDIST_VIP, (u8)(250 - i), ipaddr_v4(0xFFFFFF00), DVIPA_IMMEDIATE, now) == 0);
    for (u32 k = 0; s->par.gre && k < s->par.systems; k++)
        if (k != i) CHECK(viparoute_define(sx, DYNXCF(k), ipaddr_v4(0x0A000001 + k)) == 0);
    struct device *iqd = device_find(sysplex_stack(sx), "IUTIQDIO");
    if (iqd) iqd->lnk->mac[5] = IQD_LAN;
    if (i == 0 || (i == 1 && s->par.backup_has_own)) CHECK(distributor_define(s->d[i], &st, now) == 0);
}

static void reset_seen(void *ctx, u32 system, u32 client, u16 port);

struct simdist *simdist_create(const struct simdist_params *par) {
    struct simdist *s = calloc(1, sizeof *s);
    struct distributor_config c;
    CHECK(s);
    s->par = *par;
    sizes(par, &c);
    struct simplex_params pp = {.seed = par->seed, .systems = par->systems, .drift_ppm = 200, .profile = profile, .ctx = s,
                                .parts = add_part, .parts_bytes = distributor_bytes(&c), .loss_permille = par->loss_permille,
                                .dvipas = 8, .many = par->many, .iqd_device = par->iqd ? 0xE40 : 0, .iqd_systems = par->systems,
                                .clients_serve = par->calls, .reset = reset_seen};
    s->p = simplex_create(&pp);
    return s;
}

void simdist_destroy(struct simdist *s) {
    simplex_destroy(s->p);
    free(s);
}
struct simplex *simdist_plex(struct simdist *s) { return s->p; }
struct distributor *simdist_distributor(struct simdist *s, u32 i) {
    const struct node *n = &s->p->node[i];
    return simplex_runs(n) && n->sx && s->owner_of_d[i] == n->sx ? s->d[i] : NULL;
}
u32 simdist_open(const struct simdist *s) { return s->open; }

void simdist_harmed(struct simdist *s, u32 i) { s->harmed_at[i] = simxcf_now(s->p->x); }

/* ---- sessions ---- */

/* A place for a session that is watched; NOBODYS: there is none. */
static u32 place(struct simdist *s) {
    for (u32 n = 0; n < WATCHED_MAX; n++) {
        u32 i = s->watched_last = (s->watched_last + 1) % WATCHED_MAX;
        if (!s->watched[i]) return i;
    }
    return NOBODYS;
}

static void watch_from_now(struct simdist *s, u32 i, struct simplex_session *e) {
    s->watched[i] = e;
    s->watched_top = u32_max(s->watched_top, i + 1);
    s->port[i] = e->s ? e->s->key.local_port : 0;
    s->life[i] = e->node < s->par.systems ? s->p->node[e->node].stack_incarnation : 0;
    s->server[i] = -1;
    s->open++;
    s->resume_at[i] = 0;
    /* Some readers take long: they stop reading, and their connections live through several faults. */
    if (e->bytes <= HELD_BYTES) return;
    e->paused = true;
    s->resume_at[i] = e->began + simplex_random(s->p, 30 * USEC_PER_SEC);
}

struct simplex_session *simdist_fetch(struct simdist *s, u32 bytes) {
    u32 i = place(s);
    struct simplex_session *e = i == NOBODYS ? NULL : simplex_fetch(s->p, i % SIMPLEX_CLIENTS, SIMDIST_VIP, bytes);
    if (e) watch_from_now(s, i, e);
    return e;
}

void simdist_call(struct simdist *s, u32 i) {
    const struct distributor *d = simdist_distributor(s, i);
    const struct dist_vipa *v = d ? dist_vipa_find(d, SIMDIST_VIP) : NULL;
    u32 at = place(s);
    if (!v || !v->sysplexports || at == NOBODYS || !home_find(s->p->node[i].stk, SIMDIST_VIP)) return;
    struct simplex_session *e = simplex_call(s->p, i, SIMDIST_VIP, simplex_random(s->p, 3) ? 2000 : 200000);
    if (!e) return;
    s->r.calls++;
    watch_from_now(s, at, e);
}

/* Did something come or go while the session lived, or when its first packet may have been under way? */
static bool something_turned(const struct simdist *s, const struct simplex_session *e) {
    for (u32 i = 0; i < s->par.systems; i++)
        if (s->turned_at[i] + LEARNING_US >= e->began) return true;
    return s->plain_at >= e->began;
}

/* Of watched session i; -1 nobody has had it. */
static i32 server_of(const struct simdist *s, u32 i) {
    return s->watched[i]->server >= 0 ? s->watched[i]->server : s->server[i];
}

bool simdist_was_harmed(const struct simdist *s, u32 i) {
    const struct simplex_session *e = s->watched[i];
    i32 server = server_of(s, i);
    bool called = e->node < s->par.systems;
    if (called && s->harmed_at[e->node] >= e->began) return true;
    /* While nobody routes, or whoever owns the address does not know of the distribution, a call cannot be answered. */
    if (called) return server < 0 && e->err != ERR_CONNREFUSED && something_turned(s, e);
    if (server >= 0) return s->harmed_at[server] >= e->began;
    return something_turned(s, e); /* who would have served it is not known */
}

/* No owner need know of a listener that may serve this client: nobody is ready for it. */
static bool nobody_serves(const struct simdist *s, u32 w) {
    const struct simplex_session *e = s->watched[w];
    bool even = s->par.policy == SIMDIST_EVEN_ONLY && s->port[w] % 4 == 0;
    if (e->node < s->par.systems || server_of(s, w) >= 0) return false;
    for (u32 i = 0; i < s->par.systems; i += even ? 2 : 1)
        if (s->unheard_at[i] + LEARNING_US < e->began) return false;
    return true;
}

static void judge(struct simdist *s, u32 i) {
    const struct simplex_session *e = s->watched[i];
    i32 server = server_of(s, i);
    s->r.sessions++;
    if (s->par.policy == SIMDIST_EVEN_ONLY && e->node >= s->par.systems && s->port[i] % 4 == 0 && server % 2 > 0 && s->plain_at < e->began)
        simplex_fail(s->p, "policy: system %d served port %u", server, s->port[i]);
    if (!e->failed) {
        s->r.whole++;
        return;
    }
    if (simdist_was_harmed(s, i) || nobody_serves(s, i)) {
        s->r.harmed++;
        return;
    }
    bool called = e->node < s->par.systems;
    simplex_fail(s->p, "lived: a session %s system %d from port %u began at %llu us, got %u of %u bytes and ended with error %d", called ? "begun by" : "of",
                 called ? (i32)e->node : server, s->port[i], (unsigned long long)e->began, e->got, e->bytes, e->err);
}

/* A DVIPA that is DEACTIVATED when nobody can take it goes down with its connections. */
static bool deactivated_alone(struct simdist *s, u32 i) {
    const struct dvipa *v = dvipa_find(s->p->node[i].sx, SIMDIST_VIP);
    return v && v->deactivated && simplex_owner(s->p, SIMDIST_VIP) < 0;
}

/* There is a stack with whatever it had; it may stand still. */
static bool runs_or_stands(const struct simdist *s, u32 i) {
    const struct node *n = &s->p->node[i];
    const struct sim_sys *y = &s->p->x->sys[i];
    return n->stk && n->sx && y->up && !y->waiting && y->life == n->life;
}

/* Does the stack whose program session i is still have its socket? */
static bool same_stack(const struct simdist *s, u32 i) {
    const struct node *n = &s->p->node[s->watched[i]->node];
    return runs_or_stands(s, n->index) && n->stack_incarnation == s->life[i];
}

/* Blocks between two systems arrive, on each path and both ways. */
static bool joined(struct simdist *s, u32 a, u32 b) {
    for (u32 k = 0; k < SIMXCF_PATHS; k++)
        if (sim_wire_at(s->p->x, a, b, k)->wire != SIMXCF_OK || sim_wire_at(s->p->x, b, a, k)->wire != SIMXCF_OK) return false;
    return true;
}

/* A client that does not read does not know who serves it. */
static void look_for_server(struct simdist *s, u32 w) {
    struct tcp_key k = {SIMDIST_VIP, ipaddr_v4(SIMPLEX_CLIENT_0 + s->watched[w]->node - s->par.systems), SIMPLEX_PORT, s->port[w]};
    if (s->watched[w]->node < s->par.systems) return;
    for (u32 i = 0; i < s->par.systems; i++)
        if (runs_or_stands(s, i) && tcp_find(s->p->node[i].stk, &k)) s->server[w] = (i32)i;
}

/* Standing still for less than XCF's interval harms nobody. */
static bool is_harmed(struct simdist *s, u32 i) {
    const struct node *n = &s->p->node[i];
    const struct sim_sys *y = &s->p->x->sys[i];
    if (!runs_or_stands(s, i) || simxcf_isolated(s->p->x, i)) return true;
    if (y->paused && simxcf_now(s->p->x) - y->paused_at > SIM_STILL_US) return true;
    return n->sx->state == SYSPLEX_OUT || deactivated_alone(s, i);
}

/* Does i take connections as the owner of an address that nobody distributes? It has heard of no VIPADISTRIBUTE; and what it gives away it
 * serves until the next owner is known. */
static bool is_plain(struct simdist *s, u32 i) {
    enum dvipa_status status = simplex_status(s->p, i, SIMDIST_VIP);
    const struct distributor *d = simdist_distributor(s, i);
    if (!d || simxcf_isolated(s->p->x, i)) return false;
    if (status == DVIPA_MOVING) return !dist_vipa_find(d, SIMDIST_VIP);
    return status == DVIPA_ACTIVE && !distributor_routes(d, SIMDIST_VIP);
}

/* A client's connection whose server lives is never reset, not even in vain: only chance saves a client that is being sent to. */
static void reset_seen(void *ctx, u32 system, u32 client, u16 port) {
    struct simdist *s = ctx;
    for (u32 i = 0; i < s->watched_top; i++) {
        const struct simplex_session *e = s->watched[i];
        if (!e || e->node != client || s->port[i] != port || e->ended || server_of(s, i) < 0) continue;
        if (simdist_was_harmed(s, i) || is_harmed(s, (u32)server_of(s, i))) continue;
        simplex_fail(s->p, "reset: system %u resets port %u, which system %d serves", system, port, server_of(s, i));
    }
}

static void watch(struct simdist *s) {
    i32 owner = simplex_owner(s->p, SIMDIST_VIP);
    for (u32 i = 0; i < s->par.systems; i++) {
        if (is_plain(s, i)) s->plain_at = simxcf_now(s->p->x);
        bool bad = is_harmed(s, i), ready = !bad && !s->deaf[i] && simplex_runs(&s->p->node[i]);
        if (bad) simdist_harmed(s, i);
        /* The owner cannot know yet that it does not listen any more, and SYNs may reach it on another way. */
        bool untold = s->deaf[i] && owner >= 0 && (u32)owner != i && !joined(s, (u32)owner, i);
        if (bad != s->bad[i] || untold) s->turned_at[i] = simxcf_now(s->p->x);
        s->bad[i] = bad;
        bool heard = ready && owner >= 0 && s->p->node[i].sx->state == SYSPLEX_IN_SYNC && ((u32)owner == i || joined(s, (u32)owner, i));
        if (!heard) s->unheard_at[i] = simxcf_now(s->p->x);
    }
    while (s->watched_top && !s->watched[s->watched_top - 1]) s->watched_top--;
    for (u32 i = 0; i < s->watched_top; i++) {
        struct simplex_session *e = s->watched[i];
        if (e && !e->ended && s->life[i] && !same_stack(s, i)) simplex_session_lost(e);
        if (e && s->resume_at[i] && simxcf_now(s->p->x) >= s->resume_at[i]) s->resume_at[i] = 0, simplex_resume(e);
        if (e && server_of(s, i) < 0) look_for_server(s, i);
        if (!e || !e->ended) continue;
        judge(s, i);
        simplex_forget(e);
        s->watched[i] = NULL;
        s->open--;
    }
}

void simdist_run(struct simdist *s, u64 us) {
    for (u64 end = simxcf_now(s->p->x) + us; simxcf_now(s->p->x) < end;) {
        simplex_run(s->p, u64_min(10 * USEC_PER_MSEC, end - simxcf_now(s->p->x)));
        watch(s);
    }
}
