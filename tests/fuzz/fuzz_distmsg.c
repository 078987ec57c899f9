/* fuzz_distmsg.c - the messages of the distributor: whatever peers say, and whenever, this stack stays whole.
 *
 * Three stacks as in tests/unit/distlab.h; A is the one whose tables are looked at after each step. Byte 0 of the input is the world:
 *
 *   bits 0-1  who owns the DVIPA: A, B, C, nobody          bit 4  SYSPLEXPORTS
 *        2-3  BASEWLM, ROUNDROBIN, ... the four methods    bit 5  TIMEDAFFINITY
 *                                                          bit 6  only B and C are targets    bit 7  OPTLOCAL
 *
 * Then steps of { op 1, arg 1, ... }:
 *
 *   op 0-8    a message to A from B or C: kind of the op, 8 is a kind that is none; length 1, bytes. DVIPA and epoch are hard to
 *             guess, so unless arg says otherwise they are put right; so are, in rows, the names of connections and of stacks
 *   9-15      the DVIPA's owner changes; a stack is lost from sight or met again, A leaves; a client connects, sends, hangs up or
 *             resets; a program of A binds to the DVIPA and connects from it; QUIESCE, VIPADISTRIBUTE; messages are lost; time passes
 *
 * So A is owner, target, heir, former owner or none of it, in the middle of connections that live. Judged: the code's own CHECKs, the
 * sanitizers, what whole() says, and that every pool is level at the end.
 */
#include "tests/unit/distlab.h"

#include "tests/fuzz/fuzz.h"

#define STEPS_MAX 200u
#define KINDS     9u
#define STEP_USEC 1000u

static struct lab lab;
static u32 opened; /* of lab.c */

/* ---- what must hold at any time ---- */

struct tally {
    u32 of_port[17][DIST_TARGETS_MAX], affine;
};

static void rows_are_whole(const struct distributor *d, struct tally *t) {
    u32 n = 0, total = 0;
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(&d->vcrt, r)) != NULL; n++) {
        CHECK(r->state > VCRT_FREE && r->state < VCRT_STATES && r->target < DIST_TARGETS_MAX && d->slot[r->target].used);
        CHECK(vcrt_find(&d->vcrt, &r->key) == r && r->port <= d->cfg.ports);
        t->of_port[r->port][r->target]++;
        t->affine += (r->flags & VCRT_AFFINITY) != 0;
    }
    for (u32 i = 0; i < VCRT_TARGETS; i++) total += d->vcrt.rows_of[i];
    CHECK(n == vcrt_rows(&d->vcrt) && n == total);
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(&d->copies, r)) != NULL;)
        CHECK(vcrt_find(&d->copies, &r->key) == r && (r->target == VCRT_LOST || d->slot[r->target].used));
}

static void ports_are_whole(const struct distributor *d, const struct tally *t) {
    for (struct vdpt_port *p = NULL; (p = vdpt_walk(&d->vdpt, p)) != NULL;) {
        CHECK(p->method < DIST_METHODS && vdpt_find(&d->vdpt, p->dvipa, p->port) == p && vdpt_at(&d->vdpt, p->index) == p);
        /* Rows of a target that was taken out and put back are counted by nobody, but nothing is counted that is no row. */
        for (u32 i = 0; i < VDPT_TARGETS; i++) {
            CHECK(p->t[i].active <= (i < DIST_TARGETS_MAX ? t->of_port[p->index][i] : 0));
            CHECK(!(p->t[i].flags & VDPT_IN) || d->slot[i].used);
        }
    }
}

static void affinities_are_whole(const struct distributor *d, const struct tally *t) {
    u32 connections = 0, rows = 0;
    for (u32 h = 0; h < 1u << (32 - d->affinities.shift); h++) {
        for (struct hash_row *r = d->affinities.head[h]; r; r = r->next, rows++) {
            const struct dist_affinity *a = (const struct dist_affinity *)(const void *)r;
            CHECK(d->slot[a->slot].used && (a->connections ? a->until == TIME_NEVER : list_is_in(&a->node)));
            connections += a->connections;
        }
    }
    CHECK(rows == d->affinities.rows && connections <= t->affine);
}

