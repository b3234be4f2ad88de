/* sets: lock sets, which keep the names that belong together; their locks are those of locks.h with
 * a set in the name.
 * Knows: ops/, locks.  Must not know: clients, RESP, command names. */
#ifndef LOCK_SETS_H
#define LOCK_SETS_H

#include "lock/locks.h"

/* How many were new; how many departed. */
void sets_extend(struct locks *locks, struct str set, const struct str *keys, int count,
                 lock_done done, void *arg);
void sets_shrink(struct locks *locks, struct str set, const struct str *keys, int count,
                 lock_done done, void *arg);
/* [added, departed]; none given clears. */
void sets_assign(struct locks *locks, struct str set, const struct str *keys, int count,
                 lock_done done, void *arg);
void sets_keys(struct locks *locks, struct str set, lock_done done, void *arg);
void sets_len(struct locks *locks, struct str set, lock_done done, void *arg);
/* 1, 0. */
void sets_has(struct locks *locks, struct str set, struct str key, lock_done done, void *arg);
/* Of each key (none given: of each member) its name, then 1 (locked), 0 or nil (a stranger). */
void sets_status(struct locks *locks, struct str set, const struct str *keys, int count,
                 lock_done done, void *arg);
/* [locked, free] */
void sets_health(struct locks *locks, struct str set, lock_done done, void *arg);

#endif
