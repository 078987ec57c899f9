/* test_dynxcf.c - packets over dynamic XCF: each peer's in a message of its own, however they alternate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sysplex/sysplex_impl.h"
#include "tests/sim/simplex.h"

#include <cmocka.h>

#define SEC     ((u64)USEC_PER_SEC)
#define SYSTEMS (DYNXCF_LARGE + 4) /* so that a stack has more peers than large batches */

static struct simplex *plex(void) {
    struct simplex_params par = {.seed = 11, .systems = SYSTEMS, .no_server = true};
    struct simplex *p = simplex_create(&par);
    simplex_run(p, 4 * SEC);
    return p;
}
/* A packet that no stack answers: it only has to arrive. */
static void forward(struct simplex *p, u32 to, u32 bytes) {
    static u8 packet[DYNXCF_MTU];
    char name[9];
    struct sysplex *sx = simplex_sysplex(p, 0);
    struct sysplex_peer *peer = NULL;
    str_fmt(name, sizeof name, "SYS%02u", to + 1);
    while ((peer = sysplex_peer_next(sx, peer, true)) && strcmp(peer->system, name) != 0) {
    }
    assert_non_null(peer);
    memset(packet, 0, sizeof packet);
    packet[0] = 0x45;
    struct pkt k = {.data = packet, .len = bytes};
    sysplex_forward(sx, peer, &k, simplex_local(p, 0));
}
static void flush(struct simplex *p) {
    link_flush_all(simplex_stack(p, 0), simplex_local(p, 0));
}
static const struct sysplex_counters *count(struct simplex *p, u32 i) {
    return sysplex_counters(simplex_sysplex(p, i));
}
static u32 arrived(struct simplex *p, u32 i) {
    return count(p, i)->packets_in;
}

static void alternating_peers_share_no_message(void **state) {
    struct simplex *p = plex();
    UNUSED(state);
    u32 before = count(p, 0)->batches_out;
    for (u32 round = 0; round < 10; round++)
        for (u32 to = 1; to <= 3; to++) forward(p, to, 100);
    assert_int_equal(count(p, 0)->batches_out, before); /* nothing goes before the end of the turn */
    flush(p);
    assert_int_equal(count(p, 0)->batches_out, before + 3);
    assert_int_equal(count(p, 0)->batches_early, 0);
    simplex_run(p, SEC / 10);
    for (u32 to = 1; to <= 3; to++) assert_int_equal(arrived(p, to), 10);
    assert_int_equal(arrived(p, 4), 0);
    simplex_destroy(p);
}

static void a_full_batch_goes_at_once(void **state) {
    struct simplex *p = plex();
    UNUSED(state);
    u32 before = count(p, 0)->batches_out;
    forward(p, 1, 40000);
    forward(p, 2, 100);
    forward(p, 1, 40000); /* no room beside the first */
    assert_int_equal(count(p, 0)->batches_out, before + 1);
    flush(p);
    assert_int_equal(count(p, 0)->batches_out, before + 3);
    simplex_run(p, SEC / 10);
    assert_int_equal(arrived(p, 1), 2);
    assert_int_equal(arrived(p, 2), 1);
    simplex_destroy(p);
}

/* Small packets for all go at the end of the turn; large ones, for more peers than there are large batches, push the oldest out. */
static void more_peers_than_batches(void **state) {
    struct simplex *p = plex();
    UNUSED(state);
    for (u32 to = 1; to < SYSTEMS; to++) forward(p, to, 200);
    assert_int_equal(count(p, 0)->batches_early, 0);
    flush(p);
    for (u32 to = 1; to < SYSTEMS; to++) forward(p, to, 5000);
    assert_int_equal(count(p, 0)->batches_early, SYSTEMS - 1 - DYNXCF_LARGE);
    forward(p, SYSTEMS - 1, 5000); /* whose batch is open still */
    forward(p, 1, 200);            /* whose batch went early: a small one is enough */
    assert_int_equal(count(p, 0)->batches_early, SYSTEMS - 1 - DYNXCF_LARGE);
    forward(p, 1, 5000); /* not any more */
    assert_int_equal(count(p, 0)->batches_early, SYSTEMS - DYNXCF_LARGE);
    flush(p);
    simplex_run(p, SEC / 10);
    assert_int_equal(arrived(p, 1), 4);
    for (u32 to = 2; to < SYSTEMS - 1; to++) assert_int_equal(arrived(p, to), 2);
    assert_int_equal(arrived(p, SYSTEMS - 1), 3);
    assert_int_equal(count(p, 0)->drop_batch, 0);
    simplex_destroy(p);
}

/* XCF tells of a death in the middle of a turn: what waits for the dead goes nowhere, and its batch serves others again. */
static void a_peer_dies_with_packets_waiting(void **state) {
    struct simplex *p = plex();
    struct sysplex *sx = simplex_sysplex(p, 0);
    UNUSED(state);
    forward(p, 1, 300);
    forward(p, 2, 300);
    u32 before = count(p, 0)->batches_out, idle = 0;
    struct packet_batch *oldest = LIST_ENTRY(sx->dx.open.next, struct packet_batch, node);
    dynxcf_part.peer_down(sx, sysplex_peer_at(sx, oldest->peer), simplex_local(p, 0));
    flush(p);
    assert_int_equal(count(p, 0)->batches_out, before + 1);
    LIST_FOR_EACH(n, &sx->dx.idle) idle++;
    assert_int_equal(idle, DYNXCF_BATCHES);
    assert_int_equal(count(p, 0)->drop_batch, 1);
    simplex_run(p, SEC / 10);
    assert_int_equal(arrived(p, 1) + arrived(p, 2), 1);
    simplex_destroy(p);
}

/* XCF has no room for a batch at the end of the turn: it is lost as on any link, and counted; the next turn begins with an empty one. */
static void a_batch_that_xcf_refuses(void **state) {
    static const u8 nothing[PLEXMSG_DATA_MAX];
    struct simplex *p = plex();
    struct sysplex *sx = simplex_sysplex(p, 0);
    UNUSED(state);
    for (u32 i = 0; i < 5; i++) forward(p, 1, 300);
    const struct sysplex_counters before = *count(p, 0);
    struct sysplex_peer *to = sysplex_peer_at(sx, LIST_ENTRY(sx->dx.open.next, struct packet_batch, node)->peer);
    while (group_send_now(sx, to, PLEXMSG_CONN, nothing, sizeof nothing, simplex_local(p, 0)) == 0) {
    }
    while (group_send_now(sx, to, PLEXMSG_CONN, nothing, PLEXMSG_CONN_ROW, simplex_local(p, 0)) == 0) {
    }
    flush(p);
    assert_int_equal(count(p, 0)->drop_batch, before.drop_batch + 1);
    assert_int_equal(count(p, 0)->batches_out, before.batches_out);
    simplex_run(p, SEC);
    assert_int_equal(arrived(p, 1), 0);
    forward(p, 1, 300);
    flush(p);
    simplex_run(p, SEC / 10);
    assert_int_equal(arrived(p, 1), 1);
    assert_int_equal(count(p, 0)->drop_batch, before.drop_batch + 1);
    simplex_destroy(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alternating_peers_share_no_message),
        cmocka_unit_test(a_full_batch_goes_at_once),
        cmocka_unit_test(more_peers_than_batches),
        cmocka_unit_test(a_peer_dies_with_packets_waiting),
        cmocka_unit_test(a_batch_that_xcf_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
