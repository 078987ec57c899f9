/* emul.c - one LPAR under Hercules. See emul.h. */
#include "lab/emul.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMER_US 10000
#define FIFO_MS 10000 /* a busy host */
#define IPL_TRIES 20
#define IPL_ANSWER_MS 20000
#define STOP_GUEST_MS 3000
#define STOP_EMULATOR_MS 2000

static void in_dir(char out[PATH_MAX], const char *dir, const char *name, const char *suffix) {
    snprintf(out, PATH_MAX, "%s/%s%s", dir, name, suffix);
}

static const char *emulator(void) {
    const char *e = getenv("PLEX390_HERCULES");
    return e && *e ? e : "hercules";
}

/* SDL-Hyperion says "SDL" in its version line; 3.13 does not. */
static bool is_hyperion(void) {
    char command[PATH_MAX + 32], line[256];
    bool sdl = false;
    snprintf(command, sizeof command, "'%s' --version </dev/null 2>&1", emulator());
    FILE *f = popen(command, "r");
    if (!f) return false;
    while (fgets(line, sizeof line, f))
        if (strstr(line, "SDL") || strstr(line, "Hyperion")) sdl = true;
    pclose(f);
    return sdl;
}

bool emul_volume(const struct places *at, const struct plex *p, const char *dir) {
    char tool[PATH_MAX + 16], guest[PATH_MAX + 32], out[PATH_MAX], set[8][PATH_MAX + 64];
    static const char *const sets[][2] = {{"SYS1.IPLPARM", "iplparm"},
                                          {"SYS1.PARMLIB", "parmlib"},
                                          {"SYS1.VTAMLST", "vtamlst"},
                                          {"TCPIP.TCPPARMS", "tcpparms"},
                                          {"TCPIP.HTTPD.WEB", "web"}};
    const char *argv[20];
    int n = 0;
    snprintf(tool, sizeof tool, "%s/mkvol", at->build);
    snprintf(guest, sizeof guest, "%s/guest31/guest.bin", at->build);
    in_dir(out, dir, "sysres", ".3390");
    argv[n++] = tool;
    argv[n++] = "-o";
    argv[n++] = out;
    argv[n++] = "--volser";
    argv[n++] = p->volser;
    argv[n++] = "--nucleus";
    argv[n++] = guest;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        char folder[PATH_MAX + 16];
        struct stat st;
        snprintf(folder, sizeof folder, "%s/%s", p->dir, sets[i][1]);
        if (stat(folder, &st) != 0) continue;
        snprintf(set[i], sizeof set[i], "%s=%s", sets[i][0], folder);
        argv[n++] = set[i];
    }
    argv[n] = NULL;
    int rc = proc_run(argv, false);
    if (rc == 127) fprintf(stderr, "plex390: %s can't be run\n", tool);
    return rc == 0;
}

/* The director's table that all systems share: each is joined with each other. */
static bool write_director(const struct plex *p, const char *dir) {
    char path[PATH_MAX], new_path[PATH_MAX];
    in_dir(path, dir, "ctc", ".director");
    in_dir(new_path, dir, "ctc", ".new");
    FILE *f = fopen(new_path, "w");
    if (f) {
        fprintf(f, "* every system with every other\nMESH %04X", (unsigned)p->ctc);
        for (int i = 0; i < p->systems; i++) fprintf(f, " %s", p->system[i].name);
        fprintf(f, "\n");
    }
    /* Emulators that run may be reading it. */
    if (f && fclose(f) == 0 && rename(new_path, path) == 0) return true;
    fprintf(stderr, "plex390: %s: %s\n", path, strerror(errno));
    return false;
}

/* 3.13 runs its processors at nice 15 and its devices at nice 8. Beside work of nice 0 a processor then gets three thousandths of what
 * each of those gets: an IPL clears storage for minutes, and a member misses its status updates and is isolated. So every thread has
 * the priority that this program was started with. Hyperion knows no such statements and has no such differences. */
static void write_priorities(FILE *f) {
    static const char *const threads[] = {"HERCPRIO", "CPUPRIO", "DEVPRIO", "TODPRIO"};
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++)
        fprintf(f, "%s %d\n", threads[i], getpriority(PRIO_PROCESS, 0));
}

