/* cflinks.c - see xcf/cflinks.h. */
#include "xcf/cflinks.h"

#include "base/str.h"

#define LINE_MAX 120

struct cflink {
    struct cflinks *all;
    struct xes *x; /* NULL: did not open */
    u16 devnum;
    bool used; /* its facility is the users' */
    char name[9];
};

struct cflinks {
    struct arena *arena;
    struct chan_system *sys;
    struct list users;
    char system[9];
    void (*say)(void *ctx, const char *line);
    void *ctx;
    u32 count;
    struct cflink link[CFLINKS_MAX];
};

static void tell(struct cflink *k, bool able, bool isolated) {
    const struct cflinks *l = k->all;
    char line[LINE_MAX];
    if (able)
        str_fmt(line, sizeof line, "IXC517I SYSTEM %s ABLE TO USE COUPLING FACILITY NAMED %s", l->system, k->name);
    else
        str_fmt(line, sizeof line, "IXC518I SYSTEM %s NOT USING COUPLING FACILITY NAMED %s REASON: %s", l->system, k->name,
                isolated ? "SYSTEM ISOLATED" : "CONNECTIVITY LOST");
    if (l->say) l->say(l->ctx, line);
}

static void link_up(struct cflink *k, u64 now) {
    const char *name = xes_facility_name(k->x);
    if (cflinks_find(k->all, name)) return;
    k->used = true;
    str_copy(k->name, sizeof k->name, name);
    tell(k, true, false);
    LIST_FOR_EACH_SAFE(it, next, &k->all->users) {
        struct cflink_user *u = LIST_ENTRY(it, struct cflink_user, node);
        if (u->up) u->up(u->ctx, k->x, k->name, now);
    }
}

static void link_down(struct cflink *k, bool isolated, u64 now) {
    /* That this system is out may be learnt when the link is down already. */
    if (!k->used && !isolated) return;
    k->used = false;
    tell(k, false, isolated);
    LIST_FOR_EACH_SAFE(it, next, &k->all->users) {
        struct cflink_user *u = LIST_ENTRY(it, struct cflink_user, node);
        if (u->down) u->down(u->ctx, k->x, k->name, isolated, now);
    }
}

static void on_facility(void *ctx, struct xes *x, enum xes_state state, u64 now) {
    struct cflink *k = ctx;
    k->x = x;
    if (state == XES_UP)
        link_up(k, now);
    else
        link_down(k, state == XES_ISOLATED, now);
}
static const struct xes_events EVENTS = {.facility = on_facility};

size_t cflinks_bytes(u32 n) { return sizeof(struct cflinks) + 16 + n * xes_bytes(); }

struct cflinks *cflinks_create(struct arena *a, struct chan_system *sys, const u16 *devnum, u32 n, const char *system,
                               void (*say)(void *ctx, const char *line), void *ctx) {
    struct cflinks *l = arena_take(a, sizeof *l, 16);
    if (!l) return NULL;
    *l = (struct cflinks){.arena = a, .sys = sys, .say = say, .ctx = ctx, .count = u32_min(n, CFLINKS_MAX)};
    str_copy(l->system, sizeof l->system, system);
    list_init(&l->users);
    for (u32 i = 0; i < l->count; i++) l->link[i] = (struct cflink){.all = l, .devnum = devnum[i]};
    return l;
}

void cflinks_user(struct cflinks *l, struct cflink_user *u) { list_push_back(&l->users, &u->node); }

void cflinks_open(struct cflinks *l) {
    for (u32 i = 0; i < l->count; i++)
        if (!l->link[i].x && xes_attach(l->arena, l->sys, l->link[i].devnum, &EVENTS, &l->link[i], &l->link[i].x) != 0)
            l->link[i].x = NULL;
}

void cflinks_close(struct cflinks *l, u64 now) {
    for (u32 i = 0; i < l->count; i++)
        if (l->link[i].x) xes_close(l->link[i].x, now);
}

struct xes *cflinks_find(const struct cflinks *l, const char *facility) {
    for (u32 i = 0; i < l->count; i++)
        if (l->link[i].used && strcmp(l->link[i].name, facility) == 0) return l->link[i].x;
    return NULL;
}
struct xes *cflinks_at(const struct cflinks *l, u32 i) { return i < l->count ? l->link[i].x : NULL; }
u16 cflinks_devnum(const struct cflinks *l, u32 i) { return i < l->count ? l->link[i].devnum : 0; }
