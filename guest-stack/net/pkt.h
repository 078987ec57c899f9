/* pkt.h - a packet on its way (struct pkt) and a packet that is kept (struct pbuf).
 *
 * struct pkt is a view that lives on the caller's stack for the length of one call. Who gets a pkt may change
 * its headers in place; nobody keeps a pointer into it after returning. What must outlive the call is copied
 * once, with pbuf_hold().
 *
 *   incoming: data..data+len is the whole packet, contiguous, inside the device's own input buffer.
 *   outgoing: data..data+len holds the headers (and perhaps some payload); the rest of the payload stands in
 *             ext[0..2], which point into a socket's send buffer. A driver gathers them with one copy.
 *
 * Checksum and segmentation flags follow what an OSA-Express offers: the stack says what is still to be done
 * (PKT_CSUM_NEEDED, gso_bytes), a link without the capability has it done in software by link_output().
 * With PKT_CSUM_NEEDED the checksum field holds cksum_partial(cksum_pseudo(src, dst, proto, length)), length being
 * that of the whole packet's transport part; who cuts a GSO packet computes each segment's own. A GSO packet
 * has its headers in data and its whole payload in ext.
 */
#ifndef NET_PKT_H
#define NET_PKT_H

#include "base/base.h"
#include "base/list.h"
#include "wire/ipaddr.h"

struct link;
struct stack;

struct span {
    const u8 *p;
    u32 len;
};

enum pkt_flags {
    PKT_IP_CSUM_OK = 0x0001,  /* in: the card verified the IP header checksum */
    PKT_L4_CSUM_OK = 0x0002,  /* in: the card verified the TCP/UDP checksum, or the packet never saw a wire */
    PKT_CSUM_NEEDED = 0x0004, /* out: TCP/UDP checksum field holds the pseudo-header sum; finish it */
    PKT_LINK_BCAST = 0x0010,  /* in: arrived as link broadcast */
    PKT_LINK_MCAST = 0x0020,  /* in: arrived as link multicast */
    PKT_DF = 0x0040,          /* out: set "don't fragment" */
    PKT_FORWARDED = 0x0080,   /* out: not ours, being forwarded */
    PKT_DISTRIBUTED = 0x0100, /* the routing stack of its DVIPA has sent it here: to be delivered, never routed again */
};

/* Pieces of a packet behind its first one. TCP uses all but one, which a link may need: a card's 60 KB in pieces of 8 KB. */
#define PKT_EXT_MAX 10
/* Room that a transport leaves before its header: IP header with options, Ethernet or QDIO header. */
#define PKT_HEADROOM 96

struct pkt {
    u8 *data;
    u32 len;
    u32 headroom; /* writable bytes before data */
    u32 ext_len;  /* sum of ext[].len */
    struct span ext[PKT_EXT_MAX];
    u16 flags;
    u16 gso_bytes; /* TCP payload bytes per segment on the wire, 0 = one packet; in: the card joined several */
    struct link *in;
    u8 from; /* in: who it came from, as the hooks' owner counts the stacks that it talks to; 0 not known */
    /* Set by ip_input() before a transport sees the packet (data then points at the transport header): */
    struct ipaddr src, dst;
    const u8 *ip_header;
    u8 proto, ttl, tos;
};

/* All bytes of the packet. */
static inline u32 pkt_bytes(const struct pkt *p) { return p->len + p->ext_len; }
static inline u8 *pkt_push(struct pkt *p, u32 bytes) {
    CHECK(p->headroom >= bytes);
    p->headroom -= bytes;
    p->len += bytes;
    return p->data -= bytes;
}
static inline void pkt_pull(struct pkt *p, u32 bytes) {
    CHECK(p->len >= bytes);
    p->headroom += bytes;
    p->len -= bytes;
    p->data += bytes;
}
/* Copies bytes [at, at+n) of the packet, over data and ext, to out. Caller guarantees the range. */
void pkt_copy(const struct pkt *p, u32 at, u8 *out, u32 n);

/* A packet kept in a buffer of one of the stack's pools: waiting for ARP, for reassembly, in a UDP queue. */
struct pbuf {
    struct list node; /* the holder's queue */
    struct pkt pkt;   /* contiguous, ext_len 0, PKT_HEADROOM before it */
    struct pool *pool;
    u64 held_at;
};

/* A copy of p in the smallest pool that fits it; NULL (counted in that pool) if there is none. */
struct pbuf *pbuf_hold(struct stack *stk, const struct pkt *p, u64 now);
void pbuf_release(struct pbuf *b);

#endif
