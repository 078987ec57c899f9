/* fuzz_osa_mpc.c - control frames: what a guest writes on the read and write devices, and what a card says
 * meanwhile.
 *
 * Input: one byte, how far a proper driver brings the device up first (0 not at all, 1 IDX, 2 ULP, 3 active
 * with LAN; 4: layer 2), then steps until it ends: 0 WRITE on the write device   2 length, bytes     1 WRITE
 * on the read device   2 length, bytes 2 READ on a device            1 device 2 count    3 message from the
 * card      2 length, bytes 4 card connects or vanishes   1 which             5 halt                       1
 * unit 6 system reset                                    7 IPA in a proper frame   2 length, command, data 8
 * the card answers all requests                   9 room in the ring           2 bytes
 */
#include <stdlib.h>

#include "hercules-devices/osa_internal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/osadriver.h"

#define STEPS_MAX 400

static void start(struct driver_test *d, u32 stage) {
    drv_init(d, 0, "");
    if (stage == 0) return;
    drv_card(d);
    if (stage >= 3) {
        drv_up(d, stage == 4 ? MPC_PROTO_L2 : MPC_PROTO_L3);
    } else {
        drv_activate_idx(d);
        if (stage == 2) drv_control(d, MPC_PROTO_L3);
    }
}

static void write_step(struct driver_test *d, struct fuzz *z, u32 unit) {
    u32 got;
    const u8 *bytes = fuzz_take(z, fuzz_u16(z) % (OSA_CTL_BYTES + 64), &got);
    /* The CCW's data area is the guest's: exactly as long as its count says. */
    static u8 *area[2];
    if (d->f.waiting[unit]) return;
    free(area[unit]);
    area[unit] = malloc(got ? got : 1);
    memcpy(area[unit], bytes, got);
    fake_ccw(&d->f, unit, CCW_WRITE, CCW_SLI, area[unit], got);
}

static void step(struct driver_test *d, struct fuzz *z) {
    static u8 buffer[OSA_UNITS][OSA_CTL_BYTES], frame[OSA_CTL_BYTES];
    u32 got, unit;
    const u8 *bytes;
    struct engine *e = d->f.engine;
    switch (fuzz_u8(z) % 10) {
    case 0: write_step(d, z, OSA_UNIT_WRITE); break;
    case 1: write_step(d, z, OSA_UNIT_READ); break;
    case 2:
        unit = fuzz_u8(z) % 2;
        got = fuzz_u16(z) % (OSA_CTL_BYTES + 1);
        if (!d->f.waiting[unit]) fake_ccw(&d->f, unit, CCW_READ, CCW_SLI, buffer[unit], got);
        break;
    case 3:
        bytes = fuzz_take(z, fuzz_u16(z), &got);
        fake_rx(&d->f, bytes, got);
        break;
    case 4: fake_connect(&d->f, fuzz_u8(z) & 1); break;
    case 5: e->ops->halt(e, fuzz_u8(z) % OSA_UNITS); break;
    case 6: e->ops->reset(e); break;
    case 7:
        bytes = fuzz_take(z, fuzz_u16(z) % 512, &got);
        if (d->f.waiting[OSA_UNIT_WRITE] || !got) break;
        drv_ipa_frame(d, frame, bytes[0], IPA_PROTO_IPV4, bytes + 1, got - 1);
        fake_ccw(&d->f, OSA_UNIT_WRITE, CCW_WRITE, CCW_SLI, frame, MPC_PDU_AT + IPA_HDR_BYTES + got - 1);
        break;
    case 8: fake_answer_all(&d->f); break;
    default: d->f.ring_room = fuzz_u16(z); break;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len) {
    struct fuzz z = {data, len};
    struct driver_test *d = malloc(sizeof *d);
    CHECK(d);
    start(d, fuzz_u8(&z) % 5);
    for (u32 i = 0; z.left && i < STEPS_MAX; i++) step(d, &z);
    for (u32 i = 0; i < OSA_UNITS; i++) {
        d->f.engine->ops->halt(d->f.engine, i);
        CHECK(!d->f.waiting[i]);
    }
    drv_free(d);
    free(d);
    return 0;
}
