/* queues: what waits in a queue, what is dead there, and what a person does about it.
 * Knows: ops/, tasks.  Must not know: clients, RESP, command names. */
#ifndef TASK_QUEUES_H
#define TASK_QUEUES_H

#include "task/tasks.h"

/* An array of names: of queues of which anything is left; the others are forgotten. */
void queues_list(struct tasks *tasks, task_done done, void *arg);
/* [waiting, delayed, taken, dead, LISTENs that wait, does somebody listen?, is it paused?, those of
 * `waiting` that wait for one daemon's own workers] */
void queues_info(struct tasks *tasks, struct str queue, task_done done, void *arg);
/* An array of [id params priority attempts age_ms], the next one first; those for one daemon's own
 * workers come last. */
void queues_peek(struct tasks *tasks, struct str queue, int64_t count, task_done done, void *arg);
/* An array of [id error attempts age_ms], the one that has been dead for longest first. */
void queues_dead(struct tasks *tasks, struct str queue, int64_t count, task_done done, void *arg);
/* How many came back. */
void queues_kick(struct tasks *tasks, struct str queue, int64_t count, task_done done, void *arg);
/* An array: how many of those that wait or are delayed were dropped, and whether there are more. */
void queues_purge(struct tasks *tasks, struct str queue, task_done done, void *arg);
/* Nothing is taken from it any more, or again: OK. */
void queues_pause(struct tasks *tasks, struct str queue, bool is_paused, task_done done, void *arg);

#endif
