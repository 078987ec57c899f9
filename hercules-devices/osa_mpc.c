/* osa_mpc.c - the dialogue on the read and write devices: IDX, connection manager, upper-layer protocol, and
 * the way replies take.
 *
 *   state         event         -> state           reply on the read device
 *   DOWN          IDX on both   -> IDX             IDX reply, each on its own device
 *   IDX           CM_ENABLE     -> CM_ENABLED      ENABLE with our filter token
 *   CM_ENABLED    CM_SETUP      -> CM_UP           CONFIRM with our connection token
 *   CM_UP         ULP_ENABLE    -> ULP_ENABLED     ENABLE with our filter token, MTU, link type
 *   ULP_ENABLED   ULP_SETUP     -> ULP_UP          CONFIRM with our connection token
 *   ULP_UP        ULP_ACTIVE    -> ACTIVE          the same frame
 *   ACTIVE        IPA           -> ACTIVE          osa_ipa.c
 *   and back: ULP_TAKEDOWN, ULP_DISABLE, CM_TAKEDOWN, CM_DISABLE each undo one step, answered in kind.
 *
 * Anything else, a wrong token or a malformed frame ends the session with IDX TERMINATE, which a driver
 * answers by starting over. A gap in sequence numbers is only counted. While ATTACH is unanswered a
 * ULP_ENABLE or IPA frame stays in its WRITE, so that what it is told about the port is true.
 */
#include "hercules-devices/osa_internal.h"

#include "base/str.h"

#define OSA_TOKEN_IDX        0xD7D3E7F1u /* "PLX1" in EBCDIC, and so on */
#define OSA_TOKEN_CM_FILTER  0xD7D3E7F2u
#define OSA_TOKEN_CM         0xD7D3E7F3u
#define OSA_TOKEN_ULP_FILTER 0xD7D3E7F4u
#define OSA_TOKEN_ULP        0xD7D3E7F5u
#define OSA_MICROCODE        0x00000390u
#define IDX_FIRST            0x00008000u
#define SENSE_COMMAND_REJECT 0x80

static const char *const state_names[MPC_STATES] = {"DOWN",        "IDX",    "CM_ENABLED", "CM_UP",
                                                    "ULP_ENABLED", "ULP_UP", "ACTIVE"};
static const char *const event_names[MPC_EVENTS] = {"CM_ENABLE",   "CM_SETUP",  "CM_TAKEDOWN", "CM_DISABLE",
                                                    "ULP_ENABLE",  "ULP_SETUP", "ULP_ACTIVE",  "ULP_TAKEDOWN",
                                                    "ULP_DISABLE", "IPA"};
/* 0 is MPC_S_DOWN, which no event leads to: it stands for "refused". */
static const u8 next_state[MPC_STATES][MPC_EVENTS] = {
    [MPC_S_IDX] = {[MPC_E_CM_ENABLE] = MPC_S_CM_ENABLED},
    [MPC_S_CM_ENABLED] = {[MPC_E_CM_SETUP] = MPC_S_CM_UP, [MPC_E_CM_DISABLE] = MPC_S_IDX},
    [MPC_S_CM_UP] = {[MPC_E_ULP_ENABLE] = MPC_S_ULP_ENABLED, [MPC_E_CM_TAKEDOWN] = MPC_S_CM_ENABLED},
    [MPC_S_ULP_ENABLED] = {[MPC_E_ULP_SETUP] = MPC_S_ULP_UP, [MPC_E_ULP_DISABLE] = MPC_S_CM_UP},
    [MPC_S_ULP_UP] = {[MPC_E_ULP_ACTIVE] = MPC_S_ACTIVE, [MPC_E_ULP_TAKEDOWN] = MPC_S_ULP_ENABLED},
    [MPC_S_ACTIVE] = {[MPC_E_IPA] = MPC_S_ACTIVE,
                      [MPC_E_ULP_ACTIVE] = MPC_S_ACTIVE,
                      [MPC_E_ULP_TAKEDOWN] = MPC_S_ULP_ENABLED},
};

