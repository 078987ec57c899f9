/* cds_switch.c - which facilities have the couple data, and which of them is the primary: the operator changes it for the sysplex.
 *
 * Each record carries what its writer uses: a generation, the primary, the alternate. Whoever reads a higher generation uses that from
 * then on, and writes it into its own record a second later at the latest; of two that were made at the same moment the greater names
 * win. A system that is loaded with the former names in its COUPLExx finds the present ones in the first records that it reads, or in the
 * note that was left in a facility that is not in use any more (cds_former.c).
 *
 *   command          from (P, A)   to       needs
 *   PSWITCH          P, A          A, -     A that can be used
 *   ACOUPLE=name     P, A or -     P, name  a link to that facility; A, if there is one, is given up
 *
 * Isolation goes on with the copies in their new order. While some systems have switched and others have not, two that accuse each other
 * may both be isolated: there is never more than one owner, which is what isolation is for.
 */
#include "xcf/cds_impl.h"

static struct cds_copy *copy_of(struct cds *c, const char *facility) {
    for (u32 i = 0; i < CDS_COPIES; i++)
        if (facility[0] && strcmp(c->copy[i].facility, facility) == 0) return &c->copy[i];
    return NULL;
}

static void note_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct cds_copy *k = ctx;
    UNUSED(r);
    UNUSED(rc); /* it is written again by cds_former.c */
    UNUSED(rsp);
    UNUSED(len);
    UNUSED(now);
    k->noting = false;
}

/* Why we go, before we go: somebody who reaches no other copy would take us for dead. */
static void note_leave(struct cds_copy *k) {
    if (k->noting) return;
    cds_note_command(k->c, k->note_cmd, cds_con(k));
    k->note = (struct xes_request){.cmd = k->note_cmd, .len = sizeof k->note_cmd, .done = note_done, .ctx = k};
    k->noting = xes_submit(k->x, &k->note) == 0;
}

/* Not used any more. What is on its way there is answered, and means nothing. */
static void retire(struct cds_copy *k) {
    struct cds *c = k->c;
    if (cds_con(k)->connected && c->mine.generation) note_leave(k);
    if (cds_con(k)->connected) xes_disconnect(cds_con(k), false);
    k->state = CDS_AWAY;
    k->known = k->stuck = k->query_due = k->drops_due = false;
    cds_former_add(c, k->facility);
    k->facility[0] = '\0';
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++) c->system[i].active[k->index] = false;
}

/* The copy in this facility, made if there is none. NULL: both copies are others, which cds_roles_set() rules out. */
static struct cds_copy *copy_make(struct cds *c, const char *facility, u64 now) {
    struct cds_copy *k = copy_of(c, facility);
    for (u32 i = 0; i < CDS_COPIES && !k; i++) {
        if (c->copy[i].facility[0]) continue;
        k = &c->copy[i];
        cds_former_drop(c, facility);
        str_copy(k->facility, sizeof k->facility, facility);
        struct xes *x = cflinks_find(c->links, facility);
        if (x) cds_copy_up(k, x, now);
    }
    return k;
}

void cds_roles_set(struct cds *c, u32 generation, const char *primary, const char *alternate, u64 now) {
    c->mine.generation = generation;
    str_copy(c->mine.primary, sizeof c->mine.primary, primary);
    str_copy(c->mine.alternate, sizeof c->mine.alternate, alternate);
    for (u32 i = 0; i < CDS_COPIES; i++) {
        struct cds_copy *k = &c->copy[i];
        if (k->facility[0] && strcmp(k->facility, c->mine.primary) != 0 && strcmp(k->facility, c->mine.alternate) != 0) retire(k);
    }
    c->primary = (u8)copy_make(c, c->mine.primary, now)->index;
    if (c->mine.alternate[0]) copy_make(c, c->mine.alternate, now);
    cds_judge(c, now);
    cds_isolations_run(c, now);
}

static void say(const struct cds *c, const char *fmt, const char *what, const char *name) {
    char line[120];
    str_fmt(line, sizeof line, fmt, what, name);
    if (c->say) c->say(c->ctx, line);
}

static void change(struct cds *c, u32 generation, const char *primary, const char *alternate, u64 now) {
    char was[2][9];
    str_copy(was[0], sizeof was[0], c->mine.primary);
    str_copy(was[1], sizeof was[1], c->mine.alternate);
    cds_roles_set(c, generation, primary, alternate, now);
    if (strcmp(was[0], c->mine.primary) != 0) {
        say(c, "IXC257I PRIMARY COUPLE DATA SET %s FOR SYSPLEX HAS BEEN REPLACED BY THE ALTERNATE%s", was[0], "");
        say(c, "IXC263I REMOVAL OF THE %s COUPLE DATA SET %s FOR SYSPLEX IS COMPLETE", "PRIMARY", was[0]);
    } else if (was[1][0] && strcmp(was[1], c->mine.alternate) != 0) {
        say(c, "IXC263I REMOVAL OF THE %s COUPLE DATA SET %s FOR SYSPLEX IS COMPLETE", "ALTERNATE", was[1]);
    }
    if (c->mine.alternate[0] && strcmp(was[1], c->mine.alternate) != 0)
        say(c, "IXC251I NEW ALTERNATE DATA SET %s FOR SYSPLEX HAS BEEN MADE AVAILABLE%s", c->mine.alternate, "");
    if (c->changed) c->changed(c->ctx, c->mine.primary, c->mine.alternate);
}

void cds_roles_read(struct cds *c, const struct xcfcds *r, u64 now) {
    i32 d = (i32)(r->generation - c->mine.generation);
    if (d == 0) d = strcmp(r->primary, c->mine.primary);
    if (d == 0) d = strcmp(r->alternate, c->mine.alternate);
    if (d <= 0 || !r->generation || !r->primary[0] || strcmp(r->primary, r->alternate) == 0) return;
    change(c, r->generation, r->primary, r->alternate, now);
}

int cds_pswitch(struct cds *c, u64 now) {
    const struct cds_copy *alternate = &c->copy[!c->primary];
    if (!alternate->facility[0]) return -ERR_NOENT;
    if (!cds_usable(alternate)) return -ERR_NETDOWN;
    char name[9];
    str_copy(name, sizeof name, alternate->facility);
    change(c, c->mine.generation + 1, name, "", now);
    return 0;
}

int cds_acouple(struct cds *c, const char *facility, u64 now) {
    if (!cflinks_find(c->links, facility)) return -ERR_NOENT;
    if (copy_of(c, facility)) return -ERR_ALREADY;
    char primary[9];
    str_copy(primary, sizeof primary, c->mine.primary);
    change(c, c->mine.generation + 1, primary, facility, now);
    return 0;
}
