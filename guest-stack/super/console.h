/* console.h - the operator console as programs and commands see it: messages out, command answers back.
 *
 * console_message() writes one message (WTO) to every attached sink: the 3215s, a test, a log. A multi-line answer
 * is a struct reply: reply_line() for each line, and the command processor ends it; the sink decides where it goes.
 * A line is at most CONSOLE_LINE_MAX bytes; the rest of a longer one is cut and counted.
 *
 * console_input() is what a console device calls with a line that the operator entered; it is given to the
 * command function, whose answers go to all sinks.
 */
#ifndef SUPER_CONSOLE_H
#define SUPER_CONSOLE_H

#include "base/base.h"
#include "base/list.h"

#define CONSOLE_LINE_MAX 160

struct reply {
    void (*line)(void *ctx, const char *text);
    void *ctx;
};
void reply_line(const struct reply *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Where lines go. line() must not wait; what it cannot take it counts. */
struct console_sink {
    struct list node;
    void (*line)(void *ctx, const char *text);
    void *ctx;
};

struct console {
    struct list sinks;
    void (*command)(void *ctx, const char *line, const struct reply *r, u64 now);
    void *command_ctx;
    struct reply reply; /* answers go to all sinks */
    u32 lines, truncated, inputs;
};

void console_init(struct console *con);
void console_attach(struct console *con, struct console_sink *sink);
void console_detach(struct console_sink *sink);
void console_on_command(struct console *con,
                        void (*command)(void *ctx, const char *line, const struct reply *r, u64 now), void *ctx);
void console_input(struct console *con, const char *line, u64 now);
void console_message(struct console *con, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
