/* test_ports.c - PORT and PORTRANGE rules, job names, ephemeral ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/str.h"
#include "testnet.h"

#include <cmocka.h>

static struct testnet *t;
static struct stack *a;

static int setup(void **state) {
    UNUSED(state);
    t = testnet_create(5);
    a = testnet_stack(t, "TCPIPA", NULL);
    return 0;
}
static int teardown(void **state) {
    UNUSED(state);
    testnet_destroy(t);
    return 0;
}

static void job_names(void **state) {
    static const struct {
        const char *rule, *job;
        bool match;
    } rows[] = {
        {"HTTPD", "HTTPD", true}, {"HTTPD", "httpd", true},  {"HTTPD", "HTTPD1", false},
        {"HTTPD", "HTTP", false}, {"WEB*", "WEBSRV1", true}, {"WEB*", "WEB", true},
        {"WEB*", "WE", false},    {"*", "ANY", true},        {"*", "", true},
        {"OMVS", "ANYJOB", true}, {"A*B", "A*B", true},      {"A*B", "AXB", false},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(port_jobname_matches(rows[i].rule, rows[i].job), rows[i].match);
}

static void rules_that_are_refused(void **state) {
    const struct port_rule base = {.first = 80, .last = 80, .proto = 6, .jobname = "HTTPD"};
    static const struct {
        struct port_rule r;
        int rc;
    } rows[] = {
        {{.first = 80, .last = 80, .proto = 6, .jobname = "HTTPD"}, -ERR_EXIST},
        {{.first = 80, .last = 80, .proto = 6, .jobname = "httpd"}, -ERR_EXIST},
        {{.first = 80, .last = 80, .proto = 6, .jobname = "OTHER"}, 0},
        {{.first = 80, .last = 80, .proto = 17, .jobname = "HTTPD"}, 0},
        {{.first = 80, .last = 80, .proto = 6, .jobname = "HTTPD", .flags = PORT_BIND, .bind = {1}}, 0},
        {{.first = 80, .last = 80, .proto = 6, .flags = PORT_RESERVED}, -ERR_EXIST},
        {{.first = 70, .last = 90, .proto = 6, .jobname = "X", .flags = PORT_RANGE}, -ERR_EXIST},
        {{.first = 81, .last = 90, .proto = 6, .jobname = "X", .flags = PORT_RANGE}, 0},
        {{.first = 85, .last = 85, .proto = 6, .jobname = "Y"}, -ERR_EXIST},
        {{.first = 90, .last = 95, .proto = 6, .jobname = "X", .flags = PORT_RANGE}, -ERR_EXIST},
        {{.first = 0, .last = 0, .proto = 6, .jobname = "X"}, -ERR_INVAL},
        {{.first = 99, .last = 98, .proto = 6, .jobname = "X", .flags = PORT_RANGE}, -ERR_INVAL},
        {{.first = 98, .last = 99, .proto = 6, .jobname = "X"}, -ERR_INVAL},
        {{.first = 98, .last = 98, .proto = 1, .jobname = "X"}, -ERR_INVAL},
        {{.first = 98, .last = 98, .proto = 6}, -ERR_INVAL},
        {{.first = 98, .last = 98, .proto = 17, .jobname = "X", .flags = PORT_SHAREPORT}, -ERR_INVAL},
        {{.first = 98, .last = 98, .proto = 6, .flags = PORT_RESERVED | PORT_BIND}, -ERR_INVAL},
        {{.first = 98, .last = 99, .proto = 6, .jobname = "X", .flags = PORT_RANGE | PORT_BIND}, -ERR_INVAL},
        {{.first = 65535, .last = 65535, .proto = 6, .flags = PORT_RESERVED}, 0},
    };
    UNUSED(state);
    setup(NULL);
    assert_int_equal(port_rule_add(a, &base), 0);
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        int rc = port_rule_add(a, &rows[i].r);
        if (rc != rows[i].rc) print_error("row %u\n", i);
        assert_int_equal(rc, rows[i].rc);
    }
    u32 n = 0;
    for (const struct port_rule *r = NULL; (r = port_rule_next(a, r)); n++) {
    }
    assert_int_equal(n, 6);
    teardown(NULL);
}

static void who_may_bind(void **state) {
    static const struct port_rule rules[] = {
        {.first = 23,
         .last = 23,
         .proto = 6,
         .jobname = "OTELNETD",
         .flags = PORT_BIND,
         .bind = {0x0A010901}},
        {.first = 23,
         .last = 23,
         .proto = 6,
         .jobname = "INTCLIEN",
         .flags = PORT_BIND,
         .bind = {0x0A010902}},
        {.first = 8080, .last = 8080, .proto = 6, .jobname = "WEB*", .flags = PORT_SHAREPORT},
        {.first = 500, .last = 510, .proto = 6, .flags = PORT_RANGE | PORT_RESERVED},
        {.first = 600, .last = 610, .proto = 17, .jobname = "DNS", .flags = PORT_RANGE},
    };
    static const struct {
        u8 proto;
        u16 port;
        const char *job;
        int rc, rule; /* index, -1 = none */
    } rows[] = {
        {6, 23, "OTELNETD", 0, 0},       {6, 23, "INTCLIEN", 0, 1},       {6, 23, "OTHER", -ERR_ACCES, -1},
        {17, 23, "OTHER", 0, -1},        {6, 8080, "WEBSRV1", 0, 2},      {6, 8080, "HTTPD", -ERR_ACCES, -1},
        {6, 500, "ANY", -ERR_ACCES, -1}, {6, 510, "ANY", -ERR_ACCES, -1}, {6, 511, "ANY", 0, -1},
        {6, 499, "ANY", 0, -1},          {17, 605, "DNS", 0, 4},          {17, 605, "ANY", -ERR_ACCES, -1},
        {6, 605, "ANY", 0, -1},          {6, 65535, "ANY", 0, -1},
    };
    const struct port_rule *all[5], *rule, *r = NULL;
    UNUSED(state);
    setup(NULL);
    for (u32 i = 0; i < 5; i++) assert_int_equal(port_rule_add(a, &rules[i]), 0);
    for (u32 i = 0; (r = port_rule_next(a, r)); i++) all[i] = r;
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(port_check(a, rows[i].proto, rows[i].port, rows[i].job, &rule), rows[i].rc);
        assert_ptr_equal(rule, rows[i].rule < 0 ? NULL : all[rows[i].rule]);
    }
    /* RESTRICTLOWPORTS: without a rule nobody binds below 1024. */
    a->conf.tcp.restrict_low_ports = true;
    assert_int_equal(port_check(a, 6, 1023, "ANY", &rule), -ERR_ACCES);
    assert_int_equal(port_check(a, 6, 1024, "ANY", &rule), 0);
    assert_int_equal(port_check(a, 6, 23, "OTELNETD", &rule), 0);
    assert_int_equal(port_check(a, 17, 1023, "ANY", &rule), 0);
    /* DELETE PORT frees the port only when its last rule goes. */
    assert_int_equal(port_rule_del(a, &rules[0]), 0);
    assert_int_equal(port_check(a, 6, 23, "OTELNETD", &rule), -ERR_ACCES);
    assert_int_equal(port_rule_del(a, &rules[1]), 0);
    a->conf.tcp.restrict_low_ports = false;
    assert_int_equal(port_check(a, 6, 23, "OTELNETD", &rule), 0);
    assert_int_equal(port_rule_del(a, &rules[1]), -ERR_NOENT);
    teardown(NULL);
}

