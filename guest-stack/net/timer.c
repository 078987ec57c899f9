/* timer.c - the timing wheel of a stack (Varghese and Lauck, 1987; hierarchical form). See timer.h.
 *
 *   level   slot covers      a timer stands there when its tick is
 *     0     1 tick           less than 32 ticks ahead
 *     1     32 ticks         less than 1,024 ahead
 *    ...                     ... level 5: less than 2^30 ahead (12 days);
 *                          a longer one is looked at again then
 *
 * When time reaches the start of a slot of level n > 0 its timers are sorted into lower levels; a level 0
 * slot fires. Time jumps from one occupied slot to the next, so an idle hour costs nothing.
 *
 * Invariant: the slot of a timer begins no later than its due time. A timer that is moved to a later moment
 * keeps its slot and is sorted anew when that is reached; so a retransmission timer that every
 * acknowledgement moves is touched once per timeout and not once per acknowledgement. A busy bit is set with
 * a timer and cleared when its slot is found empty. What was found is known until a timer comes into a slot or leaves one: a stack
 * that routes packets has no timers to move, and its loop asks twice each turn.
 */
#include "net/timer.h"

#include "net/stack_impl.h"

#define WHEEL_HORIZON (1u << (WHEEL_LEVELS * WHEEL_SLOT_BITS))
#define TICK_USEC     (1u << WHEEL_TICK_SHIFT)

/* Number of the lowest one bit of v != 0. By halves: the machine has no instruction for it. */
static u32 lowest_bit(u32 v) {
    u32 n = 0;
    if (!(v & 0xFFFF)) n += 16, v >>= 16;
    if (!(v & 0xFF)) n += 8, v >>= 8;
    if (!(v & 0xF)) n += 4, v >>= 4;
    if (!(v & 3)) n += 2, v >>= 2;
    return n + !(v & 1);
}

static u32 due_tick(const struct timer_wheel *w, u64 due) {
    u64 ahead = due > w->moment ? due - w->moment : 0;
    ahead = (ahead + TICK_USEC - 1) >> WHEEL_TICK_SHIFT;
    return w->tick + (u32)u64_min(ahead, WHEEL_HORIZON - 1);
}

static void wheel_insert(struct timer_wheel *w, struct timer *t) {
    u32 at = due_tick(w, t->due), level = 0;
    if (at == w->tick) at++;
    u32 ahead = at - w->tick;
    while (ahead >> ((level + 1) * WHEEL_SLOT_BITS)) level++;
    u32 slot = at >> (level * WHEEL_SLOT_BITS) & (WHEEL_SLOTS - 1);
    w->busy[level] |= 1u << slot;
    w->known = false;
    list_push_back(&w->slot[level][slot], &t->node);
}

void timer_wheel_init(struct stack *stk, u64 now) {
    struct timer_wheel *w = &stk->wheel;
    w->moment = now & ~(u64)(TICK_USEC - 1);
    w->tick = 0;
    w->known = false;
    for (u32 level = 0; level < WHEEL_LEVELS; level++) {
        w->busy[level] = 0;
        for (u32 s = 0; s < WHEEL_SLOTS; s++) list_init(&w->slot[level][s]);
    }
}

void timer_arm(struct stack *stk, struct timer *t, u64 due) {
    if (due == TIME_NEVER) {
        timer_disarm(stk, t);
        return;
    }
    bool later = timer_armed(t) && due >= t->due;
    t->due = due;
    if (later) return;
    list_del(&t->node);
    wheel_insert(&stk->wheel, t);
}

void timer_disarm(struct stack *stk, struct timer *t) {
    if (timer_armed(t)) stk->wheel.known = false;
    list_del(&t->node);
    t->due = TIME_NEVER;
}

/* The tick at which the next occupied slot of a level begins, as a distance from now; false if it is empty.
 */
static bool level_next(struct timer_wheel *w, u32 level, u32 *ahead) {
    u32 shift = level * WHEEL_SLOT_BITS;
    u32 here = w->tick >> shift, index = here & (WHEEL_SLOTS - 1);
    while (w->busy[level]) {
        u32 upper = index == WHEEL_SLOTS - 1 ? 0 : w->busy[level] >> (index + 1) << (index + 1);
        u32 slot = lowest_bit(upper ? upper : w->busy[level]);
        if (!list_empty(&w->slot[level][slot])) {
            u32 distance = upper ? slot - index : slot + WHEEL_SLOTS - index;
            *ahead = ((here + distance) << shift) - w->tick;
            return true;
        }
        w->busy[level] &= ~(1u << slot);
    }
    return false;
}

/* Ticks to the next occupied slot of any level; UINT32_MAX if the wheel is empty. */
static u32 wheel_ahead(struct timer_wheel *w) {
    u32 best = UINT32_MAX, ahead;
    if (w->known) return w->none ? UINT32_MAX : w->next - w->tick;
    for (u32 level = 0; level < WHEEL_LEVELS; level++)
        if (level_next(w, level, &ahead) && ahead < best) best = ahead;
    w->known = true;
    w->none = best == UINT32_MAX;
    w->next = w->tick + best;
    return best;
}

static void wheel_advance(struct timer_wheel *w, u32 ticks) {
    w->tick += ticks;
    w->moment += (u64)ticks << WHEEL_TICK_SHIFT;
}

/* Takes a slot's timers out as a list of their own, because what fires may arm into the same slot. */
static void slot_take(struct list *slot, struct list *out) {
    list_init(out);
    if (list_empty(slot)) return;
    *out = *slot;
    out->next->prev = out;
    out->prev->next = out;
    list_init(slot);
}

static void slot_run(struct stack *stk, u32 level, u64 now) {
    struct timer_wheel *w = &stk->wheel;
    u32 shift = level * WHEEL_SLOT_BITS;
    if (w->tick & ((1u << shift) - 1)) return; /* no slot of this level begins here */
    struct list due;
    slot_take(&w->slot[level][w->tick >> shift & (WHEEL_SLOTS - 1)], &due);
    for (struct list *n; (n = list_pop_front(&due));) {
        struct timer *t = LIST_ENTRY(n, struct timer, node);
        if (t->due > w->moment) {
            wheel_insert(w, t);
            continue;
        }
        t->due = TIME_NEVER;
        t->fn(stk, t, now);
    }
}

void timer_wheel_run(struct stack *stk, u64 now) {
    struct timer_wheel *w = &stk->wheel;
    for (;;) {
        u64 behind = now > w->moment ? (now - w->moment) >> WHEEL_TICK_SHIFT : 0;
        if (behind == 0) return;
        u32 ahead = wheel_ahead(w);
        if (ahead > behind) {
            wheel_advance(w, (u32)u64_min(behind, WHEEL_HORIZON - 1));
            continue;
        }
        wheel_advance(w, ahead);
        w->known = false;
        for (u32 level = WHEEL_LEVELS; level-- > 0;) slot_run(stk, level, now);
    }
}

u64 timer_wheel_next(struct stack *stk) {
    u32 ahead = wheel_ahead(&stk->wheel);
    if (ahead == UINT32_MAX) return TIME_NEVER;
    return stk->wheel.moment + ((u64)ahead << WHEEL_TICK_SHIFT);
}
