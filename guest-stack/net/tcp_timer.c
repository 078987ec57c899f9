/* tcp_timer.c - what happens when nothing happens: five due times a connection behind one timer of the wheel.
 *
 *   TT_RETRANSMIT  something sent is not acknowledged      RFC 6298 5.4-5.7; gives up after RETRANSMITATTEMPTS
 *   TT_PERSIST     the peer's window is shut               RFC 9293 3.8.6.1; never gives up while the peer answers
 *   TT_ACK         an acknowledgement was held back        RFC 1122 4.2.3.2
 *   TT_KEEPALIVE   nothing was heard for INTERVAL          RFC 1122 4.2.3.6; KEEPALIVEPROBES, then ends
 *   TT_LIMIT       CONNECTTIMEOUT, or FINWAIT2TIME
 */
#include "net/tcp_impl.h"

static struct stack *stack_of(const struct tcb *t) { return tcb_sock(t)->stk; }

void tcp_retransmit_restart(struct tcb *t, u64 now) { tcb_timer_set(t, TT_RETRANSMIT, now + t->rto_us); }

void tcp_keepalive_restart(struct tcb *t, u64 now) {
    u32 minutes = stack_of(t)->conf.tcp.keepalive_min;
    t->probes = 0;
    if (!(t->flags & TF_KEEPALIVE) || minutes == 0)
        tcb_timer_clear(t, TT_KEEPALIVE);
    else
        tcb_timer_set(t, TT_KEEPALIVE, now + (u64)minutes * 60 * USEC_PER_SEC);
}

static void backoff(struct tcb *t) { t->rto_us = u32_min(t->rto_us * 2, TCP_RTO_MAX_US); }

static void fire_retransmit(struct tcb *t, u64 now) {
    struct stack *stk = stack_of(t);
    if (t->retries >= stk->conf.tcp.retransmit_attempts) {
        TCP_COUNT(stk, retransmit_drops);
        tcp_step(t, TE_END);
        tcb_end(t, ERR_TIMEDOUT, now);
        return;
    }
    t->retries++;
    t->timeouts++;
    TCP_COUNT(stk, timeouts);
    backoff(t);
    if (t->q.state == TCP_SYN_SENT || t->q.state == TCP_SYN_RCVD) {
        tcp_send_syn(t, now);
        return;
    }
    tcp_cc_timeout(t);
    /* The path may have died with an adapter: the next segment asks the routes again. After a few losses in a row a
     * receiver may have dropped what it reported (RFC 2018 8), so the scoreboard is not believed any more. */
    t->route.generation = 0;
    if (t->marks) {
        t->marks->sacked.n = 0;
        tcp_marks_release_if_idle(t);
    }
    t->q.snd_nxt = t->q.snd_una;
    tcp_output(t, now);
    if (t->due[TT_RETRANSMIT] == TIME_NEVER && t->q.state != TCP_CLOSED) tcp_retransmit_restart(t, now);
}

static void fire_persist(struct tcb *t, u64 now) {
    struct stack *stk = stack_of(t);
    /* A peer that answers its probes may keep its window shut for ever (RFC 9293 MUST-36); a silent one may not. */
    if (t->probes >= stk->conf.tcp.retransmit_attempts) {
        TCP_COUNT(stk, retransmit_drops);
        tcp_step(t, TE_END);
        tcb_end(t, ERR_TIMEDOUT, now);
        return;
    }
    t->probes++;
    TCP_COUNT(stk, window_probes_out);
    backoff(t);
    tcp_send_probe(t, now);
    tcb_timer_set(t, TT_PERSIST, now + u32_min(t->rto_us, TCP_PERSIST_MAX_US));
}

static void fire_keepalive(struct tcb *t, u64 now) {
    struct stack *stk = stack_of(t);
    const struct tcp_config *conf = &stk->conf.tcp;
    u64 since = now - t->heard_at, interval = (u64)conf->keepalive_min * 60 * USEC_PER_SEC;
    if (t->probes == 0 && since < interval) {
        tcb_timer_set(t, TT_KEEPALIVE, t->heard_at + interval);
        return;
    }
    if (t->probes >= conf->keepalive_probes) {
        TCP_COUNT(stk, keepalive_drops);
        tcp_send_rst(t, now);
        tcp_step(t, TE_END);
        tcb_end(t, ERR_TIMEDOUT, now);
        return;
    }
    t->probes++;
    TCP_COUNT(stk, keepalive_probes);
    tcp_send_probe(t, now);
    tcb_timer_set(t, TT_KEEPALIVE, now + (u64)conf->keepalive_probe_sec * USEC_PER_SEC);
}

static void fire_limit(struct tcb *t, u64 now) {
    struct stack *stk = stack_of(t);
    if (t->q.state == TCP_FIN_WAIT_2) {
        TCP_COUNT(stk, finwait2_drops);
        tcp_step(t, TE_EXPIRE);
        tcb_end(t, ERR_TIMEDOUT, now);
        return;
    }
    if (t->q.state != TCP_SYN_SENT && t->q.state != TCP_SYN_RCVD) return;
    tcp_step(t, TE_END);
    tcb_end(t, ERR_TIMEDOUT, now);
}

static void fire(struct tcb *t, enum tcp_timer which, u64 now) {
    switch (which) {
    case TT_RETRANSMIT:
        fire_retransmit(t, now);
        break;
    case TT_PERSIST:
        fire_persist(t, now);
        break;
    case TT_ACK:
        TCP_COUNT(stack_of(t), delayed_acks);
        tcp_send_ack(t, now);
        break;
    case TT_KEEPALIVE:
        fire_keepalive(t, now);
        break;
    default:
        fire_limit(t, now);
        break;
    }
}

void tcp_timer_fire(struct stack *stk, struct timer *timer, u64 now) {
    struct tcb *t = CONTAINER_OF(timer, struct tcb, timer);
    /* tcb_end() may free the socket; `current` says whether it did. */
    struct sock *s = tcb_sock(t), *was = stk->tcp->current;
    stk->tcp->current = s;
    for (u32 i = 0; i < TCP_TIMERS && stk->tcp->current == s && t->q.state != TCP_CLOSED; i++) {
        if (t->due[i] > now) continue;
        t->due[i] = TIME_NEVER;
        fire(t, (enum tcp_timer)i, now);
    }
    if (stk->tcp->current == s && t->q.state != TCP_CLOSED) {
        u64 next = TIME_NEVER;
        for (u32 i = 0; i < TCP_TIMERS; i++) next = u64_min(next, t->due[i]);
        if (next < t->timer.due) timer_arm(stk, timer, next);
    }
    stk->tcp->current = was;
}
