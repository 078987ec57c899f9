/* autolog.h - the AUTOLOG list: programs that start with the stack and are kept alive while it runs.
 *
 *   AUTOLOG [wait] { proc [JOBNAME job] [PARMSTRING 'text'] }... ENDAUTOLOG
 *
 * At stack start each is started (one that runs is cancelled first). Every 5 minutes each entry with PORT
 * rows of its job name that are not NOAUTOLOG must have a TCP listener or UDP socket on each of those ports;
 * if one is missing the program is cancelled if alive and started again. An entry without PORT rows is not
 * watched.
 *
 * A program whose address is a dynamic VIPA cannot bind before the stack has joined the sysplex: its start says -ERR_AGAIN, and
 * is tried again as soon as the stack has, then each second, until it says something else (DELAYSTART DVIPA of later releases, without
 * being asked for). The others serve before the stack owns a dynamic VIPA, and no take-back finds them missing or ends their connections.
 */
#ifndef SUPER_AUTOLOG_H
#define SUPER_AUTOLOG_H

#include "base/base.h"

struct tcpip;

#define AUTOLOG_MAX          16
#define AUTOLOG_PARM_MAX     80
#define AUTOLOG_WAIT_MINUTES 5
#define AUTOLOG_MONITOR_US   (5u * 60u * USEC_PER_SEC)
#define AUTOLOG_RETRY_US     USEC_PER_SEC

struct autolog_entry {
    char proc[9], jobname[9];
    char parm[AUTOLOG_PARM_MAX + 1];
    bool waits; /* its start is to be tried again */
};

struct autolog {
    u32 count, wait_minutes;
    struct autolog_entry entry[AUTOLOG_MAX];
    u64 next_check; /* TIME_NEVER while the list is empty */
    u64 next_retry; /* of the entries that wait */
    u32 restarts;
};

void autolog_clear(struct autolog *a);
/* -ERR_NOMEM when full, -ERR_EXIST for a job name that is in the list. */
int autolog_add(struct autolog *a, const struct autolog_entry *e);
void autolog_start(struct tcpip *ip, u64 now);
/* The sysplex has this stack's addresses now: what waits for one is tried again at once. */
void autolog_ready(struct tcpip *ip, u64 now);
/* After an OBEYFILE replaced the list: starts what is not active, leaves alone what is. */
void autolog_refresh(struct tcpip *ip, u64 now);
u64 autolog_poll(struct tcpip *ip, u64 now); /* nothing to do while the stack starts */

#endif
