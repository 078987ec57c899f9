/* link_ctc.c - see link_ctc.h: states, channel programs, blocks.
 *
 *   DOWN -> SENSE -> MODE -> HELLO -> READY        READY or HELLO -> LAPSE -> MODE     the partner went
 *   any -> HALT -> DOWN                            failure, or STOP
 *
 * As in lcslink_fsm.c: a cell is an action and the next state; entering a state runs its function and arms its
 * timer; what a state does not expect is ignored; LAPSE and HALT are left only when no subchannel has a program.
 */
#include "link/link_ctc.h"

#include "base/str.h"
#include "chan/ctcprog.h"
#include "net/stack.h"
#include "wire/ctcblk.h"

#define PAGE 4096u
#define BUFFER_BYTES 65536u
#define BLOCK_DEFAULT 32768u /* what ctcm and OS/390 use when nothing is said */
#define STEP_USEC (5u * USEC_PER_SEC)
#define AGAIN_USEC USEC_PER_SEC

enum { READ_SIDE, WRITE_SIDE, SIDES };
enum state { DOWN, SENSE, MODE, HELLO, READY, LAPSE, HALT, STATES };
enum event { EV_START, EV_STOP, EV_OK, EV_MORE, EV_ABSENT, EV_ERROR, EV_TIMEOUT, EV_QUIET, EVENTS };
enum act { IGNORE, GO, MORE, AGAIN, FAIL, QUIT };

struct cell {
    u8 act, next;
};

static const struct cell TABLE[STATES][EVENTS] = {
    [DOWN] = {[EV_START] = {GO, SENSE}},
    [SENSE] = {[EV_STOP] = {GO, HALT}, [EV_OK] = {GO, MODE}, [EV_MORE] = {MORE, 0}, [EV_ERROR] = {FAIL, 0}, [EV_TIMEOUT] = {FAIL, 0}},
    [MODE] = {[EV_STOP] = {GO, HALT},
              [EV_OK] = {GO, HELLO},
              [EV_MORE] = {MORE, 0},
              [EV_ABSENT] = {AGAIN, 0},
              [EV_ERROR] = {FAIL, 0},
              [EV_TIMEOUT] = {FAIL, 0}},
    [HELLO] = {[EV_STOP] = {GO, HALT}, [EV_OK] = {GO, READY}, [EV_ABSENT] = {GO, LAPSE}, [EV_ERROR] = {FAIL, 0}},
    [READY] = {[EV_STOP] = {GO, HALT}, [EV_ABSENT] = {GO, LAPSE}, [EV_ERROR] = {FAIL, 0}},
    [LAPSE] = {[EV_STOP] = {GO, HALT}, [EV_TIMEOUT] = {MORE, 0}, [EV_QUIET] = {GO, MODE}},
    [HALT] = {[EV_STOP] = {QUIT, 0}, [EV_TIMEOUT] = {MORE, 0}, [EV_QUIET] = {GO, DOWN}},
};

static const char *const FAIL_NAMES[CTC_FAILS] = {"NONE", "NO DEVICE", "WRONG TYPE", "I/O ERROR", "TIMEOUT"};

struct ctc_device;
struct ctc_sub {
    struct ctc_device *d;
    struct chan *ch;
    bool running;
};

struct ctc_device {
    struct ctc_driver *drv;
    struct device *dev; /* NULL = slot is free */
    enum state state;
    struct ctc_sub sub[SIDES];
    struct timer step;
    u32 part, detail, fail_code, start_error;
    enum ctc_fail why;
    bool again;     /* the timer is to enter the state once more, not to end it */
    bool announced; /* device_ready() was called */
    bool absent;    /* MODE: one of the two found no partner */

    u8 *read_buf[2], *write_buf[2];
    u32 block_bytes;     /* how much of a buffer is used */
    u32 reading;         /* which read buffer has the READ */
    u32 filling;         /* which write buffer takes packets; the other may be on its way */
    u32 filled, packets; /* bytes and packets in it */
    struct link_ctc_counters count;
};

struct ctc_driver {
    struct chan_system *sys;
    u32 max_devices;
    struct ctc_device *devices;
};

static void enter_down(struct ctc_device *d, u64 now);
static void enter_sense(struct ctc_device *d, u64 now);
static void enter_mode(struct ctc_device *d, u64 now);
static void enter_hello(struct ctc_device *d, u64 now);
static void enter_ready(struct ctc_device *d, u64 now);
static void enter_lapse(struct ctc_device *d, u64 now);
static void enter_halt(struct ctc_device *d, u64 now);

