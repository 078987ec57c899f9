/* test_ctc_engine.c - two ends of a channel-to-channel link, face to face: names, data both ways, halt, reset, the
 * link that goes and comes, rings that are full, messages that are wrong; and both ends together against the control
 * unit alone: a random walk gives the same ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/be.h"
#include "hercules-devices/ctc_cu.h"
#include "hercules-devices/ctc_engine.h"
#include "hercules-devices/ctc_wire.h"
#include "tests/unit/fakehost.h"

#define CE_DE (US_CHANNEL_END | US_DEVICE_END)
#define AREA 65535u
#define HOME 0u
#define FAR 1u

struct pair {
    struct fake f[2];
    void *storage[2];
    u8 *area[2][CTC_UNITS_MAX];
    bool up;
};

static struct ctc_params params_of(u32 end) {
    struct ctc_params p = {.lpar = "SYSA", .partner = "SYSB", .devnum = 0x0C00, .partner_devnum = 0x0C10, .home = true};
    if (end == FAR) p = (struct ctc_params){.lpar = "SYSB", .partner = "SYSA", .devnum = 0x0C10, .partner_devnum = 0x0C00};
    return p;
}

static void make_end(struct pair *t, u32 end, const struct ctc_params *p) {
    fake_init(&t->f[end]);
    t->storage[end] = malloc(ctc_engine_bytes());
    t->f[end].engine = ctc_engine_init(t->storage[end], &t->f[end].host, p);
    assert_non_null(t->f[end].engine);
    for (u32 u = 0; u < CTC_UNITS_MAX; u++) t->area[end][u] = calloc(1, AREA);
}

/* Messages move until there are none; a ring drained is what lets an end send what it kept back. */
static u32 pump(struct pair *t) {
    u32 total = 0, moved, len;
    do {
        moved = 0;
        for (u32 end = 0; end < 2; end++) {
            const u8 *m = fake_next(&t->f[end], &len);
            if (!m) continue;
            u8 *copy = malloc(len);
            memcpy(copy, m, len);
            t->f[!end].engine->ops->rx(t->f[!end].engine, copy, len);
            free(copy);
            t->f[!end].engine->ops->rx_end(t->f[!end].engine);
            moved++;
        }
        total += moved;
        assert_true(total < 10000);
    } while (moved);
    return total;
}

static void link_up(struct pair *t, bool up) {
    for (u32 end = 0; end < 2; end++) fake_connect(&t->f[end], up);
    t->up = up;
    pump(t);
}

static void new_pair(struct pair *t, const struct ctc_params *home, const struct ctc_params *far) {
    memset(t, 0, sizeof *t);
    make_end(t, HOME, home);
    make_end(t, FAR, far);
}

static void free_pair(struct pair *t) {
    for (u32 end = 0; end < 2; end++) {
        for (u32 u = 0; u < CTC_UNITS_MAX; u++) free(t->area[end][u]);
        free(t->storage[end]);
        fake_free(&t->f[end]);
    }
}

static struct engine_ccw *ccw(struct pair *t, u32 end, u32 unit) { return &t->f[end].ccw[unit]; }

/* true: it is done once everything has moved. */
static bool give(struct pair *t, u32 end, u32 unit, u8 code, u32 count) {
    fake_ccw(&t->f[end], unit, code, CCW_SLI, t->area[end][unit], count);
    pump(t);
    return !t->f[end].waiting[unit];
}

static void begin(struct pair *t) {
    struct ctc_params h = params_of(HOME), f = params_of(FAR);
    new_pair(t, &h, &f);
    link_up(t, true);
    /* Who is first finds the other not ready; the second time all are. */
    for (u32 i = 0; i < 4 * CTC_UNITS_MAX; i++)
        assert_true(give(t, i & 1, i >> 1 & 1, CCW_CTC_SET_EXTENDED, 1));
    for (u32 i = 0; i < 4; i++) assert_int_equal(ccw(t, i & 1, i >> 1)->unit_status, CE_DE);
    for (u32 end = 0; end < 2; end++) memset(t->f[end].unsolicited, 0, sizeof t->f[end].unsolicited);
}

static void fill(u8 *p, u32 len, u32 seed) {
    for (u32 i = 0; i < len; i++) p[i] = (u8)(seed + i * 7 + (i >> 8));
}

