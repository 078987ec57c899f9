/* cf_process.h - the process of one coupling facility: what its files share.
 *
 *   cf_main.c           options, the loop, what the engine asks of its surroundings
 *   cf_control_main.c   the commands of its control socket, and its state as JSON
 *
 * One thread, one loop. A command whose response has no room waits in its system's ring and is offered again each millisecond.
 */
#ifndef HERCULES_DEVICES_CF_PROCESS_H
#define HERCULES_DEVICES_CF_PROCESS_H

#include "hercules-devices/cf_engine.h"
#include "hercules-devices/peer.h"
#include "hercules-devices/peer_control.h"
#include "hercules-devices/peer_fence.h"

struct facility;

/* The context of a connection; the server's own has number -1. */
struct slot {
    struct facility *f;
    struct peer *peer;
    int n;
    u64 fence_seen;   /* peer_fence_still_valid()'s */
    bool held, dirty; /* a command waits for room; the ring got something in this round */
};

struct facility {
    struct cf_params params;
    const char *socket, *fence_file, *control;
    struct cf *cf;
    struct cf_host host;
    struct peer_fence *fence;
    struct peer_server *server;
    struct control commands;
    struct slot self, slot[CF_SYSTEMS];
    char pulled[CF_SYSTEMS][PEER_NAME_MAX + 1]; /* systems whose cable an operator has pulled; "" = free */
    bool all_pulled;
    u64 started; /* seconds */
    int epoll, signals;
    bool stop;
};

/* ---- cf_main.c ---- */
u64 facility_seconds(void); /* on a clock that only grows */
bool facility_watch(struct facility *f, int fd);
/* Is the cable of this system out? */
bool facility_pulled(const struct facility *f, const char *name);
/* Ends the connections of systems whose cable is out. */
void facility_close_pulled(struct facility *f);

/* ---- cf_control_main.c ---- */
extern const struct control_ops facility_control_ops;

#endif
