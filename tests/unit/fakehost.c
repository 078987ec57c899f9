/* fakehost.c - see fakehost.h. */
#include "tests/unit/fakehost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static u8 *storage(void *ctx, u64 addr, u32 len, bool will_write) {
    struct fake *f = ctx;
    UNUSED(will_write);
    if (addr < FAKE_ORIGIN || len > FAKE_STORAGE || addr - FAKE_ORIGIN > FAKE_STORAGE - len) return NULL;
    return f->storage + (addr - FAKE_ORIGIN);
}

static void complete(void *ctx, u32 unit) {
    struct fake *f = ctx;
    CHECK(f->waiting[unit]);
    f->waiting[unit] = false;
    f->completes[unit]++;
}

static void attention(void *ctx, u32 unit, u8 unit_status) {
    struct fake *f = ctx;
    CHECK(unit < ENGINE_UNITS_MAX);
    f->unsolicited[unit] = unit_status ? f->unsolicited[unit] | unit_status : 0;
    f->attentions += unit_status != 0;
}

static void pci(void *ctx, u32 unit) {
    UNUSED(unit);
    ((struct fake *)ctx)->pcis++;
}

static u8 *tx_reserve(void *ctx, u32 bytes) {
    struct fake *f = ctx;
    if (!f->connected || bytes > f->ring_room) return NULL;
    if (f->ring_in + bytes > FAKE_RING) { /* what nobody has looked at moves to the front */
        memmove(f->ring, f->ring + f->ring_out, f->ring_in - f->ring_out);
        f->ring_in -= f->ring_out;
        f->ring_rung -= u32_min(f->ring_rung, f->ring_out);
        f->ring_out = 0;
    }
    if (f->ring_in + bytes > FAKE_RING) return NULL;
    f->reserved = bytes;
    return f->ring + f->ring_in;
}

static void tx_commit(void *ctx, u32 bytes) {
    struct fake *f = ctx;
    CHECK(bytes <= f->reserved && be32_get(f->ring + f->ring_in + 4) == bytes);
    f->ring_in += bytes;
    if (f->ring_room != UINT32_MAX) f->ring_room -= bytes;
    f->reserved = 0;
}

/* A bell is for all that lies there. */
static void tx_flush(void *ctx) {
    struct fake *f = ctx;
    f->flushes++;
    f->ring_rung = f->ring_in;
}

static void tx_later(void *ctx) {
    ((struct fake *)ctx)->laters++;
}

static bool running(void *ctx, u32 unit) {
    return ((struct fake *)ctx)->running[unit];
}

static void again(void *ctx) {
    ((struct fake *)ctx)->agains++;
}

static void keep_log(void *ctx, enum engine_severity sev, const char *text) {
    struct fake *f = ctx;
    f->logs++;
    snprintf(f->last_log, sizeof f->last_log, "%d %s", (int)sev, text);
}

static u32 upcoming(void *ctx, u32 unit, struct engine_next *out, u32 max) {
    const struct fake *f = ctx;
    u32 n = f->nexts[unit] < max ? f->nexts[unit] : max;
    if (n) memcpy(out, f->next[unit], n * sizeof *out);
    return n;
}

/* One pair of buffers is kept for the next: a fuzzer makes thousands of hosts a second. */
static u8 *kept_storage, *kept_ring;

void fake_init(struct fake *f) {
    memset(f, 0, sizeof *f);
    f->storage = kept_storage ? kept_storage : malloc(FAKE_STORAGE);
    f->ring = kept_ring ? kept_ring : malloc(FAKE_RING);
    kept_storage = kept_ring = NULL;
    CHECK(f->storage && f->ring);
    memset(f->storage, 0, FAKE_STORAGE);
    f->ring_room = UINT32_MAX;
    f->host = (struct engine_host){.ctx = f,
                                   .storage = storage,
                                   .complete = complete,
                                   .upcoming = upcoming,
                                   .attention = attention,
                                   .pci = pci,
                                   .tx_reserve = tx_reserve,
                                   .tx_commit = tx_commit,
                                   .tx_flush = tx_flush,
                                   .tx_later = tx_later,
                                   .running = running,
                                   .again = again,
                                   .log = keep_log};
}

void fake_free(struct fake *f) {
    free(kept_storage);
    free(kept_ring);
    kept_storage = f->storage;
    kept_ring = f->ring;
}

u8 *fake_at(struct fake *f, u64 addr) {
    return storage(f, addr, 1, true);
}

