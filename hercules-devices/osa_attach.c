/* osa_attach.c - the card: attachment, requests and their answers, events, registering again.
 *
 *   link_state(true)   ATTACH -> WAIT
 *   ATTACHED rc 0      -> UP; what the session registered is registered again, as the ring has room: entries,
 *                      router role, assists, promiscuous mode, STARTLAN. When the port answered that one, the
 *                      guest is told STARTLAN.
 *   link_state(false)  -> DOWN; commands without an answer get "LAN offline"; the guest is told STOPLAN
 *   DETACH + ATTACH    when a session ends or asks for the other layer: the port forgets what it registered
 *   event FENCED       as if the link were lost, until a new one is made
 *
 * Requests of the guest carry tags below REPLAY_TAG; those made here carry REPLAY_TAG and want no reply.
 */
#include "hercules-devices/osa_internal.h"

#include "base/str.h"

#define REPLAY_TAG 0x8000u

static u8 *reserve(struct osa_engine *e, u32 len) {
    return e->link_up ? e->base.host->tx_reserve(e->base.host->ctx, len) : NULL;
}

static void commit(struct osa_engine *e, u32 len) {
    e->base.host->tx_commit(e->base.host->ctx, len);
    e->flush_due = true;
}

static bool send_attach(struct osa_engine *e) {
    u8 *msg = reserve(e, OSA_MSG_ATTACH_BYTES);
    if (!msg) return false;
    osa_msg_attach(msg, e->mode, e->router, e->params.lpar, e->params.devnum);
    commit(e, OSA_MSG_ATTACH_BYTES);
    return true;
}

static bool send_detach(struct osa_engine *e) {
    u8 *msg = reserve(e, OSA_MSG_HEADER_BYTES);
    if (!msg) return false;
    osa_msg_detach(msg);
    commit(e, OSA_MSG_HEADER_BYTES);
    return true;
}

static bool send_request(struct osa_engine *e, const struct osa_request *r, u16 tag) {
    u8 *msg = reserve(e, OSA_MSG_REQUEST_BYTES);
    if (!msg) return false;
    osa_msg_request(msg, tag, r);
    commit(e, OSA_MSG_REQUEST_BYTES);
    return true;
}

static struct osa_pending *pending_free(struct osa_engine *e) {
    for (u32 i = 0; i < OSA_PENDING_MAX; i++)
        if (!e->pending[i].tag) return &e->pending[i];
    return NULL;
}

u32 osa_request(struct osa_engine *e, const struct ipa_call *call, const struct osa_request *r) {
    if (e->card != OSA_CARD_UP && e->card != OSA_CARD_WAIT) return IPA_RC_LAN_OFFLINE;
    struct osa_pending *p = pending_free(e);
    if (!p) return IPA_RC_NO_STORAGE;
    e->tag = (u16)(e->tag % (REPLAY_TAG - 1) + 1);
    if (!send_request(e, r, e->tag)) return IPA_RC_NO_STORAGE;
    e->port_used = true;
    p->tag = e->tag;
    p->op = r->op;
    p->mask = r->mask;
    p->ack = call->ack;
    p->len = u32_min(call->len, OSA_PENDING_BYTES);
    memcpy(p->pdu, call->pdu, p->len);
    osa_flush(e);
    return IPA_RC_LATER;
}

/* ---- registrations of the session ---- */

static bool same_entry(const struct osa_entry *a, const struct osa_entry *b) {
    if (a->op != b->op || a->addr != b->addr) return false;
    return a->op == OSA_OP_SETIP || a->op == OSA_OP_ARP_ADD || memcmp(a->mac, b->mac, 6) == 0;
}

void osa_entry_remove(struct osa_engine *e, const struct osa_entry *entry) {
    for (u32 i = 0; i < OSA_ENTRIES_MAX; i++)
        if (e->entry[i].op && same_entry(&e->entry[i], entry)) e->entry[i].op = 0;
}

