/* test_dist.c - the distributor among stacks of its own: who gets a connection, what follows it, options and commands. The
 * group is distlab.h's; test_dist_owner.c has changes of owner and deaths. */
#include "tests/unit/distcase.h"
#include "wire/ip4.h"

/* ---- a connection ---- */

static void targets_are_known_within_one_message(void **state) {
    struct lab *l = opened(4, DIST_ROUNDROBIN);
    UNUSED(state);
    for (u32 i = 0; i < 4; i++) {
        assert_int_equal(ready(l, 0, i), 1);
        assert_non_null(home_find(l->node[i].stk, LAB_DVIPA));
        assert_int_equal(l->node[i].diststat, i ? 2 : 3);
        bool hidden = home_find(l->node[i].stk, LAB_DVIPA)->flags & HOME_INTERNAL;
        assert_int_equal(hidden, i > 0);
    }
    u32 before = l->node[2].sent_messages;
    sock_close(l->node[2].listener, l->t->now);
    lab_run(l, 1000);
    assert_int_equal(ready(l, 0, 2), 0);
    assert_int_equal(l->node[2].sent_messages, before + 1);
    l->node[2].listener = lab_listen(&l->node[2], LAB_DVIPA, 80);
    lab_run(l, 1000);
    assert_int_equal(ready(l, 0, 2), 1);
    assert_int_equal(l->node[2].sent_messages, before + 2);
    lab_close(l);
}

static void connections_are_shared_and_end(void **state) {
    struct lab *l = opened(4, DIST_ROUNDROBIN);
    struct lab_client *c[40];
    UNUSED(state);
    for (u32 i = 0; i < 40; i++) c[i] = lab_connect(l);
    lab_run(l, 20000);
    for (u32 i = 0; i < 40; i++) {
        assert_true(c[i]->connected);
        sock_send(c[i]->s, "hello", 5, l->t->now);
    }
    lab_run(l, 20000);
    for (u32 i = 0; i < 40; i++) assert_int_equal(c[i]->received, 5);
    for (u32 i = 0; i < 4; i++) assert_int_equal(l->node[i].served, 10);
    assert_int_equal(rows(l, 0), 40);
    /* Replies go straight: the distributor has sent nothing for connections of others. */
    assert_true(counters(l, 0)->routed >= 30 * 3);
    for (u32 i = 0; i < 40; i++) lab_hang_up(l, c[i]);
    lab_run(l, 12 * USEC_PER_SEC);
    assert_int_equal(rows(l, 0), 0);
    const struct vdpt_port *p = vdpt_find(distributor_vdpt(l->node[0].d), LAB_DVIPA, 80);
    for (u32 i = 0; i < 4; i++) {
        assert_int_equal(p->t[i].active, 0);
        assert_int_equal(p->t[i].total, 10);
    }
    lab_close(l);
}

static void nobody_ready_is_refused(void **state) {
    struct lab *l = opened(2, DIST_ROUNDROBIN);
    UNUSED(state);
    for (u32 i = 0; i < 2; i++) sock_close(l->node[i].listener, l->t->now);
    lab_run(l, 5000);
    struct lab_client *c = lab_connect(l);
    lab_run(l, 5000);
    assert_int_equal(c->error, ERR_CONNREFUSED);
    assert_int_equal(counters(l, 0)->refused, 1);
    assert_int_equal(rows(l, 0), 0);
    lab_close(l);
}

static void only_targets_of_the_list(void **state) {
    struct dist_statement s = statement(DIST_ROUNDROBIN, 80);
    UNUSED(state);
    s.dests = 2;
    s.dest[0] = (struct dist_dest){.dynxcf = ipaddr_v4(0x0A090902), .weight = 10};
    s.dest[1] = (struct dist_dest){.dynxcf = ipaddr_v4(0x0A090904), .weight = 10};
    opened_with(4, &s);
    for (u32 i = 0; i < 20; i++) lab_connect(&lab);
    lab_run(&lab, 20000);
    assert_int_equal(lab.node[0].served, 0); /* though it owns the address and listens */
    assert_int_equal(lab.node[1].served, 10);
    assert_int_equal(lab.node[2].served, 0);
    assert_int_equal(lab.node[3].served, 10);
    assert_null(home_find(lab.node[2].stk, LAB_DVIPA));
    assert_int_equal(lab.node[0].diststat, 1);
    lab_close(&lab);
}

