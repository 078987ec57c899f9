/* osa_engine.c - life of an OSA engine: construction, CCW dispatch, sense, node descriptors, counters, log.
 *
 *   CCW          read      write     data
 *   01 WRITE     IDX       IDX, MPC  reject
 *   02 READ      replies   IDX reply reject
 *   03 NOP, 04 SENSE, E4 SENSE ID, FA RCD, 81 SII, 82 RNI: all units
 *   1B ESTABLISH, 1F ACTIVATE: data only
 *
 * A command that a unit does not know is unit check with command reject. WRITE and ESTABLISH gather
 * data-chained CCWs; a frame is looked at when its last CCW came.
 */
#include "hercules-devices/osa_internal.h"

#include "base/str.h"

#define SENSE_COMMAND_REJECT 0x80
#define SENSE_INTERVENTION   0x40
#define RCD_BYTES            128
#define NODE_BYTES           32
#define RNI_BYTES            64
#define SII_BYTES            4

static const char *const unit_names[OSA_UNITS] = {"read", "write", "data"};

void osa_log(struct osa_engine *e, enum engine_severity sev, const char *fmt, ...) {
    char text[160];
    if (!e->base.host->log) return;
    u32 n = str_fmt(text, sizeof text, "OSA %04X: ", e->params.devnum);
    va_list ap;
    va_start(ap, fmt);
    str_vfmt(text + n, sizeof text - n, fmt, ap);
    va_end(ap);
    e->base.host->log(e->base.host->ctx, sev, text);
}

bool osa_count_drop(u64 *counter) {
    u64 n = ++*counter;
    return (n & (n - 1)) == 0;
}

void osa_trace(struct osa_engine *e, u32 unit, const char *what, const u8 *bytes, u32 len) {
    if (e->base.host->trace) e->base.host->trace(e->base.host->ctx, unit, what, bytes, len);
}

enum engine_rc osa_unit_check(struct osa_engine *e, u32 unit, struct engine_ccw *c, u8 sense0) {
    struct engine_sense *s = &e->unit[unit].sense;
    memset(s->bytes, 0, sizeof s->bytes);
    s->len = ENGINE_SENSE_MAX;
    s->bytes[0] = sense0;
    c->residual = c->count;
    c->more = false;
    c->unit_status = US_CHANNEL_END | US_DEVICE_END | US_UNIT_CHECK;
    return ENGINE_DONE;
}

enum engine_rc osa_done(struct engine_ccw *c, u32 transferred) {
    c->residual = c->count - transferred;
    c->unit_status = US_CHANNEL_END | US_DEVICE_END;
    return ENGINE_DONE;
}

void osa_complete(struct osa_engine *e, u32 unit) {
    e->unit[unit].waiting = NULL;
    e->base.host->complete(e->base.host->ctx, unit);
}

static enum engine_rc reject(struct osa_engine *e, u32 unit, struct engine_ccw *c) {
    if (osa_count_drop(&e->count.ccw_rejected))
        osa_log(e, ENGINE_WARNING, "%s device: CCW %02X rejected", unit_names[unit], c->code);
    return osa_unit_check(e, unit, c, SENSE_COMMAND_REJECT);
}

/* Fixed data towards the guest, at most what was asked for. */
static enum engine_rc give(struct engine_ccw *c, const u8 *from, u32 len) {
    u32 n = u32_min(len, c->count);
    memcpy(c->buf, from, n);
    c->more = len > c->count;
    return osa_done(c, n);
}

/* Node element descriptor: type 001732, model 001, manufacturer, plant and sequence in EBCDIC; the tag is
 * CHPID and unit address. Drivers take the CHPID and both addresses from bytes 30, 31 and 63 of the whole. */
static void node_descriptor(u8 *out, const u8 head[4], u8 type_digit, u8 chpid, u8 unit_address) {
    static const u8 text[] = {0xF0, 0xF0, 0xF1, 0xF7, 0xF3, 0,    0xF0, 0xF0, 0xF1, 0xD7, 0xD3, 0xE7, 0xF3,
                              0xF9, 0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF1};
    memcpy(out, head, 4);
    memcpy(out + 4, text, sizeof text);
    out[9] = type_digit;
    out[30] = chpid;
    out[31] = unit_address;
}

