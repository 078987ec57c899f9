/* arm_claim.c - Automatic Restart Manager: the members of IXCARM, what they tell each other, and who restarts what. See arm.h. */
#include "xcf/arm_impl.h"

/* ---- members ---- */

static u32 peer_of_token(const struct arm *a, u32 token) {
    u32 i = 0;
    while (i < XCF_SYSTEMS_MAX && !(token && a->peer[i].token == token)) i++;
    return i;
}

/* What a new member has to know before it registers or restarts anything. */
static void peer_tell(struct arm *a, u32 token) {
    struct armmsg m = {.kind = ARMMSG_SYNC, .owner_incarnation = xcf_self(a->x)->incarnation};
    for (u32 i = 0; i < a->rows; i++)
        if (a->row[i].used) /* also others': their owner may be dead without anybody's knowing yet */
            arm_tell(a, &a->row[i], ARMMSG_RECORD, token);
    str_copy(m.element, sizeof m.element, arm_self(a));
    str_copy(m.owner, sizeof m.owner, arm_self(a));
    str_copy(m.initial, sizeof m.initial, arm_self(a));
    arm_put(a, token, &m);
}

bool arm_synced(const struct arm *a) {
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++)
        if (a->peer[i].token && !a->peer[i].synced) return false;
    return true;
}

static void peer_add(struct arm *a, const struct xcf_member_info *m, const struct xcf_sysid *system) {
    for (u32 i = 0; i < XCF_SYSTEMS_MAX && !m->local && peer_of_token(a, m->token) == XCF_SYSTEMS_MAX; i++) {
        if (a->peer[i].token) continue;
        a->peer[i] = (struct arm_peer){.token = m->token, .system = *system};
        peer_tell(a, m->token);
        return;
    }
}

/* Nobody waits for one who has gone. */
static void peer_drop(struct arm *a, u32 token) {
    u32 i = peer_of_token(a, token);
    if (i == XCF_SYSTEMS_MAX) return;
    a->peer[i].token = 0;
    for (u32 k = 0; k < a->rows; k++) {
        a->row[k].asked &= ~(1u << i);
        a->row[k].deferred &= ~(1u << i);
    }
    a->look = true;
}

void arm_peers_find(struct arm *a) {
    struct xcf_member_info m;
    struct xcf_system_info s;
    for (u32 i = 0; xcf_query_nth(a->x, ARM_GROUP, i, &m); i++)
        for (u32 k = 0; !m.local && xcf_system(a->x, k, &s); k++)
            if (strcmp(s.id.name, m.system) == 0) peer_add(a, &m, &s.id);
}

/* ---- sending ---- */

static bool outbox_send(struct arm *a, u32 to, const u8 *bytes, u64 now) {
    int rc = xcf_send(a->member, to, NULL, bytes, ARMMSG_BYTES, now);
    return rc != -ERR_NOBUFS; /* who is not there any more needs it no more */
}

void arm_outbox_flush(struct arm *a, u64 now) {
    while (a->out_count && outbox_send(a, a->outbox[a->out_first].to, a->outbox[a->out_first].bytes, now)) {
        a->out_first = (a->out_first + 1) % ARM_OUTBOX;
        a->out_count--;
    }
}

/* Everything goes through the outbox, so that nothing overtakes what XCF had no room for. It is emptied by arm_poll() and the room exit. */
void arm_put(struct arm *a, u32 to, const struct armmsg *m) {
    if (a->out_count == ARM_OUTBOX) {
        a->count.drop_outbox_full++;
        return;
    }
    u32 at = (a->out_first + a->out_count++) % ARM_OUTBOX;
    a->outbox[at].to = to;
    armmsg_emit(a->outbox[at].bytes, m);
}

static struct armmsg message_about(const struct arm_element_row *e, u8 kind, u32 generation) {
    struct armmsg m = {.kind = kind, .state = (u8)e->state, .generation = generation};
    m.flags = e->element_only ? ARMMSG_ELEMENT_ONLY : 0;
    m.owner_incarnation = e->owner.incarnation;
    memcpy(m.element, e->name, sizeof m.element);
    memcpy(m.type, e->type, sizeof m.type);
    memcpy(m.job, e->job, sizeof m.job);
    memcpy(m.initial, e->initial, sizeof m.initial);
    memcpy(m.owner, e->owner.name, sizeof m.owner);
    memcpy(m.text, e->text, sizeof m.text);
    return m;
}

void arm_tell(struct arm *a, const struct arm_element_row *e, u8 kind, u32 to) {
    struct armmsg m = message_about(e, kind, e->generation);
    arm_put(a, to, &m);
}

/* ---- who restarts ---- */

