/* dist_ports.c - SYSPLEXPORTS: a port that a program is given at a distributed DVIPA is no other system's at the same time, so
 * that two systems may connect from the DVIPA to the same server. See distributor.h; the message is PORTS (wire/distmsg.h).
 *
 *   block       64 ports that begin at a multiple of 64; 1,008 of them. Each is free, or one stack's
 *   holder      gives ports of its blocks to bind(DVIPA, 0) and to connect() from the DVIPA; marks those it has given. With
 *               fewer than PORTS_LOW unmarked it looks which are still in use, and then WANTs another block
 *   owner       the routing stack answers GRANT with a free block, those that have been free longest first: a port rests, for its
 *               partner may have the former connection in TIME_WAIT; who is granted one says HELD again
 *   new owner   everybody says HELD before its answer to CONFIG is complete; until all have answered (DIST_AWAIT_US at most)
 *               nothing is granted, and who wants waits; then it begins where no owner of late has granted any, for who died had some
 *   gone        the blocks of a stack that has left or was isolated are free
 *   rest        each WLM interval a holder gives back blocks of which nothing is in use, but for its first and those that it would WANT again
 *
 * Never given: what EPHEMERALPORTS does not allow here, PORT reserves here, or VIPADISTRIBUTE names. Granted and had twice can
 * a block only be if its holder answered too late: the owner's word stands, REVOKE; connections it has go on.
 */
#include "base/str.h"
#include "net/ip.h"
#include "net/ports.h"
#include "net/stack.h"
#include "net/tcp.h"
#include "sysplex/dist_impl.h"

#define BLOCK     DISTMSG_BLOCK_PORTS
#define PORTS_LOW 32u /* ports enough for as long as an owner's death may stay unnoticed, and the next one's answers be awaited */
#define LOOK_US   USEC_PER_SEC

/* ---- the holder: marks ---- */

static u32 unmarked(const struct dist_vipa *v) {
    return v->blocks * BLOCK - v->ports_out;
}

static struct dist_block *block_of(struct dist_vipa *v, u32 number) {
    for (u32 i = 0; i < v->blocks; i++)
        if (v->block[i].number == number) return &v->block[i];
    return NULL;
}

/* false: it was marked before. */
static bool mark(struct dist_vipa *v, struct dist_block *b, u32 bit) {
    u32 *word = &b->out[bit / 32], mask = 1u << bit % 32;
    if (*word & mask) return false;
    *word |= mask;
    v->ports_out++;
    return true;
}

static void mark_port(struct dist_vipa *v, struct ipaddr local, u16 port) {
    struct dist_block *b = ipaddr_eq(local, v->addr) ? block_of(v, port / BLOCK) : NULL;
    if (b) mark(v, b, port % BLOCK);
}
static bool mark_conn(void *ctx, const struct tcp_info *i) {
    mark_port(ctx, i->key.local, i->key.local_port);
    return true;
}
static bool mark_sock(void *ctx, const struct sock_info *i) {
    if (i->type == SOCK_TCP) mark_port(ctx, i->local.addr, i->local.port);
    return true;
}

/* Marks exactly what is in use: connections, TIME_WAIT, and sockets that are bound and no more. */
static void look(struct distributor *d, struct dist_vipa *v) {
    v->ports_out = 0;
    for (u32 i = 0; i < v->blocks; i++) v->block[i].out[0] = v->block[i].out[1] = 0;
    tcp_for_each(sysplex_stack(d->sx), mark_conn, v);
    sock_for_each(sysplex_stack(d->sx), mark_sock, v);
}

static void add_block(struct distributor *d, struct dist_vipa *v, u32 number) {
    if (block_of(v, number)) return;
    if (v->blocks == DIST_BLOCKS_MAX) {
        dist_due(d, &v->held_due); /* what was granted and finds no room is not held */
        return;
    }
    v->block[v->blocks++] = (struct dist_block){.number = (u16)number};
    look(d, v); /* it may have been this stack's before it left the group: ports of then are in TIME_WAIT */
    d->count.blocks_had++;
}

