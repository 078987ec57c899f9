/* simchan_impl.h - what simchan.c and simport.c share: the subchannels and groups of one simulated machine.
 * */
#ifndef TESTS_SIM_SIMCHAN_IMPL_H
#define TESTS_SIM_SIMCHAN_IMPL_H

#include "tests/sim/simchan.h"

#define SIM_FAULTS_MAX 16

enum chan_phase {
    CHAN_IDLE,
    CHAN_PENDING,   /* the CCW at index is to be executed */
    CHAN_RUNNING,   /* the engine has it */
    CHAN_SUSPENDED, /* at a CCW with the suspend flag, until chan_resume() */
    CHAN_ENDED,     /* status pending */
};

struct chan {
    struct chan_system *sys;
    struct sim_group *group;
    u32 unit;
    bool open;
    const struct chan_events *ev;
    void *ctx;
    enum chan_phase phase;
    struct chan_cmd program[CHAN_PROGRAM_MAX];
    u32 length, index, reached;
    u8 chained;
    bool completed; /* the engine called host->complete() */
    bool lost, resumed, pci;
    u8 attention;
    u64 delay_us, due;
    struct engine_ccw ccw;
    struct chan_status status;
    u8 empty[1]; /* stands for the data area of a CCW without one */
};

struct sim_group {
    struct sim_group *next;
    struct chan_system *sys;
    u16 devnum;
    u32 units;
    u32 activity; /* CCWs and SIGAs so far: after one of them a refused message is offered again */
    struct chan chan[ENGINE_UNITS_MAX];
    struct engine *engine;
    struct engine_host host;
    struct sim_tx tx;
    char last_log[256];
};

struct chan_system {
    u8 *storage;
    size_t bytes;
    struct arena arena;
    struct sim_group *groups;
    struct sim_fault faults[SIM_FAULTS_MAX], fault_now;
    u32 fault_count;
    bool verbose;
    enum chan_heard heard, leaves; /* simchan_heard(); what the event that is delivered leaves to do, as far as its receiver has said */
    struct simchan_counters count;
};

#endif
