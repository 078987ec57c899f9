/* ipfrag.c - fragmentation and reassembly. See ipfrag.h.
 *
 * A datagram's payload is gathered in one huge pbuf, its header is put right before it when the first
 * fragment comes:
 *
 *   pkt.data - headroom        FRAG_PAYLOAD_AT - header_bytes      FRAG_PAYLOAD_AT
 *   | PKT_HEADROOM |  (unused) | IP header with its options        | payload, up to 65,515 bytes |
 */
#include "net/ipfrag.h"

#include "base/str.h"
#include "net/ip_impl.h"
#include "net/stack_impl.h"
#include "wire/icmp.h"
#include "wire/ip4.h"

#define FRAG_PAYLOAD_AT IP4_HEADER_MAX
#define BLOCK_BYTES     8
#define PAYLOAD_MAX     (IP4_TOTAL_MAX - IP4_HEADER_MIN)

struct fragment {
    const u8 *payload;
    u32 at, len; /* bytes */
    bool last;
};

size_t ipfrag_bytes(u32 max_reassembly) {
    return hash_bytes(max_reassembly) + (sizeof(struct frag_datagram) + 16) * (size_t)max_reassembly + 32;
}

bool ipfrag_init(struct stack *stk, struct arena *a, u32 max_reassembly) {
    list_init(&stk->frags.all);
    return pool_init(&stk->frags.pool, "REASSEMBLY", a, sizeof(struct frag_datagram), max_reassembly) &&
           hash_init(&stk->frags.hash, a, max_reassembly);
}

/* ---- rows ---- */

static u32 row_hash(const struct stack *stk, struct ipaddr src, struct ipaddr dst, u16 id, u8 proto) {
    return hash3(&stk->key, src.v4, dst.v4, (u32)id << 8 | proto);
}

static void frag_free_buffer(struct frag_datagram *d) {
    if (d->buf) pbuf_release(d->buf);
    d->buf = NULL;
}

static void frag_drop(struct stack *stk, struct frag_datagram *d) {
    timer_disarm(stk, &d->timer);
    frag_free_buffer(d);
    hash_del(&stk->frags.hash, row_hash(stk, d->src, d->dst, d->id, d->proto), &d->hash);
    list_del(&d->node);
    pool_put(&stk->frags.pool, d);
}

/* Forgets the data but remembers the key, so that later fragments of the same datagram are dropped too. */
static void frag_poison(struct stack *stk, struct frag_datagram *d) {
    d->poisoned = true;
    frag_free_buffer(d);
    stk->stats.ip.reasm_fails++;
}

static void frag_timeout(struct stack *stk, struct timer *t, u64 now) {
    struct frag_datagram *d = CONTAINER_OF(t, struct frag_datagram, timer);
    if (!d->poisoned) {
        stk->stats.ip.reasm_timeouts++;
        stk->stats.ip.reasm_fails++;
        if (d->header_bytes) {
            /* Only who has the first fragment can say which datagram it was (RFC 792). */
            struct pkt *p = &d->buf->pkt;
            p->len = d->header_bytes + u32_min((u32)d->range[0].end * BLOCK_BYTES, BLOCK_BYTES);
            p->ip_header = p->data;
            p->src = d->src;
            p->dst = d->dst;
            icmp_send_error(stk, p, ICMP_TIME_EXCEEDED, ICMP_EXCEEDED_REASSEMBLY, 0, now);
        }
    }
    frag_drop(stk, d);
}

static struct frag_datagram *frag_find(const struct stack *stk, const struct pkt *p, u16 id) {
    struct hash_row *row = *hash_head(&stk->frags.hash, row_hash(stk, p->src, p->dst, id, p->proto));
    for (; row; row = row->next) {
        struct frag_datagram *d = (struct frag_datagram *)row;
        if (d->id == id && d->proto == p->proto && ipaddr_eq(d->src, p->src) && ipaddr_eq(d->dst, p->dst))
            return d;
    }
    return NULL;
}

