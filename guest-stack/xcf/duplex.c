/* duplex.c - a system's commands for a pair of structures. Stages and rules: xcf/duplex.h. */
#include "xcf/duplex.h"

#include "base/be.h"
#include "base/str.h"

void duplex_init(struct duplex *d, const struct duplex_ops *ops, void *ctx) {
    memset(d, 0, sizeof *d);
    d->ops = ops;
    d->ctx = ctx;
    list_init(&d->pending);
}

/* ---- a request's way ---- */

static void half_done(void *ctx, struct xes_request *q, u32 rc, const u8 *rsp, u32 len, u64 now);

static u8 *saved(struct duplex_request *r) { return r->large ? r->large : r->small; }

static void answer(struct duplex_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    list_del(&r->node);
    if (r->q.done) r->q.done(r->q.ctx, &r->q, rc, rsp, len, now);
}

static void answer_saved(struct duplex_request *r, u64 now) { answer(r, cf_rc_get(saved(r)), saved(r), r->saved_len, now); }

/* false: the link is down, and who waits for that will be told. */
static bool issue(struct duplex_request *r, struct xes_connection *con, u8 *cmd, u32 len, enum duplex_stage stage) {
    be32_put(r->q.cmd + 8, con->token);
    r->half = (struct xes_request){.cmd = cmd, .len = len, .done = half_done, .ctx = r};
    if (xes_submit(con->x, &r->half) != 0) return false;
    r->stage = stage;
    r->d->outstanding++;
    return true;
}

/* To the first of a pair with ordinal 0, to the second with the one that it has. */
static bool issue_ordered(struct duplex_request *r, struct xes_connection *con, u32 ordinal, enum duplex_stage stage) {
    u32 len = r->q.len + CF_ORDERED_BYTES;
    u8 *cmd = r->q.cmd - CF_ORDERED_BYTES;
    be32_put(r->q.cmd + 4, r->q.len); /* xes completes the outer one */
    cf_command_put(cmd, CF_ORDERED, 0, len, con->token, con->id);
    be32_put(cmd + 16, r->d->epoch);
    be32_put(cmd + 20, ordinal);
    return issue(r, con, cmd, len, stage);
}

static void issue_second(struct duplex_request *r) {
    if (r->d->mode == DUPLEX_PAIR) issue_ordered(r, r->d->second, r->ordinal, DUPLEX_SECOND);
}

static void broken(struct duplex *d, bool keep_first, u64 now) {
    if (d->mode != DUPLEX_PAIR || d->broken) return;
    d->broken = true;
    d->ops->broken(d->ctx, keep_first, now);
}

/* ---- answers ---- */

/* The response inside; NULL: it has no shape. */
static const u8 *inner_of(const u8 *rsp, u32 len) {
    return len > CF_ORDERED_BYTES && cf_message_check(rsp + CF_ORDERED_BYTES, len - CF_ORDERED_BYTES) ? rsp + CF_ORDERED_BYTES : NULL;
}

static void first_answered(struct duplex_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct duplex *d = r->d;
    const u8 *inner = rc == CF_OK ? inner_of(rsp, len) : NULL;
    r->stage = DUPLEX_WAITING;
    if (rc == XES_LOST) return;
    if (!inner) { /* it takes nothing of this system any more; the link will tell why */
        d->count.refused++;
        broken(d, false, now);
        return;
    }
    r->saved_len = len - CF_ORDERED_BYTES;
    CHECK(r->large || r->saved_len <= sizeof r->small);
    memcpy(saved(r), inner, r->saved_len);
    r->ordinal = be32_get(rsp + 20);
    r->tries = 0;
    r->since = 0;
    r->stage = DUPLEX_TURN;
    issue_second(r);
}

/* Not yet its turn, or never: its number was another command's there. */
static void out_of_turn(struct duplex_request *r, const u8 *rsp, u32 len, u64 now) {
    struct duplex *d = r->d;
    bool over = len < CF_ORDERED_BYTES || be32_get(rsp + 16) > d->epoch || (be32_get(rsp + 16) == d->epoch && be32_get(rsp + 20) >= r->ordinal);
    if (!r->since) r->since = now;
    if (over || now - r->since >= (d->left ? DUPLEX_GAP_US : DUPLEX_PATIENCE_US)) {
        *(over ? &d->count.mismatches : &d->count.gaps) += !d->broken;
        broken(d, true, now);
        return;
    }
    d->count.retries++;
    if (r->tries++ < DUPLEX_TRIES) {
        issue_second(r);
    } else if (!d->retry_at) {
        d->retry_at = now + DUPLEX_RETRY_US;
        if (d->ops->later) d->ops->later(d->ctx);
    }
}

/* What waits for its turn. Only what is in TURN is issued, so none is issued twice. */
static void try_again(struct duplex *d) {
    d->retry_at = 0;
    LIST_FOR_EACH(it, &d->pending) {
        struct duplex_request *r = LIST_ENTRY(it, struct duplex_request, node);
        if (r->stage == DUPLEX_TURN) issue_second(r);
    }
}

