/* vcrt.c - the connection routing table. See vcrt.h.
 *
 * The queue of a state is in the order in which rows came to it or were last looked at, not in that of their
 * use: use only writes row->used. vcrt_due() looks at the front; a row that was used meanwhile goes to the back and
 * costs nothing more than that. So each row is looked at about once in its patience, and routing a segment
 * touches no row but its own.
 */
#include "sysplex/vcrt.h"

#include "wire/tcphdr.h"

static const u8 next_state[VCRT_STATES][VCRT_EVENTS] = {
    /*                SYN        TEXT        FIN         OPENED     CLOSED */
    [VCRT_FREE] = {VCRT_SYN, VCRT_FREE, VCRT_FREE, VCRT_OPEN, VCRT_FREE},
    [VCRT_SYN] = {VCRT_SYN, VCRT_OPEN, VCRT_FIN, VCRT_OPEN, VCRT_ENDED},
    [VCRT_OPEN] = {VCRT_OPEN, VCRT_OPEN, VCRT_FIN, VCRT_OPEN, VCRT_ENDED},
    [VCRT_FIN] = {VCRT_SYN, VCRT_FIN, VCRT_FIN, VCRT_FIN, VCRT_ENDED},
    [VCRT_ENDED] = {VCRT_SYN, VCRT_ENDED, VCRT_ENDED, VCRT_OPEN, VCRT_ENDED},
};
/* In ticks of about a second. */
static const u32 patience[VCRT_STATES] = {
    [VCRT_SYN] = 8,
    [VCRT_OPEN] = 300,
    [VCRT_FIN] = 8,
    [VCRT_ENDED] = 4,
};
/* vcrt_due() puts at most so many rows of a state in order before it goes on to the next: a round stays short, and a thousand that are in use
 * do not keep one waiting that is over. */
#define DUE_LOOK_MAX 64u

enum vcrt_state vcrt_next(enum vcrt_state s, enum vcrt_event e) {
    return (enum vcrt_state)next_state[s][e];
}

const char *vcrt_state_name(enum vcrt_state s) {
    static const char *const name[VCRT_STATES] = {"FREE", "SYN", "OPEN", "FIN", "ENDED"};
    return name[s];
}

const char *vcrt_event_name(enum vcrt_event e) {
    static const char *const name[VCRT_EVENTS] = {"SYN", "TEXT", "FIN", "OPENED", "CLOSED"};
    return name[e];
}

size_t vcrt_bytes(u32 max_rows) {
    return (sizeof(struct vcrt_row) + 15) / 16 * 16 * (size_t)max_rows + hash_bytes(max_rows) + 64;
}

bool vcrt_init(struct vcrt *v, struct arena *a, u32 max_rows, const struct hash_key *key) {
    *v = (struct vcrt){.key = *key};
    for (u32 i = 0; i < VCRT_STATES; i++) list_init(&v->waiting[i]);
    for (u32 i = 0; i < VCRT_TARGETS; i++) list_init(&v->fellows[i]);
    return pool_init(&v->pool, "VCRT", a, sizeof(struct vcrt_row), max_rows) && hash_init(&v->table, a, max_rows);
}

static void go_to_back(struct vcrt *v, struct vcrt_row *row, u32 tick) {
    row->queued = tick;
    list_del(&row->waiting);
    list_push_back(&v->waiting[row->state], &row->waiting);
}

/* A free row, or the ENDED one that has waited longest: it is kept for politeness only. */
static struct vcrt_row *take_row(struct vcrt *v) {
    if (!v->pool.free && !list_empty(&v->waiting[VCRT_ENDED])) {
        v->evicted++;
        vcrt_del(v, LIST_ENTRY(v->waiting[VCRT_ENDED].next, struct vcrt_row, waiting));
    }
    return pool_get(&v->pool);
}

