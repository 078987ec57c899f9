/* test_dist_ways.c - the straight lines in front of IP (dist_routed()) and the long way: which packets take which, and that nobody notices. The group
 * is distlab.h's. */
#include "tests/unit/distcase.h"
#include "wire/ip4.h"

/* A packet for the DVIPA as a card or a peer hands it to the hook; what is 0 is ACK, TCP, 40 bytes from port 5000 to port 80. */
struct given {
    u16 dport, cport, frag, flags; /* flags: PKT_* */
    u8 tcp, proto, from;
    u32 len;
};
static enum stack_way way_of(struct lab *l, u32 at, struct link *in, const struct given *g) {
    static u8 bytes[PKT_HEADROOM + 64];
    struct stack_hooks *h = stack_hooks(l->node[at].stk);
    u8 *ip = bytes + PKT_HEADROOM;
    struct tcphdr tcp = {.src_port = g->cport ? g->cport : 5000, .dst_port = g->dport ? g->dport : 80, .seq = 7, .ack = 9, .window = 8192};
    struct ip4_fields f = {.src = testnet_ip(LAB_CLIENT), .dst = LAB_DVIPA, .ttl = 60, .frag = g->frag};
    u32 len = g->len ? g->len : 40;
    tcp.flags = g->tcp ? g->tcp : TCPF_ACK;
    f.total = (u16)len, f.proto = g->proto ? g->proto : IP_PROTO_TCP;
    memset(bytes, 0, sizeof bytes);
    ip4_emit(ip, &f);
    tcphdr_emit(&tcp, ip + IP4_HEADER_MIN);
    struct pkt p = {.data = ip, .len = len, .headroom = PKT_HEADROOM, .in = in, .from = g->from};
    p.flags = (u16)(PKT_IP_CSUM_OK | PKT_L4_CSUM_OK | g->flags);
    return h->routed(h->routed_ctx, &p, l->t->now);
}
static void goes(struct lab *l, u32 at, const struct given *g, enum stack_way want, int line) {
    static const char *const name[] = {"ASK", "TAKEN", "HERE"};
    enum stack_way way = way_of(l, at, g->flags & PKT_DISTRIBUTED ? l->node[at].xcf : l->node[at].osa, g);
    if (way != want) fail_msg("line %d: %s, not %s", line, name[way], name[want]);
}
#define PACKET(...) (&(struct given){__VA_ARGS__})
#define GOES(at, want, ...) goes(l, at, PACKET(__VA_ARGS__), STACK_WAY_##want, __LINE__)

/* ---- which way ---- */

/* What a routing stack has sent to its target is delivered there at once, a SYN if the present owner has sent it; and counted for the next report. */
static void at_a_target(void **state) {
    UNUSED(state);
    struct lab *l = at_c(1);
    u8 owner = SX_FROM(&l->node[2].peer[0]), other = SX_FROM(&l->node[2].peer[1]);
    GOES(2, HERE, .flags = PKT_DISTRIBUTED, .from = owner);
    GOES(2, HERE, .flags = PKT_DISTRIBUTED, .from = other); /* a connection that stands may come by anybody who has routed it */
    u32 syns = dist_served_for(dist(2), LAB_DVIPA, 80)->syns;
    GOES(2, HERE, .flags = PKT_DISTRIBUTED, .from = owner, .tcp = TCPF_SYN);
    assert_int_equal(dist_served_for(dist(2), LAB_DVIPA, 80)->syns, syns + 1);
    GOES(2, ASK, .flags = PKT_DISTRIBUTED, .from = other, .tcp = TCPF_SYN);
    assert_int_equal(dist_served_for(dist(2), LAB_DVIPA, 80)->syns, syns + 1);
    GOES(2, ASK, .from = owner);
    GOES(2, ASK, .flags = PKT_DISTRIBUTED, .from = owner, .frag = IP4_FRAG_MF);
    GOES(2, ASK, .flags = PKT_DISTRIBUTED, .from = owner, .frag = 5);
    GOES(2, ASK, .flags = PKT_DISTRIBUTED, .from = owner, .proto = 17);
    GOES(2, ASK, .flags = PKT_DISTRIBUTED, .from = owner, .len = 39);
    struct dist_statement all = {.dvipa = LAB_DVIPA};
    assert_int_equal(distributor_delete(dist(0), &all, l->t->now), 0);
    lab_run(l, 5000);
    assert_false(vipa(2)->target); /* other parts of the sysplex may know more */
    GOES(2, ASK, .flags = PKT_DISTRIBUTED, .from = owner);
    lab_close(l);
}

