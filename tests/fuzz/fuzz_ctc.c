/* fuzz_ctc.c - two ends of a channel-to-channel link: any commands of both guests, programs that announce their READs and keep to
 * them or do not, messages cut, damaged, lost and made up, halts, resets, the link that goes and comes, rings without room; messages
 * that nobody is woken for lie until an end looks, and may come a moment too late for that.
 *
 * Input: steps of one byte, its low 4 bits say what:
 *   0-5 a command   1 end and unit (bit 5: it does not see what lies there), 1 code, 1 flags, 1 count * 257
 *   6 deliver all, or what was rung for      7 deliver one
 *   8 halt 1        9 reset 1       10 the link goes or comes 1       11 room 1 end, 1 bytes
 *   12 a message made up: 1 end, 1 length, bytes                      13 the next message damaged: 1 at, 1 value
 *   14 PREPARE or READ with READs chained to it, or WRITEs: 1 end, unit, which, PREPAREs between or not, 1 how many, 1 count * 257
 *   15 the next CCW of such a program: 1 end and unit
 * What nobody was woken for must never matter to who stands there. At the end whatever is outstanding can be halted, and the ends still
 * carry a block.
 */
#include <stdlib.h>

#include "base/be.h"
#include "hercules-devices/ctc_cu.h"
#include "hercules-devices/ctc_engine.h"
#include "hercules-devices/ctc_wire.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/ctcends.h"

#define STEPS_MAX 400
#define CHAIN_MAX 8

static u8 *area[2][CTC_UNITS_MAX];
static struct engine_next chain[2][CTC_UNITS_MAX][CHAIN_MAX]; /* what stands behind the CCW that is executed */

/* The CCW's data area: as long as the count says. */
static u8 *fresh(u32 end, u32 unit, u32 count) {
    free(area[end][unit]);
    area[end][unit] = calloc(1, count ? count : 1);
    CHECK(area[end][unit]);
    return area[end][unit];
}

/* false: a message was made up or damaged, and an end may have been told a lie about what the other one has seen. */
static bool honest;

static void damaged(struct fake *f, u32 from, struct fuzz *z) {
    u32 len;
    const u8 *m = fake_next(&f[from], &len);
    if (!m) return;
    u8 *copy = malloc(len);
    CHECK(copy);
    memcpy(copy, m, len);
    copy[fuzz_u8(z) % len] = fuzz_u8(z);
    honest = false;
    ctcends_hand(&f[!from], copy, len);
    free(copy);
}

/* A bell that goes with a WRITE is due when the channel gives it: does one owe it? */
static bool owes_write(const struct fake *f) {
    for (u32 u = 0; u < CTC_UNITS_MAX; u++)
        if (!f->waiting[u] && f->nexts[u] && f->next[u]->code == CCW_WRITE) return true;
    return false;
}

static void deliver_rung(struct fake *f) {
    if (!honest || owes_write(&f[0]) || owes_write(&f[1]))
        ctcends_ring(f);
    else
        CHECK(ctcends_quiet(f));
}

#define LATE 0x20 /* in the byte that says where: what lies in the ring comes a moment too late */

static void give(struct fake *f, u8 where, u8 code, u8 flags, u8 chained, u32 count) {
    u32 end = where & 1, unit = where >> 1 & 1;
    const struct engine_ccw c = {.code = code, .flags = flags, .chained = chained, .count = count, .buf = fresh(end, unit, count)};
    ctcends_give(f, end, unit, &c, !(where & LATE));
}

static void command(struct fake *f, struct fuzz *z) {
    u8 where = fuzz_u8(z), code = fuzz_u8(z), flags = fuzz_u8(z);
    u32 end = where & 1, unit = where >> 1 & 1, count = fuzz_u8(z) * 257u;
    if (f[end].waiting[unit]) return;
    f[end].nexts[unit] = 0; /* whatever was announced: the channel has left it */
    give(f, where, code, flags, where & (CCW_CC | CCW_CD), count);
}

static void announce(struct fake *f, struct fuzz *z) {
    u8 where = fuzz_u8(z);
    u32 end = where & 1, unit = where >> 1 & 1, n = 1 + fuzz_u8(z) % CHAIN_MAX, count = fuzz_u8(z) * 257u;
    u8 code = where & 16 ? CCW_WRITE : CCW_READ;
    if (f[end].waiting[unit]) return;
    for (u32 i = 0; i < n; i++) {
        bool prepare = where & 8 && (i & 1) == (where & 4 ? 0 : 1);
        chain[end][unit][i] = (struct engine_next){.code = prepare ? CCW_CTC_PREPARE : code,
                                                   .flags = (u8)(CCW_SLI | (i + 1 < n ? CCW_CC : 0)),
                                                   .count = prepare ? 1 : count};
    }
    f[end].next[unit] = chain[end][unit];
    f[end].nexts[unit] = n;
    give(f, where, where & 4 ? code : CCW_CTC_PREPARE, CCW_CC | CCW_SLI, 0, count);
}

