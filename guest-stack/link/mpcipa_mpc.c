/* mpcipa_mpc.c - the control connection of a QDIO device: IDX activation of both control subchannels, then
 * MPC frames. Layouts: wire/osa.h. Source of the order and of who echoes which token: Linux
 * drivers/s390/net/qeth.
 *
 *   step         we send                                              we keep from the answer
 *   IDX_READ     our read token, data device number                   the card's resource manager token
 *   IDX_WRITE    our write token, TH sequence                         -
 *   CM_ENABLE    to that token: our CM filter token                   CM filter token
 *   CM_SETUP     our CM connection token, their filter token          CM connection token
 *   ULP_ENABLE   protocol layer 3, our ULP filter token, port name    ULP filter token, largest IP packet
 *   ULP_SETUP    our ULP connection token, data device                ULP connection token
 *   DM_ACT       their ULP connection token                           -
 *   IPA          to their ULP connection token
 *
 * Each WRITE ends on the write subchannel; each answer comes through the READ that is outstanding on the read
 * subchannel from CM_ENABLE on. An answer may overtake the end of its write: it is held until then, so that
 * the next step finds the subchannel free.
 */
#include "base/ebcdic.h"
#include "base/str.h"
#include "link/mpcipa.h"

/* Tokens are ours to choose; they differ so that a mixed-up echo is seen in a trace. */
enum {
    TOKEN_READ = 0x00010103,
    TOKEN_WRITE = 0x00010108,
    TOKEN_CM_FILTER = 0x00010108,
    TOKEN_CM = 0x00010109,
    TOKEN_ULP_FILTER = 0x0001010A,
    TOKEN_ULP = 0x0001010B,
};
#define FIELD_MARK        4
#define TOKEN_MARK        5
#define PORT_NUMBER       0
#define UNIT_ADDRESS_MASK 0xFF

#define PORT_NAME_BYTES 8

/* ---- IDX ---- */

void mpcipa_idx_send(struct mpcipa *d, u64 now) {
    bool read = d->m.state == OSA_IDX_READ;
    u8 *p = d->write_buf;
    memset(p, 0, IDX_BYTES);
    p[2] = 0x80;
    if (!read) be32_put(p + 4, d->th_seq++);
    p[IDX_TYPE_AT] = read ? IDX_TYPE_READ : IDX_TYPE_WRITE;
    p[9] = p[10] = 1;
    p[IDX_PORT_AT] = IDX_PORT_NAME_FREE | PORT_NUMBER;
    be32_put(p + IDX_TOKEN_AT, read ? TOKEN_READ : TOKEN_WRITE);
    be16_put(p + IDX_LEVEL_AT, mpcipa_is_iqd(d) ? IDX_LEVEL_IQD : IDX_LEVEL_OSD);
    /* As OS/390 has it, the device's name is the port name that VTAM's TRLE gives the OSA. */
    ebcdic_pad(p + IDX_NAME_AT, PORT_NAME_BYTES, d->m.dev->name);
    u16 data = (u16)(d->m.dev->devnum + OSA_UNIT_DATA);
    be16_put(p + IDX_DATA_CUA_AT, data);
    be16_put(p + IDX_REAL_ADDR_AT, data & UNIT_ADDRESS_MASK);
    memset(d->read_buf, 0, IDX_BYTES);
    const struct chan_cmd program[2] = {
        {.op = CCW_WRITE, .flags = CCW_CC | CCW_SLI, .count = IDX_BYTES, .data = p},
        {.op = CCW_READ, .flags = CCW_SLI, .count = OSA_CTL_BYTES, .data = d->read_buf}};
    chandev_run(&d->m, read ? OSA_UNIT_READ : OSA_UNIT_WRITE, program, 2, now);
}

void mpcipa_idx_done(struct mpcipa *d, const struct chan_status *st, u64 now) {
    const u8 *p = d->read_buf;
    u32 len = OSA_CTL_BYTES - u32_min(st->residual, OSA_CTL_BYTES);
    if (st->index != 1 || len < IDX_MCL_AT) {
        mpcipa_event(d, OSA_EV_REFUSED, OSA_FAIL_BAD_REPLY, len, now);
        return;
    }
    if ((p[IDX_TYPE_AT] & 3) != IDX_POSITIVE) {
        mpcipa_event(d, OSA_EV_REFUSED, OSA_FAIL_REFUSED, p[IDX_CAUSE_AT], now);
        return;
    }
    if (be16_get(p + IDX_LEVEL_AT) != (mpcipa_is_iqd(d) ? IDX_LEVEL_IQD_REPLY : IDX_LEVEL_OSD_REPLY)) {
        mpcipa_event(d, OSA_EV_REFUSED, OSA_FAIL_BAD_REPLY, be16_get(p + IDX_LEVEL_AT), now);
        return;
    }
    if (d->m.state == OSA_IDX_READ) d->token_rm = be32_get(p + IDX_TOKEN_AT);
    mpcipa_event(d, OSA_EV_OK, OSA_FAIL_NONE, 0, now);
}