static enum engine_rc read_configuration(struct osa_engine *e, u32 unit, struct engine_ccw *c) {
    static const u8 device[] = {0xD0, 0x01, 0x06, 0x00}, control[] = {0xD0, 0x02, 0x00, 0x00},
                    token[] = {0xF0, 0x00, 0x06, 0x00};
    u8 rcd[RCD_BYTES] = {0}, base = (u8)e->params.devnum;
    node_descriptor(rcd, device, 0xF2, e->params.chpid, (u8)(base + unit));
    node_descriptor(rcd + NODE_BYTES, control, 0xF0, e->params.chpid, base);
    node_descriptor(rcd + 2 * NODE_BYTES, token, 0xF0, e->params.chpid, 0);
    u8 *qualifier = rcd + 3 * NODE_BYTES;
    qualifier[0] = 0x80; /* a general node element qualifier */
    qualifier[2] = e->params.chpid;
    qualifier[3] = base;
    return give(c, rcd, sizeof rcd);
}

static enum engine_rc read_node(struct osa_engine *e, struct engine_ccw *c) {
    static const u8 head[] = {0x00, 0x00, 0x06, 0x00};
    u8 node[RNI_BYTES] = {0};
    node_descriptor(node, head, 0xF0, e->params.chpid, (u8)e->params.devnum);
    node[NODE_BYTES + 1] = e->params.chpid;
    node[NODE_BYTES + 2] = (u8)e->params.devnum;
    return give(c, node, sizeof node);
}

static u32 osa_sense_id(struct engine *base, u32 unit, u8 *out, u32 max) {
    struct osa_engine *e = osa_of(base);
    u8 model = e->params.chpid_type == OSA_CHPID_IQD ? 5 : 1;
    const u8 id[] = {0xFF,  0x17,
                     0x31,  model,
                     0x17,  0x32,
                     model, 0x00,
                     0x40,  OSA_CCW_RCD,
                     0x00,  0x80,
                     0x41,  0x81,
                     0x00,  0x04,
                     0x42,  0x82,
                     0x00,  0x40,
                     0x43,  OSA_CCW_ESTABLISH,
                     0x10,  0x00,
                     0x44,  OSA_CCW_ACTIVATE,
                     0x00,  0x00};
    UNUSED(unit);
    u32 n = u32_min(max, sizeof id);
    memcpy(out, id, n);
    return n;
}

static const struct engine_sense *osa_sense(struct engine *base, u32 unit) {
    return &osa_of(base)->unit[unit].sense;
}

static enum engine_rc sense_command(struct osa_engine *e, u32 unit, struct engine_ccw *c) {
    struct engine_sense *s = &e->unit[unit].sense;
    enum engine_rc rc = give(c, s->bytes, ENGINE_SENSE_MAX);
    memset(s->bytes, 0, sizeof s->bytes);
    return rc;
}

/* Collects the pieces of a data-chained transfer. True: *data and *len are the whole; false: wait for more,
 * or too much. */
static bool gather(struct osa_unit *u, struct engine_ccw *c, const u8 **data, u32 *len, bool *overrun) {
    *overrun = false;
    if (!(c->chained & CCW_CD)) u->gathered = 0;
    if (!(c->flags & CCW_CD) && !u->gathered) {
        *data = c->buf;
        *len = c->count;
        return true;
    }
    if (c->count > OSA_CTL_BYTES - u->gathered) {
        *overrun = true;
        return false;
    }
    memcpy(u->gather + u->gathered, c->buf, c->count);
    u->gathered += c->count;
    if (c->flags & CCW_CD) return false;
    *data = u->gather;
    *len = u->gathered;
    u->gathered = 0;
    return true;
}

