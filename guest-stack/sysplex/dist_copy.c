/* dist_copy.c - rows of the VCRT at the next owners, and clients whose server died together with the routing stack.
 *
 * A client that only reads sends nothing by which it could learn that its server is gone. While the routing stack lives it tells
 * such clients; when it was the server itself, or died with it, nobody else knew of the connection. So the routing stack copies
 * each row that lives longer than COPY_DELAY_US to the COPY_HEIRS_MAX next owners, in batches, and each end of such a row; a new
 * heir, and one to whom a message found no room, gets all rows again. Whoever becomes the routing stack knows then which rows had
 * a target that is gone (LOST). What other targets serve they list themselves, and its own connections have rows from then on.
 *
 *   copy's target      at the takeover               later
 *   is gone            the client is told            LOST_TRIES times within 2.1 s, or until it has answered that it is closed
 *   lives              waits for the target's list   dropped when the list is there; told if the target dies before
 *   is this stack      dropped: TCP has it
 *
 * The new routing stack may die, too, before it has told a client, heard from a target, or said a row to its own next owners. So nobody
 * forgets at a change of owner: what is known, the former owner's own rows as well, stays as a copy from before (VCRT_BEFORE) beside what
 * the new owner says. When all targets have answered, all clients of dead ones are told, and every next owner has all rows, the
 * routing stack says so to all stacks (COPY_END): only then is over what is still from before. It says so again when a stack has come,
 * for that one may have been another owner's next.
 *
 * An owner that does not distribute the address says none of that. His DISTSTAT shows it, and PLAIN_SEC later the copies of living targets go: he has
 * their connections by their own lists, and nobody would say when they end. Clients of dead ones are told by the stacks that know of them; what they
 * answer is reset by the owner, who has no such connection.
 *
 * Who gives the DVIPA away says to the next owner, before that one owns it, what he may not know: SYNs that no client has acknowledged the answer
 * of (BEGUN), rows that are too young to have been copied, and, if he is none of the next owners, all. Such a SYN may be late (XCF sends again what was
 * lost) and reach its target before that one has heard of a new owner: were the client's next SYN given to another, both would answer. So it goes
 * to the same target until that one has answered CONFIG; from then on it drops a former owner's SYN, and its list says whether one came before.
 *
 * The client of a row whose target dies while the routing stack lives is told in the same way, for what is told may be lost; until it has
 * heard, the next owners keep the copy.
 *
 * How a client is told, when nobody knows what it expects next (h = what it last acknowledged, as far as is known):
 *
 *   RST at h      h is exactly what it expects: the connection ends (RFC 5961 3.2). h lies in its window: it answers with an
 *                 ACK. Else it is silent.
 *   ACK at h - 1  outside of its window, which is nearly all of the number space: it answers with an ACK (RFC 9293 3.10.7.4). Twice, with
 *                 timestamps of which one is not old for it (tcp_probe_peer()).
 *
 * Either of both gets an answer whatever h is, but for h just behind the window's right edge. The answer has no row and says
 * what the client expects: the RST that it gets for it is exact. So a hint that is old, or missing, costs a round trip.
 */
#include "base/str.h"
#include "net/tcp.h"
#include "sysplex/dist_impl.h"
#include "wire/ip4.h"
#include "wire/tcphdr.h"

#define TCP_ACK_AT 8

#define COPY_BEGIN 1 /* all rows begin here: what you have is from before */
#define COPY_ASKS  2 /* an heir wants all rows */
#define COPY_END   4 /* what you still have from before is over */
#define AGAIN_US (100 * USEC_PER_MSEC) /* until the second time; then four times as long each */
/* Of a copy that is LOST: port is how often its client was told, used when it is told again, in units of 2^10 us. */
#define DUE_SHIFT 10

size_t dist_copy_bytes(const struct distributor_config *c) { return vcrt_bytes(c->copies); }

