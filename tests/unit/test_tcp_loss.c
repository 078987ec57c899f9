/* test_tcp_loss.c - what is lost comes again: timeouts, duplicates, NewReno, SACK, shut windows, path MTU. */
#include "tests/unit/tcprig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

#define OPENED                                                                                               \
    {0, LISTEN}, {0, IN, S, 0, 0, 0, .mss = 1000}, {0, OUT, S | A, 0, 1}, {0, IN, A, 1, 1}, { 0, ACCEPT }
#define OPENED_SACK                                                                                          \
    {0, LISTEN}, {0, IN, S, 0, 0, 0, .mss = 1000, .sack_ok = true}, {0, OUT, S | A, 0, 1, .sack_ok = true},  \
        {0, IN, A, 1, 1}, {                                                                                  \
        0, ACCEPT                                                                                            \
    }
#define TEN_SENT                                                                                             \
    {0, WRITE, .len = 10000}, {0, OUT, A, 1, 1, 1000}, {0, OUT, A, 1001, 1, 1000}, {0, OUT, A, 2001, 1, 1000},  \
        {0, OUT, A, 3001, 1, 1000}, {0, OUT, A, 4001, 1, 1000}, {0, OUT, A, 5001, 1, 1000},                   \
        {0, OUT, A, 6001, 1, 1000}, {0, OUT, A, 7001, 1, 1000}, {0, OUT, A, 8001, 1, 1000}, {                 \
        0, OUT, A, 9001, 1, 1000                                                                             \
    }

/* RFC 6298: 1 s without a sample, doubled each time, and back once a sample comes. */
static const struct row timeout_and_backoff[] = {
    OPENED,
    {0, WRITE, .len = 500},
    {0, OUT, A, 1, 1, 500},
    {990, QUIET},
    {20, OUT, A, 1, 1, 500},
    {1980, QUIET},
    {40, OUT, A, 1, 1, 500},
    {4020, OUT, A, 1, 1, 500},
    {0, IN, A, 1, 501},
    {0, WRITE, .len = 100},
    {0, OUT, A, 501, 1, 100},
    {100, IN, A, 1, 601}, /* 100 ms: RTO is now 100 + 4 * 50, raised to 500 */
    {0, WRITE, .len = 100},
    {0, OUT, A, 601, 1, 100},
    {490, QUIET},
    {20, OUT, A, 601, 1, 100},
};

static const struct row given_up[] = {
    OPENED,
    {0, WRITE, .len = 1},
    {0, OUT, A, 1, 1, 1},
    {1000000, PASS},
    {100000, PASS},
    {0, STATE, .seq = TCP_ESTABLISHED},
    {200000, PASS},
    {120000, PASS},
    {0, STATE, .seq = TCP_CLOSED},
    {0, ERROR, .seq = ERR_TIMEDOUT},
};

/* After a timeout the window is one segment and everything unacknowledged is sent again, slowly growing. */
static const struct row go_back_after_timeout[] = {
    OPENED,
    TEN_SENT,
    {1010, OUT, A, 1, 1, 1000},
    {0, QUIET},
    {0, IN, A, 1, 1001},
    {0, OUT, A, 1001, 1, 1000},
    {0, OUT, A, 2001, 1, 1000},
    {0, QUIET},
    {0, IN, A, 1, 8001}, /* only 1..2000 were lost */
    {0, OUT, A, 8001, 1, 1000},
    {0, OUT, A, 9001, 1, 1000},
    {0, IN, A, 1, 10001},
    {0, QUIET},
};

/* RFC 5681 3.2, RFC 6582: three duplicates, a partial acknowledgement, the end of recovery. */
static const struct row fast_retransmit_newreno[] = {
    OPENED,
    TEN_SENT,
    {20, IN, A, 1, 1001},
    {0, IN, A, 1, 1001},
    {0, IN, A, 1, 1001},
    {0, QUIET},
    {0, IN, A, 1, 1001},
    {0, OUT, A, 1001, 1, 1000}, /* the third duplicate */
    {0, QUIET},
    {0, IN, A, 1, 1001},
    {0, IN, A, 1, 1001},
    {0, QUIET},
    {0, IN, A, 1, 4001}, /* 4001 is lost too */
    {0, OUT, A, 4001, 1, 1000},
    {0, QUIET},
    {0, IN, A, 1, 10001},
    {0, QUIET},
    {0, WRITE, .len = 2000},
    {0, OUT, A, 10001, 1, 1000},
    {0, OUT, A, 11001, 1, 1000},
    {0, IN, A, 1, 12001},
};