static bool use_table(void *ctx, u16 port) {
    return ((const u8 *)ctx)[port];
}

static void ephemeral_ports(void **state) {
    static u8 used[65536];
    u32 distinct = 0, first_half = 0;
    u16 port;
    UNUSED(state);
    setup(NULL);
    const struct port_rule hole = {
        .first = 2000, .last = 2999, .proto = 6, .flags = PORT_RANGE | PORT_RESERVED};
    assert_int_equal(port_rule_add(a, &hole), 0);
    for (u32 i = 0; i < 1000; i++) {
        assert_int_equal(port_ephemeral(a, 6, use_table, used, &port), 0);
        assert_true(port >= 1024 && !(port >= 2000 && port <= 2999));
        distinct += !used[port];
        used[port] = 1;
        first_half += port < 33280;
    }
    assert_int_equal(distinct, 1000);
    assert_in_range(first_half, 400, 600); /* spread over the range, not counted up */
    memset(used, 1, sizeof used);
    assert_int_equal(port_ephemeral(a, 6, use_table, used, &port), -ERR_ADDRINUSE);
    used[40000] = 0;
    assert_int_equal(port_ephemeral(a, 6, use_table, used, &port), 0);
    assert_int_equal(port, 40000);
    used[2500] = 0;
    used[40000] = 1;
    assert_int_equal(port_ephemeral(a, 6, use_table, used, &port), -ERR_ADDRINUSE); /* reserved */
    assert_int_equal(port_ephemeral(a, 17, use_table, used, &port), 0);
    a->conf.udp.ephemeral_first = a->conf.udp.ephemeral_last = 5000;
    used[5000] = 0;
    assert_int_equal(port_ephemeral(a, 17, use_table, used, &port), 0);
    assert_int_equal(port, 5000);
    teardown(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_names),
        cmocka_unit_test(rules_that_are_refused),
        cmocka_unit_test(who_may_bind),
        cmocka_unit_test(ephemeral_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
