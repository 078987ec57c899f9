/* test_cf_engine.c - a facility and its systems: connections and their ends, allocation, policy, isolation, displays, commands that
 * are no commands, responses that have no room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/unit/cflab.h"

static int setup(void **state) {
    struct cflab *lab = malloc(sizeof *lab);
    assert_non_null(lab);
    cflab_start(lab, 2048);
    cflab_system(lab, "SYSA", 5);
    cflab_system(lab, "SYSB", 5);
    *state = lab;
    return 0;
}

static int teardown(void **state) {
    struct cflab *lab = *state;
    cflab_end(lab);
    free(lab);
    return 0;
}

static u32 connect_as(struct cflab *lab, u32 system, const char *structure, const char *name, u8 flags, struct cflab_conn *c) {
    cflab_connect_begin(lab, structure, name, CF_TYPE_LIST, flags);
    return cflab_connect(lab, system, c);
}

static void test_states_of_a_connection(void **state) {
    struct cflab *lab = *state;
    struct cflab_conn a, b, again;
    assert_int_equal(connect_as(lab, 0, "S1", "A", CF_CONN_KEEP, &a), CF_OK);
    assert_int_equal(connect_as(lab, 1, "S1", "A", 0, &b), CF_RC_CONNECTIONS);
    assert_int_equal(connect_as(lab, 1, "S1", "B", 0, &b), CF_OK);
    /* Another system cannot speak for a connection. */
    cflab_list(lab, CF_WRITE, &a, 0, CF_BY_NONE, 0);
    assert_int_equal(cflab_run(lab, 1), CF_RC_NOT_CONNECTED);
    cflab_begin(lab, CF_FORCE, &b, 48);
    lab->cmd[16] = a.id;
    assert_int_equal(cflab_run(lab, 1), CF_RC_IN_USE);
    /* It fails and stays; it comes back as what it was. */
    cf_link_down(lab->cf, 0);
    assert_int_equal(cf_link_up(lab->cf, "SYSA", 6), 0);
    assert_int_equal(connect_as(lab, 0, "S1", "A", CF_CONN_KEEP, &again), CF_OK);
    assert_int_equal(lab->rsp[21], CF_RECONNECTED);
    assert_int_equal(again.id, a.id);
    assert_int_equal(again.token, a.token);
    /* B is not of the kind that stays. */
    cflab_begin(lab, CF_RESET, NULL, CF_CMD_BYTES);
    assert_int_equal(cflab_run(lab, 1), CF_OK);
    assert_int_equal(connect_as(lab, 1, "S1", "B", 0, &b), CF_OK);
    assert_int_equal(lab->rsp[21], 0);
    /* Normal ends: the structure goes with the last. */
    cflab_begin(lab, CF_DISCONNECT, &b, 17);
    assert_int_equal(cflab_run(lab, 1), CF_OK);
    assert_int_equal(cflab_run(lab, 1), CF_RC_NOT_CONNECTED);
    cflab_begin(lab, CF_DISCONNECT, &again, 17);
    assert_int_equal(cflab_run(lab, 0), CF_OK);
    assert_int_equal(lab->cf->structures, 0);
    assert_int_equal(cflab_run(lab, 0), CF_RC_NO_STRUCTURE);
    /* The same place, another token. */
    assert_int_equal(connect_as(lab, 0, "S2", "A", 0, &a), CF_OK);
    assert_int_not_equal(a.token, again.token);
}

