/* exec: programs that work on the tasks of a queue: [queue:NAME] exec. Each runs one task: its
 * parameters come on stdin, what it prints is the result. Exit status 0 ends the task; another one
 * fails it for good, with what was last said on stderr; a signal, or the task's deadline, at which
 * the program and its process group are killed, gives it back to the queue.
 * Knows: workers, io/program.  Must not know: clients, RESP. */
#ifndef TASK_EXEC_H
#define TASK_EXEC_H

#include "task/tasks.h"
#include <event2/event.h>

struct execs;

/* The programs of all queues that have a section with exec; they begin to listen at once. */
struct execs *execs_new(struct tasks *tasks, struct event_base *base);
/* Kills what runs; its tasks go back. Nothing is listened to any more. */
void execs_stop(struct execs *execs);
void execs_free(struct execs *execs);

#endif
