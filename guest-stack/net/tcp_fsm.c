/* tcp_fsm.c - the states of a connection and what moves it, RFC 9293 3.3.2, as one table.
 *
 *   -  cannot happen in this state (a BUG if it does)        same state = it happens and changes nothing
 *
 * SYN_RCVD with TE_CLOSE stays: the FIN waits in the send queue until the SYN is acknowledged, then TE_CLOSE comes
 * again. TIME_WAIT ignores a reset (RFC 1337). LISTEN stays with TE_SYN: the half-open connection is a row of its own.
 */
#include "net/tcp_impl.h"

static const char *const state_names[TCP_STATES] = {
    "Closed", "Listen", "SynSent", "SynRcvd", "Establsh", "FinWt1", "FinWt2", "CloseWt", "Closing", "LastAck", "TimeWt",
};
static const char *const event_names[TCP_EVENTS] = {
    "passive open", "active open", "SYN", "SYN+ACK", "ACK of SYN", "close", "FIN", "ACK of FIN", "end", "expire",
};

#define X TCP_STATES /* "-" */
#define CL TCP_CLOSED
#define LI TCP_LISTEN
#define SS TCP_SYN_SENT
#define SR TCP_SYN_RCVD
#define ES TCP_ESTABLISHED
#define F1 TCP_FIN_WAIT_1
#define F2 TCP_FIN_WAIT_2
#define CW TCP_CLOSE_WAIT
#define CG TCP_CLOSING
#define LA TCP_LAST_ACK
#define TW TCP_TIME_WAIT

/* clang-format off */
static const u8 next_state[TCP_STATES][TCP_EVENTS] = {
    /*                     passive active SYN  SYN+ACK ackSYN close FIN  ackFIN end expire */
    [TCP_CLOSED]      = {  LI,     SS,    X,   X,      X,     X,    X,   X,     CL, X  },
    [TCP_LISTEN]      = {  LI,     X,     LI,  X,      X,     CL,   X,   X,     CL, X  },
    [TCP_SYN_SENT]    = {  X,      X,     SR,  ES,     X,     CL,   X,   X,     CL, X  },
    [TCP_SYN_RCVD]    = {  X,      X,     SR,  ES,     ES,    SR,   X,   X,     CL, X  },
    [TCP_ESTABLISHED] = {  X,      X,     X,   X,      X,     F1,   CW,  X,     CL, X  },
    [TCP_FIN_WAIT_1]  = {  X,      X,     X,   X,      X,     F1,   CG,  F2,    CL, CL },
    [TCP_FIN_WAIT_2]  = {  X,      X,     X,   X,      X,     F2,   TW,  X,     CL, CL },
    [TCP_CLOSE_WAIT]  = {  X,      X,     X,   X,      X,     LA,   X,   X,     CL, X  },
    [TCP_CLOSING]     = {  X,      X,     X,   X,      X,     CG,   X,   TW,    CL, X  },
    [TCP_LAST_ACK]    = {  X,      X,     X,   X,      X,     LA,   X,   CL,    CL, X  },
    [TCP_TIME_WAIT]   = {  X,      X,     X,   X,      X,     TW,   TW,  X,     TW, CL },
};
/* clang-format on */

const char *tcp_state_name(enum tcp_fsm_state s) { return s < TCP_STATES ? state_names[s] : "?"; }
const char *tcp_event_name(enum tcp_event e) { return e < TCP_EVENTS ? event_names[e] : "?"; }

enum tcp_fsm_state tcp_fsm(enum tcp_fsm_state s, enum tcp_event e) {
    CHECK(s < TCP_STATES && e < TCP_EVENTS);
    return (enum tcp_fsm_state)next_state[s][e];
}

void tcp_step(struct tcb *t, enum tcp_event e) {
    enum tcp_fsm_state was = (enum tcp_fsm_state)t->q.state, is = tcp_fsm(was, e);
    CHECK(is != TCP_STATES);
    t->q.state = (u8)is;
    struct tcp_stats *count = &tcb_sock(t)->stk->stats.tcp;
    /* tcpCurrEstab counts ESTABLISHED and CLOSE_WAIT (RFC 4022). */
    bool had = was == TCP_ESTABLISHED || was == TCP_CLOSE_WAIT, has = is == TCP_ESTABLISHED || is == TCP_CLOSE_WAIT;
    if (has && !had) count->curr_estab++;
    if (had && !has) count->curr_estab--;
    if (is != TCP_CLOSED || e != TE_END) return;
    if (was == TCP_SYN_SENT || was == TCP_SYN_RCVD) count->attempt_fails++;
    if (had) count->estab_resets++;
}
