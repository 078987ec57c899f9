/* system.c - the systems of the sysplex as this one sees them: their states, and who has fallen silent.
 *
 *               HEARD    LINKED  QUIET    NOSIGNAL  BACK    DUE        NOARB   FENCED   CLEAN
 *   FREE        JOINING  -       -        -         -       -          -       GONE     -
 *   JOINING     -        ACTIVE  FREE     -         -       -          -       GONE     -
 *   ACTIVE      -        -       STOPPED  NOSIGNAL  -       ISOLATING  -       CLEANUP  -
 *   STOPPED     -        -       -        NOSIGNAL  ACTIVE  ISOLATING  PROMPT  CLEANUP  -
 *   NOSIGNAL    -        -       STOPPED  -         ACTIVE  ISOLATING  -       CLEANUP  -
 *   ISOLATING   -        -       -        -         -       -          PROMPT  CLEANUP  -
 *   PROMPT      -        -       -        -         ACTIVE  ISOLATING  -       CLEANUP  -
 *   CLEANUP     JOINING  -       -        -         -       -          -       -        GONE
 *   GONE        JOINING  -       -        -         -       -          -       -        -
 *
 * CLEANUP is the only way from "in" to "out", and it is entered by FENCED alone: that is the whole of the
 * rule that nobody is told of a death before it is certain. ISOLATING has no BACK: what the arbiter has been
 * asked cannot be taken back, so a system that speaks again waits for the arbiter's answer like everybody
 * else.
 *
 * Signs of life are blocks on any path (last_signal) and, with an arbiter, a status record whose counter
 * changes (last_status). INTERVAL is that of the system that is silent, as its HELLO gave it; it is counted from when the record may
 * have been written (written_at), for it is read a heartbeat later at worst.
 */
#include "xcf/xcf_impl.h"

#define SAME XCF_SYSTEM_STATES
#define S(x) XCF_SYS_##x
static const u8 next_state[XCF_SYSTEM_STATES][XCF_SYSTEM_EVENTS] = {
    [S(FREE)] = {S(JOINING), SAME, SAME, SAME, SAME, SAME, SAME, S(GONE), SAME},
    [S(JOINING)] = {SAME, S(ACTIVE), S(FREE), SAME, SAME, SAME, SAME, S(GONE), SAME},
    [S(ACTIVE)] = {SAME, SAME, S(STOPPED), S(NOSIGNAL), SAME, S(ISOLATING), SAME, S(CLEANUP), SAME},
    [S(STOPPED)] = {SAME, SAME, SAME, S(NOSIGNAL), S(ACTIVE), S(ISOLATING), S(PROMPT), S(CLEANUP), SAME},
    [S(NOSIGNAL)] = {SAME, SAME, S(STOPPED), SAME, S(ACTIVE), S(ISOLATING), SAME, S(CLEANUP), SAME},
    [S(ISOLATING)] = {SAME, SAME, SAME, SAME, SAME, SAME, S(PROMPT), S(CLEANUP), SAME},
    [S(PROMPT)] = {SAME, SAME, SAME, SAME, S(ACTIVE), S(ISOLATING), SAME, S(CLEANUP), SAME},
    [S(CLEANUP)] = {S(JOINING), SAME, SAME, SAME, SAME, SAME, SAME, SAME, S(GONE)},
    [S(GONE)] = {S(JOINING), SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME},
};
#undef S

static const char *const state_names[XCF_SYSTEM_STATES] = {
    "FREE",   "JOINING", "ACTIVE", "MONITOR-DETECTED STOP", "SIGNAL CONNECTIVITY LOST", "ISOLATING",
    "PROMPT", "CLEANUP", "GONE"};
static const char *const event_names[XCF_SYSTEM_EVENTS] = {"HEARD", "LINKED", "QUIET",  "NOSIGNAL", "BACK",
                                                           "DUE",   "NOARB",  "FENCED", "CLEAN"};

enum xcf_system_state xcf_system_next(enum xcf_system_state s, enum xcf_system_event e) {
    u8 next = next_state[s][e];
    return next == SAME ? s : (enum xcf_system_state)next;
}
const char *xcf_system_state_name(enum xcf_system_state s) {
    return state_names[s];
}
const char *xcf_system_event_name(enum xcf_system_event e) {
    return event_names[e];
}

