/* mpcipa_fsm.c - the life of a QDIO device: which event means what in which state.
 *
 *   DOWN -> SENSE -> IDX_READ -> IDX_WRITE -> CM_ENABLE -> CM_SETUP -> ULP_ENABLE -> ULP_SETUP -> ESTABLISH
 *        -> ACTIVATE -> DM_ACT -> STARTLAN -> QIPASSIST -> ADAPTER -> MAC -> ASSIST -> ROUTING -> READY
 *   READY -> STOPLAN -> HALT -> DOWN                     STOP
 *   any -> HALT -> DOWN                                  failure, or STOP before READY
 *   READY -> STARTLAN -> ... -> READY                    the card lost its LAN state and found it again
 *
 * The table below says it per state and event; chandev.h drives it.
 */
#include "base/str.h"
#include "link/mpcipa.h"
#include "net/stack.h"

#define ACTIVATE_POLL_USEC (5u * USEC_PER_MSEC)
#define ACTIVATE_POLLS     400

/* What every step of the start-up does: next state, what a channel error and what a refusal mean. */
#define STEP(to, on_error, on_refused)                                                                       \
    {                                                                                                        \
        [OSA_EV_STOP] = {CD_GO, OSA_HALT}, [OSA_EV_OK] = {CD_GO, to}, [OSA_EV_MORE] = {CD_MORE, 0},          \
        [OSA_EV_ERROR] = {on_error, 0}, [OSA_EV_REFUSED] = {on_refused, to},                                 \
        [OSA_EV_TIMEOUT] = {CD_FAIL, 0}, [OSA_EV_LOST] = {CD_FAIL, 0}                                        \
    }
#define ANY_TO_HALT {CD_GO, OSA_HALT}

static const struct chandev_cell TABLE[OSA_STATES][OSA_EVENTS] = {
    [OSA_DOWN] = {[OSA_EV_START] = {CD_GO, OSA_SENSE}},
    [OSA_SENSE] = STEP(OSA_IDX_READ, CD_RETRY, CD_FAIL),
    [OSA_IDX_READ] = STEP(OSA_IDX_WRITE, CD_RETRY, CD_RETRY),
    [OSA_IDX_WRITE] = STEP(OSA_CM_ENABLE, CD_RETRY, CD_RETRY),
    [OSA_CM_ENABLE] = STEP(OSA_CM_SETUP, CD_FAIL, CD_FAIL),
    [OSA_CM_SETUP] = STEP(OSA_ULP_ENABLE, CD_FAIL, CD_FAIL),
    [OSA_ULP_ENABLE] = STEP(OSA_ULP_SETUP, CD_FAIL, CD_FAIL),
    [OSA_ULP_SETUP] = STEP(OSA_ESTABLISH, CD_FAIL, CD_FAIL),
    [OSA_ESTABLISH] = STEP(OSA_ACTIVATE, CD_RETRY, CD_FAIL),
    [OSA_ACTIVATE] = STEP(OSA_DM_ACT, CD_FAIL, CD_FAIL),
    [OSA_DM_ACT] = STEP(OSA_STARTLAN, CD_FAIL, CD_FAIL),
    [OSA_STARTLAN] = STEP(OSA_QIPASSIST, CD_FAIL, CD_FAIL),
    [OSA_QIPASSIST] = STEP(OSA_ADAPTER, CD_FAIL, CD_FAIL),
    [OSA_ADAPTER] = STEP(OSA_MAC, CD_FAIL, CD_FORGIVE),
    [OSA_MAC] = STEP(OSA_ASSIST, CD_FAIL, CD_FORGIVE),
    [OSA_ASSIST] = STEP(OSA_ROUTING, CD_FAIL, CD_MORE),
    [OSA_ROUTING] = STEP(OSA_READY, CD_FAIL, CD_FORGIVE),
    [OSA_READY] = {[OSA_EV_STOP] = {CD_GO, OSA_STOPLAN},
                   [OSA_EV_LAN] = {CD_GO, OSA_STARTLAN},
                   [OSA_EV_ERROR] = {CD_FAIL, 0},
                   [OSA_EV_TIMEOUT] = {CD_FAIL, 0},
                   [OSA_EV_LOST] = {CD_FAIL, 0}},
    [OSA_STOPLAN] = {[OSA_EV_OK] = ANY_TO_HALT,
                     [OSA_EV_REFUSED] = ANY_TO_HALT,
                     [OSA_EV_ERROR] = ANY_TO_HALT,
                     [OSA_EV_TIMEOUT] = ANY_TO_HALT,
                     [OSA_EV_LOST] = ANY_TO_HALT},
    [OSA_HALT] =
        {[OSA_EV_STOP] = {CD_QUIT, OSA_HALT}, [OSA_EV_TIMEOUT] = {CD_MORE, 0}, [OSA_EV_QUIET] = {CD_GO, OSA_DOWN}},
};

