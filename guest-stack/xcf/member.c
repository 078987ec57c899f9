/* member.c - groups and members: one's own, and copies of the partners'.
 *
 * Each system alone decides about its members; every change is a record that it sends to each partner. A
 * record says how things are, not what happened, so several changes to a member that a partner has not got
 * yet become one, and a bit per partner in xcf_member.dirty is all the storage that it takes. Partners derive
 * the events by comparing. An own member that has left stays, state NOT-DEFINED, until each partner has its
 * last record. Records are freed from xcf_poll() only, never from inside an exit, so lists may be walked
 * while exits join and leave. Two systems that join the same name at once: the one with the lower system name
 * keeps it, the other's is ended.
 */
#include "xcf/xcf_impl.h"

#define RECORD_MISSING 0x80 /* flag of a record: status missing */

static struct list *bucket_of(struct xcf *x, u32 slot, u32 number) {
    return &x->bucket[(slot * 37 + number) % XCF_BUCKETS];
}

struct xcf_member *member_find(struct xcf *x, u32 slot, u32 number) {
    LIST_FOR_EACH(it, bucket_of(x, slot, number)) {
        struct xcf_member *m = LIST_ENTRY(it, struct xcf_member, hashed);
        if (m->slot == slot && m->number == number) return m;
    }
    return NULL;
}

void member_info(const struct xcf_member *m, struct xcf_member_info *out) {
    memset(out, 0, sizeof *out);
    memcpy(out->group, m->group->name, sizeof out->group);
    memcpy(out->name, m->name, sizeof out->name);
    memcpy(out->system, m->x->sys[m->slot].id.name, sizeof out->system);
    memcpy(out->ustate, m->ustate, sizeof out->ustate);
    out->token = m->token;
    out->state = m->state;
    out->status_missing = m->missing;
    out->local = m->slot == 0;
}

/* ---- storage ---- */

static struct xcf_group *group_get(struct xcf *x, const char *name) {
    struct list *at = x->groups.next;
    for (; at != &x->groups; at = at->next) {
        int order = strcmp(LIST_ENTRY(at, struct xcf_group, node)->name, name);
        if (order == 0) return LIST_ENTRY(at, struct xcf_group, node);
        if (order > 0) break;
    }
    struct xcf_group *g = pool_get(&x->group_pool);
    if (!g) {
        x->count.drop_groups_full++;
        return NULL;
    }
    str_copy(g->name, sizeof g->name, name);
    list_init(&g->members);
    list_add_between(&g->node, at->prev, at);
    return g;
}

static void group_put_if_empty(struct xcf *x, struct xcf_group *g) {
    if (!list_empty(&g->members)) return;
    list_del(&g->node);
    pool_put(&x->group_pool, g);
}

/* Ascending by name, then by system, so that every system lists a group alike. */
static void group_insert(struct xcf_group *g, struct xcf_member *m) {
    struct list *at = g->members.next;
    for (; at != &g->members; at = at->next) {
        struct xcf_member *o = LIST_ENTRY(at, struct xcf_member, node);
        int order = strcmp(o->name, m->name);
        if (order == 0) order = strcmp(m->x->sys[o->slot].id.name, m->x->sys[m->slot].id.name);
        if (order > 0) break;
    }
    list_add_between(&m->node, at->prev, at);
}

static struct xcf_member *member_new(struct xcf *x, u32 slot, u32 number, const char *group,
                                     const char *name) {
    u32 i = 0;
    while (i < x->members_max && x->member[i].used) i++;
    if (i == x->members_max) {
        x->count.drop_members_full++;
        return NULL;
    }
    struct xcf_group *g = group_get(x, group);
    if (!g) return NULL;
    struct xcf_member *m = &x->member[i];
    *m = (struct xcf_member){.x = x, .group = g, .slot = slot, .number = number, .used = true};
    m->token = ++x->next_token << 16 | (i + 1);
    str_copy(m->name, sizeof m->name, name);
    group_insert(g, m);
    list_push_back(bucket_of(x, slot, number), &m->hashed);
    return m;
}

