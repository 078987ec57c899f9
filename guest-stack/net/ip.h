/* ip.h - IPv4 between transports and links: input, output, forwarding (RFC 791, 1122, 1812).
 *
 * Output: a transport builds its header at pkt->data with PKT_HEADROOM before it and calls ip_output(); the
 * IP header is pushed here. A struct route_cache kept by a connection saves the route look-up: it is valid
 * while its generation equals the stack's.
 */
#ifndef NET_IP_H
#define NET_IP_H

#include "base/base.h"
#include "net/pkt.h"
#include "wire/ip4.h"
#include "wire/ipaddr.h"

#define IP_HEADER_BYTES 20
#define IP_PROTO_ICMP 1
#define IP_PROTO_IGMP 2
#define IP_PROTO_TCP 6
#define IP_PROTO_UDP 17
#define IP_PROTO_GRE 47

struct stack;
struct route;

struct route_cache {
    u32 generation; /* stk->route_generation when it was filled; 0 = empty */
    u32 mtu_bytes;  /* of the path: the smaller of route, link and PMTU cache */
    struct link *lnk;
    struct ipaddr next_hop;
};

struct ip_out {
    struct ipaddr src; /* IPADDR_ANY: chosen by the rules of ip_source() */
    struct ipaddr dst;
    u8 proto;
    u8 ttl; /* 0: the stack's TTL */
    u8 tos;
    u8 options_len;            /* a multiple of 4, at most 40 */
    const u8 *options;         /* IP options, or NULL */
    struct link *lnk;          /* only this link (multicast, broadcast), or NULL */
    struct route_cache *cache; /* or NULL */
};

/* Finds (or revalidates) the way to dst. flow_hash picks among equal-cost routes with MULTIPATH PERCONNECTION.
 * -ERR_NETUNREACH. */
int ip_route(struct stack *stk, struct ipaddr dst, u32 flow_hash, struct route_cache *out);
/* The source address for an unbound sender: SOURCEVIPA rules, else the HOME address of the outgoing link.
 * -ERR_NETUNREACH if no way or no address. */
int ip_source(struct stack *stk, struct ipaddr dst, struct ipaddr *out);
/* 0, -ERR_NETUNREACH, -ERR_MSGSIZE (PKT_DF and too large for the path and not GSO). Local destinations are
 * queued on the loopback link and arrive from stack_poll(), never from inside ip_output(). */
int ip_output(struct stack *stk, struct pkt *p, const struct ip_out *how, u64 now);
void ip_input(struct stack *stk, struct link *in, struct pkt *p, u64 now);
/* What transports want to know of the header at p->data, which has been checked. */
static inline void ip_header_read(struct pkt *p) {
    const u8 *h = p->ip_header = p->data;
    p->src = ipaddr_get(h + IP4_SRC);
    p->dst = ipaddr_get(h + IP4_DST);
    p->proto = h[IP4_PROTO];
    p->ttl = h[IP4_TTL];
    p->tos = h[IP4_TOS];
}
/* Hands a whole datagram for us, as ip_input() or ipfrag_input() has left it, to its transport. */
void ip_deliver(struct stack *stk, struct pkt *p, u64 now);

/* What a transport registers. icmp_error: an ICMP error quoted a packet of ours; quoted points at the quoted
 * transport header, at least 8 bytes; mtu is meaningful for type 3 code 4. */
struct ip_proto {
    const char *name;
    void (*input)(struct stack *stk, struct pkt *p, u64 now);
    /* Did we send what an error quotes (addresses, ports, a sequence number in flight)? Asked before its path
     * MTU is believed (RFC 5927 7); false: the error is counted and dropped. NULL: every quote is believed. */
    bool (*icmp_valid)(struct stack *stk, struct ipaddr src, struct ipaddr dst, const u8 *quoted,
                       u32 quoted_len);
    void (*icmp_error)(struct stack *stk, u8 type, u8 code, u32 mtu, struct ipaddr src, struct ipaddr dst,
                       const u8 *quoted, u32 quoted_len, u64 now);
};
void ip_proto_register(struct stack *stk, u8 proto, const struct ip_proto *ops);

/* ICMP errors about an incoming packet (its IP header at p->ip_header), rate limited per RFC 1812 4.3.2.8. */
void icmp_send_error(struct stack *stk, const struct pkt *p, u8 type, u8 code, u32 mtu, u64 now);

#endif
