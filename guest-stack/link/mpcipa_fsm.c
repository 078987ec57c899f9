/* mpcipa_fsm.c - the life of a QDIO device: which event means what in which state.
 *
 *   DOWN -> SENSE -> IDX_READ -> IDX_WRITE -> CM_ENABLE -> CM_SETUP -> ULP_ENABLE -> ULP_SETUP -> ESTABLISH
 *        -> ACTIVATE -> DM_ACT -> STARTLAN -> QIPASSIST -> ADAPTER -> MAC -> ASSIST -> ROUTING -> READY
 *   READY -> STOPLAN -> HALT -> DOWN                     STOP
 *   any -> HALT -> DOWN                                  failure, or STOP before READY
 *   READY -> STARTLAN -> ... -> READY                    the card lost its LAN state and found it again
 *
 * The table below says it per state and event; a cell is an action and the state that follows. Entering a
 * state runs its function and arms the step timer with its time. An event that a state does not expect is
 * ignored: a late answer or a second failure while the device already goes down.
 *
 * Invariant: HALT is left only when no subchannel has a program, so storage that the card may write is never
 * given up while it may. A subchannel that does not answer a halt is cleared, again and again, once a second.
 */
#include "base/str.h"
#include "link/mpcipa.h"
#include "net/stack.h"

#define RETRY_USEC         (100u * USEC_PER_MSEC)
#define TRIES_MAX          3
#define ACTIVATE_POLL_USEC (5u * USEC_PER_MSEC)
#define ACTIVATE_POLLS     400

enum act { IGNORE, GO, MORE, RETRY, FAIL, FORGIVE, QUIT };
struct cell {
    u8 act, next;
};

/* What every step of the start-up does: next state, what a channel error and what a refusal mean. */
#define STEP(to, on_error, on_refused)                                                                       \
    {                                                                                                        \
        [OSA_EV_STOP] = {GO, OSA_HALT}, [OSA_EV_OK] = {GO, to}, [OSA_EV_MORE] = {MORE, 0},                   \
        [OSA_EV_ERROR] = {on_error, 0}, [OSA_EV_REFUSED] = {on_refused, to}, [OSA_EV_TIMEOUT] = {FAIL, 0},   \
        [OSA_EV_LOST] = {                                                                                    \
            FAIL,                                                                                            \
            0                                                                                                \
        }                                                                                                    \
    }
#define ANY_TO_HALT                                                                                          \
    { GO, OSA_HALT }

static const struct cell TABLE[OSA_STATES][OSA_EVENTS] = {
    [OSA_DOWN] = {[OSA_EV_START] = {GO, OSA_SENSE}},
    [OSA_SENSE] = STEP(OSA_IDX_READ, RETRY, FAIL),
    [OSA_IDX_READ] = STEP(OSA_IDX_WRITE, RETRY, RETRY),
    [OSA_IDX_WRITE] = STEP(OSA_CM_ENABLE, RETRY, RETRY),
    [OSA_CM_ENABLE] = STEP(OSA_CM_SETUP, FAIL, FAIL),
    [OSA_CM_SETUP] = STEP(OSA_ULP_ENABLE, FAIL, FAIL),
    [OSA_ULP_ENABLE] = STEP(OSA_ULP_SETUP, FAIL, FAIL),
    [OSA_ULP_SETUP] = STEP(OSA_ESTABLISH, FAIL, FAIL),
    [OSA_ESTABLISH] = STEP(OSA_ACTIVATE, RETRY, FAIL),
    [OSA_ACTIVATE] = STEP(OSA_DM_ACT, FAIL, FAIL),
    [OSA_DM_ACT] = STEP(OSA_STARTLAN, FAIL, FAIL),
    [OSA_STARTLAN] = STEP(OSA_QIPASSIST, FAIL, FAIL),
    [OSA_QIPASSIST] = STEP(OSA_ADAPTER, FAIL, FAIL),
    [OSA_ADAPTER] = STEP(OSA_MAC, FAIL, FORGIVE),
    [OSA_MAC] = STEP(OSA_ASSIST, FAIL, FORGIVE),
    [OSA_ASSIST] = STEP(OSA_ROUTING, FAIL, MORE),
    [OSA_ROUTING] = STEP(OSA_READY, FAIL, FORGIVE),
    [OSA_READY] = {[OSA_EV_STOP] = {GO, OSA_STOPLAN},
                   [OSA_EV_LAN] = {GO, OSA_STARTLAN},
                   [OSA_EV_ERROR] = {FAIL, 0},
                   [OSA_EV_TIMEOUT] = {FAIL, 0},
                   [OSA_EV_LOST] = {FAIL, 0}},
    [OSA_STOPLAN] = {[OSA_EV_OK] = ANY_TO_HALT,
                     [OSA_EV_REFUSED] = ANY_TO_HALT,
                     [OSA_EV_ERROR] = ANY_TO_HALT,
                     [OSA_EV_TIMEOUT] = ANY_TO_HALT,
                     [OSA_EV_LOST] = ANY_TO_HALT},
    [OSA_HALT] =
        {[OSA_EV_STOP] = {QUIT, OSA_HALT}, [OSA_EV_TIMEOUT] = {MORE, 0}, [OSA_EV_QUIET] = {GO, OSA_DOWN}},
};

