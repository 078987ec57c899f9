/* viparoute.h - VIPAROUTE: packets for a stack of the sysplex go through the routing table to an address of it, in GRE.
 *
 *   VIPAROUTE DEFINE 193.9.200.3 10.1.1.3      what would go to the stack with dynamic XCF address 193.9.200.3 by XCF goes
 *                                              to 10.1.1.3 by the best route instead: a LAN of its own, say
 *
 * Packets of distributed connections and of connections that have moved take it (forward.c). The packet itself is unchanged; around it
 * stand an IP header, protocol 47, and a GRE header (wire/gre.h), 24 bytes. A way that is too narrow for it: "don't fragment" in
 * the packet is answered with ICMP "fragmentation needed" and the way's MTU less 24; without it the outer packet is fragmented,
 * and joined again by the target's IP. What ICMP tells of the way lowers the path MTU as for any other destination.
 *
 *   the statement is in force while      else
 *   the address is in the HOME list      dynamic XCF or HiperSockets, as without the statement; PLX0508W once
 *   of that stack, and not a DVIPA
 *   there is a route to it               the same
 *
 * A stack takes GRE from addresses in the HOME lists of its partners only, and only around TCP and ICMP packets for a DVIPA that it has: nobody
 * is let into the stack, or through it, by this door. What has come so is marked PKT_DISTRIBUTED: it is never routed again.
 * A target needs no VIPAROUTE of its own. Statements of the stack's own address are kept and not used, so that one profile
 * can serve all systems.
 */
#ifndef SYSPLEX_VIPAROUTE_H
#define SYSPLEX_VIPAROUTE_H

#include "base/base.h"
#include "net/link.h"
#include "wire/ipaddr.h"

struct pkt;
struct route_cache;
struct stack;
struct sysplex;
struct sysplex_peer;

#define VIPAROUTES_MAX     64 /* as many as there can be other stacks */
#define VIPAROUTE_OVERHEAD 24

struct viparoute_row {
    struct ipaddr dynxcf, target;
    bool said; /* that it is not in force */
};
#define VIPAROUTE_COUNTERS(C) C(sent) C(received) C(too_big) C(drop_output) C(drop_stranger) C(drop_gre) C(drop_inner)
struct viparoute_table {
    struct viparoute_row row[VIPAROUTES_MAX];
    u32 rows;
    struct link link; /* of no device: cuts joined segments and finishes checksums before they are wrapped */
    struct {
#define C(name) u32 name;
        VIPAROUTE_COUNTERS(C)
#undef C
    } count;
};

void viparoute_attach(struct sysplex *sx, struct stack *stk);

/* DEFINE; of an address that has one already it replaces that. -ERR_INVAL an address that cannot be a host's; -ERR_NOMEM. */
int viparoute_define(struct sysplex *sx, struct ipaddr dynxcf, struct ipaddr target);
/* DELETE. -ERR_NOENT. */
int viparoute_delete(struct sysplex *sx, struct ipaddr dynxcf, struct ipaddr target);
/* For displays: i-th statement, NULL past the last. in_force may be NULL. */
const struct viparoute_row *viparoute_at(struct sysplex *sx, u32 i, bool *in_force);
const char *viparoute_counter(const struct sysplex *sx, u32 i, u32 *value);

/* Is there a VIPAROUTE in force to this stack? Its way. */
bool viparoute_way(struct sysplex *sx, const struct sysplex_peer *to, struct route_cache *way);
/* Is p, which must not be fragmented, too long for it? Then its sender has been told. wire_bytes: the longest packet that p is on a
 * wire, without what goes around it. If not: link_output() over struct viparoute_table.link, next hop the peer's dynamic XCF address. */
bool viparoute_too_big(struct sysplex *sx, const struct route_cache *way, const struct pkt *p, u32 wire_bytes, u64 now);

#endif
