/* guests.c - the systems' own part of a plex's status. See guests.h. */
#include "lab/guests.h"

#include "lab/ask.h"
#include "lab/displays.h"

#include <stdlib.h>
#include <string.h>

#define GUEST_MS     1500
#define ANSWER_BYTES 65536

struct round {
    const struct plex *p;
    const char *dir;
    bool awake[PLEX_SYSTEMS_MAX]; /* it answered, so far */
    char *answer[PLEX_SYSTEMS_MAX];
};

/* One question to every system that is awake, or only to the first of them: its answer, or "". */
static void ask_all(struct round *r, const char *command, bool first_only) {
    struct ask a[PLEX_SYSTEMS_MAX];
    bool asked[PLEX_SYSTEMS_MAX] = {false}, enough = false;
    for (int i = 0; i < r->p->systems; i++) {
        r->answer[i][0] = '\0';
        if (!r->awake[i] || (first_only && enough)) continue;
        asked[i] = enough = ask_begin(&a[i], r->dir, r->p->system[i].name, command);
        if (!asked[i]) r->awake[i] = false;
    }
    /* Who let us wait once is not waited for again. */
    for (int i = 0; i < r->p->systems; i++)
        if (asked[i] && !ask_end(&a[i], GUEST_MS, r->answer[i], ANSWER_BYTES)) r->awake[i] = false;
}

static json_t *system_of(json_t *status, int i) { return json_array_get(json_object_get(status, "systems"), (size_t)i); }

/* The first answer that is one; "" if nobody gave any. */
static const char *any_answer(const struct round *r) {
    for (int i = 0; i < r->p->systems; i++)
        if (r->answer[i][0]) return r->answer[i];
    return "";
}

static void add_status(json_t *status, const char *text) {
    json_t *rows = displays_systems(text), *row, *system;
    size_t i, k;
    json_array_foreach(json_object_get(status, "systems"), i, system) {
        const char *name = json_string_value(json_object_get(system, "name")), *is = "";
        json_array_foreach(rows, k, row)
            if (strcmp(json_string_value(json_object_get(row, "system")), name) == 0)
                is = json_string_value(json_object_get(row, "status"));
        json_object_set_new(system, "status", json_string(is));
    }
    json_decref(rows);
}

/* Whose dynamic XCF address it is. */
static const char *owner_of(json_t *status, const char *address) {
    json_t *system;
    size_t i;
    json_array_foreach(json_object_get(status, "systems"), i, system) {
        const char *own = json_string_value(json_object_get(system, "xcf_address"));
        if (own && *own && strcmp(own, address) == 0) return json_string_value(json_object_get(system, "name"));
    }
    return "";
}

static void add_targets(struct round *r, json_t *status, json_t *targets) {
    for (int i = 0; i < r->p->systems; i++) {
        json_t *rows = displays_vdpt(r->answer[i]), *row;
        size_t k;
        json_array_foreach(rows, k, row) {
            json_object_set_new(row, "by", json_string(r->p->system[i].name));
            json_object_set_new(row, "system", json_string(owner_of(status, json_string_value(json_object_get(row, "target")))));
            json_array_append(targets, row);
        }
        json_decref(rows);
    }
}

void guests_ask(const struct plex *p, const char *dir, json_t *status) {
    struct round r = {.p = p, .dir = dir};
    struct ask count[PLEX_SYSTEMS_MAX];
    bool counts[PLEX_SYSTEMS_MAX];
    double mips[PLEX_SYSTEMS_MAX];
    json_t *targets = json_array();
    char *storage = calloc((size_t)p->systems, ANSWER_BYTES);
    if (!storage) abort();
    for (int i = 0; i < p->systems; i++) {
        r.awake[i] = true;
        r.answer[i] = storage + (size_t)i * ANSWER_BYTES;
        mips[i] = ask_mips(dir, p->system[i].name);
        counts[i] = mips[i] < 0 && ask_count(&count[i], dir, p->system[i].name);
    }
    ask_all(&r, "D XCF,PO,DEVICE=ALL", false);
    for (int i = 0; i < p->systems; i++) json_object_set_new(system_of(status, i), "paths", displays_pathout(r.answer[i]));
    ask_all(&r, "D TCPIP,,NETSTAT,HOME", false);
    for (int i = 0; i < p->systems; i++) json_object_set_new(system_of(status, i), "xcf_address", displays_xcf_address(r.answer[i]));
    ask_all(&r, "D TCPIP,,NETSTAT,VDPT,DETAIL,MAX=*", false);
    add_targets(&r, status, targets);
    ask_all(&r, "D XCF,S,ALL", true);
    add_status(status, any_answer(&r));
    ask_all(&r, "D TCPIP,,SYSPLEX,VIPADYN,MAX=*", true);
    json_object_set_new(status, "dvipas", displays_vipadyn(any_answer(&r)));
    json_object_set_new(status, "targets", targets);
    /* The emulators had all this time for their counts. */
    for (int i = 0; i < p->systems; i++) {
        json_object_set_new(system_of(status, i), "mips", mips[i] < 0 ? json_null() : json_real(mips[i]));
        json_object_set_new(system_of(status, i), "instructions", json_integer(counts[i] ? (json_int_t)ask_counted(&count[i]) : 0));
    }
    free(storage);
}