static const struct {
    const char *name;
    u32 time_usec; /* 0 = for ever */
    void (*enter)(struct ctc_device *d, u64 now);
} STATE[STATES] = {
    [DOWN] = {"DOWN", 0, enter_down},
    [SENSE] = {"SENSE", STEP_USEC, enter_sense},
    [MODE] = {"MODE", STEP_USEC, enter_mode},
    [HELLO] = {"HELLO", 0, enter_hello},
    [READY] = {"READY", 0, enter_ready},
    [LAPSE] = {"LAPSE", USEC_PER_SEC, enter_lapse},
    [HALT] = {"HALT", USEC_PER_SEC, enter_halt},
};

/* ---- the machine ---- */

static void state_enter(struct ctc_device *d, enum state s, u64 now) {
    d->state = s;
    d->again = false;
    d->start_error = 0;
    if (STATE[s].time_usec)
        timer_arm(d->dev->stk, &d->step, now + STATE[s].time_usec);
    else
        timer_disarm(d->dev->stk, &d->step);
    STATE[s].enter(d, now);
}

static void state_go(struct ctc_device *d, enum state s, u64 now) {
    d->part = 0;
    state_enter(d, s, now);
}

static void event(struct ctc_device *d, enum event ev, enum ctc_fail why, u32 detail, u64 now) {
    const struct cell *c = &TABLE[d->state][ev];
    d->why = why;
    d->detail = detail;
    switch ((enum act)c->act) {
    case IGNORE: return;
    case GO: state_go(d, (enum state)c->next, now); return;
    case MORE: state_enter(d, d->state, now); return;
    case AGAIN:
        d->again = true;
        d->part = 0;
        timer_arm(d->dev->stk, &d->step, now + AGAIN_USEC);
        return;
    case FAIL:
        d->fail_code = (u32)d->why << 24 | (u32)d->state << 16 | (d->detail & 0xFFFF);
        state_go(d, HALT, now);
        return;
    case QUIT: d->fail_code = 0; return;
    }
}

static void step_timer(struct stack *stk, struct timer *t, u64 now) {
    struct ctc_device *d = CONTAINER_OF(t, struct ctc_device, step);
    UNUSED(stk);
    u32 error = d->start_error;
    d->start_error = 0;
    if (error)
        event(d, EV_ERROR, error == ERR_NOENT ? CTC_FAIL_NO_DEVICE : CTC_FAIL_IO, error, now);
    else if (d->again)
        state_enter(d, d->state, now);
    else
        event(d, EV_TIMEOUT, CTC_FAIL_TIMEOUT, 0, now);
}

/* ---- channel programs ---- */

static void run(struct ctc_device *d, u32 side, const struct chan_cmd *program, u32 n, u64 now) {
    int rc = chan_start(d->sub[side].ch, program, n);
    if (rc == 0) {
        d->sub[side].running = true;
        return;
    }
    /* Who called may be in the middle of the stack's tables: failure is told from the timer. */
    d->start_error = (u32)-rc;
    timer_arm(d->dev->stk, &d->step, now);
}

static void read_start(struct ctc_device *d, u64 now) {
    u8 *to = d->read_buf[d->reading];
    struct chan_cmd program[CTCPROG_READ_CCWS];
    ctcprog_read(program, to, d->block_bytes);
    run(d, READ_SIDE, program, ARRAY_LEN(program), now);
}

static void write_start(struct ctc_device *d, u8 *block, u32 len, u64 now) {
    struct chan_cmd program[CTCPROG_WRITE_CCWS];
    ctcprog_write(program, block, len);
    be16_put(block, (u16)len);
    d->count.blocks_out++;
    run(d, WRITE_SIDE, program, ARRAY_LEN(program), now);
}

static bool any_running(const struct ctc_device *d) { return d->sub[READ_SIDE].running || d->sub[WRITE_SIDE].running; }

/* ---- blocks ---- */

/* What was collected goes out, if nothing is on its way. */
static void write_next(struct ctc_device *d, u64 now) {
    if (d->packets == 0 || d->sub[WRITE_SIDE].running) return;
    u8 *block = d->write_buf[d->filling];
    u32 len = d->filled;
    if (d->packets > d->count.packets_per_block_max) d->count.packets_per_block_max = d->packets;
    d->filling ^= 1;
    d->filled = CTCBLK_LENGTH_BYTES;
    d->packets = 0;
    write_start(d, block, len, now);
}

