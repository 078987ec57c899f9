/* mpcipa_queue.c - the queues of a QDIO device: one for input, one for output, 128 buffers each. Layouts and
 * rules of the states: wire/osa.h.
 *
 * Storage. Only `slots` buffers of a queue have storage at a time: SBAL i uses slot i % slots for ever, 16
 * pages in a row, one page an SBALE. So addresses are written once, a packet that fills its SBALEs is
 * contiguous, and a slot is free when the SBAL that used it last, i - slots, is back.
 *
 * Input. A PCI starts mpcipa_queue_input(). Each buffer taken is answered by giving the card the SBAL one
 * round ahead. The buffer taken last stands in state ACK, which keeps the card from interrupting; before
 * going to sleep it is set to NOT_INIT and the queue looked at once more, so no buffer is left lying. The
 * card is rung (SIGA-r) only if it may have run out of buffers meanwhile: if the last one it had before this
 * batch is used. After INPUT_BATCH buffers the rest waits for the next stack_poll(), so that timers and
 * output get their turn.
 *
 * Output. Packets are gathered into the open buffer, each from a page boundary on, one SBALE per page; the
 * buffer is closed (PRIMED) when the next packet does not fit or at flush, which rings the card once for all
 * closed buffers (SIGA-w). RING_AHEAD of them do not wait for the flush, so that the card works while the rest is
 * written. Nothing is reclaimed: a slot's state says it all. While the card keeps the buffer that was closed last,
 * it is rung again after STALL_USEC, twice that, and so on: its way out may have been full.
 */
#include "base/str.h"
#include "link/mpcipa.h"
#include "net/stack.h"

#define PAGE           4096u
#define BUFFER_BYTES   (QDIO_ELEMENTS * PAGE)
#define MASK           (QDIO_BUFFERS - 1)
#define QUEUE_0        0x80000000u
#define INPUT_BATCH    64
#define STALL_USEC     (2u * USEC_PER_MSEC)
#define STALL_MAX_USEC (128u * USEC_PER_MSEC)
#define SIGA_TRIES     8
#define RING_AHEAD     4 /* buffers */
#define PROTO_TCP      6
#define PROTO_UDP      17

_Static_assert((LINK_OSA_INPUT_BUFFERS & (LINK_OSA_INPUT_BUFFERS - 1)) == 0, "slots are masked");
_Static_assert((LINK_OSA_OUTPUT_BUFFERS & (LINK_OSA_OUTPUT_BUFFERS - 1)) == 0, "slots are masked");
_Static_assert(LINK_OSA_INPUT_BUFFERS < QDIO_BUFFERS && LINK_OSA_OUTPUT_BUFFERS < QDIO_BUFFERS, "one round");

