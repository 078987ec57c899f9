/* hash.h - keyed hash chains: how every table of the stack finds a row in O(1).
 *
 * Multiply-shift hashing with a random odd multiplier per stack (Dietzfelbinger et al., 1997): universal, so
 * a peer who does not know the key cannot choose addresses or ports that share a chain; and three
 * instructions. A table is a power-of-two array of heads; a row carries its own link.
 */
#ifndef NET_HASH_H
#define NET_HASH_H

#include "base/arena.h"
#include "base/base.h"

struct hash_key {
    u32 add, mul1, mul2, mul3;
};

struct hash_row {
    struct hash_row *next;
};

struct hash_table {
    struct hash_row **head;
    u32 shift; /* 32 - log2(number of heads) */
    u32 rows;
};

static inline u32 hash1(const struct hash_key *k, u32 a) {
    return a * k->mul1 + k->add;
}
static inline u32 hash2(const struct hash_key *k, u32 a, u32 b) {
    return a * k->mul1 + b * k->mul2 + k->add;
}
static inline u32 hash3(const struct hash_key *k, u32 a, u32 b, u32 c) {
    return a * k->mul1 + b * k->mul2 + c * k->mul3 + k->add;
}

/* log2 of the number of heads for want rows: at least one head a row, at least 16. */
static inline u32 hash_bits(u32 want) {
    u32 bits = 4;
    while (bits < 20 && (1u << bits) < want) bits++;
    return bits;
}
static inline size_t hash_bytes(u32 want) {
    return sizeof(struct hash_row *) << hash_bits(want);
}

static inline bool hash_init(struct hash_table *t, struct arena *a, u32 want) {
    u32 bits = hash_bits(want);
    t->head = arena_take(a, hash_bytes(want), sizeof(void *));
    if (!t->head) return false;
    for (u32 i = 0; i < 1u << bits; i++) t->head[i] = NULL;
    t->shift = 32 - bits;
    t->rows = 0;
    return true;
}
static inline struct hash_row **hash_head(const struct hash_table *t, u32 hash) {
    return &t->head[hash >> t->shift];
}
static inline void hash_add(struct hash_table *t, u32 hash, struct hash_row *row) {
    struct hash_row **head = hash_head(t, hash);
    row->next = *head;
    *head = row;
    t->rows++;
}
/* The row must be in the table under this hash. */
static inline void hash_del(struct hash_table *t, u32 hash, struct hash_row *row) {
    struct hash_row **at = hash_head(t, hash);
    while (*at != row) {
        CHECK(*at);
        at = &(*at)->next;
    }
    *at = row->next;
    row->next = NULL;
    t->rows--;
}

#endif
