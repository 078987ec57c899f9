/* bsock.c - blocking sockets on tasks. See bsock.h. */
#include "super/bsock.h"

static void on_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct bsock *b = ctx;
    UNUSED(s);
    UNUSED(now);
    b->events |= events; /* posts merge: an event seen once must not be lost to the next */
    ecb_post(b->ts, &b->ecb, events);
}

static void adopt(struct bsock *b, struct tasks *ts, struct sock *s) {
    *b = (struct bsock){.s = s, .ts = ts};
    ecb_init(&b->ecb);
    sock_on_event(s, on_event, b);
}

static u64 deadline_of(const struct bsock *b) {
    return b->timeout_us ? b->ts->now + b->timeout_us : TIME_NEVER;
}

/* Waits for the next event of the socket. false: the time is over. */
static bool wait_event(struct bsock *b, u64 deadline) { return task_wait_until(b->ts, &b->ecb, deadline, NULL); }

int bsock_open(struct bsock *b, struct tasks *ts, struct stack *stk, enum sock_type type, const char *jobname) {
    struct sock *s;
    int rc = sock_open(stk, type, jobname, &s);
    if (rc == 0) adopt(b, ts, s);
    return rc;
}

int bsock_listen(struct bsock *b, struct ipaddr addr, u16 port, u32 backlog) {
    int rc = sock_bind(b->s, addr, port, b->ts->now);
    return rc ? rc : sock_listen(b->s, backlog, b->ts->now);
}

int bsock_accept(struct bsock *listener, struct bsock *out, struct sockaddr4 *peer) {
    u64 deadline = deadline_of(listener);
    for (;;) {
        struct sock *s;
        int rc = sock_accept(listener->s, &s, peer, listener->ts->now);
        if (rc == 0) adopt(out, listener->ts, s);
        if (rc != -ERR_AGAIN) return rc;
        if (!wait_event(listener, deadline)) return -ERR_TIMEDOUT;
    }
}

int bsock_connect(struct bsock *b, struct ipaddr addr, u16 port) {
    u64 deadline = deadline_of(b);
    int rc = sock_connect(b->s, addr, port, b->ts->now);
    if (rc != -ERR_INPROGRESS) return rc;
    while (!(b->events & SOCK_EV_WRITE)) {
        if (b->events & SOCK_EV_CLOSED) return sock_error(b->s) ? -sock_error(b->s) : -ERR_CONNABORTED;
        if (!wait_event(b, deadline)) return -ERR_TIMEDOUT;
    }
    return 0;
}

i32 bsock_send(struct bsock *b, const void *data, u32 len) {
    u64 deadline = deadline_of(b);
    const u8 *p = data;
    u32 left = len;
    while (left) {
        i32 n = sock_send(b->s, p, left, b->ts->now);
        if (n > 0) {
            p += n;
            left -= (u32)n;
        } else if (n != -ERR_AGAIN) {
            return n;
        } else if (!wait_event(b, deadline)) {
            return -ERR_TIMEDOUT;
        }
    }
    return (i32)len;
}

i32 bsock_recv(struct bsock *b, void *data, u32 len) {
    u64 deadline = deadline_of(b);
    for (;;) {
        i32 n = sock_recv(b->s, data, len, b->ts->now);
        if (n != -ERR_AGAIN) return n;
        if (!wait_event(b, deadline)) return -ERR_TIMEDOUT;
    }
}

i32 bsock_sendto(struct bsock *b, const void *data, u32 len, const struct sockaddr4 *to) {
    u64 deadline = deadline_of(b);
    for (;;) {
        i32 n = sock_sendto(b->s, data, len, to, b->ts->now);
        if (n != -ERR_AGAIN) return n;
        if (!wait_event(b, deadline)) return -ERR_TIMEDOUT;
    }
}

i32 bsock_recvfrom(struct bsock *b, void *data, u32 len, struct sockaddr4 *from, struct ipaddr *to) {
    u64 deadline = deadline_of(b);
    for (;;) {
        i32 n = sock_recvfrom(b->s, data, len, from, to, b->ts->now);
        if (n != -ERR_AGAIN) return n;
        if (!wait_event(b, deadline)) return -ERR_TIMEDOUT;
    }
}

void bsock_close(struct bsock *b) {
    sock_on_event(b->s, NULL, NULL);
    sock_close(b->s, b->ts->now);
    b->s = NULL;
}
