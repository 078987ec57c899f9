/* tcprig.h - TCP cases as rows: what a hand-made peer sends, what the stack must answer, what its program does.
 *
 *   static const struct row handshake[] = {
 *       {0, LISTEN},
 *       {0, IN, S, 0, 0},                      peer: SYN, relative sequence number 0
 *       {0, OUT, S | A, 0, 1},                 stack: SYN+ACK, its own relative numbers
 *       {200, QUIET},                          and nothing else by then
 *   };
 *
 * Times are milliseconds since the row before. Sequence numbers count from each side's own ISN: IN rows give seq in the
 * peer's and ack in the stack's numbers, OUT rows the other way round. Text is the pattern position modulo 251 of the
 * relative sequence number, so what the stack sends and what its program reads is checked byte by byte.
 * Zero means "default" in IN rows and "do not look" in OUT rows for every member after len.
 * Every packet that the stack sends is checked: lengths, IP and TCP checksums, no options where none were agreed.
 */
#ifndef TESTS_UNIT_TCPRIG_H
#define TESTS_UNIT_TCPRIG_H

#include "net/tcp_impl.h"
#include "tests/unit/testnet.h"

/* A row says what differs from zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define S TCPF_SYN
#define A TCPF_ACK
#define F TCPF_FIN
#define R TCPF_RST
#define P TCPF_PSH

enum row_kind {
    IN,      /* the peer sends */
    OUT,     /* the stack has sent: the oldest packet not yet looked at */
    QUIET,   /* the stack has sent nothing more */
    PASS,    /* time passes, packets are forgotten */
    LISTEN,  /* the program: open, bind, listen */
    CONNECT, /* open, connect to the peer */
    ACCEPT,  /* take the connection */
    WRITE,   /* len bytes of the pattern */
    READ,    /* len bytes, which must be there; 0: end of data */
    CLOSE,
    SHUT,    /* half close */
    ABORT,
    STATE,   /* seq = enum tcp_fsm_state that the connection must be in; TCP_CLOSED: there is none */
    ERROR,   /* seq = ERR_* that the program's socket must show */
    OPTION,  /* seq = enum sock_opt, ack = value, on the newest socket */
    FRAG,    /* ICMP "fragmentation needed", mtu = len, quoting the segment at seq */
};

struct row {
    u32 ms;
    enum row_kind kind;
    u32 flags, seq, ack, len;
    u32 window;            /* unscaled field + 1 where zero is meant: see WINDOW() */
    u32 mss, scale;        /* scale + 1 */
    bool sack_ok;
    u32 ts, echo;          /* ts != 0: with timestamps; echo: IN only, relative to nothing */
    u32 sack[3][2];        /* IN: in the stack's numbers; OUT: in the peer's */
};
#define WINDOW(n) .window = (n) + 1
#define SCALE(n) .scale = (n) + 1

struct tcprig {
    struct testnet *net;
    struct stack *stk;
    struct link *lnk;
    struct sock *listener, *s;
    struct ipaddr us, peer;
    u16 our_port, peer_port;
    u32 our_isn, peer_isn;
    bool know_isn;
    u32 looked_at; /* frames */
    u32 written, read;
    u32 last_ts; /* of the stack's newest segment */
    u32 events;
};

/* The stack of its own on 10.0.0.1/24; the peer is 10.0.0.9. ISNs of the peer begin at peer_isn. */
void tcprig_open(struct tcprig *r, u32 peer_isn);
void tcprig_close(struct tcprig *r);
/* Runs the rows; name and row number are printed when one fails. */
void tcprig_run(struct tcprig *r, const char *name, const struct row *rows, u32 n);
/* A rig of its own for one case. */
void tcprig_case(const char *name, const struct row *rows, u32 n);
#define RUN(rig, rows) tcprig_run(rig, #rows, rows, ARRAY_LEN(rows))
#define CASE(rows) tcprig_case(#rows, rows, ARRAY_LEN(rows))
enum tcp_fsm_state tcprig_state(struct tcprig *r);

#endif
