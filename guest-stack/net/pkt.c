/* pkt.c - packets in pieces, and the three pools of kept packets. See pkt.h. */
#include "net/pkt.h"

#include "base/str.h"
#include "net/stack_impl.h"
#include "wire/cksum.h"

#define SMALL_BYTES 256
#define LARGE_BYTES 9216
#define HUGE_BYTES  (65535 + 64)

static u32 object_bytes(u32 packet_bytes) {
    return (u32)sizeof(struct pbuf) + PKT_HEADROOM + packet_bytes;
}

static size_t pool_bytes(u32 bytes, u32 count) {
    return (size_t)((object_bytes(bytes) + 15) / 16 * 16) * count + 16;
}

size_t pbuf_bytes(const struct stack_config *cfg) {
    return pool_bytes(SMALL_BYTES, cfg->small_pbufs) + pool_bytes(LARGE_BYTES, cfg->large_pbufs) +
           pool_bytes(HUGE_BYTES, cfg->huge_pbufs);
}

bool pbuf_init(struct stack *stk, struct arena *a, const struct stack_config *cfg) {
    return pool_init(&stk->small, "SMALL", a, object_bytes(SMALL_BYTES), cfg->small_pbufs) &&
           pool_init(&stk->large, "LARGE", a, object_bytes(LARGE_BYTES), cfg->large_pbufs) &&
           pool_init(&stk->huge, "HUGE", a, object_bytes(HUGE_BYTES), cfg->huge_pbufs);
}

void pkt_copy(const struct pkt *p, u32 at, u8 *out, u32 n) {
    if (at < p->len) {
        u32 part = u32_min(n, p->len - at);
        memcpy(out, p->data + at, part);
        out += part;
        n -= part;
        at = 0;
    } else {
        at -= p->len;
    }
    for (u32 i = 0; n && i < PKT_EXT_MAX; i++) {
        const struct span *s = &p->ext[i];
        if (at >= s->len) {
            at -= s->len;
            continue;
        }
        u32 part = u32_min(n, s->len - at);
        memcpy(out, s->p + at, part);
        out += part;
        n -= part;
        at = 0;
    }
    CHECK(n == 0);
}

u32 pkt_sum(const struct pkt *p, u32 at, u32 n) {
    u32 sum = 0;
    bool odd = false;
    for (int i = -1; n && i < PKT_EXT_MAX; i++) {
        const u8 *bytes = i < 0 ? p->data : p->ext[i].p;
        u32 len = i < 0 ? p->len : p->ext[i].len;
        if (at >= len) {
            at -= len;
            continue;
        }
        u32 part = u32_min(n, len - at);
        u32 piece = cksum_add(0, bytes + at, part);
        sum = cksum_join(sum, odd ? cksum_odd(piece) : piece);
        odd ^= part & 1;
        n -= part;
        at = 0;
    }
    CHECK(n == 0);
    return sum;
}

void pkt_slice(const struct pkt *p, u32 at, u32 n, struct pkt *out) {
    u32 used = 0;
    out->ext_len = n;
    for (int i = -1; n && i < PKT_EXT_MAX; i++) {
        const u8 *bytes = i < 0 ? p->data : p->ext[i].p;
        u32 len = i < 0 ? p->len : p->ext[i].len;
        if (at >= len) {
            at -= len;
            continue;
        }
        CHECK(used < PKT_EXT_MAX);
        u32 part = u32_min(n, len - at);
        out->ext[used++] = (struct span){bytes + at, part};
        n -= part;
        at = 0;
    }
    CHECK(n == 0);
    while (used < PKT_EXT_MAX) out->ext[used++] = (struct span){NULL, 0};
}

struct pbuf *pbuf_take(struct stack *stk, u32 bytes, u64 now) {
    struct pool *pool = bytes <= SMALL_BYTES ? &stk->small : bytes <= LARGE_BYTES ? &stk->large : &stk->huge;
    if (bytes > HUGE_BYTES) return NULL;
    struct pbuf *b = pool_get(pool);
    if (!b) return NULL;
    list_init(&b->node);
    b->pool = pool;
    b->held_at = now;
    b->pkt = (struct pkt){.data = (u8 *)(b + 1) + PKT_HEADROOM, .headroom = PKT_HEADROOM};
    return b;
}

struct pbuf *pbuf_hold(struct stack *stk, const struct pkt *p, u64 now) {
    u32 bytes = pkt_bytes(p);
    struct pbuf *b = pbuf_take(stk, bytes, now);
    if (!b) return NULL;
    u8 *data = b->pkt.data;
    b->pkt = *p;
    b->pkt.data = data;
    b->pkt.len = bytes;
    b->pkt.headroom = PKT_HEADROOM;
    b->pkt.ext_len = 0;
    for (u32 i = 0; i < PKT_EXT_MAX; i++) b->pkt.ext[i] = (struct span){NULL, 0};
    b->pkt.ip_header = NULL; /* stood in the buffer that is not kept */
    pkt_copy(p, 0, data, bytes);
    return b;
}

void pbuf_release(struct pbuf *b) {
    list_del(&b->node);
    pool_put(b->pool, b);
}
