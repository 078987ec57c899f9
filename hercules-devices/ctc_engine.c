/* ctc_engine.c - see ctc_engine.h: channel commands on one side, messages to the other end on the other. */
#include "hercules-devices/ctc_engine.h"

#include "base/be.h"
#include "base/str.h"
#include "hercules-devices/ctc_cu.h"
#include "hercules-devices/ctc_wire.h"

#define OWN 0u
#define FAR 1u
#define CE_DE (US_CHANNEL_END | US_DEVICE_END)
#define NAME_BYTES 8u
#define LOGS_MAX 20u /* lines about one link: a guest or a partner that errs for ever must not fill the log */

struct ctc_engine;

struct ctc_unit {
    struct ctc_engine *e;
    u32 number;
    struct ctc_cu cu;       /* at the home end the real one; at the far end for when it is alone */
    struct engine_ccw *ccw; /* of the own channel, outstanding */
    bool starting;          /* within ccw(): an end is the CCW's own return */
    struct engine_sense sense;
    /* at the far end, linked */
    u32 tag;                      /* of the last command sent */
    bool command_due, cancel_due; /* found no room in the ring */
    bool extended, ready;         /* what the home end would forget if it died */
    /* at the home end: what came from, and goes to, the far end's unit */
    u32 far_tag;
    bool end_due, status_due;
    struct ctc_end end;
    u8 status;
    u8 store[CTC_DATA_MAX + 1]; /* a WRITE that waits, or data of an end that is due */
};

enum ctc_link { CTC_ALONE, CTC_GREETING, CTC_LINKED, CTC_REFUSED };
static const char *const LINK_NAMES[] = {"alone", "greeting", "linked", "refused"};

struct ctc_engine {
    struct engine base;
    struct ctc_params params;
    enum ctc_link link;
    bool attach_due, reset_due;
    u32 logs;
    struct {
        u64 ring_full, bad_messages, stale_ends, rejects, refusals, links;
    } count;
    struct ctc_unit unit[CTC_UNITS_MAX];
};

static struct ctc_engine *ctc_of(struct engine *e) { return CONTAINER_OF(e, struct ctc_engine, base); }

static void say(struct ctc_engine *e, enum engine_severity sev, const char *fmt, ...) {
    char text[160];
    va_list args;
    if (e->logs >= LOGS_MAX) return;
    e->logs++;
    u32 n = str_fmt(text, sizeof text, "%04X CTC to %s: ", e->params.devnum, e->params.partner);
    va_start(args, fmt);
    str_vfmt(text + n, sizeof text - n, fmt, args);
    va_end(args);
    e->base.host->log(e->base.host->ctx, sev, text);
}

/* ---- ends of the own channel's commands ---- */

static void put_data(const struct ctc_end *end, struct engine_ccw *c) {
    if (!end->backward) {
        memcpy(c->buf, end->data, end->moved);
        return;
    }
    for (u32 i = 0; i < end->moved; i++) c->buf[c->count - 1 - i] = end->data[i];
}

static void complete(struct ctc_unit *u, const struct ctc_end *end) {
    struct engine_ccw *c = u->ccw;
    CHECK(c && end->moved <= c->count);
    if (end->data && end->moved) put_data(end, c);
    c->residual = c->count - end->moved;
    c->more = end->more;
    c->unit_status = end->unit_status;
    if (end->unit_status & US_UNIT_CHECK) u->sense = (struct engine_sense){.len = 1, .bytes = {end->sense}};
    u->ccw = NULL;
    if (!u->starting) u->e->base.host->complete(u->e->base.host->ctx, u->number);
}

/* ---- messages ---- */

static u8 *message(struct ctc_engine *e, enum ctc_msg type, u32 unit, u32 len) {
    u8 *m = e->base.host->tx_reserve(e->base.host->ctx, len);
    if (!m) {
        e->count.ring_full++;
        return NULL;
    }
    m[0] = (u8)type;
    m[1] = CTC_MSG_VERSION;
    m[2] = (u8)unit;
    m[3] = 0;
    be32_put(m + 4, len);
    return m;
}

