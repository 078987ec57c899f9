/* test_tn3270.c - the TN3270 server over a wire: negotiation, models, panels, logon, times, hundreds of sessions. The client
 * and its display (client3270.h) know nothing of the server's sources. */
#include "apps/app.h"
#include "apps/panel.h"
#include "base/ebcdic.h"
#include "base/str.h"
#include "net/sock.h"
#include "super/console.h"
#include "tests/unit/client3270.h"
#include "tests/unit/testnet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/memds.h"

/* ---- the server over a wire ---- */
struct rig {
    struct testnet *net;
    struct stack *server, *clients;
    struct console con;
    struct console_sink sink;
    struct arena arena;
    struct app_env env;
    void *storage, *inst;
    const struct app *app;
    char said[4000], commands[1000], replied[8000];
    u32 answer_lines;
};
static struct rig rig;
#define ARENA_BYTES (16u << 20)

static void said(void *ctx, const char *text) {
    struct rig *r = ctx;
    if (strlen(r->said) + strlen(text) + 2 > sizeof r->said) return;
    strcat(r->said, text);
    strcat(r->said, "\n");
}
static void replied(void *ctx, const char *text) {
    struct rig *r = ctx;
    if (strlen(r->replied) + strlen(text) + 2 > sizeof r->replied) return;
    strcat(r->replied, text);
    strcat(r->replied, "\n");
}
/* The system: answers with so many lines, ends the server when it is told. */
static void command(void *ctx, const char *line, const struct reply *reply, u64 now) {
    struct rig *r = ctx;
    strncat(r->commands, line, sizeof r->commands - strlen(r->commands) - 2);
    strcat(r->commands, "\n");
    if (strcmp(line, "P INTCLIEN") == 0) {
        r->app->stop(r->inst, now);
        r->inst = NULL;
    }
    for (u32 i = 0; i < r->answer_lines; i++) reply_line(reply, "LINE %u OF %s", i + 1, line);
}

static void rig_open(const char *parm) {
    static const struct testnet_fault good = {.delay_usec = 100};
    struct stack_config cfg;
    struct rig *r = &rig;
    memset(r, 0, sizeof *r);
    stack_config_default(&cfg);
    cfg.max_sockets = 1000;
    cfg.max_timewait = 1000;
    cfg.buffer_chunks = 2000;
    r->net = testnet_create(11);
    r->server = testnet_stack(r->net, "TCPIP", &cfg);
    r->clients = testnet_stack(r->net, "TCPIPC", &cfg);
    r->server->conf.tcp.max_backlog = 1024;
    testnet_join(r->net, testnet_link(r->net, r->server, "LS", "10.0.0.1", "255.255.255.0", LINK_CAP_ARP),
                 testnet_link(r->net, r->clients, "LC", "10.0.0.2", "255.255.255.0", LINK_CAP_ARP), &good);
    r->storage = malloc(ARENA_BYTES);
    arena_init(&r->arena, r->storage, ARENA_BYTES);
    console_init(&r->con);
    console_on_command(&r->con, command, r);
    r->sink = (struct console_sink){.line = said, .ctx = r};
    console_attach(&r->con, &r->sink);
    memds_set("TCPIP.TCPPARMS(USERS)", "* userid password right\nIBMUSER SYS1 OPERATOR\nguest guest read\nBAD\n");
    r->env = (struct app_env){.stk = r->server, .ds = (struct datasets *)(void *)r, .con = &r->con, .sysname = "SYSA",
                              .stackname = "TCPIP", .arena = &r->arena, .ipl_time = r->net->now};
    r->answer_lines = 3;
    r->app = app_find("TN3270");
    testnet_poll(r->net);
    assert_int_equal(r->app->start(&r->env, "INTCLIEN", parm, r->net->now, &r->inst), 0);
}

static void rig_close(void) {
    if (rig.inst) rig.app->stop(rig.inst, rig.net->now);
    testnet_run(rig.net, USEC_PER_SEC);
    testnet_destroy(rig.net);
    free(rig.storage);
    memds_clear();
    assert_int_equal(memds_open, 0);
}

