/* peer.h - one connection between two processes of a plex: LPAR to OSA card, LPAR to LPAR, LPAR to CF.
 *
 * Same host: a Unix-domain socket in the plex's run directory for the handshake, over which the server passes
 * a memory file with two rings (ring.h) and a doorbell for each; afterwards the socket only tells that the
 * other side died. Another host: the same messages over TCP ("tcp:host:port"), each behind its length.
 *
 *   handshake, both ways, big-endian
 *   off len
 *     0   6  magic "PLX390"          6  2  protocol, PEER_PROTOCOL
 *     8   1  kind                    9  1  0 hello (client), 1 welcome (server), 2 refusal
 *    10   2  refusal: enum peer_refusal
 *    12   4  welcome over a Unix socket: data bytes of each ring; else zero
 *    16   8  incarnation            24 16  own name           40 16  expected name of the other ("" any)
 *    56   8  zero                        names are padded with zeros
 *   The welcome over a Unix socket carries three descriptors: memory file (sealed against resizing; first the
 *   ring towards the server, then the ring towards the client), the server's doorbell, the client's doorbell.
 *   TCP afterwards: 4 length | message, both ways.
 *
 * A wrong name, kind or version is refused with one line on both sides, once, not at every retry.
 *
 * Client side (in a module): peer_connect() starts a thread that connects, retries every 200 ms for ever, and
 * calls ops from that thread: up, message, batch_end, down. Server side: either peer_serve() and then, from one
 * loop of the caller's, peer_server_poll() whenever the descriptor peer_server_fd() is readable (the OSA card);
 * or also peer_server_thread(), which runs that loop in a thread (a module that serves). A message is at most
 * PEER_MESSAGE_MAX bytes and keeps its boundaries and order. It is handed over in the receiver's own memory,
 * never in shared memory, and stays valid until the callback returns.
 *
 * Sending, from any one thread at a time: peer_reserve, fill, peer_commit; peer_flush rings the doorbell only
 * if the other side sleeps. The sender and ops.down() must exclude each other (an adapter's one lock does): after
 * down() has returned the rings are unmapped, and until the next up() peer_reserve answers NULL.
 *
 * The doorbell is an eventfd and not a futex because the receiver then waits for the bell and for the socket's
 * end of file at once: the death of the other side is seen when it happens. A wait still ends after 100 ms.
 *
 * A thread that waits for a message need not be woken by the connection's: peer_stand(). Callbacks then come from that thread, too, never
 * from two at a time; up and down always from the connection's own.
 *
 * Whatever the other side writes (garbage in indices, lengths, handshake, descriptors) costs it the connection
 * and us one line.
 */
#ifndef HERCULES_DEVICES_PEER_H
#define HERCULES_DEVICES_PEER_H

#include "base/base.h"

#define PEER_MESSAGE_MAX (128 * 1024)
#define PEER_NAME_MAX 16
#define PEER_PROTOCOL 1
#define PEER_HELLO_BYTES 64
#define PEER_SERVER_MAX 64   /* connections of one server: 32 systems with two device groups each */
#define PEER_RETRY_MSEC 200
#define PEER_WAIT_MSEC 100
#define PEER_BATCH 256       /* messages of one connection before the others get their turn */

struct peer; /* one established or wanted connection */
struct peer_server;

enum peer_refusal {
    PEER_REFUSED_VERSION = 1, /* the other side speaks another protocol */
    PEER_REFUSED_KIND,
    PEER_REFUSED_NAME,        /* it wants another system than this one */
    PEER_REFUSED_UNEXPECTED,  /* it is not the system that this one wants */
    PEER_REFUSED_INCARNATION, /* it has been isolated */
    PEER_REFUSED_FULL,
    PEER_REFUSED_CABLE,       /* an operator has pulled the cable between them */
};

enum peer_kind { PEER_OSA = 1, PEER_CTC = 2, PEER_CF = 3 };

struct peer_identity {
    enum peer_kind kind;
    char name[PEER_NAME_MAX + 1];     /* of this end: "SYSA", "OSA1" */
    char expected[PEER_NAME_MAX + 1]; /* of the other end; "" = any */
    u64 incarnation;                  /* of this end's LPAR or process start */
};

