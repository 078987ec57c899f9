/* simdist_check.c - checkers of the simulated distributor that look into its tables: ports, and (c), (d), (h). See simdist.h. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/simdist_impl.h"

/* ---- ports ---- */

/* Its sockets are what they were as long as it runs, is a member, and has not been one anew. */
static bool holds(struct simdist *s, u32 i, const struct bound *b) {
    const struct sysplex *sx = simdist_distributor(s, i) ? s->p->node[i].sx : NULL;
    return b->s && sx && sx->conf.incarnation == b->incarnation && sx->epoch == b->epoch && sx->state != SYSPLEX_OUT &&
           !simxcf_isolated(s->p->x, i);
}

void simdist_use_port(struct simdist *s, u32 i) {
    struct bound *b = &s->bound[i][simplex_random(s->p, BOUND_MAX)];
    struct node *n = &s->p->node[i];
    const struct home_entry *e = simdist_distributor(s, i) ? home_find(n->stk, SIMDIST_VIP) : NULL;
    u64 now = simplex_node_now(n);
    if (holds(s, i, b)) {
        sock_close(b->s, now);
    } else if (e && n->sx->state == SYSPLEX_IN_SYNC && sock_open(n->stk, SOCK_TCP, "FTPD", &b->s) == 0) {
        struct sockaddr4 at;
        if (sock_bind(b->s, SIMDIST_VIP, 0, now) == 0) {
            sock_local(b->s, &at);
            b->port = at.port;
            b->incarnation = n->sx->conf.incarnation;
            b->epoch = n->sx->epoch;
            b->made_at = simxcf_now(s->p->x);
            /* Between owners without SYSPLEXPORTS in force a port is an ordinary one, and nobody promises anything. */
            const struct dist_vipa *v = dist_vipa_find(s->d[i], SIMDIST_VIP);
            if (v && v->sysplexports) {
                s->r.ports++;
                return;
            }
        }
        sock_close(b->s, now);
    }
    b->s = NULL;
}

/* Is the port of a block that the stack may give ports of? */
static bool has_block(struct simdist *s, u32 i, u16 port) {
    const struct dist_vipa *v = dist_vipa_find(s->d[i], SIMDIST_VIP);
    for (u32 k = 0; v && k < v->blocks; k++)
        if (v->block[k].number == port / DISTMSG_BLOCK_PORTS) return true;
    return false;
}

void simdist_check_ports(struct simdist *s) {
    memset(s->port_of, 0, sizeof s->port_of);
    for (u32 i = 0; i < s->par.systems; i++)
        for (u32 k = 0; k < BOUND_MAX; k++) {
            const struct bound *b = &s->bound[i][k];
            /* Whoever does not answer an owner in time may find his block given to another; it is revoked when he answers, and connections
             * that he has go on. */
            if (!holds(s, i, b) || !has_block(s, i, b->port) || s->unheard_at[i] + LEARNING_US > simxcf_now(s->p->x)) continue;
            u32 other = s->port_of[b->port];
            if (other && other != i + 1) simplex_fail(s->p, "ports: systems %u and %u both have %u", other - 1, i, b->port);
            s->port_of[b->port] = (u8)(i + 1);
        }
}

/* ---- checkers c and d ---- */

bool simdist_stands(struct simdist *s, const struct distributor *d, const struct vcrt_row *row) {
    struct ipaddr at = distributor_slot_addr(d, row->target);
    struct tcp_key k = {row->key.dvipa, row->key.client, row->key.dport, row->key.cport};
    for (u32 i = 0; i < s->par.systems; i++) {
        struct node *n = &s->p->node[i];
        if (n->sx && ipaddr_eq(sysplex_dynxcf(n->sx), at)) return simplex_runs(n) && tcp_known(n->stk, &k);
    }
    return false;
}

/* (c) the other way round: what a target serves, the owner routes to it. */
struct served {
    const struct distributor *owner;
    u32 slot;
    bool missing;
};
static bool row_of_connection(void *ctx, const struct tcp_info *i) {
    struct served *v = ctx;
    if (!ipaddr_eq(i->key.local, SIMDIST_VIP) || i->state == TCP_LISTEN || i->state == TCP_TIME_WAIT) return true;
    struct vcrt_key k = {i->key.local, i->key.foreign, i->key.local_port, i->key.foreign_port};
    const struct vcrt_row *row = vcrt_find(distributor_vcrt(v->owner), &k);
    v->missing = !row || row->target != v->slot || row->state == VCRT_ENDED;
    return !v->missing;
}

/* Another stack than the owner's: it knows whose the address is, serves it, and the owner knows all that it serves. */
static const char *target_differs(struct simdist *s, u32 owner, u32 i) {
    const struct distributor *d = simdist_distributor(s, i);
    const struct dist_vipa *v = d ? dist_vipa_find(d, SIMDIST_VIP) : NULL, *at = dist_vipa_find(s->d[owner], SIMDIST_VIP);
    if (!v || v->routing || !v->owner || v->epoch != at->epoch) return "a stack does not know the owner";
    if (!ipaddr_eq(v->owner->dynxcf, DYNXCF(owner))) return "a stack knows another owner";
    if (!v->target || !v->hidden) return "a stack is no target";
    struct served served = {.owner = s->d[owner], .slot = distributor_slot(s->d[owner], DYNXCF(i))};
    tcp_for_each(s->p->node[i].stk, row_of_connection, &served);
    return served.missing ? "VCRT: a connection at a target has no row" : NULL;
}

