/* test_tcp_open.c - beginnings: handshakes either way, simultaneous open, refusals, backlog, cookies, time-outs. */
#include "tests/unit/tcprig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

static const struct row passive_plain[] = {
    {0, LISTEN},
    {0, IN, S, 0, 0, 0, .mss = 1000},
    {0, OUT, S | A, 0, 1, 0, .mss = 1460},
    {0, STATE, .seq = TCP_SYN_RCVD},
    {0, IN, A, 1, 1},
    {0, QUIET},
    {0, STATE, .seq = TCP_ESTABLISHED},
    {0, ACCEPT},
    {0, IN, A, 1, 1, 100},
    {0, READ, .len = 100},
    {202, OUT, A, 1, 101},
    {0, WRITE, .len = 2500}, /* cut by the peer's MSS; Nagle holds the tail */
    {0, OUT, A, 1, 101, 1000},
    {0, OUT, A, 1001, 101, 1000},
    {0, QUIET},
    {0, IN, A, 101, 2001},
    {0, OUT, A, 2001, 101, 500},
    {0, IN, A, 101, 2501},
    {0, QUIET},
};

static const struct row passive_all_options[] = {
    {0, LISTEN},
    {0, IN, S, 0, 0, 0, .mss = 1460, SCALE(7), .sack_ok = true, .ts = 5000},
    {0, OUT, S | A, 0, 1, 0, .mss = 1460, SCALE(0), .sack_ok = true, .ts = 5000},
    {0, IN, A, 1, 1, 0, .ts = 5001},
    {0, ACCEPT},
    {0, IN, A, 1, 1, 10, .ts = 5002},
    {202, OUT, A, 1, 11, 0, .ts = 5002},
    {0, WRITE, .len = 2000}, /* 1460 less 12 of timestamps */
    {0, OUT, A, 1, 11, 1448, .ts = 5002},
    {0, IN, A, 11, 1449, 0, .ts = 5003},
    {0, OUT, A, 1449, 11, 552, .ts = 5003},
};

static const struct row active_open[] = {
    {0, CONNECT},
    {0, OUT, S, 0, 0, 0, .mss = 1460, SCALE(0), .sack_ok = true},
    {0, STATE, .seq = TCP_SYN_SENT},
    {0, IN, S | A, 0, 1, 0, .mss = 536},
    {0, OUT, A, 1, 1},
    {0, STATE, .seq = TCP_ESTABLISHED},
    {0, WRITE, .len = 600},
    {0, OUT, A, 1, 1, 536},
    {0, IN, A, 1, 537},
    {0, OUT, A, 537, 1, 64},
};

static const struct row active_refused[] = {
    {0, CONNECT},
    {0, OUT, S, 0, 0},
    {0, IN, R, 0, 0}, /* no acknowledgement: not believed */
    {0, STATE, .seq = TCP_SYN_SENT},
    {0, IN, R | A, 0, 77}, /* nor a wrong one */
    {0, STATE, .seq = TCP_SYN_SENT},
    {0, IN, R | A, 0, 1},
    {0, STATE, .seq = TCP_CLOSED},
    {0, ERROR, .seq = ERR_CONNREFUSED},
};

static const struct row active_bad_ack[] = {
    {0, CONNECT},
    {0, OUT, S, 0, 0},
    {0, IN, S | A, 0, 50},
    {0, OUT, R, 50, 0},
    {0, STATE, .seq = TCP_SYN_SENT},
    {0, IN, S | A, 0, 1},
    {0, OUT, A, 1, 1},
    {0, STATE, .seq = TCP_ESTABLISHED},
};

static const struct row syn_is_repeated[] = {
    {0, CONNECT},
    {0, OUT, S, 0, 0},
    {990, QUIET},
    {20, OUT, S, 0, 0}, /* after 1 s */
    {1980, QUIET},
    {40, OUT, S, 0, 0}, /* 2 s more */
    {4100, OUT, S, 0, 0},
    {8200, OUT, S, 0, 0},
    {16400, OUT, S, 0, 0},
    {32800, OUT, S, 0, 0},
    {15000, STATE, .seq = TCP_CLOSED}, /* CONNECTTIMEOUT 75 s */
    {0, ERROR, .seq = ERR_TIMEDOUT},
};

