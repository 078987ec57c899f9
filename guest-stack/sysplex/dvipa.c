/* dvipa.c - the table of dynamic VIPAs: states, what the peers say, and the work of each poll. See dvipa.h. */
#include "sysplex/dvipa_impl.h"

/* ---- the state machine ---- */

static const char *const status_names[DVIPA_STATUSES] = {"NONE", "BACKUP", "CLAIMING", "ACTIVE", "MOVING", "DEACTIVATED"};
static const char *const event_names[DVIPA_EVENTS] = {"CONFIGURED", "CLAIM", "GRANTED",     "TAKEN",   "DENIED",
                                                      "KEPT",       "DRAINED", "DEACTIVATED", "REMOVED", "LEFT"};
static const char *const origin_names[DVIPA_ORIGINS] = {"", "VIPADEFINE", "VIPABACKUP", "VIPARANGE BIND", "VIPARANGE IOCTL",
                                                        "VIPADISTRIBUTE"};
static const char *const moveable_names[DVIPA_MOVEABLES] = {"", "IMMEDIATE", "WHENIDLE", "NONDISR", "DISRUPT"};

/* A cell of 0 (NONE) that is not written means "no change"; +1 keeps NONE itself writable. */
#define TO(s) ((DVIPA_##s) + 1)
static const u8 table[DVIPA_STATUSES][DVIPA_EVENTS] = {
    [DVIPA_NONE] = {[DVIPA_EV_CONFIGURED] = TO(BACKUP), [DVIPA_EV_KEPT] = TO(MOVING)},
    [DVIPA_BACKUP] = {[DVIPA_EV_CLAIM] = TO(CLAIMING),
                      [DVIPA_EV_KEPT] = TO(MOVING),
                      [DVIPA_EV_DEACTIVATED] = TO(DEACTIVATED),
                      [DVIPA_EV_REMOVED] = TO(NONE)},
    [DVIPA_CLAIMING] = {[DVIPA_EV_GRANTED] = TO(ACTIVE),
                        [DVIPA_EV_TAKEN] = TO(BACKUP),
                        [DVIPA_EV_DENIED] = TO(BACKUP),
                        [DVIPA_EV_DEACTIVATED] = TO(DEACTIVATED),
                        [DVIPA_EV_REMOVED] = TO(NONE),
                        [DVIPA_EV_LEFT] = TO(BACKUP)},
    [DVIPA_ACTIVE] = {[DVIPA_EV_TAKEN] = TO(BACKUP),
                      [DVIPA_EV_DEACTIVATED] = TO(DEACTIVATED),
                      [DVIPA_EV_REMOVED] = TO(NONE),
                      [DVIPA_EV_LEFT] = TO(BACKUP)},
    [DVIPA_MOVING] = {[DVIPA_EV_CLAIM] = TO(CLAIMING),
                      [DVIPA_EV_DRAINED] = TO(BACKUP),
                      [DVIPA_EV_LEFT] = TO(BACKUP)},
    [DVIPA_DEACTIVATED] = {[DVIPA_EV_CONFIGURED] = TO(BACKUP), [DVIPA_EV_REMOVED] = TO(NONE)},
};

enum dvipa_status dvipa_next(enum dvipa_status s, enum dvipa_event e) {
    u8 to = table[s][e];
    return to ? (enum dvipa_status)(to - 1) : s;
}
const char *dvipa_status_name(enum dvipa_status s) {
    return (u32)s < DVIPA_STATUSES ? status_names[s] : "UNKNOWN";
}
const char *dvipa_event_name(enum dvipa_event e) {
    return (u32)e < DVIPA_EVENTS ? event_names[e] : "UNKNOWN";
}
const char *dvipa_origin_name(enum dvipa_origin o) {
    return (u32)o < DVIPA_ORIGINS ? origin_names[o] : "UNKNOWN";
}
const char *dvipa_moveable_name(enum dvipa_moveable m) {
    return (u32)m < DVIPA_MOVEABLES ? moveable_names[m] : "UNKNOWN";
}

/* ---- the table ---- */

