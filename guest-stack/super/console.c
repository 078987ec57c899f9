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

void reply_line(const struct reply *r, const char *fmt, ...) {
    char text[CONSOLE_LINE_MAX + 1];
    va_list ap;
    va_start(ap, fmt);
    str_vfmt(text, sizeof text, fmt, ap);
    va_end(ap);
    r->line(r->ctx, text);
}
