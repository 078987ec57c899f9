/* test_simchan.c - the simulated channel subsystem does what the Principles of Operation say and what chan.h
 * promises: chaining, incorrect length, program checks, suspend, halt, merged attentions, faults. */
#include "tests/sim/simchan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A device that keeps what is written and gives it back; a READ with nothing to give waits for the next WRITE
 * on the other unit. Op 05 is refused, op 0B (a control) asks for a PCI and an attention. */
struct echo {
    struct engine base;
    u8 kept[256];
    u32 len;
    struct engine_ccw *waiting;
    struct engine_sense sense;
    u32 halts;
};

static void give(struct echo *e, struct engine_ccw *c) {
    u32 n = u32_min(e->len, c->count);
    memcpy(c->buf, e->kept, n);
    c->residual = c->count - n;
    c->more = e->len > c->count;
    c->unit_status = US_CHANNEL_END | US_DEVICE_END;
    e->len = 0;
}

static enum engine_rc echo_ccw(struct engine *base, u32 unit, struct engine_ccw *c) {
    struct echo *e = CONTAINER_OF(base, struct echo, base);
    c->unit_status = US_CHANNEL_END | US_DEVICE_END;
    switch (c->code) {
    case CCW_WRITE:
        if (!(c->chained & CCW_CD)) e->len = 0;
        memcpy(e->kept + e->len, c->buf, u32_min(c->count, (u32)sizeof e->kept - e->len));
        e->len += c->count;
        c->residual = 0;
        if (e->waiting && !(c->flags & CCW_CD)) {
            give(e, e->waiting);
            e->waiting = NULL;
            base->host->complete(base->host->ctx, 0);
        }
        return ENGINE_DONE;
    case CCW_READ:
        if (e->len == 0 && unit == 0) {
            e->waiting = c;
            return ENGINE_WAIT;
        }
        give(e, c);
        return ENGINE_DONE;
    case 0x0B:
        base->host->pci(base->host->ctx, unit);
        base->host->pci(base->host->ctx, unit);
        base->host->attention(base->host->ctx, unit, US_ATTENTION);
        base->host->attention(base->host->ctx, unit, US_ATTENTION);
        c->residual = c->count;
        return ENGINE_DONE;
    case CCW_NOP: c->residual = c->count; return ENGINE_DONE;
    default:
        e->sense = (struct engine_sense){.len = 1, .bytes = {0x80}};
        c->residual = c->count;
        c->unit_status |= US_UNIT_CHECK;
        return ENGINE_DONE;
    }
}

static void echo_halt(struct engine *base, u32 unit) {
    struct echo *e = CONTAINER_OF(base, struct echo, base);
    e->halts++;
    e->waiting->residual = e->waiting->count;
    e->waiting->unit_status = US_CHANNEL_END | US_DEVICE_END;
    e->waiting = NULL;
    base->host->complete(base->host->ctx, unit);
}
static const struct engine_sense *echo_sense(struct engine *base, u32 unit) {
    UNUSED(unit);
    return &CONTAINER_OF(base, struct echo, base)->sense;
}
static u32 echo_sense_id(struct engine *base, u32 unit, u8 *out, u32 max) {
    UNUSED(base);
    UNUSED(unit);
    static const u8 id[7] = {0xFF, 0x30, 0x88, 0x60, 0x30, 0x88, 0x01};
    u32 n = u32_min(max, sizeof id);
    memcpy(out, id, n);
    return n;
}
static const struct engine_ops ECHO = {.type = "ECHO",
                                       .units = 2,
                                       .ccw = echo_ccw,
                                       .halt = echo_halt,
                                       .sense = echo_sense,
                                       .sense_id = echo_sense_id};

struct bench {
    struct chan_system *sys;
    struct echo echo;
    struct chan *ch[2];
    struct chan_status st;
    u32 done, attention, pci;
    u64 at;
    u8 *a, *b; /* 256 bytes of storage each */
};

static void on_done(void *ctx, const struct chan_status *st, u64 now) {
    struct bench *t = ctx;
    t->st = *st;
    t->done++;
    t->at = now;
}
static void on_attention(void *ctx, u8 unit_status, u64 now) {
    struct bench *t = ctx;
    UNUSED(now);
    assert_int_equal(unit_status, US_ATTENTION);
    t->attention++;
}
static void on_pci(void *ctx, u64 now) {
    UNUSED(now);
    ((struct bench *)ctx)->pci++;
}
static const struct chan_events EVENTS = {.done = on_done, .attention = on_attention, .pci = on_pci};

