/* lcs_command.c - LCS control frames. What each does in which state: lcs_engine.c.
 *
 * A reply is the command's frame, as long as the command was (LANSTAT: longer), with the return code put in.
 * STARTLAN, STOPLAN, SETIPM and DELIPM are answered by way of the port (lcs_ask_port); when it agreed,
 * lcs_remember() changes the state.
 */
#include "hercules-devices/lcs_internal.h"

#include "base/str.h"

#define BLOCK_MIN (LCS_MULTICAST_BYTES + 2) /* smaller blocks than this STARTUP may not ask for */

/* "LAN offline" is no refusal: the start stands, and the adapter tells by its own STARTLAN when the cable or the card is there. */
static void start_stands(struct lcs_engine *e, const struct lcs_reply *r, u32 rc) {
    if (rc != LCS_RC_LAN_OFFLINE || r->bytes[LCS_COMMAND_AT] != LCS_STARTLAN || e->state == LCS_S_DOWN) return;
    e->state = LCS_S_LAN;
    e->lan_told = false;
}

void lcs_send_reply(struct lcs_engine *e, const struct lcs_reply *r, u32 rc) {
    start_stands(e, r, rc);
    if (rc && lcs_drop(&e->count.refused))
        lcs_log(e, ENGINE_INFO, "command %02X refused, return code %04X", r->bytes[LCS_COMMAND_AT], rc);
    if (e->reply_count == LCS_REPLIES_MAX) {
        if (lcs_drop(&e->count.reply_no_room)) lcs_log(e, ENGINE_WARNING, "nobody reads: reply dropped");
        return;
    }
    struct lcs_reply *to = &e->reply[(e->reply_first + e->reply_count++) % LCS_REPLIES_MAX];
    *to = *r;
    e->patience = LCS_PATIENCE;
    be16_put(to->bytes + LCS_RC_AT, (u16)rc);
    if (e->base.host->trace)
        e->base.host->trace(e->base.host->ctx, LCS_UNIT_READ, "reply", to->bytes, to->len);
    lcs_read_ready(e);
}

/* The adapter's own STARTLAN or STOPLAN: the cable or the card came or went. */
void lcs_lan_event(struct lcs_engine *e, bool up) {
    struct lcs_reply r = {.len = LCS_CTL_BYTES};
    if (e->state != LCS_S_LAN || e->lan_told == up) return;
    e->lan_told = up;
    be16_put(r.bytes + LCS_OFFSET_AT, LCS_CTL_BYTES);
    r.bytes[LCS_COMMAND_AT] = up ? LCS_STARTLAN : LCS_STOPLAN;
    r.bytes[LCS_INITIATOR_AT] = LCS_FROM_ADAPTER;
    r.bytes[LCS_LAN_TYPE_AT] = LCS_TYPE_ETHERNET;
    r.bytes[LCS_RELATIVE_PORT_AT] = e->params.port;
    lcs_send_reply(e, &r, LCS_RC_OK);
}

static void start_lan(struct lcs_engine *e, const struct lcs_reply *r) {
    u8 type = r->bytes[LCS_LAN_TYPE_AT], port = r->bytes[LCS_RELATIVE_PORT_AT];
    if (e->state == LCS_S_DOWN || type != LCS_TYPE_ETHERNET || port != e->params.port) {
        lcs_log(e, ENGINE_INFO, "STARTLAN refused: %s",
                e->state == LCS_S_DOWN      ? "no STARTUP before"
                : type != LCS_TYPE_ETHERNET ? "not Ethernet"
                                            : "no such port");
        lcs_send_reply(e, r, LCS_RC_UNSUPPORTED);
        return;
    }
    lcs_ask_port(e, r, OSA_OP_STARTLAN);
}

static void lan_status(struct lcs_engine *e, struct lcs_reply *r) {
    memset(r->bytes + LCS_PAIRS_AT, 0, LCS_LANSTAT_BYTES - LCS_PAIRS_AT);
    r->len = LCS_LANSTAT_BYTES;
    memcpy(r->bytes + LCS_MAC_AT, e->mac, 6);
    const u64 counters[9] = {e->count.out_frames,
                             e->count.in_frames,
                             e->count.out_frames,
                             0,
                             e->count.out_no_lan,
                             e->count.in_frames,
                             0,
                             e->count.in_not_active,
                             e->count.in_too_big};
    for (u32 i = 0; i < ARRAY_LEN(counters); i++)
        be32_put(r->bytes + LCS_COUNTERS_AT + 4 * i, (u32)counters[i]);
    lcs_send_reply(e, r, e->frame_max ? LCS_RC_OK : LCS_RC_LAN_OFFLINE);
}

