/* ctcends.c - see ctcends.h. */
#include "tests/unit/ctcends.h"

#include <stdlib.h>
#include <string.h>

void ctcends_hand(struct fake *to, const u8 *bytes, u32 len) {
    u8 *exact = malloc(len ? len : 1);
    CHECK(exact);
    if (len) memcpy(exact, bytes, len);
    CHECK(to->engine->ops->rx(to->engine, exact, len));
    free(exact);
    to->engine->ops->rx_end(to->engine);
}

bool ctcends_take(struct fake f[2], u32 from) {
    u32 len;
    const u8 *m = fake_next(&f[from], &len);
    if (m) ctcends_hand(&f[!from], m, len);
    return m;
}

void ctcends_take_all(struct fake f[2]) {
    while (ctcends_take(f, 0) || ctcends_take(f, 1)) {}
}

/* Who is woken takes what else lies there, too. */
static bool wake(struct fake f[2], u32 from) {
    if (!fake_rung(&f[from])) return false;
    while (ctcends_take(f, from)) {}
    return true;
}

void ctcends_ring(struct fake f[2]) {
    while (wake(f, 0) || wake(f, 1)) {}
}

void ctcends_give(struct fake f[2], u32 end, u32 unit, const struct engine_ccw *c, bool sees) {
    struct engine *e = f[end].engine;
    if (sees && e->ops->look_first(e, unit, c))
        while (ctcends_take(f, !end)) {}
    bool at_once = e->ops->ends_at_once(e, unit, c);
    u32 laters = f[end].laters;
    fake_ccw_chained(&f[end], unit, c->code, c->flags, c->chained, c->buf, c->count);
    CHECK(!at_once || !f[end].waiting[unit]);
    if (f[end].waiting[unit] && f[end].laters != laters)
        while (ctcends_take(f, !end)) {}
}

/* What an end's channel has seen: it must not change. */
struct seen {
    bool waiting[ENGINE_UNITS_MAX];
    u32 attentions;
};
static struct seen seen_by(const struct fake *f) {
    struct seen s = {.attentions = f->attentions};
    memcpy(s.waiting, f->waiting, sizeof s.waiting);
    return s;
}

bool ctcends_quiet(struct fake f[2]) {
    bool quiet = true;
    ctcends_ring(f);
    for (u32 end = 0; end < 2; end++) {
        struct seen before = seen_by(&f[end]);
        while (ctcends_take(f, !end)) {}
        struct seen after = seen_by(&f[end]);
        quiet &= before.attentions == after.attentions && memcmp(before.waiting, after.waiting, sizeof before.waiting) == 0;
        ctcends_ring(f);
    }
    return quiet;
}
