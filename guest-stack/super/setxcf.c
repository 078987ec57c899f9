/* setxcf.c - SETXCF: signalling paths, COUPLExx options, policies, rebuild.
 *
 *   SETXCF {START|STOP},{PATHIN|PI|PATHOUT|PO},{DEVICE|STRNAME}={name|(name,...)}[,RETRY=n][,MAXMSG=n][,CLASS=c][,UNCOND=..]
 *          each name answered: IXC306I started, IXC307I stopped, IXC301I / IXC302I rejected
 *   SETXCF COUPLE|CPL,{INTERVAL=n|OPNOTIFY=[+]n|CLEANUP=n|MAXMSG=n|RETRY=n|CLASSLEN=n}...     IXC309I, IXC308I
 *          all of one command hold together or none does
 *   SETXCF COUPLE,PSWITCH     SETXCF COUPLE,ACOUPLE={name|(name,volume)}
 *   SETXCF START,{POLICY|POL},TYPE={SFM|CFRM|ARM},POLNAME=name     SETXCF STOP,POLICY,TYPE=type   IXC511I, IXC513I, IXC514I
 *          an SFM or ARM policy is the member of that name in PARMLIB (super/sfmpol.h, super/armpol.h)
 *   SETXCF {START|STOP},{REBUILD|RB},{STRNAME|STRNM}={name|(name,...)}[,LOC={NORMAL|OTHER}]   IXC367I
 *          of signalling structures; both locations mean the first facility of its preference list that it is not in
 *   SETXCF START,REBUILD,DUPLEX,STRNAME=name     SETXCF STOP,REBUILD,DUPLEX,STRNAME=name,KEEP={OLD|NEW}   IXC367I
 *   SETXCF FORCE,{CONNECTION|CON},STRNAME=name,CONNAME=name     SETXCF FORCE,{STRUCTURE|STR},STRNAME=name     IXC354I, IXC353I
 */
#include "super/dxcf_impl.h"

#include "base/str.h"
#include "super/armas.h"
#include "super/dataset.h"
#include "super/sfmpol.h"

static bool unavailable(struct command *c, const char *what) {
    reply_line(c->r, PLX0303E, "SETXCF", what, "NOT AVAILABLE ON THIS SYSTEM");
    return false;
}

/* The value of an operand KEY=... anywhere in the command, or NULL. */
static const char *option(const struct command *c, const char *spec) {
    for (u32 i = 1; i < c->ops; i++) {
        const char *v = command_value(c->op[i], spec);
        if (v) return v;
    }
    return NULL;
}

/* The next name of "a" or "(a,b)". */
static bool name_next(const char **list, char *out, u32 cap) {
    u32 n = 0;
    const char *s = *list;
    while (*s == '(' || *s == ',' || *s == ')' || *s == ' ') s++;
    for (; *s && *s != ',' && *s != ')' && *s != ' '; s++)
        if (n + 1 < cap) out[n++] = *s;
    out[n] = '\0';
    *list = s;
    return n > 0;
}

static bool number_option(struct command *c, const char *spec, u32 low, u32 high, u32 *out) {
    const char *v = option(c, spec);
    char what[48];
    if (!v) return true;
    if (str_u32(v, strlen(v), out) && *out >= low && *out <= high) return true;
    str_fmt(what, sizeof what, "A NUMBER FROM %u TO %u", low, high);
    return command_expected(c, v, what);
}

/* ---- START and STOP of paths ---- */

static const char *kind_of(bool structure) { return structure ? "STRUCTURE" : "DEVICE"; }
static const char *direction_of(bool outbound) { return outbound ? "PATHOUT" : "PATHIN"; }

static bool path_options(struct command *c, struct couple_path *p) {
    const struct couple *k = xcf_couple(dxcf_xcf(c));
    const char *class_name = option(c, "CLASS");
    p->retry = k->retry;
    p->maxmsg_kb = k->maxmsg_kb;
    if (!number_option(c, "RETRY", 3, 255, &p->retry) || !number_option(c, "MAXMSG", 1, 999999, &p->maxmsg_kb)) return false;
    if (!class_name) return true;
    for (u32 i = 0; i < k->classes && p->outbound; i++) {
        p->class_index = i;
        if (strcmp(k->class_def[i].name, class_name) == 0) return true;
    }
    return command_expected(c, class_name, p->outbound ? "A TRANSPORT CLASS" : "NO CLASS, THE PATH IS INBOUND");
}

