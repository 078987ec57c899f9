/* test_osa_ipa.c - IPA commands of layer 3 and layer 2: replies, requests to the port, return codes; the card
 * that goes and comes back.
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

#define HOME_A 0x0A010165u /* 10.1.1.101 */
#define VIPA   0x0A010201u
#define GROUP  0xE0000005u

static int setup3(void **state) {
    struct driver_test *d = malloc(sizeof *d);
    drv_init(d, 0, "");
    drv_card(d);
    drv_up(d, MPC_PROTO_L3);
    fake_forget(&d->f);
    *state = d;
    return 0;
}

static int setup2(void **state) {
    struct driver_test *d = malloc(sizeof *d);
    drv_init(d, 0, "");
    drv_card(d);
    drv_up(d, MPC_PROTO_L2);
    fake_forget(&d->f);
    *state = d;
    return 0;
}

static int teardown(void **state) {
    struct driver_test *d = *state;
    drv_free(d);
    free(d);
    return 0;
}

static void ip_data(u8 *out, u32 addr, u32 flags) {
    be32_put(out, addr);
    be32_put(out + 4, 0xFFFFFF00);
    be32_put(out + 8, flags);
}

static void group_data(u8 *out, u32 group) {
    memset(out, 0, 24);
    out[0] = 1;
    out[2] = 0x5E;
    out[5] = (u8)group;
    be32_put(out + 20, group);
}

static void assist_data(u8 *out, u32 assist, u16 command, u32 value) {
    memset(out, 0, 16);
    be32_put(out, assist);
    be16_put(out + 4, 12);
    be16_put(out + 6, command);
    be32_put(out + 12, value);
}

static void qipassist(void **state) {
    struct driver_test *d = *state;
    assert_int_equal(drv_ipa(d, IPA_QIPASSIST, NULL, 0, 0), IPA_RC_OK);
    u32 offered = be32_get(drv_reply(d) + IPA_SUPPORTED_AT);
    const u32 want = IPA_ASS_ARP | IPA_ASS_CSUM_IN | IPA_ASS_CSUM_OUT | IPA_ASS_MULTICAST |
                     IPA_ASS_ADAPTERPARMS | IPA_ASS_FILTERING | IPA_ASS_TSO;
    assert_int_equal(offered & want, want);
    assert_int_equal(offered & (IPA_ASS_IPV6 | IPA_ASS_PASSTHRU | IPA_ASS_FULL_VLAN), 0);
    u8 frame[128];
    assert_true(drv_exchange(d, frame, drv_ipa_frame(d, frame, IPA_QIPASSIST, IPA_PROTO_IPV6, NULL, 0)));
    assert_int_equal(be16_get(drv_reply(d) + IPA_RC_AT), IPA_RC_NOTSUPP);
}

static void setip_becomes_a_request(void **state) {
    struct driver_test *d = *state;
    u8 data[12], frame[128];
    u32 len;
    ip_data(data, HOME_A, IPA_IP_TAKEOVER);
    assert_false(
        drv_exchange(d, frame, drv_ipa_frame(d, frame, IPA_SETIP, IPA_PROTO_IPV4, data, sizeof data)));
    const u8 *msg = fake_next(&d->f, &len);
    assert_non_null(msg);
    assert_int_equal(msg[0], OSA_MSG_REQUEST);
    assert_int_equal(msg[8], OSA_OP_SETIP);
    assert_int_equal(msg[9], OSA_IP_TAKEOVER);
    assert_int_equal(be32_get(msg + 12), HOME_A);
    assert_int_equal(be32_get(msg + 16), 0xFFFFFF00);
    assert_int_not_equal(be16_get(msg + 2), 0);
    fake_answer(&d->f, msg, OSA_RC_OK);
    assert_false(d->f.waiting[OSA_UNIT_READ]);
    /* A second answer with that tag is nobody's. */
    fake_answer(&d->f, msg, OSA_RC_OK);
    assert_int_equal(osa_of(d->f.engine)->count.msg_stale, 1);
    ip_data(data, VIPA, IPA_IP_VIPA);
    d->reading = false;
    assert_int_equal(drv_ipa(d, IPA_SETIP, data, sizeof data, OSA_RC_OK), IPA_RC_OK);
}