size_t dvipa_bytes(const struct sysplex_config *c) {
    return hash_bytes(c->dvipas) + (sizeof(struct dvipa) + 16) * (size_t)c->dvipas +
           (sizeof(struct dvipa_row) + 16) * (size_t)c->dvipa_rows + (sizeof(struct dvipa_range) + 16) * (size_t)c->ranges + 96;
}

bool dvipa_init(struct sysplex *sx, struct arena *a) {
    struct dvipa_table *t = &sx->dv;
    list_init(&t->all);
    list_init(&t->due);
    list_init(&t->ranges);
    return pool_init(&t->pool, "DVIPA", a, sizeof(struct dvipa), sx->conf.dvipas) &&
           pool_init(&t->rows, "DVIPAROW", a, sizeof(struct dvipa_row), sx->conf.dvipa_rows) &&
           pool_init(&t->ranges_pool, "VIPARANGE", a, sizeof(struct dvipa_range), sx->conf.ranges) &&
           hash_init(&t->hash, a, sx->conf.dvipas);
}

struct dvipa *dvipa_find(struct sysplex *sx, struct ipaddr addr) {
    struct dvipa *d = sx->dv.last_hit;
    if (d && ipaddr_eq(d->addr, addr)) return d;
    struct hash_row *r = *hash_head(&sx->dv.hash, hash1(&sx->key, addr.v4));
    while (r && !ipaddr_eq(((struct dvipa *)(void *)r)->addr, addr)) r = r->next;
    if (r) sx->dv.last_hit = (struct dvipa *)(void *)r;
    return (struct dvipa *)(void *)r;
}

struct dvipa *dvipa_get(struct sysplex *sx, struct ipaddr addr) {
    struct dvipa *d = dvipa_find(sx, addr);
    if (d) return d;
    d = pool_get(&sx->dv.pool);
    if (!d) {
        SX_COUNT(sx, rows_full);
        return NULL;
    }
    *d = (struct dvipa){.addr = addr, .owner = SX_NOBODY, .claimant = SX_NOBODY, .grant_to = SX_NOBODY, .former = SX_NOBODY};
    list_init(&d->rows);
    list_init(&d->due);
    list_push_back(&sx->dv.all, &d->node);
    hash_add(&sx->dv.hash, hash1(&sx->key, addr.v4), &d->hash);
    return d;
}

/* Nobody in the sysplex knows it any more. */
static void forget_if_idle(struct sysplex *sx, struct dvipa *d) {
    if (d->status != DVIPA_NONE || d->config || d->lnk || d->target || d->refs || d->conns || d->tell) return;
    if (!list_empty(&d->rows)) return;
    if (sx->dv.last_hit == d) sx->dv.last_hit = NULL;
    hash_del(&sx->dv.hash, hash1(&sx->key, d->addr.v4), &d->hash);
    list_del(&d->node);
    list_del(&d->due);
    pool_put(&sx->dv.pool, d);
}

struct dvipa_row *dvipa_row_of(const struct dvipa *d, u8 peer) {
    LIST_FOR_EACH(n, &d->rows) {
        struct dvipa_row *r = LIST_ENTRY(n, struct dvipa_row, of_dvipa);
        if (r->peer == peer) return r;
    }
    return NULL;
}

void dvipa_touch(struct sysplex *sx, struct dvipa *d, bool tell) {
    d->tell |= tell;
    if (!list_is_in(&d->due)) list_push_back(&sx->dv.due, &d->due);
}

const char *dvipa_text(const struct dvipa *d, char *out) {
    return ipaddr_text(d->addr, out);
}

enum dvipa_origin dvipa_origin_of(const struct dvipa *d) {
    if (d->config & CFG_DEFINE) return DVIPA_DEFINE;
    if (d->config & CFG_BACKUP) return DVIPA_BACKUP_OF;
    if (d->config & CFG_IOCTL) return DVIPA_IOCTL;
    if (d->config & CFG_BIND) return DVIPA_BIND;
    return d->target ? DVIPA_TARGET : DVIPA_NO_ORIGIN;
}

