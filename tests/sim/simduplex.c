/* simduplex.c - systems that send one another numbered entries over a duplexed structure. See simduplex.h. */
#include "tests/sim/simduplex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/be.h"
#include "base/str.h"
#include "hercules-devices/cf_internal.h"
#include "tests/sim/simmember.h"

#define STRUCTURE   "IXCDUPLEX"
#define SLOTS       3u
#define NUMBERS     20000u
#define REST_TURNS  400000u
#define ENTRY_BYTES 8u

enum fate { FREE, SENT, ANSWERED, UNKNOWN }; /* of a number */

struct side;
struct slot {
    struct side *s;
    struct duplex_request r;
    struct xes_request plain;
    bool busy, reads, empties;
    u32 list, number;
};
struct side {
    struct simmember m; /* first */
    struct simduplex *w;
    struct duplex dx;
    struct xes_connection *con; /* in use */
    bool was_there;
    u32 listed; /* connections, when it looked last */
    bool probe; /* somebody has left: had he ended what he had begun? */
    bool moving; /* from quiesce() until it is told what to use */
    bool quiescing, populating, drained_not;
    bool empty; /* its list in the old structure has been read to its end */
    bool unknown; /* what is in its list: it has come to a structure that others have used while it was in another one, or in none */
    u32 outstanding;
    struct slot slot[SLOTS];
    struct xes_request clear; /* the own list in a structure that it has just connected to: it may have been there before */
    u8 *clear_cmd;
    u32 next[SIMCF_SYSTEMS];             /* the next number, by list */
    u32 last[SIMCF_SYSTEMS];             /* the last number that was read from its list, by writer */
    u8 fate[SIMCF_SYSTEMS][NUMBERS];     /* of its own numbers, by list */
    bool received[SIMCF_SYSTEMS][NUMBERS]; /* from its list, by writer */
};
struct simduplex {
    struct simcf *z;
    u32 systems;
    bool idle; /* nobody begins anything */
    u64 losses, answered, read;
    struct side s[SIMCF_SYSTEMS];
};

struct simcf *simduplex_world(struct simduplex *w) { return w->z; }
struct rebuild *simduplex_of(struct simduplex *w, u32 system) { return w->s[system].m.r; }
u64 simduplex_losses(const struct simduplex *w) { return w->losses; }
u32 simduplex_systems(const struct simduplex *w) { return w->systems; }
bool simduplex_lives(const struct simduplex *w, u32 system) { return simmember_lives(&w->s[system].m); }

/* ---- entries ---- */

/* None twice, and a writer's in their order. */
static void received(struct side *s, const u8 *rsp, u32 len) {
    for (u32 at = CF_RSP_BYTES; at < len; at += be32_get(rsp + at)) {
        u32 writer = be32_get(rsp + at + CF_ENTRY_BYTES), number = be32_get(rsp + at + CF_ENTRY_BYTES + 4);
        CHECK(writer < s->w->systems && number < NUMBERS && number > s->last[writer]);
        s->last[writer] = number;
        s->received[writer][number] = true;
        s->w->read++;
    }
}

static void rest(struct side *s, u64 now) {
    if (s->outstanding) return;
    if (s->quiescing) {
        s->quiescing = false;
        rebuild_quiesced(s->m.r, now);
    }
}

static void slot_begin(struct slot *o);

static void on_done(void *ctx, struct xes_request *q, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct slot *o = ctx;
    struct side *s = o->s;
    UNUSED(q);
    o->busy = false;
    s->outstanding--;
    CHECK(rc == CF_OK || rc == CF_RC_MORE || rc == CF_RC_FULL || rc == XES_LOST || rc == CF_RC_NOT_CONNECTED || rc == CF_RC_NO_STRUCTURE);
    bool done = rc == CF_OK || rc == CF_RC_MORE;
    if (o->empties) {
        o->empties = false;
        s->unknown &= !done;
        s->was_there |= done;
    } else if (o->reads) {
        if (done) received(s, rsp, len);
        s->drained_not |= s->populating && !done;
        s->empty |= s->populating && rc == CF_OK;
        if (s->populating && rc != CF_RC_MORE) {
            s->populating = false;
            rebuild_populated(s->m.r, now);
        } else if (s->populating) {
            slot_begin(o);
        }
    } else {
        s->fate[o->list][o->number] = done ? ANSWERED : rc == CF_RC_FULL ? FREE : UNKNOWN;
        s->w->answered += done;
    }
    rest(s, now);
}

