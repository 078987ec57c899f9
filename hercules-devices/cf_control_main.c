/* cf_control_main.c - the commands of a coupling facility's control socket (peer_control.h):
 *
 *   status                     the state as JSON, below
 *   isolate SYSTEM [HEX]       as the command ISOLATE: up to this incarnation, else up to the one that is connected
 *   cable pull|plug SYSTEM|all the cable between the facility and a system: pulled, it is refused until it is plugged
 *   quit
 *
 *   name, incarnation, level, seconds, storage_kb, free_kb, policy
 *   fence        path of the page, or null
 *   systems      [{name, incarnation, commands, bytes}] that are connected    isolated [{name, incarnation}]     pulled [name]
 *   structures   [{name, type, kb, entries_used, entries, elements_used, elements, persistent, connectors
 *                [{id, name, system, incarnation, state}]}]
 *   counters     {}                                  incarnations are hex text: JSON's numbers do not hold them
 */
#include "hercules-devices/cf_internal.h"
#include "hercules-devices/cf_process.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLOCK_KB (CF_BLOCK_BYTES / 1024)

/* ---- status ---- */

static json_t *number(u64 v) { return json_integer((json_int_t)v); }
static json_t *hex(u64 v) { return json_sprintf("%" PRIX64, (uint64_t)v); }
static json_t *padded(const char *name) { return json_stringn(name, cf_name_len(name)); }

static json_t *connectors_json(const struct cf_structure *s) {
    json_t *list = json_array();
    for (u32 i = 0; i < CF_CONNECTORS; i++) {
        const struct cf_connection *con = &s->con[i];
        if (con->state == CF_CONN_FREE) continue;
        json_array_append_new(list, json_pack("{s:i,s:o,s:o,s:o,s:s}", "id", (int)con->id, "name", padded(con->name), "system",
                                              padded(con->owner), "incarnation", hex(con->incarnation), "state",
                                              con->state == CF_CONN_ACTIVE ? "active" : "failed-persistent"));
    }
    return list;
}

static json_t *structures_json(const struct cf *cf) {
    static const char *const types[] = {"", "list", "lock", "cache"};
    json_t *list = json_array();
    for (u32 i = 0; i < CF_STRUCTURES_MAX; i++) {
        const struct cf_structure *s = &cf->structure[i];
        u32 used, entries;
        if (!s->token) continue;
        cf_usage(s, &used, &entries);
        json_array_append_new(
            list, json_pack("{s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:b,s:o}", "name", padded(s->name), "type", types[s->type], "kb",
                            number((u64)s->blocks * BLOCK_KB), "entries_used", number(used), "entries", number(entries),
                            "elements_used", number(s->el.used), "elements", number(s->el.count), "persistent",
                            (s->flags & CF_CONN_STRUCTURE_KEEP) != 0, "connectors", connectors_json(s)));
    }
    return list;
}

static json_t *isolated_json(const char *name, u64 incarnation) {
    return json_pack("{s:o,s:o}", "name", padded(name), "incarnation", hex(incarnation));
}

static void systems_json(const struct facility *f, json_t *o) {
    json_t *systems = json_array(), *isolated = json_array(), *pulled = json_array();
    for (u32 i = 0; i < CF_SYSTEMS; i++) {
        const struct cf_system *sys = &f->cf->system[i];
        if (sys->up && !sys->cut)
            json_array_append_new(systems, json_pack("{s:o,s:o,s:o,s:o}", "name", padded(sys->name), "incarnation", hex(sys->incarnation),
                                                     "commands", number(sys->commands), "bytes", number(sys->bytes)));
        if (f->pulled[i][0]) json_array_append_new(pulled, json_string(f->pulled[i]));
    }
    if (f->all_pulled) json_array_append_new(pulled, json_string("all"));
    for (u32 i = 0; i < CF_ISOLATED_MAX; i++) {
        const struct cf_fence *fence = &f->cf->fence[i];
        if (fence->incarnation) json_array_append_new(isolated, isolated_json(fence->name, fence->incarnation));
    }
    json_object_set_new(o, "systems", systems);
    json_object_set_new(o, "isolated", isolated);
    json_object_set_new(o, "pulled", pulled);
}

