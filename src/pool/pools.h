/* pools: the pools of this daemon by name, their settings, and the lane at which their operations
 * wait. A pool exists here from its first mention; one that is idle, empty and not configured is
 * forgotten after a minute without a mention, so that names sent by mistake do not add up.
 * Knows: ops/, the pool's keys and settings.  Must not know: clients, RESP, command names.
 * Owns: every struct pool, from pools_init() to pools_clear(). */
#ifndef POOL_POOLS_H
#define POOL_POOLS_H

#include "base/map.h"
#include "config/config.h"
#include "ops/waiter.h"
#include "pool/keys.h"

struct prober;

struct pool {
    struct pools *pools;
    struct list_node node; /* in pools->all */
    char *name;
    struct pool_keys keys;
    struct lane lane;
    struct line line;       /* of those who wait */
    size_t reporters;       /* of these, that want to know their place */
    int64_t reports_due_ms; /* when the places are looked at next */
    const struct pool_config *config;
    int64_t last_used_ms; /* last mention by a client */
    size_t pending;       /* operations that refer to it */
    bool is_known;        /* it has been seen to have resources or leases */
    bool is_repairing;    /* a repair has been queued by a broken list */
    /* see rules.h */
    char *rules; /* those of our settings; NULL: there are none */
    bool are_rules_told,
        are_rules_others; /* Redis has heard them; has others now, which is logged */
    /* the collector's (jobs/gc) */
    int64_t gc_due_ms, sweep_due_ms;
    bool is_collecting, is_leading;
    int64_t
        leads_until_ms; /* monotonic: until then no other daemon comes to lead; see pool_leads() */
    int64_t total;      /* as of the last collection */
    struct prober *prober; /* of jobs/probes; NULL: this daemon does not probe it */
    int64_t to_clean;      /* likewise: those that are to be cleaned and nobody's */
    /* counters, since start or CONFIG RESETSTAT */
    struct pool_counters {
        uint64_t mallocs, grants, misses, frees, renewals, reclaimed, expired, repaired, recalled;
    } counters;
};

struct pools {
    struct map by_name;
    struct list all;
    struct batches *batches;
    struct waiters *waiters;
    struct lane lane;      /* of keys that belong to no pool: fences */
    struct pool_keys keys; /* of the same: only `fences` has a meaning */
    const struct config *config;
    const struct clock *clock;
    struct rand *rand;
    struct log *log;
    /* Something was freed here of a pool with on_free. NULL: nobody wants to know. */
    void (*freed)(void *arg, struct pool *pool);
    void *freed_arg;
};

void pools_init(struct pools *pools, struct batches *batches, struct waiters *waiters,
                const struct config *config, const struct clock *clock, struct rand *rand,
                struct log *log);
/* All lanes idle. Who still waits is told that the daemon stops. */
void pools_clear(struct pools *pools);

/* The pool of that name, made at its first mention. NULL and err: the name is not allowed, or this
 * daemon knows max_pools already. Borrowed until the loop turns; an operation at its lane keeps it.
 */
struct pool *pools_get(struct pools *pools, struct str name, struct err *err);
/* NULL when it has not been mentioned. */
struct pool *pools_find(const struct pools *pools, struct str name);
/* It has been seen to have resources or leases: it is collected every second from now on. */
void pool_mark_known(struct pool *pool);
/* Does this daemon lead the pool now, and no other? What only one daemon does, it does then. */
bool pool_leads(const struct pool *pool);
/* So many of its leases were ended by this daemon. */
void pool_note_freed(struct pool *pool, int64_t count);
/* Makes the configured ones (and those that a reload added) and gives all their present settings.
 */
void pools_configure(struct pools *pools);
/* The prefix of pools without a section of their own. Borrowed until the next reload. */
struct str pools_prefix(const struct pools *pools);
/* Forgets pools as the door sign says; to be called every few seconds. */
void pools_forget_idle(struct pools *pools);

#endif
