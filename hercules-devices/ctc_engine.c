/* ctc_engine.c - see ctc_engine.h: the own channel's commands, and the engine. What the other end is told of them: ctc_tell.c; what it
 * says: ctc_heard.c.
 *
 *   ccw()   announced before (ctc_ahead.h)   executed; the other end knows of it
 *           no room for its message          `command_due`: executed by rx_end(), or when the link goes
 *           else                             executed, and told if it waits or did something to the other side
 *   halt    a command that waits             selective reset of this side; one that was not executed yet has just never been given
 *   reset                                    system reset of this side on each unit
 */
#include "hercules-devices/ctc_engine.h"

#include "base/str.h"
#include "hercules-devices/ctc_internal.h"

#define CE_DE (US_CHANNEL_END | US_DEVICE_END)
#define LOGS_MAX 20u /* lines about one link: a guest or a partner that errs for ever must not fill the log */

static const char *const LINK_NAMES[] = {"alone", "greeting", "linked", "refused"};

static struct ctc_engine *ctc_of(struct engine *e) { return CONTAINER_OF(e, struct ctc_engine, base); }

void ctc_say(struct ctc_engine *e, enum engine_severity sev, const char *fmt, ...) {
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
    if (!u->cu.side[OWN].chaining) ctc_announce_nothing(u);
    if (!u->starting) u->e->base.host->complete(u->e->base.host->ctx, u->number);
}

/* A command that the other end knows of already: it is not told. */
static void execute_announced(struct ctc_unit *u, const struct ctc_command_in *in) {
    u->announced.left--;
    u->told++;
    u->e->count.ahead_kept++;
    ctc_cu_command(&u->cu, OWN, in);
    ctc_expected_go_on(u);
}

/* The channel has left the program that was announced, and only it knows why. The other end may have met READs that will not come. */
static void break_program(struct ctc_unit *u) {
    u->e->count.ahead_broken++;
    ctc_cu_selective_reset(&u->cu, OWN);
    ctc_tell_reset(u);
    ctc_expected_go_on(u);
}

void ctc_execute(struct ctc_unit *u) {
    const struct engine_ccw *c = u->ccw;
    const struct ctc_command_in in = {.code = c->code, .flags = c->flags, .count = c->count, .data = c->buf};
    u8 *m = NULL;
    if (u->announced.left) {
        if (ctc_is_announced(u, c)) {
            execute_announced(u, &in);
            return;
        }
        break_program(u);
    }
    if (u->e->telling) {
        m = ctc_tell_begin(u, c);
        u->command_due = !m;
        if (!m) return;
    }
    bool done = ctc_cu_command(&u->cu, OWN, &in);
    if (m && (!done || u->cu.effect.matched || u->cu.effect.changed)) ctc_tell_command(u, m, &in, done);
    ctc_expected_go_on(u);
}

/* ---- the control unit's calls ---- */

/* The other side's commands end at their own end. */
static void cu_end(void *ctx, u32 side, const struct ctc_end *end) {
    struct ctc_unit *u = ctx;
    if (side == OWN)
        complete(u, end);
    else
        u->far_ended = true;
}

static void cu_present(void *ctx, u32 side, u8 unit_status) {
    struct ctc_unit *u = ctx;
    if (side == OWN) u->e->base.host->attention(u->e->base.host->ctx, u->number, unit_status);
}

static const struct ctc_cu_ops CU_OPS = {.end = cu_end, .present = cu_present};

/* ---- the channel's side ---- */

static void reject(struct ctc_unit *u, struct engine_ccw *c) {
    u->e->count.rejects++;
    u->sense = (struct engine_sense){.len = 1, .bytes = {CTC_SENSE_REJECT}};
    c->unit_status = CE_DE | US_UNIT_CHECK;
}

static void give(struct ctc_unit *u, struct engine_ccw *c) {
    u->ccw = c;
    u->sense = (struct engine_sense){.len = 1};
    u->starting = true;
    ctc_execute(u);
    ctc_take_queued(u);
    u->starting = false;
}

static enum engine_rc ctc_ccw(struct engine *base, u32 unit, struct engine_ccw *c) {
    struct ctc_engine *e = ctc_of(base);
    CHECK(unit < CTC_UNITS_MAX && !e->unit[unit].ccw);
    struct ctc_unit *u = &e->unit[unit];
    c->residual = c->count;
    c->more = false;
    c->unit_status = 0;
    u->with_next = false;
    /* A block is one CCW's data: data chaining has no meaning here. */
    if (((c->chained | c->flags) & CCW_CD) || c->count > CTC_DATA_MAX)
        reject(u, c);
    else
        give(u, c);
    /* Whatever has become of the WRITE that a bell was kept for. */
    if (e->bell_due && !u->with_next) ctc_ring_bell(e);
    return u->ccw ? ENGINE_WAIT : ENGINE_DONE;
}