/* ---- what entering a state does ---- */

static void entered_joining(struct xcf *x, struct xcf_sys *s, u64 now) {
    signal_reset(x, s);
    s->last_signal = s->linked_at = now;
    s->last_status = s->written_at = s->record_at = 0;
    s->status_counter = s->their_weight = s->interval_ms = s->records = 0;
    s->unlinked_said = false;
    s->stale_at = 0;
    s->weight = 1;
    s->reason = NULL;
    s->by_operator = s->dropped = s->synced = s->sync_due = false;
}

static void entered_active(struct xcf *x, struct xcf_sys *s, enum xcf_system_state from, u64 now) {
    s->linked_at = now;
    if (from != XCF_SYS_JOINING) {
        partition_question_end(x, s);
        member_system_event(x, XCF_EV_SYSTEM_RESUMED, s, now);
        signal_pump(x, s, now);
        return;
    }
    xcf_say(x, "IXC418I SYSTEM %s IS NOW ACTIVE IN SYSPLEX %s", s->id.name, x->couple.sysplex);
    s->sync_due = true;
    member_all_dirty(x, s);
    member_system_event(x, XCF_EV_SYSTEM_ACTIVE, s, now);
    signal_pump(x, s, now);
}

void system_event(struct xcf *x, struct xcf_sys *s, enum xcf_system_event e, u64 now) {
    enum xcf_system_state from = s->state, to = xcf_system_next(from, e);
    if (to == from || x->stopped) return;
    s->state = to;
    s->since = now;
    poll_by(x, now);
    switch (to) {
    case XCF_SYS_JOINING: entered_joining(x, s, now); break;
    case XCF_SYS_ACTIVE: entered_active(x, s, from, now); break;
    case XCF_SYS_STOPPED:
        s->looked = false;
        xcf_say(x, "IXC446I SYSTEM %s IS IN MONITOR-DETECTED STOP STATUS", s->id.name);
        member_system_event(x, XCF_EV_SYSTEM_MISSING, s, now);
        break;
    case XCF_SYS_FREE:
        path_forget(x, s, now);
        signal_reset(x, s);
        s->id.incarnation = s->gone_incarnation;
        if (s->gone_incarnation)
            s->state = XCF_SYS_GONE; /* its earlier life stays refused */
        else
            s->id.name[0] = '\0';
        break;
    default: partition_entered(x, s, from, now); break;
    }
}

/* ---- who is there ---- */

struct xcf_sys *system_slot_take(struct xcf *x, const char *name) {
    struct xcf_sys *oldest = NULL;
    for (u32 i = 1; i < x->systems; i++) {
        struct xcf_sys *s = &x->sys[i];
        if (s->state == XCF_SYS_FREE) {
            oldest = s;
            break;
        }
        if (s->state == XCF_SYS_GONE && !s->isolate_later && (!oldest || s->since < oldest->since))
            oldest = s;
    }
    if (!oldest) {
        x->count.drop_systems_full++;
        return NULL;
    }
    x->slots = u32_max(x->slots, sys_slot(x, oldest) + 1);
    oldest->state = XCF_SYS_FREE;
    oldest->gone_incarnation = 0;
    oldest->id.incarnation = 0;
    str_copy(oldest->id.name, sizeof oldest->id.name, name);
    return oldest;
}

/* A later life of a system is heard. */
static struct xcf_sys *heard_newer(struct xcf *x, struct xcf_sys *s, u64 incarnation, u64 now) {
    if (s->state == XCF_SYS_JOINING) { /* the earlier one never came in: forget it */
        path_forget(x, s, now);
        s->id.incarnation = incarnation;
        entered_joining(x, s, now);
        return s;
    }
    if (s->state == XCF_SYS_GONE || s->state == XCF_SYS_CLEANUP || s->state == XCF_SYS_FREE) {
        if (s->state == XCF_SYS_CLEANUP) system_event(x, s, XCF_SE_CLEAN, now);
        s->id.incarnation = incarnation;
        system_event(x, s, XCF_SE_HEARD, now);
        return s;
    }
    /* The earlier one is still in: it has to be out for certain before this one can be let in. */
    if (s->state != XCF_SYS_ISOLATING && s->state != XCF_SYS_PROMPT) {
        s->reason = "SYSTEM HAS BEEN IPLED AGAIN";
        s->by_operator = true; /* it cannot come back */
        system_event(x, s, XCF_SE_DUE, now);
    }
    return NULL;
}

