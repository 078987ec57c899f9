/* tn3270d.c - TN3270: the server of 3270 displays, OS/390's job INTCLIEN: sessions, their sockets and their time.
 *
 *   parameter    default    meaning
 *   PORT=n       23
 *   SESSIONS=n   256        at once; a further client is told so and closed
 *   LU=name      TCP00001   name of the first session's LU; the number at its end counts up
 *   INACTIVE=n   0          seconds without a key until the session is ended; 0 = for ever
 *   TIMEMARK=n   600        seconds without a byte until a TIMING-MARK asks whether the client lives; 0 = never
 *   SCAN=n       120        seconds it has to answer
 *
 * A session: tn3270.h (protocol) and panel.h (screens) over one socket. Here is what those two can't know: when bytes come and
 * go, and when it is too late. One timer a session, armed for the nearest of: negotiation or logon is to be done by,
 * INACTIVE, TIMEMARK, its answer, AUTO of the panel.
 *
 *   F INTCLIEN,DISPLAY             counters, and a line for each session
 *   F INTCLIEN,USERS               reads TCPIP.TCPPARMS(USERS) again; who is no longer in it is logged off
 *   F INTCLIEN,CANCEL,lu           ends a session
 */
#include "apps/app_impl.h"
#include "apps/panel.h"
#include "base/list.h"
#include "base/str.h"
#include "net/timer.h"
#include "super/console.h"

#define SESSIONS_DEFAULT 256
#define TIMEMARK_DEFAULT 600
#define SCAN_DEFAULT     120
#define NEGOTIATION_USEC (30u * USEC_PER_SEC)
#define LU_NONE          UINT32_MAX
#define SEND_BYTES       16384u /* two screens: more would only be older ones */
#define RECV_BYTES       4096u

struct server;
struct session {
    struct list node; /* free, open */
    struct server *srv;
    struct sock *s;
    struct timer timer;
    struct tn3270 tn;
    struct panel panel;
    u64 opened, heard, keyed; /* when: it began, the last byte, the last key */
    u64 mark_due;             /* a TIMING-MARK must be answered by then; TIME_NEVER: none is out */
    u32 index, lu;   /* place in the table; which LU it has, LU_NONE before it has one */
    bool lu_in_use;  /* of the LU with this session's index, whoever has it */
    u64 close_by;    /* its farewell is given up then; TIME_NEVER while it is open */
    bool shut;       /* the farewell is sent: over when the client closes, too */
};

struct server {
    struct app_env *env;
    char jobname[9];
    struct sock *listener;
    u32 sessions, open, high;
    u32 inactive_sec, timemark_sec, scan_sec;
    char lu_prefix[TN_NAME_MAX + 1];
    u32 lu_first, lu_digits;
    u32 accepted, refused_full, ended_inactive, ended_silent, ended_negotiation;
    struct tn3270_counts counts;
    struct list idle, busy;
    struct panel_host host;
    struct session session[];
};

/* ---- names of LUs ---- */
static void lu_name(const struct server *srv, u32 index, char out[TN_NAME_MAX + 1]) {
    str_fmt(out, TN_NAME_MAX + 1, "%s%0*u", srv->lu_prefix, (int)srv->lu_digits, srv->lu_first + index);
}

/* TCP00001: what is before the digits at its end, and the number. */
static bool lu_parse(struct server *srv, const char *first) {
    u32 len = (u32)strlen(first), digits = 0;
    while (digits < len && first[len - digits - 1] >= '0' && first[len - digits - 1] <= '9') digits++;
    if (digits < 2 || digits == len || !str_u32(first + len - digits, digits, &srv->lu_first)) return false;
    str_copy(srv->lu_prefix, len - digits + 1, first);
    srv->lu_digits = digits;
    u32 limit = 1;
    for (u32 i = 0; i < digits; i++) limit *= 10;
    return srv->lu_first + srv->sessions <= limit;
}