void dvipa_view(struct sysplex *sx, const struct dvipa *d, struct sysplex_dvipa *out) {
    *out = (struct sysplex_dvipa){.addr = d->addr,
                                  .mask = d->mask,
                                  .active_here = d->status == DVIPA_ACTIVE,
                                  .moving_here = d->status == DVIPA_MOVING,
                                  .home_here = d->lnk != NULL,
                                  .owned = d->owner != SX_NOBODY,
                                  .epoch = d->epoch};
    out->owner = sysplex_peer_at(sx, d->owner);
    const struct dvipa_row *row = out->owner ? dvipa_row_of(d, d->owner) : NULL;
    out->distributed = row ? (row->flags & DVIPA_ROW_DIST) != 0 : out->active_here && (d->dist & 1);
}

bool sysplex_dvipa(struct sysplex *sx, struct ipaddr addr, struct sysplex_dvipa *out) {
    const struct dvipa *d = dvipa_find(sx, addr);
    if (d) dvipa_view(sx, d, out);
    return d != NULL;
}

static void changed(struct sysplex *sx, struct dvipa *d, u64 now) {
    struct sysplex_dvipa view;
    dvipa_view(sx, d, &view);
    parts_dvipa_changed(sx, &view, now);
}

void dvipa_step(struct sysplex *sx, struct dvipa *d, enum dvipa_event e, u64 now) {
    enum dvipa_status was = d->status;
    d->status = (u8)dvipa_next(was, e);
    if (d->status == was) return;
    if (was == DVIPA_ACTIVE) d->owner = SX_NOBODY;
    /* The next owner is told by each stack that has connections. Until one is known, packets may still come here. */
    if (was == DVIPA_MOVING || (was == DVIPA_ACTIVE && (e != DVIPA_EV_TAKEN || d->keep_until <= now))) moved_clear(sx, d->addr, NULL);
    if (was == DVIPA_CLAIMING) {
        if (d->status != DVIPA_ACTIVE) moved_clear(sx, d->addr, NULL); /* listed for a claim that is no more: the next one has lists of its own */
        d->awaiting = 0;
        d->claim_due = false;
        if (d->claimant == SX_SELF) d->claimant = SX_NOBODY;
    }
    if (d->status == DVIPA_ACTIVE) {
        d->owner = SX_SELF;
        d->active_since = now;
    }
    int rc = dvipa_home_sync(sx, d, now);
    char text[IPADDR_TEXT_MAX];
    if (rc) stack_message(sx->stk, "PLX0502E DYNAMIC VIPA %s COULD NOT BE ADDED TO THE HOME LIST", dvipa_text(d, text));
    dvipa_touch(sx, d, true);
    changed(sx, d, now);
}

void dvipa_set_owner(struct sysplex *sx, struct dvipa *d, u8 owner, u64 now) {
    const struct peer *p;
    if (d->owner == owner) return;
    d->owner = owner;
    if ((p = sx_peer(sx, owner)) != NULL) {
        str_copy(d->last_tcp, sizeof d->last_tcp, p->pub.tcpname);
        str_copy(d->last_sys, sizeof d->last_sys, p->pub.system);
        d->last_died = false;
        if (d->status != DVIPA_CLAIMING) moved_clear(sx, d->addr, NULL);
    }
    dvipa_touch(sx, d, false);
    changed(sx, d, now);
}

/* ---- rows of the peers ---- */

static void row_drop(struct sysplex *sx, struct dvipa_row *r) {
    list_del(&r->of_dvipa);
    list_del(&r->of_peer);
    pool_put(&sx->dv.rows, r);
}

/* Who says that it is the owner since the one of that epoch, SX_NOBODY if nobody does. Rows of different peers arrive in any order: an owner that a
 * claim has been granted to may have been heard before the former one's last word as such; and of an earlier one the last word may not have come. */
static u8 owner_by_rows(const struct dvipa *d, u32 since) {
    const struct dvipa_row *best = NULL;
    LIST_FOR_EACH(n, &d->rows) {
        const struct dvipa_row *r = LIST_ENTRY(n, struct dvipa_row, of_dvipa);
        if (r->status == DVIPA_ACTIVE && r->epoch > since && (!best || r->epoch > best->epoch)) best = r;
    }
    return best ? best->peer : SX_NOBODY;
}

