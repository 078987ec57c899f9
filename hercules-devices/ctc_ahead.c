/* ctc_ahead.c - see ctc_ahead.h. */
#include "hercules-devices/ctc_internal.h"

static bool is_read(u8 code) { return (code & 3) == 2; }

/* A READ that always goes on to the next CCW if it has one, and that has a count of its own. */
static bool can_be_announced(const struct engine_next *n) {
    return n->code == CCW_READ && (n->flags & CCW_SLI) && !(n->flags & (CCW_CD | CCW_SKIP | CCW_SUSPEND)) && n->count > 0 &&
           n->count <= CTC_DATA_MAX;
}

u32 ctc_announce(struct ctc_unit *u, const struct ctc_command_in *in, bool done) {
    const struct engine_host *host = u->e->base.host;
    struct engine_next next[CTC_AHEAD_MAX];
    bool first_goes_on = is_read(in->code) ? (in->flags & CCW_SLI) != 0 : in->code == CCW_CTC_PREPARE;
    bool alive = !done || (u->cu.effect.matched && u->cu.side[OWN].chaining);
    if (!host->upcoming || u->expected.left || !(in->flags & CCW_CC) || !first_goes_on || !alive) return 0;
    u32 known = host->upcoming(host->ctx, u->number, next, CTC_AHEAD_MAX), n = 0;
    while (n < known && can_be_announced(&next[n]) && next[n].count == next[0].count && (n == 0 || (next[n - 1].flags & CCW_CC))) n++;
    u->announced = (struct ctc_ahead){.left = n, .count = n ? next[0].count : 0};
    return n;
}

bool ctc_is_announced(const struct ctc_unit *u, const struct engine_ccw *c) {
    return c->code == CCW_READ && c->count == u->announced.count && (c->chained & CCW_CC);
}

void ctc_announce_nothing(struct ctc_unit *u) {
    u->told += u->announced.left;
    u->announced.left = 0;
}

bool ctc_must_wait(const struct ctc_unit *u) { return u->announced.left && !ctc_cu_waiting(&u->cu, OWN); }

void ctc_expect(struct ctc_unit *u, u32 left, u32 count) {
    u->far_ended = false;
    u->expected = (struct ctc_ahead){.left = left, .count = count};
    /* Each announced before it saw the other's: neither holds, and both ends know it. */
    if (left && u->announced.left) {
        ctc_announce_nothing(u);
        u->seen += left;
        u->expected.left = 0;
    }
}

void ctc_expected_go_on(struct ctc_unit *u) {
    while (u->far_ended) {
        u->far_ended = false;
        if (!u->cu.side[FAR].chaining) u->expected.left = 0;
        if (u->expected.left == 0) return;
        u->expected.left--;
        u->seen++;
        const struct ctc_command_in in = {
            .code = CCW_READ, .flags = CCW_CC | CCW_SLI, .mode = CTC_MODE_NOW, .count = u->expected.count};
        /* It may end at once, by an end of file or a WRITE that waits: then the next one follows. */
        ctc_cu_told_waiting(&u->cu, FAR, &in);
    }
}
