/* test_cf_list.c - list structures: order, keys, names, versions, locks, many at once, monitors, the end of storage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/unit/cflab.h"

struct test {
    struct cflab lab;
    u32 a, b; /* systems */
    struct cflab_conn ca, cb;
};

static void start(struct test *t, u8 flags) {
    cflab_start(&t->lab, 4096);
    t->a = cflab_system(&t->lab, "SYSA", 1);
    t->b = cflab_system(&t->lab, "SYSB", 1);
    cflab_connect_begin(&t->lab, "LIST1", "CONNA", CF_TYPE_LIST, flags);
    assert_int_equal(cflab_connect(&t->lab, t->a, &t->ca), CF_OK);
    assert_int_equal(t->lab.rsp[21], CF_NEW_STRUCTURE);
    cflab_connect_begin(&t->lab, "LIST1", "CONNB", CF_TYPE_LIST, flags);
    assert_int_equal(cflab_connect(&t->lab, t->b, &t->cb), CF_OK);
    assert_int_equal(t->lab.rsp[21], 0);
    assert_int_equal(be32_get(t->lab.rsp + 48), 3);
}

static struct test *fresh(u8 flags) {
    struct test *t = malloc(sizeof *t);
    assert_non_null(t);
    start(t, flags);
    return t;
}

static void finish(struct test *t) {
    cflab_end(&t->lab);
    free(t);
}

static u32 write_text(struct test *t, u32 list, u8 tail, const char *key, const char *text) {
    cflab_list(&t->lab, CF_WRITE, &t->ca, list, CF_BY_NONE, CF_F_DATA);
    t->lab.cmd[37] = tail;
    memcpy(t->lab.cmd + 64, key, strlen(key));
    cflab_data(&t->lab, text, (u32)strlen(text));
    return cflab_run(&t->lab, t->a);
}

/* The first bytes of all entries of a list, as text. */
static const char *contents(struct test *t, u32 list, u8 tail) {
    static char text[200];
    cflab_list(&t->lab, CF_READ_LIST, &t->cb, list, CF_BY_NONE, CF_F_DATA);
    t->lab.cmd[37] = tail;
    assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
    u32 n = cf_count_get(t->lab.rsp);
    for (u32 i = 0; i < n; i++) text[i] = (char)cflab_entry(&t->lab, i)[CF_ENTRY_BYTES];
    text[n] = 0;
    return text;
}

static void test_order(void **state) {
    struct test *t = fresh(0);
    UNUSED(state);
    write_text(t, 3, 1, "", "b");
    write_text(t, 3, 1, "", "c");
    write_text(t, 3, 0, "", "a");
    write_text(t, 4, 0, "", "z");
    assert_string_equal(contents(t, 3, 0), "abc");
    assert_string_equal(contents(t, 3, 1), "cba");
    cflab_list(&t->lab, CF_MOVE, &t->ca, 3, CF_BY_POSITION, 0);
    be32_put(t->lab.cmd + 20, 4);
    t->lab.cmd[37] = 1;
    assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
    assert_string_equal(contents(t, 3, 0), "ab");
    assert_string_equal(contents(t, 4, 0), "zc");
    finish(t);
}

static void test_keys_in_order(void **state) {
    struct test *t = fresh(CF_CONN_KEYS);
    char key[3] = "";
    UNUSED(state);
    /* 26 keys in an order that 7 makes, two entries each at the tail. */
    for (u32 i = 0; i < 52; i++) {
        char text[2] = {(char)('a' + i * 7 % 26), 0};
        key[0] = text[0];
        assert_int_equal(write_text(t, 0, 1, key, text), CF_OK);
    }
    assert_string_equal(contents(t, 0, 0), "aabbccddeeffgghhiijjkkllmmnnooppqqrrssttuuvvwwxxyyzz");
    for (char k = 'b'; k < 'z'; k++) {
        cflab_list(&t->lab, CF_DELETE_LIST, &t->ca, 0, CF_BY_NONE, CF_F_KEY);
        t->lab.cmd[64] = (u8)k;
        assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
        assert_int_equal(cf_count_get(t->lab.rsp), 2);
    }
    assert_string_equal(contents(t, 0, 1), "zzaa");
    cflab_list(&t->lab, CF_MOVE, &t->ca, 0, CF_BY_KEY, CF_F_KEY);
    t->lab.cmd[64] = 'z';
    t->lab.cmd[96] = 'A';
    assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
    assert_string_equal(contents(t, 0, 0), "zaaz");
    finish(t);
}