/* Others have known a later owner than this one, who came up when it heard of nobody: they would take its words for an earlier owner's. */
static void epoch_of_others(struct sysplex *sx, struct dvipa *d, u32 epoch, u64 now) {
    if (epoch <= d->epoch) return;
    d->epoch = epoch;
    if (d->status != DVIPA_ACTIVE) return;
    dvipa_touch(sx, d, true);
    changed(sx, d, now);
}

/* Who owns and who claims, by what a peer now says. */
static void row_means(struct sysplex *sx, struct dvipa *d, const struct plexmsg_dvipa *m, struct sysplex_peer *from, u32 had_epoch, u64 now) {
    if (d->claimant == from->index && m->status != DVIPA_CLAIMING) d->claimant = SX_NOBODY;
    if (m->status == DVIPA_CLAIMING && d->claimant == SX_NOBODY) d->claimant = from->index;
    if (m->status != DVIPA_ACTIVE) {
        epoch_of_others(sx, d, m->epoch, now);
        if (d->owner == from->index) dvipa_set_owner(sx, d, owner_by_rows(d, had_epoch), now);
        return;
    }
    if (d->status == DVIPA_ACTIVE) {
        bool theirs = m->epoch > d->epoch || (m->epoch == d->epoch && strcmp(from->name, sx->member_name) < 0);
        if (theirs)
            dvipa_surrender(sx, d, from, now);
        else
            dvipa_touch(sx, d, true); /* it hears of ours, and gives way */
        if (!theirs) return;
    }
    if (m->epoch < d->epoch && d->owner != SX_NOBODY) return; /* older than what is known: it will hear so */
    d->epoch = u32_max(d->epoch, m->epoch);
    dvipa_set_owner(sx, d, from->index, now);
}

static void row_in(struct sysplex *sx, struct sysplex_peer *from, const struct plexmsg_dvipa *m, u64 now) {
    struct dvipa *d = m->status == DVIPA_NONE && !(m->flags & DVIPA_ROW_DEST) ? dvipa_find(sx, m->addr) : dvipa_get(sx, m->addr);
    if (!d) return;
    struct dvipa_row *r = dvipa_row_of(d, from->index);
    if (!r && (m->status != DVIPA_NONE || (m->flags & DVIPA_ROW_DEST))) {
        r = pool_get(&sx->dv.rows);
        if (!r) {
            SX_COUNT(sx, rows_full);
            return;
        }
        r->d = d;
        r->peer = from->index;
        list_push_back(&d->rows, &r->of_dvipa);
        list_push_back(&sx->peer[from->index].dvipas, &r->of_peer);
    }
    u8 was = r ? r->status : DVIPA_NONE;
    u32 had_epoch = r ? r->epoch : 0;
    if (r) {
        r->status = m->status;
        r->origin = m->origin;
        r->moveable = m->moveable;
        r->rank = m->rank;
        r->flags = m->flags;
        r->epoch = m->epoch;
        if (m->status == DVIPA_NONE && !(m->flags & DVIPA_ROW_DEST)) row_drop(sx, r);
    }
    if (ipaddr_is_any(d->mask)) d->mask = m->mask;
    row_means(sx, d, m, from, had_epoch, now);
    /* Its last moved connection has ended, or it has let go of them. */
    if (was == DVIPA_MOVING && m->status != DVIPA_MOVING && m->status != DVIPA_CLAIMING) moved_clear(sx, d->addr, from);
    dvipa_touch(sx, d, false);
}

static void rows_in(struct sysplex *sx, struct sysplex_peer *from, const u8 *data, u32 len, u64 now) {
    struct plexmsg_dvipa m;
    for (u32 at = 0; at + PLEXMSG_DVIPA_ROW <= len; at += PLEXMSG_DVIPA_ROW) {
        if (plexmsg_dvipa_parse(data + at, &m))
            row_in(sx, from, &m, now);
        else
            SX_COUNT(sx, drop_row);
    }
    if (len % PLEXMSG_DVIPA_ROW) SX_COUNT(sx, drop_row);
}

static void message(void *ctx, struct sysplex_peer *from, u8 kind, const u8 *data, u32 len, u64 now) {
    struct sysplex *sx = ctx;
    switch (kind) {
    case PLEXMSG_DVIPA: rows_in(sx, from, data, len, now); break;
    case PLEXMSG_CLAIM: dvipa_claim_message(sx, from, data, len, now); break;
    case PLEXMSG_GRANT:
    case PLEXMSG_DENY: dvipa_answer_message(sx, from, kind, data, len, now); break;
    default: dvipa_conn_message(sx, from, data, len, now); break;
    }
}

