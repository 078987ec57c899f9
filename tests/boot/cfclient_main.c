/* cfclient_main.c - a system without an emulator in front of a coupling facility: what a link device does, and a little of what a
 * guest would. For tests/boot/cf.sh.
 *
 *   cfclient SOCKET SYSTEM INCARNATION COMMAND
 *     info                      prints what IDENTIFY says
 *     send N BYTES              N numbered entries to the tail of list 1 of structure QUEUE; waits where the structure is full
 *     receive N                 takes N from list 1 as notices say that there are some; checks number, length and content
 *     echo N BYTES              N round trips: an entry to list 1, the answer on list 2 (a "reflect N" must run)
 *     reflect N
 *     hold                      takes lock 5 of LOCKS exclusively and a record, then asks every 50 ms until it is refused
 *     take                      waits for lock 5 and takes it; a holder that failed is recovered first
 *     isolate NAME INCARNATION
 * Prints one line an event; exit 0, or 1 with a line that says why.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hercules-devices/peer.h"
#include "wire/cfcmd.h"

#define WAIT_SEC 30

struct client {
    struct peer *peer;
    pthread_mutex_t lock;
    pthread_cond_t news;
    bool up, answered, pending, lost, isolated;
    u8 cmd[CF_MESSAGE_MAX], rsp[CF_MESSAGE_MAX];
    u32 len, token;
    u8 id;
};

static struct client c = {.lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER};

static _Noreturn void fail(const char *what, u32 number) {
    printf("failed: %s %u\n", what, number);
    fflush(stdout);
    _exit(1);
}

/* ---- the peer's thread ---- */

static void on_up(void *ctx, struct peer *p, const struct peer_identity *other) {
    UNUSED(ctx);
    UNUSED(other);
    pthread_mutex_lock(&c.lock);
    c.peer = p;
    c.up = true;
    pthread_cond_broadcast(&c.news);
    pthread_mutex_unlock(&c.lock);
}
static bool on_message(void *ctx, struct peer *p, const u8 *msg, u32 len) {
    UNUSED(ctx);
    UNUSED(p);
    if (!cf_message_check(msg, len)) fail("a message of no shape", len);
    pthread_mutex_lock(&c.lock);
    if (msg[1] & CF_RESPONSE) {
        memcpy(c.rsp, msg, len);
        c.answered = true;
    }
    c.pending |= msg[1] == CF_PENDING;
    c.isolated |= msg[1] == CF_ISOLATED;
    pthread_cond_broadcast(&c.news);
    pthread_mutex_unlock(&c.lock);
    return true;
}
static void on_down(void *ctx, struct peer *p) {
    UNUSED(ctx);
    UNUSED(p);
    pthread_mutex_lock(&c.lock);
    c.up = false;
    c.lost = true;
    pthread_cond_broadcast(&c.news);
    pthread_mutex_unlock(&c.lock);
}
static void on_log(void *ctx, const char *text) {
    UNUSED(ctx);
    fprintf(stderr, "%s\n", text);
}

static const struct peer_ops ops = {.up = on_up, .message = on_message, .down = on_down, .log = on_log};

/* Waits until *flag or the link is lost; takes the flag back. */
static void wait_for(bool *flag) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SEC;
    pthread_mutex_lock(&c.lock);
    while (!*flag && !c.lost && !c.isolated)
        if (pthread_cond_timedwait(&c.news, &c.lock, &until) != 0) fail("nothing for seconds:", WAIT_SEC);
    bool got = *flag;
    *flag = false;
    pthread_mutex_unlock(&c.lock);
    if (!got) {
        puts(c.isolated ? "isolated" : "lost");
        fflush(stdout);
        _exit(3);
    }
}

/* ---- commands ---- */

static void begin(u8 op, u32 len) {
    memset(c.cmd, 0, len);
    cf_command_put(c.cmd, op, 1, len, c.token, c.id);
    c.len = len;
}

