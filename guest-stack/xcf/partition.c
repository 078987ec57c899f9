/* partition.c - taking a system out of the sysplex, and finding that one has been taken out.
 *
 *   why it is due                                             what happens
 *   STOPPED, ISOLATETIME(n): INTERVAL + n passed,             isolate
 *   and a last look at its status record finds nothing new
 *   STOPPED, PROMPT: OPNOTIFY passed                          IXC402D
 *   its connection to the arbiter dropped and no path works   isolate at once
 *   NOSIGNAL, CONNFAIL(YES): the side of greater weight       isolates the other; equal: the lower system name
 *   NOSIGNAL otherwise                                        IXC409D: RETRY waits another INTERVAL, SYSNAME= removes one
 *   V XCF,s,OFFLINE confirmed (IXC371D), or it says it leaves isolate
 *   a later life of it is heard                               isolate
 *
 *   NOSIGNAL: no path works in one of the two directions, for INTERVAL, though it writes its record. Its silence alone is none: who
 *   stood still says nothing until it has heard that it is in, and its paths are as good as before.
 *
 *   isolate:  the arbiter answers yes -> FENCED -> the groups are told -> CLEANUP seconds -> IXC105I
 *             it cannot be reached    -> IXC402D (IXC102A after a VARY); DOWN is taken for FENCED, and the
 *             arbiter is told as soon as it can be reached again. Who writes no record within INTERVAL then is isolated, too
 *
 * The arbiter decides one request after another, so of two systems that accuse each other one is out and learns it. A system is out when
 * the arbiter refuses its status, or when a partner that is in lists its incarnation as gone.
 */
#include "xcf/xcf_impl.h"

#define REASON_SUM          "SFM STARTED DUE TO STATUS UPDATE MISSING"
#define REASON_CONNECTIVITY "LOSS OF CONNECTIVITY"
#define REASON_VARY         "OPERATOR VARY REQUEST"
#define STOP_REFUSED        0x004 /* reason codes of the wait */
#define STOP_TOLD           0x008
#define STOP_OPERATOR       0x00C

static const struct couple_sfm_system *policy_of(const struct xcf *x, const struct xcf_sys *s) {
    return couple_sfm_for(&x->couple, s->id.name);
}

/* ---- questions ---- */

static void question(struct xcf *x, struct xcf_sys *s, enum xcf_question q, const char *line) {
    if (s->wtor) return;
    s->wtor = ++x->next_reply;
    s->question = q;
    x->count.prompts++;
    if (x->env.wtor) x->env.wtor(x->env.ctx, s->wtor, line);
}

void partition_question_end(struct xcf *x, struct xcf_sys *s) {
    if (s->wtor && x->env.dom) x->env.dom(x->env.ctx, s->wtor);
    s->wtor = 0;
    s->ask_again = TIME_NEVER;
}

static void ask_down(struct xcf *x, struct xcf_sys *s) {
    char line[XCF_LINE_MAX], when[9] = "--:--:--";
    u64 last = u64_max(s->last_signal, s->last_status);
    if (x->env.time_of) x->env.time_of(x->env.ctx, last, when);
    if (s->by_operator)
        str_fmt(line, sizeof line,
                "IXC102A XCF IS WAITING FOR SYSTEM %s DEACTIVATION. REPLY DOWN WHEN MVS ON %s IS DOWN",
                s->id.name, s->id.name);
    else
        str_fmt(line, sizeof line,
                "IXC402D %s LAST OPERATIVE AT %s. REPLY DOWN AFTER SYSTEM RESET, OR INTERVAL=SSSSS TO SET A "
                "REPROMPT TIME.",
                s->id.name, when);
    question(x, s, s->by_operator ? XCF_ASK_DOWN_VARY : XCF_ASK_DOWN, line);
}

