/* test_ctc_ahead.c - READs that are announced before the channel gives them (ctc_ahead.h), with and without a PREPARE before each: a
 * chain of WRITEs ends without a message back, what came early waits in its order, nobody is called by attention where PREPAREs
 * stand, and both ends still agree when a chain stops where it was not expected.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/be.h"
#include "hercules-devices/ctc_cu.h"
#include "hercules-devices/ctc_engine.h"
#include "hercules-devices/ctc_queue.h"
#include "hercules-devices/ctc_wire.h"
#include "tests/unit/fakehost.h"

#define CE_DE (US_CHANNEL_END | US_DEVICE_END)
#define CHAIN_MAX 20u
#define CCWS_MAX (2 * CHAIN_MAX + 1)
#define AREA 65535u
#define WRITER 0u /* its unit 1 meets unit 0 of the other one */
#define READER 1u

/* A channel that executes a program one CCW at a time, and stops where a channel would. */
struct program {
    struct engine_next ccw[CCWS_MAX];
    u32 n, at;
    bool running;
};

struct pair {
    struct fake f[2];
    void *storage[2];
    struct program program[2];
    u8 *area[2]; /* data of the CCW that runs */
    u32 held[2]; /* bytes of a message that was not taken */
    u8 message[2][AREA + 100];
    bool reverse; /* the far end writes */
};

static u32 end_of(const struct pair *t, u32 who) { return who ^ t->reverse; }
static struct fake *fake_of(struct pair *t, u32 who) { return &t->f[end_of(t, who)]; }
static u32 unit_of(u32 who) { return who == WRITER; }
static struct engine_ccw *ccw(struct pair *t, u32 who) { return &fake_of(t, who)->ccw[unit_of(who)]; }
static bool waiting(struct pair *t, u32 who) { return fake_of(t, who)->waiting[unit_of(who)]; }

/* Offers the oldest message from one end to the other; false: none, or it was not taken. */
static bool deliver(struct pair *t, u32 from) {
    u32 len;
    struct engine *to = t->f[!from].engine;
    if (!t->held[from]) {
        const u8 *m = fake_next(&t->f[from], &len);
        if (!m) return false;
        memcpy(t->message[from], m, len);
        t->held[from] = len;
    }
    u8 *exact = malloc(t->held[from]);
    memcpy(exact, t->message[from], t->held[from]);
    bool taken = to->ops->rx(to, exact, t->held[from]);
    free(exact);
    to->ops->rx_end(to);
    if (taken) t->held[from] = 0;
    return taken;
}
static void pump(struct pair *t) {
    while (deliver(t, 0) || deliver(t, 1)) {}
    if (!t->held[0] && !t->held[1])
        for (u32 e = 0; e < 2; e++) fake_forget(&t->f[e]);
}

static void begin(struct pair *t, bool reverse) {
    memset(t, 0, sizeof *t);
    t->reverse = reverse;
    for (u32 e = 0; e < 2; e++) {
        struct ctc_params p = {.lpar = "SYSA", .partner = "SYSB", .devnum = 0x0C00, .partner_devnum = 0x0C10, .home = true};
        if (e) p = (struct ctc_params){.lpar = "SYSB", .partner = "SYSA", .devnum = 0x0C10, .partner_devnum = 0x0C00};
        fake_init(&t->f[e]);
        t->storage[e] = malloc(ctc_engine_bytes());
        t->f[e].engine = ctc_engine_init(t->storage[e], &t->f[e].host, &p);
        t->area[e] = calloc(1, AREA);
    }
    for (u32 e = 0; e < 2; e++) fake_connect(&t->f[e], true);
    pump(t);
    for (u32 i = 0; i < 4; i++) {
        fake_ccw(fake_of(t, i & 1), unit_of(i & 1), CCW_CTC_SET_EXTENDED, CCW_SLI, t->area[0], 1);
        pump(t);
    }
}
static void end(struct pair *t) {
    for (u32 e = 0; e < 2; e++) {
        free(t->storage[e]);
        free(t->area[e]);
        fake_free(&t->f[e]);
    }
}

