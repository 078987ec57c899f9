/* test_xcf_adapters.c - XCF of two systems over real engines: paths over a channel-to-channel pair, paths over a structure,
 * couple data in a real facility. They meet; messages of every length arrive; a link that goes is seen at once; a system that does
 * not read holds nobody up; one that dies is isolated, and only then gone; one that was isolated learns it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hercules-devices/cf_engine.h"
#include "hercules-devices/cf_link.h"
#include "hercules-devices/ctc_engine.h"
#include "tests/sim/simport.h"
#include "tests/unit/xcfnode.h"
#include "wire/xcfcds.h"
#include "xcf/ctcpath.h"
#include "xcf/pathbuf.h"

#define NODES 2
#define DEVNUM_CTC 0x0C00
#define DEVNUM_CF 0x0F00
#define STORAGE_KB 16384
#define STEP_US 500

struct message {
    struct message *next;
    u32 len;
    u8 bytes[];
};
struct node {
    struct rig *rig;
    u32 index;
    struct chan_system *sys;
    struct sim_group *ctc_group, *cf_group;
    void *ctc_engine, *cf_engine;
    struct sim_wire *wire;
    u32 number; /* at the facility */
    struct message *first, **last, *reserved; /* on the way to the other end of the CTC */
    struct xcfnode s;
    struct ctcpaths *ctc;
    u64 due;
    u32 spared; /* rounds without news */
    bool rests; /* the last events left nothing to do */
    u32 rested;
    enum chan_heard heard;
    bool asleep;
    u32 received, bytes, gone;
};
struct rig {
    struct cf *cf;
    struct cf_host host;
    void *storage;
    struct sim_port *port;
    u8 ring[CF_MESSAGE_MAX];
    u64 now;
    bool ctc_up;
    u64 isolated;
    u32 outruns; /* SYSC joins just before SYSA's so manieth read of the records from now, so that SYSA hears of it behind that; 0 never */
    struct node node[NODES];
    u8 data[XCFMSG_DATA_MAX];
};

/* ---- the facility ---- */

static struct node *of_number(struct rig *r, u32 number) {
    for (u32 i = 0; i < NODES; i++)
        if (r->node[i].number == number) return &r->node[i];
    return NULL;
}
static u8 *host_reserve(void *ctx, u32 n, u32 bytes) {
    struct rig *r = ctx;
    if (!of_number(r, n)) return r->ring; /* a system that is no node: life_of() */
    return simport_room(of_number(r, n)->wire) < bytes ? NULL : r->ring;
}
static void host_commit(void *ctx, u32 n, u32 bytes) {
    struct rig *r = ctx;
    if (of_number(r, n)) assert_true(simport_send(of_number(r, n)->wire, r->ring, bytes));
}
static bool host_isolate(void *ctx, const char *name, u64 incarnation) {
    struct rig *r = ctx;
    UNUSED(name);
    r->isolated = incarnation;
    return true;
}
static void host_log(void *ctx, enum engine_severity sev, const char *text) {
    UNUSED(ctx);
    UNUSED(sev);
    UNUSED(text);
}
static void wire_up(void *ctx, struct sim_wire *w, u64 now) {
    static const char *const names[NODES] = {"LPARA", "LPARB"};
    struct rig *r = ctx;
    struct node *n = &r->node[simport_wire_number(w)];
    UNUSED(now);
    int number = cf_link_up(r->cf, names[n->index], 500 + n->index);
    n->number = number < 0 ? CF_SYSTEMS : (u32)number;
}
static void wire_down(void *ctx, struct sim_wire *w, u64 now) {
    struct rig *r = ctx;
    struct node *n = &r->node[simport_wire_number(w)];
    UNUSED(now);
    if (n->number < CF_SYSTEMS) cf_link_down(r->cf, n->number);
    n->number = CF_SYSTEMS;
}
static u32 sysc_joins(struct rig *r, u64 incarnation, u32 counter);
static void wire_message(void *ctx, struct sim_wire *w, const u8 *msg, u32 len, u64 now) {
    struct rig *r = ctx;
    struct node *n = &r->node[simport_wire_number(w)];
    UNUSED(now);
    if (r->outruns && n->index == 0 && msg[1] == CF_READ_LIST && --r->outruns == 0) sysc_joins(r, 5000, 1);
    if (n->number < CF_SYSTEMS) cf_message(r->cf, n->number, msg, len);
}
static void batch_end(void *ctx, u64 now) {
    UNUSED(now);
    cf_pump(((struct rig *)ctx)->cf);
}
static const struct simport_ops PORT = {wire_up, wire_down, wire_message, batch_end};

