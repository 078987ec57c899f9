/* cf_link.c - the coupling facility's link device. Table of CCWs and events: cf_link.h.
 *
 * The link keeps nothing but counts: a command goes from the WRITE into the ring, a response from the ring into the READ that waits
 * for it. A response that nobody reads stays in the ring, and the facility's notices are state that stays with the facility; so there
 * is nothing here that could overflow.
 *
 *   state      link up    ISOLATED, refused   link down   reset
 *   DOWN       UP         ISOLATED            DOWN        DOWN
 *   UP         UP         ISOLATED            DOWN        UP, resetting until RESET is answered
 *   ISOLATED   UP         ISOLATED            ISOLATED    ISOLATED
 */
#include "hercules-devices/cf_link.h"

#include "base/str.h"

#define RESET_TAG 0xFFFFu

enum link_state { LINK_DOWN, LINK_UP, LINK_ISOLATED };

struct cf_link {
    struct engine base;
    struct cf_link_params params;
    enum link_state state;
    struct engine_ccw *waiting;
    struct engine_sense sense;
    u32 outstanding; /* commands whose response was not read */
    bool untold;     /* the link was lost and no command has shown it yet: it may be back by now */
    bool reset_due;  /* RESET could not be sent yet */
    bool resetting;  /* RESET is not answered */
    u64 commands, responses, notices, stale, malformed, rejected, not_ready, cut_short;
};

static struct cf_link *link_of(struct engine *e) { return CONTAINER_OF(e, struct cf_link, base); }

static void say(struct cf_link *l, enum engine_severity sev, const char *text) {
    char line[120];
    if (!l->base.host->log) return;
    str_fmt(line, sizeof line, "CFL %04X: %s", l->params.devnum, text);
    l->base.host->log(l->base.host->ctx, sev, line);
}

static void trace(struct cf_link *l, const char *what, const u8 *bytes, u32 len) {
    if (l->base.host->trace) l->base.host->trace(l->base.host->ctx, 0, what, bytes, u32_min(len, 128));
}

/* ---- ends of a CCW ---- */

static enum engine_rc done(struct engine_ccw *c, u32 transferred) {
    c->residual = c->count - transferred;
    c->unit_status = US_CHANNEL_END | US_DEVICE_END;
    return ENGINE_DONE;
}

static enum engine_rc check(struct cf_link *l, struct engine_ccw *c, u8 sense) {
    memset(&l->sense, 0, sizeof l->sense);
    l->sense.len = ENGINE_SENSE_MAX;
    l->sense.bytes[0] = sense;
    if (l->state == LINK_ISOLATED) l->sense.bytes[1] = CF_LINK_SENSE_ISOLATED;
    c->residual = c->count;
    c->unit_status = US_CHANNEL_END | US_DEVICE_END | US_UNIT_CHECK;
    return ENGINE_DONE;
}

/* Whoever uses the link must learn that it was lost, also if it came back before the next command: connections went with it. */
static bool usable(struct cf_link *l, struct engine_ccw *c) {
    bool untold = l->untold;
    l->untold = false;
    if (l->state == LINK_UP && !untold) return true;
    l->not_ready++;
    check(l, c, l->state == LINK_UP ? CF_LINK_SENSE_EQUIPMENT : CF_LINK_SENSE_INTERVENTION);
    return false;
}

static enum engine_rc reject(struct cf_link *l, struct engine_ccw *c) {
    l->rejected++;
    return check(l, c, CF_LINK_SENSE_REJECT);
}

static void complete(struct cf_link *l) {
    l->waiting = NULL;
    l->base.host->complete(l->base.host->ctx, 0);
}

static void attention(struct cf_link *l) { l->base.host->attention(l->base.host->ctx, 0, US_ATTENTION); }

/* ---- towards the facility ---- */

/* False: the ring has no room. */
static bool send(struct cf_link *l, const u8 *cmd, u32 len) {
    u8 *msg = l->base.host->tx_reserve(l->base.host->ctx, len);
    if (!msg) return false;
    memcpy(msg, cmd, len);
    l->base.host->tx_commit(l->base.host->ctx, len);
    l->base.host->tx_flush(l->base.host->ctx);
    return true;
}