struct link_client {
    struct client c;
    struct sock *s;
    bool closed, deaf; /* deaf: reads nothing */
};

static void dial(struct link_client *l) {
    l->closed = l->deaf = false;
    assert_int_equal(sock_open(rig.clients, SOCK_TCP, "S3270", &l->s), 0);
    assert_int_equal(sock_connect(l->s, testnet_ip("10.0.0.1"), 23, rig.net->now), -ERR_INPROGRESS);
}

static void move(struct link_client *l) {
    u8 buf[512];
    i32 n = 0;
    if (l->closed) return;
    while (!l->deaf && (n = sock_recv(l->s, buf, sizeof buf, rig.net->now)) > 0) c_feed(&l->c, buf, (u32)n);
    if (!l->deaf && n != -ERR_AGAIN && n != -ERR_NOTCONN && n != -ERR_INPROGRESS) {
        l->closed = true;
        sock_close(l->s, rig.net->now);
        return;
    }
    if (l->c.out_len && (n = sock_send(l->s, l->c.out, l->c.out_len, rig.net->now)) > 0) {
        memmove(l->c.out, l->c.out + n, l->c.out_len - (u32)n);
        l->c.out_len -= (u32)n;
    }
}

/* Time passes for so many clients. */
static void settle(struct link_client *l, u32 n, u32 rounds) {
    for (u32 k = 0; k < rounds; k++) {
        testnet_run(rig.net, 2000);
        console_poll(&rig.con, rig.net->now);
        for (u32 i = 0; i < n; i++) move(&l[i]);
    }
}

static void press(struct link_client *l, u8 aid) {
    u8 out[2048];
    u32 n = display_key(&l->c.d, aid, out);
    c_record(&l->c, 0, 0, 0, out, n);
    settle(l, 1, 20);
}
#define ENTER 0x7D
static void log_on(struct link_client *l, const char *user, const char *password) {
    display_type(&l->c.d, PANEL_USERID_ADDRESS, user);
    display_type(&l->c.d, PANEL_PASSWORD_ADDRESS, password);
    press(l, ENTER);
}
static void type_command(struct link_client *l, const char *text) {
    display_type(&l->c.d, PANEL_COMMAND_ADDRESS(l->c.d.cols), text);
    press(l, ENTER);
}
static void open_client(struct link_client *l, bool enhanced, const char *type, u32 rows, u32 cols) {
    client_init(&l->c, enhanced, type, rows, cols);
    dial(l);
    settle(l, 1, 30);
}
static void hang_up(struct link_client *l) {
    sock_close(l->s, rig.net->now);
    settle(l, 0, 20);
}
static struct link_client one, many[400];
#define SHOWS(l, t)                                                                                                              \
    do {                                                                                                                         \
        if (!display_shows(&(l)->c.d, t)) {                                                                                      \
            for (u32 row_ = 0; row_ < (l)->c.d.rows; row_++) print_message("|%s\n", display_row(&(l)->c.d, row_));               \
            fail_msg("\"%s\" is not on the screen", t);                                                                          \
        }                                                                                                                        \
    } while (0)

