/* ticker: repeats a job: an interval, jitter (a share of the interval, so that a fleet does not
 * beat in step), never two at once (the next interval begins when the job returned). Libevent reads
 * a coarse clock (about 4 ms) unless the base was made with EVENT_BASE_FLAG_PRECISE_TIMER, which is
 * advised where intervals are a few milliseconds. Knows: libevent, rand. */
#ifndef IO_TICKER_H
#define IO_TICKER_H

#include "base/rand.h"
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct ticker {
    struct event *event;
    struct rand *rand;
    int64_t interval_ms;
    int jitter_percent; /* 0..50: each interval is longer or shorter by up to this share */
    void (*job)(void *arg);
    void *arg;
    bool is_started;
    bool *was_cleared; /* private: while the job runs, where to note that the ticker has gone */
};

/* Does not start. `rand` may be NULL when jitter is 0. */
void ticker_init(struct ticker *ticker, struct event_base *base, struct rand *rand,
                 int64_t interval_ms, int jitter_percent, void (*job)(void *arg), void *arg);
/* The first job is one interval away. Does nothing when it is started already. All of these may be
 * called by the job. */
void ticker_start(struct ticker *ticker);
void ticker_stop(struct ticker *ticker);
/* A started one begins a new interval. */
void ticker_set_interval(struct ticker *ticker, int64_t interval_ms);
void ticker_clear(struct ticker *ticker);

#endif
