/* test_sock.c - the socket layer: who may bind what, SHAREPORT, BIND, reuse, options, wrong calls, all kinds of sockets. */
#include "net/tcp_impl.h"
#include "tests/unit/testnet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

struct rig {
    struct testnet *net;
    struct stack *a, *b;
    u32 ready, gone; /* hooks.listener */
};

static void listener_hook(void *ctx, struct ipaddr addr, u16 port, bool ready, u64 now) {
    struct rig *r = ctx;
    UNUSED(addr);
    UNUSED(port);
    UNUSED(now);
    if (ready) r->ready++;
    else r->gone++;
}

static void open_rig(struct rig *r) {
    static const struct testnet_fault good = {.delay_usec = 100};
    memset(r, 0, sizeof *r);
    r->net = testnet_create(3);
    r->a = testnet_stack(r->net, "TCPIPA", NULL);
    r->b = testnet_stack(r->net, "TCPIPB", NULL);
    testnet_join(r->net, testnet_link(r->net, r->a, "LA", "10.0.0.1", "255.255.255.0", LINK_CAP_ARP),
                 testnet_link(r->net, r->b, "LB", "10.0.0.2", "255.255.255.0", LINK_CAP_ARP), &good);
    r->a->hooks.ctx = r;
    r->a->hooks.listener = listener_hook;
    testnet_poll(r->net);
}

static struct sock *opened(struct stack *stk, enum sock_type type, const char *job) {
    struct sock *s;
    assert_int_equal(sock_open(stk, type, job, &s), 0);
    return s;
}

static int bind_as(struct rig *r, const char *job, const char *addr, u16 port, bool reuse, struct sock **out) {
    struct sock *s = opened(r->a, SOCK_TCP, job);
    if (reuse) sock_setopt(s, SO_REUSEADDR_OPT, 1, r->net->now);
    int rc = sock_bind(s, addr ? testnet_ip(addr) : IPADDR_ANY, port, r->net->now);
    if (rc < 0 || !out)
        sock_close(s, r->net->now);
    else
        *out = s;
    return rc;
}

static void binding(void **state) {
    struct rig r;
    struct sock *s, *t;
    struct port_rule reserved = {.first = 2000, .last = 2010, .proto = IP_PROTO_TCP, .flags = PORT_RESERVED | PORT_RANGE};
    struct port_rule job = {.first = 80, .last = 80, .proto = IP_PROTO_TCP, .jobname = "HTTPD"};
    (void)state;
    open_rig(&r);
    assert_int_equal(port_rule_add(r.a, &reserved), 0);
    assert_int_equal(port_rule_add(r.a, &job), 0);
    assert_int_equal(bind_as(&r, "X", NULL, 2005, false, NULL), -ERR_ACCES);
    assert_int_equal(bind_as(&r, "X", NULL, 80, false, NULL), -ERR_ACCES);
    assert_int_equal(bind_as(&r, "X", "10.0.0.77", 3000, false, NULL), -ERR_ADDRNOTAVAIL);
    assert_int_equal(bind_as(&r, "HTTPD", NULL, 80, false, &s), 0);
    assert_int_equal(sock_bind(s, IPADDR_ANY, 81, r.net->now), -ERR_INVAL);
    assert_int_equal(bind_as(&r, "HTTPD", NULL, 80, true, NULL), -ERR_ADDRINUSE);
    assert_int_equal(bind_as(&r, "HTTPD", "10.0.0.1", 80, false, NULL), -ERR_ADDRINUSE);
    sock_close(s, r.net->now);
    assert_int_equal(bind_as(&r, "HTTPD", "10.0.0.1", 80, false, &s), 0);
    assert_int_equal(bind_as(&r, "HTTPD", "127.0.0.1", 80, false, &t), 0); /* another address */
    sock_close(s, r.net->now);
    sock_close(t, r.net->now);
    /* An ephemeral port is nobody's and in the range. */
    for (u32 i = 0; i < 20; i++) {
        struct sockaddr4 at;
        assert_int_equal(bind_as(&r, "X", NULL, 0, false, &s), 0);
        sock_local(s, &at);
        assert_true(at.port >= 1024 && (at.port < 2000 || at.port > 2010));
        sock_close(s, r.net->now);
    }
    testnet_destroy(r.net);
}

