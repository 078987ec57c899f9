/* dist_config.c - VIPADISTRIBUTE: the definitions of this stack's profile and those that the routing stack sends. See
 * distributor.h.
 *
 * A definition is one port of one DVIPA. A stack may hold it twice: its own, from its profile, and the one it was sent. Its own
 * are in force while it routes the DVIPA itself; otherwise, and on a backup without its own, those it was sent are.
 */
#include "base/str.h"
#include "sysplex/dist_impl.h"

/* ---- definitions ---- */

static u32 def_hash(const struct distributor *d, struct ipaddr dvipa, u16 port) {
    return hash2(&d->key, dvipa.v4, port);
}

struct dist_def *dist_def_find(const struct distributor *d, struct ipaddr dvipa, u16 port, bool own) {
    for (struct hash_row *r = *hash_head(&d->defs, def_hash(d, dvipa, port)); r; r = r->next) {
        struct dist_def *def = (struct dist_def *)(void *)r;
        if (def->own == own && def->port == port && ipaddr_eq(def->dvipa, dvipa)) return def;
    }
    return NULL;
}

static struct dist_def *def_get(struct distributor *d, struct ipaddr dvipa, u16 port, bool own) {
    struct dist_def *def = dist_def_find(d, dvipa, port, own);
    if (def) return def;
    def = pool_get(&d->def_pool);
    if (!def) {
        d->count.defs_full++;
        return NULL;
    }
    *def = (struct dist_def){.dvipa = dvipa, .port = port, .own = own};
    hash_add(&d->defs, def_hash(d, dvipa, port), &def->hash);
    list_push_back(&d->def_list, &def->node);
    return def;
}

static void def_del(struct distributor *d, struct dist_def *def) {
    hash_del(&d->defs, def_hash(d, def->dvipa, def->port), &def->hash);
    list_del(&def->node);
    pool_put(&d->def_pool, def);
}

bool dist_has_defs(const struct distributor *d, struct ipaddr dvipa, bool own) {
    LIST_FOR_EACH(n, &d->def_list) {
        const struct dist_def *def = LIST_ENTRY(n, struct dist_def, node);
        if (def->own == own && ipaddr_eq(def->dvipa, dvipa)) return true;
    }
    return false;
}

bool dist_own_in_force(const struct distributor *d, const struct dist_vipa *v) {
    return v->routing && dist_has_defs(d, v->addr, true);
}

struct dist_def *dist_def_of(const struct distributor *d, const struct dist_vipa *v, u16 port) {
    bool own = dist_own_in_force(d, v);
    struct dist_def *def = dist_def_find(d, v->addr, port, own);
    return def ? def : dist_def_find(d, v->addr, 0, own);
}

bool dist_def_names(const struct dist_def *def, struct ipaddr dynxcf, const struct dist_dest **dest) {
    *dest = NULL;
    if (ipaddr_is_any(dynxcf)) return false; /* without DYNAMICXCF there is no way to it */
    for (u32 i = 0; i < def->dests; i++) {
        if (!ipaddr_eq(def->dest[i].dynxcf, dynxcf)) continue;
        *dest = &def->dest[i];
        return true;
    }
    return def->dests == 0;
}

bool distributor_definition(const struct distributor *d, u32 i, struct dist_definition *out) {
    LIST_FOR_EACH(n, &d->def_list) {
        const struct dist_def *def = LIST_ENTRY(n, struct dist_def, node);
        if (i--) continue;
        const struct dist_vipa *v = dist_vipa_find(d, def->dvipa);
        *out = (struct dist_definition){.dvipa = def->dvipa, .port = def->port, .options = def->options, .own = def->own};
        out->in_force = v && dist_own_in_force(d, v) == def->own;
        out->dests = def->dests;
        memcpy(out->dest, def->dest, sizeof out->dest);
        return true;
    }
    return false;
}

/* ---- the profile ---- */

