/* osalab.c - see osalab.h. */
#include "tests/unit/osalab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hercules-devices/lcs_engine.h"
#include "hercules-devices/osa_engine.h"
#include "link/link_ctc.h"
#include "link/link_lcs.h"
#include "link/link_osa.h"
#include "net/tcp.h"

#define START_USEC 30000000u
#define STEPS_MAX  2000000u

struct ipaddr lab_ip(const char *text) {
    struct ipaddr a;
    assert_true(ipaddr_parse(text, strlen(text), &a));
    return a;
}

/* ---- time ---- */

static u32 lab_turn(struct lab *lab) {
    u32 n = 0;
    for (u32 i = 0; i < lab->hosts; i++) n += simchan_run(lab->host[i].sys, lab->now);
    for (u32 i = 0; i < lab->cards; i++) n += simcard_run(lab->card[i], lab->now);
    n += simlan_run(lab->lan, lab->now);
    if (lab->wires) n += lab->wires(lab->wires_ctx);
    for (u32 i = 0; i < lab->hosts; i++) lab->host[i].due = stack_poll(lab->host[i].stk, lab->now);
    return n;
}

void lab_settle(struct lab *lab) {
    /* The last turn finds nothing to do; one more poll may have sent something, so two quiet ones in a row. */
    for (u32 quiet = 0, turns = 0; quiet < 2; turns++) {
        assert_true(turns < STEPS_MAX);
        quiet = lab_turn(lab) ? 0 : quiet + 1;
    }
}

static u64 lab_due(const struct lab *lab) {
    u64 due = TIME_NEVER;
    for (u32 i = 0; i < lab->hosts; i++) {
        due = u64_min(due, lab->host[i].due);
        due = u64_min(due, simchan_due(lab->host[i].sys));
    }
    for (u32 i = 0; i < lab->cards; i++) due = u64_min(due, simcard_due(lab->card[i]));
    return due;
}

bool lab_until(struct lab *lab, u64 usec, bool (*done)(void *ctx), void *ctx) {
    u64 end = lab->now + usec;
    for (;;) {
        lab_settle(lab);
        if (done && done(ctx)) return true;
        if (lab->now >= end) return false;
        u64 due = lab_due(lab);
        lab->now = u64_min(end, u64_max(due, lab->now + 50));
    }
}

void lab_run(struct lab *lab, u64 usec) {
    lab_until(lab, usec, NULL, NULL);
}

/* ---- hosts ---- */

static void host_message(void *ctx, const char *text) {
    struct lab_host *h = ctx;
    snprintf(h->message[h->messages++ % LAB_MESSAGES], sizeof h->message[0], "%s", text);
    if (getenv("SIM_VERBOSE")) fprintf(stderr, "%s %s\n", h->name, text);
}

static u32 host_random(void *ctx) {
    struct lab *lab = ((struct lab_host *)ctx)->lab;
    lab->random ^= lab->random << 13;
    lab->random ^= lab->random >> 17;
    lab->random ^= lab->random << 5;
    return lab->random;
}

bool lab_said(const struct lab_host *h, const char *part) {
    for (u32 i = 0; i < u32_min(h->messages, LAB_MESSAGES); i++)
        if (strstr(h->message[i], part)) return true;
    return false;
}

struct lab *lab_create(void) {
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    lab->now = 3600000000u;
    lab->random = 0x390390;
    lab->lan = simlan_create();
    return lab;
}

static struct sim_card *card_of(struct lab *lab, const char *name, u32 mtu_bytes, u8 chpid) {
    struct osa_port_params p = {.mac = {0x02, 0, 0, 0, 0x39, (u8)(lab->cards + 1)},
                                .chpid = chpid,
                                .mtu_bytes = mtu_bytes,
                                .uplink = chpid != OSA_CHPID_IQD};
    snprintf(p.name, sizeof p.name, "%s", name);
    return lab->card[lab->cards++] = simcard_create(&p, lab->lan);
}

