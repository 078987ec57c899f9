/* dist_local.c - connections to a distributed DVIPA that begin on a stack which has it itself: OPTLOCAL. See distributor.h.
 *
 *   NOOPTLOCAL     the routing stack decides, as for anybody else's
 *   OPTLOCAL 0, 1  stays here if a listener here is ready and responsive
 *   OPTLOCAL n     (2..16) ... and n times this stack's WLM weight is no less than the weight of any other target
 *
 * Responsive is TSR >= LOCAL_TSR: at the routing stack as it stands in its VDPT; elsewhere SEF, the only part of it that a
 * stack knows of itself, now and at its latest report. Weights are those of the reports that every stack hears; where one is missing
 * nothing can be compared, and it stays. A QUIESCEd listener is none. What is to stay has no row: both its ends are here.
 */
#include "net/tcp.h"
#include "sysplex/dist_impl.h"

#define LOCAL_TSR 75u /* as IBM's: below it the local server has to be relieved, not favoured */
#define ANY_WEIGHT 1u /* OPTLOCAL up to this one compares no weights */

static u32 tsr_here(struct distributor *d, const struct dist_vipa *v, u16 port, u32 sef_now) {
    const struct vdpt_port *p = v->routing ? vdpt_find(&d->vdpt, v->addr, port) : NULL;
    u32 told = p ? vdpt_tsr(&p->t[SLOT_SELF]) : 100;
    for (u32 i = 0; !p && i < d->served_count; i++)
        if (d->served[i].port == port && ipaddr_eq(d->served[i].dvipa, v->addr)) told = d->served[i].sef;
    return u32_min(told, sef_now);
}

static bool outweighs(const struct distributor *d, const struct dist_def *def, u32 times) {
    u32 capacity[DIST_TARGETS_MAX], heaviest = 0;
    u8 weight[DIST_TARGETS_MAX];
    const struct dist_dest *dest;
    for (u32 i = 0; i < DIST_TARGETS_MAX; i++) {
        bool in = d->slot[i].used && (i == SLOT_SELF || d->slot[i].peer) && dist_def_names(def, distributor_slot_addr(d, i), &dest);
        capacity[i] = in ? dist_slot_capacity(d, i) : 0;
        if (in && !capacity[i]) return true;
    }
    wlm_weights(capacity, weight, DIST_TARGETS_MAX);
    for (u32 i = 1; i < DIST_TARGETS_MAX; i++) heaviest = u32_max(heaviest, weight[i]);
    return weight[SLOT_SELF] * times >= heaviest;
}

bool dist_stays_here(struct distributor *d, struct dist_vipa *v, u16 port) {
    const struct dist_def *def = dist_def_of(d, v, port);
    const struct dist_dest *dest;
    u32 sef = 0;
    if (!def || !def->options.optlocal || !dist_def_names(def, sysplex_dynxcf(d->sx), &dest)) return false;
    if (!dist_ready_here(d, v, port, &sef) || tsr_here(d, v, port, sef) < LOCAL_TSR) return false;
    u32 times = def->options.optlocal - 1u;
    return times <= ANY_WEIGHT || outweighs(d, def, times);
}
