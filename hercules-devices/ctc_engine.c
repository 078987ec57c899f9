/* ctc_engine.c - see ctc_engine.h: channel commands on one side, messages to the other end on the other. */
#include "hercules-devices/ctc_engine.h"

#include "base/be.h"
#include "base/str.h"
#include "hercules-devices/ctc_internal.h"
#include "hercules-devices/ctc_wire.h"

#define CE_DE (US_CHANNEL_END | US_DEVICE_END)
#define NAME_BYTES 8u
#define LOGS_MAX 20u /* lines about one link: a guest or a partner that errs for ever must not fill the log */

static const char *const LINK_NAMES[] = {"alone", "greeting", "linked", "refused"};

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
    if (!u->cu.side[OWN].chaining) ctc_announce_nothing(u);
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

static void ring_bell(struct ctc_engine *e) {
    e->bell_due = false;
    e->base.host->tx_flush(e->base.host->ctx);
}

static void send(struct ctc_engine *e, u32 len) {
    e->base.host->tx_commit(e->base.host->ctx, len);
    ring_bell(e);
}

static void put_name(u8 *out, const char *name) {
    size_t n = strlen(name);
    memset(out, ' ', NAME_BYTES);
    memcpy(out, name, n < NAME_BYTES ? n : NAME_BYTES);
}

static u8 unit_flags(const struct ctc_unit *u) {
    const struct ctc_side *s = &u->cu.side[OWN];
    return (u8)((s->state != CTC_NOT_READY ? CTC_UNIT_READY : 0) | (s->extended ? CTC_UNIT_EXTENDED : 0));
}

/* The ring of a new connection is empty: the first message always finds room. From here on commands are told. */
static void send_attach(struct ctc_engine *e) {
    u8 *m = message(e, CTC_MSG_ATTACH, 0, CTC_MSG_ATTACH_BYTES);
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
    e->telling = true;
}

static u32 partners_unit(const struct ctc_engine *e, u32 unit) { return e->params.straight ? unit : unit ^ 1; }

static void send_reset(struct ctc_unit *u) {
    ctc_announce_nothing(u);
    u8 *m = message(u->e, CTC_MSG_RESET, partners_unit(u->e, u->number), CTC_MSG_RESET_BYTES);
    u->reset_due = !m;
    if (!m) return;
    u->reset = ++u->told;
    be32_put(m + 8, u->told);
    be32_put(m + 12, 0);
    m[12] = u->reset_system;
    u->reset_system = false;
    send(u->e, CTC_MSG_RESET_BYTES);
}

/* Bytes that a command's message may need. Which 81 is a WRITE depends on the modes of both sides. */
static u32 data_bytes(const struct engine_ccw *c) { return (c->code & 3) == 1 ? c->count : CTC_MSG_AHEAD_BYTES; }

/* A WRITE is chained to the command in, and the channel will give it at once. */
static bool write_follows(const struct ctc_unit *u, const struct ctc_command_in *in) {
    const struct engine_host *host = u->e->base.host;
    struct engine_next next;
    return u->cu.side[OWN].chaining && (in->flags & CCW_CC) && host->upcoming && host->upcoming(host->ctx, u->number, &next, 1) &&
           (next.code & 3) == 1 && next.count > 0;
}

/* Wakes the other end for a message only where it may have to do something. Not for a PREPARE that waits: nobody is called by it, and
 * the other end looks before it gives a command that would wait. (If it has given one meanwhile, its message shows that it did not see ours.) And
 * not for one that ended if a WRITE follows: both are one block. */
static void send_command(struct ctc_unit *u, const struct ctc_command_in *in, u32 len, bool done) {
    struct ctc_engine *e = u->e;
    const struct engine_host *host = e->base.host;
    bool waits = !done && !u->cu.effect.matched && !u->cu.effect.changed;
    if (!host->tx_later || in->code != CCW_CTC_PREPARE || !(waits || (done && write_follows(u, in)))) {
        send(e, len);
        return;
    }
    host->tx_commit(host->ctx, len);
    host->tx_later(host->ctx);
    if (waits) {
        u->unheard = u->told;
        e->count.later++;
    } else {
        e->bell_due = u->with_next = true;
        e->count.together++;
    }
}

