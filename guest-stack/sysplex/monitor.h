/* monitor.h - GLOBALCONFIG SYSPLEXMONITOR: a stack that cannot do its work any more notices it, and makes room for one that can.
 *
 *   problem                                     seen by                                                message    comes back
 *   no way to any partner over dynamic XCF      each link is not active, or XCF has no signals         EZZ9673E   AUTOREJOIN
 *                                               with its system; two partners at least
 *   sysplex processing stands still             no poll for TIMERSECS (a stopped processor); or        EZZ9674E   by JOINGROUP
 *                                               messages wait, and none has left in that time
 *   storage is exhausted                        a pool that connections live on has refused since      EZD1170E   AUTOREJOIN
 *                                               the last look and is still full
 *   no interface towards the clients            each LINK with MONSYSPLEX is not active                EZD1209E   AUTOREJOIN
 *                                               (MONINTERFACE)
 *
 * All are looked at each quarter of TIMERSECS, while VIPADYNAMIC definitions exist. A problem that has lasted for TIMERSECS is said
 * once. RECOVERY: unless this stack is the only member it leaves the group, the DVIPAs end here and their definitions are kept
 * (EZZ9676E), so the next in rank takes over. AUTOREJOIN: it joins again when the problem that made it leave is over. Standing still
 * is no state that a later look could find ended: that stack waits for its operator.
 *
 * DELAYJOIN: with MONINTERFACE the first joining waits for a monitored interface (EZD1211E). There is no OMPROUTE to wait for.
 *
 * Pure as all of this room: monitor_poll() from sysplex_poll(), also while the stack is no member.
 */
#ifndef SYSPLEX_MONITOR_H
#define SYSPLEX_MONITOR_H

#include "base/base.h"

struct sysplex;

enum monitor_problem { MONITOR_XCF, MONITOR_RESPONSE, MONITOR_STORAGE, MONITOR_INTERFACE, MONITOR_PROBLEMS };

struct monitor_config {
    u32 timer_sec; /* TIMERSECS 10..3600, 60 */
    bool recovery, autorejoin, delayjoin, moninterface;
};
#define MONITOR_TIMER_MIN 10
#define MONITOR_TIMER_MAX 3600
#define MONITOR_TIMER_SEC 60

struct monitor {
    struct monitor_config conf;
    u64 seen_at, check_at; /* latest poll; next look */
    struct {
        u64 since; /* 0: it is not there */
        bool said;
    } problem[MONITOR_PROBLEMS];
    bool left; /* out because of left_for */
    u8 left_for;
    bool delaying;     /* DELAYJOIN: EZD1211E has been said */
    u32 refused;       /* of the pools, at the last look */
    const char *lacking; /* the pool that is full */
    u32 sent;          /* messages that had left by the last look that saw one leave, which was at sent_at */
    u64 sent_at;
    u64 stood_still_us; /* the latest gap between two polls that was too long */
};

/* What GLOBALCONFIG says; takes effect at once, and what was counted before does not count. */
const struct monitor_config *monitor_config(const struct sysplex *sx);
void monitor_configure(struct sysplex *sx, const struct monitor_config *c, u64 now);
const struct monitor *monitor_state(const struct sysplex *sx);
const char *monitor_message_id(enum monitor_problem p);

/* ---- for the files of this room ---- */
void monitor_init(struct sysplex *sx, u64 now);
u64 monitor_poll(struct sysplex *sx, u64 now);
/* The stack has become a member, or the operator says where it belongs: whatever was counted before does not count. */
void monitor_reset(struct sysplex *sx, u64 now);
/* Joining has to wait (DELAYJOIN); says so. */
bool monitor_delays(struct sysplex *sx);

#endif
