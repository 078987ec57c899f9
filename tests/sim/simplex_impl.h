/* simplex_impl.h - the inside of the simulated stacks, shared by simplex*.c. */
#ifndef TESTS_SIM_SIMPLEX_IMPL_H
#define TESTS_SIM_SIMPLEX_IMPL_H

#include "net/stack_impl.h"
#include "tests/sim/simplex.h"
#include "sysplex/dvipa_impl.h"
#include "tests/sim/simxcf_impl.h"

#define SIMPLEX_SESSIONS 32768
#define SIMPLEX_SERVES   2048
#define SIMPLEX_LINES    512
#define SIMPLEX_CLIENT_0 0x0A0000C8u /* 10.0.0.200; others behind it */

struct node;
struct serve { /* a server's end of a session */
    struct node *n;
    struct sock *s;
    bool used, asked;
    u32 left, at;
    u8 request[4];
    u32 have;
};
struct node { /* a system's stack, or a client */
    struct simplex *p;
    u32 index;
    bool client;
    u32 life; /* of the system; differs: the stack has died with it */
    void *storage;
    size_t bytes;
    struct stack *stk;
    struct sysplex *sx;
    struct driver drivers[DEV_TYPES];
    struct stack_env env;
    struct sock *listener;
    struct serve serve[SIMPLEX_SERVES];
    u32 serve_last; /* the one taken last: the next one is most likely free */
    u64 due, stack_incarnation; /* of its present stack */
    u32 delivered, by_iqd;
    bool rst;
    char *line[SIMPLEX_LINES];
    u32 lines;
};
struct lan_packet {
    struct lan_packet *next;
    u64 at, order; /* global time; which of those of one moment came first */
    struct ipaddr to;
    u32 len;
    u16 flags, gso;
    u32 from;
    i32 node; /* who had the address when it was sent, -1 nobody */
    bool iqd; /* on the HiperSockets LAN */
    u8 bytes[];
};
/* One wire: what is under way, in order. */
struct lan_queue {
    struct lan_packet *head, *tail;
    u64 stuck_until; /* its card delivers nothing before */
};
struct simplex {
    struct simplex_params par;
    struct simxcf *x;
    struct node *node; /* systems, then clients */
    u32 nodes;
    struct lan_queue wire[2]; /* the LAN's, the HiperSockets LAN's */
    u64 packets_sent;
    u64 random;
    struct lan_owner { /* the address table of the LAN */
        struct ipaddr addr;
        u32 node;
        u64 leaves; /* when it was given up with passes_on: still delivered for a while; 0: it was not */
    } * owner;
    u32 owners, owners_size;
    struct simplex_session session[SIMPLEX_SESSIONS];
    u32 session_last;
    u32 digest;
};

bool simplex_runs(const struct node *n);
u64 simplex_node_now(const struct node *n);
u32 simplex_random(struct simplex *p, u32 n);
_Noreturn void simplex_fail(struct simplex *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* simplex_lan.c */
extern const struct device_ops simplex_lan_device;
extern const struct link_ops simplex_lan_link;
void simplex_lan_run(struct simplex *p);
void simplex_lan_forget(struct simplex *p, u32 node); /* its registrations are gone */
void simplex_lan_free(struct simplex *p);
/* simplex_app.c */
void simplex_serve(struct node *n);
void simplex_listen(struct node *n); /* its server, unless it does already */

#endif