/* ---- sending ---- */

u8 *mpcipa_pdu(struct mpcipa *d) {
    return d->write_buf + MPC_PDU_AT;
}

void mpcipa_pdu_send(struct mpcipa *d, u8 type, u8 proto, u32 token, u32 len, u64 now) {
    const struct mpc_frame f = {.th_seq = d->th_seq++,
                                .seq = d->seq++,
                                .ack = d->ack,
                                .token = token,
                                .type = type,
                                .proto = proto,
                                .pdu_len = len};
    u32 total = mpc_emit(d->write_buf, &f);
    const struct chan_cmd cmd = {
        .op = CCW_WRITE, .flags = CCW_SLI, .count = (u16)total, .data = d->write_buf};
    chandev_run(&d->m, OSA_UNIT_WRITE, &cmd, 1, now);
}

/* A field of len bytes of which 2 length, mark and type are written; returns it and moves *at behind it. */
static u8 *field(u8 **at, u8 type, u16 len) {
    u8 *f = *at;
    memset(f, 0, len);
    be16_put(f, len);
    f[2] = FIELD_MARK;
    f[3] = type;
    *at += len;
    return f;
}

static void token_field(u8 **at, u8 type, u32 token) {
    u8 *f = field(at, type, 9);
    f[4] = TOKEN_MARK;
    be32_put(f + 5, token);
}

static void filter_field(u8 **at, u8 proto, u32 token) {
    u8 *f = field(at, MPC_F_FILTER, 11);
    f[4] = proto;
    f[5] = FIELD_MARK;
    f[6] = TOKEN_MARK;
    be32_put(f + 7, token);
}

static void enable_fields(struct mpcipa *d, u8 **at) {
    if (d->m.state == OSA_CM_ENABLE) {
        filter_field(at, MPC_PROTO_UNKNOWN, TOKEN_CM_FILTER);
        memset(field(at, MPC_F_USERDATA, 12) + 4, 0xFF, 8);
        return;
    }
    filter_field(at, MPC_PROTO_L3, TOKEN_ULP_FILTER);
    u8 *f = field(at, MPC_F_PORT, 20);
    f[5] = 0x20;
    be16_put(f + 8, 0xFFFF);
    f[10] = PORT_NUMBER;
    f[11] = PORT_NAME_BYTES;
    ebcdic_pad(f + 12, PORT_NAME_BYTES, d->m.dev->name);
}

static void setup_fields(struct mpcipa *d, u8 **at) {
    bool cm = d->m.state == OSA_CM_SETUP;
    token_field(at, MPC_F_CONNECTION, cm ? TOKEN_CM : TOKEN_ULP);
    token_field(at, MPC_F_PARTNER, cm ? d->token_cm_filter : d->token_ulp_filter);
    be16_put(field(at, MPC_F_FLAGS, 6) + 4, cm ? 0xC800 : 0x4000);
    if (cm) return;
    u8 *f = field(at, MPC_F_DEVICE, 8);
    u16 data = (u16)(d->m.dev->devnum + OSA_UNIT_DATA);
    be16_put(f + 4, data);
    be16_put(f + 6, data & UNIT_ADDRESS_MASK);
}

static u16 what_of(enum mpcipa_state s) {
    switch (s) {
    case OSA_CM_ENABLE:
    case OSA_ULP_ENABLE: return MPC_ENABLE;
    case OSA_CM_SETUP:
    case OSA_ULP_SETUP: return MPC_SETUP;
    default: return MPC_ACTIVE;
    }
}

/* The frame of the current state. The receiver's token is that of the layer below: resource manager for CM,
 * CM connection for ULP. */
void mpcipa_mpc_send(struct mpcipa *d, u64 now) {
    u8 *pdu = mpcipa_pdu(d), *at = pdu + MPC_PUK_BYTES;
    u16 what = what_of(d->m.state);
    bool cm = d->m.state == OSA_CM_ENABLE || d->m.state == OSA_CM_SETUP;
    switch (what) {
    case MPC_ENABLE: enable_fields(d, &at); break;
    case MPC_SETUP: setup_fields(d, &at); break;
    default: token_field(&at, MPC_F_CONNECTION, d->token_ulp); break;
    }
    u32 len = (u32)(at - pdu);
    memset(pdu, 0, MPC_PUK_BYTES);
    be16_put(pdu, MPC_PUK_BYTES);
    be16_put(pdu + 2, what);
    be16_put(pdu + 4, (u16)(len - MPC_PUK_BYTES));
    mpcipa_pdu_send(d, cm ? MPC_TYPE_CM : MPC_TYPE_ULP, MPC_PROTO_UNKNOWN, cm ? d->token_rm : d->token_cm,
                    len, now);
}