static u32 run(void) {
    u8 *p;
    be32_put(c.cmd + 4, c.len);
    while (!(p = peer_reserve(c.peer, c.len))) {
        if (c.lost) wait_for(&c.answered);
        usleep(100);
    }
    memcpy(p, c.cmd, c.len);
    peer_commit(c.peer, c.len);
    peer_flush(c.peer);
    wait_for(&c.answered);
    return cf_rc_get(c.rsp);
}

static void name(u8 *out, const char *text) {
    memset(out, ' ', CF_NAME_BYTES);
    memcpy(out, text, strlen(text));
}

static void join(const char *structure, const char *connection, u8 type, u8 flags) {
    begin(CF_CONNECT, CF_CONNECT_BYTES);
    name(c.cmd + 16, structure);
    name(c.cmd + 32, connection);
    c.cmd[48] = type;
    c.cmd[49] = flags;
    c.cmd[50] = 2;
    c.cmd[51] = 63;
    be32_put(c.cmd + 52, 16);
    be32_put(c.cmd + 60, 32);
    be32_put(c.cmd + 64, 4096);
    u32 rc = run();
    if (rc != CF_OK) fail("connect", rc);
    c.token = be32_get(c.rsp + 16);
    c.id = c.rsp[20];
}

static void drain(void) {
    do begin(CF_DRAIN, CF_CMD_BYTES);
    while (run() == CF_RC_MORE);
}

/* ---- queues ---- */

static void put(u32 list, u32 number, u32 bytes) {
    u32 rc;
    do {
        begin(CF_WRITE, CF_LIST_BYTES);
        be32_put(c.cmd + 16, list);
        c.cmd[37] = 1;
        be16_put(c.cmd + 38, CF_F_DATA);
        memset(c.cmd + CF_LIST_BYTES, (int)(number & 0xFF), bytes);
        be32_put(c.cmd + CF_LIST_BYTES, number);
        c.len += bytes;
        rc = run();
        if (rc == CF_RC_FULL) usleep(1000);
    } while (rc == CF_RC_FULL);
    if (rc != CF_OK) fail("write", rc);
}

static void monitor(u32 list) {
    begin(CF_MONITOR_LIST, 40);
    be32_put(c.cmd + 16, list);
    be32_put(c.cmd + 20, list);
    c.cmd[36] = 1;
    if (run() != CF_OK) fail("monitor", cf_rc_get(c.rsp));
}

/* Takes what is there; the numbers must follow each other. */
static u32 get(u32 list, u32 expected) {
    u32 rc;
    do {
        begin(CF_READ_LIST, CF_LIST_BYTES);
        be32_put(c.cmd + 16, list);
        be16_put(c.cmd + 38, CF_F_DATA | CF_F_DELETE);
        rc = run();
        if (rc != CF_OK && rc != CF_RC_MORE) fail("read", rc);
        const u8 *e = c.rsp + CF_RSP_BYTES;
        for (u32 i = cf_count_get(c.rsp); i; i--, e += be32_get(e), expected++) {
            u32 bytes = be32_get(e + 20);
            if (be32_get(e + CF_ENTRY_BYTES) != expected) fail("out of order:", be32_get(e + CF_ENTRY_BYTES));
            for (u32 k = 4; k < bytes; k++)
                if (e[CF_ENTRY_BYTES + k] != (u8)expected) fail("damaged:", expected);
        }
    } while (rc == CF_RC_MORE);
    return expected;
}

