/* simcf.c - systems and coupling facilities in one process. See simcf.h. */
#include "tests/sim/simcf.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hercules-devices/cf_link.h"

#define MACHINE_BYTES (2u << 20)
#define LINK_DEVICE   0x0F00u
#define LINK_STEP     0x10u
#define TURN_US       10u

struct link {
    struct simcf *z;
    u32 system, facility;
    struct sim_group *group;
    struct sim_wire *wire;
    void *engine;
    struct xes *x;
    bool told_up;
    u32 number; /* at the facility; CF_SYSTEMS = none */
};

struct facility {
    struct simcf *z;
    u32 index;
    bool alive;
    struct cf *cf;
    struct cf_host host;
    struct sim_port *port;
    u64 incarnation;
    u32 messages;
    u8 ring[CF_MESSAGE_MAX];
};

struct machine {
    struct chan_system *sys;
    const struct simcf_user *user;
    void *ctx;
    bool stopped;
    struct link link[SIMCF_FACILITIES];
};

struct simcf {
    u32 systems, facilities, seed, verify_every, machine_bytes;
    u64 now;
    struct facility facility[SIMCF_FACILITIES];
    struct machine machine[SIMCF_SYSTEMS];
};

u64 simcf_now(const struct simcf *z) { return z->now; }
void simcf_later(struct simcf *z, u64 us) { z->now += us; }
struct arena *simcf_arena(struct simcf *z, u32 system) { return simchan_arena(z->machine[system].sys); }
struct chan_system *simcf_channels(struct simcf *z, u32 system) { return z->machine[system].sys; }
struct xes *simcf_link(struct simcf *z, u32 system, u32 facility) { return z->machine[system].link[facility].x; }
void simcf_verify_every(struct simcf *z, u32 n) { z->verify_every = n; }
struct cf *simcf_engine(struct simcf *z, u32 facility) { return z->facility[facility].cf; }
bool simcf_alive(const struct simcf *z, u32 facility) { return z->facility[facility].alive; }

u32 simcf_random(struct simcf *z, u32 below) {
    z->seed = z->seed * 1664525u + 1013904223u;
    return (z->seed >> 8) % below;
}

/* ---- the facility behind the wires ---- */

static struct link *of_number(struct facility *f, u32 number) {
    for (u32 i = 0; i < f->z->systems; i++)
        if (f->z->machine[i].link[f->index].number == number) return &f->z->machine[i].link[f->index];
    return NULL;
}
/* Wires are joined in the order of the systems. */
static struct link *of_wire(struct facility *f, const struct sim_wire *w) {
    return &f->z->machine[simport_wire_number(w)].link[f->index];
}
static u8 *reserve(void *ctx, u32 n, u32 bytes) {
    struct facility *f = ctx;
    const struct link *l = of_number(f, n);
    return l && simport_room(l->wire) >= bytes ? f->ring : NULL;
}
static void commit(void *ctx, u32 n, u32 bytes) {
    struct facility *f = ctx;
    CHECK(simport_send(of_number(f, n)->wire, f->ring, bytes));
}
static bool isolate(void *ctx, const char *name, u64 incarnation) {
    UNUSED(ctx);
    return name[0] && incarnation;
}
static void log_line(void *ctx, enum engine_severity sev, const char *text) {
    UNUSED(ctx);
    UNUSED(sev);
    UNUSED(text);
}

static void wire_up(void *ctx, struct sim_wire *w, u64 now) {
    struct facility *f = ctx;
    struct link *l = of_wire(f, w);
    char name[5] = "SYSA";
    UNUSED(now);
    name[3] = (char)('A' + l->system);
    int n = cf_link_up(f->cf, name, 1);
    l->number = n < 0 ? CF_SYSTEMS : (u32)n;
}
static void wire_down(void *ctx, struct sim_wire *w, u64 now) {
    struct facility *f = ctx;
    struct link *l = of_wire(f, w);
    UNUSED(now);
    /* Of a facility that has lost its power nothing is left that could see it. */
    if (f->alive && l->number < CF_SYSTEMS) cf_link_down(f->cf, l->number);
    l->number = CF_SYSTEMS;
}
static void wire_message(void *ctx, struct sim_wire *w, const u8 *msg, u32 len, u64 now) {
    struct facility *f = ctx;
    UNUSED(now);
    CHECK(cf_message(f->cf, of_wire(f, w)->number, msg, len));
    if (++f->messages % f->z->verify_every == 0) cf_verify(f->cf);
}
static void batch_end(void *ctx, u64 now) {
    UNUSED(now);
    cf_pump(((struct facility *)ctx)->cf);
}
static const struct simport_ops port_ops = {.up = wire_up, .down = wire_down, .message = wire_message, .batch_end = batch_end};

static void power_on(struct facility *f) {
    struct cf_params p = {.incarnation = ++f->incarnation, .storage_kb = SIMCF_STORAGE_KB};
    str_fmt(p.name, sizeof p.name, "CF0%u", f->index + 1);
    memset(f->cf, 0, cf_engine_bytes(SIMCF_STORAGE_KB));
    CHECK(cf_engine_init(f->cf, &p, &f->host));
    f->alive = true;
}

/* ---- the systems ---- */

