/* pmtu.h - path MTUs learned from ICMP "fragmentation needed" (RFC 1191): a fixed cache by destination.
 *
 * A row lives PMTU_AGE_SEC, after which the path is tried at the link's MTU again. Values below
 * PMTU_MIN_BYTES are raised to it: a forged error must not make us send tiny packets. A full cache reuses its
 * oldest row.
 */
#ifndef NET_PMTU_H
#define NET_PMTU_H

#include "base/arena.h"
#include "base/base.h"
#include "base/list.h"
#include "net/hash.h"
#include "net/timer.h"
#include "wire/ipaddr.h"

struct stack;

#define PMTU_ROWS      256
#define PMTU_AGE_SEC   600
#define PMTU_MIN_BYTES 552

struct pmtu_row {
    struct hash_row hash; /* first member */
    struct list node;     /* oldest first */
    struct ipaddr dst;
    u32 mtu_bytes;
    u64 expires;
};

struct pmtu_table {
    struct pool pool;
    struct hash_table hash;
    struct list all;
    struct timer age; /* of the oldest row */
};

size_t pmtu_bytes(void);
bool pmtu_init(struct stack *stk, struct arena *a);
/* The path's MTU, at most mtu_bytes. O(1); free when the cache is empty. */
u32 pmtu_limit(struct stack *stk, struct ipaddr dst, u32 mtu_bytes);
/* What an error leaves as MTU: next_mtu, or, from an old router that says 0, RFC 1191's plateau below
 * sent_bytes. */
u32 pmtu_estimate(u32 next_mtu, u32 sent_bytes);
/* Packets to dst must not be larger. Returns false if that was known. */
bool pmtu_learn(struct stack *stk, struct ipaddr dst, u32 mtu_bytes, u64 now);

#endif
