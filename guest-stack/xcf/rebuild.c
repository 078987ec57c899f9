/* rebuild.c - the states of a structure that moves. The protocol: rebuild.h. */
#include "xcf/rebuild_impl.h"

#include "base/be.h"
#include "base/str.h"

const struct rebuild_counters *rebuild_counters(const struct rebuild *r) { return &r->count; }
enum rebuild_state rebuild_state(const struct rebuild *r) { return r->state; }

const char *rebuild_state_name(enum rebuild_state state) {
    static const char *const names[REBUILD_STATES] = {"AWAY",    "CONNECTING", "IN USE",     "QUIESCING", "QUIESCED",
                                                      "JOINING", "JOINED",     "POPULATING", "COMPLETE",
                                                      "PAIRING", "DUPLEX",     "DROPPING",   "DROPPED"};
    return state < REBUILD_STATES ? names[state] : "";
}

const char *rebuild_target(const struct rebuild *r) { return r->target; }

struct xes_connection *rebuild_connection(const struct rebuild *r) {
    return r->state == REBUILD_IN_USE || r->state == REBUILD_DUPLEX ? r->side[r->cur].con : NULL;
}

/* ---- both ways out of a rebuild ---- */

void rebuild_leave(struct rebuild_side *s) {
    if (s->con->connected) xes_disconnect(s->con, false);
}

void rebuild_in_use(struct rebuild *r, bool lost, u64 now) {
    r->state = REBUILD_IN_USE;
    r->recovering = false;
    r->expected = 0;
    r->attempt_at = r->waited = 0;
    r->duplex = r->paired = r->late = false;
    r->retry_at = now + REBUILD_RETRY_US; /* by then another one that was made elsewhere at the same time is to be seen */
    r->ops->use(r->ctx, rebuild_old(r)->con, lost, now);
}

/* Back to the old structure. Nobody has gone on: who has, had seen this system COMPLETE. */
static void resume(struct rebuild *r, u64 now) {
    r->phase = PHASE_STOPPED;
    r->over = r->attempt;
    r->count.stopped++;
    rebuild_leave(rebuild_new(r));
    rebuild_publish(r);
    rebuild_in_use(r, r->recovering, now); /* it may have come back to it in the middle of the attempt */
}

void rebuild_away(struct rebuild *r) {
    r->state = REBUILD_AWAY;
    r->phase = PHASE_USE;
    r->duplex = r->paired = r->late = false;
    r->retry_at = 0;
}

/* This system cannot go on. Who came when the attempt was under way has used nothing, and does not know whether the others have gone on: it
 * stops nobody, and comes again. */
static void give_up(struct rebuild *r, u64 now) {
    if (!r->late) {
        resume(r, now);
        return;
    }
    rebuild_leave(rebuild_new(r));
    rebuild_leave(rebuild_old(r));
    r->ops->unusable(r->ctx, now);
    rebuild_away(r);
    r->retry_at = now + REBUILD_RETRY_US;
}

/* All are COMPLETE. */
static void change_over(struct rebuild *r, u64 now) {
    if (r->duplex) {
        rebuild_pair(r, now);
        return;
    }
    rebuild_leave(rebuild_old(r));
    if (!rebuild_new(r)->con->connected) { /* lost meanwhile: the others are there */
        r->recovering = true;
        r->ops->unusable(r->ctx, now);
        rebuild_away(r);
        return;
    }
    r->cur = !r->cur;
    r->phase = PHASE_USE;
    r->over = r->attempt;
    r->count.completed++;
    rebuild_publish(r);
    rebuild_in_use(r, false, now);
}

/* ---- forward ---- */

bool rebuild_join(struct rebuild *r, struct rebuild_side *s, struct xes *x, u8 role) {
    u8 cmd[CF_CONNECT_BYTES];
    if (s->con->busy || s->con->connected) return false;
    memcpy(cmd, r->connect, sizeof cmd);
    rebuild_data_put(r, role, cmd + 80);
    /* In a pair commands and responses name the same identifiers. */
    if (r->duplex && role == ROLE_NEW && rebuild_old(r)->con->connected) cmd[76] = rebuild_old(r)->con->id;
    s->x = x;
    return xes_connect(x, s->con, cmd) == 0;
}