static const struct row simultaneous_open[] = {
    {0, CONNECT},
    {0, OUT, S, 0, 0},
    {0, IN, S, 0, 0, 0, .mss = 1000},
    {0, OUT, S | A, 0, 1},
    {0, STATE, .seq = TCP_SYN_RCVD},
    {0, IN, S | A, 0, 1, 0, .mss = 1000},
    {0, OUT, A, 1, 1},
    {0, STATE, .seq = TCP_ESTABLISHED},
    {0, WRITE, .len = 10},
    {0, OUT, A, 1, 1, 10},
};

static const struct row simultaneous_open_bare_ack[] = {
    {0, CONNECT},
    {0, OUT, S, 0, 0},
    {0, IN, S, 0, 0},
    {0, OUT, S | A, 0, 1},
    {0, IN, A, 1, 1, 5},
    {0, STATE, .seq = TCP_ESTABLISHED},
    {0, READ, .len = 5},
};

static const struct row syn_ack_is_repeated[] = {
    {0, LISTEN},
    {0, IN, S, 0, 0},
    {0, OUT, S | A, 0, 1},
    {1010, OUT, S | A, 0, 1},
    {0, IN, S, 0, 0}, /* the peer lost it too */
    {0, OUT, S | A, 0, 1},
    {2010, OUT, S | A, 0, 1},
    {4010, OUT, S | A, 0, 1},
    {8010, OUT, S | A, 0, 1},
    {16010, OUT, S | A, 0, 1},
    {31000, STATE, .seq = TCP_SYN_RCVD},
    {2000, STATE, .seq = TCP_CLOSED},
    {0, QUIET},
};

static const struct row half_open_guards[] = {
    {0, LISTEN},
    {0, IN, S, 0, 0},
    {0, OUT, S | A, 0, 1},
    {0, IN, R, 500, 0}, /* in the window, not exact: ignored */
    {0, STATE, .seq = TCP_SYN_RCVD},
    {0, IN, A, 1, 99}, /* acknowledges what was never sent */
    {0, OUT, R, 99, 0},
    {0, STATE, .seq = TCP_SYN_RCVD},
    {0, IN, S, 700, 0}, /* another SYN */
    {0, QUIET},
    {0, IN, R, 1, 0},
    {0, STATE, .seq = TCP_CLOSED},
    {0, QUIET},
};

static const struct row nobody_listens[] = {
    {0, IN, S, 0, 0},
    {0, OUT, R | A, 0, 1},
    {0, IN, S, 10, 0, 5},
    {0, OUT, R | A, 0, 16},
    {0, IN, A, 10, 4321, 5},
    {0, OUT, R, 4321, 0},
    {0, IN, R, 10, 0},
    {0, QUIET},
    {0, IN, R | A, 10, 5},
    {0, QUIET},
};

/* Data and FIN ride on the acknowledgement that ends the handshake. */
static const struct row data_with_the_third_segment[] = {
    {0, LISTEN},
    {0, IN, S, 0, 0},
    {0, OUT, S | A, 0, 1},
    {0, IN, A | F, 1, 1, 20},
    {0, OUT, A, 1, 22},
    {0, STATE, .seq = TCP_CLOSE_WAIT},
    {0, ACCEPT},
    {0, READ, .len = 20},
    {0, READ, .len = 0},
};

static const struct row fin_with_the_syn_sent_close[] = {
    {0, CONNECT},
    {0, OUT, S, 0, 0},
    {0, CLOSE},
    {0, STATE, .seq = TCP_CLOSED},
    {0, IN, S | A, 0, 1},
    {0, OUT, R, 1, 0},
};

/* Which copy of the SYN an answer is for, its timestamp says; an old one that comes late takes nothing back. */
static const struct row repeated_syn_is_echoed[] = {
    {0, LISTEN},
    {0, IN, S, 0, 0, 0, .ts = 5000},
    {0, OUT, S | A, 0, 1, 0, .ts = 5000},
    {1010, OUT, S | A, 0, 1, 0, .ts = 5000},
    {0, IN, S, 0, 0, 0, .ts = 6000},
    {0, OUT, S | A, 0, 1, 0, .ts = 6000},
    {0, IN, S, 0, 0, 0, .ts = 5000},
    {0, OUT, S | A, 0, 1, 0, .ts = 6000},
    {0, IN, A, 1, 1, 0, .ts = 6001},
    {0, STATE, .seq = TCP_ESTABLISHED},
};

/* A program that is silent for a while behind its connect(): that is no round trip. */
static const struct row first_text_comes_late[] = {
    {0, CONNECT},
    {0, OUT, S, 0, 0},
    {0, IN, S | A, 0, 1},
    {0, OUT, A, 1, 1},
    {20000, WRITE, .len = 10},
    {0, OUT, A, 1, 1, 10},
    {100, IN, A, 1, 11},
    {0, WRITE, .len = 10},
    {0, OUT, A, 11, 1, 10},
    {490, QUIET},
    {20, OUT, A, 11, 1, 10}, /* lost: the shortest time-out */
};