static void add(struct program *p, u8 code, u32 count) {
    p->ccw[p->n++] = (struct engine_next){.code = code, .flags = CCW_SLI | CCW_CC, .count = count};
}
static void close_program(struct program *p) {
    p->ccw[p->n - 1].flags = CCW_SLI;
    p->running = true;
}
/* Where a PREPARE stands: before the first block, between every two. */
enum { BEFORE = 1, BETWEEN = 2, FORMS = 4 };
static void blocks(struct program *p, u32 form, u8 code, u32 n, u32 bytes) {
    *p = (struct program){0};
    for (u32 i = 0; i < n; i++) {
        if (form & (i ? BETWEEN : BEFORE)) add(p, CCW_CTC_PREPARE, 1);
        add(p, code, bytes);
    }
}
static void reads(struct program *p, u32 form, u32 n) {
    blocks(p, form, CCW_READ, n, AREA);
    close_program(p);
}
static void writes(struct program *p, u32 form, u32 n, u32 bytes) {
    blocks(p, form, CCW_WRITE, n, bytes);
    add(p, CCW_NOP, 1);
    close_program(p);
}

/* Gives the next CCW. */
static void give(struct pair *t, u32 who) {
    struct program *p = &t->program[who];
    const struct engine_next *c = &p->ccw[p->at];
    struct fake *f = fake_of(t, who);
    u32 unit = unit_of(who);
    u8 chained = p->at ? p->ccw[p->at - 1].flags & CCW_CC : 0;
    p->at++;
    f->next[unit] = p->ccw + p->at;
    f->nexts[unit] = p->n - p->at;
    fake_ccw_chained(f, unit, c->code, c->flags, chained, t->area[who], c->count);
}
/* The CCW has ended: does the program go on? */
static void look(struct pair *t, u32 who) {
    struct program *p = &t->program[who];
    if (!(p->ccw[p->at - 1].flags & CCW_CC) || ccw(t, who)->unit_status != CE_DE) p->running = false;
}
static void give_ended(struct pair *t, u32 who) {
    give(t, who);
    assert_false(waiting(t, who));
    assert_int_equal(ccw(t, who)->unit_status, CE_DE);
    look(t, who);
}

static bool would_end(struct pair *t, u32 who) {
    const struct program *p = &t->program[who];
    const struct engine_next *c = &p->ccw[p->at];
    struct engine_ccw would = {.code = c->code, .flags = c->flags, .chained = CCW_CC, .count = c->count, .buf = t->area[who]};
    struct engine *e = fake_of(t, who)->engine;
    return e->ops->ends_at_once(e, unit_of(who), &would);
}

/* PREPARE and four READs: the whole program of WRITEs ends before anything comes back; then each READ finds its block. */
static void no_message_back(void **state) {
    UNUSED(state);
    for (u32 kind = 0; kind < 2 * FORMS; kind++) {
        struct pair t;
        u32 form = kind & (BEFORE | BETWEEN);
        begin(&t, kind & FORMS);
        reads(&t.program[READER], form, 4);
        give(&t, READER);
        assert_true(waiting(&t, READER));
        pump(&t);
        writes(&t.program[WRITER], form | BEFORE, 4, 100);
        give_ended(&t, WRITER);
        for (u32 i = 0; t.program[WRITER].running; i++) {
            assert_true(would_end(&t, WRITER));
            be32_put(t.area[WRITER], form & BETWEEN ? i / 2 : i);
            give_ended(&t, WRITER);
        }
        assert_int_equal(t.program[WRITER].at, t.program[WRITER].n);
        pump(&t);
        look(&t, READER);
        u32 got = 0;
        for (;;) {
            if (ccw(&t, READER)->code == CCW_READ) {
                assert_int_equal(fake_moved(fake_of(&t, READER), unit_of(READER)), 100);
                assert_int_equal(be32_get(t.area[READER]), got++);
            }
            if (!t.program[READER].running) break;
            assert_true(would_end(&t, READER));
            give_ended(&t, READER);
        }
        assert_int_equal(got, 4);
        /* What was announced is used up: a fifth WRITE waits. */
        writes(&t.program[WRITER], 0, 1, 100);
        give(&t, WRITER);
        assert_true(waiting(&t, WRITER));
        end(&t);
    }
}

