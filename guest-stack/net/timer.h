/* timer.h - one-shot timers of a stack. A timer is a member of what it times; arming never allocates.
 *
 * timer_fn runs from stack_poll(stk, now) with the timer already disarmed and now >= due. Resolution is one
 * wheel tick (1,024 us); a timer never fires early. Arming an armed timer moves it; to a later moment, as a
 * retransmission timer moves with each acknowledgement, costs two stores. O(1) arm, disarm and fire.
 */
#ifndef NET_TIMER_H
#define NET_TIMER_H

#include "base/base.h"
#include "base/list.h"

struct stack;
struct timer;
typedef void timer_fn(struct stack *stk, struct timer *t, u64 now);

struct timer {
    struct list node;
    u64 due;
    timer_fn *fn;
};

static inline void timer_init(struct timer *t, timer_fn *fn) {
    list_init(&t->node);
    t->due = TIME_NEVER;
    t->fn = fn;
}
static inline bool timer_armed(const struct timer *t) { return t->due != TIME_NEVER; }
void timer_arm(struct stack *stk, struct timer *t, u64 due);
void timer_disarm(struct stack *stk, struct timer *t);

#endif
