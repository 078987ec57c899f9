/* hdl.c - see hdl.h: Hercules on one side, host_group.h and peer.h on the other.
 *
 * SIGA and CHSC are in qdio_hdl.c, what the emulators' own channels leave undone is mended in channel_hdl.c.
 *
 * Locks. Hercules holds dev->lock when it calls init, close, halt and SIGA. The first two and SIGA give it back
 * while they work (a thread of ours that they wait for, or the interrupt that they cause, needs it); halt only
 * notes, which takes the group's lock and nothing else.
 */
#include "hercules-devices/hdl.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A changed layout would corrupt the emulator: Debian's build of 3.13 for this machine has exactly these sizes. */
#if !defined(HDL_HYPERION) && defined(__x86_64__)
_Static_assert(sizeof(DEVBLK) == 7656 && sizeof(SYSBLK) == 56288 && sizeof(REGS) == 53648,
               "these headers do not belong to Debian's hercules 3.13 (structure sizes)");
#endif

/* Thin-interrupt indicators: any bit makes the guest look, then it clears the byte. */
#define INDICATOR 0x80

static struct {
    pthread_mutex_t lock;
    struct hdl_group *first; /* for CHSC, which asks for a channel path or a subchannel */
} groups = {.lock = PTHREAD_MUTEX_INITIALIZER};

_Noreturn void base_bug(const char *file, int line, const char *condition) {
    logmsg("PLX806E %s:%d: not true: %s\n", file, line, condition);
    fprintf(stderr, "PLX806E %s:%d: not true: %s\n", file, line, condition);
    abort();
}

u16 hdl_devnum(const struct hdl_group *g) { return g->dev[0] ? g->dev[0]->devnum : 0; }

struct hdl_group *hdl_group_of(const DEVBLK *dev) { return dev->dev_data; }

u32 hdl_unit_of(const struct hdl_group *g, const DEVBLK *dev) {
    u32 unit = 0;
    while (unit < g->type->units && g->dev[unit] != dev) unit++;
    return unit;
}

bool hdl_find(bool (*is_it)(const struct hdl_group *g, void *arg), void *arg) {
    bool found = false;
    pthread_mutex_lock(&groups.lock);
    for (const struct hdl_group *g = groups.first; g && !found; g = g->next) found = is_it(g, arg);
    pthread_mutex_unlock(&groups.lock);
    return found;
}

/* ---- what the group asks of the emulator ---- */

u8 *hdl_storage(const struct hdl_group *g, u64 addr, u32 len) {
    const DEVBLK *dev = g->dev[0];
    /* The emulator sets mainstor only after the devices are built, so it is read anew each time. */
    if (!dev->mainstor || len == 0 || addr > dev->mainlim || len - 1 > dev->mainlim - addr) return NULL;
    return dev->mainstor + addr;
}

static u8 *port_storage(void *ctx, u64 addr, u32 len, bool will_write) {
    UNUSED(will_write);
    return hdl_storage(ctx, addr, len);
}

/* Present an attention. false: the device is busy or has status pending, so it must be offered again. */
static bool port_attention(void *ctx, u32 unit, u8 unit_status) {
    struct hdl_group *g = ctx;
    return device_attention(g->dev[unit], unit_status) != 1;
}

/* Level-triggered: queueing an interrupt that is queued changes nothing. Halted in the meantime: none. */
static void note_pci(DEVBLK *dev) {
    dev->pciscsw.flag2 |= SCSW2_Q | SCSW2_FC_START;
    dev->pciscsw.flag3 |= SCSW3_SC_INTER | SCSW3_SC_PEND;
    dev->pciscsw.chanstat = CSW_PCI;
}

#ifdef HDL_HYPERION

static void set_indicators(struct hdl_group *g) {
    u8 *device = hdl_storage(g, g->device_indicator, 1);
    u8 *summary = hdl_storage(g, g->summary_indicator, 1);
    if (device) __atomic_fetch_or(device, INDICATOR, __ATOMIC_SEQ_CST);
    if (summary) __atomic_fetch_or(summary, INDICATOR, __ATOMIC_SEQ_CST);
}