/* RESET goes before all that the system sends after it. */
static bool reset_sent(struct cf_link *l) {
    u8 cmd[CF_CMD_BYTES];
    if (!l->reset_due) return true;
    cf_command_put(cmd, CF_RESET, RESET_TAG, sizeof cmd, 0, 0);
    if (!send(l, cmd, sizeof cmd)) return false;
    l->reset_due = false;
    return true;
}

static enum engine_rc try_write(struct cf_link *l, struct engine_ccw *c) {
    u32 len = be32_get(c->buf + 4);
    if (!reset_sent(l) || !send(l, c->buf, len)) return ENGINE_WAIT;
    trace(l, "write", c->buf, len);
    l->commands++;
    l->outstanding++;
    return done(c, len);
}

static enum engine_rc do_write(struct cf_link *l, struct engine_ccw *c) {
    if (c->count < CF_CMD_BYTES) return reject(l, c);
    u32 len = be32_get(c->buf + 4);
    if (len > c->count || !cf_message_check(c->buf, len)) return reject(l, c);
    if (!usable(l, c)) return ENGINE_DONE;
    if (try_write(l, c) == ENGINE_DONE) return ENGINE_DONE;
    l->waiting = c;
    return ENGINE_WAIT;
}

static enum engine_rc do_read(struct cf_link *l, struct engine_ccw *c) {
    if (c->count < CF_RSP_BYTES) return reject(l, c);
    if (!usable(l, c)) return ENGINE_DONE;
    if (!l->outstanding) {
        done(c, 0);
        c->unit_status |= US_UNIT_EXCEPTION;
        return ENGINE_DONE;
    }
    l->waiting = c;
    return ENGINE_WAIT;
}

/* ---- from the facility ---- */

/* False: no READ waits for it. */
static bool response(struct cf_link *l, const u8 *msg, u32 len) {
    struct engine_ccw *c = l->waiting;
    if (l->resetting) {
        if (msg[1] == (CF_RESET | CF_RESPONSE) && be16_get(msg + 2) == RESET_TAG) l->resetting = false;
        l->stale++;
        return true;
    }
    if (!l->outstanding) {
        l->stale++;
        return true;
    }
    if (!c || c->code != CCW_READ) return false;
    u32 n = u32_min(len, c->count);
    trace(l, "read", msg, len);
    memcpy(c->buf, msg, n);
    c->more = len > c->count;
    l->cut_short += c->more;
    l->outstanding--;
    l->responses++;
    done(c, n);
    complete(l);
    return true;
}

static void lost(struct cf_link *l, enum link_state state) {
    l->state = state;
    l->outstanding = 0;
    l->reset_due = l->resetting = false;
    l->untold = !l->waiting;
    if (l->waiting) {
        check(l, l->waiting, CF_LINK_SENSE_EQUIPMENT);
        complete(l);
    }
    attention(l);
}

/* The facility's own message or, if it was not read any more, a refusal: whichever comes first. */
static void cfl_isolated(struct engine *base) {
    struct cf_link *l = link_of(base);
    if (l->state == LINK_ISOLATED) return;
    say(l, ENGINE_ERROR, "this system has been isolated from the coupling facility");
    lost(l, LINK_ISOLATED);
}

static bool cfl_rx(struct engine *base, const u8 *msg, u32 len) {
    struct cf_link *l = link_of(base);
    if (l->state != LINK_UP || !cf_message_check(msg, len)) {
        l->malformed++;
        return true;
    }
    if (msg[1] & CF_RESPONSE) return response(l, msg, len);
    if (msg[1] == CF_PENDING && !l->resetting) {
        l->notices++;
        attention(l);
    } else if (msg[1] == CF_ISOLATED) {
        cfl_isolated(base);
    } else if (msg[1] != CF_PENDING) {
        l->malformed++;
    }
    return true;
}

static void cfl_rx_end(struct engine *base) {
    struct cf_link *l = link_of(base);
    struct engine_ccw *c = l->waiting;
    if (l->state != LINK_UP || !reset_sent(l)) return;
    if (c && c->code == CCW_WRITE && try_write(l, c) == ENGINE_DONE) complete(l);
}

static void cfl_link_state(struct engine *base, bool up) {
    struct cf_link *l = link_of(base);
    if (up) {
        l->state = LINK_UP;
        attention(l);
    } else if (l->state == LINK_UP) {
        say(l, ENGINE_WARNING, "connection to the coupling facility lost");
        lost(l, LINK_DOWN);
    }
}