/* ---- telling ---- */

static u32 row_emit(const struct dvipa *d, u8 *p) {
    struct plexmsg_dvipa m = {.addr = d->addr, .mask = d->mask, .status = d->status, .epoch = d->epoch, .rank = d->rank};
    m.origin = (u8)dvipa_origin_of(d);
    m.moveable = d->moveable;
    m.flags = (u8)(d->dist << 1);
    if (d->yields || d->deactivated) m.flags |= DVIPA_ROW_YIELDS;
    if (d->target) m.flags |= DVIPA_ROW_DEST;
    if (d->config & (CFG_CREATE | CFG_DEFINE)) m.flags |= DVIPA_ROW_CREATE;
    if (d->config & (CFG_BIND | CFG_IOCTL)) m.flags |= DVIPA_ROW_LIVE;
    if (d->status == DVIPA_CLAIMING) m.epoch = d->claim_epoch;
    plexmsg_dvipa_emit(p, &m);
    return PLEXMSG_DVIPA_ROW;
}

static void tell(void *ctx, struct sysplex_peer *to, u64 now) {
    struct sysplex *sx = ctx;
    u32 len = 0;
    LIST_FOR_EACH(n, &sx->dv.all) {
        const struct dvipa *d = LIST_ENTRY(n, struct dvipa, node);
        if (d->status == DVIPA_NONE && !d->target) continue;
        len += row_emit(d, sx->tx + len);
        if (len + PLEXMSG_DVIPA_ROW <= PLEXMSG_DATA_MAX) continue;
        sysplex_send(sx, to, PLEXMSG_DVIPA, sx->tx, len, now);
        len = 0;
    }
    if (len) sysplex_send(sx, to, PLEXMSG_DVIPA, sx->tx, len, now);
}

/* Rows of all that is due; false: no room, they stay due. */
static bool changes_send(struct sysplex *sx, const struct list *batch, u64 now) {
    u32 len = 0;
    bool sent = true;
    LIST_FOR_EACH(n, batch) {
        struct dvipa *d = LIST_ENTRY(n, struct dvipa, due);
        if (!d->tell) continue;
        len += row_emit(d, sx->tx + len);
        if (len + PLEXMSG_DVIPA_ROW <= PLEXMSG_DATA_MAX) continue;
        sent &= sysplex_send(sx, NULL, PLEXMSG_DVIPA, sx->tx, len, now) != -ERR_NOBUFS;
        len = 0;
    }
    if (len) sent &= sysplex_send(sx, NULL, PLEXMSG_DVIPA, sx->tx, len, now) != -ERR_NOBUFS;
    return sent;
}

/* ---- the part ---- */

static void in_sync(void *ctx, u64 now) {
    struct sysplex *sx = ctx;
    UNUSED(now);
    LIST_FOR_EACH(n, &sx->dv.all) {
        struct dvipa *d = LIST_ENTRY(n, struct dvipa, node);
        dvipa_config_check(sx, d);
        dvipa_touch(sx, d, true);
    }
}

/* DVIPAs of statements stay configured; what programs made is gone, and so are all connections. */
static void left(void *ctx, u64 now) {
    struct sysplex *sx = ctx;
    LIST_FOR_EACH_SAFE(n, next, &sx->dv.all) {
        struct dvipa *d = LIST_ENTRY(n, struct dvipa, node);
        d->claimant = d->grant_to = SX_NOBODY;
        d->yields = d->list_due = false;
        d->keep_until = 0; /* nobody listens to it here any more: what comes late must not be answered */
        d->config &= CFG_DEFINE | CFG_BACKUP | CFG_CREATE;
        d->refs = 0;
        d->target = false;
        d->epoch = 0;
        d->want = d->config & CFG_DEFINE;
        if (d->lnk) dvipa_break(sx, d, now);
        dvipa_step(sx, d, DVIPA_EV_LEFT, now);
        if (!d->config) dvipa_step(sx, d, DVIPA_EV_REMOVED, now);
        dvipa_home_sync(sx, d, now);
        d->tell = false;
    }
    sx->dv.initial_told = false;
}

