/* simdist.c - the distributor on simulated systems, under faults. See simdist.h. */
#include "tests/sim/simdist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tcp_impl.h"
#include "sysplex/dist_impl.h"
#include "sysplex/viparoute.h"
#include "tests/sim/simplex_impl.h"

#define WATCHED_MAX 32768
#define MANY        10000 /* sessions from which on few are long, and tables are large */
#define HELD_BYTES  100000u /* more than windows and buffers hold */
#define IQD_LAN     0x51
#define DYNXCF(i)   ipaddr_v4(0xC109C801u + (i))
#define STUCK_US    (1500 * USEC_PER_MSEC) /* longer than a planned change of owner takes, and than a client's first patience */
#define LEARNING_US USEC_PER_SEC /* the owner knows the listener of a system that is in sync by then */
#define NOBODYS     UINT32_MAX
#define BOUND_MAX   96u /* sockets of each system at a time: two blocks of ports */
#define MANY_FAULT_US (USEC_PER_SEC / 4)
#define STEP_US     (100 * USEC_PER_MSEC)
#define FAULTS_US   (90 * (u64)USEC_PER_SEC)
#define SETTLE_US   (180 * (u64)USEC_PER_SEC)
#define DRAIN_US    (150 * (u64)USEC_PER_SEC) /* beyond the longest retransmission time-out */

/* Whose distributor asks the policy. */
struct asked {
    struct simdist *s;
    u32 system;
};

/* A program's socket, bound to the DVIPA and a port of SYSPLEXPORTS, as long as its stack and that one's membership last. */
struct bound {
    struct sock *s; /* NULL: none */
    u64 incarnation;
    u32 epoch;
    u64 made_at;
    u16 port;
};

struct simdist {
    struct simdist_params par;
    struct simplex *p;
    struct distributor *d[XCF_SYSTEMS_MAX];
    void *owner_of_d[XCF_SYSTEMS_MAX]; /* the struct sysplex that d belongs to */
    u64 harmed_at[XCF_SYSTEMS_MAX];
    u64 unheard_at[XCF_SYSTEMS_MAX]; /* when it last was harmed or not in sync, or could not exchange messages with the owner */
    bool harm[XCF_SYSTEMS_MAX]; /* and goes on */
    struct simplex_session *watched[WATCHED_MAX];
    u16 port[WATCHED_MAX];      /* of the client */
    u64 life[WATCHED_MAX];      /* of the stack whose program it is; 0 a client's */
    struct asked asked[XCF_SYSTEMS_MAX];
    struct bound bound[XCF_SYSTEMS_MAX][BOUND_MAX];
    u8 port_of[65536]; /* system + 1 */
    u64 plain_at; /* when an owner last had no VIPADISTRIBUTE: a backup that came up alone, and serves by itself */
    u64 resume_at[WATCHED_MAX]; /* when a client that stands still reads on; 0 it does not stand still */
    u32 open, watched_top, watched_last; /* none is watched from top on; last: the place taken last */
    struct simdist_result r;
};

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