/* WRITE and ESTABLISH: commands with data from the guest. */
static enum engine_rc data_command(struct osa_engine *e, u32 unit, struct engine_ccw *c) {
    const u8 *data;
    u32 len;
    bool overrun;
    if (!gather(&e->unit[unit], c, &data, &len, &overrun))
        return overrun ? reject(e, unit, c) : osa_done(c, c->count);
    if (c->code == OSA_CCW_ESTABLISH) return osa_establish(e, c, data, len);
    return osa_mpc_write(e, unit, c, data, len);
}

static enum engine_rc osa_ccw(struct engine *base, u32 unit, struct engine_ccw *c) {
    struct osa_engine *e = osa_of(base);
    CHECK(unit < OSA_UNITS && !e->unit[unit].waiting);
    c->residual = c->count;
    c->more = false;
    c->unit_status = 0;
    switch (c->code) {
    case CCW_NOP: return osa_done(c, c->count);
    case CCW_SENSE: return sense_command(e, unit, c);
    case CCW_SENSE_ID: return osa_done(c, osa_sense_id(base, unit, c->buf, c->count));
    case OSA_CCW_RCD: return read_configuration(e, unit, c);
    case OSA_CCW_SII: return osa_done(c, u32_min(c->count, SII_BYTES));
    case OSA_CCW_RNI: return read_node(e, c);
    case CCW_WRITE: return unit == OSA_UNIT_DATA ? reject(e, unit, c) : data_command(e, unit, c);
    case CCW_READ: return unit == OSA_UNIT_DATA ? reject(e, unit, c) : osa_mpc_read(e, unit, c);
    case OSA_CCW_ESTABLISH: return unit == OSA_UNIT_DATA ? data_command(e, unit, c) : reject(e, unit, c);
    case OSA_CCW_ACTIVATE: return unit == OSA_UNIT_DATA ? osa_activate(e, c) : reject(e, unit, c);
    default: return reject(e, unit, c);
    }
}

static void osa_halt(struct engine *base, u32 unit) {
    struct osa_engine *e = osa_of(base);
    struct osa_unit *u = &e->unit[unit];
    u->gathered = u->read_at = 0;
    /* The queues end with the data device, and with them the registrations at the port: a driver begins anew.
     */
    if (unit == OSA_UNIT_DATA && e->data != OSA_DATA_DOWN) {
        osa_queues_down(e);
        osa_attach_again(e, e->mode);
    }
    if (!u->waiting) return;
    osa_done(u->waiting, 0);
    osa_complete(e, unit);
}

static void osa_reset(struct engine *base) {
    struct osa_engine *e = osa_of(base);
    bool used = e->mpc != MPC_S_DOWN || e->data != OSA_DATA_DOWN || e->lan_wanted;
    for (u32 i = 0; i < OSA_UNITS; i++) {
        struct osa_unit *u = &e->unit[i];
        u->gathered = u->read_at = 0;
        memset(&u->sense, 0, sizeof u->sense);
        if (!u->waiting) continue;
        osa_done(u->waiting, 0);
        osa_complete(e, i);
    }
    osa_session_reset(e);
    osa_queues_down(e);
    if (used) osa_attach_again(e, e->params.mode ? e->params.mode : OSA_MODE_QDIO_L3);
}

static bool osa_rx(struct engine *base, const u8 *msg, u32 len) {
    struct osa_engine *e = osa_of(base);
    bool whole = osa_msg_check(msg, len);
    if (whole && msg[0] == OSA_MSG_FRAME) return osa_in_frame(e, msg, len);
    if (whole)
        osa_attach_message(e, msg, len);
    else if (osa_count_drop(&e->count.msg_malformed))
        osa_log(e, ENGINE_WARNING, "malformed message of %u bytes from the card", len);
    return true;
}

static void osa_rx_end(struct engine *base) {
    struct osa_engine *e = osa_of(base);
    osa_attach_pump(e);
    osa_out_resume(e);
    osa_in_close(e);
    osa_in_signal(e);
    osa_flush(e);
}

static void osa_link_state(struct engine *base, bool up) {
    struct osa_engine *e = osa_of(base);
    osa_attach_link(e, up);
    osa_out_resume(e);
    osa_flush(e);
}

