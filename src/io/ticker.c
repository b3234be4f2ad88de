/* ticker: repeats a job; see ticker.h.
 * Knows: libevent, rand. */
#include "io/ticker.h"
#include <string.h>

static int64_t next_delay_us(struct ticker *ticker)
{
    int64_t delay_us = ticker->interval_ms * 1000;
    int64_t spread_us = delay_us / 100 * ticker->jitter_percent;
    if (spread_us > 0)
        delay_us += (int64_t)rand_below(ticker->rand, (uint64_t)spread_us * 2 + 1) - spread_us;
    return delay_us;
}

static void arm(struct ticker *ticker)
{
    int64_t delay_us = next_delay_us(ticker);
    struct timeval delay = {.tv_sec = delay_us / 1000000, .tv_usec = delay_us % 1000000};
    /* Libevent counts from the time at which this turn began: a long job would be left out. */
    event_base_update_cache_time(event_get_base(ticker->event));
    event_add(ticker->event, &delay);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    struct ticker *ticker = arg;
    bool was_cleared = false;
    (void)fd, (void)what;
    ticker->was_cleared = &was_cleared;
    ticker->job(ticker->arg);
    if (was_cleared)
        return; /* perhaps its memory is gone, too */
    ticker->was_cleared = NULL;
    if (ticker->is_started)
        arm(ticker);
}

void ticker_init(struct ticker *ticker, struct event_base *base, struct rand *rand,
                 int64_t interval_ms, int jitter_percent, void (*job)(void *arg), void *arg)
{
    *ticker = (struct ticker){.event = evtimer_new(base, on_time, ticker),
                              .rand = rand,
                              .interval_ms = interval_ms,
                              .jitter_percent = jitter_percent,
                              .job = job,
                              .arg = arg};
}

void ticker_start(struct ticker *ticker)
{
    if (ticker->is_started)
        return;
    ticker->is_started = true;
    if (ticker->was_cleared == NULL) /* else the job's return arms it */
        arm(ticker);
}

void ticker_stop(struct ticker *ticker)
{
    ticker->is_started = false;
    if (ticker->event != NULL)
        event_del(ticker->event);
}

void ticker_set_interval(struct ticker *ticker, int64_t interval_ms)
{
    ticker->interval_ms = interval_ms;
    if (ticker->is_started && ticker->was_cleared == NULL)
        arm(ticker);
}

void ticker_clear(struct ticker *ticker)
{
    if (ticker->was_cleared != NULL)
        *ticker->was_cleared = true;
    if (ticker->event != NULL)
        event_free(ticker->event);
    memset(ticker, 0, sizeof(*ticker));
}
