/* dxcf_path.c - displays of XCF: signalling paths (IXC355I, IXC356I) and transport classes (IXC343I, IXC344I). See dxcf.h.
 *
 * A path through a structure has the structure's name; one XCF path serves one partner, so a structure is listed once with each.
 */
#include "super/dxcf_impl.h"

#include "base/str.h"

#define UNKNOWN "????????" /* the system at the other end, before it has said so */

/* ---- D XCF,PI and PO: with whom, over what ---- */

/* Has a path before the i-th the same name and partner? Then it has been listed. */
static bool listed(const struct xcf *x, u32 i, const struct xcf_path_info *p) {
    struct xcf_path_info q;
    for (u32 k = 0; k < i && xcf_path(x, k, &q); k++)
        if (q.outbound == p->outbound && q.structure && strcmp(q.name, p->name) == 0 && strcmp(q.partner, p->partner) == 0)
            return true;
    return false;
}

static void summary_kind(struct command *c, bool outbound, bool structure, const char *partner) {
    const struct xcf *x = dxcf_xcf(c);
    struct xcf_path_info p;
    char text[24];
    struct dxcf_list l = {.c = c, .title = structure ? "STRNAME: " : "DEVICE (LOCAL/REMOTE): ", .width = structure ? 18 : 10,
                          .per_line = structure ? 3 : 4};
    for (u32 i = 0; xcf_path(x, i, &p); i++) {
        if (p.outbound != outbound || p.structure != structure || strcmp(p.partner, partner) != 0) continue;
        if (structure && listed(x, i, &p)) continue;
        if (structure)
            str_copy(text, sizeof text, p.name);
        else
            str_fmt(text, sizeof text, "%s/%s", p.name, p.partner[0] && p.partner_path[0] ? p.partner_path : "????");
        dxcf_list_add(&l, text);
    }
    if (l.n) dxcf_list_end(&l);
}

/* The partner whose name follows `after`; "" (no partner) comes last and is not a partner. */
static bool partner_after(const struct xcf *x, bool outbound, const char *after, char out[9]) {
    struct xcf_path_info p;
    bool found = false;
    for (u32 i = 0; xcf_path(x, i, &p); i++) {
        if (p.outbound != outbound || strcmp(p.partner, after) <= 0) continue;
        if (found && strcmp(p.partner, out) > 0) continue;
        memcpy(out, p.partner, 9);
        found = true;
    }
    return found;
}

static bool has_path(const struct xcf *x, bool outbound, const char *partner) {
    struct xcf_path_info p;
    for (u32 i = 0; xcf_path(x, i, &p); i++)
        if (p.outbound == outbound && (!partner || strcmp(p.partner, partner) == 0)) return true;
    return false;
}

static bool summary(struct command *c, bool outbound) {
    const struct xcf *x = dxcf_xcf(c);
    const char *title = outbound ? "PATHOUT TO SYSNAME:" : "PATHIN FROM SYSNAME:";
    char t[9], partner[9] = "";
    reply_line(c->r, IXC355I, display_clock(c->sys, t), display_number(c->sys));
    if (!has_path(x, outbound, NULL)) {
        reply_line(c->r, "THERE ARE NO %s PATHS DEFINED TO THIS SYSTEM", outbound ? "OUTBOUND" : "INBOUND");
        return true;
    }
    while (partner_after(x, outbound, partner, partner)) {
        reply_line(c->r, "%s %s", title, partner);
        summary_kind(c, outbound, false, partner);
        summary_kind(c, outbound, true, partner);
    }
    if (!has_path(x, outbound, "")) return true;
    reply_line(c->r, "%s %s - PATHS NOT CONNECTED TO OTHER SYSTEMS", title, UNKNOWN);
    summary_kind(c, outbound, false, "");
    summary_kind(c, outbound, true, "");
    return true;
}

/* ---- D XCF,PI,DEVICE= and STRNAME=: each path ---- */

static void detail_head(struct command *c, bool outbound, bool structure) {
    reply_line(c->r, "%-16s REMOTE   %-12s REMOTE           %s  BUFFER    SIGNL    %s", structure ? "STRNAME" : "LOCAL DEVICE",
               outbound ? "PATHOUT" : "PATHIN", "            ", outbound ? "TRANSPORT" : "");
    reply_line(c->r, "%-16s SYSTEM   %-12s %-16s RETRY MAXMSG  LENGTH    NUMBR    %s", outbound ? "PATHOUT" : "PATHIN",
               "STATUS", outbound ? "PATHIN" : "PATHOUT", outbound ? "CLASS" : "");
}

