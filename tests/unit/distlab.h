/* distlab.h - the distributor under test: stacks A, B, C, D with one OSA each, a client that reaches each of them, and a group
 * whose messages and ownership the test itself decides. It stands in for struct sysplex, whose functions it defines; so
 * a program that includes it links no other. Packets that a card or a peer has verified come first to the hook in front of IP, as in a guest; what
 * a test gives without PKT_IP_CSUM_OK takes the long way.
 *
 *   lab_open(&l, n)             n stacks, each with a server on port 80 that echoes; dynamic XCF addresses 10.9.9.1...
 *   lab_own(l, i)               stack i owns the DVIPA (LAB_DVIPA) from now on, with a new epoch; -1 nobody
 *   lab_give(l, i)              the owner gives the DVIPA up for stack i, and has said to it what it may not know: lab_own(l, i) comes next
 *   lab_die(l, i)               stack i is gone: peer_down at the others
 *   lab_run(l, usec)            time passes: messages are delivered after message_usec, packets between stacks after 100 us
 *   lab_connect(l, &c)          a client's connection to the DVIPA
 */
#ifndef TESTS_UNIT_DISTLAB_H
#define TESTS_UNIT_DISTLAB_H

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "net/tcp_impl.h"
#include "sysplex/dist_impl.h"
#include "tests/unit/testnet.h"

#define LAB_NODES   4
#define LAB_DVIPA   ipaddr_v4(0xC9020A0B) /* 201.2.10.11 */
#define LAB_MASK    ipaddr_v4(0xFFFFFFF0)
#define LAB_CLIENT  "192.168.7.7"
#define LAB_QUEUE   16384
#define LAB_CLIENTS 400

struct lab;
struct sysplex { /* one stack's view of the group */
    struct lab *lab;
    u32 index;
    bool alive, target_on;
    bool joining; /* it is not in sync: some member has no path to it */
    struct stack *stk;
    struct link *osa, *xcf, *client_side;
    struct sysplex_peer peer[LAB_NODES];
    const struct sysplex_part_ops *ops;
    void *ctx;
    struct distributor *d;
    struct sock *listener;
    void *storage;
    u32 room;     /* bytes of the longest message that the group takes from it */
    u32 served;   /* connections that its server accepted */
    u32 sent_messages;
    u8 diststat;
};
struct lab_event {
    u64 at;
    u32 from, to;
    u8 kind; /* 0: a packet */
    u16 flags;
    u32 len;
    u8 *data;
};
struct lab_client {
    struct lab *lab;
    struct sock *s;
    bool connected, closed;
    int error;
    u32 received;
};
struct lab {
    struct testnet *t;
    struct stack *client;
    u32 nodes;
    int owner;
    u32 epoch, message_usec, step_usec;
    bool mute; /* messages of the group vanish */
    bool no_pass; /* no stack is reached by XCF itself: by VIPAROUTE, say */
    bool moved;   /* some stack has given away an address that is not distributed, and has connections yet */
    bool heirs_reversed;
    bool others; /* messages may name DVIPAs that nobody owns, a stack leave the group: else that is the test's mistake */
    struct sysplex node[LAB_NODES];
    struct lab_event queue[LAB_QUEUE];
    u32 head, tail;
    struct lab_client c[LAB_CLIENTS];
};

/* ---- what struct sysplex offers ---- */
void sysplex_part_add(struct sysplex *sx, const struct sysplex_part_ops *ops, void *ctx) {
    sx->ops = ops;
    sx->ctx = ctx;
    stack_hooks(sx->stk)->routed = ops->routed;
    stack_hooks(sx->stk)->routed_ctx = ctx;
}
bool sysplex_has_moved(const struct sysplex *sx) { return sx->lab->moved; }
struct stack *sysplex_stack(struct sysplex *sx) { return sx->stk; }
const char *sysplex_sysname(const struct sysplex *sx) { return sx->index ? "SYSB" : "SYSA"; }
const char *sysplex_tcpname(const struct sysplex *sx) { UNUSED(sx); return "TCPIP"; }
struct ipaddr sysplex_dynxcf(const struct sysplex *sx) { return ipaddr_v4(0x0A090901u + sx->index); }
enum sysplex_state sysplex_state(const struct sysplex *sx) { return sx->joining ? SYSPLEX_JOINED : SYSPLEX_IN_SYNC; }
struct sysplex_peer *sysplex_peer_at(struct sysplex *sx, u32 index) {
    return index < LAB_NODES && sx->peer[index].used ? &sx->peer[index] : NULL;
}

