/* test_cf_lock.c - lock structures: who may hold what with whom, contention told to the holders, waiting, records that outlive
 * their writer.
 */
#include "tests/unit/cftrio.h"

static void shape(u8 *cmd) {
    be32_put(cmd + 52, 1000);
}

static int setup(void **state) {
    *state = cftrio_setup("IRLM", CF_TYPE_LOCK, CF_CONN_KEEP, shape);
    return 0;
}

static u32 lock(struct test *t, u32 who, u8 op, u32 hash, u8 kind, u8 wait) {
    cflab_begin(&t->lab, op, &t->c[who], CF_LOCK_BYTES);
    be32_put(t->lab.cmd + 16, hash);
    t->lab.cmd[20] = kind;
    t->lab.cmd[21] = wait;
    return cflab_run(&t->lab, who);
}

static void test_compatibility(void **state) {
    struct test *t = *state;
    /* What 0 has, what 1 asks, what it gets. */
    static const struct {
        u8 has, asks;
        u32 rc;
    } rows[] = {
        {0, CF_SHARED, CF_OK},         {0, CF_EXCLUSIVE, CF_OK},
        {CF_SHARED, CF_SHARED, CF_OK}, {CF_SHARED, CF_EXCLUSIVE, CF_RC_CONTENTION},
        {CF_EXCLUSIVE, CF_SHARED, CF_RC_CONTENTION}, {CF_EXCLUSIVE, CF_EXCLUSIVE, CF_RC_CONTENTION},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].has) assert_int_equal(lock(t, 0, CF_OBTAIN, i, rows[i].has, 0), CF_OK);
        assert_int_equal(lock(t, 1, CF_OBTAIN, i, rows[i].asks, 0), rows[i].rc);
        assert_int_equal(t->lab.rsp[16], rows[i].has == CF_EXCLUSIVE                                ? t->c[0].id
                                         : rows[i].rc == CF_OK && rows[i].asks == CF_EXCLUSIVE ? t->c[1].id
                                                                                               : 0);
        assert_int_equal(lock(t, 1, CF_RELEASE, i, 0, 0), rows[i].rc == CF_OK ? CF_OK : CF_RC_LOCK_NOT_HELD);
    }
    assert_int_equal(lock(t, 1, CF_OBTAIN, 0, 3, 0), CF_RC_MALFORMED);
}

static void test_up_and_down(void **state) {
    struct test *t = *state;
    assert_int_equal(lock(t, 0, CF_OBTAIN, 7, CF_SHARED, 0), CF_OK);
    assert_int_equal(lock(t, 0, CF_OBTAIN, 7, CF_EXCLUSIVE, 0), CF_OK);
    assert_int_equal(be32_get(t->lab.rsp + 20), 0);
    assert_int_equal(lock(t, 1, CF_OBTAIN, 7, CF_SHARED, 0), CF_RC_CONTENTION);
    assert_int_equal(lock(t, 0, CF_OBTAIN, 7, CF_SHARED, 0), CF_OK);
    assert_int_equal(lock(t, 1, CF_OBTAIN, 7, CF_SHARED, 0), CF_OK);
    assert_int_equal(be32_get(t->lab.rsp + 20), 3);
    /* Two share: neither goes up. */
    assert_int_equal(lock(t, 0, CF_OBTAIN, 7, CF_EXCLUSIVE, 0), CF_RC_CONTENTION);
    /* 1024 entries: hash value 7 and 1031 are one entry. */
    assert_int_equal(lock(t, 2, CF_OBTAIN, 1031, CF_EXCLUSIVE, 0), CF_RC_CONTENTION);
}

static void test_contention_is_told(void **state) {
    struct test *t = *state;
    u8 row[CF_NOTICE_BYTES];
    lock(t, 0, CF_OBTAIN, 500, CF_EXCLUSIVE, 0);
    assert_int_equal(lock(t, 1, CF_OBTAIN, 500, CF_SHARED, 1), CF_RC_CONTENTION);
    assert_int_equal(lock(t, 2, CF_OBTAIN, 500, CF_SHARED, 1), CF_RC_CONTENTION);
    assert_true(cflab_drain(&t->lab, 0, CF_NOTICE_LOCK, 500, row));
    assert_int_equal(be32_get(row + 12), t->c[0].id);
    assert_int_equal(be32_get(row + 20), 6);
    assert_false(cflab_drain(&t->lab, 1, CF_NOTICE_LOCK, 500, row));
    /* It gives up: both who wait are told, and both get it. */
    assert_int_equal(lock(t, 0, CF_RELEASE, 500, 0, 0), CF_OK);
    for (u32 i = 1; i <= 2; i++) {
        assert_true(cflab_drain(&t->lab, i, CF_NOTICE_LOCK, 500, row));
        assert_int_equal(be32_get(row + 12), 0);
        assert_int_equal(lock(t, i, CF_OBTAIN, 500, CF_SHARED, 1), CF_OK);
    }
    assert_int_equal(be32_get(t->lab.rsp + 24), 0);
    /* Who cancels is told nothing any more. */
    assert_int_equal(lock(t, 0, CF_OBTAIN, 500, CF_EXCLUSIVE, 1), CF_RC_CONTENTION);
    assert_int_equal(lock(t, 0, CF_CANCEL, 500, 0, 0), CF_OK);
    lock(t, 1, CF_RELEASE, 500, 0, 0);
    lock(t, 2, CF_RELEASE, 500, 0, 0);
    assert_false(cflab_drain(&t->lab, 0, CF_NOTICE_LOCK, 500, row));
}