static void data_both_ways(void **state) {
    UNUSED(state);
    static const u32 sizes[] = {1, 2, 1500, 32768, 65535};
    struct pair t;
    begin(&t);
    for (u32 writer = 0; writer < 2; writer++)
        for (u32 first = 0; first < 2; first++)
            for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
                u32 n = sizes[i], reader = !writer;
                fill(t.area[writer][1], n, i);
                memset(t.area[reader][0], 0, AREA);
                /* The write unit of one end meets the read unit of the other. */
                if (first == 0) assert_false(give(&t, writer, 1, CCW_WRITE, n));
                if (first == 1) assert_false(give(&t, reader, 0, CCW_READ, AREA));
                if (first == 0) assert_true(give(&t, reader, 0, CCW_READ, AREA));
                if (first == 1) assert_true(give(&t, writer, 1, CCW_WRITE, n));
                assert_false(t.f[writer].waiting[1] || t.f[reader].waiting[0]);
                assert_int_equal(fake_moved(&t.f[reader], 0), n);
                assert_int_equal(fake_moved(&t.f[writer], 1), n);
                assert_memory_equal(t.area[reader][0], t.area[writer][1], n);
                assert_int_equal(ccw(&t, reader, 0)->unit_status, CE_DE);
            }
    free_pair(&t);
}

static void lengths_and_backward(void **state) {
    UNUSED(state);
    struct pair t;
    begin(&t);
    for (u32 writer = 0; writer < 2; writer++) {
        u32 reader = !writer;
        fill(t.area[writer][1], 100, 3);
        give(&t, writer, 1, CCW_WRITE, 100);
        assert_true(give(&t, reader, 0, CCW_READ, 40));
        assert_int_equal(ccw(&t, reader, 0)->residual, 0);
        assert_true(ccw(&t, reader, 0)->more);
        assert_int_equal(ccw(&t, writer, 1)->residual, 60);
        /* The first byte goes to the last place. */
        memset(t.area[reader][0], 0, 120);
        give(&t, reader, 0, CCW_CTC_READ_BACKWARD, 120);
        assert_true(give(&t, writer, 1, CCW_WRITE, 100));
        for (u32 i = 0; i < 100; i++) assert_int_equal(t.area[reader][0][119 - i], t.area[writer][1][i]);
        assert_int_equal(t.area[reader][0][19], 0);
    }
    free_pair(&t);
}

static void alone(void **state) {
    UNUSED(state);
    struct pair t;
    struct ctc_params h = params_of(HOME), f = params_of(FAR);
    u8 id[16];
    new_pair(&t, &h, &f);
    for (u32 end = 0; end < 2; end++)
        for (u32 u = 0; u < CTC_UNITS_MAX; u++) {
            assert_true(give(&t, end, u, CCW_READ, 10));
            assert_int_equal(ccw(&t, end, u)->unit_status, CE_DE | US_UNIT_CHECK);
            assert_int_equal(t.f[end].engine->ops->sense(t.f[end].engine, u)->bytes[0], CTC_SENSE_INTREQ);
            assert_int_equal(t.f[end].engine->ops->sense_id(t.f[end].engine, u, id, sizeof id), 7);
            assert_memory_equal(id, "\xFF\x30\x88\x08\x30\x88\x01", 7);
        }
    /* Each was told, each has given a command: with the link both are owed a device end. */
    link_up(&t, true);
    for (u32 end = 0; end < 2; end++)
        for (u32 u = 0; u < CTC_UNITS_MAX; u++) assert_int_equal(t.f[end].unsolicited[u], US_DEVICE_END);
    assert_false(give(&t, HOME, 0, CCW_READ, 10));
    assert_true(give(&t, FAR, 1, CCW_WRITE, 10));
    free_pair(&t);
}

static u8 sense(struct pair *t, u32 end, u32 unit) { return t->f[end].engine->ops->sense(t->f[end].engine, unit)->bytes[0]; }

