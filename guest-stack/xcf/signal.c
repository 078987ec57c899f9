/* signal.c - segments between two systems: in order, once, over whichever paths work.
 *
 * Sender: segments are numbered per partner from 1 and stay queued until acknowledged. The first XCF_WINDOW
 * of the queue may be under way. A segment goes over a working path of its class, devices before structures, or
 * of any class if its own has none; when that path fails, or XCF_RESEND_US pass without acknowledgement, it is sent again. Receiver:
 * takes the number expected, keeps early ones within the window, drops the rest, and acknowledges the next
 * number expected: with each block that it sends, after XCF_ACK_EVERY segments, after XCF_ACK_DELAY_US, or when it is asked: by a
 * sender that has used half of the window, of its class's MAXMSG or of its buffers.
 * Early segments may be dropped at will (they were not acknowledged), so the buffers that are left always
 * suffice for the one that is expected and a partner cannot starve another. Numbers are compared as signed
 * distances. They do not begin anew while both incarnations live.
 */
#include "xcf/xcf_impl.h"

static bool before(u32 a, u32 b) {
    return (i32)(a - b) < 0;
}

/* ---- lists ---- */

static struct xcf_seg *seg_at(struct list *n) {
    return LIST_ENTRY(n, struct xcf_seg, node);
}

static void list_free(struct list *head, struct pool *pool) {
    for (struct list *n; (n = list_pop_front(head)) != NULL;) pool_put(pool, seg_at(n));
}

/* A block to s is on its way, and each says what has arrived. */
static void acked(struct xcf_sys *s) {
    s->rx.unacked = 0;
    s->rx.asked = false;
    s->rx.ack_due = TIME_NEVER;
}

void signal_reset(struct xcf *x, struct xcf_sys *s) {
    list_free(&s->tx.queue, &x->tx_pool);
    list_free(&s->rx.early, &x->rx_pool);
    list_free(&s->rx.partial, &x->rx_pool);
    memset(s->tx.class_bytes, 0, sizeof s->tx.class_bytes);
    s->tx.unsent = &s->tx.queue;
    s->tx.next = s->tx.una = s->rx.next = 1;
    s->tx.queued = s->rx.have = 0;
    acked(s);
}

/* ---- sending ---- */

/* A segment of a message: head begins it, or NULL; then part bytes of its data. */
static inline void seg_queue(struct xcf *x, struct xcf_sys *s, u32 class_index, const struct xcfmsg_message *head, const u8 *data, u32 part,
                             u32 flags) {
    struct xcf_seg *g = pool_get(&x->tx_pool);
    CHECK(g != NULL);
    u8 *body = g->block + XCFMSG_HEADER;
    u32 header = head ? XCFMSG_MESSAGE : 0;
    if (head) xcfmsg_message_emit(body, head);
    if (part) memcpy(body + header, data, part);
    g->seq = s->tx.next++;
    g->bytes = (u16)(header + part);
    g->class_index = (u8)class_index;
    g->flags = (u8)flags;
    g->path = g->tried = NULL;
    s->tx.queued++;
    s->tx.class_bytes[class_index] += header + part;
    list_push_back(&s->tx.queue, &g->node);
    if (s->tx.unsent == &s->tx.queue) s->tx.unsent = &g->node;
}

void signal_message(struct xcf *x, struct xcf_sys *s, const struct xcfmsg_message *head, const u8 *data, u32 class_index) {
    u32 left = head->bytes, part = u32_min(left, XCFMSG_BODY_MAX - XCFMSG_MESSAGE);
    seg_queue(x, s, class_index, head, data, part, XCFMSG_FIRST | (part == left ? XCFMSG_LAST : 0));
    while ((left -= part) != 0) {
        data += part;
        part = u32_min(left, XCFMSG_BODY_MAX);
        seg_queue(x, s, class_index, NULL, data, part, part == left ? XCFMSG_LAST : 0);
    }
    if (s == x->sys) poll_by(x, 0); /* no path pumps it */
}

/* Round robin among paths of its kind: a partner's devices stand in front of its structures, so that the first is nearly always it. */
static struct xcf_path *path_take(struct xcf_sys *s, struct xcf_path *p) {
    struct list *after = p->node.next;
    while (after != &s->out && LIST_ENTRY(after, struct xcf_path, node)->couple.structure == p->couple.structure) after = after->next;
    if (after == p->node.next) return p;
    list_del(&p->node);
    list_add_between(&p->node, after->prev, after);
    return p;
}

