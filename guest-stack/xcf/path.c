/* path.c - signalling paths: their states, and the HELLO that finds out who is at the other end.
 *
 * A path carries blocks one way. The sender of an outbound path learns whom it reaches from the other end's
 * HELLO on some path back: it lists the inbound paths that it hears. So nothing has to be configured but the
 * device.
 *
 *              START     READY     DOWN        LINKED    SILENT      LIMIT        STOP
 *   STOPPED    STARTING  -         -           -         -           -            -
 *   STARTING   -         LINKING   -           -         -           -            STOPPED
 *   LINKING    -         -         STARTING    WORKING   -           -            STOPPED
 *   WORKING    -         -         RESTARTING  -         RESTARTING  -            STOPPED
 *   RESTARTING -         LINKING   -           WORKING   -           INOPERATIVE  STOPPED
 *   INOPERATIVE STARTING -         -           -         -           -            STOPPED
 *
 * Only a failure that leaves the partner reachable counts as a retry: when all paths to it fail, it is the
 * partner.
 */
#include "xcf/xcf_impl.h"

#define SAME XCF_PATH_STATES
static const u8 next_state[XCF_PATH_STATES][XCF_PATH_EVENTS] = {
    [XCF_PATH_STOPPED] = {XCF_PATH_STARTING, SAME, SAME, SAME, SAME, SAME, SAME},
    [XCF_PATH_STARTING] = {SAME, XCF_PATH_LINKING, SAME, SAME, SAME, SAME, XCF_PATH_STOPPED},
    [XCF_PATH_LINKING] = {SAME, SAME, XCF_PATH_STARTING, XCF_PATH_WORKING, SAME, SAME, XCF_PATH_STOPPED},
    [XCF_PATH_WORKING] = {SAME, SAME, XCF_PATH_RESTARTING, SAME, XCF_PATH_RESTARTING, SAME, XCF_PATH_STOPPED},
    [XCF_PATH_RESTARTING] = {SAME, XCF_PATH_LINKING, SAME, XCF_PATH_WORKING, SAME, XCF_PATH_INOPERATIVE,
                             XCF_PATH_STOPPED},
    [XCF_PATH_INOPERATIVE] = {XCF_PATH_STARTING, SAME, SAME, SAME, SAME, SAME, XCF_PATH_STOPPED},
};

static const char *const state_names[XCF_PATH_STATES] = {"STOPPED", "STARTING",   "LINKING",
                                                         "WORKING", "RESTARTING", "INOPERATIVE"};
static const char *const event_names[XCF_PATH_EVENTS] = {"START",  "READY", "DOWN", "LINKED",
                                                         "SILENT", "LIMIT", "STOP"};

enum xcf_path_state xcf_path_next(enum xcf_path_state s, enum xcf_path_event e) {
    u8 next = next_state[s][e];
    return next == SAME ? s : (enum xcf_path_state)next;
}
const char *xcf_path_state_name(enum xcf_path_state s) {
    return state_names[s];
}
const char *xcf_path_event_name(enum xcf_path_event e) {
    return event_names[e];
}

static const char *direction(const struct xcf_path *p) {
    return p->couple.outbound ? "PATHOUT" : "PATHIN";
}
static const char *kind(const struct xcf_path *p) {
    return p->couple.structure ? "STRUCTURE" : "DEVICE";
}

/* ---- states ---- */

static void left_working(struct xcf_path *p, u64 now) {
    struct xcf *x = p->x;
    struct xcf_sys *s = &x->sys[p->slot];
    if (sys_linked(s)) s->linked_at = now; /* until this moment, if no other path is left */
    list_del(&p->node);
    if (p->couple.outbound) {
        s->out_working--;
        signal_path_lost(x, p, now);
    } else {
        s->in_working--;
    }
    system_links_changed(x, s, now);
}

