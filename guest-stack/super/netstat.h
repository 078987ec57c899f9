/* netstat.h - D TCPIP,[proc],NETSTAT,report[,filter]...: reports of one stack in OS/390's console shape.
 *
 *   report   ALL ARP BYTEinfo CONFIG COnn DEvlinks Gate HOme PORTList ROUTe SOCKets STATS VCRT
 *            VDPT VIPADCFG VIPADyn
 *   filter   IPAddr=a   local or foreign address, HOME or ARP address, route destination
 *            PORT=n     local or foreign port          CLIent=job   owner, trailing * allowed
 *            DETAIL     more lines a record: VCRT VDPT VIPADCFG
 *            MAX=n|*    records shown (MAXRECS of GLOBALCONFIG, 100)
 *
 * Line 1 is EZZ2500I; the last line says "n OF m RECORDS DISPLAYED", m = records that pass the filters. A
 * report is a function that offers rows: netstat_row() says whether a row may be printed.
 */
#ifndef SUPER_NETSTAT_H
#define SUPER_NETSTAT_H

#include "base/base.h"
#include "super/console.h"
#include "wire/ipaddr.h"

struct tcpip;
struct stack;

struct netstat {
    struct tcpip *ip;
    struct stack *stk;
    const struct reply *r;
    struct ipaddr addr; /* any = no filter */
    u16 port;           /* 0 = no filter */
    char client[9];     /* "" = no filter */
    bool detail;
    u32 max, shown, matched;
};

/* ops: what follows NETSTAT. false after a message if a keyword is not known. */
bool netstat_run(struct tcpip *ip, const struct reply *r, const char *const *op, u32 ops);

/* ---- between the reports ---- */
/* Counts a row that passed the filters; true: print it. */
bool netstat_row(struct netstat *n);
bool netstat_addr_passes(const struct netstat *n, struct ipaddr a, struct ipaddr b);
bool netstat_port_passes(const struct netstat *n, u16 a, u16 b);
bool netstat_client_passes(const struct netstat *n, const char *jobname);
#define NETSTAT_SOCKET_MAX 24
/* "10.1.1.1..80", "*..*" for a foreign end that is not there; returns out. */
const char *netstat_socket(struct ipaddr a, u16 port, char out[NETSTAT_SOCKET_MAX]);
/* Upper case, as the console shows everything; returns out. */
const char *netstat_upper(const char *text, char *out, u32 cap);

void netstat_home(struct netstat *n);
void netstat_route(struct netstat *n);
void netstat_gate(struct netstat *n);
void netstat_arp(struct netstat *n);
void netstat_devlinks(struct netstat *n);
void netstat_config(struct netstat *n);
void netstat_portlist(struct netstat *n);
void netstat_stats(struct netstat *n);
void netstat_conn(struct netstat *n);
void netstat_byteinfo(struct netstat *n);
void netstat_sockets(struct netstat *n);
void netstat_all(struct netstat *n);

#endif
