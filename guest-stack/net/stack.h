/* stack.h - a TCP/IP stack is a value: everything it knows hangs on one struct stack.
 *
 * How to use it, in this order:
 *   stack_create()             carve it from an arena, sized by its configuration
 *   profile statements         device_add, link_add, home_*, route_*, port_* ... (super/profile does this)
 *   device_start()             drivers come up and call in
 *   next = stack_poll(now)     after every batch of events, and not later than next
 *
 * Time is the caller's: microseconds, never backwards. Two stacks in one process share nothing.
 */
#ifndef NET_STACK_H
#define NET_STACK_H

#include "base/arena.h"
#include "base/base.h"
#include "net/link.h"
#include "net/pkt.h"
#include "wire/ipaddr.h"

struct stack;
struct sock;
struct tcb;
struct tcp_key;

/* Limits, all fixed at stack_create(). stack_config_default() says what each default is and why. */
struct stack_config {
    u32 max_sockets;     /* TCP connections + listeners + UDP sockets */
    u32 max_timewait;    /* TIME_WAIT rows kept apart from sockets */
    u32 buffer_chunks;   /* pool behind all socket send and receive buffers, chunks of CHUNK_BYTES */
    u32 small_pbufs;     /* kept packets up to 256 bytes */
    u32 large_pbufs;     /* kept packets up to 9,216 bytes */
    u32 huge_pbufs;      /* kept packets up to 65,535 bytes: reassembly, large UDP datagrams, loopback */
    u32 max_datagram_sockets; /* UDP sockets and PING identifiers */
    u32 max_groups;           /* multicast memberships over all links */
    u32 max_links, max_home, max_routes, max_arp, max_port_rules;
    u32 max_dvipas;     /* dynamic VIPAs in HOME, each with a device and a link of its own; 0: no sysplex */
    u32 max_reassembly; /* datagrams being reassembled at once */
};

/* What a stack needs from outside. */
struct stack_env {
    void *ctx;
    /* A complete message with its id, "EZZ4313I INITIALIZATION COMPLETE FOR DEVICE OSA1". */
    void (*message)(void *ctx, const char *text);
    /* 32 unpredictable bits (ISNs' secret, ports, IP ids). */
    u32 (*random)(void *ctx);
    /* Packet trace tap (V TCPIP,,PKTTRACE); NULL when off. out: direction. p is the IP packet. */
    void (*trace)(void *ctx, const struct link *lnk, bool out, const struct pkt *p, u64 now);
    const struct driver *drivers; /* [DEV_TYPES]; entries with device==NULL are refused in DEVICE */
};

/* What stack_hooks.routed says of a packet. */
enum stack_way {
    STACK_WAY_ASK,   /* nothing of it is known for sure, and nothing was done: it is looked at like any other */
    STACK_WAY_TAKEN, /* it has gone elsewhere, or was dropped */
    STACK_WAY_HERE,  /* TCP's of this stack; claim() need not be asked */
};

/* What sysplex fills so that net never looks upward. Any member may be NULL. */
struct stack_hooks {
    void *ctx;
    /* A plain packet, verified by its card, for a HOME address flagged HOME_DYNAMIC, of which data, len and in are set: is it one of
     * many of whose kind there is no doubt where they belong? */
    enum stack_way (*routed)(void *ctx, struct pkt *p, u64 now);
    void *routed_ctx;
    /* The same question about all others, in front of their delivery. */
    bool (*claim)(void *ctx, struct stack *stk, struct pkt *p, u64 now);
    void (*conn_opened)(void *ctx, struct tcb *conn, u64 now);
    void (*conn_closed)(void *ctx, struct tcb *conn, u64 now);
    /* A half-open connection is over without having become one; peer_isn: its peer's initial sequence number. */
    void (*half_open_ended)(void *ctx, const struct tcp_key *key, u32 peer_isn, u64 now);
    void (*listener)(void *ctx, struct ipaddr addr, u16 port, bool ready, u64 now);
    /* bind() to an address that is not in HOME, or is there as HOME_DYNAMIC; 0 if it may be used (perhaps it was activated:
     * VIPARANGE), else -ERR_ADDRNOTAVAIL/AGAIN. bind_released follows when the socket ends. */
    int (*bind_absent)(void *ctx, struct sock *s, struct ipaddr addr, u64 now);
    void (*bind_released)(void *ctx, struct ipaddr addr, u64 now);
    void (*home_changed)(void *ctx, u64 now);
    /* SO_CLUSTERCONNTYPE of a connection to partner. NULL: there is no sysplex. */
    u32 (*cluster_type)(void *ctx, struct ipaddr partner);
    /* Where a connection to dst, which is HOME_DYNAMIC here, comes from; any: from dst itself, it does not leave this stack. */
    struct ipaddr (*source)(void *ctx, struct ipaddr dst);
    /* A program wants some port of addr that in_use() denies. 0: *port; -ERR_NOENT: any ephemeral one of this stack; -ERR_AGAIN none
     * at the moment; -ERR_ADDRINUSE. */
    int (*ephemeral)(void *ctx, struct ipaddr addr, bool (*in_use)(void *ctx, u16 port), void *in_use_ctx, u16 *port, u64 now);
    /* SIOCSVIPA: define or delete addr as a dynamic VIPA on behalf of a job. */
    int (*siocsvipa)(void *ctx, bool define, struct ipaddr addr, const char *jobname, u64 now);
    /* The point where an acknowledgement or output byte first becomes visible to the peer. */
    void (*conn_commit)(void *ctx, struct tcb *conn, u64 now);
};

void stack_config_default(struct stack_config *cfg);
/* Storage that stack_create() will take for cfg, in bytes. */
size_t stack_bytes(const struct stack_config *cfg);
/* NULL if the arena is too small. name: job name (TCPIP), at most 8 characters. */
struct stack *stack_create(struct arena *a, const char *name, const struct stack_config *cfg,
                           const struct stack_env *env, u64 now);
/* Runs everything due; returns when it wants to be called next (TIME_NEVER if only events matter). */
u64 stack_poll(struct stack *stk, u64 now);
/* When stack_poll() wants to be called, as things stand: in the past if there is work. Much cheaper than to call it. */
u64 stack_due(struct stack *stk);
/* Counts packets that came in, but for those that were only passed on: after any other one those above may have something to do. */
u32 stack_stirred(const struct stack *stk);
/* P TCPIP: closes all, stops devices. */
void stack_stop(struct stack *stk, u64 now);
struct stack_hooks *stack_hooks(struct stack *stk);
const struct stack_env *stack_env(const struct stack *stk);
/* V TCPIP,,PKTTRACE: env.trace is called while on. It begins on if env.trace is set at stack_create(). */
void stack_pkttrace(struct stack *stk, bool on);
const char *stack_name(const struct stack *stk);
void stack_message(struct stack *stk, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
