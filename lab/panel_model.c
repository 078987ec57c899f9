/* panel_model.c - the status of a plex as the panel's value. See panel_model.h. */
#include "lab/panel_model.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* ---- fields: what is absent or of another type is empty ---- */
static const char *text_of(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}
static void copy(char *out, size_t cap, const json_t *o, const char *key) { snprintf(out, cap, "%s", text_of(o, key)); }
static double figure(const json_t *o, const char *key) { return json_number_value(json_object_get(o, key)); }
static int whole(const json_t *o, const char *key) {
    double v = figure(o, key);
    return v > 2e9 ? 2000000000 : v < -2e9 ? -2000000000 : (int)v;
}
static bool truth(const json_t *o, const char *key) { return json_is_true(json_object_get(o, key)); }
static struct panel_count count_of(const json_t *o, const char *key) { return (struct panel_count){.total = figure(o, key)}; }

static enum panel_state state_of(const json_t *o) {
    const char *s = text_of(o, "state");
    return strcmp(s, "running") == 0 ? PANEL_RUNNING : strcmp(s, "frozen") == 0 ? PANEL_FROZEN : PANEL_ABSENT;
}

/* How many of an array fit; the others are counted. */
static int fit(struct panel_model *m, const json_t *array, int max) {
    int n = (int)json_array_size(array);
    if (n <= max) return n;
    m->left_out += n - max;
    return max;
}
#define AT(array, i) json_array_get(array, (size_t)(i))

/* ---- parts ---- */
static void system_read(struct panel_model *m, struct panel_system *s, const json_t *o) {
    const json_t *paths = json_object_get(o, "paths");
    copy(s->name, sizeof s->name, o, "name");
    copy(s->address, sizeof s->address, o, "address");
    copy(s->status, sizeof s->status, o, "status");
    s->state = state_of(o);
    s->seconds = figure(o, "seconds");
    s->cpu_seconds = count_of(o, "cpu_seconds");
    s->instructions = count_of(o, "instructions");
    s->says_mips = json_is_number(json_object_get(o, "mips"));
    s->mips = figure(o, "mips");
    s->paths = fit(m, paths, PLEX_SYSTEMS_MAX);
    for (int i = 0; i < s->paths; i++) {
        const json_t *row = AT(paths, i);
        struct panel_path *p = &s->path[i];
        copy(p->device, sizeof p->device, row, "device");
        copy(p->to, sizeof p->to, row, "system");
        copy(p->status, sizeof p->status, row, "status");
        p->signals = count_of(row, "signals");
    }
}

static void card_read(struct panel_model *m, struct panel_card *c, const json_t *o) {
    const json_t *own = json_object_get(o, "card"), *ports = json_object_get(own, "attachments");
    const json_t *counters = json_object_get(own, "counters");
    copy(c->name, sizeof c->name, o, "name");
    c->state = state_of(o);
    c->lan_up = strcmp(text_of(own, "lan"), "up") == 0;
    c->uplink_up = strcmp(text_of(json_object_get(own, "uplink"), "state"), "lost") != 0;
    c->bytes.total = figure(counters, "bytes_in") + figure(counters, "bytes_out");
    c->addresses = (int)json_array_size(json_object_get(own, "oat"));
    c->ports = fit(m, ports, PLEX_SYSTEMS_MAX);
    for (int i = 0; i < c->ports; i++) {
        const json_t *row = AT(ports, i), *sum = json_object_get(row, "counters");
        struct panel_port *p = &c->port[i];
        copy(p->system, sizeof p->system, row, "lpar");
        copy(p->device, sizeof p->device, row, "device");
        copy(p->mode, sizeof p->mode, row, "mode");
        p->started = truth(row, "started");
        p->fenced = truth(row, "fenced");
        p->bytes.total = figure(sum, "bytes_in") + figure(sum, "bytes_out");
    }
}

static bool names_system(const json_t *names, const char *system) {
    for (int i = 0; i < (int)json_array_size(names); i++) {
        const char *name = json_string_value(AT(names, i));
        if (name && (strcmp(name, system) == 0 || strcmp(name, "all") == 0)) return true;
    }
    return false;
}

static const json_t *row_named(const json_t *rows, const char *name) {
    for (int i = 0; i < (int)json_array_size(rows); i++)
        if (strcmp(text_of(AT(rows, i), "name"), name) == 0) return AT(rows, i);
    return NULL;
}

static int percent(double used, double of) { return of > 0 ? (int)(100 * used / of) : 0; }

