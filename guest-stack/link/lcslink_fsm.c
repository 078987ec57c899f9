/* lcslink_fsm.c - the life of an LCS device: which event means what in which state.
 *
 *   DOWN -> SENSE -> STARTUP -> STARTLAN -> LANSTAT -> QIPASSIST -> READY
 *   READY -> STOPLAN -> SHUTDOWN -> HALT -> DOWN       STOP
 *   READY -> STARTLAN -> ... -> READY                  the LAN is there again
 *   any -> HALT -> DOWN                                failure, or STOP before READY
 *
 * The table below says it per state and event; chandev.h drives it.
 */
#include "base/str.h"
#include "link/lcslink.h"
#include "net/stack.h"

#define LCS_MTU_BYTES 1500

#define STEP(to, on_error, on_refused)                                                                       \
    {                                                                                                        \
        [LCS_EV_STOP] = {CD_GO, LCS_HALT}, [LCS_EV_OK] = {CD_GO, to}, [LCS_EV_MORE] = {CD_MORE, 0},          \
        [LCS_EV_ERROR] = {on_error, 0}, [LCS_EV_REFUSED] = {on_refused, to}, [LCS_EV_TIMEOUT] = {CD_FAIL, 0} \
    }
#define LEAVE(to)                                                                                            \
    {                                                                                                        \
        [LCS_EV_OK] = {CD_GO, to}, [LCS_EV_REFUSED] = {CD_GO, to}, [LCS_EV_ERROR] = {CD_GO, LCS_HALT},       \
        [LCS_EV_TIMEOUT] = {CD_GO, LCS_HALT}                                                                 \
    }

static const struct chandev_cell TABLE[LCS_STATES][LCS_EVENTS] = {
    [LCS_DOWN] = {[LCS_EV_START] = {CD_GO, LCS_SENSE}},
    [LCS_SENSE] = STEP(LCS_ST_STARTUP, CD_RETRY, CD_FAIL),
    [LCS_ST_STARTUP] = STEP(LCS_ST_STARTLAN, CD_FAIL, CD_FAIL),
    [LCS_ST_STARTLAN] = STEP(LCS_ST_LANSTAT, CD_FAIL, CD_FAIL),
    [LCS_ST_LANSTAT] = STEP(LCS_ST_QIPASSIST, CD_FAIL, CD_FAIL),
    [LCS_ST_QIPASSIST] = STEP(LCS_READY, CD_FAIL, CD_GO), /* a station without assists works all the same */
    [LCS_READY] = {[LCS_EV_STOP] = {CD_GO, LCS_ST_STOPLAN},
                   [LCS_EV_LAN] = {CD_GO, LCS_ST_STARTLAN},
                   [LCS_EV_ERROR] = {CD_FAIL, 0},
                   [LCS_EV_TIMEOUT] = {CD_FAIL, 0}},
    [LCS_ST_STOPLAN] = LEAVE(LCS_ST_SHUTDOWN),
    [LCS_ST_SHUTDOWN] = LEAVE(LCS_HALT),
    [LCS_HALT] = {[LCS_EV_STOP] = {CD_QUIT, 0}, [LCS_EV_TIMEOUT] = {CD_MORE, 0}, [LCS_EV_QUIET] = {CD_GO, LCS_DOWN}},
};

static const char *const EVENT_NAMES[LCS_EVENTS] = {"START", "STOP",    "OK",  "MORE", "REFUSED",
                                                    "ERROR", "TIMEOUT", "LAN", "QUIET"};
static const char *const FAIL_NAMES[LCS_FAILS] = {"NONE",      "NO DEVICE", "WRONG TYPE",
                                                  "I/O ERROR", "COMMAND",   "TIMEOUT"};

static struct lcs_device *lcs_of(struct chandev *m) {
    return CONTAINER_OF(m, struct lcs_device, m);
}

static void enter_down(struct chandev *m, u64 now);
static void enter_sense(struct chandev *m, u64 now);
static void enter_startup(struct chandev *m, u64 now);
static void enter_command(struct chandev *m, u64 now) {
    lcslink_step_send(lcs_of(m), now);
}
static void enter_ready(struct chandev *m, u64 now);

#define STEP_USEC (5u * USEC_PER_SEC)

static const struct chandev_state STATES[LCS_STATES] = {
    [LCS_DOWN] = {"DOWN", 0, enter_down},
    [LCS_SENSE] = {"SENSE", STEP_USEC, enter_sense},
    [LCS_ST_STARTUP] = {"STARTUP", STEP_USEC, enter_startup},
    [LCS_ST_STARTLAN] = {"STARTLAN", STEP_USEC, enter_command},
    [LCS_ST_LANSTAT] = {"LANSTAT", STEP_USEC, enter_command},
    [LCS_ST_QIPASSIST] = {"QIPASSIST", STEP_USEC, enter_command},
    [LCS_READY] = {"READY", 0, enter_ready},
    [LCS_ST_STOPLAN] = {"STOPLAN", STEP_USEC, enter_command},
    [LCS_ST_SHUTDOWN] = {"SHUTDOWN", STEP_USEC, enter_command},
    [LCS_HALT] = {"HALT", USEC_PER_SEC, chandev_end_programs},
};

/* ---- the machine ---- */

