/* test_link_ctc.c - IP over a channel-to-channel adapter: two stacks, two drivers, two engines and a wire between
 * them. START in any order, TCP both ways, the partner that goes and comes a hundred times, every CCW that can fail,
 * STOP at every moment, and blocks as another system might send them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hercules-devices/ctc_engine.h"
#include "link/link_ctc.h"
#include "net/sock.h"
#include "tests/unit/osalab.h"
#include "wire/ctcblk.h"

#define DEVNUM 0x0C00
#define PORT 2049

/* ---- the wire ---- */

struct message {
    struct message *next;
    u32 len;
    u8 bytes[];
};

struct pair {
    struct lab *lab;
    struct lab_host *host[2];
    struct device *dev[2];
    struct sim_group *group[2];
    struct message *first[2], **last[2], *reserved[2]; /* on the way to the other end of [i] */
    struct tx {
        struct pair *t;
        u32 end;
    } tx[2];
    bool up;
};

static u8 *tx_reserve(void *ctx, u32 bytes) {
    struct tx *x = ctx;
    if (!x->t->up) return NULL;
    free(x->t->reserved[x->end]);
    struct message *m = malloc(sizeof *m + bytes);
    *m = (struct message){.len = bytes};
    x->t->reserved[x->end] = m;
    return m->bytes;
}

static void tx_commit(void *ctx, u32 bytes) {
    struct tx *x = ctx;
    struct message *m = x->t->reserved[x->end];
    assert_in_range(bytes, 1, m->len);
    m->len = bytes;
    x->t->reserved[x->end] = NULL;
    *x->t->last[x->end] = m;
    x->t->last[x->end] = &m->next;
}

static void drop_all(struct pair *t) {
    for (u32 end = 0; end < 2; end++) {
        for (struct message *m; (m = t->first[end]) != NULL; free(m)) t->first[end] = m->next;
        t->last[end] = &t->first[end];
        free(t->reserved[end]);
        t->reserved[end] = NULL;
    }
}

static u32 wires_run(void *ctx) {
    struct pair *t = ctx;
    u32 n = 0;
    for (u32 end = 0; end < 2; end++) {
        struct engine *to = simchan_engine(t->group[!end]);
        for (struct message *m; (m = t->first[end]) != NULL; n++) {
            t->first[end] = m->next;
            if (!t->first[end]) t->last[end] = &t->first[end];
            to->ops->rx(to, m->bytes, m->len);
            free(m);
        }
        to->ops->rx_end(to);
    }
    return n;
}

static void wire_set(struct pair *t, bool up) {
    if (!up) drop_all(t);
    t->up = up;
    for (u32 end = 0; end < 2; end++) {
        struct engine *e = simchan_engine(t->group[end]);
        e->ops->link_state(e, up);
    }
}

/* ---- two systems ---- */

static void add_system(struct pair *t, u32 end, u16 adapter, u32 iobuffer) {
    static const char *const names[] = {"SYSA", "SYSB"};
    struct lab_host *h = t->host[end] = lab_host(t->lab, names[end]);
    struct ctc_params p = {.devnum = DEVNUM, .partner_devnum = DEVNUM, .home = end == 0};
    struct link *lnk;
    memcpy(p.lpar, names[end], 4);
    memcpy(p.partner, names[!end], 4);
    t->group[end] = simchan_group_add(h->sys, DEVNUM, 2);
    h->engine[h->engines] = malloc(ctc_engine_bytes());
    struct engine *e = ctc_engine_init(h->engine[h->engines++], simchan_group_host(t->group[end]), &p);
    simchan_group_engine(t->group[end], e);
    t->tx[end] = (struct tx){t, end};
    simchan_group_tx(t->group[end], &(struct sim_tx){.ctx = &t->tx[end], .reserve = tx_reserve, .commit = tx_commit});
    assert_int_equal(device_add(h->stk, "CTCA", DEV_CTC, DEVNUM, &t->dev[end]), 0);
    assert_int_equal(link_add(h->stk, t->dev[end], "LCTCA", LNK_CTC, adapter, &lnk), 0);
    t->dev[end]->autorestart = true;
    t->dev[end]->iobuffer_bytes = iobuffer;
    lnk->bsd_mask = lab_ip("255.255.255.0");
    struct route_def r = {.dest = lab_ip("10.8.0.0"), .prefix_bits = 24, .kind = ROUTE_STATIC, .lnk = lnk};
    assert_int_equal(home_add(h->stk, lab_ip(end ? "10.8.0.2" : "10.8.0.1"), lnk, 0, t->lab->now), 0);
    assert_int_equal(route_add(h->stk, &r, t->lab->now), 0);
}

