/* simcf.h - systems and coupling facilities in one process: on each side the real thing (xes over simchan and the link engine; the
 * facility's engine), between them wires that can be cut, and facilities that can lose their power.
 *
 *   struct simcf *z = simcf_create(systems, facilities);      facilities are CF01, CF02; systems SYSA, SYSB...
 *   simcf_attach(z, s, &events, ctx)                          a link to each facility, device 0F00, 0F10 ...
 *   simcf_step(z) while it is true, or simcf_settle(z)        things happen nowhere else
 *   simcf_destroy(z)                                          checks what the facilities hold, and that nothing is left open
 *
 * A step is one turn of one facility or of one system, in an order that the seed draws. After each step every facility is walked by
 * cf_verify(): checker g.
 */
#ifndef TESTS_SIM_SIMCF_H
#define TESTS_SIM_SIMCF_H

#include "hercules-devices/cf_engine.h"
#include "tests/sim/simport.h"
#include "xcf/xes.h"

#define SIMCF_SYSTEMS    8u
#define SIMCF_FACILITIES 2u
#define SIMCF_STORAGE_KB 4096u

struct simcf;

/* What hears of links, with the shape of struct cflink_user's. */
struct simcf_user {
    void (*up)(void *ctx, struct xes *x, const char *facility, u64 now);
    void (*down)(void *ctx, struct xes *x, const char *facility, bool isolated, u64 now);
};

struct simcf *simcf_create(u32 systems, u32 facilities, u32 seed);
/* With systems of this storage, where 2 MB are not enough. */
struct simcf *simcf_create_large(u32 systems, u32 facilities, u32 seed, u32 bytes);
/* Everything that is on its way ends. */
void simcf_end(struct simcf *z);
void simcf_destroy(struct simcf *z);
void simcf_attach(struct simcf *z, u32 system, const struct simcf_user *user, void *ctx);
struct arena *simcf_arena(struct simcf *z, u32 system);
/* For who opens the links himself instead of simcf_attach(): he closes them, too, between simcf_end() and simcf_destroy(). */
struct chan_system *simcf_channels(struct simcf *z, u32 system);
struct xes *simcf_link(struct simcf *z, u32 system, u32 facility);
u64 simcf_now(const struct simcf *z);
u32 simcf_random(struct simcf *z, u32 below);

/* One turn of somebody who has something to do; false: nobody has. */
bool simcf_step(struct simcf *z);
void simcf_settle(struct simcf *z);
void simcf_later(struct simcf *z, u64 us); /* time passes */

/* The facility loses its power, and all that it held; it comes back empty. */
void simcf_kill(struct simcf *z, u32 facility);
void simcf_start(struct simcf *z, u32 facility);
bool simcf_alive(const struct simcf *z, u32 facility);
void simcf_cut(struct simcf *z, u32 system, u32 facility, bool cut);
/* The system stops for good: its links break, and its side runs no more. */
void simcf_stop(struct simcf *z, u32 system);
/* Checker g once in n messages (1): where much is sent it costs most of the time. */
void simcf_verify_every(struct simcf *z, u32 n);
struct cf *simcf_engine(struct simcf *z, u32 facility);

#endif
