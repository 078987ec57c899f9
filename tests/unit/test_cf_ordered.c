/* test_cf_ordered.c - commands with a number: two facilities that are given the same ones, in whatever order they come, are alike.
 * And CONNECT with a wanted identifier.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/cflab.h"

#define SYSTEMS 2u

struct pair {
    struct cflab lab[2];
    struct cflab_conn c[2][SYSTEMS]; /* of facility, of system */
};

static int setup(void **state) {
    struct pair *p = malloc(sizeof *p);
    assert_non_null(p);
    for (u32 f = 0; f < 2; f++) {
        cflab_start(&p->lab[f], 2048);
        for (u32 i = 0; i < SYSTEMS; i++) {
            /* They connect in another order, and have the same identifiers. */
            u32 who = f ? SYSTEMS - 1 - i : i;
            u32 n = cflab_system(&p->lab[f], who ? "SYSB" : "SYSA", 1);
            cflab_connect_begin(&p->lab[f], "WORK", who ? "SYSB" : "SYSA", CF_TYPE_LIST, 0);
            p->lab[f].cmd[76] = (u8)(who + 1);
            assert_int_equal(cflab_connect(&p->lab[f], n, &p->c[f][who]), CF_OK);
            assert_int_equal(p->c[f][who].id, who + 1);
        }
    }
    *state = p;
    return 0;
}

static int teardown(void **state) {
    struct pair *p = *state;
    for (u32 f = 0; f < 2; f++) cflab_end(&p->lab[f]);
    free(p);
    return 0;
}

/* Runs what lab.cmd has, inside ORDERED. The outer response code; *at is the ordinal that the response has. */
static u32 ordered(struct pair *p, u32 f, u32 who, u32 epoch, u32 ordinal, u32 *at) {
    struct cflab *lab = &p->lab[f];
    const struct cflab_conn *con = &p->c[f][who];
    u32 len = lab->len;
    memmove(lab->cmd + CF_ORDERED_BYTES, lab->cmd, len);
    be32_put(lab->cmd + CF_ORDERED_BYTES + 4, len);
    cf_command_put(lab->cmd, CF_ORDERED, lab->tag, 0, con->token, con->id);
    be32_put(lab->cmd + 16, epoch);
    be32_put(lab->cmd + 20, ordinal);
    lab->len = len + CF_ORDERED_BYTES;
    u32 rc = cflab_run(lab, con->system);
    if (at) *at = lab->rsp_len >= CF_ORDERED_BYTES ? be32_get(lab->rsp + 20) : 0;
    return rc;
}

static u32 inner_rc(const struct cflab *lab) {
    assert_true(cf_message_check(lab->rsp + CF_ORDERED_BYTES, lab->rsp_len - CF_ORDERED_BYTES));
    return cf_rc_get(lab->rsp + CF_ORDERED_BYTES);
}

static u32 write(struct pair *p, u32 f, u32 who, const char *text, u32 epoch, u32 ordinal, u32 *at) {
    cflab_list(&p->lab[f], CF_WRITE, &p->c[f][who], 3, CF_BY_NONE, CF_F_DATA);
    p->lab[f].cmd[37] = 1;
    cflab_data(&p->lab[f], text, (u32)strlen(text));
    return ordered(p, f, who, epoch, ordinal, at);
}

/* The list's data, one behind the other. */
static const char *content(struct pair *p, u32 f) {
    static char text[64];
    u32 n = 0;
    cflab_list(&p->lab[f], CF_READ_LIST, &p->c[f][0], 3, CF_BY_NONE, CF_F_DATA);
    assert_int_equal(cflab_run(&p->lab[f], p->c[f][0].system), CF_OK);
    for (u32 i = 0; i < cf_count_get(p->lab[f].rsp); i++) {
        const u8 *e = cflab_entry(&p->lab[f], i);
        memcpy(text + n, e + CF_ENTRY_BYTES, be32_get(e + 20));
        n += be32_get(e + 20);
    }
    text[n] = '\0';
    return text;
}

static void test_the_second_follows_the_first(void **state) {
    struct pair *p = *state;
    u32 at;
    /* A, then B in the first; the second is brought B's before A's. */
    assert_int_equal(write(p, 0, 0, "A", 1, 0, &at), CF_OK);
    assert_int_equal(at, 1);
    assert_int_equal(inner_rc(&p->lab[0]), CF_OK);
    assert_int_equal(write(p, 0, 1, "B", 1, 0, &at), CF_OK);
    assert_int_equal(at, 2);
    assert_int_equal(write(p, 1, 1, "B", 1, 2, &at), CF_RC_ORDER);
    assert_int_equal(at, 0);
    assert_string_equal(content(p, 1), "");
    assert_int_equal(write(p, 1, 0, "A", 1, 1, &at), CF_OK);
    assert_int_equal(write(p, 1, 1, "B", 1, 2, &at), CF_OK);
    assert_string_equal(content(p, 0), "AB");
    assert_string_equal(content(p, 1), "AB");
    /* Not twice. */
    assert_int_equal(write(p, 1, 1, "B", 1, 2, &at), CF_RC_ORDER);
    assert_int_equal(at, 2);
    assert_string_equal(content(p, 1), "AB");
    assert_int_equal(cf_counter(p->lab[1].cf, CF_CT_ORDER), 2);
}