static void begin(struct bench *t) {
    memset(t, 0, sizeof *t);
    t->sys = simchan_create(65536);
    struct sim_group *g = simchan_group_add(t->sys, 0x0E00, 2);
    t->echo.base = (struct engine){.ops = &ECHO, .host = simchan_group_host(g)};
    simchan_group_engine(g, &t->echo.base);
    t->a = arena_take(simchan_arena(t->sys), 256, 16);
    t->b = arena_take(simchan_arena(t->sys), 256, 16);
    for (u16 i = 0; i < 2; i++)
        assert_int_equal(chan_open(t->sys, (u16)(0x0E00 + i), &EVENTS, t, &t->ch[i]), 0);
}
static void end(struct bench *t) {
    for (u32 i = 0; i < 2; i++) chan_close(t->ch[i]);
    simchan_destroy(t->sys);
}
static void run(struct bench *t, const struct chan_cmd *program, u32 n) {
    t->done = 0;
    assert_int_equal(chan_start(t->ch[1], program, n), 0);
    simchan_run(t->sys, 1);
}

static void test_names(void **state) {
    UNUSED(state);
    struct bench t;
    struct chan *other;
    u16 list[4];
    begin(&t);
    assert_int_equal(chan_open(t.sys, 0x0E00, &EVENTS, &t, &other), -ERR_BUSY);
    assert_int_equal(chan_open(t.sys, 0x0E02, &EVENTS, &t, &other), -ERR_NOENT);
    assert_int_equal(chan_list(t.sys, list, 4), 2);
    assert_int_equal(list[1], 0x0E01);
    assert_int_equal(chan_devnum(t.ch[1]), 0x0E01);
    assert_int_equal(simchan_open_count(t.sys), 2);
    end(&t);
}

static void test_lengths(void **state) {
    UNUSED(state);
    struct bench t;
    begin(&t);
    struct chan_cmd id = {.op = CCW_SENSE_ID, .flags = CCW_SLI, .count = 20, .data = t.a};
    run(&t, &id, 1);
    assert_int_equal(t.st.residual, 13);
    assert_memory_equal(t.a, "\xFF\x30\x88\x60\x30\x88\x01", 7);
    id.flags = 0; /* a short transfer without SLI is an incorrect length, and ends a chain */
    struct chan_cmd two[2] = {id, {.op = CCW_NOP, .flags = CCW_SLI, .count = 1, .data = t.a}};
    two[0].flags = CCW_CC;
    run(&t, two, 2);
    assert_int_equal(t.st.subchannel, CS_INCORRECT_LENGTH);
    assert_int_equal(t.st.index, 0);
    two[0].flags = CCW_CC | CCW_SLI;
    run(&t, two, 2);
    assert_int_equal(t.st.subchannel, 0);
    assert_int_equal(t.st.index, 1);
    end(&t);
}

static void test_chains(void **state) {
    UNUSED(state);
    struct bench t;
    begin(&t);
    memcpy(t.a, "ABCDEF", 6);
    struct chan_cmd p[] = {{.op = CCW_WRITE, .flags = CCW_CD, .count = 3, .data = t.a},
                           {.op = CCW_WRITE, .flags = CCW_CC | CCW_PCI, .count = 3, .data = t.a + 3},
                           {.op = CCW_TIC, .count = 4},
                           {.op = 0x05, .flags = CCW_SLI, .count = 1, .data = t.a},
                           {.op = CCW_READ, .flags = 0, .count = 6, .data = t.b}};
    run(&t, p, 5);
    assert_int_equal(t.st.index, 4);
    assert_int_equal(t.st.unit, US_CHANNEL_END | US_DEVICE_END);
    assert_memory_equal(t.b, "ABCDEF", 6);
    assert_int_equal(t.pci, 1);
    struct chan_cmd loop[] = {{.op = CCW_TIC, .count = 1}, {.op = CCW_TIC, .count = 0}};
    run(&t, loop, 2);
    assert_int_equal(t.st.subchannel, CS_PROGRAM_CHECK);
    end(&t);
}

static void test_checks(void **state) {
    UNUSED(state);
    struct bench t;
    u8 outside[16];
    begin(&t);
    struct chan_cmd bad = {.op = 0x05, .flags = CCW_SLI, .count = 1, .data = t.a};
    run(&t, &bad, 1);
    assert_true(t.st.unit & US_UNIT_CHECK);
    assert_int_equal(t.st.sense_len, 1);
    assert_int_equal(t.st.sense[0], 0x80);
    struct chan_cmd far = {.op = CCW_WRITE, .flags = 0, .count = 16, .data = outside};
    run(&t, &far, 1);
    assert_int_equal(t.st.subchannel, CS_PROGRAM_CHECK);
    /* Storage ends where it ends: the last byte exists, one more does not. */
    u64 first = chan_addr(t.sys, simchan_arena(t.sys)->base);
    assert_int_equal(first, SIMCHAN_ORIGIN);
    assert_non_null(chan_ptr(t.sys, first + 65535, 1));
    assert_null(chan_ptr(t.sys, first + 65535, 2));
    assert_null(chan_ptr(t.sys, first - 1, 1));
    assert_null(chan_ptr(t.sys, UINT64_MAX, 2));
    assert_ptr_equal(chan_ptr(t.sys, chan_addr(t.sys, t.b), 256), t.b);
    end(&t);
}

