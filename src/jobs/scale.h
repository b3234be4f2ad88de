/* scale: pools that grow and shrink by themselves: programs of the operator's, scale_up and
 * scale_down of [pool:NAME]. Whoever leads a pool's collection looks each second how much of it is
 * free. Redis says whether a program may run now: one at a time for a pool in the whole fleet, none
 * for scale_cooldown after the last, and longer after failures.
 *
 *     IDLE --begin--> ASKING --may run--> RUNNING --ended--> ENDING --told--> IDLE
 *       ^---- not now ---'                          UNTOLD <--'  '-- Redis is away: again and again
 *
 * What is to go is taken out of the free list first, so that nobody gets it, and comes back when
 * the program fails; or by itself, when this daemon dies with its program. Knows: pools, programs.
 * Must not know: clients. Driven by scale_tick() alone: no timers. */
#ifndef JOBS_SCALE_H
#define JOBS_SCALE_H

#include "pool/pools.h"
#include <event2/event.h>

struct scale {
    struct pools *pools;
    struct event_base *base;
    const struct clock *clock;
    struct log *log;
    struct str daemon;
    struct map jobs; /* pool's name -> struct scale_job * */
    uint64_t last_run;
    bool is_stopping;
};

void scale_init(struct scale *scale, struct pools *pools, struct event_base *base,
                struct str daemon, struct rand *rand);
/* To be called every 100 ms or so. */
void scale_tick(struct scale *scale);
/* Kills what runs, and tells Redis so. */
void scale_stop(struct scale *scale);
/* Nothing is at a lane any more. */
void scale_clear(struct scale *scale);

#endif
