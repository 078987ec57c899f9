/* tcp_impl.h - struct sock and struct tcb laid open for sock.c and tcp*.c. Other files use net/sock.h and net/tcp.h.
 *
 *   file            concern
 *   tcp_fsm.c       states and events, one table
 *   tcp_table.c     tables of connections and of bound sockets, demultiplexing, creation and end of a tcb
 *   tcp_in.c        a segment arrives: which row it is for, header prediction, the checks of RFC 9293 3.10.7
 *   tcp_ack.c       what an acknowledgement does; retransmission by duplicate ACKs, NewReno and SACK
 *   tcp_data.c      what text and FIN do; reordering; when to acknowledge
 *   tcp_out.c       which segment to send next, and sending it
 *   tcp_cc.c        round-trip times (RFC 6298), congestion window (RFC 5681)
 *   tcp_marks.c     lists of ranges: the SACK scoreboard and the reorder list
 *   tcp_timer.c     retransmission, persist, delayed ACK, keepalive, limits
 *   tcp_syn.c       half-open rows, SYN cookies, initial sequence numbers
 *   tcp_timewait.c  TIME_WAIT rows
 *   tcp_user.c      what a program asks: connect, listen, accept, send, receive, close
 *   tcp_info.c      displays, DROP, keys for sysplex
 *
 * The order of one segment's work: tcp_input() changes state, and if a program is to be told or something is to be
 * sent, it puts the socket on the work list. The next stack_poll() takes the list: first the program's callback, then
 * one tcp_output(), so that a burst of segments costs one callback and one acknowledgement, and an answer carries
 * the acknowledgement with it. Nothing calls a program, and nothing frees a tcb under its caller, from inside input.
 */
#ifndef NET_TCP_IMPL_H
#define NET_TCP_IMPL_H

#include "net/cbuf.h"
#include "net/hash.h"
#include "net/stack_impl.h"
#include "net/tcp.h"
#include "wire/cksum.h"
#include "wire/tcphdr.h"

/* ---- limits, each with its reason ---- */
#define TCP_MSS_DEFAULT 536u       /* RFC 9293 3.7.1: a peer that does not say */
#define TCP_MSS_MIN 64u            /* a smaller one is an attack on our processor */
#define TCP_MARK_RANGES 16u        /* ranges of one scoreboard; four fit in a SACK option */
#define TCP_DUP_ACKS 3u            /* RFC 5681 */
#define TCP_INITIAL_SEGMENTS 10u   /* RFC 6928 */
#define TCP_RTO_INITIAL_US 1000000u /* RFC 6298 2.1 */
#define TCP_RTO_RESTART_US 3000000u /* RFC 6298 5.7: when the SYN had to be repeated, until there is a sample */
#define TCP_RTO_MIN_US 500000u     /* OS/390: MINIMUMRETRANSMITTIME 0.5 */
#define TCP_RTO_MAX_US 120000000u  /* OS/390: MAXIMUMRETRANSMITTIME 120 */
#define TCP_PERSIST_MAX_US 60000000u /* as BSD's: a window that opened unheard is found within a minute */
#define TCP_DELAY_ACK_US 200000u   /* RFC 1122 4.2.3.2: below 500 ms */
#define TCP_STRETCH_SEGMENTS 16u   /* acknowledged inside a batch when so much has come */
#define TCP_CHALLENGE_PER_SEC 100u /* RFC 5961 7, varied by up to as much again (CVE-2016-5696) */
#define TCP_PAWS_IDLE_TICKS (24u * 86400u * 977u) /* RFC 7323 5.5: 24 days of 1,024 us */
#define TCP_SYN_RETRIES 5u         /* SYN-ACKs of one half-open row after the first */
#define TCP_COOKIE_SLOT_SHIFT 26   /* a cookie's minute: 2^26 us = 67 s */
#define TCP_WINDOW_MAX 1048576u    /* SO_RCVBUF, SO_SNDBUF */
#define TCP_GROWS_FROM 65536u      /* a send buffer of so much and more grows by itself, to TCP_GROWS_TO: 1 Gbit/s over 16 ms */
#define TCP_GROWS_TO   2097152u
#define TCP_CWND_MAX   TCP_GROWS_TO /* more can never be in flight */
#define TCP_BOUND_HEADS 256u
#define TCP_STARVED_US 20000u /* how soon a program that found no chunk is told to try again */