static bool write_config(const struct plex *p, const struct plex_system *s, const char *dir,
                         bool hyperion) {
    char path[PATH_MAX];
    in_dir(path, dir, s->name, ".cnf");
    FILE *f = fopen(path, "w");
    if (!f) {
        fprintf(stderr, "plex390: %s: %s\n", path, strerror(errno));
        return false;
    }
    fprintf(f, "%s\nCPUMODEL 9672\nCPUSERIAL %06d\nMAINSIZE %d\nNUMCPU 1\nOSTAILOR QUIET\nPANRATE 2000\n",
            hyperion ? "ARCHLVL ESA/390" : "ARCHMODE ESA/390", 1 + (int)(s - p->system), s->memory_mb);
    /* The emulator's clock thread wakes up this often: its default of 50 us is a tenth of a processor when idle, and
     * the guest's timers need no better than 10 ms. */
    fprintf(f, "TIMERINT %d\n", TIMER_US);
    if (!hyperion) write_priorities(f);
    fprintf(f, "LPARNAME %s\nLOADPARM %s\n", s->name, s->loadparm);
    if (s->console_port) fprintf(f, "CNSLPORT 127.0.0.1:%d\n", s->console_port);
    fprintf(f, "LDMOD %s/plex390.so\n", dir);
    fprintf(f, "0009 3215-C / noprompt\n");
    if (s->console_port) fprintf(f, "001F 3215\n");
    fprintf(f, "0A80 3390 %s/%s.3390\n", dir, s->name);
    for (int i = 0; i < s->attaches; i++) {
        const struct plex_attach *a = &s->attach[i];
        bool lcs = strcmp(a->mode, "lcs") == 0;
        /* HiperSockets have no port name: the guest finds the device by its type. */
        bool iqd = strcmp(p->card[a->card].chpid, "iqd") == 0;
        fprintf(f, "%04X.%d %s card=%s/%s.sock lpar=%s %s=%s%s fence=%s/fence\n", a->device, lcs ? 2 : 3, lcs ? "PLXLCS" : "PLXOSA", dir,
                p->card[a->card].name, s->name, lcs || iqd ? "expect" : "portname", p->card[a->card].name, iqd ? " chpid=iqd" : "", dir);
    }
    char capture[PATH_MAX + 40] = "";
    if (p->capture) snprintf(capture, sizeof capture, " capture=%s/%s.signals.pcapng", dir, s->name);
    for (int i = 0; s->cflink && i < p->cfs; i++)
        fprintf(f, "%04X PLXCFL cf=%s/%s.sock lpar=%s expect=%s fence=%s/fence%s\n", (unsigned)(s->cflink + i * PLEX_CFLINK_STEP),
                dir, p->cf[i].name, s->name, p->cf[i].name, dir, capture);
    bool good = true;
    if (p->ctc && p->systems > 1) {
        fprintf(f, "%04X.%d PLXCTC director=%s/ctc.director lpar=%s fence=%s/fence%s\n", (unsigned)p->ctc, 2 * (p->systems - 1), dir,
                s->name, dir, capture);
        good = write_director(p, dir);
    }
    return fclose(f) == 0 && good;
}

static bool copy_file(const char *from, const char *to) {
    const char *const argv[] = {"cp", "--sparse=always", from, to, NULL};
    unlink(to);
    return proc_run(argv, false) == 0;
}

/* The module is linked into the run directory: a Hercules configuration knows no blanks in a path. */
static bool prepare(const struct places *at, const struct plex_system *s, const char *dir, bool hyperion) {
    char from[PATH_MAX + 64], to[PATH_MAX];
    snprintf(from, sizeof from, "%s/%s/plex390.so", at->build, hyperion ? "hyperion-4" : "hercules-3.13");
    in_dir(to, dir, "plex390", ".so");
    if (access(from, R_OK) != 0) {
        fprintf(stderr, "plex390: %s: %s; build the module for this emulator first\n", from, strerror(errno));
        return false;
    }
    unlink(to);
    if (symlink(from, to) != 0) return false;
    snprintf(from, sizeof from, "%s/sysres.3390", dir);
    in_dir(to, dir, s->name, ".3390");
    if (!copy_file(from, to)) return false;
    in_dir(to, dir, s->name, ".in");
    unlink(to);
    in_dir(from, dir, s->name, ".log");
    unlink(from);
    return mkfifo(to, 0600) == 0;
}