/* Fills a message in with the own command that was executed. The other's that ended by it was the last one seen. */
static void tell_command(struct ctc_unit *u, u8 *m, const struct ctc_command_in *in, bool done) {
    const struct ctc_effect *did = &u->cu.effect;
    u32 data = done ? did->moved : u->cu.side[OWN].state == CTC_IN_WRITE ? in->count : 0;
    be32_put(m + 8, ++u->told);
    be32_put(m + 12, u->seen);
    be32_put(m + 16, did->matched ? u->seen : 0);
    m[20] = in->code;
    m[21] = in->flags;
    m[22] = (u8)((done ? CTC_TOLD_DONE : 0) | (did->accepted ? CTC_TOLD_ACCEPTED : 0) |
                 (did->mode == CTC_MODE_BASIC ? CTC_TOLD_BASIC : 0));
    m[23] = (u8)ctc_announce(u, in, done);
    be32_put(m + 24, in->count);
    if (data) memcpy(m + CTC_MSG_COMMAND_BYTES, in->data, data);
    if (m[23]) {
        be32_put(m + CTC_MSG_COMMAND_BYTES, u->announced.count | (u->announced.prepares ? CTC_AHEAD_PREPARES : 0));
        data = CTC_MSG_AHEAD_BYTES;
    }
    be32_put(m + 4, CTC_MSG_COMMAND_BYTES + data);
    if (did->left_eof) u->eof = u->told;
    send_command(u, in, CTC_MSG_COMMAND_BYTES + data, done);
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
    send_reset(u);
    ctc_expected_go_on(u);
}

/* Executes the own channel's command, and tells it. Afterwards it has ended (u->ccw is NULL), waits, or was not executed for want
 * of room. */
static void execute(struct ctc_unit *u) {
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
        if (!u->reset_due) m = message(u->e, CTC_MSG_COMMAND, partners_unit(u->e, u->number), CTC_MSG_COMMAND_BYTES + data_bytes(c));
        u->command_due = !m;
        if (!m) return;
    }
    bool done = ctc_cu_command(&u->cu, OWN, &in);
    if (m && (!done || u->cu.effect.matched || u->cu.effect.changed)) tell_command(u, m, &in, done);
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

static void take_queued(struct ctc_unit *u);

/* ---- what the other end says of a command ---- */

/* have: bytes of in->data. false: no channel gives such a command now. */
static bool command_of(const struct ctc_unit *u, const u8 *m, u32 len, struct ctc_command_in *in, struct ctc_ahead *ahead, u32 *have) {
    *have = len - CTC_MSG_COMMAND_BYTES;
    *ahead = (struct ctc_ahead){.left = m[23]};
    *in = (struct ctc_command_in){
        .code = m[20], .flags = m[21], .count = be32_get(m + 24), .data = m + CTC_MSG_COMMAND_BYTES,
        .mode = m[22] & CTC_TOLD_BASIC ? CTC_MODE_BASIC : CTC_MODE_EXTENDED};
    if (ahead->left && *have == CTC_MSG_AHEAD_BYTES) {
        ahead->count = be32_get(in->data) & ~CTC_AHEAD_PREPARES;
        ahead->prepares = be32_get(in->data) & CTC_AHEAD_PREPARES;
        *have = 0;
    }
    return in->count <= CTC_DATA_MAX && *have <= in->count && ahead->count <= CTC_DATA_MAX && (ahead->left > 0) == (ahead->count > 0) &&
           !ctc_cu_waiting(&u->cu, FAR);
}

/* Will the oldest message that waits end c, the next announced command? It must not only say so: who was promised an end cannot wait. */
static bool queue_ends_next(const struct ctc_unit *u, const struct engine_ccw *c) {
    struct ctc_command_in in;
    struct ctc_ahead ahead;
    u32 len, have;
    const u8 *m = ctc_queue_head(&u->waiting, &len);
    if (!m || m[0] != CTC_MSG_COMMAND || !(m[22] & CTC_TOLD_DONE) || be32_get(m + 16) != u->told + 1) return false;
    if (!command_of(u, m, len, &in, &ahead, &have)) return false;
    enum ctc_state waits_in = c->code == CCW_READ ? CTC_IN_READ : CTC_PREPARED;
    return ctc_table(ctc_decode(in.code, in.mode == CTC_MODE_EXTENDED), waits_in)->actions & CTC_MATCH;
}