static bool standby_is_right(const struct dist_statement *s) {
    u32 preferred = 0;
    for (u32 i = 0; i < s->dests; i++) {
        if (s->dest[i].rank == 0) preferred++;
        for (u32 j = 0; j < i; j++)
            if (ipaddr_eq(s->dest[i].dynxcf, s->dest[j].dynxcf)) return false;
    }
    return preferred == 1 && s->dests >= 2;
}

static bool define_port(struct distributor *d, const struct dist_statement *s, u16 port) {
    struct dist_def *def = def_get(d, s->dvipa, port, true);
    if (!def) return false;
    def->options = s->options;
    def->dests = s->dests;
    memcpy(def->dest, s->dest, sizeof def->dest);
    return true;
}

/* Rows that came before the VDPT was there (lists of a takeover), or whose port was deleted and is defined again, are counted now. */
static void count_rows(struct distributor *d, const struct dist_vipa *v, u64 now) {
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(&d->vcrt, r)) != NULL;) {
        if (!ipaddr_eq(r->key.dvipa, v->addr) || r->port) continue;
        struct vdpt_port *p = vdpt_find(&d->vdpt, r->key.dvipa, r->key.dport);
        if (!p || !(p->t[r->target].flags & VDPT_IN)) continue;
        r->port = p->index;
        vdpt_count(p, r->target, true);
        dist_affinity_opened(d, p, r, now);
    }
}

/* The definitions of this stack have changed: if it routes, or now begins to, everybody is told. */
static void redefined(struct distributor *d, struct dist_vipa *v, u64 now) {
    struct sysplex_dvipa s;
    if (!sysplex_dvipa(d->sx, v->addr, &s) || !s.active_here) return;
    v->mask = s.mask;
    v->mine = true;
    if (!v->routing) {
        dist_start_routing(d, v, s.epoch, now);
        return;
    }
    dist_build(d, v);
    count_rows(d, v, now);
    dist_due(d, &v->config_due);
    dist_due(d, &v->listeners_due);
    dist_role(d, v, now);
}

int distributor_define(struct distributor *d, const struct dist_statement *s, u64 now) {
    if (s->options.method == DIST_HOTSTANDBY && !standby_is_right(s)) return -ERR_INVAL;
    struct dist_vipa *v = dist_vipa_get(d, s->dvipa);
    if (!v) return -ERR_NOMEM;
    bool ok = s->ports > 0 || define_port(d, s, 0);
    for (u32 i = 0; ok && i < s->ports; i++) ok = define_port(d, s, s->port[i]);
    redefined(d, v, now);
    return ok ? 0 : -ERR_NOMEM;
}

int distributor_delete(struct distributor *d, const struct dist_statement *s, u64 now) {
    struct dist_vipa *v = dist_vipa_find(d, s->dvipa);
    u32 gone = 0;
    if (!v) return -ERR_NOENT;
    /* A routing stack that goes by what it was sent (another one's OBEYFILE, say) is the only one that can take it back. */
    bool own = !v->routing || dist_own_in_force(d, v);
    LIST_FOR_EACH_SAFE(n, next, &d->def_list) {
        struct dist_def *def = LIST_ENTRY(n, struct dist_def, node);
        if (def->own != own || !ipaddr_eq(def->dvipa, s->dvipa)) continue;
        bool named = s->ports == 0;
        for (u32 i = 0; i < s->ports; i++) named |= s->port[i] == def->port;
        if (named) def_del(d, def), gone++;
    }
    if (!gone) return -ERR_NOENT;
    /* What it was sent as a backup does not come to life by that. */
    if (v->routing && own) dist_forget_learnt(d, v->addr);
    redefined(d, v, now);
    return 0;
}

void distributor_forget(struct distributor *d, struct ipaddr dvipa, u64 now) {
    struct dist_statement all = {.dvipa = dvipa};
    /* Not what it was sent: the next owner goes on by that. */
    if (dist_has_defs(d, dvipa, true)) distributor_delete(d, &all, now);
}

/* ---- the VDPT ---- */

/* Rows of the VCRT that name the port are counted by nobody any more: its index may be used again. */
void dist_port_del(struct distributor *d, struct vdpt_port *p) {
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(&d->vcrt, r)) != NULL;)
        if (r->port == p->index) r->port = 0;
    vdpt_del(&d->vdpt, p);
}