bool dist_copy_init(struct distributor *d, struct arena *a) {
    d->copy_at = d->lost_at = d->lost_next = TIME_NEVER;
    return vcrt_init(&d->copies, a, d->cfg.copies, &d->key);
}

/* ---- at the routing stack: notes, messages ---- */

static void row_put(struct distributor *d, u8 *p, const struct vcrt_row *row) {
    struct distmsg_copy c = {.client = row->key.client, .dport = row->key.dport, .cport = row->key.cport};
    c.isn = row->isn, c.ack = row->acked ? row->ack : 0, c.what = row->state == VCRT_SYN ? DISTMSG_BEGUN : DISTMSG_OPENED;
    c.target = distributor_slot_addr(d, row->target);
    distmsg_copy_emit(p, &c);
}

static int copies_send(struct distributor *d, const struct dist_vipa *v, const struct sysplex_peer *to, u32 len, u8 flags,
                       u64 now) {
    ipaddr_put(d->out, v->addr);
    be32_put(d->out + 4, v->epoch);
    be32_put(d->out + 8, (u32)flags << 24);
    int rc = dist_send(d, to, DISTMSG_COPY, len, now);
    if (rc == 0) d->count.copies_sent++;
    return rc;
}

/* To every heir; one that could not be told is none any more, and gets all rows when it can. */
static void to_heirs(struct distributor *d, struct dist_vipa *v, u32 len, u64 now) {
    for (u32 i = 0; i < SYSPLEX_PEERS_MAX; i++) {
        const struct sysplex_peer *p = (v->heirs >> i & 1) ? sysplex_peer_at(d->sx, i) : NULL;
        if (p && copies_send(d, v, p, len, 0, now) < 0) v->heirs &= ~((u64)1 << i);
    }
}

/* One row of the message for a note; 0: there is nothing to say any more. */
static u32 note_put(struct distributor *d, const struct dist_copy_note *n, u8 *p) {
    struct vcrt_row *row = n->row;
    if (!row) {
        const struct distmsg_copy c = {.client = n->key.client, .dport = n->key.dport, .cport = n->key.cport, .what = DISTMSG_ENDED};
        distmsg_copy_emit(p, &c);
        return DISTMSG_COPY_ROW;
    }
    /* Most are through by now. */
    if (row->state != VCRT_OPEN || (row->flags & VCRT_COPIED) || !vcrt_key_eq(&row->key, &n->key)) return 0;
    row->flags |= VCRT_COPIED;
    row_put(d, p, row);
    return DISTMSG_COPY_ROW;
}

/* The first n notes. */
static void notes_flush(struct distributor *d, u32 n, u64 now) {
    for (u32 i = 0; i < n;) {
        struct dist_vipa *v = dist_vipa_find(d, d->copy_note[i].key.dvipa);
        struct ipaddr addr = d->copy_note[i].key.dvipa;
        u32 len = DISTMSG_COPY_HEAD;
        for (; i < n && ipaddr_eq(d->copy_note[i].key.dvipa, addr) && len + DISTMSG_COPY_ROW <= MESSAGE_MAX; i++)
            if (v && v->routing) len += note_put(d, &d->copy_note[i], d->out + len);
        if (len > DISTMSG_COPY_HEAD) to_heirs(d, v, len, now);
    }
    d->copy_notes -= n;
    memmove(d->copy_note, d->copy_note + n, d->copy_notes * sizeof d->copy_note[0]);
    /* What came since the last turn waits one more: each row has then lived for COPY_DELAY_US at least. */
    d->copy_ripe = d->copy_notes;
    d->copy_at = d->copy_notes ? now + COPY_DELAY_US : TIME_NEVER;
}

