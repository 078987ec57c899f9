/* strpath_duplex.c - a signalling structure that is in two facilities. Commands for the pair: xcf/duplex.h; its life: xcf/rebuild.h.
 *
 * A pair begins when all have quiesced and read their lists to the end, so both structures are empty but for the lists of those who come
 * meanwhile: these empty their own in both, as the first thing that they do in the pair.
 */
#include "xcf/strpath_impl.h"

static bool is_set(const struct structure *s, const struct xes_connection *con) { return s->set[0] == con || s->set[1] == con; }

/* ---- what xcf/duplex.h says ---- */

static void on_quiet(void *ctx, u64 now) {
    struct structure *s = ctx;
    rebuild_quiesced(s->r, now);
}

static void on_broken(void *ctx, bool keep_first, u64 now) {
    struct structure *s = ctx;
    s->why_simplex = "CONNECTOR SPECIFIC REASON";
    s->g->look = true;
    rebuild_simplex(s->r, !keep_first, now);
}
static void on_later(void *ctx) { ((struct structure *)ctx)->g->look = true; }
static const struct duplex_ops DUPLEX_OPS = {.quiet = on_quiet, .broken = on_broken, .later = on_later};

bool structure_duplex_create(struct structure *s) {
    duplex_init(&s->dx, &DUPLEX_OPS, s);
    s->read.large = arena_take(s->g->arena, CF_MESSAGE_MAX, 16);
    return s->read.large != NULL;
}

/* ---- what xcf/rebuild.h says ---- */

void structure_pair(void *ctx, struct xes_connection *first, struct xes_connection *second, u32 epoch, u64 now) {
    struct structure *s = ctx;
    /* Its list was read to the end in the first, and made ready in both. */
    bool empty = s->con == first && is_set(s, first) && is_set(s, second) && !s->drained_not;
    duplex_off(&s->dx, now);
    duplex_pair(&s->dx, first, second, epoch);
    s->set[0] = empty ? first : NULL;
    s->set[1] = NULL;
    s->quiescing = s->populating = s->was_lost = s->drained_not = s->known = s->by_operator = s->by_percent = false;
    s->why_simplex = NULL;
    s->con = first;
    s->lost_at = s->retry_at = s->duplex_at = 0;
    s->state = STRPATH_CONNECTING;
    s->g->look = true;
    str_copy(s->facility, sizeof s->facility, xes_facility_name(first->x));
    structure_tell(s, "IXC578I SYSTEM-MANAGED DUPLEXING REBUILD SUCCESSFULLY ESTABLISHED FOR STRUCTURE %s IN %s AND %s", s->facility,
                   xes_facility_name(second->x));
    structure_rest(s, now);
}

void structure_hold(void *ctx, u64 now) {
    struct structure *s = ctx;
    s->g->look = true;
    if (s->by_operator) s->why_simplex = "REQUEST FROM AN OPERATOR";
    else if (!s->dx.first->connected) s->why_simplex = "LOSS OF CONNECTIVITY TO THE OLD STRUCTURE";
    else if (!s->dx.second->connected) s->why_simplex = "LOSS OF CONNECTIVITY TO THE NEW STRUCTURE";
    else if (!s->why_simplex) s->why_simplex = "REQUEST FROM ANOTHER SYSTEM";
    duplex_hold(&s->dx, now);
}

/* Partners, paths and what is under way stay as they are: identifiers and lists are the same in both. */
bool structure_unpair(struct structure *s, struct xes_connection *con, u64 now) {
    if (s->dx.mode != DUPLEX_HELD) return false;
    bool fall_back = con == s->con;
    if (s->set[0] == s->con) s->set[0] = con;
    if (s->setting == s->con) s->setting = con;
    s->con = con;
    s->by_operator = false;
    s->g->look = true;
    s->g->counters.simplexes++;
    str_copy(s->facility, sizeof s->facility, xes_facility_name(con->x));
    /* Of two lines, because it is longer than one. */
    structure_tell(s, "IXC522I SYSTEM-MANAGED DUPLEXING REBUILD FOR STRUCTURE %s IS BEING STOPPED %s DUE TO%s",
                   fall_back ? "TO FALL BACK TO THE OLD STRUCTURE" : "TO SWITCH TO THE NEW STRUCTURE", "");
    structure_tell(s, "        %s: %s%s", s->why_simplex ? s->why_simplex : "REQUEST FROM ANOTHER SYSTEM", "");
    s->why_simplex = NULL;
    duplex_single(&s->dx, con, now);
    structure_read(s); /* what the other one's vector said was not listened to */
    structure_rest(s, now);
    return true;
}

/* ---- time ---- */

/* The policy wants a pair, there is none, and it could be; or there is one, and the policy does not allow it any more: one system asks for it.
 * Not all need know the policy that an operator has just started: of those who do, the one of the lowest identifier comes first, and the others see
 * it begin. */
static u64 policy_poll(struct structure *s, u64 now) {
    const struct cfrm_row *row = cfrm_policy_row(s->g->cfrm, s->name);
    enum rebuild_state state = rebuild_state(s->r);
    bool could = row && s->state == STRPATH_READY && s->known;
    bool wanted = could && row->duplex == CFRM_DUPLEX_ENABLED && state == REBUILD_IN_USE && cfrm_prefer(s->g->cfrm, s->name, 1);
    bool unwanted = could && row->duplex == CFRM_DUPLEX_DISABLED && state == REBUILD_DUPLEX;
    if (!wanted && !unwanted) {
        s->duplex_at = 0;
        return state == REBUILD_DUPLEX ? now + STRPATH_RETRY_US : TIME_NEVER; /* a policy is started without a word to this file */
    }
    if (!s->duplex_at) s->duplex_at = now + (wanted ? STRPATH_DUPLEX_US : 0) + (s->con->id - 1u) * STRPATH_RETRY_US / 2;
    if (now < s->duplex_at) return s->duplex_at;
    s->duplex_at = 0;
    if (unwanted) {
        s->why_simplex = "CHANGE OF THE CFRM POLICY";
        rebuild_simplex(s->r, false, now);
    } else {
        rebuild_duplex(s->r, now);
    }
    return now + STRPATH_RETRY_US;
}

u64 structure_duplex_poll(struct structure *s, u64 now) {
    u64 next = duplex_poll(&s->dx, now);
    return u64_min(next, policy_poll(s, now));
}
