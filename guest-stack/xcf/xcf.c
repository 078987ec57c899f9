/* xcf.c - one system's XCF: storage, the clock, what goes to the operator, and queries. See xcf/xcf.h.
 *
 * xcf_poll() runs, in this order: paths that fell silent, systems that did, what is due about them, members,
 * segments, messages within this system, and the heartbeat (status record and HELLO) each XCF_HEARTBEAT_US.
 */
#include "xcf/xcf_impl.h"

#define SWEEP_US (100 * USEC_PER_MSEC) /* how long a member that has left may keep its place */

/* ---- storage ---- */

static u32 tx_segments(const struct xcf_config *c) {
    u32 wanted = c->segments ? c->segments : c->couple->maxmsg_kb / 4;
    return u32_max(wanted, 2 * XCF_SEGMENTS_MSG + XCF_SEGMENTS_SPARE);
}
/* Each partner may leave all but the end of a message; what is more serves segments that come early. */
static u32 rx_segments(const struct xcf_config *c) {
    return c->systems * XCF_SEGMENTS_MSG + XCF_WINDOW;
}

size_t xcf_bytes(const struct xcf_config *c) {
    size_t seg = (sizeof(struct xcf_seg) + 15) / 16 * 16, group = (sizeof(struct xcf_group) + 15) / 16 * 16;
    return sizeof(struct xcf) + c->systems * sizeof(struct xcf_sys) + c->members * sizeof(struct xcf_member) +
           XCF_PATHS_MAX * sizeof(struct xcf_path) + c->groups * group +
           (tx_segments(c) + rx_segments(c)) * seg + 256;
}

static bool storage(struct xcf *x, const struct xcf_config *c) {
    struct arena *a = c->arena;
    x->sys = arena_take(a, c->systems * sizeof *x->sys, 16);
    x->member = arena_take(a, c->members * sizeof *x->member, 16);
    x->path = arena_take(a, XCF_PATHS_MAX * sizeof *x->path, 16);
    if (!x->sys || !x->member || !x->path) return false;
    memset(x->sys, 0, c->systems * sizeof *x->sys);
    memset(x->member, 0, c->members * sizeof *x->member);
    return pool_init(&x->group_pool, "XCF GROUPS", a, sizeof(struct xcf_group), c->groups) &&
           pool_init(&x->tx_pool, "XCF OUTBOUND", a, sizeof(struct xcf_seg), tx_segments(c)) &&
           pool_init(&x->rx_pool, "XCF INBOUND", a, sizeof(struct xcf_seg), rx_segments(c));
}

static void systems_init(struct xcf *x) {
    for (u32 i = 0; i < x->systems; i++) {
        struct xcf_sys *s = &x->sys[i];
        list_init(&s->out);
        list_init(&s->in);
        list_init(&s->tx.queue);
        list_init(&s->rx.early);
        list_init(&s->rx.partial);
        signal_reset(x, s);
        s->ask_again = TIME_NEVER;
    }
    x->sys[0].id = x->id;
    x->sys[0].state = XCF_SYS_ACTIVE;
    x->sys[0].synced = true;
    for (u32 i = 0; i < XCF_BUCKETS; i++) list_init(&x->bucket[i]);
}

struct xcf *xcf_create(const struct xcf_config *c, u64 now) {
    bool sizes =
        c->systems >= 2 && c->systems <= XCF_SYSTEMS_MAX && c->members && c->members < 0xFFFF && c->groups;
    if (!sizes || couple_wrong(c->couple) || !c->id.name[0] || !c->id.incarnation) return NULL;
    struct xcf *x = arena_take(c->arena, sizeof *x, 16);
    if (!x) return NULL;
    memset(x, 0, sizeof *x);
    x->couple = *c->couple;
    x->id = c->id;
    x->env = *c->env;
    x->arbiter = c->arbiter;
    x->arbiter_ctx = c->arbiter_ctx;
    x->systems = c->systems;
    x->slots = 1;
    x->members_max = c->members;
    x->groups_max = c->groups;
    x->last_poll = x->heartbeat_at = now;
    x->settled_at = now + XCF_SETTLE_US;
    list_init(&x->groups);
    if (!storage(x, c)) return NULL;
    systems_init(x);
    return x;
}

/* ---- the operator ---- */

void xcf_say(struct xcf *x, const char *fmt, ...) {
    char line[XCF_LINE_MAX];
    va_list ap;
    if (!x->env.message) return;
    va_start(ap, fmt);
    str_vfmt(line, sizeof line, fmt, ap);
    va_end(ap);
    x->env.message(x->env.ctx, line);
}

void xcf_stop(struct xcf *x, u32 reason) {
    if (x->stopped) return;
    xcf_say(x, "IXC220W XCF IS UNABLE TO CONTINUE: WAIT STATE CODE: 0A2 REASON CODE: %03X", reason);
    x->stopped = true;
    if (x->env.wait_state) x->env.wait_state(x->env.ctx, XCF_WAIT_PARTED, reason);
}

bool xcf_stopped(const struct xcf *x) {
    return x->stopped;
}

/* ---- the clock ---- */