struct vcrt_row *vcrt_add(struct vcrt *v, const struct vcrt_key *k, u32 target, enum vcrt_event ev, u64 now) {
    enum vcrt_state s = vcrt_next(VCRT_FREE, ev);
    CHECK(target < VCRT_TARGETS && s != VCRT_FREE);
    struct vcrt_row *row = take_row(v);
    if (!row) {
        v->full++;
        return NULL;
    }
    *row = (struct vcrt_row){.key = *k, .target = (u8)target, .state = (u8)s};
    row->used = row->queued = vcrt_tick(now);
    list_push_back(&v->waiting[s], &row->waiting);
    list_push_back(&v->fellows[target], &row->fellows);
    v->rows_of[target]++;
    hash_add(&v->table, vcrt_hash(v, k), &row->hash);
    return row;
}

void vcrt_del(struct vcrt *v, struct vcrt_row *row) {
    if (v->freed) v->freed(v->ctx, row);
    hash_del(&v->table, vcrt_hash(v, &row->key), &row->hash);
    list_del(&row->waiting);
    list_del(&row->fellows);
    v->rows_of[row->target]--;
    row->state = VCRT_FREE;
    pool_put(&v->pool, row);
}

bool vcrt_step(struct vcrt *v, struct vcrt_row *row, enum vcrt_event ev, u64 now) {
    enum vcrt_state s = vcrt_next((enum vcrt_state)row->state, ev);
    row->used = vcrt_tick(now);
    if (s == row->state) return false;
    row->state = (u8)s;
    go_to_back(v, row, row->used);
    return true;
}

bool vcrt_segment(struct vcrt *v, struct vcrt_row *row, u8 tcp_flags, u32 seq, u32 ack, u64 now) {
    enum vcrt_event ev = vcrt_event_of(tcp_flags);
    if (ev == VCRT_EV_SYN && (row->state == VCRT_FIN || row->state == VCRT_ENDED || !row->isn)) {
        row->isn = seq;
        row->acked = false;
    }
    bool changed = vcrt_step(v, row, ev, now);
    if (!(tcp_flags & TCPF_ACK)) return changed;
    /* Reordered segments must not take it back; the first one sets it. */
    if (!row->acked || seq_gt(ack, row->ack)) row->ack = ack;
    row->acked = true;
    return changed;
}

void vcrt_retarget(struct vcrt *v, struct vcrt_row *row, u32 target) {
    CHECK(target < VCRT_TARGETS);
    v->rows_of[row->target]--;
    list_del(&row->fellows);
    row->target = (u8)target;
    list_push_back(&v->fellows[target], &row->fellows);
    v->rows_of[target]++;
}

struct vcrt_row *vcrt_due(struct vcrt *v, u64 now) {
    u32 tick = vcrt_tick(now);
    for (u32 s = VCRT_SYN; s < VCRT_STATES; s++) {
        for (u32 looked = 0; !list_empty(&v->waiting[s]) && looked < DUE_LOOK_MAX; looked++) {
            struct vcrt_row *row = LIST_ENTRY(v->waiting[s].next, struct vcrt_row, waiting);
            /* Whatever stands behind it has been queued later still. */
            if (tick - row->queued < patience[s]) break;
            go_to_back(v, row, tick);
            if (tick - row->used < patience[s]) continue;
            row->used = tick;
            return row;
        }
    }
    return NULL;
}

struct vcrt_row *vcrt_of_target(const struct vcrt *v, u32 target, const struct vcrt_row *row) {
    const struct list *head = &v->fellows[target], *n = row ? row->fellows.next : head->next;
    return n == head ? NULL : LIST_ENTRY((struct list *)(uintptr_t)n, struct vcrt_row, fellows);
}

struct vcrt_row *vcrt_walk(const struct vcrt *v, const struct vcrt_row *row) {
    struct vcrt_row *next = row ? vcrt_of_target(v, row->target, row) : NULL;
    for (u32 t = row ? row->target + 1u : 0; !next && t < VCRT_TARGETS; t++) next = vcrt_of_target(v, t, NULL);
    return next;
}
