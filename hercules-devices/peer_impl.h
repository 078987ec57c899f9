/* peer_impl.h - what the files of peer share with each other and with nobody else.
 *
 *   peer_hello.c    handshake bytes: emit, check, the sentence for a refusal                      (pure)
 *   peer_socket.c   addresses, sockets, descriptors passed along
 *   peer_link.c     an established connection: rings in shared memory, or a TCP stream; delivery
 *   peer_server.c   accept, handshake, loop over many connections
 *   peer_stand.c    threads of the caller's that take the messages themselves
 *   peer.c          the client's thread, and the calls that both sides share
 */
#ifndef HERCULES_DEVICES_PEER_IMPL_H
#define HERCULES_DEVICES_PEER_IMPL_H

#include "hercules-devices/peer.h"
#include "hercules-devices/peer_socket.h"
#include "hercules-devices/ring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#define PEER_RING_BYTES    (2u << 20) /* data of one ring: 30 of the largest packets, 20 ms at 100 MB/s */
#define PEER_HELLO_MSEC    5000       /* a handshake that takes longer is given up */
#define PEER_STREAM_BYTES  (2 * (PEER_MESSAGE_MAX + 4))
#define PEER_TEXT_MAX      256
#define PEER_ADDRESS_MAX   256

enum peer_role { PEER_HELLO = 0, PEER_WELCOME = 1, PEER_REFUSAL = 2 };

struct peer_hello {
    u16 protocol;
    u8 kind, role;
    u16 refusal;
    u32 ring_bytes;
    u64 incarnation;
    char name[PEER_NAME_MAX + 1], expected[PEER_NAME_MAX + 1];
};

/* ---- peer_hello.c ---- */
void peer_hello_emit(u8 out[PEER_HELLO_BYTES], const struct peer_identity *self, enum peer_role role, u16 refusal,
                     u32 ring_bytes);
bool peer_hello_parse(const u8 in[PEER_HELLO_BYTES], struct peer_hello *h); /* false: not our protocol at all */
/* 0, or why self does not talk to h. */
u16 peer_hello_check(const struct peer_identity *self, const struct peer_hello *h);
/* One line that names both ends; ours: this side refuses, else the other one did. */
void peer_refusal_text(char *out, size_t cap, const struct peer_identity *self, const struct peer_hello *h,
                       u16 refusal, bool ours);

/* ---- peer_link.c ---- */
struct peer_link {
    bool tcp;
    int epoll; /* where sock and bell_in are registered; borrowed */
    int sock, bell_in, bell_out; /* TCP: bell_out is bell_in's twin, our sender rings it for our receiver */
    struct ring tx, rx; /* TCP: rx is the receiving thread's end of tx, which it empties into the socket */
    u8 *map;
    size_t map_bytes;
    u8 *in, *out; /* TCP: PEER_STREAM_BYTES each */
    u32 in_from, in_to, out_from, out_to;
    bool out_blocked; /* the socket is full */
    u32 watched;      /* TCP: events of sock that epoll reports */
};

struct peer {
    struct peer_identity self, other;
    const struct peer_ops *ops;
    void *ctx;
    struct peer_link link;
    _Atomic bool up, held, resume, stop;
    pthread_mutex_t rx_lock; /* one thread at a time takes messages out; recursive, for a callback may close its connection */
    _Atomic bool standing, kicked, goes_on; /* peer_stand.c */
    _Atomic bool owed; /* who left the ring without a sleeper is to come back */
    _Atomic u32 pins;
    bool asleep; /* the receiver's doorbell is armed */
    u32 held_len;
    u8 *message; /* PEER_MESSAGE_MAX: the receiver's own copy */
    /* client */
    struct peer_address address;
    pthread_t thread;
    int epoll, wake;
    char last_line[PEER_TEXT_MAX];
    /* connection of a server */
    struct peer_server *server;
    _Atomic bool closing;
    u8 hello[PEER_HELLO_BYTES];
    u32 hello_bytes;
    u64 hello_deadline_ms;
};

enum peer_step { PEER_IDLE, PEER_MORE, PEER_DEAD };

void peer_link_init(struct peer_link *l);
void peer_link_close(struct peer_link *l);
/* Server, Unix socket: makes rings and doorbells; fds: memory, server's bell, client's bell, to be passed and closed. */
bool peer_link_make(struct peer_link *l, int fds[3]);
/* Client, Unix socket: takes what make() made; ownership of the descriptors passes in any case. */
bool peer_link_take(struct peer_link *l, u32 ring_data, int fds[3]);
bool peer_link_stream(struct peer_link *l); /* TCP */
/* Registers sock and bell with an epoll descriptor under data. */
bool peer_link_watch(struct peer_link *l, int epoll, void *data);
/* Moves what can be moved: delivers up to PEER_BATCH messages, sends what TCP takes. */
enum peer_step peer_step(struct peer *p);
/* Its first part, for a thread that has rx_lock: hands messages over, until kicked if the thread stands. look: without batch_end. */
enum peer_deliver { PEER_DELIVER, PEER_DELIVER_STANDING, PEER_DELIVER_LOOK };
enum peer_step peer_deliver(struct peer *p, enum peer_deliver how, u32 *delivered);
/* May the other end still act? If not, the line that says so is said. */
bool peer_may_act(struct peer *p);
/* Takes out what the other side left, and throws it away: how many messages. */
u32 peer_discard(struct peer *p);
/* Do the events of a connection say that it is at its end? */
bool peer_link_ended(const struct peer_link *l, u32 events);

/* ---- peer_stand.c ---- */
void peer_rx_lock(struct peer *p);
void peer_rx_unlock(struct peer *p);
/* From here on nothing is handed over any more: who was in the middle of it is through. Was it up? */
bool peer_set_down(struct peer *p);
/* Waits until no thread stands at p or looks at it; from the thread that is about to take its rings away. It is down. */
void peer_expel(struct peer *p);
void peer_word_wake(struct ring *r);

/* ---- shared ---- */
struct peer *peer_new(const struct peer_identity *self, const struct peer_ops *ops, void *ctx);
void peer_free(struct peer *p);
/* One line to ops.log; the same line twice in a row is said once. last: PEER_TEXT_MAX bytes. */
void peer_say(const struct peer_ops *ops, void *ctx, char *last, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
u64 peer_now_ms(void);
void peer_bell_ring(int fd);

#endif