/* The clock of RFC 7323: 1,024 us a tick. */
static inline u32 tcp_tick(u64 now) { return (u32)(now >> 10); }

/* ---- ranges of sequence numbers, ascending and disjoint ---- */
struct tcp_ranges {
    u32 n;
    struct tcp_range r[TCP_MARK_RANGES];
};
/* Held by a connection only while something is lost or out of order. */
struct tcp_marks {
    struct tcp_ranges ahead;  /* received beyond rcv_nxt, already in its place in rx */
    struct tcp_ranges sacked; /* of what we sent, the peer has */
    u32 latest;               /* a sequence number in the newest range of `ahead`: the first SACK block */
    u32 fin_seq;              /* of a FIN that came early */
    bool fin_early;
};

/* ---- a connection ---- */
enum tcp_timer { TT_RETRANSMIT, TT_PERSIST, TT_ACK, TT_KEEPALIVE, TT_LIMIT, TCP_TIMERS };
enum tcp_recovery { CC_OPEN, CC_RECOVERY, CC_LOSS };
enum tcb_flags {
    TF_ACK_NOW = 0x0001,    /* an acknowledgement is owed at once */
    TF_ACK_DUE = 0x0002,    /* one is owed within the delay */
    TF_FIN_QUEUED = 0x0004, /* the program has closed its sending side */
    TF_FIN_RCVD = 0x0008,
    TF_NODELAY = 0x0010,
    TF_KEEPALIVE = 0x0020,
    TF_NODELAYACKS = 0x0040,
    TF_WANT_WRITE = 0x0080, /* the program was told "no room": an event when there is */
    TF_TIMING = 0x0100,     /* rtt_seq is being timed */
    TF_OUTPUT = 0x0200,     /* tcp_output() is due */
    TF_HASHED = 0x0400,     /* in the table of connections */
    TF_PASSIVE = 0x0800,
    TF_STARVED = 0x2000, /* on the starved list: no chunk was free for the program's bytes */
    TF_RESEND = 0x4000,  /* the segment at snd_una is to be sent again */
};

struct tcb {
    struct tcp_seq q;
    u32 cwnd, ssthresh, recover, high_rxt; /* high_rxt: highest retransmitted in this recovery */
    u32 srtt8_us, rttvar4_us, rto_us;      /* srtt * 8, rttvar * 4; srtt8 0 = no sample yet */
    u32 rtt_seq, rtt_at_us;
    u16 flags;     /* enum tcb_flags */
    u8 recovery;   /* enum tcp_recovery */
    u8 dup_acks, retries, probes;
    u16 recv_mss;  /* largest segment seen: what "full-sized" means for acknowledging */
    u32 acked_ca;  /* bytes acknowledged towards the next increase in congestion avoidance */
    struct timer timer;
    u64 due[TCP_TIMERS];
    struct cbuf tx, rx;
    u32 tx_limit, rx_limit;
    struct route_cache route;
    struct tcp_marks *marks;
    struct list accept_node; /* listener's queue, until accepted; later the starved list */
    struct sock *listener;   /* valid while listener_id is its conn_id */
    u32 listener_id;
    u32 segments_in, segments_out, retransmits, timeouts, dup_acks_total;
    u64 bytes_in, bytes_out, heard_at;
};