const char *osa_mpc_state_name(u32 state) {
    return state < MPC_STATES ? state_names[state] : "?";
}
const char *osa_mpc_event_name(u32 event) {
    return event < MPC_EVENTS ? event_names[event] : "?";
}
u32 osa_mpc_next(u32 state, u32 event) {
    if (state >= MPC_STATES || event >= MPC_EVENTS || !next_state[state][event]) return MPC_REFUSED;
    return next_state[state][event];
}

/* ---- replies ---- */

u8 *osa_reply_room(struct osa_engine *e) {
    if (e->reply_count == OSA_REPLIES_MAX) {
        if (osa_count_drop(&e->count.reply_no_room))
            osa_log(e, ENGINE_WARNING, "nobody reads the read device: reply dropped");
        return NULL;
    }
    return e->reply[(e->reply_first + e->reply_count) % OSA_REPLIES_MAX].bytes;
}

/* Moves bytes of the first reply into a READ; the reply is gone when the READ that ends the transfer was
 * served. */
static void serve_read(struct osa_engine *e, struct engine_ccw *c) {
    struct osa_unit *u = &e->unit[OSA_UNIT_READ];
    struct osa_reply *r = &e->reply[e->reply_first];
    u32 left = r->len - u->read_at, n = u32_min(left, c->count);
    memcpy(c->buf, r->bytes + u->read_at, n);
    bool chained_on = (c->flags & CCW_CD) && left > n;
    c->more = left > n && !chained_on;
    u->read_at = chained_on ? u->read_at + n : 0;
    if (!chained_on) {
        e->reply_first = (e->reply_first + 1) % OSA_REPLIES_MAX;
        e->reply_count--;
    }
    osa_done(c, n);
}

void osa_reply_send(struct osa_engine *e, u32 len) {
    struct osa_unit *u = &e->unit[OSA_UNIT_READ];
    struct osa_reply *r = &e->reply[(e->reply_first + e->reply_count) % OSA_REPLIES_MAX];
    r->len = len;
    e->reply_count++;
    osa_trace(e, OSA_UNIT_READ, "reply", r->bytes, len);
    if (!u->waiting) return;
    serve_read(e, u->waiting);
    osa_complete(e, OSA_UNIT_READ);
}

enum engine_rc osa_mpc_read(struct osa_engine *e, u32 unit, struct engine_ccw *c) {
    if (unit == OSA_UNIT_WRITE) {
        if (!e->idx_due) return osa_unit_check(e, unit, c, SENSE_COMMAND_REJECT);
        u32 n = u32_min(c->count, IDX_BYTES);
        memcpy(c->buf, e->idx_reply, n);
        c->more = c->count < IDX_BYTES;
        e->idx_due = false;
        return osa_done(c, n);
    }
    if (!e->reply_count) {
        e->unit[unit].waiting = c;
        return ENGINE_WAIT;
    }
    serve_read(e, c);
    return ENGINE_DONE;
}

/* A frame of the connection manager or the upper-layer protocol: fields is what follows the 12 bytes of the
 * PDU's head. */
static void send_mpc(struct osa_engine *e, const struct mpc_frame *req, u16 what, const u8 *fields, u32 len) {
    u8 *out = osa_reply_room(e);
    if (!out || len > OSA_CTL_BYTES - MPC_PDU_AT - MPC_PUK_BYTES) return;
    bool cm = req->type == MPC_TYPE_CM;
    u8 *pdu = out + MPC_PDU_AT;
    struct mpc_frame f = {.th_seq = e->th_seq_out++,
                          .type = req->type,
                          .proto = req->proto,
                          .seq = cm ? 0 : e->cm_seq_out++,
                          .ack = cm ? 0 : req->seq,
                          .token = cm ? e->token_issuer : e->token_cm,
                          .pdu_len = MPC_PUK_BYTES + len};
    memset(pdu, 0, MPC_PUK_BYTES);
    be16_put(pdu, MPC_PUK_BYTES);
    be16_put(pdu + 2, what);
    be16_put(pdu + 4, (u16)len);
    memcpy(pdu + MPC_PUK_BYTES, fields, len);
    osa_reply_send(e, mpc_emit(out, &f));
}

