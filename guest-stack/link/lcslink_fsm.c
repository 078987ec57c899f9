/* lcslink_fsm.c - the life of an LCS device: which event means what in which state.
 *
 *   DOWN -> SENSE -> STARTUP -> STARTLAN -> LANSTAT -> QIPASSIST -> READY
 *   READY -> STOPLAN -> SHUTDOWN -> HALT -> DOWN       STOP
 *   READY -> STARTLAN -> ... -> READY                  the LAN is there again
 *   any -> HALT -> DOWN                                failure, or STOP before READY
 *
 * As in mpcipa_fsm.c: a cell is an action and the next state; entering a state runs its function and arms
 * the step timer; what a state does not expect is ignored; HALT is left only when no subchannel has a
 * program.
 */
#include "base/str.h"
#include "link/lcslink.h"
#include "net/stack.h"

#define RETRY_USEC    (100u * USEC_PER_MSEC)
#define TRIES_MAX     3
#define LCS_MTU_BYTES 1500

enum act { IGNORE, GO, MORE, RETRY, FAIL, QUIT };
struct cell {
    u8 act, next;
};

#define STEP(to, on_error, on_refused)                                                                       \
    {                                                                                                        \
        [LCS_EV_STOP] = {GO, LCS_HALT}, [LCS_EV_OK] = {GO, to}, [LCS_EV_MORE] = {MORE, 0},                   \
        [LCS_EV_ERROR] = {on_error, 0}, [LCS_EV_REFUSED] = {on_refused, to}, [LCS_EV_TIMEOUT] = {            \
            FAIL,                                                                                            \
            0                                                                                                \
        }                                                                                                    \
    }
#define LEAVE(to)                                                                                            \
    {                                                                                                        \
        [LCS_EV_OK] = {GO, to}, [LCS_EV_REFUSED] = {GO, to}, [LCS_EV_ERROR] = {GO, LCS_HALT},                \
        [LCS_EV_TIMEOUT] = {                                                                                 \
            GO,                                                                                              \
            LCS_HALT                                                                                         \
        }                                                                                                    \
    }

static const struct cell TABLE[LCS_STATES][LCS_EVENTS] = {
    [LCS_DOWN] = {[LCS_EV_START] = {GO, LCS_SENSE}},
    [LCS_SENSE] = STEP(LCS_ST_STARTUP, RETRY, FAIL),
    [LCS_ST_STARTUP] = STEP(LCS_ST_STARTLAN, FAIL, FAIL),
    [LCS_ST_STARTLAN] = STEP(LCS_ST_LANSTAT, FAIL, FAIL),
    [LCS_ST_LANSTAT] = STEP(LCS_ST_QIPASSIST, FAIL, FAIL),
    [LCS_ST_QIPASSIST] = STEP(LCS_READY, FAIL, GO), /* a station without assists works all the same */
    [LCS_READY] = {[LCS_EV_STOP] = {GO, LCS_ST_STOPLAN},
                   [LCS_EV_LAN] = {GO, LCS_ST_STARTLAN},
                   [LCS_EV_ERROR] = {FAIL, 0},
                   [LCS_EV_TIMEOUT] = {FAIL, 0}},
    [LCS_ST_STOPLAN] = LEAVE(LCS_ST_SHUTDOWN),
    [LCS_ST_SHUTDOWN] = LEAVE(LCS_HALT),
    [LCS_HALT] = {[LCS_EV_STOP] = {QUIT, 0}, [LCS_EV_TIMEOUT] = {MORE, 0}, [LCS_EV_QUIET] = {GO, LCS_DOWN}},
};

static const char *const EVENT_NAMES[LCS_EVENTS] = {"START", "STOP",    "OK",  "MORE", "REFUSED",
                                                    "ERROR", "TIMEOUT", "LAN", "QUIET"};
static const char *const ACT_NAMES[] = {"ignore", "", "again", "retry", "fail", "stop asked"};
static const char *const FAIL_NAMES[LCS_FAILS] = {"NONE",      "NO DEVICE", "WRONG TYPE",
                                                  "I/O ERROR", "COMMAND",   "TIMEOUT"};