static void return_codes_of_the_port(void **state) {
    struct driver_test *d = *state;
    static const struct {
        u8 command;
        u32 port;
        int ipa;
    } rows[] = {
        {IPA_SETIP, OSA_RC_DUPLICATE, 0xE005},
        {IPA_SETIP, OSA_RC_IN_USE, 0xE00A},
        {IPA_SETIP, OSA_RC_TABLE_FULL, 0xE006},
        {IPA_DELIP, OSA_RC_NOT_FOUND, 0xE010},
        {IPA_SETIPM, OSA_RC_DUPLICATE, 0xE013},
        {IPA_DELIPM, OSA_RC_NOT_FOUND, 0xE00B},
        {IPA_SETRTG, OSA_RC_PRIMARY_TAKEN, 0xE010},
        {IPA_STARTLAN, OSA_RC_LAN_OFFLINE, 0xE080},
        {IPA_STOPLAN, OSA_RC_OK, 0},
        {IPA_STARTLAN, OSA_RC_OK, 0},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        u8 data[24];
        ip_data(data, HOME_A, 0);
        if (rows[i].command == IPA_SETIPM || rows[i].command == IPA_DELIPM) group_data(data, GROUP);
        if (rows[i].command == IPA_SETRTG) data[0] = IPA_RTG_PRIMARY;
        assert_int_equal(drv_ipa(d, rows[i].command, data, sizeof data, rows[i].port), rows[i].ipa);
    }
}

static void addresses_are_checked(void **state) {
    struct driver_test *d = *state;
    u8 data[24], frame[128];
    static const u32 bad[] = {0, 0xFFFFFFFF, GROUP};
    for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
        ip_data(data, bad[i], 0);
        assert_int_equal(drv_ipa(d, IPA_SETIP, data, 12, 0), IPA_RC_FAILED);
    }
    group_data(data, HOME_A);
    assert_int_equal(drv_ipa(d, IPA_SETIPM, data, 24, 0), IPA_RC_FAILED);
    data[0] = 6;
    assert_int_equal(drv_ipa(d, IPA_SETRTG, data, 1, 0), IPA_RC_BAD_ROUTING);
    /* IPv6 forms of them. */
    static const u8 commands[] = {IPA_SETIP, IPA_DELIP, IPA_SETIPM, IPA_DELIPM, IPA_SETRTG};
    for (u32 i = 0; i < ARRAY_LEN(commands); i++) {
        assert_true(drv_exchange(d, frame, drv_ipa_frame(d, frame, commands[i], IPA_PROTO_IPV6, data, 24)));
        assert_int_equal(be16_get(drv_reply(d) + IPA_RC_AT), IPA_RC_WRONG_IP_VERSION);
    }
    u32 len;
    assert_null(fake_next(&d->f, &len));
}

/* Each command shorter than its data: refused as malformed, and never a request. */
static void every_command_too_short(void **state) {
    struct driver_test *d = *state;
    u8 frame[256], data[64] = {0};
    u32 msg_len;
    for (u32 command = 0; command < 256; command++) {
        for (u32 len = 0; len < 12; len++) {
            bool lan = command == IPA_STARTLAN || command == IPA_STOPLAN;
            if (lan || (command == IPA_SETRTG && len >= 1)) continue;
            assert_true(
                drv_exchange(d, frame, drv_ipa_frame(d, frame, (u8)command, IPA_PROTO_IPV4, data, len)));
            assert_int_equal(drv_reply(d)[IPA_COMMAND_AT], command);
            bool harmless = command == IPA_QIPASSIST || command == IPA_DESTROY_ADDR ||
                            (command == IPA_CREATE_ADDR && len >= 8);
            if (!harmless) assert_int_not_equal(be16_get(drv_reply(d) + IPA_RC_AT), 0);
        }
    }
    assert_null(fake_next(&d->f, &msg_len));
    /* Shorter than an IPA header: nothing to answer to. */
    u32 len = drv_ipa_frame(d, frame, IPA_QIPASSIST, IPA_PROTO_IPV4, NULL, 0);
    struct mpc_frame f;
    assert_null(mpc_parse(frame, len, &f));
    f.pdu_len = 19;
    mpc_emit(frame, &f);
    assert_false(drv_exchange(d, frame, len - 1));
}

static void unknown_commands_have_a_name(void **state) {
    struct driver_test *d = *state;
    static const u8 known[] = {IPA_SETVLAN,    IPA_VNICC,   IPA_SETBRIDGEPORT,
                               IPA_SETDIAGASS, IPA_SETVMAC, IPA_SETCCID};
    for (u32 i = 0; i < ARRAY_LEN(known); i++) {
        u32 logs = d->f.logs;
        assert_int_equal(drv_ipa(d, known[i], (const u8[32]){0}, 32, 0), IPA_RC_NOTSUPP);
        assert_int_equal(d->f.logs, logs + 1);
        assert_non_null(strstr(d->f.last_log, osa_ipa_name(known[i])));
    }
    assert_int_equal(drv_ipa(d, 0x77, NULL, 0, 0), IPA_RC_NOTSUPP);
}

