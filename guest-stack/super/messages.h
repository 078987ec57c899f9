/* messages.h - the catalogue of messages that super says: one entry each in messages.def.
 *
 * Each entry becomes a constant format string that begins with its id, so that a call reads
 *     console_message(con, EZZ0300I, "PROFILE", name);
 * and the compiler checks the arguments. message_at() walks the catalogue; docs/MESSAGES.md is printed from
 * it.
 *
 * Ids of OS/390 are used where its message is known and means the same; ours begin with PLX. The last letter:
 *   I information   W warning   E error: something asked for was not done   A action by the operator needed
 */
#ifndef SUPER_MESSAGES_H
#define SUPER_MESSAGES_H

#include "base/base.h"

#define MSG(id, text, explanation) static const char id[] __attribute__((unused)) = #id " " text;
#include "super/messages.def"
#undef MSG

struct message {
    const char *id, *text, *explanation; /* text begins with the id; %-conversions stand for what varies */
};
/* The i-th message in the order of the catalogue, NULL past the end. */
const struct message *message_at(u32 i);
/* "%s", "%04X" ... of a text replaced by "..." for people; returns out. */
const char *message_template(const char *text, char *out, size_t cap);

#endif