void osa_ipa_send(struct osa_engine *e, const u8 *pdu, u32 len, u32 ack) {
    u8 *out = osa_reply_room(e);
    if (!out || len > OSA_CTL_BYTES - MPC_PDU_AT) return;
    struct mpc_frame f = {.th_seq = e->th_seq_out++,
                          .type = MPC_TYPE_IPA,
                          .proto = e->mode == OSA_MODE_QDIO_L2 ? MPC_PROTO_L2 : MPC_PROTO_L3,
                          .seq = e->ulp_seq_out++,
                          .ack = ack,
                          .token = e->token_ulp,
                          .pdu_len = len};
    memcpy(out + MPC_PDU_AT, pdu, len);
    osa_reply_send(e, mpc_emit(out, &f));
}

/* Ends the session: the driver is told once, and nothing but IDX is taken until it starts over. */
static void terminate(struct osa_engine *e, u8 cause, const char *why) {
    osa_log(e, ENGINE_WARNING, "IDX TERMINATE in state %s, cause %02X: %s", state_names[e->mpc], cause, why);
    u8 *out = osa_reply_room(e);
    if (out) {
        memset(out, 0, IDX_BYTES);
        out[IDX_TERMINATE_AT] = IDX_TERMINATE;
        out[IDX_TERMINATE_CAUSE_AT] = cause;
        osa_reply_send(e, IDX_BYTES);
    }
    e->mpc = MPC_S_DOWN;
    e->idx_up[0] = e->idx_up[1] = false;
}

void osa_session_reset(struct osa_engine *e) {
    e->mpc = MPC_S_DOWN;
    e->idx_up[0] = e->idx_up[1] = e->idx_due = false;
    e->reply_first = e->reply_count = 0;
    e->unit[OSA_UNIT_READ].read_at = 0;
    e->th_seq_in = e->th_seq_out = e->cm_seq_out = e->ulp_seq_out = 0;
    e->token_issuer = e->token_cm = e->token_ulp = 0;
    memset(e->pending, 0, sizeof e->pending);
}

/* ---- IDX ---- */

/* The level an adapter answers with: what a driver computes from its own and compares. */
static u16 peer_level(u16 level) {
    if ((level & 0xFF) == 8) return 0x0408;
    if ((level >> 8 & 3) == 1) return (u16)((level & 0xFF) + 0x0200);
    return level;
}

static enum engine_rc idx_activate(struct osa_engine *e, u32 unit, struct engine_ccw *c, const u8 *req) {
    bool right_unit =
        (req[IDX_TYPE_AT] & 0xFC) == ((unit == OSA_UNIT_READ ? IDX_TYPE_READ : IDX_TYPE_WRITE) & 0xFC);
    bool right_port = (req[IDX_PORT_AT] & 0x0F) == 0;
    /* A second IDX on a device is a driver that starts over, whatever state we are in. */
    if (e->idx_up[unit] || e->mpc != MPC_S_DOWN) osa_session_reset(e);
    if (unit == OSA_UNIT_READ) e->reply_first = e->reply_count = e->unit[unit].read_at = 0;
    u8 *out = unit == OSA_UNIT_READ ? osa_reply_room(e) : e->idx_reply;
    CHECK(out);
    memcpy(out, req, IDX_BYTES);
    bool ok = right_unit && right_port;
    out[IDX_TYPE_AT] = (u8)((out[IDX_TYPE_AT] & 0xFC) | (ok ? IDX_POSITIVE : IDX_NEGATIVE));
    if (!ok) out[IDX_CAUSE_AT] = right_unit ? IDX_CAUSE_PORT : IDX_CAUSE_PROTOCOL;
    out[IDX_PORT_AT] = 0x40 | IDX_PORT_NAME_FREE;
    be32_put(out + IDX_TOKEN_AT, OSA_TOKEN_IDX);
    be16_put(out + IDX_LEVEL_AT, peer_level(be16_get(req + IDX_LEVEL_AT)));
    be32_put(out + IDX_MCL_AT, OSA_MICROCODE);
    if (ok) {
        e->idx_up[unit] = true;
        e->token_issuer = be32_get(req + IDX_TOKEN_AT);
        if (e->idx_up[0] && e->idx_up[1]) e->mpc = MPC_S_IDX;
    } else {
        osa_log(e, ENGINE_WARNING, "IDX ACTIVATE refused: %s",
                right_unit ? "the card has port 0 only" : "read and write devices are exchanged");
    }
    if (unit == OSA_UNIT_READ)
        osa_reply_send(e, IDX_BYTES);
    else
        e->idx_due = true;
    return osa_done(c, c->count);
}

