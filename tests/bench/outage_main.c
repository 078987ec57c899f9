/* outage_main.c - what a client sees of an address while it moves: the prober, the witness and the judge of tests/bench/outage.sh.
 *
 *   outage probe ADDRESS PORT LOG    every EVERY_US a new connection asks for /status; at SIGTERM no more are begun, and it ends
 *                                    with the last of them
 *   outage arp DEVICE ADDRESS LOG    a third host's ear: every ARP packet whose sender says that it has ADDRESS
 *   outage serve ADDRESS PORT NAME   a server whose page says "SYSTEM NAME" (the systems beside it that are no S/390)
 *   outage lines LOG FILE...         what is added to the files from now on, stamped: where the time goes between the event and the answer
 *   outage now                       the clock of the logs: CLOCK_MONOTONIC in microseconds
 *   outage judge LOG SINCE OLD       one line "gap_us from to late two lost slow tried"; exit 1 if nobody answered after SINCE
 *
 * A line of a prober's log: "started ended WHO", WHO the name on the page, or -REFUSED, -RESET, -CLOSED (no page), -SILENT (nothing
 * for PATIENCE_US, in which Linux has sent its SYN twice), -NOROUTE.
 * A line of a witness's log: "moment request|reply MAC". A line of what was added to a file: "moment FILE text", FILE its bare name.
 *
 *   gap    the longest time between two answers that follow each other, the later one after SINCE and, when somebody else than OLD
 *          answers at last, from AROUND_US before his first answer to twice that after it: what a busy host does to the
 *          answers at other times is not the move's
 *   from   who gave the answer before the gap; to: the one after it
 *   late   answers of OLD that came after the first answer of somebody else
 *   two    of these, those whose connection began after it: two systems own the address
 *   lost   connections begun after SINCE that were not answered; slow: answered, but only after a second try of the client's TCP;
 *          tried: all that were begun after SINCE
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EVERY_US    5000
#define PATIENCE_US 2400000
#define SLOW_US     900000 /* Linux sends a SYN again after a second */
#define AROUND_US   100000
#define SLOTS       512 /* PATIENCE_US / EVERY_US are under way at most */
#define PAGE_BYTES  1024
#define NAME_BYTES  16
#define ARP_BYTES   42
#define FILES       32

static const char REQUEST[] = "GET /status HTTP/1.0\r\n\r\n";

static volatile sig_atomic_t ended;
static void on_end(int signo) {
    (void)signo;
    ended = 1;
}

static long long now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int fail(const char *what) {
    fprintf(stderr, "outage: %s: %s\n", what, strerror(errno));
    return 2;
}

/* SIGTERM ends each kind of run in order, so that its log is whole. */
static FILE *begin_log(const char *path) {
    struct sigaction sa = {.sa_handler = on_end};
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    FILE *log = fopen(path, "w");
    if (log) setvbuf(log, NULL, _IOLBF, 1 << 12);
    return log;
}

static bool target(const char *address, const char *port, struct sockaddr_in *out) {
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
    return inet_pton(AF_INET, address, &out->sin_addr) == 1;
}

/* ---- probe ---- */

/* One attempt; fd < 0: the slot is free. */
struct attempt {
    int fd;
    long long started;
    bool asked;
    size_t got;
    char page[PAGE_BYTES];
};
struct prober {
    struct sockaddr_in to;
    FILE *log;
    int events, open;
    struct attempt slot[SLOTS];
};

static const char *why(int error) {
    switch (error) {
    case ECONNREFUSED: return "-REFUSED";
    case ECONNRESET: return "-RESET";
    case EHOSTUNREACH:
    case ENETUNREACH: return "-NOROUTE";
    case ETIMEDOUT: return "-SILENT";
    default: return "-CLOSED";
    }
}

static void attempt_over(struct prober *p, struct attempt *a, const char *who) {
    fprintf(p->log, "%lld %lld %s\n", a->started, now_us(), who);
    if (a->fd >= 0) close(a->fd);
    a->fd = -1;
    p->open--;
}

static void attempt_begin(struct prober *p) {
    struct attempt *a = NULL;
    for (int i = 0; i < SLOTS && !a; i++)
        if (p->slot[i].fd < 0) a = &p->slot[i];
    if (!a) return; /* cannot be: PATIENCE_US frees them */
    *a = (struct attempt){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .started = now_us()};
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = a};
    p->open++;
    if (a->fd < 0 || epoll_ctl(p->events, EPOLL_CTL_ADD, a->fd, &e) != 0) {
        attempt_over(p, a, "-CLOSED");
    } else if (connect(a->fd, (const struct sockaddr *)&p->to, sizeof p->to) != 0 && errno != EINPROGRESS) {
        attempt_over(p, a, why(errno));
    }
}

/* The name on the page once it is there, its blanks cut off. */
static bool page_name(const char *page, char name[NAME_BYTES]) {
    const char *line = strstr(page, "SYSTEM ");
    if (!line || !strchr(line, '\n')) return false;
    snprintf(name, NAME_BYTES, "%.*s", (int)strcspn(line + 7, " \r\n"), line + 7);
    return name[0] != 0;
}