static void ask_signals(struct xcf *x, struct xcf_sys *s) {
    char line[XCF_LINE_MAX];
    str_fmt(line, sizeof line,
            "IXC409D SIGNAL PATHS BETWEEN %s AND %s ARE LOST. REPLY RETRY OR SYSNAME=SYSNAME OF THE SYSTEM "
            "TO BE REMOVED.",
            x->id.name, s->id.name);
    question(x, s, XCF_ASK_SIGNALS, line);
}

/* ---- states ---- */

static void isolate(struct xcf *x, struct xcf_sys *s, u64 now) {
    if (!s->reason) s->reason = REASON_SUM;
    partition_question_end(x, s);
    xcf_say(x, "IXC101I SYSPLEX PARTITIONING IN PROGRESS FOR %s REQUESTED BY XCFAS. REASON: %s", s->id.name,
            s->reason);
    x->count.isolations++;
    if (!x->arbiter || x->arbiter->isolate(x->arbiter_ctx, &s->id) != 0)
        system_event(x, s, XCF_SE_NOARB, now);
}

static void out(struct xcf *x, struct xcf_sys *s, u64 now) {
    if (!s->reason) s->reason = REASON_SUM;
    s->gone_incarnation = u64_max(s->gone_incarnation, s->id.incarnation);
    partition_question_end(x, s);
    x->count.systems_gone++;
    x->hello_now = true;
    signal_reset(x, s);
    path_forget(x, s, now);
    member_system_gone(x, s, now);
    member_system_event(x, XCF_EV_SYSTEM_GONE, s, now);
}

void partition_entered(struct xcf *x, struct xcf_sys *s, enum xcf_system_state from, u64 now) {
    switch (s->state) {
    case XCF_SYS_ISOLATING: isolate(x, s, now); break;
    case XCF_SYS_PROMPT: ask_down(x, s); break;
    case XCF_SYS_CLEANUP: out(x, s, now); break;
    case XCF_SYS_GONE:
        if (from == XCF_SYS_CLEANUP) {
            xcf_say(x, "IXC105I SYSPLEX PARTITIONING HAS COMPLETED FOR %s - PRIMARY REASON: %s", s->id.name,
                    s->reason);
            break;
        }
        s->gone_incarnation = u64_max(s->gone_incarnation, s->id.incarnation); /* it had not come in */
        path_forget(x, s, now);
        signal_reset(x, s);
        break;
    default: break;
    }
}

/* The answer makes it GONE; without one it is asked again. */
void partition_stale(struct xcf *x, struct xcf_sys *s) {
    if (!x->arbiter || x->arbiter->isolate(x->arbiter_ctx, &s->id) != 0) return;
    x->count.isolations++;
    xcf_say(x, "IXC101I SYSPLEX PARTITIONING IN PROGRESS FOR %s REQUESTED BY XCFAS. REASON: %s", s->id.name, REASON_SUM);
}

/* ---- time ---- */

u32 partition_my_weight(const struct xcf *x) {
    u32 sum = couple_sfm_for(&x->couple, x->id.name)->weight;
    for (u32 i = 1; i < x->slots; i++)
        if (sys_in(&x->sys[i]) && sys_linked(&x->sys[i])) sum += policy_of(x, &x->sys[i])->weight;
    return sum;
}

/* The last look: records are read once a second, so the latest one may say that it lives. true: it has been looked at. */
static bool last_look(struct xcf *x, struct xcf_sys *s, u64 now) {
    if (s->looked || !x->arbiter || !x->arbiter->look || !s->last_status) return true;
    if (x->look_since && x->look_since >= s->since && now - x->look_since >= XCF_LOOK_US) return true; /* nobody answers */
    return !partition_look(x, now);
}

bool partition_look(struct xcf *x, u64 now) {
    if (x->look_since && now - x->look_since < XCF_LOOK_US) return true;
    bool asked = x->arbiter->look(x->arbiter_ctx) == 0;
    x->look_since = asked ? now : 0;
    return asked;
}

