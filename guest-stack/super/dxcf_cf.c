/* dxcf_cf.c - displays of structures and coupling facilities: D XCF,STR; D XCF,CF; D CF. See dxcf.h.
 *
 * What the facilities hold is theirs to say, and their answers take time. So a display first asks for a fresh inventory and is left
 * as text; when the answers are in, dxcf_inventory_ready() runs the same command again and shows it. One display waits at a time.
 */
#include "super/dxcf_impl.h"

#include "base/str.h"
#include "super/command.h"

/* ---- the inventory ---- */

static bool structure_at(const struct command *c, u32 i, struct xcf_operator_structure *out) {
    const struct xcf_operator *o = c->sys->xcf_operator;
    return o->ops && o->ops->structure && o->ops->structure(o->ctx, i, out);
}
static bool facility_at(const struct command *c, u32 i, struct xcf_operator_cf *out) {
    const struct xcf_operator *o = c->sys->xcf_operator;
    return o->ops && o->ops->facility && o->ops->facility(o->ctx, i, out);
}

bool dxcf_inventory_fresh(struct command *c, bool *good) {
    struct xcf_operator *o = c->sys->xcf_operator;
    *good = true;
    if (!o->ops || !o->ops->inventory || o->inventory_is_fresh) return true;
    if (o->waiting[0]) {
        reply_line(c->r, PLX0303E, c->verb_name, c->rest, "ANOTHER COMMAND WAITS FOR THE COUPLING FACILITIES");
        *good = false;
        return false;
    }
    str_copy(o->waiting, sizeof o->waiting, c->text);
    int rc = o->ops->inventory(o->ctx, c->now);
    if (rc == 0) return false;
    o->waiting[0] = '\0';
    return true; /* no facility can be asked: what is known without them is shown */
}

void dxcf_inventory_ready(struct system *sys, u64 now) {
    struct xcf_operator *o = sys->xcf_operator;
    char text[SYSTEM_COMMAND_MAX + 1];
    if (!o || !o->waiting[0]) return;
    str_copy(text, sizeof text, o->waiting);
    o->waiting[0] = '\0';
    o->inventory_is_fresh = true;
    command_run(sys, text, &sys->env.con->reply, now);
    o->inventory_is_fresh = false;
}

/* ---- D XCF,STR ---- */

static const char *structure_status(const struct xcf_operator_structure *s) {
    if (s->duplexed) return "DUPLEXED";
    if (s->phase) return "REBUILDING";
    return s->instances ? "ALLOCATED" : "NOT ALLOCATED";
}

static void structure_line(struct command *c, const struct xcf_operator_structure *s, u32 i) {
    reply_line(c->r, "%-16s  %-8s  %-13s  %s", s->name, i < s->instances ? s->instance[i].cf : "-- --", structure_status(s), s->type ? s->type : "");
}

static void structures_summary(struct command *c) {
    struct xcf_operator_structure s;
    char t[9];
    u32 i = 0;
    reply_line(c->r, IXC359I, display_clock(c->sys, t), display_number(c->sys));
    for (; structure_at(c, i, &s); i++) {
        if (i == 0) reply_line(c->r, "STRNAME           CFNAME    STATUS         TYPE");
        structure_line(c, &s, 0);
        if (s.instances > 1) structure_line(c, &s, 1);
        if (s.phase && !s.duplexed) reply_line(c->r, "                  REBUILD PHASE: %s", s.phase);
    }
    if (i == 0) reply_line(c->r, "NO STRUCTURES ARE DEFINED OR ALLOCATED");
}

static void structure_policy(struct command *c, const struct xcf_operator_structure *s) {
    struct dxcf_list l = {.c = c, .title = "  PREFERENCE LIST: ", .width = 9, .per_line = 4};
    reply_line(c->r, "POLICY INFORMATION:");
    if (!s->in_policy) {
        reply_line(c->r, "  NOT DEFINED IN THE CFRM ACTIVE POLICY");
        return;
    }
    reply_line(c->r, "  POLICY SIZE    : %u K", s->policy_kb);
    reply_line(c->r, "  POLICY INITSIZE: %u K", s->init_kb);
    reply_line(c->r, "  REBUILD PERCENT: %u", s->rebuild_percent);
    reply_line(c->r, "  DUPLEX         : %s", s->duplex);
    for (u32 i = 0; i < s->preferences; i++) dxcf_list_add(&l, s->preference[i]);
    dxcf_list_end(&l);
}

