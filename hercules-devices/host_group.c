/* host_group.c - see host_group.h: the lock, the waits and what is raised afterwards. */
#include "hercules-devices/host_group.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HELPER_FIRST_US 100
#define HELPER_LAST_US 10000

static void lock(struct host_group *g) { CHECK(pthread_mutex_lock(&g->lock) == 0); }
static void unlock(struct host_group *g) { CHECK(pthread_mutex_unlock(&g->lock) == 0); }

static struct timespec after_us(u32 us) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += (long)us * 1000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* ---- what the engine calls; the lock is held ---- */

static u8 *host_storage(void *ctx, u64 addr, u32 len, bool will_write) {
    struct host_group *g = ctx;
    return g->port->storage(g->ctx, addr, len, will_write);
}

static u32 host_upcoming(void *ctx, u32 unit, struct engine_next *out, u32 max) {
    struct host_group *g = ctx;
    return g->port->upcoming(g->ctx, unit, out, max);
}

/* Will the channel give the next CCW of this program at once? */
static bool goes_on(const struct engine_ccw *c) {
    bool fits = (c->residual == 0 && !c->more) || (c->flags & CCW_SLI) || (c->code & 3) == 3;
    return (c->flags & CCW_CC) && fits && c->unit_status == (US_CHANNEL_END | US_DEVICE_END);
}

static void host_complete(void *ctx, u32 unit) {
    struct host_group *g = ctx;
    struct group_unit *u = &g->unit[unit];
    CHECK(unit < g->engine->ops->units && u->ccw && !u->completed);
    u->completed = true;
    if (g->standing && g->stands_for == unit)
        g->port->stand->kick(g->standing, !u->ended && goes_on(u->ccw));
    else
        pthread_cond_broadcast(&u->done);
}

static void host_attention(void *ctx, u32 unit, u8 unit_status) {
    struct group_unit *u = &((struct host_group *)ctx)->unit[unit];
    u->attention = unit_status ? u->attention | unit_status : 0;
    if (unit_status == 0) u->withdrawn = true;
}

static void host_pci(void *ctx, u32 unit) {
    struct host_group *g = ctx;
    g->pci |= 1u << unit;
}

static u8 *host_tx_reserve(void *ctx, u32 bytes) {
    struct host_group *g = ctx;
    u8 *room = g->port->tx_reserve(g->ctx, bytes);
    if (!room && g->linked) {
        g->kept_back = true;
        g->tx_full_count++;
    }
    return room;
}

static void host_tx_commit(void *ctx, u32 bytes) {
    struct host_group *g = ctx;
    g->port->tx_commit(g->ctx, bytes);
}

static void host_tx_flush(void *ctx) {
    struct host_group *g = ctx;
    g->port->tx_flush(g->ctx);
}

static void host_tx_later(void *ctx) {
    struct host_group *g = ctx;
    g->sent_later = true;
    g->port->tx_later(g->ctx);
}

static bool host_running(void *ctx, u32 unit) {
    struct host_group *g = ctx;
    return g->port->running && g->port->running(g->ctx, unit);
}

static void host_again(void *ctx) { ((struct host_group *)ctx)->kept_back = true; }

static void host_log(void *ctx, enum engine_severity sev, const char *text) {
    struct host_group *g = ctx;
    g->port->log(g->ctx, sev, text);
}

