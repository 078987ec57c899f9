/* plex390_main.c - the operator's command: brings a plex up and down, shows it, drills it, looks into it.
 *
 *   plex390 up [NAME]              start coupling facilities, cards and LPARs of configs/NAME (default ONE), IPL them
 *   plex390 down [NAME]            end them
 *   plex390 status [--json] [--guests]   what runs; with --guests also what the systems themselves say, asked at their consoles
 *   plex390 console SYS            the operator console of SYS; ^D leaves it
 *   plex390 cmd [-w TEXT] SYS 'D TCPIP,,NETSTAT,HOME'    one operator command, its answer (up to a line with TEXT)
 *   plex390 ipl|kill|freeze|thaw NAME    an LPAR, a card or a coupling facility
 *   plex390 cut|heal CARD          pull or plug a card's LAN cable
 *   plex390 cut|heal CF SYS|all    pull or plug the cable between a facility and a system
 *   plex390 card NAME COMMAND...   a card's or facility's own commands: impair, isolate, capture, status
 *   plex390 capture [CARD] [-w FILE] [FILTER]    pcapng to standard output (for wireshark -k -i -) or FILE
 *   plex390 client CMD...          a command on the client's host, on the plex's LAN
 *   plex390 url SYS[:PORT]         the URL under which the client reaches SYS here
 *
 * -p NAME chooses the plex where several run. Exit: 0 done, 1 failed (one line said why), 2 wrong usage.
 */
#include "lab/ask.h"
#include "lab/card.h"
#include "lab/control.h"
#include "lab/emul.h"
#include "lab/facility.h"
#include "lab/lan.h"
#include "lab/show.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define IPL_MS 20000
#define WAIT_MS 30000
#define SYSTEM_LINE_MAX 126 /* of an operator command, as MVS has it */
#define READY_TEXT "EZAIN11I"
#define DEVICE_TEXT "EZZ4313I"
#define FENCED_TEXT "PLX805E"
#define DEVICE_MS 5000
#define SIGNAL_MS 5000 /* until a process that is killed, frozen or thawed is so */

struct lab {
    struct places at;
    const char *configs; /* folder of configs/; PLEX390_CONFIGS replaces the project's own */
    struct plex plex;
    const char *name; /* of the plex */
    char dir[RUN_DIR_MAX];
};

static int usage(void) {
    fputs("usage: plex390 up|down [NAME] | status [--json] [--guests] | console SYS | cmd SYS 'COMMAND' | ipl|kill|freeze|thaw NAME\n"
          "       | cut|heal CARD | cut|heal CF SYS | card NAME COMMAND | capture [CARD] [-w FILE] [FILTER] | client CMD... | url SYS[:PORT]\n"
          "       | panel [PLEX] | demo | test | bench          (-p PLEX before the command chooses a plex)\n",
          stderr);
    return 2;
}

static bool load(struct lab *l, bool create) {
    return plex_load(&l->plex, l->configs, l->name) && run_dir(l->plex.name, create, l->dir);
}

/* ---- up and down ---- */

static void end_one(const char *dir, const char *name, void *ctx) {
    (void)ctx;
    proc_end(dir, name, 500);
}

static void end_plex(struct lab *l) {
    for (int i = 0; i < l->plex.systems; i++) emul_stop(l->dir, l->plex.system[i].name);
    for (int i = 0; i < l->plex.cards; i++) proc_end(l->dir, l->plex.card[i].name, 1000);
    for (int i = 0; i < l->plex.cfs; i++) proc_end(l->dir, l->plex.cf[i].name, 1000);
    proc_end(l->dir, "lan", 200);
    proc_each(l->dir, end_one, NULL); /* what an older configuration left */
}

struct survey {
    int alive, stale;
};

static void survey_one(const char *dir, const char *name, void *ctx) {
    struct survey *s = ctx;
    if (proc_find(dir, name, NULL))
        s->alive++;
    else
        s->stale++;
}

static int lock_plex(const struct lab *l) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/lock", l->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    fprintf(stderr, "plex390: another plex390 is working on %s\n", l->name);
    return -1;
}

