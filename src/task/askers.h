/* askers: who waits for the end of a task: QUERYs without NOWAIT. All that ask for one task on this
 * daemon look for its end together.
 * Knows: ops/, tasks.  Must not know: clients, RESP, command names. */
#ifndef TASK_ASKERS_H
#define TASK_ASKERS_H

#include "task/tasks.h"

struct task_call;

/* The asker of a call that submits a task, until its `done` has run. */
struct asker *askers_add(struct tasks *tasks, const struct task_request *request,
                         struct task_call *call, task_done done, void *arg);
/* The task has ended, or is gone: somebody said so. */
void askers_hear(struct tasks *tasks, struct str id);
/* It has ended so here; the text is as it lies in Redis, or is an error. */
void askers_end(struct tasks *tasks, struct str id, bool is_done, struct str text);
/* "<current> <total> <id>" of a task that is worked on. */
void askers_hear_progress(struct tasks *tasks, struct str news);
/* Looks whether messages have been lost. */
void askers_look_over(struct tasks *tasks);
void askers_stop(struct tasks *tasks);

#endif