static void set_phase(struct rebuild *r, enum rebuild_state state, u8 phase) {
    r->state = state;
    r->phase = phase;
    rebuild_publish(r);
}

static void begin(struct rebuild *r, u32 attempt, const char *target, bool duplex, u64 now) {
    r->attempt = attempt;
    r->duplex = duplex;
    str_copy(r->target, sizeof r->target, target);
    r->state = REBUILD_QUIESCING;
    r->retry_at = u64_min(r->retry_at, now + REBUILD_RETRY_US);
    r->count.started++;
    r->ops->quiesce(r->ctx, now);
}

void rebuild_quiesced(struct rebuild *r, u64 now) {
    UNUSED(now);
    if (r->state == REBUILD_QUIESCING) set_phase(r, REBUILD_QUIESCED, PHASE_QUIESCED);
    else if (r->state == REBUILD_DROPPING) set_phase(r, REBUILD_DROPPED, PHASE_KEEP);
}

void rebuild_populated(struct rebuild *r, u64 now) {
    UNUSED(now);
    if (r->state == REBUILD_POPULATING) set_phase(r, REBUILD_COMPLETE, PHASE_COMPLETE);
}

/* Everybody is quiesced. A facility that is not there, or does not take the structure, ends the attempt. */
static void connect_new(struct rebuild *r, u64 now) {
    struct xes *x = rebuild_facility(r, r->target);
    if (rebuild_new(r)->con->busy) return; /* what is left of an earlier attempt; the next poll comes again */
    if (x && x != rebuild_old(r)->x) {
        r->phase = PHASE_JOINED; /* what it will be when it is connected */
        r->state = REBUILD_JOINING;
        if (rebuild_join(r, rebuild_new(r), x, ROLE_NEW)) return;
    }
    give_up(r, now);
}

/* ---- what the board says ---- */

struct view {
    u8 least;    /* phase that all have reached */
    bool stopped;
    const struct rebuild_row *started; /* another one is in a rebuild: of those that are, the latest */
    const struct rebuild_row *paired, *kept; /* another one uses a pair, or leaves it */
    bool first; /* what this system makes anew is the first of a pair that another one uses or makes */
};

static bool is_expected_here(const struct rebuild *r) {
    for (u32 i = 0; i < r->expected; i++) {
        bool here = false;
        for (u32 k = 0; k < r->now.rows; k++) here |= strcmp(r->expect[i], r->now.row[k].system) == 0;
        if (!here) return false;
    }
    return true;
}

/* Only phases of the new structure are seen, and he is making a pair of it in which this system is not: his old one may be alive. Then being
 * COMPLETE takes him into both, ordered, and not into this one alone. When two wait in different attempts the later one goes on. */
static bool pairs_without(const struct rebuild *r, const struct rebuild_row *row) {
    return row->role == ROLE_NEW && row->duplex && (!r->duplex || row->attempt > r->attempt);
}

static struct view view_of(const struct rebuild *r, bool old) {
    struct view v = {.least = PHASE_COMPLETE};
    for (u32 i = 0; i < r->now.rows; i++) {
        const struct rebuild_row *row = &r->now.row[i];
        u8 phase = row->phase;
        v.first |= !old && row->role == ROLE_STRUCTURE && row->duplex && phase != PHASE_USE && phase != PHASE_STOPPED;
        if (phase == PHASE_STOPPED) {
            v.stopped |= row->attempt == r->attempt;
            phase = PHASE_USE;
        } else if (phase > PHASE_STOPPED) { /* it has been through all of them */
            *(phase == PHASE_KEEP ? &v.kept : &v.paired) = row;
            phase = row->attempt == r->attempt ? PHASE_COMPLETE : PHASE_USE;
        } else if (phase != PHASE_USE && row->role == ROLE_STRUCTURE && strcmp(row->system, r->self) != 0) {
            if (!v.started || row->attempt > v.started->attempt) v.started = row;
            if (old && row->attempt != r->attempt) phase = PHASE_USE; /* one of the two goes over to the other one's */
        }
        /* Who uses the new one already was through with it. */
        if (!old && row->role == ROLE_STRUCTURE) phase = PHASE_COMPLETE;
        else if (!old && phase == PHASE_COMPLETE && pairs_without(r, row)) phase = PHASE_JOINED;
        if (phase < v.least) v.least = phase;
    }
    if (!old && !is_expected_here(r)) v.least = PHASE_USE;
    return v;
}

