/* rebuild_duplex.c - a structure that is in two facilities: how a pair begins, who joins it later, and how one of it is given up. The
 * phases: rebuild.h.
 */
#include "xcf/rebuild_impl.h"

#include "base/str.h"

#define PATIENCE 3u /* seconds that a system waits for its link to the second before it asks the others to do without */

struct xes_connection *rebuild_second(const struct rebuild *r) { return r->state == REBUILD_DUPLEX ? r->side[!r->cur].con : NULL; }

bool rebuild_alike(struct rebuild *r) {
    const struct rebuild_side *a = rebuild_old(r), *b = rebuild_new(r);
    return a->con->id == b->con->id && a->entries == b->entries && a->elements == b->elements;
}

static void set_phase(struct rebuild *r, enum rebuild_state state, u8 phase) {
    r->state = state;
    r->phase = phase;
    rebuild_publish(r);
}

static void begin_pair(struct rebuild *r, u64 now) {
    r->paired = true;
    r->late = false;
    r->waited = 0;
    r->count.paired++;
    r->recovering = false;
    r->retry_at = now + REBUILD_RETRY_US;
    r->ops->pair(r->ctx, rebuild_old(r)->con, rebuild_new(r)->con, r->attempt, now);
}

/* ---- one of the two is given up ---- */

void rebuild_drop(struct rebuild *r, u32 keep, u64 now) {
    r->keep = keep;
    r->state = REBUILD_DROPPING;
    r->count.dropped++;
    r->retry_at = u64_min(r->retry_at, now + REBUILD_RETRY_US);
    if (r->paired) r->ops->hold(r->ctx, now);
    else rebuild_quiesced(r, now);
}

int rebuild_simplex(struct rebuild *r, bool keep_new, u64 now) {
    if (r->state == REBUILD_DROPPING || r->state == REBUILD_DROPPED) return -ERR_BUSY;
    if (r->state != REBUILD_DUPLEX) return -ERR_NOENT;
    rebuild_drop(r, keep_new ? !r->cur : r->cur, now);
    return 0;
}

/* Neither is left, or systems have decided differently: what was in them counts no more. */
static void lose_all(struct rebuild *r, u64 now) {
    r->count.losses++;
    r->recovering = true;
    r->expected = 0;
    for (u32 i = 0; i < r->old.rows; i++)
        if (strcmp(r->old.row[i].system, r->self) != 0)
            str_copy(r->expect[r->expected++], sizeof r->expect[0], r->old.row[i].system);
    rebuild_leave(rebuild_old(r));
    rebuild_leave(rebuild_new(r));
    r->ops->unusable(r->ctx, now);
    rebuild_away(r);
}

/* If one was lost while the others were waited for, some of them may use the pair already: it begins and ends as one. */
void rebuild_pair(struct rebuild *r, u64 now) {
    bool old = rebuild_old(r)->con->connected, new = rebuild_new(r)->con->connected;
    if (old && new) {
        set_phase(r, REBUILD_DUPLEX, PHASE_DUPLEX);
        begin_pair(r, now);
    } else if (old || new) {
        rebuild_drop(r, old ? r->cur : !r->cur, now);
    } else {
        lose_all(r, now);
    }
}

/* All have agreed. */
static void finish(struct rebuild *r, u64 now) {
    if (r->keep != r->cur) r->cur = !r->cur;
    rebuild_leave(rebuild_new(r));
    r->phase = PHASE_USE;
    r->over = r->attempt;
    r->duplex = false;
    rebuild_publish(r);
    rebuild_in_use(r, false, now);
}

void rebuild_pair_lost(struct rebuild *r, bool old, u64 now) {
    u32 lost = old ? r->cur : !r->cur;
    bool other = r->side[!lost].con->connected;
    switch (r->state) {
    case REBUILD_PAIRING: /* it has used nothing yet; without the first it begins anew where that is then */
        if (old) {
            rebuild_leave(rebuild_new(r));
            rebuild_away(r);
        } else {
            rebuild_drop(r, r->cur, now);
        }
        break;
    case REBUILD_DUPLEX:
        if (other) rebuild_drop(r, !lost, now);
        else lose_all(r, now);
        break;
    case REBUILD_DROPPING: /* nobody has been told which one, so it may still be the other one */
        if (!other) lose_all(r, now);
        else r->keep = !lost;
        break;
    default: /* it has told which one, so some may use that already; that this system cannot go over any more the others must know */
        if (r->keep == lost) {
            lose_all(r, now);
        } else {
            rebuild_publish(r);
            rebuild_look(r);
        }
    }
}

/* ---- who comes later ---- */

void rebuild_pair_join(struct rebuild *r, const struct rebuild_row *member, u64 now) {
    struct xes *x = rebuild_facility(r, member->target);
    if (rebuild_new(r)->con->busy || (!x && r->waited < PATIENCE)) { /* of an earlier attempt, or its link has not come up yet */
        r->waited += !x;
        rebuild_leave(rebuild_old(r));
        rebuild_away(r);
        r->retry_at = now + REBUILD_RETRY_US;
        return;
    }
    r->attempt = member->attempt;
    r->duplex = true;
    str_copy(r->target, sizeof r->target, member->target);
    r->state = REBUILD_PAIRING;
    r->phase = PHASE_DUPLEX;
    /* Who cannot reach the second asks for a structure that all can reach. */
    if (!x || x == rebuild_old(r)->x || !rebuild_join(r, rebuild_new(r), x, ROLE_NEW)) rebuild_drop(r, r->cur, now);
}

