/* miscserv.c - MISCSERV, OS/390's procedure of small servers: echo (RFC 862), discard (RFC 863), chargen (RFC 864).
 *
 *   service   port   TCP                                        UDP
 *   echo      7      what arrives goes back                     likewise
 *   discard   9      what arrives is read and forgotten         likewise
 *   chargen   19     lines of 72 characters until the peer      one datagram of such lines, as long as what
 *                    closes                                     asked for it, at most 512 bytes
 *
 * A datagram is answered from the address that it was sent to.
 * UDP datagrams from the ports of these services are not answered: two servers must not be set upon each other
 * (CERT CA-1996-01). A chargen answer is never longer than its question: nothing to amplify an attack with.
 *
 * Fixed storage: CONNS connections over the three services; when all are in use a new one waits in its listener. A
 * connection on which nothing moved for IDLE seconds is reset, so nobody holds a place for ever.
 */
#include "apps/app_impl.h"
#include "base/list.h"
#include "base/str.h"
#include "net/timer.h"
#include "super/console.h"

#define CONNS_DEFAULT 128
#define IDLE_DEFAULT 600 /* seconds: a person at an echo may think for a while */
#define DATAGRAM_MAX 1500
#define CHARGEN_DATAGRAM_MAX 512u
#define LINE_CHARS 72u
#define LINE_BYTES (LINE_CHARS + 2)
#define PRINTABLE 95u /* ' ' to '~' */

enum service { ECHO, DISCARD, CHARGEN, SERVICES };
static const u16 ports[SERVICES] = {7, 9, 19};

struct miscserv;
struct conn {
    struct list node; /* free list, or alone */
    struct miscserv *m;
    struct sock *s;
    struct timer silence; /* armed while open; each event moves it */
    u8 service;
    u32 line, column; /* chargen: where the stream stands */
};

struct endpoint {
    struct miscserv *m;
    u8 service;
    struct sock *tcp, *udp;
};

struct miscserv {
    struct app_env *env;
    char jobname[9];
    struct endpoint end[SERVICES];
    struct list idle; /* struct conn, free */
    u32 conns;
    u64 idle_usec;
    u8 datagram[DATAGRAM_MAX];
    struct conn conn[];
};

static void accept_all(struct endpoint *e, u64 now);

/* The socket is closed, or reset. */
static void conn_over(struct conn *c, u64 now) {
    struct miscserv *m = c->m;
    c->s = NULL;
    timer_disarm(m->env->stk, &c->silence);
    list_push_back(&m->idle, &c->node);
    /* Someone may have waited for this one's place. */
    for (u32 i = 0; i < SERVICES; i++)
        if (m->end[i].tcp) accept_all(&m->end[i], now);
}

static void silence_rings(struct stack *stk, struct timer *t, u64 now) {
    struct conn *c = CONTAINER_OF(t, struct conn, silence);
    UNUSED(stk);
    sock_abort(c->s, now); /* what it was sent might wait in its buffer for ever */
    conn_over(c, now);
}

/* Everything below returns false when the connection is over. */
static bool echo_run(struct conn *c, u64 now) {
    for (;;) {
        const u8 *in;
        i32 n = sock_recv_peek(c->s, &in);
        if (n <= 0) return n == -ERR_AGAIN;
        i32 sent = sock_send(c->s, in, (u32)n, now);
        if (sent < 0) return sent == -ERR_AGAIN;
        sock_recv_consume(c->s, (u32)sent, now);
    }
}

static bool discard_run(struct conn *c, u64 now) {
    for (;;) {
        const u8 *in;
        i32 n = sock_recv_peek(c->s, &in);
        if (n <= 0) return n == -ERR_AGAIN;
        sock_recv_consume(c->s, (u32)n, now);
    }
}

/* n bytes of the stream of lines: line l begins with the l-th printable character. */
static void chargen_fill(u8 *out, u32 n, u32 *line, u32 *column) {
    for (u32 i = 0; i < n; i++) {
        if (*column < LINE_CHARS)
            out[i] = (u8)(' ' + (*line + *column) % PRINTABLE);
        else
            out[i] = *column == LINE_CHARS ? '\r' : '\n';
        if (++*column == LINE_BYTES) {
            *column = 0;
            *line = (*line + 1) % PRINTABLE;
        }
    }
}

static bool chargen_run(struct conn *c, u64 now) {
    if (!discard_run(c, now)) return false;
    for (;;) {
        u8 *out;
        i32 room = sock_send_room(c->s, &out);
        if (room < 0) return room == -ERR_AGAIN;
        chargen_fill(out, (u32)room, &c->line, &c->column);
        sock_send_commit(c->s, (u32)room, now);
    }
}