struct sim_card *lab_card(struct lab *lab, const char *name, u32 mtu_bytes) {
    return card_of(lab, name, mtu_bytes, OSA_CHPID_OSD);
}

struct sim_card *lab_iqd(struct lab *lab, const char *name, u32 mtu_bytes) {
    return card_of(lab, name, mtu_bytes, OSA_CHPID_IQD);
}

struct lab_host *lab_host(struct lab *lab, const char *name) {
    struct lab_host *h = &lab->host[lab->hosts++];
    struct stack_config cfg;
    struct arena a;
    h->lab = lab;
    snprintf(h->name, sizeof h->name, "%s", name);
    h->sys = simchan_create(link_osa_bytes(LAB_DEVICES) + link_lcs_bytes(LAB_DEVICES) + link_ctc_bytes(1) + 65536);
    simchan_verbose(h->sys, getenv("SIM_VERBOSE") != NULL);
    struct arena *s = simchan_arena(h->sys);
    assert_int_equal(link_osa_driver_init(&h->drivers[DEV_MPCIPA], h->sys, s, LAB_DEVICES), 0);
    assert_int_equal(link_lcs_driver_init(&h->drivers[DEV_LCS], h->sys, s, LAB_DEVICES), 0);
    assert_int_equal(link_ctc_driver_init(&h->drivers[DEV_CTC], h->sys, s, 1), 0);
    struct stack_env env = {.ctx = h, .message = host_message, .random = host_random, .drivers = h->drivers};
    stack_config_default(&cfg);
    cfg.max_sockets = 64;
    cfg.max_timewait = 64;
    size_t bytes = stack_bytes(&cfg);
    h->storage = calloc(1, bytes);
    arena_init(&a, h->storage, bytes);
    h->stk = stack_create(&a, "TCPIP", &cfg, &env, lab->now);
    assert_non_null(h->stk);
    return h;
}

/* ---- devices ---- */

static void lab_address(struct device *dev, const char *addr) {
    struct route_def r = {.prefix_bits = 24, .kind = ROUTE_STATIC, .lnk = dev->lnk};
    struct stack *stk = dev->stk;
    u64 now = stk->now;
    dev->lnk->bsd_mask = lab_ip("255.255.255.0");
    assert_int_equal(home_add(stk, lab_ip(addr), dev->lnk, 0, now), 0);
    r.dest.v4 = lab_ip(addr).v4 & dev->lnk->bsd_mask.v4;
    assert_int_equal(route_add(stk, &r, now), 0);
}

static struct device *lab_device(struct lab_host *h, struct sim_card *card, const char *name, u16 devnum,
                                 bool lcs) {
    u32 n = h->engines++;
    struct device *dev;
    struct link *lnk;
    char link_name[NAME_MAX_LEN + 1];
    h->group[n] = simchan_group_add(h->sys, devnum, lcs ? 2 : 3);
    h->engine[n] = malloc(lcs ? lcs_engine_bytes() : osa_engine_bytes());
    const struct engine_host *eh = simchan_group_host(h->group[n]);
    struct osa_params op = {.devnum = devnum, .chpid_type = simcard_osa(card)->params.chpid, .mode = OSA_MODE_QDIO_L3};
    struct lcs_params lp = {.devnum = devnum};
    snprintf(op.lpar, sizeof op.lpar, "%s", h->name);
    snprintf(lp.lpar, sizeof lp.lpar, "%s", h->name);
    struct engine *e = lcs ? lcs_engine_init(h->engine[n], eh, &lp) : osa_engine_init(h->engine[n], eh, &op);
    assert_non_null(e);
    simchan_group_engine(h->group[n], e);
    simport_join(simcard_port(card), h->group[n], SIMPORT_RING_BYTES);
    lab_settle(h->lab); /* the engine meets its card before anybody starts the device */
    assert_int_equal(device_add(h->stk, name, lcs ? DEV_LCS : DEV_MPCIPA, devnum, &dev), 0);
    snprintf(link_name, sizeof link_name, "L%s", name);
    enum link_type type = lcs ? LNK_ETHERNET : op.chpid_type == OSA_CHPID_IQD ? LNK_IPAQIDIO : LNK_IPAQENET;
    assert_int_equal(link_add(h->stk, dev, link_name, type, 0, &lnk), 0);
    return dev;
}