static const char *const EVENT_NAMES[OSA_EVENTS] = {"START", "STOP",    "OK",   "MORE", "REFUSED",
                                                    "ERROR", "TIMEOUT", "LOST", "LAN",  "QUIET"};
static const char *const FAIL_NAMES[OSA_FAILS] = {"NONE",       "NO DEVICE",  "WRONG TYPE", "I/O ERROR",
                                                  "REFUSED",    "BAD REPLY",  "TIMEOUT",    "COMMAND",
                                                  "TERMINATED", "QUEUE ERROR"};

static struct mpcipa *mpcipa_of(struct chandev *m) {
    return CONTAINER_OF(m, struct mpcipa, m);
}

static void enter_down(struct chandev *m, u64 now);
static void enter_sense(struct chandev *m, u64 now);
static void enter_idx(struct chandev *m, u64 now) {
    mpcipa_idx_send(mpcipa_of(m), now);
}
static void enter_mpc(struct chandev *m, u64 now) {
    mpcipa_mpc_send(mpcipa_of(m), now);
}
static void enter_cm_enable(struct chandev *m, u64 now);
static void enter_establish(struct chandev *m, u64 now);
static void enter_activate(struct chandev *m, u64 now);
static void enter_ipa(struct chandev *m, u64 now) {
    mpcipa_ipa_step(mpcipa_of(m), now);
}
static void enter_ready(struct chandev *m, u64 now);
static void enter_halt(struct chandev *m, u64 now);

#define CHANNEL_USEC (5u * USEC_PER_SEC)
#define MPC_USEC     (10u * USEC_PER_SEC)
#define IPA_USEC     (20u * USEC_PER_SEC)

