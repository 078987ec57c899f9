/* test_otelnetd.c - OTELNETD over a wire: lines, logon, options, messages, slow clients; and two servers on one port number
 * under two addresses (Server Bind Control). */
#include "apps/app.h"
#include "base/str.h"
#include "net/ports.h"
#include "net/route.h"
#include "net/sock.h"
#include "super/console.h"
#include "tests/unit/testnet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/memds.h"

#define ARENA_BYTES (16u << 20)
#define HEARD_MAX   200000

static struct {
    struct testnet *net;
    struct stack *server, *clients;
    struct link *wire;
    struct console con;
    struct console_sink sink;
    struct arena arena;
    struct app_env env;
    void *storage, *inst;
    const struct app *app;
    char said[4000], commands[2000], replied[4000];
    u32 answer_lines;
} rig;

static void append(char *to, size_t cap, const char *text) {
    size_t len = strlen(to);
    snprintf(to + len, cap - len, "%s\n", text);
}
static void said(void *ctx, const char *text) {
    (void)ctx;
    append(rig.said, sizeof rig.said, text);
}
static void replied(void *ctx, const char *text) {
    (void)ctx;
    append(rig.replied, sizeof rig.replied, text);
}
static void command(void *ctx, const char *line, const struct reply *reply, u64 now) {
    (void)ctx;
    append(rig.commands, sizeof rig.commands, line);
    if (strcmp(line, "P OTELNETD") == 0) {
        rig.app->stop(rig.inst, now);
        rig.inst = NULL;
    }
    for (u32 i = 0; i < rig.answer_lines; i++) reply_line(reply, "ANSWER %u TO %s", i + 1, line);
}

static void rig_open(const char *parm) {
    static const struct testnet_fault good = {.delay_usec = 100};
    memset(&rig, 0, sizeof rig);
    rig.net = testnet_create(12);
    rig.server = testnet_stack(rig.net, "TCPIP", NULL);
    rig.clients = testnet_stack(rig.net, "TCPIPC", NULL);
    rig.wire = testnet_link(rig.net, rig.clients, "LC", "10.0.0.2", "255.255.255.0", LINK_CAP_ARP);
    testnet_join(rig.net, testnet_link(rig.net, rig.server, "LS", "10.0.0.1", "255.255.255.0", LINK_CAP_ARP), rig.wire, &good);
    rig.storage = malloc(ARENA_BYTES);
    arena_init(&rig.arena, rig.storage, ARENA_BYTES);
    console_init(&rig.con);
    console_on_command(&rig.con, command, NULL);
    rig.sink = (struct console_sink){.line = said};
    console_attach(&rig.con, &rig.sink);
    memds_set("TCPIP.TCPPARMS(USERS)", "IBMUSER SYS1 OPERATOR\nGUEST GUEST READ\n");
    rig.env = (struct app_env){.stk = rig.server, .ds = (struct datasets *)(void *)&rig, .con = &rig.con, .sysname = "SYSA",
                               .stackname = "TCPIP", .arena = &rig.arena, .ipl_time = rig.net->now};
    rig.answer_lines = 2;
    rig.app = app_find("OTELNETD");
    testnet_poll(rig.net);
    assert_int_equal(rig.app->start(&rig.env, "OTELNETD", parm, rig.net->now, &rig.inst), 0);
}
static void rig_close(void) {
    if (rig.inst) rig.app->stop(rig.inst, rig.net->now);
    testnet_run(rig.net, USEC_PER_SEC);
    testnet_destroy(rig.net);
    free(rig.storage);
    memds_clear();
    assert_int_equal(memds_open, 0);
}

struct user {
    struct sock *s;
    bool closed, deaf;
    u32 len;
    char heard[HEARD_MAX];
};
static struct user u[3];