static void rows(void **state) {
    (void)state;
    CASE(passive_plain);
    CASE(passive_all_options);
    CASE(active_open);
    CASE(active_refused);
    CASE(active_bad_ack);
    CASE(syn_is_repeated);
    CASE(simultaneous_open);
    CASE(simultaneous_open_bare_ack);
    CASE(syn_ack_is_repeated);
    CASE(half_open_guards);
    CASE(nobody_listens);
    CASE(data_with_the_third_segment);
    CASE(fin_with_the_syn_sent_close);
    CASE(repeated_syn_is_echoed);
    CASE(first_text_comes_late);
}

/* The third copy of a SYN is answered. By the timestamp of the third the round trip is known; some peers echo the first one's, and what lies between
 * says nothing: 3 s until there is a sample (RFC 6298 5.7). */
static void answer_to_a_repeated_syn(void **state) {
    static const struct row begun[] = {{0, CONNECT}, {0, OUT, S, 0, 0}}, again[] = {{1010, OUT, S, 0, 0}, {2010, OUT, S, 0, 0}};
    static const struct row write[] = {{0, OUT, A, 1, 1}, {0, WRITE, .len = 10}, {0, OUT, A, 1, 1, 10}};
    static const struct row soon[] = {{490, QUIET}, {20, OUT, A, 1, 1, 10}}, later[] = {{2990, QUIET}, {20, OUT, A, 1, 1, 10}};
    (void)state;
    for (u32 first = 0; first < 2; first++) {
        struct tcprig r;
        tcprig_open(&r, 1);
        RUN(&r, begun);
        u32 ts = r.last_ts;
        RUN(&r, again);
        const struct row answer[] = {{0, IN, S | A, 0, 1, 0, .ts = 7, .echo = first ? ts : r.last_ts}};
        RUN(&r, answer);
        RUN(&r, write);
        if (first)
            RUN(&r, later);
        else
            RUN(&r, soon);
        tcprig_close(&r);
    }
}

static const struct row one_more[] = {
    {0, IN, S, 0, 0},
    {0, OUT, S | A, 0, 1},
    {0, IN, A, 1, 1},
    {0, QUIET},
};

/* What the program has left lying is limited by its backlog; a full queue drops the SYN and counts. */
static void backlog(void **state) {
    struct tcprig r;
    static const struct row listen[] = {{0, LISTEN, .len = 2}};
    static const struct row refused[] = {{0, IN, S, 0, 0}, {0, QUIET}};
    static const struct row accept[] = {{0, ACCEPT}};
    (void)state;
    tcprig_open(&r, 1);
    RUN(&r, listen);
    RUN(&r, one_more);
    r.peer_port++;
    RUN(&r, one_more);
    r.peer_port++;
    RUN(&r, refused);
    assert_int_equal(r.stk->stats.tcp.drop_backlog, 1);
    RUN(&r, accept);
    RUN(&r, one_more);
    tcprig_close(&r);
}

