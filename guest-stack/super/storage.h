/* storage.h - real storage after IPL: one arena for what is sized at start, one heap for texts of the control path.
 *
 * The heap holds members of data sets and the like: first fit over an address-ordered free list, neighbours joined
 * when freed. Never used in the data path. Blocks are multiples of 16 bytes with a 16-byte header before them.
 */
#ifndef SUPER_STORAGE_H
#define SUPER_STORAGE_H

#include "base/arena.h"
#include "base/base.h"

struct heap_block;
struct heap {
    struct heap_block *free; /* by address */
    size_t bytes, in_use, high_water;
    u32 refused;
};

void heap_init(struct heap *h, void *base, size_t bytes);
/* Content undefined, 16-byte aligned; NULL (counted) if no block is large enough. */
void *heap_get(struct heap *h, size_t bytes);
void heap_put(struct heap *h, void *p);

#endif
