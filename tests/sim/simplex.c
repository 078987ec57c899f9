/* simplex.c - stacks of a simulated sysplex: their life, time, and the checker of owners. See simplex.h. */
#include "tests/sim/simplex_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define SLICE_US 500

/* ---- small things ---- */

u32 simplex_random(struct simplex *p, u32 n) {
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return n ? (u32)((p->random * 0x2545F4914F6CDD1Du) >> 32) % n : 0;
}
bool simplex_runs(const struct node *n) {
    if (n->client) return true;
    const struct sim_sys *y = &n->p->x->sys[n->index];
    return n->stk && y->up && !y->paused && !y->waiting && y->life == n->life;
}
u64 simplex_node_now(const struct node *n) {
    return n->client ? 1000000 + simxcf_now(n->p->x) : simxcf_local(n->p->x, n->index);
}

void simplex_show(struct simplex *p) {
    char text[IPADDR_TEXT_MAX];
    for (u32 i = 0; i < p->par.systems; i++) {
        struct node *n = &p->node[i];
        fprintf(stderr, "system %u%s state %u\n", i, simplex_runs(n) ? "" : " (does not run)",
                n->sx ? (u32)sysplex_state(n->sx) : 99);
        if (!simplex_runs(n)) continue;
        LIST_FOR_EACH(it, &n->sx->dv.all) {
            const struct dvipa *d = LIST_ENTRY(it, struct dvipa, node);
            fprintf(stderr, "  %s %s%s epoch %u owner %02X claimant %02X awaiting %llX conns %u refs %u%s%s%s;",
                    ipaddr_text(d->addr, text), dvipa_status_name(d->status), d->lnk ? " HOME" : "", d->epoch, d->owner,
                    d->claimant, (unsigned long long)d->awaiting, d->conns, d->refs, d->want ? " want" : "",
                    d->yields ? " yields" : "", d->deactivated ? " deactivated" : "");
            LIST_FOR_EACH(k, &d->rows) {
                const struct dvipa_row *r = LIST_ENTRY(k, struct dvipa_row, of_dvipa);
                fprintf(stderr, " %s:%s/%u", n->sx->peer[r->peer].pub.name, dvipa_status_name(r->status), r->epoch);
            }
            fprintf(stderr, "\n");
        }
        for (u32 k = n->lines > 8 ? n->lines - 8 : 0; k < n->lines; k++) fprintf(stderr, "    %s\n", n->line[k]);
        u32 value;
        const char *name;
        for (u32 k = 0; (name = sysplex_counter(n->sx, k, &value)) != NULL; k++)
            if (value) fprintf(stderr, " %s %u", name, value);
        fprintf(stderr, "\n");
    }
}

void simplex_fail(struct simplex *p, const char *fmt, ...) {
    va_list ap;
    fprintf(stderr, "simplex: seed %llu, %u systems, at %llu us: ", (unsigned long long)p->par.seed, p->par.systems,
            (unsigned long long)simxcf_now(p->x));
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n");
    simplex_show(p);
    abort();
}

static void message(void *ctx, const char *text) {
    struct node *n = ctx;
    if (n->lines == SIMPLEX_LINES) n->lines = SIMPLEX_LINES / 2;
    free(n->line[n->lines]);
    n->line[n->lines] = malloc(strlen(text) + 1);
    CHECK(n->line[n->lines] != NULL);
    memcpy(n->line[n->lines++], text, strlen(text) + 1);
}
static u32 random_bits(void *ctx) {
    struct node *n = ctx;
    return simplex_random(n->p, 0xFFFFFFFF);
}

/* ---- a stack's life ---- */

static void stack_sizes(const struct simplex *p, bool client, struct stack_config *c) {
    stack_config_default(c);
    u32 times = p->par.many ? 4 : 1;
    c->max_sockets = times * (client ? 4096 : 2048);
    c->max_timewait = times * 2048;
    c->buffer_chunks = times * (client ? 8192 : 4096);
    c->small_pbufs = c->large_pbufs = 64;
    c->huge_pbufs = 4;
    c->max_datagram_sockets = 16;
    c->max_home = c->max_port_rules = c->max_arp = 16;
    c->max_routes = 64;
    c->max_dvipas = client ? 0 : p->par.dvipas;
}
static void sysplex_sizes(const struct simplex *p, struct sysplex_config *c) {
    sysplex_config_default(c);
    c->dvipas = p->par.dvipas;
    c->dvipa_rows = p->par.dvipas * p->par.systems;
}