/* An idle writer is called by a READ that waits, and not where a PREPARE stands before each. */
static void nobody_is_called(void **state) {
    UNUSED(state);
    for (u32 kind = 0; kind < 4; kind++) {
        struct pair t;
        u32 form = kind & 1 ? BEFORE | BETWEEN : BEFORE;
        begin(&t, kind & 2);
        u32 before = fake_of(&t, WRITER)->attentions;
        reads(&t.program[READER], form, 4);
        give(&t, READER);
        pump(&t);
        writes(&t.program[WRITER], BEFORE, 1, 100);
        while (t.program[WRITER].running) give_ended(&t, WRITER);
        pump(&t);
        look(&t, READER);
        while (!waiting(&t, READER)) {
            give(&t, READER);
            if (!waiting(&t, READER)) look(&t, READER);
        }
        pump(&t);
        assert_int_equal(fake_of(&t, WRITER)->attentions - before, form == BEFORE);
        end(&t);
    }
}

/* The channel stops for a reason of its own (program check): the next program is another one. */
static void broken_program(void **state) {
    UNUSED(state);
    static const u8 codes[] = {CCW_NOP, CCW_READ, CCW_CTC_PREPARE, CCW_CTC_SENSE_COMMAND};
    for (u32 kind = 0; kind < 2 * ARRAY_LEN(codes); kind++) {
        struct pair t;
        begin(&t, kind & 1);
        reads(&t.program[READER], BEFORE, 4);
        give(&t, READER);
        pump(&t);
        writes(&t.program[WRITER], BEFORE, 2, 100);
        for (u32 i = 0; i < 3; i++) give_ended(&t, WRITER);
        pump(&t);
        assert_false(waiting(&t, READER));
        /* Two blocks came for READs that will not. */
        fake_of(&t, READER)->nexts[unit_of(READER)] = 0;
        fake_ccw(fake_of(&t, READER), unit_of(READER), codes[kind / 2], CCW_SLI, t.area[READER], 100);
        pump(&t);
        /* The writer hears of a reset when it gives its next command, and then the two go on. */
        give(&t, WRITER);
        fake_ccw(fake_of(&t, WRITER), unit_of(WRITER), CCW_NOP, CCW_SLI, t.area[WRITER], 1);
        pump(&t);
        struct fake *r = fake_of(&t, READER);
        if (r->waiting[unit_of(READER)]) r->engine->ops->halt(r->engine, unit_of(READER));
        pump(&t);
        for (u32 i = 0; i < 4; i++) {
            fake_ccw(fake_of(&t, i & 1), unit_of(i & 1), CCW_CTC_SET_EXTENDED, CCW_SLI, t.area[i & 1], 1);
            pump(&t);
        }
        reads(&t.program[READER], BEFORE, 2);
        give(&t, READER);
        pump(&t);
        writes(&t.program[WRITER], BEFORE, 2, 50);
        for (u32 i = 0; i < 4; i++) give_ended(&t, WRITER);
        pump(&t);
        for (u32 i = 0; i < 2; i++) give_ended(&t, READER);
        assert_int_equal(fake_moved(fake_of(&t, READER), unit_of(READER)), 50);
        end(&t);
    }
}

