/* ctc_ahead.c - see ctc_ahead.h. */
#include "hercules-devices/ctc_internal.h"

static bool is_read(u8 code) { return (code & 3) == 2; }

/* One that always goes on to the next CCW if it has one; and a READ that has a count of its own. */
static bool can_be_announced(const struct engine_next *n) {
    if (n->flags & (CCW_CD | CCW_SKIP | CCW_SUSPEND)) return false;
    if (n->code == CCW_CTC_PREPARE) return n->flags & CCW_CC;
    return n->code == CCW_READ && (n->flags & CCW_SLI) && n->count > 0 && n->count <= CTC_DATA_MAX;
}

/* What of the CCWs has the form that can be announced: READs of one count, or each but the first behind a PREPARE. */
static struct ctc_ahead ahead_of(const struct engine_next *next, u32 known) {
    bool first_prepares = known > 0 && next[0].code == CCW_CTC_PREPARE;
    struct ctc_ahead a = {.prepares = first_prepares || (known > 1 && next[1].code == CCW_CTC_PREPARE)};
    for (u32 i = 0; i < known && can_be_announced(&next[i]) && (i == 0 || (next[i - 1].flags & CCW_CC)); i++) {
        bool prepare = a.prepares && (i & 1) != first_prepares;
        if ((next[i].code == CCW_CTC_PREPARE) != prepare) break;
        if (prepare) continue;
        if (a.count == 0) a.count = next[i].count;
        if (next[i].count != a.count) break;
        a.left = i + 1;
    }
    return a;
}

static u8 next_code(const struct ctc_ahead *a) { return a->prepares && (a->left & 1) == 0 ? CCW_CTC_PREPARE : CCW_READ; }

u32 ctc_announce(struct ctc_unit *u, const struct ctc_command_in *in, bool done) {
    const struct engine_host *host = u->e->base.host;
    struct engine_next next[CTC_AHEAD_MAX];
    bool first_goes_on = is_read(in->code) ? (in->flags & CCW_SLI) != 0 : in->code == CCW_CTC_PREPARE;
    bool alive = !done || (u->cu.effect.matched && u->cu.side[OWN].chaining);
    if (!host->upcoming || u->expected.left || !(in->flags & CCW_CC) || !first_goes_on || !alive) return 0;
    u->announced = ahead_of(next, host->upcoming(host->ctx, u->number, next, CTC_AHEAD_MAX));
    return u->announced.left;
}

bool ctc_is_announced(const struct ctc_unit *u, const struct engine_ccw *c) {
    u8 code = next_code(&u->announced);
    return c->code == code && (code != CCW_READ || c->count == u->announced.count) && (c->chained & CCW_CC);
}

void ctc_announce_nothing(struct ctc_unit *u) {
    u->told += u->announced.left;
    u->announced.left = 0;
}

bool ctc_must_wait(const struct ctc_unit *u) { return u->announced.left && !ctc_cu_waiting(&u->cu, OWN); }

void ctc_expect(struct ctc_unit *u, const struct ctc_ahead *ahead) {
    u->far_ended = false;
    u->expected = *ahead;
    /* Each announced before it saw the other's: neither holds, and both ends know it. */
    if (ahead->left && u->announced.left) {
        ctc_announce_nothing(u);
        u->seen += ahead->left;
        u->expected.left = 0;
    }
}

void ctc_expected_go_on(struct ctc_unit *u) {
    while (u->far_ended) {
        u->far_ended = false;
        if (!u->cu.side[FAR].chaining) u->expected.left = 0;
        if (u->expected.left == 0) return;
        const struct ctc_command_in in = {
            .code = next_code(&u->expected), .flags = CCW_CC | CCW_SLI, .mode = CTC_MODE_NOW, .count = u->expected.count};
        u->expected.left--;
        u->seen++;
        /* It may end at once, by an end of file or a WRITE that waits: then the next one follows. */
        ctc_cu_told_waiting(&u->cu, FAR, &in);
    }
}
