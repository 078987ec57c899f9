/* test_osa_engine.c - the OSA's dialogue from sense-id to ULP_ACTIVE: in order, out of order, cut short,
 * chained, without a card. Frames are those of Linux's qeth, and replies are read as qeth reads them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hercules-devices/osa_internal.h"
#include "tests/unit/osadriver.h"

static void check_terminate(struct driver_test *d, u8 cause) {
    assert_int_equal(d->read[IDX_TERMINATE_AT] & 0xC0, 0xC0);
    assert_int_equal(d->read[IDX_TERMINATE_CAUSE_AT], cause);
}

static void sense_id_and_node_descriptors(void **state) {
    struct driver_test d;
    u8 b[256];
    UNUSED(state);
    drv_init(&d, 0, "");
    static const u8 id[] = {0xFF, 0x17, 0x31, 0x01, 0x17, 0x32, 0x01, 0x00, 0x40, 0xFA, 0x00, 0x80};
    assert_true(fake_ccw(&d.f, OSA_UNIT_READ, CCW_SENSE_ID, CCW_SLI, b, sizeof b));
    assert_memory_equal(b, id, sizeof id);
    assert_int_equal(fake_moved(&d.f, OSA_UNIT_READ), 28);
    static const u8 establish[] = {0x43, 0x1B, 0x10, 0x00, 0x44, 0x1F, 0x00, 0x00};
    assert_memory_equal(b + 20, establish, sizeof establish);
    /* qeth takes CHPID and addresses from here, and believes in z/VM if the plant says VM. */
    assert_true(fake_ccw(&d.f, OSA_UNIT_DATA, OSA_CCW_RCD, CCW_SLI, b, 128));
    assert_int_equal(fake_moved(&d.f, OSA_UNIT_DATA), 128);
    assert_int_equal(b[30], 0x76);
    assert_int_equal(b[31], 0x02);
    assert_int_equal(b[63], 0x00);
    assert_false(b[16] == 0xE5 && b[17] == 0xD4);
    assert_true(fake_ccw(&d.f, OSA_UNIT_READ, CCW_NOP, 0, b, 1));
    assert_int_equal(d.f.ccw[0].unit_status, US_CHANNEL_END | US_DEVICE_END);
    /* A short read of any of them is cut, with incorrect length told. */
    assert_true(fake_ccw(&d.f, OSA_UNIT_DATA, OSA_CCW_RCD, 0, b, 32));
    assert_true(d.f.ccw[OSA_UNIT_DATA].more);
    drv_free(&d);
}

static void unknown_commands_are_rejected(void **state) {
    struct driver_test d;
    u8 b[64] = {0};
    UNUSED(state);
    drv_init(&d, 0, "");
    for (u32 unit = 0; unit < OSA_UNITS; unit++) {
        for (u32 code = 0; code < 256; code++) {
            bool known =
                code == 0x03 || code == 0x04 || code == 0xE4 || code == 0xFA || code == 0x81 || code == 0x82;
            if (known || (unit == OSA_UNIT_READ && code == 0x02)) continue;
            assert_true(fake_ccw(&d.f, unit, (u8)code, CCW_SLI, b, sizeof b));
            if (unit == OSA_UNIT_WRITE && code == 0x01) continue; /* a bad frame is no bad command */
            assert_int_equal(d.f.ccw[unit].unit_status, US_CHANNEL_END | US_DEVICE_END | US_UNIT_CHECK);
            assert_int_equal(d.f.engine->ops->sense(d.f.engine, unit)->bytes[0], 0x80);
            assert_int_equal(d.f.ccw[unit].residual, sizeof b);
        }
    }
    /* SENSE gives the bytes once. */
    assert_true(fake_ccw(&d.f, OSA_UNIT_DATA, CCW_SENSE, CCW_SLI, b, 32));
    assert_int_equal(b[0], 0x80);
    assert_true(fake_ccw(&d.f, OSA_UNIT_DATA, CCW_SENSE, CCW_SLI, b, 32));
    assert_int_equal(b[0], 0);
    drv_free(&d);
}

