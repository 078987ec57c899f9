/* cds_isolate.c - isolation through the copies of the couple data, one after the other. See xcf/cds.h.
 *
 *   step of a copy   NONE      not usable when it was its turn, or COUPLExx names none
 *                    DUE       its turn comes when those before it are decided
 *                    ASKED     ISOLATE is outstanding
 *                    DONE      that incarnation is refused there
 *                    FAILED    the facility said no, or was lost
 * Decided when no copy is DUE or ASKED: true if one is DONE. A copy of which the victim's LPAR was never a user takes ISOLATE
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
    if (!s || !s->record.lpar_incarnation || s->record.incarnation < victim->incarnation) return -ERR_NETDOWN;
    if (!cds_usable(&c->copy[0]) && !cds_usable(&c->copy[1])) return -ERR_NETDOWN;
    struct cds_isolation *o = isolation_of(c, victim->name);
    if (o && o->victim.incarnation >= victim->incarnation) return 0; /* its answer is under way */
    if (!o) o = isolation_of(c, "");
    if (!o) return -ERR_NETDOWN;
    *o = (struct cds_isolation){.victim = *victim, .lpar_incarnation = s->record.lpar_incarnation};
    /* It has been IPLed since: that ended its former life in this LPAR, but not one of an emulator that stands still. */
    if (s->record.incarnation > victim->incarnation) o->lpar_incarnation--;
    str_copy(o->lpar, sizeof o->lpar, s->record.lpar);
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

static bool ask(struct cds_copy *k, struct cds_isolation *o, u64 now) {
    if (k->isolating) return false;
    memset(k->isolate_cmd, 0, sizeof k->isolate_cmd);
    cf_command_put(k->isolate_cmd, CF_ISOLATE, 0, sizeof k->isolate_cmd, 0, 0);
    xcfcds_name_put(k->isolate_cmd + 16, o->lpar, CF_NAME_BYTES);
    be64_put(k->isolate_cmd + 32, o->lpar_incarnation);
    k->isolate = (struct xes_request){.cmd = k->isolate_cmd, .len = sizeof k->isolate_cmd, .done = isolate_done, .ctx = k};
    k->isolation = o;
    k->isolating = xes_submit(k->x, &k->isolate) == 0;
    o->since = now;
    k->c->count.isolations += k->isolating;
    return k->isolating;
}

/* Steps that can go on do. true: decided. */
static bool advance(struct cds *c, struct cds_isolation *o, u64 now) {
    if (o->since == 0) o->since = now;
    for (u32 i = 0; i < CDS_COPIES; i++) {
        struct cds_copy *k = &c->copy[i];
        if (o->step[i] == STEP_ASKED && k->state != CDS_READY) o->step[i] = STEP_FAILED;
        if (o->step[i] == STEP_ASKED && now - o->since >= CDS_TIMEOUT_US) {
            o->step[i] = STEP_FAILED;
            k->stuck = true;
        }
        if (o->step[i] == STEP_ASKED) return false;
        if (o->step[i] == STEP_DUE) {
            if (!cds_usable(k)) {
                o->step[i] = STEP_NONE;
                continue;
            }
            /* Alone at the alternate: whoever reaches the primary goes first. */
            bool behind = i > 0 && o->step[0] != STEP_DONE;
            if (behind && now - o->since < CDS_BEHIND_US) return false;
            if (ask(k, o, now)) o->step[i] = STEP_ASKED;
            return false;
        }
    }
    return true;
}

void cds_isolations_run(struct cds *c, u64 now) {
    for (u32 i = 0; i < XCF_SYSTEMS_MAX && !xcf_stopped(c->x); i++) {
        struct cds_isolation *o = &c->isolation[i];
        if (!o->victim.name[0] || !advance(c, o, now)) continue;
        struct xcf_sysid victim = o->victim;
        bool done = o->step[0] == STEP_DONE || o->step[1] == STEP_DONE;
        *o = (struct cds_isolation){.since = 0};
        xcf_arbiter_isolated(c->x, &victim, done, now);
    }
}

u64 cds_isolations_due(const struct cds *c) {
    u64 due = TIME_NEVER;
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++) {
        const struct cds_isolation *o = &c->isolation[i];
        if (!o->victim.name[0]) continue;
        if (o->since == 0) return 0; /* has not begun */
        bool asked = o->step[0] == STEP_ASKED || o->step[1] == STEP_ASKED;
        due = u64_min(due, o->since + (asked ? CDS_TIMEOUT_US : CDS_BEHIND_US));
    }
    return due;
}
