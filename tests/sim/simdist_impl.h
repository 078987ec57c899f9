/* simdist_impl.h - the inside of the distributor's simulation, shared by simdist*.c. */
#ifndef TESTS_SIM_SIMDIST_IMPL_H
#define TESTS_SIM_SIMDIST_IMPL_H

#include "net/tcp_impl.h"
#include "sysplex/dist_impl.h"
#include "tests/sim/simdist.h"
#include "tests/sim/simplex_impl.h"

#define IQD_LAN     0x51
#define WATCHED_MAX 32768
#define DYNXCF(i)   ipaddr_v4(0xC109C801u + (i))
#define LEARNING_US USEC_PER_SEC /* the owner knows the listener of a system that is in sync by then */
#define BOUND_MAX   96u /* sockets of each system at a time: two blocks of ports */

/* Whose distributor asks the policy. */
struct asked {
    struct simdist *s;
    u32 system;
};

/* A program's socket, bound to the DVIPA and a port of SYSPLEXPORTS, as long as its stack and that one's membership last. */
struct bound {
    struct sock *s; /* NULL: none */
    u64 incarnation;
    u32 epoch;
    u64 made_at;
    u16 port;
};

struct simdist {
    struct simdist_params par;
    struct simplex *p;
    struct distributor *d[XCF_SYSTEMS_MAX];
    void *owner_of_d[XCF_SYSTEMS_MAX]; /* the struct sysplex that d belongs to */
    u64 harmed_at[XCF_SYSTEMS_MAX];
    u64 turned_at[XCF_SYSTEMS_MAX];  /* when it last began or ceased to be harmed, or stopped listening */
    bool bad[XCF_SYSTEMS_MAX];       /* it is harmed */
    bool deaf[XCF_SYSTEMS_MAX];      /* it does not listen, or is quiesced */
    u64 unheard_at[XCF_SYSTEMS_MAX]; /* when it last was harmed, deaf or not in sync, or could not exchange messages with the owner */
    bool harm[XCF_SYSTEMS_MAX]; /* and goes on */
    struct simplex_session *watched[WATCHED_MAX];
    u16 port[WATCHED_MAX];      /* of the client */
    u64 life[WATCHED_MAX];      /* of the stack whose program it is; 0 a client's */
    i32 server[WATCHED_MAX];    /* the system that had its connection when that was looked for, -1 none */
    struct asked asked[XCF_SYSTEMS_MAX];
    struct bound bound[XCF_SYSTEMS_MAX][BOUND_MAX];
    u8 port_of[65536]; /* system + 1 */
    /* When an owner, or who was giving the address away, last had no VIPADISTRIBUTE: a backup that came up alone, and serves by itself. */
    u64 plain_at;
    u64 resume_at[WATCHED_MAX]; /* when a client that stands still reads on; 0 it does not stand still */
    u32 open, watched_top, watched_last; /* none is watched from top on; last: the place taken last */
    struct simdist_result r;
};

/* simdist.c */
/* As FTP's server opens its data connection: a program of system i, from the DVIPA and a port that nobody else has. */
void simdist_call(struct simdist *s, u32 i);
/* May watched session i fail? */
bool simdist_was_harmed(const struct simdist *s, u32 i);
/* simdist_check.c */
/* A program of system i wants a port, or gives one back. */
void simdist_use_port(struct simdist *s, u32 i);
void simdist_check_ports(struct simdist *s);

#endif
