/* bench_card_main.c - what a connection between two processes of a plex costs: messages of several sizes from one process
 * to another, over the rings in shared memory and over TCP, beside a Unix socket that keeps boundaries and beside
 * memcpy, all in one run on one machine. And the round trip of a small message, both sides asleep in between.
 */
#include "base/be.h"
#include "hercules-devices/peer.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 1.0

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct {
    struct peer *_Atomic peer;
    _Atomic u64 echoes;
    u64 got, bytes;
} side;

static void on_up(void *ctx, struct peer *p, const struct peer_identity *other) {
    UNUSED(ctx);
    UNUSED(other);
    atomic_store(&side.peer, p);
}
/* The child: a message whose first byte is 1 is sent back. */
static bool child_message(void *ctx, struct peer *p, const u8 *msg, u32 len) {
    UNUSED(ctx);
    if (msg[0] != 1) return true;
    u8 *out = peer_reserve(p, len);
    if (!out) return false;
    memcpy(out, msg, len);
    peer_commit(p, len);
    return true;
}
static void child_end(void *ctx, struct peer *p) {
    UNUSED(ctx);
    peer_flush(p);
}
static bool parent_message(void *ctx, struct peer *p, const u8 *msg, u32 len) {
    UNUSED(ctx);
    UNUSED(p);
    UNUSED(msg);
    UNUSED(len);
    atomic_fetch_add(&side.echoes, 1);
    return true;
}
static void on_log(void *ctx, const char *text) {
    UNUSED(ctx);
    if (!strstr(text, "waits for")) fprintf(stderr, "%s\n", text);
}

static pid_t child_start(const char *address) {
    fflush(NULL);
    pid_t pid = fork();
    if (pid) return pid;
    static const struct peer_ops ops = {.up = on_up, .message = child_message, .batch_end = child_end, .log = on_log};
    struct peer_identity id = {.kind = PEER_OSA, .name = "OSA1"};
    struct peer_server *s = peer_serve(address, &id, &ops, NULL);
    for (struct pollfd pfd = {.fd = s ? peer_server_fd(s) : -1, .events = POLLIN}; s && getppid() != 1;)
        if (!peer_server_poll(s)) poll(&pfd, 1, 100);
    _exit(s == NULL);
}

static bool send_one(struct peer *p, u32 len, u8 first) {
    u8 *m = peer_reserve(p, len);
    if (!m) return false;
    memset(m, 0x5A, len);
    m[0] = first;
    peer_commit(p, len);
    return true;
}

static double stream_peer(struct peer *p, u32 len) {
    u64 sent = 0;
    double start = now_s(), t;
    do {
        for (u32 i = 0; i < 32; i++) sent += send_one(p, len, 0);
        peer_flush(p);
    } while ((t = now_s() - start) < SECONDS);
    return (double)sent / t;
}

static double round_trip_us(struct peer *p) {
    u32 n = 0;
    double start = now_s(), t;
    do {
        u64 before = atomic_load(&side.echoes);
        if (!send_one(p, 64, 1)) continue;
        peer_flush(p);
        while (atomic_load(&side.echoes) == before && now_s() - start < 2 * SECONDS) usleep(0);
        n++;
    } while ((t = now_s() - start) < SECONDS);
    return t / n * 1e6;
}

static void peer_run(const char *what, const char *address, const u32 *sizes, u32 count) {
    static const struct peer_ops ops = {.up = on_up, .message = parent_message, .log = on_log};
    struct peer_identity id = {.kind = PEER_OSA, .name = "SYSA", .expected = "OSA1"};
    atomic_store(&side.peer, NULL);
    pid_t child = child_start(address);
    struct peer *p = peer_connect(address, &id, &ops, NULL);
    for (u32 i = 0; i < 3000 && !atomic_load(&side.peer); i++) usleep(1000);
    if (!p || !atomic_load(&side.peer)) {
        printf("%-14s no connection\n", what);
    } else {
        printf("%-14s", what);
        for (u32 i = 0; i < count; i++) {
            double rate = stream_peer(p, sizes[i]);
            printf(" %9.0f/s %6.2f GB/s", rate, rate * sizes[i] / 1e9);
        }
        usleep(200000);
        printf("   round trip %.1f us\n", round_trip_us(p));
    }
    if (p) peer_close(p);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    unlink(address);
}

static void socket_run(const u32 *sizes, u32 count) {
    static u8 buf[PEER_MESSAGE_MAX];
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) != 0) return;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        while (read(fds[1], buf, sizeof buf) > 0) continue;
        _exit(0);
    }
    close(fds[1]);
    printf("%-14s", "unix socket");
    for (u32 i = 0; i < count; i++) {
        u64 sent = 0;
        double start = now_s(), t;
        do {
            for (u32 k = 0; k < 32; k++) sent += write(fds[0], buf, sizes[i]) > 0;
        } while ((t = now_s() - start) < SECONDS);
        printf(" %9.0f/s %6.2f GB/s", (double)sent / t, (double)sent * sizes[i] / t / 1e9);
    }
    printf("\n");
    close(fds[0]);
    waitpid(child, NULL, 0);
}

static void memcpy_run(const u32 *sizes, u32 count) {
    enum { SPACE = 4 << 20 };
    u8 *to = malloc(SPACE), *from = calloc(1, PEER_MESSAGE_MAX);
    if (!to || !from) return;
    printf("%-14s", "memcpy, twice");
    for (u32 i = 0; i < count; i++) {
        u64 n = 0;
        u32 at = 0;
        double start = now_s(), t;
        do {
            for (u32 k = 0; k < 32; k++, n++) {
                memcpy(to + at, from, sizes[i]);
                memcpy(from, to + at, sizes[i]);
                at = (at + sizes[i]) % (SPACE - PEER_MESSAGE_MAX);
                __asm__ volatile("" ::: "memory");
            }
        } while ((t = now_s() - start) < SECONDS / 2);
        printf(" %9.0f/s %6.2f GB/s", (double)n / t, (double)n * sizes[i] / t / 1e9);
    }
    printf("\n");
    free(to);
    free(from);
}

int main(void) {
    static const u32 sizes[] = {64, 1500, 65536};
    char path[64], tcp[64];
    snprintf(path, sizeof path, "/tmp/bench_card.%d", (int)getpid());
    snprintf(tcp, sizeof tcp, "tcp:127.0.0.1:%d", 20000 + (int)getpid() % 20000);
    printf("messages of        64 bytes               1500 bytes                65536 bytes\n");
    memcpy_run(sizes, ARRAY_LEN(sizes));
    socket_run(sizes, ARRAY_LEN(sizes));
    peer_run("peer, rings", path, sizes, ARRAY_LEN(sizes));
    peer_run("peer, TCP", tcp, sizes, ARRAY_LEN(sizes));
    return 0;
}
