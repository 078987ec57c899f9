/* dvipa_conf.c - what configures a DVIPA: VIPADYNAMIC statements, bind(), ioctl(), the operator; and their conflicts.
 *
 * Before the stack is a member all statements are taken as they come; dvipa_config_check() then applies the conflict
 * table against what the group has, after each joining.
 */
#include "sysplex/dvipa_impl.h"

#include "net/stack_impl.h"

/* ---- the conflict table ---- */

struct conflict {
    u8 first, second;
    u8 same, different, different_disruptive;
};
#define ROW(f, s, a, b, c)                                                                                             \
    { DVIPA_##f, DVIPA_##s, DVIPA_##a, DVIPA_##b, DVIPA_##c }
/* different_disruptive: the first is DISRUPTIVE, or for VIPADEFINE the second is WHENIDLE. */
static const struct conflict conflicts[] = {
    /*   first      second     same stack  other stack    other, DISRUPTIVE or WHENIDLE */
    ROW(BIND,      BIND,      OK,      MOVES,        FAILS),
    ROW(BIND,      IOCTL,     OK_WARN, MOVES_DELETE, MOVES_DELETE),
    ROW(BIND,      DEFINE,    FAILS,   FAILS,        FAILS),
    ROW(BIND,      BACKUP_OF, FAILS,   FAILS,        FAILS),
    ROW(IOCTL,     BIND,      OK,      FAILS,        FAILS),
    ROW(IOCTL,     IOCTL,     OK_WARN, MOVES,        MOVES_DELETE),
    ROW(IOCTL,     DEFINE,    FAILS,   FAILS,        FAILS),
    ROW(IOCTL,     BACKUP_OF, FAILS,   FAILS,        FAILS),
    ROW(DEFINE,    BIND,      OK,      FAILS,        FAILS),
    ROW(DEFINE,    IOCTL,     FAILS,   FAILS,        FAILS),
    ROW(DEFINE,    DEFINE,    IGNORED, MOVES,        MOVES_IDLE),
    ROW(DEFINE,    BACKUP_OF, FAILS,   OK,           OK),
    ROW(BACKUP_OF, BIND,      FAILS,   FAILS,        FAILS),
    ROW(BACKUP_OF, IOCTL,     FAILS,   FAILS,        FAILS),
    ROW(BACKUP_OF, DEFINE,    FAILS,   MOVES,        MOVES_IDLE),
    ROW(BACKUP_OF, BACKUP_OF, IGNORED, OK,           OK),
};

enum dvipa_verdict dvipa_conflict(enum dvipa_origin first, enum dvipa_origin second, bool same_stack,
                                  enum dvipa_moveable moveable) {
    bool hard = moveable == DVIPA_DISRUPTIVE || moveable == DVIPA_WHENIDLE;
    for (u32 i = 0; i < ARRAY_LEN(conflicts); i++) {
        const struct conflict *c = &conflicts[i];
        if (c->first != first || c->second != second) continue;
        return (enum dvipa_verdict)(same_stack ? c->same : hard ? c->different_disruptive : c->different);
    }
    return DVIPA_OK; /* nothing there yet */
}

/* Does the owner elsewhere, if there is one, allow second? */
static enum dvipa_verdict against_owner(const struct dvipa *d, enum dvipa_origin second, enum dvipa_moveable m) {
    const struct dvipa_row *r = dvipa_row_of(d, d->owner);
    if (!r) return DVIPA_OK;
    bool by_statement = second == DVIPA_DEFINE || second == DVIPA_BACKUP_OF;
    return dvipa_conflict((enum dvipa_origin)r->origin, second, false,
                          by_statement ? m : (enum dvipa_moveable)r->moveable);
}

/* ---- statements ---- */

static int address_check(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask) {
    if (ipaddr_is_any(addr) || ipaddr_is_loopback(addr) || ipaddr_is_multicast(addr) || ipaddr_is_broadcast(addr))
        return -ERR_INVAL;
    if (ipaddr_mask_bits(mask) < 0) return -ERR_INVAL;
    const struct home_entry *e = home_find(sx->stk, addr);
    return e && !(e->flags & HOME_DYNAMIC) ? -ERR_EXIST : 0;
}

static int statement(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask, enum dvipa_origin as, struct dvipa **out) {
    int rc = address_check(sx, addr, mask);
    if (rc) return rc;
    struct dvipa *d = dvipa_get(sx, addr);
    if (!d) return -ERR_NOMEM;
    *out = d;
    enum dvipa_origin here = dvipa_origin_of(d);
    if (here != DVIPA_NO_ORIGIN && here != DVIPA_TARGET) {
        if (dvipa_conflict(here, as, true, DVIPA_MOVEABLE_NA) == DVIPA_IGNORED) return -ERR_ALREADY;
        return -ERR_EXIST;
    }
    if (sx->state == SYSPLEX_IN_SYNC && against_owner(d, as, DVIPA_MOVEABLE_NA) == DVIPA_FAILS) return -ERR_EXIST;
    if (!ipaddr_is_any(mask)) d->mask = mask;
    return 0;
}

int dvipa_define(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask, enum dvipa_moveable m, u64 now) {
    struct dvipa *d;
    int rc = ipaddr_is_any(mask) ? -ERR_INVAL : statement(sx, addr, mask, DVIPA_DEFINE, &d);
    if (rc) return rc == -ERR_ALREADY ? 0 : rc;
    d->config |= CFG_DEFINE;
    d->moveable = (u8)m;
    d->want = true;
    dvipa_step(sx, d, DVIPA_EV_CONFIGURED, now);
    dvipa_touch(sx, d, true);
    return 0;
}

int dvipa_backup(struct sysplex *sx, struct ipaddr addr, u8 rank, struct ipaddr mask, enum dvipa_moveable m, u64 now) {
    struct dvipa *d;
    int rc = rank == 0 || rank == DVIPA_RANK_DEFINE ? -ERR_INVAL : statement(sx, addr, mask, DVIPA_BACKUP_OF, &d);
    if (rc) return rc == -ERR_ALREADY ? 0 : rc;
    d->config |= CFG_BACKUP;
    if (!ipaddr_is_any(mask)) d->config |= CFG_CREATE;
    d->rank = rank;
    d->moveable = (u8)(ipaddr_is_any(mask) ? DVIPA_MOVEABLE_NA : m);
    dvipa_step(sx, d, DVIPA_EV_CONFIGURED, now);
    dvipa_touch(sx, d, true);
    return 0;
}

static struct dvipa_range *range_find(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask) {
    LIST_FOR_EACH(n, &sx->dv.ranges) {
        struct dvipa_range *r = LIST_ENTRY(n, struct dvipa_range, node);
        if (ipaddr_eq(r->addr, addr) && ipaddr_eq(r->mask, mask)) return r;
    }
    return NULL;
}

int dvipa_range(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask, enum dvipa_moveable m, u64 now) {
    struct ipaddr net = ipaddr_v4(addr.v4 & mask.v4);
    UNUSED(now);
    if (ipaddr_mask_bits(mask) <= 0 || ipaddr_is_any(net) || ipaddr_is_loopback(addr) || ipaddr_is_multicast(addr))
        return -ERR_INVAL;
    struct dvipa_range *r = range_find(sx, net, mask);
    if (!r) {
        r = pool_get(&sx->dv.ranges_pool);
        if (!r) return -ERR_NOMEM;
        r->addr = net;
        r->mask = mask;
        /* Longest mask first, so that the first that covers an address is the most specific. */
        struct list *at = sx->dv.ranges.next;
        while (at != &sx->dv.ranges && LIST_ENTRY(at, struct dvipa_range, node)->mask.v4 >= mask.v4) at = at->next;
        list_add_between(&r->node, at->prev, at);
    }
    r->moveable = (u8)m;
    return 0;
}

int dvipa_range_delete(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask) {
    struct dvipa_range *r = range_find(sx, ipaddr_v4(addr.v4 & mask.v4), mask);
    if (!r) return -ERR_NOENT;
    list_del(&r->node);
    pool_put(&sx->dv.ranges_pool, r);
    return 0;
}

static const struct dvipa_range *range_of(struct sysplex *sx, struct ipaddr addr) {
    LIST_FOR_EACH(n, &sx->dv.ranges) {
        const struct dvipa_range *r = LIST_ENTRY(n, struct dvipa_range, node);
        if (ipaddr_in_subnet(addr, r->addr, r->mask)) return r;
    }
    return NULL;
}

int dvipa_delete(struct sysplex *sx, struct ipaddr addr, u64 now) {
    struct dvipa *d = dvipa_find(sx, addr);
    if (!d || !(d->config & CFG_ANY)) return -ERR_NOENT;
    d->config = 0;
    d->want = d->deactivated = false;
    d->yields = d->status == DVIPA_ACTIVE; /* the next in rank takes it before it goes */
    dvipa_touch(sx, d, true);
    if (sx->state == SYSPLEX_OUT) dvipa_config_end(sx, d, now);
    return 0;
}

int dvipa_deactivate(struct sysplex *sx, struct ipaddr addr, u64 now) {
    struct dvipa *d = dvipa_find(sx, addr);
    if (!d || !(d->config & CFG_STATEMENT)) return -ERR_NOENT;
    if (d->deactivated) return -ERR_ALREADY;
    d->deactivated = true;
    d->yields = d->status == DVIPA_ACTIVE;
    if (!d->yields) dvipa_step(sx, d, DVIPA_EV_DEACTIVATED, now);
    dvipa_touch(sx, d, true);
    return 0;
}

int dvipa_reactivate(struct sysplex *sx, struct ipaddr addr, u64 now) {
    struct dvipa *d = dvipa_find(sx, addr);
    if (!d || !(d->config & CFG_STATEMENT)) return -ERR_NOENT;
    if (!d->deactivated) return -ERR_ALREADY;
    d->deactivated = d->yields = false;
    d->want = d->config & CFG_DEFINE;
    dvipa_step(sx, d, DVIPA_EV_CONFIGURED, now);
    dvipa_touch(sx, d, true);
    return 0;
}

/* ---- what ends ---- */

/* It gives the address up although nobody takes it. */
static void goes_down(struct sysplex *sx, struct dvipa *d, enum dvipa_event e, u64 now) {
    d->yields = false;
    d->refs = 0;
    dvipa_break(sx, d, now);
    dvipa_step(sx, d, e, now);
}

void dvipa_config_end(struct sysplex *sx, struct dvipa *d, u64 now) {
    char text[IPADDR_TEXT_MAX];
    if (!(d->config & CFG_STATEMENT) && (d->config & CFG_BIND) && !(d->config & CFG_IOCTL) && !d->refs && !d->conns) {
        stack_message(sx->stk, "EZD1207I DYNAMIC VIPA %s WAS DELETED USING CLOSE API BY %s ON %s", dvipa_text(d, text),
                      d->jobname, sx->tcpname);
        d->config = 0;
    }
    if (d->status == DVIPA_MOVING && !d->conns && !d->refs && d->keep_until <= now) {
        d->keep_until = 0;
        dvipa_step(sx, d, DVIPA_EV_DRAINED, now);
    }
    if (d->status == DVIPA_BACKUP && d->deactivated) dvipa_step(sx, d, DVIPA_EV_DEACTIVATED, now);
    bool alone = !d->yields || sx->state != SYSPLEX_IN_SYNC || (d->claimant == SX_NOBODY && !dvipa_next_in_rank(sx, d));
    if (d->status == DVIPA_ACTIVE && alone && d->deactivated) goes_down(sx, d, DVIPA_EV_DEACTIVATED, now);
    if (!(d->config & CFG_ANY) && d->status != DVIPA_NONE && d->status != DVIPA_MOVING) {
        if (d->status != DVIPA_ACTIVE)
            dvipa_step(sx, d, DVIPA_EV_REMOVED, now);
        else if (alone)
            goes_down(sx, d, DVIPA_EV_REMOVED, now);
    }
    dvipa_home_sync(sx, d, now);
}

void dvipa_config_check(struct sysplex *sx, struct dvipa *d) {
    char text[IPADDR_TEXT_MAX];
    enum dvipa_origin mine = dvipa_origin_of(d);
    if (mine != DVIPA_DEFINE && mine != DVIPA_BACKUP_OF) return;
    if (against_owner(d, mine, DVIPA_MOVEABLE_NA) != DVIPA_FAILS) return;
    stack_message(sx->stk, "EZZ9654I %s %s WAS REJECTED", dvipa_origin_name(mine), dvipa_text(d, text));
    d->config = 0;
    d->want = false;
}

/* ---- bind() and ioctl() ---- */

/* A new DVIPA of a program: in a range, and nobody objects. */
static int make(struct sysplex *sx, struct ipaddr addr, enum dvipa_origin as, const char *jobname, u64 now) {
    const struct dvipa_range *r = range_of(sx, addr);
    struct dvipa *d = dvipa_find(sx, addr);
    if (sx->state != SYSPLEX_IN_SYNC) return r || (d && d->config) ? -ERR_AGAIN : -ERR_ADDRNOTAVAIL;
    if (!r) return -ERR_ADDRNOTAVAIL;
    if (d && (against_owner(d, as, DVIPA_MOVEABLE_NA) == DVIPA_FAILS || (d->config & CFG_STATEMENT)))
        return -ERR_ADDRNOTAVAIL;
    d = dvipa_get(sx, addr);
    if (!d) return -ERR_NOMEM;
    d->mask = r->mask;
    d->moveable = r->moveable;
    d->config |= as == DVIPA_BIND ? CFG_BIND : CFG_IOCTL;
    str_copy(d->jobname, sizeof d->jobname, jobname);
    d->want = true;
    dvipa_step(sx, d, DVIPA_EV_CONFIGURED, now);
    if (!d->lnk && dvipa_home_sync(sx, d, now)) {
        d->config = 0;
        dvipa_touch(sx, d, true);
        return -ERR_NOMEM;
    }
    dvipa_touch(sx, d, true);
    char text[IPADDR_TEXT_MAX];
    stack_message(sx->stk, "EZD1205I DYNAMIC VIPA %s WAS CREATED USING %s BY %s ON %s", dvipa_text(d, text),
                  as == DVIPA_BIND ? "BIND" : "IOCTL", jobname, sx->tcpname);
    return 0;
}

static int bind_absent(void *ctx, struct sock *s, struct ipaddr addr, u64 now) {
    struct sysplex *sx = ctx;
    struct dvipa *d = dvipa_find(sx, addr);
    int rc = 0;
    sysplex_poll_by(sx, 0);
    bool usable = d && d->lnk && (d->status == DVIPA_ACTIVE || d->status == DVIPA_CLAIMING || d->target);
    if (!usable) {
        if (d) d->refs++; /* so that it enters HOME at once, hidden until the others have agreed */
        rc = make(sx, addr, DVIPA_BIND, sock_jobname(s), now);
        if (d) d->refs--;
        d = dvipa_find(sx, addr);
    }
    if (rc == 0) d->refs++;
    if (rc == 0) rc = dvipa_home_sync(sx, d, now);
    return rc;
}

static void bind_released(void *ctx, struct ipaddr addr, u64 now) {
    struct sysplex *sx = ctx;
    struct dvipa *d = dvipa_find(sx, addr);
    UNUSED(now);
    if (!d || !d->refs) return;
    d->refs--;
    dvipa_touch(sx, d, false);
    sysplex_poll_by(sx, 0);
}

int dvipa_ioctl_define(struct sysplex *sx, struct ipaddr addr, const char *jobname, u64 now) {
    struct dvipa *d = dvipa_find(sx, addr);
    enum dvipa_origin here = d ? dvipa_origin_of(d) : DVIPA_NO_ORIGIN;
    bool mine = d && (d->status == DVIPA_ACTIVE || d->status == DVIPA_CLAIMING || d->want);
    sysplex_poll_by(sx, 0);
    if (mine && (here == DVIPA_BIND || here == DVIPA_IOCTL)) {
        d->config |= CFG_IOCTL; /* lives on when the socket that made it is closed */
        return -ERR_EXIST;
    }
    return make(sx, addr, DVIPA_IOCTL, jobname, now);
}

int dvipa_ioctl_delete(struct sysplex *sx, struct ipaddr addr, const char *jobname, u64 now) {
    struct dvipa *d = dvipa_find(sx, addr);
    char text[IPADDR_TEXT_MAX];
    if (!d || !(d->config & CFG_ANY) || parts_distribute(sx, addr)) return -ERR_NOENT;
    stack_message(sx->stk, "EZD1206I DYNAMIC VIPA %s WAS DELETED USING IOCTL BY %s ON %s", dvipa_text(d, text), jobname,
                  sx->tcpname);
    d->refs = 0;
    sysplex_poll_by(sx, 0);
    return dvipa_delete(sx, addr, now);
}

static int siocsvipa(void *ctx, bool define, struct ipaddr addr, const char *jobname, u64 now) {
    return define ? dvipa_ioctl_define(ctx, addr, jobname, now) : dvipa_ioctl_delete(ctx, addr, jobname, now);
}

static u32 cluster_type(void *ctx, struct ipaddr partner) {
    return sysplex_cluster_type(ctx, partner);
}

void dvipa_hooks(struct stack_hooks *h) {
    h->bind_absent = bind_absent;
    h->bind_released = bind_released;
    h->siocsvipa = siocsvipa;
    h->cluster_type = cluster_type;
}

void dvipa_fast_reset(struct sysplex *sx, bool on) {
    sx->dv.drop_unknown = !on;
}

/* ---- targets of distribution ---- */

int sysplex_target(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask, bool on, u64 now) {
    struct dvipa *d = on ? dvipa_get(sx, addr) : dvipa_find(sx, addr);
    if (!d) return on ? -ERR_NOMEM : 0;
    if (d->target == on) return 0;
    d->target = on;
    if (ipaddr_is_any(d->mask)) d->mask = mask;
    int rc = dvipa_home_sync(sx, d, now);
    if (rc) d->target = false;
    dvipa_touch(sx, d, true);
    return rc;
}

void sysplex_diststat(struct sysplex *sx, struct ipaddr addr, u8 bits, u64 now) {
    struct dvipa *d = dvipa_find(sx, addr);
    UNUSED(now);
    if (!d || d->dist == bits) return;
    d->dist = bits & 3;
    dvipa_touch(sx, d, true);
}
