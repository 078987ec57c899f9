/* osa_assist.c - SETASSPARMS: ARP processing, checksum offload, segmentation both ways, multicast, filtering.
 *
 *   assist         START                      ENABLE                       STOP        others
 *   ARP            on                         -                            off         QUERY ADD REMOVE FLUSH
 *   CSUM_IN, _OUT  replies capabilities       replies supported, enabled   off         -
 *   TSO, LRO       replies MSS, capabilities  replies supported, enabled   off         -
 *   MULTICAST      on                         -                            off         -
 *   FILTERING      on                         on                           off         CONFIGURE accepted
 *   MC_ROUTER      on                         -                            off         -
 *
 * ARP's others, and ENABLE and STOP of the offloads, are requests to the port; its answer makes the reply.
 * The return code stands in the sub-header and in the IPA header alike. An assist that QIPASSIST did not
 * announce, a command it does not have, or protocol 6 is refused by name.
 */
#include "hercules-devices/osa_internal.h"

#include "base/str.h"

#define TSO_MSS_MAX 8952u /* payload of the largest frame an OSA-Express sends (8992) */

static const struct {
    u32 assist;
    const char *name;
} assist_names[] = {
    {IPA_ASS_ARP, "ARP PROCESSING"},
    {IPA_ASS_CSUM_IN, "INBOUND CHECKSUM"},
    {IPA_ASS_CSUM_OUT, "OUTBOUND CHECKSUM"},
    {IPA_ASS_FILTERING, "FILTERING"},
    {IPA_ASS_IPV6, "IPV6"},
    {IPA_ASS_MULTICAST, "MULTICASTING"},
    {IPA_ASS_PASSTHRU, "PASSTHRU"},
    {IPA_ASS_FULL_VLAN, "VLAN"},
    {IPA_ASS_SOURCE_MAC, "SOURCE MAC"},
    {IPA_ASS_MC_ROUTER, "MC ROUTER"},
    {IPA_ASS_TSO, "OUTBOUND TSO"},
    {IPA_ASS_LRO, "INBOUND TSO"},
    {IPA_ASS_ARP_FLUSH, "FLUSH ARP"},
};

static const char *assist_name(u32 assist) {
    for (u32 i = 0; i < ARRAY_LEN(assist_names); i++)
        if (assist_names[i].assist == assist) return assist_names[i].name;
    return "unknown assist";
}

static u32 finish(struct ipa_call *call, u32 rc) {
    be16_put(call->pdu + ASS_RC_AT, (u16)rc);
    call->pdu[ASS_REPLIES_AT] = call->pdu[ASS_NUMBER_AT] = 1;
    return rc;
}

/* The data of a reply: the command's length may have had room for less. */
static u8 *reply_data(struct ipa_call *call, u32 bytes) {
    call->len = u32_max(call->len, ASS_DATA_AT + bytes);
    be16_put(call->pdu + ASS_LENGTH_AT, (u16)(8 + bytes));
    return call->pdu + ASS_DATA_AT;
}

static u32 mss_of(const struct osa_engine *e) {
    u32 mtu = e->frame_max ? e->frame_max : e->params.mtu_bytes;
    return u32_min(mtu > 1500 ? mtu - 40 : 1460, TSO_MSS_MAX);
}

/* Segmentation, out or in: its data has one word more in front, the MSS. */
static bool is_tso(u32 assist) {
    return assist == IPA_ASS_TSO || assist == IPA_ASS_LRO;
}

static u32 capabilities(u32 assist) {
    return is_tso(assist) ? TSO_TCP : CSUM_IP_HEADER | CSUM_UDP | CSUM_TCP | CSUM_LPAR_TO_LPAR;
}

static u32 card_bit(u32 assist) {
    return assist == IPA_ASS_CSUM_IN    ? OSA_ASSIST_CSUM_IN
           : assist == IPA_ASS_CSUM_OUT ? OSA_ASSIST_CSUM_OUT
           : assist == IPA_ASS_LRO      ? OSA_ASSIST_LRO
                                        : OSA_ASSIST_TSO;
}

/* Tells the port what is switched on from now on; its answer makes the reply. */
static u32 tell_port(struct osa_engine *e, struct ipa_call *call, u32 assists) {
    struct osa_request r = {.op = OSA_OP_ASSIST, .mask = assists};
    u32 rc = osa_request(e, call, &r);
    return rc == IPA_RC_LATER ? rc : finish(call, rc);
}