/* End of file in the middle of the chain: the READ behind it is never given, and both know. */
static void end_of_file_stops(void **state) {
    UNUSED(state);
    for (u32 reverse = 0; reverse < 2; reverse++) {
        struct pair t;
        begin(&t, reverse);
        reads(&t.program[READER], BEFORE, 4);
        give(&t, READER);
        pump(&t);
        t.program[WRITER] = (struct program){0};
        add(&t.program[WRITER], CCW_CTC_PREPARE, 1);
        add(&t.program[WRITER], CCW_WRITE, 10);
        add(&t.program[WRITER], CCW_CTC_WEOF, 1);
        add(&t.program[WRITER], CCW_WRITE, 10);
        close_program(&t.program[WRITER]);
        for (u32 i = 0; i < 3; i++) give_ended(&t, WRITER);
        give(&t, WRITER);
        assert_true(waiting(&t, WRITER)); /* nobody reads any more */
        pump(&t);
        give_ended(&t, READER);
        give(&t, READER);
        assert_false(waiting(&t, READER));
        assert_int_equal(ccw(&t, READER)->unit_status, CE_DE | US_UNIT_EXCEPTION);
        pump(&t);
        reads(&t.program[READER], 0, 1);
        give_ended(&t, READER);
        pump(&t);
        assert_false(waiting(&t, WRITER));
        end(&t);
    }
}

/* More than the queue holds: the message is offered again, and nothing is lost. */
static void queue_full(void **state) {
    UNUSED(state);
    struct pair t;
    begin(&t, false);
    reads(&t.program[READER], BEFORE, CHAIN_MAX);
    give(&t, READER);
    pump(&t);
    writes(&t.program[WRITER], BEFORE, CHAIN_MAX, AREA);
    give_ended(&t, WRITER);
    u32 refused = 0;
    for (u32 i = 0; i < CHAIN_MAX; i++) {
        be32_put(t.area[WRITER], i);
        give(&t, WRITER);
        deliver(&t, end_of(&t, WRITER));
        refused += t.held[end_of(&t, WRITER)] > 0;
        if (i % 4 == 3 && !t.held[0] && !t.held[1]) pump(&t);
        /* The fake's ring holds 16 blocks: when the queue is full, too, the reader has to read. */
        if (!waiting(&t, WRITER)) continue;
        break;
    }
    assert_true(refused > 0);
    end(&t);
}

/* Programs of both, messages delayed at random; without halts every block arrives once and in its order, with them none twice. */
static void random_programs(void **state) {
    UNUSED(state);
    for (u32 kind = 0; kind < 4; kind++) {
        struct pair t;
        u32 random = 5390 + kind, sent = 0, got = 0, lost = 0, steps = 0;
        bool halts = kind & 1;
        begin(&t, kind & 2);
        while (got < 4000) {
            random = random * 1664525 + 1013904223;
            u32 who = random >> 31, what = random >> 20 & 31;
            struct program *p = &t.program[who];
            assert_true(++steps < 4000000);
            if (what < 6) {
                deliver(&t, who);
            } else if (waiting(&t, who)) {
                if (halts && what == 31) {
                    /* A block that was halted may have gone all the same: its number is not used again. */
                    if (who == WRITER && ccw(&t, who)->code == CCW_WRITE) sent++;
                    fake_of(&t, who)->engine->ops->halt(fake_of(&t, who)->engine, unit_of(who));
                    p->running = false;
                }
            } else if (!p->running && what < 20) {
                u32 n = 1 + (random >> 8) % 6;
                if (who == READER) reads(p, random >> 6 & (FORMS - 1), n);
                else writes(p, random >> 6 & (FORMS - 1), n, 4 + (random >> 10 & 255));
            } else if (p->running && p->at < p->n) {
                if (halts && what == 30) { /* between two CCWs */
                    p->running = false;
                    continue;
                }
                if (who == WRITER) be32_put(t.area[WRITER], sent);
                give(&t, who);
            }
            for (u32 w = 0; w < 2; w++) {
                struct program *q = &t.program[w];
                if (!q->running || waiting(&t, w) || q->at == 0) continue;
                struct engine_ccw *c = ccw(&t, w);
                if (c->unit_status == 0) continue; /* looked at already */
                bool good = c->unit_status == CE_DE;
                if (w == WRITER && c->code == CCW_WRITE && good) sent++;
                if (w == READER && c->code == CCW_READ && good) {
                    u32 number = be32_get(t.area[READER]);
                    if (!halts) assert_int_equal(number, got);
                    assert_true(number >= got);
                    lost += number - got;
                    got = number + 1;
                }
                look(&t, w);
                c->unit_status = 0;
            }
            if (t.f[0].ring_in == t.f[0].ring_out && t.f[1].ring_in == t.f[1].ring_out) {
                fake_forget(&t.f[0]);
                fake_forget(&t.f[1]);
            }
        }
        if (!halts) assert_int_equal(lost, 0);
        end(&t);
    }
}