static void set_targets(struct distributor *d, struct vdpt_port *p, const struct dist_def *def) {
    for (u32 i = 0; i < DIST_TARGETS_MAX; i++) {
        const struct dist_dest *dest = NULL;
        bool in = d->slot[i].used && (i == SLOT_SELF || d->slot[i].peer) &&
                  dist_def_names(def, distributor_slot_addr(d, i), &dest);
        if (!in) {
            if (p->t[i].flags & VDPT_IN) vdpt_target_del(p, i);
            continue;
        }
        vdpt_target_add(p, i);
        p->t[i].weight = dest ? dest->weight : VDPT_WEIGHT_DEFAULT;
        p->t[i].rank = dest ? dest->rank : 0;
    }
}

static void build_port(struct distributor *d, const struct dist_def *def, struct vdpt_port *p) {
    vdpt_set_method(p, (enum dist_method)def->options.method);
    p->flags = (u8)((p->flags & VDPT_DYNAMIC) | (def->options.flags & PORT_FLAGS_SENT));
    p->affinity_sec = def->options.affinity_sec;
    set_targets(d, p, def);
    vdpt_weigh(p);
}

void dist_build(struct distributor *d, struct dist_vipa *v) {
    bool own = dist_own_in_force(d, v);
    /* Ports whose definition has gone go; passive ones are a target's own. */
    for (struct vdpt_port *p = vdpt_walk(&d->vdpt, NULL), *next; p; p = next) {
        next = vdpt_walk(&d->vdpt, p);
        if (!ipaddr_eq(p->dvipa, v->addr) || (p->flags & VDPT_PASSIVE)) continue;
        const struct dist_def *def = v->routing ? dist_def_of(d, v, p->port) : NULL;
        if (!def || (def->port != p->port && !(p->flags & VDPT_DYNAMIC)))
            dist_port_del(d, p);
        else
            build_port(d, def, p);
    }
    if (!v->routing) return;
    LIST_FOR_EACH(n, &d->def_list) {
        const struct dist_def *def = LIST_ENTRY(n, struct dist_def, node);
        struct vdpt_port *p = vdpt_find(&d->vdpt, v->addr, def->port);
        if (def->own != own || !ipaddr_eq(def->dvipa, v->addr)) continue;
        if (p) {
            /* A learnt or passive row that a definition now names is that definition's. */
            if (p->flags & (VDPT_DYNAMIC | VDPT_PASSIVE)) p->flags = 0, build_port(d, def, p);
            continue;
        }
        if (vdpt_add(&d->vdpt, v->addr, def->port, (enum dist_method)def->options.method, &p) < 0)
            d->count.ports_full++;
        else
            build_port(d, def, p);
    }
    dist_weigh(d);
}

/* ---- routing begins and ends ---- */

static u32 slots_up(const struct distributor *d) {
    u32 set = 0;
    for (u32 i = 1; i < DIST_TARGETS_MAX; i++)
        if (d->slot[i].used && d->slot[i].peer) set |= 1u << i;
    return set;
}

void dist_start_routing(struct distributor *d, struct dist_vipa *v, u32 epoch, u64 now) {
    v->owner = NULL;
    v->config_of = NULL;
    v->gave = false;
    v->epoch = epoch;
    v->heirs = v->holders = 0;
    v->said_all = false;
    v->routing = dist_has_defs(d, v->addr, true) || dist_has_defs(d, v->addr, false);
    if (!v->routing) return;
    d->count.takeovers++;
    v->awaiting = slots_up(d);
    v->awaiting_until = now + DIST_AWAIT_US;
    v->lists_due = false;
    dist_ports_start(v);
    dist_build(d, v);
    dist_own_rows(d, v, now);
    count_rows(d, v, now);
    dist_due(d, &v->config_due);
    dist_role(d, v, now);
    dist_copy_takeover(d, v, now);
    dist_listeners_send(d, v, now); /* its own, at once: a SYN may be the next packet */
}

