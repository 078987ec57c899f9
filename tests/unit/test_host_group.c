/* test_host_group.c - one engine among threads: waits, halts, resets, refused attentions, refused messages.
 * The engine is a page of C with one rule per command; the emulator is a table of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hercules-devices/host_group.h"

#define CODE_WAIT    0x02 /* waits until rx() brings a message */
#define CODE_ECHO    0x01 /* done at once, half of the count transferred */
#define CODE_REJECT  0x07 /* unit check, sense 80 */
#define CODE_ATTN    0x0F /* asks for an attention */
#define CODE_PCI     0x17 /* asks for a PCI */

struct echo {
    struct engine engine;
    struct engine_ccw *waiting[2];
    struct engine_sense sense;
    u32 resets, halts, links, ends;
    bool has_room;
};

static struct echo *echo_of(struct engine *e) { return CONTAINER_OF(e, struct echo, engine); }

static enum engine_rc echo_ccw(struct engine *e, u32 unit, struct engine_ccw *c) {
    struct echo *x = echo_of(e);
    if (c->code == CODE_WAIT) {
        x->waiting[unit] = c;
        return ENGINE_WAIT;
    }
    c->residual = c->count / 2;
    c->unit_status = US_CHANNEL_END | US_DEVICE_END;
    if (c->code == CODE_REJECT) {
        c->unit_status |= US_UNIT_CHECK;
        x->sense = (struct engine_sense){.len = 1, .bytes = {0x80}};
    }
    if (c->code == CODE_ATTN) e->host->attention(e->host->ctx, unit, US_ATTENTION);
    if (c->code == CODE_PCI) e->host->pci(e->host->ctx, unit);
    return ENGINE_DONE;
}

static void echo_finish(struct engine *e, u32 unit, u32 bytes) {
    struct engine_ccw *c = echo_of(e)->waiting[unit];
    echo_of(e)->waiting[unit] = NULL;
    c->residual = c->count - bytes;
    c->unit_status = US_CHANNEL_END | US_DEVICE_END;
    e->host->complete(e->host->ctx, unit);
}

static void echo_halt(struct engine *e, u32 unit) {
    echo_of(e)->halts++;
    echo_finish(e, unit, 0);
}

static void echo_reset(struct engine *e) { echo_of(e)->resets++; }
static const struct engine_sense *echo_sense(struct engine *e, u32 unit) {
    UNUSED(unit);
    return &echo_of(e)->sense;
}

static u32 echo_sense_id(struct engine *e, u32 unit, u8 *out, u32 max) {
    static const u8 id[] = {0xFF, 0x30, 0x88, 0x60, 0x30, 0x88, 0x01};
    UNUSED(e);
    UNUSED(unit);
    assert_true(max >= sizeof id);
    memcpy(out, id, sizeof id);
    return sizeof id;
}

static int echo_siga_read(struct engine *e, u32 unit, u32 qmask) {
    UNUSED(unit);
    echo_of(e)->has_room = true;
    return qmask ? 0 : 2;
}

/* A message completes the read of unit 0; without room or without a read it is refused. */
static bool echo_rx(struct engine *e, const u8 *msg, u32 len) {
    struct echo *x = echo_of(e);
    if (!x->has_room || !x->waiting[0] || len > x->waiting[0]->count) return false;
    memcpy(x->waiting[0]->buf, msg, len);
    echo_finish(e, 0, len);
    return true;
}

static void echo_rx_end(struct engine *e) {
    struct echo *x = echo_of(e);
    x->ends++;
    if (x->ends == 1) UNUSED(e->host->tx_reserve(e->host->ctx, 8));
    if (x->ends == 2 && e->host->running(e->host->ctx, 1)) e->host->again(e->host->ctx);
}

static void echo_link(struct engine *e, bool up) { echo_of(e)->links += up; }
static void echo_query(struct engine *e, char *out, size_t cap) {
    UNUSED(e);
    snprintf(out, cap, "echo");
}

static const struct engine_ops echo_ops = {.type = "echo",
                                           .units = 2,
                                           .ccw = echo_ccw,
                                           .halt = echo_halt,
                                           .reset = echo_reset,
                                           .sense = echo_sense,
                                           .sense_id = echo_sense_id,
                                           .siga_read = echo_siga_read,
                                           .rx = echo_rx,
                                           .rx_end = echo_rx_end,
                                           .link_state = echo_link,
                                           .query = echo_query};

/* ---- the emulator's side; the counters are read after a join or with __atomic ---- */