static bool lab_is_other(const struct sysplex *sx, struct ipaddr addr) {
    bool other = !ipaddr_eq(addr, LAB_DVIPA);
    CHECK(!other || sx->lab->others);
    return other;
}

/* In order of their numbers, or the other way round. */
u32 sysplex_heirs(struct sysplex *sx, struct ipaddr addr, struct sysplex_peer *heir[], u32 max) {
    u32 n = 0;
    if (lab_is_other(sx, addr)) return 0;
    for (u32 k = 0; k < sx->lab->nodes && n < max; k++) {
        u32 i = sx->lab->heirs_reversed ? sx->lab->nodes - 1 - k : k;
        if (i != sx->index && sx->peer[i].used && sx->lab->node[i].alive) heir[n++] = &sx->peer[i];
    }
    return n;
}

static void lab_push(struct lab *l, struct lab_event e, const void *data) {
    CHECK((l->tail + 1) % LAB_QUEUE != l->head);
    e.data = malloc(e.len + 1);
    memcpy(e.data, data, e.len);
    l->queue[l->tail] = e;
    l->tail = (l->tail + 1) % LAB_QUEUE;
}

int sysplex_send(struct sysplex *sx, const struct sysplex_peer *to, u8 kind, const void *data, u32 len, u64 now) {
    struct lab *l = sx->lab;
    u32 n = 0;
    if (l->mute) return 0;
    if (len > sx->room) return -ERR_NOBUFS;
    for (u32 i = 0; i < l->nodes; i++) {
        if (i == sx->index || !l->node[i].alive || (to && to->index != i)) continue;
        lab_push(l, (struct lab_event){now + l->message_usec, sx->index, i, kind, 0, len, NULL}, data);
        n++;
    }
    sx->sent_messages += n;
    return n ? 0 : -ERR_NOENT;
}

void sysplex_forward(struct sysplex *sx, struct sysplex_peer *to, struct pkt *p, u64 now) {
    u8 copy[65536];
    pkt_copy(p, 0, copy, pkt_bytes(p));
    struct lab_event e = {now + 100, sx->index, to->index, 0, p->flags, pkt_bytes(p), NULL};
    lab_push(sx->lab, e, copy);
}
bool sysplex_pass(struct sysplex *sx, struct sysplex_peer *to, struct pkt *p, u64 now) {
    if (sx->lab->no_pass) return false;
    p->flags |= PKT_DISTRIBUTED;
    sysplex_forward(sx, to, p, now);
    return true;
}

/* The lab polls each node at each step. */
void sysplex_poll_by(struct sysplex *sx, u64 when) {
    UNUSED(sx);
    UNUSED(when);
}

static void lab_home(struct sysplex *sx, u64 now) {
    bool active = sx->lab->owner == (int)sx->index, in = home_find(sx->stk, LAB_DVIPA) != NULL;
    struct link *vipa = link_find(sx->stk, "VIPLC9020A0B");
    if (in) home_del(sx->stk, LAB_DVIPA, now);
    if (active || sx->target_on)
        home_add(sx->stk, LAB_DVIPA, vipa, (u8)(HOME_DYNAMIC | HOME_GENERATED | (active ? 0 : HOME_INTERNAL)), now);
}