static void now_working(struct xcf_path *p, u64 now) {
    struct xcf *x = p->x;
    struct xcf_sys *s = &x->sys[p->slot];
    p->working_since = p->heard_at = now;
    x->paths_due = now; /* path_timers() says until when */
    p->busy = p->late = p->broken = false;
    if (p->couple.structure || !p->couple.outbound)
        list_push_back(p->couple.outbound ? &s->out : &s->in, &p->node);
    else
        list_push_front(&s->out, &p->node);
    if (p->couple.outbound)
        s->out_working++;
    else
        s->in_working++;
    xcf_say(x, "IXC466I %s SIGNAL CONNECTIVITY ESTABLISHED WITH SYSTEM %s VIA %s %s",
            p->couple.outbound ? "OUTBOUND" : "INBOUND", s->id.name, kind(p), p->couple.name);
    x->hello_now = true;
    system_links_changed(x, s, now);
}

static void partner_is(struct xcf_path *p, u32 slot) {
    p->slot = slot;
    p->head_made = false;
}

static void failed(struct xcf_path *p, u64 now) {
    struct xcf_sys *s = &p->x->sys[p->slot];
    bool others = sys_in(s) && s->out_working && s->in_working; /* a partner that is out takes its paths along */
    p->x->count.path_failures++;
    if (others) p->retries++;
    partner_is(p, 0);
    xcf_say(p->x, "IXC467I RESTARTING %s %s %s RSN: %s", direction(p), kind(p), p->couple.name,
            p->ready ? "NO RESPONSE FROM THE OTHER SIDE" : "I/O ERROR");
    if (p->retries <= p->couple.retry) return;
    path_event(p, XCF_PE_LIMIT, now);
    xcf_say(p->x, "IXC467I STOPPING %s %s %s RSN: RETRY LIMIT EXCEEDED", direction(p), kind(p),
            p->couple.name);
}

void path_event(struct xcf_path *p, enum xcf_path_event e, u64 now) {
    enum xcf_path_state was = p->state, is = xcf_path_next(was, e);
    if (is == was) return;
    p->state = is;
    poll_by(p->x, now);
    if (was == XCF_PATH_WORKING) left_working(p, now);
    if (is == XCF_PATH_WORKING) now_working(p, now);
    if (is == XCF_PATH_RESTARTING) failed(p, now);
    if (is == XCF_PATH_STOPPED || is == XCF_PATH_STARTING) partner_is(p, 0);
    if (is == XCF_PATH_STARTING && p->ready) path_event(p, XCF_PE_READY, now);
    if (is == XCF_PATH_LINKING) p->x->hello_now = true;
}

/* Told by a HELLO that this path joins us to s. */
static void linked(struct xcf_path *p, struct xcf_sys *s, u64 now) {
    u32 slot = sys_slot(p->x, s);
    if (!p->ready) return; /* what the partner heard before the device failed */
    if (p->slot != slot && p->slot && p->state == XCF_PATH_WORKING)
        path_event(p, XCF_PE_SILENT, now); /* replugged */
    p->heard_at = now;
    p->late = false;
    if (p->state != XCF_PATH_LINKING && p->state != XCF_PATH_RESTARTING) return;
    if (p->couple.outbound) p->partner_path[0] = '\0'; /* of whoever was there before */
    partner_is(p, slot);
    path_event(p, XCF_PE_LINKED, now);
}

void path_forget(struct xcf *x, struct xcf_sys *s, u64 now) {
    u32 slot = sys_slot(x, s);
    for (u32 i = 0; i < x->paths; i++)
        if (x->path[i].slot == slot) path_event(&x->path[i], XCF_PE_SILENT, now);
}

void path_try_again(struct xcf *x, u64 now) {
    for (u32 i = 0; i < x->paths; i++)
        if (x->path[i].state == XCF_PATH_INOPERATIVE) xcf_path_start(&x->path[i], now);
}

