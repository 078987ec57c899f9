/* cfop.c - coupling facilities for the operator. See cfop.h. */
#include "super/cfop.h"

#include "base/str.h"
#include "super/cfrmpol.h"
#include "super/dataset.h"
#include "super/messages.h"
#include "xcf/cflinks.h"

struct cfop {
    struct system *sys;
    struct cflinks *links;
    struct cfrm *c;
    struct cflink_user user;
    const struct couple *couple;
    struct cfrm_policy parsed; /* too large for a stack */
};

struct cfrm *cfop_cfrm(struct cfop *o) { return o->c; }
int cfop_inventory(struct cfop *o, u64 now) { return cfrm_inventory(o->c, now); }
int cfop_force(struct cfop *o, const char *structure, const char *connection, u64 now) { return cfrm_force(o->c, structure, connection, now); }

/* ---- facilities ---- */

static u16 device_of(const struct cfop *o, const struct xes *x) {
    for (u32 i = 0; i < CFLINKS_MAX; i++)
        if (x && cflinks_at(o->links, i) == x) return cflinks_devnum(o->links, i);
    return 0;
}

bool cfop_facility(const struct cfop *o, u32 i, struct xcf_operator_cf *out) {
    const struct cfrm_facility *f = cfrm_facility(o->c, i);
    if (!f) return false;
    *out = (struct xcf_operator_cf){.connected = f->up,
                                    .devnum = device_of(o, f->x),
                                    .incarnation = f->incarnation,
                                    .level = f->level,
                                    .total_kb = f->total_kb,
                                    .free_kb = f->free_kb,
                                    .primary = strcmp(f->name, o->couple->pcouple) == 0,
                                    .alternate = strcmp(f->name, o->couple->acouple) == 0};
    str_copy(out->name, sizeof out->name, f->name);
    /* Type and manufacturer as SENSE ID and the project say, the facility's name as its sequence number. */
    str_fmt(out->identity, sizeof out->identity, "009674.PLX.00.%s", f->name);
    return true;
}

/* ---- structures ---- */

static void from_policy(const struct cfrm_row *row, struct xcf_operator_structure *out) {
    static const char *const duplex[] = {
        [CFRM_DUPLEX_DISABLED] = "DISABLED", [CFRM_DUPLEX_ALLOWED] = "ALLOWED", [CFRM_DUPLEX_ENABLED] = "ENABLED"};
    out->in_policy = true;
    out->policy_kb = row->size_kb;
    out->init_kb = row->init_kb ? row->init_kb : row->size_kb;
    out->rebuild_percent = row->rebuild_percent;
    out->duplex = duplex[row->duplex];
    out->preferences = u32_min(row->preferences, ARRAY_LEN(out->preference));
    for (u32 i = 0; i < out->preferences; i++) str_copy(out->preference[i], sizeof out->preference[i], row->preference[i]);
}

static void from_facility(const struct cfrm_structure *s, struct xcf_operator_instance *out) {
    str_copy(out->cf, sizeof out->cf, s->facility->name);
    out->actual_kb = s->kb;
    out->entries = s->entries;
    out->entries_used = s->entries_used;
    out->elements = s->elements;
    out->elements_used = s->elements_used;
    out->connections = s->connections;
    for (u32 i = 0; i < s->connections; i++) {
        out->connection[i].id = s->connection[i].id;
        str_copy(out->connection[i].name, sizeof out->connection[i].name, s->connection[i].name);
        str_copy(out->connection[i].system, sizeof out->connection[i].system, s->connection[i].system);
        out->connection[i].state = s->connection[i].failed ? "FAILED-PERSISTENT" : "ACTIVE";
    }
}