static void send(struct ctc_engine *e, u32 len) {
    e->base.host->tx_commit(e->base.host->ctx, len);
    e->base.host->tx_flush(e->base.host->ctx);
}

static void put_name(u8 *out, const char *name) {
    size_t n = strlen(name);
    memset(out, ' ', NAME_BYTES);
    memcpy(out, name, n < NAME_BYTES ? n : NAME_BYTES);
}

static u8 unit_flags(const struct ctc_unit *u) {
    const struct ctc_side *s = &u->cu.side[OWN];
    return (u8)((s->state != CTC_NOT_READY ? CTC_UNIT_READY : 0) | (s->extended ? CTC_UNIT_EXTENDED : 0) |
                (s->ready_owed ? CTC_UNIT_OWED : 0));
}

static void send_attach(struct ctc_engine *e) {
    u8 *m = message(e, CTC_MSG_ATTACH, 0, CTC_MSG_ATTACH_BYTES);
    e->attach_due = !m;
    if (!m) return;
    put_name(m + 8, e->params.lpar);
    put_name(m + 16, e->params.partner);
    be16_put(m + 24, e->params.devnum);
    be16_put(m + 26, e->params.partner_devnum);
    m[28] = CTC_UNITS_MAX;
    m[29] = e->params.straight;
    be16_put(m + 30, 0);
    memset(m + 32, 0, 4);
    for (u32 i = 0; i < CTC_UNITS_MAX; i++) m[32 + i] = unit_flags(&e->unit[i]);
    send(e, CTC_MSG_ATTACH_BYTES);
}

static u32 far_unit(const struct ctc_engine *e, u32 unit) { return e->params.straight ? unit : unit ^ 1; }

/* Home to far. data of an end that finds no room outlives the call in the store. */
static void send_end(struct ctc_unit *u) {
    struct ctc_engine *e = u->e;
    u32 data = u->end.data ? u->end.moved : 0, len = CTC_MSG_DATA + data;
    u8 *m = message(e, CTC_MSG_END, far_unit(e, u->number), len);
    if (!m) {
        if (data && !u->end_due) memcpy(u->store, u->end.data, data);
        if (data) u->end.data = u->store;
        u->end_due = true;
        return;
    }
    u->end_due = false;
    be32_put(m + 8, u->far_tag);
    m[12] = u->end.unit_status;
    m[13] = u->end.sense;
    m[14] = (u8)((u->end.more ? CTC_END_MORE : 0) | (u->end.backward ? CTC_END_BACKWARD : 0));
    m[15] = 0;
    be32_put(m + 16, u->end.moved);
    if (data) memcpy(m + CTC_MSG_DATA, u->end.data, data);
    send(e, len);
}

static void send_status(struct ctc_unit *u) {
    u8 *m = message(u->e, CTC_MSG_STATUS, far_unit(u->e, u->number), CTC_MSG_STATUS_BYTES);
    u->status_due = !m;
    if (!m) return;
    m[8] = u->status;
    memset(m + 9, 0, 3);
    send(u->e, CTC_MSG_STATUS_BYTES);
}

/* Far to home. */
static void send_cancel(struct ctc_unit *u) {
    u8 *m = message(u->e, CTC_MSG_CANCEL, u->number, CTC_MSG_CANCEL_BYTES);
    u->cancel_due = !m;
    if (!m) return;
    be32_put(m + 8, u->tag);
    send(u->e, CTC_MSG_CANCEL_BYTES);
}

static void send_reset(struct ctc_engine *e) {
    u8 *m = message(e, CTC_MSG_RESET, 0, CTC_MSG_HEADER_BYTES);
    e->reset_due = !m;
    if (m) send(e, CTC_MSG_HEADER_BYTES);
}

static bool carries_data(u8 code) { return ctc_decode(code, true) == CTC_WRITE || ctc_decode(code, true) == CTC_WEOF; }

static void send_command(struct ctc_unit *u) {
    const struct engine_ccw *c = u->ccw;
    u32 data = carries_data(c->code) ? c->count : 0, len = CTC_MSG_DATA + data;
    u8 *m = u->cancel_due || u->e->reset_due ? NULL : message(u->e, CTC_MSG_COMMAND, u->number, len);
    u->command_due = !m;
    if (!m) return;
    be32_put(m + 8, ++u->tag);
    m[12] = c->code;
    m[13] = c->flags;
    be16_put(m + 14, 0);
    be32_put(m + 16, c->count);
    if (data) memcpy(m + CTC_MSG_DATA, c->buf, data);
    send(u->e, len);
}