void path_timers(struct xcf *x, u64 now) {
    if (now < x->paths_due) return;
    u64 due = TIME_NEVER;
    for (u32 i = 0; i < x->paths; i++) {
        struct xcf_path *p = &x->path[i];
        if (p->state != XCF_PATH_WORKING) continue;
        if (now - p->heard_at > XCF_PATH_SILENCE_US) path_event(p, XCF_PE_SILENT, now);
        if (now - p->working_since > XCF_FORGIVE_US) p->retries = 0;
        /* A path is only ever heard later than this, so nothing is due before. */
        due = u64_min(due, p->heard_at + XCF_PATH_SILENCE_US + 1);
        if (p->retries) due = u64_min(due, p->working_since + XCF_FORGIVE_US + 1);
    }
    x->paths_due = due;
}

/* ---- outbound ---- */

static void head_make(struct xcf_path *p, const struct xcf_sys *s) {
    const struct xcf *x = p->x;
    struct xcfmsg_header h = {.from_incarnation = x->id.incarnation, .token = p->token};
    memcpy(h.from, x->id.name, sizeof h.from);
    memcpy(h.sysplex, x->couple.sysplex, sizeof h.sysplex);
    if (s) memcpy(h.to, s->id.name, sizeof h.to);
    p->head_incarnation = h.to_incarnation = s ? s->id.incarnation : 0;
    p->head_made = true;
    xcfmsg_head_emit(p->head, &h);
}

bool path_send(struct xcf_path *p, u8 *block, struct xcfmsg_header *h) {
    struct xcf *x = p->x;
    const struct xcf_sys *s = p->slot ? &x->sys[p->slot] : NULL;
    if (x->stopped || !p->ready || p->busy) return false;
    if (!p->head_made || (s && s->id.incarnation != p->head_incarnation)) head_make(p, s);
    h->ack = s ? s->rx.next : 0;
    xcfmsg_emit_headed(block, p->head, h);
    int rc = p->ops->send(p->ctx, block, h->bytes);
    if (rc == -ERR_AGAIN) p->busy = true;
    p->broken = rc && rc != -ERR_AGAIN; /* until a HELLO goes through: messages take other paths */
    if (rc) return false;
    p->blocks++;
    p->bytes += h->bytes;
    x->stirred = true;
    return true;
}

/* Is the inbound path one that a HELLO on this outbound path lists? */
static bool hello_lists(const struct xcf *x, const struct xcf_path *out, const struct xcf_path *in) {
    if (in->couple.outbound || in->state != XCF_PATH_WORKING) return false;
    if (x->last_poll > in->heard_at + 2 * XCF_HELLO_US) return false; /* silent already, if not yet for long */
    return !out->slot || in->slot == out->slot;                       /* the partner is known: only what concerns it */
}

static void hello_heard(const struct xcf *x, const struct xcf_path *out, u8 *body, struct xcfmsg_hello *h) {
    for (u32 i = 0; i < x->paths && h->heard < XCFMSG_HEARD_MAX; i++) {
        const struct xcf_path *in = &x->path[i];
        if (!hello_lists(x, out, in)) continue;
        struct xcfmsg_entry e = {.incarnation = x->sys[in->slot].id.incarnation, .value = in->heard_token};
        memcpy(e.system, x->sys[in->slot].id.name, sizeof e.system);
        xcfmsg_entry_emit(body, h->heard++, &e);
    }
}

/* What these paths are called here: the partner's operator sees it beside his own path's name. Returns the bytes. */
static u32 hello_names(const struct xcf *x, const struct xcf_path *out, u8 *body, const struct xcfmsg_hello *h) {
    for (u32 i = 0, n = 0; i < x->paths && n < h->heard; i++)
        if (hello_lists(x, out, &x->path[i])) xcfmsg_heard_name_emit(body, h->heard + h->gone, n++, x->path[i].couple.name);
    return XCFMSG_PATH * h->heard;
}

