/* plexip.c - a stack's life in the sysplex, between XCF's address space and tcpip.c. See plexip.h. */
#include "super/plexip.h"

#include "base/str.h"
#include "net/stack.h"
#include "super/system.h"
#include "super/tcpip.h"
#include "super/trl.h"
#include "super/xcfas.h"
#include "sysplex/distributor.h"
#include "sysplex/dvipa.h"
#include "sysplex/sysplex.h"

#define DVIPAS          1152u /* the 1,024 that the books allow one stack in statements, and what the programs of the sysplex bind beside them */
#define OTHERS          7u /* stacks that may know all of them: a sysplex of eight */
#define PENDING_MAX_US  (15 * (u64)USEC_PER_SEC) /* a group that does not answer must not keep programs from starting */

static u64 idle_us(void *ctx) {
    const struct system *sys = ctx;
    return sys->idle_us;
}

static void sizes(struct sysplex_config *sc, struct distributor_config *dc) {
    sysplex_config_default(sc);
    sc->dvipas = DVIPAS;
    sc->dvipa_rows = DVIPAS * OTHERS;
    distributor_config_default(dc);
}

static void configs(const struct system *sys, struct sysplex_config *sc, struct distributor_config *dc) {
    sizes(sc, dc);
    dc->idle_us = idle_us;
    if (sys->lpar_weight) dc->lpar_weight = sys->lpar_weight; /* 0: a stack that was started without system_start() */
    dc->idle_ctx = (struct system *)(uintptr_t)sys;
    for (u32 i = 0; i < ARRAY_LEN(dc->seed); i++) dc->seed[i] = sys->env.random(sys->env.ctx);
}

size_t plexip_bytes_max(struct stack_config *cfg) {
    struct sysplex_config sc;
    struct distributor_config dc;
    sizes(&sc, &dc);
    cfg->max_dvipas = DVIPAS;
    return sysplex_bytes(&sc) + distributor_bytes(&dc);
}

size_t plexip_bytes(const struct system *sys, struct stack_config *cfg) {
    return xcfas_xcf(sys) ? plexip_bytes_max(cfg) : 0;
}

bool plexip_create(struct tcpip *ip, u64 now) {
    const struct system *sys = ip->sys;
    struct sysplex_config sc;
    struct distributor_config dc;
    memcpy(ip->drivers, sys->env.drivers[ip->slot], sizeof ip->drivers);
    if (!xcfas_xcf(sys)) return true;
    configs(sys, &sc, &dc);
    const char *clone = symbols_find(&sys->symbols, "SYSCLONE", 8);
    sc.arena = dc.arena = &ip->arena;
    sc.sysname = system_name(sys);
    sc.sysclone = clone ? clone : "00";
    sc.tcpname = ip->name;
    sc.iqd_device = trl_iqdchpid(ip->sys) ? sys->env.iqd[ip->slot] : 0;
    sc.incarnation = now; /* TOD: later at each start, also after another IPL */
    ip->sx = sysplex_create(&sc, now);
    if (!ip->sx) return false;
    ip->dist = distributor_create(&dc, ip->sx, now);
    ip->drivers[DEV_MPCPTP] = sysplex_driver(ip->sx);
    return ip->dist != NULL;
}

void plexip_attach(struct tcpip *ip, u64 now) {
    if (ip->sx) sysplex_attach(ip->sx, ip->stk, now);
}

void plexip_join(struct tcpip *ip, u64 now) {
    if (!ip->sx) return;
    ip->join_wanted_at = now;
    sysplex_xcf(ip->sx, xcfas_xcf(ip->sys), now);
}

u64 plexip_poll(struct tcpip *ip, u64 now) {
    return ip->sx ? sysplex_poll(ip->sx, now) : TIME_NEVER;
}

u64 plexip_due(const struct tcpip *ip) {
    return ip->sx ? sysplex_due(ip->sx) : TIME_NEVER;
}

void plexip_stop(struct tcpip *ip, u64 now) {
    if (ip->sx) sysplex_stop(ip->sx, now);
    ip->sx = NULL;
    ip->dist = NULL;
}

bool plexip_pending(const struct tcpip *ip, u64 now) {
    if (!ip->sx || now >= ip->join_wanted_at + PENDING_MAX_US) return false;
    return dvipa_configured(ip->sx) && !dvipa_settled(ip->sx);
}
