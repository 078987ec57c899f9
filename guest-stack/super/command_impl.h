/* command_impl.h - a command that was read, as the files of the command processor hand it on.
 *
 * text is the line as typed, symbols resolved, folded outside quotes. rest is what follows the verb. op[] are
 * the operands of rest, cut at commas outside quotes and parentheses; they end at the first blank, as in MVS.
 */
#ifndef SUPER_COMMAND_IMPL_H
#define SUPER_COMMAND_IMPL_H

#include "base/base.h"
#include "super/console.h"
#include "super/system.h"

struct tcpip;

#define COMMAND_OPERANDS_MAX 16

struct command {
    struct system *sys;
    const struct reply *r;
    u64 now;
    char text[SYSTEM_COMMAND_MAX + 1];
    char cut[SYSTEM_COMMAND_MAX + 1]; /* op[] point here */
    const char *verb_name;            /* in full: DISPLAY */
    const char *rest;
    const char *op[COMMAND_OPERANDS_MAX];
    u32 ops;
};

/* The i-th operand, "" if there is none. */
const char *command_op(const struct command *c, u32 i);
/* The stack that operand i names (empty: the only one); NULL after a message. */
struct tcpip *command_stack(struct command *c, const char *name);
/* "KEY=value": value, or NULL. spec as in keyword_matches(). */
const char *command_value(const char *operand, const char *spec);
/* PLX0301E; always false. */
bool command_expected(struct command *c, const char *token, const char *what);

bool command_display(struct command *c);
bool command_vary(struct command *c);
bool command_start(struct command *c);
bool command_stop(struct command *c);
bool command_cancel(struct command *c);
bool command_modify(struct command *c);
bool command_halt(struct command *c);
bool command_ping(struct command *c);
bool command_moddvipa(struct command *c); /* dvipa_cmd.c */
bool command_tracerte(struct command *c);
bool command_ezacfsm1(struct command *c);
bool command_reply(struct command *c);
bool command_setxcf(struct command *c);
/* D XCF, D CF, D R and V XCF, reached through DISPLAY and VARY. */
bool command_display_xcf(struct command *c);
bool command_display_cf(struct command *c);
bool command_display_requests(struct command *c);
bool command_vary_xcf(struct command *c);

#endif