/* ---- the channel's side ---- */

static enum engine_rc reject(struct ctc_unit *u, struct engine_ccw *c) {
    u->e->count.rejects++;
    u->sense = (struct engine_sense){.len = 1, .bytes = {CTC_SENSE_REJECT}};
    c->unit_status = CE_DE | US_UNIT_CHECK;
    return ENGINE_DONE;
}

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
    u->starting = true;
    u->with_next = false;
    execute(u);
    take_queued(u);
    u->starting = false;
    if (e->bell_due && !u->with_next) ring_bell(e);
    return u->ccw ? ENGINE_WAIT : ENGINE_DONE;
}

static bool ctc_ends_at_once(struct engine *base, u32 unit, const struct engine_ccw *c) {
    struct ctc_unit *u = &ctc_of(base)->unit[unit];
    const struct ctc_command_in in = {.code = c->code, .flags = c->flags, .count = c->count};
    if (((c->chained | c->flags) & CCW_CD) || c->count > CTC_DATA_MAX) return true;
    if (u->announced.left) return ctc_is_announced(u, c) && queue_ends_next(u, c);
    if (u->e->telling &&
        (u->reset_due || !u->e->base.host->tx_reserve(u->e->base.host->ctx, CTC_MSG_COMMAND_BYTES + data_bytes(c))))
        return false;
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
        if (u->e->telling) send_reset(u);
        ctc_expected_go_on(u);
    }
    u->command_due = false;
    complete(u, &end);
    take_queued(u);
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
        if (e->telling) send_reset(u);
        ctc_expected_go_on(u);
        take_queued(u);
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
        e->telling = false;
        e->count.refusals++;
        return;
    }
    e->link = CTC_LINKED;
    e->count.links++;
    for (u32 i = 0; i < CTC_UNITS_MAX; i++) {
        u8 f = m[32 + partners_unit(e, i)];
        const struct ctc_attach as = {.extended = f & CTC_UNIT_EXTENDED, .ready = f & CTC_UNIT_READY};
        ctc_cu_attach(&e->unit[i].cu, FAR, &as);
    }
}

/* The other side's command takes effect here. have: bytes of in->data. What waits outlives the message in the store. */
static void other_executes(struct ctc_unit *u, struct ctc_command_in in, u32 have, bool waiting) {
    const struct ctc_side *own = &u->cu.side[OWN];
    /* A peer may say what it likes of its count: nothing is read behind what it sent. */
    if ((in.code & 3) == 1 && have < (own->state == CTC_IN_READ ? u32_min(in.count, own->op.count) : in.count)) in.count = have;
    bool done = waiting ? ctc_cu_told_waiting(&u->cu, FAR, &in) : ctc_cu_command(&u->cu, FAR, &in);
    if (done || !have) return;
    memcpy(u->store, in.data, have);
    u->cu.side[FAR].op.data = u->store;
}

static void take_waiting(struct ctc_unit *u, const struct ctc_command_in *in, u32 have, u32 seen, const struct ctc_ahead *ahead) {
    if (seen < u->reset) {
        ctc_cu_told_done(&u->cu, FAR, in, false);
        return;
    }
    /* A READ that was given before it saw our end of file ends by it; one that it had seen has been dealt with there. */
    u->cu.side[FAR].eof = seen < u->eof;
    bool crossed = ctc_cu_waiting(&u->cu, OWN) && u->told > seen;
    ctc_expect(u, ahead);
    if (crossed) u->e->count.crossed++;
    if (!crossed || u->e->params.home) {
        other_executes(u, *in, have, true);
        return;
    }
    struct ctc_command_in own = ctc_cu_recall(&u->cu, OWN);
    other_executes(u, *in, have, true);
    ctc_cu_command(&u->cu, OWN, &own);
}

static void take_done(struct ctc_unit *u, const struct ctc_command_in *in, u32 have, const u8 *m, const struct ctc_ahead *ahead) {
    u32 seen = be32_get(m + 12), matched = be32_get(m + 16);
    bool accepted = m[22] & CTC_TOLD_ACCEPTED, waiting = ctc_cu_waiting(&u->cu, OWN);
    bool is_eof = ctc_decode(in->code, in->mode == CTC_MODE_EXTENDED) == CTC_WEOF;
    bool eof = accepted && is_eof && !matched && seen >= u->reset;
    if (matched ? waiting && matched == u->told : eof && u->cu.side[OWN].state == CTC_IN_READ) {
        u->cu.side[FAR].eof = false; /* it met something else */
        ctc_expect(u, ahead);
        other_executes(u, *in, have, false);
        return;
    }
    if (matched) u->e->count.drops_stale++;
    ctc_cu_told_done(&u->cu, FAR, in, accepted && !matched && (eof || !is_eof));
}

