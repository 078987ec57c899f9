/* strpath_move.c - one structure: its own list made ready and read, and what xcf/rebuild.h asks when it moves. See xcf/strpath.h.
 *
 * The own list is made ready in steps as soon as the connection is there: emptied (its identifier may have been another's), limited,
 * monitored. In a structure that is being made nobody writes so early; in one that was there before this system, whoever hears of
 * it first has to ask who it is, and comes behind.
 *
 * Requests may still be on their way to a structure that is being left: `outstanding` counts all of them, and what needs quiet waits
 * in structure_rest() until there are none.
 */
#include "xcf/strpath_impl.h"

enum setup_step { SETUP_EMPTY, SETUP_LIMIT, SETUP_MONITOR, SETUP_STEPS };

void structure_tell(const struct structure *s, const char *fmt, const char *a, const char *b) {
    char line[160]; /* as long as a console's lines are */
    str_fmt(line, sizeof line, fmt, s->name, a, b);
    if (s->g->say) s->g->say(s->g->ctx, line);
}

bool structure_submit(struct structure *s, struct xes_connection *con, struct duplex_request *q) {
    bool duplex = s->dx.mode != DUPLEX_OFF && con == s->con;
    if ((duplex ? duplex_submit(&s->dx, q) : xes_submit(con->x, &q->q)) != 0) return false;
    s->outstanding++;
    return true;
}

bool structure_failed(struct structure *s, u32 rc, u64 now) {
    UNUSED(now);
    if (rc == CF_OK || rc == CF_RC_MORE) return false;
    /* The connection is being left, by this system or because the facility says so: rebuild.h finds out which. */
    if (rc != XES_LOST && s->state == STRPATH_READY) s->g->counters.errors++;
    return true;
}

/* ---- reading ---- */

static void read_start(struct structure *s);

static void read_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct structure *s = ctx;
    UNUSED(r);
    s->reading = false;
    s->outstanding--;
    if (structure_failed(s, rc, now)) {
        s->read_due = false;
        s->drained_not |= s->populating;
        structure_rest(s, now);
        return;
    }
    s->g->counters.reads++;
    if (rc == CF_RC_MORE) s->read_due = true;
    for (u32 at = CF_RSP_BYTES; at + CF_ENTRY_BYTES <= len && !xcf_stopped(s->g->x);) {
        u32 bytes = be32_get(rsp + at);
        if (bytes < CF_ENTRY_BYTES || bytes > len - at) break;
        peer_transfer(s, rsp + at + CF_ENTRY_BYTES, bytes - CF_ENTRY_BYTES, now);
        at += bytes;
    }
    if (s->read_due && s->con && (s->state == STRPATH_READY || s->populating)) read_start(s);
    structure_rest(s, now);
}

static void read_start(struct structure *s) {
    s->read_due = s->reading;
    if (s->reading) return;
    str_command(s->con, s->read_cmd.cmd, CF_READ_LIST, s->con->id, CF_F_DATA | CF_F_DELETE);
    s->read.q = (struct xes_request){.cmd = s->read_cmd.cmd, .len = CF_LIST_BYTES, .done = read_done, .ctx = s};
    s->reading = structure_submit(s, s->con, &s->read);
}

void structure_read(struct structure *s) {
    if (s->con && s->state == STRPATH_READY && s->known) read_start(s);
}

static void on_vector(void *ctx, struct xes_connection *con, u32 index, bool value, u64 now) {
    struct structure *s = ctx;
    UNUSED(index);
    UNUSED(now);
    if (value && con == s->con) structure_read(s);
}

/* ---- the own list made ready ---- */

static bool is_set(const struct structure *s, const struct xes_connection *con) { return con && (s->set[0] == con || s->set[1] == con); }

static void ready(struct structure *s) {
    s->state = STRPATH_READY;
    s->g->look = true;
    rebuild_look(s->r); /* who is there: connections(); what is read before is from strangers */
}

static void setup_start(struct structure *s);

