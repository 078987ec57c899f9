/* cf_main.c - the process of one coupling facility: options, loop, and what the engine asks of its surroundings.
 *
 *   cf --name CF01 --socket PATH|tcp:HOST:PORT [--storage KB] [--fence FILE] [--control PATH]
 *
 *   name      1 to 8 characters; systems may expect it
 *   storage   of structures, 1024 to 1048576 KB; without it 65536
 *   fence     the plex's page of isolated incarnations (peer_fence.h); without it an isolation ends at this facility
 *   control   socket of cf_control_main.c
 *
 * A wrong option is one line and exit 2. SIGTERM and SIGINT end it cleanly: its structures are gone, as with a facility that loses
 * its power.
 */
#include "hercules-devices/cf_process.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define STORAGE_KB 65536u
#define RETRY_MSEC 1 /* while a ring is full */

u64 facility_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec;
}

static void log_text(const char *text) {
    struct timespec t;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &t);
    localtime_r(&t.tv_sec, &tm);
    fprintf(stderr, "%02d:%02d:%02d.%03ld %s\n", tm.tm_hour, tm.tm_min, tm.tm_sec, t.tv_nsec / 1000000, text);
}

/* ---- what the engine asks for ---- */

static u8 *host_reserve(void *ctx, u32 n, u32 bytes) {
    struct facility *f = ctx;
    return f->slot[n].peer ? peer_reserve(f->slot[n].peer, bytes) : NULL;
}

static void host_commit(void *ctx, u32 n, u32 bytes) {
    struct facility *f = ctx;
    peer_commit(f->slot[n].peer, bytes);
    f->slot[n].dirty = true;
}

static bool host_isolate(void *ctx, const char *name, u64 incarnation) {
    struct facility *f = ctx;
    return !f->fence || peer_fence_put(f->fence, name, incarnation);
}

static void host_log(void *ctx, enum engine_severity sev, const char *text) {
    UNUSED(ctx);
    UNUSED(sev);
    log_text(text);
}

/* ---- connections ---- */

static void peer_up(void *ctx, struct peer *p, const struct peer_identity *other) {
    struct facility *f = ((struct slot *)ctx)->f;
    int n = cf_link_up(f->cf, other->name, other->incarnation);
    if (n < 0) { /* it tries again: when the one before it is gone, or for ever if it is isolated */
        peer_close(p);
        return;
    }
    f->slot[n] = (struct slot){.f = f, .peer = p, .n = n};
    peer_set_context(p, &f->slot[n]);
}

static bool peer_message(void *ctx, struct peer *p, const u8 *msg, u32 len) {
    struct slot *s = ctx;
    UNUSED(p);
    s->held = !cf_message(s->f->cf, (u32)s->n, msg, len);
    return !s->held;
}

static void peer_down(void *ctx, struct peer *p) {
    struct slot *s = ctx;
    UNUSED(p);
    s->peer = NULL;
    s->held = s->dirty = false;
    cf_link_down(s->f->cf, (u32)s->n);
}

static void peer_log(void *ctx, const char *text) {
    UNUSED(ctx);
    log_text(text);
}

static bool peer_valid(void *ctx, const struct peer_identity *other) {
    struct slot *s = ctx;
    const struct facility *f = s->f;
    u64 asked_once = 0; /* the server's own slot is asked about whoever knocks */
    if (s->n < 0 && cf_is_isolated(f->cf, other->name, other->incarnation)) return false;
    return !f->fence || peer_fence_still_valid(f->fence, s->n < 0 ? &asked_once : &s->fence_seen, other->name, other->incarnation);
}

/* An isolated system's own refusal comes before this one, so it learns the worse news first. */
static u16 peer_admit(void *ctx, const struct peer_identity *other) {
    return facility_pulled(((struct slot *)ctx)->f, other->name) ? PEER_REFUSED_CABLE : 0;
}

static const struct peer_ops peer_callbacks = {
    .up = peer_up, .message = peer_message, .down = peer_down, .log = peer_log, .incarnation_valid = peer_valid, .admit = peer_admit};

bool facility_pulled(const struct facility *f, const char *name) {
    if (f->all_pulled) return true;
    for (u32 i = 0; i < CF_SYSTEMS; i++)
        if (f->pulled[i][0] && strcasecmp(f->pulled[i], name) == 0) return true;
    return false;
}

static void cut(struct slot *s) {
    struct peer *p = s->peer;
    peer_close(p);
    peer_down(s, p);
}

void facility_close_pulled(struct facility *f) {
    for (u32 i = 0; i < CF_SYSTEMS; i++)
        if (f->slot[i].peer && facility_pulled(f, peer_other(f->slot[i].peer)->name)) cut(&f->slot[i]);
}

/* ---- the loop ---- */

/* Sends what the round produced, and closes links that were cut. True: something waits for room in a ring. */
static bool end_round(struct facility *f) {
    bool wait = cf_pump(f->cf);
    for (u32 i = 0; i < CF_SYSTEMS; i++) {
        struct slot *s = &f->slot[i];
        struct peer *p = s->peer;
        if (!p) continue;
        if (s->dirty) peer_flush(p);
        s->dirty = false;
        wait |= s->held;
        if (s->held) peer_resume(p);
        if (cf_link_is_cut(f->cf, i)) cut(s);
    }
    return wait;
}

