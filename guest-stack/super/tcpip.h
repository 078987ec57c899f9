/* tcpip.h - one started TCPIP procedure: its stack, profile reader, AUTOLOG list and programs.
 *
 *   S TCPIP   tcpip_start()  storage, stack_create(), PROFILE.TCPIP, AUTOLOG, EZB6473I, EZAIN11I
 *   running   tcpip_poll()   stack, AUTOLOG monitor, PING and TRACERTE
 *   P TCPIP   tcpip_stop()   programs end, stack_stop(); tcpip_poll() says EZZ4201I when devices are down
 *
 * Storage: one region per stack, carved at the first start and used again at each later one, so that
 * S and P may be repeated for ever.
 */
#ifndef SUPER_TCPIP_H
#define SUPER_TCPIP_H

#include "apps/app.h"
#include "base/arena.h"
#include "base/base.h"
#include "net/stack.h"
#include "super/autolog.h"
#include "net/link.h"
#include "super/ping.h"
#include "super/pkttrace.h"
#include "super/profile.h"
#include "super/profile_telnet.h"

struct distributor;
struct sysplex;
struct system;

#define TCPIP_PROGRAMS_MAX 16
/* Storage for programs of one stack, beside what the stack itself takes. */
#define TCPIP_PROGRAM_BYTES (6u << 20)
#define TCPIP_STOP_WAIT_US  (10u * USEC_PER_SEC) /* devices that do not stop by then are left behind */

struct program {
    const struct app *app; /* NULL = free row */
    void *inst;
    char proc[9], jobname[9];
    u16 asid; /* of this start: another one has another */
};

struct tcpip {
    struct system *sys;
    char name[9];
    u16 asid;
    u32 slot;
    struct arena arena;
    struct stack *stk; /* NULL while stopped */
    u64 polled_at;     /* tcpip_poll(), and stack_stirred() then */
    u32 stirred;
    struct stack_env env;
    struct driver drivers[DEV_TYPES]; /* the image's, and that of dynamic XCF links */
    struct sysplex *sx;               /* NULL: there is no XCF */
    struct distributor *dist;
    u64 join_wanted_at;
    bool starting; /* programs wait for their addresses: plexip_pending() */
    struct app_env app_env;
    struct program programs[TCPIP_PROGRAMS_MAX];
    struct profile profile;
    struct autolog autolog;
    struct telnet_parms telnet;
    struct ping ping;
    struct pkttrace trace;
    u32 max_records; /* MAXRECS: of displays without MAX= */
    bool stopping;
    u64 stop_deadline;
};

/* Bytes that tcpip_start() takes from the image's storage for a stack of the usual size, at most. */
size_t tcpip_storage_max(void);

/* 0, -ERR_EXIST (active), -ERR_NOMEM, -ERR_NOSYS (no drivers for a further stack). Messages are out. */
int tcpip_start(struct system *sys, const char *name, u64 now);
void tcpip_stop(struct tcpip *ip, u64 now);
/* Next deadline, but for what tcpip_flush() says. After the stop completed ip->stk is NULL. */
u64 tcpip_poll(struct tcpip *ip, u64 now);
/* After events that are the stack's alone, as packets are: it is polled if it is due. Returns when it or its part of the sysplex is due
 * again; at the latest TCPIP_ROUND_US after the latest tcpip_poll(), so that nobody waits for long whom a packet concerned. */
#define TCPIP_ROUND_US (20 * USEC_PER_MSEC)
u64 tcpip_flush(struct tcpip *ip, u64 now);

/* S proc: 0, -ERR_NOENT (no such program), -ERR_EXIST (job name active), -ERR_NOMEM, or the program's. */
int program_start(struct tcpip *ip, const char *proc, const char *jobname, const char *parm, u64 now);
/* P job name; -ERR_NOENT. */
int program_stop(struct tcpip *ip, const char *jobname, u64 now);
struct program *program_find(struct tcpip *ip, const char *jobname);

#endif
