/* link_ctc.c - see link_ctc.h: states, channel programs, blocks.
 *
 *   DOWN -> SENSE -> MODE -> HELLO -> READY        READY or HELLO -> LAPSE -> MODE     the partner went
 *   any -> HALT -> DOWN                            failure, or STOP
 *
 * The table below says it per state and event; chandev.h drives it. LAPSE ends the programs as HALT does.
 */
#include "link/link_ctc.h"

#include "base/str.h"
#include "chan/ctcprog.h"
#include "link/chandev.h"
#include "net/stack.h"
#include "wire/ctcblk.h"

#define PAGE 4096u
#define AREA_BYTES 262144u /* eight blocks of the usual size */
#define BLOCK_DEFAULT 32768u /* what ctcm and OS/390 use when nothing is said */
#define STEP_USEC (5u * USEC_PER_SEC)
#define AGAIN_USEC USEC_PER_SEC

enum { READ_SIDE, WRITE_SIDE, SIDES };
enum state { DOWN, SENSE, MODE, HELLO, READY, LAPSE, HALT, STATES };
enum event { EV_START, EV_STOP, EV_OK, EV_MORE, EV_ABSENT, EV_ERROR, EV_TIMEOUT, EV_QUIET, EVENTS };

static const struct chandev_cell TABLE[STATES][EVENTS] = {
    [DOWN] = {[EV_START] = {CD_GO, SENSE}},
    [SENSE] = {[EV_STOP] = {CD_GO, HALT}, [EV_OK] = {CD_GO, MODE}, [EV_MORE] = {CD_MORE, 0}, [EV_ERROR] = {CD_FAIL, 0}, [EV_TIMEOUT] = {CD_FAIL, 0}},
    [MODE] = {[EV_STOP] = {CD_GO, HALT},
              [EV_OK] = {CD_GO, HELLO},
              [EV_MORE] = {CD_MORE, 0},
              [EV_ABSENT] = {CD_AGAIN, 0},
              [EV_ERROR] = {CD_FAIL, 0},
              [EV_TIMEOUT] = {CD_FAIL, 0}},
    [HELLO] = {[EV_STOP] = {CD_GO, HALT}, [EV_OK] = {CD_GO, READY}, [EV_ABSENT] = {CD_GO, LAPSE}, [EV_ERROR] = {CD_FAIL, 0}},
    [READY] = {[EV_STOP] = {CD_GO, HALT}, [EV_ABSENT] = {CD_GO, LAPSE}, [EV_ERROR] = {CD_FAIL, 0}},
    [LAPSE] = {[EV_STOP] = {CD_GO, HALT}, [EV_TIMEOUT] = {CD_MORE, 0}, [EV_QUIET] = {CD_GO, MODE}},
    [HALT] = {[EV_STOP] = {CD_QUIT, 0}, [EV_TIMEOUT] = {CD_MORE, 0}, [EV_QUIET] = {CD_GO, DOWN}},
};

static const char *const EVENT_NAMES[EVENTS] = {"START", "STOP", "OK", "MORE", "ABSENT", "ERROR", "TIMEOUT", "QUIET"};
static const char *const FAIL_NAMES[CTC_FAILS] = {"NONE", "NO DEVICE", "WRONG TYPE", "I/O ERROR", "TIMEOUT"};

struct ctc_device {
    struct chandev m;
    bool announced; /* device_ready() was called */
    bool absent;    /* MODE: one of the two found no partner */

    u8 *read_area[2], *write_area[2];
    u32 block_bytes, blocks; /* an area is divided so */
    u32 reading;             /* which read area has the READs */
    u32 looked_at;           /* blocks of it */
    u32 filling;             /* which write area takes packets; the other may be on its way */
    u32 block;               /* its block that takes them; those before are full */
    u32 filled[CTCPROG_BLOCKS_MAX];
    u32 packets; /* in that block */
    struct link_ctc_counters count;
};

struct ctc_driver {
    u32 max_devices;
    struct ctc_device *devices;
};

static struct ctc_device *ctc_of(struct chandev *m) { return CONTAINER_OF(m, struct ctc_device, m); }

static void enter_down(struct chandev *m, u64 now);
static void enter_sense(struct chandev *m, u64 now);
static void enter_mode(struct chandev *m, u64 now);
static void enter_hello(struct chandev *m, u64 now);
static void enter_ready(struct chandev *m, u64 now);
static void enter_lapse(struct chandev *m, u64 now);

