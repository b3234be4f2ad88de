/* guard: a temp folder and a process that looks after it. The test's own process may end in any way
 * (an assertion, a signal, a time limit): the guard sees it, stops whatever was started for the
 * folder, prints the logs in it when the test has failed, and removes the folder when it has not.
 * Knows: processes.  Must not know: daemons, Redis. */
#ifndef TESTS_LIB_GUARD_H
#define TESTS_LIB_GUARD_H

#include <sys/types.h>

struct guard {
    char dir[64]; /* its path is part of the command line of all that is started for it */
    int fd;
    pid_t pid;
};

void guard_start(struct guard *guard);
/* The test has passed: everything is stopped and the folder gone when this returns. */
void guard_end(struct guard *guard);

/* Runs a program whose output goes to `log`; it dies with the test. environment: "NAME=value" that
 * are added, ended by NULL. Fails the test when there is no such program. */
pid_t guard_run(const char *log, char *const *argv, char *const *environment);
/* Waits for its end: the exit status, or 256 and the signal. */
int guard_wait(pid_t pid);
/* Has it ended? Then *status is as of guard_wait(). */
int guard_has_ended(pid_t pid, int *status);

#endif