/* Every model, with and without TN3270E: logon on 24x80, panels on the alternate screen, colours only where they are. */
static void models(void **state) {
    static const struct {
        bool enhanced;
        const char *type;
        u32 rows, cols;
    } rows[] = {{true, "IBM-3278-2-E", 24, 80},   {true, "IBM-3278-3-E", 32, 80}, {true, "IBM-3278-4-E", 43, 80},
                {true, "IBM-3278-5-E", 27, 132},  {true, "IBM-3278-2", 24, 80},   {false, "IBM-3279-2-E", 24, 80},
                {false, "IBM-3278-4", 43, 80},    {false, "IBM-3278-5-E", 27, 132}};
    (void)state;
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct display *d = &one.c.d;
        bool extended = strstr(rows[i].type, "-E") != NULL;
        rig_open("");
        rig.answer_lines = 300;
        open_client(&one, rows[i].enhanced, rows[i].type, rows[i].rows, rows[i].cols);
        assert_int_equal(one.c.on_enhanced, rows[i].enhanced);
        assert_int_equal(one.c.bound, rows[i].enhanced);
        if (rows[i].enhanced) assert_string_equal(one.c.got_lu, "TCP00001");
        SHOWS(&one, "ENTER YOUR USER ID AND PASSWORD");
        SHOWS(&one, rows[i].type);
        SHOWS(&one, rows[i].enhanced ? "TN3270E BIND-IMAGE RESPONSES SYSREQ" : "TN3270");
        assert_int_equal(d->cols, 80);
        assert_int_equal(d->rows, 24);
        assert_int_equal(d->cursor, PANEL_USERID_ADDRESS);
        log_on(&one, "ibmuser", "sys1");
        SHOWS(&one, "PRIMARY MENU");
        assert_int_equal(d->rows, rows[i].rows);
        assert_int_equal(d->cols, rows[i].cols);
        assert_false(d->locked);
        assert_int_equal(d->cursor, PANEL_COMMAND_ADDRESS(d->cols));
        bool coloured = false;
        for (u32 k = 0; k < DISPLAY_CELLS; k++) coloured |= d->color[k] != 0;
        assert_int_equal(coloured, extended);
        type_command(&one, "HOME");
        assert_string_equal(rig.commands, "D TCPIP,TCPIP,NETSTAT,HOME,MAX=*\n");
        char text[60];
        snprintf(text, sizeof text, "LINE 1 TO %u OF 300", rows[i].rows - 5);
        SHOWS(&one, text);
        SHOWS(&one, "LINE 1 OF D TCPIP,TCPIP,NETSTAT,HOME,MAX=*");
        press(&one, 0xF8); /* PF8 */
        snprintf(text, sizeof text, "LINE %u TO %u OF 300", rows[i].rows - 4, 2 * (rows[i].rows - 5));
        SHOWS(&one, text);
        hang_up(&one);
        rig_close();
    }
}

/* A display that says its size itself is asked for it. */
static void dynamic_size(void **state) {
    static const u8 reply[] = {0x88, 0x00, 0x11, 0x81, 0xA6, 0, 0, 0x0B, 1, 0, 0, 80, 0, 24, 0, 160, 0, 62};
    (void)state;
    rig_open("");
    open_client(&one, true, "IBM-DYNAMIC", 62, 160);
    assert_int_equal(one.c.d.queries, 1);
    c_record(&one.c, 0, 0, 0, reply, sizeof reply);
    settle(&one, 1, 20);
    log_on(&one, "IBMUSER", "SYS1");
    assert_int_equal(one.c.d.rows, 62);
    assert_int_equal(one.c.d.cols, 160);
    type_command(&one, "2");
    SHOWS(&one, "LINE 3 OF D TCPIP,TCPIP,NETSTAT,DEVLINKS,MAX=*");
    hang_up(&one);
    rig_close();
}

