/* ask.h - a command at a guest's console, and its answer, as a program gives it.
 *
 * An integrated console loses what is typed while it is written to. So each command goes out as "#token command" (the guest's
 * super/command.c), again every half second, until PLX0310I token stands in the emulator's log: the end of its answer. The guest
 * carries a token out once.
 *
 *   ask_operator   the answer is the operator's to see; other messages may stand between its lines
 *   ask_begin/end  a token with '?' at its front: the answer comes as asides, "?token line", which nobody but us sees. Several
 *                  systems may be asked at once (begin all, then end all), each for one thing at a time.
 */
#ifndef LAB_ASK_H
#define LAB_ASK_H

#include "lab/emul.h"

struct ask {
    const char *dir, *system;
    long from; /* where its log ended before the question */
    long long begun, repeat_at;
    char line[192], token[32];
};

/* Enters the command until mark, of at least 64 bytes, stands in the log at or behind from. false after a message. */
bool ask_operator(const char *dir, const char *system, const char *command, long from, char *mark, size_t cap);

/* false: it does not run. */
bool ask_begin(struct ask *a, const char *dir, const char *system, const char *command);
/* The lines of the answer, each with its newline; false when they were not whole within ms of the question. */
bool ask_end(struct ask *a, int ms, char *out, size_t cap);

/* How fast its processors are, as Hercules 3.13 writes it into its log of itself; negative: this emulator does not. */
double ask_mips(const char *dir, const char *system);
/* Instructions that an emulator's processors have executed since it was started, by its own count (ipending, which only on
 * SDL-Hyperion prints nothing that looks like a guest's line); 0: it did not say. ask_count() enters the question,
 * ask_counted() reads the answer that came since. */
bool ask_count(struct ask *a, const char *dir, const char *system);
unsigned long long ask_counted(const struct ask *a);

#endif
