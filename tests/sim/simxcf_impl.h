/* simxcf_impl.h - the inside of the simulated sysplex, shared by simxcf*.c. */
#ifndef TESTS_SIM_SIMXCF_IMPL_H
#define TESTS_SIM_SIMXCF_IMPL_H

#include "tests/sim/simxcf.h"

#define SIM_LINES    4096
#define SIM_STILL_US (4 * (u64)USEC_PER_SEC) /* INTERVAL(5), and it was heard a second ago at most: who stands still for less is in no danger */

enum sim_event_kind {
    SIM_BLOCK,
    SIM_STATUS,   /* the arbiter's answer to a status record */
    SIM_RECORDS,  /* what it has from the others, which is read after that */
    SIM_LOOKED,   /* the same, and it was asked for */
    SIM_ISOLATE,  /* a request reaches the arbiter */
    SIM_ISOLATED, /* its answer */
    SIM_DROPPED,  /* the arbiter tells of a dropped connection */
    SIM_LOST,     /* the arbiter can no longer be reached */
    SIM_ROOM,
    SIM_OPERATOR,
};
struct sim_event {
    u64 at, order;
    enum sim_event_kind kind;
    u32 sys, life; /* whom it concerns, and in which life */
    u32 path, len, value;
    struct xcf_sysid id;
    u8 *bytes;
};
struct sim_wire {
    struct simxcf *s;
    u32 from, to, k;
    enum simxcf_wire wire;
    u32 under_way;
    bool full, told_out, told_in;
    u64 ok_since; /* of wire, while it is SIMXCF_OK */
    struct xcf_path *out, *in;
};
struct sim_app {
    struct sim_sys *sys;
    u32 n;
    struct xcf_member *member;
};
struct sim_sys {
    struct simxcf *s;
    u32 index, life;
    struct xcf_sysid id;
    struct xcf *xcf;
    void *storage;
    size_t bytes;
    bool up, paused, waiting, woke_isolated; /* woke: was isolated while it stood still */
    bool reach;
    i32 drift_ppm;
    u64 offset, due; /* due: in sim time */
    bool touched;    /* something has happened to this system: its stack should look */
    bool quiet;      /* it was woken only for what its stack may have sent */
    u64 isolated;    /* incarnations up to this one */
    u64 paused_at, reach_since, steady_since; /* since then it has never stood still for as long as SIM_STILL_US */
    struct xcf_record record;
    bool connected; /* it has written a record and its connection has not been seen to drop */
    struct sim_app app[SIMXCF_GROUPS];
    struct sim_partner {
        u32 sent, got;           /* messages to it and from it */
        u64 sent_life, got_life; /* in these incarnations of it */
        u64 told_gone;           /* highest incarnation that members were told is gone */
    } * partner;
    struct sim_question {
        u32 reply; /* 0: free */
        char text[XCF_LINE_MAX];
    } question[XCF_SYSTEMS_MAX];
    char *lines[SIM_LINES];
    u32 line_count;
    u32 events[16];
};
struct simxcf {
    struct simxcf_params p;
    struct couple couple;
    u64 now, random, order;
    struct sim_sys *sys;
    struct sim_wire *wire; /* [(from * systems + to) * SIMXCF_PATHS + k] */
    struct sim_event *heap;
    u32 heap_count, heap_size;
    struct sim_event *held; /* for paused systems, in order */
    u32 held_count, held_size;
    u32 loss_permille, double_permille;
    u64 answer_us; /* of the arbiter, to a status record; 0: at once */
    u32 digest;
    struct simxcf_result r;
};

u32 sim_random(struct simxcf *s, u32 n); /* 0 .. n-1 */
void sim_push(struct simxcf *s, struct sim_event e, u64 delay_us);
void sim_digest(struct simxcf *s, u32 value);
_Noreturn void sim_fail(struct simxcf *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct sim_wire *sim_wire_at(struct simxcf *s, u32 from, u32 to, u32 k);
void sim_carrier(struct simxcf *s, u32 i); /* tells system i which of its paths have a carrier */
void sim_wake(struct sim_sys *y);
/* The system's stack was polled and may have sent something. By itself that is nothing that the stack should look at again. */
void sim_wake_sent(struct sim_sys *y);

/* simxcf_world.c: arbiter, operators */
extern const struct xcf_arbiter_ops sim_arbiter_ops;
void sim_arbiter_event(struct simxcf *s, const struct sim_event *e);
void sim_operator_event(struct simxcf *s, const struct sim_event *e);
void sim_env(struct sim_sys *y, struct xcf_env *env);
/* simxcf_app.c: members, workload, checkers */
void sim_app_start(struct sim_sys *y);
void sim_app_work(struct simxcf *s);

#endif