struct world {
    struct host_group g;
    struct echo echo;
    enum group_signal signal;
    u32 attentions, busy_answers, pcis, resumes, polls;
    bool running;
};

static u8 *world_storage(void *ctx, u64 addr, u32 len, bool w) {
    UNUSED(ctx);
    UNUSED(addr);
    UNUSED(len);
    UNUSED(w);
    return NULL;
}
static enum group_signal world_ending(void *ctx, u32 unit) {
    struct world *w = ctx;
    UNUSED(unit);
    __atomic_fetch_add(&w->polls, 1, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&w->signal, __ATOMIC_SEQ_CST);
}
/* Needs the group's lock to be free, as a real channel does: proved by taking it. */
static void lock_is_free(struct world *w) {
    assert_int_equal(pthread_mutex_lock(&w->g.lock), 0);
    pthread_mutex_unlock(&w->g.lock);
}
static bool world_attention(void *ctx, u32 unit, u8 unit_status) {
    struct world *w = ctx;
    assert_int_equal(unit_status, US_ATTENTION);
    assert_int_equal(unit, 1);
    lock_is_free(w);
    if (__atomic_load_n(&w->busy_answers, __ATOMIC_SEQ_CST) > 0) {
        __atomic_fetch_sub(&w->busy_answers, 1, __ATOMIC_SEQ_CST);
        return false;
    }
    __atomic_fetch_add(&w->attentions, 1, __ATOMIC_SEQ_CST);
    return true;
}
static void world_pci(void *ctx, u32 unit) {
    struct world *w = ctx;
    UNUSED(unit);
    lock_is_free(w);
    w->pcis++;
}
static u8 *world_tx_reserve(void *ctx, u32 bytes) {
    UNUSED(ctx);
    UNUSED(bytes);
    return NULL;
}
static void world_tx_commit(void *ctx, u32 bytes) {
    UNUSED(ctx);
    UNUSED(bytes);
}
static bool world_running(void *ctx, u32 unit) { return ((struct world *)ctx)->running && unit == 1; }
static void world_tx_flush(void *ctx) { UNUSED(ctx); }
static void world_resume(void *ctx) { ((struct world *)ctx)->resumes++; }
static void world_log(void *ctx, enum engine_severity sev, const char *text) {
    UNUSED(ctx);
    UNUSED(sev);
    UNUSED(text);
}

static const struct host_port polled = {.storage = world_storage,
                                        .ending = world_ending,
                                        .attention = world_attention,
                                        .pci = world_pci,
                                        .tx_reserve = world_tx_reserve,
                                        .tx_commit = world_tx_commit,
                                        .tx_flush = world_tx_flush,
                                        .running = world_running,
                                        .rx_resume = world_resume,
                                        .log = world_log};

static int begin(void **state) {
    static struct world w;
    w = (struct world){.echo.has_room = true};
    group_init(&w.g, &polled, &w, false);
    w.echo.engine = (struct engine){.ops = &echo_ops, .host = &w.g.host};
    assert_true(group_open(&w.g, &w.echo.engine));
    *state = &w;
    return 0;
}

static int end(void **state) {
    struct world *w = *state;
    group_close(&w->g);
    return 0;
}

/* ---- a device thread ---- */

struct program {
    struct world *w;
    u32 unit;
    u8 buf[64];
    struct engine_ccw c;
    enum group_end end;
    pthread_t thread;
};

static void *program_main(void *arg) {
    struct program *p = arg;
    if (group_start(&p->w->g, p->unit, &p->c) == ENGINE_WAIT) p->end = group_wait(&p->w->g, p->unit);
    return NULL;
}

static void program_start(struct program *p, struct world *w, u32 unit, u8 code) {
    *p = (struct program){.w = w, .unit = unit};
    p->c = (struct engine_ccw){.code = code, .count = sizeof p->buf, .buf = p->buf};
    assert_int_equal(pthread_create(&p->thread, NULL, program_main, p), 0);
}

/* Until the CCW is outstanding, at most a second. */
static void program_waits(struct program *p, u64 waits) {
    for (u32 i = 0; i < 1000; i++) {
        pthread_mutex_lock(&p->w->g.lock);
        bool there = p->w->g.waits >= waits;
        pthread_mutex_unlock(&p->w->g.lock);
        if (there) return;
        usleep(1000);
    }
    fail_msg("the CCW never came to wait");
}

static u8 run(struct world *w, u32 unit, u8 code, u8 *buf, u32 count, struct engine_ccw *c) {
    *c = (struct engine_ccw){.code = code, .count = count, .buf = buf};
    assert_int_equal(group_start(&w->g, unit, c), ENGINE_DONE);
    return c->unit_status;
}

