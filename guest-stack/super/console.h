/* console.h - the operator console as programs and commands see it: messages out, command answers back.
 *
 * console_message() writes one message (WTO). A multi-line answer is a struct reply: reply_line() for each
 * line, and the command processor ends it; the sink decides where it goes (console, telnet, a test).
 */
#ifndef SUPER_CONSOLE_H
#define SUPER_CONSOLE_H

#include "base/base.h"

struct reply {
    void (*line)(void *ctx, const char *text);
    void *ctx;
};
void reply_line(const struct reply *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct console;
void console_message(struct console *con, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