static void whole_dialogue(void **state) {
    struct driver_test d;
    u8 frame[256];
    UNUSED(state);
    for (u32 layer = 2; layer <= 3; layer++) {
        drv_init(&d, 0, "");
        drv_card(&d);
        drv_activate_idx(&d);
        drv_control(&d, layer == 2 ? MPC_PROTO_L2 : MPC_PROTO_L3);
        drv_queues(&d, 4);
        assert_true(drv_exchange(&d, frame, drv_dm_act(&d, frame)));
        struct osa_engine *e = osa_of(d.f.engine);
        assert_int_equal(e->mpc, MPC_S_ACTIVE);
        assert_int_equal(e->mode, layer == 2 ? OSA_MODE_QDIO_L2 : OSA_MODE_QDIO_L3);
        assert_int_equal(e->count.mpc_malformed + e->count.mpc_out_of_order, 0);
        drv_free(&d);
    }
}

static void ulp_enable_tells_mtu_and_link_type(void **state) {
    struct driver_test d;
    u8 frame[256];
    UNUSED(state);
    for (u32 card = 0; card < 2; card++) {
        drv_init(&d, 0, "");
        if (card) drv_card(&d);
        drv_activate_idx(&d);
        assert_true(drv_exchange(&d, frame, drv_cm_enable(&d, frame)));
        d.token_cm_filter = be32_get(d.read + MPC_PDU_AT + 0x13);
        assert_true(drv_exchange(&d, frame, drv_cm_setup(&d, frame)));
        d.token_cm = be32_get(d.read + MPC_PDU_AT + 0x1A);
        assert_true(drv_exchange(&d, frame, drv_ulp_enable(&d, frame, MPC_PROTO_L3, "")));
        const u8 *pdu = d.read + MPC_PDU_AT;
        assert_int_equal(be16_get(pdu + 0x1F), card ? 8992 : 1500);
        assert_true(be16_get(pdu + 0x17) >= 0x18);
        assert_int_equal(pdu[0x2B], OSA_LINK_TYPE_GIGABIT);
        drv_free(&d);
    }
}

/* Every frame in every state: what the table refuses ends the session, what it takes does not. */
static void every_frame_in_every_state(void **state) {
    UNUSED(state);
    for (u32 stage = 0; stage < 7; stage++) {
        for (u32 event = 0; event < 6; event++) {
            struct driver_test d;
            u8 frame[256];
            u32 len = 0;
            drv_init(&d, 0, "");
            drv_card(&d);
            if (stage > 0) drv_activate_idx(&d);
            for (u32 s = 1; s < stage; s++) {
                switch (s) {
                case 1: len = drv_cm_enable(&d, frame); break;
                case 2: len = drv_cm_setup(&d, frame); break;
                case 3: len = drv_ulp_enable(&d, frame, MPC_PROTO_L3, ""); break;
                case 4: len = drv_ulp_setup(&d, frame); break;
                default: len = drv_dm_act(&d, frame); break;
                }
                assert_true(drv_exchange(&d, frame, len));
                u8 *pdu = d.read + MPC_PDU_AT;
                if (s == 1) d.token_cm_filter = be32_get(pdu + 0x13);
                if (s == 2) d.token_cm = be32_get(pdu + 0x1A);
                if (s == 3) d.token_ulp_filter = be32_get(pdu + 0x13);
                if (s == 4) d.token_ulp = be32_get(pdu + 0x1A);
            }
            struct osa_engine *e = osa_of(d.f.engine);
            u32 before = e->mpc;
            assert_int_equal(before, stage);
            static const u32 events[] = {MPC_E_CM_ENABLE, MPC_E_CM_SETUP,   MPC_E_ULP_ENABLE,
                                         MPC_E_ULP_SETUP, MPC_E_ULP_ACTIVE, MPC_E_IPA};
            switch (events[event]) {
            case MPC_E_CM_ENABLE: len = drv_cm_enable(&d, frame); break;
            case MPC_E_CM_SETUP: len = drv_cm_setup(&d, frame); break;
            case MPC_E_ULP_ENABLE: len = drv_ulp_enable(&d, frame, MPC_PROTO_L3, ""); break;
            case MPC_E_ULP_SETUP: len = drv_ulp_setup(&d, frame); break;
            case MPC_E_ULP_ACTIVE: len = drv_dm_act(&d, frame); break;
            default: len = drv_ipa_frame(&d, frame, IPA_QIPASSIST, IPA_PROTO_IPV4, NULL, 0); break;
            }
            assert_true(drv_exchange(&d, frame, len));
            u32 next = osa_mpc_next(before, events[event]);
            if (next == MPC_REFUSED)
                check_terminate(&d, IDX_CAUSE_PROTOCOL);
            else
                assert_int_not_equal(d.read[IDX_TERMINATE_AT] & 0xC0, 0xC0);
            assert_int_equal(e->mpc, next == MPC_REFUSED ? MPC_S_DOWN : next);
            drv_free(&d);
        }
    }
}

