/* test_arm.c - Automatic Restart Manager: the table of states, policy values, registration, restarts here and elsewhere, who restarts,
 * order, thresholds and timeouts; then the drill of simarm.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/simxcf.h"
#include "wire/armmsg.h"
#include "xcf/arm.h"
#include "tests/sim/simarm.h"

#include <cmocka.h>

#define SECONDS(n) ((n) * (u64)USEC_PER_SEC)
#define SYSTEMS    4

/* ---- a sysplex whose programs do what the test says ---- */

static struct place {
    struct arm *arm;
    void *storage;
    char started[256]; /* commands, each ended by ';' */
    char said[2048];
    char ready[64]; /* elements whose predecessors are there */
} at[SYSTEMS];
static struct simxcf *plex;
static struct arm_policy policy;

static void on_message(void *ctx, const char *line) {
    struct place *p = ctx;
    u32 n = (u32)strlen(p->said);
    str_fmt(p->said + n, sizeof p->said - n, "%s\n", line);
}
static void on_start(void *ctx, const char *element, const char *text, u64 now) {
    struct place *p = ctx;
    u32 n = (u32)strlen(p->started);
    UNUSED(element);
    UNUSED(now);
    str_fmt(p->started + n, sizeof p->started - n, "%s;", text);
}
static void on_predecessors(void *ctx, const char *element, u64 now) {
    struct place *p = ctx;
    u32 n = (u32)strlen(p->ready);
    UNUSED(now);
    str_fmt(p->ready + n, sizeof p->ready - n, "%s;", element);
}
static void guest_start(void *ctx, struct simxcf *s, u32 i) {
    struct place *p = &at[i];
    const struct arm_env env = {.ctx = p, .message = on_message, .start = on_start, .predecessors = on_predecessors};
    struct arena arena;
    UNUSED(ctx);
    if (!p->storage) p->storage = malloc(arm_bytes(8));
    memset(p->storage, 0xEE, arm_bytes(8));
    arena_init(&arena, p->storage, arm_bytes(8));
    p->started[0] = p->said[0] = p->ready[0] = '\0';
    const struct arm_config c = {.arena = &arena, .x = simxcf_xcf(s, i), .env = &env, .elements = 8};
    p->arm = arm_create(&c, simxcf_local(s, i));
    assert_non_null(p->arm);
    arm_policy(p->arm, &policy, simxcf_local(s, i));
}
static u64 guest_poll(void *ctx, struct simxcf *s, u32 i, u64 now) {
    UNUSED(ctx);
    UNUSED(s);
    return arm_poll(at[i].arm, now);
}
static const struct simxcf_guest guest = {.start = guest_start, .poll = guest_poll};

static int setup(void **state) {
    static const struct simxcf_params p = {.seed = 9, .systems = SYSTEMS, .arbiter = true, .guest = &guest};
    UNUSED(state);
    memset(at, 0, sizeof at);
    arm_policy_default(&policy);
    plex = simxcf_create(&p);
    simxcf_run(plex, SECONDS(4));
    return 0;
}
static int teardown(void **state) {
    UNUSED(state);
    simxcf_destroy(plex);
    for (u32 i = 0; i < SYSTEMS; i++) free(at[i].storage);
    return 0;
}

static u64 now_at(u32 i) { return simxcf_local(plex, i); }
static int reg(u32 i, const char *element, const char *type, const char *text) {
    const struct arm_registration r = {.element = element, .type = type, .job = "JOB", .text = text};
    return arm_register(at[i].arm, &r, now_at(i));
}
static void policy_everywhere(void) {
    for (u32 i = 0; i < SYSTEMS; i++)
        if (simxcf_runs(plex, i)) arm_policy(at[i].arm, &policy, now_at(i));
}
static struct arm_info info(u32 i, const char *element) {
    struct arm_info f = {.state = ARM_NONE};
    for (u32 k = 0; arm_element(at[i].arm, k, &f); k++)
        if (strcmp(f.element, element) == 0) return f;
    return (struct arm_info){.state = ARM_NONE};
}
static void targets(const char *element, const char *a, const char *b) {
    u32 g = policy.groups++;
    str_copy(policy.group[g].name, sizeof policy.group[g].name, "GROUP1");
    str_copy(policy.group[g].target[0], 9, a);
    str_copy(policy.group[g].target[1], 9, b);
    policy.group[g].targets = b[0] ? 2 : 1;
    struct arm_policy_element *e = &policy.element[policy.elements++];
    *e = (struct arm_policy_element){.group = (u8)g, .all_terms = true, .attempts = 3, .attempts_s = 300,
                                     .restart_timeout_s = 10, .ready_timeout_s = 10};
    str_copy(e->name, sizeof e->name, element);
    policy_everywhere();
}