static u64 later(u64 t, u64 us, u64 now) {
    return u64_max(t, u64_min(t + us, now));
}

void xcf_missed(struct xcf *x, u64 missed_us, u64 now) {
    for (u32 i = 1; i < x->slots; i++) {
        struct xcf_sys *s = &x->sys[i];
        s->last_signal = later(s->last_signal, missed_us, now);
        s->linked_at = later(s->linked_at, missed_us, now);
        if (s->last_status) s->last_status = later(s->last_status, missed_us, now);
        s->written_at = later(s->written_at, missed_us, now);
        s->record_at = later(s->record_at, missed_us, now);
    }
    for (u32 i = 0; i < x->paths; i++) x->path[i].heard_at = later(x->path[i].heard_at, missed_us, now);
}

void xcf_lapsed(struct xcf *x, u64 now) {
    u64 lapse = now - x->last_poll;
    if (x->stopped) return;
    x->count.lapses++;
    x->stirred = true;
    x->last_poll = x->heartbeat_at = x->suspect_since = now;
    x->suspect = true;
    x->asked = x->arbiter != NULL;
    x->look_since = 0;
    x->lapse_counter = ++x->status_counter; /* an answer that is still under way says nothing about now */
    xcf_missed(x, lapse, now);
}

/* Without an arbiter's answer: a partner that speaks to us and does not say that we are out is answer enough;
 * so is having no partner; and after some silence there is nobody to whom we could do harm without the
 * operator's word. */
static void suspect_check(struct xcf *x, u64 now) {
    bool partner = false, heard = false;
    if (!x->suspect || x->asked) return;
    for (u32 i = 1; i < x->slots; i++) {
        const struct xcf_sys *s = &x->sys[i];
        if (!sys_in(s)) continue;
        partner = true;
        heard |= s->last_signal > x->suspect_since && s->in_working;
    }
    if (!partner || heard || now - x->suspect_since > 5 * (u64)USEC_PER_SEC) partition_trusted(x, now);
}

static void heartbeat(struct xcf *x, u64 now) {
    x->heartbeat_at = now + XCF_HEARTBEAT_US;
    if (x->arbiter) {
        struct xcf_record mine = {.id = x->id, .counter = ++x->status_counter};
        mine.connected_weight = partition_my_weight(x);
        x->asked = x->arbiter->write_status(x->arbiter_ctx, &mine) == 0;
        if (!x->asked) xcf_arbiter_status(x, XCF_ARBITER_LOST, 0, now);
    }
    if (x->hello_now)
        path_hello_all(x, now);
    else
        path_hello_due(x, now);
}

/* Once: whoever has a record was there before this system, so it has to be met first, or to be isolated. Who comes later must meet
 * us. Without an answer of the arbiter nobody knows who is there. */
static void admission_check(struct xcf *x, u64 now) {
    if (x->admitted || ((x->paths || x->arbiter) && now < x->settled_at) || (x->arbiter && !x->arbiter_up)) return;
    /* That it takes our record does not mean that we have read those of the others. */
    if (x->arbiter && x->arbiter->look && (x->suspect || !x->looked_at || x->looked_at < x->settled_at)) {
        if (!x->suspect) partition_look(x, now);
        return;
    }
    for (u32 i = 1; i < x->slots; i++)
        if (x->sys[i].state == XCF_SYS_JOINING && x->sys[i].records) return;
    x->admitted = true;
}

/* Its loop comes by some thousand times a second under load: what then costs more than the work is looking for some. */
static bool nothing_due(const struct xcf *x, u64 now) {
    return now < x->poll_due && now < x->rounds_at && x->admitted && !x->suspect && !x->hello_now;
}

u64 xcf_due(const struct xcf *x, u64 now) {
    return x->stopped ? TIME_NEVER : nothing_due(x, now) ? x->poll_due : now;
}

bool xcf_stirred(struct xcf *x) {
    bool stirred = x->stirred;
    x->stirred = false;
    return stirred;
}

void xcf_listen(struct xcf *x) {
    x->loud = false;
}
bool xcf_heard_news(const struct xcf *x) {
    return x->loud;
}

u64 xcf_poll(struct xcf *x, u64 now) {
    xcf_lapse_check(x, now);
    if (x->stopped) return TIME_NEVER;
    x->last_poll = now;
    if (nothing_due(x, now)) return x->poll_due;
    x->poll_due = TIME_NEVER;
    x->rounds_at = now + XCF_ROUND_US;
    suspect_check(x, now);
    path_timers(x, now);
    system_timers(x, now);
    partition_timers(x, now);
    admission_check(x, now);
    member_timers(x, now);
    signal_timers(x, now);
    if (!x->suspect) signal_local(x, now);
    if (!x->suspect && !x->stopped) message_room(x, now);
    if (x->stopped) return TIME_NEVER;
    if (now >= x->heartbeat_at)
        heartbeat(x, now);
    else if (x->hello_now)
        path_hello_all(x, now);
    if (x->stopped) return TIME_NEVER;
    u64 due = u64_min(x->heartbeat_at, u64_min(signal_due(x), member_due(x)));
    due = u64_min(due, partition_due(x, now));
    if (!x->admitted && x->settled_at > now) due = u64_min(due, x->settled_at);
    if (x->endings) due = u64_min(due, now + SWEEP_US);
    poll_by(x, due);
    return x->poll_due;
}

