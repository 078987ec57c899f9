/* test_tcp_guard.c - segments that should not be believed (RFC 5961, 7323 PAWS, 9293), and silence: keepalive,
 * delayed acknowledgements, Nagle; segmentation and checksums left to the card. */
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
#define OPENED_TS                                                                                            \
    {0, LISTEN}, {0, IN, S, 0, 0, 0, .mss = 1460, .ts = 1000}, {0, OUT, S | A, 0, 1, .ts = 1000},            \
        {0, IN, A, 1, 1, 0, .ts = 1001}, {                                                                   \
        0, ACCEPT                                                                                            \
    }

static const struct row paws[] = {
    OPENED_TS,
    {0, IN, A, 1, 1, 10, .ts = 1010},
    {202, OUT, A, 1, 11, 0, .ts = 1010},
    {0, IN, A, 11, 1, 10, .ts = 1005}, /* older: an old duplicate from before the wrap */
    {0, OUT, A, 1, 11, 0, .ts = 1010},
    {0, IN, A, 11, 1, 10}, /* none at all */
    {0, QUIET},
    {0, IN, A, 11, 1, 10, .ts = 1011},
    {0, READ, .len = 20},
    {202, OUT, A, 1, 21, 0, .ts = 1011},
    {0, IN, R, 21, 0}, /* a reset needs no timestamp */
    {0, STATE, .seq = TCP_CLOSED},
};

/* RFC 7323 4.3: the echoed value is that of the segment that moved the left edge, not of one ahead. */
static const struct row echo_of_the_left_edge[] = {
    OPENED_TS,
    {0, IN, A, 101, 1, 100, .ts = 2000},
    {0, OUT, A, 1, 1, 0, .ts = 1001},
    {0, IN, A, 1, 1, 100, .ts = 1500},
    {0, OUT, A, 1, 201, 0, .ts = 1500},
};

/* A probe is two ACKs whose timestamps are half the number space apart: whatever the peer has seen, one of them is not old. */
static void a_probe_is_never_old(void **state) {
    static const struct row opened[] = {OPENED_TS}, probe[] = {{0, OUT, A, 0, 1}};
    struct tcprig rig;
    u32 stamp[2];
    UNUSED(state);
    tcprig_open(&rig, 7000);
    RUN(&rig, opened);
    const struct tcp_key key = {rig.us, rig.peer, rig.our_port, rig.peer_port};
    tcp_probe_peer(rig.stk, &key, rig.our_isn, rig.peer_isn + 1, rig.net->now);
    for (u32 i = 0; i < 2; i++) {
        RUN(&rig, probe);
        stamp[i] = rig.last_ts;
    }
    assert_int_equal(stamp[0] ^ stamp[1], 1u << 31);
    static const u32 seen[] = {0, 1, 0x7FFFFFFF, 0x80000000u, 0x80000001u, 0xDD1F2C33u, 0xFFFFFFFFu};
    for (u32 i = 0; i < ARRAY_LEN(seen); i++)
        assert_true((i32)(stamp[0] - seen[i]) >= 0 || (i32)(stamp[1] - seen[i]) >= 0);
    tcprig_close(&rig);
}

/* 24 days of silence: the old timestamp has no meaning any more. */
static const struct row paws_after_24_days[] = {
    {0, IN, A, 1, 1, 10, .ts = 500},
    {0, READ, .len = 10},
};

static const struct row reset_in_window[] = {
    OPENED,
    {0, IN, R, 100, 0},
    {0, OUT, A, 1, 1},
    {0, IN, R, 0, 0},
    {0, QUIET},
    {0, IN, R, 70000, 0},
    {0, QUIET},
    {0, STATE, .seq = TCP_ESTABLISHED},
    {0, IN, R, 1, 0},
    {0, STATE, .seq = TCP_CLOSED},
};

static const struct row syn_in_window[] = {
    OPENED,
    {0, IN, S, 100, 0},
    {0, OUT, A, 1, 1},
    {0, IN, S, 900000, 0},
    {0, OUT, A, 1, 1},
    {0, IN, S | A, 0, 1},
    {0, OUT, A, 1, 1},
    {0, STATE, .seq = TCP_ESTABLISHED},
};

static const struct row acks_out_of_range[] = {
    OPENED,
    {0, WRITE, .len = 100},
    {0, OUT, A, 1, 1, 100},
    {0, IN, A, 1, 102}, /* not sent yet */
    {0, OUT, A, 101, 1},
    {0, IN, A, 1, (u32)-70000}, /* older than any window */
    {0, OUT, A, 101, 1},
    {0, IN, A, 1, (u32)-5, 10}, /* old but possible: its text counts */
    {0, READ, .len = 10},
    {0, IN, A, 11, 101},
    {0, STATE, .seq = TCP_ESTABLISHED},
};

static const struct row outside_the_window[] = {
    OPENED,
    {0, IN, A, 66000, 1, 10},
    {0, OUT, A, 1, 1},
    {0, IN, A, 65500, 1, 100}, /* its last 64 bytes are beyond the edge */
    {0, OUT, A, 1, 1},
    {0, IN, P, 1, 0, 10}, /* no ACK bit */
    {0, QUIET},
    {0, IN, A, 1, 1, 5},
    {0, READ, .len = 5},
};

