/* bulkget.c - BULKGET: the other end of BULKSRV's source, inside the guest: what a way between two stacks carries, and where its end is.
 *
 *   S BULKGET,JOBNAME=G1,PARM='HOST=193.9.200.2 PORT=5001 HOLD=10'
 *
 *   CONNECTING   -> connected                    PLX0450I with SO_CLUSTERCONNTYPE; HOLD seconds pass unread
 *   READING      the pattern, to the peer's end  PLX0451I bytes, time, KB a second, SO_CLUSTERCONNTYPE as it is then
 *   either       reset, refused, timed out       PLX0452E
 *
 * LOCAL=a binds it to that address and any port of it before: an end at a dynamic VIPA, as FTP's active data has.
 *
 * One connection a start; the job stays until it is stopped. A page that is held shows the way's end in NETSTAT ALL meanwhile.
 */
#include "apps/app_impl.h"
#include "apps/pattern.h"
#include "base/str.h"
#include "net/timer.h"
#include "super/console.h"
#include "wire/ipaddr.h"

#define SOURCE_PORT 5001
#define HOLD_MAX 3600

struct bulkget {
    struct app_env *env;
    char jobname[9], host[IPADDR_TEXT_MAX];
    struct sock *s; /* NULL: over */
    struct timer hold;
    struct pattern pattern;
    u64 hold_usec, began, bytes;
    u32 phase;
    bool connected, reading, bad;
};

static const char *where(struct bulkget *g) {
    u32 type = SO_CLUSTERCONNTYPE_NOCONN;
    sock_getopt(g->s, SO_CLUSTERCONNTYPE, &type);
    return sock_cluster_name(type);
}

static void over(struct bulkget *g, u64 now) {
    timer_disarm(g->env->stk, &g->hold);
    sock_close(g->s, now);
    g->s = NULL;
}

static void done(struct bulkget *g, u64 now) {
    u32 ms = (u32)((now - g->began) / USEC_PER_MSEC);
    console_message(g->env->con, "PLX0451I %s READ %llu BYTES FROM %s IN %u MS, PATTERN %s, CLUSTERCONNTYPE %s", g->jobname,
                    (unsigned long long)g->bytes, g->host, ms, g->bad ? "BAD" : "OK", where(g));
    over(g, now);
}

static void read_all(struct bulkget *g, u64 now) {
    const u8 *in;
    i32 n;
    while ((n = sock_recv_peek(g->s, &in)) > 0) {
        if (pattern_match(&g->pattern, in, (u32)n, g->phase) < (u32)n) g->bad = true;
        g->phase = pattern_advance(g->phase, (u32)n);
        g->bytes += (u32)n;
        sock_recv_consume(g->s, (u32)n, now);
    }
    if (n == 0) done(g, now);
}

static void hold_ends(struct stack *stk, struct timer *t, u64 now) {
    struct bulkget *g = CONTAINER_OF(t, struct bulkget, hold);
    UNUSED(stk);
    g->reading = true;
    g->began = now;
    read_all(g, now);
}

static void event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct bulkget *g = ctx;
    if (events & SOCK_EV_CLOSED) {
        console_message(g->env->con, "PLX0452E %s LOST ITS CONNECTION TO %s AFTER %llu BYTES, ERROR %d", g->jobname, g->host,
                        (unsigned long long)g->bytes, sock_error(s));
        over(g, now);
        return;
    }
    if (!g->connected) {
        g->connected = true;
        console_message(g->env->con, "PLX0450I %s IS CONNECTED TO %s, CLUSTERCONNTYPE %s", g->jobname, g->host, where(g));
        timer_arm(g->env->stk, &g->hold, now + g->hold_usec);
    }
    if (g->reading) read_all(g, now);
}

static void bulkget_stop(void *inst, u64 now) {
    struct bulkget *g = inst;
    if (g->s) over(g, now);
    app_give_back(g->env, g);
}

static int bulkget_start(struct app_env *env, const char *jobname, const char *parm, u64 now, void **inst) {
    u32 port = SOURCE_PORT, hold = 0;
    char host[IPADDR_TEXT_MAX], from[IPADDR_TEXT_MAX];
    struct ipaddr addr, local = IPADDR_ANY;
    if (!app_parm_text(parm, "HOST", host, sizeof host) || !ipaddr_parse(host, strlen(host), &addr) ||
        !app_parm_number(parm, "PORT", 1, 65535, &port) || !app_parm_number(parm, "HOLD", 0, HOLD_MAX, &hold))
        return -ERR_INVAL;
    if (app_parm_text(parm, "LOCAL", from, sizeof from) && !ipaddr_parse(from, strlen(from), &local)) return -ERR_INVAL;
    struct bulkget *g = app_take(env, sizeof *g);
    if (!g) return -ERR_NOMEM;
    g->env = env;
    g->hold_usec = (u64)hold * USEC_PER_SEC;
    str_copy(g->jobname, sizeof g->jobname, jobname);
    str_copy(g->host, sizeof g->host, host);
    pattern_init(&g->pattern);
    timer_init(&g->hold, hold_ends);
    int rc = sock_open(env->stk, SOCK_TCP, jobname, &g->s);
    if (rc == 0) {
        sock_setopt(g->s, SO_RCVBUF_OPT, APP_BUFFER_BYTES, now);
        sock_on_event(g->s, event, g);
        if (!ipaddr_is_any(local)) rc = sock_bind(g->s, local, 0, now);
        if (rc == 0) rc = sock_connect(g->s, addr, (u16)port, now);
        if (rc == -ERR_INPROGRESS) rc = 0;
        if (rc) sock_close(g->s, now);
    }
    if (rc) {
        app_give_back(env, g);
        return rc;
    }
    *inst = g;
    return 0;
}

const struct app bulkget_app = {.name = "BULKGET", .start = bulkget_start, .stop = bulkget_stop};