void osa_entry_add(struct osa_engine *e, const struct osa_entry *entry) {
    struct osa_entry *room = NULL;
    for (u32 i = 0; i < OSA_ENTRIES_MAX && !(room && room->op); i++) {
        if (e->entry[i].op ? same_entry(&e->entry[i], entry) : !room) room = &e->entry[i];
    }
    if (!room) {
        if (osa_count_drop(&e->count.entries_full))
            osa_log(e, ENGINE_WARNING, "more than %d registrations: a restarted card will not know all",
                    OSA_ENTRIES_MAX);
        return;
    }
    *room = *entry;
}

/* Registers again what the session has, from where the ring was full the last time. */
static void replay_run(struct osa_engine *e) {
    while (e->replay && e->replay <= OSA_ENTRIES_MAX) {
        const struct osa_entry *n = &e->entry[e->replay - 1];
        struct osa_request r = {
            .op = n->op, .flags = n->flags, .addr = n->addr, .mask = n->mask, .mac = n->mac};
        if (n->op && !send_request(e, &r, REPLAY_TAG)) return;
        e->replay++;
    }
    const struct osa_request last[] = {
        {.op = OSA_OP_SETRTG, .flags = e->router},
        {.op = OSA_OP_ASSIST, .mask = e->assists},
        {.op = OSA_OP_PROMISC, .flags = e->promisc, .mask = e->promisc},
        {.op = OSA_OP_STARTLAN},
    };
    const bool wanted[] = {e->router != 0 && e->mode == OSA_MODE_QDIO_L3, e->assists != 0, e->promisc,
                           e->lan_wanted};
    while (e->replay && e->replay <= OSA_ENTRIES_MAX + ARRAY_LEN(last)) {
        u32 i = e->replay - OSA_ENTRIES_MAX - 1;
        if (wanted[i] && !send_request(e, &last[i], REPLAY_TAG)) return;
        e->replay++;
    }
    e->replay = 0;
}

static void forget(struct osa_engine *e) {
    memset(e->entry, 0, sizeof e->entry);
    memset(e->pending, 0, sizeof e->pending);
    e->assists = e->ass_enabled = 0;
    e->router = e->params.router;
    e->promisc = e->lan_wanted = e->lan_told = e->port_used = false;
    e->replay = 0;
}

/* ---- attachment ---- */

void osa_attach_again(struct osa_engine *e, u8 mode) {
    bool attached = e->card == OSA_CARD_UP || e->card == OSA_CARD_WAIT;
    forget(e);
    e->mode = mode;
    if (!attached) return;
    e->card = OSA_CARD_WAIT;
    e->detach_due = e->attach_due = true;
    osa_attach_pump(e);
    osa_flush(e);
}

void osa_attach_pump(struct osa_engine *e) {
    if (e->detach_due && send_detach(e)) e->detach_due = false;
    if (e->attach_due && !e->detach_due && send_attach(e)) e->attach_due = false;
    if (e->replay && e->card == OSA_CARD_UP) replay_run(e);
}

/* The card is gone: nothing that was asked of it will be answered. */
static void card_lost(struct osa_engine *e, enum osa_card_state state) {
    e->card = state;
    e->lan_up = e->attach_due = e->detach_due = false;
    e->replay = 0;
    for (u32 i = 0; i < OSA_PENDING_MAX; i++) {
        if (!e->pending[i].tag) continue;
        struct osa_pending p = e->pending[i];
        e->pending[i].tag = 0;
        osa_ipa_answer(e, &p, OSA_RC_LAN_OFFLINE, NULL, 0);
    }
    osa_ipa_lan_event(e, false);
    osa_mpc_resume(e);
}

void osa_attach_link(struct osa_engine *e, bool up) {
    if (up == e->link_up) return;
    e->link_up = up;
    if (!up) {
        osa_log(e, ENGINE_WARNING, "connection to the card lost");
        card_lost(e, OSA_CARD_DOWN);
        return;
    }
    e->card = OSA_CARD_WAIT;
    e->attach_due = true;
    osa_attach_pump(e);
    osa_flush(e);
}