static void detail_row(struct command *c, const struct xcf_path_info *p) {
    char retry[12];
    str_fmt(retry, sizeof retry, "%u/%u", p->retries, p->retry_limit);
    /* A counter of signals goes round long after anybody has stopped reading it. */
    reply_line(c->r, "%-16s %-8s %-12s %-16s %5s %6u %7u %8u    %s", p->name, p->partner[0] ? p->partner : UNKNOWN,
               xcf_path_state_name(p->state), p->partner[0] ? p->partner_path : "", retry, p->maxmsg_kb, p->class_length,
               (u32)p->blocks, p->outbound ? p->class_name : "");
}

static bool detail(struct command *c, bool outbound, bool structure, const char *names) {
    const struct xcf *x = dxcf_xcf(c);
    struct xcf_path_info p;
    char t[9];
    u32 n = 0;
    reply_line(c->r, IXC356I, display_clock(c->sys, t), display_number(c->sys));
    for (u32 i = 0; xcf_path(x, i, &p); i++) {
        if (p.outbound != outbound || p.structure != structure || !dxcf_names(names, p.name)) continue;
        if (n++ == 0) detail_head(c, outbound, structure);
        detail_row(c, &p);
    }
    if (n == 0) reply_line(c->r, "NO SIGNALLING PATHS MATCH THE SPECIFIED CRITERIA");
    return n != 0;
}

bool dxcf_paths(struct command *c, bool outbound) {
    const char *what = command_op(c, 2), *names;
    if (!what[0]) return summary(c, outbound);
    if ((names = command_value(what, "DEVice")) != NULL) return detail(c, outbound, false, names);
    if ((names = command_value(what, "STRName")) != NULL || (names = command_value(what, "STRNM")) != NULL)
        return detail(c, outbound, true, names);
    return command_expected(c, what, "DEVICE= OR STRNAME=");
}

/* ---- D XCF,CD: transport classes ---- */

static void class_groups(struct command *c, const struct couple_class *k) {
    bool any = false;
    char line[48];
    str_fmt(line, sizeof line, "  %-9s  %6u  %7u", k->name, k->classlen_bytes, k->maxmsg_kb);
    for (u32 i = 0; i < k->groups; i++) {
        reply_line(c->r, "%-27s  %s", any ? "" : line, k->group[i]);
        any = true;
    }
    if (!any) reply_line(c->r, "%-27s  UNDESIG", line);
}

static void class_use(struct command *c, const struct couple_class *k, u32 index) {
    const struct xcf *x = dxcf_xcf(c);
    struct xcf_system_info s;
    u32 bytes, refused;
    for (u32 i = 0; xcf_class_use(x, i, index, &bytes, &refused) && xcf_system(x, i, &s); i++) {
        if (s.state < XCF_SYS_ACTIVE || s.state > XCF_SYS_PROMPT) continue;
        u32 kb = i == 0 ? xcf_couple(x)->localmsg_kb : k->maxmsg_kb;
        reply_line(c->r, "  %s TRANSPORT CLASS USAGE FOR SYSTEM %s", k->name, s.id.name);
        reply_line(c->r, "    SUM: MAXMSG: %8u IN USE: %8u NOBUFF: %8u", kb, (bytes + 1023) / 1024, refused);
    }
}

bool dxcf_classes(struct command *c) {
    const struct couple *k = xcf_couple(dxcf_xcf(c));
    const char *what = command_op(c, 2), *names = command_value(what, "CLASS");
    char t[9];
    u32 n = 0;
    if (what[0] && !names) return command_expected(c, what, "CLASS=");
    if (!names) {
        reply_line(c->r, IXC343I, display_clock(c->sys, t), display_number(c->sys));
        struct dxcf_list l = {.c = c, .title = "  TRANSPORT CLASSES: ", .width = 10, .per_line = 5};
        for (u32 i = 0; i < k->classes; i++) dxcf_list_add(&l, k->class_def[i].name);
        dxcf_list_end(&l);
        return true;
    }
    reply_line(c->r, IXC344I, display_clock(c->sys, t), display_number(c->sys));
    for (u32 i = 0; i < k->classes; i++) {
        if (!dxcf_names(names, k->class_def[i].name)) continue;
        if (n++ == 0) {
            reply_line(c->r, "  TRANSPORT   CLASS  DEFAULT  ASSIGNED");
            reply_line(c->r, "  CLASS      LENGTH   MAXMSG  GROUPS");
        }
        class_groups(c, &k->class_def[i]);
        class_use(c, &k->class_def[i], i);
    }
    if (n == 0) reply_line(c->r, "  TRANSPORT CLASSES REQUESTED ARE NOT DEFINED");
    return n != 0;
}
