/* sidecar: see sidecar.h. */
#include "tests/sim/sidecar.h"
#include "base/mem.h"

static void tick_batches(void *arg)
{
    struct sidecar *sidecar = arg;
    if (!sidecar->is_alive)
        return;
    batches_tick(&sidecar->batches);
    world_after(sidecar->world, 50 * MS, tick_batches, sidecar);
}

static void tick_gc(void *arg)
{
    struct sidecar *sidecar = arg;
    if (!sidecar->is_alive)
        return;
    gc_tick(&sidecar->gc);
    world_after(sidecar->world, 100 * MS, tick_gc, sidecar);
}

static void tick_pools(void *arg)
{
    struct sidecar *sidecar = arg;
    if (!sidecar->is_alive)
        return;
    pools_forget_idle(&sidecar->pools);
    world_after(sidecar->world, 5 * SECOND, tick_pools, sidecar);
}

static void flush(void *arg)
{
    struct sidecar *sidecar = arg;
    if (sidecar->is_alive)
        batches_flush(&sidecar->batches);
}

/* The loop's turn has an end: what came in it, or in the next, goes together. */
static void gather(void *arg, bool in_next_turn)
{
    struct sidecar *sidecar = arg;
    (void)in_next_turn; /* turns of the world have any length */
    world_after(sidecar->world, world_between(sidecar->world, 0, MS), flush, sidecar);
}

static void ring_alarms(void *arg)
{
    struct sidecar *sidecar = arg;
    if (!sidecar->is_alive)
        return;
    sidecar->next_alarm_ms = INT64_MAX;
    alarms_ring(&sidecar->waiters.alarms, clock_ms(&sidecar->world->clock));
}

/* The world keeps events that come to nothing. */
static void schedule_alarm(void *arg, int64_t at_ms)
{
    struct sidecar *sidecar = arg;
    int64_t ms = at_ms - clock_ms(&sidecar->world->clock);
    if (at_ms >= sidecar->next_alarm_ms)
        return;
    sidecar->next_alarm_ms = at_ms;
    world_after(sidecar->world, ms > 0 ? ms * MS : 0, ring_alarms, sidecar);
}

struct sidecar *sidecar_new(struct world *world, struct network *network,
                            const struct config *config, int number)
{
    struct sidecar *sidecar = mem_zalloc(sizeof *sidecar);
    sidecar->world = world;
    sidecar->number = number;
    sidecar->is_alive = true;
    rand_token(&world->rand, sidecar->id);
    sidecar->upstream = network_attach(network);
    batches_init(&sidecar->batches, sidecar->upstream, &world->clock, NULL,
                 str_make(sidecar->id, sizeof sidecar->id));
    sidecar->batches.max_batch = (int)world_between(world, 1, 16);
    if (world_chance(world, 700)) {
        sidecar->batches.gather = gather;
        sidecar->batches.gather_arg = sidecar;
    }
    waiters_init(&sidecar->waiters, &sidecar->batches, &world->rand);
    sidecar->next_alarm_ms = INT64_MAX;
    sidecar->waiters.alarms.schedule = schedule_alarm;
    sidecar->waiters.alarms.arg = sidecar;
    pools_init(&sidecar->pools, &sidecar->batches, &sidecar->waiters, config, &world->clock,
               &world->rand, NULL);
    pools_configure(&sidecar->pools);
    gc_init(&sidecar->gc, &sidecar->pools, &world->clock, &world->rand, NULL);
    world_after(world, world_between(world, 0, 50 * MS), tick_batches, sidecar);
    world_after(world, world_between(world, 0, 100 * MS), tick_gc, sidecar);
    world_after(world, 5 * SECOND, tick_pools, sidecar);
    return sidecar;
}

void sidecar_kill(struct sidecar *sidecar)
{
    if (!sidecar->is_alive)
        return;
    sidecar->is_dying = true;
    sidecar->is_alive = false;
    network_detach(sidecar->upstream);
    batches_clear(&sidecar->batches);
    pools_clear(&sidecar->pools);
    waiters_clear(&sidecar->waiters);
}

void sidecar_free(struct sidecar *sidecar)
{
    sidecar_kill(sidecar);
    mem_free(sidecar);
}