static void test_names_and_versions(void **state) {
    struct test *t = fresh(CF_CONN_NAMES | CF_CONN_ADJUNCT);
    u8 leid[CF_LEID_BYTES];
    UNUSED(state);
    cflab_list(&t->lab, CF_WRITE, &t->ca, 1, CF_BY_NAME, CF_F_ADJUNCT | CF_F_SET);
    memcpy(t->lab.cmd + 64, "ENTRY1", 6);
    be64_put(t->lab.cmd + 48, 100);
    memset(t->lab.cmd + 112, 0xAD, CF_ADJUNCT_BYTES);
    assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
    const u8 *e = cflab_entry(&t->lab, 0);
    memcpy(leid, e + 8, sizeof leid);
    assert_int_equal(be64_get(e + 24), 100);
    assert_memory_equal(e + 32, "ENTRY1", 6);
    assert_int_equal(e[64 + 63], 0xAD);
    /* Expected version is wrong, then right; then one up by itself. */
    cflab_list(&t->lab, CF_WRITE, &t->cb, 1, CF_BY_NAME, CF_F_DATA | CF_F_COMPARE);
    memcpy(t->lab.cmd + 64, "ENTRY1", 6);
    be64_put(t->lab.cmd + 40, 99);
    cflab_data(&t->lab, "new", 3);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_RC_VERSION);
    be64_put(t->lab.cmd + 40, 100);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
    assert_int_equal(be64_get(cflab_entry(&t->lab, 0) + 24), 101);
    assert_int_equal(cflab_entry(&t->lab, 0)[64], 0xAD);
    cflab_list(&t->lab, CF_WRITE, &t->ca, 2, CF_BY_NAME, CF_F_CREATE);
    memcpy(t->lab.cmd + 64, "ENTRY1", 6);
    assert_int_equal(cflab_run(&t->lab, t->a), CF_RC_EXISTS);
    cflab_list(&t->lab, CF_READ, &t->ca, 0, CF_BY_LEID, CF_F_DATA | CF_F_DELETE);
    memcpy(t->lab.cmd + 24, leid, sizeof leid);
    assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
    assert_memory_equal(cflab_entry(&t->lab, 0) + CF_ENTRY_BYTES, "new", 3);
    /* The LEID of what was there finds nothing, even when the place is used again. */
    for (u32 i = 0; i < 300; i++) {
        cflab_list(&t->lab, CF_WRITE, &t->ca, 1, CF_BY_NAME, 0);
        be32_put(t->lab.cmd + 64, i);
        if (cflab_run(&t->lab, t->a) != CF_OK) break;
    }
    cflab_list(&t->lab, CF_READ, &t->ca, 0, CF_BY_LEID, 0);
    memcpy(t->lab.cmd + 24, leid, sizeof leid);
    assert_int_equal(cflab_run(&t->lab, t->a), CF_RC_NO_ENTRY);
    finish(t);
}

