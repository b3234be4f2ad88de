/* gc: see gc.h. */
#include "jobs/gc.h"
#include "base/mem.h"
#include "pool/members.h"
#include "pool/repair.h"
#include "pool/rules.h"
#include <inttypes.h>

#define TICK_MS 1000 /* the deadline index */
/* Of a pool that nothing is known of: somebody named it, and it may well be a mistake. */
#define UNKNOWN_TICK_MS 5000
#define MAX_FOLLOW_MS   5000

/* gc_count = 0: as many entries that a pool of up to PASS_MAX is gone over in PASS_MS, somewhat
 * less than the 10 s that are promised. Larger pools take longer in proportion: the price of the
 * sweep is bounded, and what expires in the index does not wait for it. */
#define PASS_MS       8000
#define PASS_MAX      10000
#define SWEEP_MIN     10
#define SWEEP_MAX     5000
#define SCAN_PACE_MS  20
#define SCAN_PASS_MS  60000
#define SCAN_COUNT    "1000"
#define SCAN_RETRY_MS 1000

/* One collection on its way. */
struct collection {
    struct gc *gc;
    struct pool *pool;
    int64_t asked_ms;
};

/* --- when ----------------------------------------------------------------------------------------
 */

/* Up to a tenth earlier: so that many pools and daemons do not keep step, and nothing is late. */
static int64_t jittered(struct gc *gc, int64_t ms)
{
    return ms - (int64_t)rand_below(gc->rand, (uint64_t)(ms / 10 + 1));
}

/* How many entries the sweep takes now, and when the next one is due. */
static int64_t plan_sweep(struct gc *gc, struct pool *pool, int64_t now_ms)
{
    int64_t interval_ms = pool->config->gc_interval_ms, count = pool->config->gc_count;
    if (count == 0) {
        int64_t total = pool->total < PASS_MAX ? pool->total : PASS_MAX;
        count = (total * interval_ms + PASS_MS - 1) / PASS_MS;
        if (count > SWEEP_MAX) {
            interval_ms = interval_ms * SWEEP_MAX / count;
            count = SWEEP_MAX;
        }
        if (count < SWEEP_MIN)
            count = SWEEP_MIN;
    }
    pool->sweep_due_ms = now_ms + jittered(gc, interval_ms);
    return count;
}

/* --- one collection ------------------------------------------------------------------------------
 */

static uint64_t counted(const struct answer *answer, size_t i)
{
    int64_t n = answer_int(answer_at(answer, i), 0);
    return n > 0 ? (uint64_t)n : 0;
}

/* The answer: see lua/pool/gc.lua. */
enum {
    LEADS,
    SCANNED,
    RECLAIMED,
    EXPIRED,
    REPAIRED,
    BROKEN,
    MORE,
    TOTAL,
    NEXT_DEADLINE,
    LEADER_TTL,
    RULES,
    TO_CLEAN
};

static void note_collected(struct gc *gc, struct pool *pool, const struct answer *answer)
{
    uint64_t repaired = counted(answer, REPAIRED), reclaimed = counted(answer, RECLAIMED);
    uint64_t expired = counted(answer, EXPIRED);
    pool->counters.reclaimed += reclaimed;
    pool->counters.expired += expired;
    pool->counters.repaired += repaired;
    if (repaired > 0)
        log_text(gc->log, LOG_LEVEL_WARNING, "gc-repaired", "pool %s: %" PRIu64 " entries mended",
                 pool->name, repaired);
    if (reclaimed > 0 || expired > 0)
        log_text(gc->log, LOG_LEVEL_DEBUG, "gc-collected",
                 "pool %s: %" PRIu64 " leases reclaimed, %" PRIu64 " resources expired", pool->name,
                 reclaimed, expired);
    if (counted(answer, BROKEN) > 0)
        repair_start(pool, "found by the collector");
}

static void end_collection(void *arg, const struct err *err, const struct answer *answer)
{
    struct collection *collection = arg;
    struct gc *gc = collection->gc;
    struct pool *pool = collection->pool;
    int64_t now_ms = clock_ms(gc->clock), asked_ms = collection->asked_ms;
    mem_free(collection);
    pool->is_collecting = false;

    if (err != NULL || !answer_is_array(answer)) {
        pool->gc_due_ms = now_ms + jittered(gc, TICK_MS);
        return;
    }
    pool->total = answer_int(answer_at(answer, TOTAL), 0);
    pool->to_clean = answer_int(answer_at(answer, TO_CLEAN), 0);
    rules_found(pool, answer_str(answer_at(answer, RULES)));
    pool->is_leading = answer_int(answer_at(answer, LEADS), 0) == 1;
    if (!pool->is_leading) {
        int64_t ttl_ms = answer_int(answer_at(answer, LEADER_TTL), 0);
        if (ttl_ms < TICK_MS)
            ttl_ms = TICK_MS;
        pool->gc_due_ms = now_ms + (ttl_ms < MAX_FOLLOW_MS ? ttl_ms : MAX_FOLLOW_MS) +
                          (int64_t)rand_below(gc->rand, TICK_MS / 4);
        return;
    }
    pool->leads_until_ms = asked_ms + MEMBERS_LEADER_MS;
    pool->is_known = pool->total > 0 || answer_int(answer_at(answer, NEXT_DEADLINE), -1) >= 0;
    note_collected(gc, pool, answer);
    if (counted(answer, MORE) > 0)
        pool->gc_due_ms = now_ms;
    else
        pool->gc_due_ms = now_ms + jittered(gc, pool->is_known ? TICK_MS : UNKNOWN_TICK_MS);
}