static void test_structures_that_stay(void **state) {
    struct cflab *lab = *state;
    struct cflab_conn a;
    assert_int_equal(connect_as(lab, 0, "S1", "A", CF_CONN_STRUCTURE_KEEP, &a), CF_OK);
    cflab_list(lab, CF_WRITE, &a, 0, CF_BY_NONE, CF_F_DATA);
    cflab_data(lab, "kept", 4);
    assert_int_equal(cflab_run(lab, 0), CF_OK);
    cflab_begin(lab, CF_FORCE, NULL, 48);
    cf_name_set((char *)lab->cmd + 32, "S1");
    assert_int_equal(cflab_run(lab, 1), CF_RC_IN_USE);
    cf_link_down(lab->cf, 0);
    assert_int_equal(connect_as(lab, 1, "S1", "B", 0, &a), CF_OK);
    cflab_list(lab, CF_READ, &a, 0, CF_BY_POSITION, CF_F_DATA);
    assert_int_equal(cflab_run(lab, 1), CF_OK);
    assert_memory_equal(cflab_entry(lab, 0) + CF_ENTRY_BYTES, "kept", 4);
    cflab_begin(lab, CF_DISCONNECT, &a, 17);
    assert_int_equal(cflab_run(lab, 1), CF_OK);
    cflab_begin(lab, CF_FORCE, NULL, 48);
    cf_name_set((char *)lab->cmd + 32, "S1");
    assert_int_equal(cflab_run(lab, 1), CF_OK);
    assert_int_equal(cflab_run(lab, 1), CF_RC_NO_STRUCTURE);
    assert_int_equal(lab->cf->blocks_used, 0);
}

/* An identifier that no connection can have: refused, and no structure is left behind. */
static void test_identifier_wanted(void **state) {
    struct cflab *lab = *state;
    static const u8 wanted[] = {CF_CONNECTORS + 1, 0xFF, CF_CONNECTORS};
    for (u32 i = 0; i < ARRAY_LEN(wanted); i++) {
        struct cflab_conn c;
        bool good = wanted[i] <= CF_CONNECTORS;
        cflab_connect_begin(lab, "S1", "A", CF_TYPE_LIST, 0);
        lab->cmd[76] = wanted[i];
        assert_int_equal(cflab_connect(lab, 0, &c), good ? CF_OK : CF_RC_CONNECTIONS);
        assert_int_equal(lab->cf->structures, good);
        if (good) assert_int_equal(c.id, wanted[i]);
    }
}

static void test_connections_run_out(void **state) {
    struct cflab *lab = *state;
    struct cflab_conn c;
    char name[8];
    for (u32 i = 0; i <= CF_CONNECTORS; i++) {
        str_fmt(name, sizeof name, "C%u", i);
        assert_int_equal(connect_as(lab, i % 2, "S1", name, 0, &c), i < CF_CONNECTORS ? CF_OK : CF_RC_CONNECTIONS);
    }
}

static void test_storage_runs_out(void **state) {
    struct cflab *lab = *state;
    struct cflab_conn c[8];
    char name[8];
    for (u32 i = 0; i < 8; i++) {
        str_fmt(name, sizeof name, "S%u", i);
        assert_int_equal(connect_as(lab, 0, name, "A", 0, &c[i]), CF_OK);
    }
    assert_int_equal(connect_as(lab, 0, "S8", "A", 0, &c[0]), CF_RC_SPACE);
    cflab_begin(lab, CF_DISCONNECT, &c[3], 17);
    assert_int_equal(cflab_run(lab, 0), CF_OK);
    assert_int_equal(connect_as(lab, 0, "S8", "A", 0, &c[3]), CF_OK);
    /* Too small for what it is to have: refused, and nothing is left of it. */
    cf_link_down(lab->cf, 0);
    cflab_connect_begin(lab, "TINY", "B", CF_TYPE_LIST, 0);
    be32_put(lab->cmd + 64, 4);
    assert_int_equal(cflab_run(lab, 1), CF_RC_SPACE);
    assert_int_equal(lab->cf->blocks_used, 0);
    static const struct {
        u32 at;
        u8 value;
    } wrong[] = {{48, 0}, {48, 4}, {50, 5}, {55, 0}, {60, 1}, {56, 1}, {72, 1}, {49, CF_CONN_KEYS | CF_CONN_NAMES}, {52, 1}};
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) {
        cflab_connect_begin(lab, "WRONG", "B", CF_TYPE_LIST, 0);
        lab->cmd[wrong[i].at] = wrong[i].value;
        assert_int_equal(cflab_run(lab, 1), CF_RC_MALFORMED);
    }
}

