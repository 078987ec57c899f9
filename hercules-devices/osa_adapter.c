/* osa_adapter.c - SETADAPTERPARMS: what the adapter is and what its port does.
 *
 *   command         answer
 *   QUERY           one LAN type, and the commands of this table that are not refused
 *   ALTER_MAC       READ: the port's MAC. REPLACE and RESET are refused: layer 3 has the port's MAC and no
 *                   other, layer 2 drivers set theirs with SETVMAC
 *   PROMISC         when the port answered
 *   CARD_INFO       fibre, full duplex, 1 Gbit/s
 *   ACCESS_CONTROL  refused: "not supported by this adapter"
 *   others          refused by name
 */
#include "hercules-devices/osa_internal.h"

#include "base/str.h"

#define ADP_OFFERED (ADP_QUERY | ADP_ALTER_MAC | ADP_CARD_INFO | ADP_PROMISC)

static const struct {
    u32 command;
    const char *name;
} command_names[] = {
    {ADP_QUERY, "QUERY COMMANDS SUPPORTED"},
    {ADP_ALTER_MAC, "ALTER MAC ADDRESS"},
    {0x0004, "ADD/DELETE GROUP ADDRESS"},
    {0x0008, "ADD/DELETE FUNCTIONAL ADDRESS"},
    {0x0010, "SET ADDRESSING MODE"},
    {0x0020, "SET CONFIGURATION PARAMETERS"},
    {0x0040, "SET CONFIGURATION PARAMETERS EXTENDED"},
    {0x0080, "SET BROADCAST MODE"},
    {0x0100, "SEND OSA MESSAGE"},
    {0x0200, "SET SNMP CONTROL"},
    {ADP_CARD_INFO, "QUERY CARD INFO"},
    {ADP_PROMISC, "SET PROMISCUOUS MODE"},
    {ADP_DIAG, "SET DIAGNOSTIC ASSIST"},
    {ADP_ACCESS_CONTROL, "SET ACCESS CONTROL"},
    {ADP_QUERY_OAT, "QUERY OAT"},
};

static u32 finish(struct osa_engine *e, struct ipa_call *call, u32 rc) {
    u32 command = be32_get(call->pdu + ADP_COMMAND_AT);
    be32_put(call->pdu + ADP_SUPPORTED_AT, ADP_OFFERED);
    be16_put(call->pdu + ADP_RC_AT, (u16)rc);
    call->pdu[ADP_REPLIES_AT] = call->pdu[ADP_NUMBER_AT] = 1;
    if (!rc) return IPA_RC_OK;
    const char *name = "unknown command";
    for (u32 i = 0; i < ARRAY_LEN(command_names); i++)
        if (command_names[i].command == command) name = command_names[i].name;
    osa_log(e, ENGINE_INFO, "adapter command %s (%X) refused", name, command);
    return rc;
}

static u8 *reply_data(struct ipa_call *call, u32 bytes) {
    u32 len = ADP_DATA_AT + bytes;
    if (call->len < len) memset(call->pdu + call->len, 0, len - call->len);
    call->len = u32_max(call->len, len);
    be16_put(call->pdu + ADP_LENGTH_AT, (u16)(20 + bytes));
    return call->pdu + ADP_DATA_AT;
}

static u32 alter_mac(struct osa_engine *e, struct ipa_call *call) {
    if (call->len < ADP_DATA_AT + 4) return finish(e, call, IPA_RC_INVALID_FORMAT);
    if (be32_get(call->pdu + ADP_DATA_AT) != ADP_MAC_READ) return finish(e, call, IPA_RC_UNSUPPORTED_SUBCMD);
    u8 *data = reply_data(call, 18);
    be32_put(data + 4, 6);
    be32_put(data + 8, 1);
    memcpy(data + 12, e->mac, 6);
    return finish(e, call, e->frame_max ? IPA_RC_OK : IPA_RC_LAN_OFFLINE);
}

u32 osa_adapter_command(struct osa_engine *e, struct ipa_call *call) {
    u8 *data;
    switch (be32_get(call->pdu + ADP_COMMAND_AT)) {
    case ADP_QUERY:
        data = reply_data(call, 20);
        memset(data, 0, 20);
        be32_put(data, 1);
        data[4] = OSA_LINK_TYPE_GIGABIT;
        be32_put(data + 8, ADP_OFFERED);
        return finish(e, call, IPA_RC_OK);
    case ADP_ALTER_MAC: return alter_mac(e, call);
    case ADP_CARD_INFO:
        data = reply_data(call, 12);
        memset(data, 0, 12);
        data[0] = ADP_CARD_1G_FIBRE;
        be16_put(data + 2, ADP_FULL_DUPLEX);
        be32_put(data + 4, ADP_SPEED_1G);
        return finish(e, call, IPA_RC_OK);
    case ADP_PROMISC: {
        if (call->len < ADP_DATA_AT + 4) return finish(e, call, IPA_RC_INVALID_FORMAT);
        u32 on = be32_get(call->pdu + ADP_DATA_AT);
        if (on > 1) return finish(e, call, IPA_RC_UNSUPPORTED_SUBCMD);
        struct osa_request r = {.op = OSA_OP_PROMISC, .flags = (u8)on, .mask = on};
        finish(e, call, IPA_RC_OK);
        u32 rc = osa_request(e, call, &r);
        return rc == IPA_RC_LATER ? rc : finish(e, call, rc);
    }
    case ADP_ACCESS_CONTROL: return finish(e, call, ADP_RC_NOT_SUPPORTED);
    default: return finish(e, call, IPA_RC_NOTSUPP);
    }
}
