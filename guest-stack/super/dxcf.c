/* dxcf.c - displays of XCF: systems, groups and members, couple data, policies. See dxcf.h. */
#include "super/dxcf_impl.h"

#include "base/str.h"
#include "super/armas.h"

/* ---- lines of columns ---- */

void dxcf_list_end(struct dxcf_list *l) {
    if (l->n == 0 && l->at == 0) l->at = str_fmt(l->line, sizeof l->line, "%s", l->title);
    while (l->at && l->line[l->at - 1] == ' ') l->line[--l->at] = '\0';
    if (l->at) reply_line(l->c->r, "%s", l->line);
    l->at = 0;
}

void dxcf_list_add(struct dxcf_list *l, const char *text) {
    if (l->n && l->n % l->per_line == 0) dxcf_list_end(l);
    if (l->at == 0) {
        u32 indent = (u32)strlen(l->title);
        l->at = l->n ? str_fmt(l->line, sizeof l->line, "%-*s", (int)indent, "")
                     : str_fmt(l->line, sizeof l->line, "%s", l->title);
    }
    l->at += str_fmt(l->line + l->at, sizeof l->line - l->at, "%-*s", (int)l->width, text);
    l->n++;
}

bool dxcf_names(const char *list, const char *name) {
    u32 n = (u32)strlen(name);
    if (strcmp(list, "ALL") == 0 || strcmp(list, "*") == 0) return true;
    while (*list) {
        u32 len = 0;
        while (*list == '(' || *list == ',' || *list == ')' || *list == ' ') list++;
        while (list[len] && list[len] != ',' && list[len] != ')' && list[len] != ' ') len++;
        if (len == n && n && memcmp(list, name, n) == 0) return true;
        list += len;
    }
    return false;
}

/* ---- systems ---- */

/* What the operator reads about a state; NULL: it is not in the sysplex. */
static const char *status_of(enum xcf_system_state state) {
    switch (state) {
    case XCF_SYS_ACTIVE: return "ACTIVE";
    case XCF_SYS_STOPPED: return "MONITOR-DETECTED STOP";
    case XCF_SYS_NOSIGNAL: return "SIGNAL CONNECTIVITY LOST";
    case XCF_SYS_ISOLATING: return "BEING REMOVED - ISOLATION IN PROGRESS";
    case XCF_SYS_PROMPT: return "BEING REMOVED - WAITING FOR A REPLY";
    case XCF_SYS_CLEANUP: return "BEING REMOVED - CLEANUP IN PROGRESS";
    default: return NULL;
    }
}

/* The system whose name follows `after`: members show the same order, whatever order they met in. */
static bool system_after(const struct xcf *x, const char *after, struct xcf_system_info *out) {
    struct xcf_system_info s;
    bool found = false;
    for (u32 i = 0; xcf_system(x, i, &s); i++) {
        if (!status_of(s.state) || strcmp(s.id.name, after) <= 0) continue;
        if (found && strcmp(s.id.name, out->id.name) > 0) continue;
        *out = s;
        found = true;
    }
    return found;
}

static void systems_summary(struct command *c) {
    const struct xcf *x = dxcf_xcf(c);
    struct xcf_system_info s;
    char t[9], title[32], after[9] = "";
    reply_line(c->r, IXC334I, display_clock(c->sys, t), display_number(c->sys));
    str_fmt(title, sizeof title, "  SYSPLEX %s:   ", xcf_couple(x)->sysplex);
    struct dxcf_list l = {.c = c, .title = title, .width = 18, .per_line = 3};
    while (system_after(x, after, &s)) {
        memcpy(after, s.id.name, sizeof after);
        if (s.state != XCF_SYS_CLEANUP) dxcf_list_add(&l, s.id.name);
    }
    dxcf_list_end(&l);
}

/* TYPE, SERIAL and LPAR are those of this machine; XCF does not carry the others'. */
static void system_row(struct command *c, const struct xcf_system_info *s) {
    char when[20];
    u64 seen = s->local ? c->now : u64_max(s->last_signal, s->last_status);
    reply_line(c->r, "  %-8s  %-4s %-6s %-8s  %-19s  %s", s->id.name, s->local ? "9672" : "----",
               s->local ? c->sys->ipl.hwname : "----", s->local ? c->sys->ipl.lparname : "----",
               display_moment(c->sys, seen, c->now, when), status_of(s->state));
}