static void enter_down(struct lcs_device *d, u64 now);
static void enter_sense(struct lcs_device *d, u64 now);
static void enter_startup(struct lcs_device *d, u64 now);
static void enter_command(struct lcs_device *d, u64 now) {
    lcslink_step_send(d, now);
}
static void enter_ready(struct lcs_device *d, u64 now);
static void enter_halt(struct lcs_device *d, u64 now);

#define STEP_USEC (5u * USEC_PER_SEC)

static const struct {
    const char *name;
    u32 time_usec; /* 0 = for ever */
    void (*enter)(struct lcs_device *d, u64 now);
} STATES[LCS_STATES] = {
    [LCS_DOWN] = {"DOWN", 0, enter_down},
    [LCS_SENSE] = {"SENSE", STEP_USEC, enter_sense},
    [LCS_ST_STARTUP] = {"STARTUP", STEP_USEC, enter_startup},
    [LCS_ST_STARTLAN] = {"STARTLAN", STEP_USEC, enter_command},
    [LCS_ST_LANSTAT] = {"LANSTAT", STEP_USEC, enter_command},
    [LCS_ST_QIPASSIST] = {"QIPASSIST", STEP_USEC, enter_command},
    [LCS_READY] = {"READY", 0, enter_ready},
    [LCS_ST_STOPLAN] = {"STOPLAN", STEP_USEC, enter_command},
    [LCS_ST_SHUTDOWN] = {"SHUTDOWN", STEP_USEC, enter_command},
    [LCS_HALT] = {"HALT", USEC_PER_SEC, enter_halt},
};

/* ---- the machine ---- */

static void state_enter(struct lcs_device *d, enum lcs_state s, u64 now) {
    d->state = s;
    d->again = false;
    d->start_error = 0;
    if (STATES[s].time_usec)
        timer_arm(d->dev->stk, &d->step, now + STATES[s].time_usec);
    else
        timer_disarm(d->dev->stk, &d->step);
    STATES[s].enter(d, now);
}

static void state_go(struct lcs_device *d, enum lcs_state s, u64 now) {
    d->tries = d->part = 0;
    state_enter(d, s, now);
}

static void state_fail(struct lcs_device *d, u64 now) {
    d->fail_code = (u32)d->why << 24 | (u32)d->state << 16 | (d->detail & 0xFFFF);
    if (d->stop_due) d->fail_code = 0; /* it was to go down anyway: what STOP waits for is device_stopped() */
    state_go(d, LCS_HALT, now);
}

void lcslink_event(struct lcs_device *d, enum lcs_event ev, enum lcs_fail why, u32 detail, u64 now) {
    const struct cell *c = &TABLE[d->state][ev];
    /* A command is on its way: leaving READY now would mix its answer with the next step's. */
    if (d->state == LCS_READY && d->command && (ev == LCS_EV_STOP || ev == LCS_EV_LAN)) {
        if (ev == LCS_EV_STOP) d->stop_due = true;
        if (ev == LCS_EV_LAN) d->lan_due = true;
        return;
    }
    d->why = why;
    d->detail = detail;
    switch ((enum act)c->act) {
    case IGNORE: return;
    case GO: state_go(d, (enum lcs_state)c->next, now); return;
    case MORE:
        d->tries = 0;
        state_enter(d, d->state, now);
        return;
    case RETRY:
        if (++d->tries >= TRIES_MAX) {
            state_fail(d, now);
            return;
        }
        d->again = true;
        timer_arm(d->dev->stk, &d->step, now + RETRY_USEC);
        return;
    case FAIL: state_fail(d, now); return;
    case QUIT: d->fail_code = 0; return;
    }
}

