/* sim: thousands of lives of a small fleet, each from a seed: daemons with the production code of
 * ops/, pool/ and jobs/, the production scripts, clients, and everything that can go wrong between
 * them. usage: sim   (environment: RALLOCD_SEED=n runs one, loudly; RALLOCD_SEEDS=n that many,
 * however long it takes; else the first 3000, or as many as fit into 15 s)
 * What is checked while it runs: history.h. At the end, when all have gone home: every request was
 * answered once, every resource is free again, no pool is broken. */
#include "base/mem.h"
#include "pool/plain.h"
#include "tests/sim/actors.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_SEEDS   3000
#define DEFAULT_SECONDS 15.0
#define WORKERS         2

/* --- what actors ask of the scene ----------------------------------------------------------------
 */

struct sidecar *scene_sidecar(struct scene *scene)
{
    int first = (int)world_below(scene->world, MAX_SIDECARS);
    for (int i = 0; i < MAX_SIDECARS; i++) {
        struct sidecar *sidecar = scene->sidecars[(first + i) % MAX_SIDECARS];
        if (sidecar != NULL)
            return sidecar;
    }
    return NULL;
}

struct pool *scene_pool(struct sidecar *sidecar, int pool)
{
    struct err err;
    struct pool *found = pools_get(&sidecar->pools, str_of(pool_names[pool]), &err);
    if (found == NULL)
        world_fail(sidecar->world, "pool %s: %s", pool_names[pool], err.text);
    return found;
}

void scene_check_error(struct scene *scene, const struct err *err, const char *what)
{
    bool is_broken = strstr(err->text, "is broken") != NULL;
    if (err->kind == ERR_UPSTREAM || (is_broken && scene->plan.has_vandal))
        return;
    world_fail(scene->world, "%s: %s %s", what, err_word(err->kind), err->text);
}

/* --- what Redis did ------------------------------------------------------------------------------
 */

static int pool_of_key(struct scene *scene, struct str key)
{
    for (int i = 0; i < scene->plan.pools; i++) {
        if (str_eq(pool_keys_hash(&scene->keys[i]), key))
            return i;
    }
    return -1;
}

static const redisReply *run_script(struct scene *scene, int pool, enum script_id id)
{
    const struct script *script = script_of(id);
    struct str keys[SCRIPT_MAX_KEYS];
    pool_keys_of(&scene->keys[pool], script, keys);
    return keyspace_script(scene->world->redis, id, keys, script->key_count, NULL, 0);
}

/* total, free and leased of a pool, and the first thing that is broken; "" when nothing is. */
static struct str check_pool(struct scene *scene, int pool, int64_t counts[3], char text[200])
{
    const struct script *script = script_of(SCRIPT_POOL_CHECK);
    struct str keys[SCRIPT_MAX_KEYS];
    const redisReply *reply;
    pool_keys_of(&scene->keys[pool], script, keys);
    reply =
        keyspace_script(scene->world->redis, SCRIPT_POOL_CHECK, keys, script->key_count, NULL, 0);
    text[0] = '\0';
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 3) {
        snprintf(text, 200, "check failed: %s", reply->str != NULL ? reply->str : "?");
        return str_of(text);
    }
    for (int i = 0; i < 3; i++)
        counts[i] = reply->element[i]->integer;
    if (reply->elements > 3)
        snprintf(text, 200, "%s", reply->element[3]->str);
    return str_of(text);
}

static void note_token(struct scene *scene, int pool, struct str token, int64_t fence)
{
    /* What is granted to who waits is seen when it is fetched, later than others. */
    if (map_put(&scene->tokens, token, scene) == NULL && !scene->plan.has_waits)
        history_fence(&scene->history, pool, fence, token);
}