/* A command that the structure refuses has its number, too, and the same answer in both. */
static void test_refused_ones_count(void **state) {
    struct pair *p = *state;
    for (u32 f = 0; f < 2; f++) {
        u32 at;
        cflab_list(&p->lab[f], CF_READ, &p->c[f][0], 99, CF_BY_NONE, 0);
        assert_int_equal(ordered(p, f, 0, 1, f, &at), CF_OK);
        assert_int_equal(at, 1);
        assert_int_not_equal(inner_rc(&p->lab[f]), CF_OK);
        assert_int_equal(write(p, f, 0, "A", 1, f * 2, &at), CF_OK);
        assert_int_equal(at, 2);
    }
    assert_int_equal(p->lab[0].rsp_len, p->lab[1].rsp_len);
    assert_memory_equal(p->lab[0].rsp + CF_ORDERED_BYTES + 8, p->lab[1].rsp + CF_ORDERED_BYTES + 8,
                        p->lab[0].rsp_len - CF_ORDERED_BYTES - 8);
}

static void test_epochs(void **state) {
    struct pair *p = *state;
    u32 at;
    assert_int_equal(write(p, 1, 0, "A", 5, 2, &at), CF_RC_ORDER); /* the new epoch's first has not come */
    assert_int_equal(write(p, 1, 0, "A", 5, 1, &at), CF_OK);
    assert_int_equal(write(p, 1, 0, "B", 4, 2, &at), CF_RC_ORDER);
    assert_int_equal(at, 1);
    assert_int_equal(write(p, 1, 0, "C", 6, 0, &at), CF_OK);
    assert_int_equal(at, 1);
    assert_string_equal(content(p, 1), "AC");
}

static void test_what_is_no_command(void **state) {
    struct pair *p = *state;
    struct cflab *lab = &p->lab[0];
    u32 at;
    /* Of another connection, of the facility, of another type, in itself, cut short. */
    cflab_list(lab, CF_DELETE_LIST, &p->c[0][1], 3, CF_BY_NONE, 0);
    assert_int_equal(ordered(p, 0, 0, 1, 0, NULL), CF_RC_MALFORMED);
    cflab_begin(lab, CF_IDENTIFY, &p->c[0][0], CF_CMD_BYTES);
    assert_int_equal(ordered(p, 0, 0, 1, 0, NULL), CF_RC_MALFORMED);
    cflab_begin(lab, CF_OBTAIN, &p->c[0][0], CF_LOCK_BYTES);
    assert_int_equal(ordered(p, 0, 0, 1, 0, NULL), CF_RC_TYPE);
    cflab_begin(lab, CF_ORDERED, &p->c[0][0], 64);
    assert_int_equal(ordered(p, 0, 0, 1, 0, NULL), CF_RC_MALFORMED);
    for (u32 len = CF_CMD_BYTES; len < CF_LIST_BYTES; len++) {
        cflab_begin(lab, CF_WRITE, &p->c[0][0], len);
        assert_int_equal(ordered(p, 0, 0, 1, 0, NULL), CF_RC_MALFORMED);
    }
    for (u32 len = CF_CMD_BYTES; len < CF_ORDERED_BYTES + CF_CMD_BYTES; len++) {
        cflab_begin(lab, CF_ORDERED, &p->c[0][0], len);
        assert_int_equal(cflab_run(lab, p->c[0][0].system), CF_RC_MALFORMED);
    }
    /* None of them has taken a number. */
    assert_int_equal(write(p, 0, 0, "A", 1, 0, &at), CF_OK);
    assert_int_equal(at, 1);
}

/* ---- lock and cache structures ---- */

static void connect_both(struct pair *p, u8 type) {
    for (u32 f = 0; f < 2; f++)
        for (u32 i = 0; i < SYSTEMS; i++) {
            u32 who = f ? SYSTEMS - 1 - i : i;
            cflab_connect_begin(&p->lab[f], "OTHER", who ? "SYSB" : "SYSA", type, 0);
            p->lab[f].cmd[76] = (u8)(who + 1);
            assert_int_equal(cflab_connect(&p->lab[f], p->c[f][who].system, &p->c[f][who]), CF_OK);
        }
}