static const char *const EVENT_NAMES[OSA_EVENTS] = {"START", "STOP",    "OK",   "MORE", "REFUSED",
                                                    "ERROR", "TIMEOUT", "LOST", "LAN",  "QUIET"};
static const char *const ACT_NAMES[] = {"ignore", "", "again", "retry", "fail", "forgive", "stop asked"};
static const char *const FAIL_NAMES[OSA_FAILS] = {"NONE",       "NO DEVICE",  "WRONG TYPE", "I/O ERROR",
                                                  "REFUSED",    "BAD REPLY",  "TIMEOUT",    "COMMAND",
                                                  "TERMINATED", "QUEUE ERROR"};

static void enter_down(struct mpcipa *d, u64 now);
static void enter_sense(struct mpcipa *d, u64 now);
static void enter_idx(struct mpcipa *d, u64 now) {
    mpcipa_idx_send(d, now);
}
static void enter_mpc(struct mpcipa *d, u64 now) {
    mpcipa_mpc_send(d, now);
}
static void enter_cm_enable(struct mpcipa *d, u64 now);
static void enter_establish(struct mpcipa *d, u64 now);
static void enter_activate(struct mpcipa *d, u64 now);
static void enter_ipa(struct mpcipa *d, u64 now) {
    mpcipa_ipa_step(d, now);
}
static void enter_ready(struct mpcipa *d, u64 now);
static void enter_halt(struct mpcipa *d, u64 now);

#define CHANNEL_USEC (5u * USEC_PER_SEC)
#define MPC_USEC     (10u * USEC_PER_SEC)
#define IPA_USEC     (20u * USEC_PER_SEC)

static const struct {
    const char *name;
    u32 time_usec; /* 0 = for ever */
    void (*enter)(struct mpcipa *d, u64 now);
} STATES[OSA_STATES] = {
    [OSA_DOWN] = {"DOWN", 0, enter_down},
    [OSA_SENSE] = {"SENSE", CHANNEL_USEC, enter_sense},
    [OSA_IDX_READ] = {"IDX_READ", CHANNEL_USEC, enter_idx},
    [OSA_IDX_WRITE] = {"IDX_WRITE", CHANNEL_USEC, enter_idx},
    [OSA_CM_ENABLE] = {"CM_ENABLE", MPC_USEC, enter_cm_enable},
    [OSA_CM_SETUP] = {"CM_SETUP", MPC_USEC, enter_mpc},
    [OSA_ULP_ENABLE] = {"ULP_ENABLE", MPC_USEC, enter_mpc},
    [OSA_ULP_SETUP] = {"ULP_SETUP", MPC_USEC, enter_mpc},
    [OSA_ESTABLISH] = {"ESTABLISH", CHANNEL_USEC, enter_establish},
    [OSA_ACTIVATE] = {"ACTIVATE", CHANNEL_USEC, enter_activate},
    [OSA_DM_ACT] = {"DM_ACT", MPC_USEC, enter_mpc},
    [OSA_STARTLAN] = {"STARTLAN", IPA_USEC, enter_ipa},
    [OSA_QIPASSIST] = {"QIPASSIST", IPA_USEC, enter_ipa},
    [OSA_ADAPTER] = {"ADAPTER", IPA_USEC, enter_ipa},
    [OSA_MAC] = {"MAC", IPA_USEC, enter_ipa},
    [OSA_ASSIST] = {"ASSIST", IPA_USEC, enter_ipa},
    [OSA_ROUTING] = {"ROUTING", IPA_USEC, enter_ipa},
    [OSA_READY] = {"READY", 0, enter_ready},
    [OSA_STOPLAN] = {"STOPLAN", MPC_USEC, enter_ipa},
    [OSA_HALT] = {"HALT", USEC_PER_SEC, enter_halt},
};

/* ---- the machine ---- */

