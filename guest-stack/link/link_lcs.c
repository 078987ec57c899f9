/* link_lcs.c - the LCS driver's tables of operations and its storage; see link_lcs.h. */
#include "link/link_lcs.h"

#include "base/str.h"
#include "link/lcslink.h"
#include "net/stack.h"

#define PAGE 4096u

/* ---- device operations ---- */

static int op_attach(struct device *dev, void *ctx) {
    struct lcs_driver *drv = ctx;
    for (u32 i = 0; i < drv->max_devices; i++) {
        struct lcs_device *d = &drv->devices[i];
        if (d->m.dev) continue;
        chandev_attach(&d->m, dev);
        memset(&d->count, 0, sizeof d->count);
        dev->state = d;
        return 0;
    }
    return -ERR_NOMEM;
}

static void op_detach(struct device *dev) {
    struct lcs_device *d = dev->state;
    chandev_detach(&d->m);
    dev->state = NULL;
}

static int op_start(struct device *dev, u64 now) {
    struct lcs_device *d = dev->state;
    if (!dev->lnk) return -ERR_NOENT;
    if (d->m.state != LCS_DOWN) return -ERR_BUSY;
    d->count.starts++;
    d->seq = 0;
    d->assists = 0;
    memset(d->mac, 0, MAC_LEN);
    lcslink_event(d, LCS_EV_START, LCS_FAIL_NONE, 0, now);
    return 0;
}

static int op_stop(struct device *dev, u64 now) {
    struct lcs_device *d = dev->state;
    if (d->m.state == LCS_DOWN)
        device_stopped(dev, now);
    else
        lcslink_event(d, LCS_EV_STOP, LCS_FAIL_NONE, 0, now);
    return 0;
}

/* ---- link operations ---- */

static void op_flush(struct link *lnk, u64 now) {
    struct lcs_device *d = lnk->dev->state;
    if (d->m.state == LCS_READY) lcslink_write_next(d, now);
}
static int op_join(struct link *lnk, struct ipaddr group, u64 now) {
    return lcslink_group_want(lnk->dev->state, group, true, now);
}
static int op_leave(struct link *lnk, struct ipaddr group, u64 now) {
    return lcslink_group_want(lnk->dev->state, group, false, now);
}

static void op_counters(const struct link *lnk, void (*row)(void *ctx, const char *name, u64 value), void *ctx) {
    const struct link_lcs_counters *c = link_lcs_counters(lnk->dev);
#define X(name) row(ctx, #name, c->name);
    LINK_LCS_COUNTERS(X)
#undef X
}

static const struct device_ops LCS_DEVICE = {.type_name = "LCS",
                                             .attach = op_attach,
                                             .detach = op_detach,
                                             .start = op_start,
                                             .stop = op_stop,
                                             .fail_text = link_lcs_fail_text};
static const struct link_ops LCS_LINK = {.output = lcslink_output,
                                         .flush = op_flush,
                                         .group_join = op_join,
                                         .group_leave = op_leave,
                                         .counters = op_counters};

/* ---- storage ---- */

size_t link_lcs_bytes(u32 max_devices) {
    size_t one = sizeof(struct lcs_device) + 4 * LCS_BLOCK_BYTES + 2 * PAGE;
    return sizeof(struct lcs_driver) + 64 + max_devices * one;
}

int link_lcs_driver_init(struct driver *out, struct chan_system *sys, struct arena *a, u32 max_devices) {
    struct lcs_driver *drv = arena_take(a, sizeof *drv, 16);
    if (!drv) return -ERR_NOMEM;
    *drv = (struct lcs_driver){.max_devices = max_devices};
    drv->devices = arena_take(a, sizeof *drv->devices * max_devices, 16);
    if (!drv->devices) return -ERR_NOMEM;
    for (u32 i = 0; i < max_devices; i++) {
        struct lcs_device *d = &drv->devices[i];
        memset(d, 0, sizeof *d);
        chandev_init(&d->m, &lcslink_kind, sys);
        u8 *p = arena_take(a, 4 * LCS_BLOCK_BYTES, PAGE);
        if (!p) return -ERR_NOMEM;
        for (u32 b = 0; b < 2; b++) {
            d->read_buf[b] = p + b * LCS_BLOCK_BYTES;
            d->write_buf[b] = p + (2 + b) * LCS_BLOCK_BYTES;
        }
    }
    *out = (struct driver){.device = &LCS_DEVICE, .link = &LCS_LINK, .ctx = drv};
    return 0;
}

/* ---- displays ---- */

const struct link_lcs_counters *link_lcs_counters(const struct device *dev) {
    return &((const struct lcs_device *)dev->state)->count;
}
const char *link_lcs_state_name(const struct device *dev) {
    return chandev_state_text(&lcslink_kind, ((const struct lcs_device *)dev->state)->m.state);
}
