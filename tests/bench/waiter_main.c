/* waiter_main.c - clients that only read: who tells them, and when, that their server is gone?
 *
 *   waiter ADDRESS PORT COUNT SECONDS [AFTER]
 *
 * Opens COUNT connections, asks each for /status once, says "open PORT SERVER" for each (PORT: the client's), then "waiting", and sends
 * nothing any more. Whatever ends a connection is said at once: "end PORT SERVER MS ERRNO", MS since 1970, ERRNO 0 for FIN. Ends after
 * SECONDS, or AFTER seconds behind the last end of a connection, with "still PORT SERVER" for those that stand. Exit 1 if they could not be opened.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define COUNT_MAX 256

struct waiter {
    int port;
    char server[9];
};

static long long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The socket, its question asked; -1. */
static int open_one(const struct sockaddr_in *to) {
    static const char ask[] = "GET /status HTTP/1.1\r\nHost: x\r\n\r\n";
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || connect(s, (const struct sockaddr *)to, sizeof *to) || write(s, ask, sizeof ask - 1) != sizeof ask - 1) return -1;
    return s;
}

/* Who has answered; false if nobody has. The page says "SYSTEM name" in its first lines. */
static bool read_one(int s, struct waiter *w) {
    struct sockaddr_in own;
    socklen_t len = sizeof own;
    char text[8192], *at;
    ssize_t n = read(s, text, sizeof text - 1);
    if (n <= 0 || getsockname(s, (struct sockaddr *)&own, &len)) return false;
    text[n] = '\0';
    if ((at = strstr(text, "SYSTEM ")) == NULL || sscanf(at, "SYSTEM %8[A-Z0-9]", w->server) != 1) return false;
    w->port = ntohs(own.sin_port);
    printf("open %d %s\n", w->port, w->server);
    return true;
}

static void watch(struct pollfd *p, const struct waiter *w, int count, long long end, long long after) {
    char text[8192];
    int left = count;
    long long last = end;
    while (left && now_ms() < end && now_ms() < last) {
        if (poll(p, (nfds_t)count, 100) <= 0) continue;
        for (int i = 0; i < count; i++) {
            if (p[i].fd < 0 || !p[i].revents) continue;
            ssize_t n = read(p[i].fd, text, sizeof text);
            if (n > 0) continue;
            printf("end %d %s %lld %d\n", w[i].port, w[i].server, now_ms(), n < 0 ? errno : 0);
            fflush(stdout);
            close(p[i].fd);
            p[i].fd = -1;
            left--;
            last = now_ms() + after;
        }
    }
}

int main(int argc, char **argv) {
    struct sockaddr_in to = {.sin_family = AF_INET};
    static struct pollfd p[COUNT_MAX];
    static struct waiter w[COUNT_MAX];
    if (argc < 5 || argc > 6 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) return fputs("usage: waiter ADDRESS PORT COUNT SECONDS [AFTER]\n", stderr), 2;
    int count = atoi(argv[3]);
    to.sin_port = htons((unsigned short)atoi(argv[2]));
    if (count < 1 || count > COUNT_MAX) return 2;
    for (int i = 0; i < count; i++) {
        p[i] = (struct pollfd){.fd = open_one(&to), .events = POLLIN};
        if (p[i].fd < 0) return perror("waiter"), 1;
    }
    usleep(200000); /* the whole pages are there, and their acknowledgements have gone */
    for (int i = 0; i < count; i++)
        if (!read_one(p[i].fd, &w[i])) return perror("waiter"), 1;
    puts("waiting");
    fflush(stdout);
    int seconds = atoi(argv[4]), after = argc > 5 ? atoi(argv[5]) : seconds;
    watch(p, w, count, now_ms() + seconds * 1000LL, after * 1000LL);
    for (int i = 0; i < count; i++)
        if (p[i].fd >= 0) printf("still %d %s\n", w[i].port, w[i].server);
    return 0;
}