static void state_table_is_closed(void **state) {
    UNUSED(state);
    u32 taken = 0;
    for (u32 s = 0; s < MPC_STATES; s++) {
        assert_string_not_equal(osa_mpc_state_name(s), "?");
        for (u32 ev = 0; ev < MPC_EVENTS; ev++) {
            u32 next = osa_mpc_next(s, ev);
            assert_true(next <= MPC_STATES);
            if (s == MPC_S_DOWN) assert_int_equal(next, MPC_REFUSED);
            taken += next != MPC_REFUSED;
        }
    }
    assert_int_equal(taken, 12);
    assert_string_equal(osa_mpc_event_name(MPC_E_IPA), "IPA");
    assert_string_equal(osa_mpc_event_name(MPC_EVENTS), "?");
}

static void takedown_goes_back(void **state) {
    struct driver_test d;
    u8 frame[256];
    static const struct {
        u16 what;
        u8 type;
        u32 after;
    } steps[] = {{MPC_TAKEDOWN, MPC_TYPE_ULP, MPC_S_ULP_ENABLED},
                 {MPC_DISABLE, MPC_TYPE_ULP, MPC_S_CM_UP},
                 {MPC_TAKEDOWN, MPC_TYPE_CM, MPC_S_CM_ENABLED},
                 {MPC_DISABLE, MPC_TYPE_CM, MPC_S_IDX}};
    UNUSED(state);
    drv_init(&d, 0, "");
    drv_card(&d);
    drv_up(&d, MPC_PROTO_L3);
    for (u32 i = 0; i < ARRAY_LEN(steps); i++) {
        u32 len = drv_dm_act(&d, frame);
        frame[MPC_RRH_AT + 4] = steps[i].type;
        be16_put(frame + MPC_PDU_AT + 2, steps[i].what);
        if (steps[i].type == MPC_TYPE_CM) be32_put(frame + MPC_RRH_AT + 24, d.token_idx);
        assert_true(drv_exchange(&d, frame, len));
        assert_int_equal(osa_of(d.f.engine)->mpc, steps[i].after);
    }
    drv_free(&d);
}

/* A frame cut at any length, and with any one byte of its headers changed, never does harm. */
static void truncations_and_flips(void **state) {
    UNUSED(state);
    for (u32 cut = 0; cut < 0x63; cut++) {
        struct driver_test d;
        u8 frame[256];
        drv_init(&d, 0, "");
        drv_activate_idx(&d);
        u32 len = drv_cm_enable(&d, frame);
        assert_int_equal(len, 0x63);
        u8 *exact = malloc(cut ? cut : 1);
        memcpy(exact, frame, cut);
        assert_true(fake_ccw(&d.f, OSA_UNIT_WRITE, CCW_WRITE, CCW_SLI, exact, cut));
        struct osa_engine *e = osa_of(d.f.engine);
        assert_int_equal(e->mpc, MPC_S_DOWN);
        assert_int_equal(e->count.mpc_malformed, 1);
        free(exact);
        drv_free(&d);
    }
    for (u32 at = 0; at < 0x63; at++) {
        for (u32 v = 0; v < 256; v += 5) {
            struct driver_test d;
            u8 frame[256];
            drv_init(&d, 0, "");
            drv_activate_idx(&d);
            u32 len = drv_cm_enable(&d, frame);
            frame[at] ^= (u8)(v + 1);
            assert_true(drv_exchange(&d, frame, len));
            drv_free(&d);
        }
    }
}

