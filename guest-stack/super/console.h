/* console.h - the operator console as programs and commands see it: messages out, command answers back.
 *
 * console_message() writes one message (WTO) to every attached sink: the 3215s, a test, a log. A multi-line answer
 * is a struct reply: reply_line() for each line, and the command processor ends it; the sink decides where it goes.
 * A line is at most CONSOLE_LINE_MAX bytes; the rest of a longer one is cut and counted.
 *
 * console_input() is what a console device calls with a line that the operator entered; it is given to the
 * command function, whose answers go to all sinks.
 *
 * console_submit() is how a program enters a command for one of its users: the answer goes to that user alone. It is
 * carried out by the next console_poll(), outside of every stack and program, so that it may stop the very program
 * that submitted it. A program cancels what is pending before its storage goes; a command that is being carried out
 * then goes on without a listener.
 *
 * console_aside() is a line of an answer that a program outside asked for, at the hardware console, and no person wants to read:
 * "?token text", where token begins with '?' already. Only sinks that such programs read get it.
 */
#ifndef SUPER_CONSOLE_H
#define SUPER_CONSOLE_H

#include "base/base.h"
#include "base/list.h"

#define CONSOLE_LINE_MAX    160
#define CONSOLE_COMMAND_MAX 126 /* as MVS has it */

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
    bool asides; /* programs read here, too */
};

/* A command for one user. Storage of the program; list_init(&node) before its first use. */
struct console_request {
    struct list node; /* in console.requests while it waits */
    struct reply reply;
    void (*done)(void *ctx, u64 now); /* with reply.ctx, after the last line; may be NULL */
    char line[CONSOLE_COMMAND_MAX + 1];
};

struct console {
    struct list sinks, requests;
    struct console_request *running; /* NULL also when the one that runs was cancelled */
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
void console_aside(struct console *con, const char *token, const char *text);
/* reply and done are filled in; an empty line only brings done(): a moment with no stack on the way. -ERR_BUSY: this request is still waiting or running. */
int console_submit(struct console *con, struct console_request *req, const char *line);
/* No line and no done() come any more. Of a request that is not pending: nothing. */
void console_cancel(struct console *con, struct console_request *req);
/* Carries out what was submitted before the call. true: more has been submitted meanwhile. */
bool console_poll(struct console *con, u64 now);

#endif
