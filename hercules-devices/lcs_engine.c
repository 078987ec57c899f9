/* lcs_engine.c - the channel side of an OSA in LCS mode. Layouts: wire/osa.h; interface: lcs_engine.h.
 *
 *   state     STARTUP    STARTLAN    STOPLAN    SHUTDOWN   frames
 *   DOWN      STARTED    refused     refused    DOWN       dropped
 *   STARTED   STARTED    LAN         STARTED    DOWN       dropped
 *   LAN       STARTED    LAN         STARTED    DOWN       both ways
 *
 * STARTUP begins a session anew in any state: the attachment leaves the port and comes again, so nothing of
 * an earlier start is left there. STARTLAN, STOPLAN, SETIPM and DELIPM are answered when the port answered;
 * the others at once. A reply is the command itself with its return code, sequence number and initiator kept.
 * A command that does not exist is refused by name. STARTLAN that is answered "LAN offline" leads to LAN, too: frames are
 * dropped until the adapter's own STARTLAN says that there is a LAN.
 *
 * A reply waits until the WRITE program that brought its command has been suspended or has ended. Where it came first,
 * a driver could stop the channel with the interrupt of its own WRITE still to come, and lose that buffer for good
 * (Linux's lcs does, at SHUTDOWN). A program that never pauses is waited for LCS_PATIENCE looks.
 *
 * READ gives one block: replies that are due, else frames as they come, as many as the batch has and the
 * count takes. Frames wait in the ring while no READ is outstanding. WRITE takes one block; while the ring to
 * the card is full, or ATTACH is unanswered and a command comes, the CCW stays outstanding and is taken up
 * again by rx_end or link_state.
 */
#include "hercules-devices/lcs_internal.h"

#include "base/str.h"

#define SENSE_COMMAND_REJECT 0x80
#define ETH_HDR              14
#define TERMINATOR           2

void lcs_log(struct lcs_engine *e, enum engine_severity sev, const char *fmt, ...) {
    char text[160];
    if (!e->base.host->log) return;
    u32 n = str_fmt(text, sizeof text, "LCS %04X: ", e->params.devnum);
    va_list ap;
    va_start(ap, fmt);
    str_vfmt(text + n, sizeof text - n, fmt, ap);
    va_end(ap);
    e->base.host->log(e->base.host->ctx, sev, text);
}

bool lcs_drop(u64 *counter) {
    u64 n = ++*counter;
    return (n & (n - 1)) == 0;
}

static enum engine_rc done(struct engine_ccw *c, u32 transferred) {
    c->residual = c->count - transferred;
    c->unit_status = US_CHANNEL_END | US_DEVICE_END;
    return ENGINE_DONE;
}

static enum engine_rc reject(struct lcs_engine *e, u32 unit, struct engine_ccw *c) {
    struct engine_sense *s = &e->sense[unit];
    if (lcs_drop(&e->count.ccw_rejected)) lcs_log(e, ENGINE_WARNING, "CCW %02X rejected", c->code);
    memset(s, 0, sizeof *s);
    s->len = ENGINE_SENSE_MAX;
    s->bytes[0] = SENSE_COMMAND_REJECT;
    c->residual = c->count;
    c->unit_status = US_CHANNEL_END | US_DEVICE_END | US_UNIT_CHECK;
    return ENGINE_DONE;
}

static void complete(struct lcs_engine *e, u32 unit) {
    e->waiting[unit] = NULL;
    e->base.host->complete(e->base.host->ctx, unit);
}

/* ---- towards the host: READ ---- */

static u32 block_room(const struct lcs_engine *e, const struct engine_ccw *c) {
    u32 room = u32_min(c->count, e->read_max ? e->read_max : LCS_BLOCK_BYTES);
    room = u32_min(room, 0xFFFF);
    return room < e->filled + TERMINATOR ? 0 : room - e->filled - TERMINATOR;
}

