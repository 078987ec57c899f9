/* test_cfrm.c - the CFRM policy between two systems and two facilities: each row of the table in xcf/cfrm.h; where a structure should
 * be; the inventory, also while a facility dies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/sim/simcf.h"
#include "xcf/cfrm.h"

#define SYSTEMS 2u

struct side {
    struct simcf *z;
    struct cfrm *c;
    u32 ready, changed;
};
struct rig {
    struct simcf *z;
    struct side s[SYSTEMS];
};

static void on_ready(void *ctx, u64 now) {
    UNUSED(now);
    ((struct side *)ctx)->ready++;
}
static void on_policy(void *ctx, u64 now) {
    UNUSED(now);
    ((struct side *)ctx)->changed++;
}
static const struct cfrm_events events = {.ready = on_ready, .policy = on_policy};
static const struct simcf_user user = {.up = cfrm_up, .down = cfrm_down};

static int setup(void **state) {
    static struct rig r;
    memset(&r, 0, sizeof r);
    r.z = simcf_create(SYSTEMS, 2, 1);
    for (u32 i = 0; i < SYSTEMS; i++) {
        r.s[i].z = r.z;
        r.s[i].c = cfrm_create(simcf_arena(r.z, i), &events, &r.s[i]);
        assert_non_null(r.s[i].c);
    }
    *state = &r;
    return 0;
}
static int teardown(void **state) {
    simcf_destroy(((struct rig *)*state)->z);
    return 0;
}

static struct cfrm_policy policy(const char *name, const char *first, const char *second) {
    struct cfrm_policy p = {.rows = 2};
    strcpy(p.name, name);
    p.row[0] = (struct cfrm_row){.name = "IXC_SIG1", .size_kb = 512, .init_kb = 256, .preferences = 2};
    p.row[1] = (struct cfrm_row){.name = "IXC_SIG2", .size_kb = 300, .rebuild_percent = 5, .preferences = 1};
    strcpy(p.row[0].preference[0], first);
    strcpy(p.row[0].preference[1], second);
    strcpy(p.row[1].preference[0], second);
    return p;
}
static void attach(struct rig *r, u32 i) {
    simcf_attach(r->z, i, &user, r->s[i].c);
    simcf_settle(r->z);
}
static const char *policy_of(struct rig *r, u32 system, u32 facility) {
    if (cfrm_inventory(r->s[system].c, simcf_now(r->z)) != 0) return "?";
    simcf_settle(r->z);
    return cfrm_facility(r->s[system].c, facility)->policy;
}

static void test_policy_is_the_sysplexs(void **state) {
    struct rig *r = *state;
    struct cfrm_policy p = policy("POL1", "CF02", "CF01");
    assert_int_equal(cfrm_policy_start(r->s[0].c, &p, 0), -ERR_NETDOWN);
    attach(r, 0);
    assert_string_equal(cfrm_policy(r->s[0].c)->name, "");
    assert_int_equal(cfrm_policy_start(r->s[0].c, &p, simcf_now(r->z)), 0);
    simcf_settle(r->z);
    assert_string_equal(policy_of(r, 0, 0), "POL1");
    assert_string_equal(policy_of(r, 0, 1), "POL1");
    /* It was started before this system was loaded. */
    attach(r, 1);
    assert_string_equal(cfrm_policy(r->s[1].c)->name, "POL1");
    assert_int_equal(cfrm_policy(r->s[1].c)->rows, 2);
    const struct cfrm_row *row = cfrm_policy_row(r->s[1].c, "IXC_SIG1");
    assert_non_null(row);
    assert_int_equal(row->size_kb, 512);
    assert_int_equal(row->init_kb, 256);
    assert_int_equal(row->preferences, 2);
    assert_string_equal(row->preference[0], "CF02");
    assert_int_equal(cfrm_policy_row(r->s[1].c, "IXC_SIG2")->rebuild_percent, 5);
    assert_true(r->s[1].changed > 0);
    /* A facility that was loaded anew is given it. */
    simcf_kill(r->z, 1);
    simcf_settle(r->z);
    simcf_start(r->z, 1);
    simcf_settle(r->z);
    assert_string_equal(policy_of(r, 1, 1), "POL1");
    /* Another one is started while this system's link is cut: the facility's is newer. */
    simcf_cut(r->z, 0, 0, true);
    simcf_settle(r->z);
    struct cfrm_policy q = policy("POL2", "CF01", "CF02");
    assert_int_equal(cfrm_policy_start(r->s[1].c, &q, simcf_now(r->z)), 0);
    simcf_settle(r->z);
    simcf_cut(r->z, 0, 0, false);
    simcf_settle(r->z);
    assert_string_equal(cfrm_policy(r->s[0].c)->name, "POL2");
    /* STOP, which the other system sees when it looks. */
    struct cfrm_policy none = {.rows = 0};
    assert_int_equal(cfrm_policy_start(r->s[0].c, &none, simcf_now(r->z)), 0);
    simcf_settle(r->z);
    assert_string_equal(policy_of(r, 0, 0), "");
    assert_string_equal(cfrm_policy(r->s[1].c)->name, "POL2");
    assert_string_equal(policy_of(r, 1, 0), "");
    assert_string_equal(cfrm_policy(r->s[1].c)->name, "");
}