struct tcp_listener {
    struct list queue; /* struct tcb.accept_node: established, not yet accepted */
    u32 queued, backlog;
    u32 left; /* of the queue when the program was last told: what backlog limits. Who came since is not its fault. */
    u32 conns, conns_total, dropped; /* conns: open now, queued included; SHAREPORT compares it */
    u32 tx_limit, rx_limit;          /* what an accepted connection begins with */
    u16 flags;                       /* enum tcb_flags, likewise */
};

enum sock_flags {
    SF_BOUND = 0x01,     /* in the table of bound sockets */
    SF_LISTENING = 0x02,
    SF_ORPHAN = 0x04,    /* the program has closed it; the connection goes on */
    SF_REUSE = 0x08,
    SF_LINGER = 0x10,    /* SO_LINGER 0: close() resets */
    SF_ABSENT = 0x20,    /* bound through stack_hooks.bind_absent */
    SF_OPEN = 0x40,      /* in use; clear in a free object */
    SF_EXPLICIT = 0x80,  /* the program named the port */
};

struct sock {
    struct hash_row hash; /* first member: connection table, or bound table */
    struct stack *stk;
    struct list work; /* the stack's work list, while `events` or TF_OUTPUT */
    sock_event_fn *fn;
    void *ctx;
    struct tcp_key key;
    u32 conn_id;
    u8 type, flags, events, error; /* enum sock_type, sock_flags, SOCK_EV_*, ERR_* */
    u8 ttl, tos;                   /* ttl 0 = the stack's */
    char jobname[9];
    union {
        struct tcb tcb;
        struct tcp_listener listener;
        struct dgram *dgram;
    };
};
_Static_assert(sizeof(struct sock) <= 512, "an idle connection takes at most 512 bytes");

/* A FIN is to be sent, or has been and is not acknowledged: it stands behind the last byte of tx. */
static inline bool tcb_fin_unacked(const struct tcb *t) {
    return t->q.state == TCP_FIN_WAIT_1 || t->q.state == TCP_CLOSING || t->q.state == TCP_LAST_ACK;
}

static inline struct sock *tcb_sock(const struct tcb *t) {
    return CONTAINER_OF((struct tcb *)(uintptr_t)t, struct sock, tcb);
}

/* ---- rows that are not connections ---- */
struct syn_row {
    struct hash_row hash;
    struct list node; /* rows that sent equally many SYN-ACKs, oldest first */
    struct tcp_key key;
    u32 conn_id;
    u64 due;
    u32 iss, irs, ts_recent, ts_offset;
    u32 window;
    u16 mss;
    u8 scale, options, retries; /* scale: the peer's */
    struct sock *listener;      /* valid while listener_id is its conn_id */
    u32 listener_id;
};

struct timewait_row {
    struct hash_row hash;
    struct list node; /* all rows, the one that ends first in front */
    struct tcp_key key;
    u32 conn_id;
    u64 due;
    u32 snd_nxt, rcv_nxt, ts_recent, ts_offset;
    u16 window;
    u8 options;
    char jobname[9];
};

struct tcp_secret {
    u32 k[2];
};

struct tcp_state {
    struct stack *stk;
    struct hash_table conns, syns, timewaits;
    struct hash_row *bound[TCP_BOUND_HEADS];
    struct pool chunks, marks, syn_rows, timewait_rows;
    struct tcp_secret isn_secret, cookie_secret, ts_secret;
    struct list work; /* struct sock.work */
    struct stack_work poll;
    struct sock *current; /* whose callback runs; NULL as soon as it is freed */
    struct list syn_wait[TCP_SYN_RETRIES + 1];
    struct timer syn_timer;
    struct list timewait_order;
    struct timer timewait_timer;
    u64 cookies_until; /* a cookie we sent may still come back */
    u64 challenge_second;
    u32 challenges_left;
    struct list starved; /* struct tcb.accept_node */
    struct timer starved_timer;
};

struct sock_state {
    struct pool pool;
};

#define TCP_COUNT(stk_, name_) ((stk_)->stats.tcp.name_++)