/* Server Bind Control: only a bind to any is rewritten. Two jobs share a port number under two addresses. */
static void port_bind(void **state) {
    struct rig r;
    struct sock *s, *t;
    struct sockaddr4 at;
    struct port_rule one = {.first = 23, .last = 23, .proto = IP_PROTO_TCP, .flags = PORT_BIND, .jobname = "OTELNET"};
    struct port_rule two = {.first = 23, .last = 23, .proto = IP_PROTO_TCP, .flags = PORT_BIND, .jobname = "TN3270"};
    (void)state;
    open_rig(&r);
    one.bind = testnet_ip("10.0.0.1");
    two.bind = testnet_ip("127.0.0.1");
    assert_int_equal(port_rule_add(r.a, &one), 0);
    assert_int_equal(port_rule_add(r.a, &two), 0);
    assert_int_equal(bind_as(&r, "OTELNET", NULL, 23, false, &s), 0);
    sock_local(s, &at);
    assert_int_equal(at.addr.v4, one.bind.v4);
    assert_int_equal(bind_as(&r, "TN3270", NULL, 23, false, &t), 0);
    sock_local(t, &at);
    assert_int_equal(at.addr.v4, two.bind.v4);
    sock_close(s, r.net->now);
    sock_close(t, r.net->now);
    testnet_destroy(r.net);
}

static void shareport(void **state) {
    struct rig r;
    struct sock *l[3], *c[9], *s;
    struct port_rule rule = {.first = 8080, .last = 8080, .proto = IP_PROTO_TCP, .flags = PORT_SHAREPORT, .jobname = "WEB*"};
    u32 got[3] = {0};
    (void)state;
    open_rig(&r);
    assert_int_equal(port_rule_add(r.a, &rule), 0);
    for (u32 i = 0; i < 3; i++) {
        assert_int_equal(bind_as(&r, i == 0 ? "WEB1" : i == 1 ? "WEB2" : "WEB3", NULL, 8080, false, &l[i]), 0);
        assert_int_equal(sock_listen(l[i], 10, r.net->now), 0);
    }
    assert_int_equal(r.ready, 3);
    for (u32 i = 0; i < 9; i++) {
        c[i] = opened(r.b, SOCK_TCP, "CLIENT");
        assert_int_equal(sock_connect(c[i], testnet_ip("10.0.0.1"), 8080, r.net->now), -ERR_INPROGRESS);
        testnet_run(r.net, 5000);
    }
    for (u32 i = 0; i < 3; i++)
        while (sock_accept(l[i], &s, NULL, r.net->now) == 0) got[i]++, sock_close(s, r.net->now);
    for (u32 i = 0; i < 3; i++) assert_int_equal(got[i], 3); /* fewest connections first */
    for (u32 i = 0; i < 9; i++) sock_abort(c[i], r.net->now);
    for (u32 i = 0; i < 3; i++) sock_close(l[i], r.net->now);
    assert_int_equal(r.gone, 3);
    testnet_run(r.net, 5000);
    testnet_destroy(r.net);
}

/* Without SO_REUSEADDR a port with a connection, even one in TIME_WAIT, cannot be bound again. */
static void reuse(void **state) {
    struct rig r;
    struct sock *l, *c, *s;
    (void)state;
    open_rig(&r);
    assert_int_equal(bind_as(&r, "X", NULL, 4000, false, &l), 0);
    assert_int_equal(sock_listen(l, 5, r.net->now), 0);
    c = opened(r.b, SOCK_TCP, "CLIENT");
    sock_connect(c, testnet_ip("10.0.0.1"), 4000, r.net->now);
    testnet_run(r.net, 5000);
    assert_int_equal(sock_accept(l, &s, NULL, r.net->now), 0);
    sock_close(l, r.net->now);
    assert_int_equal(bind_as(&r, "X", NULL, 4000, false, NULL), -ERR_ADDRINUSE);
    sock_close(s, r.net->now);
    testnet_run(r.net, 5000);
    sock_close(c, r.net->now);
    testnet_run(r.net, 5000);
    assert_int_equal(r.a->tcp->timewait_rows.in_use, 1);
    assert_int_equal(bind_as(&r, "X", NULL, 4000, false, NULL), -ERR_ADDRINUSE);
    assert_int_equal(bind_as(&r, "X", NULL, 4000, true, NULL), 0);
    testnet_run(r.net, 61000000);
    assert_int_equal(bind_as(&r, "X", NULL, 4000, false, NULL), 0);
    testnet_destroy(r.net);
}

