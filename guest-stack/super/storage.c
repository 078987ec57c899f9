/* storage.c - the heap of the control path: first fit over an address-ordered free list. See storage.h. */
#include "super/storage.h"

struct heap_block {
    size_t bytes; /* of the whole block, this header included */
    struct heap_block *next;
};

#define HEAP_GRAIN 16u

void heap_init(struct heap *h, void *base, size_t bytes) {
    uintptr_t from = ((uintptr_t)base + HEAP_GRAIN - 1) / HEAP_GRAIN * HEAP_GRAIN;
    uintptr_t to = ((uintptr_t)base + bytes) / HEAP_GRAIN * HEAP_GRAIN;
    *h = (struct heap){0};
    if (from >= to) return;
    h->bytes = to - from;
    h->free = (struct heap_block *)from;
    *h->free = (struct heap_block){.bytes = h->bytes, .next = NULL};
}

void *heap_get(struct heap *h, size_t bytes) {
    if (bytes > h->bytes) {
        h->refused++;
        return NULL;
    }
    size_t want = (bytes + HEAP_GRAIN - 1) / HEAP_GRAIN * HEAP_GRAIN + HEAP_GRAIN;
    struct heap_block **link = &h->free;
    while (*link && (*link)->bytes < want) link = &(*link)->next;
    struct heap_block *b = *link;
    if (!b) {
        h->refused++;
        return NULL;
    }
    /* The rest stays free unless it could not hold a header and a byte. */
    if (b->bytes - want >= 2 * HEAP_GRAIN) {
        struct heap_block *rest = (struct heap_block *)(void *)((u8 *)b + want);
        *rest = (struct heap_block){.bytes = b->bytes - want, .next = b->next};
        b->bytes = want;
        *link = rest;
    } else {
        *link = b->next;
    }
    h->in_use += b->bytes;
    if (h->in_use > h->high_water) h->high_water = h->in_use;
    return (u8 *)b + HEAP_GRAIN;
}

static bool block_touches(const struct heap_block *b, const struct heap_block *next) {
    return next && (const u8 *)b + b->bytes == (const u8 *)next;
}

void heap_put(struct heap *h, void *p) {
    if (!p) return;
    struct heap_block *b = (struct heap_block *)(void *)((u8 *)p - HEAP_GRAIN);
    CHECK(b->bytes >= HEAP_GRAIN && b->bytes <= h->in_use);
    h->in_use -= b->bytes;
    struct heap_block *before = NULL, *after = h->free;
    while (after && after < b) {
        before = after;
        after = after->next;
    }
    b->next = after;
    if (before)
        before->next = b;
    else
        h->free = b;
    if (block_touches(b, after)) {
        b->bytes += after->bytes;
        b->next = after->next;
    }
    if (before && block_touches(before, b)) {
        before->bytes += b->bytes;
        before->next = b->next;
    }
}
