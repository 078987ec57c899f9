/* guests.h - what the systems of a plex say of themselves, added to its status: `plex390 status --json --guests`.
 *
 *   systems[]   mips           how fast its processors are, where the emulator says so by itself (3.13); else null
 *               instructions   executed since its start, where it only counts them (SDL-Hyperion); else 0
 *               status         of the system in the sysplex, as a partner sees it: ACTIVE, ...; "" if nobody said
 *               xcf_address    dynamic XCF address of its stack, "" = none
 *               paths          its signalling paths out over CTCs [{device system status signals class}]
 *   dvipas      [{address origin stacks [{stack system status rank distribution}]}]    as one stack of the sysplex sees them
 *   targets     [{address port target ready connections weight tsr flags by system}]   rows of each distributing stack (by);
 *               system is whose dynamic XCF address target is
 *
 * Running systems are asked at their consoles with asides (ask.h), all at once; a system that does not answer within a
 * second and a half has an empty answer. A frozen one is not asked.
 */
#ifndef LAB_GUESTS_H
#define LAB_GUESTS_H

#include "lab/plex.h"

#include <jansson.h>

/* status: the object whose "systems" are those of p, in order. */
void guests_ask(const struct plex *p, const char *dir, json_t *status);

#endif