/* ---- the channel-to-channel pair ---- */

static u8 *tx_reserve(void *ctx, u32 bytes) {
    struct node *n = ctx;
    if (!n->rig->ctc_up) return NULL;
    free(n->reserved);
    struct message *m = malloc(sizeof *m + bytes);
    assert_non_null(m);
    *m = (struct message){.len = bytes};
    n->reserved = m;
    return m->bytes;
}
static void tx_commit(void *ctx, u32 bytes) {
    struct node *n = ctx;
    assert_in_range(bytes, 1, n->reserved->len);
    n->reserved->len = bytes;
    *n->last = n->reserved;
    n->last = &n->reserved->next;
    n->reserved = NULL;
}
static void ctc_drop(struct node *n) {
    for (struct message *m; (m = n->first) != NULL; free(m)) n->first = m->next;
    n->last = &n->first;
    free(n->reserved);
    n->reserved = NULL;
}
static u32 ctc_run(struct rig *r) {
    u32 count = 0;
    for (u32 i = 0; i < NODES; i++) {
        struct node *n = &r->node[i];
        struct engine *to = simchan_engine(r->node[!i].ctc_group);
        for (struct message *m; (m = n->first) != NULL; count++) {
            n->first = m->next;
            if (!n->first) n->last = &n->first;
            to->ops->rx(to, m->bytes, m->len);
            free(m);
        }
        to->ops->rx_end(to);
    }
    return count;
}
static void ctc_set(struct rig *r, bool up) {
    for (u32 i = 0; i < NODES && !up; i++) ctc_drop(&r->node[i]);
    r->ctc_up = up;
    for (u32 i = 0; i < NODES; i++) {
        struct engine *e = simchan_engine(r->node[i].ctc_group);
        e->ops->link_state(e, up);
    }
}

/* ---- time ---- */

static u32 events(struct node *n, u64 now) {
    u32 count = simchan_run(n->sys, now);
    n->heard = simchan_heard(n->sys);
    if (count) n->rests = n->heard == CHAN_NOTHING;
    return count;
}

/* As the nucleus does it: everything after news and when its time has come, else only what XCF has put into its paths, and nothing after
 * events that leave nothing. So each test here is also one of chan_no_news(), chan_no_work(), xcf_stirred() and xcf_due(): whoever keeps
 * something to himself is not asked again before a second has passed. */
static void node_poll(struct rig *r, struct node *n) {
    if (n->asleep || !n->s.x) return;
    bool whole = n->heard == CHAN_NEWS || r->now >= n->due;
    if (whole)
        n->due = xcfnode_poll(&n->s, r->now);
    else
        n->spared++;
    if (!whole && n->rests) {
        n->rested++;
        return;
    }
    if (!whole && !xcf_stirred(n->s.x) && !strpaths_stirred(n->s.str)) return;
    n->due = u64_min(n->due, xcf_due(n->s.x, r->now));
    n->due = u64_min(n->due, ctcpaths_poll(n->ctc, r->now));
    if (!whole) n->due = u64_min(n->due, strpaths_poll(n->s.str, r->now));
}
static void run(struct rig *r, u64 us) {
    for (u32 i = 0; i < NODES; i++) r->node[i].rests = false; /* the test may have sent something */
    for (u64 end = r->now + us; r->now < end; r->now += STEP_US) {
        u32 moved;
        do {
            moved = simport_run(r->port, r->now) + ctc_run(r);
            for (u32 i = 0; i < NODES; i++)
                if (!r->node[i].asleep) moved += events(&r->node[i], r->now);
            for (u32 i = 0; i < NODES; i++) node_poll(r, &r->node[i]);
        } while (moved);
    }
}

