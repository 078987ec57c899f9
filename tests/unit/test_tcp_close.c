/* test_tcp_close.c - ends: every path of RFC 9293 figure 5 to CLOSED, resets both ways, TIME_WAIT, FIN_WAIT_2, DROP. */
#include "tests/unit/tcprig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

#define OPENED                                                                                               \
    {0, LISTEN}, {0, IN, S, 0, 0, 0, .mss = 1460}, {0, OUT, S | A, 0, 1}, {0, IN, A, 1, 1}, { 0, ACCEPT }

static const struct row we_close_first[] = {
    OPENED,
    {0, CLOSE},
    {0, OUT, F | A, 1, 1},
    {0, STATE, .seq = TCP_FIN_WAIT_1},
    {0, IN, A, 1, 2},
    {0, STATE, .seq = TCP_FIN_WAIT_2},
    {0, IN, F | A, 1, 2},
    {0, OUT, A, 2, 2},
    {0, STATE, .seq = TCP_TIME_WAIT},
    {30000, IN, F | A, 1, 2}, /* our ACK was lost: 2 MSL begin anew */
    {0, OUT, A, 2, 2},
    {45000, STATE, .seq = TCP_TIME_WAIT},
    {16000, STATE, .seq = TCP_CLOSED},
    {0, QUIET},
};

static const struct row peer_closes_first[] = {
    OPENED,
    {0, IN, F | A, 1, 1},
    {0, OUT, A, 1, 2},
    {0, STATE, .seq = TCP_CLOSE_WAIT},
    {0, READ, .len = 0},
    {0, WRITE, .len = 50}, /* half closed: we may still talk */
    {0, OUT, A, 1, 2, 50},
    {0, IN, A, 2, 51},
    {0, CLOSE},
    {0, OUT, F | A, 51, 2},
    {0, STATE, .seq = TCP_LAST_ACK},
    {0, IN, A, 2, 52},
    {0, STATE, .seq = TCP_CLOSED},
    {0, QUIET},
};

static const struct row last_ack_comes_twice[] = {
    OPENED,
    {0, IN, F | A, 1, 1},
    {0, OUT, A, 1, 2},
    {0, CLOSE},
    {0, OUT, F | A, 1, 2},
    {1010, OUT, F | A, 1, 2}, /* our timer was quicker than the acknowledgement */
    {0, IN, A, 2, 2},
    {0, IN, A, 2, 2}, /* of the second FIN: no reset */
    {0, QUIET},
    {61000, STATE, .seq = TCP_CLOSED},
    {0, QUIET},
};

static const struct row both_close[] = {
    OPENED,
    {0, CLOSE},
    {0, OUT, F | A, 1, 1},
    {0, IN, F | A, 1, 1},
    {0, OUT, A, 2, 2},
    {0, STATE, .seq = TCP_CLOSING},
    {0, IN, A, 2, 2},
    {0, STATE, .seq = TCP_TIME_WAIT},
};

static const struct row fin_and_ack_at_once[] = {
    OPENED,
    {0, CLOSE},
    {0, OUT, F | A, 1, 1},
    {0, IN, F | A, 1, 2},
    {0, OUT, A, 2, 2},
    {0, STATE, .seq = TCP_TIME_WAIT},
};

static const struct row half_close[] = {
    OPENED,
    {0, WRITE, .len = 10},
    {0, OUT, A, 1, 1, 10},
    {0, SHUT},
    {0, OUT, F | A, 11, 1},
    {0, IN, A, 1, 12},
    {0, STATE, .seq = TCP_FIN_WAIT_2},
    {0, IN, A, 1, 12, 300}, /* the peer goes on, and so do we, for longer than FINWAIT2TIME */
    {0, READ, .len = 300},
    {202, OUT, A, 12, 301},
    {700000, STATE, .seq = TCP_FIN_WAIT_2},
    {0, IN, F | A, 301, 12},
    {0, OUT, A, 12, 302},
    {0, STATE, .seq = TCP_TIME_WAIT},
    {0, READ, .len = 0},
};

/* A page, its end and the FIN leave in one segment. */
static const struct row fin_rides_on_text[] = {
    OPENED,
    {0, IN, A, 1, 1, 80},
    {0, READ, .len = 80},
    {0, OPTION, .seq = SO_NODELAY, .ack = 1},
    {0, WRITE, .len = 1000},
    {0, OUT, A, 1, 81, 1000},
    {0, WRITE, .len = 20},
    {0, OUT, A, 1001, 81, 20},
    {0, CLOSE},
    {0, OUT, F | A, 1021, 81},
    {0, IN, A, 81, 1022},
    {0, STATE, .seq = TCP_FIN_WAIT_2},
};