/* Whoever routes now hears of the connections from their targets; they stay where they are. Until it has told its own next owners of them
 * this stack remembers what it knew, for it may be one of those; and it tells the next one (dist_copy_give()). */
void dist_stop_routing(struct distributor *d, struct dist_vipa *v, u64 now) {
    v->routing = false;
    v->gave = true;
    v->awaiting = 0;
    v->config_due = false;
    for (struct vdpt_port *p = vdpt_walk(&d->vdpt, NULL), *next; p; p = next) {
        next = vdpt_walk(&d->vdpt, p);
        if (ipaddr_eq(p->dvipa, v->addr)) dist_port_del(d, p);
    }
    dist_copy_before(d, v);
    for (struct vcrt_row *r = vcrt_walk(&d->vcrt, NULL), *next; r; r = next) {
        next = vcrt_walk(&d->vcrt, r);
        if (!ipaddr_eq(r->key.dvipa, v->addr)) continue;
        dist_copy_keep(d, r, now);
        r->flags &= (u8)~VCRT_COPIED; /* it has not ended */
        vcrt_del(&d->vcrt, r);
    }
    dist_affinity_forget(d, v->addr);
}

/* ---- what this stack is to a DVIPA ---- */

static bool serves(const struct distributor *d, const struct dist_vipa *v) {
    bool own = dist_own_in_force(d, v);
    LIST_FOR_EACH(n, &d->def_list) {
        const struct dist_def *def = LIST_ENTRY(n, struct dist_def, node);
        const struct dist_dest *dest;
        if (def->own == own && ipaddr_eq(def->dvipa, v->addr) && dist_def_names(def, sysplex_dynxcf(d->sx), &dest))
            return true;
    }
    return false;
}

/* SYSPLEXPORTS of one statement is meant for the address. */
static bool shares_ports(const struct distributor *d, const struct dist_vipa *v) {
    bool own = dist_own_in_force(d, v);
    LIST_FOR_EACH(n, &d->def_list) {
        const struct dist_def *def = LIST_ENTRY(n, struct dist_def, node);
        if (def->own == own && ipaddr_eq(def->dvipa, v->addr) && def->options.sysplexports) return true;
    }
    return false;
}

void dist_role(struct distributor *d, struct dist_vipa *v, u64 now) {
    v->target = serves(d, v);
    v->sysplexports = shares_ports(d, v);
    dist_ports_second(d, v, now);
    /* The owner has the address in HOME by itself; as a target it keeps it hidden when it gives it away. Until the stack is in sync no
     * program of it may begin anything from the address: a member that does not know this stack may own it next (dist_target.c). */
    bool may = v->routing || sysplex_state(d->sx) == SYSPLEX_IN_SYNC;
    bool want = (v->target && may) || (v->hidden && dist_local_conns(d, v->addr) > 0);
    if (want != v->hidden) {
        int rc = sysplex_target(d->sx, v->addr, v->mask, want, now);
        if (rc == 0) v->hidden = want;
        if (rc < 0 && want) d->count.drop_no_target++;
    }
    /* Behind a DELETE of everything it still routes what there is, but distributes nothing. */
    bool distributes = v->routing && dist_has_defs(d, v->addr, dist_own_in_force(d, v));
    u8 diststat = (u8)((distributes ? 1 : 0) | (v->target ? 2 : 0));
    if (diststat != v->diststat) sysplex_diststat(d->sx, v->addr, v->diststat = diststat, now);
}

/* ---- CONFIG ---- */

