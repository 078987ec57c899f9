/* couple.c - defaults, ranges and choices of COUPLExx and of the SFM policy. See xcf/couple.h. */
#include "xcf/couple.h"

#include "base/str.h"

void couple_default(struct couple *c) {
    memset(c, 0, sizeof *c);
    str_copy(c->sysplex, sizeof c->sysplex, "LOCAL");
    c->interval_s = 25;
    c->opnotify_s = 3;
    c->opnotify_relative = true;
    c->cleanup_s = 15;
    c->maxmsg_kb = 2000;
    c->localmsg_kb = 2000;
    c->retry = 10;
    c->classlen_bytes = 956;
    c->classes = 1;
    str_copy(c->class_def[0].name, sizeof c->class_def[0].name, "DEFAULT");
    c->class_def[0].classlen_bytes = 956;
    c->class_def[0].maxmsg_kb = 2000;
}

static bool outside(u32 value, u32 low, u32 high) {
    return value < low || value > high;
}

const char *couple_wrong(const struct couple *c) {
    if (!c->sysplex[0]) return "SYSPLEX";
    if (outside(c->interval_s, 3, 86400)) return "INTERVAL";
    if (c->opnotify_s > 86400 || (!c->opnotify_relative && c->opnotify_s < 3)) return "OPNOTIFY";
    if (outside(c->cleanup_s, 5, 86400)) return "CLEANUP";
    if (outside(c->maxmsg_kb, 1, 999999) || outside(c->localmsg_kb, 1, 999999)) return "MAXMSG";
    if (outside(c->retry, 3, 255)) return "RETRY";
    if (c->classlen_bytes > 62464) return "CLASSLEN";
    for (u32 i = 0; i < c->classes; i++) {
        if (c->class_def[i].classlen_bytes > 62464) return "CLASSLEN";
        if (outside(c->class_def[i].maxmsg_kb, 1, 999999)) return "MAXMSG";
    }
    for (u32 i = 0; i < c->paths; i++) {
        if (outside(c->path[i].retry, 3, 255)) return "RETRY";
        if (c->path[i].class_index >= c->classes) return "CLASS";
    }
    for (u32 i = 0; i < c->sfm.systems; i++) {
        if (outside(c->sfm.system[i].weight, 1, 9999)) return "WEIGHT";
        if (c->sfm.system[i].isolate_s > 86400) return "ISOLATETIME";
    }
    return NULL;
}

u32 couple_opnotify_s(const struct couple *c) {
    return c->opnotify_relative ? c->interval_s + c->opnotify_s : u32_max(c->opnotify_s, c->interval_s);
}

static bool class_names(const struct couple_class *k, const char *group) {
    for (u32 i = 0; i < k->groups; i++)
        if (strcmp(k->group[i], group) == 0) return true;
    return false;
}

u32 couple_class_choose(const struct couple *c, const char *group, u32 len) {
    bool designated = false, found = false;
    u32 best = 0;
    for (u32 i = 0; i < c->classes; i++) designated |= class_names(&c->class_def[i], group);
    for (u32 i = 0; i < c->classes; i++) {
        const struct couple_class *k = &c->class_def[i], *b = &c->class_def[best];
        bool mine = designated ? class_names(k, group) : k->groups == 0 || class_names(k, "UNDESIG");
        if (!mine) continue;
        bool fits = k->classlen_bytes >= len, best_fits = b->classlen_bytes >= len;
        /* Among classes that fit the smallest wastes least; if none fits the largest splits least. */
        bool better = !found || (fits && !best_fits) ||
                      (fits == best_fits && (fits ? k->classlen_bytes < b->classlen_bytes
                                                  : k->classlen_bytes > b->classlen_bytes));
        if (better) best = i;
        found = true;
    }
    return best;
}

static const struct couple_sfm_system built_in = {.name = "*", .weight = 1};

const struct couple_sfm_system *couple_sfm_for(const struct couple *c, const char *system) {
    const struct couple_sfm_system *all = &built_in;
    if (!c->sfm.active) return all;
    for (u32 i = 0; i < c->sfm.systems; i++) {
        const struct couple_sfm_system *s = &c->sfm.system[i];
        if (strcmp(s->name, system) == 0) return s;
        if (strcmp(s->name, "*") == 0) all = s;
    }
    return all;
}