void rebuild_pair_connected(struct rebuild *r, u32 rc, u64 now) {
    if (rc == CF_OK && rebuild_alike(r)) {
        rebuild_publish(r);
        return;
    }
    r->count.refused += rc != XES_LOST;
    rebuild_drop(r, r->cur, now);
}

/* ---- what the boards say ---- */

static bool is_self(const struct rebuild *r, const struct rebuild_row *row) { return strcmp(row->system, r->self) == 0; }

/* What others keep, by side. forced: the only one that he can reach; who can reach both goes with him, and to the first one if all can. */
struct kept {
    bool any[2], forced[2];
};

static struct kept kept_by_others(const struct rebuild *r) {
    const struct rebuild_board *boards[2] = {&r->now, &r->other};
    struct kept k = {{false, false}, {false, false}};
    for (u32 b = 0; b < 2; b++)
        for (u32 i = 0; i < boards[b]->rows; i++) {
            const struct rebuild_row *row = &boards[b]->row[i];
            if (row->phase != PHASE_KEEP || row->attempt != r->attempt || is_self(r, row)) continue;
            u32 side = r->side[0].x && strcmp(row->target, xes_facility_name(r->side[0].x)) == 0 ? 0 : 1;
            k.any[side] = true;
            k.forced[side] |= row->forced;
        }
    return k;
}

enum { NOBODY = 2, NEITHER = 3 };

/* The side for one who has not told his own: 0 or 1, NOBODY keeps one, or NEITHER can be had by all. */
static u32 side_of_others(const struct rebuild *r, const struct kept *k) {
    if (!k->any[0] && !k->any[1]) return NOBODY;
    if (k->forced[0] && k->forced[1]) return NEITHER;
    u32 side = k->forced[0] || k->forced[1] ? k->forced[1] : k->any[0] && k->any[1] ? r->cur : k->any[1];
    if (r->side[side].con->connected) return side;
    /* They come over to the one that this system can reach. */
    return k->forced[side] || !r->side[!side].con->connected ? NEITHER : !side;
}

/* Nobody whose row is there is still in the pair, or on his way into it, or keeps the other one. */
static bool all_agree(const struct rebuild *r, const struct rebuild_board *b) {
    for (u32 i = 0; i < b->rows; i++) {
        const struct rebuild_row *row = &b->row[i];
        /* Who only waits in the second, without the first, is not on his way into the pair: he waits for this system. */
        bool on_its_way = row->phase > PHASE_USE && row->phase < PHASE_STOPPED && row->attempt == r->attempt && row->duplex;
        if (row->phase == PHASE_DUPLEX || on_its_way) return false;
        if (row->phase == PHASE_KEEP && row->attempt == r->attempt && strcmp(row->target, xes_facility_name(r->side[r->keep].x)) != 0) return false;
    }
    return true;
}

static bool told_in(const struct rebuild *r, const struct rebuild_board *b) {
    for (u32 i = 0; i < b->rows; i++)
        if (is_self(r, &b->row[i])) return b->row[i].phase == PHASE_DUPLEX;
    return false;
}

/* All who leave the pair see this system in both from now on, and wait for it; it may use them unless one has begun before. */
static void pairing_seen(struct rebuild *r, u64 now) {
    if (!rebuild_new(r)->con->connected || !told_in(r, &r->now) || !told_in(r, &r->other)) return;
    r->state = REBUILD_DUPLEX;
    begin_pair(r, now);
}

/* This system has told which one it keeps. If it can reach both it may still go over to the other one: nobody goes on before all have told
 * the same, and who can reach only one does not go over. */
static void dropped_seen(struct rebuild *r, const struct kept *k, u64 now) {
    u32 keep = r->keep;
    bool forced = !r->side[!keep].con->connected;
    if (k->forced[!keep] && (forced || k->forced[keep])) {
        lose_all(r, now);
    } else if (!forced && (k->forced[!keep] || (k->any[!keep] && keep != r->cur && !k->forced[keep]))) {
        r->keep = !keep;
        rebuild_publish(r);
    } else if (all_agree(r, &r->now) && all_agree(r, &r->other)) {
        finish(r, now);
    }
}

void rebuild_pair_seen(struct rebuild *r, u64 now) {
    struct kept k = kept_by_others(r);
    u32 side = side_of_others(r, &k);
    switch (r->state) {
    case REBUILD_PAIRING: /* the second may not be connected yet */
        if (side == NOBODY) pairing_seen(r, now);
        else if (k.forced[0] && k.forced[1]) lose_all(r, now);
        else if (rebuild_new(r)->con->connected || !k.any[!r->cur]) rebuild_drop(r, side, now);
        break;
    case REBUILD_DUPLEX:
        if (side == NEITHER) lose_all(r, now);
        else if (side != NOBODY) rebuild_drop(r, side, now);
        break;
    case REBUILD_DROPPED: dropped_seen(r, &k, now); break;
    default: break;
    }
}