/* All LPARs live: nothing to do. Some live: what is left of a killed run, ended first. */
static bool clear_leftovers(struct lab *l, bool *running) {
    struct survey s = {0, 0};
    int up = 0;
    proc_each(l->dir, survey_one, &s);
    for (int i = 0; i < l->plex.systems; i++) up += proc_find(l->dir, l->plex.system[i].name, NULL) != 0;
    *running = up == l->plex.systems;
    if (*running || s.alive + s.stale == 0) return true;
    printf("cleaning up after an earlier run: %d processes still live\n", s.alive);
    end_plex(l);
    return true;
}

static bool start_parts(struct lab *l) {
    enum lan_mode mode = lan_create(l->dir, &l->plex);
    if (mode == LAN_NONE) return false;
    for (int i = 0; i < l->plex.cfs; i++)
        if (!facility_start(&l->at, &l->plex.cf[i], l->dir)) return false;
    for (int i = 0; i < l->plex.cards; i++)
        if (!card_start(&l->at, &l->plex, i, l->dir)) return false;
    if (!emul_volume(&l->at, &l->plex, l->dir)) return false;
    for (int i = 0; i < l->plex.systems; i++)
        if (!emul_start(&l->at, &l->plex, &l->plex.system[i], l->dir)) return false;
    return true;
}

/* TCP/IP and then every OSA of the system; a profile may leave one out, so that is only waited for. */
static bool system_ready(const struct lab *l, const struct plex_system *s, long from, char *line, size_t cap) {
    if (!emul_wait(l->dir, s->name, READY_TEXT, from, IPL_MS, line, cap)) return false;
    long long end = now_ms() + DEVICE_MS;
    while (emul_count(l->dir, s->name, DEVICE_TEXT, from) < s->attaches && now_ms() < end) sleep_ms(10);
    return true;
}

static bool wait_ready(struct lab *l, long long start) {
    char line[256];
    bool ok = true;
    for (int i = 0; i < l->plex.systems; i++) {
        const struct plex_system *s = &l->plex.system[i];
        if (system_ready(l, s, 0, line, sizeof line)) {
            printf("%s  %s (%.2f s)\n", s->name, line, (double)(now_ms() - start) / 1000);
            continue;
        }
        fprintf(stderr, "plex390: %s is not ready; its console is in %s/%s.log\n", s->name, l->dir, s->name);
        ok = false;
    }
    return ok;
}

static int cmd_up(struct lab *l, int argc, char **argv) {
    bool running;
    if (argc > 1) l->name = argv[1];
    if (argc > 2) return usage();
    if (!load(l, true)) return 1;
    int lock = lock_plex(l);
    if (lock < 0) return 1;
    long long start = now_ms();
    if (!clear_leftovers(l, &running)) return 1;
    if (running) {
        printf("%s is up\n", l->name);
        return 0;
    }
    if (!start_parts(l)) {
        end_plex(l);
        return 1;
    }
    return wait_ready(l, start) ? 0 : 1;
}

static int cmd_down(struct lab *l, int argc, char **argv) {
    if (argc > 1) l->name = argv[1];
    if (argc > 2) return usage();
    if (!plex_load(&l->plex, l->configs, l->name)) return 1;
    if (!run_dir(l->plex.name, true, l->dir)) return 1;
    int lock = lock_plex(l);
    if (lock < 0) return 1;
    end_plex(l);
    printf("%s is down\n", l->name);
    return 0;
}

/* ---- showing ---- */

static int cmd_status(struct lab *l, int argc, char **argv) {
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    bool guests = argc > 1 + json && strcmp(argv[1 + json], "--guests") == 0;
    if (argc > 1 + json + guests) return usage();
    if (!load(l, true)) return 1;
    return show_status(&l->plex, l->dir, json, guests) ? 0 : 1;
}

/* Copies console lines of the log from offset at until end of file; returns the new offset. */
static long show_log(const struct lab *l, const char *system, long at) {
    char path[PATH_MAX], line[1024];
    snprintf(path, sizeof path, "%s/%s.log", l->dir, system);
    FILE *f = fopen(path, "r");
    if (!f) return at;
    fseek(f, at, SEEK_SET);
    while (fgets(line, sizeof line, f) && strchr(line, '\n')) {
        const char *seen = emul_console_line(line);
        if (seen) fputs(seen, stdout);
        at = ftell(f);
    }
    fclose(f);
    fflush(stdout);
    return at;
}