/* All copies of one name, facilities in the order of their names: which is the old one only those who use it know. */
static void describe(const struct cfop *o, const char *name, struct xcf_operator_structure *out) {
    static const char *const types[] = {NULL, "LIST", "LOCK", "CACHE"};
    const struct cfrm_row *row = cfrm_policy_row(o->c, name);
    const struct cfrm_structure *s;
    memset(out, 0, sizeof *out);
    str_copy(out->name, sizeof out->name, name);
    if (row) from_policy(row, out);
    for (u32 i = 0; (s = cfrm_structure(o->c, i)) != NULL; i++) {
        if (strcmp(s->name, name) != 0) continue;
        if (out->instances == ARRAY_LEN(out->instance)) break;
        out->type = s->type < ARRAY_LEN(types) ? types[s->type] : NULL;
        from_facility(s, &out->instance[out->instances++]);
    }
}

static bool listed_before(const struct cfop *o, u32 i) {
    const char *name = cfrm_structure(o->c, i)->name;
    for (u32 k = 0; k < i; k++)
        if (strcmp(cfrm_structure(o->c, k)->name, name) == 0) return true;
    return cfrm_policy_row(o->c, name) != NULL;
}

bool cfop_structure(const struct cfop *o, u32 i, struct xcf_operator_structure *out) {
    const struct cfrm_policy *p = cfrm_policy(o->c);
    if (i < p->rows) {
        describe(o, p->row[i].name, out);
        return true;
    }
    i -= p->rows;
    for (u32 k = 0; cfrm_structure(o->c, k); k++) {
        if (listed_before(o, k) || i--) continue;
        describe(o, cfrm_structure(o->c, k)->name, out);
        return true;
    }
    return false;
}

/* ---- policies ---- */

int cfop_policy(struct cfop *o, const char *name, u64 now) {
    struct keyread_error err = {.expected = ""};
    struct member m;
    const char *where;
    if (!name[0]) {
        memset(&o->parsed, 0, sizeof o->parsed);
        return cfrm_policy_start(o->c, &o->parsed, now);
    }
    if (system_parmlib_read(o->sys, name, &m, &where) != 0) return -ERR_NOENT;
    bool good = cfrmpol_parse(m.text, &o->parsed, &err);
    dataset_release(o->sys->env.ds, &m);
    if (good) return cfrm_policy_start(o->c, &o->parsed, now);
    console_message(o->sys->env.con, PLX0101E, name, err.line, err.token, err.expected);
    return -ERR_INVAL;
}

static void on_ready(void *ctx, u64 now) { dxcf_inventory_ready(((struct cfop *)ctx)->sys, now); }

static void on_policy(void *ctx, u64 now) {
    struct cfop *o = ctx;
    struct xcf_operator *op = o->sys->xcf_operator;
    UNUSED(now);
    if (op) str_copy(op->cfrm_policy, sizeof op->cfrm_policy, cfrm_policy(o->c)->name);
}

static void on_no_policy(void *ctx, u64 now) {
    struct cfop *o = ctx;
    if (!o->couple->cfrmpol[0]) return;
    if (cfop_policy(o, o->couple->cfrmpol, now) == 0) on_policy(o, now);
}

/* Between the inventory and this command somebody may have connected again, or deleted it. */
static void on_forced(void *ctx, const char *structure, const char *connection, u32 rc, u64 now) {
    const struct cfop *o = ctx;
    UNUSED(now);
    dxcf_forced(o->sys, structure, connection,
                rc == CF_OK ? NULL : rc == CF_RC_IN_USE ? "IT IS ACTIVE" : rc == XES_LOST ? "THE COUPLING FACILITY IS LOST" : "IT IS GONE");
}

static const struct cfrm_events EVENTS = {.ready = on_ready, .policy = on_policy, .no_policy = on_no_policy, .forced = on_forced};

struct cfop *cfop_create(struct system *sys, struct cflinks *links, const struct couple *couple) {
    struct cfop *o = arena_take(sys->env.arena, sizeof *o, 16);
    if (!o) return NULL;
    memset(o, 0, sizeof *o);
    o->sys = sys;
    o->links = links;
    o->couple = couple;
    o->c = cfrm_create(sys->env.arena, &EVENTS, o);
    if (!o->c) return NULL;
    o->user = (struct cflink_user){.up = cfrm_up, .down = cfrm_down, .ctx = o->c};
    cflinks_user(links, &o->user);
    return o;
}