static void queue_alone(void **state) {
    UNUSED(state);
    struct ctc_queue *q = calloc(1, sizeof *q);
    u8 *m = malloc(AREA);
    u32 random = 1, put = 0, got = 0, len, full = 0;
    for (u32 i = 0; i < 20000; i++) {
        random = random * 1664525 + 1013904223;
        bool more = i / 500 % 2 ? random >> 30 == 0 : random >> 30 != 0;
        if (more) {
            u32 n = 8 + (put * 7919) % 60000;
            be32_put(m, put);
            m[n - 1] = (u8)put;
            if (ctc_queue_put(q, m, n)) put++;
            else full++;
        } else if (got < put) {
            const u8 *head = ctc_queue_head(q, &len);
            assert_non_null(head);
            assert_int_equal(be32_get(head), got);
            assert_int_equal(len, 8 + (got * 7919) % 60000);
            assert_int_equal(head[len - 1], (u8)got);
            ctc_queue_drop(q);
            got++;
        }
        assert_int_equal(q->messages, put - got);
        assert_true(ctc_queue_head(q, &len) != NULL || put == got);
    }
    assert_true(full > 0 && got > 1000);
    free(m);
    free(q);
}

/* ---- who is woken ---- */

static u32 laters(const struct pair *t) { return t->f[0].laters + t->f[1].laters; }
static u32 rung(struct pair *t, u32 who) { return fake_of(t, who)->flushes; }

/* Nobody for a PREPARE that waits, and once for PREPARE and WRITE together; but whoever crosses with the first is told of it. */
static void woken_once_for_a_block(void **state) {
    UNUSED(state);
    for (u32 kind = 0; kind < 4; kind++) {
        struct pair t;
        bool crossing = kind & 2;
        begin(&t, kind & 1);
        u32 before = laters(&t);
        u32 reader = rung(&t, READER), writer = rung(&t, WRITER);
        reads(&t.program[READER], BEFORE, 1);
        give(&t, READER);
        assert_true(waiting(&t, READER));
        assert_int_equal(laters(&t) - before, 1);
        if (!crossing) pump(&t);
        writes(&t.program[WRITER], BEFORE, 1, 100);
        give(&t, WRITER);
        assert_int_equal(laters(&t) - before, 2);
        assert_true(rung(&t, READER) == reader && rung(&t, WRITER) == writer);
        assert_int_equal(waiting(&t, WRITER), crossing);
        if (crossing) {
            /* Only one of the two has looked: what it finds did not know of its own, and so it rings. */
            assert_true(deliver(&t, end_of(&t, WRITER)));
            assert_int_equal(rung(&t, READER), reader + 1);
            pump(&t);
            assert_false(waiting(&t, WRITER));
        }
        look(&t, WRITER);
        give_ended(&t, WRITER);
        assert_true(rung(&t, WRITER) > writer);
        pump(&t);
        look(&t, READER);
        if (t.program[READER].running) give_ended(&t, READER);
        assert_int_equal(fake_moved(fake_of(&t, READER), unit_of(READER)), 100);
        end(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_message_back),
        cmocka_unit_test(woken_once_for_a_block), cmocka_unit_test(nobody_is_called), cmocka_unit_test(broken_program), cmocka_unit_test(end_of_file_stops),
        cmocka_unit_test(queue_full),      cmocka_unit_test(random_programs), cmocka_unit_test(queue_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