static int cmd_console(struct lab *l, int argc, char **argv) {
    char line[256];
    if (argc != 2) return usage();
    if (!load(l, false)) return 1;
    const struct plex_system *s = plex_system(&l->plex, argv[1]);
    if (!s || !proc_find(l->dir, s->name, NULL)) {
        fprintf(stderr, "plex390: %s is not running\n", argv[1]);
        return 1;
    }
    long at = show_log(l, s->name, 0);
    struct pollfd in = {.fd = 0, .events = POLLIN};
    while (proc_find(l->dir, s->name, NULL)) {
        if (poll(&in, 1, 50) > 0) {
            if (!fgets(line, sizeof line, stdin)) break;
            char text[260];
            snprintf(text, sizeof text, "/%.*s", (int)strcspn(line, "\n"), line);
            if (!emul_command(l->dir, s->name, text)) return 1;
        }
        at = show_log(l, s->name, at);
    }
    return 0;
}

/* A command and its answer; with -w the answer goes on until a line contains the text (PING, START: they end later). */
static int cmd_cmd(struct lab *l, int argc, char **argv) {
    const char *until = NULL;
    char mark[64];
    if (argc == 5 && strcmp(argv[1], "-w") == 0) {
        until = argv[2];
        argv += 2;
        argc -= 2;
    }
    if (argc != 3 || strlen(argv[2]) > SYSTEM_LINE_MAX) return usage();
    if (!load(l, false)) return 1;
    const struct plex_system *s = plex_system(&l->plex, argv[1]);
    if (!s) {
        fprintf(stderr, "plex390: %s is no system of %s\n", argv[1], l->name);
        return 1;
    }
    long from = emul_log_size(l->dir, s->name);
    bool ok = ask_operator(l->dir, s->name, argv[2], from, mark, sizeof mark);
    if (ok && until && !emul_wait(l->dir, s->name, until, from, WAIT_MS, NULL, 0)) {
        fprintf(stderr, "plex390: no line with '%s' came in %d s\n", until, WAIT_MS / 1000);
        ok = false;
    }
    show_answer(l->dir, s->name, from, mark, until);
    return ok ? 0 : 1;
}

/* ---- drills ---- */

static int card_index(const struct lab *l, const char *name) {
    const struct plex_card *c = plex_card(&l->plex, name);
    return c ? (int)(c - l->plex.card) : -1;
}

static bool ipl_one(struct lab *l, const char *name) {
    const struct plex_system *s = plex_system(&l->plex, name);
    const struct plex_cf *f = plex_cf(&l->plex, name);
    int card = card_index(l, name);
    if (f) return proc_find(l->dir, f->name, NULL) || facility_start(&l->at, f, l->dir);
    if (card >= 0) {
        if (proc_find(l->dir, name, NULL)) return true;
        return card_start(&l->at, &l->plex, card, l->dir);
    }
    long from = emul_log_size(l->dir, s->name);
    /* An isolated emulator is let in nowhere any more: the LPAR is activated anew, which gives it another incarnation. */
    if (proc_find(l->dir, s->name, NULL) && emul_count(l->dir, s->name, FENCED_TEXT, 0) > 0) emul_stop(l->dir, s->name);
    if (proc_find(l->dir, s->name, NULL)) {
        if (!emul_ipl(s, l->dir)) return false;
    } else {
        from = 0;
        if (!emul_start(&l->at, &l->plex, s, l->dir)) return false;
    }
    return system_ready(l, s, from, NULL, 0);
}

/* The name of a card or facility as its files have it, or NULL. */
static const char *has_control(const struct lab *l, const char *name) {
    const struct plex_card *c = plex_card(&l->plex, name);
    const struct plex_cf *f = plex_cf(&l->plex, name);
    return c ? c->name : f ? f->name : NULL;
}

/* kill, freeze, thaw: done when the process is what it was told to be. */
static int signal_one(const struct lab *l, const char *verb, const char *name) {
    static const struct {
        const char *verb, *state;
        int signo;
        enum proc_state then;
    } kinds[] = {{"kill", "gone", SIGKILL, PROC_ABSENT}, {"freeze", "frozen", SIGSTOP, PROC_FROZEN}, {"thaw", "thawed", SIGCONT, PROC_RUNNING}};
    size_t k = 0;
    while (strcmp(verb, kinds[k].verb) != 0) k++;
    if (!proc_signal(l->dir, name, kinds[k].signo)) {
        fprintf(stderr, "plex390: %s is not running\n", name);
        return 1;
    }
    if (proc_wait(l->dir, name, kinds[k].then, SIGNAL_MS)) return 0;
    fprintf(stderr, "plex390: %s is not %s after %d s\n", name, kinds[k].state, SIGNAL_MS / 1000);
    return 1;
}

