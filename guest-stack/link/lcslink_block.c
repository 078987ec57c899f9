/* lcslink_block.c - blocks of frames to and from a LAN channel station. Layout: wire/osa.h, LCS part.
 *
 * Write. Frames and commands are appended to one of two buffers; a flush writes it, and what comes meanwhile
 * collects in the other one, which goes out when the WRITE ends. So under load blocks grow by themselves.
 * Read. A READ always runs into one of two buffers; when it ends the other one gets the next READ before the
 * first is looked at.
 *
 * A command's answer carries its command code and sequence number. Sequence numbers start at 1: a frame with
 * another one is the station's own, which matters for STARTLAN and STOPLAN.
 */
#include "base/str.h"
#include "link/lcslink.h"
#include "net/stack.h"

#define LAN_TYPE_ETHERNET  1
#define END_MARK_BYTES     2
#define ETHER_HEADER_BYTES 14
#define FRAME_MAX          1518
#define BUSY_USEC          (10u * USEC_PER_MSEC)

/* ---- write ---- */

u8 *lcslink_frame(struct lcs_device *d, u8 type, u32 len) {
    if (d->filled + len + END_MARK_BYTES > LCS_BLOCK_BYTES) return NULL;
    u8 *p = d->write_buf[d->filling] + d->filled;
    d->filled += len;
    d->frames++;
    be16_put(p + LCS_OFFSET_AT, (u16)d->filled);
    p[LCS_TYPE_AT] = type;
    p[LCS_PORT_AT] = (u8)d->m.dev->lnk->adapter;
    return p;
}

void lcslink_write_next(struct lcs_device *d, u64 now) {
    if (d->frames == 0 || d->m.sub[LCS_UNIT_WRITE].running) return;
    u8 *block = d->write_buf[d->filling];
    be16_put(block + d->filled, 0);
    const struct chan_cmd cmd = {
        .op = CCW_WRITE, .flags = CCW_SLI, .count = (u16)(d->filled + END_MARK_BYTES), .data = block};
    if (d->frames > d->count.frames_per_block_max) d->count.frames_per_block_max = d->frames;
    d->count.blocks_out++;
    d->filling ^= 1;
    d->filled = d->frames = 0;
    chandev_run(&d->m, LCS_UNIT_WRITE, &cmd, 1, now);
}

int lcslink_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    struct lcs_device *d = lnk->dev->state;
    u32 len = pkt_bytes(p);
    UNUSED(next_hop);
    if (d->m.state != LCS_READY) return -ERR_NETDOWN;
    if (len > FRAME_MAX) {
        d->count.drops_out_size++;
        return -ERR_MSGSIZE;
    }
    u8 *at = lcslink_frame(d, LCS_TYPE_ETHERNET, LCS_HDR_BYTES + len);
    if (!at) {
        /* The other buffer may be back: then this one goes, and the frame into that one. */
        lcslink_write_next(d, now);
        at = lcslink_frame(d, LCS_TYPE_ETHERNET, LCS_HDR_BYTES + len);
    }
    if (!at) {
        d->count.drops_out_full++;
        return -ERR_NOBUFS;
    }
    at += LCS_HDR_BYTES;
    memcpy(at, p->data, p->len);
    at += p->len;
    for (u32 i = 0, left = p->ext_len; left; i++) {
        memcpy(at, p->ext[i].p, p->ext[i].len);
        at += p->ext[i].len;
        left -= p->ext[i].len;
    }
    return 0;
}

/* ---- commands ---- */

u8 *lcslink_command(struct lcs_device *d, u8 command, u32 len, u64 now) {
    u8 *p = lcslink_frame(d, LCS_TYPE_CONTROL, len);
    if (!p) {
        lcslink_write_next(d, now);
        p = lcslink_frame(d, LCS_TYPE_CONTROL, len);
    }
    if (!p) return NULL;
    if (++d->seq == 0) d->seq = 1;
    memset(p + LCS_HDR_BYTES, 0, len - LCS_HDR_BYTES);
    p[LCS_COMMAND_AT] = command;
    p[LCS_INITIATOR_AT] = LCS_FROM_HOST;
    be16_put(p + LCS_SEQ_AT, d->seq);
    p[LCS_LAN_TYPE_AT] = LAN_TYPE_ETHERNET;
    p[LCS_RELATIVE_PORT_AT] = (u8)d->m.dev->lnk->adapter;
    d->command = command;
    return p;
}

static u8 command_of(enum lcs_state s) {
    switch (s) {
    case LCS_ST_STARTUP: return LCS_STARTUP;
    case LCS_ST_STARTLAN: return LCS_STARTLAN;
    case LCS_ST_LANSTAT: return LCS_LANSTAT;
    case LCS_ST_QIPASSIST: return LCS_QIPASSIST;
    case LCS_ST_STOPLAN: return LCS_STOPLAN;
    default: return LCS_SHUTDOWN;
    }
}

