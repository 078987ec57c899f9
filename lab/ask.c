/* ask.c - questions to guests and emulators through their consoles. See ask.h. */
#include "lab/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS 10000
#define REPEAT_MS 500
#define LOG_LINE_MAX 1024
#define MIPS_BYTES 65536 /* of the end of a log: it is written whenever it changes */

bool ask_operator(const char *dir, const char *system, const char *command, long from, char *mark, size_t cap) {
    char line[192], why[256];
    bool silent = false;
    snprintf(line, sizeof line, "/#%d.%lld %s", (int)getpid() % 100000, now_ms() % 100000, command);
    snprintf(mark, cap, "PLX0310I %.*s", (int)strcspn(line + 2, " "), line + 2);
    for (int i = 0; i < ANSWER_MS / REPEAT_MS && !silent; i++) {
        if (!emul_command(dir, system, line)) return false;
        if (emul_wait(dir, system, mark, from, REPEAT_MS, NULL, 0)) return true;
        silent = emul_silence(dir, system, why, sizeof why);
    }
    if (silent)
        fprintf(stderr, "plex390: %s does not answer: %s\n", system, why);
    else
        fprintf(stderr, "plex390: %s did not finish its answer in %d s: %s\n", system, ANSWER_MS / 1000, why);
    return false;
}

static FILE *log_open(const struct ask *a) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.log", a->dir, a->system);
    FILE *f = fopen(path, "r");
    if (f) fseek(f, a->from, SEEK_SET);
    return f;
}

static bool begin(struct ask *a, const char *dir, const char *system) {
    enum proc_state state;
    *a = (struct ask){.dir = dir, .system = system, .begun = now_ms()};
    a->repeat_at = a->begun + REPEAT_MS;
    a->from = emul_log_size(dir, system);
    /* A frozen one reads nothing: what is typed ahead would all be answered when it is thawed. */
    return proc_find(dir, system, &state) != 0 && state == PROC_RUNNING;
}

bool ask_begin(struct ask *a, const char *dir, const char *system, const char *command) {
    static unsigned number;
    if (!begin(a, dir, system)) return false;
    snprintf(a->token, sizeof a->token, "?%d.%u", (int)getpid() % 100000, ++number % 10000);
    snprintf(a->line, sizeof a->line, "/#%s %s", a->token, command);
    return emul_command(dir, system, a->line);
}

/* What stands behind "?token " in a line of the log, without the emulator's prefix; NULL: it is not of this answer. */
static const char *answer_line(const struct ask *a, const char *line) {
    size_t n = strlen(a->token);
    line = emul_log_text(line);
    return strncmp(line, a->token, n) == 0 && line[n] == ' ' ? line + n + 1 : NULL;
}

/* true: the answer is whole, and in out as far as it fits. */
static bool collect(const struct ask *a, char *out, size_t cap) {
    char line[LOG_LINE_MAX];
    size_t have = 0;
    bool whole = false;
    FILE *f = log_open(a);
    out[0] = '\0';
    while (f && !whole && fgets(line, sizeof line, f) && strchr(line, '\n')) {
        const char *text = answer_line(a, line);
        if (!text) continue;
        whole = strncmp(text, "PLX0310I ", 9) == 0;
        size_t n = strlen(text);
        if (whole || have + n >= cap) continue;
        memcpy(out + have, text, n + 1);
        have += n;
    }
    if (f) fclose(f);
    return whole;
}

bool ask_end(struct ask *a, int ms, char *out, size_t cap) {
    enum proc_state state;
    while (!collect(a, out, cap)) {
        long long now = now_ms();
        if (now > a->begun + ms || !proc_find(a->dir, a->system, &state) || state != PROC_RUNNING) return false;
        if (now >= a->repeat_at) {
            if (!emul_command(a->dir, a->system, a->line)) return false;
            a->repeat_at = now + REPEAT_MS;
        }
        sleep_ms(5);
    }
    return true;
}

double ask_mips(const char *dir, const char *system) {
    struct ask a = {.dir = dir, .system = system, .from = emul_log_size(dir, system) - MIPS_BYTES};
    char line[LOG_LINE_MAX];
    double mips = -1;
    if (a.from < 0) a.from = 0;
    FILE *f = log_open(&a);
    while (f && fgets(line, sizeof line, f)) sscanf(line, "MIPS=%lf", &mips);
    if (f) fclose(f);
    return mips;
}

bool ask_count(struct ask *a, const char *dir, const char *system) {
    return begin(a, dir, system) && emul_command(dir, system, "ipending");
}

unsigned long long ask_counted(const struct ask *a) {
    char line[LOG_LINE_MAX];
    unsigned long long sum = 0;
    FILE *f = log_open(a);
    while (f && fgets(line, sizeof line, f)) {
        const char *at = strstr(line, "instcount ");
        if (at) sum += strtoull(at + strlen("instcount "), NULL, 10);
    }
    if (f) fclose(f);
    return sum;
}