int sysplex_target(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask, bool on, u64 now) {
    UNUSED(mask);
    if (lab_is_other(sx, addr)) return 0;
    CHECK(sx->target_on != on || sx->lab->others);
    if (sx->target_on == on) return 0;
    sx->target_on = on;
    lab_home(sx, now);
    return 0;
}
void sysplex_diststat(struct sysplex *sx, struct ipaddr addr, u8 bits, u64 now) {
    UNUSED(addr);
    UNUSED(now);
    sx->diststat = bits;
}
static struct sysplex_dvipa lab_dvipa(struct sysplex *sx) {
    struct lab *l = sx->lab;
    struct sysplex_dvipa d = {.addr = LAB_DVIPA, .mask = LAB_MASK, .epoch = l->epoch, .owned = l->owner >= 0};
    d.active_here = l->owner == (int)sx->index;
    if (d.owned && !d.active_here) d.owner = &sx->peer[l->owner];
    if (d.owned) d.distributed = l->node[l->owner].diststat & 1;
    return d;
}
bool sysplex_dvipa(struct sysplex *sx, struct ipaddr addr, struct sysplex_dvipa *out) {
    *out = lab_dvipa(sx);
    return ipaddr_eq(addr, LAB_DVIPA) && out->owned;
}

/* ---- the stack's hooks ---- */
static bool lab_claim(void *ctx, struct stack *stk, struct pkt *p, u64 now) {
    struct sysplex *sx = ctx;
    UNUSED(stk);
    return sx->ops->packet(sx->ctx, p, now) == SYSPLEX_TAKEN;
}
static void lab_opened(void *ctx, struct tcb *conn, u64 now) {
    struct sysplex *sx = ctx;
    struct tcp_key k;
    tcp_key_of(conn, &k);
    sx->ops->conn_opened(sx->ctx, &k, conn, now);
}
static void lab_closed(void *ctx, struct tcb *conn, u64 now) {
    struct sysplex *sx = ctx;
    struct tcp_key k;
    tcp_key_of(conn, &k);
    sx->ops->conn_closed(sx->ctx, &k, conn, now);
}
static void lab_half_open_ended(void *ctx, const struct tcp_key *key, u32 peer_isn, u64 now) {
    struct sysplex *sx = ctx;
    sx->ops->half_open_ended(sx->ctx, key, peer_isn, now);
}
static void lab_listener(void *ctx, struct ipaddr addr, u16 port, bool ready, u64 now) {
    struct sysplex *sx = ctx;
    sx->ops->listener(sx->ctx, addr, port, ready, now);
}

/* A stack's own connections to the DVIPA come from its OSA's address; answers find it through the client, which forwards. */
static struct ipaddr lab_source(void *ctx, struct ipaddr dst) {
    struct sysplex *sx = ctx;
    return ipaddr_eq(dst, LAB_DVIPA) ? home_of_link(sx->stk, sx->osa) : IPADDR_ANY;
}
static int lab_ephemeral(void *ctx, struct ipaddr addr, bool (*in_use)(void *ctx, u16 port), void *in_use_ctx, u16 *port,
                         u64 now) {
    struct sysplex *sx = ctx;
    return sx->ops->ephemeral(sx->ctx, addr, in_use, in_use_ctx, port, now);
}

/* ---- programs ---- */
static void lab_echo(void *ctx, struct sock *s, u32 events, u64 now) {
    u8 buf[2048];
    i32 n;
    UNUSED(ctx);
    if (events & SOCK_EV_CLOSED) {
        sock_close(s, now);
        return;
    }
    while ((n = sock_recv(s, buf, sizeof buf, now)) > 0) sock_send(s, buf, (u32)n, now);
    if (n == 0) sock_close(s, now);
}
static void lab_accept(void *ctx, struct sock *s, u32 events, u64 now) {
    struct sysplex *sx = ctx;
    struct sock *n;
    UNUSED(events);
    while (sock_accept(s, &n, NULL, now) == 0) {
        sx->served++;
        sock_on_event(n, lab_echo, NULL);
        lab_echo(NULL, n, SOCK_EV_READ, now);
    }
}
static struct sock *lab_listen(struct sysplex *sx, struct ipaddr addr, u16 port) {
    struct sock *s;
    u64 now = sx->lab->t->now;
    CHECK(sock_open(sx->stk, SOCK_TCP, "SERVER", &s) == 0);
    sock_setopt(s, SO_REUSEADDR_OPT, 1, now);
    CHECK(sock_bind(s, addr, port, now) == 0 && sock_listen(s, 400, now) == 0);
    sock_on_event(s, lab_accept, sx);
    return s;
}