/* ---- a system ---- */

static void on_message(void *ctx, const struct xcf_msg *m, u64 now) {
    struct node *n = ctx;
    u8 got[64];
    UNUSED(now);
    u32 len = xcf_msg_bytes(m), at = len > 64 ? len - 64 : 0;
    xcf_msg_copy(m, at, got, len - at);
    assert_memory_equal(got, n->rig->data + at, len - at);
    n->received++;
    n->bytes += len;
}
static void on_group(void *ctx, const struct xcf_event *e, u64 now) {
    struct node *n = ctx;
    UNUSED(now);
    if (e->kind == XCF_EV_SYSTEM_GONE) {
        n->gone++;
        assert_true(n->rig->isolated != 0); /* never the other order */
    }
}
static const struct xcf_exits EXITS = {.message = on_message, .group = on_group};

static void devices_begin(struct rig *r, struct node *n) {
    static const char *const names[NODES] = {"SYSA", "SYSB"};
    struct ctc_params cp = {.devnum = DEVNUM_CTC, .partner_devnum = DEVNUM_CTC, .home = n->index == 0};
    struct cf_link_params lp = {.devnum = DEVNUM_CF};
    str_copy(cp.lpar, sizeof cp.lpar, names[n->index]);
    str_copy(cp.partner, sizeof cp.partner, names[!n->index]);
    str_fmt(lp.lpar, sizeof lp.lpar, "LPAR%c", 'A' + (int)n->index);
    n->sys = simchan_create(24u << 20);
    n->ctc_group = simchan_group_add(n->sys, DEVNUM_CTC, 2);
    n->ctc_engine = malloc(ctc_engine_bytes());
    simchan_group_engine(n->ctc_group, ctc_engine_init(n->ctc_engine, simchan_group_host(n->ctc_group), &cp));
    simchan_group_tx(n->ctc_group, &(struct sim_tx){.ctx = n, .reserve = tx_reserve, .commit = tx_commit});
    n->cf_group = simchan_group_add(n->sys, DEVNUM_CF, 1);
    n->cf_engine = malloc(cf_link_bytes());
    simchan_group_engine(n->cf_group, cf_link_init(n->cf_engine, simchan_group_host(n->cf_group), &lp));
    n->wire = simport_join(r->port, n->cf_group, SIMPORT_RING_BYTES);
}

static void node_begin(struct rig *r, u32 i, bool ctc, bool structure) {
    static const u16 links[] = {DEVNUM_CF};
    struct node *n = &r->node[i];
    struct arena *a = simchan_arena(n->sys);
    xcfnode_create(&n->s,
                   &(struct xcfnode_config){
                       .arena = a, .sys = n->sys, .devices = links, .devices_count = 1, .index = i, .acouple = "", .interval_s = 4},
                   r->now);
    n->ctc = ctcpaths_create(a, n->sys, n->s.x, 2);
    assert_non_null(n->ctc);
    for (u32 out = 0; out < 2; out++) {
        struct couple_path p = {.outbound = out, .retry = 10, .maxmsg_kb = 500};
        str_fmt(p.name, sizeof p.name, "%04X", DEVNUM_CTC + out);
        if (ctc) assert_int_equal(ctcpaths_add(n->ctc, &p, r->now), 0);
    }
    if (structure) xcfnode_structure(&n->s, "IXCSTR1", 500, r->now);
    xcfnode_join(&n->s, &EXITS, n, r->now);
}

