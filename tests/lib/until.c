/* until: waits for what shall come true; see until.h. */
#include "tests/lib/until.h"
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#define WAIT_MS  15000
#define PAUSE_MS 3

int64_t until_wait_ms(void)
{
    const char *factor = getenv("CK_TIMEOUT_MULTIPLIER");
    double stretched = factor == NULL ? 1 : strtod(factor, NULL);
    return (int64_t)(WAIT_MS * (stretched >= 1 ? stretched : 1));
}

int64_t until_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void until_pause(void)
{
    poll(NULL, 0, PAUSE_MS);
}