static void lab_client_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct lab_client *c = ctx;
    u8 buf[2048];
    i32 n;
    if (events & SOCK_EV_CLOSED) {
        c->error = sock_error(s);
        c->closed = true;
        sock_close(s, now);
        c->s = NULL;
        return;
    }
    if (events & SOCK_EV_WRITE) c->connected = true;
    while ((n = sock_recv(s, buf, sizeof buf, now)) > 0) c->received += (u32)n;
    if (n == 0) c->closed = true;
}
static struct lab_client *lab_connect_from(struct lab *l, struct stack *from, struct ipaddr addr, u16 port) {
    struct lab_client *c = l->c;
    while (c->s || c->closed) CHECK(++c < l->c + LAB_CLIENTS);
    *c = (struct lab_client){.lab = l};
    CHECK(sock_open(from, SOCK_TCP, "CLIENT", &c->s) == 0);
    sock_on_event(c->s, lab_client_event, c);
    CHECK(sock_connect(c->s, addr, port, l->t->now) == -ERR_INPROGRESS);
    return c;
}
static struct lab_client *lab_connect_to(struct lab *l, struct ipaddr addr, u16 port) {
    return lab_connect_from(l, l->client, addr, port);
}
static struct lab_client *lab_connect(struct lab *l) { return lab_connect_to(l, LAB_DVIPA, 80); }
__attribute__((unused)) static void lab_hang_up(struct lab *l, struct lab_client *c) {
    if (c->s) sock_close(c->s, l->t->now);
    *c = (struct lab_client){.lab = NULL};
}

/* ---- the group ---- */
static void lab_tell_owner(struct lab *l) {
    for (u32 i = 0; i < l->nodes; i++) {
        struct sysplex *sx = &l->node[i];
        if (!sx->alive) continue;
        struct sysplex_dvipa d = lab_dvipa(sx);
        lab_home(sx, l->t->now);
        sx->ops->dvipa_changed(sx->ctx, &d, l->t->now);
    }
}

static struct route *lab_route_to_dvipa(struct lab *l, bool add) {
    struct sysplex *sx = &l->node[l->owner];
    struct route_def def = {.dest = LAB_DVIPA, .prefix_bits = 32, .kind = ROUTE_STATIC, .lnk = sx->client_side};
    def.gateway = home_of_link(sx->stk, sx->osa);
    if (add)
        CHECK(route_add(l->client, &def, l->t->now) == 0);
    else
        CHECK(route_del(l->client, &def, l->t->now) == 0);
    return NULL;
}

static void lab_own(struct lab *l, int owner) {
    if (l->owner >= 0) lab_route_to_dvipa(l, false);
    l->owner = owner;
    if (owner >= 0) {
        l->epoch++;
        lab_route_to_dvipa(l, true);
    }
    lab_tell_owner(l);
}

static void lab_run(struct lab *l, u64 usec);

/* Nobody else hears anything, and what is said arrives before the next owner is one. */
__attribute__((unused)) static void lab_give(struct lab *l, u32 to) {
    struct sysplex *sx = &l->node[l->owner];
    lab_route_to_dvipa(l, false);
    l->owner = -1;
    struct sysplex_dvipa d = lab_dvipa(sx);
    lab_home(sx, l->t->now);
    sx->ops->dvipa_changed(sx->ctx, &d, l->t->now);
    CHECK(sx->ops->give(sx->ctx, LAB_DVIPA, &sx->peer[to], l->t->now));
    lab_run(l, l->message_usec + l->step_usec);
}

