/* sysplex.c - the life of a stack in the sysplex; the stack's hooks, passed on to the parts. See sysplex.h. */
#include "sysplex/sysplex_impl.h"

/* ---- making ---- */

void sysplex_config_default(struct sysplex_config *c) {
    *c = (struct sysplex_config){
        .dvipas = 1024,          /* what the books allow one stack */
        .dvipa_rows = 3072,      /* an owner and two backups each */
        .ranges = 256,
        .home_rows = 1024,
        .moved = 4096,           /* connections that outlive a take-back */
        .queue_bytes = 256 * 1024, /* four whole messages: what a second of congestion leaves behind */
    };
}

size_t sysplex_bytes(const struct sysplex_config *c) {
    return sizeof(struct sysplex) + 2 * (size_t)PLEXMSG_DATA_MAX + dynxcf_bytes() + c->queue_bytes + hash_bytes(c->home_rows) +
           (sizeof(struct home_row) + 16) * (size_t)c->home_rows + moved_bytes(c) + dvipa_bytes(c) + 256;
}

static void *piece(struct arena *a, size_t bytes) {
    return arena_take(a, bytes, 16);
}

static void names_set(struct sysplex *sx, const struct sysplex_config *c) {
    str_copy(sx->sysname, sizeof sx->sysname, c->sysname);
    str_copy(sx->sysclone, sizeof sx->sysclone, c->sysclone);
    str_copy(sx->tcpname, sizeof sx->tcpname, c->tcpname);
    str_fmt(sx->member_name, sizeof sx->member_name, "%s%s", sx->sysname, sx->tcpname);
    sx->conf.sysname = sx->sysname;
    sx->conf.sysclone = sx->sysclone;
    sx->conf.tcpname = sx->tcpname;
}

struct sysplex *sysplex_create(const struct sysplex_config *c, u64 now) {
    struct arena *a = c->arena;
    struct sysplex *sx = piece(a, sizeof *sx);
    UNUSED(now);
    if (!sx) return NULL;
    memset(sx, 0, sizeof *sx);
    CHECK(c->incarnation != 0);
    sx->conf = *c;
    names_set(sx, c);
    sx->rx = piece(a, PLEXMSG_DATA_MAX);
    sx->tx = piece(a, PLEXMSG_DATA_MAX);
    sx->queue = (struct send_queue){.bytes = piece(a, c->queue_bytes), .size = c->queue_bytes};
    if (!sx->rx || !sx->tx || !sx->queue.bytes) return NULL;
    if (!homes_init(sx, a) || !dynxcf_init(sx, a) || !moved_init(sx, a) || !dvipa_init(sx, a)) return NULL;
    sysplex_part_add(sx, &homes_part, sx);
    sysplex_part_add(sx, &dvipa_part, sx);
    sysplex_part_add(sx, &dynxcf_part, sx); /* last of ours: links go when the others have said good-bye */
    return sx;
}

static void router_hook(struct sysplex *sx) {
    struct stack_hooks *h = stack_hooks(sx->stk);
    h->routed = sx->router ? sx->router->ops->routed : NULL;
    h->routed_ctx = sx->router ? sx->router->ctx : NULL;
}

void sysplex_part_add(struct sysplex *sx, const struct sysplex_part_ops *ops, void *ctx) {
    CHECK(sx->parts < SYSPLEX_PARTS_MAX && ops->kind_last < PLEXMSG_KINDS);
    sx->part[sx->parts] = (struct sysplex_part){.ops = ops, .ctx = ctx};
    CHECK(!ops->routed || !sx->router);
    if (ops->routed) sx->router = &sx->part[sx->parts];
    if (sx->stk) router_hook(sx);
    if (ops->conn_opened || ops->conn_closed || ops->half_open_ended) sx->follower[sx->followers++] = sx->part[sx->parts];
    sx->parts++;
    for (u32 k = ops->kind_first; k && k <= ops->kind_last; k++) {
        CHECK(!sx->part_of_kind[k]);
        sx->part_of_kind[k] = (u8)sx->parts;
    }
}

