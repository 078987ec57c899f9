/* test_cf_cache.c - cache structures: interest and cross-invalidation, store-in with castout, reclaim, castout owners that die.
 */
#include "tests/unit/cftrio.h"

static void shape(u8 *cmd) {
    cmd[50] = 2;
    cmd[51] = 4;
}

static int setup(void **state) {
    *state = cftrio_setup("GBP0", CF_TYPE_CACHE, 0, shape);
    return 0;
}

static u32 cache(struct test *t, u32 who, u8 op, const char *name, u32 bit, u16 flags, const char *data) {
    cflab_begin(&t->lab, op, &t->c[who], CF_CACHE_BYTES);
    memcpy(t->lab.cmd + 16, name, strlen(name));
    be32_put(t->lab.cmd + 48, bit);
    be16_put(t->lab.cmd + 52, 3);
    be16_put(t->lab.cmd + 54, flags);
    if (data) cflab_data(&t->lab, data, (u32)strlen(data));
    return cflab_run(&t->lab, who);
}

static bool invalidated(struct test *t, u32 who, u32 bit) {
    u8 row[CF_NOTICE_BYTES];
    return cflab_drain(&t->lab, who, CF_NOTICE_VECTOR, bit, row) && be32_get(row + 12) == 0;
}

static void test_cross_invalidate(void **state) {
    struct test *t = *state;
    assert_int_equal(cache(t, 0, CF_C_READ, "P1", 10, 0, NULL), CF_RC_NO_ENTRY);
    assert_int_equal(cache(t, 0, CF_C_READ, "P1", 10, CF_C_ASSIGN, NULL), CF_OK);
    assert_int_equal(cache(t, 1, CF_C_READ, "P1", 20, CF_C_ASSIGN, NULL), CF_OK);
    assert_int_equal(cache(t, 2, CF_C_READ, "P2", 30, CF_C_ASSIGN, NULL), CF_OK);
    assert_int_equal(cache(t, 0, CF_C_WRITE, "P1", 0, 0, "one"), CF_OK);
    /* The other reader's bit is off, the writer's own stays, who reads something else is left alone. */
    assert_true(invalidated(t, 1, 20));
    assert_false(invalidated(t, 0, 10));
    assert_int_equal(t->lab.pending[2], 0);
    assert_int_equal(cache(t, 1, CF_C_READ, "P1", 21, 0, NULL), CF_OK);
    assert_memory_equal(t->lab.rsp + CF_CACHED_BYTES, "one", 3);
    /* Without interest nothing is told. */
    assert_int_equal(cache(t, 1, CF_C_UNREGISTER, "P1", 0, 0, NULL), CF_OK);
    assert_int_equal(cache(t, 1, CF_C_UNREGISTER, "P1", 0, 0, NULL), CF_RC_NO_ENTRY);
    assert_int_equal(cache(t, 2, CF_C_WRITE, "P1", 31, CF_C_REGISTER, "two"), CF_OK);
    assert_true(invalidated(t, 0, 10));
    assert_false(invalidated(t, 1, 21));
    assert_int_equal(cache(t, 0, CF_C_INVALIDATE, "P1", 0, 0, NULL), CF_OK);
    assert_true(invalidated(t, 2, 31));
    assert_int_equal(cache(t, 0, CF_C_READ, "P1", 128, 0, NULL), CF_RC_NUMBER);
}

static void test_a_buffer_changes_its_name(void **state) {
    struct test *t = *state;
    assert_int_equal(cache(t, 0, CF_C_READ, "OLD", 5, CF_C_ASSIGN, NULL), CF_OK);
    cflab_begin(&t->lab, CF_C_READ, &t->c[0], CF_CACHE_BYTES);
    memcpy(t->lab.cmd + 16, "NEW", 3);
    memcpy(t->lab.cmd + 32, "OLD", 3);
    be32_put(t->lab.cmd + 48, 5);
    be16_put(t->lab.cmd + 54, CF_C_ASSIGN);
    assert_int_equal(cflab_run(&t->lab, 0), CF_OK);
    assert_int_equal(cache(t, 1, CF_C_WRITE, "OLD", 0, 0, "x"), CF_OK);
    assert_false(invalidated(t, 0, 5));
    assert_int_equal(cache(t, 1, CF_C_WRITE, "NEW", 0, 0, "x"), CF_OK);
    assert_true(invalidated(t, 0, 5));
}