static void lab_meet(struct lab *l, u32 i, u32 j) {
    struct sysplex *sx = &l->node[i];
    struct sysplex_peer *p = &sx->peer[j];
    *p = (struct sysplex_peer){.index = (u8)j, .used = true, .up = true, .dynxcf = sysplex_dynxcf(&l->node[j]), .lnk = sx->xcf};
    str_fmt(p->system, sizeof p->system, "SYS%c", 'A' + (char)j);
    str_copy(p->tcpname, sizeof p->tcpname, "TCPIP");
    sx->ops->tell(sx->ctx, p, l->t->now);
    sx->ops->peer_up(sx->ctx, p, l->t->now);
}

__attribute__((unused)) static void lab_die(struct lab *l, u32 dead) {
    l->node[dead].alive = false;
    link_lan_down(l->node[dead].osa, l->t->now); /* nothing of it reaches anybody */
    link_lan_down(l->node[dead].xcf, l->t->now);
    for (u32 i = 0; i < l->nodes; i++) {
        if (i == dead || !l->node[i].alive) continue;
        l->node[i].ops->peer_down(l->node[i].ctx, &l->node[i].peer[dead], l->t->now);
        l->node[i].peer[dead].used = false;
    }
}

static void lab_deliver(struct lab *l) {
    while (l->head != l->tail && l->queue[l->head].at <= l->t->now) {
        struct lab_event e = l->queue[l->head];
        struct sysplex *to = &l->node[e.to];
        l->head = (l->head + 1) % LAB_QUEUE;
        if (to->alive && e.kind && to->peer[e.from].used)
            to->ops->message(to->ctx, &to->peer[e.from], e.kind, e.data, e.len, l->t->now);
        else if (to->alive && !e.kind)
            testnet_give_from(to->xcf, e.data, e.len, (u16)(PKT_IP_CSUM_OK | (e.flags & (PKT_DISTRIBUTED | PKT_L4_CSUM_OK))), (u8)(e.from + 1));
        free(e.data);
    }
}

static void lab_run(struct lab *l, u64 usec) {
    for (u64 end = l->t->now + usec; l->t->now < end;) {
        testnet_run(l->t, l->step_usec);
        lab_deliver(l);
        for (u32 i = 0; i < l->nodes; i++)
            if (l->node[i].alive) l->node[i].ops->poll(l->node[i].ctx, l->t->now);
    }
}

/* ---- opening and closing ---- */
static u64 lab_idle(void *ctx) {
    const struct sysplex *sx = ctx;
    return sx->lab->t->now / (2 + sx->index); /* SYSA is half idle, SYSB a third ... */
}

/* Little is sent: with small pools a world is opened in a fraction of the time. */
static struct stack *lab_stack(struct lab *l, const char *name) {
    struct stack_config c;
    testnet_config(&c);
    c.buffer_chunks = 128;
    c.large_pbufs = 32;
    c.huge_pbufs = 1;
    return testnet_stack(l->t, name, &c);
}