/* Checksum in, checksum out, segmentation: offered, then enabled with what the driver wants of it. */
static u32 offload(struct osa_engine *e, struct ipa_call *call, u32 assist, u32 command) {
    u32 bit = card_bit(assist);
    u8 *data;
    switch (command) {
    case ASS_START:
        data = reply_data(call, 8);
        if (is_tso(assist)) be32_put(data, mss_of(e));
        be32_put(is_tso(assist) ? data + 4 : data, capabilities(assist));
        if (!is_tso(assist)) be32_put(data + 4, 0);
        e->ass_enabled |= assist;
        return finish(call, IPA_RC_OK);
    case ASS_ENABLE: {
        u32 at = ASS_DATA_AT + (is_tso(assist) ? 4u : 0u);
        if (call->len < at + 4) return finish(call, IPA_RC_INVALID_FORMAT);
        u32 wanted = be32_get(call->pdu + at) & capabilities(assist);
        data = reply_data(call, 8);
        be32_put(data, capabilities(assist));
        be32_put(data + 4, wanted);
        e->ass_enabled |= assist;
        return tell_port(e, call, wanted ? e->assists | bit : e->assists & ~bit);
    }
    case ASS_STOP: e->ass_enabled &= ~assist; return tell_port(e, call, e->assists & ~bit);
    default: return finish(call, IPA_RC_UNSUPPORTED_SUBCMD);
    }
}

static u32 arp(struct osa_engine *e, struct ipa_call *call, u32 command) {
    const u8 *data = call->pdu + ASS_DATA_AT;
    struct osa_request r = {0};
    switch (command) {
    case ASS_START: e->ass_enabled |= IPA_ASS_ARP; return finish(call, IPA_RC_OK);
    case ASS_STOP: e->ass_enabled &= ~(u32)IPA_ASS_ARP; return finish(call, IPA_RC_OK);
    case ASS_ARP_SIZE:
        return finish(call, IPA_RC_OK); /* the card's cache has one size; a wish for another does no harm */
    case ASS_ARP_QUERY:
        if (call->len < ASS_DATA_AT + 8) return finish(call, IPA_RC_INVALID_FORMAT);
        r.op = OSA_OP_ARP_QUERY;
        break;
    case ASS_ARP_ADD:
    case ASS_ARP_REMOVE:
        if (call->len < ASS_DATA_AT + 24) return finish(call, IPA_RC_INVALID_FORMAT);
        r.op = command == ASS_ARP_ADD ? OSA_OP_ARP_ADD : OSA_OP_ARP_DEL;
        r.mac = data;
        r.addr = be32_get(data + 8);
        break;
    case ASS_ARP_FLUSH: r.op = OSA_OP_ARP_FLUSH; break;
    default: return finish(call, IPA_RC_UNSUPPORTED_SUBCMD);
    }
    u32 rc = osa_request(e, call, &r);
    return rc == IPA_RC_LATER ? rc : finish(call, rc);
}

/* Assists without parameters that the port honours in any case. */
static u32 simple(struct osa_engine *e, struct ipa_call *call, u32 assist, u32 command) {
    if (command == ASS_START || (command == ASS_ENABLE && assist == IPA_ASS_FILTERING)) {
        e->ass_enabled |= assist;
        return finish(call, IPA_RC_OK);
    }
    if (command == ASS_STOP) {
        e->ass_enabled &= ~assist;
        return finish(call, IPA_RC_OK);
    }
    return finish(call, command == ASS_CONFIGURE && assist == IPA_ASS_FILTERING ? IPA_RC_OK
                                                                                : IPA_RC_UNSUPPORTED_SUBCMD);
}

