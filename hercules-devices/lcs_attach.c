/* lcs_attach.c - the card of an LCS device: attachment, requests and their answers, events.
 *
 *   link_state(true)   ATTACH -> WAIT
 *   ATTACHED           -> UP; groups are registered again, then STARTLAN if the guest had started its LAN
 *   link_state(false)  commands without an answer get "LAN offline"; the guest is told STOPLAN
 *   DETACH + ATTACH    STARTUP, SHUTDOWN and reset: the port forgets the session
 *
 * Requests for the guest carry tags below REPLAY_TAG; those made here carry REPLAY_TAG and want no reply.
 */
#include "hercules-devices/lcs_internal.h"

#include "base/str.h"

#define REPLAY_TAG 0x8000u

void lcs_flush(struct lcs_engine *e) {
    if (!e->flush_due) return;
    e->flush_due = false;
    e->base.host->tx_flush(e->base.host->ctx);
}

u8 *lcs_reserve(struct lcs_engine *e, u32 len) {
    return e->link_up ? e->base.host->tx_reserve(e->base.host->ctx, len) : NULL;
}

void lcs_commit(struct lcs_engine *e, u32 len) {
    e->base.host->tx_commit(e->base.host->ctx, len);
    e->flush_due = true;
}

static bool send_request(struct lcs_engine *e, const struct osa_request *r, u16 tag) {
    u8 *msg = lcs_reserve(e, OSA_MSG_REQUEST_BYTES);
    if (!msg) return false;
    osa_msg_request(msg, tag, r);
    lcs_commit(e, OSA_MSG_REQUEST_BYTES);
    e->port_used = true;
    return true;
}

void lcs_pump(struct lcs_engine *e) {
    u8 *msg;
    if (e->detach_due && (msg = lcs_reserve(e, OSA_MSG_HEADER_BYTES)) != NULL) {
        osa_msg_detach(msg);
        lcs_commit(e, OSA_MSG_HEADER_BYTES);
        e->detach_due = false;
    }
    if (e->attach_due && !e->detach_due && (msg = lcs_reserve(e, OSA_MSG_ATTACH_BYTES)) != NULL) {
        osa_msg_attach(msg, OSA_MODE_LCS, 0, e->params.lpar, e->params.devnum);
        lcs_commit(e, OSA_MSG_ATTACH_BYTES);
        e->attach_due = false;
    }
    while (e->card == LCS_CARD_UP && e->replay && e->replay <= LCS_GROUPS_MAX) {
        const struct lcs_group *g = &e->group[e->replay - 1];
        struct osa_request r = {.op = OSA_OP_SETIPM, .addr = g->addr, .mac = g->mac};
        if (g->used && !send_request(e, &r, REPLAY_TAG)) return;
        e->replay++;
    }
    if (e->card != LCS_CARD_UP || !e->replay) return;
    struct osa_request start = {.op = OSA_OP_STARTLAN};
    if (e->state != LCS_S_LAN || send_request(e, &start, REPLAY_TAG)) e->replay = 0;
}

/* Forgets the session; the port forgets it too. */
void lcs_start_over(struct lcs_engine *e) {
    e->state = LCS_S_DOWN;
    e->lan_told = false;
    e->replay = 0;
    memset(e->pending, 0, sizeof e->pending);
    memset(e->group, 0, sizeof e->group);
    if (!e->port_used || (e->card != LCS_CARD_UP && e->card != LCS_CARD_WAIT)) return;
    e->port_used = false;
    e->card = LCS_CARD_WAIT;
    e->detach_due = e->attach_due = true;
    lcs_pump(e);
}

static struct lcs_pending *pending_new(struct lcs_engine *e, const struct lcs_reply *r, u32 answers) {
    for (u32 i = 0; i < LCS_PENDING_MAX; i++) {
        struct lcs_pending *p = &e->pending[i];
        if (p->tag) continue;
        e->tag = (u16)(e->tag % (REPLAY_TAG - 1) + 1);
        *p = (struct lcs_pending){.tag = e->tag, .left = answers, .reply = *r};
        return p;
    }
    return NULL;
}

