/* simchan.c - see simchan.h. One struct chan per subchannel; a program is executed and its end presented
 * only by simchan_run(), so a driver meets the same asynchrony as behind Hercules:
 *
 *   chan_start -> PENDING -> (simchan_run) engine CCW -> RUNNING while the engine waits -> ENDED -> done()
 *
 * PCI and attention are one bit each per subchannel, merged as the emulators merge them.
 */
#include "tests/sim/simchan.h"

#include "tests/sim/simchan_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIC_MAX 256 /* transfers in channel without a command between them: a loop */

/* ---- machine ---- */

struct chan_system *simchan_create(size_t storage_bytes) {
    struct chan_system *sys = calloc(1, sizeof *sys);
    CHECK(sys);
    sys->bytes = (storage_bytes + 4095) / 4096 * 4096;
    sys->storage = aligned_alloc(4096, sys->bytes);
    CHECK(sys->storage);
    memset(sys->storage, 0, sys->bytes);
    arena_init(&sys->arena, sys->storage, sys->bytes);
    return sys;
}

void simchan_destroy(struct chan_system *sys) {
    CHECK(simchan_open_count(sys) == 0);
    for (struct sim_group *g = sys->groups, *next; g; g = next) {
        next = g->next;
        free(g);
    }
    free(sys->storage);
    free(sys);
}

struct arena *simchan_arena(struct chan_system *sys) {
    return &sys->arena;
}
const struct simchan_counters *simchan_counters(const struct chan_system *sys) {
    return &sys->count;
}
void simchan_verbose(struct chan_system *sys, bool on) {
    sys->verbose = on;
}

u32 simchan_open_count(const struct chan_system *sys) {
    u32 n = 0;
    for (const struct sim_group *g = sys->groups; g; g = g->next)
        for (u32 i = 0; i < g->units; i++) n += g->chan[i].open;
    return n;
}

/* ---- what an engine asks (struct engine_host) ---- */

static u8 *host_storage(void *ctx, u64 addr, u32 len, bool will_write) {
    struct sim_group *g = ctx;
    UNUSED(will_write);
    u8 *p = chan_ptr(g->sys, addr, len);
    if (!p) g->sys->count.bad_addresses++;
    return p;
}

static void host_complete(void *ctx, u32 unit) {
    struct sim_group *g = ctx;
    CHECK(unit < g->units && g->chan[unit].phase == CHAN_RUNNING);
    g->chan[unit].completed = true;
}

/* A simulated program is a copy: it cannot change any more. */
static u32 host_upcoming(void *ctx, u32 unit, struct engine_next *out, u32 max) {
    const struct sim_group *g = ctx;
    const struct chan *ch = &g->chan[unit];
    u32 n = 0;
    for (u32 i = ch->index + 1; n < max && i < ch->length && ch->program[i].op != CCW_TIC; i++) {
        const struct chan_cmd *c = &ch->program[i];
        out[n++] = (struct engine_next){.code = c->op, .flags = c->flags, .count = c->count};
        if (!(c->flags & CCW_CC)) break;
    }
    return n;
}

static void host_attention(void *ctx, u32 unit, u8 unit_status) {
    struct sim_group *g = ctx;
    CHECK(unit < g->units);
    g->chan[unit].attention = unit_status ? g->chan[unit].attention | unit_status : 0;
    g->sys->count.attentions += unit_status != 0;
}

static void host_pci(void *ctx, u32 unit) {
    struct sim_group *g = ctx;
    CHECK(unit < g->units);
    g->chan[unit].pci = true;
    g->sys->count.pci++;
}

static u8 *host_reserve(void *ctx, u32 bytes) {
    struct sim_group *g = ctx;
    return g->tx.reserve ? g->tx.reserve(g->tx.ctx, bytes) : NULL;
}
static void host_commit(void *ctx, u32 bytes) {
    struct sim_group *g = ctx;
    g->tx.commit(g->tx.ctx, bytes);
}
static void host_flush(void *ctx) {
    struct sim_group *g = ctx;
    if (g->tx.flush) g->tx.flush(g->tx.ctx);
}

