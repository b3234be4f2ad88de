/* cleaning: the calls about resources that are made clean before anybody else gets them: which of
 * them are this daemon's to clean, and how that ended. Each is one script, in turn at the pool's
 * lane. Knows: ops/, pools.  Must not know: who cleans, and by what. */
#ifndef POOL_CLEANING_H
#define POOL_CLEANING_H

#include "pool/members.h"

/* Up to `most` are ours for time_ms: [resource, how often it failed] each. Where the pool's rules
 * know no cleaning any more, what waits for it is free. */
void cleaning_claim(struct pool *pool, struct str mark, int64_t most, int64_t time_ms,
                    answer_done done, void *arg);

enum cleaning_how { CLEANING_CLEAN, CLEANING_FAILED, CLEANING_UNDONE };

enum cleaning_end { CLEANING_IS_OTHERS, CLEANING_IS_FREE, CLEANING_AGAIN, CLEANING_GAVE_UP };

/* An enum cleaning_end. */
void cleaning_end(struct pool *pool, struct str mark, struct str resource, enum cleaning_how how,
                  struct str error, answer_done done, void *arg);

#endif