static void names_and_functions(void **state) {
    static struct link_client l[3];
    (void)state;
    rig_open("SESSIONS=3,LU=LU10");
    client_init(&l[0].c, true, "IBM-3278-2-E", 24, 80);
    l[0].c.lu = "LU11";
    dial(&l[0]);
    settle(l, 1, 20);
    assert_string_equal(l[0].c.got_lu, "LU11");
    /* Its own place's name is taken: the first free one. */
    client_init(&l[1].c, true, "IBM-3278-2-E", 24, 80);
    memcpy(l[1].c.functions, (u8[]){0, 1, 5, 2}, 4); /* more than we have: ours is asked back */
    l[1].c.count = 4;
    dial(&l[1]);
    settle(l, 2, 20);
    assert_string_equal(l[1].c.got_lu, "LU10");
    assert_int_equal(l[1].c.agreed_count, 2);
    assert_memory_equal(l[1].c.agreed, "\0\2", 2);
    SHOWS(&l[1], "TN3270E BIND-IMAGE RESPONSES");
    /* A name that is in use, then none of ours; each then goes on with plain TN3270. */
    client_init(&l[2].c, true, "IBM-3278-2-E", 24, 80);
    l[2].c.lu = "LU10";
    dial(&l[2]);
    settle(l, 3, 30);
    assert_int_equal(l[2].c.rejected, TN_DEVICE_IN_USE);
    SHOWS(&l[2], "LU     LU12");
    /* All in use. */
    client_init(&one.c, true, "IBM-3278-2-E", 24, 80);
    dial(&one);
    settle(&one, 1, 20);
    assert_true(one.closed);
    hang_up(&l[2]);
    client_init(&l[2].c, true, "IBM-3278-2-E", 24, 80);
    l[2].c.lu = "LU13";
    dial(&l[2]);
    settle(l, 3, 30);
    assert_int_equal(l[2].c.rejected, TN_INV_NAME);
    hang_up(&l[2]);
    open_client(&l[2], true, "IBM-3287-1", 24, 80);
    assert_int_equal(l[2].c.rejected, TN_INV_DEVICE_TYPE);
    assert_true(l[2].closed); /* plain TN3270 has no display for it either */
    assert_non_null(strstr((char *)l[2].c.rec, "PLX0420E"));
    open_client(&l[2], false, "", 24, 80); /* refuses everything, as nc does */
    assert_true(l[2].closed);
    hang_up(&l[0]);
    hang_up(&l[1]);
    rig_close();
}

static void logon_rules(void **state) {
    (void)state;
    rig_open("");
    assert_non_null(strstr(rig.said, "PLX0410W INTCLIEN PASSES OVER 1 RECORDS"));
    open_client(&one, true, "IBM-3278-2-E", 24, 80);
    log_on(&one, "IBMUSER", "WRONG");
    SHOWS(&one, "PLX0423E USER ID OR PASSWORD IS NOT RIGHT");
    assert_true(one.c.d.alarm);
    assert_false(display_shows(&one.c.d, "WRONG"));
    log_on(&one, "NOBODY", "SYS1");
    SHOWS(&one, "PLX0423E");
    log_on(&one, "IBMUSER", "SYS2");
    assert_true(one.closed);
    assert_true(one.c.unbound);
    assert_non_null(strstr(rig.said, "PLX0424W INTCLIEN: 3 WRONG PASSWORDS FOR IBMUSER FROM TCP00001"));
    /* READ may look, in whatever way he writes it, and nothing else. */
    open_client(&one, true, "IBM-3278-2-E", 24, 80);
    log_on(&one, "GUEST", "GUEST");
    static const char *const no[] = {"P TCPIP", "/P TCPIP", "V TCPIP,,STOP,OSA1", "#X P TCPIP", "D&SYSNAME. T", "F INTCLIEN,CANCEL,TCP00001"};
    for (u32 i = 0; i < ARRAY_LEN(no); i++) {
        type_command(&one, no[i]);
        SHOWS(&one, "PLX0422E YOUR USER ID MAY ENTER DISPLAY COMMANDS ONLY");
    }
    assert_string_equal(rig.commands, "");
    type_command(&one, "d t");
    type_command(&one, "DISPLAY A,L");
    assert_string_equal(rig.commands, "d t\nDISPLAY A,L\n");
    hang_up(&one);
    rig_close();
}

