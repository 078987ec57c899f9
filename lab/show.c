/* show.c - status and answers for the operator. See show.h. */
#include "lab/show.h"

#include "lab/card.h"
#include "lab/control.h"
#include "lab/guests.h"
#include "lab/panel_model.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const STATE_NAMES[] = {"absent", "running", "frozen"};

/* Seconds a process has lived and the processor seconds it has used, from /proc. */
static void process_times(pid_t pid, double *age, double *cpu) {
    char path[64], text[1024] = "";
    unsigned long long user = 0, kernel = 0, start = 0;
    double up = 0;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (f) {
        size_t n = fread(text, 1, sizeof text - 1, f);
        text[n] = 0;
        fclose(f);
    }
    const char *p = strrchr(text, ')');
    if (p) sscanf(p + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %*s %*s %*s %*s %*s %*s %llu", &user, &kernel, &start);
    f = fopen("/proc/uptime", "r");
    if (f) {
        if (fscanf(f, "%lf", &up) != 1) up = 0;
        fclose(f);
    }
    *cpu = (double)(user + kernel) / ticks;
    *age = up - (double)start / ticks;
}

static json_t *process_json(const char *dir, const char *name) {
    enum proc_state state;
    pid_t pid = proc_find(dir, name, &state);
    json_t *o = json_pack("{s:s,s:s}", "name", name, "state", STATE_NAMES[state]);
    if (pid) {
        double age, cpu;
        process_times(pid, &age, &cpu);
        json_object_set_new(o, "pid", json_integer(pid));
        json_object_set_new(o, "seconds", json_real(age));
        json_object_set_new(o, "cpu_seconds", json_real(cpu));
    }
    return o;
}

/* A process with a control socket, and what it says of itself under the key. */
static json_t *asked_json(const char *dir, const char *name, const char *key) {
    static char answer[1 << 20];
    json_t *o = process_json(dir, name);
    json_t *own = NULL;
    enum proc_state state;
    /* A frozen one would keep us waiting for its answer. */
    if (proc_find(dir, name, &state) && state == PROC_RUNNING && control_ask(dir, name, "status", answer, sizeof answer))
        own = json_loads(answer, 0, NULL);
    json_object_set_new(o, key, own ? own : json_null());
    return o;
}

static json_t *system_json(const struct plex_system *s, const char *dir) {
    json_t *o = process_json(dir, s->name);
    json_object_set_new(o, "loadparm", json_string(s->loadparm));
    json_object_set_new(o, "address", json_string(s->address));
    return o;
}

static json_t *plex_json(const struct plex *p, const char *dir) {
    static const char *const modes[] = {"none", "namespace", "slirp"};
    pid_t holder;
    enum lan_mode mode = lan_find(dir, &holder);
    json_t *systems = json_array(), *cards = json_array(), *cfs = json_array();
    for (int i = 0; i < p->systems; i++) json_array_append_new(systems, system_json(&p->system[i], dir));
    for (int i = 0; i < p->cards; i++) json_array_append_new(cards, asked_json(dir, p->card[i].name, "card"));
    for (int i = 0; i < p->cfs; i++) json_array_append_new(cfs, asked_json(dir, p->cf[i].name, "facility"));
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "plex", p->name, "run", dir, "lan", modes[mode], "client", p->client,
                     "systems", systems, "cards", cards, "cfs", cfs);
}

/* why: behind the row, what keeps a system from answering; NULL or empty: nothing. */
static void print_row(const char *kind, const json_t *o, const char *why) {
    const json_t *pid = json_object_get(o, "pid");
    printf("%-7s %-8s %-8s", kind, json_string_value(json_object_get(o, "name")),
           json_string_value(json_object_get(o, "state")));
    if (pid)
        printf(" %8d %9.1f %8.2f", (int)json_integer_value(pid), json_real_value(json_object_get(o, "seconds")),
               json_real_value(json_object_get(o, "cpu_seconds")));
    if (why && *why) printf("  %s", why);
    putchar('\n');
}

