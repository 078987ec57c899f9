/* simxcf.c - the simulated sysplex: time, systems, wires. See simxcf.h. */
#include "tests/sim/simxcf_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

#define FULL_AT 48 /* blocks under way on a path before it says that it is full */

/* ---- small things ---- */

u32 sim_random(struct simxcf *s, u32 n) {
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return n ? (u32)((s->random * 0x2545F4914F6CDD1Du) >> 32) % n : 0;
}
void sim_digest(struct simxcf *s, u32 value) {
    for (u32 i = 0; i < 4; i++) s->digest = (s->digest ^ (value >> (8 * i) & 0xFF)) * 16777619u;
}
/* What system i knows, for the post-mortem. */
static void show(struct simxcf *s, u32 i) {
    struct xcf_system_info info;
    struct xcf_path_info path;
    const char *name;
    u32 value;
    fprintf(stderr, "    sees");
    for (u32 k = 1; xcf_system(s->sys[i].xcf, k, &info); k++)
        fprintf(stderr, " %s/%llu %s in %u out %u;", info.id.name, (unsigned long long)info.id.incarnation,
                xcf_system_state_name(info.state), info.paths_in, info.paths_out);
    fprintf(stderr, "\n    counts");
    for (u32 k = 0; (name = xcf_counter(s->sys[i].xcf, k, &value)) != NULL; k++)
        if (value) fprintf(stderr, " %s %u", name, value);
    fprintf(stderr, "\n    paths");
    for (u32 k = 0; xcf_path(s->sys[i].xcf, k, &path); k++)
        if (path.state != XCF_PATH_WORKING)
            fprintf(stderr, " %s %s %s;", path.outbound ? "out" : "in", path.name,
                    xcf_path_state_name(path.state));
    fprintf(stderr, "\n");
}

void sim_fail(struct simxcf *s, const char *fmt, ...) {
    va_list ap;
    fprintf(stderr, "simxcf: seed %llu, %u systems, at %llu us: ", (unsigned long long)s->p.seed,
            s->p.systems, (unsigned long long)s->now);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n");
    for (u32 i = 0; i < s->p.systems; i++) {
        struct sim_sys *y = &s->sys[i];
        u32 first = y->line_count > 12 ? y->line_count - 12 : 0;
        fprintf(stderr, "%s/%llu%s%s%s%s\n", y->id.name, (unsigned long long)y->id.incarnation,
                y->up ? "" : " dead", y->paused ? " paused" : "", y->waiting ? " wait" : "",
                y->reach ? "" : " no arbiter");
        for (u32 k = first; k < y->line_count; k++) fprintf(stderr, "    %s\n", y->lines[k]);
        show(s, i);
        if (s->p.guest && s->p.guest->show) s->p.guest->show(s->p.guest->ctx, s, i);
    }
    abort();
}

static void *grown(void *p, u32 count, u32 *size, size_t each) {
    if (count < *size) return p;
    *size = *size ? *size * 2 : 256;
    p = realloc(p, *size * each);
    CHECK(p != NULL);
    return p;
}

/* ---- the event queue: a binary heap by time, then by order of creation ---- */

static bool earlier(const struct sim_event *a, const struct sim_event *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}
void sim_push(struct simxcf *s, struct sim_event e, u64 delay_us) {
    s->heap = grown(s->heap, s->heap_count, &s->heap_size, sizeof *s->heap);
    e.at = s->now + delay_us;
    e.order = ++s->order;
    u32 i = s->heap_count++;
    for (; i && earlier(&e, &s->heap[(i - 1) / 2]); i = (i - 1) / 2) s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = e;
}
static struct sim_event pop(struct simxcf *s) {
    struct sim_event top = s->heap[0], last = s->heap[--s->heap_count];
    u32 i = 0;
    for (u32 child; (child = 2 * i + 1) < s->heap_count; i = child) {
        if (child + 1 < s->heap_count && earlier(&s->heap[child + 1], &s->heap[child])) child++;
        if (!earlier(&s->heap[child], &last)) break;
        s->heap[i] = s->heap[child];
    }
    s->heap[i] = last;
    return top;
}

/* ---- clocks ---- */