static void cf_read(struct panel_model *m, struct panel_cf *f, const json_t *o) {
    const json_t *own = json_object_get(o, "facility"), *systems = json_object_get(own, "systems");
    const json_t *structures = json_object_get(own, "structures");
    copy(f->name, sizeof f->name, o, "name");
    f->state = state_of(o);
    f->storage_kb = whole(own, "storage_kb");
    f->free_kb = whole(own, "free_kb");
    f->commands = count_of(json_object_get(own, "counters"), "commands");
    f->links = m->systems;
    for (int i = 0; i < f->links; i++) {
        struct panel_cflink *l = &f->link[i];
        const json_t *row = row_named(systems, m->system[i].name);
        memcpy(l->system, m->system[i].name, sizeof l->system);
        l->up = row != NULL;
        l->pulled = names_system(json_object_get(own, "pulled"), l->system);
        /* A system that came back is connected with another incarnation, and the old one stands in the list still. */
        l->isolated = !l->up && row_named(json_object_get(own, "isolated"), l->system);
        l->commands = count_of(row, "commands");
        l->bytes = count_of(row, "bytes");
    }
    f->structures = fit(m, structures, PANEL_STRUCTURES_MAX);
    for (int i = 0; i < f->structures; i++) {
        const json_t *row = AT(structures, i);
        struct panel_structure *s = &f->structure[i];
        int entries = percent(figure(row, "entries_used"), figure(row, "entries"));
        int elements = percent(figure(row, "elements_used"), figure(row, "elements"));
        copy(s->name, sizeof s->name, row, "name");
        copy(s->type, sizeof s->type, row, "type");
        s->connectors = (int)json_array_size(json_object_get(row, "connectors"));
        s->percent = entries > elements ? entries : elements;
    }
}

static void dvipa_read(struct panel_model *m, struct panel_dvipa *d, const json_t *o) {
    const json_t *stacks = json_object_get(o, "stacks");
    int ranks[PLEX_SYSTEMS_MAX], n = fit(m, stacks, PLEX_SYSTEMS_MAX);
    copy(d->address, sizeof d->address, o, "address");
    copy(d->origin, sizeof d->origin, o, "origin");
    for (int i = 0; i < n; i++) {
        const json_t *row = AT(stacks, i);
        const char *status = text_of(row, "status"), *role = text_of(row, "distribution");
        if (strcmp(role, "DIST") == 0 || strcmp(role, "BOTH") == 0) d->distributed = true;
        if (strcmp(status, "ACTIVE") == 0 && strcmp(role, "DEST") != 0) copy(d->owner, sizeof d->owner, row, "system");
        int rank = whole(row, "rank");
        /* Without a rank it is only a target of the distribution. */
        if (strcmp(status, "BACKUP") != 0 || rank == 0) continue;
        /* By rank, the highest first: who takes over next. */
        int at = d->backups++;
        for (; at > 0 && ranks[at - 1] < rank; at--) {
            ranks[at] = ranks[at - 1];
            memcpy(d->backup[at], d->backup[at - 1], sizeof d->backup[at]);
        }
        ranks[at] = rank;
        copy(d->backup[at], sizeof d->backup[at], row, "system");
    }
}

static void target_read(struct panel_target *t, const json_t *o) {
    copy(t->address, sizeof t->address, o, "address");
    copy(t->by, sizeof t->by, o, "by");
    copy(t->system, sizeof t->system, o, text_of(o, "system")[0] ? "system" : "target");
    t->port = whole(o, "port");
    t->ready = whole(o, "ready");
    t->weight = whole(o, "weight");
    t->tsr = whole(o, "tsr");
    t->active = whole(o, "active");
    t->quiesced = truth(o, "quiesced");
    t->connections = count_of(o, "connections");
}