static void lan_start(struct node *n, u64 now) {
    struct device *dev;
    struct link *lnk;
    struct simplex *p = n->p;
    u32 host = n->client ? (SIMPLEX_CLIENT_0 & 0xFF) + n->index - p->par.systems : n->index + 1;
    CHECK(device_add(n->stk, "LAN", DEV_MPCIPA, 0, &dev) == 0);
    CHECK(link_add(n->stk, dev, "LAN", LNK_IPAQENET, 0, &lnk) == 0);
    lnk->bsd_mask = ipaddr_v4(0xFFFFFF00);
    CHECK(home_add(n->stk, ipaddr_v4(0x0A000000 + host), lnk, 0, now) == 0);
    route_direct_refresh(n->stk, now);
    CHECK(device_start(dev, now) == 0);
}

static void node_start(struct node *n) {
    struct simplex *p = n->p;
    struct stack_config cfg;
    struct sysplex_config sc;
    struct arena a;
    u64 now = simplex_node_now(n);
    stack_sizes(p, n->client, &cfg);
    sysplex_sizes(p, &sc);
    memset(n->storage, 0xA5, n->bytes);
    arena_init(&a, n->storage, n->bytes);
    n->env = (struct stack_env){.ctx = n, .message = message, .random = random_bits, .drivers = n->drivers};
    n->drivers[DEV_MPCIPA] = (struct driver){&simplex_lan_device, &simplex_lan_link, n};
    n->sx = NULL;
    if (!n->client) {
        sc.arena = &a;
        sc.iqd_device = n->index < p->par.iqd_systems ? p->par.iqd_device : 0;
        sc.sysname = simxcf_id(p->x, n->index)->name;
        sc.sysclone = sc.sysname + 3;
        sc.tcpname = "TCPIP";
        sc.incarnation = ++n->stack_incarnation;
        n->life = p->x->sys[n->index].life;
        n->sx = sysplex_create(&sc, now);
        CHECK(n->sx != NULL);
        if (p->par.parts) p->par.parts(p->par.ctx, n->index, n->sx, &a);
        n->drivers[DEV_MPCPTP] = sysplex_driver(n->sx);
    }
    n->stk = stack_create(&a, n->client ? "CLIENT" : "TCPIP", &cfg, &n->env, now);
    CHECK(n->stk != NULL);
    n->due = 0;
    if (n->sx) sysplex_attach(n->sx, n->stk, now);
    if (n->client || !p->par.no_osa_on_last || n->index + 1 < p->par.systems) lan_start(n, now);
    simplex_serve(n);
    if (!n->sx) return;
    dynxcf_define(n->sx, ipaddr_v4(0xC109C801 + n->index), ipaddr_v4(0xFFFFFF00), 1, now);
    if (p->par.profile) p->par.profile(p->par.ctx, n->index, n->sx, now);
    sysplex_xcf(n->sx, simxcf_xcf(p->x, n->index), now);
    sim_wake(&p->x->sys[n->index]);
}

void simplex_start_system(struct simplex *p, u32 i) {
    simplex_lan_forget(p, i);
    simxcf_start(p->x, i);
    node_start(&p->node[i]);
}
void simplex_stop_stack(struct simplex *p, u32 i) {
    struct node *n = &p->node[i];
    u64 now = simplex_node_now(n);
    if (!simplex_runs(n)) return;
    sysplex_stop(n->sx, now);
    stack_stop(n->stk, now);
    stack_poll(n->stk, now);
    simplex_lan_forget(p, i);
    n->stk = NULL;
    n->sx = NULL;
    sim_wake(&p->x->sys[i]);
}
void simplex_start_stack(struct simplex *p, u32 i) {
    if (!p->node[i].stk || p->node[i].life != p->x->sys[i].life) node_start(&p->node[i]);
}