static void hello_gone(const struct xcf *x, u8 *body, struct xcfmsg_hello *h) {
    for (u32 i = 1; i < x->slots && h->gone < XCFMSG_GONE_MAX; i++) {
        const struct xcf_sys *s = &x->sys[i];
        if (!s->gone_incarnation) continue;
        struct xcfmsg_entry e = {.incarnation = s->gone_incarnation};
        memcpy(e.system, s->id.name, sizeof e.system);
        xcfmsg_entry_emit(body, h->heard + h->gone++, &e);
    }
}

static void hello_out(struct xcf_path *p, u64 now) {
    struct xcf *x = p->x;
    u8 block[XCFMSG_BLOCK_MAX], *body = block + XCFMSG_HEADER;
    struct xcfmsg_hello hello = {.interval_ms = x->couple.interval_s * 1000,
                                 .weight = couple_sfm_for(&x->couple, x->id.name)->weight};
    str_copy(hello.path, sizeof hello.path, p->couple.name);
    hello_heard(x, p, body, &hello);
    hello_gone(x, body, &hello);
    xcfmsg_hello_emit(body, &hello);
    struct xcfmsg_header h = {.type = XCFMSG_HELLO, .flags = x->leaving ? XCFMSG_LEAVING : 0};
    if (p->stopping) h.flags |= XCFMSG_STOPPED;
    u32 bytes = XCFMSG_HEADER + xcfmsg_hello_bytes(hello.heard + hello.gone);
    if (hello.heard <= XCFMSG_NAMED_MAX) {
        h.flags |= XCFMSG_NAMED;
        bytes += hello_names(x, p, body, &hello);
    }
    h.bytes = (u16)bytes;
    p->hello_at = now;
    p->hello_owed = !path_send(p, block, &h) && p->busy;
    if (!p->hello_owed) x->count.hellos_sent++;
}

static bool talks(const struct xcf_path *p) {
    return p->couple.outbound &&
           (p->state == XCF_PATH_LINKING || p->state == XCF_PATH_WORKING || p->state == XCF_PATH_RESTARTING);
}

void path_hello_all(struct xcf *x, u64 now) {
    x->hello_now = false;
    if (x->suspect && x->asked) return;
    for (u32 i = 0; i < x->paths; i++)
        if (talks(&x->path[i])) hello_out(&x->path[i], now);
}

void path_hello_due(struct xcf *x, u64 now) {
    if (x->suspect && x->asked) return;
    for (u32 i = 0; i < x->paths; i++) {
        struct xcf_path *p = &x->path[i];
        bool soon = p->state == XCF_PATH_WORKING && now - p->hello_at < XCF_HELLO_US - XCF_HEARTBEAT_US / 2;
        if (talks(p) && !soon) hello_out(p, now);
    }
    for (u32 i = 1; i < x->slots; i++) {
        struct xcf_path *oldest = NULL;
        u64 latest = 0;
        LIST_FOR_EACH(it, &x->sys[i].out) {
            struct xcf_path *p = LIST_ENTRY(it, struct xcf_path, node);
            latest = u64_max(latest, p->hello_at);
            if (!oldest || p->hello_at < oldest->hello_at) oldest = p;
        }
        if (oldest && now - latest >= XCF_HEARTBEAT_US / 2) hello_out(oldest, now);
    }
}

/* ---- inbound ---- */

static bool block_good(struct xcf *x, const u8 *block, u32 len, bool same) {
    switch (same ? xcfmsg_check_same(block, len) : xcfmsg_check(block, len)) {
    case XCFMSG_OK: return true;
    case XCFMSG_SHORT: x->count.drop_short++; break;
    case XCFMSG_FOREIGN: x->count.drop_foreign++; break;
    case XCFMSG_LENGTH: x->count.drop_length++; break;
    case XCFMSG_CHECKSUM: x->count.drop_checksum++; break;
    case XCFMSG_FORM: x->count.drop_form++; break;
    }
    return false;
}

