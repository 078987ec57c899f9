/* test_wtor.c - questions to the operator: numbers, answers, what is refused, what is withdrawn, D R,L. */
#include "tests/unit/sysfix.h"

static struct asker {
    struct wtor_owner owner;
    int rc;
    u32 token, calls;
    char text[64];
    bool withdraws, asks_again;
} asker;

static int on_answer(void *ctx, u32 token, const char *text, u64 now) {
    struct asker *a = ctx;
    UNUSED(now);
    a->token = token;
    a->calls++;
    str_copy(a->text, sizeof a->text, text);
    if (a->withdraws) wtor_delete(&fix.sys.wtors, &a->owner, token);
    if (a->asks_again) wtor_ask(&fix.sys.wtors, &a->owner, token, "PLX0999D AGAIN");
    return a->rc;
}

static int setup(void **state) {
    UNUSED(state);
    fix_begin();
    memds_set("SYS1.IPLPARM(LOAD00)", "SYSPLEX  PLEX1\nIEASYM   00\n");
    memds_set("SYS1.PARMLIB(IEASYM00)", "SYSDEF SYSNAME(SYSA) SYSCLONE(0A)\n");
    assert_int_equal(fix_ipl(), 0);
    asker = (struct asker){.owner = {.answer = on_answer, .ctx = &asker}};
    return 0;
}
static int teardown(void **state) {
    UNUSED(state);
    fix_free();
    return 0;
}
static u32 ask(u32 token, const char *text) {
    fix.mark = fix.len;
    return wtor_ask(&fix.sys.wtors, &asker.owner, token, text);
}

static void answered(void **state) {
    UNUSED(state);
    assert_int_equal(ask(7, "IXC402D SYSB LAST OPERATIVE AT 14.05.22"), 1);
    FIX_SAID("*01 IXC402D SYSB LAST OPERATIVE AT 14.05.22\n");
    assert_true(fix_cmd("R 01,DOWN"));
    FIX_SAID("IEE600I REPLY TO 01 IS;DOWN\n");
    assert_int_equal(asker.token, 7);
    assert_string_equal(asker.text, "DOWN");
    assert_null(wtor_at(&fix.sys.wtors, 0));
    assert_false(fix_cmd("R 01,DOWN"));
    FIX_SAID("PLX0323E REPLY 01 IS NOT OUTSTANDING");
    assert_int_equal(asker.calls, 1);
}

/* Every way to enter an answer. */
static void forms(void **state) {
    static const char *const forms[] = {"R 1,Yes", "REPLY 01,yes", "r 01 yes", "01,yes", "1 yes", "01yes", "/R 01,YES"};
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(forms); i++) {
        char command[32];
        u32 id = ask(i, "PLX0999D WHAT");
        str_fmt(command, sizeof command, "%s", forms[i]);
        for (char *s = command; *s; s++)
            if (*s == '1') *s = (char)('0' + id);
        if (!fix_cmd(command)) fail_msg("%s", command);
        assert_string_equal(asker.text, "YES");
        assert_int_equal(asker.token, i);
    }
    static const char *const bad[] = {"R", "R ,YES", "R 123,YES", "R X,YES"};
    for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(fix_cmd(bad[i]));
        FIX_SAID("THE NUMBER OF A QUESTION WAS EXPECTED");
    }
}

static void refused(void **state) {
    UNUSED(state);
    ask(1, "PLX0999D WHAT");
    asker.rc = -ERR_INVAL;
    assert_false(fix_cmd("R 1,NO"));
    FIX_SAID("PLX0322E REPLY 01 IS NOT ONE OF THE ANSWERS\n*01 PLX0999D WHAT\n");
    asker.rc = -ERR_AGAIN;
    assert_false(fix_cmd("R 1,NO"));
    FIX_SAID("PLX0320E REPLY 01 CANNOT BE TAKEN NOW");
    assert_non_null(wtor_at(&fix.sys.wtors, 0));
    asker.rc = -ERR_NOENT;
    assert_false(fix_cmd("R 1,NO"));
    FIX_SAID("PLX0321I REPLY 01 CAME TOO LATE");
    assert_null(wtor_at(&fix.sys.wtors, 0));
    assert_int_equal(fix.sys.wtors.refused, 3);
}

/* The owner withdraws the question, or asks another one in its place, while it is being answered. */
static void inside(void **state) {
    UNUSED(state);
    asker.withdraws = true;
    ask(1, "PLX0999D WHAT");
    assert_true(fix_cmd("R 1,YES"));
    assert_null(wtor_at(&fix.sys.wtors, 0));
    ask(1, "PLX0999D WHAT");
    asker.asks_again = true;
    assert_true(fix_cmd("R 2,YES"));
    const struct wtor *w = wtor_at(&fix.sys.wtors, 0);
    assert_non_null(w);
    assert_int_equal(w->id, 3);
    assert_string_equal(w->text, "PLX0999D AGAIN");
}

static void displayed(void **state) {
    UNUSED(state);
    assert_true(fix_cmd("D R,L"));
    FIX_SAID("IEE112I 15.37.51 PENDING REQUESTS 1\nRM=0    IM=0     CEM=0     EM=0     RU=0    IR=0    NOAMRF\n");
    FIX_NOT_SAID("ID:R/K");
    ask(1, "PLX0998D FIRST");
    ask(2, "PLX0999D SECOND");
    assert_true(fix_cmd("D R"));
    FIX_SAID("RM=2 ");
    FIX_SAID("ID:R/K    T SYSNAME  MESSAGE TEXT\n       01 R SYSA     *01 PLX0998D FIRST\n       02 R SYSA     *02 PLX0999D SECOND\n");
    wtor_delete(&fix.sys.wtors, &asker.owner, 1);
    assert_true(fix_cmd("D R,L"));
    FIX_NOT_SAID("FIRST");
    assert_false(fix_cmd("D R,WHAT"));
    FIX_SAID("IEE309I DISPLAY R UNIDENTIFIABLE KEYWORD WHAT");
}

/* Numbers go round and are not given again while they wait; the table fills without harm. */
static void many(void **state) {
    UNUSED(state);
    u32 first = ask(1000, "PLX0999D THE FIRST");
    for (u32 i = 0; i < 300; i++) {
        u32 id = ask(i, "PLX0999D WHAT");
        assert_in_range(id, 1, WTOR_ID_MAX);
        assert_int_not_equal(id, first);
        wtor_delete(&fix.sys.wtors, &asker.owner, i);
    }
    for (u32 i = 0; i < WTOR_MAX - 1; i++) assert_int_not_equal(ask(i, "PLX0999D WHAT"), 0);
    assert_int_equal(ask(99, "PLX0997D TOO MANY"), 0);
    FIX_SAID("PLX0997D TOO MANY");
    assert_int_equal(fix.sys.wtors.drop_full, 1);
    wtor_delete(&fix.sys.wtors, &asker.owner, 5);
    assert_int_not_equal(ask(99, "PLX0997D ROOM AGAIN"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answered, setup, teardown),  cmocka_unit_test_setup_teardown(forms, setup, teardown),
        cmocka_unit_test_setup_teardown(refused, setup, teardown),   cmocka_unit_test_setup_teardown(inside, setup, teardown),
        cmocka_unit_test_setup_teardown(displayed, setup, teardown), cmocka_unit_test_setup_teardown(many, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
