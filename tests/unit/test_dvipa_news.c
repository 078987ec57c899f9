/* test_dvipa_news.c - what a former owner says of moved connections when the group has no room for it, and what is left of it when it leaves. Systems as in test_dvipa.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "sysplex/dvipa_impl.h"
#include "tests/sim/simplex.h"

#include <cmocka.h>

#define VIP ipaddr_v4(0x0A000050) /* 10.0.0.80 */
#define SEC ((u64)USEC_PER_SEC)

/* System 0 defines VIP, 1 backs it up. */
static void profile(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    UNUSED(ctx);
    int rc = i == 0 ? dvipa_define(sx, VIP, ipaddr_v4(0xFFFFFF00), DVIPA_IMMEDIATE, now)
                    : dvipa_backup(sx, VIP, (u8)(201 - i), IPADDR_ANY, DVIPA_MOVEABLE_NA, now);
    assert_int_equal(rc, 0);
}
static struct simplex_session *held(struct simplex *p) {
    struct simplex_session *e = simplex_fetch(p, 0, VIP, 4000000);
    simplex_run(p, SEC / 10);
    e->paused = true;
    simplex_run(p, SEC / 10);
    assert_true(e->connected && !e->ended);
    return e;
}

struct wanted {
    struct tcp_info found;
    u16 but_not; /* foreign port */
};
static bool at_vip(void *ctx, const struct tcp_info *i) {
    struct wanted *w = ctx;
    bool is = ipaddr_eq(i->key.local, VIP) && i->state == TCP_ESTABLISHED && i->key.foreign_port != w->but_not;
    if (is) w->found = *i;
    return !is;
}
static struct tcp_info conn_at(struct simplex *p, u32 system, u16 but_not) {
    struct wanted w = {.but_not = but_not};
    tcp_for_each(simplex_stack(p, system), at_vip, &w);
    return w.found;
}
static bool is_moved(struct simplex *p, u32 at, const struct tcp_key *k) { return moved_find(simplex_sysplex(p, at), k) != NULL; }

/* The group takes no more messages for a moment, and in that moment one moved connection ends where it lives, and the word about another is lost that
 * had begun there: the owner knows both as soon as there is room. A third goes on, so that the address does not leave that stack. */
static void news_of_moved_connections_find_no_room(void **state) {
    static const u8 nothing[PLEXMSG_DATA_MAX];
    struct simplex_params par = {.seed = 7, .systems = 3, .profile = profile};
    struct simplex *p = simplex_create(&par);
    UNUSED(state);
    simplex_run(p, 4 * SEC);
    struct simplex_session *e = held(p), *f = held(p);
    assert_int_equal(dvipa_deactivate(simplex_sysplex(p, 0), VIP, simplex_local(p, 0)), 0);
    simplex_run(p, SEC);
    struct sysplex *former = simplex_sysplex(p, 0), *owner = simplex_sysplex(p, 1);
    struct tcp_info goes = conn_at(p, 0, 0);
    struct tcp_key a = goes.key, b = conn_at(p, 0, a.foreign_port).key;
    assert_int_equal(simplex_owner(p, VIP), 1);
    assert_true(a.foreign_port && b.foreign_port && is_moved(p, 1, &a) && is_moved(p, 1, &b) && owner->moved.rows == 2);
    moved_del(owner, sysplex_peer_by_dynxcf(owner, sysplex_dynxcf(former)), &b);
    u64 now = simplex_local(p, 0);
    while (sysplex_send(former, NULL, PLEXMSG_CONN, nothing, sizeof nothing, now) != -ERR_NOBUFS) {
    }
    while (sysplex_send(former, NULL, PLEXMSG_CONN, nothing, 0, now) != -ERR_NOBUFS) {
    }
    assert_int_equal(tcp_drop(simplex_stack(p, 0), goes.conn_id, now), 0);
    dvipa_conn_tell(former, &b, true, now);
    simplex_run(p, SEC);
    assert_int_equal(simplex_status(p, 0, VIP), DVIPA_MOVING);
    assert_false(is_moved(p, 1, &a));
    assert_true(is_moved(p, 1, &b));
    simplex_forget(e), simplex_forget(f);
    simplex_destroy(p);
}

/* Who has given the address away keeps it for a while, for a half-open connection may become whole; who leaves the group does not, or it would
 * reset what a switch still sends to it. */
static void who_leaves_answers_nobody(void **state) {
    struct simplex_params par = {.seed = 8, .systems = 3, .profile = profile};
    struct simplex *p = simplex_create(&par);
    UNUSED(state);
    simplex_run(p, 4 * SEC);
    assert_int_equal(dvipa_deactivate(simplex_sysplex(p, 0), VIP, simplex_local(p, 0)), 0);
    simplex_run(p, SEC / 10);
    assert_non_null(home_find(simplex_stack(p, 0), VIP));
    assert_int_equal(sysplex_leavegroup(simplex_sysplex(p, 0), simplex_local(p, 0)), 0);
    assert_null(home_find(simplex_stack(p, 0), VIP));
    simplex_destroy(p);
}

/* All signals between two systems are lost, and then a stack begins on each: neither can know of the other, so neither takes anything before they
 * are back. */
static void who_cannot_hear_all_takes_nothing(void **state) {
    struct simplex_params par = {.seed = 9, .systems = 2, .profile = profile};
    struct simplex *p = simplex_create(&par);
    UNUSED(state);
    simplex_run(p, 4 * SEC);
    for (u32 i = 0; i < 2; i++) assert_int_equal(sysplex_leavegroup(simplex_sysplex(p, i), simplex_local(p, i)), 0);
    simplex_run(p, SEC);
    simxcf_pair(simplex_xcf(p), 0, 1, SIMXCF_DOWN);
    simplex_run(p, SEC / 10);
    for (u32 i = 0; i < 2; i++) assert_int_equal(sysplex_joingroup(simplex_sysplex(p, i), simplex_local(p, i)), 0);
    simplex_run(p, SEC);
    for (u32 i = 0; i < 2; i++) assert_int_equal(sysplex_state(simplex_sysplex(p, i)), SYSPLEX_JOINED);
    simxcf_pair(simplex_xcf(p), 0, 1, SIMXCF_OK);
    simplex_run(p, 4 * SEC);
    for (u32 i = 0; i < 2; i++) assert_int_equal(sysplex_state(simplex_sysplex(p, i)), SYSPLEX_IN_SYNC);
    assert_int_equal(simplex_owner(p, VIP), 0);
    simplex_destroy(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(news_of_moved_connections_find_no_room), cmocka_unit_test(who_leaves_answers_nobody),
                                       cmocka_unit_test(who_cannot_hear_all_takes_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
