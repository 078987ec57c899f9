/* test_ctc_threads.c - two ends of a channel-to-channel link as they run in two emulators, without an emulator: engines among threads
 * (host_group.h), joined by a real connection (peer.h), and channels that give programs of PREPARE, READ and WRITE as fast as they can. All that
 * is shared between threads is real: who stands at the ring, who looks first, who is not woken. A block that is lost, doubled or changed
 * shows at once; a wake-up that is lost shows as a wait that only a poll ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/be.h"
#include "hercules-devices/ctc_engine.h"
#include "hercules-devices/ctc_cu.h"
#include "hercules-devices/host_group.h"
#include "hercules-devices/peer.h"

#define BLOCK 4096u
#define ROUNDS 1500u
#define CE_DE (US_CHANNEL_END | US_DEVICE_END)
enum { READS, WRITES };

struct program {
    struct engine_next ccw[4];
    u32 n, at;
};

struct system {
    struct host_group g;
    struct peer *peer; /* under the group's lock */
    struct peer_server *server;
    void *storage;
    bool on_cpu; /* a program is begun as on a processor's own thread */
    struct program program[2];
    u8 area[2][BLOCK];
    _Atomic u32 ups, checks, programs;
    _Atomic bool clear[2];
    _Atomic u64 slow; /* waits of more than half a poll */
};

static struct system sys[2];
static char dir[64], path[96];

/* ---- what a group asks for ---- */

static enum group_signal port_ending(void *ctx, u32 unit) {
    struct system *s = ctx;
    return atomic_exchange(&s->clear[unit], false) ? GROUP_END : GROUP_CONTINUE;
}
static u32 port_upcoming(void *ctx, u32 unit, struct engine_next *out, u32 max) {
    const struct program *p = &((struct system *)ctx)->program[unit];
    u32 n = 0;
    for (u32 i = p->at; i < p->n && n < max; i++) out[n++] = p->ccw[i];
    return n;
}
static bool port_attention(void *ctx, u32 unit, u8 unit_status) {
    UNUSED(ctx);
    UNUSED(unit);
    UNUSED(unit_status);
    return true;
}
static u8 *port_reserve(void *ctx, u32 bytes) {
    struct system *s = ctx;
    return s->peer ? peer_reserve(s->peer, bytes) : NULL;
}
static void port_commit(void *ctx, u32 bytes) { peer_commit(((struct system *)ctx)->peer, bytes); }
static void port_flush(void *ctx) {
    if (((struct system *)ctx)->peer) peer_flush(((struct system *)ctx)->peer);
}
static void port_later(void *ctx) {
    if (((struct system *)ctx)->peer) peer_later(((struct system *)ctx)->peer);
}
static void port_resume(void *ctx) {
    if (((struct system *)ctx)->peer) peer_resume(((struct system *)ctx)->peer);
}
static void port_log(void *ctx, enum engine_severity sev, const char *text) {
    UNUSED(ctx);
    UNUSED(sev);
    UNUSED(text);
}
static void *at_pin(void *ctx, bool to_stand) {
    struct peer *p = ((struct system *)ctx)->peer;
    if (p) peer_pin(p, to_stand);
    return p;
}
static void at_unpin(void *p) { peer_unpin(p); }
static bool at_stand(void *p, u32 msec) { return peer_stand(p, msec); }
static void at_kick(void *p, bool goes_on) { peer_kick(p, goes_on); }
static u32 at_look(void *p, bool wait) { return peer_look(p, wait); }
static const struct host_stand STAND = {.pin = at_pin, .unpin = at_unpin, .stand = at_stand, .kick = at_kick, .look = at_look};
static const struct host_port PORT = {.ending = port_ending,
                                      .upcoming = port_upcoming,
                                      .attention = port_attention,
                                      .tx_reserve = port_reserve,
                                      .tx_commit = port_commit,
                                      .tx_flush = port_flush,
                                      .tx_later = port_later,
                                      .rx_resume = port_resume,
                                      .stand = &STAND,
                                      .log = port_log};

/* ---- the connection, as hdl.c has it ---- */

