/* impair_card.c - see impair_card.h. The waiting frames are a binary heap of slot numbers. */
#include "hercules-devices/impair_card.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* xorshift64* (Marsaglia, Vigna): small, and the same on every machine. */
static u32 roll(u64 *dice) {
    *dice ^= *dice >> 12;
    *dice ^= *dice << 25;
    *dice ^= *dice >> 27;
    return (u32)((*dice * 2685821657736338717ull) >> 32);
}

/* ---- configuration ---- */

static bool number(const char *text, double *value, const char **unit) {
    char *end;
    *value = strtod(text, &end);
    *unit = end;
    return end != text && isfinite(*value) && *value >= 0;
}

static bool chance(const char *text, u32 *out) {
    double v;
    const char *unit;
    if (!number(text, &v, &unit) || v > 100 || (strcmp(unit, "%") != 0 && *unit)) return false;
    *out = v >= 100 ? UINT32_MAX : (u32)(v / 100 * 4294967296.0);
    return true;
}

/* A number with one of the units, scaled to an integer of at most max. */
static bool scaled(const char *text, const char *const *units, const double *factors, double max, u32 *out) {
    double v;
    const char *unit;
    if (!number(text, &v, &unit)) return false;
    for (u32 i = 0; units[i]; i++) {
        if (strcmp(unit, units[i]) != 0) continue;
        if (v * factors[i] > max) return false;
        *out = (u32)(v * factors[i]);
        return true;
    }
    return false;
}

static bool set_one(struct impair *im, const char *key, const char *value) {
    static const char *const times[] = {"us", "ms", "s", NULL}, *const rates[] = {"kbit", "mbit", "gbit", NULL};
    static const double time_factors[] = {1, 1e3, 1e6}, rate_factors[] = {1, 1e3, 1e6};
    static const char *const plain[] = {"", NULL};
    static const double one[] = {1};
    if (strcmp(key, "loss") == 0) return chance(value, &im->loss);
    if (strcmp(key, "dup") == 0) return chance(value, &im->dup);
    if (strcmp(key, "reorder") == 0) return chance(value, &im->reorder);
    if (strcmp(key, "delay") == 0) return scaled(value, times, time_factors, IMPAIR_DELAY_MAX, &im->delay_us);
    if (strcmp(key, "rate") == 0) return scaled(value, rates, rate_factors, 1e8, &im->rate_kbit) && im->rate_kbit > 0;
    if (strcmp(key, "seed") == 0) return scaled(value, plain, one, UINT32_MAX, &im->seed);
    return false;
}

static bool storage(struct impair *im) {
    if (im->slots) return true;
    im->slots = calloc(IMPAIR_SLOTS, sizeof *im->slots);
    if (!im->slots) return false;
    for (u32 i = 0; i < IMPAIR_SLOTS; i++) im->free[i] = (u16)i;
    im->free_count = IMPAIR_SLOTS;
    return true;
}

bool impair_configure(struct impair *im, const char *text, char *why, size_t cap) {
    char copy[512], *rest = copy, *word;
    struct impair wanted = {.seed = 1};
    bool off = strcmp(text, "off") == 0;
    snprintf(copy, sizeof copy, "%s", text);
    while (!off && (word = strsep(&rest, " \t"))) {
        char *value = strchr(word, '=');
        if (!*word) continue;
        if (value) *value++ = 0;
        if (!value || !set_one(&wanted, word, value)) {
            snprintf(why, cap, "'%s%s%s': use loss=1%% dup=1%% reorder=1%% delay=5ms rate=10mbit seed=7, or off", word,
                     value ? "=" : "", value ? value : "");
            return false;
        }
    }
    if (!off && !storage(im)) {
        snprintf(why, cap, "no storage for the frames that wait");
        return false;
    }
    im->on = !off;
    im->loss = wanted.loss;
    im->dup = wanted.dup;
    im->reorder = wanted.reorder;
    im->delay_us = wanted.delay_us;
    im->rate_kbit = wanted.rate_kbit;
    im->seed = wanted.seed;
    for (u32 d = 0; d < IMPAIR_DIRECTIONS; d++) {
        /* Zero is the one state that xorshift never leaves. */
        im->dice[d] = ((u64)wanted.seed << 8 | d) * 0x9E3779B97F4A7C15ull | 1;
        im->wire_free[d] = 0;
    }
    return true;
}