/* ---- receiving ---- */

void mpcipa_read_start(struct mpcipa *d, u64 now) {
    const struct chan_cmd cmd = {
        .op = CCW_READ, .flags = CCW_SLI, .count = OSA_CTL_BYTES, .data = d->read_buf};
    chandev_run(&d->m, OSA_UNIT_READ, &cmd, 1, now);
}

/* The token at offset at of a field, and false if the answer has no such field. */
static bool token_of(const struct mpc_frame *f, u8 type, u32 at, u32 *out) {
    u32 len;
    const u8 *p = mpc_field(f->pdu, f->pdu_len, type, at + 4, &len);
    if (p) *out = be32_get(p + at);
    return p != NULL;
}

/* The largest packet of a HiperSockets LAN, by its frame size: 16, 24, 40 or 64 KB. */
static u32 iqd_mtu(u16 frame) {
    return frame == 0xFFFF ? 57344 : frame == 0xA000 ? 32768 : frame == 0x6000 ? 16384 : frame == 0x4000 ? 8192 : 0;
}

/* What the step keeps from its answer; false if the answer lacks it. */
static bool answer_keep(struct mpcipa *d, const struct mpc_frame *f) {
    u32 len;
    const u8 *port;
    switch (d->m.state) {
    case OSA_CM_ENABLE: return token_of(f, MPC_F_FILTER, 7, &d->token_cm_filter);
    case OSA_CM_SETUP: return token_of(f, MPC_F_PARTNER_REPLY, 5, &d->token_cm);
    case OSA_ULP_SETUP: return token_of(f, MPC_F_PARTNER_REPLY, 5, &d->token_ulp);
    case OSA_ULP_ENABLE:
        port = mpc_field(f->pdu, f->pdu_len, MPC_F_PORT, 10, &len);
        if (!port || !token_of(f, MPC_F_FILTER, 7, &d->token_ulp_filter)) return false;
        d->mtu_bytes = be16_get(port + 8);
        if (mpcipa_is_iqd(d)) d->mtu_bytes = iqd_mtu(be16_get(port + 8));
        return d->mtu_bytes >= 576;
    case OSA_DM_ACT: return true;
    default: return false;
    }
}

static void mpc_answer(struct mpcipa *d, const struct mpc_frame *f, u64 now) {
    if (mpc_what(f->pdu, f->pdu_len) == 0) {
        d->count.replies_malformed++;
        return;
    }
    bool expected = (d->m.state >= OSA_CM_ENABLE && d->m.state <= OSA_ULP_SETUP) || d->m.state == OSA_DM_ACT;
    if (!expected) {
        d->count.replies_stray++;
        return;
    }
    bool good = answer_keep(d, f);
    mpcipa_answered(d, good ? OSA_EV_OK : OSA_EV_LOST, good ? OSA_FAIL_NONE : OSA_FAIL_BAD_REPLY, 0, now);
}

void mpcipa_answered(struct mpcipa *d, enum mpcipa_event ev, enum osa_fail why, u32 detail, u64 now) {
    if (!d->m.sub[OSA_UNIT_WRITE].running) {
        mpcipa_event(d, ev, why, detail, now);
        return;
    }
    d->held_event = (u8)ev;
    d->held_why = why;
    d->held_detail = detail;
}

void mpcipa_read_done(struct mpcipa *d, const struct chan_status *st, u64 now) {
    const u8 *p = d->read_buf;
    u32 len = OSA_CTL_BYTES - u32_min(st->residual, OSA_CTL_BYTES);
    struct mpc_frame f;
    if (len > IDX_TERMINATE_CAUSE_AT && (p[IDX_TERMINATE_AT] & IDX_TERMINATE) == IDX_TERMINATE && p[0] == 0 &&
        p[1] == 0) {
        mpcipa_event(d, OSA_EV_LOST, OSA_FAIL_TERMINATED, p[IDX_TERMINATE_CAUSE_AT], now);
        return;
    }
    if (mpc_parse(p, len, &f)) {
        d->count.replies_malformed++;
    } else {
        d->ack = f.seq;
        if (f.type == MPC_TYPE_IPA)
            mpcipa_ipa_input(d, f.pdu, f.pdu_len, now);
        else
            mpc_answer(d, &f, now);
    }
    /* What was just handled may have ended the device or begun the end. */
    bool running = d->m.state >= OSA_CM_ENABLE && d->m.state < OSA_HALT;
    if (running && !d->m.sub[OSA_UNIT_READ].running) mpcipa_read_start(d, now);
}
