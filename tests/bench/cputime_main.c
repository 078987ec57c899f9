/* cputime_main.c - cputime PID...: nanoseconds of processor time that each process has used since it began, one line each; 0 for one that is gone.
 *
 * The clock of a process (clock_getcpuclockid(3)): to the nanosecond, and with its threads that have ended. utime and stime of /proc/PID/stat are counted
 * in clock ticks: a thread that wakes in step with the tick, as an emulator's timer thread does, is charged up to three times what it used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        clockid_t clock;
        struct timespec t = {0};
        if (clock_getcpuclockid((pid_t)atoi(argv[i]), &clock) != 0 || clock_gettime(clock, &t) != 0) t = (struct timespec){0};
        printf("%lld\n", (long long)t.tv_sec * 1000000000 + t.tv_nsec);
    }
    return 0;
}