static void go_on(struct fake *f, struct fuzz *z) {
    u8 where = fuzz_u8(z);
    u32 end = where & 1, unit = where >> 1 & 1;
    if (f[end].waiting[unit] || f[end].nexts[unit] == 0) return;
    const struct engine_next ccw = *f[end].next[unit]++;
    f[end].nexts[unit]--;
    give(f, where, ccw.code, ccw.flags, CCW_CC, ccw.count);
}

static void connect(struct fake *f, bool up) {
    honest = true;
    for (u32 end = 0; end < 2; end++) fake_connect(&f[end], up);
}

static void step(struct fake *f, struct fuzz *z) {
    u8 what = fuzz_u8(z);
    u32 end = what >> 4 & 1, unit = what >> 5 & 1, len;
    struct engine *e = f[end].engine;
    const u8 *bytes;
    switch (what & 15) {
    case 6: (end ? deliver_rung : ctcends_take_all)(f); break;
    case 7: ctcends_take(f, end); break;
    case 8: e->ops->halt(e, unit); break;
    case 9: e->ops->reset(e); break;
    case 10:
        connect(f, false);
        if (unit) connect(f, true);
        break;
    case 11: f[end].ring_room = unit ? UINT32_MAX : fuzz_u8(z); break;
    case 12:
        bytes = fuzz_take(z, fuzz_u8(z), &len);
        honest = false;
        ctcends_hand(&f[end], bytes, len);
        break;
    case 13: damaged(f, end, z); break;
    case 14: announce(f, z); break;
    case 15: go_on(f, z); break;
    default: command(f, z); break;
    }
}

/* However it got here: a link made anew carries a block. */
static void must_work(struct fake *f) {
    connect(f, false);
    for (u32 end = 0; end < 2; end++) {
        f[end].ring_room = UINT32_MAX;
        for (u32 u = 0; u < CTC_UNITS_MAX; u++) {
            f[end].nexts[u] = 0;
            f[end].engine->ops->halt(f[end].engine, u);
            CHECK(!f[end].waiting[u]);
        }
    }
    connect(f, true);
    ctcends_take_all(f);
    for (u32 i = 0; i < 8; i++) {
        fake_ccw(&f[i & 1], i >> 1 & 1, CCW_CTC_SET_EXTENDED, CCW_SLI, fresh(i & 1, i >> 1 & 1, 1), 1);
        ctcends_take_all(f);
        CHECK(!f[i & 1].waiting[i >> 1 & 1]);
    }
    /* An end of file that was left is taken first. */
    fake_ccw(&f[0], 0, CCW_NOP, CCW_SLI, fresh(0, 0, 1), 1);
    fake_ccw(&f[0], 0, CCW_READ, CCW_SLI, fresh(0, 0, 100), 100);
    ctcends_take_all(f);
    fake_ccw(&f[1], 1, CCW_WRITE, CCW_SLI, fresh(1, 1, 90), 90);
    ctcends_take_all(f);
    CHECK(!f[0].waiting[0] && !f[1].waiting[1] && fake_moved(&f[0], 0) == 90);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len) {
    static const struct ctc_params params[2] = {
        {.lpar = "SYSA", .partner = "SYSB", .devnum = 0x0C00, .partner_devnum = 0x0C10, .home = true},
        {.lpar = "SYSB", .partner = "SYSA", .devnum = 0x0C10, .partner_devnum = 0x0C00}};
    static u8 *storage[2];
    struct fuzz z = {data, len};
    struct fake f[2];
    for (u32 end = 0; end < 2; end++) {
        fake_init(&f[end]);
        if (!storage[end]) storage[end] = malloc(ctc_engine_bytes());
        f[end].engine = ctc_engine_init(storage[end], &f[end].host, &params[end]);
        CHECK(f[end].engine);
    }
    connect(f, true);
    ctcends_take_all(f);
    for (u32 i = 0; z.left && i < STEPS_MAX; i++) step(f, &z);
    must_work(f);
    for (u32 end = 0; end < 2; end++) {
        fake_free(&f[end]);
        for (u32 u = 0; u < CTC_UNITS_MAX; u++) {
            free(area[end][u]);
            area[end][u] = NULL;
        }
    }
    return 0;
}