static void test_lock_table(void **state) {
    struct test *t = fresh(0);
    UNUSED(state);
    cflab_list(&t->lab, CF_LOCK, &t->ca, 0, CF_BY_NONE, 0);
    be32_put(t->lab.cmd + 56, 5);
    t->lab.cmd[60] = CF_LOCK_SET;
    assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
    assert_int_equal(t->lab.rsp[16], t->ca.id);
    /* A write under a lock that somebody else has does nothing. */
    cflab_list(&t->lab, CF_WRITE, &t->cb, 0, CF_BY_NONE, 0);
    be32_put(t->lab.cmd + 56, 5);
    for (u8 op = CF_LOCK_SET; op < CF_LOCK_OPS; op++) {
        t->lab.cmd[60] = op;
        u32 expected = op == CF_LOCK_SET || op == CF_LOCK_FREE ? CF_RC_LOCK_HELD : CF_RC_LOCK_NOT_HELD;
        assert_int_equal(cflab_run(&t->lab, t->b), expected);
        if (expected == CF_RC_LOCK_HELD) assert_int_equal(cf_count_get(t->lab.rsp), t->ca.id);
    }
    assert_string_equal(contents(t, 0, 0), "");
    cf_link_down(t->lab.cf, t->a);
    cflab_list(&t->lab, CF_WRITE, &t->cb, 0, CF_BY_NONE, 0);
    be32_put(t->lab.cmd + 56, 5);
    t->lab.cmd[60] = CF_LOCK_FREE;
    assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
    be32_put(t->lab.cmd + 56, 8);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_RC_NUMBER);
    finish(t);
}

static void test_data_of_every_size(void **state) {
    struct test *t = fresh(0);
    static u8 data[CF_MESSAGE_MAX];
    UNUSED(state);
    for (u32 i = 0; i < sizeof data; i++) data[i] = (u8)(i * 131 + (i >> 8));
    static const u32 sizes[] = {0, 1, 255, 256, 257, 4095, 4096, 60000, CF_MESSAGE_MAX - CF_LIST_BYTES};
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
        cflab_list(&t->lab, CF_WRITE, &t->ca, 0, i ? CF_BY_POSITION : CF_BY_NONE, CF_F_DATA);
        cflab_data(&t->lab, data, sizes[i]);
        assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
        cflab_list(&t->lab, CF_READ, &t->cb, 0, CF_BY_POSITION, CF_F_DATA);
        assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
        const u8 *e = cflab_entry(&t->lab, 0);
        assert_int_equal(be32_get(e + 20), sizes[i]);
        assert_memory_equal(e + CF_ENTRY_BYTES, data, sizes[i]);
    }
    finish(t);
}

static void test_full_and_back(void **state) {
    struct test *t = fresh(0);
    u8 row[CF_NOTICE_BYTES];
    static u8 data[600];
    u32 n = 0, rc;
    UNUSED(state);
    do {
        cflab_list(&t->lab, CF_WRITE, &t->ca, n % 16, CF_BY_NONE, CF_F_DATA);
        cflab_data(&t->lab, data, sizeof data);
        rc = cflab_run(&t->lab, t->a);
        n += rc == CF_OK;
    } while (rc == CF_OK);
    assert_int_equal(rc, CF_RC_FULL);
    assert_true(n > 20);
    assert_true(cflab_drain(&t->lab, t->b, CF_NOTICE_FULL, 0, row));
    assert_in_range(be32_get(row + 12), 80, 100);
    assert_int_equal(t->lab.cf->structure[0].el.used, n * 3);
    u32 deleted = 0;
    for (u32 i = 0; i < 16; i++) {
        cflab_list(&t->lab, CF_DELETE_LIST, &t->cb, i, CF_BY_NONE, 0);
        assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
        deleted += cf_count_get(t->lab.rsp);
    }
    assert_int_equal(deleted, n);
    assert_int_equal(t->lab.cf->structure[0].el.used, 0);
    finish(t);
}