/* ---- tcp_fsm.c ---- */
enum tcp_event {
    TE_PASSIVE_OPEN,
    TE_ACTIVE_OPEN,
    TE_SYN,         /* a SYN without acknowledgement */
    TE_SYN_ACK,     /* a SYN that acknowledges ours */
    TE_ACK_OF_SYN,  /* ours is acknowledged, no SYN in the segment */
    TE_CLOSE,       /* the program closed its sending side */
    TE_FIN,         /* the peer's FIN, in order */
    TE_ACK_OF_FIN,  /* ours is acknowledged */
    TE_END,         /* RST, abort, or given up */
    TE_EXPIRE,      /* 2 MSL or the FIN_WAIT_2 time is over */
    TCP_EVENTS
};
enum tcp_fsm_state tcp_fsm(enum tcp_fsm_state s, enum tcp_event e);
const char *tcp_event_name(enum tcp_event e);
/* Applies the table; the event must be possible in the state (BUG otherwise). */
void tcp_step(struct tcb *t, enum tcp_event e);

/* ---- tcp_table.c ---- */
u32 tcp_hash(const struct stack *stk, const struct tcp_key *k);
static inline bool tcp_key_eq(const struct tcp_key *a, const struct tcp_key *b) {
    return a->foreign.v4 == b->foreign.v4 && a->foreign_port == b->foreign_port && a->local_port == b->local_port &&
           a->local.v4 == b->local.v4;
}
struct sock *tcp_lookup(struct stack *stk, const struct tcp_key *k, u32 hash);
/* A socket object, zeroed, type and identity set; NULL counted. */
struct sock *sock_new(struct stack *stk, enum sock_type type, const char *jobname);
void sock_delete(struct sock *s, u64 now);
/* A fresh tcb in s: buffers empty, timers idle, limits from the configuration. */
void tcb_init(struct sock *s);
/* Enters the table under s->key; hooks.conn_opened. */
void tcb_connect(struct tcb *t, u64 now);
/* Leaves the table, frees buffers, marks and timers. The socket stays if a program holds it, with `error`. */
void tcb_end(struct tcb *t, u8 error, u64 now);
bool tcp_bound_conflict(struct stack *stk, struct ipaddr addr, u16 port, bool share, bool reuse);
void tcp_bound_add(struct sock *s);
void tcp_bound_del(struct sock *s, u64 now);
bool tcp_port_connected(struct stack *stk, u16 port);
struct sock *tcp_listener_of(const struct tcb *t);
/* The program has closed it and nobody will read what comes. */
static inline bool tcb_abandoned(const struct tcb *t) {
    return (tcb_sock(t)->flags & SF_ORPHAN) && !list_is_in(&t->accept_node);
}
void tcp_accept_queue_del(struct tcb *t);
/* Something for tcp_work(): events for the program, or output. */
void sock_kick(struct sock *s);
static inline void sock_signal(struct sock *s, u8 events) {
    if (s->flags & SF_ORPHAN) return;
    s->events |= events;
    sock_kick(s);
}
static inline void tcb_kick_output(struct tcb *t) {
    t->flags |= TF_OUTPUT;
    sock_kick(tcb_sock(t));
}