static void policy_row(struct cflab *lab, const char *structure, u32 size, u32 init, const char *cf) {
    u8 row[CF_POLICY_ROW_BYTES] = {0};
    cf_name_set((char *)row, structure);
    be32_put(row + 16, size);
    be32_put(row + 20, init);
    row[25] = 1;
    memset(row + 32, ' ', 8);
    memcpy(row + 32, cf, strlen(cf));
    cflab_data(lab, row, sizeof row);
}

static void test_policy(void **state) {
    struct cflab *lab = *state;
    struct cflab_conn c;
    cflab_begin(lab, CF_POLICY, NULL, 32);
    memcpy(lab->cmd + 16, "POL1    ", 8);
    be32_put(lab->cmd + 24, 3);
    policy_row(lab, "HERE", 512, 128, "CF01");
    policy_row(lab, "WHOLE", 300, 0, "CF01");
    policy_row(lab, "THERE", 512, 0, "CF02");
    assert_int_equal(cflab_run(lab, 0), CF_OK);
    assert_int_equal(connect_as(lab, 0, "HERE", "A", 0, &c), CF_OK);
    assert_int_equal(lab->cf->blocks_used, 128 / 4);
    assert_int_equal(connect_as(lab, 0, "WHOLE", "A", 0, &c), CF_OK);
    assert_int_equal(lab->cf->blocks_used, 128 / 4 + 300 / 4);
    assert_int_equal(connect_as(lab, 0, "THERE", "A", 0, &c), CF_RC_POLICY);
    assert_int_equal(connect_as(lab, 0, "OTHER", "A", 0, &c), CF_RC_POLICY);
    cflab_begin(lab, CF_POLICY_QUERY, NULL, CF_CMD_BYTES);
    assert_int_equal(cflab_run(lab, 1), CF_OK);
    assert_int_equal(cf_count_get(lab->rsp), 3);
    assert_memory_equal(lab->rsp + 16, "POL1    ", 8);
    assert_memory_equal(lab->rsp + 32 + 2 * CF_POLICY_ROW_BYTES, "THERE ", 6);
    /* One that is wrong leaves the old one. */
    cflab_begin(lab, CF_POLICY, NULL, 32);
    be32_put(lab->cmd + 24, 2);
    policy_row(lab, "OTHER", 512, 0, "CF01");
    assert_int_equal(cflab_run(lab, 0), CF_RC_MALFORMED);
    policy_row(lab, "OTHER", 0, 0, "CF01");
    assert_int_equal(cflab_run(lab, 0), CF_RC_MALFORMED);
    assert_int_equal(connect_as(lab, 0, "OTHER", "A", 0, &c), CF_RC_POLICY);
}

static u32 isolate(struct cflab *lab, u32 by, const char *name, u64 incarnation) {
    cflab_begin(lab, CF_ISOLATE, NULL, 40);
    cf_name_set((char *)lab->cmd + 16, name);
    be64_put(lab->cmd + 32, incarnation);
    return cflab_run(lab, by);
}