struct device *lab_osa(struct lab_host *h, struct sim_card *card, const char *name, u16 devnum,
                       const char *addr) {
    struct device *dev = lab_device(h, card, name, devnum, false);
    lab_address(dev, addr);
    return dev;
}

struct device *lab_lcs(struct lab_host *h, struct sim_card *card, const char *name, u16 devnum,
                       const char *addr) {
    struct device *dev = lab_device(h, card, name, devnum, true);
    lab_address(dev, addr);
    return dev;
}

void lab_vipa(struct lab_host *h, const char *addr) {
    struct device *dev;
    struct link *lnk;
    assert_int_equal(device_add(h->stk, "VIPA1", DEV_VIRTUAL, 0, &dev), 0);
    assert_int_equal(link_add(h->stk, dev, "LVIPA1", LNK_VIRTUAL, 0, &lnk), 0);
    assert_int_equal(home_add(h->stk, lab_ip(addr), lnk, 0, h->lab->now), 0);
}

void lab_route(struct lab_host *h, const char *addr, u8 bits, const char *gateway, struct device *dev) {
    struct route_def r = {.dest = lab_ip(addr), .prefix_bits = bits, .kind = ROUTE_STATIC, .lnk = dev->lnk};
    if (*gateway) r.gateway = lab_ip(gateway);
    assert_int_equal(route_add(h->stk, &r, h->lab->now), 0);
}

static struct lab *lab_of(const struct device *dev) {
    return ((struct lab_host *)dev->stk->env.ctx)->lab;
}
static bool is_ready(void *ctx) {
    return ((struct device *)ctx)->status == DEVST_READY && ((struct device *)ctx)->lnk->up;
}
static bool is_down(void *ctx) {
    return ((struct device *)ctx)->status == DEVST_NOT_ACTIVE;
}

void lab_start(struct device *dev) {
    assert_int_equal(device_start(dev, lab_of(dev)->now), 0);
    if (!lab_until(lab_of(dev), START_USEC, is_ready, dev))
        fail_msg("%s is %s", dev->name, device_status_name(dev->status));
    lab_run(lab_of(dev), 200000); /* registrations and their probes */
}

void lab_stop(struct device *dev) {
    assert_int_equal(device_stop(dev, lab_of(dev)->now), 0);
    if (!lab_until(lab_of(dev), START_USEC, is_down, dev))
        fail_msg("%s is %s", dev->name, device_status_name(dev->status));
}

/* ---- the end ---- */

static void check_pool(const struct pool *p) {
    if (p->in_use) fail_msg("pool %s: %u in use at the end", p->name, p->in_use);
}

void lab_destroy(struct lab *lab) {
    for (u32 i = 0; i < lab->hosts; i++) {
        struct lab_host *h = &lab->host[i];
        stack_stop(h->stk, lab->now);
    }
    lab_run(lab, 10000000);
    for (u32 i = 0; i < lab->hosts; i++) {
        struct lab_host *h = &lab->host[i];
        check_pool(&h->stk->small);
        check_pool(&h->stk->large);
        check_pool(&h->stk->huge);
        check_pool(tcp_buffer_pool(h->stk));
        assert_int_equal(simchan_open_count(h->sys), 0);
        assert_int_equal(simchan_counters(h->sys)->bad_addresses, 0);
    }
    for (u32 i = 0; i < lab->cards; i++) simcard_destroy(lab->card[i]);
    for (u32 i = 0; i < lab->hosts; i++) {
        struct lab_host *h = &lab->host[i];
        simchan_destroy(h->sys);
        for (u32 e = 0; e < h->engines; e++) free(h->engine[e]);
        free(h->storage);
    }
    simlan_destroy(lab->lan);
    free(lab);
}
