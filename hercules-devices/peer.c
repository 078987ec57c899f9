/* peer.c - the client's thread, and the calls that client and server share. See peer.h.
 *
 *   client:  SEEK --connected--> HELLO --welcome--> UP --end of file, nonsense, isolated--> SEEK
 *              ^----refused, no answer, no server: 200 ms----'
 */
#include "hercules-devices/peer_impl.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

u64 peer_now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000u + (u64)t.tv_nsec / 1000000u;
}

void peer_bell_ring(int fd) {
    u64 one = 1;
    /* A full counter means that the bell has been rung: nothing is lost by not adding to it. */
    if (write(fd, &one, sizeof one) < 0) return;
}

void peer_say(const struct peer_ops *ops, void *ctx, char *last, const char *fmt, ...) {
    char line[PEER_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (strcmp(line, last) == 0) return; /* the same trouble every 200 ms is one line */
    memcpy(last, line, sizeof line);
    if (ops->log) ops->log(ctx, line);
}

struct peer *peer_new(const struct peer_identity *self, const struct peer_ops *ops, void *ctx) {
    struct peer *p = calloc(1, sizeof *p);
    u8 *message = malloc(PEER_MESSAGE_MAX);
    if (!p || !message) {
        free(p);
        free(message);
        return NULL;
    }
    p->self = *self;
    p->ops = ops;
    p->ctx = ctx;
    p->message = message;
    p->epoll = p->wake = -1;
    peer_link_init(&p->link);
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&p->rx_lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    return p;
}

void peer_free(struct peer *p) {
    peer_expel(p);
    peer_link_close(&p->link);
    pthread_mutex_destroy(&p->rx_lock);
    peer_fd_close(&p->epoll);
    peer_fd_close(&p->wake);
    free(p->message);
    free(p);
}

/* ---- the client's thread ---- */

/* Waits up to ms for events of the connection and returns them; 0 if there were none, or peer_close() woke us. */
static u32 wait_events(struct peer *p, int ms) {
    struct epoll_event events[4];
    int n = epoll_wait(p->epoll, events, (int)ARRAY_LEN(events), ms);
    u32 all = 0;
    for (int i = 0; i < n; i++)
        if (events[i].data.ptr == p) all |= events[i].events;
    return all;
}

/* Waits until the socket is ready for what, the time is over, or the client is to stop. */
static bool wait_ready(struct peer *p, u32 what, u64 deadline) {
    struct epoll_event ev = {.events = what, .data.ptr = p};
    epoll_ctl(p->epoll, EPOLL_CTL_MOD, p->link.sock, &ev);
    while (!atomic_load(&p->stop)) {
        u64 now = peer_now_ms();
        if (now >= deadline) return false;
        if (wait_events(p, (int)(deadline - now)) & (what | EPOLLHUP | EPOLLERR)) return true;
    }
    return false;
}

static void waiting(struct peer *p, const char *why) {
    const char *to = p->self.expected[0] ? p->self.expected : "its partner";
    if (p->address.tcp)
        peer_say(p->ops, p->ctx, p->last_line, "%s waits for %s at tcp:%s:%s: %s", p->self.name, to, p->address.host,
                 p->address.port, why);
    else
        peer_say(p->ops, p->ctx, p->last_line, "%s waits for %s at %s: %s", p->self.name, to, p->address.path, why);
}

/* Reads the server's answer; fds: what came with it. */
static bool read_answer(struct peer *p, u8 *answer, int fds[3], u64 deadline) {
    for (u32 have = 0; have < PEER_HELLO_BYTES;) {
        if (!wait_ready(p, EPOLLIN, deadline)) return false;
        long n = peer_socket_recv_fds(p->link.sock, answer + have, PEER_HELLO_BYTES - have, fds, 3);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
        if (n > 0) have += (u32)n;
    }
    return true;
}

/* Judges the answer and takes the rings. fds are consumed. */
static bool accept_welcome(struct peer *p, const u8 *answer, int fds[3]) {
    struct peer_hello h;
    char text[PEER_TEXT_MAX];
    if (!peer_hello_parse(answer, &h) || (h.role != PEER_WELCOME && h.role != PEER_REFUSAL)) {
        waiting(p, "what answers there is no end of plex390");
        return false;
    }
    u16 refusal = h.role == PEER_REFUSAL ? h.refusal : peer_hello_check(&p->self, &h);
    if (h.role == PEER_REFUSAL || refusal) {
        if (h.role == PEER_REFUSAL && p->ops->refused) p->ops->refused(p->ctx, (enum peer_refusal)refusal);
        peer_refusal_text(text, sizeof text, &p->self, &h, refusal, h.role != PEER_REFUSAL);
        peer_say(p->ops, p->ctx, p->last_line, "%s", text);
        return false;
    }
    p->other = (struct peer_identity){.kind = p->self.kind, .incarnation = h.incarnation};
    memcpy(p->other.name, h.name, sizeof h.name);
    memcpy(p->other.expected, h.expected, sizeof h.expected);
    if (p->ops->incarnation_valid && !p->ops->incarnation_valid(p->ctx, &p->other)) {
        waiting(p, "one of the two has been isolated");
        return false;
    }
    bool ready = p->link.tcp ? peer_link_stream(&p->link) : peer_link_take(&p->link, h.ring_bytes, fds);
    if (!ready) waiting(p, "the rings it offered are not usable");
    else if (!p->link.tcp)
        fds[1] = fds[2] = -1; /* the link owns them now */
    return ready;
}

static bool shake_hands(struct peer *p) {
    u64 deadline = peer_now_ms() + PEER_HELLO_MSEC;
    u8 hello[PEER_HELLO_BYTES], answer[PEER_HELLO_BYTES];
    int fds[3] = {-1, -1, -1}, error = 0;
    socklen_t len = sizeof error;
    if (!wait_ready(p, EPOLLOUT, deadline)) return false;
    if (getsockopt(p->link.sock, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
        waiting(p, strerror(error));
        return false;
    }
    peer_hello_emit(hello, &p->self, PEER_HELLO, 0, 0);
    /* Not sent is no reason to give up: a server whose places are all taken has answered before it closed. */
    peer_socket_send_fds(p->link.sock, hello, sizeof hello, NULL, 0);
    bool good = false;
    if (read_answer(p, answer, fds, deadline)) good = accept_welcome(p, answer, fds);
    else if (!atomic_load(&p->stop))
        waiting(p, "no answer to the handshake");
    for (u32 i = 0; i < ARRAY_LEN(fds); i++) {
        bool owned = fds[i] >= 0 && (fds[i] == p->link.bell_in || fds[i] == p->link.bell_out);
        if (!owned) peer_fd_close(&fds[i]);
    }
    return good && peer_link_watch(&p->link, p->epoll, p);
}

static bool client_connect(struct peer *p) {
    p->link.sock = peer_socket_connect(&p->address);
    if (p->link.sock < 0) {
        waiting(p, strerror(errno));
        return false;
    }
    p->link.tcp = p->address.tcp;
    peer_socket_tune(p->link.sock, &p->address);
    struct epoll_event ev = {.events = 0, .data.ptr = p};
    return epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->link.sock, &ev) == 0 && shake_hands(p);
}

/* Runs an established connection until it ends. */
static void client_run(struct peer *p) {
    p->last_line[0] = 0;
    atomic_store(&p->held, false);
    atomic_store(&p->resume, false);
    atomic_store(&p->up, true);
    if (p->ops->up) p->ops->up(p->ctx, p, &p->other);
    u32 events = 0;
    while (!atomic_load(&p->stop)) {
        /* What the other side wrote before it died is still delivered: the ring first, then the socket. */
        enum peer_step step = peer_step(p);
        if (step == PEER_DEAD || (step == PEER_IDLE && peer_link_ended(&p->link, events))) break;
        events = wait_events(p, step == PEER_MORE ? 0 : PEER_WAIT_MSEC);
    }
    peer_set_down(p);
    if (!atomic_load(&p->stop) && p->ops->down) p->ops->down(p->ctx, p);
}

static void *client_thread(void *arg) {
    struct peer *p = arg;
    while (!atomic_load(&p->stop)) {
        if (client_connect(p)) client_run(p);
        peer_expel(p);
        peer_link_close(&p->link);
        if (!atomic_load(&p->stop)) wait_events(p, PEER_RETRY_MSEC);
    }
    return NULL;
}

struct peer *peer_connect(const char *address, const struct peer_identity *self, const struct peer_ops *ops,
                          void *ctx) {
    char why[PEER_TEXT_MAX], last[PEER_TEXT_MAX] = "";
    struct peer *p = peer_new(self, ops, ctx);
    if (!p) return NULL;
    if (!peer_address_parse(address, &p->address, why, sizeof why)) {
        peer_say(ops, ctx, last, "%s: %s", self->name, why);
        peer_free(p);
        return NULL;
    }
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
    bool good = p->epoll >= 0 && p->wake >= 0 && epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->wake, &ev) == 0;
    /* Signals belong to the program around us, never to this thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    good = good && pthread_create(&p->thread, NULL, client_thread, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (good) return p;
    peer_say(ops, ctx, last, "%s: no thread for a connection: %s", self->name, strerror(errno));
    peer_free(p);
    return NULL;
}

void peer_close(struct peer *p) {
    if (p->server) { /* its loop frees it */
        atomic_store(&p->closing, true);
        peer_set_down(p);
        if (p->link.bell_in >= 0) peer_bell_ring(p->link.bell_in);
        return;
    }
    atomic_store(&p->stop, true);
    peer_bell_ring(p->wake);
    pthread_join(p->thread, NULL);
    peer_free(p);
}

/* ---- sending, and small things ---- */

bool peer_is_up(const struct peer *p) { return atomic_load(&p->up); }
const struct peer_identity *peer_other(const struct peer *p) { return &p->other; }
void peer_set_context(struct peer *p, void *ctx) { p->ctx = ctx; }
void *peer_context(const struct peer *p) { return p->ctx; }

u8 *peer_reserve(struct peer *p, u32 bytes) {
    return atomic_load(&p->up) ? ring_reserve(&p->link.tx, bytes) : NULL;
}

void peer_commit(struct peer *p, u32 bytes) { ring_commit(&p->link.tx, bytes); }

void peer_flush(struct peer *p) {
    if (!atomic_load(&p->up)) return;
    switch (ring_bell_needed(&p->link.tx)) {
    case RING_BELL: peer_bell_ring(p->link.bell_out); break;
    case RING_WORD: peer_word_wake(&p->link.tx); break;
    case RING_AWAKE: break;
    }
}

void peer_resume(struct peer *p) {
    atomic_store(&p->resume, true);
    if (atomic_load(&p->held) && atomic_load(&p->up)) peer_bell_ring(p->link.bell_in);
}