/* A row and its buffer; the oldest datagram gives way when either is short. */
static struct frag_datagram *frag_take(struct stack *stk, u64 now) {
    for (;;) {
        struct frag_datagram *d = pool_get(&stk->frags.pool);
        struct pbuf *b = d ? pbuf_take(stk, IP4_TOTAL_MAX, now) : NULL;
        if (b) {
            memset(d, 0, sizeof *d);
            d->buf = b;
            return d;
        }
        if (d) pool_put(&stk->frags.pool, d);
        stk->stats.ip.drop_frag_full++;
        if (list_empty(&stk->frags.all)) return NULL;
        stk->stats.ip.reasm_fails++;
        frag_drop(stk, LIST_ENTRY(stk->frags.all.next, struct frag_datagram, node));
    }
}

static struct frag_datagram *frag_create(struct stack *stk, const struct pkt *p, u16 id, u64 now) {
    struct frag_datagram *d = frag_take(stk, now);
    if (!d) return NULL;
    d->src = p->src;
    d->dst = p->dst;
    d->id = id;
    d->proto = p->proto;
    d->buf->pkt.in = p->in;
    d->buf->pkt.data += FRAG_PAYLOAD_AT; /* moves back to the header when that is known */
    d->buf->pkt.headroom += FRAG_PAYLOAD_AT;
    timer_init(&d->timer, frag_timeout);
    timer_arm(stk, &d->timer, now + (u64)stk->conf.ip.reassembly_timeout_sec * USEC_PER_SEC);
    hash_add(&stk->frags.hash, row_hash(stk, d->src, d->dst, id, d->proto), &d->hash);
    list_push_back(&stk->frags.all, &d->node);
    return d;
}

/* ---- ranges ---- */

enum range_verdict { RANGE_NEW, RANGE_DUPLICATE, RANGE_OVERLAP, RANGE_FULL };

/* Enters [first, end) among the sorted ranges, joining neighbours. */
static enum range_verdict range_add(struct frag_datagram *d, u16 first, u16 end) {
    u32 i = 0;
    while (i < d->ranges && d->range[i].end < first) i++;
    struct frag_range *r = &d->range[i];
    bool touches = i < d->ranges && r->end == first;
    u32 after = touches ? i + 1 : i;
    if (i < d->ranges && !touches && first >= r->first && end <= r->end) return RANGE_DUPLICATE;
    if (after < d->ranges && d->range[after].first < end) return RANGE_OVERLAP;
    bool joins = after < d->ranges && d->range[after].first == end;
    if (touches && joins) {
        r->end = d->range[after].end;
        d->ranges--;
        memmove(&d->range[after], &d->range[after + 1], (d->ranges - after) * sizeof *r);
    } else if (touches) {
        r->end = end;
    } else if (joins) {
        r->first = first;
    } else {
        if (d->ranges == FRAG_RANGES_MAX) return RANGE_FULL;
        memmove(r + 1, r, (d->ranges - i) * sizeof *r);
        *r = (struct frag_range){first, end};
        d->ranges++;
    }
    return RANGE_NEW;
}

/* The payload area: pkt.data stands at it until the header has been put before it. */
static u8 *frag_payload(const struct frag_datagram *d) {
    return d->buf->pkt.data + d->header_bytes;
}

static bool same_bytes(const struct frag_datagram *d, const struct fragment *f) {
    return memcmp(frag_payload(d) + f->at, f->payload, f->len) == 0;
}