static void test_isolation(void **state) {
    struct cflab *lab = *state;
    struct cflab_conn a, b;
    connect_as(lab, 0, "S1", "A", 0, &a);
    connect_as(lab, 1, "S1", "B", 0, &b);
    cflab_list(lab, CF_LOCK, &b, 0, CF_BY_NONE, 0);
    lab->cmd[60] = CF_LOCK_SET;
    assert_int_equal(cflab_run(lab, 1), CF_OK);
    /* Where it cannot be made known it is not done. */
    lab->isolate_fails = true;
    assert_int_equal(isolate(lab, 0, "SYSB", 5), CF_RC_SPACE);
    assert_false(cf_is_isolated(lab->cf, "SYSB", 5));
    lab->isolate_fails = false;
    assert_int_equal(isolate(lab, 0, "SYSB", 5), CF_OK);
    assert_int_equal(lab->isolations, 1);
    assert_int_equal(lab->isolated[1], 1);
    assert_true(cf_link_is_cut(lab->cf, 1));
    /* Its lock is free, what it still sends is thrown away, it may not come back; a later incarnation may. */
    cflab_list(lab, CF_LOCK, &a, 0, CF_BY_NONE, 0);
    lab->cmd[60] = CF_LOCK_SET;
    assert_int_equal(cflab_run(lab, 0), CF_OK);
    cflab_list(lab, CF_WRITE, &b, 0, CF_BY_NONE, 0);
    assert_true(cf_message(lab->cf, 1, lab->cmd, lab->len));
    assert_int_equal(cf_counter(lab->cf, CF_CT_DROP_ISOLATED), 1);
    assert_int_equal(lab->cf->structure[0].u.list.used, 0);
    cf_link_down(lab->cf, 1);
    assert_int_equal(cf_link_up(lab->cf, "SYSB", 5), -ERR_ACCES);
    assert_int_equal(cf_link_up(lab->cf, "SYSB", 4), -ERR_ACCES);
    assert_int_equal(cf_link_up(lab->cf, "SYSB", 6), 1);
    assert_int_equal(cf_counter(lab->cf, CF_CT_LINK_REFUSED), 2);
    /* Isolating the old one again does not touch the new one. */
    assert_int_equal(isolate(lab, 0, "SYSB", 5), CF_OK);
    assert_int_equal(connect_as(lab, 1, "S1", "B", 0, &b), CF_OK);
    cflab_begin(lab, CF_QUERY_SYSTEMS, NULL, CF_CMD_BYTES);
    assert_int_equal(cflab_run(lab, 0), CF_OK);
    assert_int_equal(cf_count_get(lab->rsp), 3);
    assert_memory_equal(lab->rsp + 16 + 64, "SYSB ", 5);
    assert_int_equal(lab->rsp[16 + 64 + 24], 2);
    assert_int_equal(isolate(lab, 0, "", 5), CF_RC_MALFORMED);
    /* Names to remember run out: said, not forgotten. */
    char name[8];
    for (u32 i = 1; i <= CF_ISOLATED_MAX; i++) {
        str_fmt(name, sizeof name, "X%u", i);
        assert_int_equal(isolate(lab, 0, name, 1), i < CF_ISOLATED_MAX ? CF_OK : CF_RC_SPACE);
    }
}

static void test_a_name_is_loaded_again(void **state) {
    struct cflab *lab = *state;
    struct cflab_conn a;
    connect_as(lab, 0, "S1", "A", 0, &a);
    assert_int_equal(cf_link_up(lab->cf, "SYSA", 5), -ERR_EXIST);
    assert_int_equal(cf_link_up(lab->cf, "SYSA", 6), 2);
    cf_pump(lab->cf);
    assert_int_equal(lab->isolated[0], 1);
    assert_int_equal(lab->cf->structures, 0);
    assert_int_equal(connect_as(lab, 2, "S1", "A", 0, &a), CF_OK);
}

static void test_displays(void **state) {
    struct cflab *lab = *state;
    struct cflab_conn a, b;
    connect_as(lab, 0, "S1", "A", 0, &a);
    cflab_connect_begin(lab, "S2", "B", CF_TYPE_LIST, 0);
    memset(lab->cmd + 80, 0xDA, 64);
    cflab_connect(lab, 1, &b);
    cflab_begin(lab, CF_IDENTIFY, NULL, CF_CMD_BYTES);
    assert_int_equal(cflab_run(lab, 1), CF_OK);
    assert_memory_equal(lab->rsp + 16, "CF01    ", 8);
    assert_int_equal(be32_get(lab->rsp + 28), 2048);
    assert_int_equal(be32_get(lab->rsp + 32), 2048 - 512);
    assert_int_equal(be32_get(lab->rsp + 36), 2);
    assert_int_equal(be64_get(lab->rsp + 48), 7);
    assert_int_equal(be64_get(lab->rsp + 56), 5);
    cflab_begin(lab, CF_STRUCTURES, NULL, 20);
    be32_put(lab->cmd + 16, 1);
    assert_int_equal(cflab_run(lab, 0), CF_OK);
    assert_int_equal(cf_count_get(lab->rsp), 1);
    assert_memory_equal(lab->rsp + 16, "S2 ", 3);
    assert_int_equal(be32_get(lab->rsp + 16 + 24), 256);
    cflab_begin(lab, CF_CONNECTIONS, NULL, 32);
    cf_name_set((char *)lab->cmd + 16, "S2");
    assert_int_equal(cflab_run(lab, 0), CF_OK);
    assert_int_equal(cf_count_get(lab->rsp), 1);
    assert_memory_equal(lab->rsp + 64, "B ", 2);
    assert_memory_equal(lab->rsp + 80, "SYSB ", 5);
    assert_int_equal(lab->rsp[64 + 48 + 63], 0xDA);
}