/* The target has become the routing stack: what a former one has sent may belong to a row, or begin one. */
static void at_a_target_that_routes(void **state) {
    UNUSED(state);
    struct lab *l = at_c(1);
    lab_own(l, 2);
    lab_run(l, 5000);
    assert_true(vipa(2)->routing && vipa(2)->target);
    GOES(2, ASK, .flags = PKT_DISTRIBUTED, .from = SX_FROM(&l->node[2].peer[0]));
    GOES(2, ASK, .flags = PKT_DISTRIBUTED, .from = SX_FROM(&l->node[2].peer[0]), .tcp = TCPF_SYN);
    lab_close(l);
}

/* A segment that has a row goes to its target, if that is another stack; all others are asked about. */
static void segments_at_the_routing_stack(void **state) {
    UNUSED(state);
    struct lab *l = opened(2, DIST_ROUNDROBIN);
    lab_connect(l), lab_connect(l);
    lab_run(l, 20000);
    u16 here = vcrt_of_target(&dist(0)->vcrt, SLOT_SELF, NULL)->key.cport, there = vcrt_of_target(&dist(0)->vcrt, 1, NULL)->key.cport;
    u32 routed = counters(l, 0)->routed;
    GOES(0, TAKEN, .cport = there);
    GOES(0, ASK, .cport = here);
    GOES(0, ASK, .cport = 5000);
    GOES(0, ASK, .cport = there, .frag = IP4_FRAG_MF);
    GOES(0, ASK, .cport = there, .frag = 5);
    GOES(0, ASK, .cport = there, .proto = 17);
    GOES(0, ASK, .cport = there, .len = 39);
    GOES(0, ASK, .cport = there, .tcp = TCPF_SYN | TCPF_ACK);
    assert_int_equal(counters(l, 0)->routed, routed + 1);
    l->no_pass = true;
    GOES(0, ASK, .cport = there);
    lab_close(l);
}

/* A first SYN is given away at once if there is nothing that speaks against it. */
static void first_syns_at_the_routing_stack(void **state) {
    UNUSED(state);
    struct lab *l = opened(2, DIST_ROUNDROBIN);
    GOES(0, HERE, .tcp = TCPF_SYN, .cport = 6000);
    GOES(0, TAKEN, .tcp = TCPF_SYN, .cport = 6001);
    GOES(0, ASK, .tcp = TCPF_SYN, .cport = 6001); /* repeated */
    GOES(0, ASK, .tcp = TCPF_SYN, .cport = 6002, .dport = 81);
    GOES(0, ASK, .tcp = TCPF_SYN | TCPF_ACK, .cport = 6002);
    assert_int_equal(way_of(l, 0, link_find(l->node[0].stk, "LOOPBACK"), PACKET(.tcp = TCPF_SYN, .cport = 6002)), STACK_WAY_ASK);
    l->moved = true;
    GOES(0, ASK, .tcp = TCPF_SYN, .cport = 6002);
    l->moved = false;
    assert_int_equal(counters(l, 0)->chosen, 2);
    assert_int_equal(counters(l, 0)->local, 1);
    GOES(0, HERE, .tcp = TCPF_SYN, .cport = 6002);
    l->no_pass = true; /* that target is reached by VIPAROUTE */
    GOES(0, TAKEN, .tcp = TCPF_SYN, .cport = 6003);
    assert_int_equal(counters(l, 0)->routed, 2);
    for (u32 i = 0; i < 2; i++) sock_close(l->node[i].listener, l->t->now);
    lab_run(l, 5000);
    GOES(0, TAKEN, .tcp = TCPF_SYN, .cport = 6004); /* refused */
    assert_int_equal(counters(l, 0)->refused, 1);
    lab_close(l);
}

