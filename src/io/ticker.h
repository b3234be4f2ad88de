/* ticker: repeats a job: an interval, jitter (a share of the interval, so that a fleet does not beat
 * in step), never two at once (the next interval begins when the job returned).
 * Knows: libevent, rand. */
#ifndef IO_TICKER_H
#define IO_TICKER_H

#include "base/rand.h"
#include <event2/event.h>
#include <stdint.h>

struct ticker {
    struct event *event;
    struct rand *rand;
    int64_t interval_ms;
    int jitter_percent; /* 0..50: each interval is longer or shorter by up to this share */
    void (*job)(void *arg);
    void *arg;
};

/* Does not start. `rand` may be NULL when jitter is 0. */
void ticker_init(struct ticker *ticker, struct event_base *base, struct rand *rand,
                 int64_t interval_ms, int jitter_percent, void (*job)(void *arg), void *arg);
void ticker_start(struct ticker *ticker);
void ticker_stop(struct ticker *ticker);
void ticker_set_interval(struct ticker *ticker, int64_t interval_ms);
void ticker_clear(struct ticker *ticker);

#endif