void xcf_arbiter_looked(struct xcf *x, u64 now) {
    xcf_lapse_check(x, now);
    u64 since = x->look_since;
    x->look_since = 0;
    if (x->suspect || !since) return;
    poll_by(x, now);
    x->looked_at = since;
    for (u32 i = 1; i < x->slots; i++)
        x->sys[i].looked = x->sys[i].state == XCF_SYS_STOPPED && x->sys[i].since <= since;
}

/* How long a silent system is given: from its last sign of life to its isolation, or to the operator's question. */
static u64 patience_us(const struct xcf *x, const struct xcf_sys *s) {
    const struct couple_sfm_system *policy = policy_of(x, s);
    if (policy->prompt) return couple_opnotify_s(&x->couple) * (u64)USEC_PER_SEC;
    return system_interval_us(x, s) + policy->isolate_s * (u64)USEC_PER_SEC;
}

/* Its last sign of life, or when it could begin to give one: as long as no arbiter could be reached nobody wrote a record. */
static u64 silent_since(const struct xcf *x, const struct xcf_sys *s) {
    return u64_max(u64_max(s->last_signal, s->written_at), x->arbiter_since);
}

static void stopped_due(struct xcf *x, struct xcf_sys *s, u64 now) {
    bool over = now - silent_since(x, s) >= patience_us(x, s);
    if (policy_of(x, s)->prompt) {
        if (over) system_event(x, s, XCF_SE_NOARB, now);
    } else if (s->dropped || (over && last_look(x, s, now))) {
        system_event(x, s, XCF_SE_DUE, now);
    }
}

static void nosignal_due(struct xcf *x, struct xcf_sys *s, u64 now) {
    u32 mine = partition_my_weight(x);
    bool heavier = mine > s->their_weight || (mine == s->their_weight && strcmp(x->id.name, s->id.name) < 0);
    bool automatic = x->couple.sfm.active && x->couple.sfm.connfail && x->arbiter && s->last_status;
    if (automatic && heavier) {
        s->reason = REASON_CONNECTIVITY;
        system_event(x, s, XCF_SE_DUE, now);
        return;
    }
    /* The heavier side is given as long as the operator would have been. */
    u64 patience = automatic ? couple_opnotify_s(&x->couple) * (u64)USEC_PER_SEC : 0;
    if (now - s->since >= patience && !s->wtor && s->ask_again == TIME_NEVER) ask_signals(x, s);
}

/* The arbiter is back since the operator was asked, and decides in his place what is not his by policy. */
static bool prompt_is_over(const struct xcf *x, const struct xcf_sys *s) {
    bool his = policy_of(x, s)->prompt && !s->by_operator;
    return s->state == XCF_SYS_PROMPT && x->arbiter_up && s->since <= x->arbiter_since && !his;
}
static u64 prompt_end(const struct xcf *x, const struct xcf_sys *s) {
    return s->by_operator ? x->arbiter_since : silent_since(x, s) + system_interval_us(x, s);
}

static void prompt_due(struct xcf *x, struct xcf_sys *s, u64 now) {
    if (prompt_is_over(x, s) && now >= prompt_end(x, s)) {
        system_event(x, s, XCF_SE_DUE, now);
    } else if (s->ask_again <= now) {
        s->ask_again = TIME_NEVER;
        ask_down(x, s);
    }
}

/* Each stage of a silence is looked at when it ends, not at the heartbeat after it: what is gained there is gained for whoever waits
 * for an address. A stage whose end is past waits for an answer, which is an event, or for the end of the last look. */
u64 partition_due(const struct xcf *x, u64 now) {
    u64 due = TIME_NEVER;
    for (u32 i = 1; i < x->slots && !x->suspect; i++) {
        const struct xcf_sys *s = &x->sys[i];
        u64 end = TIME_NEVER;
        if (s->state == XCF_SYS_ACTIVE) end = u64_max(s->last_signal, s->written_at) + system_interval_us(x, s);
        if (s->state == XCF_SYS_STOPPED) end = silent_since(x, s) + patience_us(x, s);
        if (prompt_is_over(x, s)) end = prompt_end(x, s);
        if (s->state == XCF_SYS_STOPPED && end <= now && x->look_since) end = x->look_since + XCF_LOOK_US;
        if (end > now) due = u64_min(due, end);
    }
    return due;
}

