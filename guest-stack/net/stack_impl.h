/* stack_impl.h - struct stack laid open for the files of room net. Other rooms use net/stack.h.
 *
 * Each module keeps its tables in a member of its own and is the only one that changes it; what several touch
 * (configuration, counters, hooks, generation numbers) stands at the top.
 *
 * TCP and the socket layer keep an opaque state each, made by tcp_init() and sock_init() below, which
 * stack_create() calls after everything else is ready.
 */
#ifndef NET_STACK_IMPL_H
#define NET_STACK_IMPL_H

#include "net/arp.h"
#include "net/hash.h"
#include "net/home.h"
#include "net/igmp.h"
#include "net/ip.h"
#include "net/ipfrag.h"
#include "net/link.h"
#include "net/netconf.h"
#include "net/pmtu.h"
#include "net/ports.h"
#include "net/route.h"
#include "net/stack.h"
#include "net/stats.h"
#include "net/timer.h"
#include "net/udp.h"

#define IP_PROTO_SLOTS 8 /* transports that may register */

/* Something to do in the next stack_poll() rather than now: a member of what it concerns, as a timer is. */
struct stack_work {
    struct list node;
    void (*fn)(struct stack *stk, struct stack_work *w, u64 now);
};
static inline void stack_work_init(struct stack_work *w,
                                   void (*fn)(struct stack *, struct stack_work *, u64)) {
    list_init(&w->node);
    w->fn = fn;
}

/* The timing wheel: 6 levels of 32 slots; a tick is 1,024 us, so that time needs a shift and no division. */
#define WHEEL_LEVELS     6
#define WHEEL_SLOT_BITS  5
#define WHEEL_SLOTS      (1u << WHEEL_SLOT_BITS)
#define WHEEL_TICK_SHIFT 10
struct timer_wheel {
    u64 moment;             /* everything due up to here has fired; the time of tick */
    u32 tick;               /* counts on from 0 and wraps */
    u32 next;               /* if known: the tick at which the next occupied slot begins; `none`: there is none */
    bool known, none;
    u32 busy[WHEEL_LEVELS]; /* bit s: slot s may hold timers */
    struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

struct stack {
    char name[9];
    bool stopping, tracing;
    struct stack_config cfg;
    struct stack_env env;
    struct stack_hooks hooks;
    struct net_config conf;
    struct net_stats stats;
    struct hash_key key; /* random, for every hash table of the stack */
    u64 now;             /* of the latest entry; for messages and displays only */
    u64 started;
    u32 route_generation; /* never 0 */
    u32 next_conn_id;
    u32 stirred; /* stack_stirred() */

    struct timer_wheel wheel;
    struct list work;  /* struct stack_work */
    struct list flush; /* struct link.flush_node: links with unrung output */
    struct list loop;  /* struct pbuf: packets to ourselves */
    u32 loop_count;

    struct pool small, large, huge; /* pbufs */
    struct list devices, links;
    struct pool device_pool, link_pool;
    u64 link_index_used;
    struct link *loopback;

    const struct ip_proto *proto_ops[IP_PROTO_SLOTS];
    u8 proto_slot[256]; /* protocol -> slot + 1, 0 = none */
    u16 ip_id[64];      /* next identification, by hash of src, dst, proto */
    u64 icmp_next;      /* rate limit of ICMP errors (generic cell rate) */

    struct home_table home;
    struct route_table routes;
    struct pmtu_table pmtu;
    struct arp_table arp;
    struct frag_table frags;
    struct dgram_table dgrams;
    struct port_table ports;
    struct igmp_table igmp;

