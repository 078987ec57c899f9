/* ipfrag.h - fragmentation and bounded reassembly (RFC 791 3.2, 815; overlap rule of RFC 5722 applied to
 * IPv4).
 *
 * One datagram in reassembly owns one huge pbuf of 65,535 bytes; holes are kept as the list of 8-byte block
 * ranges that have arrived. Any overlap, even an exact duplicate with other bytes, discards the datagram and
 * what comes later of it until its time is over. At most max_reassembly datagrams exist; the oldest gives
 * way.
 */
#ifndef NET_IPFRAG_H
#define NET_IPFRAG_H

#include "base/arena.h"
#include "base/base.h"
#include "base/list.h"
#include "net/hash.h"
#include "net/pkt.h"
#include "net/timer.h"
#include "wire/ipaddr.h"

struct stack;
struct link;

#define FRAG_RANGES_MAX 64

struct frag_range {
    u16 first, end; /* 8-byte blocks; the last block may be short */
};

struct frag_datagram {
    struct hash_row hash; /* first member */
    struct list node;     /* oldest first */
    struct timer timer;
    struct ipaddr src, dst;
    u16 id;
    u8 proto;
    bool poisoned;   /* overlap seen: only remembers the key */
    u32 total_bytes; /* of the payload; 0 = last fragment not seen */
    u32 ranges;
    struct frag_range range[FRAG_RANGES_MAX]; /* sorted, not touching */
    struct pbuf *buf;                         /* header of the first fragment before the payload area */
    u32 header_bytes;                         /* 0 = first fragment not seen */
};

struct frag_table {
    struct pool pool;
    struct hash_table hash;
    struct list all;
};

size_t ipfrag_bytes(u32 max_reassembly);
bool ipfrag_init(struct stack *stk, struct arena *a, u32 max_reassembly);
/* Takes one fragment (IP header at p->data). Returns the pbuf of the whole datagram when this was the last
 * missing piece (the caller delivers and releases it), else NULL. */
struct pbuf *ipfrag_input(struct stack *stk, struct pkt *p, u64 now);
/* Sends p (a whole IP packet larger than mtu_bytes, DF not set) in pieces. */
int ipfrag_output(struct stack *stk, struct link *lnk, struct pkt *p, struct ipaddr next_hop, u32 mtu_bytes,
                  u64 now);
void ipfrag_stop(struct stack *stk);

#endif