/* ---- the control unit's calls ---- */

static void cu_end(void *ctx, u32 side, const struct ctc_end *end) {
    struct ctc_unit *u = ctx;
    if (side == OWN) {
        complete(u, end);
        return;
    }
    u->end = *end;
    u->end_due = false;
    send_end(u);
}

static void cu_present(void *ctx, u32 side, u8 unit_status) {
    struct ctc_unit *u = ctx;
    if (side == OWN) {
        u->e->base.host->attention(u->e->base.host->ctx, u->number, unit_status);
        return;
    }
    u->status = unit_status;
    send_status(u);
}

static const struct ctc_cu_ops CU_OPS = {.end = cu_end, .present = cu_present};

/* ---- the channel's side ---- */

static enum engine_rc reject(struct ctc_unit *u, struct engine_ccw *c) {
    u->e->count.rejects++;
    u->sense = (struct engine_sense){.len = 1, .bytes = {CTC_SENSE_REJECT}};
    c->unit_status = CE_DE | US_UNIT_CHECK;
    return ENGINE_DONE;
}

static bool forwards(const struct ctc_engine *e) { return !e->params.home && e->link == CTC_LINKED; }

static enum engine_rc ctc_ccw(struct engine *base, u32 unit, struct engine_ccw *c) {
    struct ctc_engine *e = ctc_of(base);
    CHECK(unit < CTC_UNITS_MAX && !e->unit[unit].ccw);
    struct ctc_unit *u = &e->unit[unit];
    c->residual = c->count;
    c->more = false;
    c->unit_status = 0;
    /* A block is one CCW's data: data chaining has no meaning here. */
    if (((c->chained | c->flags) & CCW_CD) || c->count > CTC_DATA_MAX) return reject(u, c);
    u->ccw = c;
    u->sense = (struct engine_sense){.len = 1};
    if (forwards(e)) {
        u->ready = true;
        send_command(u);
        return ENGINE_WAIT;
    }
    const struct ctc_command_in in = {.code = c->code, .flags = c->flags, .count = c->count, .data = c->buf};
    u->starting = true;
    bool done = ctc_cu_command(&u->cu, OWN, &in);
    u->starting = false;
    return done ? ENGINE_DONE : ENGINE_WAIT;
}

static void ctc_halt(struct engine *base, u32 unit) {
    struct ctc_engine *e = ctc_of(base);
    struct ctc_unit *u = &e->unit[unit];
    if (!forwards(e)) ctc_cu_cancel(&u->cu, OWN);
    if (!u->ccw) return;
    if (forwards(e) && !u->command_due) send_cancel(u);
    u->command_due = false;
    const struct ctc_end end = {.unit_status = CE_DE};
    complete(u, &end);
}

static void ctc_reset(struct engine *base) {
    struct ctc_engine *e = ctc_of(base);
    for (u32 i = 0; i < CTC_UNITS_MAX; i++) {
        struct ctc_unit *u = &e->unit[i];
        ctc_halt(base, i);
        u->sense = (struct engine_sense){.len = 1};
        u->extended = u->ready = false;
        if (!forwards(e)) ctc_cu_reset(&u->cu, OWN);
    }
    if (forwards(e)) send_reset(e);
}

static const struct engine_sense *ctc_sense(struct engine *base, u32 unit) { return &ctc_of(base)->unit[unit].sense; }

static u32 ctc_sense_id(struct engine *base, u32 unit, u8 *out, u32 max) {
    static const u8 id[] = {0xFF, 0x30, 0x88, 0x08, 0x30, 0x88, 0x01};
    UNUSED(base);
    UNUSED(unit);
    u32 n = u32_min(max, sizeof id);
    memcpy(out, id, n);
    return n;
}

/* ---- the other end's side ---- */

static bool is_name(const u8 *field, const char *name) {
    u8 mine[NAME_BYTES];
    put_name(mine, name);
    return memcmp(field, mine, NAME_BYTES) == 0;
}