/* How good a path is for a message of this class; the first is best. A device carries a block in one step; a structure in two, with its
 * facility in between, and what came that way would make the rest wait, for messages are presented in order. */
enum path_rank { RANK_DEVICE, RANK_STRUCTURE, RANK_OTHER_CLASS, RANK_LATE, RANK_TRIED, RANK_NONE };

static enum path_rank path_rank(const struct xcf_path *p, u32 class_index, const struct xcf_path *tried) {
    if (p == tried) return RANK_TRIED;
    if (p->late) return RANK_LATE;
    if (p->couple.class_index != class_index) return RANK_OTHER_CLASS;
    return p->couple.structure ? RANK_STRUCTURE : RANK_DEVICE;
}

/* The best working path that has room; of several as good the one that was used longest ago. NULL: none, or a better one of the class
 * is busy, which will have room soon: a block that overtakes it gains nothing, and other classes keep their paths. */
static struct xcf_path *path_best(struct xcf_sys *s, u32 class_index, const struct xcf_path *tried) {
    struct xcf_path *best = NULL;
    enum path_rank rank, best_rank = RANK_NONE, busy_rank = RANK_OTHER_CLASS;
    LIST_FOR_EACH(it, &s->out) {
        struct xcf_path *p = LIST_ENTRY(it, struct xcf_path, node);
        if (p->broken || (rank = path_rank(p, class_index, tried)) >= best_rank) continue;
        if (p->busy) {
            if (rank < busy_rank) busy_rank = rank;
            continue;
        }
        best = p;
        best_rank = rank;
        if (rank == RANK_DEVICE) break;
    }
    bool better_is_busy = busy_rank < RANK_OTHER_CLASS && busy_rank < best_rank;
    return best && !better_is_busy ? path_take(s, best) : NULL;
}

/* A device of the class that has room stands in front of all others nearly always. */
static inline struct xcf_path *path_for(struct xcf_sys *s, u32 class_index, const struct xcf_path *tried) {
    struct xcf_path *first = LIST_ENTRY(s->out.next, struct xcf_path, node);
    bool good = !list_empty(&s->out) && !first->broken && !first->busy && path_rank(first, class_index, tried) == RANK_DEVICE;
    return good ? path_take(s, first) : path_best(s, class_index, tried);
}

/* Runs this system short of what an acknowledgement would give back? Then each XCF_ASK_EVERYth segment asks for one. */
static bool asks(const struct xcf *x, const struct xcf_sys *s, const struct xcf_seg *g) {
    if (g->seq % XCF_ASK_EVERY) return false;
    u32 class_kb = x->couple.class_def[g->class_index].maxmsg_kb;
    return g->seq - s->tx.una >= XCF_WINDOW / 2 || s->tx.class_bytes[g->class_index] / 512 >= class_kb ||
           x->tx_pool.in_use >= x->tx_pool.count / 2;
}

static bool seg_send(struct xcf *x, struct xcf_sys *s, struct xcf_seg *g, u64 now) {
    struct xcfmsg_header h = {.type = XCFMSG_DATA, .seq = g->seq, .flags = g->flags};
    if (asks(x, s, g)) h.flags |= XCFMSG_ASKS;
    h.bytes = (u16)(XCFMSG_HEADER + g->bytes);
    for (struct xcf_path *p; (p = path_for(s, g->class_index, g->tried)) != NULL;) {
        if (!path_send(p, g->block, &h)) {
            if (!p->busy && !p->broken) return false;
            continue; /* the next path; what a broken one had is sent again when its adapter says that it is down */
        }
        g->path = g->tried = p;
        g->sent_at = now;
        poll_by(x, now + XCF_RESEND_US);
        x->count.segments_sent++;
        acked(s);
        return true;
    }
    return false;
}

void signal_pump(struct xcf *x, struct xcf_sys *s, u64 now) {
    if (s->tx.unsent == &s->tx.queue && !s->dirty && !s->sync_due) return; /* nothing waits */
    xcf_lapse_check(x, now);
    if (x->stopped || x->suspect || !sys_in(s) || s == x->sys) return;
    if (s->dirty || s->sync_due) member_records_out(x, s, now);
    for (; s->tx.unsent != &s->tx.queue; s->tx.unsent = s->tx.unsent->next) {
        struct xcf_seg *g = seg_at(s->tx.unsent);
        if (g->seq - s->tx.una >= XCF_WINDOW || (!g->path && !seg_send(x, s, g, now))) break;
    }
}