/* Spreads elements over systems; the same everywhere. FNV-1a of both names. */
static u32 draw(const char *what, const char *system) {
    u32 h = 2166136261u;
    for (; *what; what++) h = (h ^ (u8)*what) * 16777619u;
    for (; *system; system++) h = (h ^ (u8)*system) * 16777619u;
    return h ^ h >> 15;
}

/* The place of a system in the order of targets, lower first; false: it is no target. */
static bool place_of(const struct arm *a, const struct arm_element_row *e, const char *system, u64 *place) {
    u8 group = arm_policy_for(&a->policy, e->name)->group;
    for (u32 i = 0; i < a->policy.group[group].targets; i++) {
        const char *target = a->policy.group[group].target[i];
        bool any = strcmp(target, "*") == 0;
        if (!any && strcmp(target, system) != 0) continue;
        *place = (u64)i << 32 | (any ? draw(group ? a->policy.group[group].name : e->name, system) : 0);
        return true;
    }
    return false;
}

/* The first target that lives: XCF_SYSTEMS_MAX this system, below it a peer; false if there is none. */
static bool first_target(const struct arm *a, const struct arm_element_row *e, u32 *who) {
    u64 best = 0, place;
    bool found = place_of(a, e, arm_self(a), &best);
    *who = XCF_SYSTEMS_MAX;
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++) {
        if (!a->peer[i].token || !place_of(a, e, a->peer[i].system.name, &place)) continue;
        if (found && place > best) continue;
        /* Equal draws of two systems: the lower name. */
        const char *other = *who == XCF_SYSTEMS_MAX ? arm_self(a) : a->peer[*who].system.name;
        if (found && place == best && strcmp(a->peer[i].system.name, other) > 0) continue;
        found = true;
        best = place;
        *who = i;
    }
    return found;
}

/* One of those that live says why an element is not restarted; the others forget it quietly. */
static void forget(struct arm *a, struct arm_element_row *e, const char *why) {
    bool lowest = true;
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++)
        if (a->peer[i].token && strcmp(a->peer[i].system.name, arm_self(a)) < 0) lowest = false;
    if (lowest) arm_not_restarted(a, e, why);
    e->used = false;
}

static void claim(struct arm *a, struct arm_element_row *e, u64 now) {
    struct armmsg m = message_about(e, ARMMSG_CLAIM, e->generation + 1);
    if (!e->claiming) {
        a->count.claims++;
        e->claiming = true;
        e->asked = 0;
        for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++)
            if (a->peer[i].token) e->asked |= 1u << i;
    }
    e->claimed_at = now;
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++)
        if (e->asked & 1u << i) arm_put(a, a->peer[i].token, &m);
    if (!e->asked) arm_restart(a, e, e->generation + 1, ARM_SYSTERM, now);
}

static void place(struct arm *a, struct arm_element_row *e, u64 now) {
    u32 who;
    if (!a->enabled) {
        forget(a, e, "RESTARTS ARE NOT ENABLED.");
    } else if (e->element_only || !arm_policy_for(&a->policy, e->name)->all_terms) {
        forget(a, e, "TERMTYPE IS ELEMTERM, CROSS-SYSTEM RESTARTS PROHIBITED.");
    } else if (!first_target(a, e, &who)) {
        forget(a, e, "NO TARGET SYSTEM IS ACTIVE.");
    } else if (who == XCF_SYSTEMS_MAX) {
        if (!e->claiming || !e->asked || now - e->claimed_at >= ARM_CLAIM_US) claim(a, e, now);
    } else if (e->claiming || now - e->claimed_at >= ARM_CLAIM_US) {
        if (e->claiming) a->count.withdrawn++;
        e->claiming = false; /* another has come that is before this system */
        /* The one that comes first may have arrived too late to know the element. */
        e->claimed_at = now;
        arm_tell(a, e, ARMMSG_RECORD, a->peer[who].token);
    }
}

static void answer(struct arm *a, u32 peer, const struct armmsg *to, u8 kind) {
    struct armmsg m = *to;
    m.kind = kind;
    if (kind == ARMMSG_GRANT)
        a->count.grants++;
    else
        a->count.denials++;
    arm_put(a, a->peer[peer].token, &m);
}

/* Claims that came before the news of the owner's death, or of its successor. */
static void deferred_answer(struct arm *a, struct arm_element_row *e, u8 kind) {
    struct armmsg m = message_about(e, kind, e->deferred_generation);
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++)
        if (e->deferred & 1u << i) answer(a, i, &m, kind);
    e->deferred = 0;
}