/* Paths of one name (a structure has one for each partner): how many there are, and how many were started or stopped. */
static u32 paths_of_name(struct command *c, const struct couple_path *p, bool start, u32 *done) {
    struct xcf *x = dxcf_xcf(c);
    struct xcf_path_info q;
    u32 n = 0;
    for (u32 i = 0; xcf_path(x, i, &q); i++) {
        if (q.outbound != p->outbound || q.structure != p->structure || strcmp(q.name, p->name) != 0) continue;
        struct xcf_path *path = xcf_path_at(x, i);
        n++;
        if ((start ? xcf_path_start(path, c->now) : xcf_path_stop(path, c->now)) == 0) ++*done;
    }
    return n;
}

static bool start_one(struct command *c, const struct couple_path *p) {
    const struct xcf_operator *o = c->sys->xcf_operator;
    const char *why = NULL;
    u32 done = 0, n = paths_of_name(c, p, true, &done);
    if (n && !done) why = p->outbound ? "PATH ALREADY STARTED AS OUTBOUND" : "PATH ALREADY STARTED AS INBOUND";
    if (!n) {
        int rc = o->ops && o->ops->path_new ? o->ops->path_new(o->ctx, p, c->now) : -ERR_NOENT;
        if (rc == -ERR_NOENT)
            why = p->structure ? "STRUCTURE NOT DEFINED" : "DEVICE NOT DEFINED";
        else if (rc)
            why = "NO STORAGE FOR A FURTHER PATH";
    }
    if (why)
        reply_line(c->r, IXC301I, direction_of(p->outbound), kind_of(p->structure), p->name, why);
    else
        reply_line(c->r, IXC306I, direction_of(p->outbound), kind_of(p->structure), p->name);
    return !why;
}

static bool stop_one(struct command *c, const struct couple_path *p) {
    u32 done = 0, n = paths_of_name(c, p, false, &done);
    if (done) {
        reply_line(c->r, IXC307I, direction_of(p->outbound), kind_of(p->structure), p->name);
        return true;
    }
    reply_line(c->r, IXC302I, direction_of(p->outbound), kind_of(p->structure), p->name,
               n ? "PATH IS ALREADY STOPPED" : p->outbound ? "NOT DEFINED TO XCF AS OUTBOUND" : "NOT DEFINED TO XCF AS INBOUND");
    return false;
}

static bool set_path(struct command *c, bool start, bool outbound) {
    struct couple_path p = {.outbound = outbound};
    const char *names = option(c, "DEVice");
    char name[KEYREAD_TOKEN + 1];
    bool good = true, any = false;
    u32 device;
    if (!names) {
        p.structure = true;
        names = option(c, "STRName");
    }
    if (!names) return command_expected(c, command_op(c, 2), "DEVICE= OR STRNAME=");
    if (!path_options(c, &p)) return false;
    while (name_next(&names, name, sizeof name)) {
        const char *hex = name[0] == '/' ? name + 1 : name; /* a number of four digits may follow a slash */
        any = true;
        if (p.structure)
            str_copy(p.name, sizeof p.name, name);
        else if (str_hex_u32(hex, strlen(hex), &device) && device <= 0xFFFF)
            str_fmt(p.name, sizeof p.name, "%04X", device);
        else
            return command_expected(c, name, "A DEVICE NUMBER");
        good &= start ? start_one(c, &p) : stop_one(c, &p);
    }
    return any ? good : command_expected(c, "", "A NAME");
}

/* ---- COUPLE ---- */

static bool set_number(struct command *c, const char *value, bool signed_too, struct couple *k, u32 *field) {
    if (signed_too) {
        k->opnotify_relative = value[0] == '+';
        if (value[0] == '+') value++;
    }
    return str_u32(value, strlen(value), field) || command_expected(c, value, "A NUMBER");
}