/* Do the two ends mean the same link? If not, the line says both views; the other end finds the same and says it too. */
static bool agrees(struct ctc_engine *e, const u8 *m) {
    const struct ctc_params *p = &e->params;
    u16 theirs = be16_get(m + 24), mine = be16_get(m + 26);
    if (!is_name(m + 8, p->partner) || !is_name(m + 16, p->lpar)) {
        say(e, ENGINE_ERROR, "the other end is %.8s and wants %.8s; this is %s", (const char *)m + 8, (const char *)m + 16, p->lpar);
        return false;
    }
    if (theirs == p->partner_devnum && mine == p->devnum && m[28] == CTC_UNITS_MAX && (m[29] != 0) == p->straight)
        return true;
    say(e, ENGINE_ERROR, "it connects its %04X to %04X %s, this end %04X to its %04X %s", theirs, mine,
        m[29] ? "straight" : "crossed", p->devnum, p->partner_devnum, p->straight ? "straight" : "crossed");
    return false;
}

static void take_attach(struct ctc_engine *e, const u8 *m) {
    if (e->link != CTC_GREETING) {
        e->count.bad_messages++;
        return;
    }
    /* The far end answers only now, so that its units' states are those of this moment. */
    if (!e->params.home) send_attach(e);
    if (!agrees(e, m)) {
        e->link = CTC_REFUSED;
        e->count.refusals++;
        return;
    }
    e->link = CTC_LINKED;
    e->count.links++;
    for (u32 i = 0; i < CTC_UNITS_MAX; i++) {
        struct ctc_unit *u = &e->unit[i];
        u8 f = m[32 + far_unit(e, i)];
        const struct ctc_attach as = {
            .extended = f & CTC_UNIT_EXTENDED, .ready = f & CTC_UNIT_READY, .owed = f & CTC_UNIT_OWED};
        u->extended = u->cu.side[OWN].extended;
        u->ready = u->cu.side[OWN].state != CTC_NOT_READY;
        if (e->params.home) ctc_cu_attach(&u->cu, FAR, &as);
    }
}

static void take_command(struct ctc_unit *u, const u8 *m, u32 len) {
    struct ctc_command_in in = {.code = m[12], .flags = m[13], .count = be32_get(m + 16), .data = m + CTC_MSG_DATA};
    if (in.count > CTC_DATA_MAX || len != CTC_MSG_DATA + (carries_data(in.code) ? in.count : 0)) {
        u->e->count.bad_messages++;
        return;
    }
    /* One command at a time: a new one says that the old one's end is not waited for any more. */
    if (ctc_cu_waiting(&u->cu, FAR)) ctc_cu_cancel(&u->cu, FAR);
    u->end_due = false;
    u->far_tag = be32_get(m + 8);
    if (!ctc_cu_command(&u->cu, FAR, &in) && carries_data(in.code)) {
        memcpy(u->store, in.data, in.count);
        u->cu.side[FAR].op.data = u->store;
    }
}

static void take_cancel(struct ctc_unit *u, const u8 *m) {
    if (be32_get(m + 8) != u->far_tag) return;
    u->end_due = false;
    ctc_cu_cancel(&u->cu, FAR);
}

static void take_reset(struct ctc_engine *e) {
    for (u32 i = 0; i < CTC_UNITS_MAX; i++) {
        e->unit[i].end_due = e->unit[i].status_due = false;
        ctc_cu_reset(&e->unit[i].cu, FAR);
    }
}

static void take_end(struct ctc_unit *u, const u8 *m, u32 len) {
    struct ctc_end end = {.unit_status = m[12],
                          .sense = m[13],
                          .moved = be32_get(m + 16),
                          .more = m[14] & CTC_END_MORE,
                          .backward = m[14] & CTC_END_BACKWARD,
                          .data = m + CTC_MSG_DATA};
    if (!u->ccw || u->command_due || be32_get(m + 8) != u->tag) {
        u->e->count.stale_ends++; /* it crossed our cancel */
        return;
    }
    bool has_data = len > CTC_MSG_DATA;
    if (end.moved > u->ccw->count || (has_data && len - CTC_MSG_DATA != end.moved)) {
        u->e->count.bad_messages++;
        return;
    }
    if (!has_data) end.data = NULL;
    enum ctc_command command = ctc_decode(u->ccw->code, true);
    if (end.unit_status == CE_DE && command == CTC_SET_EXTENDED) u->extended = true;
    if (end.unit_status == CE_DE && command == CTC_SET_BASIC) u->extended = false;
    complete(u, &end);
}

