/* armas.h - the Automatic Restart Manager of this image: joins xcf/arm.h to the operator's START, to programs and to PARMLIB.
 *
 *   S HTTPD,ARMELEM=EZAHTTPD      the program is an element: registered before it starts, READY when it has started, no element any
 *                                 more when it has ended. When this system dies, the policy's target enters the same command.
 *   C HTTPD,ARMRESTART          ends the program as its failure would: it is started again here, at once. C HTTPD alone ends the element
 *   SETXCF START,POLICY,TYPE=ARM,POLNAME=name      D XCF,ARMSTATUS
 *
 * A START that ARM cannot judge yet (the other systems are not known, or one of them is restarting the element), or whose program
 * cannot have its address yet (a dynamic VIPA while the stack is no member of the sysplex), waits and is tried again each second; one whose element lives elsewhere is refused, so COMMNDxx may start the same server on every system.
 *
 * Order: armas_create() after xcfas_start(); armas_poll() from system_poll(). Touches the console, programs through START, PARMLIB.
 */
#ifndef SUPER_ARMAS_H
#define SUPER_ARMAS_H

#include "xcf/arm.h"

struct system;
struct command;
struct armas;

#define ARMAS_WAITING_MAX 8 /* STARTs that wait */

/* Hangs itself into sys->armas; without storage, or without XCF, there is no ARM, and STARTs with ARMELEM= are refused. */
void armas_create(struct system *sys, u64 now);
u64 armas_poll(struct system *sys, u64 now);
struct arm *armas_arm(const struct system *sys); /* NULL: none */

/* Asks whether the element of a START may be started here: 0 yes, and it is registered; -ERR_AGAIN the command waits; another: refused,
 * a message says why. */
int armas_register(struct command *c, const char *element, const char *job);
/* The program cannot start yet: its START waits. false: there is no place to wait. */
bool armas_later(struct command *c);
/* The program has been cancelled. restart: as if it had failed. */
void armas_cancelled(struct system *sys, const char *job, bool restart, u64 now);
/* The START has succeeded or failed. */
void armas_started(struct command *c, const char *element, bool good);

/* D XCF,ARMSTATUS[,DETAIL|ELEMENT=name] and SETXCF START/STOP,POLICY,TYPE=ARM. */
bool armas_display(struct command *c);
bool armas_policy_start(struct command *c, const char *name);
bool armas_policy_stop(struct command *c);
const char *armas_policy_name(const struct system *sys); /* "" none */

#endif