static void dvipas_are_whole(const struct distributor *d) {
    LIST_FOR_EACH(n, &d->vipa_list) {
        const struct dist_vipa *v = LIST_ENTRY(n, struct dist_vipa, node);
        u32 out = 0;
        CHECK(dist_vipa_find(d, v->addr) == v && !(v->routing && v->owner) && !(v->heirs & ~v->holders));
        for (u32 i = 0; i < v->blocks; i++) {
            const struct dist_block *b = &v->block[i];
            out += (u32)__builtin_popcount(b->out[0]) + (u32)__builtin_popcount(b->out[1]);
            CHECK(b->number >= DISTMSG_BLOCK_FIRST && b->number < DISTMSG_BLOCKS);
            for (u32 j = 0; j < i; j++) CHECK(v->block[j].number != b->number);
        }
        CHECK(out == v->ports_out);
        for (u32 i = 0; v->routing && i < DISTMSG_BLOCKS; i++) CHECK(!v->holder[i] || d->slot[v->holder[i] - 1].used);
    }
    CHECK(d->notices <= NOTICES_MAX && d->copy_ripe <= d->copy_notes && d->copy_notes <= COPY_NOTES_MAX);
}

static void whole(const struct distributor *d) {
    struct tally t = {.affine = 0};
    rows_are_whole(d, &t);
    ports_are_whole(d, &t);
    affinities_are_whole(d, &t);
    dvipas_are_whole(d);
}

/* ---- messages ---- */

/* Where the rows of each kind begin, how long they are, and where in one the client (with both ports behind it) and a dynamic XCF address
 * stand; 0: not there. */
static const struct {
    u8 kind, head, row, client, stack;
} shape[KINDS] = {
    {DISTMSG_CONFIG, DISTMSG_CONFIG_HEAD, DISTMSG_PORT_ROW + DISTMSG_TARGET_ROW, 0, DISTMSG_PORT_ROW},
    {DISTMSG_LISTENERS, DISTMSG_LISTENERS_HEAD, DISTMSG_LISTENER_ROW, 0, 0},
    {DISTMSG_CONNS, DISTMSG_CONNS_HEAD, DISTMSG_CONN_ROW, 1, 0},
    {DISTMSG_REPORT, DISTMSG_REPORT_HEAD, DISTMSG_REPORT_ROW, 0, 0},
    {DISTMSG_PORTS, DISTMSG_PORTS_HEAD, DISTMSG_BLOCK_ROW, 0, 0},
    {DISTMSG_COPY, DISTMSG_COPY_HEAD, DISTMSG_COPY_ROW, 1, 16},
    {DISTMSG_COPY, DISTMSG_COPY_HEAD, DISTMSG_COPY_ROW, 1, 16},
    {DISTMSG_CONNS, DISTMSG_CONNS_HEAD, DISTMSG_CONN_ROW, 1, 0},
    {DISTMSG_LAST, 0, 1, 0, 0},
};

/* A row about some connection of the clients, so that it meets what the tables have; bit 7 of its first byte leaves it as it is. */
static void row_put_right(u8 *row, u32 kind) {
    u8 which = row[0];
    if (which & 0x80) return;
    if (shape[kind].client && opened) {
        const struct lab_client *c = &lab.c[which % opened];
        ipaddr_put(row, testnet_ip(LAB_CLIENT));
        be16_put(row + 4, 80);
        if (c->s) be16_put(row + 6, c->s->key.local_port);
        if (c->s && (which & 0x40)) be32_put(row + 8, c->s->tcb.q.iss);
    }
    if (shape[kind].kind == DISTMSG_REPORT) ipaddr_put(row, LAB_DVIPA);
    if (shape[kind].stack) be32_put(row + shape[kind].stack, 0x0A090901u + (which >> 4) % 4);
}