static u64 local_of(const struct sim_sys *y, u64 t) {
    return y->offset + t + (u64)((i64)t * y->drift_ppm / 1000000);
}
/* The first moment at which y's clock shows at least local. */
static u64 global_of(const struct sim_sys *y, u64 local) {
    if (local <= y->offset) return 0;
    u64 d = local - y->offset;
    u64 t = d - (u64)((i64)d * y->drift_ppm / (1000000 + y->drift_ppm));
    while (local_of(y, t) < local) t++;
    return t;
}
u64 simxcf_now(const struct simxcf *s) {
    return s->now;
}
u64 simxcf_local(const struct simxcf *s, u32 i) {
    return local_of(&s->sys[i], s->now);
}

static bool runs(const struct sim_sys *y) {
    return y->up && !y->paused && !y->waiting;
}

/* Something was done to y: it polls at this moment. */
void sim_wake(struct sim_sys *y) {
    y->due = y->s->now;
}

void sim_wake_sent(struct sim_sys *y) {
    if (y->due <= y->s->now) return;
    y->quiet = true;
    sim_wake(y);
}

static u32 delivered(const struct sim_sys *y) {
    const struct xcf_counters *c = xcf_counters(y->xcf);
    return c->messages_local + c->messages_received;
}

static void poll(struct sim_sys *y) {
    const struct simxcf_guest *g = y->s->p.guest;
    u32 before = delivered(y);
    u64 next = xcf_poll(y->xcf, local_of(y, y->s->now));
    y->touched |= !y->quiet || delivered(y) != before;
    y->quiet = false;
    if (g && !y->waiting) next = u64_min(next, g->poll(g->ctx, y->s, y->index, local_of(y, y->s->now)));
    if (y->waiting) next = TIME_NEVER;
    y->due = next == TIME_NEVER ? TIME_NEVER : u64_max(global_of(y, next), y->s->now + 1);
}

/* ---- wires ---- */

struct sim_wire *sim_wire_at(struct simxcf *s, u32 from, u32 to, u32 k) {
    return &s->wire[(from * s->p.systems + to) * SIMXCF_PATHS + k];
}

/* The copy of a block that arrives, some time later. */
static void wire_copy(struct simxcf *s, struct sim_wire *w, const u8 *block, u32 len) {
    struct sim_event e = {.kind = SIM_BLOCK, .sys = w->to, .life = s->sys[w->to].life, .len = len};
    e.path = (u32)(w - s->wire);
    e.bytes = malloc(len);
    CHECK(e.bytes != NULL);
    memcpy(e.bytes, block, len);
    w->under_way++;
    sim_push(s, e, 50 + 100 * w->k + sim_random(s, 400));
}

static int wire_send(void *ctx, const u8 *block, u32 len) {
    struct sim_wire *w = ctx;
    struct simxcf *s = w->s;
    CHECK(runs(&s->sys[w->from]));
    if (w->wire == SIMXCF_DOWN || !s->sys[w->to].up) return -ERR_IO;
    if (w->under_way >= FULL_AT) {
        w->full = true;
        return -ERR_AGAIN;
    }
    if (w->wire == SIMXCF_SILENT || sim_random(s, 1000) < s->loss_permille) return 0;
    wire_copy(s, w, block, len);
    if (sim_random(s, 1000) < s->double_permille) wire_copy(s, w, block, len);
    return 0;
}
static const struct xcf_path_ops wire_ops = {.send = wire_send};

/* The devices of an isolated system carry nothing. Without a guest that relies on it, XCF has to refuse such a one by itself. */
static bool fenced(const struct simxcf *s, const struct sim_wire *w) {
    const struct sim_sys *from = &s->sys[w->from];
    return s->p.guest && s->p.guest->needs_arbiter && from->isolated >= from->id.incarnation;
}

static void wire_arrived(struct simxcf *s, const struct sim_event *e) {
    struct sim_wire *w = &s->wire[e->path];
    struct sim_sys *y = &s->sys[e->sys];
    if (!fenced(s, w) && runs(y) && y->life == e->life && w->wire == SIMXCF_OK) {
        xcf_path_block(w->in, e->bytes, e->len, local_of(y, s->now));
        sim_wake(y);
    }
    free(e->bytes);
    w->under_way--;
    if (!w->full || w->under_way > FULL_AT / 2) return;
    w->full = false;
    sim_push(
        s,
        (struct sim_event){.kind = SIM_ROOM, .sys = w->from, .life = s->sys[w->from].life, .path = e->path},
        1);
}