static void host_log(void *ctx, enum engine_severity sev, const char *text) {
    struct sim_group *g = ctx;
    snprintf(g->last_log, sizeof g->last_log, "%s", text);
    if (g->sys->verbose) fprintf(stderr, "%04X %c %s\n", g->devnum, "IWE"[sev], text);
}

struct sim_group *simchan_group_add(struct chan_system *sys, u16 devnum, u32 units) {
    CHECK(units <= ENGINE_UNITS_MAX);
    struct sim_group *g = calloc(1, sizeof *g);
    CHECK(g);
    *g = (struct sim_group){.sys = sys, .next = sys->groups, .devnum = devnum, .units = units};
    g->host = (struct engine_host){.ctx = g,
                                   .storage = host_storage,
                                   .complete = host_complete,
                                   .upcoming = host_upcoming,
                                   .attention = host_attention,
                                   .pci = host_pci,
                                   .tx_reserve = host_reserve,
                                   .tx_commit = host_commit,
                                   .tx_flush = host_flush,
                                   .log = host_log};
    for (u32 i = 0; i < units; i++) {
        g->chan[i].sys = sys;
        g->chan[i].group = g;
        g->chan[i].unit = i;
    }
    sys->groups = g;
    return g;
}

const struct engine_host *simchan_group_host(struct sim_group *g) {
    return &g->host;
}
void simchan_group_engine(struct sim_group *g, struct engine *e) {
    g->engine = e;
}
struct engine *simchan_engine(struct sim_group *g) {
    return g->engine;
}
void simchan_group_tx(struct sim_group *g, const struct sim_tx *tx) {
    g->tx = *tx;
}
const char *simchan_last_log(const struct sim_group *g) {
    return g->last_log;
}

/* ---- faults ---- */

void simchan_fault(struct chan_system *sys, const struct sim_fault *f) {
    CHECK(sys->fault_count < ARRAY_LEN(sys->faults));
    sys->faults[sys->fault_count++] = *f;
}
void simchan_faults_clear(struct chan_system *sys) {
    sys->fault_count = 0;
}

/* The fault that hits this CCW, counted down; NULL if none does. */
static const struct sim_fault *fault_match(struct chan *ch, u8 op) {
    struct chan_system *sys = ch->sys;
    for (u32 i = 0; i < sys->fault_count; i++) {
        struct sim_fault *f = &sys->faults[i];
        if (f->kind == SIM_FAULTS || f->devnum != chan_devnum(ch) || (f->op && f->op != op)) continue;
        if (f->skip) {
            f->skip--;
            continue;
        }
        sys->fault_now = *f;
        /* The last hit of a counted fault disarms it; a count of zero never runs out. */
        if (f->times && --f->times == 0) f->kind = SIM_FAULTS;
        sys->count.faults_hit++;
        return &sys->fault_now;
    }
    return NULL;
}

/* ---- channel programs ---- */

static void program_end(struct chan *ch, u8 unit, u8 subchannel) {
    ch->status.unit = unit;
    ch->status.subchannel = subchannel;
    ch->status.index = (u16)ch->index;
    if (unit & US_UNIT_CHECK && ch->status.sense_len == 0) {
        const struct engine_sense *s = ch->group->engine->ops->sense(ch->group->engine, ch->unit);
        ch->status.sense_len = s ? (u8)u32_min(s->len, CHAN_SENSE_MAX) : 0;
        if (s) memcpy(ch->status.sense, s->bytes, ch->status.sense_len);
    }
    ch->phase = CHAN_ENDED;
}

