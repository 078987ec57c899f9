/* mpcipa_ipa.c - IPA commands: those of the start-up, one per state, and what the card says by itself.
 *
 *   STARTLAN   LAN offline (E080) is no failure: the device becomes READY with its link down
 *   QIPASSIST  which assists the card has
 *   ADAPTER    SETADAPTERPARMS QUERY         skipped if not offered
 *   MAC        SETADAPTERPARMS ALTER_MAC READ   the same
 *   ASSIST     the rows of ASSISTS below that are offered, one after the other; a refusal costs that assist
 *   ROUTING    SETRTG if the DEVICE statement says PRIROUTER or SECROUTER; a refusal is counted
 *   STOPLAN
 *
 * One command is outstanding at a time; an answer is recognised by command and sequence number. What the card
 * sends with initiator 1 is an event: STARTLAN or STOPLAN, the LAN came or went.
 *
 * Source: wire/osa.h; order and meaning as in Linux drivers/s390/net/qeth_l3_main.c.
 */
#include "base/str.h"
#include "link/mpcipa.h"
#include "net/stack.h"

#define CSUM_WANTED       (CSUM_IP_HEADER | CSUM_UDP | CSUM_TCP)
#define ADP_HEADER_BYTES  24 /* before its data */
#define ASS_HEADER_BYTES  12
#define PARAMETERS        1
#define LAN_TYPE_ETHERNET 1

/* ---- building ---- */

u8 *mpcipa_ipa_begin(struct mpcipa *d, u8 command, u32 data_len) {
    u8 *p = mpcipa_pdu(d);
    memset(p, 0, IPA_HDR_BYTES + data_len);
    p[IPA_COMMAND_AT] = command;
    p[IPA_INITIATOR_AT] = IPA_FROM_HOST;
    be16_put(p + IPA_SEQ_AT, ++d->ipa_seq);
    p[IPA_ADAPTER_TYPE_AT] = LAN_TYPE_ETHERNET;
    p[IPA_VERSION_AT] = 1;
    p[IPA_PARAMS_AT] = PARAMETERS;
    be16_put(p + IPA_PROTO_AT, IPA_PROTO_IPV4);
    return p + IPA_DATA_AT;
}

u8 *mpcipa_ipa_assist(struct mpcipa *d, u32 assist, u16 command, u32 data_len) {
    mpcipa_ipa_begin(d, IPA_SETASSPARMS, ASS_HEADER_BYTES + data_len);
    u8 *p = mpcipa_pdu(d);
    be32_put(p + ASS_ASSIST_AT, assist);
    be16_put(p + ASS_LENGTH_AT, (u16)(8 + data_len));
    be16_put(p + ASS_COMMAND_AT, command);
    return p + ASS_DATA_AT;
}

static u8 *adapter_begin(struct mpcipa *d, u32 command, u32 data_len) {
    mpcipa_ipa_begin(d, IPA_SETADAPTERPARMS, ADP_HEADER_BYTES + data_len);
    u8 *p = mpcipa_pdu(d);
    be16_put(p + ADP_LENGTH_AT, (u16)(20 + data_len));
    be32_put(p + ADP_COMMAND_AT, command);
    p[ADP_REPLIES_AT] = p[ADP_NUMBER_AT] = 1;
    return p + ADP_DATA_AT;
}

void mpcipa_ipa_send(struct mpcipa *d, u32 data_len, u64 now) {
    d->ipa_command = mpcipa_pdu(d)[IPA_COMMAND_AT];
    mpcipa_pdu_send(d, MPC_TYPE_IPA, MPC_PROTO_L3, d->token_ulp, IPA_HDR_BYTES + data_len, now);
}

/* ---- assists ---- */

static const struct assist_row {
    u32 assist;
    u16 command, data_len;
    u16 cap; /* what the link can do once this row is answered well */
} ASSISTS[] = {
    {IPA_ASS_ARP, ASS_START, 0, 0},
    {IPA_ASS_CSUM_IN, ASS_START, 0, 0},
    {IPA_ASS_CSUM_IN, ASS_ENABLE, 4, LINK_CAP_CSUM_IN},
    {IPA_ASS_CSUM_OUT, ASS_START, 0, 0},
    {IPA_ASS_CSUM_OUT, ASS_ENABLE, 4, LINK_CAP_CSUM_OUT},
    {IPA_ASS_MULTICAST, ASS_START, 0, LINK_CAP_MCAST},
    {IPA_ASS_FILTERING, ASS_START, 0, 0},
    {IPA_ASS_FILTERING, ASS_CONFIGURE, 4, 0},
    {IPA_ASS_FILTERING, ASS_ENABLE, 4, LINK_CAP_BCAST},
    {IPA_ASS_TSO, ASS_START, 0, 0},
    {IPA_ASS_TSO, ASS_ENABLE, 8, LINK_CAP_GSO},
    {IPA_ASS_LRO, ASS_START, 0, 0},
    {IPA_ASS_LRO, ASS_ENABLE, 8, 0},
};

