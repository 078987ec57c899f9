/* httpd.c - HTTPD: HTTP/1.0 and HTTP/1.1 (RFC 9110, 9112) for pages, status and measuring.
 *
 *   path                answer
 *   /                   member INDEX of the WEB data set
 *   /NAME, /name.html   that member: text/html if it begins with '<', else text/plain
 *   /status             system, stack, connection number, both sockets, uptime
 *   /bulk/N             N bytes of the pattern (apps/pattern.h)
 *   /sink               POST or PUT: reads the body; answers its length and whether it was the pattern
 *   methods GET and HEAD, elsewhere 405; unknown ones 501; bad syntax 400; long targets 414; 404; 500 if a member exists
 *   and cannot be read
 *
 * Members are read at start and by F HTTPD,REFRESH, never while serving: INDEX, then every member that a page already
 * read names in an href or src (at most PAGES_MAX). A page that is being sent at a REFRESH is sent to its end as it was:
 * the old set stays until its last reader is done, and while it stays a further REFRESH is refused. Persistent connections and pipelining; Expect: 100-continue; bodies by
 * Content-Length only (Transfer-Encoding: 501).
 *
 *   state of a connection        leaves when
 *   LINE, HEADERS                an empty line                  -> BODY or SEND
 *   BODY                         Content-Length bytes are read  -> SEND
 *   SEND                         the answer is in the socket    -> LINE, or over
 *   DRAIN                        an answer went out before its request was read whole; the peer has closed -> over
 *
 * Fixed storage: CONNS connections. When all are in use, the one that has waited longest for the end of a request's
 * header is closed for the new one; if none waits, the new one stays in the listener's queue.
 *
 * F HTTPD,HOLD: nothing more is accepted, as if the program hung; who is connected is served on, who comes now waits in the
 * listener's queue until F HTTPD,RELEASE. For drills: a distributor sees the queue fill and takes weight off this server.
 *
 * Nobody holds a place for ever: a connection whose request is not there IDLE seconds after the last answer (or after
 * it was opened) is closed, one on which nothing moved for IDLE seconds in BODY or SEND, or that is IDLE seconds in
 * DRAIN, is reset. Both lists are in order of these times, so one timer for the oldest of both serves them all.
 */
#include "apps/app_impl.h"
#include "apps/http_text.h"
#include "apps/pattern.h"
#include "base/list.h"
#include "base/str.h"
#include "net/timer.h"
#include "super/console.h"
#include "super/dataset.h"

#define CONNS_DEFAULT 256
#define IDLE_DEFAULT 60 /* seconds */
#define PAGES_MAX 32
#define OUT_MAX 640

enum conn_state { LINE, HEADERS, BODY, SEND, DRAIN };

struct page {
    char name[HTTP_NAME_MAX + 1];
    struct member text;
    bool unreadable;
};

/* What was read at one time. */
struct page_set {
    struct page page[PAGES_MAX];
    u32 pages, readers; /* connections that send one of these pages */
};

struct httpd;
struct conn {
    struct list node; /* free, waiting or busy list */
    struct httpd *h;
    struct sock *s;
    struct http_request req;
    u64 since; /* when it came to the end of its list */
    u8 state;
    bool bad;         /* the body is not the pattern */
    u64 body_got, bad_at;
    u32 phase;
    u32 out_len, out_at; /* header and short bodies */
    const u8 *text;      /* a page being sent, or NULL */
    struct page_set *of; /* the set it belongs to while text is set */
    u64 left;            /* bytes of it, or of the pattern, still to send */
    char out[OUT_MAX];
};

struct httpd {
    struct app_env *env;
    char jobname[9], web[45];
    struct sock *listener;
    u64 requests, started, idle_usec;
    u32 conns, open;
    bool held; /* F HTTPD,HOLD */
    struct timer alarm; /* armed while a connection is open, never later than the oldest one's time is over */
    struct list idle, waiting, busy;
    struct page_set set[2], *now; /* set[] beside *now: empty, or what some connection still sends */
    struct pattern pattern;
    struct conn conn[];
};

/* ---- pages ---- */
static struct page *page_find(struct page_set *set, const char *name) {
    for (u32 i = 0; i < set->pages; i++)
        if (str_eq_ci(set->page[i].name, name)) return &set->page[i];
    return NULL;
}