static const char *const counter_names[] = {
#define X(name) #name,
    OSA_COUNTERS(X)
#undef X
};

bool osa_engine_counter(struct engine *base, u32 i, const char **name, u64 *value) {
    const struct osa_engine *e = osa_of(base);
    const u64 values[] = {
#define X(name) e->count.name,
        OSA_COUNTERS(X)
#undef X
    };
    if (i >= ARRAY_LEN(values)) return false;
    *name = counter_names[i];
    *value = values[i];
    return true;
}

static void osa_query(struct engine *base, char *out, size_t cap) {
    static const char *const cards[] = {"no card", "attaching", "attached", "fenced"};
    static const char *const queues[] = {"no queues", "established", "active"};
    const struct osa_engine *e = osa_of(base);
    u64 drops = e->count.out_no_card + e->count.out_no_lan + e->count.out_bad_header +
                e->count.out_bad_packet + e->count.out_unsupported + e->count.out_bad_address +
                e->count.in_not_active + e->count.in_too_big + e->count.in_wrong_form;
    str_fmt(out, cap, "OSA %s layer %d, %s, %s, LAN %s, out %llu in %llu dropped %llu", cards[e->card],
            e->mode == OSA_MODE_QDIO_L2 ? 2 : 3, osa_mpc_state_name(e->mpc), queues[e->data],
            e->lan_up ? "up" : "down", (unsigned long long)e->count.out_packets,
            (unsigned long long)e->count.in_packets, (unsigned long long)drops);
}

static const struct engine_ops osa_ops = {
    .type = "OSA",
    .units = OSA_UNITS,
    .ccw = osa_ccw,
    .halt = osa_halt,
    .reset = osa_reset,
    .sense = osa_sense,
    .sense_id = osa_sense_id,
    .siga_write = osa_siga_write,
    .siga_read = osa_siga_read,
    .siga_sync = osa_siga_sync,
    .rx = osa_rx,
    .rx_end = osa_rx_end,
    .link_state = osa_link_state,
    .query = osa_query,
};

size_t osa_engine_bytes(void) {
    return sizeof(struct osa_engine);
}

void osa_engine_queues(u8 *in, u8 *out) {
    *in = QDIO_IN_QUEUES_MAX;
    *out = QDIO_OUT_QUEUES_MAX;
}

static const char *bad_parameter(const struct osa_params *p) {
    if (!p->lpar[0]) return "no LPAR name";
    if (p->mode != 0 && p->mode != OSA_MODE_QDIO_L3 && p->mode != OSA_MODE_QDIO_L2)
        return "mode is not layer 2 or 3";
    if (p->chpid_type != OSA_CHPID_OSD && p->chpid_type != OSA_CHPID_IQD)
        return "CHPID type is not OSD or IQD";
    if (p->router > 2) return "router role is not 0, 1 or 2";
    if (p->mtu_bytes && (p->mtu_bytes < 576 || p->mtu_bytes > 65535)) return "MTU is not within 576-65535";
    return NULL;
}

struct engine *osa_engine_init(void *storage, const struct engine_host *host,
                               const struct osa_params *params) {
    struct osa_engine *e = storage;
    memset(e, 0, sizeof *e);
    e->base.ops = &osa_ops;
    e->base.host = host;
    e->params = *params;
    e->params.lpar[sizeof e->params.lpar - 1] = 0;
    e->params.port_name[sizeof e->params.port_name - 1] = 0;
    if (!e->params.mtu_bytes) e->params.mtu_bytes = OSA_MTU_DEFAULT;
    if (!e->params.chpid_type) e->params.chpid_type = OSA_CHPID_OSD;
    const char *wrong = bad_parameter(&e->params);
    if (wrong) {
        osa_log(e, ENGINE_ERROR, "%s", wrong);
        return NULL;
    }
    e->mode = e->params.mode ? e->params.mode : OSA_MODE_QDIO_L3;
    e->router = e->params.router;
    return &e->base;
}