/* Asks the port; the reply follows its answer. */
void lcs_ask_port(struct lcs_engine *e, const struct lcs_reply *r, u8 op) {
    bool group = op == OSA_OP_SETIPM || op == OSA_OP_DELIPM;
    u32 n = group ? be16_get(r->bytes + LCS_PAIRS_AT) : 1;
    if (group && (n == 0 || n > LCS_PAIRS_MAX || r->len < LCS_PAIR_AT + n * LCS_PAIR_BYTES)) {
        lcs_send_reply(e, r, LCS_RC_UNSUPPORTED);
        return;
    }
    struct lcs_pending *p = e->card == LCS_CARD_UP ? pending_new(e, r, n) : NULL;
    if (!p) {
        lcs_send_reply(e, r, LCS_RC_LAN_OFFLINE);
        return;
    }
    for (u32 i = 0; i < n; i++) {
        const u8 *pair = r->bytes + LCS_PAIR_AT + i * LCS_PAIR_BYTES;
        struct osa_request req = {.op = op};
        if (group) req = (struct osa_request){.op = op, .addr = be32_get(pair), .mac = pair + 4};
        if (send_request(e, &req, p->tag)) continue;
        p->left -= n - i;
        p->rc = LCS_RC_LAN_OFFLINE;
        break;
    }
    if (p->left) return;
    p->tag = 0;
    lcs_send_reply(e, r, p->rc);
}

static void card_lost(struct lcs_engine *e, enum lcs_card state) {
    e->card = state;
    e->lan_up = e->attach_due = e->detach_due = false;
    e->replay = 0;
    for (u32 i = 0; i < LCS_PENDING_MAX; i++) {
        struct lcs_pending *p = &e->pending[i];
        if (!p->tag) continue;
        p->tag = 0;
        lcs_send_reply(e, &p->reply, LCS_RC_LAN_OFFLINE);
    }
    lcs_lan_event(e, false);
}

static void attached(struct lcs_engine *e, const u8 *msg) {
    if (e->card != LCS_CARD_WAIT || e->attach_due) return;
    if (be32_get(msg + 8)) {
        lcs_log(e, ENGINE_ERROR, "the card refuses the attachment, return code %04X", be32_get(msg + 8));
        card_lost(e, LCS_CARD_FENCED);
        return;
    }
    e->card = LCS_CARD_UP;
    memcpy(e->mac, msg + 12, 6);
    e->frame_max = u32_max(be32_get(msg + 20), 576);
    e->lan_up = msg[28] != 0;
    e->replay = 1;
}

static void answer(struct lcs_engine *e, const u8 *msg) {
    u16 tag = be16_get(msg + 2);
    u32 rc = be32_get(msg + 12);
    if (tag == REPLAY_TAG) {
        if (rc) lcs_log(e, ENGINE_WARNING, "the card refuses to register again, return code %04X", rc);
        if (msg[8] == OSA_OP_STARTLAN && !rc && e->lan_up) lcs_lan_event(e, true);
        return;
    }
    for (u32 i = 0; i < LCS_PENDING_MAX; i++) {
        struct lcs_pending *p = &e->pending[i];
        if (!tag || p->tag != tag) continue;
        if (rc) p->rc = rc;
        if (--p->left) return;
        p->tag = 0;
        if (p->reply.bytes[LCS_COMMAND_AT] == LCS_STARTLAN && !p->rc && !e->lan_up)
            p->rc = LCS_RC_LAN_OFFLINE;
        if (!p->rc) lcs_remember(e, &p->reply);
        lcs_send_reply(e, &p->reply, p->rc);
        return;
    }
    e->count.msg_stale++;
}

static void event(struct lcs_engine *e, u8 what) {
    if (what == OSA_EVENT_LAN_UP || what == OSA_EVENT_LAN_DOWN) {
        e->lan_up = what == OSA_EVENT_LAN_UP;
        lcs_lan_event(e, e->lan_up);
    } else if (what == OSA_EVENT_FENCED) {
        lcs_log(e, ENGINE_ERROR, "this system has been isolated from the card");
        card_lost(e, LCS_CARD_FENCED);
    }
}

void lcs_attach_message(struct lcs_engine *e, const u8 *msg, u32 len) {
    bool whole = osa_msg_check(msg, len);
    if (whole && msg[0] == OSA_MSG_ATTACHED && len >= OSA_MSG_ATTACHED_BYTES)
        attached(e, msg);
    else if (whole && msg[0] == OSA_MSG_ANSWER && len >= OSA_MSG_ANSWER_BYTES)
        answer(e, msg);
    else if (whole && msg[0] == OSA_MSG_EVENT && len >= OSA_MSG_EVENT_BYTES)
        event(e, msg[8]);
    else if (lcs_drop(&e->count.msg_malformed))
        lcs_log(e, ENGINE_WARNING, "malformed message of %u bytes from the card", len);
}

void lcs_attach_link(struct lcs_engine *e, bool up) {
    if (up == e->link_up) return;
    e->link_up = up;
    if (up) {
        e->card = LCS_CARD_WAIT;
        e->attach_due = true;
    } else {
        lcs_log(e, ENGINE_WARNING, "connection to the card lost");
        card_lost(e, LCS_CARD_DOWN);
    }
}
