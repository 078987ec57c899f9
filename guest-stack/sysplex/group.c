/* group.c - the XCF group of the stacks: joining, who is there, messages and their queue. See sysplex.h.
 *
 *   a member appears   -> peer added, dynamic XCF link; it is told everything, then SYNC
 *   its SYNC arrives   -> UP
 *   it left, failed    -> peer_down of every part, link removed, forgotten
 *
 * Telling is all or nothing: if the queue is full in the middle, the whole is told again later. All that is told is
 * state, not change, so hearing it twice does no harm.
 */
#include "sysplex/sysplex_impl.h"

#define QUEUE_HEAD 12

/* ---- the queue ---- */

static void ring_put(struct send_queue *q, const void *data, u32 len) {
    u32 at = q->head + q->used;
    if (at >= q->size) at -= q->size;
    u32 first = u32_min(len, q->size - at);
    memcpy(q->bytes + at, data, first);
    memcpy(q->bytes, (const u8 *)data + first, len - first);
    q->used += len;
}

static void ring_peek(const struct send_queue *q, u32 offset, void *out, u32 len) {
    u32 at = q->head + offset;
    if (at >= q->size) at -= q->size;
    u32 first = u32_min(len, q->size - at);
    memcpy(out, q->bytes + at, first);
    memcpy((u8 *)out + first, q->bytes, len - first);
}

static void ring_drop(struct send_queue *q, u32 len) {
    q->head += len;
    if (q->head >= q->size) q->head -= q->size;
    q->used -= len;
}

static bool queue_add(struct sysplex *sx, u32 token, u8 kind, const void *data, u32 len) {
    u8 head[QUEUE_HEAD] = {0};
    struct send_queue *q = &sx->queue;
    if (q->size - q->used < QUEUE_HEAD + len) {
        SX_COUNT(sx, queue_full);
        sx->send_failed = true;
        return false;
    }
    be32_put(head, token);
    head[4] = kind;
    be32_put(head + 8, len);
    ring_put(q, head, sizeof head);
    if (len) ring_put(q, data, len);
    SX_COUNT(sx, queued);
    sysplex_poll_by(sx, 0);
    return true;
}

/* ---- sending ---- */

static struct peer *peer_by_token(struct sysplex *sx, u32 token) {
    for (u32 i = 0; i < sx->peers_top; i++)
        if (sx->peer[i].pub.used && sx->peer[i].pub.token == token) return &sx->peer[i];
    return NULL;
}

/* To NULL: all. */
static inline int send_to(struct sysplex *sx, const struct sysplex_peer *to, u8 kind, const void *data, u32 len, u64 now) {
    u8 control[PLEXMSG_CONTROL];
    struct plexmsg_envelope e = {.kind = kind, .from_incarnation = sx->conf.incarnation, .from_epoch = sx->epoch};
    if (to) {
        e.to_incarnation = to->incarnation;
        e.to_epoch = to->epoch;
    }
    plexmsg_emit(control, &e);
    int rc = xcf_send(sx->member, to ? to->token : XCF_TO_ALL, control, data, len, now);
    if (rc == 0) SX_COUNT(sx, sent);
    return rc;
}

static int send_token(struct sysplex *sx, u32 token, u8 kind, const void *data, u32 len, u64 now) {
    if (token == XCF_TO_ALL) return send_to(sx, NULL, kind, data, len, now);
    const struct peer *p = peer_by_token(sx, token);
    return p ? send_to(sx, &p->pub, kind, data, len, now) : -ERR_NOENT;
}

static void queue_run(struct sysplex *sx, u64 now) {
    struct send_queue *q = &sx->queue;
    u8 head[QUEUE_HEAD];
    while (q->used) {
        ring_peek(q, 0, head, sizeof head);
        u32 len = be32_get(head + 8);
        ring_peek(q, QUEUE_HEAD, sx->tx, len);
        if (send_token(sx, be32_get(head), head[4], sx->tx, len, now) == -ERR_NOBUFS) return;
        ring_drop(q, QUEUE_HEAD + len);
    }
}

