/* display.h - the answers of MVS itself: D T, D A,L, D SYMBOLS, D IPLINFO, D TCPIP; STARTED and ENDED messages.
 *
 * Layouts are those of OS/390's console: IEE136I, IEE114I, IEA007I, IEE254I, EZAOP50I.
 */
#ifndef SUPER_DISPLAY_H
#define SUPER_DISPLAY_H

#include "super/console.h"

struct system;

void display_time(struct system *sys, const struct reply *r);
void display_active(struct system *sys, const struct reply *r);
void display_symbols(struct system *sys, const struct reply *r);
void display_iplinfo(struct system *sys, const struct reply *r);
void display_stacks(struct system *sys, const struct reply *r);
/* IEF403I and IEF404I with the time of day. */
void display_started(struct system *sys, const char *jobname);
void display_ended(struct system *sys, const char *jobname);

#endif
