/* simdist.h - the distributor on simulated systems: simplex.h's stacks with a distributor each, one distributed DVIPA, clients
 * that fetch through it, and faults drawn from a seed.
 *
 *   simdist_random(seed, systems, sessions)   faults and sessions together; then heal, converge, drain
 *
 * System 0 has VIPADEFINE, all others VIPABACKUP MOVEABLE with falling ranks; system 0 has VIPADISTRIBUTE ... DESTIP ALL, sometimes
 * another system its own. Faults: systems killed, paused, started again; stacks stopped, started; pairs and halves cut off;
 * servers that stop listening, QUIESCE, RESUME; DEACTIVATE, REACTIVATE, LEAVEGROUP, JOINGROUP; loss on the signalling paths; HiperSockets lost and back at a system; a card that stands
 * still while the owner changes, so that what the former one sent comes late. In some worlds everything routed goes in GRE (VIPAROUTE), in
 * some programs of the targets begin connections from the DVIPA.
 *
 * Checkers, outside the code they check, beside those of simplex.h and simxcf.h; each stops the program with the seed:
 *   lived    a session whose server, or whose program's system, was never harmed ends with every byte right: no RST, no time-out. One that
 *            nobody served may only fail if something came or went meanwhile. Standing still for less than XCF's interval harms nobody
 *   reset    nobody sends such a session's client a RST, not even one that misses its window
 *   refused  no connect is refused while a system that may serve it has been listening, and in sync with the owner, for a second
 *   policy   of clients whose port is a multiple of 4 only systems of even number serve (EVEN_ONLY), whoever routes
 *   ports    no two systems that the owner hears have the same port of the DVIPA for programs that bind to it (SYSPLEXPORTS), unless one's
 *            block was revoked
 *   rows     (c) after convergence each row of the routing stack's VCRT that is not ENDED has its connection at the target, and each
 *            connection at a target has its row
 *   ready    (d) after convergence RDY of each target equals its listeners, ActiveConn its rows, and each stack knows the owner's epoch
 *   drain    (c, h) soon after the last session has ended nothing of any is left in any stack: rows, copies, connections, half-open ones,
 *            buffers, affinities, moved connections, notices; ActiveConn is 0
 */
#ifndef TESTS_SIM_SIMDIST_H
#define TESTS_SIM_SIMDIST_H

#include "sysplex/distributor.h"
#include "tests/sim/simplex.h"

#define SIMDIST_VIP ipaddr_v4(0x0A000050) /* 10.0.0.80 */

struct simdist_params {
    u64 seed;
    u32 systems;
    u32 rows; /* of each VCRT; 0: 4096 */
    enum dist_method method;
    u16 affinity_sec;
    bool backup_has_own; /* system 1 has a VIPADISTRIBUTE of its own */
    u32 loss_permille;   /* of the LAN */
    bool iqd;            /* every system has a HiperSockets device, on one LAN until a fault takes it away */
    bool many;           /* sessions: tens of thousands */
    bool gre;            /* VIPAROUTE from each to each, over the LAN */
    bool stuck;          /* cards stand still */
    bool calls;          /* programs of the systems connect to clients from the DVIPA */
    enum simdist_policy { SIMDIST_NO_POLICY, SIMDIST_EVEN_ONLY, SIMDIST_EVEN_FIRST } policy;
};
struct simdist;

struct simdist *simdist_create(const struct simdist_params *p);
void simdist_destroy(struct simdist *s);
void simdist_run(struct simdist *s, u64 us);
struct simplex *simdist_plex(struct simdist *s);
struct distributor *simdist_distributor(struct simdist *s, u32 i); /* NULL: its stack is not there */
/* A session that the checkers watch. NULL: too many are open. */
struct simplex_session *simdist_fetch(struct simdist *s, u32 bytes);
u32 simdist_open(const struct simdist *s);
/* From now on sessions that system i serves may fail. */
void simdist_harmed(struct simdist *s, u32 i);
/* Everything is well: checks rows and RDY; false: not yet, why says what. */
bool simdist_settled(struct simdist *s, const char **why);
bool simdist_drained(struct simdist *s, const char **why);
/* Has the target of d's row the connection? */
bool simdist_stands(struct simdist *s, const struct distributor *d, const struct vcrt_row *row);
/* What stands in the tables, to stderr. */
void simdist_show(struct simdist *s);

struct simdist_result {
    u64 seed, simulated_us;
    u32 systems, ports, calls, sessions, whole, harmed, silent, faults, takeovers, routed, resets, digest;
};
struct simdist_result simdist_random(u64 seed, u32 systems, u32 sessions);

#endif
