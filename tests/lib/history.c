/* history: who held what; see history.h. */
#include "tests/lib/history.h"
#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

struct history {
    atomic_size_t count;
    size_t max, bytes;
    struct hold holds[];
};

struct history *history_new(size_t max_holds)
{
    size_t bytes = sizeof(struct history) + max_holds * sizeof(struct hold);
    struct history *history =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(history != MAP_FAILED);
    history->max = max_holds;
    history->bytes = bytes;
    return history;
}

void history_free(struct history *history)
{
    munmap(history, history->bytes);
}

struct hold *history_add(struct history *history)
{
    size_t at = atomic_fetch_add(&history->count, 1);
    ck_assert_msg(at < history->max, "the history is full: %zu", at);
    return &history->holds[at];
}

int64_t history_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

size_t history_count(const struct history *history)
{
    return atomic_load(&history->count);
}

/* Redis counts whole milliseconds, so a lease may end up to one earlier. */
static int64_t end_of(const struct hold *hold)
{
    int64_t end_us = INT64_MAX;
    if (hold->timeout_ms > 0)
        end_us = hold->asked_us + (hold->timeout_ms - 2) * 1000;
    if (hold->freed_us > 0 && hold->freed_us < end_us)
        end_us = hold->freed_us;
    return end_us;
}

static int by_resource_and_fence(const void *a, const void *b)
{
    const struct hold *x = a, *y = b;
    int order = strcmp(x->resource, y->resource);
    if (order != 0)
        return order;
    return x->fence < y->fence ? -1 : x->fence > y->fence;
}

static void check_pair(const struct hold *first, const struct hold *second)
{
    ck_assert_msg(first->fence != second->fence, "%s: two leases with fence %ld", first->resource,
                  (long)first->fence);
    /* by the order of fences: the first must have ended before the second was had */
    ck_assert_msg(end_of(first) <= second->got_us,
                  "%s: held by two: fence %ld from %ld to %ld us, fence %ld from %ld us on",
                  first->resource, (long)first->fence, (long)first->got_us, (long)end_of(first),
                  (long)second->fence, (long)second->got_us);
}

void history_check(struct history *history)
{
    size_t count = 0;
    struct hold *holds = calloc(history_count(history) + 1, sizeof(*holds));
    for (size_t i = 0; i < history_count(history); i++) {
        if (history->holds[i].is_whole)
            holds[count++] = history->holds[i];
    }
    qsort(holds, count, sizeof(*holds), by_resource_and_fence);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(holds[i - 1].resource, holds[i].resource) == 0)
            check_pair(&holds[i - 1], &holds[i]);
    }
    free(holds);
}