/* The capabilities that a row's data asks for: what START said it has, as far as we use it. */
static u32 assist_wanted(const struct mpcipa *d, const struct assist_row *r) {
    switch (r->assist) {
    case IPA_ASS_CSUM_IN: return d->csum_in_offered & (CSUM_WANTED | CSUM_LPAR_TO_LPAR);
    case IPA_ASS_CSUM_OUT: return d->csum_out_offered & (CSUM_WANTED | CSUM_LPAR_TO_LPAR);
    case IPA_ASS_TSO: return d->tso_offered & TSO_TCP;
    case IPA_ASS_LRO: return d->lro_offered & TSO_TCP;
    default: return 1;
    }
}

static bool assist_useful(const struct mpcipa *d, const struct assist_row *r) {
    if (!(d->assists & r->assist)) return false;
    /* A segment without a checksum is of no use: no TSO where the card cannot finish checksums. */
    if (r->assist == IPA_ASS_TSO && !(d->caps & LINK_CAP_CSUM_OUT)) return false;
    if (r->assist == IPA_ASS_LRO && !(d->caps & LINK_CAP_CSUM_IN)) return false;
    if (r->command != ASS_ENABLE) return true;
    u32 wanted = assist_wanted(d, r);
    if (r->assist == IPA_ASS_CSUM_OUT) return (wanted & CSUM_WANTED) == CSUM_WANTED;
    return wanted != 0;
}

static void assist_step(struct mpcipa *d, u64 now) {
    while (d->m.part < ARRAY_LEN(ASSISTS) && !assist_useful(d, &ASSISTS[d->m.part])) d->m.part++;
    if (d->m.part == ARRAY_LEN(ASSISTS)) {
        mpcipa_event(d, OSA_EV_OK, OSA_FAIL_NONE, 0, now);
        return;
    }
    const struct assist_row *r = &ASSISTS[d->m.part];
    u8 *data = mpcipa_ipa_assist(d, r->assist, r->command, r->data_len);
    if (r->data_len) be32_put(data + r->data_len - 4, assist_wanted(d, r));
    mpcipa_ipa_send(d, ASS_HEADER_BYTES + r->data_len, now);
}

static void assist_answer(struct mpcipa *d, const u8 *p, u32 len, u64 now) {
    const struct assist_row *r = &ASSISTS[d->m.part++];
    u32 rc = be16_get(p + IPA_RC_AT);
    if (rc == 0 && len >= ASS_DATA_AT) rc = be16_get(p + ASS_RC_AT);
    if (rc) {
        d->assists &= ~r->assist;
        mpcipa_answered(d, OSA_EV_REFUSED, OSA_FAIL_COMMAND, rc, now);
        return;
    }
    u32 first = len >= ASS_DATA_AT + 4 ? be32_get(p + ASS_DATA_AT) : 0;
    u32 second = len >= ASS_DATA_AT + 8 ? be32_get(p + ASS_DATA_AT + 4) : 0;
    if (r->command == ASS_START && r->assist == IPA_ASS_CSUM_IN) d->csum_in_offered = first;
    if (r->command == ASS_START && r->assist == IPA_ASS_CSUM_OUT) d->csum_out_offered = first;
    if (r->command == ASS_START && r->assist == IPA_ASS_TSO) d->tso_offered = second;
    if (r->command == ASS_START && r->assist == IPA_ASS_LRO) d->lro_offered = second;
    d->caps |= r->cap;
    mpcipa_answered(d, OSA_EV_MORE, OSA_FAIL_NONE, 0, now);
}

/* ---- steps ---- */

static void adapter_step(struct mpcipa *d, u64 now) {
    bool query = d->m.state == OSA_ADAPTER;
    if (!(d->assists & IPA_ASS_ADAPTERPARMS) || (!query && !(d->adapter_commands & ADP_ALTER_MAC))) {
        mpcipa_event(d, OSA_EV_OK, OSA_FAIL_NONE, 0, now);
        return;
    }
    if (query) {
        adapter_begin(d, ADP_QUERY, 20);
        mpcipa_ipa_send(d, ADP_HEADER_BYTES + 20, now);
        return;
    }
    u8 *data = adapter_begin(d, ADP_ALTER_MAC, 18);
    be32_put(data, ADP_MAC_READ);
    be32_put(data + 4, MAC_LEN);
    be32_put(data + 8, 1);
    mpcipa_ipa_send(d, ADP_HEADER_BYTES + 18, now);
}