static const struct row fin_waits_for_window[] = {
    {0, LISTEN},
    {0, IN, S, 0, 0, 0, .mss = 1460},
    {0, OUT, S | A, 0, 1},
    {0, IN, A, 1, 1, 0, WINDOW(1000)},
    {0, ACCEPT},
    {0, WRITE, .len = 1500},
    {0, OUT, A, 1, 1, 1000},
    {0, CLOSE},
    {0, QUIET},
    {0, IN, A, 1, 1001, 0, WINDOW(1000)},
    {0, OUT, F | A, 1001, 1, 500},
    {0, IN, A, 1, 1502},
    {0, STATE, .seq = TCP_FIN_WAIT_2},
};

static const struct row finwait2_ends[] = {
    OPENED,
    {0, CLOSE},
    {0, OUT, F | A, 1, 1},
    {0, IN, A, 1, 2},
    {599000, STATE, .seq = TCP_FIN_WAIT_2},
    {2000, STATE, .seq = TCP_CLOSED},
    {0, QUIET},
};

static const struct row fin_is_repeated[] = {
    OPENED,
    {0, CLOSE},
    {0, OUT, F | A, 1, 1},
    {1010, OUT, F | A, 1, 1},
    {2010, OUT, F | A, 1, 1},
    {0, IN, A, 1, 2},
    {0, STATE, .seq = TCP_FIN_WAIT_2},
    {10000, QUIET},
};

static const struct row close_over_unread_text[] = {
    OPENED,
    {0, IN, A, 1, 1, 10},
    {0, CLOSE},
    {0, OUT, R | A, 1, 11},
    {0, STATE, .seq = TCP_CLOSED},
};

static const struct row text_after_close[] = {
    OPENED,
    {0, CLOSE},
    {0, OUT, F | A, 1, 1},
    {0, IN, A, 1, 2, 10},
    {0, OUT, R | A, 2, 1},
    {0, STATE, .seq = TCP_CLOSED},
};

static const struct row abort_resets[] = {
    OPENED,
    {0, ABORT},
    {0, OUT, R | A, 1, 1},
    {0, STATE, .seq = TCP_CLOSED},
    {0, IN, A, 1, 1, 5},
    {0, OUT, R, 1, 0},
};

/* Was the probe's octet taken? The peer believes a RST at one of the two only, and where it has no window it does not answer the other. */
static const struct row abort_beyond_a_shut_window[] = {
    OPENED,
    {0, IN, A, 1, 1, 0, WINDOW(0)},
    {0, WRITE, .len = 10},
    {0, QUIET},
    {1010, OUT, A, 1, 1, 1},
    {0, IN, A, 1, 1, 0, WINDOW(0)},
    {0, ABORT},
    {0, OUT, R | A, 2, 1},
    {0, OUT, R | A, 1, 1},
    {0, QUIET},
    {0, STATE, .seq = TCP_CLOSED},
};

static const struct row linger_zero_resets[] = {
    OPENED,
    {0, OPTION, .seq = SO_LINGER_OPT, .ack = 0},
    {0, CLOSE},
    {0, OUT, R | A, 1, 1},
    {0, STATE, .seq = TCP_CLOSED},
};

static const struct row peer_resets[] = {
    OPENED,
    {0, IN, A, 1, 1, 10},
    {0, IN, R | A, 11, 1},
    {0, STATE, .seq = TCP_CLOSED},
    {0, READ, .len = 10}, /* what came before it can be read */
    {0, ERROR, .seq = ERR_CONNRESET},
    {1000, QUIET},
};

static const struct row fin_out_of_order[] = {
    OPENED,
    {0, IN, F | A, 101, 1, 50},
    {0, OUT, A, 1, 1},
    {0, STATE, .seq = TCP_ESTABLISHED},
    {0, IN, A, 1, 1, 100},
    {0, OUT, A, 1, 152},
    {0, STATE, .seq = TCP_CLOSE_WAIT},
    {0, READ, .len = 150},
    {0, READ, .len = 0},
};

static const struct row bare_fin_out_of_order[] = {
    OPENED,
    {0, IN, F | A, 101, 1},
    {0, OUT, A, 1, 1},
    {0, IN, A, 1, 1, 100},
    {0, OUT, A, 1, 102},
    {0, STATE, .seq = TCP_CLOSE_WAIT},
};

static const struct row reset_in_timewait_is_ignored[] = {
    OPENED,
    {0, CLOSE},
    {0, OUT, F | A, 1, 1},
    {0, IN, F | A, 1, 2},
    {0, OUT, A, 2, 2},
    {0, IN, R, 2, 0},
    {0, STATE, .seq = TCP_TIME_WAIT},
    {0, IN, A, 2, 2}, /* nothing new in it */
    {0, QUIET},
    {0, IN, A, 2, 2, 10}, /* text: acknowledged, not taken */
    {0, OUT, A, 2, 2},
};

