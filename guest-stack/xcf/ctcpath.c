/* ctcpath.c - see xcf/ctcpath.h: states, programs, transfers.
 *
 * Invariants: at most one program runs on a subchannel; a path whose buffer holds something has one, or is among those filled.
 * Operations of XCF only put blocks into the buffer: ctcpaths_poll() sends
 * what has come together, so a message of many segments is one transfer; and what is found wrong is told from there, because
 * operations may not call back.
 */
#include "xcf/ctcpath.h"

#include "base/be.h"
#include "base/str.h"
#include "chan/ctcprog.h"
#include "wire/xcfmsg.h"
#include "xcf/pathbuf.h"
#include "xcf/xcf_impl.h"

#define RETRY_US ((u64)USEC_PER_SEC)
#define READS    7u          /* of a program */
#define BUFFERS  (READS + 1) /* of a path: while the last one is looked at, the next program has all others */

enum program { PROGRAM_NONE, PROGRAM_SETUP, PROGRAM_READ, PROGRAM_WRITE, PROGRAM_PROBE };

struct ctcpath {
    struct list filled; /* first member; outbound: among those that something was put into since */
    struct ctcpaths *g;
    struct xcf_path *path;
    struct chan *ch;
    u16 devnum;
    bool outbound, broken;
    enum ctcpath_state state;
    enum program running;
    u64 again_at;
    u8 *buf[BUFFERS];
    u8 first;           /* inbound: the buffer of the program's first READ; the next one's is behind it, in a ring */
    u8 looked_at;       /* inbound: READs of it whose transfers XCF has */
    struct pathbuf out; /* outbound, in the first two */
};

struct ctcpaths {
    struct arena *arena;
    struct chan_system *sys;
    struct xcf *x;
    struct ctcpath *path;
    u32 count, max;
    struct list filled;
    bool look; /* something is broken, or is to be tried before due */
    bool closing;
    u64 due;
    struct ctcpath_counters counters;
};

#define SAME CTCPATH_STATES
static const u8 TABLE[CTCPATH_STATES][CTCPATH_EVENTS] = {
    [CTCPATH_IDLE] = {SAME, SAME, SAME, CTCPATH_SENSE},
    [CTCPATH_SENSE] = {CTCPATH_MODE, SAME, CTCPATH_IDLE, SAME},
    [CTCPATH_MODE] = {CTCPATH_UP, CTCPATH_AWAIT, CTCPATH_IDLE, SAME},
    [CTCPATH_AWAIT] = {SAME, SAME, SAME, CTCPATH_MODE},
    [CTCPATH_UP] = {SAME, CTCPATH_AWAIT, CTCPATH_IDLE, SAME},
    [CTCPATH_FOREIGN] = {SAME, SAME, SAME, SAME},
};
static const char *const NAMES[CTCPATH_STATES] = {"IDLE", "SENSE", "MODE", "AWAIT", "UP", "FOREIGN"};

enum ctcpath_state ctcpath_next(enum ctcpath_state s, enum ctcpath_event e) {
    return TABLE[s][e] == SAME ? s : (enum ctcpath_state)TABLE[s][e];
}
const char *ctcpath_state_name(enum ctcpath_state s) { return s < CTCPATH_STATES ? NAMES[s] : ""; }

/* ---- programs ---- */

static void run(struct ctcpath *p, enum program what, const struct chan_cmd *program, u32 n) {
    if (chan_start(p->ch, program, n) == 0) {
        p->running = what;
        return;
    }
    p->broken = p->g->look = true;
}

static u8 *read_buffer(const struct ctcpath *p, u32 i) { return p->buf[(p->first + i) % BUFFERS]; }

static void read_start(struct ctcpath *p) {
    struct chan_cmd program[CTCPROG_READS_CCWS];
    u32 n = 0;
    for (u32 i = 0; i < READS; i++) {
        u8 *to = read_buffer(p, i);
        memset(to, 0, PATHBUF_END); /* one that is too short to end must not say what an earlier one said */
        n = ctcprog_reads_add(program, n, to, PATHBUF_BYTES + PATHBUF_END);
    }
    p->looked_at = 0;
    run(p, PROGRAM_READ, program, ctcprog_reads_end(program, n));
}

