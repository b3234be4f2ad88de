/* waits: MALLOCs that wait for a resource: what ops/waiter asks of a pool. Each wish is an
 * operation at the pool's lane (W of lua/pool/waiting.lua), asked again when its waiter is woken; E
 * takes it out of the line; B is the pool's beat. What comes free is granted by Redis, in the order
 * of the line; here it is only fetched. Knows: ops/waiter, pools.  Must not know: clients, RESP,
 * command names. */
#ifndef POOL_WAITS_H
#define POOL_WAITS_H

#include "pool/leases.h"

extern const struct line_rules waits_rules;

/* As leases_malloc(), but with nothing free (for ALL: not enough) it waits for up to wait_ms (<= 0:
 * without a limit) before it ends with none. For waiter_gone(), until it is done.
 * waiters_can_take() has said yes. */
struct waiter *waits_malloc(struct pool *pool, const struct malloc_request *request,
                            int64_t wait_ms, leases_done done, void *arg);

/* What it waits for. Borrowed. */
const struct malloc_request *waits_request(const struct waiter *waiter);

/* Where it stands, from 1, and in how many ms it may be served (-1: that cannot be told): as soon
 * as it has a place, and when that has changed, at most once a second. Not after `done`. */
typedef void (*waits_moved)(void *arg, int64_t place, int64_t expected_ms);
/* Right after waits_malloc(); `moved` gets the same arg as `done`. */
void waits_report(struct waiter *waiter, waits_moved moved);

#endif
