/* simrebuild.c - systems that keep entries in a structure that moves. See simrebuild.h. */
#include "tests/sim/simrebuild.h"

#include <stdlib.h>
#include <string.h>

#include "base/be.h"
#include "base/str.h"
#include "hercules-devices/cf_internal.h"
#include "tests/sim/simmember.h"

#define ENTRIES    12u
#define LISTS      4u
#define STRUCTURE  "IXCREBUILD"
#define REST_TURNS 400000u

struct side {
    struct simmember m; /* first */
    struct xes_connection *con; /* that its entries are written to; NULL: none */
    struct xes_connection *asked; /* to which the outstanding request went */
    struct xes_connection *made; /* that populate() gave; what was written there says nothing of the old one */
    bool stopping;              /* quiesce() was called and a request is still outstanding */
    bool populating;
    bool wanted[ENTRIES], dirty[ENTRIES], written[ENTRIES]; /* written: what the outstanding request makes true */
    u32 busy;                                               /* entry + 1 of the outstanding request */
    u8 *cmd;
    struct xes_request request;
};
struct simrebuild {
    struct simcf *z;
    u32 systems;
    struct side s[SIMCF_SYSTEMS];
};

struct simcf *simrebuild_world(struct simrebuild *w) { return w->z; }
struct rebuild *simrebuild_of(struct simrebuild *w, u32 system) { return w->s[system].m.r; }

/* ---- entries ---- */

static void entry_name(u8 out[CF_ENTRY_NAME_BYTES], u32 system, u32 entry) {
    char text[16];
    str_fmt(text, sizeof text, "%c%u", (int)('A' + system), entry);
    memset(out, ' ', CF_ENTRY_NAME_BYTES);
    memcpy(out, text, strlen(text));
}

static void work(struct side *s, u64 now);

static void on_done(void *ctx, struct xes_request *q, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct side *s = ctx;
    u32 e = s->busy - 1;
    UNUSED(q);
    UNUSED(rsp);
    UNUSED(len);
    s->busy = 0;
    bool done = rc == CF_OK || (rc == CF_RC_NO_ENTRY && !s->written[e]);
    /* Not executed, or not known to be: it is still to be done wherever the structure will be. */
    if (done && s->asked == s->con && s->written[e] == s->wanted[e]) s->dirty[e] = false;
    CHECK(done || rc == XES_LOST || rc == CF_RC_NOT_CONNECTED || rc == CF_RC_NO_STRUCTURE);
    work(s, now);
}

/* The next entry that is not as it should be; nothing outstanding may be left when a rebuild wants quiet. */
static void work(struct side *s, u64 now) {
    if (s->busy) return;
    if (s->stopping) {
        s->stopping = false;
        s->con = NULL;
        rebuild_quiesced(s->m.r, now);
        return;
    }
    for (u32 i = 0; s->con && i < ENTRIES; i++) {
        if (!s->dirty[i]) continue;
        memset(s->cmd, 0, CF_LIST_BYTES);
        cf_command_put(s->cmd, s->wanted[i] ? CF_WRITE : CF_DELETE, 0, CF_LIST_BYTES, s->con->token, s->con->id);
        be32_put(s->cmd + 16, s->m.index % LISTS);
        s->cmd[36] = CF_BY_NAME;
        entry_name(s->cmd + 64, s->m.index, i);
        s->written[i] = s->wanted[i];
        s->request = (struct xes_request){.cmd = s->cmd, .len = CF_LIST_BYTES, .done = on_done, .ctx = s};
        s->asked = s->con;
        if (xes_submit(s->con->x, &s->request) == 0) s->busy = i + 1;
        return;
    }
    if (!s->con || !s->populating) return;
    s->populating = false;
    s->con = NULL;
    rebuild_populated(s->m.r, now);
}

static void all_dirty(struct side *s) {
    for (u32 i = 0; i < ENTRIES; i++) s->dirty[i] = true;
}

/* ---- what the rebuild calls ---- */

static void on_quiesce(void *ctx, u64 now) {
    struct side *s = ctx;
    s->stopping = true;
    work(s, now);
}
static void on_populate(void *ctx, struct xes_connection *con, u64 now) {
    struct side *s = ctx;
    all_dirty(s);
    s->con = s->made = con;
    s->populating = true;
    work(s, now);
}
static void on_use(void *ctx, struct xes_connection *con, bool lost, u64 now) {
    struct side *s = ctx;
    if (lost || (s->made && s->made != con)) all_dirty(s);
    s->made = NULL;
    s->populating = s->stopping = false;
    s->con = con;
    work(s, now);
}
static void on_unusable(void *ctx, u64 now) {
    struct side *s = ctx;
    UNUSED(now);
    s->populating = s->stopping = false;
    s->con = NULL;
}
static const struct rebuild_ops ops = {
    .quiesce = on_quiesce, .populate = on_populate, .use = on_use, .unusable = on_unusable, .prefer = simmember_prefer};

/* ---- life ---- */

static void side_begin(struct simrebuild *w, u32 i) {
    struct side *s = &w->s[i];
    struct rebuild_config c = {.arena = simcf_arena(w->z, i), .ops = &ops, .ctx = s};
    *s = (struct side){.cmd = arena_take(simcf_arena(w->z, i), CF_LIST_BYTES, 8)};
    CHECK(s->cmd);
    simmember_connect_put(c.connect, i, STRUCTURE, CF_CONN_NAMES, LISTS, 256);
    for (u32 k = 0; k < ENTRIES / 2; k++) s->wanted[k] = s->dirty[k] = true;
    simmember_begin(&s->m, w->z, i, &c);
}

