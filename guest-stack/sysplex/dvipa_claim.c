/* dvipa_claim.c - how a DVIPA gets its owner: who claims, CLAIM, GRANT and DENY. The rules stand in dvipa.h.
 *
 *   claim arrives at      and                                       answer
 *   ACTIVE                its epoch is not above ours               DENY (it has not heard of us)
 *                         when idle, and connections are open       none until the last has ended
 *                         else                                      give up; list; GRANT
 *   CLAIMING              ours is the better one                    DENY
 *                         else                                      abort ours; list; GRANT
 *   any other                                                       list, if connections live here; GRANT
 *
 * A claim message may bring thousands of rows (a system has died): all are decided, then one list is sent for all of
 * them, then one GRANT and one DENY message.
 */
#include "sysplex/dvipa_impl.h"

enum answer { ANSWER_NONE, ANSWER_GRANT, ANSWER_DENY };
#define CLAIM_ANSWER_AT 10 /* in a row of CLAIM: zero on the wire; here what was decided */

/* ---- who should have it ---- */

/* -1: may not have it. */
static i32 own_rank(const struct dvipa *d) {
    if (d->yields || d->deactivated) return -1;
    if (d->config & CFG_DEFINE) return DVIPA_RANK_DEFINE;
    if (d->config & CFG_BACKUP) return d->epoch || (d->config & CFG_CREATE) ? d->rank : -1;
    return d->config & (CFG_BIND | CFG_IOCTL) ? 0 : -1;
}

static i32 row_rank(const struct dvipa *d, const struct dvipa_row *r) {
    if (r->flags & DVIPA_ROW_YIELDS) return -1;
    if (r->status != DVIPA_BACKUP && r->status != DVIPA_MOVING && r->status != DVIPA_CLAIMING) return -1;
    if (r->origin == DVIPA_DEFINE) return DVIPA_RANK_DEFINE;
    if (r->origin == DVIPA_BACKUP_OF) return d->epoch || (r->flags & DVIPA_ROW_CREATE) ? r->rank : -1;
    return r->flags & DVIPA_ROW_LIVE ? 0 : -1;
}

static bool is_first(struct sysplex *sx, const struct dvipa *d) {
    i32 mine = own_rank(d);
    if (mine < 0) return false;
    LIST_FOR_EACH(n, &d->rows) {
        const struct dvipa_row *r = LIST_ENTRY(n, struct dvipa_row, of_dvipa);
        const struct peer *p = sx_peer(sx, r->peer);
        i32 theirs = row_rank(d, r);
        if (theirs > mine || (theirs == mine && p && strcmp(p->pub.name, sx->member_name) < 0)) return false;
    }
    return true;
}

bool dvipa_next_in_rank(struct sysplex *sx, const struct dvipa *d) {
    UNUSED(sx);
    LIST_FOR_EACH(n, &d->rows)
        if (row_rank(d, LIST_ENTRY(n, struct dvipa_row, of_dvipa)) >= 0) return true;
    return false;
}

/* Does the row a come before b? */
static bool outranks(struct sysplex *sx, const struct dvipa *d, const struct dvipa_row *a, const struct dvipa_row *b) {
    i32 left = row_rank(d, a), right = row_rank(d, b);
    return left != right ? left > right : strcmp(sx_peer(sx, a->peer)->pub.name, sx_peer(sx, b->peer)->pub.name) < 0;
}

u32 sysplex_heirs(struct sysplex *sx, struct ipaddr addr, struct sysplex_peer *heir[], u32 max) {
    const struct dvipa *d = dvipa_find(sx, addr);
    const struct dvipa_row *last = NULL;
    u32 n = 0;
    while (d && n < max) {
        const struct dvipa_row *best = NULL;
        LIST_FOR_EACH(it, &d->rows) {
            const struct dvipa_row *r = LIST_ENTRY(it, struct dvipa_row, of_dvipa);
            const struct peer *p = sx_peer(sx, r->peer);
            if (!p || !p->pub.up || row_rank(d, r) < 0 || r == last || (last && !outranks(sx, d, last, r))) continue;
            if (!best || outranks(sx, d, r, best)) best = r;
        }
        if (!best) break;
        heir[n++] = &sx_peer(sx, best->peer)->pub;
        last = best;
    }
    return n;
}

/* ---- claiming ---- */