static const struct chandev_state STATE[STATES] = {
    [DOWN] = {"DOWN", 0, enter_down},
    [SENSE] = {"SENSE", STEP_USEC, enter_sense},
    [MODE] = {"MODE", STEP_USEC, enter_mode},
    [HELLO] = {"HELLO", 0, enter_hello},
    [READY] = {"READY", 0, enter_ready},
    [LAPSE] = {"LAPSE", USEC_PER_SEC, enter_lapse},
    [HALT] = {"HALT", USEC_PER_SEC, chandev_end_programs},
};

static void event(struct ctc_device *d, enum event ev, enum ctc_fail why, u32 detail, u64 now) {
    chandev_event(&d->m, ev, why, detail, now);
}

/* ---- channel programs ---- */

static u8 *block_at(const struct ctc_device *d, u8 *area, u32 i) { return area + i * d->block_bytes; }

static void read_start(struct ctc_device *d, u64 now) {
    u8 *to = d->read_area[d->reading];
    struct chan_cmd program[CTCPROG_READS_CCWS];
    u32 n = 0;
    for (u32 i = 0; i < d->blocks; i++) {
        u8 *block = block_at(d, to, i);
        /* A block says itself how long it is. One that is too short for that must not say what an earlier one said. */
        be16_put(block, 0);
        n = ctcprog_reads_add(program, n, block, d->block_bytes);
    }
    d->looked_at = 0;
    d->count.programs_in++;
    chandev_run(&d->m, READ_SIDE, program, ctcprog_reads_end(program, n), now);
}

/* The first n blocks of the write area that is filled; the other one takes over. */
static void write_start(struct ctc_device *d, u32 blocks, u64 now) {
    u8 *area = d->write_area[d->filling];
    struct chan_cmd program[CTCPROG_WRITES_CCWS];
    u32 n = 0;
    for (u32 i = 0; i < blocks; i++) {
        u8 *block = block_at(d, area, i);
        be16_put(block, (u16)d->filled[i]);
        n = ctcprog_writes_add(program, n, block, d->filled[i]);
    }
    d->count.blocks_out += blocks;
    d->count.programs_out++;
    d->filling ^= 1;
    d->block = d->packets = 0;
    d->filled[0] = CTCBLK_LENGTH_BYTES;
    chandev_run(&d->m, WRITE_SIDE, program, ctcprog_writes_end(program, n, area), now);
}

/* ---- blocks ---- */

/* What was collected goes out, if nothing is on its way. */
static void write_next(struct ctc_device *d, u64 now) {
    if (d->packets == 0 || d->m.sub[WRITE_SIDE].running) return;
    write_start(d, d->block + 1, now);
}

static u8 *room(struct ctc_device *d, u32 len, u64 now) {
    /* The other area may be back: then this one goes, and the packet into that one. Else it goes into the next block. */
    if (d->filled[d->block] + len > d->block_bytes) write_next(d, now);
    if (d->filled[d->block] + len > d->block_bytes) {
        if (d->block + 1 == d->blocks) return NULL;
        d->filled[++d->block] = CTCBLK_LENGTH_BYTES;
        d->packets = 0;
    }
    u8 *at = block_at(d, d->write_area[d->filling], d->block) + d->filled[d->block];
    d->filled[d->block] += len;
    if (++d->packets > d->count.packets_per_block_max) d->count.packets_per_block_max = d->packets;
    return at;
}

static int op_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    struct ctc_device *d = lnk->dev->state;
    u32 len = pkt_bytes(p);
    UNUSED(next_hop);
    if (d->m.state != READY) return -ERR_NETDOWN;
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
    if (d->m.state == READY) write_next(d, now);
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
    while (d->m.state == READY && (ip = ctcblk_next(&b, &bytes, &type, &bad)) != NULL) {
        if (type != CTCBLK_TYPE_IP) {
            d->count.drops_in_type++;
            continue;
        }
        struct pkt pkt = {.data = ip, .len = bytes, .headroom = CTCBLK_HEADER_BYTES, .in = d->m.dev->lnk};
        link_input(d->m.dev->lnk, &pkt, now);
    }
    if (d->m.state == READY && bad) d->count.drops_in_malformed++;
}

/* Blocks from..to of a read area. What a packet leads to may end the device, but its storage stays. */
static void blocks_input(struct ctc_device *d, u8 *area, u32 from, u32 to, u64 now) {
    for (u32 i = from; i < to; i++) {
        d->count.blocks_in++;
        block_input(d, block_at(d, area, i), d->block_bytes, now);
    }
    if (from < to) link_flush_all(d->m.dev->stk, now);
}

/* The channel has come to CCW at of the READs' program: the blocks in front of it are there. */
static void read_reached(struct ctc_device *d, u32 at, u64 now) {
    u32 from = d->looked_at, to = ctcprog_reads_before(at);
    if (to <= from || to > d->blocks) return;
    d->looked_at = to;
    blocks_input(d, d->read_area[d->reading], from, to, now);
}

