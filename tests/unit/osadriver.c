/* osadriver.c - see osadriver.h. The frames are those of a trace of Linux's qeth, with the tokens of the
 * moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hercules-devices/osa_engine.h"
#include "tests/unit/osadriver.h"

#define MY_ISSUER     0x00010103u
#define MY_CM_FILTER  0x00010108u
#define MY_CM         0x0001010Au
#define MY_ULP_FILTER 0x0001010Bu
#define MY_ULP        0x0001010Du

void drv_init(struct driver_test *d, u8 mode, const char *port_name) {
    memset(d, 0, sizeof *d);
    fake_init(&d->f);
    struct osa_params p = {
        .lpar = "SYSA", .devnum = 0x0E00, .chpid = 0x76, .chpid_type = OSA_CHPID_OSD, .mode = mode};
    str_copy(p.port_name, sizeof p.port_name, port_name);
    d->engine_storage = malloc(osa_engine_bytes());
    d->f.engine = osa_engine_init(d->engine_storage, &d->f.host, &p);
    assert_non_null(d->f.engine);
}

void drv_free(struct driver_test *d) {
    free(d->engine_storage);
    fake_free(&d->f);
}

void drv_card(struct driver_test *d) {
    u32 len;
    fake_connect(&d->f, true);
    const u8 *msg = fake_next(&d->f, &len);
    assert_non_null(msg);
    assert_int_equal(msg[0], OSA_MSG_ATTACH);
    assert_int_equal(len, OSA_MSG_ATTACH_BYTES);
    assert_memory_equal(msg + 16, "SYSA    ", 8);
    assert_int_equal(be32_get(msg + 24), 0x0E00);
    fake_attached(&d->f, true, OSA_ASSIST_CSUM_IN | OSA_ASSIST_CSUM_OUT | OSA_ASSIST_TSO | OSA_ASSIST_MCAST,
                  8992);
}

u32 drv_idx(u8 *out, bool write_device, u8 port) {
    static const u8 frame[IDX_BYTES] = {
        0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x19, 0x01, 0x01, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0xc8, 0xc1, 0xd3, 0xd3, 0xd6, 0xd3, 0xc5, 0x40, 0x0e, 0x02, 0x00, 0x02};
    memcpy(out, frame, sizeof frame);
    if (write_device) out[IDX_TYPE_AT] = IDX_TYPE_WRITE;
    out[IDX_PORT_AT] = 0x80 | port;
    be32_put(out + IDX_TOKEN_AT, MY_ISSUER);
    be16_put(out + IDX_LEVEL_AT, IDX_LEVEL_OSD);
    return IDX_BYTES;
}

/* TH, RRH and PH before a PDU; then the sequence numbers go on. */
static u32 finish(struct driver_test *d, u8 *out, u8 type, u8 proto, u32 token, u32 pdu_len) {
    struct mpc_frame f = {.th_seq = d->th_seq++,
                          .type = type,
                          .proto = proto,
                          .seq = d->pdu_seq++,
                          .token = token,
                          .pdu_len = pdu_len};
    return mpc_emit(out, &f);
}

