/* test_dvipa_claim.c - who gets a dynamic VIPA when several claim it or say that they own it: claims at the same time, old claims, old answers, old words. Three
 * or four simulated systems; a word of a peer is given to a stack as XCF does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "sysplex/dvipa_impl.h"
#include "tests/sim/simplex.h"

#include <cmocka.h>

#define VIP ipaddr_v4(0x0A000050) /* 10.0.0.80 */
#define SEC ((u64)USEC_PER_SEC)

/* System 0 defines VIP, the others back it up, all with rank 100. */
static void profile(void *ctx, u32 i, struct sysplex *sx, u64 now) {
    UNUSED(ctx);
    int rc = i == 0 ? dvipa_define(sx, VIP, ipaddr_v4(0xFFFFFF00), DVIPA_IMMEDIATE, now)
                    : dvipa_backup(sx, VIP, 100, IPADDR_ANY, DVIPA_MOVEABLE_NA, now);
    assert_int_equal(rc, 0);
}
static struct simplex *plex(u32 systems) {
    struct simplex_params par = {.seed = 7, .systems = systems, .profile = profile};
    struct simplex *p = simplex_create(&par);
    simplex_run(p, 4 * SEC);
    assert_int_equal(simplex_owner(p, VIP), 0);
    return p;
}
static struct dvipa *vipa(struct simplex *p, u32 i) { return dvipa_find(simplex_sysplex(p, i), VIP); }
static struct sysplex_peer *peer_of(struct simplex *p, u32 at, u32 i) {
    return sysplex_peer_by_dynxcf(simplex_sysplex(p, at), ipaddr_v4(0xC109C801 + i));
}

/* What system `from` says to system `at`, which the group delivers in its buffer. */
static void message(struct simplex *p, u32 at, u32 from, u8 kind, const u8 *row, u32 len) {
    struct sysplex *sx = simplex_sysplex(p, at);
    memcpy(sx->rx, row, len);
    dvipa_part.message(sx, peer_of(p, at, from), kind, sx->rx, len, simplex_local(p, at));
}
static void claims(struct simplex *p, u32 at, u32 from, u32 epoch, u8 priority) {
    struct plexmsg_claim c = {.addr = VIP, .mask = ipaddr_v4(0xFFFFFF00), .epoch = epoch, .priority = priority};
    u8 row[PLEXMSG_CLAIM_ROW];
    plexmsg_claim_emit(row, &c);
    message(p, at, from, PLEXMSG_CLAIM, row, sizeof row);
}
static void says(struct simplex *p, u32 at, u32 from, enum dvipa_status status, u32 epoch) {
    struct plexmsg_dvipa m = {.addr = VIP, .mask = ipaddr_v4(0xFFFFFF00), .status = (u8)status, .origin = DVIPA_BACKUP_OF, .rank = 100, .epoch = epoch};
    u8 row[PLEXMSG_DVIPA_ROW];
    plexmsg_dvipa_emit(row, &m);
    message(p, at, from, PLEXMSG_DVIPA, row, sizeof row);
}
static void answers(struct simplex *p, u32 at, u32 from, u8 kind, u32 epoch) {
    struct plexmsg_answer a = {.addr = VIP, .epoch = epoch, .value = epoch};
    u8 row[PLEXMSG_ANSWER_ROW];
    plexmsg_answer_emit(row, &a);
    message(p, at, from, kind, row, sizeof row);
}
static void claiming(struct simplex *p, u32 at, u32 epoch, u8 priority) {
    struct dvipa *d = vipa(p, at);
    dvipa_step(simplex_sysplex(p, at), d, DVIPA_EV_CLAIM, simplex_local(p, at));
    d->claim_epoch = d->epoch = epoch;
    d->priority = priority;
    d->claimant = SX_SELF;
    assert_int_equal(d->status, DVIPA_CLAIMING);
}

/* ---- claims ---- */

/* Of two at once the later epoch wins, then the higher rank, then the first by name; each of the two judges so by itself, and they never agree to differ. */
static void two_claims_at_once(void **state) {
    static const struct {
        u32 from, epoch;
        u8 priority;
        bool mine;
    } as[] = {
        {2, 1001, 0, false},  {0, 999, 255, true}, /* epochs */
        {2, 1000, 101, false}, {0, 1000, 99, true}, /* ranks */
        {0, 1000, 100, false}, {2, 1000, 100, true}, /* names */
    };
    struct simplex *p = plex(3);
    const struct sysplex_counters *count = sysplex_counters(simplex_sysplex(p, 1));
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(as); i++) {
        u32 grants = count->grants, denials = count->denials;
        claiming(p, 1, 1000, 100);
        claims(p, 1, as[i].from, as[i].epoch, as[i].priority);
        if ((vipa(p, 1)->status == DVIPA_CLAIMING) != as[i].mine) fail_msg("case %u: %s", i, dvipa_status_name(vipa(p, 1)->status));
        assert_int_equal(count->grants - grants, !as[i].mine);
        assert_int_equal(count->denials - denials, as[i].mine);
        if (as[i].mine) dvipa_step(simplex_sysplex(p, 1), vipa(p, 1), DVIPA_EV_TAKEN, simplex_local(p, 1));
        vipa(p, 1)->claimant = SX_NOBODY;
    }
    simplex_destroy(p);
}