/* ---- values ---- */

static void states(void **state) {
    UNUSED(state);
    assert_int_equal(arm_next(ARM_NONE, ARM_E_REGISTER), ARM_STARTING);
    assert_int_equal(arm_next(ARM_FAILED, ARM_E_REGISTER), ARM_FAILED);
    assert_int_equal(arm_next(ARM_RESTARTING, ARM_E_TIMEOUT), ARM_FAILED);
    for (u32 s = 0; s < ARM_STATES; s++)
        for (u32 e = 0; e < ARM_EVENTS; e++) {
            enum arm_state n = arm_next((enum arm_state)s, (enum arm_event)e);
            assert_true(n < ARM_STATES);
            /* Only a claim that was won starts something again, and what is no more stays so until it registers. */
            if (n == ARM_RESTARTING && s != ARM_RESTARTING) assert_true(s == ARM_FAILED && e == ARM_E_WIN);
            if (s == ARM_NONE && e != ARM_E_REGISTER) assert_int_equal(n, ARM_NONE);
        }
    assert_string_equal(arm_state_name(ARM_RECOVERING), "RECOVERING");
    assert_string_equal(arm_event_name(ARM_E_TIMEOUT), "TIMEOUT");
}

static void policy_values(void **state) {
    struct arm_policy p;
    UNUSED(state);
    arm_policy_default(&p);
    p.elements = 2;
    str_copy(p.element[0].name, 17, "EZA*");
    p.element[0].attempts = 1;
    str_copy(p.element[1].name, 17, "EZAHTTP*");
    p.element[1].attempts = 2;
    assert_int_equal(arm_policy_for(&p, "EZAHTTPD")->attempts, 2); /* the longest name says most */
    assert_int_equal(arm_policy_for(&p, "EZAFTP")->attempts, 1);
    assert_int_equal(arm_policy_for(&p, "OTHER")->attempts, 3);
    p.orders = 2;
    p.order[0].level = 7;
    str_copy(p.order[0].name, 17, "SYSLVL2");
    p.order[0].is_type = true;
    p.order[1].level = 9;
    str_copy(p.order[1].name, 17, "EZAFTP");
    assert_int_equal(arm_policy_level(&p, "EZAFTP", "SYSLVL2"), 9);
    assert_int_equal(arm_policy_level(&p, "X", "SYSLVL2"), 7);
    assert_int_equal(arm_policy_level(&p, "X", "SYSTCPIP"), 1);
    assert_int_equal(arm_policy_level(&p, "X", ""), 2);
}

static void messages(void **state) {
    const struct armmsg m = {.kind = ARMMSG_RECORD, .state = ARM_AVAILABLE, .generation = 3, .element = "SIXTEENCHARS_ABC", .type = "",
                             .job = "HTTPD", .initial = "SYS01", .owner = "SYS02", .owner_incarnation = 77, .text = "S HTTPD"};
    struct armmsg out;
    u8 b[ARMMSG_BYTES];
    UNUSED(state);
    armmsg_emit(b, &m);
    assert_true(armmsg_parse(b, sizeof b, &out));
    assert_memory_equal(&m.element, &out.element, sizeof m.element);
    assert_string_equal(out.text, "S HTTPD");
    assert_true(out.owner_incarnation == 77 && out.generation == 3);
    for (u32 n = 0; n < sizeof b; n++) assert_false(armmsg_parse(b, n, &out));
    static const struct {
        u32 at;
        u8 value;
    } bad[] = {{0, 0}, {0, 7}, {1, 2}, {8, ' '}, {8, 'a'}, {40, 0}, {48, '.'}, {190, 'X'}};
    for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
        u8 was = b[bad[i].at];
        b[bad[i].at] = bad[i].value;
        if (armmsg_parse(b, sizeof b, &out)) fail_msg("taken: %u", i);
        b[bad[i].at] = was;
    }
}

/* ---- registration ---- */

