/* arena.h - storage sized at start: an arena is carved once, a pool hands out equal pieces.
 *
 * No room allocates in the data path. At start each module takes what its configuration says from an arena
 * (arena_take) and forms pools in it; afterwards only pool_get/pool_put run, O(1), no lock.
 * Each pool has a name, a size, a high-water mark and a counter of refusals, all shown by displays.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/base.h"

struct arena {
    u8 *base;
    size_t size, used; /* bytes */
};

static inline void arena_init(struct arena *a, void *base, size_t size) {
    a->base = base;
    a->size = size;
    a->used = 0;
}

/* bytes of zero-initialised (by the caller of arena_init) storage on an align boundary (power of two);
 * NULL if the arena is exhausted: a start-up error that the caller reports with the arena's figures. */
static inline void *arena_take(struct arena *a, size_t bytes, size_t align) {
    size_t at = ((uintptr_t)a->base + a->used + align - 1) / align * align - (uintptr_t)a->base;
    if (at > a->size || bytes > a->size - at) return NULL;
    a->used = at + bytes;
    return a->base + at;
}

struct pool {
    const char *name;
    void *free; /* singly linked through each free object's first word */
    u8 *base;
    u32 object_bytes, count;
    u32 in_use, high_water; /* objects */
    u32 refused;            /* pool_get() that found it empty */
};

/* count objects of object_bytes each; false if the arena has no room. */
static inline bool pool_init(struct pool *p, const char *name, struct arena *a, u32 object_bytes, u32 count) {
    u32 bytes = (u32)((object_bytes + 15) / 16 * 16);
    u8 *base = arena_take(a, (size_t)bytes * count, 16);
    if (!base) return false;
    *p = (struct pool){.name = name, .base = base, .object_bytes = bytes, .count = count};
    for (u32 i = count; i-- > 0;) {
        void **object = (void **)(void *)(base + (size_t)i * bytes);
        *object = p->free;
        p->free = object;
    }
    return true;
}

/* One object, content undefined; NULL and counted if none is left. */
static inline void *pool_get(struct pool *p) {
    void **object = p->free;
    if (!object) {
        p->refused++;
        return NULL;
    }
    p->free = *object;
    if (++p->in_use > p->high_water) p->high_water = p->in_use;
    return object;
}

static inline void pool_put(struct pool *p, void *object) {
    CHECK((u8 *)object >= p->base && (u8 *)object < p->base + (size_t)p->object_bytes * p->count);
    CHECK(p->in_use > 0);
    *(void **)object = p->free;
    p->free = object;
    p->in_use--;
}

#endif
