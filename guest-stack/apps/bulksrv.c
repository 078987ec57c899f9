/* bulksrv.c - BULKSRV: a source and a sink of known bytes on bare TCP, for measuring without HTTP around it.
 *
 *   port 5001  source  sends BYTES=n bytes of the pattern (apps/pattern.h), then closes; default 64 MB
 *   port 5002  sink    reads until the peer closes its side, then answers one line and closes:
 *                      LENGTH 67108864 PATTERN OK        or        LENGTH 512 PATTERN BAD AT 17
 *
 * Fixed storage: CONNS connections over both; when all are in use a new one waits in its listener. A connection on
 * which nothing moved for IDLE seconds is reset, so nobody holds a place for ever.
 */
#include "apps/app_impl.h"
#include "apps/pattern.h"
#include "base/list.h"
#include "base/str.h"
#include "net/timer.h"
#include "super/console.h"

#define CONNS_DEFAULT 64
#define IDLE_DEFAULT 60 /* seconds: what is measured does not pause */
#define SOURCE_PORT 5001
#define SINK_PORT 5002
#define BYTES_DEFAULT 67108864u

struct bulksrv;
struct conn {
    struct list node; /* free list, or alone */
    struct bulksrv *b;
    struct sock *s;
    struct timer silence; /* armed while open; each event moves it */
    bool sink, bad;
    u32 phase;
    u64 bytes;  /* source: still to send; sink: received */
    u64 bad_at; /* sink: first byte that differs */
};

struct bulksrv {
    struct app_env *env;
    char jobname[9];
    struct sock *source, *sink;
    u32 bytes, conns;
    u64 idle_usec;
    struct list idle;
    struct pattern pattern;
    struct conn conn[];
};

static void accept_all(struct bulksrv *b, u64 now);

/* The socket is closed, or reset. */
static void conn_over(struct conn *c, u64 now) {
    struct bulksrv *b = c->b;
    c->s = NULL;
    timer_disarm(b->env->stk, &c->silence);
    list_push_back(&b->idle, &c->node);
    accept_all(b, now);
}

static void silence_rings(struct stack *stk, struct timer *t, u64 now) {
    struct conn *c = CONTAINER_OF(t, struct conn, silence);
    UNUSED(stk);
    sock_abort(c->s, now); /* what it was sent might wait in its buffer for ever */
    conn_over(c, now);
}

/* Both return false when the connection is over. */
static bool source_run(struct conn *c, u64 now) {
    const u8 *in;
    i32 got;
    /* What a client says to a source means nothing, but closing over it unread would reset the connection. */
    while ((got = sock_recv_peek(c->s, &in)) > 0) sock_recv_consume(c->s, (u32)got, now);
    while (c->bytes > 0) {
        u8 *out;
        i32 room = sock_send_room(c->s, &out);
        if (room < 0) return room == -ERR_AGAIN;
        u32 n = (u32)u64_min((u64)room, c->bytes);
        c->phase = pattern_fill(&c->b->pattern, out, n, c->phase);
        sock_send_commit(c->s, n, now);
        c->bytes -= n;
    }
    return false;
}

static bool sink_run(struct conn *c, u64 now) {
    const u8 *in;
    i32 n;
    while ((n = sock_recv_peek(c->s, &in)) > 0) {
        u32 good = c->bad ? (u32)n : pattern_match(&c->b->pattern, in, (u32)n, c->phase);
        if (good < (u32)n) {
            c->bad = true;
            c->bad_at = c->bytes + good;
        }
        c->phase = pattern_advance(c->phase, (u32)n);
        c->bytes += (u32)n;
        sock_recv_consume(c->s, (u32)n, now);
    }
    if (n < 0) return n == -ERR_AGAIN;
    char line[80];
    u32 len = c->bad ? str_fmt(line, sizeof line, "LENGTH %llu PATTERN BAD AT %llu\n", (unsigned long long)c->bytes,
                               (unsigned long long)c->bad_at)
                     : str_fmt(line, sizeof line, "LENGTH %llu PATTERN OK\n", (unsigned long long)c->bytes);
    sock_send(c->s, line, len, now);
    return false;
}

