/* plexsim_main.c - the simulator's command: COUNT seeds from SEED on, one line each, with the digest of the
 * run.
 *
 *   plexsim SEED [COUNT]                 TCP between stacks (simtcp.h)
 *   plexsim xcf SEED [COUNT [SYSTEMS]]   a sysplex under faults (simxcf.h); SYSTEMS 2..32, else from the seed
 *   plexsim arm SEED [COUNT [SYSTEMS]]   the same with the Automatic Restart Manager (simarm.h)
 *   plexsim cf SEED [COUNT]              a structure that moves between facilities under faults (simrebuild.h)
 *   plexsim duplex SEED [COUNT]          a duplexed structure under faults, then with one loss at a time (simduplex.h)
 *   plexsim dist SEED [COUNT [SYSTEMS [SESSIONS]]]   the distributor under faults (simdist.h)
 *   plexsim told SEED [COUNT [SYSTEMS [ROUNDS]]]   clients that only read while systems die (simtold.h)
 *   plexsim dvipa SEED [COUNT [SYSTEMS]] dynamic VIPAs under faults (simdvipa.h)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/simarm.h"
#include "tests/sim/simdist.h"
#include "tests/sim/simduplex.h"
#include "tests/sim/simdvipa.h"
#include "tests/sim/simrebuild.h"
#include "tests/sim/simtcp.h"
#include "tests/sim/simtold.h"
#include "tests/sim/simxcf.h"

static u64 argument(int argc, char **argv, int i, u64 otherwise) {
    return argc > i ? strtoull(argv[i], NULL, 0) : otherwise;
}

static void run_tcp(u64 seed) {
    struct simtcp_result r = simtcp_run(seed);
    printf("seed %llu: %u stacks, %u connections (%u aborted), %llu bytes in %llu.%03llu s; %llu packets "
           "lost, %llu "
           "reordered, %llu doubled; %u retransmissions, %u timeouts, %u fast; digest %08X\n",
           (unsigned long long)r.seed, r.stacks, r.connections, r.aborted, (unsigned long long)r.bytes,
           (unsigned long long)r.simulated_us / 1000000, (unsigned long long)r.simulated_us / 1000 % 1000,
           (unsigned long long)r.packets_lost, (unsigned long long)r.packets_reordered,
           (unsigned long long)r.packets_duplicated, r.retransmits, r.timeouts, r.fast_retransmits, r.digest);
}

static void run_xcf(u64 seed, u32 systems, bool arm) {
    struct simxcf_result r = arm ? simarm_random(seed, systems) : simxcf_random(seed, systems);
    printf("seed %llu: %u systems, %llu s; %u kills, %u pauses, %u cuts; %u isolated, %u zombies stopped, %u "
           "questions; "
           "%llu messages, %llu bytes, %u segments sent again; %u elements restarted; digest %08X\n",
           (unsigned long long)r.seed, r.systems, (unsigned long long)r.simulated_us / 1000000, r.kills,
           r.pauses, r.cuts, r.isolated, r.zombies, r.questions, (unsigned long long)r.messages,
           (unsigned long long)r.bytes, r.resent, r.restarts, r.digest);
}

static void run_dist(u64 seed, u32 systems, u32 sessions) {
    struct simdist_result r = simdist_random(seed, systems, sessions);
    printf("seed %llu: %u systems, %llu s; %u faults, %u takeovers; %u sessions, %u whole, %u of a harmed server (%u silent), %u begun by targets; %u ports; "
           "%u packets routed, %u connections reset; digest %08X\n",
           (unsigned long long)r.seed, r.systems, (unsigned long long)r.simulated_us / 1000000, r.faults, r.takeovers,
           r.sessions, r.whole, r.harmed, r.silent, r.calls, r.ports, r.routed, r.resets, r.digest);
}

static void run_told(u64 seed, u32 systems, u32 rounds) {
    struct simtold_result r = simtold_random(seed, systems, rounds);
    printf("seed %llu: %u systems, %llu s; %u rounds, %u deaths; %u sessions: %u told, %llu us at the longest, %u stood; digest %08X\n",
           (unsigned long long)r.seed, r.systems, (unsigned long long)r.simulated_us / 1000000, r.rounds, r.deaths, r.sessions, r.told,
           (unsigned long long)r.longest_us, r.stood, r.digest);
}

static void run_cf(u64 seed) {
    struct rebuild_counters c = {0};
    simrebuild_random((u32)seed, 60, &c);
    printf("seed %llu: %llu rebuilds begun, %llu completed, %llu stopped; %llu structures lost\n", (unsigned long long)seed,
           (unsigned long long)c.started, (unsigned long long)c.completed, (unsigned long long)c.stopped,
           (unsigned long long)c.losses);
}

static void run_duplex(u64 seed) {
    struct simduplex_result r = {0};
    simduplex_random((u32)seed, 60, &r);
    simduplex_one_at_a_time((u32)seed, 60, &(struct simduplex_result){0});
    printf("seed %llu: %llu commands answered, %llu entries read; pairs: %llu begun, %llu ended; %llu commands repeated in what was left, %llu "
           "came before their turn, %llu numbers missed, %llu differed; %llu losses\n",
           (unsigned long long)seed, (unsigned long long)r.answered, (unsigned long long)r.read, (unsigned long long)r.paired,
           (unsigned long long)r.dropped, (unsigned long long)r.repeated, (unsigned long long)r.retries, (unsigned long long)r.gaps,
           (unsigned long long)r.mismatches, (unsigned long long)r.losses);
}

static void run_dvipa(u64 seed, u32 systems) {
    struct simdvipa_result r = simdvipa_random(seed, systems);
    printf("seed %llu: %u systems, %llu s; %u faults, %u takeovers, %u taken back, %u given; connections: %u kept, %u reset, %u packets "
           "forwarded; %u sessions, %u whole; digest %08X\n",
           (unsigned long long)r.seed, r.systems, (unsigned long long)r.simulated_us / 1000000, r.faults, r.takeovers,
           r.takebacks, r.given, r.kept, r.broken, r.forwarded, r.sessions, r.whole, r.digest);
}

int main(int argc, char **argv) {
    const char *kind = argc > 1 ? argv[1] : "";
    bool arm = strcmp(kind, "arm") == 0, dist = strcmp(kind, "dist") == 0, cf = strcmp(kind, "cf") == 0;
    bool dvipa = strcmp(kind, "dvipa") == 0, duplex = strcmp(kind, "duplex") == 0, told = strcmp(kind, "told") == 0;
    int first = arm || dist || cf || dvipa || duplex || told || strcmp(kind, "xcf") == 0 ? 2 : 1;
    if (argc <= first) {
        fprintf(stderr, "usage: plexsim SEED [COUNT]\n       plexsim xcf|arm|dvipa SEED [COUNT [SYSTEMS]]\n"
                        "       plexsim dist SEED [COUNT [SYSTEMS [SESSIONS]]]\n"
                        "       plexsim told SEED [COUNT [SYSTEMS [ROUNDS]]]\n       plexsim cf|duplex SEED [COUNT]\n");
        return 2;
    }
    u64 seed = argument(argc, argv, first, 1), count = argument(argc, argv, first + 1, 1);
    u32 systems = (u32)argument(argc, argv, first + 2, 0);
    if (systems == 1 || systems > XCF_SYSTEMS_MAX) {
        fprintf(stderr, "plexsim: 2 to %u systems\n", XCF_SYSTEMS_MAX);
        return 2;
    }
    for (u64 i = 0; i < count; i++) {
        if (dist)
            run_dist(seed + i, systems, (u32)argument(argc, argv, first + 3, 600));
        else if (told)
            run_told(seed + i, systems, (u32)argument(argc, argv, first + 3, 4));
        else if (cf)
            run_cf(seed + i);
        else if (duplex)
            run_duplex(seed + i);
        else if (dvipa)
            run_dvipa(seed + i, systems);
        else if (first == 2)
            run_xcf(seed + i, systems, arm);
        else
            run_tcp(seed + i);
        fflush(stdout);
    }
    return 0;
}
