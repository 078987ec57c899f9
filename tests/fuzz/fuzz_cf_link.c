/* fuzz_cf_link.c - the link device under whatever a guest's channel programs and a facility may give it. Input: steps of
 *   0 WRITE 1 length, bytes      1 READ 1 count        2 message of the facility 1 length, bytes   3 link comes or goes 1 which
 *   4 a proper command 1 op      5 a proper response to the last one    6 halt    7 reset    8 room in the ring 1 byte
 *   9 any CCW 1 code 1 flags     10 PENDING           11 ISOLATED
 * Checked beside memory: nothing stays outstanding after a halt, and what is sent is a whole command.
 */
#include <stdlib.h>

#include "hercules-devices/cf_link.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fakehost.h"

#define STEPS_MAX 400

static u8 *area;

/* The CCW's data area: as long as the count says. */
static u8 *fresh(u32 count) {
    free(area);
    area = calloc(1, count ? count : 1);
    CHECK(area);
    return area;
}

static void give(struct fake *f, u8 code, u8 flags, const u8 *bytes, u32 len, u32 count) {
    if (f->waiting[0]) return;
    u8 *to = fresh(count);
    if (len) memcpy(to, bytes, u32_min(len, count));
    fake_ccw_chained(f, 0, code, flags, 0, to, count);
}

static void message(struct fake *f, u8 op, u16 tag, u32 len) {
    u8 msg[64] = {0};
    cf_command_put(msg, op, tag, len, 0, 0);
    fake_rx(f, msg, len);
}

static void step(struct fake *f, struct fuzz *z) {
    u8 cmd[CF_CMD_BYTES], code, flags;
    u32 got, len;
    const u8 *bytes;
    switch (fuzz_u8(z) % 12) {
    case 0:
        bytes = fuzz_take(z, fuzz_u8(z), &got);
        give(f, CCW_WRITE, CCW_SLI, bytes, got, got);
        break;
    case 1:
        len = fuzz_u8(z);
        give(f, CCW_READ, CCW_SLI, NULL, 0, len);
        break;
    case 2:
        bytes = fuzz_take(z, fuzz_u8(z), &got);
        fake_rx(f, bytes, got);
        break;
    case 3: fake_connect(f, fuzz_u8(z) & 1); break;
    case 4:
        cf_command_put(cmd, fuzz_u8(z), 7, sizeof cmd, 0, 0);
        give(f, CCW_WRITE, CCW_SLI, cmd, sizeof cmd, 32);
        break;
    case 5:
        bytes = fake_next(f, &len);
        if (!bytes) break;
        CHECK(cf_message_check(bytes, len));
        message(f, bytes[1] | CF_RESPONSE, be16_get(bytes + 2), 48);
        break;
    case 6: f->engine->ops->halt(f->engine, 0); CHECK(!f->waiting[0]); break;
    case 7: f->engine->ops->reset(f->engine); CHECK(!f->waiting[0]); break;
    case 8: f->ring_room = fuzz_u8(z); break;
    case 9:
        code = fuzz_u8(z);
        flags = fuzz_u8(z);
        give(f, code, flags, NULL, 0, 40);
        break;
    case 10: message(f, CF_PENDING, 0, CF_RSP_BYTES); break;
    default: message(f, CF_ISOLATED, 0, CF_RSP_BYTES); break;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len) {
    struct fuzz z = {data, len};
    struct cf_link_params p = {.lpar = "SYSA", .devnum = 0x0F00};
    struct fake f;
    fake_init(&f);
    void *storage = malloc(cf_link_bytes());
    f.engine = cf_link_init(storage, &f.host, &p);
    fake_connect(&f, true);
    for (u32 i = 0; z.left && i < STEPS_MAX; i++) step(&f, &z);
    f.engine->ops->halt(f.engine, 0);
    CHECK(!f.waiting[0]);
    free(storage);
    fake_free(&f);
    return 0;
}