static void drop_block(struct dist_vipa *v, struct dist_block *b) {
    *b = v->block[--v->blocks];
}

/* ---- the holder: giving ---- */

static bool is_fit(const struct distributor *d, const struct dist_vipa *v, u16 port) {
    return port_is_ephemeral(sysplex_stack(d->sx), IP_PROTO_TCP, port) && !dist_def_find(d, v->addr, port, true) &&
           !dist_def_find(d, v->addr, port, false);
}

static bool give(struct distributor *d, struct dist_vipa *v, bool (*in_use)(void *ctx, u16 port), void *ctx, u16 *out) {
    u32 all = v->blocks * BLOCK, left = unmarked(v);
    if (!left) return false;
    /* A random start, as for any ephemeral port (RFC 6056 algorithm 1). */
    const struct stack_env *env = stack_env(sysplex_stack(d->sx));
    u32 at = env->random(env->ctx) % all;
    for (u32 n = 0; n < all; n++, at = at + 1 == all ? 0 : at + 1) {
        struct dist_block *b = &v->block[at / BLOCK];
        u16 port = (u16)(b->number * BLOCK + at % BLOCK);
        /* One that cannot be given is marked, too: it is not looked at again before the next look(). */
        if (!mark(v, b, at % BLOCK) || !is_fit(d, v, port) || in_use(ctx, port)) continue;
        *out = port;
        return true;
    }
    return false;
}

int dist_ephemeral(void *ctx, struct ipaddr addr, bool (*in_use)(void *ctx, u16 port), void *in_use_ctx, u16 *port, u64 now) {
    struct distributor *d = ctx;
    struct dist_vipa *v = dist_vipa_find(d, addr);
    if (!v || !v->sysplexports) return -ERR_NOENT;
    if (unmarked(v) < PORTS_LOW && now >= v->look_at) {
        look(d, v);
        v->look_at = now + LOOK_US;
    }
    bool given = give(d, v, in_use, in_use_ctx, port);
    if (unmarked(v) < PORTS_LOW) dist_due(d, &v->want_due);
    if (given) {
        d->count.ports_given++;
        return 0;
    }
    d->count.ports_none++;
    return v->blocks ? -ERR_ADDRINUSE : -ERR_AGAIN;
}

/* ---- the owner ---- */

/* Where the owner of an epoch begins: a stack has at most DIST_BLOCKS_MAX, and epochs follow each other by one. */
static u32 first_of(u32 epoch) {
    const u32 blocks = DISTMSG_BLOCKS - DISTMSG_BLOCK_FIRST;
    return DISTMSG_BLOCK_FIRST + (epoch - 1) % blocks * DIST_BLOCKS_MAX % blocks;
}

/* The next free block behind the one given last, so that a block rests while there are others; 0 none. */
static u32 take_free(struct dist_vipa *v, u32 slot) {
    for (u32 n = 0; n < DISTMSG_BLOCKS - DISTMSG_BLOCK_FIRST; n++) {
        if (++v->granted_last >= DISTMSG_BLOCKS || v->granted_last < DISTMSG_BLOCK_FIRST) v->granted_last = DISTMSG_BLOCK_FIRST;
        if (v->holder[v->granted_last]) continue;
        v->holder[v->granted_last] = (u8)(slot + 1);
        return v->granted_last;
    }
    return 0;
}

static u32 grant(struct distributor *d, struct dist_vipa *v, u32 slot) {
    u32 block = take_free(v, slot);
    if (block)
        d->count.blocks_granted++;
    else
        d->count.blocks_none++;
    return block;
}

void dist_ports_start(struct dist_vipa *v) {
    memset(v->holder, 0, sizeof v->holder);
    v->wants = 0;
    v->granted_last = first_of(v->epoch) - 1;
    for (u32 i = 0; i < v->blocks; i++) v->holder[v->block[i].number] = SLOT_SELF + 1;
}