/* A command that changes something is carried out once, whatever is pressed afterwards. */
static void commands_once(void **state) {
    (void)state;
    rig_open("");
    open_client(&one, true, "IBM-3278-2-E", 24, 80);
    log_on(&one, "IBMUSER", "SYS1");
    type_command(&one, "V TCPIP,,STOP,OSA1");
    SHOWS(&one, "LINE 3 OF V TCPIP,,STOP,OSA1");
    press(&one, ENTER);
    press(&one, 0xF5);
    press(&one, 0x6D); /* CLEAR */
    assert_string_equal(rig.commands, "V TCPIP,,STOP,OSA1\n");
    SHOWS(&one, "PRIMARY MENU");
    press(&one, 0x7C); /* PF12 */
    SHOWS(&one, "COMMAND ===> V TCPIP,,STOP,OSA1");
    assert_string_equal(rig.commands, "V TCPIP,,STOP,OSA1\n");
    type_command(&one, "D T                ");
    press(&one, 0xF5);
    assert_string_equal(rig.commands, "V TCPIP,,STOP,OSA1\nD T\nD T\n");
    press(&one, 0xF3);
    SHOWS(&one, "PRIMARY MENU");
    console_message(&rig.con, "EZZ4313I INITIALIZATION COMPLETE FOR DEVICE OSA1");
    press(&one, 0xF4);
    SHOWS(&one, "EZZ4313I INITIALIZATION");
    press(&one, 0xC1); /* PF13 is PF1 */
    SHOWS(&one, "KEYS AND COMMANDS");
    press(&one, 0xF2);
    press(&one, 0xF3);
    assert_true(one.closed);
    assert_true(one.c.unbound);
    rig_close();
}

/* AUTO refreshes without touching what the user types, and not before the display has taken the last screen. */
static void auto_refresh(void **state) {
    (void)state;
    rig_open("");
    open_client(&one, true, "IBM-3278-3-E", 32, 80);
    log_on(&one, "IBMUSER", "SYS1");
    type_command(&one, "ARP");
    type_command(&one, "AUTO 2");
    SHOWS(&one, "AUTO 2");
    display_type(&one.c.d, PANEL_COMMAND_ADDRESS(80), "HALF A CO");
    u32 erases = one.c.d.erases, writes = one.c.d.writes, cursor = one.c.d.cursor;
    rig.answer_lines = 1;
    settle(&one, 1, 2600); /* 5.2 s */
    assert_in_range(one.c.d.writes - writes, 2, 3);
    assert_int_equal(one.c.d.erases, erases);
    assert_int_equal(one.c.d.cursor, cursor);
    SHOWS(&one, "COMMAND ===> HALF A CO");
    SHOWS(&one, "OF 1 "); /* the shorter answer leaves nothing of the longer */
    assert_false(display_shows(&one.c.d, "LINE 2 OF"));
    /* It stops answering: one screen more, then none until it does. */
    one.c.answers = false;
    writes = one.c.d.writes;
    settle(&one, 1, 4000);
    assert_int_equal(one.c.d.writes - writes, 1);
    press(&one, 0xF6);
    SHOWS(&one, "AUTO OFF");
    hang_up(&one);
    rig_close();
}

static void attention_and_sysreq(void **state) {
    u8 ebcdic[20];
    (void)state;
    rig_open("");
    open_client(&one, true, "IBM-3278-2-E", 24, 80);
    log_on(&one, "IBMUSER", "SYS1");
    u32 erases = one.c.d.erases;
    c_say(&one.c, "\xFF\xF4", 2); /* ATTN */
    settle(&one, 1, 20);
    c_say(&one.c, "\xFF\xF3", 2);
    settle(&one, 1, 20);
    assert_int_equal(one.c.d.erases, erases + 2);
    c_say(&one.c, "\xFF\xF5", 2); /* SYSREQ */
    settle(&one, 1, 20);
    assert_true(one.c.sscp);
    ebcdic_put(ebcdic, "hello", 5);
    c_record(&one.c, 7, 0, 0, ebcdic, 5);
    settle(&one, 1, 20);
    assert_string_equal(one.c.sscp_text, "COMMAND UNRECOGNIZED");
    c_say(&one.c, "\xFF\xF5", 2);
    settle(&one, 1, 20);
    assert_int_equal(one.c.d.erases, erases + 3); /* back, and drawn again */
    c_say(&one.c, "\xFF\xF5", 2);
    ebcdic_put(ebcdic, " logoff ", 8);
    c_record(&one.c, 7, 0, 0, ebcdic, 8);
    settle(&one, 1, 20);
    assert_true(one.closed && one.c.unbound);
    rig_close();
}

