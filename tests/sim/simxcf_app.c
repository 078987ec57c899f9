/* simxcf_app.c - the members of the simulated sysplex: what they send, and the checkers that watch what they
 * get.
 *
 * Control information of each message: 0 4 index of the sender  4 8 its incarnation  12 8 the receiver's
 * incarnation as the sender sees it  20 4 number of the message between the two  24 4 length. Byte i of the
 * data is number * 7 + i * 13.
 */
#include "tests/sim/simxcf_impl.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/be.h"
#include "base/str.h"

static u8 pattern(u32 number, u32 i) {
    return (u8)(number * 7 + i * 13);
}

static u32 index_of(const struct simxcf *s, const char *name) {
    for (u32 i = 0; i < s->p.systems; i++)
        if (strcmp(s->sys[i].id.name, name) == 0) return i;
    return s->p.systems;
}

/* ---- exits and checkers ---- */

static void message_exit(void *ctx, const struct xcf_msg *m, u64 now) {
    struct sim_app *app = ctx;
    struct sim_sys *y = app->sys;
    struct simxcf *s = y->s;
    const u8 *c = xcf_msg_control(m);
    u32 from = be32_get(c), number = be32_get(c + 20), len = be32_get(c + 24);
    u64 from_life = be64_get(c + 4);
    static u8 data[XCFMSG_DATA_MAX];
    UNUSED(now);
    if (from >= s->p.systems || len != xcf_msg_bytes(m))
        sim_fail(s, "message to %s: wrong length or sender", y->id.name);
    struct sim_partner *p = &y->partner[from];
    if (be64_get(c + 12) != y->id.incarnation)
        sim_fail(s, "%s got a message that was sent to its incarnation %llu", y->id.name,
                 (unsigned long long)be64_get(c + 12));
    if (y->woke_isolated) sim_fail(s, "zombie: %s stood still while it was isolated and goes on", y->id.name);
    if (p->told_gone >= from_life)
        sim_fail(s, "zombie: %s got message %u from SYS%02u/%llu after it was gone", y->id.name, number,
                 from + 1, (unsigned long long)from_life);
    if (p->got_life != from_life) {
        if (p->got_life > from_life) sim_fail(s, "order: %s got a message of an older life", y->id.name);
        p->got_life = from_life;
        p->got = 0;
    }
    if (number != p->got + 1)
        sim_fail(s, "order: %s got message %u from SYS%02u after %u", y->id.name, number, from + 1, p->got);
    p->got = number;
    if (xcf_msg_copy(m, 0, data, sizeof data) != len) sim_fail(s, "message to %s is short", y->id.name);
    for (u32 i = 0; i < len; i++)
        if (data[i] != pattern(number, i))
            sim_fail(s, "content: %s, message %u, byte %u", y->id.name, number, i);
    s->r.messages++;
    s->r.bytes += len;
    sim_digest(s, from << 24 ^ y->index << 16 ^ number);
    sim_digest(s, (u32)s->now);
}

static void group_exit(void *ctx, const struct xcf_event *e, u64 now) {
    struct sim_app *app = ctx;
    struct sim_sys *y = app->sys;
    struct simxcf *s = y->s;
    UNUSED(now);
    y->events[e->kind]++;
    sim_digest(s, (u32)e->kind << 24 ^ y->index << 16 ^ e->member.token);
    if (y->woke_isolated && strcmp(e->system.name, y->id.name) != 0)
        sim_fail(s, "zombie: %s stood still while it was isolated and tells its members %u", y->id.name,
                 (u32)e->kind);
    if (e->kind != XCF_EV_SYSTEM_GONE && e->kind != XCF_EV_FAILED) return;
    struct sim_sys *v = &s->sys[index_of(s, e->system.name)];
    bool dead = v->id.incarnation > e->system.incarnation || !v->up || v->waiting;
    if (!dead && v->isolated < e->system.incarnation)
        sim_fail(s, "gone: %s tells that %s/%llu is gone, which is neither isolated nor dead", y->id.name,
                 v->id.name, (unsigned long long)e->system.incarnation);
    if (e->kind == XCF_EV_SYSTEM_GONE)
        y->partner[v->index].told_gone = u64_max(y->partner[v->index].told_gone, e->system.incarnation);
}

static const struct xcf_exits exits = {.message = message_exit, .group = group_exit};

static void app_join(struct sim_app *app) {
    struct sim_sys *y = app->sys;
    char group[9], member[17];
    struct xcf_join j = {.group = group, .member = member, .exits = &exits, .ctx = app};
    str_fmt(group, sizeof group, "GROUP%u", app->n);
    str_fmt(member, sizeof member, "%s_%u", y->id.name, app->n);
    be32_put(j.ustate, y->index);
    int rc = xcf_join(y->xcf, &j, &app->member, simxcf_local(y->s, y->index));
    if (rc) sim_fail(y->s, "%s cannot join: %d", y->id.name, rc);
}

void sim_app_start(struct sim_sys *y) {
    for (u32 n = 0; n < SIMXCF_GROUPS; n++) {
        y->app[n] = (struct sim_app){.sys = y, .n = n};
        app_join(&y->app[n]);
    }
}

/* ---- sending ---- */

static u32 token_of(struct simxcf *s, u32 i, u32 j, u32 n, u64 *life) {
    struct xcf_member_info info[64];
    struct xcf_system_info sys;
    char group[9];
    str_fmt(group, sizeof group, "GROUP%u", n);
    u32 count = u32_min(xcf_query(s->sys[i].xcf, group, info, ARRAY_LEN(info)), ARRAY_LEN(info));
    *life = 0;
    for (u32 k = 0; xcf_system(s->sys[i].xcf, k, &sys); k++)
        if (strcmp(sys.id.name, s->sys[j].id.name) == 0) *life = sys.id.incarnation;
    for (u32 k = 0; k < count; k++)
        if (strcmp(info[k].system, s->sys[j].id.name) == 0 && info[k].state == XCF_MEMBER_ACTIVE)
            return info[k].token;
    return 0;
}

