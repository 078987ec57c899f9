/* bsock.h - blocking sockets for programs that run as tasks; a thin layer over net/sock.h.
 *
 * Each call waits (task_wait_until) while sock.h says -ERR_AGAIN or -ERR_INPROGRESS, and returns what sock.h then
 * says: 0 or a count, or -ERR_*. timeout_us 0 = wait for ever; else -ERR_TIMEDOUT. Only inside a task.
 */
#ifndef SUPER_BSOCK_H
#define SUPER_BSOCK_H

#include "net/sock.h"
#include "super/task.h"

struct bsock {
    struct sock *s;
    struct tasks *ts;
    struct ecb ecb;
    u32 timeout_us;
    u32 events; /* every SOCK_EV_* that came */
};

int bsock_open(struct bsock *b, struct tasks *ts, struct stack *stk, enum sock_type type, const char *jobname);
int bsock_listen(struct bsock *b, struct ipaddr addr, u16 port, u32 backlog);
int bsock_accept(struct bsock *listener, struct bsock *out, struct sockaddr4 *peer);
int bsock_connect(struct bsock *b, struct ipaddr addr, u16 port);
/* Sends all len bytes or fails. */
i32 bsock_send(struct bsock *b, const void *data, u32 len);
/* At least one byte; 0 = the peer has closed. */
i32 bsock_recv(struct bsock *b, void *data, u32 len);
i32 bsock_sendto(struct bsock *b, const void *data, u32 len, const struct sockaddr4 *to);
i32 bsock_recvfrom(struct bsock *b, void *data, u32 len, struct sockaddr4 *from, struct ipaddr *to);
void bsock_close(struct bsock *b);

#endif
