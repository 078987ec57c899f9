/* otelnetd.c - OTELNETD: Telnet in line mode to the operator's console (RFC 854, 857, 1123 3.2).
 *
 *   parameter    default   meaning
 *   PORT=n       23
 *   SESSIONS=n   8         at once; a further client is told so and closed
 *   INACTIVE=n   1800      seconds without a line until the session is ended; 0 = for ever
 *
 *   state      the client sees                                   a line                            leads to
 *   LOGIN      EZYTE27I login:                                   is the user's name                PASSWORD
 *   PASSWORD   EZYTE28I name Password:     (WILL ECHO: no echo)  is right | wrong, three times     COMMAND | LOGIN, OVER
 *   COMMAND    every message of the console                      is a command, LOGOFF or EXIT      COMMAND, OVER
 *   OVER       what is left to be sent, then our end is shut; over when the client has closed, or has had time to
 *
 * Options: none is asked for but ECHO around the password; what the client asks for is refused, except SGA. A line ends
 * with CR LF, CR NUL or LF; BS, DEL and EC take a character back, EL and IP the line, AO drops what has not been sent, AYT is
 * answered. No more is read from a client while its command is carried out: what it types ahead waits with TCP.
 *
 * Messages go to sessions as they come. A client that does not read loses lines when its OUT_MAX are full, is told how many
 * when it reads again, and holds up nobody. The answer to a command goes to its session alone.
 */
#include "apps/app_impl.h"
#include "apps/logon.h"
#include "apps/seats.h"
#include "apps/telnet.h"
#include "base/str.h"
#include "super/console.h"

#define SESSIONS_DEFAULT 8
#define INACTIVE_DEFAULT 1800
#define OUT_MAX          32768u /* the longest answer we know, NETSTAT ALL of some hundred connections, fits */
#define SEND_BYTES       16384u
#define RECV_BYTES       4096u
#define BACKLOG          16
#define FAREWELL_USEC    (10u * USEC_PER_SEC)

enum state { LOGIN, PASSWORD, COMMAND, OVER };

struct server;
struct session {
    struct seat seat; /* first: a new session clears what is behind it */
    struct server *srv;
    struct telnet telnet;
    struct console_request request;
    const struct logon_user *user;
    u64 active; /* when the last line came */
    u8 state, tries;
    bool cr, too_long, running; /* the last byte was CR; the line is; a command is being carried out */
    bool eof;                   /* the client has closed its end */
    u32 len, lost;
    u32 out_at, out_len; /* a ring */
    char name[LOGON_NAME_MAX + 1];
    char line[CONSOLE_COMMAND_MAX + 1];
    char out[OUT_MAX];
};

struct server {
    struct app_env *env;
    char jobname[9];
    struct seats seats;
    struct logon_users users;
    struct console_sink sink;
    struct console_request flush; /* an empty one: the next moment at which sockets may be written to */
    u32 logons, logon_failures, commands, lines_lost;
    u64 inactive_usec;
    struct session session[];
};

static struct session *of_seat(struct seat *seat) { return CONTAINER_OF(seat, struct session, seat); }
static struct session *of_node(struct list *node) { return of_seat(LIST_ENTRY(node, struct seat, node)); }

/* ---- output ---- */
static bool put(struct session *ss, const char *text, u32 n) {
    if (OUT_MAX - ss->out_len < n) return false;
    for (u32 i = 0; i < n; i++) ss->out[(ss->out_at + ss->out_len++) % OUT_MAX] = text[i];
    return true;
}

/* A line, or the count of those that found no room before it. */
static void put_line(struct session *ss, const char *text) {
    char note[48];
    u32 len = (u32)strlen(text);
    if (ss->lost) {
        u32 n = str_fmt(note, sizeof note, "PLX0441W %u LINES LOST\r\n", ss->lost);
        /* Only with room for what follows, or the note would be all that such a client ever reads. */
        if (OUT_MAX - ss->out_len >= OUT_MAX / 2 && put(ss, note, n)) ss->lost = 0;
    }
    if (ss->lost || OUT_MAX - ss->out_len < len + 2) {
        ss->lost++;
        ss->srv->lines_lost++;
        return;
    }
    put(ss, text, len);
    put(ss, "\r\n", 2);
}

static void put_option(struct session *ss, u8 verb, u8 option) {
    u8 three[3];
    put(ss, (const char *)three, telnet_ask(&ss->telnet, verb, option, three));
}