static void other_ports_are_the_owners(void **state) {
    struct lab *l = opened(2, DIST_ROUNDROBIN);
    UNUSED(state);
    lab_listen(&l->node[0], IPADDR_ANY, 7777);
    struct lab_client *c = lab_connect_to(l, LAB_DVIPA, 7777), *none = lab_connect_to(l, LAB_DVIPA, 7778);
    lab_run(l, 10000);
    assert_true(c->connected);
    assert_int_equal(none->error, ERR_CONNREFUSED);
    assert_int_equal(rows(l, 0), 0);
    lab_close(l);
}

/* ---- ends, ages, lost messages ---- */

static void rows_drain_though_ends_are_lost(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    struct lab_client *c[9];
    UNUSED(state);
    for (u32 i = 0; i < 9; i++) c[i] = lab_connect(l);
    lab_run(l, 20000);
    l->mute = true;
    for (u32 i = 0; i < 9; i++) lab_hang_up(l, c[i]);
    lab_run(l, 2 * USEC_PER_SEC);
    l->mute = false;
    assert_int_equal(rows(l, 0), 9);
    /* TIME_WAIT is at the side that closed first, the client; the targets know nothing of them any more. */
    lab_run(l, 40 * USEC_PER_SEC);
    assert_true(counters(l, 0)->asked >= 6);
    assert_int_equal(rows(l, 0), 0);
    lab_close(l);
}

static void ports_come_back_at_once(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    UNUSED(state);
    struct sock *s;
    for (u32 i = 0; i < 30; i++) {
        assert_int_equal(sock_open(l->client, SOCK_TCP, "CLIENT", &s), 0);
        sock_setopt(s, SO_REUSEADDR_OPT, 1, l->t->now);
        assert_int_equal(sock_bind(s, testnet_ip(LAB_CLIENT), 5555, l->t->now), 0);
        assert_int_equal(sock_connect(s, LAB_DVIPA, 80, l->t->now), -ERR_INPROGRESS);
        lab_run(l, 1500);
        assert_true(sock_send(s, "hi", 2, l->t->now) == 2);
        lab_run(l, 2000);
        u8 got[8];
        assert_int_equal(sock_recv(s, got, sizeof got, l->t->now), 2);
        sock_abort(s, l->t->now); /* RST: the same four numbers may be used at once */
        if (i & 1) lab_run(l, 300);
    }
    lab_run(l, 20 * USEC_PER_SEC);
    assert_int_equal(rows(l, 0), 0);
    lab_close(l);
}

/* ---- what belongs to a connection ---- */

static void icmp_errors_follow_the_row(void **state) {
    struct lab *l = opened(2, DIST_ROUNDROBIN);
    UNUSED(state);
    lab_connect(l), lab_connect(l);
    lab_run(l, 10000);
    const struct vcrt_row *r = vcrt_of_target(distributor_vcrt(l->node[0].d), 1, NULL);
    assert_non_null(r);
    struct tcp_key k = {r->key.dvipa, r->key.client, r->key.dport, r->key.cport};
    struct tcb *t = tcp_find(l->node[1].stk, &k);
    assert_non_null(t);
    /* A router between B and the client says that 576 is all it takes; it quotes a segment in flight. */
    sock_send(&CONTAINER_OF(t, struct sock, tcb)[0], "data that is in flight", 22, l->t->now);
    link_lan_down(l->node[1].client_side, l->t->now);
    testnet_run(l->t, 50);
    u8 p[56] = {0};
    ip4_emit(p, &(struct ip4_fields){.src = testnet_ip("10.1.1.77"), .dst = LAB_DVIPA, .total = 56, .ttl = 60, .proto = 1});
    p[20] = 3, p[21] = 4;
    be16_put(p + 26, 576);
    ip4_emit(p + 28, &(struct ip4_fields){.src = k.local, .dst = k.foreign, .total = 1500, .ttl = 60, .proto = 6, .frag = IP4_FRAG_DF});
    be16_put(p + 48, k.local_port);
    be16_put(p + 50, k.foreign_port);
    be32_put(p + 52, tcp_seq_of(t)->snd_una);
    be16_put(p + 22, cksum_fold(cksum_add(0, p + 20, 36)));
    u32 was = tcp_seq_of(t)->mss_send;
    testnet_give(l->node[0].osa, p, sizeof p, 0);
    lab_run(l, 2000);
    assert_int_equal(counters(l, 0)->icmp_routed, 1);
    assert_true(tcp_seq_of(t)->mss_send < was && tcp_seq_of(t)->mss_send <= 576);
    lab_close(l);
}

