/* fuzz_osa_ccw.c - channel programs of any shape on the three units of an OSA, ESTABLISH QUEUES with any
 * record among them.
 *
 * Input: steps of
 *   0 a CCW         1 unit 1 code 1 flags 1 chained 2 count, bytes of its data area
 *   1 a CCW from a table of those that exist, the rest as in 0
 *   2 ESTABLISH with a proper record of which bytes were changed: 1 how many, each 2 offset 1 value
 *   3 ACTIVATE      4 halt   1 unit      5 SIGA   1 kind 2 mask      6 card comes and goes   1 which      7
 * reset
 */
#include <stdlib.h>

#include "hercules-devices/osa_internal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/osadriver.h"

#define STEPS_MAX 300

static void any_ccw(struct driver_test *d, struct fuzz *z, bool known) {
    static const u8 codes[] = {0x01, 0x02, 0x03, 0x04, 0xE4, 0xFA, 0x81, 0x82, 0x1B, 0x1F};
    static u8 *area[OSA_UNITS];
    u32 unit = fuzz_u8(z) % OSA_UNITS, count, got;
    u8 code = fuzz_u8(z), flags = fuzz_u8(z), chained = fuzz_u8(z);
    count = fuzz_u16(z) % 5000;
    if (known) code = codes[code % sizeof codes];
    if (d->f.waiting[unit]) return;
    /* As long as the count says, and not a byte longer. */
    free(area[unit]);
    area[unit] = calloc(1, count ? count : 1);
    CHECK(area[unit]);
    const u8 *bytes = fuzz_take(z, count, &got);
    memcpy(area[unit], bytes, got);
    fake_ccw_chained(&d->f, unit, code, flags, chained, area[unit], count);
}

static void establish(struct driver_test *d, struct fuzz *z) {
    u32 n = fuzz_u8(z) % 16;
    drv_queues_layout(d, 4);
    for (u32 i = 0; i < n; i++) {
        u32 at = fuzz_u16(z) % 256;
        *fake_at(&d->f, AT_QDR + at) = fuzz_u8(z);
    }
    if (!d->f.waiting[OSA_UNIT_DATA])
        fake_ccw(&d->f, OSA_UNIT_DATA, OSA_CCW_ESTABLISH, CCW_SLI, fake_at(&d->f, AT_QDR), QDR_BYTES);
}

static void step(struct driver_test *d, struct fuzz *z) {
    static u8 nothing[1];
    struct engine *e = d->f.engine;
    u32 kind, mask;
    switch (fuzz_u8(z) % 8) {
    case 0: any_ccw(d, z, false); break;
    case 1: any_ccw(d, z, true); break;
    case 2: establish(d, z); break;
    case 3:
        if (!d->f.waiting[OSA_UNIT_DATA])
            fake_ccw(&d->f, OSA_UNIT_DATA, OSA_CCW_ACTIVATE, CCW_SLI, nothing, 0);
        break;
    case 4: e->ops->halt(e, fuzz_u8(z) % OSA_UNITS); break;
    case 5:
        kind = fuzz_u8(z);
        mask = fuzz_u16(z) << 16;
        if (kind % 3 == 0)
            e->ops->siga_write(e, kind / 3 % OSA_UNITS, mask);
        else if (kind % 3 == 1)
            e->ops->siga_read(e, kind / 3 % OSA_UNITS, mask);
        else
            e->ops->siga_sync(e, kind / 3 % OSA_UNITS, mask, mask);
        break;
    case 6: fake_connect(&d->f, fuzz_u8(z) & 1); break;
    default: e->ops->reset(e); break;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len) {
    struct fuzz z = {data, len};
    struct driver_test *d = malloc(sizeof *d);
    CHECK(d);
    drv_init(d, 0, "");
    for (u32 i = 0; z.left && i < STEPS_MAX; i++) step(d, &z);
    for (u32 i = 0; i < OSA_UNITS; i++) {
        d->f.engine->ops->halt(d->f.engine, i);
        CHECK(!d->f.waiting[i]);
    }
    drv_free(d);
    free(d);
    return 0;
}