static void claim(struct sysplex *sx, struct dvipa *d, u64 now) {
    const struct dvipa_row *owner = dvipa_row_of(d, d->owner);
    i32 rank = own_rank(d);
    d->claim_epoch = ++d->epoch;
    d->priority = rank < 0 ? 0 : (u8)rank;
    d->claim_flags = 0;
    if (d->want && owner) {
        bool by_ioctl = !(d->config & CFG_STATEMENT) && (d->config & CFG_IOCTL);
        if ((d->config & CFG_DEFINE) && d->moveable == DVIPA_WHENIDLE) d->claim_flags |= PLEXMSG_WHEN_IDLE;
        if (by_ioctl && (owner->origin == DVIPA_BIND || owner->moveable == DVIPA_DISRUPTIVE))
            d->claim_flags |= PLEXMSG_DELETE;
    }
    d->former = owner && !(d->claim_flags & PLEXMSG_DELETE) ? d->owner : SX_NOBODY;
    d->claimant = SX_SELF;
    d->claim_due = true;
    SX_COUNT(sx, claims);
    dvipa_step(sx, d, DVIPA_EV_CLAIM, now);
}

void dvipa_evaluate(struct sysplex *sx, struct dvipa *d, u64 now) {
    if (sx->state != SYSPLEX_IN_SYNC || now < sx->dv.retry_at) return;
    if (d->status != DVIPA_BACKUP && d->status != DVIPA_MOVING) return;
    if (!(d->config & CFG_ANY) || d->deactivated || d->claimant != SX_NOBODY) return;
    if (d->owner == SX_NOBODY) {
        if (d->want || is_first(sx, d)) claim(sx, d, now);
        return;
    }
    const struct dvipa_row *owner = dvipa_row_of(d, d->owner);
    if (d->want || (owner && (owner->flags & DVIPA_ROW_YIELDS) && is_first(sx, d))) claim(sx, d, now);
}

/* What says who had it, and how it came here. */
static void activated_message(struct sysplex *sx, struct dvipa *d) {
    char text[IPADDR_TEXT_MAX];
    dvipa_text(d, text);
    if (!d->last_tcp[0]) return;
    if (d->last_died || !(d->config & (CFG_DEFINE | CFG_BIND | CFG_IOCTL))) {
        SX_COUNT(sx, takeovers);
        stack_message(sx->stk, "EZZ8301I VIPA %s TAKEN OVER FROM %s ON %s", text, d->last_tcp, d->last_sys);
    } else {
        SX_COUNT(sx, takebacks);
        stack_message(sx->stk, "EZZ8302I VIPA %s TAKEN FROM %s ON %s", text, d->last_tcp, d->last_sys);
    }
    d->last_tcp[0] = '\0';
}

static void granted(struct sysplex *sx, struct dvipa *d, u64 now) {
    d->want = false;
    d->former_until = d->former != SX_NOBODY ? now + DVIPA_FORMER_US : 0;
    dvipa_step(sx, d, DVIPA_EV_GRANTED, now);
    activated_message(sx, d);
}

bool dvipa_claims_send(struct sysplex *sx, const struct list *batch, u64 now) {
    u32 len = 0, at = 0;
    if (list_empty(batch)) return true;
    u64 up = sysplex_up_set(sx);
    LIST_FOR_EACH(n, batch) {
        const struct dvipa *d = LIST_ENTRY(n, struct dvipa, due);
        if (!d->claim_due || len + PLEXMSG_CLAIM_ROW > PLEXMSG_DATA_MAX) continue;
        struct plexmsg_claim c = {.addr = d->addr, .mask = d->mask, .epoch = d->claim_epoch, .priority = d->priority};
        c.flags = d->claim_flags;
        plexmsg_claim_emit(sx->tx + len, &c);
        len += PLEXMSG_CLAIM_ROW;
    }
    if (!len) return true;
    if (sysplex_send(sx, NULL, PLEXMSG_CLAIM, sx->tx, len, now) == -ERR_NOBUFS) return false;
    bool all = true;
    LIST_FOR_EACH(n, batch) {
        struct dvipa *d = LIST_ENTRY(n, struct dvipa, due);
        if (!d->claim_due) continue;
        if (at == len) {
            all = false; /* did not fit: the rest goes with the next message */
            break;
        }
        at += PLEXMSG_CLAIM_ROW;
        d->claim_due = false;
        d->awaiting = up;
        if (!up) granted(sx, d, now);
    }
    return all;
}

/* ---- giving up ---- */

static void kept_or_not(struct sysplex *sx, struct dvipa *d, u64 now) {
    if (d->status == DVIPA_BACKUP && (d->conns || d->refs || d->keep_until > now))
        dvipa_step(sx, d, DVIPA_EV_KEPT, now);
    if (d->status == DVIPA_BACKUP && d->deactivated) dvipa_step(sx, d, DVIPA_EV_DEACTIVATED, now);
}