static void conn_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct conn *c = ctx;
    if (!(events & SOCK_EV_CLOSED) && (c->sink ? sink_run(c, now) : source_run(c, now))) {
        timer_arm(c->b->env->stk, &c->silence, now + c->b->idle_usec);
        return;
    }
    sock_close(s, now);
    conn_over(c, now);
}

static void accept_from(struct bulksrv *b, struct sock *listener, bool sink, u64 now) {
    struct sock *s;
    while (listener && !list_empty(&b->idle) && sock_accept(listener, &s, NULL, now) == 0) {
        struct conn *c = LIST_ENTRY(list_pop_front(&b->idle), struct conn, node);
        *c = (struct conn){.b = b, .s = s, .sink = sink, .bytes = sink ? 0 : b->bytes};
        list_init(&c->node);
        timer_init(&c->silence, silence_rings);
        sock_on_event(s, conn_event, c);
        conn_event(c, s, SOCK_EV_READ | SOCK_EV_WRITE, now);
    }
}

static void accept_all(struct bulksrv *b, u64 now) {
    accept_from(b, b->source, false, now);
    accept_from(b, b->sink, true, now);
}

static void listener_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct bulksrv *b = ctx;
    if (!(events & SOCK_EV_CLOSED)) {
        accept_all(b, now);
        return;
    }
    console_message(b->env->con, "PLX0401W %s LOST ITS LISTENER ON PORT %u", b->jobname,
                    s == b->source ? SOURCE_PORT : SINK_PORT);
    if (s == b->source) b->source = NULL;
    if (s == b->sink) b->sink = NULL;
    sock_close(s, now);
}

static void bulksrv_stop(void *inst, u64 now) {
    struct bulksrv *b = inst;
    if (b->source) sock_close(b->source, now);
    if (b->sink) sock_close(b->sink, now);
    for (u32 i = 0; i < b->conns; i++)
        if (b->conn[i].s) {
            sock_abort(b->conn[i].s, now);
            timer_disarm(b->env->stk, &b->conn[i].silence);
        }
    app_give_back(b->env, b);
}

static int bulksrv_start(struct app_env *env, const char *jobname, const char *parm, u64 now, void **inst) {
    u32 conns = CONNS_DEFAULT, source = SOURCE_PORT, sink = SINK_PORT, bytes = BYTES_DEFAULT, idle = IDLE_DEFAULT;
    if (!app_parm_number(parm, "CONNS", 1, 4096, &conns) || !app_parm_number(parm, "SOURCE", 1, 65535, &source) ||
        !app_parm_number(parm, "SINK", 1, 65535, &sink) || !app_parm_number(parm, "BYTES", 0, UINT32_MAX, &bytes) ||
        !app_parm_number(parm, "IDLE", 1, 86400, &idle))
        return -ERR_INVAL;
    struct bulksrv *b = app_take(env, (u32)(sizeof *b + conns * sizeof b->conn[0]));
    if (!b) return -ERR_NOMEM;
    b->env = env;
    b->conns = conns;
    b->bytes = bytes;
    b->idle_usec = (u64)idle * USEC_PER_SEC;
    str_copy(b->jobname, sizeof b->jobname, jobname);
    pattern_init(&b->pattern);
    list_init(&b->idle);
    for (u32 i = 0; i < conns; i++) list_push_back(&b->idle, &b->conn[i].node);
    int rc = app_listen(env, jobname, (u16)source, APP_BACKLOG, listener_event, b, now, &b->source);
    if (rc == 0) rc = app_listen(env, jobname, (u16)sink, APP_BACKLOG, listener_event, b, now, &b->sink);
    if (rc < 0) {
        bulksrv_stop(b, now);
        return rc;
    }
    *inst = b;
    return 0;
}

const struct app bulksrv_app = {.name = "BULKSRV", .start = bulksrv_start, .stop = bulksrv_stop};