static void setup_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct structure *s = ctx;
    UNUSED(r);
    UNUSED(rsp);
    UNUSED(len);
    s->outstanding--;
    if (structure_failed(s, rc, now)) {
        s->setting = NULL;
        s->retry_at = now + STRPATH_RETRY_US;
        s->g->look = true;
    } else {
        if (rc != CF_RC_MORE) s->setup_step++;
        if (s->setup_step < SETUP_STEPS) {
            setup_start(s);
        } else {
            s->set[!!s->set[0]] = s->setting;
            s->setting = NULL;
        }
    }
    structure_rest(s, now);
}

static void setup_start(struct structure *s) {
    static const u8 ops[SETUP_STEPS] = {CF_DELETE_LIST, CF_SET_LCONTROLS, CF_MONITOR_LIST};
    str_command(s->setting, s->setup_cmd.cmd, ops[s->setup_step], s->setting->id, 0);
    if (s->setup_step == SETUP_LIMIT) be32_put(s->setup_cmd.cmd + 20, STRPATH_LIST_MAX);
    if (s->setup_step == SETUP_MONITOR) s->setup_cmd.cmd[36] = 1;
    s->setup.q = (struct xes_request){.cmd = s->setup_cmd.cmd, .len = CF_LIST_BYTES, .done = setup_done, .ctx = s};
    if (!structure_submit(s, s->setting, &s->setup)) s->setting = NULL;
}

static void setup_begin(struct structure *s, struct xes_connection *con) {
    for (u32 i = 0; i < ARRAY_LEN(s->set); i++)
        if (s->set[i] == con) s->set[i] = NULL; /* an earlier connection of this side */
    s->setting = con;
    s->setup_step = SETUP_EMPTY;
    setup_start(s);
}

/* ---- what waits for the last answer ---- */

void structure_rest(struct structure *s, u64 now) {
    if (s->outstanding || xcf_stopped(s->g->x)) return;
    if (s->quiescing) {
        s->quiescing = false;
        rebuild_quiesced(s->r, now);
    } else if (s->populating) {
        s->populating = false;
        rebuild_populated(s->r, now);
    } else if (s->state == STRPATH_CONNECTING && s->con->connected && now >= s->retry_at) {
        s->retry_at = 0;
        if (is_set(s, s->con)) ready(s);
        else setup_begin(s, s->con);
    }
}

/* ---- what the rebuild says ---- */

static const char *why_moved(const struct structure *s, const char *by_operator) {
    return s->by_operator ? by_operator : s->by_percent ? "LOSS OF CONNECTIVITY BY OTHER SYSTEMS" : "REBUILD STARTED BY ANOTHER SYSTEM";
}

/* Nothing is written or read any more; what is on its way is waited for. */
static void on_quiesce(void *ctx, u64 now) {
    struct structure *s = ctx;
    s->state = STRPATH_REBUILDING;
    s->quiescing = true;
    s->g->look = true;
    structure_percent_moves(s);
    structure_tell(s, "IXC467I REBUILDING PATH STRUCTURE %s RSN: %s%s", why_moved(s, "OPERATOR REQUEST"), "");
    structure_tell(s, "IXC526I STRUCTURE %s IS REBUILDING FROM COUPLING FACILITY %s TO COUPLING FACILITY %s.", s->facility, rebuild_target(s->r));
    structure_rest(s, now);
}

static void on_joined(void *ctx, struct xes_connection *con, u64 now) {
    UNUSED(now);
    setup_begin(ctx, con);
}

/* Everybody is quiet: what the others have written here is read to its end. */
static void on_populate(void *ctx, struct xes_connection *con, u64 now) {
    struct structure *s = ctx;
    s->state = STRPATH_REBUILDING;
    s->quiescing = false;
    s->populating = true;
    UNUSED(con); /* its own list is being made ready since joined() */
    if (s->con && s->con->connected) read_start(s);
    else s->drained_not = s->con != NULL;
    structure_rest(s, now);
}

