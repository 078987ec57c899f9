/* control.h - the control socket of a card or a coupling facility, DIR/NAME.ctl: one line in, one line of answer (a JSON object
 * where it is data, "ok" or "error: why" otherwise).
 */
#ifndef LAB_CONTROL_H
#define LAB_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

/* Sends a command; the answer without its newline goes to out. false: no answer, or "error: ...". */
bool control_ask(const char *dir, const char *name, const char *command, char *out, size_t cap);
/* Waits until a process that was just started answers; false after ms, or when it has ended. */
bool control_wait(const char *dir, const char *name, int ms);

#endif
