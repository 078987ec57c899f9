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
 * A command that does not exist is refused by name.
 *
 * READ gives one block: replies that are due, else frames as they come, as many as the batch has and the
 * count takes. Frames wait in the ring while no READ is outstanding. WRITE takes one block; while the ring to
 * the card is full, or ATTACH is unanswered and a command comes, the CCW stays outstanding and is taken up
 * again (rx_end, link_state, READ).
 */
#include "hercules-devices/lcs_engine.h"

#include "base/str.h"
#include "hercules-devices/osa_msg.h"
#include "wire/ipaddr.h"
#include "wire/osa.h"

#define UNIT_READ            0
#define UNIT_WRITE           1
#define LCS_UNITS            2
#define SENSE_COMMAND_REJECT 0x80
#define ETH_HDR              14
#define TERMINATOR           2
#define REPLIES_MAX          16  /* commands whose reply nobody has read yet */
#define PENDING_MAX          8   /* commands the port has not answered yet */
#define GROUPS_MAX           128 /* multicast groups that are registered again when the card comes back */
#define REPLAY_TAG           0x8000u

enum lcs_state { LCS_S_DOWN, LCS_S_STARTED, LCS_S_LAN, LCS_STATES };
enum lcs_card { CARD_DOWN, CARD_WAIT, CARD_UP, CARD_FENCED };

struct lcs_reply {
    u32 len;
    u8 bytes[LCS_MULTICAST_BYTES];
};
struct lcs_pending {
    u16 tag;  /* 0 = free */
    u32 left; /* answers to come */
    u32 rc;
    struct lcs_reply reply;
};
struct lcs_group {
    bool used;
    u8 mac[6];
    u32 addr;
};
struct lcs_counters {
    u64 out_frames, out_no_lan, out_bad_block, out_bad_frame, out_stalled, in_frames, in_not_active,
        in_too_big, in_wrong_form, in_deferred, reply_no_room, msg_malformed, msg_stale, ccw_rejected,
        commands, refused, groups_full;
};
struct lcs_engine {
    struct engine base;
    struct lcs_params params;
    enum lcs_state state;
    enum lcs_card card;
    bool link_up, attach_due, detach_due, flush_due;
    bool lan_up, lan_told, port_used;
    u8 mac[6];
    u32 frame_max;
    u32 read_max; /* STARTUP: largest block the host reads */
    struct engine_ccw *waiting[LCS_UNITS];
    struct engine_sense sense[LCS_UNITS];
    u32 filled;  /* bytes of frames in the outstanding READ */
    u32 written; /* where the outstanding WRITE goes on */
    u16 tag;
    u32 replay; /* group to register again: index + 1; 0 = done */
    u32 reply_first, reply_count;
    struct lcs_reply reply[REPLIES_MAX];
    struct lcs_pending pending[PENDING_MAX];
    struct lcs_group group[GROUPS_MAX];
    struct lcs_counters count;
};

static struct lcs_engine *lcs_of(struct engine *e) {
    return CONTAINER_OF(e, struct lcs_engine, base);
}