static void write_next(struct ctcpath *p) {
    struct chan_cmd program[CTCPROG_WRITE_CCWS];
    u32 len;
    if (p->state != CTCPATH_UP || p->running) return;
    u8 *transfer = pathbuf_take(&p->out, &len);
    if (!transfer) return;
    ctcprog_write(program, transfer, len + PATHBUF_END);
    p->g->counters.transfers_out++;
    p->g->counters.bytes_out += len;
    run(p, PROGRAM_WRITE, program, ARRAY_LEN(program));
}

static void setup(struct ctcpath *p, u8 op, u16 count) {
    const struct chan_cmd cmd = {.op = op, .flags = CCW_SLI, .count = count, .data = p->buf[0]};
    memset(p->buf[0], 0, CTCPROG_SENSE_BYTES);
    run(p, PROGRAM_SETUP, &cmd, 1);
}

/* ---- states ---- */

static void enter(struct ctcpath *p, enum ctcpath_state s, u64 now);

static void event(struct ctcpath *p, enum ctcpath_event e, u64 now) {
    enum ctcpath_state next = ctcpath_next(p->state, e);
    if (e == CTCPATH_ERROR) p->g->counters.errors++;
    if (next != p->state) enter(p, next, now);
}

/* The partner of an inbound path has gone: those outbound ones that lead to it shall know now, not at the next HELLO. */
static void probe_others(struct ctcpaths *g) {
    for (u32 i = 0; i < g->count; i++) {
        struct ctcpath *p = &g->path[i];
        if (!p->outbound || p->state != CTCPATH_UP || p->running) continue;
        const struct chan_cmd nop = {.op = CCW_NOP, .flags = CCW_SLI, .count = 1, .data = p->buf[0]};
        g->counters.probes++;
        run(p, PROGRAM_PROBE, &nop, 1);
    }
}

static void left_up(struct ctcpath *p, u64 now) {
    p->g->counters.partner_losses++;
    if (p->outbound) pathbuf_clear(&p->out, false); /* the program has ended, or never began */
    xcf_path_down(p->path, now);
    if (!p->outbound) probe_others(p->g);
}

static void enter_sense(struct ctcpath *p, u64 now);

static void enter(struct ctcpath *p, enum ctcpath_state s, u64 now) {
    bool was_up = p->state == CTCPATH_UP;
    p->state = s;
    if (was_up) left_up(p, now);
    /* XCF may have stopped this system meanwhile. */
    if (p->g->x->stopped) return;
    switch (s) {
    case CTCPATH_IDLE:
    case CTCPATH_AWAIT:
        p->again_at = now + RETRY_US;
        p->g->due = u64_min(p->g->due, p->again_at);
        break;
    case CTCPATH_SENSE: enter_sense(p, now); break;
    case CTCPATH_MODE: setup(p, CCW_SET_EXTENDED, 1); break;
    case CTCPATH_UP:
        xcf_path_ready(p->path, now);
        if (!p->outbound && p->state == CTCPATH_UP) read_start(p);
        break;
    default: break;
    }
}

/* ---- ends of programs ---- */

static void sense_done(struct ctcpath *p, const struct chan_status *st, u64 now) {
    u32 len = CTCPROG_SENSE_BYTES - u32_min(st->residual, CTCPROG_SENSE_BYTES);
    if (len >= 4 && be16_get(p->buf[0] + 1) == CTCPROG_CU_TYPE) {
        event(p, CTCPATH_OK, now);
        return;
    }
    p->state = CTCPATH_FOREIGN;
    xcf_say(p->g->x, "IXC467I STOPPING %s DEVICE %04X RSN: NOT A CHANNEL-TO-CHANNEL DEVICE", p->outbound ? "PATHOUT" : "PATHIN",
            p->devnum);
}