/* An owner gives way to a claim that knows of it, and to no other. */
static void a_claim_that_has_not_heard_of_the_owner(void **state) {
    struct simplex *p = plex(3);
    const struct sysplex_counters *count = sysplex_counters(simplex_sysplex(p, 0));
    u32 epoch = vipa(p, 0)->epoch;
    UNUSED(state);
    for (u32 below = 0; below < epoch; below++) {
        claims(p, 0, 1, epoch - below, 255);
        assert_int_equal(vipa(p, 0)->status, DVIPA_ACTIVE);
        assert_int_equal(count->denials, below + 1);
    }
    assert_true(count->denials >= 1);
    claims(p, 0, 1, epoch + 1, 0);
    assert_int_not_equal(vipa(p, 0)->status, DVIPA_ACTIVE);
    simplex_destroy(p);
}

/* Two systems are given VIPADEFINE at the same moment (OBEYFILE, say): both claim, the first by name has it, and the other backs it up. */
static void two_definitions_at_once(void **state) {
    struct simplex_params par = {.seed = 7, .systems = 2};
    struct simplex *p = simplex_create(&par);
    const char *why = "";
    UNUSED(state);
    simplex_run(p, 4 * SEC);
    for (u32 i = 0; i < 2; i++)
        assert_int_equal(dvipa_define(simplex_sysplex(p, i), VIP, ipaddr_v4(0xFFFFFF00), DVIPA_IMMEDIATE, simplex_local(p, i)), 0);
    simplex_run(p, SEC);
    if (!simplex_converged(p, &why)) fail_msg("%s", why);
    assert_int_equal(simplex_owner(p, VIP), 0);
    assert_int_equal(simplex_status(p, 1, VIP), DVIPA_BACKUP);
    for (u32 i = 0; i < 2; i++) assert_int_equal(sysplex_counters(simplex_sysplex(p, i))->claims, 1);
    simplex_destroy(p);
}

/* The owner dies, and its backups have one rank: the first by name claims, and the others leave it to that one. So say the next owners beforehand. */
static void backups_of_one_rank(void **state) {
    struct simplex *p = plex(4);
    struct sysplex_peer *heir[3];
    u32 claimed[4];
    UNUSED(state);
    assert_int_equal(sysplex_heirs(simplex_sysplex(p, 0), VIP, heir, 3), 3);
    for (u32 i = 0; i < 3; i++) assert_ptr_equal(heir[i], peer_of(p, 0, i + 1));
    for (u32 i = 1; i < 4; i++) claimed[i] = sysplex_counters(simplex_sysplex(p, i))->claims;
    simxcf_kill(simplex_xcf(p), 0, true);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, VIP), 1);
    for (u32 i = 1; i < 4; i++) assert_int_equal(sysplex_counters(simplex_sysplex(p, i))->claims - claimed[i], i == 1);
    simplex_destroy(p);
}

/* ---- answers ---- */

/* GRANT and DENY of the claim before are late: this one waits for its own. */
static void answers_to_the_claim_before(void **state) {
    struct simplex *p = plex(3);
    struct dvipa *d = vipa(p, 1);
    UNUSED(state);
    claiming(p, 1, 1000, 100);
    d->awaiting = sx_bit(peer_of(p, 1, 0)->index) | sx_bit(peer_of(p, 1, 2)->index);
    answers(p, 1, 0, PLEXMSG_DENY, 999);
    answers(p, 1, 2, PLEXMSG_GRANT, 999);
    assert_int_equal(d->status, DVIPA_CLAIMING);
    answers(p, 1, 2, PLEXMSG_GRANT, 1000);
    answers(p, 1, 2, PLEXMSG_GRANT, 1000);
    assert_int_equal(d->status, DVIPA_CLAIMING); /* one of two, though it says so twice */
    answers(p, 1, 0, PLEXMSG_GRANT, 999);
    assert_int_equal(d->status, DVIPA_CLAIMING);
    answers(p, 1, 0, PLEXMSG_GRANT, 1000);
    assert_int_equal(d->status, DVIPA_ACTIVE);
    simplex_destroy(p);
}

