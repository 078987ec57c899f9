/* osa_msg.h - emits the messages of osa_wire.h that a channel side sends. Each writes exactly the bytes that
 * its name's OSA_MSG_*_BYTES says, unused ones zero.
 */
#ifndef HERCULES_DEVICES_OSA_MSG_H
#define HERCULES_DEVICES_OSA_MSG_H

#include "base/be.h"
#include "base/str.h"
#include "hercules-devices/osa_wire.h"

/* What a REQUEST carries. */
struct osa_request {
    u8 op, flags;
    u32 addr, mask;
    const u8 *mac; /* 6 bytes or NULL */
};

static inline void osa_msg_header(u8 *msg, u8 type, u16 tag, u32 len) {
    memset(msg, 0, len);
    msg[0] = type;
    msg[1] = OSA_MSG_VERSION;
    be16_put(msg + 2, tag);
    be32_put(msg + 4, len);
}

static inline void osa_msg_attach(u8 *msg, u8 mode, u8 router, const char *lpar, u16 devnum) {
    osa_msg_header(msg, OSA_MSG_ATTACH, 0, OSA_MSG_ATTACH_BYTES);
    msg[8] = mode;
    msg[9] = router;
    memset(msg + 16, ' ', 8);
    memcpy(msg + 16, lpar, strlen(lpar));
    be32_put(msg + 24, devnum);
}

static inline void osa_msg_detach(u8 *msg) {
    osa_msg_header(msg, OSA_MSG_DETACH, 0, OSA_MSG_HEADER_BYTES);
}

static inline void osa_msg_request(u8 *msg, u16 tag, const struct osa_request *r) {
    osa_msg_header(msg, OSA_MSG_REQUEST, tag, OSA_MSG_REQUEST_BYTES);
    msg[8] = r->op;
    msg[9] = r->flags;
    be32_put(msg + 12, r->addr);
    be32_put(msg + 16, r->mask);
    if (r->mac) memcpy(msg + 20, r->mac, 6);
}

/* The 24 bytes before the data of a FRAME of so many bytes of data. */
static inline void osa_msg_frame(u8 *msg, u8 form, u8 cast, u32 bytes) {
    osa_msg_header(msg, OSA_MSG_FRAME, 0, OSA_FRAME_DATA);
    be32_put(msg + 4, OSA_FRAME_DATA + bytes);
    msg[8] = form;
    msg[9] = cast;
}

/* Is this a whole message of our version? */
static inline bool osa_msg_check(const u8 *msg, u32 len) {
    return len >= OSA_MSG_HEADER_BYTES && msg[1] == OSA_MSG_VERSION && be32_get(msg + 4) == len;
}

#endif