/* A SYN in two fragments is joined, chosen for, and sent on whole. */
static void fragments_are_joined(void **state) {
    struct lab *l = opened(2, DIST_ROUNDROBIN);
    UNUSED(state);
    for (u32 n = 0; n < 2; n++) {
        u8 tcp[32] = {0}, p[60];
        struct tcphdr h = {.src_port = (u16)(6000 + n), .dst_port = 80, .seq = 99, .flags = TCPF_SYN, .window = 8192};
        tcphdr_emit(&h, tcp);
        u32 len = 28; /* eight bytes of text with it */
        be16_put(tcp + 16, 0);
        be16_put(tcp + 16, cksum_fold(cksum_add(cksum_pseudo(testnet_ip(LAB_CLIENT), LAB_DVIPA, 6, len), tcp, len)));
        struct ip4_fields f = {.src = testnet_ip(LAB_CLIENT), .dst = LAB_DVIPA, .ttl = 60, .proto = 6, .id = (u16)(7 + n)};
        f.total = 36, f.frag = IP4_FRAG_MF;
        ip4_emit(p, &f);
        memcpy(p + 20, tcp, 16);
        testnet_give(l->node[0].osa, p, 36, 0);
        f.total = 32, f.frag = 2;
        ip4_emit(p, &f);
        memcpy(p + 20, tcp + 16, 12);
        testnet_give(l->node[0].osa, p, 32, 0);
    }
    lab_run(l, 500);
    assert_int_equal(counters(l, 0)->fragments_joined, 2);
    assert_int_equal(counters(l, 0)->chosen, 2);
    assert_int_equal(l->node[0].d->vcrt.rows_of[0], 1);
    assert_int_equal(l->node[0].d->vcrt.rows_of[1], 1);
    lab_run(l, 1000);
    assert_true(net_stats(l->node[1].stk)->tcp.in_segs >= 1);
    assert_true(net_stats(l->node[0].stk)->tcp.in_segs >= 1);
    lab_close(l);
}

/* FTP active data: a target opens a connection from the DVIPA; the answers arrive at the distributor. */
static void target_opens(u32 message_usec, u64 takes_usec, u32 early) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    l->message_usec = message_usec;
    l->step_usec = 20; /* finer than the way to the client and back */
    struct sock *listen = client_listens(l, 2020), *s = call(l, 2, 2020), *n;
    lab_run(l, takes_usec);
    assert_int_equal(counters(l, 0)->drop_early, early);
    assert_int_equal(sock_accept(listen, &n, NULL, l->t->now), 0);
    assert_int_equal(sock_send(s, "file", 4, l->t->now), 4);
    lab_run(l, 3000);
    u8 got[8];
    assert_int_equal(sock_recv(n, got, sizeof got, l->t->now), 4);
    assert_int_equal(rows(l, 0), 1);
    assert_true(vcrt_walk(distributor_vcrt(l->node[0].d), NULL)->flags & VCRT_NEWCONN);
    sock_close(s, l->t->now);
    lab_run(l, 3000);
    sock_close(n, l->t->now);
    lab_run(l, 20 * USEC_PER_SEC);
    assert_int_equal(rows(l, 0), 0);
    sock_close(listen, l->t->now);
    lab_close(l);
}

static void a_target_opens_from_the_dvipa(void **state) {
    UNUSED(state);
    target_opens(0, 3000, 0);
    /* The answer overtakes the word about it: no reset; the SYN is repeated. */
    target_opens(40000, 2 * USEC_PER_SEC, 1);
}