void partition_timers(struct xcf *x, u64 now) {
    if (x->suspect) return;
    for (u32 i = 1; i < x->slots && !x->stopped; i++) {
        struct xcf_sys *s = &x->sys[i];
        if (s->state == XCF_SYS_STOPPED) stopped_due(x, s, now);
        if (s->state == XCF_SYS_NOSIGNAL) nosignal_due(x, s, now);
        if (s->state == XCF_SYS_PROMPT) prompt_due(x, s, now);
        if (s->state == XCF_SYS_CLEANUP && now - s->since >= x->couple.cleanup_s * (u64)USEC_PER_SEC)
            system_event(x, s, XCF_SE_CLEAN, now);
    }
}

/* ---- the arbiter's answers ---- */

static void arbiter_lost(struct xcf *x, u64 now) {
    x->arbiter_up = x->asked = false;
    x->looked_at = x->look_since = 0;
    for (u32 i = 1; i < x->slots && !x->stopped; i++)
        if (x->sys[i].state == XCF_SYS_ISOLATING) system_event(x, &x->sys[i], XCF_SE_NOARB, now);
}

/* It can be reached again: what the operator declared down is made so, and who is silent is given INTERVAL to write a record. */
static void arbiter_back(struct xcf *x, u64 now) {
    x->arbiter_up = true;
    x->arbiter_since = now;
    poll_by(x, now);
    for (u32 i = 1; i < x->slots && !x->stopped; i++) {
        struct xcf_sys *s = &x->sys[i];
        struct xcf_sysid id = s->id;
        id.incarnation = s->gone_incarnation;
        if (s->isolate_later) x->arbiter->isolate(x->arbiter_ctx, &id);
    }
}

void partition_trusted(struct xcf *x, u64 now) {
    if (!x->suspect) return;
    x->suspect = false;
    xcf_missed(x, now - x->suspect_since, now); /* what came while nothing was believed was not heard either */
    for (u32 i = 1; i < x->slots && !x->stopped; i++) {
        struct xcf_sys *s = &x->sys[i];
        if (s->state != XCF_SYS_ISOLATING) continue;
        if (!x->arbiter || x->arbiter->isolate(x->arbiter_ctx, &s->id) != 0)
            system_event(x, s, XCF_SE_NOARB, now);
    }
}

void xcf_arbiter_status(struct xcf *x, enum xcf_arbiter_answer a, u32 counter, u64 now) {
    xcf_lapse_check(x, now);
    if (x->stopped) return;
    if (a == XCF_ARBITER_REFUSED) {
        xcf_stop(x, STOP_REFUSED);
    } else if (a == XCF_ARBITER_LOST) {
        arbiter_lost(x, now);
    } else {
        if (!x->arbiter_up) arbiter_back(x, now);
        /* Records may follow each other faster than they are answered. */
        if ((i32)(counter - x->lapse_counter) > 0) {
            x->asked = false;
            partition_trusted(x, now);
        }
    }
}

