/* pattern_main.c - `pattern N`: N bytes of the stream of apps/pattern.h on standard output, for sha256sum. */
#include <stdio.h>
#include <stdlib.h>

#include "apps/pattern.h"

int main(int argc, char **argv) {
    static struct pattern p;
    static u8 block[65536];
    if (argc != 2) {
        fprintf(stderr, "usage: pattern BYTES\n");
        return 2;
    }
    unsigned long long left = strtoull(argv[1], NULL, 0);
    u32 phase = 0;
    pattern_init(&p);
    while (left > 0) {
        u32 n = left < sizeof block ? (u32)left : (u32)sizeof block;
        phase = pattern_fill(&p, block, n, phase);
        if (fwrite(block, 1, n, stdout) != n) return 1;
        left -= n;
    }
    return fflush(stdout) ? 1 : 0;
}
