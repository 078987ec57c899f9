/* message.c - messages of members: cut into segments when sent (signal_message()), handed to the message exit when whole.
 *
 * xcf_send() copies the message once into segments; the receiver copies it once out of them (xcf_msg_copy),
 * so a message is never put together in between. A send is all or nothing, also to a whole group. Refused
 * with -ERR_NOBUFS, and the room exit called when it is worth another try:
 *   MAXMSG of the class is under way to a system    room: half of it is free again towards each such system
 *   the pool has only its reserve                   room: half of the pool is free again
 */
#include "xcf/xcf_impl.h"

static u32 segments_for(u32 len) {
    return (XCFMSG_MESSAGE + len + XCFMSG_BODY_MAX - 1) / XCFMSG_BODY_MAX;
}

/* ---- sending ---- */

static bool pool_has(const struct xcf *x, u32 segments) {
    return x->tx_pool.count - x->tx_pool.in_use >= segments + XCF_SEGMENTS_SPARE;
}

static u32 class_kb(const struct xcf *x, u32 slot, u32 class_index) {
    return slot == 0 ? x->couple.localmsg_kb : x->couple.class_def[class_index].maxmsg_kb;
}

static bool class_has(const struct xcf *x, u32 slot, u32 class_index, u32 len) {
    u32 under_way = x->sys[slot].tx.class_bytes[class_index];
    /* An idle class takes any message, or one above MAXMSG could never be sent. */
    return under_way == 0 || (under_way + len) / 1024 < class_kb(x, slot, class_index);
}

bool message_control(struct xcf *x, struct xcf_sys *s, const struct xcfmsg_message *head, const u8 *data,
                     u64 now) {
    UNUSED(now);
    if (x->tx_pool.in_use == x->tx_pool.count) return false;
    signal_message(x, s, head, data, 0);
    return true;
}

static inline void send_one(struct xcf_member *m, const struct xcf_member *to, struct xcfmsg_message *head,
                     const void *data, u32 class_index, u64 now) {
    struct xcf *x = m->x;
    struct xcf_sys *s = &x->sys[to->slot];
    head->to = to->number;
    signal_message(x, s, head, data, class_index);
    x->count.messages_sent++;
    if (to->slot == 0) x->count.messages_local++;
    signal_pump(x, s, now);
}

static int refused(struct xcf_member *m, u32 class_index, u32 slots) {
    struct xcf *x = m->x;
    x->count.send_no_buffer++;
    x->starved = m->starved = true;
    m->starved_class = (u8)class_index;
    m->starved_slots |= slots;
    if (!slots) return -ERR_NOBUFS;
    x->count.send_maxmsg++;
    for (u32 i = 0; i < x->systems; i++)
        if (slots & 1u << i) x->sys[i].tx.class_refused[class_index]++;
    return -ERR_NOBUFS;
}

/* To one member: 0, or refused. The partner must know the sender before it hears from it. */
static int possible_one(struct xcf_member *m, const struct xcf_member *to, u32 len, u32 class_index, u64 now) {
    struct xcf *x = m->x;
    bool unknown = to->slot && m->dirty & 1u << to->slot;
    if (unknown && !member_record_one(m, &x->sys[to->slot], now)) return refused(m, class_index, 0);
    if (!class_has(x, to->slot, class_index, len)) return refused(m, class_index, 1u << to->slot);
    return pool_has(x, segments_for(len)) ? 0 : refused(m, class_index, 0);
}

/* Whom a message to the whole group goes to, in turn: NULL begins and ends. */
static struct xcf_member *other_next(const struct xcf_member *m, struct xcf_member *at) {
    struct list *it = at ? at->node.next : m->group->members.next;
    for (; it != &m->group->members; it = it->next) {
        struct xcf_member *t = LIST_ENTRY(it, struct xcf_member, node);
        if (t != m && t->state == XCF_MEMBER_ACTIVE) return t;
    }
    return NULL;
}

static int possible_all(struct xcf_member *m, u32 len, u32 class_index, u64 now) {
    struct xcf *x = m->x;
    u32 targets = 0, full = 0, to[XCF_SYSTEMS_MAX] = {0}; /* messages to each system */
    for (struct xcf_member *t = NULL; (t = other_next(m, t)) != NULL; targets++) {
        if (t->slot && !member_record_one(m, &x->sys[t->slot], now)) return refused(m, class_index, 0);
        if (!class_has(x, t->slot, class_index, len * ++to[t->slot])) full |= 1u << t->slot;
    }
    if (!targets) return -ERR_NOENT;
    if (full) return refused(m, class_index, full);
    return pool_has(x, targets * segments_for(len)) ? 0 : refused(m, class_index, 0);
}

static int send_all(struct xcf_member *m, struct xcfmsg_message *head, const void *data, u32 class_index, u64 now) {
    int rc = possible_all(m, head->bytes, class_index, now);
    if (rc) return rc;
    for (struct xcf_member *t = NULL; (t = other_next(m, t)) != NULL;) send_one(m, t, head, data, class_index, now);
    return 0;
}