/* The deaths that a HELLO tells, this system's own before any other: who is out has no business with the rest. */
static void hello_deaths(struct xcf *x, const struct xcf_sys *teller, const u8 *body, const struct xcfmsg_hello *hello,
                         bool own, u64 now) {
    for (u32 i = 0; i < hello->gone && !x->stopped; i++) {
        struct xcfmsg_entry e;
        struct xcf_sysid id = {.name = ""};
        xcfmsg_entry_parse(body, hello->heard + i, &e);
        memcpy(id.name, e.system, sizeof id.name);
        id.incarnation = e.incarnation;
        if ((strcmp(id.name, x->id.name) == 0) == own) partition_news(x, &id, teller, now);
    }
}

static void hello_in(struct xcf_path *p, struct xcf_sys *s, const u8 *body, bool named, u64 now) {
    struct xcf *x = p->x;
    struct xcfmsg_hello hello;
    x->count.hellos_received++;
    xcfmsg_hello_parse(body, &hello);
    s->interval_ms = hello.interval_ms;
    s->weight = hello.weight;
    memcpy(p->partner_path, hello.path, sizeof p->partner_path);
    /* Deaths first: what follows may come from a partner that has been told about ours. */
    hello_deaths(x, s, body, &hello, true, now);
    hello_deaths(x, s, body, &hello, false, now);
    for (u32 i = 0; i < hello.heard && !x->stopped; i++) {
        struct xcfmsg_entry e;
        xcfmsg_entry_parse(body, i, &e);
        if (strcmp(e.system, x->id.name) != 0 || e.incarnation != x->id.incarnation) continue;
        if (e.value == 0 || e.value > x->paths || !x->path[e.value - 1].couple.outbound) continue;
        linked(&x->path[e.value - 1], s, now);
        if (named) xcfmsg_heard_name_parse(body, hello.heard + hello.gone, i, x->path[e.value - 1].partner_path);
    }
}

static bool for_us(const struct xcf *x, const struct xcfmsg_header *h) {
    return h->to_incarnation == x->id.incarnation && strcmp(h->to, x->id.name) == 0;
}

/* Does a block come from and go to whom the last one did, and is that incarnation of the sender still the one that counts? */
static bool ends_same(const struct xcf_path *p, const u8 *block, u32 len) {
    const struct xcf_sys *s = &p->x->sys[p->ends_slot];
    if (!p->ends_slot || len < XCFMSG_HEADER || !xcfmsg_same_ends(block, p->ends)) return false;
    return s->id.incarnation == p->ends_from.incarnation && s->gone_incarnation < s->id.incarnation &&
           strcmp(s->id.name, p->ends_from.name) == 0;
}

/* Whose block it is; NULL: nobody's who is in, counted. */
static struct xcf_sys *sender_of(struct xcf_path *p, const u8 *block, u64 now) {
    struct xcf *x = p->x;
    struct xcfmsg_header h;
    xcfmsg_parse(block, &h);
    p->ends_slot = 0;
    if (strcmp(h.sysplex, x->couple.sysplex) != 0 || strcmp(h.from, x->id.name) == 0) {
        x->count.drop_sysplex++; /* another sysplex, or a second system of our name */
        return NULL;
    }
    struct xcf_sysid id = {.incarnation = h.from_incarnation};
    memcpy(id.name, h.from, sizeof id.name);
    struct xcf_sys *s = system_heard(x, &id, now);
    if (!s) return NULL;
    memcpy(p->ends, block, XCFMSG_HEADER);
    p->ends_from = id;
    p->ends_slot = sys_slot(x, s);
    p->ends_for_us = for_us(x, &h);
    return s;
}