static void prompt(struct session *ss) {
    char text[48];
    u32 n = ss->state == LOGIN ? str_copy(text, sizeof text, "EZYTE27I login: ")
                               : str_fmt(text, sizeof text, "EZYTE28I %s Password: ", ss->name);
    put(ss, text, n);
}

/* false: the connection is broken. */
static bool send_out(struct session *ss, u64 now) {
    while (ss->out_len) {
        u32 part = u32_min(ss->out_len, OUT_MAX - ss->out_at);
        i32 n = sock_send(ss->seat.s, ss->out + ss->out_at, part, now);
        if (n < 0) return n == -ERR_AGAIN;
        ss->out_at = (ss->out_at + (u32)n) % OUT_MAX;
        ss->out_len -= (u32)n;
    }
    return true;
}

/* ---- the console's side ---- */
static void answer_line(void *ctx, const char *text) { put_line(ctx, text); }

static void console_says(void *ctx, const char *text) {
    struct server *srv = ctx;
    LIST_FOR_EACH(it, &srv->seats.busy) {
        struct session *ss = of_node(it);
        if (ss->state == COMMAND) put_line(ss, text);
    }
    /* Whoever says something may stand deep in a stack: the sockets are written to when nobody does. */
    if (srv->seats.open) console_submit(srv->env->con, &srv->flush, "");
}

/* ---- sessions ---- */
static void session_over(struct seat *seat) {
    struct session *ss = of_seat(seat);
    console_cancel(ss->srv->env->con, &ss->request);
}

static void session_end(struct session *ss, const char *why) {
    put_line(ss, why);
    ss->state = OVER;
}

static void password_came(struct session *ss) {
    struct server *srv = ss->srv;
    ss->telnet.us[TELOPT_ECHO] = TELNET_OFF; /* his answer to the WONT changes nothing any more */
    static const u8 wont_echo[] = {TELNET_IAC, TELNET_WONT, TELOPT_ECHO};
    put(ss, (const char *)wont_echo, sizeof wont_echo);
    put(ss, "\r\n", 2);
    ss->user = logon_check(&srv->users, ss->name, ss->line);
    memset(ss->line, 0, sizeof ss->line);
    if (ss->user) {
        char text[100];
        srv->logons++;
        ss->state = COMMAND;
        str_fmt(text, sizeof text, "PLX0440I %s ON SYSTEM %s, USER %s: COMMANDS, OR LOGOFF", srv->jobname, srv->env->sysname, ss->user->name);
        put_line(ss, text);
        return;
    }
    srv->logon_failures++;
    put_line(ss, "PLX0423E USER ID OR PASSWORD IS NOT RIGHT");
    ss->state = LOGIN;
    if (++ss->tries < LOGON_TRIES) {
        prompt(ss);
        return;
    }
    struct sockaddr4 peer;
    char addr[IPADDR_TEXT_MAX];
    sock_peer(ss->seat.s, &peer);
    console_message(srv->env->con, "PLX0424W %s: %u WRONG PASSWORDS FOR %s FROM %s", srv->jobname, (u32)LOGON_TRIES, ss->name,
                    ipaddr_text(peer.addr, addr));
    ss->state = OVER;
}

static void line_came(struct session *ss, u64 now) {
    struct server *srv = ss->srv;
    const char *line = ss->line;
    bool too_long = ss->too_long;
    ss->line[ss->len] = '\0';
    ss->len = 0;
    ss->too_long = false;
    ss->active = now;
    while (*line == ' ') line++;
    if (ss->state == LOGIN) {
        str_copy(ss->name, sizeof ss->name, line);
        ss->state = *line ? PASSWORD : LOGIN;
        if (*line) put_option(ss, TELNET_WILL, TELOPT_ECHO);
        prompt(ss);
    } else if (ss->state == PASSWORD) {
        password_came(ss);
    } else if (too_long) {
        put_line(ss, "PLX0442E THE COMMAND IS LONGER THAN 126 CHARACTERS");
    } else if (str_eq_ci(line, "LOGOFF") || str_eq_ci(line, "EXIT")) {
        session_end(ss, "PLX0443I SESSION ENDED");
    } else if (!logon_may(ss->user, line) && *line) {
        put_line(ss, "PLX0422E YOUR USER ID MAY ENTER DISPLAY COMMANDS ONLY");
    } else if (*line) {
        srv->commands++;
        ss->running = console_submit(srv->env->con, &ss->request, line) == 0;
    }
}

