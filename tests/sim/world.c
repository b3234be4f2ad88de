/* world: see world.h. */
#include "tests/sim/world.h"
#include "base/mem.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* --- chance --------------------------------------------------------------------------------------
 */

/* splitmix64 and xoroshiro128+, by D. Blackman and S. Vigna: https://prng.di.unimi.it */
static uint64_t split(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static uint64_t rotate(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

static uint64_t next(struct world *world)
{
    uint64_t a = world->chance[0], b = world->chance[1], sum = a + b;
    b ^= a;
    world->chance[0] = rotate(a, 24) ^ b ^ (b << 16);
    world->chance[1] = rotate(b, 37);
    return sum;
}

uint64_t world_below(struct world *world, uint64_t bound)
{
    return (next(world) >> 11) % bound;
}

int64_t world_between(struct world *world, int64_t low, int64_t high)
{
    return low + (int64_t)world_below(world, (uint64_t)(high - low + 1));
}

bool world_chance(struct world *world, int per_mille)
{
    return (int)world_below(world, 1000) < per_mille;
}

static void fill(void *arg, void *bytes, size_t len)
{
    unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++)
        at[i] = (unsigned char)(next(arg) >> 24);
}

/* --- time ----------------------------------------------------------------------------------------
 */

static int64_t read_us(void *arg)
{
    const struct world *world = arg;
    return world->now_us + 1000 * SECOND; /* a machine that runs for a while already */
}

static int64_t read_wall_us(void *arg)
{
    const struct world *world = arg;
    return EPOCH_US + world->now_us;
}

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void world_at(struct world *world, int64_t at_us, void (*run)(void *arg), void *arg)
{
    size_t at = world->event_count++;
    struct event event = {at_us, world->event_order++, run, arg};
    if (world->event_count > world->event_room) {
        world->event_room = world->event_room * 2 + 64;
        world->events = mem_realloc(world->events, world->event_room * sizeof *world->events);
    }
    for (; at > 0 && is_before(&event, &world->events[(at - 1) / 2]); at = (at - 1) / 2)
        world->events[at] = world->events[(at - 1) / 2];
    world->events[at] = event;
}

void world_after(struct world *world, int64_t us, void (*run)(void *arg), void *arg)
{
    world_at(world, world->now_us + us, run, arg);
}

static struct event take_first(struct world *world)
{
    struct event first = world->events[0], last = world->events[--world->event_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= world->event_count)
            break;
        if (child + 1 < world->event_count &&
            is_before(&world->events[child + 1], &world->events[child]))
            child++;
        if (!is_before(&world->events[child], &last))
            break;
        world->events[at] = world->events[child];
        at = child;
    }
    world->events[at] = last;
    return first;
}

void world_run(struct world *world, int64_t until_us)
{
    while (!world->is_failed && world->event_count > 0 && world->events[0].at_us <= until_us) {
        struct event event = take_first(world);
        if (event.at_us > world->now_us)
            world->now_us = event.at_us;
        keyspace_set_time(world->redis, EPOCH_US + world->now_us);
        world->steps++;
        event.run(event.arg);
    }
    if (world->now_us < until_us)
        world->now_us = until_us;
    keyspace_set_time(world->redis, EPOCH_US + world->now_us);
}

void world_leap(struct world *world, int64_t us)
{
    world->now_us += us;
    keyspace_set_time(world->redis, EPOCH_US + world->now_us);
}

/* --- words ---------------------------------------------------------------------------------------
 */

static void add_line(struct world *world, const char *format, va_list args)
{
    char *line = world->lines[world->line_count++ % WORLD_LINES];
    int len = snprintf(line, WORLD_LINE_LEN, "%9.3f ms  ", (double)world->now_us / 1000);
    vsnprintf(line + len, WORLD_LINE_LEN - (size_t)len, format, args);
    if (world->is_loud)
        fprintf(stderr, "%s\n", line);
}

void world_say(struct world *world, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_line(world, format, args);
    va_end(args);
}

void world_fail(struct world *world, const char *format, ...)
{
    uint64_t first = world->line_count > WORLD_LINES ? world->line_count - WORLD_LINES : 0;
    va_list args;
    if (world->is_failed)
        return;
    world->is_failed = true;
    fprintf(stderr, "\nseed %" PRIu64 ": what happened last:\n", world->seed);
    for (uint64_t i = first; i < world->line_count && !world->is_loud; i++)
        fprintf(stderr, "  %s\n", world->lines[i % WORLD_LINES]);
    fprintf(stderr, "seed %" PRIu64 " FAILED at %.3f ms: ", world->seed,
            (double)world->now_us / 1000);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nrun it alone with RALLOCD_SEED=%" PRIu64 "\n", world->seed);
}

/* -------------------------------------------------------------------------------------------------
 */

void world_init(struct world *world, uint64_t seed)
{
    uint64_t state = seed;
    *world = (struct world){.seed = seed};
    world->chance[0] = split(&state);
    world->chance[1] = split(&state);
    world->clock = (struct clock){read_us, read_wall_us, world};
    rand_init_with(&world->rand, fill, world);
}

void world_clear(struct world *world)
{
    mem_free(world->events);
    world->events = NULL;
}
