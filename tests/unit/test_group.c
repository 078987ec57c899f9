/* test_group.c - the stacks' XCF group: what a member says of another life or membership, its own or the receiver's, changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/stack_impl.h"
#include "sysplex/dvipa_impl.h"
#include "tests/sim/simplex.h"
#include "wire/plexmsg.h"

#include <cmocka.h>

#define NEWS ipaddr_v4(0x0A000055) /* an address of which nobody has heard */
#define MASK ipaddr_v4(0xFFFFFF00)
#define SEC  ((u64)USEC_PER_SEC)

static void no_profile(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    UNUSED(ctx);
    UNUSED(i);
    UNUSED(sx);
    UNUSED(now);
}

/* System 1 says that it has NEWS, in an envelope that differs from the right one by so much. */
static void say(struct simplex *p, const struct plexmsg_envelope *off) {
    struct sysplex *sx = simplex_sysplex(p, 1), *to = simplex_sysplex(p, 0);
    u8 control[PLEXMSG_CONTROL], row[PLEXMSG_DVIPA_ROW];
    struct plexmsg_envelope e = {.kind = PLEXMSG_DVIPA, .from_incarnation = sx->conf.incarnation + off->from_incarnation};
    struct plexmsg_dvipa r = {.addr = NEWS, .mask = MASK, .status = DVIPA_ACTIVE, .origin = DVIPA_DEFINE, .epoch = 1};
    e.from_epoch = sx->epoch + off->from_epoch;
    e.to_incarnation = to->conf.incarnation + off->to_incarnation;
    e.to_epoch = to->epoch + off->to_epoch;
    plexmsg_emit(control, &e);
    plexmsg_dvipa_emit(row, &r);
    assert_int_equal(xcf_send(sx->member, XCF_TO_ALL, control, row, sizeof row, simplex_local(p, 1)), 0);
    simplex_run(p, SEC / 5);
}

/* Epoch and incarnation of both ends are judged each for itself, earlier and later ones alike; the right ones are heard. */
static void stale_words(void **state) {
    static const struct plexmsg_envelope off[] = {
        {.from_incarnation = (u64)-1}, {.from_incarnation = 1}, {.from_epoch = (u32)-1}, {.from_epoch = 1},
        {.to_incarnation = (u64)-1},   {.to_incarnation = 1},   {.to_epoch = (u32)-1},   {.to_epoch = 1},
    };
    struct simplex_params par = {.seed = 7, .systems = 2, .profile = no_profile};
    struct simplex *p = simplex_create(&par);
    UNUSED(state);
    simplex_run(p, 4 * SEC);
    for (u32 i = 0; i < 2; i++) { /* a second life of both, so that there is an earlier one */
        simxcf_kill(simplex_xcf(p), i, true);
        simplex_start_system(p, i);
        simplex_run(p, 5 * SEC);
    }
    struct sysplex *sx = simplex_sysplex(p, 0);
    for (u32 i = 0; i < ARRAY_LEN(off); i++) {
        say(p, &off[i]);
        assert_int_equal(sx->count.drop_stale, i + 1);
        assert_null(dvipa_find(sx, NEWS));
    }
    say(p, &(struct plexmsg_envelope){.kind = PLEXMSG_DVIPA});
    assert_int_equal(sx->count.drop_stale, ARRAY_LEN(off));
    assert_non_null(dvipa_find(sx, NEWS));
    simplex_destroy(p);
}

/* What was under way when its sender left and joined again is of an earlier membership: it is refused though the member is the same. */
static void words_of_an_earlier_membership(void **state) {
    struct simplex_params par = {.seed = 7, .systems = 2, .profile = no_profile};
    struct simplex *p = simplex_create(&par);
    UNUSED(state);
    simplex_run(p, 4 * SEC);
    struct sysplex *sx = simplex_sysplex(p, 0), *sender = simplex_sysplex(p, 1);
    u32 epoch = sender->epoch;
    assert_int_equal(sysplex_leavegroup(sender, simplex_local(p, 1)), 0);
    simplex_run(p, SEC);
    assert_int_equal(sysplex_joingroup(sender, simplex_local(p, 1)), 0);
    simplex_run(p, 2 * SEC);
    assert_int_equal(sender->epoch, epoch + 1);
    u32 before = sx->count.drop_stale;
    say(p, &(struct plexmsg_envelope){.from_epoch = (u32)-1});
    assert_int_equal(sx->count.drop_stale, before + 1);
    assert_null(dvipa_find(sx, NEWS));
    say(p, &(struct plexmsg_envelope){.from_epoch = 0});
    assert_non_null(dvipa_find(sx, NEWS));
    simplex_destroy(p);
}

/* System 0 owns NEWS; each system's part of a test notes what it heard of the ownership last. */
static void owned(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    UNUSED(ctx);
    if (i == 0) assert_int_equal(dvipa_define(sx, NEWS, MASK, DVIPA_IMMEDIATE, now), 0);
}
static u32 heard[3];
static void hear(void *ctx, const struct sysplex_dvipa *d, u64 now) {
    UNUSED(now);
    if (d->active_here) *(u32 *)ctx = d->epoch;
}
static void add_ear(void *ctx, u32 i, struct sysplex *sx, struct arena *a) {
    static const struct sysplex_part_ops ear = {.name = "EAR", .dvipa_changed = hear};
    UNUSED(ctx);
    UNUSED(a);
    sysplex_part_add(sx, &ear, &heard[i]);
}

/* Who became the owner when those were away that remember a later one takes their epoch, and says so to its own parts and to everybody:
 * else what its distributor says would be an earlier owner's for them. */
static void owner_of_an_earlier_epoch(void **state) {
    struct simplex_params par = {.seed = 7, .systems = 3, .profile = owned, .parts = add_ear};
    struct simplex *p = simplex_create(&par);
    UNUSED(state);
    simplex_run(p, 4 * SEC);
    struct sysplex *sx = simplex_sysplex(p, 0), *from = simplex_sysplex(p, 1);
    u32 was = dvipa_find(sx, NEWS)->epoch;
    assert_int_equal(heard[0], was);
    struct plexmsg_envelope e = {.kind = PLEXMSG_DVIPA, .from_incarnation = from->conf.incarnation, .from_epoch = from->epoch};
    struct plexmsg_dvipa r = {.addr = NEWS, .mask = MASK, .status = DVIPA_BACKUP, .origin = DVIPA_BACKUP_OF, .rank = 1, .epoch = was + 4};
    u8 control[PLEXMSG_CONTROL], row[PLEXMSG_DVIPA_ROW];
    plexmsg_emit(control, &e);
    plexmsg_dvipa_emit(row, &r);
    assert_int_equal(xcf_send(from->member, XCF_TO_ALL, control, row, sizeof row, simplex_local(p, 1)), 0);
    simplex_run(p, SEC / 5);
    assert_int_equal(dvipa_find(sx, NEWS)->status, DVIPA_ACTIVE);
    assert_int_equal(heard[0], was + 4);
    for (u32 i = 1; i < 3; i++) {
        struct dvipa *d = dvipa_find(simplex_sysplex(p, i), NEWS);
        assert_non_null(sysplex_peer_at(simplex_sysplex(p, i), d->owner));
        assert_int_equal(dvipa_row_of(d, d->owner)->epoch, was + 4);
    }
    simplex_destroy(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(stale_words), cmocka_unit_test(words_of_an_earlier_membership),
                                       cmocka_unit_test(owner_of_an_earlier_epoch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
