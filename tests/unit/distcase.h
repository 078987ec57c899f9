/* distcase.h - what tests of the distributor in a directed group (distlab.h) begin with. One file of a program includes it, behind nothing.
 *
 *   l = opened(n, method)             n stacks; A owns and distributes port 80 to all; opened_with(n, &s) by this statement
 *   define(l, i, &s)                  VIPADISTRIBUTE in stack i's profile, for instance s = statement(method, port)
 *   l = at_c(n)                       three stacks, of which C alone listens; n connections to it, which stand
 *   only_one_listens(l, i)            of the stacks there are, from now on; others_quiesced(l, i, on): all but i are, or are no longer
 *   lose_sight(l, i, j)               stack i sees j leave; lab_meet() ends that
 *   listen = client_listens(l, port)  at the client, for what is called from the DVIPA; call(l, i, port) from its port 20 at stack i
 *   counters(l, i), rows(l, i), dist(i), vipa(i), copies(i)     of stack i; first_row() of A's VCRT
 *   ready(l, i, slot)                 RDY of port 80 at a slot, as i has it
 */
#ifndef TESTS_UNIT_DISTCASE_H
#define TESTS_UNIT_DISTCASE_H

#include "tests/unit/distlab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the three above */
#include <cmocka.h>

static struct lab lab;

static inline struct distributor *dist(u32 i) { return lab.node[i].d; }
static inline struct dist_vipa *vipa(u32 i) { return dist_vipa_find(dist(i), LAB_DVIPA); }
static inline u32 copies(u32 i) { return vcrt_rows(&dist(i)->copies); }
static inline const struct dist_counters *counters(struct lab *l, u32 i) { return distributor_counters(l->node[i].d); }
static inline u32 rows(struct lab *l, u32 i) { return vcrt_rows(distributor_vcrt(l->node[i].d)); }

static inline struct vcrt_row *first_row(void) { return vcrt_walk(&dist(0)->vcrt, NULL); } /* of A */

static inline u32 ready(struct lab *l, u32 i, u32 slot) {
    const struct vdpt_port *p = vdpt_find(distributor_vdpt(l->node[i].d), LAB_DVIPA, 80);
    return p ? p->t[slot].ready : 0;
}

static inline struct dist_statement statement(enum dist_method m, u16 port) {
    struct dist_statement s = {.dvipa = LAB_DVIPA, .options = {.method = (u8)m}};
    if (port) s.port[s.ports++] = port;
    return s;
}

static inline void define(struct lab *l, u32 i, const struct dist_statement *s) {
    assert_int_equal(distributor_define(l->node[i].d, s, l->t->now), 0);
}

static inline struct lab *opened_with(u32 n, const struct dist_statement *s) {
    lab_open(&lab, n);
    define(&lab, 0, s);
    lab_own(&lab, 0);
    lab_run(&lab, 5000);
    return &lab;
}

static inline struct lab *opened(u32 n, enum dist_method m) {
    struct dist_statement s = statement(m, 80);
    return opened_with(n, &s);
}

static inline void only_one_listens(struct lab *l, u32 one) {
    for (u32 i = 0; i < l->nodes; i++)
        if (i != one) sock_close(l->node[i].listener, l->t->now);
    lab_run(l, 5000);
}

static inline struct lab *at_c(u32 n) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    only_one_listens(l, 2);
    for (u32 i = 0; i < n; i++) lab_connect(l);
    if (n) lab_run(l, 100000);
    assert_int_equal(dist(0)->vcrt.rows_of[2], n);
    return l;
}

/* QUIESCE or RESUME TARGET there; it is not yet said to anybody. */
static inline void quiesced(struct lab *l, u32 i, bool on) {
    static const struct dist_quiesce all = {.target = true};
    assert_int_equal((on ? distributor_quiesce : distributor_resume)(l->node[i].d, &all, l->t->now), 0);
}

static inline void others_quiesced(struct lab *l, u32 one, bool on) {
    for (u32 i = 0; i < l->nodes; i++)
        if (i != one) quiesced(l, i, on);
}

static inline void lose_sight(struct lab *l, u32 i, u32 j) {
    l->node[i].ops->peer_down(l->node[i].ctx, &l->node[i].peer[j], l->t->now);
    l->node[i].peer[j].used = false;
}

/* FTP's active data. */
static inline struct sock *client_listens(struct lab *l, u16 port) {
    struct sock *s;
    assert_int_equal(sock_open(l->client, SOCK_TCP, "FTPC", &s), 0);
    assert_int_equal(sock_bind(s, testnet_ip(LAB_CLIENT), port, l->t->now), 0);
    assert_int_equal(sock_listen(s, 5, l->t->now), 0);
    return s;
}

static inline struct sock *call(struct lab *l, u32 i, u16 port) {
    struct sock *s;
    assert_int_equal(sock_open(l->node[i].stk, SOCK_TCP, "FTPD", &s), 0);
    assert_int_equal(sock_bind(s, LAB_DVIPA, 20, l->t->now), 0);
    assert_int_equal(sock_connect(s, testnet_ip(LAB_CLIENT), port, l->t->now), -ERR_INPROGRESS);
    return s;
}

#endif