static void begin_as(struct pair *t, u16 adapter_a, u16 adapter_b, u32 iobuffer) {
    memset(t, 0, sizeof *t);
    for (u32 end = 0; end < 2; end++) t->last[end] = &t->first[end];
    t->lab = lab_create();
    add_system(t, 0, adapter_a, iobuffer);
    add_system(t, 1, adapter_b, iobuffer);
    t->lab->wires = wires_run;
    t->lab->wires_ctx = t;
    wire_set(t, true);
}

static void begin(struct pair *t) { begin_as(t, 0, 0, 0); }

static bool both_up(void *ctx) {
    struct pair *t = ctx;
    return t->dev[0]->lnk->up && t->dev[1]->lnk->up;
}

static void start_both(struct pair *t) {
    for (u32 end = 0; end < 2; end++) device_start(t->dev[end], t->lab->now);
    if (!lab_until(t->lab, 10000000, both_up, t))
        fail_msg("%s %s", link_ctc_state_name(t->dev[0]), link_ctc_state_name(t->dev[1]));
}

static void end(struct pair *t) {
    lab_destroy(t->lab);
    drop_all(t);
}

/* ---- one TCP transfer ---- */

struct flow {
    struct sock *listener, *server, *client;
    u32 total, sent, received;
    bool ended;
};

static u8 pattern(u32 at) { return (u8)(at ^ at >> 8 ^ at >> 16); }

static void on_server(void *ctx, struct sock *s, u32 events, u64 now) {
    struct flow *f = ctx;
    u8 buf[8192];
    i32 n;
    UNUSED(events);
    while ((n = sock_recv(s, buf, sizeof buf, now)) > 0)
        for (i32 i = 0; i < n; i++) assert_int_equal(buf[i], pattern(f->received++));
    if (n == 0) f->ended = true;
}

static void on_listener(void *ctx, struct sock *s, u32 events, u64 now) {
    struct flow *f = ctx;
    struct sockaddr4 peer;
    UNUSED(events);
    if (f->server || sock_accept(s, &f->server, &peer, now) != 0) return;
    sock_on_event(f->server, on_server, f);
    on_server(f, f->server, SOCK_EV_READ, now);
}

static void on_client(void *ctx, struct sock *s, u32 events, u64 now) {
    struct flow *f = ctx;
    u8 buf[8192];
    if (!(events & SOCK_EV_WRITE)) return;
    while (f->sent < f->total) {
        u32 n = u32_min(sizeof buf, f->total - f->sent);
        for (u32 i = 0; i < n; i++) buf[i] = pattern(f->sent + i);
        i32 took = sock_send(s, buf, n, now);
        if (took < 0) return;
        f->sent += (u32)took;
    }
    sock_shutdown_send(s, now);
}

static bool flow_ended(void *ctx) { return ((struct flow *)ctx)->ended; }

