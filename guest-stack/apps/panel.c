/* panel.c - a session's way through its screens: keys, command line, refresh, logon. See panel.h. */
#include "apps/panel.h"

#include "apps/app.h"
#include "base/str.h"

/* ---- what a server's sessions share ---- */
static void log_line(void *ctx, const char *text) {
    struct panel_host *h = ctx;
    str_copy(h->log[h->log_next].text, sizeof h->log[0].text, text);
    h->log_next = (h->log_next + 1) % PANEL_LOG;
    if (h->log_count < PANEL_LOG) h->log_count++;
}

void panel_host_init(struct panel_host *h, struct app_env *env, const char *jobname,
                     void (*wrote)(struct panel *p, u64 now)) {
    h->env = env;
    h->wrote = wrote;
    h->jobname = jobname;
    h->sink = (struct console_sink){.line = log_line, .ctx = h};
    console_attach(env->con, &h->sink);
    logon_read(&h->users, env, jobname);
}

void panel_host_end(struct panel_host *h) { console_detach(&h->sink); }

/* ---- writing ---- */
static void want(struct panel *p, bool whole) {
    p->dirty = true;
    p->whole |= whole;
}

static void message(struct panel *p, const char *text) { str_copy(p->message, sizeof p->message, text); }

static void write_screen(struct panel *p, u64 now) {
    struct panel_host *h = p->host;
    struct ds_writer w;
    u32 cells = p->screen == PANEL_LOGON ? 24u * 80 : (u32)p->tn->terminal.rows * p->tn->terminal.cols;
    ds_begin(&w, h->scratch, sizeof h->scratch, cells, p->tn->terminal.extended);
    if (p->screen == PANEL_LOGON)
        panel_draw_logon(p, &w);
    else
        panel_draw_view(p, &w, p->whole, now);
    /* A display so large that even this does not hold it is not ours to serve. */
    if (w.full || !tn3270_write(p->tn, h->scratch, ds_length(&w), !p->whole, now)) {
        p->over = true;
        return;
    }
    h->refreshes++;
    p->dirty = p->whole = false;
}

/* ---- answers ---- */
static void answer_line(void *ctx, const char *text) {
    struct panel *p = ctx;
    struct panel_host *h = p->host;
    if (h->page_of != p) {
        h->page_of = p;
        h->page_lines = 0;
    }
    if (h->page_lines == PANEL_LINES)
        h->lines_lost++;
    else
        str_copy(h->page[h->page_lines++].text, sizeof h->page[0].text, text);
}

static void answer_done(void *ctx, u64 now) {
    struct panel *p = ctx;
    struct panel_host *h = p->host;
    p->waiting = false;
    if (h->page_of != p) {
        h->page_of = p;
        h->page_lines = 0;
    }
    if (tn3270_may_write(p->tn)) write_screen(p, now);
    /* The page is the next one's; if the display was not ready the command is asked again when it is. */
    h->page_of = NULL;
    h->wrote(p, now);
}

/* A command that the user typed is carried out once; its answer is a view until he leaves it. */
static void submit(struct panel *p) {
    char line[PANEL_TYPED + 1];
    const struct panel_view *v = panel_view_at(p->view);
    if (p->view == PANEL_TYPED_VIEW)
        str_copy(line, sizeof line, p->command);
    else
        str_fmt(line, sizeof line, v->command, p->host->env->stackname);
    p->waiting = console_submit(p->host->env->con, &p->request, line) == 0;
}

u64 panel_pump(struct panel *p, u64 now) {
    if (p->screen == PANEL_VIEW && p->auto_usec && now >= p->auto_due) {
        p->auto_due = now + p->auto_usec;
        want(p, false);
    }
    if (p->dirty && !p->waiting && tn3270_may_write(p->tn)) {
        if (p->screen == PANEL_VIEW && panel_view_at(p->view)->command)
            submit(p);
        else
            write_screen(p, now);
    }
    return p->screen == PANEL_VIEW && p->auto_usec ? p->auto_due : TIME_NEVER;
}

/* ---- moving between views ---- */
static void show(struct panel *p, u32 view) {
    if (p->view != view) p->top = view == PANEL_LOGVIEW ? UINT32_MAX : 0;
    p->view = (u8)view;
    p->left = 0;
    want(p, true);
}

/* Commands that change something must not be carried out again because a screen is drawn again. */
static bool may_repeat(const char *line) {
    while (*line == ' ' || *line == '/') line++;
    if (*line == 'D' || *line == 'd') {
        static const char rest[] = "ISPLAY";
        u32 i = 0;
        for (line++; rest[i] && (line[i] == rest[i] || line[i] == rest[i] + 32); i++) continue;
        return (i == 0 || !rest[i]) && (line[i] == ' ' || !line[i]);
    }
    return false;
}

static void end_view(struct panel *p) {
    if (p->view == PANEL_MENU)
        p->over = true;
    else
        show(p, PANEL_MENU);
}

static bool starts_with(const char *text, const char *word) {
    for (; *word; text++, word++)
        if (*text != *word && *text != *word + 32) return false;
    return *text == ' ' || !*text;
}

static void set_auto(struct panel *p, const char *text, u64 now) {
    u32 seconds = PANEL_AUTO_SEC;
    while (*text == ' ') text++;
    if (str_eq_ci(text, "OFF")) {
        p->auto_usec = 0;
    } else if (*text && (!str_u32(text, strlen(text), &seconds) || seconds < 1 || seconds > 3600)) {
        message(p, "PLX0421E AUTO TAKES 1 TO 3600 SECONDS, OR OFF");
    } else {
        p->auto_usec = seconds * USEC_PER_SEC;
        p->auto_due = now + p->auto_usec;
    }
    want(p, true);
}

