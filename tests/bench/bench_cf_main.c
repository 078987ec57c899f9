/* bench_cf_main.c - what a coupling facility's commands cost, the engine alone: no process, no ring, no emulator between.
 *
 *   bench_cf        for each kind of command: a million of it, or a second, whichever is less; commands a second and, with data, MB a
 *                   second that went in and came out again
 * The figures of the way there and back are tests/boot/cf.sh's (processes) and tests/boot/plex1.sh's (emulators).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/be.h"
#include "hercules-devices/cf_engine.h"

#define STORAGE_KB 65536u
#define ROUND      256u

static u8 cmd[CF_MESSAGE_MAX], ring[CF_MESSAGE_MAX];

static u8 *reserve(void *ctx, u32 n, u32 bytes) {
    UNUSED(ctx);
    UNUSED(n);
    return bytes <= sizeof ring ? ring : NULL;
}
static void commit(void *ctx, u32 n, u32 bytes) {
    UNUSED(ctx);
    UNUSED(n);
    UNUSED(bytes);
}
static bool isolate(void *ctx, const char *name, u64 incarnation) {
    UNUSED(ctx);
    UNUSED(name);
    return incarnation != 0;
}
static void log_line(void *ctx, enum engine_severity sev, const char *text) {
    UNUSED(ctx);
    UNUSED(sev);
    UNUSED(text);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static u32 token;
static u8 conid;

static void run(struct cf *cf, u32 len) {
    be32_put(cmd + 4, len);
    cf_message(cf, 0, cmd, len);
    if (cf_rc_get(ring) == CF_OK) return;
    fprintf(stderr, "bench_cf: operation %02X answered %u\n", cmd[1], cf_rc_get(ring));
    exit(1);
}

static void begin(u8 op) {
    memset(cmd, 0, CF_LIST_BYTES);
    cf_command_put(cmd, op, 1, 0, token, conid);
}

static void connect_to(struct cf *cf, const char *name, u8 type, u32 headers, u8 elements, u8 element_size, u32 bits) {
    memset(cmd, 0, CF_CONNECT_BYTES);
    cf_command_put(cmd, CF_CONNECT, 1, 0, 0, 0);
    memset(cmd + 16, ' ', 32);
    memcpy(cmd + 16, name, strlen(name));
    memcpy(cmd + 32, "BENCH", 5);
    cmd[48] = type;
    cmd[50] = element_size;
    cmd[51] = elements;
    be32_put(cmd + 52, headers);
    be32_put(cmd + 60, bits);
    be32_put(cmd + 64, 16384);
    run(cf, CF_CONNECT_BYTES);
    token = be32_get(ring + 16);
    conid = ring[20];
}

/* One round of a kind: how many commands it was. */
struct kind {
    const char *name;
    u32 bytes; /* of data in each pair of commands */
    u32 (*round)(struct cf *cf, u32 bytes);
};

static u32 list_round(struct cf *cf, u32 bytes) {
    begin(CF_WRITE);
    cmd[37] = 1;
    be16_put(cmd + 38, CF_F_DATA);
    for (u32 i = 0; i < ROUND / 16; i++) run(cf, CF_LIST_BYTES + bytes);
    begin(CF_READ_LIST);
    be16_put(cmd + 38, CF_F_DATA | CF_F_DELETE);
    u32 n = ROUND / 16, reads = 0;
    while (n) { /* as many entries come at once as a response holds */
        be32_put(cmd + 4, CF_LIST_BYTES);
        cf_message(cf, 0, cmd, CF_LIST_BYTES);
        n -= cf_count_get(ring);
        reads++;
    }
    return ROUND / 16 + reads;
}
static u32 lock_round(struct cf *cf, u32 bytes) {
    UNUSED(bytes);
    for (u32 i = 0; i < ROUND / 2; i++) {
        begin(CF_OBTAIN);
        be32_put(cmd + 16, i * 7919u);
        cmd[20] = CF_EXCLUSIVE;
        run(cf, CF_LOCK_BYTES);
        cmd[1] = CF_RELEASE;
        run(cf, CF_LOCK_BYTES);
    }
    return ROUND;
}
static u32 cache_round(struct cf *cf, u32 bytes) {
    UNUSED(bytes);
    for (u32 i = 0; i < ROUND; i++) {
        begin(CF_C_READ);
        memset(cmd + 16, ' ', CF_NAME_BYTES);
        be32_put(cmd + 16, 0x41414141u + i);
        be32_put(cmd + 48, i);
        be16_put(cmd + 54, CF_C_ASSIGN);
        run(cf, CF_CACHE_BYTES);
    }
    return ROUND;
}

static void measure(struct cf *cf, const struct kind *k) {
    double start = seconds(), now;
    u64 n = 0, rounds = 0;
    do {
        n += k->round(cf, k->bytes);
        rounds++;
        now = seconds();
    } while (now - start < 1 && n < 1000000);
    printf("%-34s %9.0f commands/s", k->name, (double)n / (now - start));
    if (k->bytes) printf("  %8.1f MB/s in and out", (double)rounds * (ROUND / 16) * k->bytes / (now - start) / 1e6);
    putchar('\n');
}

int main(void) {
    static const struct kind lists[] = {{"list: write, read and delete 64 B", 64, list_round},
                                        {"list: write, read and delete 4 KB", 4096, list_round},
                                        {"list: write, read and delete 60 KB", 61440, list_round}};
    static const struct kind lock = {"lock: obtain, release", 0, lock_round}, cache = {"cache: read and register", 0, cache_round};
    const struct cf_params p = {.name = "CF01", .incarnation = 1, .storage_kb = STORAGE_KB};
    const struct cf_host host = {.reserve = reserve, .commit = commit, .isolate = isolate, .log = log_line};
    void *storage = calloc(1, cf_engine_bytes(STORAGE_KB));
    struct cf *cf = storage ? cf_engine_init(storage, &p, &host) : NULL;
    if (!cf || cf_link_up(cf, "SYSA", 1) != 0) return 1;
    connect_to(cf, "BENCHLIST", CF_TYPE_LIST, 4, 250, 0, 0);
    for (u32 i = 0; i < ARRAY_LEN(lists); i++) measure(cf, &lists[i]);
    connect_to(cf, "BENCHLOCK", CF_TYPE_LOCK, 4096, 0, 0, 0);
    measure(cf, &lock);
    connect_to(cf, "BENCHCACHE", CF_TYPE_CACHE, 1, 4, 0, 1024);
    measure(cf, &cache);
    free(storage);
    return 0;
}