static void test_many_at_once(void **state) {
    struct test *t = fresh(0);
    static u8 data[10000];
    u8 leid[12][CF_LEID_BYTES];
    UNUSED(state);
    for (u32 i = 0; i < 12; i++) {
        data[0] = (u8)i;
        cflab_list(&t->lab, CF_WRITE, &t->ca, 0, CF_BY_NONE, CF_F_DATA);
        t->lab.cmd[37] = 1;
        cflab_data(&t->lab, data, sizeof data);
        assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
        memcpy(leid[i], cflab_entry(&t->lab, 0) + 8, CF_LEID_BYTES);
    }
    /* Six fit a response; the rest follows the last one's LEID. */
    cflab_list(&t->lab, CF_READ_LIST, &t->cb, 0, CF_BY_NONE, CF_F_DATA);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_RC_MORE);
    assert_int_equal(cf_count_get(t->lab.rsp), 6);
    cflab_list(&t->lab, CF_READ_LIST, &t->cb, 0, CF_BY_LEID, CF_F_DATA);
    memcpy(t->lab.cmd + 24, leid[5], CF_LEID_BYTES);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
    assert_int_equal(cf_count_get(t->lab.rsp), 6);
    assert_int_equal(cflab_entry(&t->lab, 0)[CF_ENTRY_BYTES], 6);
    /* A short response wanted: not even one. */
    be16_put(t->lab.cmd + 14, 600);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_RC_TOO_LONG);
    cflab_list(&t->lab, CF_DELETE_MULT, &t->cb, 0, CF_BY_NONE, 0);
    for (u32 i = 0; i < 3; i++) cflab_data(&t->lab, leid[i * 2], CF_LEID_BYTES);
    cflab_data(&t->lab, leid[0], CF_LEID_BYTES);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_RC_NO_ENTRY);
    assert_int_equal(cf_count_get(t->lab.rsp), 3);
    cflab_list(&t->lab, CF_READ_MULT, &t->cb, 0, CF_BY_NONE, CF_F_DATA);
    cflab_data(&t->lab, leid[1], CF_LEID_BYTES);
    cflab_data(&t->lab, leid[11], CF_LEID_BYTES);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
    assert_int_equal(cflab_entry(&t->lab, 1)[CF_ENTRY_BYTES], 11);
    /* Receive: read and delete what is there. */
    cflab_list(&t->lab, CF_READ_LIST, &t->cb, 0, CF_BY_NONE, CF_F_DATA | CF_F_DELETE);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_RC_MORE);
    assert_int_equal(cflab_entry(&t->lab, 0)[CF_ENTRY_BYTES], 1);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
    assert_int_equal(cf_count_get(t->lab.rsp), 3);
    finish(t);
}

static void test_list_limit(void **state) {
    struct test *t = fresh(0);
    UNUSED(state);
    cflab_begin(&t->lab, CF_SET_LCONTROLS, &t->ca, 96);
    be32_put(t->lab.cmd + 16, 2);
    be32_put(t->lab.cmd + 20, 2);
    memcpy(t->lab.cmd + 64, "owner", 5);
    assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
    assert_int_equal(write_text(t, 2, 0, "", "1"), CF_OK);
    assert_int_equal(write_text(t, 2, 0, "", "2"), CF_OK);
    assert_int_equal(write_text(t, 2, 0, "", "3"), CF_RC_LIST_FULL);
    assert_int_equal(write_text(t, 1, 0, "", "4"), CF_OK);
    cflab_list(&t->lab, CF_MOVE, &t->ca, 1, CF_BY_POSITION, 0);
    be32_put(t->lab.cmd + 20, 2);
    assert_int_equal(cflab_run(&t->lab, t->a), CF_RC_LIST_FULL);
    cflab_begin(&t->lab, CF_LCONTROLS, &t->cb, 20);
    be32_put(t->lab.cmd + 16, 2);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
    assert_int_equal(be32_get(t->lab.rsp + 16), 2);
    assert_memory_equal(t->lab.rsp + 32, "owner", 5);
    finish(t);
}

static void monitor(struct test *t, u8 op, u32 list, u32 bit, const char *key) {
    cflab_begin(&t->lab, op, &t->cb, 112);
    be32_put(t->lab.cmd + 16, list);
    be32_put(t->lab.cmd + 20, bit);
    t->lab.cmd[36] = 1;
    memcpy(t->lab.cmd + 64, key, strlen(key));
    memcpy(t->lab.cmd + 96, "user data", 9);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
}

static void stop(struct test *t, u8 op, u32 list, u32 bit) {
    cflab_begin(&t->lab, op, &t->cb, 112);
    be32_put(t->lab.cmd + 16, list);
    be32_put(t->lab.cmd + 20, bit);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
}

