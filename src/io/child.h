/* child: runs a program: no shell, own process group, its end told once. Works for a process that
 * is not our child as well (adopted): the end is seen through a pidfd.
 * Knows: processes, libevent.  Must not know: what the program is for. */
#ifndef IO_CHILD_H
#define IO_CHILD_H

#include "base/err.h"
#include <event2/event.h>
#include <sys/types.h>

struct child;

/* status: as from waitpid(), or -1 for an adopted process. Called once, never before the starting
 * call has returned. The child may be freed in it, and is to be freed after it. */
typedef void (*child_ended)(void *arg, int status);

struct child_spec {
    const char *const *argv; /* argv[0]: the program, searched in PATH when without a slash */
    const char *workdir;     /* NULL: ours */
    int output_fd;           /* stdout and stderr go there; -1: ours */
    int inherited_fd;        /* stays open in the child, as descriptor 3 (a lock); -1: none */
    int input_fd;            /* stdin; 0: /dev/null */
    int error_fd;            /* stderr; 0: where stdout goes */
    const char *const *environment; /* ended by NULL; NULL: ours */
    bool ends_group;                /* with it end all processes of its group, by SIGKILL */
};

/* NULL and err when the program cannot be started (also: not found, not executable). It outlives us
 * if nobody stops it. */
struct child *child_start(struct event_base *base, const struct child_spec *spec, child_ended ended,
                          void *arg, struct err *err);
/* Watches a process that is there already. NULL when there is none with that id. */
struct child *child_adopt(struct event_base *base, pid_t pid, child_ended ended, void *arg,
                          struct err *err);
pid_t child_pid(const struct child *child);
/* Sends a signal to the process; nothing happens when it has ended. */
void child_signal(struct child *child, int signal_number);
/* Sends SIGKILL to all processes of its group; only while it has not ended. */
void child_kill_group(struct child *child);
/* Kills it with its group and frees it; ended() is not called any more, and it is reaped when it
 * has gone. Only one of our own that ends its group. */
void child_end(struct child *child);
/* Forgets it without stopping it; ended() is not called any more. One of our own that still runs
 * is not reaped until we end. NULL is allowed. */
void child_free(struct child *child);

#endif
