/* link_osa.c - the QDIO driver's tables of operations and its storage; see link_osa.h. */
#include "link/link_osa.h"

#include "base/str.h"
#include "link/mpcipa.h"
#include "net/stack.h"

#define PAGE         4096u
#define BOUNCE_BYTES 65536u

/* ---- device operations ---- */

static int mpcipa_attach(struct device *dev, void *ctx) {
    struct mpcipa_driver *drv = ctx;
    for (u32 i = 0; i < drv->max_devices; i++) {
        struct mpcipa *d = &drv->devices[i];
        if (d->m.dev) continue;
        chandev_attach(&d->m, dev);
        d->held_event = OSA_EVENTS;
        memset(&d->count, 0, sizeof d->count);
        dev->state = d;
        mpcipa_fsm_init(d);
        return 0;
    }
    return -ERR_NOMEM;
}

static void mpcipa_detach(struct device *dev) {
    struct mpcipa *d = dev->state;
    chandev_detach(&d->m);
    dev->state = NULL;
}

static int mpcipa_start(struct device *dev, u64 now) {
    struct mpcipa *d = dev->state;
    if (!dev->lnk) return -ERR_NOENT;
    if (d->m.state != OSA_DOWN) return -ERR_BUSY;
    d->count.starts++;
    d->th_seq = d->seq = d->ack = 0;
    d->ipa_seq = 0;
    d->assists = d->adapter_commands = 0;
    d->csum_in_offered = d->csum_out_offered = d->tso_offered = d->lro_offered = 0;
    memset(d->mac, 0, MAC_LEN);
    mpcipa_event(d, OSA_EV_START, OSA_FAIL_NONE, 0, now);
    return 0;
}

static int mpcipa_stop(struct device *dev, u64 now) {
    struct mpcipa *d = dev->state;
    if (d->m.state == OSA_DOWN)
        device_stopped(dev, now);
    else
        mpcipa_event(d, OSA_EV_STOP, OSA_FAIL_NONE, 0, now);
    return 0;
}

/* ---- link operations ---- */

static struct mpcipa *device_of(struct link *lnk) {
    return lnk->dev->state;
}

static void mpcipa_flush(struct link *lnk, u64 now) {
    mpcipa_queue_flush(device_of(lnk), now);
}

static int mpcipa_address_add(struct link *lnk, struct ipaddr addr, bool is_vipa, u64 now) {
    return mpcipa_addr_want(device_of(lnk), addr, false, is_vipa ? IPA_IP_VIPA : 0, true, now);
}
static int mpcipa_address_del(struct link *lnk, struct ipaddr addr, bool passes_on, u64 now) {
    return mpcipa_addr_want(device_of(lnk), addr, false, passes_on ? IPA_DELIP_PASSES_ON : 0, false, now);
}
static int mpcipa_group_join(struct link *lnk, struct ipaddr group, u64 now) {
    return mpcipa_addr_want(device_of(lnk), group, true, 0, true, now);
}
static int mpcipa_group_leave(struct link *lnk, struct ipaddr group, u64 now) {
    return mpcipa_addr_want(device_of(lnk), group, true, 0, false, now);
}
static int mpcipa_purge(struct link *lnk, u64 now) {
    return mpcipa_arp_purge(device_of(lnk), now);
}
static int mpcipa_query(struct link *lnk, void (*row)(void *ctx, struct ipaddr ip, const u8 *mac),
                        void *ctx) {
    return mpcipa_arp_query(device_of(lnk), row, ctx);
}

static void mpcipa_counters(const struct link *lnk, void (*row)(void *ctx, const char *name, u64 value), void *ctx) {
    const struct link_osa_counters *c = link_osa_counters(lnk->dev);
#define X(name) row(ctx, #name, c->name);
    LINK_OSA_COUNTERS(X)
#undef X
}

static const struct device_ops OSA_DEVICE = {.type_name = "MPCIPA",
                                             .attach = mpcipa_attach,
                                             .detach = mpcipa_detach,
                                             .start = mpcipa_start,
                                             .stop = mpcipa_stop,
                                             .fail_text = link_osa_fail_text};
static const struct link_ops OSA_LINK = {.output = mpcipa_queue_output,
                                         .flush = mpcipa_flush,
                                         .address_add = mpcipa_address_add,
                                         .address_del = mpcipa_address_del,
                                         .group_join = mpcipa_group_join,
                                         .group_leave = mpcipa_group_leave,
                                         .arp_purge = mpcipa_purge,
                                         .arp_query = mpcipa_query,
                                         .counters = mpcipa_counters};

/* ---- storage ---- */

static bool device_storage(struct mpcipa *d, struct chan_system *sys, struct arena *a) {
    memset(d, 0, sizeof *d);
    chandev_init(&d->m, &mpcipa_kind, sys);
    list_init(&d->due);
    d->write_buf = arena_take(a, 2 * PAGE + BOUNCE_BYTES, PAGE);
    if (!d->write_buf) return false;
    d->read_buf = d->write_buf + PAGE;
    d->bounce = d->read_buf + PAGE;
    if (!pool_init(&d->addr_pool, "OSA addresses", a, sizeof(struct mpcipa_addr), LINK_OSA_ADDRESSES_MAX))
        return false;
    return mpcipa_queue_storage(d, a);
}

size_t link_osa_bytes(u32 max_devices) {
    size_t one = sizeof(struct mpcipa) + 2 * PAGE + BOUNCE_BYTES + mpcipa_queue_bytes() +
                 LINK_OSA_ADDRESSES_MAX * (sizeof(struct mpcipa_addr) + 16) + 8 * PAGE;
    return sizeof(struct mpcipa_driver) + 64 + max_devices * one;
}

int link_osa_driver_init(struct driver *out, struct chan_system *sys, struct arena *a, u32 max_devices) {
    struct mpcipa_driver *drv = arena_take(a, sizeof *drv, 16);
    if (!drv) return -ERR_NOMEM;
    *drv = (struct mpcipa_driver){.max_devices = max_devices};
    drv->devices = arena_take(a, sizeof *drv->devices * max_devices, 16);
    if (!drv->devices) return -ERR_NOMEM;
    for (u32 i = 0; i < max_devices; i++)
        if (!device_storage(&drv->devices[i], sys, a)) return -ERR_NOMEM;
    *out = (struct driver){.device = &OSA_DEVICE, .link = &OSA_LINK, .ctx = drv};
    return 0;
}

/* ---- displays ---- */

const struct link_osa_counters *link_osa_counters(const struct device *dev) {
    return &((const struct mpcipa *)dev->state)->count;
}
const char *link_osa_state_name(const struct device *dev) {
    return chandev_state_text(&mpcipa_kind, ((const struct mpcipa *)dev->state)->m.state);
}
