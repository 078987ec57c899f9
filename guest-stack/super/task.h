/* task.h - programs in blocking style: tasks with stacks of their own, WAIT and POST on event control blocks.
 *
 * A task runs until it waits; nothing interrupts it. tasks_run() runs every ready task until all of them wait, in
 * the order they became ready. An ECB remembers a POST that comes before the WAIT.
 *
 *   state    FREE -> READY -> RUNNING -> WAITING -> READY ...      RUNNING -> FREE when its entry returns
 *
 * Both ends of a stack are guarded by a known word that is checked at every switch (BUG if it changed).
 * No call here but task_attach() takes storage, and that from the pool sized by tasks_init().
 */
#ifndef SUPER_TASK_H
#define SUPER_TASK_H

#include "base/arena.h"
#include "base/base.h"
#include "base/list.h"
#include "super/port.h"

#define TASK_NAME_MAX 8

struct task;
struct tasks {
    struct task *table;
    u32 count, stack_bytes;
    struct list ready;
    struct task *current; /* NULL outside tasks_run() */
    struct port_context home;
    u64 now;
    u32 refused; /* task_attach() with all in use */
};

struct ecb {
    struct task *waiter;
    u32 code; /* of the POST */
    bool posted;
};

/* false: the arena has no room. stack_bytes is rounded up to 16. */
bool tasks_init(struct tasks *ts, struct arena *a, u32 count, u32 stack_bytes);
/* ATTACH: entry(arg) becomes ready; it ends by returning. -ERR_NOMEM when all tasks are in use. */
int task_attach(struct tasks *ts, const char *name, void (*entry)(void *arg), void *arg);
/* Runs all that is ready; returns when the next wait with a time limit ends, or TIME_NEVER. */
u64 tasks_run(struct tasks *ts, u64 now);

/* Only inside a task. task_wait: until posted; returns the code and clears the ECB. task_wait_until: false when
 * the time came first. task_sleep_until: nothing but time. */
u32 task_wait(struct tasks *ts, struct ecb *e);
bool task_wait_until(struct tasks *ts, struct ecb *e, u64 deadline, u32 *code);
void task_sleep_until(struct tasks *ts, u64 deadline);
/* From anywhere. A second POST before the WAIT replaces the code. */
void ecb_init(struct ecb *e);
void ecb_post(struct tasks *ts, struct ecb *e, u32 code);
/* How many tasks are not FREE. */
u32 tasks_in_use(const struct tasks *ts);

#endif
