/* simrebuild.h - systems that keep entries in one list structure that moves (xcf/rebuild.h), under faults of facilities and links.
 *
 * Each system has a set of entries that it wants to be in the structure; it writes and deletes them one by one, and writes all of them
 * again where a rebuild or a loss asks for it. When the world has come to rest:
 *   every system that lives and reaches a facility uses the structure, all of them in the same facility
 *   each of their entries is there once, and none that they do not want
 * Checker g (cf_verify) runs after each message of simcf.
 */
#ifndef TESTS_SIM_SIMREBUILD_H
#define TESTS_SIM_SIMREBUILD_H

#include "tests/sim/simcf.h"
#include "xcf/rebuild.h"

struct simrebuild;

struct simrebuild *simrebuild_create(u32 systems, u32 seed);
void simrebuild_destroy(struct simrebuild *w);
struct simcf *simrebuild_world(struct simrebuild *w);
struct rebuild *simrebuild_of(struct simrebuild *w, u32 system);

/* One thing happens, or, if there is nothing, the time of the next one comes. */
void simrebuild_step(struct simrebuild *w);
void simrebuild_steps(struct simrebuild *w, u32 n);
/* Until nothing happens for three seconds; stops (CHECK) if that never is. */
void simrebuild_rest(struct simrebuild *w);
/* The system wants some other entries than before. */
void simrebuild_change(struct simrebuild *w, u32 system);
/* The system dies; the others are told that it is gone when they rest. */
void simrebuild_stop(struct simrebuild *w, u32 system);
/* Rests, and checks all that is said above; returns the facility that has the structure. */
u32 simrebuild_check(struct simrebuild *w);
/* A run of `events` random faults and changes, then everything is healed and checked. */
void simrebuild_random(u32 seed, u32 events, struct rebuild_counters *sum);

#endif