void dist_copy_note(struct distributor *d, struct vcrt_row *row, bool opened, u64 now) {
    if (!opened) row->flags &= (u8)~VCRT_COPIED;
    if (d->copy_notes == COPY_NOTES_MAX) notes_flush(d, COPY_NOTES_MAX, now);
    d->copy_note[d->copy_notes++] = (struct dist_copy_note){.key = row->key, .row = opened ? row : NULL};
    if (d->copy_at != TIME_NEVER) return; /* it is due by then, if not before */
    d->copy_at = now + COPY_DELAY_US;
    sysplex_poll_by(d->sx, d->copy_at);
}

/* All rows, the first message saying so. false: not all could be sent. */
static bool send_whole(struct distributor *d, struct dist_vipa *v, const struct sysplex_peer *to, u64 now) {
    u32 len = DISTMSG_COPY_HEAD;
    bool first = true;
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(&d->vcrt, r)) != NULL;) {
        if (!ipaddr_eq(r->key.dvipa, v->addr) || (r->state != VCRT_OPEN && r->state != VCRT_FIN)) continue;
        r->flags |= VCRT_COPIED;
        row_put(d, d->out + len, r);
        len += DISTMSG_COPY_ROW;
        if (len + DISTMSG_COPY_ROW <= MESSAGE_MAX) continue;
        if (copies_send(d, v, to, len, first ? COPY_BEGIN : 0, now) < 0) return false;
        first = false;
        len = DISTMSG_COPY_HEAD;
    }
    d->count.copies_whole++;
    return copies_send(d, v, to, len, first ? COPY_BEGIN : 0, now) == 0;
}

/* Who is no heir any more would keep for ever what it has. */
static void dismiss(struct distributor *d, struct dist_vipa *v, u64 gone, u64 now) {
    for (u32 i = 0; i < SYSPLEX_PEERS_MAX; i++) {
        if (!(gone >> i & 1)) continue;
        const struct sysplex_peer *p = sysplex_peer_at(d->sx, i);
        if (!p || copies_send(d, v, p, DISTMSG_COPY_HEAD, COPY_BEGIN | COPY_END, now) == 0) v->heirs &= ~((u64)1 << i), v->holders &= ~((u64)1 << i);
    }
}

void dist_copy_heirs(struct distributor *d, struct dist_vipa *v, u64 now) {
    struct sysplex_peer *heir[COPY_HEIRS_MAX];
    u32 n = sysplex_heirs(d->sx, v->addr, heir, COPY_HEIRS_MAX);
    u64 set = 0;
    bool knows_all = !v->awaiting && !d->copies.rows_of[VCRT_LOST];
    for (u32 i = 0; i < n; i++) set |= (u64)1 << heir[i]->index;
    if (v->holders & ~set) dismiss(d, v, v->holders & ~set, now);
    if (v->heirs == set && (v->said_all || !knows_all)) return;
    notes_flush(d, d->copy_notes, now); /* in order: what ended before is not among all rows */
    for (u32 i = 0; i < n; i++) {
        u64 bit = (u64)1 << heir[i]->index;
        if (v->heirs & bit) continue;
        v->said_all = false;
        v->holders |= bit;
        if (send_whole(d, v, heir[i], now)) v->heirs |= bit;
    }
    if (knows_all && !v->said_all && v->heirs == set) v->said_all = copies_send(d, v, NULL, DISTMSG_COPY_HEAD, COPY_END, now) == 0;
}

/* ---- at an heir: copies ---- */

/* A copy of a row, in place of what there was; NULL: full. */
static struct vcrt_row *copy_of(struct distributor *d, const struct vcrt_row *row, u32 slot, u64 now) {
    struct vcrt_row *c = vcrt_find(&d->copies, &row->key);
    if (c) vcrt_del(&d->copies, c);
    c = vcrt_add(&d->copies, &row->key, slot, row->state == VCRT_SYN ? VCRT_EV_SYN : VCRT_EV_OPENED, now);
    if (!c) {
        d->count.copies_full++;
        return NULL;
    }
    c->isn = row->isn, c->ack = row->ack, c->acked = row->acked;
    return c;
}