/* Appends one frame to the outstanding READ; header bytes are in head. */
static void append(struct lcs_engine *e, struct engine_ccw *c, u8 type, const u8 *data, u32 len) {
    u8 *at = c->buf + e->filled;
    e->filled += LCS_HDR_BYTES + len;
    be16_put(at + LCS_OFFSET_AT, (u16)e->filled);
    at[LCS_TYPE_AT] = type;
    at[LCS_PORT_AT] = e->params.port;
    memcpy(at + LCS_HDR_BYTES, data, len);
}

/* Ends the block that is in the outstanding READ. */
static void end_block(struct lcs_engine *e, struct engine_ccw *c) {
    be16_put(c->buf + e->filled, 0);
    done(c, e->filled + TERMINATOR);
    e->filled = 0;
}

static bool must_wait(struct lcs_engine *e) {
    const struct engine_host *h = e->base.host;
    if (!e->reply_count || !h->running || !h->running(h->ctx, LCS_UNIT_WRITE) || !e->patience) return false;
    e->patience--;
    h->again(h->ctx);
    return true;
}

/* Moves replies that are due into a READ; true if there were any that fit. */
static bool give_replies(struct lcs_engine *e, struct engine_ccw *c) {
    if (must_wait(e)) return e->filled != 0;
    while (e->reply_count) {
        const struct lcs_reply *r = &e->reply[e->reply_first];
        if (block_room(e, c) < r->len) break;
        append(e, c, LCS_TYPE_CONTROL, r->bytes + LCS_HDR_BYTES, r->len - LCS_HDR_BYTES);
        e->reply_first = (e->reply_first + 1) % LCS_REPLIES_MAX;
        e->reply_count--;
    }
    return e->filled != 0;
}

void lcs_read_ready(struct lcs_engine *e) {
    struct engine_ccw *c = e->waiting[LCS_UNIT_READ];
    if (!c || !(give_replies(e, c) || e->filled)) return;
    end_block(e, c);
    complete(e, LCS_UNIT_READ);
}

/* ---- WRITE ---- */