/* Packets can be sent to p over dynamic XCF: connections may stay. */
static bool reaches(const struct sysplex_peer *p) {
    return p->lnk && p->lnk->up;
}

static void give_up(struct sysplex *sx, struct dvipa *d, struct sysplex_peer *to, u8 flags, u64 now) {
    char text[IPADDR_TEXT_MAX];
    bool keep = reaches(to) && !(flags & PLEXMSG_DELETE);
    d->want = false;
    d->grant_to = SX_NOBODY;
    d->keep_until = keep ? now + DVIPA_HALFOPEN_US : 0;
    if (!keep) dvipa_break(sx, d, now);
    if (flags & PLEXMSG_DELETE) {
        d->config &= CFG_STATEMENT | CFG_CREATE;
        d->refs = 0;
    }
    dvipa_step(sx, d, DVIPA_EV_TAKEN, now);
    kept_or_not(sx, d, now);
    d->yields = false;
    d->claimant = to->index;
    SX_COUNT(sx, given);
    stack_message(sx->stk, keep ? "EZZ8303I VIPA %s GIVEN TO %s ON %s" : "EZZ8304I VIPA %s SURRENDERED TO %s ON %s",
                  dvipa_text(d, text), to->tcpname, to->system);
}

void dvipa_surrender(struct sysplex *sx, struct dvipa *d, struct sysplex_peer *to, u64 now) {
    give_up(sx, d, to, 0, now);
    d->claimant = SX_NOBODY;
    /* It is ACTIVE already and waits for no answer, but it has to know which connections live here. */
    d->grant_to = to->index;
    d->grant_epoch = d->epoch;
}

/* ---- answering ---- */

static void claim_lost(struct sysplex *sx, struct dvipa *d, enum dvipa_event e, u64 now) {
    dvipa_step(sx, d, e, now);
    kept_or_not(sx, d, now);
}

/* Of two claims for one DVIPA, is this stack's the better one? */
static bool mine_wins(const struct sysplex *sx, const struct dvipa *d, const struct plexmsg_claim *c,
                      const struct sysplex_peer *from) {
    if (d->claim_epoch != c->epoch) return d->claim_epoch > c->epoch;
    if (d->priority != c->priority) return d->priority > c->priority;
    return strcmp(sx->member_name, from->name) < 0;
}

static enum answer decide(struct sysplex *sx, struct dvipa *d, const struct plexmsg_claim *c, struct sysplex_peer *from,
                          u64 now) {
    if (d->status == DVIPA_ACTIVE) {
        if (c->epoch <= d->epoch) return ANSWER_DENY;
        if ((c->flags & PLEXMSG_WHEN_IDLE) && d->conns && !d->yields) {
            d->claimant = d->grant_to = from->index;
            d->grant_flags = c->flags;
            d->grant_epoch = c->epoch;
            return ANSWER_NONE;
        }
        give_up(sx, d, from, c->flags, now);
    } else if (d->status == DVIPA_CLAIMING) {
        if (mine_wins(sx, d, c, from)) return ANSWER_DENY;
        claim_lost(sx, d, DVIPA_EV_TAKEN, now);
    }
    if (c->priority == DVIPA_RANK_DEFINE) d->want = false; /* of two VIPADEFINEs at once the first stands */
    d->epoch = u32_max(d->epoch, c->epoch);
    d->claimant = from->index;
    d->listing = d->lnk != NULL;
    return ANSWER_GRANT;
}

/* The answers of one kind to the claims in rx. */
static void answers_send(struct sysplex *sx, struct sysplex_peer *to, enum answer which, u32 len, u64 now) {
    struct plexmsg_claim c;
    u32 n = 0;
    for (u32 at = 0; at + PLEXMSG_CLAIM_ROW <= len; at += PLEXMSG_CLAIM_ROW) {
        if (sx->rx[at + CLAIM_ANSWER_AT] != which) continue;
        plexmsg_claim_parse(sx->rx + at, &c);
        const struct dvipa *d = dvipa_find(sx, c.addr);
        struct plexmsg_answer a = {.addr = c.addr, .epoch = c.epoch, .value = d ? d->epoch : 0};
        plexmsg_answer_emit(sx->tx + n, &a);
        n += PLEXMSG_ANSWER_ROW;
    }
    if (!n) return;
    if (which == ANSWER_GRANT) sx->count.grants += n / PLEXMSG_ANSWER_ROW;
    if (which == ANSWER_DENY) sx->count.denials += n / PLEXMSG_ANSWER_ROW;
    if (sysplex_send(sx, to, which == ANSWER_GRANT ? PLEXMSG_GRANT : PLEXMSG_DENY, sx->tx, n, now) != -ERR_NOBUFS) return;
    /* No room: each is answered by itself as soon as there is. */
    for (u32 at = 0; at + PLEXMSG_CLAIM_ROW <= len; at += PLEXMSG_CLAIM_ROW) {
        struct dvipa *d = dvipa_find(sx, ipaddr_get(sx->rx + at));
        if (!d || sx->rx[at + CLAIM_ANSWER_AT] != which || d->status == DVIPA_ACTIVE) continue;
        d->grant_to = to->index;
        d->grant_epoch = be32_get(sx->rx + at + 4);
        dvipa_touch(sx, d, false);
    }
}

