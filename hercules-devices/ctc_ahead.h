/* ctc_ahead.h - READs that are chained to the command which waits, each with or without a PREPARE before it: the other end is told of
 * them before the channel gives them.
 *
 * A channel gives one command at a time, and a READ that the other end does not know of yet makes its WRITE wait: a message there,
 * a message back, and two changes of threads for each block. But a channel program that may be prefetched cannot change any more.
 * So with a PREPARE or READ goes what follows it by command chaining (ctc_wire.h): READs, all of the same count and with SLI; either
 * nothing between them, or a PREPARE between every two. When that command ends and its chain goes on, both ends take the next one as
 * given, without a message:
 *
 *   end of the program      announced.left     commands that its channel will give; each has the next number
 *   other end               expected.left      commands that it executes for that side itself, as soon as the one before has ended
 *
 * The last one is always a READ, so what is left says which is next: with PREPAREs between them, an even number left means a PREPARE.
 * Why a driver has them there: a READ that waits calls an idle partner by attention, in the moment of whose own START SUBCHANNEL it
 * stands in the way (Linux's ctcm then waits for ever); a PREPARE calls nobody.
 *
 * So a WRITE, and the whole program behind it, ends at once while READs are left. It is executed against the same states as if both
 * channels were infinitely fast; the table in ctc_cu.c knows nothing of it.
 *
 * What comes for an announced READ that the channel has not given yet stays in a queue, in order. Both ends see from the same
 * bytes where the chain stops (unit check, unit exception), and forget the rest; its numbers are not used again. Of two sides that
 * announce READs to each other at the same time neither has. If the
 * channel stops for a reason that only it knows (program check, halt between two CCWs), the next command is not the announced
 * one: then the side is reset, the other end is told, and what was in the queue is lost, as behind any halt.
 */
#ifndef HERCULES_DEVICES_CTC_AHEAD_H
#define HERCULES_DEVICES_CTC_AHEAD_H

#include "hercules-devices/engine.h"

#define CTC_AHEAD_MAX 64 /* commands: what a message can announce is 255 */

struct ctc_unit;
struct ctc_command_in;

struct ctc_ahead {
    u32 left;      /* commands */
    u32 count;     /* of each READ */
    bool prepares; /* between two READs stands a PREPARE */
};

/* End of the program. How many commands follow the one that was just executed, and what is announced from now on; 0: none. */
u32 ctc_announce(struct ctc_unit *u, const struct ctc_command_in *in, bool done);
/* Is c the next announced command? */
bool ctc_is_announced(const struct ctc_unit *u, const struct engine_ccw *c);
/* The chain has stopped: nothing is announced any more. */
void ctc_announce_nothing(struct ctc_unit *u);
/* The other end's messages must wait for the announced command that they are for. */
bool ctc_must_wait(const struct ctc_unit *u);

/* Other end. The command that is about to be taken announces so many. */
void ctc_expect(struct ctc_unit *u, const struct ctc_ahead *ahead);
/* Gives the other side's expected commands as far as the one before has ended; after whatever may have ended it. */
void ctc_expected_go_on(struct ctc_unit *u);

#endif
