/* fuzz_osa_port.c - the port of an OSA under whatever LPARs and a LAN may send. The input is a script of steps:
 *
 *   1 step: bits 0-2 what, bits 3-5 attachment | 1 argument | 2 length | bytes
 *   0 message as it is    1 message with a right header, type from the argument    2 frame from the LAN
 *   3 frame from the LAN with offload words before it   4 time passes   5 link up or down   6 cable   7 isolate
 *
 * Checked beside memory: what the port sends is well formed, and all tables are empty when everybody has left.
 */
#include "base/be.h"
#include "hercules-devices/osa_port.h"
#include "wire/ip4.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RING (OSA_MSG_ANSWER_BYTES + OSA_ARP_MAX * 12 > OSA_FRAME_MAX ? OSA_MSG_ANSWER_BYTES + OSA_ARP_MAX * 12 : OSA_FRAME_MAX)

static u8 ring[RING];
static u32 reserved;

static u8 *host_reserve(void *ctx, u32 n, u32 bytes) {
    UNUSED(ctx);
    CHECK(n < OSA_ATTACHMENTS && bytes <= sizeof ring);
    reserved = bytes;
    return ring;
}
static void host_commit(void *ctx, u32 n, u32 bytes) {
    UNUSED(ctx);
    UNUSED(n);
    CHECK(bytes >= OSA_MSG_HEADER_BYTES && bytes <= reserved && be32_get(ring + 4) == bytes);
    if (ring[0] == OSA_MSG_FRAME && ring[8] == OSA_FORM_IP)
        CHECK(ip4_check(ring + OSA_FRAME_DATA, bytes - OSA_FRAME_DATA, true) == IP4_OK);
    reserved = 0;
}
static bool host_uplink(void *ctx, const struct osa_frame *f) {
    UNUSED(ctx);
    static u8 wire[OSA_FRAME_MAX];
    u32 len = osa_frame_len(f);
    CHECK(len >= 14 && len <= sizeof wire);
    memcpy(wire, f->head, f->head_len);
    memcpy(wire + f->head_len, f->body, f->body_len);
    CHECK(!f->csum_needed || f->csum_start + f->csum_field + 2 <= len);
    return (wire[len - 1] & 7) != 0;
}
static void sink(void *ctx, u8 *bytes, u32 len) {
    u32 *sum = ctx;
    for (u32 i = 0; i < len; i++) *sum += bytes[i];
}
static void host_capture(void *ctx, u32 n, bool to_card, const struct osa_frame *f) {
    static u8 stage[OSA_FRAME_MAX];
    u32 sum = 0;
    UNUSED(ctx);
    UNUSED(to_card);
    CHECK(n < OSA_ATTACHMENTS || n == OSA_FROM_LAN);
    osa_frame_finish(f, f->ip ? f->link_len : 0, stage, sizeof stage, sink, &sum);
}
static void host_log(void *ctx, enum engine_severity sev, const char *text) {
    UNUSED(ctx);
    UNUSED(sev);
    CHECK(strlen(text) > 0);
}

static void step(struct osa_port *p, u8 what, u8 arg, u8 *bytes, u32 len, u64 *now) {
    u32 n = what >> 3 & 7;
    switch (what & 7) {
    case 0: osa_port_message(p, n, bytes, len, *now); break;
    case 1:
        if (len < OSA_MSG_HEADER_BYTES) return;
        bytes[0] = arg % 8;
        bytes[1] = OSA_MSG_VERSION;
        be32_put(bytes + 4, len);
        osa_port_message(p, n, bytes, len, *now);
        break;
    case 2: osa_port_from_uplink(p, bytes, len, NULL, *now); break;
    case 3: {
        if (len < 8) return;
        struct osa_uplink_meta m = {be16_get(bytes), arg & 1, be16_get(bytes + 2), be16_get(bytes + 4)};
        osa_port_from_uplink(p, bytes + 8, len - 8, &m, *now);
        break;
    }
    case 4:
        *now += (u64)arg * arg * arg * 1000;
        osa_port_tick(p, *now);
        break;
    case 5:
        if (arg & 1) osa_port_link_up(p, arg);
        else
            osa_port_link_down(p, n, *now);
        break;
    case 6:
        osa_port_lan(p, arg & 1, *now);
        osa_port_uplink_offload(p, arg & 2);
        break;
    default: osa_port_fence(p, arg & 1 ? "SYSA" : "SYSB", *now); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct osa_port_host host = {NULL, host_reserve, host_commit, host_uplink, host_capture, host_log};
    struct osa_port *p = malloc(sizeof *p);
    u64 now = USEC_PER_SEC;
    if (!p || size < 1) {
        free(p);
        return 0;
    }
    struct osa_port_params params = {.name = "OSA1", .mac = {2, 0, 0, 0, 0, 1}, .mtu_bytes = 1492};
    params.chpid = data[0] & 1 ? OSA_CHPID_IQD : OSA_CHPID_OSD;
    params.uplink = params.chpid != OSA_CHPID_IQD;
    params.uplink_offload = data[0] & 2;
    CHECK(osa_port_init(p, &params, &host) == 0);
    for (u32 i = 0; i < 4; i++) osa_port_link_up(p, 1);
    for (size_t i = 1; i + 4 <= size;) {
        u32 len = be16_get(data + i + 2);
        len = (u32)u64_min(len, size - i - 4);
        u8 *bytes = malloc(len ? len : 1); /* exact, so that a read behind it is seen */
        if (!bytes) break;
        memcpy(bytes, data + i + 4, len);
        step(p, data[i], data[i + 1], bytes, len, &now);
        free(bytes);
        i += 4 + len;
    }
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) osa_port_link_down(p, n, now);
    for (u32 i = 0; i < 5; i++) osa_port_tick(p, now += OSA_ARP_LIFETIME_USEC);
    CHECK(p->oat_count + p->mac_count + p->probe_count + p->pending_count == 0);
    CHECK(p->started == 0 && p->primary == 0 && p->secondary == 0);
    free(p);
    return 0;
}
