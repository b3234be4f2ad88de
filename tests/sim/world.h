/* world: time, chance and what is going to happen, of one run of the simulation. All of it follows
 * from the seed.
 * Knows: clocks, randomness.  Must not know: daemons, Redis. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/clock.h"
#include "base/rand.h"
#include "tests/sim/keyspace.h"
#include <stdbool.h>
#include <stdint.h>

#define MS     1000LL
#define SECOND 1000000LL
/* Unix time at the start of each run. */
#define EPOCH_US (1700000000LL * SECOND)

enum { WORLD_LINES = 60, WORLD_LINE_LEN = 200 };

struct event {
    int64_t at_us;
    uint64_t order; /* of making: among those of one instant */
    void (*run)(void *arg);
    void *arg;
};

struct world {
    uint64_t seed;
    uint64_t chance[2]; /* state of the generator */
    int64_t now_us;     /* since the start */
    struct clock clock;
    struct rand rand;
    struct keyspace *redis;
    struct event *events; /* a heap */
    size_t event_count, event_room;
    uint64_t event_order;
    uint64_t steps; /* events that have run */
    bool is_failed;
    /* the last lines of what happened, printed when the run fails */
    char lines[WORLD_LINES][WORLD_LINE_LEN];
    uint64_t line_count;
    bool is_loud; /* prints each line at once */
};

void world_init(struct world *world, uint64_t seed);
void world_clear(struct world *world);

/* 0 .. bound-1 */
uint64_t world_below(struct world *world, uint64_t bound);
/* low .. high */
int64_t world_between(struct world *world, int64_t low, int64_t high);
/* True so many times in a thousand. */
bool world_chance(struct world *world, int per_mille);

void world_at(struct world *world, int64_t at_us, void (*run)(void *arg), void *arg);
void world_after(struct world *world, int64_t us, void (*run)(void *arg), void *arg);
/* Runs what is due until that time, or until the run has failed. */
void world_run(struct world *world, int64_t until_us);
/* Stops the world for so long: what was due meanwhile happens late. */
void world_leap(struct world *world, int64_t us);

void world_say(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The run has failed: says why, with the seed and what happened before. Only the first counts. */
void world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