/* Another one's attempt is this system's from now on. */
static void take_over(struct rebuild *r, const struct rebuild_row *started) {
    r->attempt = started->attempt;
    r->duplex = started->duplex;
    str_copy(r->target, sizeof r->target, started->target);
}

/* The first look at a structure that was just connected to. */
static void arrived(struct rebuild *r, const struct view *v, u64 now) {
    for (u32 i = 0; i < r->now.rows; i++) r->attempt = u32_max(r->attempt, r->now.row[i].attempt);
    r->over = 0;
    bool all_left = r->in_use == rebuild_old(r)->x && r->now.rows <= 1; /* since the search: it is somewhere else now */
    r->in_use = NULL;
    if (v->kept || all_left) { /* if kept, soon there is one of the two; which, is theirs to decide */
        rebuild_leave(rebuild_old(r));
        rebuild_away(r);
        r->retry_at = now + REBUILD_RETRY_US;
        return;
    }
    if (v->paired) {
        rebuild_pair_join(r, v->paired, now);
        return;
    }
    if (!v->started) {
        rebuild_in_use(r, r->recovering, now);
        return;
    }
    /* This system uses nothing yet, so it is quiesced; what it has it will write into the new one. */
    take_over(r, v->started);
    r->late = true;
    r->count.started++;
    set_phase(r, REBUILD_QUIESCED, PHASE_QUIESCED);
}

void rebuild_seen(struct rebuild *r, u64 now) {
    if (rebuild_is_pair(r)) {
        rebuild_pair_seen(r, now);
        return;
    }
    bool old = rebuild_old(r)->con->connected;
    struct view v = view_of(r, old);
    if (v.first && r->state >= REBUILD_JOINED) { /* it comes again as one that joins them, because nobody uses only one of a pair */
        rebuild_leave(rebuild_new(r));
        r->ops->unusable(r->ctx, now);
        rebuild_away(r);
        return;
    }
    /* Two have begun at the same time, and the later one counts. Who is further than QUIESCED: all were with him, so the one who begins another
     * one has stopped this one. */
    bool later = old && v.started && v.started->attempt > r->attempt;
    v.stopped |= later && r->state > REBUILD_QUIESCED;
    switch (r->state) {
    case REBUILD_CONNECTING: arrived(r, &v, now); break;
    case REBUILD_IN_USE:
        if (v.started && v.started->attempt > r->over) begin(r, v.started->attempt, v.started->target, v.started->duplex, now);
        break;
    case REBUILD_QUIESCING:
        if (later) take_over(r, v.started);
        else if (v.stopped) resume(r, now);
        break;
    case REBUILD_QUIESCED:
        if (later) {
            take_over(r, v.started);
            rebuild_publish(r);
        } else if (v.stopped) {
            resume(r, now);
        } else if (v.least >= PHASE_QUIESCED) {
            connect_new(r, now);
        }
        break;
    case REBUILD_JOINING:
        if (old && v.stopped) resume(r, now);
        break;
    case REBUILD_JOINED:
        if (old && v.stopped) {
            resume(r, now);
        } else if (v.least >= PHASE_JOINED) {
            r->state = REBUILD_POPULATING;
            r->ops->populate(r->ctx, rebuild_new(r)->con, now);
        }
        break;
    case REBUILD_POPULATING:
        if (old && v.stopped) resume(r, now);
        break;
    case REBUILD_COMPLETE:
        if (old && v.stopped) resume(r, now);
        else if (v.least >= PHASE_COMPLETE) change_over(r, now);
        break;
    default: break;
    }
}