/* true: the CCW was replaced by the fault and the program is over (or lost). */
static bool fault_apply(struct chan *ch, const struct chan_cmd *cmd) {
    const struct sim_fault *f = fault_match(ch, cmd->op);
    if (!f) return false;
    switch (f->kind) {
    case SIM_FAULT_UNIT_CHECK:
        ch->status.sense_len = 1;
        ch->status.sense[0] = f->detail;
        program_end(ch, US_CHANNEL_END | US_DEVICE_END | US_UNIT_CHECK, 0);
        return true;
    case SIM_FAULT_PROGRAM_CHECK: program_end(ch, 0, CS_PROGRAM_CHECK); return true;
    case SIM_FAULT_NOT_OPERATIONAL:
        ch->status.cc = 3;
        program_end(ch, 0, 0);
        return true;
    case SIM_FAULT_HALTED:
        ch->status.halted = true;
        program_end(ch, 0, 0);
        return true;
    case SIM_FAULT_LOST: ch->lost = true; return false;
    case SIM_FAULT_DELAY: ch->delay_us = f->delay_us; return false;
    case SIM_FAULTS: break;
    }
    return false;
}

/* Sense and sense id are the adapter's to answer from the engine's tables, as in *_hdl.c. */
static enum engine_rc ccw_execute(struct chan *ch) {
    struct engine *e = ch->group->engine;
    struct engine_ccw *c = &ch->ccw;
    if (c->code != CCW_SENSE_ID && c->code != CCW_SENSE) return e->ops->ccw(e, ch->unit, c);
    u8 bytes[64];
    u32 n = 0;
    if (c->code == CCW_SENSE_ID) {
        n = e->ops->sense_id(e, ch->unit, bytes, sizeof bytes);
    } else {
        const struct engine_sense *s = e->ops->sense(e, ch->unit);
        n = s->len;
        memcpy(bytes, s->bytes, n);
    }
    u32 given = u32_min(n, c->count);
    memcpy(c->buf, bytes, given);
    c->residual = c->count - given;
    c->more = n > c->count;
    c->unit_status = US_CHANNEL_END | US_DEVICE_END;
    return ENGINE_DONE;
}

/* The CCW is over: chain to the next, or end the program. */
static void ccw_finish(struct chan *ch) {
    struct chan_cmd *cmd = &ch->program[ch->index];
    struct engine_ccw *c = &ch->ccw;
    ch->completed = false;
    ch->status.residual = (u16)c->residual;
    if (c->unit_status & (US_UNIT_CHECK | US_UNIT_EXCEPTION | US_BUSY | US_ATTENTION)) {
        program_end(ch, c->unit_status, 0);
        return;
    }
    bool wrong_length =
        (c->residual != 0 || c->more) && !(cmd->flags & (CCW_SLI | CCW_CD)) && cmd->op != CCW_NOP;
    if (wrong_length) {
        program_end(ch, c->unit_status, CS_INCORRECT_LENGTH);
        return;
    }
    if (!(cmd->flags & (CCW_CC | CCW_CD)) || ch->index + 1 >= ch->length) {
        program_end(ch, c->unit_status, 0);
        return;
    }
    ch->chained = cmd->flags & (CCW_CC | CCW_CD);
    ch->index++;
    ch->phase = CHAN_PENDING;
}

/* Follows transfers in channel; false if they lead nowhere. */
static bool follow_tic(struct chan *ch) {
    for (u32 hops = 0; ch->program[ch->index].op == CCW_TIC; hops++) {
        if (hops == TIC_MAX || ch->program[ch->index].count >= ch->length) return false;
        ch->index = ch->program[ch->index].count;
    }
    return true;
}

static void program_step(struct chan *ch) {
    if (!follow_tic(ch)) {
        program_end(ch, 0, CS_PROGRAM_CHECK);
        return;
    }
    const struct chan_cmd *cmd = &ch->program[ch->index];
    if (cmd->flags & CCW_SUSPEND && !ch->resumed) {
        ch->phase = CHAN_SUSPENDED;
        return;
    }
    ch->resumed = false;
    if (fault_apply(ch, cmd)) return;
    /* A data address outside storage is what the channel calls a program check. */
    u8 *data = cmd->count ? chan_ptr(ch->sys, chan_addr(ch->sys, cmd->data), cmd->count) : ch->empty;
    if (!data) {
        program_end(ch, 0, CS_PROGRAM_CHECK);
        return;
    }
    ch->ccw = (struct engine_ccw){
        .code = cmd->op, .flags = cmd->flags, .chained = ch->chained, .count = cmd->count, .buf = data};
    ch->phase = CHAN_RUNNING;
    if (cmd->flags & CCW_PCI) {
        ch->pci = true;
        ch->reached = ch->index;
    }
    ch->sys->count.ccws++;
    ch->group->activity++;
    if (ccw_execute(ch) == ENGINE_DONE) ccw_finish(ch);
}