static void copy_row_in(struct distributor *d, const struct dist_vipa *v, const struct distmsg_copy *c, u64 now) {
    struct vcrt_row row = {.key = {v->addr, c->client, c->dport, c->cport}, .isn = c->isn, .ack = c->ack, .acked = c->ack != 0};
    u32 slot = c->what == DISTMSG_ENDED ? VDPT_NOBODY : distributor_slot(d, c->target);
    row.state = c->what == DISTMSG_BEGUN ? VCRT_SYN : VCRT_OPEN;
    if (slot != VDPT_NOBODY) {
        copy_of(d, &row, slot, now);
        return;
    }
    struct vcrt_row *had = vcrt_find(&d->copies, &row.key);
    if (had) vcrt_del(&d->copies, had);
    /* Who is not known may be dead, and the routing stack tells the client itself, or not have been met yet: then all rows are
     * asked for when it is. */
    if (c->what == DISTMSG_OPENED) d->copies_missing = true;
}

void dist_copy_before(struct distributor *d, const struct dist_vipa *v) {
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(&d->copies, r)) != NULL;)
        if (ipaddr_eq(r->key.dvipa, v->addr)) r->flags = VCRT_BEFORE;
}

static void forget_before(struct distributor *d, const struct dist_vipa *v) {
    for (struct vcrt_row *r = vcrt_walk(&d->copies, NULL), *next; r; r = next) {
        next = vcrt_walk(&d->copies, r);
        if (ipaddr_eq(r->key.dvipa, v->addr) && (r->flags & VCRT_BEFORE)) vcrt_del(&d->copies, r);
    }
}

/* COPIED stays: the next owners have it. */
void dist_copy_keep(struct distributor *d, const struct vcrt_row *row, u64 now) {
    if (row->state == VCRT_ENDED || row->target == SLOT_SELF) return;
    struct vcrt_row *c = copy_of(d, row, row->target, now);
    if (c) c->flags = (u8)(VCRT_BEFORE | (row->flags & VCRT_COPIED));
}

bool dist_copy_give(struct distributor *d, const struct dist_vipa *v, const struct sysplex_peer *to, u64 now) {
    bool heir = v->heirs >> to->index & 1;
    u32 len = DISTMSG_COPY_HEAD;
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(&d->copies, r)) != NULL;) {
        if (!ipaddr_eq(r->key.dvipa, v->addr) || r->target == VCRT_LOST || (heir && (r->flags & VCRT_COPIED))) continue;
        row_put(d, d->out + len, r);
        len += DISTMSG_COPY_ROW;
        if (len + DISTMSG_COPY_ROW <= MESSAGE_MAX) continue;
        if (copies_send(d, v, to, len, 0, now) < 0) return false;
        len = DISTMSG_COPY_HEAD;
    }
    return len == DISTMSG_COPY_HEAD || copies_send(d, v, to, len, 0, now) == 0;
}

u32 dist_copy_begun(const struct distributor *d, const struct vcrt_key *k, u32 isn) {
    const struct vcrt_row *c = vcrt_find(&d->copies, k);
    return c && c->state == VCRT_SYN && c->isn == isn ? c->target : VDPT_NOBODY;
}

u32 dist_copy_target(const struct distributor *d, const struct vcrt_key *k) {
    const struct vcrt_row *c = vcrt_find(&d->copies, k);
    return c && c->target != VCRT_LOST ? c->target : VDPT_NOBODY;
}