/* Far end's messages go to the home end, and only there. */
static void take_far(struct ctc_engine *e, const u8 *m, u32 len) {
    struct ctc_unit *u = &e->unit[far_unit(e, m[2])];
    switch (m[0]) {
    case CTC_MSG_COMMAND: take_command(u, m, len); return;
    case CTC_MSG_CANCEL: take_cancel(u, m); return;
    case CTC_MSG_RESET: take_reset(e); return;
    default: e->count.bad_messages++; return;
    }
}

static void take_home(struct ctc_engine *e, const u8 *m, u32 len) {
    switch (m[0]) {
    case CTC_MSG_END: take_end(&e->unit[m[2]], m, len); return;
    case CTC_MSG_STATUS:
        if (!e->unit[m[2]].ccw || m[8] == 0) e->base.host->attention(e->base.host->ctx, m[2], m[8]);
        return;
    default: e->count.bad_messages++; return;
    }
}

/* The far end is on its own again, as it was before; what it had outstanding ends. */
static void fall_back(struct ctc_unit *u) {
    const struct ctc_attach as = {.extended = u->extended, .ready = u->ready, .owed = u->ccw != NULL};
    ctc_cu_init(&u->cu, &CU_OPS, u);
    ctc_cu_attach(&u->cu, OWN, &as);
    u->cu.side[OWN].lost_untold = !u->ccw;
    const struct ctc_end end = {.unit_status = CE_DE | US_UNIT_CHECK, .sense = CTC_SENSE_INTREQ | CTC_SENSE_RESET};
    if (u->ccw) complete(u, &end);
}

/* The link ends, whatever comes next: each end is alone with what its own channel did. */
static void leave(struct ctc_engine *e, enum ctc_link next) {
    bool was_linked = e->link == CTC_LINKED;
    e->link = next;
    e->attach_due = e->reset_due = false;
    for (u32 i = 0; i < CTC_UNITS_MAX; i++) {
        struct ctc_unit *u = &e->unit[i];
        u->command_due = u->cancel_due = false;
        if (was_linked && e->params.home) ctc_cu_detach(&u->cu, FAR);
        if (was_linked && !e->params.home) fall_back(u);
        u->end_due = u->status_due = false;
    }
}

static bool message_fits(const u8 *m, u32 len) {
    static const u8 least[] = {[CTC_MSG_ATTACH] = CTC_MSG_ATTACH_BYTES, [CTC_MSG_REFUSED] = CTC_MSG_REFUSED_BYTES,
                               [CTC_MSG_COMMAND] = CTC_MSG_DATA,        [CTC_MSG_CANCEL] = CTC_MSG_CANCEL_BYTES,
                               [CTC_MSG_RESET] = CTC_MSG_HEADER_BYTES,  [CTC_MSG_END] = CTC_MSG_DATA,
                               [CTC_MSG_STATUS] = CTC_MSG_STATUS_BYTES};
    return len >= CTC_MSG_HEADER_BYTES && m[0] > 0 && m[0] < ARRAY_LEN(least) && len >= least[m[0]] &&
           be32_get(m + 4) == len && m[2] < CTC_UNITS_MAX;
}

static void version_differs(struct ctc_engine *e, u32 version) {
    u8 *m = message(e, CTC_MSG_REFUSED, 0, CTC_MSG_REFUSED_BYTES);
    say(e, ENGINE_ERROR, "the other end speaks version %u of the link's messages, this end %u", version, CTC_MSG_VERSION);
    if (m) {
        m[8] = CTC_REFUSED_VERSION;
        memset(m + 9, 0, 3);
        send(e, CTC_MSG_REFUSED_BYTES);
    }
    e->count.refusals++;
    leave(e, CTC_REFUSED);
}

