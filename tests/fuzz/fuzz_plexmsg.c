/* fuzz_plexmsg.c - any messages from another stack of the group EZBTCPCS, at a stack that has joined with DVIPAs of its own.
 *
 * The other stack is a member of the same XCF whose user state is good; its messages are the input: kind 1, length 2, data. A
 * kind of 0 lets time pass; its data, if they are 32 bytes or more, become the other stack's user state. What the stack answers goes nowhere. Checked by the code's own CHECKs and the sanitizers, and that
 * every row goes with its peer: at the end the other stack leaves and nothing of it is left.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "net/stack_impl.h"
#include "sysplex/distributor.h"
#include "sysplex/dvipa_impl.h"

#define STORAGE (64u << 20)
#define SEC     ((u64)USEC_PER_SEC)

static u32 bits(void *ctx) {
    u32 *x = ctx;
    return *x = *x * 1664525u + 1013904223u;
}

static struct xcf *xcf_make(struct arena *a, u64 now) {
    struct couple c;
    static const struct xcf_env none = {.ctx = NULL};
    couple_default(&c);
    struct xcf_config config = {.arena = a, .couple = &c, .id = {"SYSA", 1}, .env = &none, .systems = 2, .members = 8, .groups = 4};
    config.segments = 256;
    return xcf_create(&config, now);
}

static struct xcf_member *other_join(struct xcf *x, u64 now) {
    static const struct xcf_exits exits = {.message = NULL};
    struct plexmsg_ustate u = {.incarnation = 7, .epoch = 1, .dynxcf = ipaddr_v4(0xC109C802), .mask = ipaddr_v4(0xFFFFFF00)};
    struct xcf_join j = {.group = SYSPLEX_GROUP, .member = "SYSBTCPIP", .exits = &exits};
    struct xcf_member *m = NULL;
    memcpy(u.sysclone, "0B", 3);
    memcpy(u.tcpname, "TCPIP", 6);
    plexmsg_ustate_emit(j.ustate, &u);
    CHECK(xcf_join(x, &j, &m, now) == 0);
    return m;
}

static void turn(struct xcf *x, struct sysplex *sx, struct stack *stk, u64 now) {
    for (u32 i = 0; i < 3; i++) {
        xcf_poll(x, now);
        sysplex_poll(sx, now);
        stack_poll(stk, now);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len) {
    static u8 *storage;
    struct fuzz z = {data, len};
    struct arena a;
    struct stack_config cfg;
    struct sysplex_config sc;
    struct distributor_config dc;
    struct driver drivers[DEV_TYPES] = {{0}};
    u32 seed = 1;
    u64 now = SEC;
    if (!storage) storage = aligned_alloc(16, STORAGE);
    arena_init(&a, storage, STORAGE);
    struct xcf *x = xcf_make(&a, now);
    stack_config_default(&cfg);
    cfg.max_sockets = cfg.max_timewait = cfg.buffer_chunks = cfg.small_pbufs = cfg.large_pbufs = 16;
    cfg.max_dvipas = 16;
    sysplex_config_default(&sc);
    sc.dvipas = sc.dvipa_rows = sc.home_rows = sc.moved = sc.ranges = 16;
    sc.arena = &a;
    sc.sysname = "SYSA";
    sc.sysclone = "0A";
    sc.tcpname = "TCPIP";
    sc.incarnation = 5;
    struct sysplex *sx = sysplex_create(&sc, now);
    distributor_config_default(&dc);
    dc.arena = &a;
    CHECK(x && sx && distributor_create(&dc, sx, now));
    drivers[DEV_MPCPTP] = sysplex_driver(sx);
    struct stack_env env = {.ctx = &seed, .random = bits, .drivers = drivers};
    struct stack *stk = stack_create(&a, "TCPIP", &cfg, &env, now);
    CHECK(stk != NULL);
    sysplex_attach(sx, stk, now);
    CHECK(dynxcf_define(sx, ipaddr_v4(0xC109C801), ipaddr_v4(0xFFFFFF00), 1, now) == 0);
    CHECK(dvipa_define(sx, ipaddr_v4(0x0A000050), ipaddr_v4(0xFFFFFF00), DVIPA_IMMEDIATE, now) == 0);
    CHECK(dvipa_backup(sx, ipaddr_v4(0x0A000051), 9, IPADDR_ANY, DVIPA_MOVEABLE_NA, now) == 0);
    CHECK(dvipa_range(sx, ipaddr_v4(0x0A000060), ipaddr_v4(0xFFFFFFF0), DVIPA_NONDISRUPTIVE, now) == 0);
    struct xcf_member *m = other_join(x, now);
    sysplex_xcf(sx, x, now);
    turn(x, sx, stk, now += SEC);
    for (u32 n = 0; z.left && n < 200; n++) {
        u8 control[PLEXMSG_CONTROL];
        u32 got, kind = fuzz_u8(&z) % PLEXMSG_KINDS, want = fuzz_u16(&z);
        struct plexmsg_envelope e = {.kind = (u8)kind, .from_incarnation = 7, .from_epoch = 1};
        const u8 *bytes = fuzz_take(&z, want % 4096, &got);
        if (kind == 0) {
            if (got >= PLEXMSG_USTATE) xcf_set_ustate(m, bytes, now);
            turn(x, sx, stk, now += want * 1000u);
            continue;
        }
        plexmsg_emit(control, &e);
        xcf_send(m, XCF_TO_ALL, control, bytes, got, now);
        turn(x, sx, stk, now += 1000);
    }
    xcf_leave(m, now);
    turn(x, sx, stk, now += SEC);
    CHECK(sx->dv.rows.in_use == 0 && sx->home_pool.in_use == 0 && sx->moved_pool.in_use == 0);
    sysplex_stop(sx, now);
    stack_stop(stk, now);
    return 0;
}
