/* sources: see sources.h. */
#include "jobs/sources.h"

static struct feed *feed_of(struct list_node *node)
{
    return list_entry(node, struct feed, node);
}

void sources_init(struct sources *sources, struct pools *pools, struct event_base *base,
                  struct evdns_base *dns)
{
    *sources = (struct sources){
        .pools = pools,
        .host = {.read = {.base = base, .dns = dns},
                 .clock = pools->clock,
                 .rand = pools->rand,
                 .log = pools->log},
    };
    list_init(&sources->feeds);
}

static void drop(struct sources *sources, struct feed *feed, enum err_kind kind, const char *why)
{
    struct err err;
    err_set(&err, kind, "%s", why);
    list_remove(&sources->feeds, &feed->node);
    feed_close(feed, &err);
}

struct feed *sources_find(const struct sources *sources, const struct pool *pool)
{
    struct list *feeds = (struct list *)(uintptr_t)&sources->feeds;
    list_each (node, feeds) {
        if (feed_of(node)->pool == pool)
            return feed_of(node);
    }
    return NULL;
}

/* A pool that was only mentioned, perhaps by mistake, is not filled by what all pools have. */
static bool is_fed(const struct sources *sources, const struct pool *pool)
{
    return map_get(&sources->pools->config->pools, str_of(pool->name)) != NULL &&
           pool->config->sources.count > 0;
}

void sources_configure(struct sources *sources)
{
    list_each (node, &sources->feeds) {
        struct feed *feed = feed_of(node);
        if (!is_fed(sources, feed->pool) || !feed_has(feed, &feed->pool->config->sources))
            drop(sources, feed, ERR_GENERAL, "the pool's sources have been changed");
    }
    list_each (node, &sources->pools->all) {
        struct pool *pool = list_entry(node, struct pool, node);
        if (!sources->is_stopped && is_fed(sources, pool) && sources_find(sources, pool) == NULL)
            list_push(&sources->feeds, &feed_new(&sources->host, pool)->node);
    }
}

void sources_tick(struct sources *sources)
{
    list_each (node, &sources->feeds) {
        struct feed *feed = feed_of(node);
        size_t room = list_is_empty(&feed->askers) ? SOURCES_AT_A_TIME : 2 * SOURCES_AT_A_TIME;
        feed_tick(feed, sources->host.rounds < room);
    }
}

struct feed *sources_to_refresh(const struct sources *sources, const struct pool *pool,
                                struct err *err)
{
    struct feed *feed = sources_find(sources, pool);
    if (feed != NULL && feed->askers.count < SOURCES_MOST_ASKERS)
        return feed;
    if (feed != NULL)
        err_set(err, ERR_BUSY, "%d requests wait for the sources of pool '%s' already",
                SOURCES_MOST_ASKERS, pool->name);
    else
        err_set(err, ERR_GENERAL, "pool '%s' has no sources ([pool:%s] source)", pool->name,
                pool->name);
    return NULL;
}

void sources_stop(struct sources *sources)
{
    sources->is_stopped = true;
    list_each (node, &sources->feeds)
        drop(sources, feed_of(node), ERR_UPSTREAM, "the daemon is stopping: not done");
}
