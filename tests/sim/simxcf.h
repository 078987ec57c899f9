/* simxcf.h - a sysplex in one process: N real struct xcf, a mesh of paths, an arbiter, operators, and faults.
 *
 * Each system has its own clock (offset and drift), each pair SIMXCF_PATHS paths each way. A path delays,
 * loses and doubles blocks, fails with or without saying so. A system is killed, started anew with the next
 * incarnation, or paused: then what arrives waits, and it goes on later as if nothing had happened.
 *
 *   s = simxcf_create(&params)      all systems start at time 0
 *   simxcf_run(s, us)               lets time pass; the checkers run at each event
 *   simxcf_kill/_start/_pause, simxcf_path, simxcf_reach ...   faults
 *   simxcf_random(seed, n)          the whole drill: faults from the seed, then heal, then convergence in a
 * bound
 *
 * Checkers, outside the code they check; each stops the program with the seed and what it saw:
 *   gone     SYSTEM GONE is told only of an incarnation that the arbiter has isolated or that is dead
 *   zombie   no message of an isolated incarnation reaches a member after its receiver was told that it is
 * gone order    messages between two incarnations arrive in order, once, with their content, without a gap
 *   asked    no operator is asked about signals between two systems (IXC409D) that have a whole path each way
 *   view     (simxcf_converged) all systems that live list the same members of every group
 */
#ifndef TESTS_SIM_SIMXCF_H
#define TESTS_SIM_SIMXCF_H

#include "xcf/xcf.h"

#define SIMXCF_PATHS  2
#define SIMXCF_GROUPS 3

struct simxcf;

/* What else runs on each system, beside the members of the workload. */
struct simxcf_guest {
    void *ctx;
    bool needs_arbiter; /* it relies on each system having met all that lived before it */
    void (*start)(void *ctx, struct simxcf *s, u32 i);        /* a new life of system i */
    u64 (*poll)(void *ctx, struct simxcf *s, u32 i, u64 now); /* after each xcf_poll(); next call, in i's clock */
    void (*work)(void *ctx, struct simxcf *s, u32 i);         /* one step of workload; may be NULL */
    /* After the faults: everything as it should be? May be NULL. */
    bool (*converged)(void *ctx, struct simxcf *s, const char **why);
    void (*show)(void *ctx, struct simxcf *s, u32 i); /* for the post-mortem, to stderr; may be NULL */
};
struct simxcf_params {
    u64 seed;
    u32 systems;
    bool arbiter, operators; /* operators: answer questions by themselves, and truthfully */
    bool workload;
    u32 drift_ppm;
    const struct simxcf_guest *guest; /* NULL: none */
    const struct couple *couple; /* NULL: INTERVAL(5) CLEANUP(5), ISOLATETIME(0) */
};
enum simxcf_wire {
    SIMXCF_OK,
    SIMXCF_DOWN,   /* both ends are told */
    SIMXCF_SILENT, /* blocks vanish */
};

struct simxcf *simxcf_create(const struct simxcf_params *p);
void simxcf_destroy(struct simxcf *s);
void simxcf_run(struct simxcf *s, u64 us);
u64 simxcf_now(const struct simxcf *s);
u64 simxcf_local(const struct simxcf *s, u32 i); /* system i's clock */
struct xcf *simxcf_xcf(struct simxcf *s, u32 i);
const struct xcf_sysid *simxcf_id(const struct simxcf *s, u32 i);
bool simxcf_waiting(const struct simxcf *s, u32 i); /* it has loaded its wait state */

void simxcf_kill(struct simxcf *s, u32 i, bool dropped_is_seen);
void simxcf_start(struct simxcf *s, u32 i);
void simxcf_pause(struct simxcf *s, u32 i, bool paused);
void simxcf_path(struct simxcf *s, u32 from, u32 to, u32 k, enum simxcf_wire w);
void simxcf_pair(struct simxcf *s, u32 a, u32 b, enum simxcf_wire w); /* all paths both ways */
void simxcf_reach(struct simxcf *s, u32 i, bool arbiter_reachable);
void simxcf_arbiter_slow(struct simxcf *s, u64 answer_us); /* how long its answers to status records take from now on */
void simxcf_noise(struct simxcf *s, u32 loss_permille, u32 double_permille);
void simxcf_heal(struct simxcf *s);

/* The latest question that waits at system i, 0 none; its text. simxcf_reply() answers that one. */
u32 simxcf_question(const struct simxcf *s, u32 i, const char **text);
int simxcf_reply(struct simxcf *s, u32 i, const char *text);
/* How often system i has said a message that begins so, in this life. */
u32 simxcf_said(const struct simxcf *s, u32 i, const char *begins);
/* State of system j as i sees it; XCF_SYS_FREE if it does not know it. */
enum xcf_system_state simxcf_sees(struct simxcf *s, u32 i, u32 j);
bool simxcf_isolated(const struct simxcf *s, u32 i);
/* All live systems see each other active and list the same members, and every message has arrived. */
bool simxcf_converged(struct simxcf *s, const char **why);
/* A member of system i; n-th of SIMXCF_GROUPS. */
struct xcf_member *simxcf_member(struct simxcf *s, u32 i, u32 n);
/* Messages that members of i got from members of j in their present lives. */
u32 simxcf_received(const struct simxcf *s, u32 i, u32 j);
/* A message of len bytes from i's member to j's in the same group; what xcf_send() says. */
int simxcf_send(struct simxcf *s, u32 i, u32 j, u32 n, u32 len);
u32 simxcf_events(const struct simxcf *s, u32 i,
                  enum xcf_event_kind kind); /* how many its members were told */

struct simxcf_result {
    u64 seed, simulated_us, messages, bytes;
    u32 systems, kills, pauses, cuts, isolated, zombies, questions, resent, digest;
    u32 restarts; /* by ARM */
};
struct simxcf_result simxcf_random(u64 seed, u32 systems); /* systems 0: from the seed */
struct simxcf_result simxcf_random_with(u64 seed, u32 systems, const struct simxcf_guest *guest);
bool simxcf_up(const struct simxcf *s, u32 i);   /* it has been started and not killed */
bool simxcf_runs(const struct simxcf *s, u32 i); /* it is up, not paused, not in its wait state */
u32 simxcf_systems(const struct simxcf *s);
u32 simxcf_draw(struct simxcf *s, u32 n);        /* 0 .. n-1, from the seed */
void simxcf_note(struct simxcf *s, u32 value);   /* goes into the digest */
_Noreturn void simxcf_broken(struct simxcf *s, const char *what); /* a checker has found something */

#endif