/* ---- calling the parts ---- */

#define EACH_PART(sx, member, ...)                                                                                     \
    for (u32 i_ = 0; i_ < (sx)->parts; i_++)                                                                           \
        if ((sx)->part[i_].ops->member) (sx)->part[i_].ops->member((sx)->part[i_].ctx, __VA_ARGS__)
/* Those that follow connections are two of many, and each connection asks for them. */
#define EACH_FOLLOWER(sx, member, ...)                                                                                 \
    for (const struct sysplex_part *p_ = (sx)->follower, *end_ = p_ + (sx)->followers; p_ < end_; p_++)                \
        if (p_->ops->member) p_->ops->member(p_->ctx, __VA_ARGS__)

void parts_in_sync(struct sysplex *sx, u64 now) {
    EACH_PART(sx, in_sync, now);
}
void parts_left(struct sysplex *sx, u64 now) {
    EACH_PART(sx, left, now);
}
void parts_tell(struct sysplex *sx, struct sysplex_peer *p, u64 now) {
    EACH_PART(sx, tell, p, now);
}
void parts_peer_up(struct sysplex *sx, struct sysplex_peer *p, u64 now) {
    EACH_PART(sx, peer_up, p, now);
}
void parts_peer_down(struct sysplex *sx, struct sysplex_peer *p, u64 now) {
    EACH_PART(sx, peer_down, p, now);
}
void parts_dvipa_changed(struct sysplex *sx, const struct sysplex_dvipa *d, u64 now) {
    EACH_PART(sx, dvipa_changed, d, now);
}
void parts_connection_ended(struct sysplex *sx, struct sysplex_peer *at, const struct tcp_key *key, u64 now) {
    EACH_PART(sx, connection_ended, at, key, now);
}
bool parts_connection_there(struct sysplex *sx, struct sysplex_peer *at, const struct tcp_key *key, u64 now) {
    for (u32 i = 0; i < sx->parts; i++) {
        const struct sysplex_part *p = &sx->part[i];
        if (p->ops->connection_there && p->ops->connection_there(p->ctx, at, key, now)) return true;
    }
    return false;
}
bool parts_give(struct sysplex *sx, struct ipaddr addr, struct sysplex_peer *to, u64 now) {
    for (u32 i = 0; i < sx->parts; i++) {
        const struct sysplex_part *p = &sx->part[i];
        if (p->ops->give && !p->ops->give(p->ctx, addr, to, now)) return false;
    }
    return true;
}
bool parts_distribute(struct sysplex *sx, struct ipaddr addr) {
    for (u32 i = 0; i < sx->parts; i++) {
        const struct sysplex_part *p = &sx->part[i];
        if (p->ops->distributes && p->ops->distributes(p->ctx, addr)) return true;
    }
    return false;
}

/* ---- hooks of the stack ---- */

static bool hook_claim(void *ctx, struct stack *stk, struct pkt *p, u64 now) {
    struct sysplex *sx = ctx;
    UNUSED(stk);
    for (u32 i = 0; i < sx->parts; i++) {
        const struct sysplex_part *part = &sx->part[i];
        if (part->ops->packet && part->ops->packet(part->ctx, p, now) == SYSPLEX_TAKEN) return true;
    }
    return false;
}
static void hook_conn_opened(void *ctx, struct tcb *conn, u64 now) {
    struct sysplex *sx = ctx;
    struct tcp_key key;
    tcp_key_of(conn, &key);
    EACH_FOLLOWER(sx, conn_opened, &key, conn, now);
    sysplex_poll_by(sx, now + SX_ROUND_US);
}
static void hook_conn_closed(void *ctx, struct tcb *conn, u64 now) {
    struct sysplex *sx = ctx;
    struct tcp_key key;
    tcp_key_of(conn, &key);
    EACH_FOLLOWER(sx, conn_closed, &key, conn, now);
    sysplex_poll_by(sx, now + SX_ROUND_US);
}
static void hook_half_open_ended(void *ctx, const struct tcp_key *key, u32 peer_isn, u64 now) {
    struct sysplex *sx = ctx;
    EACH_FOLLOWER(sx, half_open_ended, key, peer_isn, now);
    sysplex_poll_by(sx, now + SX_ROUND_US);
}
static void hook_listener(void *ctx, struct ipaddr addr, u16 port, bool ready, u64 now) {
    struct sysplex *sx = ctx;
    EACH_PART(sx, listener, addr, port, ready, now);
    sysplex_poll_by(sx, 0);
}
static void hook_home_changed(void *ctx, u64 now) {
    struct sysplex *sx = ctx;
    EACH_PART(sx, home_changed, now);
    sysplex_poll_by(sx, 0);
}

