/* route.h - the routing table: longest prefix match, equal-cost groups, change counting.
 *
 * A look-up tries the prefix lengths that are in use, longest first, each with one hash probe. Routes to the
 * same destination form a group; members whose link is down are skipped, so a connection moves to the other
 * adapter at its next packet. Every change that can alter an answer increments the stack's route_generation,
 * and struct route_cache (net/ip.h) compares one number.
 *
 *   kind       made by                              flags as NETSTAT ROUTE prints them
 *   STATIC     BEGINROUTES, GATEWAY                 U [G] [H] S
 *   DIRECT     HOME + BSDROUTINGPARMS mask          U
 *   HOME       each HOME entry                      U H
 *   REDIRECT   ICMP redirect                        U G H D
 *   DYNAMIC    a routing daemon, dynamic XCF        U [G] [H]
 *
 * Of one destination STATIC wins over DIRECT, DYNAMIC and REDIRECT.
 */
#ifndef NET_ROUTE_H
#define NET_ROUTE_H

#include "base/arena.h"
#include "base/base.h"
#include "base/list.h"
#include "net/hash.h"
#include "wire/ipaddr.h"

struct stack;
struct link;

enum route_kind { ROUTE_STATIC, ROUTE_DIRECT, ROUTE_DYNAMIC, ROUTE_REDIRECT, ROUTE_HOME, ROUTE_KINDS };
enum route_ack { ROUTE_ACK_DEFAULT, ROUTE_ACK_DELAY, ROUTE_ACK_NODELAY };

/* What a ROUTE entry says; zero members mean the default. */
struct route_def {
    struct ipaddr dest;
    u8 prefix_bits;
    u8 kind;
    struct ipaddr gateway; /* any: direct ("=") */
    struct link *lnk;
    u32 mtu_bytes; /* 0 = DEFAULTSIZE: the link's */
    u8 ack;        /* enum route_ack: DELAYACKS, NODELAYACKS */
    /* MAXIMUMRETRANSMITTIME, MINIMUMRETRANSMITTIME (0 = 120,000 and 500), ROUNDTRIPGAIN,
     * VARIANCEGAIN, VARIANCEMULTIPLIER in thousandths (0 = 125, 250, 2000) */
    u32 max_rto_msec, min_rto_msec;
    u16 rtt_gain, var_gain, var_multiplier;
};

struct route {
    struct hash_row hash; /* first member: a row is its route; only the group's first is in the hash */
    struct list node;     /* all routes, longest prefix first */
    struct route *group;  /* next route to the same destination, best kind first */
    struct route_def def;
    u32 references; /* look-ups that chose it */
};

struct route_table {
    struct pool pool;
    struct hash_table hash;
    struct list all;
    u8 lengths;         /* how many prefix lengths are in use */
    u8 length[33];      /* which, longest first */
    u32 per_length[33]; /* groups of that length */
    u32 round_robin;
    u32 redirects; /* how many REDIRECT routes are installed */
};

#define ROUTE_REDIRECT_MAX 64 /* a peer on the LAN must not be able to fill the table */

size_t route_bytes(u32 max_routes);
bool route_init(struct stack *stk, struct arena *a, u32 max_routes);

/* -ERR_INVAL: prefix over 32, bits set beyond it, no link; -ERR_EXIST: same destination, gateway and link;
 * -ERR_NOMEM. */
int route_add(struct stack *stk, const struct route_def *def, u64 now);
int route_del(struct stack *stk, const struct route_def *def,
              u64 now); /* by dest, prefix, gateway, link, kind */
/* Removes every route of a kind. BEGINROUTES and GATEWAY begin with STATIC and REDIRECT. */
void route_clear(struct stack *stk, enum route_kind kind, u64 now);
void route_clear_link(struct stack *stk, const struct link *lnk, u64 now);
/* Rebuilds the DIRECT routes from HOME and each link's BSDROUTINGPARMS; call after either has changed. */
void route_direct_refresh(struct stack *stk, u64 now);
/* Anything a cached answer depends on has changed. */
void route_changed(struct stack *stk);

/* The best usable route or NULL. flow_hash picks within an equal-cost group as MULTIPATH says. */
struct route *route_lookup(struct stack *stk, struct ipaddr dst, u32 flow_hash, bool per_packet);
/* The direct route whose subnet dst lies in (is dst on a network we are attached to?), or NULL. */
struct route *route_attached(struct stack *stk, struct ipaddr dst);

/* Iteration, longest prefix first: r = NULL starts, NULL ends. */
const struct route *route_next(const struct stack *stk, const struct route *r);
#define ROUTE_FLAGS_MAX 8
/* "UGHSD" as they apply; returns out. A route whose link is down has no U. */
const char *route_flags_text(const struct route *r, char out[ROUTE_FLAGS_MAX]);
u32 route_mtu(const struct route *r);

#endif
