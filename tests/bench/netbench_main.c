/* netbench_main.c - the client side of the benchmark, over the host's ordinary TCP sockets.
 *
 *   netbench rr ADDRESS PORT COUNT        one byte there and back (an echo server), COUNT times: rate, latency
 *   netbench connect ADDRESS PORT COUNT   connect and close, COUNT times, one after the other
 *   netbench get ADDRESS PORT COUNT PATH  a whole HTTP/1.0 request and its answer on a connection of its own
 *   netbench many ADDRESS PORT COUNT      COUNT connections held at once, then closed
 *
 * Prints "what count seconds rate p50_us p99_us" on one line. Exit 1 if anything went wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define COUNT_MAX 200000

static struct sockaddr_in target;

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

static int one_get(const char *path) {
    char text[4096];
    size_t got = 0;
    int s = dial();
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\n\r\n", path);
    if (s < 0 || write(s, text, (size_t)n) != n) {
        if (s >= 0) close(s);
        return 0;
    }
    ssize_t r;
    while ((r = read(s, text, sizeof text)) > 0) got += (size_t)r;
    close(s);
    return r == 0 && got > 16;
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

int main(int argc, char **argv) {
    static double took[COUNT_MAX];
    if (argc < 5) return fputs("usage: netbench rr|connect|get|many ADDRESS PORT COUNT [PATH]\n", stderr), 2;
    const char *what = argv[1], *path = argc > 5 ? argv[5] : "/";
    int count = atoi(argv[4]);
    target.sin_family = AF_INET;
    target.sin_port = htons((unsigned short)atoi(argv[3]));
    if (inet_pton(AF_INET, argv[2], &target.sin_addr) != 1 || count < 1 || count > COUNT_MAX) return 2;
    if (strcmp(what, "many") == 0) return hold_many(count);
    int rr = strcmp(what, "rr") == 0, get = strcmp(what, "get") == 0;
    int s = rr ? dial() : -1;
    double start = seconds();
    for (int i = 0; i < count; i++) {
        double before = seconds();
        if (!(rr ? one_rr(s) : get ? one_get(path) : one_connect())) {
            fprintf(stderr, "netbench: %s %d failed: %s\n", what, i, strerror(errno));
            return 1;
        }
        took[i] = seconds() - before;
    }
    double all = seconds() - start;
    qsort(took, (size_t)count, sizeof *took, compare);
    printf("%s %d %.3f %.0f %.0f %.0f\n", what, count, all, count / all, took[count / 2] * 1e6, took[count * 99 / 100] * 1e6);
    return 0;
}