/* A name that is read into another buffer: the first one is not valid any more, for a write will end the second one's interest only. */
static void test_a_name_changes_its_buffer(void **state) {
    struct test *t = *state;
    assert_int_equal(cache(t, 0, CF_C_READ, "P1", 5, CF_C_ASSIGN, NULL), CF_OK);
    assert_int_equal(cache(t, 0, CF_C_READ, "P1", 6, 0, NULL), CF_OK);
    assert_true(invalidated(t, 0, 5));
    assert_int_equal(cache(t, 0, CF_C_READ, "P1", 6, 0, NULL), CF_OK);
    assert_false(invalidated(t, 0, 6));
    assert_int_equal(cache(t, 1, CF_C_WRITE, "P1", 0, 0, "x"), CF_OK);
    assert_true(invalidated(t, 0, 6));
}

static u32 in_class(struct test *t) {
    cache(t, 1, CF_CASTOUT_CLASS, "", 0, 0, NULL);
    return cf_count_get(t->lab.rsp);
}

static void test_castout(void **state) {
    struct test *t = *state;
    assert_int_equal(cache(t, 0, CF_C_WRITE, "P1", 0, CF_C_CHANGED, "v1"), CF_OK);
    assert_int_equal(in_class(t), 1);
    assert_memory_equal(t->lab.rsp + CF_RSP_BYTES, "P1", 2);
    assert_int_equal(cache(t, 1, CF_CASTOUT, "P1", 0, 0, NULL), CF_OK);
    assert_memory_equal(t->lab.rsp + CF_CACHED_BYTES, "v1", 2);
    assert_int_equal(in_class(t), 0);
    assert_int_equal(cache(t, 2, CF_CASTOUT, "P1", 0, 0, NULL), CF_RC_CASTOUT);
    assert_int_equal(cf_count_get(t->lab.rsp), t->c[1].id);
    assert_int_equal(cache(t, 2, CF_CASTOUT_END, "P1", 0, 0, NULL), CF_RC_LOCK_NOT_HELD);
    assert_int_equal(cache(t, 2, CF_C_INVALIDATE, "P1", 0, CF_C_PURGE, NULL), CF_RC_CASTOUT);
    /* Written while it is on its way to the disk: still changed afterwards. */
    assert_int_equal(cache(t, 0, CF_C_WRITE, "P1", 0, CF_C_CHANGED, "v2"), CF_OK);
    assert_int_equal(cache(t, 1, CF_CASTOUT_END, "P1", 0, 0, NULL), CF_OK);
    assert_int_equal(in_class(t), 1);
    assert_int_equal(cache(t, 1, CF_CASTOUT, "P1", 0, 0, NULL), CF_OK);
    assert_int_equal(cache(t, 1, CF_CASTOUT_END, "P1", 0, 0, NULL), CF_OK);
    assert_int_equal(in_class(t), 0);
    assert_int_equal(cache(t, 1, CF_CASTOUT, "P1", 0, 0, NULL), CF_RC_NO_ENTRY);
    /* The disk failed; the owner died: changed again both times. */
    cache(t, 0, CF_C_WRITE, "P1", 0, CF_C_CHANGED, "v3");
    cache(t, 1, CF_CASTOUT, "P1", 0, 0, NULL);
    assert_int_equal(cache(t, 1, CF_CASTOUT_END, "P1", 0, CF_C_CHANGED, NULL), CF_OK);
    assert_int_equal(in_class(t), 1);
    cache(t, 2, CF_CASTOUT, "P1", 0, 0, NULL);
    assert_int_equal(in_class(t), 0);
    cf_link_down(t->lab.cf, 2);
    assert_int_equal(in_class(t), 1);
    assert_int_equal(cache(t, 0, CF_C_INVALIDATE, "P1", 0, CF_C_PURGE, NULL), CF_OK);
    assert_int_equal(cache(t, 0, CF_C_READ, "P1", 0, 0, NULL), CF_RC_NO_ENTRY);
}