static u8 *room(struct ctc_device *d, u32 len, u64 now) {
    /* The other buffer may be back: then this one goes, and the packet into that one. */
    if (d->filled + len > d->block_bytes) write_next(d, now);
    if (d->filled + len > d->block_bytes) return NULL;
    u8 *at = d->write_buf[d->filling] + d->filled;
    d->filled += len;
    d->packets++;
    return at;
}

static int op_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    struct ctc_device *d = lnk->dev->state;
    u32 len = pkt_bytes(p);
    UNUSED(next_hop);
    if (d->state != READY) return -ERR_NETDOWN;
    if (len > d->block_bytes - CTCBLK_LENGTH_BYTES - CTCBLK_HEADER_BYTES) {
        d->count.drops_out_size++;
        return -ERR_MSGSIZE;
    }
    u8 *at = room(d, CTCBLK_HEADER_BYTES + len, now);
    if (!at) {
        d->count.drops_out_full++;
        return -ERR_NOBUFS;
    }
    ctcblk_header(at, len);
    pkt_copy(p, 0, at + CTCBLK_HEADER_BYTES, len);
    return 0;
}

static void op_flush(struct link *lnk, u64 now) {
    struct ctc_device *d = lnk->dev->state;
    if (d->state == READY) write_next(d, now);
}

static void block_input(struct ctc_device *d, u8 *block, u32 len, u64 now) {
    struct ctcblk b;
    u8 *ip;
    u32 bytes, type;
    bool bad;
    if (!ctcblk_open(&b, block, len)) {
        d->count.drops_in_malformed++;
        return;
    }
    /* A packet may lead to STOP: what is behind it is then nobody's. */
    while (d->state == READY && (ip = ctcblk_next(&b, &bytes, &type, &bad)) != NULL) {
        if (type != CTCBLK_TYPE_IP) {
            d->count.drops_in_type++;
            continue;
        }
        struct pkt pkt = {.data = ip, .len = bytes, .headroom = CTCBLK_HEADER_BYTES, .in = d->dev->lnk};
        link_input(d->dev->lnk, &pkt, now);
    }
    if (d->state == READY && bad) d->count.drops_in_malformed++;
}

/* ---- ends of programs ---- */

static void read_done(struct ctc_device *d, const struct chan_status *st, u64 now) {
    u8 *block = d->read_buf[d->reading];
    u32 len = d->block_bytes - u32_min(st->residual, d->block_bytes);
    d->reading ^= 1;
    d->count.blocks_in++;
    read_start(d, now);
    block_input(d, block, len, now);
    link_flush_all(d->dev->stk, now);
}

static void write_done(struct ctc_device *d, u64 now) {
    /* The partner has read our first block: it is there. Its own may come whenever it likes. */
    if (d->state == HELLO) event(d, EV_OK, CTC_FAIL_NONE, 0, now);
    if (d->state == READY) write_next(d, now);
}

static void sense_done(struct ctc_device *d, const struct chan_status *st, u64 now) {
    const u8 *id = d->read_buf[0];
    u32 len = 7u - u32_min(st->residual, 7);
    if (len < 4 || be16_get(id + 1) != CTCPROG_CU_TYPE) {
        event(d, EV_ERROR, CTC_FAIL_WRONG_TYPE, len < 3 ? 0 : be16_get(id + 1), now);
        return;
    }
    event(d, ++d->part < SIDES ? EV_MORE : EV_OK, CTC_FAIL_NONE, 0, now);
}

/* Both sides give their command, whatever the first one hears: it is what makes them ready for the partner's. */
static void mode_done(struct ctc_device *d, u64 now) {
    enum event all = d->absent ? EV_ABSENT : EV_OK;
    event(d, ++d->part < SIDES ? EV_MORE : all, CTC_FAIL_NONE, 0, now);
}

static void ctc_done(void *ctx, const struct chan_status *st, u64 now) {
    struct ctc_sub *sub = ctx;
    struct ctc_device *d = sub->d;
    sub->running = false;
    /* Busy in MODE: the partner waits for something of ours, so it is there. */
    bool busy = d->state == MODE && ctcprog_busy(st);
    if (d->state == HALT || d->state == LAPSE) {
        if (!any_running(d)) event(d, EV_QUIET, CTC_FAIL_NONE, 0, now);
    } else if (ctcprog_absent(st)) {
        d->absent = true;
        if (d->state == MODE)
            mode_done(d, now);
        else
            event(d, EV_ABSENT, CTC_FAIL_NONE, 0, now);
    } else if (!busy && !ctcprog_good(st)) {
        event(d, EV_ERROR, st->cc == 3 ? CTC_FAIL_NO_DEVICE : CTC_FAIL_IO, (u32)st->unit << 8 | st->subchannel, now);
    } else if (d->state == SENSE) {
        sense_done(d, st, now);
    } else if (d->state == MODE) {
        mode_done(d, now);
    } else if (sub == &d->sub[READ_SIDE]) {
        read_done(d, st, now);
    } else {
        write_done(d, now);
    }
}

