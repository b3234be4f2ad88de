/* repair: rebuilds the list of a pool that a script found broken, before anything else of that
 * pool. Knows: ops/, pools.  Must not know: clients. */
#ifndef POOL_REPAIR_H
#define POOL_REPAIR_H

#include "pool/pools.h"

/* Queues a repair unless one is on its way. `why`: printable, for the log. */
void repair_start(struct pool *pool, const char *why);

#endif
