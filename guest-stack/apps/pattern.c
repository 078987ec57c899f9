/* pattern.c - the stream of apps/pattern.h from one table: a run of it starts at `phase` and is copied or compared
 * with one memcpy or memcmp for each PATTERN_SPAN, which is one instruction on S/390. */
#include "apps/pattern.h"

#include "base/str.h"

void pattern_init(struct pattern *p) {
    for (u32 i = 0; i < sizeof p->table; i++) p->table[i] = (u8)(i % PATTERN_PERIOD);
}

u32 pattern_fill(const struct pattern *p, u8 *out, u32 n, u32 phase) {
    while (n > 0) {
        u32 part = u32_min(n, PATTERN_SPAN);
        memcpy(out, p->table + phase, part);
        phase = pattern_advance(phase, part);
        out += part;
        n -= part;
    }
    return phase;
}

u32 pattern_match(const struct pattern *p, const u8 *in, u32 n, u32 phase) {
    u32 done = 0;
    while (done < n) {
        u32 part = u32_min(n - done, PATTERN_SPAN);
        if (memcmp(in + done, p->table + phase, part) != 0) {
            while (in[done] == p->table[phase]) done++, phase++;
            return done;
        }
        phase = pattern_advance(phase, part);
        done += part;
    }
    return n;
}
