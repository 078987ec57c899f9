/* netbench_main.c - the client side of the benchmark, over the host's ordinary TCP sockets.
 *
 *   netbench rr ADDRESS PORT COUNT        one byte there and back (an echo server), COUNT times: rate, latency
 *   netbench connect ADDRESS PORT COUNT   connect and close, COUNT times, one after the other
 *   netbench get ADDRESS PORT COUNT PATH  a whole HTTP/1.0 request and its answer on a connection of its own
 *   netbench spread ADDRESS PORT COUNT PATH   get, and who answered
 *   netbench hold ADDRESS PORT COUNT PATH N   the same with N connections open at a time: each is asked once, then they are closed together
 *   netbench many ADDRESS PORT COUNT      COUNT connections held at once, then closed
 *   netbench serve ADDRESS PORT BYTES     an HTTP/1.0 server for comparison: BYTES to each GET, counts what is PUT; until killed
 *
 * rr, connect, get and spread may be followed by CLIENTS (after PATH), which share COUNT and work at once; without it there is one.
 * spread and hold say which system answered: the line of each answer's text that ends in SYS and a letter.
 *
 * Prints "what count seconds rate p50_us p99_us" on one line; spread and hold, before it, a line "system answers" for each system seen.
 * Exit 1 if anything went wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT_MAX   200000
#define CLIENTS_MAX 64
#define HELD_MAX    1000
#define SYSTEMS     26 /* SYSA to SYSZ */
#define SERVERS     8

/* What the clients have in common, in memory that they share. */
struct shared {
    double took[COUNT_MAX];
    unsigned answers[CLIENTS_MAX][SYSTEMS];
};

static struct sockaddr_in target;
static const char *what, *path = "/";
static struct shared *all;

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int dial(void) {
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct timeval limit = {.tv_sec = 20};
    if (s < 0) return -1;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(s, (struct sockaddr *)&target, sizeof target) == 0) return s;
    close(s);
    return -1;
}

static int one_rr(int s) {
    char c = 'x';
    return s >= 0 && write(s, &c, 1) == 1 && read(s, &c, 1) == 1;
}

static int one_connect(void) {
    int s = dial();
    if (s < 0) return 0;
    close(s);
    return 1;
}

/* Whose page it is: its text names the system that made it, a word of SYS and a letter. 0: it does not, or not yet. */
static char system_named(const char *text) {
    for (const char *at = text; (at = strstr(at, "SYS")) != NULL; at += 3)
        if (at[3] >= 'A' && at[3] <= 'Z' && at[4] == '\n') return at[3];
    return 0;
}

static void note_system(const char *text, unsigned *answers) {
    char letter = system_named(text);
    if (letter) answers[letter - 'A']++;
}

static int one_get(unsigned *answers) {
    char text[4096];
    size_t got = 0;
    int s = dial();
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\n\r\n", path);
    if (s < 0 || write(s, text, (size_t)n) != n) {
        if (s >= 0) close(s);
        return 0;
    }
    ssize_t r;
    size_t keep = 0; /* the answer's beginning is kept for note_system(), the rest overwrites itself */
    while ((r = read(s, text + keep, sizeof text - 1 - keep)) > 0) {
        got += (size_t)r;
        if (answers && keep + (size_t)r < sizeof text / 2) keep += (size_t)r;
    }
    close(s);
    text[keep] = 0;
    if (answers) note_system(text, answers);
    return r == 0 && got > 16;
}

/* Opens a connection, asks, reads what names the system, and leaves it open: its descriptor; -1. */
static int ask_and_stay(unsigned *answers) {
    char text[4096];
    size_t got = 0;
    ssize_t r = 1;
    int s = dial(), n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: netbench\r\n\r\n", path);
    int ok = s >= 0 && write(s, text, (size_t)n) == n;
    text[0] = 0;
    while (ok && !system_named(text) && got < sizeof text - 1 && (r = read(s, text + got, sizeof text - 1 - got)) > 0)
        text[got += (size_t)r] = 0;
    note_system(text, answers);
    if (ok && r > 0) return s;
    if (s >= 0) close(s);
    return -1;
}

