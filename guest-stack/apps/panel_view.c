/* panel_view.c - the tables of views, texts and looks, and how they are drawn. See panel.h. */
#include "apps/app.h"
#include "apps/panel.h"
#include "base/str.h"

static const struct panel_view views[] = {
    [PANEL_MENU] = {"MENU", "PRIMARY MENU", NULL},
    [PANEL_HELP] = {"HELP", "KEYS AND COMMANDS", NULL},
    [PANEL_LOGVIEW] = {"LOG", "MESSAGES", NULL},
    [PANEL_TYPED_VIEW] = {"", "COMMAND", ""},
    {"HOME", "HOME ADDRESSES", "D TCPIP,%s,NETSTAT,HOME,MAX=*"},
    {"DEVLINKS", "DEVICES AND LINKS", "D TCPIP,%s,NETSTAT,DEVLINKS,MAX=*"},
    {"CONN", "CONNECTIONS", "D TCPIP,%s,NETSTAT,CONN,MAX=*"},
    {"ROUTE", "ROUTES", "D TCPIP,%s,NETSTAT,ROUTE,MAX=*"},
    {"ARP", "ARP CACHE", "D TCPIP,%s,NETSTAT,ARP,MAX=*"},
    {"SOCKETS", "SOCKETS", "D TCPIP,%s,NETSTAT,SOCKETS,MAX=*"},
    {"PORTLIST", "PORT RESERVATIONS", "D TCPIP,%s,NETSTAT,PORTLIST,MAX=*"},
    {"STATS", "COUNTERS", "D TCPIP,%s,NETSTAT,STATS"},
    {"BYTEINFO", "BYTES OF EACH CONNECTION", "D TCPIP,%s,NETSTAT,BYTEINFO,MAX=*"},
    {"CONFIG", "CONFIGURATION", "D TCPIP,%s,NETSTAT,CONFIG"},
    {"TELNET", "TELNET SESSIONS", "F INTCLIEN,DISPLAY"},
    {"ACTIVE", "ACTIVITY", "D A,L"},
    {"SYMBOLS", "SYSTEM SYMBOLS", "D SYMBOLS"},
    {"XCF", "SYSTEMS OF THE SYSPLEX", "D XCF,S,ALL"},
    {"PATHS", "SIGNALLING PATHS", "D XCF,PI"},
    {"GROUPS", "XCF GROUPS", "D XCF,G"},
    {"CF", "COUPLING FACILITIES", "D CF"},
    {"VIPADYN", "DYNAMIC VIPAS OF THE SYSPLEX", "D TCPIP,%s,SYSPLEX,VIPADYN"},
    {"VIPADCFG", "DYNAMIC VIPA CONFIGURATION", "D TCPIP,%s,NETSTAT,VIPADCFG"},
    {"VDPT", "DESTINATION PORT TABLE", "D TCPIP,%s,NETSTAT,VDPT"},
    {"VCRT", "CONNECTION ROUTING TABLE", "D TCPIP,%s,NETSTAT,VCRT"},
};

const struct panel_view *panel_view_at(u32 i) { return i < ARRAY_LEN(views) ? &views[i] : NULL; }

int panel_view_find(const char *word) {
    u32 n, len = (u32)strlen(word);
    if (str_u32(word, len, &n))
        return n >= 1 && n <= ARRAY_LEN(views) - PANEL_FIRST_LISTED ? (int)(PANEL_FIRST_LISTED + n - 1) : -ERR_NOENT;
    for (u32 i = 0; i < ARRAY_LEN(views) && len; i++) {
        char part[12];
        if (i == PANEL_TYPED_VIEW || (len < 3 && strlen(views[i].name) != len)) continue;
        str_copy(part, u32_min(sizeof part, len + 1), views[i].name);
        if (str_eq_ci(part, word)) return (int)i;
    }
    return -ERR_NOENT;
}

