/* pagentcf.h - the configuration of the Policy Agent: text into a struct policy (sysplex/policy.h).
 *
 * One statement or attribute a line; braces on lines of their own; # begins a comment; case matters only in names (1 to 32
 * characters). A range is "low high", "low-high" or, but for addresses and times, "low:high"; "all" is everything.
 *
 *   PolicyPerfMonitorForSDR Enable|Disable    what a target's losses take off its weight
 *     SamplingInterval n                        seconds, 5 to 3600 (60)
 *     LossRatioAndWeightFr r f                  0/00 and % (10 10); 0: losses do not count
 *     TimeoutRatioAndWeightFr r f               likewise (10 20)
 *     LossMaxWeightFr n   TimeoutMaxWeightFr n  % (100)
 *   PolicyAction name
 *     PolicyScope DataTraffic|Both              RSVP is not about connections and is refused
 *     OutboundInterface addr                    dynamic XCF address of a target, once for each; 0.0.0.0: anybody, if no listed one can
 *   PolicyRule name
 *     PolicyActionReference name                the action may stand behind the rule
 *     PolicyRulePriority n                      1 to 2000000000, the greater wins (0)
 *     ForLoadDistribution TRUE|FALSE            FALSE: shown, never chosen
 *     SourceAddressRange, SourcePortRange       of the client;  addr, addr-addr or addr/bits
 *     DestinationAddressRange, -PortRange       of the distributed DVIPA
 *     ProtocolNumberRange 6|TCP|all             others are refused: only TCP is distributed
 *     TimeOfDayRange hh:mm-hh:mm                seconds may follow; 24:00 is the end of the day; from > until: over midnight
 *     DayOfWeekMask sssssss                     0 and 1, Sunday first       MonthOfYearMask  twelve, January first
 *     ConditionTimeRange yyyymmddhhmmss:yyyymmddhhmmss
 *
 * An error ends nothing: the rest is read, so that all errors are found at once, but the policy must then not be used. Pure.
 */
#ifndef SUPER_PAGENTCF_H
#define SUPER_PAGENTCF_H

#include "base/base.h"
#include "sysplex/policy.h"

#define PAGENTCF_ERRORS_MAX 8
#define PAGENTCF_TOKEN_MAX  40

struct pagentcf_error {
    u32 line;
    char token[PAGENTCF_TOKEN_MAX + 1]; /* what was found */
    const char *expected;
};
struct pagentcf {
    u32 errors; /* all; the first PAGENTCF_ERRORS_MAX in error[] */
    struct pagentcf_error error[PAGENTCF_ERRORS_MAX];
};

/* out: as read, its rules without numbers (policy_number()). true: no error. */
bool pagentcf_read(const char *text, struct policy *out, struct pagentcf *cf);

#endif
