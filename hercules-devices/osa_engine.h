/* osa_engine.h - the channel side of an OSA-Express in QDIO mode: three units (read, write, data), layer 3 or
 * layer 2 as the driver asks. Layouts: wire/osa.h. What calls it: engine.h. The other side: osa_wire.h.
 *
 *   struct engine *e = osa_engine_init(<osa_engine_bytes() bytes>, &host, &params);
 *   then only e->ops->...(e, ...)
 *
 * The engine attaches to the card as soon as link_state(true) is told. When the card comes back it attaches
 * and registers again what the guest had registered, and tells the guest STOPLAN and STARTLAN.
 *
 * What the adapter owes it beyond engine.h:
 *  - rx_end() also now and then (100 ms at most) while the ring to the card was found full: output that did
 *    not fit stays in the guest's buffers and is sent then, at the next SIGA, or at the next message;
 *  - QDIO state in the SCSW (activate is ENGINE_WAIT until halted) and the SSQD data: osa_engine_queues().
 */
#ifndef HERCULES_DEVICES_OSA_ENGINE_H
#define HERCULES_DEVICES_OSA_ENGINE_H

#include "hercules-devices/engine.h"

struct osa_params {
    char lpar[9];      /* of the LPAR, ASCII, up to 8 characters */
    char port_name[9]; /* a driver that names another port is refused; "" = any */
    u16 devnum;        /* of the read device; write and data follow */
    u8 chpid;          /* in node descriptors */
    u8 chpid_type;     /* OSA_CHPID_OSD or OSA_CHPID_IQD: what IDX levels are answered */
    u8 mode;           /* OSA_MODE_QDIO_L3 or _L2: nothing else is accepted; 0 = what the driver asks */
    u8 router;         /* role in ATTACH: 0 none, 1 primary, 2 secondary; a driver's SETRTG comes later */
    u32 mtu_bytes;     /* told to a driver as long as no card was ever attached; 0 = 1500 */
};

/* Bytes of storage that osa_engine_init() needs, aligned for any object. */
size_t osa_engine_bytes(void);
/* NULL and a line in host->log if a parameter is wrong. The storage is zeroed first. */
struct engine *osa_engine_init(void *storage, const struct engine_host *host,
                               const struct osa_params *params);
/* Data and address of queues as the channel subsystem describes them (SSQD): largest numbers. */
void osa_engine_queues(u8 *in, u8 *out);

#endif