/* What is distributed may be served by another stack, whose answer has to find this one. */
static struct ipaddr hook_source(void *ctx, struct ipaddr dst) {
    struct sysplex *sx = ctx;
    return parts_distribute(sx, dst) ? sx->dx.addr : IPADDR_ANY;
}
static int hook_ephemeral(void *ctx, struct ipaddr addr, bool (*in_use)(void *ctx, u16 port), void *in_use_ctx, u16 *port,
                          u64 now) {
    struct sysplex *sx = ctx;
    int rc = -ERR_NOENT;
    for (u32 i = 0; i < sx->parts && rc == -ERR_NOENT; i++) {
        const struct sysplex_part *p = &sx->part[i];
        if (p->ops->ephemeral) rc = p->ops->ephemeral(p->ctx, addr, in_use, in_use_ctx, port, now);
    }
    return rc;
}

void sysplex_attach(struct sysplex *sx, struct stack *stk, u64 now) {
    const struct stack_env *env = stack_env(stk);
    struct stack_hooks *h = stack_hooks(stk);
    sx->stk = stk;
    monitor_init(sx, now);
    sx->key = (struct hash_key){env->random(env->ctx), env->random(env->ctx) | 1, env->random(env->ctx) | 1,
                                env->random(env->ctx) | 1};
    h->ctx = sx;
    h->claim = hook_claim;
    router_hook(sx);
    h->conn_opened = hook_conn_opened;
    h->conn_closed = hook_conn_closed;
    h->half_open_ended = hook_half_open_ended;
    h->listener = hook_listener;
    h->home_changed = hook_home_changed;
    h->source = hook_source;
    h->ephemeral = hook_ephemeral;
    dvipa_hooks(h);
    viparoute_attach(sx, stk);
}

/* ---- life ---- */

void sysplex_xcf(struct sysplex *sx, struct xcf *x, u64 now) {
    if (sx->xcf == x) return;
    if (sx->xcf) {
        /* The old one is gone with all its members: there is nothing to leave. */
        sx->member = NULL;
        group_leave(sx, now);
    }
    sx->xcf = x;
    if (x && !sx->nojoin && !sx->by_operator && !sx->stopping && !monitor_delays(sx)) group_join(sx, now);
}

u64 sysplex_poll(struct sysplex *sx, u64 now) {
    if (sx->stopping) return TIME_NEVER;
    sx->due = TIME_NEVER; /* what the parts leave for each other lowers it again */
    u64 next = u64_min(group_poll(sx, now), monitor_poll(sx, now));
    for (u32 i = 0; i < sx->parts; i++)
        if (sx->part[i].ops->poll) next = u64_min(next, sx->part[i].ops->poll(sx->part[i].ctx, now));
    sysplex_poll_by(sx, next);
    return sx->due;
}

u64 sysplex_due(const struct sysplex *sx) {
    return sx->stopping ? TIME_NEVER : sx->due;
}

void sysplex_poll_by(struct sysplex *sx, u64 when) {
    if (when < sx->due) sx->due = when;
}

