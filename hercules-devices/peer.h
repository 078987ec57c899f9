/* peer.h - one connection between two processes of a plex: LPAR to OSA card, LPAR to LPAR, LPAR to CF.
 *
 * Same host: a Unix-domain socket in the plex's run directory for the handshake, over which the server passes
 * a memory file with two rings (ring.h); afterwards the socket only tells that the other side died. Another
 * host: the same messages over TCP ("tcp:host:port"), framed by their length.
 *
 *   handshake, both ways:  magic "PLX390", protocol, version, kind, own name, expected name of the other,
 *                          incarnation.  A wrong name, kind or version is refused with one line on both sides.
 *
 * Client side (in a module): peer_connect() starts a thread that connects, retries every 200 ms for ever,
 * and calls ops from that thread: up, message, batch_end, down. Server side (a card): peer_serve() gives an
 * epoll-able descriptor.  A message is at most PEER_MESSAGE_MAX bytes and keeps its boundaries and order.
 *
 * Sending, from any one thread at a time: peer_reserve, fill, peer_commit; peer_flush rings the doorbell only
 * if the other side sleeps. The receiving thread blocks on a futex with a 100 ms limit, for peer-death checks.
 *
 * Source of the scheme: docs/adr; measured in tests/bench.
 */
#ifndef HERCULES_DEVICES_PEER_H
#define HERCULES_DEVICES_PEER_H

#include "base/base.h"

#define PEER_MESSAGE_MAX (128 * 1024)
#define PEER_NAME_MAX 16

struct peer; /* one established or wanted connection */
struct peer_server;

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
};

/* address: a socket path, or "tcp:host:port". NULL and a line in log on a bad address. */
struct peer *peer_connect(const char *address, const struct peer_identity *self, const struct peer_ops *ops,
                          void *ctx);
struct peer_server *peer_serve(const char *address, const struct peer_identity *self, const struct peer_ops *ops,
                               void *ctx);
void peer_server_close(struct peer_server *s);
void peer_close(struct peer *p); /* joins its thread; down() is not called */
void peer_set_context(struct peer *p, void *ctx);
void *peer_context(const struct peer *p);

u8 *peer_reserve(struct peer *p, u32 bytes); /* NULL: ring full or down */
void peer_commit(struct peer *p, u32 bytes);
void peer_flush(struct peer *p);
void peer_resume(struct peer *p); /* offer the message that was not taken once more */

#endif