/* Times: negotiation, logon, INACTIVE, TIMEMARK, each ends what it is for and nothing else. */
static void times(void **state) {
    (void)state;
    rig_open("INACTIVE=600,TIMEMARK=100,SCAN=20");
    client_init(&one.c, true, "IBM-3278-2-E", 24, 80);
    dial(&one);
    one.deaf = true; /* says nothing at all */
    for (u32 i = 0; i < 40; i++) testnet_run(rig.net, USEC_PER_SEC);
    one.deaf = false;
    settle(&one, 1, 20);
    assert_true(one.closed);
    open_client(&one, true, "IBM-3278-2-E", 24, 80);
    for (u32 i = 0; i < 125; i++) testnet_run(rig.net, USEC_PER_SEC), settle(&one, 1, 1);
    assert_true(one.closed); /* nobody logged on */
    assert_true(one.c.marks >= 1);
    open_client(&one, true, "IBM-3278-2-E", 24, 80);
    log_on(&one, "IBMUSER", "SYS1");
    u32 marks = one.c.marks;
    for (u32 i = 0; i < 590; i++) testnet_run(rig.net, USEC_PER_SEC), settle(&one, 1, 1);
    assert_false(one.closed);
    assert_in_range(one.c.marks - marks, 5, 6);
    for (u32 i = 0; i < 15; i++) testnet_run(rig.net, USEC_PER_SEC), settle(&one, 1, 1);
    assert_true(one.closed && one.c.unbound);
    /* A client that does not answer a TIMING-MARK is gone. */
    open_client(&one, true, "IBM-3278-2-E", 24, 80);
    log_on(&one, "IBMUSER", "SYS1");
    one.c.answers = false;
    for (u32 i = 0; i < 118; i++) testnet_run(rig.net, USEC_PER_SEC), settle(&one, 1, 1);
    assert_false(one.closed);
    for (u32 i = 0; i < 5; i++) testnet_run(rig.net, USEC_PER_SEC), settle(&one, 1, 1);
    assert_true(one.closed);
    static const struct reply to = {.line = replied, .ctx = &rig};
    rig.app->modify(rig.inst, "DISPLAY", &to, rig.net->now);
    assert_non_null(strstr(rig.replied, "ENDED INACTIVE 1 SILENT 1 BEFORE LOGON 2"));
    rig_close();
}

