/* pagent.h - PAGENT, the Service Policy Agent: a program of the stack that reads rules and gives them to the distributor.
 *
 *   S PAGENT[,PARM='CONFIG=dsn(member)']   reads stack.TCPPARMS(PAGENT); super/pagentcf.h has its language
 *   F PAGENT,REFRESH                       reads it again; with an error in it the policies in force stay
 *   F PAGENT,QUERY                         what is in force
 *   P PAGENT                               the distributor goes on without policies
 *   D TCPIP,,NETSTAT,SLAP                  rules, their actions and how often they were chosen
 *
 * At the routing stack it answers for each new connection which targets may take it; at a target it samples what connections
 * lose, and the fraction travels with the stack's next report to the others (sysplex/dist_wlm.c). So it runs on every stack that
 * has a part; a backup that should go on with the same rules reads the same member.
 *
 * It touches the distributor, the console and data sets; rules and fractions are sysplex/policy.h.
 */
#ifndef SUPER_PAGENT_H
#define SUPER_PAGENT_H

#include "apps/app.h"
#include "sysplex/policy.h"

struct netstat;
struct tcpip;

extern const struct app pagent_app;

/* The policies in force; NULL: no PAGENT runs for the stack. */
const struct policy *pagent_policy(const struct tcpip *ip);
void netstat_slap(struct netstat *n);

#endif
