/* simmember.h - a system with a structure that moves: what the worlds of simrebuild.h and simduplex.h have in common. Links to the
 * facilities of a struct simcf, the order of preference, CONNECT's operands, and the news that a system is gone.
 *
 * A world's own system begins with a struct simmember, so that its address is the context of both.
 */
#ifndef TESTS_SIM_SIMMEMBER_H
#define TESTS_SIM_SIMMEMBER_H

#include "tests/sim/simcf.h"
#include "xcf/rebuild.h"

struct simmember {
    struct simcf *z;
    u32 index;
    struct rebuild *r;
    struct xes *link[SIMCF_FACILITIES];
    bool loaded, stopped, told_gone;
    bool settles; /* it looks for the structure when all links have come, as xcf/strpath.h does: who looks before may make one of its own */
};

/* The structure, and the connection by the system's letter; the rest of the operands is zeros. */
void simmember_connect_put(u8 connect[CF_CONNECT_BYTES], u32 index, const char *structure, u8 flags, u32 lists, u32 kb);
/* c->ctx is the member; its links come up from now on. */
void simmember_begin(struct simmember *m, struct simcf *z, u32 index, const struct rebuild_config *c);
/* rebuild.h's prefer(): facilities by their names. */
struct xes *simmember_prefer(void *ctx, u32 i);
static inline bool simmember_lives(const struct simmember *m) { return m->loaded && !m->stopped; }
void simmember_stop(struct simmember *m);
/* Where the structure is that it uses. */
u32 simmember_facility(const struct simmember *m);
/* Members of one world, each `stride` bytes long: those that live are told of each that has stopped, once. */
void simmember_tell_gone(void *members, u32 n, size_t stride);
void simmember_complain(const struct simmember *m);
/* The structure in a facility; NULL: the facility is off, or has none. */
const struct cf_structure *simmember_structure(struct simcf *z, u32 facility, const char *structure);

#endif
