/* batch: operations of one key group (a lane) wait in order of arrival; at most one call of a lane is
 * in flight, and what comes meanwhile is the next call. Neighbours that can be merged share a call of
 * the lane's batch script; any other operation is a call of its own. So operations of a lane take
 * effect in the order in which they came.
 *
 * Faults: while Redis is away operations wait, each for at most `wait_ms`, then fail with UPSTREAM.
 * What Redis refused before doing anything is tried again within the same time (LOADING, BUSY), or
 * alone when its neighbours may be at fault (OOM), else fails in Redis' words. A lost batch fails
 * with "... may have happened", and the lane first recalls it (the rules' recall script gives back
 * what it granted and forbids it to happen later) before anything else is sent.
 *
 * Knows: redis/.  Must not know: what a resource, lock or task is.  Owns: no operation: `done` gives
 * each back exactly once. */
#ifndef OPS_BATCH_H
#define OPS_BATCH_H

#include "base/list.h"
#include "redis/upstream.h"

struct op;
struct lane;

/* err: NULL when Redis answered (the answer itself may be an error of the script). The operation is
 * the caller's again. Runs once, never before lane_add() has returned. */
typedef void (*op_done)(struct op *op, const struct err *err, const struct answer *answer);

/* Embedded at the head of the domain's own record. The args' bytes live until done. */
struct op {
    struct list_node node;
    enum script_id script; /* the lane's batch script: merged. SCRIPT_NONE: args are a command */
    const struct str *args;
    int arg_count;
    op_done done;
    int64_t queued_ms; /* set by lane_add */
};

/* What a lane must know of its key group; one constant struct per kind. */
struct lane_rules {
    enum script_id batch_script;
    enum script_id recall_script; /* args: daemon, sequence */
    /* The keys of a script, in its header's order; borrowed until the call is written. */
    void (*keys)(void *owner, const struct script *script, struct str *keys);
    /* The args before those of the operations of a batch, after daemon and sequence. */
    int (*head)(void *owner, struct str args[4]);
};

/* All lanes of a daemon. */
struct batches {
    struct upstream *upstream;
    struct upstream_listener listener;
    const struct clock *clock;
    struct log *log;
    struct str daemon; /* this daemon's id: unguessable, new at each start; borrowed */
    struct list waiting; /* lanes with operations that could not be sent */
    int64_t wait_ms;
    int max_batch;  /* operations of one call */
    int max_queued; /* operations of one lane; one more is BUSY */
    /* counters */
    uint64_t calls, batches, batched_ops, busy, retries, recalls;
    size_t queued;
};

struct lane {
    const struct lane_rules *rules;
    void *owner;
    struct batches *batches;
    struct list_node node;   /* in batches->waiting */
    struct list queue;       /* not sent */
    struct list flying;      /* of the call in flight */
    bool is_flying;
    bool is_alone;           /* the next call carries one operation: its neighbours failed with it */
    bool is_recalling;
    uint64_t sequence;       /* of the newest batch */
    uint64_t lost;           /* a sequence to recall before anything else; 0: none */
    int64_t retry_at_ms;     /* not before; 0: at once */
};

void batches_init(struct batches *batches, struct upstream *upstream, const struct clock *clock,
                  struct log *log, struct str daemon);
void batches_clear(struct batches *batches);
/* To be called every 50 ms or so: ends what has waited too long and tries again what may be. */
void batches_tick(struct batches *batches);

void lane_init(struct lane *lane, struct batches *batches, const struct lane_rules *rules,
               void *owner);
/* An idle lane only: nothing queued, nothing in flight. */
void lane_clear(struct lane *lane);
bool lane_is_idle(const struct lane *lane);

/* Queues an operation and sends what can be sent. False: the bound is reached, or Redis has been
 * away for longer than wait_ms (err says BUSY or UPSTREAM); the operation stays the caller's. */
MUST_CHECK bool lane_add(struct lane *lane, struct op *op, struct err *err);
/* As lane_add, before all that waits, and never refused for the bound: for repairs. */
MUST_CHECK bool lane_add_first(struct lane *lane, struct op *op, struct err *err);

#endif