/* The link goes under every waiting command of either end, and comes back. */
static void link_goes(void **state) {
    UNUSED(state);
    static const u8 codes[] = {CCW_READ, CCW_WRITE, CCW_CTC_PREPARE, CCW_CTC_CONTROL};
    struct pair t;
    begin(&t);
    for (u32 round = 0; round < 100; round++) {
        u32 end = round & 1, other = !end, unit = round >> 1 & 1;
        assert_false(give(&t, end, unit, codes[round / 4 % 4], 100));
        link_up(&t, false);
        assert_false(t.f[end].waiting[unit]);
        assert_int_equal(ccw(&t, end, unit)->unit_status, CE_DE | US_UNIT_CHECK);
        assert_int_equal(sense(&t, end, unit), CTC_SENSE_INTREQ | CTC_SENSE_RESET);
        assert_true(give(&t, other, unit, CCW_NOP, 1));
        assert_int_equal(sense(&t, other, unit), CTC_SENSE_INTREQ | CTC_SENSE_RESET);
        assert_true(give(&t, other, unit, CCW_NOP, 1));
        assert_int_equal(sense(&t, other, unit), CTC_SENSE_INTREQ);
        link_up(&t, true);
        assert_int_equal(t.f[end].unsolicited[unit], US_DEVICE_END);
        assert_int_equal(t.f[other].unsolicited[unit], US_DEVICE_END);
        memset(t.f[end].unsolicited, 0, sizeof t.f[end].unsolicited);
        memset(t.f[other].unsolicited, 0, sizeof t.f[other].unsolicited);
        /* Modes survive, for the systems are still there: 81 is end of file. */
        give(&t, end, 0, CCW_READ, 10);
        assert_true(give(&t, other, 1, CCW_CTC_WEOF, 1));
        assert_int_equal(ccw(&t, end, 0)->unit_status, CE_DE | US_UNIT_EXCEPTION);
    }
    free_pair(&t);
}

static void halt_and_reset(void **state) {
    UNUSED(state);
    struct pair t;
    begin(&t);
    for (u32 end = 0; end < 2; end++) {
        struct engine *e = t.f[end].engine;
        /* Halted before the home end has heard of it, and after. */
        for (u32 late = 0; late < 2; late++) {
            fake_ccw(&t.f[end], 0, CCW_READ, CCW_SLI, t.area[end][0], 100);
            if (late) pump(&t);
            e->ops->halt(e, 0);
            assert_false(t.f[end].waiting[0]);
            assert_int_equal(ccw(&t, end, 0)->residual, 100);
            pump(&t);
            /* A halt is a selective reset: the partner hears of it, until the next command makes the side ready. */
            assert_true(give(&t, !end, 1, CCW_CTC_PREPARE, 1));
            assert_int_equal(sense(&t, !end, 1), CTC_SENSE_INTREQ | CTC_SENSE_RESET);
            assert_true(give(&t, end, 0, CCW_NOP, 1));
            assert_int_equal(t.f[!end].unsolicited[1], US_DEVICE_END);
            t.f[!end].unsolicited[1] = 0;
            /* What was withdrawn meets nothing. */
            assert_false(give(&t, !end, 1, CCW_CTC_PREPARE, 1));
            assert_true(give(&t, end, 0, CCW_CTC_PREPARE, 1));
        }
        /* System reset: the partner's READ ends, and the first command makes it ready. */
        assert_false(give(&t, !end, 0, CCW_READ, 100));
        e->ops->reset(e);
        pump(&t);
        assert_false(t.f[!end].waiting[0]);
        assert_int_equal(sense(&t, !end, 0), CTC_SENSE_INTREQ | CTC_SENSE_RESET);
        for (u32 u = 0; u < CTC_UNITS_MAX; u++) assert_true(give(&t, end, u, CCW_CTC_SET_EXTENDED, 1));
        assert_int_equal(t.f[!end].unsolicited[0], US_DEVICE_END);
    }
    free_pair(&t);
}

/* A halt that crosses the end it was too late for. */
static void halt_crosses_end(void **state) {
    UNUSED(state);
    struct pair t;
    begin(&t);
    assert_false(give(&t, FAR, 0, CCW_READ, 100));
    fake_ccw(&t.f[HOME], 1, CCW_WRITE, CCW_SLI, t.area[HOME][1], 50); /* its end is on the way */
    t.f[FAR].engine->ops->halt(t.f[FAR].engine, 0);
    fake_ccw(&t.f[FAR], 0, CCW_READ, CCW_SLI, t.area[FAR][0], 100);
    pump(&t);
    assert_true(t.f[FAR].waiting[0]); /* the old end did not end the new command */
    assert_true(give(&t, HOME, 1, CCW_WRITE, 60));
    assert_int_equal(fake_moved(&t.f[FAR], 0), 60);
    free_pair(&t);
}