static int cmd_drill(struct lab *l, int argc, char **argv) {
    if (argc != 2) return usage();
    if (!load(l, false)) return 1;
    const struct plex_system *s = plex_system(&l->plex, argv[1]);
    const char *name = s ? s->name : has_control(l, argv[1]);
    if (!name) {
        fprintf(stderr, "plex390: %s is no system, card or facility of %s\n", argv[1], l->name);
        return 1;
    }
    if (strcmp(argv[0], "ipl") == 0) return ipl_one(l, name) ? 0 : 1;
    return signal_one(l, argv[0], name);
}

static int tell(const struct lab *l, const char *name, const char *command) {
    static char answer[1 << 20];
    bool ok = control_ask(l->dir, name, command, answer, sizeof answer);
    if (!ok)
        fprintf(stderr, "plex390: %s\n", answer[0] ? answer : "it gave no answer");
    else if (strcmp(answer, "ok") != 0)
        puts(answer);
    return ok ? 0 : 1;
}

static int cmd_cable(struct lab *l, int argc, char **argv) {
    char command[64];
    if (argc != 2 && argc != 3) return usage();
    if (!load(l, false)) return 1;
    const char *name = argc == 2 && plex_cf(&l->plex, argv[1]) ? NULL : has_control(l, argv[1]);
    if (!name) {
        fprintf(stderr, "plex390: %s is no card of %s, and no coupling facility with a system behind it\n", argv[1], l->name);
        return 1;
    }
    snprintf(command, sizeof command, "cable %s %s", strcmp(argv[0], "cut") == 0 ? "pull" : "plug", argc == 3 ? argv[2] : "");
    return tell(l, name, command);
}

/* argv joined by blanks; false if it does not fit. */
static bool join_words(char *out, size_t cap, int argc, char **argv) {
    size_t n = 0;
    for (int i = 0; i < argc && n < cap; i++) n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? " " : "", argv[i]);
    if (argc == 0) out[0] = 0;
    return n < cap;
}

static int cmd_card(struct lab *l, int argc, char **argv) {
    char command[900];
    if (argc < 3 || !join_words(command, sizeof command, argc - 2, argv + 2)) return usage();
    if (!load(l, false)) return 1;
    const char *name = has_control(l, argv[1]);
    if (!name) {
        fprintf(stderr, "plex390: %s is no card or facility of %s\n", argv[1], l->name);
        return 1;
    }
    return tell(l, name, command);
}

/* ---- traffic ---- */

static volatile sig_atomic_t interrupted;
static void on_signal(int signo) {
    (void)signo;
    interrupted = 1;
}

/* The card writes into a FIFO; we copy it out until ^C or until the reader has gone. */
static int stream_capture(const struct lab *l, const char *card, const char *filter, int out) {
    char fifo[RUN_DIR_MAX + 32], command[1024], answer[1024], block[65536];
    snprintf(fifo, sizeof fifo, "%s/capture-%d", l->dir, (int)getpid());
    if (mkfifo(fifo, 0600) != 0) return 1;
    int in = open(fifo, O_RDWR | O_CLOEXEC); /* both ways: no end of file while the card reopens */
    snprintf(command, sizeof command, "capture start %s %s", fifo, filter);
    bool ok = in >= 0 && control_ask(l->dir, card, command, answer, sizeof answer);
    if (!ok) fprintf(stderr, "plex390: %s\n", answer);
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGPIPE, &sa, NULL);
    while (ok && !interrupted) {
        ssize_t n = read(in, block, sizeof block);
        if (n > 0 && write(out, block, (size_t)n) != n) break;
        if (n < 0 && errno != EINTR) break;
    }
    if (ok) control_ask(l->dir, card, "capture stop", answer, sizeof answer);
    if (in >= 0) close(in);
    unlink(fifo);
    return ok ? 0 : 1;
}