static void idx_is_checked(void **state) {
    struct driver_test d;
    u8 frame[IDX_BYTES], reply[64];
    UNUSED(state);
    drv_init(&d, 0, "");
    /* A port that the card does not have. */
    drv_idx(frame, false, 1);
    assert_true(fake_ccw(&d.f, OSA_UNIT_READ, CCW_WRITE, CCW_CC, frame, sizeof frame));
    assert_true(fake_ccw_chained(&d.f, OSA_UNIT_READ, CCW_READ, CCW_SLI, CCW_CC, reply, sizeof reply));
    assert_int_equal(reply[IDX_TYPE_AT] & 3, 3);
    assert_int_equal(reply[IDX_CAUSE_AT], IDX_CAUSE_PORT);
    /* Read and write exchanged. */
    drv_idx(frame, true, 0);
    assert_true(fake_ccw(&d.f, OSA_UNIT_READ, CCW_WRITE, CCW_CC, frame, sizeof frame));
    assert_true(fake_ccw_chained(&d.f, OSA_UNIT_READ, CCW_READ, CCW_SLI, CCW_CC, reply, sizeof reply));
    assert_int_equal(reply[IDX_TYPE_AT] & 3, 3);
    assert_int_equal(osa_of(d.f.engine)->mpc, MPC_S_DOWN);
    /* A short one is no IDX. */
    drv_idx(frame, false, 0);
    assert_true(fake_ccw(&d.f, OSA_UNIT_READ, CCW_WRITE, CCW_CC, frame, IDX_BYTES - 1));
    assert_int_equal(d.f.ccw[0].unit_status & US_UNIT_CHECK, US_UNIT_CHECK);
    /* Nothing to read on the write device. */
    assert_true(fake_ccw(&d.f, OSA_UNIT_WRITE, CCW_READ, CCW_SLI, reply, sizeof reply));
    assert_int_equal(d.f.ccw[1].unit_status & US_UNIT_CHECK, US_UNIT_CHECK);
    drv_free(&d);
}

static void restart_of_the_dialogue(void **state) {
    struct driver_test d;
    UNUSED(state);
    drv_init(&d, 0, "");
    drv_card(&d);
    for (u32 i = 0; i < 5; i++) {
        drv_up(&d, i & 1 ? MPC_PROTO_L2 : MPC_PROTO_L3);
        if (d.f.waiting[OSA_UNIT_READ]) d.f.engine->ops->halt(d.f.engine, OSA_UNIT_READ);
        d.reading = false;
        d.f.engine->ops->halt(d.f.engine, OSA_UNIT_DATA);
        assert_false(d.f.waiting[OSA_UNIT_DATA]);
        fake_attached(&d.f, true, 15, 8992);
        fake_forget(&d.f);
        d.th_seq = d.pdu_seq = 0;
    }
    drv_free(&d);
}

static void wrong_tokens_end_the_session(void **state) {
    struct driver_test d;
    u8 frame[256];
    UNUSED(state);
    for (u32 which = 0; which < 3; which++) {
        drv_init(&d, 0, "");
        drv_activate_idx(&d);
        if (which == 0) d.token_idx ^= 1;
        assert_true(drv_exchange(&d, frame, drv_cm_enable(&d, frame)));
        if (which > 0) {
            d.token_cm_filter = be32_get(d.read + MPC_PDU_AT + 0x13) ^ (which == 1);
            assert_true(drv_exchange(&d, frame, drv_cm_setup(&d, frame)));
        }
        if (which > 1) {
            d.token_cm = be32_get(d.read + MPC_PDU_AT + 0x1A) ^ 1;
            assert_true(drv_exchange(&d, frame, drv_ulp_enable(&d, frame, MPC_PROTO_L3, "")));
        }
        check_terminate(&d, IDX_CAUSE_PROTOCOL);
        drv_free(&d);
    }
}