static void step_timer(struct stack *stk, struct timer *t, u64 now) {
    struct lcs_device *d = CONTAINER_OF(t, struct lcs_device, step);
    UNUSED(stk);
    u32 error = d->start_error;
    d->start_error = 0;
    if (error)
        lcslink_event(d, LCS_EV_ERROR, error == ERR_NOENT ? LCS_FAIL_NO_DEVICE : LCS_FAIL_IO, error, now);
    else if (d->again)
        state_enter(d, d->state, now);
    else
        lcslink_event(d, LCS_EV_TIMEOUT, LCS_FAIL_TIMEOUT, 0, now);
}

void lcslink_fsm_init(struct lcs_device *d) {
    timer_init(&d->step, step_timer);
    d->state = LCS_DOWN;
}

/* ---- subchannels ---- */

void lcslink_run(struct lcs_device *d, u32 unit, const struct chan_cmd *program, u32 n, u64 now) {
    int rc = chan_start(d->sub[unit].ch, program, n);
    if (rc == 0) {
        d->sub[unit].running = true;
        return;
    }
    /* Who called may be in the middle of the stack's tables: failure is told from the timer. */
    d->start_error = (u32)-rc;
    timer_arm(d->dev->stk, &d->step, now);
}

static bool status_good(const struct chan_status *st) {
    return st->cc == 0 && !st->halted && !(st->subchannel & ~CS_PCI) &&
           !(st->unit & (US_UNIT_CHECK | US_UNIT_EXCEPTION));
}

static bool any_running(const struct lcs_device *d) {
    return d->sub[LCS_UNIT_READ].running || d->sub[LCS_UNIT_WRITE].running;
}

static void sense_done(struct lcs_device *d, const struct chan_status *st, u64 now) {
    const u8 *id = d->read_buf[0];
    u32 len = 7u - u32_min(st->residual, 7);
    if (len < 4 || be16_get(id + 1) != LCS_CU_TYPE) {
        lcslink_event(d, LCS_EV_REFUSED, LCS_FAIL_WRONG_TYPE, len < 3 ? 0 : be16_get(id + 1), now);
        return;
    }
    d->part++;
    lcslink_event(d, d->part < LCS_UNITS ? LCS_EV_MORE : LCS_EV_OK, LCS_FAIL_NONE, 0, now);
}

static void lcs_done(void *ctx, const struct chan_status *st, u64 now) {
    struct lcs_sub *sub = ctx;
    struct lcs_device *d = sub->d;
    sub->running = false;
    if (d->state == LCS_HALT) {
        if (!any_running(d)) lcslink_event(d, LCS_EV_QUIET, LCS_FAIL_NONE, 0, now);
    } else if (!status_good(st)) {
        enum lcs_fail why = st->cc == 3 ? LCS_FAIL_NO_DEVICE : LCS_FAIL_IO;
        lcslink_event(d, LCS_EV_ERROR, why, (u32)st->unit << 8 | st->subchannel, now);
    } else if (d->state == LCS_SENSE) {
        sense_done(d, st, now);
    } else if (sub == &d->sub[LCS_UNIT_READ]) {
        lcslink_read_done(d, st, now);
    } else {
        lcslink_write_next(d, now);
        lcslink_group_next(d, now); /* it may have found no room before */
    }
}

static void lcs_attention(void *ctx, u8 unit_status, u64 now) {
    struct lcs_device *d = ((struct lcs_sub *)ctx)->d;
    UNUSED(unit_status);
    /* A station that comes back says so; while we wait to try again this is the moment. */
    if (d->again) timer_arm(d->dev->stk, &d->step, now);
}

static const struct chan_events LCS_CHAN_EVENTS = {.done = lcs_done, .attention = lcs_attention};

/* ---- entering states ---- */

static int open_all(struct lcs_device *d) {
    for (u32 i = 0; i < LCS_UNITS; i++) {
        u16 devnum = (u16)(d->dev->devnum + i);
        if (d->sub[i].ch) continue;
        int rc = chan_open(d->drv->sys, devnum, &LCS_CHAN_EVENTS, &d->sub[i], &d->sub[i].ch);
        if (rc) {
            d->sub[i].ch = NULL;
            return rc;
        }
    }
    return 0;
}

