/* simplex.h - stacks in the sysplex: real struct stack and struct sysplex on each system of simxcf.h, one shared LAN, clients.
 *
 *   p = simplex_create(&params)         systems 0..n-1 are up and their stacks configured by params.profile
 *   simplex_run(p, us)                  time passes; the checker of owners runs at each step
 *   simplex_xcf(p)                      kill, pause and cut systems there; then simplex_start_system() to IPL one again
 *   simplex_fetch(p, ...)               a client on the LAN fetches bytes from an address
 *
 * Addresses: system i has 10.0.0.(i+1)/24 on the LAN and dynamic XCF address 193.9.200.(i+1); clients have 10.0.0.200 and
 * up. DVIPAs in 10.0.0.0/24 are on the LAN: a packet goes to whoever has registered its destination with the LAN, which
 * delivers to one system alone, as an OSA's address table does, and not to an isolated or paused one.
 * Each system serves port 80: a connection gets the byte 'A' + i, then as many bytes as the client asked for.
 *
 * Checkers, outside the code they check; each stops the program with the seed:
 *   owner    no DVIPA is in HOME unhidden on two systems that could answer (a), ACTIVE or not
 *   content  bytes that a client reads are a prefix of what that server sends (b)
 *   pools    (simplex_destroy) every stack that still runs gives back all buffers, rows and DVIPAs that sessions took (h)
 */
#ifndef TESTS_SIM_SIMPLEX_H
#define TESTS_SIM_SIMPLEX_H

#include "sysplex/dvipa.h"
#include "sysplex/dynxcf.h"
#include "sysplex/sysplex.h"
#include "tests/sim/simxcf.h"

#define SIMPLEX_CLIENTS 2
#define SIMPLEX_PORT    80

struct simplex;
typedef void simplex_profile_fn(void *ctx, u32 system, struct sysplex *sx, u64 now);

struct simplex_params {
    u64 seed;
    u32 systems;
    u32 drift_ppm;
    simplex_profile_fn *profile; /* called for each start of a stack */
    void *ctx;
    /* Parts that a test adds, after ours: called before sysplex_attach(). May be NULL. */
    void (*parts)(void *ctx, u32 system, struct sysplex *sx, struct arena *a);
    size_t parts_bytes;
    /* Somebody has reset a client's connection, rightly or not: system, the client's node, its port. May be NULL. */
    void (*reset)(void *ctx, u32 system, u32 client, u16 port);
    bool no_osa_on_last; /* the last system has no LAN */
    u32 loss_permille;   /* of the LAN */
    u32 slice_us;        /* step; 0: 500 */
    u32 dvipas;          /* 0: 64 */
    bool many;           /* stacks have room for tens of thousands of sessions */
    bool no_server;      /* nobody listens on port 80 */
    bool clients_serve;  /* clients do, too */
    const struct couple *couple; /* as simxcf_params */
    u16 iqd_device;  /* IUTIQDIO's; its LAN takes dynamic XCF addresses for next hops, and is nowhere until simplex_iqd() */
    u32 iqd_systems; /* which have it: 0 to iqd_systems - 1; 0: the first two */
};

struct simplex *simplex_create(const struct simplex_params *p);
void simplex_destroy(struct simplex *p);
void simplex_run(struct simplex *p, u64 us);
/* Runs until done() or us have passed; false: they have. */
bool simplex_until(struct simplex *p, u64 us, bool (*done)(void *ctx), void *ctx);
struct simxcf *simplex_xcf(struct simplex *p);
u64 simplex_local(struct simplex *p, u32 i);
struct sysplex *simplex_sysplex(struct simplex *p, u32 i); /* NULL: its stack is not there */
struct stack *simplex_stack(struct simplex *p, u32 i);
struct stack *simplex_client(struct simplex *p, u32 c);
void simplex_start_system(struct simplex *p, u32 i); /* after simxcf_kill(): IPL and S TCPIP */
void simplex_stop_stack(struct simplex *p, u32 i);   /* P TCPIP; the system goes on */
void simplex_start_stack(struct simplex *p, u32 i);  /* S TCPIP */
/* How often system i's stack has said a message that begins so, in its present life; the text of the latest. */
u32 simplex_said(const struct simplex *p, u32 i, const char *begins);
/* System i is on HiperSockets LAN so-and-so from now on; 0: its device has lost it. */
void simplex_iqd(struct simplex *p, u32 i, u8 lan);
/* The card of the LAN, or of the HiperSockets LAN, stands still for so long: what is sent meanwhile arrives after it, in order. */
void simplex_lan_stuck(struct simplex *p, bool iqd, u64 us);
u32 simplex_iqd_packets(const struct simplex *p, u32 i); /* and the HiperSockets LAN */
u32 simplex_lan_packets(const struct simplex *p, u32 i); /* packets that the LAN has delivered to system i */
bool simplex_lan_rst(const struct simplex *p, u32 i);    /* has system i sent a RST over the LAN since the last call */

/* Which system owns addr: its index, -1 nobody (of those that could answer). */
i32 simplex_owner(struct simplex *p, struct ipaddr addr);
enum dvipa_status simplex_status(struct simplex *p, u32 i, struct ipaddr addr);
/* All running stacks are in sync with each other and say the same of every DVIPA. why: what differs. */
bool simplex_converged(struct simplex *p, const char **why);
/* Who owns what and who says what, to stderr. */
void simplex_show(struct simplex *p);

/* A client's session: connects, asks for `bytes`, reads them. */
struct simplex_session {
    bool used, connected, ended, failed; /* failed: reset or timed out; err says which */
    int err;
    i32 server; /* who serves it, -1 not known yet; clients come after the systems */
    u32 node;   /* whose program it is, likewise */
    u32 bytes, got;
    u64 began, first_byte_at, ended_at;
    struct sock *s;
    struct simplex *p;
    bool paused; /* does not read: the transfer stands still */
};
/* The same of a program of system i, from an address of its stack and any port, to client 0; NULL also: bind() fails. */
struct simplex_session *simplex_call(struct simplex *p, u32 i, struct ipaddr from, u32 bytes);
/* The stack of its program is gone, and its socket with it: it has ended. */
void simplex_session_lost(struct simplex_session *s);
/* NULL: there is no room. Valid until simplex_forget(). */
struct simplex_session *simplex_fetch(struct simplex *p, u32 client, struct ipaddr addr, u32 bytes);
void simplex_forget(struct simplex_session *s);
void simplex_resume(struct simplex_session *s); /* reads on */

#endif
