/* test_apps.c - the programs, asked by sockets of another stack over a good wire. */
#include "apps/app.h"
#include "apps/http_text.h"
#include "apps/pattern.h"
#include "base/str.h"
#include "super/console.h"
#include "tests/unit/testnet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the above */
#include <cmocka.h>

#include "tests/unit/memds.h"

#define ANSWER_MAX 262144
#define ARENA_BYTES (8u << 20)

struct rig {
    struct testnet *net;
    struct stack *server, *client;
    struct console con;
    struct console_sink sink;
    struct arena arena;
    struct app_env env;
    void *storage, *inst;
    const struct app *app;
    char said[1000];
};

static void said(void *ctx, const char *text) {
    struct rig *r = ctx;
    strncat(r->said, text, sizeof r->said - strlen(r->said) - 1);
}

static void open_rig(struct rig *r) {
    static const struct testnet_fault good = {.delay_usec = 100};
    struct stack_config cfg;
    memset(r, 0, sizeof *r);
    stack_config_default(&cfg);
    cfg.max_sockets = 1000;
    cfg.max_timewait = 1000;
    cfg.buffer_chunks = 1000;
    r->net = testnet_create(11);
    r->server = testnet_stack(r->net, "TCPIP", &cfg);
    r->client = testnet_stack(r->net, "TCPIPC", &cfg);
    r->server->conf.tcp.max_backlog = r->client->conf.tcp.max_backlog = 1024;
    testnet_join(r->net, testnet_link(r->net, r->server, "LS", "10.0.0.1", "255.255.255.0", LINK_CAP_ARP),
                 testnet_link(r->net, r->client, "LC", "10.0.0.2", "255.255.255.0", LINK_CAP_ARP), &good);
    r->storage = malloc(ARENA_BYTES);
    arena_init(&r->arena, r->storage, ARENA_BYTES);
    console_init(&r->con);
    r->sink = (struct console_sink){.line = said, .ctx = r};
    console_attach(&r->con, &r->sink);
    r->env = (struct app_env){.stk = r->server, .ds = (struct datasets *)(void *)r, .con = &r->con, .sysname = "SYSA",
                              .stackname = "TCPIP", .arena = &r->arena, .ipl_time = r->net->now};
    testnet_poll(r->net);
}

static void start(struct rig *r, const char *name, const char *parm) {
    r->app = app_find(name);
    assert_non_null(r->app);
    assert_int_equal(r->app->start(&r->env, name, parm, r->net->now, &r->inst), 0);
}

static void close_rig(struct rig *r) {
    if (r->inst) r->app->stop(r->inst, r->net->now);
    testnet_destroy(r->net);
    free(r->storage);
    memds_clear();
    assert_int_equal(memds_open, 0);
}

/* ---- clients ---- */
static struct sock *dial(struct rig *r, u16 port) {
    struct sock *s;
    assert_int_equal(sock_open(r->client, SOCK_TCP, "CURL", &s), 0);
    assert_int_equal(sock_connect(s, testnet_ip("10.0.0.1"), port, r->net->now), -ERR_INPROGRESS);
    testnet_run(r->net, 2000);
    return s;
}

static void tell(struct rig *r, struct sock *s, const char *text, u32 len) {
    while (len > 0) {
        i32 n = sock_send(s, text, len, r->net->now);
        if (n == -ERR_AGAIN) n = 0;
        assert_true(n >= 0);
        text += n;
        len -= (u32)n;
        testnet_run(r->net, 2000);
    }
}

/* What comes until the end of data, or until nothing more comes; *closed: it was the end. */
static u32 hear(struct rig *r, struct sock *s, u8 *out, bool *closed) {
    u32 len = 0;
    *closed = false;
    for (u32 idle = 0; idle < 300;) {
        i32 n = sock_recv(s, out + len, ANSWER_MAX - 1 - len, r->net->now);
        if (n > 0) {
            len += (u32)n;
            idle = 0;
        } else if (n != -ERR_AGAIN) {
            assert_int_equal(n, 0); /* never a reset */
            *closed = true;
            break;
        } else {
            idle++;
        }
        testnet_run(r->net, 2000);
    }
    out[len] = 0;
    return len;
}

