/* cross_main.c - seeds of the simulator: byte order, width and compiler of the S/390 must not show in its digest. */
#include "tests/cross/cross.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/simarm.h"
#include "tests/sim/simdist.h"
#include "tests/sim/simdvipa.h"
#include "tests/sim/simtcp.h"
#include "tests/sim/simxcf.h"

int cross_say(const char *fmt, va_list ap) {
    char *words = (char *)CROSS_WORDS;
    size_t at = strlen(words);
    return (int)str_vfmt(words + at, CROSS_WORDS_BYTES - at, fmt, ap);
}

void abort(void) { cross_stop(); }

static void run(struct cross_run *r) {
    switch (r->kind) {
    case 0: r->digest = simtcp_run(r->seed).digest; break;
    case 1: r->digest = simxcf_random(r->seed, r->systems).digest; break;
    case 2: r->digest = simarm_random(r->seed, r->systems).digest; break;
    case 3: r->digest = simdvipa_random(r->seed, r->systems).digest; break;
    case 4: r->digest = simdist_random(r->seed, r->systems, 60).digest; break;
    default: abort();
    }
}

void cross_main(void) {
    for (struct cross_run *r = (struct cross_run *)CROSS_RUNS; r->systems; r++) {
        run(r);
        cross_forget();
    }
}