/* ---- tests ---- */

static void test_done_at_once(void **state) {
    struct world *w = *state;
    u8 buf[16];
    struct engine_ccw c;
    assert_int_equal(run(w, 0, CODE_ECHO, buf, 16, &c), US_CHANNEL_END | US_DEVICE_END);
    assert_int_equal(c.residual, 8);
}

static void test_sense_id_and_lengths(void **state) {
    struct world *w = *state;
    u8 buf[16] = {0};
    struct engine_ccw c;
    run(w, 1, CCW_SENSE_ID, buf, 16, &c);
    assert_int_equal(c.residual, 9);
    assert_false(c.more);
    assert_int_equal(buf[3], 0x60);
    buf[4] = 0xAA;
    run(w, 1, CCW_SENSE_ID, buf, 4, &c);
    assert_int_equal(c.residual, 0);
    assert_true(c.more);
    assert_int_equal(buf[4], 0xAA);
}

static void test_sense_is_kept_once(void **state) {
    struct world *w = *state;
    u8 buf[32];
    struct engine_ccw c;
    struct engine_sense s;
    assert_true(run(w, 0, CODE_REJECT, buf, 8, &c) & US_UNIT_CHECK);
    group_sense(&w->g, 0, &s);
    assert_int_equal(s.bytes[0], 0x80);
    run(w, 0, CCW_SENSE, buf, 32, &c);
    assert_int_equal(buf[0], 0x80);
    run(w, 0, CCW_SENSE, buf, 32, &c);
    assert_int_equal(buf[0], 0);
    run(w, 0, CODE_REJECT, buf, 8, &c);
    run(w, 0, CODE_ECHO, buf, 8, &c);
    run(w, 0, CCW_SENSE, buf, 32, &c);
    assert_int_equal(buf[0], 0);
}

static void test_message_ends_wait(void **state) {
    struct world *w = *state;
    struct program p;
    program_start(&p, w, 0, CODE_WAIT);
    program_waits(&p, 1);
    assert_true(group_rx(&w->g, (const u8 *)"hello", 5));
    pthread_join(p.thread, NULL);
    assert_int_equal(p.end, GROUP_COMPLETED);
    assert_int_equal(p.c.residual, 59);
    assert_memory_equal(p.buf, "hello", 5);
}

static void test_halt_ends_wait(void **state) {
    struct world *w = *state;
    struct program p;
    program_start(&p, w, 1, CODE_WAIT);
    program_waits(&p, 1);
    group_halt(&w->g, 0); /* the other unit: nothing ends */
    assert_int_equal(w->echo.halts, 0);
    group_halt(&w->g, 1);
    pthread_join(p.thread, NULL);
    assert_int_equal(p.end, GROUP_ENDED);
    assert_int_equal(w->echo.halts, 1);
    group_halt(&w->g, 1); /* nothing outstanding: nothing happens */
    assert_int_equal(w->echo.halts, 1);
}

static void test_poll_sees_clear_and_reset(void **state) {
    struct world *w = *state;
    struct program p;
    program_start(&p, w, 0, CODE_WAIT);
    program_waits(&p, 1);
    __atomic_store_n(&w->signal, GROUP_END, __ATOMIC_SEQ_CST);
    pthread_join(p.thread, NULL);
    assert_int_equal(p.end, GROUP_ENDED);
    assert_int_equal(w->echo.resets, 0);

    __atomic_store_n(&w->signal, GROUP_CONTINUE, __ATOMIC_SEQ_CST);
    program_start(&p, w, 0, CODE_WAIT);
    program_waits(&p, 2);
    __atomic_store_n(&w->signal, GROUP_FORGET, __ATOMIC_SEQ_CST);
    pthread_join(p.thread, NULL);
    assert_int_equal(p.end, GROUP_RESET);
    assert_int_equal(w->echo.resets, 1);
}

/* The subchannel was reset and started again before the poll saw it: the old program ends, the new one runs. */
static void test_start_over_a_waiting_program(void **state) {
    struct world *w = *state;
    struct program old, fresh;
    program_start(&old, w, 0, CODE_WAIT);
    program_waits(&old, 1);
    program_start(&fresh, w, 0, CODE_WAIT);
    pthread_join(old.thread, NULL);
    assert_int_equal(old.end, GROUP_RESET);
    program_waits(&fresh, 2);
    assert_true(group_rx(&w->g, (const u8 *)"x", 1));
    pthread_join(fresh.thread, NULL);
    assert_int_equal(fresh.end, GROUP_COMPLETED);
    assert_int_equal(w->echo.resets, 1);
}

