/* test_ctc_later.c - messages for which nobody is woken (engine.h, tx_later): a PREPARE that waits is seen by whoever looks, stands until
 * the other side's command or the own channel ends it, and is heard of in time by all who cross with it; and a long random drill in which
 * what nobody was woken for may never matter to who stands there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hercules-devices/ctc_cu.h"
#include "hercules-devices/ctc_engine.h"
#include "tests/unit/ctcends.h"

#define CE_DE (US_CHANNEL_END | US_DEVICE_END)
#define AREA 600u
#define SEES true

struct pair {
    struct fake f[2];
    void *storage[2];
    u8 area[2][CTC_UNITS_MAX][AREA];
};

static void give_at(struct pair *t, u32 end, u32 unit, u8 code, u8 flags, u32 count, bool sees) {
    const struct engine_ccw c = {.code = code, .flags = flags, .count = count, .buf = t->area[end][unit]};
    ctcends_give(t->f, end, unit, &c, sees);
}
/* One command alone. true: it has ended. */
static bool give(struct pair *t, u32 end, u32 unit, u8 code, bool sees) {
    t->f[end].nexts[unit] = 0;
    give_at(t, end, unit, code, CCW_SLI, AREA, sees);
    return !t->f[end].waiting[unit];
}
static u8 status(struct pair *t, u32 end, u32 unit) { return t->f[end].ccw[unit].unit_status; }
static u8 sense(struct pair *t, u32 end, u32 unit) { return t->f[end].engine->ops->sense(t->f[end].engine, unit)->bytes[0]; }

static void begin(struct pair *t) {
    memset(t, 0, sizeof *t);
    for (u32 e = 0; e < 2; e++) {
        struct ctc_params p = {.lpar = "SYSA", .partner = "SYSB", .devnum = 0x0C00, .partner_devnum = 0x0C00, .home = true};
        if (e) p = (struct ctc_params){.lpar = "SYSB", .partner = "SYSA", .devnum = 0x0C00, .partner_devnum = 0x0C00};
        fake_init(&t->f[e]);
        t->storage[e] = malloc(ctc_engine_bytes());
        t->f[e].engine = ctc_engine_init(t->storage[e], &t->f[e].host, &p);
    }
    for (u32 e = 0; e < 2; e++) fake_connect(&t->f[e], true);
    ctcends_take_all(t->f);
    /* Who is first finds the other one not ready: each once more. */
    for (u32 i = 0; i < 4 * CTC_UNITS_MAX; i++) {
        give(t, i & 1, i >> 1 & 1, CCW_CTC_SET_EXTENDED, SEES);
        ctcends_ring(t->f);
    }
    for (u32 e = 0; e < 2; e++) memset(t->f[e].unsolicited, 0, sizeof t->f[e].unsolicited);
}
static void end(struct pair *t) {
    for (u32 e = 0; e < 2; e++) {
        free(t->storage[e]);
        fake_free(&t->f[e]);
    }
}

/* What tests/bench/ctcraw_guest.c drills on an emulator. The PREPARE or READ stands as long as its channel lets it: SENSE COMMAND BYTE of the
 * other side does not end it, HALT and CLEAR find it there, and the other side's next command hears of the reset. */
static void stands_until_halted(void **state) {
    UNUSED(state);
    for (u32 kind = 0; kind < 8; kind++) {
        struct pair t;
        u8 code = kind & 1 ? CCW_READ : CCW_CTC_PREPARE;
        u32 halts = kind >> 1 & 1, other = !halts;
        bool rung = kind & 4;
        begin(&t);
        assert_false(give(&t, halts, 0, code, SEES));
        assert_int_equal(fake_rung(&t.f[halts]), code == CCW_READ);
        if (rung) ctcends_ring(t.f);
        for (u32 i = 0; i < 3; i++) {
            assert_true(give(&t, other, 1, CCW_CTC_SENSE_COMMAND, SEES));
            assert_int_equal(t.area[other][1][0], code);
            assert_true(ctcends_quiet(t.f));
            assert_true(t.f[halts].waiting[0]);
        }
        assert_int_equal(t.f[halts].unsolicited[0], 0);
        t.f[halts].engine->ops->halt(t.f[halts].engine, 0);
        assert_false(t.f[halts].waiting[0]);
        assert_int_equal(status(&t, halts, 0), CE_DE);
        assert_int_equal(t.f[halts].ccw[0].residual, AREA);
        ctcends_ring(t.f);
        assert_true(give(&t, other, 1, CCW_NOP, SEES));
        assert_int_equal(status(&t, other, 1), CE_DE | US_UNIT_CHECK);
        assert_int_equal(sense(&t, other, 1), CTC_SENSE_INTREQ | CTC_SENSE_RESET);
        end(&t);
    }
}