/* ActiveConn is the rows that are counted. */
static bool counts_agree(const struct distributor *d, const struct vdpt_port *p) {
    u32 rows[VDPT_TARGETS] = {0};
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(distributor_vcrt(d), r)) != NULL;)
        if (r->port == p->index && r->target < VDPT_TARGETS) rows[r->target]++;
    for (u32 t = 0; t < VDPT_TARGETS; t++)
        if (p->t[t].active != rows[t]) return false;
    return true;
}

bool simdist_settled(struct simdist *s, const char **why) {
    i32 owner = simplex_owner(s->p, SIMDIST_VIP);
    if (!simplex_converged(s->p, why)) return false;
    *why = "nobody routes";
    if (owner < 0 || !distributor_routes(s->d[owner], SIMDIST_VIP)) return false;
    struct distributor *d = s->d[owner];
    const struct vdpt_port *p = vdpt_find(distributor_vdpt(d), SIMDIST_VIP, SIMPLEX_PORT);
    *why = "VDPT: RDY differs from the listeners";
    if (!p) return false;
    for (u32 i = 0; i < s->par.systems; i++) {
        u32 slot = distributor_slot(d, DYNXCF(i));
        if (slot == VDPT_NOBODY || p->t[slot].ready != 1) return false;
    }
    *why = "VDPT: ActiveConn differs from the rows";
    if (!counts_agree(d, p)) return false;
    for (u32 i = 0; i < s->par.systems; i++)
        if (i != (u32)owner && (*why = target_differs(s, (u32)owner, i)) != NULL) return false;
    *why = "VCRT: a row has no connection at its target";
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(distributor_vcrt(d), r)) != NULL;)
        if (r->state != VCRT_ENDED && !simdist_stands(s, d, r)) return false;
    return true;
}

/* (h) nothing of a session is left in a stack: connections, what they had in buffers, copies, affinities in use, what is still to be told. */
static const char *left_over(struct simdist *s, u32 i) {
    struct distributor *d = s->d[i];
    struct stack *stk = s->p->node[i].stk;
    u32 idle = 0;
    LIST_FOR_EACH(n, &d->affinity_idle) idle++;
    const struct {
        const char *what;
        u32 n;
    } left[] = {
        {"rows of the VCRT", vcrt_rows(&d->vcrt)}, {"copies of rows", vcrt_rows(&d->copies)},
        {"connections", dist_local_conns(d, SIMDIST_VIP)}, {"half-open connections", stk->tcp->syn_rows.in_use},
        {"socket buffers", stk->tcp->chunks.in_use}, {"affinities in use", d->affinities.rows - idle}, {"ends to be told", d->notices},
        {"copies to be sent", d->copy_notes}, {"moved connections", s->p->node[i].sx->moved.rows},
    };
    for (u32 k = 0; k < ARRAY_LEN(left); k++)
        if (left[k].n) return left[k].what;
    for (struct vdpt_port *p = NULL; (p = vdpt_walk(distributor_vdpt(d), p)) != NULL;)
        for (u32 t = 0; t < VDPT_TARGETS; t++)
            if (p->t[t].active) return "ActiveConn";
    return NULL;
}

/* What is left in the tables, to stderr. */
void simdist_show(struct simdist *s) {
    char a[IPADDR_TEXT_MAX], b[IPADDR_TEXT_MAX];
    for (u32 i = 0; i < s->par.systems; i++) {
        const struct distributor *d = simdist_distributor(s, i);
        if (!d) continue;
        if (left_over(s, i)) fprintf(stderr, "system %u: has %s\n", i, left_over(s, i));
        for (struct vcrt_row *r = NULL; (r = vcrt_walk(distributor_vcrt(d), r)) != NULL;)
            fprintf(stderr, "system %u: %s %s %u -> %s port %u used %u\n", i, vcrt_state_name((enum vcrt_state)r->state),
                    ipaddr_text(r->key.client, a), r->key.cport, ipaddr_text(distributor_slot_addr(d, r->target), b), r->port,
                    r->used);
        for (struct vdpt_port *p = NULL; (p = vdpt_walk(distributor_vdpt(d), p)) != NULL;)
            for (u32 t = 0; t < VDPT_TARGETS; t++)
                if (p->t[t].flags & VDPT_IN)
                    fprintf(stderr, "system %u: port %u %s ready %u active %u total %u\n", i, p->port,
                            ipaddr_text(distributor_slot_addr(d, t), a), p->t[t].ready, p->t[t].active, p->t[t].total);
    }
}

bool simdist_drained(struct simdist *s, const char **why) {
    for (u32 i = 0; i < s->par.systems; i++)
        if (simdist_distributor(s, i) && (*why = left_over(s, i)) != NULL) return false;
    return true;
}
