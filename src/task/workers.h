/* workers: who works on tasks: connections that say LISTEN, and the exec handlers of this daemon;
 * what each has taken, which goes back to its queue when the worker is closed.
 *
 * A LISTEN that finds nothing waits in Redis by its number; whoever makes a task ready there wakes
 * the one that has waited for longest, on whichever daemon it is, and that one takes it. A wake for
 * one that needs none any more is handed on.
 *
 * Knows: ops/, tasks.  Must not know: clients, RESP, command names.
 * Owns: every struct worker, until worker_close(). */
#ifndef TASK_WORKERS_H
#define TASK_WORKERS_H

#include "task/tasks.h"

struct worker;
struct listen;

#define WORKER_MAX_QUEUES 64
#define WORKER_MAX_TAKEN  1024 /* tasks that one worker has at a time */

struct worker *worker_new(struct tasks *tasks);
/* What waits is answered nil; what it has taken goes back. NULL is allowed. */
void worker_close(struct worker *worker);

struct worker_listen {
    const struct str *queues;
    int queue_count; /* 1 to WORKER_MAX_QUEUES */
    int64_t wait_ms; /* < 0: not at all; 0: without limit */
    int count;       /* at most so many tasks */
};
/* An array of [queue id params attempt ttl_ms(-1: none) ...]; empty when there is none. */
struct listen *worker_listen(struct worker *worker, const struct worker_listen *asked,
                             task_done done, void *arg);
/* Whoever asked is gone, and `done` has not run yet: it runs with none. */
void listen_gone(struct listen *listen);
/* OK. Whoever has not taken the task is told NOTOWNER. */
void worker_result(struct worker *worker, struct str id, struct str result, bool may_lead,
                   task_done done, void *arg);
/* retry_ms < 0: it has failed for good; else another attempt after that time. */
void worker_fail(struct worker *worker, struct str id, struct str text, int64_t retry_ms,
                 task_done done, void *arg);
void worker_progress(struct worker *worker, struct str id, int64_t current, int64_t total,
                     task_done done, void *arg);
/* As if the task had never been taken by this attempt's worker: `why` becomes its error. */
void worker_give_back(struct worker *worker, struct str id, const char *why);
/* How many tasks it has, those that it has lost but not heard of included. NULL: none. */
size_t worker_taken(const struct worker *worker);
/* Has it taken this task, as far as is known here? Of which queue: borrowed until it ends. */
bool worker_has(const struct worker *worker, struct str id, struct str *queue);

/* Does somebody here work for this queue? */
bool workers_are_there(const struct tasks *tasks, struct str queue);
/* From now on tasks may wait there for our own workers alone. */
void workers_expect_own(struct tasks *tasks, struct str queue);

/* --- for tasks.c ------------------------------------------------------------------------------ */

/* W: something is ready for this LISTEN, and for this queue. */
void workers_wake(struct tasks *tasks, struct str number, struct str queue);
/* A task for this queue is on its way to Redis: one that waits here takes it in the same call. */
void workers_offer(struct tasks *tasks, struct str queue);
/* L: something is ready for our own workers of this queue. */
void workers_wake_own(struct tasks *tasks, struct str queue);
/* All that wait try again: messages may have been missed. */
void workers_look_over(struct tasks *tasks);
/* Tells Redis that somebody listens, and hands on what is ready and nobody takes. */
void workers_keep(struct tasks *tasks);
/* Gives back again what Redis did not hear of. */
void taken_return(struct tasks *tasks);
void taken_clear(struct tasks *tasks);
void workers_stop(struct tasks *tasks);
void workers_clear(struct tasks *tasks);

#endif
