/* qdio_hdl.c - what the machine asks of a QDIO device outside channel programs: SIGA, and CHSC's descriptions.
 *
 * SIGA runs on the CPU's thread, which holds dev->lock: it is given back while the engine works, because the
 * interruption that the engine may cause needs it.
 */
#include "base/be.h"
#include "hercules-devices/hdl.h"
#include "hercules-devices/host_chsc.h"

/* ---- QDIO ---- */

int hdl_dev_siga_read(DEVBLK *dev, U32 qmask) {
    struct hdl_group *g = hdl_group_of(dev);
    if (!g || !g->started) return 3;
    release_lock(&dev->lock);
    int cc = group_siga_read(&g->host, hdl_unit_of(g, dev), qmask);
    obtain_lock(&dev->lock);
    return cc;
}

int hdl_dev_siga_write(DEVBLK *dev, U32 qmask) {
    struct hdl_group *g = hdl_group_of(dev);
    if (!g || !g->started) return 3;
    release_lock(&dev->lock);
    int cc = group_siga_write(&g->host, hdl_unit_of(g, dev), qmask);
    obtain_lock(&dev->lock);
    return cc;
}

#ifdef HDL_HYPERION

int hdl_dev_siga_sync(DEVBLK *dev, U32 out_mask, U32 in_mask) {
    struct hdl_group *g = hdl_group_of(dev);
    if (!g || !g->started) return 3;
    release_lock(&dev->lock);
    int cc = group_siga_sync(&g->host, hdl_unit_of(g, dev), out_mask, in_mask);
    obtain_lock(&dev->lock);
    return cc;
}

int hdl_dev_ssqd(DEVBLK *dev, void *row) {
    struct hdl_group *g = hdl_group_of(dev);
    u8 in, out;
    if (!g || !g->type->queues) return 0;
    g->type->queues(&in, &out);
    chsc_ssqd_row(row, dev->subchan, in, out);
    return 0;
}

/* Set subchannel indicators: two bytes of storage that the guest wants set before each interruption. */
int hdl_dev_ssci(DEVBLK *dev, void *request) {
    struct hdl_group *g = hdl_group_of(dev);
    const u8 *req = request;
    u64 summary = be64_get(req + 16), device = be64_get(req + 24);
    if (!g || be16_get(req + 4) != 0) return 3;
    bool on = summary && device && hdl_storage(g, summary, 1) && hdl_storage(g, device, 1);
    g->summary_indicator = on ? summary : 0;
    g->device_indicator = on ? device : 0;
    dev->qdio.thinint = on;
    return on || (!summary && !device) ? 0 : 3;
}

#endif

/* ---- CHSC ---- */

struct path {
    u8 chpid, type;
};

static bool on_path(const struct hdl_group *g, void *arg) {
    struct path *p = arg;
    if (g->dev[0]->pmcw.chpid[0] == p->chpid) p->type = g->type->chpid_type;
    return p->type != 0;
}

static u8 chpid_type(void *ctx, u8 chpid) {
    struct path p = {.chpid = chpid};
    UNUSED(ctx);
    hdl_find(on_path, &p);
    return p.type;
}

struct wanted {
    u16 subchannel;
    u8 in, out;
};

static bool has_subchannel(const struct hdl_group *g, void *arg) {
    struct wanted *w = arg;
    if (!g->type->queues) return false;
    for (u32 u = 0; u < g->type->units; u++)
        if (g->dev[u]->subchan == w->subchannel) {
            g->type->queues(&w->in, &w->out);
            return true;
        }
    return false;
}

static bool qdio_subchannel(void *ctx, u8 ssid, u16 subchannel, u8 *in, u8 *out) {
    struct wanted w = {.subchannel = subchannel};
    UNUSED(ctx);
    if (ssid != 0 || !hdl_find(has_subchannel, &w)) return false;
    *in = w.in;
    *out = w.out;
    return true;
}

void *hdl_chsc(void *response, void *request, REGS *regs) {
    static const struct chsc_devices devices = {.chpid_type = chpid_type, .qdio = qdio_subchannel};
    if (!chsc_answer(&devices, request)) return NULL;
    regs->psw.cc = 0;
    return response;
}
