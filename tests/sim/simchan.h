/* simchan.h - a channel subsystem in one process: chan/chan.h on one side, hercules-devices/engine.h on the
 * other, and nothing in between. The real driver meets the real engine without an emulator or a thread.
 *
 * How to use it, in this order:
 *   sys = simchan_create(bytes)                 one machine: absolute storage and its subchannels
 *   g = simchan_group_add(sys, devnum, units)   consecutive subchannels, one engine behind them
 *   engine_init(e, simchan_group_host(g)); simchan_group_engine(g, e)
 *   simport_join(port, g)                       what the engine's messages go to (simport.h)
 *   drivers take their storage from simchan_arena(sys)
 *   simchan_run(sys, now) until it returns 0    delivers events; chan_* calls never do
 *
 * Addresses: storage is a heap block that stands for absolute addresses SIMCHAN_ORIGIN and up, so that zero,
 * and everything below, is an address that does not exist, and ASan sees every step outside.
 *
 * Faults are armed by device number and CCW op code; each says how many matches to let pass and how many to
 * hit.
 */
#ifndef TESTS_SIM_SIMCHAN_H
#define TESTS_SIM_SIMCHAN_H

#include "base/arena.h"
#include "base/base.h"
#include "chan/chan.h"
#include "hercules-devices/engine.h"

#define SIMCHAN_ORIGIN 0x10000u

struct sim_group;

enum sim_fault_kind {
    SIM_FAULT_UNIT_CHECK,      /* unit check with sense byte 0 = detail, the device never sees the CCW */
    SIM_FAULT_PROGRAM_CHECK,   /* the channel stops at this CCW */
    SIM_FAULT_NOT_OPERATIONAL, /* deferred condition code 3 */
    SIM_FAULT_LOST,            /* the CCW is executed, its end never presented; halt still works */
    SIM_FAULT_DELAY,           /* the end of the program is presented delay_us later */
    SIM_FAULT_HALTED,          /* the program is ended as if an operator had halted it */
    SIM_FAULTS,                /* number of kinds; marks a used-up slot */
};

struct sim_fault {
    enum sim_fault_kind kind;
    u16 devnum;
    u8 op;     /* CCW command code, 0 = any */
    u8 detail; /* sense byte 0 */
    u32 skip;  /* matches that pass first */
    u32 times; /* matches that are hit; 0 = for ever */
    u64 delay_us;
};

struct simchan_counters {
    u64 starts, ccws, halts, siga_write, siga_read, siga_sync, pci, attentions, faults_hit;
    u64 bad_addresses; /* engine asked for storage that does not exist */
};

struct chan_system *simchan_create(size_t storage_bytes);
/* Every subchannel must have been closed. */
void simchan_destroy(struct chan_system *sys);
struct arena *simchan_arena(struct chan_system *sys);
const struct simchan_counters *simchan_counters(const struct chan_system *sys);
/* Subchannels open at this moment: zero again after a driver's teardown. */
u32 simchan_open_count(const struct chan_system *sys);

struct sim_group *simchan_group_add(struct chan_system *sys, u16 devnum, u32 units);
const struct engine_host *simchan_group_host(struct sim_group *g);
void simchan_group_engine(struct sim_group *g, struct engine *e);
struct engine *simchan_engine(struct sim_group *g);
/* Where the engine's messages go: the three tx members of struct engine_host. */
struct sim_tx {
    void *ctx;
    u8 *(*reserve)(void *ctx, u32 bytes);
    void (*commit)(void *ctx, u32 bytes);
    void (*flush)(void *ctx);
};
void simchan_group_tx(struct sim_group *g, const struct sim_tx *tx);
/* Last line that an engine logged, "" if none; and whether all lines go to stderr. */
const char *simchan_last_log(const struct sim_group *g);
void simchan_verbose(struct chan_system *sys, bool on);

void simchan_fault(struct chan_system *sys, const struct sim_fault *f);
void simchan_faults_clear(struct chan_system *sys);

/* Delivers the events that are due by now, including those that they cause; returns how many. */
u32 simchan_run(struct chan_system *sys, u64 now);
/* As port_heard(): the most that one of the events since the last call leaves to do. Most simulated systems are polled after each event,
 * which is never wrong. */
enum chan_heard simchan_heard(struct chan_system *sys);
/* When the next delayed event is due, TIME_NEVER if none is waiting. */
u64 simchan_due(const struct chan_system *sys);

#endif