static void wrong_calls(void **state) {
    struct rig r;
    u8 b[8], *room;
    const u8 *p;
    u32 v;
    (void)state;
    open_rig(&r);
    u64 now = r.net->now;
    struct sock *s = opened(r.a, SOCK_TCP, "X"), *u = opened(r.a, SOCK_UDP, "X"), *n;
    assert_int_equal(sock_send(s, b, 1, now), -ERR_NOTCONN);
    assert_int_equal(sock_recv(s, b, 1, now), -ERR_NOTCONN);
    assert_int_equal(sock_shutdown_send(s, now), -ERR_NOTCONN);
    assert_int_equal(sock_accept(s, &n, NULL, now), -ERR_INVAL);
    assert_int_equal(sock_connect(s, IPADDR_ANY, 5, now), -ERR_ADDRNOTAVAIL);
    assert_int_equal(sock_connect(s, testnet_ip("224.0.0.1"), 5, now), -ERR_ADDRNOTAVAIL);
    assert_int_equal(sock_connect(s, testnet_ip("99.0.0.1"), 5, now), -ERR_NETUNREACH);
    assert_int_equal(sock_setopt(s, SO_TTL, 0, now), -ERR_INVAL);
    assert_int_equal(sock_setopt(s, SO_MCAST_JOIN, 1, now), -ERR_INVAL);
    assert_int_equal(sock_setopt(s, SO_RCVBUF_OPT, 10, now), -ERR_INVAL);
    assert_int_equal(sock_setopt(s, SO_NODELAY, 1, now), 0);
    assert_int_equal(sock_getopt(s, SO_NODELAY, &v), 0);
    assert_int_equal(v, 1);
    assert_int_equal(sock_getopt(s, SO_PATHMTU, &v), -ERR_NOTCONN);
    assert_int_equal(sock_listen(s, 5, now), 0); /* binds an ephemeral port */
    assert_int_equal(sock_listen(s, 1, now), 0);
    assert_int_equal(sock_accept(s, &n, NULL, now), -ERR_AGAIN);
    assert_int_equal(sock_connect(s, testnet_ip("10.0.0.2"), 5, now), -ERR_INVAL);
    assert_int_equal(sock_recv_peek(s, &p), -ERR_INVAL);
    assert_int_equal(sock_send_room(s, &room), -ERR_INVAL);
    assert_int_equal(sock_listen(u, 5, now), -ERR_NOSYS);
    assert_int_equal(sock_accept(u, &n, NULL, now), -ERR_NOSYS);
    assert_int_equal(sock_send_room(u, &room), -ERR_NOSYS);
    sock_close(s, now);
    sock_close(u, now);
    testnet_destroy(r.net);
}

/* Sockets run out: the refusal is returned and counted, and closing gives them back. */
static void exhaustion(void **state) {
    struct rig r;
    struct sock *s[200];
    u32 n = 0;
    (void)state;
    open_rig(&r);
    while (n < ARRAY_LEN(s) && sock_open(r.a, SOCK_TCP, "X", &s[n]) == 0) n++;
    assert_int_equal(n, sock_pool(r.a)->count);
    assert_int_equal(sock_open(r.a, SOCK_TCP, "X", &s[0] + n), -ERR_NOBUFS);
    assert_int_equal(sock_pool(r.a)->refused, 2);
    while (n > 0) sock_close(s[--n], r.net->now);
    assert_int_equal(sock_pool(r.a)->in_use, 0);
    testnet_destroy(r.net);
}

static bool count_row(void *ctx, const struct sock_info *i) {
    u32 *n = ctx;
    n[i->type]++;
    return true;
}

static void all_kinds_are_listed(void **state) {
    struct rig r;
    u32 n[3] = {0};
    (void)state;
    open_rig(&r);
    struct sock *s[] = {opened(r.a, SOCK_TCP, "X"), opened(r.a, SOCK_UDP, "X"), opened(r.a, SOCK_UDP, "Y"),
                        opened(r.a, SOCK_ICMP, "PING")};
    sock_for_each(r.a, count_row, n);
    assert_int_equal(n[SOCK_TCP], 1);
    assert_int_equal(n[SOCK_UDP], 2);
    assert_int_equal(n[SOCK_ICMP], 1);
    assert_string_equal(sock_jobname(s[3]), "PING");
    assert_ptr_equal(sock_stack(s[0]), r.a);
    for (u32 i = 0; i < ARRAY_LEN(s); i++) sock_close(s[i], r.net->now);
    testnet_destroy(r.net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binding), cmocka_unit_test(port_bind),   cmocka_unit_test(shareport),
        cmocka_unit_test(reuse),   cmocka_unit_test(wrong_calls), cmocka_unit_test(exhaustion),
        cmocka_unit_test(all_kinds_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
