/* ctc_tell.c - what this end tells the other one of its own side (ctc_wire.h has the messages), and for which of them it wakes it.
 *
 *   message                                           the other end is woken
 *   ATTACH, REFUSED, RESET                            at once
 *   COMMAND that ended or waits                       at once
 *   PREPARE that waits, and did nothing else          not: nobody is called by it, and the other end looks before it gives a command that
 *                                                     would wait. If it has given one meanwhile, its message shows that it had not seen
 *                                                     this one (`unheard`), and it is woken then
 *   PREPARE that ended, with a WRITE chained to it    with the command that follows, for both are one block (`bell_due`)
 *
 * A message needs room in the ring: what finds none is due (`reset_due`, `command_due`), and goes out by rx_end(), resets first. Nothing
 * is told before the greeting (`telling`). Numbers of messages count from 1 about each unit: `told` is the last one.
 */
#include "base/be.h"
#include "base/str.h"
#include "hercules-devices/ctc_internal.h"
#include "hercules-devices/ctc_wire.h"

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

void ctc_ring_bell(struct ctc_engine *e) {
    e->bell_due = false;
    e->base.host->tx_flush(e->base.host->ctx);
}

static void send(struct ctc_engine *e, u32 len) {
    e->base.host->tx_commit(e->base.host->ctx, len);
    ctc_ring_bell(e);
}

void ctc_put_name(u8 *out, const char *name) {
    size_t n = strlen(name);
    memset(out, ' ', CTC_NAME_BYTES);
    memcpy(out, name, n < CTC_NAME_BYTES ? n : CTC_NAME_BYTES);
}

static u8 unit_flags(const struct ctc_unit *u) {
    const struct ctc_side *s = &u->cu.side[OWN];
    return (u8)((s->state != CTC_NOT_READY ? CTC_UNIT_READY : 0) | (s->extended ? CTC_UNIT_EXTENDED : 0));
}

void ctc_tell_attach(struct ctc_engine *e) {
    u8 *m = message(e, CTC_MSG_ATTACH, 0, CTC_MSG_ATTACH_BYTES);
    if (!m) return;
    ctc_put_name(m + 8, e->params.lpar);
    ctc_put_name(m + 16, e->params.partner);
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

u32 ctc_partners_unit(const struct ctc_engine *e, u32 unit) { return e->params.straight ? unit : unit ^ 1; }

void ctc_tell_reset(struct ctc_unit *u) {
    ctc_announce_nothing(u);
    u8 *m = message(u->e, CTC_MSG_RESET, ctc_partners_unit(u->e, u->number), CTC_MSG_RESET_BYTES);
    u->reset_due = !m;
    if (!m) return;
    u->reset = ++u->told;
    be32_put(m + 8, u->told);
    be32_put(m + 12, 0);
    m[12] = u->reset_system;
    u->reset_system = false;
    send(u->e, CTC_MSG_RESET_BYTES);
}

void ctc_tell_refused(struct ctc_engine *e) {
    u8 *m = message(e, CTC_MSG_REFUSED, 0, CTC_MSG_REFUSED_BYTES);
    if (!m) return;
    m[8] = CTC_REFUSED_VERSION;
    memset(m + 9, 0, 3);
    send(e, CTC_MSG_REFUSED_BYTES);
}

/* Which 81 is a WRITE depends on the modes of both sides. */
static u32 command_bytes(const struct engine_ccw *c) {
    return CTC_MSG_COMMAND_BYTES + ((c->code & 3) == 1 ? c->count : CTC_MSG_AHEAD_BYTES);
}

bool ctc_tell_has_room(const struct ctc_unit *u, const struct engine_ccw *c) {
    const struct engine_host *host = u->e->base.host;
    return !u->reset_due && host->tx_reserve(host->ctx, command_bytes(c));
}

u8 *ctc_tell_begin(struct ctc_unit *u, const struct engine_ccw *c) {
    if (u->reset_due) return NULL;
    return message(u->e, CTC_MSG_COMMAND, ctc_partners_unit(u->e, u->number), command_bytes(c));
}

/* A WRITE is chained to the command in, and the channel will give it at once. */
static bool write_follows(const struct ctc_unit *u, const struct ctc_command_in *in) {
    const struct engine_host *host = u->e->base.host;
    struct engine_next next;
    return u->cu.side[OWN].chaining && (in->flags & CCW_CC) && host->upcoming && host->upcoming(host->ctx, u->number, &next, 1) &&
           (next.code & 3) == 1 && next.count > 0;
}

/* Wakes the other end where it may have to do something; see the table above. */
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

/* The other's command that ended by it was the last one seen. */
void ctc_tell_command(struct ctc_unit *u, u8 *m, const struct ctc_command_in *in, bool done) {
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
