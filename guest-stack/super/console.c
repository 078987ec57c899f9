/* console.c - messages to every sink, operator lines to the command processor. See console.h. */
#include "super/console.h"

#include "base/str.h"

#include <stdarg.h>

static void console_line(struct console *con, const char *text) {
    con->lines++;
    /* A sink may take itself off the list while it is called. */
    LIST_FOR_EACH_SAFE(it, next, &con->sinks) {
        struct console_sink *sink = LIST_ENTRY(it, struct console_sink, node);
        sink->line(sink->ctx, text);
    }
}

static void console_reply_line(void *ctx, const char *text) { console_line(ctx, text); }

void console_init(struct console *con) {
    *con = (struct console){.reply = {.line = console_reply_line, .ctx = con}};
    list_init(&con->sinks);
    list_init(&con->requests);
}

void console_attach(struct console *con, struct console_sink *sink) { list_push_back(&con->sinks, &sink->node); }

void console_detach(struct console_sink *sink) { list_del(&sink->node); }

void console_on_command(struct console *con,
                        void (*command)(void *ctx, const char *line, const struct reply *r, u64 now), void *ctx) {
    con->command = command;
    con->command_ctx = ctx;
}

void console_input(struct console *con, const char *line, u64 now) {
    con->inputs++;
    if (con->command) con->command(con->command_ctx, line, &con->reply, now);
}

void console_message(struct console *con, const char *fmt, ...) {
    char text[CONSOLE_LINE_MAX + 2];
    va_list ap;
    va_start(ap, fmt);
    u32 len = str_vfmt(text, sizeof text, fmt, ap);
    va_end(ap);
    if (len > CONSOLE_LINE_MAX) {
        text[CONSOLE_LINE_MAX] = 0;
        con->truncated++;
    }
    console_line(con, text);
}

void console_aside(struct console *con, const char *token, const char *text) {
    char line[CONSOLE_LINE_MAX + 1];
    str_fmt(line, sizeof line, "%s %s", token, text);
    LIST_FOR_EACH_SAFE(it, next, &con->sinks) {
        struct console_sink *sink = LIST_ENTRY(it, struct console_sink, node);
        if (sink->asides) sink->line(sink->ctx, line);
    }
}

void reply_line(const struct reply *r, const char *fmt, ...) {
    char text[CONSOLE_LINE_MAX + 1];
    va_list ap;
    va_start(ap, fmt);
    str_vfmt(text, sizeof text, fmt, ap);
    va_end(ap);
    r->line(r->ctx, text);
}

/* ---- commands of a program's users ---- */

int console_submit(struct console *con, struct console_request *req, const char *line) {
    if (list_is_in(&req->node) || con->running == req) return -ERR_BUSY;
    str_copy(req->line, sizeof req->line, line);
    list_push_back(&con->requests, &req->node);
    return 0;
}

void console_cancel(struct console *con, struct console_request *req) {
    list_del(&req->node);
    if (con->running == req) con->running = NULL;
}

/* The command may end the program whose request runs: every line asks again whether someone listens. */
static void request_line(void *ctx, const char *text) {
    struct console *con = ctx;
    if (con->running) con->running->reply.line(con->running->reply.ctx, text);
}

bool console_poll(struct console *con, u64 now) {
    struct reply to_user = {.line = request_line, .ctx = con};
    struct list batch;
    list_init(&batch);
    while (!list_empty(&con->requests)) list_push_back(&batch, list_pop_front(&con->requests));
    for (struct list *n; (n = list_pop_front(&batch));) {
        struct console_request *req = LIST_ENTRY(n, struct console_request, node);
        char line[CONSOLE_COMMAND_MAX + 1];
        str_copy(line, sizeof line, req->line); /* the request's storage may go while it is carried out */
        con->running = req;
        con->inputs += line[0] != '\0';
        if (con->command && line[0]) con->command(con->command_ctx, line, &to_user, now);
        if (con->running != req) continue;
        con->running = NULL;
        if (req->done) req->done(req->reply.ctx, now);
    }
    return !list_empty(&con->requests);
}