/* Halted before anybody has looked: the reset's bell brings both messages, and nothing is left of the PREPARE. */
static void halted_unheard(void **state) {
    UNUSED(state);
    for (u32 halts = 0; halts < 2; halts++) {
        struct pair t;
        begin(&t);
        assert_false(give(&t, halts, 0, CCW_CTC_PREPARE, SEES));
        t.f[halts].engine->ops->halt(t.f[halts].engine, 0);
        assert_true(fake_rung(&t.f[halts]));
        ctcends_ring(t.f);
        assert_true(give(&t, !halts, 1, CCW_CTC_SENSE_COMMAND, SEES));
        assert_int_equal(sense(&t, !halts, 1), CTC_SENSE_INTREQ | CTC_SENSE_RESET);
        assert_true(give(&t, halts, 0, CCW_NOP, SEES));
        ctcends_ring(t.f);
        assert_true(give(&t, !halts, 1, CCW_CTC_SENSE_COMMAND, SEES));
        assert_int_equal(t.area[!halts][1][0], 0);
        end(&t);
    }
}

/* The other side's command ends a PREPARE that it was not woken for, whether it saw it or crosses with it. */
static void crossing(void **state) {
    UNUSED(state);
    static const u8 codes[] = {CCW_CTC_PREPARE, CCW_READ, CCW_WRITE, CCW_CTC_CONTROL};
    for (u32 kind = 0; kind < 4 * ARRAY_LEN(codes); kind++) {
        struct pair t;
        u8 code = codes[kind >> 2];
        u32 first = kind & 1;
        bool sees = kind & 2;
        begin(&t);
        assert_false(give(&t, first, 0, CCW_CTC_PREPARE, SEES));
        give(&t, !first, 1, code, sees);
        ctcends_ring(t.f);
        assert_false(t.f[first].waiting[0] && t.f[!first].waiting[1]);
        if (code != CCW_CTC_PREPARE) assert_false(t.f[first].waiting[0]);
        assert_true(ctcends_quiet(t.f));
        end(&t);
    }
}

/* A bell that is kept for a WRITE is rung whatever becomes of that WRITE: here it is refused, for data chaining. */
static void write_refused(void **state) {
    UNUSED(state);
    static const struct engine_next write = {.code = CCW_WRITE, .flags = CCW_SLI | CCW_CD, .count = AREA};
    for (u32 writes = 0; writes < 2; writes++) {
        struct pair t;
        begin(&t);
        assert_false(give(&t, !writes, 0, CCW_CTC_PREPARE, SEES));
        t.f[writes].next[1] = &write;
        t.f[writes].nexts[1] = 1;
        give_at(&t, writes, 1, CCW_CTC_PREPARE, CCW_SLI | CCW_CC, AREA, SEES);
        assert_int_equal(status(&t, writes, 1), CE_DE);
        assert_false(fake_rung(&t.f[writes]));
        t.f[writes].nexts[1] = 0;
        give_at(&t, writes, 1, write.code, write.flags, write.count, SEES);
        assert_int_equal(sense(&t, writes, 1), CTC_SENSE_REJECT);
        assert_true(fake_rung(&t.f[writes]));
        ctcends_ring(t.f);
        assert_false(t.f[!writes].waiting[0]);
        end(&t);
    }
}

/* ---- at random ---- */