static void transport_mode_and_port_name(void **state) {
    struct driver_test d;
    u8 frame[256];
    static const struct {
        u8 mode, proto;
        const char *mine, *theirs;
        u8 cause; /* 0 = accepted */
    } rows[] = {
        {0, MPC_PROTO_L3, "", "ABC1", 0},
        {OSA_MODE_QDIO_L3, MPC_PROTO_L2, "", "", IDX_CAUSE_TRANSPORT},
        {OSA_MODE_QDIO_L2, MPC_PROTO_L3, "", "", IDX_CAUSE_TRANSPORT},
        {OSA_MODE_QDIO_L2, MPC_PROTO_L2, "", "", 0},
        {0, 0x0A, "", "", IDX_CAUSE_TRANSPORT},
        {0, MPC_PROTO_L3, "ABC1", "ABC1", 0},
        {0, MPC_PROTO_L3, "abc1", "ABC1", 0},
        {0, MPC_PROTO_L3, "ABC1", "ABC2", IDX_CAUSE_PORT},
        {0, MPC_PROTO_L3, "ABC1", "ABC12", IDX_CAUSE_PORT},
        {0, MPC_PROTO_L3, "ABC1", "", IDX_CAUSE_PORT},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        drv_init(&d, rows[i].mode, rows[i].mine);
        drv_activate_idx(&d);
        assert_true(drv_exchange(&d, frame, drv_cm_enable(&d, frame)));
        d.token_cm_filter = be32_get(d.read + MPC_PDU_AT + 0x13);
        assert_true(drv_exchange(&d, frame, drv_cm_setup(&d, frame)));
        d.token_cm = be32_get(d.read + MPC_PDU_AT + 0x1A);
        assert_true(drv_exchange(&d, frame, drv_ulp_enable(&d, frame, rows[i].proto, rows[i].theirs)));
        if (rows[i].cause)
            check_terminate(&d, rows[i].cause);
        else
            assert_int_equal(osa_of(d.f.engine)->mpc, MPC_S_ULP_ENABLED);
        drv_free(&d);
    }
}

static void data_chaining(void **state) {
    struct driver_test d;
    u8 frame[256], reply[256];
    UNUSED(state);
    drv_init(&d, 0, "");
    drv_activate_idx(&d);
    u32 len = drv_cm_enable(&d, frame);
    /* The frame in three CCWs, the reply in pieces of 40 bytes. */
    assert_true(fake_ccw(&d.f, OSA_UNIT_WRITE, CCW_WRITE, CCW_CD, frame, 20));
    assert_true(fake_ccw_chained(&d.f, OSA_UNIT_WRITE, CCW_WRITE, CCW_CD, CCW_CD, frame + 20, 1));
    assert_int_equal(osa_of(d.f.engine)->mpc, MPC_S_IDX);
    assert_true(fake_ccw_chained(&d.f, OSA_UNIT_WRITE, CCW_WRITE, 0, CCW_CD, frame + 21, len - 21));
    assert_int_equal(osa_of(d.f.engine)->mpc, MPC_S_CM_ENABLED);
    assert_true(fake_ccw(&d.f, OSA_UNIT_READ, CCW_READ, CCW_CD, reply, 40));
    assert_int_equal(fake_moved(&d.f, OSA_UNIT_READ), 40);
    assert_true(fake_ccw_chained(&d.f, OSA_UNIT_READ, CCW_READ, CCW_SLI, CCW_CD, reply + 40, 200));
    struct mpc_frame f;
    assert_null(mpc_parse(reply, 40 + fake_moved(&d.f, OSA_UNIT_READ), &f));
    /* More than a control frame can be. */
    for (u32 i = 0; i < 5; i++) {
        u8 big[1024] = {0};
        assert_true(
            fake_ccw_chained(&d.f, OSA_UNIT_WRITE, CCW_WRITE, CCW_CD, i ? CCW_CD : 0, big, sizeof big));
        assert_int_equal(d.f.ccw[1].unit_status & US_UNIT_CHECK, i < 4 ? 0 : US_UNIT_CHECK);
    }
    drv_free(&d);
}