static void collect(struct gc *gc, struct pool *pool, int64_t now_ms)
{
    struct collection *collection = mem_alloc(sizeof *collection);
    int64_t count = 0;
    *collection = (struct collection){gc, pool, now_ms};
    if (now_ms >= pool->sweep_due_ms)
        count = plan_sweep(gc, pool, now_ms);
    pool->is_collecting = true;
    members_gc(pool, true, count, end_collection, collection);
}

/* --- discovery -----------------------------------------------------------------------------------
 */

static void write_pattern(struct gc *gc)
{
    struct str prefix = pools_prefix(gc->pools);
    const char *suffix = "|*|pool";
    size_t at = 0, room = sizeof gc->pattern - strlen(suffix) - 1;
    for (size_t i = 0; i < prefix.len && at + 2 <= room; i++) {
        if (strchr("*?[]^\\", prefix.ptr[i]) != NULL)
            gc->pattern[at++] = '\\';
        gc->pattern[at++] = prefix.ptr[i];
    }
    memcpy(gc->pattern + at, suffix, strlen(suffix) + 1);
}

/* A key that was found. It is a pool's only if this daemon would keep that pool under it. */
static void meet(struct gc *gc, struct str key)
{
    struct str name, prefix = pools_prefix(gc->pools);
    struct pool *pool;
    struct err err;
    if (!pool_keys_parse(prefix, key, &name))
        return;
    pool = pools_find(gc->pools, name);
    if (pool == NULL) {
        pool = pools_get(gc->pools, name, &err);
        if (pool != NULL) {
            log_line(gc->log, LOG_LEVEL_INFO, "pool-found", "pool", pool->name, NULL);
        } else if (!gc->is_full) {
            gc->is_full = true;
            log_line(gc->log, LOG_LEVEL_WARNING, "pool-refused", "why", err.text, NULL);
        }
    }
    if (pool != NULL && str_eq(pool_keys_hash(&pool->keys), key))
        pool_mark_known(pool);
}

static void end_scan(struct op *op, const struct err *err, const struct answer *answer)
{
    struct gc *gc = list_entry(op, struct gc, scan);
    const struct answer *found = answer_at(answer, 1);
    struct str cursor = answer_str(answer_at(answer, 0));
    int64_t now_ms = clock_ms(gc->clock);
    gc->is_scanning = false;
    if (err != NULL || cursor.len == 0 || cursor.len >= sizeof gc->cursor) {
        gc->scan_due_ms = now_ms + SCAN_RETRY_MS;
        return;
    }
    for (size_t i = 0; i < answer_count(found); i++)
        meet(gc, answer_str(answer_at(found, i)));
    memcpy(gc->cursor, cursor.ptr, cursor.len);
    gc->cursor[cursor.len] = '\0';
    gc->scan_due_ms = now_ms + SCAN_PACE_MS;
    if (str_eq(cursor, STR("0")) && gc->pass_started_ms + SCAN_PASS_MS > gc->scan_due_ms)
        gc->scan_due_ms = gc->pass_started_ms + jittered(gc, SCAN_PASS_MS);
}

static void scan(struct gc *gc, int64_t now_ms)
{
    struct err err;
    if (strcmp(gc->cursor, "0") == 0) {
        gc->pass_started_ms = now_ms;
        gc->is_full = false;
        write_pattern(gc);
    }
    gc->scan_args[0] = STR("SCAN");
    gc->scan_args[1] = str_of(gc->cursor);
    gc->scan_args[2] = STR("MATCH");
    gc->scan_args[3] = str_of(gc->pattern);
    gc->scan_args[4] = STR("COUNT");
    gc->scan_args[5] = STR(SCAN_COUNT);
    gc->scan_args[6] = STR("TYPE");
    gc->scan_args[7] = STR("hash");
    gc->scan =
        (struct op){.script = SCRIPT_NONE, .args = gc->scan_args, .arg_count = 8, .done = end_scan};
    gc->is_scanning = true;
    if (!lane_add(&gc->pools->lane, &gc->scan, &err)) {
        gc->is_scanning = false;
        gc->scan_due_ms = now_ms + SCAN_RETRY_MS;
    }
}

/* -------------------------------------------------------------------------------------------------
 */

void gc_init(struct gc *gc, struct pools *pools, const struct clock *clock, struct rand *rand,
             struct log *log)
{
    *gc = (struct gc){.pools = pools, .clock = clock, .rand = rand, .log = log, .cursor = "0"};
    gc->scan_due_ms = clock_ms(clock) + (int64_t)rand_below(rand, 1000);
}

void gc_tick(struct gc *gc)
{
    int64_t now_ms = clock_ms(gc->clock);
    list_each (node, &gc->pools->all) {
        struct pool *pool = list_entry(node, struct pool, node);
        if (!pool->is_collecting && now_ms >= pool->gc_due_ms)
            collect(gc, pool, now_ms);
    }
    if (!gc->is_scanning && now_ms >= gc->scan_due_ms)
        scan(gc, now_ms);
}
