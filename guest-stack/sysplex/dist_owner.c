/* dist_owner.c - the routing stack's side of the talk: what targets report, stacks that come and go, rows that grow old. See
 * distributor.h.
 */
#include "base/str.h"
#include "sysplex/dist_impl.h"

/* ---- slots ---- */

u32 dist_slot_of(const struct distributor *d, const struct sysplex_peer *p) {
    for (u32 i = 1; i < DIST_TARGETS_MAX; i++)
        if (d->slot[i].used && d->slot[i].peer == p) return i;
    return VDPT_NOBODY;
}

/* Its connections, if it has any from earlier, come with its answer to CONFIG, which is not awaited. */
static void enter_target(struct distributor *d) {
    LIST_FOR_EACH(n, &d->vipa_list) {
        struct dist_vipa *v = LIST_ENTRY(n, struct dist_vipa, node);
        if (v->routing) dist_build(d, v);
    }
}

void dist_peer_up(void *ctx, struct sysplex_peer *p, u64 now) {
    struct distributor *d = ctx;
    /* Without a dynamic XCF address there is no way to it. */
    if (ipaddr_is_any(p->dynxcf) || dist_slot_of(d, p) != VDPT_NOBODY) return;
    for (u32 i = 1; i < DIST_TARGETS_MAX; i++) {
        if (d->slot[i].used) continue;
        d->slot[i] = (struct dist_slot){.dynxcf = p->dynxcf, .peer = p, .used = true};
        d->slots_top = u32_max(d->slots_top, i + 1);
        enter_target(d);
        dist_copy_peer_up(d, now);
        return;
    }
    d->count.slots_full++;
}

/* Its client would wait for minutes, or for ever if it only reads. */
static void reset_row(struct distributor *d, struct vcrt_row *row, u64 now) {
    const struct dist_vipa *v = dist_vipa_find(d, row->key.dvipa);
    /* An unanswered SYN is repeated and goes elsewhere; an ended connection has nobody who waits. */
    if (v && v->routing && row->state != VCRT_SYN && row->state != VCRT_ENDED) {
        d->count.resets_sent++;
        dist_copy_lost(d, row, now);
    }
    vcrt_del(&d->vcrt, row);
}

static void empty_slot(struct distributor *d, u32 slot, u64 now) {
    for (struct vcrt_row *r; (r = vcrt_of_target(&d->vcrt, slot, NULL)) != NULL;) reset_row(d, r, now);
    dist_copy_slot_gone(d, slot, now);
    dist_affinity_slot_gone(d, slot);
    dist_ports_slot_gone(d, slot);
    d->slot[slot] = (struct dist_slot){.used = false};
}

void dist_peer_down(void *ctx, struct sysplex_peer *p, u64 now) {
    struct distributor *d = ctx;
    u32 slot = dist_slot_of(d, p);
    if (slot != VDPT_NOBODY) {
        d->slot[slot].peer = NULL; /* dist_build() takes it out of every port */
        for (struct vdpt_port *port = NULL; (port = vdpt_walk(&d->vdpt, port)) != NULL;) vdpt_target_del(port, slot);
        empty_slot(d, slot, now);
    }
    LIST_FOR_EACH(n, &d->vipa_list) {
        struct dist_vipa *v = LIST_ENTRY(n, struct dist_vipa, node);
        if (v->owner == p) v->owner = NULL;
        if (v->config_of == p) v->config_of = NULL;
        v->heirs &= ~((u64)1 << p->index), v->holders &= ~((u64)1 << p->index); /* whoever has its number next has no copies */
        if (slot != VDPT_NOBODY) v->awaiting &= ~(1u << slot);
    }
    dist_weigh(d);
}

void dist_reach(struct distributor *d) {
    u32 down = 0;
    for (u32 i = 1; i < d->slots_top; i++) {
        const struct dist_slot *s = &d->slot[i];
        if (s->used && s->peer && !(s->peer->lnk && s->peer->lnk->up)) down |= 1u << i;
    }
    if (down == d->unreachable) return;
    d->unreachable = down;
    dist_weigh(d);
}

/* ---- LISTENERS ---- */

void dist_answered(struct dist_vipa *v, u32 slot) {
    v->awaiting &= ~(1u << slot);
}

/* The row of the VDPT that a listener belongs to; NULL: none, and none can be made. */
static struct vdpt_port *port_for(struct distributor *d, struct dist_vipa *v, u32 slot, u16 number) {
    struct vdpt_port *p = vdpt_find(&d->vdpt, v->addr, number);
    if (p) {
        /* Two stacks with a passive port of the same number: the later one has it. */
        if ((p->flags & VDPT_PASSIVE) && !(p->t[slot].flags & VDPT_IN)) {
            for (u32 t = 0; t < VDPT_TARGETS; t++)
                if (p->t[t].flags & VDPT_IN) vdpt_target_del(p, t);
            vdpt_target_add(p, slot);
        }
        return p;
    }
    struct vdpt_port *model = vdpt_find(&d->vdpt, v->addr, 0);
    if (model) {
        p = vdpt_learn(&d->vdpt, model, number);
    } else if (vdpt_add(&d->vdpt, v->addr, number, DIST_ROUNDROBIN, &p) == 0) {
        p->flags = VDPT_PASSIVE;
        vdpt_target_add(p, slot);
    } else {
        p = NULL;
    }
    if (!p) d->count.ports_full++;
    return p;
}