static struct session *of_tn(struct tn3270 *t) { return CONTAINER_OF(t, struct session, tn); }

/* There are as many LUs as sessions. Who names one gets it if it is free; others get the one of their place, or, if
 * somebody asked for that, the first that is free. */
static int give_name(struct tn3270 *t, const char *wanted, char lu[TN_NAME_MAX + 1]) {
    struct session *ss = of_tn(t);
    struct server *srv = ss->srv;
    u32 prefix = (u32)strlen(srv->lu_prefix), n = ss->index;
    if (ss->lu != LU_NONE) srv->session[ss->lu].lu_in_use = false;
    ss->lu = LU_NONE;
    if (wanted[0]) {
        if (strlen(wanted) != prefix + srv->lu_digits || memcmp(wanted, srv->lu_prefix, prefix) != 0 ||
            !str_u32(wanted + prefix, srv->lu_digits, &n) || n < srv->lu_first || n - srv->lu_first >= srv->sessions)
            return -ERR_NOENT;
        n -= srv->lu_first;
        if (srv->session[n].lu_in_use) return -ERR_BUSY;
    } else if (srv->session[n].lu_in_use) {
        for (n = 0; srv->session[n].lu_in_use; n++) CHECK(n + 1 < srv->sessions);
    }
    srv->session[n].lu_in_use = true;
    ss->lu = n;
    lu_name(srv, n, lu);
    return 0;
}

/* ---- a session's end ---- */
static void session_free(struct session *ss) {
    struct server *srv = ss->srv;
    timer_disarm(srv->env->stk, &ss->timer);
    panel_close(&ss->panel);
    if (ss->lu != LU_NONE) srv->session[ss->lu].lu_in_use = false;
    ss->s = NULL;
    list_del(&ss->node);
    list_push_front(&srv->idle, &ss->node); /* who comes back has the same LU again, if nobody came between */
    srv->open--;
}

/* What is in out still goes; then the connection is closed. */
static void session_end(struct session *ss) {
    panel_close(&ss->panel);
    tn3270_end(&ss->tn);
}

/* ---- what the protocol tells ---- */
static void on_ready(struct tn3270 *t, u64 now) { panel_ready(&of_tn(t)->panel, now); }
static void on_input(struct tn3270 *t, struct ds_inbound *in, u64 now) {
    struct session *ss = of_tn(t);
    ss->keyed = now;
    panel_input(&ss->panel, in, now);
}
static void on_redraw(struct tn3270 *t, u64 now) { panel_redraw(&of_tn(t)->panel, now); }

static const struct tn3270_ops tn_ops = {
    .name = give_name, .ready = on_ready, .input = on_input, .attention = on_redraw, .redraw = on_redraw};

/* ---- bytes ---- */

/* false: the connection is broken. */
static bool send_out(struct session *ss, u64 now) {
    while (ss->tn.out_at < ss->tn.out_len) {
        i32 n = sock_send(ss->s, ss->tn.out + ss->tn.out_at, ss->tn.out_len - ss->tn.out_at, now);
        if (n < 0) return n == -ERR_AGAIN;
        tn3270_sent(&ss->tn, (u32)n);
    }
    return true;
}

/* false: the client has closed, or the connection is broken. */
static bool take_in(struct session *ss, u64 now) {
    for (;;) {
        const u8 *in;
        i32 n = sock_recv_peek(ss->s, &in);
        if (n <= 0) return n == -ERR_AGAIN;
        ss->heard = now;
        ss->mark_due = TIME_NEVER;
        tn3270_input(&ss->tn, in, (u32)n, now);
        sock_recv_consume(ss->s, (u32)n, now);
    }
}