struct simdist *simdist_create(const struct simdist_params *par) {
    struct simdist *s = calloc(1, sizeof *s);
    struct distributor_config c;
    CHECK(s);
    s->par = *par;
    sizes(par, &c);
    struct simplex_params pp = {.seed = par->seed, .systems = par->systems, .drift_ppm = 200, .profile = profile, .ctx = s,
                                .parts = add_part, .parts_bytes = distributor_bytes(&c), .loss_permille = par->loss_permille,
                                .dvipas = 8, .many = par->many, .iqd_device = par->iqd ? 0xE40 : 0, .iqd_systems = par->systems,
                                .clients_serve = par->calls};
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

/* As FTP's server opens its data connection: a program of system i, from the DVIPA and a port that nobody else has. */
static void call(struct simdist *s, u32 i) {
    const struct distributor *d = simdist_distributor(s, i);
    const struct dist_vipa *v = d ? dist_vipa_find(d, SIMDIST_VIP) : NULL;
    u32 at = place(s);
    if (!v || !v->sysplexports || at == NOBODYS || !home_find(s->p->node[i].stk, SIMDIST_VIP)) return;
    struct simplex_session *e = simplex_call(s->p, i, SIMDIST_VIP, simplex_random(s->p, 3) ? 2000 : 200000);
    if (!e) return;
    s->r.calls++;
    watch_from_now(s, at, e);
}

static bool was_harmed(const struct simdist *s, const struct simplex_session *e) {
    bool called = e->node < s->par.systems;
    if (called && s->harmed_at[e->node] >= e->began) return true;
    if (called && e->server >= 0) return false;
    if (e->server >= 0) return s->harmed_at[e->server] >= e->began;
    /* Who would have served it is not known: any harm excuses it. */
    for (u32 i = 0; i < s->par.systems; i++)
        if (s->harmed_at[i] >= e->began) return true;
    return false;
}

/* The rule lets systems of even number serve this client, and no owner need know of a listener of theirs: nobody is ready for it. */
static bool nobody_allowed(const struct simdist *s, const struct simplex_session *e, u16 port) {
    if (s->par.policy != SIMDIST_EVEN_ONLY || e->node < s->par.systems || port % 4 || e->server >= 0 || e->err != ERR_CONNREFUSED) return false;
    for (u32 i = 0; i < s->par.systems; i += 2)
        if (s->unheard_at[i] + LEARNING_US < e->began) return false;
    return true;
}

static void judge(struct simdist *s, const struct simplex_session *e, u16 port) {
    s->r.sessions++;
    if (s->par.policy == SIMDIST_EVEN_ONLY && e->node >= s->par.systems && port % 4 == 0 && e->server % 2 > 0 && s->plain_at < e->began)
        simplex_fail(s->p, "policy: system %d served port %u", e->server, port);
    if (!e->failed) {
        s->r.whole++;
        return;
    }
    if (was_harmed(s, e) || nobody_allowed(s, e, port)) {
        s->r.harmed++;
        return;
    }
    bool called = e->node < s->par.systems;
    simplex_fail(s->p, "lived: a session %s system %d began at %llu us, got %u of %u bytes and ended with error %d", called ? "begun by" : "of",
                 called ? (i32)e->node : e->server, (unsigned long long)e->began, e->got, e->bytes, e->err);
}

/* A DVIPA that is DEACTIVATED when nobody can take it goes down with its connections. */
static bool deactivated_alone(struct simdist *s, u32 i) {
    const struct dvipa *v = s->p->node[i].sx ? dvipa_find(s->p->node[i].sx, SIMDIST_VIP) : NULL;
    bool all = true;
    for (u32 k = 0; k < s->par.systems; k++) all &= simplex_runs(&s->p->node[k]) && simdist_distributor(s, k);
    return v && v->deactivated && !all;
}

/* Does the stack whose program session i is still have its socket? One that stands still has. */
static bool same_stack(const struct simdist *s, u32 i) {
    const struct node *n = &s->p->node[s->watched[i]->node];
    const struct sim_sys *y = &s->p->x->sys[n->index];
    return n->stk && y->up && !y->waiting && y->life == n->life && n->stack_incarnation == s->life[i];
}

/* Blocks between two systems arrive, on each path and both ways. */
static bool joined(struct simdist *s, u32 a, u32 b) {
    for (u32 k = 0; k < SIMXCF_PATHS; k++)
        if (sim_wire_at(s->p->x, a, b, k)->wire != SIMXCF_OK || sim_wire_at(s->p->x, b, a, k)->wire != SIMXCF_OK) return false;
    return true;
}

static void watch(struct simdist *s) {
    i32 owner = simplex_owner(s->p, SIMDIST_VIP);
    if (owner >= 0 && !distributor_routes(s->d[owner], SIMDIST_VIP)) s->plain_at = simxcf_now(s->p->x);
    for (u32 i = 0; i < s->par.systems; i++) {
        bool bad = !simplex_runs(&s->p->node[i]) || simxcf_isolated(s->p->x, i) || !s->p->node[i].sx ||
                   s->p->node[i].sx->state == SYSPLEX_OUT || deactivated_alone(s, i);
        if (bad) simdist_harmed(s, i);
        bool heard = !bad && owner >= 0 && s->p->node[i].sx->state == SYSPLEX_IN_SYNC && ((u32)owner == i || joined(s, (u32)owner, i));
        if (!heard) s->unheard_at[i] = simxcf_now(s->p->x);
    }
    while (s->watched_top && !s->watched[s->watched_top - 1]) s->watched_top--;
    for (u32 i = 0; i < s->watched_top; i++) {
        struct simplex_session *e = s->watched[i];
        if (e && !e->ended && s->life[i] && !same_stack(s, i)) simplex_session_lost(e);
        if (e && s->resume_at[i] && simxcf_now(s->p->x) >= s->resume_at[i]) s->resume_at[i] = 0, simplex_resume(e);
        if (!e || !e->ended) continue;
        judge(s, e, s->port[i]);
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

/* ---- ports ---- */

/* Its sockets are what they were as long as it runs, is a member, and has not been one anew. */
static bool holds(struct simdist *s, u32 i, const struct bound *b) {
    const struct sysplex *sx = simdist_distributor(s, i) ? s->p->node[i].sx : NULL;
    return b->s && sx && sx->conf.incarnation == b->incarnation && sx->epoch == b->epoch && sx->state != SYSPLEX_OUT &&
           !simxcf_isolated(s->p->x, i);
}

/* A program of system i wants a port, or gives one back. */
static void use_port(struct simdist *s, u32 i) {
    struct bound *b = &s->bound[i][simplex_random(s->p, BOUND_MAX)];
    struct node *n = &s->p->node[i];
    const struct home_entry *e = simdist_distributor(s, i) ? home_find(n->stk, SIMDIST_VIP) : NULL;
    u64 now = simplex_node_now(n);
    if (holds(s, i, b)) {
        sock_close(b->s, now);
    } else if (e && n->sx->state == SYSPLEX_IN_SYNC && sock_open(n->stk, SOCK_TCP, "FTPD", &b->s) == 0) {
        struct sockaddr4 at;
        if (sock_bind(b->s, SIMDIST_VIP, 0, now) == 0) {
            sock_local(b->s, &at);
            b->port = at.port;
            b->incarnation = n->sx->conf.incarnation;
            b->epoch = n->sx->epoch;
            b->made_at = simxcf_now(s->p->x);
            /* Between owners without SYSPLEXPORTS in force a port is an ordinary one, and nobody promises anything. */
            const struct dist_vipa *v = dist_vipa_find(s->d[i], SIMDIST_VIP);
            if (v && v->sysplexports) {
                s->r.ports++;
                return;
            }
        }
        sock_close(b->s, now);
    }
    b->s = NULL;
}

static void check_ports(struct simdist *s) {
    memset(s->port_of, 0, sizeof s->port_of);
    for (u32 i = 0; i < s->par.systems; i++)
        for (u32 k = 0; k < BOUND_MAX; k++) {
            const struct bound *b = &s->bound[i][k];
            /* Whoever does not answer an owner in time may find his ports given to another, and keeps what he has. */
            if (!holds(s, i, b) || b->made_at < s->unheard_at[i] + LEARNING_US) continue;
            if (s->port_of[b->port]) simplex_fail(s->p, "ports: systems %u and %u both have %u", s->port_of[b->port] - 1u, i, b->port);
            s->port_of[b->port] = (u8)(i + 1);
        }
}

/* ---- checkers c and d ---- */

static bool row_has_connection(struct simdist *s, const struct distributor *d, const struct vcrt_row *row) {
    struct ipaddr at = distributor_slot_addr(d, row->target);
    struct tcp_key k = {row->key.dvipa, row->key.client, row->key.dport, row->key.cport};
    for (u32 i = 0; i < s->par.systems; i++) {
        struct node *n = &s->p->node[i];
        if (n->sx && ipaddr_eq(sysplex_dynxcf(n->sx), at)) return simplex_runs(n) && tcp_known(n->stk, &k);
    }
    return false;
}

bool simdist_settled(struct simdist *s, const char **why) {
    i32 owner = simplex_owner(s->p, SIMDIST_VIP);
    if (!simplex_converged(s->p, why)) return false;
    *why = "nobody routes";
    if (owner < 0 || !distributor_routes(s->d[owner], SIMDIST_VIP)) return false;
    struct distributor *d = s->d[owner];
    const struct vdpt_port *p = vdpt_find(distributor_vdpt(d), SIMDIST_VIP, SIMPLEX_PORT);
    *why = "VDPT: RDY differs from the listeners";
    if (!p) return false;
    for (u32 i = 0; i < s->par.systems; i++) {
        u32 slot = distributor_slot(d, DYNXCF(i));
        if (slot == VDPT_NOBODY || p->t[slot].ready != 1) return false;
    }
    *why = "VCRT: a row has no connection at its target";
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(distributor_vcrt(d), r)) != NULL;)
        if (r->state != VCRT_ENDED && !row_has_connection(s, d, r)) return false;
    return true;
}

/* What is left in the tables, to stderr. */
void simdist_show(struct simdist *s) {
    char a[IPADDR_TEXT_MAX], b[IPADDR_TEXT_MAX];
    for (u32 i = 0; i < s->par.systems; i++) {
        const struct distributor *d = simdist_distributor(s, i);
        if (!d) continue;
        for (struct vcrt_row *r = NULL; (r = vcrt_walk(distributor_vcrt(d), r)) != NULL;)
            fprintf(stderr, "system %u: %s %s %u -> %s port %u used %u\n", i, vcrt_state_name((enum vcrt_state)r->state),
                    ipaddr_text(r->key.client, a), r->key.cport, ipaddr_text(distributor_slot_addr(d, r->target), b), r->port,
                    r->used);
        for (struct vdpt_port *p = NULL; (p = vdpt_walk(distributor_vdpt(d), p)) != NULL;)
            for (u32 t = 0; t < VDPT_TARGETS; t++)
                if (p->t[t].flags & VDPT_IN)
                    fprintf(stderr, "system %u: port %u %s ready %u active %u total %u\n", i, p->port,
                            ipaddr_text(distributor_slot_addr(d, t), a), p->t[t].ready, p->t[t].active, p->t[t].total);
    }
}

bool simdist_drained(struct simdist *s) {
    for (u32 i = 0; i < s->par.systems; i++) {
        const struct distributor *d = simdist_distributor(s, i);
        if (!d) continue;
        if (vcrt_rows(distributor_vcrt(d))) return false;
        for (struct vdpt_port *p = NULL; (p = vdpt_walk(distributor_vdpt(d), p)) != NULL;)
            for (u32 t = 0; t < VDPT_TARGETS; t++)
                if (p->t[t].active) return false;
    }
    return true;
}

/* ---- faults ---- */

static u32 any(struct simdist *s) { return simplex_random(s->p, s->par.systems); }

/* What has died or waits is started again; what stands still goes on. */
static void restart(struct simdist *s, u32 i) {
    struct sim_sys *y = &s->p->x->sys[i];
    if (y->paused) return;
    if (y->waiting) simxcf_kill(s->p->x, i, true);
    if (!y->up)
        simplex_start_system(s->p, i);
    else
        simplex_start_stack(s->p, i);
}

static void on_stack(struct simdist *s, u32 i, u32 what) {
    struct node *n = &s->p->node[i];
    u64 now = simplex_node_now(n);
    if (!simplex_runs(n) || !n->sx) return;
    switch (what) {
    case 0: dvipa_deactivate(n->sx, SIMDIST_VIP, now); break;
    case 1: dvipa_reactivate(n->sx, SIMDIST_VIP, now); break;
    case 2: sysplex_leavegroup(n->sx, now); break;
    case 3: sysplex_joingroup(n->sx, now); break;
    default: simplex_stop_stack(s->p, i); break;
    }
}

static void fault(struct simdist *s) {
    u32 a = any(s), b = any(s), drawn;
    if (a == b) b = (b + 1) % s->par.systems;
    s->r.faults++;
    switch (simplex_random(s->p, s->par.iqd ? 16 : 14)) {
    case 0:
    case 1: simxcf_kill(s->p->x, a, simplex_random(s->p, 2)); break;
    case 2:
    case 3:
    case 4: restart(s, a); break;
    case 5: simxcf_pause(s->p->x, a, true); break;
    case 6:
    case 7: simxcf_pause(s->p->x, a, false); break;
    case 8: simxcf_pair(s->p->x, a, b, SIMXCF_SILENT); break;
    case 9: simxcf_heal(s->p->x); break;
    case 14: simplex_iqd(s->p, a, 0); break;
    case 15: simplex_iqd(s->p, a, IQD_LAN); break;
    case 10: /* the order of arguments is the compiler's affair */
        drawn = simplex_random(s->p, 20);
        simxcf_noise(s->p->x, simplex_random(s->p, 30), drawn);
        break;
    default: on_stack(s, a, simplex_random(s->p, 5)); break;
    }
}

/* A card stands still: what it holds comes when the DVIPA has another owner perhaps, who is sometimes made at once. */
static void stuck(struct simdist *s, struct simplex *dice) {
    bool iqd = simplex_random(dice, 2);
    u32 us = simplex_random(dice, STUCK_US);
    simplex_lan_stuck(s->p, iqd, us);
    const char *why;
    bool moves = simplex_random(dice, 2);
    simdist_run(s, simplex_random(dice, us) / 2);
    i32 owner = simplex_owner(s->p, SIMDIST_VIP);
    /* If nobody could take it, it would go down with its connections: there has to be a backup, and nobody who sees it otherwise. */
    if (!simplex_converged(s->p, &why)) return;
    for (u32 i = 0; moves && owner >= 0 && i < s->par.systems; i++) {
        if (simplex_status(s->p, i, SIMDIST_VIP) != DVIPA_BACKUP) continue;
        on_stack(s, (u32)owner, 0);
        s->r.faults++;
        return;
    }
}

static void settle(struct simdist *s) {
    const char *why = "";
    simxcf_heal(s->p->x);
    simxcf_noise(s->p->x, 0, 0);
    for (u64 end = simxcf_now(s->p->x) + SETTLE_US; simxcf_now(s->p->x) < end;) {
        for (u32 i = 0; i < s->par.systems; i++) {
            simxcf_pause(s->p->x, i, false);
            restart(s, i);
            on_stack(s, i, 1);
            on_stack(s, i, 3);
        }
        simdist_run(s, USEC_PER_SEC);
        if (simdist_settled(s, &why)) return;
    }
    simplex_fail(s->p, "not settled %llu s after the faults: %s", (unsigned long long)(SETTLE_US / USEC_PER_SEC), why);
}

/* A client that only reads learns of its server's death when somebody tells it; if the routing stack, the server and both of the
 * stacks that had copies died together, nobody can. It is excused, counted, and hangs up. */
static void hang_up_harmed(struct simdist *s) {
    for (u32 i = 0; i < WATCHED_MAX; i++) {
        struct simplex_session *e = s->watched[i];
        if (!e || !was_harmed(s, e)) continue;
        s->r.sessions++, s->r.harmed++, s->r.silent++;
        simplex_forget(e);
        s->watched[i] = NULL;
        s->open--;
    }
}

static void drain(struct simdist *s) {
    simdist_run(s, 60 * (u64)USEC_PER_SEC);
    hang_up_harmed(s);
    for (u64 end = simxcf_now(s->p->x) + DRAIN_US; simxcf_now(s->p->x) < end;) {
        simdist_run(s, USEC_PER_SEC);
        if (!s->open && simdist_drained(s)) return;
    }
    simplex_fail(s->p, "drain: %u sessions open; tables are not empty", s->open);
}

struct simdist_result simdist_random(u64 seed, u32 systems, u32 sessions) {
    struct simplex dice = {.random = seed * 0x9E3779B97F4A7C15u + 77};
    struct simdist_params par = {.seed = seed, .systems = systems};
    if (!systems) par.systems = 3 + simplex_random(&dice, 4);
    par.method = (enum dist_method)simplex_random(&dice, 3);
    par.affinity_sec = (u16)(simplex_random(&dice, 3) ? 0 : 1 + simplex_random(&dice, 20));
    par.backup_has_own = simplex_random(&dice, 2);
    par.loss_permille = simplex_random(&dice, 3) ? 0 : simplex_random(&dice, 10);
    par.policy = (enum simdist_policy)simplex_random(&dice, 3);
    par.iqd = simplex_random(&dice, 2);
    struct simplex more = {.random = seed * 0xD1B54A32D192ED03u + 5};
    par.gre = simplex_random(&more, 3) == 0;
    par.stuck = simplex_random(&more, 2);
    par.calls = simplex_random(&more, 2) && sessions < MANY;
    par.many = sessions >= MANY;
    par.rows = par.many ? 16384 : 0;
    if (par.many) par.affinity_sec = 0; /* or two clients would keep two servers busy */
    struct simdist *s = simdist_create(&par);
    u32 started = 0;
    simdist_run(s, 3 * (u64)USEC_PER_SEC);
    u64 begin = simxcf_now(s->p->x), next = begin;
    /* Beyond the drill's time if clients were short of ports while an owner was away. */
    while (simxcf_now(s->p->x) - begin < (started < sessions ? 3 * FAULTS_US : FAULTS_US)) {
        u64 share = u64_min(sessions, (u64)sessions * (simxcf_now(s->p->x) - begin + STEP_US) / FAULTS_US);
        while (started < share && simdist_fetch(s, simplex_random(s->p, par.many ? 100 : 3) ? simplex_random(s->p, 3000) : 200000)) started++;
        if (simxcf_now(s->p->x) >= next) {
            fault(s);
            next = simxcf_now(s->p->x) + (1 + simplex_random(s->p, 5)) * (u64)(par.many ? MANY_FAULT_US : USEC_PER_SEC);
        }
        for (u32 i = 0; i < par.systems; i++) use_port(s, i);
        if (par.calls) call(s, simplex_random(&more, par.systems));
        if (par.stuck && simplex_random(&more, 20) == 0) stuck(s, &more);
        check_ports(s);
        simdist_run(s, STEP_US);
    }
    settle(s);
    check_ports(s);
    drain(s);
    struct simdist_result r = s->r;
    for (u32 i = 0; i < par.systems; i++) {
        r.takeovers += distributor_counters(s->d[i])->takeovers;
        r.routed += distributor_counters(s->d[i])->routed;
        r.resets += distributor_counters(s->d[i])->resets_sent;
    }
    r.seed = seed, r.systems = par.systems, r.simulated_us = simxcf_now(s->p->x);
    r.digest = s->p->x->digest ^ (r.whole * 2654435761u + r.routed);
    simdist_destroy(s);
    return r;
}