/* Devices and a facility, and nobody who uses them yet. */
static struct rig *rig_new(void) {
    struct rig *r = calloc(1, sizeof *r);
    struct cf_params p = {.name = "CF01", .incarnation = 77, .storage_kb = STORAGE_KB};
    assert_non_null(r);
    for (u32 i = 0; i < XCFMSG_DATA_MAX; i++) r->data[i] = (u8)(i ^ i >> 8);
    r->now = 1000000;
    r->host = (struct cf_host){r, host_reserve, host_commit, host_isolate, host_log};
    r->storage = calloc(1, cf_engine_bytes(STORAGE_KB));
    r->cf = cf_engine_init(r->storage, &p, &r->host);
    r->port = simport_create(&PORT, r);
    for (u32 i = 0; i < NODES; i++) {
        r->node[i] = (struct node){.rig = r, .index = i, .number = CF_SYSTEMS};
        r->node[i].last = &r->node[i].first;
        devices_begin(r, &r->node[i]);
    }
    ctc_set(r, true);
    run(r, 1000);
    return r;
}

static struct rig *rig_begin(bool ctc, bool structure) {
    struct rig *r = rig_new();
    for (u32 i = 0; i < NODES; i++) node_begin(r, i, ctc, structure);
    run(r, 3000000);
    return r;
}

static void rig_end(struct rig *r) {
    for (u32 i = 0; i < NODES; i++) {
        struct node *n = &r->node[i];
        n->asleep = false;
        if (!n->s.x) continue;
        ctcpaths_close(n->ctc);
        simchan_run(n->sys, r->now);
        cflinks_close(n->s.links, r->now);
        assert_int_equal(simchan_open_count(n->sys), 0);
    }
    cf_verify(r->cf);
    for (u32 i = 0; i < NODES; i++) {
        struct node *n = &r->node[i];
        ctc_drop(n);
        free(n->ctc_engine);
        free(n->cf_engine);
        simchan_destroy(n->sys);
    }
    simport_destroy(r->port);
    free(r->storage);
    free(r);
}

static enum xcf_system_state sees(struct rig *r, u32 i, u32 j) {
    struct xcf_system_info info;
    for (u32 k = 1; xcf_system(r->node[i].s.x, k, &info); k++)
        if (info.id.name[3] == (char)('A' + j)) return info.state;
    return XCF_SYS_FREE;
}
static void both_active(struct rig *r) {
    if (sees(r, 0, 1) != XCF_SYS_ACTIVE || sees(r, 1, 0) != XCF_SYS_ACTIVE)
        fail_msg("they do not meet:\n%s--\n%s", r->node[0].s.said, r->node[1].s.said);
}
static u32 token_of(struct rig *r, u32 i, u32 j) {
    struct xcf_member_info info[4];
    u32 n = xcf_query(r->node[i].s.x, "TEST", info, 4);
    for (u32 k = 0; k < n && k < 4; k++)
        if (info[k].system[3] == (char)('A' + j)) return info[k].token;
    return 0;
}
static bool said(const struct node *n, const char *text) { return strstr(n->s.said, text) != NULL; }

/* ---- rows ---- */

/* Every length from nothing to the longest message, both ways. */
static void messages(struct rig *r) {
    static const u32 lengths[] = {0, 1, 63, 3968, 3969, 4032, 8000, 61440};
    both_active(r);
    for (u32 i = 0; i < NODES; i++) {
        struct node *to = &r->node[!i];
        u32 before = to->received;
        for (u32 k = 0; k < ARRAY_LEN(lengths); k++) {
            assert_int_equal(xcf_send(r->node[i].s.member, token_of(r, i, !i), NULL, r->data, lengths[k], r->now), 0);
            run(r, 20000);
        }
        assert_int_equal(to->received, before + ARRAY_LEN(lengths));
    }
    run(r, 30000); /* until the last one is acknowledged: what is not is sent again when its path is lost */
    for (u32 i = 0; i < NODES; i++) assert_int_equal(xcf_counters(r->node[i].s.x)->segments_again, 0);
}

