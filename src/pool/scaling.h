/* scaling: the calls about a run of a program that makes a pool larger or smaller: may it begin,
 * and how it ended. Each is one script, in turn at the pool's lane. Knows: ops/, pools.  Must not
 * know: programs. */
#ifndef POOL_SCALING_H
#define POOL_SCALING_H

#include "pool/members.h"

struct scaling_limits {
    int64_t min_free, max_free; /* 0: it is never made larger, smaller */
    int64_t max_size;           /* 0: no limit */
    int64_t most;               /* that come or go in one run */
    int64_t time_ms;            /* after which nobody waits for its end any more */
};

/* [what(u d -), how many, free, total, waiters, resource...] */
void scaling_begin(struct pool *pool, struct str run, const struct scaling_limits *limits,
                   answer_done done, void *arg);

struct scaling_end {
    struct str run;
    bool is_up;
    struct str error; /* "": it went well */
    int64_t cooldown_ms, longest_ms, max_size;
    const struct str *resources; /* that have come, or were to go */
    int count;
};

/* [how many came or went, error, ms until the next may run]; the same again does nothing. */
void scaling_finish(struct pool *pool, const struct scaling_end *end, answer_done done, void *arg);

#endif