/* ---- MPC ---- */

static u32 event_of(const struct mpc_frame *f) {
    if (f->type == MPC_TYPE_IPA) return MPC_E_IPA;
    bool cm = f->type == MPC_TYPE_CM;
    if (!cm && f->type != MPC_TYPE_ULP) return MPC_EVENTS;
    switch (mpc_what(f->pdu, f->pdu_len)) {
    case MPC_ENABLE: return cm ? MPC_E_CM_ENABLE : MPC_E_ULP_ENABLE;
    case MPC_SETUP: return cm ? MPC_E_CM_SETUP : MPC_E_ULP_SETUP;
    case MPC_TAKEDOWN: return cm ? MPC_E_CM_TAKEDOWN : MPC_E_ULP_TAKEDOWN;
    case MPC_DISABLE: return cm ? MPC_E_CM_DISABLE : MPC_E_ULP_DISABLE;
    case MPC_ACTIVE: return cm ? MPC_EVENTS : MPC_E_ULP_ACTIVE;
    default: return MPC_EVENTS;
    }
}

static u32 token_expected(u32 event) {
    if (event == MPC_E_IPA) return OSA_TOKEN_ULP;
    return event <= MPC_E_CM_DISABLE ? OSA_TOKEN_IDX : OSA_TOKEN_CM;
}

/* What the port says in ULP_ENABLE: OSD the MTU, a HiperSockets LAN one of four frame sizes. */
static u16 mtu_word(const struct osa_engine *e) {
    u32 mtu = e->frame_max ? e->frame_max : e->params.mtu_bytes;
    if (e->params.chpid_type != OSA_CHPID_IQD) return (u16)u32_min(mtu, 65535);
    return mtu >= 57344 ? 0xFFFF : mtu >= 32768 ? 0xA000 : mtu >= 16384 ? 0x6000 : 0x4000;
}

static const char *reply_enable(struct osa_engine *e, const struct mpc_frame *f) {
    u32 len, port_len;
    const u8 *filter = mpc_field(f->pdu, f->pdu_len, MPC_F_FILTER, 11, &len);
    if (!filter) return "ENABLE without a filter token";
    u8 out[64] = {0};
    memcpy(out, filter, 11);
    be16_put(out, 11);
    if (f->type == MPC_TYPE_CM) {
        be32_put(out + 7, OSA_TOKEN_CM_FILTER);
        be16_put(out + 11, 12);
        out[13] = 4;
        out[14] = MPC_F_USERDATA;
        send_mpc(e, f, MPC_ENABLE, out, 23);
        return NULL;
    }
    const u8 *port = mpc_field(f->pdu, f->pdu_len, MPC_F_PORT, 12, &port_len);
    if (!port) return "ULP ENABLE without a port";
    be32_put(out + 7, OSA_TOKEN_ULP_FILTER);
    memcpy(out + 11, port, u32_min(port_len, MPC_PORT_FIELD_BYTES));
    be16_put(out + 11, MPC_PORT_FIELD_BYTES);
    be16_put(out + 11 + 8, mtu_word(e));
    out[11 + 20] = OSA_LINK_TYPE_GIGABIT;
    send_mpc(e, f, MPC_ENABLE, out, 11 + MPC_PORT_FIELD_BYTES);
    return NULL;
}