bool emul_start(const struct places *at, const struct plex *p, const struct plex_system *s, const char *dir) {
    char config[PATH_MAX], fifo[PATH_MAX];
    bool hyperion = is_hyperion();
    if (!prepare(at, s, dir, hyperion) || !write_config(p, s, dir, hyperion)) return false;
    in_dir(config, dir, s->name, ".cnf");
    in_dir(fifo, dir, s->name, ".in");
    const char *const old[] = {emulator(), "-d", "-f", config, "EXTERNALGUI", NULL};
    const char *const new[] = {emulator(), "-n", "-f", config, NULL};
    struct spawn sp = {.name = s->name, .argv = hyperion ? new : old, .stdin_path = fifo};
    if (proc_spawn(dir, &sp) < 0) return false;
    return emul_ipl(s, dir);
}

/* An emulator that has just started takes the command before its processor has stopped, and rejects it: on a busy host after a
 * while. The nucleus' first message, or a wait state, says that it did not. */
static bool ipl_rejected(const char *dir, const char *name, long from) {
    for (long long end = now_ms() + IPL_ANSWER_MS; now_ms() < end && proc_find(dir, name, NULL); sleep_ms(10)) {
        if (emul_count(dir, name, "All CPU's must be stopped", from) > 0) return true;
        if (emul_count(dir, name, "PLX101I", from) > 0 || emul_count(dir, name, "isabled wait state", from) > 0) break;
    }
    return false;
}

bool emul_ipl(const struct plex_system *s, const char *dir) {
    char ipl[16];
    snprintf(ipl, sizeof ipl, "ipl %.4s", s->loadparm);
    for (int i = 0; i < IPL_TRIES; i++) {
        long from = emul_log_size(dir, s->name);
        if (!emul_command(dir, s->name, ipl)) return false;
        if (!ipl_rejected(dir, s->name, from)) return true;
    }
    fprintf(stderr, "plex390: %s rejects the ipl command; its log says why\n", s->name);
    return false;
}

/* A process that was just started may not have opened its end yet, and one that has ended will not. */
static int open_fifo(const char *dir, const char *name) {
    char path[PATH_MAX];
    long long end = now_ms() + FIFO_MS;
    in_dir(path, dir, name, ".in");
    for (;;) {
        int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0 || errno != ENXIO || now_ms() > end || !proc_find(dir, name, NULL)) return fd;
        sleep_ms(2);
    }
}

bool emul_command(const char *dir, const char *name, const char *line) {
    char text[512];
    int n = snprintf(text, sizeof text, "%s\n", line);
    if (!proc_find(dir, name, NULL)) {
        fprintf(stderr, "plex390: %s is not running\n", name);
        return false;
    }
    int fd = open_fifo(dir, name);
    bool ok = fd >= 0 && n < (int)sizeof text && write(fd, text, (size_t)n) == n;
    if (!ok) fprintf(stderr, "plex390: %s takes no command: %s\n", name, strerror(errno));
    if (fd >= 0) close(fd);
    return ok;
}

long emul_log_size(const char *dir, const char *name) {
    char path[PATH_MAX];
    struct stat st;
    in_dir(path, dir, name, ".log");
    return stat(path, &st) == 0 ? (long)st.st_size : 0;
}

/* Lines with text from an offset on; the first of them goes to found. */
static int count_lines(const char *path, const char *text, long from, char *found, size_t cap) {
    char line[1024];
    int hits = 0;
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    fseek(f, from, SEEK_SET);
    /* A line without its end is still being written: it is looked at again next time. */
    while (fgets(line, sizeof line, f) && strchr(line, '\n')) {
        const char *seen = emul_console_line(line);
        if (!seen) seen = line;
        if (!strstr(seen, text)) continue;
        if (hits++ == 0 && found) snprintf(found, cap, "%.*s", (int)strcspn(seen, "\r\n"), seen);
    }
    fclose(f);
    return hits;
}

int emul_count(const char *dir, const char *name, const char *text, long from) {
    char path[PATH_MAX];
    in_dir(path, dir, name, ".log");
    return count_lines(path, text, from, NULL, 0);
}

