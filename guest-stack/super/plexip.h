/* plexip.h - a started TCPIP procedure as a member of the sysplex: struct sysplex and the distributor of one stack.
 *
 *   plexip_create()   before stack_create(): storage; the driver of dynamic XCF links in ip->drivers
 *   plexip_attach()   after it: the stack's hooks
 *   plexip_join()     after the profile has been read: joins EZBTCPCS as soon as XCF lets it
 *   plexip_poll()     from tcpip_poll(), before stack_poll()
 *   plexip_stop()     before stack_stop(): DVIPAs are given up, the group is left
 *
 * An image without XCF (xcfas_xcf() is NULL: unit tests) has none of it: ip->sx is NULL, and statements and commands of the
 * sysplex are refused with PLX0503E.
 */
#ifndef SUPER_PLEXIP_H
#define SUPER_PLEXIP_H

#include "base/base.h"

struct command;
struct netstat;
struct profile;
struct stack_config;
struct system;
struct tcpip;

/* Storage beside that of the stack; 0 without XCF. Also says in cfg how many DVIPAs the stack must hold. */
size_t plexip_bytes(const struct system *sys, struct stack_config *cfg);
size_t plexip_bytes_max(struct stack_config *cfg); /* the same for a system with XCF */
/* false: the arena is too small. */
bool plexip_create(struct tcpip *ip, u64 now);
void plexip_attach(struct tcpip *ip, u64 now);
void plexip_join(struct tcpip *ip, u64 now);
u64 plexip_poll(struct tcpip *ip, u64 now);
u64 plexip_due(const struct tcpip *ip); /* sysplex_due() */
void plexip_stop(struct tcpip *ip, u64 now);
/* Programs whose addresses may be dynamic VIPAs should wait: DVIPAs are configured, and the group has not told all. */
bool plexip_pending(const struct tcpip *ip, u64 now);

/* ---- statements (profile_dvipa.c) ---- */
bool stmt_vipadynamic(struct profile *p);
bool stmt_sysplexmonitor(struct profile *p); /* of GLOBALCONFIG, from behind SYSPLEXMONITOR */

/* ---- displays and commands (dvipa_cmd.c) ---- */
void netstat_vipadyn(struct netstat *n);
void netstat_vipadcfg(struct netstat *n);
void netstat_config_sysplex(struct netstat *n); /* lines of NETSTAT CONFIG */
/* D TCPIP,proc,SYSplex,...: op[] from behind SYSPLEX. */
bool display_sysplex(struct command *c, struct tcpip *ip, const char *const *op, u32 ops);
/* V TCPIP,proc,SYSplex,... */
bool vary_sysplex(struct command *c, struct tcpip *ip, const char *const *op, u32 ops);

#endif
