/* simdvipa.h - the random drill of dynamic VIPAs: stacks of simplex.h under faults from the seed, clients all the while; then heal,
 * and within a bound every DVIPA that somebody could own has its one owner and everybody says the same of it.
 *
 * Faults: a system killed and IPLed, frozen and thawed, a stack stopped and started, LEAVEGROUP and JOINGROUP, DEACTIVATE and
 * REACTIVATE, VIPADELETE and its statement again, bind() in ranges and close(), XCF paths cut, the LAN losing packets, its cable pulled; every other
 * stack has SYSPLEXMONITOR RECOVERY AUTOREJOIN MONINTERFACE.
 * Checkers: those of simplex.h (a, b, h), and after healing: equal views (e), owners where there must be one.
 */
#ifndef TESTS_SIM_SIMDVIPA_H
#define TESTS_SIM_SIMDVIPA_H

#include "base/base.h"

struct simdvipa_result {
    u64 seed, simulated_us;
    u32 systems, faults, takeovers, takebacks, given, kept, broken, forwarded, sessions, whole, digest;
};
struct simdvipa_result simdvipa_random(u64 seed, u32 systems); /* systems 0: from the seed */

#endif
