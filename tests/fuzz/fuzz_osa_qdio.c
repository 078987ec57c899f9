/* fuzz_osa_qdio.c - the data path: SBALs, packet headers and states that a guest may put anywhere, and frames
 * of a card.
 *
 * Input: one byte (bit 0: layer 2), then steps:
 *   0 an output SBALE   1 buffer 1 element 1 eflags 1 sflags 2 length 1 address kind 2 offset
 *   1 output data       2 offset 2 length, bytes
 *   2 prime and SIGA-w  1 buffers 1 mask
 *   3 frame from the card   1 form 2 length 2 flags      4 end of a batch
 *   5 an input SBALE    as 0                             6 an input state   1 buffer 1 state
 *   7 SIGA-r            8 room in the ring   2 bytes     9 an SL entry      1 queue 1 buffer 1 address kind
 *  10 card vanishes and comes                           11 a well-formed packet  2 length 1 kind, sent at
 * once
 */
#include <stdlib.h>

#include "hercules-devices/osa_internal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/osadriver.h"

#define STEPS_MAX 400

/* Addresses that exist, that do not, that reach across the end, and that wrap. */
static u64 address(struct fuzz *z, u32 inside) {
    u32 kind = fuzz_u8(z) % 8, offset = fuzz_u16(z);
    if (kind == 0) return offset;
    if (kind == 1) return FAKE_ORIGIN + FAKE_STORAGE - offset % 64;
    if (kind == 2) return ~(u64)0 - offset;
    if (kind == 3) return (u64)offset << 32 | inside;
    return inside + offset;
}

static void sbale(struct driver_test *d, struct fuzz *z, u32 queue, u32 inside) {
    u32 buffer = fuzz_u8(z) % QDIO_BUFFERS, element = fuzz_u8(z) % QDIO_ELEMENTS;
    u8 eflags = fuzz_u8(z), sflags = fuzz_u8(z);
    u32 length = fuzz_u16(z);
    drv_element(d, queue, buffer, element, address(z, inside), length == 0xFFFF ? 0xFFFFFFF0u : length,
                eflags);
    drv_sbale(d, queue, buffer, element)[SBALE_SFLAGS_AT] = sflags;
}

static void packet(struct driver_test *d, struct fuzz *z) {
    u8 *at = fake_at(&d->f, AT_OUT);
    u32 bytes = fuzz_u16(z) % 9000 + 20;
    u8 kind = fuzz_u8(z);
    bool l2 = osa_of(d->f.engine)->mode == OSA_MODE_QDIO_L2, tso = kind & 1;
    u32 headers = OSA_HDR_BYTES + (tso ? OSA_TSO_EXT_BYTES : 0u), ip = headers + (l2 ? 14 : 0);
    memset(at, 0, headers + 64);
    at[0] = l2 ? (tso ? OSA_HDR_L2_TSO : OSA_HDR_L2) : tso ? OSA_HDR_L3_TSO : OSA_HDR_L3;
    be16_put(at + (l2 ? OSA_L2_LENGTH_AT : OSA_L3_LENGTH_AT), (u16)(bytes + (l2 ? 14 : 0)));
    at[l2 ? OSA_L2_EXT_AT : OSA_L3_EXT_AT] = kind & 0x70;
    be32_put(at + 32 + OSA_TSO_PAYLOAD_AT, bytes - u32_min(bytes, 40));
    be16_put(at + 32 + OSA_TSO_MSS_AT, (u16)(kind * 8));
    be16_put(at + 32 + OSA_TSO_HEADERS_AT, (u16)(40 + (l2 ? 14 : 0)));
    if (l2) be16_put(at + ip - 2, 0x0800);
    at[ip] = 0x45;
    be16_put(at + ip + 2, (u16)bytes);
    at[ip + 9] = kind & 2 ? 6 : 17;
    at[ip + 32] = 0x50;
    struct osa_queue *q = &osa_of(d->f.engine)->out[0];
    drv_element(d, 1, q->next, 0, AT_OUT, ip + bytes, SBAL_LAST_ENTRY);
    *drv_slsb(d, 1, q->next) = SLSB_CU_OUTPUT_PRIMED;
    d->f.engine->ops->siga_write(d->f.engine, OSA_UNIT_DATA, 0x80000000);
}

static void step(struct driver_test *d, struct fuzz *z) {
    static u8 msg[OSA_FRAME_MAX + 65536];
    struct engine *e = d->f.engine;
    u32 n, got, offset;
    const u8 *bytes;
    switch (fuzz_u8(z) % 12) {
    case 0: sbale(d, z, 1, AT_OUT); break;
    case 1:
        offset = fuzz_u16(z) % 0x8000;
        bytes = fuzz_take(z, fuzz_u16(z) % 0x1000, &got);
        memcpy(fake_at(&d->f, AT_OUT + offset), bytes, got);
        break;
    case 2:
        n = fuzz_u8(z);
        for (u32 i = 0; i < n % QDIO_BUFFERS; i++)
            *drv_slsb(d, 1, (osa_of(e)->out[0].next + i) % QDIO_BUFFERS) = SLSB_CU_OUTPUT_PRIMED;
        e->ops->siga_write(e, OSA_UNIT_DATA, (u32)fuzz_u8(z) << 24);
        break;
    case 3: {
        u8 form = fuzz_u8(z);
        n = fake_frame(msg, form & 3, 0, fuzz_u16(z), form);
        be16_put(msg + 10, (u16)fuzz_u16(z));
        e->ops->rx(e, msg, n);
        break;
    }
    case 4: e->ops->rx_end(e); break;
    case 5: sbale(d, z, 0, AT_IN); break;
    case 6:
        offset = fuzz_u8(z) % QDIO_BUFFERS;
        *drv_slsb(d, 0, offset) = fuzz_u8(z);
        break;
    case 7: e->ops->siga_read(e, OSA_UNIT_DATA, 0x80000000); break;
    case 8: d->f.ring_room = fuzz_u16(z) * 4; break;
    case 9:
        n = fuzz_u8(z) % 5;
        offset = fuzz_u8(z) % QDIO_BUFFERS;
        be64_put(fake_at(&d->f, AT_SL + SL_BYTES * n + 8 * offset),
                 address(z, AT_SBAL + 0x8000 * n) & ~(u64)(SBAL_BYTES - 1));
        break;
    case 10:
        fake_connect(&d->f, false);
        fake_connect(&d->f, true);
        fake_attached(&d->f, true, 15, 8992);
        break;
    default: packet(d, z); break;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len) {
    struct fuzz z = {data, len};
    struct driver_test *d = malloc(sizeof *d);
    CHECK(d);
    drv_init(d, 0, "");
    drv_card(d);
    drv_up(d, fuzz_u8(&z) & 1 ? MPC_PROTO_L2 : MPC_PROTO_L3);
    for (u32 i = 0; z.left && i < STEPS_MAX; i++) step(d, &z);
    d->f.engine->ops->halt(d->f.engine, OSA_UNIT_DATA);
    CHECK(!d->f.waiting[OSA_UNIT_DATA]);
    drv_free(d);
    free(d);
    return 0;
}