static void free_blocks(struct dist_vipa *v, u32 slot) {
    for (u32 b = 0; b < DISTMSG_BLOCKS; b++)
        if (v->holder[b] == slot + 1) v->holder[b] = 0;
}

void dist_ports_slot_gone(struct distributor *d, u32 slot) {
    LIST_FOR_EACH(n, &d->vipa_list) free_blocks(LIST_ENTRY(n, struct dist_vipa, node), slot);
}

/* ---- messages ---- */

static u8 *row_at(u8 *p, u32 i) {
    return p + DISTMSG_PORTS_HEAD + (size_t)i * DISTMSG_BLOCK_ROW;
}

static int send(struct distributor *d, const struct dist_vipa *v, const struct sysplex_peer *to, enum distmsg_ports what, u32 n,
                u64 now) {
    struct distmsg_blocks b = {.dvipa = v->addr, .epoch = v->epoch, .what = (u8)what};
    distmsg_blocks_emit(d->out, &b);
    return dist_send(d, to, DISTMSG_PORTS, DISTMSG_PORTS_HEAD + n * DISTMSG_BLOCK_ROW, now);
}

int dist_ports_held(struct distributor *d, struct dist_vipa *v, u64 now) {
    if (v->routing) {
        free_blocks(v, SLOT_SELF);
        for (u32 i = 0; i < v->blocks; i++) v->holder[v->block[i].number] = SLOT_SELF + 1;
        return 0;
    }
    if (!v->owner) return 0; /* the next owner's CONFIG asks */
    for (u32 i = 0; i < v->blocks; i++) be16_put(row_at(d->out, i), v->block[i].number);
    return send(d, v, v->owner, DISTMSG_HELD, v->blocks, now);
}

static void serve(struct distributor *d, struct dist_vipa *v, u32 slot, u64 now) {
    u32 block = grant(d, v, slot);
    if (slot == SLOT_SELF) {
        if (block) add_block(d, v, block);
        return;
    }
    if (block) be16_put(row_at(d->out, 0), (u16)block);
    /* A grant that finds no room is a block that is nobody's: whoever wants it asks again each second. */
    if (send(d, v, d->slot[slot].peer, DISTMSG_GRANT, block ? 1 : 0, now) < 0 && block) v->holder[block] = 0;
}

void dist_ports_serve(struct distributor *d, struct dist_vipa *v, u64 now) {
    u32 wants = v->wants;
    if (!wants || !v->routing || (v->awaiting && now < v->awaiting_until)) return;
    v->wants = 0;
    for (u32 i = 0; i < DIST_TARGETS_MAX; i++)
        if ((wants >> i & 1) && (i == SLOT_SELF || d->slot[i].peer)) serve(d, v, i, now);
}

int dist_ports_want(struct distributor *d, struct dist_vipa *v, u64 now) {
    if (!v->routing) return v->owner ? send(d, v, v->owner, DISTMSG_WANT, 0, now) : 0;
    v->wants |= 1u << SLOT_SELF;
    dist_ports_serve(d, v, now);
    return 0;
}

static void held_in(struct distributor *d, struct dist_vipa *v, const struct sysplex_peer *from, u32 slot, const u8 *p, u32 n,
                    u64 now) {
    u32 bad = 0;
    free_blocks(v, slot);
    for (u32 i = 0; i < n; i++, p += DISTMSG_BLOCK_ROW) {
        u32 block = be16_get(p);
        if (!v->holder[block]) {
            v->holder[block] = (u8)(slot + 1);
        } else if (v->holder[block] != slot + 1) {
            d->count.blocks_revoked++;
            be16_put(row_at(d->out, bad++), (u16)block);
        }
    }
    /* If it does not get there the two have the same ports until it says HELD again: the counter tells. */
    if (bad) send(d, v, from, DISTMSG_REVOKE, bad, now);
}

