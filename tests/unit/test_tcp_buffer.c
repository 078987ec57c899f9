/* test_tcp_buffer.c - the send buffer that grows by itself (net/tcp_ack.c): while nothing but the buffer limits the sender, to
 * TCP_GROWS_TO; never for a peer that does not read, a congestion window, a small buffer, or when most chunks are taken. */
#include "tests/unit/tcprig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

#define ROUNDS 400 /* acknowledgements of a whole flight: the congestion window opens by two segments each */

/* A window of 2 MB: the peer holds nobody back. */
static const struct row wide[] = {
    {0, LISTEN},
    {0, OPTION, .seq = SO_SNDBUF_OPT, .ack = TCP_GROWS_FROM},
    {0, IN, S, 0, 0, 0, .mss = 1460, SCALE(5)},
    {0, OUT, S | A, 0, 1},
    {0, IN, A, 1, 1},
    {0, ACCEPT},
};
/* A window of 32 KB. */
static const struct row narrow[] = {
    {0, LISTEN},
    {0, OPTION, .seq = SO_SNDBUF_OPT, .ack = TCP_GROWS_FROM},
    {0, IN, S, 0, 0, 0, .mss = 1460},
    {0, OUT, S | A, 0, 1},
    {0, IN, A, 1, 1, WINDOW(32768)},
    {0, ACCEPT},
};
static const struct row small[] = {
    {0, LISTEN},
    {0, OPTION, .seq = SO_SNDBUF_OPT, .ack = TCP_GROWS_FROM / 2},
    {0, IN, S, 0, 0, 0, .mss = 1460, SCALE(5)},
    {0, OUT, S | A, 0, 1},
    {0, IN, A, 1, 1},
    {0, ACCEPT},
};

/* The program writes until there is no room; what was sent is acknowledged as a whole. Returns how much that was. */
static u32 round_trip(struct tcprig *r, u32 window) {
    static u8 text[8192];
    i32 n;
    do {
        for (u32 i = 0; i < sizeof text; i++) text[i] = (u8)((1 + r->written + i) % 251);
        n = sock_send(r->s, text, sizeof text, r->net->now);
        if (n > 0) r->written += (u32)n;
    } while (n > 0);
    assert_int_equal(n, -ERR_AGAIN);
    testnet_poll(r->net);
    struct tcp_seq *q = &r->s->tcb.q;
    u32 flight = q->snd_max - q->snd_una;
    const struct row ack[] = {{1, PASS}, {0, IN, A, 1, q->snd_max - r->our_isn, 0, WINDOW(window)}, {0, PASS}};
    RUN(r, ack);
    return flight;
}

static u32 limit_after(const struct row *rows, u32 n, u32 window, u32 rounds) {
    struct tcprig r;
    tcprig_open(&r, 1000);
    tcprig_run(&r, "opened", rows, n);
    for (u32 i = 0; i < rounds; i++) round_trip(&r, window);
    u32 limit = r.s->tcb.tx_limit;
    tcprig_close(&r);
    return limit;
}

static void grows_while_it_alone_limits(void **state) {
    UNUSED(state);
    /* The first flight is the initial window's, most of the text waits: nothing to learn about the buffer. */
    assert_int_equal(limit_after(wide, ARRAY_LEN(wide), 65535, 1), TCP_GROWS_FROM);
    assert_int_equal(limit_after(wide, ARRAY_LEN(wide), 65535, ROUNDS), TCP_GROWS_TO);
}

static void a_round_trip_doubles_it_at_most(void **state) {
    UNUSED(state);
    struct tcprig r;
    tcprig_open(&r, 1000);
    RUN(&r, wide);
    for (u32 i = 0; i < ROUNDS; i++) {
        u32 before = r.s->tcb.tx_limit, flight = round_trip(&r, 65535), after = r.s->tcb.tx_limit;
        assert_true(after == before || after == u32_min(before + flight, TCP_GROWS_TO));
        assert_true(after <= 2 * before);
    }
    tcprig_close(&r);
}

static void others_limits_leave_it_alone(void **state) {
    UNUSED(state);
    assert_int_equal(limit_after(narrow, ARRAY_LEN(narrow), 32768, ROUNDS), TCP_GROWS_FROM);
    assert_int_equal(limit_after(small, ARRAY_LEN(small), 65535, ROUNDS), TCP_GROWS_FROM / 2);
}

static void few_chunks_are_left_for_others(void **state) {
    UNUSED(state);
    struct tcprig r;
    struct list taken;
    tcprig_open(&r, 1000);
    RUN(&r, wide);
    struct pool *chunks = &r.stk->tcp->chunks;
    list_init(&taken);
    while (chunks->in_use <= chunks->count / 2) {
        struct list *c = pool_get(chunks);
        assert_non_null(c);
        list_init(c);
        list_push_back(&taken, c);
    }
    for (u32 i = 0; i < ROUNDS; i++) round_trip(&r, 65535);
    assert_int_equal(r.s->tcb.tx_limit, TCP_GROWS_FROM);
    for (struct list *c; (c = list_pop_front(&taken)) != NULL;) pool_put(chunks, c);
    for (u32 i = 0; i < ROUNDS; i++) round_trip(&r, 65535);
    assert_true(r.s->tcb.tx_limit > TCP_GROWS_FROM);
    tcprig_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_while_it_alone_limits),
        cmocka_unit_test(a_round_trip_doubles_it_at_most),
        cmocka_unit_test(others_limits_leave_it_alone),
        cmocka_unit_test(few_chunks_are_left_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