bool emul_wait(const char *dir, const char *name, const char *text, long from, int ms, char *found, size_t cap) {
    char path[PATH_MAX];
    long long end = now_ms() + ms;
    in_dir(path, dir, name, ".log");
    for (;;) {
        bool alive = proc_find(dir, name, NULL) != 0 && emul_count(dir, name, "isabled wait state", from) == 0;
        if (count_lines(path, text, from, found, cap) > 0) return true;
        if (!alive || now_ms() > end) return false;
        sleep_ms(10);
    }
}

/* A new life of the guest begins: the emulator's echo of the command, or where it has none the nucleus' first line. */
#define IPL_TEXT  "ipl "
#define LIFE_TEXT "PLX101I"
#define WAIT_TEXT "isabled wait state"

struct last {
    char said[160], psw[40];
    bool waits;
};

/* "PSW=000A0000 000040A2" stands in the line after 3.13's message, in SDL-Hyperion's own message only the two words. */
static void note_line(struct last *l, const char *line) {
    const char *seen = emul_console_line(line), *at = strstr(line, WAIT_TEXT), *first = line + strspn(line, " ");
    if (strstr(line, IPL_TEXT) || strstr(line, LIFE_TEXT)) l->waits = false;
    if (at) {
        l->waits = true;
        at += strlen(WAIT_TEXT);
    } else if (l->waits && strncmp(first, "PSW=", 4) == 0) {
        at = first + 4;
    }
    if (at) at += strspn(at, " ");
    if (at && at[strspn(at, "\r\n")])
        snprintf(l->psw, sizeof l->psw, "%.*s", (int)strcspn(at, "\r\n"), at);
    else if (!at && seen && seen[0] > ' ' && seen[0] != '#' && strncmp(seen, "PLX0310I", 8) != 0) /* a question of ours, its end */
        snprintf(l->said, sizeof l->said, "%.*s", (int)strcspn(seen, "\r\n"), seen);
}

bool emul_silence(const char *dir, const char *name, char *why, size_t cap) {
    char path[PATH_MAX], line[1024];
    struct last l = {.waits = false};
    enum proc_state state;
    in_dir(path, dir, name, ".log");
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) note_line(&l, line);
    if (f) fclose(f);
    bool runs = proc_find(dir, name, &state) != 0;
    const char *is = "it runs", *psw = "";
    if (!runs) is = "its emulator has ended";
    if (runs && state == PROC_FROZEN) is = "it is frozen";
    if (runs && state == PROC_RUNNING && l.waits) is = "it is in a disabled wait, PSW ", psw = l.psw;
    snprintf(why, cap, "%s%s; it said last: %s", is, psw, l.said[0] ? l.said : "nothing");
    return !runs || l.waits;
}

void emul_stop(const char *dir, const char *name) {
    enum proc_state state;
    if (!proc_find(dir, name, &state)) {
        proc_end(dir, name, 0);
        return;
    }
    if (state == PROC_RUNNING) {
        long from = emul_log_size(dir, name);
        if (emul_command(dir, name, "/Z EOD")) emul_wait(dir, name, "HHCCP011I", from, STOP_GUEST_MS, NULL, 0);
        if (proc_find(dir, name, NULL)) emul_command(dir, name, "quit");
        proc_wait(dir, name, PROC_ABSENT, STOP_EMULATOR_MS);
    }
    proc_end(dir, name, 500);
}

const char *emul_log_text(const char *line) {
    static const char shape[] = "00:00:00 ";
    size_t i = 0;
    while (shape[i] && (shape[i] == '0' ? line[i] >= '0' && line[i] <= '9' : line[i] == shape[i])) i++;
    if (!shape[i]) line += i;
    return line[0] == '/' ? line + 1 : line;
}

const char *emul_console_line(const char *line) {
    static const char *const chatter[] = {"HHC", "STATUS=", "MIPS=", "SIOS=", "DEVA=", "DEVC=", "DEVX=", "SYS=", "PLX80"};
    line = emul_log_text(line);
    for (size_t i = 0; i < sizeof chatter / sizeof chatter[0]; i++)
        if (strncmp(line, chatter[i], strlen(chatter[i])) == 0) return NULL;
    /* An aside is the answer to a program of the lab, see ask.h, and its question may be echoed. */
    if (line[0] == '?' || strncmp(line, "#?", 2) == 0) return NULL;
    /* "(0009) text" is the emulator's echo of what was entered at that device. */
    return line[0] == '(' && strlen(line) > 6 && line[5] == ')' ? NULL : line;
}
