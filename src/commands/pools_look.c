/* pools_look: what only looks: POOL KEYS LEN HAS FREELIST SCAN LIST INFO HEALTH STATUS.
 * Knows: pool/members. */
#include "base/mem.h"
#include "base/num.h"
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/outcome.h"
#include <stdlib.h>

#define SCAN_COUNT 10 /* as Redis' SCAN */

void cmd_pool_keys(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL)
        members_keys(pool, outcome_texts, later_new(ask, pool));
}

void cmd_pool_len(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL)
        members_len(pool, outcome_int, later_new(ask, pool));
}

void cmd_pool_has(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL && check_resource(ask, pool, ask->fixed[1]))
        members_has(pool, ask->fixed[1], outcome_int, later_new(ask, pool));
}

void cmd_pool_freelist(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_count(ask))
        return;
    int64_t count = ask->options.given & OPT_COUNT ? ask->options.count : -1;
    members_freelist(pool, count, outcome_texts, later_new(ask, pool));
}

/* Redis gives resources and their values in turn; the values are the layout's affair. */
static void end_scan(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    const struct answer *pairs = answer_at(answer, 1);
    reply_array(later_reply(later), 2);
    reply_bulk(later_reply(later), answer_str(answer_at(answer, 0)));
    reply_array(later_reply(later), answer_count(pairs) / 2);
    for (size_t i = 0; i + 1 < answer_count(pairs); i += 2)
        reply_bulk(later_reply(later), answer_str(answer_at(pairs, i)));
    later_end(later);
}

static bool is_cursor(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    }
    return s.len >= 1 && s.len <= 20; /* the digits of a 64 bit number */
}

void cmd_pool_scan(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_count(ask))
        return;
    if (!is_cursor(ask->fixed[1])) {
        ask_error(ask, ERR_GENERAL, "invalid cursor");
        return;
    }
    int64_t count = ask->options.given & OPT_COUNT ? ask->options.count : SCAN_COUNT;
    members_scan(pool, ask->fixed[1], count, end_scan, later_new(ask, pool));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void cmd_pool_list(struct ask *ask)
{
    struct pools *pools = &ask->daemon->pools;
    const char **names = mem_array(pools->all.count + 1, sizeof(*names));
    size_t count = 0;

    list_each (node, &pools->all) {
        struct pool *pool = list_entry(node, struct pool, node);
        if (pool->is_known || map_get(&ask->daemon->config.pools, str_of(pool->name)) != NULL)
            names[count++] = pool->name;
    }
    qsort(names, count, sizeof(*names), compare_names);
    reply_array(ask->reply, count);
    for (size_t i = 0; i < count; i++)
        reply_text(ask->reply, names[i]);
    mem_free(names);
}

static void put_source(struct reply *reply, const struct source *source, int64_t now_ms,
                       int64_t next_ms)
{
    reply_map(reply, 7);
    outcome_put_text(reply, "kind", listing_kind_name(source->listing.kind));
    outcome_put_text(reply, "where", source->shown);
    outcome_put_int(reply, "resources", source->count);
    outcome_put_int(reply, "read_ms_ago", source->read_ms < 0 ? -1 : now_ms - source->read_ms);
    outcome_put_int(reply, "failed_ms_ago",
                    source->failed_ms < 0 ? -1 : now_ms - source->failed_ms);
    outcome_put_text(reply, "error", source->error);
    outcome_put_int(reply, "next_ms", next_ms);
}

/* Two fields of POOL INFO. */
static void put_sources(struct reply *reply, const struct daemon *daemon, const struct pool *pool)
{
    const struct feed *feed = sources_find(&daemon->sources, pool);
    int64_t next_ms = -1;

    outcome_put_int(reply, "is_refresher", feed != NULL && feed_is_mine(feed, &next_ms));
    reply_text(reply, "sources");
    reply_array(reply, feed != NULL ? (size_t)feed->count : 0);
    for (int i = 0; feed != NULL && i < feed->count; i++)
        put_source(reply, &feed->sources[i], clock_ms(&daemon->clock), next_ms);
}

static void end_info(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;
    struct reply *reply = later_reply(later);
    const struct pool_config *config = later->pool->config;

    if (outcome_failed(later, err))
        return;
    reply_map(reply, 6 + answer_count(answer) / 2);
    outcome_put_text(reply, "mode", config->is_shared ? "shared" : "exclusive");
    outcome_put_fields(reply, answer);
    outcome_put_int(reply, "default_timeout_ms", config->default_timeout_ms);
    outcome_put_int(reply, "binding_timeout_ms", config->binding_timeout_ms);
    outcome_put_int(reply, "is_collector", later->pool->is_leading);
    put_sources(reply, later->daemon, later->pool);
    later_end(later);
}

void cmd_pool_info(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL)
        members_info(pool, end_info, later_new(ask, pool));
}

void cmd_pool_health(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL)
        members_health(pool, outcome_ints, later_new(ask, pool));
}

static void end_status(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    if (answer_is_none(answer)) {
        reply_null(later_reply(later));
    } else {
        reply_map(later_reply(later), answer_count(answer) / 2);
        outcome_put_fields(later_reply(later), answer);
    }
    later_end(later);
}

void cmd_pool_status(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL && check_resource(ask, pool, ask->fixed[1]))
        members_status(pool, ask->fixed[1], end_status, later_new(ask, pool));
}