/* A target calls one port twice from the same one, at once, and B has routed since the first call: by C's list it knows which life that was. The end of
 * the second one is not taken for a late one. */
static void a_target_calls_again(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    struct sock *listen = client_listens(l, 2020), *s, *n;
    u8 got[8];
    UNUSED(state);
    const struct vcrt *at_b = distributor_vcrt(l->node[1].d);
    for (u32 i = 0; i < 2; i++) {
        s = call(l, 2, 2020);
        lab_run(l, 2 * USEC_PER_SEC);
        assert_int_equal(sock_accept(listen, &n, NULL, l->t->now), 0);
        if (i == 0) lab_own(l, 1);
        lab_run(l, 20000);
        assert_int_equal(vcrt_walk(at_b, NULL)->state, VCRT_OPEN);
        assert_int_equal(!vcrt_walk(at_b, NULL)->isn, i);
        /* The client's end waits in TIME_WAIT, and the target's port is free at once. */
        sock_close(n, l->t->now);
        lab_run(l, 3000);
        assert_int_equal(sock_recv(s, got, sizeof got, l->t->now), 0);
        sock_close(s, l->t->now);
        lab_run(l, 20000);
        assert_int_equal(vcrt_walk(at_b, NULL)->state, VCRT_ENDED);
    }
    assert_int_equal(counters(l, 1)->drop_isn, 0);
    sock_close(listen, l->t->now);
    lab_close(l);
}

/* The client and a target call each other at the same time, from and to the same ports. One row comes of it, the target's, and one
 * connection; also if the client's SYN is there before the target's word, and was given to somebody else. */
static void both_sides_open(u32 message_usec, u32 chosen, u32 early) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    struct sock *from, *to;
    u8 got[8];
    l->step_usec = 10;
    l->message_usec = message_usec;
    assert_int_equal(sock_open(l->client, SOCK_TCP, "FTPC", &from), 0);
    assert_int_equal(sock_bind(from, testnet_ip(LAB_CLIENT), 2020, l->t->now), 0);
    assert_int_equal(sock_open(l->node[2].stk, SOCK_TCP, "FTPD", &to), 0);
    /* Beside the listener of the port, which has no address. */
    sock_setopt(to, SO_REUSEADDR_OPT, 1, l->t->now);
    assert_int_equal(sock_bind(to, LAB_DVIPA, 80, l->t->now), 0);
    assert_int_equal(sock_connect(from, LAB_DVIPA, 80, l->t->now), -ERR_INPROGRESS);
    assert_int_equal(sock_connect(to, testnet_ip(LAB_CLIENT), 2020, l->t->now), -ERR_INPROGRESS);
    lab_run(l, 5 * USEC_PER_SEC);
    assert_int_equal(counters(l, 0)->chosen, chosen);
    assert_int_equal(counters(l, 0)->drop_early, early);
    assert_int_equal(rows(l, 0), 1);
    assert_int_equal(l->node[0].d->vcrt.rows_of[2], 1);
    assert_int_equal(sock_send(to, "file", 4, l->t->now), 4);
    assert_int_equal(sock_send(from, "ok", 2, l->t->now), 2);
    lab_run(l, USEC_PER_SEC);
    assert_int_equal(sock_recv(from, got, sizeof got, l->t->now), 4);
    assert_int_equal(sock_recv(to, got, sizeof got, l->t->now), 2);
    lab_close(l);
}

static void simultaneous_open(void **state) {
    UNUSED(state);
    both_sides_open(0, 0, 0);
    both_sides_open(120, 1, 1);
}

/* FTP passive data: a target listens at the DVIPA on a port of its own. */
static void passive_ports(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    UNUSED(state);
    struct sock *data = lab_listen(&l->node[2], LAB_DVIPA, 4001);
    lab_run(l, 2000);
    struct lab_client *c = lab_connect_to(l, LAB_DVIPA, 4001);
    lab_run(l, 5000);
    assert_true(c->connected);
    assert_int_equal(l->node[2].served, 1);
    sock_close(data, l->t->now);
    lab_run(l, 2000);
    assert_null(vdpt_find(distributor_vdpt(l->node[0].d), LAB_DVIPA, 4001));
    sock_send(c->s, "on", 2, l->t->now);
    lab_run(l, 5000);
    assert_int_equal(c->received, 2);
    lab_close(l);
}