/* arg: bit 0 from C, 1-3 leave DVIPA, epoch, rows as they are, 4-6 how far the epoch is off. */
static void message(struct fuzz *z, u32 kind, u8 arg) {
    struct sysplex *a = &lab.node[0], *from = &lab.node[1 + (arg & 1)];
    struct sysplex_peer *p = &a->peer[from->index];
    const struct dist_vipa *v = dist_vipa_find(a->d, LAB_DVIPA);
    u32 len;
    u32 want = fuzz_u8(z);
    const u8 *bytes = fuzz_take(z, want, &len);
    if (!p->used) return;
    u8 *m = malloc(len + 1); /* exactly as long as the message, so that ASan sees every overrun */
    memcpy(m, bytes, len);
    if (len >= 12 && shape[kind].head && shape[kind].kind != DISTMSG_REPORT) {
        if (!(arg & 2)) ipaddr_put(m, LAB_DVIPA);
        if (!(arg & 4)) be32_put(m + (shape[kind].kind == DISTMSG_CONFIG ? 8 : 4), (v ? v->epoch : lab.epoch) + (arg >> 4 & 7) - ((arg & 0x40) ? 8 : 0));
    }
    for (u32 at = shape[kind].head; !(arg & 8) && at + shape[kind].row <= len; at += shape[kind].row) row_put_right(m + at, kind);
    a->ops->message(a->ctx, p, shape[kind].kind, m, len, lab.t->now);
    free(m);
}

/* ---- everything else that happens ---- */

static void meet_or_lose(u32 j) {
    struct sysplex *a = &lab.node[0];
    if (!a->peer[j].used) {
        lab_meet(&lab, 0, j);
        return;
    }
    a->ops->peer_down(a->ctx, &a->peer[j], lab.t->now);
    a->peer[j].used = false;
}

static bool some_connection(void *ctx, const struct tcp_info *i) {
    if (ipaddr_eq(i->key.local, LAB_DVIPA) && i->key.foreign_port && i->state != TCP_TIME_WAIT) *(u32 *)ctx = i->conn_id;
    return true;
}

/* A leaves the group: the DVIPA goes with all connections, and it sees nobody; it may meet them again. */
static void leave(void) {
    struct sysplex *a = &lab.node[0];
    u32 id, before = 0;
    for (;; before = id) {
        id = 0;
        tcp_for_each(a->stk, some_connection, &id);
        if (!id || id == before || tcp_drop(a->stk, id, lab.t->now) != 0) break;
    }
    a->target_on = false;
    lab_home(a, lab.t->now);
    a->ops->left(a->ctx, lab.t->now);
    for (u32 j = 1; j < lab.nodes; j++)
        if (a->peer[j].used) meet_or_lose(j);
    if (lab.owner == 0) lab_own(&lab, -1);
}

/* What the group says to A of connections, of membership, and of who is there. */
static void group(u8 arg) {
    struct sysplex *a = &lab.node[0];
    const struct lab_client *c = opened ? &lab.c[(arg >> 4) % opened] : NULL;
    struct tcp_key k = {LAB_DVIPA, testnet_ip(LAB_CLIENT), 80, c && c->s ? c->s->key.local_port : arg};
    struct sysplex_peer *p = &a->peer[1 + (arg & 1)];
    switch (arg >> 1 & 7) {
    case 0:
        if (p->used) a->ops->connection_there(a->ctx, p, &k, lab.t->now);
        break;
    case 1:
        if (p->used) a->ops->connection_ended(a->ctx, p, &k, lab.t->now);
        break;
    case 2: leave(); break;
    case 3: a->joining = arg & 1; break;
    case 4: a->ops->in_sync(a->ctx, lab.t->now); break;
    default: meet_or_lose(p->index); break;
    }
}

static void client(u8 arg) {
    struct lab_client *c = &lab.c[opened ? arg / 4u % opened : 0];
    if (arg % 4 == 0 && opened < 24 && lab.owner >= 0) lab_connect(&lab), opened++;
    if (!c->s) return;
    if (arg % 4 == 1) sock_send(c->s, "text", 4, lab.t->now);
    if (arg % 4 == 2) sock_close(c->s, lab.t->now), c->s = NULL, c->closed = true; /* its row is not used again */
    if (arg % 4 == 3) sock_abort(c->s, lab.t->now), c->s = NULL, c->closed = true;
}

