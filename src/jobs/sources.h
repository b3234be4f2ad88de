/* sources: the pools that are filled from lists: files, web servers, programs, names. One feed for
 * each pool that has a section with `source`; only so many are read at a time.
 * Knows: pools, feeds.  Must not know: clients. Driven by sources_tick() alone. */
#ifndef JOBS_SOURCES_H
#define JOBS_SOURCES_H

#include "jobs/feed.h"

enum {
    SOURCES_AT_A_TIME = 16,    /* pools; as many again that somebody waits for */
    SOURCES_MOST_ASKERS = 1000 /* at one pool */
};

struct sources {
    struct pools *pools;
    struct feed_host host;
    struct list feeds;
    bool is_stopped;
};

void sources_init(struct sources *sources, struct pools *pools, struct event_base *base,
                  struct evdns_base *dns);
/* Follows the settings: after pools_configure(). */
void sources_configure(struct sources *sources);
/* To be called every 100 ms or so. */
void sources_tick(struct sources *sources);
/* The daemon ends: nothing is read any more, and other daemons may take over. What is on its way to
 * Redis ends with the batches. */
void sources_stop(struct sources *sources);

/* NULL: the pool has no sources. Borrowed until the loop turns. */
struct feed *sources_find(const struct sources *sources, const struct pool *pool);
/* The feed to be refreshed by hand; NULL and err: it has none, or too many wait for it already. */
struct feed *sources_to_refresh(const struct sources *sources, const struct pool *pool,
                                struct err *err);

#endif