static u32 wait_and_get(u32 list, u32 expected) {
    u32 now = get(list, expected);
    while (now == expected) {
        wait_for(&c.pending);
        drain();
        now = get(list, expected);
    }
    return now;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void queue_command(const char *system, const char *what, u32 n, u32 bytes) {
    join("QUEUE", system, CF_TYPE_LIST, CF_CONN_STRUCTURE_KEEP);
    bool sends = strcmp(what, "send") == 0, echoes = strcmp(what, "echo") == 0, reflects = strcmp(what, "reflect") == 0;
    if (!sends) monitor(echoes ? 2 : 1);
    double start = seconds();
    for (u32 i = 0; i < n;) {
        if (sends) put(1, i++, bytes);
        else if (echoes) {
            put(1, i, bytes);
            i = wait_and_get(2, i);
        } else {
            u32 to = wait_and_get(1, i);
            for (; reflects && i < to; i++) put(2, i, 4);
            i = to;
        }
    }
    double t = seconds() - start;
    printf("%s %u in order, %.0f a second\n", what, n, n / t);
}

/* ---- locks ---- */

static u32 lock(u8 op, u8 wait) {
    begin(op, CF_LOCK_BYTES);
    be32_put(c.cmd + 16, 5);
    c.cmd[20] = CF_EXCLUSIVE;
    c.cmd[21] = wait;
    return run();
}

static void hold(const char *system) {
    join("LOCKS", system, CF_TYPE_LOCK, CF_CONN_KEEP);
    if (lock(CF_OBTAIN, 0) != CF_OK) fail("obtain", cf_rc_get(c.rsp));
    begin(CF_RECORD_SET, 128);
    memcpy(c.cmd + 32, "RESOURCE FIVE", 13);
    if (run() != CF_OK) fail("record", cf_rc_get(c.rsp));
    puts("holding");
    fflush(stdout);
    for (u32 rc; (rc = lock(CF_OBTAIN, 0)) == CF_OK;) usleep(50000);
    fail("refused", cf_rc_get(c.rsp));
}

static void recover(u8 id) {
    begin(CF_RECORD_READ, 24);
    c.cmd[20] = id;
    if (run() != CF_OK || cf_count_get(c.rsp) != 1) fail("records", cf_count_get(c.rsp));
    printf("recovered %.13s\n", (const char *)c.rsp + CF_RSP_BYTES + 32);
    begin(CF_FORCE, 48);
    c.cmd[16] = id;
    if (run() != CF_OK) fail("force", cf_rc_get(c.rsp));
}

/* Not of those that stay: what it took is free when it ends. */
static void take(const char *system) {
    join("LOCKS", system, CF_TYPE_LOCK, 0);
    while (lock(CF_OBTAIN, 1) == CF_RC_CONTENTION) {
        u8 holder = c.rsp[16];
        puts("contention");
        fflush(stdout);
        if (holder && (be32_get(c.rsp + 28) >> (holder - 1) & 1)) recover(holder);
        wait_for(&c.pending);
        drain();
    }
    puts(cf_rc_get(c.rsp) == CF_OK ? "taken" : "refused");
}

/* ---- the rest ---- */

static void info(void) {
    begin(CF_IDENTIFY, CF_CMD_BYTES);
    if (run() != CF_OK) fail("identify", cf_rc_get(c.rsp));
    printf("%.8s level %u storage %u free %u structures %u\n", (const char *)c.rsp + 16, be32_get(c.rsp + 24),
           be32_get(c.rsp + 28), be32_get(c.rsp + 32), be32_get(c.rsp + 36));
}

static void isolate(const char *system, const char *incarnation) {
    begin(CF_ISOLATE, 40);
    name(c.cmd + 16, system);
    be64_put(c.cmd + 32, strtoull(incarnation, NULL, 10));
    if (run() != CF_OK) fail("isolate", cf_rc_get(c.rsp));
    puts("is isolated");
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "cfclient SOCKET SYSTEM INCARNATION COMMAND...\n");
        return 2;
    }
    struct peer_identity self = {.kind = PEER_CF, .incarnation = strtoull(argv[3], NULL, 10)};
    snprintf(self.name, sizeof self.name, "%s", argv[2]);
    u32 n = argc > 5 ? (u32)strtoul(argv[5], NULL, 10) : 0, bytes = argc > 6 ? (u32)strtoul(argv[6], NULL, 10) : 4;
    if (!peer_connect(argv[1], &self, &ops, NULL)) return 2;
    wait_for(&c.up);
    if (strcmp(argv[4], "info") == 0) info();
    else if (strcmp(argv[4], "hold") == 0) hold(argv[2]);
    else if (strcmp(argv[4], "take") == 0) take(argv[2]);
    else if (strcmp(argv[4], "isolate") == 0 && argc == 7) isolate(argv[5], argv[6]);
    else queue_command(argv[2], argv[4], n, bytes < 4 || bytes > 61440 ? 4 : bytes);
    fflush(stdout);
    _exit(0); /* the peer's thread is not asked */
}