void dist_copy_in(struct distributor *d, struct sysplex_peer *from, const u8 *p, u32 len, u64 now) {
    u32 rows;
    if (!distmsg_rows_check(len, DISTMSG_COPY_HEAD, DISTMSG_COPY_ROW, &rows)) {
        d->count.drop_form++;
        return;
    }
    struct dist_vipa *v = dist_vipa_find(d, ipaddr_get(p));
    if (v && v->routing && be32_get(p + 4) == v->epoch && (p[8] & COPY_ASKS)) {
        v->heirs &= ~((u64)1 << from->index); /* it gets them within a second */
        return;
    }
    /* Who has given it away is the owner no more, and may not have been able to say this before. */
    bool owner_s = v && (v->owner == from || (!v->owner && v->config_of == from));
    if (!owner_s || v->routing || be32_get(p + 4) != v->epoch) {
        d->count.drop_epoch++;
        return;
    }
    d->count.copies_in++;
    if (p[8] & COPY_BEGIN) dist_copy_before(d, v);
    for (u32 i = 0; i < rows; i++) {
        struct distmsg_copy c;
        if (distmsg_copy_parse(p + DISTMSG_COPY_HEAD + (size_t)i * DISTMSG_COPY_ROW, &c))
            copy_row_in(d, v, &c, now);
        else
            d->count.drop_form++;
    }
    if (p[8] & COPY_END) forget_before(d, v);
}

void dist_copy_forget(struct distributor *d, const struct dist_vipa *v, u32 slot) {
    for (struct vcrt_row *r = slot == VDPT_NOBODY ? vcrt_walk(&d->copies, NULL) : vcrt_of_target(&d->copies, slot, NULL), *next; r;
         r = next) {
        next = slot == VDPT_NOBODY ? vcrt_walk(&d->copies, r) : vcrt_of_target(&d->copies, slot, r);
        if (ipaddr_eq(r->key.dvipa, v->addr)) vcrt_del(&d->copies, r);
    }
}

void dist_copy_peer_up(struct distributor *d, u64 now) {
    if (!d->copies_missing) return;
    d->copies_missing = false;
    LIST_FOR_EACH(n, &d->vipa_list) {
        const struct dist_vipa *v = LIST_ENTRY(n, struct dist_vipa, node);
        /* One that finds no room is missed until the next peer comes. */
        if (!v->routing && v->owner && copies_send(d, v, v->owner, DISTMSG_COPY_HEAD, COPY_ASKS, now) < 0) d->copies_missing = true;
    }
}

static void tell_soon(struct distributor *d, u64 now) {
    d->lost_at = d->lost_next = now;
}

/* An unanswered SYN is repeated, and goes elsewhere. */
void dist_copy_slot_gone(struct distributor *d, u32 slot, u64 now) {
    for (struct vcrt_row *r; (r = vcrt_of_target(&d->copies, slot, NULL)) != NULL;) {
        if (r->state == VCRT_SYN) {
            vcrt_del(&d->copies, r);
            continue;
        }
        vcrt_retarget(&d->copies, r, VCRT_LOST);
        tell_soon(d, now);
    }
}

/* ---- at the routing stack: clients are told ---- */

static void tell(struct distributor *d, const struct vcrt_row *row, u64 now) {
    struct tcp_key key = {row->key.dvipa, row->key.client, row->key.dport, row->key.cport};
    struct stack *stk = sysplex_stack(d->sx);
    tcp_reset_peer(stk, &key, row->ack, now);
    tcp_probe_peer(stk, &key, row->ack - 1, row->isn + 1, now);
}

void dist_copy_takeover(struct distributor *d, const struct dist_vipa *v, u64 now) {
    dist_copy_forget(d, v, SLOT_SELF);
    if (d->copies.rows_of[VCRT_LOST]) tell_soon(d, now);
}

void dist_copy_plain(struct distributor *d, struct dist_vipa *v, u64 now) {
    struct sysplex_dvipa s;
    bool known = sysplex_dvipa(d->sx, v->addr, &s) && s.owned && !s.distributed;
    if (v->routing || !known || (!v->mine && (!v->owner || v->config_of == v->owner))) {
        v->plain_sec = 0;
        return;
    }
    if (v->plain_sec < PLAIN_SEC && ++v->plain_sec < PLAIN_SEC) return;
    for (struct vcrt_row *r = vcrt_walk(&d->copies, NULL), *next; r; r = next) {
        next = vcrt_walk(&d->copies, r);
        if (!ipaddr_eq(r->key.dvipa, v->addr)) continue;
        if (r->target != VCRT_LOST)
            vcrt_del(&d->copies, r);
        else if (d->lost_at == TIME_NEVER)
            tell_soon(d, now);
    }
}