static int cmd_capture(struct lab *l, int argc, char **argv) {
    char filter[800] = "";
    const char *file = NULL;
    if (!load(l, false)) return 1;
    if (l->plex.cards == 0) return fputs("plex390: this plex has no card\n", stderr), 1;
    const struct plex_card *c = &l->plex.card[0];
    int i = 1;
    if (i < argc && plex_card(&l->plex, argv[i])) c = plex_card(&l->plex, argv[i++]);
    if (i + 1 < argc && strcmp(argv[i], "-w") == 0) {
        file = argv[i + 1];
        i += 2;
    }
    if (!join_words(filter, sizeof filter, argc - i, argv + i)) return usage();
    if (!file && isatty(1)) {
        fputs("plex390: pcapng goes to standard output; pipe it: plex390 capture | wireshark -k -i -\n", stderr);
        return 2;
    }
    int out = file ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : 1;
    if (out < 0) {
        fprintf(stderr, "plex390: %s: %s\n", file, strerror(errno));
        return 1;
    }
    return stream_capture(l, c->name, filter, out);
}

static int cmd_client(struct lab *l, int argc, char **argv) {
    pid_t holder;
    if (argc < 2) return usage();
    if (!load(l, false)) return 1;
    enum lan_mode mode = lan_find(l->dir, &holder);
    if (mode == LAN_NONE) {
        fprintf(stderr, "plex390: %s is not up\n", l->name);
        return 1;
    }
    if (mode == LAN_SLIRP)
        fprintf(stderr, "plex390: slirp here: the command runs on this host; 'plex390 url SYS' has the forwarded address\n");
    else if (!ns_join(holder))
        return 1;
    execvp(argv[1], argv + 1);
    fprintf(stderr, "plex390: %s: %s\n", argv[1], strerror(errno));
    return 127;
}

static int cmd_url(struct lab *l, int argc, char **argv) {
    char name[16], text[128];
    int port = 80;
    pid_t holder;
    if (argc != 2 || sscanf(argv[1], "%8[^:]:%d", name, &port) < 1) return usage();
    if (!load(l, false)) return 1;
    const struct plex_system *s = plex_system(&l->plex, name);
    if (!s) {
        fprintf(stderr, "plex390: %s is no system of %s\n", name, l->name);
        return 1;
    }
    enum lan_mode mode = lan_find(l->dir, &holder);
    if (!show_address(&l->plex, s, mode == LAN_SLIRP, port, text, sizeof text)) return 1;
    printf("http://%s/\n", text);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(struct lab *l, int argc, char **argv);
} COMMANDS[] = {
    {"up", cmd_up},         {"down", cmd_down},   {"status", cmd_status}, {"console", cmd_console},
    {"cmd", cmd_cmd},       {"ipl", cmd_drill},   {"kill", cmd_drill},    {"freeze", cmd_drill},
    {"thaw", cmd_drill},    {"cut", cmd_cable},   {"heal", cmd_cable},    {"card", cmd_card},
    {"capture", cmd_capture}, {"client", cmd_client}, {"url", cmd_url},
};

/* The shell script that hands over to us says where the project is. */
static bool find_places(struct lab *l, char build[PATH_MAX], char configs[PATH_MAX]) {
    char root[PATH_MAX];
    /* Links in the run directory point to what is built: its path must be absolute. */
    if (!realpath(getenv("PLEX390_ROOT") ? getenv("PLEX390_ROOT") : ".", root)) return false;
    if (snprintf(build, PATH_MAX, "%s/build", root) >= PATH_MAX) return false;
    if (snprintf(configs, PATH_MAX, "%s/configs", root) >= PATH_MAX) return false;
    l->at.build = build;
    l->configs = getenv("PLEX390_CONFIGS") ? getenv("PLEX390_CONFIGS") : configs;
    return true;
}

int main(int argc, char **argv) {
    static struct lab l;
    static char build[PATH_MAX], configs[PATH_MAX];
    l.name = getenv("PLEX390_PLEX") ? getenv("PLEX390_PLEX") : "ONE";
    if (!find_places(&l, build, configs)) return 1;
    if (argc > 3 && strcmp(argv[1], "-p") == 0) {
        l.name = argv[2];
        argv += 2;
        argc -= 2;
    }
    if (argc < 2) return usage();
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++)
        if (strcmp(argv[1], COMMANDS[i].name) == 0) return COMMANDS[i].run(&l, argc - 1, argv + 1);
    fprintf(stderr, "plex390: no command '%s'\n", argv[1]);
    return usage();
}