/* A block may lead to anything: that the path is stopped, or this system. */
static void transfer_in(struct ctcpath *p, const u8 *transfer, u64 now) {
    u32 at = 0;
    for (u32 bytes; !p->g->x->stopped && (bytes = pathbuf_block(transfer, at, PATHBUF_BYTES)) != 0; at += bytes) {
        p->g->counters.blocks_in++;
        xcf_path_block(p->path, transfer + at, bytes, now);
    }
    p->g->counters.transfers_in++;
    p->g->counters.bytes_in += at;
    p->g->counters.drop_rest += !pathbuf_ends(transfer, at);
}

/* Transfers of the running program before READ `to`. */
static void transfers_in(struct ctcpath *p, u32 to, u64 now) {
    while (p->looked_at < to && to <= READS && p->state == CTCPATH_UP && !p->g->x->stopped) transfer_in(p, read_buffer(p, p->looked_at++), now);
}

/* What acknowledgements made room for has been sent by now, and what XCF waits for has its time. */
static void listened(struct ctcpath *p) {
    if (!xcf_heard_news(p->g->x) && !p->broken) chan_no_news(p->ch);
}

static void read_done(struct ctcpath *p, u64 now) {
    xcf_listen(p->g->x);
    transfers_in(p, READS - 1, now);
    if (p->state == CTCPATH_UP && !p->g->x->stopped) {
        const u8 *last = read_buffer(p, READS - 1);
        p->first = (u8)((p->first + READS) % BUFFERS);
        read_start(p);
        transfer_in(p, last, now);
    }
    listened(p);
}

static void on_pci(void *ctx, u64 now) {
    struct ctcpath *p = ctx;
    if (p->g->closing || p->running != PROGRAM_READ || p->state != CTCPATH_UP) return;
    xcf_listen(p->g->x);
    transfers_in(p, ctcprog_reads_before(chan_reached(p->ch)), now);
    listened(p);
}

static void up_done(struct ctcpath *p, enum program was, u64 now) {
    if (was == PROGRAM_READ) {
        read_done(p, now);
        return;
    }
    bool refused = was == PROGRAM_WRITE && pathbuf_landed(&p->out);
    if (p->out.used) write_next(p);
    if (refused) xcf_path_room(p->path, now);
    if (was != PROGRAM_WRITE || p->broken) return;
    /* A block has arrived, and its buffer is free. If XCF waited for that, it has filled it again, and other paths. */
    if (refused)
        chan_no_news(p->ch);
    else
        chan_no_work(p->ch);
}

static void path_close(struct ctcpath *p);

static void on_done(void *ctx, const struct chan_status *st, u64 now) {
    struct ctcpath *p = ctx;
    enum program was = p->running;
    p->running = PROGRAM_NONE;
    if (p->g->closing) path_close(p);
    if (p->g->closing || p->g->x->stopped) return;
    bool good = ctcprog_good(st), harmless = ctcprog_busy(st) && (p->state == CTCPATH_MODE || was == PROGRAM_PROBE);
    if (good && p->state == CTCPATH_UP) {
        up_done(p, was, now); /* nearly always */
    } else if (ctcprog_absent(st)) {
        /* Those READs that ended before the partner went have brought something. */
        if (was == PROGRAM_READ) transfers_in(p, ctcprog_reads_before(st->index), now);
        event(p, CTCPATH_ABSENT, now);
    } else if (!harmless && !good) {
        event(p, CTCPATH_ERROR, now);
    } else if (p->state == CTCPATH_SENSE) {
        sense_done(p, st, now);
    } else if (p->state == CTCPATH_MODE) {
        event(p, CTCPATH_OK, now);
    } else if (p->state == CTCPATH_UP) {
        up_done(p, was, now);
    }
}

static void on_attention(void *ctx, u8 unit_status, u64 now) {
    struct ctcpath *p = ctx;
    UNUSED(unit_status);
    if (p->state != CTCPATH_AWAIT) return;
    p->again_at = now;
    p->g->look = true;
}

static const struct chan_events CHAN_EVENTS = {.done = on_done, .attention = on_attention, .pci = on_pci};

static void enter_sense(struct ctcpath *p, u64 now) {
    if (!p->ch && chan_open(p->g->sys, p->devnum, &CHAN_EVENTS, p, &p->ch) != 0) {
        p->ch = NULL;
        event(p, CTCPATH_ERROR, now);
        return;
    }
    setup(p, CCW_SENSE_ID, CTCPROG_SENSE_BYTES);
}