int dist_config_send(struct distributor *d, struct dist_vipa *v, const struct sysplex_peer *to, u64 now) {
    struct distmsg_config c = {.dvipa = v->addr, .mask = v->mask, .epoch = v->epoch};
    bool own = dist_own_in_force(d, v);
    u32 at = DISTMSG_CONFIG_HEAD;
    LIST_FOR_EACH(n, &d->def_list) {
        const struct dist_def *def = LIST_ENTRY(n, struct dist_def, node);
        struct distmsg_port row = {.port = def->port, .targets = def->dests};
        if (def->own != own || !ipaddr_eq(def->dvipa, v->addr)) continue;
        if (c.ports == DISTMSG_PORTS_MAX || at + distmsg_port_bytes(&row) > MESSAGE_MAX) {
            d->count.ports_full++;
            break;
        }
        row.method = def->options.method;
        row.flags = def->options.flags & PORT_FLAGS_SENT;
        row.affinity_sec = def->options.affinity_sec;
        row.optlocal = def->options.optlocal;
        for (u32 i = 0; i < def->dests; i++)
            row.target[i] = (struct distmsg_target){def->dest[i].dynxcf, def->dest[i].weight, def->dest[i].rank};
        at += distmsg_port_emit(d->out + at, &row);
        c.ports++;
        c.sysplexports |= def->options.sysplexports;
    }
    distmsg_config_emit(d->out, &c);
    int rc = dist_send(d, to, DISTMSG_CONFIG, at, now);
    if (rc == 0) d->count.configs_sent++;
    return rc;
}

void dist_forget_learnt(struct distributor *d, struct ipaddr dvipa) {
    LIST_FOR_EACH_SAFE(n, next, &d->def_list) {
        struct dist_def *def = LIST_ENTRY(n, struct dist_def, node);
        if (!def->own && ipaddr_eq(def->dvipa, dvipa)) def_del(d, def);
    }
}

static void learn_ports(struct distributor *d, const struct distmsg_config *c, const u8 *p) {
    u32 at = DISTMSG_CONFIG_HEAD;
    dist_forget_learnt(d, c->dvipa);
    for (u32 i = 0; i < c->ports; i++) {
        struct distmsg_port row;
        at = distmsg_port_next(p, at, &row);
        struct dist_def *def = def_get(d, c->dvipa, row.port, false);
        if (!def) return;
        def->options = (struct dist_options){.method = row.method,
                                             .flags = row.flags,
                                             .sysplexports = c->sysplexports,
                                             .optlocal = row.optlocal,
                                             .affinity_sec = row.affinity_sec};
        def->dests = row.targets;
        for (u32 t = 0; t < row.targets; t++)
            def->dest[t] = (struct dist_dest){row.target[t].dynxcf, row.target[t].weight, row.target[t].rank};
    }
}

/* Connections that were listed because this stack was about to own the address, which is another's now: it is told of them, and of their ends. */
static void forget_listed(struct distributor *d, const struct dist_vipa *v) {
    for (struct vcrt_row *r = vcrt_walk(&d->vcrt, NULL), *next; r; r = next) {
        next = vcrt_walk(&d->vcrt, r);
        if (ipaddr_eq(r->key.dvipa, v->addr)) vcrt_del(&d->vcrt, r);
    }
}

void dist_config_in(struct distributor *d, struct sysplex_peer *from, const u8 *p, u32 len, u64 now) {
    struct distmsg_config c;
    if (!distmsg_config_check(p, len, DIST_METHODS, PORT_FLAGS_SENT)) {
        d->count.drop_form++;
        return;
    }
    distmsg_config_parse(p, &c);
    struct dist_vipa *v = dist_vipa_get(d, c.dvipa);
    if (!v) return;
    /* An earlier owner's last words, overtaken by the present one's (or by our own ownership). */
    if ((i32)(c.epoch - v->epoch) < 0 || (v->routing && c.epoch == v->epoch)) {
        d->count.drop_stale++;
        return;
    }
    d->count.configs_in++;
    if (v->routing) dist_stop_routing(d, v, now);
    /* Who it is may be known already, and who could ask nobody comes up with the epoch of one that has died: he has to be given the lists, too. */
    bool new_owner = v->owner != from || v->config_of != from || v->epoch != c.epoch;
    if (new_owner) dist_copy_before(d, v), forget_listed(d, v);
    v->owner = from;
    v->config_of = from;
    v->gave = false;
    v->epoch = c.epoch;
    v->mask = c.mask;
    learn_ports(d, &c, p);
    dist_role(d, v, now);
    if (new_owner) dist_due(d, &v->lists_due);
    if (new_owner && v->blocks) dist_due(d, &v->held_due);
    dist_due(d, &v->listeners_due);
}
