/* simtcp.h - TCP between stacks over bad wires: the workload and the checker of `plexsim`.
 *
 * N stacks, each pair joined by a wire whose loss, duplication, reordering, corruption, delay and MTU are drawn from the
 * seed. Every stack runs an echo program; clients on every stack open connections to it on the others, each with a
 * stream of its own that nobody else's bytes can match. Program behaviour is drawn too: piece sizes, pauses in
 * reading, half close or not, aborts in the middle.
 *
 * Checked outside the code under test:
 *   - what a side has read is a prefix of what the other side wrote, byte by byte, at every moment;
 *   - a connection that nobody aborted ends with everything delivered both ways and no error on either side;
 *   - all do so within a bound of simulated time after the wires have healed;
 *   - then no socket, row, chunk, mark or packet buffer is held (testnet_destroy looks too).
 * The same seed gives the same digest of everything that happened.
 */
#ifndef TESTS_SIM_SIMTCP_H
#define TESTS_SIM_SIMTCP_H

#include "base/base.h"

struct simtcp_result {
    u64 seed;
    u32 stacks, connections, aborted;
    u64 bytes;        /* delivered, both ways */
    u64 simulated_us; /* until the last connection had ended */
    u64 packets_lost, packets_reordered, packets_duplicated;
    u32 retransmits, timeouts, fast_retransmits;
    u32 digest;
};

/* Runs one seed; a broken check stops the program with the seed and what was wrong. */
struct simtcp_result simtcp_run(u64 seed);

#endif
