/* fuzz_distmsg.c - the messages of the distributor: whatever a peer says, this stack stays whole.
 *
 * A world of three stacks as in tests/unit/distlab.h; the input is a list of { kind 1, from 1, length 2, bytes }, each handed to
 * stack A as a message of the group, between them polls and packets. Afterwards a connection still works, and what A's
 * tables hold can be walked and freed.
 */
#include "tests/unit/distlab.h"

#include "tests/fuzz/fuzz.h"

static void message(struct lab *l, const u8 *p, u32 len, u8 kind, u32 from) {
    u8 *copy = malloc(len + 1); /* exactly as long as the message, so that ASan sees every overrun */
    struct sysplex *a = &l->node[0];
    memcpy(copy, p, len);
    a->ops->message(a->ctx, &a->peer[1 + from % 2], (u8)(DISTMSG_CONFIG + kind % 8), copy, len, l->t->now);
    free(copy);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    static struct lab l;
    struct dist_statement s = {.dvipa = LAB_DVIPA, .options = {.method = DIST_BASEWLM}, .ports = 1, .port = {80}};
    if (size < 1 || size > 4096) return 0;
    lab_open(&l, 3);
    CHECK(distributor_define(l.node[0].d, &s, l.t->now) == 0);
    lab_own(&l, data[0] % 3); /* A as the routing stack, or as a target */
    lab_run(&l, 2000);
    for (size_t at = 1; at + 4 <= size;) {
        u32 len = be16_get(data + at + 2) % 512;
        if (len > size - at - 4) len = (u32)(size - at - 4);
        /* The DVIPA and the epoch are hard to guess: the two lowest bits of the kind's high half ask for the right ones. */
        u8 m[512];
        memcpy(m, data + at + 4, len);
        if (len >= 12 && (data[at] & 0x10)) ipaddr_put(m, LAB_DVIPA);
        if (len >= 12 && (data[at] & 0x20)) be32_put(m + ((data[at] & 7) ? 4 : 8), l.epoch + (data[at] >> 7));
        message(&l, m, len, data[at] & 7, data[at + 1]);
        if (data[at + 1] & 0x80) l.node[0].ops->poll(l.node[0].ctx, l.t->now);
        at += 4 + len;
    }
    lab_connect(&l);
    lab_run(&l, 3000);
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(&l.node[0].d->vcrt, r)) != NULL;) CHECK(r->target < DIST_TARGETS_MAX);
    for (struct vdpt_port *p = NULL; (p = vdpt_walk(&l.node[0].d->vdpt, p)) != NULL;) CHECK(p->method < DIST_METHODS);
    lab_die(&l, 1);
    lab_run(&l, 1000);
    CHECK(l.node[0].d->vcrt.rows_of[1] == 0 || l.node[0].d->slot[1].used);
    lab_close(&l);
    return 0;
}
