/* peer_control.h - the control socket of a card or a coupling facility: a Unix socket, one command a line, one line of answer each.
 *
 *   answer   JSON where it is data, "ok", or "error: " and a sentence
 *
 * It has no loop of its own: its descriptors go into the caller's epoll through watch(), and events of them come back through
 * control_event(). An answer may be larger than a socket's buffer: its reader gets a moment, and what the process does beside it
 * waits no longer than that.
 *
 * Calls: control_open once; control_event for each descriptor that is readable and not the caller's own; control_close.
 */
#ifndef HERCULES_DEVICES_PEER_CONTROL_H
#define HERCULES_DEVICES_PEER_CONTROL_H

#include "base/base.h"

#define CONTROL_CLIENTS 8u
#define CONTROL_LINE_MAX 2048u

struct control_ops {
    bool (*watch)(void *ctx, int fd);
    /* The answer to a command, without its newline, to be freed here; NULL: no storage. args: what stands behind the verb. */
    char *(*answer)(void *ctx, const char *verb, char *args);
};

struct control_client {
    int fd; /* -1: free */
    u32 used;
    char line[CONTROL_LINE_MAX];
};

struct control {
    const struct control_ops *ops;
    void *ctx;
    const char *path; /* NULL: none */
    int listener;
    struct control_client client[CONTROL_CLIENTS];
};

/* path NULL: there is none, and nothing happens. false and a line in why: it cannot be had. */
bool control_open(struct control *c, const char *path, const struct control_ops *ops, void *ctx, char *why, size_t cap);
void control_event(struct control *c, int fd); /* fd: the listener or a client; another one is nobody's */
void control_close(struct control *c);
/* "ok" for NULL, else "error: " and what is wrong; for an answer. */
char *control_result(const char *wrong);

#endif
