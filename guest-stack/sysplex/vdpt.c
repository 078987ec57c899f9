/* vdpt.c - the destination port table and the choice of a target. See vdpt.h. */
#include "sysplex/vdpt.h"

#include "base/str.h"

#define PERCENT 100u

static u32 port_hash(const struct vdpt *v, struct ipaddr dvipa, u16 port) {
    return hash2(&v->key, dvipa.v4, port);
}

size_t vdpt_bytes(u32 max_ports) {
    return (sizeof(struct vdpt_port) + 15) / 16 * 16 * (size_t)max_ports + hash_bytes(max_ports) + 64;
}

bool vdpt_init(struct vdpt *v, struct arena *a, u32 max_ports, const struct hash_key *key) {
    *v = (struct vdpt){.key = *key};
    list_init(&v->order);
    return pool_init(&v->pool, "VDPT", a, sizeof(struct vdpt_port), max_ports) && hash_init(&v->table, a, max_ports);
}

struct vdpt_port *vdpt_find(const struct vdpt *v, struct ipaddr dvipa, u16 port) {
    for (struct hash_row *r = *hash_head(&v->table, port_hash(v, dvipa, port)); r; r = r->next) {
        struct vdpt_port *p = (struct vdpt_port *)(void *)r;
        if (p->port == port && ipaddr_eq(p->dvipa, dvipa)) return p;
    }
    return NULL;
}

/* 1..count; 0 is nobody's, so that a row of the VCRT can say "no port". */
static u16 index_of(const struct vdpt *v, const struct vdpt_port *p) {
    return (u16)(((size_t)((const u8 *)p - v->pool.base)) / v->pool.object_bytes + 1);
}

int vdpt_add(struct vdpt *v, struct ipaddr dvipa, u16 port, enum dist_method method, struct vdpt_port **out) {
    if (vdpt_find(v, dvipa, port)) return -ERR_EXIST;
    struct vdpt_port *p = pool_get(&v->pool);
    if (!p) return -ERR_NOMEM;
    memset(p, 0, sizeof *p);
    p->dvipa = dvipa;
    p->port = port;
    p->method = (u8)method;
    p->index = index_of(v, p);
    p->current = VDPT_NOBODY;
    list_push_back(&v->order, &p->node);
    hash_add(&v->table, port_hash(v, dvipa, port), &p->hash);
    *out = p;
    return 0;
}

void vdpt_del(struct vdpt *v, struct vdpt_port *p) {
    hash_del(&v->table, port_hash(v, p->dvipa, p->port), &p->hash);
    list_del(&p->node);
    p->index = 0;
    pool_put(&v->pool, p);
}

void vdpt_set_method(struct vdpt_port *p, enum dist_method m) {
    if (p->method == (u8)m) return;
    p->method = (u8)m;
    p->current = VDPT_NOBODY;
    for (u32 t = 0; t < VDPT_TARGETS; t++) p->t[t].credit = 0;
}

struct vdpt_port *vdpt_walk(const struct vdpt *v, const struct vdpt_port *p) {
    const struct list *n = p ? p->node.next : v->order.next;
    return n == &v->order ? NULL : LIST_ENTRY((struct list *)(uintptr_t)n, struct vdpt_port, node);
}

struct vdpt_port *vdpt_at(const struct vdpt *v, u16 index) {
    if (index == 0 || index > v->pool.count) return NULL;
    struct vdpt_port *p = (struct vdpt_port *)(void *)(v->pool.base + (size_t)(index - 1) * v->pool.object_bytes);
    return p->index == index ? p : NULL;
}

struct vdpt_port *vdpt_learn(struct vdpt *v, const struct vdpt_port *model, u16 port) {
    struct vdpt_port *p;
    if (vdpt_add(v, model->dvipa, port, (enum dist_method)model->method, &p) < 0) return NULL;
    p->flags = model->flags | VDPT_DYNAMIC;
    p->affinity_sec = model->affinity_sec;
    p->top = model->top;
    for (u32 t = 0; t < VDPT_TARGETS; t++) {
        if (!(model->t[t].flags & VDPT_IN)) continue;
        p->t[t] = model->t[t];
        p->t[t].ready = p->t[t].total = p->t[t].active = p->t[t].sent = 0;
        p->t[t].credit = 0;
    }
    return p;
}