void sim_carrier(struct simxcf *s, u32 i) {
    struct sim_sys *y = &s->sys[i];
    if (!runs(y)) return;
    for (u32 j = 0; j < s->p.systems; j++) {
        for (u32 k = 0; k < SIMXCF_PATHS && j != i; k++) {
            struct sim_wire *o = sim_wire_at(s, i, j, k), *n = sim_wire_at(s, j, i, k);
            bool up = s->sys[j].up, out = up && o->wire != SIMXCF_DOWN, in = up && n->wire != SIMXCF_DOWN;
            u64 now = local_of(y, s->now);
            if (out != o->told_out) (out ? xcf_path_ready : xcf_path_down)(o->out, now);
            if (in != n->told_in) (in ? xcf_path_ready : xcf_path_down)(n->in, now);
            o->told_out = out;
            n->told_in = in;
        }
    }
    sim_wake(y);
}

/* ---- systems ---- */

static void system_paths(struct sim_sys *y) {
    struct simxcf *s = y->s;
    u64 now = local_of(y, s->now);
    for (u32 j = 0; j < s->p.systems; j++) {
        for (u32 k = 0; k < SIMXCF_PATHS && j != y->index; k++) {
            struct xcf_path_def d = {.ops = &wire_ops};
            struct sim_wire *o = sim_wire_at(s, y->index, j, k), *n = sim_wire_at(s, j, y->index, k);
            d.couple.retry = s->couple.retry;
            d.couple.outbound = true;
            d.ctx = o;
            str_fmt(d.couple.name, sizeof d.couple.name, "%X%02X%X", 4 + k, j, y->index & 0xF);
            o->out = xcf_path_add(y->xcf, &d, now);
            d.couple.outbound = false;
            n->in = xcf_path_add(y->xcf, &d, now);
            CHECK(o->out && n->in);
            o->told_out = n->told_in = false;
        }
    }
}

/* Few, so that small plexes meet their end; as many as the guest has where each has 31 partners. */
static u32 segments(const struct simxcf *s) { return s->p.systems > 8 ? 512 : 128; }

void simxcf_start(struct simxcf *s, u32 i) {
    struct sim_sys *y = &s->sys[i];
    struct xcf_env env;
    struct arena a;
    CHECK(!y->up);
    y->life++;
    y->id.incarnation++;
    y->up = true;
    y->steady_since = s->now;
    y->paused = y->waiting = y->woke_isolated = y->connected = false;
    y->line_count = 0;
    memset(y->question, 0, sizeof y->question);
    y->offset = 1000000 + sim_random(s, 1000000);
    memset(y->events, 0, sizeof y->events);
    memset(y->partner, 0, s->p.systems * sizeof *y->partner);
    memset(y->storage, 0xA5, y->bytes); /* nothing may depend on what was there */
    arena_init(&a, y->storage, y->bytes);
    sim_env(y, &env);
    struct xcf_config c = {.arena = &a, .couple = &s->couple, .id = y->id, .env = &env, .arbiter_ctx = y};
    c.arbiter = s->p.arbiter ? &sim_arbiter_ops : NULL;
    c.systems = s->p.systems;
    c.members = s->p.systems * 8;
    c.groups = 8;
    c.segments = segments(s);
    y->xcf = xcf_create(&c, local_of(y, s->now));
    CHECK(y->xcf != NULL);
    system_paths(y);
    sim_app_start(y);
    if (s->p.guest) s->p.guest->start(s->p.guest->ctx, s, i);
    for (u32 j = 0; j < s->p.systems; j++) sim_carrier(s, j);
}

/* All that was sent to a paused system arrives at once. */
static void release(struct simxcf *s, u32 i) {
    u32 keep = 0;
    for (u32 k = 0; k < s->held_count; k++) {
        if (s->held[k].sys == i)
            sim_push(s, s->held[k], 0);
        else
            s->held[keep++] = s->held[k];
    }
    s->held_count = keep;
}

void simxcf_kill(struct simxcf *s, u32 i, bool dropped_is_seen) {
    struct sim_sys *y = &s->sys[i];
    if (!y->up) return;
    y->up = y->paused = y->waiting = false;
    y->due = TIME_NEVER;
    if (dropped_is_seen) y->connected = false;
    s->r.kills++;
    release(s, i);
    for (u32 j = 0; j < s->p.systems; j++) {
        if (j == i) continue;
        sim_carrier(s, j);
        if (!dropped_is_seen || !s->p.arbiter || !s->sys[j].reach) continue;
        sim_push(s, (struct sim_event){.kind = SIM_DROPPED, .sys = j, .life = s->sys[j].life, .id = y->id},
                 500);
    }
}