void dist_copy_lost(struct distributor *d, struct vcrt_row *row, u64 now) {
    struct vcrt_row *c = copy_of(d, row, VCRT_LOST, now);
    if (!c) {
        tell(d, row, now); /* once is better than not at all */
        return;
    }
    c->flags = row->flags & VCRT_COPIED;
    row->flags &= (u8)~VCRT_COPIED;
    tell_soon(d, now);
}

/* Its client has heard, or cannot. */
static void lost_over(struct distributor *d, struct vcrt_row *row, u64 now) {
    if (row->flags & VCRT_COPIED) dist_copy_note(d, row, false, now);
    vcrt_del(&d->copies, row);
}

bool dist_copy_answer(struct distributor *d, const struct vcrt_key *k, const struct pkt *p, u8 flags, u64 now) {
    struct vcrt_row *row = vcrt_find(&d->copies, k);
    if (!row || row->target != VCRT_LOST) return false;
    bool over = (flags & (TCPF_SYN | TCPF_RST)) != 0;
    if (over)
        lost_over(d, row, now);
    else
        row->ack = be32_get(p->data + ip4_header_bytes(p->data) + TCP_ACK_AT), row->acked = true;
    if (flags & TCPF_SYN) return false;
    d->count.lost_answered++;
    /* Exactly what it expects; should that be lost, it is said again. Nothing if it sent RST itself. */
    tcp_refuse(sysplex_stack(d->sx), p, now);
    return true;
}

/* One lost row's turn, perhaps its last. When it is due again. */
static u64 row_told(struct distributor *d, struct vcrt_row *r, u64 now) {
    const struct dist_vipa *v = dist_vipa_find(d, r->key.dvipa);
    i32 early = (i32)(r->used - (u32)(now >> DUE_SHIFT));
    if (!v || (!v->routing && v->plain_sec < PLAIN_SEC)) return TIME_NEVER; /* somebody else may be the next owner */
    if (r->port && early > 0) return now + ((u64)(u32)early << DUE_SHIFT);
    d->count.lost_told += r->port == 0;
    tell(d, r, now);
    u64 again = now + (AGAIN_US << 2 * r->port);
    r->used = (u32)(again >> DUE_SHIFT);
    if (++r->port < LOST_TRIES) return again;
    lost_over(d, r, now);
    return TIME_NEVER;
}

/* One turn of telling: the front of the lost rows, which then stand at the back. */
static void tell_some(struct distributor *d, u64 now) {
    if (!d->lost_left) d->lost_left = d->copies.rows_of[VCRT_LOST], d->lost_next = TIME_NEVER;
    u32 turn = u32_min(d->lost_left, LOST_ROUND_MAX);
    d->lost_left -= turn;
    for (struct vcrt_row *r; turn && (r = vcrt_of_target(&d->copies, VCRT_LOST, NULL)) != NULL; turn--) {
        vcrt_retarget(&d->copies, r, VCRT_LOST);
        /* These ports are a living connection's again. */
        if (vcrt_find(&d->vcrt, &r->key))
            lost_over(d, r, now);
        else
            d->lost_next = u64_min(d->lost_next, row_told(d, r, now));
    }
    if (!d->copies.rows_of[VCRT_LOST]) d->lost_left = 0;
    d->lost_at = d->lost_left ? now + USEC_PER_MSEC : d->lost_next;
}

u64 dist_copy_poll(struct distributor *d, u64 now) {
    if (now >= d->copy_at) notes_flush(d, d->copy_ripe, now);
    if (now >= d->lost_at) tell_some(d, now);
    return u64_min(d->copy_at, d->lost_at);
}