/* ---- operations ---- */

static int op_send(void *ctx, const u8 *block, u32 len) {
    struct ctcpath *p = ctx;
    if (p->state != CTCPATH_UP || p->broken) return -ERR_NETDOWN;
    if (!pathbuf_put(&p->out, block, len)) return -ERR_AGAIN;
    if (!list_is_in(&p->filled)) list_push_back(&p->g->filled, &p->filled);
    return 0;
}
static const struct xcf_path_ops PATH_OPS = {.send = op_send};

u64 ctcpaths_poll(struct ctcpaths *g, u64 now) {
    if (g->closing || g->x->stopped) return TIME_NEVER;
    /* What has a program under way goes when that ends. */
    for (struct list *n; (n = list_pop_front(&g->filled)) != NULL;) write_next(LIST_ENTRY(n, struct ctcpath, filled));
    if (!g->look && now < g->due) return g->due;
    g->look = false;
    g->due = TIME_NEVER;
    for (u32 i = 0; i < g->count && !g->x->stopped; i++) {
        struct ctcpath *p = &g->path[i];
        if (p->broken && !p->running) {
            p->broken = false;
            event(p, CTCPATH_ERROR, now);
        }
        if (p->state != CTCPATH_IDLE && p->state != CTCPATH_AWAIT) continue;
        if (p->again_at <= now && !p->running) event(p, CTCPATH_AGAIN, now);
        else g->due = u64_min(g->due, p->again_at);
    }
    return g->look ? now : g->due;
}

/* ---- life ---- */

struct ctcpaths *ctcpaths_create(struct arena *a, struct chan_system *sys, struct xcf *x, u32 max) {
    struct ctcpaths *g = arena_take(a, sizeof *g, 16);
    if (!g) return NULL;
    *g = (struct ctcpaths){.arena = a, .sys = sys, .x = x, .max = max, .due = TIME_NEVER};
    list_init(&g->filled);
    g->path = arena_take(a, max * sizeof *g->path, 16);
    if (!g->path) return NULL;
    memset(g->path, 0, max * sizeof *g->path);
    return g;
}

/* false: no storage. */
static bool buffers_take(struct ctcpath *p) {
    u32 n = p->outbound ? 2 : BUFFERS;
    u8 *all = arena_take(p->g->arena, (size_t)n * PATHBUF_STORAGE, 4096);
    for (u32 i = 0; all && i < n; i++) p->buf[i] = all + i * PATHBUF_STORAGE;
    if (all && p->outbound) pathbuf_init(&p->out, p->buf[0], p->buf[1]);
    return all != NULL;
}

int ctcpaths_add(struct ctcpaths *g, const struct couple_path *def, u64 now) {
    u32 devnum;
    if (g->count == g->max || !str_hex_u32(def->name, strlen(def->name), &devnum)) return -ERR_NOMEM;
    struct ctcpath *p = &g->path[g->count];
    p->g = g;
    p->devnum = (u16)devnum;
    p->outbound = def->outbound;
    p->again_at = now;
    list_init(&p->filled);
    if (!buffers_take(p)) return -ERR_NOMEM;
    const struct xcf_path_def d = {.couple = *def, .ops = def->outbound ? &PATH_OPS : NULL, .ctx = p};
    p->path = xcf_path_add(g->x, &d, now);
    if (!p->path) return -ERR_NOMEM;
    g->count++;
    g->look = true;
    return 0;
}

static void path_close(struct ctcpath *p) {
    if (p->ch) chan_close(p->ch);
    p->ch = NULL;
}

void ctcpaths_close(struct ctcpaths *g) {
    g->closing = true;
    for (u32 i = 0; i < g->count; i++) {
        if (g->path[i].running)
            chan_clear(g->path[i].ch);
        else
            path_close(&g->path[i]);
    }
}

const struct ctcpath_counters *ctcpaths_counters(const struct ctcpaths *g) { return &g->counters; }
enum ctcpath_state ctcpaths_state(const struct ctcpaths *g, u32 i) { return i < g->count ? g->path[i].state : CTCPATH_STATES; }
