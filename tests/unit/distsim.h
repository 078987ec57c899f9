/* distsim.h - sessions through the distributor of simulated systems (tests/sim/simdist.h), as several tests want them. Include it in one file of a
 * program; cmocka.h comes before it.
 *
 *   s = distsim_up(&params)        three seconds of the plex's life; distsim_settled(s) then says that all is well
 *   distsim_fetch(s, e, n, bytes)  n sessions begin
 *   distsim_hold(s, e, n)          each stands still as soon as it knows who serves it
 *   distsim_whole(s, e, n, us)     they go on for so long; how many are whole
 */
#ifndef TESTS_UNIT_DISTSIM_H
#define TESTS_UNIT_DISTSIM_H

#include "tests/sim/simdist.h"
#include "tests/sim/simplex_impl.h"

static inline void distsim_settled(struct simdist *s) {
    const char *why = "";
    if (!simdist_settled(s, &why)) fail_msg("%s", why);
}

static inline struct simdist *distsim_up(const struct simdist_params *par) {
    struct simdist *s = simdist_create(par);
    simdist_run(s, 3 * (u64)USEC_PER_SEC);
    return s;
}

static inline void distsim_fetch(struct simdist *s, struct simplex_session **e, u32 n, u32 bytes) {
    for (u32 i = 0; i < n; i++) assert_non_null(e[i] = simplex_fetch(simdist_plex(s), 0, SIMDIST_VIP, bytes));
}

static inline void distsim_hold(struct simdist *s, struct simplex_session **e, u32 n) {
    for (u32 t = 0; t < 100; t++) {
        simdist_run(s, USEC_PER_MSEC);
        for (u32 i = 0; i < n; i++) e[i]->paused = e[i]->server >= 0;
    }
}

static inline u32 distsim_whole(struct simdist *s, struct simplex_session **e, u32 n, u64 us) {
    u32 good = 0;
    for (u32 i = 0; i < n; i++)
        if (!e[i]->ended) simplex_resume(e[i]);
    simdist_run(s, us);
    for (u32 i = 0; i < n; i++) {
        good += e[i]->ended && !e[i]->failed && e[i]->got == e[i]->bytes;
        simplex_forget(e[i]);
    }
    return good;
}

#endif