/* Does what the fragment says about the datagram's end agree with what others said? */
static bool end_agrees(const struct frag_datagram *d, const struct fragment *f) {
    u32 end = f->at + f->len;
    u32 seen = d->ranges ? (u32)d->range[d->ranges - 1].end * BLOCK_BYTES : 0;
    if (d->total_bytes) return f->last ? end == d->total_bytes : end <= d->total_bytes;
    return !f->last || (end + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES >= seen;
}

static void frag_header(struct frag_datagram *d, const struct pkt *p) {
    u32 bytes = ip4_header_bytes(p->ip_header);
    if (d->header_bytes) return;
    memcpy(pkt_push(&d->buf->pkt, bytes), p->ip_header, bytes);
    d->header_bytes = bytes;
}

/* Enters a fragment that is sound by itself. false: the datagram is spoilt or the fragment dropped. */
static bool frag_enter(struct stack *stk, struct frag_datagram *d, const struct pkt *p,
                       const struct fragment *f) {
    enum range_verdict verdict = RANGE_OVERLAP;
    u32 end = (f->at + f->len + BLOCK_BYTES - 1) / BLOCK_BYTES;
    if (end_agrees(d, f)) verdict = range_add(d, (u16)(f->at / BLOCK_BYTES), (u16)end);
    if (verdict == RANGE_DUPLICATE && same_bytes(d, f)) return false; /* the network doubled it: harmless */
    if (verdict == RANGE_FULL) {
        stk->stats.ip.drop_frag_full++;
        return false;
    }
    if (verdict != RANGE_NEW) {
        stk->stats.ip.drop_frag_overlap++;
        frag_poison(stk, d);
        return false;
    }
    if (f->at == 0) frag_header(d, p);
    memcpy(frag_payload(d) + f->at, f->payload, f->len);
    if (f->last) d->total_bytes = f->at + f->len;
    return true;
}

static bool frag_complete(const struct frag_datagram *d) {
    return d->total_bytes && d->ranges == 1 && d->range[0].first == 0 &&
           d->range[0].end == (d->total_bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

/* Turns the gathered pieces into one packet and gives up the row. */
static struct pbuf *frag_finish(struct stack *stk, struct frag_datagram *d) {
    struct pbuf *b = d->buf;
    struct pkt *p = &b->pkt;
    p->len = d->header_bytes + d->total_bytes;
    if (p->len > IP4_TOTAL_MAX) {
        stk->stats.ip.drop_frag_too_big++;
        stk->stats.ip.reasm_fails++;
        frag_drop(stk, d);
        return NULL;
    }
    be16_put(p->data + IP4_TOTAL, (u16)p->len);
    be16_put(p->data + IP4_FRAG, 0);
    ip4_sign(p->data);
    p->flags = PKT_IP_CSUM_OK;
    p->ip_header = p->data;
    p->src = d->src;
    p->dst = d->dst;
    p->proto = d->proto;
    p->ttl = p->data[IP4_TTL];
    p->tos = p->data[IP4_TOS];
    d->buf = NULL;
    frag_drop(stk, d);
    stk->stats.ip.reasm_oks++;
    return b;
}

struct pbuf *ipfrag_input(struct stack *stk, struct pkt *p, u64 now) {
    const u8 *h = p->data;
    u32 header = ip4_header_bytes(h);
    u16 frag = be16_get(h + IP4_FRAG);
    struct fragment f = {.payload = h + header,
                         .at = (u32)(frag & IP4_FRAG_OFFSET) * BLOCK_BYTES,
                         .len = p->len - header,
                         .last = !(frag & IP4_FRAG_MF)};
    u16 flags = p->flags & (PKT_LINK_BCAST | PKT_LINK_MCAST);

    stk->stats.ip.reasm_reqds++;
    if (f.len == 0 || (!f.last && f.len % BLOCK_BYTES)) {
        stk->stats.ip.drop_frag_malformed++;
        return NULL;
    }
    if (f.at + f.len > PAYLOAD_MAX) {
        stk->stats.ip.drop_frag_too_big++;
        return NULL;
    }
    u16 id = be16_get(h + IP4_ID);
    struct frag_datagram *d = frag_find(stk, p, id);
    if (!d && !(d = frag_create(stk, p, id, now))) return NULL;
    if (d->poisoned) {
        stk->stats.ip.drop_frag_overlap++;
        return NULL;
    }
    if (!frag_enter(stk, d, p, &f) || !frag_complete(d)) return NULL;
    struct pbuf *whole = frag_finish(stk, d);
    if (whole) whole->pkt.flags |= flags;
    return whole;
}

void ipfrag_stop(struct stack *stk) {
    while (!list_empty(&stk->frags.all))
        frag_drop(stk, LIST_ENTRY(stk->frags.all.next, struct frag_datagram, node));
}

/* ---- fragmentation ---- */

/* The header of every fragment but the first: only options that say so are copied (RFC 791 3.1). */
static u32 later_header(const u8 *h, u8 *out) {
    u32 at = IP4_HEADER_MIN, len, used = IP4_HEADER_MIN;
    const u8 *opt;
    memcpy(out, h, IP4_HEADER_MIN);
    for (int type; (type = ip4_option_next(h, &at, &opt, &len)) > IP4_OPT_END;) {
        if (!(type & IP4_OPT_COPIED)) continue;
        memcpy(out + used, opt, len);
        used += len;
    }
    while (used % 4) out[used++] = IP4_OPT_END;
    out[0] = (u8)(0x40 | used / 4);
    return used;
}

static void send_pieces(struct link *lnk, const struct pkt *p, struct ipaddr next_hop, u32 mtu_bytes,
                        u64 now) {
    const u8 *h = p->data;
    u32 header = ip4_header_bytes(h), payload = pkt_bytes(p) - header;
    u32 base = be16_get(h + IP4_FRAG); /* a fragment of a fragment begins where that began */
    u8 room[PKT_HEADROOM + IP4_HEADER_MAX];
    u32 part;
    for (u32 at = 0; at < payload; at += part) {
        struct pkt piece = {.data = room + PKT_HEADROOM, .headroom = PKT_HEADROOM, .flags = p->flags};
        if (at == 0)
            memcpy(piece.data, h, piece.len = header);
        else
            piece.len = later_header(h, piece.data);
        part = u32_min(payload - at, (mtu_bytes - piece.len) & ~(u32)(BLOCK_BYTES - 1));
        bool more = at + part < payload || (base & IP4_FRAG_MF);
        u32 offset = (base & IP4_FRAG_OFFSET) + at / BLOCK_BYTES;
        pkt_slice(p, header + at, part, &piece);
        be16_put(piece.data + IP4_TOTAL, (u16)(piece.len + part));
        be16_put(piece.data + IP4_FRAG, (u16)(offset | (more ? IP4_FRAG_MF : 0)));
        ip4_sign(piece.data);
        lnk->stk->stats.ip.frag_creates++;
        link_output(lnk, &piece, next_hop, now);
    }
}

int ipfrag_output(struct stack *stk, struct link *lnk, struct pkt *p, struct ipaddr next_hop, u32 mtu_bytes,
                  u64 now) {
    if (mtu_bytes < IP4_HEADER_MAX + BLOCK_BYTES) {
        stk->stats.ip.frag_fails++;
        return -ERR_MSGSIZE;
    }
    if (p->flags & PKT_CSUM_NEEDED) pkt_finish_checksum(stk, p);
    struct pbuf *flat = NULL;
    if (p->ext[PKT_EXT_MAX - 1].len) {
        /* Payload in data and in every ext: one piece could touch more than a piece can hold. */
        flat = pbuf_hold(stk, p, now);
        if (!flat) {
            stk->stats.ip.drop_no_buffer++;
            stk->stats.ip.frag_fails++;
            return -ERR_NOBUFS;
        }
        p = &flat->pkt;
    }
    send_pieces(lnk, p, next_hop, mtu_bytes, now);
    stk->stats.ip.frag_oks++;
    if (flat) pbuf_release(flat);
    return 0;
}