static bool owner_gone(const struct arm *a, const struct xcf_sysid *owner) {
    if (strcmp(owner->name, arm_self(a)) == 0) return owner->incarnation < xcf_self(a->x)->incarnation;
    /* Its system's next life would not have been let in beside it. */
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++)
        if (a->peer[i].token && strcmp(a->peer[i].system.name, owner->name) == 0 && a->peer[i].system.incarnation > owner->incarnation)
            return true;
    return xcf_is_gone(a->x, owner);
}

void arm_look(struct arm *a, u64 now) {
    a->look = false;
    a->look_at = now + ARM_LOOK_US;
    if (!xcf_synced(a->x)) return;
    for (u32 i = 0; i < a->rows; i++) {
        struct arm_element_row *e = &a->row[i];
        if (!e->used || arm_owned(a, e)) continue;
        if (e->state != ARM_FAILED && owner_gone(a, &e->owner)) {
            e->state = ARM_FAILED;
            e->claiming = false;
            e->claimed_at = 0;
            deferred_answer(a, e, ARMMSG_GRANT);
        }
        if (e->state == ARM_FAILED) place(a, e, now);
    }
}

/* ---- messages in ---- */

static void element_take(struct arm_element_row *e, const struct armmsg *m) {
    memcpy(e->type, m->type, sizeof e->type);
    memcpy(e->job, m->job, sizeof e->job);
    memcpy(e->initial, m->initial, sizeof e->initial);
    memcpy(e->text, m->text, sizeof e->text);
    memcpy(e->owner.name, m->owner, sizeof e->owner.name);
    e->owner.incarnation = m->owner_incarnation;
    e->element_only = m->flags & ARMMSG_ELEMENT_ONLY;
    e->generation = m->generation;
    /* FAILED is what each finds for itself about a dead owner; of a live one it is the moment before its own restart. */
    e->state = m->state == ARM_FAILED ? ARM_AVAILABLE : (enum arm_state)m->state;
    e->claiming = false;
}

/* Two systems have registered one name, before they knew of each other: the later life keeps it, of equal ones the lower system name. */
static bool conflict_lost(struct arm *a, struct arm_element_row *e, const struct armmsg *m) {
    a->count.conflicts++;
    if (m->generation == e->generation && strcmp(arm_self(a), m->owner) < 0) return false;
    arm_not_restarted(a, e, "ANOTHER SYSTEM HAS REGISTERED THE ELEMENT.");
    return true;
}

/* A peer has told of all its elements: what others say of it besides is old. */
static bool owner_synced(const struct arm *a, const struct xcf_sysid *owner) {
    for (u32 i = 0; i < XCF_SYSTEMS_MAX; i++)
        if (a->peer[i].token && a->peer[i].synced && strcmp(a->peer[i].system.name, owner->name) == 0 &&
            a->peer[i].system.incarnation == owner->incarnation)
            return true;
    return false;
}
static void sync_in(struct arm *a, u32 peer) {
    a->peer[peer].synced = true;
    for (u32 i = 0; i < a->rows; i++) {
        struct arm_element_row *e = &a->row[i];
        if (e->used && e->hearsay && e->state != ARM_FAILED && owner_synced(a, &e->owner)) e->used = false;
    }
}

/* Somebody still knows an earlier life of an element that runs here: this one is the later. */
static void life_raise(struct arm *a, struct arm_element_row *e, u32 above) {
    if (e->generation > above) return;
    e->generation = above + 1;
    arm_tell(a, e, ARMMSG_RECORD, XCF_TO_ALL);
}

static void record_in(struct arm *a, u32 peer, const struct armmsg *m, u64 now) {
    struct xcf_sysid owner = {.incarnation = m->owner_incarnation};
    struct arm_element_row *e = arm_find(a, m->element);
    memcpy(owner.name, m->owner, sizeof owner.name);
    if (m->state == ARM_NONE || m->state >= ARM_STATES) {
        a->count.drop_form++;
        return;
    }
    bool self = strcmp(owner.name, arm_self(a)) == 0 && owner.incarnation == xcf_self(a->x)->incarnation;
    bool first_hand = strcmp(owner.name, a->peer[peer].system.name) == 0;
    /* The owner knows better what others have said of it, also that the element began anew. */
    bool same = e && strcmp(e->owner.name, owner.name) == 0 && e->owner.incarnation == owner.incarnation;
    bool corrects = same && first_hand && e->hearsay, tells_less = same && !first_hand && !e->hearsay;
    bool old = e && !corrects && (tells_less || m->generation < e->generation || (m->generation == e->generation && !first_hand));
    /* As those two decide it: conflict_lost(). */
    if (e && !same && m->generation == e->generation && strcmp(e->owner.name, owner.name) < 0 && !owner_gone(a, &e->owner)) old = true;
    if (e && arm_owned(a, e)) old = m->generation < e->generation;
    if (self || old || (!first_hand && !(e && arm_owned(a, e)) && owner_synced(a, &owner))) {
        a->count.drop_stale++;
        return;
    }
    bool gone = owner_gone(a, &owner);
    if (e && arm_owned(a, e)) {
        if (!first_hand || gone) life_raise(a, e, m->generation);
        if (!first_hand || gone || !conflict_lost(a, e, m)) return;
    }
    if (e && e->state == ARM_FAILED && gone) return; /* known already, and perhaps claimed */
    if (e && m->generation > e->generation) {
        a->count.restarts_elsewhere++;
        arm_restart_seen(e, now);
    }
    if (!e && !(e = arm_row_new(a, m->element, now))) return;
    element_take(e, m);
    e->hearsay = !first_hand;
    if (e->deferred && e->generation >= e->deferred_generation) deferred_answer(a, e, ARMMSG_DENY);
    if (gone) a->look = true;
}