/* Moves total bytes from one system to the other; wobble: the wire goes down and up that often meanwhile. */
static void transfer(struct pair *t, u32 from, u32 total, u32 wobbles) {
    struct flow f = {.total = total};
    u64 now = t->lab->now;
    assert_int_equal(sock_open(t->host[!from]->stk, SOCK_TCP, "SERVER", &f.listener), 0);
    assert_int_equal(sock_bind(f.listener, IPADDR_ANY, PORT, now), 0);
    assert_int_equal(sock_listen(f.listener, 4, now), 0);
    sock_on_event(f.listener, on_listener, &f);
    assert_int_equal(sock_open(t->host[from]->stk, SOCK_TCP, "CLIENT", &f.client), 0);
    sock_on_event(f.client, on_client, &f);
    assert_int_equal(sock_connect(f.client, lab_ip(from ? "10.8.0.1" : "10.8.0.2"), PORT, now), -ERR_INPROGRESS);
    for (u32 i = 0; i < wobbles; i++) {
        lab_run(t->lab, 1000 + 7919 * i);
        wire_set(t, false);
        lab_run(t->lab, 100000);
        wire_set(t, true);
        assert_true(lab_until(t->lab, 3000000, both_up, t));
    }
    if (!lab_until(t->lab, 300000000, flow_ended, &f)) fail_msg("%u of %u bytes", f.received, total);
    assert_int_equal(f.received, total);
    sock_close(f.server, t->lab->now);
    sock_close(f.client, t->lab->now);
    sock_close(f.listener, t->lab->now);
    lab_run(t->lab, 130000000);
}

/* ---- tests ---- */

static void start_stop(void **state) {
    UNUSED(state);
    struct pair t;
    begin(&t);
    /* One alone waits; it is not active and not failed. */
    device_start(t.dev[0], t.lab->now);
    lab_run(t.lab, 20000000);
    assert_string_equal(link_ctc_state_name(t.dev[0]), "MODE");
    assert_int_equal(t.dev[0]->status, DEVST_STARTING);
    u64 before = t.lab->now;
    start_both(&t);
    assert_true(t.lab->now - before < 100000); /* the device end told it, not the second's retry */
    for (u32 i = 0; i < 2; i++) {
        assert_int_equal(t.dev[i]->status, DEVST_READY);
        assert_int_equal(t.dev[i]->lnk->mtu_bytes, 32768 - 8);
        assert_int_equal(link_ctc_counters(t.dev[i])->failures, 0);
    }
    lab_stop(t.dev[0]);
    assert_int_equal(simchan_open_count(t.host[0]->sys), 0);
    lab_run(t.lab, 5000000);
    start_both(&t);
    end(&t);
}

static void tcp_both_ways(void **state) {
    UNUSED(state);
    static const u32 buffers[] = {0, 32768, 65535};
    for (u32 i = 0; i < ARRAY_LEN(buffers); i++) {
        struct pair t;
        begin_as(&t, i & 1, i & 1, buffers[i]);
        start_both(&t);
        transfer(&t, 0, 3000000, 0);
        transfer(&t, 1, 3000000, 0);
        for (u32 e = 0; e < 2; e++) {
            const struct link_ctc_counters *n = link_ctc_counters(t.dev[e]);
            assert_int_equal(n->drops_in_malformed + n->drops_in_type + n->drops_out_size + n->partner_losses, 0);
            assert_int_equal(n->blocks_in, link_ctc_counters(t.dev[!e])->blocks_out);
        }
        end(&t);
    }
}

/* A packet that comes alone is seen at once, although the program has READs left; the next program begins behind the last of them. */
static void one_at_a_time(void **state) {
    UNUSED(state);
    struct pair t;
    begin(&t);
    start_both(&t);
    const struct link_ctc_counters *n = link_ctc_counters(t.dev[1]);
    for (u32 i = 0; i < 40; i++) {
        struct link_ctc_counters before = *n;
        u8 bytes[64] = {0x45};
        struct pkt p = {.data = bytes, .len = sizeof bytes};
        assert_int_equal(t.dev[0]->lnk->ops->output(t.dev[0]->lnk, &p, lab_ip("10.8.0.2"), t.lab->now), 0);
        t.dev[0]->lnk->ops->flush(t.dev[0]->lnk, t.lab->now);
        lab_run(t.lab, 10000);
        assert_int_equal(n->blocks_in, before.blocks_in + 1);
        assert_int_equal(n->programs_in, 1 + n->blocks_in / 8);
    }
    end(&t);
}