/* What a batch answered to one operation. */
static void note_grants(struct scene *scene, int pool, const redisReply *reply)
{
    struct str token, resource;
    int64_t fence;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
        reply->element[0]->type == REDIS_REPLY_INTEGER)
        return; /* a place in the line, or a beat */
    for (size_t i = 0; i + 3 < reply->elements && reply->type == REDIS_REPLY_ARRAY; i += 4) {
        const redisReply *text = reply->element[i + 1];
        note_token(scene, pool, str_make(text->str, text->len), reply->element[i + 2]->integer);
    }
    if (reply->type == REDIS_REPLY_STRING &&
        plain_split(str_make(reply->str, reply->len), &token, &resource, &fence))
        note_token(scene, pool, token, fence);
}

static bool is_batch(enum script_id script)
{
    return script == SCRIPT_POOL_BATCH || script == SCRIPT_POOL_PLAIN ||
           script == SCRIPT_POOL_MALLOC_ONE;
}

static void watch(void *arg, enum script_id script, struct str key, const redisReply *reply)
{
    struct scene *scene = arg;
    int pool = pool_of_key(scene, key);
    int64_t counts[3];
    char text[200];
    if (pool < 0)
        return;
    if (is_batch(script) && reply->type == REDIS_REPLY_ARRAY && !scene->plan.is_shared[pool]) {
        for (size_t i = 0; i < reply->elements; i++)
            note_grants(scene, pool, reply->element[i]);
    }
    if (reply->type == REDIS_REPLY_ERROR)
        world_say(scene->world, "%s: %s", script_of(script)->name, reply->str);
    if (!scene->plan.has_peers && !scene->plan.has_vandal && world_chance(scene->world, 30) &&
        check_pool(scene, pool, counts, text).len > 0)
        world_fail(scene->world, "pool %d after %s: %s", pool, script_of(script)->name, text);
}

/* --- fate ----------------------------------------------------------------------------------------
 */

static struct config *new_config(const struct plan *plan)
{
    static char prefix[] = "ns", empty[] = "";
    static const unsigned char seed[16];
    struct config *config = mem_zalloc(sizeof *config);
    config->server.namespace = prefix;
    config->server.max_pools = 100;
    config->pool_default.prefix = empty;
    config->pool_default.gc_interval_ms = 1000;
    map_init(&config->pools, seed);
    for (int i = 0; i < plan->pools; i++) {
        struct pool_config *pool = mem_alloc(sizeof *pool);
        *pool = config->pool_default;
        pool->gc_interval_ms = plan->has_sweep ? 1000 : 3600 * 1000;
        pool->is_shared = plan->is_shared[i];
        map_put(&config->pools, str_of(pool_names[i]), pool);
    }
    return config;
}

static void free_config(struct config *config)
{
    struct str name;
    void *pool;
    for (size_t at = 0; map_next(&config->pools, &at, &name, &pool);)
        mem_free(pool);
    map_clear(&config->pools);
    mem_free(config);
}

static struct plan draw_plan(struct world *world)
{
    struct plan plan = {0};
    plan.sidecars = (int)world_between(world, 1, MAX_SIDECARS);
    plan.clients = (int)world_between(world, 1, MAX_ACTORS);
    plan.pools = (int)world_between(world, 1, MAX_POOLS);
    for (int i = 0; i < plan.pools; i++)
        plan.is_shared[i] = world_chance(world, 100);
    plan.has_kills = world_chance(world, 500);
    plan.has_gone = world_chance(world, 500);
    plan.has_waits = world_chance(world, 600);
    plan.has_loss = world_chance(world, 50);
    plan.has_expiry = world_chance(world, 300);
    plan.has_members = world_chance(world, 600);
    plan.has_peers = world_chance(world, 250);
    plan.has_vandal = world_chance(world, 100);
    plan.has_leaps = world_chance(world, 300);
    /* Leases that nobody may be left to end: a vandal takes away what tells whose one is. */
    plan.has_permanent = !plan.has_kills && !plan.has_gone && !plan.has_loss && !plan.has_vandal;
    /* Without what others do, the index alone has to bring everything back. */
    plan.has_sweep = plan.has_peers || plan.has_vandal || plan.has_loss || world_chance(world, 300);
    plan.hurry_ms = (int)world_between(world, 5, 400);
    plan.length_us = world_between(world, 2, 10) * SECOND;
    return plan;
}