/* A command is on its way: leaving READY now would mix its answer with the next step's. */
static bool hold_back(struct chandev *m, u32 ev) {
    struct lcs_device *d = lcs_of(m);
    if (m->state != LCS_READY || !d->command || (ev != LCS_EV_STOP && ev != LCS_EV_LAN)) return false;
    if (ev == LCS_EV_STOP) m->stop_due = true;
    if (ev == LCS_EV_LAN) d->lan_due = true;
    return true;
}

void lcslink_event(struct lcs_device *d, enum lcs_event ev, enum lcs_fail why, u32 detail, u64 now) {
    chandev_event(&d->m, ev, why, detail, now);
}

/* ---- subchannels ---- */

static void sense_done(struct lcs_device *d, const struct chan_status *st, u64 now) {
    const u8 *id = d->read_buf[0];
    u32 len = 7u - u32_min(st->residual, 7);
    if (len < 4 || be16_get(id + 1) != LCS_CU_TYPE) {
        lcslink_event(d, LCS_EV_REFUSED, LCS_FAIL_WRONG_TYPE, len < 3 ? 0 : be16_get(id + 1), now);
        return;
    }
    d->m.part++;
    lcslink_event(d, d->m.part < LCS_UNITS ? LCS_EV_MORE : LCS_EV_OK, LCS_FAIL_NONE, 0, now);
}

static void lcs_done(void *ctx, const struct chan_status *st, u64 now) {
    struct chandev_sub *sub = ctx;
    struct lcs_device *d = lcs_of(sub->m);
    sub->running = false;
    if (d->m.state == LCS_HALT) {
        if (!chandev_running(&d->m)) lcslink_event(d, LCS_EV_QUIET, LCS_FAIL_NONE, 0, now);
    } else if (!chandev_status_good(st)) {
        enum lcs_fail why = st->cc == 3 ? LCS_FAIL_NO_DEVICE : LCS_FAIL_IO;
        lcslink_event(d, LCS_EV_ERROR, why, (u32)st->unit << 8 | st->subchannel, now);
    } else if (d->m.state == LCS_SENSE) {
        sense_done(d, st, now);
    } else if (sub == &d->m.sub[LCS_UNIT_READ]) {
        lcslink_read_done(d, st, now);
    } else {
        lcslink_write_next(d, now);
        lcslink_group_next(d, now); /* it may have found no room before */
    }
}

static const struct chan_events LCS_CHAN_EVENTS = {.done = lcs_done, .attention = chandev_attention};

/* ---- entering states ---- */

static void enter_sense(struct chandev *m, u64 now) {
    chandev_sense_id(m, lcs_of(m)->read_buf[0], now);
}

/* From here on the read subchannel always has a READ outstanding. */
static void enter_startup(struct chandev *m, u64 now) {
    struct lcs_device *d = lcs_of(m);
    lcslink_read_start(d, now);
    lcslink_step_send(d, now);
}

static void enter_ready(struct chandev *m, u64 now) {
    struct lcs_device *d = lcs_of(m);
    struct link *lnk = d->m.dev->lnk;
    lnk->caps = LINK_CAP_BCAST;
    if (d->assists & LCS_ASS_MULTICAST) lnk->caps |= LINK_CAP_MCAST;
    lnk->mtu_bytes = LCS_MTU_BYTES;
    lnk->gso_max_bytes = 0;
    memcpy(lnk->mac, d->mac, MAC_LEN);
    d->hold = true;
    lcslink_group_stale(d);
    if (!d->announced) {
        d->announced = true;
        device_ready(d->m.dev, now);
    }
    /* The up-calls may already have led to STOP. */
    if (d->m.state == LCS_READY && d->lan_up) link_lan_up(lnk, now);
    if (d->m.state == LCS_READY && !d->lan_up) link_lan_down(lnk, now);
    d->hold = false;
    lcslink_group_next(d, now);
}

static void enter_down(struct chandev *m, u64 now) {
    struct lcs_device *d = lcs_of(m);
    u32 code = chandev_close(m);
    lcslink_group_forget(d);
    d->announced = d->lan_up = d->lan_due = false;
    d->command = 0;
    d->filled = d->frames = 0;
    if (code) {
        d->count.failures++;
        device_failed(m->dev, code, now);
    } else {
        d->count.stops++;
        device_stopped(m->dev, now);
    }
}

const struct chandev_kind lcslink_kind = {
    .cell = TABLE[0],
    .state = STATES,
    .event_name = EVENT_NAMES,
    .fail_name = FAIL_NAMES,
    .states = LCS_STATES,
    .events = LCS_EVENTS,
    .fails = LCS_FAILS,
    .halt = LCS_HALT,
    .ev_error = LCS_EV_ERROR,
    .ev_timeout = LCS_EV_TIMEOUT,
    .ev_quiet = LCS_EV_QUIET,
    .fail_no_device = LCS_FAIL_NO_DEVICE,
    .fail_io = LCS_FAIL_IO,
    .fail_timeout = LCS_FAIL_TIMEOUT,
    .units = LCS_UNITS,
    .tries_max = 3,
    .retry_usec = 100u * USEC_PER_MSEC,
    .programs = &LCS_CHAN_EVENTS,
    .hold_back = hold_back,
};

/* ---- displays ---- */

const char *link_lcs_fail_text(u32 code, char *out, size_t cap) { return chandev_fail_text(&lcslink_kind, code, out, cap); }

void link_lcs_print_fsm(void (*line)(void *ctx, const char *text), void *ctx) { chandev_print(&lcslink_kind, line, ctx); }