/* RFC 3042: the first two duplicates let new text out. */
static const struct row limited_transmit[] = {
    OPENED,
    {0, WRITE, .len = 14000},
    {0, PASS}, /* ten of them */
    {20, IN, A, 1, 1, 0},
    {0, OUT, A, 10001, 1, 1000},
    {0, IN, A, 1, 1, 0},
    {0, OUT, A, 11001, 1, 1000},
    {0, IN, A, 1, 1, 0},
    {0, OUT, A, 1, 1, 1000},
    {0, QUIET},
};

/* RFC 6675: 1 and 4001 are lost; each goes once, and new text follows as the pipe drains. */
static const struct row sack_recovery[] = {
    OPENED_SACK,
    TEN_SENT,
    {20, IN, A, 1, 1, 0, .sack = {{1001, 2001}}},
    {0, IN, A, 1, 1, 0, .sack = {{1001, 3001}}},
    {0, QUIET},
    {0, IN, A, 1, 1, 0, .sack = {{1001, 4001}}},
    {0, OUT, A, 1, 1, 1000},
    {0, IN, A, 1, 1, 0, .sack = {{5001, 6001}, {1001, 4001}}},
    {0, IN, A, 1, 1, 0, .sack = {{5001, 7001}, {1001, 4001}}},
    {0, QUIET},
    {0, IN, A, 1, 1, 0, .sack = {{5001, 8001}, {1001, 4001}}},
    {0, OUT, A, 4001, 1, 1000},
    {0, IN, A, 1, 1, 0, .sack = {{5001, 10001}, {1001, 4001}}},
    {0, QUIET},
    {0, IN, A, 1, 4001, 0, .sack = {{5001, 10001}}},
    {0, QUIET}, /* 4001 is on its way already */
    {0, IN, A, 1, 10001},
    {0, STATE, .seq = TCP_ESTABLISHED},
    {2000, QUIET},
};

/* SACK blocks that say what cannot be are ignored. */
static const struct row sack_nonsense[] = {
    OPENED_SACK,
    TEN_SENT,
    {20, IN, A, 1, 1, 0, .sack = {{20001, 30001}, {90001, 90002}}},
    {0, IN, A, 1, 1, 0, .sack = {{3001, 2001}}},
    {0, QUIET},
    {0, IN, A, 1, 10001},
    {0, STATE, .seq = TCP_ESTABLISHED},
};

/* The receiver's side: what is ahead is kept, reported newest first, and joined. */
static const struct row reordered_arrival[] = {
    OPENED_SACK,
    {0, IN, A, 1001, 1, 1000},
    {0, OUT, A, 1, 1, 0, .sack = {{1001, 2001}}},
    {0, IN, A, 3001, 1, 1000},
    {0, OUT, A, 1, 1, 0, .sack = {{3001, 4001}, {1001, 2001}}},
    {0, IN, A, 2001, 1, 1000},
    {0, OUT, A, 1, 1, 0, .sack = {{1001, 4001}}},
    {0, IN, A, 1, 1, 1000},
    {0, OUT, A, 1, 4001},
    {0, READ, .len = 4000},
    {0, QUIET},
};

static const struct row overlapping_arrival[] = {
    OPENED_SACK,
    {0, IN, A, 501, 1, 1000},
    {0, OUT, A, 1, 1, 0, .sack = {{501, 1501}}},
    {0, IN, A, 1, 1, 800},
    {0, OUT, A, 1, 1501},
    {0, IN, A, 1001, 1, 1000}, /* half of it is old */
    {0, READ, .len = 2000},
    {202, OUT, A, 1, 2001},
    {0, IN, A, 1, 1, 500}, /* all of it is old: our ACK was lost */
    {0, OUT, A, 1, 2001},
};