/* The routing stack has the connection itself, from when it was a target; and the row is gone, as it is when the table is full. */
static void a_syn_of_what_lives_here(void **state) {
    UNUSED(state);
    struct lab *l = opened(1, DIST_ROUNDROBIN);
    lab_connect(l);
    lab_run(l, 20000);
    struct vcrt_row *row = first_row();
    u16 cport = row->key.cport;
    vcrt_del(&dist(0)->vcrt, row);
    GOES(0, ASK, .tcp = TCPF_SYN, .cport = cport);
    lab_close(l);
}

/* ---- nobody notices ---- */

struct story {
    struct dist_counters count[LAB_NODES];
    u32 served[LAB_NODES], rows[LAB_NODES], taken[LAB_NODES];
    u32 received, errors;
};

static void work(struct lab *l, struct story *s, u32 clients) {
    struct lab_client *c[24];
    for (u32 i = 0; i < clients; i++) c[i] = lab_connect(l);
    lab_run(l, 30000);
    for (u32 i = 0; i < clients; i++)
        if (c[i]->s) sock_send(c[i]->s, "hello", 5, l->t->now);
    lab_run(l, 100000);
    for (u32 i = 0; i < clients; i++) {
        s->received += c[i]->received;
        s->errors += c[i]->error != 0;
        if (i % 3 == 0 && c[i]->s) sock_abort(c[i]->s, l->t->now), c[i]->s = NULL;
        if (i % 3 == 1) lab_hang_up(l, c[i]);
    }
    lab_run(l, 30000);
}

/* Connections, aborted, ended and left open; nobody listens; a server dies; the address moves and is taken over. */
static void tell_story(struct story *s, bool straight) {
    struct lab *l = opened(4, DIST_ROUNDROBIN);
    memset(s, 0, sizeof *s);
    for (u32 i = 0; i < 4 && !straight; i++) stack_hooks(l->node[i].stk)->routed = NULL;
    work(l, s, 24);
    quiesced(l, 2, true);
    lab_run(l, 5000);
    work(l, s, 12);
    lab_die(l, 3);
    work(l, s, 12);
    lab_give(l, 1);
    lab_own(l, 1);
    work(l, s, 12);
    lab_die(l, 1);
    lab_own(l, 2);
    quiesced(l, 2, false);
    work(l, s, 12);
    lab_run(l, 20 * USEC_PER_SEC);
    for (u32 i = 0; i < 4; i++) {
        s->count[i] = *counters(l, i);
        s->served[i] = l->node[i].served;
        s->rows[i] = rows(l, i);
        s->taken[i] = net_stats(l->node[i].stk)->ip.drop_claimed;
    }
    lab_close(l);
}

static void nobody_notices(void **state) {
    static struct story straight, around;
    UNUSED(state);
    tell_story(&straight, true);
    tell_story(&around, false);
    assert_true(straight.count[0].routed > 100 && straight.received > 24 * 5);
#define C(name)                                                                                                         \
    for (u32 i = 0; i < LAB_NODES; i++)                                                                                 \
        if (straight.count[i].name != around.count[i].name)                                                             \
            fail_msg("%c: " #name " %u, %u the long way", 'A' + i, straight.count[i].name, around.count[i].name);
    DIST_COUNTERS(C)
#undef C
    assert_memory_equal(&straight, &around, sizeof straight);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_a_target),
        cmocka_unit_test(at_a_target_that_routes),
        cmocka_unit_test(segments_at_the_routing_stack),
        cmocka_unit_test(first_syns_at_the_routing_stack),
        cmocka_unit_test(a_syn_of_what_lives_here),
        cmocka_unit_test(nobody_notices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
