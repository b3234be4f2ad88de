/* clock: the only reader of clocks. Deadlines and timers use the monotonic one.
 * A test gives a clock of its own: set `read_us` (and `arg`) to whatever it likes.
 * Knows: libc. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*read_us)(void *arg); /* monotonic microseconds */
    int64_t (*read_wall_us)(void *arg);
    void *arg;
};

/* The machine's clocks. */
void clock_init(struct clock *clock);

static inline int64_t clock_us(const struct clock *clock)
{
    return clock->read_us(clock->arg);
}

static inline int64_t clock_ms(const struct clock *clock)
{
    return clock->read_us(clock->arg) / 1000;
}

/* Unix time in microseconds: for people (logs, TIME, LASTSAVE), never for deadlines. */
static inline int64_t clock_wall_us(const struct clock *clock)
{
    return clock->read_wall_us(clock->arg);
}

#endif
