/* pkttrace.h - V TCPIP,,PKTTRACE: packets of chosen links as lines on the console.
 *
 *   PKTTRACE ON [LINKNAME=link|*] [IP=addr|*] [PORTNUM=n|*] [FULL | ABBREV=n]      PKTTRACE OFF
 *
 * A packet that passes the filter becomes one line (time, link, direction, protocol, addresses, ports, flags,
 * length) and, for FULL and ABBREV, its first bytes in hexadecimal, 32 a line. Console lines are slow beside
 * packets: past PKTTRACE_LINES_MAX lines a second the rest is counted, and the count is said when the second
 * is over.
 */
#ifndef SUPER_PKTTRACE_H
#define SUPER_PKTTRACE_H

#include "base/base.h"
#include "net/link.h"
#include "wire/ipaddr.h"

struct tcpip;
struct pkt;

#define PKTTRACE_LINES_MAX 50
#define PKTTRACE_ABBREV    200

struct pkttrace {
    bool on;
    char link[NAME_MAX_LEN + 1]; /* "" = all */
    struct ipaddr addr;          /* any = all */
    u16 port;                    /* 0 = all */
    u32 bytes;                   /* of each packet shown in hexadecimal */
    u64 second;                  /* the running second began */
    u32 lines, lost;             /* in it */
    u32 packets, lost_total;     /* since ON */
};

/* The stack's trace tap; ctx is the struct tcpip. */
void pkttrace_packet(void *ctx, const struct link *lnk, bool out, const struct pkt *p, u64 now);
u64 pkttrace_poll(struct tcpip *ip, u64 now);

#endif
