/* osa_ipa.c - IPA commands: the table, replies, addresses, groups, routing, LAN start and stop.
 *
 *   command                    layer  port request            reply
 *   STARTLAN STOPLAN           2, 3   STARTLAN STOPLAN        when the port answered
 *   SETIP DELIP SETIPM DELIPM  3      the same                when the port answered
 *   SETRTG                     3      SETRTG                  when the port answered
 *   SETVMAC ... DELGMAC        2      the same                when the port answered
 *   QIPASSIST CREATE_ADDR DESTROY_ADDR  2, 3                  at once
 *   SETASSPARMS                2, 3   osa_assist.c            SETADAPTERPARMS  osa_adapter.c
 *
 * The reply is the command with its return code, its sequence number and initiator kept. What is not in the
 * table, is for the other layer, or speaks of IPv6 (which is not announced) is answered with a return code
 * and one line in the log; nothing is left unanswered. Without a card, or with its LAN fenced, what needs the
 * port is answered "LAN offline".
 */
#include "hercules-devices/osa_internal.h"

#include "base/str.h"

enum { L2 = 1, L3 = 2 };

struct ipa_entry {
    u8 command;
    u8 layers;
    u8 op;   /* port request, for the shared handlers */
    u32 min; /* bytes of the PDU */
    const char *name;
    u32 (*run)(struct osa_engine *e, struct ipa_call *call, const struct ipa_entry *entry);
};

u32 osa_ipa_supported(const struct osa_engine *e) {
    u32 mask = IPA_ASS_ADAPTERPARMS;
    u32 card = e->frame_max ? e->card_assists : OSA_ASSIST_CSUM_IN | OSA_ASSIST_CSUM_OUT | OSA_ASSIST_MCAST;
    if (card & OSA_ASSIST_CSUM_IN) mask |= IPA_ASS_CSUM_IN;
    if (card & OSA_ASSIST_CSUM_OUT) mask |= IPA_ASS_CSUM_OUT;
    if (card & OSA_ASSIST_TSO) mask |= IPA_ASS_TSO;
    if (e->mode == OSA_MODE_QDIO_L2) return mask;
    if (card & OSA_ASSIST_LRO) mask |= IPA_ASS_LRO;
    if (card & OSA_ASSIST_MCAST) mask |= IPA_ASS_MULTICAST | IPA_ASS_MC_ROUTER;
    return mask | IPA_ASS_ARP | IPA_ASS_ARP_FLUSH | IPA_ASS_FILTERING;
}

/* ---- handlers ---- */

static u32 run_lan(struct osa_engine *e, struct ipa_call *call, const struct ipa_entry *entry) {
    struct osa_request r = {.op = entry->op};
    e->lan_wanted = entry->op == OSA_OP_STARTLAN;
    return osa_request(e, call, &r);
}

static u32 run_qipassist(struct osa_engine *e, struct ipa_call *call, const struct ipa_entry *entry) {
    UNUSED(entry);
    if (be16_get(call->pdu + IPA_PROTO_AT) == IPA_PROTO_IPV6) return IPA_RC_NOTSUPP;
    be32_put(call->pdu + IPA_SUPPORTED_AT, osa_ipa_supported(e));
    be32_put(call->pdu + IPA_ENABLED_AT, e->ass_enabled);
    return IPA_RC_OK;
}

static u32 run_setip(struct osa_engine *e, struct ipa_call *call, const struct ipa_entry *entry) {
    const u8 *data = call->pdu + IPA_DATA_AT;
    if (be16_get(call->pdu + IPA_PROTO_AT) == IPA_PROTO_IPV6) return IPA_RC_WRONG_IP_VERSION;
    u32 asked = be32_get(data + 8);
    struct osa_request r = {.op = entry->op, .addr = be32_get(data), .mask = be32_get(data + 4)};
    if (asked & (IPA_IP_VIPA | IPA_DELIP_VIPA)) r.flags |= OSA_IP_VIPA;
    if (asked & IPA_IP_TAKEOVER) r.flags |= OSA_IP_TAKEOVER;
    if (entry->op == OSA_OP_DELIP && (asked & IPA_DELIP_PASSES_ON)) r.flags |= OSA_IP_PASSES_ON;
    struct ipaddr a = ipaddr_v4(r.addr);
    if (ipaddr_is_any(a) || ipaddr_is_multicast(a) || ipaddr_is_broadcast(a)) return IPA_RC_FAILED;
    if (entry->op == OSA_OP_SETIP && !e->lan_wanted) return IPA_RC_NO_STARTLAN;
    return osa_request(e, call, &r);
}