static void peer_down(void *ctx, struct sysplex_peer *p, u64 now) {
    struct sysplex *sx = ctx;
    struct peer *peer = &sx->peer[p->index];
    moved_peer_down(sx, p);
    for (struct list *n; (n = list_pop_front(&peer->dvipas));) {
        struct dvipa_row *r = LIST_ENTRY(n, struct dvipa_row, of_peer);
        dvipa_touch(sx, r->d, false);
        row_drop(sx, r);
    }
    LIST_FOR_EACH(n, &sx->dv.all) {
        struct dvipa *d = LIST_ENTRY(n, struct dvipa, node);
        if (d->claimant == p->index) d->claimant = SX_NOBODY, dvipa_touch(sx, d, false);
        if (d->grant_to == p->index) d->grant_to = SX_NOBODY;
        if (d->former == p->index) d->former = SX_NOBODY;
        if (d->owner == p->index) {
            dvipa_set_owner(sx, d, SX_NOBODY, now);
            d->last_died = true;
        }
        dvipa_awaited_gone(sx, d, p->index, now);
    }
}

/* EZD1214I: once after each joining, when nothing of the profile waits any more. */
static void initial_message(struct sysplex *sx) {
    if (sx->dv.initial_told || sx->state != SYSPLEX_IN_SYNC) return;
    LIST_FOR_EACH(n, &sx->dv.all)
        if (LIST_ENTRY(n, struct dvipa, node)->status == DVIPA_CLAIMING) return;
    sx->dv.initial_told = true;
    stack_message(sx->stk, "EZD1214I INITIAL DYNAMIC VIPA PROCESSING HAS COMPLETED FOR %s", sx->tcpname);
}

/* What was touched since the last poll, in three passes: decide, ask and tell, and let go of what needs no more. Whatever
 * is touched by that, or could not be sent, is looked at again. */
static u64 poll(void *ctx, u64 now) {
    struct sysplex *sx = ctx;
    struct dvipa_table *t = &sx->dv;
    struct list batch;
    u64 next = TIME_NEVER;
    if (sx->state == SYSPLEX_OUT) return TIME_NEVER;
    list_init(&batch);
    for (struct list *n; (n = list_pop_front(&t->due));) list_push_back(&batch, n);
    LIST_FOR_EACH(n, &batch) {
        struct dvipa *d = LIST_ENTRY(n, struct dvipa, due);
        if (d->grant_to != SX_NOBODY) dvipa_waiting_grant(sx, d, now);
        if (d->list_due) dvipa_list_again(sx, d, now);
        dvipa_config_end(sx, d, now);
        dvipa_evaluate(sx, d, now);
    }
    bool sent = dvipa_claims_send(sx, &batch, now);
    sent &= changes_send(sx, &batch, now);
    bool retry = t->retry_at > now;
    if (!sent) next = now + 10 * USEC_PER_MSEC;
    if (retry) next = u64_min(next, t->retry_at);
    for (struct list *n; (n = list_pop_front(&batch));) {
        struct dvipa *d = LIST_ENTRY(n, struct dvipa, due);
        if (sent) d->tell = false;
        if (d->keep_until > now) next = u64_min(next, d->keep_until);
        if (d->list_due) next = u64_min(next, now + 10 * USEC_PER_MSEC);
        if (!sent || retry || d->keep_until > now || d->grant_to != SX_NOBODY || d->list_due)
            list_push_back(&t->due, &d->due);
        else
            forget_if_idle(sx, d);
    }
    initial_message(sx);
    return next;
}

/* The former owner's list has no handshakes, and what it accepts while the OSAs still bring it SYNs is told on another way than
 * the client's next segment takes. So for a while a segment that nobody here knows goes there, and he answers it or resets it. */
static bool ask_former(struct sysplex *sx, const struct dvipa *d, struct pkt *p, u64 now) {
    struct sysplex_peer *former = now < d->former_until ? sysplex_peer_at(sx, d->former) : NULL;
    if (!former || sx_from_peer(p) || p->in->type == LNK_LOOPBACK || !dvipa_unknown(sx, p, false)) return false;
    if (parts_distribute(sx, d->addr)) return false; /* the distributor has its own list, and it has all */
    SX_COUNT(sx, asked_former);
    sysplex_forward(sx, former, p, now);
    return true;
}

