/* replay.c - runs each file of the directories and files that are named through a fuzz target: the corpus as
 * a test.
 *
 * Also does what a fuzzer does first: each file cut at a few lengths, and each with a few bytes changed by a
 * fixed generator, so that a run is the same everywhere. Exit 1 if there was no file.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define INPUT_MAX 65536
#define MUTATIONS 24

static u32 files;

static u32 next_random(u32 *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* A copy of exactly n bytes, so that ASan sees a step past the end. */
static void run(const u8 *data, size_t n) {
    u8 *exact = malloc(n ? n : 1);
    CHECK(exact);
    memcpy(exact, data, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

static void run_file(const char *path) {
    static u8 data[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    CHECK(f);
    size_t n = fread(data, 1, sizeof data, f);
    fclose(f);
    files++;
    run(data, n);
    u32 state = (u32)n;
    for (u32 i = 0; i < MUTATIONS && n; i++) {
        size_t at = next_random(&state) % n;
        u8 was = data[at];
        data[at] = (u8)next_random(&state);
        run(data, n);
        data[at] = was;
        run(data, next_random(&state) % n);
    }
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) != 0) continue;
        if (!S_ISDIR(st.st_mode)) {
            run_file(argv[i]);
            continue;
        }
        struct dirent **names;
        int n = scandir(argv[i], &names, NULL, alphasort);
        for (int k = 0; k < n; k++) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], names[k]->d_name);
            if (names[k]->d_name[0] != '.') run_file(path);
            free(names[k]);
        }
        if (n >= 0) free(names);
    }
    printf("%s: %u files replayed\n", argv[0], files);
    return files ? 0 : 1;
}
