/* dist_qos.c - what a target's connections send and lose, for each DVIPA and port: the figures of a QoS fraction.
 *
 * Connections count for themselves (struct tcb); a sample adds up those that live and what those that ended since IPL had
 * counted, and takes off the sum of the sample before. It walks TCP's table, so it belongs into a timer of seconds.
 */
#include "net/tcp.h"
#include "sysplex/dist_impl.h"

static void add(struct tcp_traffic *sum, const struct tcp_traffic *t) {
    sum->segments += t->segments;
    sum->retransmitted += t->retransmitted;
    sum->timeouts += t->timeouts;
}

void dist_qos_ended(struct distributor *d, const struct tcp_key *key, const struct tcb *conn) {
    /* A port that nobody connected to (this stack's own connection from the DVIPA) gets no row by ending. */
    struct dist_served *s = dist_served_find(d, key->local, key->local_port);
    if (!s) return;
    const struct tcp_traffic t = tcp_traffic_of(conn);
    add(&s->ended, &t);
}

struct walk {
    const struct dist_served *s;
    struct tcp_traffic sum;
};

static bool add_connection(void *ctx, const struct tcp_info *i) {
    struct walk *w = ctx;
    /* A half-open row's repeated SYN+ACK is the client's silence as often as a loss: it has no figures (tcb is NULL). */
    if (!i->tcb || i->key.local_port != w->s->port || !ipaddr_eq(i->key.local, w->s->dvipa)) return true;
    const struct tcp_traffic t = tcp_traffic_of(i->tcb);
    add(&w->sum, &t);
    return true;
}

bool distributor_sample(struct distributor *d, u32 i, bool sampled, struct dist_sample *out) {
    if (i >= d->served_count) return false;
    struct dist_served *s = &d->served[i];
    struct walk w = {.s = s, .sum = s->ended};
    tcp_for_each(sysplex_stack(d->sx), add_connection, &w);
    *out = (struct dist_sample){.dvipa = s->dvipa, .port = s->port, .qos_fraction = s->qos_fraction};
    out->segments = w.sum.segments - s->before.segments;
    out->retransmitted = w.sum.retransmitted - s->before.retransmitted;
    out->timeouts = w.sum.timeouts - s->before.timeouts;
    if (sampled) s->before = w.sum;
    return true;
}