/* More of them in a day than a target counts at a time: each is forgotten when it is over, and the last is reported like the first. */
static void passive_ports_are_forgotten(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    struct distributor *d = l->node[2].d;
    struct sock *data = NULL;
    UNUSED(state);
    distributor_set_poll(d, 1, l->t->now);
    for (u16 i = 0; i <= 2 * SERVED_MAX; i++) {
        if (data) sock_close(data, l->t->now);
        data = lab_listen(&l->node[2], LAB_DVIPA, (u16)(4000 + i));
        lab_run(l, 100000);
    }
    lab_run(l, 3000000);
    bool last = false;
    for (u32 i = 0; i < d->served_count; i++) last |= d->served[i].port == 4000 + 2 * SERVED_MAX;
    assert_true(last);
    assert_true(d->served_count <= 3); /* and port 80 */
    lab_close(l);
}

static void port_omitted_learns(void **state) {
    struct dist_statement s = statement(DIST_ROUNDROBIN, 0);
    UNUSED(state);
    opened_with(3, &s);
    for (u32 i = 0; i < 3; i++) assert_int_equal(ready(&lab, 0, i), 1);
    struct sock *more[2] = {lab_listen(&lab.node[1], IPADDR_ANY, 8000), lab_listen(&lab.node[2], IPADDR_ANY, 8000)};
    lab_run(&lab, 2000);
    for (u32 i = 0; i < 6; i++) lab_connect_to(&lab, LAB_DVIPA, 8000);
    lab_run(&lab, 9000);
    assert_int_equal(lab.node[1].served, 3);
    assert_int_equal(lab.node[2].served, 3);
    for (u32 i = 0; i < 2; i++) sock_close(more[i], lab.t->now);
    lab_run(&lab, 2000);
    assert_null(vdpt_find(distributor_vdpt(lab.node[0].d), LAB_DVIPA, 8000));
    lab_close(&lab);
}

/* ---- options ---- */

/* A routing stack that is one no more forgets whom it had bound: nobody would say when their connections end. Nor does an affinity
 * outlive its port. */
static void affinity_ends_with_routing(void **state) {
    struct dist_statement s = statement(DIST_ROUNDROBIN, 80);
    UNUSED(state);
    for (u32 port_goes = 0; port_goes < 2; port_goes++) {
        s.options.affinity_sec = 5;
        opened_with(3, &s);
        struct lab_client *c = lab_connect(&lab);
        lab_run(&lab, 5000);
        assert_int_equal(lab.node[0].d->affinities.rows, 1);
        if (port_goes)
            assert_int_equal(distributor_delete(lab.node[0].d, &s, lab.t->now), 0);
        else
            lab_own(&lab, 1);
        lab_run(&lab, 5000);
        lab_hang_up(&lab, c);
        lab_run(&lab, 10 * USEC_PER_SEC);
        assert_int_equal(lab.node[0].d->affinities.rows, 0);
        lab_close(&lab);
    }
}

static void affinity_holds_and_expires(void **state) {
    struct dist_statement s = statement(DIST_ROUNDROBIN, 80);
    UNUSED(state);
    s.options.affinity_sec = 5;
    opened_with(3, &s);
    struct lab_client *c = lab_connect(&lab);
    lab_run(&lab, 5000);
    u32 home = 0;
    while (!lab.node[home].served) home++;
    for (u32 i = 0; i < 5; i++) {
        lab_hang_up(&lab, c);
        lab_run(&lab, 2 * USEC_PER_SEC);
        c = lab_connect(&lab);
        lab_run(&lab, 5000);
    }
    assert_int_equal(lab.node[home].served, 6);
    lab_hang_up(&lab, c);
    lab_run(&lab, 30 * USEC_PER_SEC);
    assert_int_equal(lab.node[0].d->affinities.rows, 0);
    lab_connect(&lab);
    lab_run(&lab, 5000);
    assert_int_equal(lab.node[home].served, 6);
    lab_close(&lab);
}

