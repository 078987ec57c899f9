/* test_armas.c - ARM in an image: S proc,ARMELEM=, D XCF,ARMSTATUS, the policy, and a START that comes from another system's death.
 *
 * The image is SYS01 of a simulated sysplex of three; the other two have an arm of their own without programs.
 */
#include "tests/sim/simxcf.h"
#include "tests/unit/sysfix.h"

#include "super/armas.h"
#include "super/dxcf.h"

static struct simxcf *plex;
static struct xcf_operator side;
static struct arm *other[3];
static void *storage[3];
static bool here_started;

static void no_start(void *ctx, const char *element, const char *text, u64 now) {
    UNUSED(ctx);
    UNUSED(element);
    UNUSED(text);
    UNUSED(now);
}
static void guest_start(void *ctx, struct simxcf *s, u32 i) {
    const struct arm_env env = {.start = no_start};
    struct arena arena;
    UNUSED(ctx);
    if (i == 0) return; /* the image's own */
    if (!storage[i]) storage[i] = malloc(arm_bytes(16));
    arena_init(&arena, storage[i], arm_bytes(16));
    const struct arm_config c = {.arena = &arena, .x = simxcf_xcf(s, i), .env = &env, .elements = 16};
    other[i] = arm_create(&c, simxcf_local(s, i));
    assert_non_null(other[i]);
}
static u64 guest_poll(void *ctx, struct simxcf *s, u32 i, u64 now) {
    UNUSED(ctx);
    UNUSED(s);
    if (i) return arm_poll(other[i], now);
    if (!here_started) return TIME_NEVER;
    fix.now = now;
    return u64_min(armas_poll(&fix.sys, now), now + USEC_PER_SEC);
}
static const struct simxcf_guest guest = {.start = guest_start, .poll = guest_poll};

static int setup(void **state) {
    static const struct simxcf_params p = {.seed = 4, .systems = 3, .arbiter = true, .guest = &guest};
    UNUSED(state);
    memset(storage, 0, sizeof storage);
    here_started = false;
    fix_begin();
    memds_set("SYS1.IPLPARM(LOAD00)", "SYSPLEX  PLEX1\nIEASYM   00\n");
    memds_set("SYS1.PARMLIB(IEASYM00)", "SYSDEF SYSNAME(SYS01) SYSCLONE(01)\n");
    memds_set("SYS1.PARMLIB(COMMND00)", "COM='S TCPIP'\n");
    memds_set("SYS1.PARMLIB(ARMPOL1)", "DATA TYPE(ARM)\nDEFINE POLICY NAME(ARMPOL1)\nRESTART_GROUP(WEB) TARGET_SYSTEM(SYS01)\nELEMENT(EZA*)\n");
    memds_set("SYS1.PARMLIB(ARMBAD)", "DEFINE POLICY NAME(ARMBAD)\nELEMENT(X)\n");
    memds_set("TCPIP.TCPPARMS(PROFILE)", "DEVICE V1 VIRTUAL 0 LINK VL1 VIRTUAL 0 V1 HOME 10.1.9.1 VL1");
    memds_set("TCPIP.HTTPD.WEB(INDEX)", "<html></html>\n");
    assert_int_equal(fix_ipl(), 0);
    plex = simxcf_create(&p);
    side = (struct xcf_operator){.x = simxcf_xcf(plex, 0)};
    fix.sys.xcf_operator = &side;
    fix.now = simxcf_local(plex, 0);
    armas_create(&fix.sys, fix.now);
    assert_non_null(armas_arm(&fix.sys));
    here_started = true;
    assert_int_equal(system_start(&fix.sys, fix.now), 0);
    return 0;
}
static int teardown(void **state) {
    UNUSED(state);
    here_started = false;
    fix.sys.xcf_operator = NULL;
    fix.sys.armas = NULL;
    simxcf_destroy(plex);
    for (u32 i = 0; i < 3; i++) free(storage[i]);
    fix_end();
    return 0;
}
static void pass(u64 seconds) {
    fix.mark = fix.len;
    simxcf_run(plex, seconds * USEC_PER_SEC);
}
static enum arm_state state_at(const struct arm *a, const char *element, char system[9]) {
    struct arm_info e;
    for (u32 i = 0; arm_element(a, i, &e); i++) {
        if (strcmp(e.element, element) != 0) continue;
        memcpy(system, e.system, 9);
        return e.state;
    }
    return ARM_NONE;
}

