/* compose: see compose.h. */
#include "ops/compose.h"
#include "base/mem.h"
#include "base/num.h"

enum {
    MANY_FULLS = 3,     /* in a row, after which cheaper scripts are left alone */
    POINTLESS_MS = 1000 /* for so long */
};

/* --- which operations --------------------------------------------------------------------------
 */

static int weight_of(const struct op *op)
{
    return op->weight > 0 ? op->weight : 1;
}

/* The operations of the next call. */
struct pick {
    size_t count, arg_count, key_count;
    int64_t weight;
    bool is_batch;
    bool is_full; /* for one of them only the batch script will do */
};

static void need_picked(struct batches *batches, size_t count)
{
    if (count <= batches->max_picked)
        return;
    batches->max_picked = count * 2;
    batches->picked = mem_realloc(batches->picked, batches->max_picked * sizeof *batches->picked);
}

/* How many at the head of the queue share the next call. */
static struct pick measure_run(struct lane *lane, bool is_beside)
{
    struct op *first = op_at(list_first(&lane->queue));
    struct pick pick = {.is_batch = first->script == lane->rules->batch_script};
    size_t limit = (size_t)lane->batches->max_batch;
    if (!pick.is_batch || lane->alone_left > 0)
        limit = 1;
    list_each (node, &lane->queue) {
        struct op *op = op_at(node);
        if (pick.count == limit || op->script != first->script || (is_beside && !op->is_sole) ||
            (pick.count > 0 && pick.weight + weight_of(op) > COMPOSE_MAX_WEIGHT))
            break;
        pick.weight += weight_of(op);
        pick.arg_count += (size_t)op->arg_count;
        pick.key_count += (size_t)op->key_count;
        pick.is_full = pick.is_full || op->is_full;
        pick.count++;
    }
    return pick;
}

/* Notes those that may lead, or the others, behind the first `at` picked ones. */
static size_t pick_some(struct lane *lane, size_t count, bool may_lead, size_t at)
{
    list_each (node, &lane->queue) {
        if (count-- == 0)
            break;
        if (op_at(node)->may_lead == may_lead)
            lane->batches->picked[at++] = op_at(node);
    }
    return at;
}

static struct pick pick_next(struct lane *lane, bool is_beside)
{
    struct pick pick = measure_run(lane, is_beside);
    need_picked(lane->batches, pick.count);
    pick_some(lane, pick.count, false, pick_some(lane, pick.count, true, 0));
    return pick;
}

/* --- their words -------------------------------------------------------------------------------
 */

/* The lane's keys, then those of the picked operations (none for a recall). */
static void write_keys(struct lane *lane, enum script_id id, const struct pick *pick)
{
    struct batches *batches = lane->batches;
    const struct script *script = script_of(id);
    size_t named = (size_t)script->key_count, own = pick != NULL ? pick->key_count : 0;
    words_start(&batches->keys, named + own, 0);
    lane->rules->keys(lane->owner, script, batches->keys.list);
    bool are_behind = id == lane->rules->batch_script || id == lane->rules->cheap_script;
    batches->keys.count = named - (are_behind ? 0 : own);
    for (size_t i = 0; own > 0 && i < pick->count; i++)
        words_put_all(&batches->keys, batches->picked[i]->keys,
                      (size_t)batches->picked[i]->key_count);
}

/* Puts daemon and sequence, which all batches begin with, and makes room for what follows. */
static void start_batch(const struct flight *flight, const struct pick *pick)
{
    struct batches *batches = flight->lane->batches;
    struct words *args = &batches->args;
    words_start(args, 2 + RULES_HEAD + pick->arg_count + pick->count * RULES_RUN_WORDS,
                NUM_INT_MAX + pick->count * RULES_RUN_BYTES);
    words_put(args, flight->journal);
    words_put_int(args, (int64_t)(batches->sequence + 1));
}

bool compose_is_pointless(const struct lane *lane)
{
    return lane->fulls >= MANY_FULLS &&
           clock_ms(lane->batches->clock) - lane->full_ms < POINTLESS_MS;
}

/* The args of the picked operations; which script takes them. */
static enum script_id write_args(const struct flight *flight, const struct pick *pick)
{
    struct lane *lane = flight->lane;
    struct batches *batches = lane->batches;
    const struct lane_rules *rules = lane->rules;
    enum script_id packed = SCRIPT_NONE;
    if (!pick->is_batch) {
        words_start(&batches->args, pick->arg_count, 0);
        words_put_all(&batches->args, batches->picked[0]->args, pick->arg_count);
        return batches->picked[0]->script;
    }
    start_batch(flight, pick);
    if (rules->pack != NULL && !pick->is_full && !compose_is_pointless(lane))
        packed = rules->pack(lane->owner, batches->picked, pick->count, &batches->args);
    if (packed != SCRIPT_NONE)
        return packed;
    start_batch(flight, pick);
    if (rules->head != NULL)
        rules->head(lane->owner, &batches->args);
    for (size_t i = 0; i < pick->count; i++)
        words_put_all(&batches->args, batches->picked[i]->args,
                      (size_t)batches->picked[i]->arg_count);
    return rules->batch_script;
}

/* A call of this script with the args that have been put together. */
static struct call make_call(struct lane *lane, enum script_id id, const struct pick *pick)
{
    struct batches *batches = lane->batches;
    struct call call = {
        .script = id, .args = batches->args.list, .arg_count = (int)batches->args.count};
    if (id != SCRIPT_NONE) {
        write_keys(lane, id, pick);
        call.keys = batches->keys.list;
        call.key_count = (int)batches->keys.count;
    }
    return call;
}

struct composed compose_next(const struct flight *flight, bool is_beside)
{
    struct lane *lane = flight->lane;
    struct pick pick = pick_next(lane, is_beside);
    if (pick.count == 0)
        return (struct composed){0};
    enum script_id id = write_args(flight, &pick);
    struct composed composed = {.count = pick.count,
                                .is_batch = pick.is_batch,
                                .is_packed = pick.is_batch && id != lane->rules->batch_script};
    if (is_beside && !composed.is_packed)
        return (struct composed){0};
    composed.call = make_call(lane, id, &pick);
    composed.call.weight = pick.weight;
    return composed;
}

struct composed compose_recall(const struct flight *flight)
{
    struct lane *lane = flight->lane;
    struct words *args = &lane->batches->args;
    words_start(args, 2, NUM_INT_MAX);
    words_put(args, flight->journal);
    words_put_int(args, (int64_t)flight->lost);
    struct composed composed = {.call = make_call(lane, lane->rules->recall_script, NULL)};
    composed.call.weight = flight->weight;
    return composed;
}
