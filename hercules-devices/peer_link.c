/* peer_link.c - an established connection, seen from one end. Two transports with one face:
 *
 *   shared memory   tx and rx are rings that both processes map; the socket is silent
 *   TCP             tx is a ring in our own memory that the receiving thread empties into the socket, so that
 *                   peer_reserve and peer_commit do not know the difference; what arrives is cut into messages
 *
 * The receiving thread (the client's own, or the server's loop) owns everything here except the writer's side of
 * tx, which the sending thread owns.
 */
#include "base/be.h"
#include "hercules-devices/peer_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_BYTES(data) (2 * (size_t)ring_bytes(data))

void peer_link_init(struct peer_link *l) {
    *l = (struct peer_link){.epoll = -1, .sock = -1, .bell_in = -1, .bell_out = -1};
}

void peer_link_close(struct peer_link *l) {
    /* The other process holds the same doorbell: closing ours alone would leave it registered. */
    if (l->epoll >= 0 && l->bell_in >= 0) epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->bell_in, NULL);
    peer_fd_close(&l->sock);
    peer_fd_close(&l->bell_in);
    peer_fd_close(&l->bell_out);
    if (l->map) munmap(l->map, l->map_bytes);
    free(l->in);
    free(l->out);
    peer_link_init(l);
}

