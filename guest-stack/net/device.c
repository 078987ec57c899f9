/* device.c - DEVICE and LINK: their tables, START and STOP, and recovery of a failed device. See link.h.
 *
 *   event    NOT_ACTIVE              STARTING                READY                   STOPPING
 *   start    driver starts;          -                       -                       wanted: starts after
 *            STARTING                                                                the stop
 *   stop     not wanted; no retry    driver stops; STOPPING  driver stops; STOPPING  not wanted
 *   ready    -                       READY, link up          -                       -
 *   failed   -                       recover, else           recover, else           as stopped
 *                                    NOT_ACTIVE              NOT_ACTIVE
 *   stopped  -                       NOT_ACTIVE              NOT_ACTIVE              NOT_ACTIVE; starts if wanted
 *
 * Recovery (AUTORESTART): EZZ4309I once, then a try every DEVICE_RETRY_SEC until DEVRETRYDURATION has passed.
 * While it goes on a failed try is silent, since the operator knows; the last one says EZZ4308I.
 */
#include "base/str.h"
#include "net/stack_impl.h"

#define DEVICE_RETRY_SEC 2

static const char *const status_names[DEVST_STATES] = {"NOT ACTIVE", "STARTING", "READY", "STOPPING"};
static const char *const type_names[DEV_TYPES] = {"LOOPBACK", "VIPA", "MPCIPA", "LCS", "CTC", "MPCPTP"};

/* The link types that a LINK statement may name for a device type. */
static const u8 links_of[DEV_TYPES] = {
    [DEV_LOOPBACK] = 1u << LNK_LOOPBACK,
    [DEV_VIRTUAL] = 1u << LNK_VIRTUAL,
    [DEV_MPCIPA] = 1u << LNK_IPAQENET | 1u << LNK_IPAQIDIO,
    [DEV_LCS] = 1u << LNK_ETHERNET,
    [DEV_CTC] = 1u << LNK_CTC,
    [DEV_MPCPTP] = 1u << LNK_MPCPTP,
};

const char *device_status_name(enum device_status s) {
    return (u32)s < DEVST_STATES ? status_names[s] : "UNKNOWN";
}
const char *device_type_name(enum device_type t) {
    return (u32)t < DEV_TYPES ? type_names[t] : "UNKNOWN";
}

size_t link_bytes(const struct stack_config *cfg) {
    return (sizeof(struct device) + sizeof(struct link) + 64) * ((size_t)cfg->max_links + cfg->max_dvipas) + 32;
}

bool link_init(struct stack *stk, struct arena *a, const struct stack_config *cfg) {
    list_init(&stk->devices);
    list_init(&stk->links);
    list_init(&stk->flush);
    CHECK(cfg->max_links <= LINKS_MAX);
    u32 count = cfg->max_links + cfg->max_dvipas;
    return pool_init(&stk->device_pool, "DEVICE", a, sizeof(struct device), count) &&
           pool_init(&stk->link_pool, "LINK", a, sizeof(struct link), count);
}

/* Of names that str_eq_ci() takes for equal it is the same. */
static u32 key_of(const char *name) {
    u32 key = 0;
    for (; *name; name++) key = (key << 5 | key >> 27) ^ (u8)(*name >= 'a' && *name <= 'z' ? *name - 32 : *name);
    return key;
}

struct device *device_find(struct stack *stk, const char *name) {
    u32 key = key_of(name);
    LIST_FOR_EACH(n, &stk->devices) {
        struct device *d = LIST_ENTRY(n, struct device, node);
        if (d->name_key == key && str_eq_ci(d->name, name)) return d;
    }
    return NULL;
}

struct link *link_find(struct stack *stk, const char *name) {
    u32 key = key_of(name);
    LIST_FOR_EACH(n, &stk->links) {
        struct link *l = LIST_ENTRY(n, struct link, node);
        if (l->name_key == key && str_eq_ci(l->name, name)) return l;
    }
    return NULL;
}

void device_rename(struct device *dev, const char *name) {
    str_copy(dev->name, sizeof dev->name, name);
    dev->name_key = key_of(dev->name);
}

/* ---- recovery ---- */

static void device_try(struct device *dev, u64 now) {
    dev->status = DEVST_STARTING;
    int rc = dev->driver->device->start(dev, now);
    if (rc) device_failed(dev, (u32)-rc, now);
}

static void device_retry(struct stack *stk, struct timer *t, u64 now) {
    struct device *dev = CONTAINER_OF(t, struct device, retry);
    UNUSED(stk);
    if (dev->wanted && dev->status == DEVST_NOT_ACTIVE) device_try(dev, now);
}

