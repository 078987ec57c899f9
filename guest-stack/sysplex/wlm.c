/* wlm.c - capacity, weights and responsiveness. See wlm.h.
 *
 * Times are cut to ticks of 1,024 us and 32 bits, so that an interval of up to an hour needs no 64-bit division.
 */
#include "sysplex/wlm.h"

#define TICK_SHIFT   10
#define ELAPSED_MAX  4000000u /* ticks: 68 minutes, times 1000 fits 32 bits */
#define PERMILLE     1000u
#define PERCENT      100u
#define SMOOTH_SHIFT 2

void wlm_init(struct wlm *w, u32 lpar_weight, u64 idle_us, u64 now) {
    CHECK(lpar_weight >= 1 && lpar_weight <= WLM_LPAR_WEIGHT_MAX);
    *w = (struct wlm){.lpar_weight = lpar_weight, .at = now, .idle_us = idle_us};
}

void wlm_sample(struct wlm *w, u64 idle_us, u64 now) {
    u64 elapsed64 = (now - w->at) >> TICK_SHIFT, idle64 = (idle_us - w->idle_us) >> TICK_SHIFT;
    if (elapsed64 == 0) return;
    u32 elapsed = (u32)u64_min(elapsed64, ELAPSED_MAX);
    /* The wait that is under way is counted when it ends, so an interval may show more idle time than it has. */
    u32 idle = (u32)u64_min(idle64, elapsed) * PERMILLE / elapsed;
    w->idle = w->samples ? (idle + w->idle * ((1u << SMOOTH_SHIFT) - 1)) >> SMOOTH_SHIFT : idle;
    w->samples++;
    w->at = now;
    w->idle_us = idle_us;
}

u32 wlm_capacity(const struct wlm *w) {
    return w->samples ? w->lpar_weight * u32_max(w->idle, WLM_IDLE_FLOOR) : 0;
}

void wlm_weights(const u32 *capacity, u8 *weight, u32 n) {
    u32 most = 0;
    for (u32 i = 0; i < n; i++) most = u32_max(most, capacity[i]);
    for (u32 i = 0; i < n; i++) {
        u32 w = most ? (capacity[i] * WLM_WEIGHT_MAX + most / 2) / most : 0;
        weight[i] = (u8)(capacity[i] ? u32_max(w, 1) : 0);
    }
}

u8 wlm_success(u8 old, u32 part, u32 whole) {
    if (whole == 0) return old;
    if (part == 0 && whole >= WLM_SURE) return 0;
    /* Shifted down together until the product fits; the ratio is what matters. */
    while (whole > UINT32_MAX / PERCENT || part > UINT32_MAX / PERCENT) whole >>= 1, part >>= 1;
    u32 now = u32_min(part * PERCENT / u32_max(whole, 1), PERCENT);
    /* Rounded towards what is now, or half the way again and again would never arrive. */
    return (u8)(whole < WLM_FEW ? (now + old + (now > old)) / 2 : now);
}

u8 wlm_accepting(u8 old, u32 waiting, u32 backlog, u32 turned_away) {
    if (backlog == 0) return old;
    if (turned_away && waiting >= backlog) return 0;
    waiting = u32_min(waiting, backlog);
    u32 now = (backlog - waiting) * PERCENT / backlog;
    /* A queue that is half empty is a server that keeps up: only beyond that does its fraction fall. */
    now = u32_min(now * 2, PERCENT);
    return (u8)(turned_away ? now / 2 : now);
}