static void test_ctc(void **state) {
    UNUSED(state);
    struct rig *r = rig_begin(true, false);
    messages(r);
    assert_int_equal(ctcpaths_counters(r->node[0].ctc)->drop_rest, 0);
    assert_true(r->node[0].spared > 100 && r->node[1].spared > 100);
    assert_true(r->node[0].rested > 0 && r->node[1].rested > 0);
    /* Both directions are known to be down at once, although nothing was under way on the outbound one. */
    for (u32 round = 0; round < 3; round++) {
        ctc_set(r, false);
        run(r, 2000);
        for (u32 i = 0; i < 2; i++) assert_int_equal(ctcpaths_state(r->node[0].ctc, i), CTCPATH_AWAIT);
        ctc_set(r, true);
        run(r, 2500000);
        for (u32 i = 0; i < 2; i++) assert_int_equal(ctcpaths_state(r->node[0].ctc, i), CTCPATH_UP);
        both_active(r);
    }
    assert_int_equal(r->node[0].gone, 0);
    rig_end(r);
}

/* Messages that come while SYSB stands still wait at both ends, more of them than a program has READs; then all come, in order. */
static void test_ctc_waits(void **state) {
    UNUSED(state);
    struct rig *r = rig_begin(true, false);
    struct node *a = &r->node[0], *b = &r->node[1];
    both_active(r);
    for (u32 round = 1; round < 30; round += 4) {
        u32 before = b->received;
        b->asleep = true;
        for (u32 i = 0; i < round; i++) {
            assert_int_equal(xcf_send(a->s.member, token_of(r, 0, 1), NULL, r->data, 1000 * (i % 4), r->now), 0);
            run(r, 1000);
        }
        b->asleep = false;
        run(r, 20000);
        assert_int_equal(b->received, before + round);
    }
    assert_int_equal(ctcpaths_counters(b->ctc)->drop_rest, 0);
    assert_int_equal(xcf_counters(a->s.x)->segments_again, 0);
    rig_end(r);
}

static void test_structure(void **state) {
    UNUSED(state);
    struct rig *r = rig_begin(false, true);
    struct strpath_info info;
    messages(r);
    assert_true(strpaths_info(r->node[0].s.str, 0, &info));
    assert_string_equal(info.facility, "CF01");
    assert_int_equal(info.partners, 1);
    /* The facility dies and comes back empty: everything is made anew, and nobody is gone. */
    simport_kill(r->port);
    run(r, 5000);
    assert_true(said(&r->node[0], "IXC518I SYSTEM SYSA NOT USING COUPLING FACILITY NAMED CF01"));
    simport_start(r->port);
    run(r, 3000000);
    messages(r);
    assert_int_equal(r->node[0].gone + r->node[1].gone, 0);
    rig_end(r);
}

/* Messages go by device while there is one, for a structure takes twice as long; when the devices fail the structure carries on. */
static void test_devices_first(void **state) {
    UNUSED(state);
    struct rig *r = rig_begin(true, true);
    struct node *a = &r->node[0];
    both_active(r);
    for (u32 round = 0; round < 2; round++) {
        u64 ctc = ctcpaths_counters(a->ctc)->bytes_out, str = strpaths_counters(a->s.str)->bytes_out;
        u32 before = r->node[1].received;
        for (u32 i = 0; i < 20; i++) {
            assert_int_equal(xcf_send(a->s.member, token_of(r, 0, 1), NULL, r->data, 4000, r->now), 0);
            run(r, 20000);
        }
        assert_int_equal(r->node[1].received, before + 20);
        ctc = ctcpaths_counters(a->ctc)->bytes_out - ctc;
        str = strpaths_counters(a->s.str)->bytes_out - str;
        if (round == 0) assert_true(ctc > 80000 && str < 4000); /* of the other there are HELLOs */
        if (round == 1) assert_true(ctc == 0 && str > 80000);
        ctc_set(r, false);
        run(r, 20000);
    }
    both_active(r);
    rig_end(r);
}