/* ---- looks ---- */
static const struct ds_look look_text = {DS_PROTECTED, DS_GREEN, 0}, look_title = {DS_PROTECTED | DS_INTENSE, DS_WHITE, 0},
                            look_label = {DS_PROTECTED, DS_TURQUOISE, 0}, look_frame = {DS_PROTECTED, DS_BLUE, 0},
                            look_message = {DS_PROTECTED | DS_INTENSE, DS_YELLOW, 0},
                            look_bad = {DS_PROTECTED | DS_INTENSE, DS_RED, 0},
                            look_logo = {DS_PROTECTED | DS_INTENSE, DS_TURQUOISE, 0},
                            look_input = {0, DS_GREEN, DS_UNDERSCORE}, look_secret = {DS_HIDDEN, 0, 0};

static bool contains(const char *text, const char *part) {
    u32 n = (u32)strlen(part);
    for (; *text; text++)
        if (memcmp(text, part, u32_min(n, (u32)strlen(text) + 1)) == 0) return true;
    return false;
}

/* An id of a message: letters, then digits, then its type. */
static bool begins_with_id(const char *s) {
    u32 n = 0, digits = 0;
    while (s[n] >= 'A' && s[n] <= 'Z' && n < 5) n++;
    if (n < 3) return false;
    while (s[n + digits] >= '0' && s[n + digits] <= '9') digits++;
    return digits >= 2 && s[n + digits] >= 'A' && s[n + digits] <= 'Z';
}

const struct ds_look *panel_line_look(const char *text) {
    static const struct {
        const char *part;
        const struct ds_look *look;
    } rules[] = {
        {"NOT ACTIVE", &look_bad},  {"FAILED", &look_bad},   {"ERROR", &look_bad},          {"LOST", &look_bad},
        {"NOT VALID", &look_bad},   {"INVALID", &look_bad},  {"UNIDENTIFIABLE", &look_bad}, {"REJECTED", &look_bad},
        {"MOVING", &look_message},  {"BACKUP", &look_label}, {"INACTIVE", &look_bad},       {"STOPPING", &look_message},
        {"DISPLAYED", &look_frame}, {"STATISTICS", &look_label},
    };
    for (u32 i = 0; i < ARRAY_LEN(rules); i++)
        if (contains(text, rules[i].part)) return rules[i].look;
    return begins_with_id(text) ? &look_title : &look_text;
}

/* ---- drawing ---- */
u32 panel_room(const struct panel *p) { return (u32)p->tn->terminal.rows - 5; }

/* A line of its own: field, text as wide as the display, and nothing of what stood there before. */
static void put_line(struct ds_writer *w, u32 row, u32 cols, const struct ds_look *look, const char *text) {
    u32 len = u32_min((u32)strlen(text), cols - 1);
    while (len && text[len - 1] == ' ') len--;
    ds_sba(w, row * cols);
    ds_field(w, look);
    ds_text(w, text, len);
    if (len < cols - 1) ds_repeat(w, (row + 1) * cols % w->cells, '\0');
}

static void put_at(struct ds_writer *w, u32 row, u32 col, u32 cols, const struct ds_look *look, const char *text) {
    ds_sba(w, row * cols + col);
    ds_field(w, look);
    ds_text(w, text, (u32)strlen(text));
}

/* What the logon screen says, from the left edge; the rest is fields and what differs from system to system. */
static const struct {
    u8 row, col;
    const struct ds_look *look;
    const char *text;
} logon_texts[] = {
    {2, 16, &look_logo, "PPPPPP  LL      EEEEEE  XX  XX  33333   99999   00000"},
    {3, 16, &look_logo, "PP   PP LL      EE       XXXX      333 99   99 00   00"},
    {4, 16, &look_logo, "PPPPPP  LL      EEEE      XX     3333  999999 00   00"},
    {5, 16, &look_logo, "PP      LL      EE       XXXX      333     99 00   00"},
    {6, 16, &look_logo, "PP      LLLLLL  EEEEEE  XX  XX  33333  99999   00000"},
    {8, 22, &look_frame, "A PARALLEL SYSPLEX ON ONE MACHINE"},
    {15, 18, &look_label, "ENTER YOUR USER ID AND PASSWORD"},
    {17, 18, &look_label, "USERID    ===>"},
    {18, 18, &look_label, "PASSWORD  ===>"},
    {23, 1, &look_frame, "ENTER LOGON    PF3 END"},
};

