/* simtold.h - whether clients that only read are told: simdist.h's systems, sessions that stand still, and systems that die one after the
 * other, at moments drawn from a seed.
 *
 *   simtold_random(seed, systems, rounds)
 *
 * In a round each system serves some sessions whose client has sent all it ever sends. Then, sometimes, the address moves as planned; then one
 * or two systems are killed or stand still, often the owner, the second one as soon as the first, after its takeover, or some time later. When the
 * survivors have settled that, all come back.
 *
 * Checkers, each stops the program with the seed:
 *   told     a session of a dead server has ended TOLD_US after a routing stack was there that knew of the death, at the latest (with loss on the
 *            LAN: when a lost word was repeated); no program said anything, and none did ask
 *   lived    a session of a server that lives stands
 *   before   once all is settled and the routing stack has said so, nobody keeps a copy from before, or for who is no next owner; nor any of a connection
 *            that is over. With loss on the LAN the server may not know yet that its client has gone: then row and connection have to be there
 */
#ifndef TESTS_SIM_SIMTOLD_H
#define TESTS_SIM_SIMTOLD_H

#include "base/base.h"

struct simtold_result {
    u64 seed, simulated_us;
    u32 systems, rounds, deaths, sessions, told, stood, digest;
    u64 longest_us; /* from when the death was known to the end of the session */
};
struct simtold_result simtold_random(u64 seed, u32 systems, u32 rounds);

#endif