static void test_reset_ends_all_units(void **state) {
    struct world *w = *state;
    struct program p[2];
    program_start(&p[0], w, 0, CODE_WAIT);
    program_start(&p[1], w, 1, CODE_WAIT);
    program_waits(&p[0], 2);
    group_reset(&w->g);
    for (u32 i = 0; i < 2; i++) {
        pthread_join(p[i].thread, NULL);
        assert_int_equal(p[i].end, GROUP_RESET);
    }
    assert_int_equal(w->echo.resets, 1);
}

static void test_close_ends_wait(void **state) {
    struct world *w = *state;
    struct program p;
    program_start(&p, w, 0, CODE_WAIT);
    program_waits(&p, 1);
    group_close(&w->g);
    pthread_join(p.thread, NULL);
    assert_int_equal(p.end, GROUP_CLOSED);
    begin(state);
}

static void test_busy_attention_is_offered_again(void **state) {
    struct world *w = *state;
    u8 buf[8];
    struct engine_ccw c;
    __atomic_store_n(&w->busy_answers, 5, __ATOMIC_SEQ_CST);
    run(w, 1, CODE_ATTN, buf, 8, &c);
    for (u32 i = 0; i < 1000 && !__atomic_load_n(&w->attentions, __ATOMIC_SEQ_CST); i++) usleep(1000);
    usleep(20000); /* it must not come twice */
    assert_int_equal(__atomic_load_n(&w->attentions, __ATOMIC_SEQ_CST), 1);
    assert_int_equal(__atomic_load_n(&w->busy_answers, __ATOMIC_SEQ_CST), 0);
}

static void test_pci_raised_after_the_engine(void **state) {
    struct world *w = *state;
    u8 buf[8];
    struct engine_ccw c;
    run(w, 1, CODE_PCI, buf, 8, &c);
    assert_int_equal(w->pcis, 1);
}

static void test_refused_message_is_asked_for_again(void **state) {
    struct world *w = *state;
    w->echo.has_room = false;
    assert_false(group_rx(&w->g, (const u8 *)"x", 1));
    assert_int_equal(w->resumes, 0);
    assert_int_equal(group_siga_read(&w->g, 0, 0x80000000u), 0);
    assert_int_equal(w->resumes, 1);
    assert_int_equal(group_siga_read(&w->g, 0, 0), 2); /* the engine's condition code; nothing kept any more */
    assert_int_equal(w->resumes, 1);
    assert_int_equal(group_siga_write(&w->g, 0, 1), 3); /* this engine has none */
}

static void rx_end_is_called(struct world *w, u32 times) {
    group_link(&w->g, true);
    assert_int_equal(w->echo.links, 1);
    group_rx_end(&w->g);
    u32 ends = 0;
    for (u32 i = 0; i < 1000 && ends < times; i++) {
        usleep(1000);
        pthread_mutex_lock(&w->g.lock);
        ends = w->echo.ends;
        pthread_mutex_unlock(&w->g.lock);
    }
    usleep(20000);
    pthread_mutex_lock(&w->g.lock);
    assert_int_equal(w->echo.ends, times);
    pthread_mutex_unlock(&w->g.lock);
}

/* rx_end finds the ring full once: the helper calls it again, and only then. */
static void test_full_ring_is_tried_again(void **state) { rx_end_is_called(*state, 2); }

/* The same, and then the engine itself asks to be called again, because a channel program still runs. */
static void test_engine_is_called_again(void **state) {
    ((struct world *)*state)->running = true;
    rx_end_is_called(*state, 3);
}

static void test_query(void **state) {
    struct world *w = *state;
    char text[200];
    group_query(&w->g, text, sizeof text);
    assert_non_null(strstr(text, "echo ccw=0"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_done_at_once),
        T(test_sense_id_and_lengths),
        T(test_sense_is_kept_once),
        T(test_message_ends_wait),
        T(test_halt_ends_wait),
        T(test_poll_sees_clear_and_reset),
        T(test_start_over_a_waiting_program),
        T(test_reset_ends_all_units),
        T(test_close_ends_wait),
        T(test_busy_attention_is_offered_again),
        T(test_pci_raised_after_the_engine),
        T(test_refused_message_is_asked_for_again),
        T(test_full_ring_is_tried_again),
        T(test_engine_is_called_again),
        T(test_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