void panel_draw_logon(struct panel *p, struct ds_writer *w) {
    const struct app_env *env = p->host->env;
    char text[80], peer[40];
    ds_command(w, DS_ERASE_WRITE, p->message[0] ? DS_WCC_RESTORE_RESET | DS_WCC_ALARM : DS_WCC_RESTORE_RESET);
    for (u32 i = 0; i < ARRAY_LEN(logon_texts); i++)
        put_at(w, logon_texts[i].row, logon_texts[i].col, 80, logon_texts[i].look, logon_texts[i].text);
    str_fmt(text, sizeof text, "SYSTEM %-8s   TCP/IP %-8s   SERVER %-8s", env->sysname, env->stackname, p->host->jobname);
    put_at(w, 11, 16, 80, &look_title, text);
    str_fmt(text, sizeof text, "LU     %-8s   DEVICE %-16s", p->tn->lu, p->tn->device);
    put_at(w, 12, 16, 80, &look_text, text);
    str_fmt(text, sizeof text, "%s %s", p->tn->enhanced ? "TN3270E" : "TN3270",
            tn3270e_function_names(p->tn->functions, peer, sizeof peer));
    put_at(w, 13, 16, 80, &look_text, text);
    ds_sba(w, PANEL_USERID_ADDRESS - 1);
    ds_field(w, &look_input);
    ds_cursor(w);
    ds_sba(w, PANEL_USERID_ADDRESS + LOGON_NAME_MAX);
    ds_field(w, &look_frame);
    ds_sba(w, PANEL_PASSWORD_ADDRESS - 1);
    ds_field(w, &look_secret);
    ds_sba(w, PANEL_PASSWORD_ADDRESS + LOGON_NAME_MAX);
    ds_field(w, &look_frame);
    put_at(w, 21, 1, 80, &look_bad, p->message);
}

static const char *const help[] = {
    "THE COMMAND LINE TAKES",
    "   A NUMBER OR NAME OF THE MENU        SHOWS THAT VIEW",
    "   AUTO SECONDS, AUTO OFF              REFRESHES THE VIEW BY ITSELF",
    "   LOGOFF                              ENDS THE SESSION",
    "   ANY COMMAND OF THE OPERATOR         CARRIES IT OUT AND SHOWS ITS ANSWER",
    "",
    "KEYS, THE SAME WITH PF13 TO PF24",
    "   PF1  THIS HELP                      PF7  UP",
    "   PF2  MENU                           PF8  DOWN",
    "   PF3  END: OF THE VIEW, THEN LOGOFF  PF9  CONNECTIONS",
    "   PF4  LOG OF MESSAGES                PF10 LEFT",
    "   PF5  REFRESH, AS ENTER              PF11 RIGHT",
    "   PF6  AUTO ON, OFF                   PF12 LAST COMMAND AGAIN",
    "   CLEAR, PA1 AND ATTN DRAW THE SCREEN AGAIN; SYSREQ, THEN LOGOFF ENDS THE SESSION",
};

/* The i-th line of what the view shows, NULL past its end. text: room for a line that is made up. */
static const char *line_at(const struct panel *p, u32 i, char text[PANEL_COLS + 1]) {
    const struct panel_host *h = p->host;
    if (p->view == PANEL_MENU) {
        const struct panel_view *v = panel_view_at(i + PANEL_FIRST_LISTED);
        if (!v) return NULL;
        str_fmt(text, PANEL_COLS + 1, "%4u  %-10s %s", i + 1, v->name, v->title);
        return text;
    }
    if (p->view == PANEL_HELP) return i < ARRAY_LEN(help) ? help[i] : NULL;
    if (p->view == PANEL_LOGVIEW) {
        if (i >= h->log_count) return NULL;
        u32 at = h->log_next + PANEL_LOG - h->log_count + i;
        return h->log[at % PANEL_LOG].text;
    }
    return i < h->page_lines && h->page_of == p ? h->page[i].text : NULL;
}