static void member_free(struct xcf *x, struct xcf_member *m) {
    struct xcf_group *g = m->group;
    for (u32 i = 1; i < x->slots; i++)
        if (m->dirty & 1u << i) x->sys[i].dirty--;
    list_del(&m->node);
    list_del(&m->hashed);
    m->used = false;
    group_put_if_empty(x, g);
}

/* ---- events ---- */

static void tell(const struct xcf_member *m, const struct xcf_event *e, u64 now) {
    if (m->slot == 0 && m->state == XCF_MEMBER_ACTIVE && m->exits && m->exits->group)
        m->exits->group(m->ctx, e, now);
}

/* To all own members of the group but the one it is about. */
static void tell_group(struct xcf_member *about, enum xcf_event_kind kind, u64 now) {
    struct xcf_event e = {.kind = kind, .system = about->x->sys[about->slot].id};
    member_info(about, &e.member);
    LIST_FOR_EACH(it, &about->group->members) {
        struct xcf_member *m = LIST_ENTRY(it, struct xcf_member, node);
        if (m != about) tell(m, &e, now);
    }
}

void member_system_event(struct xcf *x, enum xcf_event_kind kind, const struct xcf_sys *s, u64 now) {
    struct xcf_event e = {.kind = kind, .system = s->id};
    for (u32 i = 0; i < x->members_max && !x->stopped; i++)
        if (x->member[i].used) tell(&x->member[i], &e, now);
}

void member_system_gone(struct xcf *x, struct xcf_sys *s, u64 now) {
    u32 slot = sys_slot(x, s);
    for (u32 i = 0; i < x->members_max; i++) {
        struct xcf_member *m = &x->member[i];
        if (!m->used) continue;
        m->known &= ~(1u << slot);
        if (m->dirty & 1u << slot) {
            m->dirty &= ~(1u << slot);
            s->dirty--;
        }
        if (m->slot != slot) continue;
        m->state = XCF_MEMBER_FAILED;
        tell_group(m, XCF_EV_FAILED, now);
        member_free(x, m);
    }
    CHECK(s->dirty == 0);
}

/* ---- records out ---- */

/* Each partner that is in has to learn how m is now. */
static void member_changed(struct xcf_member *m, u64 now) {
    struct xcf *x = m->x;
    for (u32 i = 1; i < x->slots; i++) {
        struct xcf_sys *s = &x->sys[i];
        u32 bit = 1u << i;
        if (!sys_in(s)) continue;
        if (m->ending && !(m->known & bit)) { /* never heard of it: nothing to tell */
            if (m->dirty & bit) s->dirty--;
            m->dirty &= ~bit;
            continue;
        }
        if (!(m->dirty & bit)) s->dirty++;
        m->dirty |= bit;
        signal_pump(x, s, now);
    }
}

void member_all_dirty(struct xcf *x, struct xcf_sys *s) {
    u32 bit = 1u << sys_slot(x, s);
    for (u32 i = 0; i < x->members_max; i++) {
        struct xcf_member *m = &x->member[i];
        if (!m->used || m->slot != 0 || m->ending || m->dirty & bit) continue;
        m->dirty |= bit;
        s->dirty++;
    }
}

