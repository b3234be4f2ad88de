/* call: the record of one operation of this folder, its arguments and keys behind it.
 * Usage: new, puts, send. Knows: ops/, locks.  Must not know: what the arguments mean.
 * Owns: the record, until lock_call_free() in the operation's own `done`. */
#ifndef LOCK_CALL_H
#define LOCK_CALL_H

#include "lock/locks.h"

struct lock_call {
    struct op op; /* first: an operation is its record */
    struct packing packing;
    struct locks *locks;
    struct lock_name name; /* what it is about, for errors; in its own bytes */
    int head_args;         /* before the letter of an operation of a batch: see step.h */
    lock_done done;
    void *arg;
    lock_is_gone is_gone;
    int tries; /* of those that nobody waits for */
};

/* What is to be put. */
struct lock_shape {
    enum script_id script;
    struct lock_name name;
    struct str prefix;
    const enum lock_key *keys; /* those of `name`, in the order of the script's header */
    int key_count;
    int more_keys; /* that follow by lock_call_put_key() */
    int args;
    size_t bytes; /* of the args and of more_keys */
};

struct lock_call *lock_call_new(struct locks *locks, const struct lock_shape *shape, lock_done done,
                                void *arg);
void lock_call_put_key(struct lock_call *call, enum lock_key which, const struct lock_name *name);
void lock_call_free(struct lock_call *call);

/* To the lane; first: before all that waits. What cannot be taken ends at the next tick. */
void lock_call_send(struct lock_call *call);
void lock_call_send_first(struct lock_call *call);

/* What became of it: true when the answer is one; else fills err with what the client should read.
 */
bool lock_call_check(const struct lock_call *call, const struct err *failure,
                     const struct answer *answer, struct err *err);
/* Tells its asker, and frees it. */
void lock_call_end(struct lock_call *call, const struct err *failure, const struct answer *answer);

#endif
