/* waits: who waits for locks: what ops/waiter asks of them. Each wish is an operation at the lane
 * of the locks (W of lua/lock/batch.lua), asked again when its waiter is woken, because it is the
 * first for a lock that may be had; D takes it out of the line; B is this daemon's beat, which
 * looks after the locks that are waited for here: when one ends by its time, or is deleted by
 * others, who is the first is woken. Knows: ops/waiter, wishes.  Must not know: clients, RESP,
 * command names. */
#ifndef LOCK_WAITS_H
#define LOCK_WAITS_H

#include "lock/locks.h"

extern const struct line_rules lock_waits_rules;

/* As locks_take(), but with a lock held, or others before it in the line, it waits for up to
 * wait_ms (<= 0: without a limit) before it ends with nil. For waiter_gone(), until it is done.
 * waiters_can_take() has said yes. request->is_gone is not asked. */
struct waiter *lock_waits_take(struct locks *locks, const struct lock_request *request,
                               int64_t wait_ms, lock_done done, void *arg);

/* What it waits for. Borrowed. */
const struct lock_request *lock_waits_request(const struct waiter *waiter);

#endif