static void port_pci(void *ctx, u32 unit) {
    struct hdl_group *g = ctx;
    DEVBLK *dev = g->dev[unit];
    if (g->device_indicator) set_indicators(g);
    OBTAIN_INTLOCK(NULL);
    OBTAIN_DEVLOCK(dev);
    if (dev->scsw.flag2 & SCSW2_Q) {
        note_pci(dev);
        OBTAIN_IOINTQLK();
        QUEUE_IO_INTERRUPT_QLOCKED(&dev->pciioint, FALSE);
        UPDATE_IC_IOPENDING_QLOCKED();
        RELEASE_IOINTQLK();
    }
    RELEASE_DEVLOCK(dev);
    RELEASE_INTLOCK(NULL);
}

static enum group_signal port_ending(void *ctx, u32 unit) {
    UNUSED(ctx);
    UNUSED(unit);
    return sysblk.shutdown ? GROUP_END : GROUP_CONTINUE;
}

#else

static void port_pci(void *ctx, u32 unit) {
    struct hdl_group *g = ctx;
    DEVBLK *dev = g->dev[unit];
    obtain_lock(&dev->lock);
    bool active = dev->scsw.flag2 & SCSW2_Q;
    if (active) {
        note_pci(dev);
        QUEUE_IO_INTERRUPT(&dev->pciioint);
    }
    release_lock(&dev->lock);
    if (!active) return;
    OBTAIN_INTLOCK(NULL);
    UPDATE_IC_IOPENDING();
    RELEASE_INTLOCK(NULL);
}

/* A clear only sets a flag in the subchannel; a reset takes busy away under the running program. */
static enum group_signal port_ending(void *ctx, u32 unit) {
    const struct hdl_group *g = ctx;
    const volatile DEVBLK *dev = g->dev[unit];
    if (!dev->busy) return GROUP_FORGET;
    return dev->scsw.flag2 & (SCSW2_AC_CLEAR | SCSW2_AC_HALT) ? GROUP_END : GROUP_CONTINUE;
}

#endif

static void port_log(void *ctx, enum engine_severity sev, const char *text) {
    UNUSED(ctx);
    logmsg("PLX800%c %s\n", "IWE"[sev], text);
}

/* ---- what the group asks of the peer, and the peer of the group ---- */

static bool is_valid(const struct hdl_group *g, const struct peer_identity *who) {
    return !g->fence || peer_fence_valid(g->fence, who->name, who->incarnation);
}

static bool is_self_valid(struct hdl_group *g) {
    return !g->fence || peer_fence_still_valid(g->fence, &g->fence_seen, g->self.name, g->self.incarnation);
}

/* An emulator that was frozen while it was isolated learns of it here, before it can say anything more. */
static u8 *port_tx_reserve(void *ctx, u32 bytes) {
    struct hdl_group *g = ctx;
    if (!g->peer) return NULL;
    if (is_self_valid(g)) {
        u8 *room = peer_reserve(g->peer, bytes);
        g->sending = room;
        return room;
    }
    g->fenced++;
    return NULL;
}

static void port_tx_commit(void *ctx, u32 bytes) {
    struct hdl_group *g = ctx;
    if (g->tap) tap_message(g->tap, g->tap_interface, PCAPNG_OUTBOUND, g->sending, bytes);
    peer_commit(g->peer, bytes);
}

static void port_tx_flush(void *ctx) {
    struct hdl_group *g = ctx;
    if (g->peer) peer_flush(g->peer);
}

static void port_tx_later(void *ctx) {
    struct hdl_group *g = ctx;
    if (g->peer) peer_later(g->peer);
}

/* Read without the device's lock: a moment's error only costs the engine another look. */
static bool port_running(void *ctx, u32 unit) {
    const struct hdl_group *g = ctx;
    const volatile DEVBLK *dev = g->dev[unit];
    return dev->busy && !dev->suspended;
}

static void port_rx_resume(void *ctx) {
    struct hdl_group *g = ctx;
    if (g->peer) peer_resume(g->peer);
}

/* Called under the group's lock, and take_peer() too: who sees the connection here pins it before it can go. */
static void *stand_pin(void *ctx, bool to_stand) {
    struct hdl_group *g = ctx;
    if (g->peer) peer_pin(g->peer, to_stand);
    return g->peer;
}
static void stand_unpin(void *connection) { peer_unpin(connection); }
static bool stand_stand(void *connection, u32 msec) { return peer_stand(connection, msec); }
static void stand_kick(void *connection, bool goes_on) { peer_kick(connection, goes_on); }
static u32 stand_look(void *connection, bool wait) { return peer_look(connection, wait); }

