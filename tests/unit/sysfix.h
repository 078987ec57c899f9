/* sysfix.h - a whole system without a machine, for tests of super: memory data sets, a console that
 * remembers, and drivers whose devices become READY at once and swallow packets. Include it in one file of a
 * program.
 *
 *   fix_ipl()      IPL as LPAR SYSA from volume PLXRES; returns the wait code
 *   fix_start()    system_start()
 *   fix_cmd(text)  an operator command; its answer is in fix.text from fix.mark on
 *   fix_end()      stops, polls, checks that nothing is left open
 */
#ifndef TESTS_UNIT_SYSFIX_H
#define TESTS_UNIT_SYSFIX_H

#include "tests/unit/memds.h"

#include "base/str.h"
#include "net/stack_impl.h"
#include "super/command.h"
#include "super/console.h"
#include "super/system.h"
#include "super/tcpip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define FIX_TEXT  (256u << 10)
#ifndef FIX_ARENA
#define FIX_ARENA (16u << 20) /* holds one stack */
#endif

static struct {
    struct system sys;
    struct system_env env;
    struct arena arena;
    struct console con;
    struct console_sink sink;
    struct driver drivers[SYSTEM_STACKS_MAX][DEV_TYPES];
    char *text; /* everything the console showed */
    u32 len, mark;
    u64 now;
    u32 wait, attached, packets_out;
    bool lazy; /* devices stay STARTING until the test says so */
} fix;

static inline void fix_line(void *ctx, const char *text) {
    UNUSED(ctx);
    fix.len += str_fmt(fix.text + fix.len, FIX_TEXT - fix.len, "%s\n", text);
}
static inline void fix_command(void *ctx, const char *line, const struct reply *r, u64 now) {
    UNUSED(ctx);
    command_run(&fix.sys, line, r, now);
}
static inline u32 fix_random(void *ctx) {
    UNUSED(ctx);
    static u32 x = 1;
    return x = x * 1664525u + 1013904223u;
}
static inline u32 fix_wall(void *ctx) {
    UNUSED(ctx);
    return 972315471u; /* 2000-10-23 15:37:51 UTC */
}
static inline void fix_quiesced(void *ctx, enum wait_code wait, u64 now) {
    UNUSED(ctx);
    UNUSED(now);
    fix.wait = wait;
}

/* ---- drivers ---- */

static inline int fix_attach(struct device *dev, void *ctx) {
    UNUSED(ctx);
    UNUSED(dev);
    fix.attached++;
    return 0;
}
static inline void fix_detach(struct device *dev) {
    UNUSED(dev);
    fix.attached--;
}
static inline int fix_dev_start(struct device *dev, u64 now) {
    if (fix.lazy) return 0;
    dev->lnk->mtu_bytes = 1500;
    if (dev->type != DEV_LCS) dev->lnk->caps |= LINK_CAP_ARP;
    device_ready(dev, now);
    link_lan_up(dev->lnk, now);
    return 0;
}
static inline int fix_dev_stop(struct device *dev, u64 now) {
    device_stopped(dev, now);
    return 0;
}
static inline int fix_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    UNUSED(lnk);
    UNUSED(p);
    UNUSED(next_hop);
    UNUSED(now);
    fix.packets_out++;
    return 0;
}

static inline void fix_counters(const struct link *lnk, void (*row)(void *ctx, const char *name, u64 value), void *ctx) {
    row(ctx, "siga_write", 12345678901234ull);
    row(ctx, "drops_in_header", 2);
    row(ctx, "name_length", strlen(lnk->name));
}

static const struct device_ops fix_device_ops = {
    .type_name = "FIX", .attach = fix_attach, .detach = fix_detach, .start = fix_dev_start, .stop = fix_dev_stop};
static const struct link_ops fix_link_ops = {.output = fix_output, .counters = fix_counters};

/* ---- life ---- */

static inline void fix_begin(void) {
    memset(&fix, 0, sizeof fix);
    fix.now = 1000000;
    fix.text = calloc(1, FIX_TEXT);
    arena_init(&fix.arena, calloc(1, FIX_ARENA), FIX_ARENA);
    console_init(&fix.con);
    fix.sink = (struct console_sink){.line = fix_line};
    console_attach(&fix.con, &fix.sink);
    console_on_command(&fix.con, fix_command, NULL);
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++) {
        for (u32 t = DEV_MPCIPA; t <= DEV_CTC; t++)
            fix.drivers[i][t] = (struct driver){.device = &fix_device_ops, .link = &fix_link_ops};
        fix.env.drivers[i] = fix.drivers[i];
    }
    /* Small: each test carves a stack or two. */
    static const struct stack_config small = {.max_sockets = 64,
                                              .max_timewait = 64,
                                              .buffer_chunks = 128,
                                              .small_pbufs = 64,
                                              .large_pbufs = 16,
                                              .huge_pbufs = 4,
                                              .max_datagram_sockets = 16,
                                              .max_groups = 8,
                                              .max_links = 12,
                                              .max_home = 16,
                                              .max_routes = 24,
                                              .max_arp = 32,
                                              .max_port_rules = 24,
                                              .max_reassembly = 4};
    fix.env.stack_config = &small;
    fix.env.arena = &fix.arena;
    fix.env.con = &fix.con;
    fix.env.random = fix_random;
    fix.env.wall_seconds = fix_wall;
    fix.env.quiesced = fix_quiesced;
}

static inline u32 fix_ipl_as(const char *loadparm, const char *lpar, const char *hw) {
    struct ipl_info ipl = {.device = 0x0A80, .volser = "PLXRES"};
    str_copy(ipl.loadparm, sizeof ipl.loadparm, loadparm);
    str_copy(ipl.lparname, sizeof ipl.lparname, lpar);
    str_copy(ipl.hwname, sizeof ipl.hwname, hw);
    return system_ipl(&fix.sys, &ipl, &fix.env, fix.now);
}
static inline u32 fix_ipl(void) { return fix_ipl_as("0A80", "SYSA", "CPC1"); }

static inline void fix_poll(u64 us) {
    fix.now += us;
    for (u32 i = 0; i < 50; i++) system_poll(&fix.sys, fix.now);
}

static inline bool fix_cmd(const char *text) {
    fix.mark = fix.len;
    return command_run(&fix.sys, text, &fix.con.reply, fix.now);
}

static inline bool fix_said(const char *text) { return strstr(fix.text + fix.mark, text) != NULL; }
#define FIX_SAID(t)                                                                                          \
    do {                                                                                                     \
        if (!fix_said(t)) fail_msg("\"%s\" was not said, but:\n%s", t, fix.text + fix.mark);                 \
    } while (0)
#define FIX_NOT_SAID(t)                                                                                      \
    do {                                                                                                     \
        if (fix_said(t)) fail_msg("\"%s\" was said:\n%s", t, fix.text + fix.mark);                           \
    } while (0)

static inline void fix_free(void) {
    free(fix.text);
    free(fix.arena.base);
    assert_int_equal(memds_open, 0);
    memds_clear();
}

/* P everything; nothing of drivers or data sets may be left. */
static inline void fix_end(void) {
    command_run(&fix.sys, "Z EOD", &fix.con.reply, fix.now);
    for (u32 i = 0; i < 100 && !fix.sys.quiesced; i++) fix_poll(USEC_PER_SEC);
    assert_true(fix.sys.quiesced);
    assert_int_equal(fix.wait, WAIT_QUIESCED);
    assert_int_equal(fix.attached, 0);
    fix_free();
}

#endif