static int hold_in_rounds(int count, int at_once) {
    static int open_now[HELD_MAX];
    for (int i = 0; i < count; i += at_once) {
        int n = count - i < at_once ? count - i : at_once, ok = 1, held = 0;
        while (ok && held < n) {
            double before = seconds();
            ok = (open_now[held] = ask_and_stay(all->answers[0])) >= 0;
            all->took[i + held] = seconds() - before;
            if (ok) held++;
        }
        if (!ok) fprintf(stderr, "netbench: hold %d failed: %s\n", i + held, strerror(errno));
        while (held > 0) close(open_now[--held]);
        if (!ok) return 1;
    }
    return 0;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int hold_many(int count) {
    int *s = calloc((size_t)count, sizeof *s), ok = 1;
    double start = seconds();
    if (!s) return 1;
    for (int i = 0; i < count && ok; i++) ok = (s[i] = dial()) >= 0;
    double took = seconds() - start;
    for (int i = 0; i < count; i++)
        if (s[i] > 0) close(s[i]);
    free(s);
    printf("many %d %.3f %.0f 0 0\n", count, took, count / took);
    return !ok;
}

/* One client's share of the work: every clients-th of count. */
static int client_run(int me, int clients, int count) {
    int rr = strcmp(what, "rr") == 0, get = strcmp(what, "get") == 0, spread = strcmp(what, "spread") == 0;
    int s = rr ? dial() : -1;
    for (int i = me; i < count; i += clients) {
        double before = seconds();
        if (!(rr ? one_rr(s) : get || spread ? one_get(spread ? all->answers[me] : NULL) : one_connect())) {
            fprintf(stderr, "netbench: %s %d failed: %s\n", what, i, strerror(errno));
            return 1;
        }
        all->took[i] = seconds() - before;
    }
    return 0;
}

/* Clients are processes: what one waits for must not hold another. 0: all went well. */
static int clients_run(int clients, int count) {
    int bad = 0, status = 0;
    if (clients == 1) return client_run(0, 1, count);
    for (int i = 0; i < clients; i++) {
        pid_t child = fork();
        if (child == 0) _exit(client_run(i, clients, count));
        if (child < 0) return 1;
    }
    for (int i = 0; i < clients; i++)
        if (wait(&status) < 0 || status != 0) bad = 1;
    return bad;
}

/* One request on connection s, its answer, and the end: as the guest's HTTPD answers HTTP/1.0. */
static void serve_one(int s, const char *block, size_t block_bytes, size_t bytes) {
    char text[65536];
    ssize_t r = read(s, text, sizeof text - 1);
    if (r <= 0) return;
    text[r] = 0;
    if (strncmp(text, "PUT", 3) == 0) {
        const char *length = strcasestr(text, "content-length:"), *body = strstr(text, "\r\n\r\n");
        long long left = length ? atoll(length + 15) : 0;
        if (strcasestr(text, "expect: 100-continue")) dprintf(s, "HTTP/1.1 100 Continue\r\n\r\n");
        if (body) left -= text + r - (body + 4);
        while (left > 0 && (r = read(s, text, sizeof text)) > 0) left -= r;
        bytes = 0;
    }
    dprintf(s, "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", bytes);
    for (size_t at = 0; at < bytes;) {
        size_t part = bytes - at < block_bytes ? bytes - at : block_bytes;
        if ((r = write(s, block, part)) <= 0) return;
        at += (size_t)r;
    }
}

/* A few processes that accept in turn. */
static int serve(size_t bytes) {
    static char block[65536];
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    signal(SIGPIPE, SIG_IGN);
    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(s, (struct sockaddr *)&target, sizeof target) != 0 || listen(s, 1024) != 0)
        return perror("netbench serve"), 1;
    pid_t parent = getpid();
    for (int i = 1; i < SERVERS && getpid() == parent; i++) {
        pid_t child = fork();
        if (child < 0) return 1;
        if (child == 0) prctl(PR_SET_PDEATHSIG, SIGKILL); /* who ends the first of them ends all */
    }
    for (;;) {
        int c = accept(s, NULL, NULL);
        if (c < 0) continue;
        setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        serve_one(c, block, sizeof block, bytes);
        close(c);
    }
}

static void print_result(int count, double took) {
    for (int sys = 0; sys < SYSTEMS; sys++) {
        unsigned n = 0;
        for (int i = 0; i < CLIENTS_MAX; i++) n += all->answers[i][sys];
        if (n) printf("SYS%c %u\n", 'A' + sys, n);
    }
    qsort(all->took, (size_t)count, sizeof *all->took, compare);
    printf("%s %d %.3f %.0f %.0f %.0f\n", what, count, took, count / took, all->took[count / 2] * 1e6,
           all->took[(size_t)count * 99 / 100] * 1e6);
}

int main(int argc, char **argv) {
    if (argc < 5)
        return fputs("usage: netbench rr|connect|get|spread|hold|many|serve ADDRESS PORT COUNT [PATH [CLIENTS]]\n", stderr), 2;
    what = argv[1];
    if (argc > 5) path = argv[5];
    int count = atoi(argv[4]), clients = argc > 6 ? atoi(argv[6]) : 1;
    target.sin_family = AF_INET;
    target.sin_port = htons((unsigned short)atoi(argv[3]));
    if (inet_pton(AF_INET, argv[2], &target.sin_addr) != 1 || count < 1) return 2;
    if (strcmp(what, "serve") == 0) return serve((size_t)count);
    int hold = strcmp(what, "hold") == 0;
    if (count > COUNT_MAX || clients < 1 || clients > (hold ? HELD_MAX : CLIENTS_MAX)) return 2;
    if (strcmp(what, "many") == 0) return hold_many(count);
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return perror("netbench"), 1;
    double start = seconds();
    if ((hold ? hold_in_rounds(count, clients) : clients_run(clients, count)) != 0) return 1;
    print_result(count, seconds() - start);
    return 0;
}