static const struct host_stand stand = {
    .pin = stand_pin, .unpin = stand_unpin, .stand = stand_stand, .kick = stand_kick, .look = stand_look};

static const struct host_port port = {
    .storage = port_storage,
    .ending = port_ending,
    .upcoming = hdl_upcoming,
    .attention = port_attention,
    .pci = port_pci,
    .tx_reserve = port_tx_reserve,
    .tx_commit = port_tx_commit,
    .tx_flush = port_tx_flush,
    .tx_later = port_tx_later,
    .running = port_running,
    .rx_resume = port_rx_resume,
    .stand = &stand,
    .log = port_log,
};

/* The connection to send on from now; returns the one before. */
static struct peer *take_peer(struct hdl_group *g, struct peer *p) {
    pthread_mutex_lock(&g->host.lock);
    struct peer *old = g->peer;
    g->peer = p;
    pthread_mutex_unlock(&g->host.lock);
    return old;
}

static void on_up(void *ctx, struct peer *p, const struct peer_identity *other) {
    struct hdl_group *g = ctx;
    logmsg("PLX802I %4.4X connected to %s (incarnation %llX)\n", hdl_devnum(g), other->name,
           (unsigned long long)other->incarnation);
    /* peer_connect() may not have returned yet, and the engine will want to send. */
    struct peer *old = take_peer(g, p);
    /* A partner that comes back before we saw it go: its older connection is over. */
    if (g->serves && old && old != p) {
        group_link(&g->host, false);
        peer_close(old);
    }
    group_link(&g->host, true);
}

static void on_down(void *ctx, struct peer *p) {
    struct hdl_group *g = ctx;
    logmsg("PLX803W %4.4X connection to %s lost\n", hdl_devnum(g),
           g->self.expected[0] ? g->self.expected : g->address);
    if (g->serves && g->peer != p) return;
    if (g->serves) take_peer(g, NULL); /* the server frees it after this call */
    group_link(&g->host, false);
    if (!is_self_valid(g)) group_isolated(&g->host);
}

static bool on_message(void *ctx, struct peer *p, const u8 *msg, u32 len) {
    struct hdl_group *g = ctx;
    UNUSED(p);
    bool taken = group_rx(&g->host, msg, len);
    /* One that is refused is offered again. */
    if (g->tap && taken) tap_message(g->tap, g->tap_interface, PCAPNG_INBOUND, msg, len);
    return taken;
}

static void on_batch_end(void *ctx, struct peer *p) {
    struct hdl_group *g = ctx;
    UNUSED(p);
    group_rx_end(&g->host);
}

static void on_log(void *ctx, const char *text) {
    struct hdl_group *g = ctx;
    logmsg("PLX804W %4.4X %s\n", hdl_devnum(g), text);
}

/* Both ends must be allowed to act: what an isolated partner left in its ring is thrown away, and so is what waits for an
 * emulator that has itself been isolated. Ending the connection tells the guest. */
static bool on_incarnation(void *ctx, const struct peer_identity *other) {
    struct hdl_group *g = ctx;
    if (is_self_valid(g)) return is_valid(g, other);
    if (!g->told_fenced)
        logmsg("PLX805E %4.4X %s has been isolated: its connection to %s is over\n", hdl_devnum(g), g->self.name, other->name);
    g->told_fenced = true;
    return false;
}

/* The other side knows of an isolation that this one slept through, or that stands in no page here. */
static void on_refused(void *ctx, enum peer_refusal why) {
    struct hdl_group *g = ctx;
    if (why == PEER_REFUSED_INCARNATION) group_isolated(&g->host);
}

static const struct peer_ops peer_handlers = {.up = on_up,
                                              .message = on_message,
                                              .batch_end = on_batch_end,
                                              .down = on_down,
                                              .log = on_log,
                                              .incarnation_valid = on_incarnation,
                                              .refused = on_refused};

/* ---- life of a group ---- */

