/* uplink.h - the wire behind an OSA's port.
 *
 *   tap://NAME   a TAP interface of this network namespace, opened directly: the kernel takes and gives packets of up
 *                to 64 KB with unfinished checksums (vnet header), so it does segmentation and checksums
 *   none         no wire
 *   else         libvdeplug: vde:// switch:// slirp:// udp:// vxvde:// ptp:// ..., nested ones too; whole frames only
 *
 * One card has one uplink and one thread uses it. Nothing blocks.
 */
#ifndef HERCULES_DEVICES_UPLINK_H
#define HERCULES_DEVICES_UPLINK_H

#include "hercules-devices/osa_port.h"

#define UPLINK_FRAME_MAX (65536 + 64)

struct uplink;

struct uplink_params {
    const char *url;
    const char *card;       /* name, for the other side's displays */
    u32 mtu_bytes;
    const char *tap_addr;   /* "10.1.1.254/24" for the host's side of a TAP, or NULL */
    const char *tap_bridge; /* bridge that the TAP joins, or NULL */
};

struct uplink_ops {
    bool (*send)(struct uplink *u, const struct osa_frame *f); /* false: not taken */
    /* The next frame into buf[0..cap): its length; 0: none waits; -1: the uplink is gone. */
    int (*recv)(struct uplink *u, u8 *buf, u32 cap, struct osa_uplink_meta *meta);
    bool (*offload)(struct uplink *u, bool on);
    void (*close)(struct uplink *u);
};

/* First member of each kind of uplink. */
struct uplink {
    const struct uplink_ops *ops;
    int fd;       /* becomes readable when a frame waits */
    bool offload; /* takes and gives gso and unfinished checksums now */
};

/* NULL and one sentence in why. */
struct uplink *uplink_open(const struct uplink_params *params, char *why, size_t cap);
struct uplink *uplink_tap_open(const struct uplink_params *params, char *why, size_t cap);
struct uplink *uplink_vde_open(const struct uplink_params *params, char *why, size_t cap);

static inline bool uplink_send(struct uplink *u, const struct osa_frame *f) { return u->ops->send(u, f); }
static inline int uplink_recv(struct uplink *u, u8 *buf, u32 cap, struct osa_uplink_meta *meta) {
    return u->ops->recv(u, buf, cap, meta);
}
static inline bool uplink_offload(struct uplink *u, bool on) { return u->ops->offload(u, on); }
static inline void uplink_close(struct uplink *u) { u->ops->close(u); }

#endif
