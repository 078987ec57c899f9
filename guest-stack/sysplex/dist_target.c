/* dist_target.c - what a target tells the routing stack: listeners, connections, ends. See distributor.h.
 *
 * Listeners are told whole, counted from TCP's own table when they are told: nothing has to be kept in step. Until the stack is in
 * sync it tells of none: whoever may own the DVIPA next has to know of each target. Ends are told in batches of a few milliseconds,
 * because nobody waits for them; a connection that this stack opens itself from a DVIPA is told at once, because the answer to its
 * SYN arrives at the routing stack.
 */
#include "base/str.h"
#include "net/tcp.h"
#include "sysplex/dist_impl.h"

/* ---- listeners ---- */

struct listeners {
    struct distributor *d;
    const struct dist_vipa *v;
    u8 *rows;
    u32 n;
};

static bool quiesced(const struct distributor *d, const struct tcp_info *l) {
    for (u32 i = 0; i < d->quiesces; i++) {
        const struct dist_quiesce *q = &d->quiesce[i];
        if (q->target) return true;
        if (q->port && q->port != l->key.local_port) continue;
        if (q->jobname[0] && strcmp(q->jobname, l->jobname) != 0) continue;
        return true;
    }
    return false;
}

/* A listener counts for a port that is distributed to this stack, or, bound to the DVIPA itself, for a port of its own. */
static bool counts(const struct listeners *c, const struct tcp_info *l) {
    bool exact = ipaddr_eq(l->key.local, c->v->addr);
    const struct dist_dest *dest;
    if (l->state != TCP_LISTEN || !(exact || ipaddr_is_any(l->key.local))) return false;
    const struct dist_def *def = dist_def_of(c->d, c->v, l->key.local_port);
    if (def) return dist_def_names(def, sysplex_dynxcf(c->d->sx), &dest);
    return exact && c->v->target;
}

static bool count_listener(void *ctx, const struct tcp_info *l) {
    struct listeners *c = ctx;
    if (!counts(c, l)) return true;
    /* A row of no listeners says that there are some, all quiesced: the routing stack shows that. */
    u16 one = quiesced(c->d, l) ? 0 : 1;
    for (u32 i = 0; i < c->n; i++) {
        u8 *row = c->rows + (size_t)i * DISTMSG_LISTENER_ROW;
        if (be16_get(row) != l->key.local_port) continue;
        be16_put(row + 2, (u16)(be16_get(row + 2) + one));
        return true;
    }
    if (c->n == LISTENERS_MAX) return false;
    u8 *row = c->rows + (size_t)c->n++ * DISTMSG_LISTENER_ROW;
    be16_put(row, l->key.local_port);
    be16_put(row + 2, one);
    return true;
}

struct ready_here {
    struct listeners who;
    u16 port;
    u32 ready, waiting, backlog;
};

static bool add_ready(void *ctx, const struct tcp_info *l) {
    struct ready_here *r = ctx;
    if (l->key.local_port != r->port || !counts(&r->who, l) || quiesced(r->who.d, l)) return true;
    r->ready++;
    r->waiting += l->backlog_now;
    r->backlog += l->backlog;
    return true;
}

bool dist_ready_here(struct distributor *d, const struct dist_vipa *v, u16 port, u32 *sef) {
    struct ready_here r = {.who = {.d = d, .v = v}, .port = port};
    tcp_for_each(sysplex_stack(d->sx), add_ready, &r);
    *sef = wlm_accepting(100, r.waiting, r.backlog, 0);
    return r.ready > 0;
}

struct dist_listener_state distributor_listener_state(const struct distributor *d, const struct tcp_info *l) {
    return (struct dist_listener_state){.sef = wlm_accepting(100, l->backlog_now, l->backlog, 0), .quiesced = quiesced(d, l)};
}

int dist_listeners_send(struct distributor *d, struct dist_vipa *v, u64 now) {
    struct listeners c = {.d = d, .v = v, .rows = d->out + DISTMSG_LISTENERS_HEAD};
    if (!v->routing && !v->owner) return 0; /* the next owner will ask */
    /* A member that has no path to this stack does not know it: as the next owner it would ask it for no connections, and reset them. */
    bool known_to_all = v->routing || sysplex_state(d->sx) == SYSPLEX_IN_SYNC;
    if (known_to_all) tcp_for_each(sysplex_stack(d->sx), count_listener, &c);
    /* From now on its responsiveness is reported, also before anybody has connected to it. */
    for (u32 i = 0; v->target && i < c.n; i++) dist_served_for(d, v->addr, be16_get(c.rows + (size_t)i * DISTMSG_LISTENER_ROW));
    if (v->routing) {
        dist_set_ready(d, v, SLOT_SELF, c.rows, c.n);
        return 0;
    }
    ipaddr_put(d->out, v->addr);
    be32_put(d->out + 4, v->epoch);
    be32_put(d->out + 8, v->target ? 1u << 24 : 0);
    return dist_send(d, v->owner, DISTMSG_LISTENERS, DISTMSG_LISTENERS_HEAD + c.n * DISTMSG_LISTENER_ROW, now);
}

