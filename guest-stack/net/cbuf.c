/* cbuf.c - the byte queue of net/cbuf.h.
 *
 * A position is an offset from the first unread byte; adding `start` gives its distance from the head chunk's first
 * byte, and walking the chain finds its chunk. Nearly all work happens at the two ends and a little behind where the last piece was
 * taken (what is sent next): a walk begins at the nearest of these.
 */
#include "net/cbuf.h"

#include "base/str.h"

static void chunk_drop_head(struct cbuf *b, struct pool *chunks) {
    struct cbuf_chunk *c = b->head;
    b->head = c->next;
    if (!b->head) b->tail = NULL;
    if (b->near == c) b->near = NULL;
    b->near_at -= CBUF_CHUNK_DATA;
    b->chunks--;
    pool_put(chunks, c);
}

static bool chunk_append(struct cbuf *b, struct pool *chunks) {
    struct cbuf_chunk *c = pool_get(chunks);
    if (!c) return false;
    c->next = NULL;
    if (b->tail)
        b->tail->next = c;
    else
        b->head = c, b->start = 0;
    b->tail = c;
    b->chunks++;
    return true;
}

void cbuf_free(struct cbuf *b, struct pool *chunks) {
    while (b->head) chunk_drop_head(b, chunks);
    b->start = b->len = 0;
}

u32 cbuf_room(struct cbuf *b, struct pool *chunks, u8 **p) {
    u32 end = b->start + b->len;
    if (end == b->chunks * CBUF_CHUNK_DATA) {
        *p = NULL;
        if (!chunk_append(b, chunks)) return 0;
        end = b->start + b->len;
    }
    u32 used = end - (b->chunks - 1) * CBUF_CHUNK_DATA;
    *p = b->tail->data + used;
    return CBUF_CHUNK_DATA - used;
}

void cbuf_commit(struct cbuf *b, u32 n) {
    CHECK(b->start + b->len + n <= b->chunks * CBUF_CHUNK_DATA);
    b->len += n;
}

/* The chunk that holds distance d from the head's first byte; d becomes the offset within it. */
static struct cbuf_chunk *chunk_at(struct cbuf *b, u32 *d) {
    u32 before_tail = (b->chunks - 1) * CBUF_CHUNK_DATA, at = 0;
    if (*d >= before_tail) {
        *d -= before_tail;
        return b->tail;
    }
    struct cbuf_chunk *c = b->head;
    if (b->near && *d >= b->near_at) c = b->near, at = b->near_at;
    for (; *d - at >= CBUF_CHUNK_DATA; at += CBUF_CHUNK_DATA) c = c->next;
    b->near = c;
    b->near_at = at;
    *d -= at;
    return c;
}

bool cbuf_write_at(struct cbuf *b, struct pool *chunks, u32 at, const u8 *p, u32 n) {
    if (n == 0) return true;
    if (!b->head) b->start = 0;
    u32 end = b->start + at + n, had = b->chunks;
    while (b->chunks * CBUF_CHUNK_DATA < end) {
        if (chunk_append(b, chunks)) continue;
        /* Nothing may stay half taken: an idle connection would keep chunks without any byte in them. */
        while (b->chunks > had) {
            struct cbuf_chunk **link = &b->head, *last = NULL;
            while ((*link)->next) last = *link, link = &(*link)->next;
            pool_put(chunks, *link);
            *link = NULL;
            b->tail = last;
            b->chunks--;
        }
        return false;
    }
    u32 d = b->start + at;
    struct cbuf_chunk *c = chunk_at(b, &d);
    while (n > 0) {
        u32 part = u32_min(n, CBUF_CHUNK_DATA - d);
        memcpy(c->data + d, p, part);
        p += part;
        n -= part;
        d = 0;
        c = c->next;
    }
    return true;
}

u32 cbuf_front(const struct cbuf *b, const u8 **p) {
    if (b->len == 0) {
        *p = NULL;
        return 0;
    }
    *p = b->head->data + b->start;
    return u32_min(b->len, CBUF_CHUNK_DATA - b->start);
}

void cbuf_consume(struct cbuf *b, struct pool *chunks, u32 n, bool ahead) {
    CHECK(n <= b->len);
    b->len -= n;
    b->start += n;
    if (b->len == 0 && !ahead) {
        cbuf_free(b, chunks);
        return;
    }
    while (b->start >= CBUF_CHUNK_DATA) {
        chunk_drop_head(b, chunks);
        b->start -= CBUF_CHUNK_DATA;
    }
}

u32 cbuf_spans(struct cbuf *b, u32 at, u32 n, struct span *out, u32 max, u32 *spans) {
    CHECK(at <= b->len && n <= b->len - at);
    u32 covered = 0, used = 0, d = b->start + at;
    if (n > 0) {
        struct cbuf_chunk *c = chunk_at(b, &d);
        for (; covered < n && used < max; c = c->next, d = 0) {
            u32 part = u32_min(n - covered, CBUF_CHUNK_DATA - d);
            out[used++] = (struct span){c->data + d, part};
            covered += part;
        }
    }
    *spans = used;
    return covered;
}