static void byte_came(struct session *ss, u8 byte, u64 now) {
    bool after_cr = ss->cr;
    ss->cr = byte == '\r';
    if (after_cr && (byte == '\n' || byte == '\0')) return; /* the second half of the end of a line */
    if (byte == '\r' || byte == '\n') {
        line_came(ss, now);
    } else if (byte == '\b' || byte == 0x7F) {
        if (ss->len) ss->len--;
    } else if (byte == 0x04 && ss->len == 0) {
        session_end(ss, "PLX0443I SESSION ENDED");
    } else if (byte >= ' ' && byte < 0x7F) {
        if (ss->len < CONSOLE_COMMAND_MAX)
            ss->line[ss->len++] = (char)byte;
        else
            ss->too_long = true;
    }
}

static void command_came(struct session *ss, u8 code) {
    switch (code) {
    case TELNET_EC: ss->len -= ss->len > 0; break;
    case TELNET_EL:
    case TELNET_BREAK:
    case TELNET_IP: ss->len = 0, ss->too_long = false; break;
    case TELNET_AO: ss->out_len = 0; break;
    case TELNET_AYT: put_line(ss, ss->srv->env->sysname); break;
    default: break;
    }
}

/* Takes what has come, up to a line that is a command: the rest waits for its answer. false: the connection is over. */
static bool take_in(struct session *ss, u64 now) {
    while (!ss->running) {
        const u8 *in;
        i32 n = sock_recv_peek(ss->seat.s, &in);
        if (n == 0) {
            /* A script that sends its commands and closes still wants the answers. */
            ss->eof = true;
            ss->state = OVER;
            return true;
        }
        if (n < 0) return n == -ERR_AGAIN;
        /* Closing over unread bytes would reset the connection and destroy the farewell on its way. */
        if (ss->state == OVER) {
            sock_recv_consume(ss->seat.s, (u32)n, now);
            continue;
        }
        struct telnet_token tok;
        u8 three[3];
        enum telnet_change change;
        u32 used = telnet_feed(&ss->telnet, in, (u32)n, &tok);
        if (tok.kind == TELNET_DATA) {
            u32 taken = 0;
            while (taken < tok.len && !ss->running && ss->state != OVER) byte_came(ss, tok.data[taken++], now);
            /* The decoder stands between two characters, so what is behind the command may come again. */
            if (taken < tok.len) used = (u32)(tok.data - in) + taken;
        } else if (tok.kind == TELNET_COMMAND) {
            command_came(ss, tok.code);
        } else if (tok.kind == TELNET_OPTION) {
            bool allowed = tok.option == TELOPT_SGA;
            put(ss, (const char *)three, telnet_answer(&ss->telnet, tok.code, tok.option, allowed, three, &change));
        }
        sock_recv_consume(ss->seat.s, used, now);
    }
    return true;
}

/* What it may take until the next line, 0: as long as it likes. */
static u64 patience(const struct session *ss) {
    return ss->state == OVER ? FAREWELL_USEC : ss->state != COMMAND ? LOGON_WAIT_USEC : ss->srv->inactive_usec;
}

static void session_run(struct seat *seat, u64 now) {
    struct session *ss = of_seat(seat);
    u64 wait = patience(ss);
    bool late = wait && now >= ss->active + wait;
    if (late && ss->state == OVER) {
        seat_over(seat, true, now);
        return;
    }
    if (late && !ss->running) {
        ss->active = now;
        session_end(ss, "PLX0444I SESSION ENDED, NOTHING WAS ENTERED");
    }
    if (!take_in(ss, now) || !send_out(ss, now) || (ss->eof && ss->out_len == 0)) {
        seat_over(seat, false, now);
        return;
    }
    if (ss->state == OVER && ss->out_len == 0) seat_shut(seat, now);
    wait = patience(ss); /* a line may have changed it */
    seat_run_at(seat, wait ? ss->active + wait : TIME_NEVER);
}

static void answer_done(void *ctx, u64 now) {
    struct session *ss = ctx;
    ss->running = false;
    session_run(&ss->seat, now);
}

static void flush_done(void *ctx, u64 now) {
    struct server *srv = ctx;
    LIST_FOR_EACH_SAFE(it, next, &srv->seats.busy) session_run(&of_node(it)->seat, now);
}