int xcf_send(struct xcf_member *m, u32 to, const u8 *control, const void *data, u32 len, u64 now) {
    struct xcf *x = m->x;
    if (x->stopped) return -ERR_NETDOWN;
    if (len > XCFMSG_DATA_MAX) return -ERR_MSGSIZE;
    if (m->state != XCF_MEMBER_ACTIVE) return -ERR_NOENT;
    u32 class_index = couple_class_for(&x->couple, m->group->name, len);
    struct xcfmsg_message head = {.kind = XCFMSG_USER, .bytes = len, .from = m->number};
    if (control) memcpy(head.control, control, XCFMSG_CONTROL);
    if (to == XCF_TO_ALL) return send_all(m, &head, data, class_index, now);
    const struct xcf_member *one = member_by_token(x, to);
    if (!one || one->group != m->group || one->state != XCF_MEMBER_ACTIVE) return -ERR_NOENT;
    int rc = possible_one(m, one, len, class_index, now);
    if (rc == 0) send_one(m, one, &head, data, class_index, now);
    return rc;
}

/* Half free, not a single buffer, so that members do not come for each. */
static bool class_has_room(const struct xcf *x, const struct xcf_member *m) {
    for (u32 i = 0; i < x->systems; i++)
        if (m->starved_slots & 1u << i &&
            x->sys[i].tx.class_bytes[m->starved_class] / 512 > class_kb(x, i, m->starved_class))
            return false;
    return true;
}

void message_room(struct xcf *x, u64 now) {
    if (!x->starved || x->tx_pool.in_use > x->tx_pool.count / 2) return;
    x->starved = false;
    for (u32 i = 0; i < x->members_max && !x->stopped; i++) {
        struct xcf_member *m = &x->member[i];
        if (!m->used || !m->starved) continue;
        if (!class_has_room(x, m)) {
            x->starved = true;
            continue;
        }
        m->starved = false;
        m->starved_slots = 0;
        if (m->state == XCF_MEMBER_ACTIVE && m->exits && m->exits->room) m->exits->room(m->ctx, now);
    }
}

/* ---- receiving ---- */

static void user_in(struct xcf *x, struct xcf_sys *s, u64 now) {
    struct xcf_rx *rx = &s->rx;
    struct xcf_member *to = member_find(x, 0, rx->head.to);
    struct xcf_member *from = member_find(x, sys_slot(x, s), rx->head.from);
    if (!to || to->state != XCF_MEMBER_ACTIVE || (from && from->group != to->group)) {
        x->count.drop_no_member++; /* it has left while the message was under way */
        return;
    }
    bool no_news = false;
    x->count.messages_received++;
    struct xcf_msg m = {.from_sys = s, .segments = &rx->partial, .head = &rx->head, .no_news = &no_news};
    m.from_token = from ? from->token : 0;
    if (to->exits && to->exits->message) to->exits->message(to->ctx, &m, now);
    if (!no_news) x->loud = true;
}

static void record_in(struct xcf *x, struct xcf_sys *s, u64 now) {
    u8 record[XCFMSG_MEMBER_RECORD];
    struct xcfmsg_member r;
    struct xcf_msg m = {.from_sys = s, .segments = &s->rx.partial, .head = &s->rx.head};
    xcf_msg_copy(&m, 0, record, sizeof record);
    if (xcfmsg_member_parse(record, &r))
        member_record_in(x, s, s->rx.head.from, &r, now);
    else
        x->count.drop_message_form++;
}

void message_in(struct xcf *x, struct xcf_sys *s, u64 now) {
    if (s->rx.head.kind != XCFMSG_USER) x->loud = true;
    switch (s->rx.head.kind) {
    case XCFMSG_USER: user_in(x, s, now); break;
    case XCFMSG_MEMBER: record_in(x, s, now); break;
    case XCFMSG_SYNC: s->synced = true; break;
    default: x->count.drop_message_form++; break;
    }
}

u32 xcf_msg_bytes(const struct xcf_msg *m) {
    return m->head->bytes;
}
void xcf_no_news(const struct xcf_msg *m) {
    *m->no_news = true;
}
u32 xcf_msg_from(const struct xcf_msg *m) {
    return m->from_token;
}
const u8 *xcf_msg_control(const struct xcf_msg *m) {
    return m->head->control;
}

u32 xcf_msg_copy(const struct xcf_msg *m, u32 offset, void *to, u32 n) {
    u32 at = 0, done = 0, skip = XCFMSG_MESSAGE; /* at: offset in the message of this segment's data */
    LIST_FOR_EACH(it, m->segments) {
        const struct xcf_seg *g = LIST_ENTRY(it, struct xcf_seg, node);
        u32 have = g->bytes - skip;
        u32 want = offset + done;
        if (done == n) break;
        if (want < at + have) {
            u32 part = u32_min(n - done, at + have - want);
            memcpy((u8 *)to + done, g->block + XCFMSG_HEADER + skip + (want - at), part);
            done += part;
        }
        at += have;
        skip = 0;
    }
    return done;
}