void sysplex_stop(struct sysplex *sx, u64 now) {
    group_leave(sx, now);
    dynxcf_stop(sx, now);
    sx->stopping = true;
    *stack_hooks(sx->stk) = (struct stack_hooks){.ctx = NULL}; /* stack_stop() closes what nobody need hear of */
}

int sysplex_leavegroup(struct sysplex *sx, u64 now) {
    /* Also a stack that the monitor has taken out stays out from now on. */
    if (sx->state == SYSPLEX_OUT && !sx->mon.left && !sx->mon.delaying) return -ERR_ALREADY;
    sx->by_operator = true;
    sx->mon.left = sx->mon.delaying = false;
    group_leave(sx, now);
    stack_message(sx->stk, "EZZ9676E SYSPLEX PROBLEM DETECTION CLEANUP HAS SUCCEEDED FOR %s", sx->tcpname);
    return 0;
}

int sysplex_joingroup(struct sysplex *sx, u64 now) {
    if (sx->state != SYSPLEX_OUT) return -ERR_ALREADY;
    sx->nojoin = false;
    return sysplex_rejoin(sx, now);
}

int sysplex_rejoin(struct sysplex *sx, u64 now) {
    bool again = (sx->by_operator || sx->mon.left) && sx->epoch > 0;
    int rc = group_join(sx, now);
    if (rc) return rc;
    sx->by_operator = sx->mon.left = sx->mon.delaying = false;
    monitor_reset(sx, now);
    if (again)
        stack_message(sx->stk, "EZD1192I THE VIPADYNAMIC CONFIGURATION WAS SUCCESSFULLY RESTORED FOR %s", sx->tcpname);
    return 0;
}

void sysplex_nojoin(struct sysplex *sx, bool nojoin) {
    sx->nojoin = nojoin;
}

/* ---- questions ---- */

enum sysplex_state sysplex_state(const struct sysplex *sx) {
    return sx->state;
}
struct stack *sysplex_stack(struct sysplex *sx) {
    return sx->stk;
}
const char *sysplex_sysname(const struct sysplex *sx) {
    return sx->sysname;
}
const char *sysplex_tcpname(const struct sysplex *sx) {
    return sx->tcpname;
}
struct ipaddr sysplex_dynxcf(const struct sysplex *sx) {
    return sx->dx.addr;
}
struct ipaddr sysplex_dynxcf_mask(const struct sysplex *sx) {
    return sx->dx.mask;
}
const struct sysplex_counters *sysplex_counters(const struct sysplex *sx) {
    return &sx->count;
}

const char *sysplex_counter(const struct sysplex *sx, u32 i, u32 *value) {
#define C(name) #name,
    static const char *const names[] = {SYSPLEX_COUNTERS(C)};
#undef C
    if (i >= ARRAY_LEN(names)) return NULL;
    *value = ((const u32 *)(const void *)&sx->count)[i];
    return names[i];
}

u32 sysplex_cluster_type(struct sysplex *sx, struct ipaddr partner) {
    struct stack *stk = sx->stk;
    struct route_cache way = {.generation = 0};
    struct sysplex_dvipa d;
    struct sysplex_peer *p = homes_find(sx, partner);
    u32 type = SYSPLEX_NONE;
    bool here = home_find(stk, partner) != NULL;
    if (!here && !p && sysplex_dvipa(sx, partner, &d) && d.owner) p = sysplex_peer_at(sx, d.owner->index);
    if (here || (p && p->same_image))
        type = SYSPLEX_SAME_IMAGE;
    else if (p)
        type = SYSPLEX_SAME_CLUSTER;
    if (here) return type | SYSPLEX_INTERNAL;
    if (ip_route(stk, partner, 0, &way) != 0) return type;
    bool internal = way.lnk->type == LNK_MPCPTP || way.lnk->type == LNK_CTC || way.lnk->type == LNK_IPAQIDIO;
    return internal ? type | SYSPLEX_INTERNAL : type;
}
