/* cds_isolate.c - isolation through the copies of the couple data, one after the other. See xcf/cds.h.
 *
 *   step of a copy   NONE      not usable when it was its turn, or COUPLExx names none
 *                    DUE       its turn comes when those before it are decided
 *                    LOOKING   it is asked who is connected now: the victim may have been IPLed since
 *                    ASKED     ISOLATE is outstanding
 *                    DONE      that incarnation is refused there
 *                    FAILED    the facility said no, or was lost
 * Decided when no copy is DUE, LOOKING or ASKED: true if one is DONE. A copy of which the victim's LPAR was never a user takes ISOLATE
 * all the same: what is not there is refused before it comes.
 */
#include "xcf/cds_impl.h"

static struct cds_isolation *isolation_of(struct cds *c, const char *name) {
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++)
        if (strcmp(c->isolation[i].victim.name, name) == 0) return &c->isolation[i];
    return NULL;
}

int cds_isolate(void *ctx, const struct xcf_sysid *victim) {
    struct cds *c = ctx;
    const struct cds_system *s = cds_system_find(c, victim->name);
    if (!s || !s->record.lpar_incarnation) return -ERR_NETDOWN; /* it never was in the couple data */
    if (!cds_usable(&c->copy[0]) && !cds_usable(&c->copy[1])) return -ERR_NETDOWN;
    struct cds_isolation *o = isolation_of(c, victim->name);
    if (o && o->victim.incarnation >= victim->incarnation) return 0; /* its answer is under way */
    if (!o) o = isolation_of(c, "");
    if (!o) return -ERR_NETDOWN;
    *o = (struct cds_isolation){.victim = *victim};
    c->isolating = true;
    for (u32 i = 0; i < CDS_COPIES; i++) o->step[i] = c->copy[i].facility[0] ? STEP_DUE : STEP_NONE;
    return 0;
}

static void isolate_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct cds_copy *k = ctx;
    struct cds_isolation *o = k->isolation;
    UNUSED(r);
    UNUSED(rsp);
    UNUSED(len);
    k->isolating = k->stuck = false;
    if (rc == CF_RC_ISOLATED) {
        cds_refused(k->c, now);
        return;
    }
    if (o && o->step[k->index] == STEP_ASKED) o->step[k->index] = rc == CF_OK ? STEP_DONE : STEP_FAILED;
    if (rc != XES_LOST) cds_isolations_run(k->c, now); /* else down() does it */
}

static void ask(struct cds_copy *k, struct cds_isolation *o, u64 now) {
    struct cds *c = k->c;
    const struct cds_system *s = cds_system_find(c, o->victim.name);
    if (k->isolating) return; /* about another one: this is called again when that is over */
    if (!s || s->record.incarnation < o->victim.incarnation) { /* that life never came here: what is known is an earlier one's */
        o->step[k->index] = STEP_FAILED;
        return;
    }
    /* It has been IPLed since: that ended its former life in this LPAR, but not one of an emulator that stands still. */
    u64 incarnation = s->record.lpar_incarnation - (s->record.incarnation > o->victim.incarnation);
    memset(k->isolate_cmd, 0, sizeof k->isolate_cmd);
    cf_command_put(k->isolate_cmd, CF_ISOLATE, 0, sizeof k->isolate_cmd, 0, 0);
    xcfcds_name_put(k->isolate_cmd + 16, s->record.lpar, CF_NAME_BYTES);
    be64_put(k->isolate_cmd + 32, incarnation);
    k->isolate = (struct xes_request){.cmd = k->isolate_cmd, .len = sizeof k->isolate_cmd, .done = isolate_done, .ctx = k};
    k->isolation = o;
    k->isolating = xes_submit(k->x, &k->isolate) == 0;
    o->step[k->index] = k->isolating ? STEP_ASKED : STEP_FAILED;
    o->since = now;
    c->count.isolations += k->isolating;
}

static void look(struct cds_copy *k, struct cds_isolation *o, u64 now) {
    o->fresh[k->index] = k->queries + 1;
    o->step[k->index] = STEP_LOOKING;
    o->since = now;
    cds_query(k);
}

/* One copy's turn. true: it is over. */
static bool turn(struct cds_copy *k, struct cds_isolation *o, u64 now) {
    u8 *step = &o->step[k->index];
    bool waits = *step == STEP_LOOKING || *step == STEP_ASKED;
    if (waits && now - o->since >= CDS_TIMEOUT_US) k->stuck = true;
    if (waits && !cds_usable(k)) *step = STEP_FAILED;
    if (*step == STEP_DUE && !cds_usable(k)) *step = STEP_NONE;
    if (*step == STEP_DUE) {
        /* Alone at the alternate: whoever reaches the primary goes first. */
        bool behind = k->index != k->c->primary && o->step[k->c->primary] != STEP_DONE;
        if (!behind || now - o->since >= CDS_BEHIND_US) look(k, o, now);
    }
    if (*step == STEP_LOOKING && (i32)(k->queries_done - o->fresh[k->index]) >= 0) ask(k, o, now);
    return *step == STEP_NONE || *step == STEP_DONE || *step == STEP_FAILED;
}

/* true: decided. */
static bool advance(struct cds *c, struct cds_isolation *o, u64 now) {
    if (o->since == 0) o->since = now;
    for (u32 i = 0; i < CDS_COPIES; i++)
        if (!turn(&c->copy[i ^ c->primary], o, now)) return false;
    return true;
}

void cds_isolations_run(struct cds *c, u64 now) {
    bool left = false;
    if (!c->isolating) return;
    for (u32 i = 0; i < XCF_SYSTEMS_MAX && !xcf_stopped(c->x); i++) {
        struct cds_isolation *o = &c->isolation[i];
        if (!o->victim.name[0]) continue;
        left = true; /* until a whole round finds none: an answer may ask for the next one */
        if (!advance(c, o, now)) continue;
        struct xcf_sysid victim = o->victim;
        bool done = o->step[0] == STEP_DONE || o->step[1] == STEP_DONE;
        *o = (struct cds_isolation){.since = 0};
        xcf_arbiter_isolated(c->x, &victim, done, now);
    }
    c->isolating = left;
}

u64 cds_isolations_due(const struct cds *c) {
    u64 due = TIME_NEVER;
    for (u32 i = 0; c->isolating && i < XCF_SYSTEMS_MAX; i++) {
        const struct cds_isolation *o = &c->isolation[i];
        if (!o->victim.name[0]) continue;
        if (o->since == 0) return 0; /* has not begun */
        bool asked = o->step[0] > STEP_DUE && o->step[0] < STEP_DONE;
        asked |= o->step[1] > STEP_DUE && o->step[1] < STEP_DONE;
        due = u64_min(due, o->since + (asked ? CDS_TIMEOUT_US : CDS_BEHIND_US));
    }
    return due;
}