static void disagreements(void **state) {
    UNUSED(state);
    for (u32 kind = 0; kind < 5; kind++) {
        struct pair t;
        struct ctc_params h = params_of(HOME), f = params_of(FAR);
        if (kind == 0) f.devnum = 0x0C20;
        if (kind == 1) h.partner_devnum = 0x0C30;
        if (kind == 2) f.straight = true;
        if (kind == 3) memcpy(f.lpar, "SYSC", 4);
        if (kind == 4) memcpy(h.partner, "SYSX", 4);
        new_pair(&t, &h, &f);
        link_up(&t, true);
        for (u32 end = 0; end < 2; end++) {
            assert_int_equal(t.f[end].logs, 1);
            assert_true(t.f[end].last_log[0] == '2');
            assert_true(give(&t, end, 0, CCW_READ, 10));
            assert_int_equal(sense(&t, end, 0), CTC_SENSE_INTREQ);
        }
        free_pair(&t);
    }
}

static void straight(void **state) {
    UNUSED(state);
    struct pair t;
    struct ctc_params h = params_of(HOME), f = params_of(FAR);
    h.straight = f.straight = true;
    new_pair(&t, &h, &f);
    link_up(&t, true);
    for (u32 end = 0; end < 2; end++) assert_true(give(&t, end, 0, CCW_CTC_SET_EXTENDED, 1));
    assert_true(give(&t, HOME, 0, CCW_CTC_SET_EXTENDED, 1));
    assert_false(give(&t, HOME, 0, CCW_READ, 10));
    assert_true(give(&t, FAR, 0, CCW_WRITE, 10));
    assert_int_equal(fake_moved(&t.f[HOME], 0), 10);
    free_pair(&t);
}

/* Rings without room: everything that was kept back goes out when there is room, with its data. */
static void full_rings(void **state) {
    UNUSED(state);
    struct pair t;
    begin(&t);
    for (u32 round = 0; round < 40; round++) {
        u32 writer = round & 1, reader = !writer, n = 1 + round * 1500;
        fill(t.area[writer][1], n, round);
        memset(t.area[reader][0], 0, AREA);
        t.f[HOME].ring_room = t.f[FAR].ring_room = round / 2 % 3 * 10;
        bool first = round / 6 % 2;
        give(&t, first ? writer : reader, first ? 1 : 0, first ? CCW_WRITE : CCW_READ, first ? n : AREA);
        give(&t, first ? reader : writer, first ? 0 : 1, first ? CCW_READ : CCW_WRITE, first ? AREA : n);
        t.f[HOME].ring_room = t.f[FAR].ring_room = UINT32_MAX;
        for (u32 i = 0; i < 6; i++)
            for (u32 end = 0; end < 2; end++) {
                t.f[end].engine->ops->rx_end(t.f[end].engine);
                pump(&t);
            }
        assert_false(t.f[reader].waiting[0] || t.f[writer].waiting[1]);
        assert_int_equal(fake_moved(&t.f[reader], 0), n);
        assert_memory_equal(t.area[reader][0], t.area[writer][1], n);
    }
    free_pair(&t);
}

/* Every message cut off at every length, of every type, in every phase: counted, and the link goes on. */
static void wrong_messages(void **state) {
    UNUSED(state);
    for (u32 end = 0; end < 2; end++) {
        struct pair t;
        begin(&t);
        for (u32 type = 0; type < 10; type++)
            for (u32 len = 0; len < 80; len++) {
                if (type == CTC_MSG_REFUSED) continue;
                u8 *m = malloc(len + 1);
                memset(m, 0xFF, len + 1);
                if (len > 0) m[0] = (u8)type;
                if (len > 1) m[1] = CTC_MSG_VERSION;
                if (len > 7) be32_put(m + 4, len);
                u8 *exact = malloc(len ? len : 1);
                memcpy(exact, m, len);
                assert_true(t.f[end].engine->ops->rx(t.f[end].engine, exact, len));
                free(exact);
                free(m);
            }
        assert_false(give(&t, end, 0, CCW_READ, 10));
        assert_true(give(&t, !end, 1, CCW_WRITE, 10));
        free_pair(&t);
    }
}

static void another_version(void **state) {
    UNUSED(state);
    struct pair t;
    begin(&t);
    u8 m[16] = {CTC_MSG_RESET, 99, 0, 0, 0, 0, 0, 16};
    assert_false(give(&t, HOME, 0, CCW_READ, 10));
    t.f[HOME].engine->ops->rx(t.f[HOME].engine, m, sizeof m);
    pump(&t);
    assert_false(t.f[HOME].waiting[0]);
    for (u32 end = 0; end < 2; end++) {
        assert_int_equal(t.f[end].logs, 1);
        assert_true(give(&t, end, 1, CCW_READ, 10));
    }
    free_pair(&t);
}

