/* distcase.h - what tests of the distributor in a directed group (distlab.h) begin with. One file of a program includes it, behind nothing.
 *
 *   l = opened(n, method)          n stacks; A owns and distributes port 80 to all
 *   define(l, i, &s)               VIPADISTRIBUTE in stack i's profile, for instance s = statement(method, port)
 *   counters(l, i), rows(l, i)     of stack i; ready(l, i, slot): RDY of port 80 at a slot, as i has it
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

static struct dist_statement statement(enum dist_method m, u16 port) {
    struct dist_statement s = {.dvipa = LAB_DVIPA, .options = {.method = (u8)m}};
    if (port) s.port[s.ports++] = port;
    return s;
}

static void define(struct lab *l, u32 i, const struct dist_statement *s) {
    assert_int_equal(distributor_define(l->node[i].d, s, l->t->now), 0);
}

static struct lab *opened(u32 n, enum dist_method m) {
    struct dist_statement s = statement(m, 80);
    lab_open(&lab, n);
    define(&lab, 0, &s);
    lab_own(&lab, 0);
    lab_run(&lab, 5000);
    return &lab;
}

static inline const struct dist_counters *counters(struct lab *l, u32 i) { return distributor_counters(l->node[i].d); }
static inline u32 rows(struct lab *l, u32 i) { return vcrt_rows(distributor_vcrt(l->node[i].d)); }

static inline u32 ready(struct lab *l, u32 i, u32 slot) {
    const struct vdpt_port *p = vdpt_find(distributor_vdpt(l->node[i].d), LAB_DVIPA, 80);
    return p ? p->t[slot].ready : 0;
}

#endif