struct simrebuild *simrebuild_create(u32 systems, u32 seed) {
    struct simrebuild *w = calloc(1, sizeof *w);
    CHECK(w);
    w->systems = systems;
    w->z = simcf_create(systems, SIMCF_FACILITIES, seed);
    for (u32 i = 0; i < systems; i++) side_begin(w, i);
    return w;
}

void simrebuild_destroy(struct simrebuild *w) {
    simcf_destroy(w->z);
    free(w);
}

/* ---- running ---- */

static void poll_all(struct simrebuild *w) {
    for (u32 i = 0; i < w->systems; i++)
        if (!w->s[i].m.stopped) rebuild_poll(w->s[i].m.r, simcf_now(w->z));
}

void simrebuild_step(struct simrebuild *w) {
    if (!simcf_step(w->z)) simcf_later(w->z, 100 * (u64)USEC_PER_MSEC);
    poll_all(w);
}

void simrebuild_steps(struct simrebuild *w, u32 n) {
    while (n--) simrebuild_step(w);
}

void simrebuild_rest(struct simrebuild *w) {
    u32 quiet = 0;
    for (u32 turns = 0; quiet < 30; turns++) {
        CHECK(turns < REST_TURNS);
        poll_all(w);
        if (simcf_step(w->z)) continue;
        simcf_later(w->z, 100 * (u64)USEC_PER_MSEC);
        /* A search or a look that is made each second is no unrest. */
        quiet++;
    }
}

void simrebuild_change(struct simrebuild *w, u32 system) {
    struct side *s = &w->s[system];
    for (u32 i = 0; i < 3; i++) {
        u32 e = simcf_random(w->z, ENTRIES);
        s->wanted[e] = !s->wanted[e];
        s->dirty[e] = true;
    }
    work(s, simcf_now(w->z));
}

void simrebuild_stop(struct simrebuild *w, u32 system) { simmember_stop(&w->s[system].m); }

/* ---- what must hold ---- */

static u32 times_there(struct simcf *z, u32 facility, u32 system, u32 entry) {
    u8 name[CF_ENTRY_NAME_BYTES];
    const struct cf_structure *s = simmember_structure(z, facility, STRUCTURE);
    u32 n = 0;
    CHECK(s);
    entry_name(name, system, entry);
    for (u32 i = 0; i < s->u.list.entries; i++) {
        const struct cf_entry *e = &s->u.list.entry[i];
        n += e->key && memcmp(e->name, name, sizeof name) == 0;
    }
    return n;
}

u32 simrebuild_check(struct simrebuild *w) {
    u32 where = SIMCF_FACILITIES;
    simrebuild_rest(w);
    simmember_tell_gone(w->s, w->systems, sizeof w->s[0]);
    simrebuild_rest(w);
    for (u32 i = 0; i < w->systems; i++) {
        struct side *s = &w->s[i];
        if (s->m.stopped) continue;
        for (u32 k = 0; k < w->systems && rebuild_state(s->m.r) != REBUILD_IN_USE; k++) simmember_complain(&w->s[k].m);
        CHECK(rebuild_state(s->m.r) == REBUILD_IN_USE);
        u32 at = simmember_facility(&s->m);
        if (where == SIMCF_FACILITIES) where = at;
        CHECK(at == where);
        CHECK(!s->busy);
    }
    for (u32 i = 0; i < w->systems; i++)
        for (u32 e = 0; e < ENTRIES && !w->s[i].m.stopped; e++)
            CHECK(times_there(w->z, where, i, e) == w->s[i].wanted[e]);
    return where;
}

/* ---- random runs ---- */

static void fault(struct simrebuild *w) {
    struct simcf *z = w->z;
    u32 system = simcf_random(z, w->systems), facility = simcf_random(z, SIMCF_FACILITIES), what = simcf_random(z, 16);
    if (what < 6 && !w->s[system].m.stopped) simrebuild_change(w, system);
    else if (what < 9 && !w->s[system].m.stopped) rebuild_start(w->s[system].m.r, NULL, simcf_now(z));
    else if (what == 9 && !w->s[system].m.stopped) rebuild_stop(w->s[system].m.r, simcf_now(z));
    else if (what == 10) simcf_kill(z, facility);
    else if (what == 11 || what == 12) simcf_start(z, facility);
    else if (what == 13 && !w->s[system].m.stopped) simcf_cut(z, system, facility, true);
    else if (what >= 14 && !w->s[system].m.stopped) simcf_cut(z, system, facility, false);
}

void simrebuild_random(u32 seed, u32 events, struct rebuild_counters *sum) {
    struct simrebuild *w = simrebuild_create(2 + seed % 4, seed);
    bool one_dies = seed % 5 == 0;
    for (u32 i = 0; i < events; i++) {
        simrebuild_steps(w, simcf_random(w->z, 40));
        fault(w);
        if (one_dies && i == events / 2) simrebuild_stop(w, 0);
    }
    for (u32 k = 0; k < SIMCF_FACILITIES; k++) {
        simcf_start(w->z, k);
        for (u32 i = 0; i < w->systems; i++)
            if (!w->s[i].m.stopped) simcf_cut(w->z, i, k, false);
    }
    simrebuild_check(w);
    for (u32 i = 0; i < w->systems; i++) {
        const struct rebuild_counters *c = rebuild_counters(w->s[i].m.r);
        sum->started += c->started;
        sum->completed += c->completed;
        sum->stopped += c->stopped;
        sum->losses += c->losses;
        sum->drop_malformed += c->drop_malformed;
    }
    simrebuild_destroy(w);
}