static void ctc_pci(void *ctx, u64 now) {
    struct chandev_sub *sub = ctx;
    struct ctc_device *d = ctc_of(sub->m);
    if (sub == &d->m.sub[READ_SIDE] && sub->running && d->m.state >= HELLO && d->m.state <= READY) read_reached(d, chan_reached(sub->ch), now);
}

/* ---- ends of programs ---- */

static void read_done(struct ctc_device *d, u64 now) {
    u8 *area = d->read_area[d->reading];
    u32 from = d->looked_at;
    d->reading ^= 1;
    read_start(d, now);
    blocks_input(d, area, from, d->blocks, now);
}

static void write_done(struct ctc_device *d, u64 now) {
    /* The partner has read our first block: it is there. Its own may come whenever it likes. */
    if (d->m.state == HELLO) event(d, EV_OK, CTC_FAIL_NONE, 0, now);
    if (d->m.state == READY) write_next(d, now);
}

static void sense_done(struct ctc_device *d, const struct chan_status *st, u64 now) {
    const u8 *id = d->read_area[0];
    u32 len = 7u - u32_min(st->residual, 7);
    if (len < 4 || be16_get(id + 1) != CTCPROG_CU_TYPE) {
        event(d, EV_ERROR, CTC_FAIL_WRONG_TYPE, len < 3 ? 0 : be16_get(id + 1), now);
        return;
    }
    event(d, ++d->m.part < SIDES ? EV_MORE : EV_OK, CTC_FAIL_NONE, 0, now);
}

/* Both sides give their command, whatever the first one hears: it is what makes them ready for the partner's. */
static void mode_done(struct ctc_device *d, u64 now) {
    enum event all = d->absent ? EV_ABSENT : EV_OK;
    event(d, ++d->m.part < SIDES ? EV_MORE : all, CTC_FAIL_NONE, 0, now);
}

static void ctc_done(void *ctx, const struct chan_status *st, u64 now) {
    struct chandev_sub *sub = ctx;
    struct ctc_device *d = ctc_of(sub->m);
    sub->running = false;
    /* Busy in MODE: the partner waits for something of ours, so it is there. */
    bool busy = d->m.state == MODE && ctcprog_busy(st);
    if (d->m.state == HALT || d->m.state == LAPSE) {
        if (!chandev_running(&d->m)) event(d, EV_QUIET, CTC_FAIL_NONE, 0, now);
    } else if (ctcprog_absent(st)) {
        d->absent = true;
        /* Those READs of the program that ended before the partner went have brought something. */
        if (sub == &d->m.sub[READ_SIDE] && d->m.state == READY) read_reached(d, st->index, now);
        if (d->m.state == MODE)
            mode_done(d, now);
        else
            event(d, EV_ABSENT, CTC_FAIL_NONE, 0, now);
    } else if (!busy && !ctcprog_good(st)) {
        event(d, EV_ERROR, st->cc == 3 ? CTC_FAIL_NO_DEVICE : CTC_FAIL_IO, (u32)st->unit << 8 | st->subchannel, now);
    } else if (d->m.state == SENSE) {
        sense_done(d, st, now);
    } else if (d->m.state == MODE) {
        mode_done(d, now);
    } else if (sub == &d->m.sub[READ_SIDE]) {
        read_done(d, now);
    } else {
        write_done(d, now);
    }
}

static const struct chan_events CHAN_EVENTS = {.done = ctc_done, .attention = chandev_attention, .pci = ctc_pci};

/* ---- entering states ---- */

/* The adapter number says which of the two is for reading. */
static void enter_sense(struct chandev *m, u64 now) {
    m->swap = m->dev->lnk->adapter & 1u;
    chandev_sense_id(m, ctc_of(m)->read_area[0], now);
}

static void enter_mode(struct chandev *m, u64 now) {
    struct ctc_device *d = ctc_of(m);
    if (d->m.part == 0) d->absent = false;
    const struct chan_cmd cmd = {.op = CCW_SET_EXTENDED, .flags = CCW_SLI, .count = 1, .data = d->read_area[0]};
    chandev_run(&d->m, d->m.part, &cmd, 1, now);
}

static void enter_hello(struct chandev *m, u64 now) {
    struct ctc_device *d = ctc_of(m);
    d->block = d->packets = 0;
    d->filled[0] = CTCBLK_LENGTH_BYTES;
    read_start(d, now);
    write_start(d, 1, now);
}