/* The card runs on another processor: who sees a state sees also what its setter stored before it. */
static u8 state_get(const struct mpcipa_queue *q, u32 i) {
    return __atomic_load_n(q->slsb + i, __ATOMIC_ACQUIRE);
}
static void state_set(struct mpcipa_queue *q, u32 i, u8 state) {
    __atomic_store_n(q->slsb + i, state, __ATOMIC_RELEASE);
}
/* Between a state that is set and another one that is then looked at. */
static void serialize(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static u8 *sbale_of(const struct mpcipa_queue *q, u32 i, u32 element) {
    return q->sbals + i * SBAL_BYTES + element * SBALE_BYTES;
}
static u8 *storage_of(const struct mpcipa_queue *q, u32 i) {
    return q->storage + (i & (q->slots - 1)) * BUFFER_BYTES;
}

/* ---- storage ---- */

/* One page holds SLIB, SL and SLSB of a queue. */
_Static_assert(SLIB_BYTES + SL_BYTES + 256 <= PAGE, "a queue's lists share a page");

static size_t queue_bytes(u32 slots) {
    return PAGE + (size_t)QDIO_BUFFERS * SBAL_BYTES + (size_t)slots * BUFFER_BYTES;
}

size_t mpcipa_queue_bytes(void) {
    return 2 * PAGE + queue_bytes(LINK_OSA_INPUT_BUFFERS) + queue_bytes(LINK_OSA_OUTPUT_BUFFERS);
}

static bool queue_storage(struct mpcipa_queue *q, struct arena *a, u32 slots) {
    u8 *p = arena_take(a, queue_bytes(slots), PAGE);
    if (!p) return false;
    q->slots = slots;
    q->slib = p;
    q->sl = p + SLIB_BYTES;
    q->slsb = q->sl + SL_BYTES;
    q->sbals = p + PAGE;
    q->storage = q->sbals + QDIO_BUFFERS * SBAL_BYTES;
    return true;
}

bool mpcipa_queue_storage(struct mpcipa *d, struct arena *a) {
    d->qdr = arena_take(a, 2 * PAGE, PAGE);
    if (!d->qdr) return false;
    d->qib = d->qdr + PAGE;
    return queue_storage(&d->in, a, LINK_OSA_INPUT_BUFFERS) &&
           queue_storage(&d->out, a, LINK_OSA_OUTPUT_BUFFERS);
}

static void queue_build(struct chan_system *sys, struct mpcipa_queue *q, u8 first_state, u32 length) {
    memset(q->slib, 0, SLIB_BYTES);
    be64_put(q->slib + SLIB_SL_AT, chan_addr(sys, q->sl));
    be64_put(q->slib + SLIB_SLSB_AT, chan_addr(sys, q->slsb));
    for (u32 i = 0; i < QDIO_BUFFERS; i++) {
        be64_put(q->sl + i * 8, chan_addr(sys, sbale_of(q, i, 0)));
        for (u32 e = 0; e < QDIO_ELEMENTS; e++) {
            u8 *s = sbale_of(q, i, e);
            be32_put(s, 0);
            s[SBALE_EFLAGS_AT] = e == QDIO_ELEMENTS - 1 ? SBAL_LAST_ENTRY : 0;
            be32_put(s + SBALE_LENGTH_AT, length);
            be64_put(s + SBALE_ADDR_AT, chan_addr(sys, storage_of(q, i) + e * PAGE));
        }
        state_set(q, i, first_state);
    }
    q->next = q->element = q->rung = 0;
}

static void descriptor(struct chan_system *sys, u8 *desc, const struct mpcipa_queue *q) {
    be64_put(desc + QDESC_SLIB_AT, chan_addr(sys, q->slib));
    be64_put(desc + QDESC_SL_AT, chan_addr(sys, q->sl));
    be64_put(desc + QDESC_SLSB_AT, chan_addr(sys, q->slsb));
}

void mpcipa_queue_build(struct mpcipa *d) {
    struct chan_system *sys = d->m.sys;
    queue_build(sys, &d->in, SLSB_P_INPUT_NOT_INIT, PAGE);
    queue_build(sys, &d->out, SLSB_P_OUTPUT_NOT_INIT, 0);
    memset(d->qib, 0, QIB_BYTES);
    be64_put(d->qib + QIB_IN_SLIB_AT, chan_addr(sys, d->in.slib));
    be64_put(d->qib + QIB_OUT_SLIB_AT, chan_addr(sys, d->out.slib));
    memset(d->qdr, 0, QDR_BYTES);
    d->qdr[QDR_FORMAT_AT] = mpcipa_is_iqd(d) ? QDR_FORMAT_IQD : QDR_FORMAT_OSD;
    d->qdr[QDR_IN_COUNT_AT] = d->qdr[QDR_OUT_COUNT_AT] = 1;
    d->qdr[QDR_IN_WORDS_AT] = d->qdr[QDR_OUT_WORDS_AT] = QDR_DESC_WORDS;
    be64_put(d->qdr + QDR_QIB_AT, chan_addr(sys, d->qib));
    descriptor(sys, d->qdr + QDR_DESC_AT, &d->in);
    descriptor(sys, d->qdr + QDR_DESC_AT + QDR_DESC_BYTES, &d->out);
}

void mpcipa_queue_prime(struct mpcipa *d) {
    d->stall_usec = STALL_USEC;
    for (u32 i = 0; i < d->in.slots; i++) state_set(&d->in, i, SLSB_CU_INPUT_EMPTY);
}

/* ---- input ---- */

/* Where the walk through one input buffer stands. */
struct walk {
    u8 *base, *at;
    const u8 *sbal;
    u32 element, left; /* bytes of the element from `at` on */
    bool full;         /* it is a whole page: what follows in the next one follows in storage */
    bool last;         /* it is the last one used */
};

static void walk_load(struct walk *w) {
    const u8 *s = w->sbal + w->element * SBALE_BYTES;
    w->left = u32_min(be32_get(s + SBALE_LENGTH_AT), PAGE);
    w->full = w->left == PAGE;
    w->last = (s[SBALE_EFLAGS_AT] & SBAL_LAST_ENTRY) != 0 || w->element == QDIO_ELEMENTS - 1;
    w->at = w->base + w->element * PAGE;
}

static bool walk_next(struct walk *w) {
    if (w->last) return false;
    w->element++;
    walk_load(w);
    return true;
}

/* The next len bytes, which this SBALE does not hold all: in place if every SBALE they leave is full, else gathered in the bounce
 * buffer. NULL if the buffer ends before them. */
static u8 *walk_gather(struct mpcipa *d, struct walk *w, u32 len) {
    u8 *p = w->at;
    bool contiguous = w->full;
    u32 got = w->left;
    memcpy(d->bounce, p, contiguous ? 0 : got);
    while (got < len) {
        if (!walk_next(w)) return NULL;
        u32 part = u32_min(len - got, w->left);
        if (!contiguous) memcpy(d->bounce + got, w->at, part);
        got += part;
        w->at += part;
        w->left -= part;
        /* A short SBALE in the middle ends contiguity: what was in place so far moves to the bounce buffer. */
        if (contiguous && got < len && !w->full) {
            memcpy(d->bounce, p, got);
            contiguous = false;
        }
    }
    return contiguous ? p : d->bounce;
}

/* The next len bytes, contiguous; NULL if the buffer ends before them. */
static inline u8 *walk_take(struct mpcipa *d, struct walk *w, u32 len) {
    if (w->left < len) return walk_gather(d, w, len);
    w->left -= len;
    w->at += len;
    return w->at - len;
}

/* The card's verdicts about checksums stand in its header as they do in a packet's flags. */
#define EXT_CSUM_SHIFT 4
_Static_assert(OSA_EXT_CSUM_HDR >> EXT_CSUM_SHIFT == PKT_IP_CSUM_OK, "a shift");
_Static_assert(OSA_EXT_CSUM_TRANSPORT >> EXT_CSUM_SHIFT == PKT_L4_CSUM_OK, "a shift");

static inline u16 input_flags(const struct mpcipa *d, const u8 *hdr) {
    u32 believed = d->caps & LINK_CAP_CSUM_IN ? PKT_IP_CSUM_OK | PKT_L4_CSUM_OK : 0;
    u32 flags = (u32)hdr[OSA_L3_EXT_AT] >> EXT_CSUM_SHIFT & believed;
    u32 cast = hdr[OSA_L3_FLAGS_AT] & OSA_L3_CAST_MASK;
    if (cast == OSA_L3_UNICAST) return (u16)flags;
    if (cast == OSA_L3_MULTICAST) flags |= PKT_LINK_MCAST;
    if (cast == OSA_L3_BROADCAST) flags |= PKT_LINK_BCAST;
    return (u16)flags;
}

/* One packet, whose header the walk stands at. false: the rest of the buffer cannot be understood. */
static inline bool input_packet(struct mpcipa *d, struct walk *w, u64 now) {
    struct link *lnk = d->m.dev->lnk;
    const u8 *hdr = w->at;
    struct pkt pkt = {.len = be16_get(hdr + OSA_L3_LENGTH_AT), .flags = input_flags(d, hdr), .in = lnk};
    bool several = hdr[0] == OSA_HDR_L3_TSO;
    if (hdr[0] != OSA_HDR_L3 && !several) {
        d->count.drops_in_header++;
        return false;
    }
    w->at += OSA_HDR_BYTES;
    w->left -= OSA_HDR_BYTES;
    if (several) {
        const u8 *x = walk_take(d, w, OSA_TSO_EXT_BYTES);
        pkt.gso_bytes = x ? be16_get(x + OSA_TSO_MSS_AT) : 0;
    }
    pkt.data = pkt.len ? walk_take(d, w, pkt.len) : NULL;
    if (!pkt.data) {
        d->count.drops_in_length++;
        return false;
    }
    link_input(lnk, &pkt, now);
    return true;
}

/* All packets of buffer i. */
static void input_buffer(struct mpcipa *d, u32 i, u64 now) {
    struct walk w = {.base = storage_of(&d->in, i), .sbal = sbale_of(&d->in, i, 0)};
    u32 packets = 0;
    walk_load(&w);
    do {
        for (; w.left >= OSA_HDR_BYTES; packets++)
            if (!input_packet(d, &w, now)) return;
    } while (walk_next(&w));
    if (packets > d->count.packets_per_input_buffer_max) d->count.packets_per_input_buffer_max = packets;
}

/* Buffer i's SBALEs as they were before the card used them, and the SBAL one round ahead to the card. */
static void input_recycle(struct mpcipa_queue *q, u32 i) {
    for (u32 e = 0; e < QDIO_ELEMENTS; e++) {
        u8 *s = sbale_of(q, i, e);
        bool last = (s[SBALE_EFLAGS_AT] & SBAL_LAST_ENTRY) != 0;
        s[SBALE_EFLAGS_AT] = e == QDIO_ELEMENTS - 1 ? SBAL_LAST_ENTRY : 0;
        be32_put(s + SBALE_LENGTH_AT, PAGE);
        if (last) break;
    }
    state_set(q, (i + q->slots) & MASK, SLSB_CU_INPUT_EMPTY);
}

/* true: buffer q->next is ours and was dealt with. */
static bool input_take(struct mpcipa *d, u64 now) {
    struct mpcipa_queue *q = &d->in;
    u32 i = q->next;
    u8 state = state_get(q, i);
    if (state == SLSB_P_INPUT_PRIMED)
        input_buffer(d, i, now);
    else if (state == SLSB_P_INPUT_ERROR)
        d->count.buffers_in_error++;
    else
        return false;
    /* A packet may have led to the end of the device (a command that arrived over it). */
    if (!d->data_up) return false;
    d->count.input_buffers++;
    input_recycle(q, i);
    state_set(q, (i - 1) & MASK, SLSB_P_INPUT_NOT_INIT);
    state_set(q, i, SLSB_P_INPUT_ACK);
    q->next = (i + 1) & MASK;
    return true;
}

void mpcipa_queue_input(struct mpcipa *d, u64 now) {
    struct mpcipa_queue *q = &d->in;
    struct stack *stk = d->m.dev->stk;
    u32 last_given = (q->next + q->slots - 1) & MASK, taken = 0;
    for (;;) {
        while (taken < INPUT_BATCH && input_take(d, now)) taken++;
        if (taken == INPUT_BATCH || !d->data_up) break;
        /* Asleep from here on: the card interrupts for the next buffer, unless it is there already. */
        state_set(q, (q->next - 1) & MASK, SLSB_P_INPUT_NOT_INIT);
        serialize();
        if (state_get(q, q->next) == SLSB_CU_INPUT_EMPTY) break;
        if (!input_take(d, now)) break;
        taken++;
    }
    if (!d->data_up) return;
    if (taken == INPUT_BATCH) timer_arm(stk, &d->stall, now);
    serialize();
    if (taken && state_get(q, last_given) != SLSB_CU_INPUT_EMPTY) {
        d->count.siga_read++;
        chan_siga_read(d->m.sub[OSA_UNIT_DATA].ch, QUEUE_0);
    }
    if (taken) link_flush_all(stk, now);
}

/* ---- output ---- */

static void ring(struct mpcipa *d, u64 now) {
    int cc = 2;
    for (u32 i = 0; i < SIGA_TRIES && cc == 2; i++) {
        d->count.siga_write++;
        cc = chan_siga_write(d->m.sub[OSA_UNIT_DATA].ch, QUEUE_0);
    }
    /* 1 and 3: the end of ACTIVATE is on its way and will say why. */
    u32 last = (d->out.next - 1) & MASK;
    if (cc != 2 && state_get(&d->out, last) != SLSB_CU_OUTPUT_PRIMED) {
        d->stall_usec = STALL_USEC;
        return;
    }
    if (!timer_armed(&d->stall)) timer_arm(d->m.dev->stk, &d->stall, now + d->stall_usec);
}

static void output_close(struct mpcipa *d, u64 now) {
    struct mpcipa_queue *q = &d->out;
    sbale_of(q, q->next, q->element - 1)[SBALE_EFLAGS_AT] |= SBAL_LAST_ENTRY;
    state_set(q, q->next, SLSB_CU_OUTPUT_PRIMED);
    d->count.output_buffers++;
    q->next = (q->next + 1) & MASK;
    q->element = 0;
    if (((q->next - q->rung) & MASK) < RING_AHEAD) return;
    q->rung = q->next;
    ring(d, now);
}

/* true: buffer q->next has storage of its own, because the card is done with the one that used it last. */
static bool output_free(struct mpcipa *d) {
    struct mpcipa_queue *q = &d->out;
    u32 before = (q->next - q->slots) & MASK;
    u8 state = state_get(q, before);
    if (state == SLSB_P_OUTPUT_ERROR) {
        d->count.buffers_out_error++;
        state_set(q, before, SLSB_P_OUTPUT_EMPTY);
    }
    return state != SLSB_CU_OUTPUT_PRIMED;
}

/* What the card is asked to do with the packet, as the extended flags say it. */
static u8 output_assists(const struct mpcipa *d, const struct pkt *p) {
    if (!(d->caps & LINK_CAP_CSUM_OUT)) return 0;
    u8 ext = OSA_EXT_CSUM_HDR;
    if (p->flags & PKT_CSUM_NEEDED) ext |= OSA_EXT_CSUM_TRANSPORT;
    if (p->data[9] == PROTO_UDP) ext |= OSA_EXT_UDP;
    return ext;
}

static u8 output_cast(const struct pkt *p, struct ipaddr next_hop) {
    if (ipaddr_is_multicast(next_hop)) return OSA_L3_MULTICAST;
    if (ipaddr_is_broadcast(next_hop) || p->flags & PKT_LINK_BCAST) return OSA_L3_BROADCAST;
    return OSA_L3_UNICAST;
}

/* The extension that has the card cut one TCP packet into segments. */
static void tso_extension(u8 *x, const struct pkt *p) {
    u32 ip = (u32)(p->data[0] & 0xF) * 4;
    u32 headers = ip + (u32)(p->data[ip + 12] >> 4) * 4;
    memset(x, 0, OSA_TSO_EXT_BYTES);
    be16_put(x + OSA_TSO_TOTAL_AT, OSA_TSO_EXT_BYTES);
    x[OSA_TSO_COUNT_AT] = 1;
    x[OSA_TSO_TYPE_AT] = 1;
    x[OSA_TSO_VERSION_AT] = 1;
    be16_put(x + OSA_TSO_LENGTH_AT, 28);
    be32_put(x + OSA_TSO_PAYLOAD_AT, pkt_bytes(p) - headers);
    be16_put(x + OSA_TSO_MSS_AT, p->gso_bytes);
    be16_put(x + OSA_TSO_HEADERS_AT, (u16)headers);
}

static void output_header(const struct mpcipa *d, u8 *h, const struct pkt *p, struct ipaddr next_hop) {
    memset(h, 0, OSA_HDR_BYTES);
    h[0] = p->gso_bytes ? OSA_HDR_L3_TSO : OSA_HDR_L3;
    h[OSA_L3_FLAGS_AT] = output_cast(p, next_hop);
    be16_put(h + OSA_L3_LENGTH_AT, (u16)pkt_bytes(p));
    h[OSA_L3_EXT_AT] = output_assists(d, p);
    ipaddr_put(h + OSA_L3_NEXT_HOP_AT, next_hop);
    if (p->gso_bytes) tso_extension(h + OSA_HDR_BYTES, p);
}

/* One SBALE per page of a packet of total bytes that starts at SBALE q->element. */
static void output_elements(struct mpcipa_queue *q, u32 total, u32 pages) {
    for (u32 n = 0; n < pages; n++, total -= PAGE) {
        u8 *s = sbale_of(q, q->next, q->element++);
        u8 frag = n == 0 ? SBAL_FRAG_FIRST : n == pages - 1 ? SBAL_FRAG_LAST : SBAL_FRAG_MIDDLE;
        s[SBALE_EFLAGS_AT] = pages == 1 ? 0 : frag;
        be32_put(s + SBALE_LENGTH_AT, u32_min(total, PAGE));
    }
}

int mpcipa_queue_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    struct mpcipa *d = lnk->dev->state;
    struct mpcipa_queue *q = &d->out;
    u32 header = p->gso_bytes ? OSA_HDR_BYTES + OSA_TSO_EXT_BYTES : OSA_HDR_BYTES;
    u32 total = header + pkt_bytes(p), pages = (total + PAGE - 1) / PAGE;
    if (!d->data_up) return -ERR_NETDOWN;
    if (pages > QDIO_ELEMENTS || p->len < 20) {
        d->count.drops_out_size++;
        return -ERR_MSGSIZE;
    }
    if (q->element + pages > QDIO_ELEMENTS) output_close(d, now);
    if (q->element == 0 && !output_free(d)) {
        /* The card may have room again without our knowing: ring, and look once more. */
        ring(d, now);
        if (!output_free(d)) {
            d->count.drops_out_full++;
            return -ERR_NOBUFS;
        }
    }
    u8 *at = storage_of(q, q->next) + q->element * PAGE;
    output_header(d, at, p, next_hop);
    at += header;
    memcpy(at, p->data, p->len);
    at += p->len;
    for (u32 i = 0, left = p->ext_len; left; i++) {
        memcpy(at, p->ext[i].p, p->ext[i].len);
        at += p->ext[i].len;
        left -= p->ext[i].len;
    }
    output_elements(q, total, pages);
    return 0;
}

void mpcipa_queue_flush(struct mpcipa *d, u64 now) {
    if (!d->data_up) return;
    if (d->out.element) output_close(d, now);
    if (d->out.rung == d->out.next) return;
    d->out.rung = d->out.next;
    ring(d, now);
}

/* Input that was left for later, or output that the card could not take. */
void mpcipa_queue_stall(struct mpcipa *d, u64 now) {
    if (!d->data_up) return;
    if (state_get(&d->out, (d->out.next - 1) & MASK) == SLSB_CU_OUTPUT_PRIMED) {
        d->stall_usec = u32_min(d->stall_usec * 2, STALL_MAX_USEC);
        ring(d, now);
    }
    mpcipa_queue_input(d, now);
}