/* ---- queries and settings ---- */

struct xcf_sys *xcf_sys_by_name(struct xcf *x, const char *name) {
    for (u32 i = 0; i < x->slots; i++)
        if (x->sys[i].id.name[0] && strcmp(x->sys[i].id.name, name) == 0) return &x->sys[i];
    return NULL;
}

bool xcf_system(const struct xcf *x, u32 i, struct xcf_system_info *out) {
    if (i >= x->systems) return false;
    const struct xcf_sys *s = &x->sys[i];
    *out = (struct xcf_system_info){.id = s->id, .state = s->state, .local = i == 0, .synced = s->synced};
    out->last_signal = s->last_signal;
    out->last_status = s->last_status;
    out->interval_ms = i == 0 || !s->interval_ms ? x->couple.interval_s * 1000 : s->interval_ms;
    out->weight = couple_sfm_for(&x->couple, s->id.name)->weight;
    out->paths_in = s->in_working;
    out->paths_out = s->out_working;
    out->queued_segments = s->tx.queued;
    return true;
}

bool xcf_synced(const struct xcf *x) {
    for (u32 i = 1; i < x->slots; i++)
        if (sys_in(&x->sys[i]) && !x->sys[i].synced) return false;
    return x->admitted;
}

bool xcf_reaches_all(const struct xcf *x) {
    for (u32 i = 1; i < x->slots; i++)
        if (sys_in(&x->sys[i]) && !sys_linked(&x->sys[i])) return false;
    return true;
}

bool xcf_is_gone(const struct xcf *x, const struct xcf_sysid *id) {
    for (u32 i = 1; i < x->slots; i++)
        if (strcmp(x->sys[i].id.name, id->name) == 0) return id->incarnation <= x->sys[i].gone_incarnation;
    return false;
}

bool xcf_path(const struct xcf *x, u32 i, struct xcf_path_info *out) {
    if (i >= x->paths) return false;
    const struct xcf_path *p = &x->path[i];
    const struct couple_class *k = &x->couple.class_def[p->couple.class_index];
    *out =
        (struct xcf_path_info){.name = p->couple.name, .class_name = k->name, .outbound = p->couple.outbound};
    out->structure = p->couple.structure;
    out->state = p->state;
    out->retries = p->retries;
    out->retry_limit = p->couple.retry;
    out->class_length = k->classlen_bytes;
    out->maxmsg_kb = p->couple.maxmsg_kb;
    out->blocks = p->blocks;
    out->bytes = p->bytes;
    memcpy(out->partner_path, p->partner_path, sizeof out->partner_path);
    if (p->slot) memcpy(out->partner, x->sys[p->slot].id.name, sizeof out->partner);
    return true;
}

struct xcf_path *xcf_path_at(struct xcf *x, u32 i) {
    return i < x->paths ? &x->path[i] : NULL;
}

bool xcf_class_use(const struct xcf *x, u32 i, u32 class_index, u32 *bytes, u32 *refused) {
    if (i >= x->systems || class_index >= x->couple.classes) return false;
    *bytes = x->sys[i].tx.class_bytes[class_index];
    *refused = x->sys[i].tx.class_refused[class_index];
    return true;
}

bool xcf_arbiter_up(const struct xcf *x) {
    return x->arbiter_up;
}
const struct couple *xcf_couple(const struct xcf *x) {
    return &x->couple;
}
const struct xcf_sysid *xcf_self(const struct xcf *x) {
    return &x->id;
}

int xcf_set_couple(struct xcf *x, const struct couple *c) {
    if (couple_wrong(c)) return -ERR_INVAL;
    x->couple.interval_s = c->interval_s;
    x->couple.opnotify_s = c->opnotify_s;
    x->couple.opnotify_relative = c->opnotify_relative;
    x->couple.cleanup_s = c->cleanup_s;
    x->couple.retry = c->retry;
    x->couple.maxmsg_kb = c->maxmsg_kb; /* these two are defaults of what is started from now on */
    x->couple.classlen_bytes = c->classlen_bytes;
    memcpy(x->couple.pcouple, c->pcouple, sizeof x->couple.pcouple);
    memcpy(x->couple.acouple, c->acouple, sizeof x->couple.acouple);
    x->hello_now = true;
    return 0;
}
void xcf_set_sfm(struct xcf *x, const struct couple_sfm *sfm) {
    x->couple.sfm = *sfm;
}

const struct xcf_counters *xcf_counters(const struct xcf *x) {
    return &x->count;
}

const char *xcf_counter(const struct xcf *x, u32 i, u32 *value) {
    static const struct {
        const char *name;
        size_t offset;
    } table[] = {
#define C(name) {#name, offsetof(struct xcf_counters, name)},
        XCF_COUNTERS(C)
#undef C
    };
    if (i >= ARRAY_LEN(table)) return NULL;
    memcpy(value, (const u8 *)&x->count + table[i].offset, sizeof *value);
    return table[i].name;
}