static void read_outstanding_and_halt(void **state) {
    struct driver_test d;
    u8 frame[256];
    UNUSED(state);
    drv_init(&d, 0, "");
    drv_activate_idx(&d);
    assert_false(fake_ccw(&d.f, OSA_UNIT_READ, CCW_READ, CCW_SLI, d.read, sizeof d.read));
    /* The reply completes the READ that waits. */
    assert_true(fake_ccw(&d.f, OSA_UNIT_WRITE, CCW_WRITE, CCW_SLI, frame, drv_cm_enable(&d, frame)));
    assert_false(d.f.waiting[OSA_UNIT_READ]);
    assert_int_equal(d.f.completes[OSA_UNIT_READ], 1);
    assert_false(fake_ccw(&d.f, OSA_UNIT_READ, CCW_READ, CCW_SLI, d.read, sizeof d.read));
    d.f.engine->ops->halt(d.f.engine, OSA_UNIT_READ);
    assert_int_equal(d.f.completes[OSA_UNIT_READ], 2);
    assert_int_equal(fake_moved(&d.f, OSA_UNIT_READ), 0);
    /* Idle units are halted without effect; Hyperion does so at each reset. */
    for (u32 i = 0; i < OSA_UNITS; i++) d.f.engine->ops->halt(d.f.engine, i);
    assert_int_equal(d.f.completes[OSA_UNIT_READ], 2);
    drv_free(&d);
}

static void system_reset_forgets(void **state) {
    struct driver_test d;
    u32 len;
    UNUSED(state);
    drv_init(&d, 0, "");
    drv_card(&d);
    drv_up(&d, MPC_PROTO_L3);
    fake_ccw(&d.f, OSA_UNIT_READ, CCW_READ, CCW_SLI, d.read, sizeof d.read);
    d.f.engine->ops->reset(d.f.engine);
    for (u32 i = 0; i < OSA_UNITS; i++) assert_false(d.f.waiting[i]);
    /* The port is left and joined again, so that nothing of the old guest stays there. */
    const u8 *msg = fake_next(&d.f, &len);
    assert_non_null(msg);
    assert_int_equal(msg[0], OSA_MSG_DETACH);
    msg = fake_next(&d.f, &len);
    assert_non_null(msg);
    assert_int_equal(msg[0], OSA_MSG_ATTACH);
    assert_int_equal(d.f.engine->ops->siga_write(d.f.engine, OSA_UNIT_DATA, 0x80000000), 1);
    /* A second reset of an idle device does not bother the card. */
    d.f.engine->ops->reset(d.f.engine);
    assert_null(fake_next(&d.f, &len));
    drv_free(&d);
}

static void sequence_gaps_are_counted(void **state) {
    struct driver_test d;
    UNUSED(state);
    drv_init(&d, 0, "");
    drv_card(&d);
    drv_up(&d, MPC_PROTO_L3);
    struct osa_engine *e = osa_of(d.f.engine);
    assert_int_equal(e->count.mpc_sequence, 0);
    d.th_seq += 7;
    assert_int_equal(drv_ipa(&d, IPA_QIPASSIST, NULL, 0, 0), IPA_RC_OK);
    assert_int_equal(e->count.mpc_sequence, 1);
    assert_int_equal(drv_ipa(&d, IPA_QIPASSIST, NULL, 0, 0), IPA_RC_OK);
    assert_int_equal(e->count.mpc_sequence, 1);
    drv_free(&d);
}

