/* chandev.c - drives a device's table of states and its subchannels; see chandev.h. */
#include "link/chandev.h"

#include "base/str.h"
#include "net/stack.h"

static const char *const ACT_NAMES[] = {
    [CD_IGNORE] = "ignore",   [CD_GO] = "",        [CD_FORGIVE] = "forgive, then ", [CD_MORE] = "again",
    [CD_AGAIN] = "try again", [CD_RETRY] = "retry", [CD_FAIL] = "fail",              [CD_QUIT] = "stop asked"};

static const struct chandev_cell *cell_of(const struct chandev_kind *is, u32 state, u32 ev) {
    return &is->cell[state * is->events + ev];
}

/* ---- the machine ---- */

static void state_enter(struct chandev *m, u32 s, u64 now) {
    const struct chandev_state *st = &m->is->state[s];
    m->state = s;
    m->again = false;
    m->start_error = 0;
    if (st->time_usec)
        timer_arm(m->dev->stk, &m->step, now + st->time_usec);
    else
        timer_disarm(m->dev->stk, &m->step);
    st->enter(m, now);
}

static void state_go(struct chandev *m, u32 s, u64 now) {
    m->tries = 0;
    m->part = 0;
    state_enter(m, s, now);
}

static void state_fail(struct chandev *m, u64 now) {
    m->fail_code = m->why << 24 | m->state << 16 | (m->detail & 0xFFFF);
    if (m->stop_due) m->fail_code = 0; /* it was to go down anyway: what STOP waits for is device_stopped() */
    state_go(m, m->is->halt, now);
}

void chandev_event(struct chandev *m, u32 ev, u32 why, u32 detail, u64 now) {
    const struct chandev_cell *c = cell_of(m->is, m->state, ev);
    if (m->is->hold_back && m->is->hold_back(m, ev)) return;
    m->why = why;
    m->detail = detail;
    switch ((enum chandev_act)c->act) {
    case CD_IGNORE: return;
    case CD_GO:
    case CD_FORGIVE: state_go(m, c->next, now); return;
    case CD_MORE:
        m->tries = 0;
        state_enter(m, m->state, now);
        return;
    case CD_RETRY:
        if (++m->tries >= m->is->tries_max)
            state_fail(m, now);
        else
            chandev_again(m, m->is->retry_usec, now);
        return;
    case CD_AGAIN:
        m->part = 0;
        chandev_again(m, m->is->retry_usec, now);
        return;
    case CD_FAIL: state_fail(m, now); return;
    case CD_QUIT: m->fail_code = 0; return;
    }
}

void chandev_again(struct chandev *m, u32 usec, u64 now) {
    m->again = true;
    timer_arm(m->dev->stk, &m->step, now + usec);
}

static u32 cause_of(const struct chandev *m, u32 error) {
    return error == ERR_NOENT ? m->is->fail_no_device : m->is->fail_io;
}

static void step_timer(struct stack *stk, struct timer *t, u64 now) {
    struct chandev *m = CONTAINER_OF(t, struct chandev, step);
    UNUSED(stk);
    u32 error = m->start_error;
    m->start_error = 0;
    if (error)
        chandev_event(m, m->is->ev_error, cause_of(m, error), error, now);
    else if (m->again)
        state_enter(m, m->state, now);
    else
        chandev_event(m, m->is->ev_timeout, m->is->fail_timeout, 0, now);
}

/* ---- life ---- */

void chandev_init(struct chandev *m, const struct chandev_kind *kind, struct chan_system *sys) {
    *m = (struct chandev){.is = kind, .sys = sys};
    CHECK(kind->units <= CHANDEV_UNITS_MAX);
    for (u32 i = 0; i < kind->units; i++) m->sub[i].m = m;
    timer_init(&m->step, step_timer);
}

void chandev_attach(struct chandev *m, struct device *dev) {
    m->dev = dev;
    m->state = 0;
    timer_init(&m->step, step_timer);
}

void chandev_detach(struct chandev *m) {
    CHECK(m->state == 0);
    timer_disarm(m->dev->stk, &m->step);
    m->dev = NULL;
}

