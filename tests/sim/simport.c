/* simport.c - see simport.h. A wire is two queues of messages, bounded in bytes as a ring is. */
#include "tests/sim/simport.h"

#include "tests/sim/simchan_impl.h"

#include <stdlib.h>
#include <string.h>

struct message {
    struct message *next;
    u32 len;
    u8 bytes[];
};

struct queue {
    struct message *first, **last;
    u32 bytes;
};

struct sim_wire {
    struct sim_wire *next;
    struct sim_port *port;
    struct sim_group *group;
    u32 number, ring_bytes;
    bool joined;  /* the engine was told that the card is there */
    bool cut;     /* its cable is pulled */
    bool died;    /* the process was killed since; it may be back already */
    bool refused; /* the ring to the card was found full */
    bool blocked;
    u32 blocked_at; /* the group's activity when the engine refused a message */
    struct queue to_port, to_engine;
    struct message *reserved;
    void *attachment;
};

struct sim_port {
    const struct simport_ops *ops;
    void *ctx;
    bool alive;
    struct sim_wire *wires;
    u32 wire_count;
};

/* ---- queues ---- */

static void queue_init(struct queue *q) {
    *q = (struct queue){.last = &q->first};
}

static struct message *message_new(u32 len) {
    struct message *m = malloc(sizeof *m + len);
    CHECK(m);
    m->next = NULL;
    m->len = len;
    return m;
}

static void queue_put(struct queue *q, struct message *m) {
    *q->last = m;
    q->last = &m->next;
    q->bytes += m->len;
}

static struct message *queue_take(struct queue *q) {
    struct message *m = q->first;
    q->first = m->next;
    if (!q->first) q->last = &q->first;
    q->bytes -= m->len;
    return m;
}

static void queue_drop(struct queue *q) {
    while (q->first) free(queue_take(q));
}

/* ---- the engine's side: struct sim_tx ---- */

static u8 *wire_reserve(void *ctx, u32 bytes) {
    struct sim_wire *w = ctx;
    if (!w->port->alive || !w->joined) return NULL;
    if (w->to_port.bytes + bytes > w->ring_bytes) {
        w->refused = true;
        return NULL;
    }
    free(w->reserved);
    w->reserved = message_new(bytes);
    return w->reserved->bytes;
}

static void wire_commit(void *ctx, u32 bytes) {
    struct sim_wire *w = ctx;
    CHECK(w->reserved && bytes <= w->reserved->len);
    /* A copy of just the committed bytes, so that ASan sees a reader that goes beyond them. */
    struct message *m = message_new(bytes);
    memcpy(m->bytes, w->reserved->bytes, bytes);
    free(w->reserved);
    w->reserved = NULL;
    queue_put(&w->to_port, m);
}

/* ---- the card ---- */

struct sim_port *simport_create(const struct simport_ops *ops, void *ctx) {
    struct sim_port *p = calloc(1, sizeof *p);
    CHECK(p);
    *p = (struct sim_port){.ops = ops, .ctx = ctx, .alive = true};
    return p;
}

void simport_destroy(struct sim_port *p) {
    for (struct sim_wire *w = p->wires, *next; w; w = next) {
        next = w->next;
        queue_drop(&w->to_port);
        queue_drop(&w->to_engine);
        free(w->reserved);
        free(w);
    }
    free(p);
}

struct sim_wire *simport_join(struct sim_port *p, struct sim_group *g, u32 ring_bytes) {
    struct sim_wire *w = calloc(1, sizeof *w);
    CHECK(w);
    *w = (struct sim_wire){.next = p->wires, .port = p, .group = g, .ring_bytes = ring_bytes};
    w->number = p->wire_count++;
    queue_init(&w->to_port);
    queue_init(&w->to_engine);
    p->wires = w;
    simchan_group_tx(g, &(struct sim_tx){.ctx = w, .reserve = wire_reserve, .commit = wire_commit});
    return w;
}

u32 simport_room(const struct sim_wire *w) {
    if (!w->port->alive || !w->joined || w->to_engine.bytes >= w->ring_bytes) return 0;
    return w->ring_bytes - w->to_engine.bytes;
}

bool simport_send(struct sim_wire *w, const u8 *msg, u32 len) {
    if (simport_room(w) < len) return false;
    struct message *m = message_new(len);
    memcpy(m->bytes, msg, len);
    queue_put(&w->to_engine, m);
    return true;
}

void simport_wire_set(struct sim_wire *w, void *attachment) {
    w->attachment = attachment;
}
void *simport_wire_get(const struct sim_wire *w) {
    return w->attachment;
}
u32 simport_wire_number(const struct sim_wire *w) {
    return w->number;
}

void simport_kill(struct sim_port *p) {
    p->alive = false;
    for (struct sim_wire *w = p->wires; w; w = w->next) w->died = w->joined;
}
void simport_start(struct sim_port *p) {
    p->alive = true;
}

void simport_wire_cut(struct sim_wire *w, bool cut) {
    w->cut = cut;
    if (cut) w->died = w->joined;
}

/* Tells both sides that the process came or went. */
static u32 wire_link_state(struct sim_wire *w, u64 now) {
    struct sim_port *p = w->port;
    struct engine *e = w->group->engine;
    bool there = p->alive && !w->cut;
    if (there == w->joined && !w->died) return 0;
    /* A process that died and came back between two runs is first seen to go. */
    w->joined = there && !w->died;
    w->died = false;
    queue_drop(&w->to_port);
    queue_drop(&w->to_engine);
    w->blocked = false;
    if (w->joined) {
        if (p->ops->up) p->ops->up(p->ctx, w, now);
    } else {
        if (p->ops->down) p->ops->down(p->ctx, w, now);
    }
    e->ops->link_state(e, w->joined);
    return 1;
}

static u32 wire_to_port(struct sim_wire *w, u64 now) {
    u32 n = 0;
    for (; w->to_port.first; n++) {
        struct message *m = queue_take(&w->to_port);
        w->port->ops->message(w->port->ctx, w, m->bytes, m->len, now);
        free(m);
    }
    return n;
}

static u32 wire_to_engine(struct sim_wire *w) {
    struct engine *e = w->group->engine;
    u32 n = 0;
    /* engine.h: a message that was not taken is offered again after the next CCW or SIGA, not before. */
    if (w->blocked && !w->refused && w->blocked_at == w->group->activity) return 0;
    w->blocked = false;
    /* The adapter owes the engine an rx_end() now and then while its output did not fit. */
    if (w->refused && e->ops->rx_end) {
        w->refused = false;
        e->ops->rx_end(e);
    }
    while (w->to_engine.first && !w->died) {
        struct message *m = w->to_engine.first;
        w->blocked_at = w->group->activity;
        if (!e->ops->rx(e, m->bytes, m->len)) {
            w->blocked = true;
            break;
        }
        free(queue_take(&w->to_engine));
        n++;
    }
    if (n && e->ops->rx_end) e->ops->rx_end(e);
    return n;
}

u32 simport_run(struct sim_port *p, u64 now) {
    u32 total = 0, n;
    do {
        n = 0;
        for (struct sim_wire *w = p->wires; w; w = w->next) n += wire_link_state(w, now);
        if (p->alive) {
            for (struct sim_wire *w = p->wires; w; w = w->next) n += wire_to_port(w, now);
            if (n && p->ops->batch_end) p->ops->batch_end(p->ctx, now);
            for (struct sim_wire *w = p->wires; w; w = w->next) n += wire_to_engine(w);
        }
        total += n;
    } while (n);
    return total;
}