/* ---- tcp_in.c, tcp_ack.c, tcp_data.c ---- */
void tcp_input(struct stack *stk, struct pkt *p, u64 now);
/* One segment for a connection: h parsed, payload at data[0..len). */
void tcp_segment(struct tcb *t, const struct tcphdr *h, const u8 *data, u32 len, u64 now);
/* Progress: h->ack is beyond snd_una and not beyond snd_max. false: the connection is over, t is gone. */
bool tcp_acked(struct tcb *t, const struct tcphdr *h, u64 now);
/* ACK field, window and SACK of an acceptable segment; false: drop the segment. */
bool tcp_ack_input(struct tcb *t, const struct tcphdr *h, u32 len, u64 now);
void tcp_window_update(struct tcb *t, const struct tcphdr *h);
/* false: the connection has become a TIME_WAIT row, t is gone. */
bool tcp_data_input(struct tcb *t, u32 seq, const u8 *data, u32 len, bool fin, u64 now);
/* In-order text at rcv_nxt; false: no buffer. */
bool tcp_data_in_order(struct tcb *t, const u8 *data, u32 len);
void tcp_ack_soon(struct tcb *t, u64 now);
/* Takes one of this second's challenge ACKs (RFC 5961 7). */
bool tcp_challenge_allowed(struct stack *stk, u64 now);
void tcp_challenge_ack(struct tcb *t, u64 now);
bool tcp_icmp_valid(struct stack *stk, struct ipaddr src, struct ipaddr dst, const u8 *quoted, u32 quoted_len);
void tcp_icmp_error(struct stack *stk, u8 type, u8 code, u32 mtu, struct ipaddr src, struct ipaddr dst,
                    const u8 *quoted, u32 quoted_len, u64 now);

/* ---- tcp_out.c ---- */
void tcp_output(struct tcb *t, u64 now);
void tcp_send_ack(struct tcb *t, u64 now);
void tcp_send_syn(struct tcb *t, u64 now);
void tcp_send_rst(struct tcb *t, u64 now);
void tcp_send_probe(struct tcb *t, u64 now);
/* A header without text, for rows; false if it could not be sent. */
void tcp_send_bare(struct stack *stk, const struct tcp_key *k, struct tcphdr *h, u64 now);
/* The RST that answers a segment which belongs to nothing. */
void tcp_reject(struct stack *stk, const struct tcp_key *k, const struct tcphdr *h, u32 len, u64 now);
/* Revalidates the route and with it mss_send. */
void tcp_route_refresh(struct tcb *t);
u32 tcp_window_offer(const struct tcb *t);
bool tcp_window_update_due(const struct tcb *t);
u8 tcp_scale_for(u32 limit_bytes);
/* What to offer as MSS towards dst. */
u16 tcp_mss_offer(struct stack *stk, struct ipaddr dst);

/* ---- tcp_cc.c ---- */
void tcp_cc_start(struct tcb *t);
void tcp_cc_acked(struct tcb *t, u32 bytes);
void tcp_cc_enter_recovery(struct tcb *t);
void tcp_cc_timeout(struct tcb *t);
void tcp_rtt_sample(struct tcb *t, u32 rtt_us);
/* Takes the back-off of timeouts or probes off the retransmission time. */
void tcp_rto_restore(struct tcb *t);
u32 tcp_flight(const struct tcb *t);

/* ---- tcp_marks.c ---- */
/* Adds [l, r), merging; false if the list is full and it touches no range. */
bool tcp_ranges_add(struct tcp_ranges *rs, u32 l, u32 r);
/* Forgets everything below seq. */
void tcp_ranges_cut(struct tcp_ranges *rs, u32 seq);
/* NULL: the pool is empty (counted). */
struct tcp_marks *tcp_marks_need(struct tcb *t);
void tcp_marks_release_if_idle(struct tcb *t);
void tcp_marks_free(struct tcb *t);
/* Takes the SACK blocks of h; returns whether anything new was reported. */
bool tcp_marks_sacked(struct tcb *t, const struct tcphdr *h);
/* RFC 6675: octets believed to be in the network; IsLost(seq); next range to send in recovery. */
u32 tcp_pipe(const struct tcb *t);
bool tcp_is_lost(const struct tcb *t, u32 seq);
bool tcp_next_hole(const struct tcb *t, u32 *seq, u32 *len);
/* SACK option for what is ahead; returns the number of blocks. */
u8 tcp_sack_option(const struct tcb *t, struct tcp_range *out, u32 max);