static void second_answered(struct duplex_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct duplex *d = r->d;
    const u8 *inner = rc == CF_OK ? inner_of(rsp, len) : NULL;
    r->stage = DUPLEX_TURN;
    if (rc == XES_LOST) return;
    if (rc == CF_RC_ORDER) {
        out_of_turn(r, rsp, len, now);
    } else if (!inner) {
        d->count.refused++;
        broken(d, true, now);
    } else if (cf_rc_get(inner) != cf_rc_get(saved(r)) || len - CF_ORDERED_BYTES != r->saved_len) {
        d->count.mismatches++;
        broken(d, true, now);
    } else {
        d->count.commands++;
        answer_saved(r, now);
        d->left &= !list_empty(&d->pending);
        if (d->retry_at) try_again(d); /* the next number may be this system's, too */
    }
}

static void quiet_look(struct duplex *d, u64 now) {
    if (d->mode != DUPLEX_HELD || d->outstanding || d->quiet) return;
    d->quiet = true;
    d->ops->quiet(d->ctx, now);
}

static void half_done(void *ctx, struct xes_request *q, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct duplex_request *r = ctx;
    struct duplex *d = r->d;
    UNUSED(q);
    d->outstanding--;
    if (r->stage == DUPLEX_FIRST) first_answered(r, rc, rsp, len, now);
    else if (r->stage == DUPLEX_SECOND) second_answered(r, rc, rsp, len, now);
    else if (r->stage == DUPLEX_GONE) answer(r, XES_LOST, NULL, 0, now);
    else answer(r, rc, rsp, len, now);
    quiet_look(d, now);
}

/* ---- modes ---- */

void duplex_pair(struct duplex *d, struct xes_connection *first, struct xes_connection *second, u32 epoch) {
    CHECK(list_empty(&d->pending) && first->id == second->id);
    d->mode = DUPLEX_PAIR;
    d->first = first;
    d->second = second;
    d->epoch = epoch;
    d->broken = d->left = false;
    d->retry_at = 0;
}

void duplex_hold(struct duplex *d, u64 now) {
    CHECK(d->mode == DUPLEX_PAIR);
    d->mode = DUPLEX_HELD;
    d->quiet = false;
    d->retry_at = 0;
    quiet_look(d, now);
}

/* Answers are given behind a walk of what is pending, because they may submit more, which comes behind those that have waited. */
static void take_aside(struct duplex_request *r, struct list *aside) {
    list_del(&r->node);
    list_push_back(aside, &r->node);
}

void duplex_single(struct duplex *d, struct xes_connection *con, u64 now) {
    struct list executed, lost;
    bool first = con == d->first;
    CHECK(d->mode == DUPLEX_HELD && !d->outstanding);
    d->mode = DUPLEX_SINGLE;
    d->first = con;
    d->second = NULL;
    list_init(&executed);
    list_init(&lost);
    LIST_FOR_EACH_SAFE(it, next, &d->pending) {
        struct duplex_request *r = LIST_ENTRY(it, struct duplex_request, node);
        if (first && r->stage == DUPLEX_TURN) {
            take_aside(r, &executed);
            continue;
        }
        d->count.repeated += r->stage == DUPLEX_TURN;
        if (!issue(r, con, r->q.cmd, r->q.len, DUPLEX_ALONE)) take_aside(r, &lost);
    }
    while (!list_empty(&executed)) answer_saved(LIST_ENTRY(executed.next, struct duplex_request, node), now);
    while (!list_empty(&lost)) answer(LIST_ENTRY(lost.next, struct duplex_request, node), XES_LOST, NULL, 0, now);
}

void duplex_off(struct duplex *d, u64 now) {
    struct list lost;
    d->mode = DUPLEX_OFF;
    d->retry_at = 0;
    list_init(&lost);
    LIST_FOR_EACH_SAFE(it, next, &d->pending) {
        struct duplex_request *r = LIST_ENTRY(it, struct duplex_request, node);
        if (r->stage == DUPLEX_WAITING || r->stage == DUPLEX_TURN) take_aside(r, &lost);
        else r->stage = DUPLEX_GONE;
    }
    while (!list_empty(&lost)) answer(LIST_ENTRY(lost.next, struct duplex_request, node), XES_LOST, NULL, 0, now);
}

void duplex_left(struct duplex *d) { d->left = true; }

int duplex_submit(struct duplex *d, struct duplex_request *r) {
    if (d->mode == DUPLEX_OFF) return -ERR_NETDOWN;
    r->d = d;
    r->stage = DUPLEX_WAITING;
    if (d->mode == DUPLEX_SINGLE && !issue(r, d->first, r->q.cmd, r->q.len, DUPLEX_ALONE)) return -ERR_NETDOWN;
    list_push_back(&d->pending, &r->node);
    /* The link to the first may be down already: then it waits with the others for what is decided. */
    if (d->mode == DUPLEX_PAIR) issue_ordered(r, d->first, 0, DUPLEX_FIRST);
    return 0;
}

u64 duplex_poll(struct duplex *d, u64 now) {
    if (!d->retry_at) return TIME_NEVER;
    if (now < d->retry_at) return d->retry_at;
    try_again(d);
    return TIME_NEVER;
}