static void rejects(void **state) {
    UNUSED(state);
    struct pair t;
    begin(&t);
    for (u32 end = 0; end < 2; end++) {
        assert_true(fake_ccw(&t.f[end], 0, CCW_READ, CCW_CD, t.area[end][0], 10));
        assert_int_equal(sense(&t, end, 0), CTC_SENSE_REJECT);
        assert_true(give(&t, end, 0, 0x08, 10));
        assert_int_equal(ccw(&t, end, 0)->unit_status, CE_DE | US_UNIT_CHECK);
        assert_int_equal(sense(&t, end, 0), CTC_SENSE_REJECT);
    }
    char text[160];
    t.f[HOME].engine->ops->query(t.f[HOME].engine, text, sizeof text);
    assert_non_null(strstr(text, "linked"));
    struct ctc_params p = params_of(HOME);
    p.partner[0] = 0;
    void *storage = malloc(ctc_engine_bytes());
    assert_null(ctc_engine_init(storage, &t.f[HOME].host, &p));
    free(storage);
    free_pair(&t);
}

/* ---- a random walk: two engines and a ring are the control unit ---- */

struct oracle {
    struct ctc_cu cu;
    u32 ends[2];
    struct ctc_end end[2];
};
static void oracle_end(void *ctx, u32 side, const struct ctc_end *end) {
    struct oracle *o = ctx;
    o->ends[side]++;
    o->end[side] = *end;
}
static void oracle_present(void *ctx, u32 side, u8 unit_status) {
    UNUSED(ctx);
    UNUSED(side);
    UNUSED(unit_status);
}
static const struct ctc_cu_ops ORACLE = {oracle_end, oracle_present};

static void random_walk(void **state) {
    UNUSED(state);
    static const u8 codes[] = {0x01, 0x81, 0x02, 0x0C, 0x07, 0xE3, 0x03, 0xC3, 0x43, 0x14, 0x08};
    struct pair t;
    struct oracle o = {0};
    struct ctc_params h = params_of(HOME), f = params_of(FAR);
    u32 random = 390;
    new_pair(&t, &h, &f);
    link_up(&t, true);
    ctc_cu_init(&o.cu, &ORACLE, &o);
    for (u32 s = 0; s < 2; s++) ctc_cu_attach(&o.cu, s, &(struct ctc_attach){0});
    for (u32 i = 0; i < 200000; i++) {
        random = random * 1664525 + 1013904223;
        u32 end = random >> 31, unit = end ? 1 : 0, what = random >> 20 & 31;
        u32 count = 1 + (random >> 8 & 63);
        struct engine *e = t.f[end].engine;
        if (what == 31 || (t.f[end].waiting[unit] && what < 8)) {
            if (t.f[end].waiting[unit]) o.ends[end]++;
            if (what == 31) {
                e->ops->reset(e);
                ctc_cu_reset(&o.cu, end);
            } else {
                e->ops->halt(e, unit);
                ctc_cu_selective_reset(&o.cu, end);
            }
            pump(&t);
        } else if (!t.f[end].waiting[unit]) {
            u8 code = codes[what % ARRAY_LEN(codes)];
            const struct ctc_command_in in = {.code = code, .flags = CCW_SLI, .count = count, .data = t.area[0][0]};
            ctc_cu_command(&o.cu, end, &in);
            give(&t, end, unit, code, count);
            if (!t.f[end].waiting[unit]) {
                assert_int_equal(ccw(&t, end, unit)->unit_status, o.end[end].unit_status);
                assert_int_equal(fake_moved(&t.f[end], unit), o.end[end].moved);
                if (o.end[end].unit_status & US_UNIT_CHECK) assert_int_equal(sense(&t, end, unit), o.end[end].sense);
            }
        }
        for (u32 s = 0; s < 2; s++) assert_int_equal(t.f[s].waiting[s ? 1 : 0], ctc_cu_waiting(&o.cu, s));
    }
    free_pair(&t);
}

/* ---- the same with messages on their way: commands cross, and the ends still keep one view ---- */

static bool deliver(struct pair *t, u32 from) {
    u32 len;
    const u8 *m = fake_next(&t->f[from], &len);
    if (!m) return false;
    u8 *copy = malloc(len);
    memcpy(copy, m, len);
    t->f[!from].engine->ops->rx(t->f[!from].engine, copy, len);
    free(copy);
    t->f[!from].engine->ops->rx_end(t->f[!from].engine);
    return true;
}