void xcf_arbiter_record(struct xcf *x, const struct xcf_record *r, u64 now) {
    struct xcf_sys *s;
    xcf_lapse_check(x, now);
    if (x->stopped || x->suspect || !r->id.name[0] || strcmp(r->id.name, x->id.name) == 0) return;
    /* A record makes a system known, also one that no signal has come from. */
    s = xcf_sys_by_name(x, r->id.name);
    if (!s || s->id.incarnation != r->id.incarnation) s = system_heard(x, &r->id, now);
    if (!s || s->id.incarnation != r->id.incarnation) return;
    u64 read_before = u64_max(s->record_at, now - u64_min(now, XCF_HEARTBEAT_US)); /* it is written each heartbeat */
    s->record_at = now;
    if (s->records && s->status_counter == r->counter) return;
    /* Record and signals stopped together and one is back: it stood still, and is silent until it knows that it is in. */
    bool stood_still = now - s->last_status >= XCF_LAPSE_US && s->last_signal + XCF_LAPSE_US >= s->last_status;
    if (s->last_status && stood_still) s->linked_at = now;
    s->records++;
    s->looked = false;
    s->status_counter = r->counter;
    s->their_weight = r->connected_weight;
    s->written_at = s->records > 1 ? read_before : now;
    s->last_status = now;
    s->dropped = false;
}

void xcf_arbiter_isolated(struct xcf *x, const struct xcf_sysid *victim, bool isolated, u64 now) {
    struct xcf_sys *s = xcf_sys_by_name(x, victim->name);
    xcf_lapse_check(x, now);
    if (x->stopped || x->suspect || !s || victim->incarnation < s->gone_incarnation) return;
    if (isolated && victim->incarnation == s->gone_incarnation) s->isolate_later = false;
    if (victim->incarnation != s->id.incarnation) return;
    if (isolated) {
        if (sys_in(s) || s->state == XCF_SYS_JOINING) system_event(x, s, XCF_SE_FENCED, now);
    } else {
        x->count.isolations_refused++;
        system_event(x, s, XCF_SE_NOARB, now);
    }
}

void xcf_arbiter_unconnected(struct xcf *x, const struct xcf_sysid *id, u64 now) {
    xcf_lapse_check(x, now);
    if (x->stopped || x->suspect || x->admitted || strcmp(id->name, x->id.name) == 0 || xcf_is_gone(x, id)) return;
    struct xcf_sys *s = system_heard(x, id, now);
    if (!s || s->id.incarnation != id->incarnation || s->state != XCF_SYS_JOINING || sys_linked(s)) return;
    s->records = u32_max(s->records, 1);
    if (now < s->stale_at) return;
    s->stale_at = now + system_interval_us(x, s);
    partition_stale(x, s);
}

void xcf_arbiter_dropped(struct xcf *x, const struct xcf_sysid *id, u64 now) {
    struct xcf_sys *s = xcf_sys_by_name(x, id->name);
    xcf_lapse_check(x, now);
    if (x->stopped || x->suspect || !s || s->id.incarnation != id->incarnation) return;
    poll_by(x, now);
    if (s->state == XCF_SYS_JOINING) {
        xcf_arbiter_unconnected(x, id, now);
        return;
    }
    if (!sys_in(s)) return;
    s->dropped = true;
    system_links_changed(x, s, now);
}

/* ---- what partners say ---- */

void partition_news(struct xcf *x, const struct xcf_sysid *gone, const struct xcf_sys *teller, u64 now) {
    if (strcmp(gone->name, x->id.name) == 0) {
        if (gone->incarnation >= x->id.incarnation) xcf_stop(x, STOP_TOLD);
        return;
    }
    struct xcf_sys *s = xcf_sys_by_name(x, gone->name);
    if (s == teller || (s && gone->incarnation <= s->gone_incarnation)) return;
    if (!s && !(s = system_slot_take(x, gone->name))) return;
    s->gone_incarnation = gone->incarnation;
    if (s->state == XCF_SYS_FREE) s->id.incarnation = gone->incarnation;
    if (s->id.incarnation <= gone->incarnation) system_event(x, s, XCF_SE_FENCED, now);
}

void partition_leaving(struct xcf *x, struct xcf_sys *s, u64 now) {
    if (!sys_in(s)) return;
    s->reason = REASON_VARY;
    s->by_operator = true;
    system_event(x, s, XCF_SE_DUE, now);
}

/* ---- the operator ---- */