/* What is sent to a system that stands still for less than INTERVAL waits in its list and in the sender; then all of it comes. */
static void test_full_list(void **state) {
    UNUSED(state);
    struct rig *r = rig_begin(false, true);
    struct node *a = &r->node[0], *b = &r->node[1];
    u32 accepted = 0, before = b->received;
    both_active(r);
    b->asleep = true;
    for (u32 i = 0; i < 100; i++) {
        accepted += xcf_send(a->s.member, token_of(r, 0, 1), NULL, r->data, 4000, r->now) == 0;
        run(r, 5000);
    }
    b->asleep = false;
    run(r, 4000000);
    both_active(r);
    assert_true(accepted > 32);
    assert_int_equal(b->received, before + accepted);
    assert_int_equal(strpaths_counters(b->s.str)->drop_unknown, 0);
    rig_end(r);
}

/* SYSB's processor stops: isolated after INTERVAL, then gone; awake, it learns it from its link. */
static void test_frozen(void **state) {
    UNUSED(state);
    struct rig *r = rig_begin(true, true);
    struct node *a = &r->node[0], *b = &r->node[1];
    both_active(r);
    b->asleep = true;
    run(r, 2500000); /* its last sign of life may be a second older */
    assert_int_equal(r->isolated, 0);
    run(r, 3000000);
    assert_int_equal(r->isolated, 501); /* what ISOLATE named: the LPAR's incarnation, not the system's */
    assert_int_equal(a->gone, 1);
    assert_int_equal(a->s.questions, 0);
    assert_true(said(a, "IXC101I SYSPLEX PARTITIONING IN PROGRESS FOR SYSB"));
    b->asleep = false;
    run(r, 1500000);
    assert_true(b->s.wait_code == 0x0A2);
    assert_int_equal(b->gone, 0);
    rig_end(r);
}

/* SYSB's emulator dies: every connection of it drops, and nobody waits for INTERVAL. */
static void test_killed(void **state) {
    UNUSED(state);
    struct rig *r = rig_begin(true, true);
    struct node *a = &r->node[0], *b = &r->node[1];
    both_active(r);
    b->asleep = true;
    simport_wire_cut(b->wire, true);
    ctc_set(r, false);
    run(r, 50000);
    assert_int_equal(r->isolated, 501);
    assert_int_equal(a->gone, 1);
    rig_end(r);
}

/* Without the facility nothing is isolated: the operator is asked, and nobody is gone. */
static void test_no_arbiter(void **state) {
    UNUSED(state);
    struct rig *r = rig_begin(true, true);
    struct node *a = &r->node[0], *b = &r->node[1];
    both_active(r);
    simport_kill(r->port);
    run(r, 6000000);
    both_active(r);
    assert_int_equal(a->s.questions, 0);
    b->asleep = true;
    ctc_set(r, false);
    run(r, 8000000);
    assert_int_equal(a->s.questions, 1);
    assert_true(said(a, "IXC402D SYSB LAST OPERATIVE AT"));
    assert_int_equal(a->gone, 0);
    rig_end(r);
}

static void test_tables(void **state) {
    UNUSED(state);
    u32 changes = 0;
    for (u32 s = 0; s < CTCPATH_STATES; s++) {
        assert_true(strlen(ctcpath_state_name((enum ctcpath_state)s)) > 1);
        for (u32 e = 0; e < CTCPATH_EVENTS; e++) changes += ctcpath_next((enum ctcpath_state)s, (enum ctcpath_event)e) != (enum ctcpath_state)s;
    }
    assert_int_equal(changes, 9);
    assert_int_equal(ctcpath_next(CTCPATH_UP, CTCPATH_ABSENT), CTCPATH_AWAIT);
    assert_int_equal(ctcpath_next(CTCPATH_FOREIGN, CTCPATH_AGAIN), CTCPATH_FOREIGN);
    for (u32 s = 0; s < STRPATH_STATES; s++) assert_true(strlen(strpath_state_name((enum strpath_state)s)) > 1);
}