/* A new SYN from the same port: taken if it is beyond the old numbers, and our number is beyond our old ones. */
static const struct row timewait_is_reused[] = {
    OPENED,
    {0, CLOSE},
    {0, OUT, F | A, 1, 1},
    {0, IN, F | A, 1, 2},
    {0, OUT, A, 2, 2},
    {0, IN, S, 0, 0}, /* an old duplicate */
    {0, OUT, A, 2, 2},
    {0, STATE, .seq = TCP_TIME_WAIT},
};
static const struct row timewait_reuse_syn[] = {
    {0, IN, S, 5000, 0, 0, .mss = 1460},
    {0, OUT, S | A, 0, 5001},
    {0, STATE, .seq = TCP_SYN_RCVD},
    {0, IN, A, 5001, 1},
    {0, STATE, .seq = TCP_ESTABLISHED},
};

static void rows(void **state) {
    (void)state;
    CASE(we_close_first);
    CASE(peer_closes_first);
    CASE(last_ack_comes_twice);
    CASE(both_close);
    CASE(fin_and_ack_at_once);
    CASE(half_close);
    CASE(fin_rides_on_text);
    CASE(fin_waits_for_window);
    CASE(finwait2_ends);
    CASE(fin_is_repeated);
    CASE(close_over_unread_text);
    CASE(text_after_close);
    CASE(abort_resets);
    CASE(abort_beyond_a_shut_window);
    CASE(linger_zero_resets);
    CASE(peer_resets);
    CASE(fin_out_of_order);
    CASE(bare_fin_out_of_order);
    CASE(reset_in_timewait_is_ignored);
}

static void reuse(void **state) {
    struct tcprig r;
    (void)state;
    tcprig_open(&r, 77);
    RUN(&r, timewait_is_reused);
    u32 old_isn = r.our_isn;
    RUN(&r, timewait_reuse_syn);
    assert_true(seq_gt(r.our_isn, old_isn + 2));
    assert_int_equal(r.stk->stats.tcp.timewait_reused, 1);
    assert_int_equal(r.stk->tcp->timewait_rows.in_use, 0);
    tcprig_close(&r);
}

static const struct row opened[] = {OPENED};
static const struct row quick_end[] = {
    {0, IN, S, 0, 0},         {0, OUT, S | A, 0, 1}, {0, IN, A, 1, 1}, {0, ACCEPT}, {0, CLOSE}, {0, OUT, F | A, 1, 1},
    {0, IN, F | A, 1, 2}, {0, OUT, A, 2, 2},
};

/* More TIME_WAITs than rows: the oldest is forgotten, and that is counted. */
static void timewait_table_is_bounded(void **state) {
    struct tcprig r;
    static const struct row listen[] = {{0, LISTEN}};
    (void)state;
    tcprig_open(&r, 77);
    RUN(&r, listen);
    u32 rows_max = r.stk->tcp->timewait_rows.count;
    for (u32 i = 0; i < rows_max + 5; i++, r.peer_port++) RUN(&r, quick_end);
    assert_int_equal(r.stk->tcp->timewait_rows.in_use, rows_max);
    assert_int_equal(r.stk->stats.tcp.timewait_evicted, 5);
    testnet_run(r.net, 61000000);
    assert_int_equal(r.stk->tcp->timewait_rows.in_use, 0);
    tcprig_close(&r);
}

static void drop(void **state) {
    struct tcprig r;
    static const struct row after[] = {
        {0, OUT, R | A, 1, 1}, {0, STATE, .seq = TCP_CLOSED}, {0, ERROR, .seq = ERR_CONNABORTED}};
    static const struct row refused[] = {{0, IN, S, 0, 0}, {0, OUT, R | A, 0, 1}};
    (void)state;
    tcprig_open(&r, 77);
    RUN(&r, opened);
    assert_int_equal(tcp_drop(r.stk, 0x7FFFFFFF, r.net->now), -ERR_NOENT);
    assert_int_equal(tcp_drop(r.stk, sock_conn_id(r.s), r.net->now), 0);
    testnet_poll(r.net);
    assert_true(r.events & SOCK_EV_CLOSED);
    RUN(&r, after);
    assert_true(tcp_listening(r.stk, 80, "HTTPD"));
    assert_int_equal(tcp_drop(r.stk, sock_conn_id(r.listener), r.net->now), 0);
    assert_false(tcp_listening(r.stk, 80, NULL));
    r.peer_port++;
    RUN(&r, refused);
    tcprig_close(&r);
}

/* P TCPIP: connections in every kind of table go, and nothing is left (testnet_destroy looks). */
static void stop(void **state) {
    struct tcprig r;
    static const struct row half[] = {{0, IN, S, 0, 0}, {0, OUT, S | A, 0, 1}};
    static const struct row unread[] = {{0, IN, A, 1, 1, 5000}, {0, WRITE, .len = 20000}};
    (void)state;
    tcprig_open(&r, 77);
    RUN(&r, opened);
    RUN(&r, unread);
    testnet_clear(r.lnk);
    r.looked_at = 0;
    r.peer_port++;
    RUN(&r, half);
    r.s = r.listener = NULL;
    tcprig_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(reuse),
                                       cmocka_unit_test(timewait_table_is_bounded), cmocka_unit_test(drop),
                                       cmocka_unit_test(stop)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