static struct weather draw_weather(struct world *world)
{
    struct weather weather = {0};
    int scale = world_chance(world, 150) ? 0 : (int)world_between(world, 1, 60);
    weather.lost_request = (int)world_below(world, 1 + (uint64_t)scale);
    weather.lost_reply = (int)world_below(world, 1 + (uint64_t)scale);
    weather.late = (int)world_below(world, 1 + (uint64_t)scale);
    weather.refused = (int)world_below(world, 1 + (uint64_t)scale);
    weather.slow = (int)world_below(world, 1 + (uint64_t)scale);
    weather.cut = (int)world_below(world, 1 + (uint64_t)scale / 2);
    return weather;
}

/* --- one life ------------------------------------------------------------------------------------
 */

struct fleet {
    struct scene scene;
    struct world world;
    struct sidecar *all[256]; /* those that ever lived */
    int started;
};

static void start_sidecar(struct fleet *fleet)
{
    struct scene *scene = &fleet->scene;
    for (int i = 0; i < MAX_SIDECARS; i++) {
        if (scene->sidecars[i] != NULL || fleet->started == 256)
            continue;
        scene->sidecars[i] =
            sidecar_new(&fleet->world, scene->network, scene->config, fleet->started);
        fleet->all[fleet->started++] = scene->sidecars[i];
        return;
    }
}

static void start_another(void *arg)
{
    start_sidecar(arg);
}

static void kill_one(struct fleet *fleet)
{
    struct scene *scene = &fleet->scene;
    size_t i = world_below(&fleet->world, MAX_SIDECARS);
    struct sidecar *sidecar = scene->sidecars[i];
    if (sidecar == NULL)
        return;
    world_say(&fleet->world, "daemon %d is killed", sidecar->number);
    scene->sidecars[i] = NULL;
    sidecar_kill(sidecar);
    world_after(&fleet->world, world_between(&fleet->world, 0, 2 * SECOND), start_another, fleet);
}

static void act_client(void *arg)
{
    struct actor *actor = arg;
    struct scene *scene = actor->scene;
    client_act(actor);
    world_after(scene->world, world_between(scene->world, 1, 2 * scene->plan.hurry_ms) * MS,
                act_client, actor);
}

static void act_others(void *arg)
{
    struct fleet *fleet = arg;
    struct scene *scene = &fleet->scene;
    struct world *world = &fleet->world;
    if (scene->is_over)
        return;
    if (world_chance(world, 500))
        admin_act(scene);
    if (scene->plan.has_peers && world_chance(world, 500))
        peer_act(scene);
    if (scene->plan.has_vandal && world_chance(world, 50))
        vandal_act(scene);
    if (scene->plan.has_kills && world_chance(world, 30))
        kill_one(fleet);
    if (scene->plan.has_leaps && world_chance(world, 10))
        world_leap(world, world_between(world, 0, 3 * SECOND));
    if (scene->plan.has_loss && world_chance(world, 10)) {
        world_say(world, "Redis loses its data");
        scene->history.is_overlap_allowed = true;
        keyspace_flush(world->redis);
    }
    world_after(world, world_between(world, 1, 100) * MS, act_others, fleet);
}

static void fill_pools(struct scene *scene)
{
    const struct script *script = script_of(SCRIPT_POOL_EXTEND);
    for (int i = 0; i < scene->plan.pools; i++) {
        struct str keys[SCRIPT_MAX_KEYS], args[RESOURCES + 1] = {STR("0")};
        int count = (int)world_between(scene->world, 1, RESOURCES);
        pool_keys_of(&scene->keys[i], script, keys);
        for (int k = 0; k < count; k++)
            args[k + 1] = str_of(resource_names[k]);
        keyspace_script(scene->world->redis, SCRIPT_POOL_EXTEND, keys, script->key_count, args,
                        count + 1);
    }
}