static u32 run_setipm(struct osa_engine *e, struct ipa_call *call, const struct ipa_entry *entry) {
    const u8 *data = call->pdu + IPA_DATA_AT;
    if (be16_get(call->pdu + IPA_PROTO_AT) == IPA_PROTO_IPV6) return IPA_RC_WRONG_IP_VERSION;
    struct osa_request r = {.op = entry->op, .addr = be32_get(data + 20), .mac = data};
    if (!ipaddr_is_multicast(ipaddr_v4(r.addr))) return IPA_RC_FAILED;
    return osa_request(e, call, &r);
}

static u32 run_setmac(struct osa_engine *e, struct ipa_call *call, const struct ipa_entry *entry) {
    const u8 *data = call->pdu + IPA_DATA_AT;
    bool group = data[4] & 1, want_group = entry->op == OSA_OP_SETGMAC || entry->op == OSA_OP_DELGMAC;
    if (be32_get(data) != 6) return IPA_RC_INVALID_FORMAT;
    if (group != want_group) return IPA_RC_L2_MAC_NOT_FOUND;
    struct osa_request r = {.op = entry->op, .mac = data + 4};
    return osa_request(e, call, &r);
}

static u32 run_setrtg(struct osa_engine *e, struct ipa_call *call, const struct ipa_entry *entry) {
    /* By the driver's number: what osa_wire.h calls the role. */
    static const u8 roles[] = {0, 1, 2, 5, 3, 4};
    if (be16_get(call->pdu + IPA_PROTO_AT) == IPA_PROTO_IPV6) return IPA_RC_WRONG_IP_VERSION;
    u8 type = call->pdu[IPA_DATA_AT] & 0x0F;
    if (type >= ARRAY_LEN(roles)) return IPA_RC_BAD_ROUTING;
    struct osa_request r = {.op = entry->op, .flags = roles[type]};
    return osa_request(e, call, &r);
}

/* The unique part of an interface identifier; the device number is unique on this card. */
static u32 run_create(struct osa_engine *e, struct ipa_call *call, const struct ipa_entry *entry) {
    UNUSED(entry);
    memcpy(call->pdu + IPA_DATA_AT, e->mac, 6);
    be16_put(call->pdu + IPA_DATA_AT + 6, e->params.devnum);
    return IPA_RC_OK;
}

static u32 run_nothing(struct osa_engine *e, struct ipa_call *call, const struct ipa_entry *entry) {
    UNUSED(e);
    UNUSED(call);
    UNUSED(entry);
    return IPA_RC_OK;
}

static u32 run_assist(struct osa_engine *e, struct ipa_call *call, const struct ipa_entry *entry) {
    UNUSED(entry);
    return osa_assist_command(e, call);
}

static u32 run_adapter(struct osa_engine *e, struct ipa_call *call, const struct ipa_entry *entry) {
    UNUSED(entry);
    return osa_adapter_command(e, call);
}

#define IPA_UNKNOWN(code, text)                                                                              \
    { .command = code, .name = text }