#define CCWS_MAX 5u

struct channel {
    struct engine_next ccw[CCWS_MAX];
    u32 n, at;
    bool runs;
};

static struct channel program(u32 random) {
    static const u8 codes[] = {CCW_CTC_PREPARE, CCW_CTC_PREPARE, CCW_READ, CCW_WRITE, CCW_CTC_SENSE_COMMAND, CCW_NOP, CCW_CTC_CONTROL, CCW_CTC_WEOF};
    u32 kind = random & 7, blocks = 1 + (random >> 3 & 1);
    u8 code = random & 16 ? CCW_READ : CCW_WRITE;
    struct channel c = {.runs = true};
    if (kind < 3) { /* a command alone */
        c.ccw[c.n++] = (struct engine_next){.code = codes[random >> 5 & 7], .flags = CCW_SLI, .count = AREA};
        return c;
    }
    for (u32 i = 0; i < blocks; i++) {
        if (i == 0 || kind & 1) c.ccw[c.n++] = (struct engine_next){.code = CCW_CTC_PREPARE, .flags = CCW_SLI | CCW_CC, .count = 1};
        c.ccw[c.n++] = (struct engine_next){.code = code, .flags = CCW_SLI | CCW_CC, .count = code == CCW_READ ? AREA : 1 + (random >> 8 & 255)};
    }
    c.ccw[c.n - 1].flags = CCW_SLI;
    return c;
}

/* The channel of one unit does what is next; a program that has ended, or that the channel leaves by itself, makes room for another. */
static void channel_turn(struct pair *t, u32 end, u32 unit, struct channel *c, u32 random) {
    struct fake *f = &t->f[end];
    if (f->waiting[unit]) return;
    if (c->at && (!(c->ccw[c->at - 1].flags & CCW_CC) || f->ccw[unit].unit_status != CE_DE)) c->runs = false;
    if (!c->runs || (random >> 12 & 31) == 0) {
        f->nexts[unit] = 0;
        *c = program(random >> 4);
    }
    const struct engine_next *n = &c->ccw[c->at];
    const struct engine_ccw ccw = {.code = n->code, .flags = n->flags, .chained = c->at ? CCW_CC : 0, .count = n->count, .buf = t->area[end][unit]};
    c->at++;
    f->next[unit] = c->ccw + c->at;
    f->nexts[unit] = c->n - c->at;
    ctcends_give(t->f, end, unit, &ccw, random & 1);
}

static bool owes_write(const struct pair *t) {
    for (u32 i = 0; i < 4; i++) {
        const struct fake *f = &t->f[i & 1];
        if (!f->waiting[i >> 1] && f->nexts[i >> 1] && f->next[i >> 1]->code == CCW_WRITE) return true;
    }
    return false;
}

static void nobody_is_forgotten(void **state) {
    UNUSED(state);
    struct pair t;
    struct channel channel[2][CTC_UNITS_MAX] = {0};
    u32 random = 1047, looked = 0;
    begin(&t);
    for (u32 i = 0; i < 400000; i++) {
        random = random * 1664525 + 1013904223;
        u32 end = random >> 31, unit = random >> 30 & 1, what = random >> 24 & 63;
        if (what == 0) {
            t.f[end].engine->ops->halt(t.f[end].engine, unit);
        } else if (what < 8) {
            ctcends_take(t.f, end);
        } else if (what < 20) {
            ctcends_ring(t.f);
        } else if (what < 24 && !owes_write(&t)) {
            if (!ctcends_quiet(t.f)) fail_msg("step %u: a message mattered that nobody was woken for", i);
            looked++;
        } else {
            channel_turn(&t, end, unit, &channel[end][unit], random >> 4);
        }
    }
    assert_true(looked > 5000);
    for (u32 e = 0; e < 2; e++) assert_true(t.f[e].laters > 5000);
    end(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stands_until_halted),
        cmocka_unit_test(halted_unheard),
        cmocka_unit_test(crossing),
        cmocka_unit_test(write_refused),
        cmocka_unit_test(nobody_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