struct peer_ops {
    void (*up)(void *ctx, struct peer *p, const struct peer_identity *other);
    /* false: keep the message and offer it again after peer_resume(p). */
    bool (*message)(void *ctx, struct peer *p, const u8 *msg, u32 len);
    void (*batch_end)(void *ctx, struct peer *p);
    void (*down)(void *ctx, struct peer *p);
    void (*log)(void *ctx, const char *text);
    /* May this incarnation still act? Asked at the handshake and before each message; false ends the connection
     * and what it left in its ring is thrown away, counted. NULL: always. */
    bool (*incarnation_valid)(void *ctx, const struct peer_identity *other);
    /* A server's: 0, or enum peer_refusal: this one is not to be let in now. NULL: all are. */
    u16 (*admit)(void *ctx, const struct peer_identity *other);
    /* A client's: the server does not let us in; it is asked again every 200 ms. NULL: of no interest. */
    void (*refused)(void *ctx, enum peer_refusal why);
};

/* address: a socket path, or "tcp:host:port". NULL and a line in log on a bad address. */
struct peer *peer_connect(const char *address, const struct peer_identity *self, const struct peer_ops *ops,
                          void *ctx);
struct peer_server *peer_serve(const char *address, const struct peer_identity *self, const struct peer_ops *ops,
                               void *ctx);
/* Becomes readable when peer_server_poll() has something to do. Its events: only EPOLLIN matters. */
int peer_server_fd(const struct peer_server *s);
/* Accepts, shakes hands, delivers, notices deaths. true: more is waiting, call again before sleeping; false:
 * all is drained and the doorbell is armed. Never blocks. */
bool peer_server_poll(struct peer_server *s);
/* Runs that loop in a thread of its own until peer_server_close(). false: no thread could be made. */
bool peer_server_thread(struct peer_server *s);
void peer_server_close(struct peer_server *s);
/* Messages that connections of this server had left when they were ended: by isolation, or by peer_close(). */
u64 peer_server_thrown_away(const struct peer_server *s);
/* Ends a connection; down() is not called. A client's thread is joined (so never from its own callbacks); a
 * connection of a server may be closed from its callbacks, and is gone when peer_server_poll() returns. */
void peer_close(struct peer *p);
/* Is the connection up? (from the sending thread) */
bool peer_is_up(const struct peer *p);
const struct peer_identity *peer_other(const struct peer *p); /* valid while up */
void peer_set_context(struct peer *p, void *ctx);
void *peer_context(const struct peer *p);

u8 *peer_reserve(struct peer *p, u32 bytes); /* NULL: ring full or down */
void peer_commit(struct peer *p, u32 bytes);
void peer_flush(struct peer *p);
void peer_resume(struct peer *p); /* offer the message that was not taken once more */

/* ---- a thread of the caller's that takes the messages itself (peer_stand.c) ---- */

/* p and its rings stay until peer_unpin(), whatever becomes of the connection. Where down() and peer_close() are excluded; one thread at
 * a time may pin to stand. */
void peer_pin(struct peer *p, bool to_stand);
void peer_unpin(struct peer *p);
/* Pinned: waits here for messages and hands them over on this thread, until peer_kick(), or about msec. false: that is not possible now
 * (TCP, not up, a message was not taken, somebody else stands). */
bool peer_stand(struct peer *p, u32 msec);
/* Of a connection that is pinned to stand, from any thread: who stands there, or is about to, is to return. goes_on: it will soon stand
 * again, or look; what is in the ring may wait so long. */
void peer_kick(struct peer *p, bool goes_on);
/* Pinned: hands over what is in the ring, without ops.batch_end; how many. wait: waits for a thread that does so just now, else leaves it to it. */
u32 peer_look(struct peer *p, bool wait);
/* Instead of peer_flush(), by a sender who has this contract with the other one: both look after they have sent so, before they sleep, and before
 * whatever the message might matter for. Should one fail to, it finds the message when its wait is over, GROUP_POLL_MS or PEER_WAIT_MSEC.
 * Over TCP it is peer_flush(). */
void peer_later(struct peer *p);

#endif