void vdpt_target_add(struct vdpt_port *p, u32 target) {
    CHECK(target < VDPT_TARGETS);
    struct vdpt_target *t = &p->t[target];
    if (t->flags & VDPT_IN) return;
    p->top = (u8)u32_max(p->top, target + 1);
    *t = (struct vdpt_target){.flags = VDPT_IN, .weight = VDPT_WEIGHT_DEFAULT, .tcsr = 100, .cer = 100, .sef = 100};
    vdpt_weigh(p);
}

void vdpt_target_del(struct vdpt_port *p, u32 target) {
    CHECK(target < VDPT_TARGETS);
    p->t[target] = (struct vdpt_target){.flags = 0};
    if (p->current == target) p->current = VDPT_NOBODY;
    vdpt_weigh(p);
}

u32 vdpt_tsr(const struct vdpt_target *t) {
    return (u32)t->tcsr * t->cer * t->sef / (PERCENT * PERCENT);
}

void vdpt_weigh(struct vdpt_port *p) {
    bool equal = false;
    for (u32 i = 0; i < p->top; i++)
        /* One target whose capacity nobody knows makes the others' incomparable with it. */
        if ((p->t[i].flags & VDPT_IN) && p->t[i].ready && !p->t[i].wlm) equal = true;
    for (u32 i = 0; i < p->top; i++) {
        struct vdpt_target *t = &p->t[i];
        if (!(t->flags & VDPT_IN)) continue;
        u32 base = p->method == DIST_WEIGHTEDACTIVE ? t->weight : equal || !t->wlm ? 1 : t->wlm;
        u32 w = base * (PERCENT - u32_min(t->qos_fraction, PERCENT)) * vdpt_tsr(t) / PERCENT;
        /* Whoever is ready gets something, or it could never show that it has recovered. */
        t->effective = (u16)(w ? w : vdpt_tsr(t) ? 1 : 0);
    }
}

/* Who could take a connection now, of those allowed; *probed: who of them is due to be probed, whatever his health. Where nobody who listens is
 * well, those are tried whose queues have room: trying may fail, turning clients away does. */
static u32 look(const struct vdpt_port *p, u32 allowed, u32 *probed) {
    u32 well = 0, poorly = 0, probes = 0, bit = 1;
    bool health = p->method != DIST_ROUNDROBIN && !(p->flags & VDPT_NOHEALTHSWITCH);
    for (const struct vdpt_target *t = p->t, *end = t + p->top; t < end; t++, bit <<= 1) {
        if ((t->flags & (VDPT_IN | VDPT_QUIESCED | VDPT_UNREACHABLE)) != VDPT_IN || !t->ready) continue;
        if (t->flags & VDPT_PROBE) probes |= bit;
        if (!health || t->effective)
            well |= bit;
        else if (t->sef)
            poorly |= bit;
    }
    *probed = probes & allowed;
    return (well ? well : poorly) & allowed;
}

u32 vdpt_eligible(const struct vdpt_port *p, u32 allowed) {
    u32 probed;
    return look(p, allowed, &probed);
}

void vdpt_count(struct vdpt_port *p, u32 target, bool opened) {
    struct vdpt_target *t = &p->t[target];
    if (opened) {
        t->total++;
        t->active++;
    } else if (t->active) {
        /* The target may have been taken out and put back meanwhile; its counts began anew. */
        t->active--;
    }
}

u32 vdpt_choose(struct vdpt_port *p, u32 allowed) {
    u32 probed, target = 0, eligible = look(p, allowed, &probed);
    if (probed) { /* it takes the connection, whatever the method; once */
        while (!(probed >> target & 1)) target++;
        p->t[target].flags &= (u8)~VDPT_PROBE;
    } else if (eligible) {
        target = vdpt_method((enum dist_method)p->method)->choose(p, eligible);
    } else {
        p->refused++;
        return VDPT_NOBODY;
    }
    p->t[target].sent++;
    vdpt_count(p, target, true);
    return target;
}

