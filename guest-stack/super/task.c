/* task.c - coroutines with WAIT and POST. See task.h. */
#include "super/task.h"

#include "base/str.h"

enum task_state { TASK_FREE, TASK_READY, TASK_RUNNING, TASK_WAITING };

struct task {
    struct list node; /* in tasks->ready while READY */
    struct tasks *ts;
    enum task_state state;
    struct port_context context;
    void (*entry)(void *arg);
    void *arg;
    u8 *stack;
    struct ecb *ecb; /* what it waits for; NULL = only for time */
    u64 deadline;
    bool timed_out;
    char name[TASK_NAME_MAX + 1];
};

#define STACK_GUARD 0x5AC6CA4Du

bool tasks_init(struct tasks *ts, struct arena *a, u32 count, u32 stack_bytes) {
    *ts = (struct tasks){.count = count, .stack_bytes = (stack_bytes + 15) / 16 * 16};
    list_init(&ts->ready);
    ts->table = arena_take(a, (size_t)count * sizeof *ts->table, 16);
    if (!ts->table) return false;
    for (u32 i = 0; i < count; i++) {
        struct task *t = &ts->table[i];
        *t = (struct task){.ts = ts, .state = TASK_FREE, .stack = arena_take(a, ts->stack_bytes, 16)};
        if (!t->stack) return false;
        list_init(&t->node);
    }
    return true;
}

static u32 *stack_guard(const struct task *t, bool high) {
    return (u32 *)(void *)(t->stack + (high ? t->ts->stack_bytes - 16 : 0));
}

static void make_ready(struct task *t) {
    t->state = TASK_READY;
    t->deadline = TIME_NEVER;
    list_push_back(&t->ts->ready, &t->node);
}

/* Gives control back to tasks_run(); returns when this task is resumed. */
static void leave(struct task *t, enum task_state state) {
    t->state = state;
    port_context_switch(&t->context, &t->ts->home);
}

static void task_main(void *arg) {
    struct task *t = arg;
    t->entry(t->arg);
    leave(t, TASK_FREE);
    CHECK(t->state != TASK_FREE); /* a task that ended was resumed */
}

int task_attach(struct tasks *ts, const char *name, void (*entry)(void *arg), void *arg) {
    for (u32 i = 0; i < ts->count; i++) {
        struct task *t = &ts->table[i];
        if (t->state != TASK_FREE) continue;
        t->entry = entry;
        t->arg = arg;
        t->ecb = NULL;
        str_copy(t->name, sizeof t->name, name);
        *stack_guard(t, false) = *stack_guard(t, true) = STACK_GUARD;
        port_context_make(&t->context, t->stack + 16, ts->stack_bytes - 32, task_main, t);
        make_ready(t);
        return 0;
    }
    ts->refused++;
    return -ERR_NOMEM;
}

/* Ends waits whose time has come. Returns the earliest deadline that is left. */
static u64 expire(struct tasks *ts, u64 now) {
    u64 next = TIME_NEVER;
    for (u32 i = 0; i < ts->count; i++) {
        struct task *t = &ts->table[i];
        if (t->state != TASK_WAITING) continue;
        if (t->deadline <= now) {
            t->timed_out = true;
            if (t->ecb) t->ecb->waiter = NULL;
            make_ready(t);
        } else {
            next = u64_min(next, t->deadline);
        }
    }
    return next;
}

u64 tasks_run(struct tasks *ts, u64 now) {
    CHECK(!ts->current);
    ts->now = now;
    u64 next = expire(ts, now);
    struct list *node;
    bool ran = false;
    while ((node = list_pop_front(&ts->ready)) != NULL) {
        struct task *t = LIST_ENTRY(node, struct task, node);
        ran = true;
        t->state = TASK_RUNNING;
        ts->current = t;
        port_context_switch(&ts->home, &t->context);
        ts->current = NULL;
        CHECK(*stack_guard(t, false) == STACK_GUARD && *stack_guard(t, true) == STACK_GUARD);
    }
    /* Whoever ran may wait for less than anybody before. */
    return ran ? expire(ts, now) : next;
}

bool task_wait_until(struct tasks *ts, struct ecb *e, u64 deadline, u32 *code) {
    struct task *t = ts->current;
    CHECK(t);
    if (!e->posted) {
        CHECK(!e->waiter);
        e->waiter = t;
        t->ecb = e;
        t->deadline = deadline;
        t->timed_out = false;
        leave(t, TASK_WAITING);
        t->ecb = NULL;
        if (t->timed_out) return false;
    }
    e->posted = false;
    if (code) *code = e->code;
    return true;
}

u32 task_wait(struct tasks *ts, struct ecb *e) {
    u32 code = 0;
    task_wait_until(ts, e, TIME_NEVER, &code);
    return code;
}

void task_sleep_until(struct tasks *ts, u64 deadline) {
    struct ecb never;
    ecb_init(&never);
    task_wait_until(ts, &never, deadline, NULL);
}

void ecb_init(struct ecb *e) { *e = (struct ecb){0}; }

void ecb_post(struct tasks *ts, struct ecb *e, u32 code) {
    e->code = code;
    e->posted = true;
    struct task *t = e->waiter;
    if (!t) return;
    CHECK(t->ts == ts && t->state == TASK_WAITING);
    e->waiter = NULL;
    make_ready(t);
}

u32 tasks_in_use(const struct tasks *ts) {
    u32 n = 0;
    for (u32 i = 0; i < ts->count; i++) n += ts->table[i].state != TASK_FREE;
    return n;
}