static void session_begin(struct seat *seat, u64 now) {
    struct session *ss = of_seat(seat);
    memset((char *)ss + sizeof ss->seat, 0, offsetof(struct session, out) - sizeof ss->seat);
    ss->srv = CONTAINER_OF(seat->of, struct server, seats);
    ss->active = now;
    telnet_init(&ss->telnet);
    ss->request = (struct console_request){.reply = {.line = answer_line, .ctx = ss}, .done = answer_done};
    list_init(&ss->request.node);
    prompt(ss);
}

static const struct seat_ops session_ops = {.begin = session_begin, .run = session_run, .over = session_over};

/* ---- the program ---- */
static bool otelnetd_modify(void *inst, const char *text, const struct reply *r, u64 now) {
    struct server *srv = inst;
    if (str_eq_ci(text, "USERS")) {
        logon_read(&srv->users, srv->env, srv->jobname);
        LIST_FOR_EACH_SAFE(it, next, &srv->seats.busy) {
            struct session *ss = of_node(it);
            if (!ss->user) continue;
            ss->user = logon_find(&srv->users, ss->name);
            if (!ss->user) session_end(ss, "PLX0443I SESSION ENDED");
            session_run(&ss->seat, now);
        }
        reply_line(r, "PLX0429I %s READ %u USERS", srv->jobname, srv->users.count);
        return true;
    }
    if (!str_eq_ci(text, "DISPLAY")) {
        reply_line(r, "PLX0301E %s IS NOT VALID: DISPLAY OR USERS WAS EXPECTED", text);
        return false;
    }
    seats_display(&srv->seats, r);
    reply_line(r, "  LOGONS %u FAILED %u   COMMANDS %u   LINES LOST %u", srv->logons, srv->logon_failures, srv->commands,
               srv->lines_lost);
    LIST_FOR_EACH(it, &srv->seats.busy) {
        const struct session *ss = of_node(it);
        struct sockaddr4 peer;
        char addr[IPADDR_TEXT_MAX];
        sock_peer(ss->seat.s, &peer);
        reply_line(r, "%-8s %08X %s..%u", ss->user ? ss->user->name : "LOGIN", sock_conn_id(ss->seat.s), ipaddr_text(peer.addr, addr),
                   (u32)peer.port);
    }
    return true;
}

static void otelnetd_stop(void *inst, u64 now) {
    struct server *srv = inst;
    seats_close(&srv->seats, now);
    console_detach(&srv->sink);
    console_cancel(srv->env->con, &srv->flush);
    LIST_FOR_EACH_SAFE(it, next, &srv->seats.busy) {
        struct session *ss = of_node(it);
        session_end(ss, "PLX0443I SESSION ENDED");
        ss->running = false; /* what was typed ahead is read and dropped, see take_in() */
        take_in(ss, now);
        send_out(ss, now);
        seat_over(&ss->seat, false, now);
    }
    app_give_back(srv->env, srv);
}

static int otelnetd_start(struct app_env *env, const char *jobname, const char *parm, u64 now, void **inst) {
    u32 sessions = SESSIONS_DEFAULT, port = 23, inactive = INACTIVE_DEFAULT;
    if (!app_parm_number(parm, "SESSIONS", 1, 64, &sessions) || !app_parm_number(parm, "PORT", 1, 65535, &port) ||
        !app_parm_number(parm, "INACTIVE", 0, 99999999, &inactive))
        return -ERR_INVAL;
    struct server *srv = app_take(env, (u32)(sizeof *srv + sessions * sizeof srv->session[0]));
    if (!srv) return -ERR_NOMEM;
    srv->env = env;
    srv->inactive_usec = (u64)inactive * USEC_PER_SEC;
    str_copy(srv->jobname, sizeof srv->jobname, jobname);
    seats_init(&srv->seats, env, srv->jobname, &session_ops);
    for (u32 i = 0; i < sessions; i++) seats_add(&srv->seats, &srv->session[i].seat);
    srv->flush = (struct console_request){.reply = {.line = NULL, .ctx = srv}, .done = flush_done};
    list_init(&srv->flush.node);
    srv->sink = (struct console_sink){.line = console_says, .ctx = srv};
    console_attach(env->con, &srv->sink);
    int rc = seats_open(&srv->seats, (u16)port, BACKLOG, SEND_BYTES, RECV_BYTES, now);
    if (rc < 0) {
        otelnetd_stop(srv, now);
        return rc;
    }
    logon_read(&srv->users, env, srv->jobname);
    *inst = srv;
    return 0;
}

const struct app otelnetd_app = {.name = "OTELNETD", .start = otelnetd_start, .stop = otelnetd_stop, .modify = otelnetd_modify};