bool panel_read(struct panel_model *m, const char *text, double at, char *error, size_t cap) {
    json_error_t where;
    json_t *o = json_loads(text, 0, &where);
    *m = (struct panel_model){.at = at};
    if (!o || !json_is_array(json_object_get(o, "systems"))) {
        snprintf(error, cap, "no status: %s", o ? "it has no systems" : where.text);
        json_decref(o);
        return false;
    }
    const json_t *systems = json_object_get(o, "systems"), *cards = json_object_get(o, "cards"), *cfs = json_object_get(o, "cfs");
    const json_t *dvipas = json_object_get(o, "dvipas"), *targets = json_object_get(o, "targets");
    copy(m->plex, sizeof m->plex, o, "plex");
    copy(m->lan, sizeof m->lan, o, "lan");
    m->systems = fit(m, systems, PLEX_SYSTEMS_MAX);
    m->cards = fit(m, cards, PLEX_CARDS_MAX);
    m->cfs = fit(m, cfs, PLEX_CFS_MAX);
    m->dvipas = fit(m, dvipas, PANEL_DVIPAS_MAX);
    m->targets = fit(m, targets, PANEL_TARGETS_MAX);
    for (int i = 0; i < m->systems; i++) system_read(m, &m->system[i], AT(systems, i));
    for (int i = 0; i < m->cards; i++) card_read(m, &m->card[i], AT(cards, i));
    for (int i = 0; i < m->cfs; i++) cf_read(m, &m->cf[i], AT(cfs, i));
    for (int i = 0; i < m->dvipas; i++) dvipa_read(m, &m->dvipa[i], AT(dvipas, i));
    for (int i = 0; i < m->targets; i++) target_read(&m->target[i], AT(targets, i));
    json_decref(o);
    return true;
}

/* ---- rates ---- */
static void grow(struct panel_count *c, const struct panel_count *before, double seconds) {
    c->rate = before && seconds > 0 && c->total >= before->total ? (c->total - before->total) / seconds : 0;
}

static void system_rates(struct panel_system *s, const struct panel_system *b, double seconds) {
    grow(&s->cpu_seconds, &b->cpu_seconds, seconds);
    /* An emulator that did not say its count, now or before, has executed something all the same. */
    bool said = s->instructions.total > 0 && b->instructions.total > 0;
    grow(&s->instructions, said ? &b->instructions : NULL, seconds);
    if (!s->says_mips) s->mips = s->instructions.rate / 1e6;
    for (int i = 0; i < s->paths; i++)
        for (int k = 0; k < b->paths; k++)
            if (strcmp(s->path[i].device, b->path[k].device) == 0) grow(&s->path[i].signals, &b->path[k].signals, seconds);
}

static void card_rates(struct panel_card *c, const struct panel_card *b, double seconds) {
    grow(&c->bytes, &b->bytes, seconds);
    for (int i = 0; i < c->ports; i++)
        for (int k = 0; k < b->ports; k++)
            if (strcmp(c->port[i].system, b->port[k].system) == 0 && strcmp(c->port[i].device, b->port[k].device) == 0)
                grow(&c->port[i].bytes, &b->port[k].bytes, seconds);
}

static bool same_target(const struct panel_target *a, const struct panel_target *b) {
    return a->port == b->port && strcmp(a->address, b->address) == 0 && strcmp(a->system, b->system) == 0 && strcmp(a->by, b->by) == 0;
}

void panel_rates(struct panel_model *m, const struct panel_model *before) {
    double seconds = m->at - before->at;
    /* The configuration does not change while a plex runs, so what has the same place has the same name. */
    for (int i = 0; i < m->systems && i < before->systems; i++) system_rates(&m->system[i], &before->system[i], seconds);
    for (int i = 0; i < m->cards && i < before->cards; i++) card_rates(&m->card[i], &before->card[i], seconds);
    for (int i = 0; i < m->cfs && i < before->cfs; i++) {
        grow(&m->cf[i].commands, &before->cf[i].commands, seconds);
        for (int k = 0; k < m->cf[i].links && k < before->cf[i].links; k++) {
            grow(&m->cf[i].link[k].commands, &before->cf[i].link[k].commands, seconds);
            grow(&m->cf[i].link[k].bytes, &before->cf[i].link[k].bytes, seconds);
        }
    }
    for (int i = 0; i < m->targets; i++)
        for (int k = 0; k < before->targets; k++)
            if (same_target(&m->target[i], &before->target[k])) grow(&m->target[i].connections, &before->target[k].connections, seconds);
}

/* ---- words ---- */
const char *panel_state_name(enum panel_state s) {
    static const char *const names[] = {"ABSENT", "RUNNING", "FROZEN"};
    return names[s];
}

int panel_system_at(const struct panel_model *m, const char *name) {
    for (int i = 0; i < m->systems; i++)
        if (strcmp(m->system[i].name, name) == 0) return i;
    return -1;
}

const char *panel_figure(double value, char out[16]) {
    static const char *const units[] = {"", "k", "M", "G", "T"};
    int u = 0;
    while (value >= 999.5 && u < 4) value /= 1000, u++;
    snprintf(out, 16, value >= 99.5 || (u == 0 && value == (int)value) ? "%.0f%s" : value >= 9.95 ? "%.1f%s" : "%.2f%s", value, units[u]);
    return out;
}