static void ip_assists(struct lcs_engine *e, struct lcs_reply *r) {
    be16_put(r->bytes + LCS_SUPPORTED_AT, LCS_ASS_MULTICAST);
    be16_put(r->bytes + LCS_ENABLED_AT, LCS_ASS_MULTICAST);
    lcs_send_reply(e, r, LCS_RC_OK);
}

/* One control frame, header included. */
void lcs_command(struct lcs_engine *e, const u8 *frame, u32 len) {
    struct lcs_reply r = {0};
    e->count.commands++;
    if (len < LCS_RC_AT + 2) {
        if (lcs_drop(&e->count.out_bad_frame)) lcs_log(e, ENGINE_WARNING, "command of %u bytes", len);
        return;
    }
    r.len = u32_max(u32_min(len, LCS_MULTICAST_BYTES), LCS_CTL_BYTES);
    memcpy(r.bytes, frame, u32_min(len, LCS_MULTICAST_BYTES));
    switch (r.bytes[LCS_COMMAND_AT]) {
    case LCS_STARTUP:
        lcs_start_over(e);
        e->state = LCS_S_STARTED;
        e->read_max = be16_get(r.bytes + LCS_BUFFER_SIZE_AT);
        if (e->read_max < BLOCK_MIN) e->read_max = LCS_BLOCK_BYTES;
        lcs_send_reply(e, &r, LCS_RC_OK);
        return;
    case LCS_SHUTDOWN:
        lcs_start_over(e);
        lcs_send_reply(e, &r, LCS_RC_OK);
        return;
    case LCS_STARTLAN: start_lan(e, &r); return;
    case LCS_STOPLAN:
        if (e->state == LCS_S_LAN) e->state = LCS_S_STARTED;
        lcs_ask_port(e, &r, OSA_OP_STOPLAN);
        return;
    case LCS_LANSTAT: lan_status(e, &r); return;
    case LCS_QIPASSIST: ip_assists(e, &r); return;
    case LCS_SETIPM: lcs_ask_port(e, &r, OSA_OP_SETIPM); return;
    case LCS_DELIPM: lcs_ask_port(e, &r, OSA_OP_DELIPM); return;
    default:
        lcs_log(e, ENGINE_INFO, "command %02X does not exist", r.bytes[LCS_COMMAND_AT]);
        lcs_send_reply(e, &r, LCS_RC_UNSUPPORTED);
        return;
    }
}

static void keep_group(struct lcs_engine *e, const u8 *pair, bool add) {
    struct lcs_group *room = NULL;
    for (u32 i = 0; i < LCS_GROUPS_MAX; i++) {
        struct lcs_group *g = &e->group[i];
        if (g->used && g->addr == be32_get(pair)) {
            g->used = add;
            return;
        }
        if (!g->used && !room) room = g;
    }
    if (!add) return;
    if (!room) {
        if (lcs_drop(&e->count.groups_full))
            lcs_log(e, ENGINE_WARNING, "a restarted card will not know all groups");
        return;
    }
    *room = (struct lcs_group){.used = true, .addr = be32_get(pair)};
    memcpy(room->mac, pair + 4, 6);
}

/* The port did it: the state follows. */
void lcs_remember(struct lcs_engine *e, const struct lcs_reply *r) {
    u8 code = r->bytes[LCS_COMMAND_AT];
    if (code == LCS_STARTLAN && e->state == LCS_S_STARTED) e->state = LCS_S_LAN;
    if (code == LCS_STARTLAN) e->lan_told = e->lan_up;
    if (code != LCS_SETIPM && code != LCS_DELIPM) return;
    u32 n = be16_get(r->bytes + LCS_PAIRS_AT);
    for (u32 i = 0; i < n; i++)
        keep_group(e, r->bytes + LCS_PAIR_AT + i * LCS_PAIR_BYTES, code == LCS_SETIPM);
}