static void slot_begin(struct slot *o) {
    struct side *s = o->s;
    struct xes_connection *con = s->con;
    u8 *cmd = o->r.q.cmd;
    memset(cmd, 0, CF_LIST_BYTES);
    cf_command_put(cmd, o->empties ? CF_DELETE_LIST : o->reads ? CF_READ_LIST : CF_WRITE, 0, CF_LIST_BYTES + (o->reads ? 0 : ENTRY_BYTES), con->token, con->id);
    be32_put(cmd + 16, o->list);
    be16_put(cmd + 38, (u16)(CF_F_DATA | (o->reads ? CF_F_DELETE : 0)));
    cmd[37] = !o->reads;
    be32_put(cmd + CF_LIST_BYTES, s->m.index);
    be32_put(cmd + CF_LIST_BYTES + 4, o->number);
    o->r.q.len = be32_get(cmd + 4);
    o->r.q.done = on_done;
    o->r.q.ctx = o;
    o->plain = o->r.q;
    int rc = s->dx.mode != DUPLEX_OFF ? duplex_submit(&s->dx, &o->r) : xes_submit(con->x, &o->plain);
    o->busy = rc == 0;
    s->outstanding += rc == 0;
    if (!o->reads && rc == 0) s->fate[o->list][o->number] = SENT;
}

/* Some slot begins something: a read of the own list, or a write to one whose reader lives. */
static void work(struct side *s) {
    struct simcf *z = s->w->z;
    struct slot *o = &s->slot[simcf_random(z, SLOTS)];
    if (o->busy || !s->con || s->moving || s->unknown || s->m.stopped) return;
    o->reads = simcf_random(z, 4) == 0;
    o->list = o->reads ? s->m.index : simcf_random(z, s->w->systems);
    if (!o->reads && (s->w->s[o->list].m.stopped || !s->w->s[o->list].was_there || s->next[o->list] + 1 == NUMBERS)) return;
    if (!o->reads) o->number = ++s->next[o->list];
    slot_begin(o);
}

/* As a user of signalling does (xcf/strpath_move.c): what may be there was written before this system came, or was read elsewhere. */
static void empty_own(struct side *s) {
    struct slot *o = &s->slot[0];
    if (!s->unknown || s->outstanding || !s->con || s->moving) return;
    o->reads = o->empties = true;
    o->list = s->m.index;
    slot_begin(o);
    o->empties = o->busy;
}

/* ---- what the rebuild and the pair call ---- */

static void on_quiesce(void *ctx, u64 now) {
    struct side *s = ctx;
    s->quiescing = s->moving = true;
    rest(s, now);
}

/* What the others have written is read to its end, so both structures are empty. */
static void on_cleared(void *ctx, struct xes_request *q, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct side *s = ctx;
    UNUSED(q);
    UNUSED(rc);
    UNUSED(rsp);
    UNUSED(len);
    s->outstanding--;
    rest(s, now);
}
static void on_joined(void *ctx, struct xes_connection *con, u64 now) {
    struct side *s = ctx;
    UNUSED(now);
    if (rebuild_state(s->m.r) == REBUILD_CONNECTING) return; /* others may have written to it already */
    memset(s->clear_cmd, 0, CF_LIST_BYTES);
    cf_command_put(s->clear_cmd, CF_DELETE_LIST, 0, CF_LIST_BYTES, con->token, con->id);
    be32_put(s->clear_cmd + 16, s->m.index);
    s->clear = (struct xes_request){.cmd = s->clear_cmd, .len = CF_LIST_BYTES, .done = on_cleared, .ctx = s};
    s->outstanding += xes_submit(con->x, &s->clear) == 0; /* it is executed before anybody is told that this system has joined */
}

static void on_populate(void *ctx, struct xes_connection *con, u64 now) {
    struct side *s = ctx;
    struct slot *o = &s->slot[0]; /* all of them are free: it has quiesced */
    UNUSED(con);
    s->moving = true; /* it may have been connected only to come along */
    s->empty = false;
    s->populating = s->con && s->con->connected && !o->busy;
    if (!s->populating) {
        rebuild_populated(s->m.r, now);
        return;
    }
    duplex_off(&s->dx, now);
    o->reads = true;
    o->list = s->m.index;
    slot_begin(o);
    if (o->busy) return;
    s->populating = false;
    rebuild_populated(s->m.r, now);
}