/* Somebody has been isolated, perhaps through the other facility: his connections fail here too, before another command is taken. */
static void fence_news(struct facility *f) {
    for (u32 i = 0; i < CF_SYSTEMS; i++) {
        const struct peer_identity *other = f->slot[i].peer ? peer_other(f->slot[i].peer) : NULL;
        if (!other || peer_fence_valid(f->fence, other->name, other->incarnation)) continue;
        cf_isolate(f->cf, other->name, other->incarnation);
    }
    end_round(f);
}

static void run(struct facility *f) {
    struct epoll_event events[16];
    bool more = false;
    while (!f->stop) {
        bool wait = end_round(f);
        int n = epoll_wait(f->epoll, events, (int)ARRAY_LEN(events), wait ? RETRY_MSEC : more ? 0 : -1);
        if (f->fence && peer_fence_news(f->fence)) fence_news(f);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == f->signals) f->stop = true;
            else control_event(&f->commands, fd); /* it knows its own */
        }
        more = peer_server_poll(f->server);
    }
}

/* ---- start ---- */

static _Noreturn void wrong(const char *text) {
    fprintf(stderr, "cf: %s\n", text);
    exit(2);
}

static u32 option_number(const char *text) {
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (*end || end == text || v < CF_STORAGE_KB_MIN || v > CF_STORAGE_KB_MAX) wrong("--storage: 1024 to 1048576 KB");
    return (u32)v;
}

enum { OPT_NAME = 1, OPT_SOCKET, OPT_STORAGE, OPT_FENCE, OPT_CONTROL };

static void options(struct facility *f, int argc, char **argv) {
    static const struct option names[] = {
        {"name", 1, NULL, OPT_NAME},       {"socket", 1, NULL, OPT_SOCKET}, {"storage", 1, NULL, OPT_STORAGE},
        {"fence", 1, NULL, OPT_FENCE},     {"control", 1, NULL, OPT_CONTROL}, {NULL, 0, NULL, 0},
    };
    f->params.storage_kb = STORAGE_KB;
    for (int o; (o = getopt_long(argc, argv, "", names, NULL)) != -1;) switch (o) {
        case OPT_NAME:
            if (!*optarg || strlen(optarg) > CF_FACILITY_NAME_MAX || strpbrk(optarg, " \t")) wrong("--name: 1 to 8 characters");
            strcpy(f->params.name, optarg);
            break;
        case OPT_SOCKET: f->socket = optarg; break;
        case OPT_STORAGE: f->params.storage_kb = option_number(optarg); break;
        case OPT_FENCE: f->fence_file = optarg; break;
        case OPT_CONTROL: f->control = optarg; break;
        default: exit(2); /* getopt has said what is wrong */
        }
    if (optind < argc) wrong("there are no arguments beside the options");
    if (!f->params.name[0] || !f->socket) wrong("--name and --socket are needed");
}

bool facility_watch(struct facility *f, int fd) {
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static void start(struct facility *f) {
    char why[512] = "no descriptor can be watched";
    struct timespec t;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    f->signals = signalfd(-1, &set, SFD_CLOEXEC);
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    clock_gettime(CLOCK_REALTIME, &t);
    f->params.incarnation = (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
    f->host = (struct cf_host){f, host_reserve, host_commit, host_isolate, host_log};
    f->started = facility_seconds();
    f->self = (struct slot){.f = f, .n = -1};
    void *storage = calloc(1, cf_engine_bytes(f->params.storage_kb));
    f->cf = storage ? cf_engine_init(storage, &f->params, &f->host) : NULL;
    if (!f->cf || f->epoll < 0 || f->signals < 0 || !facility_watch(f, f->signals)) wrong(strerror(errno));
    if (f->fence_file && !(f->fence = peer_fence_open(f->fence_file, why, sizeof why))) wrong(why);
    if (f->fence && peer_fence_watch(f->fence) >= 0 && !facility_watch(f, peer_fence_watch(f->fence))) wrong(strerror(errno));
    struct peer_identity id = {.kind = PEER_CF, .incarnation = f->params.incarnation};
    memcpy(id.name, f->params.name, sizeof f->params.name);
    f->server = peer_serve(f->socket, &id, &peer_callbacks, &f->self);
    if (!f->server) exit(2); /* its line is in the log */
    if (!facility_watch(f, peer_server_fd(f->server)) ||
        !control_open(&f->commands, f->control, &facility_control_ops, f, why, sizeof why)) {
        peer_server_close(f->server);
        wrong(why);
    }
}

int main(int argc, char **argv) {
    static struct facility f;
    options(&f, argc, argv);
    start(&f);
    log_text("ready");
    run(&f);
    control_close(&f.commands);
    peer_server_close(f.server);
    peer_fence_close(f.fence);
    free(f.cf);
    close(f.epoll);
    close(f.signals);
    return 0;
}