/* HiperSockets: model 05, the peer's level, and one of four frame sizes in place of the MTU. */
static void hipersockets(void **state) {
    static const struct {
        u32 frame_max;
        u16 word;
    } rows[] = {{8992, 0x4000}, {16384, 0x6000}, {32768, 0xA000}, {57344, 0xFFFF}};
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct driver_test d;
        u8 frame[256], reply[64];
        drv_init(&d, 0, "");
        osa_of(d.f.engine)->params.chpid_type = OSA_CHPID_IQD;
        assert_true(fake_ccw(&d.f, OSA_UNIT_READ, CCW_SENSE_ID, CCW_SLI, reply, sizeof reply));
        assert_int_equal(reply[3], 5);
        assert_int_equal(reply[6], 5);
        drv_idx(frame, false, 0);
        be16_put(frame + IDX_LEVEL_AT, IDX_LEVEL_IQD);
        assert_true(fake_ccw(&d.f, OSA_UNIT_READ, CCW_WRITE, CCW_CC, frame, IDX_BYTES));
        assert_true(fake_ccw_chained(&d.f, OSA_UNIT_READ, CCW_READ, CCW_SLI, CCW_CC, reply, sizeof reply));
        assert_int_equal(be16_get(reply + IDX_LEVEL_AT), IDX_LEVEL_IQD_REPLY);
        fake_connect(&d.f, true);
        fake_attached(&d.f, true, 0, rows[i].frame_max);
        assert_non_null(strstr(d.f.last_log, "CHPID type")); /* the card says OSD */
        drv_activate_idx(&d);
        assert_true(drv_exchange(&d, frame, drv_cm_enable(&d, frame)));
        d.token_cm_filter = be32_get(d.read + MPC_PDU_AT + 0x13);
        assert_true(drv_exchange(&d, frame, drv_cm_setup(&d, frame)));
        d.token_cm = be32_get(d.read + MPC_PDU_AT + 0x1A);
        assert_true(drv_exchange(&d, frame, drv_ulp_enable(&d, frame, MPC_PROTO_L3, "")));
        assert_int_equal(be16_get(d.read + MPC_PDU_AT + 0x1F), rows[i].word);
        drv_free(&d);
    }
}

/* SET INTERFACE IDENTIFIER and READ NODE IDENTIFIER, as z/VM asks. */
static void node_identifier(void **state) {
    struct driver_test d;
    u8 b[64] = {0xB0};
    UNUSED(state);
    drv_init(&d, 0, "");
    assert_true(fake_ccw(&d.f, OSA_UNIT_READ, OSA_CCW_SII, CCW_CC | CCW_SLI, b, 4));
    assert_int_equal(d.f.ccw[0].unit_status, US_CHANNEL_END | US_DEVICE_END);
    assert_true(fake_ccw_chained(&d.f, OSA_UNIT_READ, OSA_CCW_RNI, CCW_SLI, CCW_CC, b, sizeof b));
    assert_int_equal(fake_moved(&d.f, OSA_UNIT_READ), 64);
    assert_int_equal(b[30], 0x76);
    drv_free(&d);
}

static void bad_parameters(void **state) {
    struct fake f;
    UNUSED(state);
    fake_init(&f);
    void *storage = malloc(osa_engine_bytes());
    struct osa_params good = {.lpar = "SYSA", .devnum = 0xE00, .chpid_type = OSA_CHPID_OSD}, p = good;
    assert_non_null(osa_engine_init(storage, &f.host, &good));
    p.lpar[0] = 0;
    assert_null(osa_engine_init(storage, &f.host, &p));
    p = good;
    p.mode = 9;
    assert_null(osa_engine_init(storage, &f.host, &p));
    p = good;
    p.chpid_type = OSA_CHPID_OSE;
    assert_null(osa_engine_init(storage, &f.host, &p));
    p = good;
    p.mtu_bytes = 100;
    assert_null(osa_engine_init(storage, &f.host, &p));
    assert_int_equal(f.logs, 4);
    free(storage);
    fake_free(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sense_id_and_node_descriptors),
        cmocka_unit_test(unknown_commands_are_rejected),
        cmocka_unit_test(whole_dialogue),
        cmocka_unit_test(ulp_enable_tells_mtu_and_link_type),
        cmocka_unit_test(every_frame_in_every_state),
        cmocka_unit_test(state_table_is_closed),
        cmocka_unit_test(takedown_goes_back),
        cmocka_unit_test(truncations_and_flips),
        cmocka_unit_test(idx_is_checked),
        cmocka_unit_test(restart_of_the_dialogue),
        cmocka_unit_test(wrong_tokens_end_the_session),
        cmocka_unit_test(transport_mode_and_port_name),
        cmocka_unit_test(data_chaining),
        cmocka_unit_test(read_outstanding_and_halt),
        cmocka_unit_test(system_reset_forgets),
        cmocka_unit_test(sequence_gaps_are_counted),
        cmocka_unit_test(hipersockets),
        cmocka_unit_test(node_identifier),
        cmocka_unit_test(bad_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