bool member_record_one(struct xcf_member *m, struct xcf_sys *s, u64 now) {
    struct xcf *x = m->x;
    u32 bit = 1u << sys_slot(x, s);
    u8 data[XCFMSG_MEMBER_RECORD];
    if (!(m->dirty & bit)) return true;
    struct xcfmsg_member r = {.state = (u8)m->state, .flags = m->missing ? RECORD_MISSING : 0};
    r.status_ms = (u32)(m->status_us / USEC_PER_MSEC);
    memcpy(r.group, m->group->name, sizeof r.group);
    memcpy(r.name, m->name, sizeof r.name);
    memcpy(r.ustate, m->ustate, sizeof r.ustate);
    xcfmsg_member_emit(data, &r);
    struct xcfmsg_message head = {.kind = XCFMSG_MEMBER, .bytes = sizeof data, .from = m->number};
    if (!message_control(x, s, &head, data, now)) return false;
    m->dirty &= ~bit;
    m->known |= bit;
    s->dirty--;
    return true;
}

void member_records_out(struct xcf *x, struct xcf_sys *s, u64 now) {
    u32 bit = 1u << sys_slot(x, s);
    /* Behind a full window more records would only take buffers from others; they may still change, too. */
    for (u32 i = 0; i < x->members_max && s->dirty && s->tx.queued < XCF_WINDOW; i++)
        if (x->member[i].used && x->member[i].dirty & bit && !member_record_one(&x->member[i], s, now))
            return;
    if (s->dirty || !s->sync_due) return;
    struct xcfmsg_message head = {.kind = XCFMSG_SYNC};
    s->sync_due = !message_control(x, s, &head, NULL, now);
}

/* ---- records in ---- */

static struct xcf_member *own_of_name(const struct xcf_member *like) {
    LIST_FOR_EACH(it, &like->group->members) {
        struct xcf_member *m = LIST_ENTRY(it, struct xcf_member, node);
        if (m->slot == 0 && !m->ending && strcmp(m->name, like->name) == 0) return m;
    }
    return NULL;
}

static void duplicate_check(struct xcf *x, struct xcf_member *remote, u64 now) {
    struct xcf_member *own = own_of_name(remote);
    if (!own || strcmp(x->id.name, x->sys[remote->slot].id.name) < 0) return;
    struct xcf_event e = {.kind = XCF_EV_DUPLICATE, .system = x->sys[remote->slot].id};
    x->count.duplicate_members++;
    member_info(remote, &e.member);
    tell(own, &e, now);
    if (!own->ending) xcf_leave(own, now);
}

static void member_compare(struct xcf_member *m, const struct xcfmsg_member *r, bool is_new, u64 now) {
    enum xcf_member_state was = m->state;
    bool was_missing = m->missing, ustate = memcmp(m->ustate, r->ustate, sizeof m->ustate) != 0;
    m->state = (enum xcf_member_state)r->state;
    m->missing = r->flags & RECORD_MISSING;
    m->status_us = r->status_ms * (u64)USEC_PER_MSEC;
    memcpy(m->ustate, r->ustate, sizeof m->ustate);
    if (is_new && m->state == XCF_MEMBER_ACTIVE) tell_group(m, XCF_EV_JOINED, now);
    if (m->state == XCF_MEMBER_QUIESCED && (is_new || was != m->state)) tell_group(m, XCF_EV_QUIESCED, now);
    if (!is_new && ustate) tell_group(m, XCF_EV_USTATE, now);
    if (m->missing != was_missing)
        tell_group(m, m->missing ? XCF_EV_STATUS_MISSING : XCF_EV_STATUS_RESUMED, now);
}

void member_record_in(struct xcf *x, struct xcf_sys *s, u32 number, const struct xcfmsg_member *r, u64 now) {
    struct xcf_member *m = member_find(x, sys_slot(x, s), number);
    if (m && (strcmp(m->group->name, r->group) != 0 || strcmp(m->name, r->name) != 0)) {
        x->count.drop_message_form++; /* a number is never given twice */
        return;
    }
    if (r->state == XCF_MEMBER_NOT_DEFINED) {
        if (!m) return; /* came and went before we were told */
        m->state = XCF_MEMBER_NOT_DEFINED;
        tell_group(m, XCF_EV_LEFT, now);
        member_free(x, m);
        return;
    }
    if (r->state != XCF_MEMBER_ACTIVE && r->state != XCF_MEMBER_QUIESCED) {
        x->count.drop_message_form++;
        return;
    }
    bool is_new = !m;
    if (is_new && !(m = member_new(x, sys_slot(x, s), number, r->group, r->name))) return;
    member_compare(m, r, is_new, now);
    if (is_new) duplicate_check(x, m, now);
}