void lcslink_step_send(struct lcs_device *d, u64 now) {
    u8 *p = lcslink_command(d, command_of(d->m.state), LCS_CTL_BYTES, now);
    if (!p) {
        /* Both buffers are full of frames: the same step once more when the station has taken some. */
        chandev_again(&d->m, BUSY_USEC, now);
        return;
    }
    if (d->m.state == LCS_ST_STARTUP) be16_put(p + LCS_BUFFER_SIZE_AT, LCS_BLOCK_BYTES);
    lcslink_write_next(d, now);
}

/* ---- read ---- */

void lcslink_read_start(struct lcs_device *d, u64 now) {
    const struct chan_cmd cmd = {
        .op = CCW_READ, .flags = CCW_SLI, .count = LCS_BLOCK_BYTES, .data = d->read_buf[d->reading]};
    chandev_run(&d->m, LCS_UNIT_READ, &cmd, 1, now);
}

static void lan_event(struct lcs_device *d, bool up, u64 now) {
    if (!up && d->lan_up) d->count.lan_losses++;
    d->lan_up = up;
    if (d->m.state != LCS_READY) return;
    /* Also when it comes without having gone: the station may have forgotten our groups. */
    link_lan_down(d->m.dev->lnk, now);
    if (up) lcslink_event(d, LCS_EV_LAN, LCS_FAIL_NONE, 0, now);
}

static void step_answer(struct lcs_device *d, const u8 *p, u32 len, u32 rc, u64 now) {
    if (d->m.state == LCS_ST_STARTLAN) {
        /* Without a LAN the station is ready all the same; it will say when there is one. */
        d->lan_up = rc == LCS_RC_OK;
        if (rc == LCS_RC_LAN_OFFLINE) rc = LCS_RC_OK;
    }
    if (d->m.state == LCS_ST_LANSTAT && len >= LCS_MAC_AT + MAC_LEN) memcpy(d->mac, p + LCS_MAC_AT, MAC_LEN);
    if (d->m.state == LCS_ST_QIPASSIST)
        d->assists = rc == LCS_RC_OK && len >= LCS_SUPPORTED_AT + 2 ? be16_get(p + LCS_SUPPORTED_AT) : 0;
    lcslink_event(d, rc ? LCS_EV_REFUSED : LCS_EV_OK, rc ? LCS_FAIL_COMMAND : LCS_FAIL_NONE, rc, now);
}

static void control_input(struct lcs_device *d, const u8 *p, u32 len, u64 now) {
    if (len < LCS_RC_AT + 2) {
        d->count.drops_in_malformed++;
        return;
    }
    u8 command = p[LCS_COMMAND_AT];
    if (d->command && command == d->command && be16_get(p + LCS_SEQ_AT) == d->seq) {
        d->command = 0;
        if (d->m.state == LCS_READY)
            lcslink_group_answer(d, be16_get(p + LCS_RC_AT), now);
        else
            step_answer(d, p, len, be16_get(p + LCS_RC_AT), now);
        return;
    }
    bool own = p[LCS_INITIATOR_AT] == LCS_FROM_ADAPTER;
    if (own && (command == LCS_STARTLAN || command == LCS_STOPLAN))
        lan_event(d, command == LCS_STARTLAN, now);
    else
        d->count.replies_stray++;
}

static void data_input(struct lcs_device *d, u8 *p, u32 len, u64 now) {
    if (len < ETHER_HEADER_BYTES) {
        d->count.drops_in_malformed++;
        return;
    }
    if (d->m.state != LCS_READY) return; /* between STARTLAN and READY nobody listens yet */
    struct pkt pkt = {.data = p, .len = len, .headroom = LCS_HDR_BYTES, .in = d->m.dev->lnk};
    link_input_frame(d->m.dev->lnk, &pkt, now);
}

/* Each frame begins with the offset of its own end; zero, or the end of the data, ends the block. */
static void block_input(struct lcs_device *d, u8 *block, u32 len, u64 now) {
    u32 at = 0, frames = 0;
    while (len - at >= END_MARK_BYTES) {
        u32 end = be16_get(block + at + LCS_OFFSET_AT);
        if (end == 0) break;
        if (end > len || end < at + LCS_HDR_BYTES) {
            d->count.drops_in_malformed++;
            break;
        }
        u8 type = block[at + LCS_TYPE_AT];
        if (type == LCS_TYPE_CONTROL)
            control_input(d, block + at, end - at, now);
        else if (type == LCS_TYPE_ETHERNET && block[at + LCS_PORT_AT] == (u8)d->m.dev->lnk->adapter)
            data_input(d, block + at + LCS_HDR_BYTES, end - at - LCS_HDR_BYTES, now);
        else
            d->count.drops_in_type++;
        if (d->m.state == LCS_DOWN || d->m.state == LCS_HALT) return;
        at = end;
        frames++;
    }
    if (frames > d->count.frames_per_block_max) d->count.frames_per_block_max = frames;
}

void lcslink_read_done(struct lcs_device *d, const struct chan_status *st, u64 now) {
    u8 *block = d->read_buf[d->reading];
    u32 len = LCS_BLOCK_BYTES - u32_min(st->residual, LCS_BLOCK_BYTES);
    d->reading ^= 1;
    lcslink_read_start(d, now);
    d->count.blocks_in++;
    block_input(d, block, len, now);
    link_flush_all(d->m.dev->stk, now);
}