static bool ctc_ends_at_once(struct engine *base, u32 unit, const struct engine_ccw *c) {
    struct ctc_unit *u = &ctc_of(base)->unit[unit];
    const struct ctc_command_in in = {.code = c->code, .flags = c->flags, .count = c->count};
    if (((c->chained | c->flags) & CCW_CD) || c->count > CTC_DATA_MAX) return true;
    if (u->announced.left) return ctc_is_announced(u, c) && ctc_queue_ends_next(u, c);
    if (u->e->telling && !ctc_tell_has_room(u, c)) return false;
    return !ctc_cu_would_wait(&u->cu, OWN, &in);
}

/* A command that would wait may meet one of the other side's, if that has been told already, and SENSE COMMAND BYTE asks for it. For one that was announced it is
 * better to wait: what comes then goes straight into its data area. */
static bool ctc_look_first(struct engine *base, u32 unit, const struct engine_ccw *c) {
    const struct ctc_unit *u = &ctc_of(base)->unit[unit];
    const struct ctc_command_in in = {.code = c->code, .flags = c->flags, .count = c->count};
    if (u->ccw || (u->announced.left && ctc_is_announced(u, c))) return false;
    return ctc_cu_would_wait(&u->cu, OWN, &in) || ctc_decode(c->code, true) == CTC_SENSE_COMMAND;
}

static void ctc_halt(struct engine *base, u32 unit) {
    struct ctc_unit *u = &ctc_of(base)->unit[unit];
    const struct ctc_end end = {.unit_status = CE_DE};
    if (!u->ccw) return;
    if (!u->command_due) {
        ctc_cu_selective_reset(&u->cu, OWN);
        if (u->e->telling) ctc_tell_reset(u);
        ctc_expected_go_on(u);
    }
    u->command_due = false;
    complete(u, &end);
    ctc_take_queued(u);
}

static void ctc_reset(struct engine *base) {
    struct ctc_engine *e = ctc_of(base);
    const struct ctc_end end = {.unit_status = CE_DE};
    for (u32 i = 0; i < CTC_UNITS_MAX; i++) {
        struct ctc_unit *u = &e->unit[i];
        u->command_due = false;
        ctc_cu_reset(&u->cu, OWN);
        if (u->ccw) complete(u, &end);
        u->sense = (struct engine_sense){.len = 1};
        u->reset_system = e->telling;
        if (e->telling) ctc_tell_reset(u);
        ctc_expected_go_on(u);
        ctc_take_queued(u);
    }
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

static bool ctc_rx(struct engine *base, const u8 *m, u32 len) { return ctc_heard(ctc_of(base), m, len); }

/* What found no room goes out now, resets first. */
static void ctc_rx_end(struct engine *base) {
    struct ctc_engine *e = ctc_of(base);
    for (u32 i = 0; e->telling && i < CTC_UNITS_MAX; i++) {
        struct ctc_unit *u = &e->unit[i];
        if (u->reset_due) ctc_tell_reset(u);
        if (u->command_due) ctc_execute(u);
    }
}

static void ctc_link_state(struct engine *base, bool up) {
    struct ctc_engine *e = ctc_of(base);
    ctc_leave(e, up ? CTC_GREETING : CTC_ALONE);
    if (up && e->params.home) ctc_tell_attach(e);
}

/* ---- the engine ---- */

static void ctc_query(struct engine *base, char *out, size_t cap) {
    const struct ctc_engine *e = ctc_of(base);
    u64 matches = e->unit[0].cu.count.matches + e->unit[1].cu.count.matches;
    u64 bytes = e->unit[0].cu.count.bytes + e->unit[1].cu.count.bytes;
    str_fmt(out, cap, "CTC %s %s %04X, %s end, %s, blocks %llu bytes %llu refused %llu bad %llu stale %llu quiet %llu", e->params.lpar,
            e->params.partner, e->params.partner_devnum, e->params.home ? "home" : "far", LINK_NAMES[e->link],
            (unsigned long long)matches, (unsigned long long)bytes, (unsigned long long)e->count.refusals,
            (unsigned long long)e->count.bad_messages, (unsigned long long)e->count.drops_stale,
            (unsigned long long)(e->count.later + e->count.together));
}

static const struct engine_ops CTC_OPS = {
    .type = "CTC",
    .units = CTC_UNITS_MAX,
    .ccw = ctc_ccw,
    .ends_at_once = ctc_ends_at_once,
    .look_first = ctc_look_first,
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
    e->params.lpar[CTC_NAME_BYTES] = e->params.partner[CTC_NAME_BYTES] = 0;
    if (!e->params.lpar[0] || !e->params.partner[0] || strcmp(e->params.lpar, e->params.partner) == 0) {
        ctc_say(e, ENGINE_ERROR, "a link needs the names of two systems");
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