static const char *reply_setup(struct osa_engine *e, const struct mpc_frame *f) {
    u32 len;
    bool cm = f->type == MPC_TYPE_CM;
    const u8 *connection = mpc_field(f->pdu, f->pdu_len, MPC_F_CONNECTION, 9, &len);
    const u8 *partner = mpc_field(f->pdu, f->pdu_len, MPC_F_PARTNER, 9, &len);
    if (!connection || !partner) return "SETUP without its tokens";
    if (be32_get(partner + 5) != (cm ? OSA_TOKEN_CM_FILTER : OSA_TOKEN_ULP_FILTER))
        return "SETUP for a filter token that is not ours";
    if (cm)
        e->token_cm = be32_get(connection + 5);
    else
        e->token_ulp = be32_get(connection + 5);
    u8 out[40] = {0};
    memcpy(out, connection, 9);
    be16_put(out, 9);
    static const u8 partner_head[] = {0, 9, 4, MPC_F_PARTNER_REPLY, 5};
    memcpy(out + 9, partner_head, sizeof partner_head);
    be32_put(out + 14, cm ? OSA_TOKEN_CM : OSA_TOKEN_ULP);
    static const u8 flags[] = {0, 8, 4, MPC_F_FLAGS_REPLY, 0x40, 0, 0, 0};
    memcpy(out + 18, flags, sizeof flags);
    u32 n = 18 + sizeof flags;
    const u8 *device = mpc_field(f->pdu, f->pdu_len, MPC_F_DEVICE, 8, &len);
    if (device) {
        memcpy(out + n, device, 8);
        be16_put(out + n, 8);
        n += 8;
    }
    send_mpc(e, f, MPC_CONFIRM, out, n);
    return NULL;
}

static u8 ebcdic_upper(char c) {
    static const u8 rows[] = {0xC1, 0xD1, 0xE2};
    if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
    if (c >= '0' && c <= '9') return (u8)(0xF0 + (c - '0'));
    if (c >= 'A' && c <= 'I') return (u8)(rows[0] + (c - 'A'));
    if (c >= 'J' && c <= 'R') return (u8)(rows[1] + (c - 'J'));
    if (c >= 'S' && c <= 'Z') return (u8)(rows[2] + (c - 'S'));
    return c == '@' ? 0x7C : c == '#' ? 0x7B : c == '$' ? 0x5B : 0x40;
}

static bool port_name_fits(const struct osa_engine *e, const struct mpc_frame *f) {
    u32 len;
    const u8 *port = mpc_field(f->pdu, f->pdu_len, MPC_F_PORT, 20, &len);
    if (!e->params.port_name[0]) return true;
    if (!port) return false;
    bool ended = false;
    for (u32 i = 0; i < 8; i++) {
        ended = ended || !e->params.port_name[i];
        u8 want = ended ? 0x40 : ebcdic_upper(e->params.port_name[i]), have = port[12 + i];
        if (have != want && !(want == 0x40 && have == 0)) return false;
    }
    return true;
}

/* The driver says here whether it is a layer 2 or a layer 3 one. Returns the cause of a refusal or 0. */
static u8 ulp_mode(struct osa_engine *e, const struct mpc_frame *f) {
    u32 len;
    const u8 *filter = mpc_field(f->pdu, f->pdu_len, MPC_F_FILTER, 11, &len);
    if (!filter) return IDX_CAUSE_PROTOCOL;
    u8 mode = filter[4] == MPC_PROTO_L3 ? OSA_MODE_QDIO_L3 : filter[4] == MPC_PROTO_L2 ? OSA_MODE_QDIO_L2 : 0;
    if (!mode || (e->params.mode && e->params.mode != mode)) return IDX_CAUSE_TRANSPORT;
    if (!port_name_fits(e, f)) return IDX_CAUSE_PORT;
    if (mode != e->mode || e->port_used) osa_attach_again(e, mode);
    return 0;
}