static void lcs_log(struct lcs_engine *e, enum engine_severity sev, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void lcs_log(struct lcs_engine *e, enum engine_severity sev, const char *fmt, ...) {
    char text[160];
    if (!e->base.host->log) return;
    u32 n = str_fmt(text, sizeof text, "LCS %04X: ", e->params.devnum);
    va_list ap;
    va_start(ap, fmt);
    str_vfmt(text + n, sizeof text - n, fmt, ap);
    va_end(ap);
    e->base.host->log(e->base.host->ctx, sev, text);
}

/* True at the 1st, 2nd, 4th, 8th ... call: a flood is one line a doubling. */
static bool drop(u64 *counter) {
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
    if (drop(&e->count.ccw_rejected)) lcs_log(e, ENGINE_WARNING, "CCW %02X rejected", c->code);
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

static void flush(struct lcs_engine *e) {
    if (!e->flush_due) return;
    e->flush_due = false;
    e->base.host->tx_flush(e->base.host->ctx);
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

/* Moves replies that are due into a READ; true if there were any that fit. */
static bool give_replies(struct lcs_engine *e, struct engine_ccw *c) {
    while (e->reply_count) {
        const struct lcs_reply *r = &e->reply[e->reply_first];
        if (block_room(e, c) < r->len) break;
        append(e, c, LCS_TYPE_CONTROL, r->bytes + LCS_HDR_BYTES, r->len - LCS_HDR_BYTES);
        e->reply_first = (e->reply_first + 1) % REPLIES_MAX;
        e->reply_count--;
    }
    return e->filled != 0;
}

static void read_ready(struct lcs_engine *e) {
    struct engine_ccw *c = e->waiting[UNIT_READ];
    if (!c || !(give_replies(e, c) || e->filled)) return;
    end_block(e, c);
    complete(e, UNIT_READ);
}

static void send_reply(struct lcs_engine *e, const struct lcs_reply *r, u32 rc) {
    if (rc && drop(&e->count.refused))
        lcs_log(e, ENGINE_INFO, "command %02X refused, return code %04X", r->bytes[LCS_COMMAND_AT], rc);
    if (e->reply_count == REPLIES_MAX) {
        if (drop(&e->count.reply_no_room)) lcs_log(e, ENGINE_WARNING, "nobody reads: reply dropped");
        return;
    }
    struct lcs_reply *to = &e->reply[(e->reply_first + e->reply_count++) % REPLIES_MAX];
    *to = *r;
    be16_put(to->bytes + LCS_RC_AT, (u16)rc);
    if (e->base.host->trace) e->base.host->trace(e->base.host->ctx, UNIT_READ, "reply", to->bytes, to->len);
    read_ready(e);
}

/* The adapter's own STARTLAN or STOPLAN: the cable or the card came or went. */
static void lan_event(struct lcs_engine *e, bool up) {
    struct lcs_reply r = {.len = LCS_CTL_BYTES};
    if (e->state != LCS_S_LAN || e->lan_told == up) return;
    e->lan_told = up;
    be16_put(r.bytes + LCS_OFFSET_AT, LCS_CTL_BYTES);
    r.bytes[LCS_COMMAND_AT] = up ? LCS_STARTLAN : LCS_STOPLAN;
    r.bytes[LCS_INITIATOR_AT] = LCS_FROM_ADAPTER;
    r.bytes[LCS_LAN_TYPE_AT] = LCS_TYPE_ETHERNET;
    r.bytes[LCS_RELATIVE_PORT_AT] = e->params.port;
    send_reply(e, &r, LCS_RC_OK);
}

/* ---- towards the card ---- */

static u8 *reserve(struct lcs_engine *e, u32 len) {
    return e->link_up ? e->base.host->tx_reserve(e->base.host->ctx, len) : NULL;
}

static void commit(struct lcs_engine *e, u32 len) {
    e->base.host->tx_commit(e->base.host->ctx, len);
    e->flush_due = true;
}

static bool send_request(struct lcs_engine *e, const struct osa_request *r, u16 tag) {
    u8 *msg = reserve(e, OSA_MSG_REQUEST_BYTES);
    if (!msg) return false;
    osa_msg_request(msg, tag, r);
    commit(e, OSA_MSG_REQUEST_BYTES);
    e->port_used = true;
    return true;
}

static void pump(struct lcs_engine *e) {
    u8 *msg;
    if (e->detach_due && (msg = reserve(e, OSA_MSG_HEADER_BYTES)) != NULL) {
        osa_msg_detach(msg);
        commit(e, OSA_MSG_HEADER_BYTES);
        e->detach_due = false;
    }
    if (e->attach_due && !e->detach_due && (msg = reserve(e, OSA_MSG_ATTACH_BYTES)) != NULL) {
        osa_msg_attach(msg, OSA_MODE_LCS, 0, e->params.lpar, e->params.devnum);
        commit(e, OSA_MSG_ATTACH_BYTES);
        e->attach_due = false;
    }
    while (e->card == CARD_UP && e->replay && e->replay <= GROUPS_MAX) {
        const struct lcs_group *g = &e->group[e->replay - 1];
        struct osa_request r = {.op = OSA_OP_SETIPM, .addr = g->addr, .mac = g->mac};
        if (g->used && !send_request(e, &r, REPLAY_TAG)) return;
        e->replay++;
    }
    if (e->card != CARD_UP || !e->replay) return;
    struct osa_request start = {.op = OSA_OP_STARTLAN};
    if (e->state != LCS_S_LAN || send_request(e, &start, REPLAY_TAG)) e->replay = 0;
}

/* Forgets the session; the port forgets it too. */
static void start_over(struct lcs_engine *e) {
    e->state = LCS_S_DOWN;
    e->lan_told = false;
    e->replay = 0;
    memset(e->pending, 0, sizeof e->pending);
    memset(e->group, 0, sizeof e->group);
    if (!e->port_used || (e->card != CARD_UP && e->card != CARD_WAIT)) return;
    e->port_used = false;
    e->card = CARD_WAIT;
    e->detach_due = e->attach_due = true;
    pump(e);
}

/* ---- commands ---- */

static struct lcs_pending *pending_new(struct lcs_engine *e, const struct lcs_reply *r, u32 answers) {
    for (u32 i = 0; i < PENDING_MAX; i++) {
        struct lcs_pending *p = &e->pending[i];
        if (p->tag) continue;
        e->tag = (u16)(e->tag % (REPLAY_TAG - 1) + 1);
        *p = (struct lcs_pending){.tag = e->tag, .left = answers, .reply = *r};
        return p;
    }
    return NULL;
}

/* Asks the port; the reply follows its answer. */
static void ask_port(struct lcs_engine *e, const struct lcs_reply *r, u8 op) {
    bool group = op == OSA_OP_SETIPM || op == OSA_OP_DELIPM;
    u32 n = group ? be16_get(r->bytes + LCS_PAIRS_AT) : 1;
    if (group && (n == 0 || n > LCS_PAIRS_MAX || r->len < LCS_PAIR_AT + n * LCS_PAIR_BYTES)) {
        send_reply(e, r, LCS_RC_UNSUPPORTED);
        return;
    }
    struct lcs_pending *p = e->card == CARD_UP ? pending_new(e, r, n) : NULL;
    if (!p) {
        send_reply(e, r, LCS_RC_LAN_OFFLINE);
        return;
    }
    for (u32 i = 0; i < n; i++) {
        const u8 *pair = r->bytes + LCS_PAIR_AT + i * LCS_PAIR_BYTES;
        struct osa_request req = {.op = op};
        if (group) req = (struct osa_request){.op = op, .addr = be32_get(pair), .mac = pair + 4};
        if (send_request(e, &req, p->tag)) continue;
        p->left -= n - i;
        p->rc = LCS_RC_LAN_OFFLINE;
        break;
    }
    if (p->left) return;
    p->tag = 0;
    send_reply(e, r, p->rc);
}

static void start_lan(struct lcs_engine *e, const struct lcs_reply *r) {
    u8 type = r->bytes[LCS_LAN_TYPE_AT], port = r->bytes[LCS_RELATIVE_PORT_AT];
    if (e->state == LCS_S_DOWN || type != LCS_TYPE_ETHERNET || port != e->params.port) {
        lcs_log(e, ENGINE_INFO, "STARTLAN refused: %s",
                e->state == LCS_S_DOWN      ? "no STARTUP before"
                : type != LCS_TYPE_ETHERNET ? "not Ethernet"
                                            : "no such port");
        send_reply(e, r, LCS_RC_UNSUPPORTED);
        return;
    }
    ask_port(e, r, OSA_OP_STARTLAN);
}

static void lan_status(struct lcs_engine *e, struct lcs_reply *r) {
    memset(r->bytes + LCS_PAIRS_AT, 0, LCS_LANSTAT_BYTES - LCS_PAIRS_AT);
    r->len = LCS_LANSTAT_BYTES;
    memcpy(r->bytes + LCS_MAC_AT, e->mac, 6);
    const u64 counters[9] = {e->count.out_frames,
                             e->count.in_frames,
                             e->count.out_frames,
                             0,
                             e->count.out_no_lan,
                             e->count.in_frames,
                             0,
                             e->count.in_not_active,
                             e->count.in_too_big};
    for (u32 i = 0; i < ARRAY_LEN(counters); i++)
        be32_put(r->bytes + LCS_COUNTERS_AT + 4 * i, (u32)counters[i]);
    send_reply(e, r, e->frame_max ? LCS_RC_OK : LCS_RC_LAN_OFFLINE);
}

static void ip_assists(struct lcs_engine *e, struct lcs_reply *r) {
    be16_put(r->bytes + LCS_SUPPORTED_AT, LCS_ASS_MULTICAST);
    be16_put(r->bytes + LCS_ENABLED_AT, LCS_ASS_MULTICAST);
    send_reply(e, r, LCS_RC_OK);
}

/* One control frame, header included. */
static void command(struct lcs_engine *e, const u8 *frame, u32 len) {
    struct lcs_reply r = {0};
    e->count.commands++;
    if (len < LCS_RC_AT + 2) {
        if (drop(&e->count.out_bad_frame)) lcs_log(e, ENGINE_WARNING, "command of %u bytes", len);
        return;
    }
    r.len = u32_max(u32_min(len, LCS_MULTICAST_BYTES), LCS_CTL_BYTES);
    memcpy(r.bytes, frame, u32_min(len, LCS_MULTICAST_BYTES));
    switch (r.bytes[LCS_COMMAND_AT]) {
    case LCS_STARTUP:
        start_over(e);
        e->state = LCS_S_STARTED;
        e->read_max = be16_get(r.bytes + LCS_BUFFER_SIZE_AT);
        if (e->read_max < LCS_MULTICAST_BYTES + TERMINATOR) e->read_max = LCS_BLOCK_BYTES;
        send_reply(e, &r, LCS_RC_OK);
        return;
    case LCS_SHUTDOWN:
        start_over(e);
        send_reply(e, &r, LCS_RC_OK);
        return;
    case LCS_STARTLAN: start_lan(e, &r); return;
    case LCS_STOPLAN:
        if (e->state == LCS_S_LAN) e->state = LCS_S_STARTED;
        ask_port(e, &r, OSA_OP_STOPLAN);
        return;
    case LCS_LANSTAT: lan_status(e, &r); return;
    case LCS_QIPASSIST: ip_assists(e, &r); return;
    case LCS_SETIPM: ask_port(e, &r, OSA_OP_SETIPM); return;
    case LCS_DELIPM: ask_port(e, &r, OSA_OP_DELIPM); return;
    default:
        lcs_log(e, ENGINE_INFO, "command %02X does not exist", r.bytes[LCS_COMMAND_AT]);
        send_reply(e, &r, LCS_RC_UNSUPPORTED);
        return;
    }
}

/* ---- WRITE ---- */

/* False: the ring to the card is full. */
static bool send_frame(struct lcs_engine *e, const u8 *data, u32 len) {
    if (len < ETH_HDR) {
        if (drop(&e->count.out_bad_frame)) lcs_log(e, ENGINE_WARNING, "frame of %u bytes", len);
        return true;
    }
    if (e->state != LCS_S_LAN || e->card != CARD_UP || !e->lan_up) {
        e->count.out_no_lan++;
        return true;
    }
    static const u8 all[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    u8 *msg = reserve(e, OSA_FRAME_DATA + len);
    if (!msg) return false;
    u8 cast = !(data[0] & 1) ? OSA_CAST_UNI : memcmp(data, all, 6) == 0 ? OSA_CAST_BROAD : OSA_CAST_MULTI;
    osa_msg_frame(msg, OSA_FORM_ETHER, cast, len);
    memcpy(msg + OSA_FRAME_DATA, data, len);
    commit(e, OSA_FRAME_DATA + len);
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
            if (drop(&e->count.out_bad_block))
                lcs_log(e, ENGINE_WARNING, "block: frame at %u ends at %u, block at %u", e->written, next,
                        c->count);
            break;
        }
        if (at[LCS_TYPE_AT] == LCS_TYPE_CONTROL) {
            if (e->card == CARD_WAIT) return false;
            command(e, at, len);
        } else if (at[LCS_TYPE_AT] == LCS_TYPE_ETHERNET) {
            if (!send_frame(e, at + LCS_HDR_BYTES, len - LCS_HDR_BYTES)) return false;
        } else if (drop(&e->count.out_bad_frame)) {
            lcs_log(e, ENGINE_WARNING, "frame of unknown type %02X", at[LCS_TYPE_AT]);
        }
        e->written = next;
    }
    return true;
}

static void write_resume(struct lcs_engine *e) {
    struct engine_ccw *c = e->waiting[UNIT_WRITE];
    if (!c || !take_block(e, c)) return;
    done(c, c->count);
    complete(e, UNIT_WRITE);
}

/* ---- the card's messages ---- */

static void card_lost(struct lcs_engine *e, enum lcs_card state) {
    e->card = state;
    e->lan_up = e->attach_due = e->detach_due = false;
    e->replay = 0;
    for (u32 i = 0; i < PENDING_MAX; i++) {
        struct lcs_pending *p = &e->pending[i];
        if (!p->tag) continue;
        p->tag = 0;
        send_reply(e, &p->reply, LCS_RC_LAN_OFFLINE);
    }
    lan_event(e, false);
}

static void attached(struct lcs_engine *e, const u8 *msg) {
    if (e->card != CARD_WAIT || e->attach_due) return;
    if (be32_get(msg + 8)) {
        lcs_log(e, ENGINE_ERROR, "the card refuses the attachment, return code %04X", be32_get(msg + 8));
        card_lost(e, CARD_FENCED);
        return;
    }
    e->card = CARD_UP;
    memcpy(e->mac, msg + 12, 6);
    e->frame_max = u32_max(be32_get(msg + 20), 576);
    e->lan_up = msg[28] != 0;
    e->replay = 1;
}

static void keep_group(struct lcs_engine *e, const u8 *pair, bool add) {
    struct lcs_group *room = NULL;
    for (u32 i = 0; i < GROUPS_MAX; i++) {
        struct lcs_group *g = &e->group[i];
        if (g->used && g->addr == be32_get(pair)) {
            g->used = add;
            return;
        }
        if (!g->used && !room) room = g;
    }
    if (!add) return;
    if (!room) {
        if (drop(&e->count.groups_full))
            lcs_log(e, ENGINE_WARNING, "a restarted card will not know all groups");
        return;
    }
    *room = (struct lcs_group){.used = true, .addr = be32_get(pair)};
    memcpy(room->mac, pair + 4, 6);
}

/* The port did it: the state follows. */
static void remember(struct lcs_engine *e, const struct lcs_reply *r) {
    u8 code = r->bytes[LCS_COMMAND_AT];
    if (code == LCS_STARTLAN && e->state == LCS_S_STARTED) e->state = LCS_S_LAN;
    if (code == LCS_STARTLAN) e->lan_told = e->lan_up;
    if (code != LCS_SETIPM && code != LCS_DELIPM) return;
    u32 n = be16_get(r->bytes + LCS_PAIRS_AT);
    for (u32 i = 0; i < n; i++)
        keep_group(e, r->bytes + LCS_PAIR_AT + i * LCS_PAIR_BYTES, code == LCS_SETIPM);
}

static void answer(struct lcs_engine *e, const u8 *msg) {
    u16 tag = be16_get(msg + 2);
    u32 rc = be32_get(msg + 12);
    if (tag == REPLAY_TAG) {
        if (rc) lcs_log(e, ENGINE_WARNING, "the card refuses to register again, return code %04X", rc);
        if (msg[8] == OSA_OP_STARTLAN && !rc && e->lan_up) lan_event(e, true);
        return;
    }
    for (u32 i = 0; i < PENDING_MAX; i++) {
        struct lcs_pending *p = &e->pending[i];
        if (!tag || p->tag != tag) continue;
        if (rc) p->rc = rc;
        if (--p->left) return;
        p->tag = 0;
        if (p->reply.bytes[LCS_COMMAND_AT] == LCS_STARTLAN && !p->rc && !e->lan_up)
            p->rc = LCS_RC_LAN_OFFLINE;
        if (!p->rc) remember(e, &p->reply);
        send_reply(e, &p->reply, p->rc);
        return;
    }
    e->count.msg_stale++;
}

static void event(struct lcs_engine *e, u8 what) {
    if (what == OSA_EVENT_LAN_UP || what == OSA_EVENT_LAN_DOWN) {
        e->lan_up = what == OSA_EVENT_LAN_UP;
        lan_event(e, e->lan_up);
    } else if (what == OSA_EVENT_FENCED) {
        lcs_log(e, ENGINE_ERROR, "this system has been isolated from the card");
        card_lost(e, CARD_FENCED);
    }
}

/* False: there is no READ for it, or the READ is full. */
static bool take_frame(struct lcs_engine *e, const u8 *msg, u32 len) {
    struct engine_ccw *c = e->waiting[UNIT_READ];
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
            if (drop(&e->count.in_too_big))
                lcs_log(e, ENGINE_WARNING, "a frame of %u bytes fits no block", bytes);
            return true;
        }
        read_ready(e);
        return false;
    }
    append(e, c, LCS_TYPE_ETHERNET, msg + OSA_FRAME_DATA, bytes);
    e->count.in_frames++;
    return true;
}