/* One segment covers a whole range ahead and reaches into the next. */
static const struct row covering_arrival[] = {
    OPENED_SACK,
    {0, IN, A, 401, 1, 400},
    {0, OUT, A, 1, 1, 0, .sack = {{401, 801}}},
    {0, IN, A, 1401, 1, 400},
    {0, OUT, A, 1, 1, 0, .sack = {{1401, 1801}, {401, 801}}},
    {0, IN, A, 1, 1, 1600},
    {0, OUT, A, 1, 1801},
    {0, READ, .len = 1800},
};

/* Window shut: probes with one byte, backed off; then it opens. */
static const struct row persist[] = {
    OPENED,
    {0, IN, A, 1, 1, 0, WINDOW(0)},
    {0, WRITE, .len = 3000},
    {0, QUIET},
    {1010, OUT, A, 1, 1, 1},
    {0, IN, A, 1, 1, 0, WINDOW(0)},
    {2010, OUT, A, 1, 1, 1},
    {0, IN, A, 1, 1, 0, WINDOW(0)},
    {4010, OUT, A, 1, 1, 1},
    {0, IN, A, 1, 2, 0, WINDOW(0)}, /* it took the byte */
    {500, QUIET},
    {0, IN, A, 1, 2, 0, WINDOW(5000)},
    {0, OUT, A, 2, 1, 1000},
    {0, OUT, A, 1002, 1, 1000},
    {0, IN, A, 1, 2002}, /* Nagle kept the tail */
    {0, OUT, A, 2002, 1, 999},
    {0, IN, A, 1, 3001},
    {5000, QUIET},
};

/* A window smaller than half of the largest offered is not used (SWS), until the probe timer says otherwise. */
static const struct row silly_window[] = {
    OPENED,
    {0, IN, A, 1, 1, 0, WINDOW(2000)},
    {0, WRITE, .len = 5000},
    {0, OUT, A, 1, 1, 1000},
    {0, OUT, A, 1001, 1, 1000},
    {0, IN, A, 1, 2001, 0, WINDOW(300)},
    {0, QUIET},
    {500, PASS},
    {600, PASS},
    {0, IN, A, 1, 2301, 0, WINDOW(2000)},
    {0, OUT, A, 2301, 1, 1000},
    {0, OUT, A, 3301, 1, 1000},
};

/* Our own window: shut when the program does not read, and opened by not less than two segments. */
static const struct row our_window[] = {
    {0, LISTEN},
    {0, OPTION, .seq = SO_RCVBUF_OPT, .ack = 4000},
    {0, IN, S, 0, 0, 0, .mss = 1000},
    {0, OUT, S | A, 0, 1, 0, WINDOW(4000)},
    {0, IN, A, 1, 1},
    {0, ACCEPT},
    {0, IN, A, 1, 1, 1000},
    {0, IN, A, 1001, 1, 1000},
    {0, OUT, A, 1, 2001, 0, WINDOW(2000)},
    {0, IN, A, 2001, 1, 1000},
    {0, IN, A, 3001, 1, 1000},
    {0, OUT, A, 1, 4001, 0, WINDOW(0)},
    {0, IN, A, 4001, 1, 1}, /* a probe */
    {0, OUT, A, 1, 4001, 0, WINDOW(0)},
    {0, READ, .len = 500},
    {0, QUIET},
    {0, READ, .len = 1500},
    {0, OUT, A, 1, 4001, 0, WINDOW(2000)},
    {0, IN, A, 4001, 1, 1000},
    {0, READ, .len = 3000},
};

