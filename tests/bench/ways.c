/* ways: see ways.h. */
#include "ways.h"
#include "fill.h"
#include "ours.h"
#include "seed.h"
#include <stdio.h>
#include <string.h>

#define TIMEOUT_S  "120" /* longer than any run */
#define TIMEOUT_MS "120000"

static bool is_shared(const struct pool_plan *pool)
{
    return strcmp(pool->name, "rotating") == 0;
}

static void say_seed(struct load_target *target, struct program *redis, const char *base,
                     const struct pool_plan *pool)
{
    struct seed seed;
    seed_load(&seed, redis, base, is_shared(pool));
    seed_malloc(&seed, &target->take, TIMEOUT_S, pool->is_named ? "%name" : "");
    if (!is_shared(pool))
        seed_free(&seed, &target->give, "%resource");
}

/* Shared pools and names have no script for one operation: a batch of one does it. */
static void say_ours(struct load_target *target, struct program *redis, const char *prefix,
                     const struct pool_plan *pool)
{
    struct ours ours = {.daemon = "%client", .sequence = "%sequence"};
    ours_init(&ours, prefix, pool->name, is_shared(pool));
    ours_load(redis);
    if (is_shared(pool) || pool->is_named) {
        ours_batch_malloc(&ours, &target->take, TIMEOUT_MS, pool->is_named ? "%name" : "");
    } else {
        ours_malloc(&ours, &target->take, TIMEOUT_MS);
        target->before_resource = OURS_TOKEN_LEN;
    }
    if (!is_shared(pool))
        ours_free(&ours, &target->give, "%resource");
    target->refusal = OURS_REFUSAL;
    ours_clear(&ours);
}

static void say_daemon(struct load_target *target, const struct pool_plan *pool)
{
    WORDS(&target->take, "MALLOC", pool->name, "TIMEOUT", TIMEOUT_S);
    if (pool->is_named)
        WORDS(&target->take, "NAME", "%name");
    if (!is_shared(pool))
        WORDS(&target->give, "FREE", pool->name, "%resource");
}

static void say_plain(struct load_target *target)
{
    WORDS(&target->take, "SET", "%name", "1", "NX", "EX", TIMEOUT_S);
    WORDS(&target->give, "DEL", "%name");
}

/* Of its own lock each time, under its own name; nobody else wants it. */
static void say_recipe(struct load_target *target, struct program *redis)
{
    static const char unlock[] = "if redis.call('GET', KEYS[1]) == ARGV[1] then "
                                 "return redis.call('DEL', KEYS[1]) end return 0";
    redisReply *sha = program_ask(redis, "SCRIPT LOAD %s", unlock);
    WORDS(&target->take, "SET", "%name", "%client", "NX", "EX", TIMEOUT_S);
    WORDS(&target->give, "EVALSHA", sha->str, "1", "%name", "%client");
    freeReplyObject(sha);
}

static void say_locks(struct load_target *target)
{
    WORDS(&target->take, "LOCK", "%name", "%client", "TIMEOUT", TIMEOUT_S);
    WORDS(&target->give, "UNLOCK", "%name", "%client");
    target->takes_number = true;
}

/* Endpoints, and the daemons behind them. */
static void place(struct way *way, struct stage *stage, const struct way_plan *plan)
{
    bool is_daemon = plan->side == SIDE_DAEMON || plan->side == SIDE_LOCKS;
    struct program *programs = is_daemon ? stage->daemons : &stage->redis;
    int count = is_daemon ? plan->daemon_count : 1;
    for (int i = 0; i < count; i++)
        way->endpoints[i] = plan->is_unix ? programs[i].local : programs[i].tcp;
    way->target.endpoints = way->endpoints;
    way->target.endpoint_count = count;
    if (plan->side == SIDE_MIRROR) {
        way->endpoints[0] = plan->is_unix ? stage->mirror.local : stage->mirror.tcp;
        way->mirror = stage->mirror.pid;
    }
    if (is_daemon) {
        way->daemons = stage->daemons;
        way->daemon_count = count;
    }
}

void way_init(struct way *way, struct stage *stage, const struct way_plan *plan)
{
    static const char *const prefixes[] = {
        [SIDE_SEED] = "seed", [SIDE_OURS] = "ours", [SIDE_DAEMON] = STAGE_NAMESPACE};
    static const char *const names[] = {
        [SIDE_SEED] = "library's scripts",  [SIDE_OURS] = "our scripts",
        [SIDE_DAEMON] = "rallocd",          [SIDE_PLAIN] = "SET and DEL",
        [SIDE_RECIPE] = "SET and a script", [SIDE_LOCKS] = "rallocd",
        [SIDE_MIRROR] = "a mirror"};
    const char *prefix;
    char base[64];
    *way = (struct way){.target = {.name = names[plan->side]}};
    place(way, stage, plan);
    if (plan->side == SIDE_PLAIN)
        say_plain(&way->target);
    else if (plan->side == SIDE_RECIPE)
        say_recipe(&way->target, &stage->redis);
    else if (plan->side == SIDE_LOCKS)
        say_locks(&way->target);
    else if (plan->side == SIDE_MIRROR)
        say_daemon(&way->target, &plan->pool);
    if (plan->side >= SIDE_MIRROR)
        return;
    prefix = prefixes[plan->side];
    snprintf(base, sizeof(base), "%s|%s", prefix, plan->pool.name);
    fill_pool(&stage->redis, base, plan->pool.resources);
    if (plan->side == SIDE_SEED)
        say_seed(&way->target, &stage->redis, base, &plan->pool);
    else if (plan->side == SIDE_OURS)
        say_ours(&way->target, &stage->redis, prefix, &plan->pool);
    else
        say_daemon(&way->target, &plan->pool);
}

void way_clear(struct way *way)
{
    words_clear(&way->target.take);
    words_clear(&way->target.give);
}