static int refuse(const DEVBLK *dev, const char *fmt, ...) {
    char text[HDL_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    logmsg("PLX801E %4.4X %s: %s\n", dev->devnum, dev->typname, text);
    return -1;
}

bool hdl_fence(struct hdl_group *g, const char *path, char *error, size_t cap) {
    if (path[0]) g->fence = peer_fence_open(path, error, cap);
    return !path[0] || g->fence;
}

bool hdl_capture(struct hdl_group *g, const char *path, u16 link_type, const char *lpar, const char *partner, char *error, size_t cap) {
    char name[64];
    if (!path[0]) return true;
    g->tap = tap_open(path, error, cap);
    if (!g->tap) return false;
    snprintf(name, sizeof name, "%s %4.4X to %s", lpar, hdl_devnum(g), partner);
    g->tap_interface = tap_interface(g->tap, link_type, name);
    return true;
}

/* One value for the whole start of this emulator: what an older start left behind is told apart by it. */
static u64 incarnation(void) {
    static u64 value;
    if (!value) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        value = (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
    }
    return value;
}

/* The first statement of a group: all that can be wrong is found here, before the emulator knows the group. */
static struct hdl_group *group_new(DEVBLK *dev, const struct hdl_type *type, int argc, char *argv[]) {
    char error[HDL_TEXT_MAX] = "no storage";
    struct hdl_group *g = calloc(1, sizeof *g);
    if (!g) {
        refuse(dev, "%s", error);
        return NULL;
    }
    g->type = type;
    g->dev[0] = dev;
    g->engine = type->create(g, &port, argc, argv, error, sizeof error);
    if (!g->engine) {
        refuse(dev, "%s", error);
        peer_fence_close(g->fence);
        tap_close(g->tap);
        free(g);
        return NULL;
    }
    g->self.kind = type->peer;
    g->self.incarnation = incarnation();
    snprintf(g->self.name, sizeof g->self.name, "%s", g->lpar);
    return g;
}

/* All units are there: threads start. Nothing of this may fail but for want of a thread or a bad address. */
static void group_run(struct hdl_group *g) {
    if (!group_open(&g->host, g->engine)) {
        logmsg("PLX801E %4.4X %s: no thread to be had: the device stays offline\n", hdl_devnum(g), g->type->name);
        return;
    }
    g->started = true;
    pthread_mutex_lock(&groups.lock);
    g->next = groups.first;
    groups.first = g;
    pthread_mutex_unlock(&groups.lock);
    if (!g->serves) {
        take_peer(g, peer_connect(g->address, &g->self, &peer_handlers, g));
        return;
    }
    g->server = peer_serve(g->address, &g->self, &peer_handlers, g);
    if (g->server && !peer_server_thread(g->server)) {
        peer_server_close(g->server);
        g->server = NULL;
    }
    if (!g->server)
        logmsg("PLX801E %4.4X %s: cannot serve %s: the link stays down\n", hdl_devnum(g), g->type->name, g->address);
}

static void group_stop(struct hdl_group *g) {
    pthread_mutex_lock(&groups.lock);
    for (struct hdl_group **at = &groups.first; *at; at = &(*at)->next)
        if (*at == g) {
            *at = g->next;
            break;
        }
    pthread_mutex_unlock(&groups.lock);
    if (!g->started) return;
    g->started = false;
    struct peer *p = take_peer(g, NULL); /* a CCW that runs now must not send any more */
    if (g->server)
        peer_server_close(g->server);
    else if (p)
        peer_close(p);
    group_close(&g->host);
}

/* What the emulator shows and looks at; the descriptor only makes it call close. */
static void describe_device(DEVBLK *dev, struct hdl_group *g, u32 unit) {
    u8 id[ENGINE_SENSE_MAX];
    u32 len = g->engine->ops->sense_id(g->engine, unit, id, sizeof id);
    dev->dev_data = g;
    dev->devtype = g->type->devtype;
    memcpy(dev->devid, id, len);
    dev->numdevid = len;
    dev->numsense = ENGINE_SENSE_MAX;
    dev->cdwmerge = 1;
    if (g->type->queues) dev->pmcw.flag4 |= PMCW4_Q;
    if (dev->fd < 3) dev->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
#ifdef HDL_HYPERION
    dev->chptype[0] = g->type->chpid_type;
#else
    dev->halt_device = hdl_dev_halt;
    dev->syncio = g->engine->ops->ends_at_once ? 1 : 0;
#endif
}

int hdl_dev_init(DEVBLK *dev, const struct hdl_type *type, int argc, char *argv[]) {
    if (dev->group) return refuse(dev, "cannot be changed while attached: detach and attach the whole group");
    group_device(dev, 0); /* joins a group of this type that waits for units, if there is one */
    struct hdl_group *g = dev->group ? dev->group->grp_data : NULL;
    if (!g) {
        g = group_new(dev, type, argc, argv);
        if (!g) return -1;
        group_device(dev, (int)type->units);
        dev->group->grp_data = g;
    } else if (dev->devnum != g->dev[0]->devnum + g->members) {
        logmsg("PLX801W %4.4X %s: not the device number that follows the group's last\n", dev->devnum, type->name);
    }
    u32 unit = g->members++;
    g->open++;
    g->dev[unit] = dev;
    describe_device(dev, g, unit);
    if (g->members == type->units) group_run(g);
    return 0;
}

/* 3.13 detaches the other units of a group while it holds the lock of the first, and takes the lock of interruptions for each. A
 * processor that has that one and presents an interruption of the first unit wants them in the other order: both, and then everybody,
 * wait for ever. So the other units are detached here, where no lock is held, and this one is alone when the emulator goes on. */
#ifdef HDL_HYPERION
static void detach_others(DEVBLK *dev) { UNUSED(dev); }
#else
static void detach_others(DEVBLK *dev) {
    DEVBLK *other[ENGINE_UNITS_MAX];
    DEVGRP *group = dev->group;
    int others = 0;
    if (!group) return;
    for (int i = 0; i < group->acount && others < ENGINE_UNITS_MAX; i++)
        if (group->memdev[i] && group->memdev[i] != dev) other[others++] = group->memdev[i];
    if (!others) return; /* the last one's end is the group's, too: the emulator frees it */
    group->memdev[dev->member] = NULL;
    dev->group = NULL;
    /* One that is detached takes those with it that are left. */
    for (int i = 0; i < others; i++)
        if (other[i]->allocated) detach_device(SSID_TO_LCSS(other[i]->ssid), other[i]->devnum);
}
#endif

int hdl_dev_close(DEVBLK *dev) {
    struct hdl_group *g = hdl_group_of(dev);
    if (dev->fd > 2) close(dev->fd);
    dev->fd = -1;
    dev->dev_data = NULL;
    if (!g) return 0;
    /* The threads that end now may be waiting for this lock. */
    release_lock(&dev->lock);
    group_stop(g);
    detach_others(dev);
    obtain_lock(&dev->lock);
    if (--g->open == 0) {
        g->type->destroy(g->engine);
        peer_fence_close(g->fence);
        tap_close(g->tap);
        free(g);
    }
    return 0;
}

void hdl_dev_query(DEVBLK *dev, char **class, int buflen, char *buffer) {
    static char osa[] = "OSA";
    struct hdl_group *g = hdl_group_of(dev);
    if (class) *class = g && g->type->class ? g->type->class : osa;
    if (!buffer || buflen <= 0) return;
    if (g && g->started)
        group_query(&g->host, buffer, (size_t)buflen);
    else
        snprintf(buffer, (size_t)buflen, g ? "%s: %u of %u units" : "%s", g ? g->type->name : "closed",
                 g ? g->members : 0, g ? g->type->units : 0);
}

/* ---- channel programs ---- */

/* The unit status with which a CCW returns to the channel when a halt or a clear may have ended it.
 *   3.13      has the halt still to complete, and does so before the next CCW: a command retry takes it there. It would leave the
 *             subchannel marked active for ever, and Linux, which sets a device offline, waits for that to end
 *   Hyperion  completes it again and drops this status: none */
static BYTE status_for_channel(DEVBLK *dev, enum group_end end, u8 unit_status) {
#ifdef HDL_HYPERION
    UNUSED(dev);
    return end == GROUP_ENDED ? 0 : unit_status;
#else
    UNUSED(end);
    if (!(dev->scsw.flag2 & (SCSW2_AC_CLEAR | SCSW2_AC_HALT))) return unit_status;
    obtain_lock(&dev->lock);
    dev->scsw.flag3 &= (BYTE) ~(SCSW3_AC_SCHAC | SCSW3_AC_DEVAC);
    release_lock(&dev->lock);
    return CSW_CE | CSW_DE | CSW_UC | CSW_SM;
#endif
}

static void set_qdio_active(DEVBLK *dev, bool on) {
    obtain_lock(&dev->lock);
    if (on)
        dev->scsw.flag2 |= SCSW2_Q;
    else
        dev->scsw.flag2 &= (BYTE)~SCSW2_Q;
    release_lock(&dev->lock);
}

/* The device thread sits here as long as the CCW lasts: an outstanding read, or active queues. */
static enum group_end wait_for(struct hdl_group *g, DEVBLK *dev, u32 unit, u8 code) {
    bool activate = g->type->queues && code == g->type->activate;
    if (activate) set_qdio_active(dev, true);
    enum group_end end = group_wait(&g->host, unit);
    if (activate && end != GROUP_CLOSED) set_qdio_active(dev, false);
    return end;
}

/* Where the emulator starts programs of a device on the CPU's own thread, a CCW that might wait is given back: the rest of the
 * program then begins anew with it on a thread. It saves two changes of threads for each program that need not wait. */
#ifdef HDL_HYPERION
static bool on_cpu_thread(const DEVBLK *dev) {
    UNUSED(dev);
    return false;
}
static void start_again_on_a_thread(DEVBLK *dev) { UNUSED(dev); }
#else
static bool on_cpu_thread(const DEVBLK *dev) { return dev->syncio_active; }
static void start_again_on_a_thread(DEVBLK *dev) { dev->syncio_retry = 1; }
#endif

void hdl_dev_exec(DEVBLK *dev, BYTE code, BYTE flags, BYTE chained, hdl_count count, BYTE prevcode, int ccwseq,
              BYTE *iobuf, BYTE *more, BYTE *unitstat, hdl_count *residual) {
    struct hdl_group *g = hdl_group_of(dev);
    u32 unit = g ? hdl_unit_of(g, dev) : 0;
    struct engine_ccw c = {.code = code, .flags = flags, .chained = chained, .count = count, .buf = iobuf};
    enum group_end end = GROUP_COMPLETED;
    UNUSED(prevcode);
    UNUSED(ccwseq);
    *residual = count;
    if (!g || !g->started) {
        memset(dev->sense, 0, sizeof dev->sense);
        dev->sense[0] = SENSE_IR;
        *unitstat = CSW_CE | CSW_DE | CSW_UC;
        return;
    }
    if (on_cpu_thread(dev)) {
        if (!group_try(&g->host, unit, &c)) {
            start_again_on_a_thread(dev);
            return;
        }
    } else if (group_start(&g->host, unit, &c) == ENGINE_WAIT) {
        end = wait_for(g, dev, unit, code);
    }
    *residual = (hdl_count)c.residual;
    *more = c.more;
    *unitstat = status_for_channel(dev, end, c.unit_status);
    if (end == GROUP_RESET) hdl_sweep_later(dev);
    if (end == GROUP_COMPLETED && (c.unit_status & US_UNIT_CHECK)) {
        struct engine_sense sense;
        group_sense(&g->host, unit, &sense);
        memcpy(dev->sense, sense.bytes, u32_min(sizeof sense.bytes, sizeof dev->sense));
    }
}

void hdl_dev_halt(DEVBLK *dev) {
    struct hdl_group *g = hdl_group_of(dev);
    if (!g || !g->started) return;
#ifdef HDL_HYPERION
    if (dev->hoc == HOC_RESET) {
        g->summary_indicator = g->device_indicator = 0;
        group_reset(&g->host);
        return;
    }
    if (dev->hoc == HOC_HSCH && (dev->scsw.flag3 & SCSW3_AC_SUSP)) hdl_forget_resumption(dev);
#else
    hdl_halt_unbegun(dev);
#endif
    group_halt(&g->host, hdl_unit_of(g, dev));
#ifdef HDL_HYPERION
    /* A thread of the device comes here, too, when it completes a halt: that one waits for nobody. */
    if (dev->hoc == HOC_HSCH || dev->hoc == HOC_CSCH) hdl_await_thread(dev, dev->hoc == HOC_HSCH);
#endif
}