static u8 answer[ANSWER_MAX];

/* One request on a connection of its own. */
static u32 ask(struct rig *r, const char *request, bool *closed) {
    struct sock *s = dial(r, 80);
    tell(r, s, request, (u32)strlen(request));
    u32 n = hear(r, s, answer, closed);
    sock_close(s, r->net->now);
    testnet_run(r->net, 2000);
    return n;
}

static const char *body_of(const u8 *text) {
    const char *b = strstr((const char *)text, "\r\n\r\n");
    assert_non_null(b);
    return b + 4;
}

/* ---- HTTPD ---- */
static void pages(void) {
    memds_set("TCPIP.HTTPD.WEB(INDEX)", "<html><a href=\"PAGE2\">x</a> <a href=\"/broken.html\">y</a> <img src=\"notthere\"></html>\n");
    memds_set("TCPIP.HTTPD.WEB(PAGE2)", "plain text\n");
    memds_put("TCPIP.HTTPD.WEB(BROKEN)", "", 0, ERR_IO);
}

static const struct {
    const char *request;
    const char *status; /* how the answer begins */
    const char *has;    /* somewhere in it */
    bool closes;
} http_cases[] = {
    {"GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n", "PAGE2", true},
    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n", "Content-Type: text/html", false},
    {"GET /index.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n", "Connection: close", true},
    {"GET /page2 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "HTTP/1.0 200 OK\r\n", "keep-alive", false},
    {"GET /PAGE2.TXT?x=y HTTP/1.0\n\n", "HTTP/1.0 200 OK\r\n", "text/plain", true},
    {"\r\nGET http://host/page2 HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n", "plain text\n", true},
    {"HEAD / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n", "\r\n\r\n", true},
    {"GET /status HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n", "SYSTEM SYSA\nSTACK TCPIP\n", true},
    {"GET /nothere HTTP/1.0\r\n\r\n", "HTTP/1.0 404 Not Found\r\n", "404", true},
    {"GET /../../etc/passwd HTTP/1.0\r\n\r\n", "HTTP/1.0 404 Not Found\r\n", "404", true},
    {"GET /broken HTTP/1.0\r\n\r\n", "HTTP/1.0 500 Internal Server Error\r\n", "500", true},
    {"DELETE / HTTP/1.0\r\n\r\n", "HTTP/1.0 405 Method Not Allowed\r\n", "Allow: GET, HEAD", true},
    {"GET /sink HTTP/1.0\r\n\r\n", "HTTP/1.0 405 Method Not Allowed\r\n", "Allow: POST, PUT", true},
    {"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.0 405 Method Not Allowed\r\n", "405", true},
    {"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 501 Not Implemented\r\n", "501", true},
    {"POST /sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 501 ", "501", true},
    {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", "400", true}, /* no Host */
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400 ", "400", true},
    {"GET /\r\n\r\n", "HTTP/1.0 400 ", "400", true},
    {"hello there\r\n", "HTTP/1.0 400 ", "400", true},
    {"GET / HTTP/2.0\r\n\r\n", "HTTP/1.0 505 ", "505", true},
    {"GET x HTTP/1.0\r\n\r\n", "HTTP/1.0 400 ", "400", true},
    {"GET / HTTP/1.0\r\nno colon\r\n\r\n", "HTTP/1.0 400 ", "400", true},
    {"GET / HTTP/1.0\r\nA: b\r\n folded\r\n\r\n", "HTTP/1.0 400 ", "400", true},
    {"POST /sink HTTP/1.0\r\nContent-Length: 1x\r\n\r\n", "HTTP/1.0 400 ", "400", true},
    {"POST /sink HTTP/1.0\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "HTTP/1.0 400 ", "400", true},
    {"POST /sink HTTP/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n", "HTTP/1.0 400 ", "400", true},
    {"GET /bulk/10 HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n", "Content-Length: 10\r\n", true},
    {"GET /bulk/0 HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n", "Content-Length: 0\r\n", true},
    {"GET /bulk/x HTTP/1.0\r\n\r\n", "HTTP/1.0 404 ", "404", true},
    {"PUT /sink HTTP/1.0\r\nContent-Length: 0\r\n\r\n", "HTTP/1.0 200 OK\r\n", "LENGTH 0 PATTERN OK\n", true},
    {"PUT /sink HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.0 200 OK\r\n", "LENGTH 5 PATTERN BAD AT 0\n", true},
};

static void http_requests(void **state) {
    struct rig r;
    (void)state;
    open_rig(&r);
    pages();
    start(&r, "HTTPD", "");
    assert_non_null(strstr(r.said, "PLX0402W")); /* BROKEN was found broken at start */
    for (u32 i = 0; i < ARRAY_LEN(http_cases); i++) {
        bool closed;
        ask(&r, http_cases[i].request, &closed);
        if (strncmp((char *)answer, http_cases[i].status, strlen(http_cases[i].status)) != 0 ||
            !strstr((char *)answer, http_cases[i].has) || closed != http_cases[i].closes)
            fail_msg("case %u: %s -> closed %d, %s", i, http_cases[i].request, closed, answer);
        const char *length = strstr((char *)answer, "Content-Length: ");
        assert_non_null(length);
        if (strncmp(http_cases[i].request, "HEAD", 4) == 0)
            assert_int_equal(strlen(body_of(answer)), 0);
        else if (!strstr(http_cases[i].request, "bulk"))
            assert_int_equal(strtoul(length + 16, NULL, 10), strlen(body_of(answer)));
    }
    close_rig(&r);
}

static void a_long_target_and_a_long_header(void **state) {
    struct rig r;
    bool closed;
    static char request[10000];
    (void)state;
    open_rig(&r);
    pages();
    start(&r, "HTTPD", "");
    memset(request, 'a', sizeof request);
    memcpy(request, "GET /", 5);
    request[sizeof request - 1] = 0;
    ask(&r, request, &closed);
    assert_non_null(strstr((char *)answer, "414 URI Too Long"));
    assert_true(closed);
    memcpy(request, "GET / HTTP/1.0\r\nCookie: ", 24);
    memcpy(request + 9000, "\r\n\r\n", 5);
    ask(&r, request, &closed);
    assert_non_null(strstr((char *)answer, "200 OK"));
    close_rig(&r);
}

/* However a request is cut into segments, the answer is the same. */
static void byte_by_byte_and_pipelined(void **state) {
    struct rig r;
    bool closed;
    static const char one[] = "GET /page2 HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char two[] = "GET /page2 HTTP/1.1\r\nHost: a\r\n\r\nPUT /sink HTTP/1.1\r\nHost: a\r\nContent-Length: "
                              "2\r\n\r\n\0\1GET /nothere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    (void)state;
    open_rig(&r);
    pages();
    start(&r, "HTTPD", "");
    struct sock *s = dial(&r, 80);
    for (u32 i = 0; i + 1 < sizeof one; i++) tell(&r, s, one + i, 1);
    hear(&r, s, answer, &closed);
    assert_non_null(strstr((char *)answer, "plain text\n"));
    assert_false(closed);
    tell(&r, s, two, sizeof two - 1);
    hear(&r, s, answer, &closed);
    assert_true(closed);
    const char *a = strstr((char *)answer, "plain text\n"), *b = strstr((char *)answer, "LENGTH 2 PATTERN OK"),
               *c = strstr((char *)answer, "404 Not Found");
    assert_true(a && b && c && a < b && b < c);
    sock_close(s, r.net->now);
    close_rig(&r);
}

static void bulk_both_ways(void **state) {
    struct rig r;
    bool closed;
    static struct pattern p;
    static char up[150200];
    (void)state;
    pattern_init(&p);
    open_rig(&r);
    start(&r, "HTTPD", "");
    assert_non_null(strstr(r.said, "PLX0403W")); /* no INDEX: said, and the rest works */
    u32 n = ask(&r, "GET /bulk/200000 HTTP/1.0\r\n\r\n", &closed);
    const u8 *body = (const u8 *)body_of(answer);
    assert_int_equal((answer + n) - body, 200000);
    assert_int_equal(pattern_match(&p, body, 200000, 0), 200000);
    u32 head = (u32)snprintf(up, sizeof up, "PUT /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 150000\r\nExpect: 100-continue\r\n\r\n");
    pattern_fill(&p, (u8 *)up + head, 150000, 0);
    for (u32 bad = 0; bad < 2; bad++) {
        struct sock *s = dial(&r, 80);
        if (bad) up[head + 100001] ^= 1;
        tell(&r, s, up, head + 150000);
        hear(&r, s, answer, &closed);
        assert_int_equal(strncmp((char *)answer, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", 40), 0);
        assert_non_null(strstr((char *)answer, bad ? "LENGTH 150000 PATTERN BAD AT 100001" : "LENGTH 150000 PATTERN OK"));
        sock_close(s, r.net->now);
    }
    close_rig(&r);
}

/* Hundreds at once; past the limit the longest waiting one gives its place to the new one. */
static void many_connections(void **state) {
    struct rig r;
    static struct sock *s[400];
    bool closed;
    u32 answered = 0;
    (void)state;
    open_rig(&r);
    pages();
    start(&r, "HTTPD", "CONNS=300");
    for (u32 i = 0; i < ARRAY_LEN(s); i++) {
        assert_int_equal(sock_open(r.client, SOCK_TCP, "CURL", &s[i]), 0);
        assert_int_equal(sock_connect(s[i], testnet_ip("10.0.0.1"), 80, r.net->now), -ERR_INPROGRESS);
    }
    testnet_run(r.net, 100000);
    for (u32 i = 0; i < ARRAY_LEN(s); i++) sock_send(s[i], "GET /page2 HTTP/1.0\r\n\r\n", 23, r.net->now);
    for (u32 i = 0; i < ARRAY_LEN(s); i++) {
        i32 n = -ERR_AGAIN;
        for (u32 k = 0; k < 50 && n == -ERR_AGAIN; k++) {
            testnet_run(r.net, 2000);
            n = sock_recv(s[i], answer, sizeof answer, r.net->now);
        }
        if (n > 0 && memcmp(answer, "HTTP/1.0 200", 12) == 0) answered++;
        sock_abort(s[i], r.net->now);
    }
    assert_int_equal(answered, 300);
    ask(&r, "GET /status HTTP/1.0\r\n\r\n", &closed);
    assert_non_null(strstr((char *)answer, "CONNECTIONS 1\n"));
    close_rig(&r);
}

static char replied[400];
static void reply_kept(void *ctx, const char *text) {
    (void)ctx;
    str_copy(replied, sizeof replied, text);
}
static bool modify(struct rig *r, const char *text) {
    static const struct reply to = {.line = reply_kept};
    return r->app->modify(r->inst, text, &to, r->net->now);
}

/* A page is changed: the new one is served after REFRESH; who was being sent the old one gets it to its end. */
static void pages_change(void **state) {
    struct rig r;
    bool closed;
    static char old_page[250000];
    (void)state;
    memset(old_page, 'o', sizeof old_page - 1);
    open_rig(&r);
    memds_set("TCPIP.HTTPD.WEB(INDEX)", old_page);
    start(&r, "HTTPD", "");
    struct sock *slow = dial(&r, 80);
    tell(&r, slow, "GET / HTTP/1.0\r\n\r\n", 18);
    memds_set("TCPIP.HTTPD.WEB(INDEX)", "<html>new <a href=\"two\"></html>\n");
    memds_set("TCPIP.HTTPD.WEB(TWO)", "two\n");
    ask(&r, "HEAD / HTTP/1.0\r\n\r\n", &closed);
    assert_non_null(strstr((char *)answer, "Content-Length: 249999"));
    assert_true(modify(&r, "REFRESH"));
    assert_string_equal(replied, "PLX0404I HTTPD READ 2 PAGES OF TCPIP.HTTPD.WEB");
    ask(&r, "GET / HTTP/1.0\r\n\r\n", &closed);
    assert_non_null(strstr((char *)answer, "<html>new"));
    ask(&r, "GET /two HTTP/1.0\r\n\r\n", &closed);
    assert_string_equal(body_of(answer), "two\n");
    assert_false(modify(&r, "REFRESH")); /* a third set would be needed */
    assert_non_null(strstr(replied, "PLX0406W"));
    u32 n = hear(&r, slow, answer, &closed);
    const u8 *body = (const u8 *)body_of(answer);
    assert_int_equal(answer + n - body, 249999);
    for (u32 i = 0; i < 249999; i++) assert_int_equal(body[i], 'o');
    sock_close(slow, r.net->now);
    testnet_run(r.net, 2000);
    assert_true(modify(&r, "REFRESH"));
    /* A reader that dies gives its set back as well. */
    memds_set("TCPIP.HTTPD.WEB(INDEX)", old_page);
    assert_true(modify(&r, "REFRESH"));
    slow = dial(&r, 80);
    tell(&r, slow, "GET / HTTP/1.0\r\n\r\n", 18);
    assert_true(modify(&r, "REFRESH"));
    assert_false(modify(&r, "REFRESH"));
    sock_abort(slow, r.net->now);
    testnet_run(r.net, 2000);
    assert_true(modify(&r, "REFRESH"));
    assert_false(modify(&r, "SING"));
    close_rig(&r);
}

/* HOLD: who is connected is served on, who comes is connected by the stack and waits; RELEASE serves them. */
static void held_and_released(void **state) {
    struct rig r;
    bool closed;
    (void)state;
    open_rig(&r);
    pages();
    start(&r, "HTTPD", "BACKLOG=2");
    struct sock *before = dial(&r, 80);
    assert_true(modify(&r, "HOLD"));
    assert_string_equal(replied, "PLX0407I HTTPD ACCEPTS NOTHING UNTIL IT IS RELEASED");
    static const char again[] = "GET /page2 HTTP/1.1\r\nHost: x\r\n\r\n", once[] = "GET /page2 HTTP/1.0\r\n\r\n";
    tell(&r, before, again, sizeof again - 1);
    hear(&r, before, answer, &closed);
    assert_string_equal(body_of(answer), "plain text\n");
    struct sock *first = dial(&r, 80), *second = dial(&r, 80);
    tell(&r, first, once, sizeof once - 1);
    assert_int_equal(hear(&r, first, answer, &closed), 0);
    struct sock *third = dial(&r, 80); /* the queue of two is full: its SYN is not answered */
    assert_true(modify(&r, "DISPLAY"));
    assert_non_null(strstr(replied, "1 OF 256 CONNECTIONS"));
    assert_non_null(strstr(replied, "PAGES, HELD"));
    assert_true(modify(&r, "RELEASE"));
    assert_string_equal(replied, "PLX0407I HTTPD ACCEPTS CONNECTIONS");
    hear(&r, first, answer, &closed);
    assert_string_equal(body_of(answer), "plain text\n");
    testnet_run(r.net, 4 * USEC_PER_SEC); /* the SYN again */
    assert_true(modify(&r, "DISPLAY"));
    assert_non_null(strstr(replied, "3 OF 256 CONNECTIONS, 2 REQUESTS, 3 PAGES"));
    assert_null(strstr(replied, "HELD"));
    sock_abort(second, r.net->now);
    sock_abort(third, r.net->now);
    sock_close(first, r.net->now);
    sock_close(before, r.net->now);
    close_rig(&r);
}

/* Runs until the server has closed (0) or reset (-1) the connection, or for so many seconds (1); *at: after how many. */
static int until_closed(struct rig *r, struct sock *s, u32 seconds, u32 *at) {
    for (*at = 0; *at < seconds; ++*at) {
        i32 n;
        testnet_run(r->net, USEC_PER_SEC);
        while ((n = sock_recv(s, answer, sizeof answer, r->net->now)) > 0) continue;
        if (n != -ERR_AGAIN) return n == 0 ? 0 : -1;
    }
    return 1;
}

/* Each state of a connection in which nothing comes any more, with IDLE=10. */
static void silence_frees_the_place(void **state) {
    static const struct {
        const char *said;
        bool again; /* and said again every 4 seconds */
        int end;    /* as until_closed() */
        u32 low, high;
    } rows[] = {
        {"", false, 0, 9, 11},
        {"GET / HTTP/1.1\r\nHost: x\r\n", false, 0, 9, 11},
        {"X: y\r\n", true, 0, 9, 11},                                            /* slow headers are no progress */
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", false, 0, 9, 11},                 /* after an answer */
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true, 1, 20, 20},                 /* requests are */
        {"PUT /sink HTTP/1.0\r\nContent-Length: 9999\r\n\r\n", false, -1, 9, 11}, /* half a body */
        {"PUT /sink HTTP/1.0\r\nContent-Length: 9999\r\n\r\n", true, 1, 20, 20},  /* a slow one */
    };
    (void)state;
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;
        u32 at = 0, total = 0;
        int end = 1;
        open_rig(&r);
        pages();
        start(&r, "HTTPD", "IDLE=10");
        struct sock *s = dial(&r, 80);
        if (i == 2) tell(&r, s, "GET / HTTP/1.1\r\n", 16);
        do {
            tell(&r, s, rows[i].said, (u32)strlen(rows[i].said));
            end = until_closed(&r, s, rows[i].again ? 4 : 20, &at);
            total += at;
        } while (end == 1 && total < 20);
        if (end != rows[i].end || total < rows[i].low || total > rows[i].high) fail_msg("row %u: %d after %u s", i, end, total);
        sock_abort(s, r.net->now);
        close_rig(&r);
    }
}

/* A client that reads nothing is reset, and who waited for its place gets it. */
static void a_client_that_does_not_read(void **state) {
    struct rig r;
    bool closed;
    (void)state;
    open_rig(&r);
    pages();
    start(&r, "HTTPD", "CONNS=1 IDLE=10");
    struct sock *deaf = dial(&r, 80), *next;
    tell(&r, deaf, "GET /bulk/9999999 HTTP/1.0\r\n\r\n", 30);
    testnet_run(r.net, USEC_PER_SEC);
    next = dial(&r, 80);
    tell(&r, next, "GET /page2 HTTP/1.0\r\n\r\n", 23);
    testnet_run(r.net, 5 * USEC_PER_SEC);
    assert_int_equal(sock_recv(next, answer, sizeof answer, r.net->now), -ERR_AGAIN);
    testnet_run(r.net, 6 * USEC_PER_SEC);
    hear(&r, next, answer, &closed);
    assert_non_null(strstr((char *)answer, "plain text\n"));
    assert_true(closed);
    sock_close(next, r.net->now);
    sock_abort(deaf, r.net->now);
    close_rig(&r);
}

static void start_and_stop(void **state) {
    struct rig r;
    size_t used = 0;
    (void)state;
    open_rig(&r);
    pages();
    for (u32 i = 0; i < 1000; i++) {
        for (u32 k = 0; app_at(k); k++) {
            void *inst;
            assert_int_equal(app_at(k)->start(&r.env, app_at(k)->name, "HOST=127.0.0.1", r.net->now, &inst), 0); /* BULKGET's */
            testnet_poll(r.net);
            app_at(k)->stop(inst, r.net->now);
            testnet_poll(r.net);
        }
        if (i == 0) used = r.arena.used;
        assert_int_equal(r.arena.used, used);
    }
    start(&r, "HTTPD", "PORT=8080 CONNS=4");
    void *other;
    assert_int_equal(r.app->start(&r.env, "HTTPD2", "PORT=8080", r.net->now, &other), -ERR_ADDRINUSE);
    assert_int_equal(r.app->start(&r.env, "HTTPD2", "PORT=none", r.net->now, &other), -ERR_INVAL);
    assert_int_equal(r.app->start(&r.env, "HTTPD2", "PORT=81,CONNS=8192", r.net->now, &other), -ERR_NOMEM);
    assert_null(app_find("NOSUCH"));
    close_rig(&r);
}

/* ---- MISCSERV, BULKSRV ---- */
static void small_servers_tcp(void **state) {
    struct rig r;
    bool closed;
    static char text[100000];
    (void)state;
    open_rig(&r);
    start(&r, "MISCSERV", "");
    for (u32 i = 0; i < sizeof text; i++) text[i] = (char)(i * 7);
    struct sock *s = dial(&r, 7);
    tell(&r, s, text, 60000);
    sock_shutdown_send(s, r.net->now);
    assert_int_equal(hear(&r, s, answer, &closed), 60000);
    assert_memory_equal(answer, text, 60000);
    assert_true(closed);
    sock_close(s, r.net->now);
    s = dial(&r, 9);
    tell(&r, s, text, sizeof text);
    sock_shutdown_send(s, r.net->now);
    assert_int_equal(hear(&r, s, answer, &closed), 0);
    assert_true(closed);
    sock_close(s, r.net->now);
    s = dial(&r, 19);
    i32 n = 0;
    while (n < 74 * 96) {
        i32 got = sock_recv(s, answer + n, 74 * 96 - (u32)n, r.net->now);
        if (got > 0) n += got;
        testnet_run(r.net, 2000);
    }
    assert_memory_equal(answer, " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n!", 75);
    assert_memory_equal(answer + 74 * 95, answer, 74);
    sock_abort(s, r.net->now);
    testnet_run(r.net, 2000);
    close_rig(&r);
}

/* The small servers with IDLE=10: what moves stays, what does not is reset, and who waited for its place gets it. */
static void small_servers_free_the_place(void **state) {
    static const struct {
        const char *app, *parm;
        u16 port;
        const char *said; /* again every 4 seconds, if anything */
        int end;          /* as until_closed() */
    } rows[] = {
        {"MISCSERV", "CONNS=1 IDLE=10", 7, "", -1},        {"MISCSERV", "CONNS=1 IDLE=10", 7, "x", 1},
        {"MISCSERV", "CONNS=1 IDLE=10", 9, "", -1},        {"MISCSERV", "CONNS=1 IDLE=10", 9, "x", 1},
        {"BULKSRV", "CONNS=1 IDLE=10", 5002, "", -1},      {"BULKSRV", "CONNS=1 IDLE=10", 5002, "x", 1},
    };
    (void)state;
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;
        u32 at = 0, total = 0;
        int end;
        open_rig(&r);
        start(&r, rows[i].app, rows[i].parm);
        struct sock *s = dial(&r, rows[i].port);
        do {
            tell(&r, s, rows[i].said, (u32)strlen(rows[i].said));
            end = until_closed(&r, s, rows[i].said[0] ? 4 : 20, &at);
            total += at;
        } while (end == 1 && total < 20);
        if (end != rows[i].end || (end == -1 && (total < 9 || total > 11))) fail_msg("row %u: %d after %u s", i, end, total);
        sock_abort(s, r.net->now);
        close_rig(&r);
    }
    /* Servers that send, and clients that read nothing. */
    for (u32 i = 0; i < 2; i++) {
        struct rig r;
        open_rig(&r);
        start(&r, i ? "BULKSRV" : "MISCSERV", "CONNS=1 IDLE=10");
        struct sock *deaf = dial(&r, i ? 5001 : 19), *next = dial(&r, i ? 5001 : 19);
        testnet_run(r.net, 5 * USEC_PER_SEC);
        assert_int_equal(sock_recv(next, answer, sizeof answer, r.net->now), -ERR_AGAIN);
        testnet_run(r.net, 8 * USEC_PER_SEC);
        assert_true(sock_recv(next, answer, sizeof answer, r.net->now) > 1000);
        sock_abort(next, r.net->now);
        sock_abort(deaf, r.net->now);
        close_rig(&r);
    }
}

static void small_servers_udp(void **state) {
    struct rig r;
    struct sock *s;
    struct sockaddr4 to = {testnet_ip("10.0.0.1"), 7}, from;
    (void)state;
    open_rig(&r);
    start(&r, "MISCSERV", "");
    assert_int_equal(sock_open(r.client, SOCK_UDP, "CLIENT", &s), 0);
    assert_int_equal(sock_sendto(s, "hello", 5, &to, r.net->now), 5);
    testnet_run(r.net, 2000);
    assert_int_equal(sock_recvfrom(s, answer, sizeof answer, &from, NULL, r.net->now), 5);
    assert_memory_equal(answer, "hello", 5);
    assert_int_equal(from.port, 7);
    to.port = 19;
    for (u32 len = 1; len <= 1000; len += 333) {
        assert_int_equal(sock_sendto(s, answer, len, &to, r.net->now), len);
        testnet_run(r.net, 2000);
        assert_int_equal(sock_recvfrom(s, answer, sizeof answer, &from, NULL, r.net->now), len < 512 ? len : 512);
    }
    to.port = 9;
    sock_sendto(s, "x", 1, &to, r.net->now);
    testnet_run(r.net, 2000);
    assert_int_equal(sock_recvfrom(s, answer, sizeof answer, &from, NULL, r.net->now), -ERR_AGAIN);
    sock_close(s, r.net->now);
    /* From another such server's port: no answer, or the two would talk for ever. */
    assert_int_equal(sock_open(r.client, SOCK_UDP, "CLIENT", &s), 0);
    assert_int_equal(sock_bind(s, IPADDR_ANY, 19, r.net->now), 0);
    to.port = 7;
    sock_sendto(s, "x", 1, &to, r.net->now);
    testnet_run(r.net, 2000);
    assert_int_equal(sock_recvfrom(s, answer, sizeof answer, &from, NULL, r.net->now), -ERR_AGAIN);
    sock_close(s, r.net->now);
    close_rig(&r);
}

static void bulk_server(void **state) {
    struct rig r;
    bool closed;
    static struct pattern p;
    static char up[100000];
    (void)state;
    pattern_init(&p);
    open_rig(&r);
    start(&r, "BULKSRV", "BYTES=123456");
    struct sock *s = dial(&r, 5001);
    assert_int_equal(hear(&r, s, answer, &closed), 123456);
    assert_true(closed);
    assert_int_equal(pattern_match(&p, answer, 123456, 0), 123456);
    sock_close(s, r.net->now);
    s = dial(&r, 5002);
    pattern_fill(&p, (u8 *)up, sizeof up, 0);
    tell(&r, s, up, sizeof up);
    sock_shutdown_send(s, r.net->now);
    hear(&r, s, answer, &closed);
    assert_string_equal((char *)answer, "LENGTH 100000 PATTERN OK\n");
    sock_close(s, r.net->now);
    close_rig(&r);
}

/* ---- text ---- */
static void references(void **state) {
    static const char text[] = "<a href=\"A\"> <a HREF=\"/b.html\"> <img src=\"c.gif\"> <a href=\"http://x/\"> <a "
                               "href=\"toolongname\"> <a href=\"D#part\"> <a href=\"E";
    char name[HTTP_NAME_MAX + 1], all[64] = "";
    u32 at = 0;
    (void)state;
    while (http_next_reference(text, sizeof text - 1, &at, name)) strcat(strcat(all, name), " ");
    assert_string_equal(all, "A B D E ");
}

/* Every prefix of a request, then silence: never complete, never out of bounds. */
static void prefixes(void **state) {
    static const char text[] = "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n";
    (void)state;
    for (u32 n = 0; n < sizeof text - 1; n++) {
        struct http_request req;
        bool complete = false;
        u8 *copy = malloc(n ? n : 1);
        memcpy(copy, text, n);
        http_request_begin(&req);
        assert_int_equal(http_request_feed(&req, copy, n, &complete), n);
        assert_false(complete);
        assert_int_equal(http_request_feed(&req, (const u8 *)text + n, sizeof text - 1 - n, &complete), sizeof text - 1 - n);
        assert_true(complete);
        assert_true(req.is_sink && req.length == 7 && !req.error);
        free(copy);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_requests),    cmocka_unit_test(a_long_target_and_a_long_header),
        cmocka_unit_test(byte_by_byte_and_pipelined),
        cmocka_unit_test(bulk_both_ways),   cmocka_unit_test(many_connections),
        cmocka_unit_test(held_and_released),
        cmocka_unit_test(silence_frees_the_place), cmocka_unit_test(a_client_that_does_not_read),
        cmocka_unit_test(start_and_stop),   cmocka_unit_test(small_servers_tcp),
        cmocka_unit_test(small_servers_free_the_place), cmocka_unit_test(small_servers_udp), cmocka_unit_test(bulk_server), cmocka_unit_test(pages_change),
        cmocka_unit_test(references),       cmocka_unit_test(prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
