/* beats: who of a group is alive. A group is the identity of the Python library's health check
 * pool: a lock set of its own prefix, whose members' locks live as long as they beat. Knows: ops/,
 * locks.  Must not know: clients, RESP, command names. */
#ifndef LOCK_BEATS_H
#define LOCK_BEATS_H

#include "lock/locks.h"

/* 1 when the member was not alive before, else 0. timeout_ms <= 0: for ever. */
void beats_beat(struct locks *locks, struct str group, struct str member, int64_t timeout_ms,
                lock_done done, void *arg);
/* An array of who is alive. */
void beats_alive(struct locks *locks, struct str group, lock_done done, void *arg);
/* 1; 0 when it was no member. */
void beats_leave(struct locks *locks, struct str group, struct str member, lock_done done,
                 void *arg);

#endif