static bool systems_detail(struct command *c, const char *which) {
    const struct xcf *x = dxcf_xcf(c);
    struct xcf_system_info s;
    char t[9], after[9] = "";
    bool any = false;
    reply_line(c->r, IXC335I, display_clock(c->sys, t), display_number(c->sys));
    reply_line(c->r, "  SYSTEM    TYPE SERIAL LPAR      STATUS TIME          SYSTEM STATUS");
    while (system_after(x, after, &s)) {
        memcpy(after, s.id.name, sizeof after);
        if (!dxcf_names(which, s.id.name)) continue;
        system_row(c, &s);
        any = true;
    }
    if (!any) reply_line(c->r, "  SYSTEM %s IS NOT ACTIVE IN SYSPLEX %s", which, xcf_couple(x)->sysplex);
    return any;
}

static bool display_systems(struct command *c) {
    if (c->ops >= 3) return systems_detail(c, command_op(c, 2));
    systems_summary(c);
    return true;
}

/* ---- groups ---- */

static void groups_summary(struct command *c) {
    const struct xcf *x = dxcf_xcf(c);
    char t[9], name[9], text[24];
    u32 size;
    reply_line(c->r, IXC331I, display_clock(c->sys, t), display_number(c->sys));
    struct dxcf_list l = {.c = c, .title = "  GROUPS(SIZE):  ", .width = 17, .per_line = 3};
    for (u32 i = 0; xcf_group_nth(x, i, name, &size); i++) {
        str_fmt(text, sizeof text, "%s(%u)", name, size);
        dxcf_list_add(&l, text);
    }
    if (l.n == 0) dxcf_list_add(&l, "NONE");
    dxcf_list_end(&l);
}

static const char *member_status(const struct xcf_member_info *m) {
    if (m->state == XCF_MEMBER_QUIESCED) return "QUIESCED";
    if (m->state == XCF_MEMBER_FAILED) return "FAILED";
    return m->status_missing ? "STATUS UPDATE MISSING" : "ACTIVE";
}

static void user_state(struct command *c, const struct xcf_member_info *m) {
    char hex[XCF_USTATE_BYTES * 2 + XCF_USTATE_BYTES / 4 + 1];
    u32 at = 0;
    for (u32 i = 0; i < XCF_USTATE_BYTES; i++)
        at += str_fmt(hex + at, sizeof hex - at, "%s%02X", i && i % 4 == 0 ? " " : "", (u32)m->ustate[i]);
    reply_line(c->r, "    TOKEN: %08X  USER STATE: %s", m->token, hex);
}

static bool group_members(struct command *c, const char *group) {
    const struct xcf *x = dxcf_xcf(c);
    struct xcf_member_info m;
    char t[9], title[24];
    if (!xcf_query_nth(x, group, 0, &m)) return command_expected(c, group, "A GROUP OF THIS SYSPLEX");
    reply_line(c->r, IXC332I, display_clock(c->sys, t), display_number(c->sys));
    str_fmt(title, sizeof title, "  GROUP %s:  ", group);
    struct dxcf_list l = {.c = c, .title = title, .width = 18, .per_line = 3};
    for (u32 i = 0; xcf_query_nth(x, group, i, &m); i++) dxcf_list_add(&l, m.name);
    dxcf_list_end(&l);
    return true;
}

static bool member_detail(struct command *c, const char *group, const char *member) {
    const struct xcf *x = dxcf_xcf(c);
    struct xcf_member_info m;
    char t[9];
    u32 n = 0;
    bool one = strcmp(member, "ALL") != 0;
    for (u32 i = 0; xcf_query_nth(x, group, i, &m); i++) {
        if (!dxcf_names(member, m.name)) continue;
        if (n++ == 0) {
            reply_line(c->r, IXC333I, display_clock(c->sys, t), display_number(c->sys));
            reply_line(c->r, "  INFORMATION FOR GROUP %s", group);
            reply_line(c->r, "  MEMBER NAME:      SYSTEM:   STATUS:");
        }
        reply_line(c->r, "  %-16s  %-8s  %s", m.name, m.system, member_status(&m));
        if (one) user_state(c, &m);
    }
    return n || command_expected(c, one ? member : group, one ? "A MEMBER OF THE GROUP" : "A GROUP OF THIS SYSPLEX");
}

static bool display_groups(struct command *c) {
    const char *group = command_op(c, 2), *member = command_op(c, 3);
    if (member[0]) return member_detail(c, group, member);
    if (group[0]) return group_members(c, group);
    groups_summary(c);
    return true;
}

/* ---- couple data ---- */