static void settle(u32 n, u32 rounds) {
    for (u32 k = 0; k < rounds; k++) {
        testnet_run(rig.net, 5000);
        console_poll(&rig.con, rig.net->now);
        for (u32 i = 0; i < n; i++) {
            i32 got = -ERR_AGAIN;
            while (!u[i].closed && !u[i].deaf &&
                   (got = sock_recv(u[i].s, u[i].heard + u[i].len, HEARD_MAX - 1 - u[i].len, rig.net->now)) > 0)
                u[i].len += (u32)got;
            u[i].heard[u[i].len] = 0;
            /* As a client does: closed by the other end, so it closes, too. */
            if (got == 0) u[i].closed = true, sock_close(u[i].s, rig.net->now);
        }
    }
}
static void tell_bytes(u32 i, const void *p, u32 n) {
    i32 sent = sock_send(u[i].s, p, n, rig.net->now);
    assert_int_equal(sent, n);
    settle(3, 10);
}
static void tell(u32 i, const char *text) { tell_bytes(i, text, (u32)strlen(text)); }
static void dial(u32 i, const char *addr) {
    u[i].closed = u[i].deaf = false;
    u[i].len = 0;
    assert_int_equal(sock_open(rig.clients, SOCK_TCP, "TELNET", &u[i].s), 0);
    sock_setopt(u[i].s, SO_NODELAY, 1, rig.net->now);
    assert_int_equal(sock_connect(u[i].s, testnet_ip(addr), 23, rig.net->now), -ERR_INPROGRESS);
    settle(i + 1, 10);
}
static void hang_up(u32 i) {
    sock_close(u[i].s, rig.net->now);
    u[i].closed = true;
    settle(0, 10);
}
static void nobody(void) {
    for (u32 i = 0; i < 3; i++) u[i].closed = true;
}
static bool heard(u32 i, const char *text) { return memmem(u[i].heard, u[i].len, text, strlen(text)) != NULL; }
static void log_on(u32 i) {
    dial(i, "10.0.0.1");
    tell(i, "ibmuser\r\n");
    tell(i, "sys1\r\n");
    assert_true(heard(i, "PLX0440I OTELNETD ON SYSTEM SYSA, USER IBMUSER"));
    u[i].len = 0;
}

static void lines_and_answers(void **state) {
    (void)state;
    nobody();
    rig_open("");
    log_on(0);
    log_on(1);
    console_message(&rig.con, "EZZ4313I INITIALIZATION COMPLETE FOR DEVICE OSA1");
    settle(2, 10);
    assert_true(heard(0, "EZZ4313I INIT") && heard(1, "EZZ4313I INIT"));
    /* Its answer is its own; each way to end a line; correction; a line in pieces. */
    static const char *const ways[] = {"D A\r\n", "D A\r", "D A\n", "D X\bA\r\n", "D X\x7F""A\n", "P X\xFF\xF8""D A\r\n", "D B\xFF\xF7""A\n"};
    for (u32 i = 0; i < ARRAY_LEN(ways); i++) {
        rig.commands[0] = 0;
        u[0].len = u[1].len = 0;
        for (const char *p = ways[i]; *p; p++) tell_bytes(0, p, 1);
        assert_string_equal(rig.commands, "D A\n");
        assert_true(heard(0, "ANSWER 1 TO D A\r\nANSWER 2 TO D A\r\n"));
        assert_false(heard(1, "ANSWER"));
    }
    tell_bytes(0, "D NUL\r\0D NEXT\r\0", 15);
    assert_string_equal(rig.commands, "D A\nD NUL\nD NEXT\n");
    /* Several at once are carried out one after another, each after the answer to the one before it. */
    rig.commands[0] = 0;
    tell(0, "D 1\r\nD 2\r\n\r\nD 3\r\n");
    assert_string_equal(rig.commands, "D 1\nD 2\nD 3\n");
    assert_true(heard(0, "2 TO D 1\r\nANSWER 1 TO D 2\r\nANSWER 2 TO D 2\r\nANSWER 1 TO D 3"));
    /* A script closes behind its commands and still gets the answers. */
    log_on(2);
    assert_int_equal(sock_send(u[2].s, "D LAST\nD ALL\n", 13, rig.net->now), 13);
    sock_shutdown_send(u[2].s, rig.net->now);
    settle(3, 20);
    assert_true(u[2].closed && heard(2, "ANSWER 2 TO D LAST\r\nANSWER 1 TO D ALL\r\nANSWER 2 TO D ALL\r\n"));
    char big[200];
    memset(big, 'X', 198);
    memcpy(big + 198, "\n", 2);
    tell(0, big);
    assert_true(heard(0, "PLX0442E"));
    tell(0, "\xFF\xF6"); /* AYT */
    assert_true(heard(0, "SYSA\r\n"));
    tell(0, "logoff\r\n");
    assert_true(u[0].closed && heard(0, "PLX0443I SESSION ENDED"));
    tell_bytes(1, "\x04", 1);
    assert_true(u[1].closed);
    rig_close();
}