static void on_use(void *ctx, struct xes_connection *con, bool lost, u64 now) {
    struct side *s = ctx;
    s->w->losses += lost || s->drained_not;
    s->unknown |= lost || s->drained_not;
    s->moving = s->quiescing = s->populating = s->drained_not = false;
    bool same = s->con == con; /* what is under way there comes to its end */
    s->con = con;
    s->was_there = true;
    if (s->dx.mode == DUPLEX_HELD) duplex_single(&s->dx, con, now);
    else if (!same) duplex_off(&s->dx, now);
}
static void on_unusable(void *ctx, u64 now) {
    struct side *s = ctx;
    s->w->losses += s->con != NULL;
    s->con = NULL;
    s->moving = s->quiescing = s->populating = false;
    duplex_off(&s->dx, now);
}
static void on_pair(void *ctx, struct xes_connection *first, struct xes_connection *second, u32 epoch, u64 now) {
    struct side *s = ctx;
    bool joins = !s->moving; /* what is there already */
    duplex_off(&s->dx, now);
    s->con = first;
    s->w->losses += s->drained_not;
    s->moving = s->quiescing = s->populating = s->drained_not = false;
    duplex_pair(&s->dx, first, second, epoch);
    /* It has come to the pair, or while it was being made, and nobody knows what is in its list in each of them. */
    s->unknown = joins || !s->empty;
    s->was_there |= !s->unknown; /* nobody writes to it before its list is empty: what came too early is sent again (xcf/path.h) */
    empty_own(s);
}
static void on_hold(void *ctx, u64 now) { duplex_hold(&((struct side *)ctx)->dx, now); }
static void on_quiet(void *ctx, u64 now) { rebuild_quiesced(((struct side *)ctx)->m.r, now); }
static void on_broken(void *ctx, bool keep_first, u64 now) { rebuild_simplex(((struct side *)ctx)->m.r, !keep_first, now); }
static void on_connections(void *ctx, const u8 *rsp, u32 len, u64 now) {
    struct side *s = ctx;
    u32 listed = cf_count_get(rsp);
    UNUSED(len);
    UNUSED(now);
    if (listed < s->listed) {
        s->probe = true;
        duplex_left(&s->dx);
    }
    s->listed = listed;
}
static const struct rebuild_ops ops = {.quiesce = on_quiesce, .populate = on_populate, .use = on_use, .unusable = on_unusable, .prefer = simmember_prefer, .connections = on_connections,
                                       .joined = on_joined, .pair = on_pair, .hold = on_hold};
static const struct duplex_ops duplex_calls = {.quiet = on_quiet, .broken = on_broken};

/* ---- life ---- */

static void side_begin(struct simduplex *w, u32 i) {
    struct side *s = &w->s[i];
    struct arena *a = simcf_arena(w->z, i);
    struct rebuild_config c = {.arena = a, .ops = &ops, .ctx = s};
    s->w = w;
    simmember_connect_put(c.connect, i, STRUCTURE, 0, SIMCF_SYSTEMS, 512);
    s->clear_cmd = arena_take(a, CF_LIST_BYTES, 8);
    CHECK(s->clear_cmd);
    duplex_init(&s->dx, &duplex_calls, s);
    for (u32 k = 0; k < SLOTS; k++) {
        struct slot *o = &s->slot[k];
        u8 *front = arena_take(a, CF_ORDERED_BYTES + CF_LIST_BYTES + ENTRY_BYTES, 8);
        o->s = s;
        CHECK(front);
        o->r.q.cmd = front + CF_ORDERED_BYTES;
        o->r.large = arena_take(a, CF_MESSAGE_MAX, 8);
        CHECK(o->r.large);
    }
    simmember_begin(&s->m, w->z, i, &c);
}

void simduplex_load(struct simduplex *w, bool settles) {
    for (u32 i = 0; i < w->systems; i++)
        if (!w->s[i].m.loaded) {
            w->s[i].m.settles = settles;
            side_begin(w, i);
        }
}

/* Without power nobody tells anybody anything any more when links are closed one by one. */
void simduplex_destroy(struct simduplex *w) {
    for (u32 k = 0; k < SIMCF_FACILITIES; k++) simcf_kill(w->z, k);
    simcf_settle(w->z);
    simcf_destroy(w->z);
    free(w);
}