/* ---- engine.h ---- */

static u32 cfl_sense_id(struct engine *base, u32 unit, u8 *out, u32 max) {
    static const u8 id[] = {0xFF, CF_LINK_TYPE >> 8, CF_LINK_TYPE & 0xFF, 1, CF_LINK_TYPE >> 8, CF_LINK_TYPE & 0xFF, 1};
    UNUSED(base);
    UNUSED(unit);
    u32 n = u32_min(max, sizeof id);
    memcpy(out, id, n);
    return n;
}

static enum engine_rc cfl_ccw(struct engine *base, u32 unit, struct engine_ccw *c) {
    struct cf_link *l = link_of(base);
    CHECK(unit == 0 && !l->waiting);
    c->residual = c->count;
    c->more = false;
    c->unit_status = 0;
    /* A message is one CCW's data: data chaining has no meaning here. */
    if ((c->chained | c->flags) & CCW_CD) return reject(l, c);
    switch (c->code) {
    case CCW_NOP: return done(c, c->count);
    case CCW_SENSE_ID: return done(c, cfl_sense_id(base, unit, c->buf, c->count));
    case CCW_SENSE: {
        u32 n = u32_min(c->count, ENGINE_SENSE_MAX);
        memcpy(c->buf, l->sense.bytes, n);
        memset(l->sense.bytes, 0, ENGINE_SENSE_MAX);
        return done(c, n);
    }
    case CCW_READ: return do_read(l, c);
    case CCW_WRITE: return do_write(l, c);
    default: return reject(l, c);
    }
}

/* The response of a READ that is halted comes to the next one; a WRITE that is halted was not sent. */
static void cfl_halt(struct engine *base, u32 unit) {
    struct cf_link *l = link_of(base);
    UNUSED(unit);
    if (!l->waiting) return;
    done(l->waiting, 0);
    complete(l);
}

static void cfl_reset(struct engine *base) {
    struct cf_link *l = link_of(base);
    cfl_halt(base, 0);
    memset(&l->sense, 0, sizeof l->sense);
    l->outstanding = 0;
    l->untold = false;
    /* A facility that this start never spoke to has nothing to forget. */
    if (l->state != LINK_UP || !l->commands) return;
    l->reset_due = l->resetting = true;
    reset_sent(l);
}

static const struct engine_sense *cfl_sense(struct engine *base, u32 unit) {
    UNUSED(unit);
    return &link_of(base)->sense;
}

static void cfl_query(struct engine *base, char *out, size_t cap) {
    static const char *const states[] = {"no facility", "connected", "isolated"};
    const struct cf_link *l = link_of(base);
    str_fmt(out, cap, "CF %s, commands %llu responses %llu notices %llu dropped %llu", states[l->state],
            (unsigned long long)l->commands, (unsigned long long)l->responses, (unsigned long long)l->notices,
            (unsigned long long)(l->stale + l->malformed));
}

/* No look_first: with it the thread of a READ would take its response from the ring itself, and that was tried. A message of 64 bytes over a
 * structure took 1241 and 1060 us there and back then, 921 and 809 without it (make bench-xcf, the two taking turns, load 15). */
static const struct engine_ops cfl_ops = {
    .type = "CFL",
    .units = 1,
    .ccw = cfl_ccw,
    .halt = cfl_halt,
    .reset = cfl_reset,
    .sense = cfl_sense,
    .sense_id = cfl_sense_id,
    .rx = cfl_rx,
    .rx_end = cfl_rx_end,
    .link_state = cfl_link_state,
    .isolated = cfl_isolated,
    .query = cfl_query,
};

size_t cf_link_bytes(void) { return sizeof(struct cf_link); }

struct engine *cf_link_init(void *storage, const struct engine_host *host, const struct cf_link_params *params) {
    struct cf_link *l = storage;
    memset(l, 0, sizeof *l);
    l->base.ops = &cfl_ops;
    l->base.host = host;
    l->params = *params;
    l->params.lpar[sizeof l->params.lpar - 1] = 0;
    if (!l->params.lpar[0]) {
        say(l, ENGINE_ERROR, "no LPAR name");
        return NULL;
    }
    return &l->base;
}
