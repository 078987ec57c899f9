/* tcp.h - TCP as other rooms see it: creation, displays, DROP, and what the sysplex asks of a connection.
 *
 * Programs use net/sock.h. This header is for stack.c (tcp_init, tcp_stop), for NETSTAT and AUTOLOG (tcp_for_each,
 * tcp_listening), for V TCPIP,,DROP (tcp_drop) and for sysplex (keys, struct tcb in the hooks of net/stack.h).
 *
 *   how a connection is kept                                             bytes on a 64-bit host
 *     half-open (SYN received)   a row of the SYN table; past its limit only a SYN cookie      104, or none
 *     open or closing            one struct sock, which contains the struct tcb                <= 512, asserted
 *     data in flight or unread   chunks of net/cbuf.h, taken only while there are bytes
 *     loss or reordering         one struct tcp_marks from a small pool, only while it lasts
 *     TIME_WAIT                  a row of the TIME_WAIT table                                  88
 *
 * States are those of RFC 9293 with the names that OS/390's NETSTAT prints. Everything that decides a connection's
 * future stands in struct tcp_seq, which contains no pointer, so that it can be kept elsewhere as bytes.
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include "base/arena.h"
#include "base/base.h"
#include "net/sock.h"
#include "net/stack.h"
#include "wire/ipaddr.h"

struct tcp_state; /* TCP of one stack; struct stack holds the pointer */

enum tcp_fsm_state {
    TCP_CLOSED,
    TCP_LISTEN,
    TCP_SYN_SENT,
    TCP_SYN_RCVD,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_LAST_ACK,
    TCP_TIME_WAIT,
    TCP_STATES
};

/* Which connection: what the VCRT, DROP and the demultiplexer key on. */
struct tcp_key {
    struct ipaddr local, foreign;
    u16 local_port, foreign_port; /* host order */
};

/* The future of a connection. Sequence numbers are of RFC 9293 3.3.1; snd_max is the highest ever sent + 1. */
struct tcp_seq {
    u32 iss, snd_una, snd_nxt, snd_max;
    u32 snd_wnd, snd_wl1, snd_wl2, snd_wnd_max;
    u32 irs, rcv_nxt, rcv_adv; /* rcv_adv: right edge of the window last offered */
    u32 ts_recent, ts_recent_ms, ts_offset;
    u32 last_ack_sent;
    u16 mss_send, mss_peer; /* payload per segment with the options of every segment taken off; peer's offer */
    u8 snd_scale, rcv_scale;
    u8 options; /* enum tcp_option_in_use */
    u8 state;   /* enum tcp_fsm_state */
};

enum tcp_option_in_use { TCP_USE_TS = 1, TCP_USE_SACK = 2, TCP_USE_SCALE = 4 };

/* One line of NETSTAT CONN, ALL or BYTEINFO. Zero where a state has no such figure. */
struct tcp_info {
    u32 conn_id;
    struct tcp_key key;
    const char *jobname;
    enum tcp_fsm_state state;
    u64 bytes_in, bytes_out;
    u32 segments_in, segments_out, retransmits, timeouts, duplicate_acks;
    u32 send_window, recv_window, cwnd, ssthresh; /* bytes */
    u32 srtt_us, rttvar_us, rto_us;
    u32 mss;
    u32 send_queued, recv_queued; /* bytes not yet acknowledged, not yet read */
    u32 snd_nxt, snd_una, rcv_nxt;
    u64 idle_since;                                                       /* last segment from the peer */
    u32 backlog, backlog_now, conns_now, conns_total, conns_dropped; /* listeners */
    struct tcb *tcb;                                                      /* NULL for half-open and TIME_WAIT rows */
};

/* One line of NETSTAT SOCKETS: every socket that a program holds. */
struct sock_info {
    enum sock_type type;
    u32 conn_id;
    const char *jobname;
    struct sockaddr4 local, peer;
    const char *state; /* "Listen" ... for TCP, "UDP" for UDP, "RAW" for ICMP */
};