static const struct chandev_state STATES[OSA_STATES] = {
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

/* A command is on its way: leaving READY now would mix its answer with the next step's. */
static bool hold_back(struct chandev *m, u32 ev) {
    struct mpcipa *d = mpcipa_of(m);
    bool busy = d->ipa_command || m->sub[OSA_UNIT_WRITE].running;
    if (m->state != OSA_READY || !busy || (ev != OSA_EV_STOP && ev != OSA_EV_LAN)) return false;
    if (ev == OSA_EV_STOP) m->stop_due = true;
    if (ev == OSA_EV_LAN) d->lan_due = true;
    return true;
}

void mpcipa_event(struct mpcipa *d, enum mpcipa_event ev, enum osa_fail why, u32 detail, u64 now) {
    chandev_event(&d->m, ev, why, detail, now);
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
    timer_init(&d->stall, stall_timer);
    timer_init(&d->refresh, refresh_timer);
}

/* ---- subchannels ---- */

static void sense_done(struct mpcipa *d, const struct chan_status *st, u64 now) {
    const u8 *id = d->read_buf;
    u32 len = 7u - u32_min(st->residual, 7);
    if (len < 6 || be16_get(id + 1) != OSA_CU_TYPE || be16_get(id + 4) != OSA_DEV_TYPE) {
        mpcipa_event(d, OSA_EV_REFUSED, OSA_FAIL_WRONG_TYPE, len < 3 ? 0 : be16_get(id + 1), now);
        return;
    }
    d->m.part++;
    mpcipa_event(d, d->m.part < OSA_UNITS ? OSA_EV_MORE : OSA_EV_OK, OSA_FAIL_NONE, 0, now);
}

/* A program of the write subchannel is over: what waited for that happens now. */
static void write_done(struct mpcipa *d, u64 now) {
    enum mpcipa_event held = (enum mpcipa_event)d->held_event;
    d->held_event = OSA_EVENTS;
    if (held != OSA_EVENTS) {
        mpcipa_event(d, held, d->held_why, d->held_detail, now);
    } else if (d->m.state == OSA_READY && !d->ipa_command) {
        timer_disarm(d->m.dev->stk, &d->m.step);
        mpcipa_addr_next(d, now);
    }
}

static void mpcipa_done(void *ctx, const struct chan_status *st, u64 now) {
    struct chandev_sub *sub = ctx;
    struct mpcipa *d = mpcipa_of(sub->m);
    u32 unit = (u32)(sub - d->m.sub);
    sub->running = false;
    if (d->m.state == OSA_HALT) {
        if (!chandev_running(&d->m)) mpcipa_event(d, OSA_EV_QUIET, OSA_FAIL_NONE, 0, now);
        return;
    }
    bool queues_run = unit == OSA_UNIT_DATA && d->m.state >= OSA_ACTIVATE;
    if (queues_run || !chandev_status_good(st)) {
        bool lost = queues_run || (unit == OSA_UNIT_READ && d->m.state > OSA_IDX_WRITE);
        enum osa_fail why = st->cc == 3 ? OSA_FAIL_NO_DEVICE : lost ? OSA_FAIL_TERMINATED : OSA_FAIL_IO;
        mpcipa_event(d, lost ? OSA_EV_LOST : OSA_EV_ERROR, why, (u32)st->unit << 8 | st->subchannel, now);
        return;
    }
    if (d->m.state == OSA_SENSE)
        sense_done(d, st, now);
    else if (d->m.state == OSA_IDX_READ || d->m.state == OSA_IDX_WRITE)
        mpcipa_idx_done(d, st, now);
    else if (d->m.state == OSA_ESTABLISH && unit == OSA_UNIT_DATA)
        mpcipa_event(d, OSA_EV_OK, OSA_FAIL_NONE, 0, now);
    else if (unit == OSA_UNIT_READ)
        mpcipa_read_done(d, st, now);
    else
        write_done(d, now);
}

static void mpcipa_pci(void *ctx, u64 now) {
    const struct chandev_sub *sub = ctx;
    struct mpcipa *d = mpcipa_of(sub->m);
    d->count.pci_events++;
    if (d->data_up) mpcipa_queue_input(d, now);
    if (d->data_up) chan_no_news(sub->ch); /* packets are the stack's, which says when it is due */
}

/* While the queues are awaited the next look comes soon enough, and each look counts. */
static void mpcipa_attention(void *ctx, u8 unit_status, u64 now) {
    struct chandev *m = ((struct chandev_sub *)ctx)->m;
    if (m->state != OSA_ACTIVATE) chandev_attention(ctx, unit_status, now);
}

static const struct chan_events OSA_CHAN_EVENTS = {
    .done = mpcipa_done, .attention = mpcipa_attention, .pci = mpcipa_pci};

/* ---- entering states ---- */

static void enter_sense(struct chandev *m, u64 now) {
    chandev_sense_id(m, mpcipa_of(m)->read_buf, now);
}

/* From here on the read subchannel always has a READ outstanding. */
static void enter_cm_enable(struct chandev *m, u64 now) {
    struct mpcipa *d = mpcipa_of(m);
    mpcipa_read_start(d, now);
    if (d->m.state == OSA_CM_ENABLE) mpcipa_mpc_send(d, now);
}

static void enter_establish(struct chandev *m, u64 now) {
    struct mpcipa *d = mpcipa_of(m);
    struct chan_cmd cmd = {.op = OSA_CCW_ESTABLISH, .flags = CCW_SLI, .count = QDR_BYTES, .data = d->qdr};
    mpcipa_queue_build(d);
    chandev_run(m, OSA_UNIT_DATA, &cmd, 1, now);
}

/* ACTIVATE has no end; that the queues run is seen from the condition code of a SIGA. */
static void enter_activate(struct chandev *m, u64 now) {
    struct mpcipa *d = mpcipa_of(m);
    if (d->m.part++ == 0) {
        struct chan_cmd cmd = {.op = OSA_CCW_ACTIVATE, .flags = CCW_SLI, .count = 0, .data = NULL};
        mpcipa_queue_prime(d);
        chandev_run(m, OSA_UNIT_DATA, &cmd, 1, now);
    } else if (chan_siga_read(d->m.sub[OSA_UNIT_DATA].ch, 0x80000000u) == 0) {
        d->data_up = true;
        mpcipa_event(d, OSA_EV_OK, OSA_FAIL_NONE, 0, now);
        return;
    } else if (d->m.part > ACTIVATE_POLLS) {
        mpcipa_event(d, OSA_EV_TIMEOUT, OSA_FAIL_TIMEOUT, 0, now);
        return;
    }
    if (d->m.state == OSA_ACTIVATE) chandev_again(m, ACTIVATE_POLL_USEC, now);
}

static void enter_ready(struct chandev *m, u64 now) {
    struct mpcipa *d = mpcipa_of(m);
    struct link *lnk = d->m.dev->lnk;
    lnk->caps = d->caps;
    lnk->mtu_bytes = d->mtu_bytes;
    lnk->gso_max_bytes = d->caps & LINK_CAP_GSO ? OSA_GSO_BYTES : 0;
    memcpy(lnk->mac, d->mac, MAC_LEN);
    d->hold = true;
    mpcipa_addr_stale(d);
    if (!d->announced) {
        d->announced = true;
        timer_arm(d->m.dev->stk, &d->refresh, now + NEIGHBOURS_USEC);
        device_ready(d->m.dev, now);
    }
    /* The up-calls may already have led to STOP. */
    if (d->m.state == OSA_READY && d->lan_up) link_lan_up(lnk, now);
    if (d->m.state == OSA_READY && !d->lan_up) link_lan_down(lnk, now);
    d->hold = false;
    mpcipa_addr_next(d, now);
}

static void enter_halt(struct chandev *m, u64 now) {
    struct mpcipa *d = mpcipa_of(m);
    d->data_up = false;
    timer_disarm(m->dev->stk, &d->stall);
    timer_disarm(m->dev->stk, &d->refresh);
    chandev_end_programs(m, now);
}

static void enter_down(struct chandev *m, u64 now) {
    struct mpcipa *d = mpcipa_of(m);
    u32 code = chandev_close(m);
    mpcipa_addr_forget(d);
    d->announced = d->lan_up = d->lan_due = false;
    d->held_event = OSA_EVENTS;
    d->ipa_command = 0;
    if (code) {
        d->count.failures++;
        device_failed(m->dev, code, now);
    } else {
        d->count.stops++;
        device_stopped(m->dev, now);
    }
}

const struct chandev_kind mpcipa_kind = {
    .cell = TABLE[0],
    .state = STATES,
    .event_name = EVENT_NAMES,
    .fail_name = FAIL_NAMES,
    .states = OSA_STATES,
    .events = OSA_EVENTS,
    .fails = OSA_FAILS,
    .halt = OSA_HALT,
    .ev_error = OSA_EV_ERROR,
    .ev_timeout = OSA_EV_TIMEOUT,
    .ev_quiet = OSA_EV_QUIET,
    .fail_no_device = OSA_FAIL_NO_DEVICE,
    .fail_io = OSA_FAIL_IO,
    .fail_timeout = OSA_FAIL_TIMEOUT,
    .units = OSA_UNITS,
    .tries_max = 3,
    .retry_usec = 100u * USEC_PER_MSEC,
    .programs = &OSA_CHAN_EVENTS,
    .hold_back = hold_back,
};

/* ---- displays ---- */

const char *link_osa_fail_text(u32 code, char *out, size_t cap) { return chandev_fail_text(&mpcipa_kind, code, out, cap); }

void link_osa_print_fsm(void (*line)(void *ctx, const char *text), void *ctx) { chandev_print(&mpcipa_kind, line, ctx); }