/* A transfer that ends in the middle of a block, and a block that says it is longer than the transfer. */
static void test_transfer_cut(void **state) {
    UNUSED(state);
    u8 t[200] = {0};
    be16_put(t + 4, 100);
    be16_put(t + 104, 100);
    assert_int_equal(pathbuf_block(t, 0, 200), 100);
    assert_int_equal(pathbuf_block(t, 100, 200), 100);
    assert_int_equal(pathbuf_block(t, 200, 200), 0);
    for (u32 len = 0; len < 200; len++) assert_int_equal(pathbuf_block(t, 100, u32_max(len, 100)), 0);
    be16_put(t + 4, 63);
    assert_int_equal(pathbuf_block(t, 0, 200), 0);
}

/* Whoever is not told how long a transfer was knows it by its end, behind the last block, also behind a longer one that was in the buffer before. */
static void test_transfer_end(void **state) {
    UNUSED(state);
    static u8 storage[2][PATHBUF_STORAGE];
    u8 block[4096] = {0};
    struct pathbuf b;
    u32 len;
    pathbuf_init(&b, storage[0], storage[1]);
    for (u32 blocks = PATHBUF_BYTES / sizeof block; blocks > 0; blocks--) {
        be16_put(block + 4, sizeof block);
        for (u32 i = 0; i < blocks; i++) assert_true(pathbuf_put(&b, block, sizeof block));
        const u8 *t = pathbuf_take(&b, &len);
        assert_int_equal(len, blocks * sizeof block);
        u32 at = 0, bytes;
        while ((bytes = pathbuf_block(t, at, PATHBUF_BYTES)) != 0) at += bytes;
        assert_int_equal(at, len);
        assert_true(pathbuf_ends(t, at));
        /* One block less than it has: the rest is no end. */
        assert_false(pathbuf_ends(t, at - (u32)sizeof block));
        assert_false(pathbuf_landed(&b));
    }
    assert_false(pathbuf_ends(storage[0], 0)); /* it had no block at all */
}

/* A system that is nothing but its record: it connects and writes once. Its number at the facility. */
static u32 sysc_joins(struct rig *r, u64 incarnation, u32 counter) {
    static const char *const structure = "IXCCDS_PLEX1";
    u32 number = (u32)cf_link_up(r->cf, "LPARC", 600);
    u8 cmd[CF_LIST_BYTES + XCFCDS_BYTES] = {0};
    struct xcfcds record = {.counter = counter, .weight = 1, .incarnation = incarnation, .lpar_incarnation = 600, .system = "SYSC", .lpar = "LPARC", .sysplex = "PLEX1"};
    cf_command_put(cmd, CF_CONNECT, 1, CF_CONNECT_BYTES, 0, 0);
    xcfcds_name_put(cmd + 16, structure, CF_NAME_BYTES);
    xcfcds_name_put(cmd + 32, "SYSC", CF_NAME_BYTES);
    cmd[48] = CF_TYPE_LIST;
    be64_put(cmd + 80, incarnation);
    cf_message(r->cf, number, cmd, CF_CONNECT_BYTES);
    assert_int_equal(cf_rc_get(r->ring), CF_OK);
    u32 token = be32_get(r->ring + 16);
    u8 id = r->ring[20];
    memset(cmd, 0, sizeof cmd);
    cf_command_put(cmd, CF_WRITE, 2, sizeof cmd, token, id);
    cmd[36] = CF_BY_NAME;
    be16_put(cmd + 38, CF_F_DATA);
    xcfcds_name_put(cmd + 64, "SYSC", CF_ENTRY_NAME_BYTES);
    xcfcds_emit(cmd + CF_LIST_BYTES, &record);
    cf_message(r->cf, number, cmd, sizeof cmd);
    assert_int_equal(cf_rc_get(r->ring), CF_OK);
    return number;
}