/* ---- subchannels ---- */

void chandev_run(struct chandev *m, u32 unit, const struct chan_cmd *program, u32 n, u64 now) {
    int rc = chan_start(m->sub[unit].ch, program, n);
    if (rc == 0) {
        m->sub[unit].running = true;
        return;
    }
    /* Who called may be in the middle of the stack's tables: failure is told from the timer. */
    m->start_error = (u32)-rc;
    timer_arm(m->dev->stk, &m->step, now);
}

bool chandev_running(const struct chandev *m) {
    for (u32 i = 0; i < m->is->units; i++)
        if (m->sub[i].running) return true;
    return false;
}

bool chandev_status_good(const struct chan_status *st) {
    return st->cc == 0 && !st->halted && !(st->subchannel & ~CS_PCI) && !(st->unit & (US_UNIT_CHECK | US_UNIT_EXCEPTION));
}

static int open_all(struct chandev *m) {
    for (u32 i = 0; i < m->is->units; i++) {
        if (m->sub[i].ch) continue;
        int rc = chan_open(m->sys, (u16)(m->dev->devnum + (i ^ m->swap)), m->is->programs, &m->sub[i], &m->sub[i].ch);
        if (rc) {
            m->sub[i].ch = NULL;
            return rc;
        }
    }
    return 0;
}

void chandev_sense_id(struct chandev *m, u8 *id, u64 now) {
    int rc = open_all(m);
    if (rc) {
        chandev_event(m, m->is->ev_error, cause_of(m, (u32)-rc), (u32)-rc, now);
        return;
    }
    const struct chan_cmd cmd = {.op = CCW_SENSE_ID, .flags = CCW_SLI, .count = 7, .data = id};
    memset(id, 0, 7);
    chandev_run(m, m->part, &cmd, 1, now);
}

void chandev_end_programs(struct chandev *m, u64 now) {
    for (u32 i = m->is->units; i-- > 0;) {
        if (!m->sub[i].running) continue;
        if (m->part == 0)
            chan_halt(m->sub[i].ch);
        else
            chan_clear(m->sub[i].ch);
    }
    m->part = 1;
    if (!chandev_running(m)) chandev_event(m, m->is->ev_quiet, 0, 0, now);
}

u32 chandev_close(struct chandev *m) {
    u32 code = m->fail_code;
    for (u32 i = 0; i < m->is->units; i++) {
        if (m->sub[i].ch) chan_close(m->sub[i].ch);
        m->sub[i].ch = NULL;
    }
    m->fail_code = 0;
    m->stop_due = false;
    return code;
}

void chandev_attention(void *sub, u8 unit_status, u64 now) {
    struct chandev *m = ((struct chandev_sub *)sub)->m;
    UNUSED(unit_status);
    if (m->again) chandev_again(m, 0, now);
}

/* ---- displays ---- */

const char *chandev_state_text(const struct chandev_kind *kind, u32 state) {
    return state < kind->states ? kind->state[state].name : "?";
}

const char *chandev_fail_text(const struct chandev_kind *kind, u32 code, char *out, size_t cap) {
    u32 why = code >> 24;
    str_fmt(out, cap, "%s IN %s, DETAIL %04X", why < kind->fails ? kind->fail_name[why] : "?",
            chandev_state_text(kind, code >> 16 & 0xFF), code & 0xFFFF);
    return out;
}

void chandev_print(const struct chandev_kind *kind, void (*line)(void *ctx, const char *text), void *ctx) {
    char text[80];
    for (u32 s = 0; s < kind->states; s++) {
        for (u32 e = 0; e < kind->events; e++) {
            const struct chandev_cell *c = cell_of(kind, s, e);
            if (c->act == CD_IGNORE) continue;
            bool moves = c->act == CD_GO || c->act == CD_FORGIVE;
            str_fmt(text, sizeof text, "%-10s %-8s %s%s", kind->state[s].name, kind->event_name[e], ACT_NAMES[c->act],
                    moves ? kind->state[c->next].name : "");
            line(ctx, text);
        }
    }
}