/* ---- what members ask ---- */

static bool name_good(const char *name, size_t max) {
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool good =
            (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '$' || c == '#' || c == '@' || c == '_';
        if (!good) return false;
    }
    return n > 0 && n <= max;
}

static bool name_taken(struct xcf *x, const char *group, const char *name) {
    LIST_FOR_EACH(it, &x->groups) {
        struct xcf_group *g = LIST_ENTRY(it, struct xcf_group, node);
        if (strcmp(g->name, group) != 0) continue;
        LIST_FOR_EACH(jt, &g->members) {
            struct xcf_member *m = LIST_ENTRY(jt, struct xcf_member, node);
            if (m->state != XCF_MEMBER_NOT_DEFINED && strcmp(m->name, name) == 0) return true;
        }
    }
    return false;
}

int xcf_join(struct xcf *x, const struct xcf_join *j, struct xcf_member **out, u64 now) {
    char name[17];
    u32 number = x->next_number + 1;
    if (x->stopped) return -ERR_NETDOWN;
    if (!name_good(j->group, 8) || (j->member && !name_good(j->member, 16))) return -ERR_INVAL;
    if (j->member)
        str_copy(name, sizeof name, j->member);
    else
        str_fmt(name, sizeof name, "%s_%07X", x->id.name, number & 0xFFFFFFF);
    if (name_taken(x, j->group, name)) return -ERR_EXIST;
    struct xcf_member *m = member_new(x, 0, number, j->group, name);
    if (!m) return -ERR_NOMEM;
    x->next_number = number;
    m->exits = j->exits;
    m->ctx = j->ctx;
    m->status_us = j->status_us;
    m->alive_at = now;
    if (m->status_us) x->monitored++;
    poll_by(x, now);
    memcpy(m->ustate, j->ustate, sizeof m->ustate);
    m->state = XCF_MEMBER_ACTIVE;
    *out = m;
    member_changed(m, now);
    tell_group(m, XCF_EV_JOINED, now);
    return 0;
}

void xcf_leave(struct xcf_member *m, u64 now) {
    if (m->ending) return;
    m->ending = true;
    m->state = XCF_MEMBER_NOT_DEFINED;
    m->x->endings++;
    poll_by(m->x, now);
    if (m->status_us) m->x->monitored--;
    if (m->x->stopped) return;
    member_changed(m, now);
    tell_group(m, XCF_EV_LEFT, now);
}

void xcf_quiesce(struct xcf_member *m, u64 now) {
    if (m->state != XCF_MEMBER_ACTIVE || m->x->stopped) return;
    m->state = XCF_MEMBER_QUIESCED;
    member_changed(m, now);
    tell_group(m, XCF_EV_QUIESCED, now);
}

int xcf_set_ustate(struct xcf_member *m, const u8 ustate[XCF_USTATE_BYTES], u64 now) {
    if (m->x->stopped) return -ERR_NETDOWN;
    if (m->state != XCF_MEMBER_ACTIVE) return -ERR_NOENT;
    if (memcmp(m->ustate, ustate, sizeof m->ustate) == 0) return 0;
    memcpy(m->ustate, ustate, sizeof m->ustate);
    member_changed(m, now);
    tell_group(m, XCF_EV_USTATE, now);
    return 0;
}

static void missing_set(struct xcf_member *m, bool missing, u64 now) {
    if (m->missing == missing || m->x->stopped) return;
    m->missing = missing;
    member_changed(m, now);
    tell_group(m, missing ? XCF_EV_STATUS_MISSING : XCF_EV_STATUS_RESUMED, now);
}