static void page_read(struct httpd *h, struct page_set *set, const char *name) {
    if (set->pages == PAGES_MAX || page_find(set, name)) return;
    struct page *p = &set->page[set->pages];
    int rc = dataset_read(h->env->ds, h->web, name, &p->text);
    if (rc == -ERR_NOENT) return;
    str_copy(p->name, sizeof p->name, name);
    p->unreadable = rc < 0;
    if (rc < 0) console_message(h->env->con, "PLX0402W %s CANNOT READ %s(%s), RC %d", h->jobname, h->web, name, -rc);
    set->pages++;
}

static void pages_read(struct httpd *h, struct page_set *set) {
    if (!h->env->ds) return;
    page_read(h, set, "INDEX");
    if (set->pages == 0) console_message(h->env->con, "PLX0403W %s FOUND NO %s(INDEX)", h->jobname, h->web);
    /* Pages name pages: the list grows while it is walked, up to PAGES_MAX. */
    for (u32 i = 0; i < set->pages; i++) {
        char name[HTTP_NAME_MAX + 1];
        u32 at = 0;
        if (set->page[i].unreadable) continue;
        while (http_next_reference(set->page[i].text.text, set->page[i].text.len, &at, name)) page_read(h, set, name);
    }
}

static void pages_release(struct httpd *h, struct page_set *set) {
    for (u32 i = 0; i < set->pages; i++)
        if (!set->page[i].unreadable) dataset_release(h->env->ds, &set->page[i].text);
    set->pages = 0;
}

/* A connection stops sending from a page, at its end or because it ends itself. */
static void page_leave(struct conn *c) {
    if (!c->text) return;
    c->text = NULL;
    if (--c->of->readers == 0 && c->of != c->h->now) pages_release(c->h, c->of);
}

/* F HTTPD,REFRESH: the new set is read beside the old one, so nobody ever sees half of each. */
static bool pages_refresh(struct httpd *h) {
    struct page_set *old = h->now, *next = &h->set[old == h->set];
    if (next->readers) return false;
    pages_read(h, next);
    h->now = next;
    if (old->readers == 0) pages_release(h, old);
    return true;
}

/* ---- answers ---- */
/* Header and, for short answers, body go to c->out. length: of the whole body. */
static void answer_head(struct conn *c, u32 code, const char *type, u64 length) {
    const struct http_request *r = &c->req;
    c->out_at = 0;
    c->out_len = str_fmt(c->out, sizeof c->out,
                         "HTTP/1.%u %u %s\r\nServer: plex390\r\nContent-Type: %s\r\nContent-Length: %llu\r\n%s%s\r\n",
                         r->minor, code, http_reason(code), type, (unsigned long long)length,
                         code == 405 ? (r->is_sink ? "Allow: POST, PUT\r\n" : "Allow: GET, HEAD\r\n") : "",
                         r->keep_alive ? (r->minor ? "" : "Connection: keep-alive\r\n") : "Connection: close\r\n");
    c->left = 0;
    c->state = SEND;
}

static void answer_short(struct conn *c, u32 code, const char *body, u32 len) {
    answer_head(c, code, "text/plain", len);
    if (c->req.method == HTTP_HEAD) return;
    len = u32_min(len, (u32)sizeof c->out - c->out_len);
    memcpy(c->out + c->out_len, body, len);
    c->out_len += len;
}

static void answer_error(struct conn *c, u32 code) {
    char body[64];
    /* After these nothing is known about where the next request begins. */
    if (code == 400 || code == 414 || code == 501) c->req.keep_alive = false;
    answer_short(c, code, body, str_fmt(body, sizeof body, "%u %s\n", code, http_reason(code)));
}

static void answer_status(struct conn *c, u64 now) {
    struct httpd *h = c->h;
    struct sockaddr4 local, peer;
    char at[IPADDR_TEXT_MAX], from[IPADDR_TEXT_MAX], body[400];
    sock_local(c->s, &local);
    sock_peer(c->s, &peer);
    /* 2^20 us are 1.048576 s: a shift and a product, where a 64-bit division would be a library call on S/390. */
    u32 units = (u32)((now - h->env->ipl_time) >> 20), seconds = units + (u32)((u64)units * 50936 >> 20);
    u32 n = str_fmt(body, sizeof body,
                    "SYSTEM %s\nSTACK %s\nSERVER %s\nCONN %08X\nLOCAL SOCKET %s..%u\nFOREIGN SOCKET %s..%u\n"
                    "UPTIME %u SECONDS\nREQUESTS %llu\nCONNECTIONS %u\n",
                    h->env->sysname, h->env->stackname, h->jobname, sock_conn_id(c->s), ipaddr_text(local.addr, at),
                    local.port, ipaddr_text(peer.addr, from), peer.port, seconds, (unsigned long long)h->requests,
                    h->open);
    answer_short(c, 200, body, n);
}