/* Begins or goes on with recovery; false when it is not wanted or its time is over. */
static bool device_recover(struct device *dev, u64 now) {
    struct stack *stk = dev->stk;
    u64 limit_usec = (u64)stk->conf.ip.device_retry_sec * USEC_PER_SEC;
    if (!dev->wanted || !dev->autorestart || stk->stopping) return false;
    if (!dev->retry_since) {
        dev->retry_since = now;
        stack_message(stk, "EZZ4309I ATTEMPTING TO RECOVER DEVICE %s", dev->name);
    } else if (limit_usec && now - dev->retry_since >= limit_usec) {
        return false;
    }
    timer_arm(stk, &dev->retry, now + DEVICE_RETRY_SEC * USEC_PER_SEC);
    return true;
}

/* ---- DEVICE and LINK statements ---- */

int device_add(struct stack *stk, const char *name, enum device_type type, u16 devnum, struct device **out) {
    const struct driver *driver = stk->env.drivers ? &stk->env.drivers[type] : NULL;
    bool needs_driver = type != DEV_VIRTUAL && type != DEV_LOOPBACK;
    if (device_find(stk, name)) return -ERR_EXIST;
    if (needs_driver && (!driver || !driver->device)) return -ERR_NOENT;
    struct device *dev = pool_get(&stk->device_pool);
    if (!dev) return -ERR_NOMEM;
    memset(dev, 0, sizeof *dev);
    dev->stk = stk;
    device_rename(dev, name);
    dev->type = type;
    dev->devnum = devnum;
    dev->driver = needs_driver ? driver : NULL;
    dev->status = needs_driver ? DEVST_NOT_ACTIVE : DEVST_READY;
    timer_init(&dev->retry, device_retry);
    list_push_back(&stk->devices, &dev->node);
    *out = dev;
    return 0;
}

/* LINK_NO_INDEX if all are in use. */
static u8 index_take(struct stack *stk) {
    u8 index = 0;
    while (index < LINK_NO_INDEX && (stk->link_index_used >> index & 1)) index++;
    if (index == LINK_NO_INDEX) return index;
    stk->link_index_used |= (u64)1 << index;
    return index;
}

static void index_free(struct stack *stk, u8 index) {
    if (index != LINK_NO_INDEX) stk->link_index_used &= ~((u64)1 << index);
}

int link_add(struct stack *stk, struct device *dev, const char *name, enum link_type type, u16 adapter,
             struct link **out) {
    if (link_find(stk, name) || dev->lnk) return -ERR_EXIST;
    if (!(links_of[dev->type] >> type & 1)) return -ERR_INVAL;
    bool virtual = dev->type == DEV_VIRTUAL;
    u8 index = virtual ? LINK_NO_INDEX : index_take(stk);
    if (!virtual && index == LINK_NO_INDEX) return -ERR_NOMEM;
    struct link *lnk = pool_get(&stk->link_pool);
    if (!lnk) {
        index_free(stk, index);
        return -ERR_NOMEM;
    }
    memset(lnk, 0, sizeof *lnk);
    lnk->stk = stk;
    lnk->dev = dev;
    str_copy(lnk->name, sizeof lnk->name, name);
    lnk->name_key = key_of(lnk->name);
    lnk->type = type;
    lnk->adapter = adapter;
    lnk->index = index;
    lnk->mtu_bytes = dev->driver ? 1500 : 65535;
    lnk->up = dev->driver == NULL; /* VIRTUAL and LOOPBACK are always active */
    lnk->ops = dev->driver ? dev->driver->link : NULL;
    list_init(&lnk->flush_node);
    list_push_back(&stk->links, &lnk->node);
    dev->lnk = lnk;
    int rc = dev->driver ? dev->driver->device->attach(dev, dev->driver->ctx) : 0;
    if (rc) {
        list_del(&lnk->node);
        index_free(stk, lnk->index);
        dev->lnk = NULL;
        pool_put(&stk->link_pool, lnk);
        return rc;
    }
    *out = lnk;
    return 0;
}

static bool link_in_use(struct stack *stk, const struct link *lnk) {
    for (struct home_entry *e = NULL; (e = home_next(stk, e));)
        if (e->lnk == lnk) return true;
    for (const struct route *r = NULL; (r = route_next(stk, r));)
        if (r->def.lnk == lnk && r->def.kind != ROUTE_REDIRECT) return true;
    return false;
}

int link_delete(struct stack *stk, const char *name) {
    struct link *lnk = link_find(stk, name);
    if (!lnk) return -ERR_NOENT;
    if (lnk == stk->loopback || link_in_use(stk, lnk)) return -ERR_BUSY;
    if (lnk->dev->driver && lnk->dev->status != DEVST_NOT_ACTIVE) return -ERR_BUSY;
    timer_disarm(stk, &lnk->dev->retry);
    lnk->dev->wanted = false;
    route_clear_link(stk, lnk, stk->now);
    dgram_link_forgotten(stk, lnk, stk->now);
    igmp_link_forgotten(stk, lnk, stk->now);
    link_loop_forget(stk, lnk);
    home_link_forgotten(stk, lnk);
    if (lnk->dev->driver && lnk->dev->driver->device->detach) lnk->dev->driver->device->detach(lnk->dev);
    if (stk->home.primary == lnk) stk->home.primary = NULL;
    lnk->dev->lnk = NULL;
    list_del(&lnk->node);
    list_del(&lnk->flush_node);
    index_free(stk, lnk->index);
    pool_put(&stk->link_pool, lnk);
    route_changed(stk);
    return 0;
}