void dist_listener(void *ctx, struct ipaddr addr, u16 port, bool ready, u64 now) {
    struct distributor *d = ctx;
    UNUSED(port);
    UNUSED(ready);
    UNUSED(now);
    /* Told in the next poll, when TCP's table shows it. */
    LIST_FOR_EACH(n, &d->vipa_list) {
        struct dist_vipa *v = LIST_ENTRY(n, struct dist_vipa, node);
        if (ipaddr_is_any(addr) || ipaddr_eq(addr, v->addr)) dist_due(d, &v->listeners_due);
    }
}

/* ---- connections ---- */

struct conn_count {
    struct ipaddr addr;
    u32 n;
};

static bool count_conn(void *ctx, const struct tcp_info *i) {
    struct conn_count *c = ctx;
    if (ipaddr_eq(i->key.local, c->addr) && i->state != TCP_LISTEN && i->state != TCP_TIME_WAIT) c->n++;
    return true;
}

u32 dist_local_conns(struct distributor *d, struct ipaddr addr) {
    struct conn_count c = {.addr = addr};
    tcp_for_each(sysplex_stack(d->sx), count_conn, &c);
    return c.n;
}

struct conn_list {
    struct distributor *d;
    struct dist_vipa *v;
    u32 len;
    int rc;
    u64 now;
};

static bool send_list(struct conn_list *l) {
    struct distributor *d = l->d;
    if (l->len == DISTMSG_CONNS_HEAD) return true;
    ipaddr_put(d->out, l->v->addr);
    be32_put(d->out + 4, l->v->epoch);
    l->rc = dist_send(d, l->v->owner, DISTMSG_CONNS, l->len, l->now);
    l->len = DISTMSG_CONNS_HEAD;
    return l->rc == 0;
}

static bool list_conn(void *ctx, const struct tcp_info *i) {
    struct conn_list *l = ctx;
    if (!ipaddr_eq(i->key.local, l->v->addr) || i->state == TCP_LISTEN || i->state == TCP_TIME_WAIT) return true;
    struct distmsg_conn c = {i->key.foreign, i->key.local_port, i->key.foreign_port, 0, DISTMSG_OPENED};
    /* A half-open one, too: its end is told like any other's. */
    c.isn = i->tcb ? tcp_seq_of(i->tcb)->irs : i->rcv_nxt - 1;
    distmsg_conn_emit(l->d->out + l->len, &c);
    l->len += DISTMSG_CONN_ROW;
    return l->len + DISTMSG_CONN_ROW <= MESSAGE_MAX || send_list(l);
}

int dist_lists_send(struct distributor *d, struct dist_vipa *v, u64 now) {
    struct conn_list l = {.d = d, .v = v, .len = DISTMSG_CONNS_HEAD, .now = now};
    if (v->routing || !v->owner) return 0;
    dist_notices_flush(d, now); /* in order: what ended before is not in the list */
    tcp_for_each(sysplex_stack(d->sx), list_conn, &l);
    if (l.rc == 0) send_list(&l);
    return l.rc;
}

/* One that is half-open becomes OPEN, and is copied, with its client's next segment. */
static bool own_row(void *ctx, const struct tcp_info *i) {
    struct conn_list *l = ctx;
    struct vcrt_key k = {i->key.local, i->key.foreign, i->key.local_port, i->key.foreign_port};
    bool begun = i->state == TCP_SYN_RCVD;
    if (!ipaddr_eq(k.dvipa, l->v->addr) || i->state == TCP_LISTEN || i->state == TCP_TIME_WAIT) return true;
    /* Both ends of a connection from the address to itself are here: nothing of it is routed. */
    if (ipaddr_eq(k.dvipa, k.client) || vcrt_find(&l->d->vcrt, &k)) return true;
    struct vcrt_row *row = vcrt_add(&l->d->vcrt, &k, SLOT_SELF, begun ? VCRT_EV_SYN : VCRT_EV_OPENED, l->now);
    if (!row) return false; /* full, and counted: it is served without a row */
    row->isn = i->tcb ? tcp_seq_of(i->tcb)->irs : i->rcv_nxt - 1;
    if (!begun) row->ack = i->snd_una, row->acked = true;
    return true;
}

void dist_own_rows(struct distributor *d, struct dist_vipa *v, u64 now) {
    struct conn_list l = {.d = d, .v = v, .now = now};
    tcp_for_each(sysplex_stack(d->sx), own_row, &l);
}

/* ---- notices ---- */