/* What an operator starts elsewhere is known here CFRM_CHECK_US later, without a display; and while nobody starts anything nothing but a
 * name is asked for. */
static void test_policies_are_looked_at(void **state) {
    struct rig *r = *state;
    struct cfrm_policy p = policy("POL1", "CF01", "CF02"), none = {.rows = 0};
    const struct cfrm *here = r->s[1].c;
    for (u32 i = 0; i < SYSTEMS; i++) attach(r, i);
    for (u32 k = 0; k < 2; k++) {
        assert_int_equal(cfrm_policy_start(r->s[0].c, k ? &none : &p, simcf_now(r->z)), 0);
        simcf_settle(r->z);
        assert_string_equal(cfrm_policy(here)->name, k ? "POL1" : "");
        for (u32 i = 0; i < 2; i++) {
            simcf_later(r->z, CFRM_CHECK_US);
            u64 next = cfrm_poll(r->s[1].c, simcf_now(r->z));
            assert_true(next == simcf_now(r->z) + CFRM_CHECK_US && cfrm_poll(r->s[1].c, simcf_now(r->z)) == next);
            simcf_settle(r->z);
            assert_string_equal(cfrm_policy(here)->name, k ? "" : "POL1");
        }
        assert_int_equal(cfrm_counters(here)->policies_learnt, 2 * (k + 1)); /* once from each facility */
    }
    /* A facility that goes away in the middle of the question. */
    simcf_later(r->z, CFRM_CHECK_US);
    cfrm_poll(r->s[1].c, simcf_now(r->z));
    simcf_kill(r->z, 0);
    simcf_settle(r->z);
    assert_int_equal(cfrm_counters(here)->drop_malformed, 0);
}

static void test_two_starts_at_once(void **state) {
    struct rig *r = *state;
    struct cfrm_policy p = policy("POL1", "CF02", "CF01"), q = policy("POL2", "CF01", "CF02");
    attach(r, 0);
    assert_int_equal(cfrm_policy_start(r->s[0].c, &p, simcf_now(r->z)), 0);
    assert_int_equal(cfrm_policy_start(r->s[0].c, &q, simcf_now(r->z)), 0); /* the first is still on its way */
    simcf_settle(r->z);
    assert_string_equal(policy_of(r, 0, 0), "POL2");
    assert_string_equal(policy_of(r, 0, 1), "POL2");
}

static void test_preference(void **state) {
    struct rig *r = *state;
    struct cfrm_policy p = policy("POL1", "CF02", "CF01");
    attach(r, 0);
    struct cfrm *c = r->s[0].c;
    struct xes *one = simcf_link(r->z, 0, 0), *two = simcf_link(r->z, 0, 1);
    assert_ptr_equal(cfrm_prefer(c, "ANY", 0), one);
    assert_ptr_equal(cfrm_prefer(c, "ANY", 1), two);
    assert_null(cfrm_prefer(c, "ANY", 2));
    cfrm_policy_start(c, &p, simcf_now(r->z));
    assert_ptr_equal(cfrm_prefer(c, "IXC_SIG1", 0), two);
    assert_ptr_equal(cfrm_prefer(c, "IXC_SIG1", 1), one);
    assert_null(cfrm_prefer(c, "IXC_SIG1", 2));
    assert_ptr_equal(cfrm_prefer(c, "IXC_SIG2", 0), one);
    assert_null(cfrm_prefer(c, "IXC_SIG2", 1));
    simcf_settle(r->z);
    simcf_kill(r->z, 1);
    simcf_settle(r->z);
    assert_ptr_equal(cfrm_prefer(c, "IXC_SIG1", 0), one);
    assert_null(cfrm_prefer(c, "IXC_SIG1", 1));
}

static void test_wrong_policies(void **state) {
    UNUSED(state);
    struct cfrm_policy p = policy("POL1", "CF02", "CF01");
    assert_null(cfrm_policy_wrong(&p));
    p.row[0].init_kb = 513;
    assert_string_equal(cfrm_policy_wrong(&p), "INITSIZE LARGER THAN SIZE");
    p = policy("POL1", "CF02", "CF01");
    p.row[1].size_kb = 0;
    assert_non_null(cfrm_policy_wrong(&p));
    p = policy("POL1", "CF02", "CF01");
    strcpy(p.row[1].name, p.row[0].name);
    assert_string_equal(cfrm_policy_wrong(&p), "A STRUCTURE TWICE");
    p = policy("POL1", "CF02", "CF01");
    p.row[0].preferences = 0;
    assert_non_null(cfrm_policy_wrong(&p));
    p.rows = CFRM_ROWS_MAX + 1;
    assert_non_null(cfrm_policy_wrong(&p));
}