static void checksum_offload(void **state) {
    struct driver_test *d = *state;
    u8 data[16];
    u32 len;
    static const u32 assists[] = {IPA_ASS_CSUM_OUT, IPA_ASS_CSUM_IN};
    for (u32 i = 0; i < 2; i++) {
        assist_data(data, assists[i], ASS_START, 0);
        assert_int_equal(drv_ipa(d, IPA_SETASSPARMS, data, sizeof data, 0), IPA_RC_OK);
        u32 can = be32_get(drv_reply(d) + ASS_DATA_AT);
        assert_int_equal(can & (CSUM_IP_HEADER | CSUM_TCP | CSUM_UDP), CSUM_IP_HEADER | CSUM_TCP | CSUM_UDP);
        assist_data(data, assists[i], ASS_ENABLE, CSUM_IP_HEADER | CSUM_TCP | CSUM_UDP | CSUM_LPAR_TO_LPAR);
        assert_int_equal(drv_ipa(d, IPA_SETASSPARMS, data, sizeof data, OSA_RC_OK), IPA_RC_OK);
        u8 *ipa = drv_reply(d);
        assert_int_equal(be16_get(ipa + ASS_RC_AT), 0);
        assert_int_equal(be32_get(ipa + ASS_DATA_AT + 4),
                         CSUM_IP_HEADER | CSUM_TCP | CSUM_UDP | CSUM_LPAR_TO_LPAR);
        assert_true(be32_get(ipa + IPA_ENABLED_AT) & assists[i]);
    }
    assert_int_equal(osa_of(d->f.engine)->assists, OSA_ASSIST_CSUM_IN | OSA_ASSIST_CSUM_OUT);
    assist_data(data, IPA_ASS_CSUM_IN, ASS_STOP, 0);
    assert_int_equal(drv_ipa(d, IPA_SETASSPARMS, data, sizeof data, OSA_RC_OK), IPA_RC_OK);
    assert_int_equal(osa_of(d->f.engine)->assists, OSA_ASSIST_CSUM_OUT);
    assert_null(fake_next(&d->f, &len));
    /* The port may refuse: then nothing is switched on. */
    assist_data(data, IPA_ASS_CSUM_IN, ASS_ENABLE, CSUM_TCP);
    assert_int_equal(drv_ipa(d, IPA_SETASSPARMS, data, sizeof data, OSA_RC_UNSUPPORTED), IPA_RC_NOTSUPP);
    assert_int_equal(osa_of(d->f.engine)->assists, OSA_ASSIST_CSUM_OUT);
}

static void segmentation_offload(void **state) {
    struct driver_test *d = *state;
    u8 data[24];
    assist_data(data, IPA_ASS_TSO, ASS_START, 0);
    assert_int_equal(drv_ipa(d, IPA_SETASSPARMS, data, 12, 0), IPA_RC_OK);
    assert_true(be32_get(drv_reply(d) + ASS_DATA_AT) >= 1460);
    assert_int_equal(be32_get(drv_reply(d) + ASS_DATA_AT + 4) & TSO_TCP, TSO_TCP);
    assist_data(data, IPA_ASS_TSO, ASS_ENABLE, 0);
    be32_put(data + 16, TSO_TCP);
    assert_int_equal(drv_ipa(d, IPA_SETASSPARMS, data, 20, OSA_RC_OK), IPA_RC_OK);
    assert_int_equal(be32_get(drv_reply(d) + ASS_DATA_AT) & TSO_TCP, TSO_TCP);
    assert_int_equal(be32_get(drv_reply(d) + ASS_DATA_AT + 4) & TSO_TCP, TSO_TCP);
    assert_true(osa_of(d->f.engine)->assists & OSA_ASSIST_TSO);
    assert_int_equal(drv_ipa(d, IPA_SETASSPARMS, data, 16, 0), IPA_RC_INVALID_FORMAT);
}