struct xcf_sys *system_heard(struct xcf *x, const struct xcf_sysid *id, u64 now) {
    struct xcf_sys *s = xcf_sys_by_name(x, id->name);
    if (!s && !(s = system_slot_take(x, id->name))) return NULL;
    if (id->incarnation <= s->gone_incarnation || id->incarnation < s->id.incarnation) {
        x->count.drop_gone++;
        return NULL;
    }
    if (id->incarnation > s->id.incarnation) return heard_newer(x, s, id->incarnation, now);
    return s;
}

static bool signals_fresh(const struct xcf *x, const struct xcf_sys *s, u64 now) {
    return now - s->last_signal < system_interval_us(x, s);
}

void system_links_changed(struct xcf *x, struct xcf_sys *s, u64 now) {
    if (sys_linked(s)) {
        if (s->state == XCF_SYS_JOINING) system_event(x, s, XCF_SE_LINKED, now);
        s->linked_at = now;
        /* A path that failed beside others, of which none has been heard, is no sign of life. */
        if (signals_fresh(x, s, now) && !s->by_operator) system_event(x, s, XCF_SE_BACK, now);
        signal_pump(x, s, now);
        return;
    }
    bool asks = couple_sfm_for(&x->couple, s->id.name)->prompt;
    if (s->dropped && !s->out_working && !s->in_working && !asks) system_event(x, s, XCF_SE_DUE, now);
}

/* ---- silence ---- */

u64 system_interval_us(const struct xcf *x, const struct xcf_sys *s) {
    bool sane = s->interval_ms >= 3000 && s->interval_ms <= 86400u * 1000;
    return sane ? s->interval_ms * (u64)USEC_PER_MSEC : x->couple.interval_s * (u64)USEC_PER_SEC;
}

/* It has a record and is not in: alive somewhere without paths to us, or frozen, and then it must not wake up beside us. */
static void unmet_check(struct xcf *x, struct xcf_sys *s, bool lives, u64 now) {
    u64 interval = system_interval_us(x, s);
    if (lives) {
        if (now - s->since < interval || s->unlinked_said || s->records < 2) return;
        s->unlinked_said = true;
        xcf_say(x, "IXC454I SIGNALLING CONNECTIVITY CANNOT BE ESTABLISHED FOR SYSTEMS: %s", s->id.name);
    } else if (!couple_sfm_for(&x->couple, s->id.name)->prompt && now >= s->stale_at) {
        s->stale_at = now + interval;
        partition_stale(x, s);
    }
}

/* Signals are lost when paths are: a path that works and is silent may lead to a system that stands still, or waits to be told that it
 * is in. If it leads nowhere, its own silence ends it (XCF_PATH_SILENCE_US). INTERVAL from then on is the time in which it may be restored. */
static void silence_check(struct xcf *x, struct xcf_sys *s, u64 now) {
    u64 interval = system_interval_us(x, s);
    bool signals = signals_fresh(x, s, now);
    bool status = s->last_status && now - s->written_at < interval;
    if (sys_linked(s)) s->linked_at = now;
    if (sys_linked(s) && signals) {
        if (!s->by_operator) system_event(x, s, XCF_SE_BACK, now);
        return;
    }
    if (s->state == XCF_SYS_JOINING && s->records)
        unmet_check(x, s, signals || status, now);
    else if (!signals && !status)
        system_event(x, s, XCF_SE_QUIET, now);
    else if (now - s->linked_at >= interval)
        system_event(x, s, XCF_SE_NOSIGNAL, now);
}

void system_timers(struct xcf *x, u64 now) {
    if (x->suspect) return; /* who has stood still has not heard anybody, and may accuse nobody */
    for (u32 i = 1; i < x->slots && !x->stopped; i++) {
        struct xcf_sys *s = &x->sys[i];
        if (s->state == XCF_SYS_FREE || s->state >= XCF_SYS_CLEANUP) continue;
        silence_check(x, s, now);
    }
}