int sysplex_send(struct sysplex *sx, const struct sysplex_peer *to, u8 kind, const void *data, u32 len, u64 now) {
    CHECK(len <= PLEXMSG_DATA_MAX && kind < PLEXMSG_KINDS);
    if (!sx->member) return -ERR_NETDOWN;
    u32 token = to ? to->token : XCF_TO_ALL;
    if (!sx->queue.used) {
        int rc = to && !to->used ? -ERR_NOENT : send_to(sx, to, kind, data, len, now);
        if (rc != -ERR_NOBUFS) return rc;
    }
    return queue_add(sx, token, kind, data, len) ? 0 : -ERR_NOBUFS;
}

int group_send_now(struct sysplex *sx, const struct sysplex_peer *to, u8 kind, const void *data, u32 len, u64 now) {
    return sx->member && to->used ? send_to(sx, to, kind, data, len, now) : -ERR_NETDOWN;
}

/* ---- peers ---- */

struct sysplex_peer *sysplex_peer_at(struct sysplex *sx, u32 index) {
    struct peer *p = index < SYSPLEX_PEERS_MAX ? sx_peer(sx, (u8)index) : NULL;
    return p ? &p->pub : NULL;
}

struct sysplex_peer *sysplex_peer_next(struct sysplex *sx, const struct sysplex_peer *p, bool up_only) {
    for (u32 i = p ? p->index + 1u : 0; i < sx->peers_top; i++) {
        struct sysplex_peer *n = &sx->peer[i].pub;
        if (n->used && (n->up || !up_only)) return n;
    }
    return NULL;
}

struct sysplex_peer *sysplex_peer_by_dynxcf(struct sysplex *sx, struct ipaddr dynxcf) {
    struct sysplex_peer *p = NULL;
    if (ipaddr_is_any(dynxcf)) return NULL;
    while ((p = sysplex_peer_next(sx, p, false)) && !ipaddr_eq(p->dynxcf, dynxcf)) {
    }
    return p;
}

u64 sysplex_up_set(const struct sysplex *sx) {
    u64 set = 0;
    for (u32 i = 0; i < sx->peers_top; i++)
        if (sx->peer[i].pub.used && sx->peer[i].pub.up) set |= sx_bit((u8)i);
    return set;
}

static void peer_add(struct sysplex *sx, const struct xcf_member_info *info, u64 now) {
    struct plexmsg_ustate u;
    struct peer *p = NULL;
    for (u32 i = 0; i < SYSPLEX_PEERS_MAX && !p; i++)
        if (!sx->peer[i].pub.used) p = &sx->peer[i];
    if (!plexmsg_ustate_parse(info->ustate, &u) || !p) {
        if (p)
            SX_COUNT(sx, drop_stranger);
        else
            SX_COUNT(sx, peers_full);
        return;
    }
    p->pub = (struct sysplex_peer){.index = (u8)(p - sx->peer),
                                   .used = true,
                                   .token = info->token,
                                   .incarnation = u.incarnation,
                                   .epoch = u.epoch,
                                   .dynxcf = u.dynxcf,
                                   .mask = u.mask,
                                   .iqd = u.iqd};
    sx->peers_top = u32_max(sx->peers_top, p->pub.index + 1u);
    str_copy(p->pub.name, sizeof p->pub.name, info->name);
    str_copy(p->pub.system, sizeof p->pub.system, info->system);
    str_copy(p->pub.tcpname, sizeof p->pub.tcpname, u.tcpname);
    str_copy(p->pub.sysclone, sizeof p->pub.sysclone, u.sysclone);
    p->pub.same_image = strcmp(info->system, sx->sysname) == 0;
    list_init(&p->homes);
    list_init(&p->dvipas);
    list_init(&p->moved);
    p->tell_due = true;
    dynxcf_peer_link(sx, &p->pub, now);
    iqdio_peer(sx, &p->pub, now);
}