/* Learnt and passive ports go with their last listener; rows of theirs live on uncounted. */
static void drop_unused(struct distributor *d, const struct dist_vipa *v) {
    for (struct vdpt_port *p = vdpt_walk(&d->vdpt, NULL), *next; p; p = next) {
        u32 ready = 0;
        next = vdpt_walk(&d->vdpt, p);
        if (!ipaddr_eq(p->dvipa, v->addr) || !(p->flags & (VDPT_DYNAMIC | VDPT_PASSIVE))) continue;
        for (u32 t = 0; t < VDPT_TARGETS; t++) ready += p->t[t].ready;
        if (!ready) dist_port_del(d, p);
    }
}

void dist_set_ready(struct distributor *d, struct dist_vipa *v, u32 slot, const u8 *rows, u32 n) {
    for (struct vdpt_port *p = NULL; (p = vdpt_walk(&d->vdpt, p)) != NULL;)
        if (ipaddr_eq(p->dvipa, v->addr)) p->t[slot].ready = 0, p->t[slot].flags &= (u8)~VDPT_QUIESCED;
    for (u32 i = 0; i < n; i++, rows += DISTMSG_LISTENER_ROW) {
        u16 number = be16_get(rows), count = be16_get(rows + 2);
        struct vdpt_port *p = number ? port_for(d, v, slot, number) : NULL;
        if (!p || !(p->t[slot].flags & VDPT_IN)) continue;
        p->t[slot].ready = count;
        if (!count) p->t[slot].flags |= VDPT_QUIESCED;
    }
    drop_unused(d, v);
    dist_weigh(d);
}

/* The end of a target's first answer. What it had listed when the address began to move and does not list now has ended in between, and it told
 * the former owner so. */
static void end_unlisted(struct distributor *d, const struct dist_vipa *v, u32 slot, u64 now) {
    for (struct vcrt_row *r = NULL; (r = vcrt_of_target(&d->vcrt, slot, r)) != NULL;)
        if ((r->flags & (VCRT_MOVED | VCRT_LISTED)) == VCRT_MOVED && ipaddr_eq(r->key.dvipa, v->addr))
            dist_row_ended(d, slot, &r->key, 0, now);
}

void dist_listeners_in(struct distributor *d, struct sysplex_peer *from, const u8 *p, u32 len, u64 now) {
    u32 rows, slot = dist_slot_of(d, from);
    if (!distmsg_rows_check(len, DISTMSG_LISTENERS_HEAD, DISTMSG_LISTENER_ROW, &rows) || rows > LISTENERS_MAX) {
        d->count.drop_form++;
        return;
    }
    struct dist_vipa *v = dist_vipa_find(d, ipaddr_get(p));
    if (!v || !v->routing || be32_get(p + 4) != v->epoch || slot == VDPT_NOBODY) {
        d->count.drop_epoch++;
        return;
    }
    d->count.listeners_in++;
    if (v->awaiting >> slot & 1) end_unlisted(d, v, slot, now);
    dist_answered(v, slot);
    dist_copy_forget(d, v, slot); /* its own word is better than a copy of another's */
    dist_set_ready(d, v, slot, p + DISTMSG_LISTENERS_HEAD, rows);
    dist_ports_serve(d, v, now);
}

/* ---- CONNS ---- */

static void count_row(struct distributor *d, struct vcrt_row *row, u64 now) {
    struct vdpt_port *p = vdpt_find(&d->vdpt, row->key.dvipa, row->key.dport);
    if (!p || !(p->t[row->target].flags & VDPT_IN)) return;
    row->port = p->index;
    vdpt_count(p, row->target, true);
    dist_affinity_opened(d, p, row, now);
}

/* Is the row of another life of these ports than the one that slot tells of? One that is over is; and who calls himself (what he calls has not
 * answered: no isn) had told of the end of any before, though it may not have arrived. By an old isn the new life's end would be taken for a late one. */
static bool of_another_life(const struct vcrt_row *row, u32 slot, u32 isn, u8 flags) {
    if (row->target != slot || row->state == VCRT_ENDED) return true;
    return row->isn && !isn && (flags & VCRT_NEWCONN);
}