/* One line per 32 bytes, so that a dialogue can be compared with a manual's figure. */
static void host_trace(void *ctx, u32 unit, const char *what, const u8 *bytes, u32 len) {
    struct host_group *g = ctx;
    u32 at = 0;
    do {
        char text[160];
        int n = snprintf(text, sizeof text, "trace unit %u %s +%03X of %u:", unit, what, at, len);
        for (u32 i = at; i < len && i < at + 32 && n < (int)sizeof text - 3; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s%02X", i % 4 ? "" : " ", bytes[i]);
        g->port->log(g->ctx, ENGINE_INFO, text);
        at += 32;
    } while (at < len && at < 256);
}

/* ---- raising ---- */

static bool something_to_raise(const struct host_group *g) {
    u32 attentions = 0;
    for (u32 i = 0; i < ENGINE_UNITS_MAX; i++) attentions |= g->unit[i].attention;
    return g->pci || attentions;
}

/* Called with the lock held and returns with it held; it is free while the emulator is called. */
static void raise_all(struct host_group *g) {
    u8 attention[ENGINE_UNITS_MAX];
    u32 pci = g->pci;
    g->pci = 0;
    for (u32 i = 0; i < ENGINE_UNITS_MAX; i++) {
        attention[i] = g->unit[i].attention;
        g->unit[i].attention = 0;
        g->unit[i].withdrawn = false;
    }
    unlock(g);
    u8 refused[ENGINE_UNITS_MAX] = {0};
    for (u32 i = 0; i < ENGINE_UNITS_MAX; i++) {
        if (pci & 1u << i) g->port->pci(g->ctx, i);
        if (attention[i] && !g->port->attention(g->ctx, i, attention[i])) refused[i] = attention[i];
    }
    lock(g);
    for (u32 i = 0; i < ENGINE_UNITS_MAX; i++) {
        g->pcis += pci >> i & 1;
        g->attentions += attention[i] != 0;
        g->attentions_busy += refused[i] != 0;
        if (!g->unit[i].withdrawn) g->unit[i].attention |= refused[i];
    }
}

/* Ends a call of the engine: raises what it asked for, then frees the lock. resume: the engine may have room
 * again for the message that it refused. */
static void leave(struct host_group *g, bool resume) {
    if (something_to_raise(g)) raise_all(g);
    if (something_to_raise(g) || g->kept_back) pthread_cond_signal(&g->work);
    if (resume && g->rx_refused) {
        g->rx_refused = false;
        g->port->rx_resume(g->ctx);
    }
    unlock(g);
}

/* The same where the emulator calls with its device lock held: then only the helper may raise. */
static void leave_to_helper(struct host_group *g) {
    if (something_to_raise(g) || g->kept_back) pthread_cond_signal(&g->work);
    unlock(g);
}

static void *helper(void *arg) {
    struct host_group *g = arg;
    u32 pause_us = HELPER_FIRST_US;
    lock(g);
    while (!g->closing) {
        if (!something_to_raise(g) && !g->kept_back) {
            pause_us = HELPER_FIRST_US;
            pthread_cond_wait(&g->work, &g->lock);
            continue;
        }
        bool was_kept = g->kept_back;
        g->kept_back = false;
        if (was_kept) g->engine->ops->rx_end(g->engine);
        if (something_to_raise(g)) raise_all(g);
        if ((!something_to_raise(g) && !g->kept_back) || g->closing) continue;
        /* Refused: the device is busy or the ring is full. Somebody's signal must not shorten the pause to a spin. */
        struct timespec until = after_us(pause_us);
        while (!g->closing && pthread_cond_timedwait(&g->work, &g->lock, &until) == 0) {}
        pause_us = u32_min(pause_us * 2, HELPER_LAST_US);
    }
    unlock(g);
    return NULL;
}

/* ---- life ---- */

void group_init(struct host_group *g, const struct host_port *port, void *ctx, bool trace) {
    *g = (struct host_group){.port = port, .ctx = ctx};
    g->host = (struct engine_host){.ctx = g,
                                   .storage = host_storage,
                                   .complete = host_complete,
                                   .upcoming = port->upcoming ? host_upcoming : NULL,
                                   .attention = host_attention,
                                   .pci = host_pci,
                                   .tx_reserve = host_tx_reserve,
                                   .tx_commit = host_tx_commit,
                                   .tx_flush = host_tx_flush,
                                   .tx_later = port->tx_later && port->stand ? host_tx_later : NULL,
                                   .running = host_running,
                                   .again = host_again,
                                   .log = host_log,
                                   .trace = trace ? host_trace : NULL};
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->left, NULL);
    pthread_cond_init(&g->work, &monotonic);
    for (u32 i = 0; i < ENGINE_UNITS_MAX; i++) pthread_cond_init(&g->unit[i].done, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool group_open(struct host_group *g, struct engine *e) {
    CHECK(e->ops->units <= ENGINE_UNITS_MAX);
    g->engine = e;
    return pthread_create(&g->helper, NULL, helper, g) == 0;
}

void group_close(struct host_group *g) {
    lock(g);
    g->closing = true;
    for (u32 i = 0; i < ENGINE_UNITS_MAX; i++) pthread_cond_broadcast(&g->unit[i].done);
    while (g->inside) pthread_cond_wait(&g->left, &g->lock);
    pthread_cond_signal(&g->work);
    unlock(g);
    pthread_join(g->helper, NULL);
    pthread_mutex_destroy(&g->lock);
    pthread_cond_destroy(&g->left);
    pthread_cond_destroy(&g->work);
    for (u32 i = 0; i < ENGINE_UNITS_MAX; i++) pthread_cond_destroy(&g->unit[i].done);
}

/* ---- channel programs ---- */

static void end_waiting(struct host_group *g, u32 unit, bool reset) {
    struct group_unit *u = &g->unit[unit];
    if (!u->ccw || u->completed) return;
    u->ended = true;
    u->was_reset = reset;
    g->engine->ops->halt(g->engine, unit);
    CHECK(u->completed); /* the engine's contract: halt ends it at once */
}

static void reset_all(struct host_group *g) {
    for (u32 i = 0; i < g->engine->ops->units; i++) {
        end_waiting(g, i, true);
        g->unit[i].attention = 0;
        g->unit[i].sense = (struct engine_sense){0};
    }
    g->pci = 0;
    g->engine->ops->reset(g->engine);
    g->resets++;
}

/* SENSE and SENSE ID: the same for every engine, and never in need of one. */
static void answer_sense(struct host_group *g, u32 unit, struct engine_ccw *c) {
    struct group_unit *u = &g->unit[unit];
    u8 data[ENGINE_SENSE_MAX * 2] = {0};
    u32 len;
    if (c->code == CCW_SENSE_ID) {
        len = g->engine->ops->sense_id(g->engine, unit, data, sizeof data);
    } else {
        len = ENGINE_SENSE_MAX;
        memcpy(data, u->sense.bytes, len);
        u->sense = (struct engine_sense){0};
    }
    u32 n = u32_min(len, c->count);
    memcpy(c->buf, data, n);
    c->residual = c->count - n;
    c->more = len > c->count;
    c->unit_status = US_CHANNEL_END | US_DEVICE_END;
}

/* Keeps the sense of a unit check until the next command but SENSE: so a channel can present it either way. */
static void keep_sense(struct host_group *g, u32 unit, const struct engine_ccw *c) {
    if (!(c->unit_status & US_UNIT_CHECK)) return;
    const struct engine_sense *s = g->engine->ops->sense(g->engine, unit);
    if (s) g->unit[unit].sense = *s;
}

/* Gives the CCW to the engine; the lock is held, and the unit has none. */
static enum engine_rc start(struct host_group *g, u32 unit, struct engine_ccw *c) {
    struct group_unit *u = &g->unit[unit];
    if (c->code == CCW_SENSE_ID || c->code == CCW_SENSE) {
        answer_sense(g, unit, c);
        return ENGINE_DONE;
    }
    if (c->code != CCW_NOP) u->sense = (struct engine_sense){0};
    u->ccw = c; /* the engine may complete it before it returns ENGINE_WAIT */
    u->completed = u->ended = u->was_reset = false;
    enum engine_rc rc = g->engine->ops->ccw(g->engine, unit, c);
    if (rc == ENGINE_DONE) {
        u->ccw = NULL;
        keep_sense(g, unit, c);
    } else {
        g->inside++;
        g->waits++;
    }
    return rc;
}

/* Takes in the messages that are there; may_raise: raises what follows from them, else the helper does. The lock is held, but free in between. */
static void look(struct host_group *g, bool may_raise, bool wait) {
    void *connection = g->port->stand && !g->closing ? g->port->stand->pin(g->ctx, false) : NULL;
    if (!connection) return;
    g->owes_look = false;
    unlock(g);
    u32 n = g->port->stand->look(connection, wait);
    lock(g);
    g->looks += n;
    if (n && !g->closing) g->engine->ops->rx_end(g->engine);
    g->port->stand->unpin(connection);
    if (n && may_raise && something_to_raise(g)) raise_all(g);
}

static void look_first(struct host_group *g, u32 unit, const struct engine_ccw *c, bool may_raise) {
    const struct engine_ops *ops = g->engine->ops;
    if (!g->closing && ops->look_first && ops->look_first(g->engine, unit, c)) look(g, may_raise, false);
}

/* Who stood at the connection for the CCW before went on without a look at what else there was: that is due when the program ends. */
static void look_at_end(struct host_group *g, const struct engine_ccw *c, bool may_raise) {
    if (g->owes_look && !goes_on(c)) look(g, may_raise, false);
}

static void prepare(struct host_group *g, struct engine_ccw *c) {
    c->residual = c->count;
    c->more = false;
    c->unit_status = US_CHANNEL_END | US_DEVICE_END;
    g->ccws++;
}

enum engine_rc group_start(struct host_group *g, u32 unit, struct engine_ccw *c) {
    struct group_unit *u = &g->unit[unit];
    lock(g);
    prepare(g, c);
    look_first(g, unit, c, true);
    /* A second program while one waits: the subchannel was reset and started anew before we saw the reset. */
    if (u->ccw && !u->completed) reset_all(g);
    while (u->ccw && !g->closing) pthread_cond_wait(&g->left, &g->lock);
    if (g->closing) {
        c->unit_status = US_CHANNEL_END | US_DEVICE_END | US_UNIT_CHECK;
        unlock(g);
        return ENGINE_DONE;
    }
    g->sent_later = false;
    enum engine_rc rc = start(g, unit, c);
    if (rc == ENGINE_DONE) look_at_end(g, c, true);
    /* The other side may have sent something without waking us in the same moment: one of the two sees the other's. */
    if (rc == ENGINE_WAIT && g->sent_later) look(g, true, true);
    leave(g, true);
    return rc;
}

bool group_try(struct host_group *g, u32 unit, struct engine_ccw *c) {
    lock(g);
    if (!g->unit[unit].ccw) look_first(g, unit, c, false);
    bool sense = c->code == CCW_SENSE_ID || c->code == CCW_SENSE;
    bool now = !g->closing && !g->unit[unit].ccw &&
               (sense || (g->engine->ops->ends_at_once && g->engine->ops->ends_at_once(g->engine, unit, c)));
    if (now) {
        prepare(g, c);
        enum engine_rc rc = start(g, unit, c);
        CHECK(rc == ENGINE_DONE); /* what ends_at_once promised */
        look_at_end(g, c, false);
    }
    leave_to_helper(g);
    return now;
}

/* Waits at the connection itself. false: not possible now; nothing was waited for. */
static bool stand(struct host_group *g, u32 unit) {
    const struct host_stand *at = g->port->stand;
    if (!at || !g->engine->ops->look_first || g->standing) return false;
    void *connection = at->pin(g->ctx, true);
    if (!connection) return false;
    g->standing = connection;
    g->stands_for = unit;
    g->owes_look = false;
    unlock(g);
    bool stood = at->stand(connection, GROUP_POLL_MS);
    lock(g);
    g->standing = NULL;
    at->unpin(connection);
    g->stood += stood;
    g->owes_look = stood && g->unit[unit].completed && goes_on(g->unit[unit].ccw);
    return stood;
}

/* One turn of waiting: until the CCW is completed, or a poll says that the channel has ended it. */
static void wait_turn(struct host_group *g, u32 unit) {
    struct group_unit *u = &g->unit[unit];
    bool stood = stand(g, unit);
    if (u->completed || g->closing) return;
    if (stood && !g->port->ending) return;
    if (!g->port->ending) {
        pthread_cond_wait(&u->done, &g->lock);
        return;
    }
    struct timespec until = after_us(GROUP_POLL_MS * 1000);
    if (!stood && (pthread_cond_timedwait(&u->done, &g->lock, &until) == 0 || u->completed)) return;
    enum group_signal signal = g->port->ending(g->ctx, unit);
    if (signal == GROUP_END) end_waiting(g, unit, false);
    if (signal == GROUP_FORGET) reset_all(g);
}

enum group_end group_wait(struct host_group *g, u32 unit) {
    struct group_unit *u = &g->unit[unit];
    lock(g);
    CHECK(u->ccw);
    while (!u->completed && !g->closing) wait_turn(g, unit);
    end_waiting(g, unit, false);
    keep_sense(g, unit, u->ccw);
    enum group_end end = g->closing     ? GROUP_CLOSED
                         : u->was_reset ? GROUP_RESET
                         : u->ended     ? GROUP_ENDED
                                        : GROUP_COMPLETED;
    u->ccw = NULL;
    g->inside--;
    pthread_cond_broadcast(&g->left);
    /* After the last thread has left, group_close may free everything: nothing of g is touched then. */
    if (g->closing)
        unlock(g);
    else
        leave(g, true);
    return end;
}

void group_sense(struct host_group *g, u32 unit, struct engine_sense *out) {
    lock(g);
    *out = g->unit[unit].sense;
    unlock(g);
}

void group_halt(struct host_group *g, u32 unit) {
    lock(g);
    end_waiting(g, unit, false);
    leave_to_helper(g);
}

void group_reset(struct host_group *g) {
    lock(g);
    if (!g->closing) reset_all(g);
    leave_to_helper(g);
}

/* ---- QDIO ---- */

int group_siga_write(struct host_group *g, u32 unit, u32 qmask) {
    lock(g);
    int cc = 3;
    if (g->engine->ops->siga_write && !g->closing) cc = g->engine->ops->siga_write(g->engine, unit, qmask);
    leave(g, false);
    return cc;
}

int group_siga_read(struct host_group *g, u32 unit, u32 qmask) {
    lock(g);
    int cc = 3;
    if (g->engine->ops->siga_read && !g->closing) cc = g->engine->ops->siga_read(g->engine, unit, qmask);
    leave(g, true);
    return cc;
}

int group_siga_sync(struct host_group *g, u32 unit, u32 out_mask, u32 in_mask) {
    lock(g);
    int cc = 3;
    if (g->engine->ops->siga_sync && !g->closing)
        cc = g->engine->ops->siga_sync(g->engine, unit, out_mask, in_mask);
    leave(g, true);
    return cc;
}

/* ---- the other side ---- */

void group_link(struct host_group *g, bool up) {
    lock(g);
    g->linked = up;
    g->kept_back = false;
    if (!g->closing) g->engine->ops->link_state(g->engine, up);
    leave(g, false);
}

void group_isolated(struct host_group *g) {
    lock(g);
    if (!g->closing && g->engine->ops->isolated) g->engine->ops->isolated(g->engine);
    leave(g, false);
}

bool group_rx(struct host_group *g, const u8 *msg, u32 len) {
    lock(g);
    bool taken = g->closing || g->engine->ops->rx(g->engine, msg, len);
    if (!taken) {
        g->rx_refused = true;
        g->rx_refusals++;
    }
    unlock(g);
    return taken;
}

void group_rx_end(struct host_group *g) {
    lock(g);
    if (!g->closing) g->engine->ops->rx_end(g->engine);
    leave(g, false);
}

void group_query(struct host_group *g, char *out, size_t cap) {
    char engine[160] = "";
    lock(g);
    g->engine->ops->query(g->engine, engine, sizeof engine);
    snprintf(out, cap, "%s ccw=%llu wait=%llu stood=%llu looked=%llu pci=%llu attn=%llu/%llu rxfull=%llu txfull=%llu", engine,
             (unsigned long long)g->ccws, (unsigned long long)g->waits, (unsigned long long)g->stood, (unsigned long long)g->looks, (unsigned long long)g->pcis,
             (unsigned long long)g->attentions, (unsigned long long)g->attentions_busy,
             (unsigned long long)g->rx_refusals, (unsigned long long)g->tx_full_count);
    unlock(g);
}