static void registration(void **state) {
    UNUSED(state);
    assert_int_equal(reg(0, "EL1", "SYSLVL2", "S ONE"), 0);
    assert_int_equal(reg(0, "EL1", "SYSLVL2", "S ONE"), -ERR_EXIST);
    assert_int_equal(reg(0, "el1", "", "S ONE"), -ERR_INVAL);
    assert_int_equal(reg(0, "", "", "S ONE"), -ERR_INVAL);
    assert_int_equal(reg(0, "SEVENTEENCHARSABC", "", "S ONE"), -ERR_INVAL);
    assert_int_equal(reg(0, "EL2", "", ""), -ERR_INVAL);
    simxcf_run(plex, SECONDS(1));
    assert_int_equal(info(3, "EL1").state, ARM_STARTING); /* all know */
    assert_string_equal(info(3, "EL1").system, "SYS01");
    assert_int_equal(reg(3, "EL1", "SYSLVL2", "S ONE"), -ERR_EXIST);
    assert_int_equal(arm_ready(at[3].arm, "EL1", now_at(3)), -ERR_NOENT);
    assert_int_equal(arm_ready(at[0].arm, "EL1", now_at(0)), 0);
    simxcf_run(plex, SECONDS(1));
    assert_int_equal(info(2, "EL1").state, ARM_AVAILABLE);
    assert_int_equal(arm_deregister(at[0].arm, "EL1", now_at(0)), 0);
    assert_int_equal(arm_deregister(at[0].arm, "EL1", now_at(0)), -ERR_NOENT);
    simxcf_run(plex, SECONDS(1));
    assert_int_equal(info(2, "EL1").state, ARM_NONE);
    for (u32 i = 0; i < 8; i++) {
        char name[9];
        str_fmt(name, sizeof name, "N%u", i);
        assert_int_equal(reg(0, name, "", "S X"), 0);
    }
    assert_int_equal(reg(0, "N8", "", "S X"), -ERR_NOMEM);
    assert_int_equal(arm_counters(at[0].arm)->drop_table_full, 1);
}

/* One who has just come knows nothing yet, and says so rather than register what may live elsewhere. */
static void a_newcomer_waits(void **state) {
    UNUSED(state);
    reg(0, "EL1", "", "S ONE");
    simxcf_kill(plex, 3, true);
    simxcf_run(plex, SECONDS(10));
    simxcf_start(plex, 3);
    assert_int_equal(reg(3, "EL1", "", "S ONE"), -ERR_AGAIN);
    simxcf_run(plex, SECONDS(4));
    assert_int_equal(reg(3, "EL1", "", "S ONE"), -ERR_EXIST);
    assert_int_equal(reg(3, "EL2", "", "S TWO"), 0);
}

/* ---- restarts ---- */

static void in_place(void **state) {
    UNUSED(state);
    reg(0, "EL1", "", "S ONE");
    arm_ready(at[0].arm, "EL1", now_at(0));
    assert_int_equal(arm_failed(at[0].arm, "EL1", now_at(0)), 0);
    assert_int_equal(arm_failed(at[0].arm, "EL1", now_at(0)), -ERR_NOENT); /* it is being restarted */
    simxcf_run(plex, SECONDS(1));
    assert_string_equal(at[0].started, "S ONE;");
    assert_non_null(strstr(at[0].said, "IXC812I JOBNAME JOB, ELEMENT EL1 FAILED. THE ELEMENT WAS RESTARTED WITH PERSISTENT START TEXT."));
    assert_int_equal(info(1, "EL1").state, ARM_RESTARTING);
    assert_int_equal(reg(0, "EL1", "", "S ONE"), ARM_RESTARTED);
    assert_int_equal(info(0, "EL1").state, ARM_RECOVERING);
    arm_ready(at[0].arm, "EL1", now_at(0));
    simxcf_run(plex, SECONDS(1));
    assert_int_equal(info(2, "EL1").state, ARM_AVAILABLE);
    assert_int_equal(info(2, "EL1").generation, 1);
}

