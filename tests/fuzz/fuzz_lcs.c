/* fuzz_lcs.c - LCS mode: blocks that a guest writes, and what a card says meanwhile.
 *
 * Input: steps of
 *   0 WRITE   2 length, bytes           1 READ    2 count              2 message of the card   2 length,
 * bytes 3 card comes or goes   1 which      4 ATTACHED    1 LAN            5 the card answers all  2 return
 * code 6 halt    1 unit                    7 reset                        8 room in the ring      2 bytes 9 a
 * proper command     1 code, 2 groups                           10 a proper frame from the card   2 length 11
 * any CCW              1 unit 1 code 1 flags
 */
#include <stdlib.h>

#include "hercules-devices/lcs_internal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fakehost.h"

#define STEPS_MAX 400
#define COUNT_MAX 0x5000

static u8 *area[LCS_UNITS];

/* The CCW's data area: as long as the count says. */
static u8 *fresh(u32 unit, u32 count) {
    free(area[unit]);
    area[unit] = calloc(1, count ? count : 1);
    CHECK(area[unit]);
    return area[unit];
}

static void write_bytes(struct fake *f, const u8 *bytes, u32 len, u32 count) {
    if (f->waiting[LCS_UNIT_WRITE]) return;
    u8 *to = fresh(LCS_UNIT_WRITE, count);
    memcpy(to, bytes, u32_min(len, count));
    fake_ccw(f, LCS_UNIT_WRITE, CCW_WRITE, CCW_SLI, to, count);
}

static void proper_command(struct fake *f, u8 code, u32 groups) {
    static const u8 codes[] = {LCS_STARTUP,  LCS_STARTLAN,  LCS_STOPLAN, LCS_LANSTAT,
                               LCS_SHUTDOWN, LCS_QIPASSIST, LCS_SETIPM,  LCS_DELIPM};
    u8 frame[LCS_MULTICAST_BYTES + 2] = {0};
    u8 command = codes[code % sizeof codes];
    bool multicast = command == LCS_SETIPM || command == LCS_DELIPM;
    u32 len = multicast ? LCS_MULTICAST_BYTES : LCS_CTL_BYTES;
    be16_put(frame, (u16)len);
    frame[LCS_COMMAND_AT] = command;
    frame[LCS_LAN_TYPE_AT] = LCS_TYPE_ETHERNET;
    if (multicast) be16_put(frame + LCS_PAIRS_AT, (u16)(groups % 40));
    for (u32 i = 0; multicast && i < LCS_PAIRS_MAX; i++)
        be32_put(frame + LCS_PAIR_AT + i * LCS_PAIR_BYTES, 0xE0000000 + groups + i);
    write_bytes(f, frame, len + 2, len + 2);
}

static void answer_all(struct fake *f, u32 rc) {
    u32 len;
    const u8 *msg;
    while ((msg = fake_next(f, &len)) != NULL) {
        u8 copy[OSA_MSG_REQUEST_BYTES];
        if (msg[0] != OSA_MSG_REQUEST) continue;
        memcpy(copy, msg, sizeof copy);
        fake_answer(f, copy, rc);
    }
}

static void step(struct fake *f, struct fuzz *z) {
    static u8 msg[OSA_FRAME_MAX + 65536];
    struct engine *e = f->engine;
    u32 got, n, unit;
    const u8 *bytes;
    u8 code, flags;
    switch (fuzz_u8(z) % 12) {
    case 0:
        bytes = fuzz_take(z, fuzz_u16(z) % COUNT_MAX, &got);
        write_bytes(f, bytes, got, got);
        break;
    case 1:
        n = fuzz_u16(z) % (COUNT_MAX + 1);
        if (!f->waiting[LCS_UNIT_READ])
            fake_ccw(f, LCS_UNIT_READ, CCW_READ, CCW_SLI, fresh(LCS_UNIT_READ, n), n);
        break;
    case 2:
        bytes = fuzz_take(z, fuzz_u16(z), &got);
        fake_rx(f, bytes, got);
        break;
    case 3: fake_connect(f, fuzz_u8(z) & 1); break;
    case 4: fake_attached(f, fuzz_u8(z) & 1, 15, 1500); break;
    case 5: answer_all(f, fuzz_u16(z)); break;
    case 6: e->ops->halt(e, fuzz_u8(z) % LCS_UNITS); break;
    case 7: e->ops->reset(e); break;
    case 8: f->ring_room = fuzz_u16(z); break;
    case 9:
        code = fuzz_u8(z);
        proper_command(f, code, fuzz_u16(z));
        break;
    case 10:
        n = fake_frame(msg, OSA_FORM_ETHER, 0, fuzz_u16(z), 0);
        e->ops->rx(e, msg, n);
        break;
    default:
        unit = fuzz_u8(z) % LCS_UNITS;
        code = fuzz_u8(z);
        flags = fuzz_u8(z);
        if (!f->waiting[unit]) fake_ccw_chained(f, unit, code, flags, flags & 0xC0, fresh(unit, 100), 100);
        break;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len) {
    struct fuzz z = {data, len};
    struct lcs_params p = {.lpar = "SYSA", .devnum = 0x0E10};
    struct fake f;
    fake_init(&f);
    void *storage = malloc(lcs_engine_bytes());
    f.engine = lcs_engine_init(storage, &f.host, &p);
    for (u32 i = 0; z.left && i < STEPS_MAX; i++) step(&f, &z);
    for (u32 i = 0; i < LCS_UNITS; i++) {
        f.engine->ops->halt(f.engine, i);
        CHECK(!f.waiting[i]);
    }
    free(storage);
    fake_free(&f);
    return 0;
}