static bool ctc_rx(struct engine *base, const u8 *m, u32 len) {
    struct ctc_engine *e = ctc_of(base);
    if (e->link == CTC_ALONE || e->link == CTC_REFUSED) return true;
    if (len >= CTC_MSG_HEADER_BYTES && m[1] != CTC_MSG_VERSION) {
        version_differs(e, m[1]);
    } else if (!message_fits(m, len)) {
        e->count.bad_messages++;
    } else if (m[0] == CTC_MSG_ATTACH) {
        take_attach(e, m);
    } else if (m[0] == CTC_MSG_REFUSED) {
        say(e, ENGINE_ERROR, "the other end refuses the link: it speaks another version of its messages");
        e->count.refusals++;
        leave(e, CTC_REFUSED);
    } else if (e->link != CTC_LINKED) {
        e->count.bad_messages++;
    } else if (e->params.home) {
        take_far(e, m, len);
    } else {
        take_home(e, m, len);
    }
    return true;
}

/* What found no room goes out now, oldest kind first. */
static void ctc_rx_end(struct engine *base) {
    struct ctc_engine *e = ctc_of(base);
    if (e->attach_due && e->link != CTC_ALONE) send_attach(e);
    if (e->link != CTC_LINKED) return;
    if (e->reset_due) send_reset(e);
    for (u32 i = 0; i < CTC_UNITS_MAX; i++) {
        struct ctc_unit *u = &e->unit[i];
        if (u->cancel_due) send_cancel(u);
        if (u->command_due) send_command(u);
        if (u->end_due) send_end(u);
        if (u->status_due) send_status(u);
    }
}

static void ctc_link_state(struct engine *base, bool up) {
    struct ctc_engine *e = ctc_of(base);
    leave(e, up ? CTC_GREETING : CTC_ALONE);
    if (up && e->params.home) send_attach(e);
}

/* ---- the engine ---- */

static void ctc_query(struct engine *base, char *out, size_t cap) {
    const struct ctc_engine *e = ctc_of(base);
    u64 matches = e->unit[0].cu.count.matches + e->unit[1].cu.count.matches;
    u64 bytes = e->unit[0].cu.count.bytes + e->unit[1].cu.count.bytes;
    str_fmt(out, cap, "CTC %s %s %04X, %s end, %s, blocks %llu bytes %llu refused %llu bad %llu", e->params.lpar,
            e->params.partner, e->params.partner_devnum, e->params.home ? "home" : "far", LINK_NAMES[e->link],
            (unsigned long long)matches, (unsigned long long)bytes, (unsigned long long)e->count.refusals,
            (unsigned long long)e->count.bad_messages);
}

static const struct engine_ops CTC_OPS = {
    .type = "CTC",
    .units = CTC_UNITS_MAX,
    .ccw = ctc_ccw,
    .halt = ctc_halt,
    .reset = ctc_reset,
    .sense = ctc_sense,
    .sense_id = ctc_sense_id,
    .rx = ctc_rx,
    .rx_end = ctc_rx_end,
    .link_state = ctc_link_state,
    .query = ctc_query,
};

size_t ctc_engine_bytes(void) { return sizeof(struct ctc_engine); }

struct engine *ctc_engine_init(void *storage, const struct engine_host *host, const struct ctc_params *params) {
    struct ctc_engine *e = storage;
    memset(e, 0, sizeof *e);
    e->base.ops = &CTC_OPS;
    e->base.host = host;
    e->params = *params;
    e->params.lpar[NAME_BYTES] = e->params.partner[NAME_BYTES] = 0;
    if (!e->params.lpar[0] || !e->params.partner[0] || strcmp(e->params.lpar, e->params.partner) == 0) {
        say(e, ENGINE_ERROR, "a link needs the names of two systems");
        return NULL;
    }
    for (u32 i = 0; i < CTC_UNITS_MAX; i++) {
        struct ctc_unit *u = &e->unit[i];
        u->e = e;
        u->number = i;
        u->sense.len = 1;
        ctc_cu_init(&u->cu, &CU_OPS, u);
        ctc_cu_attach(&u->cu, OWN, &(struct ctc_attach){0});
    }
    return &e->base;
}