/* Once everything has arrived not both sides wait, and each knows what the other one waits in. */
static void one_view(struct pair *t, u32 step) {
    pump(t);
    if (t->f[0].waiting[0] && t->f[1].waiting[1]) fail_msg("step %u: both sides wait", step);
    for (u32 end = 0; end < 2; end++) {
        u32 unit = end ? 1 : 0, other = !end;
        if (t->f[end].waiting[unit]) continue;
        bool waits = t->f[other].waiting[!unit];
        u8 byte = ccw(t, other, !unit)->code, *area = t->area[end][unit];
        assert_true(give(t, end, unit, CCW_CTC_SENSE_COMMAND, 1));
        if (waits) assert_int_equal(ccw(t, end, unit)->unit_status, CE_DE);
        if (ccw(t, end, unit)->unit_status == CE_DE && area[0] != (waits ? byte : 0))
            fail_msg("step %u: end %u sees %02X, the other one waits in %02X", step, end, area[0], waits ? byte : 0);
    }
}

static void commands_cross(void **state) {
    UNUSED(state);
    static const u8 codes[] = {0x01, 0x81, 0x02, 0x0C, 0x07, 0xE3, 0x03, 0xE3, 0x01, 0x14, 0x02};
    struct pair t;
    u32 random = 3088;
    begin(&t);
    for (u32 i = 0; i < 400000; i++) {
        random = random * 1664525 + 1013904223;
        u32 end = random >> 31, unit = end ? 1 : 0, what = random >> 20 & 63;
        struct engine *e = t.f[end].engine;
        if (what == 63) {
            e->ops->reset(e);
            fake_ccw(&t.f[end], unit, CCW_CTC_SET_EXTENDED, CCW_SLI, t.area[end][unit], 1);
        } else if (what == 62 && t.f[end].waiting[unit]) {
            e->ops->halt(e, unit);
        } else if (what < 30) {
            deliver(&t, end);
        } else if (!t.f[end].waiting[unit]) {
            fake_ccw(&t.f[end], unit, codes[what % ARRAY_LEN(codes)], CCW_SLI, t.area[end][unit], 1 + (random >> 8 & 63));
        }
        if (i % 16 == 15) one_view(&t, i);
    }
    free_pair(&t);
}

/* Two streams of numbered blocks with messages delayed at random: every block arrives, once, in its order. */
static void streams(void **state) {
    UNUSED(state);
    struct pair t;
    u32 random = 9672, sent[2] = {0}, got[2] = {0};
    bool writing[2] = {false, false}, reading[2] = {false, false};
    begin(&t);
    while (got[0] < 5000 || got[1] < 5000) {
        random = random * 1664525 + 1013904223;
        u32 end = random >> 31, what = random >> 20 & 7;
        struct fake *f = &t.f[end];
        if (what < 3) deliver(&t, end);
        if (reading[end] && !f->waiting[0]) {
            reading[end] = false;
            assert_int_equal(ccw(&t, end, 0)->unit_status, CE_DE);
            assert_int_equal(be32_get(t.area[end][0]), got[end]++);
        }
        if (writing[end] && !f->waiting[1]) {
            writing[end] = false;
            assert_int_equal(ccw(&t, end, 1)->unit_status, CE_DE);
            sent[end]++;
        }
        if (what == 3 && !reading[end]) {
            reading[end] = true;
            fake_ccw(f, 0, CCW_READ, CCW_SLI, t.area[end][0], AREA);
        }
        if (what == 4 && !writing[end]) {
            writing[end] = true;
            be32_put(t.area[end][1], sent[end]);
            fake_ccw(f, 1, CCW_WRITE, CCW_SLI, t.area[end][1], 4 + (random >> 8 & 2047));
        }
    }
    free_pair(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_both_ways), cmocka_unit_test(lengths_and_backward), cmocka_unit_test(alone),
        cmocka_unit_test(link_goes),      cmocka_unit_test(halt_and_reset),       cmocka_unit_test(halt_crosses_end),
        cmocka_unit_test(disagreements),  cmocka_unit_test(straight),             cmocka_unit_test(full_rings),
        cmocka_unit_test(wrong_messages), cmocka_unit_test(another_version),      cmocka_unit_test(rejects),
        cmocka_unit_test(random_walk),    cmocka_unit_test(commands_cross),       cmocka_unit_test(streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