/* One life of it; it leaves if it is told to. */
static void life_of_sysc(struct rig *r, u64 incarnation, u32 counter, bool leaves) {
    u32 number = sysc_joins(r, incarnation, counter);
    cf_pump(r->cf);
    run(r, 2200000);
    if (leaves) cf_link_down(r->cf, number);
    run(r, 100000);
}

/* A system is IPLed again. Its record counts from 1 again: it is believed at once, though its earlier life had come further. */
static void test_earlier_life(void **state) {
    UNUSED(state);
    struct rig *r = rig_begin(true, false);
    struct xcf_system_info info;
    both_active(r);
    life_of_sysc(r, 5000, 900, true);
    u64 begun = r->now;
    life_of_sysc(r, 6000, 1, false);
    u32 k = 1;
    while (xcf_system(r->node[0].s.x, k, &info) && strcmp(info.id.name, "SYSC") != 0) k++;
    assert_string_equal(info.id.name, "SYSC");
    assert_int_equal(info.id.incarnation, 6000);
    assert_true(info.last_status >= begun); /* read as soon as its connection is seen */
    rig_end(r);
}

/* A record that is read before the answer to who is connected is no trace of a system that has gone. SYSA, which is being IPLed and has
 * nobody yet who would know better, must not partition out whoever joins in that moment. Its first read only says where the couple data
 * are. */
static void test_record_outruns_connection(void **state) {
    UNUSED(state);
    for (u32 reads = 2; reads < 5; reads++) {
        struct rig *r = rig_new();
        r->outruns = reads;
        node_begin(r, 0, false, false);
        run(r, reads == 2 ? 1000000 : 5000000);
        assert_int_equal(r->outruns, 0);
        assert_int_equal(r->isolated, 0);
        assert_int_equal(sees(r, 0, 2), XCF_SYS_JOINING);
        rig_end(r);
    }
}

static void test_record(void **state) {
    UNUSED(state);
    struct xcfcds in = {.counter = 7, .weight = 3, .generation = 5, .primary = "CF02", .alternate = "CF01", .incarnation = 1ull << 40, .lpar_incarnation = 9,
                        .system = "SYSA", .lpar = "LPARA", .sysplex = "PLEX1"};
    struct xcfcds out;
    u8 p[XCFCDS_BYTES];
    xcfcds_emit(p, &in);
    assert_memory_equal(p + 8, "SYSA    ", 8);
    assert_true(xcfcds_parse(p, sizeof p, &out));
    assert_memory_equal(&in, &out, offsetof(struct xcfcds, system));
    assert_string_equal(out.lpar, "LPARA");
    assert_string_equal(out.sysplex, "PLEX1");
    assert_string_equal(out.primary, "CF02");
    assert_string_equal(out.alternate, "CF01");
    for (u32 len = 0; len < sizeof p; len++) assert_false(xcfcds_parse(p, len, &out));
    p[0] ^= 1;
    assert_false(xcfcds_parse(p, sizeof p, &out));
    struct xcfcds note = {.note = true, .generation = 4, .sysplex = "PLEX1", .primary = "CF02"};
    xcfcds_emit(p, &note);
    assert_true(xcfcds_parse(p, sizeof p, &out));
    assert_true(out.note && out.generation == 4);
    assert_string_equal(out.primary, "CF02");
    assert_string_equal(out.alternate, "");
    assert_string_equal(out.system, "");
    be32_put(p + 52, 0); /* it says nothing without a generation */
    assert_false(xcfcds_parse(p, sizeof p, &out));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),     cmocka_unit_test(test_transfer_cut), cmocka_unit_test(test_transfer_end), cmocka_unit_test(test_record),
        cmocka_unit_test(test_earlier_life), cmocka_unit_test(test_record_outruns_connection),
        cmocka_unit_test(test_ctc),        cmocka_unit_test(test_ctc_waits),
        cmocka_unit_test(test_structure),  cmocka_unit_test(test_full_list),
        cmocka_unit_test(test_devices_first),
        cmocka_unit_test(test_frozen),     cmocka_unit_test(test_killed),       cmocka_unit_test(test_no_arbiter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