static bool map_memory(struct peer_link *l, int memory, u32 data, bool server) {
    void *map = mmap(NULL, MAP_BYTES(data), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (map == MAP_FAILED) return false;
    l->map = map;
    l->map_bytes = MAP_BYTES(data);
    ring_init(server ? &l->rx : &l->tx, l->map, data);
    ring_init(server ? &l->tx : &l->rx, l->map + ring_bytes(data), data);
    return true;
}

bool peer_link_make(struct peer_link *l, int fds[3]) {
    fds[0] = memfd_create("plex390-rings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    l->bell_in = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->bell_out = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* Nobody can pull the file from under the other's feet: its size is fixed from here on. */
    if (fds[0] < 0 || l->bell_in < 0 || l->bell_out < 0 || ftruncate(fds[0], (off_t)MAP_BYTES(PEER_RING_BYTES)) ||
        fcntl(fds[0], F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ||
        !map_memory(l, fds[0], PEER_RING_BYTES, true)) {
        peer_fd_close(&fds[0]);
        return false;
    }
    fds[1] = l->bell_in;
    fds[2] = l->bell_out;
    return true;
}

bool peer_link_take(struct peer_link *l, u32 ring_data, int fds[3]) {
    struct stat st;
    int seals = fds[0] >= 0 ? fcntl(fds[0], F_GET_SEALS) : -1;
    bool good = ring_size_ok(ring_data) && seals >= 0 && (seals & F_SEAL_SHRINK) && fstat(fds[0], &st) == 0 &&
                st.st_size == (off_t)MAP_BYTES(ring_data) && fds[1] >= 0 && fds[2] >= 0 &&
                map_memory(l, fds[0], ring_data, false);
    peer_fd_close(&fds[0]);
    /* The server's doorbell is the one that we ring; a blocking one would let it hold us up. */
    l->bell_out = fds[1];
    l->bell_in = fds[2];
    if (l->bell_out >= 0) fcntl(l->bell_out, F_SETFL, O_NONBLOCK);
    return good;
}

bool peer_link_stream(struct peer_link *l) {
    l->tcp = true;
    l->bell_in = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->bell_out = l->bell_in >= 0 ? fcntl(l->bell_in, F_DUPFD_CLOEXEC, 0) : -1;
    l->in = malloc(PEER_STREAM_BYTES);
    l->out = malloc(PEER_STREAM_BYTES);
    l->map_bytes = ring_bytes(PEER_RING_BYTES);
    void *map = mmap(NULL, l->map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    l->map = map == MAP_FAILED ? NULL : map;
    if (l->map) ring_init(&l->tx, l->map, PEER_RING_BYTES);
    if (l->map) ring_init(&l->rx, l->map, PEER_RING_BYTES); /* each end has indices of its own */
    return l->bell_out >= 0 && l->in && l->out && l->map;
}

bool peer_link_watch(struct peer_link *l, int epoll, void *data) {
    /* The bell is edge-triggered and never read: each ring of it is a new edge, which saves a system call. The
     * socket beside shared memory is watched for its end only; TCP's end shows in its stream. */
    struct epoll_event bell = {.events = EPOLLIN | EPOLLET, .data.ptr = data};
    struct epoll_event sock = {.events = l->tcp ? (u32)EPOLLIN : (u32)EPOLLRDHUP, .data.ptr = data};
    l->epoll = epoll;
    l->watched = sock.events;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, l->bell_in, &bell) == 0 &&
           epoll_ctl(epoll, EPOLL_CTL_MOD, l->sock, &sock) == 0;
}

bool peer_link_ended(const struct peer_link *l, u32 events) {
    return (events & (EPOLLERR | EPOLLHUP | (l->tcp ? 0u : (u32)EPOLLRDHUP))) != 0;
}

/* ---- TCP ---- */

/* Length of the next whole message at in + in_from + 4; 0: none yet; -1: the stream is at its end or wrong. */
static int stream_get(struct peer_link *l, u8 *out) {
    for (;;) {
        u32 have = l->in_to - l->in_from;
        u32 length = have >= 4 ? be32_get(l->in + l->in_from) : 0;
        if (have >= 4 && (length == 0 || length > PEER_MESSAGE_MAX)) return -1;
        if (have >= 4 && have - 4 >= length) {
            memcpy(out, l->in + l->in_from + 4, length);
            l->in_from += 4 + length;
            return (int)length;
        }
        memmove(l->in, l->in + l->in_from, have);
        l->in_from = 0;
        l->in_to = have;
        ssize_t n = recv(l->sock, l->in + have, PEER_STREAM_BYTES - have, MSG_DONTWAIT);
        if (n == 0) return -1;
        if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
        l->in_to += (u32)n;
    }
}

/* A level-triggered event that nobody acts on would spin: input is watched only while it can be delivered. */
static void stream_watch(struct peer *p, bool input) {
    struct peer_link *l = &p->link;
    u32 want = (input ? (u32)EPOLLIN : 0u) | (l->out_blocked ? (u32)EPOLLOUT : 0u);
    struct epoll_event ev = {.events = want, .data.ptr = p};
    if (want != l->watched && epoll_ctl(l->epoll, EPOLL_CTL_MOD, l->sock, &ev) == 0) l->watched = want;
}

/* Empties tx into the socket as far as it takes it. */
static enum peer_step stream_send(struct peer_link *l) {
    l->out_blocked = false;
    for (u32 round = 0; round < PEER_BATCH; round++) {
        if (l->out_from == l->out_to) l->out_from = l->out_to = 0;
        while (PEER_STREAM_BYTES - l->out_to >= 4 + PEER_MESSAGE_MAX) { /* many small ones in one send */
            int n = ring_get(&l->rx, l->out + l->out_to + 4, PEER_MESSAGE_MAX);
            if (n <= 0) break;
            be32_put(l->out + l->out_to, (u32)n);
            l->out_to += 4 + (u32)n;
        }
        if (l->out_from == l->out_to) return PEER_IDLE;
        ssize_t n = send(l->sock, l->out + l->out_from, l->out_to - l->out_from, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) return PEER_DEAD;
        if (n < 0) {
            l->out_blocked = true;
            return PEER_IDLE;
        }
        l->out_from += (u32)n;
    }
    return PEER_MORE;
}

/* ---- delivery ---- */

static int next_message(struct peer *p) {
    struct peer_link *l = &p->link;
    return l->tcp ? stream_get(l, p->message) : ring_get(&l->rx, p->message, PEER_MESSAGE_MAX);
}

/* Offers p->message. false: it was not taken and nobody has asked for it since. */
static bool offer(struct peer *p) {
    for (;;) {
        atomic_store(&p->resume, false);
        atomic_store(&p->held, false);
        if (p->ops->message(p->ctx, p, p->message, p->held_len)) return true;
        atomic_store(&p->held, true);
        /* peer_resume() may have come between the refusal and the line above; it did not ring then. */
        if (!atomic_load(&p->resume)) return false;
    }
}

bool peer_may_act(struct peer *p) {
    if (!p->ops->incarnation_valid || p->ops->incarnation_valid(p->ctx, &p->other)) return true;
    peer_say(p->ops, p->ctx, p->last_line, "%s: incarnation %llu of %s has been isolated", p->self.name,
             (unsigned long long)p->other.incarnation, p->other.name);
    return false;
}

u32 peer_discard(struct peer *p) {
    u32 n = atomic_exchange(&p->held, false);
    bool none = p->link.tcp ? !p->link.in : !p->link.rx.shared;
    /* No more than a ring holds: a writer that goes on writing does not keep us here. */
    while (!none && n < PEER_RING_BYTES / RING_RECORD_MIN && next_message(p) > 0) n++;
    return n;
}

/* Each message is asked about by itself: what follows an isolation in the ring was written by one who is no more. */
enum peer_step peer_deliver(struct peer *p, enum peer_deliver how, u32 *count) {
    u32 delivered = 0;
    int rc = 1;
    bool refused = false, valid = true;
    if (atomic_load(&p->held)) {
        *count = 0;
        if (!atomic_load(&p->resume)) return PEER_IDLE;
        refused = !offer(p);
        delivered++;
    }
    while (!refused && delivered < PEER_BATCH && !atomic_load(&p->closing) && (valid = peer_may_act(p)) &&
           (how != PEER_DELIVER_STANDING || !atomic_load(&p->kicked)) && (rc = next_message(p)) > 0) {
        p->held_len = (u32)rc;
        refused = !offer(p);
        delivered++;
    }
    if (delivered && how != PEER_DELIVER_LOOK && p->ops->batch_end && !atomic_load(&p->closing)) p->ops->batch_end(p->ctx, p);
    *count = delivered;
    if (rc < 0 || !valid) return PEER_DEAD;
    return delivered >= PEER_BATCH && !refused ? PEER_MORE : PEER_IDLE;
}

static enum peer_step step_locked(struct peer *p) {
    struct peer_link *l = &p->link;
    u32 delivered;
    /* Also while nothing can be delivered because a message is held. */
    if (!peer_may_act(p)) return PEER_DEAD;
    enum peer_step in = peer_deliver(p, PEER_DELIVER, &delivered);
    if (in == PEER_DEAD && ring_broken(&l->rx))
        peer_say(p->ops, p->ctx, p->last_line, "%s: %s wrote nonsense into its ring", p->self.name, p->other.name);
    enum peer_step out = l->tcp ? stream_send(l) : PEER_IDLE;
    if (in == PEER_DEAD || out == PEER_DEAD || atomic_load(&p->closing)) return PEER_DEAD;
    if (in == PEER_MORE || out == PEER_MORE) return PEER_MORE;
    /* Nothing to do now. While a message is held only peer_resume() wakes us; while the socket is full, only it. */
    bool held = atomic_load(&p->held);
    if (l->tcp) stream_watch(p, !held);
    if (l->tcp ? l->out_blocked : held) return PEER_IDLE;
    /* Whoever stands there has said how it is to be woken, and will. */
    if (atomic_load(&p->standing)) return PEER_IDLE;
    return ring_sleep(&l->rx, RING_BELL) ? PEER_IDLE : PEER_MORE;
}

enum peer_step peer_step(struct peer *p) {
    peer_rx_lock(p);
    enum peer_step step = step_locked(p);
    peer_rx_unlock(p);
    return step;
}