void impair_close(struct impair *im) {
    free(im->slots);
    im->slots = NULL;
}

/* ---- heap ---- */

static bool before(const struct impair *im, u16 a, u16 b) {
    const struct impair_slot *x = &im->slots[a], *y = &im->slots[b];
    return x->due != y->due ? x->due < y->due : x->order < y->order;
}

static void swap(u16 *a, u16 *b) {
    u16 t = *a;
    *a = *b;
    *b = t;
}

static void heap_push(struct impair *im, u16 slot) {
    u32 i = im->queued++;
    im->heap[i] = slot;
    for (; i && before(im, im->heap[i], im->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&im->heap[i], &im->heap[(i - 1) / 2]);
}

static u16 heap_pop(struct impair *im) {
    u16 top = im->heap[0];
    im->heap[0] = im->heap[--im->queued];
    for (u32 i = 0;;) {
        u32 least = i, left = 2 * i + 1;
        if (left < im->queued && before(im, im->heap[left], im->heap[least])) least = left;
        if (left + 1 < im->queued && before(im, im->heap[left + 1], im->heap[least])) least = left + 1;
        if (least == i) return top;
        swap(&im->heap[i], &im->heap[least]);
        i = least;
    }
}

/* ---- frames ---- */

/* When a frame of len bytes has left at the configured rate. */
static u64 sent_at(struct impair *im, enum impair_direction d, u32 len, u64 now) {
    if (!im->rate_kbit) return now;
    im->wire_free[d] = u64_max(im->wire_free[d], now) + (u64)len * 8000u / im->rate_kbit;
    return im->wire_free[d];
}

static void enqueue(struct impair *im, enum impair_direction d, const u8 *head, u32 head_len, const u8 *body,
                    u32 body_len, u64 due) {
    if (!im->free_count || head_len + body_len > IMPAIR_FRAME_MAX) {
        im->overflowed++;
        return;
    }
    u16 slot = im->free[--im->free_count];
    struct impair_slot *s = &im->slots[slot];
    s->due = due;
    s->order = im->order++;
    s->len = head_len + body_len;
    s->direction = (u8)d;
    memcpy(s->bytes, head, head_len);
    memcpy(s->bytes + head_len, body, body_len);
    heap_push(im, slot);
}

void impair_put(struct impair *im, enum impair_direction d, const u8 *head, u32 head_len, const u8 *body,
                u32 body_len, u64 now) {
    /* All dice are rolled for every frame, so one setting does not change the fate that another gives. */
    bool lose = roll(&im->dice[d]) < im->loss, twice = roll(&im->dice[d]) < im->dup;
    bool late = roll(&im->dice[d]) < im->reorder;
    if (lose) {
        im->lost++;
        return;
    }
    for (u32 copies = twice ? 2 : 1; copies; copies--) {
        u64 due = sent_at(im, d, head_len + body_len, now) + im->delay_us + (late ? IMPAIR_HOLD_USEC : 0);
        enqueue(im, d, head, head_len, body, body_len, due);
    }
    im->duplicated += twice;
    im->reordered += late;
}

const struct impair_slot *impair_take(struct impair *im, u64 now) {
    if (!im->queued || im->slots[im->heap[0]].due > now) return NULL;
    u16 slot = heap_pop(im);
    im->free[im->free_count++] = slot; /* free, yet untouched until the next put */
    im->passed++;
    return &im->slots[slot];
}

u64 impair_deadline(const struct impair *im) { return im->queued ? im->slots[im->heap[0]].due : TIME_NEVER; }
