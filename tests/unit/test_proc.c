/* test_proc.c - the processes of a plex: found by pid and start time, and waited for until they are what a signal makes of them. */
#include "lab/proc.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME "ONE"

static char dir[] = "/tmp/test_proc.XXXXXX";
static pid_t child;

static int set_up(void **state) {
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    return rmdir(dir);
}

/* A process that does what it is given, recorded as NAME. */
static void begin(void (*does)(void)) {
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(20);
        does();
        _exit(0);
    }
    assert_true(proc_record(dir, NAME, child));
}

/* Reaped after it is gone: a zombie is gone for those who ask. */
static void end(void) {
    proc_end(dir, NAME, 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(proc_find(dir, NAME, NULL), 0);
}

static void waits(void) {
    for (;;) pause();
}

/* While its vfork child lives, the kernel keeps it where no SIGSTOP takes effect: until a byte comes through `leave`. */
static int there[2], leave[2];

static void is_in_the_kernel(void) {
    char byte = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    if (vfork() == 0) _exit(write(there[1], &byte, 1) == 1 && read(leave[0], &byte, 1) == 1 ? 0 : 1);
#pragma GCC diagnostic pop
    waits();
}

static void is(enum proc_state wanted) {
    enum proc_state now;
    assert_int_equal(proc_find(dir, NAME, &now), wanted == PROC_ABSENT ? 0 : child);
    assert_int_equal(now, wanted);
}

static void frozen_thawed_and_gone(void **state) {
    (void)state;
    begin(waits);
    is(PROC_RUNNING);
    assert_true(proc_signal(dir, NAME, SIGSTOP));
    assert_true(proc_wait(dir, NAME, PROC_FROZEN, 5000));
    is(PROC_FROZEN);
    assert_true(proc_signal(dir, NAME, SIGCONT));
    assert_true(proc_wait(dir, NAME, PROC_RUNNING, 5000));
    is(PROC_RUNNING);
    assert_true(proc_signal(dir, NAME, SIGKILL));
    assert_true(proc_wait(dir, NAME, PROC_ABSENT, 5000));
    is(PROC_ABSENT);
    assert_false(proc_signal(dir, NAME, SIGSTOP));
    end();
}

static void one_that_stops_late_is_waited_for(void **state) {
    (void)state;
    char byte = 0;
    assert_int_equal(pipe(there), 0);
    assert_int_equal(pipe(leave), 0);
    begin(is_in_the_kernel);
    assert_int_equal(read(there[0], &byte, 1), 1);
    assert_true(proc_signal(dir, NAME, SIGSTOP));
    assert_false(proc_wait(dir, NAME, PROC_FROZEN, 50));
    is(PROC_RUNNING);
    assert_int_equal(write(leave[1], &byte, 1), 1);
    assert_true(proc_wait(dir, NAME, PROC_FROZEN, 5000));
    end();
    for (int i = 0; i < 2; i++) assert_int_equal(close(there[i]) | close(leave[i]), 0);
}

static void one_that_does_not_stop_is_told(void **state) {
    (void)state;
    begin(waits);
    long long before = now_ms();
    assert_false(proc_wait(dir, NAME, PROC_FROZEN, 30));
    assert_true(now_ms() - before >= 30);
    /* And nobody waits for one that is gone. */
    assert_true(proc_signal(dir, NAME, SIGKILL));
    assert_true(proc_wait(dir, NAME, PROC_ABSENT, 5000));
    assert_false(proc_wait(dir, NAME, PROC_FROZEN, 60000));
    end();
}

/* Its number belongs to another by now. */
static void another_of_its_number_is_not_found(void **state) {
    (void)state;
    char path[64];
    begin(waits);
    snprintf(path, sizeof path, "%s/" NAME ".pid", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "%d 1\n", (int)child);
    fclose(f);
    assert_int_equal(proc_find(dir, NAME, NULL), 0);
    assert_false(proc_signal(dir, NAME, SIGKILL));
    assert_int_equal(kill(child, 0), 0);
    kill(child, SIGKILL);
    end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frozen_thawed_and_gone),
        cmocka_unit_test(one_that_stops_late_is_waited_for),
        cmocka_unit_test(one_that_does_not_stop_is_told),
        cmocka_unit_test(another_of_its_number_is_not_found),
    };
    return cmocka_run_group_tests_name("proc", tests, set_up, tear_down);
}