/* Fast connection reset where an earlier connection from the same port is in TIME_WAIT: that would acknowledge whatever comes, and the
 * client of a lost connection would never hear of its loss. */
static bool reset_lost(struct sysplex *sx, const struct dvipa *d, struct pkt *p, u64 now) {
    if (parts_distribute(sx, d->addr) || !dvipa_beyond(sx, p)) return false;
    SX_COUNT(sx, reset_past_time_wait);
    tcp_refuse(sx->stk, p, now);
    return true;
}

/* Given away, and a station of the LAN has not noticed: what is no connection of this stack is the new owner's, as soon as there is
 * one. Until then a SYN is accepted here, for the OSAs deliver to the former owner a little longer so that none is lost. */
static bool ask_owner(struct sysplex *sx, const struct dvipa *d, struct pkt *p, u64 now) {
    struct sysplex_peer *owner = d->status == DVIPA_MOVING && !d->target ? sysplex_peer_at(sx, d->owner) : NULL;
    /* What comes by HiperSockets the owner has sent (forward.c). */
    if (!owner || sx_from_peer(p) || p->in->type == LNK_IPAQIDIO || p->in->type == LNK_LOOPBACK || !dvipa_unknown(sx, p, true)) return false;
    SX_COUNT(sx, asked_owner);
    sysplex_forward(sx, owner, p, now);
    return true;
}

static enum sysplex_verdict packet(void *ctx, struct pkt *p, u64 now) {
    struct sysplex *sx = ctx;
    const struct dvipa *d = dvipa_find(sx, p->dst);
    if (!d || d->status == DVIPA_ACTIVE) {
        if (d && sx->dv.drop_unknown && dvipa_unknown(sx, p, false)) return SYSPLEX_TAKEN;
        if (moved_packet(sx, p, now) == SYSPLEX_TAKEN) return SYSPLEX_TAKEN;
        return d && (ask_former(sx, d, p, now) || reset_lost(sx, d, p, now)) ? SYSPLEX_TAKEN : SYSPLEX_PASS;
    }
    /* Not the owner, or not yet: a stranger's segment must not be answered, least of all by a reset. */
    bool inside = sx_from_peer(p) || p->in->type == LNK_IPAQIDIO || p->in->type == LNK_LOOPBACK;
    if (d->status == DVIPA_CLAIMING && !d->conns && !inside) {
        SX_COUNT(sx, drop_claiming);
        return SYSPLEX_TAKEN;
    }
    if (d->status == DVIPA_MOVING && d->owner == SX_NOBODY && moved_packet(sx, p, now) == SYSPLEX_TAKEN) return SYSPLEX_TAKEN;
    return ask_owner(sx, d, p, now) ? SYSPLEX_TAKEN : SYSPLEX_PASS;
}

static void conn_opened(void *ctx, const struct tcp_key *key, struct tcb *conn, u64 now) {
    UNUSED(conn);
    dvipa_conn_change(ctx, key, true, now);
}
static void conn_closed(void *ctx, const struct tcp_key *key, struct tcb *conn, u64 now) {
    UNUSED(conn);
    dvipa_conn_change(ctx, key, false, now);
}
/* It was in the list for the present owner perhaps: as a moved one it would draw the client's next SYN from that port here. */
static void half_open_ended(void *ctx, const struct tcp_key *key, u32 peer_isn, u64 now) {
    UNUSED(peer_isn);
    dvipa_conn_tell(ctx, key, false, now);
}

const struct sysplex_part_ops dvipa_part = {
    .name = "DVIPA",
    .kind_first = PLEXMSG_DVIPA,
    .kind_last = PLEXMSG_CONN,
    .message = message,
    .in_sync = in_sync,
    .left = left,
    .tell = tell,
    .peer_down = peer_down,
    .poll = poll,
    .packet = packet,
    .conn_opened = conn_opened,
    .conn_closed = conn_closed,
    .half_open_ended = half_open_ended,
};