/* DELETE of everything: what there is goes on, on targets too, who distributes is said no more; new ones are the owner's. DEFINE again: connections that
 * stood meanwhile count as ACTIVECONN once, so WEIGHTEDACTIVE knows of them, and tables are empty when they end. */
static void deleted_and_defined_under_connections(void **state) {
    struct dist_statement s = statement(DIST_WEIGHTEDACTIVE, 80), all = {.dvipa = LAB_DVIPA};
    struct lab_client *c[8], *e;
    UNUSED(state);
    struct lab *l = opened_with(3, &s);
    for (u32 i = 0; i < 6; i++) c[i] = lab_connect(l);
    lab_run(l, 20000);
    for (u32 i = 0; i < 3; i++) assert_int_equal(l->node[i].served, 2);
    assert_int_equal(distributor_delete(l->node[0].d, &all, l->t->now), 0);
    lab_run(l, 20000);
    assert_null(vdpt_find(distributor_vdpt(l->node[0].d), LAB_DVIPA, 80));
    for (u32 i = 0; i < 3; i++) {
        assert_int_equal(l->node[i].diststat, 0);
        assert_non_null(home_find(l->node[i].stk, LAB_DVIPA));
    }
    assert_int_equal(rows(l, 0), 6);
    for (u32 i = 0; i < 6; i++) sock_send(c[i]->s, "hello", 5, l->t->now);
    for (u32 i = 6; i < 8; i++) c[i] = lab_connect(l);
    lab_run(l, 20000);
    for (u32 i = 0; i < 6; i++) assert_int_equal(c[i]->received, 5);
    assert_int_equal(l->node[0].served, 4);
    assert_int_equal(rows(l, 0), 6);
    define(l, 0, &s);
    lab_run(l, 20000);
    const struct vdpt_port *p = vdpt_find(distributor_vdpt(l->node[0].d), LAB_DVIPA, 80);
    for (u32 i = 0; i < 3; i++) {
        assert_int_equal(p->t[i].active, 2);
        assert_int_equal(l->node[i].diststat, i ? 2 : 3);
    }
    lab_hang_up(l, c[1]);
    lab_run(l, 12 * USEC_PER_SEC);
    for (u32 i = 0; i < 8; i++)
        if (i != 1) lab_hang_up(l, c[i]);
    e = lab_connect(l);
    lab_run(l, 12 * USEC_PER_SEC);
    assert_true(e->connected);
    lab_hang_up(l, e);
    lab_run(l, 12 * USEC_PER_SEC);
    assert_int_equal(rows(l, 0), 0);
    for (u32 i = 0; i < 3; i++) assert_int_equal(p->t[i].active, 0);
    lab_close(l);
}

static void quiesce_and_resume(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    struct dist_quiesce port = {.port = 80}, job = {.jobname = "SERVER"}, other = {.jobname = "FTPD"}, all = {.target = true};
    const struct dist_quiesce *each[] = {&port, &job, &all};
    UNUSED(state);
    struct lab_client *c = lab_connect(l), *e = lab_connect(l), *f = lab_connect(l);
    lab_run(l, 9000);
    for (u32 i = 0; i < 3; i++) {
        assert_int_equal(distributor_quiesce(l->node[1].d, each[i], l->t->now), 0);
        assert_int_equal(distributor_quiesce(l->node[1].d, each[i], l->t->now), -ERR_ALREADY);
        lab_run(l, 2000);
        assert_int_equal(ready(l, 0, 1), 0);
        assert_int_equal(distributor_resume(l->node[1].d, each[i], l->t->now), 0);
        lab_run(l, 2000);
        assert_int_equal(ready(l, 0, 1), 1);
    }
    assert_int_equal(distributor_resume(l->node[1].d, &port, l->t->now), -ERR_NOENT);
    assert_int_equal(distributor_quiesce(l->node[1].d, &other, l->t->now), 0);
    lab_run(l, 2000);
    assert_int_equal(ready(l, 0, 1), 1);
    /* What stands goes on. */
    assert_int_equal(distributor_quiesce(l->node[1].d, &all, l->t->now), 0);
    for (struct lab_client **x = (struct lab_client *[]){c, e, f, NULL}; *x; x++) sock_send((*x)->s, "ok", 2, l->t->now);
    lab_run(l, 9000);
    assert_int_equal(c->received + e->received + f->received, 6);
    lab_close(l);
}