static u32 lines_of(const struct panel *p) {
    char text[PANEL_COLS + 1];
    u32 n = 0;
    if (p->view == PANEL_LOGVIEW) return p->host->log_count;
    if (p->view >= PANEL_TYPED_VIEW) return p->host->page_of == p ? p->host->page_lines : 0;
    while (line_at(p, n, text)) n++;
    return n;
}

static void draw_lines(struct panel *p, struct ds_writer *w, u32 cols) {
    u32 room = panel_room(p);
    /* Scrolled past the end, or the answer became shorter: the last page. The log stays at its end by itself. */
    p->lines = lines_of(p);
    u32 last = p->lines > room ? p->lines - room : 0;
    p->top = u32_min(p->top, last);
    for (u32 i = 0; i < room; i++) {
        char text[PANEL_COLS + 1];
        const char *line = line_at(p, p->top + i, text);
        const struct ds_look *look = line ? panel_line_look(line) : &look_text;
        if (p->view == PANEL_MENU || p->view == PANEL_HELP) look = &look_text;
        if (line && p->left) line += u32_min(p->left, (u32)strlen(line));
        put_line(w, 3 + i, cols, look, line ? line : "");
    }
}

static void draw_position(const struct panel *p, struct ds_writer *w, u32 row, u32 cols) {
    char text[PANEL_COLS + 1], every[24] = "AUTO OFF";
    u32 room = panel_room(p), end = u32_min(p->top + room, p->lines);
    if (p->auto_usec) str_fmt(every, sizeof every, "AUTO %u", p->auto_usec / USEC_PER_SEC);
    str_fmt(text, sizeof text, "LINE %u TO %u OF %u   COLUMN %u   %s   USER %s   LU %s", p->lines ? p->top + 1 : 0, end, p->lines,
            p->left + 1, every, p->user ? p->user->name : "", p->tn->lu);
    put_line(w, row, cols, &look_label, text);
}

void panel_draw_view(struct panel *p, struct ds_writer *w, bool whole, u64 now) {
    const struct app_env *env = p->host->env;
    u32 rows = p->tn->terminal.rows, cols = p->tn->terminal.cols;
    u32 up = (u32)((now - env->ipl_time) >> 20); /* 1.05 s each: no division of 64 bits */
    char text[PANEL_COLS + 1];
    up += (u32)((u64)up * 50936 >> 20);
    u8 wcc = whole ? DS_WCC_RESTORE_RESET : DS_WCC_NOTHING;
    ds_command(w, whole ? DS_ERASE_WRITE_ALTERNATE : DS_WRITE, p->message[0] && whole ? wcc | DS_WCC_ALARM : wcc);
    str_fmt(text, sizeof text, "%-28s SYSTEM %-8s STACK %-8s UP %02u:%02u:%02u", p->view == PANEL_TYPED_VIEW ? p->command : views[p->view].title,
            env->sysname, env->stackname, up / 3600, up / 60 % 60, up % 60);
    put_line(w, 0, cols, &look_title, text);
    if (whole) {
        put_at(w, 1, 0, cols, &look_label, "COMMAND ===>");
        ds_sba(w, PANEL_COMMAND_ADDRESS(cols) - 1);
        ds_field(w, &look_input);
        ds_text(w, p->typed, (u32)strlen(p->typed));
        ds_sba(w, PANEL_COMMAND_ADDRESS(cols));
        ds_cursor(w);
    }
    put_line(w, 2, cols, &look_message, p->message);
    draw_lines(p, w, cols);
    draw_position(p, w, rows - 2, cols);
    put_line(w, rows - 1, cols, &look_frame,
             "1=HELP 2=MENU 3=END 4=LOG 5=REFRESH 6=AUTO 7=UP 8=DOWN 9=CONN 10=LEFT 11=RIGHT");
}
