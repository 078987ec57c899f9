/* test_dvipa_table.c - the tables of dynamic VIPAs: each cell of the states and of the conflicts, the document that lists them, and the rows of
 * connections that a claim leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sysplex/dvipa_impl.h"
#include "tests/sim/simplex.h"

#define VIP ipaddr_v4(0x0A000050) /* 10.0.0.80 */

static void every_cell(void **state) {
    UNUSED(state);
    for (u32 s = 0; s < DVIPA_STATUSES; s++)
        for (u32 e = 0; e < DVIPA_EVENTS; e++) {
            enum dvipa_status to = dvipa_next((enum dvipa_status)s, (enum dvipa_event)e);
            assert_true(to < DVIPA_STATUSES);
            /* Only agreement makes an owner, and only a claim asks for it. */
            if (to == DVIPA_ACTIVE && s != DVIPA_ACTIVE) assert_true(s == DVIPA_CLAIMING && e == DVIPA_EV_GRANTED);
            if (to == DVIPA_CLAIMING && s != DVIPA_CLAIMING) assert_true(e == DVIPA_EV_CLAIM);
            if (e == DVIPA_EV_LEFT) assert_true(to != DVIPA_ACTIVE && to != DVIPA_CLAIMING && to != DVIPA_MOVING);
            if (e == DVIPA_EV_CLAIM && s == DVIPA_DEACTIVATED) assert_int_equal(to, DVIPA_DEACTIVATED);
            assert_string_not_equal(dvipa_event_name((enum dvipa_event)e), "UNKNOWN");
        }
    assert_string_equal(dvipa_status_name(DVIPA_MOVING), "MOVING");
}

/* docs/TCPIP-SYSPLEX.md lists each cell that changes something, and no other. */
static void the_table_is_documented(void **state) {
    static char doc[32768], line[96];
    u32 changes = 0, listed = 0;
    UNUSED(state);
    FILE *f = fopen("docs/TCPIP-SYSPLEX.md", "r");
    assert_non_null(f);
    doc[fread(doc, 1, sizeof doc - 1, f)] = '\0';
    fclose(f);
    for (u32 s = 0; s < DVIPA_STATUSES; s++)
        for (u32 e = 0; e < DVIPA_EVENTS; e++) {
            enum dvipa_status to = dvipa_next((enum dvipa_status)s, (enum dvipa_event)e);
            if (to == (enum dvipa_status)s) continue;
            changes++;
            snprintf(line, sizeof line, "| %s | %s | %s |\n", dvipa_status_name((enum dvipa_status)s),
                     dvipa_event_name((enum dvipa_event)e), dvipa_status_name(to));
            if (!strstr(doc, line)) fail_msg("docs/TCPIP-SYSPLEX.md has no line %s", line);
        }
    const char *from = strstr(doc, "| state | event | next |"), *end = strstr(doc, "### One owner");
    assert_true(from && end);
    for (const char *q = from; q < end; q++) listed += q[0] == '\n' && q[1] == '|';
    assert_int_equal(listed, changes + 1); /* and the rule under the heading */
}

