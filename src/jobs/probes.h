/* probes: checks the resources of pools that have a probe, each pool by the daemon that leads it,
 * and tells Redis who is ill and who is healthy again.
 *
 * A prober is one pool's: it learns the resources by a paced SCAN, checks each once an interval
 * (the first time at a random moment within one, so that a start is no storm), counts results in a
 * row, and tells changes, in bulk; what has not changed is told again once a minute, which keeps an
 * ill one quarantined. While more than max_unhealthy of the pool is ill nothing more is
 * quarantined. Knows: pools, io/check.  Must not know: clients. Driven by probes_tick() alone: no
 * timers of its own, but for those of a check. */
#ifndef JOBS_PROBES_H
#define JOBS_PROBES_H

#include "io/check.h"
#include "pool/pools.h"

/* As check_start(): the seam at which a test puts checks of its own. */
struct check_runner {
    struct check *(*start)(void *arg, const struct check_spec *spec, check_done done,
                           void *done_arg);
    void (*stop)(struct check *check);
    void *arg;
};

struct probes {
    struct pools *pools;
    struct check_runner runner;
    const struct clock *clock;
    struct rand *rand;
    struct log *log;
    struct list probers;
    bool is_stopped;
    size_t running; /* checks */
    size_t held;    /* pools that have too many ill ones */
    struct probe_counters {
        uint64_t checks, failures; /* checks that ended; of them, bad ones */
        uint64_t fallen, risen;    /* resources that became ill; healthy again */
    } counters;                    /* since start or CONFIG RESETSTAT */
};

void probes_init(struct probes *probes, struct pools *pools, struct check_runner runner,
                 const struct clock *clock, struct rand *rand, struct log *log);
/* To be called every 100 ms or so. */
void probes_tick(struct probes *probes);
/* Gives up all checks: nothing is told any more. */
void probes_stop(struct probes *probes);
/* After batches_clear(), before pools_clear(). */
void probes_clear(struct probes *probes);

#endif