/* ---- methods ---- */

/* W', or 1: who has none is chosen only where nobody has. */
static u32 share(const struct vdpt_target *t) { return t->effective ? t->effective : 1; }

/* weight(t) as a function, so that BASEWLM and ROUNDROBIN are one piece of code. */
static u32 smooth(struct vdpt_port *p, u32 eligible, bool weighted) {
    u32 best = VDPT_NOBODY;
    i32 sum = 0;
    for (u32 i = 0; i < p->top; i++) {
        struct vdpt_target *t = &p->t[i];
        if (!(eligible >> i & 1)) {
            t->credit = 0; /* absence earns nothing */
            continue;
        }
        i32 w = weighted ? (i32)share(t) : 1;
        sum += w;
        t->credit += w;
        if (best == VDPT_NOBODY || t->credit > p->t[best].credit) best = i;
    }
    p->t[best].credit -= sum;
    return best;
}

static u32 choose_basewlm(struct vdpt_port *p, u32 eligible) {
    return smooth(p, eligible, true);
}

static u32 choose_roundrobin(struct vdpt_port *p, u32 eligible) {
    return smooth(p, eligible, false);
}

/* The target whose share of active connections would be lowest for its weight with one more. */
static u32 choose_active(struct vdpt_port *p, u32 eligible) {
    u32 best = VDPT_NOBODY;
    for (u32 i = 0; i < p->top; i++) {
        const struct vdpt_target *t = &p->t[i], *b = best == VDPT_NOBODY ? NULL : &p->t[best];
        if (!(eligible >> i & 1)) continue;
        /* a / w < b / v without a division; equal shares go to the one that has had fewer in all. */
        u64 left = b ? (u64)(t->active + 1) * share(b) : 0, right = b ? (u64)(b->active + 1) * share(t) : 1;
        if (left < right || (left == right && t->total < b->total)) best = i;
    }
    return best;
}

static u32 choose_standby(struct vdpt_port *p, u32 eligible) {
    u32 best = VDPT_NOBODY;
    bool stay = (p->flags & VDPT_NOSWITCHBACK) && p->current < VDPT_TARGETS && (eligible >> p->current & 1);
    for (u32 i = 0; i < p->top && !stay; i++) {
        if (!(eligible >> i & 1)) continue;
        u32 rank = p->t[i].rank, held = best == VDPT_NOBODY ? 0 : p->t[best].rank;
        /* 0 is PREFERRED and beats every rank; among backups the highest. */
        if (best == VDPT_NOBODY || (held && (!rank || rank > held))) best = i;
    }
    if (!stay) p->current = (u8)best;
    return p->current;
}

static const struct vdpt_method_ops methods[DIST_METHODS] = {
    [DIST_BASEWLM] = {.name = "BASEWLM", .flag = "BaseWLM", .letter = 'B', .choose = choose_basewlm},
    [DIST_ROUNDROBIN] = {.name = "ROUNDROBIN", .flag = "Roundrobin", .letter = 'R', .choose = choose_roundrobin},
    [DIST_WEIGHTEDACTIVE] = {.name = "WEIGHTEDACTIVE", .flag = "WeightedActive", .letter = 'W', .choose = choose_active},
    [DIST_HOTSTANDBY] = {.name = "HOTSTANDBY", .flag = "HotStandby", .letter = 'H', .choose = choose_standby},
};

const struct vdpt_method_ops *vdpt_method(enum dist_method m) {
    CHECK(m < DIST_METHODS);
    return &methods[m];
}

enum dist_method vdpt_method_named(const char *name) {
    u32 m = 0;
    while (m < DIST_METHODS && !str_eq_ci(methods[m].name, name)) m++;
    return (enum dist_method)m;
}