/* ---- where it is ---- */

/* Two structures of one name: systems that could not see the same facilities made one each. All go where the order says. */
static void two_structures(struct rebuild *r, u64 now) {
    if (!r->settled || r->settled == rebuild_old(r)->x) return;
    r->recovering = true;
    rebuild_leave(rebuild_old(r));
    r->ops->unusable(r->ctx, now);
    rebuild_away(r);
}

/* Waiting on a new structure whose old one is lost: the others may be with the old one, or make theirs where the order says. */
static void found_elsewhere(struct rebuild *r, u64 now) {
    struct rebuild_side *n = rebuild_new(r);
    const struct xes *there = r->in_use ? r->in_use : r->being_made;
    if (rebuild_old(r)->con->connected || !n->con->connected || !there || there == n->x) return;
    rebuild_leave(n);
    r->ops->unusable(r->ctx, now);
    rebuild_away(r);
}

void rebuild_found(struct rebuild *r, u64 now) {
    struct xes *x = r->in_use ? r->in_use : r->being_made;
    if (rebuild_is_pair(r)) return; /* asked before it was one */
    if (r->state == REBUILD_IN_USE) two_structures(r, now);
    else if (r->state != REBUILD_AWAY) found_elsewhere(r, now);
    if (r->state != REBUILD_AWAY) return;
    /* With a link to the second of a pair alone there is nothing to be done until the others leave the first, or its link comes. */
    if (!r->in_use && r->second_found) return;
    bool make = !r->in_use && (r->being_made || r->recovering);
    if (!x) x = r->ops->prefer(r->ctx, r->attempt_at);
    if (!x && r->attempt_at) x = r->ops->prefer(r->ctx, r->attempt_at = 0);
    if (!x) return;
    if (make) r->phase = PHASE_JOINED;
    r->state = make ? REBUILD_JOINING : REBUILD_CONNECTING;
    if (rebuild_join(r, make ? rebuild_new(r) : rebuild_old(r), x, make ? ROLE_NEW : ROLE_STRUCTURE)) return;
    rebuild_away(r);
    r->retry_at = now + REBUILD_RETRY_US;
}

/* ---- what xes says ---- */

static struct rebuild_side *side_of(struct xes_connection *con) { return con->ctx; }

static void refused(struct rebuild *r, struct rebuild_side *s, u32 rc, u64 now) {
    r->count.refused++;
    if (r->ops->refused && r->ops->refused(r->ctx, rc, r->connect) && rebuild_join(r, s, s->x, s == rebuild_new(r) ? ROLE_NEW : ROLE_STRUCTURE)) return;
    if (rebuild_old(r)->con->connected) {
        give_up(r, now);
        return;
    }
    r->attempt_at++;
    rebuild_away(r);
    r->retry_at = now + REBUILD_RETRY_US;
}

static void on_connected(struct xes_connection *con, u32 rc, u8 flags, const u8 *rsp, u64 now) {
    struct rebuild_side *s = side_of(con);
    struct rebuild *r = s->r;
    bool wanted = s == rebuild_old(r) ? r->state == REBUILD_CONNECTING : r->state == REBUILD_JOINING;
    UNUSED(flags);
    if (rc == CF_OK) {
        s->entries = be32_get(rsp + 32);
        s->elements = be32_get(rsp + 36);
    }
    if (r->state == REBUILD_PAIRING && s == rebuild_new(r)) {
        rebuild_pair_connected(r, rc, now);
        return;
    }
    if (!wanted) { /* the attempt was stopped meanwhile */
        if (rc == CF_OK) xes_disconnect(con, false);
        return;
    }
    /* In one of a pair nobody does anything alone. */
    if (rc == CF_OK && (s == rebuild_new(r) || !r->first_found) && r->ops->joined) r->ops->joined(r->ctx, con, now);
    if (rc == CF_OK && r->duplex && r->state == REBUILD_JOINING && rebuild_old(r)->con->connected && !rebuild_alike(r)) {
        r->count.refused++;
        give_up(r, now);
    } else if (rc == XES_LOST && !rebuild_old(r)->con->connected) {
        rebuild_away(r);
    } else if (rc != CF_OK) {
        refused(r, s, rc, now);
    } else if (r->state == REBUILD_CONNECTING) {
        rebuild_look(r);
    } else {
        set_phase(r, REBUILD_JOINED, PHASE_JOINED);
    }
}