static void logon_and_options(void **state) {
    (void)state;
    nobody();
    rig_open("SESSIONS=2");
    dial(0, "10.0.0.1");
    assert_true(heard(0, "EZYTE27I login: "));
    assert_int_equal((u8)u[0].heard[0], 'E'); /* nothing is asked of a client that may be nc */
    tell(0, "ibmuser\r\n");
    assert_true(heard(0, "\xFF\xFB\x01""EZYTE28I ibmuser Password: ")); /* WILL ECHO */
    u[0].len = 0;
    tell_bytes(0, "\xFF\xFD\x01", 3);
    tell(0, "sys1\r\n");
    assert_true(heard(0, "\xFF\xFC\x01\r\n")); /* WONT ECHO */
    assert_false(heard(0, "sys1"));
    tell_bytes(0, "\xFF\xFE\x01", 3);
    u[0].len = 0;
    /* NAWS, LINEMODE, NEW-ENVIRON, TTYPE offered; STATUS, ECHO wanted: refused, once each. SGA may be. */
    tell_bytes(0, "\xFF\xFB\x1F\xFF\xFB\x22\xFF\xFB\x27\xFF\xFB\x18\xFF\xFD\x05\xFF\xFD\x01\xFF\xFD\x03", 21);
    assert_int_equal(u[0].len, 21);
    assert_memory_equal(u[0].heard, "\xFF\xFE\x1F\xFF\xFE\x22\xFF\xFE\x27\xFF\xFE\x18\xFF\xFC\x05\xFF\xFC\x01\xFF\xFB\x03", 21);
    tell_bytes(0, "\xFF\xFD\x03", 3);
    assert_int_equal(u[0].len, 21);
    hang_up(0);
    /* Three wrong answers. */
    dial(0, "10.0.0.1");
    for (u32 i = 0; i < 3; i++) {
        assert_false(u[0].closed);
        tell(0, "root\r\nsecret\r\n");
    }
    assert_true(u[0].closed);
    assert_non_null(strstr(rig.said, "PLX0424W OTELNETD: 3 WRONG PASSWORDS FOR root FROM 10.0.0.2"));
    assert_string_equal(rig.commands, "");
    /* READ. */
    dial(0, "10.0.0.1");
    tell(0, "guest\r\nguest\r\nP TCPIP\r\n #1 P TCPIP\r\nD T\r\n");
    assert_string_equal(rig.commands, "D T\n");
    assert_true(heard(0, "PLX0422E"));
    /* All in use; then nobody logs on in time. */
    dial(1, "10.0.0.1");
    dial(2, "10.0.0.1");
    assert_true(u[2].closed && heard(2, "PLX0425E"));
    for (u32 i = 0; i < 125; i++) testnet_run(rig.net, USEC_PER_SEC), settle(2, 1);
    assert_true(u[1].closed && !u[0].closed);
    for (u32 i = 0; i < 1700; i++) testnet_run(rig.net, USEC_PER_SEC), settle(1, 1);
    assert_true(u[0].closed && heard(0, "PLX0444I"));
    rig_close();
}