/* ---- events ---- */

static void event_over(struct chan_system *sys) {
    if (sys->leaves > sys->heard) sys->heard = sys->leaves;
}

static u32 chan_step(struct chan *ch, u64 now) {
    u32 n = 0;
    if (ch->phase == CHAN_PENDING) {
        program_step(ch);
        n++;
    }
    if (ch->phase == CHAN_RUNNING && ch->completed) {
        ccw_finish(ch);
        n++;
    }
    if (ch->phase == CHAN_ENDED && !ch->lost) {
        if (ch->delay_us) {
            ch->due = now + ch->delay_us;
            ch->delay_us = 0;
        }
        if (ch->due <= now) {
            struct chan_status st = ch->status;
            ch->phase = CHAN_IDLE;
            ch->due = 0;
            n++;
            ch->sys->leaves = CHAN_NEWS;
            ch->ev->done(ch->ctx, &st, now);
            event_over(ch->sys);
        }
    }
    if (ch->open && ch->pci) {
        ch->pci = false;
        n++;
        ch->sys->leaves = CHAN_NEWS;
        if (ch->ev->pci) ch->ev->pci(ch->ctx, now);
        event_over(ch->sys);
    }
    if (ch->open && ch->attention) {
        u8 status = ch->attention;
        ch->attention = 0;
        n++;
        ch->sys->leaves = CHAN_NEWS;
        if (ch->ev->attention) ch->ev->attention(ch->ctx, status, now);
        event_over(ch->sys);
    }
    return n;
}

u32 simchan_run(struct chan_system *sys, u64 now) {
    u32 total = 0, n;
    do {
        n = 0;
        for (struct sim_group *g = sys->groups; g; g = g->next)
            for (u32 i = 0; i < g->units; i++)
                if (g->chan[i].open) n += chan_step(&g->chan[i], now);
        total += n;
        CHECK(total < 10000000); /* two sides that answer each other for ever */
    } while (n);
    return total;
}

u64 simchan_due(const struct chan_system *sys) {
    u64 due = TIME_NEVER;
    for (const struct sim_group *g = sys->groups; g; g = g->next)
        for (u32 i = 0; i < g->units; i++)
            if (g->chan[i].phase == CHAN_ENDED && !g->chan[i].lost) due = u64_min(due, g->chan[i].due);
    return due;
}

/* ---- chan.h ---- */

static struct chan *chan_find(struct chan_system *sys, u16 devnum) {
    for (struct sim_group *g = sys->groups; g; g = g->next)
        if (devnum >= g->devnum && devnum < g->devnum + g->units) return &g->chan[devnum - g->devnum];
    return NULL;
}

int chan_open(struct chan_system *sys, u16 devnum, const struct chan_events *ev, void *ctx,
              struct chan **out) {
    struct chan *ch = chan_find(sys, devnum);
    if (!ch || !ch->group->engine) return -ERR_NOENT;
    if (ch->open) return -ERR_BUSY;
    ch->open = true;
    ch->ev = ev;
    ch->ctx = ctx;
    ch->phase = CHAN_IDLE;
    ch->pci = ch->completed = ch->lost = false;
    ch->attention = 0;
    *out = ch;
    return 0;
}

void chan_close(struct chan *ch) {
    /* A driver that closes a subchannel whose program still runs would have its storage written later. */
    CHECK(ch->open && ch->phase == CHAN_IDLE);
    ch->open = false;
}