static void weights_follow_idle_time(void **state) {
    struct lab *l = opened(3, DIST_BASEWLM);
    UNUSED(state);
    lab_run(l, 25 * USEC_PER_SEC);
    const struct vdpt_port *p = vdpt_find(distributor_vdpt(l->node[0].d), LAB_DVIPA, 80);
    assert_int_equal(p->t[0].wlm, 64); /* half idle */
    assert_in_range(p->t[1].wlm, 42, 43);
    assert_int_equal(p->t[2].wlm, 32);
    for (u32 i = 0; i < 139; i++) {
        lab_hang_up(l, lab_connect(l));
        lab_run(l, 1000);
    }
    u32 t[3];
    for (u32 i = 0; i < 3; i++) t[i] = p->t[i].total;
    assert_in_range(t[0], 63, 65);
    assert_in_range(t[1], 42, 44);
    assert_in_range(t[2], 31, 33);
    lab_close(l);
}

/* A target whose way back is cut: SYNs reach it, nothing becomes a connection; it loses its weight, is probed, and recovers. */
static void an_unresponsive_target(void **state) {
    struct lab *l = opened(2, DIST_BASEWLM);
    UNUSED(state);
    lab_run(l, 11 * USEC_PER_SEC);
    link_lan_down(l->node[1].osa, l->t->now);
    for (u32 i = 0; i < 12; i++) lab_connect(l);
    lab_run(l, 13 * USEC_PER_SEC);
    const struct vdpt_port *p = vdpt_find(distributor_vdpt(l->node[0].d), LAB_DVIPA, 80);
    assert_int_equal(p->t[1].cer, 0);
    assert_true(testnet_said(l->t, "EZD1182I TARGET SERVER FOR 201.2.10.11 PORT 80 AT TCPIP ON SYSB IS NOT RESPONSIVE"));
    u32 total = p->t[1].total, probes = 0;
    for (u32 i = 0; i < 10; i++) {
        lab_connect(l);
        lab_run(l, 1000);
    }
    probes = p->t[1].total - total;
    assert_true(probes <= 1);
    link_lan_up(l->node[1].osa, l->t->now);
    for (u32 i = 0; i < 60; i++) {
        struct lab_client *c = lab_connect(l);
        lab_run(l, USEC_PER_SEC);
        lab_hang_up(l, c);
    }
    assert_true(vdpt_tsr(&p->t[1]) > 50);
    assert_true(testnet_said(l->t, "EZD1183I"));
    lab_close(l);
}

static void definitions(void **state) {
    struct lab *l = opened(2, DIST_ROUNDROBIN);
    struct dist_statement s = statement(DIST_HOTSTANDBY, 80);
    struct dist_definition def;
    UNUSED(state);
    assert_int_equal(distributor_define(l->node[0].d, &s, l->t->now), -ERR_INVAL);
    s.dests = 2;
    s.dest[0] = (struct dist_dest){.dynxcf = ipaddr_v4(0x0A090901), .weight = 10, .rank = 0};
    s.dest[1] = (struct dist_dest){.dynxcf = ipaddr_v4(0x0A090902), .weight = 10, .rank = 0};
    assert_int_equal(distributor_define(l->node[0].d, &s, l->t->now), -ERR_INVAL);
    s.dest[1].rank = 7;
    define(l, 0, &s);
    lab_run(l, 2000);
    assert_true(distributor_definition(l->node[1].d, 0, &def));
    assert_false(def.own);
    assert_true(def.in_force);
    assert_int_equal(def.options.method, DIST_HOTSTANDBY);
    assert_int_equal(def.dest[1].rank, 7);
    for (u32 i = 0; i < 4; i++) lab_connect(l);
    lab_run(l, 5000);
    assert_int_equal(l->node[0].served, 4);
    assert_int_equal(distributor_delete(l->node[0].d, &s, l->t->now), 0);
    assert_int_equal(distributor_delete(l->node[0].d, &s, l->t->now), -ERR_NOENT);
    lab_run(l, 5000);
    assert_false(distributor_definition(l->node[1].d, 0, &def));
    assert_null(home_find(l->node[1].stk, LAB_DVIPA));
    assert_null(vdpt_walk(distributor_vdpt(l->node[0].d), NULL));
    lab_close(l);
}