static const struct row urgent_is_text[] = {
    OPENED,
    {0, IN, A | TCPF_URG, 1, 1, 40},
    {0, READ, .len = 40},
};

/* The zero-length segment below rcv_nxt is a keepalive of the peer's. */
static const struct row answers_keepalive[] = {
    OPENED,
    {0, IN, A, 0, 1},
    {0, OUT, A, 1, 1},
    {0, IN, A, 0, 1, 1}, /* with a byte of garbage */
    {0, OUT, A, 1, 1},
};

static const struct row keepalive[] = {
    OPENED,
    {0, OPTION, .seq = SO_KEEPALIVE_OPT, .ack = 1},
    {7199000, QUIET}, /* INTERVAL 120 minutes */
    {2000, OUT, A, 0, 1},
    {0, IN, A, 1, 1},
    {7199000, QUIET},
    {2000, OUT, A, 0, 1},
    {75010, OUT, A, 0, 1},
    {75010, OUT, A, 0, 1},
    {75010, OUT, A, 0, 1},
    {75010, OUT, A, 0, 1},
    {75010, OUT, A, 0, 1},
    {75010, OUT, A, 0, 1},
    {75010, OUT, A, 0, 1},
    {75010, OUT, A, 0, 1},
    {75010, OUT, A, 0, 1},
    {75010, OUT, R | A, 1, 1},
    {0, STATE, .seq = TCP_CLOSED},
    {0, ERROR, .seq = ERR_TIMEDOUT},
};

static const struct row delayed_ack[] = {
    OPENED,
    {0, IN, A, 1, 1, 1460},
    {0, QUIET},
    {0, IN, A, 1461, 1, 1460},
    {0, OUT, A, 1, 2921}, /* the second full segment */
    {0, IN, A, 2921, 1, 100},
    {190, QUIET},
    {15, OUT, A, 1, 3021},
    {0, IN, A, 3021, 1, 100},
    {0, WRITE, .len = 5}, /* or with text */
    {0, OUT, A, 1, 3121, 5},
    {300, QUIET},
};

static const struct row nagle[] = {
    OPENED,
    {0, WRITE, .len = 10},
    {0, OUT, A, 1, 1, 10},
    {0, WRITE, .len = 10},
    {0, WRITE, .len = 10},
    {0, QUIET},
    {0, IN, A, 1, 11},
    {0, OUT, A, 11, 1, 20},
    {0, OPTION, .seq = SO_NODELAY, .ack = 1},
    {0, WRITE, .len = 10},
    {0, OUT, A, 31, 1, 10},
};

static void rows(void **state) {
    (void)state;
    CASE(paws);
    CASE(echo_of_the_left_edge);
    CASE(reset_in_window);
    CASE(syn_in_window);
    CASE(acks_out_of_range);
    CASE(outside_the_window);
    CASE(urgent_is_text);
    CASE(answers_keepalive);
    CASE(keepalive);
    CASE(delayed_ack);
    CASE(nagle);
}

static const struct row opened[] = {OPENED};
static const struct row opened_ts[] = {OPENED_TS};

static void paws_and_a_long_silence(void **state) {
    struct tcprig r;
    (void)state;
    tcprig_open(&r, 5);
    RUN(&r, opened_ts);
    r.net->now += 24ull * 86400 * 1001000;
    testnet_poll(r.net);
    RUN(&r, paws_after_24_days);
    tcprig_close(&r);
}

/* At most so many challenge ACKs a second, whoever asks. */
static void challenges_are_limited(void **state) {
    struct tcprig r;
    static const struct row poke[] = {{0, IN, S, 100, 0}, {0, PASS}};
    (void)state;
    tcprig_open(&r, 5);
    RUN(&r, opened);
    u32 before = r.stk->stats.tcp.out_segs;
    for (u32 i = 0; i < 1000; i++) RUN(&r, poke);
    u32 sent = r.stk->stats.tcp.out_segs - before;
    assert_true(sent >= TCP_CHALLENGE_PER_SEC && sent < 2 * TCP_CHALLENGE_PER_SEC);
    assert_int_equal(r.stk->stats.tcp.challenge_acks, sent);
    assert_int_equal(r.stk->stats.tcp.challenge_limited, 1000 - sent);
    testnet_run(r.net, 1100000);
    RUN(&r, poke);
    assert_int_equal(r.stk->stats.tcp.out_segs - before, sent + 1);
    tcprig_close(&r);
}

static void nodelayacks(void **state) {
    struct tcprig r;
    static const struct row at_once[] = {{0, IN, A, 1, 1, 10}, {0, OUT, A, 1, 11}};
    (void)state;
    tcprig_open(&r, 5);
    r.stk->conf.tcp.delay_acks = false;
    RUN(&r, opened);
    RUN(&r, at_once);
    tcprig_close(&r);
    tcprig_open(&r, 5);
    struct port_rule rule = {.first = 80, .last = 80, .proto = IP_PROTO_TCP, .flags = PORT_NODELAYACKS, .jobname = "HTTPD"};
    assert_int_equal(port_rule_add(r.stk, &rule), 0);
    RUN(&r, opened);
    RUN(&r, at_once);
    tcprig_close(&r);
}

