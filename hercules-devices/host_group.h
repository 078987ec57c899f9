/* host_group.h - runs one engine among threads: the emulator's device threads (CCWs that may block), its CPU
 * threads (SIGA, halt) and the peer's thread (messages). POSIX threads only; Hercules is behind host_port.
 *
 *   device thread   group_start -> ENGINE_DONE, or ENGINE_WAIT and then group_wait
 *   CPU thread      group_siga_*, group_halt, group_reset; group_try, where the emulator can start a program on it
 *   peer thread     group_link, group_rx, group_rx_end; the last two also a thread in group_start, group_try or group_wait (below)
 *   helper thread   (one per group, asleep) raises what could not be raised where it arose
 *
 * One lock is held around every call of the engine. What the engine asks to raise (attention, PCI) is noted and
 * done after the lock is free, so nothing of the emulator's is ever locked inside ours:
 *
 *   order of locks:  the emulator's INTLOCK, its device lock  ->  the group's lock  ->  nothing
 *
 * Attentions and PCIs are level-triggered: a unit has one pending or none. An attention that the channel refuses
 * because the device is busy is offered again by the helper, 100 us doubling to 10 ms, until it is taken. In the
 * same rhythm it calls the engine's rx_end while the engine keeps work back: it found the ring to the other side full,
 * or asked to be called again.
 *
 * Of an engine with look_first a thread that waits in a CCW takes the messages itself, if host_port has stand: so the message that ends its
 * CCW wakes it, and not first the peer's thread. One thread does so at a time; the others wait as ever, and hear from it. And a CCW that
 * would wait is not given to the engine before the messages that are there already have been.
 *
 * How a CCW that waits can end:
 *   GROUP_COMPLETED   the engine completed it
 *   GROUP_ENDED       by group_halt, or because port->ending said so (polled: not every emulator calls at a clear)
 *   GROUP_RESET       the subchannel was reset under it; the engine has been reset too
 *   GROUP_CLOSED      the device is being detached
 */
#ifndef HERCULES_DEVICES_HOST_GROUP_H
#define HERCULES_DEVICES_HOST_GROUP_H

#include <pthread.h>

#include "hercules-devices/engine.h"

#define GROUP_POLL_MS 20 /* how soon a clear or a reset ends a waiting CCW where no call announces it */

enum group_end { GROUP_COMPLETED, GROUP_ENDED, GROUP_RESET, GROUP_CLOSED };
enum group_signal { GROUP_CONTINUE, GROUP_END, GROUP_FORGET }; /* answer of port->ending */

/* The messages of the connection, for a thread of the group's. What pin returns stands for it in the other calls; pin, unpin and kick are called
 * with the lock held, the others with it free. See peer.h. */
struct host_stand {
    void *(*pin)(void *ctx, bool to_stand); /* NULL: there is none */
    void (*unpin)(void *connection);
    bool (*stand)(void *connection, u32 msec);
    void (*kick)(void *connection, bool goes_on);
    u32 (*look)(void *connection, bool wait); /* wait: also for a thread that looks just now */
};

/* What a group asks of its surroundings. attention and pci are called with the lock free, all others with it held. */
struct host_port {
    u8 *(*storage)(void *ctx, u64 addr, u32 len, bool will_write);
    enum group_signal (*ending)(void *ctx, u32 unit); /* has the channel ended the CCW of this unit? */
    u32 (*upcoming)(void *ctx, u32 unit, struct engine_next *out, u32 max); /* engine.h; NULL: not known */
    bool (*attention)(void *ctx, u32 unit, u8 unit_status); /* false: busy, offer it again */
    void (*pci)(void *ctx, u32 unit);
    u8 *(*tx_reserve)(void *ctx, u32 bytes);
    void (*tx_commit)(void *ctx, u32 bytes);
    void (*tx_flush)(void *ctx);
    void (*tx_later)(void *ctx); /* engine.h; NULL where tx_flush must do. The thread that sent so looks at the ring once more before it waits */
    bool (*running)(void *ctx, u32 unit); /* the channel still executes this unit's program */
    void (*rx_resume)(void *ctx); /* the message that group_rx refused may be offered again */
    const struct host_stand *stand; /* NULL: messages come from the peer's thread alone */
    void (*log)(void *ctx, enum engine_severity sev, const char *text);
};

struct group_unit {
    struct engine_ccw *ccw; /* the CCW that waits, NULL if none */
    bool completed;         /* the engine has filled it in */
    bool ended, was_reset;  /* why it completed, if not by itself */
    u8 attention;           /* unit status to present, 0 = none */
    bool withdrawn;         /* the engine took it back while it was being presented */
    struct engine_sense sense;
    pthread_cond_t done; /* completed, or the wait is over */
};

struct host_group {
    struct engine *engine;
    struct engine_host host; /* what the engine is given at its init */
    const struct host_port *port;
    void *ctx; /* of port */
    pthread_mutex_t lock;
    struct group_unit unit[ENGINE_UNITS_MAX];
    u32 pci;         /* units with a PCI to raise, bit = unit */
    bool rx_refused; /* the peer keeps a message that the engine had no buffer for */
    bool linked;     /* the other side is there */
    bool kept_back;  /* the engine keeps work back: no room in the other side's ring, or it said so */
    bool closing;
    void *standing;  /* the connection at which a thread stands, NULL if none does */
    u32 stands_for;  /* the unit whose CCW that thread waits in */
    bool sent_later; /* a message went out by tx_later */
    bool owes_look;  /* it went on to the next CCW, and has left messages in the ring */
    u32 inside;          /* threads that are in a waiting CCW */
    pthread_cond_t left; /* inside became 0 */
    pthread_t helper;
    pthread_cond_t work; /* for the helper */
    u64 stood, looks; /* waits at the connection; messages found before a CCW that would have waited */
    u64 ccws, waits, pcis, attentions, attentions_busy, rx_refusals, tx_full_count, resets; /* shown by query */
};

/* Prepares g->host, to be handed to the engine's init; then group_open. */
void group_init(struct host_group *g, const struct host_port *port, void *ctx, bool trace);
/* false: no thread to be had. */
bool group_open(struct host_group *g, struct engine *e);
/* Ends all that waits and stops the helper; afterwards no call of g is allowed. The peer must be closed before. */
void group_close(struct host_group *g);

/* c and c->buf stay valid until ENGINE_DONE, or until group_wait returns. SENSE and SENSE ID are answered here. */
enum engine_rc group_start(struct host_group *g, u32 unit, struct engine_ccw *c);
/* As group_start if the CCW ends at once; false: it might wait, and nothing was done. For a thread that must not block. */
bool group_try(struct host_group *g, u32 unit, struct engine_ccw *c);
enum group_end group_wait(struct host_group *g, u32 unit);
/* Sense of the last unit check, for channels that present it with the status. */
void group_sense(struct host_group *g, u32 unit, struct engine_sense *out);

void group_halt(struct host_group *g, u32 unit);
void group_reset(struct host_group *g);
/* Condition codes; 3 if the engine has no QDIO. */
int group_siga_write(struct host_group *g, u32 unit, u32 qmask);
int group_siga_read(struct host_group *g, u32 unit, u32 qmask);
int group_siga_sync(struct host_group *g, u32 unit, u32 out_mask, u32 in_mask);

void group_link(struct host_group *g, bool up);
void group_isolated(struct host_group *g); /* this system has been isolated; its link is down */
bool group_rx(struct host_group *g, const u8 *msg, u32 len);
void group_rx_end(struct host_group *g);
void group_query(struct host_group *g, char *out, size_t cap);

#endif