    struct tcp_state *tcp;
    struct sock_state *sock;
};

/* ---- for the files of room net ---- */
static inline u32 stack_random(struct stack *stk) {
    return stk->env.random(stk->env.ctx);
}
/* NETSTAT's connection number of a new TCP connection or datagram end point. */
static inline u32 stack_conn_id(struct stack *stk) {
    return ++stk->next_conn_id;
}
/* Runs w->fn in the next stack_poll(); idempotent. Cancel with list_del(&w->node). */
static inline void stack_defer(struct stack *stk, struct stack_work *w) {
    if (!list_is_in(&w->node)) list_push_back(&stk->work, &w->node);
}
void timer_wheel_init(struct stack *stk, u64 now);
/* Fires everything due. */
void timer_wheel_run(struct stack *stk, u64 now);
/* When the wheel wants to run next, TIME_NEVER if it is empty; never later than its earliest timer. */
u64 timer_wheel_next(struct stack *stk);

size_t pbuf_bytes(const struct stack_config *cfg);
bool pbuf_init(struct stack *stk, struct arena *a, const struct stack_config *cfg);
/* An empty buffer for bytes of packet behind PKT_HEADROOM; NULL, counted in its pool, if there is none. */
struct pbuf *pbuf_take(struct stack *stk, u32 bytes, u64 now);
/* The ones-complement sum of bytes [at, at+n) of a packet, over data and ext. */
u32 pkt_sum(const struct pkt *p, u32 at, u32 n);

/* Makes bytes [at, at+n) of p the ext of out (whose data holds new headers), without a copy. The range must
 * touch at most PKT_EXT_MAX pieces. */
void pkt_slice(const struct pkt *p, u32 at, u32 n, struct pkt *out);
/* p is an IP packet with PKT_CSUM_NEEDED: computes its TCP or UDP checksum. */
void pkt_finish_checksum(struct stack *stk, struct pkt *p);
/* p is a whole IP packet that came in: a checksum that a card has passed without one to look at (PKT_L4_CSUM_OK: it may never have
 * been on a wire) becomes ours to finish, PKT_CSUM_NEEDED. */
void pkt_renew_checksum(struct pkt *p);
/* Sends a GSO packet (IP header at data) over a link that cannot cut it. */
void link_output_segments(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now);

size_t link_bytes(const struct stack_config *cfg);
bool link_init(struct stack *stk, struct arena *a, const struct stack_config *cfg);
void link_stop_all(struct stack *stk, u64 now);
/* Queues an IP packet to ourselves; it arrives in the next stack_poll(). */
void link_loop(struct stack *stk, const struct pkt *p, u64 now);
/* The same, as if it had arrived on lnk: our own multicasts and broadcasts. */
void link_loop_as(struct stack *stk, const struct pkt *p, struct link *lnk, u64 now);
/* The link is deleted: what was to arrive on it arrives on LOOPBACK. */
void link_loop_forget(struct stack *stk, const struct link *lnk);
/* Adds an Ethernet header and hands the frame to the driver. */
void link_output_frame(struct link *lnk, struct pkt *p, const u8 *mac, u16 type, u64 now);

void ip_init(struct stack *stk);
void icmp_init(struct stack *stk);
void udp_init(struct stack *stk);
void igmp_proto_init(struct stack *stk);
void igmp_stop(struct stack *stk, u64 now); /* leaves every group */
void icmp_redirect_send(struct stack *stk, const struct pkt *p, struct ipaddr gateway, u64 now);
void dgram_link_forgotten(struct stack *stk, const struct link *lnk, u64 now); /* memberships there end */
/* An echo reply or a quoted echo request for a DGRAM_ICMP end point. */
bool dgram_icmp_input(struct stack *stk, u16 ident, const struct pkt *p, u64 now);

/* ---- implemented by tcp.c and sock.c ---- */
size_t tcp_bytes(const struct stack_config *cfg);
int tcp_init(struct stack *stk, struct arena *a, const struct stack_config *cfg); /* 0 or -ERR_NOMEM */
void tcp_stop(struct stack *stk, u64 now);                                        /* aborts all, frees all */
size_t sock_bytes(const struct stack_config *cfg);
int sock_init(struct stack *stk, struct arena *a, const struct stack_config *cfg);
void sock_stop(struct stack *stk, u64 now);

#endif
