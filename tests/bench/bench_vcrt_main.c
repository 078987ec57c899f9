/* bench_vcrt_main.c - what routing by the VCRT costs a packet, from a thousand rows to a million.
 *
 * For each number of rows: a look-up and vcrt_segment() for a row chosen at random, as the distributor does for each segment;
 * and the life of a connection (add, two events, delete). Prints nanoseconds, and rows looked at in a chain, which is what
 * "O(1)" means; time grows with cache misses, chains don't.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sysplex/vcrt.h"
#include "wire/tcphdr.h"

#define ROUNDS 2000000u

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct vcrt_key key_of(u32 n) {
    return (struct vcrt_key){ipaddr_v4(0xC9020A0B), ipaddr_v4(0x0A000000 + n / 60000), 80, (u16)(1024 + n % 60000)};
}

static void run(u32 rows) {
    size_t bytes = vcrt_bytes(rows + 1);
    void *storage = calloc(1, bytes);
    struct arena a;
    struct vcrt v;
    const struct hash_key key = {0x1234567, 0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35};
    u32 seed = 1;
    u64 probes = 0;
    CHECK(storage);
    arena_init(&a, storage, bytes);
    CHECK(vcrt_init(&v, &a, rows + 1, &key));
    for (u32 i = 0; i < rows; i++) {
        struct vcrt_key k = key_of(i);
        CHECK(vcrt_add(&v, &k, i % VCRT_TARGETS, VCRT_EV_SYN, 0));
    }
    for (u32 h = 0; h < 1u << (32 - v.table.shift); h++) {
        u64 n = 0;
        for (struct hash_row *r = v.table.head[h]; r; r = r->next) probes += ++n;
    }
    double begin = seconds();
    for (u32 i = 0; i < ROUNDS; i++) {
        seed = seed * 1664525u + 1013904223u;
        struct vcrt_key k = key_of((u32)((u64)seed * rows >> 32));
        struct vcrt_row *r = vcrt_find(&v, &k);
        CHECK(r);
        vcrt_segment(&v, r, TCPF_ACK, i, i, i);
    }
    double packet = seconds() - begin;
    begin = seconds();
    for (u32 i = 0; i < ROUNDS / 4; i++) {
        struct vcrt_key k = key_of(rows + i % 1000000);
        struct vcrt_row *r = vcrt_add(&v, &k, i % VCRT_TARGETS, VCRT_EV_SYN, i);
        CHECK(r);
        vcrt_step(&v, r, VCRT_EV_TEXT, i);
        vcrt_step(&v, r, VCRT_EV_CLOSED, i);
        vcrt_del(&v, r);
    }
    double life = seconds() - begin;
    printf("%8u rows, %3zu bytes each: %6.1f ns a segment (%.2f rows looked at), %6.1f ns a connection\n", rows,
           sizeof(struct vcrt_row), packet * 1e9 / ROUNDS, (double)probes / rows, life * 1e9 / (ROUNDS / 4));
    free(storage);
}

int main(void) {
    for (u32 rows = 1000; rows <= 1000000; rows *= 10) run(rows);
    return 0;
}