static void peer_gone(struct sysplex *sx, struct peer *p, u64 now) {
    p->pub.up = false;
    parts_peer_down(sx, &p->pub, now);
    p->pub.used = false;
}

/* All that this stack has to say, then SYNC. A joining stack says it before it is in sync itself. */
static void peer_tell(struct sysplex *sx, struct peer *p, u64 now) {
    sx->send_failed = false;
    parts_tell(sx, &p->pub, now);
    if (!sx->send_failed) sysplex_send(sx, &p->pub, PLEXMSG_SYNC, NULL, 0, now);
    p->tell_due = sx->send_failed;
}

/* ---- exits ---- */

/* A record may be news of a member known already: its DYNAMICXCF was defined after it had joined; its HiperSockets LAN came or went. */
static void peer_changed(struct sysplex *sx, struct peer *p, const struct xcf_member_info *info, u64 now) {
    struct plexmsg_ustate u;
    if (!plexmsg_ustate_parse(info->ustate, &u) || u.incarnation != p->pub.incarnation) return;
    p->pub.iqd = u.iqd;
    if (!ipaddr_eq(u.dynxcf, p->pub.dynxcf)) {
        p->pub.dynxcf = u.dynxcf;
        p->pub.mask = u.mask;
        dynxcf_peer_link(sx, &p->pub, now);
    }
    iqdio_peer(sx, &p->pub, now);
}

static void group_exit(void *ctx, const struct xcf_event *e, u64 now) {
    struct sysplex *sx = ctx;
    u32 token = e->member.token;
    struct peer *p = token ? peer_by_token(sx, token) : NULL;
    sysplex_poll_by(sx, 0);
    switch (e->kind) {
    case XCF_EV_JOINED:
        if (sx->member && token == xcf_member_token(sx->member)) return;
        if (!p) peer_add(sx, &e->member, now);
        break;
    case XCF_EV_USTATE:
        if (p) peer_changed(sx, p, &e->member, now);
        break;
    case XCF_EV_LEFT:
    case XCF_EV_QUIESCED:
    case XCF_EV_FAILED:
        if (p) peer_gone(sx, p, now);
        break;
    case XCF_EV_DUPLICATE:
        stack_message(sx->stk, "PLX0500E %s IS IN GROUP %s ALREADY ON ANOTHER SYSTEM: %s HAS LEFT IT", sx->member_name,
                      SYSPLEX_GROUP, sx->tcpname);
        sx->member = NULL; /* XCF has ended it */
        group_leave(sx, now);
        sx->by_operator = true;
        break;
    default: break;
    }
}

static void message_exit(void *ctx, const struct xcf_msg *m, u64 now) {
    struct sysplex *sx = ctx;
    struct plexmsg_envelope e;
    xcf_no_news(m); /* sysplex_due() and the stack say what is left to do */
    struct peer *p = peer_by_token(sx, xcf_msg_from(m));
    if (!plexmsg_parse(xcf_msg_control(m), &e)) {
        SX_COUNT(sx, drop_form);
        return;
    }
    if (!p || !xcf_msg_from(m)) {
        SX_COUNT(sx, drop_stranger);
        return;
    }
    bool for_us = e.to_incarnation == 0 ||
                  (e.to_incarnation == sx->conf.incarnation && e.to_epoch == sx->epoch);
    if (e.from_incarnation != p->pub.incarnation || e.from_epoch != p->pub.epoch || !for_us) {
        SX_COUNT(sx, drop_stale);
        return;
    }
    u32 len = xcf_msg_copy(m, 0, sx->rx, PLEXMSG_DATA_MAX);
    SX_COUNT(sx, received);
    const struct sysplex_part *part = sx->part_of_kind[e.kind] ? &sx->part[sx->part_of_kind[e.kind] - 1] : NULL;
    if (!part || !part->ops->says_due) sysplex_poll_by(sx, 0);
    if (e.kind == PLEXMSG_SYNC) {
        if (p->pub.up) return;
        p->pub.up = true;
        parts_peer_up(sx, &p->pub, now);
        return;
    }
    if (!part || !part->ops->message) {
        SX_COUNT(sx, drop_kind);
        return;
    }
    part->ops->message(part->ctx, &p->pub, e.kind, sx->rx, len, now);
}