static void test_list_monitoring(void **state) {
    struct test *t = fresh(0);
    u8 row[CF_NOTICE_BYTES];
    UNUSED(state);
    monitor(t, CF_MONITOR_LIST, 6, 33, "");
    assert_int_equal(t->lab.rsp[16], 0);
    assert_int_equal(t->lab.pending[t->b], 0);
    write_text(t, 6, 0, "", "x");
    assert_int_equal(t->lab.pending[t->b], 1);
    /* Told once until it is drained, however much happens. */
    write_text(t, 6, 0, "", "y");
    assert_int_equal(t->lab.pending[t->b], 1);
    assert_string_equal(contents(t, 6, 0), "yx");
    assert_int_equal(t->lab.rsp[10], CF_RSP_PENDING);
    assert_true(cflab_drain(&t->lab, t->b, CF_NOTICE_VECTOR, 33, row));
    assert_int_equal(be32_get(row + 12), 1);
    assert_int_equal(row[1], t->cb.id);
    assert_int_equal(be32_get(row + 4), t->cb.token);
    assert_int_equal(t->lab.rsp[10], 0);
    /* Empty and not empty again before DRAIN: the present state, once. */
    cflab_list(&t->lab, CF_DELETE_LIST, &t->ca, 6, CF_BY_NONE, 0);
    assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
    write_text(t, 6, 0, "", "z");
    assert_true(cflab_drain(&t->lab, t->b, CF_NOTICE_VECTOR, 33, row));
    assert_int_equal(cf_count_get(t->lab.rsp), 1);
    assert_int_equal(be32_get(row + 12), 1);
    /* "Empty" was not drained when monitoring stopped; it starts again on a list that is not empty, and the old notice must not deny that. */
    cflab_list(&t->lab, CF_DELETE_LIST, &t->ca, 6, CF_BY_NONE, 0);
    assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
    stop(t, CF_MONITOR_LIST, 6, 33);
    write_text(t, 6, 0, "", "w");
    monitor(t, CF_MONITOR_LIST, 6, 33, "");
    assert_int_equal(t->lab.rsp[16], 1);
    assert_true(cflab_drain(&t->lab, t->b, CF_NOTICE_VECTOR, 33, row));
    assert_int_equal(be32_get(row + 12), 1);
    finish(t);
}

static void test_event_queue(void **state) {
    struct test *t = fresh(CF_CONN_KEYS);
    u8 row[CF_NOTICE_BYTES];
    UNUSED(state);
    monitor(t, CF_MONITOR_EVENTQ, 0, 9, "");
    monitor(t, CF_MONITOR_KEY, 3, 0, "KEY1");
    monitor(t, CF_MONITOR_KEY, 3, 0, "KEY2");
    write_text(t, 3, 0, "KEY0", "0");
    assert_int_equal(t->lab.pending[t->b], 0);
    write_text(t, 3, 0, "KEY2", "2");
    write_text(t, 3, 0, "KEY1", "1");
    assert_true(cflab_drain(&t->lab, t->b, CF_NOTICE_VECTOR, 9, row));
    assert_int_equal(be32_get(row + 12), 1);
    cflab_begin(&t->lab, CF_DEQ_EVENTQ, &t->cb, CF_CMD_BYTES);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
    assert_int_equal(cf_count_get(t->lab.rsp), 2);
    assert_memory_equal(t->lab.rsp + 16 + 16, "KEY2", 4);
    assert_memory_equal(t->lab.rsp + 16 + 48 + 16, "KEY1", 4);
    assert_memory_equal(t->lab.rsp + 16 + 32, "user data", 9);
    assert_true(cflab_drain(&t->lab, t->b, CF_NOTICE_VECTOR, 9, row));
    assert_int_equal(be32_get(row + 12), 0);
    /* An event whose entries are gone before it is taken is taken back. */
    cflab_list(&t->lab, CF_DELETE_LIST, &t->ca, 3, CF_BY_NONE, 0);
    assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
    write_text(t, 3, 0, "KEY1", "1");
    assert_true(cflab_drain(&t->lab, t->b, CF_NOTICE_VECTOR, 9, row));
    cflab_list(&t->lab, CF_DELETE, &t->ca, 3, CF_BY_KEY, 0);
    memcpy(t->lab.cmd + 64, "KEY1", 4);
    assert_int_equal(cflab_run(&t->lab, t->a), CF_OK);
    assert_true(cflab_drain(&t->lab, t->b, CF_NOTICE_VECTOR, 9, row));
    assert_int_equal(be32_get(row + 12), 0);
    finish(t);
}