static void test_no_command(void **state) {
    struct cflab *lab = *state;
    struct cflab_conn a;
    connect_as(lab, 0, "S1", "A", 0, &a);
    u64 dropped = cf_counter(lab->cf, CF_CT_DROP_HEADER);
    cflab_begin(lab, CF_IDENTIFY, NULL, CF_CMD_BYTES);
    for (u32 len = 0; len < CF_CMD_BYTES; len++) assert_true(cf_message(lab->cf, 0, lab->cmd, len));
    lab->cmd[0]++;
    assert_true(cf_message(lab->cf, 0, lab->cmd, CF_CMD_BYTES));
    assert_int_equal(cf_counter(lab->cf, CF_CT_DROP_HEADER), dropped + CF_CMD_BYTES + 1);
    assert_true(cf_message(lab->cf, CF_SYSTEMS, lab->cmd, CF_CMD_BYTES));
    assert_int_equal(cf_counter(lab->cf, CF_CT_DROP_NO_LINK), 1);
    /* Each operation, at each length that is too short for it. */
    for (u32 op = 0; op < 256; op++)
        for (u32 len = CF_CMD_BYTES; len < CF_LIST_BYTES + 8; len++) {
            if (op == CF_RESET || op == CF_DISCONNECT) continue;
            cflab_begin(lab, (u8)op, &a, len);
            cflab_run(lab, 0);
        }
    for (u32 i = 0; i < CF_COUNTERS; i++) assert_true(strlen(cf_counter_name(i)) > 3);
}

static void test_no_room_for_the_response(void **state) {
    struct cflab *lab = *state;
    struct cflab_conn a, b;
    connect_as(lab, 0, "S1", "A", 0, &a);
    connect_as(lab, 1, "S1", "B", 0, &b);
    cflab_begin(lab, CF_DRAIN, NULL, CF_CMD_BYTES);
    cflab_run(lab, 0);
    u32 pending = lab->pending[0];
    cflab_list(lab, CF_WRITE, &a, 0, CF_BY_NONE, 0);
    lab->full[0] = true;
    assert_false(cf_message(lab->cf, 0, lab->cmd, lab->len));
    assert_int_equal(lab->cf->structure[0].u.list.used, 0);
    /* What it has to be told waits for room too. */
    cflab_begin(lab, CF_RESET, NULL, CF_CMD_BYTES);
    assert_int_equal(cflab_run(lab, 1), CF_OK);
    assert_int_equal(lab->pending[0], pending);
    assert_true(cf_pump(lab->cf));
    lab->full[0] = false;
    assert_false(cf_pump(lab->cf));
    assert_int_equal(lab->pending[0], pending + 1);
    cflab_list(lab, CF_WRITE, &a, 0, CF_BY_NONE, 0);
    assert_int_equal(cflab_run(lab, 0), CF_OK);
    assert_int_equal(lab->rsp[10], CF_RSP_PENDING);
}

static void test_parameters(void **state) {
    static const struct cf_params wrong[] = {{"", 1, 2048}, {"CF01", 1, 1023}, {"CF01", 1, CF_STORAGE_KB_MAX + 1}};
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) assert_null(cf_engine_init(NULL, &wrong[i], NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_states_of_a_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_structures_that_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connections_run_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_identifier_wanted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_storage_runs_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_isolation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_name_is_loaded_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_displays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_command, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_room_for_the_response, setup, teardown),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