/* With every half-open row taken a SYN is answered by a cookie; its ACK opens a connection with what it carries. */
static void cookies(void **state) {
    struct tcprig r;
    static const struct row listen[] = {{0, LISTEN}};
    static const struct row flood[] = {{0, IN, S, 0, 0, 0, .mss = 1460}, {0, OUT, S | A, 0, 1}};
    static const struct row honest[] = {
        {0, IN, S, 0, 0, 0, .mss = 1460, SCALE(5), .sack_ok = true, .ts = 900},
        {0, OUT, S | A, 0, 1, 0, .mss = 1460, .sack_ok = true, .ts = 900},
        {0, QUIET},
        {0, STATE, .seq = TCP_CLOSED}, /* nothing is kept */
        {50, IN, A, 1, 1, 0, .ts = 950},
        {0, STATE, .seq = TCP_ESTABLISHED},
        {0, ACCEPT},
        {0, IN, A, 1, 1, 30, .ts = 951},
        {0, READ, .len = 30},
        {202, OUT, A, 1, 31, 0, .ts = 951},
        {0, IN, A, 41, 1, 10, .ts = 952},
        {0, OUT, A, 1, 31, 0, .ts = 951, .sack = {{41, 51}}},
        {0, WRITE, .len = 1448},
        {0, OUT, A, 1, 31, 1448, .ts = 951},
    };
    static const struct row forged[] = {
        {0, IN, A, 1, 12345, 0},
        {0, OUT, R, 12345, 0},
    };
    static const struct row late[] = {
        {0, IN, S, 0, 0, 0, .mss = 1460},
        {0, OUT, S | A, 0, 1},
        {140000, PASS},
        {0, IN, A, 1, 1},
        {0, OUT, R, 1, 0},
    };
    (void)state;
    tcprig_open(&r, 1);
    RUN(&r, listen);
    u32 rows_free = r.stk->tcp->syn_rows.count;
    for (u32 i = 0; i < rows_free; i++, r.peer_port++) {
        RUN(&r, flood);
        testnet_clear(r.lnk);
        r.looked_at = 0;
    }
    assert_int_equal(r.stk->stats.tcp.syn_cookies_sent, 0);
    RUN(&r, honest);
    assert_int_equal(r.stk->stats.tcp.syn_cookies_sent, 1);
    assert_int_equal(r.stk->stats.tcp.syn_cookies_ok, 1);
    assert_int_equal(r.s->tcb.q.snd_scale, 5);
    assert_int_equal(r.s->tcb.q.mss_peer, 1460);
    r.peer_port++;
    RUN(&r, forged);
    assert_int_equal(r.stk->stats.tcp.syn_cookies_bad, 1);
    sock_abort(r.s, r.net->now);
    r.s = NULL;
    testnet_run(r.net, 64000000); /* the flood's rows time out */
    testnet_clear(r.lnk);
    r.looked_at = 0;
    assert_int_equal(r.stk->tcp->syn_rows.in_use, 0);
    for (u32 i = 0; i < rows_free; i++, r.peer_port++) {
        RUN(&r, flood);
        testnet_clear(r.lnk);
        r.looked_at = 0;
    }
    RUN(&r, late);
    tcprig_close(&r);
}

struct ends {
    u32 n, isn;
    struct tcp_key key;
};
static void note_end(void *ctx, const struct tcp_key *key, u32 peer_isn, u64 now) {
    struct ends *e = ctx;
    UNUSED(now);
    e->n++, e->isn = peer_isn, e->key = *key;
}

/* Whoever asks is told once of each half-open connection that comes to nothing, and of none that is completed. */
static void half_open_ends(void **state) {
    static const struct row begun[] = {{0, LISTEN}, {0, IN, S, 0, 0}, {0, OUT, S | A, 0, 1}}, ack[] = {{0, IN, A, 1, 1}};
    static const struct row reset[] = {{0, IN, R, 1, 0}}, given_up[] = {{64000, PASS}};
    (void)state;
    for (u32 way = 0; way < 5; way++) {
        struct tcprig r;
        struct ends e = {.n = 0};
        tcprig_open(&r, 77);
        stack_hooks(r.stk)->ctx = &e;
        stack_hooks(r.stk)->half_open_ended = note_end;
        RUN(&r, begun);
        switch (way) {
        case 0: RUN(&r, ack); break;
        case 1: RUN(&r, reset); break;
        case 2: RUN(&r, given_up); break;
        case 3:
            sock_close(r.listener, r.net->now), r.listener = NULL;
            RUN(&r, ack); /* nobody listens any more */
            break;
        default: tcp_stop(r.stk, r.net->now); break;
        }
        assert_int_equal(e.n, way > 0);
        assert_true(!e.n || (e.isn == 77 && e.key.foreign_port == r.peer_port && ipaddr_eq(e.key.foreign, r.peer)));
        tcprig_close(&r);
        assert_int_equal(e.n, way > 0);
    }
}

/* RFC 6528: the same peer gets a number that only grows with the clock; another peer's says nothing about it. */
static void initial_numbers(void **state) {
    struct tcprig r;
    struct tcp_key k = {ipaddr_v4(1), ipaddr_v4(2), 3, 4}, other = {ipaddr_v4(1), ipaddr_v4(2), 3, 5};
    (void)state;
    tcprig_open(&r, 1);
    u32 a = tcp_isn(r.stk, &k, 1000000), b = tcp_isn(r.stk, &k, 1000400);
    assert_int_equal(b - a, 100);
    u32 d = tcp_isn(r.stk, &other, 1000000) - a;
    assert_true(d > 1000 && d < 0xFFFFFC00u);
    tcprig_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(answer_to_a_repeated_syn), cmocka_unit_test(backlog), cmocka_unit_test(cookies),
                                       cmocka_unit_test(half_open_ends), cmocka_unit_test(initial_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