static void couple_system(struct command *c, const struct couple *k) {
    const struct couple_sfm_system *sfm = couple_sfm_for(k, xcf_self(dxcf_xcf(c))->name);
    reply_line(c->r, "SYSTEM %s DATA", xcf_self(dxcf_xcf(c))->name);
    reply_line(c->r, "  INTERVAL   OPNOTIFY     MAXMSG    CLEANUP      RETRY   CLASSLEN");
    reply_line(c->r, "  %8u   %8u   %8u   %8u   %8u   %8u", k->interval_s, couple_opnotify_s(k), k->maxmsg_kb, k->cleanup_s,
               k->retry, k->classlen_bytes);
    reply_line(c->r, " ");
    reply_line(c->r, "  SSUM ACTION   SSUM INTERVAL   WEIGHT   CONNFAIL");
    if (sfm->prompt)
        reply_line(c->r, "  %11s   %13s   %6u   %8s", "PROMPT", "N/A", sfm->weight, k->sfm.connfail ? "YES" : "NO");
    else
        reply_line(c->r, "  %11s   %13u   %6u   %8s", "ISOLATE", sfm->isolate_s, sfm->weight,
                   k->sfm.connfail ? "YES" : "NO");
}

/* The couple data are lists in coupling facilities: PCOUPLE and ACOUPLE name those. */
static void couple_data(struct command *c, const char *which, const char *name) {
    const struct xcf_operator *o = c->sys->xcf_operator;
    struct xcf_operator_cf cf;
    if (!name[0]) return;
    reply_line(c->r, "%-9s CFNAME: %s", which, name);
    for (u32 i = 0; o->ops && o->ops->facility && o->ops->facility(o->ctx, i, &cf); i++)
        if (strcmp(cf.name, name) == 0)
            reply_line(c->r, "          DEVN: %04X   %s", (u32)cf.devnum, cf.connected ? "CONNECTED" : "NOT CONNECTED");
}

static bool display_couple(struct command *c) {
    const struct xcf *x = dxcf_xcf(c);
    const struct couple *k = xcf_couple(x);
    char t[9];
    reply_line(c->r, IXC357I, display_clock(c->sys, t), display_number(c->sys));
    couple_system(c, k);
    reply_line(c->r, " ");
    if (!k->pcouple[0]) {
        reply_line(c->r, "SYSPLEX COUPLE DATA SETS ARE NOT DEFINED: XCF-LOCAL MODE");
        return true;
    }
    reply_line(c->r, "SYSPLEX COUPLE DATA SETS   %s", xcf_arbiter_up(x) ? "IN USE" : "CANNOT BE REACHED");
    couple_data(c, "PRIMARY", k->pcouple);
    couple_data(c, "ALTERNATE", k->acouple);
    return true;
}

/* ---- policies ---- */

static void policy_row(struct command *c, const char *type, const char *name) {
    reply_line(c->r, "TYPE: %s", type);
    if (name[0])
        reply_line(c->r, "     POLNAME:       %s", name);
    else
        reply_line(c->r, "     POLICY NOT STARTED");
}

static bool display_policy(struct command *c) {
    const struct xcf_operator *o = c->sys->xcf_operator;
    const char *type = command_value(command_op(c, 2), "TYPE");
    const struct {
        const char *type, *name;
    } rows[] = {{"ARM", armas_policy_name(c->sys)}, {"CFRM", o->cfrm_policy}, {"SFM", o->sfm_policy}};
    char t[9];
    bool any = false;
    if (c->ops > 2 && !type) return command_expected(c, command_op(c, 2), "TYPE=");
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) any |= !type || dxcf_names(type, rows[i].type);
    if (!any) return command_expected(c, type, "ARM, CFRM OR SFM");
    reply_line(c->r, IXC364I, display_clock(c->sys, t), display_number(c->sys));
    for (u32 i = 0; i < ARRAY_LEN(rows); i++)
        if (!type || dxcf_names(type, rows[i].type)) policy_row(c, rows[i].type, rows[i].name);
    return true;
}

/* ---- which ---- */

static bool display_pathin(struct command *c) { return dxcf_paths(c, false); }
static bool display_pathout(struct command *c) { return dxcf_paths(c, true); }

static const struct {
    const char *shorter, *longer;
    bool (*run)(struct command *c);
} displays[] = {
    {"", "", display_systems},           {"S", "SYSPLEX", display_systems},     {"G", "GROUP", display_groups},
    {"PI", "PATHIN", display_pathin},    {"PO", "PATHOUT", display_pathout},    {"CD", "CLASSDEF", dxcf_classes},
    {"CPL", "COUPLE", display_couple},   {"POL", "POLICY", display_policy},     {"STR", "STRUCTURE", dxcf_structures},
    {"CF", "CF", dxcf_facilities},       {"ARMS", "ARMSTATUS", armas_display},
};

bool dxcf_display(struct command *c) {
    const char *what = command_op(c, 1);
    for (u32 i = 0; i < ARRAY_LEN(displays); i++)
        if (dxcf_is(what, displays[i].shorter, displays[i].longer)) return displays[i].run(c);
    reply_line(c->r, IEE309I, "DISPLAY XCF", what);
    return false;
}
