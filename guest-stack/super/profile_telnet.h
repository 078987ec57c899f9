/* profile_telnet.h - what TELNETPARMS and BEGINVTAM say, and the server that comes of it.
 *
 * A profile with TELNETPARMS has the TN3270 server as job INTCLIEN (apps/tn3270d.c), as OS/390 has it in the address space
 * of TCP/IP: started when the profile is read, before AUTOLOG.
 */
#ifndef SUPER_PROFILE_TELNET_H
#define SUPER_PROFILE_TELNET_H

#include "base/base.h"

struct tcpip;
struct profile;

#define TELNET_JOBNAME "INTCLIEN"

struct telnet_parms {
    bool wanted; /* TELNETPARMS was read */
    bool changed; /* since the server was started */
    u32 port, inactive_sec, timemark_sec, scan_sec;
    u32 sessions; /* LUs of DEFAULTLUS */
    char first_lu[9];
};

void telnet_parms_default(struct telnet_parms *t);
/* After a profile or OBEYFILE was read. */
void telnet_start(struct tcpip *ip, u64 now);

bool stmt_telnetparms(struct profile *p);
bool stmt_beginvtam(struct profile *p);

#endif