static void elsewhere(void **state) {
    UNUSED(state);
    targets("EL*", "SYS03", "SYS02");
    reg(0, "EL1", "", "S ONE");
    arm_ready(at[0].arm, "EL1", now_at(0));
    simxcf_run(plex, SECONDS(1));
    simxcf_kill(plex, 0, true);
    simxcf_run(plex, SECONDS(1));
    assert_string_equal(at[2].started, "S ONE;");
    assert_string_equal(at[1].started, "");
    assert_string_equal(at[3].started, "");
    assert_int_equal(reg(2, "EL1", "", "S ONE"), ARM_RESTARTED);
    arm_ready(at[2].arm, "EL1", now_at(2));
    simxcf_run(plex, SECONDS(1));
    assert_string_equal(info(3, "EL1").system, "SYS03");
    assert_string_equal(info(3, "EL1").initial, "SYS01");
    /* Its first home comes back: the element stays where it is. The next death moves it on. */
    simxcf_run(plex, SECONDS(8));
    simxcf_start(plex, 0);
    simxcf_run(plex, SECONDS(5));
    assert_int_equal(reg(0, "EL1", "", "S ONE"), -ERR_EXIST);
    simxcf_kill(plex, 2, true);
    simxcf_run(plex, SECONDS(1));
    assert_string_equal(at[1].started, "S ONE;");
    assert_string_equal(at[0].started, "");
}

/* Frozen: nothing is started before the old owner is isolated. */
static void not_before_isolation(void **state) {
    UNUSED(state);
    targets("EL*", "SYS02", "");
    reg(0, "EL1", "", "S ONE");
    simxcf_run(plex, SECONDS(1));
    simxcf_pause(plex, 0, true);
    for (u32 i = 0; i < 12 && !at[1].started[0]; i++) {
        assert_false(simxcf_isolated(plex, 0));
        simxcf_run(plex, SECONDS(1));
    }
    assert_string_equal(at[1].started, "S ONE;");
    assert_true(simxcf_isolated(plex, 0));
}

/* Two die at once, the target among them; and a target dies in the middle of its claim. */
static void targets_die_too(void **state) {
    UNUSED(state);
    targets("EL*", "SYS03", "*");
    reg(0, "EL1", "", "S ONE");
    simxcf_run(plex, SECONDS(1));
    simxcf_kill(plex, 0, true);
    simxcf_kill(plex, 2, true);
    simxcf_run(plex, SECONDS(2));
    assert_int_equal(strlen(at[1].started) + strlen(at[3].started), 6); /* one of them, once */
}

static void no_restart(void **state) {
    UNUSED(state);
    targets("NOBODY", "SYS09", "");
    const struct arm_registration only = {.element = "EL2", .type = "", .job = "JOB", .text = "S TWO", .element_only = true};
    reg(0, "NOBODY", "", "S ONE");
    assert_int_equal(arm_register(at[0].arm, &only, now_at(0)), 0);
    simxcf_run(plex, SECONDS(1));
    simxcf_kill(plex, 0, true);
    simxcf_run(plex, SECONDS(2));
    assert_non_null(strstr(at[1].said, "IXC804I JOBNAME JOB, ELEMENT NOBODY WAS NOT RESTARTED. NO TARGET SYSTEM IS ACTIVE."));
    assert_non_null(strstr(at[1].said, "IXC804I JOBNAME JOB, ELEMENT EL2 WAS NOT RESTARTED. TERMTYPE IS ELEMTERM, CROSS-SYSTEM RESTARTS PROHIBITED."));
    assert_string_equal(at[2].said, ""); /* one says it */
    for (u32 i = 1; i < SYSTEMS; i++) {
        assert_int_equal(info(i, "EL2").state, ARM_NONE);
        assert_string_equal(at[i].started, "");
    }
    for (u32 i = 1; i < SYSTEMS; i++) arm_policy(at[i].arm, NULL, now_at(i));
    assert_null(arm_policy_active(at[1].arm));
    reg(1, "EL3", "", "S THREE");
    arm_failed(at[1].arm, "EL3", now_at(1));
    assert_non_null(strstr(at[1].said, "ELEMENT EL3 WAS NOT RESTARTED. RESTARTS ARE NOT ENABLED."));
}

static void thresholds(void **state) {
    UNUSED(state);
    targets("EL*", "*", "");
    reg(0, "EL1", "", "S ONE");
    for (u32 i = 0; i < 3; i++) {
        arm_failed(at[0].arm, "EL1", now_at(0));
        simxcf_run(plex, SECONDS(1));
        assert_int_equal(reg(0, "EL1", "", "S ONE"), ARM_RESTARTED);
    }
    arm_failed(at[0].arm, "EL1", now_at(0));
    assert_non_null(strstr(at[0].said, "ELEMENT EL1 WAS NOT RESTARTED. THE RESTART ATTEMPTS THRESHOLD HAS BEEN REACHED."));
    simxcf_run(plex, SECONDS(1));
    assert_string_equal(at[0].started, "S ONE;S ONE;S ONE;");
    assert_int_equal(info(3, "EL1").state, ARM_NONE);
    assert_int_equal(reg(0, "EL1", "", "S ONE"), 0); /* the operator starts it: a new element */
}