static void simple_assists(void **state) {
    struct driver_test *d = *state;
    u8 data[16];
    static const struct {
        u32 assist;
        u16 command;
        int rc;
    } rows[] = {
        {IPA_ASS_MULTICAST, ASS_START, 0},
        {IPA_ASS_FILTERING, ASS_START, 0},
        {IPA_ASS_FILTERING, ASS_CONFIGURE, 0},
        {IPA_ASS_FILTERING, ASS_ENABLE, 0},
        {IPA_ASS_ARP, ASS_START, 0},
        {IPA_ASS_ARP, ASS_ARP_SIZE, 0},
        {IPA_ASS_ARP, 0x104, IPA_RC_UNSUPPORTED_SUBCMD},
        {IPA_ASS_MULTICAST, 9, IPA_RC_UNSUPPORTED_SUBCMD},
        {IPA_ASS_PASSTHRU, ASS_START, IPA_RC_NOTSUPP},
        {IPA_ASS_IPV6, ASS_START, IPA_RC_NOTSUPP},
        {IPA_ASS_SOURCE_MAC, ASS_START, IPA_RC_NOTSUPP},
        {IPA_ASS_MULTICAST, ASS_STOP, 0},
        {IPA_ASS_ARP | IPA_ASS_CSUM_IN, ASS_START, IPA_RC_UNSUPPORTED_SUBCMD},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        assist_data(data, rows[i].assist, rows[i].command, 1);
        assert_int_equal(drv_ipa(d, IPA_SETASSPARMS, data, sizeof data, 0), rows[i].rc);
        assert_int_equal(be16_get(drv_reply(d) + ASS_RC_AT), rows[i].rc);
    }
}

static void arp_cache(void **state) {
    struct driver_test *d = *state;
    struct osa_engine *e = osa_of(d->f.engine);
    u8 data[12 + 56] = {0}, frame[256], answer[OSA_MSG_ANSWER_BYTES + 100 * 12];
    u32 len;
    assist_data(data, IPA_ASS_ARP, ASS_ARP_ADD, 0);
    memcpy(data + 12, "\x02\x03\x04\x05\x06\x07", 6);
    be32_put(data + 20, 0x0A0101FE);
    assert_int_equal(drv_ipa(d, IPA_SETASSPARMS, data, sizeof data, OSA_RC_OK), IPA_RC_OK);
    assert_int_equal(e->entry[0].op, OSA_OP_ARP_ADD);
    assert_int_equal(e->entry[0].addr, 0x0A0101FE);
    assist_data(data, IPA_ASS_ARP, ASS_ARP_FLUSH, 0);
    assert_int_equal(drv_ipa(d, IPA_SETASSPARMS, data, 12, OSA_RC_OK), IPA_RC_OK);
    /* 100 entries come in two replies. */
    assist_data(data, IPA_ASS_ARP, ASS_ARP_QUERY, 0x000F0000);
    assert_false(drv_exchange(d, frame, drv_ipa_frame(d, frame, IPA_SETASSPARMS, IPA_PROTO_IPV4, data, 20)));
    const u8 *msg = fake_next(&d->f, &len);
    assert_int_equal(msg[8], OSA_OP_ARP_QUERY);
    osa_msg_header(answer, OSA_MSG_ANSWER, be16_get(msg + 2), sizeof answer);
    answer[8] = OSA_OP_ARP_QUERY;
    for (u32 i = 0; i < 100; i++) be32_put(answer + OSA_MSG_ANSWER_BYTES + i * 12, 0x0A010000 + i);
    fake_rx(&d->f, answer, sizeof answer);
    d->read_len = fake_moved(&d->f, OSA_UNIT_READ);
    d->reading = false;
    u8 *ipa = drv_reply(d);
    assert_int_equal(ipa[ASS_REPLIES_AT], 2);
    assert_int_equal(ipa[ASS_NUMBER_AT], 1);
    assert_int_equal(be16_get(ipa + ASS_DATA_AT + 2), ARP_QUERY_REPLY);
    assert_int_equal(be32_get(ipa + ASS_DATA_AT + 4), 90);
    assert_int_equal(be32_get(ipa + ASS_DATA_AT + 8 + 89 * 44 + 40), 0x0A010000 + 89);
    assert_true(fake_ccw(&d->f, OSA_UNIT_READ, CCW_READ, CCW_SLI, d->read, sizeof d->read));
    d->read_len = fake_moved(&d->f, OSA_UNIT_READ);
    ipa = drv_reply(d);
    assert_int_equal(ipa[ASS_NUMBER_AT], 2);
    assert_int_equal(be32_get(ipa + ASS_DATA_AT + 4), 10);
}

