/* plexsim_main.c - `plexsim SEED [COUNT]`: COUNT seeds from SEED on, one line each, with the digest of the run. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/simtcp.h"

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: plexsim SEED [COUNT]\n");
        return 2;
    }
    u64 seed = strtoull(argv[1], NULL, 0), count = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    for (u64 i = 0; i < count; i++) {
        struct simtcp_result r = simtcp_run(seed + i);
        printf("seed %llu: %u stacks, %u connections (%u aborted), %llu bytes in %llu.%03llu s; %llu packets lost, %llu "
               "reordered, %llu doubled; %u retransmissions, %u timeouts, %u fast; digest %08X\n",
               (unsigned long long)r.seed, r.stacks, r.connections, r.aborted, (unsigned long long)r.bytes,
               (unsigned long long)r.simulated_us / 1000000, (unsigned long long)r.simulated_us / 1000 % 1000,
               (unsigned long long)r.packets_lost, (unsigned long long)r.packets_reordered,
               (unsigned long long)r.packets_duplicated, r.retransmits, r.timeouts, r.fast_retransmits, r.digest);
        fflush(stdout);
    }
    return 0;
}
