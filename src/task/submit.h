/* submit: how a task comes to Redis: by QUERY (see tasks_submit()), or because its time has come.
 * Knows: ops/, tasks.  Must not know: clients, RESP, command names. */
#ifndef TASK_SUBMIT_H
#define TASK_SUBMIT_H

#include "task/call.h"
#include "task/crons.h"

/* Submits a task if this firing is not another daemon's; the caller sets `done` and sends it. */
struct task_call *submit_firing(struct tasks *tasks, const struct task_request *request,
                                const struct firing *firing);

#endif