/* ---- running ---- */

static bool lives(const struct side *s) { return simmember_lives(&s->m); }

/* What xcf/duplex.h asks of its users when one has left: a command, which finds the number that is missing. */
static void probe(struct side *s) {
    struct slot *o = &s->slot[0];
    if (!s->probe || o->busy || !s->con || s->moving || s->unknown) return;
    s->probe = false;
    o->reads = true;
    o->list = s->m.index;
    slot_begin(o);
}

static void poll_all(struct simduplex *w) {
    for (u32 i = 0; i < w->systems; i++) {
        if (!lives(&w->s[i])) continue;
        duplex_poll(&w->s[i].dx, simcf_now(w->z));
        empty_own(&w->s[i]);
        probe(&w->s[i]);
        rebuild_poll(w->s[i].m.r, simcf_now(w->z));
    }
}

void simduplex_steps(struct simduplex *w, u32 n) {
    w->idle = false;
    while (n--) {
        struct side *s = &w->s[simcf_random(w->z, w->systems)];
        if (lives(s)) work(s);
        if (!simcf_step(w->z)) simcf_later(w->z, USEC_PER_MSEC);
        poll_all(w);
    }
}

static void rest_all(struct simduplex *w) {
    u32 quiet = 0;
    for (u32 turns = 0; quiet < 40; turns++) {
        CHECK(turns < REST_TURNS);
        poll_all(w);
        if (simcf_step(w->z)) continue;
        bool busy = false;
        for (u32 i = 0; i < w->systems; i++) busy |= lives(&w->s[i]) && w->s[i].outstanding;
        /* Who waits for his turn at the second one looks each millisecond. */
        simcf_later(w->z, (busy ? 1 : 100) * (u64)USEC_PER_MSEC);
        quiet += !busy;
    }
}

struct simduplex *simduplex_create(u32 systems, u32 late, u32 seed) {
    struct simduplex *w = calloc(1, sizeof *w);
    CHECK(w);
    w->systems = systems;
    w->z = simcf_create_large(systems, SIMCF_FACILITIES, seed, 4u << 20);
    simcf_verify_every(w->z, 16);
    for (u32 i = 0; i < systems - late; i++) side_begin(w, i);
    /* That systems make a structure each, and then all go to one, is xcf/rebuild.h's matter: nothing is in them yet. */
    rest_all(w);
    w->losses = 0;
    return w;
}

void simduplex_pair(struct simduplex *w) {
    rest_all(w);
    for (u32 i = 0; i < w->systems; i++)
        if (lives(&w->s[i]) && rebuild_state(w->s[i].m.r) == REBUILD_IN_USE) {
            CHECK(rebuild_duplex(w->s[i].m.r, simcf_now(w->z)) == 0);
            break;
        }
    rest_all(w);
}

void simduplex_stop(struct simduplex *w, u32 system) {
    simmember_stop(&w->s[system].m);
}

/* ---- what must hold ---- */

/* The entry behind e, and what it says. */
static struct cf_entry *entry_after(const struct cf_structure *s, u32 list, struct cf_entry *e, u8 out[ENTRY_BYTES]) {
    e = cf_entry_next((struct cf_lists *)&s->u.list, list, e, NULL, false);
    if (e) {
        CHECK(e->data.bytes == ENTRY_BYTES);
        cf_data_get(&s->el, &e->data, out);
    }
    return e;
}

static void check_alike(struct simduplex *w) {
    const struct cf_structure *a = simmember_structure(w->z, 0, STRUCTURE), *b = simmember_structure(w->z, 1, STRUCTURE);
    CHECK(a && b && (a->epoch != b->epoch || a->ordinal == b->ordinal)); /* the epoch begins with its first command */
    for (u32 list = 0; list < w->systems; list++) {
        struct cf_entry *x = NULL, *y = NULL;
        u8 in_a[ENTRY_BYTES], in_b[ENTRY_BYTES];
        if (!lives(&w->s[list])) continue; /* who reads it is gone, and what was left to it is nobody's */
        do {
            x = entry_after(a, list, x, in_a);
            y = entry_after(b, list, y, in_b);
            CHECK(!x == !y);
            if (x) CHECK(memcmp(in_a, in_b, ENTRY_BYTES) == 0);
        } while (x);
    }
}