/* RFC 1191: the segment is too large for a hop; it is cut and sent again at once. */
static const struct row path_mtu[] = {
    {0, LISTEN},
    {0, IN, S, 0, 0, 0, .mss = 1460},
    {0, OUT, S | A, 0, 1},
    {0, IN, A, 1, 1},
    {0, ACCEPT},
    {0, WRITE, .len = 2920},
    {0, OUT, A, 1, 1, 1460},
    {0, OUT, A, 1461, 1, 1460},
    {0, FRAG, .seq = 1, .len = 1000},
    {0, OUT, A, 1, 1, 960},
    {0, OUT, A, 961, 1, 960},
    {0, OUT, A, 1921, 1, 960},
    {0, OUT, A, 2881, 1, 40},
    {0, IN, A, 1, 2921},
    {0, FRAG, .seq = 5000, .len = 600}, /* quotes nothing in flight: not believed */
    {0, WRITE, .len = 960},
    {0, OUT, A, 2921, 1, 960},
};

static void rows(void **state) {
    (void)state;
    CASE(timeout_and_backoff);
    CASE(given_up);
    CASE(go_back_after_timeout);
    CASE(fast_retransmit_newreno);
    CASE(limited_transmit);
    CASE(sack_recovery);
    CASE(sack_nonsense);
    CASE(reordered_arrival);
    CASE(overlapping_arrival);
    CASE(covering_arrival);
    CASE(persist);
    CASE(silly_window);
    CASE(our_window);
}

static void path_mtu_discovery(void **state) {
    struct tcprig r;
    (void)state;
    tcprig_open(&r, 9);
    r.stk->conf.ip.path_mtu_discovery = true;
    net_config_changed(r.stk);
    RUN(&r, path_mtu);
    assert_int_equal(r.s->tcb.q.mss_send, 960);
    tcprig_close(&r);
}

/* A peer that answers probes may keep its window shut; one that does not is given up. */
static void persist_gives_up_only_on_silence(void **state) {
    struct tcprig r;
    static const struct row shut[] = {OPENED, {0, IN, A, 1, 1, 0, WINDOW(0)}, {0, WRITE, .len = 10}};
    static const struct row answer[] = {{0, PASS}, {0, IN, A, 1, 1, 0, WINDOW(0)}, {0, STATE, .seq = TCP_ESTABLISHED}};
    static const struct row ended[] = {{0, STATE, .seq = TCP_CLOSED}, {0, ERROR, .seq = ERR_TIMEDOUT}};
    (void)state;
    tcprig_open(&r, 9);
    RUN(&r, shut);
    for (u32 i = 0; i < 40; i++) {
        testnet_run(r.net, 130000000);
        RUN(&r, answer);
    }
    for (u32 i = 0; i < 20; i++) testnet_run(r.net, 130000000);
    r.looked_at = testnet_sent(r.lnk);
    RUN(&r, ended);
    tcprig_close(&r);
}

/* The pool of chunks is empty: text is dropped and counted, the peer sends it again, and all is well. */
static void no_buffer(void **state) {
    struct tcprig r;
    static const struct row opened[] = {OPENED};
    static const struct row dropped[] = {{0, IN, A, 1, 1, 1000}, {0, OUT, A, 1, 1}, {0, IN, A, 1001, 1, 100}, {0, OUT, A, 1, 1}};
    static const struct row taken[] = {{0, IN, A, 1, 1, 1000}, {0, READ, .len = 1000}, {202, OUT, A, 1, 1001}};
    (void)state;
    tcprig_open(&r, 9);
    RUN(&r, opened);
    struct pool *p = &r.stk->tcp->chunks;
    void *all = NULL, *one;
    while (p->in_use < p->count) {
        one = pool_get(p);
        *(void **)one = all;
        all = one;
    }
    RUN(&r, dropped);
    assert_int_equal(r.stk->stats.tcp.drop_no_buffer, 2);
    u8 *room;
    assert_int_equal(sock_send_room(r.s, &room), -ERR_AGAIN);
    while (all) {
        one = all;
        all = *(void **)one;
        pool_put(p, one);
    }
    r.events = 0;
    testnet_run(r.net, 30000);
    assert_true(r.events & SOCK_EV_WRITE);
    RUN(&r, taken);
    tcprig_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(path_mtu_discovery),
                                       cmocka_unit_test(persist_gives_up_only_on_silence), cmocka_unit_test(no_buffer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