static char *status(const struct facility *f) {
    const struct cf *cf = f->cf;
    json_t *o = json_object(), *counters = json_object();
    json_object_set_new(o, "name", json_string(cf->params.name));
    json_object_set_new(o, "incarnation", hex(cf->params.incarnation));
    json_object_set_new(o, "level", number(CF_LEVEL));
    json_object_set_new(o, "seconds", number(facility_seconds() - f->started));
    json_object_set_new(o, "storage_kb", number((u64)cf->blocks * BLOCK_KB));
    json_object_set_new(o, "free_kb", number((u64)(cf->blocks - cf->blocks_used) * BLOCK_KB));
    json_object_set_new(o, "policy", json_stringn((const char *)cf->policy_name, strnlen((const char *)cf->policy_name, 8)));
    json_object_set_new(o, "fence", f->fence_file ? json_string(f->fence_file) : json_null());
    systems_json(f, o);
    json_object_set_new(o, "structures", structures_json(cf));
    for (u32 i = 0; i < CF_COUNTERS; i++) json_object_set_new(counters, cf_counter_name(i), number(cf->count[i]));
    json_object_set_new(o, "counters", counters);
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text;
}

/* ---- commands ---- */

/* The next word of a line; "" at its end. */
static char *word(char **at) {
    char *p = *at + strspn(*at, " ");
    size_t n = strcspn(p, " ");
    *at = p[n] ? p + n + 1 : p + n;
    p[n] = 0;
    return p;
}

static const char *do_isolate(struct facility *f, char *args) {
    const char *name = word(&args), *text = word(&args);
    u64 incarnation = 0;
    char *end;
    if (!*name || strlen(name) > CF_NAME_BYTES) return "isolate SYSTEM [INCARNATION IN HEX]";
    if (*text) {
        incarnation = strtoull(text, &end, 16);
        if (*end) return "isolate SYSTEM [INCARNATION IN HEX]";
    }
    for (u32 i = 0; !*text && i < CF_SYSTEMS; i++) {
        const struct cf_system *sys = &f->cf->system[i];
        size_t len = cf_name_len(sys->name);
        if (sys->up && !sys->cut && strlen(name) == len && memcmp(sys->name, name, len) == 0) incarnation = sys->incarnation;
    }
    if (!incarnation) return "this system is not connected: say which incarnation";
    return cf_isolate(f->cf, name, incarnation) ? NULL : "it could not be made known, or there is no room to remember it";
}

static const char *do_cable(struct facility *f, char *args) {
    const char *what = word(&args), *name = word(&args);
    bool pull = strcmp(what, "pull") == 0, all = strcmp(name, "all") == 0;
    char *row = NULL;
    if ((!pull && strcmp(what, "plug") != 0) || !*name || strlen(name) > PEER_NAME_MAX) return "cable pull|plug SYSTEM|all";
    for (u32 i = CF_SYSTEMS; i > 0; i--) {
        char *r = f->pulled[i - 1];
        if (all && !pull) r[0] = 0;
        if (!r[0]) row = r; /* a free one, unless its own comes still */
    }
    for (u32 i = 0; i < CF_SYSTEMS; i++)
        if (strcasecmp(f->pulled[i], name) == 0) row = f->pulled[i];
    if (all) {
        f->all_pulled = pull;
    } else {
        if (!row) return "the cables of 32 systems are out already";
        snprintf(row, sizeof f->pulled[0], "%s", pull ? name : "");
    }
    facility_close_pulled(f);
    return NULL;
}

static const char *do_quit(struct facility *f, char *args) {
    UNUSED(args);
    f->stop = true;
    return NULL;
}

static const struct {
    const char *verb;
    const char *(*run)(struct facility *f, char *args); /* NULL: done, else what is wrong */
} commands[] = {{"isolate", do_isolate}, {"cable", do_cable}, {"quit", do_quit}};

static char *answer(void *ctx, const char *verb, char *args) {
    struct facility *f = ctx;
    if (strcmp(verb, "status") == 0) return status(f);
    for (u32 i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(verb, commands[i].verb) == 0) return control_result(commands[i].run(f, args));
    return control_result("commands are status, isolate, cable, quit");
}

static bool watch(void *ctx, int fd) { return facility_watch(ctx, fd); }

const struct control_ops facility_control_ops = {.watch = watch, .answer = answer};