static void ctc_attention(void *ctx, u8 unit_status, u64 now) {
    struct ctc_device *d = ((struct ctc_sub *)ctx)->d;
    UNUSED(unit_status);
    /* The partner has come: while we wait to try again this is the moment. */
    if (d->again) timer_arm(d->dev->stk, &d->step, now);
}

static const struct chan_events CHAN_EVENTS = {.done = ctc_done, .attention = ctc_attention};

/* ---- entering states ---- */

static int open_all(struct ctc_device *d) {
    for (u32 i = 0; i < SIDES; i++) {
        u16 devnum = (u16)(d->dev->devnum + (i ^ (d->dev->lnk->adapter & 1u)));
        if (d->sub[i].ch) continue;
        int rc = chan_open(d->drv->sys, devnum, &CHAN_EVENTS, &d->sub[i], &d->sub[i].ch);
        if (rc) {
            d->sub[i].ch = NULL;
            return rc;
        }
    }
    return 0;
}

static void enter_sense(struct ctc_device *d, u64 now) {
    int rc = open_all(d);
    if (rc) {
        event(d, EV_ERROR, rc == -ERR_NOENT ? CTC_FAIL_NO_DEVICE : CTC_FAIL_IO, (u32)-rc, now);
        return;
    }
    const struct chan_cmd cmd = {.op = CCW_SENSE_ID, .flags = CCW_SLI, .count = 7, .data = d->read_buf[0]};
    memset(d->read_buf[0], 0, 7);
    run(d, d->part, &cmd, 1, now);
}

static void enter_mode(struct ctc_device *d, u64 now) {
    if (d->part == 0) d->absent = false;
    const struct chan_cmd cmd = {.op = CCW_SET_EXTENDED, .flags = CCW_SLI, .count = 1, .data = d->read_buf[0]};
    run(d, d->part, &cmd, 1, now);
}

static void enter_hello(struct ctc_device *d, u64 now) {
    d->packets = 0;
    d->filled = CTCBLK_LENGTH_BYTES;
    read_start(d, now);
    write_start(d, d->write_buf[d->filling ^ 1], CTCBLK_LENGTH_BYTES, now);
}

static void enter_ready(struct ctc_device *d, u64 now) {
    struct link *lnk = d->dev->lnk;
    lnk->caps = LINK_CAP_ARP | LINK_CAP_BCAST | LINK_CAP_MCAST;
    lnk->mtu_bytes = d->block_bytes - CTCBLK_LENGTH_BYTES - CTCBLK_HEADER_BYTES;
    lnk->gso_max_bytes = 0;
    if (!d->announced) {
        d->announced = true;
        device_ready(d->dev, now);
    }
    /* The up-call may already have led to STOP. */
    if (d->state == READY) link_lan_up(lnk, now);
}

/* Ends what runs: halt first, clear if that did not help. */
static void end_programs(struct ctc_device *d, u64 now) {
    for (u32 i = 0; i < SIDES; i++) {
        if (!d->sub[i].running) continue;
        if (d->part == 0)
            chan_halt(d->sub[i].ch);
        else
            chan_clear(d->sub[i].ch);
    }
    d->part = 1;
    if (!any_running(d)) event(d, EV_QUIET, CTC_FAIL_NONE, 0, now);
}

static void enter_lapse(struct ctc_device *d, u64 now) {
    if (d->part == 0) {
        d->count.partner_losses++;
        if (d->announced) link_lan_down(d->dev->lnk, now);
    }
    /* The up-call may already have led to STOP. */
    if (d->state == LAPSE) end_programs(d, now);
}

static void enter_halt(struct ctc_device *d, u64 now) { end_programs(d, now); }

static void enter_down(struct ctc_device *d, u64 now) {
    u32 code = d->fail_code;
    for (u32 i = 0; i < SIDES; i++) {
        if (d->sub[i].ch) chan_close(d->sub[i].ch);
        d->sub[i].ch = NULL;
    }
    d->announced = false;
    d->fail_code = 0;
    if (code) {
        d->count.failures++;
        device_failed(d->dev, code, now);
    } else {
        d->count.stops++;
        device_stopped(d->dev, now);
    }
}