int device_delete(struct stack *stk, const char *name) {
    struct device *dev = device_find(stk, name);
    if (!dev) return -ERR_NOENT;
    if (dev->lnk || (dev->driver && dev->status != DEVST_NOT_ACTIVE)) return -ERR_BUSY;
    timer_disarm(stk, &dev->retry);
    list_del(&dev->node);
    pool_put(&stk->device_pool, dev);
    return 0;
}

/* ---- START and STOP ---- */

int device_start(struct device *dev, u64 now) {
    if (!dev->driver) return -ERR_INVAL;
    if (!dev->lnk) return -ERR_NOENT;
    dev->stk->now = now;
    dev->wanted = true;
    dev->retry_since = 0;
    if (dev->status == DEVST_NOT_ACTIVE) {
        timer_disarm(dev->stk, &dev->retry);
        device_try(dev, now);
    }
    return 0;
}

int device_stop(struct device *dev, u64 now) {
    if (!dev->driver) return -ERR_INVAL;
    dev->stk->now = now;
    dev->wanted = false;
    dev->retry_since = 0;
    timer_disarm(dev->stk, &dev->retry);
    if (dev->status == DEVST_NOT_ACTIVE || dev->status == DEVST_STOPPING) return 0;
    dev->status = DEVST_STOPPING;
    link_lan_down(dev->lnk, now);
    int rc = dev->driver->device->stop(dev, now);
    /* A driver that cannot even begin to stop has lost its device: there is nothing left to wait for. */
    if (rc) device_stopped(dev, now);
    return 0;
}

void device_ready(struct device *dev, u64 now) {
    if (dev->status != DEVST_STARTING) return;
    dev->stk->now = now;
    dev->status = DEVST_READY;
    dev->retry_since = 0;
    timer_disarm(dev->stk, &dev->retry);
    stack_message(dev->stk, "EZZ4313I INITIALIZATION COMPLETE FOR DEVICE %s", dev->name);
    link_lan_up(dev->lnk, now);
}

/* The line after EZZ4308I and EZZ4310I: the code in words, from the driver that made it. */
static void device_explain(const struct device *dev, u32 code) {
    char text[80];
    if (!dev->driver->device->fail_text) return;
    stack_message(dev->stk, "PLX4308I DEVICE %s: %s", dev->name, dev->driver->device->fail_text(code, text, sizeof text));
}

void device_failed(struct device *dev, u32 code, u64 now) {
    struct stack *stk = dev->stk;
    enum device_status was = dev->status;
    if (was == DEVST_NOT_ACTIVE) return;
    if (was == DEVST_STOPPING) {
        device_stopped(dev, now);
        return;
    }
    stk->now = now;
    bool recovering = dev->retry_since != 0;
    dev->status = DEVST_NOT_ACTIVE;
    if (was == DEVST_READY)
        stack_message(stk, "EZZ4310I ERROR: CODE=%08X REPORTED ON DEVICE %s", code, dev->name);
    else if (!recovering)
        stack_message(stk, "EZZ4308I ERROR: CODE=%08X DURING ACTIVATION OF DEVICE %s.", code, dev->name);
    if (was == DEVST_READY || !recovering) device_explain(dev, code);
    link_lan_down(dev->lnk, now);
    if (device_recover(dev, now)) return;
    dev->wanted = false;
    dev->retry_since = 0;
    if (recovering) {
        stack_message(stk, "EZZ4308I ERROR: CODE=%08X DURING ACTIVATION OF DEVICE %s.", code, dev->name);
        device_explain(dev, code);
    }
}

void device_stopped(struct device *dev, u64 now) {
    if (dev->status == DEVST_NOT_ACTIVE) return;
    dev->stk->now = now;
    link_lan_down(dev->lnk, now);
    dev->status = DEVST_NOT_ACTIVE;
    stack_message(dev->stk, "EZZ4315I DEACTIVATION COMPLETE FOR DEVICE %s", dev->name);
    if (dev->wanted && !dev->stk->stopping) device_try(dev, now);
}

void link_stop_all(struct stack *stk, u64 now) {
    LIST_FOR_EACH(n, &stk->devices) {
        struct device *dev = LIST_ENTRY(n, struct device, node);
        if (dev->driver) device_stop(dev, now);
    }
}