u32 drv_cm_enable(struct driver_test *d, u8 *out) {
    static const u8 pdu[] = {0x00, 0x0c, 0x41, 0x02, 0x00, 0x17, 0,    0,    0,    0,    0,   0,
                             0x00, 0x0b, 0x04, 0x01, 0x7e, 0x04, 0x05, 0,    0,    0,    0,   0x00,
                             0x0c, 0x04, 0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    memcpy(out + MPC_PDU_AT, pdu, sizeof pdu);
    be32_put(out + MPC_PDU_AT + 0x13, MY_CM_FILTER);
    return finish(d, out, MPC_TYPE_CM, MPC_PROTO_UNKNOWN, d->token_idx, sizeof pdu);
}

u32 drv_cm_setup(struct driver_test *d, u8 *out) {
    static const u8 pdu[] = {0x00, 0x0c, 0x41, 0x04, 0x00, 0x18, 0,    0,    0,    0,    0,    0,
                             0x00, 0x09, 0x04, 0x04, 0x05, 0,    0,    0,    0,    0x00, 0x09, 0x04,
                             0x05, 0x05, 0,    0,    0,    0,    0x00, 0x06, 0x04, 0x06, 0xc8, 0x00};
    memcpy(out + MPC_PDU_AT, pdu, sizeof pdu);
    be32_put(out + MPC_PDU_AT + 0x11, MY_CM);
    be32_put(out + MPC_PDU_AT + 0x1A, d->token_cm_filter);
    return finish(d, out, MPC_TYPE_CM, MPC_PROTO_UNKNOWN, d->token_idx, sizeof pdu);
}

u32 drv_ulp_enable(struct driver_test *d, u8 *out, u8 proto, const char *port_name) {
    static const u8 pdu[] = {0x00, 0x0c, 0x41, 0x02, 0x00, 0x1f, 0,    0,    0,    0,    0,
                             0,    0x00, 0x0b, 0x04, 0x01, 0x03, 0x04, 0x05, 0,    0,    0,
                             0,    0x00, 0x14, 0x04, 0x0a, 0x00, 0x20, 0x00, 0x00, 0xff, 0xff,
                             0x00, 0x08, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40};
    memcpy(out + MPC_PDU_AT, pdu, sizeof pdu);
    out[MPC_PDU_AT + 0x10] = proto;
    be32_put(out + MPC_PDU_AT + 0x13, MY_ULP_FILTER);
    for (u32 i = 0; port_name[i]; i++) {
        /* Digits and A to I are enough for these tests. */
        char c = port_name[i];
        out[MPC_PDU_AT + 0x23 + i] = (u8)(c <= '9' ? 0xF0 + c - '0' : 0xC1 + c - 'A');
    }
    return finish(d, out, MPC_TYPE_ULP, MPC_PROTO_UNKNOWN, d->token_cm, sizeof pdu);
}

u32 drv_ulp_setup(struct driver_test *d, u8 *out) {
    static const u8 pdu[] = {0x00, 0x0c, 0x41, 0x04, 0x00, 0x20, 0,    0,    0,    0,    0,
                             0,    0x00, 0x09, 0x04, 0x04, 0x05, 0,    0,    0,    0,    0x00,
                             0x09, 0x04, 0x05, 0x05, 0,    0,    0,    0,    0x00, 0x06, 0x04,
                             0x06, 0x40, 0x00, 0x00, 0x08, 0x04, 0x0b, 0x0e, 0x02, 0x00, 0x02};
    memcpy(out + MPC_PDU_AT, pdu, sizeof pdu);
    be32_put(out + MPC_PDU_AT + 0x11, MY_ULP);
    be32_put(out + MPC_PDU_AT + 0x1A, d->token_ulp_filter);
    return finish(d, out, MPC_TYPE_ULP, MPC_PROTO_UNKNOWN, d->token_cm, sizeof pdu);
}

u32 drv_dm_act(struct driver_test *d, u8 *out) {
    static const u8 pdu[] = {0x00, 0x0c, 0x43, 0x60, 0x00, 0x09, 0, 0, 0, 0, 0,
                             0,    0x00, 0x09, 0x04, 0x04, 0x05, 0, 0, 0, 0};
    memcpy(out + MPC_PDU_AT, pdu, sizeof pdu);
    be32_put(out + MPC_PDU_AT + 0x11, d->token_ulp);
    u32 len = finish(d, out, MPC_TYPE_ULP, MPC_PROTO_UNKNOWN, d->token_cm, sizeof pdu);
    out[MPC_RRH_AT + 22] = 0x2C; /* as Linux has it: left over from ULP SETUP */
    return len;
}

u32 drv_ipa_frame(struct driver_test *d, u8 *out, u8 command, u16 proto, const u8 *data, u32 len) {
    u8 *ipa = out + MPC_PDU_AT;
    memset(ipa, 0, IPA_HDR_BYTES);
    ipa[IPA_COMMAND_AT] = command;
    be16_put(ipa + IPA_SEQ_AT, ++d->ipa_seq);
    ipa[IPA_ADAPTER_TYPE_AT] = 1;
    ipa[IPA_VERSION_AT] = 1;
    ipa[IPA_PARAMS_AT] = 1;
    be16_put(ipa + IPA_PROTO_AT, proto);
    if (len) memcpy(ipa + IPA_DATA_AT, data, len);
    return finish(d, out, MPC_TYPE_IPA, MPC_PROTO_L3, d->token_ulp, IPA_HDR_BYTES + len);
}

/* Fetches a reply: by the READ that is outstanding, or by a new one, which then stays. */
static bool collect(struct driver_test *d) {
    if (!d->reading) {
        memset(d->read, 0, sizeof d->read);
        fake_ccw(&d->f, OSA_UNIT_READ, CCW_READ, CCW_SLI, d->read, sizeof d->read);
    }
    d->reading = d->f.waiting[OSA_UNIT_READ];
    if (!d->reading) d->read_len = fake_moved(&d->f, OSA_UNIT_READ);
    return !d->reading;
}

bool drv_exchange(struct driver_test *d, u8 *frame, u32 len) {
    assert_true(fake_ccw(&d->f, OSA_UNIT_WRITE, CCW_WRITE, CCW_SLI, frame, len));
    assert_int_equal(d->f.ccw[OSA_UNIT_WRITE].unit_status, US_CHANNEL_END | US_DEVICE_END);
    return collect(d);
}

u8 *drv_reply(struct driver_test *d) {
    struct mpc_frame f;
    const char *why = mpc_parse(d->read, d->read_len, &f);
    assert_null(why);
    assert_int_equal(f.type, MPC_TYPE_IPA);
    assert_int_equal(f.token, MY_ULP);
    return d->read + (f.pdu - d->read);
}

int drv_ipa(struct driver_test *d, u8 command, const u8 *data, u32 len, u32 port_rc) {
    u8 frame[OSA_CTL_BYTES];
    u32 n = drv_ipa_frame(d, frame, command, IPA_PROTO_IPV4, data, len), msg_len;
    if (!drv_exchange(d, frame, n)) {
        const u8 *msg = fake_next(&d->f, &msg_len);
        if (!msg) return -1;
        u8 copy[OSA_MSG_REQUEST_BYTES];
        assert_int_equal(msg[0], OSA_MSG_REQUEST);
        memcpy(copy, msg, sizeof copy);
        fake_answer(&d->f, copy, port_rc);
        if (!collect(d)) return -1;
    }
    u8 *ipa = drv_reply(d);
    assert_int_equal(ipa[IPA_COMMAND_AT], command);
    assert_int_equal(ipa[IPA_INITIATOR_AT], IPA_FROM_HOST);
    assert_int_equal(be16_get(ipa + IPA_SEQ_AT), d->ipa_seq);
    return be16_get(ipa + IPA_RC_AT);
}

void drv_activate_idx(struct driver_test *d) {
    for (u32 unit = 0; unit < 2; unit++) {
        u8 frame[IDX_BYTES], reply[OSA_CTL_BYTES];
        drv_idx(frame, unit == OSA_UNIT_WRITE, 0);
        assert_true(fake_ccw(&d->f, unit, CCW_WRITE, CCW_CC | CCW_SLI, frame, IDX_BYTES));
        assert_true(fake_ccw_chained(&d->f, unit, CCW_READ, CCW_SLI, CCW_CC, reply, sizeof reply));
        assert_int_equal(fake_moved(&d->f, unit), IDX_BYTES);
        /* What qeth looks at: no terminate, a positive reply, the peer's level. */
        assert_int_not_equal(reply[IDX_TERMINATE_AT] & 0xC0, 0xC0);
        assert_int_equal(reply[IDX_TYPE_AT] & 3, 2);
        assert_int_equal(be16_get(reply + IDX_LEVEL_AT), IDX_LEVEL_OSD_REPLY);
        d->token_idx = be32_get(reply + IDX_TOKEN_AT);
    }
}

/* Where qeth finds the data unit of a reply: by the low bytes of the lengths in TH, RRH and PH. */
static u8 *encapsulated(struct driver_test *d) {
    u8 *b = d->read;
    u32 rrh = b[0x0B], ph = rrh + b[rrh + 0x11];
    return b + b[ph + 7];
}

void drv_control(struct driver_test *d, u8 proto) {
    u8 frame[256];
    assert_true(drv_exchange(d, frame, drv_cm_enable(d, frame)));
    d->token_cm_filter = be32_get(encapsulated(d) + 0x13);
    assert_true(drv_exchange(d, frame, drv_cm_setup(d, frame)));
    d->token_cm = be32_get(encapsulated(d) + 0x1A);
    assert_true(drv_exchange(d, frame, drv_ulp_enable(d, frame, proto, "")));
    d->token_ulp_filter = be32_get(encapsulated(d) + 0x13);
    if (d->f.connected)
        fake_attached(&d->f, true, 15, 8992); /* for a change of layer; otherwise not looked at */
    assert_true(drv_exchange(d, frame, drv_ulp_setup(d, frame)));
    d->token_ulp = be32_get(encapsulated(d) + 0x1A);
}

u8 *drv_slsb(struct driver_test *d, u32 queue, u32 buffer) {
    return fake_at(&d->f, AT_SLSB + 256 * queue + buffer);
}
u8 *drv_sbale(struct driver_test *d, u32 queue, u32 buffer, u32 element) {
    return fake_at(&d->f, AT_SBAL + 0x8000 * queue + SBAL_BYTES * buffer + SBALE_BYTES * element);
}

void drv_element(struct driver_test *d, u32 queue, u32 buffer, u32 element, u64 addr, u32 len, u8 eflags) {
    u8 *entry = drv_sbale(d, queue, buffer, element);
    memset(entry, 0, SBALE_BYTES);
    entry[SBALE_EFLAGS_AT] = eflags;
    be32_put(entry + SBALE_LENGTH_AT, len);
    be64_put(entry + SBALE_ADDR_AT, addr);
}

void drv_queues_layout(struct driver_test *d, u32 out_queues) {
    u8 *qdr = fake_at(&d->f, AT_QDR);
    memset(qdr, 0, QDR_BYTES);
    qdr[QDR_IN_COUNT_AT] = 1;
    qdr[QDR_OUT_COUNT_AT] = (u8)out_queues;
    qdr[QDR_IN_WORDS_AT] = qdr[QDR_OUT_WORDS_AT] = QDR_DESC_WORDS;
    be64_put(qdr + QDR_QIB_AT, AT_QIB);
    for (u32 q = 0; q <= out_queues; q++) {
        u8 *desc = qdr + QDR_DESC_AT + q * QDR_DESC_BYTES;
        be64_put(desc + QDESC_SLIB_AT, AT_SLIB + SLIB_BYTES * q);
        be64_put(desc + QDESC_SL_AT, AT_SL + SL_BYTES * q);
        be64_put(desc + QDESC_SLSB_AT, AT_SLSB + 256 * q);
        for (u32 b = 0; b < QDIO_BUFFERS; b++) {
            be64_put(fake_at(&d->f, AT_SL + SL_BYTES * q + 8 * b), AT_SBAL + 0x8000 * q + SBAL_BYTES * b);
            *drv_slsb(d, q, b) = q        ? SLSB_P_OUTPUT_EMPTY
                                 : b < 64 ? SLSB_CU_INPUT_EMPTY
                                          : SLSB_P_INPUT_NOT_INIT;
        }
    }
    /* Input buffers of four elements of 1 KB. */
    for (u32 b = 0; b < 64; b++)
        for (u32 i = 0; i < 4; i++)
            drv_element(d, 0, b, i, AT_IN + b * 4096 + i * 1024, 1024, i == 3 ? SBAL_LAST_ENTRY : 0);
}

void drv_queues(struct driver_test *d, u32 out_queues) {
    drv_queues_layout(d, out_queues);
    assert_true(
        fake_ccw(&d->f, OSA_UNIT_DATA, OSA_CCW_ESTABLISH, CCW_SLI, fake_at(&d->f, AT_QDR), QDR_BYTES));
    assert_int_equal(d->f.ccw[OSA_UNIT_DATA].unit_status, US_CHANNEL_END | US_DEVICE_END);
    assert_true(fake_at(&d->f, AT_QIB)[QIB_AC_AT] & QIB_AC_OUT_PCI);
    u8 nothing[1];
    assert_false(fake_ccw(&d->f, OSA_UNIT_DATA, OSA_CCW_ACTIVATE, CCW_SLI, nothing, 0));
}

void drv_up(struct driver_test *d, u8 proto) {
    u8 frame[256];
    drv_activate_idx(d);
    drv_control(d, proto);
    drv_queues(d, 4);
    assert_true(drv_exchange(d, frame, drv_dm_act(d, frame)));
    fake_forget(&d->f);
    assert_int_equal(drv_ipa(d, IPA_STARTLAN, NULL, 0, OSA_RC_OK),
                     d->f.connected ? IPA_RC_OK : IPA_RC_LAN_OFFLINE);
}