/* ---- life (stack.c) ---- */
size_t tcp_bytes(const struct stack_config *cfg);
/* 0 or -ERR_NOMEM. Registers IP protocol 6; sets stk->tcp. */
int tcp_init(struct stack *stk, struct arena *a, const struct stack_config *cfg);
/* Resets every connection, closes listeners, drops half-open and TIME_WAIT rows. */
void tcp_stop(struct stack *stk, u64 now);
/* The socket layer keeps one pool for all kinds of sockets; call before tcp_init(). Sets stk->sock. */
size_t sock_bytes(const struct stack_config *cfg);
int sock_init(struct stack *stk, struct arena *a, const struct stack_config *cfg);

/* ---- displays ---- */
/* As OS/390 prints it: "Listen" "SynSent" "SynRcvd" "Establsh" "FinWt1" ... */
const char *tcp_state_name(enum tcp_fsm_state s);
/* Listeners, half-open rows, connections and TIME_WAIT rows, until row() returns false. row() may not close
 * or open anything. */
void tcp_for_each(struct stack *stk, bool (*row)(void *ctx, const struct tcp_info *info), void *ctx);
/* Every socket a program holds, all kinds. */
void sock_for_each(struct stack *stk, bool (*row)(void *ctx, const struct sock_info *info), void *ctx);
/* Chunks of the buffer pool: in use, high-water mark, all, refusals. */
const struct pool *tcp_buffer_pool(const struct stack *stk);
const struct pool *sock_pool(const struct stack *stk);

/* ---- control ---- */
/* V TCPIP,,DROP: resets it (a listener is closed) and tells its program -ERR_CONNABORTED; -ERR_NOENT. */
int tcp_drop(struct stack *stk, u32 conn_id, u64 now);
/* Is a listener ready on this port; jobname NULL = anyone's. */
bool tcp_listening(const struct stack *stk, u16 port, const char *jobname);

/* ---- sysplex ---- */
void tcp_key_of(const struct tcb *conn, struct tcp_key *out);
/* The connection, whatever its state short of TIME_WAIT; NULL. */
struct tcb *tcp_find(struct stack *stk, const struct tcp_key *key);
/* Best listener for an address and port, or NULL: the target half of the distributor. */
struct sock *tcp_find_listener(struct stack *stk, struct ipaddr addr, u16 port);
const struct tcp_seq *tcp_seq_of(const struct tcb *conn);
/* Has this stack anything under the key: a connection, a half-open row, TIME_WAIT? */
bool tcp_known(struct stack *stk, const struct tcp_key *key);
/* The same, asked for a segment with that sequence number: TIME_WAIT has nothing beyond the peer's FIN. */
bool tcp_known_segment(struct stack *stk, const struct tcp_key *key, u32 seq);
/* A connection or a half-open row: TIME_WAIT does not count. */
bool tcp_lives(struct stack *stk, const struct tcp_key *key);
/* Answers a TCP packet (IP header at p->data, not a fragment) as if nothing listened: RST, unless it is one itself. */
void tcp_refuse(struct stack *stk, const struct pkt *p, u64 now);
/* RST to key->foreign, with the sequence number that it expects next. */
void tcp_reset_peer(struct stack *stk, const struct tcp_key *key, u32 seq, u64 now);
/* Two ACKs, of which key->foreign must answer one with an ACK of its own if it has the connection: seq is to lie outside its window. */
void tcp_probe_peer(struct stack *stk, const struct tcp_key *key, u32 seq, u32 ack, u64 now);
struct sock *tcp_sock_of(struct tcb *conn);
/* The connection as NETSTAT sees it. */
void tcp_info_of(const struct tcb *conn, struct tcp_info *out);
/* What a connection has sent, counted in segments on the wire. */
struct tcp_traffic {
    u32 segments, retransmitted, timeouts;
};
struct tcp_traffic tcp_traffic_of(const struct tcb *conn);
/* SO_CLUSTERCONNTYPE of a connection at this moment. */
u32 tcp_cluster_type(struct tcb *conn);

#endif