/* The nearest moment at which something is due; what is due now is done. */
static u64 session_times(struct session *ss, u64 now) {
    struct server *srv = ss->srv;
    u64 next = panel_pump(&ss->panel, now);
    u64 wait = ss->tn.state < TN_READY ? NEGOTIATION_USEC : ss->panel.user ? TIME_NEVER : LOGON_WAIT_USEC;
    if (wait != TIME_NEVER) {
        u64 by = (ss->tn.state < TN_READY ? ss->opened : ss->keyed) + wait;
        if (now >= by) srv->ended_negotiation++, session_end(ss);
        next = u64_min(next, by);
    } else if (srv->inactive_sec) {
        u64 by = ss->keyed + (u64)srv->inactive_sec * USEC_PER_SEC;
        if (now >= by) srv->ended_inactive++, session_end(ss);
        next = u64_min(next, by);
    }
    if (srv->timemark_sec && ss->mark_due == TIME_NEVER) {
        u64 by = ss->heard + (u64)srv->timemark_sec * USEC_PER_SEC;
        if (now >= by && tn3270_timing_mark(&ss->tn)) ss->mark_due = by = now + (u64)srv->scan_sec * USEC_PER_SEC;
        next = u64_min(next, by);
    }
    return u64_min(next, ss->mark_due);
}

static void session_over(struct session *ss, bool reset, u64 now) {
    if (reset)
        sock_abort(ss->s, now);
    else
        sock_close(ss->s, now);
    session_free(ss);
}

static void session_run(struct session *ss, u64 now) {
    if (!take_in(ss, now)) {
        session_over(ss, false, now);
        return;
    }
    if (ss->mark_due != TIME_NEVER && now >= ss->mark_due) {
        ss->srv->ended_silent++;
        session_over(ss, true, now); /* nobody is there to read a farewell */
        return;
    }
    u64 next = session_times(ss, now);
    if (ss->panel.over && ss->tn.state != TN_OVER) session_end(ss);
    bool works = send_out(ss, now);
    /* Room came with what was sent: a screen may have waited for it. */
    panel_pump(&ss->panel, now);
    if (!works || !send_out(ss, now)) {
        session_over(ss, false, now);
        return;
    }
    /* Bytes that come after a close would reset the connection, and the farewell would be lost. */
    if (ss->tn.state == TN_OVER && ss->tn.out_len == 0 && !ss->shut) {
        ss->shut = true;
        sock_shutdown_send(ss->s, now);
    }
    /* A farewell that the client does not read is given up. */
    if (ss->tn.state == TN_OVER) {
        if (ss->close_by == TIME_NEVER) ss->close_by = now + NEGOTIATION_USEC;
        if (now >= ss->close_by) {
            session_over(ss, true, now);
            return;
        }
        next = ss->close_by;
    }
    if (next == TIME_NEVER)
        timer_disarm(ss->srv->env->stk, &ss->timer);
    else
        timer_arm(ss->srv->env->stk, &ss->timer, next);
}

static void on_timer(struct stack *stk, struct timer *t, u64 now) {
    struct session *ss = CONTAINER_OF(t, struct session, timer);
    UNUSED(stk);
    session_run(ss, now);
}

static void on_wrote(struct panel *p, u64 now) { session_run(CONTAINER_OF(p, struct session, panel), now); }

static void accept_all(struct server *srv, u64 now);

static void session_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct session *ss = ctx;
    struct server *srv = ss->srv;
    UNUSED(s);
    if (events & SOCK_EV_CLOSED)
        session_over(ss, false, now);
    else
        session_run(ss, now);
    if (!ss->s) accept_all(srv, now);
}

static void session_begin(struct server *srv, struct sock *s, u64 now) {
    struct session *ss = LIST_ENTRY(list_pop_front(&srv->idle), struct session, node);
    list_push_back(&srv->busy, &ss->node);
    srv->accepted++;
    srv->high = u32_max(srv->high, ++srv->open);
    ss->s = s;
    ss->opened = ss->heard = ss->keyed = now;
    ss->mark_due = ss->close_by = TIME_NEVER;
    ss->lu = LU_NONE;
    ss->shut = false;
    sock_setopt(s, SO_NODELAY, 1, now); /* a screen is answered as a whole, never topped up */
    tn3270_open(&ss->tn, &tn_ops, &srv->counts, "PLEX390");
    panel_open(&ss->panel, &srv->host, &ss->tn);
    sock_on_event(s, session_event, ss);
    session_run(ss, now);
}