void xcf_member_alive(struct xcf_member *m, u64 now) {
    m->alive_at = now;
    missing_set(m, false, now);
}

u32 xcf_member_token(const struct xcf_member *m) {
    return m->token;
}

/* ---- time ---- */

void member_timers(struct xcf *x, u64 now) {
    if (!x->monitored && !x->endings) return;
    for (u32 i = 0; i < x->members_max && !x->stopped; i++) {
        struct xcf_member *m = &x->member[i];
        if (!m->used || m->slot != 0) continue;
        if (m->ending && !m->dirty) {
            member_free(x, m);
            x->endings--;
            continue;
        }
        if (m->ending || !m->status_us || m->missing || now - m->alive_at < m->status_us) continue;
        bool well = m->exits && m->exits->status && m->exits->status(m->ctx, now);
        m->alive_at = now;
        if (!m->ending && !well) missing_set(m, true, now);
    }
}

u64 member_due(const struct xcf *x) {
    u64 due = TIME_NEVER;
    if (!x->monitored) return due;
    for (u32 i = 0; i < x->members_max; i++) {
        const struct xcf_member *m = &x->member[i];
        if (m->used && m->slot == 0 && m->status_us && !m->ending && !m->missing)
            due = u64_min(due, m->alive_at + m->status_us);
    }
    return due;
}

/* ---- queries ---- */

static const struct xcf_group *group_find(const struct xcf *x, const char *group) {
    for (const struct list *it = x->groups.next; it != &x->groups; it = it->next) {
        const struct xcf_group *g = LIST_ENTRY(it, struct xcf_group, node);
        if (strcmp(g->name, group) == 0) return g;
    }
    return NULL;
}

u32 xcf_query(const struct xcf *x, const char *group, struct xcf_member_info *out, u32 max) {
    const struct xcf_group *g = group_find(x, group);
    u32 n = 0;
    for (const struct list *it = g ? g->members.next : NULL; g && it != &g->members; it = it->next) {
        const struct xcf_member *m = LIST_ENTRY(it, struct xcf_member, node);
        if (m->state == XCF_MEMBER_NOT_DEFINED) continue;
        if (n < max) member_info(m, &out[n]);
        n++;
    }
    return n;
}

bool xcf_query_nth(const struct xcf *x, const char *group, u32 i, struct xcf_member_info *out) {
    const struct xcf_group *g = group_find(x, group);
    for (const struct list *it = g ? g->members.next : NULL; g && it != &g->members; it = it->next) {
        const struct xcf_member *m = LIST_ENTRY(it, struct xcf_member, node);
        if (m->state == XCF_MEMBER_NOT_DEFINED || i-- > 0) continue;
        member_info(m, out);
        return true;
    }
    return false;
}

bool xcf_query_token(const struct xcf *x, u32 token, struct xcf_member_info *out) {
    const struct xcf_member *m = member_by_token(x, token);
    if (!m || m->state == XCF_MEMBER_NOT_DEFINED) return false;
    member_info(m, out);
    return true;
}

bool xcf_group_nth(const struct xcf *x, u32 i, char name[9], u32 *size) {
    for (const struct list *it = x->groups.next; it != &x->groups; it = it->next) {
        const struct xcf_group *g = LIST_ENTRY(it, struct xcf_group, node);
        *size = xcf_query(x, g->name, NULL, 0);
        if (!*size || i-- > 0) continue;
        memcpy(name, g->name, sizeof g->name);
        return true;
    }
    return false;
}

u32 xcf_groups(const struct xcf *x, char (*name)[9], u32 *size, u32 max) {
    u32 n = 0, members;
    char found[9];
    for (; xcf_group_nth(x, n, found, &members); n++) {
        if (n >= max) continue;
        memcpy(name[n], found, sizeof found);
        size[n] = members;
    }
    return n;
}
