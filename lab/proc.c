/* proc.c - starts, finds and ends the processes of a plex. See proc.h. */
#include "lab/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

long long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sleep_ms(int ms) { nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL); }

/* A directory that is ours alone; anything else in its place is refused, never repaired. */
static bool private_dir(const char *path, bool create) {
    struct stat st;
    if (create && mkdir(path, 0700) != 0 && errno != EEXIST) {
        fprintf(stderr, "plex390: %s: %s\n", path, strerror(errno));
        return false;
    }
    if (lstat(path, &st) != 0) return false;
    if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0) return true;
    fprintf(stderr, "plex390: %s: expected a directory of mode 0700 that belongs to you\n", path);
    return false;
}

bool run_dir(const char *plex, bool create, char out[RUN_DIR_MAX]) {
    const char *base = getenv("PLEX390_RUN");
    int len = base ? snprintf(out, RUN_DIR_MAX, "%s", base) : snprintf(out, RUN_DIR_MAX, "/tmp/plex390-%u", (unsigned)geteuid());
    if (len > RUN_DIR_MAX - 10) {
        fprintf(stderr, "plex390: PLEX390_RUN: expected a path of at most %d characters\n", RUN_DIR_MAX - 10);
        return false;
    }
    if (!private_dir(out, create)) return false;
    size_t n = strlen(out);
    snprintf(out + n, RUN_DIR_MAX - n, "/%.8s", plex);
    return private_dir(out, create);
}

/* State letter and start time of a process from /proc; 0 if it is gone. */
static unsigned long long start_time(pid_t pid, char *state) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    /* The command's name may hold blanks and parentheses: fields count from the last ')'. */
    const char *p = strrchr(text, ')');
    unsigned long long start = 0;
    char letter = 'Z';
    if (!p || sscanf(p + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &letter,
                     &start) != 2)
        return 0;
    if (state) *state = letter;
    return letter == 'Z' || letter == 'X' ? 0 : start;
}

static void file_path(char out[PATH_MAX], const char *dir, const char *name, const char *suffix) {
    snprintf(out, PATH_MAX, "%s/%s%s", dir, name, suffix);
}

bool proc_record(const char *dir, const char *name, pid_t pid) {
    char path[PATH_MAX];
    file_path(path, dir, name, ".pid");
    FILE *f = fopen(path, "w");
    if (!f) return false;
    fprintf(f, "%d %llu\n", (int)pid, start_time(pid, NULL));
    return fclose(f) == 0;
}

pid_t proc_find(const char *dir, const char *name, enum proc_state *state) {
    char path[PATH_MAX], letter = 0;
    int pid = 0;
    unsigned long long recorded = 0;
    if (state) *state = PROC_ABSENT;
    file_path(path, dir, name, ".pid");
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    int n = fscanf(f, "%d %llu", &pid, &recorded);
    fclose(f);
    if (n != 2 || pid <= 1 || recorded == 0 || start_time(pid, &letter) != recorded) return 0;
    if (state) *state = letter == 'T' ? PROC_FROZEN : PROC_RUNNING;
    return pid;
}

bool proc_signal(const char *dir, const char *name, int signo) {
    pid_t pid = proc_find(dir, name, NULL);
    return pid > 0 && kill(pid, signo) == 0;
}

bool proc_wait(const char *dir, const char *name, enum proc_state wanted, int ms) {
    long long end = now_ms() + ms;
    enum proc_state state;
    while (proc_find(dir, name, &state), state != wanted) {
        if (state == PROC_ABSENT || now_ms() > end) return false;
        sleep_ms(5);
    }
    return true;
}

void proc_end(const char *dir, const char *name, int grace_ms) {
    char path[PATH_MAX];
    if (grace_ms > 0) {
        proc_signal(dir, name, SIGCONT);
        proc_signal(dir, name, SIGTERM);
    }
    if (!proc_wait(dir, name, PROC_ABSENT, grace_ms)) {
        proc_signal(dir, name, SIGKILL);
        proc_wait(dir, name, PROC_ABSENT, 5000);
    }
    file_path(path, dir, name, ".pid");
    unlink(path);
}

bool ns_join(pid_t pid) {
    static const struct {
        const char *name;
        int type;
    } kinds[] = {{"user", CLONE_NEWUSER}, {"net", CLONE_NEWNET}};
    for (size_t i = 0; i < 2; i++) {
        char path[64], own[64], a[64] = "", b[64] = "";
        snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, kinds[i].name);
        snprintf(own, sizeof own, "/proc/self/ns/%s", kinds[i].name);
        /* Root's plex has no user namespace of its own: joining the one we are in is an error. */
        if (readlink(path, a, sizeof a - 1) > 0 && readlink(own, b, sizeof b - 1) > 0 && strcmp(a, b) == 0) continue;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, kinds[i].type) != 0) {
            fprintf(stderr, "plex390: the plex's LAN namespace (%s): %s\n", path, strerror(errno));
            if (fd >= 0) close(fd);
            return false;
        }
        close(fd);
    }
    return true;
}

/* In the grandchild: descriptors, namespaces, exec. Never returns. */
static _Noreturn void become(const struct spawn *s, const char *log_path) {
    setsid();
    int in = open(s->stdin_path ? s->stdin_path : "/dev/null", O_RDWR);
    int out = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(126);
    closefrom(3);
    if (s->join && !ns_join(s->join)) _exit(126);
    for (size_t i = 0; s->env && s->env[i]; i++) putenv((char *)(uintptr_t)s->env[i]);
    signal(SIGPIPE, SIG_DFL);
    execvp(s->argv[0], (char *const *)(uintptr_t)s->argv);
    fprintf(stderr, "%s: %s\n", s->argv[0], strerror(errno));
    _exit(127);
}

pid_t proc_spawn(const char *dir, const struct spawn *s) {
    char log_path[PATH_MAX];
    int fds[2];
    pid_t pid = -1;
    file_path(log_path, dir, s->name, ".log");
    if (pipe2(fds, O_CLOEXEC) != 0) return -1;
    pid_t child = fork();
    if (child == 0) {
        /* Two forks: the process belongs to nobody, and its pid comes back through the pipe. */
        pid_t grandchild = fork();
        if (grandchild == 0) become(s, log_path);
        if (write(fds[1], &grandchild, sizeof grandchild) != sizeof grandchild) _exit(1);
        _exit(0);
    }
    close(fds[1]);
    if (child > 0) waitpid(child, NULL, 0);
    if (read(fds[0], &pid, sizeof pid) != sizeof pid) pid = -1;
    close(fds[0]);
    if (pid <= 0 || !proc_record(dir, s->name, pid)) {
        fprintf(stderr, "plex390: %s could not be started: %s\n", s->name, strerror(errno));
        return -1;
    }
    return pid;
}

int proc_run(const char *const *argv, bool quiet) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        int null = quiet ? open("/dev/null", O_RDWR) : -1;
        if (null >= 0) {
            dup2(null, 1);
            dup2(null, 2);
        }
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void proc_each(const char *dir, void (*fn)(const char *, const char *, void *), void *ctx) {
    DIR *d = opendir(dir);
    if (!d) return;
    for (struct dirent *e; (e = readdir(d));) {
        char name[64];
        size_t n = strlen(e->d_name);
        if (n < 5 || n - 4 >= sizeof name || strcmp(e->d_name + n - 4, ".pid") != 0) continue;
        snprintf(name, sizeof name, "%.*s", (int)(n - 4), e->d_name);
        fn(dir, name, ctx);
    }
    closedir(d);
}