static void check_end(struct scene *scene)
{
    if (scene->asked != scene->answered)
        world_fail(scene->world, "%" PRIu64 " requests, %" PRIu64 " answers", scene->asked,
                   scene->answered);
    for (int i = 0; i < scene->plan.pools; i++) {
        int64_t counts[3] = {0};
        char text[200];
        /* The collector has found all that a vandal did, but for entries in a circle of their own,
         * where each link is right: those are for POOL REPAIR. */
        if (scene->plan.has_vandal && check_pool(scene, i, counts, text).len > 0 &&
            strstr(text, "out of the list's reach") != NULL)
            run_script(scene, i, SCRIPT_POOL_REPAIR);
        if (check_pool(scene, i, counts, text).len > 0)
            world_fail(scene->world, "pool %d at the end: %s", i, text);
        else if (counts[0] != counts[1] || counts[2] != 0) {
            struct str k[] = {STR("SCAN"), STR("0"), STR("COUNT"), STR("1000")};
            const redisReply *r = keyspace_command(scene->world->redis, k, 4);
            redisReply *cp = keyspace_copy(r);
            for (size_t j = 0; j < cp->element[1]->elements; j++) {
                struct str g[] = {STR("GET"), str_of(cp->element[1]->element[j]->str)};
                const redisReply *v = keyspace_command(scene->world->redis, g, 2);
                fprintf(stderr, "%s = %s\n", g[1].ptr, v->str ? v->str : "");
                if (v->type == REDIS_REPLY_ERROR) {
                    struct str h[] = {STR("HGETALL"), g[1]};
                    v = keyspace_command(scene->world->redis, h, 2);
                    for (size_t q = 0; q < v->elements; q++)
                        fprintf(stderr, "    %s\n", v->element[q]->str);
                }
            }
        }
        if (counts[0] != counts[1] || counts[2] != 0)
            world_fail(scene->world,
                       "pool %d at the end: %" PRId64 " resources, %" PRId64 " free, %" PRId64
                       " leased",
                       i, counts[0], counts[1], counts[2]);
    }
}

static void set_up(struct fleet *fleet, uint64_t seed, struct keyspace *redis, bool is_loud)
{
    static const unsigned char map_seed[16];
    struct scene *scene = &fleet->scene;
    struct world *world = &fleet->world;
    struct weather weather;
    world_init(world, seed);
    world->is_loud = is_loud;
    world->redis = redis;
    keyspace_flush(redis);
    keyspace_set_time(redis, EPOCH_US);
    scene->world = world;
    scene->plan = draw_plan(world);
    weather = draw_weather(world);
    history_init(&scene->history, world);
    map_init(&scene->tokens, map_seed);
    scene->config = new_config(&scene->plan);
    scene->network = network_new(world);
    network_set_weather(scene->network, &weather);
    network_watch_with(scene->network, watch, scene);
    for (int i = 0; i < scene->plan.pools; i++)
        pool_keys_init(&scene->keys[i], STR("ns"), str_of(pool_names[i]));
    fill_pools(scene);
    for (int i = 0; i < scene->plan.sidecars; i++)
        start_sidecar(fleet);
    for (int i = 0; i < scene->plan.clients; i++) {
        scene->actors[i] = (struct actor){.scene = scene, .number = i};
        world_after(world, world_between(world, 0, 200 * MS), act_client, &scene->actors[i]);
    }
    world_after(world, world_between(world, 0, 100 * MS), act_others, fleet);
}

static void tear_down(struct fleet *fleet)
{
    struct scene *scene = &fleet->scene;
    for (int i = 0; i < fleet->started; i++)
        sidecar_free(fleet->all[i]);
    network_free(scene->network);
    history_clear(&scene->history);
    for (int i = 0; i < scene->plan.pools; i++)
        pool_keys_clear(&scene->keys[i]);
    map_clear(&scene->tokens);
    free_config(scene->config);
    world_clear(&fleet->world);
}