static void test_controls_run_out(void **state) {
    struct test *t = fresh(CF_CONN_KEYS);
    UNUSED(state);
    for (u32 i = 0; i <= 32; i++) {
        cflab_begin(&t->lab, CF_MONITOR_KEY, &t->cb, 112);
        t->lab.cmd[36] = 1;
        be32_put(t->lab.cmd + 64, i);
        assert_int_equal(cflab_run(&t->lab, t->b), i < 32 ? CF_OK : CF_RC_FULL);
    }
    t->lab.cmd[36] = 0;
    be32_put(t->lab.cmd + 64, 5);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
    assert_int_equal(cflab_run(&t->lab, t->b), CF_RC_NO_ENTRY);
    t->lab.cmd[36] = 1;
    assert_int_equal(cflab_run(&t->lab, t->b), CF_OK);
    finish(t);
}

static void test_bad_operands(void **state) {
    struct test *t = fresh(0);
    UNUSED(state);
    static const struct {
        u8 op, by;
        u16 flags;
        u32 list, rc;
    } rows[] = {
        {CF_READ, CF_BY_NAME, 0, 0, CF_RC_MALFORMED},  {CF_READ, CF_BY_KEY, 0, 0, CF_RC_MALFORMED},
        {CF_READ, CF_BYS, 0, 0, CF_RC_MALFORMED},      {CF_READ, CF_BY_POSITION, 0, 16, CF_RC_NUMBER},
        {CF_READ, CF_BY_POSITION, 0, 0, CF_RC_NO_ENTRY}, {CF_READ, CF_BY_NONE, 0, 0, CF_RC_NO_ENTRY},
        {CF_WRITE, CF_BY_LEID, 0, 0, CF_RC_NO_ENTRY},  {CF_WRITE, CF_BY_NONE, CF_F_UPDATE, 0, CF_RC_NO_ENTRY},
        {CF_WRITE, CF_BY_NONE, CF_F_ADJUNCT, 0, CF_RC_MALFORMED}, {CF_MOVE, CF_BY_NONE, CF_F_KEY, 0, CF_RC_MALFORMED},
        {CF_READ_LIST, CF_BY_LEID, 0, 0, CF_RC_NO_ENTRY}, {CF_READ_LIST, CF_BY_NONE, CF_F_KEY, 0, CF_RC_MALFORMED},
        {CF_READ_LIST, CF_BY_NONE, 0, 99, CF_RC_NUMBER}, {CF_READ_MULT, CF_BY_NONE, 0, 0, CF_RC_MALFORMED},
        {CF_OBTAIN, 0, 0, 0, CF_RC_TYPE}, {CF_C_READ, 0, 0, 0, CF_RC_TYPE},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        cflab_list(&t->lab, rows[i].op, &t->ca, rows[i].list, rows[i].by, rows[i].flags);
        assert_int_equal(cflab_run(&t->lab, t->a), rows[i].rc);
    }
    finish(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),           cmocka_unit_test(test_keys_in_order),
        cmocka_unit_test(test_names_and_versions), cmocka_unit_test(test_lock_table),
        cmocka_unit_test(test_data_of_every_size), cmocka_unit_test(test_full_and_back),
        cmocka_unit_test(test_many_at_once),    cmocka_unit_test(test_list_limit),
        cmocka_unit_test(test_list_monitoring), cmocka_unit_test(test_event_queue),
        cmocka_unit_test(test_controls_run_out), cmocka_unit_test(test_bad_operands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