static void take_command(struct ctc_unit *u, const u8 *m, u32 len) {
    struct ctc_command_in in;
    struct ctc_ahead ahead;
    u32 have;
    if (!command_of(u, m, len, &in, &ahead, &have)) {
        u->e->count.bad_messages++;
        return;
    }
    u->seen = be32_get(m + 8);
    /* What crosses with a message that it was not woken for, it is woken for now. */
    if (be32_get(m + 12) < u->unheard) ring_bell(u->e);
    u->unheard = 0;
    if (m[22] & CTC_TOLD_DONE)
        take_done(u, &in, have, m, &ahead);
    else
        take_waiting(u, &in, have, be32_get(m + 12), &ahead);
    ctc_expected_go_on(u);
}

static void take_reset(struct ctc_unit *u, const u8 *m) {
    u->expected.left = 0;
    if (m[12])
        ctc_cu_reset(&u->cu, FAR);
    else
        ctc_cu_selective_reset(&u->cu, FAR);
    u->eof = 0; /* one that is still on its way will be too old there */
    u->seen = be32_get(m + 8);
}

static void take_now(struct ctc_unit *u, const u8 *m, u32 len) {
    if (m[0] == CTC_MSG_COMMAND)
        take_command(u, m, len);
    else
        take_reset(u, m);
}

/* What waited for an announced command, now that it, or another command, has been given. */
static void take_queued(struct ctc_unit *u) {
    u32 len;
    for (const u8 *m; !ctc_must_wait(u) && (m = ctc_queue_head(&u->waiting, &len)) != NULL; ctc_queue_drop(&u->waiting)) take_now(u, m, len);
}

/* false: it must wait, and there is no room for it. */
static bool take(struct ctc_unit *u, const u8 *m, u32 len) {
    if (u->waiting.messages == 0 && !ctc_must_wait(u)) {
        take_now(u, m, len);
        return true;
    }
    bool kept = ctc_queue_put(&u->waiting, m, len);
    if (!kept) u->e->count.queue_full++;
    return kept;
}

/* The link ends, whatever comes next: each end is alone with what its own channel did. */
static void leave(struct ctc_engine *e, enum ctc_link next) {
    bool was_linked = e->link == CTC_LINKED;
    e->link = next;
    e->telling = e->bell_due = false;
    for (u32 i = 0; i < CTC_UNITS_MAX; i++) {
        struct ctc_unit *u = &e->unit[i];
        u->reset_due = u->reset_system = false;
        u->told = u->seen = u->reset = u->eof = u->unheard = 0;
        u->announced.left = u->expected.left = 0;
        e->count.drops_ahead += u->waiting.messages;
        ctc_queue_clear(&u->waiting);
        if (was_linked) ctc_cu_detach(&u->cu, FAR);
        /* What waited for room hears now that nobody is there. */
        if (u->command_due) {
            u->command_due = false;
            execute(u);
        }
    }
}

static bool message_fits(const u8 *m, u32 len) {
    static const u8 least[] = {[CTC_MSG_ATTACH] = CTC_MSG_ATTACH_BYTES, [CTC_MSG_REFUSED] = CTC_MSG_REFUSED_BYTES,
                               [CTC_MSG_COMMAND] = CTC_MSG_COMMAND_BYTES, [CTC_MSG_RESET] = CTC_MSG_RESET_BYTES};
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
    } else {
        return take(&e->unit[m[2]], m, len);
    }
    return true;
}

/* What found no room goes out now, resets first. */
static void ctc_rx_end(struct engine *base) {
    struct ctc_engine *e = ctc_of(base);
    for (u32 i = 0; e->telling && i < CTC_UNITS_MAX; i++) {
        struct ctc_unit *u = &e->unit[i];
        if (u->reset_due) send_reset(u);
        if (u->command_due) execute(u);
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