static struct peer *take_peer(struct system *s, struct peer *p) {
    pthread_mutex_lock(&s->g.lock);
    struct peer *old = s->peer;
    s->peer = p;
    pthread_mutex_unlock(&s->g.lock);
    return old;
}
static void on_up(void *ctx, struct peer *p, const struct peer_identity *other) {
    struct system *s = ctx;
    UNUSED(other);
    struct peer *old = take_peer(s, p);
    if (s->server && old && old != p) {
        group_link(&s->g, false);
        peer_close(old);
    }
    group_link(&s->g, true);
    atomic_fetch_add(&s->ups, 1);
}
static void on_down(void *ctx, struct peer *p) {
    struct system *s = ctx;
    if (s->server && s->peer != p) return;
    if (s->server) take_peer(s, NULL);
    group_link(&s->g, false);
}
static bool on_message(void *ctx, struct peer *p, const u8 *m, u32 len) {
    UNUSED(p);
    return group_rx(&((struct system *)ctx)->g, m, len);
}
static void on_batch_end(void *ctx, struct peer *p) {
    UNUSED(p);
    group_rx_end(&((struct system *)ctx)->g);
}
static const struct peer_ops OPS = {.up = on_up, .message = on_message, .batch_end = on_batch_end, .down = on_down};

static struct peer_identity identity(u32 i) {
    struct peer_identity id = {.kind = PEER_CTC, .incarnation = i + 1};
    strcpy(id.name, i ? "SYSB" : "SYSA");
    strcpy(id.expected, i ? "SYSA" : "SYSB");
    return id;
}
static void join_second(void) {
    struct peer_identity id = identity(1);
    take_peer(&sys[1], peer_connect(path, &id, &OPS, &sys[1]));
}
static void leave_second(void) {
    struct peer *p = take_peer(&sys[1], NULL);
    peer_close(p);
    group_link(&sys[1].g, false);
}

static int begin(void **state) {
    UNUSED(state);
    strcpy(dir, "/tmp/test_ctct.XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/link", dir);
    for (u32 i = 0; i < 2; i++) {
        struct ctc_params p = {.lpar = "SYSA", .partner = "SYSB", .devnum = 0xC00, .partner_devnum = 0xC00, .home = true};
        if (i) p = (struct ctc_params){.lpar = "SYSB", .partner = "SYSA", .devnum = 0xC00, .partner_devnum = 0xC00};
        memset(&sys[i], 0, sizeof sys[i]);
        group_init(&sys[i].g, &PORT, &sys[i], false);
        sys[i].storage = malloc(ctc_engine_bytes());
        if (!group_open(&sys[i].g, ctc_engine_init(sys[i].storage, &sys[i].g.host, &p))) return -1;
    }
    struct peer_identity id = identity(0);
    sys[0].server = peer_serve(path, &id, &OPS, &sys[0]);
    if (!sys[0].server || !peer_server_thread(sys[0].server)) return -1;
    join_second();
    return 0;
}
static int end(void **state) {
    UNUSED(state);
    leave_second();
    take_peer(&sys[0], NULL);
    peer_server_close(sys[0].server);
    for (u32 i = 0; i < 2; i++) {
        group_close(&sys[i].g);
        free(sys[i].storage);
    }
    return rmdir(dir);
}

/* ---- channels ---- */

static u64 now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000u + (u64)t.tv_nsec / 1000u;
}

/* Gives one program; the unit status with which it ended. As the emulator on whose processors programs begin: what might wait there begins
 * anew on another thread, which here is the same one. */
static u8 give(struct system *s, u32 unit, u8 code) {
    struct program *p = &s->program[unit];
    u8 status = CE_DE;
    *p = (struct program){.n = 2, .ccw = {{CCW_CTC_PREPARE, CCW_CC | CCW_SLI, 1}, {code, CCW_SLI, BLOCK}}};
    if (unit == WRITES) {
        p->ccw[1].flags |= CCW_CC;
        p->ccw[p->n++] = (struct engine_next){CCW_NOP, CCW_SLI, 1};
    }
    u64 from = now_us();
    for (bool cpu = s->on_cpu; p->at < p->n && status == CE_DE;) {
        const struct engine_next *n = &p->ccw[p->at];
        struct engine_ccw c = {.code = n->code, .flags = n->flags, .chained = p->at ? p->ccw[p->at - 1].flags & CCW_CC : 0, .count = n->count, .buf = s->area[unit]};
        p->at++;
        if (cpu && group_try(&s->g, unit, &c)) {
            status = c.unit_status;
            continue;
        }
        cpu = false;
        if (group_start(&s->g, unit, &c) == ENGINE_WAIT) group_wait(&s->g, unit);
        status = c.unit_status;
    }
    if (now_us() - from > GROUP_POLL_MS * 500) atomic_fetch_add(&s->slow, 1);
    atomic_fetch_add(&s->programs, 1);
    return status;
}

static bool refused(struct system *s, u32 unit) {
    u8 byte = 0;
    struct engine_ccw c = {.code = CCW_CTC_SET_EXTENDED, .flags = CCW_SLI, .count = 1, .buf = &byte};
    group_start(&s->g, unit, &c);
    return c.unit_status & US_UNIT_CHECK;
}

