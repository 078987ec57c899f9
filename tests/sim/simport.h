/* simport.h - joins device engines (simchan.h) to the port of one card, with rings that can fill, a process
 * that can die and a cable that can be pulled.
 *
 * A struct sim_port is one card process. Behind it stands either a script (struct simport_ops: a test plays
 * the card) or the real osa_port (simcard.h). Each engine that is joined gets a wire of two message rings of
 * bounded size. Messages move in simport_run() only.
 *
 *   simport_kill()   the process dies: both rings are lost, engines get link_state(false)
 *   simport_start()  it is back with empty tables: engines get link_state(true) and attach again
 */
#ifndef TESTS_SIM_SIMPORT_H
#define TESTS_SIM_SIMPORT_H

#include "base/base.h"
#include "tests/sim/simchan.h"

#define SIMPORT_RING_BYTES (512u * 1024)

struct sim_port;
struct sim_wire;

struct simport_ops {
    void (*up)(void *ctx, struct sim_wire *w, u64 now);
    void (*down)(void *ctx, struct sim_wire *w, u64 now);
    void (*message)(void *ctx, struct sim_wire *w, const u8 *msg, u32 len, u64 now);
    void (*batch_end)(void *ctx, u64 now);
};

struct sim_port *simport_create(const struct simport_ops *ops, void *ctx);
void simport_destroy(struct sim_port *p);
/* The wire exists from now on; the engine is told at the next simport_run() if the process is alive. */
struct sim_wire *simport_join(struct sim_port *p, struct sim_group *g, u32 ring_bytes);
/* Towards the engine. false: the ring is full or the process is dead. */
bool simport_send(struct sim_wire *w, const u8 *msg, u32 len);
u32 simport_room(const struct sim_wire *w);                  /* bytes that simport_send() would take now */
void simport_wire_set(struct sim_wire *w, void *attachment); /* what the port keeps for this wire */
void *simport_wire_get(const struct sim_wire *w);
u32 simport_wire_number(const struct sim_wire *w);

void simport_kill(struct sim_port *p);
void simport_start(struct sim_port *p);
/* The cable of one wire: both sides see each other go, and come back when it is plugged. */
void simport_wire_cut(struct sim_wire *w, bool cut);
/* Moves all messages that there are, both ways; returns how many. */
u32 simport_run(struct sim_port *p, u64 now);

#endif