static void conn_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct conn *c = ctx;
    static bool (*const run[SERVICES])(struct conn *, u64) = {echo_run, discard_run, chargen_run};
    if (!(events & SOCK_EV_CLOSED) && run[c->service](c, now)) {
        timer_arm(c->m->env->stk, &c->silence, now + c->m->idle_usec);
        return;
    }
    sock_close(s, now);
    conn_over(c, now);
}

static void accept_all(struct endpoint *e, u64 now) {
    struct miscserv *m = e->m;
    while (!list_empty(&m->idle)) {
        struct sock *s;
        if (sock_accept(e->tcp, &s, NULL, now) < 0) return;
        struct conn *c = LIST_ENTRY(list_pop_front(&m->idle), struct conn, node);
        c->s = s;
        c->service = e->service;
        c->line = c->column = 0;
        sock_on_event(s, conn_event, c);
        conn_event(c, s, SOCK_EV_READ | SOCK_EV_WRITE, now);
    }
}

static void listener_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct endpoint *e = ctx;
    UNUSED(s);
    if (!(events & SOCK_EV_CLOSED)) {
        accept_all(e, now);
        return;
    }
    console_message(e->m->env->con, "PLX0401W %s LOST ITS LISTENER ON PORT %u", e->m->jobname, ports[e->service]);
    sock_close(e->tcp, now);
    e->tcp = NULL;
}

static bool is_service_port(u16 port) {
    for (u32 i = 0; i < SERVICES; i++)
        if (ports[i] == port) return true;
    return false;
}

static void udp_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct endpoint *e = ctx;
    struct miscserv *m = e->m;
    struct sockaddr4 from;
    struct ipaddr asked;
    UNUSED(events);
    for (;;) {
        i32 n = sock_recvfrom(s, m->datagram, sizeof m->datagram, &from, &asked, now);
        if (n == -ERR_AGAIN) return;
        /* Another error is an ICMP message about an answer: nothing to do. */
        if (n < 0 || e->service == DISCARD || is_service_port(from.port)) continue;
        u32 len = u32_min((u32)n, sizeof m->datagram);
        if (e->service == CHARGEN) {
            u32 line = 0, column = 0;
            len = u32_min(len, CHARGEN_DATAGRAM_MAX);
            chargen_fill(m->datagram, len, &line, &column);
        }
        /* With several addresses on a stack, an answer from another one would be a stranger's to who asked. */
        sock_answer(s, m->datagram, len, &from, asked, now);
    }
}

static void miscserv_stop(void *inst, u64 now) {
    struct miscserv *m = inst;
    for (u32 i = 0; i < SERVICES; i++) {
        if (m->end[i].tcp) sock_close(m->end[i].tcp, now);
        if (m->end[i].udp) sock_close(m->end[i].udp, now);
    }
    for (u32 i = 0; i < m->conns; i++)
        if (m->conn[i].s) {
            sock_abort(m->conn[i].s, now);
            timer_disarm(m->env->stk, &m->conn[i].silence);
        }
    app_give_back(m->env, m);
}

static int open_service(struct miscserv *m, u32 service, u64 now) {
    struct endpoint *e = &m->end[service];
    *e = (struct endpoint){.m = m, .service = (u8)service};
    int rc = app_listen(m->env, m->jobname, ports[service], APP_BACKLOG, listener_event, e, now, &e->tcp);
    if (rc < 0) return rc;
    return app_bind_udp(m->env, m->jobname, ports[service], udp_event, e, now, &e->udp);
}

static int miscserv_start(struct app_env *env, const char *jobname, const char *parm, u64 now, void **inst) {
    u32 conns = CONNS_DEFAULT, idle = IDLE_DEFAULT;
    if (!app_parm_number(parm, "CONNS", 1, 4096, &conns) || !app_parm_number(parm, "IDLE", 1, 86400, &idle))
        return -ERR_INVAL;
    struct miscserv *m = app_take(env, (u32)(sizeof *m + conns * sizeof m->conn[0]));
    if (!m) return -ERR_NOMEM;
    m->env = env;
    m->conns = conns;
    m->idle_usec = (u64)idle * USEC_PER_SEC;
    str_copy(m->jobname, sizeof m->jobname, jobname);
    list_init(&m->idle);
    for (u32 i = 0; i < conns; i++) {
        m->conn[i].m = m;
        timer_init(&m->conn[i].silence, silence_rings);
        list_push_back(&m->idle, &m->conn[i].node);
    }
    for (u32 i = 0; i < SERVICES; i++) {
        int rc = open_service(m, i, now);
        if (rc == 0) continue;
        miscserv_stop(m, now);
        return rc;
    }
    *inst = m;
    return 0;
}

const struct app miscserv_app = {.name = "MISCSERV", .start = miscserv_start, .stop = miscserv_stop};
