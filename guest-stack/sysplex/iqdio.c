/* iqdio.c - HiperSockets between stacks: IPCONFIG DYNAMICXCF on a system that has an IQD device.
 *
 *   DEVICE IUTIQDIO MPCIPA, LINK IQDIOLNKxxxxxxxx IPAQIDIO (x: the dynamic XCF address in hexadecimal), started at once. Its address is
 *   that of EZASAMEMVS. The MTU follows the LAN's frame size.
 *
 * A LAN within the machine has no name that travels, but every port of it answers with one MAC: its last two bytes, in a stack's user
 * state, say who is on the same one, that is on the same CPC. While both ends say so the host route to the peer leads over it; it is
 * that over XCF again as soon as one of them has lost it, each stack seeing its own loss first. Packets of the distributor and of
 * moved connections take the same way (forward.c).
 */
#include "base/be.h"
#include "sysplex/sysplex_impl.h"

#define DEVICE_NAME "IUTIQDIO"

void iqdio_define(struct sysplex *sx, u64 now) {
    char name[NAME_MAX_LEN + 1];
    struct device *dev = NULL;
    struct link *lnk = NULL;
    if (!sx->conf.iqd_device || device_add(sx->stk, DEVICE_NAME, DEV_MPCIPA, sx->conf.iqd_device, &dev)) return;
    str_fmt(name, sizeof name, "IQDIOLNK%08X", sx->dx.addr.v4);
    if (link_add(sx->stk, dev, name, LNK_IPAQIDIO, 0, &lnk)) {
        device_delete(sx->stk, DEVICE_NAME);
        return;
    }
    dev->autorestart = true;
    lnk->bsd_metric = sx->dx.metric;
    lnk->bsd_mask = sx->dx.mask;
    lnk->address_of = sx->dx.samehost;
    sx->dx.iqd = lnk;
    device_start(dev, now);
}

void iqdio_peer(struct sysplex *sx, struct sysplex_peer *p, u64 now) {
    bool can = sx->dx.iqd_lan && p->iqd == sx->dx.iqd_lan && !p->same_image && !ipaddr_is_any(p->dynxcf);
    char text[IPADDR_TEXT_MAX];
    if (can == p->by_iqd) return;
    dynxcf_route(sx, p, false, now);
    p->by_iqd = can;
    dynxcf_route(sx, p, true, now);
    ipaddr_text(p->dynxcf, text);
    if (can)
        stack_message(sx->stk, "EZZ4324I CONNECTION TO %s ACTIVE FOR DEVICE %s", text, DEVICE_NAME);
    else
        stack_message(sx->stk, "EZZ4325I CONNECTION TO %s CLEARED FOR DEVICE %s", text, DEVICE_NAME);
}

/* Nobody tells the sysplex that a link has come up or gone: it looks, for the price of a comparison. */
u64 iqdio_poll(void *ctx, u64 now) {
    struct sysplex *sx = ctx;
    const struct link *l = sx->dx.iqd;
    u16 lan = l && l->up ? be16_get(l->mac + 4) : 0;
    if (lan == sx->dx.iqd_lan) return TIME_NEVER;
    sx->dx.iqd_lan = lan;
    dynxcf_tell(sx, now);
    for (struct sysplex_peer *p = NULL; (p = sysplex_peer_next(sx, p, false));) iqdio_peer(sx, p, now);
    return TIME_NEVER;
}