/* A command that the number n says, of the system that it says. */
static void other_command(struct pair *p, u32 f, u8 type, u32 who, u32 n) {
    static const u8 locks[] = {CF_OBTAIN, CF_RELEASE, CF_CANCEL}, caches[] = {CF_C_READ, CF_C_WRITE, CF_C_INVALIDATE, CF_CASTOUT};
    struct cflab *lab = &p->lab[f];
    if (type == CF_TYPE_LOCK) {
        cflab_begin(lab, locks[n % 3], &p->c[f][who], CF_LOCK_BYTES);
        be32_put(lab->cmd + 16, n / 3 % 4);
        lab->cmd[20] = n / 12 % 2 ? CF_EXCLUSIVE : CF_SHARED;
        lab->cmd[21] = n / 24 % 2;
        return;
    }
    cflab_begin(lab, caches[n % 4], &p->c[f][who], CF_CACHE_BYTES);
    memset(lab->cmd + 16, ' ', CF_NAME_BYTES);
    lab->cmd[16] = (u8)('A' + n / 4 % 5);
    be32_put(lab->cmd + 48, n / 4 % 5);
    be16_put(lab->cmd + 54, (u16)((n % 4 == 0 ? CF_C_ASSIGN : 0) | (n % 4 == 1 ? CF_C_ASSIGN | CF_C_CHANGED : 0)));
}

/* The second facility says to each command what the first has said, and takes none before its turn. */
static void says_the_same(struct pair *p, u8 type, u32 *contended) {
    static u8 first[CF_MESSAGE_MAX];
    u32 number = 12345, ordinal, at;
    for (u32 i = 0; i < 400; i++) {
        number = number * 1103515245u + 12345u;
        u32 n = number >> 16, who = n >> 8 & 1;
        other_command(p, 0, type, who, n & 0xFF);
        assert_int_equal(ordered(p, 0, who, 7, 0, &ordinal), CF_OK);
        assert_int_equal(ordinal, i + 1);
        u32 rc = inner_rc(&p->lab[0]), len = p->lab[0].rsp_len;
        *contended += rc == CF_RC_CONTENTION || rc == CF_RC_CASTOUT;
        memcpy(first, p->lab[0].rsp, len);
        other_command(p, 1, type, !who, ~n & 0xFF);
        assert_int_equal(ordered(p, 1, !who, 7, ordinal + 1, NULL), CF_RC_ORDER);
        other_command(p, 1, type, who, n & 0xFF);
        assert_int_equal(ordered(p, 1, who, 7, ordinal, &at), CF_OK);
        assert_int_equal(at, ordinal);
        assert_int_equal(inner_rc(&p->lab[1]), rc);
        assert_int_equal(p->lab[1].rsp_len, len);
        u32 body = CF_ORDERED_BYTES + 12; /* count and what follows; before it are tags and flags of the link */
        assert_memory_equal(p->lab[1].rsp + body, first + body, len - body);
    }
}

static void test_locks_and_caches(void **state) {
    struct pair *p = *state;
    static const u8 types[] = {CF_TYPE_LOCK, CF_TYPE_CACHE};
    for (u32 i = 0; i < ARRAY_LEN(types); i++) {
        u32 contended = 0;
        struct cflab_conn lists[2][SYSTEMS];
        memcpy(lists, p->c, sizeof lists);
        connect_both(p, types[i]);
        says_the_same(p, types[i], &contended);
        assert_true(contended > 5);
        for (u32 f = 0; f < 2; f++)
            for (u32 who = 0; who < SYSTEMS; who++) {
                cflab_begin(&p->lab[f], CF_DISCONNECT, &p->c[f][who], 20);
                assert_int_equal(cflab_run(&p->lab[f], p->c[f][who].system), CF_OK);
            }
        memcpy(p->c, lists, sizeof lists);
    }
}

static void test_wanted_identifier(void **state) {
    struct pair *p = *state;
    struct cflab_conn con;
    u32 n = cflab_system(&p->lab[0], "SYSC", 1);
    static const struct {
        u8 wanted;
        u32 rc;
        u8 id;
    } rows[] = {{2, CF_RC_CONNECTIONS, 0}, {33, CF_RC_CONNECTIONS, 0}, {32, CF_OK, 32}, {32, CF_RC_CONNECTIONS, 0}, {0, CF_OK, 3}};
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        char name[4] = {'C', (char)('0' + i), 0};
        cflab_connect_begin(&p->lab[0], "WORK", name, CF_TYPE_LIST, 0);
        p->lab[0].cmd[76] = rows[i].wanted;
        assert_int_equal(cflab_connect(&p->lab[0], n, &con), rows[i].rc);
        if (rows[i].rc == CF_OK) assert_int_equal(con.id, rows[i].id);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_second_follows_the_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_ones_count, setup, teardown),
        cmocka_unit_test_setup_teardown(test_epochs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_command, setup, teardown),
        cmocka_unit_test_setup_teardown(test_locks_and_caches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wanted_identifier, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