/* The conflict table of docs/TCPIP-SYSPLEX.md, cell by cell, written down independently of the code. */
static void conflict_table(void **state) {
    static const struct cell {
        enum dvipa_origin first, second;
        enum dvipa_verdict same, other, other_hard;
    } cells[] = {
        {DVIPA_BIND, DVIPA_BIND, DVIPA_OK, DVIPA_MOVES, DVIPA_FAILS},
        {DVIPA_BIND, DVIPA_IOCTL, DVIPA_OK_WARN, DVIPA_MOVES_DELETE, DVIPA_MOVES_DELETE},
        {DVIPA_BIND, DVIPA_DEFINE, DVIPA_FAILS, DVIPA_FAILS, DVIPA_FAILS},
        {DVIPA_BIND, DVIPA_BACKUP_OF, DVIPA_FAILS, DVIPA_FAILS, DVIPA_FAILS},
        {DVIPA_IOCTL, DVIPA_BIND, DVIPA_OK, DVIPA_FAILS, DVIPA_FAILS},
        {DVIPA_IOCTL, DVIPA_IOCTL, DVIPA_OK_WARN, DVIPA_MOVES, DVIPA_MOVES_DELETE},
        {DVIPA_IOCTL, DVIPA_DEFINE, DVIPA_FAILS, DVIPA_FAILS, DVIPA_FAILS},
        {DVIPA_IOCTL, DVIPA_BACKUP_OF, DVIPA_FAILS, DVIPA_FAILS, DVIPA_FAILS},
        {DVIPA_DEFINE, DVIPA_BIND, DVIPA_OK, DVIPA_FAILS, DVIPA_FAILS},
        {DVIPA_DEFINE, DVIPA_IOCTL, DVIPA_FAILS, DVIPA_FAILS, DVIPA_FAILS},
        {DVIPA_DEFINE, DVIPA_DEFINE, DVIPA_IGNORED, DVIPA_MOVES, DVIPA_MOVES_IDLE},
        {DVIPA_BACKUP_OF, DVIPA_BIND, DVIPA_FAILS, DVIPA_FAILS, DVIPA_FAILS},
        {DVIPA_BACKUP_OF, DVIPA_IOCTL, DVIPA_FAILS, DVIPA_FAILS, DVIPA_FAILS},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(cells); i++) {
        const struct cell *c = &cells[i];
        enum dvipa_moveable hard = c->first == DVIPA_DEFINE ? DVIPA_WHENIDLE : DVIPA_DISRUPTIVE;
        assert_int_equal(dvipa_conflict(c->first, c->second, true, DVIPA_NONDISRUPTIVE), c->same);
        assert_int_equal(dvipa_conflict(c->first, c->second, false, DVIPA_NONDISRUPTIVE), c->other);
        assert_int_equal(dvipa_conflict(c->first, c->second, false, hard), c->other_hard);
    }
    assert_int_equal(dvipa_conflict(DVIPA_NO_ORIGIN, DVIPA_BIND, true, DVIPA_MOVEABLE_NA), DVIPA_OK);
}

/* System 0 defines VIP, 1 backs it up. */
static void standard(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    UNUSED(ctx);
    if (i == 0)
        assert_int_equal(dvipa_define(sx, VIP, ipaddr_v4(0xFFFFFF00), DVIPA_IMMEDIATE, now), 0);
    else
        assert_int_equal(dvipa_backup(sx, VIP, 200, IPADDR_ANY, DVIPA_MOVEABLE_NA, now), 0);
}

/* A former owner's list comes when the claim that it answers is over, or the claim ends after it: nobody would ever tell of these ends. */
static void listed_for_a_claim_that_is_over(void **state) {
    struct simplex_params par = {.seed = 7, .systems = 2, .profile = standard};
    struct simplex *p = simplex_create(&par);
    simplex_run(p, 4 * (u64)USEC_PER_SEC);
    struct sysplex *sx = simplex_sysplex(p, 1);
    struct sysplex_peer *from = sysplex_peer_next(sx, NULL, true);
    struct dvipa *d = dvipa_find(sx, VIP);
    struct plexmsg_conn c = {.dvipa = VIP, .foreign = ipaddr_v4(0x0A000101), .local_port = 80, .foreign_port = 999, .there = true};
    u8 row[PLEXMSG_CONN_ROW];
    u64 now = simplex_local(p, 1);
    UNUSED(state);
    plexmsg_conn_emit(row, &c);
    assert_int_equal(d->status, DVIPA_BACKUP);
    dvipa_conn_message(sx, from, row, sizeof row, now);
    assert_int_equal(sx->moved.rows, 0);
    assert_int_equal(sysplex_counters(sx)->drop_not_owner, 1);
    dvipa_step(sx, d, DVIPA_EV_CLAIM, now);
    assert_int_equal(d->status, DVIPA_CLAIMING);
    dvipa_conn_message(sx, from, row, sizeof row, now);
    assert_int_equal(sx->moved.rows, 1);
    dvipa_step(sx, d, DVIPA_EV_TAKEN, now);
    assert_int_equal(d->status, DVIPA_BACKUP);
    assert_int_equal(sx->moved.rows, 0);
    simplex_destroy(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell),
        cmocka_unit_test(the_table_is_documented),
        cmocka_unit_test(conflict_table),
        cmocka_unit_test(listed_for_a_claim_that_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