static void accept_all(struct server *srv, u64 now) {
    static const char full[] = "\r\nPLX0425E ALL SESSIONS ARE IN USE\r\n";
    struct sock *s;
    while (srv->listener && sock_accept(srv->listener, &s, NULL, now) == 0) {
        if (!list_empty(&srv->idle)) {
            session_begin(srv, s, now);
            continue;
        }
        srv->refused_full++;
        sock_send(s, full, sizeof full - 1, now);
        sock_close(s, now);
    }
}

static void listener_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct server *srv = ctx;
    if (!(events & SOCK_EV_CLOSED)) {
        accept_all(srv, now);
        return;
    }
    console_message(srv->env->con, "PLX0401W %s LOST ITS LISTENER", srv->jobname);
    sock_close(s, now);
    srv->listener = NULL;
}

/* ---- MODIFY ---- */
static void display(const struct server *srv, const struct reply *r, u64 now) {
    const struct tn3270_counts *c = &srv->counts;
    const struct panel_host *h = &srv->host;
    reply_line(r, "PLX0426I %s: %u OF %u SESSIONS, HIGH %u, ACCEPTED %u, REFUSED %u", srv->jobname, srv->open, srv->sessions,
               srv->high, srv->accepted, srv->refused_full);
    reply_line(r, "  LOGONS %u FAILED %u   SCREENS %u   RECORDS IN %u OUT %u   LINES LOST %u", h->logons, h->logon_failures,
               h->refreshes, c->records_in, c->records_out, h->lines_lost);
    reply_line(r, "  RESPONSES %u NEGATIVE %u LATE %u   TIMEMARKS %u", c->positive, c->negative, c->late_responses, c->timing_marks);
    reply_line(r, "  ENDED INACTIVE %u SILENT %u BEFORE LOGON %u", srv->ended_inactive, srv->ended_silent, srv->ended_negotiation);
    reply_line(r, "  BAD RECORDS %u LONG %u WORDS %u   TYPES %u NAMES %u NOT 3270 %u FLOODS %u", c->bad_records, c->long_records,
               c->bad_words, c->refused_types, c->refused_names, c->not_3270, c->floods);
    LIST_FOR_EACH(it, &srv->busy) {
        const struct session *ss = LIST_ENTRY(it, struct session, node);
        struct sockaddr4 peer;
        char addr[IPADDR_TEXT_MAX];
        sock_peer(ss->s, &peer);
        reply_line(r, "%-8s %-15s %-9s %-8s %08X %s..%u IDLE %u S, RESPONSE %u US", ss->tn.lu, ss->tn.device,
                   ss->tn.enhanced ? "TN3270E" : "TN3270", ss->panel.user ? ss->panel.user->name : tn3270_state_name(ss->tn.state),
                   sock_conn_id(ss->s), ipaddr_text(peer.addr, addr), (u32)peer.port,
                   (u32)((now - ss->keyed) >> 20), ss->tn.response_usec);
    }
}

static bool cancel(struct server *srv, const char *lu, const struct reply *r, u64 now) {
    LIST_FOR_EACH(it, &srv->busy) {
        struct session *ss = LIST_ENTRY(it, struct session, node);
        if (!str_eq_ci(ss->tn.lu, lu)) continue;
        session_end(ss);
        session_run(ss, now);
        reply_line(r, "PLX0427I SESSION OF %s IS ENDED", lu);
        return true;
    }
    reply_line(r, "PLX0428E %s HAS NO SESSION", lu);
    return false;
}