static void enter_ready(struct chandev *m, u64 now) {
    struct ctc_device *d = ctc_of(m);
    struct link *lnk = d->m.dev->lnk;
    lnk->caps = LINK_CAP_ARP | LINK_CAP_BCAST | LINK_CAP_MCAST;
    lnk->mtu_bytes = d->block_bytes - CTCBLK_LENGTH_BYTES - CTCBLK_HEADER_BYTES;
    lnk->gso_max_bytes = 0;
    if (!d->announced) {
        d->announced = true;
        device_ready(d->m.dev, now);
    }
    /* The up-call may already have led to STOP. */
    if (d->m.state == READY) link_lan_up(lnk, now);
}

static void enter_lapse(struct chandev *m, u64 now) {
    struct ctc_device *d = ctc_of(m);
    if (d->m.part == 0) {
        d->count.partner_losses++;
        if (d->announced) link_lan_down(d->m.dev->lnk, now);
    }
    /* The up-call may already have led to STOP. */
    if (d->m.state == LAPSE) chandev_end_programs(m, now);
}

static void enter_down(struct chandev *m, u64 now) {
    struct ctc_device *d = ctc_of(m);
    u32 code = chandev_close(m);
    d->announced = false;
    if (code) {
        d->count.failures++;
        device_failed(d->m.dev, code, now);
    } else {
        d->count.stops++;
        device_stopped(d->m.dev, now);
    }
}

static const struct chandev_kind ctc_kind = {
    .cell = TABLE[0],
    .state = STATE,
    .event_name = EVENT_NAMES,
    .fail_name = FAIL_NAMES,
    .states = STATES,
    .events = EVENTS,
    .fails = CTC_FAILS,
    .halt = HALT,
    .ev_error = EV_ERROR,
    .ev_timeout = EV_TIMEOUT,
    .ev_quiet = EV_QUIET,
    .fail_no_device = CTC_FAIL_NO_DEVICE,
    .fail_io = CTC_FAIL_IO,
    .fail_timeout = CTC_FAIL_TIMEOUT,
    .units = SIDES,
    .retry_usec = AGAIN_USEC,
    .programs = &CHAN_EVENTS,
};

/* ---- device operations ---- */

static int op_attach(struct device *dev, void *ctx) {
    struct ctc_driver *drv = ctx;
    for (u32 i = 0; i < drv->max_devices; i++) {
        struct ctc_device *d = &drv->devices[i];
        if (d->m.dev) continue;
        chandev_attach(&d->m, dev);
        memset(&d->count, 0, sizeof d->count);
        dev->state = d;
        return 0;
    }
    return -ERR_NOMEM;
}

static void op_detach(struct device *dev) {
    struct ctc_device *d = dev->state;
    chandev_detach(&d->m);
    dev->state = NULL;
}

static int op_start(struct device *dev, u64 now) {
    struct ctc_device *d = dev->state;
    if (!dev->lnk) return -ERR_NOENT;
    if (d->m.state != DOWN) return -ERR_BUSY;
    d->count.starts++;
    d->m.fail_code = 0;
    d->block_bytes = dev->iobuffer_bytes ? u32_min(dev->iobuffer_bytes, 65535) : BLOCK_DEFAULT;
    d->blocks = u32_min(AREA_BYTES / d->block_bytes, CTCPROG_BLOCKS_MAX);
    event(d, EV_START, CTC_FAIL_NONE, 0, now);
    return 0;
}

static int op_stop(struct device *dev, u64 now) {
    struct ctc_device *d = dev->state;
    if (d->m.state == DOWN)
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
    return sizeof(struct ctc_driver) + 64 + max_devices * (sizeof(struct ctc_device) + 4 * AREA_BYTES + 2 * PAGE);
}

int link_ctc_driver_init(struct driver *out, struct chan_system *sys, struct arena *a, u32 max_devices) {
    struct ctc_driver *drv = arena_take(a, sizeof *drv, 16);
    if (!drv) return -ERR_NOMEM;
    *drv = (struct ctc_driver){.max_devices = max_devices};
    drv->devices = arena_take(a, sizeof *drv->devices * max_devices, 16);
    if (!drv->devices) return -ERR_NOMEM;
    for (u32 i = 0; i < max_devices; i++) {
        struct ctc_device *d = &drv->devices[i];
        memset(d, 0, sizeof *d);
        chandev_init(&d->m, &ctc_kind, sys);
        u8 *p = arena_take(a, 4 * AREA_BYTES, PAGE);
        if (!p) return -ERR_NOMEM;
        for (u32 b = 0; b < 2; b++) {
            d->read_area[b] = p + b * AREA_BYTES;
            d->write_area[b] = p + (2 + b) * AREA_BYTES;
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
    return chandev_state_text(&ctc_kind, ((const struct ctc_device *)dev->state)->m.state);
}

const char *link_ctc_fail_text(u32 code, char *out, size_t cap) { return chandev_fail_text(&ctc_kind, code, out, cap); }