static const char *step(struct osa_engine *e, u32 event, const struct mpc_frame *f, u8 *cause) {
    switch (event) {
    case MPC_E_CM_ENABLE: return reply_enable(e, f);
    case MPC_E_ULP_ENABLE:
        *cause = ulp_mode(e, f);
        if (*cause == IDX_CAUSE_TRANSPORT) return "the device is not configured for that layer";
        if (*cause == IDX_CAUSE_PORT) return "wrong port name";
        *cause = IDX_CAUSE_PROTOCOL;
        return reply_enable(e, f);
    case MPC_E_CM_SETUP:
    case MPC_E_ULP_SETUP: return reply_setup(e, f);
    case MPC_E_IPA: osa_ipa_command(e, f->pdu, f->pdu_len, f->seq); return NULL;
    default:
        send_mpc(e, f, mpc_what(f->pdu, f->pdu_len), f->pdu + MPC_PUK_BYTES, be16_get(f->pdu + 4));
        return NULL;
    }
}

static void take_frame(struct osa_engine *e, const u8 *frame, u32 len) {
    struct mpc_frame f;
    u8 cause = IDX_CAUSE_PROTOCOL;
    const char *why = mpc_parse(frame, len, &f);
    u32 event = why ? MPC_EVENTS : event_of(&f);
    if (!why && event == MPC_EVENTS) why = "a frame of unknown kind";
    if (why) {
        e->count.mpc_malformed++;
        terminate(e, cause, why);
        return;
    }
    if (f.th_seq != e->th_seq_in && e->mpc > MPC_S_IDX) e->count.mpc_sequence++;
    e->th_seq_in = f.th_seq + 1;
    u32 next = osa_mpc_next(e->mpc, event);
    if (next == MPC_REFUSED || f.token != token_expected(event)) {
        e->count.mpc_out_of_order++;
        terminate(e, cause, next == MPC_REFUSED ? event_names[event] : "a token that is not ours");
        return;
    }
    enum osa_mpc_state before = e->mpc;
    e->mpc = (enum osa_mpc_state)next;
    why = step(e, event, &f, &cause);
    if (!why) return;
    e->mpc = before;
    e->count.mpc_malformed++;
    terminate(e, cause, why);
}

/* Only what asks about the port waits for it. */
static bool must_wait(const struct osa_engine *e, const u8 *frame, u32 len) {
    struct mpc_frame f;
    if (e->card != OSA_CARD_WAIT || mpc_parse(frame, len, &f)) return false;
    u32 event = event_of(&f);
    return event == MPC_E_IPA || event == MPC_E_ULP_ENABLE;
}

enum engine_rc osa_mpc_write(struct osa_engine *e, u32 unit, struct engine_ccw *c, const u8 *frame, u32 len) {
    struct osa_unit *u = &e->unit[unit];
    osa_trace(e, unit, "write", frame, len);
    len = u32_min(len, OSA_CTL_BYTES);
    if (len >= IDX_BYTES && be32_get(frame) == IDX_FIRST) return idx_activate(e, unit, c, frame);
    if (unit != OSA_UNIT_WRITE) {
        e->count.ccw_rejected++;
        return osa_unit_check(e, unit, c, SENSE_COMMAND_REJECT);
    }
    if (must_wait(e, frame, len)) {
        /* Kept whole: the frame may have come in pieces. */
        memmove(u->gather, frame, len);
        u->gathered = len;
        u->waiting = c;
        return ENGINE_WAIT;
    }
    take_frame(e, frame, len);
    return osa_done(c, c->count);
}

void osa_mpc_resume(struct osa_engine *e) {
    struct osa_unit *u = &e->unit[OSA_UNIT_WRITE];
    if (!u->waiting || e->card == OSA_CARD_WAIT) return;
    u32 len = u->gathered;
    u->gathered = 0;
    take_frame(e, u->gather, len);
    osa_done(u->waiting, u->waiting->count);
    osa_complete(e, OSA_UNIT_WRITE);
}
