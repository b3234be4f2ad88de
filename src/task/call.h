/* call: the record of one operation of this folder, its arguments and keys behind it.
 * Usage: room for what will be put, new, puts, send. Knows: ops/, tasks.  Must not know: what the
 * arguments mean.  Owns: the record, until task_call_free() in the operation's own `done`. */
#ifndef TASK_CALL_H
#define TASK_CALL_H

#include "task/tasks.h"

struct task_call {
    struct op op; /* first: an operation is its record */
    struct packing packing;
    struct tasks *tasks;
    task_done done;
    void *arg;
    void *about; /* whoever sent it keeps here what it is about */
};

/* Adds the room of these keys. */
void task_call_room(const struct tasks *tasks, struct packing_room *room, const enum task_key *keys,
                    int count, const struct task_name *name);
/* Its `done` tells its asker and frees it, unless changed before it is sent. */
struct task_call *task_call_new(struct tasks *tasks, enum script_id script,
                                struct packing_room room, task_done done, void *arg);
void task_call_put_keys(struct task_call *call, const enum task_key *keys, int count,
                        const struct task_name *name);
void task_call_free(struct task_call *call);
/* To the lane. What cannot be taken ends at the next tick. */
void task_call_send(struct task_call *call);

/* What became of it: true when the answer is one; else fills err with what the client should read.
 */
bool task_call_check(const struct task_call *call, const struct err *failure,
                     const struct answer *answer, struct err *err);
/* Tells its asker, and frees it. */
void task_call_end(struct task_call *call, const struct err *failure, const struct answer *answer);

#endif