/* False: the ring to the card is full. */
static bool send_frame(struct lcs_engine *e, const u8 *data, u32 len) {
    if (len < ETH_HDR) {
        if (lcs_drop(&e->count.out_bad_frame)) lcs_log(e, ENGINE_WARNING, "frame of %u bytes", len);
        return true;
    }
    if (e->state != LCS_S_LAN || e->card != LCS_CARD_UP || !e->lan_up) {
        e->count.out_no_lan++;
        return true;
    }
    static const u8 all[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    u8 *msg = lcs_reserve(e, OSA_FRAME_DATA + len);
    if (!msg) return false;
    u8 cast = !(data[0] & 1) ? OSA_CAST_UNI : memcmp(data, all, 6) == 0 ? OSA_CAST_BROAD : OSA_CAST_MULTI;
    osa_msg_frame(msg, OSA_FORM_ETHER, cast, len);
    memcpy(msg + OSA_FRAME_DATA, data, len);
    lcs_commit(e, OSA_FRAME_DATA + len);
    e->count.out_frames++;
    return true;
}

/* Takes the frames of a block from e->written on; false if it has to go on later. */
static bool take_block(struct lcs_engine *e, const struct engine_ccw *c) {
    while (c->count - e->written >= 2) {
        const u8 *at = c->buf + e->written;
        u32 next = be16_get(at), len = next - e->written;
        if (next == 0) break;
        if (next < e->written + LCS_HDR_BYTES || next > c->count) {
            if (lcs_drop(&e->count.out_bad_block))
                lcs_log(e, ENGINE_WARNING, "block: frame at %u ends at %u, block at %u", e->written, next,
                        c->count);
            break;
        }
        if (at[LCS_TYPE_AT] == LCS_TYPE_CONTROL) {
            if (e->card == LCS_CARD_WAIT) return false;
            lcs_command(e, at, len);
        } else if (at[LCS_TYPE_AT] == LCS_TYPE_ETHERNET) {
            if (!send_frame(e, at + LCS_HDR_BYTES, len - LCS_HDR_BYTES)) return false;
        } else if (lcs_drop(&e->count.out_bad_frame)) {
            lcs_log(e, ENGINE_WARNING, "frame of unknown type %02X", at[LCS_TYPE_AT]);
        }
        e->written = next;
    }
    return true;
}

static void write_resume(struct lcs_engine *e) {
    struct engine_ccw *c = e->waiting[LCS_UNIT_WRITE];
    if (!c || !take_block(e, c)) return;
    done(c, c->count);
    complete(e, LCS_UNIT_WRITE);
}

/* ---- frames from the LAN ---- */

/* False: there is no READ for it, or the READ is full. */
bool lcs_take_frame(struct lcs_engine *e, const u8 *msg, u32 len) {
    struct engine_ccw *c = e->waiting[LCS_UNIT_READ];
    u32 bytes = len < OSA_FRAME_DATA ? 0 : len - OSA_FRAME_DATA;
    if (msg[8] != OSA_FORM_ETHER || bytes < ETH_HDR) {
        e->count.in_wrong_form++;
        return true;
    }
    if (e->state != LCS_S_LAN) {
        e->count.in_not_active++;
        return true;
    }
    if (!c) {
        e->count.in_deferred++;
        return false;
    }
    if (block_room(e, c) < LCS_HDR_BYTES + bytes) {
        if (!e->filled) {
            if (lcs_drop(&e->count.in_too_big))
                lcs_log(e, ENGINE_WARNING, "a frame of %u bytes fits no block", bytes);
            return true;
        }
        lcs_read_ready(e);
        return false;
    }
    append(e, c, LCS_TYPE_ETHERNET, msg + OSA_FRAME_DATA, bytes);
    e->count.in_frames++;
    return true;
}

/* ---- engine.h ---- */

static bool lcs_rx(struct engine *base, const u8 *msg, u32 len) {
    struct lcs_engine *e = lcs_of(base);
    if (osa_msg_check(msg, len) && msg[0] == OSA_MSG_FRAME && len >= OSA_FRAME_DATA)
        return lcs_take_frame(e, msg, len);
    lcs_attach_message(e, msg, len);
    return true;
}

static void lcs_rx_end(struct engine *base) {
    struct lcs_engine *e = lcs_of(base);
    lcs_pump(e);
    write_resume(e);
    lcs_read_ready(e);
    lcs_flush(e);
}

static void lcs_link_state(struct engine *base, bool up) {
    lcs_attach_link(lcs_of(base), up);
    lcs_rx_end(base);
}

static u32 lcs_sense_id(struct engine *base, u32 unit, u8 *out, u32 max) {
    static const u8 id[] = {0xFF, 0x30, 0x88, LCS_CU_MODEL_OSA, 0x30, 0x88, LCS_DEV_MODEL};
    UNUSED(base);
    UNUSED(unit);
    u32 n = u32_min(max, sizeof id);
    memcpy(out, id, n);
    return n;
}

static enum engine_rc do_read(struct lcs_engine *e, struct engine_ccw *c) {
    if (c->count < LCS_CTL_BYTES + TERMINATOR) return reject(e, LCS_UNIT_READ, c);
    e->filled = 0;
    if (give_replies(e, c)) {
        end_block(e, c);
        return ENGINE_DONE;
    }
    e->waiting[LCS_UNIT_READ] = c;
    return ENGINE_WAIT;
}

static enum engine_rc do_write(struct lcs_engine *e, struct engine_ccw *c) {
    if (e->base.host->trace)
        e->base.host->trace(e->base.host->ctx, LCS_UNIT_WRITE, "write", c->buf, u32_min(c->count, 256));
    e->written = 0;
    bool whole = take_block(e, c);
    lcs_flush(e);
    if (whole) return done(c, c->count);
    e->count.out_stalled++;
    e->waiting[LCS_UNIT_WRITE] = c;
    return ENGINE_WAIT;
}

static enum engine_rc lcs_ccw(struct engine *base, u32 unit, struct engine_ccw *c) {
    struct lcs_engine *e = lcs_of(base);
    CHECK(unit < LCS_UNITS && !e->waiting[unit]);
    c->residual = c->count;
    c->more = false;
    c->unit_status = 0;
    /* A block is one CCW's data: data chaining has no meaning here. */
    if ((c->chained | c->flags) & CCW_CD) return reject(e, unit, c);
    switch (c->code) {
    case CCW_NOP: return done(c, c->count);
    case CCW_SENSE_ID: return done(c, lcs_sense_id(base, unit, c->buf, c->count));
    case CCW_SENSE: {
        u32 n = u32_min(c->count, ENGINE_SENSE_MAX);
        memcpy(c->buf, e->sense[unit].bytes, n);
        memset(e->sense[unit].bytes, 0, ENGINE_SENSE_MAX);
        return done(c, n);
    }
    case CCW_READ: return unit == LCS_UNIT_READ ? do_read(e, c) : reject(e, unit, c);
    case CCW_WRITE: return unit == LCS_UNIT_WRITE ? do_write(e, c) : reject(e, unit, c);
    default: return reject(e, unit, c);
    }
}

static void lcs_halt(struct engine *base, u32 unit) {
    struct lcs_engine *e = lcs_of(base);
    struct engine_ccw *c = e->waiting[unit];
    if (!c) return;
    if (unit == LCS_UNIT_READ && e->filled)
        end_block(e, c);
    else
        done(c, 0);
    e->filled = 0;
    complete(e, unit);
}

static void lcs_reset(struct engine *base) {
    struct lcs_engine *e = lcs_of(base);
    for (u32 i = 0; i < LCS_UNITS; i++) lcs_halt(base, i);
    e->reply_first = e->reply_count = 0;
    memset(e->sense, 0, sizeof e->sense);
    lcs_start_over(e);
    lcs_flush(e);
}

static const struct engine_sense *lcs_sense(struct engine *base, u32 unit) {
    return &lcs_of(base)->sense[unit];
}

static void lcs_query(struct engine *base, char *out, size_t cap) {
    static const char *const states[] = {"down", "started", "LAN started"};
    static const char *const cards[] = {"no card", "attaching", "attached", "fenced"};
    const struct lcs_engine *e = lcs_of(base);
    const struct lcs_counters *n = &e->count;
    u64 drops = n->out_no_lan + n->out_bad_block + n->out_bad_frame + n->in_not_active + n->in_too_big +
                n->in_wrong_form;
    str_fmt(out, cap, "OSA %s LCS, %s, LAN %s, out %llu in %llu dropped %llu", cards[e->card],
            states[e->state], e->lan_up ? "up" : "down", (unsigned long long)n->out_frames,
            (unsigned long long)n->in_frames, (unsigned long long)drops);
}

static const struct engine_ops lcs_ops = {
    .type = "LCS",
    .units = LCS_UNITS,
    .ccw = lcs_ccw,
    .halt = lcs_halt,
    .reset = lcs_reset,
    .sense = lcs_sense,
    .sense_id = lcs_sense_id,
    .rx = lcs_rx,
    .rx_end = lcs_rx_end,
    .link_state = lcs_link_state,
    .query = lcs_query,
};

size_t lcs_engine_bytes(void) {
    return sizeof(struct lcs_engine);
}

struct engine *lcs_engine_init(void *storage, const struct engine_host *host,
                               const struct lcs_params *params) {
    struct lcs_engine *e = storage;
    memset(e, 0, sizeof *e);
    e->base.ops = &lcs_ops;
    e->base.host = host;
    e->params = *params;
    e->params.lpar[sizeof e->params.lpar - 1] = 0;
    if (!e->params.lpar[0]) {
        lcs_log(e, ENGINE_ERROR, "no LPAR name");
        return NULL;
    }
    return &e->base;
}