/* Only the operator's status looks into the logs for it: programs ask for theirs every second. */
static void print_system(const json_t *o, const char *dir) {
    char why[256] = "";
    if (json_object_get(o, "pid") && !emul_silence(dir, json_string_value(json_object_get(o, "name")), why, sizeof why)) why[0] = '\0';
    print_row("LPAR", o, why);
}

/* What the systems say, a line for each dynamic VIPA and each target of a distributed one. */
static void print_sysplex(const json_t *all) {
    static struct panel_model m;
    char *text = json_dumps(all, JSON_COMPACT), error[200];
    if (!text || !panel_read(&m, text, 0, error, sizeof error)) m = (struct panel_model){.dvipas = 0};
    free(text);
    for (int i = 0; i < m.dvipas; i++) {
        const struct panel_dvipa *d = &m.dvipa[i];
        printf("%-7s %-20s %-8s %s", "DVIPA", d->address, d->owner[0] ? d->owner : "nobody", d->distributed ? "distributes" : "");
        for (int k = 0; k < d->backups; k++) printf("%s%s", k ? " " : d->distributed ? ", next " : "next ", d->backup[k]);
        putchar('\n');
    }
    for (int i = 0; i < m.targets; i++) {
        const struct panel_target *t = &m.target[i];
        char port[24];
        snprintf(port, sizeof port, "%s:%d", t->address, t->port);
        printf("%-7s %-20s %-8s %s, %d open of %.0f by %s\n", "TARGET", port, t->system,
               t->quiesced ? "quiesced" : t->ready ? "ready" : "not ready", t->active, t->connections.total, t->by);
    }
    if (m.left_out) printf("%-7s %d more: --json has all\n", "", m.left_out);
}

bool show_status(const struct plex *p, const char *dir, bool json, bool guests) {
    json_t *all = plex_json(p, dir);
    if (!all) return false;
    size_t i;
    json_t *o;
    if (guests) guests_ask(p, dir, all);
    if (json) {
        json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        putchar('\n');
    } else {
        printf("%s: LAN %s, client %s, run directory %s\n", p->name, json_string_value(json_object_get(all, "lan")),
               p->client, dir);
        printf("%-7s %-8s %-8s %8s %9s %8s\n", "KIND", "NAME", "STATE", "PID", "SECONDS", "CPU");
        json_array_foreach(json_object_get(all, "systems"), i, o) print_system(o, dir);
        json_array_foreach(json_object_get(all, "cards"), i, o) print_row("OSA", o, NULL);
        json_array_foreach(json_object_get(all, "cfs"), i, o) print_row("CF", o, NULL);
        if (guests) print_sysplex(all);
    }
    json_decref(all);
    return true;
}

void show_answer(const char *dir, const char *system, long from, const char *mark, const char *until) {
    char path[PATH_MAX], line[1024];
    bool marked = false, found = until == NULL;
    snprintf(path, sizeof path, "%s/%s.log", dir, system);
    FILE *f = fopen(path, "r");
    if (!f) return;
    fseek(f, from, SEEK_SET);
    while (!(marked && found) && fgets(line, sizeof line, f)) {
        const char *seen = emul_console_line(line);
        if (!seen) continue;
        if (strncmp(seen, mark, strlen(mark)) == 0) {
            marked = true;
            continue;
        }
        if (until && strstr(seen, until)) found = true;
        fputs(seen, stdout);
    }
    fclose(f);
}

bool show_address(const struct plex *p, const struct plex_system *s, bool slirp, int port, char *out, size_t cap) {
    if (!s->address[0]) {
        fprintf(stderr, "plex390: %s has no 'address' in plex.conf\n", s->name);
        return false;
    }
    if (!slirp) {
        snprintf(out, cap, port == 80 ? "%s" : "%s:%d", s->address, port);
        return true;
    }
    for (int i = 0; i < p->forwards; i++)
        if (strcmp(p->forward[i].guest, s->address) == 0 && p->forward[i].guest_port == port) {
            snprintf(out, cap, "127.0.0.1:%d", p->forward[i].host_port);
            return true;
        }
    fprintf(stderr, "plex390: no forward to %s port %d in plex.conf, and without a TUN device there is no other way\n",
            s->address, port);
    return false;
}