/* ---- engine.h ---- */

static bool lcs_rx(struct engine *base, const u8 *msg, u32 len) {
    struct lcs_engine *e = lcs_of(base);
    bool whole = osa_msg_check(msg, len);
    if (whole && msg[0] == OSA_MSG_FRAME && len >= OSA_FRAME_DATA) return take_frame(e, msg, len);
    if (whole && msg[0] == OSA_MSG_ATTACHED && len >= OSA_MSG_ATTACHED_BYTES)
        attached(e, msg);
    else if (whole && msg[0] == OSA_MSG_ANSWER && len >= OSA_MSG_ANSWER_BYTES)
        answer(e, msg);
    else if (whole && msg[0] == OSA_MSG_EVENT && len >= OSA_MSG_EVENT_BYTES)
        event(e, msg[8]);
    else if (drop(&e->count.msg_malformed))
        lcs_log(e, ENGINE_WARNING, "malformed message of %u bytes from the card", len);
    return true;
}

static void lcs_rx_end(struct engine *base) {
    struct lcs_engine *e = lcs_of(base);
    pump(e);
    write_resume(e);
    read_ready(e);
    flush(e);
}

static void lcs_link_state(struct engine *base, bool up) {
    struct lcs_engine *e = lcs_of(base);
    if (up == e->link_up) return;
    e->link_up = up;
    if (up) {
        e->card = CARD_WAIT;
        e->attach_due = true;
    } else {
        lcs_log(e, ENGINE_WARNING, "connection to the card lost");
        card_lost(e, CARD_DOWN);
    }
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
    if (c->count < LCS_CTL_BYTES + TERMINATOR) return reject(e, UNIT_READ, c);
    e->filled = 0;
    if (give_replies(e, c)) {
        end_block(e, c);
        return ENGINE_DONE;
    }
    e->waiting[UNIT_READ] = c;
    return ENGINE_WAIT;
}

static enum engine_rc do_write(struct lcs_engine *e, struct engine_ccw *c) {
    if (e->base.host->trace)
        e->base.host->trace(e->base.host->ctx, UNIT_WRITE, "write", c->buf, u32_min(c->count, 256));
    e->written = 0;
    bool whole = take_block(e, c);
    flush(e);
    if (whole) return done(c, c->count);
    e->count.out_stalled++;
    e->waiting[UNIT_WRITE] = c;
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
    case CCW_READ: return unit == UNIT_READ ? do_read(e, c) : reject(e, unit, c);
    case CCW_WRITE: return unit == UNIT_WRITE ? do_write(e, c) : reject(e, unit, c);
    default: return reject(e, unit, c);
    }
}

static void lcs_halt(struct engine *base, u32 unit) {
    struct lcs_engine *e = lcs_of(base);
    struct engine_ccw *c = e->waiting[unit];
    if (!c) return;
    if (unit == UNIT_READ && e->filled)
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
    start_over(e);
    flush(e);
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