static void structure_instance(struct command *c, const struct xcf_operator_instance *s) {
    reply_line(c->r, "CFNAME         : %s", s->cf);
    reply_line(c->r, "ACTUAL SIZE    : %u K", s->actual_kb);
    reply_line(c->r, "ENTRIES        : IN-USE %u TOTAL %u", s->entries_used, s->entries);
    reply_line(c->r, "ELEMENTS       : IN-USE %u TOTAL %u", s->elements_used, s->elements);
    reply_line(c->r, "# CONNECTIONS  : %u", s->connections);
    if (s->connections == 0) return;
    reply_line(c->r, " ");
    reply_line(c->r, "CONNECTION NAME  ID SYSNAME  STATE");
    reply_line(c->r, "---------------- -- -------- ----------------");
    for (u32 i = 0; i < s->connections && i < ARRAY_LEN(s->connection); i++)
        reply_line(c->r, "%-16s %02X %-8s %s", s->connection[i].name, (u32)s->connection[i].id, s->connection[i].system,
                   s->connection[i].state);
}

/* The new one first, as the books show it. */
static void structure_detail(struct command *c, const struct xcf_operator_structure *s) {
    reply_line(c->r, "STRNAME: %s", s->name);
    reply_line(c->r, "STATUS: %s%s%s", structure_status(s), s->phase ? "  REBUILD PHASE: " : "", s->phase ? s->phase : "");
    if (s->duplexed) reply_line(c->r, "METHOD: SYSTEM-MANAGED");
    if (s->type) reply_line(c->r, "TYPE: %s", s->type);
    structure_policy(c, s);
    for (u32 i = s->instances; i-- > 0;) {
        reply_line(c->r, " ");
        if (s->phase && s->instances > 1)
            reply_line(c->r, "%s %s STRUCTURE", s->duplexed ? "DUPLEXING REBUILD" : "REBUILD", i ? "NEW" : "OLD");
        structure_instance(c, &s->instance[i]);
    }
}

bool dxcf_structures(struct command *c) {
    struct xcf_operator_structure s;
    const char *what = command_op(c, 2), *names = command_value(what, "STRName");
    char t[9];
    bool good;
    u32 n = 0;
    if (!names) names = command_value(what, "STRNM");
    if (what[0] && !names) return command_expected(c, what, "STRNAME=");
    if (!dxcf_inventory_fresh(c, &good)) return good;
    if (!names) {
        structures_summary(c);
        return true;
    }
    reply_line(c->r, IXC360I, display_clock(c->sys, t), display_number(c->sys));
    for (u32 i = 0; structure_at(c, i, &s); i++) {
        if (!dxcf_names(names, s.name)) continue;
        structure_detail(c, &s);
        n++;
    }
    if (n == 0) reply_line(c->r, "NO STRUCTURES MATCH THE SPECIFIED CRITERIA");
    return n != 0;
}

/* ---- D XCF,CF ---- */

static void facility_detail(struct command *c, const struct xcf_operator_cf *cf) {
    struct xcf_operator_structure s;
    struct dxcf_list l = {.c = c, .title = "    ", .width = 18, .per_line = 3};
    reply_line(c->r, "CFNAME: %s", cf->name);
    reply_line(c->r, "  COUPLING FACILITY      : %s", cf->identity);
    reply_line(c->r, "  COUPLE DATA            : %s", cf->primary ? "PRIMARY" : cf->alternate ? "ALTERNATE" : "NONE");
    reply_line(c->r, "  CONNECTED              : %s", cf->connected ? "YES" : "NO");
    reply_line(c->r, "  STRUCTURES:");
    for (u32 i = 0; structure_at(c, i, &s); i++)
        for (u32 k = 0; k < s.instances; k++)
            if (strcmp(s.instance[k].cf, cf->name) == 0) dxcf_list_add(&l, s.name);
    if (l.n == 0) dxcf_list_add(&l, "NO STRUCTURES ARE IN USE BY THIS SYSPLEX");
    dxcf_list_end(&l);
}