static void state_enter(struct mpcipa *d, enum mpcipa_state s, u64 now) {
    d->state = s;
    d->again = false;
    d->start_error = 0;
    if (STATES[s].time_usec)
        timer_arm(d->dev->stk, &d->step, now + STATES[s].time_usec);
    else
        timer_disarm(d->dev->stk, &d->step);
    STATES[s].enter(d, now);
}

static void state_go(struct mpcipa *d, enum mpcipa_state s, u64 now) {
    d->tries = 0;
    d->part = 0;
    state_enter(d, s, now);
}

static void state_fail(struct mpcipa *d, u64 now) {
    d->fail_code = (u32)d->why << 24 | (u32)d->state << 16 | (d->detail & 0xFFFF);
    if (d->stop_due) d->fail_code = 0; /* it was to go down anyway: what STOP waits for is device_stopped() */
    state_go(d, OSA_HALT, now);
}

void mpcipa_event(struct mpcipa *d, enum mpcipa_event ev, enum osa_fail why, u32 detail, u64 now) {
    const struct cell *c = &TABLE[d->state][ev];
    /* A command is on its way: leaving READY now would mix its answer with the next step's. */
    bool busy = d->ipa_command || d->sub[OSA_UNIT_WRITE].running;
    if (d->state == OSA_READY && busy && (ev == OSA_EV_STOP || ev == OSA_EV_LAN)) {
        if (ev == OSA_EV_STOP) d->stop_due = true;
        if (ev == OSA_EV_LAN) d->lan_due = true;
        return;
    }
    d->why = why;
    d->detail = detail;
    switch ((enum act)c->act) {
    case IGNORE: return;
    case GO: state_go(d, (enum mpcipa_state)c->next, now); return;
    case FORGIVE: state_go(d, (enum mpcipa_state)c->next, now); return;
    case MORE:
        d->tries = 0;
        state_enter(d, d->state, now);
        return;
    case RETRY:
        if (++d->tries < TRIES_MAX)
            mpcipa_step_again(d, RETRY_USEC, now);
        else
            state_fail(d, now);
        return;
    case FAIL: state_fail(d, now); return;
    case QUIT: d->fail_code = 0; return;
    }
}

void mpcipa_step_again(struct mpcipa *d, u32 usec, u64 now) {
    d->again = true;
    timer_arm(d->dev->stk, &d->step, now + usec);
}

static void step_timer(struct stack *stk, struct timer *t, u64 now) {
    struct mpcipa *d = CONTAINER_OF(t, struct mpcipa, step);
    UNUSED(stk);
    u32 error = d->start_error;
    d->start_error = 0;
    if (error)
        mpcipa_event(d, OSA_EV_ERROR, error == ERR_NOENT ? OSA_FAIL_NO_DEVICE : OSA_FAIL_IO, error, now);
    else if (d->again)
        state_enter(d, d->state, now);
    else
        mpcipa_event(d, OSA_EV_TIMEOUT, OSA_FAIL_TIMEOUT, 0, now);
}

static void stall_timer(struct stack *stk, struct timer *t, u64 now) {
    UNUSED(stk);
    mpcipa_queue_stall(CONTAINER_OF(t, struct mpcipa, stall), now);
}

static void refresh_timer(struct stack *stk, struct timer *t, u64 now) {
    UNUSED(stk);
    mpcipa_arp_refresh(CONTAINER_OF(t, struct mpcipa, refresh), now);
}

void mpcipa_fsm_init(struct mpcipa *d) {
    timer_init(&d->step, step_timer);
    timer_init(&d->stall, stall_timer);
    timer_init(&d->refresh, refresh_timer);
    d->state = OSA_DOWN;
}

/* ---- subchannels ---- */