/* ---- rows ---- */

static u32 owner_at(struct simplex *p, u32 i) {
    u8 owner = vipa(p, i)->owner;
    if (owner == SX_SELF) return i;
    for (u32 k = 0; k < 4; k++)
        if (k != i && peer_of(p, i, k) && peer_of(p, i, k)->index == owner) return k;
    return 99;
}

/* Who calls itself the owner since an earlier epoch than the one that is known is none; if none is known it is, for who died may have been the only one
 * to know better. */
static void an_owner_of_an_earlier_epoch(void **state) {
    struct simplex *p = plex(3);
    u32 epoch = vipa(p, 1)->epoch + 10;
    UNUSED(state);
    says(p, 1, 0, DVIPA_ACTIVE, epoch);
    says(p, 1, 2, DVIPA_ACTIVE, epoch - 1);
    assert_int_equal(owner_at(p, 1), 0);
    assert_int_equal(vipa(p, 1)->epoch, epoch);
    says(p, 1, 2, DVIPA_BACKUP, epoch - 1);
    says(p, 1, 0, DVIPA_BACKUP, epoch);
    assert_int_equal(owner_at(p, 1), 99);
    says(p, 1, 2, DVIPA_ACTIVE, epoch - 1);
    assert_int_equal(owner_at(p, 1), 2);
    assert_int_equal(vipa(p, 1)->epoch, epoch);
    says(p, 1, 0, DVIPA_ACTIVE, epoch + 1);
    assert_int_equal(owner_at(p, 1), 0);
    simplex_destroy(p);
}

/* Two own it since one epoch, for they did not see each other: the first by name stays, the other gives way. */
static void two_owners_of_one_epoch(void **state) {
    struct simplex *p = plex(3);
    UNUSED(state);
    assert_int_equal(dvipa_deactivate(simplex_sysplex(p, 0), VIP, simplex_local(p, 0)), 0);
    simplex_run(p, SEC);
    assert_int_equal(simplex_owner(p, VIP), 1);
    says(p, 1, 2, DVIPA_ACTIVE, vipa(p, 1)->epoch);
    assert_int_equal(vipa(p, 1)->status, DVIPA_ACTIVE);
    says(p, 1, 0, DVIPA_ACTIVE, vipa(p, 1)->epoch - 1);
    assert_int_equal(vipa(p, 1)->status, DVIPA_ACTIVE);
    says(p, 1, 0, DVIPA_ACTIVE, vipa(p, 1)->epoch);
    assert_int_not_equal(vipa(p, 1)->status, DVIPA_ACTIVE);
    assert_int_equal(owner_at(p, 1), 0);
    simplex_destroy(p);
}

/* The owner says that it is none any more. Whoever has said to be one since a later epoch is, the latest of them; whose word is from before was an owner before. */
static void who_owns_it_after_the_owners_last_word(void **state) {
    static const struct {
        u32 of_2, of_3, owner; /* epochs beside that of system 0; 0: BACKUP */
    } as[] = {{0, 0, 99}, {99, 0, 99}, {100, 98, 99}, {101, 0, 2}, {101, 102, 3}, {102, 101, 2}, {99, 101, 3}};
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(as); i++) {
        struct simplex *p = plex(4);
        says(p, 1, 0, DVIPA_ACTIVE, 100);
        says(p, 1, 2, DVIPA_BACKUP, 200); /* it has heard of later claims than any of them */
        says(p, 1, 2, as[i].of_2 ? DVIPA_ACTIVE : DVIPA_BACKUP, as[i].of_2);
        says(p, 1, 3, as[i].of_3 ? DVIPA_ACTIVE : DVIPA_BACKUP, as[i].of_3);
        assert_int_equal(owner_at(p, 1), 0);
        says(p, 1, 0, DVIPA_BACKUP, 100);
        if (owner_at(p, 1) != as[i].owner) fail_msg("case %u: %u, not %u", i, owner_at(p, 1), as[i].owner);
        simplex_destroy(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_claims_at_once),
        cmocka_unit_test(a_claim_that_has_not_heard_of_the_owner),
        cmocka_unit_test(two_definitions_at_once),
        cmocka_unit_test(backups_of_one_rank),
        cmocka_unit_test(answers_to_the_claim_before),
        cmocka_unit_test(an_owner_of_an_earlier_epoch),
        cmocka_unit_test(two_owners_of_one_epoch),
        cmocka_unit_test(who_owns_it_after_the_owners_last_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