/* The others that were connected are waited for wherever the structure is made anew. */
static void expect(struct rebuild *r) {
    r->expected = 0;
    for (u32 i = 0; i < r->old.rows; i++)
        if (strcmp(r->old.row[i].system, r->self) != 0)
            str_copy(r->expect[r->expected++], sizeof r->expect[0], r->old.row[i].system);
}

static void old_lost(struct rebuild *r, u64 now) {
    bool connecting = r->state == REBUILD_CONNECTING;
    r->count.losses++;
    if (!connecting) {
        expect(r);
        r->recovering = true;
        /* Who is writing into the new one already goes on with that. */
        if (r->state < REBUILD_POPULATING) r->ops->unusable(r->ctx, now);
    }
    if (rebuild_new(r)->con->connected) rebuild_look(r);
    else if (r->state != REBUILD_JOINING) rebuild_away(r);
}

static void new_lost(struct rebuild *r, u64 now) {
    if (r->state == REBUILD_IN_USE) return; /* it was being left */
    if (!rebuild_old(r)->con->connected) {
        r->count.losses++;
        r->ops->unusable(r->ctx, now);
        rebuild_away(r);
    } else if (r->state != REBUILD_COMPLETE) {
        give_up(r, now);
    } /* who is COMPLETE waits for what the others do */
}

static void on_lost(struct xes_connection *con, u64 now) {
    struct rebuild_side *s = side_of(con);
    if (rebuild_is_pair(s->r)) rebuild_pair_lost(s->r, s == rebuild_old(s->r), now);
    else if (s == rebuild_old(s->r)) old_lost(s->r, now);
    else new_lost(s->r, now);
}

static void on_connections(struct xes_connection *con, u32 changed, u64 now) {
    UNUSED(changed);
    UNUSED(now);
    rebuild_look(side_of(con)->r);
}
static void on_vector(struct xes_connection *con, u32 index, bool value, u64 now) {
    struct rebuild *r = side_of(con)->r;
    if (r->ops->vector) r->ops->vector(r->ctx, con, index, value, now);
}
static void on_lock(struct xes_connection *con, u32 index, u8 exclusive, u32 shared, u32 waiting, u64 now) {
    struct rebuild *r = side_of(con)->r;
    if (r->ops->lock) r->ops->lock(r->ctx, con, index, exclusive, shared, waiting, now);
}
static const struct xes_connection_ops CONNECTION = {.connected = on_connected,
                                                     .lost = on_lost,
                                                     .vector = on_vector,
                                                     .lock = on_lock,
                                                     .connections = on_connections};

/* ---- what the user says ---- */

static int start(struct rebuild *r, const char *target, bool duplex, u64 now) {
    u32 attempt = r->attempt;
    struct xes *x = NULL;
    if (r->state == REBUILD_AWAY || r->state == REBUILD_CONNECTING) return -ERR_NOENT;
    if (r->state != REBUILD_IN_USE) return -ERR_ALREADY;
    for (u32 i = 0; !x && (target == NULL || !i); i++) {
        x = target ? rebuild_facility(r, target) : r->ops->prefer(r->ctx, i);
        if (!x || (target && x == rebuild_old(r)->x)) return -ERR_NETDOWN;
        if (x == rebuild_old(r)->x) x = NULL;
    }
    for (u32 i = 0; i < r->old.rows; i++) attempt = u32_max(attempt, r->old.row[i].attempt);
    begin(r, (attempt / ATTEMPT_STARTERS + 1) * ATTEMPT_STARTERS + rebuild_old(r)->con->id, xes_facility_name(x), duplex, now);
    return 0;
}