/* What all runs of a worker have done. */
struct tally {
    uint64_t seed; /* that it is at */
    uint64_t runs, failed, steps, calls, grants;
};

static void live(uint64_t seed, struct keyspace *redis, bool is_loud, struct tally *tally)
{
    static const struct weather calm;
    struct fleet *fleet = mem_zalloc(sizeof *fleet);
    struct scene *scene = &fleet->scene;
    tally->seed = seed;
    set_up(fleet, seed, redis, is_loud);
    world_run(&fleet->world, scene->plan.length_us);
    world_say(&fleet->world, "all go home");
    network_set_weather(scene->network, &calm);
    scene->is_over = true;
    /* what is still on its way, who still waits, then the longest lease, then the collector */
    world_run(&fleet->world,
              fleet->world.now_us + 5 * SECOND + (MAX_WAIT_MS + MAX_TIMEOUT_MS) * MS + 6 * SECOND);
    if (!fleet->world.is_failed)
        check_end(scene);
    tally->runs++;
    tally->failed += fleet->world.is_failed;
    tally->steps += fleet->world.steps;
    tally->calls += network_count_calls(scene->network);
    tally->grants += scene->history.grants;
    tear_down(fleet);
    mem_free(fleet);
}

/* --- all lives -----------------------------------------------------------------------------------
 */

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* until: when no life begins any more; 0: never. */
static void work(uint64_t first, uint64_t count, double until, struct tally *tally)
{
    struct keyspace *redis = keyspace_new();
    for (uint64_t seed = first; seed <= count && tally->failed < 3; seed += WORKERS) {
        if (until > 0 && seconds_now() > until)
            break;
        live(seed, redis, false, tally);
    }
    keyspace_free(redis);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

/* Each worker in a process of its own: one that dies leaves its seed behind. */
static bool run_workers(uint64_t seeds, double until, struct tally *tallies)
{
    pid_t pids[WORKERS];
    bool is_ok = true;
    fflush(NULL);
    for (int i = 0; i < WORKERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            work((uint64_t)i + 1, seeds, until, &tallies[i]);
            exit(tallies[i].failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS);
        }
    }
    for (int i = 0; i < WORKERS; i++) {
        int status = 0;
        if (pids[i] < 0 || waitpid(pids[i], &status, 0) < 0 || status != 0)
            is_ok = false;
        if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
            fprintf(stderr, "worker died at seed %" PRIu64 " (status %d)\n", tallies[i].seed,
                    status);
    }
    return is_ok;
}

int main(void)
{
    uint64_t seed = number_of("RALLOCD_SEED", 0), seeds = number_of("RALLOCD_SEEDS", 0);
    struct tally total = {0},
                 *tallies = mmap(NULL, WORKERS * sizeof *tallies, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double began = seconds_now(), took;
    bool is_ok = true;
    if (tallies == MAP_FAILED)
        return EXIT_FAILURE;
    if (seed != 0) {
        struct keyspace *redis = keyspace_new();
        live(seed, redis, true, &tallies[0]);
        keyspace_free(redis);
    } else {
        is_ok = seeds != 0 ? run_workers(seeds, 0, tallies)
                           : run_workers(DEFAULT_SEEDS, began + DEFAULT_SECONDS, tallies);
    }
    for (int i = 0; i < WORKERS; i++) {
        total.runs += tallies[i].runs;
        total.failed += tallies[i].failed;
        total.steps += tallies[i].steps;
        total.calls += tallies[i].calls;
        total.grants += tallies[i].grants;
    }
    took = seconds_now() - began;
    is_ok = is_ok && total.failed == 0;
    printf("%" PRIu64 " lives, %" PRIu64 " grants, %" PRIu64 " calls, %" PRIu64
           " steps in %.1f s: %.0f steps a second\n",
           total.runs, total.grants, total.calls, total.steps, took, (double)total.steps / took);
    if (total.failed == 0 && !is_ok)
        total.failed = 1;
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", total.runs - total.failed, total.failed);
    return is_ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