bool fake_ccw_chained(struct fake *f, u32 unit, u8 code, u8 flags, u8 chained, u8 *buf, u32 count) {
    struct engine_ccw *c = &f->ccw[unit];
    CHECK(!f->waiting[unit]);
    *c = (struct engine_ccw){.code = code, .flags = flags, .chained = chained, .count = count, .buf = buf};
    f->waiting[unit] = true;
    enum engine_rc rc = f->engine->ops->ccw(f->engine, unit, c);
    if (rc == ENGINE_WAIT) return !f->waiting[unit];
    CHECK(f->waiting[unit] && c->residual <= c->count && c->unit_status);
    f->waiting[unit] = false;
    return true;
}

bool fake_ccw(struct fake *f, u32 unit, u8 code, u8 flags, u8 *buf, u32 count) {
    return fake_ccw_chained(f, unit, code, flags, 0, buf, count);
}

u32 fake_moved(const struct fake *f, u32 unit) {
    return f->ccw[unit].count - f->ccw[unit].residual;
}

void fake_connect(struct fake *f, bool up) {
    f->connected = up;
    if (!up) f->ring_in = f->ring_out = f->ring_rung = 0;
    f->engine->ops->link_state(f->engine, up);
}

bool fake_rung(const struct fake *f) {
    return f->ring_out < f->ring_rung;
}

const u8 *fake_next(struct fake *f, u32 *len) {
    if (f->ring_out == f->ring_in) return NULL;
    const u8 *msg = f->ring + f->ring_out;
    *len = be32_get(msg + 4);
    CHECK(*len >= OSA_MSG_HEADER_BYTES && *len <= f->ring_in - f->ring_out);
    f->ring_out += *len;
    return msg;
}

void fake_forget(struct fake *f) {
    f->ring_in = f->ring_out = f->ring_rung = 0;
}

bool fake_rx(struct fake *f, const u8 *msg, u32 len) {
    bool taken = f->engine->ops->rx(f->engine, msg, len);
    f->engine->ops->rx_end(f->engine);
    return taken;
}

void fake_attached(struct fake *f, bool lan, u32 assists, u32 frame_max) {
    u8 msg[OSA_MSG_ATTACHED_BYTES];
    static const u8 mac[6] = {2, 0, 0, 0, 0x0E, 1};
    osa_msg_header(msg, OSA_MSG_ATTACHED, 0, sizeof msg);
    memcpy(msg + 12, mac, 6);
    be32_put(msg + 20, frame_max);
    be32_put(msg + 24, assists);
    msg[28] = lan;
    msg[29] = OSA_CHPID_OSD;
    fake_rx(f, msg, sizeof msg);
}

void fake_answer(struct fake *f, const u8 *request, u32 rc) {
    u8 msg[OSA_MSG_ANSWER_BYTES];
    osa_msg_header(msg, OSA_MSG_ANSWER, be16_get(request + 2), sizeof msg);
    msg[8] = request[8];
    be32_put(msg + 12, rc);
    fake_rx(f, msg, sizeof msg);
}

u32 fake_answer_all(struct fake *f) {
    u32 n = 0, len;
    const u8 *msg;
    while ((msg = fake_next(f, &len)) != NULL) {
        u8 copy[OSA_MSG_REQUEST_BYTES];
        if (msg[0] != OSA_MSG_REQUEST) continue;
        memcpy(copy, msg, sizeof copy);
        fake_answer(f, copy, OSA_RC_OK);
        n++;
    }
    return n;
}

void fake_event(struct fake *f, u8 what, u32 addr) {
    u8 msg[OSA_MSG_EVENT_BYTES];
    osa_msg_header(msg, OSA_MSG_EVENT, 0, sizeof msg);
    msg[8] = what;
    be32_put(msg + 12, addr);
    fake_rx(f, msg, sizeof msg);
}

u32 fake_frame(u8 *msg, u8 form, u16 flags, u32 bytes, u8 seed) {
    osa_msg_frame(msg, form, OSA_CAST_UNI, bytes);
    be16_put(msg + 10, flags);
    for (u32 i = 0; i < bytes; i++) msg[OSA_FRAME_DATA + i] = (u8)(seed + i);
    if (form == OSA_FORM_IP && bytes >= 20) {
        msg[OSA_FRAME_DATA] = 0x45;
        be16_put(msg + OSA_FRAME_DATA + 2, (u16)bytes);
    }
    return OSA_FRAME_DATA + bytes;
}