static bool says(const char *text, const char *keyword, const char **value) {
    size_t n = strlen(keyword);
    if (strlen(text) < n || memcmp(text, keyword, n) != 0) return false;
    *value = text + n;
    return true;
}

static void leave_now(struct xcf *x, u64 now) {
    x->leaving = true;
    path_hello_all(x, now);
    xcf_stop(x, STOP_OPERATOR);
}

static int answer_down(struct xcf *x, struct xcf_sys *s, const char *text, u64 now) {
    const char *value;
    u32 seconds;
    if (strcmp(text, "DOWN") == 0) {
        s->isolate_later = x->arbiter != NULL;
        system_event(x, s, XCF_SE_FENCED, now);
        return 0;
    }
    if (s->question == XCF_ASK_DOWN_VARY || !says(text, "INTERVAL=", &value)) return -ERR_INVAL;
    if (!str_u32(value, strlen(value), &seconds) || seconds > 86400) return -ERR_INVAL;
    s->wtor = 0;
    s->ask_again = now + seconds * (u64)USEC_PER_SEC;
    return 0;
}

static int answer_signals(struct xcf *x, struct xcf_sys *s, const char *text, u64 now) {
    const char *value;
    if (strcmp(text, "RETRY") == 0) {
        s->wtor = 0;
        path_try_again(x, now);
        system_event(x, s, XCF_SE_BACK, now); /* another INTERVAL begins */
        return 0;
    }
    if (!says(text, "SYSNAME=", &value)) return -ERR_INVAL;
    if (strcmp(value, x->id.name) == 0) {
        s->wtor = 0;
        leave_now(x, now);
        return 0;
    }
    if (strcmp(value, s->id.name) != 0) return -ERR_INVAL;
    s->wtor = 0;
    s->reason = REASON_CONNECTIVITY;
    s->by_operator = true;
    system_event(x, s, XCF_SE_DUE, now);
    return 0;
}

static int answer_confirm(struct xcf *x, struct xcf_sys *s, const char *text, u64 now) {
    const char *value;
    if (strcmp(text, "C") == 0) {
        s->wtor = 0;
        return 0;
    }
    if (!says(text, "SYSNAME=", &value) || strcmp(value, s->id.name) != 0) return -ERR_INVAL;
    s->wtor = 0;
    if (sys_slot(x, s) == 0) {
        leave_now(x, now);
        return 0;
    }
    s->reason = REASON_VARY;
    s->by_operator = true;
    system_event(x, s, XCF_SE_DUE, now);
    return 0;
}

int xcf_reply(struct xcf *x, u32 reply, const char *text, u64 now) {
    xcf_lapse_check(x, now);
    if (x->suspect) return -ERR_AGAIN;
    for (u32 i = 0; i < x->slots && reply && !x->stopped; i++) {
        struct xcf_sys *s = &x->sys[i];
        if (s->wtor != reply) continue;
        if (s->question == XCF_ASK_SIGNALS) return answer_signals(x, s, text, now);
        if (s->question == XCF_ASK_CONFIRM) return answer_confirm(x, s, text, now);
        return answer_down(x, s, text, now);
    }
    return -ERR_NOENT;
}

int xcf_vary_offline(struct xcf *x, const char *name, u64 now) {
    struct xcf_sys *s = xcf_sys_by_name(x, name);
    char line[XCF_LINE_MAX];
    UNUSED(now);
    if (x->stopped || !s || !(sys_slot(x, s) == 0 || sys_in(s))) return -ERR_NOENT;
    if (s->wtor) return -ERR_BUSY; /* another question about it waits */
    str_fmt(
        line, sizeof line,
        "IXC371D CONFIRM REQUEST TO VARY SYSTEM %s OFFLINE. REPLY SYSNAME=%s TO REMOVE %s OR C TO CANCEL.",
        s->id.name, s->id.name, s->id.name);
    question(x, s, XCF_ASK_CONFIRM, line);
    return 0;
}
