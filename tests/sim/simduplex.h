/* simduplex.h - systems that send one another numbered entries over the lists of a structure that is duplexed (xcf/duplex.h, xcf/rebuild.h),
 * under faults of facilities, links and systems.
 *
 * Each system has a list. All write entries (writer, number) at the tails of lists, and each reads and deletes those of its own. What must
 * hold at every moment: numbers of a writer are read from a list in ascending order, so none is read twice. When the world has come to rest:
 *   every system that lives uses the structure, all in the same facility, or all the same pair
 *   what was answered has been read or is there, unless the structure was lost or its reader is dead: neither must be after one fault
 *   the two structures of a pair have the same entries in the same order, also when a system has died between the two halves of a command and
 *     nobody has begun anything since but the command that xcf/duplex.h asks for
 */
#ifndef TESTS_SIM_SIMDUPLEX_H
#define TESTS_SIM_SIMDUPLEX_H

#include "tests/sim/simcf.h"
#include "xcf/duplex.h"
#include "xcf/rebuild.h"

struct simduplex;
struct simduplex_result {
    u64 answered, read, paired, dropped, losses, repeated, retries, gaps, mismatches;
};

/* The last `late` of the systems are loaded by simduplex_load(). */
struct simduplex *simduplex_create(u32 systems, u32 late, u32 seed);
/* settles: as in simmember.h. */
void simduplex_load(struct simduplex *w, bool settles);
void simduplex_destroy(struct simduplex *w);
struct simcf *simduplex_world(struct simduplex *w);
struct rebuild *simduplex_of(struct simduplex *w, u32 system);
/* n things happen; meanwhile systems write and read. */
void simduplex_steps(struct simduplex *w, u32 n);
/* A system that lives asks for a pair where there is none, and it has come to be. */
void simduplex_pair(struct simduplex *w);
void simduplex_stop(struct simduplex *w, u32 system);
/* Not before it has a command that the first structure has executed and the second has not; false: that did not happen in so many steps. */
bool simduplex_stop_half_done(struct simduplex *w, u32 system, u32 steps);
/* Nobody begins anything; rests, and checks all that is said above. true: a pair. *facility: that of the first. */
bool simduplex_check(struct simduplex *w, u32 *facility);
u64 simduplex_losses(const struct simduplex *w);
u32 simduplex_systems(const struct simduplex *w);
bool simduplex_lives(const struct simduplex *w, u32 system);
void simduplex_result(const struct simduplex *w, struct simduplex_result *sum);

/* ---- simduplex_random.c ---- */
/* Operators, facilities, links and systems, whatever the state of things: two losses at a time may lose what was answered. */
void simduplex_random(u32 seed, u32 events, struct simduplex_result *sum);
/* Operators as before, but a facility or a link is lost, or a system dies, only while all have the pair: the structure is lost for nobody,
 * ever, and all that was answered has been read or is there. */
void simduplex_one_at_a_time(u32 seed, u32 events, struct simduplex_result *sum);

#endif