u32 osa_assist_command(struct osa_engine *e, struct ipa_call *call) {
    u32 assist = be32_get(call->pdu + ASS_ASSIST_AT), command = be16_get(call->pdu + ASS_COMMAND_AT);
    if (be16_get(call->pdu + IPA_PROTO_AT) == IPA_PROTO_IPV6 || !(assist & osa_ipa_supported(e))) {
        osa_log(e, ENGINE_INFO, "assist %s (%X) command %u is not offered for protocol %u",
                assist_name(assist), assist, command, be16_get(call->pdu + IPA_PROTO_AT));
        return finish(call, IPA_RC_NOTSUPP);
    }
    switch (assist) {
    case IPA_ASS_ARP: return arp(e, call, command);
    case IPA_ASS_CSUM_IN:
    case IPA_ASS_CSUM_OUT:
    case IPA_ASS_TSO:
    case IPA_ASS_LRO: return offload(e, call, assist, command);
    case IPA_ASS_MULTICAST:
    case IPA_ASS_FILTERING:
    case IPA_ASS_MC_ROUTER: return simple(e, call, assist, command);
    default: return finish(call, IPA_RC_UNSUPPORTED_SUBCMD);
    }
}

/* ---- the port's answers ---- */

static void send_answer(struct osa_engine *e, const struct osa_pending *p, u32 len, u32 rc, u32 number,
                        u32 of) {
    u8 *pdu = e->ipa_pdu;
    be16_put(pdu + IPA_RC_AT, (u16)rc);
    be16_put(pdu + ASS_RC_AT, (u16)rc);
    be32_put(pdu + IPA_SUPPORTED_AT, osa_ipa_supported(e));
    be32_put(pdu + IPA_ENABLED_AT, e->ass_enabled);
    pdu[ASS_REPLIES_AT] = (u8)of;
    pdu[ASS_NUMBER_AT] = (u8)number;
    osa_ipa_send(e, pdu, len, p->ack);
}

/* The card's ARP cache, as many replies as it takes; one without entries if it is empty. */
static void send_arp_cache(struct osa_engine *e, const struct osa_pending *p, const u8 *data, u32 len) {
    u32 entries = len / 12, replies = (entries + ARP_QUERY_ENTRIES - 1) / ARP_QUERY_ENTRIES;
    replies = u32_max(1, u32_min(replies, OSA_REPLIES_MAX - e->reply_count));
    for (u32 i = 0; i < replies; i++) {
        u32 first = i * ARP_QUERY_ENTRIES, n = u32_min(entries - first, ARP_QUERY_ENTRIES);
        u8 *out = e->ipa_pdu + ASS_DATA_AT;
        memcpy(e->ipa_pdu, p->pdu, ASS_DATA_AT + 2);
        be16_put(out + 2, ARP_QUERY_REPLY);
        be32_put(out + 4, n);
        for (u32 k = 0; k < n; k++) {
            const u8 *from = data + (first + k) * 12;
            u8 *entry = out + 8 + k * ARP_ENTRY_BYTES;
            memset(entry, 0, ARP_ENTRY_BYTES);
            entry[32] = entry[33] = 1;
            memcpy(entry + 34, from + 4, 6);
            memcpy(entry + 40, from, 4);
        }
        u32 bytes = 8 + n * ARP_ENTRY_BYTES;
        be16_put(e->ipa_pdu + ASS_LENGTH_AT, (u16)(8 + bytes));
        send_answer(e, p, ASS_DATA_AT + bytes, IPA_RC_OK, i + 1, replies);
    }
}

void osa_assist_answer(struct osa_engine *e, struct osa_pending *p, u32 rc, const u8 *data, u32 len) {
    if (p->op == OSA_OP_ASSIST && !rc) e->assists = p->mask;
    if (p->op == OSA_OP_ARP_QUERY && !rc) {
        send_arp_cache(e, p, data, len);
        return;
    }
    /* A manual ARP entry survives the card like a home address does. */
    struct osa_entry entry = {.op = OSA_OP_ARP_ADD, .addr = be32_get(p->pdu + ASS_DATA_AT + 8)};
    memcpy(entry.mac, p->pdu + ASS_DATA_AT, 6);
    if (p->op == OSA_OP_ARP_ADD && !rc) osa_entry_add(e, &entry);
    if (p->op == OSA_OP_ARP_DEL && !rc) osa_entry_remove(e, &entry);
    if (rc)
        osa_log(e, ENGINE_INFO, "assist %s command %u refused, return code %04X",
                assist_name(be32_get(p->pdu + ASS_ASSIST_AT)), be16_get(p->pdu + ASS_COMMAND_AT), rc);
    memcpy(e->ipa_pdu, p->pdu, p->len);
    send_answer(e, p, p->len, rc, 1, 1);
}