bool dxcf_facilities(struct command *c) {
    struct xcf_operator_cf cf;
    const char *what = command_op(c, 2), *names = command_value(what, "CFName");
    char t[9];
    bool good;
    u32 n = 0;
    if (!names) names = command_value(what, "CFNM");
    if (what[0] && !names) return command_expected(c, what, "CFNAME=");
    if (!dxcf_inventory_fresh(c, &good)) return good;
    if (names)
        reply_line(c->r, IXC362I, display_clock(c->sys, t), display_number(c->sys));
    else
        reply_line(c->r, IXC361I, display_clock(c->sys, t), display_number(c->sys));
    for (u32 i = 0; facility_at(c, i, &cf); i++) {
        if (names && !dxcf_names(names, cf.name)) continue;
        if (names) {
            facility_detail(c, &cf);
        } else {
            if (n == 0) reply_line(c->r, "CFNAME     COUPLING FACILITY");
            reply_line(c->r, "%-8s   %s%s", cf.name, cf.identity, cf.connected ? "" : "   NOT CONNECTED");
        }
        n++;
    }
    if (n == 0) reply_line(c->r, "NO COUPLING FACILITIES MATCH THE SPECIFIED CRITERIA");
    return n != 0;
}

/* ---- D CF ---- */

static void facility_hardware(struct command *c, const struct xcf_operator_cf *cf) {
    u32 used = cf->total_kb - u32_min(cf->free_kb, cf->total_kb);
    reply_line(c->r, "COUPLING FACILITY %s", cf->identity);
    reply_line(c->r, "                  CONTROL UNIT ID: %04X", (u32)cf->devnum);
    reply_line(c->r, "NAMED %s", cf->name);
    if (cf->connected) {
        reply_line(c->r, "COUPLING FACILITY SPACE UTILIZATION");
        reply_line(c->r, " ALLOCATED SPACE");
        reply_line(c->r, "  STRUCTURES:  %9u K", used);
        reply_line(c->r, " FREE SPACE:   %9u K", cf->free_kb);
        reply_line(c->r, " TOTAL SPACE:  %9u K", cf->total_kb);
        reply_line(c->r, " VOLATILE:     YES        CFLEVEL: %6u", cf->level);
    }
    reply_line(c->r, "COUPLING FACILITY SUBCHANNEL STATUS");
    reply_line(c->r, " TOTAL:   1  IN USE:   %u  NOT USING:   0  NOT USABLE:   %u", cf->connected ? 1u : 0u, cf->connected ? 0u : 1u);
    reply_line(c->r, " DEVICE     STATUS");
    reply_line(c->r, "  %04X      %s", (u32)cf->devnum, cf->connected ? "OPERATIONAL" : "NOT OPERATIONAL");
}

bool dxcf_cf(struct command *c) {
    struct xcf_operator_cf cf;
    const char *what = command_op(c, 1), *names = command_value(what, "CFName");
    char t[9];
    bool good;
    u32 n = 0;
    if (what[0] && !names) return command_expected(c, what, "CFNAME=");
    if (!dxcf_inventory_fresh(c, &good)) return good;
    reply_line(c->r, IXL150I, display_clock(c->sys, t), display_number(c->sys));
    for (u32 i = 0; facility_at(c, i, &cf); i++) {
        if (names && !dxcf_names(names, cf.name)) continue;
        facility_hardware(c, &cf);
        n++;
    }
    if (n == 0) reply_line(c->r, "NO COUPLING FACILITIES %s", names ? "MATCH THE SPECIFIED CRITERIA" : "ARE ATTACHED");
    return n != 0;
}
