/* clock: the machine's clocks. See clock.h. */
#include "base/clock.h"
#include <stddef.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now); /* cannot fail for these two clocks */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t read_monotonic(void *arg)
{
    (void)arg;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t read_wall(void *arg)
{
    (void)arg;
    return read_clock(CLOCK_REALTIME);
}

void clock_init(struct clock *clock)
{
    clock->read_us = read_monotonic;
    clock->read_wall_us = read_wall;
    clock->arg = NULL;
}
