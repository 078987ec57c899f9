/* dist_cmd.h - statements, displays and commands of the sysplex distributor:
 *
 *   VIPADISTRIBUTE                                              profile_dist.c
 *   D TCPIP,[proc],Netstat,{VDPT | VCRT}[,DETAIL]               dist_cmd.c
 *   D TCPIP,[proc],Netstat,VIPADCFG: section VIPA DISTRIBUTE
 *   D TCPIP,[proc],SYSplex,PORTS[,IPAddr=a][,MAX=n|*]
 *   V TCPIP,[proc],SYSplex,{QUIesce | RESUME},{TARGET | POrt=n[,JOBNAME=j] | JOBNAME=j}
 */
#ifndef SUPER_DIST_CMD_H
#define SUPER_DIST_CMD_H

#include "base/base.h"
#include "wire/ipaddr.h"

struct command;
struct netstat;
struct profile;
struct tcpip;

bool stmt_vipadistribute(struct profile *p);
void netstat_vdpt(struct netstat *n);
void netstat_vcrt(struct netstat *n);
/* The part of VIPADCFG that shows VIPADISTRIBUTE, of addresses that are deactivated or of the others. */
void netstat_vipadcfg_dist(struct netstat *n, bool deactivated);
/* Ports of SYSPLEXPORTS: of the address `only` (any: of all), at most max records. */
void display_ports(struct command *c, struct tcpip *ip, struct ipaddr only, u32 max);
/* op[]: from behind QUIESCE or RESUME. */
bool vary_quiesce(struct command *c, struct tcpip *ip, const char *const *op, u32 ops, bool resume);

#endif