/* A START at IPL waits until it is known who is there; then all know of the element; P ends it. */
static void element(void **state) {
    struct tcpip *ip = system_stack(&fix.sys, "");
    char system[9];
    UNUSED(state);
    assert_true(fix_cmd("S HTTPD,ARMELEM=EZAHTTPD"));
    FIX_NOT_SAID("STARTED");
    assert_null(program_find(ip, "HTTPD"));
    pass(6);
    FIX_SAID("IEF403I HTTPD - STARTED");
    assert_non_null(program_find(ip, "HTTPD"));
    assert_int_equal(state_at(other[2], "EZAHTTPD", system), ARM_AVAILABLE);
    assert_string_equal(system, "SYS01");
    assert_true(fix_cmd("D XCF,ARMSTATUS,DETAIL"));
    FIX_SAID("IXC392I 15.37.51 DISPLAY XCF");
    FIX_SAID("ARM RESTARTS ARE NOT ENABLED\n");
    FIX_SAID("       0         1      0          0          0           1    128\n");
    FIX_SAID("RESTART GROUP:DEFAULT\n ELEMENT NAME :EZAHTTPD         JOBNAME  :HTTPD    STATE   :AVAILABLE\n"
             " CURR SYS :SYS01    JOBTYPE  :STC  TERMTYPE:ALLTERM\n INIT SYS :SYS01    ELEMTYPE:SYSLVL2  LEVEL :    2\n"
             " TOTAL RESTARTS :    0  INITIAL START:");
    FIX_SAID(" START TEXT :S HTTPD,ARMELEM=EZAHTTPD\n");
    assert_false(fix_cmd("S HTTPD,JOBNAME=WEB2,ARMELEM=EZAHTTPD"));
    FIX_SAID("PLX0303E ELEMENT EZAHTTPD: IT IS ACTIVE, HERE OR ON ANOTHER SYSTEM");
    assert_false(fix_cmd("S HTTPD,JOBNAME=WEB2,ARMELEM=no.name"));
    FIX_SAID("IT IS NOT THE NAME OF AN ELEMENT");
    assert_false(fix_cmd("S NOPROC,ARMELEM=EZANO"));
    assert_int_equal(state_at(armas_arm(&fix.sys), "EZANO", system), ARM_NONE);
    assert_true(fix_cmd("P HTTPD"));
    pass(3);
    assert_int_equal(state_at(other[2], "EZAHTTPD", system), ARM_NONE);
}

static void taken_over(void **state) {
    struct tcpip *ip = system_stack(&fix.sys, "");
    char system[9];
    UNUSED(state);
    pass(4);
    fix_cmd("SETXCF START,POLICY,TYPE=ARM,POLNAME=ARMPOL1");
    FIX_SAID("IXC511I START ADMINISTRATIVE POLICY ARMPOL1 FOR ARM ACCEPTED");
    fix_cmd("D XCF,POL,TYPE=ARM");
    FIX_SAID("TYPE: ARM\n     POLNAME:       ARMPOL1\n");
    for (u32 i = 1; i < 3; i++) {
        struct arm_policy p;
        arm_policy_default(&p);
        str_copy(p.group[0].target[0], 9, "SYS01");
        arm_policy(other[i], &p, simxcf_local(plex, i));
    }
    const struct arm_registration r = {.element = "EZAWEB", .type = "", .job = "WEB9", .text = "S HTTPD,JOBNAME=WEB9,PARM='PORT=8099',ARMELEM=EZAWEB"};
    assert_int_equal(arm_register(other[2], &r, simxcf_local(plex, 2)), 0);
    arm_ready(other[2], "EZAWEB", simxcf_local(plex, 2));
    pass(1);
    assert_false(fix_cmd(r.text)); /* it is active on SYS03 */
    simxcf_kill(plex, 2, true);
    pass(3);
    FIX_SAID("IXC812I JOBNAME WEB9, ELEMENT EZAWEB FAILED. THE ELEMENT WAS RESTARTED WITH PERSISTENT START TEXT.");
    FIX_SAID("IEF403I WEB9 - STARTED");
    assert_non_null(program_find(ip, "WEB9"));
    assert_int_equal(state_at(other[1], "EZAWEB", system), ARM_AVAILABLE);
    assert_string_equal(system, "SYS01");
    fix_cmd("D XCF,ARMS,ELEMENT=EZAWEB");
    FIX_SAID(" TOTAL RESTARTS :    1 ");
    FIX_SAID("RESTART GROUP:WEB\n");
    fix_cmd("SETXCF STOP,POLICY,TYPE=ARM");
    FIX_SAID("IXC511I STOP ADMINISTRATIVE POLICY ARMPOL1 FOR ARM ACCEPTED");
}

