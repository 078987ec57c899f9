/* panel.h - what the user of a 3270 sees: the logon screen, then views of the system that scroll and refresh.
 *
 * A view is a row of panel_views (panel_view.c): a name, a title and the operator's command whose answer it shows, so
 * every display of the system is a screen, and a new one costs a line. MENU, HELP and LOG are made here. What the
 * user types that names no view is a command of his own, whose answer is a view, too.
 *
 *   ENTER  carry out the command line, or refresh       PF5   refresh          PA1, CLEAR, ATTN   draw again
 *   PF1 HELP   PF2 MENU   PF3 end (view -> menu -> logoff)   PF4 LOG   PF6 AUTO on and off   PF7 PF8 up, down
 *   PF9 CONN   PF10 PF11 left, right   PF12 the last command again into the command line
 *   command line:  a view's number or name | AUTO seconds|OFF | LOGOFF | any command of the operator
 *
 * Screens: row 0 title, 1 command line, 2 message, 3 .. -3 lines, -2 position, -1 keys; counted from the display's own
 * number of rows, so models 2 to 5 and others show as much as they hold. The logon screen is 24x80 on every model.
 *
 * A refresh that nobody asked for (AUTO) rewrites all but the command line, leaves the cursor and the keyboard alone, and
 * happens only when the display has taken the last one: a user who types is never disturbed.
 *
 * One struct panel_host a server: the page that an answer is collected in, the log, the users. One struct panel a session.
 */
#ifndef APPS_PANEL_H
#define APPS_PANEL_H

#include "apps/logon.h"
#include "apps/tn3270.h"
#include "super/console.h"

#define PANEL_LINES    400u /* of one answer; more are counted */
#define PANEL_COLS     132u
#define PANEL_LOG      200u
#define PANEL_TYPED    CONSOLE_COMMAND_MAX
#define PANEL_AUTO_SEC 5u

struct app_env;
struct panel;

struct panel_line {
    char text[PANEL_COLS + 1];
};

struct panel_host {
    struct app_env *env;
    const char *jobname;
    void (*wrote)(struct panel *p, u64 now); /* a screen is in tn.out and nobody who would send it is on the way */
    struct logon_users users;
    struct console_sink sink;
    const struct panel *page_of; /* whose answer the page holds */
    u32 page_lines, lines_lost;
    u32 log_next, log_count;
    u32 logons, logon_failures, refreshes;
    struct panel_line page[PANEL_LINES], log[PANEL_LOG];
    u8 scratch[TN3270_OUT_MAX];
};

enum panel_screen { PANEL_NONE, PANEL_LOGON, PANEL_VIEW };

struct panel {
    struct tn3270 *tn;
    struct panel_host *host;
    const struct logon_user *user; /* NULL: not logged on */
    struct console_request request;
    u8 screen, view;
    bool dirty;     /* what is shown is not what should be */
    bool whole;     /* the next writing begins with an erase */
    bool waiting;   /* the request is out */
    bool over;      /* the session is to end */
    u8 tries;
    u32 top, left, lines; /* first line and column shown; lines of the last answer */
    u32 auto_usec;
    u64 auto_due;
    char name[LOGON_NAME_MAX + 1];
    char message[PANEL_COLS + 1];
    char typed[PANEL_TYPED + 1], command[PANEL_TYPED + 1]; /* of the command line; of the view that shows its answer */
};

void panel_host_init(struct panel_host *h, struct app_env *env, const char *jobname,
                     void (*wrote)(struct panel *p, u64 now));
void panel_host_end(struct panel_host *h);

void panel_open(struct panel *p, struct panel_host *h, struct tn3270 *tn);
void panel_close(struct panel *p);
void panel_ready(struct panel *p, u64 now);
void panel_input(struct panel *p, struct ds_inbound *in, u64 now);
void panel_redraw(struct panel *p, u64 now);
/* After output was taken, and when time has passed: writes what is due. Returns when it wants to be called by itself. */
u64 panel_pump(struct panel *p, u64 now);

/* ---- panel_view.c ---- */
struct panel_view {
    const char *name, *title;
    const char *command; /* "%s" stands for the stack's name; NULL: made by the panel */
};
enum { PANEL_MENU, PANEL_HELP, PANEL_LOGVIEW, PANEL_TYPED_VIEW, PANEL_FIRST_LISTED };
const struct panel_view *panel_view_at(u32 i); /* NULL past the end */
/* By number as the menu shows it, or by name (three letters at least); -ERR_NOENT. */
int panel_view_find(const char *word);
/* The look of one line of an answer. */
const struct ds_look *panel_line_look(const char *text);
/* Writes the whole screen, or all but the command line. rows x cols is the display's. */
void panel_draw_logon(struct panel *p, struct ds_writer *w);
void panel_draw_view(struct panel *p, struct ds_writer *w, bool whole, u64 now);
/* Lines of an answer that fit on this display. */
u32 panel_room(const struct panel *p);

#define PANEL_COMMAND_ADDRESS(cols)  ((u32)(cols) + 14)
#define PANEL_USERID_ADDRESS         (17u * 80 + 35)
#define PANEL_PASSWORD_ADDRESS       (18u * 80 + 35)

#endif