static void attempt_reads(struct prober *p, struct attempt *a) {
    char name[NAME_BYTES];
    for (;;) {
        ssize_t n = read(a->fd, a->page + a->got, sizeof a->page - 1 - a->got);
        if (n < 0 && errno == EAGAIN) return;
        if (n > 0) {
            a->got += (size_t)n;
            a->page[a->got] = 0;
            if (!page_name(a->page, name)) continue;
            attempt_over(p, a, name);
        } else {
            attempt_over(p, a, n == 0 ? "-CLOSED" : why(errno));
        }
        return;
    }
}

static void attempt_event(struct prober *p, struct attempt *a, unsigned events) {
    int error = 0;
    socklen_t len = sizeof error;
    if (a->fd < 0) return;
    if (events & (EPOLLERR | EPOLLHUP)) getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        attempt_over(p, a, why(error));
        return;
    }
    if (!a->asked && (events & EPOLLOUT)) {
        a->asked = true;
        if (write(a->fd, REQUEST, sizeof REQUEST - 1) != sizeof REQUEST - 1) {
            attempt_over(p, a, why(errno));
            return;
        }
    }
    if (a->asked) attempt_reads(p, a);
}

static void give_up_old(struct prober *p) {
    long long now = now_us();
    for (int i = 0; i < SLOTS; i++)
        if (p->slot[i].fd >= 0 && now - p->slot[i].started >= PATIENCE_US) attempt_over(p, &p->slot[i], "-SILENT");
}

static int probe(const char *address, const char *port, const char *path) {
    static struct prober p;
    struct itimerspec every = {.it_interval.tv_nsec = EVERY_US * 1000, .it_value.tv_nsec = EVERY_US * 1000};
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    if (!target(address, port, &p.to)) return 2;
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    p.events = epoll_create1(EPOLL_CLOEXEC);
    p.log = begin_log(path);
    for (int i = 0; i < SLOTS; i++) p.slot[i].fd = -1;
    if (!p.log || timer < 0 || epoll_ctl(p.events, EPOLL_CTL_ADD, timer, &e) != 0) return fail(path);
    timerfd_settime(timer, 0, &every, NULL);
    while (!ended || p.open) {
        struct epoll_event ready[64];
        int n = epoll_wait(p.events, ready, 64, 1000);
        for (int i = 0; i < n; i++) {
            unsigned long long ticks;
            if (ready[i].data.ptr) {
                attempt_event(&p, ready[i].data.ptr, ready[i].events);
            } else if (read(timer, &ticks, sizeof ticks) == sizeof ticks) {
                give_up_old(&p);
                if (!ended) attempt_begin(&p); /* one, however late we are: a late prober must not press on */
            }
        }
    }
    return fclose(p.log) == 0 ? 0 : fail(path);
}

/* ---- arp ---- */

static int arp(const char *device, const char *address, const char *path) {
    struct in_addr want;
    unsigned char f[1500];
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP)};
    if (inet_pton(AF_INET, address, &want) != 1) return 2;
    int s = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ARP));
    at.sll_ifindex = (int)if_nametoindex(device);
    if (s < 0 || at.sll_ifindex == 0 || bind(s, (struct sockaddr *)&at, sizeof at) != 0) return fail(device);
    FILE *log = begin_log(path);
    if (!log) return fail(path);
    struct timeval limit = {.tv_usec = 200000};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    while (!ended) {
        ssize_t n = recv(s, f, sizeof f, 0);
        /* Ethernet 14 bytes; then operation at 6, sender's MAC at 8, its address at 14 */
        if (n < ARP_BYTES || memcmp(f + 28, &want, 4) != 0) continue;
        fprintf(log, "%lld %s %02x:%02x:%02x:%02x:%02x:%02x\n", now_us(), f[21] == 1 ? "request" : "reply", f[22], f[23], f[24],
                f[25], f[26], f[27]);
    }
    return fclose(log) == 0 ? 0 : fail(path);
}

/* ---- lines ---- */

/* A file's new lines go to the log, all of them with the moment at which they were seen. */
static void lines_new(FILE *file, const char *path, FILE *log) {
    char text[512];
    long long moment = now_us();
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    clearerr(file);
    while (fgets(text, sizeof text, file)) {
        text[strcspn(text, "\n")] = 0;
        fprintf(log, "%lld %.*s %s\n", moment, (int)strcspn(name, "."), name, text);
    }
}