/* A segment is to be sent again: from the front, so that the partner gets the one that it waits for. */
static void seg_again(struct xcf *x, struct xcf_sys *s, struct xcf_seg *g) {
    g->path = NULL;
    s->tx.unsent = s->tx.queue.next;
    x->count.segments_again++;
}

void signal_path_lost(struct xcf *x, struct xcf_path *p, u64 now) {
    struct xcf_sys *s = &x->sys[p->slot];
    LIST_FOR_EACH(it, &s->tx.queue) {
        struct xcf_seg *g = seg_at(it);
        if (g->path == p) seg_again(x, s, g);
    }
    signal_pump(x, s, now);
}

void signal_ack(struct xcf *x, struct xcf_sys *s, u32 ack, u64 now) {
    if (ack == s->tx.una) return;
    if (before(ack, s->tx.una) || before(s->tx.next, ack)) {
        x->count.drop_ack++; /* late, over a slower path; or nonsense */
        return;
    }
    struct xcf_path *heard = NULL;
    while (s->tx.una != ack) {
        struct xcf_seg *g = seg_at(s->tx.queue.next);
        CHECK(g->seq == s->tx.una);
        if (s->tx.unsent == &g->node) s->tx.unsent = g->node.next; /* it was to be sent again */
        list_del(&g->node);
        s->tx.una++;
        s->tx.queued--;
        s->tx.class_bytes[g->class_index] -= g->bytes;
        if (g->path && g->path != heard) { /* what arrives is heard, also when HELLO waits behind it */
            heard = g->path;
            heard->heard_at = now;
            heard->late = false;
        }
        pool_put(&x->tx_pool, g);
    }
    if (x->starved) poll_by(x, now);
    signal_pump(x, s, now);
}

/* ---- receiving ---- */

static void ack_out(struct xcf *x, struct xcf_sys *s) {
    u8 block[XCFMSG_HEADER];
    u32 tries = s->out_working;
    for (struct xcf_path *p; tries && (p = path_for(s, 0, NULL)) != NULL; tries--) {
        struct xcfmsg_header h = {.type = XCFMSG_ACK, .bytes = XCFMSG_HEADER};
        if (!path_send(p, block, &h)) continue;
        x->count.acks_sent++;
        break;
    }
    /* Without a path now, the HELLO of the next one will carry it. */
    acked(s);
}

/* In number order into the message that is being put together. */
static void seg_in_order(struct xcf *x, struct xcf_sys *s, struct xcf_seg *g, u64 now) {
    struct xcf_rx *rx = &s->rx;
    u32 header = 0;
    bool good = true;
    rx->next++;
    if (g->flags & XCFMSG_ASKS) rx->asked = true;
    if (g->flags & XCFMSG_FIRST) {
        header = XCFMSG_MESSAGE;
        good = list_empty(&rx->partial) && xcfmsg_message_parse(g->block + XCFMSG_HEADER, &rx->head);
        rx->have = 0;
    } else {
        good = !list_empty(&rx->partial);
    }
    rx->have += g->bytes - header;
    bool last = g->flags & XCFMSG_LAST;
    good = good && rx->have <= rx->head.bytes && (!last || rx->have == rx->head.bytes);
    list_push_back(&rx->partial, &g->node);
    if (!good) {
        x->count.drop_message_form++;
        list_free(&rx->partial, &x->rx_pool);
    } else if (last) {
        u64 incarnation = s->id.incarnation;
        message_in(x, s, now);
        /* An exit may have ended this system; a partner cannot have been replaced from inside an exit. */
        CHECK(s->id.incarnation == incarnation);
        list_free(&rx->partial, &x->rx_pool);
    }
}

static void early_insert(struct xcf_rx *rx, struct xcf_seg *g) {
    struct list *at = rx->early.next;
    while (at != &rx->early && before(seg_at(at)->seq, g->seq)) at = at->next;
    list_add_between(&g->node, at->prev, at);
}
static bool early_has(struct xcf_rx *rx, u32 seq) {
    LIST_FOR_EACH(it, &rx->early)
    if (seg_at(it)->seq == seq) return true;
    return false;
}

/* Buffers that must stay for numbers expected: each partner may have all but the last segment of a message.
 */