/* What comes while a program is under way goes in one: nine blocks in two programs, the tenth finds no room. */
static void burst(void **state) {
    UNUSED(state);
    struct pair t;
    u8 bytes[20000] = {0x45}; /* a block each */
    begin(&t);
    start_both(&t);
    const struct link_ctc_counters *n = link_ctc_counters(t.dev[0]), before = *n;
    for (u32 i = 0; i < 10; i++) {
        struct pkt p = {.data = bytes, .len = sizeof bytes};
        assert_int_equal(t.dev[0]->lnk->ops->output(t.dev[0]->lnk, &p, lab_ip("10.8.0.2"), t.lab->now), i < 9 ? 0 : -ERR_NOBUFS);
    }
    lab_run(t.lab, 10000);
    assert_int_equal(n->blocks_out, before.blocks_out + 9);
    assert_int_equal(n->programs_out, before.programs_out + 2);
    assert_int_equal(n->drops_out_full, 1);
    assert_int_equal(link_ctc_counters(t.dev[1])->blocks_in, n->blocks_out);
    end(&t);
}

static void partner_goes(void **state) {
    UNUSED(state);
    struct pair t;
    begin(&t);
    start_both(&t);
    for (u32 i = 0; i < 100; i++) {
        wire_set(&t, false);
        lab_run(t.lab, i * 37 % 2000000);
        assert_false(t.dev[0]->lnk->up || t.dev[1]->lnk->up);
        wire_set(&t, true);
        assert_true(lab_until(t.lab, 1000000, both_up, &t));
    }
    transfer(&t, 0, 500000, 20);
    transfer(&t, 1, 500000, 20);
    for (u32 e = 0; e < 2; e++) {
        assert_int_equal(t.dev[e]->status, DEVST_READY);
        assert_int_equal(link_ctc_counters(t.dev[e])->failures, 0);
    }
    end(&t);
}

/* The partner's system is loaded anew: its units are reset, the wire stays. */
static void partner_reset(void **state) {
    UNUSED(state);
    struct pair t;
    begin(&t);
    start_both(&t);
    for (u32 i = 0; i < 10; i++) {
        u32 e = i & 1;
        device_stop(t.dev[e], t.lab->now);
        lab_run(t.lab, 100000);
        struct engine *engine = simchan_engine(t.group[e]);
        engine->ops->reset(engine);
        lab_run(t.lab, 100000);
        assert_false(t.dev[!e]->lnk->up);
        start_both(&t);
    }
    transfer(&t, 0, 100000, 0);
    end(&t);
}

static void stop_anywhere(void **state) {
    UNUSED(state);
    struct pair t;
    begin(&t);
    device_start(t.dev[1], t.lab->now);
    for (u32 turns = 0; turns < 40; turns++) {
        device_start(t.dev[0], t.lab->now);
        for (u32 i = 0; i < turns; i++) {
            for (u32 h = 0; h < 2; h++) {
                simchan_run(t.host[h]->sys, t.lab->now);
                stack_poll(t.host[h]->stk, t.lab->now);
            }
            if (i & 1) wires_run(&t);
            t.lab->now += 1000;
        }
        lab_stop(t.dev[0]);
        assert_int_equal(simchan_open_count(t.host[0]->sys), 0);
    }
    start_both(&t);
    end(&t);
}

