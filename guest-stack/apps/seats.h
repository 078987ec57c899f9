/* seats.h - the sessions of a server with one listening socket: who gets in, who is told that all are in use, who leaves.
 *
 *   a seat is    and leaves it by
 *   idle         a client that is accepted: ops->begin, then ops->run
 *   busy         seat_over(): ops->over, then idle again; the last who left is the first to be taken
 *
 * A client for whom no seat is idle is told PLX0425E and closed; it never waits in the listener's queue, where it would look
 * like a server that hangs. The storage of the seats is the program's: a struct seat is a member of its session.
 *
 *   seats_init, seats_add for each session, seats_open; ...; seats_close, seat_over for each that is busy
 *
 * ops->run may end its own seat, and may be called by the program, too, wherever something was put into the session. It must
 * not touch the seat after seat_over() returned.
 */
#ifndef APPS_SEATS_H
#define APPS_SEATS_H

#include "apps/app.h"
#include "base/list.h"
#include "net/sock.h"
#include "net/timer.h"

struct seats;
struct seat {
    struct list node; /* idle or busy of the seats it is one of */
    struct seats *of;
    struct sock *s;     /* NULL while it is idle */
    struct timer timer; /* see seat_run_at() */
    bool shut;          /* nothing more will be sent: over when the client closes, too */
};

struct seat_ops {
    void (*begin)(struct seat *seat, u64 now); /* a client sits down: seat->s is its socket */
    void (*run)(struct seat *seat, u64 now);   /* bytes came, or room for some, or its moment */
    void (*over)(struct seat *seat);           /* before the socket is closed: what the program holds for it */
};

struct seats {
    struct app_env *env;
    const char *jobname;
    const struct seat_ops *ops;
    struct sock *listener; /* NULL before seats_open() and when it is lost */
    struct list idle, busy;
    u32 count, open, high, accepted, refused_full;
};

/* jobname and ops are kept, not copied. */
void seats_init(struct seats *t, struct app_env *env, const char *jobname, const struct seat_ops *ops);
/* One more seat; seats are taken in the order in which they were added. */
void seats_add(struct seats *t, struct seat *seat);
/* Listens. 0, or what app_listen() returns. */
int seats_open(struct seats *t, u16 port, u32 backlog, u32 send_bytes, u32 recv_bytes, u64 now);
/* Nobody comes any more; who sits keeps his seat. */
void seats_close(struct seats *t, u64 now);

/* The socket is closed, or reset. */
void seat_over(struct seat *seat, bool reset, u64 now);
/* Our end is shut behind what was sent, once; bytes that come after a whole close would reset the connection, and the
 * farewell would be lost on its way. */
void seat_shut(struct seat *seat, u64 now);
/* run() is called then at the latest; TIME_NEVER: only when something comes. */
void seat_run_at(struct seat *seat, u64 when);

/* PLX0426I: the counters above. */
void seats_display(const struct seats *t, const struct reply *r);

#endif
