/* test_xcf_state.c - every cell of the tables of paths and systems; ranges and choices of COUPLExx and SFM.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "xcf/xcf.h"

#include <cmocka.h>

/* One letter a state, '.' = no change; the order of rows and columns is that of the enums. */
static const char *const paths[XCF_PATH_STATES] = {
    /* stArting Linking Working Restarting Inoperative stOpped; columns: START READY DOWN LINKED SILENT LIMIT
       STOP */
    "A......", ".L....O", "..AW..O", "..R.R.O", ".L.W.IO", "A.....O",
};
static const char path_letters[] = "OALWRI";

static const char *const systems[XCF_SYSTEM_STATES] = {
    /* Joining Active Stopped Nosignal Isolating Prompt Cleanup Gone Free
     * columns: HEARD LINKED QUIET NOSIGNAL BACK DUE NOARB FENCED CLEAN */
    "J......G.", ".AF....G.", "..SN.I.C.", "...NAIPC.", "..S.AI.C.",
    "......PC.", "....AI.C.", "J.......G", "J........",
};
static const char system_letters[] = "FJASNIPCG";

static void path_table(void **state) {
    UNUSED(state);
    for (u32 s = 0; s < XCF_PATH_STATES; s++)
        for (u32 e = 0; e < XCF_PATH_EVENTS; e++) {
            char want = paths[s][e] == '.' ? path_letters[s] : paths[s][e];
            assert_int_equal(path_letters[xcf_path_next((enum xcf_path_state)s, (enum xcf_path_event)e)],
                             want);
        }
    assert_string_equal(xcf_path_state_name(XCF_PATH_INOPERATIVE), "INOPERATIVE");
    assert_string_equal(xcf_path_event_name(XCF_PE_STOP), "STOP");
}

static void system_table(void **state) {
    UNUSED(state);
    for (u32 s = 0; s < XCF_SYSTEM_STATES; s++)
        for (u32 e = 0; e < XCF_SYSTEM_EVENTS; e++) {
            char want = systems[s][e] == '.' ? system_letters[s] : systems[s][e];
            enum xcf_system_state next = xcf_system_next((enum xcf_system_state)s, (enum xcf_system_event)e);
            assert_int_equal(system_letters[next], want);
            /* The rule of the house: who is in gets out through FENCED alone. */
            bool in = s >= XCF_SYS_ACTIVE && s <= XCF_SYS_PROMPT;
            bool leaves = next < XCF_SYS_ACTIVE || next > XCF_SYS_PROMPT;
            if (in && leaves) assert_int_equal(e, XCF_SE_FENCED);
        }
    assert_string_equal(xcf_system_state_name(XCF_SYS_STOPPED), "MONITOR-DETECTED STOP");
    assert_string_equal(xcf_system_event_name(XCF_SE_CLEAN), "CLEAN");
}

static void couple_ranges(void **state) {
    struct couple c;
    UNUSED(state);
    couple_default(&c);
    assert_null(couple_wrong(&c));
    assert_int_equal(couple_opnotify_s(&c), 28);
    c.opnotify_relative = false;
    c.opnotify_s = 10; /* never below INTERVAL */
    assert_int_equal(couple_opnotify_s(&c), 25);
    c.interval_s = 2;
    assert_string_equal(couple_wrong(&c), "INTERVAL");
    c.interval_s = 86401;
    assert_string_equal(couple_wrong(&c), "INTERVAL");
    c.interval_s = 3;
    c.cleanup_s = 4;
    assert_string_equal(couple_wrong(&c), "CLEANUP");
    c.cleanup_s = 5;
    c.retry = 256;
    assert_string_equal(couple_wrong(&c), "RETRY");
    c.retry = 255;
    c.class_def[0].classlen_bytes = 62465;
    assert_string_equal(couple_wrong(&c), "CLASSLEN");
    c.class_def[0].classlen_bytes = 62464;
    assert_null(couple_wrong(&c));
}

static void classes(void **state) {
    struct couple c;
    UNUSED(state);
    couple_default(&c);
    c.classes = 4;
    c.class_def[1] = (struct couple_class){.name = "BIG", .classlen_bytes = 16316, .maxmsg_kb = 100};
    c.class_def[2] =
        (struct couple_class){.name = "TCP", .classlen_bytes = 4028, .groups = 1, .group = {"EZBTCPCS"}};
    c.class_def[3] =
        (struct couple_class){.name = "TCPBIG", .classlen_bytes = 61464, .groups = 1, .group = {"EZBTCPCS"}};
    assert_int_equal(couple_class_for(&c, "SYSGRS", 100), 0);
    assert_int_equal(couple_class_for(&c, "SYSGRS", 957), 1);
    assert_int_equal(couple_class_for(&c, "SYSGRS", 60000), 1); /* none fits: the largest */
    assert_int_equal(couple_class_for(&c, "EZBTCPCS", 1), 2);
    assert_int_equal(couple_class_for(&c, "EZBTCPCS", 4029), 3);
}

static void sfm(void **state) {
    struct couple c;
    UNUSED(state);
    couple_default(&c);
    c.sfm.systems = 2;
    c.sfm.system[0] = (struct couple_sfm_system){.name = "*", .isolate_s = 9, .weight = 5};
    c.sfm.system[1] = (struct couple_sfm_system){.name = "SYSA", .prompt = true, .weight = 50};
    assert_int_equal(couple_sfm_for(&c, "SYSA")->weight, 1); /* not active: built in */
    assert_false(couple_sfm_for(&c, "SYSA")->prompt);
    c.sfm.active = true;
    assert_true(couple_sfm_for(&c, "SYSA")->prompt);
    assert_int_equal(couple_sfm_for(&c, "SYSB")->isolate_s, 9);
    c.sfm.system[0].weight = 0;
    assert_string_equal(couple_wrong(&c), "WEIGHT");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_table), cmocka_unit_test(system_table), cmocka_unit_test(couple_ranges),
        cmocka_unit_test(classes),    cmocka_unit_test(sfm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
