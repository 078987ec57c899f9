/* peer_server.c - the side that listens: accepts, shakes hands, and looks after many connections from one loop.
 *
 * All descriptors of a server (listening socket, connections, doorbells) hang in one epoll descriptor, which is
 * what peer_server_fd() gives away; an event names its connection, so a wake-up costs what is ready and no scan
 * of sockets. The loop then steps every connection that is not asleep, PEER_BATCH messages each, in turn.
 */
#include "hercules-devices/peer_impl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct peer_server {
    struct peer_identity self;
    const struct peer_ops *ops;
    void *ctx;
    struct peer_address address;
    int epoll, listener, wake;
    dev_t socket_dev; /* of our socket file, so that another's is never removed */
    ino_t socket_ino;
    struct peer *conn[PEER_SERVER_MAX];
    u64 thrown_away;
    u32 greeting; /* connections that have not finished their handshake */
    char last_line[PEER_TEXT_MAX];
    pthread_t thread;
    bool threaded;
    _Atomic bool stop;
};

static bool greeting(const struct peer *p) { return p->hello_bytes < PEER_HELLO_BYTES; }

static bool socket_file_remember(struct peer_server *s) {
    struct stat st;
    if (s->address.tcp) return true;
    if (lstat(s->address.path, &st) != 0) return false;
    s->socket_dev = st.st_dev;
    s->socket_ino = st.st_ino;
    return true;
}

static void socket_file_remove(const struct peer_server *s) {
    struct stat st;
    if (!s->address.tcp && lstat(s->address.path, &st) == 0 && st.st_dev == s->socket_dev &&
        st.st_ino == s->socket_ino)
        unlink(s->address.path);
}

static bool server_open(struct peer_server *s, const char *address, char *why, size_t cap) {
    if (!peer_address_parse(address, &s->address, why, cap)) return false;
    s->listener = peer_socket_listen(&s->address, why, cap);
    if (s->listener < 0) return false;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event listen_ev = {.events = EPOLLIN, .data.ptr = s};
    struct epoll_event wake_ev = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
    if (s->epoll >= 0 && s->wake >= 0 && epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &listen_ev) == 0 &&
        epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->wake, &wake_ev) == 0 && socket_file_remember(s))
        return true;
    snprintf(why, cap, "%s: %s", address, strerror(errno));
    return false;
}

struct peer_server *peer_serve(const char *address, const struct peer_identity *self, const struct peer_ops *ops,
                               void *ctx) {
    struct peer_server *s = calloc(1, sizeof *s);
    char why[PEER_TEXT_MAX];
    if (!s) return NULL;
    s->self = *self;
    s->ops = ops;
    s->ctx = ctx;
    s->epoll = s->listener = s->wake = -1;
    if (server_open(s, address, why, sizeof why)) return s;
    peer_say(ops, ctx, s->last_line, "%s: %s", self->name, why);
    peer_fd_close(&s->listener);
    peer_fd_close(&s->epoll);
    peer_fd_close(&s->wake);
    free(s);
    return NULL;
}

u64 peer_server_thrown_away(const struct peer_server *s) { return s->thrown_away; }
int peer_server_fd(const struct peer_server *s) { return s->epoll; }

/* ---- connections ---- */

static void drop(struct peer_server *s, u32 i, bool tell) {
    struct peer *p = s->conn[i];
    if (greeting(p)) s->greeting--;
    bool was_up = peer_set_down(p);
    peer_rx_lock(p);
    s->thrown_away += greeting(p) ? 0 : peer_discard(p);
    peer_rx_unlock(p);
    if (tell && was_up && s->ops->down) s->ops->down(p->ctx, p);
    s->conn[i] = NULL;
    peer_free(p);
}

static void accept_all(struct peer_server *s) {
    for (u32 i = 0; i < PEER_SERVER_MAX; i++) {
        if (s->conn[i]) continue;
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        struct peer *p = peer_new(&s->self, s->ops, s->ctx);
        struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = p};
        if (!p || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) != 0) {
            close(fd);
            if (p) peer_free(p);
            return;
        }
        p->server = s;
        p->link.sock = fd;
        p->link.tcp = s->address.tcp;
        p->asleep = true;
        p->hello_deadline_ms = peer_now_ms() + PEER_HELLO_MSEC;
        peer_socket_tune(fd, &s->address);
        s->conn[i] = p;
        s->greeting++;
    }
    /* All places are taken: whoever still knocks is told so, or it would wait for ever. */
    for (int fd; (fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0; close(fd)) {
        u8 answer[PEER_HELLO_BYTES];
        peer_hello_emit(answer, &s->self, PEER_REFUSAL, PEER_REFUSED_FULL, 0);
        if (!peer_socket_send_fds(fd, answer, sizeof answer, NULL, 0)) continue;
        peer_say(s->ops, s->ctx, s->last_line, "%s: all %u connections are in use", s->self.name, PEER_SERVER_MAX);
    }
}

static bool refuse(struct peer_server *s, struct peer *p, const struct peer_hello *h, u16 refusal) {
    u8 answer[PEER_HELLO_BYTES];
    char text[PEER_TEXT_MAX];
    peer_hello_emit(answer, &s->self, PEER_REFUSAL, refusal, 0);
    peer_socket_send_fds(p->link.sock, answer, sizeof answer, NULL, 0);
    peer_refusal_text(text, sizeof text, &s->self, h, refusal, true);
    peer_say(s->ops, s->ctx, s->last_line, "%s", text);
    return false;
}