int simxcf_send(struct simxcf *s, u32 i, u32 j, u32 n, u32 len) {
    struct sim_sys *y = &s->sys[i];
    struct sim_partner *p = &y->partner[j];
    static u8 data[XCFMSG_DATA_MAX];
    u8 control[XCFMSG_CONTROL] = {0};
    u64 life;
    u32 token = token_of(s, i, j, n, &life);
    if (!token) return -ERR_NOENT;
    if (p->sent_life != life) {
        p->sent_life = life;
        p->sent = 0;
    }
    u32 number = p->sent + 1;
    be32_put(control, i);
    be64_put(control + 4, y->id.incarnation);
    be64_put(control + 12, life);
    be32_put(control + 20, number);
    be32_put(control + 24, len);
    for (u32 k = 0; k < len; k++) data[k] = pattern(number, k);
    int rc = xcf_send(y->app[n].member, token, control, data, len, simxcf_local(s, i));
    if (rc == 0) p->sent = number;
    sim_wake(y);
    return rc;
}

/* One step of the workload: a few messages, now and then a member that changes, leaves and joins. */
void sim_app_work(struct simxcf *s) {
    for (u32 i = 0; i < s->p.systems; i++) {
        struct sim_sys *y = &s->sys[i];
        if (!y->up || y->paused || y->waiting) continue;
        for (u32 k = sim_random(s, 3); k; k--) {
            u32 len = sim_random(s, 10) ? sim_random(s, 600) : sim_random(s, XCFMSG_DATA_MAX + 1);
            int rc = simxcf_send(s, i, sim_random(s, s->p.systems), 0, len);
            if (rc && rc != -ERR_NOENT && rc != -ERR_NOBUFS && rc != -ERR_NETDOWN)
                sim_fail(s, "xcf_send says %d", rc);
        }
        u64 now = simxcf_local(s, i);
        u8 ustate[XCF_USTATE_BYTES] = {(u8)sim_random(s, 256)};
        if (sim_random(s, 20) == 0) xcf_set_ustate(y->app[1].member, ustate, now);
        if (sim_random(s, 40) == 0) {
            xcf_leave(y->app[2].member, now);
            app_join(&y->app[2]);
        }
        if (s->p.guest && s->p.guest->work) s->p.guest->work(s->p.guest->ctx, s, i);
        sim_wake(y);
    }
}

/* ---- looking ---- */

struct xcf_member *simxcf_member(struct simxcf *s, u32 i, u32 n) {
    return s->sys[i].app[n].member;
}
u32 simxcf_events(const struct simxcf *s, u32 i, enum xcf_event_kind kind) {
    return s->sys[i].events[kind];
}
u32 simxcf_received(const struct simxcf *s, u32 i, u32 j) {
    const struct sim_partner *p = &s->sys[i].partner[j];
    return p->got_life == s->sys[j].id.incarnation ? p->got : 0;
}

enum xcf_system_state simxcf_sees(struct simxcf *s, u32 i, u32 j) {
    struct xcf_system_info info;
    for (u32 k = 0; xcf_system(s->sys[i].xcf, k, &info); k++)
        if (strcmp(info.id.name, s->sys[j].id.name) == 0 && info.id.incarnation == s->sys[j].id.incarnation)
            return info.state;
    return XCF_SYS_FREE;
}

static bool same_view(struct simxcf *s, u32 i, u32 j) {
    struct xcf_member_info a[128], b[128];
    for (u32 n = 0; n < SIMXCF_GROUPS; n++) {
        char group[9];
        str_fmt(group, sizeof group, "GROUP%u", n);
        u32 na = xcf_query(s->sys[i].xcf, group, a, ARRAY_LEN(a)),
            nb = xcf_query(s->sys[j].xcf, group, b, ARRAY_LEN(b));
        if (na != nb || na != s->p.systems) return false;
        for (u32 k = 0; k < na; k++) {
            bool same = strcmp(a[k].name, b[k].name) == 0 && strcmp(a[k].system, b[k].system) == 0 &&
                        a[k].state == b[k].state && memcmp(a[k].ustate, b[k].ustate, XCF_USTATE_BYTES) == 0;
            if (!same) return false;
        }
    }
    return true;
}

static const char *differs(struct simxcf *s, u32 i, u32 j) {
    struct sim_sys *a = &s->sys[i], *b = &s->sys[j];
    if (!b->up || b->waiting) return "a system is not up";
    if (i != j && simxcf_sees(s, i, j) != XCF_SYS_ACTIVE) return "a system is not active for another";
    u32 sent = a->partner[j].sent_life == b->id.incarnation ? a->partner[j].sent : 0;
    u32 got = b->partner[i].got_life == a->id.incarnation ? b->partner[i].got : 0;
    if (sent != got) return "messages have not arrived";
    return same_view(s, i, j) ? NULL : "views of a group differ";
}

bool simxcf_converged(struct simxcf *s, const char **why) {
    for (u32 i = 0; i < s->p.systems; i++) {
        if (!xcf_synced(s->sys[i].xcf)) {
            *why = "a system has not all members";
            return false;
        }
        for (u32 j = 0; j < s->p.systems; j++)
            if ((*why = differs(s, i, j)) != NULL) return false;
    }
    if (s->p.guest && s->p.guest->converged) return s->p.guest->converged(s->p.guest->ctx, s, why);
    return true;
}