static void lab_node(struct lab *l, u32 i) {
    static const struct testnet_fault wire = {.delay_usec = 50};
    struct sysplex *sx = &l->node[i];
    char name[9], a[16], b[16];
    str_fmt(name, sizeof name, "TCPIP%c", 'A' + (char)i);
    *sx = (struct sysplex){.lab = l, .index = i, .alive = true, .room = UINT32_MAX};
    sx->stk = lab_stack(l, name);
    net_config(sx->stk)->ip.sysplex_routing = true;
    net_config(sx->stk)->tcp.max_backlog = 400;
    str_fmt(a, sizeof a, "10.1.%u.1", i);
    str_fmt(b, sizeof b, "10.1.%u.2", i);
    str_fmt(name, sizeof name, "C%c", 'A' + (char)i);
    sx->osa = testnet_link(l->t, sx->stk, "OSA", a, "255.255.255.0", LINK_CAP_ARP | LINK_CAP_CSUM_IN);
    sx->client_side = testnet_link(l->t, l->client, name, b, "255.255.255.0", LINK_CAP_ARP | LINK_CAP_CSUM_IN);
    testnet_join(l->t, sx->osa, sx->client_side, &wire);
    sx->xcf = testnet_link(l->t, sx->stk, "EZAXCF", "10.9.8.1", NULL, LINK_CAP_ARP);
    sx->xcf->type = LNK_MPCPTP;
    struct device *dev;
    struct link *vipa;
    CHECK(device_add(sx->stk, "VIPDC9020A0B", DEV_VIRTUAL, 0, &dev) == 0);
    CHECK(link_add(sx->stk, dev, "VIPLC9020A0B", LNK_VIRTUAL, 0, &vipa) == 0);
    struct route_def back = {.dest = testnet_ip(LAB_CLIENT), .prefix_bits = 32, .kind = ROUTE_STATIC, .lnk = sx->osa};
    back.gateway = testnet_ip(b);
    CHECK(route_add(sx->stk, &back, l->t->now) == 0);
    for (u32 j = 0; j < l->nodes; j++) {
        if (j == i) continue;
        back.dest = ipaddr_v4(0x0A010000u | j << 8), back.prefix_bits = 24;
        CHECK(route_add(sx->stk, &back, l->t->now) == 0);
    }
    *stack_hooks(sx->stk) = (struct stack_hooks){
        .ctx = sx, .claim = lab_claim, .conn_opened = lab_opened, .conn_closed = lab_closed, .half_open_ended = lab_half_open_ended,
        .listener = lab_listener, .source = lab_source, .ephemeral = lab_ephemeral};
    struct distributor_config c;
    struct arena arena;
    distributor_config_default(&c);
    c.rows = c.copies = 512, c.ports = 16, c.vipas = 4, c.defs = 32, c.affinities = 16, c.report_sec = 10;
    c.seed[1] = 0x9E3779B1, c.seed[2] = 0x85EBCA6B, c.seed[3] = 0xC2B2AE35;
    c.idle_us = lab_idle, c.idle_ctx = sx;
    size_t bytes = distributor_bytes(&c);
    sx->storage = calloc(1, bytes);
    arena_init(&arena, sx->storage, bytes);
    c.arena = &arena;
    sx->d = distributor_create(&c, sx, l->t->now);
    CHECK(sx->d);
    sx->listener = lab_listen(sx, IPADDR_ANY, 80);
}

static void lab_open(struct lab *l, u32 nodes) {
    struct device *dev;
    struct link *vipa;
    memset(l, 0, sizeof *l);
    l->t = testnet_create(5);
    l->nodes = nodes;
    l->owner = -1;
    l->message_usec = 200;
    l->step_usec = 250;
    l->client = lab_stack(l, "CLIENT");
    CHECK(device_add(l->client, "VDEV", DEV_VIRTUAL, 0, &dev) == 0);
    CHECK(link_add(l->client, dev, "VLINK", LNK_VIRTUAL, 0, &vipa) == 0);
    CHECK(home_add(l->client, testnet_ip(LAB_CLIENT), vipa, 0, l->t->now) == 0);
    net_config(l->client)->ip.source_vipa = true;
    net_config(l->client)->ip.forwarding = true;
    for (u32 i = 0; i < nodes; i++) lab_node(l, i);
    for (u32 i = 0; i < nodes; i++)
        for (u32 j = 0; j < nodes; j++)
            if (i != j) lab_meet(l, i, j);
    lab_run(l, 1000);
}

static void lab_close(struct lab *l) {
    for (; l->head != l->tail; l->head = (l->head + 1) % LAB_QUEUE) free(l->queue[l->head].data);
    for (u32 i = 0; i < l->nodes; i++) *stack_hooks(l->node[i].stk) = (struct stack_hooks){.ctx = NULL};
    testnet_destroy(l->t);
    for (u32 i = 0; i < l->nodes; i++) free(l->node[i].storage);
}

#endif
