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
/* D A,jobname: the stacks and programs of this name; false: there is none (said). */
bool display_job(struct system *sys, const char *jobname, const struct reply *r);
void display_symbols(struct system *sys, const struct reply *r);
void display_iplinfo(struct system *sys, const struct reply *r);
void display_stacks(struct system *sys, const struct reply *r);
/* Local time now as hh.mm.ss, and the number of a multi-line answer. */
const char *display_clock(const struct system *sys, char out[9]);
u32 display_number(struct system *sys);
/* Local "mm/dd/yyyy hh:mm:ss" of a moment of the system's clock, now being the moment at which it is asked. */
const char *display_moment(const struct system *sys, u64 when, u64 now, char out[20]);
void display_requests(struct system *sys, const struct reply *r);
/* IEF403I and IEF404I with the time of day. */
void display_started(struct system *sys, const char *jobname);
void display_ended(struct system *sys, const char *jobname);

#endif
