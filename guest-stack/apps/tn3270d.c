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
#include "apps/seats.h"
#include "base/str.h"
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
    struct seat seat;
    struct server *srv;
    struct tn3270 tn;
    struct panel panel;
    u64 opened, heard, keyed; /* when: it began, the last byte, the last key */
    u64 mark_due;             /* a TIMING-MARK must be answered by then; TIME_NEVER: none is out */
    u32 index, lu;   /* place in the table; which LU it has, LU_NONE before it has one */
    bool lu_in_use;  /* of the LU with this session's index, whoever has it */
    u64 close_by;    /* its farewell is given up then; TIME_NEVER while it is open */
};

struct server {
    struct app_env *env;
    char jobname[9];
    struct seats seats;
    u32 inactive_sec, timemark_sec, scan_sec;
    char lu_prefix[TN_NAME_MAX + 1];
    u32 lu_first, lu_digits;
    u32 ended_inactive, ended_silent, ended_negotiation;
    struct tn3270_counts counts;
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
    return srv->lu_first + srv->seats.count <= limit;
}

static struct session *of_seat(struct seat *seat) { return CONTAINER_OF(seat, struct session, seat); }
static struct session *of_node(struct list *node) { return of_seat(LIST_ENTRY(node, struct seat, node)); }
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
            !str_u32(wanted + prefix, srv->lu_digits, &n) || n < srv->lu_first || n - srv->lu_first >= srv->seats.count)
            return -ERR_NOENT;
        n -= srv->lu_first;
        if (srv->session[n].lu_in_use) return -ERR_BUSY;
    } else if (srv->session[n].lu_in_use) {
        for (n = 0; srv->session[n].lu_in_use; n++) CHECK(n + 1 < srv->seats.count);
    }
    srv->session[n].lu_in_use = true;
    ss->lu = n;
    lu_name(srv, n, lu);
    return 0;
}

/* ---- a session's end ---- */
static void session_over(struct seat *seat) {
    struct session *ss = of_seat(seat);
    panel_close(&ss->panel);
    if (ss->lu != LU_NONE) ss->srv->session[ss->lu].lu_in_use = false;
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
        i32 n = sock_send(ss->seat.s, ss->tn.out + ss->tn.out_at, ss->tn.out_len - ss->tn.out_at, now);
        if (n < 0) return n == -ERR_AGAIN;
        tn3270_sent(&ss->tn, (u32)n);
    }
    return true;
}

