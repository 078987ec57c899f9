/* osa.c - MPC control frames: check, parse, emit. Layout and words in wire/osa.h.
 *
 * A frame is taken apart only as far as its own lengths allow: the TH must fit, the RRH must lie where the TH
 * says, the PH where the RRH says, the PDU where the PH says, and each length field must agree with the
 * others. Both known shapes are accepted: the RRH of 36 bytes (drivers) and that of 28 (some adapters).
 */
#include "wire/osa.h"

#include "base/str.h"

#define TH_FIRST        0x00E00000u
#define TH_BLOCKS       0x1000
#define RRH_BYTES       36
#define RRH_SHORT_BYTES 28
#define PH_BYTES        8
#define TOKEN_MARK      5

static u32 be24_get(const u8 *p) {
    return (u32)p[0] << 16 | (u32)p[1] << 8 | p[2];
}
static void be24_put(u8 *p, u32 v) {
    p[0] = (u8)(v >> 16);
    p[1] = (u8)(v >> 8);
    p[2] = (u8)v;
}

const char *mpc_parse(const u8 *frame, u32 len, struct mpc_frame *out) {
    if (len < MPC_TH_BYTES) return "shorter than its transmission header";
    if (be32_get(frame) != TH_FIRST) return "not an MPC transmission header";
    u32 total = be32_get(frame + 12), rrh_at = be32_get(frame + 8);
    if (total > len) return "longer than the data that was sent";
    if (rrh_at < MPC_TH_BYTES || rrh_at > total || total - rrh_at < RRH_SHORT_BYTES)
        return "request header outside the frame";
    const u8 *rrh = frame + rrh_at;
    u32 rrh_bytes = be16_get(rrh + 16);
    if (rrh_bytes < RRH_SHORT_BYTES || total - rrh_at < rrh_bytes || total - rrh_at - rrh_bytes < PH_BYTES)
        return "protocol header outside the frame";
    if (be16_get(rrh + 6) != 1) return "not exactly one protocol header";
    const u8 *ph = rrh + rrh_bytes;
    u32 pdu_at = be32_get(ph + 4), pdu_len = be24_get(ph + 1);
    if (pdu_at > total || pdu_len > total - pdu_at) return "data unit outside the frame";
    if (pdu_at < rrh_at + rrh_bytes + PH_BYTES) return "data unit inside the headers";
    /* Of the request header's two lengths the longer field is not believed: Linux leaves 2C there in its DM_ACT. */
    if (be16_get(rrh + 18) != (u16)pdu_len) return "data unit lengths differ";
    *out = (struct mpc_frame){.th_seq = be32_get(frame + 4),
                              .seq = be32_get(rrh + 8),
                              .ack = be32_get(rrh + 12),
                              .token = be32_get(rrh + 24),
                              .type = rrh[4],
                              .proto = rrh[5],
                              .pdu = frame + pdu_at,
                              .pdu_len = pdu_len};
    return NULL;
}

u32 mpc_emit(u8 *frame, const struct mpc_frame *f) {
    u32 total = MPC_PDU_AT + f->pdu_len;
    memset(frame, 0, MPC_PDU_AT);
    be32_put(frame, TH_FIRST);
    be32_put(frame + 4, f->th_seq);
    be32_put(frame + 8, MPC_RRH_AT);
    be32_put(frame + 12, total);
    be16_put(frame + 16, TH_BLOCKS);
    be16_put(frame + 18, 1);
    u8 *rrh = frame + MPC_RRH_AT;
    rrh[4] = f->type;
    rrh[5] = f->proto;
    be16_put(rrh + 6, 1);
    be32_put(rrh + 8, f->seq);
    be32_put(rrh + 12, f->ack);
    be16_put(rrh + 16, RRH_BYTES);
    be16_put(rrh + 18, (u16)f->pdu_len);
    be24_put(rrh + 20, f->pdu_len);
    rrh[23] = TOKEN_MARK;
    be32_put(rrh + 24, f->token);
    u8 *ph = frame + MPC_PH_AT;
    ph[0] = 1;
    be24_put(ph + 1, f->pdu_len);
    be32_put(ph + 4, MPC_PDU_AT);
    return total;
}

u16 mpc_what(const u8 *pdu, u32 pdu_len) {
    if (pdu_len < MPC_PUK_BYTES || be16_get(pdu) != MPC_PUK_BYTES) return 0;
    if (be16_get(pdu + 4) > pdu_len - MPC_PUK_BYTES) return 0;
    return be16_get(pdu + 2);
}

const u8 *mpc_field(const u8 *pdu, u32 pdu_len, u8 type, u32 min, u32 *len) {
    if (!mpc_what(pdu, pdu_len)) return NULL;
    u32 at = MPC_PUK_BYTES, end = MPC_PUK_BYTES + be16_get(pdu + 4);
    while (end - at >= 4) {
        u32 n = be16_get(pdu + at);
        if (n < 4 || n > end - at) return NULL;
        if (pdu[at + 2] == 4 && pdu[at + 3] == type) {
            *len = n;
            return n >= min ? pdu + at : NULL;
        }
        at += n;
    }
    return NULL;
}