void dist_notices_flush(struct distributor *d, u64 now) {
    u32 done = 0;
    while (done < d->notices) {
        const struct dist_vipa *v = dist_vipa_find(d, d->notice[done].dvipa);
        u32 len = DISTMSG_CONNS_HEAD, last = done;
        for (; last < d->notices && ipaddr_eq(d->notice[last].dvipa, d->notice[done].dvipa); last++) {
            distmsg_conn_emit(d->out + len, &d->notice[last].conn);
            len += DISTMSG_CONN_ROW;
        }
        if (v && v->owner) {
            ipaddr_put(d->out, v->addr);
            be32_put(d->out + 4, v->epoch);
            if (dist_send(d, v->owner, DISTMSG_CONNS, len, now) < 0) break;
        }
        /* Without an owner they are dropped: the next one gets the whole list. */
        done = last;
    }
    d->notices -= done;
    memmove(d->notice, d->notice + done, d->notices * sizeof d->notice[0]);
    d->notices_at = d->notices ? now + 4 * NOTICE_DELAY_US : TIME_NEVER;
}

void dist_notice(struct distributor *d, struct ipaddr dvipa, const struct distmsg_conn *c, bool at_once, u64 now) {
    if (d->notices == NOTICES_MAX) dist_notices_flush(d, now);
    if (d->notices == NOTICES_MAX) {
        d->count.notices_lost++; /* the routing stack will ask */
        return;
    }
    d->notice[d->notices++] = (struct dist_notice){.dvipa = dvipa, .conn = *c};
    if (at_once)
        dist_notices_flush(d, now);
    else
        d->notices_at = u64_min(d->notices_at, now + NOTICE_DELAY_US);
    sysplex_poll_by(d->sx, d->notices_at);
}

void dist_conn_opened(void *ctx, const struct tcp_key *key, struct tcb *conn, u64 now) {
    struct distributor *d = ctx;
    struct dist_vipa *v = dist_vipa_find(d, key->local);
    if (!v) return;
    if (tcp_seq_of(conn)->state != TCP_SYN_SENT) {
        struct dist_served *s = dist_served_for(d, key->local, key->local_port);
        if (s) s->opened++;
        return;
    }
    if (ipaddr_eq(key->local, key->foreign)) return; /* nothing of it leaves this stack */
    if (v->routing) {
        /* A segment without a row would find it, too; the next owners would not. */
        struct vcrt_key k = {key->local, key->foreign, key->local_port, key->foreign_port};
        dist_row_opened(d, v, SLOT_SELF, &k, 0, VCRT_NEWCONN, now);
    }
    if (v->routing || !v->owner) return;
    struct distmsg_conn c = {key->foreign, key->local_port, key->foreign_port, 0, DISTMSG_OPENED};
    dist_notice(d, v->addr, &c, true, now);
}

static void ended(struct distributor *d, const struct dist_vipa *v, const struct tcp_key *key, u32 isn, u64 now) {
    if (v->routing) {
        struct vcrt_key k = {key->local, key->foreign, key->local_port, key->foreign_port};
        dist_row_ended(d, SLOT_SELF, &k, isn, now);
        return;
    }
    struct distmsg_conn c = {key->foreign, key->local_port, key->foreign_port, isn, DISTMSG_ENDED};
    dist_notice(d, v->addr, &c, false, now);
}

void dist_conn_closed(void *ctx, const struct tcp_key *key, struct tcb *conn, u64 now) {
    struct distributor *d = ctx;
    struct dist_vipa *v = dist_vipa_find(d, key->local);
    if (!v) return;
    dist_qos_ended(d, key, conn);
    ended(d, v, key, tcp_seq_of(conn)->irs, now);
}

void dist_half_open_ended(void *ctx, const struct tcp_key *key, u32 peer_isn, u64 now) {
    struct distributor *d = ctx;
    struct dist_vipa *v = dist_vipa_find(d, key->local);
    if (v) ended(d, v, key, peer_isn, now);
}

void dist_asked(struct distributor *d, struct dist_vipa *v, const struct distmsg_conn *c, u64 now) {
    struct tcp_key key = {v->addr, c->client, c->dport, c->cport};
    if (tcp_known(sysplex_stack(d->sx), &key)) return;
    struct distmsg_conn gone = *c;
    gone.what = DISTMSG_ENDED;
    dist_notice(d, v->addr, &gone, false, now);
}

/* ---- what is counted for the reports ---- */

struct dist_served *dist_served_find(struct distributor *d, struct ipaddr dvipa, u16 port) {
    for (u32 i = 0; i < d->served_count; i++) {
        struct dist_served *s = &d->served[i];
        if (s->port == port && ipaddr_eq(s->dvipa, dvipa)) return s;
    }
    return NULL;
}

struct dist_served *dist_served_for(struct distributor *d, struct ipaddr dvipa, u16 port) {
    struct dist_served *s = dist_served_find(d, dvipa, port);
    if (s || d->served_count == SERVED_MAX) return s;
    s = &d->served[d->served_count++];
    *s = (struct dist_served){.dvipa = dvipa, .port = port, .sef = 100};
    return s;
}