static void check_answered(struct simduplex *w, u32 facility) {
    const struct cf_structure *s = simmember_structure(w->z, facility, STRUCTURE);
    static bool there[SIMCF_SYSTEMS][NUMBERS];
    CHECK(s);
    for (u32 list = 0; list < w->systems; list++) {
        u8 says[ENTRY_BYTES];
        if (!lives(&w->s[list])) continue;
        memset(there, 0, sizeof there);
        for (struct cf_entry *e = entry_after(s, list, NULL, says); e; e = entry_after(s, list, e, says)) {
            u32 writer = be32_get(says), number = be32_get(says + 4);
            CHECK(writer < w->systems && number < NUMBERS && !there[writer][number] && !w->s[list].received[writer][number]);
            there[writer][number] = true;
        }
        for (u32 writer = 0; writer < w->systems; writer++)
            for (u32 n = 1; n <= w->s[writer].next[list]; n++)
                if (w->s[writer].fate[list][n] == ANSWERED)
                    CHECK(there[writer][n] || w->s[list].received[writer][n] || w->losses);
    }
}

static void complain(const struct simduplex *w) {
    for (u32 i = 0; i < w->systems; i++) {
        const struct side *s = &w->s[i];
        simmember_complain(&s->m);
        fprintf(stderr, "  %u outstanding, mode %u, gaps %llu, mismatches %llu\n", s->outstanding, (u32)s->dx.mode,
                (unsigned long long)s->dx.count.gaps, (unsigned long long)s->dx.count.mismatches);
    }
}

bool simduplex_check(struct simduplex *w, u32 *facility) {
    enum rebuild_state state = REBUILD_STATES;
    u32 where = SIMCF_FACILITIES;
    rest_all(w);
    simmember_tell_gone(w->s, w->systems, sizeof w->s[0]);
    rest_all(w);
    for (u32 i = 0; i < w->systems; i++) {
        struct side *s = &w->s[i];
        if (!lives(s)) continue;
        if (state == REBUILD_STATES) state = rebuild_state(s->m.r);
        bool right = (state == REBUILD_IN_USE || state == REBUILD_DUPLEX) && rebuild_state(s->m.r) == state && !s->outstanding;
        if (!right) complain(w);
        CHECK(right);
        u32 at = simmember_facility(&s->m);
        if (where == SIMCF_FACILITIES) where = at;
        CHECK(at == where);
    }
    if (state == REBUILD_DUPLEX) check_alike(w);
    check_answered(w, where);
    if (facility) *facility = where;
    return state == REBUILD_DUPLEX;
}

void simduplex_result(const struct simduplex *w, struct simduplex_result *sum) {
    sum->answered += w->answered;
    sum->read += w->read;
    sum->losses += w->losses;
    for (u32 i = 0; i < w->systems; i++) {
        const struct side *s = &w->s[i];
        if (!s->m.loaded) continue;
        sum->paired += rebuild_counters(s->m.r)->paired;
        sum->dropped += rebuild_counters(s->m.r)->dropped;
        sum->repeated += s->dx.count.repeated;
        sum->retries += s->dx.count.retries;
        sum->gaps += s->dx.count.gaps;
        sum->mismatches += s->dx.count.mismatches;
    }
}

/* ---- a system that dies between the halves ---- */

/* It has a command that the first one has executed and the second one has not. */
static bool is_half_done(const struct side *s) {
    if (s->dx.mode != DUPLEX_PAIR || !s->dx.first->connected || !s->dx.second->connected) return false;
    const struct cf_structure *second = simmember_structure(s->w->z, 1 - simmember_facility(&s->m), STRUCTURE);
    if (!second) return false; /* it has just lost its power, and this system does not know yet */
    for (u32 i = 0; i < SLOTS; i++) {
        const struct duplex_request *r = &s->slot[i].r;
        if (!s->slot[i].busy || (r->stage != DUPLEX_TURN && r->stage != DUPLEX_SECOND)) continue;
        if (second->epoch < s->dx.epoch || (second->epoch == s->dx.epoch && second->ordinal < r->ordinal)) return true;
    }
    return false;
}

bool simduplex_stop_half_done(struct simduplex *w, u32 system, u32 steps) {
    while (steps-- && !is_half_done(&w->s[system])) simduplex_steps(w, 1);
    bool half = is_half_done(&w->s[system]);
    simduplex_stop(w, system);
    return half;
}
