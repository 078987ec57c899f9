/* command.h - the operator's commands: a table of verbs, each answered by lines through a struct reply.
 *
 * command_run() takes one line as typed (symbols are resolved first, lower case is folded outside quotes) and
 * answers through reply; what takes time (PING, START) answers at once and reports with messages later.
 * An unknown verb is answered IEE305I, a wrong operand IEE309I or the subsystem's own message.
 */
#ifndef SUPER_COMMAND_H
#define SUPER_COMMAND_H

#include "base/base.h"
#include "super/console.h"

struct system;

/* false if the command was refused (a message says why). */
bool command_run(struct system *sys, const char *text, const struct reply *reply, u64 now);

#endif