static void attached(struct osa_engine *e, const u8 *msg) {
    u32 rc = be32_get(msg + 8);
    /* The answer to an ATTACH that a DETACH has overtaken. */
    if (e->card != OSA_CARD_WAIT || e->attach_due) return;
    if (rc) {
        osa_log(e, ENGINE_ERROR, "the card refuses the attachment, return code %04X", rc);
        card_lost(e, OSA_CARD_FENCED);
        return;
    }
    e->card = OSA_CARD_UP;
    memcpy(e->mac, msg + 12, 6);
    e->frame_max = u32_min(u32_max(be32_get(msg + 20), 576), 65535);
    e->card_assists = be32_get(msg + 24);
    e->lan_up = msg[28] != 0;
    if (msg[29] && msg[29] != e->params.chpid_type)
        osa_log(e, ENGINE_WARNING, "the card's CHPID type is %02X, this device is defined as %02X", msg[29],
                e->params.chpid_type);
    e->replay = 1;
    osa_attach_pump(e);
    osa_mpc_resume(e);
}

static void answer(struct osa_engine *e, const u8 *msg, u32 len) {
    u16 tag = be16_get(msg + 2);
    u32 rc = be32_get(msg + 12);
    if (tag == REPLAY_TAG) {
        if (rc)
            osa_log(e, ENGINE_WARNING, "the card refuses to register again (operation %u), return code %04X",
                    msg[8], rc);
        if (msg[8] == OSA_OP_STARTLAN && !rc && e->lan_up) osa_ipa_lan_event(e, true);
        return;
    }
    for (u32 i = 0; i < OSA_PENDING_MAX; i++) {
        if (!tag || e->pending[i].tag != tag) continue;
        struct osa_pending p = e->pending[i];
        e->pending[i].tag = 0;
        osa_ipa_answer(e, &p, rc, msg + OSA_MSG_ANSWER_BYTES, len - OSA_MSG_ANSWER_BYTES);
        return;
    }
    e->count.msg_stale++;
}

static void event(struct osa_engine *e, const u8 *msg) {
    char text[IPADDR_TEXT_MAX];
    struct osa_entry lost = {.op = OSA_OP_SETIP, .addr = be32_get(msg + 12)};
    switch (msg[8]) {
    case OSA_EVENT_LAN_UP:
        e->lan_up = true;
        osa_ipa_lan_event(e, true);
        break;
    case OSA_EVENT_LAN_DOWN:
        e->lan_up = false;
        osa_ipa_lan_event(e, false);
        break;
    case OSA_EVENT_IP_LOST:
        osa_log(e, ENGINE_INFO, "%s was taken over by another LPAR", ipaddr_text(ipaddr_v4(lost.addr), text));
        osa_entry_remove(e, &lost);
        break;
    case OSA_EVENT_FENCED:
        osa_log(e, ENGINE_ERROR, "this system has been isolated from the card");
        card_lost(e, OSA_CARD_FENCED);
        break;
    default: e->count.msg_malformed++; break;
    }
}

void osa_attach_message(struct osa_engine *e, const u8 *msg, u32 len) {
    if (msg[0] == OSA_MSG_ATTACHED && len >= OSA_MSG_ATTACHED_BYTES)
        attached(e, msg);
    else if (msg[0] == OSA_MSG_ANSWER && len >= OSA_MSG_ANSWER_BYTES)
        answer(e, msg, len);
    else if (msg[0] == OSA_MSG_EVENT && len >= OSA_MSG_EVENT_BYTES)
        event(e, msg);
    else if (osa_count_drop(&e->count.msg_malformed))
        osa_log(e, ENGINE_WARNING, "malformed message of type %u, %u bytes, from the card", msg[0], len);
}