bool dist_row_opened(struct distributor *d, struct dist_vipa *v, u32 slot, const struct vcrt_key *k, u32 isn, u8 flags,
                     u64 now) {
    struct vcrt_row *row = vcrt_find(&d->vcrt, k);
    if (row && of_another_life(row, slot, isn, flags)) {
        /* A client's SYN went elsewhere while the target opened the same connection from its side: one row, the target's,
         * for only it can answer both (simultaneous open). A connection that stands is not taken from anybody. */
        if (row->target != slot && (row->state == VCRT_OPEN || row->state == VCRT_FIN)) return true;
        vcrt_del(&d->vcrt, row);
        row = NULL;
    }
    if (row) {
        row->flags |= flags & VCRT_LISTED;
        if (!row->isn) row->isn = isn; /* the former owner did not say which life */
        if (vcrt_step(&d->vcrt, row, VCRT_EV_OPENED, now)) dist_copy_note(d, row, true, now);
        return true;
    }
    row = vcrt_add(&d->vcrt, k, slot, VCRT_EV_OPENED, now);
    if (!row) return true; /* counted; the next resort has no better way to it */
    sysplex_poll_by(d->sx, d->age_at);
    row->isn = isn;
    row->flags = flags;
    d->count.opened++;
    dist_copy_note(d, row, true, now);
    if (v->routing) count_row(d, row, now);
    return true;
}

void dist_row_ended(struct distributor *d, u32 slot, const struct vcrt_key *k, u32 isn, u64 now) {
    struct vcrt_row *row = vcrt_find(&d->vcrt, k);
    if (!row || row->target != slot) return;
    /* The end of an earlier life of the same ports, told late. */
    if (isn && row->isn && isn != row->isn) {
        d->count.drop_isn++;
        return;
    }
    d->count.ended++;
    if (row->flags & VCRT_COPIED) dist_copy_note(d, row, false, now);
    vcrt_step(&d->vcrt, row, VCRT_EV_CLOSED, now);
}

static void conn_in(struct distributor *d, struct dist_vipa *v, struct sysplex_peer *from, const struct distmsg_conn *c,
                    u64 now) {
    u32 slot = dist_slot_of(d, from);
    struct vcrt_key k = {v->addr, c->client, c->dport, c->cport};
    if (c->what == DISTMSG_ASK) {
        if (v->owner == from) dist_asked(d, v, c, now);
    } else if (slot == VDPT_NOBODY) {
        d->count.drop_no_target++;
    } else if (c->what == DISTMSG_OPENED) {
        dist_row_opened(d, v, slot, &k, c->isn, VCRT_NEWCONN | VCRT_LISTED, now);
    } else {
        dist_row_ended(d, slot, &k, c->isn, now);
    }
}

void dist_conns_in(struct distributor *d, struct sysplex_peer *from, const u8 *p, u32 len, u64 now) {
    u32 rows;
    if (!distmsg_rows_check(len, DISTMSG_CONNS_HEAD, DISTMSG_CONN_ROW, &rows)) {
        d->count.drop_form++;
        return;
    }
    struct dist_vipa *v = dist_vipa_find(d, ipaddr_get(p));
    if (!v || be32_get(p + 4) != v->epoch || (!v->routing && v->owner != from)) {
        d->count.drop_epoch++;
        return;
    }
    d->count.conns_in++;
    for (u32 i = 0; i < rows; i++) {
        struct distmsg_conn c;
        if (distmsg_conn_parse(p + DISTMSG_CONNS_HEAD + (size_t)i * DISTMSG_CONN_ROW, &c))
            conn_in(d, v, from, &c, now);
        else
            d->count.drop_form++;
    }
}

/* ---- rows that grow old ---- */

/* In one round; what is left comes DIST_AGE_US later, so that 25,000 short connections a second leave the table as they came. */
#define AGE_ROUND_MAX 256u /* rows that go */
#define AGE_ASK_MAX   64u  /* questions, each a message */

static bool local_has(struct distributor *d, const struct vcrt_key *k) {
    struct tcp_key key = {k->dvipa, k->client, k->dport, k->cport};
    return tcp_known(sysplex_stack(d->sx), &key);
}

bool dist_age(struct distributor *d, u64 now) {
    struct vcrt_row *row;
    u32 asked = 0, rows = 0;
    for (; rows < AGE_ROUND_MAX && asked < AGE_ASK_MAX && (row = vcrt_due(&d->vcrt, now)) != NULL; rows++) {
        const struct dist_vipa *v = dist_vipa_find(d, row->key.dvipa);
        const struct dist_slot *s = &d->slot[row->target];
        bool ask = v && v->routing && s->peer;
        if (row->state == VCRT_ENDED || (row->target != SLOT_SELF && !ask) ||
            (row->target == SLOT_SELF && !local_has(d, &row->key))) {
            vcrt_del(&d->vcrt, row);
            continue;
        }
        if (row->target == SLOT_SELF) continue;
        d->count.asked++;
        asked++;
        ipaddr_put(d->out, v->addr);
        be32_put(d->out + 4, v->epoch);
        struct distmsg_conn c = {row->key.client, row->key.dport, row->key.cport, row->isn, DISTMSG_ASK};
        distmsg_conn_emit(d->out + DISTMSG_CONNS_HEAD, &c);
        /* What finds no room is asked again after its next patience. */
        dist_send(d, s->peer, DISTMSG_CONNS, DISTMSG_CONNS_HEAD + DISTMSG_CONN_ROW, now);
    }
    return rows == AGE_ROUND_MAX || asked == AGE_ASK_MAX;
}