static bool set_options(struct command *c) {
    struct couple k = *xcf_couple(dxcf_xcf(c));
    const struct {
        const char *name;
        u32 *field;
    } fields[] = {{"INTERVAL", &k.interval_s}, {"OPNOTIFY", &k.opnotify_s}, {"CLEANUP", &k.cleanup_s},
                  {"MAXMSG", &k.maxmsg_kb},    {"RETRY", &k.retry},         {"CLASSLEN", &k.classlen_bytes}};
    const char *v = NULL;
    u32 i;
    for (u32 op = 1; op < c->ops; op++) {
        for (i = 0; i < ARRAY_LEN(fields) && !(v = command_value(c->op[op], fields[i].name)); i++) {}
        if (i == ARRAY_LEN(fields))
            return command_expected(c, c->op[op], "INTERVAL=, OPNOTIFY=, CLEANUP=, MAXMSG=, RETRY= OR CLASSLEN=");
        if (!set_number(c, v, i == 1, &k, fields[i].field)) return false;
    }
    const char *wrong = couple_wrong(&k);
    if (wrong || xcf_set_couple(dxcf_xcf(c), &k)) {
        reply_line(c->r, IXC308I, wrong ? wrong : "THE", "IT IS OUT OF ITS RANGE");
        return false;
    }
    for (u32 op = 1; op < c->ops; op++)
        for (i = 0; i < ARRAY_LEN(fields); i++)
            if (command_value(c->op[op], fields[i].name)) reply_line(c->r, IXC309I, fields[i].name);
    return true;
}

static bool set_couple(struct command *c) {
    const struct xcf_operator *o = c->sys->xcf_operator;
    const char *what = command_op(c, 1), *names = command_value(what, "ACOUPLE");
    char name[KEYREAD_TOKEN + 1];
    int rc;
    if (!what[0]) return command_expected(c, "", "AN OPTION OF COUPLE");
    if (strcmp(what, "PSWITCH") == 0) {
        if (!o->ops || !o->ops->pswitch) return unavailable(c, "COUPLE,PSWITCH");
        rc = o->ops->pswitch(o->ctx, c->now);
        what = "PSWITCH";
    } else if (names) {
        if (!name_next(&names, name, sizeof name)) return command_expected(c, what, "THE NAME OF A COUPLING FACILITY");
        if (!o->ops || !o->ops->acouple) return unavailable(c, "COUPLE,ACOUPLE");
        rc = o->ops->acouple(o->ctx, name, c->now);
        what = "ACOUPLE";
    } else {
        return set_options(c);
    }
    if (rc)
        reply_line(c->r, IXC308I, what, rc == -ERR_ALREADY ? "IT HAS COUPLE DATA ALREADY" : rc != -ERR_NOENT ? "IT CANNOT BE DONE NOW" :
                   names ? "THERE IS NO SUCH COUPLING FACILITY" : "THERE IS NO ALTERNATE");
    else
        reply_line(c->r, IXC309I, what);
    return rc == 0;
}

/* ---- policies ---- */

static bool start_sfm(struct command *c, const char *name) {
    struct xcf_operator *o = c->sys->xcf_operator;
    struct couple_sfm sfm;
    struct keyread_error err;
    struct member m;
    const char *where;
    char defined[9];
    int rc = system_parmlib_read(c->sys, name, &m, &where);
    if (rc) {
        reply_line(c->r, IXC514I, name, "SFM", rc == -ERR_NOENT ? "IT IS NOT IN PARMLIB" : "IT CANNOT BE READ");
        return false;
    }
    bool good = sfmpol_parse(m.text, &sfm, defined, &err);
    dataset_release(c->sys->env.ds, &m);
    if (!good) {
        reply_line(c->r, PLX0101E, name, err.line, err.token, err.expected);
        reply_line(c->r, IXC514I, name, "SFM", "IT HAS ERRORS");
        return false;
    }
    xcf_set_sfm(o->x, &sfm);
    str_copy(o->sfm_policy, sizeof o->sfm_policy, defined);
    reply_line(c->r, IXC511I, "START", name, "SFM");
    return true;
}

static bool stop_sfm(struct command *c) {
    struct xcf_operator *o = c->sys->xcf_operator;
    const struct couple_sfm none = {.active = false};
    xcf_set_sfm(o->x, &none);
    reply_line(c->r, IXC511I, "STOP", o->sfm_policy, "SFM");
    o->sfm_policy[0] = '\0';
    return true;
}