void mpcipa_run(struct mpcipa *d, u32 unit, const struct chan_cmd *program, u32 n, u64 now) {
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

static bool any_running(const struct mpcipa *d) {
    for (u32 i = 0; i < OSA_UNITS; i++)
        if (d->sub[i].running) return true;
    return false;
}

static void sense_done(struct mpcipa *d, const struct chan_status *st, u64 now) {
    const u8 *id = d->read_buf;
    u32 len = 7u - u32_min(st->residual, 7);
    if (len < 6 || be16_get(id + 1) != OSA_CU_TYPE || be16_get(id + 4) != OSA_DEV_TYPE) {
        mpcipa_event(d, OSA_EV_REFUSED, OSA_FAIL_WRONG_TYPE, len < 3 ? 0 : be16_get(id + 1), now);
        return;
    }
    d->part++;
    mpcipa_event(d, d->part < OSA_UNITS ? OSA_EV_MORE : OSA_EV_OK, OSA_FAIL_NONE, 0, now);
}

/* A program of the write subchannel is over: what waited for that happens now. */
static void write_done(struct mpcipa *d, u64 now) {
    enum mpcipa_event held = (enum mpcipa_event)d->held_event;
    d->held_event = OSA_EVENTS;
    if (held != OSA_EVENTS) {
        mpcipa_event(d, held, d->held_why, d->held_detail, now);
    } else if (d->state == OSA_READY && !d->ipa_command) {
        timer_disarm(d->dev->stk, &d->step);
        mpcipa_addr_next(d, now);
    }
}

static void mpcipa_done(void *ctx, const struct chan_status *st, u64 now) {
    struct mpcipa_sub *sub = ctx;
    struct mpcipa *d = sub->d;
    u32 unit = (u32)(sub - d->sub);
    sub->running = false;
    if (d->state == OSA_HALT) {
        if (!any_running(d)) mpcipa_event(d, OSA_EV_QUIET, OSA_FAIL_NONE, 0, now);
        return;
    }
    bool queues_run = unit == OSA_UNIT_DATA && d->state >= OSA_ACTIVATE;
    if (queues_run || !status_good(st)) {
        bool lost = queues_run || (unit == OSA_UNIT_READ && d->state > OSA_IDX_WRITE);
        enum osa_fail why = st->cc == 3 ? OSA_FAIL_NO_DEVICE : lost ? OSA_FAIL_TERMINATED : OSA_FAIL_IO;
        mpcipa_event(d, lost ? OSA_EV_LOST : OSA_EV_ERROR, why, (u32)st->unit << 8 | st->subchannel, now);
        return;
    }
    if (d->state == OSA_SENSE)
        sense_done(d, st, now);
    else if (d->state == OSA_IDX_READ || d->state == OSA_IDX_WRITE)
        mpcipa_idx_done(d, st, now);
    else if (d->state == OSA_ESTABLISH && unit == OSA_UNIT_DATA)
        mpcipa_event(d, OSA_EV_OK, OSA_FAIL_NONE, 0, now);
    else if (unit == OSA_UNIT_READ)
        mpcipa_read_done(d, st, now);
    else
        write_done(d, now);
}

static void mpcipa_pci(void *ctx, u64 now) {
    struct mpcipa *d = ((struct mpcipa_sub *)ctx)->d;
    d->count.pci_events++;
    if (d->data_up) mpcipa_queue_input(d, now);
}

/* A card that comes back says so; while we wait to try again this is the moment. */
static void mpcipa_attention(void *ctx, u8 unit_status, u64 now) {
    struct mpcipa *d = ((struct mpcipa_sub *)ctx)->d;
    UNUSED(unit_status);
    if (d->again && d->state != OSA_ACTIVATE) mpcipa_step_again(d, 0, now);
}

static const struct chan_events OSA_CHAN_EVENTS = {
    .done = mpcipa_done, .attention = mpcipa_attention, .pci = mpcipa_pci};

/* ---- entering states ---- */

static int open_all(struct mpcipa *d) {
    for (u32 i = 0; i < OSA_UNITS; i++) {
        if (d->sub[i].ch) continue;
        u16 devnum = (u16)(d->dev->devnum + i);
        int rc = chan_open(d->drv->sys, devnum, &OSA_CHAN_EVENTS, &d->sub[i], &d->sub[i].ch);
        if (rc) {
            d->sub[i].ch = NULL;
            return rc;
        }
    }
    return 0;
}

static void enter_sense(struct mpcipa *d, u64 now) {
    int rc = open_all(d);
    if (rc) {
        mpcipa_event(d, OSA_EV_ERROR, rc == -ERR_NOENT ? OSA_FAIL_NO_DEVICE : OSA_FAIL_IO, (u32)-rc, now);
        return;
    }
    struct chan_cmd cmd = {.op = CCW_SENSE_ID, .flags = CCW_SLI, .count = 7, .data = d->read_buf};
    memset(d->read_buf, 0, 7);
    mpcipa_run(d, d->part, &cmd, 1, now);
}

/* From here on the read subchannel always has a READ outstanding. */
static void enter_cm_enable(struct mpcipa *d, u64 now) {
    mpcipa_read_start(d, now);
    if (d->state == OSA_CM_ENABLE) mpcipa_mpc_send(d, now);
}

static void enter_establish(struct mpcipa *d, u64 now) {
    struct chan_cmd cmd = {.op = OSA_CCW_ESTABLISH, .flags = CCW_SLI, .count = QDR_BYTES, .data = d->qdr};
    mpcipa_queue_build(d);
    mpcipa_run(d, OSA_UNIT_DATA, &cmd, 1, now);
}

/* ACTIVATE has no end; that the queues run is seen from the condition code of a SIGA. */
static void enter_activate(struct mpcipa *d, u64 now) {
    if (d->part++ == 0) {
        struct chan_cmd cmd = {.op = OSA_CCW_ACTIVATE, .flags = CCW_SLI, .count = 0, .data = NULL};
        mpcipa_queue_prime(d);
        mpcipa_run(d, OSA_UNIT_DATA, &cmd, 1, now);
    } else if (chan_siga_read(d->sub[OSA_UNIT_DATA].ch, 0x80000000u) == 0) {
        d->data_up = true;
        mpcipa_event(d, OSA_EV_OK, OSA_FAIL_NONE, 0, now);
        return;
    } else if (d->part > ACTIVATE_POLLS) {
        mpcipa_event(d, OSA_EV_TIMEOUT, OSA_FAIL_TIMEOUT, 0, now);
        return;
    }
    if (d->state == OSA_ACTIVATE) mpcipa_step_again(d, ACTIVATE_POLL_USEC, now);
}

static void enter_ready(struct mpcipa *d, u64 now) {
    struct link *lnk = d->dev->lnk;
    lnk->caps = d->caps;
    lnk->mtu_bytes = d->mtu_bytes;
    lnk->gso_max_bytes = d->caps & LINK_CAP_GSO ? OSA_GSO_BYTES : 0;
    memcpy(lnk->mac, d->mac, MAC_LEN);
    d->hold = true;
    mpcipa_addr_stale(d);
    if (!d->announced) {
        d->announced = true;
        timer_arm(d->dev->stk, &d->refresh, now + NEIGHBOURS_USEC);
        device_ready(d->dev, now);
    }
    /* The up-calls may already have led to STOP. */
    if (d->state == OSA_READY && d->lan_up) link_lan_up(lnk, now);
    if (d->state == OSA_READY && !d->lan_up) link_lan_down(lnk, now);
    d->hold = false;
    mpcipa_addr_next(d, now);
}

static void enter_halt(struct mpcipa *d, u64 now) {
    d->data_up = false;
    timer_disarm(d->dev->stk, &d->stall);
    timer_disarm(d->dev->stk, &d->refresh);
    for (u32 i = OSA_UNITS; i-- > 0;) {
        if (!d->sub[i].running) continue;
        if (d->part == 0)
            chan_halt(d->sub[i].ch);
        else
            chan_clear(d->sub[i].ch);
    }
    d->part = 1;
    if (!any_running(d)) mpcipa_event(d, OSA_EV_QUIET, OSA_FAIL_NONE, 0, now);
}

static void enter_down(struct mpcipa *d, u64 now) {
    u32 code = d->fail_code;
    for (u32 i = 0; i < OSA_UNITS; i++) {
        if (d->sub[i].ch) chan_close(d->sub[i].ch);
        d->sub[i].ch = NULL;
    }
    mpcipa_addr_forget(d);
    d->announced = d->lan_up = d->stop_due = d->lan_due = false;
    d->held_event = OSA_EVENTS;
    d->ipa_command = 0;
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

const char *mpcipa_state_text(u32 state) {
    return state < OSA_STATES ? STATES[state].name : "?";
}

const char *link_osa_fail_text(u32 code, char *out, size_t cap) {
    u32 why = code >> 24;
    str_fmt(out, cap, "%s IN %s, DETAIL %04X", why < OSA_FAILS ? FAIL_NAMES[why] : "?",
            mpcipa_state_text(code >> 16 & 0xFF), code & 0xFFFF);
    return out;
}

void link_osa_print_fsm(void (*line)(void *ctx, const char *text), void *ctx) {
    char text[80];
    for (u32 s = 0; s < OSA_STATES; s++) {
        for (u32 e = 0; e < OSA_EVENTS; e++) {
            const struct cell *c = &TABLE[s][e];
            if (c->act == IGNORE) continue;
            bool moves = c->act == GO || c->act == FORGIVE;
            str_fmt(text, sizeof text, "%-10s %-8s %s%s%s", STATES[s].name, EVENT_NAMES[e], ACT_NAMES[c->act],
                    c->act == FORGIVE ? ", then " : "", moves ? STATES[c->next].name : "");
            line(ctx, text);
        }
    }
}