static const struct ipa_entry commands[] = {
    {IPA_STARTLAN, L2 | L3, OSA_OP_STARTLAN, IPA_HDR_BYTES, "STARTLAN", run_lan},
    {IPA_STOPLAN, L2 | L3, OSA_OP_STOPLAN, IPA_HDR_BYTES, "STOPLAN", run_lan},
    {IPA_QIPASSIST, L2 | L3, 0, IPA_HDR_BYTES, "QIPASSIST", run_qipassist},
    {IPA_SETIP, L3, OSA_OP_SETIP, IPA_DATA_AT + 12, "SETIP", run_setip},
    {IPA_DELIP, L3, OSA_OP_DELIP, IPA_DATA_AT + 12, "DELIP", run_setip},
    {IPA_SETIPM, L3, OSA_OP_SETIPM, IPA_DATA_AT + 24, "SETIPM", run_setipm},
    {IPA_DELIPM, L3, OSA_OP_DELIPM, IPA_DATA_AT + 24, "DELIPM", run_setipm},
    {IPA_SETRTG, L3, OSA_OP_SETRTG, IPA_DATA_AT + 1, "SETRTG", run_setrtg},
    {IPA_SETVMAC, L2, OSA_OP_SETVMAC, IPA_DATA_AT + 10, "SETVMAC", run_setmac},
    {IPA_DELVMAC, L2, OSA_OP_DELVMAC, IPA_DATA_AT + 10, "DELVMAC", run_setmac},
    {IPA_SETGMAC, L2, OSA_OP_SETGMAC, IPA_DATA_AT + 10, "SETGMAC", run_setmac},
    {IPA_DELGMAC, L2, OSA_OP_DELGMAC, IPA_DATA_AT + 10, "DELGMAC", run_setmac},
    {IPA_CREATE_ADDR, L2 | L3, 0, IPA_DATA_AT + 8, "CREATE_ADDR", run_create},
    {IPA_DESTROY_ADDR, L2 | L3, 0, IPA_HDR_BYTES, "DESTROY_ADDR", run_nothing},
    {IPA_SETASSPARMS, L2 | L3, 0, ASS_DATA_AT, "SETASSPARMS", run_assist},
    {IPA_SETADAPTERPARMS, L2 | L3, 0, ADP_DATA_AT, "SETADAPTERPARMS", run_adapter},
    IPA_UNKNOWN(IPA_SETVLAN, "SETVLAN"),
    IPA_UNKNOWN(IPA_DELVLAN, "DELVLAN"),
    IPA_UNKNOWN(IPA_VNICC, "VNIC CHARACTERISTICS"),
    IPA_UNKNOWN(IPA_SETBRIDGEPORT, "SETBRIDGEPORT"),
    IPA_UNKNOWN(IPA_SETCCID, "SETCCID"),
    IPA_UNKNOWN(IPA_DELCCID, "DELCCID"),
    IPA_UNKNOWN(IPA_MODCCID, "MODCCID"),
    IPA_UNKNOWN(IPA_SETDIAGASS, "SET DIAGNOSTIC ASSIST"),
};

static const struct ipa_entry *find(u8 command) {
    for (u32 i = 0; i < ARRAY_LEN(commands); i++)
        if (commands[i].command == command) return &commands[i];
    return NULL;
}

const char *osa_ipa_name(u8 command) {
    const struct ipa_entry *entry = find(command);
    return entry ? entry->name : "unknown command";
}

/* ---- replies ---- */

static void reply(struct osa_engine *e, u8 *pdu, u32 len, u32 ack, u32 rc) {
    be16_put(pdu + IPA_RC_AT, (u16)rc);
    if (pdu[IPA_COMMAND_AT] != IPA_QIPASSIST) {
        be32_put(pdu + IPA_SUPPORTED_AT, osa_ipa_supported(e));
        be32_put(pdu + IPA_ENABLED_AT, e->ass_enabled);
    }
    if (rc) {
        if (osa_count_drop(&e->count.ipa_refused) || e->count.ipa_refused < 64)
            osa_log(e, ENGINE_INFO, "IPA %s (%02X) refused, return code %04X",
                    osa_ipa_name(pdu[IPA_COMMAND_AT]), pdu[IPA_COMMAND_AT], rc);
    }
    osa_ipa_send(e, pdu, len, ack);
}

static u32 dispatch(struct osa_engine *e, struct ipa_call *call) {
    const struct ipa_entry *entry = find(call->pdu[IPA_COMMAND_AT]);
    u8 layer = e->mode == OSA_MODE_QDIO_L2 ? L2 : L3;
    if (!entry || !(entry->layers & layer)) return layer == L2 ? IPA_RC_L2_UNSUPPORTED : IPA_RC_NOTSUPP;
    if (call->len < entry->min) return IPA_RC_INVALID_FORMAT;
    return entry->run(e, call, entry);
}

void osa_ipa_command(struct osa_engine *e, const u8 *pdu, u32 len, u32 ack) {
    e->count.ipa_commands++;
    if (len < IPA_HDR_BYTES) {
        /* Too short to be answered: there is no sequence number to answer to. */
        if (osa_count_drop(&e->count.mpc_malformed))
            osa_log(e, ENGINE_WARNING, "IPA command of %u bytes", len);
        return;
    }
    len = u32_min(len, OSA_CTL_BYTES - MPC_PDU_AT);
    memcpy(e->ipa_pdu, pdu, len);
    struct ipa_call call = {.pdu = e->ipa_pdu, .len = len, .ack = ack};
    u32 rc = dispatch(e, &call);
    if (rc != IPA_RC_LATER) reply(e, call.pdu, call.len, ack, rc);
}