/* ---- the inventory ---- */

static const struct xes_connection_ops no_ops = {0};

static struct xes_connection *connect_to(struct rig *r, u32 system, u32 facility, const char *structure, enum cf_type type) {
    static const char *const names[SYSTEMS] = {"CONA", "CONB"};
    u8 cmd[CF_CONNECT_BYTES] = {0};
    struct xes_connection *con = arena_take(simcf_arena(r->z, system), sizeof *con, 16);
    assert_non_null(con);
    *con = (struct xes_connection){.ops = &no_ops};
    memset(cmd + 16, ' ', 32);
    memcpy(cmd + 16, structure, strlen(structure));
    memcpy(cmd + 32, names[system], 4);
    cmd[48] = (u8)type;
    cmd[51] = 4;
    be32_put(cmd + 52, 8);
    be32_put(cmd + 64, 128);
    assert_int_equal(xes_connect(simcf_link(r->z, system, facility), con, cmd), 0);
    simcf_settle(r->z);
    assert_true(con->connected);
    return con;
}

static const struct cfrm_structure *find(const struct cfrm *c, const char *name) {
    const struct cfrm_structure *s;
    for (u32 i = 0; (s = cfrm_structure(c, i)) != NULL; i++)
        if (strcmp(s->name, name) == 0) return s;
    return NULL;
}

static void test_inventory(void **state) {
    struct rig *r = *state;
    attach(r, 0);
    attach(r, 1);
    connect_to(r, 0, 0, "LIST_A", CF_TYPE_LIST);
    connect_to(r, 1, 0, "LIST_A", CF_TYPE_LIST);
    connect_to(r, 1, 1, "LOCK_B", CF_TYPE_LOCK);
    assert_int_equal(cfrm_inventory(r->s[0].c, simcf_now(r->z)), 0);
    assert_int_equal(cfrm_inventory(r->s[0].c, simcf_now(r->z)), -ERR_ALREADY);
    assert_int_equal(r->s[0].ready, 0);
    simcf_settle(r->z);
    assert_int_equal(r->s[0].ready, 1);
    const struct cfrm_facility *f = cfrm_facility(r->s[0].c, 0);
    assert_string_equal(f->name, "CF01");
    assert_true(f->up);
    assert_int_equal(f->total_kb, SIMCF_STORAGE_KB);
    assert_int_equal(f->free_kb, SIMCF_STORAGE_KB - 128);
    assert_int_equal(f->structures, 1);
    assert_int_equal(f->level, CF_LEVEL);
    const struct cfrm_structure *s = find(r->s[0].c, "LIST_A");
    assert_non_null(s);
    assert_int_equal(s->type, CF_TYPE_LIST);
    assert_int_equal(s->kb, 128);
    assert_int_equal(s->connections, 2);
    assert_string_equal(s->connection[0].name, "CONA");
    assert_string_equal(s->connection[1].system, "SYSB");
    assert_false(s->connection[1].failed);
    s = find(r->s[0].c, "LOCK_B");
    assert_non_null(s);
    assert_string_equal(s->facility->name, "CF02");
    assert_int_equal(s->connections, 1);
    assert_null(find(r->s[0].c, "LIST_C"));
}

/* However far it has come, one ready() follows, and what the living facility holds is listed. */
static void test_inventory_of_the_dying(void **state) {
    struct rig *r = *state;
    attach(r, 0);
    attach(r, 1);
    connect_to(r, 0, 0, "LIST_A", CF_TYPE_LIST);
    for (u32 steps = 0; steps < 40; steps++) {
        u32 before = r->s[0].ready;
        assert_int_equal(cfrm_inventory(r->s[0].c, simcf_now(r->z)), 0);
        for (u32 i = 0; i < steps && simcf_step(r->z); i++) {}
        simcf_kill(r->z, 1);
        simcf_settle(r->z);
        assert_int_equal(r->s[0].ready, before + 1);
        assert_false(cfrm_facility(r->s[0].c, 1)->up);
        assert_int_equal(find(r->s[0].c, "LIST_A")->connections, 1);
        simcf_start(r->z, 1);
        simcf_settle(r->z);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_policy_is_the_sysplexs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policies_are_looked_at, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_starts_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_preference, setup, teardown),
        cmocka_unit_test(test_wrong_policies),
        cmocka_unit_test_setup_teardown(test_inventory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inventory_of_the_dying, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