static void timeouts(void **state) {
    UNUSED(state);
    targets("EL*", "*", "");
    reg(0, "EL1", "", "S ONE");
    simxcf_run(plex, SECONDS(12));
    assert_int_equal(info(0, "EL1").state, ARM_AVAILABLE); /* READY_TIMEOUT: it may have forgotten to say so */
    arm_failed(at[0].arm, "EL1", now_at(0));
    simxcf_run(plex, SECONDS(12));
    assert_non_null(strstr(at[0].said, "ELEMENT EL1 WAS NOT RESTARTED. IT DID NOT REGISTER WITHIN ITS RESTART TIMEOUT."));
    assert_int_equal(info(1, "EL1").state, ARM_NONE);
}

/* A restart group goes to one system, lower levels first; who waits for its predecessors is told. Override text for SYSTERM. */
static void order(void **state) {
    UNUSED(state);
    targets("EL*", "*", "");
    policy.element[0].text_for = ARM_SYSTERM;
    str_copy(policy.element[0].text, sizeof policy.element[0].text, "S OVERRIDE");
    targets("APP*", "*", "");
    policy.element[1].group = policy.element[0].group;
    policy_everywhere();
    reg(0, "APP1", "SYSLVL3", "S APP");
    reg(0, "EL1", "SYSLVL1", "S ONE");
    simxcf_run(plex, SECONDS(1));
    simxcf_kill(plex, 0, true);
    simxcf_run(plex, SECONDS(1));
    u32 on = 1;
    while (on < SYSTEMS && !at[on].started[0]) on++;
    assert_in_range(on, 1, SYSTEMS - 1);
    assert_string_equal(at[on].started, "S OVERRIDE;S APP;");
    assert_non_null(strstr(at[on].said, "ELEMENT EL1 FAILED. THE ELEMENT WAS RESTARTED WITH OVERRIDE START TEXT."));
    assert_int_equal(reg(on, "APP1", "SYSLVL3", "S APP"), ARM_RESTARTED);
    assert_int_equal(arm_wait_predecessor(at[on].arm, "APP1", now_at(on)), -ERR_AGAIN);
    assert_int_equal(reg(on, "EL1", "SYSLVL1", "S ONE"), ARM_RESTARTED);
    assert_int_equal(arm_wait_predecessor(at[on].arm, "EL1", now_at(on)), 0);
    assert_string_equal(at[on].ready, "");
    arm_ready(at[on].arm, "EL1", now_at(on));
    assert_string_equal(at[on].ready, "APP1;");
    assert_int_equal(arm_wait_predecessor(at[on].arm, "APP1", now_at(on)), 0);
    assert_int_equal(arm_wait_predecessor(at[on].arm, "NONE", now_at(on)), -ERR_NOENT);
}

/* Two systems register one name before they know of each other: one keeps it. */
static void same_name(void **state) {
    UNUSED(state);
    assert_int_equal(reg(1, "EL1", "", "S ONE"), 0);
    assert_int_equal(reg(3, "EL1", "", "S ONE"), 0);
    simxcf_run(plex, SECONDS(1));
    for (u32 i = 0; i < SYSTEMS; i++) assert_string_equal(info(i, "EL1").system, "SYS02");
    assert_non_null(strstr(at[3].said, "ANOTHER SYSTEM HAS REGISTERED THE ELEMENT."));
    assert_int_equal(arm_counters(at[3].arm)->conflicts, 1);
}

/* ---- the drill ---- */

static void drill(void **state) {
    u32 restarts = 0;
    UNUSED(state);
    for (u64 seed = 7000; seed < 7012; seed++) restarts += simarm_random(seed, 0).restarts;
    assert_true(restarts > 50);
    struct simxcf_result a = simarm_random(70, 4), b = simarm_random(70, 4);
    assert_int_equal(a.digest, b.digest);
    assert_int_equal(a.restarts, b.restarts);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states), cmocka_unit_test(policy_values), cmocka_unit_test(messages), T(registration), T(a_newcomer_waits),
        T(in_place),  T(elsewhere), T(not_before_isolation), T(targets_die_too), T(no_restart), T(thresholds),
        T(timeouts),  T(order),     T(same_name),            cmocka_unit_test(drill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