static void routing_step(struct mpcipa *d, u64 now) {
    if (d->m.dev->role == ROUTER_NONE) {
        mpcipa_event(d, OSA_EV_OK, OSA_FAIL_NONE, 0, now);
        return;
    }
    u8 *data = mpcipa_ipa_begin(d, IPA_SETRTG, 1);
    data[0] = d->m.dev->role == ROUTER_PRIMARY ? IPA_RTG_PRIMARY : IPA_RTG_SECONDARY;
    mpcipa_ipa_send(d, 1, now);
}

void mpcipa_ipa_step(struct mpcipa *d, u64 now) {
    switch (d->m.state) {
    case OSA_STARTLAN:
        d->caps = LINK_CAP_ARP;
        mpcipa_ipa_begin(d, IPA_STARTLAN, 0);
        mpcipa_ipa_send(d, 0, now);
        break;
    case OSA_QIPASSIST:
        mpcipa_ipa_begin(d, IPA_QIPASSIST, 0);
        mpcipa_ipa_send(d, 0, now);
        break;
    case OSA_ADAPTER:
    case OSA_MAC: adapter_step(d, now); break;
    case OSA_ASSIST: assist_step(d, now); break;
    case OSA_ROUTING: routing_step(d, now); break;
    default:
        mpcipa_ipa_begin(d, IPA_STOPLAN, 0);
        mpcipa_ipa_send(d, 0, now);
        break;
    }
}

/* ---- answers ---- */

static void adapter_answer(struct mpcipa *d, const u8 *p, u32 len, u64 now) {
    bool query = d->m.state == OSA_ADAPTER;
    u32 rc = be16_get(p + IPA_RC_AT);
    if (rc == 0 && len >= ADP_DATA_AT) rc = be16_get(p + ADP_RC_AT);
    if (rc == 0 && len < ADP_DATA_AT + (query ? 12u : 18u)) rc = IPA_RC_INVALID_FORMAT;
    if (rc == 0 && query) d->adapter_commands = be32_get(p + ADP_DATA_AT + 8);
    if (rc == 0 && !query) memcpy(d->mac, p + ADP_DATA_AT + 12, MAC_LEN);
    mpcipa_answered(d, rc ? OSA_EV_REFUSED : OSA_EV_OK, rc ? OSA_FAIL_COMMAND : OSA_FAIL_NONE, rc, now);
}

static void step_answer(struct mpcipa *d, const u8 *p, u32 len, u64 now) {
    u32 rc = be16_get(p + IPA_RC_AT);
    switch (d->m.state) {
    case OSA_STARTLAN:
        /* Without a LAN everything else can still be set up; the card will say when there is one. */
        d->lan_up = rc == IPA_RC_OK;
        if (rc == IPA_RC_LAN_OFFLINE) rc = IPA_RC_OK;
        break;
    case OSA_QIPASSIST: d->assists = be32_get(p + IPA_SUPPORTED_AT); break;
    case OSA_ADAPTER:
    case OSA_MAC: adapter_answer(d, p, len, now); return;
    case OSA_ASSIST: assist_answer(d, p, len, now); return;
    case OSA_ROUTING: d->count.routing_refused += rc != 0; break;
    default: break;
    }
    mpcipa_answered(d, rc ? OSA_EV_REFUSED : OSA_EV_OK, rc ? OSA_FAIL_COMMAND : OSA_FAIL_NONE, rc, now);
}

/* The LAN came or went. Outside READY the link does not exist for the stack yet, so the fact is only kept. */
static void lan_event(struct mpcipa *d, bool up, u64 now) {
    if (!up && d->lan_up) d->count.lan_losses++;
    d->lan_up = up;
    if (d->m.state != OSA_READY) return;
    /* Also when it comes without having gone: the card may have forgotten us, so the stack begins anew. */
    link_lan_down(d->m.dev->lnk, now);
    if (up) mpcipa_event(d, OSA_EV_LAN, OSA_FAIL_NONE, 0, now);
}

void mpcipa_ipa_input(struct mpcipa *d, const u8 *p, u32 len, u64 now) {
    if (len < IPA_HDR_BYTES) {
        d->count.replies_malformed++;
        return;
    }
    u8 command = p[IPA_COMMAND_AT];
    if (p[IPA_INITIATOR_AT] == IPA_FROM_OSA) {
        if (command == IPA_STARTLAN || command == IPA_STOPLAN)
            lan_event(d, command == IPA_STARTLAN, now);
        else
            d->count.replies_stray++;
        return;
    }
    if (command != d->ipa_command || be16_get(p + IPA_SEQ_AT) != d->ipa_seq) {
        d->count.replies_stray++;
        return;
    }
    if (d->m.state == OSA_READY) {
        mpcipa_addr_answer(d, p, len, now);
        return;
    }
    d->ipa_command = 0;
    step_answer(d, p, len, now);
}