void simxcf_pause(struct simxcf *s, u32 i, bool paused) {
    struct sim_sys *y = &s->sys[i];
    if (!y->up || y->paused == paused) return;
    y->paused = paused;
    if (paused) y->paused_at = s->now;
    if (!paused && s->now - y->paused_at >= SIM_STILL_US) y->steady_since = s->now;
    if (paused) {
        s->r.pauses++;
        return;
    }
    /* It can know, so it must: unless it hears first that the arbiter was lost. */
    y->woke_isolated = y->reach && y->reach_since <= y->paused_at && y->isolated >= y->id.incarnation;
    release(s, i);
    if (!y->waiting) {
        sim_wake(y);
        y->due++; /* it finds its interrupts pending before its timer */
    }
}

void simxcf_path(struct simxcf *s, u32 from, u32 to, u32 k, enum simxcf_wire w) {
    struct sim_wire *x = sim_wire_at(s, from, to, k);
    if (x->wire != SIMXCF_OK && w == SIMXCF_OK) x->ok_since = s->now;
    x->wire = w;
    sim_carrier(s, from);
    sim_carrier(s, to);
}
void simxcf_pair(struct simxcf *s, u32 a, u32 b, enum simxcf_wire w) {
    for (u32 k = 0; k < SIMXCF_PATHS; k++) {
        simxcf_path(s, a, b, k, w);
        simxcf_path(s, b, a, k, w);
    }
}
void simxcf_reach(struct simxcf *s, u32 i, bool reachable) {
    struct sim_sys *y = &s->sys[i];
    if (y->reach && !reachable)
        sim_push(s, (struct sim_event){.kind = SIM_LOST, .sys = i, .life = y->life}, 300);
    if (!y->reach && reachable) y->reach_since = s->now;
    y->reach = reachable;
    if (!reachable) y->woke_isolated = y->connected = false; /* it can no longer know */
}
void simxcf_arbiter_slow(struct simxcf *s, u64 answer_us) {
    s->answer_us = answer_us;
}
void simxcf_noise(struct simxcf *s, u32 loss_permille, u32 double_permille) {
    s->loss_permille = loss_permille;
    s->double_permille = double_permille;
}
void simxcf_heal(struct simxcf *s) {
    simxcf_noise(s, 0, 0);
    for (u32 i = 0; i < s->p.systems; i++) {
        simxcf_reach(s, i, true);
        simxcf_pause(s, i, false);
        for (u32 j = 0; j < i; j++) simxcf_pair(s, i, j, SIMXCF_OK);
    }
    /* The operators start what gave up. */
    for (u32 w = 0; w < s->p.systems * s->p.systems * SIMXCF_PATHS; w++) {
        struct sim_wire *x = &s->wire[w];
        if (x->from == x->to) continue;
        if (runs(&s->sys[x->from])) xcf_path_start(x->out, simxcf_local(s, x->from));
        if (runs(&s->sys[x->to])) xcf_path_start(x->in, simxcf_local(s, x->to));
    }
}

/* ---- time ---- */

static void hold(struct simxcf *s, const struct sim_event *e) {
    s->held = grown(s->held, s->held_count, &s->held_size, sizeof *s->held);
    s->held[s->held_count++] = *e;
}

static void event(struct simxcf *s, const struct sim_event *e) {
    struct sim_sys *y = &s->sys[e->sys];
    if (e->kind == SIM_ISOLATE) { /* it has left its system */
        sim_arbiter_event(s, e);
        return;
    }
    if (y->up && y->paused && y->life == e->life) {
        hold(s, e);
        return;
    }
    y->touched = true;
    if (e->kind == SIM_BLOCK) {
        wire_arrived(s, e);
        return;
    }
    if (!runs(y) || y->life != e->life) return;
    if (e->kind == SIM_ROOM)
        xcf_path_room(s->wire[e->path].out, local_of(y, s->now));
    else if (e->kind == SIM_OPERATOR)
        sim_operator_event(s, e);
    else
        sim_arbiter_event(s, e);
    sim_wake(y);
}

static struct sim_sys *next_due(struct simxcf *s) {
    struct sim_sys *first = NULL;
    for (u32 i = 0; i < s->p.systems; i++) {
        struct sim_sys *y = &s->sys[i];
        if (runs(y) && (!first || y->due < first->due)) first = y;
    }
    return first;
}

