/* panel_job.c - runs of the operator's command for the panel. See panel_job.h. */
#include "lab/panel_job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 15
#define ROOM      65536

static void child(const char *program, const char *const *words, int in, int out) {
    const char *argv[WORDS_MAX + 2] = {program};
    for (int i = 0; i < WORDS_MAX && words[i]; i++) argv[i + 1] = words[i];
    dup2(in, 0);
    dup2(out, 1);
    dup2(out, 2);
    execv(program, (char *const *)(void *)argv);
    _exit(127);
}

bool job_start(struct job *j, const char *program, const char *const *words, bool with_input) {
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    j->have = 0;
    j->whole = false;
    j->in = j->out = -1;
    bool piped = pipe2(out, O_CLOEXEC) == 0;
    if (piped && with_input) piped = pipe2(in, O_CLOEXEC) == 0;
    if (piped && !with_input) piped = (in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;
    j->pid = piped ? fork() : -1;
    if (j->pid == 0) child(program, words, in[0], out[1]);
    if (in[0] >= 0) close(in[0]);
    if (out[1] >= 0) close(out[1]);
    j->in = in[1];
    j->out = out[0];
    if (j->pid > 0) return fcntl(j->out, F_SETFL, O_NONBLOCK) == 0;
    j->pid = 0;
    job_end(j);
    return false;
}

bool job_read(struct job *j) {
    for (;;) {
        if (j->cap - j->have < ROOM / 2) {
            char *more = realloc(j->text, j->cap + ROOM);
            if (!more) return true;
            j->text = more;
            j->cap += ROOM;
        }
        ssize_t n = read(j->out, j->text + j->have, j->cap - j->have - 1);
        if (n <= 0) return j->whole = n == 0 || (errno != EAGAIN && errno != EINTR);
        j->have += (size_t)n;
        j->text[j->have] = '\0';
    }
}

void job_drop(struct job *j, size_t n) {
    memmove(j->text, j->text + n, j->have - n + 1);
    j->have -= n;
}

void job_end(struct job *j) {
    int status = 0;
    if (j->in >= 0) close(j->in);
    if (j->out >= 0) close(j->out);
    j->in = j->out = -1;
    if (j->pid > 0) {
        /* What has closed its output ends by itself; else it is a console, or was given up. */
        if (!j->whole) kill(j->pid, SIGTERM);
        while (waitpid(j->pid, &status, 0) < 0 && errno == EINTR) continue;
        j->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    j->pid = 0;
}
