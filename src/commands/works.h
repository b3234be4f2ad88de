/* works: what a connection has to do with tasks beyond a single request: the worker that it is, and
 * what it will be pushed of tasks that it asked for with PUSH.
 * Knows: task/.  Must not know: sockets. */
#ifndef COMMANDS_WORKS_H
#define COMMANDS_WORKS_H

#include "commands/dispatch.h"
#include "commands/peer.h"
#include "task/tasks.h"

/* QUERY ... PUSH: OK, or why not, is the answer; what becomes of the task is pushed. */
void works_push(struct ask *ask, struct task_request *request);

/* Parameters or a result, out of what lies in Redis. */
void works_put_payload(struct reply *reply, const struct answer *packed);
/* What is to be answered to a QUERY that waited. */
void works_end_query(void *arg, const struct err *err, const struct answer *answer);

/* The connection ends or is RESET: what it has taken goes back, what it would be pushed is not. */
void works_end(struct peer_state *state);

#endif