static int lines(const char *path, char **files, int n) {
    FILE *file[FILES];
    int watch[FILES], news = inotify_init1(IN_CLOEXEC);
    _Alignas(struct inotify_event) char events[4096];
    FILE *log = begin_log(path);
    if (n > FILES || news < 0 || !log) return fail(path);
    for (int i = 0; i < n; i++) {
        watch[i] = inotify_add_watch(news, files[i], IN_MODIFY);
        file[i] = fopen(files[i], "re");
        if (watch[i] < 0 || !file[i] || fseek(file[i], 0, SEEK_END) != 0) return fail(files[i]);
    }
    while (!ended) {
        ssize_t got = read(news, events, sizeof events); /* SIGTERM ends it: its action does not restart */
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)(events + at);
            for (int i = 0; i < n; i++)
                if (watch[i] == e->wd) lines_new(file[i], files[i], log);
            at += (ssize_t)(sizeof *e + e->len);
        }
    }
    return fclose(log) == 0 ? 0 : fail(path);
}

/* ---- serve ---- */

static int serve(const char *address, const char *port, const char *name) {
    struct sockaddr_in at;
    char page[128], request[512];
    int one = 1;
    int n = snprintf(page, sizeof page, "HTTP/1.0 200 OK\r\n\r\nSYSTEM %s\n", name);
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0 || !target(address, port, &at)) return 2;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(s, (struct sockaddr *)&at, sizeof at) != 0 || listen(s, SLOTS) != 0) return fail("serve");
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int c = accept(s, NULL, NULL);
        struct timeval limit = {.tv_usec = 100000};
        if (c < 0) continue;
        setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (read(c, request, sizeof request) <= 0 || write(c, page, (size_t)n) != n) errno = 0; /* the prober counts it */
        close(c);
    }
}

/* ---- judge ---- */

struct line {
    long long started, ended;
    char who[NAME_BYTES];
};

static int by_end(const void *a, const void *b) {
    const struct line *x = a, *y = b;
    return x->ended < y->ended ? -1 : x->ended > y->ended;
}

static struct line *read_log(const char *path, size_t *count) {
    struct line *all = NULL, l;
    size_t room = 0;
    FILE *f = fopen(path, "r");
    *count = 0;
    while (f && fscanf(f, "%lld %lld %15s", &l.started, &l.ended, l.who) == 3) {
        if (*count == room) {
            room = room ? room * 2 : 1024;
            struct line *more = realloc(all, room * sizeof *all);
            if (!more) abort();
            all = more;
        }
        all[(*count)++] = l;
    }
    if (f) fclose(f);
    if (*count) qsort(all, *count, sizeof *all, by_end);
    return all;
}

/* The first answer after since by somebody else than old, NULL. */
static const struct line *first_other(const struct line *all, size_t n, long long since, const char *old) {
    for (size_t i = 0; i < n; i++)
        if (all[i].ended >= since && all[i].who[0] != '-' && strcmp(all[i].who, old) != 0) return &all[i];
    return NULL;
}

static int judge(const char *path, long long since, const char *old) {
    size_t n;
    struct line *all = read_log(path, &n);
    const struct line *before = NULL, *from = NULL, *to = NULL, *other = first_other(all, n, since, old);
    long long gap = -1, begin = since, end = n ? all[n - 1].ended : 0;
    if (other) {
        begin = other->ended - AROUND_US > since ? other->ended - AROUND_US : since;
        end = other->ended + 2 * AROUND_US;
    }
    int late = 0, two = 0, lost = 0, slow = 0, tried = 0;
    for (size_t i = 0; i < n; i++) {
        const struct line *l = &all[i];
        if (l->started >= since) {
            tried++;
            lost += l->who[0] == '-';
            slow += l->who[0] != '-' && l->ended - l->started > SLOW_US;
        }
        if (l->who[0] == '-') continue;
        if (other && l->ended > other->ended && strcmp(l->who, old) == 0) {
            late++;
            two += l->started > other->ended;
        }
        if (before && l->ended >= begin && l->ended <= end && l->ended - before->ended > gap) {
            gap = l->ended - before->ended;
            from = before;
            to = l;
        }
        before = l;
    }
    if (from)
        printf("%lld %s %s %d %d %d %d %d\n", gap, from->who, to->who, late, two, lost, slow, tried);
    else
        printf("-1 - - %d %d %d %d %d\n", late, two, lost, slow, tried);
    free(all);
    return !from;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "now") == 0) return printf("%lld\n", now_us()) < 0;
    if (argc == 5 && strcmp(argv[1], "probe") == 0) return probe(argv[2], argv[3], argv[4]);
    if (argc == 5 && strcmp(argv[1], "arp") == 0) return arp(argv[2], argv[3], argv[4]);
    if (argc >= 4 && strcmp(argv[1], "lines") == 0) return lines(argv[2], argv + 3, argc - 3);
    if (argc == 5 && strcmp(argv[1], "serve") == 0) return serve(argv[2], argv[3], argv[4]);
    if (argc == 5 && strcmp(argv[1], "judge") == 0) return judge(argv[2], atoll(argv[3]), argv[4]);
    fputs("usage: outage probe ADDRESS PORT LOG | arp DEVICE ADDRESS LOG | lines LOG FILE... | serve ADDRESS PORT NAME | now | "
          "judge LOG SINCE OLD\n", stderr);
    return 2;
}