struct simplex *simplex_create(const struct simplex_params *par) {
    struct simplex *p = calloc(1, sizeof *p);
    CHECK(p != NULL);
    p->par = *par;
    if (!p->par.slice_us) p->par.slice_us = SLICE_US;
    if (!p->par.dvipas) p->par.dvipas = 64;
    if (!p->par.iqd_systems) p->par.iqd_systems = 2;
    p->random = par->seed * 0x9E3779B97F4A7C15u + 0x7654321;
    struct simxcf_params xp = {.seed = par->seed, .systems = par->systems, .arbiter = true, .operators = true, .drift_ppm = par->drift_ppm, .couple = par->couple};
    p->x = simxcf_create(&xp);
    p->nodes = par->systems + SIMPLEX_CLIENTS;
    p->node = calloc(p->nodes, sizeof *p->node);
    CHECK(p->node != NULL);
    for (u32 i = 0; i < p->nodes; i++) {
        struct node *n = &p->node[i];
        struct stack_config cfg;
        struct sysplex_config sc;
        *n = (struct node){.p = p, .index = i, .client = i >= par->systems};
        stack_sizes(p, n->client, &cfg);
        sysplex_sizes(p, &sc);
        n->bytes = stack_bytes(&cfg) + (n->client ? 0 : sysplex_bytes(&sc) + par->parts_bytes) + 4096;
        n->storage = malloc(n->bytes);
        CHECK(n->storage != NULL);
        node_start(n);
    }
    return p;
}

void simplex_destroy(struct simplex *p) {
    for (u32 i = 0; i < SIMPLEX_SESSIONS; i++)
        if (p->session[i].used) simplex_forget(&p->session[i]);
    for (u32 i = 0; i < p->nodes; i++) {
        struct node *n = &p->node[i];
        u64 now = simplex_node_now(n);
        if (simplex_runs(n)) {
            if (n->sx) sysplex_stop(n->sx, now);
            stack_stop(n->stk, now);
            stack_poll(n->stk, now);
            CHECK(n->stk->small.in_use == 0 && n->stk->large.in_use == 0 && n->stk->huge.in_use == 0);
            CHECK(!n->sx || (n->sx->moved_pool.in_use == 0 && n->sx->home_pool.in_use == 0 && n->sx->dv.rows.in_use == 0));
        }
        for (u32 k = 0; k < SIMPLEX_LINES; k++) free(n->line[k]);
        free(n->storage);
    }
    simplex_lan_free(p);
    simxcf_destroy(p->x);
    free(p->node);
    free(p);
}

/* ---- time ---- */

/* As the guest's loop does it (super/main.c), without the round by which it would make up for what somebody forgot: the sysplex is polled when
 * it has said so and, like the stack, after whatever the caller did (all). So each scenario is also a test of sysplex_due() and stack_due(). */
static void node_poll(struct simplex *p, struct node *n, bool all) {
    u64 now = simplex_node_now(n);
    if (!simplex_runs(n)) return;
    if (n->sx && (all || now >= sysplex_due(n->sx))) sysplex_poll(n->sx, now);
    if (all || now >= stack_due(n->stk)) stack_poll(n->stk, now);
    /* What the stack did may have gone to XCF, and what XCF did to the stack: both look again in the next slice. */
    n->due = u64_min(stack_due(n->stk), n->sx ? sysplex_due(n->sx) : TIME_NEVER);
    if (n->sx) sim_wake_sent(&p->x->sys[n->index]);
}

/* Is there anything for a stack to do? The guest's loop asks the same: an interruption, or a deadline that has come. */
static bool node_due(const struct simplex *p, const struct node *n) {
    struct sim_sys *y = n->client ? NULL : &p->x->sys[n->index];
    bool touched = y && y->touched;
    if (y) y->touched = false;
    return touched || simplex_node_now(n) >= n->due;
}

/* Checker (a): of those that could answer a client, at most one has the address unhidden. */
static void check_owners(struct simplex *p) {
    for (u32 i = 0; i < p->par.systems; i++) {
        struct node *n = &p->node[i];
        char text[IPADDR_TEXT_MAX];
        if (!simplex_runs(n) || simxcf_isolated(p->x, i)) continue;
        LIST_FOR_EACH(it, &n->sx->dv.all) {
            const struct dvipa *d = LIST_ENTRY(it, struct dvipa, node);
            const struct home_entry *mine = d->lnk ? home_find(n->stk, d->addr) : NULL;
            if (!mine || (mine->flags & HOME_INTERNAL)) continue;
            for (u32 j = i + 1; j < p->par.systems; j++) {
                struct node *m = &p->node[j];
                if (!simplex_runs(m) || simxcf_isolated(p->x, j)) continue;
                const struct home_entry *e = home_find(m->stk, d->addr);
                if (e && !(e->flags & HOME_INTERNAL))
                    simplex_fail(p, "owner: systems %u and %u both answer for %s", i, j, ipaddr_text(d->addr, text));
            }
        }
    }
}