/* Hundreds at once, some of them deaf: every other one has its screens, and the deaf ones get the latest when they hear. */
static void hundreds(void **state) {
    (void)state;
    rig_open("SESSIONS=400");
    for (u32 i = 0; i < ARRAY_LEN(many); i++) {
        client_init(&many[i].c, i % 3 != 0, i % 2 ? "IBM-3278-4-E" : "IBM-3278-2-E", i % 2 ? 43 : 24, 80);
        dial(&many[i]);
    }
    settle(many, ARRAY_LEN(many), 40);
    for (u32 i = 0; i < ARRAY_LEN(many); i++) {
        u8 out[2048];
        SHOWS(&many[i], "ENTER YOUR USER ID");
        display_type(&many[i].c.d, PANEL_USERID_ADDRESS, "IBMUSER");
        display_type(&many[i].c.d, PANEL_PASSWORD_ADDRESS, "SYS1");
        u32 n = display_key(&many[i].c.d, ENTER, out);
        c_record(&many[i].c, 0, 0, 0, out, n);
    }
    settle(many, ARRAY_LEN(many), 40);
    rig.answer_lines = 60;
    for (u32 round = 0; round < 12; round++) {
        for (u32 i = 0; i < ARRAY_LEN(many); i++) {
            u8 out[2048];
            char text[40];
            many[i].deaf = i % 10 == 0 && round < 11;
            /* A deaf one types ahead blindly, as somebody behind a slow line does. */
            many[i].c.d.locked = false;
            snprintf(text, sizeof text, "D ROUND%u,CLIENT%u", round, i);
            memset(many[i].c.d.text + PANEL_COMMAND_ADDRESS(80), ' ', 60);
            display_type(&many[i].c.d, PANEL_COMMAND_ADDRESS(80), text);
            u32 n = display_key(&many[i].c.d, ENTER, out);
            if (many[i].c.out_len + n + 8 < sizeof many[i].c.out) c_record(&many[i].c, 0, 0, 0, out, n);
            rig.commands[0] = 0;
        }
        settle(many, ARRAY_LEN(many), 10);
    }
    settle(many, ARRAY_LEN(many), 100);
    for (u32 i = 0; i < ARRAY_LEN(many); i++) {
        char text[60];
        assert_false(many[i].closed);
        snprintf(text, sizeof text, "LINE 2 OF D ROUND11,CLIENT%u", i);
        SHOWS(&many[i], text);
    }
    for (u32 i = 0; i < ARRAY_LEN(many); i++) sock_abort(many[i].s, rig.net->now);
    settle(many, 0, 20);
    static const struct reply to = {.line = replied, .ctx = &rig};
    rig.app->modify(rig.inst, "DISPLAY", &to, rig.net->now);
    assert_non_null(strstr(rig.replied, "0 OF 400 SESSIONS, HIGH 400, ACCEPTED 400, REFUSED 0"));
    assert_non_null(strstr(rig.replied, "FLOODS 0"));
    rig_close();
}

static void modify_and_stop(void **state) {
    static const struct reply to = {.line = replied, .ctx = &rig};
    (void)state;
    rig_open("");
    open_client(&one, true, "IBM-3278-2-E", 24, 80);
    log_on(&one, "GUEST", "GUEST");
    assert_true(rig.app->modify(rig.inst, "DISPLAY", &to, rig.net->now));
    assert_non_null(strstr(rig.replied, "PLX0426I INTCLIEN: 1 OF 256 SESSIONS"));
    assert_non_null(strstr(rig.replied, "TCP00001 IBM-3278-2-E    TN3270E   GUEST"));
    assert_false(rig.app->modify(rig.inst, "CANCEL,TCP00002", &to, rig.net->now));
    assert_false(rig.app->modify(rig.inst, "SING", &to, rig.net->now));
    /* A user that is taken off the list is logged off; the others stay. */
    memds_set("TCPIP.TCPPARMS(USERS)", "GUEST GUEST READ\n");
    assert_true(rig.app->modify(rig.inst, "USERS", &to, rig.net->now));
    settle(&one, 1, 20);
    assert_false(one.closed);
    memds_set("TCPIP.TCPPARMS(USERS)", "IBMUSER SYS1 OPERATOR\n");
    assert_true(rig.app->modify(rig.inst, "USERS", &to, rig.net->now));
    settle(&one, 1, 20);
    assert_true(one.closed && one.c.unbound);
    open_client(&one, true, "IBM-3278-2-E", 24, 80);
    assert_true(rig.app->modify(rig.inst, "CANCEL,TCP00001", &to, rig.net->now));
    settle(&one, 1, 20);
    assert_true(one.closed);
    /* The session ends the server that it runs in. */
    open_client(&one, true, "IBM-3278-2-E", 24, 80);
    log_on(&one, "IBMUSER", "SYS1");
    type_command(&one, "P INTCLIEN");
    assert_null(rig.inst);
    assert_true(one.closed && one.c.unbound);
    rig_close();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models),              cmocka_unit_test(dynamic_size),   cmocka_unit_test(names_and_functions),
        cmocka_unit_test(logon_rules),         cmocka_unit_test(commands_once),  cmocka_unit_test(auto_refresh),
        cmocka_unit_test(attention_and_sysreq), cmocka_unit_test(times),         cmocka_unit_test(hundreds),
        cmocka_unit_test(modify_and_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