static bool welcome(struct peer_server *s, struct peer *p) {
    u8 answer[PEER_HELLO_BYTES];
    int fds[3] = {-1, -1, -1};
    peer_hello_emit(answer, &s->self, PEER_WELCOME, 0, p->link.tcp ? 0 : PEER_RING_BYTES);
    bool good = p->link.tcp ? peer_link_stream(&p->link) : peer_link_make(&p->link, fds);
    good = good && peer_link_watch(&p->link, s->epoll, p) &&
           peer_socket_send_fds(p->link.sock, answer, sizeof answer, fds, p->link.tcp ? 0 : 3);
    peer_fd_close(&fds[0]);
    return good;
}

/* The rest of a handshake. false: drop the connection. */
static bool greet(struct peer_server *s, struct peer *p) {
    struct peer_hello h;
    u32 want = PEER_HELLO_BYTES - p->hello_bytes;
    long n = peer_socket_recv_fds(p->link.sock, p->hello + p->hello_bytes, want, NULL, 0);
    if (n == 0) return false;
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    p->hello_bytes += (u32)n;
    if (greeting(p)) return true;
    s->greeting--;
    if (!peer_hello_parse(p->hello, &h) || h.role != PEER_HELLO) {
        peer_say(s->ops, s->ctx, s->last_line, "%s: what knocked is no end of plex390", s->self.name);
        return false;
    }
    u16 refusal = peer_hello_check(&s->self, &h);
    p->other = (struct peer_identity){.kind = s->self.kind, .incarnation = h.incarnation};
    memcpy(p->other.name, h.name, sizeof h.name);
    memcpy(p->other.expected, h.expected, sizeof h.expected);
    if (!refusal && s->ops->incarnation_valid && !s->ops->incarnation_valid(p->ctx, &p->other))
        refusal = PEER_REFUSED_INCARNATION;
    if (!refusal && s->ops->admit) refusal = s->ops->admit(p->ctx, &p->other);
    if (refusal) return refuse(s, p, &h, refusal);
    if (!welcome(s, p)) return false;
    s->last_line[0] = 0;
    p->asleep = false;
    atomic_store(&p->up, true);
    if (s->ops->up) s->ops->up(p->ctx, p, &p->other);
    return true;
}

static bool may_act(struct peer *p) {
    peer_rx_lock(p);
    bool may = peer_may_act(p);
    peer_rx_unlock(p);
    return may;
}

/* Looks at every connection that an event named or that has work left. true: there is more. */
static bool step_all(struct peer_server *s) {
    bool more = false;
    u64 now = s->greeting ? peer_now_ms() : 0;
    for (u32 i = 0; i < PEER_SERVER_MAX; i++) {
        struct peer *p = s->conn[i];
        if (!p) continue;
        if (atomic_load(&p->closing)) {
            drop(s, i, false);
        } else if (greeting(p)) {
            if (now > p->hello_deadline_ms) drop(s, i, false);
        } else if (!p->asleep || atomic_load(&p->owed)) {
            enum peer_step step = peer_step(p);
            p->asleep = step == PEER_IDLE;
            more |= step == PEER_MORE;
            if (step == PEER_DEAD) drop(s, i, true);
        } else if (!may_act(p)) {
            /* It says nothing, and never will again: who waits for it is told now. */
            drop(s, i, true);
        }
    }
    return more;
}

/* An epoll event names its connection by address; one that an earlier event of the round dropped is not found. */
static void event(struct peer_server *s, const struct peer *named, u32 events) {
    u32 i = 0;
    while (i < PEER_SERVER_MAX && s->conn[i] != named) i++;
    if (i == PEER_SERVER_MAX) return;
    struct peer *p = s->conn[i];
    if (greeting(p)) {
        if (!greet(s, p)) drop(s, i, true);
        return;
    }
    p->asleep = false;
    /* What it wrote before it died is delivered first. */
    if (peer_link_ended(&p->link, events) && peer_step(p) != PEER_MORE) drop(s, i, true);
}

bool peer_server_poll(struct peer_server *s) {
    struct epoll_event events[64];
    int n = epoll_wait(s->epoll, events, (int)ARRAY_LEN(events), 0);
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr == s) accept_all(s);
        else if (events[i].data.ptr)
            event(s, events[i].data.ptr, events[i].events);
    }
    return step_all(s) || n == (int)ARRAY_LEN(events);
}

/* ---- a loop of its own ---- */

static void *server_thread(void *arg) {
    struct peer_server *s = arg;
    while (!atomic_load(&s->stop)) {
        if (peer_server_poll(s)) continue;
        /* poll() and not epoll_wait(), which would take the doorbells' edges away from the loop above. */
        struct pollfd pfd = {.fd = s->epoll, .events = POLLIN};
        if (poll(&pfd, 1, PEER_WAIT_MSEC) != 0) continue;
        /* Nothing may be lost for good if somebody did not ring: as a client does, each is looked at now and then. */
        for (u32 i = 0; i < PEER_SERVER_MAX; i++)
            if (s->conn[i] && !greeting(s->conn[i])) s->conn[i]->asleep = false;
    }
    return NULL;
}

bool peer_server_thread(struct peer_server *s) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->threaded = pthread_create(&s->thread, NULL, server_thread, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->threaded;
}

void peer_server_close(struct peer_server *s) {
    atomic_store(&s->stop, true);
    peer_bell_ring(s->wake);
    if (s->threaded) pthread_join(s->thread, NULL);
    for (u32 i = 0; i < PEER_SERVER_MAX; i++)
        if (s->conn[i]) drop(s, i, false);
    socket_file_remove(s);
    peer_fd_close(&s->listener);
    peer_fd_close(&s->epoll);
    peer_fd_close(&s->wake);
    free(s);
}