static void test_wait_and_halt(void **state) {
    UNUSED(state);
    struct bench t;
    begin(&t);
    struct chan_cmd rd = {.op = CCW_READ, .flags = CCW_SLI, .count = 8, .data = t.b};
    struct chan_cmd wr = {.op = CCW_WRITE, .flags = 0, .count = 4, .data = t.a};
    memcpy(t.a, "WXYZ", 4);
    assert_int_equal(chan_start(t.ch[0], &rd, 1), 0);
    assert_int_equal(chan_start(t.ch[0], &rd, 1), -ERR_BUSY);
    simchan_run(t.sys, 5);
    assert_int_equal(t.done, 0);
    assert_int_equal(chan_start(t.ch[1], &wr, 1), 0);
    simchan_run(t.sys, 6);
    assert_int_equal(t.done, 2);
    assert_memory_equal(t.b, "WXYZ", 4);
    assert_int_equal(chan_start(t.ch[0], &rd, 1), 0);
    simchan_run(t.sys, 7);
    assert_int_equal(chan_halt(t.ch[0]), 0);
    assert_int_equal(chan_halt(t.ch[0]), -ERR_BUSY); /* status pending */
    simchan_run(t.sys, 8);
    assert_true(t.st.halted);
    assert_int_equal(t.echo.halts, 1);
    /* A halt of an idle subchannel is presented too. */
    t.done = 0;
    assert_int_equal(chan_clear(t.ch[0]), 0);
    simchan_run(t.sys, 9);
    assert_int_equal(t.done, 1);
    end(&t);
}

static void test_suspend_and_merge(void **state) {
    UNUSED(state);
    struct bench t;
    begin(&t);
    struct chan_cmd p[] = {{.op = 0x0B, .flags = CCW_CC | CCW_SLI, .count = 0},
                           {.op = CCW_NOP, .flags = CCW_SLI | CCW_SUSPEND, .count = 0}};
    run(&t, p, 2);
    assert_int_equal(t.done, 0);
    assert_int_equal(t.pci, 1);
    assert_int_equal(t.attention, 1);
    chan_resume(t.ch[1]);
    simchan_run(t.sys, 2);
    assert_int_equal(t.done, 1);
    assert_int_equal(t.st.index, 1);
    end(&t);
}

static void test_faults(void **state) {
    UNUSED(state);
    struct bench t;
    begin(&t);
    struct chan_cmd nop = {.op = CCW_NOP, .flags = CCW_SLI, .count = 0};
    struct sim_fault f = {
        .kind = SIM_FAULT_UNIT_CHECK, .devnum = 0x0E01, .op = CCW_NOP, .detail = 0x40, .skip = 1, .times = 1};
    simchan_fault(t.sys, &f);
    run(&t, &nop, 1);
    assert_int_equal(t.st.unit, US_CHANNEL_END | US_DEVICE_END);
    run(&t, &nop, 1);
    assert_true(t.st.unit & US_UNIT_CHECK);
    assert_int_equal(t.st.sense[0], 0x40);
    run(&t, &nop, 1);
    assert_false(t.st.unit & US_UNIT_CHECK);
    simchan_faults_clear(t.sys);
    f = (struct sim_fault){.kind = SIM_FAULT_NOT_OPERATIONAL, .devnum = 0x0E01, .times = 1};
    simchan_fault(t.sys, &f);
    run(&t, &nop, 1);
    assert_int_equal(t.st.cc, 3);
    simchan_faults_clear(t.sys);
    f = (struct sim_fault){.kind = SIM_FAULT_PROGRAM_CHECK, .devnum = 0x0E01, .times = 1};
    simchan_fault(t.sys, &f);
    run(&t, &nop, 1);
    assert_int_equal(t.st.subchannel, CS_PROGRAM_CHECK);
    simchan_faults_clear(t.sys);
    f = (struct sim_fault){.kind = SIM_FAULT_DELAY, .devnum = 0x0E01, .times = 1, .delay_us = 500};
    simchan_fault(t.sys, &f);
    run(&t, &nop, 1);
    assert_int_equal(t.done, 0);
    assert_int_equal(simchan_due(t.sys), 501);
    simchan_run(t.sys, 501);
    assert_int_equal(t.done, 1);
    simchan_faults_clear(t.sys);
    f = (struct sim_fault){.kind = SIM_FAULT_LOST, .devnum = 0x0E01, .times = 1};
    simchan_fault(t.sys, &f);
    run(&t, &nop, 1);
    assert_int_equal(t.done, 0);
    assert_int_equal(simchan_due(t.sys), TIME_NEVER);
    assert_int_equal(chan_halt(t.ch[1]), 0);
    simchan_run(t.sys, 900);
    assert_int_equal(t.done, 1);
    assert_true(t.st.halted);
    assert_int_equal(simchan_counters(t.sys)->faults_hit, 5);
    end(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),         cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_chains),        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_wait_and_halt), cmocka_unit_test(test_suspend_and_merge),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