/* false: the client has closed, or the connection is broken. */
static bool take_in(struct session *ss, u64 now) {
    for (;;) {
        const u8 *in;
        i32 n = sock_recv_peek(ss->seat.s, &in);
        if (n <= 0) return n == -ERR_AGAIN;
        ss->heard = now;
        ss->mark_due = TIME_NEVER;
        tn3270_input(&ss->tn, in, (u32)n, now);
        sock_recv_consume(ss->seat.s, (u32)n, now);
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

static void session_run(struct seat *seat, u64 now) {
    struct session *ss = of_seat(seat);
    if (!take_in(ss, now)) {
        seat_over(seat, false, now);
        return;
    }
    if (ss->mark_due != TIME_NEVER && now >= ss->mark_due) {
        ss->srv->ended_silent++;
        seat_over(seat, true, now); /* nobody is there to read a farewell */
        return;
    }
    u64 next = session_times(ss, now);
    if (ss->panel.over && ss->tn.state != TN_OVER) session_end(ss);
    bool works = send_out(ss, now);
    /* Room came with what was sent: a screen may have waited for it. */
    panel_pump(&ss->panel, now);
    if (!works || !send_out(ss, now)) {
        seat_over(seat, false, now);
        return;
    }
    if (ss->tn.state == TN_OVER && ss->tn.out_len == 0) seat_shut(seat, now);
    /* A farewell that the client does not read is given up. */
    if (ss->tn.state == TN_OVER) {
        if (ss->close_by == TIME_NEVER) ss->close_by = now + NEGOTIATION_USEC;
        if (now >= ss->close_by) {
            seat_over(seat, true, now);
            return;
        }
        next = ss->close_by;
    }
    seat_run_at(seat, next);
}

static void on_wrote(struct panel *p, u64 now) { session_run(&CONTAINER_OF(p, struct session, panel)->seat, now); }

static void session_begin(struct seat *seat, u64 now) {
    struct session *ss = of_seat(seat);
    ss->opened = ss->heard = ss->keyed = now;
    ss->mark_due = ss->close_by = TIME_NEVER;
    ss->lu = LU_NONE;
    tn3270_open(&ss->tn, &tn_ops, &ss->srv->counts, "PLEX390");
    panel_open(&ss->panel, &ss->srv->host, &ss->tn);
}

static const struct seat_ops session_ops = {.begin = session_begin, .run = session_run, .over = session_over};

/* ---- MODIFY ---- */
static void display(const struct server *srv, const struct reply *r, u64 now) {
    const struct tn3270_counts *c = &srv->counts;
    const struct panel_host *h = &srv->host;
    seats_display(&srv->seats, r);
    reply_line(r, "  LOGONS %u FAILED %u   SCREENS %u   RECORDS IN %u OUT %u   LINES LOST %u", h->logons, h->logon_failures,
               h->refreshes, c->records_in, c->records_out, h->lines_lost);
    reply_line(r, "  RESPONSES %u NEGATIVE %u LATE %u   TIMEMARKS %u", c->positive, c->negative, c->late_responses, c->timing_marks);
    reply_line(r, "  ENDED INACTIVE %u SILENT %u BEFORE LOGON %u", srv->ended_inactive, srv->ended_silent, srv->ended_negotiation);
    reply_line(r, "  BAD RECORDS %u LONG %u WORDS %u   TYPES %u NAMES %u NOT 3270 %u FLOODS %u", c->bad_records, c->long_records,
               c->bad_words, c->refused_types, c->refused_names, c->not_3270, c->floods);
    LIST_FOR_EACH(it, &srv->seats.busy) {
        const struct session *ss = of_node(it);
        struct sockaddr4 peer;
        char addr[IPADDR_TEXT_MAX];
        sock_peer(ss->seat.s, &peer);
        reply_line(r, "%-8s %-15s %-9s %-8s %08X %s..%u IDLE %u S, RESPONSE %u US", ss->tn.lu, ss->tn.device,
                   ss->tn.enhanced ? "TN3270E" : "TN3270", ss->panel.user ? ss->panel.user->name : tn3270_state_name(ss->tn.state),
                   sock_conn_id(ss->seat.s), ipaddr_text(peer.addr, addr), (u32)peer.port,
                   (u32)((now - ss->keyed) >> 20), ss->tn.response_usec);
    }
}

static bool cancel(struct server *srv, const char *lu, const struct reply *r, u64 now) {
    LIST_FOR_EACH(it, &srv->seats.busy) {
        struct session *ss = of_node(it);
        if (!str_eq_ci(ss->tn.lu, lu)) continue;
        session_end(ss);
        session_run(&ss->seat, now);
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
        LIST_FOR_EACH_SAFE(it, next, &srv->seats.busy) {
            struct session *ss = of_node(it);
            if (!ss->panel.user) continue;
            ss->panel.user = logon_find(&srv->host.users, ss->panel.name);
            if (!ss->panel.user) session_end(ss);
            session_run(&ss->seat, now);
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
    seats_close(&srv->seats, now);
    LIST_FOR_EACH_SAFE(it, next, &srv->seats.busy) {
        struct session *ss = of_node(it);
        session_end(ss);
        send_out(ss, now); /* the UNBIND leaves if there is room; nobody waits for it */
        seat_over(&ss->seat, false, now);
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
    srv->inactive_sec = inactive;
    srv->timemark_sec = timemark;
    srv->scan_sec = scan;
    str_copy(srv->jobname, sizeof srv->jobname, jobname);
    seats_init(&srv->seats, env, srv->jobname, &session_ops);
    for (u32 i = 0; i < sessions; i++) {
        struct session *ss = &srv->session[i];
        ss->srv = srv;
        ss->index = i;
        seats_add(&srv->seats, &ss->seat);
    }
    panel_host_init(&srv->host, env, srv->jobname, on_wrote);
    int rc = lu_parse(srv, lu) ? seats_open(&srv->seats, (u16)port, APP_BACKLOG, SEND_BYTES, RECV_BYTES, now) : -ERR_INVAL;
    if (rc < 0) {
        tn3270d_stop(srv, now);
        return rc;
    }
    *inst = srv;
    return 0;
}

const struct app tn3270d_app = {.name = "TN3270", .start = tn3270d_start, .stop = tn3270d_stop, .modify = tn3270d_modify};
