/* taken: what a worker has taken and not ended: its tickets, by which Redis knows that the task is
 * still this attempt's.  Part of workers.
 * Knows: ops/, tasks.  Must not know: how a task came to its worker. */
#ifndef TASK_TAKEN_H
#define TASK_TAKEN_H

#include "task/workers.h"

/* A queue that somebody here works for, or has. */
struct task_queue {
    struct str name;
    int workers;
    int listens;  /* that name it and are not answered */
    bool has_own; /* tasks may wait there for our own workers alone */
    char bytes[];
};

struct worker {
    struct list_node node; /* in tasks->workers */
    struct tasks *tasks;
    struct list listens, taken;
    struct task_queue **queues; /* of its newest LISTEN */
    int queue_count;
    bool is_closed; /* is freed when its last call has ended */
};

/* Notes what a LISTEN got. */
void taken_note(struct worker *worker, const struct answer *tasks);
/* Gives back what nobody has seen. */
void taken_undo(struct tasks *tasks, const struct answer *answer);
/* Gives back all that no call is ending just now. */
void taken_give_back(struct worker *worker);
/* Frees a closed worker when nothing of it is on its way. */
void worker_settle(struct worker *worker);

#endif