void dvipa_claim_message(struct sysplex *sx, struct sysplex_peer *from, const u8 *data, u32 len, u64 now) {
    struct plexmsg_claim c;
    CHECK(data == sx->rx);
    if (len % PLEXMSG_CLAIM_ROW) SX_COUNT(sx, drop_row);
    for (u32 at = 0; at + PLEXMSG_CLAIM_ROW <= len; at += PLEXMSG_CLAIM_ROW) {
        struct dvipa *d = plexmsg_claim_parse(data + at, &c) ? dvipa_get(sx, c.addr) : NULL;
        if (!d) SX_COUNT(sx, drop_row);
        if (d && ipaddr_is_any(d->mask)) d->mask = c.mask;
        sx->rx[at + CLAIM_ANSWER_AT] = (u8)(d ? decide(sx, d, &c, from, now) : ANSWER_NONE);
        if (d) dvipa_touch(sx, d, false);
    }
    if (dvipa_list_connections(sx, from, now)) {
        answers_send(sx, from, ANSWER_GRANT, len, now);
    } else {
        for (u32 at = 0; at + PLEXMSG_CLAIM_ROW <= len; at += PLEXMSG_CLAIM_ROW) {
            struct dvipa *d = dvipa_find(sx, ipaddr_get(sx->rx + at));
            if (!d || sx->rx[at + CLAIM_ANSWER_AT] != ANSWER_GRANT) continue;
            d->grant_to = from->index;
            d->grant_epoch = be32_get(sx->rx + at + 4);
        }
    }
    answers_send(sx, from, ANSWER_DENY, len, now);
}

void dvipa_waiting_grant(struct sysplex *sx, struct dvipa *d, u64 now) {
    struct sysplex_peer *to = sysplex_peer_at(sx, d->grant_to);
    u8 row[PLEXMSG_ANSWER_ROW];
    if (!to) {
        d->grant_to = SX_NOBODY;
        return;
    }
    if (d->status == DVIPA_ACTIVE) {
        if (d->conns && !d->yields) return;
        u8 index = to->index;
        give_up(sx, d, to, d->grant_flags, now);
        d->grant_to = index;
        d->epoch = u32_max(d->epoch, d->grant_epoch);
    }
    d->listing = d->lnk != NULL;
    if (!dvipa_list_connections(sx, to, now)) return;
    struct plexmsg_answer a = {.addr = d->addr, .epoch = d->grant_epoch};
    plexmsg_answer_emit(row, &a);
    if (sysplex_send(sx, to, PLEXMSG_GRANT, row, sizeof row, now) == -ERR_NOBUFS) return;
    SX_COUNT(sx, grants);
    d->grant_to = SX_NOBODY;
}

void dvipa_awaited_gone(struct sysplex *sx, struct dvipa *d, u8 peer, u64 now) {
    if (d->status != DVIPA_CLAIMING || !(d->awaiting & sx_bit(peer))) return;
    d->awaiting &= ~sx_bit(peer);
    if (!d->awaiting) granted(sx, d, now);
}

void dvipa_answer_message(struct sysplex *sx, struct sysplex_peer *from, u8 kind, const u8 *data, u32 len, u64 now) {
    struct plexmsg_answer a;
    if (len % PLEXMSG_ANSWER_ROW) SX_COUNT(sx, drop_row);
    for (u32 at = 0; at + PLEXMSG_ANSWER_ROW <= len; at += PLEXMSG_ANSWER_ROW) {
        plexmsg_answer_parse(data + at, &a);
        struct dvipa *d = dvipa_find(sx, a.addr);
        /* Of a claim that is no more. */
        if (!d || d->status != DVIPA_CLAIMING || a.epoch != d->claim_epoch || !(d->awaiting & sx_bit(from->index))) continue;
        if (kind == PLEXMSG_GRANT) {
            dvipa_awaited_gone(sx, d, from->index, now);
            continue;
        }
        d->epoch = u32_max(d->epoch, a.value);
        sx->dv.retry_at = now + DVIPA_RETRY_US;
        claim_lost(sx, d, DVIPA_EV_DENIED, now);
    }
}
