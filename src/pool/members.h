/* members: which resources a pool has and how they are: extend, shrink, assign, bindings, looking,
 * checking, repairing, collecting. Each is one script, in turn at the pool's lane.
 * Knows: ops/, pools.  Must not know: clients, RESP, command names. */
#ifndef POOL_MEMBERS_H
#define POOL_MEMBERS_H

#include "pool/leases.h"

/* A daemon leads a pool for so long from each collection on: another one takes over so late at
 * most.
 */
#define MEMBERS_LEADER_MS 4000

/* The answer in the shape that the script's header gives; err as in leases.h. */
typedef void (*answer_done)(void *arg, const struct err *err, const struct answer *answer);

/* expiry_ms from now; <= 0: never. Those that are new get the capacity of the pool's settings. */
void members_extend(struct pool *pool, int64_t expiry_ms, const struct str *resources, int count,
                    answer_done done, void *arg);
/* What else is said of those that are added, known ones too. {0}: nothing, and for ever. */
struct member_words {
    int64_t expiry_ms;
    bool has_priority; /* an error but in a pool with order = priority */
    int64_t priority;  /* -MOST_PRIORITY..MOST_PRIORITY; none is 0 */
    int64_t capacity;  /* of all of them; 0: new ones have the pool's, known ones theirs */
    /* Of each resource what is said of it alone; NULL: nothing. Expiries there count for nothing.
     */
    const struct member_words *own;
};
enum { MOST_PRIORITY = 1000 };
void members_extend_with(struct pool *pool, const struct member_words *words,
                         const struct str *resources, int count, answer_done done, void *arg);
void members_assign_with(struct pool *pool, const struct member_words *words,
                         const struct str *resources, int count, answer_done done, void *arg);
void members_shrink(struct pool *pool, const struct str *resources, int count, answer_done done,
                    void *arg);
/* [added, removed]; none given clears. */
void members_assign(struct pool *pool, int64_t expiry_ms, const struct str *resources, int count,
                    answer_done done, void *arg);

/* Why a resource is set aside; numbers as in lua/pool/aside.lua. */
enum aside_kind {
    ASIDE_ANY = 0, /* for members_restore() */
    ASIDE_QUARANTINED = 1,
    ASIDE_ILL = 2,
    ASIDE_LEAVING = 3,
    ASIDE_RESTING = 4,
    ASIDE_CLEANING = 5,
    ASIDE_TRIPPED = 6
};
/* Free ones at once, leased ones when they come back; span_ms <= 0: until somebody ends it. `why`
 * is for people. How many. */
void members_set_aside(struct pool *pool, enum aside_kind kind, int64_t span_ms, struct str why,
                       const struct str *resources, int count, answer_done done, void *arg);
/* Those that are (or were to be) aside for that reason are free again. How many. */
void members_restore(struct pool *pool, enum aside_kind kind, const struct str *resources,
                     int count, answer_done done, void *arg);
/* Nothing is granted while it is paused. 1; 0 when that was so already. */
void members_pause(struct pool *pool, bool is_paused, answer_done done, void *arg);

/* What a probe has found. */
struct members_probed {
    struct str resource, text; /* text: the result, for people */
    bool is_ill;
    int64_t latency_us;
};
/* Ill ones are quarantined for `span_ms` (<= 0: until they are healthy), healthy ones restored;
 * `summary` is for POOL INFO. [quarantined, restored], or -1 when another daemon leads the pool:
 * then nothing is done. */
void members_probed(struct pool *pool, int64_t span_ms, struct str summary,
                    const struct members_probed *probed, int count, answer_done done, void *arg);

/* "key=value", or "key=" to take one away. How many it has then; nil for a stranger. */
void members_tag(struct pool *pool, struct str resource, const struct str *labels, int count,
                 answer_done done, void *arg);
/* Of a resource: its labels, nil for a stranger; of "": [label, count, free, label ...] */
void members_tags(struct pool *pool, struct str resource, answer_done done, void *arg);

/* What belongs to a resource; "": nothing. 1, 0 for a stranger. */
void members_set_data(struct pool *pool, struct str resource, struct str bytes, answer_done done,
                      void *arg);
void members_data(struct pool *pool, struct str resource, answer_done done, void *arg);

void members_bind(struct pool *pool, struct str name, struct str resource, int64_t binding_ms,
                  answer_done done, void *arg);
void members_unbind(struct pool *pool, struct str name, answer_done done, void *arg);
void members_bound(struct pool *pool, struct str name, answer_done done, void *arg);

void members_keys(struct pool *pool, answer_done done, void *arg);
void members_len(struct pool *pool, answer_done done, void *arg);
void members_has(struct pool *pool, struct str resource, answer_done done, void *arg);
/* count < 0: all. */
void members_freelist(struct pool *pool, int64_t count, answer_done done, void *arg);
/* [cursor, [resource, value, resource, value ...]] as HSCAN. */
void members_scan(struct pool *pool, struct str cursor, int64_t count, answer_done done, void *arg);
void members_info(struct pool *pool, answer_done done, void *arg);
/* Why a MALLOC would not get one now: answer as in lua/pool/explain.lua, of at most `count` leases
 * and waiters. */
void members_explain(struct pool *pool, int64_t count, answer_done done, void *arg);
void members_health(struct pool *pool, answer_done done, void *arg);
void members_status(struct pool *pool, struct str resource, answer_done done, void *arg);

void members_check(struct pool *pool, answer_done done, void *arg);
void members_repair(struct pool *pool, answer_done done, void *arg);
/* One collection: what is due, then a sweep of `count` entries (0: none). `as_leader`: only if this
 * daemon leads (or comes to lead) the pool; else always. Answer as in lua/pool/gc.lua. */
void members_gc(struct pool *pool, bool as_leader, int64_t count, answer_done done, void *arg);

/* Asks for, or with turn_ms <= 0 gives up, this daemon's turn to refresh the pool from its sources;
 * `takes`: whoever has it. Answer as in lua/pool/turn.lua. */
void members_turn(struct pool *pool, int64_t turn_ms, bool takes, answer_done done, void *arg);

/* FENCE CHECK: 1 if n is at least the largest fence seen for name (which it becomes), else 0. */
void fences_check(struct pools *pools, struct str name, int64_t n, answer_done done, void *arg);

#endif
