/* janitor: makes resources clean before anybody else gets them: [pool:NAME] on_free, a program or a
 * service. Where a pool has that rule, scripts set aside what comes back, to be cleaned. Whoever
 * freed it begins at once; the daemons that collect find the rest. Each resource is one daemon's to
 * clean, for a time: should it die, another one cleans it after that. What has been cleaned may be
 * cleaned again when nobody heard of it.
 *
 *     CLAIM ---> RUNNING ---> TELLING ---> gone: free, to be tried again later, or in quarantine
 *                                ^ UNTOLD: Redis is away
 *
 * Knows: pools, io/check.  Must not know: clients. Driven by janitor_tick() and by what is freed.
 */
#ifndef JOBS_JANITOR_H
#define JOBS_JANITOR_H

#include "pool/pools.h"
#include <event2/event.h>

struct evdns_base;

struct janitor {
    struct pools *pools;
    struct event_base *base;
    struct evdns_base *dns; /* may be NULL */
    const struct clock *clock;
    struct log *log;
    struct str daemon;
    struct map places; /* pool's name -> struct place *: those with something to do */
    uint64_t last_mark;
    bool is_stopping;
};

void janitor_init(struct janitor *janitor, struct pools *pools, struct event_base *base,
                  struct evdns_base *dns, struct str daemon, struct rand *rand);
/* To be called every 100 ms or so. */
void janitor_tick(struct janitor *janitor);
/* Gives up what it is doing, and tells Redis so. */
void janitor_stop(struct janitor *janitor);
/* Nothing is at a lane any more. */
void janitor_clear(struct janitor *janitor);

#endif