static void answer_sink(struct conn *c) {
    char body[96];
    u32 n = c->bad ? str_fmt(body, sizeof body, "LENGTH %llu PATTERN BAD AT %llu\n", (unsigned long long)c->body_got,
                             (unsigned long long)c->bad_at)
                   : str_fmt(body, sizeof body, "LENGTH %llu PATTERN OK\n", (unsigned long long)c->body_got);
    answer_short(c, 200, body, n);
}

static void answer_page(struct conn *c) {
    const struct page *p = page_find(c->h->now, c->req.name);
    if (!p || p->unreadable) {
        answer_error(c, p ? 500 : 404);
        return;
    }
    answer_head(c, 200, p->text.len && p->text.text[0] == '<' ? "text/html" : "text/plain", p->text.len);
    if (c->req.method == HTTP_HEAD) return;
    if (p->text.len == 0) return;
    c->text = (const u8 *)p->text.text;
    c->of = c->h->now;
    c->of->readers++;
    c->left = p->text.len;
}

/* The request is complete. */
static void answer(struct conn *c, u64 now) {
    const struct http_request *r = &c->req;
    c->h->requests++;
    if (r->error) {
        answer_error(c, r->error);
    } else if (r->is_sink) {
        if (r->method == HTTP_POST || r->method == HTTP_PUT)
            answer_sink(c);
        else
            answer_error(c, 405);
    } else if (r->method != HTTP_GET && r->method != HTTP_HEAD) {
        answer_error(c, 405);
    } else if (r->is_bulk) {
        answer_head(c, 200, "application/octet-stream", r->bulk);
        if (r->method == HTTP_GET) c->left = r->bulk, c->phase = 0;
    } else if (r->is_status) {
        answer_status(c, now);
    } else {
        answer_page(c);
    }
}

/* ---- connection ---- */
static void accept_all(struct httpd *h, u64 now);

static void conn_move(struct conn *c, struct list *to, u64 now) {
    list_del(&c->node);
    list_push_back(to, &c->node);
    c->since = now;
}

static void conn_over(struct conn *c, u64 now) {
    page_leave(c);
    c->s = NULL;
    c->h->open--;
    conn_move(c, &c->h->idle, now);
}

static void conn_free(struct conn *c, u64 now) {
    sock_close(c->s, now);
    conn_over(c, now);
}

static void conn_next_request(struct conn *c, u64 now) {
    http_request_begin(&c->req);
    c->state = LINE;
    c->bad = false;
    c->body_got = 0;
    c->phase = 0;
    conn_move(c, &c->h->waiting, now);
}

/* Each step below returns 1 (go on with the next state), 0 (wait for an event) or -1 (over). */
static int step_request(struct conn *c, u64 now) {
    const u8 *in;
    i32 n = sock_recv_peek(c->s, &in);
    if (n <= 0) return n == -ERR_AGAIN ? 0 : -1;
    c->state = HEADERS;
    bool complete = false;
    u32 used = http_request_feed(&c->req, in, (u32)n, &complete);
    sock_recv_consume(c->s, used, now);
    if (!complete) return 1;
    conn_move(c, &c->h->busy, now);
    if (c->req.error || c->req.length == 0) {
        answer(c, now);
        return 1;
    }
    c->state = BODY;
    if (c->req.expect_continue) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        /* If there is no room for 25 bytes the client goes on by itself after its timeout. */
        sock_send(c->s, go_on, sizeof go_on - 1, now);
    }
    return 1;
}

static int step_body(struct conn *c, u64 now) {
    const u8 *in;
    while (c->body_got < c->req.length) {
        i32 n = sock_recv_peek(c->s, &in);
        if (n <= 0) return n == -ERR_AGAIN ? 0 : -1;
        u32 part = (u32)u64_min((u64)n, c->req.length - c->body_got);
        if (!c->bad) {
            u32 good = pattern_match(&c->h->pattern, in, part, c->phase);
            if (good < part) c->bad = true, c->bad_at = c->body_got + good;
        }
        c->phase = pattern_advance(c->phase, part);
        c->body_got += part;
        sock_recv_consume(c->s, part, now);
    }
    answer(c, now);
    return 1;
}