static void on_facility(void *ctx, struct xes *x, enum xes_state state, u64 now) {
    struct link *l = ctx;
    const struct machine *m = &l->z->machine[l->system];
    l->x = x;
    if ((state == XES_UP) == l->told_up) return;
    l->told_up = state == XES_UP;
    if (!m->user) return;
    if (l->told_up) m->user->up(m->ctx, x, xes_facility_name(x), now);
    else m->user->down(m->ctx, x, xes_facility_name(x), state == XES_ISOLATED, now);
}
static const struct xes_events events = {.facility = on_facility};

void simcf_attach(struct simcf *z, u32 system, const struct simcf_user *user, void *ctx) {
    struct machine *m = &z->machine[system];
    m->user = user;
    m->ctx = ctx;
    for (u32 i = 0; i < z->facilities; i++) {
        u16 device = (u16)(LINK_DEVICE + i * LINK_STEP);
        CHECK(xes_attach(simchan_arena(m->sys), m->sys, device, &events, &m->link[i], &m->link[i].x) == 0);
    }
}

static void machine_begin(struct simcf *z, u32 i) {
    struct machine *m = &z->machine[i];
    m->sys = simchan_create(z->machine_bytes);
    for (u32 k = 0; k < z->facilities; k++) {
        struct link *l = &m->link[k];
        struct cf_link_params p = {.lpar = "SYSA", .devnum = (u16)(LINK_DEVICE + k * LINK_STEP)};
        p.lpar[3] = (char)('A' + i);
        *l = (struct link){.z = z, .system = i, .facility = k, .number = CF_SYSTEMS};
        l->group = simchan_group_add(m->sys, p.devnum, 1);
        l->engine = malloc(cf_link_bytes());
        simchan_group_engine(l->group, cf_link_init(l->engine, simchan_group_host(l->group), &p));
        l->wire = simport_join(z->facility[k].port, l->group, SIMPORT_RING_BYTES);
    }
}

struct simcf *simcf_create(u32 systems, u32 facilities, u32 seed) { return simcf_create_large(systems, facilities, seed, MACHINE_BYTES); }

struct simcf *simcf_create_large(u32 systems, u32 facilities, u32 seed, u32 bytes) {
    struct simcf *z = calloc(1, sizeof *z);
    CHECK(z && systems <= SIMCF_SYSTEMS && facilities <= SIMCF_FACILITIES);
    *z = (struct simcf){.systems = systems, .facilities = facilities, .seed = seed, 
                        .verify_every = 1, .machine_bytes = bytes, .now = USEC_PER_SEC};
    for (u32 i = 0; i < facilities; i++) {
        struct facility *f = &z->facility[i];
        *f = (struct facility){.z = z, .index = i, .cf = malloc(cf_engine_bytes(SIMCF_STORAGE_KB)), .incarnation = 76};
        CHECK(f->cf);
        f->host = (struct cf_host){f, reserve, commit, isolate, log_line};
        f->port = simport_create(&port_ops, f);
        power_on(f);
    }
    for (u32 i = 0; i < systems; i++) machine_begin(z, i);
    return z;
}

void simcf_end(struct simcf *z) {
    /* Channel programs of those that were stopped still end: with their links cut. */
    for (u32 i = 0; i < z->systems; i++) {
        z->machine[i].user = NULL;
        z->machine[i].stopped = false;
    }
    simcf_settle(z);
}

void simcf_destroy(struct simcf *z) {
    simcf_end(z);
    for (u32 i = 0; i < z->systems; i++) {
        struct machine *m = &z->machine[i];
        for (u32 k = 0; k < z->facilities; k++) {
            if (m->link[k].x) xes_close(m->link[k].x, z->now);
            free(m->link[k].engine);
        }
        CHECK(simchan_open_count(m->sys) == 0);
        simchan_destroy(m->sys);
    }
    for (u32 k = 0; k < z->facilities; k++) {
        simport_destroy(z->facility[k].port);
        if (z->facility[k].alive) cf_verify(z->facility[k].cf);
        free(z->facility[k].cf);
    }
    free(z);
}

/* ---- running ---- */

bool simcf_step(struct simcf *z) {
    u32 sides = z->systems + z->facilities, first = simcf_random(z, sides);
    for (u32 i = 0; i < sides; i++) {
        u32 side = (first + i) % sides, n;
        if (side < z->facilities) n = simport_run(z->facility[side].port, z->now);
        else n = z->machine[side - z->facilities].stopped ? 0 : simchan_run(z->machine[side - z->facilities].sys, z->now);
        if (!n) continue;
        z->now += TURN_US;
        return true;
    }
    return false;
}

void simcf_settle(struct simcf *z) {
    u32 steps = 0;
    while (simcf_step(z)) CHECK(steps++ < 100000);
}

/* ---- faults ---- */

void simcf_kill(struct simcf *z, u32 facility) {
    z->facility[facility].alive = false;
    simport_kill(z->facility[facility].port);
}

void simcf_start(struct simcf *z, u32 facility) {
    struct facility *f = &z->facility[facility];
    if (f->alive) return;
    for (u32 i = 0; i < z->systems; i++) z->machine[i].link[facility].number = CF_SYSTEMS;
    power_on(f);
    simport_start(f->port);
}

void simcf_cut(struct simcf *z, u32 system, u32 facility, bool cut) { simport_wire_cut(z->machine[system].link[facility].wire, cut); }

void simcf_stop(struct simcf *z, u32 system) {
    z->machine[system].stopped = true;
    for (u32 i = 0; i < z->facilities; i++) simcf_cut(z, system, i, true);
}