static void end_in(struct arm *a, const struct armmsg *m) {
    struct arm_element_row *e = arm_find(a, m->element);
    if (!e || m->generation < e->generation) return;
    /* The end of an earlier owner's may come after the word of a later one. */
    bool same = strcmp(m->owner, e->owner.name) == 0 && m->owner_incarnation == e->owner.incarnation;
    if (same && !arm_owned(a, e)) e->used = false;
}

static void claim_in(struct arm *a, u32 peer, const struct armmsg *m) {
    struct arm_element_row *e = arm_find(a, m->element);
    if (!e) {
        answer(a, peer, m, ARMMSG_GRANT); /* never heard of it: nothing against it */
    } else if (arm_owned(a, e)) {
        life_raise(a, e, m->generation - 1); /* a later life than the one that the claimant knows */
        answer(a, peer, m, ARMMSG_DENY);
    } else if (e->state != ARM_FAILED && e->generation >= m->generation) {
        answer(a, peer, m, ARMMSG_DENY); /* it has a new owner: this system, or one whose record is on its way there */
    } else if (e->state != ARM_FAILED) {
        e->deferred |= 1u << peer; /* its owner is not known to be dead here */
        e->deferred_generation = m->generation;
        a->look = true;
    } else if (e->claiming && strcmp(arm_self(a), a->peer[peer].system.name) < 0) {
        answer(a, peer, m, ARMMSG_DENY);
    } else {
        if (e->claiming) a->count.withdrawn++;
        e->claiming = false;
        answer(a, peer, m, ARMMSG_GRANT);
    }
}

static void answer_in(struct arm *a, u32 peer, const struct armmsg *m, u64 now) {
    struct arm_element_row *e = arm_find(a, m->element);
    if (!e || !e->claiming || m->generation != e->generation + 1) {
        a->count.drop_stale++;
        return;
    }
    if (m->kind == ARMMSG_DENY) {
        e->claiming = false; /* the denier's record follows, or its death */
        e->claimed_at = now;
        a->count.withdrawn++;
        return;
    }
    e->asked &= ~(1u << peer);
    if (!e->asked) arm_restart(a, e, e->generation + 1, ARM_SYSTERM, now);
}

/* ---- exits ---- */

static void on_message(void *ctx, const struct xcf_msg *x, u64 now) {
    struct arm *a = ctx;
    u8 bytes[ARMMSG_BYTES] = {0};
    struct armmsg m;
    u32 peer = peer_of_token(a, xcf_msg_from(x));
    xcf_msg_copy(x, 0, bytes, sizeof bytes);
    if (peer == XCF_SYSTEMS_MAX || !armmsg_parse(bytes, xcf_msg_bytes(x), &m)) {
        a->count.drop_form++;
        return;
    }
    switch (m.kind) {
    case ARMMSG_RECORD: record_in(a, peer, &m, now); break;
    case ARMMSG_END: end_in(a, &m); break;
    case ARMMSG_CLAIM: claim_in(a, peer, &m); break;
    case ARMMSG_SYNC: sync_in(a, peer); break;
    default: answer_in(a, peer, &m, now); break;
    }
    arm_outbox_flush(a, now);
}

static void on_group(void *ctx, const struct xcf_event *e, u64 now) {
    struct arm *a = ctx;
    switch (e->kind) {
    case XCF_EV_JOINED: peer_add(a, &e->member, &e->system); break;
    case XCF_EV_LEFT:
    case XCF_EV_FAILED: peer_drop(a, e->member.token); break;
    case XCF_EV_SYSTEM_GONE: a->look = true; break;
    default: break;
    }
    arm_outbox_flush(a, now);
}

static void on_room(void *ctx, u64 now) { arm_outbox_flush(ctx, now); }

const struct xcf_exits arm_exits = {.message = on_message, .group = on_group, .room = on_room};