int rebuild_start(struct rebuild *r, const char *target, u64 now) { return start(r, target, false, now); }
int rebuild_duplex(struct rebuild *r, u64 now) { return r->ops->pair ? start(r, NULL, true, now) : -ERR_INVAL; }

int rebuild_stop(struct rebuild *r, u64 now) {
    if (r->state <= REBUILD_IN_USE || r->state == REBUILD_DUPLEX) return -ERR_NOENT;
    if (r->state >= REBUILD_COMPLETE || r->late || !rebuild_old(r)->con->connected) return -ERR_BUSY;
    resume(r, now);
    return 0;
}

void rebuild_gone(struct rebuild *r, const char *system, u64 now) {
    UNUSED(now);
    for (u32 i = 0; i < r->expected; i++) {
        if (strcmp(r->expect[i], system) != 0) continue;
        memmove(r->expect[i], r->expect[i + 1], (r->expected - i - 1) * sizeof r->expect[0]);
        r->expected--;
        break;
    }
    for (u32 i = 0; i < r->old.rows; i++) /* it may still be there, and be lost later */
        if (strcmp(r->old.row[i].system, system) == 0) r->old.row[i] = r->old.row[--r->old.rows];
    rebuild_look(r);
}

/* Another one who makes the structure elsewhere at this moment is to be seen a second later, as in rebuild_in_use(). */
void rebuild_up(struct rebuild *r, u64 now) {
    r->retry_at = now + REBUILD_RETRY_US;
    rebuild_search(r, now);
}

/* Connections have been told; what is left is a search that was under way. */
void rebuild_down(struct rebuild *r, u64 now) { rebuild_poll(r, now); }

u64 rebuild_poll(struct rebuild *r, u64 now) {
    bool searching = !rebuild_is_pair(r) && (r->state <= REBUILD_IN_USE || !rebuild_old(r)->con->connected);
    if (now < r->retry_at) return r->retry_at;
    /* A notice that told of a change may have gone with a link: it is looked at now and then, too. */
    if (searching && r->state != REBUILD_CONNECTING) rebuild_search(r, now);
    else rebuild_look(r);
    r->retry_at = now + (r->state == REBUILD_IN_USE || r->state == REBUILD_DUPLEX ? REBUILD_CHECK_US : REBUILD_RETRY_US);
    return r->retry_at;
}

/* ---- life ---- */

size_t rebuild_bytes(u32 vector_bits) {
    u32 words = (vector_bits + 31) / 32;
    return sizeof(struct rebuild) + 256 + 2 * (sizeof(struct xes_connection) + words * sizeof(u32) + CF_CONNDATA_BYTES);
}

static bool side_create(struct rebuild *r, struct rebuild_side *s, struct arena *a, u32 vector_bits) {
    s->r = r;
    s->con = arena_take(a, sizeof *s->con, 16);
    s->set_cmd = arena_take(a, CF_CONNDATA_BYTES, 8);
    u32 *vector = arena_take(a, (vector_bits + 31) / 32 * sizeof(u32) + sizeof(u32), 4);
    if (!s->con || !s->set_cmd || !vector) return false;
    *s->con = (struct xes_connection){.ops = &CONNECTION, .vector = vector, .vector_bits = vector_bits, .ctx = s};
    list_init(&s->con->order);
    return true;
}

struct rebuild *rebuild_create(const struct rebuild_config *c) {
    struct rebuild *r = arena_take(c->arena, sizeof *r, 16);
    if (!r) return NULL;
    memset(r, 0, sizeof *r);
    r->ops = c->ops;
    r->ctx = c->ctx;
    memcpy(r->connect, c->connect, sizeof r->connect);
    r->query_cmd = arena_take(c->arena, CF_CMD_BYTES + CF_NAME_BYTES, 8);
    if (!r->query_cmd || !side_create(r, &r->side[0], c->arena, c->vector_bits) ||
        !side_create(r, &r->side[1], c->arena, c->vector_bits))
        return NULL;
    return r;
}