/* A link that cuts and sums: one large packet, one acknowledgement for it, and the partial checksum in its field. */
static void the_card_cuts(void **state) {
    struct tcprig r;
    u8 text[20000];
    (void)state;
    tcprig_open(&r, 5);
    RUN(&r, opened);
    r.lnk->caps |= LINK_CAP_GSO | LINK_CAP_CSUM_OUT;
    r.lnk->gso_max_bytes = 65535;
    for (u32 i = 0; i < sizeof text; i++) text[i] = (u8)((i + 1) % 251);
    assert_int_equal(sock_send(r.s, text, sizeof text, r.net->now), sizeof text);
    testnet_poll(r.net);
    assert_int_equal(testnet_sent(r.lnk), 1);
    const struct testnet_frame *f = testnet_frame(r.lnk, 0);
    assert_int_equal(f->gso_bytes, 1460);
    assert_int_equal(f->len, 40 + 14600); /* the initial window */
    assert_true(f->flags & PKT_CSUM_NEEDED);
    u32 sum = cksum_pseudo(r.us, r.peer, IP_PROTO_TCP, f->len - 20);
    assert_int_equal(be16_get(f->bytes + 36), cksum_partial(sum));
    assert_memory_equal(f->bytes + 40, text, 14600);
    assert_int_equal(r.s->tcb.segments_out, 10);
    tcprig_close(&r);
}

/* A card that takes 60 KB gets them in one packet, however many pieces of the send queue that is. */
static void sixty_kilobytes_at_once(void **state) {
    enum { SEGMENTS = 42, BEFORE = 8000 };
    struct tcprig r;
    static u8 text[70000];
    (void)state;
    tcprig_open(&r, 5);
    RUN(&r, opened);
    r.lnk->caps |= LINK_CAP_GSO | LINK_CAP_CSUM_OUT;
    r.lnk->gso_max_bytes = 15 * 4096;
    struct tcb *t = &r.s->tcb;
    t->tx_limit = TCP_WINDOW_MAX;
    t->cwnd = t->q.snd_wnd = BEFORE;
    for (u32 i = 0; i < sizeof text; i++) text[i] = (u8)(i % 251);
    assert_int_equal(sock_send(r.s, text, sizeof text, r.net->now), sizeof text); /* BEFORE of them go; what follows begins at a piece's end */
    testnet_poll(r.net);
    u32 packets = testnet_sent(r.lnk), begun = t->q.snd_nxt - t->q.snd_una;
    t->cwnd = t->q.snd_wnd = TCP_WINDOW_MAX;
    tcb_kick_output(t);
    testnet_poll(r.net);
    const struct testnet_frame *f = testnet_frame(r.lnk, packets);
    assert_int_equal(f->len, IP_HEADER_BYTES + TCPHDR_BYTES + SEGMENTS * 1460);
    assert_memory_equal(f->bytes + IP_HEADER_BYTES + TCPHDR_BYTES, text + begun, f->len - IP_HEADER_BYTES - TCPHDR_BYTES);
    tcprig_close(&r);
}

/* Packets that are no TCP for us: each has its counter. */
static void malformed(void **state) {
    struct tcprig r;
    u8 b[60] = {0x45, 0, 0, 60};
    (void)state;
    tcprig_open(&r, 5);
    const struct tcp_stats *c = &r.stk->stats.tcp;
    b[8] = 64;
    b[9] = IP_PROTO_TCP;
    ipaddr_put(b + 12, r.peer);
    ipaddr_put(b + 16, r.us);
    for (u32 len = 20; len <= 60; len++) {
        u32 bad = c->in_errs;
        be16_put(b + 2, (u16)len);
        be16_put(b + 10, 0);
        be16_put(b + 10, cksum_fold(cksum_add(0, b, 20)));
        b[32] = 0xF0; /* a header of 60 bytes */
        testnet_give(r.lnk, b, len, 0);
        assert_int_equal(c->in_errs, bad + 1);
    }
    assert_int_equal(c->drop_short, 20);
    assert_int_equal(c->drop_header_len, 21);
    b[32] = 0x50;
    testnet_give(r.lnk, b, 60, 0);
    assert_int_equal(c->drop_checksum, 1);
    testnet_give(r.lnk, b, 60, PKT_LINK_BCAST | PKT_L4_CSUM_OK);
    assert_int_equal(c->drop_broadcast, 1);
    testnet_poll(r.net);
    assert_int_equal(testnet_sent(r.lnk), 0);
    tcprig_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_is_never_old), cmocka_unit_test(rows),        cmocka_unit_test(paws_and_a_long_silence),
        cmocka_unit_test(nodelayacks), cmocka_unit_test(challenges_are_limited),
        cmocka_unit_test(malformed),   cmocka_unit_test(the_card_cuts),
        cmocka_unit_test(sixty_kilobytes_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