static u32 record(struct test *t, u32 who, u8 op, const char *name, u8 fill) {
    cflab_begin(&t->lab, op, &t->c[who], 128);
    memcpy(t->lab.cmd + 32, name, strlen(name));
    memset(t->lab.cmd + 64, fill, 64);
    return cflab_run(&t->lab, who);
}

static u32 records(struct test *t, u32 asks, u32 of) {
    cflab_begin(&t->lab, CF_RECORD_READ, &t->c[asks], 24);
    t->lab.cmd[20] = t->c[of].id;
    assert_int_equal(cflab_run(&t->lab, asks), CF_OK);
    return cf_count_get(t->lab.rsp);
}

static void test_records_outlive_their_writer(void **state) {
    struct test *t = *state;
    u8 row[CF_NOTICE_BYTES];
    lock(t, 0, CF_OBTAIN, 9, CF_EXCLUSIVE, 0);
    assert_int_equal(lock(t, 1, CF_OBTAIN, 9, CF_SHARED, 1), CF_RC_CONTENTION);
    assert_int_equal(record(t, 0, CF_RECORD_SET, "PAGE 17", 1), CF_OK);
    assert_int_equal(record(t, 0, CF_RECORD_SET, "PAGE 17", 2), CF_OK);
    assert_int_equal(record(t, 0, CF_RECORD_SET, "PAGE 18", 3), CF_OK);
    assert_int_equal(record(t, 1, CF_RECORD_SET, "PAGE 17", 4), CF_OK);
    assert_int_equal(record(t, 0, CF_RECORD_RESET, "PAGE 18", 0), CF_OK);
    assert_int_equal(record(t, 0, CF_RECORD_RESET, "PAGE 18", 0), CF_RC_NO_ENTRY);
    cf_link_down(t->lab.cf, 0);
    assert_true(cflab_drain(&t->lab, 1, CF_NOTICE_CONNECTIONS, 0, row));
    assert_int_equal(be32_get(row + 16), 1);
    /* The lock is retained, and says so. */
    assert_int_equal(lock(t, 1, CF_OBTAIN, 9, CF_SHARED, 1), CF_RC_CONTENTION);
    assert_int_equal(be32_get(t->lab.rsp + 28), 1);
    assert_int_equal(records(t, 1, 0), 1);
    assert_memory_equal(t->lab.rsp + 16 + 32, "PAGE 17", 7);
    assert_int_equal(t->lab.rsp[16 + 64], 2);
    /* Recovered: its interest goes, who waits is told. */
    cflab_begin(&t->lab, CF_FORCE, &t->c[1], 48);
    t->lab.cmd[16] = t->c[0].id;
    assert_int_equal(cflab_run(&t->lab, 1), CF_OK);
    assert_true(cflab_drain(&t->lab, 1, CF_NOTICE_LOCK, 9, row));
    assert_int_equal(lock(t, 1, CF_OBTAIN, 9, CF_SHARED, 1), CF_OK);
    assert_int_equal(records(t, 1, 0), 0);
    assert_int_equal(records(t, 1, 1), 1);
}

static void test_records_run_out(void **state) {
    struct test *t = *state;
    char name[16];
    u32 n = 0, entries = t->lab.cf->structure[0].u.lock.records, rc;
    do {
        str_fmt(name, sizeof name, "%u", n);
        rc = record(t, 0, CF_RECORD_SET, name, 0);
        n += rc == CF_OK;
    } while (rc == CF_OK);
    assert_int_equal(rc, CF_RC_FULL);
    assert_int_equal(n, entries);
    assert_true(n > 100);
    cf_link_down(t->lab.cf, 0);
    cflab_begin(&t->lab, CF_FORCE, &t->c[1], 48);
    t->lab.cmd[16] = t->c[0].id;
    assert_int_equal(cflab_run(&t->lab, 1), CF_OK);
    assert_int_equal(t->lab.cf->structure[0].u.lock.used, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_compatibility, setup, cftrio_teardown),
        cmocka_unit_test_setup_teardown(test_up_and_down, setup, cftrio_teardown),
        cmocka_unit_test_setup_teardown(test_contention_is_told, setup, cftrio_teardown),
        cmocka_unit_test_setup_teardown(test_records_outlive_their_writer, setup, cftrio_teardown),
        cmocka_unit_test_setup_teardown(test_records_run_out, setup, cftrio_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