static void adapter_parameters(void **state) {
    struct driver_test *d = *state;
    u8 data[44] = {0};
    be16_put(data + 8, 20);
    be32_put(data + 12, ADP_QUERY);
    assert_int_equal(drv_ipa(d, IPA_SETADAPTERPARMS, data, 24, 0), IPA_RC_OK);
    u8 *ipa = drv_reply(d);
    assert_int_equal(be32_get(ipa + ADP_DATA_AT), 1);
    assert_int_equal(ipa[ADP_DATA_AT + 4], OSA_LINK_TYPE_GIGABIT);
    assert_int_equal(be32_get(ipa + ADP_DATA_AT + 8),
                     ADP_QUERY | ADP_ALTER_MAC | ADP_CARD_INFO | ADP_PROMISC);
    be32_put(data + 12, ADP_ALTER_MAC);
    be32_put(data + 24, ADP_MAC_READ);
    assert_int_equal(drv_ipa(d, IPA_SETADAPTERPARMS, data, 42, 0), IPA_RC_OK);
    assert_memory_equal(drv_reply(d) + ADP_DATA_AT + 12, "\x02\x00\x00\x00\x0e\x01", 6);
    be32_put(data + 24, ADP_MAC_REPLACE);
    assert_int_equal(drv_ipa(d, IPA_SETADAPTERPARMS, data, 42, 0), IPA_RC_UNSUPPORTED_SUBCMD);
    be32_put(data + 12, ADP_CARD_INFO);
    assert_int_equal(drv_ipa(d, IPA_SETADAPTERPARMS, data, 24, 0), IPA_RC_OK);
    assert_int_equal(be32_get(drv_reply(d) + ADP_DATA_AT + 4), ADP_SPEED_1G);
    be32_put(data + 12, ADP_PROMISC);
    be32_put(data + 24, 1);
    assert_int_equal(drv_ipa(d, IPA_SETADAPTERPARMS, data, 28, OSA_RC_OK), IPA_RC_OK);
    assert_true(osa_of(d->f.engine)->promisc);
    be32_put(data + 12, ADP_ACCESS_CONTROL);
    assert_int_equal(drv_ipa(d, IPA_SETADAPTERPARMS, data, 36, 0), ADP_RC_NOT_SUPPORTED);
    assert_int_equal(be16_get(drv_reply(d) + ADP_RC_AT), ADP_RC_NOT_SUPPORTED);
    be32_put(data + 12, ADP_QUERY_OAT);
    assert_int_equal(drv_ipa(d, IPA_SETADAPTERPARMS, data, 40, 0), IPA_RC_NOTSUPP);
}

