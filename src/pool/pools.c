/* pools: see pools.h. */
#include "pool/pools.h"
#include "base/mem.h"
#include "base/name.h"
#include "pool/plain.h"
#include "pool/rules.h"
#include "pool/waits.h"
#include <inttypes.h>

#define FORGET_AFTER_MS 60000

static struct pool *pool_of(struct list_node *node)
{
    return list_entry(node, struct pool, node);
}

/* --- what the lanes ask --------------------------------------------------------------------------
 */

static void pool_lane_keys(void *owner, const struct script *script, struct str *keys)
{
    const struct pool *pool = owner;
    pool_keys_of(&pool->keys, script, keys);
}

static void pool_lane_head(void *owner, struct words *args)
{
    const struct pool *pool = owner;
    words_put(args, pool->config->is_shared ? STR("shared") : STR("exclusive"));
}

static enum script_id pool_lane_pack(void *owner, struct op *const *ops, size_t count,
                                     struct words *args)
{
    const struct pool *pool = owner;
    return pool->config->is_shared ? SCRIPT_NONE : plain_pack(ops, count, args);
}

static void pool_lane_recalled(void *owner, const struct answer *answer)
{
    struct pool *pool = owner;
    int64_t count = answer_int(answer, 0);
    pool->counters.recalled += count > 0 ? (uint64_t)count : 0;
    log_text(pool->pools->log, LOG_LEVEL_WARNING, "batch-recalled",
             "pool %s: %" PRId64 " leases of an unanswered call were given back", pool->name,
             count);
}

static void common_lane_keys(void *owner, const struct script *script, struct str *keys)
{
    const struct pools *pools = owner;
    pool_keys_of(&pools->keys, script, keys);
}

static const struct lane_rules pool_rules = {
    .batch_script = SCRIPT_POOL_BATCH,
    .recall_script = SCRIPT_POOL_RECALL,
    .keys = pool_lane_keys,
    .head = pool_lane_head,
    .pack = pool_lane_pack,
    .recalled = pool_lane_recalled,
};

/* Nothing there is merged: SCRIPT_COUNT is no script's id. */
static const struct lane_rules common_rules = {
    .batch_script = SCRIPT_COUNT,
    .keys = common_lane_keys,
};

/* --- one pool ------------------------------------------------------------------------------------
 */

static struct str prefix_of(const struct pools *pools, const struct pool_config *config)
{
    return str_of(config->prefix[0] != '\0' ? config->prefix : pools->config->server.namespace);
}

static struct pool *add_pool(struct pools *pools, struct str name)
{
    struct pool *pool = mem_zalloc(sizeof *pool);
    int64_t now_ms = clock_ms(pools->clock);
    pool->pools = pools;
    pool->name = mem_dup(name);
    pool->config = config_pool(pools->config, name);
    pool_keys_init(&pool->keys, prefix_of(pools, pool->config), name);
    lane_init(&pool->lane, pools->batches, &pool_rules, pool);
    line_init(&pool->line, pools->waiters, &waits_rules);
    pool->last_used_ms = now_ms;
    /* Spread: many pools are made at one instant, at the start. */
    pool->gc_due_ms = now_ms + (int64_t)rand_below(pools->rand, 1000);
    pool->sweep_due_ms =
        pool->gc_due_ms +
        (int64_t)rand_below(pools->rand, (uint64_t)pool->config->gc_interval_ms + 1);
    list_push(&pools->all, &pool->node);
    map_put(&pools->by_name, name, pool);
    rules_configure(pool);
    return pool;
}

static void drop_pool(struct pool *pool)
{
    map_remove(&pool->pools->by_name, str_of(pool->name));
    list_remove(&pool->pools->all, &pool->node);
    line_clear(&pool->line);
    lane_clear(&pool->lane);
    pool_keys_clear(&pool->keys);
    mem_free(pool->rules);
    mem_free(pool->name);
    mem_free(pool);
}

/* --- all of them ---------------------------------------------------------------------------------
 */

void pools_init(struct pools *pools, struct batches *batches, struct waiters *waiters,
                const struct config *config, const struct clock *clock, struct rand *rand,
                struct log *log)
{
    unsigned char seed[16];
    *pools = (struct pools){.batches = batches,
                            .waiters = waiters,
                            .config = config,
                            .clock = clock,
                            .rand = rand,
                            .log = log};
    rand_bytes(rand, seed, sizeof seed);
    map_init(&pools->by_name, seed);
    list_init(&pools->all);
    pool_keys_init(&pools->keys, str_of(config->server.namespace), STR(""));
    lane_init(&pools->lane, batches, &common_rules, pools);
}

void pools_clear(struct pools *pools)
{
    list_each (node, &pools->all)
        drop_pool(pool_of(node));
    lane_clear(&pools->lane);
    pool_keys_clear(&pools->keys);
    map_clear(&pools->by_name);
}

struct pool *pools_get(struct pools *pools, struct str name, struct err *err)
{
    struct pool *pool = map_get(&pools->by_name, name);
    if (pool != NULL) {
        pool->last_used_ms = clock_ms(pools->clock);
        return pool;
    }
    if (!name_check(name, NAME_POOL, err))
        return NULL;
    if (pools->all.count >= (size_t)pools->config->server.max_pools) {
        err_set(err, ERR_GENERAL, "this daemon knows %" PRId64 " pools already (max_pools)",
                pools->config->server.max_pools);
        return NULL;
    }
    return add_pool(pools, name);
}

struct pool *pools_find(const struct pools *pools, struct str name)
{
    return map_get(&pools->by_name, name);
}

void pool_mark_known(struct pool *pool)
{
    int64_t soon_ms = clock_ms(pool->pools->clock) + 1000;
    if (!pool->is_known && pool->gc_due_ms > soon_ms)
        pool->gc_due_ms = soon_ms;
    pool->is_known = true;
}

bool pool_leads(const struct pool *pool)
{
    return pool->is_leading && clock_ms(pool->pools->clock) < pool->leads_until_ms;
}

void pool_note_freed(struct pool *pool, int64_t count)
{
    struct pools *pools = pool->pools;
    if (count <= 0)
        return;
    pool->counters.frees += (uint64_t)count;
    if (pools->freed != NULL && pool->config->on_free[0] != '\0')
        pools->freed(pools->freed_arg, pool);
}

void pools_configure(struct pools *pools)
{
    struct str name;
    void *value;
    struct err err;
    list_each (node, &pools->all) {
        struct pool *pool = pool_of(node);
        pool->config = config_pool(pools->config, str_of(pool->name));
        rules_configure(pool);
    }
    for (size_t at = 0; map_next(&pools->config->pools, &at, &name, &value);) {
        if (map_get(&pools->by_name, name) == NULL && pools_get(pools, name, &err) == NULL)
            log_line(pools->log, LOG_LEVEL_WARNING, "pool-refused", "why", err.text, NULL);
    }
}

void pools_forget_idle(struct pools *pools)
{
    int64_t now_ms = clock_ms(pools->clock);
    list_each (node, &pools->all) {
        struct pool *pool = pool_of(node);
        if (!pool->is_known && pool->pending == 0 && lane_is_idle(&pool->lane) &&
            now_ms - pool->last_used_ms >= FORGET_AFTER_MS &&
            map_get(&pools->config->pools, str_of(pool->name)) == NULL)
            drop_pool(pool);
    }
}

struct str pools_prefix(const struct pools *pools)
{
    return prefix_of(pools, &pools->config->pool_default);
}