static void enter_sense(struct lcs_device *d, u64 now) {
    int rc = open_all(d);
    if (rc) {
        lcslink_event(d, LCS_EV_ERROR, rc == -ERR_NOENT ? LCS_FAIL_NO_DEVICE : LCS_FAIL_IO, (u32)-rc, now);
        return;
    }
    struct chan_cmd cmd = {.op = CCW_SENSE_ID, .flags = CCW_SLI, .count = 7, .data = d->read_buf[0]};
    memset(d->read_buf[0], 0, 7);
    lcslink_run(d, d->part, &cmd, 1, now);
}

/* From here on the read subchannel always has a READ outstanding. */
static void enter_startup(struct lcs_device *d, u64 now) {
    lcslink_read_start(d, now);
    lcslink_step_send(d, now);
}

static void enter_ready(struct lcs_device *d, u64 now) {
    struct link *lnk = d->dev->lnk;
    lnk->caps = LINK_CAP_BCAST;
    if (d->assists & LCS_ASS_MULTICAST) lnk->caps |= LINK_CAP_MCAST;
    lnk->mtu_bytes = LCS_MTU_BYTES;
    lnk->gso_max_bytes = 0;
    memcpy(lnk->mac, d->mac, MAC_LEN);
    d->hold = true;
    lcslink_group_stale(d);
    if (!d->announced) {
        d->announced = true;
        device_ready(d->dev, now);
    }
    /* The up-calls may already have led to STOP. */
    if (d->state == LCS_READY && d->lan_up) link_lan_up(lnk, now);
    if (d->state == LCS_READY && !d->lan_up) link_lan_down(lnk, now);
    d->hold = false;
    lcslink_group_next(d, now);
}

static void enter_halt(struct lcs_device *d, u64 now) {
    for (u32 i = 0; i < LCS_UNITS; i++) {
        if (!d->sub[i].running) continue;
        if (d->part == 0)
            chan_halt(d->sub[i].ch);
        else
            chan_clear(d->sub[i].ch);
    }
    d->part = 1;
    if (!any_running(d)) lcslink_event(d, LCS_EV_QUIET, LCS_FAIL_NONE, 0, now);
}

static void enter_down(struct lcs_device *d, u64 now) {
    u32 code = d->fail_code;
    for (u32 i = 0; i < LCS_UNITS; i++) {
        if (d->sub[i].ch) chan_close(d->sub[i].ch);
        d->sub[i].ch = NULL;
    }
    lcslink_group_forget(d);
    d->announced = d->lan_up = d->stop_due = d->lan_due = false;
    d->command = 0;
    d->filled = d->frames = 0;
    d->fail_code = 0;
    if (code) {
        d->count.failures++;
        device_failed(d->dev, code, now);
    } else {
        d->count.stops++;
        device_stopped(d->dev, now);
    }
}

/* ---- displays ---- */

const char *lcslink_state_text(u32 state) {
    return state < LCS_STATES ? STATES[state].name : "?";
}

const char *link_lcs_fail_text(u32 code, char *out, size_t cap) {
    u32 why = code >> 24;
    str_fmt(out, cap, "%s IN %s, DETAIL %04X", why < LCS_FAILS ? FAIL_NAMES[why] : "?",
            lcslink_state_text(code >> 16 & 0xFF), code & 0xFFFF);
    return out;
}

void link_lcs_print_fsm(void (*line)(void *ctx, const char *text), void *ctx) {
    char text[80];
    for (u32 s = 0; s < LCS_STATES; s++) {
        for (u32 e = 0; e < LCS_EVENTS; e++) {
            const struct cell *c = &TABLE[s][e];
            if (c->act == IGNORE) continue;
            str_fmt(text, sizeof text, "%-10s %-8s %s%s", STATES[s].name, EVENT_NAMES[e], ACT_NAMES[c->act],
                    c->act == GO ? STATES[c->next].name : "");
            line(ctx, text);
        }
    }
}