void xcf_path_block(struct xcf_path *p, const u8 *block, u32 len, u64 now) {
    struct xcf *x = p->x;
    struct xcfmsg_header h;
    xcf_lapse_check(x, now);
    bool same = ends_same(p, block, len);
    if (x->stopped || !block_good(x, block, len, same)) return;
    if (x->suspect && x->asked) {
        x->count.drop_suspect++; /* from before this system stood still; what matters comes again */
        return;
    }
    if (p->couple.outbound || !p->ready || p->state == XCF_PATH_STOPPED || p->state == XCF_PATH_INOPERATIVE) {
        x->count.drop_path_stopped++;
        return;
    }
    xcfmsg_parse_same(block, &h);
    if (!same || h.type == XCFMSG_HELLO) x->loud = true;
    struct xcf_sys *s = same ? &x->sys[p->ends_slot] : sender_of(p, block, now);
    if (!s) return;
    bool ours = p->ends_for_us;
    if (h.type != XCFMSG_HELLO && !ours) {
        x->count.drop_receiver++;
        return;
    }
    p->blocks++;
    p->bytes += len;
    p->heard_token = h.token;
    s->last_signal = now;
    linked(p, s, now);
    if (h.type == XCFMSG_HELLO) {
        hello_in(p, s, block + XCFMSG_HEADER, h.flags & XCFMSG_NAMED, now);
        if (!x->stopped && h.flags & XCFMSG_LEAVING) partition_leaving(x, s, now);
        if (!x->stopped && h.flags & XCFMSG_STOPPED) path_event(p, XCF_PE_SILENT, now);
        if (!ours) return;
    }
    if (x->stopped || !sys_in(s)) {
        if (h.type != XCFMSG_HELLO) x->count.drop_stranger++;
        return;
    }
    signal_ack(x, s, h.ack, now);
    if (h.type == XCFMSG_DATA) signal_data(x, s, &h, block + XCFMSG_HEADER, now);
}

/* ---- what the adapter and the operator say ---- */

struct xcf_path *xcf_path_add(struct xcf *x, const struct xcf_path_def *def, u64 now) {
    if (x->paths == XCF_PATHS_MAX) return NULL;
    struct xcf_path *p = &x->path[x->paths++];
    *p =
        (struct xcf_path){.x = x, .couple = def->couple, .ops = def->ops, .ctx = def->ctx, .token = x->paths};
    list_init(&p->node);
    path_event(p, XCF_PE_START, now);
    return p;
}

void xcf_path_ready(struct xcf_path *p, u64 now) {
    xcf_lapse_check(p->x, now);
    p->ready = true;
    p->busy = p->broken = false;
    path_event(p, XCF_PE_READY, now);
}
void xcf_path_down(struct xcf_path *p, u64 now) {
    xcf_lapse_check(p->x, now);
    p->ready = false;
    path_event(p, XCF_PE_DOWN, now);
}
void xcf_path_room(struct xcf_path *p, u64 now) {
    p->busy = false;
    if (p->hello_owed) hello_out(p, now);
    if (p->slot && p->state == XCF_PATH_WORKING) signal_pump(p->x, &p->x->sys[p->slot], now);
}

int xcf_path_start(struct xcf_path *p, u64 now) {
    if (p->state != XCF_PATH_STOPPED && p->state != XCF_PATH_INOPERATIVE) return -ERR_ALREADY;
    p->retries = 0;
    path_event(p, XCF_PE_START, now);
    return 0;
}
int xcf_path_stop(struct xcf_path *p, u64 now) {
    if (p->state == XCF_PATH_STOPPED) return -ERR_ALREADY;
    /* The other end need not find it out by its silence. */
    p->stopping = p->couple.outbound && p->state == XCF_PATH_WORKING;
    if (p->stopping) hello_out(p, now);
    p->stopping = p->hello_owed = false;
    path_event(p, XCF_PE_STOP, now);
    xcf_say(p->x, "IXC467I STOPPING %s %s %s RSN: OPERATOR REQUEST", direction(p), kind(p), p->couple.name);
    return 0;
}

struct xcf_path *xcf_path_find(struct xcf *x, bool outbound, const char *name) {
    for (u32 i = 0; i < x->paths; i++)
        if (x->path[i].couple.outbound == outbound && strcmp(x->path[i].couple.name, name) == 0)
            return &x->path[i];
    return NULL;
}