static const struct xcf_exits exits = {.message = message_exit, .group = group_exit};

/* ---- joining and leaving ---- */

int group_join(struct sysplex *sx, u64 now) {
    struct xcf_member_info info[SYSPLEX_PEERS_MAX];
    struct plexmsg_ustate u = dynxcf_ustate(sx);
    struct xcf_join j = {.group = SYSPLEX_GROUP, .member = sx->member_name, .exits = &exits, .ctx = sx};
    if (sx->member) return -ERR_ALREADY;
    if (!sx->xcf) return -ERR_NETDOWN;
    u.epoch = sx->epoch + 1;
    plexmsg_ustate_emit(j.ustate, &u);
    int rc = xcf_join(sx->xcf, &j, &sx->member, now);
    if (rc) {
        sx->member = NULL;
        return rc;
    }
    sx->epoch++;
    sx->state = SYSPLEX_JOINED;
    sx->joined_at = now;
    sx->queue.head = sx->queue.used = 0;
    u32 n = u32_min(xcf_query(sx->xcf, SYSPLEX_GROUP, info, ARRAY_LEN(info)), ARRAY_LEN(info));
    for (u32 i = 0; i < n; i++)
        if (info[i].state == XCF_MEMBER_ACTIVE && info[i].token != xcf_member_token(sx->member) &&
            !peer_by_token(sx, info[i].token))
            peer_add(sx, &info[i], now);
    stack_message(sx->stk, "EZD1176I %s HAS SUCCESSFULLY JOINED THE TCP/IP SYSPLEX GROUP %s", sx->tcpname,
                  SYSPLEX_GROUP);
    return 0;
}

void group_leave(struct sysplex *sx, u64 now) {
    if (sx->state == SYSPLEX_OUT) return;
    sx->state = SYSPLEX_OUT;
    parts_left(sx, now); /* addresses go out of the OSAs before the others hear that this stack has left */
    for (u32 i = 0; i < sx->peers_top; i++)
        if (sx->peer[i].pub.used) peer_gone(sx, &sx->peer[i], now);
    if (sx->member) xcf_leave(sx->member, now);
    sx->member = NULL;
    sx->queue.head = sx->queue.used = 0;
}

/* Is every member that XCF lists UP here, and does it list all? One that has joined on a system whose signals are lost is not known, nor is this one
 * there: each would own what the other has, until the operator says which of the systems goes on. */
static bool all_up(struct sysplex *sx) {
    for (u32 i = 0; i < sx->peers_top; i++)
        if (sx->peer[i].pub.used && !sx->peer[i].pub.up) return false;
    return xcf_synced(sx->xcf) && xcf_reaches_all(sx->xcf);
}

u64 group_poll(struct sysplex *sx, u64 now) {
    if (sx->state == SYSPLEX_OUT) return TIME_NEVER;
    if (sx->queue.used) queue_run(sx, now);
    u64 next = sx->queue.used ? now + 10 * USEC_PER_MSEC : TIME_NEVER;
    for (u32 i = 0; i < sx->peers_top; i++) {
        struct peer *p = &sx->peer[i];
        if (!p->pub.used || !p->tell_due) continue;
        peer_tell(sx, p, now);
        if (p->tell_due) next = u64_min(next, now + 10 * USEC_PER_MSEC);
    }
    if (sx->state != SYSPLEX_JOINED) return next;
    if (now < sx->joined_at + SX_SETTLE_US) return u64_min(next, sx->joined_at + SX_SETTLE_US);
    if (!all_up(sx)) return u64_min(next, now + 50 * USEC_PER_MSEC); /* XCF tells nobody when that changes */
    sx->state = SYSPLEX_IN_SYNC;
    parts_in_sync(sx, now);
    return now;
}