static bool set_cfrm(struct command *c, const char *name) {
    struct xcf_operator *o = c->sys->xcf_operator;
    if (!o->ops || !o->ops->cfrm_policy) return unavailable(c, "POLICY,TYPE=CFRM");
    int rc = o->ops->cfrm_policy(o->ctx, name, c->now);
    if (rc) {
        reply_line(c->r, IXC514I, name, "CFRM",
                   rc == -ERR_NOENT ? "IT IS NOT IN PARMLIB" : rc == -ERR_INVAL ? "IT HAS ERRORS" : "IT CANNOT BE MADE ACTIVE NOW");
        return false;
    }
    reply_line(c->r, IXC511I, name[0] ? "START" : "STOP", name[0] ? name : o->cfrm_policy, "CFRM");
    str_copy(o->cfrm_policy, sizeof o->cfrm_policy, name);
    return true;
}

static bool set_policy(struct command *c, bool start) {
    const char *type = option(c, "TYPE"), *name = option(c, "POLNAME");
    if (!type) return command_expected(c, command_op(c, 2), "TYPE=");
    if (start && (!name || !name[0] || strlen(name) > 8)) return command_expected(c, name ? name : "", "POLNAME=NAME");
    if (strcmp(type, "SFM") == 0) return start ? start_sfm(c, name) : stop_sfm(c);
    if (strcmp(type, "CFRM") == 0) return set_cfrm(c, start ? name : "");
    if (strcmp(type, "ARM") == 0) return start ? armas_policy_start(c, name) : armas_policy_stop(c);
    return command_expected(c, type, "ARM, SFM OR CFRM");
}

/* ---- rebuild ---- */

/* Why a structure that no path uses is not duplexed: by its type, as the facilities named it when they were last asked. */
static const char *duplex_why(struct command *c, const char *name) {
    const struct xcf_operator *o = c->sys->xcf_operator;
    struct xcf_operator_structure s;
    for (u32 i = 0; o->ops->structure && o->ops->structure(o->ctx, i, &s); i++) {
        if (strcmp(s.name, name) != 0 || !s.type) continue;
        if (strcmp(s.type, "LOCK") == 0) return "NO CONNECTION SUPPORTS DUPLEXING OF A LOCK STRUCTURE";
        if (strcmp(s.type, "CACHE") == 0) return "NO CONNECTION SUPPORTS DUPLEXING OF A CACHE STRUCTURE";
    }
    return "NO CONNECTION TO THE STRUCTURE ALLOWS IT";
}

static const char *rebuild_why(int rc) {
    switch (rc) {
    case 0: return "";
    case -ERR_NOENT: return "STRUCTURE NOT ALLOCATED";
    case -ERR_ALREADY: return "REBUILD HAS ALREADY BEEN INITIATED FOR THE STRUCTURE";
    case -ERR_NOTCONN: return "NO CONNECTION TO THE STRUCTURE ALLOWS IT";
    case -ERR_BUSY: return "IT IS TOO LATE";
    case -ERR_ACCES: return "THE CFRM ACTIVE POLICY DOES NOT ALLOW DUPLEXING";
    default: return "NO OTHER COUPLING FACILITY CAN TAKE IT";
    }
}

/* One structure of the command. */
static int rebuild_one(struct command *c, const char *name, bool start, bool duplex, bool keep_new, bool other) {
    const struct xcf_operator *o = c->sys->xcf_operator;
    if (duplex) return o->ops->duplex(o->ctx, name, start, keep_new, c->now);
    return start ? o->ops->rebuild(o->ctx, name, other, c->now) : o->ops->rebuild_stop(o->ctx, name, c->now);
}