static int step_send(struct conn *c, u64 now) {
    while (c->out_at < c->out_len) {
        i32 n = sock_send(c->s, c->out + c->out_at, c->out_len - c->out_at, now);
        if (n < 0) return n == -ERR_AGAIN ? 0 : -1;
        c->out_at += (u32)n;
    }
    while (c->left > 0) {
        u8 *to;
        i32 room = sock_send_room(c->s, &to);
        if (room < 0) return room == -ERR_AGAIN ? 0 : -1;
        u32 n = (u32)u64_min((u64)room, c->left);
        if (c->text)
            memcpy(to, c->text, n), c->text += n;
        else
            c->phase = pattern_fill(&c->h->pattern, to, n, c->phase);
        sock_send_commit(c->s, n, now);
        c->left -= n;
    }
    page_leave(c);
    if (c->req.keep_alive) {
        conn_next_request(c, now);
        return 1;
    }
    /* Closing over unread bytes would reset the connection and destroy the answer on its way. */
    const u8 *in;
    i32 more = sock_recv_peek(c->s, &in);
    if (more <= 0 && !c->req.error) return -1;
    sock_shutdown_send(c->s, now);
    conn_move(c, &c->h->busy, now);
    c->state = DRAIN;
    return 1;
}

static int step_drain(struct conn *c, u64 now) {
    const u8 *in;
    i32 n;
    while ((n = sock_recv_peek(c->s, &in)) > 0) sock_recv_consume(c->s, (u32)n, now);
    return n == -ERR_AGAIN ? 0 : -1;
}

static void conn_run(struct conn *c, u64 now) {
    static int (*const steps[])(struct conn *, u64) = {
        [LINE] = step_request, [HEADERS] = step_request, [BODY] = step_body, [SEND] = step_send, [DRAIN] = step_drain,
    };
    int go = 1;
    while (go > 0) go = steps[c->state](c, now);
    if (go < 0) conn_free(c, now);
}

static void conn_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct conn *c = ctx;
    struct httpd *h = c->h;
    UNUSED(s);
    if (events & SOCK_EV_CLOSED) {
        conn_free(c, now);
    } else {
        /* An event is progress: data came, or was taken. Slow headers and endless rests of requests do not count. */
        if (c->state == BODY || c->state == SEND) conn_move(c, &h->busy, now);
        conn_run(c, now);
    }
    /* Someone may have waited for a place. */
    if (!c->s) accept_all(h, now);
}

static bool make_room(struct httpd *h, u64 now) {
    if (!list_empty(&h->idle)) return true;
    if (list_empty(&h->waiting)) return false;
    conn_free(LIST_ENTRY(h->waiting.next, struct conn, node), now);
    return true;
}

static void accept_all(struct httpd *h, u64 now) {
    struct sock *s;
    while (h->listener && !h->held && !(list_empty(&h->idle) && list_empty(&h->waiting))) {
        if (sock_accept(h->listener, &s, NULL, now) < 0) return;
        CHECK(make_room(h, now));
        struct conn *c = LIST_ENTRY(list_pop_front(&h->idle), struct conn, node);
        c->h = h;
        c->s = s;
        h->open++;
        conn_next_request(c, now);
        if (!timer_armed(&h->alarm)) timer_arm(h->env->stk, &h->alarm, now + h->idle_usec);
        sock_on_event(s, conn_event, c);
        conn_run(c, now);
    }
}

static struct conn *oldest(struct list *l) { return list_empty(l) ? NULL : LIST_ENTRY(l->next, struct conn, node); }

static void alarm_rings(struct stack *stk, struct timer *t, u64 now) {
    struct httpd *h = CONTAINER_OF(t, struct httpd, alarm);
    struct conn *c;
    u64 next = TIME_NEVER;
    while ((c = oldest(&h->waiting)) && c->since + h->idle_usec <= now) conn_free(c, now);
    if (c) next = c->since + h->idle_usec;
    while ((c = oldest(&h->busy)) && c->since + h->idle_usec <= now) {
        sock_abort(c->s, now); /* what it was sent would wait in its buffer for ever */
        conn_over(c, now);
    }
    if (c) next = u64_min(next, c->since + h->idle_usec);
    if (next != TIME_NEVER) timer_arm(stk, t, next);
    accept_all(h, now);
}