/* ---- tcp_timer.c ---- */
timer_fn tcp_timer_fire;
static inline void tcb_timer_clear(struct tcb *t, enum tcp_timer which) { t->due[which] = TIME_NEVER; }
/* The wheel holds one timer a connection, never later than the earliest due time: moving a due time later, which
 * every acknowledgement does, costs nothing. */
static inline void tcb_timer_set(struct tcb *t, enum tcp_timer which, u64 due) {
    t->due[which] = due;
    if (due < t->timer.due) timer_arm(tcb_sock(t)->stk, &t->timer, due);
}
void tcp_keepalive_restart(struct tcb *t, u64 now);
void tcp_retransmit_restart(struct tcb *t, u64 now);

/* ---- tcp_syn.c ---- */
u32 tcp_prf(const struct tcp_secret *s, const struct tcp_key *k, u32 extra);
u32 tcp_isn(struct stack *stk, const struct tcp_key *k, u64 now);
struct syn_row *tcp_syn_lookup(struct stack *stk, const struct tcp_key *k, u32 hash);
/* A SYN for a listener. iss_floor: the ISN must be beyond it (TIME_WAIT reuse), 0 = no floor. */
void tcp_syn_arrives(struct sock *listener, const struct tcp_key *k, u32 hash, const struct tcphdr *h, u32 iss_floor,
                     u64 now);
/* A segment for a half-open row; returns the new connection if it completes the handshake, to be given the segment. */
struct tcb *tcp_syn_segment(struct stack *stk, struct syn_row *row, u32 hash, const struct tcphdr *h, u32 len, u64 now);
/* An ACK for a listener without a row: the connection if it carries a valid cookie, else NULL. */
struct tcb *tcp_cookie_segment(struct sock *listener, const struct tcp_key *k, u32 hash, const struct tcphdr *h,
                               u64 now);
void tcp_syn_row_free(struct stack *stk, struct syn_row *row);
/* It comes to nothing: hooks.half_open_ended. */
void tcp_syn_row_end(struct stack *stk, struct syn_row *row, u64 now);
timer_fn tcp_syn_timer;

/* ---- tcp_timewait.c ---- */
struct timewait_row *tcp_timewait_lookup(struct stack *stk, const struct tcp_key *k, u32 hash);
/* The connection becomes a row; the socket stays readable if a program holds it. */
void tcp_timewait_enter(struct tcb *t, u64 now);
/* A segment for a row; true: it is a SYN that may begin a new connection, the row is gone, *iss_floor set. */
bool tcp_timewait_segment(struct stack *stk, struct timewait_row *row, u32 hash, const struct tcphdr *h, u32 len,
                          u32 *iss_floor, u64 now);
void tcp_timewait_free(struct stack *stk, struct timewait_row *row);
timer_fn tcp_timewait_timer;

/* ---- tcp_user.c: one for each call of net/sock.h ---- */
int tcp_user_bind(struct sock *s, struct ipaddr addr, u16 port, u64 now);
int tcp_user_listen(struct sock *s, u32 backlog, u64 now);
int tcp_user_accept(struct sock *s, struct sock **out, struct sockaddr4 *peer, u64 now);
int tcp_user_connect(struct sock *s, struct ipaddr addr, u16 port, u64 now);
i32 tcp_user_peek(struct sock *s, const u8 **p);
void tcp_user_consume(struct sock *s, u32 len, u64 now);
i32 tcp_user_room(struct sock *s, u8 **p);
void tcp_user_commit(struct sock *s, u32 len, u64 now);
int tcp_user_shutdown(struct sock *s, u64 now);
/* No chunk was free for this connection's program: it will be told when there is one. */
void tcp_starved(struct tcb *t, u64 now);
timer_fn tcp_starved_timer;
void tcp_user_close(struct sock *s, u64 now);
void tcp_user_abort(struct sock *s, u64 now);
int tcp_user_setopt(struct sock *s, enum sock_opt opt, u32 value, u64 now);
int tcp_user_getopt(struct sock *s, enum sock_opt opt, u32 *value);

#endif
