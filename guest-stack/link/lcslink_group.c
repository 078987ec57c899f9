/* lcslink_group.c - the multicast groups that an LCS device receives: SETIPM and DELIPM, one at a time.
 *
 * At most LCS_GROUPS_MAX groups; an entry with due set is told to the station when no command is outstanding.
 * When the LAN comes back the stack joins anew what it wants; what it does not join again is left
 * (mpcipa_addr.c).
 */
#include "base/str.h"
#include "link/lcslink.h"
#include "net/stack.h"

#define COMMAND_USEC     (5u * USEC_PER_SEC)
#define SETIPM_BYTES     (LCS_PAIR_AT + LCS_PAIR_BYTES)
#define VERSION_AT       18
#define RC_GROUP_DEFINED 0xE013 /* SETIPM of a group that the station has: what we want to hear */

static struct lcs_group *group_slot(struct lcs_device *d, struct ipaddr group) {
    struct lcs_group *free_slot = NULL;
    for (u32 i = 0; i < LCS_GROUPS_MAX; i++) {
        struct lcs_group *g = &d->group[i];
        if (ipaddr_eq(g->addr, group)) return g;
        if (!free_slot && ipaddr_is_any(g->addr) && g != d->in_flight) free_slot = g;
    }
    return free_slot;
}

int lcslink_group_want(struct lcs_device *d, struct ipaddr group, bool wanted, u64 now) {
    if (d->m.state == LCS_DOWN || d->m.state > LCS_READY) return -ERR_NETDOWN;
    struct lcs_group *g = group_slot(d, group);
    bool known = g && ipaddr_eq(g->addr, group);
    if (!known && !wanted) return -ERR_NOENT;
    if (!g) {
        d->count.group_table_full++;
        return -ERR_NOMEM;
    }
    if (!known) *g = (struct lcs_group){.addr = group};
    g->wanted = wanted;
    g->due = true;
    lcslink_group_next(d, now);
    return 0;
}

void lcslink_group_stale(struct lcs_device *d) {
    for (u32 i = 0; i < LCS_GROUPS_MAX; i++) {
        d->group[i].due = !ipaddr_is_any(d->group[i].addr);
        d->group[i].wanted = false;
    }
}

static void group_send(struct lcs_device *d, struct lcs_group *g, u64 now) {
    u8 *p = lcslink_command(d, g->wanted ? LCS_SETIPM : LCS_DELIPM, SETIPM_BYTES, now);
    if (!p) return; /* no room: still due when a WRITE ends */
    g->due = false;
    d->in_flight = g;
    d->in_flight_add = g->wanted;
    be16_put(p + LCS_PAIRS_AT, 1);
    be16_put(p + VERSION_AT, 4);
    u8 *pair = p + LCS_PAIR_AT;
    ipaddr_put(pair, g->addr);
    /* 01-00-5E and the low 23 bits of the group (RFC 1112 6.4). */
    be32_put(pair + 6, g->addr.v4 & 0x7FFFFF);
    pair[4] = 0x01;
    pair[5] = 0x00;
    pair[6] = 0x5E;
    timer_arm(d->m.dev->stk, &d->m.step, now + COMMAND_USEC);
    lcslink_write_next(d, now);
}

void lcslink_group_next(struct lcs_device *d, u64 now) {
    if (d->m.state != LCS_READY || d->hold || d->command) return;
    if (d->m.stop_due || d->lan_due) {
        enum lcs_event ev = d->m.stop_due ? LCS_EV_STOP : LCS_EV_LAN;
        d->m.stop_due = d->lan_due = false;
        lcslink_event(d, ev, LCS_FAIL_NONE, 0, now);
        return;
    }
    for (u32 i = 0; i < LCS_GROUPS_MAX; i++) {
        struct lcs_group *g = &d->group[i];
        if (!g->due) continue;
        if (g->wanted || g->registered) {
            group_send(d, g, now);
            return;
        }
        *g = (struct lcs_group){.addr = IPADDR_ANY};
    }
}

void lcslink_group_answer(struct lcs_device *d, u32 rc, u64 now) {
    struct lcs_group *g = d->in_flight;
    d->in_flight = NULL;
    timer_disarm(d->m.dev->stk, &d->m.step);
    if (g) {
        bool good = rc == LCS_RC_OK || (d->in_flight_add && rc == RC_GROUP_DEFINED);
        if (d->in_flight_add && !good) d->count.group_refused++;
        g->registered = d->in_flight_add && good;
        if (!g->due && !g->registered) *g = (struct lcs_group){.addr = IPADDR_ANY};
    }
    lcslink_group_next(d, now);
}

void lcslink_group_forget(struct lcs_device *d) {
    d->in_flight = NULL;
    for (u32 i = 0; i < LCS_GROUPS_MAX; i++) d->group[i] = (struct lcs_group){.addr = IPADDR_ANY};
}