/* ---- device operations ---- */

static int op_attach(struct device *dev, void *ctx) {
    struct ctc_driver *drv = ctx;
    for (u32 i = 0; i < drv->max_devices; i++) {
        struct ctc_device *d = &drv->devices[i];
        if (d->dev) continue;
        d->dev = dev;
        memset(&d->count, 0, sizeof d->count);
        dev->state = d;
        timer_init(&d->step, step_timer);
        d->state = DOWN;
        return 0;
    }
    return -ERR_NOMEM;
}

static void op_detach(struct device *dev) {
    struct ctc_device *d = dev->state;
    CHECK(d->state == DOWN);
    timer_disarm(dev->stk, &d->step);
    d->dev = NULL;
    dev->state = NULL;
}

static int op_start(struct device *dev, u64 now) {
    struct ctc_device *d = dev->state;
    if (!dev->lnk) return -ERR_NOENT;
    if (d->state != DOWN) return -ERR_BUSY;
    d->count.starts++;
    d->fail_code = 0;
    d->block_bytes = dev->iobuffer_bytes ? u32_min(dev->iobuffer_bytes, 65535) : BLOCK_DEFAULT;
    event(d, EV_START, CTC_FAIL_NONE, 0, now);
    return 0;
}

static int op_stop(struct device *dev, u64 now) {
    struct ctc_device *d = dev->state;
    if (d->state == DOWN)
        device_stopped(dev, now);
    else
        event(d, EV_STOP, CTC_FAIL_NONE, 0, now);
    return 0;
}

/* One neighbour: who is in a group, or behind an address, needs no telling. */
static int op_group(struct link *lnk, struct ipaddr group, u64 now) {
    UNUSED(lnk);
    UNUSED(group);
    UNUSED(now);
    return 0;
}

static const struct device_ops CTC_DEVICE = {
    .type_name = "CTC", .attach = op_attach, .detach = op_detach, .start = op_start, .stop = op_stop};
static const struct link_ops CTC_LINK = {
    .output = op_output, .flush = op_flush, .group_join = op_group, .group_leave = op_group};

/* ---- storage ---- */

size_t link_ctc_bytes(u32 max_devices) {
    return sizeof(struct ctc_driver) + 64 + max_devices * (sizeof(struct ctc_device) + 4 * BUFFER_BYTES + 2 * PAGE);
}

int link_ctc_driver_init(struct driver *out, struct chan_system *sys, struct arena *a, u32 max_devices) {
    struct ctc_driver *drv = arena_take(a, sizeof *drv, 16);
    if (!drv) return -ERR_NOMEM;
    *drv = (struct ctc_driver){.sys = sys, .max_devices = max_devices};
    drv->devices = arena_take(a, sizeof *drv->devices * max_devices, 16);
    if (!drv->devices) return -ERR_NOMEM;
    for (u32 i = 0; i < max_devices; i++) {
        struct ctc_device *d = &drv->devices[i];
        memset(d, 0, sizeof *d);
        d->drv = drv;
        for (u32 u = 0; u < SIDES; u++) d->sub[u].d = d;
        u8 *p = arena_take(a, 4 * BUFFER_BYTES, PAGE);
        if (!p) return -ERR_NOMEM;
        for (u32 b = 0; b < 2; b++) {
            d->read_buf[b] = p + b * BUFFER_BYTES;
            d->write_buf[b] = p + (2 + b) * BUFFER_BYTES;
        }
    }
    *out = (struct driver){.device = &CTC_DEVICE, .link = &CTC_LINK, .ctx = drv};
    return 0;
}

/* ---- displays ---- */

const struct link_ctc_counters *link_ctc_counters(const struct device *dev) {
    return &((const struct ctc_device *)dev->state)->count;
}

const char *link_ctc_state_name(const struct device *dev) {
    return STATE[((const struct ctc_device *)dev->state)->state].name;
}

const char *link_ctc_fail_text(u32 code, char *out, size_t cap) {
    u32 why = code >> 24, state = code >> 16 & 0xFF;
    str_fmt(out, cap, "%s in %s, detail %04X", why < CTC_FAILS ? FAIL_NAMES[why] : "?",
            state < STATES ? STATE[state].name : "?", code & 0xFFFF);
    return out;
}
