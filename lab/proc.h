/* proc.h - the processes of a running plex: started detached, found again, ended by pid and by nothing else.
 *
 * Each has a file NAME.pid in the plex's run directory: "pid start-time" (field 22 of /proc/PID/stat), so a
 * number that the kernel gave to somebody else since then is never taken for ours. Output goes to NAME.log.
 * Run directory: /tmp/plex390-UID/PLEX (PLEX390_RUN replaces the first part; socket paths are short), mode 0700, owned by the user; refused if it is anything else.
 */
#ifndef LAB_PROC_H
#define LAB_PROC_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define RUN_DIR_MAX 48

struct spawn {
    const char *name;         /* NAME.pid, NAME.log */
    const char *const *argv;  /* argv[0] is the program, looked for in PATH */
    const char *stdin_path;   /* a FIFO that the process keeps open both ways, or NULL = /dev/null */
    const char *const *env;   /* "NAME=value" to add, NULL-terminated, or NULL */
    pid_t join;               /* enter this process's user and network namespaces first; 0 = stay */
};

enum proc_state { PROC_ABSENT, PROC_RUNNING, PROC_FROZEN };

/* Path of the run directory of a plex into out; made if create. false after a message. */
bool run_dir(const char *plex, bool create, char out[RUN_DIR_MAX]);
/* pid, or -1 after a message. */
pid_t proc_spawn(const char *dir, const struct spawn *s);
bool proc_record(const char *dir, const char *name, pid_t pid);
/* pid of the process NAME if it lives, else 0; state may be NULL. */
pid_t proc_find(const char *dir, const char *name, enum proc_state *state);
/* Sends a signal to NAME; false if there is no such process. */
bool proc_signal(const char *dir, const char *name, int signo);
/* Ends NAME: SIGCONT, SIGTERM, after grace_ms SIGKILL; waits until it is gone and removes its pid file. */
void proc_end(const char *dir, const char *name, int grace_ms);
/* Waits up to ms for NAME to be wanted; false if it is not by then, or is gone. A signal is only sent when kill() returns: a process
 * stops when its first thread returns from the kernel, which takes a while on a loaded machine. */
bool proc_wait(const char *dir, const char *name, enum proc_state wanted, int ms);
/* Enters the namespaces of pid for good. false after a message. */
bool ns_join(pid_t pid);
/* Runs argv and waits; exit status, 127 if it can't run. Output goes to our own unless quiet. */
int proc_run(const char *const *argv, bool quiet);
/* Ids of all NAME.pid files in dir, newest first; calls fn for each name. */
void proc_each(const char *dir, void (*fn)(const char *dir, const char *name, void *ctx), void *ctx);
long long now_ms(void);
void sleep_ms(int ms);

#endif
