/* logon.h - who may use the operator's servers: TCPIP.TCPPARMS(USERS), and the rule of three tries.
 *
 *   record of USERS    userid password OPERATOR|READ        ';' or '*' in column 1: comment; 1-8 characters each
 *
 * OPERATOR enters any command, READ only DISPLAY. Without the member there is IBMUSER with SYS1, as on any new system,
 * and PLX0411W says so. Names and passwords have no case. A lab's guard against mistakes: over Telnet a password is in clear.
 *
 * A session has LOGON_TRIES; a wrong answer counts whether the user exists or not, and the text does not tell which.
 */
#ifndef APPS_LOGON_H
#define APPS_LOGON_H

#include "base/base.h"

struct app_env;

#define LOGON_USERS_MAX 16
#define LOGON_NAME_MAX  8
#define LOGON_TRIES     3
#define LOGON_WAIT_USEC (120u * USEC_PER_SEC) /* for the answer to a logon screen */

struct logon_user {
    char name[LOGON_NAME_MAX + 1], password[LOGON_NAME_MAX + 1];
    bool may_command;
};
struct logon_users {
    u32 count, bad_records;
    struct logon_user user[LOGON_USERS_MAX];
};

/* Reads the member again; messages say what is wrong with it. */
void logon_read(struct logon_users *u, struct app_env *env, const char *jobname);
/* By name alone, for a session that is open while the member is read again. */
const struct logon_user *logon_find(const struct logon_users *u, const char *name);
/* NULL: no such user, or another password. */
const struct logon_user *logon_check(const struct logon_users *u, const char *name, const char *password);
/* May this user enter this line? */
bool logon_may(const struct logon_user *who, const char *line);

#endif