/* Until the other side is ready on both units, which its command on each makes it; false: it never was. */
static bool ready(struct system *s) {
    for (u32 i = 0; i < 5000; i++) {
        bool first = refused(s, READS), second = refused(s, WRITES);
        if (!first && !second) return true;
        usleep(1000);
    }
    return false;
}

struct side {
    struct system *s;
    u32 first, rounds; /* first: it writes before it reads */
    bool wrong;
    pthread_t thread;
};

/* A block out, a block in: what came is checked. */
static void *ping(void *arg) {
    struct side *d = arg;
    if (!ready(d->s)) d->wrong = true;
    for (u32 i = 0; i < 2 * d->rounds && !d->wrong; i++) {
        if ((i & 1) == d->first) {
            if (give(d->s, READS, CCW_READ) != CE_DE || be32_get(d->s->area[READS]) != i / 2) d->wrong = true;
        } else {
            be32_put(d->s->area[WRITES], i / 2);
            if (give(d->s, WRITES, CCW_WRITE) != CE_DE) d->wrong = true;
        }
    }
    return NULL;
}

static void ping_pong(bool on_cpu) {
    struct side d[2] = {{.s = &sys[0], .first = 1, .rounds = ROUNDS}, {.s = &sys[1], .rounds = ROUNDS}};
    for (u32 i = 0; i < 2; i++) {
        sys[i].on_cpu = on_cpu;
        assert_int_equal(pthread_create(&d[i].thread, NULL, ping, &d[i]), 0);
    }
    for (u32 i = 0; i < 2; i++) pthread_join(d[i].thread, NULL);
    assert_false(d[0].wrong || d[1].wrong);
    for (u32 i = 0; i < 2; i++) {
        assert_true(sys[i].g.stood > 0);
        /* A machine that others use makes some waits long; one that needs the poll makes all of a kind so. */
        assert_true(sys[i].slow < ROUNDS / 4);
        print_message("%u programs, %u waits, %u stood, %u found first, %u slow\n", atomic_load(&sys[i].programs), (u32)sys[i].g.waits,
                      (u32)sys[i].g.stood, (u32)sys[i].g.looks, (u32)atomic_load(&sys[i].slow));
    }
}

static void test_on_device_threads(void **state) {
    UNUSED(state);
    ping_pong(false);
}
static void test_on_processors(void **state) {
    UNUSED(state);
    ping_pong(true);
}

/* ---- both units of both ends at once, while the link goes and programs are halted ---- */

static _Atomic bool over;

static void *churn(void *arg) {
    struct side *d = arg;
    u32 unit = d->first;
    while (!atomic_load(&over)) {
        u8 status = give(d->s, unit, unit == READS ? CCW_READ : CCW_WRITE);
        if (status & US_UNIT_CHECK) {
            refused(d->s, unit);
            atomic_fetch_add(&d->s->checks, 1);
            usleep(500);
        }
    }
    return NULL;
}

static void until_programs(u32 more) {
    u32 from[2] = {sys[0].programs, sys[1].programs};
    for (u32 i = 0; i < 2; i++)
        for (u32 n = 0; sys[i].programs < from[i] + more; n++) {
            assert_true(n < 20000);
            usleep(1000);
        }
}

static void test_link_goes_and_programs_are_halted(void **state) {
    struct side d[4] = {{.s = &sys[0], .first = READS}, {.s = &sys[0], .first = WRITES}, {.s = &sys[1], .first = READS}, {.s = &sys[1], .first = WRITES}};
    UNUSED(state);
    atomic_store(&over, false);
    for (u32 i = 0; i < 4; i++) assert_int_equal(pthread_create(&d[i].thread, NULL, churn, &d[i]), 0);
    for (u32 i = 0; i < 12; i++) {
        until_programs(50);
        for (u32 k = 0; k < 2; k++) group_halt(&sys[k].g, i & 1);
        until_programs(50);
        atomic_store(&sys[i & 1].clear[i >> 1 & 1], true);
        leave_second();
        usleep(i * 100);
        join_second();
    }
    until_programs(50);
    atomic_store(&over, true);
    leave_second(); /* what waits ends with unit check */
    for (u32 i = 0; i < 4; i++) pthread_join(d[i].thread, NULL);
    join_second();
    assert_true(sys[0].checks > 0 && sys[1].checks > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_on_device_threads, begin, end),
        cmocka_unit_test_setup_teardown(test_on_processors, begin, end),
        cmocka_unit_test_setup_teardown(test_link_goes_and_programs_are_halted, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