/* A backup with a VIPADISTRIBUTE of its own uses that. */
static void a_backups_own_statement(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    struct dist_statement s = statement(DIST_WEIGHTEDACTIVE, 81);
    UNUSED(state);
    define(l, 1, &s);
    lab_run(l, 5000);
    assert_null(vdpt_walk(distributor_vdpt(l->node[1].d), NULL));
    lab_own(l, 1);
    lab_run(l, 5000);
    const struct vdpt_port *p = vdpt_walk(distributor_vdpt(l->node[1].d), NULL);
    assert_int_equal(p->port, 81);
    assert_int_equal(p->method, DIST_WEIGHTEDACTIVE);
    assert_null(vdpt_walk(distributor_vdpt(l->node[1].d), p));
    lab_own(l, 0);
    lab_run(l, 5000);
    assert_int_equal(ready(l, 0, 1), 1);
    lab_close(l);
}

/* Who routes by what it was sent may delete that, not VIPADELETE's way; the owner's own statement is in force again when it is back. */
static void a_backup_deletes_what_it_was_sent(void **state) {
    struct lab *l = opened(3, DIST_ROUNDROBIN);
    struct dist_statement all = {.dvipa = LAB_DVIPA};
    UNUSED(state);
    assert_int_equal(distributor_delete(l->node[1].d, &all, l->t->now), -ERR_NOENT); /* it does not route */
    lab_own(l, 1);
    lab_run(l, 5000);
    distributor_forget(l->node[1].d, LAB_DVIPA, l->t->now);
    lab_run(l, 5000);
    assert_int_equal(ready(l, 1, 2), 1);
    assert_int_equal(distributor_delete(l->node[1].d, &all, l->t->now), 0);
    lab_run(l, 5000);
    assert_null(vdpt_walk(distributor_vdpt(l->node[1].d), NULL));
    for (u32 i = 1; i < 3; i++) assert_int_equal(l->node[i].diststat, 0);
    assert_int_equal(distributor_delete(l->node[1].d, &all, l->t->now), -ERR_NOENT);
    lab_own(l, 0);
    lab_run(l, 5000);
    assert_int_equal(ready(l, 0, 2), 1);
    lab_close(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_known_within_one_message),
        cmocka_unit_test(connections_are_shared_and_end),
        cmocka_unit_test(nobody_ready_is_refused),
        cmocka_unit_test(only_targets_of_the_list),
        cmocka_unit_test(other_ports_are_the_owners),
        cmocka_unit_test(rows_drain_though_ends_are_lost),
        cmocka_unit_test(ports_come_back_at_once),
        cmocka_unit_test(icmp_errors_follow_the_row),
        cmocka_unit_test(fragments_are_joined),
        cmocka_unit_test(a_target_opens_from_the_dvipa),
        cmocka_unit_test(a_target_calls_again),
        cmocka_unit_test(simultaneous_open),
        cmocka_unit_test(passive_ports),
        cmocka_unit_test(passive_ports_are_forgotten),
        cmocka_unit_test(port_omitted_learns),
        cmocka_unit_test(affinity_holds_and_expires),
        cmocka_unit_test(affinity_ends_with_routing),
        cmocka_unit_test(deleted_and_defined_under_connections),
        cmocka_unit_test(quiesce_and_resume),
        cmocka_unit_test(weights_follow_idle_time),
        cmocka_unit_test(an_unresponsive_target),
        cmocka_unit_test(definitions),
        cmocka_unit_test(a_backups_own_statement),
        cmocka_unit_test(a_backup_deletes_what_it_was_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