/* A client that stops reading loses lines and is told how many; the others and the console lose nothing. */
static void slow_client(void **state) {
    (void)state;
    nobody();
    rig_open("");
    log_on(0);
    log_on(1);
    u[0].deaf = true;
    for (u32 i = 0; i < 4000; i++) {
        console_message(&rig.con, "PLX0000I MESSAGE NUMBER %u OF MANY THAT FILL WHAT THERE IS TO BE FILLED", i);
        if (i % 50 == 0) settle(2, 1);
        if (i % 1000 == 999) u[1].len = 0;
    }
    settle(2, 20);
    u[0].deaf = false;
    settle(2, 100);
    console_message(&rig.con, "PLX0000I LATER");
    settle(2, 20);
    assert_true(heard(0, "MESSAGE NUMBER 0 OF"));
    char *note = memmem(u[0].heard, u[0].len, "PLX0441W ", 9);
    assert_non_null(note);
    u32 lost = (u32)strtoul(note + 9, NULL, 10), lines = 0;
    for (u32 i = 0; i + 8 < u[0].len; i++) lines += memcmp(u[0].heard + i, "NUMBER ", 7) == 0;
    assert_true(lost > 100);
    assert_int_equal(lines + lost, 4000);
    assert_true(heard(0, "PLX0000I LATER\r\n") && heard(1, "PLX0000I LATER\r\n"));
    static const struct reply to = {.line = replied};
    assert_true(rig.app->modify(rig.inst, "DISPLAY", &to, rig.net->now));
    assert_non_null(strstr(rig.replied, "2 OF 8 SESSIONS"));
    assert_false(rig.app->modify(rig.inst, "SING", &to, rig.net->now));
    /* The server is ended by one of its own sessions. */
    tell(1, "P OTELNETD\r\n");
    assert_null(rig.inst);
    settle(2, 20);
    assert_true(u[0].closed && u[1].closed);
    rig_close();
}

/* PORT ... BIND: two servers that bind to any address share a number; each is what its address says it is. */
static void two_servers_on_one_port(void **state) {
    struct route_def way = {.dest = testnet_ip("10.0.9.1"), .prefix_bits = 32, .gateway = testnet_ip("10.0.0.1")};
    struct port_rule rule = {.first = 23, .last = 23, .proto = IP_PROTO_TCP, .flags = PORT_BIND};
    const struct app *tn = app_find("TN3270");
    void *displays, *again;
    (void)state;
    nobody();
    rig_open("PORT=2323");
    rig.app->stop(rig.inst, rig.net->now);
    rig.inst = NULL;
    testnet_link(rig.net, rig.server, "LS2", "10.0.9.1", "255.255.255.0", LINK_CAP_ARP);
    way.lnk = rig.wire;
    assert_int_equal(route_add(rig.clients, &way, rig.net->now), 0);
    str_copy(rule.jobname, sizeof rule.jobname, "OTELNETD");
    rule.bind = testnet_ip("10.0.0.1");
    assert_int_equal(port_rule_add(rig.server, &rule), 0);
    str_copy(rule.jobname, sizeof rule.jobname, "INTCLIEN");
    rule.bind = testnet_ip("10.0.9.1");
    assert_int_equal(port_rule_add(rig.server, &rule), 0);
    assert_int_equal(rig.app->start(&rig.env, "OTELNETD", "", rig.net->now, &rig.inst), 0);
    assert_int_equal(tn->start(&rig.env, "INTCLIEN", "SESSIONS=4", rig.net->now, &displays), 0);
    assert_int_equal(tn->start(&rig.env, "OTHER", "SESSIONS=4", rig.net->now, &again), -ERR_ACCES);
    dial(0, "10.0.0.1");
    assert_true(heard(0, "EZYTE27I login: "));
    dial(1, "10.0.9.1");
    assert_memory_equal(u[1].heard, "\xFF\xFD\x28", 3); /* DO TN3270E */
    hang_up(0);
    hang_up(1);
    tn->stop(displays, rig.net->now);
    rig_close();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_answers),
        cmocka_unit_test(logon_and_options),
        cmocka_unit_test(slow_client),
        cmocka_unit_test(two_servers_on_one_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