void dist_ports_in(struct distributor *d, struct sysplex_peer *from, const u8 *p, u32 len, u64 now) {
    struct distmsg_blocks b;
    u32 slot = dist_slot_of(d, from);
    if (!distmsg_blocks_parse(p, len, &b) || b.n > DISTMSG_BLOCKS) {
        d->count.drop_form++;
        return;
    }
    struct dist_vipa *v = dist_vipa_find(d, b.dvipa);
    bool to_owner = b.what == DISTMSG_HELD || b.what == DISTMSG_WANT;
    if (!v || b.epoch != v->epoch || (to_owner ? !v->routing || slot == VDPT_NOBODY : v->owner != from)) {
        d->count.drop_epoch++;
        return;
    }
    p += DISTMSG_PORTS_HEAD;
    if (b.what == DISTMSG_HELD) held_in(d, v, from, slot, p, b.n, now);
    if (b.what == DISTMSG_WANT) {
        v->wants |= 1u << slot;
        dist_ports_serve(d, v, now);
    }
    for (u32 i = 0; !to_owner && i < b.n; i++, p += DISTMSG_BLOCK_ROW) {
        struct dist_block *mine = block_of(v, be16_get(p));
        /* What it holds is said again: a HELD that was under way did not name this block, and gave it back. */
        if (b.what == DISTMSG_GRANT) add_block(d, v, be16_get(p)), dist_due(d, &v->held_due);
        if (b.what == DISTMSG_REVOKE && mine) drop_block(v, mine), look(d, v);
    }
}

/* ---- time ---- */

void dist_ports_second(struct distributor *d, struct dist_vipa *v, u64 now) {
    dist_ports_serve(d, v, now); /* whose answer was awaited has had its time */
    bool serves = v->sysplexports && (v->target || v->routing);
    if (serves && unmarked(v) < PORTS_LOW && v->blocks < DIST_BLOCKS_MAX) dist_due(d, &v->want_due);
}

void dist_ports_rest(struct distributor *d) {
    LIST_FOR_EACH(n, &d->vipa_list) {
        struct dist_vipa *v = LIST_ENTRY(n, struct dist_vipa, node);
        u32 keep = v->sysplexports ? 1 : 0, before = v->blocks;
        if (v->blocks <= keep) continue;
        look(d, v);
        for (u32 i = v->blocks; i > keep; i--) {
            struct dist_block *b = &v->block[i - 1];
            if (!b->out[0] && !b->out[1] && unmarked(v) >= BLOCK + PORTS_LOW) drop_block(v, b);
        }
        if (v->blocks != before) dist_due(d, &v->held_due);
    }
}

/* ---- displays ---- */

static struct dist_port_block shown(const struct dist_vipa *v, u32 number) {
    return (struct dist_port_block){.dvipa = v->addr, .first = (u16)(number * BLOCK), .last = (u16)(number * BLOCK + BLOCK - 1)};
}

static bool show_holders(const struct distributor *d, const struct dist_vipa *v,
                         bool (*row)(void *ctx, const struct dist_port_block *b), void *ctx) {
    for (u32 n = 0; n < DISTMSG_BLOCKS; n++) {
        if (!v->holder[n]) continue;
        u32 slot = v->holder[n] - 1u;
        struct dist_port_block b = shown(v, n);
        b.holder = d->slot[slot].peer;
        /* The blocks of a peer that has gone went with it. */
        if ((slot == SLOT_SELF || b.holder) && !row(ctx, &b)) return false;
    }
    return true;
}

void distributor_port_blocks(const struct distributor *d, bool (*row)(void *ctx, const struct dist_port_block *b), void *ctx) {
    LIST_FOR_EACH(n, &d->vipa_list) {
        const struct dist_vipa *v = LIST_ENTRY(n, struct dist_vipa, node);
        if (v->routing && !show_holders(d, v, row, ctx)) return;
        for (u32 i = 0; !v->routing && i < v->blocks; i++) {
            struct dist_port_block b = shown(v, v->block[i].number);
            if (!row(ctx, &b)) return;
        }
    }
}