static bool tn3270d_modify(void *inst, const char *text, const struct reply *r, u64 now) {
    struct server *srv = inst;
    static const char cancel_word[] = "CANCEL,";
    if (str_eq_ci(text, "DISPLAY")) {
        display(srv, r, now);
    } else if (str_eq_ci(text, "USERS")) {
        logon_read(&srv->host.users, srv->env, srv->jobname);
        LIST_FOR_EACH_SAFE(it, next, &srv->busy) {
            struct session *ss = LIST_ENTRY(it, struct session, node);
            if (!ss->panel.user) continue;
            ss->panel.user = logon_find(&srv->host.users, ss->panel.name);
            if (!ss->panel.user) session_end(ss);
            session_run(ss, now);
        }
        reply_line(r, "PLX0429I %s READ %u USERS", srv->jobname, srv->host.users.count);
    } else if (strlen(text) > sizeof cancel_word - 1 && memcmp(text, cancel_word, sizeof cancel_word - 1) == 0) {
        return cancel(srv, text + sizeof cancel_word - 1, r, now);
    } else {
        reply_line(r, "PLX0301E %s IS NOT VALID: DISPLAY, USERS OR CANCEL,LU WAS EXPECTED", text);
        return false;
    }
    return true;
}

/* ---- the program ---- */
static void tn3270d_stop(void *inst, u64 now) {
    struct server *srv = inst;
    if (srv->listener) sock_close(srv->listener, now);
    srv->listener = NULL;
    LIST_FOR_EACH_SAFE(it, next, &srv->busy) {
        struct session *ss = LIST_ENTRY(it, struct session, node);
        session_end(ss);
        send_out(ss, now); /* the UNBIND leaves if there is room; nobody waits for it */
        session_over(ss, false, now);
    }
    panel_host_end(&srv->host);
    app_give_back(srv->env, srv);
}

static int tn3270d_start(struct app_env *env, const char *jobname, const char *parm, u64 now, void **inst) {
    u32 sessions = SESSIONS_DEFAULT, port = 23, inactive = 0, timemark = TIMEMARK_DEFAULT, scan = SCAN_DEFAULT;
    char lu[TN_NAME_MAX + 1] = "TCP00001";
    app_parm_text(parm, "LU", lu, sizeof lu);
    if (!app_parm_number(parm, "SESSIONS", 1, 2048, &sessions) || !app_parm_number(parm, "PORT", 1, 65535, &port) ||
        !app_parm_number(parm, "INACTIVE", 0, 99999999, &inactive) || !app_parm_number(parm, "TIMEMARK", 0, 99999999, &timemark) ||
        !app_parm_number(parm, "SCAN", 1, 99999999, &scan))
        return -ERR_INVAL;
    struct server *srv = app_take(env, (u32)(sizeof *srv + sessions * sizeof srv->session[0]));
    if (!srv) return -ERR_NOMEM;
    srv->env = env;
    srv->sessions = sessions;
    srv->inactive_sec = inactive;
    srv->timemark_sec = timemark;
    srv->scan_sec = scan;
    str_copy(srv->jobname, sizeof srv->jobname, jobname);
    list_init(&srv->idle);
    list_init(&srv->busy);
    for (u32 i = 0; i < sessions; i++) {
        struct session *ss = &srv->session[i];
        ss->srv = srv;
        ss->index = i;
        timer_init(&ss->timer, on_timer);
        list_push_back(&srv->idle, &ss->node);
    }
    panel_host_init(&srv->host, env, srv->jobname, on_wrote);
    int rc = lu_parse(srv, lu) ? app_listen(env, jobname, (u16)port, APP_BACKLOG, listener_event, srv, now, &srv->listener) : -ERR_INVAL;
    if (rc < 0) {
        tn3270d_stop(srv, now);
        return rc;
    }
    sock_setopt(srv->listener, SO_SNDBUF_OPT, SEND_BYTES, now);
    sock_setopt(srv->listener, SO_RCVBUF_OPT, RECV_BYTES, now);
    *inst = srv;
    return 0;
}

const struct app tn3270d_app = {.name = "TN3270", .start = tn3270d_start, .stop = tn3270d_stop, .modify = tn3270d_modify};
