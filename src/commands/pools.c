/* pools: what changes or mends a pool: POOL EXTEND SHRINK ASSIGN CLEAR REFRESH GC CHECK REPAIR.
 * Knows: pool/members, pool/repair, jobs/sources. */
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/outcome.h"
#include "pool/repair.h"

#define SWEEP_COUNT 10 /* the Python library's */

/* Without TIMEOUT they stay in the pool for ever. */
static struct member_words words_of(const struct ask *ask)
{
    return (struct member_words){.expiry_ms =
                                     ask->options.given & OPT_TIMEOUT ? ask->options.timeout_ms : 0,
                                 .has_priority = (ask->options.given & OPT_PRIORITY) != 0,
                                 .priority = ask->options.priority,
                                 .capacity = ask->options.capacity};
}

void cmd_pool_extend(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_priority(ask, MOST_PRIORITY) || !check_resources(ask, pool) ||
        !check_capacity(ask, pool))
        return;
    struct member_words words = words_of(ask);
    members_extend_with(pool, &words, ask->rest, ask->rest_count, outcome_int,
                        later_new(ask, pool));
}

void cmd_pool_shrink(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_resources(ask, pool))
        return;
    members_shrink(pool, ask->rest, ask->rest_count, outcome_int, later_new(ask, pool));
}

void cmd_pool_assign(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_priority(ask, MOST_PRIORITY) || !check_resources(ask, pool) ||
        !check_capacity(ask, pool))
        return;
    struct member_words words = words_of(ask);
    members_assign_with(pool, &words, ask->rest, ask->rest_count, outcome_ints,
                        later_new(ask, pool));
}

void cmd_pool_clear(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL)
        members_assign(pool, 0, NULL, 0, outcome_second_int, later_new(ask, pool));
}

static void end_refresh(void *arg, const struct err *err, const struct refresh *refresh)
{
    struct later *later = arg;
    struct reply *reply = later_reply(later);

    if (outcome_failed(later, err))
        return;
    reply_map(reply, 5);
    outcome_put_int(reply, "sources", refresh->sources);
    outcome_put_int(reply, "failed", refresh->failed);
    outcome_put_int(reply, "resources", refresh->resources);
    outcome_put_int(reply, "added", refresh->added);
    outcome_put_int(reply, "removed", refresh->removed);
    later_end(later);
}

void cmd_pool_refresh(struct ask *ask)
{
    struct pool *pool = check_pool(ask);
    struct err err;

    if (pool == NULL)
        return;
    struct feed *feed = sources_to_refresh(&ask->daemon->sources, pool, &err);
    if (feed == NULL) {
        ask_fail(ask, &err);
        return;
    }
    struct later *later = later_new(ask, pool);
    later->is_patient = true; /* for as long as the sources take */
    feed_refresh(feed, end_refresh, later);
}

/* The answer begins with whether the daemon leads; then come the four, and whether all is well. */
static void end_gc(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    if (answer_int(answer_at(answer, 5), 0) != 0)
        repair_start(later->pool, "found by POOL GC");
    reply_array(later_reply(later), 4);
    for (size_t i = 1; i <= 4; i++)
        reply_int(later_reply(later), answer_int(answer_at(answer, i), 0));
    later_end(later);
}

void cmd_pool_gc(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_count(ask))
        return;
    int64_t count = ask->options.given & OPT_COUNT ? ask->options.count : SWEEP_COUNT;
    members_gc(pool, false, count, end_gc, later_new(ask, pool));
}

/* The answer begins with three counts; then come the texts. */
static void end_check(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    size_t count = answer_count(answer);
    reply_array(later_reply(later), count > 3 ? count - 3 : 0);
    for (size_t i = 3; i < count; i++)
        reply_bulk(later_reply(later), answer_str(answer_at(answer, i)));
    later_end(later);
}

void cmd_pool_check(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL)
        members_check(pool, end_check, later_new(ask, pool));
}

static void end_repair(void *arg, const struct err *err, const struct answer *answer)
{
    static const char *const names[] = {"total", "free", "leased", "changed"};
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    reply_map(later_reply(later), 4);
    for (size_t i = 0; i < 4; i++)
        outcome_put_int(later_reply(later), names[i], answer_int(answer_at(answer, i), 0));
    later_end(later);
}

void cmd_pool_repair(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL)
        members_repair(pool, end_repair, later_new(ask, pool));
}