void osa_ipa_lan_event(struct osa_engine *e, bool up) {
    if (e->mpc != MPC_S_ACTIVE || !e->lan_wanted || e->lan_told == up) return;
    u8 pdu[IPA_HDR_BYTES] = {0};
    e->lan_told = up;
    pdu[IPA_COMMAND_AT] = up ? IPA_STARTLAN : IPA_STOPLAN;
    pdu[IPA_INITIATOR_AT] = IPA_FROM_OSA;
    pdu[IPA_ADAPTER_TYPE_AT] = 1;
    pdu[IPA_VERSION_AT] = 1;
    be16_put(pdu + IPA_PROTO_AT, IPA_PROTO_IPV4);
    be32_put(pdu + IPA_SUPPORTED_AT, osa_ipa_supported(e));
    be32_put(pdu + IPA_ENABLED_AT, e->ass_enabled);
    osa_ipa_send(e, pdu, sizeof pdu, 0);
}

/* ---- answers of the port ---- */

/* What the port said, in the words of the command: the same failure has another number in each family. */
static u32 translate(u8 op, u32 rc) {
    bool l2 = op >= OSA_OP_SETVMAC && op <= OSA_OP_DELGMAC;
    switch (rc) {
    case OSA_RC_DUPLICATE:
        return l2 ? IPA_RC_L2_DUP_MAC : op == OSA_OP_SETIPM ? IPA_RC_GROUP_DEFINED : IPA_RC_DUPLICATE_IP;
    case OSA_RC_TABLE_FULL: return l2 ? IPA_RC_L2_TABLE_FULL : IPA_RC_IP_TABLE_FULL;
    case OSA_RC_NOT_FOUND:
        if (op == OSA_OP_DELGMAC) return IPA_RC_L2_GMAC_NOT_FOUND;
        if (l2) return IPA_RC_L2_MAC_NOT_FOUND;
        return op == OSA_OP_DELIPM ? IPA_RC_GROUP_NOT_FOUND : IPA_RC_IP_NOT_DEFINED;
    default: return rc & 0xFFFF;
    }
}

/* Keeps what the port now knows, for the day it restarts. */
static void remember(struct osa_engine *e, u8 op, const u8 *pdu) {
    const u8 *data = pdu + IPA_DATA_AT;
    struct osa_entry entry = {0};
    switch (op) {
    case OSA_OP_SETIP:
    case OSA_OP_DELIP:
        entry.op = OSA_OP_SETIP;
        entry.addr = be32_get(data);
        entry.mask = be32_get(data + 4);
        entry.flags = (u8)((be32_get(data + 8) & IPA_IP_VIPA ? OSA_IP_VIPA : 0) |
                           (be32_get(data + 8) & IPA_IP_TAKEOVER ? OSA_IP_TAKEOVER : 0));
        break;
    case OSA_OP_SETIPM:
    case OSA_OP_DELIPM:
        entry.op = OSA_OP_SETIPM;
        entry.addr = be32_get(data + 20);
        memcpy(entry.mac, data, 6);
        break;
    case OSA_OP_SETVMAC:
    case OSA_OP_DELVMAC:
    case OSA_OP_SETGMAC:
    case OSA_OP_DELGMAC:
        entry.op = op == OSA_OP_SETVMAC || op == OSA_OP_DELVMAC ? OSA_OP_SETVMAC : OSA_OP_SETGMAC;
        memcpy(entry.mac, data + 4, 6);
        break;
    case OSA_OP_SETRTG: {
        static const u8 roles[] = {0, 1, 2, 5, 3, 4};
        e->router = roles[data[0] & 0x0F];
        return;
    }
    default: return;
    }
    bool gone = op == OSA_OP_DELIP || op == OSA_OP_DELIPM || op == OSA_OP_DELVMAC || op == OSA_OP_DELGMAC;
    if (gone)
        osa_entry_remove(e, &entry);
    else
        osa_entry_add(e, &entry);
}

void osa_ipa_answer(struct osa_engine *e, struct osa_pending *p, u32 port_rc, const u8 *data, u32 len) {
    u32 rc = translate(p->op, port_rc);
    if (!port_rc) remember(e, p->op, p->pdu);
    switch (p->pdu[IPA_COMMAND_AT]) {
    case IPA_SETASSPARMS: osa_assist_answer(e, p, rc, data, len); return;
    case IPA_STARTLAN:
        if (!rc && !e->lan_up) rc = IPA_RC_LAN_OFFLINE;
        e->lan_told = !rc;
        break;
    case IPA_STOPLAN: e->lan_told = false; break;
    case IPA_SETADAPTERPARMS:
        be16_put(p->pdu + ADP_RC_AT, (u16)rc);
        if (p->op == OSA_OP_PROMISC && !rc) e->promisc = p->mask != 0;
        break;
    default: break;
    }
    memcpy(e->ipa_pdu, p->pdu, p->len);
    reply(e, e->ipa_pdu, p->len, p->ack, rc);
}
