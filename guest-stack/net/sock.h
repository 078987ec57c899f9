/* sock.h - the sockets that the guest's programs use. Event style: no call ever waits.
 *
 * A program opens a socket, says where its events go, and is called back on the stack's thread whenever what
 * it may do has changed: SOCK_EV_READ (data, a connection to accept, or end of data), SOCK_EV_WRITE (room to
 * send, or connected), SOCK_EV_CLOSED (reset, timed out, refused: sock_error() says which). Events are edges
 * from "would not" to "would"; a program reads until -ERR_AGAIN. Inside a callback every call is allowed,
 * sock_close() of the same socket included.
 *
 * All return 0, a count, or -ERR_*. Addresses and ports are in host order.
 */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include "base/base.h"
#include "wire/ipaddr.h"

struct stack;
struct sock;

enum sock_type { SOCK_TCP, SOCK_UDP, SOCK_ICMP }; /* ICMP: echo identifier = port; PING and TRACERTE */
enum sock_event { SOCK_EV_READ = 1, SOCK_EV_WRITE = 2, SOCK_EV_CLOSED = 4 };
typedef void sock_event_fn(void *ctx, struct sock *s, u32 events, u64 now);

struct sockaddr4 {
    struct ipaddr addr;
    u16 port;
};

enum sock_opt {
    SO_NODELAY,       /* 0/1, TCP_NODELAY */
    SO_KEEPALIVE_OPT, /* 0/1 */
    SO_REUSEADDR_OPT, /* 0/1 */
    SO_LINGER_OPT,    /* seconds; 0 = close() resets */
    SO_RCVBUF_OPT,    /* bytes */
    SO_SNDBUF_OPT,    /* bytes */
    SO_TTL,
    SO_TOS,
    SO_BROADCAST_OPT,
    SO_MCAST_JOIN,  /* value: group address as u32 */
    SO_MCAST_LEAVE, /* value: group address as u32 */
    SO_MCAST_TTL,
    SO_PATHMTU, /* read only */
    SO_CLUSTERCONNTYPE, /* TCP, read only: enum sock_cluster, 8 may come with 2 or 4 */
};

/* Where the partner of a connection is (sysplex sockets). INTERNAL: the way there leaves no link of the sysplex. */
enum sock_cluster {
    SO_CLUSTERCONNTYPE_NOCONN = 0,
    SO_CLUSTERCONNTYPE_NONE = 1,
    SO_CLUSTERCONNTYPE_SAME_CLUSTER = 2,
    SO_CLUSTERCONNTYPE_SAME_IMAGE = 4,
    SO_CLUSTERCONNTYPE_INTERNAL = 8,
};

/* "SAME_CLUSTER INTERNAL", for displays. */
const char *sock_cluster_name(u32 type);

/* jobname: whose socket this is, for PORT reservations, DROP and displays; at most 8 characters. */
int sock_open(struct stack *stk, enum sock_type type, const char *jobname, struct sock **out);
void sock_on_event(struct sock *s, sock_event_fn *fn, void *ctx);
/* port 0: an ephemeral one. -ERR_ADDRINUSE, -ERR_ADDRNOTAVAIL, -ERR_ACCES (reserved). */
int sock_bind(struct sock *s, struct ipaddr addr, u16 port, u64 now);
int sock_listen(struct sock *s, u32 backlog, u64 now);
/* -ERR_AGAIN when the queue is empty. The new socket has no event function yet: set it, then treat it as if
 * READ and WRITE had both been signalled. */
int sock_accept(struct sock *s, struct sock **out, struct sockaddr4 *peer, u64 now);
/* TCP: -ERR_INPROGRESS, then WRITE or CLOSED. UDP, ICMP: 0. */
int sock_connect(struct sock *s, struct ipaddr addr, u16 port, u64 now);

/* TCP: bytes taken, at least 1, or -ERR_AGAIN; recv 0 = the peer has closed. */
i32 sock_send(struct sock *s, const void *data, u32 len, u64 now);
i32 sock_recv(struct sock *s, void *data, u32 len, u64 now);
/* The same without a copy: the contiguous bytes that can be read (or written) now; consume (commit) some. */
i32 sock_recv_peek(struct sock *s, const u8 **p);
void sock_recv_consume(struct sock *s, u32 len, u64 now);
i32 sock_send_room(struct sock *s, u8 **p);
void sock_send_commit(struct sock *s, u32 len, u64 now);

/* UDP and ICMP: whole datagrams. recvfrom of a longer one than len truncates and returns its real length. */
i32 sock_sendto(struct sock *s, const void *data, u32 len, const struct sockaddr4 *to, u64 now);
/* A server's answer: the same, from the address it was asked on (recvfrom's *to). Matters on a socket that is not
 * bound to one address; a broadcast, a group or what is not a HOME address counts as not given. */
i32 sock_answer(struct sock *s, const void *data, u32 len, const struct sockaddr4 *to, struct ipaddr from, u64 now);
i32 sock_recvfrom(struct sock *s, void *data, u32 len, struct sockaddr4 *from, struct ipaddr *to, u64 now);

int sock_shutdown_send(struct sock *s, u64 now);
/* Orderly close; the handle is gone for the program at once, the connection lives on as TCP demands. */
void sock_close(struct sock *s, u64 now);
/* RST. */
void sock_abort(struct sock *s, u64 now);

int sock_setopt(struct sock *s, enum sock_opt opt, u32 value, u64 now);
int sock_getopt(struct sock *s, enum sock_opt opt, u32 *value);
/* SIOCSVIPA: makes addr a dynamic VIPA of this stack (DVR_DEFINE), or deletes it (DVR_DELETE). 0; -ERR_EXIST it is one here
 * already; -ERR_ADDRNOTAVAIL in no VIPARANGE, or another stack keeps it; -ERR_AGAIN the stack has not joined its sysplex yet;
 * -ERR_NOENT; -ERR_NOSYS there is no sysplex. */
int sock_siocsvipa(struct sock *s, bool define, struct ipaddr addr, u64 now);
int sock_error(const struct sock *s); /* 0 or the ERR_* (positive) that closed it */
void sock_local(const struct sock *s, struct sockaddr4 *out);
void sock_peer(const struct sock *s, struct sockaddr4 *out);
u32 sock_conn_id(const struct sock *s); /* as NETSTAT CONN prints it, 8 hex digits */
const char *sock_jobname(const struct sock *s);
struct stack *sock_stack(const struct sock *s);

#endif
