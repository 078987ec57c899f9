/* simarm.h - the Automatic Restart Manager on each system of the simulated sysplex: elements, and who runs them.
 *
 * Element k is at home on system k modulo their number, which starts it whenever ARM lets it; ARM starts it wherever it decides.
 * Programs register late, become ready late, fail, end. Checkers, outside the code they check:
 *   once      at no moment do two systems run the same element, not counting systems that are dead, in their wait state or isolated
 *   runs      after the faults every element runs on exactly one system, and all systems say on which, in which life
 */
#ifndef TESTS_SIM_SIMARM_H
#define TESTS_SIM_SIMARM_H

#include "tests/sim/simxcf.h"
#include "xcf/arm.h"

#define SIMARM_ELEMENTS 6

struct simarm;
struct simarm *simarm_create(bool policy);
void simarm_destroy(struct simarm *a);
const struct simxcf_guest *simarm_guest(struct simarm *a);
struct arm *simarm_arm(struct simarm *a, u32 i);
/* System on which element k runs, or -1. */
int simarm_runs_on(const struct simarm *a, u32 k);
/* Off: programs do nothing of themselves; the test drives them. */
void simarm_workload(struct simarm *a, bool on);
u32 simarm_starts(const struct simarm *a); /* by ARM */

struct simxcf_result simarm_random(u64 seed, u32 systems);

#endif