static void arrived_elsewhere(struct structure *s, bool lost, bool moved) {
    const char *where = xes_facility_name(s->con->x);
    bool other = strcmp(where, s->facility) != 0;
    if (lost && s->facility[0]) {
        structure_tell(s, "IXC465I REBUILD REQUEST FOR STRUCTURE %s WAS SUCCESSFUL. WHY REBUILT: %s%s", "LOSS OF CONNECTIVITY TO STRUCTURE", "");
    } else if (moved && other) {
        s->g->counters.moves++;
        structure_tell(s, "IXC465I REBUILD REQUEST FOR STRUCTURE %s WAS SUCCESSFUL. WHY REBUILT: %s%s",
             why_moved(s, "OPERATOR-INITIATED REBUILD"), "");
    } else if (moved) {
        structure_tell(s, "IXC521I REBUILD FOR STRUCTURE %s HAS BEEN STOPPED%s%s", "", "");
    }
    str_copy(s->facility, sizeof s->facility, where);
}

static void on_use(void *ctx, struct xes_connection *con, bool lost, u64 now) {
    struct structure *s = ctx;
    bool moved = s->state == STRPATH_REBUILDING;
    if (structure_unpair(s, con, now)) return;
    lost |= s->was_lost || s->drained_not;
    s->quiescing = s->populating = s->was_lost = s->drained_not = false;
    s->set[0] = is_set(s, con) ? con : NULL;
    s->set[1] = NULL;
    s->known = false;
    if (lost) peers_away(s, now);
    /* A rebuild that was stopped before all was quiet: what is under way comes to its end, and a read has taken what it was to bring. */
    if (s->con != con) duplex_off(&s->dx, now);
    s->con = con;
    s->lost_at = s->retry_at = 0;
    s->state = STRPATH_CONNECTING;
    s->g->look = true;
    arrived_elsewhere(s, lost, moved);
    s->by_operator = s->by_percent = false;
    structure_rest(s, now);
}

static void on_unusable(void *ctx, u64 now) {
    struct structure *s = ctx;
    if (s->con && s->state != STRPATH_AWAY) s->g->counters.losses++;
    s->was_lost |= s->con != NULL;
    if (s->con) s->lost_at = now;
    s->g->look = true;
    s->quiescing = s->populating = s->known = false;
    s->set[0] = s->set[1] = s->con = NULL;
    s->state = STRPATH_AWAY;
    duplex_off(&s->dx, now);
    peers_away(s, now);
}

static void on_connections(void *ctx, const u8 *rsp, u32 len, u64 now) {
    struct structure *s = ctx;
    if (s->state != STRPATH_READY) return;
    bool first = !s->known;
    peers_listed(s, rsp, len, now);
    if (first && s->state == STRPATH_READY && !xcf_stopped(s->g->x)) read_start(s);
}

/* A smaller one, where there is no room for what was asked. */
static bool on_refused(void *ctx, u32 rc, u8 *connect) {
    u32 kb = be32_get(connect + 64) / 2;
    ((struct structure *)ctx)->g->look = true; /* the rebuild has another deadline now */
    if (rc != CF_RC_SPACE || kb < STRPATH_LEAST_KB) return false;
    be32_put(connect + 64, kb);
    return true;
}

/* The policy's order; without one every other name begins with the second facility, so that not all are in one. */
static struct xes *on_prefer(void *ctx, u32 i) {
    const struct structure *s = ctx;
    const struct cfrm *c = s->g->cfrm;
    u32 n = 0;
    if (cfrm_policy_row(c, s->name)) return cfrm_prefer(c, s->name, i);
    while (cfrm_prefer(c, s->name, n)) n++;
    return i < n ? cfrm_prefer(c, s->name, (i + (u8)s->name[strlen(s->name) - 1] + 1u) % n) : NULL;
}

const struct rebuild_ops structure_rebuild_ops = {.quiesce = on_quiesce,
                                                  .joined = on_joined,
                                                  .populate = on_populate,
                                                  .use = on_use,
                                                  .unusable = on_unusable,
                                                  .prefer = on_prefer,
                                                  .connections = on_connections,
                                                  .refused = on_refused,
                                                  .pair = structure_pair,
                                                  .hold = structure_hold,
                                                  .vector = on_vector};