int chan_start(struct chan *ch, const struct chan_cmd *program, u32 n) {
    CHECK(ch->open && n > 0 && n <= CHAN_PROGRAM_MAX);
    if (ch->phase != CHAN_IDLE) return -ERR_BUSY;
    memcpy(ch->program, program, n * sizeof *program);
    memset(&ch->status, 0, sizeof ch->status);
    ch->length = n;
    ch->index = ch->reached = 0;
    ch->chained = 0;
    ch->completed = ch->lost = ch->resumed = false;
    ch->phase = CHAN_PENDING;
    ch->sys->count.starts++;
    return 0;
}

u32 chan_reached(const struct chan *ch) { return ch->reached; }

static int chan_end(struct chan *ch) {
    if (ch->phase == CHAN_ENDED && !ch->lost) return -ERR_BUSY; /* status pending: done() comes anyway */
    ch->sys->count.halts++;
    if (ch->phase == CHAN_RUNNING && !ch->completed) {
        ch->group->engine->ops->halt(ch->group->engine, ch->unit);
        CHECK(ch->completed); /* engine.h: halt ends an outstanding CCW at once */
    }
    ch->completed = ch->lost = false;
    ch->status.halted = true;
    ch->phase = CHAN_ENDED;
    return 0;
}

int chan_halt(struct chan *ch) {
    return chan_end(ch);
}
int chan_clear(struct chan *ch) {
    return chan_end(ch);
}

int chan_resume(struct chan *ch) {
    ch->resumed = true;
    if (ch->phase == CHAN_SUSPENDED) ch->phase = CHAN_PENDING;
    return 0;
}

u16 chan_devnum(const struct chan *ch) {
    return (u16)(ch->group->devnum + ch->unit);
}

u32 chan_list(struct chan_system *sys, u16 *out, u32 max) {
    u32 n = 0;
    for (u32 devnum = 0; devnum <= 0xFFFF; devnum++) {
        if (!chan_find(sys, (u16)devnum)) continue;
        if (n < max) out[n] = (u16)devnum;
        n++;
    }
    return n;
}

int chan_siga_write(struct chan *ch, u32 qmask) {
    struct engine *e = ch->group->engine;
    ch->sys->count.siga_write++;
    ch->group->activity++;
    return e->ops->siga_write ? e->ops->siga_write(e, ch->unit, qmask) : 3;
}

int chan_siga_read(struct chan *ch, u32 qmask) {
    struct engine *e = ch->group->engine;
    ch->sys->count.siga_read++;
    ch->group->activity++;
    return e->ops->siga_read ? e->ops->siga_read(e, ch->unit, qmask) : 3;
}

int chan_siga_sync(struct chan *ch, u32 out_mask, u32 in_mask) {
    struct engine *e = ch->group->engine;
    ch->sys->count.siga_sync++;
    ch->group->activity++;
    return e->ops->siga_sync ? e->ops->siga_sync(e, ch->unit, out_mask, in_mask) : 0;
}

u64 chan_addr(struct chan_system *sys, const void *p) {
    const u8 *b = p;
    if (b < sys->storage || b > sys->storage + sys->bytes) return 0;
    return SIMCHAN_ORIGIN + (u64)(b - sys->storage);
}

void chan_no_news(struct chan *ch) { ch->sys->leaves = CHAN_WORK; }
void chan_no_work(struct chan *ch) { ch->sys->leaves = CHAN_NOTHING; }

enum chan_heard simchan_heard(struct chan_system *sys) {
    enum chan_heard heard = sys->heard;
    sys->heard = CHAN_NOTHING;
    return heard;
}

void *chan_ptr(struct chan_system *sys, u64 addr, u32 len) {
    if (addr < SIMCHAN_ORIGIN || addr - SIMCHAN_ORIGIN > sys->bytes) return NULL;
    if (len > sys->bytes - (addr - SIMCHAN_ORIGIN)) return NULL;
    return sys->storage + (addr - SIMCHAN_ORIGIN);
}
