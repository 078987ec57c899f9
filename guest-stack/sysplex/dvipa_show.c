/* dvipa_show.c - what displays ask of dynamic VIPAs: D TCPIP,,SYSPLEX,VIPADYN, NETSTAT VIPADYN and VIPADCFG. */
#include "sysplex/dvipa_impl.h"

static struct dvipa_line own_line(struct sysplex *sx, const struct dvipa *d) {
    struct dvipa_line l = {.addr = d->addr,
                           .mask = d->mask,
                           .local = true,
                           .status = (enum dvipa_status)d->status,
                           .origin = dvipa_origin_of(d),
                           .moveable = (enum dvipa_moveable)d->moveable,
                           .rank = d->config & CFG_BACKUP ? d->rank : 0,
                           .flags = (u8)(d->dist << 1 | (d->target ? DVIPA_ROW_DEST : 0)),
                           .active_since = d->active_since,
                           .connections = d->conns};
    if (d->lnk) str_copy(l.link, sizeof l.link, d->lnk->name);
    str_copy(l.tcpname, sizeof l.tcpname, sx->tcpname);
    str_copy(l.system, sizeof l.system, sx->sysname);
    return l;
}

static struct dvipa_line row_line(struct sysplex *sx, const struct dvipa *d, const struct dvipa_row *r) {
    const struct sysplex_peer *p = sysplex_peer_at(sx, r->peer);
    struct dvipa_line l = {.addr = d->addr,
                           .mask = d->mask,
                           .status = (enum dvipa_status)r->status,
                           .origin = (enum dvipa_origin)r->origin,
                           .moveable = (enum dvipa_moveable)r->moveable,
                           .rank = r->origin == DVIPA_BACKUP_OF ? r->rank : 0,
                           .flags = r->flags};
    if (d->lnk) str_copy(l.link, sizeof l.link, d->lnk->name);
    if (p) {
        str_copy(l.tcpname, sizeof l.tcpname, p->tcpname);
        str_copy(l.system, sizeof l.system, p->system);
    }
    return l;
}

static bool shown_here(const struct dvipa *d) {
    return d->status != DVIPA_NONE || d->target;
}

static bool show(struct sysplex *sx, const struct dvipa *d, bool local_only, bool (*row)(void *, const struct dvipa_line *),
                 void *ctx) {
    struct dvipa_line l;
    /* The owner's line first, then the others; within them this stack's first. */
    for (int owners = 1; owners >= 0; owners--) {
        if (shown_here(d) && (d->status == DVIPA_ACTIVE) == owners) {
            l = own_line(sx, d);
            if (!row(ctx, &l)) return false;
        }
        if (local_only) continue;
        LIST_FOR_EACH(n, &d->rows) {
            const struct dvipa_row *r = LIST_ENTRY(n, struct dvipa_row, of_dvipa);
            if ((r->status == DVIPA_ACTIVE) != owners) continue;
            l = row_line(sx, d, r);
            if (!row(ctx, &l)) return false;
        }
    }
    return true;
}

/* The one with the lowest address above `after`. */
static const struct dvipa *next_by_address(struct sysplex *sx, u32 after, bool first) {
    const struct dvipa *best = NULL;
    LIST_FOR_EACH(n, &sx->dv.all) {
        const struct dvipa *d = LIST_ENTRY(n, struct dvipa, node);
        if ((first || d->addr.v4 > after) && (!best || d->addr.v4 < best->addr.v4)) best = d;
    }
    return best;
}

void dvipa_for_each(struct sysplex *sx, bool local_only, bool (*row)(void *ctx, const struct dvipa_line *l), void *ctx) {
    const struct dvipa *d = next_by_address(sx, 0, true);
    for (; d; d = next_by_address(sx, d->addr.v4, false))
        if (!show(sx, d, local_only, row, ctx)) return;
}

void dvipa_config_for_each(struct sysplex *sx, void (*row)(void *ctx, const struct dvipa_config *c), void *ctx) {
    const struct dvipa *d = next_by_address(sx, 0, true);
    for (; d; d = next_by_address(sx, d->addr.v4, false)) {
        struct dvipa_config c = {.addr = d->addr,
                                 .mask = d->mask,
                                 .define = d->config & CFG_DEFINE,
                                 .backup = d->config & CFG_BACKUP,
                                 .create = d->config & CFG_CREATE,
                                 .deactivated = d->deactivated,
                                 .rank = d->rank,
                                 .moveable = (enum dvipa_moveable)d->moveable};
        if (c.define || c.backup) row(ctx, &c);
    }
}

void dvipa_range_for_each(struct sysplex *sx,
                          void (*row)(void *ctx, struct ipaddr addr, struct ipaddr mask, enum dvipa_moveable m), void *ctx) {
    LIST_FOR_EACH(n, &sx->dv.ranges) {
        const struct dvipa_range *r = LIST_ENTRY(n, struct dvipa_range, node);
        row(ctx, r->addr, r->mask, (enum dvipa_moveable)r->moveable);
    }
}

bool dvipa_configured(const struct sysplex *sx) {
    LIST_FOR_EACH(n, &sx->dv.all)
        if (LIST_ENTRY(n, struct dvipa, node)->config & CFG_STATEMENT) return true;
    return !list_empty(&sx->dv.ranges);
}

bool dvipa_settled(const struct sysplex *sx) {
    return sx->state == SYSPLEX_IN_SYNC && sx->dv.initial_told;
}

u32 dvipa_deactivated_count(const struct sysplex *sx) {
    u32 count = 0;
    LIST_FOR_EACH(n, &sx->dv.all) count += LIST_ENTRY(n, struct dvipa, node)->deactivated;
    return count;
}