static bool set_rebuild(struct command *c, bool start) {
    const struct xcf_operator *o = c->sys->xcf_operator;
    const char *keep = option(c, "KEEP");
    bool duplex = strcmp(command_op(c, 2), "DUPLEX") == 0, able;
    const char *names = option(c, "STRName"), *where = option(c, "LOCation");
    char name[17];
    bool good = true, any = false;
    if (!names) names = option(c, "STRNM");
    if (!names) return command_expected(c, command_op(c, 2), "STRNAME=");
    if (where && strcmp(where, "NORMAL") != 0 && strcmp(where, "OTHER") != 0) return command_expected(c, where, "NORMAL OR OTHER");
    if (duplex && !start && (!keep || (strcmp(keep, "OLD") != 0 && strcmp(keep, "NEW") != 0)))
        return command_expected(c, keep ? keep : "", "KEEP=OLD OR KEEP=NEW");
    able = o->ops && (duplex ? o->ops->duplex != NULL : start ? o->ops->rebuild != NULL : o->ops->rebuild_stop != NULL);
    if (!able) return unavailable(c, "REBUILD");
    while (name_next(&names, name, sizeof name)) {
        int rc = rebuild_one(c, name, start, duplex, keep && keep[0] == 'N', where && where[0] == 'O');
        any = true;
        good &= rc == 0;
        reply_line(c->r, IXC367I, start ? "START" : "STOP", name, rc ? "REJECTED: " : "ACCEPTED.",
                   duplex && rc == -ERR_NOTCONN ? duplex_why(c, name) : rebuild_why(rc));
    }
    return any ? good : command_expected(c, "", "A NAME");
}

/* ---- force ---- */

static void force_line(const struct reply *r, const char *structure, const char *connection, const char *how, const char *text) {
    if (connection[0])
        reply_line(r, IXC354I, connection, structure, how, text);
    else
        reply_line(r, IXC353I, structure, how, text);
}

void dxcf_forced(struct system *sys, const char *structure, const char *connection, const char *why) {
    force_line(&sys->env.con->reply, structure, connection, why ? "REJECTED" : "COMPLETED",
               why ? why : connection[0] ? "CONNECTION WAS DELETED" : "STRUCTURE WAS DELETED");
}

static const char *force_why(int rc, bool connection) {
    switch (rc) {
    case -ERR_NOENT: return connection ? "CONNECTION NOT DEFINED" : "STRUCTURE NOT ALLOCATED OR IS PENDING DEALLOCATION";
    case -ERR_BUSY: return connection ? "ACTIVE CONNECTION CANNOT BE DELETED" : "STRUCTURE CONTAINS ACTIVE CONNECTIONS";
    case -ERR_ALREADY: return "ANOTHER FORCE REQUEST IS UNDER WAY";
    default: return "XES FUNCTION NOT AVAILABLE";
    }
}

static bool set_force(struct command *c) {
    const struct xcf_operator *o = c->sys->xcf_operator;
    const char *structure = option(c, "STRName"), *connection = option(c, "CONName"), *what = command_op(c, 1);
    bool one = dxcf_is(what, "CON", "CONNECTION"), good;
    if (!one && !dxcf_is(what, "STR", "STRUCTURE")) return command_expected(c, what, "CONNECTION OR STRUCTURE");
    if (!structure) structure = option(c, "STRNM");
    if (!connection) connection = option(c, "CONNM");
    if (!structure || !structure[0]) return command_expected(c, structure ? structure : "", "STRNAME=");
    if (one != (connection && connection[0])) return command_expected(c, connection ? connection : "", one ? "CONNAME=" : "NO CONNAME=");
    if (!o->ops || !o->ops->force) return unavailable(c, "FORCE");
    if (!dxcf_inventory_fresh(c, &good)) return good;
    int rc = o->ops->force(o->ctx, structure, one ? connection : "", c->now);
    if (rc) force_line(c->r, structure, one ? connection : "", "REJECTED", force_why(rc, one));
    return rc == 0;
}

/* ---- which ---- */

bool dxcf_set(struct command *c) {
    const char *what = command_op(c, 0), *of = command_op(c, 1);
    bool start = strcmp(what, "START") == 0;
    if (dxcf_is(what, "CPL", "COUPLE")) return set_couple(c);
    if (strcmp(what, "FORCE") == 0) return set_force(c);
    if (!start && strcmp(what, "STOP") != 0) {
        reply_line(c->r, IEE309I, "SETXCF", what);
        return false;
    }
    if (dxcf_is(of, "PI", "PATHIN")) return set_path(c, start, false);
    if (dxcf_is(of, "PO", "PATHOUT")) return set_path(c, start, true);
    if (dxcf_is(of, "POL", "POLICY")) return set_policy(c, start);
    if (dxcf_is(of, "RB", "REBUILD")) return set_rebuild(c, start);
    reply_line(c->r, IEE309I, start ? "SETXCF START" : "SETXCF STOP", of);
    return false;
}
