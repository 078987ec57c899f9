/* udp.h - datagram end points: UDP sockets (RFC 768, 1122 4.1) and ICMP echo identifiers (PING, TRACERTE).
 *
 * struct dgram is the protocol's half of a SOCK_UDP or SOCK_ICMP socket; net/sock.c keeps the program's half
 * and calls these functions one to one. Received datagrams wait in the end point's queue, each in a pbuf,
 * bounded by its receive buffer (bytes) and UDPQUEUELIMIT (datagrams).
 *
 * Demultiplexing is two hash probes: connected end points by (local port, peer), others by local port, where
 * the most specific binding wins. Multicast and broadcast reach every matching end point.
 *
 * An ICMP end point: the local port is the echo identifier; sendto() sends an echo request whose sequence
 * number is the number of the request on this end point, counted from 1; what arrives begins with the 8 bytes
 * of the ICMP header: an echo reply, or an error that quotes one of its requests (from = who sent the error).
 */
#ifndef NET_UDP_H
#define NET_UDP_H

#include "base/arena.h"
#include "base/base.h"
#include "base/list.h"
#include "net/hash.h"
#include "net/ip.h"
#include "net/sock.h"
#include "wire/ipaddr.h"

struct port_rule;
struct stack_config;

enum dgram_kind { DGRAM_UDP, DGRAM_ICMP, DGRAM_KINDS };
struct dgram;
/* events: SOCK_EV_READ, SOCK_EV_WRITE; an ICMP error arrives as SOCK_EV_READ with dgram_take_error() set. */
typedef void dgram_event_fn(void *ctx, struct dgram *d, u32 events, u64 now);

struct dgram {
    struct hash_row hash; /* first member; in the bound or the connected table while port is set */
    struct list node;     /* all end points, in order of opening */
    struct stack *stk;
    dgram_event_fn *event;
    void *event_ctx;
    struct list queue;            /* struct pbuf */
    struct sockaddr4 local, peer; /* peer.addr any: not connected */
    struct ipaddr bound;          /* what bind() said; local.addr may follow from connect() */
    struct route_cache cache;
    struct ipaddr cache_dst, cache_from;        /* what cache was made for: destination, source asked for */
    struct ipaddr cache_src;                    /* the source found then */
    u32 queued, queued_bytes, recv_limit_bytes; /* datagrams, bytes, SO_RCVBUF */
    u32 conn_id;
    u32 datagrams_in, datagrams_out;
    u64 bytes_in, bytes_out;
    u16 echo_seq;
    u8 kind;
    u8 ttl, tos, mcast_ttl; /* ttl 0 = the stack's */
    u8 error;               /* ERR_*, taken by dgram_take_error() */
    bool broadcast, reuse, connected, hashed;
    bool dynamic_bind; /* bound through stack_hooks.bind_absent */
    char jobname[9];
    struct list groups; /* struct dgram_group: what was joined, left again by close */
};

struct dgram_group {
    struct list node;
    struct ipaddr group;
    struct link *lnk;
};

struct dgram_table {
    struct pool pool, groups;
    struct hash_table bound[DGRAM_KINDS], connected;
    struct list all;
};

size_t dgram_bytes(const struct stack_config *cfg);
bool dgram_init(struct stack *stk, struct arena *a, const struct stack_config *cfg);

/* -ERR_NOBUFS: max_datagram_sockets are open. */
int dgram_open(struct stack *stk, enum dgram_kind kind, const char *jobname, struct dgram **out);
/* ctx is handed to stack_hooks.bind_absent as the struct sock. */
void dgram_on_event(struct dgram *d, dgram_event_fn *fn, void *ctx);
/* As sock_bind(): -ERR_ADDRINUSE, -ERR_ADDRNOTAVAIL, -ERR_ACCES, -ERR_INVAL (bound already). PORT ... BIND is
 * applied here. */
int dgram_bind(struct dgram *d, struct ipaddr addr, u16 port, u64 now);
/* addr any: dissolves the association. */
int dgram_connect(struct dgram *d, struct ipaddr addr, u16 port, u64 now);
/* len, or -ERR_*. to NULL: the connected peer (-ERR_NOTCONN). */
i32 dgram_sendto(struct dgram *d, const void *data, u32 len, const struct sockaddr4 *to, u64 now);
/* As sock_answer(). */
i32 dgram_answer(struct dgram *d, const void *data, u32 len, const struct sockaddr4 *to, struct ipaddr from, u64 now);
/* The datagram's real length, or -ERR_AGAIN, or a pending error. from, to may be NULL. */
i32 dgram_recvfrom(struct dgram *d, void *data, u32 len, struct sockaddr4 *from, struct ipaddr *to, u64 now);
void dgram_close(struct dgram *d, u64 now);
/* The options of sock.h that concern datagrams; -ERR_INVAL for others or a value outside its domain. */
int dgram_setopt(struct dgram *d, enum sock_opt opt, u32 value, u64 now);
int dgram_getopt(const struct dgram *d, enum sock_opt opt, u32 *value);
/* The pending error (positive), cleared; 0 if none. */
int dgram_take_error(struct dgram *d);
/* Iteration for displays: d = NULL starts, NULL ends. */
const struct dgram *dgram_next(const struct stack *stk, const struct dgram *d);
/* A received datagram (UDP or ICMP header at p->data, p->src and p->dst set) for one end point: queued or
 * dropped and counted. */
void dgram_deliver(struct dgram *d, const struct pkt *p, u64 now);
void dgram_report_error(struct dgram *d, int err, u64 now); /* an ICMP error concerns it */
bool dgram_in_group(const struct dgram *d, const struct link *lnk, struct ipaddr group);
void dgram_stop(struct stack *stk, u64 now); /* P TCPIP: closes all, with SOCK_EV_CLOSED */

#endif