/* The command line: a view, a word of the panel, or a command of the operator. */
static void command_line(struct panel *p, const char *line, u64 now) {
    while (*line == ' ') line++;
    int view = panel_view_find(line);
    if (!*line) {
        if (p->view == PANEL_TYPED_VIEW && !may_repeat(p->command))
            show(p, PANEL_MENU);
        else
            want(p, true);
    } else if (view >= 0) {
        show(p, (u32)view);
    } else if (starts_with(line, "AUTO")) {
        set_auto(p, line + 4, now);
    } else if (starts_with(line, "LOGOFF") || starts_with(line, "END")) {
        p->over = true;
    } else if (!logon_may(p->user, line)) {
        message(p, "PLX0422E YOUR USER ID MAY ENTER DISPLAY COMMANDS ONLY");
        want(p, true);
    } else {
        if (p->auto_usec && !may_repeat(line)) p->auto_usec = 0;
        str_copy(p->command, sizeof p->command, line);
        p->view = PANEL_TYPED_VIEW;
        p->top = p->left = 0;
        want(p, true);
    }
}

static void view_key(struct panel *p, u32 key, u64 now) {
    u32 room = panel_room(p);
    switch (key) {
    case 1: show(p, PANEL_HELP); break;
    case 2: show(p, PANEL_MENU); break;
    case 3: end_view(p); break;
    case 4: show(p, PANEL_LOGVIEW); break;
    case 6: set_auto(p, p->auto_usec ? "OFF" : "", now); break;
    case 7: p->top = p->top > room ? p->top - room : 0; break;
    case 8: p->top = p->top + room < p->lines ? p->top + room : p->top; break;
    case 9: show(p, (u32)panel_view_find("CONN")); break;
    case 10: p->left = p->left > 20 ? p->left - 20 : 0; break;
    case 11: p->left = u32_min(p->left + 20, PANEL_COLS - 20); break;
    case 12: str_copy(p->typed, sizeof p->typed, p->command); break;
    default: break;
    }
    want(p, true);
}

static void view_input(struct panel *p, struct ds_inbound *in, u64 now) {
    u32 address, key = ds_pf_key(in->aid);
    char text[PANEL_TYPED + 1];
    bool typed = p->view == PANEL_TYPED_VIEW;
    p->message[0] = p->typed[0] = '\0';
    if (key) {
        key = key > 12 ? key - 12 : key;
        view_key(p, key, now);
        /* The answer of a command that must not be repeated is gone with the first key that would draw it again. */
        if (typed && p->view == PANEL_TYPED_VIEW && !may_repeat(p->command)) show(p, PANEL_MENU);
        return;
    }
    if (in->aid != DS_AID_ENTER) {
        panel_redraw(p, now);
        return;
    }
    str_copy(text, sizeof text, "");
    while (ds_next_field(in, &address, text, sizeof text))
        if (address == PANEL_COMMAND_ADDRESS(p->tn->terminal.cols)) break;
    command_line(p, text, now);
}

/* ---- logon ---- */
static void logon_input(struct panel *p, struct ds_inbound *in, u64 now) {
    char text[PANEL_TYPED + 1], password[LOGON_NAME_MAX + 1] = "";
    u32 address;
    UNUSED(now);
    want(p, true);
    if (ds_pf_key(in->aid) == 3 || ds_pf_key(in->aid) == 15) p->over = true;
    if (in->aid != DS_AID_ENTER) return;
    p->name[0] = p->message[0] = '\0';
    while (ds_next_field(in, &address, text, sizeof text)) {
        if (address == PANEL_USERID_ADDRESS) str_copy(p->name, sizeof p->name, text);
        if (address == PANEL_PASSWORD_ADDRESS) str_copy(password, sizeof password, text);
    }
    if (!p->name[0]) return;
    p->user = logon_check(&p->host->users, p->name, password);
    if (p->user) {
        p->host->logons++;
        p->screen = PANEL_VIEW;
        show(p, PANEL_MENU);
        return;
    }
    p->host->logon_failures++;
    message(p, "PLX0423E USER ID OR PASSWORD IS NOT RIGHT");
    if (++p->tries == LOGON_TRIES) {
        console_message(p->host->env->con, "PLX0424W %s: %u WRONG PASSWORDS FOR %s FROM %s", p->host->jobname, (u32)LOGON_TRIES,
                        p->name, p->tn->lu);
        p->over = true;
    }
}

/* ---- what the session hears ---- */
void panel_open(struct panel *p, struct panel_host *h, struct tn3270 *tn) {
    memset(p, 0, sizeof *p);
    p->host = h;
    p->tn = tn;
    p->request.reply = (struct reply){.line = answer_line, .ctx = p};
    p->request.done = answer_done;
    list_init(&p->request.node);
}

void panel_close(struct panel *p) {
    if (!p->host) return;
    console_cancel(p->host->env->con, &p->request);
    if (p->host->page_of == p) p->host->page_of = NULL;
}

void panel_ready(struct panel *p, u64 now) {
    p->screen = PANEL_LOGON;
    want(p, true);
    panel_pump(p, now);
}

void panel_input(struct panel *p, struct ds_inbound *in, u64 now) {
    if (p->screen == PANEL_LOGON)
        logon_input(p, in, now);
    else if (p->screen == PANEL_VIEW)
        view_input(p, in, now);
    panel_pump(p, now);
}

void panel_redraw(struct panel *p, u64 now) {
    if (p->view == PANEL_TYPED_VIEW && !may_repeat(p->command)) show(p, PANEL_MENU);
    want(p, true);
    panel_pump(p, now);
}