void simxcf_run(struct simxcf *s, u64 us) {
    u64 end = s->now + us;
    for (;;) {
        struct sim_sys *y = next_due(s);
        u64 at = y ? y->due : TIME_NEVER;
        bool is_event = s->heap_count && s->heap[0].at <= at;
        if (is_event) at = s->heap[0].at;
        if (at > end) break;
        s->now = u64_max(s->now, at);
        if (is_event) {
            struct sim_event e = pop(s);
            event(s, &e);
        } else {
            poll(y);
        }
    }
    s->now = end;
}

/* ---- life of the whole ---- */

static void systems_create(struct simxcf *s) {
    struct arena none = {0};
    struct xcf_config c = {
        .arena = &none, .couple = &s->couple, .systems = s->p.systems, .groups = 8, .segments = segments(s)};
    c.members = s->p.systems * 8;
    s->sys = calloc(s->p.systems, sizeof *s->sys);
    s->wire = calloc(s->p.systems * s->p.systems * SIMXCF_PATHS, sizeof *s->wire);
    CHECK(s->sys && s->wire);
    for (u32 i = 0; i < s->p.systems; i++) {
        struct sim_sys *y = &s->sys[i];
        y->s = s;
        y->index = i;
        y->reach = true;
        y->due = TIME_NEVER;
        y->bytes = xcf_bytes(&c);
        y->storage = malloc(y->bytes);
        y->partner = calloc(s->p.systems, sizeof *y->partner);
        CHECK(y->storage && y->partner);
        str_fmt(y->id.name, sizeof y->id.name, "SYS%02u", i + 1);
        y->id.incarnation = 100 * (i + 1);
        if (s->p.drift_ppm) y->drift_ppm = (i32)sim_random(s, 2 * s->p.drift_ppm + 1) - (i32)s->p.drift_ppm;
        for (u32 j = 0; j < s->p.systems; j++)
            for (u32 k = 0; k < SIMXCF_PATHS; k++)
                *sim_wire_at(s, i, j, k) = (struct sim_wire){.s = s, .from = i, .to = j, .k = k};
    }
}

struct simxcf *simxcf_create(const struct simxcf_params *p) {
    struct simxcf *s = calloc(1, sizeof *s);
    CHECK(s != NULL);
    s->p = *p;
    s->random = p->seed * 0x9E3779B97F4A7C15u + 0x1234567;
    s->digest = 2166136261u;
    if (p->couple) {
        s->couple = *p->couple;
    } else {
        couple_default(&s->couple);
        str_copy(s->couple.sysplex, sizeof s->couple.sysplex, "PLEX1");
        s->couple.interval_s = s->couple.cleanup_s = 5;
    }
    systems_create(s);
    for (u32 i = 0; i < p->systems; i++) simxcf_start(s, i);
    return s;
}

void simxcf_destroy(struct simxcf *s) {
    for (u32 i = 0; i < s->heap_count; i++) free(s->heap[i].bytes);
    for (u32 i = 0; i < s->held_count; i++) free(s->held[i].bytes);
    for (u32 i = 0; i < s->p.systems; i++) {
        struct sim_sys *y = &s->sys[i];
        for (u32 k = 0; k < SIM_LINES; k++) free(y->lines[k]);
        free(y->storage);
        free(y->partner);
    }
    free(s->sys);
    free(s->wire);
    free(s->heap);
    free(s->held);
    free(s);
}

bool simxcf_runs(const struct simxcf *s, u32 i) {
    return runs(&s->sys[i]);
}
bool simxcf_up(const struct simxcf *s, u32 i) {
    return s->sys[i].up;
}
u32 simxcf_systems(const struct simxcf *s) {
    return s->p.systems;
}
u32 simxcf_draw(struct simxcf *s, u32 n) {
    return sim_random(s, n);
}
void simxcf_note(struct simxcf *s, u32 value) {
    sim_digest(s, value);
}
void simxcf_broken(struct simxcf *s, const char *what) {
    sim_fail(s, "%s", what);
}
struct xcf *simxcf_xcf(struct simxcf *s, u32 i) {
    return s->sys[i].xcf;
}
const struct xcf_sysid *simxcf_id(const struct simxcf *s, u32 i) {
    return &s->sys[i].id;
}
bool simxcf_waiting(const struct simxcf *s, u32 i) {
    return s->sys[i].waiting;
}
bool simxcf_isolated(const struct simxcf *s, u32 i) {
    return s->sys[i].isolated >= s->sys[i].id.incarnation;
}