void simplex_run(struct simplex *p, u64 us) {
    u64 end = simxcf_now(p->x) + us;
    /* The caller may have done anything to any of them: at first all look. */
    for (bool all = true; simxcf_now(p->x) < end; all = false) {
        simxcf_run(p->x, u64_min(p->par.slice_us, end - simxcf_now(p->x)));
        simplex_lan_run(p);
        for (u32 i = 0; i < p->nodes; i++)
            if (node_due(p, &p->node[i]) || all) node_poll(p, &p->node[i], all);
        check_owners(p);
    }
}
bool simplex_until(struct simplex *p, u64 us, bool (*done)(void *ctx), void *ctx) {
    u64 end = simxcf_now(p->x) + us;
    while (!done(ctx)) {
        if (simxcf_now(p->x) >= end) return false;
        simplex_run(p, p->par.slice_us);
    }
    return true;
}

/* ---- looking ---- */

struct simxcf *simplex_xcf(struct simplex *p) {
    return p->x;
}
u64 simplex_local(struct simplex *p, u32 i) {
    return simplex_node_now(&p->node[i]);
}
struct sysplex *simplex_sysplex(struct simplex *p, u32 i) {
    return simplex_runs(&p->node[i]) ? p->node[i].sx : NULL;
}
struct stack *simplex_stack(struct simplex *p, u32 i) {
    return simplex_runs(&p->node[i]) ? p->node[i].stk : NULL;
}
struct stack *simplex_client(struct simplex *p, u32 c) {
    return p->node[p->par.systems + c].stk;
}
u32 simplex_said(const struct simplex *p, u32 i, const char *begins) {
    u32 count = 0;
    for (u32 k = 0; k < p->node[i].lines; k++)
        if (strncmp(p->node[i].line[k], begins, strlen(begins)) == 0) count++;
    return count;
}
u32 simplex_lan_packets(const struct simplex *p, u32 i) {
    return p->node[i].delivered;
}
u32 simplex_iqd_packets(const struct simplex *p, u32 i) {
    return p->node[i].by_iqd;
}
bool simplex_lan_rst(const struct simplex *p, u32 i) {
    bool was = p->node[i].rst;
    p->node[i].rst = false;
    return was;
}
enum dvipa_status simplex_status(struct simplex *p, u32 i, struct ipaddr addr) {
    struct sysplex *sx = simplex_sysplex(p, i);
    struct dvipa *d = sx ? dvipa_find(sx, addr) : NULL;
    return d ? (enum dvipa_status)d->status : DVIPA_NONE;
}
i32 simplex_owner(struct simplex *p, struct ipaddr addr) {
    for (u32 i = 0; i < p->par.systems; i++)
        if (simplex_status(p, i, addr) == DVIPA_ACTIVE && !simxcf_isolated(p->x, i)) return (i32)i;
    return -1;
}

/* Does j say of its DVIPAs what i has written down? */
static const char *rows_differ(struct simplex *p, u32 i, u32 j) {
    struct sysplex *a = simplex_sysplex(p, i), *b = simplex_sysplex(p, j);
    u8 index = SX_NOBODY;
    for (struct sysplex_peer *q = NULL; (q = sysplex_peer_next(a, q, true));)
        if (strcmp(q->name, b->member_name) == 0) index = q->index;
    if (index == SX_NOBODY) return "a stack is not a peer of another";
    LIST_FOR_EACH(it, &b->dv.all) {
        const struct dvipa *d = LIST_ENTRY(it, struct dvipa, node), *seen = dvipa_find(a, d->addr);
        const struct dvipa_row *r = seen ? dvipa_row_of(seen, index) : NULL;
        u8 status = r ? r->status : DVIPA_NONE;
        if (status != d->status) return "a row differs from what its stack is";
        if ((d->status == DVIPA_ACTIVE) != (seen && seen->owner == index)) return "an owner is not known as such";
    }
    return NULL;
}

bool simplex_converged(struct simplex *p, const char **why) {
    for (u32 i = 0; i < p->par.systems; i++) {
        if (!simplex_sysplex(p, i)) continue;
        *why = "a stack is not in sync";
        if (sysplex_state(simplex_sysplex(p, i)) != SYSPLEX_IN_SYNC) return false;
        LIST_FOR_EACH(it, &simplex_sysplex(p, i)->dv.all) {
            *why = "a DVIPA is being claimed";
            if (LIST_ENTRY(it, struct dvipa, node)->status == DVIPA_CLAIMING) return false;
        }
        for (u32 j = 0; j < p->par.systems; j++)
            if (j != i && simplex_sysplex(p, j) && (*why = rows_differ(p, i, j)) != NULL) return false;
    }
    return true;
}