static void layer2_commands(void **state) {
    struct driver_test *d = *state;
    u8 mac[10] = {0, 0, 0, 6, 2, 1, 2, 3, 4, 5}, group[10] = {0, 0, 0, 6, 1, 0, 0x5E, 0, 0, 1}, data[12];
    static const struct {
        u8 command;
        bool group;
        u32 port;
        int rc;
    } rows[] = {
        {IPA_SETVMAC, false, OSA_RC_OK, 0},
        {IPA_SETVMAC, false, OSA_RC_DUPLICATE, IPA_RC_L2_DUP_MAC},
        {IPA_SETGMAC, true, OSA_RC_OK, 0},
        {IPA_SETGMAC, true, OSA_RC_TABLE_FULL, IPA_RC_L2_TABLE_FULL},
        {IPA_DELGMAC, true, OSA_RC_NOT_FOUND, IPA_RC_L2_GMAC_NOT_FOUND},
        {IPA_DELVMAC, false, OSA_RC_NOT_FOUND, IPA_RC_L2_MAC_NOT_FOUND},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(drv_ipa(d, rows[i].command, rows[i].group ? group : mac, 10, rows[i].port),
                         rows[i].rc);
    /* A group address is no VMAC and the other way round; a length that is not 6; layer 3 commands. */
    assert_int_equal(drv_ipa(d, IPA_SETVMAC, group, 10, 0), IPA_RC_L2_MAC_NOT_FOUND);
    assert_int_equal(drv_ipa(d, IPA_SETGMAC, mac, 10, 0), IPA_RC_L2_MAC_NOT_FOUND);
    mac[3] = 8;
    assert_int_equal(drv_ipa(d, IPA_SETVMAC, mac, 10, 0), IPA_RC_INVALID_FORMAT);
    ip_data(data, HOME_A, 0);
    assert_int_equal(drv_ipa(d, IPA_SETIP, data, 12, 0), IPA_RC_L2_UNSUPPORTED);
    assert_int_equal(drv_ipa(d, IPA_VNICC, data, 12, 0), IPA_RC_L2_UNSUPPORTED);
    u32 entries = 0;
    for (u32 i = 0; i < OSA_ENTRIES_MAX; i++) entries += osa_of(d->f.engine)->entry[i].op != 0;
    assert_int_equal(entries, 2);
}

static void expect_event(struct driver_test *d, u8 command) {
    if (!d->reading) fake_ccw(&d->f, OSA_UNIT_READ, CCW_READ, CCW_SLI, d->read, sizeof d->read);
    assert_false(d->f.waiting[OSA_UNIT_READ]);
    d->reading = false;
    d->read_len = fake_moved(&d->f, OSA_UNIT_READ);
    u8 *ipa = drv_reply(d);
    assert_int_equal(ipa[IPA_COMMAND_AT], command);
    assert_int_equal(ipa[IPA_INITIATOR_AT], IPA_FROM_OSA);
}

static void no_event(struct driver_test *d) {
    if (!d->reading) fake_ccw(&d->f, OSA_UNIT_READ, CCW_READ, CCW_SLI, d->read, sizeof d->read);
    d->reading = true;
    assert_true(d->f.waiting[OSA_UNIT_READ]);
}

static void cable_pull(void **state) {
    struct driver_test *d = *state;
    for (u32 i = 0; i < 3; i++) {
        fake_event(&d->f, OSA_EVENT_LAN_DOWN, 0);
        expect_event(d, IPA_STOPLAN);
        fake_event(&d->f, OSA_EVENT_LAN_DOWN, 0);
        no_event(d);
        fake_event(&d->f, OSA_EVENT_LAN_UP, 0);
        expect_event(d, IPA_STARTLAN);
    }
    /* A guest that stopped its LAN is not told. */
    assert_int_equal(drv_ipa(d, IPA_STOPLAN, NULL, 0, OSA_RC_OK), IPA_RC_OK);
    fake_event(&d->f, OSA_EVENT_LAN_DOWN, 0);
    no_event(d);
}

/* Counts requests by operation. */
static void count_requests(struct driver_test *d, u32 *ops) {
    u32 len;
    const u8 *msg;
    memset(ops, 0, 32 * sizeof *ops);
    while ((msg = fake_next(&d->f, &len)) != NULL)
        if (msg[0] == OSA_MSG_REQUEST) ops[msg[8]]++;
}

static void card_restart_heals(void **state) {
    struct driver_test *d = *state;
    u8 data[24];
    u32 ops[32], len;
    for (u32 i = 0; i < 3; i++) {
        ip_data(data, HOME_A + i, i == 2 ? IPA_IP_VIPA : 0);
        assert_int_equal(drv_ipa(d, IPA_SETIP, data, 12, OSA_RC_OK), 0);
    }
    assert_int_equal(drv_ipa(d, IPA_DELIP, data, 12, OSA_RC_OK), 0); /* the third is gone again */
    group_data(data, GROUP);
    assert_int_equal(drv_ipa(d, IPA_SETIPM, data, 24, OSA_RC_OK), 0);
    data[0] = IPA_RTG_SECONDARY;
    assert_int_equal(drv_ipa(d, IPA_SETRTG, data, 1, OSA_RC_OK), 0);
    assist_data(data, IPA_ASS_CSUM_IN, ASS_ENABLE, CSUM_TCP);
    assert_int_equal(drv_ipa(d, IPA_SETASSPARMS, data, 16, OSA_RC_OK), 0);
    fake_forget(&d->f);
    for (u32 round = 0; round < 3; round++) {
        fake_connect(&d->f, false);
        expect_event(d, IPA_STOPLAN);
        /* While it is away: LAN offline, at once. */
        ip_data(data, HOME_A + 9, 0);
        assert_int_equal(drv_ipa(d, IPA_SETIP, data, 12, 0), IPA_RC_LAN_OFFLINE);
        fake_connect(&d->f, true);
        const u8 *msg = fake_next(&d->f, &len);
        assert_int_equal(msg[0], OSA_MSG_ATTACH);
        assert_int_equal(msg[8], OSA_MODE_QDIO_L3);
        assert_int_equal(msg[9], 2);
        /* The ring is small: registrations come as it has room. */
        d->f.ring_room = OSA_MSG_REQUEST_BYTES;
        fake_attached(&d->f, true, 15, 8992);
        d->f.ring_room = UINT32_MAX;
        d->f.engine->ops->rx_end(d->f.engine);
        u32 out = d->f.ring_out;
        count_requests(d, ops);
        assert_int_equal(ops[OSA_OP_SETIP], 2);
        assert_int_equal(ops[OSA_OP_SETIPM], 1);
        assert_int_equal(ops[OSA_OP_SETRTG], 1);
        assert_int_equal(ops[OSA_OP_ASSIST], 1);
        assert_int_equal(ops[OSA_OP_STARTLAN], 1);
        no_event(d);
        d->f.ring_out = out;
        assert_int_equal(fake_answer_all(&d->f), 6);
        expect_event(d, IPA_STARTLAN);
    }
}

static void lost_card_answers_what_is_pending(void **state) {
    struct driver_test *d = *state;
    u8 data[24], frame[128];
    ip_data(data, HOME_A, 0);
    assert_false(drv_exchange(d, frame, drv_ipa_frame(d, frame, IPA_SETIP, IPA_PROTO_IPV4, data, 12)));
    fake_connect(&d->f, false);
    assert_false(d->f.waiting[OSA_UNIT_READ]);
    d->reading = false;
    d->read_len = fake_moved(&d->f, OSA_UNIT_READ);
    assert_int_equal(be16_get(drv_reply(d) + IPA_RC_AT), IPA_RC_LAN_OFFLINE);
    expect_event(d, IPA_STOPLAN);
}

static void address_taken_over_is_not_registered_again(void **state) {
    struct driver_test *d = *state;
    u8 data[12];
    u32 ops[32];
    ip_data(data, VIPA, IPA_IP_VIPA);
    assert_int_equal(drv_ipa(d, IPA_SETIP, data, 12, OSA_RC_OK), 0);
    fake_event(&d->f, OSA_EVENT_IP_LOST, VIPA);
    assert_non_null(strstr(d->f.last_log, "10.1.2.1"));
    fake_connect(&d->f, false);
    fake_connect(&d->f, true);
    fake_attached(&d->f, true, 15, 8992);
    count_requests(d, ops);
    assert_int_equal(ops[OSA_OP_SETIP], 0);
    assert_int_equal(ops[OSA_OP_STARTLAN], 1);
}

static void fenced(void **state) {
    struct driver_test *d = *state;
    u8 data[12];
    fake_event(&d->f, OSA_EVENT_FENCED, 0);
    expect_event(d, IPA_STOPLAN);
    ip_data(data, HOME_A, 0);
    assert_int_equal(drv_ipa(d, IPA_SETIP, data, 12, 0), IPA_RC_LAN_OFFLINE);
}

/* ULP ENABLE and IPA stay in their WRITE while ATTACH is unanswered; a card that dies then, or a halt, frees
 * them. */
static void commands_wait_for_the_attachment(void **state) {
    UNUSED(state);
    for (u32 how = 0; how < 3; how++) {
        struct driver_test d;
        u8 frame[256];
        drv_init(&d, 0, "");
        drv_activate_idx(&d);
        assert_true(drv_exchange(&d, frame, drv_cm_enable(&d, frame)));
        d.token_cm_filter = be32_get(d.read + MPC_PDU_AT + 0x13);
        assert_true(drv_exchange(&d, frame, drv_cm_setup(&d, frame)));
        d.token_cm = be32_get(d.read + MPC_PDU_AT + 0x1A);
        fake_connect(&d.f, true);
        assert_false(fake_ccw(&d.f, OSA_UNIT_WRITE, CCW_WRITE, CCW_SLI, frame,
                              drv_ulp_enable(&d, frame, MPC_PROTO_L3, "")));
        if (how == 0) fake_attached(&d.f, true, 15, 4096);
        if (how == 1) fake_connect(&d.f, false);
        if (how == 2) d.f.engine->ops->halt(d.f.engine, OSA_UNIT_WRITE);
        assert_false(d.f.waiting[OSA_UNIT_WRITE]);
        bool replied = fake_ccw(&d.f, OSA_UNIT_READ, CCW_READ, CCW_SLI, d.read, sizeof d.read);
        assert_int_equal(replied, how != 2);
        if (replied) assert_int_equal(be16_get(d.read + MPC_PDU_AT + 0x1F), how == 0 ? 4096 : 1500);
        drv_free(&d);
    }
}

static void table_and_pending_are_bounded(void **state) {
    struct driver_test *d = *state;
    struct osa_engine *e = osa_of(d->f.engine);
    u8 data[12], frame[128];
    u32 len;
    for (u32 i = 0; i < OSA_ENTRIES_MAX + 2; i++) {
        ip_data(data, HOME_A + i, 0);
        assert_int_equal(drv_ipa(d, IPA_SETIP, data, 12, OSA_RC_OK), 0);
        fake_forget(&d->f);
    }
    assert_int_equal(e->count.entries_full, 2);
    /* Seventeen unanswered commands: the last is refused, none is lost. */
    for (u32 i = 0; i < OSA_PENDING_MAX; i++)
        assert_false(drv_exchange(d, frame, drv_ipa_frame(d, frame, IPA_SETIP, IPA_PROTO_IPV4, data, 12)));
    assert_true(drv_exchange(d, frame, drv_ipa_frame(d, frame, IPA_SETIP, IPA_PROTO_IPV4, data, 12)));
    assert_int_equal(be16_get(drv_reply(d) + IPA_RC_AT), IPA_RC_NO_STORAGE);
    u32 answered = 0;
    const u8 *msg;
    while ((msg = fake_next(&d->f, &len)) != NULL) {
        u8 copy[OSA_MSG_REQUEST_BYTES];
        memcpy(copy, msg, sizeof copy);
        fake_answer(&d->f, copy, OSA_RC_OK);
        answered++;
        fake_ccw(&d->f, OSA_UNIT_READ, CCW_READ, CCW_SLI, d->read, sizeof d->read);
        assert_false(d->f.waiting[OSA_UNIT_READ]);
    }
    assert_int_equal(answered, OSA_PENDING_MAX);
    /* The ring is full: refused at once. */
    d->f.ring_room = 0;
    assert_true(drv_exchange(d, frame, drv_ipa_frame(d, frame, IPA_SETIP, IPA_PROTO_IPV4, data, 12)));
    assert_int_equal(be16_get(drv_reply(d) + IPA_RC_AT), IPA_RC_NO_STORAGE);
}

static void unread_replies_are_bounded(void **state) {
    struct driver_test *d = *state;
    u8 frame[128];
    for (u32 i = 0; i < OSA_REPLIES_MAX + 5; i++)
        assert_true(fake_ccw(&d->f, OSA_UNIT_WRITE, CCW_WRITE, CCW_SLI, frame,
                             drv_ipa_frame(d, frame, IPA_QIPASSIST, IPA_PROTO_IPV4, NULL, 0)));
    assert_int_equal(osa_of(d->f.engine)->count.reply_no_room, 5);
    for (u32 i = 0; i < OSA_REPLIES_MAX; i++)
        assert_true(fake_ccw(&d->f, OSA_UNIT_READ, CCW_READ, CCW_SLI, d->read, sizeof d->read));
    assert_false(fake_ccw(&d->f, OSA_UNIT_READ, CCW_READ, CCW_SLI, d->read, sizeof d->read));
}

static void malformed_messages_from_the_card(void **state) {
    struct driver_test *d = *state;
    struct osa_engine *e = osa_of(d->f.engine);
    u64 before = e->count.msg_malformed;
    u32 n = 0;
    for (u32 type = 0; type < 10; type++) {
        for (u32 len = 0; len < OSA_MSG_HEADER_BYTES + 4; len++) {
            u8 *msg = malloc(len + 8);
            memset(msg, 0, len + 8);
            msg[0] = (u8)type;
            msg[1] = OSA_MSG_VERSION;
            be32_put(msg + 4, len);
            u8 *exact = malloc(len ? len : 1);
            memcpy(exact, msg, len);
            assert_true(fake_rx(&d->f, exact, len));
            n++;
            free(exact);
            free(msg);
        }
    }
    assert_int_equal(e->count.msg_malformed - before, n);
}

int main(void) {
#define T3(f) cmocka_unit_test_setup_teardown(f, setup3, teardown)
    const struct CMUnitTest tests[] = {
        T3(qipassist),
        T3(setip_becomes_a_request),
        T3(return_codes_of_the_port),
        T3(addresses_are_checked),
        T3(every_command_too_short),
        T3(unknown_commands_have_a_name),
        T3(checksum_offload),
        T3(segmentation_offload),
        T3(simple_assists),
        T3(arp_cache),
        T3(adapter_parameters),
        cmocka_unit_test_setup_teardown(layer2_commands, setup2, teardown),
        T3(cable_pull),
        T3(card_restart_heals),
        T3(lost_card_answers_what_is_pending),
        T3(address_taken_over_is_not_registered_again),
        T3(fenced),
        cmocka_unit_test(commands_wait_for_the_attachment),
        T3(table_and_pending_are_bounded),
        T3(unread_replies_are_bounded),
        T3(malformed_messages_from_the_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
