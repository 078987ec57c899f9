/* ip_impl.h - what the files of IP (ip.c, ip_out.c, ip_forward.c, ip_option.c) share. */
#ifndef NET_IP_IMPL_H
#define NET_IP_IMPL_H

#include "net/home.h"
#include "net/ip.h"
#include "net/stack_impl.h"
#include "wire/ip4.h"

/* The straight line of a routing stack and its targets, in front of ip_input(): a packet without options that its card has verified, from
 * an address that a packet may come from whatever the link, to an address that other stacks serve, too; the hook knows where it
 * belongs. true: it has been handed on or delivered, and every test that it has passed is one that ip_input() would have made. */
static inline bool ip_pass_on(struct stack *stk, struct pkt *p, u64 now) {
    const struct stack_hooks *hooks = &stk->hooks;
    const u8 *h = p->data;
    if (!hooks->routed || !(p->flags & PKT_IP_CSUM_OK) || !ip4_is_plain(h, p->len)) return false;
    if (h[IP4_SRC] == 127 || h[IP4_SRC] >= 224) return false;
    const struct home_entry *e = home_find(stk, ipaddr_get(h + IP4_DST));
    if (!e || !(e->flags & HOME_DYNAMIC)) return false;
    p->len = ip4_total(h);
    enum stack_way way = hooks->routed(hooks->routed_ctx, p, now);
    if (way == STACK_WAY_ASK) return false;
    stk->stats.ip.in_receives++;
    if (way == STACK_WAY_HERE) {
        stk->stirred++;
        ip_header_read(p);
        ip_deliver(stk, p, now);
    } else {
        stk->stats.ip.drop_claimed++;
    }
    return true;
}

/* A packet that is not for us, IP header at p->data, already checked. */
void ip_forward(struct stack *stk, struct link *in, struct pkt *p, u64 now);

/* What ip_options_input() decides. */
enum ip_option_verdict { IP_OPTIONS_OK, IP_OPTIONS_BAD, IP_OPTIONS_SOURCE_ROUTE };
/* Looks at the options of a received packet without changing it; *pointer is the offset of a fault. */
enum ip_option_verdict ip_options_check(const u8 *header, u32 *pointer);
/* Record route and timestamp: writes this_hop into the header at h where the sender left room. The checksum
 * is renewed if anything changed. */
void ip_options_record(struct stack *stk, u8 *h, struct ipaddr this_hop, u64 now);
/* The options that an echo reply carries back (RFC 1122 3.2.2.6): record route and timestamp. Returns their
 * length, a multiple of 4, at most IP4_OPTIONS_MAX. */
u32 ip_options_reply(const u8 *header, u8 *out);

/* A direct network's broadcast address, seen through the route that leads there? */
bool ip_is_subnet_broadcast(const struct route *r, struct ipaddr dst);
/* Sends a finished IP packet (header at p->data) to next_hop: whole, or in fragments if it is larger than
 * mtu. */
int ip_emit(struct stack *stk, struct link *lnk, struct pkt *p, struct ipaddr next_hop, u32 mtu_bytes,
            u64 now);

#endif
