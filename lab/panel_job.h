/* panel_job.h - what the panel has others do: a run of build/plex390 with its output on a pipe, never waited for.
 *
 *   job_start -> job_read, each round, until it says the run is over -> job_end
 */
#ifndef LAB_PANEL_JOB_H
#define LAB_PANEL_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct job {
    pid_t pid;   /* 0 = none */
    int in, out; /* its standard input, -1 = /dev/null; its output and messages */
    bool whole;  /* it has closed its output */
    size_t have, cap;
    char *text; /* what it wrote so far, with a NUL behind it; kept by job_end for the next run */
    int status; /* exit status, when it is over */
};

/* program with these words, up to 15, as its arguments. false: it could not be started. */
bool job_start(struct job *j, const char *program, const char *const *words, bool with_input);
/* Takes what has come; true when nothing more will. */
bool job_read(struct job *j);
/* The first n bytes of what came are done with. */
void job_drop(struct job *j, size_t n);
/* Gathers the process; one that still runs is ended first. */
void job_end(struct job *j);

#endif
