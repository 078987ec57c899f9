/* strpath_percent.c - the CFRM policy's REBUILDPERCENT: systems that have lost a signalling structure while this system has it.
 *
 *   A  SFM weights of the systems that were connected, are ACTIVE, and have not been connected for STRPATH_PERCENT_US
 *   B  SFM weights of all users: A, the partners that are connected, and this system
 *   A * 100 >= REBUILDPERCENT * B: rebuild_start(), to the first facility of the preference list that it is not in
 *
 * Who has died loses his connection, too, and is ACTIVE until that is known: so a system counts only when it has given a sign of life
 * a second after it was seen last. All who still have the structure see the same; the one of the lowest identifier comes first, the others see it
 * begin. Whatever comes of a rebuild (somebody cannot reach the other facility; who has lost this one cannot, either), none is begun again for the same
 * systems. A pair needs none of this: it ends when one of its systems cannot reach both.
 */
#include "xcf/strpath_impl.h"

#define LIFE_US ((u64)USEC_PER_SEC)

static bool system_of(const struct structure *s, const struct strpeer *p, struct xcf_system_info *out) {
    for (u32 i = 1; xcf_system(s->g->x, i, out); i++)
        if (strcmp(out->id.name, p->name) == 0) return out->id.incarnation == p->incarnation && out->state == XCF_SYS_ACTIVE;
    return false;
}

static u32 own_weight(const struct structure *s) {
    struct xcf_system_info own;
    return xcf_system(s->g->x, 0, &own) ? own.weight : 1;
}

/* 0: it is not one that has lost the structure; else when it counts as such, as far as that is known now. */
static u64 lost_from(struct strpeer *p, const struct xcf_system_info *info, u64 now) {
    u64 life = u64_max(info->last_signal, info->last_status);
    if (!p->lost_at) p->lost_at = now;
    u64 from = p->lost_at + STRPATH_PERCENT_US + (p->s->con->id - 1u) * STRPATH_RETRY_US / 2;
    return life >= p->lost_at + LIFE_US ? from : u64_max(from, now + LIFE_US / 4);
}

void structure_percent_moves(struct structure *s) {
    for (u32 i = 0; i < STRPATH_PEERS; i++) s->peer[i].weighed |= s->peer[i].lost_at != 0;
}

u64 structure_percent_poll(struct structure *s, u64 now) {
    const struct cfrm_row *row = cfrm_policy_row(s->g->cfrm, s->name);
    u32 lost = 0, all = own_weight(s);
    u64 next = TIME_NEVER;
    bool fresh = false; /* for one of them nothing was begun yet */
    if (!row || s->state != STRPATH_READY || !s->known || rebuild_state(s->r) != REBUILD_IN_USE) return next;
    for (u32 i = 0; i < STRPATH_PEERS; i++) {
        struct strpeer *p = &s->peer[i];
        struct xcf_system_info info;
        bool lives = p->name[0] && system_of(s, p, &info);
        if (lives) all += info.weight;
        if (!lives || p->here) {
            p->lost_at = 0;
            p->weighed = false;
            continue;
        }
        u64 from = lost_from(p, &info, now);
        if (from > now) {
            next = u64_min(next, from);
        } else {
            lost += info.weight;
            next = u64_min(next, now + STRPATH_RETRY_US); /* an operator may start another policy */
            fresh |= !p->weighed;
        }
    }
    if (!fresh || lost * 100 < row->rebuild_percent * all) return next;
    structure_percent_moves(s);
    s->by_percent = true;
    if (rebuild_start(s->r, NULL, now) == 0) s->g->counters.weighed++;
    else s->by_percent = false;
    return next;
}