static void test_reclaim(void **state) {
    struct test *t = *state;
    const struct cf_structure *s = &t->lab.cf->structure[0];
    char name[16];
    assert_int_equal(cache(t, 0, CF_C_READ, "FIRST", 1, CF_C_ASSIGN, NULL), CF_OK);
    assert_int_equal(cache(t, 0, CF_C_READ, "SECOND", 2, CF_C_ASSIGN, NULL), CF_OK);
    assert_int_equal(cache(t, 1, CF_C_READ, "FIRST", 1, 0, NULL), CF_OK);
    u32 left = s->u.cache.entries - 2;
    for (u32 i = 0; i < left; i++) {
        str_fmt(name, sizeof name, "C%u", i);
        assert_int_equal(cache(t, 1, CF_C_WRITE, name, 0, CF_C_CHANGED, ""), CF_OK);
    }
    /* Full. The least recently used reclaimable one is SECOND; its reader is told. */
    assert_int_equal(cache(t, 2, CF_C_READ, "THIRD", 3, CF_C_ASSIGN, NULL), CF_OK);
    assert_true(invalidated(t, 0, 2));
    assert_int_equal(cache(t, 0, CF_C_READ, "SECOND", 2, 0, NULL), CF_RC_NO_ENTRY);
    assert_int_equal(cache(t, 0, CF_C_READ, "FIRST", 1, 0, NULL), CF_OK);
    /* All changed: nothing may go. */
    assert_int_equal(cache(t, 1, CF_C_WRITE, "FIRST", 0, CF_C_CHANGED, ""), CF_OK);
    assert_int_equal(cache(t, 1, CF_C_WRITE, "THIRD", 0, CF_C_CHANGED, ""), CF_OK);
    assert_int_equal(cache(t, 2, CF_C_READ, "FOURTH", 3, CF_C_ASSIGN, NULL), CF_RC_FULL);
    assert_int_equal(cache(t, 2, CF_C_WRITE, "FOURTH", 3, CF_C_CHANGED, "x"), CF_RC_FULL);
}

static void test_elements_are_reclaimed(void **state) {
    struct test *t = *state;
    const struct cf_structure *s = &t->lab.cf->structure[0];
    static char data[4096];
    char name[16];
    memset(data, 'd', sizeof data - 1);
    u32 fit = s->el.count / 4;
    for (u32 i = 0; i < fit + 5; i++) {
        str_fmt(name, sizeof name, "P%u", i);
        assert_int_equal(cache(t, 0, CF_C_WRITE, name, 0, 0, data), CF_OK);
    }
    assert_true(s->u.cache.reclaimed >= 5);
    assert_int_equal(cache(t, 0, CF_C_READ, "P0", 0, 0, NULL), CF_RC_NO_ENTRY);
    assert_int_equal(cache(t, 0, CF_C_READ, name, 0, 0, NULL), CF_OK);
    assert_int_equal(be32_get(t->lab.rsp + 24), 4095);
    cflab_begin(&t->lab, CF_C_WRITE, &t->c[0], CF_CACHE_BYTES);
    cflab_data(&t->lab, data, 4096);
    cflab_data(&t->lab, data, 1);
    assert_int_equal(cflab_run(&t->lab, 0), CF_RC_TOO_LONG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cross_invalidate, setup, cftrio_teardown),
        cmocka_unit_test_setup_teardown(test_a_buffer_changes_its_name, setup, cftrio_teardown),
        cmocka_unit_test_setup_teardown(test_a_name_changes_its_buffer, setup, cftrio_teardown),
        cmocka_unit_test_setup_teardown(test_castout, setup, cftrio_teardown),
        cmocka_unit_test_setup_teardown(test_reclaim, setup, cftrio_teardown),
        cmocka_unit_test_setup_teardown(test_elements_are_reclaimed, setup, cftrio_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