/* CANCEL ends an element; with ARMRESTART it is a failure, and the program is started again here. */
static void cancelled(void **state) {
    struct tcpip *ip = system_stack(&fix.sys, "");
    char system[9];
    UNUSED(state);
    pass(4);
    fix_cmd("SETXCF START,POLICY,TYPE=ARM,POLNAME=ARMPOL1");
    assert_true(fix_cmd("S HTTPD,ARMELEM=EZAHTTPD"));
    pass(2);
    assert_true(fix_cmd("C HTTPD,ARMRESTART"));
    FIX_SAID("IEE301I HTTPD CANCEL COMMAND ACCEPTED");
    FIX_SAID("IEF404I HTTPD - ENDED");
    pass(2);
    FIX_SAID("IXC812I JOBNAME HTTPD, ELEMENT EZAHTTPD FAILED. THE ELEMENT WAS RESTARTED WITH PERSISTENT START TEXT.");
    assert_non_null(program_find(ip, "HTTPD"));
    assert_int_equal(state_at(other[2], "EZAHTTPD", system), ARM_AVAILABLE);
    assert_string_equal(system, "SYS01");
    assert_true(fix_cmd("CANCEL HTTPD"));
    pass(3);
    FIX_NOT_SAID("IXC812I");
    assert_int_equal(state_at(other[2], "EZAHTTPD", system), ARM_NONE);
    assert_false(fix_cmd("C HTTPD"));
    FIX_SAID("IEE341I HTTPD NOT ACTIVE");
    assert_false(fix_cmd("C HTTPD,DUMP"));
    FIX_SAID("ARMRESTART");
}

static int address_calls;
static int address_not_yet(void *ctx, struct sock *s, struct ipaddr addr, u64 now) {
    UNUSED(ctx);
    UNUSED(s);
    UNUSED(addr);
    UNUSED(now);
    return ++address_calls < 4 ? -ERR_AGAIN : -ERR_ADDRNOTAVAIL;
}

/* A restarted server whose dynamic VIPA is not to be had yet keeps its element and comes again each second. */
static void waits_for_its_address(void **state) {
    struct tcpip *ip = system_stack(&fix.sys, "");
    char system[9];
    UNUSED(state);
    pass(4);
    memds_set("T.O", "PORT 8070 TCP WEBV BIND 10.1.9.66");
    assert_true(fix_cmd("V TCPIP,,OBEYFILE,T.O"));
    address_calls = 0;
    stack_hooks(ip->stk)->bind_absent = address_not_yet;
    assert_true(fix_cmd("S HTTPD,JOBNAME=WEBV,PARM='PORT=8070',ARMELEM=EZAWEBV"));
    pass(2);
    assert_int_equal(state_at(other[2], "EZAWEBV", system), ARM_STARTING);
    assert_null(program_find(ip, "WEBV"));
    pass(4);
    assert_int_equal(address_calls, 4); /* once a second, and no more when the answer is no */
    FIX_SAID("PLX0121E PROCEDURE HTTPD CANNOT BE STARTED AS WEBV");
    assert_int_equal(state_at(other[2], "EZAWEBV", system), ARM_NONE);
    stack_hooks(ip->stk)->bind_absent = NULL;
}

static void refused(void **state) {
    UNUSED(state);
    assert_false(fix_cmd("SETXCF START,POLICY,TYPE=ARM,POLNAME=NONE"));
    FIX_SAID("IXC514I POLICY NONE FOR ARM WAS NOT STARTED: IT IS NOT IN PARMLIB");
    assert_false(fix_cmd("SETXCF START,POLICY,TYPE=ARM,POLNAME=ARMBAD"));
    FIX_SAID("PLX0101E ARMBAD LINE 2: ELEMENT WAS FOUND AND RESTART_GROUP(NAME) WAS EXPECTED");
    assert_false(fix_cmd("D XCF,ARMS,WHAT"));
    FIX_SAID("DETAIL OR ELEMENT=");
    for (u32 i = 0; i < ARMAS_WAITING_MAX; i++) {
        char text[40];
        str_fmt(text, sizeof text, "S HTTPD,ARMELEM=E%u", i);
        assert_true(fix_cmd(text));
    }
    assert_false(fix_cmd("S HTTPD,ARMELEM=EZAMORE"));
    FIX_SAID("TOO MANY ELEMENTS WAIT FOR THE OTHER SYSTEMS");
    struct armas *was = fix.sys.armas;
    fix.sys.armas = NULL;
    assert_false(fix_cmd("S HTTPD,ARMELEM=EZAMORE"));
    FIX_SAID("THERE IS NO AUTOMATIC RESTART MANAGER ON THIS SYSTEM");
    assert_false(fix_cmd("D XCF,ARMS"));
    assert_false(fix_cmd("SETXCF START,POLICY,TYPE=ARM,POLNAME=ARMPOL1"));
    fix.sys.armas = was;
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(element), T(taken_over), T(cancelled), T(waits_for_its_address), T(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
