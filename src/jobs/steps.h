/* steps: watches Redis' clock for steps. Deadlines lie in its time: when it goes forward, all that
 * is held ends sooner by as much, while its holders still believe that they have it; so nothing is
 * granted for as long. When it goes back, what is held lasts longer, which is only told.
 *
 * Its TIME is compared with our monotonic clock twice a second. What is known of their difference
 * is an interval, for Redis read its clock at some moment between our request and its reply; two
 * looks together know it better (Marzullo). It gets wider with time by what clocks may drift apart.
 * Knows: batches.  Must not know: what is granted. */
#ifndef JOBS_STEPS_H
#define JOBS_STEPS_H

#include "ops/batch.h"

struct steps {
    struct batches *batches;
    int64_t grace_max_ms; /* a step is waited for as long as it was, but no longer */
    bool is_asking, is_known;
    int64_t asked_us, looked_us;
    int64_t low_us, high_us; /* Redis' wall clock less our monotonic one, as of looked_us */
    uint64_t forward, back;  /* steps, since start or CONFIG RESETSTAT */
};

void steps_init(struct steps *steps, struct batches *batches);
/* To be called twice a second. */
void steps_tick(struct steps *steps);

#endif