static void listener_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct httpd *h = ctx;
    if (!(events & SOCK_EV_CLOSED)) {
        accept_all(h, now);
        return;
    }
    console_message(h->env->con, "PLX0401W %s LOST ITS LISTENER", h->jobname);
    sock_close(s, now);
    h->listener = NULL;
}

static void httpd_stop(void *inst, u64 now) {
    struct httpd *h = inst;
    timer_disarm(h->env->stk, &h->alarm);
    if (h->listener) sock_close(h->listener, now);
    for (u32 i = 0; i < h->conns; i++)
        if (h->conn[i].s) sock_abort(h->conn[i].s, now);
    for (u32 i = 0; i < ARRAY_LEN(h->set); i++) pages_release(h, &h->set[i]);
    app_give_back(h->env, h);
}

static int httpd_start(struct app_env *env, const char *jobname, const char *parm, u64 now, void **inst) {
    u32 conns = CONNS_DEFAULT, port = 80, idle = IDLE_DEFAULT, backlog = APP_BACKLOG;
    char web[45] = "TCPIP.HTTPD.WEB";
    app_parm_text(parm, "WEB", web, sizeof web);
    if (!app_parm_number(parm, "CONNS", 1, 8192, &conns) || !app_parm_number(parm, "PORT", 1, 65535, &port) ||
        !app_parm_number(parm, "IDLE", 1, 3600, &idle) || !app_parm_number(parm, "BACKLOG", 1, APP_BACKLOG, &backlog))
        return -ERR_INVAL;
    struct httpd *h = app_take(env, (u32)(sizeof *h + conns * sizeof h->conn[0]));
    if (!h) return -ERR_NOMEM;
    h->env = env;
    h->conns = conns;
    h->started = now;
    h->idle_usec = (u64)idle * USEC_PER_SEC;
    timer_init(&h->alarm, alarm_rings);
    str_copy(h->jobname, sizeof h->jobname, jobname);
    str_copy(h->web, sizeof h->web, web);
    h->now = h->set;
    pattern_init(&h->pattern);
    list_init(&h->idle);
    list_init(&h->waiting);
    list_init(&h->busy);
    for (u32 i = 0; i < conns; i++) list_push_back(&h->idle, &h->conn[i].node);
    int rc = app_listen(env, jobname, (u16)port, backlog, listener_event, h, now, &h->listener);
    if (rc < 0) {
        httpd_stop(h, now);
        return rc;
    }
    pages_read(h, h->now);
    *inst = h;
    return 0;
}

static bool httpd_modify(void *inst, const char *text, const struct reply *r, u64 now) {
    struct httpd *h = inst;
    if (str_eq_ci(text, "DISPLAY")) {
        reply_line(r, "PLX0405I %s: %u OF %u CONNECTIONS, %llu REQUESTS, %u PAGES%s", h->jobname, h->open, h->conns,
                   (unsigned long long)h->requests, h->now->pages, h->held ? ", HELD" : "");
        return true;
    }
    if (str_eq_ci(text, "HOLD") || str_eq_ci(text, "RELEASE")) {
        h->held = str_eq_ci(text, "HOLD");
        reply_line(r, "PLX0407I %s %s", h->jobname, h->held ? "ACCEPTS NOTHING UNTIL IT IS RELEASED" : "ACCEPTS CONNECTIONS");
        accept_all(h, now);
        return true;
    }
    if (!str_eq_ci(text, "REFRESH")) {
        reply_line(r, "PLX0301E %s IS NOT VALID: REFRESH, DISPLAY, HOLD OR RELEASE WAS EXPECTED", text);
        return false;
    }
    if (!pages_refresh(h)) {
        reply_line(r, "PLX0406W %s STILL SENDS PAGES OF THE LAST REFRESH, TRY AGAIN", h->jobname);
        return false;
    }
    reply_line(r, "PLX0404I %s READ %u PAGES OF %s", h->jobname, h->now->pages, h->web);
    return true;
}

const struct app httpd_app = {.name = "HTTPD", .start = httpd_start, .stop = httpd_stop, .modify = httpd_modify};
