/* ctc_heard.c - what the other end says (ctc_wire.h), and what that does to its side here.
 *
 *   message   about                        here
 *   ATTACH    the link                     the greeting: both must mean the same link, then the other side is attached to each control unit
 *   REFUSED   the link                     it is over until the next connection; so it is with a version that is not ours
 *   COMMAND   a command that waits         the control unit executes it for the other side. If it crossed one of this side that waits, the HOME
 *                                          end's was first: the far end takes its own back for that moment
 *             one that has ended           with what it did to this side: it ends what waits here, if that is what it says it matched
 *   RESET     the other side               its side is reset; what it has not seen since is too old there
 *
 * A message for a command that was announced and not given yet (ctc_ahead.h) waits in its unit's queue, and all behind it. What is of no
 * shape is counted (`bad_messages`), and what comes too late for a command that was reset (`drops_stale`). Nothing is read behind a message's end, and
 * a count that the other end states is only believed as far as its bytes go.
 */
#include "base/be.h"
#include "base/str.h"
#include "hercules-devices/ctc_internal.h"
#include "hercules-devices/ctc_wire.h"

/* ---- the greeting ---- */

static bool is_name(const u8 *field, const char *name) {
    u8 mine[CTC_NAME_BYTES];
    ctc_put_name(mine, name);
    return memcmp(field, mine, CTC_NAME_BYTES) == 0;
}

/* Do the two ends mean the same link? If not, the line says both views; the other end finds the same and says it too. */
static bool agrees(struct ctc_engine *e, const u8 *m) {
    const struct ctc_params *p = &e->params;
    u16 theirs = be16_get(m + 24), mine = be16_get(m + 26);
    if (!is_name(m + 8, p->partner) || !is_name(m + 16, p->lpar)) {
        ctc_say(e, ENGINE_ERROR, "the other end is %.8s and wants %.8s; this is %s", (const char *)m + 8, (const char *)m + 16, p->lpar);
        return false;
    }
    if (theirs == p->partner_devnum && mine == p->devnum && m[28] == CTC_UNITS_MAX && (m[29] != 0) == p->straight)
        return true;
    ctc_say(e, ENGINE_ERROR, "it connects its %04X to %04X %s, this end %04X to its %04X %s", theirs, mine,
        m[29] ? "straight" : "crossed", p->devnum, p->partner_devnum, p->straight ? "straight" : "crossed");
    return false;
}

static void take_attach(struct ctc_engine *e, const u8 *m) {
    if (e->link != CTC_GREETING) {
        e->count.bad_messages++;
        return;
    }
    /* The far end answers only now, so that its units' states are those of this moment. */
    if (!e->params.home) ctc_tell_attach(e);
    if (!agrees(e, m)) {
        e->link = CTC_REFUSED;
        e->telling = false;
        e->count.refusals++;
        return;
    }
    e->link = CTC_LINKED;
    e->count.links++;
    for (u32 i = 0; i < CTC_UNITS_MAX; i++) {
        u8 f = m[32 + ctc_partners_unit(e, i)];
        const struct ctc_attach as = {.extended = f & CTC_UNIT_EXTENDED, .ready = f & CTC_UNIT_READY};
        ctc_cu_attach(&e->unit[i].cu, FAR, &as);
    }
}

/* ---- commands and resets ---- */

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

bool ctc_queue_ends_next(const struct ctc_unit *u, const struct engine_ccw *c) {
    struct ctc_command_in in;
    struct ctc_ahead ahead;
    u32 len, have;
    const u8 *m = ctc_queue_head(&u->waiting, &len);
    if (!m || m[0] != CTC_MSG_COMMAND || !(m[22] & CTC_TOLD_DONE) || be32_get(m + 16) != u->told + 1) return false;
    if (!command_of(u, m, len, &in, &ahead, &have)) return false;
    enum ctc_state waits_in = c->code == CCW_READ ? CTC_IN_READ : CTC_PREPARED;
    return ctc_table(ctc_decode(in.code, in.mode == CTC_MODE_EXTENDED), waits_in)->actions & CTC_MATCH;
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
    /* A message that it was not woken for, and that crosses this one, wakes it here. */
    if (be32_get(m + 12) < u->unheard) ctc_ring_bell(u->e);
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

/* ---- what must wait ---- */

void ctc_take_queued(struct ctc_unit *u) {
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

/* ---- the link ---- */

void ctc_leave(struct ctc_engine *e, enum ctc_link next) {
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
            ctc_execute(u);
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
    ctc_say(e, ENGINE_ERROR, "the other end speaks version %u of the link's messages, this end %u", version, CTC_MSG_VERSION);
    ctc_tell_refused(e);
    e->count.refusals++;
    ctc_leave(e, CTC_REFUSED);
}

bool ctc_heard(struct ctc_engine *e, const u8 *m, u32 len) {
    if (e->link == CTC_ALONE || e->link == CTC_REFUSED) return true;
    if (len >= CTC_MSG_HEADER_BYTES && m[1] != CTC_MSG_VERSION) {
        version_differs(e, m[1]);
    } else if (!message_fits(m, len)) {
        e->count.bad_messages++;
    } else if (m[0] == CTC_MSG_ATTACH) {
        take_attach(e, m);
    } else if (m[0] == CTC_MSG_REFUSED) {
        ctc_say(e, ENGINE_ERROR, "the other end refuses the link: it speaks another version of its messages");
        e->count.refusals++;
        ctc_leave(e, CTC_REFUSED);
    } else if (e->link != CTC_LINKED) {
        e->count.bad_messages++;
    } else {
        return take(&e->unit[m[2]], m, len);
    }
    return true;
}
