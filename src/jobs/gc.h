/* gc: the collector: for each pool the deadline index every second and a sweep at its gc_interval,
 * by one daemon at a time; another one takes over within a few seconds when that one dies. Also
 * finds pools that others made (a paced SCAN of the namespace, a full pass in at most a minute
 * where the server is not huge). Knows: pools.  Must not know: clients. Driven by gc_tick() alone:
 * no timers of its own. */
#ifndef JOBS_GC_H
#define JOBS_GC_H

#include "pool/pools.h"

struct gc {
    struct pools *pools;
    const struct clock *clock;
    struct rand *rand;
    struct log *log;
    /* discovery: one call in flight at most, at pools->lane */
    struct op scan;
    struct str scan_args[8];
    char pattern[300];
    char cursor[24];
    bool is_scanning;    /* a call is in flight */
    bool is_full;        /* max_pools was met in this pass, and logged */
    int64_t scan_due_ms; /* the next call */
    int64_t pass_started_ms;
};

void gc_init(struct gc *gc, struct pools *pools, const struct clock *clock, struct rand *rand,
             struct log *log);
/* To be called every 100 ms or so. */
void gc_tick(struct gc *gc);

#endif