static void begin_from_dvipa(bool any_port) {
    struct sock *s;
    if (sock_open(lab.node[0].stk, SOCK_TCP, "FTPD", &s) != 0) return;
    if (sock_bind(s, LAB_DVIPA, any_port ? 0 : 20, lab.t->now) == 0) sock_connect(s, testnet_ip(LAB_CLIENT), 2020, lab.t->now);
    if (!any_port) sock_abort(s, lab.t->now);
}

/* Operator and profile. */
static void command(u8 arg) {
    struct dist_quiesce q = {.target = (arg & 2) != 0, .port = 80};
    struct dist_statement s = {.dvipa = LAB_DVIPA, .options = {.method = arg >> 4 & 1}, .ports = 1, .port = {(u16)(80 + (arg >> 5 & 1))}};
    if ((arg & 12) == 12)
        distributor_delete(lab.node[0].d, &s, lab.t->now);
    else if (arg & 8)
        distributor_define(lab.node[0].d, &s, lab.t->now);
    else if (arg & 1)
        distributor_resume(lab.node[0].d, &q, lab.t->now);
    else
        distributor_quiesce(lab.node[0].d, &q, lab.t->now);
}

static void happens(u32 op, u8 arg) {
    static const u32 us[] = {250, 1000, 5000, 60000, 250000, 1100000, 4000000, 11000000};
    switch (op) {
    case 9: /* the new owner's epoch is the next one, or that of the one before */
        lab.epoch -= (arg & 4) && lab.epoch > 1 ? 1 : 0;
        lab_own(&lab, (arg & 3) == 3 ? -1 : arg & 3);
        break;
    case 10: group(arg); break;
    case 11: client(arg); break;
    case 12: begin_from_dvipa(arg & 1); break;
    case 13: command(arg); break;
    case 14: lab.mute = arg & 1, lab.heirs_reversed = (arg & 2) != 0; break;
    default: /* long times in long steps: a run is some dozens of them */
        lab.step_usec = u32_max(STEP_USEC, us[arg % ARRAY_LEN(us)] / 32);
        lab_run(&lab, us[arg % ARRAY_LEN(us)]);
        lab.step_usec = STEP_USEC;
        break;
    }
}

static void world(u8 how) {
    struct dist_statement s = {.dvipa = LAB_DVIPA, .ports = 1, .port = {80}};
    s.options = (struct dist_options){.method = how >> 2 & 3, .sysplexports = (how & 0x10) != 0, .affinity_sec = how & 0x20 ? 5 : 0,
                                      .optlocal = how & 0x80 ? 2 : 0};
    s.dests = (how & 0x40) || s.options.method == DIST_HOTSTANDBY ? 2 : 0;
    for (u32 i = 0; i < s.dests; i++) s.dest[i] = (struct dist_dest){.dynxcf = ipaddr_v4(0x0A090902u + i), .weight = 10, .rank = (u8)i};
    lab_open(&lab, 3);
    lab.others = true;
    lab.step_usec = STEP_USEC;
    opened = 0;
    u32 owner = how & 3;
    CHECK(distributor_define(lab.node[owner % 3].d, &s, lab.t->now) == 0);
    if (owner < 3) lab_own(&lab, (int)owner);
    lab_run(&lab, 3000);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    struct fuzz z = {data, size};
    if (size < 1 || size > 4096) return 0;
    world(fuzz_u8(&z));
    for (u32 n = 0; z.left && n < STEPS_MAX; n++) {
        u32 op = fuzz_u8(&z) % 16;
        u8 arg = fuzz_u8(&z);
        if (op < KINDS)
            message(&z, op, arg);
        else
            happens(op, arg);
        if (arg & 0x80) lab.node[0].ops->poll(lab.node[0].ctx, lab.t->now);
        whole(lab.node[0].d);
    }
    lab_run(&lab, 20000);
    whole(lab.node[0].d);
    lab_close(&lab);
    return 0;
}