static void faults_everywhere(void **state) {
    UNUSED(state);
    static const enum sim_fault_kind kinds[] = {SIM_FAULT_UNIT_CHECK,      SIM_FAULT_PROGRAM_CHECK,
                                                SIM_FAULT_NOT_OPERATIONAL, SIM_FAULT_LOST,
                                                SIM_FAULT_HALTED,          SIM_FAULT_DELAY};
    struct pair t;
    u32 hits = 0;
    begin(&t);
    device_start(t.dev[1], t.lab->now);
    for (u32 k = 0; k < ARRAY_LEN(kinds); k++)
        for (u16 unit = 0; unit < 2; unit++)
            for (u32 skip = 0; skip < 6; skip++) {
                u64 before = simchan_counters(t.host[0]->sys)->faults_hit;
                simchan_fault(t.host[0]->sys, &(struct sim_fault){.kind = kinds[k],
                                                                  .devnum = (u16)(DEVNUM + unit),
                                                                  .detail = 0x10,
                                                                  .skip = skip,
                                                                  .times = 1,
                                                                  .delay_us = 3000000});
                device_start(t.dev[0], t.lab->now);
                lab_run(t.lab, 20000000);
                hits += simchan_counters(t.host[0]->sys)->faults_hit != before;
                simchan_faults_clear(t.host[0]->sys);
                /* Whatever it was: the device recovers by itself, or STOP ends it. */
                lab_stop(t.dev[0]);
                assert_int_equal(simchan_open_count(t.host[0]->sys), 0);
            }
    assert_true(hits > 40);
    start_both(&t);
    end(&t);
}

static void wrong_pairing(void **state) {
    UNUSED(state);
    struct pair t;
    char text[80];
    begin_as(&t, 0, 1, 0); /* both read where the other reads */
    for (u32 e = 0; e < 2; e++) {
        t.dev[e]->autorestart = false;
        device_start(t.dev[e], t.lab->now);
    }
    lab_run(t.lab, 10000000);
    assert_true(t.dev[0]->status == DEVST_NOT_ACTIVE || t.dev[1]->status == DEVST_NOT_ACTIVE);
    assert_string_equal(link_ctc_fail_text(0x03039000, text, sizeof text), "I/O ERROR IN HELLO, DETAIL 9000");
    end(&t);
}

/* Blocks as no driver of ours writes them: cut off, too long, of another type, with bytes behind. */
static void blocks(void **state) {
    UNUSED(state);
    u8 block[64] = {0};
    struct ctcblk b;
    u32 len, type, packets;
    bool bad;
    be16_put(block, 2 + 26 + 10);
    ctcblk_header(block + 2, 20);
    ctcblk_header(block + 28, 4);
    be16_put(block + 30, 0x86DD);
    for (u32 n = 0; n < 64; n++) assert_int_equal(ctcblk_open(&b, block, n), n >= 38);
    for (u32 cut = 2; cut <= 38; cut++) {
        be16_put(block, (u16)cut);
        assert_true(ctcblk_open(&b, block, cut));
        for (packets = 0; ctcblk_next(&b, &len, &type, &bad) != NULL; packets++) {
            assert_int_equal(len, packets ? 4 : 20);
            assert_int_equal(type, packets ? 0x86DD : 0x0800);
        }
        assert_int_equal(packets, cut >= 38 ? 2 : cut >= 28 ? 1 : 0);
        assert_int_equal(bad, cut != 2 && cut != 28 && cut != 38);
    }
    be16_put(block, 1);
    assert_false(ctcblk_open(&b, block, 64));
    be16_put(block, 38);
    be16_put(block + 2, 5); /* less than its own header */
    assert_true(ctcblk_open(&b, block, 38));
    assert_null(ctcblk_next(&b, &len, &type, &bad));
    assert_true(bad);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_stop),    cmocka_unit_test(tcp_both_ways),     cmocka_unit_test(partner_goes),
        cmocka_unit_test(partner_reset), cmocka_unit_test(stop_anywhere),     cmocka_unit_test(faults_everywhere),
        cmocka_unit_test(wrong_pairing), cmocka_unit_test(blocks),            cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
