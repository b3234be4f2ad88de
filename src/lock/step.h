/* step: one operation of lua/lock/batch.lua, put together: its letter, its owner, a third argument
 * and what it has besides. Knows: call.  Must not know: what becomes of it. */
#ifndef LOCK_STEP_H
#define LOCK_STEP_H

#include "lock/call.h"

/* Who waits, and the ticket of its place in the line. */
struct lock_place {
    struct str id;
    int64_t ticket; /* -1: it asks for the first time; 0: none is known */
};

struct step {
    struct lock_name name;
    const char *letter;
    struct str owner;
    struct str third;               /* mostly a time */
    bool is_many;                   /* of a lock with several holders */
    struct str reqid, session;      /* "" = none */
    const struct lock_place *place; /* NULL: it does not wait */
    int more_args, more_keys;       /* that the caller puts behind; its own keys are among them */
    size_t more_bytes;
};

/* A time as the scripts want it: 0 is for ever. */
struct span {
    char text[NUM_INT_MAX];
};
struct str span_of(int64_t ms, struct span *span);

/* To be sent by lock_call_send(); the caller sets op.done where it wants to see the answer. */
struct lock_call *step_pack(struct locks *locks, const struct step *step, lock_done done,
                            void *arg);
/* Of a call that was made so: its letter, owner, third ... */
const struct str *step_args(const struct lock_call *call);

#endif