static bool buffers_low(const struct xcf *x) {
    return x->rx_pool.count - x->rx_pool.in_use <= x->systems * XCF_SEGMENTS_MSG;
}

static struct xcf_seg *seg_copy(struct xcf *x, const struct xcfmsg_header *h, const u8 *body, bool early) {
    struct xcf_seg *g = early && buffers_low(x) ? NULL : pool_get(&x->rx_pool);
    if (!g) {
        x->count.drop_no_buffer++;
        return NULL;
    }
    g->seq = h->seq;
    g->bytes = (u16)(h->bytes - XCFMSG_HEADER);
    g->flags = h->flags;
    memcpy(g->block + XCFMSG_HEADER, body, g->bytes);
    list_init(&g->node);
    return g;
}

void signal_data(struct xcf *x, struct xcf_sys *s, const struct xcfmsg_header *h, const u8 *body, u64 now) {
    struct xcf_rx *rx = &s->rx;
    bool early = h->seq != rx->next;
    x->count.segments_received++;
    if (x->suspect) return; /* not acknowledged: it comes again when we know that we are in */
    if (before(h->seq, rx->next) || (early && early_has(rx, h->seq))) {
        x->count.drop_duplicate++;
        ack_out(x, s); /* our acknowledgement was lost with its path */
        return;
    }
    if (h->seq - rx->next >= XCF_WINDOW) {
        x->count.drop_window++;
        return;
    }
    struct xcf_seg *g = seg_copy(x, h, body, early);
    if (!g) return;
    if (early) {
        early_insert(rx, g);
        return;
    }
    seg_in_order(x, s, g, now);
    rx->unacked++;
    while (!list_empty(&rx->early) && seg_at(rx->early.next)->seq == rx->next && !x->stopped) {
        seg_in_order(x, s, seg_at(list_pop_front(&rx->early)), now);
        rx->unacked++;
    }
    if (x->stopped) return;
    if (rx->unacked >= XCF_ACK_EVERY || (rx->unacked && rx->asked))
        ack_out(x, s);
    else if (rx->unacked && rx->ack_due == TIME_NEVER)
        poll_by(x, rx->ack_due = now + XCF_ACK_DELAY_US);
}

/* ---- within this system: slot 0 has a queue like any partner, and no path ---- */

void signal_local(struct xcf *x, u64 now) {
    struct xcf_sys *s = &x->sys[0];
    u32 end = s->tx.next; /* what exits send now waits for the next poll: no member can keep us here */
    while (!list_empty(&s->tx.queue) && !x->stopped && seg_at(s->tx.queue.next)->seq != end) {
        struct xcf_seg *g = seg_at(s->tx.queue.next);
        struct xcfmsg_header h = {.seq = g->seq, .flags = g->flags, .bytes = (u16)(XCFMSG_HEADER + g->bytes)};
        u32 expected = s->rx.next;
        signal_data(x, s, &h, g->block + XCFMSG_HEADER, now);
        if (s->rx.next == expected) break;
        signal_ack(x, s, s->rx.next, now);
    }
    acked(s);
}

/* ---- time ---- */

void signal_timers(struct xcf *x, u64 now) {
    for (u32 i = 1; i < x->slots; i++) {
        struct xcf_sys *s = &x->sys[i];
        u32 n = 0;
        if (!sys_in(s)) continue;
        if (s->rx.ack_due <= now) ack_out(x, s);
        LIST_FOR_EACH(it, &s->tx.queue) {
            struct xcf_seg *g = seg_at(it);
            if (++n > XCF_WINDOW) break;
            if (!g->path || now - g->sent_at < XCF_RESEND_US) continue;
            g->path->late = true;
            seg_again(x, s, g);
        }
        signal_pump(x, s, now);
    }
}

u64 signal_due(const struct xcf *x) {
    u64 due = list_empty(&x->sys[0].tx.queue) || x->suspect ? TIME_NEVER : 0;
    for (u32 i = 1; i < x->slots; i++) {
        const struct xcf_sys *s = &x->sys[i];
        if (!sys_in(s)) continue;
        due = u64_min(due, s->rx.ack_due);
        if (list_empty(&s->tx.queue)) continue;
        const struct xcf_seg *g = LIST_ENTRY(s->tx.queue.next, struct xcf_seg, node);
        if (g->path) due = u64_min(due, g->sent_at + XCF_RESEND_US);
    }
    return due;
}
